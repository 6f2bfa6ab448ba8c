//! The hosts that annotations add to those of the rules.

use std::collections::BTreeSet;

use super::{cert_manager, external_dns, nginx};
use crate::validation::{parse_bool, www};
use crate::values::set;

/// The use of a host that an annotation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// The host is served like the hosts of the rules. This applies only to Ingresses.
    Served,
    /// Requests for the host are redirected to a host of the rules, whatever their path. This applies only to Ingresses.
    Redirected,
    /// The host gets a DNS name. This applies to every kind.
    Published,
    /// The host gets a certificate. This applies to every kind.
    Certified,
}

/// Returns a host in lower case, without the final dot of the DNS root.
pub(super) fn without_dot(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Returns the names of certificates that cover these hosts: the hosts and their wildcards. ExternalDNS publishes the hosts of the TLS
/// section of an Ingress, but a wildcard for the rules is there for the certificate.
pub(crate) fn covering<'h>(hosts: impl Iterator<Item = &'h str>) -> BTreeSet<String> {
    let wildcard = |host: &str| host.split_once('.').map(|(_, domain)| format!("*.{domain}"));
    set(hosts.flat_map(|host| wildcard(host).into_iter().chain([host.to_owned()])))
}

/// Returns the hosts that an annotation adds to those of the rules, in lower case and without duplicates. An empty host stands
/// for all hosts. `dns_prefixes` has the prefixes of ExternalDNS by the settings.
///
/// The result does not depend on the place of the annotation: the block of a Service and an Ingress that was written by hand
/// are read in the same way.
pub(crate) fn added_by(
    key: &str,
    value: &str,
    dns_prefixes: &[String],
    rules: &mut dyn Iterator<Item = &str>,
) -> Option<(Use, BTreeSet<String>)> {
    let named = || value.split(',').map(str::trim).filter(|host| !host.is_empty());
    // nginx reads the text after a space as another name, and an ingress-nginx that does not validate annotations passes it on.
    let aliases = || value.split([',', ';', ' ', '\t', '\n', '\r']).filter(|host| !host.is_empty());
    Some(match key {
        nginx::SERVER_ALIAS => (Use::Served, set(aliases().flat_map(nginx::hosts_of_alias))),
        nginx::FROM_TO_WWW if parse_bool(value) == Some(true) => {
            (Use::Redirected, set(rules.filter(|host| !host.is_empty()).filter_map(www)))
        }
        _ if external_dns::names_hosts(key, dns_prefixes) => {
            (Use::Published, set(named().map(external_dns::name_in_dns)))
        }
        // A common name may also be a text that is not a host.
        _ if cert_manager::names_hosts(key) => {
            let is_host = |name: &&str| name.contains('.') && !name.contains(char::is_whitespace);
            (Use::Certified, set(named().filter(is_host).map(without_dot)))
        }
        _ => return None,
    })
}
