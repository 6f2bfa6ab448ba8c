//! The fields of an HTTPRoute for the intents of a plan.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::support::{Rewrite, duration, pattern, prefix, rewrite};
use crate::dialect::envoy_gateway;
use crate::dialect::support::support;
use crate::intents::{Cors, Header, Intent, IntentValue};
use crate::plan::{Plan, Route};
use crate::validation::PathType;
use crate::values::Target;

/// Returns the type and the value of the path match of a route.
pub(crate) fn path<'p>(plan: &'p Plan, route: &'p Route) -> (&'static str, Cow<'p, str>) {
    if let Some(pattern) = pattern(plan, route) {
        return ("RegularExpression", pattern.into());
    }
    match prefix(plan, route) {
        Some(prefix) => ("PathPrefix", prefix.into()),
        None if route.path_type == PathType::Exact => ("Exact", route.path.as_str().into()),
        None => ("PathPrefix", route.path.as_str().into()),
    }
}

/// Returns the value of an intent, if the implementation supports it.
fn intent_value(plan: &Plan, intent: Intent) -> Option<&IntentValue> {
    let is_supported =
        |value: &&IntentValue| support(plan, Target::HttpRoute, intent, Some(value)).is_supported();
    plan.intent_value(intent).filter(is_supported)
}

/// Returns the filters of the rule of a route, in the order of their types.
pub(crate) fn filters(plan: &Plan, route: &Route) -> Vec<Value> {
    let mut filters = Vec::new();
    if let Some(IntentValue::Cors(wanted)) = intent_value(plan, Intent::Cors) {
        filters.push(cors(&wanted.with_defaults()));
    }
    filters.extend(envoy_gateway::write::filter(plan, route));
    if let Some(IntentValue::Headers(headers)) = intent_value(plan, Intent::RequestHeaders) {
        filters.push(json!({"type": "RequestHeaderModifier", "requestHeaderModifier": modifier(headers)}));
    }
    if let Some(IntentValue::Headers(headers)) = intent_value(plan, Intent::ResponseHeaders) {
        filters.push(json!({"type": "ResponseHeaderModifier", "responseHeaderModifier": modifier(headers)}));
    }
    let is_written =
        [Intent::StripPrefix, Intent::RewritePath].iter().any(|it| intent_value(plan, *it).is_some());
    let path = match rewrite(plan, route) {
        Rewrite::Prefix(path) => Some(json!({"type": "ReplacePrefixMatch", "replacePrefixMatch": path})),
        Rewrite::Full(path) => Some(json!({"type": "ReplaceFullPath", "replaceFullPath": path})),
        Rewrite::Keep | Rewrite::Regex(..) | Rewrite::Inexpressible => None,
    };
    if let Some(path) = path.filter(|_| is_written) {
        filters.push(json!({"type": "URLRewrite", "urlRewrite": {"path": path}}));
    }
    filters
}

/// Returns the headers to set and to remove.
fn modifier(headers: &[Header]) -> Value {
    let mut parts = Map::new();
    let remove: Vec<Value> =
        headers.iter().filter(|it| it.value.is_none()).map(|it| it.name.as_str().into()).collect();
    let set: Vec<Value> =
        headers.iter().filter_map(|it| Some(json!({"name": it.name, "value": it.value.as_ref()?}))).collect();
    for (name, list) in [("remove", remove), ("set", set)] {
        if !list.is_empty() {
            parts.insert(name.to_owned(), list.into());
        }
    }
    parts.into()
}

/// Returns the CORS filter. A `*` must be the only item of its list. Without a maximum age, the API server would add five
/// seconds.
fn cors(wanted: &Cors) -> Value {
    let mut parts = Map::new();
    let lists = [
        ("allowOrigins", &wanted.origins),
        ("allowMethods", &wanted.methods),
        ("allowHeaders", &wanted.headers),
        ("exposeHeaders", &wanted.expose_headers),
    ];
    for (name, list) in lists {
        let is_any = name != "exposeHeaders" && list.iter().any(|item| item == "*");
        let list: Vec<Value> =
            if is_any { vec!["*".into()] } else { list.iter().cloned().map(Value::from).collect() };
        if !list.is_empty() {
            parts.insert(name.to_owned(), list.into());
        }
    }
    if wanted.credentials {
        parts.insert("allowCredentials".to_owned(), true.into());
    }
    let age = wanted.max_age.unwrap_or(5).clamp(1, i32::MAX.unsigned_abs().into());
    parts.insert("maxAge".to_owned(), age.into());
    json!({"type": "CORS", "cors": parts})
}

/// Returns the timeout of a request.
pub(crate) fn timeouts(plan: &Plan) -> Option<Value> {
    let Some(IntentValue::Duration(time)) = intent_value(plan, Intent::Timeout) else { return None };
    Some(json!({"request": duration(*time)?}))
}

/// Returns the status code of the redirect to https.
pub(crate) fn redirect_code(plan: &Plan) -> u16 {
    match intent_value(plan, Intent::HttpsRedirectCode) {
        Some(IntentValue::Code(code)) => *code,
        _ => 301,
    }
}
