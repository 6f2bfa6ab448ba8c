//! The annotations of F5's NGINX Ingress Controller 5.5 and of its App Protect.

pub(crate) mod rules;
pub(super) mod says;
pub(crate) mod write;

use super::key::{Holds, Idle, Names, Program, key};

pub(super) static PROGRAM: Program = Program {
    beside: &["nginx.org/", "nginx.com/"],
    ..Program::new(
        "NGINX Ingress Controller 5.5",
        &["nginx.org/"],
        Names::Own,
        &[
            key("add-header").weakens(),
            key("basic-auth-realm").protects(),
            key("basic-auth-secret").protects(),
            key("client-max-body-size").protects().idle(Idle::Zero),
            key("grpc-services").weakens(),
            key("hsts").weakens().idle(Idle::False),
            key("limit-req-rate").protects(),
            key("policies").holds(Holds::Named).protects(),
            key("proxy-hide-headers").weakens(),
            key("proxy-set-headers").weakens(),
            key("redirect-to-https").redirects().idle(Idle::False),
            key("ssl-ciphers").weakens(),
            key("ssl-redirect").redirects().idle(Idle::False),
            key("ssl-services").weakens(),
        ],
    )
};

pub(super) static PLUS: Program = Program::new(
    "NGINX Ingress Controller 5.5 with NGINX Plus",
    &["nginx.com/"],
    Names::Protecting,
    &[key("jwt-*").protects(), key("policies").holds(Holds::Named).protects()],
);

pub(super) static APP_PROTECT: Program = Program::new(
    "F5 App Protect",
    &["appprotect.f5.com/", "appprotectdos.f5.com/"],
    Names::Protecting,
    &[key("*").holds(Holds::Named).protects()],
);
