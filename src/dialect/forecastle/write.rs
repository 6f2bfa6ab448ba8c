//! The annotation with the link of Forecastle.

use super::{EXPOSE, URL, exposes};
use crate::dialect::write::WrittenAnnotation;
use crate::plan::Plan;
use crate::values::{Target, Tls};

/// Writes the URL of the link if Forecastle would build a wrong one. For an Ingress without a TLS section, Forecastle builds an
/// `http` URL with the first path unchanged, even if the path is a regular expression; for an HTTPRoute, an `https` URL of the
/// first host without the path. The rule `forecastle` reports a link to a wildcard host.
pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    let is_listed = plan.annotation(EXPOSE).is_some_and(|it| exposes(&it.key, &it.value));
    let is_read = match target {
        // Forecastle would list the HTTPRoute in addition to the Ingress.
        Target::HttpRoute => !plan.targets.contains(&Target::Ingress),
        _ => plan.targets != [Target::Route],
    };
    let Some(rule) = plan.rules.first().filter(|_| is_listed && is_read) else { return Vec::new() };
    let is_wildcard = rule.host.starts_with("*.");
    let url = plan.url();
    let origin = match &plan.tls {
        Some(tls) if tls.value == Tls::LoadBalancer && !is_wildcard => &tls.origin,
        _ if plan.url_path != rule.path && !is_wildcard => &rule.path_origin,
        _ if target == Target::HttpRoute && url != format!("https://{}", rule.host) => &rule.path_origin,
        _ => return Vec::new(),
    };
    vec![WrittenAnnotation { key: URL, value: url.into(), origin: origin.clone() }]
}
