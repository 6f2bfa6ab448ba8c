//! The annotations for the HAProxy Kubernetes Ingress Controller.

use crate::dialect::write::{KeyValue, WrittenAnnotation, intents, prefix_of, redirect, text};
use crate::intents::{Cors, HEADERS, Header, Intent, IntentValue, METHODS, RateLimit};
use crate::plan::Plan;
use crate::values::{BackendProtocol, Target};

/// The annotation with which the controller answers preflight requests itself.
const RESPOND: &str = "haproxy.org/cors-respond-to-options";

pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    let mut written = intents(plan, target, |intent, intent_value| annotations(plan, intent, intent_value));
    // By default, the controller redirects requests to port 8443.
    if let Some(origin) = redirect(plan) {
        for (key, value) in [("haproxy.org/ssl-redirect", "true"), ("haproxy.org/ssl-redirect-port", "443")] {
            written.push(WrittenAnnotation { key, value: value.into(), origin: origin.clone() });
        }
    } else if let Some(wanted) =
        plan.https_redirect.as_ref().filter(|it| !it.value && plan.tls().has_secret())
    {
        let origin = wanted.origin.clone();
        written.push(WrittenAnnotation { key: "haproxy.org/ssl-redirect", value: "false".into(), origin });
    }
    written
}

fn annotations<'p>(plan: &'p Plan, intent: Intent, intent_value: &'p IntentValue) -> Vec<KeyValue<'p>> {
    match intent_value {
        IntentValue::Switch(true) if intent == Intent::TlsPassthrough => {
            vec![("haproxy.org/ssl-passthrough", "true".into())]
        }
        IntentValue::Switch(true) => {
            strip(plan).map(|it| ("haproxy.org/path-rewrite", it.into())).into_iter().collect()
        }
        IntentValue::Path(target) => vec![("haproxy.org/path-rewrite", target.replace('%', "%%").into())],
        IntentValue::Code(code) => vec![("haproxy.org/ssl-redirect-code", text(code))],
        IntentValue::Sources(list) if intent == Intent::DeniedSources => {
            vec![("haproxy.org/deny-list", list.join(",").into())]
        }
        IntentValue::Sources(list) => vec![("haproxy.org/allow-list", list.join(",").into())],
        IntentValue::BasicAuth(auth) => {
            let mut annotations: Vec<KeyValue<'p>> = vec![
                ("haproxy.org/auth-type", "basic-auth".into()),
                ("haproxy.org/auth-secret", auth.secret.as_str().into()),
            ];
            annotations.extend(auth.realm.as_deref().map(|realm| ("haproxy.org/auth-realm", realm.into())));
            annotations
        }
        IntentValue::Duration(_) => vec![("haproxy.org/timeout-server", text(intent_value))],
        IntentValue::Cors(wanted) => cors(plan, wanted),
        IntentValue::Headers(headers) if intent == Intent::RequestHeaders => {
            vec![("haproxy.org/request-set-header", lines(headers).into())]
        }
        IntentValue::Headers(headers) => vec![("haproxy.org/response-set-header", lines(headers).into())],
        IntentValue::Protocol(protocol) => {
            let is_http2 = !matches!(protocol, BackendProtocol::Http | BackendProtocol::Https);
            let tls = protocol.has_tls().then(|| ("haproxy.org/server-ssl", "true".into()));
            tls.into_iter().chain(is_http2.then(|| ("haproxy.org/server-proto", "h2".into()))).collect()
        }
        IntentValue::Rate(RateLimit { requests, per, .. }) => vec![
            ("haproxy.org/rate-limit-requests", text(requests)),
            ("haproxy.org/rate-limit-period", format!("{per}s").into()),
        ],
        _ => Vec::new(),
    }
}

/// Returns one rule for all paths, because a second rule would apply to the result of the first one.
fn strip(plan: &Plan) -> Option<String> {
    let mut paths: Vec<&str> = plan.rules.iter().filter_map(|route| prefix_of(plan, route)).collect();
    paths.retain(|path| *path != "/");
    paths.sort_unstable_by_key(|path| (std::cmp::Reverse(path.len()), *path));
    paths.dedup();
    let paths: Vec<String> = paths.into_iter().map(escaped).collect();
    (!paths.is_empty()).then(|| format!("^(?:{})(?:/(.*))?$ /\\1", paths.join("|")))
}

/// Escapes a text for a regular expression that is not in quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 4);
    for character in text.chars() {
        if character == '.' || character == '+' {
            escaped.extend(['[', character, ']']);
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Returns the annotations for CORS. The origins are a star, or one regular expression.
fn cors<'p>(plan: &Plan, cors: &Cors) -> Vec<KeyValue<'p>> {
    let origin = |origin: &String| match origin.split_once("*.") {
        Some((scheme, host)) => format!("{scheme}[a-zA-Z0-9-]+[.]{}", escaped(host)),
        None => escaped(origin),
    };
    let origins = if cors.origins.iter().any(|origin| origin == "*") {
        "*".to_owned()
    } else {
        format!("^({})$", cors.origins.iter().map(origin).collect::<Vec<_>>().join("|"))
    };
    let mut annotations: Vec<KeyValue<'_>> = vec![
        ("haproxy.org/cors-enable", "true".into()),
        ("haproxy.org/cors-allow-origin", origins.into()),
        ("haproxy.org/cors-allow-credentials", text(&cors.credentials)),
    ];
    // Without it, the Service gets the preflight requests, which ingress-nginx and others answer themselves.
    if plan.annotation(RESPOND).is_none() {
        annotations.push((RESPOND, "true".into()));
    }
    for (key, list, default) in [
        ("haproxy.org/cors-allow-methods", &cors.methods, METHODS),
        ("haproxy.org/cors-allow-headers", &cors.headers, HEADERS),
    ] {
        if !list.is_empty() {
            annotations.push((key, list.join(", ").into()));
        } else if plan.annotation(key).is_none() {
            annotations.push((key, default.into()));
        }
    }
    annotations.extend(cors.max_age.map(|age| ("haproxy.org/cors-max-age", format!("{age}s").into())));
    annotations
}

/// Writes one header per line. A `%` begins a variable of HAProxy, unless it is doubled.
fn lines(headers: &[Header]) -> String {
    let line = |header: &Header| {
        let value = header.value.as_deref().unwrap_or_default().replace('%', "%%");
        format!("{} {value}", header.name)
    };
    headers.iter().map(line).collect::<Vec<_>>().join("\n")
}
