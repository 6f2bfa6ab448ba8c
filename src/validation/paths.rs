//! Paths of rules and their types.

use std::borrow::Cow;

use serde::Serialize;

use super::url::taken_below;
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
    match kind {
        PathType::Prefix if path != "/" => path.trim_end_matches('/'),
        _ => path,
    }
}

/// Returns a path as it is claimed, and whether it is exact. A regular expression that takes all requests below a path counts as
/// that prefix, because it takes them from the holder of the prefix.
pub(crate) fn claimed_path(path: &str, kind: PathType) -> (Cow<'_, str>, bool) {
    match taken_below(path) {
        Some(below) => (comparable_path(&below, PathType::Prefix).to_owned().into(), false),
        None => (comparable_path(path, kind).into(), kind == PathType::Exact),
    }
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
