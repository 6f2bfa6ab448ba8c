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

    /// What is chosen at the installation, so that we may write the kind: a component of `deploy/controller`, and a value of
    /// the chart. Ingresses may be written unless a component or a value says otherwise; the URL ConfigMap always.
    pub(crate) fn permission(self) -> Option<Permission> {
        let (adds, component, value) = match self {
            Self::Ingress => (false, "no-ingress", "targets.ingress"),
            Self::HttpRoute => (true, "httproute", "targets.httpRoute"),
            Self::Route => (true, "route", "targets.route"),
            Self::Monitor => (true, "monitor", "targets.endpointMonitor"),
            Self::ConfigMap => return None,
        };
        Some(Permission { adds, component, value })
    }

    /// Whether every API server serves it.
    pub(crate) fn is_built_in(self) -> bool {
        matches!(self, Self::Ingress | Self::ConfigMap)
    }
}

/// What gives the permission to write a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permission {
    /// Whether the component gives the permission; else it takes it away.
    adds: bool,
    component: &'static str,
    /// It is true where the permission is given.
    value: &'static str,
}

impl Permission {
    /// What to do, if we may not.
    pub(crate) fn help(self) -> String {
        let Self { adds, component, value } = self;
        let verb = if adds { "add" } else { "leave out" };
        format!(
            "{verb} the component `{component}` of deploy/controller, or set `{value}: true` in the values of the chart"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;
    use xposer_manifest::load;

    use super::*;

    fn text(file: &str) -> String {
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
        std::fs::read_to_string(deploy.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    #[test]
    fn the_permission_of_every_kind_can_be_had_as_we_say() {
        let values = load(&text("chart/xposer/values.yaml")).unwrap().remove(0).value;
        let (page, roles) = (text("README.md"), text("chart/xposer/templates/rbac.yaml"));
        for kind in Kind::ALL {
            let Some(Permission { adds, component, value }) = kind.permission() else {
                assert_eq!(kind, Kind::ConfigMap);
                continue;
            };
            let [group, _, _, plural] = kind.row();
            let patches = text(&format!("controller/components/{component}/kustomization.yaml"));
            let names = |text: &str, word: &str| text.contains(&format!("[{word}]"));
            assert!(names(&patches, plural) && names(&patches, group) == adds, "{component}: {patches}");
            let set = values.pointer(&format!("/{}", value.replace('.', "/")));
            assert_eq!(set, Some(&Value::Bool(!adds)), "{value}");
            let field = value.strip_prefix("targets.").unwrap();
            let rule = roles.split("{{- if ").find(|rule| rule.starts_with(&format!(".{field} }}}}")));
            assert!(rule.is_some_and(|rule| names(rule, plural)), "{value}: {roles}");
            let row = page.lines().find(|line| line.starts_with(&format!("| `{component}` |")));
            assert!(row.is_some_and(|row| row.contains(&format!("`{value}"))), "{component}: {row:?}");
        }
    }

    #[test]
    fn every_target_of_the_core_is_a_kind() {
        for target in xposer::Target::ALL {
            assert!(Kind::parse(target.as_str()).is_some(), "{target:?}");
        }
    }
}
