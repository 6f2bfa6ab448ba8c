//! Kinds that give hosts to a program and that are never emitted: one row each.

/// A kind of object that gives hosts to a program, that others write, and that is never emitted. The controller reads its hosts for the claims; the
/// manifests and the chart give it the permission to list them.
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

    /// The group.
    #[must_use]
    pub const fn group(self) -> &'static str {
        super::gateway::GROUP
    }

    /// The versions of the API in which its hosts stand in the same place, the preferred one first. An API server has at least one of them if
    /// it has the kind: TLSRoutes were in no release's standard channel before Gateway API 1.5, and those before had no `v1`.
    #[must_use]
    pub const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::GrpcRoute => &["v1"],
            Self::TlsRoute => &["v1", "v1alpha3", "v1alpha2"],
        }
    }
}
