//! Values, with the place of each of their parts.

use crate::message::{self, Flaw};
use crate::text::{BLANKS, Span, narrow, wide};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use xposer::diagnostics::Segment;

/// A value from a parser.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The place of the value. For a YAML collection, only its start.
    pub(crate) span: Span,
    /// The end of the value in the text; for a value that an alias repeats, the end of the alias.
    pub(crate) end: u32,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Scalar(Value),
    /// A number that JSON cannot represent.
    NotFinite,
    Items(Vec<Parsed>),
    /// The entries in the order of the text, including repeated keys.
    Entries(Vec<(String, Span, Parsed)>),
}

/// A document of a text: its value, and the place of every part of the value.
///
/// ```
/// use serde_json::json;
///
/// let documents = xposer_manifest::load("a: 1\n---\nb: 2\n").unwrap();
/// assert_eq!((&documents[0].value, &documents[1].value), (&json!({"a": 1}), &json!({"b": 2})));
/// ```
#[derive(Debug)]
pub struct Document {
    /// The value. The places are not updated if it is changed.
    pub value: Value,
    root: Node,
}

/// The place of a value.
#[derive(Debug)]
struct Node {
    value: Span,
    key: Option<Span>,
    children: Children,
}

#[derive(Debug)]
enum Children {
    None,
    Items(Box<[Node]>),
    /// Sorted by key. The documents of one text share their keys, because thousands of objects have the same ones.
    Entries(Box<[(Arc<str>, Node)]>),
}

/// The place of a value, as byte ranges of the text. For an alias, and for entries that a merge key adds, it is the place of the
/// anchored value.
///
/// ```
/// use xposer::diagnostics::Segment;
///
/// let document = xposer_manifest::load("spec: {ports: [80]}").unwrap().remove(0);
/// let located = document.locate(&[Segment::Key("spec".into()), Segment::Key("type".into())]);
/// assert_eq!((located.value, located.key, located.depth), (6..19, Some(0..4), 1));
/// assert!(located.is_collection);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The range of the value, including quotes and brackets. For a block scalar (`|` or `>`), its lines without the header; for a
    /// collection without brackets, everything from its first key or item to the end of the last one. If no value is written, an
    /// empty range after the key or dash.
    pub value: Range<usize>,
    /// The range of the key, if the value is an entry of a mapping.
    pub key: Option<Range<usize>>,
    /// The number of path segments that lead to this value. It is smaller than the length of the path if the path ends early.
    pub depth: usize,
    /// Whether the value is a mapping or a sequence.
    pub is_collection: bool,
}

impl Document {
    /// Creates the documents of a text, without null documents. The error lists all repeated keys.
    pub(crate) fn all(text: &str, parsed: Vec<Parsed>) -> Result<Vec<Self>, Vec<Flaw>> {
        let mut builder = Builder { text, flaws: Vec::new(), keys: HashSet::new() };
        let all = parsed.into_iter().map(|parsed| builder.build(parsed, None));
        let documents =
            all.map(|(value, root, _)| Self { value, root }).filter(|document| !document.value.is_null());
        let documents: Vec<Self> = documents.collect();
        if builder.flaws.is_empty() { Ok(documents) } else { Err(builder.flaws) }
    }

    /// Returns the place of the value at `path`, or of the deepest existing value on the way to it.
    ///
    /// ```
    /// use xposer::diagnostics::Segment;
    ///
    /// let text = "spec: {ports: [80, 443]}\n";
    /// let document = xposer_manifest::load(text).unwrap().remove(0);
    /// let path = [Segment::Key("spec".into()), Segment::Key("ports".into()), Segment::Index(1)];
    /// assert_eq!(&text[document.locate(&path).value], "443");
    /// ```
    pub fn locate(&self, path: &[Segment]) -> Located {
        let (node, value, depth) = self.find(path);
        let is_collection = value.is_array() || value.is_object();
        Located { value: wide(&node.value), key: node.key.as_ref().map(wide), depth, is_collection }
    }

    /// Returns the place of a part of a string value. `part` is a byte range of the value, and the result is a byte range of
    /// `text`, from which the document was loaded. If the part cannot be located, for example in the middle of an escape, the
    /// result is the whole value, as in [`locate`](Self::locate).
    ///
    /// ```
    /// use xposer::diagnostics::Segment;
    ///
    /// let text = r#"host: "a\u002eb c""#;
    /// let document = xposer_manifest::load(text).unwrap().remove(0);
    /// let part = document.locate_part(text, &[Segment::Key("host".into())], &(1..2));
    /// assert_eq!(&text[part], r"\u002e");
    /// ```
    pub fn locate_part(&self, text: &str, path: &[Segment], part: &Range<usize>) -> Range<usize> {
        let (node, value, depth) = self.find(path);
        let whole = wide(&node.value);
        let string = value.as_str().filter(|_| depth == path.len());
        let source = text.get(whole.clone()).unwrap_or_default();
        match string.and_then(|string| part_of(source, string, part)) {
            Some(span) => whole.start + span.start..whole.start + span.end,
            None => whole,
        }
    }

    fn find(&self, path: &[Segment]) -> (&Node, &Value, usize) {
        let (mut node, mut value) = (&self.root, &self.value);
        for (depth, segment) in path.iter().enumerate() {
            let next = match (segment, &node.children) {
                (Segment::Key(key), Children::Entries(entries)) => {
                    let found = entries.binary_search_by(|(name, _)| name.as_ref().cmp(key));
                    found
                        .ok()
                        .and_then(|at| entries.get(at))
                        .map(|(_, node)| node)
                        .zip(value.get(key.as_ref()))
                }
                (Segment::Index(index), Children::Items(items)) => items.get(*index).zip(value.get(index)),
                _ => None,
            };
            let Some(next) = next else { return (node, value, depth) };
            (node, value) = next;
        }
        (node, value, path.len())
    }
}

/// Creates documents from the values of a parser.
struct Builder<'t> {
    text: &'t str,
    flaws: Vec<Flaw>,
    /// The keys of all documents so far.
    keys: HashSet<Arc<str>>,
}

impl Builder<'_> {
    /// Returns the value, its places, and its end as in [`Parsed::end`].
    fn build(&mut self, parsed: Parsed, key: Option<Span>) -> (Value, Node, u32) {
        let Parsed { mut span, mut end, kind } = parsed;
        let is_alias = end > span.end;
        let (value, children, last) = match kind {
            Kind::Scalar(mut value) => {
                self.end_block(&mut value, &span);
                span.end = self.end_of_scalar(&span);
                if value.is_null() && !is_alias {
                    self.check_null(&span);
                }
                return (value, Node { value: span, key, children: Children::None }, end);
            }
            Kind::NotFinite => {
                span.end = self.end_of_scalar(&span);
                let value = self.not_finite(&span, is_alias);
                return (value, Node { value: span, key, children: Children::None }, end);
            }
            Kind::Items(items) => {
                let (mut values, mut nodes, mut last) =
                    (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()), 0);
                for item in items {
                    let (value, node, end) = self.build(item, None);
                    last = last.max(if is_alias { node.value.end } else { end });
                    values.push(value);
                    nodes.push(node);
                }
                (Value::Array(values), Children::Items(nodes.into()), last)
            }
            Kind::Entries(entries) => self.entries(entries, is_alias),
        };
        span.end = self.end_of_collection(&span, last);
        if !is_alias {
            end = span.end;
        }
        (value, Node { value: span, key, children }, end)
    }

    fn entries(&mut self, entries: Vec<(String, Span, Parsed)>, is_alias: bool) -> (Value, Children, u32) {
        let mut last = 0;
        let mut nodes: Vec<(Arc<str>, Node)> = Vec::with_capacity(entries.len());
        let mut map = Map::new();
        for (name, span, parsed) in entries {
            if name.is_empty() && span.is_empty() {
                self.flaws.push(message::empty_key(wide(&span)));
            }
            let (value, node, end) = self.build(parsed, Some(span));
            last = last.max(if is_alias { node.value.end } else { end });
            nodes.push((self.shared_key(&name), node));
            map.entry(name).or_insert(value);
        }
        nodes.sort_by(|one, other| one.0.cmp(&other.0));
        nodes.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same && let (Some(first), Some(again)) = (&earlier.1.key, &later.1.key) {
                self.flaws.push(message::duplicate_key(&later.0, &wide(first), wide(again)));
            }
            is_same
        });
        (Value::Object(map), Children::Entries(nodes.into()), last)
    }

    fn shared_key(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.keys.get(name) {
            return Arc::clone(known);
        }
        let key: Arc<str> = name.into();
        self.keys.insert(Arc::clone(&key));
        key
    }

    /// The end of a scalar. The parser's span of a block scalar reaches to the next token.
    fn end_of_scalar(&self, span: &Span) -> u32 {
        let written = self.text.get(wide(span)).unwrap_or_default();
        span.start + narrow(&(0..written.trim_end_matches(BLANKS).len())).end
    }

    /// Reports an invalid null: the library reads every scalar with the tag `!!null` as null.
    fn check_null(&mut self, span: &Span) {
        let written = self.text.get(wide(span)).unwrap_or_default();
        if !matches!(unquoted(written), "" | "~" | "null" | "Null" | "NULL") {
            self.flaws.push(message::tag_does_not_fit(self.text, wide(span)));
        }
    }

    /// The value of a number that JSON cannot represent. A number that is too large is text, as in `kubectl`.
    fn not_finite(&mut self, span: &Span, is_alias: bool) -> Value {
        let written = self.text.get(wide(span)).unwrap_or_default();
        if is_alias {
            // The finding is reported at the anchored value.
        } else if unquoted(written).trim_start_matches(['+', '-']).starts_with(['.', 'i', 'I', 'n', 'N']) {
            self.flaws.push(message::not_finite(wide(span), written));
        } else if message::tag_before(self.text, span.start as usize).is_some() {
            self.flaws.push(message::tag_does_not_fit(self.text, wide(span)));
        }
        written.into()
    }

    /// Removes the final line break of a block scalar at the end of a text without one, as `kubectl` does.
    fn end_block(&self, value: &mut Value, span: &Span) {
        if let Value::String(value) = value
            && span.end as usize == self.text.len()
            && !self.text.ends_with(['\n', '"', '\''])
            && self.text.rsplit('\n').next().is_some_and(|line| !line.trim_matches(BLANKS).is_empty())
            && value.ends_with('\n')
        {
            value.pop();
        }
    }

    /// The end of a collection whose last part ends at `last`. If `span` has one byte, it is the opening bracket.
    fn end_of_collection(&self, span: &Span, last: u32) -> u32 {
        let end = span.end.max(last);
        let opening = self.text.get(wide(span)).unwrap_or_default();
        if !matches!(opening, "[" | "{") {
            return end;
        }
        let rest = self.text.get(end as usize..).unwrap_or_default();
        let behind = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        let closing = usize::from(behind.starts_with([']', '}']));
        end + narrow(&(0..rest.len() - behind.len() + closing)).end
    }
}

/// The range of `part` in the source of a string. The source has each character of the string in order: literally, as an escape,
/// or, for white space, as any white space, because lines are folded and indented.
fn part_of(source: &str, string: &str, part: &Range<usize>) -> Option<Range<usize>> {
    let quote = source.chars().next().filter(|quote| is_quoted(source, string, *quote));
    let mut at = quote.map_or(0, char::len_utf8);
    let (mut start, mut end) = (None, None);
    for (position, character) in string.char_indices() {
        let rest = source.get(at..)?;
        let length = written_length(rest, character, quote)?;
        let skipped = length.start;
        if position == part.start {
            start = Some(at + skipped);
        }
        at += length.end;
        let done = position + character.len_utf8();
        if done == part.end {
            end = Some(at);
        }
        if done >= part.end && start.is_some() {
            break;
        }
    }
    if part.start > part.end {
        return None;
    }
    let start = start.or((part.start == string.len()).then_some(at))?;
    let end = if part.is_empty() { start } else { end? };
    Some(start..end)
}

/// A scalar in the source without its quotes.
fn unquoted(written: &str) -> &str {
    let inner = |quote| written.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(written)
}

/// Whether a source is in quotes. A block scalar can also begin and end with quotes, which are then a part of the string.
fn is_quoted(source: &str, string: &str, quote: char) -> bool {
    let is_escaped = source.starts_with(if quote == '"' { "\"\\" } else { "''" });
    matches!(quote, '"' | '\'') && source.ends_with(quote) && (is_escaped || !string.starts_with(quote))
}

/// The bytes at the start of the source that represent one character of a string.
fn written_length(source: &str, character: char, quote: Option<char>) -> Option<Range<usize>> {
    let is_blank = BLANKS.contains(&character);
    if is_blank && source.starts_with(character) {
        return Some(0..character.len_utf8());
    }
    let mut rest = source.trim_start_matches(BLANKS);
    if quote == Some('"') && (rest.starts_with("\\\n") || rest.starts_with("\\\r")) {
        rest = rest.get(1..)?.trim_start_matches(BLANKS);
    }
    let blanks = source.len() - rest.len();
    if is_blank && blanks > 0 {
        return Some(0..blanks);
    }
    let written = match (quote, rest.as_bytes()) {
        (Some('\''), [b'\'', b'\'', ..]) if character == '\'' => 2,
        (Some('"'), [b'\\', b'x', ..]) => 4,
        (Some('"'), [b'\\', b'u', ..]) if character.len_utf8() == 4 => 12,
        (Some('"'), [b'\\', b'u', ..]) => 6,
        (Some('"'), [b'\\', b'U', ..]) => 10,
        (Some('"'), [b'\\', ..]) => 2,
        _ if rest.starts_with(character) => character.len_utf8(),
        // The source of a block scalar starts after its empty lines.
        _ if is_blank => 0,
        _ => return None,
    };
    Some(blanks..blanks + written)
}
