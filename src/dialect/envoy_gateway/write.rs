//! The objects of Envoy Gateway that express the intents of a plan, in addition to the HTTPRoutes.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::support::{Server, support};
use crate::dialect::controller::Controller;
use crate::dialect::gateway::support::{Rewrite, duration, rewrite};
use crate::dialect::write::{Content, ExtraObject};
use crate::intents::{ExternalAuth, Intent, IntentValue, RateLimit, StickySession, size};
use crate::plan::kinds::Kind;
use crate::plan::{Plan, Route, numbered};
use crate::values::Target;

/// Returns the value of an intent, if Envoy Gateway supports it.
fn intent_value(plan: &Plan, intent: Intent) -> Option<&IntentValue> {
    plan.intent_value(intent).filter(|intent_value| support(plan, intent, Some(intent_value)).is_supported())
}

/// Returns the rewrites by regular expression of a plan, without duplicates.
fn regexes(plan: &Plan) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for route in &plan.rules {
        if let Rewrite::Regex(pattern, substitution) = rewrite(plan, route) {
            let it = (pattern, substitution);
            if !all.contains(&it) {
                all.push(it);
            }
        }
    }
    all
}

fn name(plan: &Plan, end: &str) -> String {
    format!("{}-{end}", plan.name())
}

fn reference(name: &str) -> Value {
    json!({"type": "ExtensionRef", "extensionRef":
        {"group": Kind::HttpRouteFilter.group(), "kind": Kind::HttpRouteFilter.as_str(), "name": name}})
}

/// Returns the filter that rewrites the path of a route by a regular expression.
pub(crate) fn filter(plan: &Plan, route: &Route) -> Option<Value> {
    let Rewrite::Regex(pattern, substitution) = rewrite(plan, route) else { return None };
    let place = regexes(plan).iter().position(|it| (&it.0, &it.1) == (&pattern, &substitution))?;
    Some(reference(&numbered(&name(plan, "rewrite"), place)))
}

/// Returns the filter that matches requests with the cookie of a canary.
pub(crate) fn cookie_filter(plan: &Plan) -> Option<Value> {
    let is_there = plan.controller(Target::HttpRoute) == Controller::EnvoyGateway;
    plan.canary.as_ref().filter(|canary| is_there && canary.cookie.is_some())?;
    Some(reference(&name(plan, "cookie")))
}

/// Returns the objects in addition to the HTTPRoutes of a plan. The objects of the stable Service also apply to its canaries,
/// which have HTTPRoutes of their own.
pub(in crate::dialect) fn extras<'p>(plan: &'p Plan, canaries: &[&'p Plan]) -> Vec<ExtraObject<'p>> {
    let extra = |kind, name: Cow<'p, str>, spec| ExtraObject {
        kind,
        name,
        annotations: Vec::new(),
        content: Content::Spec(spec),
        referenced_as: None,
    };
    if let Some(canary) = &plan.canary {
        let cookie = canary.cookie.as_ref().map(|cookie| {
            let matches = json!([{"cookies": [{"name": cookie, "type": "Exact", "value": "always"}]}]);
            extra(Kind::HttpRouteFilter, name(plan, "cookie").into(), json!({"matches": matches}))
        });
        return cookie.into_iter().collect();
    }
    let mut all = Vec::new();
    for (kind, end, parts) in [
        (Kind::SecurityPolicy, "security", security(plan)),
        (Kind::BackendTrafficPolicy, "traffic", traffic(plan)),
    ] {
        if let Some(mut spec) = parts {
            spec.insert("targetRefs".to_owned(), targets(plan, canaries));
            // Without it, a policy of the Gateway would no longer apply.
            spec.insert("mergeType".to_owned(), "StrategicMerge".into());
            all.push(extra(kind, name(plan, end).into(), spec.into()));
        }
    }
    for (place, (pattern, substitution)) in regexes(plan).into_iter().enumerate() {
        let path = json!({"type": "ReplaceRegexMatch",
            "replaceRegexMatch": {"pattern": pattern, "substitution": substitution}});
        let name = numbered(&name(plan, "rewrite"), place).into_owned();
        all.push(extra(Kind::HttpRouteFilter, name.into(), json!({"urlRewrite": {"path": path}})));
    }
    all
}

/// Returns references to the HTTPRoutes of a Service and of its canaries.
fn targets(plan: &Plan, canaries: &[&Plan]) -> Value {
    let canaries = canaries.iter().filter(|canary| canary.has_object(Target::HttpRoute));
    let routes = [plan].into_iter().chain(canaries.copied()).flat_map(|plan| {
        (0..plan.groups().len()).map(move |index| numbered(plan.name(), index).into_owned())
    });
    routes
        .map(|name| json!({"group": Kind::HttpRoute.group(), "kind": Kind::HttpRoute.as_str(), "name": name}))
        .collect()
}

fn security(plan: &Plan) -> Option<Map<String, Value>> {
    let mut parts = Map::new();
    let networks = |intent| match intent_value(plan, intent) {
        Some(IntentValue::Sources(networks)) => Some(networks),
        _ => None,
    };
    let (allowed, denied) = (networks(Intent::AllowedSources), networks(Intent::DeniedSources));
    // The first rule that matches applies.
    let rules: Vec<Value> = [("Deny", denied), ("Allow", allowed)]
        .into_iter()
        .filter_map(|(action, networks)| {
            Some(json!({"action": action, "principal": {"clientCIDRs": networks?}}))
        })
        .collect();
    if !rules.is_empty() {
        let default = if allowed.is_some() { "Deny" } else { "Allow" };
        parts.insert("authorization".to_owned(), json!({"defaultAction": default, "rules": rules}));
    }
    if let Some(IntentValue::BasicAuth(auth)) = intent_value(plan, Intent::BasicAuth) {
        let users = json!({"group": "", "kind": "Secret", "name": auth.secret});
        parts.insert("basicAuth".to_owned(), json!({"users": users}));
    }
    if let Some(IntentValue::ExternalAuth(auth)) = intent_value(plan, Intent::ExternalAuth) {
        parts.extend(external_auth(plan, auth).map(|it| ("extAuth".to_owned(), it)));
    }
    (!parts.is_empty()).then_some(parts)
}

/// The headers of a request that the server gets in addition to Authorization. Envoy sends no others.
const SENT_HEADERS: [&str; 7] = [
    "accept",
    "cookie",
    "user-agent",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-requested-with",
];

fn external_auth(plan: &Plan, auth: &ExternalAuth) -> Option<Value> {
    let server = Server::of(plan, auth)?;
    let backend =
        json!({"group": "", "kind": "Service", "name": server.service, "port": server.port, "weight": 1});
    let mut http = Map::new();
    http.insert("backendRefs".to_owned(), json!([backend]));
    http.insert("pathOverride".to_owned(), server.path.into());
    if !auth.response_headers.is_empty() {
        http.insert("headersToBackend".to_owned(), json!(auth.response_headers));
    }
    Some(json!({"failOpen": false, "headersToExtAuth": SENT_HEADERS, "http": http}))
}

fn traffic(plan: &Plan) -> Option<Map<String, Value>> {
    let mut parts = Map::new();
    let time = |intent| match intent_value(plan, intent) {
        Some(IntentValue::Duration(time)) => duration(*time),
        _ => None,
    };
    let mut timeout = Map::new();
    if let Some(time) = time(Intent::ConnectTimeout) {
        timeout.insert("tcp".to_owned(), json!({"connectTimeout": time}));
    }
    if let Some(time) = time(Intent::IdleTimeout) {
        let mut http = Map::from_iter([("streamIdleTimeout".to_owned(), Value::from(time))]);
        // Without this, Envoy would wait at most 15 seconds for an answer, however busy the connection is.
        if plan.intent_value(Intent::Timeout).is_none() {
            http.insert("requestTimeout".to_owned(), "0s".into());
        }
        timeout.insert("http".to_owned(), http.into());
    }
    if !timeout.is_empty() {
        parts.insert("timeout".to_owned(), timeout.into());
    }
    if let Some(IntentValue::Size(bytes @ 1..)) = intent_value(plan, Intent::MaxBodySize) {
        parts.insert("requestBuffer".to_owned(), json!({"limit": size(*bytes)}));
    }
    if let Some(IntentValue::Sticky(sticky)) = intent_value(plan, Intent::StickySession) {
        parts.insert("loadBalancer".to_owned(), load_balancer(sticky));
    }
    if let Some(IntentValue::Rate(rate)) = intent_value(plan, Intent::RateLimit) {
        parts.insert("rateLimit".to_owned(), rate_limit(*rate));
    }
    (!parts.is_empty()).then_some(parts)
}

/// The longest duration in hours with five digits, in seconds.
const MAX_AGE: u64 = 99_999 * 3600;

/// Returns the load balancer for a cookie. Envoy sets the cookie only if it has a TTL; 0 makes it a session cookie.
fn load_balancer(sticky: &StickySession) -> Value {
    let seconds = sticky.max_age.unwrap_or_default().min(MAX_AGE);
    let ttl = duration(seconds * 1000);
    let cookie = json!({"name": sticky.cookie, "ttl": ttl});
    json!({"type": "ConsistentHash",
        "consistentHash": {"type": "Cookie", "cookie": cookie, "tableSize": 65537}})
}

/// Returns a limit that counts each client address separately.
fn rate_limit(rate: RateLimit) -> Value {
    let unit = match rate.per {
        1 => "Second",
        60 => "Minute",
        _ => "Hour",
    };
    let rules: Vec<Value> = ["0.0.0.0/0", "::/0"]
        .into_iter()
        .map(|network| {
            let source = json!({"invert": false, "type": "Distinct", "value": network});
            json!({"clientSelectors": [{"sourceCIDR": source}], "limit": {"requests": rate.requests, "unit": unit}})
        })
        .collect();
    json!({"local": {"rules": rules}})
}
