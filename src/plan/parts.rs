//! The parts of a plan.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::diagnostics::{Origin, Sourced};
use crate::dialect::kubernetes::backend_protocol;
use crate::service::{Port, PortRef};
use crate::validation::PathType;
use crate::values::BackendProtocol;

/// One host and path under which the Service is exposed.
///
/// ```
/// use serde_json::json;
/// use xposer::validation::PathType;
/// use xposer::testing;
/// let plan = testing::plan(&[("IngressURLTemplate", "a.example.com/api(/|$)(.*), b.example.com")], json!({}))?;
/// let [first, second] = plan.routes() else { panic!("there are two hosts") };
/// assert_eq!((first.path.as_str(), first.path_type), ("/api(/|$)(.*)", PathType::ImplementationSpecific));
/// assert_eq!((second.host.as_str(), second.path.as_str()), ("b.example.com", "/"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The host: a DNS name in lower case, or `*.` and a DNS name.
    pub host: String,
    /// The path; it starts with `/`.
    pub path: String,
    /// How the path is compared with the path of a request.
    pub path_type: PathType,
    /// Whether an annotation makes the path a regular expression, in which a `+` is an operator.
    pub(crate) is_regex: bool,
    pub(crate) host_origin: Origin,
    pub(crate) path_origin: Origin,
    /// The port that the URL names; without one, the port of the plan applies.
    pub(crate) port: Option<BackendPort>,
    /// The template of the host, after unescaping.
    pub(crate) template: Arc<str>,
    /// Whether the template is exactly the text that the user wrote.
    pub(crate) verbatim: bool,
}

impl Route {
    /// Whether the path is a regular expression.
    pub(crate) fn is_pattern(&self) -> bool {
        let has_sign = self.is_regex && self.path.contains('+');
        self.path_type.is_pattern(&self.path)
            || (has_sign && self.path_type == PathType::ImplementationSpecific)
    }
}

/// A port of the Service that requests go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BackendPort {
    /// The port as the user chose it: by number or by name.
    pub(crate) chosen: Sourced<PortRef>,
    /// The port of the Service; `None` if the Service has no such port.
    pub(crate) known: Option<KnownPort>,
}

impl BackendPort {
    /// The number of the Service's port; 0 if the Service has no such port.
    pub(crate) fn number(&self) -> u16 {
        self.known.as_ref().map_or(0, |known| known.number)
    }

    /// The name of the Service's port.
    pub(crate) fn name(&self) -> Option<&str> {
        self.known.as_ref()?.name.as_deref()
    }
}

/// A port that the Service has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownPort {
    pub(crate) number: u16,
    pub(crate) name: Option<String>,
    pub(crate) is_tcp: bool,
    /// The protocol that its `appProtocol` names.
    pub(crate) protocol: BackendProtocol,
}

impl From<&Port<'_>> for KnownPort {
    fn from(port: &Port<'_>) -> Self {
        let protocol = port.app_protocol.map(backend_protocol).unwrap_or_default();
        Self { number: port.number, name: port.name.map(str::to_owned), is_tcp: port.tcp, protocol }
    }
}

/// A canary: the share of another Service's requests that this Service receives.
///
/// ```
/// use serde_json::json;
/// use xposer::testing;
/// let plan = testing::plan(&[("CanaryOf", "stable"), ("CanaryWeight", "10")], json!({}))?;
/// assert_eq!(plan.routes()[0].host, "stable.shop.example.com");
/// assert!(plan.canary().is_some_and(|canary| canary.of == "stable" && canary.weight == Some(10)));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Canary {
    /// The name of the other Service, in the same namespace.
    pub of: String,
    /// The percentage of the requests, 0 to 100.
    pub weight: Option<u8>,
    /// The name of a header.
    pub header: Option<String>,
    /// The value of the header that sends a request to the canary; `None` means `always`.
    pub header_value: Option<String>,
    /// The name of a cookie whose value `always` sends a request to the canary.
    pub cookie: Option<String>,
}

impl Canary {
    /// Whether this canary has a larger weight than the other one, or another header or cookie.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::testing;
    /// let plan = |weight| testing::plan(&[("CanaryOf", "stable"), ("CanaryWeight", weight)], json!({}));
    /// let (less, more) = (plan("10")?, plan("20")?);
    /// let gets_more = |one: &xposer::Plan, other: &xposer::Plan| one.canary().zip(other.canary()).map(|(one, other)| one.gets_more(other));
    /// assert_eq!((gets_more(&more, &less), gets_more(&less, &more)), (Some(true), Some(false)));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn gets_more(&self, other: &Self) -> bool {
        self.weight > other.weight
            || (&self.header, &self.header_value, &self.cookie)
                != (&other.header, &other.header_value, &other.cookie)
    }
}

/// The monitor of an exposed Service.
///
/// ```
/// use serde_json::json;
/// use xposer::testing;
/// let plan = testing::plan(&[("Monitor", "true"), ("MonitorHealthEndpoint", "/healthz")], json!({}))?;
/// let monitor = plan.monitor();
/// assert!(monitor.is_some_and(|monitor| monitor.health_endpoint.as_deref() == Some("/healthz") && !monitor.force_https));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Monitor {
    /// Whether the monitor uses https although the plan has no TLS.
    pub force_https: bool,
    /// The path that is requested instead of the path of the route.
    pub health_endpoint: Option<String>,
    /// Options of the provider, in the format of `EndpointMonitorSpec`.
    pub provider: Map<String, Value>,
}

/// An entry of the URL ConfigMap.
///
/// ```
/// use serde_json::json;
/// use xposer::plan::Scope;
/// use xposer::service::FORWARD_ANNOTATION;
/// use xposer::testing;
/// let plan = testing::plan(&[(FORWARD_ANNOTATION, "exposeIngressUrl: locally")], json!({}))?;
/// let Some(entry) = plan.published() else { panic!("the block has the key") };
/// assert_eq!(entry.scope, Scope::Locally);
/// assert_eq!((entry.key.as_str(), entry.value.as_str()), ("web-shop", "web.shop.example.com"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// The ConfigMaps that have the entry.
    pub scope: Scope,
    /// The key: `<service>-<namespace>`.
    pub key: String,
    /// The value: the first host without scheme and path, or the whole URL if the setting `publishedValue` is `url`.
    pub value: String,
    /// The byte range of the line in the forwarded block.
    pub(crate) place: Range<usize>,
}

impl Published {
    /// Returns the key of a Service.
    ///
    /// ```
    /// assert_eq!(xposer::plan::Published::key_of("web", "shop"), "web-shop");
    /// ```
    #[must_use]
    pub fn key_of(service: &str, namespace: &str) -> String {
        [service, "-", namespace].concat()
    }
}

/// Where the URL is published; the words are the values of the key `exposeIngressUrl` in the forwarded block.
///
/// ```
/// use serde_json::json;
/// use xposer::{plan::Scope, service::FORWARD_ANNOTATION, testing};
/// let plan = testing::plan(&[(FORWARD_ANNOTATION, "exposeIngressUrl: globally")], json!({}))?;
/// assert_eq!(plan.published().map(|entry| entry.scope), Some(Scope::Globally));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `locally`: in the ConfigMap of the Service's namespace.
    Locally,
    /// `globally`: in the ConfigMap of every namespace. The emitted ConfigMaps are for the namespaces of the given plans.
    Globally,
}
