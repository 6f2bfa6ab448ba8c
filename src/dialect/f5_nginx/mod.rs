//! The annotations of F5's NGINX Ingress Controller 5.5 and of its App Protect.

pub(crate) mod rules;
pub(super) mod support;
pub(crate) mod write;

mod grammar;

use super::form::{self, COUNT};
use super::key::{KnownNames, NeutralValue, OnInvalid, Program, Shape, ValueReference, key};
use grammar::{
    APP_ROOT, BUFFERS, LB_METHOD, LIMIT_KEY, MERGEABLE_TYPE, NEXT_UPSTREAM, PORTS, RATE, REWRITE_TARGET,
    REWRITES, SERVER_TOKENS, SIZE, STICKY, TIME,
};

// The keys that other keys need.
const BASIC_AUTH: &[&str] = &["basic-auth-secret"];
const HSTS: &[&str] = &["hsts"];
const JWT_KEY: &[&str] = &["jwt-key"];
const REDIRECT_FROM: &[&str] = &["proxy-redirect-from"];

/// The annotation that turns all paths of an Ingress into regular expressions.
pub(crate) const PATH_REGEX: &str = "nginx.org/path-regex";
/// The annotation by which Ingresses share a host: `master`, which somebody writes by hand, or `minion`.
pub(crate) const MERGEABLE: &str = "nginx.org/mergeable-ingress-type";

pub(crate) static PROGRAM: Program = Program {
    ingress_prefixes: &["nginx.org/", "nginx.com/"],
    refuses_alone: true,
    names_only: "custom-http-errors location-snippets proxy-redirect-from server-snippets websocket-services",
    // One bad value makes the controller refuse the whole Ingress, except for most keys of the rate limit and for those of the
    // ciphers.
    keys_by_form: &[
        (Shape::Boolean, OnInvalid::Refused, "proxy-buffering use-cluster-ip"),
        (
            Shape::Boolean,
            OnInvalid::False,
            "limit-req-dry-run limit-req-no-delay limit-req-scale ssl-prefer-server-ciphers",
        ),
        (
            Shape::Text(&TIME),
            OnInvalid::Refused,
            "fail-timeout proxy-connect-timeout proxy-next-upstream-timeout proxy-read-timeout proxy-send-timeout",
        ),
        (
            Shape::Text(&SIZE),
            OnInvalid::Refused,
            "client-body-buffer-size proxy-buffer-size proxy-busy-buffers-size proxy-max-temp-file-size \
                upstream-zone-size",
        ),
        (Shape::Text(&SIZE), OnInvalid::Ignored, "limit-req-zone-size"),
        (Shape::Text(&BUFFERS), OnInvalid::Refused, "proxy-buffers"),
        (Shape::Integer, OnInvalid::Refused, "keepalive"),
        (Shape::Integer, OnInvalid::Ignored, "limit-req-burst limit-req-delay limit-req-reject-code"),
        (Shape::Text(&COUNT), OnInvalid::Refused, "max-conns max-fails proxy-next-upstream-tries"),
        (Shape::Text(&PORTS), OnInvalid::Refused, "listen-ports listen-ports-ssl"),
        (Shape::Text(&MERGEABLE_TYPE), OnInvalid::Refused, "mergeable-ingress-type"),
        (Shape::Words("on off merge"), OnInvalid::Refused, "add-header-inherit"),
        (Shape::Exactly("301 302 307 308"), OnInvalid::Refused, "http-redirect-code"),
        (Shape::Exactly("case_sensitive case_insensitive exact"), OnInvalid::Refused, "path-regex"),
        (Shape::Exactly("info notice warn error"), OnInvalid::Ignored, "limit-req-log-level"),
        (Shape::Text(&LB_METHOD), OnInvalid::Refused, "lb-method"),
        (Shape::Text(&NEXT_UPSTREAM), OnInvalid::Refused, "proxy-next-upstream"),
        (Shape::Text(&LIMIT_KEY), OnInvalid::Refused, "limit-req-key"),
        (Shape::Text(&SERVER_TOKENS), OnInvalid::Refused, "server-tokens"),
        (Shape::Text(&APP_ROOT), OnInvalid::Refused, "app-root"),
        (Shape::Text(&REWRITE_TARGET), OnInvalid::Refused, "rewrite-target"),
        (Shape::Text(&REWRITES), OnInvalid::Refused, "rewrites"),
        (Shape::Text(&STICKY), OnInvalid::Refused, "sticky-cookie-services"),
        (Shape::Headers, OnInvalid::Refused, "proxy-hide-headers proxy-pass-headers"),
    ],
    ..Program::new(
        "NGINX Ingress Controller 5.5",
        &["nginx.org/"],
        KnownNames::All,
        &[
            key("add-header").hardens(),
            key("basic-auth-realm").protects().needs(&BASIC_AUTH),
            key("basic-auth-secret").protects(),
            key("client-max-body-size")
                .text(&form::SIZE)
                .on_invalid(OnInvalid::Refused)
                .protects()
                .neutral(NeutralValue::Zero),
            key("grpc-services").hardens(),
            key("hsts")
                .shape(Shape::Boolean)
                .on_invalid(OnInvalid::Refused)
                .hardens()
                .neutral(NeutralValue::False),
            key("hsts-behind-proxy").shape(Shape::Boolean).on_invalid(OnInvalid::Refused).needs(&HSTS),
            key("hsts-include-subdomains").shape(Shape::Boolean).on_invalid(OnInvalid::Refused).needs(&HSTS),
            key("hsts-max-age").shape(Shape::Integer).on_invalid(OnInvalid::Refused).needs(&HSTS),
            key("limit-req-rate").text(&RATE).protects(),
            key("policies").references(ValueReference::Named).protects(),
            key("proxy-hide-headers").hardens(),
            key("proxy-redirect-to").needs(&REDIRECT_FROM),
            key("proxy-set-headers").hardens(),
            key("redirect-to-https")
                .shape(Shape::Boolean)
                .on_invalid(OnInvalid::Refused)
                .redirects()
                .neutral(NeutralValue::False),
            key("ssl-ciphers").hardens(),
            key("ssl-redirect")
                .shape(Shape::Boolean)
                .on_invalid(OnInvalid::Refused)
                .redirects()
                .neutral(NeutralValue::False),
            key("ssl-services").hardens(),
        ],
    )
};

pub(crate) static PLUS: Program = Program {
    names_only: "jwt-*",
    keys_by_form: &[
        (Shape::Text(&TIME), OnInvalid::Refused, "slow-start"),
        (Shape::Text(&STICKY), OnInvalid::Refused, "sticky-cookie-services"),
    ],
    ..Program::new(
        "NGINX Ingress Controller 5.5 with NGINX Plus",
        &["nginx.com/"],
        KnownNames::All,
        &[
            key("health-checks")
                .shape(Shape::Boolean)
                .on_invalid(OnInvalid::Refused)
                .neutral(NeutralValue::False),
            key("health-checks-mandatory")
                .shape(Shape::Boolean)
                .on_invalid(OnInvalid::Refused)
                .neutral(NeutralValue::False),
            key("health-checks-mandatory-queue").shape(Shape::Integer).on_invalid(OnInvalid::Refused),
            key("jwt-*").protects().needs(&JWT_KEY),
            key("jwt-key").protects(),
            key("policies").references(ValueReference::Named).protects(),
        ],
    )
};

pub(super) static APP_PROTECT: Program = Program {
    keys_by_form: &[(
        Shape::Boolean,
        OnInvalid::Refused,
        "app-protect-enable app-protect-security-log-enable",
    )],
    ..Program::new(
        "F5 App Protect",
        &["appprotect.f5.com/", "appprotectdos.f5.com/"],
        KnownNames::Protecting,
        &[
            key("*").references(ValueReference::Named).protects(),
            key("app-protect-enable").protects().neutral(NeutralValue::False),
            key("app-protect-security-log-enable").protects().neutral(NeutralValue::False),
        ],
    )
};
