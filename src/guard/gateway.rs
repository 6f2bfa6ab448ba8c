//! Routes of the Gateway API.

use serde_json::Value;

use super::{Found, Taken, claimed, items, of_metadata, word};
use crate::conflicts::MAX_ROUTES;
use crate::diagnostics::FieldPath;
use crate::validation::PathType;

/// The group of Gateways, and of other objects that have listeners.
pub(super) const GROUP: &str = "gateway.networking.k8s.io";

/// The hosts and paths of an HTTPRoute.
pub(super) fn http(object: &Value) -> Found<'_> {
    read(object, &|of| {
        let path = of.get("path").unwrap_or(&Value::Null);
        let value = word(path, "value").unwrap_or("/").to_owned();
        let (path, path_type) = match word(path, "type") {
            Some("Exact") => (value, PathType::Exact),
            Some("RegularExpression") => claimed(&value, PathType::ImplementationSpecific),
            _ => (value, PathType::Prefix),
        };
        let is_part = has_any(of, &["headers", "queryParams"]) || word(of, "method").is_some();
        Match { path, path_type, wants: part(of, is_part) }
    })
}

/// The hosts and paths of a GRPCRoute. The path of a call is `/service/method`.
pub(super) fn grpc(object: &Value) -> Found<'_> {
    read(object, &|of| {
        let method = of.get("method").unwrap_or(&Value::Null);
        let (service, call) = (word(method, "service"), word(method, "method"));
        // The names of services and methods contain no other characters, and a regular expression of only these characters matches
        // itself.
        let is_name =
            |text: &str| text.chars().all(|sign| sign.is_ascii_alphanumeric() || "._".contains(sign));
        let is_pattern = word(method, "type") == Some("RegularExpression")
            && ![service, call].into_iter().flatten().all(is_name);
        let (path, path_type) = match (service, call) {
            _ if is_pattern => {
                let path = format!("/{}/{}", service.unwrap_or(".*"), call.unwrap_or(".*"));
                claimed(&path, PathType::ImplementationSpecific)
            }
            (Some(service), Some(method)) => (format!("/{service}/{method}"), PathType::Exact),
            (Some(service), None) => (format!("/{service}"), PathType::Prefix),
            (None, _) => ("/".to_owned(), PathType::Prefix),
        };
        let is_part = has_any(of, &["headers"]);
        Match { path, path_type, wants: part(of, is_part) }
    })
}

/// The hosts of a TLSRoute. It routes connections, and so all paths.
pub(super) fn tls(object: &Value) -> Found<'_> {
    read(object, &|_| Match { path: "/".to_owned(), path_type: PathType::Prefix, wants: String::new() })
}

/// A match of a rule: the paths that it takes on each host.
struct Match {
    path: String,
    path_type: PathType,
    /// The match itself as text, if it requires more than the path: certain headers, query parameters or methods; otherwise empty.
    /// If two routes have the same path, such a match has precedence, and the other route gets the remaining requests
    /// (`HTTPRouteMatch`, precedence).
    wants: String,
}

/// Returns a match as text if it covers only some of the requests.
fn part(of: &Value, is_part: bool) -> String {
    if is_part { serde_json::to_string(of).unwrap_or_default() } else { String::new() }
}

/// Whether one of these lists has items.
fn has_any(of: &Value, lists: &[&str]) -> bool {
    lists.iter().any(|list| !items(of, list).is_empty())
}

/// Returns the hosts of a route with the path of each match. A route without host names takes the host names of its listeners,
/// which are not known here.
fn read<'o>(object: &'o Value, read_match: &dyn Fn(&Value) -> Match) -> Found<'o> {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let own = of_metadata(object, "namespace");
    let rules = items(spec, "rules");
    let mut paths: Vec<Match> = Vec::new();
    for rule in rules {
        match items(rule, "matches") {
            [] => paths.push(read_match(&Value::Null)),
            matches => paths.extend(matches.iter().map(read_match)),
        }
    }
    if rules.is_empty() {
        paths.push(read_match(&Value::Null));
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
        paths.iter().map(move |of| Taken {
            host: host.clone(),
            path: of.path.clone(),
            path_type: of.path_type,
            place: place.clone(),
            is_part: !of.wants.is_empty(),
            wants: of.wants.clone(),
        })
    });
    let group = |parent: &Value| parent.get("group").and_then(Value::as_str).unwrap_or(GROUP).to_owned();
    let is_gateway =
        |parent: &Value| group(parent) == GROUP && word(parent, "kind").is_none_or(|kind| kind == "Gateway");
    let parents = items(spec, "parentRefs");
    // In a service mesh, a route is attached to Services and takes the hosts of these Services.
    let takes = parents.is_empty() || parents.iter().any(|parent| group(parent) == GROUP);
    let named = |parent| Some((word(parent, "namespace").unwrap_or(own), word(parent, "name")?));
    let gateways = parents.iter().enumerate().filter(|(_, parent)| is_gateway(parent));
    Found {
        taken: taken.filter(|_| takes).take(MAX_ROUTES + 1).collect(),
        gateways: gateways.filter_map(|(at, parent)| Some((at, named(parent)?))).collect(),
        named: hosts.iter().filter(|_| takes).cloned().collect(),
        ..Found::default()
    }
}
