//! The annotations of the HAProxy Kubernetes Ingress Controller 3.2 of HAProxy Technologies, which reads its keys under three prefixes.

pub(super) mod says;
pub(super) mod write;

use super::key::{Idle, Names, Program, Same, key};
use super::nginx;

pub(super) static PROGRAM: Program = Program {
    aliases: &["haproxy.com/", nginx::OLD_PREFIX],
    ..Program::new(
        "the HAProxy Kubernetes Ingress Controller 3.2",
        &["haproxy.org/"],
        Names::Protecting,
        &[
            key("allow-list").protects().idle(Idle::Everyone),
            key("auth-*").protects(),
            key("blacklist").protects(),
            key("cors-allow-origin").protects().idle(Idle::Word("*")),
            key("deny-list").protects(),
            key("rate-limit-requests").protects().idle(Idle::Zero),
            key("request-set-header").weakens(),
            key("response-set-header").weakens(),
            key("server-ca").protects(),
            key("server-ssl").weakens().idle(Idle::False).same(Same::Reencrypt),
            key("ssl-passthrough").protects().idle(Idle::False).same(Same::Passthrough),
            key("ssl-redirect").redirects().idle(Idle::False),
            key("whitelist").protects().idle(Idle::Everyone),
        ],
    )
};
