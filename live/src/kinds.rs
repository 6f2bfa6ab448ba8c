//! The kinds of objects that the controller keeps, in the types of kube, and the permissions for them.

use kube::api::ApiResource;
pub use xposer::emit::Kind;
pub use xposer::guard::ForeignKind;

/// Where the API serves a kind.
pub fn resource(kind: Kind) -> ApiResource {
    let row = kind.row();
    ApiResource {
        group: kind.group().into(),
        version: kind.version().into(),
        api_version: row.api_version.into(),
        kind: row.name.into(),
        plural: row.plural.into(),
    }
}

/// Where the API may serve a kind that we do not write, the preferred version first.
pub fn foreign_resources(kind: ForeignKind) -> impl Iterator<Item = ApiResource> {
    kind.versions().iter().map(move |version| ApiResource {
        group: kind.group().into(),
        version: (*version).into(),
        api_version: format!("{}/{version}", kind.group()),
        kind: kind.as_str().into(),
        plural: kind.plural().into(),
    })
}

/// The kinds of objects that would be open, or would not work, without an object of this kind, which protects or changes what
/// they serve. It is applied before them and deleted after them.
pub fn needed_by(kind: Kind) -> &'static [Kind] {
    match kind {
        // With Traefik, an HTTPRoute can refer to a Middleware, too.
        Kind::Middleware => &[Kind::Ingress, Kind::HttpRoute],
        Kind::SecurityPolicy | Kind::BackendTrafficPolicy | Kind::HttpRouteFilter => &[Kind::HttpRoute],
        Kind::Ingress
        | Kind::HttpRoute
        | Kind::ListenerSet
        | Kind::Route
        | Kind::EndpointMonitor
        | Kind::ConfigMap => &[],
    }
}

/// Whether other objects need those of this kind.
pub fn is_helper(kind: Kind) -> bool {
    !needed_by(kind).is_empty()
}

/// What to do, if we may not write a kind; `None` of the one that we always may.
pub fn permission_help(kind: Kind) -> Option<String> {
    let permission = kind.row().permission?;
    let verb = if permission.is_default { "leave out" } else { "add" };
    Some(format!(
        "{verb} the component `{}` of deploy/controller, or set `{}: true` in the values of the chart",
        permission.component, permission.chart_value
    ))
}

/// Whether a message of the API server says that the roles do not give what a request for this kind needs. A webhook refuses
/// with the same status code.
pub fn is_missing_permission(kind: Kind, message: &str) -> bool {
    message.contains(" cannot ") && message.contains(&format!(" resource \"{}\"", kind.row().plural))
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
            let Some(permission) = kind.row().permission else {
                assert_eq!(kind, Kind::ConfigMap);
                continue;
            };
            let (component, value) = (permission.component, permission.chart_value);
            let (group, plural, adds) = (kind.group(), kind.row().plural, !permission.is_default);
            let patches = text(&format!("controller/components/{component}/kustomization.yaml"));
            let names = |text: &str, word: &str| text.contains(&format!("[{word}]"));
            assert!(names(&patches, plural) && names(&patches, group) == adds, "{component}: {patches}");
            let set = values.pointer(&format!("/{}", value.replace('.', "/")));
            // The chart derives it from the settings.
            assert_eq!(set, Some(&Value::Null), "{value}");
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
            assert!(Kind::from_name(target.as_str()).is_some(), "{target:?}");
        }
    }
}
