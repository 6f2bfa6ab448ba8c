//! Compares canaries with the stable Services whose requests they share.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use super::claims::{Claimed, MAX_NAMED, conflict, exclusive, routes};
use super::{Filing, Identity, Naming};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, quoted};
use crate::dialect::covers::covers;
use crate::dialect::mappings::intent_of;
use crate::dialect::nginx::{any_name, is_read_on_canary, redirect_of};
use crate::dialect::read::read;
use crate::dialect::support::{is_supported, support};
use crate::dialect::{is_read_on, protects};
use crate::intents::{Intent, IntentValue, Loss};
use crate::options::annotations::annotation;
use crate::plan::{Annotation, Plan, Route};
use crate::validation::PathType;
use crate::values::Target;

/// The part of a route that a canary and its stable Service must have in common.
type Comparable<'r> = (&'r str, &'r str, PathType);

fn comparable(route: &Route) -> Comparable<'_> {
    (&route.host, &route.path, route.path_type)
}

/// The claims that a canary shares: the routes of its stable Service, as that Service claims them.
pub(super) fn shared(plan: &Plan) -> impl Iterator<Item = Claimed<'_>> {
    exclusive(plan).filter_map(|claim| claim.stable())
}

/// Reports, on both Services, a canary whose route a Service of another namespace has: the controller would give the canary
/// requests of that Service. Only canaries without their stable Service are checked (`alone`), because otherwise the stable Service
/// itself conflicts. Returns the positions of the reported canaries, and the canaries whose route another Service of their own
/// namespace has.
fn foreign_routes<'p>(
    plans: &[&'p Plan],
    alone: &[usize],
    naming: Naming,
    file: &mut Filing<'_>,
) -> (BTreeSet<usize>, BTreeMap<usize, &'p Plan>) {
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
    let (mut found, mut near) = (BTreeSet::new(), BTreeMap::new());
    for (claim, stable) in stable {
        let canaries = canaries.get(claim).map_or(&[][..], Vec::as_slice);
        let help = "give one of them another host or path";
        let of_canary =
            "name a stable Service in the namespace of the canary, or give the canary another host or path";
        for (own, others, help) in [(&stable[..], canaries, help), (canaries, &stable[..], of_canary)] {
            let others = others.iter().filter_map(|at| plans.get(*at).copied());
            // The number of other Services in each namespace, and the first of them.
            let mut of_namespace: BTreeMap<Option<&str>, (usize, &'p Plan)> = BTreeMap::new();
            others
                .clone()
                .for_each(|other| of_namespace.entry(other.namespace()).or_insert((0, other)).0 += 1);
            let count: usize = of_namespace.values().map(|(count, _)| count).sum();
            for at in own {
                let Some(plan) = plans.get(*at) else { continue };
                let own_ones = of_namespace.get(&plan.namespace());
                if let Some((_, first)) = own_ones.filter(|_| plan.canary.is_some()) {
                    near.insert(*at, *first);
                }
                let all = count - own_ones.map_or(0, |(own_ones, _)| *own_ones);
                let is_stranger = |other: &&Plan| other.namespace() != plan.namespace();
                let others: Vec<&Plan> = others.clone().filter(is_stranger).take(MAX_NAMED).collect();
                if others.is_empty() {
                    continue;
                }
                found.insert(*at);
                let mut own = routes(plan);
                let is_claim = |of: &Claimed<'_>| of == claim || of.stable().as_ref() == Some(claim);
                let origin = own.find_map(|(of, origin)| is_claim(&of).then_some(origin)).flatten();
                if let Some(problem) = conflict(claim, plan, origin, &naming.names(plan, &others, all), help)
                {
                    file(*at, plan, problem);
                }
            }
        }
    }
    (found, near)
}

/// Facts about a stable Service, computed once for all of its canaries.
struct Stable<'p> {
    routes: BTreeSet<Comparable<'p>>,
    meanings: Vec<(Intent, IntentValue)>,
}

/// Checks that every canary has its stable Service among the plans, exposed in the same way. The Services of `refused` are not
/// exposed.
pub(super) fn canaries(
    plans: &[&Plan],
    refused: &BTreeSet<Identity<'_>>,
    naming: Naming,
    file: &mut Filing<'_>,
) {
    if plans.iter().all(|plan| plan.canary.is_none()) {
        return;
    }
    let all: BTreeMap<Identity<'_>, &Plan> = plans.iter().map(|plan| (plan.identity(), *plan)).collect();
    let is_alone = |plan: &Plan| plan.stable_identity().is_some_and(|stable| !all.contains_key(&stable));
    let alone: Vec<usize> =
        plans.iter().enumerate().filter(|(_, plan)| is_alone(plan)).map(|(at, _)| at).collect();
    let (strangers, near) = foreign_routes(plans, &alone, naming, file);
    let mut known: BTreeMap<Identity<'_>, Stable<'_>> = BTreeMap::new();
    for (index, plan) in plans.iter().enumerate() {
        let Some(canary) = &plan.canary else { continue };
        let of = (plan.namespace(), canary.of.as_str());
        let at = || FieldPath::annotation(annotation::CANARY_OF);
        match all.get(&of) {
            None if strangers.contains(&index) => {}
            None if refused.contains(&of) && has_own_route(plan) => file(index, plan, refused_with(plan)),
            None => {
                let then = match near.get(&index) {
                    Some(other) => format!("the canary gets requests of {}", other.subject),
                    None if has_own_route(plan) => "its protections do not apply to the canary".to_owned(),
                    None => "the canary gets no requests".to_owned(),
                };
                let message = format!("the Service {} is not exposed here, and {then}", quoted(&canary.of));
                let help = "expose the stable Service, or correct the name";
                file(index, plan, (at(), Problem::new(Code::CanaryAlone, message).help(help)));
            }
            Some(stable) if stable.canary.is_some() => {
                let message = format!("the Service {} is a canary itself", quoted(&canary.of));
                let problem = Problem::new(Code::CanaryInvalid, message).help("name the stable Service");
                file(index, plan, (at(), problem));
            }
            Some(stable) => {
                let Stable { routes, meanings } = known.entry(of).or_insert_with(|| Stable {
                    routes: stable.rules.iter().map(comparable).collect(),
                    meanings: meanings(stable),
                });
                let differing = difference(plan, stable, routes);
                for found in differing.into_iter().chain(unprotected(plan, stable, meanings)) {
                    file(index, plan, found);
                }
            }
        }
    }
}

/// Whether a canary has an HTTPRoute of its own, so that it receives requests even without its stable Service.
pub(super) fn has_own_route(canary: &Plan) -> bool {
    canary.targets.contains(&Target::HttpRoute) && canary.has_object(Target::HttpRoute)
}

/// The problem of a canary whose stable Service is refused. The objects that protect such a canary are made with the stable
/// Service, so the canary would be unprotected.
pub(super) fn refused_with(canary: &Plan) -> (FieldPath, Problem) {
    let of = canary.canary.as_ref().map_or("", |canary| &canary.of);
    let message =
        format!("the Service {} is refused, and its protections would not apply to the canary", quoted(of));
    let problem = Problem::new(Code::CanaryDiffers, message).help("correct the stable Service");
    (FieldPath::annotation(annotation::CANARY_OF), problem)
}

/// The first difference between a canary and its stable Service that is not allowed.
fn difference(
    canary: &Plan,
    stable: &Plan,
    routes: &BTreeSet<Comparable<'_>>,
) -> Option<(FieldPath, Problem)> {
    let subject = &stable.subject;
    let differs = |path, message: String| {
        let problem = Problem::new(Code::CanaryDiffers, message);
        Some((path, problem.help("give both Services the same templates, path, path type and class")))
    };
    for rule in canary.rules.iter().filter(|rule| !routes.contains(&comparable(rule))) {
        let near = stable.rules.iter().find(|other| other.host == rule.host);
        let Some(other) = near.or(stable.rules.first()) else { continue };
        let message = if (&other.host, &other.path) == (&rule.host, &rule.path) {
            format!(
                "the path of {subject} has the type {}, but that of the canary {}",
                other.path_type.as_str(),
                rule.path_type.as_str()
            )
        } else {
            let shown_rule = |rule: &Route| quoted(&format!("{}{}", rule.host, rule.path));
            format!("{subject} is exposed as {}, but the canary as {}", shown_rule(other), shown_rule(rule))
        };
        return differs(rule.host_origin.path(), message);
    }
    if canary.class() != stable.class() {
        let class = |plan: &Plan| {
            plan.class().map_or_else(|| "no class".to_owned(), |class| format!("the class {}", quoted(class)))
        };
        let origin = canary.class.as_ref().map(|class| &class.origin);
        let origin = origin.or(canary.name.as_ref().map(|name| &name.origin)).cloned().unwrap_or_default();
        let message = format!("{subject} has {}, but the canary has {}", class(stable), class(canary));
        return differs(origin.path(), message);
    }
    if canary.has_object(Target::HttpRoute) && canary.gateways() != stable.gateways() {
        let origin = canary.parent_refs.as_ref().map_or(&canary.targets_origin, |refs| &refs.origin);
        let problem = Problem::new(Code::CanaryDiffers, format!("{subject} is attached to other listeners"));
        return Some((origin.path(), problem.help("give both Services the same TLS, profile and target")));
    }
    other_port(canary, stable)
}

/// The difference of a port. A Route names the port of the stable Service, and the router takes the endpoints of each backend with
/// this port name.
fn other_port(canary: &Plan, stable: &Plan) -> Option<(FieldPath, Problem)> {
    if ![canary, stable].iter().all(|plan| plan.targets.contains(&Target::Route)) {
        return None;
    }
    stable.rules.iter().find_map(|rule| {
        let name = stable.backend_port(rule)?.name()?;
        let own = canary.rules.iter().find(|own| comparable(own) == comparable(rule))?;
        let port = canary.backend_port(own).filter(|port| port.name() != Some(name))?;
        let message = format!(
            "the Route of {} leads to ports with the name {}, and the port of the canary has another one, so the canary gets no requests",
            stable.subject,
            quoted(name)
        );
        let problem = Problem::new(Code::CanaryDiffers, message).help("give the port the same name in both Services");
        Some((port.chosen.origin.path(), problem))
    })
}

/// The intents of a plan, whichever words express them.
fn meanings(plan: &Plan) -> Vec<(Intent, IntentValue)> {
    let known = plan.intents.iter().map(|it| (it.intent, it.intent_value.clone()));
    let more = read(plan).into_iter().map(|it| (it.intent, it.intent_value));
    known.chain(more).chain(plan.annotations.iter().filter_map(|line| meaning(plan, line))).collect()
}

/// The intent that a line has in the words of the controller that serves the plan.
fn meaning(plan: &Plan, line: &Annotation) -> Option<(Intent, IntentValue)> {
    let intent = plan.targets.iter().find_map(|target| intent_of(plan, *target, &line.key))?;
    Some((intent, intent.read(&line.value).ok()?))
}

/// The protection that a canary asks for and its stable Service does not have. It would have no effect: the controller answers all
/// requests for a host and path as the stable Service asks. The size of a request body is no protection in this sense.
fn unprotected(canary: &Plan, stable: &Plan, theirs: &[(Intent, IntentValue)]) -> Vec<(FieldPath, Problem)> {
    // Such a canary has a finding of its own, because other controllers do not read an Ingress as a canary.
    if canary.targets.contains(&Target::Ingress) && !canary.controller(Target::Ingress).is_nginx() {
        return Vec::new();
    }
    let subject = &stable.subject;
    let problem = |what: &str, is_lost: bool| {
        let what = quoted(what);
        let message = format!("{what} has no effect on a canary, and {subject} does not have the same");
        let help = if is_lost { "remove it" } else { "move it to the stable Service" };
        Problem::new(Code::CanaryDiffers, message).help(help)
    };
    // The plan without the canary tells whether the controller could do the same for the stable Service, which decides the help.
    let alone = LazyCell::new(|| Plan { canary: None, ..canary.clone() });
    let is_covered = |intent: Intent, intent_value: &IntentValue| {
        intent == Intent::MaxBodySize
            || intent.loss_of(intent_value) != Loss::Protection
            || theirs.iter().any(|(other, given)| *other == intent && covers(intent, given, intent_value))
    };
    let mut found = Vec::new();
    let options = canary.intents.iter().filter(|it| it.keys.is_empty());
    for wanted in options.filter(|it| matches!(it.origin, Origin::Annotation(_))) {
        if !is_covered(wanted.intent, &wanted.intent_value) {
            let is_lost = !is_supported(&alone, wanted);
            found.push((wanted.origin.path(), problem(wanted.intent.as_str(), is_lost)));
        }
    }
    let is_idle = |line: &&Annotation| {
        canary.targets.iter().any(|target| match target {
            Target::Ingress => any_name(&line.key).is_some_and(|name| !is_read_on_canary(name)),
            other => !is_read_on(&line.key, *other) || !canary.has_object(*other),
        })
    };
    // The redirect to https comes from the certificate of the stable Service.
    let is_asked = |line: &&Annotation| {
        line.is_forwarded() && protects(&line.key, &line.value) && redirect_of(&line.key).is_none()
    };
    let own = read(canary);
    for line in canary.annotations.iter().filter(is_asked).filter(is_idle) {
        let meant = own.iter().find(|it| it.keys.contains(&line.key));
        let meant = meant.map(|it| (it.intent, it.intent_value.clone())).or_else(|| meaning(canary, line));
        let is_there = stable.annotation(&line.key).is_some_and(|given| given.value == line.value)
            || meant.as_ref().is_some_and(|(intent, intent_value)| is_covered(*intent, intent_value));
        if !is_there {
            let is_said = |target: &Target| match (target, &meant) {
                (_, Some((intent, intent_value))) => {
                    support(&alone, *target, *intent, Some(intent_value)).is_supported()
                }
                (Target::Ingress, None) => alone.controller(*target).reads(&line.key),
                (other, None) => is_read_on(&line.key, *other),
            };
            let is_lost = !canary.targets.iter().all(is_said);
            found.push(line.at_key(problem(&line.key, is_lost)));
        }
    }
    found
}
