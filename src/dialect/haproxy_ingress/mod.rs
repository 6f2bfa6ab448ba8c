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
        key("backend-protocol").weakens().idle(Idle::Word("h1")),
        key("config-*").protects(),
        key("cors-allow-credentials").protects().idle(Idle::True),
        key("cors-allow-origin").protects().idle(Idle::Word("*")),
        key("cors-allow-origin-regex").protects(),
        key("denylist-source-range").protects(),
        key("headers").weakens(),
        key("limit-connections").protects().idle(Idle::Zero),
        key("limit-rps").protects().idle(Idle::Zero),
        key("oauth").protects(),
        key("proxy-body-size").protects().idle(Idle::Word("unlimited")),
        key("request-set-headers").weakens(),
        key("response-set-headers").weakens(),
        key("secure-backends").weakens().idle(Idle::False).same(Same::Reencrypt),
        key("secure-verify-ca-secret").protects(),
        key("ssl-ciphers").weakens(),
        key("ssl-passthrough").protects().idle(Idle::False).same(Same::Passthrough),
        key("ssl-redirect").redirects().idle(Idle::False),
        key("waf").protects(),
        key("whitelist-source-range").protects().idle(Idle::Everyone),
    ],
);
