//! YAML in and out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
use serde_json::Value;
use serde_json::json;
use std::ops::Range;
use xposer::Segment;
use xposer_manifest::*;
#[allow(non_snake_case)]
fn Key(k: &str) -> Segment {
    Segment::Key(k.to_owned().into())
}
#[allow(non_snake_case)]
fn Index(i: usize) -> Segment {
    Segment::Index(i)
}

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
    (error.message + &error.lines, error.line, error.column)
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
    let chain: String = (1..1000).map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1)).collect();
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
    assert!(errors(&"? ".repeat(1 << 18)).len() <= 50);
}

#[test]
fn tags_of_the_core_schema_are_understood() {
    let text =
        "[!!str 5, !!int '5', !!float 5, !!bool 'true', !!null '', ! 5, !!seq [], !!map {}, !!str , !!str a]";
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
    assert_eq!(errors(&"---\na: [\n".repeat(1000)).len(), 50);
}

#[test]
fn errors_say_what_was_found() {
    let errors = errors("a: é: b\n");
    let error = errors.first().expect("one error");
    assert_eq!((error.line, error.column), (1, 5));
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
fn random(mut state: u64) -> impl FnMut(usize) -> usize {
    move |bound| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % bound.max(1)
    }
}

fn only(text: &str) -> Document {
    let mut documents = load(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"));
    assert_eq!(documents.len(), 1, "{text:?}");
    documents.remove(0)
}

fn at(text: &str, span: Range<usize>) -> &str {
    text.get(span).expect("a span of the text")
}

/// What is written at a path: the key, and the value.
fn written<'t>(text: &'t str, path: &[Segment]) -> (&'t str, &'t str) {
    let located = only(text).locate(path);
    assert_eq!(located.depth, path.len(), "{path:?}");
    (located.key.map_or("", |key| at(text, key)), at(text, located.value))
}

/// The piece of text that wrote the first `part` of the string at the path.
fn part<'t>(text: &'t str, path: &[Segment], part: &str) -> &'t str {
    let document = only(text);
    let value = value_at(&document, path).and_then(Value::as_str).expect("a string");
    let start = value.find(part).expect("the part");
    at(text, document.locate_part(text, path, &(start..start + part.len())))
}

/// Asks for every position there is; each must be a range of the text. Also used by other tests.
fn visit(text: &str, document: &Document) {
    let mut pending = vec![(Vec::new(), &document.value)];
    while let Some((path, value)) = pending.pop() {
        let located = document.locate(&path);
        assert_eq!(located.depth, path.len(), "{text:?} {path:?}");
        assert!(text.get(located.value.clone()).is_some(), "{text:?} {path:?}");
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
fn visit_parts(text: &str, document: &Document, path: &[Segment], string: &str) {
    let whole = document.locate(path).value;
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
    assert_eq!(documents[1].locate(&[Key("a")]).value, 13..14);
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
        let located = document.locate(&path);
        assert_eq!((located.depth, at(text, located.value.clone())), (depth, expected));
        assert_eq!(document.locate_part(text, &path, &(0..1)), located.value);
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
    assert_eq!(only(text).locate(&[Key("f"), Key("b")]).value, 10..12);
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
    let whole = document.locate(&key).value;
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

#[track_caller]
fn round_trip(value: &Value) {
    let text = to_yaml(value);
    match load(&text) {
        Ok(documents) => {
            let values: Vec<&Value> = documents.iter().map(|document| &document.value).collect();
            assert_eq!(values, [value], "{text}");
        }
        Err(errors) => panic!("{value:?}\n{text}\n{errors:?}"),
    }
}

fn everywhere(text: &str) -> Value {
    json!({"k": text, "l": [text, {"m": text}, [[text], text]], "o": {text: {text: [text]}}, "p": [{text: text}]})
}

#[test]
fn objects_look_as_kubectl_writes_them() {
    let value = json!({
        "apiVersion": "networking.k8s.io/v1",
        "metadata": {"annotations": {"a/b": "true", "c": "x\ny\n", "d": "{{ e }}"}, "name": "web"},
        "spec": {"rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/"}, {}]}}, [[1, "2"], []]]},
    });
    let expected = "\
apiVersion: networking.k8s.io/v1
metadata:
  annotations:
    a/b: \"true\"
    c: |
      x
      y
    d: '{{ e }}'
  name: web
spec:
  rules:
  - host: a.example.com
    http:
      paths:
      - path: /
      - {}
  - - - 1
      - \"2\"
    - []
";
    assert_eq!(to_yaml(&value), expected);
    round_trip(&value);
}

#[test]
fn strings_are_quoted_where_a_reader_needs_it() {
    for (text, expected) in [
        ("web", "web"),
        ("10.0.0.1", "10.0.0.1"),
        ("a:b", "a:b"),
        ("a#b", "a#b"),
        ("--flag", "--flag"),
        ("it's", "it's"),
        ("日本", "日本"),
        ("", "\"\""),
        ("Yes", "\"Yes\""),
        ("0x1F", "\"0x1F\""),
        ("12:30:45", "\"12:30:45\""),
        ("2001-01-01", "\"2001-01-01\""),
        ("=", "\"=\""),
        ("a: b", "'a: b'"),
        ("a #b", "'a #b'"),
        ("a:", "'a:'"),
        ("- a", "'- a'"),
        ("-", "'-'"),
        ("*", "'*'"),
        ("'a'", "'''a'''"),
        (" a", "' a'"),
        ("@a", "'@a'"),
        ("---", "'---'"),
        ("a\tb", "\"a\\tb\""),
        ("a\rb", "\"a\\rb\""),
        ("\u{85}\u{2028}\u{feff}\u{7f}\0", "\"\\u0085\\u2028\\uFEFF\\u007F\\u0000\""),
        ("\u{202e}\u{200b}\u{a0}", "\"\\u202E\\u200B\\u00A0\""),
        ("a\nb", "|-\n  a\n  b"),
        ("a\nb\n\n", "|+\n  a\n  b\n"),
        ("\ta\n\tb\n", "\"\\ta\\n\\tb\\n\""),
        ("\n", "\"\\n\""),
    ] {
        assert_eq!(to_yaml(&json!(text)), format!("{expected}\n"), "{text:?}");
    }
    assert_eq!(to_yaml(&json!({"a": " b\nc"})), "a: \" b\\nc\"\n");
    assert_eq!(to_yaml(&json!(["\tb\n\tc\n"])), "- \"\\tb\\n\\tc\\n\"\n");
    assert_eq!(to_yaml(&json!(["\n\tb\n", "\n b\n"])), "- \"\\n\\tb\\n\"\n- \"\\n b\\n\"\n");
    assert_eq!(to_yaml(&json!({"a": "b {\n\tc;\n}\n"})), "a: |\n  b {\n  \tc;\n  }\n");
}

#[test]
fn numbers_stay_numbers() {
    for (number, expected) in [
        (json!(1e21), "1.0e+21"),
        (json!(1.5e-7), "1.5e-7"),
        (json!(-0.0), "-0.0"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!(i64::MIN), "-9223372036854775808"),
    ] {
        assert_eq!(to_yaml(&number), format!("{expected}\n"));
        round_trip(&number);
    }
}

#[test]
fn nasty_strings_survive() {
    let words = "true False YES no On OFF y N null ~ NULL = << < -- --- ... ? : , [ ] { } # & * ! | > ' \" % @ ` - \
            -a -1 . 0 -0 +1 1. .5 1.5 1e3 1.0e+3 0x1 0X 0x_ 0o7 017 08 0b1 0b 1_000 1__ _1 -_ 12:30:45 1:30 1:60 .inf \
            190:20:30.15 -.INF +.inf .NaN nan .. + -. 2001-1-1 2001-12-14t21:59:43.10-05:00 1e 1e999 1,000 0_ a: :a a:b \
            a# \\ \\x";
    words.split(' ').for_each(|word| round_trip(&everywhere(word)));
    let texts = [
        "",
        " ",
        "\n",
        "\n\n",
        "\na",
        "a\n",
        "a\n\n",
        "a\n b\n",
        " a\nb",
        "a\n  \nb",
        "a\n  ",
        "\t",
        "\ta\nb",
        "a\n\tb\n",
        "\n a",
        "\n\ta\n",
        " \n",
        "\n ",
        "x\n \n\n",
        "  \nx",
        "\r",
        "a\r\nb",
        "a\rb\n",
        "\0",
        "\u{85}\n",
        "a\u{2028}\nb",
        "\u{feff}",
        "a\n---\nb",
        "a\n...\n",
        "# a\nb",
        "- a\n- b\n",
        "a: |\n  b",
        "\u{ffff}",
        "\u{10ffff}",
        "2001-12-15 2:59:43.10",
        "a b ",
    ];
    texts.iter().for_each(|text| round_trip(&everywhere(text)));
    round_trip(&everywhere(&"a b: ".repeat(500)));
}

#[test]
fn random_strings_survive() {
    let parts = "\n|\t|-|?|:|#|,|[|{|}|&|*|!|>|'|\"|%|@|=|~|<|a|0|1|.|_|e|+|x|\\|é|\r|\u{85}|\u{2028}|\u{feff}|\0|no|- |: | #| ";
    let parts: Vec<&str> = parts.split('|').chain(["|"]).collect();
    let mut random = random(11);
    for _ in 0..3000 {
        let text: String = (0..=random(8)).map(|_| parts[random(parts.len())]).collect();
        round_trip(&everywhere(&text));
    }
}

fn value_at<'d>(document: &'d Document, path: &[Segment]) -> Option<&'d Value> {
    path.iter().try_fold(&document.value, |value, step| match step {
        Segment::Key(key) => value.get(key.as_ref()),
        Segment::Index(index) => value.get(index),
    })
}
