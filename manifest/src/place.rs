//! A place in a text: what an editor needs to go there, and the line to show.

use std::ops::Range;

use serde::Serialize;

/// The most characters that are marked. The line around them is cut where it is printed, but a mark never is.
const LONGEST_MARK: usize = 100;
/// The most bytes of a line that are shown. What stands behind them, in a file that is one long line, is told by its place
/// alone.
pub(crate) const LONGEST_LINE: usize = 128 * 1024;
/// A line of up to so many bytes in front of the mark is short: thousands of them may be shown.
pub(crate) const SHORT_LINE: usize = 4096;
/// The most bytes behind the beginning of a mark that are kept.
const BEHIND: usize = 4096;
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A place in a file, as exactly as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    pub(crate) file: String,
    #[serde(flatten)]
    pub(crate) point: Option<Point>,
    #[serde(skip)]
    pub(crate) excerpt: Option<Excerpt>,
}

/// A line and a column in characters, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Point {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A line of a text, and the bytes of it that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) line: String,
    pub(crate) mark: Range<usize>,
}

impl Place {
    /// A file as a whole.
    pub fn file(name: &str) -> Self {
        Self { file: name.to_owned(), point: None, excerpt: None }
    }

    /// Some bytes of a file's text, the first of which is at `point`. Their line is shown where they begin at most
    /// `longest` bytes behind its beginning.
    pub(crate) fn span(name: &str, text: &str, span: &Range<usize>, point: Point, longest: usize) -> Self {
        Self { file: name.to_owned(), point: Some(point), excerpt: Excerpt::new(text, span, longest) }
    }
}

impl Excerpt {
    /// The first line of `span`, with the part of the span that is on it; `None` where it begins too far into a line.
    fn new(text: &str, span: &Range<usize>, longest: usize) -> Option<Self> {
        let from = span.start.saturating_sub(longest);
        let before = text.as_bytes().get(from..span.start).unwrap_or_default();
        let start = match before.iter().rposition(|byte| *byte == b'\n') {
            Some(position) => from + position + 1,
            None if from == 0 => 0,
            None => return None,
        };
        // A byte order mark is not to be seen in any editor.
        let start =
            if start == 0 && text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { start };
        let mut end = (span.start + BEHIND).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let line = text.get(start..end).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let from = span.start.saturating_sub(start).min(line.len());
        let to = span.end.saturating_sub(start).min(line.len());
        let marked = line.get(from..to).unwrap_or_default().trim_end();
        let length = marked.char_indices().nth(LONGEST_MARK).map_or(marked.len(), |(position, _)| position);
        Some(Self { line: line.to_owned(), mark: from..from + length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, span: Range<usize>) -> (String, String) {
        let Excerpt { line, mark } = Excerpt::new(text, &span, LONGEST_LINE).unwrap();
        let marked = line.get(mark).unwrap().to_owned();
        (line, marked)
    }

    #[test]
    fn the_line_of_the_span_is_shown() {
        assert_eq!(excerpt("a\nbcd\ne", 3..4), ("bcd".into(), "c".into()));
        assert_eq!(excerpt("a\r\nbcd\r\ne", 3..6), ("bcd".into(), "bcd".into()));
        assert_eq!(excerpt("a: |\n  b \n  c\n", 7..13), ("  b ".into(), "b".into()));
        assert_eq!(excerpt("", 0..0), (String::new(), String::new()));
        assert_eq!(excerpt("a\n", 2..2), (String::new(), String::new()));
        assert_eq!(excerpt("\u{feff}ab", 0..4), ("ab".into(), "a".into()));
        assert_eq!(excerpt("\u{feff}ab", 3..4), ("ab".into(), "a".into()));
    }

    #[test]
    fn a_line_that_is_a_whole_file_is_not_shown() {
        let text = "a".repeat(1_000_000);
        assert!(Excerpt::new(&text, &(500_000..500_001), LONGEST_LINE).is_none());
        assert_eq!(Excerpt::new(&text, &(10..11), SHORT_LINE).unwrap().line.len(), 10 + BEHIND);
    }

    #[test]
    fn a_mark_is_never_long() {
        let text = format!("{}{}", "é".repeat(1000), "b".repeat(1000));
        let (line, marked) = excerpt(&text, 2..3000);
        assert_eq!((line.as_str(), marked), (text.as_str(), "é".repeat(LONGEST_MARK)));
    }
}
