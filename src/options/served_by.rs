//! The controllers that the classes and Gateways of a cluster name.

use super::Settings;
use super::layer::Named;
use crate::diagnostics::Origin;
use crate::dialect::controller::Controller;

/// The controllers that serve the IngressClasses and Gateways of a cluster. This has priority over the names of classes; the
/// setting `controllers` has priority over this.
///
/// ```
/// use xposer::options::{GatewayFacts, ServedBy};
/// let facts = GatewayFacts { controller: "gateway.envoyproxy.io/gatewayclass-controller".to_owned(), features: None };
/// let served_by = ServedBy::default()
///     .with_ingress_class("internal", "traefik.io/ingress-controller")
///     .with_gateway("gateways", "external", facts);
/// assert_ne!(served_by, ServedBy::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServedBy {
    /// `IngressClass.spec.controller` by the name of the class.
    ingress_classes: Named<String>,
    /// The facts about each Gateway, by `namespace/name`.
    gateways: Named<GatewayFacts>,
}

/// The facts about a Gateway from its GatewayClass.
///
/// ```
/// let facts = xposer::options::GatewayFacts { controller: "traefik.io/gateway-controller".to_owned(), features: None };
/// assert!(facts.features.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayFacts {
    /// `GatewayClass.spec.controllerName`.
    pub controller: String,
    /// The names in `GatewayClass.status.supportedFeatures`; `None` if the class has no such list.
    pub features: Option<Vec<String>>,
}

impl ServedBy {
    /// Adds an IngressClass and its `spec.controller`; the empty name stands for the default class of the cluster.
    ///
    /// ```
    /// use xposer::options::ServedBy;
    /// let served_by = ServedBy::default().with_ingress_class("internal", "k8s.io/ingress-nginx");
    /// assert_eq!(served_by.ingress_class("internal"), Some("k8s.io/ingress-nginx"));
    /// ```
    #[must_use]
    pub fn with_ingress_class(mut self, class: &str, controller: &str) -> Self {
        self.ingress_classes.set(class, controller.to_owned());
        self
    }

    /// Adds a Gateway.
    ///
    /// ```
    /// use xposer::options::{GatewayFacts, ServedBy};
    /// let served_by = ServedBy::default().with_gateway("gateways", "external", GatewayFacts::default());
    /// assert!(served_by.gateway("gateways", "external").is_some());
    /// assert!(served_by.gateway("gateways", "internal").is_none());
    /// ```
    #[must_use]
    pub fn with_gateway(mut self, namespace: &str, name: &str, facts: GatewayFacts) -> Self {
        self.gateways.set(&[namespace, "/", name].concat(), facts);
        self
    }

    /// The `spec.controller` of a class.
    #[must_use]
    pub fn ingress_class(&self, class: &str) -> Option<&str> {
        self.ingress_classes.get(class).map(String::as_str)
    }

    /// Whether both have the same IngressClasses.
    pub(crate) fn has_classes_of(&self, other: &Self) -> bool {
        self.ingress_classes == other.ingress_classes
    }

    /// The facts about a Gateway.
    #[must_use]
    pub fn gateway(&self, namespace: &str, name: &str) -> Option<&GatewayFacts> {
        if self.gateways.is_empty() {
            return None;
        }
        self.gateways.get(&[namespace, "/", name].concat())
    }
}

/// How it is known which program serves a class.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClassSource<'s> {
    /// By the setting `controllers`.
    Setting(&'s Origin),
    /// By the IngressClass of the cluster, which has this `spec.controller`.
    Cluster(&'s str),
    /// By the name of the class.
    Name,
}

impl Settings {
    /// Returns the program that serves the Ingresses of a class, or those without a class, if it is known. The setting has priority
    /// over the IngressClass of the cluster, and the IngressClass over the name of the class.
    pub(crate) fn program_of_class(&self, class: Option<&str>) -> Option<(Controller, ClassSource<'_>)> {
        if let Some(set) = class.and_then(|class| self.controllers.get(class)) {
            return Some((set.value, ClassSource::Setting(&set.origin)));
        }
        let named = class.and_then(Controller::of_class);
        if let Some(spec) = self.served_by.ingress_class(class.unwrap_or_default())
            && let Some(controller) = Controller::of_spec(spec)
        {
            // Traefik's provider for the annotations of ingress-nginx serves the classes of ingress-nginx, so in this case the name
            // of the class is more specific.
            if (controller, named) == (Controller::IngressNginx, Some(Controller::TraefikNginx)) {
                return Some((Controller::TraefikNginx, ClassSource::Name));
            }
            return Some((controller, ClassSource::Cluster(spec)));
        }
        named.map(|controller| (controller, ClassSource::Name))
    }
}
