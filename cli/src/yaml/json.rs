//! JSON with positions.
//!
//! `serde_json` reads values without saying where they stand, and a YAML reader is not made for JSON's
//! escapes and long lines. So the structure is read here, where positions are known, and each single
//! string or number is left to `serde_json`. There is no recursion: the open collections are a stack in
//! the [`Builder`].

use super::load::{Cause, Failure};
use super::messages;
use super::tree::{Builder, Document, Kind, Style, Token};
use serde_json::Value;
use std::collections::HashSet;
use std::ops::Range;

/// Whether the first byte that says something is `{` or `[`.
pub(super) fn begins_like_json(text: &str) -> bool {
    without_mark(text).trim_start().starts_with(['{', '['])
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Reads one JSON value after the other.
pub(super) fn load_json(text: &str) -> Result<Vec<Document>, Failure> {
    let mut reader = Reader {
        text,
        at: text.len() - without_mark(text).len(),
        expected: Expected::Document,
        builder: Builder::new(text, HashSet::new()),
    };
    let mut cause = Cause::Content;
    if let Err(flaw) = reader.read() {
        cause = flaw.cause;
        reader.builder.report.add_with(flaw.span, flaw.message, flaw.help.map(str::to_owned));
    }
    reader.builder.finish().map_err(|errors| Failure { errors, cause })
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// A value outside of all others, or the end.
    Document,
    Value,
    /// A value or, right after `[`, the closing bracket.
    ValueOrEnd,
    Key,
    /// A key or, right after `{`, the closing brace.
    KeyOrEnd,
    Colon,
    /// A comma or the end of the collection.
    CommaOrEnd,
}

impl Expected {
    fn describe(self, in_map: bool) -> &'static str {
        match self {
            Self::Document | Self::Value | Self::ValueOrEnd => "a value",
            Self::Key | Self::KeyOrEnd => "a key in double quotes",
            Self::Colon => "a `:` after the key",
            Self::CommaOrEnd if in_map => "a `,` or `}`",
            Self::CommaOrEnd => "a `,` or `]`",
        }
    }
}

/// A syntax error.
struct Flaw {
    span: Range<usize>,
    message: String,
    help: Option<&'static str>,
    cause: Cause,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    expected: Expected,
    builder: Builder<'t>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), Flaw> {
        while let Some(byte) = self.next_byte() {
            self.token(byte)?;
            if self.builder.is_abandoned() || self.builder.report.is_full() {
                return Ok(());
            }
        }
        match self.builder.innermost() {
            None => Ok(()),
            Some((Kind::Map, start)) => {
                Err(unclosed(start, "the brace `{` opened here is never closed", messages::OPEN_BRACE))
            }
            Some((Kind::Sequence, start)) => {
                Err(unclosed(start, "the bracket `[` opened here is never closed", messages::OPEN_BRACKET))
            }
        }
    }

    /// Moves to the next byte that is not blank.
    fn next_byte(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let blanks = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))?;
        self.at += blanks;
        rest.get(blanks).copied()
    }

    fn token(&mut self, byte: u8) -> Result<(), Flaw> {
        use Expected::{Colon, CommaOrEnd, Document, Key, KeyOrEnd, Value, ValueOrEnd};
        match (self.expected, byte) {
            (Document | Value | ValueOrEnd, b'{') => self.open(Kind::Map, KeyOrEnd),
            (Document | Value | ValueOrEnd, b'[') => self.open(Kind::Sequence, ValueOrEnd),
            (KeyOrEnd, b'}') => self.close(),
            (ValueOrEnd, b']') => self.close(),
            (CommaOrEnd, b'}') if self.in_map() => self.close(),
            (CommaOrEnd, b']') if !self.in_map() => self.close(),
            (CommaOrEnd, b',') => {
                self.at += 1;
                self.expected = if self.in_map() { Key } else { Value };
            }
            (Colon, b':') => {
                self.at += 1;
                self.expected = Value;
            }
            (Key | KeyOrEnd, b'"') => {
                let (key, token) = self.string()?;
                self.builder.key(key, token);
                self.expected = Colon;
            }
            (Document | Value | ValueOrEnd, b'"') => {
                let (value, token) = self.string()?;
                self.scalar(serde_json::Value::String(value), token);
            }
            (Document | Value | ValueOrEnd, _) => self.word()?,
            (expected, _) => return Err(self.unexpected(expected)),
        }
        Ok(())
    }

    fn in_map(&self) -> bool {
        matches!(self.builder.innermost(), Some((Kind::Map, _)))
    }

    fn unexpected(&self, expected: Expected) -> Flaw {
        let message = format!("expected {}", expected.describe(self.in_map()));
        // Words without quotes are what YAML in flow style has and JSON has not.
        let cause = if matches!(expected, Expected::CommaOrEnd | Expected::Colon) {
            Cause::Syntax
        } else {
            Cause::Notation
        };
        let help = match expected {
            Expected::CommaOrEnd if self.in_map() => Some(messages::IN_BRACES),
            Expected::CommaOrEnd => Some(messages::IN_BRACKETS),
            _ => None,
        };
        Flaw { span: self.at..self.at, message, help, cause }
    }

    fn open(&mut self, kind: Kind, then: Expected) {
        self.builder.open(kind, self.at, 0);
        self.at += 1;
        self.expected = then;
    }

    fn close(&mut self) {
        self.at += 1;
        self.builder.close(Some(self.at));
        self.after_value();
    }

    fn scalar(&mut self, value: Value, token: Token) {
        self.builder.scalar(value, token, 0);
        self.after_value();
    }

    fn after_value(&mut self) {
        self.expected = Expected::CommaOrEnd;
        if self.builder.innermost().is_none() {
            self.builder.end_document();
            self.expected = Expected::Document;
        }
    }

    /// Reads a string, at whose opening quote the reader stands.
    fn string(&mut self) -> Result<(String, Token), Flaw> {
        let start = self.at;
        let (end, has_escapes) = self.end_of_string(start)?;
        let content = self.text.get(start + 1..end - 1).unwrap_or_default();
        let value = if has_escapes {
            let quoted = self.text.get(start..end).unwrap_or_default();
            serde_json::from_str(quoted).map_err(|error| string_flaw(start, quoted, &error))?
        } else {
            content.to_owned()
        };
        self.at = end;
        Ok((value, Token::new(&(start..end), Style::DoubleQuoted)))
    }

    /// Where the string ends, behind its closing quote, and whether anything in it must be decoded.
    fn end_of_string(&self, start: usize) -> Result<(usize, bool), Flaw> {
        let bytes = self.text.as_bytes();
        let mut has_escapes = false;
        let mut at = start + 1;
        loop {
            match bytes.get(at) {
                Some(b'"') => return Ok((at + 1, has_escapes)),
                Some(b'\\') => {
                    has_escapes = true;
                    at += 2;
                }
                Some(0..0x20) => {
                    return Err(flaw(
                        at..at,
                        "a control character or line break inside a string must be escaped",
                    ));
                }
                Some(_) => at += 1,
                None => {
                    return Err(unclosed(
                        start,
                        "the quote opened here is never closed",
                        messages::OPEN_QUOTE,
                    ));
                }
            }
        }
    }

    /// Reads a number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<(), Flaw> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_part =
            |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.');
        let length = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let value: Value = match serde_json::from_str(word) {
            Ok(value) => value,
            Err(_) => return Err(self.unexpected(self.expected)),
        };
        let span = self.at..self.at + length;
        self.at = span.end;
        self.scalar(value, Token::new(&span, Style::Plain));
        Ok(())
    }
}

fn flaw(span: Range<usize>, message: &str) -> Flaw {
    Flaw { span, message: message.to_owned(), help: None, cause: Cause::Syntax }
}

/// What begins with the byte at `start` and does not end.
fn unclosed(start: usize, message: &str, help: &'static str) -> Flaw {
    Flaw { help: Some(help), ..flaw(start..start + 1, message) }
}

/// Where in the string `serde_json` stumbled: it counts the bytes of the one line it was given.
fn string_flaw(start: usize, quoted: &str, error: &serde_json::Error) -> Flaw {
    let offset = error.column().saturating_sub(1).min(quoted.len());
    let boundary = (0..=offset).rev().find(|position| quoted.is_char_boundary(*position)).unwrap_or_default();
    flaw(start + boundary..start + boundary, "an escape sequence in this string is not valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<Value> {
        match load_json(text) {
            Ok(documents) => documents.into_iter().map(|document| document.value).collect(),
            Err(failure) => panic!("{text}: {:?}", failure.errors),
        }
    }

    #[test]
    fn agrees_with_serde_json() {
        for text in [
            "{}",
            "[]",
            "[[],{},[{}]]",
            r#"{"a":"\ud83d\ude00\/\n\u00e9\"","b\\":[1,-2.5e3,true,false,null,18446744073709551615]}"#,
            "\t{\t\"a\"\t:\t1\t}\r\n",
            "[1e400e]",
            "[\"é\u{7f}\u{2028}\"]",
            "[0.1,-0,-0.0,1E5,123456789012345678901234567890]",
        ] {
            match serde_json::from_str::<Value>(text) {
                Ok(expected) => assert_eq!(values(text), [expected], "{text}"),
                Err(_) => assert!(load_json(text).is_err(), "{text}"),
            }
        }
    }

    #[test]
    fn rejects_what_is_not_json() {
        for text in [
            "{",
            "[",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "[1,]",
            "[,]",
            "{,}",
            "[1 2]",
            "{a:1}",
            "{'a':1}",
            "[\"a]",
            "[\"\\x\"]",
            "[\"\\ud800\"]",
            "[\"a\nb\"]",
            "[01]",
            "[1.]",
            "[tru]",
            "[+1]",
            "{]",
            "[}",
            "[1]]",
            "{\"a\" 1}",
            "[\"\\",
            "[\"\\\"",
            "[\u{a0}]",
            "[NaN]",
            "[1e999]",
        ] {
            let failure = load_json(text).err().unwrap_or_else(|| panic!("{text} was accepted"));
            assert_ne!(failure.cause, Cause::Content, "{text}");
        }
    }

    #[test]
    fn several_values_may_follow_each_other() {
        assert_eq!(values("{\"a\":1}\n{\"a\":2}[3] [4]\n").len(), 4);
        assert_eq!(values("\u{feff} {\"a\":1}\nnull\n5").len(), 2);
        assert!(values("").is_empty());
    }
}
