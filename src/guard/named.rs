//! The hosts of an object that was written by hand beside those of its rules: the hosts that annotations add, the names that the object
//! publishes in DNS, and the hosts for which it requests a certificate.

use std::collections::BTreeSet;

use super::{ClaimedRoute, Guarded};
use crate::conflicts::RouteBudget;
use crate::diagnostics::FieldPath;
use crate::dialect::external_dns::{redirects_names, selections};
use crate::dialect::hosts::{CoveringNames, HostRole, added_by, requests_certificate};
use crate::validation::PathType;

/// A host that has a name in DNS or a certificate from the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedHost {
    pub(super) host: String,
    /// The field or annotation with the host, or the annotation that gives it another address.
    pub(super) place: FieldPath,
    pub(super) role: HostRole,
    /// The value of an annotation of ExternalDNS; empty if the name gets the address of the object.
    pub(super) address: String,
}

impl NamedHost {
    /// Returns the text by which an update recognises the host.
    pub(super) fn key(&self) -> String {
        self.role.key(&self.address, &self.host)
    }

    /// Whether the host is among these keys.
    pub(super) fn is_among(&self, keys: &BTreeSet<String>) -> bool {
        self.role.is_among(&self.address, &self.host, keys)
    }
}

impl Guarded<'_> {
    /// Adds the hosts of the TLS section and of annotations. A wildcard of the TLS section that only names an existing certificate is
    /// not counted: it brings no requests to the object.
    pub(super) fn add_other_hosts(&mut self, dns_prefixes: &[String]) {
        let (rules, is_ingress) = (self.hosts.taken.clone(), self.kind == "Ingress");
        let has_addresses = is_ingress || self.kind == "Route";
        let annotations: Vec<(&str, &str)> = self.annotations().collect();
        self.selections = selections(&annotations, dns_prefixes);
        let mut addresses = annotations.clone();
        addresses.retain(|(key, value)| has_addresses && redirects_names(key, value, dns_prefixes));
        let is_certified =
            is_ingress && annotations.iter().any(|(key, value)| requests_certificate(key, value));
        let own: BTreeSet<&str> = rules.iter().map(|rule| rule.host.as_str()).collect();
        let mut named: Vec<NamedHost> = Vec::new();
        let mut add = |host: &str, place: &FieldPath, role| {
            if !host.is_empty() {
                named.push(NamedHost {
                    host: host.to_owned(),
                    place: place.clone(),
                    role,
                    address: String::new(),
                });
            }
        };
        for host in &own {
            add(host, &FieldPath::object(&[]), HostRole::Rule);
        }
        // Only the hosts of the TLS section are named yet.
        if is_ingress {
            let covering = CoveringNames::of(&mut own.iter().copied(), addresses.is_empty() && !is_certified);
            self.hosts.named.retain(|(host, _)| !covering.has_wildcard(host));
            for (host, place) in &self.hosts.named {
                if !covering.contains(host) {
                    add(host, place, HostRole::TlsName);
                }
                if is_certified {
                    add(host, place, HostRole::Certificate);
                }
            }
        }
        let mut room = RouteBudget::new();
        let has_room = rules.iter().all(|taken| room.take(&taken.host, &taken.path));
        self.is_cut = self.hosts.is_exceeded || !has_room;
        for (key, value) in annotations {
            let mut hosts = rules.iter().map(|taken| taken.host.as_str());
            let Some((role, hosts)) = added_by(key, value, dns_prefixes, &mut hosts) else { continue };
            let is_served = matches!(role, HostRole::Alias | HostRole::Redirect);
            if is_served && !is_ingress {
                continue;
            }
            let place = FieldPath::annotation(key.to_owned());
            for host in hosts {
                match role {
                    _ if is_served => self.add_routes(&rules, &host, role, &place, &mut room),
                    HostRole::Name if own.contains(host.as_str()) => {}
                    HostRole::Certificate if !is_certified => {}
                    _ => add(&host, &place, role),
                }
                // All hosts are named, even those beyond the limit on hosts and paths.
                self.hosts.named.push((host, place.clone()));
            }
        }
        // Another address takes the requests for all paths of a host.
        let mut addressed = Vec::new();
        for it in named.iter().filter(|it| it.role != HostRole::Certificate) {
            for (key, address) in &addresses {
                let role = if it.role == HostRole::TlsName { it.role } else { HostRole::Name };
                let place = FieldPath::annotation((*key).to_owned());
                addressed.push(NamedHost {
                    host: it.host.clone(),
                    place,
                    role,
                    address: (*address).to_owned(),
                });
            }
        }
        named.append(&mut addressed);
        self.named = named;
    }

    /// Adds the routes of a host that an annotation serves as an alias with all paths of the rules, or redirects.
    fn add_routes(
        &mut self,
        rules: &[ClaimedRoute],
        host: &str,
        role: HostRole,
        place: &FieldPath,
        room: &mut RouteBudget,
    ) {
        for rule in rules {
            let (path, path_type) = match role {
                HostRole::Alias => (rule.path.as_str(), rule.path_type),
                _ => ("/", PathType::Prefix),
            };
            if !room.take(host, path) {
                self.is_cut = true;
                break;
            }
            self.hosts.taken.push(ClaimedRoute {
                host: host.to_owned(),
                path: path.to_owned(),
                path_type,
                place: place.clone(),
                // A rule for the same host, of any object, takes precedence over the annotation.
                is_part: true,
                match_text: rule.match_text.clone(),
            });
            // A redirect applies to every path of the host.
            if role == HostRole::Redirect {
                break;
            }
        }
    }
}
