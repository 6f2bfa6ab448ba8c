//! The annotations and objects that express the intents of a plan for the programs that read its objects.

use std::borrow::Cow;

use serde_json::Value;

use super::controller::Controller;
use super::dialects::dialect;
use super::hosts::{CoveringNames, requests_certificate};
use super::mappings::is_same_annotation;
use super::nginx::paths::RewrittenPaths;
use super::nginx::read::stripped;
use super::support::support;
use super::{
    alb, argocd, cert_manager, contour, envoy_gateway, equivalents, external_dns, f5_nginx, forecastle,
    gateway, haproxy_ingress, homepage, is_read_on, kubernetes, nginx, traefik,
};
use crate::diagnostics::Origin;
use crate::intents::{Intent, IntentValue};
use crate::plan::kinds::Kind;
use crate::plan::{Annotation, Plan, RequestedIntent, Route};
use crate::validation::{PathType, comparable_path};
use crate::values::{LinkPage, Target, Tls};

/// Returns the names in the TLS section of a plan for which it receives no requests beyond those for its own hosts. A ListenerSet takes
/// the requests for each name, so a wildcard is never one of them.
pub(crate) fn covering_names(plan: &Plan) -> CoveringNames {
    let is_given = !plan.has_listener_set()
        && plan.tls() != Tls::CertManager
        && cert_manager::write::issuer(plan).is_none()
        && !plan.annotations.iter().any(|it| requests_certificate(&it.key, &it.value))
        && plan.dns_addresses().is_empty();
    CoveringNames::of(&mut plan.rules.iter().map(|rule| rule.host.as_str()), is_given)
}

/// An annotation that expresses an intent.
pub(crate) struct WrittenAnnotation<'p> {
    pub(crate) key: &'p str,
    pub(crate) value: Cow<'p, str>,
    /// The option that the intent came from.
    pub(crate) origin: Origin,
}

/// An object of one controller that expresses an intent.
pub(crate) struct ExtraObject<'p> {
    pub(crate) kind: Kind,
    /// The name begins with the name of the plan's objects.
    pub(crate) name: Cow<'p, str>,
    pub(crate) annotations: Vec<(&'p str, Cow<'p, str>)>,
    pub(crate) content: Content,
    /// The name that the controller gives the object, if objects of other namespaces and names can get the same one.
    pub(crate) referenced_as: Option<String>,
}

/// The content of such an object.
pub(crate) enum Content {
    /// This spec.
    Spec(Value),
    /// The Ingress of the plan, without its TLS section. If there are hosts, it has all paths of these hosts.
    Ingress { hosts: Vec<String> },
}

/// Returns the objects that express the intents of a plan in addition to the objects of its target. `canaries` are the canaries
/// of the plan's Service on this target.
pub(crate) fn extras<'p>(plan: &'p Plan, target: Target, canaries: &[&'p Plan]) -> Vec<ExtraObject<'p>> {
    match (target, plan.controller(target)) {
        (Target::Ingress, Controller::Traefik) => traefik::write::extras(plan),
        (Target::HttpRoute, Controller::EnvoyGateway) => envoy_gateway::write::extras(plan, canaries),
        _ => Vec::new(),
    }
}

/// The paths of a plan in the form that the controller of a target needs. Data that is the same for all routes is computed
/// once, because a Service can have thousands of routes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paths<'p> {
    plan: &'p Plan,
    target: Target,
    rewritten: Option<RewrittenPaths>,
}

impl<'p> Paths<'p> {
    /// Prepares the paths of a plan for one of its targets.
    pub(crate) fn new(plan: &'p Plan, target: Target) -> Self {
        let rewritten = match (target, plan.controller(target)) {
            (Target::Ingress, Controller::IngressNginx | Controller::TraefikNginx) => {
                RewrittenPaths::of(plan)
            }
            (Target::Ingress, Controller::F5Nginx) => f5_nginx::write::rewritten_paths(plan),
            _ => None,
        };
        Self { plan, target, rewritten }
    }

    /// Returns the path of a route and its type.
    pub(crate) fn of(&self, route: &'p Route) -> (Cow<'p, str>, PathType) {
        let plan = self.plan;
        let as_prefix = |path| (Cow::Borrowed(path), PathType::Prefix);
        let written = match (self.target, plan.controller(self.target)) {
            (Target::Ingress, Controller::Traefik) => Some(traefik::write::path(plan, route)),
            (Target::Ingress, Controller::Contour) => contour::write::path(plan, route),
            (Target::Ingress, Controller::Haproxy) => {
                stripped_prefix(plan, route).or_else(|| equivalent_prefix(plan, route).map(as_prefix))
            }
            (Target::Ingress, Controller::Alb | Controller::Gce) => {
                equivalent_prefix(plan, route).map(as_prefix)
            }
            (Target::Ingress, Controller::HaproxyIngress) => haproxy_ingress::write::path(plan, route),
            (Target::Route, _) => stripped_prefix(plan, route),
            _ => self.rewritten.and_then(|rewritten| rewritten.path(route)),
        };
        written.unwrap_or((Cow::Borrowed(&route.path), route.path_type))
    }
}

/// Returns the prefix that a program strips itself, if the route has a regular expression for it.
pub(super) fn stripped_prefix<'p>(plan: &'p Plan, route: &'p Route) -> Option<(Cow<'p, str>, PathType)> {
    let path = prefix_of(plan, route).filter(|path| *path != route.path)?;
    Some((path.into(), PathType::Prefix))
}

/// Returns the prefix with the same meaning as a regular expression, for an Ingress controller that does not support regular
/// expressions.
pub(crate) fn equivalent_prefix<'p>(plan: &'p Plan, route: &'p Route) -> Option<&'p str> {
    let controller = plan.controller(Target::Ingress);
    if !route.is_pattern()
        || alb::write::reads_patterns(plan)
        || controller.literal_match_note(&route.path).is_none()
    {
        return None;
    }
    gateway::support::prefix(plan, route).or_else(|| stripped(route, "/$2"))
}

/// Returns the prefix to strip from a route, if that is wanted and the path is not a regular expression, or is one that
/// ingress-nginx needs for it.
pub(crate) fn prefix_of<'p>(plan: &'p Plan, route: &'p Route) -> Option<&'p str> {
    if plan.intent_value(Intent::StripPrefix) != Some(&IntentValue::Switch(true)) {
        return None;
    }
    if !route.is_pattern() {
        return Some(comparable_path(&route.path, PathType::Prefix));
    }
    stripped(route, plan.annotation(nginx::REWRITE_TARGET)?.value.trim())
}

/// Whether one rule for all hosts, which strips the longest of all paths, would strip more than the path of a route, because
/// the longer path belongs to another host.
pub(super) fn strips_too_much<'p>(plan: &'p Plan, prefix: &dyn Fn(&'p Route) -> Option<&'p str>) -> bool {
    let is_below = |path: &str, base: &str| {
        let rest = path.strip_prefix(base.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
    };
    let has = |host: &str, path| plan.rules.iter().any(|it| it.host == host && prefix(it) == Some(path));
    plan.rules.iter().any(|route| {
        let own = prefix(route).unwrap_or_default();
        plan.rules.iter().filter_map(prefix).any(|path| is_below(path, own) && !has(&route.host, path))
    })
}

/// The key and the value of an annotation.
pub(super) type KeyValue<'p> = (&'static str, Cow<'p, str>);

/// Converts a value to text.
pub(super) fn text<'p>(value: &impl ToString) -> Cow<'p, str> {
    value.to_string().into()
}

/// Writes a number of bytes in the largest unit of nginx and HAProxy that leaves no remainder.
pub(super) fn size(bytes: u64) -> String {
    crate::intents::size(bytes).trim_end_matches('i').to_ascii_lowercase()
}

/// Returns the annotations for the intents of a plan, for the program that serves a target. An intent is left out if the
/// program does not support it, or already reads it from annotations that somebody gave.
pub(super) fn intents<'p>(
    plan: &'p Plan,
    target: Target,
    annotations: impl Fn(Intent, &'p IntentValue) -> Vec<KeyValue<'p>>,
) -> Vec<WrittenAnnotation<'p>> {
    let mut written = Vec::new();
    for RequestedIntent { intent, intent_value, origin, keys, .. } in
        plan.intents.iter().filter(|_| plan.canary.is_none())
    {
        let is_read = |key: &String| match target {
            Target::Ingress => plan.controller(target).reads(key),
            Target::HttpRoute | Target::Route => is_read_on(key, target),
        };
        // With TLS to the Service, HAProxy would put the TLS that passes through into TLS of its own.
        if *intent == Intent::BackendProtocol && target == Target::Ingress && plan.passes_tls() {
            continue;
        }
        if !keys.iter().any(is_read) && support(plan, target, *intent, Some(intent_value)).is_supported() {
            let all = annotations(*intent, intent_value).into_iter();
            written.extend(all.map(|(key, value)| WrittenAnnotation { key, value, origin: origin.clone() }));
        }
    }
    written
}

/// Returns the origin of the redirect of requests without TLS on an Ingress: the origin of the redirect itself, or that of TLS,
/// with which ingress-nginx redirects by default. `None` if the redirect is not wanted, or the program cannot do it.
pub(super) fn redirect(plan: &Plan) -> Option<Origin> {
    let is_wanted = plan.redirects(Target::Ingress)
        && support(plan, Target::Ingress, Intent::HttpsRedirect, None).is_supported();
    let wanted = plan.https_redirect.as_ref().map(|it| &it.origin);
    wanted.or_else(|| plan.tls.as_ref().map(|tls| &tls.origin)).filter(|_| is_wanted).cloned()
}

/// Returns the annotation for the class, if its controller reads the class only there.
fn class(plan: &Plan, _: Target) -> Vec<WrittenAnnotation<'_>> {
    let controller = plan.controller(Target::Ingress);
    let class = plan.class.as_ref().filter(|class| controller.reads_annotation_of(&class.value));
    let written = class.map(|class| WrittenAnnotation {
        key: kubernetes::CLASS,
        value: class.value.as_str().into(),
        origin: class.origin.clone(),
    });
    written.into_iter().collect()
}

pub(super) type Write = fn(&Plan, Target) -> Vec<WrittenAnnotation<'_>>;

/// Returns the origin of the link to the URL on a page, if the objects of this target have the link. A Service has one link,
/// and there is none to a wildcard host.
pub(super) fn linked(plan: &Plan, target: Target, page: LinkPage) -> Option<&Origin> {
    let links = plan.links.as_ref().filter(|links| links.value.contains(&page) && plan.canary.is_none())?;
    let is_first = plan.targets.first() == Some(&target);
    let is_wildcard = plan.rules.first().is_none_or(|rule| rule.host.starts_with("*."));
    (is_first && !is_wildcard).then_some(&links.origin)
}

/// Whether a key is about a link, which only one object of a Service has.
pub(crate) fn is_about_link(key: &str) -> bool {
    forecastle::is_key(key) || argocd::is_key(key) || homepage::is_key(key)
}

/// Returns the annotations that express the intents of a plan on the objects of a target. An annotation that somebody gave
/// under the same key replaces them.
pub(crate) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    let around: &[Write] = match target {
        Target::Ingress => &[
            cert_manager::write::write,
            class,
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
    let mut written = by_controller(plan, target);
    for program in around {
        written.append(&mut program(plan, target));
    }
    written.retain(|it: &WrittenAnnotation<'_>| given(plan, target, it.key).is_none());
    written
}

/// Returns an annotation that somebody gave and that is equivalent to a key.
pub(crate) fn given<'p>(plan: &'p Plan, target: Target, key: &str) -> Option<&'p Annotation> {
    plan.annotation(key)
        .or_else(|| plan.annotations.iter().find(|it| is_same_annotation(plan, target, key, &it.key)))
}

/// Returns the annotations for the controller of a target, including those that somebody gave as well.
pub(crate) fn by_controller(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    match (target, plan.controller(target)) {
        (Target::Ingress, Controller::Traefik) => traefik::write::write(plan, target),
        _ => annotations_for(plan, target),
    }
}

/// Returns the same for the programs that read annotations. The policy compares given annotations with these, and does not need
/// those of the other programs.
pub(crate) fn annotations_for(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    let dialect = dialect(target, plan.controller(target));
    let mut written = dialect.map(|dialect| (dialect.write)(plan, target)).unwrap_or_default();
    written.extend(equivalents::write(plan, target));
    written
}
