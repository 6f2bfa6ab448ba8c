//! YAML and JSON are read with the right values and places, and what is written is read again.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test that cannot read its input has failed"
)]

use std::ops::Range;

use serde_json::{Value, json};
use xposer::Settings;
use xposer::diagnostics::Segment;
use xposer_manifest::{Document, LoadError, MAX_DEPTH, load, to_yaml};

fn values(text: &str) -> Vec<Value> {
    let documents = load(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"));
    documents.into_iter().map(|document| document.value).collect()
}

/// What is wrong: messages, lines and columns.
fn errors(text: &str) -> Vec<(String, usize, usize)> {
    let errors = load(text).err().unwrap_or_else(|| panic!("{text:?} was accepted"));
    errors.into_iter().map(|error| (error.message + &error.lines, error.line, error.column)).collect()
}

#[track_caller]
fn fails(text: &str, message: &str) {
    let errors = errors(text);
    assert!(errors.len() == 1 && errors[0].0.contains(message), "{text:?}: {errors:?}");
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn documents_are_read_in_order_and_empty_ones_left_out() {
    let text = "---\n# nothing\n---\na: 1\n...\n---\n---\n- b\n--- ~\n--- |\n c\n";
    assert_eq!(values(text), [json!({"a": 1}), json!(["b"]), json!("c\n")]);
    for text in ["", "\n", "# a", "---", "--- null", "\u{feff}", " \n\t\n"] {
        assert!(values(text).is_empty(), "{text:?}");
    }
    let expected = [json!({"a": "x", "b": "y\nz\n", "c": [1]})];
    assert_eq!(values("\u{feff}a: x\r\nb: |\r\n  y\r\n  z\r\nc:\r\n- 1\r\n"), expected);
    assert_eq!(values("a: |\n  b\n"), [json!({"a": "b\n"})]);
    // As libyaml does, and so `kubectl`.
    assert_eq!(values("a: |\n  b"), [json!({"a": "b"})]);
}

#[test]
fn json_is_read_as_json_and_flow_style_as_yaml() {
    assert_eq!(values("\u{feff} {\"a\":1}\nnull\n[2][3] {\"b\": \"\\ud83d\\ude00\"}").len(), 4);
    assert_eq!(values("{a: b, 'c': [d,],}"), [json!({"a": "b", "c": ["d"]})]);
    assert_eq!(values("[a, b]\n---\n{\"c\": 1}"), [json!(["a", "b"]), json!({"c": 1})]);
    assert_eq!(values("{\"a\": 1} # comment"), [json!({"a": 1})]);
    for (text, message, line, column) in [
        (r#"{"a": 1, "b" 2}"#, "expected a `:` after the key", 1, 14),
        (r#"{"a": 1 "b": 2}"#, "expected a `,` or `}`", 1, 9),
        (r#"{"é": [1, 2}"#, "expected a `,` or `]`", 1, 12),
        ("{\"a\":\n \"b\\x\"}", "an escape sequence in this string is not valid", 2, 5),
        ("[\"a\u{1}b\"]", "a control character or line break inside a string must be escaped", 1, 4),
        ("{\"a\": b", "the brace `{` opened here is never closed", 1, 1),
        ("[\"a\",\n \"b", "the quote opened here is never closed", 2, 2),
    ] {
        assert_eq!(errors(text), [(message.to_owned(), line, column)], "{text}");
    }
    for text in ["{", "[,]", "[\"\\ud800\"]", "{]", "[1]]", "{\"a\" 1}", "[\"\\"] {
        errors(text);
    }
}

#[test]
fn a_plain_scalar_is_what_kubectl_reads() {
    for (text, expected) in [
        ("-0", json!(0)),
        ("0o17", json!(15)),
        ("017", json!(15)),
        ("08", json!(8)),
        ("-0x1f", json!(-31)),
        ("0b11", json!(3)),
        ("1_000", json!(1000)),
        ("1e3", json!(1000)),
        ("80.0", json!(80)),
        (".5", json!(0.5)),
        ("18446744073709551615", json!(u64::MAX)),
        ("18446744073709551616", json!(18_446_744_073_709_551_616.0)),
        ("True", json!(true)),
        ("1e999", json!("1e999")),
        ("~", Value::Null),
        ("!!null", Value::Null),
        ("!!null '~'", Value::Null),
        ("yes", json!("yes")),
        ("2001-01-01", json!("2001-01-01")),
        ("12:30:45", json!("12:30:45")),
        ("1.2.3", json!("1.2.3")),
        ("+-5", json!("+-5")),
        ("!!str 5", json!("5")),
        ("! 5", json!("5")),
        ("!!int '5'", json!(5)),
        ("!!float 5", json!(5)),
        ("!!binary aGk=", json!("hi")),
    ] {
        assert_eq!(values(&format!("a: {text}")), [json!({"a": expected})], "{text}");
    }
    let expected = json!({"8080": "a", "true": "b", "1e3": "c", "~": "d", "yes": "e"});
    assert_eq!(values("8080: a\ntrue: b\n1e3: c\n~: d\nyes: e"), [expected]);
}

#[test]
fn aliases_and_merge_keys_repeat_values() {
    let text = "a: &a [1, &b {c: d}]\ne: *a\nf: *b\n&g h: {*g : i}\n";
    let expected = json!({"a": [1, {"c": "d"}], "e": [1, {"c": "d"}], "f": {"c": "d"}, "h": {"h": "i"}});
    assert_eq!(values(text), [expected]);
    let text = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  b: 5\n  <<: [*x, *y]\nv: {'<<': 1}\n";
    let expected = json!({
        "x": {"a": 1, "b": 2}, "y": {"b": 3, "c": 4}, "z": {"a": 1, "b": 5, "c": 4}, "v": {"<<": 1}
    });
    assert_eq!(values(text), [expected]);
    let many = format!("a: &a {{b: c}}\nd:\n{}", "- *a\n".repeat(20_000));
    assert_eq!(values(&many).len(), 1);
}

#[test]
fn aliases_cannot_explode() {
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        laughs.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", ")));
    }
    fails(&laughs, "expand to more than is allowed");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), ["*a"; 100].join(", "));
    fails(&long, "expand to more than is allowed");
}

/// In a build without optimisation, the deepest text needs more stack than the thread of a test has.
#[test]
fn depth_is_limited() {
    let test = || {
        let chain: String =
            (1..1000).map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1)).collect();
        fails(&format!("a0: &a0 []\n{chain}"), "nested more than 128 levels deep");
        assert_eq!(values(&nested(MAX_DEPTH)).len(), 1);
        assert_eq!(values(&format!("a: {}", nested(MAX_DEPTH - 1))).len(), 1);
        let message = "maps and sequences are nested more than 128 levels deep".to_owned();
        assert_eq!(errors(&nested(MAX_DEPTH + 1)), [(message.clone(), 1, MAX_DEPTH + 1)]);
        for part in ["[", "{\"a\":", "a: [", "- ", "{a: ", "[{a: ", "? "] {
            assert_eq!(errors(&part.repeat(1 << 18)).len(), 1, "{part}");
        }
    };
    std::thread::Builder::new().stack_size(32 << 20).spawn(test).unwrap().join().unwrap();
}

#[test]
fn errors_have_plain_messages() {
    let unknown = "the alias `*b` refers to no anchor `&b` before it in this document";
    for (text, message, line, column) in [
        ("a: é: b\n", "a `:` followed by a blank is not allowed here", 1, 5),
        ("a:\n\tb: c", "a tab is used for indentation", 2, 2),
        ("a: \u{1}b", "the control character U+0001 is not allowed", 1, 4),
        ("a: 1\nb: 2\n\"a\": 3\n", "duplicate key `a`: it is on line 1 and again on line 3", 3, 1),
        ("{\"a\": 1,\n \"\\u0061\": 3}", "duplicate key `a`: it is on line 1 and again on line 2", 2, 2),
        ("[a]: b", "a key must be a string, found a sequence", 1, 1),
        ("? {a: b}\n: c\ne: f", "a key must be a string, found a map", 1, 3),
        (": a", "a key is missing before the `:`", 1, 1),
        ("a: é *b\nc: [*b]", unknown, 2, 5),
        ("a: &b 1\n---\na: *b", unknown, 3, 4),
        ("a: &b [*b]", "the alias `*b` is part of the value it refers to", 1, 8),
        ("<<: 1", "the value of the merge key `<<` must be a map or a sequence of maps", 1, 5),
        ("a: .inf", "the number `.inf` cannot be part of a Kubernetes object", 1, 4),
        ("a: !!int x", "the value `x` does not fit its tag `!!int`", 1, 10),
        ("a: !!bool x", "the value `x` does not fit its tag `!!bool`", 1, 11),
        ("a: !!float &b 'x'", "the value `x` does not fit its tag `!!float`", 1, 15),
        ("a: !!float 1e999", "the value `1e999` does not fit its tag `!!float`", 1, 12),
        ("a: !!null \"true\"", "the value `true` does not fit its tag `!!null`", 1, 11),
        ("a: &b !!null c\nd: *b", "the value `c` does not fit its tag `!!null`", 1, 14),
        ("a: !!null |\n  b", "the value `b` does not fit its tag `!!null`", 2, 3),
        (
            "a: !<tag:yaml.org,2002:int> b",
            "the value `b` does not fit its tag `!<tag:yaml.org,2002:int>`",
            1,
            29,
        ),
        ("a: !!binary /w==", "the value `/w==` does not fit its tag `!!binary`", 1, 13),
        ("a: !!binary x", "the value `x` does not fit its tag `!!binary`", 1, 13),
        ("a: !!timestamp 2020-01-01", "the tag `!!timestamp` is not supported", 1, 16),
        ("!!null a: b", "the tag `!!null` is not supported", 1, 8),
        ("a: &b .inf\nc: *b", "the number `.inf` cannot be part of a Kubernetes object", 1, 7),
        ("a: 1\nb: !Ref x", "the tag `!Ref` is not supported", 2, 9),
        ("b: !vault x", "the value is encrypted by Ansible Vault, as its tag `!vault` says", 1, 11),
    ] {
        assert_eq!(errors(text), [(message.to_owned(), line, column)], "{text}");
    }
    for text in ["!!set {a}", "!!map []", "!x [1]", "a: \0", "a: \"\u{7f}\"", "\0"] {
        errors(text);
    }
}

#[test]
fn every_broken_document_is_reported() {
    let found = errors("a: [1\n---\nb: 2\n---\nc: 'x\n---\nd: 1\nd: 1\nd: 2\n");
    let lines: Vec<usize> = found.iter().map(|error| error.1).collect();
    assert_eq!(lines, [1, 5, 8, 9], "{found:?}");
    assert_eq!(errors(&"---\na: [\n".repeat(1000)).len(), 50);
    assert_eq!(errors("%YAML 1.2\n# a\n---\na: [\n").len(), 1);
}

#[test]
fn templates_are_recognised() {
    for text in ["a: {{ .Values.x }}", "{{ if .x }}\na: b", "a: b\nc: {{ .d }}: e", "a: \"b\" {{ c }}"] {
        let errors = load(text).err().unwrap();
        assert!(
            errors.iter().any(|error| error.help.as_ref().is_some_and(|help| help.contains("template"))),
            "{text}"
        );
    }
    assert_eq!(errors("a: {{ b }}\n---\nc: {{ d }}\n").len(), 1);
}

fn path(path: &str) -> Vec<Segment> {
    let segment =
        |name: &str| name.parse().map_or_else(|_| Segment::Key(name.to_owned().into()), Segment::Index);
    path.split('/').filter(|name| !name.is_empty()).map(segment).collect()
}

fn only(text: &str) -> Document {
    load(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}")).remove(0)
}

/// What is written at a path: the key, and the value.
fn written<'t>(text: &'t str, at: &str) -> (&'t str, &'t str) {
    let located = only(text).locate(&path(at));
    assert_eq!(located.depth, path(at).len(), "{at}");
    (located.key.map_or("", |key| &text[key]), &text[located.value])
}

/// What is written for some bytes of the string at `k`.
fn part(text: &str, part: Range<usize>) -> &str {
    &text[only(text).locate_part(text, &path("k"), &part)]
}

#[test]
fn values_and_keys_are_found() {
    let text = "a: 1\n'b':\n- x\n-   - \"y\"\n    - {c: d , \"e\": [f, ] }\n\ng: # nothing\nh: |\n  i\n  j\n\nk: end\n";
    for (at, key, value) in [
        ("", "", text.trim_end()),
        ("a", "a", "1"),
        ("b/0", "", "x"),
        ("b/1/0", "", "\"y\""),
        ("b/1/1", "", "{c: d , \"e\": [f, ] }"),
        ("b/1/1/e", "\"e\"", "[f, ]"),
        ("g", "g", ""),
        ("h", "h", "i\n  j"),
        ("k", "k", "end"),
    ] {
        assert_eq!(written(text, at), (key, value), "{at}");
    }
    let json = "\u{feff}\t{\"a\" :\t[ 1.50 , {\"\\u0062\":\"\\/x\"} ] , \"c\":null}";
    assert_eq!(written(json, "a"), ("\"a\"", "[ 1.50 , {\"\\u0062\":\"\\/x\"} ]"));
    assert_eq!(written(json, "a/0").1, "1.50");
    assert_eq!(written(json, "a/1/b"), ("\"\\u0062\"", "\"\\/x\""));
    let aliases = "a: &a {b: cd}\ne: [*a]\nf:\n  <<: *a\n  g: h\ni: *a\n";
    for (at, value) in
        [("e/0", "{b: cd}"), ("i", "{b: cd}"), ("f/b", "cd"), ("f", "<<: *a\n  g: h"), ("e", "[*a]")]
    {
        assert_eq!(written(aliases, at).1, value, "{at}");
    }
    let several = "{\"a\":1}\n{\"a\":2}";
    assert_eq!(load(several).unwrap()[1].locate(&path("a")).value, 13..14);
}

#[test]
fn a_missing_path_ends_at_its_deepest_ancestor() {
    let text = "a:\n  b: [c]\n";
    for (at, depth, expected) in
        [("x", 0, "a:\n  b: [c]"), ("a/x/y", 1, "b: [c]"), ("a/b/7", 2, "[c]"), ("a/b/0/d", 3, "c")]
    {
        let located = only(text).locate(&path(at));
        assert_eq!((located.depth, &text[located.value.clone()]), (depth, expected));
        assert_eq!(only(text).locate_part(text, &path(at), &(0..1)), located.value);
    }
}

#[test]
fn parts_of_strings_are_found_in_every_notation() {
    let folded = "k: >\n  a\n  b\n\n  c\n   d\n\n  e\n";
    for (text, wanted, expected) in [
        ("k: abc def", "c d", "c d"),
        ("k: abc\n   def", "c d", "c\n   d"),
        ("k: 'it''s é'", "'", "''"),
        ("k: 'it''s é'", "é", "é"),
        (r#"k: "a\"b\n\u00e9 {{x}}""#, "{{x}}", "{{x}}"),
        (r#"k: "a\"b\n\u00e9 {{x}}""#, "\"b\né", r#"\"b\n\u00e9"#),
        ("k: \"a  \\\n  \\  b\\x41\"", "bA", "b\\x41"),
        ("k: |\n  a: b\n\n   c: d\n", "b\n\n c", "b\n\n   c"),
        ("k: |2-\n    a\n  b", "b", "b"),
        ("k: |\r\n  a\r\n  b\r\n", "b", "b"),
        ("k: |  # why\n\n\n  a\n", "a", "a"),
        ("k: >-\n  'a': b\n  'c'\n", "b", "b"),
        ("k: |-\n  a\n  \u{a0}b\n  \u{3000}c\n", "b", "b"),
        ("k: |-\n  a\n  \u{a0}b\n  \u{3000}c\n", "\u{3000}c", "\u{3000}c"),
        ("k: a\u{a0}\n", "a\u{a0}", "a\u{a0}"),
        (folded, "a b\nc", "a\n  b\n\n  c"),
        (folded, "d\n\ne", "d\n\n  e"),
        (r#"{"k": "a\tb\ud83d\ude00c"}"#, "\tb😀", r"\tb\ud83d\ude00"),
    ] {
        let value = only(text).value;
        let start = value["k"].as_str().unwrap().find(wanted).unwrap();
        assert_eq!(part(text, start..start + wanted.len()), expected, "{text:?}");
    }
    for (text, wanted) in
        [("k: 'abc'", 3..9), ("k: abc", Range { start: 2, end: 1 }), ("k: é5", 1..3), ("k: 12", 0..1)]
    {
        assert_eq!(part(text, wanted), &text[3..], "{text:?}");
    }
    for (text, position, expected) in [
        ("k: abc", 1, 4),
        ("k: abc", 3, 6),
        ("k: 'abc'", 0, 4),
        ("k: ''", 0, 4),
        ("k: \"\\n\\n\"", 1, 6),
        ("k: |\n  a\n  b", 2, 11),
    ] {
        let span = only(text).locate_part(text, &path("k"), &(position..position));
        assert_eq!(span, expected..expected, "{text:?}");
    }
}

/// A small generator of numbers below a bound, the same in every run.
fn random(mut state: u64) -> impl FnMut(usize) -> usize {
    move |bound| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound.max(1)
    }
}

/// Every value is found, and each character of a string comes from itself, from an escape, or from folded white space.
fn visit(text: &str, document: &Document, at: &[Segment], value: &Value) {
    let located = document.locate(at);
    assert_eq!(located.depth, at.len(), "{text:?} {at:?}");
    assert!(text.get(located.value.clone()).is_some(), "{text:?} {at:?}");
    let below = |segment| [at, &[segment]].concat();
    match value {
        Value::String(string) => {
            for (position, character) in string.char_indices() {
                let span = document.locate_part(text, at, &(position..position + character.len_utf8()));
                let piece = text.get(span.clone()).unwrap_or_else(|| panic!("{text:?} {span:?}"));
                let exact = piece.chars().eq([character]) || piece.starts_with('\\') || piece == "''";
                let folded =
                    character.is_whitespace() && piece.trim_matches(['\\', ' ', '\t', '\r', '\n']).is_empty();
                assert!(
                    exact || folded || span == located.value,
                    "{text:?} {at:?}: {character:?} is not {piece:?}"
                );
            }
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| visit(text, document, &below(Segment::Index(index)), item));
        }
        Value::Object(entries) => {
            entries.iter().for_each(|(key, item)| {
                visit(text, document, &below(Segment::Key(key.clone().into())), item);
            });
        }
        _ => {}
    }
}

/// Every error says what to do, and in no words of the parsers or of the specification.
#[track_caller]
fn is_plain(text: &str, error: &LoadError) {
    assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "{text:?}: {error:?}");
    let words = "scalar flow directive surrogate token node EOF eof while indicator handle codepoint serde";
    let has = |word: &&str| error.message.split(|c: char| !c.is_alphanumeric()).any(|it| it == *word);
    let found = words.split(' ').find(has);
    assert_eq!(found, None, "{text:?}: {error:?}");
}

#[test]
fn errors_have_a_help_and_no_parser_terms() {
    for text in [
        "%YAML 3.0\n---\na: b",
        "%YAML 1.2\n%YAML 1.2\n---\na: b",
        "%TAG ! x y\n---\na: b",
        "%\n---\na",
        "a: !<x b",
        "a: !e!x b",
        "a: !%zz b",
        "a: |0\n  b",
        "a: | b\n",
        "a: \"x\ny\"",
        "a: 'b\n--- c",
        "[a, b}",
        "{a: b]",
        "{a: [b}",
        "[-]",
        "[a: b: c]",
        "{a: b",
        "[a",
        "a: \"\\ud800\"",
        "a: \"\\ud800\\u0041\"",
        "a: \"\\xzz\"",
        "a: \"\\U00110000\"",
        "a: b\n c\n\td: e",
        "a: -\tb: c",
        "a: *",
        "a: &",
        "a: b#c: d",
        "\"a\"#b",
        "[a]#b",
        "- a\n-b: c\n  - d",
        "? a\n? b: c\n d",
        "... a",
        "a\n... b",
        "a: b\n%TAG\n",
        "a: !!int x",
        "<<: 1",
        "[a]: b",
        "a: &b [*b]",
        "{\"a\" 1}",
        "[\"\\ud800\"]",
        "[\"a\nb\"]",
        "[\"a\u{1}b\"]",
        "\0",
        "a: \u{feff}b",
        "a: !!binary x",
        "!!set {a}",
        "a: @b",
        "a:\n  - b\n c: d",
        "a: [b\nc]",
        "{a: b\n}c",
        "a: >1\n b\nc",
        "!",
        "a: ! ! b",
        "a: &a &b c",
        "a: *x *y",
        "&a *b",
        "a: !<>",
        "{? a b}",
        "{,}",
    ] {
        for error in load(text).err().into_iter().flatten() {
            is_plain(text, &error);
        }
    }
    for error in load(&nested(MAX_DEPTH + 1)).err().into_iter().flatten() {
        is_plain("nested", &error);
    }
}

#[test]
fn reader_does_not_panic() {
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
        let read = load(&text);
        for document in read.iter().flatten() {
            visit(&text, document, &[], &document.value);
        }
        for error in read.err().into_iter().flatten() {
            is_plain(&text, &error);
        }
    }
}

#[test]
fn objects_look_as_kubectl_writes_them() {
    let value = json!({
        "metadata": {"annotations": {"a/b": "true", "c": "x\ny\n", "d": "{{ e }}"}, "name": "web"},
        "spec": {"rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/"}, {}]}}, [[1, "2"], []]]},
    });
    let expected = "\
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
}

#[test]
fn strings_are_quoted_where_a_reader_needs_it() {
    let as_they_are = "web 10.0.0.1 1.2.3 a:b a#b --flag it's 日本 v1 1m 8080:8080";
    let of_other_types = "Yes off y 0x1F 017 1e3 1_000 12:30:45 2001-01-01 = ~ null .inf 1.5";
    let syntax = "a: b|a #b|a:|- a|-|*|@a| a|---|{{ a }}|?a|%a";
    for text in as_they_are.split(' ') {
        assert_eq!(to_yaml(&json!(text)), format!("{text}\n"));
    }
    for text in of_other_types.split(' ').chain([""]) {
        assert_eq!(to_yaml(&json!(text)), format!("\"{text}\"\n"));
    }
    for text in syntax.split('|') {
        assert_eq!(to_yaml(&json!(text)), format!("'{text}'\n"));
    }
    for (value, expected) in [
        (json!("'a'"), "'''a'''"),
        (json!("a\tb\r"), "\"a\\tb\\r\""),
        (json!("\u{202e}\u{200b}\u{a0}"), "\"\\u202E\\u200B\\u00A0\""),
        (json!("a\u{2066}b\u{3164}\u{110bd}\u{fe0f}"), "\"a\\u2066b\\u3164\\U000110BD\u{fe0f}\""),
        (json!("❤\u{fe0f}"), "❤\u{fe0f}"),
        (json!({"\u{200b}": "\u{200b}"}), "\u{200b}: \"\u{200b}\""),
        (json!(["\u{f8ff}", "1.2.3"]), "- \u{f8ff}\n- \"1.2.3\""),
        (json!("a\nb"), "|-\n  a\n  b"),
        (json!("a\nb\n\n"), "|+\n  a\n  b\n"),
        (json!({"a": "b {\n\tc;\n}\n"}), "a: |\n  b {\n  \tc;\n  }"),
        (json!({"a": " b\nc"}), "a: \" b\\nc\""),
        (json!(["\n\tb\n", "\n b\n", "\n"]), "- \"\\n\\tb\\n\"\n- \"\\n b\\n\"\n- \"\\n\""),
        (json!([1e21, 1.5e-7, u64::MAX]), "- 1.0e+21\n- 1.5e-7\n- 18446744073709551615"),
    ] {
        assert_eq!(to_yaml(&value), format!("{expected}\n"));
    }
}

#[test]
fn written_yaml_is_read_back() {
    let words = "true False NO On N null NULL << < -- --- ... ? : , [ ] { } # & * ! | > ' \" % @ ` - -a -1 . 0 -0 +1 1. .5 \
        1.0e+3 0x1 0X 0x_ 0o7 08 0b1 0b 1__ _1 -_ 1:30 190:20:30.15 -.INF +.inf .NaN nan .. + -. 2001-1-1 1e 1e999 0_ a: :a \
        \\ \\x 2001-12-14t21:59:43.10-05:00";
    let parts = "\n|\t|-|?|:|#|,|[|{|}|&|*|!|>|'|\"|%|@|=|~|<|a|0|1|.|_|e|+|x|\\|é|\r|\u{85}|\u{2028}|\u{feff}|\u{ad}|\u{e0041}|\u{fe0f}|\u{1bca0}|\0|no|- |: | #| ";
    let parts: Vec<&str> = parts.split('|').chain(["|"]).collect();
    let mut random = random(11);
    let random = (0..1000).map(|_| (0..=random(8)).map(|_| parts[random(parts.len())]).collect::<String>());
    let texts =
        ["a b: ".repeat(500), "\u{ffff}".to_owned(), "\u{10ffff}\n".to_owned(), "a\u{f8ff}".to_owned()];
    for text in words.split_whitespace().map(str::to_owned).chain(texts).chain(random) {
        let value = json!({
            "k": text, "l": [text, {"m": text}, [[text], text]], "o": {&text: {&text: [text]}}, "p": [{&text: text}]
        });
        let written = to_yaml(&value);
        assert_eq!(values(&written), [value], "{written}");
    }
}

#[test]
fn yaml_reader_deserialises_settings_and_reports_all_problems() {
    let settings: Settings = serde_saphyr::from_str("domain: example.com\nstamp: false\n").unwrap();
    assert!(!settings.stamp());
    let error = serde_saphyr::from_str::<Settings>("domian: example.com\ntls: maybe\n").unwrap_err();
    let message = error.to_string();
    let unknown = message.find("error[setting-unknown]: settings.domian: ");
    let invalid = message.find("error[setting-invalid]: settings.tls: ");
    assert!(unknown.is_some() && unknown < invalid, "{message}");
}
