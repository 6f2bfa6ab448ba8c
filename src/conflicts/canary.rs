//! Canaries beside the Services whose requests they share.

use std::collections::{BTreeMap, BTreeSet};

use super::claims::{Claimed, MAX_NAMED, exclusive, routes, said};
use super::{Filing, Naming};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, quoted};
use crate::dialect::nginx::{any_name, is_read_on_canary, redirect_of};
use crate::dialect::read::read;
use crate::dialect::{Loss, protects};
use crate::intents::{Intent, Wish};
use crate::options::annotations::annotation;
use crate::plan::{Plan, Route};
use crate::validation::PathType;
use crate::values::Target;

/// A route as far as a canary must have the same.
type Comparable<'r> = (&'r str, &'r str, PathType);

fn comparable(route: &Route) -> Comparable<'_> {
    (&route.host, &route.path, route.path_type)
}

/// What a canary shares: the routes of its stable Service, as that one claims them.
pub(super) fn shared(plan: &Plan) -> impl Iterator<Item = Claimed<'_>> {
    exclusive(plan).filter_map(|claim| claim.stable())
}

/// Reports where a Service of another namespace has a route of a canary, on both: whoever serves them gives the canary the requests
/// of that Service. Those are canaries whose stable Service is not there: otherwise that one is compared. The positions of the
/// canaries that are reported.
fn strangers(plans: &[&Plan], alone: &[usize], naming: Naming, file: &mut Filing<'_>) -> BTreeSet<usize> {
    let mut canaries: BTreeMap<Claimed<'_>, Vec<usize>> = BTreeMap::new();
    for at in alone {
        for claim in plans.get(*at).into_iter().flat_map(|plan| shared(plan)) {
            canaries.entry(claim).or_default().push(*at);
        }
    }
    let mut stable: BTreeMap<&Claimed<'_>, Vec<usize>> = BTreeMap::new();
    for (at, plan) in plans.iter().enumerate().filter(|(_, plan)| plan.canary.is_none()) {
        for claim in exclusive(plan) {
            if let Some((claim, _)) = canaries.get_key_value(&claim) {
                stable.entry(claim).or_default().push(at);
            }
        }
    }
    let mut found = BTreeSet::new();
    for (claim, stable) in stable {
        let canaries = canaries.get(claim).map_or(&[][..], Vec::as_slice);
        let help = "give one of them another host or path";
        let of_canary = "name a stable Service of its namespace, or give the canary another host or path";
        for (own, others, help) in [(&stable[..], canaries, help), (canaries, &stable[..], of_canary)] {
            for at in own {
                let Some(plan) = plans.get(*at) else { continue };
                let others = others.iter().filter_map(|at| plans.get(*at).copied());
                let others = others.filter(|other| other.namespace() != plan.namespace());
                let others: Vec<&Plan> = others.take(MAX_NAMED).collect();
                if others.is_empty() {
                    continue;
                }
                found.insert(*at);
                let mut own = routes(plan);
                let is_claim = |of: &Claimed<'_>| of == claim || of.stable().as_ref() == Some(claim);
                let origin = own.find_map(|(of, origin)| is_claim(&of).then_some(origin)).flatten();
                if let Some(problem) =
                    said(claim, plan, origin, &naming.in_words(plan, &others, others.len()), help)
                {
                    file(*at, plan, problem);
                }
            }
        }
    }
    found
}

/// Checks that every canary has its stable Service beside it, exposed in the same way.
pub(super) fn canaries(plans: &[&Plan], naming: Naming, file: &mut Filing<'_>) {
    if plans.iter().all(|plan| plan.canary.is_none()) {
        return;
    }
    let all: BTreeMap<(Option<&str>, &str), &Plan> =
        plans.iter().map(|plan| (plan.identity(), *plan)).collect();
    let is_alone = |plan: &Plan| {
        plan.canary.as_ref().is_some_and(|it| !all.contains_key(&(plan.namespace(), it.of.as_str())))
    };
    let alone: Vec<usize> =
        plans.iter().enumerate().filter(|(_, plan)| is_alone(plan)).map(|(at, _)| at).collect();
    let strangers = strangers(plans, &alone, naming, file);
    // Many canaries may be of one Service, whose routes are sorted once.
    let mut routes: BTreeMap<(Option<&str>, &str), BTreeSet<Comparable<'_>>> = BTreeMap::new();
    for (index, plan) in plans.iter().enumerate() {
        let Some(canary) = &plan.canary else { continue };
        let of = (plan.namespace(), canary.of.as_str());
        let at = || FieldPath::annotation(annotation::CANARY_OF);
        match all.get(&of) {
            None if strangers.contains(&index) => {}
            None => {
                let said = format!(
                    "the Service {} is not exposed here, and the canary gets no requests",
                    quoted(&canary.of)
                );
                let help = "expose the stable Service, or correct the name";
                file(index, plan, (at(), Problem::new(Code::CanaryAlone, said).help(help)));
            }
            Some(stable) if stable.canary.is_some() => {
                let said = format!("the Service {} is a canary itself", quoted(&canary.of));
                let problem = Problem::new(Code::CanaryInvalid, said).help("name the stable Service");
                file(index, plan, (at(), problem));
            }
            Some(stable) => {
                let routes =
                    routes.entry(of).or_insert_with(|| stable.rules.iter().map(comparable).collect());
                for found in difference(plan, stable, routes).into_iter().chain(unprotected(plan, stable)) {
                    file(index, plan, found);
                }
            }
        }
    }
}

/// In what a canary differs from its stable Service although it must not.
fn difference(
    canary: &Plan,
    stable: &Plan,
    routes: &BTreeSet<Comparable<'_>>,
) -> Option<(FieldPath, Problem)> {
    let subject = &stable.subject;
    let differs = |path, said: String| {
        let problem = Problem::new(Code::CanaryDiffers, said);
        Some((path, problem.help("give both Services the same templates, path, path type and class")))
    };
    for rule in canary.rules.iter().filter(|rule| !routes.contains(&comparable(rule))) {
        let near = stable.rules.iter().find(|other| other.host == rule.host);
        let Some(other) = near.or(stable.rules.first()) else { continue };
        let said = if (&other.host, &other.path) == (&rule.host, &rule.path) {
            format!(
                "the path of {subject} has the type {} and not {}, as here",
                other.path_type.as_str(),
                rule.path_type.as_str()
            )
        } else {
            let shown_rule = |rule: &Route| quoted(&format!("{}{}", rule.host, rule.path));
            format!("{subject} is exposed as {} and not as {}, as here", shown_rule(other), shown_rule(rule))
        };
        return differs(rule.host_origin.path(), said);
    }
    if canary.class() != stable.class() {
        let class = |plan: &Plan| {
            plan.class().map_or_else(|| "no class".to_owned(), |class| format!("the class {}", quoted(class)))
        };
        let origin = canary.class.as_ref().map(|class| &class.origin);
        let origin = origin.or(canary.name.as_ref().map(|name| &name.origin)).cloned().unwrap_or_default();
        let said = format!("{subject} has {} and not {}, as here", class(stable), class(canary));
        return differs(origin.path(), said);
    }
    if canary.has_object(Target::HttpRoute) && canary.gateways() != stable.gateways() {
        let origin = canary.parent_refs.as_ref().map_or(&canary.targets_origin, |refs| &refs.origin);
        let problem = Problem::new(Code::CanaryDiffers, format!("{subject} is attached to other listeners"));
        return Some((origin.path(), problem.help("give both Services the same TLS, profile and target")));
    }
    None
}

/// What protects a canary by its own words, and does not protect the stable Service, whose words count for both: ingress-nginx
/// answers all requests of a host and path by the location of the stable Ingress.
fn unprotected(canary: &Plan, stable: &Plan) -> Vec<(FieldPath, Problem)> {
    // Another Ingress is no canary, which has a finding of its own.
    if canary.targets.contains(&Target::Ingress) && !canary.controller(Target::Ingress).is_nginx() {
        return Vec::new();
    }
    let subject = &stable.subject;
    let problem = |what: &str| {
        let what = quoted(what);
        let said = format!("{what} of a canary has no effect, and {subject} does not have the same");
        Problem::new(Code::CanaryDiffers, said).help("move it to the stable Service")
    };
    let (own, theirs) = (read(canary), read(stable));
    let has = |intent: Intent, wish: &Wish| {
        let is_same = |(other, given): (Intent, &Wish)| other == intent && given == wish;
        stable.intents.iter().map(|it| (it.intent, &it.wish)).any(is_same)
            || theirs.iter().map(|it| (it.intent, &it.wish)).any(is_same)
    };
    let is_own = |origin: &Origin| matches!(origin, Origin::Annotation(_));
    let mut found = Vec::new();
    let options = canary.intents.iter().filter(|it| it.keys.is_empty() && is_own(&it.origin));
    for wanted in options {
        if wanted.intent.loss_of(&wanted.wish) == Loss::Protects && !has(wanted.intent, &wanted.wish) {
            found.push((wanted.origin.path(), problem(wanted.intent.as_str())));
        }
    }
    // In the words of ingress-nginx, a line has the same meaning as an option, or it stands in the same way on the stable Service.
    let is_ingress = canary.targets.contains(&Target::Ingress);
    let is_idle = |key: &str| is_ingress && any_name(key).is_some_and(|name| !is_read_on_canary(name));
    for line in canary.annotations.iter().filter(|it| it.is_forwarded() && is_idle(&it.key)) {
        let meant = own.iter().find(|it| it.keys.contains(&line.key));
        let is_there = match meant {
            Some(it) => it.intent.loss_of(&it.wish) != Loss::Protects || has(it.intent, &it.wish),
            None => stable.annotation(&line.key).is_some_and(|given| given.value == line.value),
        };
        // The redirect is that of the certificate, which the stable Service has.
        let is_redirect = redirect_of(&line.key).is_some();
        if protects(&line.key, &line.value) && !is_there && !is_redirect {
            found.push(line.at_key(problem(&line.key)));
        }
    }
    found
}
