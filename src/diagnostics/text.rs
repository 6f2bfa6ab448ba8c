//! Texts and lists of names in messages.

use std::borrow::Borrow;

use serde_json::Value;

/// Joins a message and its help as `MESSAGE; HELP`, in at most `max` bytes.
///
/// If both together are longer, the message is cut. The help is cut only if it takes more than a third of the bytes.
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

/// Cuts the text at a character boundary if it has more than `max` bytes.
pub(crate) fn cut(text: &str, max: usize) -> String {
    const MARK: &str = "...";
    if text.len() <= max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(max.saturating_sub(MARK.len()));
    format!("{}{MARK}", text.get(..end).unwrap_or_default().trim_end())
}

/// Formats a character for a message.
pub(crate) fn quoted_char(character: char) -> String {
    match character {
        ' ' => "a blank".to_owned(),
        '`' => "a backquote".to_owned(),
        _ => quoted(&character.to_string()),
    }
}

/// Formats `text` for a message: in backquotes, with invisible characters escaped, and cut after 80 characters.
pub(crate) fn quoted(text: &str) -> String {
    const MAX_CHARACTERS: usize = 80;
    let mut out = String::from("`");
    for (count, character) in text.chars().enumerate() {
        if count == MAX_CHARACTERS {
            out.push('…');
            break;
        }
        push_escaped(&mut out, character);
    }
    out.push('`');
    out
}

/// Formats two texts for one message, each as [`quoted`] does. A long beginning that they share is left out.
pub(crate) fn quoted_pair(old: &str, new: &str) -> (String, String) {
    let start = start_of_difference(old, new, 80);
    let shown = |text: &str| {
        let rest = text.get(start..).unwrap_or_default();
        if start == 0 { quoted(rest) } else { quoted(&["…", rest].concat()) }
    };
    (shown(old), shown(new))
}

/// Returns the place from which two texts have to be shown so that their first `max` bytes contain the place where they differ: 0,
/// or the beginning of the item or word that differs.
///
/// ```
/// use xposer::internal::start_of_difference;
/// assert_eq!(start_of_difference("GET", "GET, PUT", 20), 0);
/// let (old, new) = ("https://shop.example.com, https://a.example.com", "https://shop.example.com, https://b.example.com");
/// assert_eq!(&new[start_of_difference(old, new, 20)..], "https://b.example.com");
/// ```
#[must_use]
pub fn start_of_difference(old: &str, new: &str, max: usize) -> usize {
    let same = old.bytes().zip(new.bytes()).take_while(|(left, right)| left == right).count();
    if same < max / 2 || old.len().max(new.len()) <= max {
        return 0;
    }
    let at = old.floor_char_boundary(same);
    // Without a separator nearby, some characters before the difference are shown.
    let near = old.floor_char_boundary(at.saturating_sub(max / 2));
    let before = old.get(near..at).unwrap_or_default();
    before.rfind([',', ' ', ';', '\n']).map_or(near, |separator| near + separator + 1)
}

/// Escapes each invisible character in Rust's notation, for example `\u{1b}`.
///
/// ```
/// use xposer::internal::escaped;
/// assert_eq!(escaped("a\u{202e}b\n"), r"a\u{202e}b\n");
/// ```
#[must_use]
pub fn escaped(text: &str) -> String {
    visible(text.to_owned())
}

/// The same as [`escaped`], for an owned text.
pub(crate) fn visible(text: String) -> String {
    // A fast path for nearly all texts: comparing bytes is much cheaper than characters, and a loop without an early exit is
    // vectorised.
    if text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~')) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|character| push_escaped(&mut out, character));
    out
}

fn push_escaped(out: &mut String, character: char) {
    if is_hidden(character) {
        out.extend(character.escape_default());
    } else {
        out.push(character);
    }
}

/// Whether a character is invisible or deceptive: a control character, a character without width, one that changes the direction of
/// the text or annotates it, or white space other than the space. Such characters are escaped in every text from users that people
/// read.
///
/// These are Unicode's controls and formats (Cc, Cf), the characters that may be displayed as nothing
/// (`Default_Ignorable_Code_Point`), and white space except the space.
///
/// ```
/// use xposer::internal::is_hidden;
/// assert!("\u{1b}\u{ad}\u{202e}\u{2066}\u{feff}\u{a0}\n".chars().all(is_hidden));
/// assert!(!"häuser 家 ❤ 🏠".contains(is_hidden));
/// ```
#[must_use]
pub fn is_hidden(character: char) -> bool {
    /// The inclusive ranges of hidden characters, without those that `char` itself can tell: controls and white space.
    const HIDDEN: [(u32, u32); 25] = [
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x600, 0x605),
        (0x61c, 0x61c),
        (0x6dd, 0x6dd),
        (0x70f, 0x70f),
        (0x890, 0x891),
        (0x8e2, 0x8e2),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200f),
        (0x202a, 0x202e),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfffb),
        (0x110bd, 0x110bd),
        (0x110cd, 0x110cd),
        (0x13430, 0x1343f),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0xe0000, 0xe0fff),
    ];
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    let code = u32::from(character);
    let is_listed = || HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&code));
    character.is_control() || character.is_whitespace() || is_listed()
}

/// Joins the items of a list in a sentence: commas between them, and `last` before the last one.
///
/// ```
/// use xposer::internal::joined;
/// assert_eq!(joined(&["a", "b", "c"], " or "), "a, b or c");
/// assert_eq!(joined(&["a"], " or "), "a");
/// ```
#[must_use]
pub fn joined<T: Borrow<str>>(items: &[T], last: &str) -> String {
    match items {
        [all @ .., end] if !all.is_empty() => [&all.join(", "), last, end.borrow()].concat(),
        _ => items.concat(),
    }
}

/// Joins the `shown` items of a longer list with the number of further ones; `all` is the number of all items.
///
/// ```
/// use xposer::internal::with_rest;
/// assert_eq!(with_rest(vec!["a".to_owned(), "b".to_owned()], 5, " and "), "a, b and 3 more");
/// ```
#[must_use]
pub fn with_rest(mut shown: Vec<String>, all: usize, last: &str) -> String {
    if all > shown.len() {
        shown.push(format!("{} more", all - shown.len()));
    }
    joined(&shown, last)
}

/// Lists names for a message: at most ten of them, and the number of further names.
pub(crate) fn listed(names: &[String], last: &str) -> String {
    const MAX_LISTED: usize = 10;
    let shown = names.iter().take(MAX_LISTED).cloned().collect();
    with_rest(shown, names.len(), last)
}

/// The help that names what can be chosen: at least one name.
pub(crate) fn choose(names: &[String]) -> String {
    let of = if names.len() > 2 { "choose one of " } else { "choose " };
    [of, &listed(names, " or ")].concat()
}

/// The words that are accepted, behind `expected` or `write`.
pub(crate) fn one_of(words: &[&str]) -> String {
    let of = if words.len() > 2 { "one of " } else { "" };
    [of, &joined(words, " or ")].concat()
}

/// The text that a number or a boolean was probably meant as; `None` for any other value.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns the type of a JSON value, for a message about a whole document.
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

/// Returns the type and the value of a JSON value, for a message.
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

#[cfg(test)]
mod tests {
    use super::{is_hidden, quoted};

    /// Unicode 16, general category Cf.
    const FORMATS: &str = "ad 600-605 61c 6dd 70f 890-891 8e2 180e 200b-200f 202a-202e 2060-2064 2066-206f feff fff9-fffb 110bd \
        110cd 13430-1343f 1bca0-1bca3 1d173-1d17a e0001 e0020-e007f";
    /// Unicode 16, `Default_Ignorable_Code_Point`, and the bidirectional controls among them.
    const IGNORABLE: &str = "ad 34f 61c 115f-1160 17b4-17b5 180b-180f 200b-200f 202a-202e 2060-206f 3164 fe00-fe0f feff ffa0 \
        fff0-fff8 1bca0-1bca3 1d173-1d17a e0000-e0fff";
    /// Zs without the space, Zl, Zp, and the control characters.
    const BLANKS: &str = "a0 1680 2000-200a 2028-2029 202f 205f 3000 0-1f 7f-9f";

    fn characters(ranges: &str) -> impl Iterator<Item = char> {
        let code = |text: &str| u32::from_str_radix(text, 16).unwrap();
        ranges.split_whitespace().flat_map(move |range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            (code(first)..=code(last)).filter_map(char::from_u32)
        })
    }

    #[test]
    fn no_character_is_hidden_in_a_message() {
        for character in [FORMATS, IGNORABLE, BLANKS].into_iter().flat_map(characters) {
            assert!(is_hidden(character), "U+{:04X}", u32::from(character));
            let message = quoted(&format!("a{character}b"));
            assert_eq!(message, format!("`a{}b`", character.escape_default()));
            assert!(!message.contains(is_hidden), "{message:?}");
        }
    }

    /// No other character is escaped: a table with too many characters would make names unreadable.
    #[test]
    fn visible_characters_are_not_escaped() {
        let hidden: std::collections::HashSet<char> =
            [FORMATS, IGNORABLE, BLANKS].into_iter().flat_map(characters).collect();
        assert!(('\0'..=char::MAX).all(|character| is_hidden(character) == hidden.contains(&character)));
        for text in ["häuser a\u{301}", "नमस्ते", "ไทย", "שלום عربي", "家族", "🏠", "a b"]
        {
            assert_eq!(quoted(text), format!("`{text}`"));
        }
    }
}
