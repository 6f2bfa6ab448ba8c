//! The annotations and paths for HAProxy Ingress.

use std::borrow::Cow;

use crate::dialect::gateway::regex::behind_slash;
use crate::dialect::write::{KeyValue, WrittenAnnotation, intents, redirect, size, stripped_prefix, text};
use crate::intents::{Cors, ExternalAuth, HEADERS, Header, Intent, IntentValue, METHODS};
use crate::plan::{Plan, Route};
use crate::validation::PathType;
use crate::values::{BackendProtocol, Target};

/// The annotation that says how paths of the type `ImplementationSpecific` are compared.
pub(crate) const PATH_TYPE: &str = "haproxy-ingress.github.io/path-type";
const REDIRECT: &str = "haproxy-ingress.github.io/ssl-redirect";

pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    let mut written = intents(plan, target, |intent, intent_value| annotations(plan, intent, intent_value));
    if let Some(origin) = redirect(plan) {
        written.push(WrittenAnnotation { key: REDIRECT, value: "true".into(), origin });
    } else if let Some(wanted) =
        plan.https_redirect.as_ref().filter(|it| !it.value && plan.tls().has_secret())
    {
        written.push(WrittenAnnotation {
            key: REDIRECT,
            value: "false".into(),
            origin: wanted.origin.clone(),
        });
    }
    // Without this annotation, the controller compares a path of the type `ImplementationSpecific` as a prefix.
    let pattern =
        plan.rules.iter().find(|route| route.is_pattern() && stripped_prefix(plan, route).is_none());
    written.extend(pattern.map(|route| WrittenAnnotation {
        key: PATH_TYPE,
        value: "regex".into(),
        origin: route.path_origin.clone(),
    }));
    written
}

/// Returns the path of a route. The controller compares a regular expression case-sensitively.
pub(in crate::dialect) fn path<'p>(plan: &'p Plan, route: &'p Route) -> Option<(Cow<'p, str>, PathType)> {
    stripped_prefix(plan, route).or_else(|| {
        let is_pattern = route.is_pattern();
        is_pattern.then(|| (behind_slash(&route.path).into(), PathType::ImplementationSpecific))
    })
}

fn annotations<'p>(plan: &'p Plan, intent: Intent, intent_value: &'p IntentValue) -> Vec<KeyValue<'p>> {
    match intent_value {
        IntentValue::Switch(true) if intent == Intent::TlsPassthrough => {
            vec![("haproxy-ingress.github.io/ssl-passthrough", "true".into())]
        }
        IntentValue::Switch(true) => vec![("haproxy-ingress.github.io/rewrite-target", "/".into())],
        IntentValue::Sources(list) if intent == Intent::DeniedSources => {
            vec![("haproxy-ingress.github.io/denylist-source-range", list.join(",").into())]
        }
        IntentValue::Sources(list) => {
            vec![("haproxy-ingress.github.io/allowlist-source-range", list.join(",").into())]
        }
        IntentValue::BasicAuth(auth) => {
            let mut annotations: Vec<KeyValue<'p>> =
                vec![("haproxy-ingress.github.io/auth-secret", auth.secret.as_str().into())];
            let realm = auth.realm.as_deref();
            annotations.extend(realm.map(|realm| ("haproxy-ingress.github.io/auth-realm", realm.into())));
            annotations
        }
        IntentValue::ExternalAuth(auth) => external_auth(plan, auth),
        IntentValue::Duration(_) if intent == Intent::ConnectTimeout => {
            vec![("haproxy-ingress.github.io/timeout-connect", text(intent_value))]
        }
        IntentValue::Duration(_) => vec![("haproxy-ingress.github.io/timeout-server", text(intent_value))],
        IntentValue::Size(0) => vec![("haproxy-ingress.github.io/proxy-body-size", "unlimited".into())],
        IntentValue::Size(bytes) => vec![("haproxy-ingress.github.io/proxy-body-size", size(*bytes).into())],
        IntentValue::Cors(wanted) => cors(plan, wanted),
        IntentValue::Headers(headers) => {
            let line = |it: &Header| format!("{}: {}", it.name, it.value.as_deref().unwrap_or_default());
            let lines = headers.iter().map(line).collect::<Vec<_>>().join("\n");
            vec![("haproxy-ingress.github.io/headers", lines.into())]
        }
        IntentValue::Protocol(protocol) => {
            let word = match protocol {
                BackendProtocol::Http => "h1",
                BackendProtocol::Https => "h1-ssl",
                BackendProtocol::H2c | BackendProtocol::Grpc => "h2",
                BackendProtocol::Grpcs => "h2-ssl",
            };
            vec![("haproxy-ingress.github.io/backend-protocol", word.into())]
        }
        IntentValue::Sticky(sticky) => vec![
            ("haproxy-ingress.github.io/affinity", "cookie".into()),
            ("haproxy-ingress.github.io/session-cookie-name", sticky.cookie.as_str().into()),
        ],
        IntentValue::Hosts(hosts) => redirected(plan, hosts)
            .map(|host| ("haproxy-ingress.github.io/redirect-from", host))
            .into_iter()
            .collect(),
        IntentValue::Rate(rate) => vec![("haproxy-ingress.github.io/limit-rps", text(&rate.requests))],
        IntentValue::Certificate(certificate) => vec![
            ("haproxy-ingress.github.io/auth-tls-secret", certificate.secret.as_str().into()),
            (
                "haproxy-ingress.github.io/auth-tls-verify-client",
                if certificate.is_optional { "optional" } else { "on" }.into(),
            ),
        ],
        _ => Vec::new(),
    }
}

/// Returns the host that is redirected to that of the plan: the other one of `example.com` and `www.example.com`, or the named
/// one.
fn redirected<'p>(plan: &'p Plan, hosts: &'p [String]) -> Option<Cow<'p, str>> {
    let host = plan.rules.first()?.host.as_str();
    match hosts.first()?.as_str() {
        "www" => Some(host.strip_prefix("www.").map_or_else(|| format!("www.{host}").into(), Cow::Borrowed)),
        named => Some(named.into()),
    }
}

fn external_auth<'p>(plan: &Plan, auth: &'p ExternalAuth) -> Vec<KeyValue<'p>> {
    let mut annotations: Vec<KeyValue<'p>> =
        vec![("haproxy-ingress.github.io/auth-url", auth.url.as_str().into())];
    annotations
        .extend(auth.sign_in.as_deref().map(|url| ("haproxy-ingress.github.io/auth-signin", url.into())));
    let key = "haproxy-ingress.github.io/auth-headers-succeed";
    if !auth.response_headers.is_empty() {
        annotations.push((key, auth.response_headers.join(",").into()));
    } else if plan.annotation(key).is_none() {
        // By default, all headers of the answer replace those of the request, such as Content-Type.
        annotations.push((key, "-".into()));
    }
    annotations
}

/// Returns the annotations for CORS. `cors-allow-credentials` is always written, because the controller allows credentials by
/// default. A star in a host needs regular expressions.
fn cors<'p>(plan: &Plan, cors: &Cors) -> Vec<KeyValue<'p>> {
    let origin = |origin: &String| {
        let escaped = |text: &str| text.replace('.', "[.]");
        match origin.split_once("*.") {
            Some((scheme, host)) => format!("^{scheme}[a-zA-Z0-9-]+[.]{}$", escaped(host)),
            None => format!("^{}$", escaped(origin)),
        }
    };
    let is_any = cors.origins.iter().any(|origin| origin == "*");
    let origins: KeyValue<'_> = if is_any {
        ("haproxy-ingress.github.io/cors-allow-origin", "*".into())
    } else if cors.origins.iter().any(|origin| origin.contains('*')) {
        let all: Vec<String> = cors.origins.iter().map(origin).collect();
        ("haproxy-ingress.github.io/cors-allow-origin-regex", all.join(" ").into())
    } else {
        ("haproxy-ingress.github.io/cors-allow-origin", cors.origins.join(",").into())
    };
    let mut annotations: Vec<KeyValue<'_>> = vec![
        ("haproxy-ingress.github.io/cors-enable", "true".into()),
        origins,
        ("haproxy-ingress.github.io/cors-allow-credentials", text(&cors.credentials)),
    ];
    for (key, list, default) in [
        ("haproxy-ingress.github.io/cors-allow-methods", &cors.methods, METHODS),
        ("haproxy-ingress.github.io/cors-allow-headers", &cors.headers, HEADERS),
        ("haproxy-ingress.github.io/cors-expose-headers", &cors.expose_headers, ""),
    ] {
        if !list.is_empty() {
            annotations.push((key, list.join(", ").into()));
        } else if plan.annotation(key).is_none() && !default.is_empty() {
            annotations.push((key, default.into()));
        }
    }
    annotations.extend(cors.max_age.map(|age| ("haproxy-ingress.github.io/cors-max-age", text(&age))));
    annotations
}
