//! Facts about a plan that only reports need: its URLs, the source of its certificate, and the names that ExternalDNS publishes.

use crate::diagnostics::{Origin, Sourced};
use crate::dialect::cert_manager::write::{is_asked, issuer};
use crate::dialect::cert_manager::{CLUSTER_ISSUER, ISSUER};
use crate::dialect::external_dns::{opts_out, split};
use crate::dialect::is_certificate_of_balancer;
use crate::dialect::nginx::paths::asked_path;
use crate::plan::{Plan, Route, grouped};
use crate::validation::url;
use crate::values::{Issuer, Target, Termination, Tls};

/// The URL of each route, in the order of [`Plan::routes`]: scheme, host and path as [`Plan::url`] writes them.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::route_urls, testing};
/// let plan = testing::plan(&[("IngressURLTemplate", "a.example.com, b.example.com/api(/|$)(.*)")], json!({}))?;
/// assert_eq!(route_urls(&plan), ["http://a.example.com", "http://b.example.com/api"]);
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn route_urls(plan: &Plan) -> Vec<String> {
    let of = |route: &Route| url(plan.tls().is_on(), &route.host, &asked_path(plan, route));
    plan.routes().iter().map(of).collect()
}

/// The source of the certificate of a plan.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{Certificate, certificate};
/// use xposer::testing;
/// let of = |settings| testing::plan(&[], settings).map(|plan| certificate(&plan));
/// assert_eq!(of(json!({}))?, Certificate::None);
/// assert_eq!(of(json!({"tls": true}))?, Certificate::Secret { names: vec!["web-cert".to_owned()] });
/// let asked = of(json!({"tls": "cert-manager", "clusterIssuer": "letsencrypt"}))?;
/// assert!(matches!(asked, Certificate::CertManager { issuer: Some(issuer), .. } if issuer.cluster));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// There is no TLS.
    None,
    /// Secrets with these names hold the certificate, and another program or a person fills them.
    Secret {
        /// The names, in the namespace of the Service.
        names: Vec<String>,
    },
    /// cert-manager fills the secrets with these names.
    CertManager {
        /// The issuer that is asked; `None` means the default issuer of cert-manager.
        issuer: Option<Issuer>,
        /// The names of the secrets, in the namespace of the Service.
        names: Vec<String>,
    },
    /// A load balancer in front of the controller has the certificate.
    LoadBalancer,
    /// The listener of the Gateway has the certificate: no object of the Service names a secret.
    Gateway,
    /// TLS ends at the Service, which has the certificate.
    Passthrough,
    /// The stable Service of the canary has the certificate.
    Stable,
}

/// Returns the source of the certificate for the first target of a plan.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{Certificate, certificate};
/// let plan = xposer::testing::plan(&[("TLS", "load-balancer")], json!({}))?;
/// assert_eq!(certificate(&plan), Certificate::LoadBalancer);
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn certificate(plan: &Plan) -> Certificate {
    certificate_at(plan, plan.targets().first().copied().unwrap_or(Target::Ingress))
}

/// Returns the source of the certificate with which a target of a plan is served.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{Certificate, certificate_at};
/// use xposer::Target;
/// let settings = json!({"parentRefs": [{"name": "external"}], "tls": true, "target": ["Ingress", "HTTPRoute"]});
/// let plan = xposer::testing::plan(&[], settings)?;
/// assert_eq!(certificate_at(&plan, Target::HttpRoute), Certificate::Gateway);
/// assert!(matches!(certificate_at(&plan, Target::Ingress), Certificate::Secret { .. }));
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn certificate_at(plan: &Plan, target: Target) -> Certificate {
    match plan.tls() {
        Tls::Off => {
            let controller = plan.controller(target);
            let mut annotations = plan.annotations.iter();
            let has = target == Target::Ingress
                && annotations.any(|it| is_certificate_of_balancer(controller, &it.key, &it.value));
            return if has { Certificate::LoadBalancer } else { Certificate::None };
        }
        _ if plan.passes_tls()
            || (target == Target::Route && plan.termination() == Termination::Passthrough) =>
        {
            return Certificate::Passthrough;
        }
        _ if plan.canary.is_some() => return Certificate::Stable,
        Tls::LoadBalancer => return Certificate::LoadBalancer,
        Tls::Secret | Tls::CertManager => {}
    }
    if target == Target::HttpRoute && !plan.has_listener_set() {
        return Certificate::Gateway;
    }
    let names = plan.tls_section().into_iter().map(|(secret, _)| secret.to_owned()).collect();
    let given =
        |key: &str, cluster| plan.annotation(key).map(|given| Issuer { cluster, name: given.value.clone() });
    let issuer = issuer(plan)
        .map(|issuer: &Sourced<Issuer>| issuer.value.clone())
        .or_else(|| given(ISSUER, false))
        .or_else(|| given(CLUSTER_ISSUER, true));
    if issuer.is_some() || is_asked(plan) || plan.tls() == Tls::CertManager {
        return Certificate::CertManager { issuer, names };
    }
    Certificate::Secret { names }
}

/// The names and records that ExternalDNS publishes for a plan, if it runs in the cluster.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::dns_records, testing};
/// let block = "external-dns.kubernetes.io/target: lb.example.net\nexternal-dns.kubernetes.io/ttl: \"60\"";
/// let dns = dns_records(&testing::plan(&[("xposer.stakater.com/annotations", block)], json!({}))?);
/// assert_eq!((dns.hosts.as_slice(), dns.left_out_by), (&["web.shop.example.com".to_owned()][..], None));
/// assert_eq!((dns.target.as_deref(), dns.ttl.as_deref()), (Some("lb.example.net"), Some("60")));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// The hosts that ExternalDNS publishes.
    pub hosts: Vec<String>,
    /// The target of the records, if an annotation gives one; otherwise ExternalDNS uses the address of the controller or load
    /// balancer that serves the object.
    pub target: Option<String>,
    /// The time to live of the records, where an annotation says it.
    pub ttl: Option<String>,
    /// The annotation that makes ExternalDNS ignore the objects.
    pub left_out_by: Option<String>,
}

/// Returns what ExternalDNS publishes for a plan, if it runs in the cluster.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::dns_records, testing};
/// let block = "external-dns.kubernetes.io/controller: none";
/// let dns = dns_records(&testing::plan(&[("xposer.stakater.com/annotations", block)], json!({}))?);
/// assert!(dns.hosts.is_empty());
/// assert!(dns.left_out_by.is_some_and(|key| key.ends_with("/controller")));
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn dns_records(plan: &Plan) -> Dns {
    if let Some(key) = plan.dns_controller_keys.first().filter(|_| plan.canary.is_some()) {
        return Dns { left_out_by: Some(key.clone()), ..Dns::default() };
    }
    if let Some(out) = plan.annotations.iter().find(|it| opts_out(&it.key, &it.value)) {
        return Dns { left_out_by: Some(out.key.clone()), ..Dns::default() };
    }
    let value = |name: &str| {
        let mut annotations = plan.annotations.iter();
        annotations.find(|it| split(&it.key).is_some_and(|(_, own)| own == name)).map(|it| it.value.clone())
    };
    let source = value("ingress-hostname-source").or_else(|| value("gateway-hostname-source"));
    let mut hosts: Vec<String> = Vec::new();
    if !source.as_deref().is_some_and(|source| source.eq_ignore_ascii_case("annotation-only")) {
        hosts.extend(plan.routes().iter().map(|route| route.host.clone()));
    }
    if !source.is_some_and(|source| source.eq_ignore_ascii_case("defined-hosts-only")) {
        let names = value("hostname").unwrap_or_default();
        hosts.extend(names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()));
    }
    let hosts = grouped(hosts.into_iter().map(|host| (host, ()))).into_iter().map(|(host, _)| host);
    // For an HTTPRoute, ExternalDNS takes the target from the Gateway and not from the route.
    let has_target = plan.targets().iter().any(|target| *target != Target::HttpRoute);
    Dns {
        hosts: hosts.collect(),
        target: value("target").filter(|_| has_target),
        ttl: value("ttl"),
        left_out_by: None,
    }
}

/// Returns the profile that applies to a Service, and the source that names the profile.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::profile, testing};
/// let settings = json!({"profiles": {"external": {"domain": "example.org"}}});
/// let plan = testing::plan(&[("Profile", "external")], settings)?;
/// assert_eq!(profile(&plan).map(|(name, _)| name), Some("external"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn profile(plan: &Plan) -> Option<(&str, &Origin)> {
    plan.profile.as_ref().map(|profile| (profile.value.as_str(), &profile.origin))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing;

    #[test]
    fn a_load_balancer_may_have_the_certificate_without_a_tls_section() {
        for (class, line, expected) in [
            ("alb", "alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:c", Certificate::LoadBalancer),
            (
                "alb",
                "alb.ingress.kubernetes.io/listen-ports: '[{\"HTTPS\": 443}]'",
                Certificate::LoadBalancer,
            ),
            ("alb", "alb.ingress.kubernetes.io/listen-ports: '[{\"HTTP\": 80}]'", Certificate::None),
            ("gce", "networking.gke.io/managed-certificates: web", Certificate::LoadBalancer),
            ("gce", "ingress.gcp.kubernetes.io/pre-shared-cert: web", Certificate::LoadBalancer),
            ("gce", "kubernetes.io/ingress.global-static-ip-name: web", Certificate::None),
        ] {
            let block = format!("{line}\n");
            let annotations = [("xposer.stakater.com/annotations", block.as_str())];
            let plan =
                testing::plan(&annotations, json!({"ingressClassName": class})).expect("it is in order");
            assert_eq!(certificate(&plan), expected, "{class}, {line}");
        }
    }
}
