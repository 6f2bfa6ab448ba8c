//! Conflicts between plans, and the precedence that decides them.

mod added;
mod all_claims;
mod canary;
mod certificates;
pub(crate) mod claims;
pub(crate) mod contested;
pub(crate) mod held;
mod hosts;
mod passthrough;
mod patterns;
pub(crate) mod rivals;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{FieldPath, Problem, Report, joined, with_rest};
use crate::options::Settings;
use crate::plan::Plan;
pub use all_claims::MAX_ROUTES;
pub(crate) use all_claims::RouteBudget;
pub use claims::Claim;
use claims::{Claimed, claimed_twice};
pub use held::{ClaimText, Holder, Holders, MAX_HOLDERS, bucket_of_name};
pub use written::{
    BucketHash, Buckets, SHARD_LABELS, SHARD_VERSION, SHARDS, STATE_KEY, Shard, ShardState, config_map,
    read_lines,
};

/// The precedence between Services with the same claim.
///
/// ```
/// use serde_json::json;
/// use xposer::{Outcome, Precedence, Service, Settings, expose_all};
/// let service = |name| json!({"metadata": {"name": name, "namespace": "shop", "labels": {"expose": "true"}},
///     "spec": {"ports": [{"port": 80}]}});
/// let settings = Settings::from_value(&json!({"ingressURLTemplate": "shop.example.com"}))?;
/// let (web, api) = (service("web"), service("api"));
/// let services = [Service::from_value(&web).created_at(1_700_000_000), Service::from_value(&api).created_at(1_600_000_000)];
/// let exposed = |precedence| expose_all(&services, &settings, precedence).iter().filter_map(Outcome::plan).count();
/// assert_eq!((exposed(Precedence::RefuseAll), exposed(Precedence::OldestFirst)), (0, 1));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precedence {
    /// No Service is exposed, because files do not tell which Service was created first.
    #[default]
    RefuseAll,
    /// The Service that the API server created first ([`Service::created_at`](crate::Service::created_at)); if two were created in
    /// the same second, the one whose namespace and name come first. A canary comes after all stable Services if its own stable
    /// Service is among them.
    OldestFirst,
}

/// The namespace and the name of a Service.
pub(crate) type Identity<'p> = (Option<&'p str>, &'p str);

/// A function that files a finding about the plan at a position.
type Filing<'f> = dyn FnMut(usize, &Plan, (FieldPath, Problem)) + 'f;

/// The settings, and whom messages may name.
type Deciding<'s> = (&'s Settings, Naming);

/// Returns the findings about the plans because of each other, by position. A plan with an Error cannot be exposed together with
/// the others. `created` has the creation times of the Services, in seconds; the Services of `refused` have no plan.
pub(crate) fn decide(
    plans: &[&Plan],
    refused: &BTreeSet<Identity<'_>>,
    created: &[i64],
    precedence: Precedence,
    deciding: Deciding<'_>,
) -> BTreeMap<usize, Report> {
    let mut remaining: Vec<usize> = (0..plans.len()).collect();
    let reports = conflicts_among(plans, &remaining, refused, deciding);
    if precedence == Precedence::RefuseAll || !reports.values().any(Report::has_errors) {
        return reports;
    }
    let mut findings = losers(plans, refused, created, deciding);
    // The remaining plans may still have findings because of each other, such as a canary of a canary that lost.
    loop {
        remaining.retain(|at| !findings.contains_key(at));
        let lost = findings.keys().filter_map(|at| plans.get(*at)).map(|plan| plan.identity());
        let all_refused = refused.iter().copied().chain(lost).collect();
        let (more, others): (Vec<_>, Vec<_>) = conflicts_among(plans, &remaining, &all_refused, deciding)
            .into_iter()
            .partition(|(_, report)| report.has_errors());
        if more.is_empty() {
            findings.extend(others);
            return findings;
        }
        findings.extend(more);
    }
}

/// Returns the plans that lose a claim to an older plan, with their findings. Each plan is compared only with the plans that won
/// one of its claims.
fn losers(
    plans: &[&Plan],
    refused: &BTreeSet<Identity<'_>>,
    created: &[i64],
    deciding: Deciding<'_>,
) -> BTreeMap<usize, Report> {
    let all: BTreeSet<_> = plans.iter().map(|plan| plan.identity()).collect();
    let has_stable = |plan: &Plan| plan.stable_identity().is_some_and(|stable| all.contains(&stable));
    let mut order: Vec<_> = plans
        .iter()
        .enumerate()
        .map(|(at, plan)| (has_stable(plan), created.get(at).copied(), plan.identity(), at))
        .collect();
    order.sort_unstable();
    let mut holders: BTreeMap<Claimed<'_>, Vec<usize>> = BTreeMap::new();
    let mut losers = BTreeMap::new();
    for (.., at) in order {
        let Some(plan) = plans.get(at) else { continue };
        let claims: Vec<Claimed<'_>> =
            claims::exclusive(plan).chain(canary::shared(plan)).chain(hosts::needed(plan)).collect();
        // A canary is also compared with its stable Service.
        let stable = plan.canary.as_ref().map(|canary| Claimed::Service(plan.namespace(), &canary.of));
        let rivals = claims.iter().chain(&stable).filter_map(|claim| holders.get(claim)).flatten();
        let mut compared: Vec<usize> = rivals.copied().collect();
        compared.sort_unstable();
        compared.dedup();
        compared.push(at);
        match conflicts_among(plans, &compared, refused, deciding).remove(&at).filter(Report::has_errors) {
            Some(report) => {
                losers.insert(at, report);
            }
            None => claims.into_iter().for_each(|claim| holders.entry(claim).or_default().push(at)),
        }
    }
    losers
}

/// Returns the findings about the plans at these positions, as if there were no others. Each exclusive claim of several plans is an
/// Error on each of them, which names the others.
fn conflicts_among(
    plans: &[&Plan],
    positions: &[usize],
    refused: &BTreeSet<Identity<'_>>,
    deciding: Deciding<'_>,
) -> BTreeMap<usize, Report> {
    let naming = deciding.1;
    let plans: Vec<&Plan> = positions.iter().filter_map(|at| plans.get(*at).copied()).collect();
    let mut reports: BTreeMap<usize, Report> = BTreeMap::new();
    claimed_twice(&plans, naming, &mut filing(&mut reports));
    canary::canaries(&plans, refused, naming, &mut filing(&mut reports));
    // A refused Service needs no host, requests no certificate, and its paths do not change the meaning of other paths.
    let exposed = |reports: &BTreeMap<usize, Report>| -> Vec<(usize, &Plan)> {
        let is_exposed = |index: &usize| !reports.get(index).is_some_and(Report::has_errors);
        plans.iter().copied().enumerate().filter(|(index, _)| is_exposed(index)).collect()
    };
    let of_hosts = exposed(&reports);
    hosts::host_conflicts(&of_hosts, naming, &mut filing(&mut reports));
    passthrough::address_conflicts(&exposed(&reports), deciding, &mut filing(&mut reports));
    refuse_canaries(&plans, &mut reports);
    let exposed = exposed(&reports);
    certificates::duplicate_certificates(&exposed, naming, &mut filing(&mut reports));
    patterns::pattern_conflicts(&exposed, naming, &mut filing(&mut reports));
    added::ignored_hosts(&exposed, naming, &mut filing(&mut reports));
    reports.into_iter().filter_map(|(index, report)| Some((*positions.get(index)?, report))).collect()
}

/// Refuses the canaries whose stable Service is refused and which would otherwise be served without its protection.
fn refuse_canaries(plans: &[&Plan], reports: &mut BTreeMap<usize, Report>) {
    let is_refused = |at: &usize| reports.get(at).is_some_and(Report::has_errors);
    let is_canary = |plan: &Plan| plan.canary.is_some() && canary::has_own_route(plan);
    let mut canaries = plans.iter().enumerate().filter(|(_, plan)| is_canary(plan)).peekable();
    if canaries.peek().is_none() {
        return;
    }
    let refused = plans.iter().enumerate().filter(|(at, _)| is_refused(at));
    let refused: BTreeSet<Identity<'_>> = refused.map(|(_, plan)| plan.identity()).collect();
    let follows = |plan: &Plan| plan.stable_identity().is_some_and(|stable| refused.contains(&stable));
    let found: Vec<_> = canaries.filter(|(at, plan)| !is_refused(at) && follows(plan)).collect();
    for (at, plan) in found {
        filing(reports)(at, plan, canary::refused_with(plan));
    }
}

/// Returns a function that files a problem of a plan into its report.
fn filing(reports: &mut BTreeMap<usize, Report>) -> impl FnMut(usize, &Plan, (FieldPath, Problem)) {
    |index, plan, (path, problem)| {
        reports.entry(index).or_insert_with(|| Report::new(plan.subject.clone(), false)).file(path, problem);
    }
}

/// Whether a message to the owners of one Service names Services of other namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    All,
    /// Only the Services of their namespace are named (`claims.nameOthers: false`).
    OwnNamespace,
}

/// The text in place of Services that are not named.
const SOMEBODY: &str = "an object in another namespace";

impl Naming {
    /// Returns the names of some Services, and the number of further ones, for the owners of the Service `reader`.
    fn names(self, reader: &Plan, named: &[&Plan], all: usize) -> String {
        let is_named = |other: &&&Plan| self == Self::All || other.namespace() == reader.namespace();
        let mut listed: Vec<String> =
            named.iter().filter(is_named).map(|other| other.subject.to_string()).collect();
        if listed.len() < named.len() {
            listed.push(SOMEBODY.to_owned());
            return joined(&listed, " and ");
        }
        with_rest(listed, all, " and ")
    }
}
