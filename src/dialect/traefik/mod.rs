//! The annotations of Traefik 3.7 and 1.7.

pub(super) mod says;
pub(super) mod write;

use super::key::{Idle, Names, Program, key};

pub(super) static PROGRAM: Program = Program {
    beside: &["traefik.ingress.kubernetes.io/router."],
    ..Program::new(
        "Traefik 3.7",
        &["traefik.ingress.kubernetes.io/"],
        Names::Protecting,
        &[
            key("auth-*").protects(),
            key("rate-limit").protects(),
            key("redirect-entry-point").redirects(),
            key("router.middlewares").protects(),
            key("router.tls.options").protects(),
            key("ssl-redirect").redirects().idle(Idle::False),
            key("whitelist-source-range").protects().idle(Idle::Everyone),
        ],
    )
};
