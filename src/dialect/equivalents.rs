//! Keys of ingress-nginx without an intent, and the keys of other programs that have the same effect with the same value.

use super::controller::Controller;
use super::f5_nginx::MERGEABLE;
use super::nginx::{PREFIX, find, invalid_value};
use super::support::{IPV4, no_request, support};
use super::write::WrittenAnnotation;
use super::{is_invalid, read_by};
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
    /// Whether the effect is the same for a plan and a value.
    is_same: fn(&Plan, &str) -> bool,
}

const fn row(
    name: &'static str,
    controller: Controller,
    key: &'static str,
    is_same: fn(&Plan, &str) -> bool,
) -> EquivalentKey {
    EquivalentKey { name, controller, key, differs: "", is_same }
}

static EQUIVALENTS: &[EquivalentKey] = &[
    row("app-root", Controller::F5Nginx, "nginx.org/app-root", is_at_root),
    row("app-root", Controller::HaproxyIngress, "haproxy-ingress.github.io/app-root", is_at_root),
    row("limit-allowlist", Controller::Haproxy, "haproxy.org/rate-limit-whitelist", is_limited),
    row("limit-allowlist", Controller::HaproxyIngress, "haproxy-ingress.github.io/limit-whitelist", is_any),
    EquivalentKey {
        differs: IPV4,
        ..row(
            "limit-connections",
            Controller::HaproxyIngress,
            "haproxy-ingress.github.io/limit-connections",
            is_any,
        )
    },
    row("limit-whitelist", Controller::Haproxy, "haproxy.org/rate-limit-whitelist", is_limited),
    row("limit-whitelist", Controller::HaproxyIngress, "haproxy-ingress.github.io/limit-whitelist", is_any),
    row("upstream-vhost", Controller::Haproxy, "haproxy.org/set-host", is_name),
];

fn is_any(_: &Plan, _: &str) -> bool {
    true
}

/// Whether the path `/` of each host belongs to the Service. ingress-nginx compares the key with the paths of the Service, and the
/// other programs with all paths of the host. NGINX Ingress Controller ignores the key of a minion.
fn is_at_root(plan: &Plan, _: &str) -> bool {
    let has_root = |host: &str| plan.rules.iter().any(|route| route.host == host && route.path == "/");
    plan.rules.iter().all(|route| has_root(&route.host)) && plan.annotation(MERGEABLE).is_none()
}

/// Whether the program gets a limit, without which it does not accept exceptions from the limit.
fn is_limited(plan: &Plan, _: &str) -> bool {
    plan.intent_value(Intent::RateLimit)
        .is_some_and(|rate| support(plan, Target::Ingress, Intent::RateLimit, Some(rate)).is_supported())
}

/// Whether a value is a name without variables.
fn is_name(_: &Plan, value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))
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
    (is_in_effect && is_read && !is_invalid(row.controller, row.key, value) && (row.is_same)(plan, value))
        .then_some(row)
}

/// Returns the row of a line that is written as an annotation of the program, or whose annotation was given with the same value.
pub(crate) fn equivalent(plan: &Plan, target: Target, key: &str) -> Option<&'static EquivalentKey> {
    let line = plan.annotation(key)?;
    let is_same = |row: &&EquivalentKey| {
        plan.annotation(row.key).is_none_or(|given| given.value.trim() == line.value.trim())
    };
    written_row(plan, target, line).filter(is_same)
}

/// Returns the annotations that express the lines of ingress-nginx without an intent.
pub(super) fn write(plan: &Plan, target: Target) -> impl Iterator<Item = WrittenAnnotation<'_>> {
    plan.annotations.iter().filter_map(move |line| {
        let key = written_row(plan, target, line)?.key;
        Some(WrittenAnnotation { key, value: line.value.trim().into(), origin: line.origin() })
    })
}

/// Returns the lines of ingress-nginx and the annotations of the program that have different values for one effect.
pub(crate) fn conflicting(plan: &Plan) -> impl Iterator<Item = (&Annotation, &Annotation)> {
    plan.annotations.iter().filter_map(|line| {
        let given = plan.annotation(written_row(plan, Target::Ingress, line)?.key)?;
        (given.value.trim() != line.value.trim()).then_some((given, line))
    })
}

/// Returns the reason and the help for a line of ingress-nginx that is lost although the program has a key of the same meaning, or
/// at least of the same name.
pub(crate) fn instead(plan: &Plan, key: &str, targets: &[Target]) -> (String, Option<String>) {
    let controller = plan.controller(Target::Ingress);
    let name = key.strip_prefix(PREFIX).filter(|_| targets == [Target::Ingress] && !controller.is_nginx());
    let Some(name) = name else { return Default::default() };
    if let Some(row) = row_of(plan, key) {
        return plan.annotation(row.key).map_or_else(Default::default, |given| {
            let reason = [&quoted(row.key), " is ", &quoted(given.value.trim())].concat();
            (reason, Some("write one value to both, or remove the line".to_owned()))
        });
    }
    let own = controller.row().reads.iter().find_map(|prefix| {
        let own = [prefix, name].concat();
        let (program, _) = read_by(controller, &own)?;
        (program.prefixes.contains(prefix) && program.reads(name) && program.names().contains(&name))
            .then_some(own)
    });
    (String::new(), own.map(|own| ["write ", &own, " in place of the line"].concat()))
}
