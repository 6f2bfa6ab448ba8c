//! Cutting a template into literal text and actions, and taking the Helm escape off.

use std::ops::Range;

use super::Var;
use crate::diagnostics::{Code, Problem};

/// A part of a template; ranges are bytes of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Literal text, already trimmed where a neighbour has a trim marker.
    Text(Range<usize>),
    /// An action that is nothing but a variable; the range is the variable with its dot.
    Variable(Var, Range<usize>),
    /// A comment.
    Comment,
    /// Any other action: what stands between the delimiters, without trim markers and blanks.
    Action(Range<usize>),
}

impl Piece {
    /// Whether this piece needs no evaluation.
    pub(super) fn is_plain(&self) -> bool {
        !matches!(self, Self::Action(_))
    }
}

/// What a text was cut into.
pub(super) enum Cut {
    /// A template in Go's syntax, or one that is the same in both.
    Go(Vec<Piece>),
    /// A template that only Handlebars can read.
    Handlebars,
}

/// Cuts `text` at its actions.
pub(super) fn cut(text: &str) -> Result<Cut, Problem> {
    let mut pieces = Vec::with_capacity(8);
    let mut at = 0;
    let mut trim_next = false;
    while let Some(open) = open_brace(text.as_bytes(), at) {
        if let Some((var, variable)) = bare_variable(text, open + 2) {
            push_text(text, at..open, trim_next, false, &mut pieces);
            at = variable.end + 2;
            trim_next = false;
            pieces.push(Piece::Variable(var, variable));
            continue;
        }
        let (inner_from, trim_left) = match trim_marker_after(text, open + 2) {
            Some(after) => (after, true),
            None => (open + 2, false),
        };
        push_text(text, at..open, trim_next, trim_left, &mut pieces);
        let rest = text.get(inner_from..).unwrap_or_default();
        // A comment follows the delimiter at once, or the trim marker and blanks.
        let comment = if trim_left { rest.trim_start() } else { rest };
        if comment.starts_with("/*") {
            (at, trim_next) = comment_end(text, open, text.len() - comment.len())?;
            pieces.push(Piece::Comment);
            continue;
        }
        if is_handlebars(rest) {
            return Ok(Cut::Handlebars);
        }
        let close = action_end(text, open, inner_from)?;
        let body = text.get(inner_from..close).unwrap_or_default();
        let (body, trim_right) = match body.strip_suffix('-') {
            Some(shorter) if shorter.ends_with([' ', '\t', '\r', '\n']) => (shorter, true),
            _ => (body, false),
        };
        pieces.push(classify(body, inner_from));
        at = close + 2;
        trim_next = trim_right;
    }
    push_text(text, at..text.len(), trim_next, false, &mut pieces);
    Ok(Cut::Go(pieces))
}

/// The variable of an action that is written `{{.Name}}`, as practically all of them are; `from` is behind its braces.
fn bare_variable(text: &str, from: usize) -> Option<(Var, Range<usize>)> {
    let name = text.get(from..)?.strip_prefix('.')?;
    let var = Var::ALL
        .into_iter()
        .find(|var| name.strip_prefix(var.name()).is_some_and(|behind| behind.starts_with("}}")))?;
    Some((var, from..from + 1 + var.name().len()))
}

/// The next `{{` from `from` on.
fn open_brace(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr(b'{', bytes.get(at..)?)?;
        if bytes.get(at + 1) == Some(&b'{') {
            return Some(at);
        }
        at += 1;
    }
}

fn find(text: &str, from: usize, what: &str) -> Option<usize> {
    text.get(from..)?.find(what).map(|at| at + from)
}

/// The end of a trim marker (`- `) that stands at `from`.
fn trim_marker_after(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?.strip_prefix('-')?;
    rest.starts_with([' ', '\t', '\r', '\n']).then_some(from + 1)
}

/// The blanks a trim marker removes, as Go has them.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

fn push_text(text: &str, range: Range<usize>, trim_start: bool, trim_end: bool, pieces: &mut Vec<Piece>) {
    let part = text.get(range.clone()).unwrap_or_default();
    let start = if trim_start { range.end - part.trim_start_matches(BLANKS).len() } else { range.start };
    let end = if trim_end { range.start + part.trim_end_matches(BLANKS).len() } else { range.end };
    if start < end {
        pieces.push(Piece::Text(start..end));
    }
}

/// The end of the comment's action and whether it trims what follows.
fn comment_end(text: &str, open: usize, from: usize) -> Result<(usize, bool), Problem> {
    let unclosed = || {
        Problem::new(Code::TemplateUnclosed, "the comment is not closed by `*/}}`")
            .help("close the comment with `*/}}` or `*/ -}}`")
            .at(open..from + 2)
    };
    let end = find(text, from + 2, "*/").ok_or_else(unclosed)? + 2;
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

/// Whether the action that starts with `rest` can only be read by Handlebars.
fn is_handlebars(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.starts_with(['#', '/', '^', '>', '&', '!', '@', '{', '~'])
}

/// The position of the `}}` that closes the action; quoted strings are skipped as Go's lexer does.
fn action_end(text: &str, open: usize, from: usize) -> Result<usize, Problem> {
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
    Err(unclosed_action(open..open + 2))
}

/// The position after the string that starts at `at`; `None` if it is not closed.
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
    // `{{.Service}'s` is an action closed by one brace rather than a string that was never closed.
    if text.get(open..at).is_some_and(|before| before.contains('}')) {
        return unclosed_action(open..open + 2);
    }
    Problem::new(Code::TemplateUnclosed, "the string is not closed")
        .help("close the string with the same quote before `}}`")
        .at(at..at + 1)
}

pub(super) fn unclosed_action(range: Range<usize>) -> Problem {
    Problem::new(Code::TemplateUnclosed, "the action is not closed by `}}`")
        .help("close the action with two braces: `{{.Service}}`")
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

/// Takes one layer of the Helm escape off: where an action is nothing but a string that contains template delimiters,
/// all such actions are replaced by their text, as Helm would have done. `None` where there is no such action.
pub(super) fn unwrap(text: &str, pieces: &[Piece], map: &SourceMap) -> Option<(String, SourceMap)> {
    let constant = |piece: &Piece| match piece {
        Piece::Action(range) => string_constant(text.get(range.clone())?),
        _ => None,
    };
    // Cheap enough to ask first: practically no template has a string in it.
    if !pieces.iter().filter_map(constant).any(|value| value.contains("{{") || value.contains("}}")) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut out_map = SourceMap::default();
    for piece in pieces {
        match (piece, constant(piece)) {
            (Piece::Action(range), Some(value)) => {
                let inside = range.start + 1..range.end - 1;
                if text.get(inside.clone()) == Some(value.as_str()) {
                    out_map.copy(out.len(), inside, map);
                } else {
                    out_map.replace(out.len(), range.clone(), map);
                }
                out.push_str(&value);
            }
            (Piece::Text(range), _) => {
                out_map.copy(out.len(), range.clone(), map);
                out.push_str(text.get(range.clone()).unwrap_or_default());
            }
            (Piece::Comment, _) => {}
            (Piece::Variable(_, range) | Piece::Action(range), None) => {
                out.push_str("{{ ");
                out_map.copy(out.len(), range.clone(), map);
                out.push_str(text.get(range.clone()).unwrap_or_default());
                out_map.replace(out.len(), range.clone(), map);
                out.push_str(" }}");
            }
            // Only an action can be a constant.
            (Piece::Variable(..), Some(_)) => {}
        }
    }
    Some((out, out_map))
}

/// The value of an action that is nothing but one string.
fn string_constant(inner: &str) -> Option<String> {
    let quote = *inner.as_bytes().first()?;
    if !matches!(quote, b'"' | b'`') || string_end(inner.as_bytes(), 0)? != inner.len() || inner.len() < 2 {
        return None;
    }
    unquote(inner)
}

/// The value of a string in Go's syntax, with its quotes; `None` if an escape is malformed.
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
            // Each kind of quote escapes itself only.
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

/// In Go `\x80` is a byte and not a character; text that is not UTF-8 can be part of no name, so it is refused.
fn ascii(value: u32) -> Option<char> {
    char::from_u32(value).filter(char::is_ascii)
}

fn numeric(chars: &mut std::str::Chars<'_>, digits: usize, radix: u32) -> Option<u32> {
    (0..digits).try_fold(0, |value: u32, _| Some(value * radix + chars.next()?.to_digit(radix)?))
}

/// Where the bytes of an unwrapped text stood in the text the user wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SourceMap {
    /// Runs in ascending order of their first output byte; empty for the identity.
    runs: Vec<Run>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    out: usize,
    source: Range<usize>,
    /// Whether the output is the source letter by letter; otherwise every byte means the whole source range.
    verbatim: bool,
}

impl SourceMap {
    /// Whether nothing was unwrapped.
    pub(super) fn is_identity(&self) -> bool {
        self.runs.is_empty()
    }

    fn copy(&mut self, out: usize, range: Range<usize>, before: &Self) {
        if before.runs.is_empty() {
            self.runs.push(Run { out, source: range, verbatim: true });
            return;
        }
        // The range may span several runs of the layer before: cut it at their borders.
        let mut at = range.start;
        while at < range.end {
            let following = before.runs.get(before.runs.partition_point(|run| run.out <= at));
            let next = following.map_or(range.end, |run| run.out);
            let part = at..next.min(range.end);
            let verbatim = before.run_at(at).is_none_or(|run| run.verbatim);
            self.runs.push(Run { out: out + at - range.start, source: before.range(part.clone()), verbatim });
            at = part.end;
        }
    }

    fn replace(&mut self, out: usize, range: Range<usize>, before: &Self) {
        self.runs.push(Run { out, source: before.range(range), verbatim: false });
    }

    fn run_at(&self, at: usize) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.out <= at);
        self.runs.get(after.checked_sub(1)?)
    }

    fn range(&self, range: Range<usize>) -> Range<usize> {
        let whole = |at: usize| match self.run_at(at) {
            None => at..at + 1,
            Some(Run { source, verbatim: false, .. }) => source.clone(),
            Some(Run { out, source, .. }) => {
                let start = (source.start + at - out).min(source.end);
                start..(start + 1).min(source.end)
            }
        };
        let start = whole(range.start).start;
        start..whole(range.end.saturating_sub(1).max(range.start)).end.max(start)
    }

    /// `problem` with its range in the text the user wrote.
    pub(super) fn back_one(&self, mut problem: Problem) -> Problem {
        if !self.runs.is_empty() {
            problem.range = problem.range.map(|range| self.range(range));
        }
        problem
    }

    /// `problems` with their ranges in the text the user wrote.
    pub(super) fn back(&self, problems: Vec<Problem>) -> Vec<Problem> {
        problems.into_iter().map(|problem| self.back_one(problem)).collect()
    }
}
