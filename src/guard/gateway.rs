//! Routes of the Gateway API.

use serde_json::Value;

use super::{Found, MAX_TAKEN, Taken, items, literal, of_metadata, word};
use crate::diagnostics::FieldPath;
use crate::validation::PathType;

/// The group of Gateways, and of other objects that have listeners.
pub(super) const GROUP: &str = "gateway.networking.k8s.io";

/// What an HTTPRoute takes.
pub(super) fn http(object: &Value) -> Found<'_> {
    read(object, &|of| {
        let path = of.get("path").unwrap_or(&Value::Null);
        let value = word(path, "value").unwrap_or("/").to_owned();
        match word(path, "type") {
            Some("Exact") => (value, PathType::Exact),
            Some("RegularExpression") => (literal(&value), PathType::ImplementationSpecific),
            _ => (value, PathType::Prefix),
        }
    })
}

/// What a GRPCRoute takes: the path of a call is `/service/method`.
pub(super) fn grpc(object: &Value) -> Found<'_> {
    read(object, &|of| {
        let method = of.get("method").unwrap_or(&Value::Null);
        match (word(method, "service"), word(method, "method")) {
            (Some(service), Some(method)) => (format!("/{service}/{method}"), PathType::Exact),
            (Some(service), None) => (format!("/{service}"), PathType::Prefix),
            (None, _) => ("/".to_owned(), PathType::Prefix),
        }
    })
}

/// What a TLSRoute takes: connections, and so all paths.
pub(super) fn tls(object: &Value) -> Found<'_> {
    read(object, &|_| ("/".to_owned(), PathType::Prefix))
}

/// The hosts of a route with the path of each match. Without host names, a route takes those of its listeners, whichever they are.
fn read<'o>(object: &'o Value, path: &dyn Fn(&Value) -> (String, PathType)) -> Found<'o> {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let own = of_metadata(object, "namespace");
    let rules = items(spec, "rules");
    let mut paths: Vec<(String, PathType)> = Vec::new();
    for rule in rules {
        match items(rule, "matches") {
            [] => paths.push(path(&Value::Null)),
            matches => paths.extend(matches.iter().map(path)),
        }
    }
    if rules.is_empty() {
        paths.push(path(&Value::Null));
    }
    let place = FieldPath::object(&["spec", "hostnames"]);
    let mut hosts: Vec<(String, FieldPath)> = items(spec, "hostnames")
        .iter()
        .enumerate()
        .filter_map(|(at, host)| Some((host.as_str()?.to_ascii_lowercase(), place.clone().index(at))))
        .collect();
    if hosts.is_empty() {
        hosts.push((String::new(), place));
    }
    let taken = hosts.iter().flat_map(|(host, place)| {
        paths.iter().map(move |(path, path_type)| Taken {
            host: host.clone(),
            path: path.clone(),
            path_type: *path_type,
            place: place.clone(),
        })
    });
    let group = |parent: &Value| parent.get("group").and_then(Value::as_str).unwrap_or(GROUP).to_owned();
    let is_gateway =
        |parent: &Value| group(parent) == GROUP && word(parent, "kind").is_none_or(|kind| kind == "Gateway");
    let parents = items(spec, "parentRefs");
    // In a mesh, a route is attached to Services, and its hosts are theirs.
    let takes = parents.is_empty() || parents.iter().any(|parent| group(parent) == GROUP);
    let named = |parent| Some((word(parent, "namespace").unwrap_or(own), word(parent, "name")?));
    let gateways = parents.iter().enumerate().filter(|(_, parent)| is_gateway(parent));
    Found {
        taken: taken.filter(|_| takes).take(MAX_TAKEN).collect(),
        gateways: gateways.filter_map(|(at, parent)| Some((at, named(parent)?))).collect(),
        named: hosts.iter().filter(|_| takes).cloned().collect(),
        ..Found::default()
    }
}
