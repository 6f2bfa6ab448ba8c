//! The annotations, paths and objects for Traefik.

mod middlewares;
mod networks;

use std::borrow::Cow;

use super::support::{ends_tls, plain_entry_point};
use super::{ENTRY_POINTS, MIDDLEWARES, PATH_MATCHER, PRIORITY, ROUTER, TLS};
use crate::dialect::external_dns::OPT_OUT;
use crate::dialect::gateway::regex::grouped;
use crate::dialect::legacy::CLASSES;
use crate::dialect::nginx::paths::as_regex;
use crate::dialect::write::{Content, ExtraObject, WrittenAnnotation};
use crate::plan::kinds::Kind;
use crate::plan::{Plan, Route, redirect_name};
use crate::validation::PathType;
use crate::values::Target;
use middlewares::{FROM, Middleware, middlewares};

/// The beginning of a regular expression that matches only from the start of a path. A path of an Ingress must begin with a
/// slash, but before `^`, the `/?` can only match nothing.
const ANCHOR: &str = "/?^";
/// A priority that is greater than each default priority, which is the length of host and path together.
const ABOVE_OTHERS: &str = "100000";

pub(in crate::dialect) fn write(plan: &Plan, _target: Target) -> Vec<WrittenAnnotation<'_>> {
    let mut written = Vec::new();
    if plan.canary.is_some() {
        return written;
    }
    let origin_of_tls = || plan.tls.as_ref().map(|tls| tls.origin.clone()).unwrap_or_default();
    if ends_tls(plan) {
        written.push(WrittenAnnotation { key: TLS, value: "true".into(), origin: origin_of_tls() });
    }
    let list = references(plan, &middlewares(plan));
    if !list.is_empty() {
        let origin = plan.intents.first().map_or_else(origin_of_tls, |first| first.origin.clone());
        written.push(WrittenAnnotation { key: MIDDLEWARES, value: list.into(), origin });
    }
    let paths = paths(plan).into_iter().flatten();
    written.extend(paths.map(|(key, value)| {
        let origin = plan.rules.first().map(|route| route.path_origin.clone()).unwrap_or_default();
        WrittenAnnotation { key, value, origin }
    }));
    written
}

/// Returns the annotations that say how the paths of the Ingress are compared.
fn paths(plan: &Plan) -> [Option<(&'static str, Cow<'static, str>)>; 2] {
    let is_regex = plan.rules.iter().any(|route| path(plan, route).1 == PathType::ImplementationSpecific);
    // Without a priority, an Exact path would come after the path `/` of another Ingress, whose matcher makes it longer.
    let is_exact =
        plan.rules.iter().all(|route| route.path_type == PathType::Exact && !route.host.starts_with('*'));
    [
        is_regex.then_some((PATH_MATCHER, "PathRegexp".into())),
        match below_exact_hosts(plan) {
            Some(priority) => Some((PRIORITY, priority.to_string().into())),
            None => (is_exact && !plan.rules.is_empty()).then_some((PRIORITY, ABOVE_OTHERS.into())),
        },
    ]
}

/// Returns a priority that is less than each default priority, for an Ingress with wildcard hosts alone: Traefik compares the lengths
/// of rules, so a wildcard host with a path would come before a shorter host of another Service. Among wildcard hosts, the order
/// is still that of the paths. All routers of an Ingress have its priority, so this is `None` if a host has several paths, and if
/// the Ingress also has other hosts.
pub(super) fn below_exact_hosts(plan: &Plan) -> Option<i64> {
    let first = plan.rules.first()?;
    let is_alike =
        |it: &Route| it.host.starts_with('*') && it.path == first.path && it.path_type == first.path_type;
    if !plan.rules.iter().all(is_alike) {
        return None;
    }
    let length = i64::try_from(path(plan, first).0.len()).ok()?;
    let before_prefixes = if first.path_type == PathType::Exact { 10_000 } else { 0 };
    Some(length + before_prefixes - 100_000)
}

/// Returns the path of a route in a form in which a prefix ends at a slash, and a regular expression has the meaning that it
/// has for ingress-nginx. Otherwise `/shop` would be a prefix of `/shopping`, and a regular expression would match anywhere in
/// a path.
pub(in crate::dialect) fn path<'p>(plan: &Plan, route: &'p Route) -> (Cow<'p, str>, PathType) {
    let path = &route.path;
    match route.path_type {
        _ if plan.annotation(PATH_MATCHER).is_some() => (Cow::Borrowed(path), route.path_type),
        PathType::Exact => (Cow::Borrowed(path), PathType::Exact),
        _ if route.is_pattern() => {
            (Cow::Owned(format!("{ANCHOR}(?i){}", grouped(path))), PathType::ImplementationSpecific)
        }
        _ if path == "/" => (Cow::Borrowed("/"), PathType::Prefix),
        _ => (
            Cow::Owned([ANCHOR, &as_regex(path, PathType::Prefix)].concat()),
            PathType::ImplementationSpecific,
        ),
    }
}

/// Returns the name by which Traefik refers to an object, such as `shop-web-cors@kubernetescrd`.
fn reference(plan: &Plan, name: &str) -> String {
    let namespace = plan.namespace().unwrap_or_default();
    let both = format!("{namespace}-{name}");
    let words: Vec<&str> =
        both.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-") + "@kubernetescrd"
}

fn references(plan: &Plan, all: &[Middleware]) -> String {
    let names = all.iter().map(|it| reference(plan, &it.name(plan)));
    names.collect::<Vec<_>>().join(",")
}

/// Returns the Middlewares of a plan, and the Ingresses in addition to its own one.
pub(in crate::dialect) fn extras<'p>(plan: &'p Plan) -> Vec<ExtraObject<'p>> {
    if plan.canary.is_some() {
        return Vec::new();
    }
    let common = middlewares(plan);
    let is_secure = ends_tls(plan);
    let mut extras = Vec::new();
    let mut all: Vec<Middleware> = Vec::new();
    if is_secure {
        extras.extend(without_tls(plan, &common, &mut all));
    }
    let from = Middleware::from_other_hosts(plan);
    if !from.is_empty() {
        let hosts: Vec<String> = plan.redirected_hosts().into_iter().flat_map(|(_, from)| from).collect();
        let list = references(plan, &[from.as_slice(), common.as_slice()].concat());
        let name = [plan.name(), "-", FROM].concat();
        let mut beside = |name: String, entry: Option<(&'static str, Cow<'p, str>)>| {
            let annotations = annotations(plan, entry.into_iter(), list.clone(), false);
            let content = Content::Ingress { hosts: hosts.clone() };
            extras.push(ExtraObject {
                kind: Kind::Ingress,
                name: name.into(),
                annotations,
                content,
                referenced_as: None,
            });
        };
        if let Some(plain) = plain_entry_point(plan, true).filter(|_| is_secure) {
            beside([&name, "-http"].concat(), Some((ENTRY_POINTS, plain.into())));
        }
        beside(name, is_secure.then_some((TLS, "true".into())));
    }
    all.extend(common);
    all.extend(from);
    extras.extend(all.into_iter().map(|it| {
        let name = it.name(plan);
        let referenced_as = Some(reference(plan, &name));
        let content = Content::Spec(it.spec);
        ExtraObject {
            kind: Kind::Middleware,
            name: name.into(),
            annotations: Vec::new(),
            content,
            referenced_as,
        }
    }));
    extras
}

/// Returns the Ingress for requests without TLS, which the Ingress with TLS does not serve. A request that is not redirected,
/// because it came to a proxy by https, passes the same Middlewares.
fn without_tls<'p>(
    plan: &'p Plan,
    common: &[Middleware],
    all: &mut Vec<Middleware>,
) -> Option<ExtraObject<'p>> {
    let redirects = plan.redirects(Target::Ingress);
    let plain = plain_entry_point(plan, redirects)?;
    let redirect = if redirects { Some(Middleware::https_redirect(plan)?) } else { None };
    let own = plan.annotation(MIDDLEWARES).map(|own| own.value.clone());
    let common = own.unwrap_or_else(|| references(plan, common));
    let first = redirect.as_ref().map(|it| reference(plan, &it.name(plan)));
    let list: Vec<String> = first.into_iter().chain([common]).filter(|list| !list.is_empty()).collect();
    let written = [(ENTRY_POINTS, plain.into())].into_iter().chain(paths(plan).into_iter().flatten());
    let annotations = annotations(plan, written, list.join(","), true);
    all.extend(redirect);
    let name = if redirects { redirect_name(plan.name()) } else { [plan.name(), "-http"].concat() };
    let content = Content::Ingress { hosts: Vec::new() };
    Some(ExtraObject { kind: Kind::Ingress, name: name.into(), annotations, content, referenced_as: None })
}

/// Returns the annotations of an additional Ingress. ExternalDNS must skip it if it has the hosts of the plan's own Ingress. Other
/// hosts are served where the plan's own ones are.
fn annotations<'p>(
    plan: &'p Plan,
    written: impl Iterator<Item = (&'static str, Cow<'p, str>)>,
    middlewares: String,
    has_same_hosts: bool,
) -> Vec<(&'p str, Cow<'p, str>)> {
    let mut all: Vec<(&str, Cow<'_, str>)> = written.collect();
    if !middlewares.is_empty() {
        all.push((MIDDLEWARES, middlewares.into()));
    }
    let has_entry = has_same_hosts || all.iter().any(|(key, _)| *key == ENTRY_POINTS);
    let is_kept = |key: &str| {
        CLASSES.contains(&key)
            || (!has_entry && key == ENTRY_POINTS)
            || (has_same_hosts
                && key.starts_with(ROUTER)
                && !key.starts_with(TLS)
                && key != ENTRY_POINTS
                && key != MIDDLEWARES)
    };
    for given in plan.annotations.iter().filter(|it| is_kept(&it.key)) {
        all.retain(|(key, _)| *key != given.key);
        all.push((&given.key, Cow::Borrowed(&given.value)));
    }
    if has_same_hosts {
        all.extend(plan.dns_controller_keys.iter().map(|key| (key.as_str(), OPT_OUT.into())));
    }
    all.sort_unstable_by_key(|(key, _)| *key);
    all
}
