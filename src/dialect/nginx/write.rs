//! The annotations for ingress-nginx.

use std::borrow::Cow;

use super::paths::target_of;
use super::{
    ALLOWED_SOURCES, BACKEND_PROTOCOL, CANARY, CANARY_COOKIE, CANARY_HEADER, CANARY_HEADER_VALUE,
    CANARY_WEIGHT, FORCE_SSL_REDIRECT, REWRITE_TARGET, SSL_REDIRECT, USE_REGEX,
};
use crate::diagnostics::Origin;
use crate::dialect::controller::Controller;
use crate::dialect::traefik::nginx::braced;
use crate::dialect::write::{KeyValue, WrittenAnnotation, intents, size, text};
use crate::intents::{BasicAuth, ClientCertificate, Cors, ExternalAuth, Intent, IntentValue, RateLimit};
use crate::options::annotations::annotation;
use crate::plan::{Canary, Plan};
use crate::values::{Target, Tls};

pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    if let Some(canary) = &plan.canary {
        return write_canary(canary);
    }
    let mut written = intents(plan, target, |intent, intent_value| annotations(plan, intent, intent_value));
    if let Some(wanted) = &plan.https_redirect {
        // Without a TLS section, ingress-nginx redirects nothing by default; with one, it redirects everything.
        let redirect = match (plan.tls(), wanted.value) {
            (Tls::LoadBalancer, true) => Some((FORCE_SSL_REDIRECT, "true")),
            (Tls::Secret | Tls::CertManager, false) => Some((SSL_REDIRECT, "false")),
            _ if plan.replaces_redirect => Some((SSL_REDIRECT, "true")),
            _ => None,
        };
        let origin = wanted.origin.clone();
        written.extend(redirect.map(|(key, value)| WrittenAnnotation { key, value: value.into(), origin }));
    }
    // ingress-nginx compares a regular expression literally, unless an annotation turns regular expressions on.
    if let Some(pattern) = plan.pattern().and_then(|_| plan.nginx()?.pattern) {
        written.push(WrittenAnnotation {
            key: USE_REGEX,
            value: "true".into(),
            origin: pattern.path_origin.clone(),
        });
    }
    written
}

fn annotations<'p>(plan: &'p Plan, intent: Intent, intent_value: &'p IntentValue) -> Vec<KeyValue<'p>> {
    match intent_value {
        IntentValue::Switch(true) if intent == Intent::TlsPassthrough => {
            vec![("nginx.ingress.kubernetes.io/ssl-passthrough", "true".into())]
        }
        IntentValue::Switch(_) | IntentValue::Path(_) => {
            let written = |target: &'p str| match plan.controller(Target::Ingress) {
                Controller::TraefikNginx => braced(target).into(),
                _ => target.into(),
            };
            target_of(plan, intent_value)
                .map(|target| (REWRITE_TARGET, written(target)))
                .into_iter()
                .collect()
        }
        IntentValue::Sources(list) if intent == Intent::DeniedSources => {
            vec![("nginx.ingress.kubernetes.io/denylist-source-range", list.join(",").into())]
        }
        IntentValue::Sources(list) => vec![(ALLOWED_SOURCES, list.join(",").into())],
        IntentValue::BasicAuth(auth) => basic_auth(auth),
        IntentValue::ExternalAuth(auth) => external_auth(auth),
        IntentValue::Duration(ms) if intent == Intent::ConnectTimeout => {
            vec![("nginx.ingress.kubernetes.io/proxy-connect-timeout", text(&(ms / 1000)))]
        }
        IntentValue::Duration(ms) => vec![
            ("nginx.ingress.kubernetes.io/proxy-read-timeout", text(&(ms / 1000))),
            ("nginx.ingress.kubernetes.io/proxy-send-timeout", text(&(ms / 1000))),
        ],
        IntentValue::Size(bytes) => {
            vec![("nginx.ingress.kubernetes.io/proxy-body-size", size(*bytes).into())]
        }
        IntentValue::Cors(wanted) => cors(wanted),
        IntentValue::Protocol(protocol) => {
            vec![(BACKEND_PROTOCOL, protocol.as_str().to_ascii_uppercase().into())]
        }
        IntentValue::Sticky(sticky) => {
            let mut annotations: Vec<KeyValue<'p>> = vec![
                ("nginx.ingress.kubernetes.io/affinity", "cookie".into()),
                ("nginx.ingress.kubernetes.io/session-cookie-name", sticky.cookie.as_str().into()),
            ];
            let age = sticky.max_age.map(|age| text(&age));
            annotations.extend(age.map(|age| ("nginx.ingress.kubernetes.io/session-cookie-max-age", age)));
            annotations
        }
        IntentValue::Hosts(_) => vec![("nginx.ingress.kubernetes.io/from-to-www-redirect", "true".into())],
        IntentValue::Rate(rate) => rate_limit(*rate),
        IntentValue::Certificate(certificate) => client_certificate(plan, certificate),
        // ingress-nginx has no annotations for these.
        IntentValue::Code(_) | IntentValue::Headers(_) => Vec::new(),
    }
}

fn basic_auth(auth: &BasicAuth) -> Vec<KeyValue<'_>> {
    let mut annotations: Vec<KeyValue<'_>> = vec![
        ("nginx.ingress.kubernetes.io/auth-type", "basic".into()),
        ("nginx.ingress.kubernetes.io/auth-secret", auth.secret.as_str().into()),
    ];
    annotations.extend(auth.realm.as_deref().map(|it| ("nginx.ingress.kubernetes.io/auth-realm", it.into())));
    annotations
}

fn external_auth(auth: &ExternalAuth) -> Vec<KeyValue<'_>> {
    let mut annotations: Vec<KeyValue<'_>> =
        vec![("nginx.ingress.kubernetes.io/auth-url", auth.url.as_str().into())];
    annotations
        .extend(auth.sign_in.as_deref().map(|it| ("nginx.ingress.kubernetes.io/auth-signin", it.into())));
    if !auth.response_headers.is_empty() {
        let names = auth.response_headers.join(",").into();
        annotations.push(("nginx.ingress.kubernetes.io/auth-response-headers", names));
    }
    annotations
}

/// Returns the annotations for CORS. `cors-allow-credentials` is always written, because ingress-nginx allows credentials by
/// default.
fn cors(cors: &Cors) -> Vec<KeyValue<'_>> {
    let mut annotations: Vec<KeyValue<'_>> = vec![
        ("nginx.ingress.kubernetes.io/enable-cors", "true".into()),
        ("nginx.ingress.kubernetes.io/cors-allow-origin", cors.origins.join(", ").into()),
        ("nginx.ingress.kubernetes.io/cors-allow-credentials", text(&cors.credentials)),
    ];
    for (key, list) in [
        ("nginx.ingress.kubernetes.io/cors-allow-methods", &cors.methods),
        ("nginx.ingress.kubernetes.io/cors-allow-headers", &cors.headers),
        ("nginx.ingress.kubernetes.io/cors-expose-headers", &cors.expose_headers),
    ] {
        if !list.is_empty() {
            annotations.push((key, list.join(", ").into()));
        }
    }
    annotations.extend(cors.max_age.map(|age| ("nginx.ingress.kubernetes.io/cors-max-age", text(&age))));
    annotations
}

/// Returns the annotations for a rate limit. The burst is a multiple of the limit, five times by default.
fn rate_limit<'p>(rate: RateLimit) -> Vec<KeyValue<'p>> {
    let key = if rate.per == 1 {
        "nginx.ingress.kubernetes.io/limit-rps"
    } else {
        "nginx.ingress.kubernetes.io/limit-rpm"
    };
    let mut annotations: Vec<KeyValue<'p>> = vec![(key, text(&rate.requests))];
    let times = rate.burst.and_then(|burst| burst.checked_div(rate.requests));
    annotations
        .extend(times.map(|times| ("nginx.ingress.kubernetes.io/limit-burst-multiplier", text(&times))));
    annotations
}

/// Returns the annotations for client certificates. ingress-nginx requires the namespace of the secret.
fn client_certificate<'p>(plan: &'p Plan, certificate: &'p ClientCertificate) -> Vec<KeyValue<'p>> {
    let secret = format!("{}/{}", plan.namespace().unwrap_or_default(), certificate.secret);
    let verify = if certificate.is_optional { "optional" } else { "on" };
    vec![
        ("nginx.ingress.kubernetes.io/auth-tls-secret", secret.into()),
        ("nginx.ingress.kubernetes.io/auth-tls-verify-client", verify.into()),
    ]
}

/// The keys of a canary in addition to the one that marks it, and the options with the same meaning.
///
/// ```
/// use xposer::internal::CANARY_OPTIONS;
/// assert_eq!(CANARY_OPTIONS[0].1, "config.xposer.stakater.com/CanaryWeight");
/// ```
pub const CANARY_OPTIONS: [(&str, &str); 4] = [
    (CANARY_WEIGHT, annotation::CANARY_WEIGHT),
    (CANARY_HEADER, annotation::CANARY_HEADER),
    (CANARY_HEADER_VALUE, annotation::CANARY_HEADER_VALUE),
    (CANARY_COOKIE, annotation::CANARY_COOKIE),
];

fn write_canary<'p>(canary: &'p Canary) -> Vec<WrittenAnnotation<'p>> {
    let text = |given: &'p Option<String>| given.as_deref().map(Cow::Borrowed);
    let all = [
        (CANARY, Some("true".into()), annotation::CANARY_OF),
        (CANARY_WEIGHT, canary.weight.map(|weight| weight.to_string().into()), annotation::CANARY_WEIGHT),
        (CANARY_HEADER, text(&canary.header), annotation::CANARY_HEADER),
        (CANARY_HEADER_VALUE, text(&canary.header_value), annotation::CANARY_HEADER_VALUE),
        (CANARY_COOKIE, text(&canary.cookie), annotation::CANARY_COOKIE),
    ];
    let written = all.into_iter().filter_map(|(key, value, option)| {
        Some(WrittenAnnotation { key, value: value?, origin: Origin::Annotation(option.into()) })
    });
    written.collect()
}
