//! The paths below which a regular expression takes all requests.

use super::regex::{Token, bounds, tokens};

/// The maximum number of paths of one expression, and the work for it. An expression with more counts as `/`.
const MAX_PATHS: usize = 64;
const MAX_WORK: usize = 1 << 20;
/// The maximum number of characters in a list such as `[ab]` that are read one by one.
const MAX_SIGNS: usize = 8;

/// The beginning of the paths that the first part of an expression matches.
#[derive(Clone, PartialEq)]
struct Start {
    text: String,
    /// Whether any text may follow, so that no further character is certain.
    is_open: bool,
}

/// An alternative of the expression is being read.
struct Group {
    /// What the expression matches before the group.
    before: Vec<Start>,
    /// What it matches with the previous alternatives.
    done: Vec<Start>,
    /// Whether the group matches no text: a look-around.
    looks: bool,
}

/// Returns the paths below which a regular expression takes all requests, without a slash at the end: `/` for `/(.*)`, `/shop` for
/// `/shop(/|$)(.*)`, and `/a` and `/b` for `/(a|b)/.+`. An expression without such a path takes only some of the requests, such as
/// `/v[0-9]+` and `/shop/?$`. The expression is compared with the beginning of a path, as ingress-nginx does it.
///
/// Groups, alternatives, lists of at most eight characters such as `[ab]` and quantifiers are read. Other sets of characters count only if they may be
/// missing or match nearly everything.
pub(super) fn taken_below(pattern: &str) -> Vec<String> {
    // A path that was written as `^/shop` got a leading slash.
    let pattern = pattern.strip_prefix("/^").unwrap_or(pattern);
    let mut paths: Vec<String> = Vec::new();
    for start in starts(pattern).unwrap_or_else(|| vec![Start { text: String::new(), is_open: true }]) {
        let path = start.text.trim_end_matches('/');
        if path.is_empty() {
            return vec!["/".to_owned()];
        }
        if path.starts_with('/') && !paths.iter().any(|known| known == path) {
            paths.push(path.to_owned());
        }
    }
    paths
}

/// The beginnings of the paths that an expression matches; `None` if there are too many.
fn starts(pattern: &str) -> Option<Vec<Start>> {
    let mut tokens = tokens(pattern).peekable();
    let (mut now, mut groups) = (vec![Start { text: String::new(), is_open: false }], Vec::new());
    let (mut done, mut work, mut is_end) = (Vec::new(), MAX_WORK, false);
    while let Some((at, token)) = tokens.next() {
        let end = tokens.peek().map_or(pattern.len(), |(at, _)| *at);
        let (text, rest) = (pattern.get(at..end)?, pattern.get(end..)?);
        is_end = token == Token::End;
        match token {
            Token::Capture | Token::Open => {
                let looks = ["(?=", "(?!", "(?<=", "(?<!", "(*"].iter().any(|it| text.starts_with(it));
                groups.push(Group { before: copied(&now, &mut work)?, done: Vec::new(), looks });
                continue;
            }
            Token::Bar => {
                let Some(group) = groups.last_mut() else {
                    done.append(&mut now);
                    now.push(Start { text: String::new(), is_open: false });
                    continue;
                };
                now.append(&mut group.done);
                group.done = std::mem::replace(&mut now, copied(&group.before, &mut work)?);
                continue;
            }
            Token::End => continue,
            _ => {}
        }
        let count = least(rest);
        if count.is_some() {
            tokens.next();
        }
        let before = match token {
            Token::Close => {
                let Some(mut group) = groups.pop() else { return Some(Vec::new()) };
                now.append(&mut group.done);
                if group.looks {
                    now = group.before;
                    continue;
                }
                if count > Some(1) {
                    now.clear();
                }
                group.before
            }
            _ => {
                let mut before = Vec::new();
                match item(text, count.is_some()) {
                    Item::Nothing => continue,
                    Item::Any => now.iter_mut().for_each(|it| it.is_open = true),
                    Item::Set if count == Some(0) => now.iter_mut().for_each(|it| it.is_open = true),
                    Item::Set => now.clear(),
                    Item::OneOf(signs) => {
                        let is_list = signs.chars().nth(1).is_some();
                        let all =
                            if is_list || count == Some(0) { copied(&now, &mut work)? } else { Vec::new() };
                        let mut signs = signs.chars();
                        push(&mut now, signs.next()?, count);
                        for sign in signs {
                            let mut with = copied(&all, &mut work)?;
                            push(&mut with, sign, count);
                            now.append(&mut with);
                        }
                        if count == Some(0) {
                            before = all;
                        }
                    }
                }
                before
            }
        };
        if count == Some(0) {
            now.extend(before);
        }
    }
    done.append(&mut now);
    // The end of the path must follow, or the expression is not complete.
    done.retain(|it| (!is_end || it.is_open) && groups.is_empty());
    (done.len() <= MAX_PATHS).then_some(done)
}

/// Appends a character, as often as it must be there.
fn push(starts: &mut Vec<Start>, sign: char, count: Option<u32>) {
    starts.retain(|it| !it.is_open || sign == '/');
    for start in starts.iter_mut().filter(|it| !it.is_open) {
        (0..count.unwrap_or(1).clamp(1, 64)).for_each(|_| start.text.push(sign));
    }
}

/// Copies the beginnings, within the limits.
fn copied(starts: &[Start], work: &mut usize) -> Option<Vec<Start>> {
    let size = starts.iter().map(|it| it.text.len() + 1).sum();
    *work = work.checked_sub(size)?;
    (starts.len() <= MAX_PATHS).then(|| starts.to_vec())
}

/// What a part of an expression without groups matches.
enum Item<'t> {
    /// No character, such as `^`.
    Nothing,
    /// One of these characters.
    OneOf(&'t str),
    /// Some characters.
    Set,
    /// Nearly every character.
    Any,
}

fn item(text: &str, is_repeated: bool) -> Item<'_> {
    let mut signs = text.chars();
    match (signs.next(), signs.next()) {
        (Some('^' | '('), _) => Item::Nothing,
        // A dot alone also is the dot of a version.
        (Some('.'), _) if is_repeated => Item::Any,
        (Some('\\'), Some('b' | 'B' | 'A' | 'G' | 'z' | 'Z')) => Item::Nothing,
        (Some('\\'), Some('S' | 'D' | 'W' | 'N' | 'V' | 'H')) => Item::Any,
        (Some('\\'), Some(sign)) if !sign.is_alphanumeric() => Item::OneOf(text.get(1..).unwrap_or_default()),
        (Some('['), Some('^')) if text.ends_with(']') => Item::Any,
        (Some('['), Some(_)) => match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            Some(all) if ["\\S", "\\D", "\\W"].iter().any(|it| all.contains(it)) => Item::Any,
            Some(all) if all.len() <= MAX_SIGNS && !all.contains(['-', '\\', '[']) => Item::OneOf(all),
            Some("\\/") => Item::OneOf("/"),
            _ => Item::Set,
        },
        // A part that is not valid, or a quantifier of nothing.
        (Some('*' | '+' | '?' | '\\'), _) => Item::Set,
        (Some(_), None) => Item::OneOf(text),
        _ => Item::Set,
    }
}

/// How often an item must be there at least, by the quantifier at the start of a text.
fn least(text: &str) -> Option<u32> {
    match text.bytes().next()? {
        b'*' | b'?' => Some(0),
        b'+' => Some(1),
        _ => bounds(text).map(|(_, least, _)| least),
    }
}
