//! Object names, DNS labels, port names and annotation keys.

use super::halves;
use crate::diagnostics::{quoted, quoted_char};

/// The longest DNS label, in bytes (RFC 1035, section 2.3.4).
///
/// ```
/// use xposer::validation::{MAX_LABEL, is_dns_label};
/// assert!(is_dns_label(&"a".repeat(MAX_LABEL)) && !is_dns_label(&"a".repeat(MAX_LABEL + 1)));
/// ```
pub const MAX_LABEL: usize = 63;
/// The longest DNS name, in characters without the root dot (RFC 1035, section 2.3.4: 255 octets on the wire).
///
/// ```
/// use xposer::validation::{MAX_NAME, HostError, host_errors};
/// let host = |length| "a.".repeat(length / 2) + "a";
/// assert_eq!(host(MAX_NAME).len(), MAX_NAME);
/// assert_eq!(host_errors(&host(MAX_NAME)), []);
/// assert_eq!(host_errors(&host(MAX_NAME + 1)), [HostError::TooLong]);
/// ```
pub const MAX_NAME: usize = 253;

/// Whether `text` is a DNS label: lower-case letters, digits and inner `-`, 1 to 63 bytes (`IsDNS1123Label`).
///
/// ```
/// use xposer::validation::is_dns_label;
/// assert!(is_dns_label("web-1") && !is_dns_label("Web") && !is_dns_label("-web"));
/// ```
#[must_use]
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= MAX_LABEL && is_label_of_any_length(text.as_bytes())
}

/// Whether `text` is a DNS subdomain: labels joined by dots, 253 bytes at most (`IsDNS1123Subdomain`, which, unlike DNS,
/// sets no limit on a label).
///
/// ```
/// use xposer::validation::is_dns_subdomain;
/// assert!(is_dns_subdomain("a.b-c.d") && !is_dns_subdomain("a..b") && !is_dns_subdomain(""));
/// ```
#[must_use]
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= MAX_NAME && text.as_bytes().split(|b| *b == b'.').all(is_label_of_any_length)
}

fn is_label_of_any_length(text: &[u8]) -> bool {
    !text.is_empty()
        && !text.starts_with(b"-")
        && !text.ends_with(b"-")
        && text.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

/// Whether `text` is the name of a Service's port: at most 15 lower-case letters, digits and single inner `-`, with at least
/// one letter (`IsValidPortName`).
///
/// ```
/// use xposer::validation::is_port_name;
/// assert!(is_port_name("http-alt") && !is_port_name("8080") && !is_port_name("a--b"));
/// ```
#[must_use]
pub fn is_port_name(text: &str) -> bool {
    text.len() <= 15
        && is_dns_label(text)
        && !text.contains("--")
        && text.bytes().any(|b| b.is_ascii_lowercase())
}

/// The first character that is not accepted by `is_known`.
pub(super) fn stray(text: &str, is_known: impl Fn(u8) -> bool) -> Option<char> {
    let at = text.bytes().position(|byte| !is_known(byte))?;
    text.get(at..)?.chars().next()
}

/// Returns the error of an annotation key, in words; `None` if the API server accepts it (`ValidateAnnotations`, which applies
/// `IsQualifiedName` to the key in lower case).
///
/// ```
/// use xposer::validation::annotation_key_error;
/// assert_eq!(annotation_key_error("nginx.ingress.kubernetes.io/ssl-redirect"), None);
/// assert_eq!(annotation_key_error("a/b/c").as_deref(), Some("it contains more than one `/`"));
/// ```
#[must_use]
pub fn annotation_key_error(key: &str) -> Option<String> {
    let (prefix, name) = match halves(key, b'/') {
        Some((_, name)) if name.contains('/') => return Some("it contains more than one `/`".to_owned()),
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let is_end = |c: char| c.is_ascii_alphanumeric();
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let error = if key.is_empty() {
        "it is empty".to_owned()
    } else if prefix == Some("") {
        "its prefix is empty".to_owned()
    } else if let Some(prefix) =
        prefix.filter(|prefix| !is_dns_subdomain(prefix) && !is_dns_subdomain(&prefix.to_ascii_lowercase()))
    {
        format!("its prefix {} is not a DNS name", quoted(prefix))
    } else if name.is_empty() {
        "its name is empty".to_owned()
    } else if name.len() > MAX_LABEL {
        format!("its name has {} characters, at most {MAX_LABEL} are allowed", name.len())
    } else if let Some(character) = stray(name, is_inside) {
        format!("it contains {}", quoted_char(character))
    } else if !name.starts_with(is_end) || !name.ends_with(is_end) {
        "its name must start and end with a letter or digit".to_owned()
    } else {
        return None;
    };
    Some(error)
}
