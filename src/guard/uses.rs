//! How an object that was written by hand uses hosts beside the requests for them: as names in DNS, and in certificates.

use std::collections::BTreeSet;

use super::Guarded;
use crate::diagnostics::FieldPath;
use crate::dialect::external_dns::redirects_names;
use crate::dialect::hosts::{Use, added_by, covering, requests_certificate};

/// A use of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NameUse {
    pub(super) host: String,
    /// The field or annotation with the host, or the annotation that gives it another address.
    pub(super) place: FieldPath,
    pub(super) how: How,
}

/// How an object uses a host. An address is the value of an annotation of ExternalDNS; if it is empty, the name gets the address of
/// the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A rule has the host. Rules are compared as routes.
    Rule,
    /// An annotation or a rule publishes the name with this address.
    Name(String),
    /// The TLS section, which ExternalDNS reads by default, publishes the name with this address.
    TlsName(String),
    /// The object requests a certificate for the host.
    Certificate,
}

impl How {
    /// Returns the same use with an address, if it publishes a name.
    fn with_address(&self, address: &str) -> Option<Self> {
        match self {
            Self::Rule | Self::Name(_) => Some(Self::Name(address.to_owned())),
            Self::TlsName(_) => Some(Self::TlsName(address.to_owned())),
            Self::Certificate => None,
        }
    }

    /// Returns this use of a host as a text, which no other use has.
    pub(super) fn text(&self, host: &str) -> String {
        let (word, address) = match self {
            Self::Rule => ("rule", ""),
            Self::Name(address) => ("name", address.as_str()),
            Self::TlsName(address) => ("tls name", address.as_str()),
            Self::Certificate => ("certificate", ""),
        };
        [word, " ", address, " ", host].concat()
    }

    /// Whether one of the uses that include this use of a host is among these texts.
    pub(super) fn is_among(&self, host: &str, texts: &BTreeSet<String>) -> bool {
        let has = |how: &Self| texts.contains(&how.text(host));
        has(self)
            || match self {
                Self::Rule | Self::Certificate => false,
                Self::Name(address) | Self::TlsName(address) => {
                    has(&Self::Name(address.clone())) || (address.is_empty() && has(&Self::Rule))
                }
            }
    }
}

impl Guarded<'_> {
    /// Adds the uses of the hosts of the rules, of the TLS section and of annotations. A wildcard of the TLS section that only names an
    /// existing certificate for the hosts of the rules is no use, and no longer one of the named hosts.
    pub(super) fn add_uses(&mut self, dns_prefixes: &[String]) {
        let is_ingress = self.kind == "Ingress";
        let has_addresses = is_ingress || self.kind == "Route";
        let annotations: Vec<(&str, &str)> = self.annotations().collect();
        let mut addresses = annotations.clone();
        addresses.retain(|(key, value)| has_addresses && redirects_names(key, value, dns_prefixes));
        let is_certified =
            is_ingress && annotations.iter().any(|(key, value)| requests_certificate(key, value));
        let own: BTreeSet<&str> = self.found.taken.iter().map(|rule| rule.host.as_str()).collect();
        let mut uses: Vec<NameUse> = Vec::new();
        let mut add = |host: &str, place: &FieldPath, how| {
            if !host.is_empty() {
                uses.push(NameUse { host: host.to_owned(), place: place.clone(), how });
            }
        };
        for host in &own {
            add(host, &FieldPath::object(&[]), How::Rule);
        }
        // Only the hosts of the TLS section are named yet.
        if is_ingress {
            let covering = covering(&mut own.iter().copied(), addresses.is_empty() && !is_certified);
            self.found.named.retain(|(host, _)| !(host.starts_with("*.") && covering.contains(host)));
            for (host, place) in &self.found.named {
                if !covering.contains(host) {
                    add(host, place, How::TlsName(String::new()));
                }
                if is_certified {
                    add(host, place, How::Certificate);
                }
            }
        }
        for (key, value) in annotations {
            let mut hosts = self.found.taken.iter().map(|rule| rule.host.as_str());
            let Some((what, hosts)) = added_by(key, value, dns_prefixes, &mut hosts) else { continue };
            for host in hosts {
                let how = match what {
                    Use::Published if !own.contains(host.as_str()) => How::Name(String::new()),
                    Use::Certified if is_certified => How::Certificate,
                    _ => continue,
                };
                add(&host, &FieldPath::annotation(key.to_owned()), how);
            }
        }
        // Another address takes the requests for all paths of a host.
        let mut addressed = Vec::new();
        for NameUse { host, how, .. } in &uses {
            for (key, address) in &addresses {
                if let Some(how) = how.with_address(address) {
                    let place = FieldPath::annotation((*key).to_owned());
                    addressed.push(NameUse { host: host.clone(), place, how });
                }
            }
        }
        uses.append(&mut addressed);
        self.uses = uses;
    }
}
