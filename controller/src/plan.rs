//! The core's decision about Services. Services that share claims are planned together, and what two of them claim goes to
//! the older one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use xposer::stamp::Stamp;
use xposer::{
    Code, Diagnostic, Outcome, Plan, Published, SERVICE_LABEL, Service, Settings, Severity, emit_all, expose,
    expose_all,
};

use crate::digest::{digest, json_digest};
use crate::keys::{ObjectKey, ServiceKey};
use crate::kinds::Kind;
use crate::object::owner_reference;
use crate::service::StoredService;

/// The decision about one Service.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) key: Arc<ServiceKey>,
    pub(crate) result: DecisionResult,
    /// Errors, Warnings and Infos of the core.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, Debug)]
pub(crate) enum DecisionResult {
    /// It has Errors of its own. Its objects stay as they are.
    Refused,
    /// An older Service has the same claim. Its objects are deleted.
    Conflicted,
    /// It has these objects.
    Exposed(Exposed),
}

#[derive(Clone, Debug)]
pub(crate) struct Exposed {
    pub(crate) desired: Vec<Desired>,
    pub(crate) published: Option<Published>,
    pub(crate) stamp: Option<Stamp>,
}

/// A desired object.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    pub(crate) key: ObjectKey,
    pub(crate) body: Value,
    /// The hash of the body.
    pub(crate) hash: u64,
}

/// The hashes of the claims of a Service ([`Plan::claims`]).
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// Services with the same claim are planned together.
    pub(crate) shared: Box<[u64]>,
    /// Claims that affect only Services with the counterpart.
    pub(crate) one_way: Box<[OneWayClaim]>,
}

/// A claim, and the claim of the Services that it affects ([`xposer::Claim::counterpart`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OneWayClaim {
    pub(crate) own: u64,
    pub(crate) counterpart: u64,
}

/// The claims of a Service; none if it cannot be exposed.
pub(crate) fn claims(service: &StoredService, settings: &Settings) -> Claims {
    let document = service.document();
    let outcome = expose(&service.view(&document), settings);
    let (mut shared, mut one_way) = (Vec::new(), Vec::new());
    for claim in outcome.plan().map(Plan::claims).unwrap_or_default() {
        match claim.counterpart() {
            Some(counterpart) => {
                one_way.push(OneWayClaim { own: digest(&claim), counterpart: digest(&counterpart) });
            }
            None => shared.push(digest(&claim)),
        }
    }
    Claims { shared: shared.into(), one_way: one_way.into() }
}

/// The hashes of the claims that only one Service can have.
fn exclusive_claims(outcome: &Outcome<'_>) -> Vec<u64> {
    let claims = outcome.plan().map(Plan::claims).unwrap_or_default();
    claims.iter().filter(|claim| claim.is_exclusive()).map(digest).collect()
}

/// A Service to decide about.
pub(crate) struct Member<'s> {
    pub(crate) key: Arc<ServiceKey>,
    pub(crate) stored: &'s StoredService,
}

/// Decides about Services that share claims, directly or through others. The Services of `beside` share no claim with them,
/// but affect them by one-way claims; nothing is decided about those.
pub(crate) fn decide(
    members: &[Member<'_>],
    beside: &[&StoredService],
    settings: &Settings,
) -> Vec<Decision> {
    let stored = members.iter().map(|member| member.stored).chain(beside.iter().copied());
    let stored: Vec<(&StoredService, Value)> = stored.map(|stored| (stored, stored.document())).collect();
    let services: Vec<Service<'_>> = stored.iter().map(|(stored, document)| stored.view(document)).collect();
    let (services, beside) = services.split_at_checked(members.len()).unwrap_or((&services, &[]));
    let outcomes = expose_older_first(members, services, beside, settings);

    let emitted = emit_all(outcomes.iter().filter_map(|(outcome, _)| outcome.plan()));
    let uids: BTreeMap<&ServiceKey, &str> =
        members.iter().map(|member| (&*member.key, &*member.stored.uid)).collect();
    let mut desired: BTreeMap<Arc<ServiceKey>, Vec<Desired>> = BTreeMap::new();
    for object in &emitted.objects {
        let Some(kind) = Some(object.kind()).filter(|kind| *kind != Kind::ConfigMap) else { continue };
        let mut body = object.to_value();
        let namespace = object.namespace().unwrap_or_default();
        let Some(Value::Object(metadata)) = body.get_mut("metadata") else { continue };
        let label = metadata.get("labels").and_then(|labels| labels.get(SERVICE_LABEL));
        let service = ServiceKey::new(namespace, label.and_then(Value::as_str).unwrap_or_default());
        let Some(uid) = uids.get(&*service) else { continue };
        metadata.insert("ownerReferences".to_owned(), Value::Array(vec![owner_reference(&service, uid)]));
        let key = ObjectKey { kind, namespace: namespace.into(), name: object.name().into() };
        let hash = json_digest(&body);
        desired.entry(service).or_default().push(Desired { key, body, hash });
    }
    let decided = members.iter().zip(&outcomes).map(|(member, (outcome, lost))| {
        let mut diagnostics: Vec<Diagnostic> =
            outcome.report().map(|report| report.diagnostics().to_vec()).unwrap_or_default();
        // A diagnostic about an object belongs to its Service. `PublishedHere` is for files, which do not say which namespaces
        // there are.
        let is_of = |it: &&Diagnostic| {
            it.subject.name == *member.key.name && it.subject.namespace == *member.key.namespace
        };
        let emitted = emitted.report.diagnostics().iter().filter(is_of);
        diagnostics.extend(emitted.filter(|it| it.code != Code::PublishedHere).cloned());
        let result = match outcome {
            Outcome::Planned { plan, .. } => DecisionResult::Exposed(Exposed {
                desired: desired.remove(&member.key).unwrap_or_default(),
                published: plan.published.clone(),
                stamp: plan.stamp(),
            }),
            _ if *lost => DecisionResult::Conflicted,
            _ => DecisionResult::Refused,
        };
        Decision { key: member.key.clone(), result, diagnostics }
    });
    decided.collect()
}

/// Exposes all of them, but of those that claim the same only the one that the API server created first; of two that it
/// created in the same second, the one whose namespace and name come first. Also says which have lost.
fn expose_older_first<'a>(
    members: &[Member<'_>],
    services: &[Service<'a>],
    beside: &[Service<'a>],
    settings: &Settings,
) -> Vec<(Outcome<'a>, bool)> {
    let together = expose_beside(services, beside, settings);
    if members.len() < 2 || together.iter().all(|outcome| outcome.plan().is_some()) {
        return together.into_iter().map(|outcome| (outcome, false)).collect();
    }
    let alone: Vec<Outcome<'a>> = services.iter().map(|service| expose(service, settings)).collect();
    let is_canary = |outcome: &Outcome<'_>| outcome.plan().is_some_and(|plan| plan.canary.is_some());
    let mut order: Vec<(bool, i64, &ServiceKey, usize)> = members
        .iter()
        .zip(&alone)
        .enumerate()
        // A canary comes after the Services that it may be a canary of.
        .map(|(index, (it, outcome))| (is_canary(outcome), it.stored.created, &*it.key, index))
        .collect();
    order.sort_unstable();

    // By the other claims, nobody loses anything.
    let exclusive: Vec<Vec<u64>> = alone.iter().map(exclusive_claims).collect();
    let mut losers: BTreeMap<usize, Outcome<'a>> = BTreeMap::new();
    let mut holders: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (.., index) in order {
        let (Some(claims), Some(service)) = (exclusive.get(index), services.get(index)) else { continue };
        let mut rivals: Vec<usize> =
            claims.iter().filter_map(|claim| holders.get(claim)).flatten().copied().collect();
        rivals.sort_unstable();
        rivals.dedup();
        let mut met: Vec<Service<'a>> =
            rivals.iter().filter_map(|rival| services.get(*rival)).cloned().collect();
        met.push(service.clone());
        match expose_all(&met, settings).pop() {
            Some(Outcome::Refused(report)) => {
                losers.insert(index, Outcome::Refused(report));
            }
            _ => claims.iter().for_each(|claim| holders.entry(*claim).or_default().push(index)),
        }
    }
    // Together, they may still find something about each other, such as a canary of a canary.
    let mut planned: BTreeMap<usize, Outcome<'a>> = loop {
        let winners: Vec<usize> = (0..members.len()).filter(|index| !losers.contains_key(index)).collect();
        let winning: Vec<Service<'a>> =
            winners.iter().filter_map(|index| services.get(*index)).cloned().collect();
        let together = winners.into_iter().zip(expose_beside(&winning, beside, settings));
        let is_refused = |(_, outcome): &(usize, Outcome<'a>)| outcome.plan().is_none();
        let (refused, planned): (Vec<_>, Vec<_>) = together.partition(is_refused);
        if refused.is_empty() {
            break planned.into_iter().collect();
        }
        losers.extend(refused);
    };
    alone
        .into_iter()
        .enumerate()
        .map(|(index, alone)| match (losers.remove(&index), planned.remove(&index)) {
            (Some(lost), _) => (lost, alone.plan().is_some()),
            (None, Some(planned)) => (planned, false),
            (None, None) => (alone, false),
        })
        .collect()
}

/// What becomes of Services, with others beside them.
fn expose_beside<'a>(
    services: &[Service<'a>],
    beside: &[Service<'a>],
    settings: &Settings,
) -> Vec<Outcome<'a>> {
    if beside.is_empty() {
        return expose_all(services, settings);
    }
    let mut outcomes = expose_all(&[services, beside].concat(), settings);
    outcomes.truncate(services.len());
    outcomes
}

impl Decision {
    /// Whether the Service is not exposed.
    pub(crate) fn is_refused(&self) -> bool {
        !matches!(self.result, DecisionResult::Exposed(_))
    }

    /// The diagnostics that the owner of the Service is told.
    pub(crate) fn errors_and_warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity > Severity::Info)
    }
}
