//! Types of option values that are not plain texts, numbers or booleans.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use crate::diagnostics::words;
use crate::validation::parse_bool;

/// Collects items into a set. Unlike `collect`, this does not instantiate a sort for each type, which would make the policy's
/// module larger.
///
/// ```
/// assert_eq!(xposer::internal::set([2, 1, 2]).len(), 2);
/// ```
pub fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}

/// The kind of object that exposes a Service.
///
/// ```
/// use xposer::Target;
/// assert_eq!("HTTPRoute".parse(), Ok(Target::HttpRoute));
/// assert_eq!(Target::HttpRoute.to_string(), "HTTPRoute");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// `networking.k8s.io/v1` Ingress.
    Ingress,
    /// `gateway.networking.k8s.io/v1` HTTPRoute of the Gateway API.
    HttpRoute,
    /// `route.openshift.io/v1` Route of OpenShift.
    Route,
}

words!(Target { Ingress = "Ingress", HttpRoute = "HTTPRoute", Route = "Route" });

impl Target {
    /// The kind with its indefinite article, as it stands in a sentence.
    ///
    /// ```
    /// use xposer::Target;
    /// assert_eq!(Target::ALL.map(Target::with_article), ["an Ingress", "an HTTPRoute", "a Route"]);
    /// ```
    #[must_use]
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Ingress => "an Ingress",
            Self::HttpRoute => "an HTTPRoute",
            Self::Route => "a Route",
        }
    }
}

/// The kind of TLS for a host. The boolean values have all spellings of [`parse_bool`].
///
/// ```
/// use xposer::values::Tls;
/// assert_eq!("TRUE".parse(), Ok(Tls::Secret));
/// assert_eq!("load-balancer".parse(), Ok(Tls::LoadBalancer));
/// assert!(Tls::CertManager.is_on() && Tls::CertManager.has_secret() && !Tls::Off.is_on());
/// assert!("maybe".parse::<Tls>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// No TLS.
    #[default]
    Off,
    /// TLS with the certificate in a secret.
    Secret,
    /// TLS with a certificate that cert-manager puts into a secret.
    CertManager,
    /// TLS at a load balancer in front of the controller, which has the certificates.
    LoadBalancer,
}

words!(
    Tls { Off = "false", Secret = "true", CertManager = "cert-manager", LoadBalancer = "load-balancer" }
    also |text| parse_bool(text).map(|on| if on { Self::Secret } else { Self::Off })
);

impl Tls {
    /// Whether the scheme of the URL is `https`.
    #[must_use]
    pub fn is_on(self) -> bool {
        self != Self::Off
    }

    /// Whether the emitted object names a secret with the certificate.
    #[must_use]
    pub fn has_secret(self) -> bool {
        matches!(self, Self::Secret | Self::CertManager)
    }
}

/// The place where the TLS connection to an OpenShift Route ends.
///
/// ```
/// use xposer::values::Termination;
/// assert_eq!("reencrypt".parse(), Ok(Termination::Reencrypt));
/// assert_eq!(Termination::default().as_str(), "edge");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Termination {
    /// At the router.
    #[default]
    Edge,
    /// At the pod; the router sees no path.
    Passthrough,
    /// At the router, which opens another connection to the pod.
    Reencrypt,
}

words!(Termination { Edge = "edge", Passthrough = "passthrough", Reencrypt = "reencrypt" });

/// A dashboard that shows links to exposed Services.
///
/// ```
/// use xposer::values::LinkPage;
/// assert_eq!("homepage".parse(), Ok(LinkPage::Homepage));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPage {
    /// Argo CD, which shows the link at the application.
    ArgoCd,
    /// Homepage (gethomepage.dev), which shows a tile.
    Homepage,
}

/// What an implementation of the Gateway API may lack. The words are those of `GatewayClass.status.supportedFeatures` (Gateway API
/// 1.6).
///
/// ```
/// use xposer::values::Feature;
/// assert_eq!("HTTPRouteCORS".parse(), Ok(Feature::Cors));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// A filter for CORS.
    Cors,
    /// Another path for the Service.
    PathRewrite,
    /// How long a request may take.
    RequestTimeout,
    /// Other headers for the client.
    ResponseHeaders,
    /// A redirect with the code 303.
    Code303,
    /// A redirect with the code 307.
    Code307,
    /// A redirect with the code 308.
    Code308,
}

words!(Feature {
    Cors = "HTTPRouteCORS",
    PathRewrite = "HTTPRoutePathRewrite",
    RequestTimeout = "HTTPRouteRequestTimeout",
    ResponseHeaders = "HTTPRouteResponseHeaderModification",
    Code303 = "HTTPRoute303RedirectStatusCode",
    Code307 = "HTTPRoute307RedirectStatusCode",
    Code308 = "HTTPRoute308RedirectStatusCode",
});

words!(LinkPage { ArgoCd = "argocd", Homepage = "homepage" });

/// The protocol between the controller and the Service.
///
/// ```
/// use xposer::values::BackendProtocol;
/// assert_eq!("grpc".parse(), Ok(BackendProtocol::Grpc));
/// assert!(BackendProtocol::Grpcs.has_tls() && !BackendProtocol::H2c.has_tls());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendProtocol {
    /// HTTP/1.1.
    #[default]
    Http,
    /// HTTP/2 without TLS.
    H2c,
    /// HTTP over TLS.
    Https,
    /// gRPC without TLS.
    Grpc,
    /// gRPC over TLS.
    Grpcs,
}

words!(BackendProtocol { Http = "http", H2c = "h2c", Https = "https", Grpc = "grpc", Grpcs = "grpcs" });

impl BackendProtocol {
    /// Whether the connection to the Service uses TLS.
    #[must_use]
    pub fn has_tls(self) -> bool {
        matches!(self, Self::Https | Self::Grpcs)
    }
}

/// The issuer of a certificate (cert-manager).
///
/// ```
/// use xposer::values::Issuer;
/// let issuer = Issuer { cluster: true, name: "letsencrypt".to_owned() };
/// assert!(issuer.cluster);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Whether the issuer is a ClusterIssuer; otherwise it is an Issuer in the Service's namespace.
    pub cluster: bool,
    /// The name of the issuer.
    pub name: String,
}

/// The parent of an HTTPRoute: a Gateway, or one of its listeners.
///
/// It is serialised as an entry of `parentRefs` with the defaults of the API server, so that an object in the cluster equals the
/// emitted object.
///
/// ```
/// use serde_json::json;
/// use xposer::values::ParentRef;
/// let gateway = ParentRef { name: "external".to_owned(), section_name: Some("https".to_owned()), ..ParentRef::default() };
/// assert_eq!(json!(gateway), json!({"group": "gateway.networking.k8s.io", "kind": "Gateway",
///     "name": "external", "sectionName": "https"}));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// The API group; `None` means `gateway.networking.k8s.io`.
    #[serde(serialize_with = "group_of_parent")]
    pub group: Option<String>,
    /// The kind; `None` means `Gateway`.
    #[serde(serialize_with = "kind_of_parent")]
    pub kind: Option<String>,
    /// The name.
    pub name: String,
    /// The namespace; `None` means the namespace of the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The port of the listener, 1 to 65535.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The name of the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

impl ParentRef {
    /// The group, kind, namespace and name of the object.
    fn object<'t>(&'t self, namespace: Option<&'t str>) -> (&'t str, &'t str, Option<&'t str>, &'t str) {
        let group = self.group.as_deref().unwrap_or(PARENT_GROUP);
        let kind = self.kind.as_deref().unwrap_or(GATEWAY);
        (group, kind, self.namespace.as_deref().or(namespace), &self.name)
    }

    /// The kind of the parent, if it may have listeners.
    pub(crate) fn kind_with_listeners(&self) -> Option<Cow<'_, str>> {
        let (group, kind, ..) = self.object(None);
        kind_with_listeners(group, kind)
    }

    /// Whether both are the same Gateway, for a route in this namespace. If the namespace of the route is not known, a missing
    /// namespace only equals a missing one.
    pub(crate) fn is_same_gateway(&self, other: &Self, namespace: Option<&str>) -> bool {
        self.object(namespace) == other.object(namespace)
    }

    /// Whether both can select the same listener of the same Gateway. Without a name or port, a reference selects all listeners.
    pub(crate) fn overlaps(&self, other: &Self, namespace: Option<&str>) -> bool {
        fn fits<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        self.is_same_gateway(other, namespace)
            && fits(self.section_name.as_ref(), other.section_name.as_ref())
            && fits(self.port.as_ref(), other.port.as_ref())
    }
}

/// The group of a parent without a group.
const PARENT_GROUP: &str = "gateway.networking.k8s.io";
/// The kind of a parent without a kind.
pub(crate) const GATEWAY: &str = "Gateway";
/// The group and kind of the parents of a route in a service mesh. Such a route takes the hosts of these objects, and no host of a
/// Gateway. Every other parent may have listeners.
const MESH_PARENTS: [(&str, &str); 4] = [
    ("", "Service"),
    ("core", "Service"),
    ("networking.istio.io", "ServiceEntry"),
    ("policy.linkerd.io", "EgressNetwork"),
];

/// Returns the kind of a parent, if it may have listeners. A `Gateway` of another group than that of the Gateway API has its group as an
/// ending.
pub(crate) fn kind_with_listeners<'k>(group: &str, kind: &'k str) -> Option<Cow<'k, str>> {
    let is_foreign = kind == GATEWAY && group != PARENT_GROUP;
    let shown = || if is_foreign { [kind, ".", group].concat().into() } else { kind.into() };
    (!MESH_PARENTS.contains(&(group, kind))).then(shown)
}

#[allow(clippy::ref_option, reason = "serde passes a reference to the field")]
fn group_of_parent<S: Serializer>(group: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(group.as_deref().unwrap_or(PARENT_GROUP))
}

#[allow(clippy::ref_option, reason = "serde passes a reference to the field")]
fn kind_of_parent<S: Serializer>(kind: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_deref().unwrap_or(GATEWAY))
}
