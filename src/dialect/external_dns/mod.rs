//! ExternalDNS 0.22, which publishes the hosts of objects.

pub(crate) mod rules;
pub(super) mod write;

use std::collections::BTreeSet;

use super::key::{KnownNames, Program, ReadOn};

/// The prefix of its keys since version 0.22.
pub(crate) const PREFIX: &str = "external-dns.kubernetes.io/";
/// The prefixes of its keys. The first one is that of versions up to 0.21.
pub(crate) const PREFIXES: [&str; 2] = ["external-dns.alpha.kubernetes.io/", PREFIX];

pub(super) static PROGRAM: Program = Program {
    read_on: ReadOn::Everywhere,
    names_only: "access alias aws-* azure-* cloudflare-* controller coredns-* endpoints-type gateway-hostname-source \
     hostname ingress ingress-hostname-source internal-hostname record-type scw-* set-identifier target ttl \
     webhook-*",
    ..Program::new(
        "ExternalDNS 0.22",
        &PREFIXES,
        // Its providers have keys of their own, and older versions had other keys.
        KnownNames::Own,
        &[],
    )
};

/// The value of the annotation `controller` on an object that ExternalDNS publishes; it skips objects with another value
/// (`IsControllerMismatch`).
const CONTROLLER: &str = "dns-controller";

/// The annotation with the names that the DNS controller of Gardener publishes; `*` stands for the hosts of the rules.
const GARDENER: &str = "dns.gardener.cloud/dnsnames";

/// The value of this annotation that makes ExternalDNS skip an additional object.
pub(crate) const OPT_OUT: &str = "none";

/// Returns the key of this annotation under a prefix.
pub(crate) fn controller_key(prefix: &str) -> String {
    [prefix, "controller"].concat()
}

/// Whether an annotation makes ExternalDNS skip an object.
///
/// ```
/// assert!(xposer::internal::opts_out("external-dns.alpha.kubernetes.io/controller", "none"));
/// ```
#[must_use]
pub fn opts_out(key: &str, value: &str) -> bool {
    matches!(split(key), Some((_, "controller"))) && value != CONTROLLER
}

/// Returns the prefix and the name of a key that has one of the prefixes.
pub(crate) fn split(key: &str) -> Option<(&'static str, &str)> {
    PREFIXES.into_iter().find_map(|prefix| Some((prefix, key.strip_prefix(prefix)?)))
}

/// Whether a key is one of its keys.
pub(crate) fn is_key(key: &str) -> bool {
    split(key).is_some()
}

/// Whether the value of a key consists of names, targets or a duration.
pub(crate) fn is_checked(key: &str) -> bool {
    matches!(split(key), Some((_, "hostname" | "internal-hostname" | "target" | "ttl")))
}

/// Whether a key publishes a Service under DNS names.
pub(crate) fn is_hostname(key: &str) -> bool {
    matches!(split(key), Some((_, "hostname")))
}

/// Whether a key publishes an object of any kind under DNS names, with one of the known prefixes or of these.
pub(crate) fn names_hosts(key: &str, prefixes: &[String]) -> bool {
    key == GARDENER || (may_name_hosts(key) && has_prefix(key, prefixes))
}

/// Whether an annotation gives the names of an object, those of its rules too, another address, with one of the known prefixes or of
/// these. ExternalDNS does not read it on routes of the Gateway API.
pub(crate) fn redirects_names(key: &str, value: &str, prefixes: &[String]) -> bool {
    may_redirect_names(key) && !value.is_empty() && has_prefix(key, prefixes)
}

/// Whether a key gives names another address if the settings have its prefix.
pub(crate) fn may_redirect_names(key: &str) -> bool {
    matches!(key.rsplit_once('/'), Some((_, "target")))
}

/// Whether a key decides whether ExternalDNS reads an object, or which records it makes, if the settings have its prefix.
pub(crate) fn may_select(key: &str) -> bool {
    is_key(key) || key.ends_with("/controller")
}

/// Returns what selects an object with these annotations: a text for each prefix under which ExternalDNS does not skip the object. It has
/// all annotations with this prefix except the names, their address and their time to live: for example the identifier and the weight of a
/// record, and whether the rules are published.
pub(crate) fn selections(annotations: &[(&str, &str)], prefixes: &[String]) -> BTreeSet<String> {
    let mut selections = BTreeSet::new();
    for prefix in PREFIXES.into_iter().chain(prefixes.iter().map(String::as_str)) {
        let mut parts = BTreeSet::from([prefix]);
        let mut is_skipped = false;
        for (key, value) in annotations {
            match key.strip_prefix(prefix) {
                None | Some("hostname" | "internal-hostname" | "target" | "ttl") => {}
                Some("controller") => is_skipped |= *value != CONTROLLER,
                Some(_) => parts.extend([key, value]),
            }
        }
        if !is_skipped {
            selections.insert(parts.into_iter().collect::<Vec<_>>().join(" "));
        }
    }
    selections
}

fn has_prefix(key: &str, prefixes: &[String]) -> bool {
    is_key(key) || prefixes.iter().any(|prefix| key.starts_with(prefix))
}

/// Whether a key publishes an object under DNS names if the settings have its prefix.
pub(crate) fn may_name_hosts(key: &str) -> bool {
    key == GARDENER || matches!(key.rsplit_once('/'), Some((_, "hostname" | "internal-hostname")))
}

/// Returns the name of the DNS record for a host, in lower case. ExternalDNS removes white space and the dot at the end.
pub(crate) fn name_in_dns(host: &str) -> String {
    let name: String = host.chars().filter(|sign| !sign.is_whitespace()).collect();
    super::hosts::without_dot(&name)
}

/// Whether ExternalDNS reads a key on a Gateway but not on an HTTPRoute.
pub(crate) fn is_of_gateway(key: &str) -> bool {
    matches!(split(key), Some((_, "target")))
}
