//! `metadata.managedFields`: the managers of fields, and whether an object has the desired fields.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, ObjectMeta};
use serde_json::{Value, json};

use crate::document::Document;

/// The field manager of everything that the controller creates and applies.
pub const FIELD_MANAGER: &str = "xposer";

/// The operation of an entry of applied fields. A client that creates or updates has a separate entry.
const APPLY: &str = "Apply";

/// Whether an entry lists fields that the controller created or applied.
fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.subresource.is_none()
}

fn is_applied(entry: &ManagedFieldsEntry) -> bool {
    entry.operation.as_deref() == Some(APPLY)
}

fn entries(metadata: &ObjectMeta) -> impl Iterator<Item = &ManagedFieldsEntry> {
    metadata.managed_fields.iter().flatten()
}

/// The sets of fields that the controller created and applied, one for each of these operations.
pub fn our_fields(metadata: &ObjectMeta) -> impl Iterator<Item = &Value> {
    entries(metadata).filter(|it| is_ours(it)).filter_map(|it| Some(&it.fields_v1.as_ref()?.0))
}

/// The union of the fields that the controller created and applied; `None` if there are none.
pub fn our_field_set(metadata: &ObjectMeta) -> Option<Value> {
    our_fields(metadata).cloned().reduce(union)
}

/// Whether another manager owns one of the controller's fields.
fn conflicts(entry: &ManagedFieldsEntry, metadata: &ObjectMeta) -> bool {
    let has = |ours| entry.fields_v1.as_ref().is_some_and(|theirs| overlap(&theirs.0, ours));
    entry.subresource.is_none() && !is_ours(entry) && our_fields(metadata).any(has)
}

/// Whether `managedFields` has to be replaced by [`as_applied`] before the object is applied again. Otherwise the API server keeps
/// a field that the controller no longer applies, because another manager also owns it, or because the controller created it and
/// never applied it.
pub(crate) fn must_be_taken(metadata: &ObjectMeta) -> bool {
    entries(metadata).any(|it| is_ours(it) && !is_applied(it) || conflicts(it, metadata))
}

/// Returns the entries of `managedFields` as if the controller had applied all its fields, and no other manager owned any of them.
pub fn as_applied(metadata: &ObjectMeta) -> Vec<ManagedFieldsEntry> {
    let ours: Vec<&ManagedFieldsEntry> = entries(metadata).filter(|it| is_ours(it)).collect();
    let merged = ours.iter().find(|it| is_applied(it)).or(ours.first()).map(|first| ManagedFieldsEntry {
        operation: Some(APPLY.to_owned()),
        fields_v1: our_field_set(metadata).map(FieldsV1),
        ..(**first).clone()
    });
    let others = entries(metadata).filter(|it| !is_ours(it) && !conflicts(it, metadata));
    merged.into_iter().chain(others.cloned()).collect()
}

/// The union of two sets of fields.
fn union(one: Value, other: Value) -> Value {
    let (Value::Object(mut all), Value::Object(more)) = (one, other) else { return json!({}) };
    // A set without inner fields is the field itself. In a set with inner fields, `.` is the field itself.
    if all.is_empty() != more.is_empty() {
        all.insert(".".to_owned(), json!({}));
    }
    for (name, inner) in more {
        let merged = match all.remove(&name) {
            Some(known) => union(known, inner),
            None => inner,
        };
        all.insert(name, merged);
    }
    Value::Object(all)
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

/// Whether other managers own fields of the content of an object. The status is not content.
pub fn has_other_managers(metadata: &ObjectMeta) -> bool {
    entries(metadata).any(|entry| {
        let content = ["f:spec", "f:data"];
        let has =
            |field: &&str| entry.fields_v1.as_ref().is_some_and(|fields| fields.0.get(*field).is_some());
        entry.manager.as_deref() != Some(FIELD_MANAGER)
            && entry.subresource.is_none()
            && content.iter().any(has)
    })
}

/// Whether an object is as desired: every desired field has its value, and no field remains that the controller applied earlier.
/// Fields that others added, and defaults of the API server, make no difference.
pub fn is_as_desired(document: &Document, desired: &Value) -> bool {
    // This cannot fail: a document has a JSON form.
    let observed = serde_json::to_value(document).unwrap_or_default();
    let mut fields = our_fields(&document.metadata).peekable();
    fields.peek().is_some() && covers(&observed, desired) && fields.all(|fields| are_desired(fields, desired))
}

fn covers(observed: &Value, desired: &Value) -> bool {
    match (observed, desired) {
        (Value::Object(observed), Value::Object(desired)) => {
            desired.iter().all(|(key, desired)| match key.as_str() {
                // A document does not have these fields.
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

/// Owner references are a set: other managers may add references.
fn has_owners(observed: Option<&Value>, desired: &Value) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let observed = observed.map(list).unwrap_or_default();
    list(desired).iter().all(|desired| observed.iter().any(|observed| covers(observed, desired)))
}

/// Whether all of these fields of the controller are still desired.
fn are_desired(fields: &Value, desired: &Value) -> bool {
    fields.as_object().into_iter().flatten().all(|(name, inner)| match name.strip_prefix("f:") {
        Some(name) => desired.get(name).is_some_and(|desired| are_desired(inner, desired)),
        // `.` is the field itself; `k:` and `v:` are items of lists, which `covers` compares.
        None => true,
    })
}
