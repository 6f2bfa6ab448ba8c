//! The annotations of the Application Gateway Ingress Controller 1.8 of Azure.

use super::key::{Idle, Names, Program, key};

pub(super) static PROGRAM: Program = Program {
    beside: &["appgw.ingress.kubernetes.io/"],
    plain: "appgw-ssl-certificate appgw-ssl-profile appgw-trusted-root-certificate backend-hostname backend-path-prefix \
        backend-protocol connection-draining connection-draining-timeout cookie-based-affinity \
        cookie-based-affinity-distinct-name health-probe-* hostname-extension override-frontend-port \
        request-timeout rewrite-rule-set rewrite-rule-set-custom-resource rule-priority use-private-ip",
    ..Program::new(
        "the Application Gateway Ingress Controller 1.8",
        &["appgw.ingress.kubernetes.io/"],
        Names::Own,
        &[key("ssl-redirect").redirects().idle(Idle::False), key("waf-policy-for-path").protects()],
    )
};
