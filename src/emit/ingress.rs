//! `networking.k8s.io/v1` Ingress.
//!
//! There is no `defaultBackend`: controllers started with `--disable-catch-all` refuse an Ingress that has one, and for
//! the others it would be a catch-all.

use serde::Serialize;

use super::{Annotations, Kind, Resource};
use crate::check::Route;
use crate::plan::Plan;
use crate::service::PortRef;
use crate::validation::grouped;

pub(super) type Ingress<'p> = Resource<'p, Spec<'p>>;

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
pub(super) fn ingress<'p>(plan: &'p Plan<'p>) -> Ingress<'p> {
    let ingress = &plan.ingress;
    let port = match &ingress.port {
        PortRef::Number(number) => BackendPort::Number(*number),
        PortRef::Name(name) => BackendPort::Name(name),
    };
    let backend = Backend { service: BackendService { name: plan.service, port } };
    let rules = rules(&ingress.rules, backend);
    let tls = ingress.secret.as_ref().map(|secret| {
        [Tls { hosts: rules.iter().map(|rule| rule.host).collect(), secret_name: secret.as_str() }]
    });
    let spec = Spec { ingress_class_name: ingress.class.as_ref().map(AsRef::as_ref), rules, tls };
    let annotations = Annotations::Of(&ingress.annotations);
    Resource::new(Kind::Ingress, plan, ingress.name.as_str().into(), annotations, spec)
}

/// One rule for every host, with all paths of the host.
fn rules<'p>(routes: &'p [Route<'p>], backend: Backend<'p>) -> Vec<Rule<'p>> {
    let paths = routes.iter().map(|route| {
        let path = Path { backend, path: route.path.as_str(), path_type: route.path_type.as_str() };
        (route.host.as_str(), path)
    });
    grouped(paths).into_iter().map(|(host, paths)| Rule { host, http: Http { paths } }).collect()
}
