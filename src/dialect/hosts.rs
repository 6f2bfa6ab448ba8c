//! Hosts in annotations of the objects that are served.

use std::collections::BTreeSet;

use super::{cert_manager, external_dns, nginx};
use crate::validation::{parse_bool, www};
use crate::values::set;

/// What becomes of a host that an annotation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It is served as the hosts of the rules are: on Ingresses.
    Served,
    /// It is sent to a host of the rules, whatever the path: on Ingresses.
    Redirected,
    /// It gets a name in DNS, or a certificate: on every kind.
    Published,
}

/// A host in lower case, without the dot of the root at its end.
pub(super) fn without_dot(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// The hosts that an annotation adds to those of the rules, in lower case, each once; an empty one takes all hosts.
///
/// Whoever writes the annotation counts for nothing here: the block of a Service and an Ingress by hand are read in the same way.
pub(crate) fn added_by(
    key: &str,
    value: &str,
    rules: &mut dyn Iterator<Item = &str>,
) -> Option<(Use, BTreeSet<String>)> {
    let named = || value.split(',').map(str::trim).filter(|host| !host.is_empty());
    // nginx reads what stands behind a blank as one more name, and an ingress-nginx that does not check values hands it over.
    let aliases = || value.split([',', ';', ' ', '\t', '\n', '\r']).filter(|host| !host.is_empty());
    Some(match key {
        nginx::SERVER_ALIAS => (Use::Served, set(aliases().flat_map(nginx::hosts_of_alias))),
        nginx::FROM_TO_WWW if parse_bool(value) == Some(true) => {
            (Use::Redirected, set(rules.filter(|host| !host.is_empty()).filter_map(www)))
        }
        _ if external_dns::names_hosts(key) => (Use::Published, set(named().map(external_dns::name_in_dns))),
        // A common name may also be a text that is no host.
        _ if cert_manager::names_hosts(key) => {
            let is_host = |name: &&str| name.contains('.') && !name.contains(char::is_whitespace);
            (Use::Published, set(named().filter(is_host).map(without_dot)))
        }
        _ => return None,
    })
}
