//! A place in a text: the file, the line and the column, and an excerpt of the line.

use std::ops::Range;

use serde::Serialize;

/// The maximum length of a mark, in characters. The renderer shortens the line around a mark, but not the mark.
const MAX_MARK: usize = 100;
/// The maximum number of bytes of a line before a mark. A place beyond that, in a file of one long line, has no excerpt.
pub(crate) const MAX_LINE: usize = 128 * 1024;
/// The maximum number of bytes before a mark after many long lines of the file have been shown.
pub(crate) const SHORT_LINE: usize = 4096;
/// The maximum number of bytes after the start of a mark.
const AFTER: usize = 4096;
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A place in a file. The line and the column are `None` if they are not known.
///
/// ```
/// use xposer_manifest::Place;
///
/// assert_eq!(serde_json::to_string(&Place::file("web.yaml")).unwrap(), r#"{"file":"web.yaml"}"#);
/// ```
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

/// A line of a text, and the marked bytes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) line: String,
    pub(crate) mark: Range<usize>,
}

impl Place {
    /// A whole file.
    pub fn file(name: &str) -> Self {
        Self { file: name.to_owned(), point: None, excerpt: None }
    }

    /// The column after the last marked character, from 1, if the mark is known.
    pub(crate) fn end_column(&self) -> Option<usize> {
        let (point, excerpt) = (self.point?, self.excerpt.as_ref()?);
        let marked = excerpt.line.get(excerpt.mark.clone())?.chars().count();
        Some(point.column + marked).filter(|_| marked > 0)
    }

    /// The name of the file.
    ///
    /// ```
    /// assert_eq!(xposer_manifest::Place::file("web.yaml").name(), "web.yaml");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file
    }

    /// The line and the column in characters, both from 1, if they are known.
    ///
    /// ```
    /// assert_eq!(xposer_manifest::Place::file("web.yaml").line_and_column(), None);
    /// ```
    #[must_use]
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        self.point.map(|point| (point.line, point.column))
    }

    /// Creates the place of a byte range of a file's text; `point` is its start. The place has an excerpt if the range starts at
    /// most `longest` bytes after the start of its line.
    pub(crate) fn span(name: &str, text: &str, span: &Range<usize>, point: Point, longest: usize) -> Self {
        Self { file: name.to_owned(), point: Some(point), excerpt: Excerpt::new(text, span, longest) }
    }
}

impl Excerpt {
    /// The first line of `span`, with the part of the span on it; `None` if the span starts too far into the line.
    fn new(text: &str, span: &Range<usize>, longest: usize) -> Option<Self> {
        let from = span.start.saturating_sub(longest);
        let before = text.as_bytes().get(from..span.start).unwrap_or_default();
        let start = match before.iter().rposition(|byte| *byte == b'\n') {
            Some(position) => from + position + 1,
            None if from == 0 => 0,
            None => return None,
        };
        // Editors do not show a byte order mark.
        let start =
            if start == 0 && text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { start };
        let mut end = (span.start + AFTER).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let line = text.get(start..end).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let from = span.start.saturating_sub(start).min(line.len());
        let to = span.end.saturating_sub(start).min(line.len());
        let marked = line.get(from..to).unwrap_or_default().trim_end();
        let length = marked.char_indices().nth(MAX_MARK).map_or(marked.len(), |(position, _)| position);
        Some(Self { line: line.to_owned(), mark: from..from + length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, span: Range<usize>) -> (String, String) {
        let Excerpt { line, mark } = Excerpt::new(text, &span, MAX_LINE).unwrap();
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
        assert!(Excerpt::new(&text, &(500_000..500_001), MAX_LINE).is_none());
        assert_eq!(Excerpt::new(&text, &(10..11), SHORT_LINE).unwrap().line.len(), 10 + AFTER);
    }

    #[test]
    fn a_mark_is_never_long() {
        let text = format!("{}{}", "é".repeat(1000), "b".repeat(1000));
        let (line, marked) = excerpt(&text, 2..3000);
        assert_eq!((line.as_str(), marked), (text.as_str(), "é".repeat(MAX_MARK)));
    }
}
