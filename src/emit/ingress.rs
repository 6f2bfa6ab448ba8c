//! `networking.k8s.io/v1` Ingress.
//!
//! It has no `defaultBackend`: controllers started with `--disable-catch-all` refuse an Ingress that has one, and others
//! would send it the requests for unknown hosts.

use std::borrow::Cow;

use serde::Serialize;

use super::metadata::{Metadata, with_intents};
use super::{Emitting, Kind, Object};
use crate::dialect::controller::{Controller, is_of_annotation};
use crate::dialect::write::{path, redirected_hosts};
use crate::plan::{Annotation, Plan, grouped};
use crate::service::PortRef;
use crate::validation::PathType;
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
    host: Cow<'p, str>,
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
    path: Cow<'p, str>,
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
    hosts: Vec<Cow<'p, str>>,
    secret_name: &'p str,
}

/// The Ingress of a plan, without the annotations that its controller does not read.
pub(super) fn ingresses<'p>(emitting: &mut Emitting<'_, 'p>) -> Option<Object<'p>> {
    let plan = emitting.plan;
    let given = if plan.controller(Target::Ingress) == Controller::IngressNginx {
        plan.annotations.iter().collect()
    } else {
        emitting.kept()
    };
    Some(ingress(plan, given))
}

/// The Ingress of a plan with these annotations: one rule a host, in the order in which the hosts were given.
pub(super) fn ingress<'p>(plan: &'p Plan, given: Vec<&'p Annotation>) -> Object<'p> {
    let mut spec = beside(plan, Vec::new());
    let hosts = || {
        let own = spec.rules.iter().map(|rule| rule.host.clone());
        own.chain(redirected_hosts(plan).into_iter().map(Cow::Owned)).collect()
    };
    spec.tls = plan.secret().map(|secret_name| [Tls { hosts: hosts(), secret_name }]);
    let annotations = with_intents(given.into_iter(), plan, Target::Ingress);
    let metadata = Metadata::new(plan, plan.name().into(), annotations);
    Object::new(Kind::Ingress, metadata, Some(super::Spec::Ingress(spec)))
}

/// The same without TLS; with hosts, for all paths of these.
pub(super) fn beside(plan: &Plan, hosts: Vec<String>) -> Spec<'_> {
    let port = match plan.port.as_ref().map(|port| &port.value) {
        Some(PortRef::Name(name)) => BackendPort::Name(name),
        Some(PortRef::Number(number)) => BackendPort::Number(*number),
        None => BackendPort::Number(plan.port_number),
    };
    let backend = Backend { service: BackendService { name: plan.service(), port } };
    let everything = |host| {
        let path = Path { backend, path: "/".into(), path_type: PathType::Prefix.as_str() };
        Rule { host: Cow::Owned(host), http: Http { paths: vec![path] } }
    };
    let rules =
        if hosts.is_empty() { rules(plan, backend) } else { hosts.into_iter().map(everything).collect() };
    Spec { ingress_class_name: plan.class().filter(|class| !is_of_annotation(class)), rules, tls: None }
}

/// One rule for every host, with all paths of the host.
fn rules<'p>(plan: &'p Plan, backend: Backend<'p>) -> Vec<Rule<'p>> {
    let paths = plan.rules.iter().map(|route| {
        let (path, path_type) = path(plan, Target::Ingress, route);
        let path = Path { backend, path, path_type: path_type.as_str() };
        (route.host.as_str(), path)
    });
    let hosts = grouped(paths).into_iter();
    hosts.map(|(host, paths)| Rule { host: Cow::Borrowed(host), http: Http { paths } }).collect()
}
