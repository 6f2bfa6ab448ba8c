//! `networking.k8s.io/v1` Ingress.
//!
//! It has no `defaultBackend`: controllers started with `--disable-catch-all` refuse an Ingress that has one, and others would send
//! requests for unknown hosts to the Service.

use std::borrow::Cow;
use std::cmp::Reverse;

use serde::Serialize;

use super::metadata::{Metadata, with_intents};
use super::{Emitting, Kind, Object};
use crate::dialect::controller::Controller;
use crate::dialect::nginx::support::impossible_www_of;
use crate::dialect::write::Paths;
use crate::plan::{Annotation, Plan, Route, grouped};
use crate::service::PortRef;
use crate::validation::PathType;
use crate::values::Target;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ingress_class_name: Option<&'p str>,
    rules: Vec<Rule<'p>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tls: Vec<Tls<'p>>,
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
    hosts: Vec<&'p str>,
    secret_name: &'p str,
}

/// The Ingress of a plan, without the annotations that its controller does not read.
pub(super) fn ingresses<'p>(emitting: &mut Emitting<'_, 'p>) -> Option<Object<'p>> {
    let plan = emitting.plan;
    let mut given: Vec<&Annotation> = if plan.controller(Target::Ingress) == Controller::IngressNginx {
        emitting.file_unread();
        plan.annotations.iter().collect()
    } else {
        emitting.annotations_to_copy()
    };
    // A rule has reported a line with which nginx would load no configuration.
    given.retain(|it| impossible_www_of(plan, it).is_none());
    Some(ingress(plan, emitting.stable_plan(), given))
}

/// The Ingress of a plan with these annotations: one rule for each host, in the order in which the hosts were given. A canary has
/// the paths exactly as its stable Service writes them: ingress-nginx ignores a canary with other paths.
pub(super) fn ingress<'p>(plan: &'p Plan, stable: &'p Plan, given: Vec<&'p Annotation>) -> Object<'p> {
    let mut spec = spec(plan, rules(plan, stable));
    let section = plan.tls_section().into_iter();
    spec.tls = section.map(|(secret_name, hosts)| Tls { hosts, secret_name }).collect();
    let annotations = with_intents(given.into_iter(), plan, Target::Ingress);
    let metadata = Metadata::new(plan, plan.name().into(), annotations);
    Object::new(Kind::Ingress, metadata, Some(super::Spec::Ingress(spec)))
}

/// The spec of an additional Ingress without TLS. If `hosts` is not empty, it has these hosts with all paths.
pub(super) fn without_tls(plan: &Plan, hosts: Vec<String>) -> Spec<'_> {
    let first = plan.rules.first();
    let everything = |host| {
        let paths = first.map(|route| Path {
            backend: backend(plan, route),
            path: "/".into(),
            path_type: PathType::Prefix.as_str(),
        });
        Rule { host: Cow::Owned(host), http: Http { paths: paths.into_iter().collect() } }
    };
    let rules =
        if hosts.is_empty() { rules(plan, plan) } else { hosts.into_iter().map(everything).collect() };
    spec(plan, rules)
}

fn spec<'p>(plan: &'p Plan, rules: Vec<Rule<'p>>) -> Spec<'p> {
    let class = plan.class().filter(|class| !plan.controller(Target::Ingress).reads_annotation_of(class));
    Spec { ingress_class_name: class, rules, tls: Vec::new() }
}

/// The port of the Service that a route leads to.
fn backend<'p>(plan: &'p Plan, route: &'p Route) -> Backend<'p> {
    let port = match plan.backend_port(route).map(|port| &port.chosen.value) {
        Some(PortRef::Name(name)) => BackendPort::Name(name),
        Some(PortRef::Number(number)) => BackendPort::Number(*number),
        None => BackendPort::Number(0),
    };
    Backend { service: BackendService { name: plan.service(), port } }
}

/// One rule for each host, with all paths of the host as the stable Service writes them.
fn rules<'p>(plan: &'p Plan, stable: &'p Plan) -> Vec<Rule<'p>> {
    let written = Paths::new(stable, Target::Ingress);
    let paths = plan.rules.iter().map(|route| {
        let (path, path_type) = written.of(route);
        let path = Path { backend: backend(plan, route), path, path_type: path_type.as_str() };
        (route.host.as_str(), path)
    });
    let hosts = grouped(paths).into_iter();
    let is_ordered = plan.controller(Target::Ingress) == Controller::F5Nginx;
    let ordered = |paths| if is_ordered { longest_first(paths) } else { paths };
    hosts.map(|(host, paths)| Rule { host: host.into(), http: Http { paths: ordered(paths) } }).collect()
}

/// The paths of a host by descending length, as other programs order regular expressions. NGINX Ingress Controller keeps the order, and
/// nginx takes the first expression that matches.
fn longest_first(mut paths: Vec<Path<'_>>) -> Vec<Path<'_>> {
    paths.sort_by_key(|path| Reverse(path.path.len()));
    paths
}
