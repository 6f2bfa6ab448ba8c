//! The fields that differ between two objects.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use xposer::diagnostics::FieldPath;
use xposer::internal::{shortened, start_of_difference};

/// The maximum size of a value in a line, in bytes.
const MAX_VALUE: usize = 80;

/// A field of an object, and its values before and after.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Field {
    path: FieldPath,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                let (before, after) = (text(before), text(after));
                let start = start_of_difference(&before, &after, MAX_VALUE);
                let shown = |text: &str| match text.get(start..).unwrap_or_default() {
                    rest if start == 0 => shortened(rest, None, MAX_VALUE),
                    rest => shortened(&["...", rest].concat(), None, MAX_VALUE),
                };
                write!(f, "~ {}: {} -> {}", self.path, shown(&before), shown(&after))
            }
            (None, Some(after)) => write!(f, "+ {}: {}", self.path, shown(after)),
            (Some(before), None) => write!(f, "- {}: {}", self.path, shown(before)),
            (None, None) => write!(f, "~ {}", self.path),
        }
    }
}

/// Formats a value in one line.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains(char::is_control) => text.clone(),
        other => other.to_string(),
    }
}

/// Formats a value in one line, and not more of it than a line has place for.
fn shown(value: &Value) -> String {
    shortened(&text(value), None, MAX_VALUE)
}

/// Returns the fields that differ between two objects, in the order of their keys.
pub(super) fn fields(old: &Value, new: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    compare(Some(old), Some(new), FieldPath::object(&[]), &mut fields);
    fields
}

fn compare(old: Option<&Value>, new: Option<&Value>, path: FieldPath, fields: &mut Vec<Field>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let more = new.keys().filter(|key| !old.contains_key(*key));
            let mut keys: Vec<&String> = old.keys().chain(more).collect();
            keys.sort_unstable();
            for key in keys {
                compare(old.get(key), new.get(key), path.clone().key(key.clone()), fields);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(Some(old), Some(new), path.clone().index(index), fields);
            }
        }
        _ => fields.push(Field { path, before: old.cloned(), after: new.cloned() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_named_by_their_paths() {
        let old = json!({"a": {"b": 1, "c": [1, {"d": "x"}]}, "gone": ""});
        let new = json!({"a": {"b": 2, "c": [1, {"d": "y"}]}, "new.key": [1]});
        let shown: Vec<String> = fields(&old, &new).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["~ a.b: 1 -> 2", "~ a.c[1].d: x -> y", "- gone: \"\"", "+ [\"new.key\"]: [1]"]);
        assert!(fields(&old, &old).is_empty());
    }
}
