//! `networking.k8s.io/v1` Ingress.

use serde_json::{Map, Value};

use super::{labels, object, text};
use crate::plan::{Plan, RoutePlan};
use crate::value::PortRef;

/// The Ingress of a plan: one rule a host, in the order in which the hosts were given, and no `defaultBackend`, which
/// controllers started with `--disable-catch-all` refuse.
pub(crate) fn object_of(plan: &Plan) -> Value {
    let ingress = &plan.ingress;
    let annotations: Map<String, Value> =
        ingress.annotations.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect();
    let metadata = object([
        ("name", text(ingress.name.as_str())),
        ("namespace", plan.namespace.as_deref().and_then(text)),
        ("labels", labels(Some(&plan.service))),
        ("annotations", (!annotations.is_empty()).then_some(Value::Object(annotations))),
    ]);
    let hosts = hosts(&ingress.rules);
    let backend = backend(plan);
    let rules = hosts.iter().map(|host| rule(host, &ingress.rules, &backend)).collect();
    let tls = ingress.secret.as_ref().map(|secret| {
        let hosts = hosts.iter().map(|host| Value::String((*host).to_owned())).collect();
        Value::Array(vec![object([
            ("hosts", Some(Value::Array(hosts))),
            ("secretName", text(secret.as_str())),
        ])])
    });
    let spec = object([
        ("ingressClassName", ingress.class.as_ref().and_then(|class| text(class.as_str()))),
        ("rules", Some(Value::Array(rules))),
        ("tls", tls),
    ]);
    object([
        ("apiVersion", text("networking.k8s.io/v1")),
        ("kind", text("Ingress")),
        ("metadata", Some(metadata)),
        ("spec", Some(spec)),
    ])
}

/// Every host once, in order.
fn hosts(rules: &[RoutePlan]) -> Vec<&str> {
    let mut hosts: Vec<&str> = Vec::with_capacity(rules.len());
    let mut seen = std::collections::HashSet::new();
    for rule in rules {
        if rules.len() == 1 || seen.insert(rule.host.as_str()) {
            hosts.push(rule.host.as_str());
        }
    }
    hosts
}

fn rule(host: &str, rules: &[RoutePlan], backend: &Value) -> Value {
    let paths = rules
        .iter()
        .filter(|rule| rule.host.as_str() == host)
        .map(|rule| {
            object([
                ("backend", Some(backend.clone())),
                ("path", text(rule.path.as_str())),
                ("pathType", text(rule.path_type.as_str())),
            ])
        })
        .collect();
    object([("host", text(host)), ("http", Some(object([("paths", Some(Value::Array(paths)))])))])
}

fn backend(plan: &Plan) -> Value {
    let port = match &plan.ingress.port {
        PortRef::Number(number) => object([("number", Some((*number).into()))]),
        PortRef::Name(name) => object([("name", text(name))]),
    };
    object([("service", Some(object([("name", text(&plan.service)), ("port", Some(port))])))])
}
