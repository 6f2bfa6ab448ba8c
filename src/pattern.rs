//! Patterns of administrators: for keys and namespaces with `*` for any text, for hosts with `*.` in front.

use std::ops::Range;

/// Whether `text` is what `pattern` describes: `*` stands for any text, also for none; everything else for itself.
///
/// ```
/// use xposer::pattern::matches;
/// assert!(matches("*-snippet", "nginx.ingress.kubernetes.io/server-snippet"));
/// assert!(matches("team-*", "team-a") && matches("shop", "shop") && !matches("shop", "shop-2"));
/// ```
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let is_star = |byte: u8| byte == b'*';
    let (Some(star), Some(end)) = (pattern.bytes().position(is_star), pattern.bytes().rposition(is_star))
    else {
        return pattern == text;
    };
    let part = |range| pattern.get::<Range<usize>>(range).unwrap_or_default();
    let (first, between, last) = (part(0..star), part(star + 1..end), part(end + 1..pattern.len()));
    // Most texts fit at one end or the other, or not at all.
    let Some(mut rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    // What stands between two stars is looked for as early as possible; a later place gives the rest no better chance.
    for part in between.split('*').filter(|part| !part.is_empty()) {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    true
}

/// Whether a certificate for `name` is valid for `host`: the same name, or a star for exactly one label (RFC 6125, 6.4.3).
/// A wildcard host is covered by the same wildcard only.
///
/// ```
/// use xposer::pattern::covers;
/// assert!(covers("*.labs.company.com", "a.labs.company.com"));
/// assert!(!covers("*.labs.company.com", "labs.company.com") && !covers("*.labs.company.com", "a.b.labs.company.com"));
/// assert!(covers("*.company.com", "*.company.com") && !covers("*.company.com", "*.labs.company.com"));
/// ```
#[must_use]
pub fn covers(name: &str, host: &str) -> bool {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(domain), Some((label, rest))) => !label.is_empty() && same(domain, rest),
        _ => same(name, host),
    }
}

/// Whether who owns `pattern` owns `host`: the same name, or any name below the star's domain, however deep.
///
/// ```
/// use xposer::pattern::owns;
/// assert!(owns("*.a.company.com", "web.a.company.com") && owns("*.a.company.com", "*.web.a.company.com"));
/// assert!(!owns("*.a.company.com", "a.company.com") && !owns("a.company.com", "web.a.company.com"));
/// ```
#[must_use]
pub fn owns(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(domain) => {
            host.len().checked_sub(domain.len() + 1).and_then(|at| host.split_at_checked(at)).is_some_and(
                |(before, rest)| {
                    !before.is_empty()
                        && rest.strip_prefix('.').is_some_and(|rest| rest.eq_ignore_ascii_case(domain))
                },
            )
        }
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// How many labels at the end of the two names are the same: for naming the nearest of several patterns.
pub(crate) fn likeness(pattern: &str, host: &str) -> usize {
    let labels = |name: &'_ str| name.rsplit('.').map(str::to_ascii_lowercase).collect::<Vec<_>>();
    let (one, other) = (labels(pattern), labels(host));
    one.iter().zip(&other).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "abcbc", true),
            ("a*b*a", "aba", true),
            ("a*b*a", "ab", false),
            ("a*a", "a", false),
            ("*b*c*", "abcd", true),
            ("*c*b*", "abcd", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn hosts_have_labels() {
        assert!(!covers("*.com", ".com") && covers("Web.Example.com", "web.example.com"));
        assert!(!owns("*.example.com", ".example.com") && !owns("*.example.com", "badexample.com"));
        assert_eq!((likeness("*.labs.x.com", "a.b.labs.x.com"), likeness("y.org", "x.com")), (3, 0));
    }
}
