//! The change of an object, as the text of a difference.

use serde_json::Value;
use similar::TextDiff;
use xposer_manifest::to_yaml;

use crate::keys::ObjectKey;

/// Fields of `metadata` that the API server sets.
const OMITTED_FIELDS: [&str; 5] =
    ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"];

/// Returns the change of an object: one line with the verb and the object, and the difference of the content.
pub fn difference(key: &ObjectKey, before: Option<&Value>, after: &Value) -> String {
    let verb = if before.is_some() { "update" } else { "create" };
    format!("{verb} {key}\n{}", unified(before, Some(after)))
}

/// Returns the lines of a unified difference of the content. A missing object is an empty side.
pub fn unified(before: Option<&Value>, after: Option<&Value>) -> String {
    let (before, after) = (before.map(text).unwrap_or_default(), after.map(text).unwrap_or_default());
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(3).to_string()
}

/// Returns the content of an object as text, without the fields that the API server sets.
pub fn text(object: &Value) -> String {
    let mut value = object.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|field, _| !OMITTED_FIELDS.contains(&field.as_str()));
        }
    }
    to_yaml(&value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::Kind;

    #[test]
    fn diff_shows_the_verb_without_server_fields() {
        let key = ObjectKey { kind: Kind::Ingress, namespace: "shop".into(), name: "web".into() };
        let before = json!({"metadata": {"name": "web", "uid": "1"}, "spec": {"a": 1}, "status": {"x": 1}});
        let after = json!({"metadata": {"name": "web", "uid": "1"}, "spec": {"a": 2}, "status": {"x": 2}});
        let message = difference(&key, Some(&before), &after);
        assert!(
            message.starts_with("update Ingress shop/web\n@@") && message.contains("-  a: 1\n+  a: 2\n"),
            "{message}"
        );
        assert!(!message.contains("uid") && !message.contains("status"), "{message}");
        assert!(difference(&key, None, &after).starts_with("create Ingress shop/web\n@@"));
        assert!(unified(Some(&before), None).contains("-  a: 1\n"));
        assert_eq!(unified(Some(&before), Some(&before)), "");
    }
}
