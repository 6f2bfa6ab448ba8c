//! Words of messages.

use serde_json::Value;

/// A number with a noun, which may have a verb behind it.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The text at a JSON pointer, if it is not empty.
pub(crate) fn text_at<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|it| !it.is_empty())
}
