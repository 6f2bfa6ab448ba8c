//! The plan of one Service: hosts, paths, TLS and the rest, each value with its source.
//!
//! `resolve` fills a plan in, `check` reads it, and `expose` returns it only if no Error was filed. So fields are optional if a
//! value may be missing, and the public methods rely on the rules to have found it.

mod annotation;
pub(crate) mod context;
mod hosts;
pub(crate) mod kinds;
mod objects;
mod parts;
mod served;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostics::{Origin, Sourced, Subject};
use crate::dialect::legacy::CLASSES;
use crate::service::{PortRef, Service};
use crate::validation::url;
use crate::values::{BackendProtocol, Feature, Issuer, LinkPage, ParentRef, Target, Termination, Tls};
pub use annotation::Annotation;
pub(crate) use annotation::Place;
pub(crate) use annotation::Source;
pub(crate) use hosts::{AddedHost, OtherHost, UNPUBLISHED};
pub(crate) use objects::{grouped, numbered, redirect_name, redirect_route_name, redirect_to_https_name};
pub(crate) use parts::{BackendPort, KnownPort};
pub use parts::{Canary, Monitor, Published, Route, Scope};
pub(crate) use served::{Reason, RequestedIntent, Server};

/// A value that few plans have. Boxed, it costs other plans one pointer: allocators are slow with objects of more than a kilobyte,
/// and a plan with all values inline would be one.
pub(crate) type OptionalBox<T> = Option<Box<T>>;

/// The plan of one Service, independent of the kinds of objects it is emitted as. [`expose`](crate::expose) makes plans.
///
/// ```
/// use serde_json::json;
/// use xposer::{Target, testing};
/// let plan = testing::plan(&[], json!({"domain": "example.com"}))?;
/// assert_eq!((plan.service(), plan.namespace()), ("web", Some("shop")));
/// assert_eq!((plan.url().as_str(), plan.targets()), ("http://web.shop.example.com", &[Target::Ingress][..]));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    /// The Service.
    pub(crate) subject: Arc<Subject>,
    /// The profile that applies to the Service.
    pub(crate) profile: OptionalBox<Sourced<String>>,
    pub(crate) domain: Option<Sourced<String>>,
    pub(crate) name: Option<Sourced<String>>,
    pub(crate) rules: Vec<Route>,
    /// The path of the URL: the path of the first route. If that is a regular expression, its literal beginning.
    pub(crate) url_path: String,
    pub(crate) tls: Option<Sourced<Tls>>,
    /// The secret of the first host.
    pub(crate) secret: Option<Sourced<String>>,
    /// The secrets of all hosts in the order of [`Plan::tls_hosts`]; empty if all hosts share one secret.
    pub(crate) secrets: Vec<String>,
    /// The hosts that have a certificate and no route.
    pub(crate) certificate_hosts: Vec<OtherHost>,
    /// The hosts that are redirected to the hosts of the routes, as far as the redirect needs a certificate.
    pub(crate) other_hosts: Vec<OtherHost>,
    /// Whether the name of the secret is derived from the name of the object.
    pub(crate) secret_is_derived: bool,
    pub(crate) issuer: Option<Sourced<Issuer>>,
    /// Whether the issuer replaces an annotation of a lower layer, which that layer gives to all objects with a secret.
    pub(crate) replaces_issuer: bool,
    pub(crate) https_redirect: Option<Sourced<bool>>,
    /// Whether the redirect replaces an annotation of a lower layer that forbids it.
    pub(crate) replaces_redirect: bool,
    /// The port of all routes without a port of their own; `None` if the Service has no port.
    pub(crate) port: Option<BackendPort>,
    /// The protocols of the ports that routes lead to, each once, as `appProtocol` names them. The number is the position of the
    /// first port with that protocol.
    pub(crate) port_protocols: Vec<(BackendProtocol, usize)>,
    pub(crate) class: Option<Sourced<String>>,
    pub(crate) targets: Vec<Target>,
    pub(crate) targets_origin: Origin,
    /// The Gateways that HTTPRoutes are attached to.
    pub(crate) parent_refs: OptionalBox<Sourced<Vec<ParentRef>>>,
    /// The name of the ListenerSet that the HTTPRoutes are attached to instead of the Gateway.
    pub(crate) listener_set: OptionalBox<Sourced<String>>,
    /// The reference to the ListenerSet; empty without one.
    pub(crate) listener_parents: Vec<ParentRef>,
    /// The listeners without TLS.
    pub(crate) http_parent_refs: OptionalBox<Sourced<Vec<ParentRef>>>,
    /// The keys that make ExternalDNS ignore an object, in ascending order.
    pub(crate) dns_controller_keys: Vec<String>,
    /// The prefixes under which ExternalDNS looks for annotations by the settings.
    pub(crate) dns_prefixes: Vec<String>,
    /// The fields of the Service that decide which address ExternalDNS publishes for it.
    pub(crate) address_fields: String,
    /// The annotations of the Service itself that ExternalDNS may read, and their values.
    pub(crate) dns_annotations: Vec<(String, String)>,
    pub(crate) termination: Termination,
    pub(crate) canary: OptionalBox<Canary>,
    pub(crate) monitor: OptionalBox<Sourced<Monitor>>,
    /// The dashboards that get a link.
    pub(crate) links: OptionalBox<Sourced<Vec<LinkPage>>>,
    /// The labels of all objects from the options, without the labels that mark objects of Xposer.
    pub(crate) labels: BTreeMap<String, Sourced<String>>,
    /// The annotations that a user gave, in ascending order of their keys, which are unique.
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) published: OptionalBox<Published>,
    /// The controller that serves the objects, for each target.
    pub(crate) servers: Vec<Server>,
    /// The features that the Gateways of HTTPRoutes support, if their GatewayClass lists them.
    pub(crate) gateway_features: Option<Vec<String>>,
    /// The features that the Gateways support beside those of their class, from the settings.
    pub(crate) gateway_has: Vec<Feature>,
    /// The intents of the Service that have no field above, in the order of [`Intent::ALL`](crate::intents::Intent::ALL).
    pub(crate) intents: Vec<RequestedIntent>,
    /// The annotations of the Service itself that an Ingress controller reads on the Service, and their values.
    pub(crate) service_annotations: Vec<(String, String)>,
    /// The size of the Service's annotations in bytes, without the annotations that are written back.
    pub(crate) annotation_bytes: usize,
}

impl Plan {
    /// Creates a plan that has the identity of a Service and nothing else.
    pub(crate) fn of(service: &Service<'_>, subject: Arc<Subject>) -> Self {
        Self {
            subject,
            profile: None,
            domain: None,
            name: None,
            rules: Vec::new(),
            url_path: String::new(),
            tls: None,
            secret: None,
            secrets: Vec::new(),
            certificate_hosts: Vec::new(),
            other_hosts: Vec::new(),
            secret_is_derived: false,
            issuer: None,
            replaces_issuer: false,
            https_redirect: None,
            replaces_redirect: false,
            port: None,
            port_protocols: Vec::new(),
            class: None,
            targets: Vec::new(),
            targets_origin: Origin::BuiltIn,
            parent_refs: None,
            listener_set: None,
            listener_parents: Vec::new(),
            http_parent_refs: None,
            dns_controller_keys: Vec::new(),
            dns_prefixes: Vec::new(),
            address_fields: service.address_fields.join(" "),
            dns_annotations: service
                .dns_annotations
                .iter()
                .map(|(key, names)| ((*key).to_owned(), (*names).to_owned()))
                .collect(),
            termination: Termination::default(),
            canary: None,
            monitor: None,
            links: None,
            labels: BTreeMap::new(),
            annotations: Vec::new(),
            published: None,
            servers: Vec::new(),
            gateway_features: None,
            gateway_has: Vec::new(),
            intents: Vec::new(),
            service_annotations: service
                .controller_annotations
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            annotation_bytes: service.annotation_bytes() - service.stamp_bytes,
        }
    }

    /// The name of the Service.
    ///
    /// ```
    /// use serde_json::json;
    /// assert_eq!(xposer::testing::plan(&[], json!({}))?.service(), "web");
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn service(&self) -> &str {
        &self.subject.name
    }

    /// The namespace of the Service and of its objects, if the Service names one.
    ///
    /// ```
    /// use serde_json::json;
    /// assert_eq!(xposer::testing::plan(&[], json!({}))?.namespace(), Some("shop"));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        Some(self.subject.namespace.as_str()).filter(|name| !name.is_empty())
    }

    /// The name of the objects; where a target needs several, the others are named after it.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[("IngressNameTemplate", "{{.Service}}-{{.Namespace}}")], json!({}))?;
    /// assert_eq!(plan.name(), "web-shop");
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_ref().map_or("", |name| &name.value)
    }

    /// The kinds of objects that expose the Service: at least one, in the order of [`Target::ALL`].
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Target, testing};
    /// let plan = testing::plan(&[("Target", "Route, Ingress")], json!({}))?;
    /// assert_eq!(plan.targets(), [Target::Ingress, Target::Route]);
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The hosts and paths: at least one, without duplicates.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[("IngressURLTemplate", "a.example.com, b.example.com/api")], json!({}))?;
    /// assert!(plan.routes().iter().map(|route| route.path.as_str()).eq(["/", "/api"]));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.rules
    }

    /// The port of the Service that a route leads to, unless its URL names another one ([`Plan::port_of`]).
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::service::PortRef;
    /// use xposer::testing;
    /// assert_eq!(testing::plan(&[("ServicePort", "http")], json!({}))?.port(), PortRef::Name("http".to_owned()));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn port(&self) -> PortRef {
        self.port.as_ref().map_or(PortRef::Number(0), |port| port.chosen.value.clone())
    }

    /// The port of the Service that a route of this plan leads to.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::service::PortRef;
    /// let plan = xposer::testing::plan(&[("IngressURLTemplate", "example.com -> http, example.com/api")], json!({}))?;
    /// let ports: Vec<_> = plan.routes().iter().map(|route| plan.port_of(route)).collect();
    /// assert_eq!(ports, [PortRef::Name("http".to_owned()), PortRef::Number(80)]);
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn port_of(&self, route: &Route) -> PortRef {
        self.backend_port(route).map_or(PortRef::Number(0), |port| port.chosen.value.clone())
    }

    /// The port that a route leads to.
    pub(crate) fn backend_port<'p>(&'p self, route: &'p Route) -> Option<&'p BackendPort> {
        route.port.as_ref().or(self.port.as_ref())
    }

    /// The port of the Service that the first route leads to.
    pub(crate) fn first_port(&self) -> Option<&BackendPort> {
        self.rules.first().and_then(|route| self.backend_port(route))
    }

    /// The class of the Ingress; `None` leaves it to the cluster's default, or to a forwarded annotation.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[("IngressClassName", "internal")], json!({}))?;
    /// assert_eq!(plan.class(), Some("internal"));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn class(&self) -> Option<&str> {
        self.class.as_ref().map(|class| class.value.as_str())
    }

    /// How connections are secured.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::values::Tls;
    /// use xposer::testing;
    /// assert_eq!(testing::plan(&[("TLS", "true")], json!({}))?.tls(), Tls::Secret);
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn tls(&self) -> Tls {
        self.tls.as_ref().map(|tls| tls.value).unwrap_or_default()
    }

    /// The secret with the certificate; `None` means that the objects have no TLS section. If each host has a secret of its own,
    /// the secret of the first host.
    ///
    /// ```
    /// use serde_json::json;
    /// assert_eq!(xposer::testing::plan(&[("TLS", "true")], json!({}))?.secret(), Some("web-cert"));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_ref().map(|secret| secret.value.as_str())
    }

    /// Whether requests without TLS are redirected to https; `None` leaves the choice to the target.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[("TLS", "true"), ("HTTPSRedirect", "false")], json!({}))?;
    /// assert_eq!(plan.https_redirect(), Some(false));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn https_redirect(&self) -> Option<bool> {
        self.https_redirect.as_ref().map(|redirect| redirect.value)
    }

    /// The Gateways, listeners or ListenerSet that HTTPRoutes are attached to.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[("Target", "HTTPRoute")], json!({"parentRefs": [{"name": "external"}]}))?;
    /// assert_eq!(plan.parents()[0].name, "external");
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn parents(&self) -> &[ParentRef] {
        if self.listener_parents.is_empty() { self.gateways() } else { &self.listener_parents }
    }

    /// The Gateways or listeners that serve HTTPRoutes.
    pub(crate) fn gateways(&self) -> &[ParentRef] {
        self.parent_refs.as_ref().map_or(&[], |refs| &refs.value)
    }

    /// Whether the plan emits a ListenerSet. A canary emits none: it uses the ListenerSet of the stable Service.
    pub(crate) fn has_listener_set(&self) -> bool {
        self.listener_set.is_some() && self.canary.is_none()
    }

    /// The listeners without TLS whose requests an HTTPRoute redirects to https.
    ///
    /// ```
    /// use serde_json::json;
    /// let settings = json!({"parentRefs": [{"name": "external", "sectionName": "https"}],
    ///     "httpParentRefs": [{"name": "external", "sectionName": "http"}]});
    /// let plan = xposer::testing::plan(&[("Target", "HTTPRoute"), ("TLS", "load-balancer")], settings)?;
    /// assert_eq!(plan.http_parents()[0].section_name.as_deref(), Some("http"));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn http_parents(&self) -> &[ParentRef] {
        self.http_parent_refs.as_ref().map_or(&[], |refs| &refs.value)
    }

    /// The stable Service of a canary and the requests that the canary receives. [`Canary`] has an example.
    #[must_use]
    pub fn canary(&self) -> Option<&Canary> {
        self.canary.as_deref()
    }

    /// The monitor, if there is one. [`Monitor`] has an example.
    #[must_use]
    pub fn monitor(&self) -> Option<&Monitor> {
        self.monitor.as_ref().map(|monitor| &monitor.value)
    }

    /// The URL that the monitor requests: the URL of the first route, possibly with https and with another path.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[("Monitor", "true"), ("MonitorHealthEndpoint", "/healthz")], json!({}))?;
    /// assert_eq!(plan.monitor_url().as_deref(), Some("http://web.shop.example.com/healthz"));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn monitor_url(&self) -> Option<String> {
        self.monitor().map(|monitor| self.monitored_url(monitor))
    }

    /// The annotations that the Service or the settings give, in ascending order of their keys, which are unique. Annotations that
    /// express other options, such as a canary, are added when an object is emitted. [`Annotation`] has an example.
    #[must_use]
    pub fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }

    /// The entry of the URL ConfigMap, if there is one. [`Published`] has an example.
    #[must_use]
    pub fn published(&self) -> Option<&Published> {
        self.published.as_deref()
    }

    /// The URL of the first route: scheme, host and path. The scheme is `https` if connections are secured, which includes TLS at a
    /// load balancer. A path of `/` is left out; a regular expression is cut to its literal beginning.
    ///
    /// ```
    /// use serde_json::json;
    /// let url = |template| {
    ///     let plan = xposer::testing::plan(&[("IngressURLTemplate", template), ("TLS", "true")], json!({}));
    ///     plan.map(|plan| plan.url())
    /// };
    /// assert_eq!(url("example.com")?, "https://example.com");
    /// assert_eq!(url("example.com/api(/|$)(.*)")?, "https://example.com/api");
    /// assert_eq!(url("example.com/api/v[0-9]+")?, "https://example.com/api");
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn url(&self) -> String {
        self.url_with(self.tls().is_on(), &self.url_path)
    }

    /// The URL that a monitor of the Service requests.
    pub(crate) fn monitored_url(&self, monitor: &Monitor) -> String {
        let path = monitor.health_endpoint.as_deref().unwrap_or(&self.url_path);
        self.url_with(self.tls().is_on() || monitor.force_https, path)
    }

    fn url_with(&self, https: bool, path: &str) -> String {
        self.rules.first().map_or_else(String::new, |rule| url(https, &rule.host, path))
    }

    /// The annotation of this key, if there is one.
    pub(crate) fn annotation(&self, key: &str) -> Option<&Annotation> {
        let at = self.annotations.binary_search_by(|known| known.key.as_str().cmp(key)).ok()?;
        self.annotations.get(at)
    }

    /// The value of an annotation that an Ingress controller reads on the Service itself.
    pub(crate) fn on_service(&self, key: &str) -> Option<&str> {
        self.service_annotations.iter().find(|(known, _)| known == key).map(|(_, value)| value.trim())
    }

    /// The class of the Ingress: the field, or the annotation if legacy keys are passed on.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[("IngressClassName", "internal")], json!({}))?;
    /// assert_eq!(plan.class_name(), Some("internal"));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn class_name(&self) -> Option<&str> {
        // Contour reads its own key, the last one, first.
        let annotation = || self.annotations.iter().rfind(|it| CLASSES.contains(&it.key.as_str()));
        self.class().or_else(|| annotation().map(|it| it.value.as_str()))
    }

    /// The first route whose path is a regular expression.
    pub(crate) fn pattern(&self) -> Option<&Route> {
        self.rules.iter().find(|rule| rule.is_pattern())
    }

    /// The namespace and the name of the Service.
    pub(crate) fn identity(&self) -> (Option<&str>, &str) {
        (self.namespace(), self.service())
    }

    /// The redirect to https, if an annotation of the Service asks for it.
    pub(crate) fn asked_redirect(&self) -> Option<&Sourced<bool>> {
        let asked = self.https_redirect.as_ref();
        asked.filter(|it| it.value && matches!(it.origin, Origin::Annotation(_)))
    }

    /// The namespace and the name of the stable Service of a canary.
    pub(crate) fn stable_identity(&self) -> Option<(Option<&str>, &str)> {
        self.canary.as_ref().map(|canary| (self.namespace(), canary.of.as_str()))
    }
}
