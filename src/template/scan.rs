//! Splits a template into literal text and actions.

use std::ops::Range;

use super::Var;
use crate::diagnostics::{Code, Problem};

/// A piece of a template. Ranges are byte ranges in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Literal text, without the blanks that the trim marker of a neighbouring action removes.
    Text(Range<usize>),
    /// An action that is only a variable; the range is the variable with its dot.
    Variable(Var, Range<usize>),
    /// Any other action: the text between the delimiters, without trim markers and blanks.
    Action(Range<usize>),
}

/// Returns the pieces of `text`, without comments; `None` if only Handlebars can parse the text.
pub(super) fn pieces(text: &str) -> Result<Option<Vec<Piece>>, Problem> {
    let mut pieces = Vec::with_capacity(8);
    let mut at = 0;
    let mut trim_next = false;
    let mut spaced_comment = None;
    while let Some(open) = find(text, at, b"{{") {
        let (from, trim_left) = match trim_marker_after(text, open + 2) {
            Some(after) => (after, true),
            None => (open + 2, false),
        };
        push_text(text, at..open, trim_next, trim_left, &mut pieces);
        let rest = text.get(from..).unwrap_or_default();
        // A comment directly follows the delimiter, or the trim marker and blanks.
        let inside = rest.trim_start();
        let comment = if trim_left { inside } else { rest };
        if comment.starts_with("/*") {
            (at, trim_next) = comment_end(text, open, text.len() - comment.len())?;
            continue;
        }
        // A blank before the comment is invalid in both languages, and only the rest of the text tells which language it is.
        if inside.starts_with("/*") {
            let start = text.len() - inside.len();
            let problem = Problem::new(Code::TemplateSyntax, "this comment cannot be read");
            let help = "write the comment right behind the braces: {{/* .. */}}";
            spaced_comment.get_or_insert(problem.help(help).at(start..start + 1));
            at = find(text, start, b"}}").map_or(text.len(), |close| close + 2);
            trim_next = false;
            continue;
        }
        if inside.starts_with(['#', '/', '^', '>', '&', '!', '@', '{', '~']) {
            return Ok(None);
        }
        let close = action_end(text, open, from)?;
        let body = text.get(from..close).unwrap_or_default();
        let (body, trim_right) = match body.strip_suffix('-') {
            Some(shorter) if shorter.ends_with(BLANKS) => (shorter, true),
            _ => (body, false),
        };
        pieces.push(classify(body, from));
        at = close + 2;
        trim_next = trim_right;
    }
    push_text(text, at..text.len(), trim_next, false, &mut pieces);
    spaced_comment.map_or(Ok(Some(pieces)), Err)
}

/// Whether actions that are invalid in Go's syntax were meant as Handlebars: one contains a sign that only Handlebars has, and none
/// contains a sign that only Go has.
pub(super) fn means_handlebars(text: &str, pieces: &[Piece]) -> bool {
    let mut found = false;
    for piece in pieces {
        let (Piece::Variable(_, range) | Piece::Action(range)) = piece else { continue };
        let action = text.get(range.clone()).unwrap_or_default();
        if ["if ", "with ", "end", "else"].iter().any(|word| action.starts_with(word)) {
            return false;
        }
        found |= action.ends_with('~');
        for word in action.split(|c| BLANKS.contains(&c) || matches!(c, '(' | ')')) {
            match word.as_bytes() {
                [b'$' | b'|' | b'`', ..] | [b'.', b'a'..=b'z' | b'A'..=b'Z', ..] => return false,
                [b'.', b'.' | b'/', ..] | [b'\'' | b'@', ..] => found = true,
                _ => {
                    let name = word.split_once('=').map_or("", |(name, _)| name);
                    found |= word.starts_with("this.") || !matches!(name, "" | ":");
                }
            }
        }
    }
    found
}

fn find(text: &str, from: usize, what: &[u8; 2]) -> Option<usize> {
    text.as_bytes().get(from..)?.windows(2).position(|pair| pair == what).map(|at| at + from)
}

/// The end of a trim marker (`- `) that starts at `from`.
fn trim_marker_after(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?.strip_prefix('-')?;
    rest.starts_with(BLANKS).then_some(from + 1)
}

/// The whitespace of Go's template language.
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

fn push_text(text: &str, range: Range<usize>, trim_start: bool, trim_end: bool, pieces: &mut Vec<Piece>) {
    let part = text.get(range.clone()).unwrap_or_default();
    let start = if trim_start { range.end - part.trim_start_matches(BLANKS).len() } else { range.start };
    let end = if trim_end { range.start + part.trim_end_matches(BLANKS).len() } else { range.end };
    if start < end {
        pieces.push(Piece::Text(start..end));
    }
}

/// The end of a comment's action, and whether it trims the following text.
fn comment_end(text: &str, open: usize, from: usize) -> Result<(usize, bool), Problem> {
    let unclosed = || {
        Problem::new(Code::TemplateUnclosed, "the comment is not closed by `*/}}`")
            .help("close the comment with `*/}}` or `*/ -}}`")
            .at(open..from + 2)
    };
    let end = find(text, from + 2, b"*/").ok_or_else(unclosed)? + 2;
    let rest = text.get(end..).unwrap_or_default();
    if rest.starts_with("}}") {
        return Ok((end + 2, false));
    }
    let after = rest.trim_start();
    match after.strip_prefix("-}}") {
        Some(tail) if after.len() < rest.len() => Ok((text.len() - tail.len(), true)),
        _ => Err(unclosed()),
    }
}

/// The position of the `}}` that closes the action. Quoted strings are skipped as in Go's lexer.
pub(super) fn action_end(text: &str, open: usize, from: usize) -> Result<usize, Problem> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Ok(at),
            b'"' | b'\'' | b'`' => {
                at = string_end(bytes, at).ok_or_else(|| unclosed_string(text, open, at))?;
            }
            _ => at += 1,
        }
    }
    Err(unclosed_action(text, open..open + 2))
}

/// The position after the string literal that starts at `at`; `None` if it is not closed.
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = *bytes.get(at)?;
    let mut at = at + 1;
    loop {
        match *bytes.get(at)? {
            byte if byte == quote => return Some(at + 1),
            b'\\' if quote != b'`' => at += 2,
            b'\n' if quote != b'`' => return None,
            _ => at += 1,
        }
    }
}

fn unclosed_string(text: &str, open: usize, at: usize) -> Problem {
    // `{{.Service}'s` is an action closed by one brace, and not an unclosed string.
    if text.get(open..at).is_some_and(|before| before.contains('}')) {
        return unclosed_action(text, open..open + 2);
    }
    Problem::new(Code::TemplateUnclosed, "the string is not closed")
        .help("close the string with the same quote before `}}`")
        .at(at..at + 1)
}

/// The problem of an action that is not closed; `range` is the range of its opening braces, or of its wrong closing brace.
pub(super) fn unclosed_action(text: &str, range: Range<usize>) -> Problem {
    // The example has the dot only if the action does, so that it is valid in the language of the template.
    let has_dot = text.get(..range.end).is_some_and(|before| {
        let action = before.rfind("{{").and_then(|open| text.get(open + 2..)).unwrap_or_default();
        action.trim_start().starts_with('.')
    });
    let help = if has_dot { "{{.Service}}" } else { "{{Service}}" };
    Problem::new(Code::TemplateUnclosed, "the action is not closed by `}}`")
        .help(format!("close the action with two braces: `{help}`"))
        .at(range)
}

fn classify(body: &str, from: usize) -> Piece {
    let inner = body.trim_start();
    let start = from + body.len() - inner.len();
    let inner = inner.trim_end();
    let range = start..start + inner.len();
    match Var::from_name(inner.strip_prefix('.').unwrap_or(inner)) {
        Some(var) => Piece::Variable(var, range),
        None => Piece::Action(range),
    }
}

/// The value of a string literal in Go's syntax, including its quotes; `None` if an escape is malformed.
pub(super) fn unquote(quoted: &str) -> Option<String> {
    let inside = quoted.get(1..quoted.len().checked_sub(1)?)?;
    if quoted.starts_with('`') {
        return Some(inside.replace('\r', ""));
    }
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(character) = chars.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let escaped = chars.next()?;
        out.push(match escaped {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            // Each quote can only be escaped inside its own kind of quotes.
            '\\' => escaped,
            '"' | '\'' if quoted.starts_with(escaped) => escaped,
            'x' => ascii(numeric(&mut chars, 2, 16)?)?,
            'u' => char::from_u32(numeric(&mut chars, 4, 16)?)?,
            'U' => char::from_u32(numeric(&mut chars, 8, 16)?)?,
            '0'..='3' => {
                let rest = numeric(&mut chars, 2, 8)?;
                ascii(escaped.to_digit(8)? * 64 + rest)?
            }
            _ => return None,
        });
    }
    Some(out)
}

/// The character of an ASCII code. In Go, `\x80` is a byte and not a character; it is refused, because a name must be UTF-8.
fn ascii(value: u32) -> Option<char> {
    char::from_u32(value).filter(char::is_ascii)
}

fn numeric(chars: &mut std::str::Chars<'_>, digits: usize, radix: u32) -> Option<u32> {
    (0..digits).try_fold(0, |value: u32, _| Some(value * radix + chars.next()?.to_digit(radix)?))
}
