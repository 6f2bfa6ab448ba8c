//! The values of intents.

use std::borrow::Cow;

use serde_json::Value;

use super::{Parsed, code, invalid, item, list, mapping, wrong};
use crate::diagnostics::{Code, Origin, Problem, kind_of, quoted, scalar};
use crate::intents::{Intent, IntentValue};

/// The value of an intent. In settings, a list has the items of the text, and a mapping its parts.
pub(in crate::options) fn intent_value(
    intent: Intent,
    value: &Value,
    at: &Origin,
) -> Parsed<Option<IntentValue>> {
    // An empty value would look as if it removed the value of a lower layer, which it does not.
    if matches!(value, Value::Array(items) if items.is_empty())
        || matches!(value, Value::Object(parts) if parts.is_empty())
    {
        let message = format!("expected a value, found {} without content", kind_of(value));
        return Err(wrong(at, message, "write the value, or remove the key"));
    }
    let text = text_of(value, at)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    intent.read(&text).map(Some).map_err(|all| {
        let code = code(at, Code::IntentInvalid);
        all.into_iter().map(|wrong| (at.path(), Problem::new(code, wrong.said).help(wrong.help))).collect()
    })
}

/// A part of a value. It must not contain a blank or this sign, so that it is also one part of the text of all parts.
fn part(text: &str, at: &Origin, sign: char) -> Parsed<String> {
    if text.contains([sign, ' ']) {
        return Err(wrong(at, [&quoted(text), " is not allowed here"].concat(), "write one word"));
    }
    Ok(text.to_owned())
}

/// A value as a single text.
fn text_of<'v>(value: &'v Value, at: &Origin) -> Parsed<Cow<'v, str>> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Bool(_) | Value::Number(_) => Ok(Cow::Owned(scalar(value).unwrap_or_default())),
        Value::Array(_) => {
            let read = |value: &Value, at: &Origin| part(item(value, at, "item")?.trim(), at, ',');
            list(value, at, "a list", &read).map(|items| Cow::Owned(items.join(", ")))
        }
        Value::Object(_) => {
            let mut lines = String::new();
            mapping(value, at, &[], &mut |key, value, place| {
                if value.is_object() {
                    return Err(invalid(&place, "a text or a list", value));
                }
                part(key, &place, ':')?;
                let line = format!("{key}: {}", text_of(value, &place)?);
                // A line break would start another part.
                if line.trim_end().contains(['\n', '\r']) {
                    return Err(wrong(&place, "expected one line, found several", "write it in one line"));
                }
                lines.push_str(line.trim_end());
                lines.push('\n');
                Ok(())
            })?;
            Ok(Cow::Owned(lines))
        }
        Value::Null => Ok(Cow::Borrowed("")),
    }
}
