//! Kubernetes' syntax rules for names, hosts and paths; patterns; the URL of a host and a path.
//!
//! The rules are those of `k8s.io/apimachinery/pkg/util/validation` and
//! `k8s.io/kubernetes/pkg/apis/networking/validation` at Kubernetes 1.36.

mod hosts;
mod international;
mod labels;
mod names;
mod paths;
pub mod pattern;
pub(crate) mod regex;
mod regex_prefixes;
mod url;

pub use hosts::{HostError, MAX_COMMON_NAME, host_errors, is_sloppy_ip};
pub(crate) use hosts::{subdomain_host, www};
pub(crate) use international::host_help;
pub use labels::{label_key_error, label_value_error};
pub use names::{MAX_LABEL, MAX_NAME, annotation_key_error, is_dns_label, is_dns_subdomain, is_port_name};
pub use paths::{PathType, is_regex_path, path_error};
pub(crate) use paths::{claimed_paths, comparable_path, without_slash};
pub(crate) use regex_prefixes::PathBudget;
pub(crate) use url::{literal_beginning, literal_path, url};

/// The maximum size of all annotation keys and values of one object, in bytes (`TotalAnnotationSizeLimitB`).
///
/// ```
/// use xposer::validation::MAX_ANNOTATIONS;
/// use xposer::{Outcome, Service, Settings, expose, testing};
/// let service = testing::service(&[("example.com/note", &"a".repeat(MAX_ANNOTATIONS))]);
/// let service = Service::from_value(&service);
/// assert!(service.annotation_bytes() > MAX_ANNOTATIONS);
/// assert!(matches!(expose(&service, &Settings::default()), Outcome::Refused(_)));
/// ```
pub const MAX_ANNOTATIONS: usize = 262_144;

/// Splits a text at the first occurrence of an ASCII character. The texts are short, so a plain loop is faster than `split_once`,
/// which prepares a vectorised search.
pub(crate) fn halves(text: &str, sign: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == sign)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The help about a character that the name must not contain.
pub(crate) fn character_help(character: char, name: &str) -> String {
    let help = match character {
        '_' => "write `-` instead of `_`",
        '{' => "write variables with two braces: {{.Service}}",
        '}' => "remove it; a variable has two braces at both ends: {{.Service}}",
        '<' | '>' => "replace the placeholder; it looks as if a chart left it empty",
        '$' => "write variables as {{.Service}}; shell variables are not replaced",
        letter if letter.is_alphabetic() => return host_help(name, "remove the character"),
        _ => "remove the character",
    };
    help.to_owned()
}

/// The spellings of booleans as texts, which are those of Go's `strconv.ParseBool`.
///
/// ```
/// assert!(xposer::validation::BOOLEANS.contains(&("TRUE", true)));
/// ```
pub const BOOLEANS: [(&str, bool); 12] = [
    ("true", true),
    ("false", false),
    ("True", true),
    ("False", false),
    ("TRUE", true),
    ("FALSE", false),
    ("t", true),
    ("f", false),
    ("T", true),
    ("F", false),
    ("1", true),
    ("0", false),
];

/// Parses a boolean in one of its spellings ([`BOOLEANS`]).
///
/// ```
/// use xposer::validation::parse_bool;
/// assert_eq!(parse_bool("T"), Some(true));
/// assert_eq!(parse_bool("no"), None);
/// ```
#[must_use]
pub fn parse_bool(text: &str) -> Option<bool> {
    BOOLEANS.iter().find(|(spelling, _)| *spelling == text).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::character_help;

    /// `{{.Service}}}` is closed already; its last brace is superfluous.
    #[test]
    fn a_brace_too_many_is_to_be_removed() {
        assert!(character_help('}', "{{.Service}}}").starts_with("remove it"));
    }
}
