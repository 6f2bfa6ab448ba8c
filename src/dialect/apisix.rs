//! The annotations of the APISIX Ingress Controller 2.

use super::key::{Key, KnownNames, NeutralValue, Program, key};

pub(super) static PROGRAM: Program = Program {
    names_only: "auth-client-headers auth-request-headers auth-ssl-verify auth-upstream-headers cors-allow-headers \
        cors-allow-methods cors-allow-origin csrf-key enable-cors enable-response-rewrite enable-websocket http-redirect \
        http-redirect-code response-rewrite-* rewrite-target rewrite-target-regex rewrite-target-regex-template \
        svc-namespace upstream-connect-timeout upstream-read-timeout upstream-retries upstream-scheme \
        upstream-send-timeout use-regex",
    ..Program::new("the APISIX Ingress Controller 2", &["k8s.apisix.apache.org/"], KnownNames::Own, KEYS)
};

const KEYS: &[Key] = &[
    key("allowlist-source-range").protects().neutral(NeutralValue::AllAddresses),
    key("auth-type").protects(),
    key("auth-uri").protects(),
    key("blocklist-source-range").protects(),
    key("enable-csrf").protects().neutral(NeutralValue::False),
    key("http-allow-methods").protects(),
    key("http-block-methods").protects(),
    key("http-to-https").redirects().neutral(NeutralValue::False),
    key("plugin-config-name").protects(),
];
