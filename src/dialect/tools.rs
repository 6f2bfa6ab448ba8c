//! The subjects of the annotations and labels of an existing Ingress, for a program that converts it to options.

use super::cert_manager::{is_about_issuer, is_issuer, named_kind};
use super::nginx::CANARY;
use super::{contour, kubernetes};

/// The subject of an annotation of an Ingress.
///
/// ```
/// use xposer::internal::{About, about};
/// assert_eq!(about("kubernetes.io/ingress.class"), About::Class);
/// assert_eq!(about("cert-manager.io/cluster-issuer"), About::Issuer { cluster: true });
/// assert_eq!(about("meta.helm.sh/release-name"), About::Tool("Helm"));
/// assert_eq!(about("nginx.ingress.kubernetes.io/proxy-body-size"), About::Other);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The class of the Ingress, which is a field today.
    Class,
    /// The issuer of the certificate.
    Issuer {
        /// Whether it is a ClusterIssuer.
        cluster: bool,
    },
    /// The kind or group of an issuer that belongs to another project.
    IssuerKind,
    /// The request for a certificate, without the name of an issuer.
    Certificate,
    /// Whether the Ingress gets some of the requests of another Ingress.
    Canary,
    /// The record that the program with this name writes about its own work.
    Tool(&'static str),
    /// Anything else.
    Other,
}

/// The annotations, or their prefixes, in which a program records its own work. They say nothing about what is served.
const TOOLS: &[(&str, &str)] = &[
    ("argocd.argoproj.io/compare-options", "Argo CD"),
    ("argocd.argoproj.io/hook", "Argo CD"),
    ("argocd.argoproj.io/hook-delete-policy", "Argo CD"),
    ("argocd.argoproj.io/installation-id", "Argo CD"),
    ("argocd.argoproj.io/sync-options", "Argo CD"),
    ("argocd.argoproj.io/sync-wave", "Argo CD"),
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("config.k8s.io", "kpt and kustomize"),
    ("config.kubernetes.io", "kpt and kustomize"),
    ("deploy.kubernetes.io", "the pipeline"),
    ("field.cattle.io", "Rancher"),
    ("fleet.cattle.io", "Fleet"),
    ("helm.sh", "Helm"),
    ("helm.toolkit.fluxcd.io", "Flux"),
    ("ingress.kubernetes.io/backends", "the Ingress controller of GKE"),
    ("ingress.kubernetes.io/forwarding-rule", "the Ingress controller of GKE"),
    ("ingress.kubernetes.io/https-forwarding-rule", "the Ingress controller of GKE"),
    ("ingress.kubernetes.io/https-target-proxy", "the Ingress controller of GKE"),
    ("ingress.kubernetes.io/ssl-cert", "the Ingress controller of GKE"),
    ("ingress.kubernetes.io/static-ip", "the Ingress controller of GKE"),
    ("ingress.kubernetes.io/target-proxy", "the Ingress controller of GKE"),
    ("ingress.kubernetes.io/url-map", "the Ingress controller of GKE"),
    ("internal.config.kubernetes.io", "kpt and kustomize"),
    ("kapp.k14s.io", "kapp"),
    ("kubectl.kubernetes.io", "kubectl"),
    ("kustomize.toolkit.fluxcd.io", "Flux"),
    ("meta.helm.sh", "Helm"),
    ("objectset.rio.cattle.io", "Rancher"),
    ("pulumi.com", "Pulumi"),
    ("reconcile.fluxcd.io", "Flux"),
    ("xposer.stakater.com", "Xposer"),
];

/// The prefixes of labels that record who created an Ingress, and from what.
const TOOL_LABELS: &[(&str, &str)] = &[
    ("app.kubernetes.io", "the chart or the manifest"),
    ("argocd.argoproj.io", "Argo CD"),
    ("fleet.cattle.io", "Fleet"),
    ("helm.sh", "Helm"),
    ("helm.toolkit.fluxcd.io", "Flux"),
    ("kapp.k14s.io", "kapp"),
    ("kustomize.toolkit.fluxcd.io", "Flux"),
    ("objectset.rio.cattle.io", "Rancher"),
    ("xposer.stakater.com", "Xposer"),
];

/// The labels of charts from before the recommended labels.
const OLD_CHART_LABELS: [&str; 3] = ["chart", "heritage", "release"];

/// Returns the subject of an annotation of an Ingress.
///
/// ```
/// use xposer::internal::{About, about};
/// assert_eq!(about("kubectl.kubernetes.io/last-applied-configuration"), About::Tool("kubectl"));
/// assert_eq!(about("nginx.ingress.kubernetes.io/canary"), About::Canary);
/// ```
#[must_use]
pub fn about(key: &str) -> About {
    match key {
        CANARY => return About::Canary,
        kubernetes::CLASS | contour::CLASS => return About::Class,
        kubernetes::TLS_ACME => return About::Certificate,
        _ => {}
    }
    if is_issuer(key)
        && let Some(cluster) = named_kind(key)
    {
        return About::Issuer { cluster };
    }
    if is_about_issuer(key) {
        return About::IssuerKind;
    }
    let prefix = key.split_once('/').map(|(prefix, _)| prefix);
    let tool = TOOLS.iter().find(|(known, _)| key == *known || prefix == Some(known));
    tool.map_or(About::Other, |(_, name)| About::Tool(name))
}

/// Returns the program that writes a label to record the origin of an Ingress; `None` for any other label.
///
/// ```
/// use xposer::internal::tool_of_label;
/// assert_eq!(tool_of_label("helm.sh/chart"), Some("Helm"));
/// assert_eq!(tool_of_label("team"), None);
/// ```
#[must_use]
pub fn tool_of_label(key: &str) -> Option<&'static str> {
    if OLD_CHART_LABELS.contains(&key) {
        return Some("Helm");
    }
    let (prefix, _) = key.split_once('/')?;
    TOOL_LABELS.iter().find(|(known, _)| *known == prefix).map(|(_, name)| *name)
}
