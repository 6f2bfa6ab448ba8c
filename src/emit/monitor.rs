//! `endpointmonitor.stakater.com/v1alpha1` EndpointMonitor of IngressMonitorController.
//!
//! The monitor has the URL itself. With `urlFrom`, the controller would read the URL of an Ingress or a Route, but it does not
//! watch those, so it would request an old host for minutes, and it does not know HTTPRoutes. Beside a URL it ignores `forceHttps`
//! and `healthEndpoint`, so both are a part of the URL.

use serde_json::{Map, Value};

use super::Kind;
use super::metadata::Resource;
use crate::plan::Plan;

pub(super) type EndpointMonitor<'p> = Resource<'p, Map<String, Value>>;

/// The monitor of a plan, if it has one.
pub(super) fn monitor(plan: &Plan) -> Option<EndpointMonitor<'_>> {
    let monitor = plan.monitor()?;
    let mut spec = monitor.provider.clone();
    spec.insert("url".to_owned(), plan.monitored_url(monitor).into());
    Some(Resource::new(Kind::EndpointMonitor, plan, plan.name().into(), Vec::new(), spec))
}
