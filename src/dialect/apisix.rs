//! The annotations of the APISIX Ingress Controller 2.

use super::form::COUNT;
use super::key::{
    ADDRESSES, Form, Key, KnownNames, NeutralValue, OnInvalid, Program, Shape, Text, ValueReference, key,
};

/// The only value that turns something on is `true`.
const SWITCH: Shape = Shape::Exactly("true false");

static SECONDS: Text = Text { expected: "seconds such as 30 or 30s", form: Form::Units("|s") };

static METHODS: Text = Text {
    expected: "methods in upper case, separated by commas",
    form: Form::Fits(|value| !value.contains(|sign: char| sign.is_ascii_lowercase() || ";|".contains(sign))),
};

// The keys that other keys need.
const AUTH_URI: &[&str] = &["auth-uri"];
const CORS: &[&str] = &["enable-cors"];
const CSRF: &[&str] = &["enable-csrf"];
const CSRF_KEY: &[&str] = &["csrf-key"];
const REDIRECT: &[&str] = &["http-redirect"];
const RESPONSE: &[&str] = &["enable-response-rewrite"];
const REGEX: &[&str] = &["rewrite-target-regex"];
const TEMPLATE: &[&str] = &["rewrite-target-regex-template"];

pub(crate) static PROGRAM: Program = Program {
    names_only: "cors-allow-headers cors-allow-methods cors-allow-origin response-rewrite-* rewrite-target",
    keys_by_form: &[
        (
            SWITCH,
            OnInvalid::False,
            "enable-cors enable-csrf enable-response-rewrite enable-websocket http-to-https \
                response-rewrite-body-base64 use-regex",
        ),
        (SWITCH, OnInvalid::Ignored, "auth-ssl-verify"),
        (Shape::Text(&METHODS), OnInvalid::SkipsItems, "http-allow-methods http-block-methods"),
        (Shape::Exactly("301 302 303 304 305 306 307 308"), OnInvalid::Ignored, "http-redirect-code"),
        (Shape::Text(&COUNT), OnInvalid::Ignored, "response-rewrite-status-code"),
        // With one bad value, the controller ignores all of them.
        (Shape::Text(&COUNT), OnInvalid::DropsFeature, "upstream-retries"),
        (Shape::Words("http https grpc grpcs"), OnInvalid::DropsFeature, "upstream-scheme"),
        (
            Shape::Text(&SECONDS),
            OnInvalid::DropsFeature,
            "upstream-connect-timeout upstream-read-timeout upstream-send-timeout",
        ),
    ],
    ..Program::new("the APISIX Ingress Controller 2", &["k8s.apisix.apache.org/"], KnownNames::Own, KEYS)
};

const KEYS: &[Key] = &[
    key("allowlist-source-range")
        .text(&ADDRESSES)
        .on_invalid(OnInvalid::Refused)
        .protects()
        .neutral(NeutralValue::AllAddresses),
    key("auth-client-headers").needs(&AUTH_URI),
    key("auth-request-headers").needs(&AUTH_URI),
    key("auth-ssl-verify").needs(&AUTH_URI),
    // With another value, the controller asks nobody.
    key("auth-type").shape(Shape::Exactly("basicAuth keyAuth")).protects(),
    key("auth-upstream-headers").needs(&AUTH_URI),
    key("auth-uri").protects(),
    key("blocklist-source-range").text(&ADDRESSES).on_invalid(OnInvalid::Refused).protects(),
    key("cors-*").needs(&CORS),
    key("csrf-key").needs(&CSRF),
    key("enable-cors").neutral(NeutralValue::False),
    key("enable-csrf").protects().neutral(NeutralValue::False).needs(&CSRF_KEY),
    key("enable-response-rewrite").neutral(NeutralValue::False),
    key("http-allow-methods").protects(),
    key("http-block-methods").protects(),
    key("http-redirect").changes_answers(),
    key("http-redirect-code").needs(&REDIRECT),
    key("http-to-https").redirects().neutral(NeutralValue::False),
    key("plugin-config-name").protects(),
    key("response-rewrite-*").needs(&RESPONSE),
    key("rewrite-target-regex").changes_answers().needs(&TEMPLATE),
    key("rewrite-target-regex-template").needs(&REGEX),
    key("svc-namespace").references(ValueReference::Namespace),
];
