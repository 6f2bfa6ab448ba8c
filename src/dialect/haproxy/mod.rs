//! The annotations of the HAProxy Kubernetes Ingress Controller 3.2 of HAProxy Technologies, which reads its keys under three prefixes.

pub(super) mod support;
pub(super) mod write;

use super::form::{SIZE, TIMER};
use super::key::{
    Form, KnownNames, NativeFeature, NeutralValue, OnInvalid, Program, Shape, TO_CONFIG_MAP, TO_SERVICE,
    Text, ValueReference, is_list_of_addresses, key,
};
use super::nginx;
use crate::validation::parse_bool;

/// With another value, the controller ignores the whole list, so that everybody gets access.
static SOURCES: Text = Text {
    expected: "IP addresses or CIDRs, separated by commas, or a file of patterns",
    form: Form::Fits(|value| value.starts_with("patterns/") || is_list_of_addresses(value)),
};

/// A boolean, or one of the words that the controller accepted earlier and still reads.
static SWITCH: Text = Text {
    expected: "",
    form: Form::Spelled("true false", |value| {
        let lower = value.to_ascii_lowercase();
        parse_bool(value).is_some() || matches!(lower.as_str(), "enabled" | "on" | "disabled" | "off")
    }),
};

/// The annotation for TLS passthrough, under each prefix. With it, the controller selects the backend by the host alone.
pub(crate) const SSL_PASSTHROUGH: [&str; 3] =
    ["haproxy.org/ssl-passthrough", "haproxy.com/ssl-passthrough", "ingress.kubernetes.io/ssl-passthrough"];

/// The only spellings that some keys accept.
const TRUE_OR_FALSE: Shape = Shape::Exactly("true false");

/// The key without which no page of another origin may read answers.
const CORS: &[&str] = &["cors-enable"];

/// The key without which nobody is asked for a password.
const AUTH_TYPE: &[&str] = &["auth-type"];

pub(crate) static PROGRAM: Program = Program {
    aliases: &[nginx::OLD_PREFIX],
    service_prefixes: &["haproxy.org/", "haproxy.com/"],
    // The documentation says that `ssl-passthrough` is read on a Service, too; the controller reads it on none.
    on_ingress: "allow-list auth-* blacklist cors-* deny-list path-rewrite rate-limit-* request-* \
        response-* set-host src-ip-header ssl-passthrough ssl-redirect* whitelist",
    // Under the shared prefix, the controller reads only the names of this table. The value of `load-balance` is not checked,
    // because it depends on the version of HAProxy.
    names_only: "backend-config-snippet check-http cors-allow-headers cors-allow-methods load-balance path-rewrite \
        rate-limit-whitelist request-capture request-redirect set-host src-ip-header",
    elsewhere: &[
        (TO_SERVICE, "cookie-persistence* route-acl"),
        (
            TO_CONFIG_MAP,
            "clean-certs client-* dontlognull frontend-config-snippet generate-certificates-signer \
                global-config-snippet hard-stop-after http-* log-format* logasap maxconn nbthread proxy-protocol \
                quic-* ssl-certificate stats-config-snippet syslog-server timeout-client* timeout-connect \
                timeout-http-* timeout-queue timeout-server-fin timeout-tunnel tls-alpn",
        ),
    ],
    keys_by_form: &[
        (Shape::Text(&SWITCH), OnInvalid::Ignored, "abortonclose check cors-enable forwarded-for"),
        (
            TRUE_OR_FALSE,
            OnInvalid::False,
            "cors-allow-credentials cors-respond-to-options standalone-backend",
        ),
        (
            Shape::Text(&TIMER),
            OnInvalid::Ignored,
            "check-interval cors-max-age rate-limit-period timeout-check timeout-server",
        ),
        (
            Shape::Integer,
            OnInvalid::Ignored,
            "pod-maxconn rate-limit-status-code request-capture-len request-redirect-code scale-server-slots \
                ssl-redirect-code ssl-redirect-port",
        ),
        (Shape::Exactly("h2 h1"), OnInvalid::Ignored, "server-proto"),
        (
            Shape::Words("proxy proxy-v1 proxy-v2 proxy-v2-ssl proxy-v2-ssl-cn"),
            OnInvalid::Ignored,
            "send-proxy-protocol",
        ),
        (Shape::Text(&SIZE), OnInvalid::Ignored, "rate-limit-size"),
    ],
    ..Program::new(
        "the HAProxy Kubernetes Ingress Controller 3.2",
        &["haproxy.org/", "haproxy.com/"],
        KnownNames::All,
        &[
            key("allow-list").text(&SOURCES).protects().neutral(NeutralValue::AllAddresses),
            key("auth-realm").protects().needs(&AUTH_TYPE),
            key("auth-secret").references(ValueReference::Named).protects().needs(&AUTH_TYPE),
            // With another value, the controller asks nobody for a password.
            key("auth-type").shape(Shape::Exactly("basic-auth")).protects(),
            key("blacklist").text(&SOURCES).protects(),
            key("client-ca").references(ValueReference::Named).protects(),
            key("cors-*").needs(&CORS),
            key("cors-allow-origin").protects().neutral(NeutralValue::Word(&"*")).needs(&CORS),
            key("cors-enable").neutral(NeutralValue::False),
            key("cr-backend").references(ValueReference::Named),
            key("deny-list").text(&SOURCES).protects(),
            key("rate-limit-requests")
                .shape(Shape::Integer)
                .on_invalid(OnInvalid::Zero)
                .protects()
                .neutral(NeutralValue::Zero),
            key("request-set-header").hardens(),
            key("response-set-header").hardens(),
            key("server-ca").references(ValueReference::Named).protects(),
            key("server-crt").references(ValueReference::Named),
            key("server-ssl")
                .text(&SWITCH)
                .hardens()
                .neutral(NeutralValue::False)
                .native(NativeFeature::Reencrypt),
            key("ssl-passthrough")
                .shape(TRUE_OR_FALSE)
                .on_invalid(OnInvalid::False)
                .protects()
                .neutral(NeutralValue::False)
                .native(NativeFeature::Passthrough),
            key("ssl-redirect")
                .text(&SWITCH)
                .on_invalid(OnInvalid::False)
                .redirects()
                .neutral(NeutralValue::False),
            key("whitelist").text(&SOURCES).protects().neutral(NeutralValue::AllAddresses),
        ],
    )
};
