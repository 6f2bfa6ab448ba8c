//! The annotations and paths for NGINX Ingress Controller.

use super::PATH_REGEX;
use crate::dialect::nginx::paths::{RewrittenPaths, target_of};
use crate::dialect::write::{KeyValue, WrittenAnnotation, intents, redirect, size, text};
use crate::intents::{Header, Intent, IntentValue, RateLimit};
use crate::plan::Plan;
use crate::values::{BackendProtocol, Target, Tls};

const SSL_REDIRECT: &str = "nginx.org/ssl-redirect";

pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    let mut written = intents(plan, target, |intent, intent_value| annotations(plan, intent, intent_value));
    if let Some(origin) = redirect(plan) {
        // A load balancer that has the certificate reports in a header whether a request came to it by https.
        let key = if plan.tls() == Tls::LoadBalancer { "nginx.org/redirect-to-https" } else { SSL_REDIRECT };
        written.push(WrittenAnnotation { key, value: "true".into(), origin });
    } else if let Some(wanted) =
        plan.https_redirect.as_ref().filter(|it| !it.value && plan.tls().has_secret())
    {
        written.push(WrittenAnnotation {
            key: SSL_REDIRECT,
            value: "false".into(),
            origin: wanted.origin.clone(),
        });
    }
    if let Some(pattern) = plan.pattern() {
        let origin = pattern.path_origin.clone();
        written.push(WrittenAnnotation { key: PATH_REGEX, value: "case_insensitive".into(), origin });
    }
    written
}

/// Returns the regular expressions that the paths become if an option rewrites them. They keep the meaning of the paths.
pub(in crate::dialect) fn rewritten_paths(plan: &Plan) -> Option<RewrittenPaths> {
    let wanted = plan.intents.iter().find(|wanted| {
        matches!(wanted.intent, Intent::StripPrefix | Intent::RewritePath)
            && target_of(plan, &wanted.intent_value).is_some()
    })?;
    Some(RewrittenPaths { is_cut: wanted.intent == Intent::StripPrefix, end: "" })
}

fn annotations<'p>(plan: &'p Plan, intent: Intent, intent_value: &'p IntentValue) -> Vec<KeyValue<'p>> {
    let service = plan.service();
    match intent_value {
        IntentValue::Switch(_) | IntentValue::Path(_) => rewrite(plan, intent_value),
        IntentValue::Code(code) => vec![("nginx.org/http-redirect-code", text(code))],
        IntentValue::BasicAuth(auth) => {
            let mut annotations: Vec<KeyValue<'p>> =
                vec![("nginx.org/basic-auth-secret", auth.secret.as_str().into())];
            annotations
                .extend(auth.realm.as_deref().map(|realm| ("nginx.org/basic-auth-realm", realm.into())));
            annotations
        }
        IntentValue::Duration(_) if intent == Intent::ConnectTimeout => {
            vec![("nginx.org/proxy-connect-timeout", text(intent_value))]
        }
        IntentValue::Duration(_) => {
            // If lines of ingress-nginx have other values for the two directions, the value for the other one has a line of its own.
            let is_both = plan.requested(intent).is_none_or(|wanted| wanted.keys.len() != 1);
            let both = ["nginx.org/proxy-read-timeout", "nginx.org/proxy-send-timeout"];
            let keys = both.iter().take(if is_both { 2 } else { 1 });
            keys.map(|key| (*key, text(intent_value))).collect()
        }
        IntentValue::Size(bytes) => vec![("nginx.org/client-max-body-size", size(*bytes).into())],
        IntentValue::Headers(headers) if intent == Intent::RequestHeaders => {
            vec![("nginx.org/proxy-set-headers", list(headers, "").into())]
        }
        IntentValue::Headers(headers) => vec![("nginx.org/add-header", list(headers, ":always").into())],
        IntentValue::Protocol(protocol) => {
            let is_grpc = matches!(protocol, BackendProtocol::Grpc | BackendProtocol::Grpcs);
            let tls = protocol.has_tls().then(|| ("nginx.org/ssl-services", service.into()));
            tls.into_iter().chain(is_grpc.then(|| ("nginx.org/grpc-services", service.into()))).collect()
        }
        IntentValue::Sticky(sticky) => {
            let expires = sticky.max_age.map(|age| format!(" expires={age}s")).unwrap_or_default();
            let value = format!("serviceName={service} {}{expires} path=/", sticky.cookie);
            vec![("nginx.org/sticky-cookie-services", value.into())]
        }
        IntentValue::Rate(RateLimit { requests, per, burst }) => {
            let unit = if *per == 1 { "s" } else { "m" };
            // Without a burst, nginx spaces the requests evenly and refuses the second of two at once. ingress-nginx admits this burst.
            let burst = burst.unwrap_or_else(|| requests.saturating_mul(5));
            vec![
                ("nginx.org/limit-req-rate", format!("{requests}r/{unit}").into()),
                ("nginx.org/limit-req-burst", text(&burst)),
                ("nginx.org/limit-req-no-delay", "true".into()),
            ]
        }
        _ => Vec::new(),
    }
}

fn rewrite<'p>(plan: &'p Plan, intent_value: &'p IntentValue) -> Vec<KeyValue<'p>> {
    let Some(target) = target_of(plan, intent_value) else { return Vec::new() };
    let mut annotations: Vec<KeyValue<'p>> = vec![("nginx.org/rewrite-target", target.into())];
    // If a path of the Service is a regular expression, `write` adds this annotation.
    if plan.pattern().is_none() {
        annotations.push((PATH_REGEX, "case_sensitive".into()));
    }
    annotations
}

fn list(headers: &[Header], end: &str) -> String {
    let entry = |it: &Header| format!("{}: {}{end}", it.name, it.value.as_deref().unwrap_or_default());
    headers.iter().map(entry).collect::<Vec<_>>().join(",")
}
