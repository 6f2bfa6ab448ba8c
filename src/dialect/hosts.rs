//! The hosts that annotations add to those of the rules.

use std::collections::BTreeSet;

use serde_json::Value;

use super::key::Program;
use super::{app_gateway, cert_manager, external_dns, haproxy_ingress, kong, nginx, traefik};
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

/// Returns the names in a TLS section that give nothing of others to an object with these hosts: the hosts, and their wildcards if
/// the section only names an existing certificate (`is_given`). ExternalDNS publishes the hosts of the TLS section of an Ingress, but
/// such a wildcard is there for the certificate. With a requested certificate or another address in DNS, the object could answer for
/// the neighbours of its hosts.
pub(crate) fn covering(hosts: &mut dyn Iterator<Item = &str>, is_given: bool) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for host in hosts {
        if let Some((_, domain)) = host.split_once('.').filter(|_| is_given) {
            names.insert(["*.", domain].concat());
        }
        names.insert(host.to_owned());
    }
    names
}

/// Returns the hosts that an annotation of an Ingress controller other than ingress-nginx adds. A pattern may match any host.
fn of_other_program(key: &str, value: &str) -> Option<(Use, BTreeSet<String>)> {
    let (_, name) = key.split_once('/')?;
    let is_of = |program: &Program| program.name_of(key) == Some(name);
    let every_host = || vec![String::new()];
    let named = || {
        let words = value.split([',', ' ']).filter(|word| !word.is_empty());
        words.flat_map(nginx::hosts_of_alias).collect()
    };
    let (what, hosts): (_, Vec<String>) = match name {
        _ if value.trim().is_empty() => return None,
        "server-alias" if is_of(&haproxy_ingress::PROGRAM) => (Use::Served, named()),
        "server-alias-regex" if is_of(&haproxy_ingress::PROGRAM) => (Use::Served, every_host()),
        "redirect-from" if is_of(&haproxy_ingress::PROGRAM) => (Use::Redirected, named()),
        "redirect-from-regex" if is_of(&haproxy_ingress::PROGRAM) => (Use::Redirected, every_host()),
        "host-aliases" if is_of(&kong::PROGRAM) => (Use::Served, named()),
        "hostname-extension" if is_of(&app_gateway::PROGRAM) => (Use::Served, named()),
        _ if key.starts_with("alb.ingress.kubernetes.io/conditions.") => (Use::Served, of_conditions(value)),
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
) -> Option<(Use, BTreeSet<String>)> {
    let named = || value.split(',').map(str::trim).filter(|host| !host.is_empty());
    // nginx reads the text after a space as another name, and an ingress-nginx that does not validate annotations passes it on.
    let aliases = || value.split([',', ';', ' ', '\t', '\n', '\r']).filter(|host| !host.is_empty());
    Some(match key {
        nginx::SERVER_ALIAS => (Use::Served, set(aliases().flat_map(nginx::hosts_of_alias))),
        _ if let Some(found) = of_other_program(key, value) => found,
        nginx::FROM_TO_WWW if parse_bool(value) == Some(true) => {
            (Use::Redirected, set(rules.filter(|host| !host.is_empty()).filter_map(www)))
        }
        _ if external_dns::names_hosts(key, dns_prefixes) => {
            (Use::Published, set(named().map(external_dns::name_in_dns)))
        }
        // A common name may also be a text that is not a host.
        _ if cert_manager::names_hosts(key) || traefik::names_hosts(key) => {
            let is_host = |name: &&str| name.contains('.') && !name.contains(char::is_whitespace);
            (Use::Certified, set(named().filter(is_host).map(without_dot)))
        }
        _ => return None,
    })
}
