//! The changes of the items: objects of earlier runs are replaced or removed, new objects are added, and the others are unchanged.
//!
//! Objects of a Service that is not among the items are kept, and reported. A function often gets only a part of the deployed
//! objects: another layer of kustomize, another package of kpt, or the selection of `--match-kind`. A deleted Service and a Service
//! in another part look the same, and removing an Ingress takes a site down, while a superfluous one can be seen and deleted.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use xposer::Object;
use xposer::emit::{Kind, URL_CONFIG_MAP};
use xposer::plan::Published;
use xposer::service::{MANAGED_BY, MANAGED_BY_LABEL, SERVICE_LABEL};

use super::results::ItemFinding;
use crate::local::is_local;

/// The prefixes of the annotations in which kustomize and kpt store the file of an item.
const BOOKKEEPING: [&str; 3] = ["internal.config.kubernetes.io/", "config.kubernetes.io/", "config.k8s.io/"];

/// A change of the items; items without a change are kept.
pub(super) enum Change {
    Replace(usize, Value),
    Remove(usize),
    Add(Value),
}

/// The identity of an object in a cluster.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Identity<'i> {
    group: &'i str,
    kind: &'i str,
    namespace: &'i str,
    name: &'i str,
}

impl<'i> Identity<'i> {
    fn new(api_version: &'i str, kind: &'i str, namespace: &'i str, name: &'i str) -> Self {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        // Ingresses moved from one API group to the other.
        let group = if kind == "Ingress" && group == "extensions" { "networking.k8s.io" } else { group };
        Self { group, kind, namespace, name }
    }

    fn of_object(object: &'i Object<'_>) -> Self {
        Self::new(
            object.api_version(),
            object.kind().as_str(),
            object.namespace().unwrap_or_default(),
            object.name(),
        )
    }

    fn of_item(item: &'i Value) -> Self {
        let metadata = |key: &str| text(item.get("metadata"), key);
        Self::new(
            text(Some(item), "apiVersion"),
            text(Some(item), "kind"),
            metadata("namespace"),
            metadata("name"),
        )
    }
}

/// Compares the items with the plan; `None` if an object of another owner has the name of a planned one.
pub(super) fn changes(
    items: &[Value],
    known: &ListedServices<'_>,
    objects: &[Object<'_>],
    findings: &mut Vec<ItemFinding>,
) -> Option<Vec<Change>> {
    let mut planned: HashMap<Identity<'_>, &Object<'_>> =
        objects.iter().map(|object| (Identity::of_object(object), object)).collect();
    let mut is_free = true;
    let mut changes = Vec::new();
    let mut placed = HashSet::new();
    for (index, item) in items.iter().enumerate().filter(|(_, item)| !is_local(item)) {
        let identity = Identity::of_item(item);
        let is_ours = is_ours(item);
        match planned.remove(&identity) {
            Some(object) if is_ours => {
                placed.insert(identity);
                let left = known.entries_of_others(item);
                findings.extend(
                    left.iter().map(|(key, _)| ItemFinding::left_entry(item, key, &display(identity))),
                );
                let object = with_entries(object.to_value(), left);
                changes.push(Change::Replace(index, with_bookkeeping(object, item)));
            }
            Some(_) => {
                is_free = false;
                findings.push(ItemFinding::name_taken(item, &display(identity)));
            }
            None if is_ours && (placed.contains(&identity) || known.is_stale(item)) => {
                changes.push(Change::Remove(index));
            }
            None if is_ours => match label(item, SERVICE_LABEL) {
                Some(service) => findings.push(ItemFinding::left(item, &display(identity), service)),
                None => {
                    let left = known.entries_of_others(item);
                    findings.extend(
                        left.iter().map(|(key, _)| ItemFinding::left_entry(item, key, &display(identity))),
                    );
                }
            },
            None => {}
        }
    }
    let new = objects.iter().filter(|object| planned.contains_key(&Identity::of_object(object)));
    changes.extend(new.map(|object| Change::Add(object.to_value())));
    is_free.then_some(changes)
}

/// Applies the changes.
pub(super) fn apply(items: Vec<Value>, changes: Vec<Change>) -> Vec<Value> {
    let mut kept: Vec<Option<Value>> = items.into_iter().map(Some).collect();
    for change in changes {
        let (index, value) = match change {
            Change::Add(value) => {
                kept.push(Some(value));
                continue;
            }
            Change::Replace(index, value) => (index, Some(value)),
            Change::Remove(index) => (index, None),
        };
        if let Some(item) = kept.get_mut(index) {
            *item = value;
        }
    }
    kept.into_iter().flatten().collect()
}

/// The Services of the list, whether they are exposed, local or neither. Their objects are stale if they are not planned.
pub(super) struct ListedServices<'k> {
    services: HashSet<(&'k str, &'k str)>,
    /// The keys of the Services in a URL ConfigMap.
    keys: HashSet<String>,
}

impl<'k> FromIterator<&'k Value> for ListedServices<'k> {
    fn from_iter<I: IntoIterator<Item = &'k Value>>(services: I) -> Self {
        let metadata = |item: &'k Value, key| text(item.get("metadata"), key);
        let services: HashSet<_> =
            services.into_iter().map(|item| (metadata(item, "namespace"), metadata(item, "name"))).collect();
        Self {
            keys: services.iter().map(|(namespace, name)| Published::key_of(name, namespace)).collect(),
            services,
        }
    }
}

impl ListedServices<'_> {
    fn is_stale(&self, item: &Value) -> bool {
        match label(item, SERVICE_LABEL) {
            Some(service) => self.services.contains(&(text(item.get("metadata"), "namespace"), service)),
            None => self.entries_of_others(item).is_empty(),
        }
    }

    /// The entries of a URL ConfigMap that belong to Services which are not among the items; empty for any other object.
    fn entries_of_others<'i>(&self, item: &'i Value) -> Vec<(&'i String, &'i Value)> {
        if label(item, SERVICE_LABEL).is_some() {
            return Vec::new();
        }
        let entries = item.get("data").and_then(Value::as_object).into_iter().flatten();
        entries.filter(|(key, _)| !self.keys.contains(*key)).collect()
    }
}

/// Whether an earlier run added this object.
fn is_ours(item: &Value) -> bool {
    let kind = Kind::from_name(text(Some(item), "kind"))
        .filter(|kind| text(Some(item), "apiVersion") == kind.row().api_version);
    // The URL ConfigMap belongs to no single Service, so it is recognised by its name.
    let is_urls = || kind == Some(Kind::ConfigMap) && text(item.get("metadata"), "name") == URL_CONFIG_MAP;
    kind.is_some()
        && label(item, MANAGED_BY_LABEL) == Some(MANAGED_BY)
        && (label(item, SERVICE_LABEL).is_some() || is_urls())
}

/// Adds the entries of other runs to a URL ConfigMap.
fn with_entries(mut object: Value, entries: Vec<(&String, &Value)>) -> Value {
    if let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) {
        for (key, value) in entries {
            data.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    object
}

/// Copies the annotations of kustomize and kpt from the old object to the new one.
fn with_bookkeeping(mut object: Value, old: &Value) -> Value {
    let kept = old.pointer("/metadata/annotations").and_then(Value::as_object).into_iter().flatten();
    let kept = kept.filter(|(key, _)| BOOKKEEPING.iter().any(|prefix| key.starts_with(prefix)));
    for (key, value) in kept {
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { break };
        let annotations =
            metadata.entry("annotations").or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    object
}

fn label<'i>(item: &'i Value, key: &str) -> Option<&'i str> {
    item.pointer("/metadata/labels")?.get(key)?.as_str()
}

fn text<'i>(object: Option<&'i Value>, key: &str) -> &'i str {
    object.and_then(|object| object.get(key)).and_then(Value::as_str).unwrap_or_default()
}

fn display(identity: Identity<'_>) -> String {
    let Identity { kind, namespace, name, .. } = identity;
    if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") }
}
