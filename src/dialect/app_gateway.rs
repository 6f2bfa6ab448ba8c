//! The annotations of the Application Gateway Ingress Controller 1.8 of Azure.

use super::key::{Idle, Names, Program, key};

pub(super) static PROGRAM: Program = Program {
    beside: &["appgw.ingress.kubernetes.io/"],
    ..Program::new(
        "the Application Gateway Ingress Controller 1.8",
        &["appgw.ingress.kubernetes.io/"],
        Names::Protecting,
        &[key("ssl-redirect").redirects().idle(Idle::False), key("waf-policy-for-path").protects()],
    )
};
