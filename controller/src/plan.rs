//! Services that meet each other are planned together, and what two of them claim goes to the older one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use xposer::stamp::Stamp;
use xposer::{
    Code, Diagnostic, Outcome, Plan, Published, SERVICE_LABEL, Service, Settings, Severity, emit_all, expose,
    expose_all,
};

use crate::kinds::Kind;
use crate::live::{ObjectKey, digest, hash, owner_reference};
use crate::service::{ServiceKey, Stored};

/// What becomes of one Service.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) key: Arc<ServiceKey>,
    pub(crate) fate: Fate,
    /// What the core found: Errors, Warnings and Infos.
    pub(crate) found: Vec<Diagnostic>,
}

#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It cannot be exposed as it is written; what was made of it before stays.
    Refused,
    /// It could be exposed if an older Service did not claim the same.
    Lost,
    /// These are its objects.
    Exposed(Exposed),
}

#[derive(Clone, Debug)]
pub(crate) struct Exposed {
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) published: Option<Published>,
    pub(crate) stamp: Option<Stamp>,
}

/// An object that is to be there.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) key: ObjectKey,
    pub(crate) body: Value,
    pub(crate) hash: u64,
}

/// The hashes of everything by which a Service can meet another one.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// What it shares with those that are planned with it.
    pub(crate) shared: Box<[u64]>,
    /// What it has, and what those have that it need only see some of.
    pub(crate) seen: Box<[Seen]>,
}

/// A claim that only a counterpart of it is affected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) own: u64,
    pub(crate) other: u64,
}

/// What a Service claims; nothing where it cannot be exposed.
pub(crate) fn claims(service: &Stored, settings: &Settings) -> Claims {
    let document = service.document();
    let outcome = expose(&Service::from_value(&document), settings);
    let (mut shared, mut seen) = (Vec::new(), Vec::new());
    for claim in outcome.plan().map(Plan::claims).unwrap_or_default() {
        match claim.counterpart() {
            Some(other) => seen.push(Seen { own: digest(&claim), other: digest(&other) }),
            None => shared.push(digest(&claim)),
        }
    }
    Claims { shared: shared.into(), seen: seen.into() }
}

/// The hashes of what only one Service can have.
fn exclusive_claims(outcome: &Outcome<'_>) -> Vec<u64> {
    let claims = outcome.plan().map(Plan::claims).unwrap_or_default();
    claims.iter().filter(|claim| claim.is_exclusive()).map(digest).collect()
}

/// A Service on its way to a decision.
pub(crate) struct Member<'s> {
    pub(crate) key: Arc<ServiceKey>,
    pub(crate) stored: &'s Stored,
}

/// Decides about Services that meet each other by their claims, directly or through others. Of those beside them, which
/// share no claim with them, they are told where they are affected; nothing is decided about these.
pub(crate) fn decide(members: &[Member<'_>], beside: &[&Stored], settings: &Settings) -> Vec<Decision> {
    let stored = members.iter().map(|member| member.stored).chain(beside.iter().copied());
    let documents: Vec<Value> = stored.map(Stored::document).collect();
    let services: Vec<Service<'_>> = documents.iter().map(Service::from_value).collect();
    let (services, beside) = services.split_at_checked(members.len()).unwrap_or((&services, &[]));
    let outcomes = expose_older_first(members, services, beside, settings);

    let emitted = emit_all(outcomes.iter().filter_map(|(outcome, _)| outcome.plan()));
    let uids: BTreeMap<&ServiceKey, &str> =
        members.iter().map(|member| (&*member.key, &*member.stored.uid)).collect();
    let mut wanted: BTreeMap<Arc<ServiceKey>, Vec<Wanted>> = BTreeMap::new();
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
        let hash = hash(&body);
        wanted.entry(service).or_default().push(Wanted { key, body, hash });
    }
    let decided = members.iter().zip(&outcomes).map(|(member, (outcome, lost))| {
        let mut found: Vec<Diagnostic> =
            outcome.report().map(|report| report.diagnostics().to_vec()).unwrap_or_default();
        // What cannot be expressed is told with the Service whose it is. The URL is published in every namespace here.
        let is_of = |it: &&Diagnostic| {
            it.subject.name == *member.key.name && it.subject.namespace == *member.key.namespace
        };
        let lacks = emitted.report.diagnostics().iter().filter(is_of);
        found.extend(lacks.filter(|it| it.code != Code::PublishedHere).cloned());
        let fate = match outcome {
            Outcome::Planned { plan, .. } => Fate::Exposed(Exposed {
                wanted: wanted.remove(&member.key).unwrap_or_default(),
                published: plan.published.clone(),
                stamp: plan.stamp(),
            }),
            _ if *lost => Fate::Lost,
            _ => Fate::Refused,
        };
        Decision { key: member.key.clone(), fate, found }
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
    /// Whether it is not exposed.
    pub(crate) fn is_refused(&self) -> bool {
        !matches!(self.fate, Fate::Exposed(_))
    }

    /// What its owner is to be told.
    pub(crate) fn told(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter().filter(|diagnostic| diagnostic.severity > Severity::Info)
    }
}
