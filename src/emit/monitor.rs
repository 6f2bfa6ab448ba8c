//! `endpointmonitor.stakater.com/v1alpha1` EndpointMonitor of IngressMonitorController.

use serde_json::{Map, Value, json};

use super::{Annotations, Resource};
use crate::plan::Plan;
use crate::value::Target;

pub(super) const KIND: (&str, &str) = ("endpointmonitor.stakater.com/v1alpha1", "EndpointMonitor");

pub(super) type EndpointMonitor<'p> = Resource<'p, Map<String, Value>>;

/// The monitor of a plan, if it has one.
pub(super) fn monitor<'p>(plan: &'p Plan<'p>) -> Option<EndpointMonitor<'p>> {
    let monitor = plan.monitor.as_ref()?;
    let name = plan.ingress.name.as_str();
    let mut spec = monitor.provider.clone();
    let reference = |field: &str| json!({field: {"name": name}});
    // The controller reads the URL off an Ingress or a Route; of an HTTPRoute it knows nothing.
    match plan.targets.first() {
        Some(Target::Ingress) => spec.insert("urlFrom".to_owned(), reference("ingressRef")),
        Some(Target::Route) => spec.insert("urlFrom".to_owned(), reference("routeRef")),
        Some(Target::HttpRoute) | None => spec.insert("url".to_owned(), url(plan).into()),
    };
    if monitor.force_https {
        spec.insert("forceHttps".to_owned(), true.into());
    }
    if let Some(path) = &monitor.health_endpoint {
        spec.insert("healthEndpoint".to_owned(), path.as_str().into());
    }
    Some(Resource::new(KIND, plan, name.into(), Annotations::Of(&[]), spec))
}

/// The URL of the plan, with the health endpoint in place of its path.
fn url(plan: &Plan<'_>) -> String {
    let health = plan.monitor.as_ref().and_then(|monitor| monitor.health_endpoint.as_deref());
    match (health, plan.ingress.rules.first()) {
        (Some(path), Some(rule)) => {
            format!("{}://{}{path}", if plan.tls.is_on() { "https" } else { "http" }, rule.host)
        }
        _ => plan.url(),
    }
}
