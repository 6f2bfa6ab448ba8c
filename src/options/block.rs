//! The block of annotations to forward: one `key: value` on each line.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostics::{Code, Problem, quoted};
use crate::dialect::{FAMILIES, effect, is_snippet};
use crate::service::PUBLISH_KEY;
use crate::validation::{annotation_key_error, halves};

/// An effective line of the block: one that is neither skipped nor repeated later.
///
/// ```
/// let text = "# limits\nproxy-body-size: '900m'";
/// let (block, _) = xposer::internal::block::parse(text);
/// let line = &block.lines()[0];
/// assert_eq!((line.number, line.key, line.value), (2, "proxy-body-size", "900m"));
/// assert_eq!(&text[line.value_range.clone()], line.value);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The key, trimmed and without quotes.
    pub key: &'a str,
    /// The value, trimmed and without one pair of quotes.
    pub value: &'a str,
    /// The line number in the block, from 1.
    pub number: usize,
    /// The byte range of `key` in the block: without blanks and quotes.
    pub key_range: Range<usize>,
    /// The byte range of `value` in the block: without blanks and quotes.
    pub value_range: Range<usize>,
    /// Whether the value was written in quotes.
    pub quoted: bool,
}

impl<'a> Line<'a> {
    /// The keys inside the value, which appear there if line breaks of the block were folded into blanks.
    pub(crate) fn embedded_keys(&self) -> Vec<EmbeddedKey<'a>> {
        if self.quoted { Vec::new() } else { embedded_keys(self.key, self.value) }
    }
}

/// A key inside the value of another key, and the text that follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EmbeddedKey<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
    /// The byte position of the key.
    pub(crate) start: usize,
}

/// Hosts of image registries. `docker.io/nginx: 1.25` names an image, and `docker.io/nginx` is no key.
const REGISTRIES: [&str; 10] = [
    "amazonaws.com",
    "azurecr.io",
    "docker.io",
    "gcr.io",
    "ghcr.io",
    "mcr.microsoft.com",
    "pkg.dev",
    "public.ecr.aws",
    "quay.io",
    "registry.k8s.io",
];

/// The maximum length of a key: a prefix, a slash and a name, and one more.
const MAX_KEY: usize = 253 + 1 + 63 + 1;
/// The colon of keyboards for Chinese and Japanese.
const WIDE_COLON: char = '\u{ff1a}';

/// Returns the keys inside `text`, which is the value of `key`. A key stands at the beginning of the text, or after a blank, a
/// comma, a semicolon or the two characters `\n`. It has a prefix with a dot, and a colon and a blank follow it. If a program
/// is known to read it, or its prefix belongs to a known family, the blank may be missing or precede the colon, the sign may be `=`,
/// and the colon may be that of another keyboard. A key that a program is known to read may stand after any character that is no
/// part of a key. In free text, such as a
/// snippet, only keys of known families count. A key may be in quotes; other text in quotes, and text inside the brackets of JSON,
/// contains no keys.
pub(crate) fn embedded_keys<'a>(key: &str, text: &'a str) -> Vec<EmbeddedKey<'a>> {
    if text.is_ascii() && !text.bytes().any(|byte| matches!(byte, b':' | b'=')) {
        return Vec::new();
    }
    let is_free = is_snippet(key);
    let bytes = text.as_bytes();
    // The start of each key, the key, and the start of its value.
    let mut found: Vec<(usize, &str, usize)> = Vec::new();
    let mut at = 0;
    let mut can_begin = true;
    // The number of open brackets.
    let mut depth: usize = 0;
    while let Some(byte) = bytes.get(at) {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        match byte {
            b' ' | b'\t' | b',' | b';' => {
                can_begin = true;
                at += 1;
                continue;
            }
            b'\\' if bytes.get(at + 1) == Some(&b'n') => {
                can_begin = true;
                at += 2;
                continue;
            }
            b'"' | b'\'' if can_begin || matches!(before, Some(b':' | b'=' | b'(' | b'[' | b'{')) => {
                // Only the last quote of each kind can be unclosed, so at most one search runs to the end in vain.
                let inner = bytes.get(at + 1..).unwrap_or_default();
                if let Some(length) = inner.iter().position(|other| other == byte) {
                    let key = text.get(at + 1..at + 1 + length).filter(|_| can_begin && depth == 0);
                    let behind = text.get(at + length + 2..).unwrap_or_default();
                    if let Some(key) = key
                        && let Some(sign) = sign_behind(key, behind, is_free)
                    {
                        found.push((at + 1, key, at + length + 2 + sign));
                    }
                    at += length + 1;
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ if can_begin || is_separated(bytes, at) => {
                let found_key = text.get(at..).and_then(|rest| key_in_front(rest, is_free));
                if let Some((key, sign)) = found_key.filter(|(key, _)| can_begin || effect(key).is_some()) {
                    found.push((at, key, at + sign));
                    // The loop advances past the sign after the key.
                    at += sign - 1;
                }
            }
            _ => {}
        }
        can_begin = false;
        at += 1;
    }
    let ends = found.iter().skip(1).map(|(start, ..)| *start).chain([bytes.len()]);
    let embedded_keys = found.iter().zip(ends).map(|((start, key, value), end)| {
        let value = text.get(*value..end).unwrap_or_default().trim_end_matches("\\n");
        let value = value.trim_matches(|c: char| c.is_whitespace() || ",;\"'|&".contains(c));
        EmbeddedKey { key, value, start: *start }
    });
    embedded_keys.collect()
}

/// Whether a byte can be in the prefix or in the name of a key.
fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

/// Whether a text begins at a position, behind a character that is no part of a key. The two slashes of a URL are no separator.
fn is_separated(bytes: &[u8], at: usize) -> bool {
    let before =
        |count: usize| at.checked_sub(count).and_then(|at| bytes.get(at)).copied().unwrap_or_default();
    let is_slash = || before(2) == b'/' && before(3) != b':';
    bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
        && !is_of_key(before(1))
        && (before(1) != b'/' || is_slash())
}

/// Whether a host is one of a family of keys, or below it.
fn is_below(host: &str, family: &str) -> bool {
    host.strip_suffix(family).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Whether a key is one of a known program, or its prefix belongs to a known family.
fn is_known(key: &str) -> bool {
    key.split_once('/').is_some_and(|(prefix, _)| {
        FAMILIES.iter().any(|family| is_below(prefix, family)) || effect(key).is_some()
    })
}

/// Returns the key at the start of `text`, and the position after its sign.
fn key_in_front(text: &str, is_free: bool) -> Option<(&str, usize)> {
    let is_part = |byte: &u8| is_of_key(*byte) || *byte == b'/';
    // A longer text is no key. Without the limit, a long text of slashes would be read again and again.
    let length = text.bytes().take(MAX_KEY).take_while(is_part).count();
    let (key, behind) = text.split_at_checked(length)?;
    let sign = sign_behind(key, behind, is_free)?;
    Some((key, length + sign))
}

/// Returns the length of the sign that follows a key, including blanks before the sign.
fn sign_behind(key: &str, behind: &str, is_free: bool) -> Option<usize> {
    let (prefix, _) = match key.split_once('/') {
        None if key == PUBLISH_KEY => return Some(1).filter(|_| !is_free && behind.starts_with(':')),
        parts => parts?,
    };
    let is_known = is_known(key);
    let bare = behind.trim_start_matches([' ', '\t']);
    let blanks = behind.len() - bare.len();
    let is_sign = match bare.strip_prefix(':') {
        Some(_) if is_known => true,
        None if is_known && bare.starts_with(WIDE_COLON) => true,
        Some(rest) => !is_free && blanks == 0 && (rest.is_empty() || rest.starts_with([' ', '\t'])),
        None => is_known && !is_free && blanks == 0 && bare.starts_with('='),
    };
    let is_key = is_sign
        && prefix.contains('.')
        && annotation_key_error(key).is_none()
        && !REGISTRIES.iter().any(|registry| is_below(prefix, registry));
    let sign = bare.chars().next().map_or(0, char::len_utf8);
    is_key.then_some(blanks + sign)
}

/// The effective lines of a block, whose keys are unique.
///
/// ```
/// let (block, _) = xposer::internal::block::parse("b: 1\na: 2\nb: 3");
/// let kept: Vec<_> = block.lines().iter().map(|line| (line.number, line.key)).collect();
/// assert_eq!(kept, [(2, "a"), (3, "b")]);
/// assert!(block.contains("a") && !block.contains("A"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block<'a> {
    lines: Vec<Line<'a>>,
    /// The keys of the lines, in ascending order.
    keys: Vec<&'a str>,
}

impl<'a> Block<'a> {
    /// The lines, in the order in which they were written.
    #[must_use]
    pub fn lines(&self) -> &[Line<'a>] {
        &self.lines
    }

    /// Whether there is a line with this key, which is case-sensitive.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.keys.binary_search(&key).is_ok()
    }
}

/// Reads the block. Returns the effective lines, and the problems of the other lines.
///
/// A line is split at its first colon. Blanks around both halves are removed, and one pair of quotes around each, unless the same
/// quote also stands inside. Blank lines and lines that start with `#` are ignored. A line without a colon is skipped, and if a key
/// is repeated, the last line applies; both are Warnings. A value that is only the header of a YAML block scalar (`|` or `>`, with
/// `-` or `+`) is an Error, and the lines after it with a deeper indentation are ignored. A value in quotes that contains the same
/// quotes, all of them escaped, is also an Error. The ranges of the problems are byte ranges in the block.
///
/// ```
/// let (block, problems) = xposer::internal::block::parse("a: \"1\"\r\n\nb : x:y\njust text\n");
/// let lines: Vec<_> = block.lines().iter().map(|line| (line.key, line.value)).collect();
/// assert_eq!(lines, [("a", "1"), ("b", "x:y")]);
/// assert_eq!(problems[0].message, "line 4 has no colon and is skipped: `just text`");
/// ```
#[must_use]
pub fn parse(block: &str) -> (Block<'_>, Vec<Problem>) {
    let mut lines = Vec::with_capacity(8);
    let mut problems = Vec::new();
    let mut start = 0;
    // The indentation of a key whose value continues on the following lines.
    let mut scalar: Option<usize> = None;
    for (raw, number) in block.split('\n').zip(1..) {
        let at = start;
        start += raw.len() + 1;
        let line = raw.trim_ascii();
        let indent = raw.len() - raw.trim_ascii_start().len();
        if line.is_empty() || line.starts_with('#') || scalar.is_some_and(|outer| indent > outer) {
            continue;
        }
        scalar = None;
        let whole = at + indent..at + indent + line.len();
        let Some((key, value)) = halves(raw, b':') else {
            let message = format!("line {number} has no colon and is skipped: {}", quoted(line));
            problems.push(Problem::new(Code::ForwardMalformed, message).help("write `key: value`").at(whole));
            continue;
        };
        let value_at = at + key.len() + 1;
        let (key, key_range) = unquoted(key, at);
        let written = value.trim_ascii();
        let (value, value_range) = unquoted(value, value_at);
        let is_quoted = value.len() < written.len();
        if is_scalar_header(value) {
            let message = format!("the value of {} spreads over several lines", quoted(key));
            let problem = Problem::new(Code::ForwardBlockScalar, message).help("put the value on one line");
            problems.push(problem.at(value_range));
            scalar = Some(indent);
            continue;
        }
        if !is_quoted && has_escapes(value) {
            let message = format!("the quoted value of {} contains escapes", quoted(key));
            let help = "remove the quotes around the value and the escapes";
            problems.push(Problem::new(Code::ForwardEscapes, message).help(help).at(value_range));
            continue;
        }
        lines.push(Line { key, value, number, key_range, value_range, quoted: is_quoted });
    }
    let mut keys: Vec<&str> = lines.iter().map(|line| line.key).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.len() < lines.len() {
        lines = without_repeated(lines, &mut problems);
    }
    (Block { lines, keys }, problems)
}

/// Removes the lines whose key is repeated on a later line.
fn without_repeated<'a>(lines: Vec<Line<'a>>, problems: &mut Vec<Problem>) -> Vec<Line<'a>> {
    let mut later = BTreeMap::new();
    let nexts: Vec<Option<usize>> =
        lines.iter().rev().map(|line| later.insert(line.key, line.number)).collect();
    let mut kept = Vec::with_capacity(later.len());
    for (line, next) in lines.into_iter().zip(nexts.into_iter().rev()) {
        let Some(next) = next else {
            kept.push(line);
            continue;
        };
        let message =
            format!("{} is in lines {} and {next}; the last one applies", quoted(line.key), line.number);
        let problem = Problem::new(Code::ForwardRepeated, message).help("remove one of them");
        problems.push(problem.at(line.key_range));
    }
    kept
}

/// Returns `text` without blanks and one pair of quotes around it, and its range. The outer quotes are no pair if the same quote
/// stands inside: `"a" or "b"`.
fn unquoted(text: &str, at: usize) -> (&str, Range<usize>) {
    let right = text.trim_ascii_start();
    let kept = right.trim_ascii_end();
    let start = at + text.len() - right.len();
    if let (Some(quote @ (b'"' | b'\'')), true) = (kept.as_bytes().first(), kept.len() > 1)
        && let Some(inner) = kept.strip_suffix(char::from(*quote)).and_then(|rest| rest.get(1..))
        && !inner.contains(char::from(*quote))
    {
        return (inner, start + 1..start + 1 + inner.len());
    }
    (kept, start..start + kept.len())
}

/// Whether a value is a quoted text of YAML or JSON in which all inner quotes are escaped.
fn has_escapes(value: &str) -> bool {
    let Some(quote @ ('"' | '\'')) = value.chars().next() else { return false };
    let escape = if quote == '"' { "\\\"" } else { "''" };
    let inner = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner.is_some_and(|inner| inner.contains(quote) && !inner.replace(escape, "").contains(quote))
}

fn is_scalar_header(value: &str) -> bool {
    matches!(value, "|" | "|-" | "|+" | ">" | ">-" | ">+")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<(&str, &str)> {
        embedded_keys("a", text).into_iter().map(|it| (it.key, it.value)).collect()
    }

    #[test]
    fn a_folded_line_has_keys_in_its_value() {
        const RANGE: (&str, &str) = ("nginx.ingress.kubernetes.io/whitelist-source-range", "10.0.0.0/8");
        for text in [
            "ops nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
            "ops,nginx.ingress.kubernetes.io/whitelist-source-range:10.0.0.0/8",
            "ops; nginx.ingress.kubernetes.io/whitelist-source-range: '10.0.0.0/8'",
            "ops\\nnginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8\\n",
            "\"ops\" nginx.ingress.kubernetes.io/whitelist-source-range: \"10.0.0.0/8\"",
            "it's\tnginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
            "[{\"HTTP\":80}] nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
            "nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
            "\"ops\" \"nginx.ingress.kubernetes.io/whitelist-source-range\": \"10.0.0.0/8\"",
            "'ops' 'nginx.ingress.kubernetes.io/whitelist-source-range' : '10.0.0.0/8'",
            "ops nginx.ingress.kubernetes.io/whitelist-source-range : 10.0.0.0/8",
            "ops nginx.ingress.kubernetes.io/whitelist-source-range=10.0.0.0/8",
            "ops\rnginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
            "ops\u{b}nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
            "ops\u{c}nginx.ingress.kubernetes.io/whitelist-source-range=10.0.0.0/8",
            "ops\u{85}nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
            "ops\u{a0}nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8\u{a0}",
            "ops\u{2028}nginx.ingress.kubernetes.io/whitelist-source-range:10.0.0.0/8",
            "ops\u{3000}nginx.ingress.kubernetes.io/whitelist-source-range\u{ff1a}10.0.0.0/8",
            "ops|nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8|",
            "ops&nginx.ingress.kubernetes.io/whitelist-source-range=10.0.0.0/8&",
            "ops//nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
            "ops(nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
        ] {
            assert_eq!(keys(text), [RANGE], "{text}");
        }
        let text = "a example.com/b: c d exposeIngressUrl: locally example.org/e:";
        assert_eq!(
            keys(text),
            [("example.com/b", "c d"), ("exposeIngressUrl", "locally"), ("example.org/e", "")]
        );
        for found in embedded_keys("a", text) {
            assert!(text.get(found.start..).is_some_and(|rest| rest.starts_with(found.key)));
        }
    }

    #[test]
    fn text_that_resembles_a_key_is_no_key() {
        for text in [
            "",
            "https://auth.example.com/oauth2/auth?rd=https://example.com/a:b",
            "docker.io/nginx: 1.25, eu.gcr.io/a/b: 2",
            "[{\"a\": 1}, {\"b\": 2, \"example.com/a\": 3}]",
            "https://example.com/?q=kubernetes.io/a=b",
            "registry.k8s.io/pause:3.9, docker.io/library/nginx:1.27",
            "call ops/dev: they know",
            "\"see example.com/help: there\" or \"example.com/faq: here\"",
            "{\"type\": \"forward\", \"example.com/a\": \"example.com/b: c\"}",
            "{a: example.com}",
            "über example.com/ä: b",
            "10.0.0.0/8, 192.168.0.0/16",
        ] {
            assert_eq!(keys(text), [], "{text}");
        }
    }

    #[test]
    fn in_free_text_only_known_prefixes_count() {
        let text = "# see example.com/help: there; nginx.ingress.kubernetes.io/auth-url: https://example.com";
        let found: Vec<_> = embedded_keys("a-snippet", text).into_iter().map(|it| it.key).collect();
        assert_eq!(found, ["nginx.ingress.kubernetes.io/auth-url"]);
    }

    #[test]
    fn quotes_around_the_value_hold_it_together() {
        let (block, _) =
            parse("a: 'b example.com/c: d'\na-snippet: b example.com/c: d\ne: b example.com/c: d");
        let counts: Vec<_> = block.lines().iter().map(|line| line.embedded_keys().len()).collect();
        assert_eq!(counts, [0, 0, 1]);
    }
}
