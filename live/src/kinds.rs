//! The kinds of objects that the controller manages, as types of kube, and the permissions for them.

use kube::api::ApiResource;
pub use xposer::emit::Kind;
pub use xposer::guard::ForeignKind;

/// The API resource of a kind.
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

/// The API resources of a kind that Xposer does not emit, in all versions that a server may have, the preferred version first.
pub fn foreign_resources(kind: ForeignKind) -> impl Iterator<Item = ApiResource> {
    kind.versions().iter().map(move |version| ApiResource {
        group: kind.group().into(),
        version: (*version).into(),
        api_version: format!("{}/{version}", kind.group()),
        kind: kind.as_str().into(),
        plural: kind.plural().into(),
    })
}

/// The kinds of objects that would be unprotected, or would not work, without an object of this kind, because it protects or
/// changes what they serve. It is applied before them and deleted after them.
pub fn needed_by(kind: Kind) -> &'static [Kind] {
    match kind {
        // With Traefik, an HTTPRoute can also refer to a Middleware.
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

/// Whether objects of other kinds need objects of this kind.
pub fn is_auxiliary(kind: Kind) -> bool {
    !needed_by(kind).is_empty()
}

/// The help if the controller may not write a kind; `None` for the kind that it always may write.
pub fn permission_help(kind: Kind) -> Option<String> {
    let permission = kind.row().permission?;
    let verb = if permission.is_default { "leave out" } else { "add" };
    Some(format!(
        "{verb} the component `{}` of deploy/controller, or set `{}: true` in the values of the chart",
        permission.component, permission.chart_value
    ))
}

/// Whether a message of the API server tells that the roles do not permit a request for this kind. The status code is not enough,
/// because a webhook refuses with the same one.
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
    fn documented_permissions_exist_for_every_kind() {
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
            // The chart derives the value from the settings.
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
