//! Removing the Helm escape: a chart writes `{{`{{.Service}}`}}` so that Helm leaves `{{.Service}}`.

use std::ops::Range;

use super::scan::{Piece, string_end, unquote};
use crate::diagnostics::Problem;

/// Removes one level of the escape. If an action consists only of a string that contains template delimiters, every such action is
/// replaced by the text of its string, as Helm does it. Returns `None` if there is no such action.
pub(super) fn unescape(text: &str, pieces: &[Piece], map: &SourceMap) -> Option<(String, SourceMap)> {
    let constant = |piece: &Piece| match piece {
        Piece::Action(range) => string_constant(text.get(range.clone())?),
        _ => None,
    };
    if !pieces.iter().filter_map(constant).any(|value| value.contains("{{") || value.contains("}}")) {
        return None;
    }
    let mut out = Unescaped { before: text, map, text: String::new(), sources: Vec::new() };
    for piece in pieces {
        match (piece, constant(piece)) {
            (Piece::Action(range), Some(value)) => {
                let inside = range.start + 1..range.end - 1;
                if text.get(inside.clone()) == Some(value.as_str()) {
                    out.copy(&inside);
                } else {
                    out.replace(range, &value);
                }
            }
            (Piece::Text(range), _) => out.copy(range),
            (Piece::Variable(_, range) | Piece::Action(range), _) => {
                out.replace(range, "{{ ");
                out.copy(range);
                out.replace(range, " }}");
            }
        }
    }
    Some((out.text, SourceMap(out.sources)))
}

struct Unescaped<'t> {
    before: &'t str,
    /// The map of the escaped text.
    map: &'t SourceMap,
    text: String,
    sources: Vec<Range<usize>>,
}

impl Unescaped<'_> {
    /// Copies the bytes at `range` of the escaped text.
    fn copy(&mut self, range: &Range<usize>) {
        self.text.push_str(self.before.get(range.clone()).unwrap_or_default());
        self.sources.extend(range.clone().map(|at| self.map.range(&(at..at + 1))));
    }

    /// Writes `value` in place of the bytes at `range` of the escaped text.
    fn replace(&mut self, range: &Range<usize>, value: &str) {
        self.text.push_str(value);
        self.sources.extend(std::iter::repeat_n(self.map.range(range), value.len()));
    }
}

/// The value of an action that consists of one string.
fn string_constant(inner: &str) -> Option<String> {
    let quote = *inner.as_bytes().first()?;
    if !matches!(quote, b'"' | b'`') || string_end(inner.as_bytes(), 0)? != inner.len() || inner.len() < 2 {
        return None;
    }
    unquote(inner)
}

/// Maps each byte of an unescaped text to the byte range of the user's text that it comes from. Empty if nothing was unescaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SourceMap(Vec<Range<usize>>);

impl SourceMap {
    /// Whether nothing was unescaped.
    pub(super) fn is_identity(&self) -> bool {
        self.0.is_empty()
    }

    fn range(&self, range: &Range<usize>) -> Range<usize> {
        let Some(last) = self.0.last() else { return range.clone() };
        let source = |at: usize| self.0.get(at).cloned().unwrap_or(last.end..last.end);
        let start = source(range.start).start;
        start..source(range.end.saturating_sub(1).max(range.start)).end.max(start)
    }

    /// Returns `problem` with its range in the text that the user wrote.
    pub(super) fn to_source(&self, problem: Problem) -> Problem {
        Problem { range: problem.range.map(|range| self.range(&range)), ..problem }
    }
}
