//! Parses a text into documents with places, or returns its errors with their places.

use crate::document::{Document, Kind, Parsed};
use crate::json;
use crate::lines::LineIndex;
use crate::message::{self, Flaw, TEMPLATE_HELP};
use crate::text::{BLANKS, MAX_DEPTH, Span, bytes, narrow};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, Options, Spanned};
use std::fmt;
use std::ops::Range;

/// The maximum number of reported errors.
const MAX_ERRORS: usize = 50;
/// The limits of aliases in a short text: repeated parser events, and bytes of scalars.
const ALIAS_EVENTS: usize = 200_000;
const ALIAS_BYTES: usize = 10 * 1024 * 1024;
/// Integers up to this magnitude are exact in a 64-bit float, so the conversion is lossless.
const EXACT_FLOAT_LIMIT: f64 = 9_007_199_254_740_992.0;

/// An error that prevents a text from being loaded.
///
/// ```
/// let errors = xposer_manifest::load("a: 1\na: 2\n").unwrap_err();
/// assert_eq!(errors[0].to_string(), "duplicate key `a`: it is on line 1 and again on line 2 at line 2 column 1");
/// assert_eq!(errors[0].span, 5..6);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The message: lower case, without a final period, one line.
    pub message: String,
    /// The end of the message with the lines of the text. It is omitted for a text inside another file.
    pub lines: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted in characters from 1.
    pub column: usize,
    /// The byte range of the text that the error is about; empty if something is missing.
    pub span: Range<usize>,
    /// The help, in the same form as the message.
    pub help: Option<String>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{} at line {} column {}", self.message, self.lines, self.line, self.column)
    }
}

impl std::error::Error for LoadError {}

/// Reads all documents of a YAML or JSON text, in order. Empty and null documents are omitted.
///
/// A text that starts with `{` or `[` is read as JSON if it is JSON (one value, or several with optional blanks between them), and
/// as YAML otherwise. A byte order mark at the start is accepted. An unquoted scalar has the same meaning as in `kubectl`, except
/// that `yes`, `no`, `on`, `off`, `y`, `n` and dates stay strings.
///
/// ```
/// use xposer_manifest::load;
///
/// let documents = load("port: 0x50\n---\n- yes\n").unwrap();
/// assert_eq!(documents[0].value, serde_json::json!({"port": 80}));
/// assert_eq!(documents[1].value, serde_json::json!(["yes"]));
/// let errors = load("a: 1\na: 2\n").unwrap_err();
/// assert_eq!(errors[0].message, "duplicate key `a`");
/// assert_eq!((errors[0].line, errors[0].column), (2, 1));
/// ```
///
/// # Errors
///
/// The errors of each document, in the order of the text: the first syntax error, or the first value that is not JSON, or all
/// repeated keys. Collections may be nested at most [`MAX_DEPTH`] deep, aliases must not expand a small text to a large value, and
/// a text must be shorter than 4 GiB.
pub fn load(text: &str) -> Result<Vec<Document>, Vec<LoadError>> {
    if u32::try_from(text.len()).is_err() {
        return Err(errors(
            "",
            vec![Flaw::new(0..0, "the text is larger than 4 GiB").help("split it into several files")],
        ));
    }
    let read = if json::begins_like_json(text) {
        json::read(text).or_else(|json| match json {
            json::Failure::Content(flaws) => Err(flaws),
            // The text may be YAML in flow style.
            json::Failure::Syntax(json) => {
                read_yaml(text).map_err(|yaml| json.map_or(yaml, |json| vec![json]))
            }
        })
    } else {
        read_yaml(text)
    };
    read.map_err(|flaws| errors(text, flaws))
}

fn errors(text: &str, mut flaws: Vec<Flaw>) -> Vec<LoadError> {
    flaws.sort_by_key(|flaw| flaw.span.start);
    let lines = LineIndex::new(text);
    let (mut errors, mut is_template) = (Vec::new(), false);
    for Flaw { message, span, help, first } in flaws {
        // In an unrendered template, most actions are errors, and all of them have one cause.
        let is_action = help == Some(TEMPLATE_HELP);
        if is_action && is_template || errors.len() >= MAX_ERRORS {
            continue;
        }
        is_template |= is_action;
        let (line, column) = lines.line_column(text, span.start);
        let first = first.map(|first| lines.line_column(text, first).0);
        let lines = first.map(|first| format!(": it is on line {first} and again on line {line}"));
        let help = help.map(str::to_owned);
        errors.push(LoadError { message, lines: lines.unwrap_or_default(), line, column, span, help });
    }
    errors
}

/// The limits of aliases in a text.
#[derive(Clone, Copy)]
struct AliasLimits {
    /// The maximum number of repeated parser events. A scalar is one event, a mapping or a sequence two.
    events: usize,
    /// The maximum size of all scalars in bytes, repeated or not.
    bytes: usize,
}

impl AliasLimits {
    fn of_text(length: usize) -> Self {
        Self { events: ALIAS_EVENTS.max(length / 5), bytes: length + ALIAS_BYTES.max(length) }
    }

    /// The limits of one document among many. They are proportional to its length, so that all documents together take linear time.
    fn of_document(length: usize) -> Self {
        Self { events: 4 * length, bytes: 64 * length }
    }
}

/// The options of the library: they limit nesting and aliases, and remove its limits on the size of a file.
fn options(length: usize, limits: AliasLimits) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH + 1,
            max_documents: usize::MAX,
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_anchors: usize::MAX,
            max_aliases: usize::MAX,
            max_merge_keys: usize::MAX,
            max_total_scalar_bytes: limits.bytes,
            enforce_alias_anchor_ratio: false,
            max_recorded_anchor_events: limits.events + length,
            max_recorded_anchor_bytes: limits.bytes + 16 * length,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: limits.events,
            max_replay_stack_depth: MAX_DEPTH,
            max_alias_expansions_per_anchor: usize::MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        legacy_octal_numbers: true,
        strict_booleans: true,
        null_as_string: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

fn read_yaml(text: &str) -> Result<Vec<Document>, Vec<Flaw>> {
    let flaws = match read_part(text, 0..text.len(), AliasLimits::of_text) {
        Ok(documents) => return Ok(documents),
        Err(flaws) => flaws,
    };
    // Each document is parsed separately, to report the flaws of all.
    let starts = text.match_indices("\n---").map(|(at, _)| at + 1);
    let starts: Vec<usize> = [0].into_iter().chain(starts).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let says_something = |part: &Range<usize>| {
        let mut lines = text.get(part.clone()).unwrap_or_default().lines();
        lines.any(|line| !line.trim_matches(BLANKS).is_empty() && !line.starts_with(['#', '%']))
    };
    let parts = starts.iter().copied().zip(ends).map(|(start, end)| start..end).filter(says_something);
    let failures = parts.filter_map(|part| read_part(text, part, AliasLimits::of_document).err());
    let all: Vec<Flaw> = failures.flatten().take(MAX_ERRORS).collect();
    Err(if all.is_empty() { flaws } else { all })
}

/// Reads a part of a text. The places in documents are relative to the part, the places of flaws to the text.
fn read_part(
    text: &str,
    part: Range<usize>,
    limits: fn(usize) -> AliasLimits,
) -> Result<Vec<Document>, Vec<Flaw>> {
    let source = text.get(part.clone()).unwrap_or_default();
    let in_text = |flaws: Vec<Flaw>| flaws.into_iter().map(|flaw| flaw.moved(part.start)).collect();
    let parsed: Vec<Parsed> =
        serde_saphyr::from_multiple_with_options(source, options(source.len(), limits(source.len())))
            .map_err(|error| in_text(vec![message::of_yaml(source, &error)]))?;
    Document::all(source, parsed).map_err(in_text)
}

fn span(location: &Location) -> Span {
    narrow(&bytes(location))
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, defined, .. } = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self { span: span(&defined), end: span(&referenced).end.max(span(&defined).end), kind: value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that JSON can hold")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        let is_negative_zero = value == 0.0 && value.is_sign_negative();
        if value.fract() == 0.0 && value.abs() < EXACT_FLOAT_LIMIT && !is_negative_zero {
            // The API server reads `80.0` and `08` as integers. The value is known to fit.
            return Ok(Kind::Scalar((value as i64).into()));
        }
        Ok(Number::from_f64(value).map_or(Kind::NotFinite, |number| Kind::Scalar(number.into())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Kind::Items(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = access.next_entry::<Spanned<String>, Parsed>()? {
            entries.push((key.value, span(&key.defined), value));
        }
        Ok(Kind::Entries(entries))
    }
}
