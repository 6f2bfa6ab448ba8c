//! Argo CD 3, which shows links at an application.

pub(super) mod write;

/// The annotation with a link. Several keys with this prefix are several links.
const LINK: &str = "link.argocd.argoproj.io/external-link";
/// The annotation without which the URLs that Argo CD makes of an Ingress are shown, too.
const IGNORE_DEFAULT: &str = "argocd.argoproj.io/ignore-default-links";

/// Whether a key is about the link.
pub(super) fn is_key(key: &str) -> bool {
    matches!(key, LINK | IGNORE_DEFAULT)
}
