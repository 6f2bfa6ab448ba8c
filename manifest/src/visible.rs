//! Text of users for people: every character of it can be seen.

use std::borrow::Cow;

use xposer::internal::is_hidden;

/// A text for one line of a terminal or a log. Control characters, line breaks, characters without a width and those that turn
/// the direction of the text are written as Rust writes them, for example `\u{1b}`, because a terminal would obey them, or
/// hide what stands there.
///
/// ```
/// use xposer_manifest::visible;
/// assert_eq!(visible("häuser: `a b`"), "häuser: `a b`");
/// assert_eq!(visible("a\u{1b}[2J\u{202e}b\n"), r"a\u{1b}[2J\u{202e}b\n");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, "")
}

/// The same for a text of several lines: line breaks and tabs stay as they are.
///
/// ```
/// assert_eq!(xposer_manifest::visible_lines("a:\n\tb\u{7}"), "a:\n\tb\\u{7}");
/// ```
#[must_use]
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, "\n\t")
}

fn escaped<'t>(text: &'t str, kept: &str) -> Cow<'t, str> {
    let is_escaped = |character: char| is_hidden(character) && !kept.contains(character);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_escaped(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_lines};
    use xposer::internal::is_hidden;

    /// The core has the table; every character of it is escaped here, too.
    #[test]
    fn what_the_core_calls_hidden_is_escaped() {
        for character in ('\0'..=char::MAX).filter(|character| is_hidden(*character)) {
            let text = format!("a{character}b");
            assert_eq!(visible(&text), format!("a{}b", character.escape_default()));
            let stays = matches!(character, '\n' | '\t');
            assert_eq!(visible_lines(&text) == text, stays);
        }
    }
}
