//! The annotations of the APISIX Ingress Controller 2.

use super::key::{Idle, Key, Names, Program, key};

pub(super) static PROGRAM: Program = Program {
    plain: "auth-client-headers auth-request-headers auth-ssl-verify auth-upstream-headers cors-allow-headers \
        cors-allow-methods cors-allow-origin csrf-key enable-cors enable-response-rewrite enable-websocket http-redirect \
        http-redirect-code response-rewrite-* rewrite-target rewrite-target-regex rewrite-target-regex-template \
        svc-namespace upstream-connect-timeout upstream-read-timeout upstream-retries upstream-scheme \
        upstream-send-timeout use-regex",
    ..Program::new("the APISIX Ingress Controller 2", &["k8s.apisix.apache.org/"], Names::Own, KEYS)
};

const KEYS: &[Key] = &[
    key("allowlist-source-range").protects().idle(Idle::Everyone),
    key("auth-type").protects(),
    key("auth-uri").protects(),
    key("blocklist-source-range").protects(),
    key("enable-csrf").protects().idle(Idle::False),
    key("http-allow-methods").protects(),
    key("http-block-methods").protects(),
    key("http-to-https").redirects().idle(Idle::False),
    key("plugin-config-name").protects(),
];
