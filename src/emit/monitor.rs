//! `endpointmonitor.stakater.com/v1alpha1` EndpointMonitor of IngressMonitorController.
//!
//! The monitor has the URL itself. With `urlFrom`, the IngressMonitorController would read the URL from an Ingress or a Route, but
//! it does not watch these objects, so the monitor would request an old host for minutes, and it cannot read HTTPRoutes. If `url`
//! is set, it ignores `forceHttps` and `healthEndpoint`, so both are a part of the URL.

use super::metadata::Metadata;
use super::{Kind, Object, Spec};
use crate::plan::Plan;

/// The monitor of a plan, if it has one.
pub(super) fn monitor(plan: &Plan) -> Option<Object<'_>> {
    let monitor = plan.monitor()?;
    let mut spec = monitor.provider.clone();
    spec.insert("url".to_owned(), plan.monitored_url(monitor).into());
    let metadata = Metadata::new(plan, plan.name().into(), Vec::new());
    Some(Object::new(Kind::EndpointMonitor, metadata, Some(Spec::Other(spec.into()))))
}
