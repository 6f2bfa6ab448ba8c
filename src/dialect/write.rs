//! The intents of a plan in the words of the programs that read its objects.

use std::borrow::Cow;

use serde_json::Value;

use super::controller::Controller;
use super::{
    alb, argocd, cert_manager, contour, envoy_gateway, external_dns, f5_nginx, forecastle, gateway, gke,
    haproxy, haproxy_ingress, homepage, nginx, openshift, traefik,
};
use crate::diagnostics::Origin;
use crate::plan::kinds::Kind;
use crate::plan::{Plan, Route};
use crate::validation::PathType;
use crate::values::{LinkPage, Target};

/// An annotation that expresses an intent.
pub(crate) struct Written<'p> {
    pub(crate) key: &'p str,
    pub(crate) value: Cow<'p, str>,
    /// The option that the intent came from.
    pub(crate) origin: Origin,
}

/// An object of one controller that expresses an intent.
pub(crate) struct Extra<'p> {
    pub(crate) kind: Kind,
    /// It begins with the name of the plan's objects.
    pub(crate) name: Cow<'p, str>,
    pub(crate) annotations: Vec<(&'p str, Cow<'p, str>)>,
    pub(crate) spec: Value,
}

/// The objects that express the intents of a plan beside those of its target.
pub(crate) fn extras(_plan: &Plan, _target: Target) -> Vec<Extra<'_>> {
    Vec::new()
}

/// The path of a route as whoever serves the target has to read it.
pub(crate) fn path<'p>(_plan: &'p Plan, _target: Target, route: &'p Route) -> (Cow<'p, str>, PathType) {
    (Cow::Borrowed(&route.path), route.path_type)
}

/// Who wants a link to the URL on a page, where the objects of the target are those that have it: a Service has one link, and
/// nothing leads to a wildcard.
pub(super) fn linked(plan: &Plan, target: Target, page: LinkPage) -> Option<&Origin> {
    let links = plan.links.as_ref().filter(|links| links.value.contains(&page) && plan.canary.is_none())?;
    let is_first = plan.targets.first() == Some(&target);
    let is_wildcard = plan.rules.first().is_none_or(|rule| rule.host.starts_with("*."));
    (is_first && !is_wildcard).then_some(&links.origin)
}

/// Whether a key is about a link, which one object of a Service has.
pub(crate) fn is_about_link(key: &str) -> bool {
    forecastle::is_key(key) || argocd::is_key(key) || homepage::is_key(key)
}

/// The annotations that express the intents of a plan on the objects of a target. What somebody gave under the same key counts
/// instead.
pub(crate) fn write(plan: &Plan, target: Target) -> Vec<Written<'_>> {
    type Write = fn(&Plan, Target) -> Vec<Written<'_>>;
    let controller: Write = match (target, plan.controller(target)) {
        (Target::HttpRoute, Controller::EnvoyGateway) => envoy_gateway::write::write,
        (Target::HttpRoute, _) => gateway::write::write,
        (Target::Route, _) => openshift::write::write,
        (Target::Ingress, Controller::IngressNginx | Controller::TraefikNginx) => nginx::write::write,
        (Target::Ingress, Controller::Traefik) => traefik::write::write,
        (Target::Ingress, Controller::Contour) => contour::write::write,
        (Target::Ingress, Controller::Haproxy) => haproxy::write::write,
        (Target::Ingress, Controller::HaproxyIngress) => haproxy_ingress::write::write,
        (Target::Ingress, Controller::F5Nginx) => f5_nginx::write::write,
        (Target::Ingress, Controller::Alb) => alb::write::write,
        (Target::Ingress, Controller::Gce) => gke::write::write,
        (
            Target::Ingress,
            Controller::Openshift | Controller::EnvoyGateway | Controller::Gateway | Controller::Other,
        ) => |_, _| Vec::new(),
    };
    let around: &[Write] = match target {
        Target::Ingress => &[
            cert_manager::write::write,
            external_dns::write::write,
            forecastle::write::write,
            argocd::write::write,
            homepage::write::write,
        ],
        Target::HttpRoute => &[
            external_dns::write::write,
            forecastle::write::write,
            argocd::write::write,
            homepage::write::write,
        ],
        Target::Route => &[argocd::write::write],
    };
    let mut written = Vec::new();
    for program in [controller].iter().chain(around) {
        written.append(&mut program(plan, target));
    }
    written.retain(|it: &Written<'_>| plan.annotation(it.key).is_none());
    written
}
