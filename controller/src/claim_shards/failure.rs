//! The reasons why a request for a ConfigMap with claims failed.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The ConfigMap has changed in the meantime.
    Outdated,
    NoNamespace(String),
    NoPermission(String),
    Refused(String),
    Unavailable(String),
}

impl Failure {
    /// The label of the failure in the metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Outdated => "outdated",
            Self::NoNamespace(_) => "no_namespace",
            Self::NoPermission(_) => "no_permission",
            Self::Refused(_) => "refused",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// The log message. `name` is the ConfigMap; `None` means their list.
    pub(super) fn about(self, namespace: &str, name: Option<String>) -> String {
        match self {
            Self::Outdated => format!("a ConfigMap of the claims in the namespace {namespace} has changed"),
            Self::NoNamespace(message) => format!(
                "the claims are not written: the namespace {namespace} does not exist or is being deleted; create \
                 it, or correct `claims.namespace` in the settings ({message})"
            ),
            Self::NoPermission(message) => format!(
                "the claims are not written: no permission for ConfigMaps in the namespace {namespace}, or it is \
                 missing; add the component `claims` of deploy/controller, or set `claims.enabled: true` in the values of the chart, and check that its Role is in that namespace ({message})"
            ),
            Self::Refused(message) => {
                let what = name.unwrap_or_else(|| "their list".to_owned());
                // The API server gives this reason for a ConfigMap with `immutable: true`.
                let help = match message.contains("immutable") {
                    true => "; delete it, and it is created again within five minutes",
                    false => "",
                };
                format!(
                    "the claims are not written: the API server refused {namespace}/{what}: {message}{help}"
                )
            }
            Self::Unavailable(message) => format!("the claims cannot be written now: {message}"),
        }
    }
}
