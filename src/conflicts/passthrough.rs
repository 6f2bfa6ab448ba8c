//! TLS passthrough on the HAProxy Kubernetes Ingress Controller. If one Service of the controller has it, the controller compares
//! no addresses of requests by https to the others.

use std::collections::BTreeMap;

use super::claims::{Claimed, MAX_NAMED};
use super::hosts::HostUse;
use super::{Filing, Naming};
use crate::diagnostics::{Code, FieldPath, Problem};
use crate::dialect::controller::Controller;
use crate::dialect::effect;
use crate::dialect::mappings::intent_of;
use crate::intents::Intent;
use crate::plan::{Annotation, Plan};
use crate::values::Target;

/// How a plan affects the others of its class, or is affected.
enum Part {
    Passes,
    /// It has a list of addresses, which stands in this place.
    Addresses(FieldPath),
}

fn part(plan: &Plan) -> Option<Part> {
    if !plan.has_stable_ingress() || plan.controller(Target::Ingress) != Controller::Haproxy {
        return None;
    }
    if plan.passes_tls() {
        return Some(Part::Passes);
    }
    let is_list = |intent| matches!(intent, Intent::AllowedSources | Intent::DeniedSources);
    asked(plan, is_list).map(Part::Addresses)
}

/// Returns where an option, or a line that the program of the Ingress reads, asks for one of these intents.
pub(super) fn asked(plan: &Plan, is_it: fn(Intent) -> bool) -> Option<FieldPath> {
    let is_line = |it: &&Annotation| {
        intent_of(plan, Target::Ingress, &it.key).is_some_and(is_it)
            && !effect(&it.key).is_some_and(|known| known.neutral.is(&it.value))
    };
    let option = plan.intents.iter().find(|it| is_it(it.intent)).map(|it| it.origin.path());
    option.or_else(|| plan.annotations.iter().find(is_line).map(|it| it.origin().path()))
}

/// The claim by which plans of a class affect each other. It has no host, because it is about all hosts.
pub(super) fn shared(plan: &Plan) -> Option<Claimed<'_>> {
    let using = match part(plan)? {
        Part::Passes => HostUse::Whole,
        Part::Addresses(_) => HostUse::Paths,
    };
    Some(Claimed::Host(Target::Ingress, plan.class_name(), "", using))
}

/// Reports the Services whose lists of addresses have no effect on requests by https, because of TLS passthrough to another one.
pub(super) fn address_conflicts(plans: &[(usize, &Plan)], naming: Naming, file: &mut Filing<'_>) {
    let mut passing: BTreeMap<Option<&str>, Vec<&Plan>> = BTreeMap::new();
    let mut lists = Vec::new();
    for (index, plan) in plans {
        match part(plan) {
            Some(Part::Passes) => passing.entry(plan.class_name()).or_default().push(plan),
            Some(Part::Addresses(place)) => lists.push((*index, *plan, place)),
            None => {}
        }
    }
    for (index, plan, place) in lists {
        let Some(others) = passing.get(&plan.class_name()) else { continue };
        let named: Vec<&Plan> = others.iter().copied().take(MAX_NAMED).collect();
        let message = format!(
            "because TLS passes through to {}, {} does not check client addresses of https requests to this Service",
            naming.names(plan, &named, others.len()),
            Controller::Haproxy.row().name
        );
        let help = "give one of the Services a class of another controller";
        file(index, plan, (place, Problem::new(Code::ProtectionLost, message).help(help)));
    }
}
