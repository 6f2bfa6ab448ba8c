//! Kubernetes' rules of form for names, hosts and paths; patterns; the URL of a host and a path.
//!
//! The rules are those of `k8s.io/apimachinery/pkg/util/validation` and
//! `k8s.io/kubernetes/pkg/apis/networking/validation` at Kubernetes 1.36.

mod hosts;
mod names;
mod paths;
pub mod pattern;
mod url;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub(crate) use hosts::subdomain_host;
pub use hosts::{HostError, MAX_COMMON_NAME, host_errors, is_sloppy_ip};
pub use names::{MAX_LABEL, MAX_NAME, annotation_key_error, is_dns_label, is_dns_subdomain, is_port_name};
pub(crate) use paths::comparable_path;
pub use paths::{PathType, is_regex_path, path_error};
pub(crate) use url::{literal_beginning, literal_path, url};

/// The greatest number of bytes of all annotation keys and values of one object (`TotalAnnotationSizeLimitB`).
///
/// ```
/// use xposer::{Outcome, Service, Settings, expose, testing, validation::MAX_ANNOTATIONS};
/// let service = testing::service(&[("example.com/note", &"a".repeat(MAX_ANNOTATIONS))]);
/// let service = Service::from_value(&service);
/// assert!(service.annotation_bytes() > MAX_ANNOTATIONS);
/// assert!(matches!(expose(&service, &Settings::default()), Outcome::Refused(_)));
/// ```
pub const MAX_ANNOTATIONS: usize = 262_144;

macro_rules! text_value {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name<'a>(Cow<'a, str>);

        impl<'a> $name<'a> {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Wraps a text that has passed the rules of `check`.
            pub(crate) fn checked(text: impl Into<Cow<'a, str>>) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name<'_> {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_value! {
    /// The host of an Ingress rule: a DNS name in lower case, or `*.` and a DNS name. It has none of the errors that
    /// [`host_errors`] knows. Only [`expose`](crate::expose) makes one.
    ///
    /// ```
    /// use xposer::{Service, Settings, expose, testing};
    /// let service = testing::service(&[("IngressURLTemplate", "*.example.com/api")]);
    /// let outcome = expose(&Service::from_value(&service), &Settings::default());
    /// let host = &outcome.plan().unwrap().ingress.rules[0].host;
    /// assert_eq!(host.as_str().strip_prefix("*."), Some("example.com"));
    /// assert_eq!(host.to_string(), host.as_ref());
    /// ```
    Hostname
}
text_value! {
    /// The name of an object: a DNS subdomain (`NameIsDNSSubdomain`). Only [`expose`](crate::expose) makes one;
    /// [`IngressPlan`](crate::IngressPlan) has an example.
    ObjectName
}
text_value! {
    /// The path of an Ingress rule; it starts with `/` and has none of the errors that [`path_error`] knows. Only
    /// [`expose`](crate::expose) makes one; [`Route`](crate::Route) has an example.
    UrlPath
}

/// The annotation that named the class before there was a field for it.
pub(crate) const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
/// The annotation that names an Issuer on an Ingress.
pub(crate) const ISSUER_KEY: &str = "cert-manager.io/issuer";
/// The annotation that names a ClusterIssuer on an Ingress.
pub(crate) const CLUSTER_ISSUER_KEY: &str = "cert-manager.io/cluster-issuer";

/// The names of other controllers, as words in the names of their classes.
const OTHER_CONTROLLERS: [&str; 20] = [
    "alb",
    "ambassador",
    "apisix",
    "cilium",
    "citrix",
    "contour",
    "gce",
    "gloo",
    "haproxy",
    "higress",
    "istio",
    "kong",
    "ngrok",
    "openshift",
    "pomerium",
    "skipper",
    "tailscale",
    "traefik",
    "tyk",
    "voyager",
];

/// Whether the name of a class says that a controller other than ingress-nginx serves it. A name such as `internal` says
/// nothing; then ingress-nginx is assumed, because the original wrote its annotations.
pub(crate) fn is_of_other_controller(class: &str) -> bool {
    let mut words = class.split(|c: char| !c.is_ascii_alphanumeric());
    let is_azure =
        class.starts_with("azure") && (class.contains("application-gateway") || class.contains("alb"));
    is_azure || (!class.contains("nginx") && words.any(|word| OTHER_CONTROLLERS.contains(&word)))
}

/// The annotation that asks cert-manager for a certificate of its default issuer.
pub(crate) const TLS_ACME_KEY: &str = "kubernetes.io/tls-acme";

/// Items by their keys: the groups in the order of their first items, the items in their own order.
pub(crate) fn grouped<K: Ord + Clone, T>(items: impl IntoIterator<Item = (K, T)>) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    let mut places = BTreeMap::new();
    for (key, item) in items {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    groups
}

/// A boolean in one of the spellings of Go's `strconv.ParseBool`: `1 t T true TRUE True 0 f F false FALSE False`.
///
/// ```
/// use xposer::validation::parse_bool;
/// assert_eq!(parse_bool("T"), Some(true));
/// assert_eq!(parse_bool("no"), None);
/// ```
#[must_use]
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
