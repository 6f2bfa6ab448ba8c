//! The annotations of HAProxy Ingress 0.16.

pub(super) mod says;
pub(crate) mod write;

use super::key::{Elsewhere, Form, Holds, Idle, Names, Program, Same, Text, is_list_of_addresses, key};
use super::nginx;

/// An exclamation mark stands before an exception.
static SOURCES: Text = Text {
    expected: "IP addresses or CIDRs, separated by commas",
    form: Form::Fits(|value| is_list_of_addresses(&value.replace('!', ""))),
};

pub(super) static PROGRAM: Program = Program {
    aliases: &[nginx::OLD_PREFIX],
    plain: "path-type request-del-headers response-del-headers",
    elsewhere: Elsewhere::PassesOver(
        "HAProxy Ingress refuses unless its settings cross-namespace-secrets-* allow it, and lets everybody in without auth-secret",
    ),
    ..Program::new(
        "HAProxy Ingress 0.16",
        &["haproxy-ingress.github.io/"],
        Names::Own,
        &[
            key("allowlist-source-range").text(&SOURCES).protects().idle(Idle::Everyone),
            key("auth-realm").protects(),
            key("auth-secret").holds(Holds::Named).protects(),
            key("auth-tls-secret").holds(Holds::Named).protects(),
            key("auth-tls-verify-client").protects().idle(Idle::Word("off")),
            key("auth-type").protects(),
            key("auth-url").protects(),
            key("backend-protocol").weakens().idle(Idle::Word("h1")),
            key("config-*").holds(Holds::Configuration).protects(),
            key("cors-allow-credentials").protects().idle(Idle::True),
            key("cors-allow-origin").protects().idle(Idle::Word("*")),
            key("cors-allow-origin-regex").protects(),
            key("denylist-source-range").text(&SOURCES).protects(),
            key("headers").weakens(),
            key("limit-connections").protects().idle(Idle::Zero),
            key("limit-rps").protects().idle(Idle::Zero),
            key("oauth").protects(),
            key("proxy-body-size").protects().idle(Idle::Word("unlimited")),
            key("request-set-headers").weakens(),
            key("response-set-headers").weakens(),
            key("secure-backends").weakens().idle(Idle::False).same(Same::Reencrypt),
            key("secure-crt-secret").holds(Holds::Named),
            key("secure-verify-ca-secret").holds(Holds::Named).protects(),
            key("ssl-ciphers").weakens(),
            key("ssl-passthrough").protects().idle(Idle::False).same(Same::Passthrough),
            key("ssl-redirect").redirects().idle(Idle::False),
            key("waf").protects(),
            key("whitelist-source-range").text(&SOURCES).protects().idle(Idle::Everyone),
        ],
    )
};
