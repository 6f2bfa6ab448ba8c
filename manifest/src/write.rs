//! Writes a value as YAML that every parser reads alike.
//!
//! The format is that of `kubectl get -o yaml`: block style, an indentation of two spaces, and sequences at the indentation of
//! their key. The library quotes strings that a parser of YAML 1.1 or 1.2 would read as another type.

use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_saphyr::{DoubleQuoted, SingleQuoted};
use xposer::internal::is_hidden;

/// Writes a value as one YAML document without `---`, with a final line break. Mappings keep their order. Parsing the text gives an
/// equal value, whatever its strings contain.
///
/// ```
/// let value = serde_json::json!({"ports": [80, "443"], "note": "a: b"});
/// assert_eq!(xposer_manifest::to_yaml(&value), "note: 'a: b'\nports:\n- 80\n- \"443\"\n");
/// ```
pub fn to_yaml(value: &Value) -> String {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let marks = !has_text(value, &|_, text| text.contains(MARK));
    // This cannot fail: every `Value` has a YAML form, and writing to a `String` succeeds.
    let written =
        serde_saphyr::to_string_with_options(&Written { value, marks }, options).unwrap_or_default();
    // A value with such a character is written in double quotes; the library chooses the style of a key.
    let escapes = !has_text(value, &|is_key, text| is_key && text.contains(is_escaped));
    let mut out = String::with_capacity(written.len());
    for character in written.chars() {
        match character {
            MARK if marks => {}
            '\u{10000}'.. if escapes && is_escaped(character) => {
                out.push_str(&format!("\\U{:08X}", u32::from(character)));
            }
            _ if escapes && is_escaped(character) => {
                out.push_str(&format!("\\u{:04X}", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    out
}

/// A character before a text that the library would quote although no parser needs the quotes. It is removed from the output.
const MARK: char = '\u{f8ff}';

/// Whether a test holds for a string value or a key inside a value.
fn has_text(value: &Value, test: &dyn Fn(bool, &str) -> bool) -> bool {
    match value {
        Value::String(text) => test(false, text),
        Value::Array(items) => items.iter().any(|item| has_text(item, test)),
        Value::Object(entries) => entries.iter().any(|(key, value)| test(true, key) || has_text(value, test)),
        _ => false,
    }
}

/// Whether a character would hide parts of a manifest, so that it is written as an escape.
fn is_escaped(character: char) -> bool {
    // YAML has forms for line breaks and tabs, and variation selectors and tags of emojis are harmless inside a value.
    let is_kept = matches!(character, '\n' | '\t' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}');
    is_hidden(character) && !is_kept
}

/// Whether a character is visible, and allowed in YAML without an escape.
pub(crate) fn is_printable(character: char) -> bool {
    let is_special = matches!(character, '\u{fffe}' | '\u{ffff}');
    !is_special && !character.is_control() && !is_escaped(character)
}

/// A value in the style that all parsers read alike.
struct Written<'v> {
    value: &'v Value,
    /// Whether [`MARK`] may be used.
    marks: bool,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let part = |value| Written { value, ..*self };
        match self.value {
            Value::String(text) => self.text(text, serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(part)),
            Value::Object(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, part(value))))
            }
            value => value.serialize(serializer),
        }
    }
}

impl Written<'_> {
    /// Writes a string in suitable quotes, or as a block scalar.
    fn text<S: Serializer>(&self, text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        // Parsers take leading blanks of a block scalar for indentation. An indentation indicator would prevent that, but parsers
        // count it differently, and the parser of kustomize refuses a tab after one.
        let first = text.split('\n').find(|line| !line.is_empty()).unwrap_or(" ");
        let is_dotted =
            || text.matches('.').count() > 1 && text.bytes().all(|it| it == b'.' || it.is_ascii_digit());
        if text.contains(is_escaped) || text.contains('\n') && first.starts_with([' ', '\t']) {
            DoubleQuoted(text).serialize(serializer)
        } else if text.chars().all(is_printable) && has_syntax(text) {
            SingleQuoted(text).serialize(serializer)
        } else if self.marks && is_dotted() {
            serializer.collect_str(&format_args!("{MARK}{text}"))
        } else {
            text.serialize(serializer)
        }
    }
}

/// Whether a text on one line would be more than a plain scalar without quotes.
fn has_syntax(text: &str) -> bool {
    const FIRST: [char; 20] =
        [' ', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '?', ':', '-'];
    let is_plain_dash = |rest: &str| !rest.is_empty() && !rest.starts_with([' ', ',', '[', ']', '{', '}']);
    text.starts_with(FIRST) && !text.strip_prefix('-').is_some_and(is_plain_dash)
        || text.ends_with([' ', ':'])
        || [": ", " #"].iter().any(|syntax| text.contains(syntax))
        || ["---", "..."].iter().any(|marker| text.starts_with(marker))
}
