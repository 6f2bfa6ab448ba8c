//! Writes a value as YAML that every reader understands alike.
//!
//! The form is that of `kubectl get -o yaml`: blocks, two spaces, and sequences at the indentation of their
//! key. Strings are quoted where a reader of YAML 1.1 or 1.2 would see something else without quotes.

use super::scalar::other_reading;
use serde_json::{Map, Number, Value};
use std::fmt::Write as _;

/// Keys longer than this are written with `? `, for readers give up looking for the `:` after 1024 bytes.
const LONGEST_SIMPLE_KEY: usize = 1000;

/// Writes a value as one YAML document without `---`, ending in a line break. Maps keep their order. Reading
/// the text gives the same value again, whatever the strings in it contain.
pub fn to_yaml(value: &Value) -> String {
    let mut writer = Writer { out: String::new(), open: Vec::new() };
    writer.value(value, Place::Root);
    while writer.next_entry() {}
    writer.out
}

/// What a value is written behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing.
    Root,
    /// The `:` of a key at this column.
    Key(usize),
    /// A dash at this column.
    Dash(usize),
}

impl Place {
    /// The column a nested map begins at.
    fn map_column(self) -> usize {
        match self {
            Self::Root => 0,
            Self::Key(column) | Self::Dash(column) => column + 2,
        }
    }

    /// The column a nested sequence begins at: that of the key it belongs to.
    fn sequence_column(self) -> usize {
        match self {
            Self::Root => 0,
            Self::Key(column) => column,
            Self::Dash(column) => column + 2,
        }
    }
}

/// A collection that is being written. They are a stack instead of recursive calls, so that no value is too
/// deep.
enum Open<'v> {
    Map { entries: serde_json::map::Iter<'v>, column: usize },
    Sequence { items: std::slice::Iter<'v, Value>, column: usize },
}

struct Writer<'v> {
    out: String,
    open: Vec<Open<'v>>,
}

impl<'v> Writer<'v> {
    /// Writes the next entry of the innermost collection; `false` when all are written.
    fn next_entry(&mut self) -> bool {
        match self.open.last_mut() {
            None => return false,
            Some(Open::Map { entries, column }) => {
                let column = *column;
                match entries.next() {
                    Some((key, value)) => self.entry(key, value, column),
                    None => self.close(),
                }
            }
            Some(Open::Sequence { items, column }) => {
                let column = *column;
                match items.next() {
                    Some(item) => self.item(item, column),
                    None => self.close(),
                }
            }
        }
        true
    }

    fn close(&mut self) {
        self.open.pop();
    }

    fn entry(&mut self, key: &str, value: &'v Value, column: usize) {
        self.indent(column);
        let key = inline_string(key);
        if key.len() > LONGEST_SIMPLE_KEY {
            self.out.push_str("? ");
            self.out.push_str(&key);
            self.out.push('\n');
            self.indent(column);
        } else {
            self.out.push_str(&key);
        }
        self.out.push(':');
        self.value(value, Place::Key(column));
    }

    fn item(&mut self, item: &'v Value, column: usize) {
        self.indent(column);
        self.out.push('-');
        self.value(item, Place::Dash(column));
    }

    /// Indents the line, unless the entry goes on behind a dash.
    fn indent(&mut self, column: usize) {
        if self.out.is_empty() || self.out.ends_with('\n') {
            self.out.extend(std::iter::repeat_n(' ', column));
        }
    }

    fn value(&mut self, value: &'v Value, place: Place) {
        match value {
            Value::Null => self.scalar("null", place),
            Value::Bool(value) => self.scalar(if *value { "true" } else { "false" }, place),
            Value::Number(value) => self.scalar(&number(value), place),
            Value::String(value) => self.string(value, place),
            Value::Array(items) => self.sequence(items, place),
            Value::Object(entries) => self.map(entries, place),
        }
    }

    fn scalar(&mut self, text: &str, place: Place) {
        if place != Place::Root {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn map(&mut self, entries: &'v Map<String, Value>, place: Place) {
        if entries.is_empty() {
            self.scalar("{}", place);
            return;
        }
        self.begin(place);
        self.open.push(Open::Map { entries: entries.iter(), column: place.map_column() });
    }

    fn sequence(&mut self, items: &'v [Value], place: Place) {
        if items.is_empty() {
            self.scalar("[]", place);
            return;
        }
        self.begin(place);
        self.open.push(Open::Sequence { items: items.iter(), column: place.sequence_column() });
    }

    /// A collection begins on a new line behind a key, and on the same line behind a dash.
    fn begin(&mut self, place: Place) {
        match place {
            Place::Root => {}
            Place::Key(_) => self.out.push('\n'),
            Place::Dash(_) => self.out.push(' '),
        }
    }

    fn string(&mut self, text: &str, place: Place) {
        match block_header(text) {
            Some(header) => {
                self.scalar(header, place);
                self.block(text, place.map_column().max(2));
            }
            None => self.scalar(&inline_string(text), place),
        }
    }

    fn block(&mut self, text: &str, column: usize) {
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.indent(column);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }
}

/// A number that readers of YAML 1.1 see as a number too: they ask for a point, and for the sign of an
/// exponent.
fn number(value: &Number) -> String {
    let text = value.to_string();
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return text;
    };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['+', '-']) { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// The header of the block that can hold this text, or `None` if none can.
fn block_header(text: &str) -> Option<&'static str> {
    let fits = |character| matches!(character, '\n' | '\t') || is_printable(character);
    if !text.contains('\n') || !text.chars().all(fits) {
        return None;
    }
    // Readers take the first line's leading blanks for indentation. An indicator would tell them better, but not all
    // of them count from the same place, and that of kustomize refuses a tab behind one.
    if text.split('\n').find(|line| !line.is_empty())?.starts_with([' ', '\t']) {
        return None;
    }
    Some(if text.ends_with("\n\n") {
        "|+"
    } else if text.ends_with('\n') {
        "|"
    } else {
        "|-"
    })
}

/// Whether a character can stand in YAML as it is and is visible to whoever reads it.
pub(super) fn is_printable(character: char) -> bool {
    match character {
        ' ' => true,
        // What has no width or reverses the direction of the text could hide what a manifest says.
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => false,
        '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' => false,
        _ => !character.is_control() && !character.is_whitespace(),
    }
}

/// A string on a single line: as it is, or in the quotes it needs.
fn inline_string(text: &str) -> String {
    if !text.chars().all(is_printable) {
        return double_quoted(text);
    }
    if other_reading(text).is_some() {
        return format!("\"{text}\"");
    }
    if is_plain_syntax(text) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether the printable text, written without quotes, is a plain scalar that ends where the text ends.
fn is_plain_syntax(text: &str) -> bool {
    let mut characters = text.chars();
    let starts_well = match characters.next() {
        None
        | Some(' ' | ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%') => {
            false
        }
        Some('@' | '`' | '?' | ':') => false,
        Some('-') => !matches!(characters.next(), None | Some(' ' | ',' | '[' | ']' | '{' | '}')),
        Some(_) => true,
    };
    starts_well
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("---")
        && !text.starts_with("...")
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if is_printable(character) => quoted.push(character),
            _ => escape(&mut quoted, u32::from(character)),
        }
    }
    quoted.push('"');
    quoted
}

fn escape(out: &mut String, code: u32) {
    // Writing to a string cannot fail.
    let _ = if code <= 0xffff { write!(out, "\\u{code:04X}") } else { write!(out, "\\U{code:08X}") };
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::super::load::tests::random;
    use super::*;
    use serde_json::json;

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

    #[test]
    fn depth_does_not_matter() {
        let deep = (0..5000).fold(json!("x"), |value, level| {
            if level % 2 == 0 {
                Value::Array(vec![value])
            } else {
                Value::Object(Map::from_iter([("a".to_owned(), value)]))
            }
        });
        assert!(to_yaml(&deep).ends_with("x\n"));
        // To drop it is recursive, which is not what is tested here.
        std::mem::forget(deep);
    }
}
