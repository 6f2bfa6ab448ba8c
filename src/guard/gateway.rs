//! Routes of the Gateway API.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    ClaimedRoute, ControllerOfClass, ObjectHosts, claimed, list_items, metadata_text, non_empty_text,
};
use crate::conflicts::{MAX_ROUTES, RouteBudget};
use crate::diagnostics::FieldPath;
use crate::validation::{PathBudget, PathType};
use crate::values::{GATEWAY, kind_with_listeners};

/// The group of Gateways, and of other objects that have listeners.
pub(super) const GROUP: &str = "gateway.networking.k8s.io";

/// The hosts and paths of an HTTPRoute.
pub(super) fn http<'o>(object: &'o Value, _: ControllerOfClass<'_>) -> ObjectHosts<'o> {
    read(object, &|of, budget| {
        let path = of.get("path").unwrap_or(&Value::Null);
        let value = non_empty_text(path, "value").unwrap_or("/").to_owned();
        let paths = match non_empty_text(path, "type") {
            Some("Exact") => vec![(value, PathType::Exact)],
            Some("RegularExpression") => pattern(&value, budget),
            _ => vec![(value, PathType::Prefix)],
        };
        let is_part = has_any(of, &["headers", "queryParams"]) || non_empty_text(of, "method").is_some();
        Match { paths, wants: part(of, is_part) }
    })
}

/// The hosts and paths of a GRPCRoute. The path of a call is `/service/method`.
pub(super) fn grpc<'o>(object: &'o Value, _: ControllerOfClass<'_>) -> ObjectHosts<'o> {
    read(object, &|of, budget| {
        let method = of.get("method").unwrap_or(&Value::Null);
        let (service, call) = (non_empty_text(method, "service"), non_empty_text(method, "method"));
        // The names of services and methods contain no other characters, and a regular expression of only these characters matches
        // itself.
        let is_name =
            |text: &str| text.chars().all(|sign| sign.is_ascii_alphanumeric() || "._".contains(sign));
        let is_pattern = non_empty_text(method, "type") == Some("RegularExpression")
            && ![service, call].into_iter().flatten().all(is_name);
        let paths = match (service, call) {
            _ if is_pattern => {
                pattern(&format!("/{}/{}", service.unwrap_or(".*"), call.unwrap_or(".*")), budget)
            }
            (Some(service), Some(method)) => vec![(format!("/{service}/{method}"), PathType::Exact)],
            (Some(service), None) => vec![(format!("/{service}"), PathType::Prefix)],
            (None, _) => vec![("/".to_owned(), PathType::Prefix)],
        };
        Match { paths, wants: part(of, has_any(of, &["headers"])) }
    })
}

/// The hosts of a TLSRoute. It routes connections, and so all paths.
pub(super) fn tls<'o>(object: &'o Value, _: ControllerOfClass<'_>) -> ObjectHosts<'o> {
    read(object, &|_, _| Match { paths: vec![("/".to_owned(), PathType::Prefix)], wants: String::new() })
}

/// The paths that a regular expression claims.
fn pattern(path: &str, budget: &mut PathBudget) -> Vec<(String, PathType)> {
    claimed(path, PathType::ImplementationSpecific, true, budget)
}

/// A match of a rule: the paths that it takes on each host.
struct Match {
    paths: Vec<(String, PathType)>,
    /// The match itself as text, if it requires more than the path: certain headers, query parameters or methods; otherwise empty.
    /// If two routes have the same path, such a match has precedence, and the other route gets the remaining requests
    /// (`HTTPRouteMatch`, precedence).
    wants: String,
}

/// Returns a match as text if it covers only some of the requests.
fn part(of: &Value, is_part: bool) -> String {
    if !is_part {
        return String::new();
    }
    let mut of = of.clone();
    // The order of these lists and the letter case of a header have no meaning; of two items with one name, the first counts.
    for (list, ignores_case) in [("headers", true), ("queryParams", false)] {
        let Some(items) = of.get_mut(list).and_then(Value::as_array_mut) else { continue };
        let mut named: BTreeMap<String, Value> = BTreeMap::new();
        for mut item in items.drain(..) {
            let name = non_empty_text(&item, "name").unwrap_or_default();
            let name = if ignores_case { name.to_ascii_lowercase() } else { name.to_owned() };
            if let Some(fields) = item.as_object_mut() {
                fields.insert("name".to_owned(), name.as_str().into());
            }
            named.entry(name).or_insert(item);
        }
        *items = named.into_values().collect();
    }
    serde_json::to_string(&of).unwrap_or_default()
}

/// Whether one of these lists has items.
fn has_any(of: &Value, lists: &[&str]) -> bool {
    lists.iter().any(|list| !list_items(of, list).is_empty())
}

/// Returns the hosts of a route with the path of each match. A route without host names takes the host names of its listeners,
/// which are not known here.
fn read<'o>(object: &'o Value, read_match: &dyn Fn(&Value, &mut PathBudget) -> Match) -> ObjectHosts<'o> {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let own = metadata_text(object, "namespace");
    let rules = list_items(spec, "rules");
    let count = list_items(spec, "hostnames").len();
    let (mut paths, mut budget) = (Vec::<Match>::new(), RouteBudget::of_paths(count));
    let mut read_match = |of: &Value| read_match(of, &mut budget);
    for rule in rules {
        match list_items(rule, "matches") {
            [] => paths.push(read_match(&Value::Null)),
            matches => paths.extend(matches.iter().map(&mut read_match)),
        }
    }
    if rules.is_empty() {
        paths.push(read_match(&Value::Null));
    }
    let place = FieldPath::object(&["spec", "hostnames"]);
    let mut hosts: Vec<(String, FieldPath)> = list_items(spec, "hostnames")
        .iter()
        .enumerate()
        .filter_map(|(at, host)| Some((host.as_str()?.to_ascii_lowercase(), place.clone().index(at))))
        .collect();
    if hosts.is_empty() {
        hosts.push((String::new(), place));
    }
    let all = list_items(spec, "parentRefs");
    let has_defaults = non_empty_text(spec, "useDefaultGateways") == Some("All");
    let takes = has_defaults || all.is_empty() || all.iter().any(has_listeners);
    let named =
        |parent| Some((non_empty_text(parent, "namespace").unwrap_or(own), non_empty_text(parent, "name")?));
    let gateways = all.iter().enumerate().filter_map(|(at, parent)| {
        let (group, kind) = kind_of(parent);
        Some((at, kind_with_listeners(group, kind)?, named(parent)?))
    });
    let (mut taken, mut is_incomplete) = (Vec::new(), false);
    'all: for (host, place) in hosts.iter().filter(|_| takes) {
        for of in &paths {
            for (path, path_type) in &of.paths {
                if taken.len() > 2 * MAX_ROUTES {
                    is_incomplete = true;
                    break 'all;
                }
                taken.push(ClaimedRoute {
                    host: host.clone(),
                    path: path.clone(),
                    path_type: *path_type,
                    place: place.clone(),
                    is_part: !of.wants.is_empty(),
                    match_text: of.wants.clone(),
                });
            }
        }
    }
    ObjectHosts {
        taken,
        gateways: gateways.collect(),
        parents: all,
        has_defaults,
        named: hosts.iter().filter(|_| takes).cloned().collect(),
        is_exceeded: budget.is_exceeded || is_incomplete,
        is_incomplete,
        ..ObjectHosts::default()
    }
}

/// Whether a route has only hosts and matches of its former version. Those beyond the limit are not among the compared routes.
pub(super) fn adds_nothing(old: &Value, new: &Value) -> bool {
    let texts = |route: &Value| -> BTreeSet<String> {
        let spec = route.get("spec").unwrap_or(&Value::Null);
        let matches =
            list_items(spec, "rules").iter().map(|rule| rule.get("matches").unwrap_or(&Value::Null));
        list_items(spec, "hostnames").iter().chain(matches).map(Value::to_string).collect()
    };
    texts(new).is_subset(&texts(old))
}

/// The group and kind of a parent.
fn kind_of(parent: &Value) -> (&str, &str) {
    let group = parent.get("group").and_then(Value::as_str).unwrap_or(GROUP);
    (group, non_empty_text(parent, "kind").unwrap_or(GATEWAY))
}

/// Whether a parent may have listeners: it belongs to no mesh.
fn has_listeners(parent: &Value) -> bool {
    let (group, kind) = kind_of(parent);
    kind_with_listeners(group, kind).is_some()
}

/// Whether each parent of a route in this namespace was among its parents before. A reference without a section or port includes those
/// with one.
pub(super) fn stays_attached(namespace: &str, old: &ObjectHosts<'_>, new: &ObjectHosts<'_>) -> bool {
    let includes = |old: &Value, new: &Value| {
        let fields = [("sectionName", true), ("port", true), ("name", false)];
        let includes = |(field, may_lack): &(&str, bool)| {
            let was = old.get(*field).filter(|it| !it.is_null());
            (*may_lack && was.is_none()) || was == new.get(*field)
        };
        let [was, is] = [old, new].map(|it| non_empty_text(it, "namespace").unwrap_or(namespace));
        kind_of(old) == kind_of(new) && was == is && fields.iter().all(includes)
    };
    let stays = |new: &Value| !has_listeners(new) || old.parents.iter().any(|old| includes(old, new));
    old.has_defaults >= new.has_defaults && new.parents.iter().all(stays)
}
