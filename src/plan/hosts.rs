//! The hosts of a plan that have no route, and the secrets with the certificates.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Annotation, Plan, grouped};
use crate::diagnostics::Origin;
use crate::dialect::external_dns::{names_hosts, redirects_names, selections};
use crate::dialect::hosts::{HostRole, added_by};
use crate::values::Target;

/// The address of a name that ExternalDNS does not publish.
pub(crate) const UNPUBLISHED: &str = "";

/// A host without a route to the Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OtherHost {
    pub(crate) host: String,
    pub(crate) host_origin: Origin,
    /// The template of the host, after unescaping.
    pub(crate) template: Arc<str>,
    /// Whether the template is exactly the text that the user wrote.
    pub(crate) verbatim: bool,
}

/// A host that an annotation of the objects adds to the hosts of the routes.
#[derive(Debug)]
pub(crate) struct AddedHost<'p> {
    /// The host; empty if the annotation has a pattern, which may match any host.
    pub(crate) host: String,
    pub(crate) role: HostRole,
    /// The annotation of the objects; `None` if it is one of the Service itself.
    pub(crate) annotation: Option<&'p Annotation>,
    pub(crate) origin: Origin,
}

impl Plan {
    /// The hosts that annotations of the objects add to the hosts of the routes.
    pub(crate) fn added_hosts(&self) -> Vec<AddedHost<'_>> {
        let is_ingress = self.targets.contains(&Target::Ingress);
        let of_objects = self.annotations.iter().map(|it| (it.key.as_str(), it.value.as_str(), Some(it)));
        // ExternalDNS also reads the annotations of the Service.
        let of_service = self.dns_annotations.iter().map(|(key, names)| (key.as_str(), names.as_str(), None));
        let mut found = Vec::new();
        for (key, value, annotation) in of_objects.chain(of_service) {
            let mut routes = self.rules.iter().map(|rule| rule.host.as_str());
            let Some((role, hosts)) = added_by(key, value, &self.dns_prefixes, &mut routes) else { continue };
            if !is_ingress && matches!(role, HostRole::Alias | HostRole::Redirect) {
                continue;
            }
            for host in hosts {
                let of_service = || Origin::Annotation(key.to_owned().into());
                let origin = annotation.map_or_else(of_service, Annotation::origin);
                found.push(AddedHost { host, role, annotation, origin });
            }
        }
        found
    }

    /// The addresses that forwarded lines give the names of an Ingress or a Route in DNS.
    pub(crate) fn dns_addresses(&self) -> Vec<&str> {
        let mut addresses = Vec::new();
        for it in self.annotations.iter().filter(|it| it.is_forwarded()) {
            if redirects_names(&it.key, &it.value, &self.dns_prefixes) && self.targets != [Target::HttpRoute]
            {
                addresses.push(it.value.as_str());
            }
        }
        addresses
    }

    /// All addresses that an annotation gives the names of the Service or of its objects in DNS. Without one, there is only that of the
    /// objects themselves, as the text of all that it depends on.
    pub(crate) fn addresses_for_update(&self) -> Vec<String> {
        let own = self.dns_annotations.iter().map(|(key, value)| (key, value.as_str()));
        let own = own.filter(|(key, value)| redirects_names(key, value, &self.dns_prefixes));
        let given: Vec<String> =
            self.dns_addresses().into_iter().chain(own.map(|(_, value)| value)).map(str::to_owned).collect();
        if given.is_empty() { self.own_addresses() } else { self.selected(&given) }
    }

    /// The addresses that the names of the Service and of its objects have without an annotation.
    pub(crate) fn own_addresses(&self) -> Vec<String> {
        self.selected(&[self.own_address()])
    }

    /// Returns each address with each selection of the objects and of the Service by ExternalDNS ([`selections`]), or [`UNPUBLISHED`] if
    /// ExternalDNS skips them. Which address a Service has, and so who publishes it, depends on its type.
    fn selected(&self, addresses: &[String]) -> Vec<String> {
        let of_objects: Vec<_> =
            self.annotations.iter().map(|it| (it.key.as_str(), it.value.as_str())).collect();
        let mut selected = selections(&of_objects, &self.dns_prefixes);
        let own: Vec<_> =
            self.dns_annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        if own.iter().any(|(key, _)| names_hosts(key, &self.dns_prefixes)) {
            let of_service = selections(&own, &self.dns_prefixes).into_iter();
            selected.extend(of_service.map(|it| [&*it, " ", &self.address_fields].concat()));
        }
        let with =
            |address: &String| selected.iter().map(|it| [address, " ", it].concat()).collect::<Vec<_>>();
        if selected.is_empty() {
            vec![UNPUBLISHED.to_owned()]
        } else {
            addresses.iter().flat_map(with).collect()
        }
    }

    /// All that the address of the objects depends on, as a text that no address in DNS has.
    fn own_address(&self) -> String {
        let mut parts = vec![self.class_name().unwrap_or_default()];
        parts.extend(self.targets.iter().map(|target| target.as_str()));
        for parent in self.parent_refs.iter().flat_map(|it| &it.value) {
            parts.extend([parent.namespace.as_deref().unwrap_or_default(), &parent.name]);
        }
        parts.join(" ")
    }

    /// The hosts that need a certificate, each once: the hosts of the routes, the hosts of the option `TLSHosts`, and the hosts
    /// that are redirected to others, because a redirect comes after the TLS handshake.
    pub(crate) fn tls_hosts(&self) -> Vec<&str> {
        let others = self.certificate_hosts.iter().chain(&self.other_hosts);
        let hosts = self.rules.iter().map(|rule| rule.host.as_str()).chain(others.map(|it| it.host.as_str()));
        grouped(hosts.map(|host| (host, ()))).into_iter().map(|(host, _)| host).collect()
    }

    /// The TLS section: each secret with the hosts of its certificate.
    pub(crate) fn tls_section(&self) -> Vec<(&str, Vec<&str>)> {
        let Some(secret) = self.secret() else { return Vec::new() };
        let hosts = self.tls_hosts();
        if self.secrets.is_empty() {
            return vec![(secret, hosts)];
        }
        grouped(self.secrets.iter().map(String::as_str).zip(hosts))
    }

    /// The secret of each host; empty if all hosts share one secret.
    pub(crate) fn secrets_by_host(&self) -> BTreeMap<&str, &str> {
        if self.secrets.is_empty() {
            return BTreeMap::new();
        }
        self.tls_hosts().into_iter().zip(self.secrets.iter().map(String::as_str)).collect()
    }
}
