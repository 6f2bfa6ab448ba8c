//! The annotations of Contour 1.33.

pub(super) mod support;
pub(super) mod write;

use super::form::COUNT;
use super::go::is_duration;
use super::key::{
    CrossNamespace, Form, KnownNames, NeutralValue, OnInvalid, Program, Shape, TO_SERVICE, Text,
    ValueReference, key,
};
use super::legacy::{Legacy, Migration, row};
use super::nginx;

/// The annotation that names the class for Contour. It counts more than the class that every program reads.
pub(crate) const CLASS: &str = "projectcontour.io/ingress.class";

pub(super) static LEGACY: &[Legacy] =
    &[row(CLASS, Migration::Class, "Contour 1.33, internal/annotation and internal/ingressclass")];

/// A timeout. A number without a unit is not a duration, unless it is 0.
static TIMEOUT: Text = Text {
    expected: "a duration such as 30s or 1m30s, or infinity",
    form: Form::Fits(|value| matches!(value, "infinity" | "infinite") || is_duration(value)),
};

/// The versions of TLS that can be the minimum or the maximum.
const VERSIONS: Shape = Shape::Exactly("1.2 1.3");

/// The only spellings of a boolean.
const SWITCH: Shape = Shape::Exactly("true false");

pub(crate) static PROGRAM: Program = Program {
    service_prefixes: &[
        "projectcontour.io/max-",
        "projectcontour.io/per-host-",
        "projectcontour.io/upstream-protocol.",
    ],
    names_only: "ingress.class retry-on websocket-routes",
    elsewhere: &[(
        TO_SERVICE,
        "max-connections max-pending-requests max-requests max-retries per-host-max-connections \
            upstream-protocol.h2 upstream-protocol.h2c upstream-protocol.tls",
    )],
    keys_by_form: &[
        (Shape::Text(&TIMEOUT), OnInvalid::Ignored, "per-try-timeout request-timeout response-timeout"),
        (Shape::Integer, OnInvalid::Ignored, "num-retries"),
        (
            Shape::Text(&COUNT),
            OnInvalid::Ignored,
            "max-connections max-pending-requests max-requests max-retries per-host-max-connections",
        ),
    ],
    cross_namespace: CrossNamespace::Refuses(
        "Contour refuses unless a TLSCertificateDelegation there allows it",
    ),
    ..Program::new(
        "Contour 1.33",
        &["projectcontour.io/"],
        KnownNames::All,
        &[
            key("tls-cert-namespace").references(ValueReference::Namespace),
            key("tls-maximum-protocol-version").shape(VERSIONS).hardens(),
            key("tls-minimum-protocol-version").shape(VERSIONS).hardens(),
            key("upstream-protocol.*").hardens(),
        ],
    )
};

/// The keys with prefixes of others. Contour compares their values exactly.
pub(super) static SHARED: Program = Program {
    aliases: &[nginx::OLD_PREFIX, "kubernetes.io/"],
    ..Program::new(
        "Contour 1.33",
        &[],
        KnownNames::Protecting,
        &[
            key("force-ssl-redirect").shape(SWITCH).redirects().neutral(NeutralValue::False),
            key("ingress.allow-http").shape(SWITCH).redirects().neutral(NeutralValue::True),
        ],
    )
};
