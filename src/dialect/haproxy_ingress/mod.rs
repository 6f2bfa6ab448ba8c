//! The annotations of HAProxy Ingress 0.16.

pub(super) mod says;
pub(super) mod write;

use super::key::{Idle, Names, Program, Same, key};

pub(super) static PROGRAM: Program = Program::new(
    "HAProxy Ingress 0.16",
    &["haproxy-ingress.github.io/"],
    Names::Protecting,
    &[
        key("allowlist-source-range").protects().idle(Idle::Everyone),
        key("auth-realm").protects(),
        key("auth-secret").protects(),
        key("auth-tls-secret").protects(),
        key("auth-tls-verify-client").protects().idle(Idle::Word("off")),
        key("auth-type").protects(),
        key("auth-url").protects(),
        key("cors-allow-origin").protects().idle(Idle::Word("*")),
        key("denylist-source-range").protects(),
        key("limit-connections").protects().idle(Idle::Zero),
        key("limit-rps").protects().idle(Idle::Zero),
        key("oauth").protects(),
        key("proxy-body-size").protects().idle(Idle::Zero),
        key("secure-verify-ca-secret").protects(),
        key("ssl-passthrough").protects().idle(Idle::False).same(Same::Passthrough),
        key("ssl-redirect").redirects().idle(Idle::False),
        key("waf").protects(),
        key("whitelist-source-range").protects().idle(Idle::Everyone),
    ],
);
