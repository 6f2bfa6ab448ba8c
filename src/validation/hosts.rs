//! Hosts of rules.

use std::ops::Range;

use super::names::stray;
use super::{MAX_LABEL, MAX_NAME};

/// The longest common name of a certificate, in characters (RFC 5280, `ub-common-name`).
///
/// ```
/// use serde_json::json;
/// use xposer::validation::MAX_COMMON_NAME;
/// use xposer::{Code, Service, Settings, expose, testing};
/// let host = format!("{}.example.com", "a".repeat(MAX_COMMON_NAME - 11));
/// let service = testing::service(&[("IngressURLTemplate", &host)]);
/// let settings = Settings::from_value(&json!({"tls": true, "tlsCommonName": true}))?;
/// let outcome = expose(&Service::from_value(&service), &settings);
/// assert!(outcome.report().is_some_and(|report| report.diagnostics()[0].code == Code::HostCommonName));
/// # Ok::<(), xposer::Report>(())
/// ```
pub const MAX_COMMON_NAME: usize = 64;

/// The host with `www.` added, or without it if it has it; `None` for a wildcard.
pub(crate) fn www(host: &str) -> Option<String> {
    match host.strip_prefix("www.") {
        Some(rest) => Some(rest.to_owned()),
        None => (!host.starts_with('*')).then(|| format!("www.{host}")),
    }
}

/// A kind of error of a host. Ranges are byte ranges in the host.
///
/// ```
/// use xposer::validation::{HostError, host_errors};
/// let host = "web.-shop.example.com";
/// let hyphen = host_errors(host).into_iter().find_map(|error| match error {
///     HostError::Hyphen(part) => host.get(part),
///     _ => None,
/// });
/// assert_eq!(hyphen, Some("-shop"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostError {
    /// The host is empty.
    Missing,
    /// The host starts with a scheme such as `https://`, or with `http:` or `https:` alone.
    Scheme,
    /// The host ends with `:` and a port, or with `:` alone.
    Port,
    /// The host is an IP address.
    Ip,
    /// The host ends with a dot.
    TrailingDot,
    /// The host contains upper-case ASCII letters.
    Uppercase,
    /// The host contains this character, the first one that no host may contain.
    Character(char),
    /// The host has an empty label.
    EmptyLabel,
    /// This label, the first one of its kind, starts or ends with a hyphen.
    Hyphen(Range<usize>),
    /// A `*` is not the whole first label.
    Wildcard,
    /// This label, the first one of its kind, has more than 63 bytes.
    LabelTooLong(Range<usize>),
    /// The host has more than 253 bytes.
    TooLong,
}

/// Returns the errors of `host`, each kind once; empty if it is a valid host of an Ingress rule. A host that is empty, has a scheme
/// or a stray colon, or is an address is not examined further.
///
/// The rules: an RFC 1123 name in lower case, or `*.` and such a name (`validateIngressRules`); no address that Go's lenient parser
/// accepts; at most 253 characters; and at most 63 bytes in a label, which the API server does not check.
///
/// ```
/// use xposer::validation::{HostError, host_errors};
/// assert!(host_errors("web.example.com").is_empty());
/// assert_eq!(host_errors("Web_1.example.com."),
///     [HostError::TrailingDot, HostError::Character('_'), HostError::Uppercase]);
/// ```
#[must_use]
pub fn host_errors(host: &str) -> Vec<HostError> {
    let mut errors = Vec::new();
    let mut name = host;
    if host.is_empty() {
        return vec![HostError::Missing];
    }
    if let Some((before, rest)) = host.split_once(':') {
        if rest.starts_with("//") || matches!(before, "http" | "https") {
            return vec![HostError::Scheme];
        }
        // An IPv6 address has more than one colon, and a port follows the only colon.
        if rest.contains(':') && is_sloppy_ip(host.trim_matches(['[', ']'])) {
            return vec![HostError::Ip];
        }
        if !rest.bytes().all(|b| b.is_ascii_digit()) {
            return vec![HostError::Character(':')];
        }
        errors.push(HostError::Port);
        name = before;
    }
    if is_sloppy_ip(name) {
        errors.push(HostError::Ip);
        return errors;
    }
    if name.len() > 1 && name.ends_with('.') {
        errors.push(HostError::TrailingDot);
        name = name.trim_end_matches('.');
    }
    name_errors(name, &mut errors);
    errors
}

fn name_errors(name: &str, errors: &mut Vec<HostError>) {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    if rest.contains('*') {
        errors.push(HostError::Wildcard);
    }
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'*');
    errors.extend(stray(rest, is_inside).map(HostError::Character));
    if rest.bytes().any(|b| b.is_ascii_uppercase()) {
        errors.push(HostError::Uppercase);
    }
    let mut start = name.len() - rest.len();
    let (mut empty, mut hyphen, mut too_long) = (None, None, None);
    for label in rest.as_bytes().split(|b| *b == b'.') {
        let range = start..start + label.len();
        start = range.end + 1;
        if label.is_empty() {
            empty = Some(HostError::EmptyLabel);
        } else if label.starts_with(b"-") || label.ends_with(b"-") {
            hyphen.get_or_insert(HostError::Hyphen(range.clone()));
        }
        if label.len() > MAX_LABEL {
            too_long.get_or_insert(HostError::LabelTooLong(range));
        }
    }
    errors.extend([empty, hyphen, too_long].into_iter().flatten());
    if name.len() > MAX_NAME {
        errors.push(HostError::TooLong);
    }
}

/// Whether Go's lenient address parser, which the API server uses here, parses `text` as an IP address: four decimal numbers, with
/// leading zeros allowed, or an IPv6 address (`netutils.ParseIPSloppy`).
///
/// ```
/// use xposer::validation::is_sloppy_ip;
/// assert!(is_sloppy_ip("010.1.1.1") && is_sloppy_ip("::1"));
/// assert!(!is_sloppy_ip("1.2.3") && !is_sloppy_ip("1.2.3.256"));
/// ```
#[must_use]
pub fn is_sloppy_ip(text: &str) -> bool {
    if text.contains(':') {
        return text.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_byte = |part: &str| {
        let is_number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let digits = part.trim_start_matches('0');
        is_number && (digits.is_empty() || digits.parse::<u8>().is_ok())
    };
    text.split('.').all(is_byte) && text.split('.').count() == 4
}

/// The host of an OpenShift Route with `wildcardPolicy: Subdomain` that represents a wildcard host; `None` for another host. The
/// router ignores the first label of such a Route.
pub(crate) fn subdomain_host(host: &str) -> Option<String> {
    host.strip_prefix("*.").map(|domain| format!("wildcard.{domain}"))
}
