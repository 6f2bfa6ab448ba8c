//! The URL of a host and a path.
//!
//! If the path is a regular expression, the URL has its literal prefix.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use super::PathType;

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
    let literal = Parser::alternatives(pattern)
        .iter()
        .map(|items| beginning(items))
        .reduce(|one, other| common(&one, &other));
    literal.filter(|path| path.starts_with('/')).map_or(Cow::Borrowed("/"), Cow::Owned)
}

/// An item of a regular expression outside of groups: a character, a class or a group, with its quantifier.
#[derive(Clone, Copy)]
struct Item {
    /// The character that a matching path can have here.
    literal: Option<char>,
    /// Whether the item can match an empty text.
    optional: bool,
    /// Whether a segment ends before the item: it matches an empty text, or a text that begins with `/`.
    bounded: bool,
}

impl Item {
    /// An item whose text is not known.
    const UNKNOWN: Self = Self { literal: None, optional: false, bounded: false };
    /// An item that matches an empty text: an assertion, or the end of the path.
    const NOTHING: Self = Self { literal: None, optional: true, bounded: true };

    fn character(character: char) -> Self {
        Self { literal: Some(character), optional: false, bounded: character == '/' }
    }
}

/// The literal prefix of one alternative.
fn beginning(items: &[Item]) -> String {
    let literal: String = items.iter().map_while(|item| item.literal).collect();
    let rest = || items.iter().skip_while(|item| item.literal.is_some());
    if rest().all(|item| item.optional) {
        return literal;
    }
    // The last segment is complete if every item up to the next one that must match begins with a slash.
    let mut certain = false;
    let is_whole =
        rest().take_while(|item| !std::mem::replace(&mut certain, !item.optional)).all(|item| item.bounded);
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
    /// Whether the current alternative is bounded; `None` until an item decides it.
    branch_bounded: Option<bool>,
}

impl Group {
    fn new(looks: bool) -> Self {
        Self { looks, optional: false, bounded: true, branch_optional: true, branch_bounded: None }
    }

    fn add(&mut self, item: Item) {
        if self.branch_bounded.is_none() {
            match item {
                Item { bounded: false, .. } => self.branch_bounded = Some(false),
                Item { optional: false, .. } => self.branch_bounded = Some(true),
                _ => {}
            }
        }
        self.branch_optional &= item.optional;
    }

    fn end_branch(&mut self) {
        self.optional |= self.branch_optional;
        self.bounded &= self.branch_bounded.unwrap_or(true);
        (self.branch_optional, self.branch_bounded) = (true, None);
    }

    fn item(mut self) -> Item {
        if self.looks {
            return Item::NOTHING;
        }
        self.end_branch();
        Item { literal: None, optional: self.optional, bounded: self.bounded }
    }
}

/// Parses the items of a regular expression that decide its prefix. It accepts every text.
struct Parser<'t> {
    rest: Peekable<Chars<'t>>,
    groups: Vec<Group>,
    alternatives: Vec<Vec<Item>>,
    items: Vec<Item>,
}

impl<'t> Parser<'t> {
    /// The items of each alternative outside of groups.
    fn alternatives(pattern: &'t str) -> Vec<Vec<Item>> {
        let mut parser = Self {
            rest: pattern.chars().peekable(),
            groups: Vec::new(),
            alternatives: Vec::new(),
            items: Vec::new(),
        };
        while let Some(character) = parser.rest.next() {
            if let Some(item) = parser.item(character) {
                let item = parser.quantified(item);
                parser.add(item);
            }
        }
        // A group is not closed.
        if !parser.groups.is_empty() {
            parser.items.push(Item::UNKNOWN);
        }
        parser.alternatives.push(parser.items);
        parser.alternatives
    }

    fn add(&mut self, item: Item) {
        match self.groups.last_mut() {
            Some(group) => group.add(item),
            None => self.items.push(item),
        }
    }

    /// The item that begins with `character`; `None` if `character` begins no item.
    fn item(&mut self, character: char) -> Option<Item> {
        match character {
            '^' => None,
            '$' => Some(Item::NOTHING),
            '\\' => Some(match self.rest.next() {
                Some('b' | 'B' | 'A' | 'z' | 'Z') => Item::NOTHING,
                Some(escaped) if !escaped.is_alphanumeric() => Item::character(escaped),
                _ => Item::UNKNOWN,
            }),
            '[' => {
                self.class();
                Some(Item::UNKNOWN)
            }
            '(' => {
                if let Some(looks) = self.open() {
                    self.groups.push(Group::new(looks));
                }
                None
            }
            ')' => Some(self.groups.pop().map_or(Item::UNKNOWN, Group::item)),
            '|' => {
                match self.groups.last_mut() {
                    Some(group) => group.end_branch(),
                    None => self.alternatives.push(std::mem::take(&mut self.items)),
                }
                None
            }
            // A dot matches any character, so also a literal dot.
            '.' => Some(Item { bounded: false, ..Item::character('.') }),
            '*' | '+' | '?' | '{' | '}' | ']' => Some(Item::UNKNOWN),
            other => Some(Item::character(other)),
        }
    }

    /// Parses the text after an opening parenthesis. Returns whether the group is a look-ahead or a look-behind; `None` if it only
    /// sets flags.
    fn open(&mut self) -> Option<bool> {
        if self.rest.next_if_eq(&'?').is_none() {
            return Some(false);
        }
        if self.rest.next_if(|next| matches!(next, '=' | '!' | '#')).is_some() {
            return Some(true);
        }
        self.rest.next_if_eq(&'P');
        if self.rest.next_if_eq(&'<').is_some() {
            if self.rest.next_if(|next| matches!(next, '=' | '!')).is_some() {
                return Some(true);
            }
            while self.rest.next_if(|next| *next != '>').is_some() {}
            self.rest.next();
            return Some(false);
        }
        while self.rest.next_if(|next| next.is_ascii_alphabetic() || *next == '-').is_some() {}
        match self.rest.next_if(|next| matches!(next, ':' | '>' | ')')) {
            Some(')') => None,
            _ => Some(false),
        }
    }

    /// Parses a class to its end.
    fn class(&mut self) {
        self.rest.next_if_eq(&'^');
        // A bracket in the first position is literal.
        self.rest.next_if_eq(&']');
        while let Some(character) = self.rest.next() {
            match character {
                '\\' => {
                    self.rest.next();
                }
                '[' if self.rest.next_if_eq(&':').is_some() => {
                    while self.rest.next_if(|next| *next != ']').is_some() {}
                    self.rest.next();
                }
                ']' => return,
                _ => {}
            }
        }
    }

    /// Returns the item with the quantifier that follows it.
    fn quantified(&mut self, item: Item) -> Item {
        let Some((optional, once)) = self.quantifier() else { return item };
        // A lazy or possessive quantifier matches the same texts.
        self.rest.next_if(|next| matches!(next, '?' | '+'));
        // `x` matches `x*` and `x+`. In `/*`, the author meant the star as any text.
        let literal = item.literal.filter(|character| once && !matches!(character, '.' | '/'));
        Item { literal, optional: item.optional || optional, bounded: item.bounded }
    }

    /// Parses a quantifier. Returns whether it allows an empty text, and whether a single occurrence of the item is a prefix of
    /// every text that it allows; `None` if no quantifier follows.
    fn quantifier(&mut self) -> Option<(bool, bool)> {
        let found = match *self.rest.peek()? {
            '*' => (true, true),
            '+' => (false, true),
            '?' => (true, false),
            '{' => {
                let mut ahead = self.rest.clone();
                ahead.next();
                let min: String = std::iter::from_fn(|| ahead.next_if(char::is_ascii_digit)).collect();
                let comma = ahead.next_if_eq(&',').is_some();
                while ahead.next_if(char::is_ascii_digit).is_some() {}
                if (min.is_empty() && !comma) || ahead.next() != Some('}') {
                    return None;
                }
                self.rest = ahead;
                return Some((min.bytes().all(|digit| digit == b'0'), false));
            }
            _ => return None,
        };
        self.rest.next();
        Some(found)
    }
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
