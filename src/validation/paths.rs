//! Paths of rules and their types.

use std::borrow::Cow;

use serde::Serialize;

use super::regex_prefixes::{PathBudget, covered_prefixes};
use crate::diagnostics::words;

/// How a controller compares the path of a rule with the path of a request (`pathType` of `networking.k8s.io/v1`).
///
/// ```
/// use xposer::validation::PathType;
/// assert_eq!("Prefix".parse(), Ok(PathType::Prefix));
/// assert!("prefix".parse::<PathType>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum PathType {
    /// The whole path, case-sensitive.
    Exact,
    /// A prefix of the path, by path elements.
    Prefix,
    /// Defined by the controller; used for regular expressions.
    ImplementationSpecific,
}

words!(PathType { Exact = "Exact", Prefix = "Prefix", ImplementationSpecific = "ImplementationSpecific" });

impl PathType {
    /// Whether a path of this type is a regular expression. A `?` makes it one, because the path of a request contains no `?`.
    pub(crate) fn is_pattern(self, path: &str) -> bool {
        self == Self::ImplementationSpecific
            && (is_regex_path(path) || path.contains('?') || path.contains(".+"))
    }
}

/// Returns the error of a path of this type, in words; `None` if the API server accepts it (`validateHTTPIngressPath`).
///
/// ```
/// use xposer::validation::{PathType, path_error};
/// assert_eq!(path_error("/api", PathType::Prefix), None);
/// assert_eq!(path_error("/a//b", PathType::Exact), Some("it contains `//`"));
/// assert_eq!(path_error("/a//b", PathType::ImplementationSpecific), None);
/// ```
#[must_use]
pub fn path_error(path: &str, kind: PathType) -> Option<&'static str> {
    if !path.starts_with('/') {
        return Some("it does not start with `/`");
    }
    if kind == PathType::ImplementationSpecific {
        return None;
    }
    let contains = [
        ("//", "it contains `//`"),
        ("/./", "it contains `/./`"),
        ("/../", "it contains `/../`"),
        ("%2f", "it contains `%2f`"),
        ("%2F", "it contains `%2F`"),
    ];
    let ends = [("/..", "it ends with `/..`"), ("/.", "it ends with `/.`")];
    let contained = contains.into_iter().find(|(part, _)| path.contains(part));
    contained.or_else(|| ends.into_iter().find(|(end, _)| path.ends_with(end))).map(|(_, error)| error)
}

/// The path in the form in which paths are compared: two prefixes that differ only in the last slash are equal.
pub(crate) fn comparable_path(path: &str, kind: PathType) -> &str {
    without_slash(path, kind != PathType::Prefix)
}

/// The path without a slash at its end, unless it is exact or only a slash.
pub(crate) fn without_slash(path: &str, is_exact: bool) -> &str {
    if is_exact || path == "/" { path } else { path.trim_end_matches('/') }
}

/// Returns the paths that a path claims, and whether each is exact. A regular expression that takes all requests below some paths
/// claims these prefixes, because it takes the requests from the holders of the prefixes. `is_regex` tells that the program reads the
/// path as a regular expression, whatever its type and characters; then it is the beginning of other paths.
pub(crate) fn claimed_paths<'p>(
    path: &'p str,
    kind: PathType,
    is_regex: bool,
    budget: &mut PathBudget,
) -> Vec<(Cow<'p, str>, bool)> {
    // For Kong, `/~` begins a regular expression. No other program reads `/~/` or `/~^`.
    let of_kong = path.strip_prefix("/~").filter(|pattern| pattern.starts_with(['/', '^']));
    if is_regex || of_kong.is_some() || is_regex_path(path) || path.contains('?') || path.contains(".+") {
        let below = covered_prefixes(of_kong.unwrap_or(path), budget);
        if !below.is_empty() {
            return below.into_iter().map(|path| (path.into(), false)).collect();
        }
    }
    let is_exact = kind == PathType::Exact && !is_regex;
    vec![(without_slash(path, is_exact).into(), is_exact)]
}

/// Whether a path is meant as a regular expression: it contains a character that only a pattern needs, one of `( ) [ ] { } | ^ $ *
/// \`. This is a rule of Xposer; Kubernetes leaves it to the controller.
///
/// ```
/// use xposer::validation::is_regex_path;
/// assert!(is_regex_path("/api(/|$)(.*)") && !is_regex_path("/api/v1.2/c++"));
/// ```
#[must_use]
pub fn is_regex_path(path: &str) -> bool {
    path.contains(['(', ')', '[', ']', '{', '}', '|', '^', '$', '*', '\\'])
}
