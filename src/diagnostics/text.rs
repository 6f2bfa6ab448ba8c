//! Texts and lists of names as they stand in messages.

use serde_json::Value;

/// A message and its help, `MESSAGE; HELP`, in at most `max` bytes.
///
/// If both are longer, the message is cut. The help is cut only if it needs more than a third of the bytes.
///
/// ```
/// use xposer::internal::shortened;
/// assert_eq!(shortened("there is no key `TSL`", Some("did you mean TLS?"), 50), "there is no key `TSL`; did you mean TLS?");
/// let message = "there is no key `TSL`, and nobody reads it";
/// assert_eq!(shortened(message, Some("write TLS"), 40), "there is no key `TSL`, and...; write TLS");
/// assert_eq!(shortened("there is no key `TSL`", None, 10), "there i...");
/// ```
#[must_use]
pub fn shortened(message: &str, help: Option<&str>, max: usize) -> String {
    let Some(help) = help else { return cut(message, max) };
    let room = max.saturating_sub("; ".len());
    let message = cut(message, room.saturating_sub(help.len()).max(room / 3 * 2));
    let help = cut(help, room.saturating_sub(message.len()));
    format!("{message}; {help}")
}

/// The text, cut between two characters if it has more than `max` bytes.
fn cut(text: &str, max: usize) -> String {
    const MARK: &str = "...";
    if text.len() <= max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(max.saturating_sub(MARK.len()));
    format!("{}{MARK}", text.get(..end).unwrap_or_default().trim_end())
}

/// A character for a message.
pub(crate) fn quoted_char(character: char) -> String {
    if character == ' ' { "a blank".to_owned() } else { quoted(&character.to_string()) }
}

/// `text` for a message: in backquotes, with control characters escaped, cut after 80 characters.
pub(crate) fn quoted(text: &str) -> String {
    const MAX_CHARACTERS: usize = 80;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('`');
    for (count, character) in text.chars().enumerate() {
        if count == MAX_CHARACTERS {
            out.push('…');
            break;
        }
        let odd_blank = character.is_whitespace() && character != ' ';
        if character.is_control() || odd_blank || ('\u{200b}'..='\u{202e}').contains(&character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out.push('`');
    out
}

/// Names for a message, separated by commas: at most ten of the `count` names, and how many more there are.
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n str>, count: usize) -> String {
    const MAX_LISTED: usize = 10;
    let mut listed: Vec<String> = names.into_iter().take(MAX_LISTED).map(str::to_owned).collect();
    if count > MAX_LISTED {
        listed.push(format!("{} more", count - MAX_LISTED));
    }
    listed.join(", ")
}

/// A number or a boolean as the text that was meant; `None` for every other value.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The type of a JSON value, for a message about a whole document.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::type_name;
/// assert_eq!((type_name(&json!(null)), type_name(&json!([1]))), ("nothing", "a list"));
/// ```
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// The type and value of a JSON value, for a message.
pub(crate) fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {}", quoted(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}
