//! The block of annotations to forward: one `key: value` a line.

use std::collections::HashMap;
use std::ops::Range;

use crate::diag::{Code, Problem, shown};

/// One line of the block that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The key, trimmed and without quotes.
    pub key: &'a str,
    /// The value, trimmed and without one pair of quotes.
    pub value: &'a str,
    /// The bytes of the key in the block.
    pub key_range: Range<usize>,
    /// The bytes of the value in the block.
    pub value_range: Range<usize>,
}

/// Reads the block: the lines that count, in order, and what is wrong with the others.
///
/// A line is split at its first colon; blanks around both halves and one pair of quotes around each are removed. Blank
/// lines and lines that start with `#` are passed over. A line without a colon is skipped, and of a key given twice the
/// last one counts, both with a Warning.
///
/// ```
/// let (lines, problems) = xposer::request::forward::parse("a: \"1\"\r\n\nb : x:y\njust text\n");
/// assert_eq!(lines.iter().map(|line| (line.key, line.value)).collect::<Vec<_>>(), [("a", "1"), ("b", "x:y")]);
/// assert_eq!(problems[0].message, "line 4 has no colon and is skipped: `just text`");
/// ```
#[must_use]
pub fn parse(block: &str) -> (Vec<Line<'_>>, Vec<Problem>) {
    let mut lines: Vec<Option<Line<'_>>> = Vec::new();
    let mut seen: HashMap<&str, (usize, usize)> = HashMap::new();
    let mut problems = Vec::new();
    let mut start = 0;
    // The indentation of a key whose value spreads over the following lines.
    let mut scalar: Option<usize> = None;
    for (number, raw) in (1..).zip(block.split('\n')) {
        let at = start;
        start += raw.len() + 1;
        let line = raw.trim();
        let indent = raw.len() - raw.trim_start().len();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if scalar.is_some_and(|outer| indent > outer) {
            continue;
        }
        scalar = None;
        let whole = at + indent..at + indent + line.len();
        let Some((key, value)) = raw.split_once(':') else {
            let said = format!("line {number} has no colon and is skipped: {}", shown(line));
            problems.push(Problem::new(Code::ForwardMalformed, said).help("write `key: value`").at(whole));
            continue;
        };
        let value_at = at + key.len() + 1;
        let (key, key_range) = unquoted(key, at);
        let (value, value_range) = unquoted(value, value_at);
        if is_scalar_header(value) {
            let said = format!("the value of {} spreads over several lines", shown(key));
            problems.push(
                Problem::new(Code::ForwardBlockScalar, said)
                    .help("put the value on one line")
                    .at(value_range),
            );
            scalar = Some(indent);
            continue;
        }
        if let Some((index, first)) = seen.insert(key, (lines.len(), number)) {
            let before = lines.get_mut(index).and_then(Option::take);
            let range = before.map_or(whole, |line| line.key_range);
            let said = format!("{} stands in lines {first} and {number}; the last one counts", shown(key));
            problems.push(Problem::new(Code::ForwardRepeated, said).help("remove one of them").at(range));
        }
        lines.push(Some(Line { key, value, key_range, value_range }));
    }
    (lines.into_iter().flatten().collect(), problems)
}

/// `text` without blanks and one pair of quotes around it, and its place.
fn unquoted(text: &str, at: usize) -> (&str, Range<usize>) {
    let kept = text.trim();
    let start = at + text.len() - text.trim_start().len();
    for quote in ['"', '\''] {
        if let Some(inner) = kept.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return (inner, start + 1..start + 1 + inner.len());
        }
    }
    (kept, start..start + kept.len())
}

fn is_scalar_header(value: &str) -> bool {
    matches!(value, "|" | "|-" | "|+" | ">" | ">-" | ">+")
}
