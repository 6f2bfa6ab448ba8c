//! The stored facts about an object in the cluster: its owner, whether it is as desired, and whether it is served.

mod fields;
mod status;

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::{Value, json};
use xposer::service::{ADOPT_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL, SERVICE_LABEL};

use crate::digest::json_digest;
use crate::document::Document;
use crate::keys::ServiceKey;

pub use fields::{FIELD_MANAGER, as_applied, has_other_managers, is_as_desired, our_field_set, our_fields};
pub use status::hosts;

/// An object that has at least one of the three marks of ownership, or that a Service may adopt.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The UID.
    pub uid: Box<str>,
    /// The version that the API server gave to this state of the object.
    pub version: Box<str>,
    /// The Service that the object belongs to, from its label, or else from its owner reference.
    pub service: Arc<ServiceKey>,
    /// Mark 1: whether the object has the labels.
    pub labelled: bool,
    /// Mark 2, if it equals the UID of the Service: the UID of the owner reference.
    pub owner: Option<Box<str>>,
    /// Mark 3: whether the controller created the object or applied fields of it.
    pub managed: bool,
    /// Whether the controller has to take over its fields before it applies the object again ([`as_applied`]).
    pub must_be_taken: bool,
    /// Whether an owner other than a Service controls the object.
    pub controlled: bool,
    /// The name of the Service that may adopt the object.
    pub adoptable_by: Option<Box<str>>,
    /// Whether the object is being deleted.
    pub terminating: bool,
    /// The hash of the desired object, if this object is as desired; otherwise 0.
    pub desired_hash: u64,
    /// The hash of the object's content.
    pub content_hash: u64,
    /// The number of parents or routers that serve the object, from its status.
    pub served_by: u8,
    /// Whether the object cannot be served until an older object with the same host and path is deleted.
    pub is_blocked: bool,
    /// The reason why the object is not served, and who refuses it.
    pub refusal: Option<Box<str>>,
    /// The sorted hashes of the object's hosts.
    pub hosts: Box<[u64]>,
}

/// The ownership of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// The controller made the object for this Service.
    Ours,
    /// The object has another owner, who lets this Service adopt it.
    Adoptable,
    /// The object belongs to somebody else, or to another Service.
    Foreign,
}

impl Observed {
    /// Returns `None` for an object that has no mark and that no Service may adopt.
    pub fn new(document: &Document) -> Option<Self> {
        let metadata = &document.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let label = |key: &str| metadata.labels.as_ref().and_then(|labels| labels.get(key));
        let labelled = label(MANAGED_BY_LABEL).is_some_and(|by| by == MANAGED_BY);
        let owners = metadata.owner_references.as_deref().unwrap_or_default();
        let owner = owners.iter().find(|owner| is_service(owner));
        let adopt = metadata.annotations.as_ref().and_then(|annotations| annotations.get(ADOPT_ANNOTATION));
        let managed = our_fields(metadata).next().is_some();
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
            must_be_taken: fields::must_be_taken(metadata),
            controlled: owners.iter().any(|it| it.controller == Some(true) && !is_service(it)),
            adoptable_by: adopt.map(|name| name.as_str().into()),
            terminating: metadata.deletion_timestamp.is_some(),
            desired_hash: 0,
            content_hash: content_hash(document),
            served_by: status::served_by(document),
            is_blocked: status::is_blocked(document),
            refusal: status::refusal(document),
            hosts: hosts(&document.spec),
        })
    }

    /// The ownership of the object, for the Service with this key and UID. Two of the three marks are enough, so that the third one
    /// is restored if it was removed.
    pub fn ownership(&self, service: &ServiceKey, uid: &str) -> Ownership {
        let owned = self.owner.as_deref() == Some(uid);
        let labelled = self.labelled && *self.service == *service;
        if [owned, labelled, self.managed].into_iter().filter(|mark| *mark).count() >= 2 {
            Ownership::Ours
        } else if self.adoptable_by.as_deref() == Some(&*service.name) && !self.controlled {
            Ownership::Adoptable
        } else {
            Ownership::Foreign
        }
    }

    /// Whether the object may be deleted if its Service does not need it: it has all three marks. A copy of an object of Xposer has
    /// only the first two.
    pub fn is_deletable(&self) -> bool {
        self.labelled && self.owner.is_some() && self.managed && !self.controlled && !self.terminating
    }
}

/// Whether `version` of an object is later than its version `other`. The versions of one kind are increasing numbers.
pub fn is_later(version: &str, other: &str) -> bool {
    version.parse::<u64>().ok() > other.parse().ok()
}

fn is_service(owner: &OwnerReference) -> bool {
    owner.kind == "Service" && owner.api_version == "v1"
}

/// The owner reference that makes Kubernetes delete an object together with its Service.
pub fn owner_reference(service: &ServiceKey, uid: &str) -> Value {
    json!({"apiVersion": "v1", "controller": true, "kind": "Service", "name": *service.name, "uid": uid})
}

/// The hash of an object's content, without its version and status.
fn content_hash(document: &Document) -> u64 {
    let metadata = &document.metadata;
    let owners = metadata.owner_references.as_ref();
    let owners: Vec<_> = owners.into_iter().flatten().map(|owner| (&owner.uid, &owner.name)).collect();
    json_digest(&(
        &metadata.labels,
        &metadata.annotations,
        owners,
        our_fields(metadata).collect::<Vec<_>>(),
        &document.spec,
        &document.data,
    ))
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

    fn desired() -> Value {
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
    fn defaults_and_annotations_of_others_make_no_difference() {
        assert!(is_as_desired(&document(ours()), &desired()));
    }

    #[test]
    fn a_changed_value_is_a_difference() {
        let mut observed = ours();
        observed["spec"]["rules"][0]["host"] = "b".into();
        assert!(!is_as_desired(&document(observed), &desired()));
    }

    #[test]
    fn a_field_that_is_not_desired_any_more_is_a_difference() {
        let mut fewer = desired();
        fewer["metadata"]["annotations"] = json!({});
        assert!(!is_as_desired(&document(ours()), &fewer));
    }

    #[test]
    fn an_additional_item_is_a_difference() {
        let mut observed = ours();
        observed["spec"]["rules"].as_array_mut().unwrap().push(json!({"host": "b"}));
        assert!(!is_as_desired(&document(observed), &desired()));
    }

    #[test]
    fn two_of_three_marks_prove_ownership() {
        let (web, api) = (ServiceKey::new("shop", "web"), ServiceKey::new("shop", "api"));
        let ownership =
            |value: Value, uid: &str| Observed::new(&document(value)).unwrap().ownership(&web, uid);
        assert_eq!(ownership(ours(), "u"), Ownership::Ours);
        // A Service that was deleted and created again takes over the objects of the old one.
        assert_eq!(ownership(ours(), "other"), Ownership::Ours);
        for mark in ["labels", "ownerReferences", "managedFields"] {
            let mut one_less = ours();
            one_less["metadata"].as_object_mut().unwrap().remove(mark);
            assert_eq!(ownership(one_less, "u"), Ownership::Ours, "without {mark}");
        }
        let mut labels_only = ours();
        labels_only["metadata"]
            .as_object_mut()
            .unwrap()
            .retain(|key, _| !key.ends_with("s") || key == "labels");
        assert_eq!(ownership(labels_only, "u"), Ownership::Foreign);
        assert_eq!(Observed::new(&document(ours())).unwrap().ownership(&api, "v"), Ownership::Foreign);
    }

    #[test]
    fn the_annotation_names_the_service_that_may_adopt() {
        let mut adoptable = json!({"metadata": {"name": "web", "namespace": "shop", "annotations": {ADOPT_ANNOTATION: "web"}}});
        let ownership = |value: &Value, name: &str| {
            Observed::new(&document(value.clone())).unwrap().ownership(&ServiceKey::new("shop", name), "u")
        };
        assert_eq!(ownership(&adoptable, "web"), Ownership::Adoptable);
        assert_eq!(ownership(&adoptable, "api"), Ownership::Foreign);
        adoptable["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "d", "controller": true}]);
        assert_eq!(ownership(&adoptable, "web"), Ownership::Foreign);
    }

    #[test]
    fn a_field_of_two_managers_is_a_conflict() {
        let theirs = |manager: &str, subresource: Option<&str>, fields: Value| {
            let mut observed = ours();
            let entry = json!({"manager": manager, "operation": "Update", "apiVersion": "networking.k8s.io/v1",
                "fieldsType": "FieldsV1", "subresource": subresource, "fieldsV1": fields});
            observed["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
            let observed = document(observed);
            let must_be_taken = Observed::new(&observed).unwrap().must_be_taken;
            assert_eq!(as_applied(&observed.metadata).len() == 1, must_be_taken);
            must_be_taken
        };
        assert!(theirs("before-first-apply", None, json!({"f:spec": {"f:rules": {}, "f:tls": {}}})));
        assert!(theirs("kubectl", None, json!({"f:spec": {}})));
        assert!(!theirs(
            "kubectl",
            None,
            json!({"f:metadata": {"f:annotations": {".": {}, "f:theirs": {}}}})
        ));
        assert!(!theirs("ingress-nginx", Some("status"), json!({"f:spec": {"f:rules": {}}})));
        assert!(!Observed::new(&document(ours())).unwrap().must_be_taken);
    }

    /// The entry of `managedFields` for an object that the controller created.
    fn created() -> Value {
        let mut created = ours();
        created["metadata"]["managedFields"][0]["operation"] = "Update".into();
        created
    }

    #[test]
    fn created_object_is_owned_and_becomes_applied() {
        let observed = document(created());
        let before = Observed::new(&observed).unwrap();
        assert!(before.managed && before.must_be_taken && before.is_deletable());
        assert!(is_as_desired(&observed, &desired()));

        let mut taken = observed.clone();
        taken.metadata.managed_fields = Some(as_applied(&observed.metadata));
        let taken_fields = serde_json::to_value(&taken.metadata.managed_fields).unwrap();
        assert_eq!(taken_fields, ours()["metadata"]["managedFields"]);
        let after = Observed::new(&taken).unwrap();
        // The object was not changed, so it is not planned again.
        assert!(after.managed && !after.must_be_taken && after.content_hash == before.content_hash);

        let mut fewer = desired();
        fewer["metadata"]["annotations"] = json!({});
        assert!(
            !is_as_desired(&observed, &fewer),
            "a field that was created is removed like one that was applied"
        );
    }

    #[test]
    fn created_and_applied_fields_are_owned() {
        let mut observed = created();
        let applied = json!({"manager": "xposer", "operation": "Apply", "apiVersion": "networking.k8s.io/v1",
            "fieldsType": "FieldsV1", "fieldsV1": {
                "f:metadata": {"f:labels": {}}, "f:spec": {"f:rules": {}, "f:tls": {"f:b": {}}}}});
        observed["metadata"]["managedFields"].as_array_mut().unwrap().push(applied);
        let status = json!({"manager": "ingress-nginx", "operation": "Update", "subresource": "status"});
        observed["metadata"]["managedFields"].as_array_mut().unwrap().push(status);
        let taken = as_applied(&document(observed).metadata);
        let managers: Vec<_> =
            taken.iter().filter_map(|it| it.manager.as_deref().zip(it.operation.as_deref())).collect();
        assert_eq!(managers, [("xposer", "Apply"), ("ingress-nginx", "Update")]);
        assert_eq!(
            taken[0].fields_v1.as_ref().unwrap().0,
            json!({
                "f:metadata": {
                    "f:labels": {".": {}, "f:app.kubernetes.io/managed-by": {}}, "f:annotations": {"f:a": {}},
                },
                "f:spec": {"f:rules": {}, "f:tls": {"f:b": {}}},
            })
        );
    }

    #[test]
    fn an_object_without_a_mark_is_not_kept() {
        assert!(
            Observed::new(&document(json!({"metadata": {"name": "web", "namespace": "shop"}}))).is_none()
        );
    }
}
