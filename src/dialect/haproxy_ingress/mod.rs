//! The annotations of HAProxy Ingress 0.16.

pub(super) mod support;
pub(crate) mod write;

use super::form;
use super::key::{
    ADDRESSES, CrossNamespace, Form, KnownNames, NativeFeature, NeutralValue, OnInvalid, Program, Shape,
    TO_CONFIG_MAP, Text, ValueReference, is_list_of_addresses, key,
};
use super::nginx;

/// A list of networks, in which an exclamation mark precedes an exception.
static SOURCES: Text = Text {
    expected: "IP addresses or CIDRs, separated by commas",
    form: Form::Fits(|value| is_list_of_addresses(&value.replace('!', ""))),
};

/// A duration, whose unit is required.
static TIME: Text =
    Text { expected: "one number with a unit, such as 30s", form: Form::Units("us|ms|s|m|h|d") };

/// A size, as `SizeSuffixToInt64` of HAProxy Ingress reads it.
static SIZE: Text = Text {
    expected: "unlimited, or a size such as 8m",
    form: Form::Fits(|value| value == "unlimited" || form::SIZE.fits(value)),
};

/// A list of origins. With a space after a comma, the controller does not read it as a list.
static ORIGINS: Text = Text {
    expected: "origins, separated by commas without blanks",
    form: Form::Fits(|value| !value.contains(' ')),
};

/// The beginning of the annotations with which the program verifies the Service, if it uses TLS.
pub(crate) const SECURE_VERIFY: &str = "haproxy-ingress.github.io/secure-verify-";

/// The key without which no page of another origin may read answers.
const CORS: &[&str] = &["cors-enable"];

/// The keys without which nobody is asked for a password or a client certificate.
const AUTH_SECRET: &[&str] = &["auth-secret"];
const AUTH_TLS_SECRET: &[&str] = &["auth-tls-secret"];

pub(crate) static PROGRAM: Program = Program {
    aliases: &[nginx::OLD_PREFIX],
    reads_files: true,
    service_prefixes: &["haproxy-ingress.github.io/"],
    // The keys of the scopes Host and TCP.
    on_ingress: "acme-preferred-chain app-root auth-tls-error-page auth-tls-s* auth-tls-verify-client cert-signer \
        config-tcp-service http-response-421 http-response-49* redirect-from redirect-from-regex server-alias* \
        ssl-always-* ssl-cipher-suites ssl-ciphers ssl-options-host ssl-passthrough* tcp-service-* tls-alpn \
        var-namespace",
    names_only: "acme-preferred-chain agent-check-* allowlist-source-header app-root assign-backend-server-id \
        auth-external-placement auth-headers-* auth-method auth-signin auth-tls-error-page \
        backend-check-interval backend-server-naming balance-algorithm bind-* blue-green-* cert-signer \
        config-* cors-allow-headers cors-allow-methods cors-expose-headers cors-max-age fcgi-app \
        health-check-* http-* maxconn-server maxqueue-server oauth-* peers-table redirect-* \
        request-add-headers request-del-headers response-add-headers response-del-headers \
        rewrite-target secure-sni secure-verify-hostname server-alias* service-upstream \
        session-cookie-* source-address-intf ssl-always-* ssl-cipher-* ssl-ciphers-backend \
        ssl-fingerprint-* ssl-options-* ssl-passthrough-* tcp-service-* tls-alpn use-* var-namespace",
    elsewhere: &[(
        TO_CONFIG_MAP,
        "acme-emails acme-endpoint acme-expiring acme-shared acme-terms-agreed auth-log-format \
            auth-proxy auth-tls-default-secret bind-ip-addr-* close-sessions-duration \
            config-defaults config-frontend config-frontend-early config-frontend-late \
            config-global config-peers config-sections config-tcp cookie-key cpu-map \
            default-backend-redirect default-backend-redirect-code dns-* fcgi-enabled-apps \
            groupname healthz-port http-frontends http-log-format http-passthrough-port \
            http-port http-response-prometheus-root https-port max-connections modsecurity-* \
            nbthread no-redirect-locations no-tls-redirect-locations \
            original-forwarded-for-hdr path-type-order peers-name peers-port \
            peers-table-global prometheus-port real-ip-hdr ssl-dh-* ssl-engine \
            ssl-headers-prefix ssl-options ssl-redirect-code stats-* syslog-* tcp-log-format \
            timeout-client timeout-client-fin timeout-stop username worker-max-reloads",
    )],
    keys_by_form: &[
        (Shape::Boolean, OnInvalid::Ignored, "hsts hsts-include-subdomains hsts-preload"),
        (
            Shape::Boolean,
            OnInvalid::False,
            "auth-tls-cert-header auth-tls-strict cors-enable dynamic-scaling session-cookie-dynamic \
                session-cookie-preserve session-cookie-same-site session-cookie-shared ssl-fingerprint-lower",
        ),
        (Shape::Integer, OnInvalid::Ignored, "hsts-max-age"),
        (
            Shape::Integer,
            OnInvalid::Zero,
            "agent-check-port backend-server-slots-increment health-check-fall-count health-check-port \
                health-check-rise-count initial-weight slots-min-free",
        ),
        (Shape::Text(&TIME), OnInvalid::Ignored, "agent-check-interval health-check-interval timeout-*"),
        (Shape::Text(&ADDRESSES), OnInvalid::SkipsItems, "limit-whitelist"),
        (Shape::Exactly("cookie"), OnInvalid::Ignored, "affinity"),
        (Shape::Words("begin exact prefix regex"), OnInvalid::Ignored, "path-type"),
        (Shape::Exactly("v1 v2 v2-ssl v2-ssl-cn"), OnInvalid::Ignored, "proxy-protocol"),
        (Shape::Exactly("insert rewrite prefix"), OnInvalid::Ignored, "session-cookie-strategy"),
        (Shape::Exactly("deny detect"), OnInvalid::Ignored, "waf-mode"),
    ],
    cross_namespace: CrossNamespace::Ignores(
        "HAProxy Ingress refuses unless its settings cross-namespace-secrets-* allow it",
    ),
    ..Program::new(
        "HAProxy Ingress 0.16",
        &["haproxy-ingress.github.io/"],
        KnownNames::All,
        &[
            key("allowlist-source-range")
                .text(&SOURCES)
                .on_invalid(OnInvalid::SkipsItems)
                .protects()
                .neutral(NeutralValue::AllAddresses),
            key("auth-realm").protects().needs(&AUTH_SECRET),
            key("auth-secret").references(ValueReference::Named).protects(),
            key("auth-tls-secret").references(ValueReference::Named).protects(),
            key("auth-tls-verify-client")
                .protects()
                .neutral(NeutralValue::Word(&"off"))
                .needs(&AUTH_TLS_SECRET),
            key("auth-type").protects().needs(&AUTH_SECRET),
            key("auth-url").protects(),
            key("backend-protocol")
                .shape(Shape::Words("h1 http h1-ssl https h2 grpc h2-ssl grpcs fcgi fcgi-ssl"))
                .hardens()
                .neutral(NeutralValue::Word(&"h1")),
            key("config-*").references(ValueReference::Configuration).protects(),
            key("cors-*").needs(&CORS),
            key("cors-allow-credentials")
                .shape(Shape::Boolean)
                .protects()
                .neutral(NeutralValue::True)
                .needs(&CORS),
            key("cors-allow-origin").text(&ORIGINS).protects().neutral(NeutralValue::Word(&"*")).needs(&CORS),
            key("cors-allow-origin-regex").protects().needs(&CORS),
            key("cors-enable").neutral(NeutralValue::False),
            key("denylist-source-range").text(&SOURCES).on_invalid(OnInvalid::SkipsItems).protects(),
            key("headers").hardens(),
            key("limit-connections")
                .shape(Shape::Integer)
                .on_invalid(OnInvalid::Zero)
                .protects()
                .neutral(NeutralValue::Zero),
            key("limit-rps")
                .shape(Shape::Integer)
                .on_invalid(OnInvalid::Zero)
                .protects()
                .neutral(NeutralValue::Zero),
            key("oauth").protects(),
            key("proxy-body-size").text(&SIZE).protects().neutral(NeutralValue::Word(&"unlimited")),
            key("request-set-headers").hardens(),
            key("response-set-headers").hardens(),
            key("secure-backends")
                .shape(Shape::Boolean)
                .on_invalid(OnInvalid::False)
                .hardens()
                .neutral(NeutralValue::False)
                .native(NativeFeature::Reencrypt),
            key("secure-crt-secret").references(ValueReference::Named),
            key("secure-verify-ca-secret").references(ValueReference::Named).protects(),
            key("ssl-ciphers").hardens(),
            key("ssl-passthrough")
                .shape(Shape::Boolean)
                .on_invalid(OnInvalid::False)
                .protects()
                .neutral(NeutralValue::False)
                .native(NativeFeature::Passthrough),
            key("ssl-redirect").shape(Shape::Boolean).redirects().neutral(NeutralValue::False),
            key("waf").shape(Shape::Exactly("modsecurity")).protects(),
            key("whitelist-source-range")
                .text(&SOURCES)
                .on_invalid(OnInvalid::SkipsItems)
                .protects()
                .neutral(NeutralValue::AllAddresses),
        ],
    )
};
