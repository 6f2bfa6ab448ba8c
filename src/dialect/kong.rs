//! The annotations of the Kong Ingress Controller 3.

use super::form::{COUNT, ROOTED};
use super::key::{
    CrossNamespace, Form, KnownNames, NeutralValue, OnInvalid, Program, ReadOn, Shape, TO_SERVICE, Text,
    ValueReference, key,
};
use crate::values::Target;

/// The annotations that give an Ingress precedence over others with the same host and path.
pub(super) const PRECEDENCE: [&str; 1] = ["konghq.com/regex-priority"];

/// The protocols of a route and of a Service.
const PROTOCOL: Shape = Shape::Exactly("http https grpc grpcs ws wss tls tcp tls_passthrough");

static PROTOCOLS: Text = Text {
    expected: "protocols such as https, separated by commas",
    form: Form::Fits(|value| each(value, |item| PROTOCOL.fits(item))),
};

/// With protocols of both, the route gets `http,https`.
static OF_ONE_KIND: Text = Text {
    expected: "protocols of HTTP or of gRPC, not of both",
    form: Form::Fits(|value| !(value.contains("http") && value.contains("grpc"))),
};

static METHODS: Text = Text {
    expected: "methods of HTTP, separated by commas",
    form: Form::Fits(|value| each(value, |item| item.bytes().all(|b| b.is_ascii_alphabetic()))),
};

static NAMES: Text = Text {
    expected: "hosts without wildcards, separated by commas",
    form: Form::Fits(|value| each(value, is_host)),
};

static HOSTS: Text = Text {
    expected: "hosts, separated by commas",
    form: Form::Fits(|value| {
        each(value, |item| {
            let item = item.strip_prefix("*.").unwrap_or(item);
            is_host(item.strip_suffix(".*").unwrap_or(item))
        })
    }),
};

/// A path in which captures such as `$1` stand for parts of the path of the request.
static REWRITE: Text = Text {
    expected: "a path in which a digit follows `$`, and `$` follows `\\`",
    form: Form::Fits(|value| {
        let mut signs = value.chars();
        while let Some(sign) = signs.next() {
            let is_right = match sign {
                '$' => signs.next().is_some_and(char::is_numeric),
                '\\' => signs.next() == Some('$'),
                _ => true,
            };
            if !is_right {
                return false;
            }
        }
        true
    }),
};

static MILLISECONDS: Text = Text { expected: "milliseconds as a whole number", form: Form::Units("") };

/// Whether all items of a list have a form. Empty items do not count.
fn each(list: &str, fits: fn(&str) -> bool) -> bool {
    list.split(',').map(str::trim).all(|item| item.is_empty() || fits(item))
}

/// Whether a text is a host for Kong, which accepts no two hyphens side by side.
fn is_host(text: &str) -> bool {
    text.split(['.', '-']).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Only a route without these protocols redirects requests to https.
const PLAIN_PROTOCOLS: &str = "http grpc ws tcp";

/// The keys without which no request is sent to https.
const REDIRECTS: &[&str] = &["protocols", "ingress.kubernetes.io/force-ssl-redirect"];

pub(super) static PROGRAM: Program = Program {
    read_on: ReadOn::And(Target::HttpRoute),
    on_ingress: "headers* host-aliases https-* methods path-handling preserve-host protocols regex-* request-* response-* \
        rewrite snis strip-path",
    service_prefixes: &["konghq.com/"],
    cross_namespace: CrossNamespace::Refuses("Kong uses only if a ReferenceGrant there allows it"),
    names_only: "headers-separator headers.* regex-prefix tags",
    not_read: "gatewayclass-unmanaged publish-service",
    elsewhere: &[(
        TO_SERVICE,
        "ca-certificates-configmaps ca-certificates-secrets client-cert connect-timeout host-header override path \
            protocol read-timeout retries tls-verify tls-verify-depth upstream-policy write-timeout",
    )],
    keys_by_form: &[
        (Shape::Words("true false"), OnInvalid::Ignored, "preserve-host strip-path"),
        (Shape::Words("true false 1 0 t f"), OnInvalid::Ignored, "request-buffering response-buffering"),
        (Shape::Integer, OnInvalid::Ignored, "regex-priority"),
        (Shape::Text(&COUNT), OnInvalid::Ignored, "retries tls-verify-depth"),
        (Shape::Text(&MILLISECONDS), OnInvalid::Ignored, "connect-timeout read-timeout write-timeout"),
        (Shape::Exactly("v0 v1"), OnInvalid::Ignored, "path-handling"),
        (Shape::Text(&ROOTED), OnInvalid::Ignored, "path"),
        (Shape::Text(&REWRITE), OnInvalid::Refused, "rewrite"),
    ],
    ..Program::new(
        "the Kong Ingress Controller 3",
        &["konghq.com/"],
        KnownNames::All,
        &[
            key("ca-certificates-configmaps").protects(),
            key("ca-certificates-secrets").protects(),
            key("headers.*").changes_answers(),
            key("host-aliases").text(&HOSTS).changes_answers(),
            key("https-redirect-status-code").shape(Shape::Exactly("301 302 307 308 426")).needs(&REDIRECTS),
            key("methods").text(&METHODS).protects(),
            key("plugins").references(ValueReference::AfterColon).protects(),
            key("preserve-host").changes_answers().neutral(NeutralValue::True),
            key("protocol").shape(PROTOCOL).hardens().neutral(NeutralValue::Word(&"http")),
            key("protocols")
                .shape(Shape::Both(&(Shape::Text(&PROTOCOLS), &OF_ONE_KIND, OnInvalid::Ignored)))
                .on_invalid(OnInvalid::Refused)
                .redirects()
                .neutral(NeutralValue::Listed(&PLAIN_PROTOCOLS)),
            key("snis").text(&NAMES).changes_answers(),
            key("strip-path").changes_answers().neutral(NeutralValue::False),
            key("tls-verify").shape(Shape::Boolean).protects().neutral(NeutralValue::False),
        ],
    )
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_accepts_what_kong_accepts() {
        for (text, good, bad) in [
            (&PROTOCOLS, "https http,https, tls_passthrough", "HTTPS http;https udp"),
            (&OF_ONE_KIND, "https grpc,grpcs", "http,grpc https,grpcs"),
            (&METHODS, "GET get,POST,", "GET;POST GET1 X-Y"),
            (&NAMES, "a a.b-c.example.com,d.example.com", "*.a a..b -a a- xn--a a_b"),
            (&HOSTS, "a *.example.com example.* *.example.*,a", "* a.*.b *a xn--a"),
            (&REWRITE, "/ /$1/$22 /$1\\$x /a", "/$ /$a /\\1 /\\"),
            (&MILLISECONDS, "0 60000", "60s 1.5 -1"),
        ] {
            assert!(good.split(' ').all(|value| text.fits(value)), "{good}");
            assert!(bad.split(' ').all(|value| !text.fits(value)), "{bad}");
        }
        assert!(METHODS.fits("GET, POST") && HOSTS.fits("a, b"));
    }
}
