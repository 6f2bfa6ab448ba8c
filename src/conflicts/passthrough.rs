//! TLS passthrough on the HAProxy Kubernetes Ingress Controller. If one Service of the controller has it, the controller compares
//! no addresses of requests by https to the others.

use std::collections::BTreeMap;

use super::claims::{Claimed, MAX_NAMED};
use super::hosts::HostUse;
use super::{Deciding, Filing};
use crate::diagnostics::{Code, Problem};
use crate::dialect::controller::Controller;
use crate::dialect::effect;
use crate::dialect::mappings::intent_of;
use crate::intents::Intent;
use crate::plan::{Annotation, Place, Plan};
use crate::values::Target;

/// How a plan affects the others of its class, or is affected.
enum Part<'p> {
    Passes,
    /// It has lists of addresses: their keys, and their places.
    Addresses(Vec<(&'p str, Place<'p>)>),
}

fn part(plan: &Plan) -> Option<Part<'_>> {
    if !plan.has_stable_ingress() || plan.controller(Target::Ingress) != Controller::Haproxy {
        return None;
    }
    if plan.passes_tls() {
        return Some(Part::Passes);
    }
    let is_list = |intent| matches!(intent, Intent::AllowedSources | Intent::DeniedSources);
    let lists = asked(plan, is_list);
    (!lists.is_empty()).then_some(Part::Addresses(lists))
}

/// Returns the key and the place of each option, and of each line that the program of the Ingress reads, that asks for one of these
/// intents.
pub(super) fn asked(plan: &Plan, is_it: fn(Intent) -> bool) -> Vec<(&str, Place<'_>)> {
    let is_line = |it: &&Annotation| {
        intent_of(plan, Target::Ingress, &it.key).is_some_and(is_it)
            && !effect(&it.key).is_some_and(|known| known.neutral.is(&it.value))
    };
    // An option that a line of another program asks for has the key of this line.
    let options = plan.intents.iter().filter(|it| is_it(it.intent)).map(|it| {
        (it.keys.first().map_or_else(|| it.intent.annotation(), String::as_str), plan.place_of(it))
    });
    let lines = plan.annotations.iter().filter(is_line).map(|it| (it.key.as_str(), Place::Line(it)));
    options.chain(lines).collect()
}

/// The claim by which plans of a class affect each other. It has no host, because it is about all hosts.
pub(super) fn shared(plan: &Plan) -> Option<Claimed<'_>> {
    let using = match part(plan)? {
        Part::Passes => HostUse::Whole,
        Part::Addresses(_) => HostUse::Paths,
    };
    Some(Claimed::Host(Target::Ingress, plan.class_name(), "".into(), using))
}

/// Reports the Services whose lists of addresses have no effect on requests by https, because of TLS passthrough to another one.
/// The administrator may accept the loss of a list.
pub(super) fn address_conflicts(
    plans: &[(usize, &Plan)],
    (settings, naming): Deciding<'_>,
    file: &mut Filing<'_>,
) {
    let mut passing: BTreeMap<Option<&str>, Vec<&Plan>> = BTreeMap::new();
    let mut lists = Vec::new();
    for (index, plan) in plans {
        match part(plan) {
            Some(Part::Passes) => passing.entry(plan.class_name()).or_default().push(plan),
            Some(Part::Addresses(own)) => lists.push((*index, *plan, own)),
            None => {}
        }
    }
    for (index, plan, own) in lists {
        let Some(others) = passing.get(&plan.class_name()) else { continue };
        let named: Vec<&Plan> = others.iter().copied().take(MAX_NAMED).collect();
        let message = format!(
            "because TLS passes through to {}, {} does not check client addresses of https requests to this Service",
            naming.names(plan, &named, others.len()),
            Controller::Haproxy.row().name
        );
        // One list whose loss is not accepted is enough for an Error.
        let found = own.into_iter().map(|(key, place)| (settings.lost(key, message.clone()), key, place));
        let worst = found.min_by_key(|((code, _), ..)| *code != Code::ProtectionLost);
        if let Some(((code, said), key, place)) = worst {
            let help = match code {
                Code::ProtectionLost => format!(
                    "give one of the Services a class of another controller, or ask your administrator to add {key} to annotations.acceptLoss"
                ),
                _ => "protect the Service by other means, and remove the list of addresses".to_owned(),
            };
            file(index, plan, place.with(Problem::new(code, said).help(help)));
        }
    }
}
