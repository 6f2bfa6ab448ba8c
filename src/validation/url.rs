//! The URL of a host and a path.
//!
//! If the path is a regular expression, the URL has its literal prefix.

use std::borrow::Cow;

use super::PathType;
use super::regex::{self, Token};

/// Returns the URL of a host and path. A path of `/` is left out; characters that are invalid in a URL are percent-encoded.
pub(crate) fn url(https: bool, host: &str, path: &str) -> String {
    let mut url = format!("{}://{host}", if https { "https" } else { "http" });
    if path == "/" {
        return url;
    }
    let mut rest = path.chars();
    while let Some(character) = rest.next() {
        let is_code =
            || rest.as_str().as_bytes().get(..2).is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit));
        if is_url_character(character) || (character == '%' && is_code()) {
            url.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                url.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    url
}

/// Whether a character may appear unencoded in a URL: `pchar`, `/` and `?` of RFC 3986.
fn is_url_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?".contains(character)
}

/// Returns a request path that can match a path of this type: the path itself, or the literal prefix of a regular expression.
///
/// If the rest of the expression can match an empty text, the whole prefix is used: `/shop(/|$)(.*)` gives `/shop`. Otherwise the
/// path ends with the last complete segment: `/api/v[0-9]+` gives `/api`.
pub(crate) fn literal_path(path: &str, kind: PathType) -> Cow<'_, str> {
    if kind.is_pattern(path) { literal_beginning(path) } else { Cow::Borrowed(path) }
}

/// Returns the literal prefix of a path that is a regular expression.
pub(crate) fn literal_beginning(path: &str) -> Cow<'_, str> {
    // A path that was written as `^/shop` got a leading slash.
    let pattern = path.strip_prefix("/^").unwrap_or(path);
    let literal =
        alternatives(pattern).iter().map(|parts| beginning(parts)).reduce(|one, other| common(&one, &other));
    literal.filter(|path| path.starts_with('/')).map_or(Cow::Borrowed("/"), Cow::Owned)
}

/// A part of a regular expression outside of groups: a character, a class or a group, with its quantifier.
#[derive(Clone, Copy)]
struct Part {
    /// The character that a matching path can have here.
    literal: Option<char>,
    /// Whether the part can match an empty text.
    optional: bool,
    /// Whether a segment ends before the part: it matches an empty text, or a text that begins with `/`.
    bounded: bool,
}

impl Part {
    /// A part whose text is not known.
    const UNKNOWN: Self = Self { literal: None, optional: false, bounded: false };
    /// A part that matches an empty text: an assertion, or the end of the path.
    const NOTHING: Self = Self { literal: None, optional: true, bounded: true };

    fn character(character: char) -> Self {
        Self { literal: Some(character), optional: false, bounded: character == '/' }
    }

    /// A part that is no group.
    fn new(token: Token, text: &str) -> Self {
        let mut characters = text.chars();
        match (token, characters.next(), characters.next()) {
            (Token::End, ..) | (_, Some('\\'), Some('b' | 'B' | 'A' | 'z' | 'Z')) => Self::NOTHING,
            (_, Some('\\'), Some(escaped)) if !escaped.is_alphanumeric() => Self::character(escaped),
            // A dot matches any character, so also a literal dot.
            (Token::Any, ..) => Self { bounded: false, ..Self::character('.') },
            (_, Some('*' | '+' | '?' | '{' | '}' | '[' | ']' | ')' | '\\'), _) => Self::UNKNOWN,
            (_, Some(character), None) => Self::character(character),
            _ => Self::UNKNOWN,
        }
    }

    /// Returns the part with its quantifier.
    fn quantified(self, item: regex::Item<'_>) -> Self {
        let Some(least) = item.min_repetitions() else { return self };
        // `x` matches `x*` and `x+`. In `/*`, the author meant the star as any text.
        let is_once = item.quantifier.starts_with(['*', '+']);
        let literal = self.literal.filter(|character| is_once && !matches!(character, '.' | '/'));
        Self { literal, optional: self.optional || least == 0, bounded: self.bounded }
    }
}

/// The literal prefix of one alternative.
fn beginning(parts: &[Part]) -> String {
    let literal: String = parts.iter().map_while(|part| part.literal).collect();
    let rest = || parts.iter().skip_while(|part| part.literal.is_some());
    if rest().all(|part| part.optional) {
        return literal;
    }
    // The last segment is complete if every part up to the next one that must match begins with a slash.
    let mut certain = false;
    let is_whole =
        rest().take_while(|part| !std::mem::replace(&mut certain, !part.optional)).all(|part| part.bounded);
    let whole =
        if is_whole { Some(literal.as_str()) } else { literal.rsplit_once('/').map(|(before, _)| before) };
    whole.unwrap_or_default().trim_end_matches('/').to_owned()
}

/// The leading segments that two paths have in common.
fn common(one: &str, other: &str) -> String {
    let segments = one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other);
    segments.map(|(segment, _)| segment).collect::<Vec<_>>().join("/")
}

/// A group that is not closed yet.
struct Group {
    /// Whether the group is a look-ahead or a look-behind.
    looks: bool,
    /// Whether one of the previous alternatives can match an empty text.
    optional: bool,
    /// Whether all previous alternatives are bounded.
    bounded: bool,
    /// Whether the current alternative can match an empty text.
    branch_optional: bool,
    /// Whether the current alternative is bounded; `None` until a part decides it.
    branch_bounded: Option<bool>,
}

impl Group {
    fn new(looks: bool) -> Self {
        Self { looks, optional: false, bounded: true, branch_optional: true, branch_bounded: None }
    }

    fn add(&mut self, part: Part) {
        if self.branch_bounded.is_none() {
            match part {
                Part { bounded: false, .. } => self.branch_bounded = Some(false),
                Part { optional: false, .. } => self.branch_bounded = Some(true),
                _ => {}
            }
        }
        self.branch_optional &= part.optional;
    }

    fn end_branch(&mut self) {
        self.optional |= self.branch_optional;
        self.bounded &= self.branch_bounded.unwrap_or(true);
        (self.branch_optional, self.branch_bounded) = (true, None);
    }

    fn part(mut self) -> Part {
        if self.looks {
            return Part::NOTHING;
        }
        self.end_branch();
        Part { literal: None, optional: self.optional, bounded: self.bounded }
    }
}

/// The parts of each alternative of a regular expression outside of groups. Every text has some.
fn alternatives(pattern: &str) -> Vec<Vec<Part>> {
    let (mut alternatives, mut groups): (Vec<Vec<Part>>, Vec<Group>) = (vec![Vec::new()], Vec::new());
    for item in regex::items(pattern) {
        let part = match item.token {
            Token::Capture | Token::Open => {
                groups.push(Group::new(item.starts_assertion()));
                continue;
            }
            Token::Bar => {
                match groups.last_mut() {
                    Some(group) => group.end_branch(),
                    None => alternatives.push(Vec::new()),
                }
                continue;
            }
            // The start of the text, flags, and a comment.
            Token::Other if item.text == "^" || (item.text.starts_with('(') && item.text.ends_with(')')) => {
                continue;
            }
            Token::Close => groups.pop().map_or(Part::UNKNOWN, Group::part),
            token => Part::new(token, item.text),
        };
        let part = part.quantified(item);
        match (groups.last_mut(), alternatives.last_mut()) {
            (Some(group), _) => group.add(part),
            (None, Some(parts)) => parts.push(part),
            (None, None) => {}
        }
    }
    // A group is not closed.
    if let (false, Some(parts)) = (groups.is_empty(), alternatives.last_mut()) {
        parts.push(Part::UNKNOWN);
    }
    alternatives
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(path: &str) -> Cow<'_, str> {
        literal_path(path, PathType::ImplementationSpecific)
    }

    #[test]
    fn the_literal_beginning_ends_where_the_rest_may_be_missing() {
        for (pattern, expected) in [
            ("/shop(/|$)(.*)", "/shop"),
            ("/shop(.*)", "/shop"),
            ("/shop/?(.*)", "/shop"),
            ("/shop(/.*)?", "/shop"),
            ("/shop/(.*)", "/shop/"),
            ("/shop/.*", "/shop/"),
            ("/shop/v1(?:/|$)", "/shop/v1"),
            ("/shop(?!/internal)(.*)", "/shop"),
            ("/shop$", "/shop"),
            ("^/shop$", "/shop"),
            ("^/shop/?$", "/shop"),
            ("/^/shop/?$", "/shop"),
            ("/(?i)shop(/|$)", "/shop"),
            ("/app/*", "/app"),
            ("/app*", "/app"),
            ("/v1\\.2/docs\\/(.*)", "/v1.2/docs/"),
            ("/v1.2(/|$)", "/v1.2"),
            ("/a+b(/|$)", "/ab"),
        ] {
            assert_eq!(literal(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn the_literal_beginning_ends_with_a_whole_segment_where_something_must_follow() {
        for (pattern, expected) in [
            ("/api/v[0-9]+", "/api"),
            ("/api/v[0-9]+/users", "/api"),
            ("/api/[0-9]+", "/api"),
            ("/api/\\d+(/|$)", "/api"),
            ("/api/(v1|v2)(/|$)(.*)", "/api"),
            ("/api(/v[0-9]+)/users", "/api"),
            ("/api(/v1|/v2)(.*)", "/api"),
            ("/api(/v1)?/users/(.+)", "/api"),
            ("/api(s|/v1)/users", "/"),
            ("/api/{id}", "/api"),
            ("/api/x{2}", "/api"),
            ("/api/x{0,2}", "/api/"),
            ("/api/[[:alpha:]]+x", "/api"),
            ("/api/[]a]", "/api"),
            ("/colou?r", "/"),
            ("/shop/colou?r/red", "/shop"),
            ("/app/*/edit", "/app"),
            ("/.*\\.php", "/"),
            ("/(.*)", "/"),
            ("/(web|api)", "/"),
        ] {
            assert_eq!(literal(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn alternatives_have_their_common_segments() {
        for (pattern, expected) in [
            ("/a|/b", "/"),
            ("/shop/a|/shop/b", "/shop"),
            ("/shop|/shop/(.*)", "/shop"),
            ("/shopping|/shop", "/"),
            ("/shop|other", "/"),
            ("/shop(/a|/b)", "/shop"),
        ] {
            assert_eq!(literal(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_has_a_beginning() {
        for pattern in [
            "/(", "/a(b", "/)", "/[", "/a[b", "/a\\", "/{", "/a{", "/*", "/**", "/a(?", "/a(?<", "/a(?P<n",
            "/|",
        ] {
            assert!(literal(pattern).starts_with('/'), "{pattern}");
            assert!(!literal(pattern).contains(['(', ')', '[', '{', '\\', '|', '*']), "{pattern}");
        }
        // Deep nesting must not use the stack.
        assert_eq!(literal(&format!("/a{}b{}", "(".repeat(100_000), ")?".repeat(100_000))), "/a");
    }

    #[test]
    fn a_path_that_is_no_pattern_stays_as_it_is() {
        assert_eq!(literal("/c++/v1.2"), "/c++/v1.2");
        assert_eq!(literal_path("/a(b)", PathType::Prefix), "/a(b)");
        assert_eq!(literal_path("/a(b)", PathType::Exact), "/a(b)");
    }

    #[test]
    fn a_url_has_only_characters_of_urls() {
        assert_eq!(url(true, "a.example.com", "/"), "https://a.example.com");
        assert_eq!(url(false, "a.example.com", "/a/"), "http://a.example.com/a/");
        assert_eq!(
            url(true, "a.example.com", "/ü b/100%/%20[x]"),
            "https://a.example.com/%C3%BC%20b/100%25/%20%5Bx%5D"
        );
        assert_eq!(url(true, "a.example.com", "/health?full=1"), "https://a.example.com/health?full=1");
    }
}
