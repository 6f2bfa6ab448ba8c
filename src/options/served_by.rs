//! What a cluster says about who serves its classes and Gateways.

use std::collections::{BTreeMap, BTreeSet};

/// Who serves the classes of Ingresses and the Gateways of a cluster. It counts more than the names of classes, and less than the
/// setting `controllers`.
///
/// ```
/// use xposer::options::{GatewayFacts, ServedBy};
/// let mut served_by = ServedBy::default();
/// served_by.ingress_classes.insert("internal".to_owned(), "traefik.io/ingress-controller".to_owned());
/// let facts = GatewayFacts { controller: "gateway.envoyproxy.io/gatewayclass-controller".to_owned(), ..GatewayFacts::default() };
/// served_by.gateways.insert(("gateways".to_owned(), "external".to_owned()), facts);
/// assert_ne!(served_by, ServedBy::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServedBy {
    /// `IngressClass.spec.controller` by the name of the class; the empty name stands for the default class of the cluster.
    pub ingress_classes: BTreeMap<String, String>,
    /// What is known of a Gateway, by its namespace and name.
    pub gateways: BTreeMap<(String, String), GatewayFacts>,
}

/// What the class of a Gateway says.
///
/// ```
/// let facts = xposer::options::GatewayFacts { controller: "traefik.io/gateway-controller".to_owned(), features: None };
/// assert!(facts.features.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayFacts {
    /// `GatewayClass.spec.controllerName`.
    pub controller: String,
    /// The names of `GatewayClass.status.supportedFeatures`; `None` where the class has no such list.
    pub features: Option<BTreeSet<String>>,
}
