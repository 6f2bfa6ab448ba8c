//! Lines and columns.
//!
//! The crate `line-index` iterates over every wide character of a line for each position in it, so a file of one line would take
//! quadratic time.

use std::cell::Cell;

/// The starts of the lines of a text.
#[derive(Debug, Clone)]
pub(crate) struct LineIndex {
    starts: Vec<usize>,
    /// The last position, and the number of characters of its line before it. The next position is usually near it.
    counted: Cell<(usize, usize)>,
}

impl LineIndex {
    /// Finds the lines of `text`, which end with `\n`, as in every editor.
    pub(crate) fn new(text: &str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { starts: [0].into_iter().chain(starts).collect(), counted: Cell::new((0, 0)) }
    }

    /// Returns the line and the column of a byte offset, both from 1, the column in characters. `text` is the text that the index
    /// was built for. A byte order mark at its start has no column, and an offset after the end counts as the end.
    pub(crate) fn line_column(&self, text: &str, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let characters = |from: usize, to: usize| text.get(from..to).unwrap_or_default().chars().count();
        let column = match self.counted.get() {
            (at, before) if start <= at && at <= offset => before + characters(at, offset),
            (at, before) if self.starts.get(line).is_none_or(|next| at < *next) && offset < at => {
                before - characters(offset, at)
            }
            _ => characters(start, offset),
        };
        self.counted.set((offset, column));
        let mark = usize::from(start == 0 && offset > 0 && text.starts_with('\u{feff}'));
        (line, column + 1 - mark)
    }
}

/// Returns the line and the column of a single byte offset.
pub(crate) fn line_column(text: &str, offset: usize) -> (usize, usize) {
    LineIndex::new(text).line_column(text, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_from_one() {
        let text = "\u{feff}aé\r\nb😀c\n\nd";
        let places = [
            (0, (1, 1)),
            (3, (1, 1)),
            (4, (1, 2)),
            (5, (1, 2)),
            (6, (1, 3)),
            (8, (2, 1)),
            (13, (2, 3)),
            (15, (3, 1)),
            (16, (4, 1)),
            (17, (4, 2)),
            (99, (4, 2)),
        ];
        let lines = LineIndex::new(text);
        for (offset, expected) in places.into_iter().chain(places.into_iter().rev()) {
            assert_eq!(line_column(text, offset), expected, "{offset}");
            assert_eq!(lines.line_column(text, offset), expected, "{offset}");
        }
        assert_eq!(line_column("", 0), (1, 1));
    }
}
