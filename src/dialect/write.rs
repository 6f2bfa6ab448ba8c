//! The intents of a plan in the words of the programs that read its objects.

use std::borrow::Cow;

use serde_json::Value;

use super::controller::{Controller, is_of_annotation};
use super::dialects::dialect;
use super::nginx::paths::RewrittenPaths;
use super::nginx::read::stripped;
use super::says::says;
use super::words::is_one_word;
use super::{
    alb, argocd, cert_manager, contour, envoy_gateway, external_dns, f5_nginx, forecastle, gateway,
    haproxy_ingress, homepage, is_read_on, kubernetes, nginx, traefik,
};
use crate::diagnostics::Origin;
use crate::intents::{Intent, Wish};
use crate::plan::kinds::Kind;
use crate::plan::{Annotation, Plan, Route, Wanted};
use crate::validation::{PathType, comparable_path};
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
    pub(crate) made: Made,
    /// What its controller calls it, where objects of other namespaces and names can be called the same.
    pub(crate) called: Option<String>,
}

/// What such an object is made of.
pub(crate) enum Made {
    /// This spec.
    Spec(Value),
    /// The Ingress of the plan, without its TLS section; with hosts, all paths of these.
    Ingress { hosts: Vec<String> },
}

/// The objects that express the intents of a plan beside those of its target. The canaries are those of the plan's Service on
/// this target.
pub(crate) fn extras<'p>(plan: &'p Plan, target: Target, canaries: &[&'p Plan]) -> Vec<Extra<'p>> {
    match (target, plan.controller(target)) {
        (Target::Ingress, Controller::Traefik) => traefik::write::extras(plan),
        (Target::HttpRoute, Controller::EnvoyGateway) => envoy_gateway::write::extras(plan, canaries),
        _ => Vec::new(),
    }
}

/// The paths of a plan as whoever serves a target has to read them. What is the same for all routes is found once: a Service can have
/// thousands of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paths<'p> {
    plan: &'p Plan,
    target: Target,
    rewritten: Option<RewrittenPaths>,
}

impl<'p> Paths<'p> {
    /// The paths of a plan for one of its targets.
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

    /// The path of a route, and its type.
    pub(crate) fn of(&self, route: &'p Route) -> (Cow<'p, str>, PathType) {
        let plan = self.plan;
        let as_prefix = |path| (Cow::Borrowed(path), PathType::Prefix);
        let written = match (self.target, plan.controller(self.target)) {
            (Target::Ingress, Controller::Traefik) => Some(traefik::write::path(plan, route)),
            (Target::Ingress, Controller::Contour) => contour::write::path(plan, route),
            (Target::Ingress, Controller::Haproxy) => {
                plain_path(plan, route).or_else(|| text_path(plan, route).map(as_prefix))
            }
            (Target::Ingress, Controller::Alb | Controller::Gce) => text_path(plan, route).map(as_prefix),
            (Target::Ingress, Controller::HaproxyIngress) => haproxy_ingress::write::path(plan, route),
            (Target::Route, _) => plain_path(plan, route),
            _ => self.rewritten.and_then(|rewritten| rewritten.path(route)),
        };
        written.unwrap_or((Cow::Borrowed(&route.path), route.path_type))
    }
}

/// The path that a program cuts off by itself, where the route has a regular expression for it.
pub(super) fn plain_path<'p>(plan: &'p Plan, route: &'p Route) -> Option<(Cow<'p, str>, PathType)> {
    let path = prefix_of(plan, route).filter(|path| *path != route.path)?;
    Some((path.into(), PathType::Prefix))
}

/// The prefix that a program of Ingresses without regular expressions has in place of one that says the same.
pub(crate) fn text_path<'p>(plan: &'p Plan, route: &'p Route) -> Option<&'p str> {
    let controller = plan.controller(Target::Ingress);
    if !route.is_pattern()
        || alb::write::reads_patterns(plan)
        || controller.instead_of_patterns(&route.path).is_none()
    {
        return None;
    }
    gateway::says::prefix(plan, route).or_else(|| stripped(route, "/$2"))
}

/// The path of a route that is to be cut off, where that is wanted and the path is no regular expression, or one that
/// ingress-nginx needs for it.
pub(crate) fn prefix_of<'p>(plan: &'p Plan, route: &'p Route) -> Option<&'p str> {
    if plan.wish(Intent::StripPrefix) != Some(&Wish::Switch(true)) {
        return None;
    }
    if !route.is_pattern() {
        return Some(comparable_path(&route.path, PathType::Prefix));
    }
    stripped(route, plan.annotation(nginx::REWRITE_TARGET)?.value.trim())
}

/// Whether one rule for all hosts, which cuts the longest of all paths off, would cut off more than the path of a route: the longer
/// one is that of another host.
pub(super) fn cuts_more<'p>(plan: &'p Plan, prefix: &dyn Fn(&'p Route) -> Option<&'p str>) -> bool {
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

/// A key and a value.
pub(super) type Word<'p> = (&'static str, Cow<'p, str>);

/// A value as text.
pub(super) fn text<'p>(value: &impl ToString) -> Cow<'p, str> {
    value.to_string().into()
}

/// Bytes in the largest unit of nginx and HAProxy without a rest.
pub(super) fn size(bytes: u64) -> String {
    crate::intents::size(bytes).trim_end_matches('i').to_ascii_lowercase()
}

/// What a plan wants in the words of the program that serves a target. What this program cannot do, and what it reads in
/// annotations that somebody gave, is not written.
pub(super) fn intents<'p>(
    plan: &'p Plan,
    target: Target,
    words: impl Fn(Intent, &'p Wish) -> Vec<Word<'p>>,
) -> Vec<Written<'p>> {
    let mut written = Vec::new();
    for Wanted { intent, wish, origin, keys, .. } in plan.intents.iter().filter(|_| plan.canary.is_none()) {
        let is_read = |key: &String| match target {
            Target::Ingress => plan.controller(target).reads(key),
            Target::HttpRoute | Target::Route => is_read_on(key, target),
        };
        if !keys.iter().any(is_read) && says(plan, target, *intent, Some(wish)).is_done() {
            let all = words(*intent, wish).into_iter();
            written.extend(all.map(|(key, value)| Written { key, value, origin: origin.clone() }));
        }
    }
    written
}

/// Who wants that an Ingress sends requests without TLS to https: whoever says it, or whoever asked for TLS, with which
/// ingress-nginx does so by default. `None` where the program cannot do it.
pub(super) fn redirect(plan: &Plan) -> Option<Origin> {
    let is_wanted =
        plan.redirects(Target::Ingress) && says(plan, Target::Ingress, Intent::HttpsRedirect, None).is_done();
    let wanted = plan.https_redirect.as_ref().map(|it| &it.origin);
    wanted.or_else(|| plan.tls.as_ref().map(|tls| &tls.origin)).filter(|_| is_wanted).cloned()
}

/// The class, where its controller looks for it in the annotation alone.
fn class(plan: &Plan, _: Target) -> Vec<Written<'_>> {
    let class = plan.class.as_ref().filter(|class| is_of_annotation(&class.value));
    let written = class.map(|class| Written {
        key: kubernetes::CLASS,
        value: class.value.as_str().into(),
        origin: class.origin.clone(),
    });
    written.into_iter().collect()
}

pub(super) type Write = fn(&Plan, Target) -> Vec<Written<'_>>;

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
    written.retain(|it: &Written<'_>| given(plan, target, it.key).is_none());
    written
}

/// What somebody gave that says the same as a key.
fn given<'p>(plan: &'p Plan, target: Target, key: &str) -> Option<&'p Annotation> {
    plan.annotation(key)
        .or_else(|| plan.annotations.iter().find(|it| is_one_word(plan, target, key, &it.key)))
}

/// The annotations for whoever serves a target, whatever somebody gave.
pub(crate) fn by_controller(plan: &Plan, target: Target) -> Vec<Written<'_>> {
    match (target, plan.controller(target)) {
        (Target::Ingress, Controller::Traefik) => traefik::write::write(plan, target),
        _ => in_words(plan, target),
    }
}

/// The same for programs whose words are annotations. The policy compares with these what somebody gave, and has no use for those
/// of the other programs.
pub(crate) fn in_words(plan: &Plan, target: Target) -> Vec<Written<'_>> {
    let dialect = dialect(target, plan.controller(target));
    dialect.map(|dialect| (dialect.write)(plan, target)).unwrap_or_default()
}
