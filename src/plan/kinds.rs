//! The kinds of objects that are emitted: one row each.

use std::fmt;

use crate::values::Target;

/// A kind of object that is emitted. [`Kind::row`] returns its names and permissions, which the controller, the KRM function, the
/// RBAC manifests and the chart use.
///
/// ```
/// use xposer::emit::Kind;
/// assert_eq!(Kind::from_name("HTTPRoute"), Some(Kind::HttpRoute));
/// assert_eq!((Kind::HttpRoute.group(), Kind::HttpRoute.version()), ("gateway.networking.k8s.io", "v1"));
/// assert_eq!(Kind::HttpRoute.row().plural, "httproutes");
/// assert!(Kind::ALL.iter().all(|kind| Kind::from_name(&kind.to_string()) == Some(*kind)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An Ingress (`networking.k8s.io`).
    Ingress,
    /// An HTTPRoute of the Gateway API.
    HttpRoute,
    /// A ListenerSet of the Gateway API.
    ListenerSet,
    /// A Route of OpenShift.
    Route,
    /// An EndpointMonitor of IngressMonitorController.
    EndpointMonitor,
    /// A Middleware of Traefik.
    Middleware,
    /// A SecurityPolicy of Envoy Gateway.
    SecurityPolicy,
    /// A BackendTrafficPolicy of Envoy Gateway.
    BackendTrafficPolicy,
    /// An HTTPRouteFilter of Envoy Gateway.
    HttpRouteFilter,
    /// The URL ConfigMap, which all Services of a namespace share.
    ConfigMap,
}

/// A row of the table of kinds.
///
/// ```
/// use xposer::emit::Kind;
/// let row = Kind::HttpRoute.row();
/// assert_eq!((row.name, row.plural), ("HTTPRoute", "httproutes"));
/// assert!(row.is_namespaced && !row.is_built_in);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KindRow {
    /// The group and version as an object's `apiVersion` has them: `networking.k8s.io/v1`; `v1` in the core group.
    pub api_version: &'static str,
    /// The kind, as the API writes it.
    pub name: &'static str,
    /// The resource, as the paths of the API and RBAC rules write it.
    pub plural: &'static str,
    /// Whether objects of this kind are namespaced.
    pub is_namespaced: bool,
    /// Whether every API server has the kind. The other kinds exist only where their CustomResourceDefinition is installed.
    pub is_built_in: bool,
    /// The choice that permits the controller to write the kind; `None` if the controller always may.
    pub permission: Option<Permission>,
}

/// The choice of an administrator that permits the controller to write a kind.
///
/// ```
/// use xposer::emit::Kind;
/// let permission = Kind::Route.row().permission.expect("only the ConfigMap has none");
/// assert_eq!((permission.component, permission.is_default), ("route", false));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permission {
    /// Whether the manifests without components give the permission.
    pub is_default: bool,
    /// The component of `deploy/controller` that adds the permission, or removes it if it is given by default.
    pub component: &'static str,
    /// The value of the chart that gives the permission if it is true.
    pub chart_value: &'static str,
}

const fn permission(is_default: bool, component: &'static str, chart_value: &'static str) -> Permission {
    Permission { is_default, component, chart_value }
}

/// What most kinds have in common.
const ROW: KindRow = KindRow {
    api_version: "",
    name: "",
    plural: "",
    is_namespaced: true,
    is_built_in: false,
    permission: None,
};

/// What the kinds of Envoy Gateway have in common.
const ENVOY: KindRow = KindRow {
    api_version: "gateway.envoyproxy.io/v1alpha1",
    permission: Some(permission(false, "envoy-gateway", "targets.envoyGateway")),
    ..ROW
};

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Ingress,
        Self::HttpRoute,
        Self::ListenerSet,
        Self::Route,
        Self::EndpointMonitor,
        Self::Middleware,
        Self::SecurityPolicy,
        Self::BackendTrafficPolicy,
        Self::HttpRouteFilter,
        Self::ConfigMap,
    ];

    /// The row of the table.
    ///
    /// ```
    /// use xposer::emit::Kind;
    /// let row = Kind::Ingress.row();
    /// assert_eq!((row.api_version, row.plural), ("networking.k8s.io/v1", "ingresses"));
    /// assert!(row.is_namespaced && row.is_built_in);
    /// assert!(row.permission.is_some_and(|it| it.is_default && it.chart_value == "targets.ingress"));
    /// ```
    #[must_use]
    pub const fn row(self) -> KindRow {
        match self {
            Self::Ingress => KindRow {
                api_version: "networking.k8s.io/v1",
                name: Target::Ingress.as_str(),
                plural: "ingresses",
                is_built_in: true,
                permission: Some(permission(true, "no-ingress", "targets.ingress")),
                ..ROW
            },
            Self::HttpRoute => KindRow {
                api_version: "gateway.networking.k8s.io/v1",
                name: Target::HttpRoute.as_str(),
                plural: "httproutes",
                permission: Some(permission(false, "httproute", "targets.httpRoute")),
                ..ROW
            },
            Self::ListenerSet => KindRow {
                api_version: "gateway.networking.k8s.io/v1",
                name: "ListenerSet",
                plural: "listenersets",
                permission: Some(permission(false, "listenerset", "targets.listenerSet")),
                ..ROW
            },
            Self::Route => KindRow {
                api_version: "route.openshift.io/v1",
                name: Target::Route.as_str(),
                plural: "routes",
                permission: Some(permission(false, "route", "targets.route")),
                ..ROW
            },
            Self::EndpointMonitor => KindRow {
                api_version: "endpointmonitor.stakater.com/v1alpha1",
                name: "EndpointMonitor",
                plural: "endpointmonitors",
                permission: Some(permission(false, "monitor", "targets.endpointMonitor")),
                ..ROW
            },
            Self::Middleware => KindRow {
                api_version: "traefik.io/v1alpha1",
                name: "Middleware",
                plural: "middlewares",
                permission: Some(permission(false, "traefik", "targets.traefik")),
                ..ROW
            },
            Self::SecurityPolicy => KindRow { name: "SecurityPolicy", plural: "securitypolicies", ..ENVOY },
            Self::BackendTrafficPolicy => {
                KindRow { name: "BackendTrafficPolicy", plural: "backendtrafficpolicies", ..ENVOY }
            }
            Self::HttpRouteFilter => KindRow { name: "HTTPRouteFilter", plural: "httproutefilters", ..ENVOY },
            Self::ConfigMap => KindRow {
                api_version: "v1",
                name: "ConfigMap",
                plural: "configmaps",
                is_built_in: true,
                ..ROW
            },
        }
    }

    /// The kind as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Returns the kind with this name, which is case-sensitive; `None` if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The API group; empty for the core group.
    #[must_use]
    pub fn group(self) -> &'static str {
        self.row().api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The version of the API group.
    #[must_use]
    pub fn version(self) -> &'static str {
        let api_version = self.row().api_version;
        api_version.split_once('/').map_or(api_version, |(_, version)| version)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
