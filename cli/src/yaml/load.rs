//! Text in, documents with positions out; or every error there is, each with its place.

use super::messages;
use super::positions::LineIndex;
use super::scalar::plain_value;
use super::tree::{Builder, Document, Kind, MAX_DEPTH, Style, Token};
use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle, Tag};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

/// After this many errors the rest of a text is not looked at: nobody reads on.
const MAX_ERRORS: usize = 50;

/// Something that keeps a text from being loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// What is wrong: lower case, without a final period, one line.
    pub message: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted in characters from 1.
    pub column: usize,
    /// The bytes of the text it is about; empty where something is missing.
    pub span: Range<usize>,
    /// What stands there instead of what was expected, as it is written, cut to a readable length.
    pub found: Option<String>,
    /// What to do about it, in the form of the message.
    pub help: Option<String>,
    /// What to say in place of the message where the text is a part of another one, whose lines have other numbers.
    pub without_lines: Option<String>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at line {} column {}", self.message, self.line, self.column)
    }
}

impl std::error::Error for LoadError {}

/// Reads all documents of a YAML or JSON text, in order. Documents that are empty or null are left out.
///
/// A text that begins with `{` or `[` is read as JSON where it is JSON (one value or several, separated
/// by nothing or by blanks), and as YAML otherwise. A byte order mark at the start is accepted.
///
/// # Errors
///
/// All errors of the text, in the order they were found: syntax errors (reading goes on in the next
/// document), duplicate keys, keys that are not scalars, unknown or recursive aliases, tags other than
/// those of the core schema, numbers that JSON cannot hold, and the limits of this module.
pub fn load(text: &str) -> Result<Vec<Document>, Vec<LoadError>> {
    if u32::try_from(text.len()).is_err() {
        let mut report = Report::new("");
        report.add(0..0, "the text is larger than 4 GiB");
        return Err(report.into_errors());
    }
    if !super::json::begins_like_json(text) {
        return load_yaml(text).map_err(Failure::into_errors);
    }
    let json = match super::json::load_json(text) {
        Ok(documents) => return Ok(documents),
        Err(failure) if failure.cause == Cause::Content => return Err(failure.into_errors()),
        Err(failure) => failure,
    };
    // Flow style YAML begins the same way. If it is neither, the reader reports whose notation it is in.
    match load_yaml(text) {
        Ok(documents) => Ok(documents),
        Err(yaml) if yaml.cause == Cause::Content || json.cause == Cause::Notation => Err(yaml.into_errors()),
        Err(_) => Err(json.into_errors()),
    }
}

/// Why one of the readers gave up.
pub(super) struct Failure {
    pub(super) errors: Vec<LoadError>,
    pub(super) cause: Cause,
}

/// What kind of error made a reader give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The text is well-formed, but says something it may not say.
    Content,
    /// The text is not well-formed.
    Syntax,
    /// The text is not JSON, and may be YAML.
    Notation,
}

impl Failure {
    fn into_errors(self) -> Vec<LoadError> {
        self.errors
    }
}

fn options() -> Options {
    granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        // An unknown alias is one error among others, not the end of the document.
        emit_unresolved_aliases: true,
        // What libyaml, and so `kubectl`, makes of a text without a final line break.
        block_scalar_eof_without_line_feed: true,
        emit_comments: false,
    }
}

fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    Parser::new_from_str_with_options(text, options())
}

/// The anchors that are referred to. Knowing them beforehand saves a copy of every other anchored value.
fn referenced_anchors(text: &str) -> HashSet<usize> {
    if !(text.contains('&') && text.contains('*')) {
        return HashSet::new();
    }
    let events = parser(text).map_while(Result::ok);
    events
        .filter_map(|(event, _)| if let Event::Alias(anchor) = event { Some(anchor) } else { None })
        .collect()
}

fn load_yaml(text: &str) -> Result<Vec<Document>, Failure> {
    let mut builder = Builder::new(text, referenced_anchors(text));
    let mut parser = parser(text);
    let mut cause = Cause::Content;
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => take_event(&mut builder, text, event, &span),
            Err(error) => {
                cause = Cause::Syntax;
                report_syntax_error(&mut builder, text, &error);
                builder.abandon();
                builder.end_document();
                if builder.report.is_full() || !matches!(parser.proceed_next_document(), Ok(true)) {
                    break;
                }
            }
        }
    }
    builder.finish().map_err(|errors| Failure { errors, cause })
}

fn report_syntax_error(builder: &mut Builder<'_>, text: &str, error: &ScanError) {
    let offset = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let (message, help) = messages::syntax_error(text, offset, error.kind());
    builder.report.add_with(offset..offset, message, help);
}

/// The bytes of an event.
fn range(span: &Span) -> Range<usize> {
    let start = span.start.byte_offset().unwrap_or_default();
    start..span.end.byte_offset().unwrap_or(start).max(start)
}

fn take_event(builder: &mut Builder<'_>, text: &str, event: Event<'_>, span: &Span) {
    if matches!(event, Event::DocumentEnd) {
        builder.end_document();
        return;
    }
    if builder.is_abandoned() || builder.report.is_full() {
        return;
    }
    let range = range(span);
    match event {
        Event::Scalar(value, style, anchor, tag) => {
            let scalar = Scalar { value, style, tag: tag.as_deref(), range };
            take_scalar(builder, text, scalar, anchor);
        }
        Event::MappingStart(_, anchor, tag) => open(builder, Kind::Map, range.start, anchor, tag.as_deref()),
        Event::SequenceStart(style, anchor, tag) => {
            let is_entry = matches!(builder.innermost(), Some((Kind::Map, _)));
            let start = match style {
                StructureStyle::Block if is_entry => first_dash(text, range.start),
                _ => range.start,
            };
            open(builder, Kind::Sequence, start, anchor, tag.as_deref());
        }
        Event::MappingEnd | Event::SequenceEnd => {
            // The end of a block collection is an empty span somewhere behind it.
            builder.close((!range.is_empty()).then_some(range.end));
        }
        Event::Alias(anchor) => builder.alias(anchor, range),
        Event::UnresolvedAlias(_) => {
            builder.report.unknown_alias(range.clone());
            builder.void(&range);
        }
        _ => {}
    }
}

/// Where a sequence begins that is the value of a key. If its dashes stand below the key itself, the parser
/// gives the place behind the first dash, which then is the first thing on its line.
fn first_dash(text: &str, start: usize) -> usize {
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rfind(['\r', '\n']).map_or(0, |position| position + 1);
    let line = before.get(line_start..).unwrap_or_default();
    match line.trim_start_matches(' ').strip_prefix('-').map(str::trim_start) {
        Some(between) if between.is_empty() || between.starts_with('#') => {
            start - line.trim_start_matches(' ').len()
        }
        _ => start,
    }
}

fn open(builder: &mut Builder<'_>, kind: Kind, start: usize, anchor: usize, tag: Option<&Tag>) {
    let fits = match (tag, kind) {
        (None, _) => true,
        (Some(tag), _) if is_non_specific(tag) => true,
        (Some(tag), Kind::Map) => tag.core_suffix() == Some("map"),
        (Some(tag), Kind::Sequence) => tag.core_suffix() == Some("seq"),
    };
    if let Some(tag) = tag.filter(|_| !fits) {
        builder.report.unsupported_tag(tag, start..start);
    }
    builder.open(kind, start, anchor);
}

/// The tag `!`, which only says that the value is what it looks like.
fn is_non_specific(tag: &Tag) -> bool {
    tag.original() == "!"
}

/// A scalar event.
struct Scalar<'e> {
    value: Cow<'e, str>,
    style: ScalarStyle,
    tag: Option<&'e Tag>,
    range: Range<usize>,
}

impl Scalar<'_> {
    fn is_plain(&self) -> bool {
        matches!(self.style, ScalarStyle::Plain)
    }

    fn token(&self, text: &str) -> Token {
        let style = match self.style {
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
            _ => Style::Plain,
        };
        let is_block = matches!(style, Style::Literal | Style::Folded);
        // A block's span reaches to the next token; the blank lines in between are of no interest.
        let content =
            text.get(self.range.clone()).filter(|_| is_block).map(|content| content.trim_end().len());
        let end = content.map_or(self.range.end, |length| self.range.start + length);
        Token::new(&(self.range.start..end), style)
    }
}

fn take_scalar(builder: &mut Builder<'_>, text: &str, mut scalar: Scalar<'_>, anchor: usize) {
    let token = scalar.token(text);
    if scalar.is_plain() && scalar.range.is_empty() {
        // The parser writes `~` for what is not there at all.
        scalar.value = Cow::Borrowed("");
    }
    if builder.expects_key() {
        take_key(builder, scalar, token, anchor);
        return;
    }
    match scalar_value(builder, &mut scalar) {
        Some(value) => builder.scalar(value, token, anchor),
        None => builder.void(&scalar.range),
    }
}

/// A key is its text, whatever else that text could mean: `8080: http` has the key `8080`.
fn take_key(builder: &mut Builder<'_>, mut scalar: Scalar<'_>, token: Token, anchor: usize) {
    let is_plain = scalar.is_plain();
    if is_plain && scalar.value.is_empty() && scalar.tag.is_none() {
        builder.report.empty_key(scalar.range.clone());
        builder.void(&scalar.range);
        return;
    }
    if is_plain && scalar.value == "<<" && scalar.tag.is_none_or(|tag| tag.core_suffix() == Some("merge")) {
        builder.merge_key(token);
        return;
    }
    if scalar.tag.is_some() && scalar_value(builder, &mut scalar).is_none() {
        builder.void(&scalar.range);
        return;
    }
    builder.anchored_key(scalar.value.into_owned(), token, anchor);
}

/// The value of a scalar, or `None` if it has none and that was reported.
fn scalar_value(builder: &mut Builder<'_>, scalar: &mut Scalar<'_>) -> Option<Value> {
    let Some(tag) = scalar.tag.filter(|tag| !is_non_specific(tag)) else {
        let text = scalar.value.clone();
        if !scalar.is_plain() || scalar.tag.is_some() {
            return Some(Value::String(text.into_owned()));
        }
        return plain_value(text).or_else(|| {
            builder.report.not_finite(&scalar.value, scalar.range.clone());
            None
        });
    };
    let value = match tag.core_suffix() {
        Some("str") => Some(Value::String(scalar.value.clone().into_owned())),
        Some("null") => plain_value(scalar.value.clone()).filter(Value::is_null),
        Some("bool") => plain_value(scalar.value.clone()).filter(Value::is_boolean),
        Some("int") => plain_value(scalar.value.clone()).filter(|value| value.is_i64() || value.is_u64()),
        Some("float") => plain_value(scalar.value.clone()).filter(Value::is_number),
        _ => {
            builder.report.unsupported_tag(tag, scalar.range.clone());
            return None;
        }
    };
    if value.is_none() {
        builder.report.tag_does_not_fit(tag, &scalar.value, scalar.range.clone());
    }
    value
}

/// Collects errors and gives them their lines and columns.
pub(super) struct Report<'t> {
    text: &'t str,
    lines: Option<LineIndex>,
    errors: Vec<LoadError>,
    /// Whether it was said that the text is a template.
    is_template: bool,
}

impl<'t> Report<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, lines: None, errors: Vec::new(), is_template: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.errors.len() >= MAX_ERRORS
    }

    pub(super) fn into_errors(self) -> Vec<LoadError> {
        self.errors
    }

    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.add_with(span, message, None);
    }

    pub(super) fn add_with(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        if self.is_full() {
            return;
        }
        // In a template, practically every action is an error, and all have one cause.
        if help.as_deref() == Some(messages::TEMPLATE_HELP) {
            if self.is_template {
                return;
            }
            self.is_template = true;
        }
        let (line, column) = self.line_column(span.start);
        let written = self.text.get(span.clone()).unwrap_or_default();
        let found =
            if written.is_empty() { self.text.get(span.start..).unwrap_or_default() } else { written };
        let found = messages::excerpt(found);
        self.errors.push(LoadError {
            message: message.into(),
            line,
            column,
            span,
            found,
            help,
            without_lines: None,
        });
    }

    fn line_column(&mut self, offset: usize) -> (usize, usize) {
        // Built for the first error only, since most texts have none.
        let lines = self.lines.get_or_insert_with(|| LineIndex::new(self.text));
        lines.line_column(self.text, offset)
    }

    pub(super) fn duplicate_key(&mut self, key: &str, first: Option<Range<usize>>, second: Range<usize>) {
        let key = messages::excerpt(key).unwrap_or_default();
        let (line, _) = self.line_column(second.start);
        let message = match first.map(|span| self.line_column(span.start).0) {
            Some(first) => format!("duplicate key `{key}`: it is on line {first} and again on line {line}"),
            None => format!("duplicate key `{key}`"),
        };
        let count = self.errors.len();
        self.add_with(second, message, Some("remove one of the two".to_owned()));
        if let Some(added) = self.errors.get_mut(count) {
            added.without_lines = Some(format!("duplicate key `{key}`"));
        }
    }

    pub(super) fn too_deep(&mut self, offset: usize) {
        self.add(offset..offset, messages::too_deep());
    }

    pub(super) fn collection_as_key(&mut self, kind: Kind, offset: usize) {
        let kind = match kind {
            Kind::Map => "a map",
            Kind::Sequence => "a sequence",
        };
        let help = messages::template_help(self.text, offset);
        self.add_with(offset..offset, format!("a key must be a string, found {kind}"), help);
    }

    pub(super) fn alias_to_itself(&mut self, span: Range<usize>) {
        let name = self.text.get(span.clone()).unwrap_or_default();
        self.add(span, format!("the alias `{name}` is part of the value it refers to"));
    }

    pub(super) fn alias_too_large(&mut self, span: Range<usize>) {
        let name = self.text.get(span.clone()).unwrap_or_default();
        self.add(span, format!("the aliases up to `{name}` expand to more than is allowed"));
    }

    pub(super) fn alias_as_key(&mut self, span: Range<usize>) {
        let name = self.text.get(span.clone()).unwrap_or_default();
        self.add(span, format!("a key must be a string, but the alias `{name}` is none"));
    }

    pub(super) fn unknown_alias(&mut self, span: Range<usize>) {
        let name = self.text.get(span.clone()).unwrap_or_default();
        let anchor = name.replacen('*', "&", 1);
        let message = format!("the alias `{name}` refers to no anchor `{anchor}` before it in this document");
        self.add_with(span, message, Some("quote the value if it is meant as text".to_owned()));
    }

    pub(super) fn not_mergeable(&mut self, span: Range<usize>) {
        self.add(span, "the value of the merge key `<<` must be a map or a sequence of maps");
    }

    fn empty_key(&mut self, span: Range<usize>) {
        self.add_with(
            span,
            "a key is missing before the `:`",
            Some("quote the value if it is meant as text".to_owned()),
        );
    }

    fn not_finite(&mut self, value: &str, span: Range<usize>) {
        let message = format!("the number `{value}` cannot be part of a Kubernetes object");
        self.add_with(span, message, Some("quote it if it is meant as text".to_owned()));
    }

    fn unsupported_tag(&mut self, tag: &Tag, span: Range<usize>) {
        let name = messages::excerpt(&tag.original()).unwrap_or_default();
        if ["!vault", "!vault-encrypted"].contains(&name.as_str()) {
            let help = "decrypt it first, and write the value in plain, without the tag";
            let message = format!("the value is encrypted by Ansible Vault, as its tag `{name}` says");
            return self.add_with(span, message, Some(help.to_owned()));
        }
        let help = if tag.core_suffix() == Some("binary") {
            "remove the tag: Kubernetes objects hold binary data as a plain base64 string"
        } else {
            "remove the tag, or put the value in quotes"
        };
        self.add_with(span, format!("the tag `{name}` is not supported"), Some(help.to_owned()));
    }

    fn tag_does_not_fit(&mut self, tag: &Tag, value: &str, span: Range<usize>) {
        let name = messages::excerpt(&tag.original()).unwrap_or_default();
        let value = messages::excerpt(value).unwrap_or_default();
        self.add(span, format!("the value `{value}` does not fit its tag `{name}`"));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::positions::tests::visit;
    use super::*;
    use serde_json::json;

    fn values(text: &str) -> Vec<Value> {
        match load(text) {
            Ok(documents) => documents.into_iter().map(|document| document.value).collect(),
            Err(errors) => panic!("{text:?}: {errors:?}"),
        }
    }

    fn errors(text: &str) -> Vec<LoadError> {
        load(text).err().unwrap_or_else(|| panic!("{text:?} was accepted"))
    }

    /// The only error: its message and its place.
    fn error(text: &str) -> (String, usize, usize) {
        let mut errors = errors(text);
        assert_eq!(errors.len(), 1, "{text:?}: {errors:?}");
        let error = errors.remove(0);
        assert!(!error.message.ends_with('.') && !error.message.contains('\n'), "{error:?}");
        (error.message, error.line, error.column)
    }

    #[test]
    fn documents_are_read_in_order_and_empty_ones_left_out() {
        let text = "---\n# nothing\n---\na: 1\n...\n---\n---\n- b\n--- ~\n--- |\n c\n";
        assert_eq!(values(text), [json!({"a": 1}), json!(["b"]), json!("c\n")]);
        for text in ["", "\n", "# a", "---", "--- null", "\u{feff}", " \n\t\n"] {
            assert!(values(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_are_accepted() {
        let expected = [json!({"a": "x", "b": "y\nz\n", "c": [1]})];
        assert_eq!(values("\u{feff}a: x\r\nb: |\r\n  y\r\n  z\r\nc:\r\n- 1\r\n"), expected);
        assert_eq!(values("\u{feff}{\"a\": \"x\",\r\n\"b\": \"y\\nz\\n\", \"c\": [1]}"), expected);
    }

    #[test]
    fn flow_style_that_is_not_json_is_read_as_yaml() {
        assert_eq!(values("{a: b, 'c': [d,],}"), [json!({"a": "b", "c": ["d"]})]);
        assert_eq!(values("[a, b]\n---\n{\"c\": 1}"), [json!(["a", "b"]), json!({"c": 1})]);
        assert_eq!(values("{\"a\": 1} # comment"), [json!({"a": 1})]);
        assert_eq!(values("a: [\n  b\n]\nc: {\n}\n"), [json!({"a": ["b"], "c": {}})]);
    }

    #[test]
    fn errors_are_those_of_the_notation_in_use() {
        assert_eq!(error(r#"{"a": 1, "b" 2}"#), ("expected a `:` after the key".to_owned(), 1, 14));
        assert_eq!(error(r#"{"a": [1, 2}"#).0, "expected a `,` or `]`");
        assert_eq!(error(r#"{"a": 1 "b": 2}"#), ("expected a `,` or `}`".to_owned(), 1, 9));
        assert_eq!(error("{\"a\": b").0, "the brace `{` opened here is never closed");
        assert_eq!(error("{a: [b}").1, 1);
        assert!(error("{\"a\": 1} b").0.starts_with("unexpected text"));
        assert_eq!(error("[\"a\",\n \"b").0, "the quote opened here is never closed");
    }

    #[test]
    fn duplicate_keys_name_both_lines() {
        let message = "duplicate key `a`: it is on line 1 and again on line 3".to_owned();
        assert_eq!(error("a: 1\nb: 2\n\"a\": 3\n"), (message.clone(), 3, 1));
        assert_eq!(error("{\"a\": 1,\n\"b\": 2,\n \"\\u0061\": 3}"), (message, 3, 2));
        let merge = "duplicate key `<<`: it is on line 1 and again on line 1";
        assert_eq!(error("a: {<<: {b: 1}, <<: {c: 1}}").0, merge);
        assert_eq!(errors("a: 1\na: 2\n---\nb: 1\nb: 1\nb: 1\n").len(), 3);
    }

    #[test]
    fn keys_are_strings_whatever_they_look_like() {
        let expected = json!({"8080": "a", "true": "b", "1e3": "c", "~": "d", "yes": "e"});
        assert_eq!(values("8080: a\ntrue: b\n1e3: c\n~: d\nyes: e"), [expected]);
        assert_eq!(error("[a]: b").0, "a key must be a string, found a sequence");
        assert_eq!(error("? {a: b}\n: {c: [d]}\ne: f").0, "a key must be a string, found a map");
        assert_eq!(error(": a").0, "a key is missing before the `:`");
    }

    #[test]
    fn templates_are_recognised() {
        for text in ["a: {{ .Values.x }}", "{{ if .x }}\na: b", "a: b\nc: {{ .d }}: e", "a: \"b\" {{ c }}"] {
            let errors = errors(text);
            let help = errors.iter().find_map(|error| error.help.as_deref()).unwrap_or_default();
            assert!(help.contains("template"), "{text}: {errors:?}");
        }
    }

    #[test]
    fn merge_keys_give_way_to_explicit_ones() {
        let text = "\
x: &x {a: 1, b: 2}
y: &y {b: 3, c: 4}
z:
  b: 5
  <<: [*x, *y]
w:
  <<: *y
  d: 6
v: {'<<': 1}
u: {<<: {<<: *x, e: 7}}
";
        let expected = json!({
            "x": {"a": 1, "b": 2}, "y": {"b": 3, "c": 4}, "z": {"a": 1, "b": 5, "c": 4},
            "w": {"b": 3, "c": 4, "d": 6}, "v": {"<<": 1}, "u": {"a": 1, "b": 2, "e": 7}
        });
        assert_eq!(values(text), [expected]);
        for text in ["<<: 1", "<<: [1]", "<<:", "a: &a [x]\n<<: *a"] {
            assert_eq!(error(text).0, "the value of the merge key `<<` must be a map or a sequence of maps");
        }
    }

    #[test]
    fn aliases_repeat_what_they_refer_to() {
        let text = "a: &a [1, &b {c: d}]\ne: *a\nf: *b\n&g h: *g\n*g : i\n";
        assert_eq!(error(text).0, "duplicate key `h`: it is on line 4 and again on line 5");
        let text = "a: &a [1, &b {c: d}]\ne: *a\nf: *b\n&g h: {*g : i}\n";
        let expected = json!({"a": [1, {"c": "d"}], "e": [1, {"c": "d"}], "f": {"c": "d"}, "h": {"h": "i"}});
        assert_eq!(values(text), [expected]);
        assert_eq!(values("a: &a 1\nb: &a 2\nc: *a\n"), [json!({"a": 1, "b": 2, "c": 2})]);
        let unknown = "the alias `*b` refers to no anchor `&b` before it in this document";
        assert_eq!(error("a: *b").0, unknown);
        assert_eq!(error("a: &b 1\n---\na: *b"), (unknown.to_owned(), 3, 4));
        assert_eq!(error("a: &b [*b]").0, "the alias `*b` is part of the value it refers to");
        assert_eq!(error("a: &b [1]\n*b : c").0, "a key must be a string, but the alias `*b` is none");
    }

    #[test]
    fn aliases_cannot_explode() {
        let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        for level in 1..12 {
            let alias = format!("*a{}", level - 1);
            laughs.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", ")));
        }
        assert!(error(&laughs).0.ends_with("expand to more than is allowed"));
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), ["*a"; 100].join(", "));
        assert!(error(&long).0.ends_with("expand to more than is allowed"));
        let chain: String =
            (1..1000).map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1)).collect();
        assert!(error(&format!("a0: &a0 []\n{chain}")).0.contains("nested more than"));
        let many = format!("a: &a {{b: c}}\nd:\n{}", "- *a\n".repeat(20_000));
        assert_eq!(values(&many).len(), 1);
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(values(&nested(MAX_DEPTH)).len(), 1);
        assert_eq!(values(&format!("a: {}", nested(MAX_DEPTH - 1))).len(), 1);
        let message = "maps and sequences are nested more than 128 levels deep".to_owned();
        assert_eq!(error(&nested(MAX_DEPTH + 1)), (message.clone(), 1, MAX_DEPTH + 1));
        for part in ["[", "{\"a\":", "a: [", "- ", "{a: ", "[{a: "] {
            let errors = errors(&part.repeat(1 << 18));
            assert_eq!(errors.last().map(|error| &error.message), Some(&message), "{part}");
        }
        // Every level of it is wrong in another way too, which is reported first.
        assert!(errors(&"? ".repeat(1 << 18)).len() <= MAX_ERRORS);
    }

    #[test]
    fn tags_of_the_core_schema_are_understood() {
        let text = "[!!str 5, !!int '5', !!float 5, !!bool 'true', !!null '', ! 5, !!seq [], !!map {}, !!str , !!str a]";
        let expected = json!({"a": ["5", 5, 5, true, null, "5", [], {}, "", "a"]});
        assert_eq!(values(&format!("a: {text}")), [expected]);
        for text in ["!!binary aGk=", "!Ref x", "!!set {a}", "!!map []", "!!timestamp 2001-01-01", "!x [1]"] {
            let (message, line, _) = error(&format!("a: 1\nb: {text}"));
            assert!(message.ends_with("is not supported"), "{message}");
            assert_eq!(line, 2);
        }
        assert_eq!(error("a: !!int x").0, "the value `x` does not fit its tag `!!int`");
        assert_eq!(error("!!binary a: x").0, "the tag `!!binary` is not supported");
    }

    #[test]
    fn what_cannot_be_json_is_an_error() {
        let message = "the number `.inf` cannot be part of a Kubernetes object".to_owned();
        assert_eq!(error("a: .inf"), (message, 1, 4));
        for text in ["a: \0", "a: \u{1}b", "a: \"\u{7f}\"", "{\"a\": \"\0\"}", "a: |\n  b\u{1}", "\0"] {
            errors(text);
        }
    }

    #[test]
    fn every_broken_document_is_reported() {
        let found = errors("a: [1\n---\nb: 2\n---\nc: 'x\n---\nd: 1\nd: 1\n");
        let lines: Vec<usize> = found.iter().map(|error| error.line).collect();
        assert_eq!(lines, [1, 5, 8], "{found:?}");
        assert_eq!(errors(&"---\na: [\n".repeat(1000)).len(), MAX_ERRORS);
    }

    #[test]
    fn errors_say_what_was_found() {
        let errors = errors("a: é: b\n");
        let error = errors.first().expect("one error");
        assert_eq!((error.line, error.column, error.found.as_deref()), (1, 5, Some(": b")));
        assert!(error.to_string().ends_with("at line 1 column 5"));
    }

    #[test]
    fn nothing_makes_it_panic() {
        let seeds = [
            "a: &x\n  k: \"v\\n\\u00e9\"\n  'it''s': [1, {a: b}]\nb:\n  <<: *x\n  c: >-\n    d\n\n    e\n- f\n",
            "{\"a\": [1, \"\\ud83d\\ude00\", null], \"b\": {\"c\": -1e5}}\n{}\n",
            "--- |\r\n  x\r\n ...\n? - a\n: !!str b # é\n\t*x : 1_0\n",
        ];
        let parts = "  \n \t \r : - ? # \" ' { } [ ] , &x *x ! | > % \\ é \u{feff} \u{2028} \0 << ---\n ... ~ 0x 😀 \u{85}";
        let parts: Vec<&str> = parts.split(' ').chain([" "]).collect();
        let mut random = random(7);
        for _ in 0..4000 {
            let mut text: Vec<char> = seeds[random(seeds.len())].chars().collect();
            for _ in 0..=random(4) {
                let from = random(text.len() + 1);
                let to = (from + random(3)).min(text.len());
                text.splice(from..to, parts[random(parts.len())].chars());
            }
            let text: String = text.into_iter().collect();
            if let Ok(documents) = load(&text) {
                documents.iter().for_each(|document| visit(&text, document));
            }
        }
    }

    /// A small generator of numbers below a bound, the same in every run.
    pub(in super::super) fn random(mut state: u64) -> impl FnMut(usize) -> usize {
        move |bound| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap_or_default() % bound.max(1)
        }
    }
}
