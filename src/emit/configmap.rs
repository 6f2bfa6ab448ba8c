//! The URL ConfigMap `xposer`: one for each namespace, with the entries of all its Services.

use std::collections::{BTreeMap, BTreeSet};

use super::metadata::Metadata;
use super::{Kind, Object};
use crate::diagnostics::{Code, FieldPath, Problem, Report};
use crate::plan::{Plan, Published, Scope};
use crate::service::{FORWARD_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL};

/// The name of the URL ConfigMap, in every namespace.
///
/// ```
/// use serde_json::json;
/// use xposer::{emit::URL_CONFIG_MAP, service::FORWARD_ANNOTATION, testing};
/// let plan = testing::plan(&[(FORWARD_ANNOTATION, "exposeIngressUrl: locally")], json!({}))?;
/// assert_eq!(plan.emit().objects[1].name(), URL_CONFIG_MAP);
/// # Ok::<(), xposer::Report>(())
/// ```
pub const URL_CONFIG_MAP: &str = "xposer";

/// Returns the ConfigMaps of several plans, in the order of their namespaces. An entry for every namespace is added to the
/// namespaces of these plans only, which is reported.
pub(super) fn maps<'p>(plans: &[&'p Plan], report: &mut Report) -> Vec<Object<'p>> {
    let entries =
        || plans.iter().filter_map(|plan| Some((*plan, plan.namespace()?, plan.published.as_ref()?)));
    let mut namespaces = BTreeSet::new();
    if entries().any(|(_, _, published)| published.scope == Scope::Globally) {
        namespaces.extend(plans.iter().filter_map(|plan| plan.namespace()));
    }
    let mut maps: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (plan, own, published) in entries() {
        match published.scope {
            Scope::Locally => {
                maps.entry(own).or_default().insert(&published.key, &published.value);
            }
            Scope::Globally => {
                for namespace in &namespaces {
                    maps.entry(namespace).or_default().insert(&published.key, &published.value);
                }
                report.merge(report_of_local_publication(plan, published, &namespaces));
            }
        }
    }
    maps.into_iter()
        .map(|(namespace, data)| {
            let metadata = Metadata {
                annotations: Vec::new(),
                labels: vec![(MANAGED_BY_LABEL, MANAGED_BY)],
                name: URL_CONFIG_MAP.into(),
                namespace: Some(namespace),
            };
            Object { data: Some(data), ..Object::new(Kind::ConfigMap, metadata, None) }
        })
        .collect()
}

/// The finding that the URL is only published in these namespaces.
fn report_of_local_publication(plan: &Plan, published: &Published, namespaces: &BTreeSet<&str>) -> Report {
    let mut report = Report::new(plan.subject.clone(), false);
    let mut listed: Vec<&str> = namespaces.iter().copied().take(3).collect();
    if namespaces.len() > listed.len() {
        listed.push("...");
    }
    let message = format!(
        "the URL is published in the namespaces of this input only ({}), not in every namespace of the cluster",
        listed.join(", ")
    );
    let problem = Problem::new(Code::PublishedHere, message)
        .help("render the Services of all namespaces in one run")
        .at(published.place.clone());
    report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem);
    report
}
