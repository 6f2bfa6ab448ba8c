//! ingress-nginx 1.15: its keys, how it reads paths, and its annotations for intents.

mod grammar;
pub(crate) mod keys;
pub(crate) mod paths;
pub(crate) mod read;
pub(crate) mod reference;
pub(super) mod removed;
pub(crate) mod rules;
pub(crate) mod support;
pub(crate) mod write;

use super::key::{CrossNamespace, InvalidValue, Key, KnownNames, Loss, OnInvalid, Program};
use crate::validation::parse_bool;
use crate::values::Tls;

/// The prefix of its keys.
pub(crate) const PREFIX: &str = "nginx.ingress.kubernetes.io/";
/// The prefix of its keys up to version 0.9.0-beta.17.
pub(super) const OLD_PREFIX: &str = "ingress.kubernetes.io/";

/// The annotation that marks an Ingress as a canary.
///
/// ```
/// assert_eq!(xposer::internal::CANARY, "nginx.ingress.kubernetes.io/canary");
/// ```
pub const CANARY: &str = "nginx.ingress.kubernetes.io/canary";
pub(crate) const CANARY_WEIGHT: &str = "nginx.ingress.kubernetes.io/canary-weight";
/// The annotation with the number of which the weight of a canary is a part.
///
/// ```
/// assert!(xposer::internal::CANARY_WEIGHT_TOTAL.ends_with("/canary-weight-total"));
/// ```
pub const CANARY_WEIGHT_TOTAL: &str = "nginx.ingress.kubernetes.io/canary-weight-total";
/// The total of the weights of a canary, unless an annotation gives a greater one.
pub(crate) const FULL_WEIGHT: u64 = 100;

/// Returns the number of which the weight of a canary is a part. ingress-nginx ignores a total below 100.
///
/// ```
/// use xposer::internal::weight_total;
/// assert_eq!((weight_total(None), weight_total(Some(50)), weight_total(Some(1000))), (100, 100, 1000));
/// ```
#[must_use]
pub fn weight_total(given: Option<u64>) -> u64 {
    given.unwrap_or_default().max(FULL_WEIGHT)
}

const CANARY_HEADER: &str = "nginx.ingress.kubernetes.io/canary-by-header";
const CANARY_HEADER_VALUE: &str = "nginx.ingress.kubernetes.io/canary-by-header-value";
const CANARY_COOKIE: &str = "nginx.ingress.kubernetes.io/canary-by-cookie";
/// The annotation that adds hosts to those of the rules, separated by commas.
pub(crate) const SERVER_ALIAS: &str = "nginx.ingress.kubernetes.io/server-alias";
/// The annotation that redirects each host with `www.` to the one without, or the other way round.
pub(crate) const FROM_TO_WWW: &str = "nginx.ingress.kubernetes.io/from-to-www-redirect";
/// The annotation that makes ingress-nginx read the paths of an Ingress as regular expressions.
pub(crate) const USE_REGEX: &str = "nginx.ingress.kubernetes.io/use-regex";
/// The annotation that replaces the whole path. It also turns the path into a regular expression.
pub(crate) const REWRITE_TARGET: &str = "nginx.ingress.kubernetes.io/rewrite-target";
/// The annotation that turns the redirect to https on or off if there is a TLS section.
pub(crate) const SSL_REDIRECT: &str = "nginx.ingress.kubernetes.io/ssl-redirect";
const FORCE_SSL_REDIRECT: &str = "nginx.ingress.kubernetes.io/force-ssl-redirect";
const ALLOWED_SOURCES: &str = "nginx.ingress.kubernetes.io/allowlist-source-range";
/// The beginning of the annotations about the connection to the Service if it uses TLS.
pub(crate) const PROXY_SSL: &str = "nginx.ingress.kubernetes.io/proxy-ssl-";
const BACKEND_PROTOCOL: &str = "nginx.ingress.kubernetes.io/backend-protocol";

/// The keys that have two names: the current one and the old one, which is still read.
pub(crate) const ALIASES: [[&str; 2]; 2] = [
    [ALLOWED_SOURCES, "nginx.ingress.kubernetes.io/whitelist-source-range"],
    ["nginx.ingress.kubernetes.io/limit-allowlist", "nginx.ingress.kubernetes.io/limit-whitelist"],
];

pub(crate) static PROGRAM: Program = Program {
    aliases: &[OLD_PREFIX],
    ingress_prefixes: &[PREFIX],
    cross_namespace: CrossNamespace::Refuses(
        "ingress-nginx refuses unless its setting allow-cross-namespace-resources is true",
    ),
    ..Program::new("ingress-nginx 1.15", &[PREFIX], KnownNames::All, keys::KEYS)
};

/// Returns the hosts of an alias in lower case; an empty one if the alias is a pattern that may match any host. ingress-nginx
/// passes an alias to nginx unchanged. nginx (`server_name`) reads `~` as the beginning of a regular expression,
/// `.a.example.com` as this host and all hosts below it, and a star at either end as a wildcard.
pub(super) fn hosts_of_alias(alias: &str) -> Vec<String> {
    // nginx removes quotes from the words of its configuration.
    let alias = super::hosts::without_dot(alias.trim_matches(['"', '\'']));
    match alias.strip_prefix('.') {
        Some(domain) if !domain.contains(['*', '~']) => vec![domain.to_owned(), format!("*.{domain}")],
        _ if alias.starts_with('~')
            || alias.trim_start_matches("*.").contains('*')
            || alias.starts_with('.') =>
        {
            vec![String::new()]
        }
        _ => vec![alias],
    }
}

/// Returns the row of a key by its name, without the prefix.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    PROGRAM.find(name)
}

/// Returns why ingress-nginx does not accept a value of a key, and whether it only ignores the line, without which nothing is
/// less safe.
pub(crate) fn invalid_value(known: &Key, value: &str) -> Option<(InvalidValue, bool)> {
    known.shape?;
    let invalid_value = if value.contains(['\r', '\n']) {
        InvalidValue {
            expected: "a value on one line".to_owned(),
            on_invalid: OnInvalid::Refused,
            is_text: false,
        }
    } else {
        known.invalid_value(value)?
    };
    let is_harmless = invalid_value.is_text
        && invalid_value.on_invalid == OnInvalid::Ignored
        && known.loss < Loss::Hardening;
    Some((invalid_value, is_harmless))
}

/// Returns the name of a key that has the current prefix or the old one.
pub(crate) fn any_name(key: &str) -> Option<&str> {
    key.strip_prefix(PREFIX).or_else(|| key.strip_prefix(OLD_PREFIX))
}

/// Whether ingress-nginx reads a key on the Ingress of a canary. It reads all other keys only on that of the stable Service.
pub(crate) fn is_read_on_canary(name: &str) -> bool {
    ["canary", "load-balance", "upstream-hash-by", "affinity", "session-cookie-"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// The condition under which requests without TLS are redirected to https.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirect {
    /// Only with a TLS section.
    WithTls,
    /// With and without a TLS section.
    Forced,
}

/// Returns which redirect a key is about, under its current prefix or its old one.
pub(crate) fn redirect_of(key: &str) -> Option<Redirect> {
    match any_name(key)? {
        "ssl-redirect" => Some(Redirect::WithTls),
        "force-ssl-redirect" => Some(Redirect::Forced),
        _ => None,
    }
}

/// Whether an annotation has the opposite effect of what is wanted. `is_wanted` says whether requests without TLS should be
/// redirected. Without a TLS section, only `force-ssl-redirect` has an effect; with one, requests are redirected unless
/// `ssl-redirect` is false.
pub(crate) fn contradicts(key: &str, value: &str, is_wanted: bool, tls: Tls) -> bool {
    let decides = match key {
        SSL_REDIRECT => tls.has_secret(),
        FORCE_SSL_REDIRECT => tls == Tls::LoadBalancer || !is_wanted,
        _ => false,
    };
    decides && parse_bool(value) == Some(!is_wanted)
}

/// Whether a key is about the redirect to https, for which other targets have fields.
pub(crate) fn is_intent(key: &str) -> bool {
    matches!(key, SSL_REDIRECT | FORCE_SSL_REDIRECT)
}

#[cfg(test)]
mod tests;
