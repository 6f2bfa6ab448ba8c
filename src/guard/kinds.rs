//! The kinds of objects that assign hosts in a controller and that Xposer never emits: one row each.

/// A kind of object that assigns hosts in a controller and that Xposer never emits. The controller of Xposer reads the hosts of
/// these objects for the claims; the manifests and the chart give it the permission to list them.
///
/// ```
/// use xposer::guard::{ForeignKind, is_guarded};
/// let tls = ForeignKind::TlsRoute;
/// assert_eq!((tls.group(), tls.as_str(), tls.plural()), ("gateway.networking.k8s.io", "TLSRoute", "tlsroutes"));
/// // The version of the API that is asked for first.
/// assert_eq!(tls.versions()[0], "v1");
/// assert!(ForeignKind::ALL.iter().all(|kind| is_guarded(kind.group(), kind.as_str())));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForeignKind {
    /// A GRPCRoute of the Gateway API.
    GrpcRoute,
    /// A TLSRoute of the Gateway API.
    TlsRoute,
}

impl ForeignKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::GrpcRoute, Self::TlsRoute];

    /// The kind as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GrpcRoute => "GRPCRoute",
            Self::TlsRoute => "TLSRoute",
        }
    }

    /// The resource, as the paths of the API and RBAC rules write it.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::GrpcRoute => "grpcroutes",
            Self::TlsRoute => "tlsroutes",
        }
    }

    /// The API group.
    #[must_use]
    pub const fn group(self) -> &'static str {
        super::gateway::GROUP
    }

    /// The versions of the API that have the hosts in the same field, the preferred one first. An API server that has the kind has
    /// at least one of them: TLSRoutes were in no release's standard channel before Gateway API 1.5, and earlier releases have no
    /// `v1`.
    #[must_use]
    pub const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::GrpcRoute => &["v1"],
            Self::TlsRoute => &["v1", "v1alpha3", "v1alpha2"],
        }
    }
}
