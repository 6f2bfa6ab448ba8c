//! Builds values and, beside them, the compact table of where each of them stands.
//!
//! Both readers (YAML events and JSON tokens) drive the one [`Builder`], so duplicate keys, depth and
//! positions behave alike in both.

use super::decode::part_span;
use super::load::{LoadError, Report};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::OnceLock;

/// How deep collections may nest. Far more than any Kubernetes object needs, and little enough that
/// whoever walks the value recursively afterwards cannot run out of stack.
pub const MAX_DEPTH: usize = 128;

/// What aliases may expand to in every text, whatever its length.
const FREE_ALIAS_NODES: usize = 100_000;
const FREE_ALIAS_BYTES: usize = 10 * 1024 * 1024;

/// The notation of a node, which decides how its source text is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Unquoted, and also the numbers and words of JSON.
    Plain,
    SingleQuoted,
    /// Double quoted YAML, and the strings of JSON.
    DoubleQuoted,
    /// A `|` block.
    Literal,
    /// A `>` block.
    Folded,
    /// A map or a sequence.
    Collection,
}

/// Where a key or a value stands, in bytes of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    start: u32,
    end: u32,
    pub(super) style: Style,
}

impl Token {
    pub(super) fn new(span: &Range<usize>, style: Style) -> Self {
        // A text of 4 GiB and more is refused before it is read, so nothing is ever clamped here.
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: narrow(span.start), end: narrow(span.end.max(span.start)), style }
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One value in the position table. The children of a collection lie side by side in the table: those of
/// a sequence in order, those of a map sorted by the hash of their key. An alias shares the children of
/// its anchor, so expanding it costs one entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) value: Token,
    pub(super) key: Option<Token>,
    pub(super) key_hash: u32,
    pub(super) first_child: u32,
    pub(super) child_count: u32,
}

impl Node {
    fn leaf(value: Token) -> Self {
        Self { value, key: None, key_hash: 0, first_child: 0, child_count: 0 }
    }
}

/// One document of a text: its value, and where every part of the value is written.
///
/// All positions are byte offsets into the whole text the document was loaded from, which the methods
/// that need it take as an argument; with another text they give useless spans, but do not panic.
#[derive(Debug)]
pub struct Document {
    /// The value. Changing it leaves the positions of what was there untouched.
    pub value: Value,
    pub(super) root: Node,
    pub(super) nodes: Box<[Node]>,
}

/// The hash the entries of a map are sorted by. Its seed is random, so that nobody can write a file whose
/// keys all collide.
pub(super) fn hash_key(key: &str) -> u32 {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    let hash = SEED.get_or_init(RandomState::new).hash_one(key);
    (hash & u64::from(u32::MAX)) as u32
}

/// The children of a node; none for anything but a collection.
pub(super) fn children<'n>(nodes: &'n [Node], node: &Node) -> &'n [Node] {
    let first = node.first_child as usize;
    nodes.get(first..first.saturating_add(node.child_count as usize)).unwrap_or_default()
}

/// The entry of a map with this key. `text` is the source, read only where two keys share a hash.
pub(super) fn find_entry<'n>(text: &str, nodes: &'n [Node], map: &Node, key: &str) -> Option<&'n Node> {
    let entries = children(nodes, map);
    let hash = hash_key(key);
    let start = entries.partition_point(|entry| entry.key_hash < hash);
    let candidates = entries.get(start..)?;
    let end = candidates.partition_point(|entry| entry.key_hash == hash);
    match candidates.get(..end)? {
        [] => None,
        [only] => Some(only),
        several => several.iter().find(|entry| is_written(text, entry, key)),
    }
}

/// Whether the source of the entry's key says `key`.
fn is_written(text: &str, entry: &Node, key: &str) -> bool {
    entry.key.is_some_and(|token| part_span(text, &token, key, &(0..0)).is_some())
}

/// How much a value weighs when an alias repeats it.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    bytes: usize,
    /// Nested collections, 0 for a scalar.
    height: usize,
}

impl Weight {
    fn of_scalar(value: &Value) -> Self {
        Self { nodes: 1, bytes: value.as_str().map_or(0, str::len), height: 0 }
    }

    fn add(&mut self, part: Self) {
        self.nodes = self.nodes.saturating_add(part.nodes);
        self.bytes = self.bytes.saturating_add(part.bytes);
        self.height = self.height.max(part.height + 1);
    }
}

/// What repeated values may still add to the result.
#[derive(Debug)]
struct Budget {
    nodes: usize,
    bytes: usize,
}

impl Budget {
    /// Grows with the text, so that a large file with many small aliases loads, while the result stays
    /// proportional to what was written.
    fn for_text(text: &str) -> Self {
        Self { nodes: FREE_ALIAS_NODES.max(text.len() / 10), bytes: FREE_ALIAS_BYTES.max(text.len()) }
    }

    fn spend(&mut self, weight: Weight) -> bool {
        let left = (self.nodes.checked_sub(weight.nodes), self.bytes.checked_sub(weight.bytes));
        let (Some(nodes), Some(bytes)) = left else {
            return false;
        };
        (self.nodes, self.bytes) = (nodes, bytes);
        true
    }
}

/// A value with its place in the table, not yet part of a larger one.
#[derive(Debug, Clone)]
struct Finished {
    value: Value,
    node: Node,
    weight: Weight,
}

/// What an anchor stands for.
#[derive(Debug)]
enum Anchor {
    Complete(Finished),
    /// Too large to be repeated even once.
    TooLarge,
}

/// Which kind of collection is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Map,
    Sequence,
}

/// The key the next value belongs to.
#[derive(Debug)]
enum Key {
    Named(String, Token),
    /// An unquoted `<<`: the value's entries are added to the map.
    Merge(Token),
    /// An erroneous key, already reported. Its value is dropped.
    Void,
}

#[derive(Debug)]
enum Partial {
    Map(Map<String, Value>),
    Sequence(Vec<Value>),
}

/// A collection that is still open.
#[derive(Debug)]
struct Frame {
    value: Partial,
    children: Vec<Node>,
    key: Option<Key>,
    merge_key: Option<Token>,
    merged: Vec<(Value, Node)>,
    span: Range<usize>,
    weight: Weight,
    anchor: usize,
    /// The collection stands where a key belongs.
    is_key: bool,
}

/// Collects the documents of one text.
pub(super) struct Builder<'t> {
    text: &'t str,
    pub(super) report: Report<'t>,
    documents: Vec<Document>,
    nodes: Vec<Node>,
    frames: Vec<Frame>,
    root: Option<Finished>,
    anchors: HashMap<usize, Anchor>,
    /// The anchors that some alias refers to; the values of all others need not be kept.
    wanted: HashSet<usize>,
    budget: Budget,
    /// The rest of the current document is skipped.
    abandoned: bool,
}

impl<'t> Builder<'t> {
    pub(super) fn new(text: &'t str, wanted: HashSet<usize>) -> Self {
        Self {
            text,
            report: Report::new(text),
            documents: Vec::new(),
            nodes: Vec::new(),
            frames: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            wanted,
            budget: Budget::for_text(text),
            abandoned: false,
        }
    }

    /// The documents, or everything that is wrong with the text.
    pub(super) fn finish(self) -> Result<Vec<Document>, Vec<LoadError>> {
        if self.report.is_empty() { Ok(self.documents) } else { Err(self.report.into_errors()) }
    }

    /// Gives up the current document; the error must have been reported.
    pub(super) fn abandon(&mut self) {
        self.abandoned = true;
        self.frames.clear();
        self.nodes.clear();
        self.root = None;
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    /// Ends the current document. One without content, or with nothing but null in it, is dropped.
    pub(super) fn end_document(&mut self) {
        let nodes = std::mem::take(&mut self.nodes);
        self.frames.clear();
        self.anchors.clear();
        self.abandoned = false;
        let Some(root) = self.root.take() else {
            return;
        };
        if !root.value.is_null() {
            self.documents.push(Document {
                value: root.value,
                root: root.node,
                nodes: nodes.into_boxed_slice(),
            });
        }
    }

    /// Whether the next scalar is a key.
    pub(super) fn expects_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| matches!(frame.value, Partial::Map(_)) && frame.key.is_none())
    }

    /// The kind of the innermost open collection and where it begins.
    pub(super) fn innermost(&self) -> Option<(Kind, usize)> {
        self.frames.last().map(|frame| match frame.value {
            Partial::Map(_) => (Kind::Map, frame.span.start),
            Partial::Sequence(_) => (Kind::Sequence, frame.span.start),
        })
    }

    /// Takes a key of the innermost map.
    pub(super) fn key(&mut self, key: String, token: Token) {
        self.place_key(key, token, token.span());
    }

    /// Takes a key that occupies `span`, which for an alias is not where the key itself stands.
    fn place_key(&mut self, key: String, token: Token, span: Range<usize>) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        frame.span.end = frame.span.end.max(span.end);
        let Partial::Map(map) = &frame.value else {
            return;
        };
        if map.contains_key(&key) {
            let hash = hash_key(&key);
            let mut candidates = frame.children.iter().filter(|child| child.key_hash == hash);
            let first =
                candidates.find(|child| is_written(self.text, child, &key)).and_then(|child| child.key);
            self.report.duplicate_key(&key, first.map(|token| token.span()), span);
            frame.key = Some(Key::Void);
        } else {
            frame.key = Some(Key::Named(key, token));
        }
    }

    /// Takes a key of the innermost map that aliases may refer to; `anchor` is 0 for none.
    pub(super) fn anchored_key(&mut self, key: String, token: Token, anchor: usize) {
        if self.wanted.contains(&anchor) {
            let value = Value::String(key.clone());
            let weight = Weight::of_scalar(&value);
            self.remember(anchor, &Finished { value, node: Node::leaf(token), weight });
        }
        self.key(key, token);
    }

    /// Takes the key `<<` of the innermost map.
    pub(super) fn merge_key(&mut self, token: Token) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let span = token.span();
        frame.span.end = frame.span.end.max(span.end);
        if let Some(first) = frame.merge_key {
            self.report.duplicate_key("<<", Some(first.span()), span);
            frame.key = Some(Key::Void);
        } else {
            frame.merge_key = Some(token);
            frame.key = Some(Key::Merge(token));
        }
    }

    /// Stands in for a key or value that was reported as an error.
    pub(super) fn void(&mut self, span: &Range<usize>) {
        if self.expects_key() {
            if let Some(frame) = self.frames.last_mut() {
                frame.key = Some(Key::Void);
            }
        } else {
            self.scalar(Value::Null, Token::new(span, Style::Plain), 0);
        }
    }

    /// Takes a scalar value; `anchor` is 0 for none.
    pub(super) fn scalar(&mut self, value: Value, token: Token, anchor: usize) {
        let weight = Weight::of_scalar(&value);
        let finished = Finished { value, node: Node::leaf(token), weight };
        self.remember(anchor, &finished);
        self.place(finished, &token.span());
    }

    /// Opens a collection at `start`; `anchor` is 0 for none.
    pub(super) fn open(&mut self, kind: Kind, start: usize, anchor: usize) {
        if self.frames.len() >= MAX_DEPTH {
            self.report.too_deep(start);
            self.abandon();
            return;
        }
        let is_key = self.expects_key();
        if is_key {
            self.report.collection_as_key(kind, start);
        }
        let value = match kind {
            Kind::Map => Partial::Map(Map::new()),
            Kind::Sequence => Partial::Sequence(Vec::new()),
        };
        self.frames.push(Frame {
            value,
            children: Vec::new(),
            key: None,
            merge_key: None,
            merged: Vec::new(),
            span: start..start,
            weight: Weight { nodes: 1, bytes: 0, height: 1 },
            anchor,
            is_key,
        });
    }

    /// Closes the innermost collection. `end` is where its closing bracket ends; a collection without
    /// brackets ends with its last part.
    pub(super) fn close(&mut self, end: Option<usize>) {
        let Some(mut frame) = self.frames.pop() else {
            return;
        };
        let span = frame.span.start..end.unwrap_or(frame.span.end);
        if frame.is_key {
            self.void(&span);
            return;
        }
        self.apply_merges(&mut frame);
        let anchor = frame.anchor;
        let finished = self.complete(frame, &span);
        self.remember(anchor, &finished);
        self.place(finished, &span);
    }

    /// Turns a frame into a value and moves its children into the table.
    fn complete(&mut self, frame: Frame, span: &Range<usize>) -> Finished {
        let mut children = frame.children;
        let value = match frame.value {
            Partial::Map(map) => {
                children.sort_by_key(|child| child.key_hash);
                Value::Object(map)
            }
            Partial::Sequence(items) => Value::Array(items),
        };
        let node = Node {
            value: Token::new(span, Style::Collection),
            key: None,
            key_hash: 0,
            first_child: u32::try_from(self.nodes.len()).unwrap_or(u32::MAX),
            child_count: u32::try_from(children.len()).unwrap_or(u32::MAX),
        };
        self.nodes.append(&mut children);
        Finished { value, node, weight: frame.weight }
    }

    /// Keeps a copy of what an alias will repeat. It is paid for from the budget like the repetition
    /// itself: what would not fit now could not be repeated later either.
    fn remember(&mut self, anchor: usize, finished: &Finished) {
        if !self.wanted.contains(&anchor) {
            return;
        }
        let kept = if self.budget.spend(finished.weight) {
            Anchor::Complete(finished.clone())
        } else {
            Anchor::TooLarge
        };
        self.anchors.insert(anchor, kept);
    }

    /// Repeats the value of an anchor, as a key or as a value.
    pub(super) fn alias(&mut self, anchor: usize, span: Range<usize>) {
        if self.frames.iter().any(|frame| frame.anchor == anchor) {
            self.report.alias_to_itself(span.clone());
            self.void(&span);
            return;
        }
        let original = match self.anchors.get(&anchor) {
            Some(Anchor::Complete(original)) => original,
            Some(Anchor::TooLarge) => {
                self.report.alias_too_large(span);
                self.abandon();
                return;
            }
            // Only after a syntax error, beyond which nobody looked for aliases.
            None => {
                self.report.unknown_alias(span.clone());
                self.void(&span);
                return;
            }
        };
        if self.frames.len() + original.weight.height > MAX_DEPTH {
            self.report.too_deep(span.start);
            self.abandon();
            return;
        }
        if !self.budget.spend(original.weight) {
            self.report.alias_too_large(span);
            self.abandon();
            return;
        }
        let copy = original.clone();
        self.place_alias(copy, span);
    }

    fn place_alias(&mut self, copy: Finished, span: Range<usize>) {
        if !self.expects_key() {
            self.place(copy, &span);
            return;
        }
        if let Value::String(key) = copy.value {
            self.place_key(key, copy.node.value, span);
        } else {
            self.report.alias_as_key(span.clone());
            self.void(&span);
        }
    }

    /// Puts a finished value where it belongs; `span` is what it occupies in its parent, which for an
    /// alias is not where the value itself stands.
    fn place(&mut self, finished: Finished, span: &Range<usize>) {
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(finished);
            return;
        };
        frame.span.end = frame.span.end.max(span.end);
        match &mut frame.value {
            Partial::Sequence(items) => {
                frame.weight.add(finished.weight);
                items.push(finished.value);
                frame.children.push(finished.node);
            }
            Partial::Map(map) => match frame.key.take() {
                Some(Key::Named(key, token)) => {
                    frame.weight.add(finished.weight);
                    frame.weight.bytes = frame.weight.bytes.saturating_add(key.len());
                    let key_hash = hash_key(&key);
                    frame.children.push(Node { key: Some(token), key_hash, ..finished.node });
                    map.insert(key, finished.value);
                }
                Some(Key::Merge(token)) => self.merge(finished, token),
                Some(Key::Void) | None => {}
            },
        }
    }

    /// Keeps the value of `<<` for the end of the map, when it is known which keys stand there explicitly.
    fn merge(&mut self, finished: Finished, token: Token) {
        let merged = match finished.value {
            Value::Object(_) => vec![(finished.value, finished.node)],
            Value::Array(items) if items.iter().all(Value::is_object) => {
                items.into_iter().zip(children(&self.nodes, &finished.node).iter().copied()).collect()
            }
            _ => {
                self.report.not_mergeable(token.span());
                return;
            }
        };
        if let Some(frame) = self.frames.last_mut() {
            frame.weight.add(finished.weight);
            frame.merged = merged;
        }
    }

    /// Adds merged entries to their map; what the map has itself wins, then the first map merged.
    fn apply_merges(&self, frame: &mut Frame) {
        let Partial::Map(map) = &mut frame.value else {
            return;
        };
        for (source, source_node) in std::mem::take(&mut frame.merged) {
            let Value::Object(entries) = source else {
                continue;
            };
            for (key, value) in entries {
                if map.contains_key(&key) {
                    continue;
                }
                if let Some(node) = find_entry(self.text, &self.nodes, &source_node, &key) {
                    frame.children.push(*node);
                }
                map.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_the_same_hash_are_told_apart() {
        let text = "one: 1\ntwo: 2\n";
        let hash = hash_key("two");
        let entry = |key: Range<usize>, value: Range<usize>| Node {
            key: Some(Token::new(&key, Style::Plain)),
            key_hash: hash,
            ..Node::leaf(Token::new(&value, Style::Plain))
        };
        let nodes = [entry(0..3, 5..6), entry(7..10, 12..13)];
        let map = Node { child_count: 2, ..Node::leaf(Token::new(&(0..13), Style::Collection)) };
        let found = find_entry(text, &nodes, &map, "two").map(|entry| entry.value.span());
        assert_eq!(found, Some(12..13));
        assert!(find_entry(text, &nodes, &map, "six").is_none());
    }

    #[test]
    fn a_position_is_small() {
        assert!(size_of::<Node>() <= 36, "{}", size_of::<Node>());
    }
}
