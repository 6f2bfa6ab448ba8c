//! `metadata.managedFields`: who has set which fields, and whether an object has the fields that are desired.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use serde_json::Value;

use crate::document::Document;

/// The field manager of everything that the controller applies.
pub const FIELD_MANAGER: &str = "xposer";

/// Whether an entry lists fields that the controller has applied.
fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref() == Some(FIELD_MANAGER)
        && entry.operation.as_deref() == Some("Apply")
        && entry.subresource.is_none()
}

/// The fields that the controller has applied, if any.
pub fn our_fields(metadata: &ObjectMeta) -> Option<&Value> {
    let entries = metadata.managed_fields.as_deref().unwrap_or_default();
    let ours = entries.iter().find(|entry| is_ours(entry))?;
    ours.fields_v1.as_ref().map(|fields| &fields.0)
}

/// The entries of `managedFields` without those of other managers that list a field of ours.
pub fn without_field_conflicts(metadata: &ObjectMeta) -> Vec<&ManagedFieldsEntry> {
    let ours = our_fields(metadata);
    let conflicts = |entry: &&ManagedFieldsEntry| {
        entry.subresource.is_none()
            && !is_ours(entry)
            && entry.fields_v1.as_ref().zip(ours).is_some_and(|(theirs, ours)| overlap(&theirs.0, ours))
    };
    metadata.managed_fields.iter().flatten().filter(|entry| !conflicts(entry)).collect()
}

/// Whether another manager has a field that the controller has applied. The API server then keeps the field when the
/// controller does not apply it any more.
pub(crate) fn has_field_conflict(metadata: &ObjectMeta) -> bool {
    let all = metadata.managed_fields.iter().flatten().count();
    our_fields(metadata).is_some() && without_field_conflicts(metadata).len() < all
}

/// Whether two sets of fields have a field in common.
fn overlap(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return false };
    // A field without inner fields is owned as a whole.
    if one.is_empty() || other.is_empty() {
        return true;
    }
    one.iter().any(|(name, inner)| name != "." && other.get(name).is_some_and(|known| overlap(inner, known)))
}

/// Whether other managers have fields of the content of an object. The status is not content.
pub fn has_other_managers(metadata: &ObjectMeta) -> bool {
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

/// Whether an object is as desired: every desired field has its value, and no field that the controller applied earlier
/// is left over. Fields that others added, and defaults of the API server, make no difference.
pub fn is_as_desired(document: &Document, desired: &Value) -> bool {
    // A document always has a JSON form.
    let observed = serde_json::to_value(document).unwrap_or_default();
    let fields = our_fields(&document.metadata);
    fields.is_some_and(|fields| covers(&observed, desired) && are_desired(fields, desired))
}

fn covers(observed: &Value, desired: &Value) -> bool {
    match (observed, desired) {
        (Value::Object(observed), Value::Object(desired)) => {
            desired.iter().all(|(key, desired)| match key.as_str() {
                // A document does not keep these.
                "apiVersion" | "kind" if !observed.contains_key(key) => true,
                "ownerReferences" => has_owners(observed.get(key), desired),
                _ => observed.get(key).is_some_and(|observed| covers(observed, desired)),
            })
        }
        (Value::Array(observed), Value::Array(desired)) => {
            observed.len() == desired.len()
                && observed.iter().zip(desired).all(|(observed, desired)| covers(observed, desired))
        }
        _ => observed == desired,
    }
}

/// Owner references are a set: others may add theirs.
fn has_owners(observed: Option<&Value>, desired: &Value) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let observed = observed.map(list).unwrap_or_default();
    list(desired).iter().all(|desired| observed.iter().any(|observed| covers(observed, desired)))
}

/// Whether all fields that the controller has applied are still desired.
fn are_desired(fields: &Value, desired: &Value) -> bool {
    fields.as_object().into_iter().flatten().all(|(name, inner)| match name.strip_prefix("f:") {
        Some(name) => desired.get(name).is_some_and(|desired| are_desired(inner, desired)),
        // `.` is the field itself; `k:` and `v:` are items of lists, which `covers` compares.
        None => true,
    })
}
