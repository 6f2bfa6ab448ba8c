//! The syntax errors of a text, in words for people who have not read the YAML specification.

use crate::text::{BLANKS, MAX_DEPTH, bytes};
use crate::write::is_printable;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::granit_parser::{ErrorKind, ScanError};
use serde_saphyr::localizer::ExternalMessageSource;
use serde_saphyr::{Error, Location};
use std::ops::Range;

const OPEN_BRACE: &str = "add the `}`, or put the value in quotes if it is text";
const OPEN_BRACKET: &str = "add the `]`, or put the value in quotes if it is text";
const IN_BRACES: &str = "add the `,`, or the `}` that closes the mapping";
const IN_BRACKETS: &str = "add the `,`, or the `]` that closes the list";
const IF_TEXT: &str = "quote the value if it is meant as text";
const IF_SIGN: &str = "quote the value if the character is part of it";
const IF_TAG: &str = "remove the tag, or put the value in quotes";
const ESCAPE: &str = "write `\\\\` for a backslash";
const FEWER_ALIASES: &str = "write the value itself instead of an alias";
const INDENTATION: &str = "check the indentation: it must be that of the lines above";
/// The message for errors that practically never occur.
const NO_YAML: (&str, &str) =
    ("this is not valid YAML", "check the indentation, the quotes and the brackets of the marked text");
const IF_BINARY: &str =
    "remove the tag: Kubernetes objects contain binary data as a base64 string without a tag";
/// The help for a template that is not rendered yet.
pub(crate) const TEMPLATE_HELP: &str = "this looks like a template: render it first, for example with `helm template`, or quote the value that contains `{{`";

/// The maximum length of a quoted text in a message, in characters.
const EXCERPT_LENGTH: usize = 80;

/// An error in a text, without its line.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
    pub(crate) help: Option<&'static str>,
    /// For a repeated key, the position of its first occurrence.
    pub(crate) first: Option<usize>,
}

impl Flaw {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { message: message.into(), span, help: None, first: None }
    }

    pub(crate) fn help(self, help: &'static str) -> Self {
        Self { help: Some(help), ..self }
    }

    /// Returns the same flaw for a text with this number of additional bytes at its start.
    pub(crate) fn moved(self, by: usize) -> Self {
        let span = self.span.start + by..self.span.end + by;
        Self { span, first: self.first.map(|first| first + by), ..self }
    }
}

/// The flaw of an error of `serde_json`; `None` if the text may be YAML in flow style.
pub(crate) fn of_json(at: usize, error: &serde_json::Error) -> Option<Flaw> {
    let text = error.to_string();
    let (message, at, help) = match text.split(" at line ").next().unwrap_or_default() {
        "expected `:`" => ("expected a `:` after the key", at, "write `\"key\": value`"),
        "expected `,` or `}`" => ("expected a `,` or `}`", at, IN_BRACES),
        "expected `,` or `]`" => ("expected a `,` or `]`", at, IN_BRACKETS),
        "invalid escape" | "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            ("an escape sequence in this string is not valid", at, ESCAPE)
        }
        // In this case, the column is that of the previous byte.
        "control character (\\u0000-\\u001F) found while parsing a string" => (
            "a control character or line break inside a string must be escaped",
            at + 1,
            "write `\\n` for the end of a line, and `\\t` for a tab",
        ),
        _ => return None,
    };
    Some(Flaw::new(at..at, message).help(help))
}

/// The byte range of a location. For an alias, the library only gives its first character.
fn place(text: &str, location: &Location) -> Range<usize> {
    if location.span().byte_offset().is_some() {
        return bytes(location);
    }
    let characters = usize::try_from(location.span().offset()).unwrap_or(usize::MAX);
    let start = text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find([' ', '\t', '\r', '\n', ',', ']', '}']).unwrap_or(rest.len());
    start..start + end
}

/// The flaw of an error of the YAML library.
pub(crate) fn of_yaml(text: &str, error: &Error) -> Flaw {
    let span = error.location().map(|location| place(text, &location)).unwrap_or_default();
    let written = text.get(span.clone()).unwrap_or_default();
    let alias = excerpt(written);
    match error.without_snippet() {
        Error::AliasError { error, .. } => of_yaml(text, error),
        Error::ExternalMessage { source, .. } => match &**source {
            ExternalMessageSource::Parser(error) => syntax_error(text, error),
            _ => Flaw::new(span, NO_YAML.0).help(NO_YAML.1),
        },
        Error::Unexpected { expected: "string scalar", .. } => {
            let kind = if written.starts_with(['[', '-']) { "a sequence" } else { "a map" };
            let flaw = Flaw::new(span.start..span.start, format!("a key must be a string, found {kind}"));
            flaw.help(template_help(text, span.start).unwrap_or("write one word as the key, or quote it"))
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. }
        | Error::AliasReplayStackDepthExceeded { .. } => too_deep(span.start),
        Error::Budget { .. } | Error::AliasReplayLimitExceeded { .. } => {
            let aliases = if written.starts_with('*') {
                format!("up to `{alias}`")
            } else {
                "of this value".to_owned()
            };
            Flaw::new(span, format!("the aliases {aliases} expand to more than is allowed"))
                .help(FEWER_ALIASES)
        }
        Error::UnknownAnchor { .. } => {
            let anchor = alias.replacen('*', "&", 1);
            let message =
                format!("the alias `{alias}` refers to no anchor `{anchor}` before it in this document");
            Flaw::new(span, message).help(IF_TEXT)
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            Flaw::new(span, format!("the alias `{alias}` is part of the value it refers to"))
                .help(FEWER_ALIASES)
        }
        Error::MergeValueNotMapOrSeqOfMaps { .. } => {
            Flaw::new(span, "the value of the merge key `<<` must be a map or a sequence of maps")
                .help("write an alias of a map there: `<<: *name`")
        }
        Error::UnsupportedTag { tag, .. } => unsupported_tag(span, tag),
        Error::InvalidScalar { .. } | Error::InvalidBooleanStrict { .. } => tag_does_not_fit(text, span),
        Error::InvalidBinaryBase64 { .. } | Error::BinaryNotUtf8 { .. } => {
            tag_does_not_fit(text, span).help(IF_BINARY)
        }
        Error::TaggedScalarCannotDeserializeIntoString { .. } | Error::NullIntoString { .. } => {
            let tag = tag_before(text, span.start).unwrap_or_default();
            unsupported_tag(span, tag)
        }
        _ => Flaw::new(span, NO_YAML.0).help(NO_YAML.1),
    }
}

fn syntax_error(text: &str, error: &ScanError) -> Flaw {
    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let (message, help) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return too_deep(at),
        ErrorKind::UnexpectedCharacter { character } => unexpected_character(*character),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("the `{open}` is closed by `{close}`"), "close the innermost bracket first")
        }
        kind => {
            let (message, help) = explain(kind);
            (message.to_owned(), help)
        }
    };
    Flaw::new(at..at, message).help(template_help(text, at).unwrap_or(help))
}

pub(crate) fn too_deep(at: usize) -> Flaw {
    Flaw::new(at..at, format!("maps and sequences are nested more than {MAX_DEPTH} levels deep"))
        .help("check the brackets and the indentation, or nest them less")
}

pub(crate) fn empty_key(span: Range<usize>) -> Flaw {
    Flaw::new(span, "a key is missing before the `:`").help(IF_TEXT)
}

pub(crate) fn duplicate_key(key: &str, first: &Range<usize>, again: Range<usize>) -> Flaw {
    let flaw = Flaw::new(again, format!("duplicate key `{}`", excerpt(key))).help("remove one of the two");
    Flaw { first: Some(first.start), ..flaw }
}

pub(crate) fn not_finite(span: Range<usize>, written: &str) -> Flaw {
    Flaw::new(span, format!("the number `{}` cannot be part of a Kubernetes object", excerpt(written)))
        .help("quote it if it is meant as text")
}

/// The flaw of a scalar whose tag names another type than its value has.
pub(crate) fn tag_does_not_fit(text: &str, span: Range<usize>) -> Flaw {
    let written = text.get(span.clone()).unwrap_or_default();
    let quote = written.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    let inner = quote.and_then(|quote| written.strip_prefix(quote)?.strip_suffix(quote));
    let value = excerpt(inner.unwrap_or(written));
    // A comment may hide the tag.
    let tag = tag_before(text, span.start).map(|tag| format!(" `{}`", excerpt(tag))).unwrap_or_default();
    Flaw::new(span, format!("the value `{value}` does not fit its tag{tag}"))
        .help("remove the tag, or correct the value")
}

/// The tag of the scalar that starts at `start`. An anchor or the header of a block scalar may be in between.
pub(crate) fn tag_before(text: &str, start: usize) -> Option<&str> {
    let mut before = text.get(..start)?.trim_end_matches(BLANKS);
    loop {
        let word = before.rsplit([' ', '\t', '\r', '\n', '[', '{', ',']).next()?;
        // A verbatim tag such as `!<tag:yaml.org,2002:int>` may contain a comma.
        let verbatim = before.rsplit(BLANKS).next()?;
        let word = verbatim.rfind("!<").and_then(|at| verbatim.get(at..)).unwrap_or(word);
        if word.starts_with('!') && !word.ends_with(':') {
            return Some(word);
        }
        if !word.starts_with(['&', '|', '>']) {
            return None;
        }
        before = before.strip_suffix(word)?.trim_end_matches(BLANKS);
    }
}

fn unsupported_tag(span: Range<usize>, tag: &str) -> Flaw {
    let name = excerpt(&tag.replace("tag:yaml.org,2002:", "!!"));
    if ["!vault", "!vault-encrypted"].contains(&name.as_str()) {
        let message = format!("the value is encrypted by Ansible Vault, as its tag `{name}` says");
        return Flaw::new(span, message)
            .help("decrypt it first, and write the value in plain, without the tag");
    }
    Flaw::new(span, format!("the tag `{name}` is not supported")).help(IF_TAG)
}

fn unexpected_character(character: char) -> (String, &'static str) {
    if is_printable(character) {
        return (format!("a value cannot begin with `{character}`"), "quote the value");
    }
    let code = u32::from(character);
    let help = "remove it, or escape it in double quotes";
    (format!("the control character U+{code:04X} is not allowed"), help)
}

/// The message and the help for a kind of error. None is the parser's own message, because users have not read the specification.
fn explain(kind: &ErrorKind) -> (&'static str, &'static str) {
    match kind {
        ErrorKind::UnclosedQuotedScalar => ("the quote opened here is never closed", "add the closing quote"),
        ErrorKind::UnclosedFlowCollection { open: '[' } => {
            ("the bracket `[` opened here is never closed", OPEN_BRACKET)
        }
        ErrorKind::UnclosedFlowCollection { .. } => ("the brace `{` opened here is never closed", OPEN_BRACE),
        ErrorKind::MisplacedFlowCollectionEnd => (
            "a closing bracket without an opening one",
            "remove it, or put the value in quotes if it is text",
        ),
        ErrorKind::DocumentIndicatorInQuotedScalar => {
            ("the quote opened here is not closed before the document ends", "add the closing quote")
        }
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation | ErrorKind::TabNotAllowed => {
            ("a tab is used for indentation", "indent with spaces")
        }
        ErrorKind::TabAtBlockScalarStart => {
            ("the text block begins with a tab", "indent its lines with spaces")
        }
        ErrorKind::MappingValueNotAllowed => (
            "a `:` followed by a blank is not allowed here",
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
            ("a `- ` is not allowed here", "put the item on a line of its own")
        }
        ErrorKind::BlockEntryInFlowCollection => ("a `-` is not allowed inside brackets", "quote it"),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            ("unexpected text after a closing quote", "quote the whole value, or escape the quotes inside it")
        }
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::InvalidUnicodeEscape => (
            "an escape sequence in this string is not valid",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ErrorKind::MissingAnchorOrAliasName => {
            ("a value that begins with `&` or `*` must go on with a name", "quote it if it is meant as text")
        }
        ErrorKind::CommentInterceptedScalar => {
            ("a comment interrupts a value of several lines", "check the indentation of the next line")
        }
        ErrorKind::ExpectedDocumentStart | ErrorKind::InvalidDocumentEnd => (
            "unexpected text after the end of the document",
            "separate documents with a line `---`, or check the indentation",
        ),
        ErrorKind::BomInsideDocument => (
            "the text contains a byte order mark after its beginning",
            "remove it; it is often left behind when files are joined",
        ),
        ErrorKind::DuplicateVersionDirective
        | ErrorKind::UnsupportedYamlMajorVersion
        | ErrorKind::DuplicateTagDirective
        | ErrorKind::MissingDocumentEndBeforeDirective
        | ErrorKind::ExpectedTagDirectiveBang
        | ErrorKind::InvalidDirectiveTerminator
        | ErrorKind::DirectiveDisallowed
        | ErrorKind::MissingYamlVersionSeparator
        | ErrorKind::MissingDirectiveName
        | ErrorKind::InvalidDirectiveName
        | ErrorKind::DirectiveByteLimitExceeded { .. }
        | ErrorKind::TooManyReservedDirectiveParams { .. }
        | ErrorKind::YamlVersionTooLong
        | ErrorKind::MissingYamlVersion
        | ErrorKind::InvalidTagDirectiveTerminator => (
            "this line, which begins with `%`, cannot be read",
            "remove it, or quote the value if it is meant as text",
        ),
        ErrorKind::ExpectedTagBang
        | ErrorKind::UndeclaredTagHandle
        | ErrorKind::InvalidGlobalTagCharacter
        | ErrorKind::InvalidTagTerminator
        | ErrorKind::MissingTagUri
        | ErrorKind::UnclosedVerbatimTag
        | ErrorKind::InvalidTagEscape
        | ErrorKind::InvalidTagUtf8LeadingByte
        | ErrorKind::InvalidTagUtf8TrailingByte
        | ErrorKind::InvalidTagUtf8 => ("a tag, which begins with `!`, cannot be read", IF_TAG),
        ErrorKind::InvalidIndentation
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidFlowScalarIndent => {
            ("the indentation of this line does not fit the lines above", INDENTATION)
        }
        ErrorKind::ExpectedWhitespace | ErrorKind::CommentNotSeparated => {
            ("a blank is missing before this", "write a blank there, or quote the whole value")
        }
        ErrorKind::InvalidBlockEntryWhitespace | ErrorKind::InvalidMappingValueWhitespace => {
            ("a blank is missing after the `-` or `:`", "write a blank there, or quote the whole value")
        }
        ErrorKind::ZeroBlockScalarIndent | ErrorKind::InvalidBlockScalarHeader => {
            ("unexpected text after the `|` or `>` of a text block", "begin the text on the next line")
        }
        ErrorKind::PlainScalarStartsWithDashFlowIndicator
        | ErrorKind::FlowMappingValueAdjacentCollection
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::MappingKeyNotAllowed => ("a `-`, `:` or `?` is not allowed here", IF_SIGN),
        ErrorKind::TabInPlainScalar => {
            ("a value contains a tab", "replace it by a blank, or quote the value")
        }
        ErrorKind::ExpectedNodeContent | ErrorKind::UnexpectedEndOfPlainScalar => {
            ("a value was expected here", "write one, or remove the text before it")
        }
        ErrorKind::UnexpectedEofFlowSequence => ("a bracket `[` is never closed", OPEN_BRACKET),
        ErrorKind::UnexpectedEofFlowMapping | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            ("a brace `{` is never closed", OPEN_BRACE)
        }
        _ => NO_YAML,
    }
}

/// The help if the line shows that the text is an unrendered template.
fn template_help(text: &str, at: usize) -> Option<&'static str> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |position| position + 1);
    let is_template = text.get(start..)?.lines().next()?.contains("{{");
    is_template.then_some(TEMPLATE_HELP)
}

/// Replaces a character that could control a terminal or be invisible.
fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        _ if is_printable(character) => character,
        _ => '\u{fffd}',
    }
}

/// The first line of a text, shortened and safe for a terminal.
fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    let mut excerpt: String = line.chars().take(EXCERPT_LENGTH).map(visible).collect();
    if line.chars().nth(EXCERPT_LENGTH).is_some() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_harmless() {
        assert_eq!(excerpt(" a\nb"), "a");
        assert_eq!(excerpt("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(excerpt(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }
}
