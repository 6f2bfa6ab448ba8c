//! The annotations of the Application Gateway Ingress Controller 1.8 of Azure.

use super::key::{Form, KnownNames, NeutralValue, OnInvalid, Program, Shape, Text, key};

/// The annotation that makes the gateway reachable only from its own network.
pub(super) const PRIVATE: &str = "appgw.ingress.kubernetes.io/use-private-ip";

/// The annotations that give an Ingress another load balancer, or precedence over others with the same host and path.
pub(super) const PRECEDENCE: [&str; 2] = [PRIVATE, "appgw.ingress.kubernetes.io/rule-priority"];

static PRIORITY: Text = Text {
    expected: "a number from 1 to 20000",
    form: Form::Fits(|value| value.parse().is_ok_and(|it: u16| (1..=20_000).contains(&it))),
};

// The keys that other keys need.
const AFFINITY: &[&str] = &["cookie-based-affinity"];
const DRAINING: &[&str] = &["connection-draining"];

pub(crate) static PROGRAM: Program = Program {
    ingress_prefixes: &["appgw.ingress.kubernetes.io/"],
    names_only: "appgw-ssl-certificate appgw-ssl-profile appgw-trusted-root-certificate backend-hostname backend-path-prefix \
        health-probe-* hostname-extension rewrite-rule-set-custom-resource",
    keys_by_form: &[
        (
            Shape::Boolean,
            OnInvalid::False,
            "connection-draining cookie-based-affinity cookie-based-affinity-distinct-name ssl-redirect use-private-ip",
        ),
        (
            Shape::Integer,
            OnInvalid::Ignored,
            "connection-draining-timeout health-probe-interval health-probe-port health-probe-timeout \
                health-probe-unhealthy-threshold override-frontend-port request-timeout",
        ),
        (Shape::Words("http https"), OnInvalid::Ignored, "backend-protocol"),
        (Shape::Text(&PRIORITY), OnInvalid::Ignored, "rule-priority"),
    ],
    ..Program::new(
        "the Application Gateway Ingress Controller 1.8",
        &["appgw.ingress.kubernetes.io/"],
        KnownNames::Own,
        &[
            key("connection-draining").neutral(NeutralValue::False),
            key("connection-draining-timeout").needs(&DRAINING),
            key("cookie-based-affinity").changes_answers().neutral(NeutralValue::False),
            key("cookie-based-affinity-distinct-name").needs(&AFFINITY).neutral(NeutralValue::False),
            key("rewrite-rule-set").changes_answers(),
            key("ssl-redirect").redirects().neutral(NeutralValue::False),
            // With other controllers, the class decides who can reach the Service.
            key("use-private-ip").protects().neutral(NeutralValue::False),
            key("waf-policy-for-path").protects(),
        ],
    )
};
