//! What an object loses when it becomes that of a Service: its protection, and its paths to other Services.

use std::collections::BTreeSet;

use serde_json::Value;
use xposer::internal::{joined, may_protect_less, protects};
use xposer_live::document::Document;
use xposer_live::kinds::Kind;
use xposer_manifest::{Finding, Findings};

/// The items of a list of an object.
pub(crate) fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn texts<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v str> {
    items(value, pointer).filter_map(Value::as_str)
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A path of an object: the host, the path and the Service.
type Path<'v> = (&'v str, &'v str, &'v str);

/// The paths of an object that leads requests to Services.
fn paths(kind: Kind, spec: &Value) -> BTreeSet<Path<'_>> {
    match kind {
        Kind::Ingress => of_ingress(spec),
        Kind::HttpRoute => of_http_route(spec),
        Kind::Route => of_route(spec),
        _ => BTreeSet::new(),
    }
}

fn of_ingress(spec: &Value) -> BTreeSet<Path<'_>> {
    let rules = items(spec, "/rules");
    let paths = rules.flat_map(|rule| items(rule, "/http/paths").map(move |path| (rule, path)));
    let paths = paths.map(|(rule, path)| {
        let service = path.pointer("/backend/service/name").and_then(Value::as_str);
        (word(rule, "host"), word(path, "path"), service.unwrap_or_default())
    });
    paths.collect()
}

fn of_http_route(spec: &Value) -> BTreeSet<Path<'_>> {
    let mut hosts: Vec<&str> = texts(spec, "/hostnames").collect();
    if hosts.is_empty() {
        hosts.push("");
    }
    let mut found = BTreeSet::new();
    for rule in items(spec, "/rules") {
        let matches = items(rule, "/matches");
        let mut paths: BTreeSet<&str> =
            matches.map(|it| it.pointer("/path/value").and_then(Value::as_str).unwrap_or("/")).collect();
        if paths.is_empty() {
            paths.insert("/");
        }
        for service in items(rule, "/backendRefs").map(|backend| word(backend, "name")) {
            let of_host = |host| paths.iter().map(move |path| (host, *path, service));
            found.extend(hosts.iter().copied().flat_map(of_host));
        }
    }
    found
}

fn of_route(spec: &Value) -> BTreeSet<Path<'_>> {
    let path = Some(word(spec, "path")).filter(|path| !path.is_empty()).unwrap_or("/");
    let backends = spec.get("to").into_iter().chain(items(spec, "/alternateBackends"));
    backends.map(|backend| (word(spec, "host"), path, word(backend, "name"))).collect()
}

/// The paths to other Services that would be removed.
pub(super) fn lost_paths(kind: Kind, document: &Document, body: &Value, service: &str) -> Findings {
    let kept = paths(kind, desired_spec(body));
    let others = paths(kind, &document.spec).into_iter().filter(|it| it.2 != service && !kept.contains(it));
    let finding = |(host, path, other): Path<'_>| {
        let other = if other.is_empty() { "another backend".to_owned() } else { format!("Service {other}") };
        Finding::warning(format!("{host}{path} now leads to {other}, and would no longer do so"))
            .help("expose that Service first, so that it has an object of its own for this path")
    };
    others.map(finding).collect()
}

fn desired_spec(body: &Value) -> &Value {
    body.get("spec").unwrap_or(&Value::Null)
}

/// The protection of an object that the object of the Service would not have, or would have in a weaker form, each as a clause.
pub(super) fn lost_protections(kind: Kind, document: &Document, body: &Value) -> Vec<String> {
    let (old, new) = (&document.spec, desired_spec(body));
    let mut lost = lost_annotations(document, body);
    match kind {
        Kind::Ingress | Kind::ListenerSet => lost.extend(lost_tls(kind, old, new)),
        Kind::Route => lost.extend(weaker_termination(old, new)),
        Kind::HttpRoute => {
            let namespace = document.metadata.namespace.as_deref().unwrap_or_default();
            lost.extend(further_listeners(namespace, old, new));
            lost.extend(lost_filters(old, new));
        }
        Kind::Middleware | Kind::SecurityPolicy => {
            let all = old.as_object().into_iter().flatten().map(|(field, _)| field.as_str());
            lost.extend(lost_fields(all.filter(|field| !field.starts_with("targetRef")), old, new));
        }
        Kind::BackendTrafficPolicy => lost.extend(lost_fields(["rateLimit"].into_iter(), old, new)),
        Kind::EndpointMonitor | Kind::HttpRouteFilter | Kind::ConfigMap => {}
    }
    lost
}

/// The clause that the object of the Service would not have something.
fn lacks(what: &str) -> String {
    format!("has {what}, which the object of the Service would lose")
}

/// The annotations that protect, and that the object of the Service does not have, or has with a value that may protect less.
fn lost_annotations(document: &Document, body: &Value) -> Vec<String> {
    /// The name of a key without its prefix, which may differ between controllers.
    fn name(key: &str) -> String {
        key.split_once('/').map_or(key, |(_, name)| name).replace("whitelist", "allowlist")
    }
    let desired = body.pointer("/metadata/annotations").and_then(Value::as_object);
    let desired = desired.into_iter().flatten().filter_map(|(key, value)| Some((key, value.as_str()?)));
    let kept: Vec<(&String, &str)> = desired.filter(|(key, value)| protects(key, value)).collect();
    let lost = |(key, value): (&String, &String)| {
        let of_key = kept.iter().find(|(other, _)| *other == key);
        match of_key.or_else(|| kept.iter().find(|(other, _)| name(other) == name(key))) {
            None => Some(lacks(&format!("the annotation {key}, which protects it"))),
            Some((_, new)) if may_protect_less(key, value, new) => Some(format!(
                "has the annotation {key} with the value {value:?}, and the object of the Service would have {new:?}, which may protect less"
            )),
            Some(_) => None,
        }
    };
    let own = document.metadata.annotations.iter().flatten();
    own.filter(|(key, value)| protects(key, value)).filter_map(lost).collect()
}

/// The hosts with TLS of an Ingress or a ListenerSet. An entry of an Ingress without hosts applies to the hosts of the rules.
fn secured<'v>(kind: Kind, spec: &'v Value, hosts: &BTreeSet<&'v str>) -> BTreeSet<&'v str> {
    if kind == Kind::ListenerSet {
        let listeners = items(spec, "/listeners").filter(|it| it.get("tls").is_some());
        return listeners.map(|listener| word(listener, "hostname")).collect();
    }
    let of_entry = |entry: &'v Value| {
        let named: Vec<&str> = texts(entry, "/hosts").collect();
        if named.is_empty() { hosts.iter().copied().collect() } else { named }
    };
    items(spec, "/tls").flat_map(of_entry).collect()
}

/// The hosts that would lose TLS.
fn lost_tls(kind: Kind, old: &Value, new: &Value) -> Option<String> {
    let hosts_of =
        |spec| -> BTreeSet<&str> { paths(kind, spec).into_iter().map(|(host, ..)| host).collect() };
    let routed = hosts_of(new);
    let (had, kept) = (secured(kind, old, &hosts_of(old)), secured(kind, new, &routed));
    // If no host has TLS any more, other names of the secrets do not matter.
    let is_lost = |host: &&&str| kept.is_empty() || (!kept.contains(**host) && routed.contains(**host));
    let plain: Vec<&str> = had.iter().filter(is_lost).copied().collect();
    (!plain.is_empty()).then(|| lacks(&format!("TLS for {}", joined(&plain, " and "))))
}

/// What the TLS section of a Route secures, and that of the Service's Route does not.
fn weaker_termination(old: &Value, new: &Value) -> Vec<String> {
    let Some(was) = old.get("tls").filter(|tls| tls.is_object()) else { return Vec::new() };
    let Some(is) = new.get("tls").filter(|tls| tls.is_object()) else {
        return vec![lacks(&format!("TLS for {}", word(old, "host")))];
    };
    let mut lost = Vec::new();
    let (before, after) = (word(was, "termination"), word(is, "termination"));
    let is_weaker =
        matches!((before, after), ("passthrough", "edge" | "reencrypt" | "") | ("reencrypt", "edge" | ""));
    if is_weaker {
        lost.push(lacks(&format!("the termination {before}, which secures the connection to the Service")));
    }
    // Without a policy, the router answers no requests without TLS.
    let policy = |tls| word(tls, "insecureEdgeTerminationPolicy");
    if policy(is) == "Allow" && policy(was) != "Allow" {
        lost.push(
            "answers no requests without TLS, and the object of the Service would answer them".to_owned(),
        );
    }
    lost
}

/// The Gateways of which an HTTPRoute names listeners, and of which the Service's HTTPRoute would have further ones, which may be
/// without TLS.
fn further_listeners(namespace: &str, old: &Value, new: &Value) -> Vec<String> {
    let parents = |spec| items(spec, "/parentRefs");
    let of = |parent: &Value| {
        let kind = Some(word(parent, "kind")).filter(|kind| !kind.is_empty()).unwrap_or("Gateway");
        let place = Some(word(parent, "namespace")).filter(|place| !place.is_empty()).unwrap_or(namespace);
        format!("{kind} {place}/{}", word(parent, "name"))
    };
    let contains = |outer: &Value, inner: &Value| {
        let is_same = |field: &str| outer.get(field).is_none() || outer.get(field) == inner.get(field);
        of(outer) == of(inner) && is_same("sectionName") && is_same("port")
    };
    let is_new = |parent: &&Value| {
        parents(old).any(|it| of(it) == of(parent)) && !parents(old).any(|it| contains(it, parent))
    };
    let gateways: BTreeSet<String> = parents(new).filter(is_new).map(of).collect();
    let message = |gateway| {
        format!(
            "is attached only to some listeners of {gateway}, and the object of the Service would have others"
        )
    };
    gateways.into_iter().map(message).collect()
}

/// The filters of other programs, each of which may restrict access.
fn lost_filters(old: &Value, new: &Value) -> Vec<String> {
    let of = |spec| -> BTreeSet<(&str, &str)> {
        let filters = items(spec, "/rules").flat_map(|rule| items(rule, "/filters"));
        let references = filters.filter_map(|filter| filter.get("extensionRef"));
        references.map(|it| (word(it, "kind"), word(it, "name"))).collect()
    };
    let kept = of(new);
    let lost = of(old).into_iter().filter(|it| !kept.contains(it));
    lost.map(|(kind, name)| lacks(&format!("the filter {kind} {name}"))).collect()
}

/// The fields of a policy that are missing, or differ.
fn lost_fields<'f>(fields: impl Iterator<Item = &'f str>, old: &Value, new: &Value) -> Vec<String> {
    let differing = fields.filter(|field| old.get(*field).is_some() && old.get(*field) != new.get(*field));
    let message = |field: &str| match new.get(field) {
        None => lacks(&format!("the field spec.{field}")),
        Some(_) => format!("has another value in spec.{field} than the object of the Service"),
    };
    differing.map(message).collect()
}

#[cfg(test)]
mod tests;
