//! Patterns in settings: `*` stands for any text in keys and namespaces, `*.` stands in front of a domain in hosts.

use std::ops::Range;

/// Whether `text` matches `pattern`: `*` stands for any text, also for an empty one; everything else stands for itself.
///
/// ```
/// use xposer::validation::pattern::matches;
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
    let Some(mut rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    // Each part between two stars is taken at its first place: a later place leaves less text for the parts behind it.
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
/// use xposer::validation::pattern::covers;
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

/// Whether the owner of `pattern` owns `host`: the same name, or any name below the star's domain, however deep.
///
/// ```
/// use xposer::validation::pattern::owns;
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

/// Patterns with stars, in their order. There may be thousands of patterns and of texts, so a text is compared only with the
/// patterns that have its beginning or its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    all: Vec<String>,
    /// The patterns by the text in front of the first star.
    starts: Ends,
    /// The patterns by the text behind the last star.
    ends: Ends,
    /// The positions of those that begin and end with a star.
    open: Vec<usize>,
}

/// The positions of patterns, sorted by their beginnings or ends.
#[derive(Clone, Debug, Default)]
struct Ends {
    rows: Vec<(String, usize)>,
    /// The lengths of the beginnings or ends, in ascending order.
    lengths: Vec<usize>,
}

impl Ends {
    fn new(mut rows: Vec<(String, usize)>) -> Self {
        rows.sort_unstable();
        let mut lengths: Vec<usize> = Vec::new();
        for (end, _) in &rows {
            if let Err(place) = lengths.binary_search(&end.len()) {
                lengths.insert(place, end.len());
            }
        }
        Self { rows, lengths }
    }

    /// The positions of the patterns whose end is that of a text; `end_of` gives the end of a length.
    fn having<'e>(&'e self, end_of: impl Fn(usize) -> Option<&'e str>) -> impl Iterator<Item = usize> {
        self.lengths.iter().filter_map(move |length| end_of(*length)).flat_map(|end| {
            let first = self.rows.partition_point(|(known, _)| known.as_str() < end);
            let rows = self.rows.get(first..).unwrap_or_default().iter();
            rows.take_while(move |(known, _)| known == end).map(|(_, at)| *at)
        })
    }
}

impl From<Vec<String>> for Patterns {
    fn from(all: Vec<String>) -> Self {
        let (mut starts, mut ends, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for (at, pattern) in all.iter().enumerate() {
            let start = pattern.split('*').next().unwrap_or_default();
            let end = pattern.rsplit('*').next().unwrap_or_default();
            match (start, end) {
                ("", "") if pattern.contains('*') => open.push(at),
                (start, end) if start.len() >= end.len() => starts.push((start.to_owned(), at)),
                (_, end) => ends.push((end.to_owned(), at)),
            }
        }
        Self { all, starts: Ends::new(starts), ends: Ends::new(ends), open }
    }
}

impl Patterns {
    /// The patterns, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }

    /// The positions of the patterns that match, in no order.
    fn fitting<'p>(&'p self, text: &'p str) -> impl Iterator<Item = usize> {
        let starts = self.starts.having(|length| text.get(..length));
        let ends = self.ends.having(|length| text.get(text.len().checked_sub(length)?..));
        let candidates = starts.chain(ends).chain(self.open.iter().copied());
        candidates.filter(|at| self.all.get(*at).is_some_and(|pattern| matches(pattern, text)))
    }

    /// Whether any of them matches.
    pub(crate) fn fit(&self, text: &str) -> bool {
        self.fitting(text).next().is_some()
    }

    /// The first one that matches.
    pub(crate) fn first(&self, text: &str) -> Option<&str> {
        self.fitting(text).min().and_then(|at| self.all.get(at)).map(String::as_str)
    }

    /// The longest one that matches; of equally long ones the last.
    pub(crate) fn longest(&self, text: &str) -> Option<&str> {
        let fitting = self.fitting(text).filter_map(|at| Some((self.all.get(at)?, at)));
        fitting.max_by_key(|(pattern, at)| (pattern.len(), *at)).map(|(pattern, _)| pattern.as_str())
    }
}

/// The owners of hosts: the patterns of all owners, sorted for a binary search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners {
    /// A domain, whether it stands for itself rather than behind a star, and the number of the owner.
    rows: Vec<(String, bool, usize)>,
}

/// The nearest pattern that owns a host: that of the longest domain; the host itself is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owned<'o> {
    domain: &'o str,
    is_host: bool,
    /// Of several owners of the same pattern, the last.
    pub(crate) owner: usize,
}

impl<'o> FromIterator<(&'o str, usize)> for Owners {
    fn from_iter<I: IntoIterator<Item = (&'o str, usize)>>(patterns: I) -> Self {
        let row = |(pattern, owner): (&str, usize)| match pattern.strip_prefix("*.") {
            Some(domain) => (domain.to_ascii_lowercase(), false, owner),
            None => (pattern.to_ascii_lowercase(), true, owner),
        };
        let mut rows: Vec<_> = patterns.into_iter().map(row).collect();
        rows.sort_unstable();
        Self { rows }
    }
}

impl Owners {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The nearest pattern that [owns] the host, which is in lower case.
    pub(crate) fn nearest<'o>(&self, host: &'o str) -> Option<Owned<'o>> {
        let dots = host.match_indices('.').filter(|(at, _)| *at > 0);
        let domains = dots.filter_map(|(at, _)| Some((host.get(at + 1..)?, false)));
        std::iter::once((host, true)).chain(domains).find_map(|(domain, is_host)| {
            let behind =
                self.rows.partition_point(|(known, kind, _)| (known.as_str(), *kind) <= (domain, is_host));
            let (known, kind, owner) = self.rows.get(behind.checked_sub(1)?)?;
            (known == domain && *kind == is_host).then_some(Owned { domain, is_host, owner: *owner })
        })
    }

    /// Whether this owner has the same pattern.
    pub(crate) fn has(&self, found: Owned<'_>, owner: usize) -> bool {
        let wanted = (found.domain, found.is_host, owner);
        self.rows.binary_search_by(|(domain, kind, at)| (domain.as_str(), *kind, *at).cmp(&wanted)).is_ok()
    }
}

/// The names in certificates, in their order, and sorted for a binary search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Certificates {
    names: Vec<String>,
    /// The names in lower case with their labels from the last to the first, and their positions, sorted.
    by_end: Vec<(Vec<String>, usize)>,
}

/// How many names on either side are compared for the nearest one.
const NEIGHBOURS: usize = 64;

fn labels_from_the_end(name: &str) -> Vec<String> {
    name.rsplit('.').map(str::to_ascii_lowercase).collect()
}

impl From<Vec<String>> for Certificates {
    fn from(names: Vec<String>) -> Self {
        let mut by_end: Vec<_> =
            names.iter().enumerate().map(|(at, name)| (labels_from_the_end(name), at)).collect();
        by_end.sort_unstable();
        Self { names, by_end }
    }
}

impl Certificates {
    /// Whether one of them [covers] the host.
    pub(crate) fn cover(&self, host: &str) -> bool {
        let has = |labels: &[String]| {
            self.by_end.binary_search_by(|(known, _)| known.as_slice().cmp(labels)).is_ok()
        };
        let mut labels = labels_from_the_end(host);
        if has(&labels) {
            return true;
        }
        match labels.last_mut() {
            Some(first) if !first.is_empty() && host.contains('.') => {
                "*".clone_into(first);
                has(&labels)
            }
            _ => false,
        }
    }

    /// The name that has the most labels at its end in common with the host; of several, the first. Only the neighbours of
    /// the host in the sorted order are compared.
    pub(crate) fn nearest(&self, host: &str) -> Option<&str> {
        let labels = labels_from_the_end(host);
        let place = self.by_end.partition_point(|(known, _)| *known < labels);
        let near = self.by_end.iter().take(place + NEIGHBOURS).skip(place.saturating_sub(NEIGHBOURS));
        let likeness =
            |known: &[String]| known.iter().zip(&labels).take_while(|(one, other)| one == other).count();
        let nearest = near.max_by_key(|(known, at)| (likeness(known), std::cmp::Reverse(*at)))?;
        self.names.get(nearest.1).map(String::as_str)
    }
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
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn prepared_patterns_fit_what_each_of_them_fits() {
        let patterns = [
            "", "*", "a", "a*", "*a", "a*a", "*b*", "ab*", "*ab", "a*b*", "ab", "**", "b*é", "é*",
            "team-*-x", "team-*",
        ];
        let texts = ["", "a", "b", "ab", "aa", "aba", "abab", "bé", "é", "éa", "team-1-x", "team-", "x"];
        let prepared = Patterns::from(owned(&patterns));
        for text in texts {
            let fitting = || patterns.iter().copied().filter(|pattern| matches(pattern, text));
            assert_eq!(prepared.fit(text), fitting().next().is_some(), "{text}");
            assert_eq!(prepared.first(text), fitting().next(), "{text}");
            assert_eq!(prepared.longest(text), fitting().max_by_key(|pattern| pattern.len()), "{text}");
        }
        assert!(!Patterns::default().fit(""));
    }

    #[test]
    fn the_nearest_owner_is_the_nearest_of_all_that_own() {
        let patterns =
            ["*.x.com", "x.com", "*.a.x.com", "a.x.com", "*.x.com", "*.com", "A.X.com", "b.a.x.com"];
        let owners: Owners = patterns.iter().copied().zip(0..).collect();
        for host in
            ["x.com", "a.x.com", "b.a.x.com", "c.b.a.x.com", "*.a.x.com", ".x.com", "com", "x.org", "", "."]
        {
            let nearness = |pattern: &str| {
                pattern.strip_prefix("*.").map_or((pattern.len(), true), |domain| (domain.len(), false))
            };
            let owning = patterns.iter().zip(0..).filter(|(pattern, _)| owns(pattern, host));
            let best = owning.max_by_key(|(pattern, _)| nearness(pattern));
            let found = owners.nearest(host);
            assert_eq!(found.map(|found| found.owner), best.map(|(_, owner)| owner), "{host}");
            for (pattern, owner) in patterns.iter().zip(0..) {
                let is_same = best.is_some_and(|(best, _)| best.eq_ignore_ascii_case(pattern));
                assert_eq!(found.is_some_and(|found| owners.has(found, owner)), is_same, "{host} {pattern}");
            }
        }
    }

    #[test]
    fn prepared_certificates_cover_what_each_of_them_covers() {
        let names = ["*.labs.x.com", "x.com", "*.x.com", "*.com", "Y.org", "localhost", "*.z.org"];
        let prepared = Certificates::from(owned(&names));
        for host in [
            "a.labs.x.com",
            "a.b.labs.x.com",
            "labs.x.com",
            "*.x.com",
            "*.labs.x.com",
            ".com",
            "com",
            "y.org",
            "*.y.org",
            "localhost",
            "",
            "a.org",
        ] {
            assert_eq!(prepared.cover(host), names.iter().any(|name| covers(name, host)), "{host}");
        }
        assert_eq!(prepared.nearest("a.b.labs.x.com"), Some("*.labs.x.com"));
        assert_eq!(prepared.nearest("a.example.net"), Some("*.labs.x.com"));
        assert_eq!(prepared.nearest("b.org"), Some("Y.org"));
        assert_eq!(Certificates::default().nearest("b.org"), None);
    }
}
