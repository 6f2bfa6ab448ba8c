//! The tokens of one action in Go's syntax.

use std::ops::Range;

use super::functions::{self, Val};
use super::scan::{BLANKS, string_end, unclosed_action, unquote};
use crate::diagnostics::{Code, Problem, quoted};

/// A token and its range.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) range: Range<usize>,
    /// Whether a blank precedes the token.
    pub(super) spaced: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Ident(String),
    Field(String),
    Dot,
    Variable(String),
    Value(Val),
    Open,
    Close,
    Pipe,
    Declare,
    Assign,
    Comma,
}

/// Returns the tokens of the action whose content is at `range` of `text`.
pub(super) fn tokens(text: &str, range: Range<usize>) -> Result<Vec<Token>, Problem> {
    Lexer { text, at: range.start, end: range.end }.all()
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    end: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn all(mut self) -> Result<Vec<Token>, Problem> {
        let mut tokens = Vec::new();
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(BLANKS);
            let spaced = trimmed.len() < rest.len();
            self.at = self.end - trimmed.len();
            let Some(character) = trimmed.chars().next() else { return Ok(tokens) };
            let start = self.at;
            let kind = self.token(character)?;
            tokens.push(Token { kind, range: start..self.at, spaced });
        }
    }

    fn token(&mut self, character: char) -> Result<TokenKind, Problem> {
        let start = self.at;
        self.at += character.len_utf8();
        Ok(match character {
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            '|' => TokenKind::Pipe,
            ',' => TokenKind::Comma,
            '=' => TokenKind::Assign,
            ':' if self.rest().starts_with('=') => {
                self.at += 1;
                TokenKind::Declare
            }
            '"' | '`' => TokenKind::Value(Val::Str(self.string(start)?)),
            '\'' => {
                let value = self.string(start)?;
                let mut chars = value.chars();
                match (chars.next(), chars.next()) {
                    (Some(only), None) => TokenKind::Value(Val::Int(i64::from(u32::from(only)))),
                    _ => {
                        return Err(Problem::new(Code::TemplateSyntax, "single quotes hold one character")
                            .help("use double quotes or backquotes for a text")
                            .at(start..self.at));
                    }
                }
            }
            '.' => match self.word() {
                "" => TokenKind::Dot,
                word => TokenKind::Field(word.to_owned()),
            },
            '$' => TokenKind::Variable(format!("${}", self.word())),
            '0'..='9' | '+' | '-' => {
                self.at = start;
                TokenKind::Value(self.number()?)
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                self.at = start;
                TokenKind::Ident(self.word().to_owned())
            }
            '}' | '{' => return Err(unclosed_action(self.text, start..self.at)),
            other => {
                let message = format!("{} is not expected in an action", quoted(&other.to_string()));
                return Err(Problem::new(Code::TemplateSyntax, message).help("remove it").at(start..self.at));
            }
        })
    }

    /// The value of the string literal that starts at `start`.
    fn string(&mut self, start: usize) -> Result<String, Problem> {
        let end = string_end(self.text.as_bytes(), start).filter(|end| *end <= self.end);
        self.at = end.unwrap_or(self.end);
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        unquote(quoted).ok_or_else(|| {
            Problem::new(Code::TemplateSyntax, "the string contains an escape that is not known")
                .help("double the backslash, or use backquotes")
                .at(start..self.at)
        })
    }

    /// The longest run of characters from the current position that are letters, digits or in `others`.
    fn characters(&mut self, others: &str) -> &'t str {
        let (start, rest) = (self.at, self.rest());
        let is_end = |c: char| !(c.is_alphanumeric() || others.contains(c));
        self.at += rest.find(is_end).unwrap_or(rest.len());
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn word(&mut self) -> &'t str {
        self.characters("_")
    }

    fn number(&mut self) -> Result<Val, Problem> {
        let start = self.at;
        let text = self.characters("._+-");
        parse_number(text).ok_or_else(|| {
            Problem::new(Code::TemplateSyntax, format!("{} is not a number", quoted(text)))
                .help("write a whole number or a decimal fraction")
                .at(start..self.at)
        })
    }
}

fn parse_number(text: &str) -> Option<Val> {
    // A number has at most one sign, and single underscores between digits.
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let prefixed = ["0x", "0X", "0o", "0O", "0b", "0B"].iter().any(|prefix| unsigned.starts_with(prefix));
    let lone = |at: usize| {
        let digit = |at: Option<usize>| {
            let byte = at.and_then(|at| unsigned.as_bytes().get(at));
            byte.is_some_and(if prefixed { u8::is_ascii_alphanumeric } else { u8::is_ascii_digit })
        };
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    };
    if unsigned.starts_with(['-', '+']) || !unsigned.match_indices('_').all(|(at, _)| lone(at)) {
        return None;
    }
    let clean = unsigned.replace('_', "");
    let lower = clean.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = lower.strip_prefix(prefix) {
            let plain = rest.bytes().all(|b| b.is_ascii_alphanumeric());
            return i64::from_str_radix(&format!("{sign}{rest}"), radix).ok().filter(|_| plain).map(Val::Int);
        }
    }
    if !clean.is_empty() && clean.bytes().all(|b| b.is_ascii_digit()) {
        let radix = if clean.len() > 1 && clean.starts_with('0') { 8 } else { 10 };
        return i64::from_str_radix(&format!("{sign}{clean}"), radix).ok().map(Val::Int);
    }
    // An exponent needs digits before it.
    functions::fraction(&format!("{sign}{clean}")).map(Val::Float)
}
