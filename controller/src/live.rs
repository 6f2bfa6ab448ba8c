//! What is kept of an object in the cluster: whose it is, and whether it is as it was asked for.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta, OwnerReference};
use serde::Serialize;
use serde_json::{Value, json};
use xposer::{MANAGED_BY, MANAGED_BY_LABEL, SERVICE_LABEL};

use crate::document::Document;
use crate::handover;
use crate::kinds::Kind;
use crate::service::ServiceKey;

/// The name under which we write, in `metadata.managedFields`.
pub(crate) const FIELD_MANAGER: &str = "xposer";
/// On an object of somebody else: the Service that may take it over.
pub(crate) const ADOPT_ANNOTATION: &str = "xposer.stakater.com/adopt";

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectKey {
    pub(crate) kind: Kind,
    pub(crate) namespace: Box<str>,
    pub(crate) name: Box<str>,
}

impl ObjectKey {
    pub(crate) fn of(kind: Kind, metadata: &ObjectMeta) -> Self {
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
        Self { kind, namespace: text(&metadata.namespace), name: text(&metadata.name) }
    }
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

/// An object that carries at least one of our marks.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) uid: Box<str>,
    pub(crate) version: Box<str>,
    /// The Service it says it was made for, in its label or else in its owner reference.
    pub(crate) service: Arc<ServiceKey>,
    /// Mark 1: our labels.
    pub(crate) labelled: bool,
    /// Mark 2, where it is the UID of the Service: the owner.
    pub(crate) owner: Option<Box<str>>,
    /// Mark 3: we have applied it.
    pub(crate) managed: bool,
    /// Whether somebody else has a say in a field of ours, so that it would stay where we do not want it any more.
    pub(crate) contested: bool,
    /// Whether something other than a Service controls it.
    pub(crate) controlled: bool,
    /// The Service that may take it over.
    pub(crate) adopt: Option<Box<str>>,
    /// Whether it is being deleted.
    pub(crate) terminating: bool,
    /// The hash of what was asked for, if it is that; 0 if it is not.
    pub(crate) synced: u64,
    /// The hash of what it was when it was that.
    pub(crate) content: u64,
    /// By how many it is served, as far as its status says.
    pub(crate) served: u8,
    /// Whether it waits for an older one of its host and path to go.
    pub(crate) is_behind: bool,
    /// Hashes of its hosts, sorted.
    pub(crate) hosts: Box<[u64]>,
}

/// Whose an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Ours,
    /// Of somebody who lets this Service have it.
    Offered,
    Foreign,
}

impl Live {
    /// What is kept of an object; nothing where it has none of our marks.
    pub(crate) fn new(document: &Document) -> Option<Self> {
        let metadata = &document.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let label = |key: &str| metadata.labels.as_ref().and_then(|labels| labels.get(key));
        let labelled = label(MANAGED_BY_LABEL).is_some_and(|by| by == MANAGED_BY);
        let owners = metadata.owner_references.as_deref().unwrap_or_default();
        let owner = owners.iter().find(|owner| is_service(owner));
        let adopt = metadata.annotations.as_ref().and_then(|annotations| annotations.get(ADOPT_ANNOTATION));
        let managed = our_fields(metadata).is_some();
        if !labelled && !managed && owner.is_none() && adopt.is_none() {
            return None;
        }
        let service = label(SERVICE_LABEL).or(owner.map(|owner| &owner.name)).or(adopt);
        Some(Self {
            uid: metadata.uid.as_deref().unwrap_or_default().into(),
            version: metadata.resource_version.as_deref().unwrap_or_default().into(),
            service: ServiceKey::new(namespace, service.map_or("", String::as_str)),
            labelled: labelled && label(SERVICE_LABEL).is_some(),
            owner: owner.map(|owner| owner.uid.as_str().into()),
            managed,
            contested: managed
                && uncontesting(metadata).len() < metadata.managed_fields.iter().flatten().count(),
            controlled: owners.iter().any(|it| it.controller == Some(true) && !is_service(it)),
            adopt: adopt.map(|name| name.as_str().into()),
            terminating: metadata.deletion_timestamp.is_some(),
            synced: 0,
            content: content(document),
            served: handover::served(document),
            is_behind: handover::is_behind(document),
            hosts: handover::hosts(&document.spec),
        })
    }

    /// Whose it is, for the Service with this key and UID. Two of the three marks make it ours, so that it is mended
    /// where somebody took one away.
    pub(crate) fn whose(&self, service: &ServiceKey, uid: &str) -> Whose {
        let owned = self.owner.as_deref() == Some(uid);
        let labelled = self.labelled && *self.service == *service;
        if [owned, labelled, self.managed].into_iter().filter(|mark| *mark).count() >= 2 {
            Whose::Ours
        } else if self.adopt.as_deref() == Some(&*service.name) && !self.controlled {
            Whose::Offered
        } else {
            Whose::Foreign
        }
    }

    /// Whether it may be deleted where its Service does not want it: it has all three marks. A copy that somebody made of
    /// ours has the first two.
    pub(crate) fn is_deletable(&self) -> bool {
        self.labelled && self.owner.is_some() && self.managed && !self.controlled && !self.terminating
    }
}

fn is_service(owner: &OwnerReference) -> bool {
    owner.kind == "Service" && owner.api_version == "v1"
}

/// The reference by which Kubernetes deletes an object with its Service.
pub(crate) fn owner_reference(service: &ServiceKey, uid: &str) -> Value {
    json!({"apiVersion": "v1", "controller": true, "kind": "Service", "name": *service.name, "uid": uid})
}

/// Whether it says what we have applied.
fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref() == Some(FIELD_MANAGER)
        && entry.operation.as_deref() == Some("Apply")
        && entry.subresource.is_none()
}

/// The fields that we have applied, if any.
pub(crate) fn our_fields(metadata: &ObjectMeta) -> Option<&Value> {
    let entries = metadata.managed_fields.as_deref().unwrap_or_default();
    let ours = entries.iter().find(|entry| is_ours(entry))?;
    ours.fields_v1.as_ref().map(|fields| &fields.0)
}

/// The entries of `managedFields` without those of others that have a field of ours.
pub(crate) fn uncontesting(metadata: &ObjectMeta) -> Vec<&ManagedFieldsEntry> {
    let ours = our_fields(metadata);
    let contests = |entry: &&ManagedFieldsEntry| {
        entry.subresource.is_none()
            && !is_ours(entry)
            && entry.fields_v1.as_ref().zip(ours).is_some_and(|(theirs, ours)| overlap(&theirs.0, ours))
    };
    metadata.managed_fields.iter().flatten().filter(|entry| !contests(entry)).collect()
}

/// Whether two sets of fields have one in common.
fn overlap(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return false };
    // A field without inner ones is had as a whole.
    if one.is_empty() || other.is_empty() {
        return true;
    }
    one.iter().any(|(name, inner)| name != "." && other.get(name).is_some_and(|known| overlap(inner, known)))
}

/// Whether others than we have a say in the content of an object; the status is not content.
pub(crate) fn has_other_managers(metadata: &ObjectMeta) -> bool {
    let entries = metadata.managed_fields.as_deref().unwrap_or_default();
    entries.iter().any(|entry| {
        let content = ["f:spec", "f:data"];
        let has =
            |field: &&str| entry.fields_v1.as_ref().is_some_and(|fields| fields.0.get(*field).is_some());
        entry.manager.as_deref() != Some(FIELD_MANAGER)
            && entry.subresource.is_none()
            && content.iter().any(has)
    })
}

/// Whether an object is as it was asked for: every field asked for has its value, and no field that we applied earlier
/// is left of an earlier wish. What others added stays, and what the API server filled in is no difference.
pub(crate) fn is_as_wanted(document: &Document, wanted: &Value) -> bool {
    // Texts, numbers and mappings with text keys always have a JSON form.
    let live = serde_json::to_value(document).unwrap_or_default();
    let fields = our_fields(&document.metadata);
    fields.is_some_and(|fields| covers(&live, wanted) && is_wanted(fields, wanted))
}

fn covers(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| match key.as_str() {
                // The API server says these on its own account.
                "apiVersion" | "kind" if !live.contains_key(key) => true,
                "ownerReferences" => has_owner(live.get(key), wanted),
                _ => live.get(key).is_some_and(|live| covers(live, wanted)),
            })
        }
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| covers(live, wanted))
        }
        _ => live == wanted,
    }
}

/// Owner references are a set: others may add theirs.
fn has_owner(live: Option<&Value>, wanted: &Value) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let live = live.map(list).unwrap_or_default();
    list(wanted).iter().all(|wanted| live.iter().any(|live| covers(live, wanted)))
}

/// Whether all fields that we applied are still wanted.
fn is_wanted(fields: &Value, wanted: &Value) -> bool {
    fields.as_object().into_iter().flatten().all(|(name, inner)| match name.strip_prefix("f:") {
        Some(name) => wanted.get(name).is_some_and(|wanted| is_wanted(inner, wanted)),
        // `.` is the field itself; `k:` and `v:` are items of lists, which `covers` compares.
        None => true,
    })
}

/// The hash of all that matters of an object: not its version, nor its status.
fn content(document: &Document) -> u64 {
    let metadata = &document.metadata;
    let owners = metadata.owner_references.as_ref();
    let owners: Vec<_> = owners.into_iter().flatten().map(|owner| (&owner.uid, &owner.name)).collect();
    hash(&(
        &metadata.labels,
        &metadata.annotations,
        owners,
        our_fields(metadata),
        &document.spec,
        &document.data,
    ))
}

/// The hash of a value.
pub(crate) fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The hash of a value's JSON text; never 0.
pub(crate) fn hash(value: &impl Serialize) -> u64 {
    struct Text(DefaultHasher);
    impl io::Write for Text {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut text = Text(DefaultHasher::new());
    // A hasher takes every byte.
    let _ = serde_json::to_writer(&mut text, value);
    text.0.finish().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(value: Value) -> Document {
        serde_json::from_value(value).unwrap()
    }

    fn ours() -> Value {
        json!({
            "metadata": {
                "name": "web", "namespace": "shop", "uid": "i", "resourceVersion": "7",
                "labels": {MANAGED_BY_LABEL: MANAGED_BY, SERVICE_LABEL: "web"},
                "annotations": {"theirs": "1", "a": "b"},
                "ownerReferences": [owner_reference(&ServiceKey::new("shop", "web"), "u")],
                "managedFields": [{"manager": "xposer", "operation": "Apply", "apiVersion": "networking.k8s.io/v1",
                    "fieldsType": "FieldsV1", "fieldsV1": {
                        "f:metadata": {"f:labels": {"f:app.kubernetes.io/managed-by": {}}, "f:annotations": {"f:a": {}}},
                        "f:spec": {"f:rules": {}}}}],
            },
            "spec": {"rules": [{"host": "a", "weight": 1}]},
            "status": {"loadBalancer": {}},
        })
    }

    fn wanted() -> Value {
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {
                "name": "web", "labels": {MANAGED_BY_LABEL: MANAGED_BY, SERVICE_LABEL: "web"}, "annotations": {"a": "b"},
                "ownerReferences": [owner_reference(&ServiceKey::new("shop", "web"), "u")],
            },
            "spec": {"rules": [{"host": "a"}]},
        })
    }

    #[test]
    fn defaults_and_annotations_of_others_are_no_difference() {
        assert!(is_as_wanted(&document(ours()), &wanted()));
    }

    #[test]
    fn a_changed_value_is_a_difference() {
        let mut live = ours();
        live["spec"]["rules"][0]["host"] = "b".into();
        assert!(!is_as_wanted(&document(live), &wanted()));
    }

    #[test]
    fn what_is_no_longer_wanted_is_a_difference() {
        let mut fewer = wanted();
        fewer["metadata"]["annotations"] = json!({});
        assert!(!is_as_wanted(&document(ours()), &fewer));
    }

    #[test]
    fn an_item_more_is_a_difference() {
        let mut live = ours();
        live["spec"]["rules"].as_array_mut().unwrap().push(json!({"host": "b"}));
        assert!(!is_as_wanted(&document(live), &wanted()));
    }

    #[test]
    fn two_of_three_marks_make_it_ours() {
        let (web, api) = (ServiceKey::new("shop", "web"), ServiceKey::new("shop", "api"));
        let whose = |value: Value, uid: &str| Live::new(&document(value)).unwrap().whose(&web, uid);
        assert_eq!(whose(ours(), "u"), Whose::Ours);
        // A Service that was made anew takes over what the old one left.
        assert_eq!(whose(ours(), "other"), Whose::Ours);
        for mark in ["labels", "ownerReferences", "managedFields"] {
            let mut one_less = ours();
            one_less["metadata"].as_object_mut().unwrap().remove(mark);
            assert_eq!(whose(one_less, "u"), Whose::Ours, "without {mark}");
        }
        let mut labels_only = ours();
        labels_only["metadata"]
            .as_object_mut()
            .unwrap()
            .retain(|key, _| !key.ends_with("s") || key == "labels");
        assert_eq!(whose(labels_only, "u"), Whose::Foreign);
        assert_eq!(Live::new(&document(ours())).unwrap().whose(&api, "v"), Whose::Foreign);
    }

    #[test]
    fn an_offer_names_the_service() {
        let mut offered = json!({"metadata": {"name": "web", "namespace": "shop", "annotations": {ADOPT_ANNOTATION: "web"}}});
        let whose = |value: &Value, name: &str| {
            Live::new(&document(value.clone())).unwrap().whose(&ServiceKey::new("shop", name), "u")
        };
        assert_eq!(whose(&offered, "web"), Whose::Offered);
        assert_eq!(whose(&offered, "api"), Whose::Foreign);
        offered["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "d", "controller": true}]);
        assert_eq!(whose(&offered, "web"), Whose::Foreign);
    }

    #[test]
    fn a_field_that_somebody_else_has_too_is_contested() {
        let theirs = |manager: &str, subresource: Option<&str>, fields: Value| {
            let mut live = ours();
            let entry = json!({"manager": manager, "operation": "Update", "apiVersion": "networking.k8s.io/v1",
                "fieldsType": "FieldsV1", "subresource": subresource, "fieldsV1": fields});
            live["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
            let live = document(live);
            assert_eq!(uncontesting(&live.metadata).len() == 1, Live::new(&live).unwrap().contested);
            Live::new(&live).unwrap().contested
        };
        assert!(theirs("before-first-apply", None, json!({"f:spec": {"f:rules": {}, "f:tls": {}}})));
        assert!(theirs("kubectl", None, json!({"f:spec": {}})));
        assert!(!theirs(
            "kubectl",
            None,
            json!({"f:metadata": {"f:annotations": {".": {}, "f:theirs": {}}}})
        ));
        assert!(!theirs("ingress-nginx", Some("status"), json!({"f:spec": {"f:rules": {}}})));
        assert!(!Live::new(&document(ours())).unwrap().contested);
    }

    #[test]
    fn without_a_mark_nothing_is_kept() {
        assert!(Live::new(&document(json!({"metadata": {"name": "web", "namespace": "shop"}}))).is_none());
    }
}
