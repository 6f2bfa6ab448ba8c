//! The block of annotations to forward: one `key: value` a line.

use std::ops::Range;

use crate::diag::{Code, Problem, shown};
use crate::value::{order_of, split_at_byte};

/// One line of the block that counts.
///
/// ```
/// let text = "# limits\nproxy-body-size: '900m'";
/// let (block, _) = xposer::request::forward::parse(text);
/// let line = &block.lines()[0];
/// assert_eq!((line.number, line.key, line.value), (2, "proxy-body-size", "900m"));
/// assert_eq!(&text[line.value_range.clone()], line.value);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The key, trimmed and without quotes.
    pub key: &'a str,
    /// The value, trimmed and without one pair of quotes.
    pub value: &'a str,
    /// The number of the line in the block, from 1.
    pub number: usize,
    /// The bytes of the key in the block, as it stands in `key`: without blanks and quotes.
    pub key_range: Range<usize>,
    /// The bytes of the value in the block, as it stands in `value`: without blanks and quotes.
    pub value_range: Range<usize>,
}

/// The lines of a block that count; their keys are all different.
///
/// ```
/// let (block, _) = xposer::request::forward::parse("b: 1\na: 2\nb: 3");
/// let kept: Vec<_> = block.lines().iter().map(|line| (line.number, line.key)).collect();
/// assert_eq!(kept, [(2, "a"), (3, "b")]);
/// assert!(block.contains("a") && !block.contains("A"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block<'a> {
    lines: Vec<Line<'a>>,
    /// Positions in `lines`, in ascending order of their keys.
    order: Vec<usize>,
}

impl<'a> Block<'a> {
    /// The lines, in the order in which they were written.
    #[must_use]
    pub fn lines(&self) -> &[Line<'a>] {
        &self.lines
    }

    /// Whether there is a line with this key; letter case counts.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.order.binary_search_by(|at| key_at(&self.lines, *at).cmp(key)).is_ok()
    }
}

fn key_at<'a>(lines: &[Line<'a>], at: usize) -> &'a str {
    lines.get(at).map_or("", |line| line.key)
}

/// Reads the block: the lines that count, and what is wrong with the others.
///
/// A line is split at its first colon; blanks around both halves and one pair of quotes around each are removed. The
/// quotes stay where the same quote stands between them. Blank lines and lines that start with `#` are passed over. A
/// line without a colon is skipped, and of a key given twice the last one counts, both with a Warning. A value that is
/// nothing but the header of a YAML block scalar (`|` or `>`, with `-` or `+`) is an Error, and the lines below it that
/// are indented further are passed over. The ranges of the problems are bytes of the block.
///
/// ```
/// let (block, problems) = xposer::request::forward::parse("a: \"1\"\r\n\nb : x:y\njust text\n");
/// let lines: Vec<_> = block.lines().iter().map(|line| (line.key, line.value)).collect();
/// assert_eq!(lines, [("a", "1"), ("b", "x:y")]);
/// assert_eq!(problems[0].message, "line 4 has no colon and is skipped: `just text`");
/// ```
#[must_use]
pub fn parse(block: &str) -> (Block<'_>, Vec<Problem>) {
    let mut lines = Vec::with_capacity(8);
    let mut problems = Vec::new();
    let mut start = 0;
    // The indentation of a key whose value spreads over the following lines.
    let mut scalar: Option<usize> = None;
    let mut rest = Some(block);
    let mut number = 0;
    while let Some(block) = rest {
        let raw;
        (raw, rest) = match split_at_byte(block, b'\n') {
            Some((raw, rest)) => (raw, Some(rest)),
            None => (block, None),
        };
        number += 1;
        let at = start;
        start += raw.len() + 1;
        let line = raw.trim_ascii();
        let indent = raw.len() - raw.trim_ascii_start().len();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if scalar.is_some_and(|outer| indent > outer) {
            continue;
        }
        scalar = None;
        let whole = at + indent..at + indent + line.len();
        let Some((key, value)) = split_at_byte(raw, b':') else {
            let said = format!("line {number} has no colon and is skipped: {}", shown(line));
            problems.push(Problem::new(Code::ForwardMalformed, said).help("write `key: value`").at(whole));
            continue;
        };
        let value_at = at + key.len() + 1;
        let (key, key_range) = unquoted(key, at);
        let (value, value_range) = unquoted(value, value_at);
        if is_scalar_header(value) {
            let said = format!("the value of {} spreads over several lines", shown(key));
            let problem = Problem::new(Code::ForwardBlockScalar, said).help("put the value on one line");
            problems.push(problem.at(value_range));
            scalar = Some(indent);
            continue;
        }
        lines.push(Line { key, value, number, key_range, value_range });
    }
    let mut order = order_of(lines.iter().map(|line| line.key));
    if order
        .windows(2)
        .any(|pair| matches!(pair, [left, right] if key_at(&lines, *left) == key_at(&lines, *right)))
    {
        lines = without_repeated(lines, &order, &mut problems);
        order = order_of(lines.iter().map(|line| line.key));
    }
    (Block { lines, order }, problems)
}

fn without_repeated<'a>(lines: Vec<Line<'a>>, order: &[usize], problems: &mut Vec<Problem>) -> Vec<Line<'a>> {
    // For every line, the number of the next one with the same key.
    let mut next: Vec<Option<usize>> = vec![None; lines.len()];
    for group in order.chunk_by(|left, right| key_at(&lines, *left) == key_at(&lines, *right)) {
        for pair in group.windows(2) {
            if let [earlier, later] = pair
                && let Some(place) = next.get_mut(*earlier)
            {
                *place = lines.get(*later).map(|later| later.number);
            }
        }
    }
    let mut kept = Vec::with_capacity(lines.len());
    for (line, next) in lines.into_iter().zip(next) {
        let Some(next) = next else {
            kept.push(line);
            continue;
        };
        let said =
            format!("{} stands in lines {} and {next}; the last one counts", shown(line.key), line.number);
        let problem = Problem::new(Code::ForwardRepeated, said).help("remove one of them");
        problems.push(problem.at(line.key_range));
    }
    kept
}

/// `text` without blanks and one pair of quotes around it, and its place. Quotes inside show that the outer ones are no
/// pair: `"a" or "b"`.
fn unquoted(text: &str, at: usize) -> (&str, Range<usize>) {
    let right = text.trim_ascii_start();
    let kept = right.trim_ascii_end();
    let start = at + text.len() - right.len();
    if let (Some(quote @ (b'"' | b'\'')), true) = (kept.as_bytes().first(), kept.len() > 1)
        && let Some(inner) = kept.strip_suffix(char::from(*quote)).and_then(|rest| rest.get(1..))
        && memchr::memchr(*quote, inner.as_bytes()).is_none()
    {
        return (inner, start + 1..start + 1 + inner.len());
    }
    (kept, start..start + kept.len())
}

fn is_scalar_header(value: &str) -> bool {
    value.len() <= 2 && matches!(value, "|" | "|-" | "|+" | ">" | ">-" | ">+")
}
