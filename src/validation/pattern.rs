//! Patterns in settings: `*` stands for any text in keys and namespaces, and `*.` precedes a domain in hosts.

use std::ops::Range;

/// Whether `text` matches `pattern`: `*` stands for any text, including the empty one; every other character stands for itself.
///
/// ```
/// use xposer::validation::pattern::matches;
/// assert!(matches("*-snippet", "nginx.ingress.kubernetes.io/server-snippet"));
/// assert!(matches("team-*", "team-a") && matches("shop", "shop") && !matches("shop", "shop-2"));
/// ```
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let is_star = |byte: u8| byte == b'*';
    let Some(star) = pattern.bytes().position(is_star) else { return pattern == text };
    let end = pattern.bytes().rposition(is_star).unwrap_or(star);
    let part = |range| pattern.get::<Range<usize>>(range).unwrap_or_default();
    let (first, between, last) = (part(0..star), part(star + 1..end), part(end + 1..pattern.len()));
    let Some(mut rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    // Each part between two stars is matched at its first occurrence: a later one would leave less text for the following parts.
    for part in between.split('*').filter(|part| !part.is_empty()) {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    true
}

/// Whether a certificate for `name` is valid for `host`: they are equal, or the `*` of `name` stands for exactly one label (RFC
/// 6125, 6.4.3). A wildcard host is covered by the same wildcard only.
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

/// Whether the owner of `pattern` owns `host`: they are equal, or `host` is below the domain of the wildcard at any depth.
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

/// Texts with positions in a list, sorted by both.
#[derive(Clone, Debug, Default)]
struct Positions(Vec<(String, usize)>);

impl From<Vec<(String, usize)>> for Positions {
    fn from(mut rows: Vec<(String, usize)>) -> Self {
        rows.sort_unstable();
        Self(rows)
    }
}

impl Positions {
    /// The rows with a text.
    fn of(&self, text: &str) -> &[(String, usize)] {
        let from = self.0.partition_point(|(known, _)| known.as_str() < text);
        let rows = self.0.get(from..).unwrap_or_default();
        rows.get(..rows.partition_point(|(known, _)| known == text)).unwrap_or_default()
    }
}

/// Patterns with `*`, in their order. There may be thousands of patterns and of texts, so a text is compared only with the patterns
/// that share its beginning or its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    all: Vec<String>,
    /// The patterns by the text before the first `*`.
    starts: Positions,
    /// The patterns by the text after the last `*`, if that is longer.
    ends: Positions,
    /// The lengths of these texts, in ascending order.
    lengths: Vec<usize>,
}

impl From<Vec<String>> for Patterns {
    fn from(all: Vec<String>) -> Self {
        let (mut starts, mut ends, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for (at, pattern) in all.iter().enumerate() {
            let start = pattern.split('*').next().unwrap_or_default();
            let end = pattern.rsplit('*').next().unwrap_or_default();
            let (rows, text) = if start.len() >= end.len() { (&mut starts, start) } else { (&mut ends, end) };
            rows.push((text.to_owned(), at));
            if let Err(place) = lengths.binary_search(&text.len()) {
                lengths.insert(place, text.len());
            }
        }
        Self { all, starts: starts.into(), ends: ends.into(), lengths }
    }
}

impl Patterns {
    /// The patterns, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }

    /// The patterns that match, with their positions, in no particular order.
    fn fitting(&self, text: &str) -> impl Iterator<Item = (usize, &str)> {
        let rows = self.lengths.iter().flat_map(|length| {
            let start = text.get(..*length).map_or(&[][..], |start| self.starts.of(start));
            let end = text.len().checked_sub(*length).and_then(|at| text.get(at..));
            start.iter().chain(end.map_or(&[][..], |end| self.ends.of(end)))
        });
        let patterns = rows.filter_map(|(_, at)| Some((*at, self.all.get(*at)?.as_str())));
        patterns.filter(|(_, pattern)| matches(pattern, text))
    }

    /// Whether any pattern matches.
    pub(crate) fn fit(&self, text: &str) -> bool {
        self.fitting(text).next().is_some()
    }

    /// The first pattern that matches. The common case of no patterns is fast.
    pub(crate) fn first(&self, text: &str) -> Option<&str> {
        if self.all.is_empty() {
            return None;
        }
        self.fitting(text).min().map(|(_, pattern)| pattern)
    }

    /// The longest pattern that matches; if several have the same length, the last one.
    pub(crate) fn longest(&self, text: &str) -> Option<&str> {
        self.fitting(text).max_by_key(|(at, pattern)| (pattern.len(), *at)).map(|(_, pattern)| pattern)
    }
}

/// The owners of hosts: the numbers of owners, by pattern.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners {
    hosts: Positions,
    /// The domains of the wildcards.
    domains: Positions,
    /// The patterns by their labels in reverse order, those below a domain side by side, each with its own text.
    by_end: Vec<(String, String)>,
}

impl<'o> FromIterator<(&'o str, usize)> for Owners {
    fn from_iter<I: IntoIterator<Item = (&'o str, usize)>>(patterns: I) -> Self {
        let (mut hosts, mut domains) = (Vec::new(), Vec::new());
        for (pattern, owner) in patterns {
            match pattern.strip_prefix("*.") {
                Some(domain) => domains.push((domain.to_ascii_lowercase(), owner)),
                None => hosts.push((pattern.to_ascii_lowercase(), owner)),
            }
        }
        let all = |star: &'static str, rows: &[(String, usize)]| {
            let row = |(name, _): &(String, usize)| (labels_from_the_end(name), format!("{star}{name}"));
            rows.iter().map(row).collect::<Vec<_>>()
        };
        let mut by_end = [all("", &hosts), all("*.", &domains)].concat();
        by_end.sort_unstable();
        Self { hosts: hosts.into(), domains: domains.into(), by_end }
    }
}

impl Owners {
    pub(crate) fn is_empty(&self) -> bool {
        self.hosts.0.is_empty() && self.domains.0.is_empty()
    }

    /// Whether an owner has the wildcard of a domain.
    pub(crate) fn has_domain(&self, domain: &str) -> bool {
        !self.domains.of(domain).is_empty()
    }

    /// Returns a pattern below this domain that no owner selected by `is_mine` has, and one of its owners. The empty domain
    /// contains all patterns.
    pub(crate) fn below(&self, domain: &str, is_mine: &dyn Fn(usize) -> bool) -> Option<(String, usize)> {
        let end = if domain.is_empty() { String::new() } else { labels_from_the_end(domain) + SEPARATOR };
        let from = self.by_end.partition_point(|(labels, _)| *labels < end);
        let below = self.by_end.iter().skip(from).take_while(|(labels, _)| labels.starts_with(&end));
        below.map(|(_, pattern)| pattern).find_map(|pattern| {
            let rows = match pattern.strip_prefix("*.") {
                Some(domain) => self.domains.of(domain),
                None => self.hosts.of(pattern),
            };
            // A pattern that several owners share belongs to each of them.
            let is_shared = rows.iter().any(|(_, owner)| is_mine(*owner));
            let (_, owner) = rows.first().filter(|_| !is_shared)?;
            Some((pattern.clone(), *owner))
        })
    }

    /// Returns the nearest pattern that [owns] the host, which is in lower case, with each of its owners in ascending order; empty
    /// if the host has no owner. The nearest pattern is the host itself, or the wildcard with the longest domain.
    pub(crate) fn nearest(&self, host: &str) -> &[(String, usize)] {
        let dots = host.match_indices('.').filter(|(at, _)| *at > 0);
        let domains = dots.filter_map(|(at, _)| host.get(at + 1..)).map(|domain| self.domains.of(domain));
        let mut rows = std::iter::once(self.hosts.of(host)).chain(domains);
        rows.find(|rows| !rows.is_empty()).unwrap_or_default()
    }
}

/// The names in certificates, in their order, and sorted for binary search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Certificates {
    names: Vec<String>,
    /// The positions of the names, by their labels in reverse order.
    by_end: Positions,
}

/// The number of sorted neighbours on either side that are compared to find the nearest name.
const NEIGHBOURS: usize = 64;
/// The separator between reversed labels: it sorts before every character of a label.
const SEPARATOR: &str = "\0";

fn labels_from_the_end(name: &str) -> String {
    let labels: Vec<&str> = name.rsplit('.').collect();
    labels.join(SEPARATOR).to_ascii_lowercase()
}

impl From<Vec<String>> for Certificates {
    fn from(names: Vec<String>) -> Self {
        let rows = names.iter().zip(0..).map(|(name, at)| (labels_from_the_end(name), at));
        let by_end = rows.collect::<Vec<_>>().into();
        Self { names, by_end }
    }
}

impl Certificates {
    /// Whether one of the names [covers] the host.
    pub(crate) fn cover(&self, host: &str) -> bool {
        let has = |name: &str| !self.by_end.of(&labels_from_the_end(name)).is_empty();
        let has_star = |(label, domain): (&str, &str)| !label.is_empty() && has(&format!("*.{domain}"));
        has(host) || host.split_once('.').is_some_and(has_star)
    }

    /// Returns the name that has the most trailing labels in common with the host; the first one if there are several. Only the
    /// neighbours of the host in the sorted order are compared.
    pub(crate) fn nearest(&self, host: &str) -> Option<&str> {
        let labels = labels_from_the_end(host);
        let rows = &self.by_end.0;
        let place = rows.partition_point(|(known, _)| *known < labels);
        let near = rows.iter().take(place + NEIGHBOURS).skip(place.saturating_sub(NEIGHBOURS));
        let likeness = |known: &str| {
            let pairs = known.split(SEPARATOR).zip(labels.split(SEPARATOR));
            pairs.take_while(|(one, other)| one == other).count()
        };
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
            let is_same = |pattern: &str| best.is_some_and(|(best, _)| best.eq_ignore_ascii_case(pattern));
            let same = patterns.iter().zip(0..).filter(|(pattern, _)| is_same(pattern));
            let expected: Vec<usize> = same.map(|(_, owner)| owner).collect();
            let found: Vec<usize> = owners.nearest(host).iter().map(|(_, owner)| *owner).collect();
            assert_eq!(found, expected, "{host}");
        }
    }

    #[test]
    fn what_is_below_a_domain_is_found_by_its_end() {
        let patterns = ["b.a.x.com", "*.a.x.com", "a-x.com", "*.x.com", "y.org", "*.x.com.au", "ax.com"];
        let owners: Owners = patterns.iter().copied().zip(0..).collect();
        for domain in ["", "com", "x.com", "a.x.com", "b.a.x.com", "org", "y.org", "net", "au"] {
            let is_below = |pattern: &str| {
                domain.is_empty()
                    || pattern
                        .trim_start_matches("*.")
                        .strip_suffix(domain)
                        .is_some_and(|it| it.ends_with('.'))
            };
            let mut mine: Vec<usize> = Vec::new();
            // Each pattern is found once when those found before are owned.
            while let Some((pattern, owner)) = owners.below(domain, &|owner| mine.contains(&owner)) {
                assert!(is_below(&pattern) && patterns[owner] == pattern, "{domain} {pattern}");
                mine.push(owner);
            }
            let expected = patterns.iter().filter(|pattern| is_below(pattern)).count();
            assert_eq!(mine.len(), expected, "{domain}");
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
