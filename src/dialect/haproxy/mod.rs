//! The annotations of the HAProxy Kubernetes Ingress Controller 3.2 of HAProxy Technologies, which reads its keys under three prefixes.

pub(super) mod says;
pub(super) mod write;

use super::key::{Form, Holds, Idle, Names, Program, Same, Shape, Text, is_list_of_addresses, key};
use super::nginx;

/// With another value, it passes over the whole list, so that everybody may come in.
static SOURCES: Text = Text {
    expected: "IP addresses or CIDRs, separated by commas, or a file of patterns",
    form: Form::Fits(|value| value.starts_with("patterns/") || is_list_of_addresses(value)),
};

pub(super) static PROGRAM: Program = Program {
    aliases: &[nginx::OLD_PREFIX],
    // What is not among them it does not read under the prefix that it shares.
    plain: "abortonclose backend-config-snippet check check-http check-interval cors-allow-credentials \
        cors-allow-headers cors-allow-methods cors-enable cors-max-age cors-respond-to-options forwarded-for load-balance \
        path-rewrite pod-maxconn rate-limit-period rate-limit-size rate-limit-status-code rate-limit-whitelist \
        request-capture* request-redirect* route-acl scale-server-slots send-proxy-protocol server-proto set-host \
        src-ip-header ssl-redirect-* standalone-backend timeout-*",
    ..Program::new(
        "the HAProxy Kubernetes Ingress Controller 3.2",
        &["haproxy.org/", "haproxy.com/"],
        Names::Own,
        &[
            key("allow-list").text(&SOURCES).protects().idle(Idle::Everyone),
            key("auth-realm").protects(),
            key("auth-secret").holds(Holds::Named).protects(),
            // It asks nobody where another word stands here.
            key("auth-type").shape(Shape::Exactly(&["basic-auth"])).protects(),
            key("blacklist").text(&SOURCES).protects(),
            key("cors-allow-origin").protects().idle(Idle::Word("*")),
            key("cr-backend").holds(Holds::Named),
            key("deny-list").text(&SOURCES).protects(),
            key("rate-limit-requests").shape(Shape::Integer).protects().idle(Idle::Zero),
            key("request-set-header").weakens(),
            key("response-set-header").weakens(),
            key("server-ca").holds(Holds::Named).protects(),
            key("server-crt").holds(Holds::Named),
            key("server-ssl").weakens().idle(Idle::False).same(Same::Reencrypt),
            key("ssl-passthrough").protects().idle(Idle::False).same(Same::Passthrough),
            key("ssl-redirect").redirects().idle(Idle::False),
            key("whitelist").text(&SOURCES).protects().idle(Idle::Everyone),
        ],
    )
};
