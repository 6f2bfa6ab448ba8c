//! Lines and columns.
//!
//! The crate `line-index` looks at every wide character of a line for each place in it. A file of one line would take time
//! that grows with its square.

use std::cell::Cell;

/// Where the lines of a text begin.
#[derive(Debug, Clone)]
pub(crate) struct LineIndex {
    starts: Vec<usize>,
    /// The place that was counted last, and the characters of its line before it. The next place is most often near it.
    counted: Cell<(usize, usize)>,
}

impl LineIndex {
    /// Finds the lines of `text`, which end with `\n`, as in every editor.
    pub(crate) fn new(text: &str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { starts: [0].into_iter().chain(starts).collect(), counted: Cell::new((0, 0)) }
    }

    /// The line and the column of a byte offset, both counted from 1, the column in characters. `text` is what the index was
    /// built for. A byte order mark at its start takes up no column, and an offset behind the end counts as the end.
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

/// The line and the column of a single byte offset.
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
