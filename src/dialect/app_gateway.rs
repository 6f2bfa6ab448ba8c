//! The annotations of the Application Gateway Ingress Controller 1.8 of Azure.

use super::key::{KnownNames, NeutralValue, Program, key};

pub(super) static PROGRAM: Program = Program {
    ingress_prefixes: &["appgw.ingress.kubernetes.io/"],
    names_only: "appgw-ssl-certificate appgw-ssl-profile appgw-trusted-root-certificate backend-hostname backend-path-prefix \
        backend-protocol connection-draining connection-draining-timeout cookie-based-affinity \
        cookie-based-affinity-distinct-name health-probe-* hostname-extension override-frontend-port \
        request-timeout rewrite-rule-set rewrite-rule-set-custom-resource rule-priority use-private-ip",
    ..Program::new(
        "the Application Gateway Ingress Controller 1.8",
        &["appgw.ingress.kubernetes.io/"],
        KnownNames::Own,
        &[
            key("ssl-redirect").redirects().neutral(NeutralValue::False),
            key("waf-policy-for-path").protects(),
        ],
    )
};
