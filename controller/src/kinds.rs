//! The kinds of objects that the controller keeps.

use kube::api::ApiResource;

/// A kind of object that the core emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Ingress,
    HttpRoute,
    Route,
    Monitor,
    /// The URL ConfigMap, which belongs to all Services of a namespace.
    ConfigMap,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Ingress, Self::HttpRoute, Self::Route, Self::Monitor, Self::ConfigMap];

    /// Group, version, kind and plural.
    fn row(self) -> [&'static str; 4] {
        match self {
            Self::Ingress => ["networking.k8s.io", "v1", "Ingress", "ingresses"],
            Self::HttpRoute => ["gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"],
            Self::Route => ["route.openshift.io", "v1", "Route", "routes"],
            Self::Monitor => {
                ["endpointmonitor.stakater.com", "v1alpha1", "EndpointMonitor", "endpointmonitors"]
            }
            Self::ConfigMap => ["", "v1", "ConfigMap", "configmaps"],
        }
    }

    /// The kind as the API writes it.
    pub(crate) fn as_str(self) -> &'static str {
        let [_, _, kind, _] = self.row();
        kind
    }

    /// The kind that the API writes so.
    pub(crate) fn parse(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == kind)
    }

    /// Where the API serves it.
    pub(crate) fn resource(self) -> ApiResource {
        let [group, version, kind, plural] = self.row();
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        ApiResource {
            group: group.into(),
            version: version.into(),
            api_version,
            kind: kind.into(),
            plural: plural.into(),
        }
    }

    /// Whether every API server serves it.
    pub(crate) fn is_built_in(self) -> bool {
        matches!(self, Self::Ingress | Self::ConfigMap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_of_the_core_is_a_kind() {
        for target in xposer::Target::ALL {
            assert!(Kind::parse(target.as_str()).is_some(), "{target:?}");
        }
    }
}
