//! Makes every character in texts of users visible.

use std::borrow::Cow;

use xposer::internal::{escaped, is_hidden};

/// Escapes a text for one line of a terminal or a log. Control characters, line breaks, characters without width, and characters
/// that change the direction of the text are written in Rust's notation, for example `\u{1b}`. Otherwise a terminal would obey
/// them, or hide parts of the text.
///
/// ```
/// use xposer_manifest::visible;
/// assert_eq!(visible("häuser: `a b`"), "häuser: `a b`");
/// assert_eq!(visible("a\u{1b}[2J\u{202e}b\n"), r"a\u{1b}[2J\u{202e}b\n");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.contains(is_hidden) { Cow::Owned(escaped(text)) } else { Cow::Borrowed(text) }
}

/// The same for a text of several lines: line breaks and tabs are kept.
///
/// ```
/// assert_eq!(xposer_manifest::visible_lines("a:\n\tb\u{7}"), "a:\n\tb\\u{7}");
/// ```
#[must_use]
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    let is_kept = |character: char| matches!(character, '\n' | '\t');
    if !text.contains(|character: char| is_hidden(character) && !is_kept(character)) {
        return Cow::Borrowed(text);
    }
    let parts = text.split_inclusive(is_kept).flat_map(|part| {
        let (text, end) = part.split_at(part.trim_end_matches(is_kept).len());
        [visible(text), Cow::Borrowed(end)]
    });
    Cow::Owned(parts.collect())
}

#[cfg(test)]
mod tests {
    use super::{is_hidden, visible, visible_lines};

    /// The core has the table of hidden characters; each of them must be escaped here as well.
    #[test]
    fn hidden_characters_of_the_core_are_escaped() {
        for character in ('\0'..=char::MAX).filter(|character| is_hidden(*character)) {
            let text = format!("a{character}b");
            assert_eq!(visible(&text), format!("a{}b", character.escape_default()));
            let stays = matches!(character, '\n' | '\t');
            assert_eq!(visible_lines(&text) == text, stays);
        }
    }
}
