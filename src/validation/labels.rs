//! The API server's rules for labels.

use super::names::stray;
use super::{MAX_LABEL, annotation_key_error};
use crate::diagnostics::{quoted, quoted_char};

/// Returns the error of a label key, in words; `None` if the API server accepts it (`ValidateLabelName`, which is
/// `IsQualifiedName`: unlike the prefix of an annotation, its prefix has no upper-case letters).
///
/// ```
/// use xposer::validation::label_key_error;
/// assert_eq!(label_key_error("example.com/Team"), None);
/// assert_eq!(label_key_error("Example.com/team").as_deref(), Some("its prefix has upper-case letters"));
/// assert_eq!(label_key_error("a b").as_deref(), Some("it contains a blank"));
/// ```
#[must_use]
pub fn label_key_error(key: &str) -> Option<String> {
    let has_upper =
        key.split_once('/').is_some_and(|(prefix, _)| prefix.contains(|c: char| c.is_ascii_uppercase()));
    annotation_key_error(key).or_else(|| has_upper.then(|| "its prefix has upper-case letters".into()))
}

/// Returns the error of a label value, in words; `None` if the API server accepts it (`IsValidLabelValue`).
///
/// ```
/// use xposer::validation::label_value_error;
/// assert_eq!(label_value_error("shop_1"), None);
/// assert_eq!(label_value_error(""), None);
/// assert_eq!(label_value_error("a/b").as_deref(), Some("`a/b` contains `/`"));
/// assert_eq!(label_value_error("-").as_deref(), Some("`-` must start and end with a letter or digit"));
/// ```
#[must_use]
pub fn label_value_error(value: &str) -> Option<String> {
    let is_alphanumeric = |c: char| c.is_ascii_alphanumeric();
    if value.len() > MAX_LABEL {
        return Some(format!(
            "a value of {} characters is too long, at most {MAX_LABEL} are allowed",
            value.len()
        ));
    }
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if let Some(character) = stray(value, is_inside) {
        return Some(format!("{} contains {}", quoted(value), quoted_char(character)));
    }
    let is_closed = value.starts_with(is_alphanumeric) && value.ends_with(is_alphanumeric);
    (!value.is_empty() && !is_closed)
        .then(|| format!("{} must start and end with a letter or digit", quoted(value)))
}
