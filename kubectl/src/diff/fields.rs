//! The fields of an object that a difference contains: those that the controller writes, or has written.

use serde_json::{Map, Value};
use xposer_live::document::Document;
use xposer_live::kinds::Kind;
use xposer_live::object::our_field_set;

/// The object with its kind.
pub(super) fn whole(kind: Kind, document: &Document) -> Value {
    let mut value = value(document);
    if let Some(object) = value.as_object_mut() {
        object.insert("apiVersion".to_owned(), kind.row().api_version.into());
        object.insert("kind".to_owned(), kind.row().name.into());
    }
    value
}

/// Returns the document as JSON. This cannot fail, because a document has a JSON form.
fn value(document: &Document) -> Value {
    serde_json::to_value(document).unwrap_or_default()
}

/// The object with only the desired fields, and the fields that the controller created or applied earlier. Defaults of the API
/// server and fields of other managers are left out.
pub(super) fn relevant(document: &Document, desired: &Value) -> Value {
    let ours = our_field_set(&document.metadata);
    let mut counted = counted(&value(document), Some(desired), ours.as_ref());
    with_type(&mut counted, desired);
    counted
}

/// The object before and after an adoption: `spec` and the annotations become those of the controller alone, labels of other
/// managers are kept, and the Service becomes an additional owner, unless it is one already.
pub(crate) fn handed_over(document: &Document, desired: &Value) -> (Value, Value) {
    let mut before = value(document);
    with_type(&mut before, desired);
    let mut after = before.clone();
    for field in ["spec", "data"] {
        if let (Some(object), Some(desired)) = (after.as_object_mut(), desired.get(field)) {
            object.insert(field.to_owned(), desired.clone());
        }
    }
    let (Some(metadata), Some(wanted)) =
        (after.get_mut("metadata").and_then(Value::as_object_mut), desired.get("metadata"))
    else {
        return (before, after);
    };
    match wanted.get("annotations") {
        Some(annotations) => metadata.insert("annotations".to_owned(), annotations.clone()),
        None => metadata.remove("annotations"),
    };
    let labels = metadata.entry("labels").or_insert_with(|| Value::Object(Map::new()));
    for (name, label) in wanted.get("labels").and_then(Value::as_object).into_iter().flatten() {
        if let Some(labels) = labels.as_object_mut() {
            labels.insert(name.clone(), label.clone());
        }
    }
    let owners = metadata.entry("ownerReferences").or_insert_with(|| Value::Array(Vec::new()));
    for owner in wanted.get("ownerReferences").and_then(Value::as_array).into_iter().flatten() {
        let is_it = |known: &Value| known.get("uid") == owner.get("uid");
        if let Some(owners) = owners.as_array_mut().filter(|owners| !owners.iter().any(is_it)) {
            owners.push(owner.clone());
        }
    }
    (before, after)
}

/// Adds the kind of the desired object, because a document does not contain it.
fn with_type(object: &mut Value, desired: &Value) {
    for field in ["apiVersion", "kind"] {
        if let (Some(object), Some(value)) = (object.as_object_mut(), desired.get(field)) {
            object.insert(field.to_owned(), value.clone());
        }
    }
}

/// The part of a value that is desired, or that the controller applied.
fn counted(live: &Value, desired: Option<&Value>, ours: Option<&Value>) -> Value {
    match (live, desired) {
        (Value::Object(live), Some(Value::Object(_)) | None) => {
            // A field that is no longer desired and that the controller owned as a whole is included completely.
            let has_inner =
                |ours: &Value| ours.as_object().is_some_and(|it| it.keys().any(|key| key.starts_with("f:")));
            if desired.is_none() && !ours.is_some_and(has_inner) {
                return Value::Object(live.clone());
            }
            let part = |(name, value): (&String, &Value)| {
                let desired = desired.and_then(|desired| desired.get(name));
                let ours = ours.and_then(|ours| ours.get(format!("f:{name}")));
                if desired.is_none() && ours.is_none() {
                    return None;
                }
                let value = match (name.as_str(), value, desired) {
                    ("ownerReferences", Value::Array(live), Some(Value::Array(desired))) => {
                        owners(live, desired)
                    }
                    _ => counted(value, desired, ours),
                };
                Some((name.clone(), value))
            };
            Value::Object(live.iter().filter_map(part).collect())
        }
        (Value::Array(live), Some(Value::Array(desired))) => {
            let item = |(place, live): (usize, &Value)| match desired.get(place) {
                Some(desired) => counted(live, Some(desired), None),
                None => live.clone(),
            };
            live.iter().enumerate().map(item).collect()
        }
        (live, _) => live.clone(),
    }
}

/// Other managers may add owners, so only those that are Services are compared.
fn owners(live: &[Value], desired: &[Value]) -> Value {
    let is_of_service = |owner: &&Value| owner.get("kind").is_some_and(|kind| kind == "Service");
    let part = |owner: &Value| counted(owner, desired.first(), None);
    live.iter().filter(is_of_service).map(part).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(value: Value) -> Document {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn defaults_and_fields_of_others_do_not_count() {
        let live = document(json!({
            "metadata": {"name": "web", "annotations": {"ours": "1", "theirs": "2", "left": "3"}, "uid": "u",
                "ownerReferences": [{"kind": "Service", "uid": "1", "blockOwnerDeletion": true}, {"kind": "Node", "uid": "2"}],
                "managedFields": [{"manager": "xposer", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": {
                    "f:metadata": {"f:annotations": {"f:ours": {}, "f:left": {}}}, "f:spec": {"f:rules": {}, "f:tls": {}}}}]},
            "spec": {"rules": [{"host": "a", "weight": 1}, {"host": "b"}], "tls": [{"x": 1}], "class": "default"},
        }));
        let desired = json!({
            "apiVersion": "v1", "kind": "Ingress",
            "metadata": {"name": "web", "annotations": {"ours": "2"}, "ownerReferences": [{"kind": "Service", "uid": "1"}]},
            "spec": {"rules": [{"host": "c"}]},
        });
        assert_eq!(
            relevant(&live, &desired),
            json!({
                "apiVersion": "v1", "kind": "Ingress",
                "metadata": {"name": "web", "annotations": {"ours": "1", "left": "3"}, "ownerReferences": [{"kind": "Service", "uid": "1"}]},
                "spec": {"rules": [{"host": "a"}, {"host": "b"}], "tls": [{"x": 1}]},
            })
        );
    }

    #[test]
    fn an_adopted_object_keeps_the_labels_of_others_and_nothing_else() {
        let live = document(json!({
            "metadata": {"name": "web", "annotations": {"theirs": "2"}, "labels": {"team": "shop"}},
            "spec": {"defaultBackend": {}},
        }));
        let owner = json!({"kind": "Service", "uid": "1"});
        let desired = json!({
            "apiVersion": "v1", "kind": "Ingress",
            "metadata": {"name": "web", "labels": {"a": "b"}, "ownerReferences": [owner]}, "spec": {"rules": []},
        });
        let (before, after) = handed_over(&live, &desired);
        assert_eq!(before["spec"], json!({"defaultBackend": {}}));
        assert_eq!(
            after,
            json!({
                "apiVersion": "v1", "kind": "Ingress", "spec": {"rules": []},
                "metadata": {"name": "web", "labels": {"a": "b", "team": "shop"}, "ownerReferences": [owner]},
            })
        );
    }

    #[test]
    fn an_owner_of_an_adopted_object_is_not_repeated() {
        let owner =
            |kind: &str, uid: &str| json!({"apiVersion": "v1", "kind": kind, "name": "web", "uid": uid});
        let desired = json!({"metadata": {"ownerReferences": [owner("Service", "1")]}});
        for (live, expected) in [
            (json!([owner("Service", "1")]), json!([owner("Service", "1")])),
            // A Service that was deleted and created again has another uid.
            (json!([owner("Service", "0")]), json!([owner("Service", "0"), owner("Service", "1")])),
        ] {
            let live = document(json!({"metadata": {"name": "web", "ownerReferences": live}}));
            assert_eq!(handed_over(&live, &desired).1["metadata"]["ownerReferences"], expected);
        }
    }
}
