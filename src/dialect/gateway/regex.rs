//! Regular expressions that keep the meaning that they have for ingress-nginx: they match the beginning of a path, in any
//! letter case.

use std::borrow::Cow;

use crate::dialect::controller::Controller;
use crate::validation::regex::{Token, tokens};

/// How an implementation compares a path with a RegularExpression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Envoy: RE2, which must match the whole path.
    Whole,
    /// Traefik: regular expressions of Go, which may match anywhere in the path.
    Anywhere,
    /// Nothing is known.
    Unknown,
}

/// Returns how the implementation of a controller compares a path with a RegularExpression.
pub(crate) fn engine(controller: Controller) -> Engine {
    match controller {
        Controller::EnvoyGateway | Controller::Contour | Controller::Openshift => Engine::Whole,
        Controller::Traefik => Engine::Anywhere,
        _ => Engine::Unknown,
    }
}

/// Returns the alternatives of a regular expression that are outside of all groups.
pub(crate) fn branches(path: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut start) = (0_i32, 0);
    let ends = tokens(path).into_iter().filter_map(move |(at, token)| {
        match token {
            Token::Open | Token::Capture => depth += 1,
            Token::Close => depth -= 1,
            _ => {}
        }
        (depth == 0 && token == Token::Bar).then_some(at)
    });
    ends.chain([path.len()]).map(move |end| {
        let branch = path.get(start..end).unwrap_or_default();
        start = end + 1;
        branch
    })
}

/// Returns a path as a part of a larger expression: in a group if it has alternatives, so that the text around it applies to
/// each of them.
pub(in crate::dialect) fn grouped(path: &str) -> Cow<'_, str> {
    if branches(path).count() > 1 { format!("(?:{path})").into() } else { path.into() }
}

/// Returns a path in any letter case, after a slash of its own, because a path of an Ingress must begin with a slash.
pub(in crate::dialect) fn behind_slash(path: &str) -> String {
    // A quantifier after flags such as `(?i)` repeats the expression in front of the flags.
    let is_item = |rest: &&str| {
        let flags =
            rest.strip_prefix("(?").map(|it| it.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
        !rest.starts_with(['*', '+', '?', '{']) && !flags.is_some_and(|behind| behind.starts_with(')'))
    };
    let behind = branches(path).map(|branch| branch.strip_prefix('/').filter(is_item));
    match behind.collect::<Option<Vec<&str>>>() {
        Some(all) => format!("/(?i:{})", all.join("|")),
        // If the slash is a part of something else, the slash in front must match nothing.
        None => format!("/{{0}}(?i:{path})"),
    }
}

/// Returns a path that is a regular expression as an implementation must read it.
pub(crate) fn written(path: &str, engine: Engine) -> String {
    let body = grouped(path);
    match engine {
        Engine::Anywhere => format!("(?i)^{body}"),
        Engine::Whole | Engine::Unknown if !takes_the_rest(path) => format!("(?i){body}.*"),
        Engine::Whole | Engine::Unknown => format!("(?i){body}"),
    }
}

/// Whether the match of a regular expression always extends to the end of the path.
pub(in crate::dialect) fn takes_the_rest(path: &str) -> bool {
    // Whether the whole expression and each open group have alternatives, and whether the last closed group had some.
    let (mut open, mut closed) = (vec![false], true);
    let mut last = [Token::Other; 3];
    for (_, token) in tokens(path) {
        match token {
            Token::Capture => open.push(false),
            // Such a group may be a lookaround, which consumes nothing.
            Token::Open => open.push(true),
            Token::Close => closed = open.pop().unwrap_or(true),
            Token::Bar => {
                if let Some(has_bar) = open.last_mut() {
                    *has_bar = true;
                }
            }
            _ => {}
        }
        last = [last[1], last[2], token];
    }
    let ends = match last {
        [_, Token::Any, Token::Star] | [_, _, Token::End] => true,
        [Token::Any, Token::Star, Token::Close] => !closed,
        _ => false,
    };
    ends && open == [false]
}

/// Returns the number of capturing groups of a regular expression.
pub(in crate::dialect) fn groups(path: &str) -> usize {
    tokens(path).iter().filter(|(_, token)| *token == Token::Capture).count()
}

/// Whether the target of a rewrite refers to a group of the path.
pub(crate) fn has_groups(target: &str) -> bool {
    target.split('$').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Returns the target of a rewrite with `\1` instead of `$1`. A group that the path does not have is empty, as for
/// ingress-nginx.
pub(crate) fn substitution(path: &str, target: &str) -> String {
    let groups = groups(path);
    let mut parts = target.split('$');
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digit = part.chars().next().and_then(|c| c.to_digit(10)).and_then(|it| usize::try_from(it).ok());
        match (digit, part.get(1..)) {
            (Some(group), Some(rest)) => {
                if group <= groups {
                    written.push('\\');
                    written.push_str(part.get(..1).unwrap_or_default());
                }
                written.push_str(rest);
            }
            _ => {
                written.push('$');
                written.push_str(part);
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_its_meaning() {
        for (path, whole, anywhere) in [
            ("/api/v[0-9]+", "(?i)/api/v[0-9]+.*", "(?i)^/api/v[0-9]+"),
            ("/api/.*", "(?i)/api/.*", "(?i)^/api/.*"),
            ("/api/(.*)", "(?i)/api/(.*)", "(?i)^/api/(.*)"),
            ("/api$", "(?i)/api$", "(?i)^/api$"),
            (r"/api\$", r"(?i)/api\$.*", r"(?i)^/api\$"),
            (r"/api\.*", r"(?i)/api\.*.*", r"(?i)^/api\.*"),
            ("/a|/b$", "(?i)(?:/a|/b$).*", "(?i)^(?:/a|/b$)"),
            ("/(a|b)", "(?i)/(a|b).*", "(?i)^/(a|b)"),
            ("/[|$]", "(?i)/[|$].*", "(?i)^/[|$]"),
            ("/(a|b.*)", "(?i)/(a|b.*).*", "(?i)^/(a|b.*)"),
            ("/(a|b)(.*)", "(?i)/(a|b)(.*)", "(?i)^/(a|b)(.*)"),
            ("/(a|b(.*))", "(?i)/(a|b(.*)).*", "(?i)^/(a|b(.*))"),
            ("/(?=.*)", "(?i)/(?=.*).*", "(?i)^/(?=.*)"),
            ("/[[:alpha:]|]+", "(?i)/[[:alpha:]|]+.*", "(?i)^/[[:alpha:]|]+"),
            (r"/\Q(\E/a|/b", r"(?i)(?:/\Q(\E/a|/b).*", r"(?i)^(?:/\Q(\E/a|/b)"),
        ] {
            assert_eq!(written(path, Engine::Whole), whole);
            assert_eq!(written(path, Engine::Unknown), whole);
            assert_eq!(written(path, Engine::Anywhere), anywhere);
        }
    }

    #[test]
    fn a_path_keeps_its_slash_in_a_larger_expression() {
        for (path, expected) in [
            ("/a", "/(?i:a)"),
            ("/a|/b", "/(?i:a|b)"),
            ("/(a|/b)|/c", "/(?i:(a|/b)|c)"),
            ("/[]|]a", "/(?i:[]|]a)"),
            ("/*", "/{0}(?i:/*)"),
            ("/(?i){3}?", "/{0}(?i:/(?i){3}?)"),
            ("/(?:a)", "/(?i:(?:a))"),
            ("/?(.*)", "/{0}(?i:/?(.*))"),
            ("/a|(/b)", "/{0}(?i:/a|(/b))"),
        ] {
            assert_eq!(behind_slash(path), expected, "{path}");
        }
    }

    #[test]
    fn groups_are_written_as_re2_has_them() {
        for (path, target, expected) in [
            ("/a(/|$)(.*)", "/b/$2", r"/b/\2"),
            ("/(a)(?:b)(?P<c>c)", "/$1$2$3", r"/\1\2"),
            ("/(a)", "/$1x$", r"/\1x$"),
            (r"/\(a\)[(]", "/$1", "/"),
        ] {
            assert_eq!(substitution(path, target), expected, "{path}");
        }
        assert!(has_groups("/x/$1") && !has_groups("/x$") && !has_groups("/$x"));
    }
}
