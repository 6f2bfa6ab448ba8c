//! Why a request about the ConfigMaps of the claims came to nothing.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The ConfigMap is not as it was.
    Outdated,
    NoNamespace(String),
    NoPermission(String),
    Refused(String),
    Unavailable(String),
}

impl Failure {
    /// The word of the metric.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Outdated => "outdated",
            Self::NoNamespace(_) => "no_namespace",
            Self::NoPermission(_) => "no_permission",
            Self::Refused(_) => "refused",
            Self::Unavailable(_) => "unavailable",
        }
    }
}
