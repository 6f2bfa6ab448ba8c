//! Where a path, a part of a string, or a byte stands in the text.

use super::decode::part_span;
use super::tree::{Document, Node, Style, children, find_entry};
use serde_json::Value;
use std::ops::Range;

/// One step from a value to a value inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'k> {
    /// Into a map, to the value of this key.
    Key(&'k str),
    /// Into a sequence, to the item with this number, counted from 0.
    Index(usize),
}

/// Where a value stands, in bytes of the text. For an alias and for what a merge key brought along, that is
/// where the anchored value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The value as written, quotes and brackets included; of a block (`|` or `>`) its lines without the
    /// header, of a map or sequence without brackets everything from its first key or item to the end of
    /// the last. Empty, right behind the key or dash, where no value is written.
    pub value: Range<usize>,
    /// The key of the value as written, if the value is an entry of a map.
    pub key: Option<Range<usize>>,
    /// How many steps of the path led to this value; fewer than were asked for if the path ends early.
    pub depth: usize,
    /// Whether the value is a scalar without quotes. Together with [`super::other_reading`] it tells where
    /// another reader would see something else.
    pub is_plain: bool,
}

impl Document {
    /// Finds the value at `path`, or the deepest value on the way to it that exists. `text` is what the
    /// document was loaded from.
    pub fn locate(&self, text: &str, path: &[Step<'_>]) -> Located {
        let (node, depth) = self.find(text, path);
        Located {
            value: node.value.span(),
            key: node.key.map(|key| key.span()),
            depth,
            is_plain: node.value.style == Style::Plain,
        }
    }

    /// Finds where a part of a string value is written. `part` is in bytes of the decoded string (that is,
    /// of what [`Document::value`] holds at `path`), the answer in bytes of `text`. Where it cannot be told
    /// exactly, for example in the middle of an escape or for a value that is no string, the answer is the
    /// whole value, as [`Document::locate`] finds it.
    pub fn locate_part(&self, text: &str, path: &[Step<'_>], part: &Range<usize>) -> Range<usize> {
        let (node, depth) = self.find(text, path);
        let exact = self.value_at(path).filter(|_| depth == path.len()).and_then(|value| {
            let string = value.as_str()?;
            part_span(text, &node.value, string, part)
        });
        exact.unwrap_or_else(|| node.value.span())
    }

    /// Finds where a part of the last key of `path` is written, in the same way. Where the path does not
    /// exist or does not end with a key, the answer is the value that [`Document::locate`] finds.
    pub fn locate_key_part(&self, text: &str, path: &[Step<'_>], part: &Range<usize>) -> Range<usize> {
        let (node, depth) = self.find(text, path);
        match (node.key, path.last()) {
            (Some(token), Some(Step::Key(key))) if depth == path.len() => {
                part_span(text, &token, key, part).unwrap_or_else(|| token.span())
            }
            _ => node.value.span(),
        }
    }

    fn find(&self, text: &str, path: &[Step<'_>]) -> (&Node, usize) {
        let mut node = &self.root;
        for (depth, step) in path.iter().enumerate() {
            let next = match step {
                Step::Key(key) => find_entry(text, &self.nodes, node, key),
                // Entries of a map are children too, but have no number.
                Step::Index(index) => {
                    children(&self.nodes, node).get(*index).filter(|child| child.key.is_none())
                }
            };
            let Some(next) = next else {
                return (node, depth);
            };
            node = next;
        }
        (node, path.len())
    }

    fn value_at(&self, path: &[Step<'_>]) -> Option<&Value> {
        path.iter().try_fold(&self.value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        })
    }
}

/// Where the lines of a text begin. Worth building where more than one offset is asked for.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<usize>,
    /// How many characters stand before each block of bytes: one line may hold a whole file.
    characters: Vec<usize>,
}

/// The bytes of a block whose characters are counted ahead.
const BLOCK: usize = 4096;

impl LineIndex {
    /// Finds the lines of `text`. Only `\n` ends a line (also as the second half of `\r\n`), as in every
    /// editor.
    pub fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(position, _)| position + 1)).collect();
        let mut before = 0;
        let counts = text.as_bytes().chunks(BLOCK).map(|block| {
            before += characters(block);
            before
        });
        Self { starts, characters: std::iter::once(0).chain(counts).collect() }
    }

    /// The line and the column of a byte offset, both counted from 1, the column in characters. `text` is
    /// what the index was built for. A byte order mark at its start takes up no column, and an offset
    /// behind the end counts as the end.
    pub fn line_column(&self, text: &str, offset: usize) -> (usize, usize) {
        let offset = offset.min(text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let mark = usize::from(start == 0 && offset > 0 && text.starts_with('\u{feff}'));
        let before = self.characters_before(text, offset) - self.characters_before(text, start);
        (line, (1 + before).saturating_sub(mark).max(1))
    }

    /// The characters that end at or before a byte.
    fn characters_before(&self, text: &str, mut offset: usize) -> usize {
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let block = offset / BLOCK;
        let rest = text.as_bytes().get(block * BLOCK..offset).unwrap_or_default();
        self.characters.get(block).copied().unwrap_or_default() + characters(rest)
    }
}

/// The characters that begin in some bytes of a text.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !(0x80..0xc0).contains(*byte)).count()
}

/// The line and the column of a byte offset, as [`LineIndex::line_column`] gives them. It reads the whole text, so use a
/// [`LineIndex`] for many offsets.
pub fn line_column(text: &str, offset: usize) -> (usize, usize) {
    LineIndex::new(text).line_column(text, offset)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::load;
    use super::*;
    use Step::{Index, Key};

    fn only(text: &str) -> Document {
        let mut documents = load(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"));
        assert_eq!(documents.len(), 1, "{text:?}");
        documents.remove(0)
    }

    fn at(text: &str, span: Range<usize>) -> &str {
        text.get(span).expect("a span of the text")
    }

    /// What is written at a path: the key, and the value.
    fn written<'t>(text: &'t str, path: &[Step<'_>]) -> (&'t str, &'t str) {
        let located = only(text).locate(text, path);
        assert_eq!(located.depth, path.len(), "{path:?}");
        (located.key.map_or("", |key| at(text, key)), at(text, located.value))
    }

    /// The piece of text that wrote the first `part` of the string at the path.
    fn part<'t>(text: &'t str, path: &[Step<'_>], part: &str) -> &'t str {
        let document = only(text);
        let value = document.value_at(path).and_then(Value::as_str).expect("a string");
        let start = value.find(part).expect("the part");
        at(text, document.locate_part(text, path, &(start..start + part.len())))
    }

    /// Asks for every position there is; each must be a range of the text. Also used by other tests.
    pub(in super::super) fn visit(text: &str, document: &Document) {
        let mut pending = vec![(Vec::new(), &document.value)];
        while let Some((path, value)) = pending.pop() {
            let located = document.locate(text, &path);
            assert_eq!(located.depth, path.len(), "{text:?} {path:?}");
            assert!(text.get(located.value.clone()).is_some(), "{text:?} {path:?}");
            let key = document.locate_key_part(text, &path, &(0..1));
            assert!(text.get(key).is_some(), "{text:?} {path:?}");
            let below = |step| [path.as_slice(), &[step]].concat();
            match value {
                Value::String(string) => visit_parts(text, document, &path, string),
                Value::Array(items) => {
                    pending.extend(items.iter().enumerate().map(|(index, item)| (below(Index(index)), item)));
                }
                Value::Object(entries) => {
                    pending.extend(entries.iter().map(|(key, item)| (below(Key(key)), item)));
                }
                _ => {}
            }
        }
    }

    /// Every character comes from itself, from an escape, or from folded white space.
    fn visit_parts(text: &str, document: &Document, path: &[Step<'_>], string: &str) {
        let whole = document.locate(text, path).value;
        for (position, character) in string.char_indices() {
            let span = document.locate_part(text, path, &(position..position + character.len_utf8()));
            let piece = text.get(span.clone()).unwrap_or_else(|| panic!("{text:?} {span:?}"));
            let exact = piece.chars().eq([character]) || piece.starts_with('\\') || piece == "''";
            let folded = character.is_whitespace() && piece.chars().all(char::is_whitespace);
            assert!(exact || folded || span == whole, "{text:?} {path:?}: {character:?} is not {piece:?}");
        }
    }

    #[test]
    fn values_and_keys_are_found() {
        let text = "a: 1
'b':
- x
-   - \"y\"
    - {c: d , \"e\": [f] }

g: # nothing
h: |
  i
  j

k: end
";
        assert_eq!(written(text, &[]).1, text.trim_end());
        assert_eq!(written(text, &[Key("a")]), ("a", "1"));
        assert_eq!(written(text, &[Key("b")]).0, "'b'");
        assert!(written(text, &[Key("b")]).1.starts_with("- x\n"));
        assert_eq!(written(text, &[Key("b"), Index(0)]), ("", "x"));
        assert_eq!(written(text, &[Key("b"), Index(1), Index(0)]), ("", "\"y\""));
        assert_eq!(written(text, &[Key("b"), Index(1), Index(1)]), ("", "{c: d , \"e\": [f] }"));
        assert_eq!(written(text, &[Key("b"), Index(1), Index(1), Key("e")]), ("\"e\"", "[f]"));
        assert_eq!(written(text, &[Key("g")]), ("g", ""));
        assert_eq!(written(text, &[Key("h")]), ("h", "i\n  j"));
        assert_eq!(written(text, &[Key("k")]), ("k", "end"));
    }

    #[test]
    fn a_sequence_begins_with_its_first_dash() {
        for (text, expected) in [
            ("k:\n- a\n- b\nl: 1", "- a\n- b"),
            ("k:\n  - a", "- a"),
            ("k:\n- - a\n- b", "- - a\n- b"),
            ("k:\n-  # why\n  a: b", "-  # why\n  a: b"),
            ("k:\n-\n- b", "-\n- b"),
            ("k: &x\n- a", "- a"),
            ("? k\n: - a", "- a"),
        ] {
            assert_eq!(written(text, &[Key("k")]).1, expected, "{text:?}");
        }
        assert_eq!(written("k:\n- - a\n  - b", &[Key("k"), Index(0)]).1, "- a\n  - b");
        assert_eq!(written("- ? k\n  : - a\n", &[Index(0), Key("k")]).1, "- a");
    }

    #[test]
    fn values_and_keys_of_json_are_found() {
        let text = "\u{feff}\t{\"a\" :\t[ 1.50 , {\"\\u0062\":\"\\ud83d\\ude00\\/x\"} ] , \"c\":null}";
        assert_eq!(written(text, &[Key("a")]), ("\"a\"", "[ 1.50 , {\"\\u0062\":\"\\ud83d\\ude00\\/x\"} ]"));
        assert_eq!(written(text, &[Key("a"), Index(0)]).1, "1.50");
        assert_eq!(written(text, &[Key("a"), Index(1), Key("b")]).0, "\"\\u0062\"");
        assert_eq!(written(text, &[Key("c")]).1, "null");
        let path = [Key("a"), Index(1), Key("b")];
        assert_eq!(part(text, &path, "😀"), "\\ud83d\\ude00");
        assert_eq!(part(text, &path, "/x"), "\\/x");
        assert_eq!(part(text, &path, "x"), "x");
        let several = "{\"a\":1}\n{\"a\":2}";
        let documents = load(several).expect("two documents");
        assert_eq!(documents[1].locate(several, &[Key("a")]).value, 13..14);
    }

    #[test]
    fn a_missing_path_ends_at_its_deepest_ancestor() {
        let text = "a:\n  b: [c]\n";
        let document = only(text);
        for (path, depth, expected) in [
            (vec![Key("x")], 0, "a:\n  b: [c]"),
            (vec![Key("a"), Key("x"), Key("y")], 1, "b: [c]"),
            (vec![Key("a"), Index(0)], 1, "b: [c]"),
            (vec![Key("a"), Key("b"), Index(7)], 2, "[c]"),
            (vec![Key("a"), Key("b"), Key("c")], 2, "[c]"),
            (vec![Key("a"), Key("b"), Index(0), Key("d")], 3, "c"),
        ] {
            let located = document.locate(text, &path);
            assert_eq!((located.depth, at(text, located.value.clone())), (depth, expected));
            assert_eq!(document.locate_part(text, &path, &(0..1)), located.value);
            assert_eq!(document.locate_key_part(text, &path, &(0..1)), located.value);
        }
    }

    #[test]
    fn an_alias_is_where_its_anchor_stands() {
        let text = "a: &a {b: cd}\ne: [*a]\nf:\n  <<: *a\n  g: h\ni: *a\n";
        for path in [[Key("e"), Index(0)].as_slice(), &[Key("a")], &[Key("i")]] {
            assert_eq!(written(text, path).1, "{b: cd}");
            assert_eq!(written(text, &[path, &[Key("b")]].concat()), ("b", "cd"));
        }
        assert_eq!(written(text, &[Key("i")]).0, "i");
        assert_eq!(written(text, &[Key("f"), Key("b")]), ("b", "cd"));
        assert_eq!(only(text).locate(text, &[Key("f"), Key("b")]).value, 10..12);
        assert_eq!(written(text, &[Key("f")]).1, "<<: *a\n  g: h");
        assert_eq!(written(text, &[Key("e")]).1, "[*a]");
        assert_eq!(part(text, &[Key("f"), Key("b")], "d"), "d");
    }

    #[test]
    fn parts_of_strings_are_found_in_every_notation() {
        let folded = "k: >\n  a\n  b\n\n  c\n   d\n\n  e\n";
        for (text, wanted, expected) in [
            ("k: abc def", "c d", "c d"),
            ("k: abc\n   def", "f", "f"),
            ("k: abc\n   def", "c d", "c\n   d"),
            ("k: 'it''s é'", "'", "''"),
            ("k: 'it''s é'", "é", "é"),
            (r#"k: "a\"b\n\u00e9 {{x}}""#, "{{x}}", "{{x}}"),
            (r#"k: "a\"b\n\u00e9 {{x}}""#, "\"b\né", r#"\"b\n\u00e9"#),
            ("k: \"a  \\\n  \\  b\\x41\"", "bA", "b\\x41"),
            ("k: |\n  a: b\n\n   c: d\n", "c: d", "c: d"),
            ("k: |\n  a: b\n\n   c: d\n", "b\n\n c", "b\n\n   c"),
            ("k: |2-\n    a\n  b", "b", "b"),
            ("k: |\r\n  a\r\n  b\r\n", "b", "b"),
            ("k: |  # why\n\n\n  a\n", "a", "a"),
            (folded, "b", "b"),
            (folded, "a b\nc", "a\n  b\n\n  c"),
            (folded, "d\n\ne", "d\n\n  e"),
            (r#"{"k": "a\tb"}"#, "\t", "\\t"),
        ] {
            assert_eq!(part(text, &[Key("k")], wanted), expected, "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_the_whole_value() {
        let key = [Key("k")];
        let text = "k: 'a\n\n\n  b'";
        let document = only(text);
        assert_eq!(document.value["k"], "a\n\nb");
        let whole = document.locate(text, &key).value;
        assert_eq!(at(text, document.locate_part(text, &key, &(1..3))), "\n\n\n  ");
        for part in [1..2, 2..3, 0..2, 2..4, 3..9, Range { start: 2, end: 1 }, 9..9] {
            assert_eq!(document.locate_part(text, &key, &part), whole, "{part:?}");
        }
        let text = "k: é5\nn: 12";
        assert_eq!(at(text, only(text).locate_part(text, &key, &(1..3))), "é5");
        assert_eq!(at(text, only(text).locate_part(text, &[Key("n")], &(0..1))), "12");
        assert_eq!(only("k: abc").locate_part("k: xyz!\nlonger: text", &key, &(1..2)), 3..6);
        assert_eq!(only("k: abc").locate_part("", &key, &(1..2)), 3..6);
    }

    #[test]
    fn an_empty_part_is_a_point() {
        for (text, position, expected) in [
            ("k: abc", 1, 4),
            ("k: abc", 3, 6),
            ("k: 'abc'", 0, 4),
            ("k: ''", 0, 4),
            ("k: \"\\n\\n\"", 1, 6),
            ("k: |\n  a\n  b", 2, 11),
        ] {
            let span = only(text).locate_part(text, &[Key("k")], &(position..position));
            assert_eq!(span, expected..expected, "{text:?}");
        }
    }

    #[test]
    fn parts_of_keys_are_found() {
        let text = "m: {\"a/\\u0062c\": 1, d/e: 2}";
        let document = only(text);
        let key = |key, part| at(text, document.locate_key_part(text, &[Key("m"), Key(key)], &part));
        assert_eq!(key("a/bc", 2..4), "\\u0062c");
        assert_eq!(key("d/e", 2..3), "e");
        assert_eq!(key("d/e", 2..9), "d/e");
    }

    #[test]
    fn a_plain_scalar_is_told_from_a_quoted_one() {
        let text = "a: yes\nb: 'yes'\nc: |\n  yes\nd: [yes]";
        let plain = ["a", "b", "c", "d"].map(|key| only(text).locate(text, &[Key(key)]).is_plain);
        assert_eq!(plain, [true, false, false, false]);
    }

    #[test]
    fn lines_and_columns_are_counted_from_one() {
        let text = "\u{feff}aé\r\nb😀c\n\nd";
        for (offset, expected) in [
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
        ] {
            assert_eq!(line_column(text, offset), expected, "{offset}");
            assert_eq!(LineIndex::new(text).line_column(text, offset), expected, "{offset}");
        }
        assert_eq!(line_column("", 0), (1, 1));
        assert_eq!(LineIndex::new("a").line_column("", 5), (1, 1));
    }
}
