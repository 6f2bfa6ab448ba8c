//! `networking.k8s.io/v1` Ingress.
//!
//! It has no `defaultBackend`: controllers started with `--disable-catch-all` refuse an Ingress that has one, and others
//! would send it the requests for unknown hosts.

use serde::Serialize;

use super::metadata::{Metadata, with_intents};
use super::{Kind, Object};
use crate::plan::{Plan, Route, grouped};
use crate::service::PortRef;
use crate::values::Target;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ingress_class_name: Option<&'p str>,
    rules: Vec<Rule<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<[Tls<'p>; 1]>,
}

#[derive(Clone, Debug, Serialize)]
struct Rule<'p> {
    host: &'p str,
    http: Http<'p>,
}

#[derive(Clone, Debug, Serialize)]
struct Http<'p> {
    paths: Vec<Path<'p>>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Path<'p> {
    backend: Backend<'p>,
    path: &'p str,
    path_type: &'static str,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Backend<'p> {
    service: BackendService<'p>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct BackendService<'p> {
    name: &'p str,
    port: BackendPort<'p>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum BackendPort<'p> {
    Name(&'p str),
    Number(u16),
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tls<'p> {
    hosts: Vec<&'p str>,
    secret_name: &'p str,
}

/// The Ingress of a plan: one rule a host, in the order in which the hosts were given.
pub(super) fn ingress(plan: &Plan) -> Object<'_> {
    let port = match plan.port.as_ref().map(|port| &port.value) {
        Some(PortRef::Name(name)) => BackendPort::Name(name),
        Some(PortRef::Number(number)) => BackendPort::Number(*number),
        None => BackendPort::Number(plan.port_number),
    };
    let backend = Backend { service: BackendService { name: plan.service(), port } };
    let rules = rules(&plan.rules, backend);
    let hosts = || rules.iter().map(|rule| rule.host).collect();
    let tls = plan.secret().map(|secret_name| [Tls { hosts: hosts(), secret_name }]);
    let spec = Spec { ingress_class_name: plan.class(), rules, tls };
    let annotations = with_intents(plan.annotations.iter(), plan, Target::Ingress);
    let metadata = Metadata::new(plan, plan.name().into(), annotations);
    Object::new(Kind::Ingress, metadata, Some(super::Spec::Ingress(spec)))
}

/// One rule for every host, with all paths of the host.
fn rules<'p>(routes: &'p [Route], backend: Backend<'p>) -> Vec<Rule<'p>> {
    let paths = routes.iter().map(|route| {
        let path = Path { backend, path: &route.path, path_type: route.path_type.as_str() };
        (route.host.as_str(), path)
    });
    grouped(paths).into_iter().map(|(host, paths)| Rule { host, http: Http { paths } }).collect()
}
