//! The annotations of Contour 1.33.

pub(super) mod support;
pub(super) mod write;

use super::go::is_duration;
use super::key::{CrossNamespace, Form, Holds, Names, OnInvalid, Program, Shape, Text, key};
use super::legacy::{Legacy, Migration, row};

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

pub(super) static PROGRAM: Program = Program {
    plain: "ingress.class max-connections max-pending-requests max-requests max-retries \
        per-host-max-connections retry-on upstream-protocol.h2 upstream-protocol.h2c upstream-protocol.tls \
        websocket-routes",
    formed: &[
        (Shape::Text(&TIMEOUT), OnInvalid::Ignored, "per-try-timeout request-timeout response-timeout"),
        (Shape::Integer, OnInvalid::Ignored, "num-retries"),
    ],
    cross_namespace: CrossNamespace::Refuses(
        "Contour refuses unless a TLSCertificateDelegation there allows it",
    ),
    ..Program::new(
        "Contour 1.33",
        &["projectcontour.io/"],
        Names::Own,
        &[
            key("tls-cert-namespace").holds(Holds::Namespace),
            key("tls-maximum-protocol-version").shape(VERSIONS).weakens(),
            key("tls-minimum-protocol-version").shape(VERSIONS).weakens(),
            key("upstream-protocol.*").weakens(),
        ],
    )
};
