//! Argo CD 3, which shows links for an application.

pub(super) mod write;

/// The annotation with a link. Each key with this prefix adds a link.
const LINK: &str = "link.argocd.argoproj.io/external-link";
/// The annotation that hides the URLs that Argo CD builds from an Ingress.
const IGNORE_DEFAULT: &str = "argocd.argoproj.io/ignore-default-links";

/// Whether a key is about the link.
pub(super) fn is_key(key: &str) -> bool {
    matches!(key, LINK | IGNORE_DEFAULT)
}
