//! The annotations of Cilium.

use super::go::is_duration;
use super::key::{Form, KnownNames, NativeFeature, NeutralValue, OnInvalid, Program, Shape, Text, key};
use crate::validation::parse_bool;

static SWITCH: Text = Text {
    expected: "",
    form: Form::Spelled("enabled disabled", |value| {
        matches!(value, "enabled" | "disabled") || parse_bool(value).is_some()
    }),
};

static TIMEOUT: Text = Text { expected: "a duration such as 30s or 1m30s", form: Form::Fits(is_duration) };

/// The values that turn a switch off.
const OFF: &str = "disabled false 0 f F FALSE False";

pub(crate) static PROGRAM: Program = Program {
    names_only: "loadbalancer-class loadbalancer-mode service-external-traffic-policy service-type",
    keys_by_form: &[
        (Shape::Integer, OnInvalid::Ignored, "host-listener-port insecure-node-port secure-node-port"),
        (Shape::Text(&TIMEOUT), OnInvalid::Ignored, "request-timeout"),
    ],
    ..Program::new(
        "Cilium",
        &["ingress.cilium.io/"],
        KnownNames::Own,
        &[
            key("force-https").text(&SWITCH).redirects().neutral(NeutralValue::Listed(&OFF)),
            key("tls-passthrough")
                .text(&SWITCH)
                .on_invalid(OnInvalid::False)
                .protects()
                .neutral(NeutralValue::Listed(&OFF))
                .native(NativeFeature::Passthrough),
        ],
    )
};
