//! The hosts that annotations add to those of the rules.

use std::collections::BTreeSet;

use serde_json::Value;

use super::key::Program;
use super::{alb, app_gateway, cert_manager, external_dns, haproxy_ingress, kong, nginx, traefik};
use crate::validation::{parse_bool, www};
use crate::values::set;

/// The role of a host in an object or a plan, in the order of what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostRole {
    /// A rule or route serves the host.
    Rule,
    /// Requests for the host are redirected to a host of the rules, whatever their path. An annotation does this only on an Ingress.
    Redirect,
    /// The host is served like the hosts of the rules, unless a rule of any object has it. An annotation does this only on an Ingress.
    Alias,
    /// The host gets a name in DNS, or its name another address. The object gets no requests by this, but the host must not be one of
    /// another namespace.
    Name,
    /// The same, only because the host is in the TLS section, which ExternalDNS reads by default.
    TlsName,
    /// The object requests a certificate for the host.
    Certificate,
}

impl HostRole {
    /// Returns the text by which an update recognises a host with this role. An address is the value of an annotation of ExternalDNS;
    /// if it is empty, the name has the address of the object. A rule publishes the name, too.
    pub(crate) fn key(self, address: &str, host: &str) -> String {
        let word = match self {
            Self::TlsName => "tls name ",
            Self::Certificate => "certificate ",
            Self::Rule | Self::Redirect | Self::Alias | Self::Name => "name ",
        };
        [word, address, " ", host].concat()
    }

    /// Whether these keys have the host with this role, or with one that includes it.
    pub(crate) fn is_among(self, address: &str, host: &str, keys: &BTreeSet<String>) -> bool {
        keys.contains(&self.key(address, host))
            || (self == Self::TlsName && keys.contains(&Self::Name.key(address, host)))
    }
}

/// The annotations with the hosts of the certificate that Gardener requests for an object.
const GARDENER_CERTIFICATES: [&str; 2] = ["cert.gardener.cloud/commonname", "cert.gardener.cloud/dnsnames"];

/// Whether an annotation gives an Ingress another load balancer or entry point, or precedence over others with the same host and path.
pub(crate) fn decides_precedence(key: &str) -> bool {
    let of_programs =
        [&alb::PRECEDENCE[..], &app_gateway::PRECEDENCE, &kong::PRECEDENCE, &traefik::PRECEDENCE];
    // Traefik ignores the letter case.
    of_programs.iter().any(|keys| keys.iter().any(|known| known.eq_ignore_ascii_case(key)))
}

/// Returns a host in lower case, without the final dot of the DNS root.
pub(super) fn without_dot(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Whether an annotation of an Ingress makes a program request a certificate for the hosts of the TLS section.
pub(crate) fn requests_certificate(key: &str, value: &str) -> bool {
    match key.rsplit_once('/') {
        // HAProxy Ingress; Gardener; programs for ACME, and the AWS Load Balancer Controller.
        Some((_, "cert-signer")) => true,
        Some(("cert.gardener.cloud", "purpose")) => value == "managed",
        Some((_, "tls-acme" | "create-acm-cert")) => parse_bool(value) == Some(true),
        _ => cert_manager::named_kind(key).is_some(),
    }
}

/// The names in a TLS section for which an object receives no requests beyond those for its own hosts.
pub(crate) struct CoveringNames(BTreeSet<String>);

impl CoveringNames {
    /// The names of an object with these hosts: the hosts, and their wildcards if the section only names an existing certificate
    /// (`is_given`). ExternalDNS publishes the hosts of the TLS section of an Ingress, but such a wildcard is there for the certificate.
    /// With a requested certificate or another address in DNS, the object could answer for the neighbours of its hosts.
    pub(crate) fn of(hosts: &mut dyn Iterator<Item = &str>, is_given: bool) -> Self {
        let mut names = BTreeSet::new();
        for host in hosts {
            if let Some((_, domain)) = host.split_once('.').filter(|_| is_given) {
                names.insert(["*.", domain].concat());
            }
            names.insert(host.to_owned());
        }
        Self(names)
    }

    /// Whether the name is one of them.
    pub(crate) fn contains(&self, host: &str) -> bool {
        self.0.contains(host)
    }

    /// Whether the name is the wildcard of an existing certificate for the own hosts, and so no host of its own.
    pub(crate) fn has_wildcard(&self, host: &str) -> bool {
        host.starts_with("*.") && self.contains(host)
    }
}

/// Returns the hosts that an annotation of an Ingress controller other than ingress-nginx adds. A pattern may match any host.
fn of_other_program(key: &str, value: &str) -> Option<(HostRole, BTreeSet<String>)> {
    let (_, name) = key.split_once('/')?;
    let is_of = |program: &Program| program.name_of(key) == Some(name);
    let every_host = || vec![String::new()];
    let named = || {
        let words = value.split([',', ' ']).filter(|word| !word.is_empty());
        words.flat_map(nginx::hosts_of_alias).collect()
    };
    let (what, hosts): (_, Vec<String>) = match name {
        _ if value.trim().is_empty() => return None,
        "server-alias" if is_of(&haproxy_ingress::PROGRAM) => (HostRole::Alias, named()),
        "server-alias-regex" if is_of(&haproxy_ingress::PROGRAM) => (HostRole::Alias, every_host()),
        "redirect-from" if is_of(&haproxy_ingress::PROGRAM) => (HostRole::Redirect, named()),
        "redirect-from-regex" if is_of(&haproxy_ingress::PROGRAM) => (HostRole::Redirect, every_host()),
        "host-aliases" if is_of(&kong::PROGRAM) => (HostRole::Alias, named()),
        "hostname-extension" if is_of(&app_gateway::PROGRAM) => (HostRole::Alias, named()),
        _ if key.starts_with("alb.ingress.kubernetes.io/conditions.") => {
            (HostRole::Alias, of_conditions(value))
        }
        _ => return None,
    };
    Some((what, set(hosts)))
}

/// Returns the hosts in conditions of the AWS Load Balancer Controller, which adds them to the host of the rule.
fn of_conditions(value: &str) -> Vec<String> {
    let conditions: Value = serde_json::from_str(value).unwrap_or_default();
    let mut hosts = Vec::new();
    for config in conditions.as_array().into_iter().flatten().filter_map(|it| it.get("hostHeaderConfig")) {
        let list = |name: &str| config.get(name).and_then(Value::as_array).into_iter().flatten();
        for host in list("values").filter_map(Value::as_str) {
            if host.contains('?') {
                hosts.push(String::new());
            } else {
                hosts.extend(nginx::hosts_of_alias(host));
            }
        }
        hosts.extend(list("regexValues").map(|_| String::new()));
    }
    hosts
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
) -> Option<(HostRole, BTreeSet<String>)> {
    let named = || value.split(',').map(str::trim).filter(|host| !host.is_empty());
    // nginx reads the text after a space as another name, and an ingress-nginx that does not validate annotations passes it on.
    let aliases = || value.split([',', ';', ' ', '\t', '\n', '\r']).filter(|host| !host.is_empty());
    Some(match key {
        nginx::SERVER_ALIAS => (HostRole::Alias, set(aliases().flat_map(nginx::hosts_of_alias))),
        _ if let Some(found) = of_other_program(key, value) => found,
        nginx::FROM_TO_WWW if parse_bool(value) == Some(true) => {
            (HostRole::Redirect, set(rules.filter(|host| !host.is_empty()).filter_map(www)))
        }
        _ if external_dns::names_hosts(key, dns_prefixes) => {
            (HostRole::Name, set(named().map(external_dns::name_in_dns)))
        }
        // A common name may also be a text that is not a host.
        _ if cert_manager::names_hosts(key)
            || traefik::names_hosts(key)
            || GARDENER_CERTIFICATES.contains(&key) =>
        {
            let is_host = |name: &&str| name.contains('.') && !name.contains(char::is_whitespace);
            (HostRole::Certificate, set(named().filter(is_host).map(without_dot)))
        }
        _ => return None,
    })
}
