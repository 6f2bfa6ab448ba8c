//! Hosts that lines of ingress-nginx add to those of the rules. If a rule of another Service has such a host, the line has no effect:
//! ingress-nginx removes the alias, and makes no redirect.

use std::collections::BTreeMap;

use super::claims::{Claimed, MAX_NAMED};
use super::hosts::{HostUse, has_claims};
use super::{Filing, Naming};
use crate::diagnostics::{Code, Problem, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::hosts::HostRole;
use crate::dialect::nginx::{FROM_TO_WWW, SERVER_ALIAS};
use crate::intents::Intent;
use crate::plan::{AddedHost, Plan};
use crate::values::{Target, set};

fn is_nginx(plan: &Plan) -> bool {
    plan.has_stable_ingress() && plan.controller(Target::Ingress) == Controller::IngressNginx
}

/// The hosts that lines of ingress-nginx add. A redirect that was read as an intent has claims of its own.
fn added(plan: &Plan) -> Vec<AddedHost<'_>> {
    let counts = |key: &str| {
        key == SERVER_ALIAS || (key == FROM_TO_WWW && plan.requested(Intent::RedirectFrom).is_none())
    };
    if !is_nginx(plan) || !plan.annotations.iter().any(|it| counts(&it.key)) {
        return Vec::new();
    }
    let mut added = plan.added_hosts();
    added.retain(|it| it.annotation.is_some_and(|line| counts(&line.key)));
    added
}

/// The claims by which such plans find the plans whose rules have the hosts, and are found by them.
pub(super) fn shared(plan: &Plan) -> impl Iterator<Item = Claimed<'_>> {
    let hosts = added(plan).into_iter().map(|it| (it.host.into(), HostUse::Whole));
    let is_missing = is_nginx(plan) && !has_claims(plan);
    let own = set(plan.rules.iter().filter(|_| is_missing).map(|rule| rule.host.as_str()));
    let all = hosts.chain(own.into_iter().map(|host| (host.into(), HostUse::Paths)));
    all.map(|(host, using)| Claimed::Host(Target::Ingress, plan.class_name(), host, using))
}

/// Reports lines that have no effect on a host because a rule of another Service has it.
pub(super) fn ignored_hosts(plans: &[(usize, &Plan)], naming: Naming, file: &mut Filing<'_>) {
    let adding: Vec<_> = plans.iter().map(|(index, plan)| (*index, *plan, added(plan))).collect();
    if adding.iter().all(|(.., hosts)| hosts.is_empty()) {
        return;
    }
    let mut served: BTreeMap<(Option<&str>, &str), Vec<&Plan>> = BTreeMap::new();
    for (_, plan) in plans.iter().filter(|(_, plan)| is_nginx(plan)) {
        for host in set(plan.rules.iter().map(|rule| rule.host.as_str())) {
            served.entry((plan.class_name(), host)).or_default().push(plan);
        }
    }
    for (index, plan, hosts) in adding {
        for AddedHost { host, role, annotation, .. } in &hosts {
            let (Some(line), Some(others)) = (annotation, served.get(&(plan.class_name(), host))) else {
                continue;
            };
            // The Service itself may have the host; a rule reports that.
            if others.iter().any(|other| other.identity() == plan.identity()) {
                continue;
            }
            let named: Vec<&Plan> = others.iter().copied().take(MAX_NAMED).collect();
            let (does, what) = match role {
                HostRole::Redirect => ("does not redirect", "the line"),
                _ => ("ignores the alias", "it from the line"),
            };
            let others = naming.names(plan, &named, others.len());
            let message = format!("ingress-nginx {does} {}, because it is a host of {others}", quoted(host));
            let help = format!("remove {what}, or give one of the Services another host");
            file(index, plan, line.at_key(Problem::new(Code::IntentLost, message).help(help)));
        }
    }
}
