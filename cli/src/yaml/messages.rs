//! Syntax errors in words that help someone who has never read the YAML specification.

use super::emit::is_printable;
use super::tree::MAX_DEPTH;
use granit_parser::ErrorKind;

pub(super) const OPEN_BRACE: &str = "add the `}`, or put the value in quotes if it is text";
pub(super) const OPEN_BRACKET: &str = "add the `]`, or put the value in quotes if it is text";
pub(super) const OPEN_QUOTE: &str = "add the closing quote";
pub(super) const IN_BRACES: &str = "add the `,`, or the `}` that closes the mapping";
pub(super) const IN_BRACKETS: &str = "add the `,`, or the `]` that closes the list";

/// How much of a text is quoted in a message, in characters.
const EXCERPT_LENGTH: usize = 80;

/// The message and perhaps the advice for a syntax error at `offset`.
pub(super) fn syntax_error(text: &str, offset: usize, kind: &ErrorKind) -> (String, Option<String>) {
    let (message, help) = match kind {
        ErrorKind::RecursionLimitExceeded => (too_deep(), None),
        ErrorKind::UnexpectedCharacter { character } => unexpected_character(*character),
        kind => match explain(kind) {
            Some((message, help)) => (message.to_owned(), Some(help).filter(|help| !help.is_empty())),
            None => (tidy(&kind.to_string()), None),
        },
    };
    let help = template_help(text, offset).or_else(|| help.map(str::to_owned));
    (message, help)
}

fn unexpected_character(character: char) -> (String, Option<&'static str>) {
    if is_printable(character) {
        (format!("a value cannot begin with `{character}`"), Some("quote the value"))
    } else {
        let code = u32::from(character);
        (
            format!("the control character U+{code:04X} is not allowed"),
            Some("remove it, or escape it in double quotes"),
        )
    }
}

/// Own words and advice (empty if there is none) for the mistakes that happen; the parser's words do for the
/// rest.
fn explain(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        ErrorKind::UnclosedQuotedScalar => ("the quote opened here is never closed", OPEN_QUOTE),
        ErrorKind::UnclosedFlowCollection { open: '[' } => {
            ("the bracket `[` opened here is never closed", OPEN_BRACKET)
        }
        ErrorKind::UnclosedFlowCollection { .. } => ("the brace `{` opened here is never closed", OPEN_BRACE),
        ErrorKind::MisplacedFlowCollectionEnd => (
            "a closing bracket without an opening one",
            "remove it, or put the value in quotes if it is text",
        ),
        ErrorKind::DocumentIndicatorInQuotedScalar => {
            ("the quote opened here is not closed before the document ends", "")
        }
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation | ErrorKind::TabNotAllowed => {
            ("a tab is used for indentation", "indent with spaces")
        }
        ErrorKind::TabAtBlockScalarStart => {
            ("the text block begins with a tab", "indent its lines with spaces")
        }
        ErrorKind::MappingValueNotAllowed => (
            "a `:` followed by a blank cannot stand here",
            "quote the value if the `:` is part of it, or check the indentation",
        ),
        ErrorKind::ExpectedBlockMappingKey => {
            ("a key was expected here", "check the indentation: it must be that of the keys above")
        }
        ErrorKind::ExpectedBlockSequenceEntry => (
            "an item beginning with `- ` was expected here",
            "check the indentation: it must be that of the items above",
        ),
        ErrorKind::ExpectedFlowMappingSeparator => ("expected a `,` or `}`", IN_BRACES),
        ErrorKind::ExpectedFlowSequenceSeparator => ("expected a `,` or `]`", IN_BRACKETS),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("a key without its `:`", "check the indentation, or add the `:`")
        }
        ErrorKind::BlockSequenceEntryNotAllowed => {
            ("a `- ` cannot stand here", "put the item on a line of its own")
        }
        ErrorKind::BlockEntryInFlowCollection => ("a `-` cannot stand inside brackets", "quote it"),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            ("unexpected text after a closing quote", "quote the whole value, or escape the quotes inside it")
        }
        ErrorKind::UnknownQuotedScalarEscape => (
            "an escape sequence in this string is not valid",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ErrorKind::MissingAnchorOrAliasName => {
            ("a value that begins with `&` or `*` must go on with a name", "quote it if it is meant as text")
        }
        ErrorKind::CommentInterceptedScalar => {
            ("a comment interrupts a value of several lines", "check the indentation of the next line")
        }
        ErrorKind::ExpectedDocumentStart => (
            "unexpected text after the end of the document",
            "separate documents with a line `---`, or check the indentation",
        ),
        ErrorKind::BomInsideDocument => (
            "a byte order mark stands in the middle of the text",
            "remove it; it is often left behind when files are joined",
        ),
        _ => return None,
    })
}

/// The message for a text that exceeds [`MAX_DEPTH`].
pub(super) fn too_deep() -> String {
    format!("maps and sequences are nested more than {MAX_DEPTH} levels deep")
}

/// The advice for a template that nobody has rendered yet.
pub(crate) const TEMPLATE_HELP: &str = "this looks like a template: render it first, for example with `helm template`, or quote the value that contains `{{`";

/// Advice where the line shows that the text is a template nobody has rendered yet.
pub(super) fn template_help(text: &str, offset: usize) -> Option<String> {
    let before = text.get(..offset)?;
    let start = before.rfind('\n').map_or(0, |position| position + 1);
    let line = text.get(start..)?.lines().next()?;
    line.contains("{{").then(|| TEMPLATE_HELP.to_owned())
}

/// A message in the form of this program: lower case and without the details that say nothing to a user.
fn tidy(message: &str) -> String {
    let message = message.trim_end_matches('.');
    let mut characters = message.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters.map(visible)).collect(),
        None => "this is not valid YAML".to_owned(),
    }
}

/// A character that cannot disturb a terminal, nor hide in it.
fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        _ if is_printable(character) => character,
        _ => '\u{fffd}',
    }
}

/// The first line of a text, cut to a readable length and fit for a terminal; `None` if nothing is left.
pub(super) fn excerpt(text: &str) -> Option<String> {
    let line = text.lines().next()?.trim();
    if line.is_empty() {
        return None;
    }
    let mut excerpt: String = line.chars().take(EXCERPT_LENGTH).map(visible).collect();
    if line.chars().nth(EXCERPT_LENGTH).is_some() {
        excerpt.push('…');
    }
    Some(excerpt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_harmless() {
        assert_eq!(excerpt(""), None);
        assert_eq!(excerpt(" \nb"), None);
        assert_eq!(excerpt(" a\nb").as_deref(), Some("a"));
        assert_eq!(excerpt("a\u{1b}[2Jb").as_deref(), Some("a\u{fffd}[2Jb"));
        assert_eq!(excerpt(&"é".repeat(81)), Some(format!("{}…", "é".repeat(80))));
    }
}
