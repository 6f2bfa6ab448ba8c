//! Keys of ingress-nginx without an intent, and the keys of other programs that have the same effect with the same value.

use std::borrow::Cow;

use super::controller::Controller;
use super::f5_nginx::MERGEABLE;
use super::form::is_of;
use super::nginx::{PREFIX, find, invalid_value};
use super::read_by;
use super::support::{IPV4, no_request, support};
use super::write::WrittenAnnotation;
use crate::diagnostics::quoted;
use crate::intents::Intent;
use crate::plan::{Annotation, Plan};
use crate::values::Target;

/// A key of ingress-nginx, and the key of another program that has the same effect.
#[derive(Debug)]
pub(crate) struct EquivalentKey {
    /// The key of ingress-nginx, without its prefix.
    name: &'static str,
    controller: Controller,
    pub(crate) key: &'static str,
    /// What the program does differently, as a part of a sentence that begins with a verb; empty if it does nothing differently.
    pub(crate) differs: &'static str,
    /// Returns why the effect would be another one for a plan and a value.
    untranslated: Untranslated,
}

type Untranslated = fn(&Plan, &str) -> Option<Cause>;

/// Why a line of ingress-nginx is not translated, although the program has a key for it.
pub(crate) enum Cause {
    /// Another value would be translated: what the program takes, as a clause.
    Value(String),
    /// Another Service would get the key: what hinders this one, as a clause, and the help.
    Service(&'static str, &'static str),
}

const fn row(
    name: &'static str,
    controller: Controller,
    key: &'static str,
    untranslated: Untranslated,
) -> EquivalentKey {
    EquivalentKey { name, controller, key, differs: "", untranslated }
}

static EQUIVALENTS: &[EquivalentKey] = &[
    row("app-root", Controller::F5Nginx, "nginx.org/app-root", app_root_cause),
    row("app-root", Controller::HaproxyIngress, "haproxy-ingress.github.io/app-root", app_root_cause),
    row("limit-allowlist", Controller::Haproxy, "haproxy.org/rate-limit-whitelist", limit_cause),
    row("limit-allowlist", Controller::HaproxyIngress, "haproxy-ingress.github.io/limit-whitelist", no_cause),
    EquivalentKey {
        differs: IPV4,
        ..row(
            "limit-connections",
            Controller::HaproxyIngress,
            "haproxy-ingress.github.io/limit-connections",
            no_cause,
        )
    },
    row("limit-whitelist", Controller::Haproxy, "haproxy.org/rate-limit-whitelist", limit_cause),
    row("limit-whitelist", Controller::HaproxyIngress, "haproxy-ingress.github.io/limit-whitelist", no_cause),
    row("proxy-send-timeout", Controller::F5Nginx, "nginx.org/proxy-send-timeout", send_timeout_cause),
    row("upstream-vhost", Controller::Haproxy, "haproxy.org/set-host", host_cause),
];

/// The key has the same effect for every plan and value.
fn no_cause(_: &Plan, _: &str) -> Option<Cause> {
    None
}

/// The cause if the path `/` of a host does not belong to the Service: ingress-nginx compares the key with the paths of the Service, and the
/// other programs with all paths of the host. NGINX Ingress Controller ignores the key of a minion.
fn app_root_cause(plan: &Plan, value: &str) -> Option<Cause> {
    let has_root = |host: &str| plan.rules.iter().any(|route| route.host == host && route.path == "/");
    if plan.annotation(MERGEABLE).is_some() {
        Some(Cause::Service(
            "it ignores the key of a minion",
            "remove the line, and write nginx.org/app-root in the master Ingress",
        ))
    } else if !plan.rules.iter().all(|route| has_root(&route.host)) {
        Some(Cause::Service(
            "it would redirect `/` of the host, which is not a path of the Service",
            "expose the path `/`, or remove the line",
        ))
    } else {
        value.contains('$').then(|| Cause::Value("it takes a path without variables".to_owned()))
    }
}

/// The cause if the program gets no limit: it then accepts no exceptions from one.
fn limit_cause(plan: &Plan, _: &str) -> Option<Cause> {
    let is_written = |rate| support(plan, Target::Ingress, Intent::RateLimit, Some(rate)).is_supported();
    let is_limited = plan.intent_value(Intent::RateLimit).is_some_and(is_written);
    (!is_limited).then_some(Cause::Service("it gets no limit", "remove the line"))
}

/// The cause if a value has variables, which the program does not take.
fn host_cause(_: &Plan, value: &str) -> Option<Cause> {
    let said = "it takes letters, digits and `- . _`";
    (!is_of(value, "-._")).then(|| Cause::Value(said.to_owned()))
}

/// The cause if the program does not wait, or if an option or the lines for both directions set the key.
fn send_timeout_cause(plan: &Plan, value: &str) -> Option<Cause> {
    if plan.intents.iter().any(|it| it.intent == Intent::IdleTimeout && it.keys.len() != 1) {
        return Some(Cause::Service("IdleTimeout sets both directions", "remove the line"));
    }
    (value == "0s").then(|| Cause::Value("it takes a number that is greater than 0".to_owned()))
}

/// Returns the value that is written for a line. NGINX Ingress Controller refuses a path with `/` at its end; with an empty query,
/// it is the same path.
fn written_value<'p>(row: &EquivalentKey, line: &'p Annotation) -> Cow<'p, str> {
    let value = line.value.trim();
    if row.controller == Controller::F5Nginx && value.len() > 1 && value.ends_with('/') {
        [value, "?"].concat().into()
    } else if row.name == "proxy-send-timeout" {
        // ingress-nginx counts in seconds.
        [value, "s"].concat().into()
    } else {
        value.into()
    }
}

/// Returns the row of a key, if the program of the Ingress has one.
fn row_of(plan: &Plan, key: &str) -> Option<&'static EquivalentKey> {
    let name = key.strip_prefix(PREFIX)?;
    let mut rows = EQUIVALENTS.iter().filter(|it| it.name == name);
    rows.find(|it| it.controller == plan.controller(Target::Ingress))
}

/// Returns the row of a line of ingress-nginx that is written as an annotation of the program that serves a target: the line has
/// an effect on ingress-nginx, and the annotation has the same one.
fn written_row(plan: &Plan, target: Target, line: &Annotation) -> Option<&'static EquivalentKey> {
    let row = row_of(plan, &line.key).filter(|_| target == Target::Ingress && plan.has_stable_ingress())?;
    let (known, value) = (find(row.name)?, line.value.trim());
    let is_in_effect = !known.neutral.is(value) && invalid_value(known, &line.value).is_none();
    let is_read = no_request(plan, target).is_none() || row.name.starts_with("limit-");
    (is_in_effect && is_read && untranslated(plan, row, line).is_none()).then_some(row)
}

/// Returns why the annotation of the program would not have the effect of a line.
fn untranslated(plan: &Plan, row: &EquivalentKey, line: &Annotation) -> Option<Cause> {
    let value = written_value(row, line);
    let refused = read_by(row.controller, row.key).and_then(|(_, known)| known.invalid_value(&value));
    let refused = refused.map(|it| Cause::Value(["it takes ", &it.expected].concat()));
    refused.or_else(|| (row.untranslated)(plan, &value))
}

/// Returns the row of a line that is written as an annotation of the program, or whose annotation was given with the same value.
pub(crate) fn equivalent(plan: &Plan, target: Target, key: &str) -> Option<&'static EquivalentKey> {
    let line = plan.annotation(key)?;
    let is_same = |row: &&EquivalentKey| {
        plan.annotation(row.key).is_none_or(|given| given.value.trim() == written_value(row, line))
    };
    written_row(plan, target, line).filter(is_same)
}

/// Returns the annotations that express the lines of ingress-nginx without an intent.
pub(super) fn write(plan: &Plan, target: Target) -> impl Iterator<Item = WrittenAnnotation<'_>> {
    plan.annotations.iter().filter_map(move |line| {
        let row = written_row(plan, target, line)?;
        Some(WrittenAnnotation { key: row.key, value: written_value(row, line), origin: line.origin() })
    })
}

/// Returns the lines of ingress-nginx and the annotations of the program that have different values for one effect.
pub(crate) fn conflicting(plan: &Plan) -> impl Iterator<Item = (&Annotation, &Annotation)> {
    plan.annotations.iter().filter_map(|line| {
        let row = written_row(plan, Target::Ingress, line)?;
        let given = plan.annotation(row.key)?;
        (given.value.trim() != written_value(row, line)).then_some((given, line))
    })
}

/// Returns the cause and the help for a line of ingress-nginx that is lost although the program has a key of the same meaning, or
/// at least of the same name.
pub(crate) fn instead(plan: &Plan, line: &Annotation, targets: &[Target]) -> (Option<Cause>, Option<String>) {
    let controller = plan.controller(Target::Ingress);
    let is_here = targets == [Target::Ingress] && plan.has_stable_ingress() && !controller.is_nginx();
    let Some(name) = line.key.strip_prefix(PREFIX).filter(|_| is_here) else { return (None, None) };
    if let Some(row) = row_of(plan, &line.key) {
        if let Some(given) = plan.annotation(row.key) {
            let cause = [&quoted(row.key), " is ", &quoted(given.value.trim())].concat();
            return (
                Some(Cause::Value(cause)),
                Some("write one value to both, or remove the line".to_owned()),
            );
        }
        let cause = untranslated(plan, row, line);
        let help = match &cause {
            Some(Cause::Service(_, help)) => Some((*help).to_owned()),
            Some(Cause::Value(_)) => Some("write such a value, or remove the line".to_owned()),
            None => no_request(plan, Target::Ingress).map(str::to_owned),
        };
        return (cause, help);
    }
    let own = controller.row().reads.iter().find_map(|prefix| {
        let own = [prefix, name].concat();
        let (program, _) = read_by(controller, &own)?;
        (program.prefixes.contains(prefix) && program.reads(name) && program.names().contains(&name))
            .then_some(own)
    });
    (None, own.map(|own| ["write ", &own, " in place of the line"].concat()))
}
