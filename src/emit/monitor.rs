//! `endpointmonitor.stakater.com/v1alpha1` EndpointMonitor of IngressMonitorController.
//!
//! The monitor has the URL itself. By `urlFrom`, the controller would read the URL off an Ingress or a Route, but it does not watch
//! those, so that it asks an old host for minutes; and it knows no HTTPRoute. Beside a URL it ignores `forceHttps` and
//! `healthEndpoint`, so both are a part of the URL.

use serde_json::{Map, Value};

use super::{Annotations, Kind, Resource};
use crate::plan::Plan;

pub(super) type EndpointMonitor<'p> = Resource<'p, Map<String, Value>>;

/// The monitor of a plan, if it has one.
pub(super) fn monitor<'p>(plan: &'p Plan<'p>) -> Option<EndpointMonitor<'p>> {
    let monitor = plan.monitor.as_ref()?;
    let mut spec = monitor.provider.clone();
    spec.insert("url".to_owned(), plan.monitored_url(monitor).into());
    let name = plan.ingress.name.as_str();
    Some(Resource::new(Kind::EndpointMonitor, plan, name.into(), Annotations::Of(&[]), spec))
}
