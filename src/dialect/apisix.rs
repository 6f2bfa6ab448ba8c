//! The annotations of the APISIX Ingress Controller 2.

use super::key::{Idle, Names, Program, key};

pub(super) static PROGRAM: Program = Program::new(
    "the APISIX Ingress Controller 2",
    &["k8s.apisix.apache.org/"],
    Names::Protecting,
    &[
        key("allowlist-source-range").protects().idle(Idle::Everyone),
        key("auth-type").protects(),
        key("auth-uri").protects(),
        key("blocklist-source-range").protects(),
        key("enable-csrf").protects().idle(Idle::False),
        key("http-allow-methods").protects(),
        key("http-block-methods").protects(),
        key("http-to-https").redirects().idle(Idle::False),
        key("plugin-config-name").protects(),
    ],
);
