//! An object that is not wanted any more goes when those that replace it serve its hosts, or DNS records and routes would be
//! missing in between. Here is who is waited for, and how long; and what is done where somebody refuses to have both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::document::Document;
use crate::kinds::Kind;
use crate::live::{Live, ObjectKey, digest, hash};
use crate::plan::Wanted;
use crate::service::ServiceKey;
use crate::tell::Told;

/// How long an object is kept, at most, if nothing else is asked for. ingress-nginx writes the address of a new Ingress once
/// a minute (`internal/ingress/status/status.go`, 1.15.1), and who has not answered after half as long again may never.
pub(crate) const TIMEOUT: u64 = 90;
/// With this annotation on one of two Ingresses, ingress-nginx's webhook lets both have the same host and path
/// (`checkOverlap` in `internal/ingress/controller/controller.go`, 1.15.1). `false` is what holds without it.
const CANARY: &str = xposer::dialect::nginx::CANARY;
/// How often it is no news that an object is refused because of one that is gone: a webhook learns of it later than we do.
const LAGS: u8 = 5;

/// Why OpenShift's router does not admit a Route: an older one of the namespace has its host and path.
const CLAIMED: &str = "HostAlreadyClaimed";

/// By how many an object is served, as far as its status says: for an Ingress, 1 if it has an address; for an HTTPRoute, the
/// parents that have accepted it as it is now; for a Route, the routers that have admitted it.
pub(crate) fn served(document: &Document) -> u8 {
    let list = |pointer: &str| document.status.pointer(pointer).and_then(Value::as_array);
    let addresses = list("/loadBalancer/ingress").map_or(0, |all| usize::from(!all.is_empty()));
    let generation = document.metadata.generation;
    let count = |pointer: &str, condition: &str| {
        list(pointer).into_iter().flatten().filter(|it| holds(it, condition, generation)).count()
    };
    let all = addresses + count("/parents", "Accepted") + count("/ingress", "Admitted");
    u8::try_from(all).unwrap_or(u8::MAX)
}

/// Whether a condition is true, and not of an earlier generation of the object.
fn holds(of: &Value, condition: &str, generation: Option<i64>) -> bool {
    conditions(of).any(|it| {
        let observed = it.get("observedGeneration").and_then(Value::as_i64);
        let is_current = observed.is_none() || observed == generation;
        says(it, "type", condition) && says(it, "status", "True") && is_current
    })
}

fn conditions(of: &Value) -> impl Iterator<Item = &Value> {
    of.get("conditions").and_then(Value::as_array).into_iter().flatten()
}

fn says(condition: &Value, field: &str, word: &str) -> bool {
    condition.get(field).and_then(Value::as_str) == Some(word)
}

/// Whether a Route waits for an older one to go.
pub(crate) fn is_behind(document: &Document) -> bool {
    let routers = document.status.get("ingress").and_then(Value::as_array).into_iter().flatten();
    routers.flat_map(conditions).any(|it| says(it, "status", "False") && says(it, "reason", CLAIMED))
}

/// The hosts of an Ingress, an HTTPRoute or a Route, as sorted hashes; none of other kinds.
pub(crate) fn hosts(spec: &Value) -> Box<[u64]> {
    let list = |field: &str| spec.get(field).and_then(Value::as_array).into_iter().flatten();
    let hosts = list("rules").filter_map(|rule| rule.get("host"));
    let hosts = hosts.chain(list("hostnames")).chain(spec.get("host"));
    let mut hosts: Vec<u64> = hosts.filter_map(Value::as_str).map(|host| digest(&host)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.into()
}

/// A wanted object, which may replace an old one.
pub(crate) struct Successor {
    key: ObjectKey,
    hosts: Box<[u64]>,
    /// By how many it can be served, if it says so.
    parents: Option<u8>,
    /// By how many it is served; nothing where the cluster does not have it as it is wanted.
    served: Option<u8>,
    /// Whether it waits for an older one to go.
    is_behind: bool,
}

impl Successor {
    /// `live` is the object in the cluster, if it is as it is wanted.
    pub(crate) fn new(wanted: &Wanted, live: Option<&Live>) -> Self {
        let spec = wanted.body.get("spec").unwrap_or(&Value::Null);
        let parents = spec.get("parentRefs").and_then(Value::as_array);
        Self {
            key: wanted.key.clone(),
            hosts: hosts(spec),
            parents: parents.map(|all| u8::try_from(all.len()).unwrap_or(u8::MAX)),
            served: live.map(|live| live.served),
            is_behind: live.is_some_and(|live| live.is_behind),
        }
    }

    /// Whether it is served by as many as the old object, or by as many as it can be.
    fn replaces(&self, old: &Live) -> bool {
        let enough = self.parents.unwrap_or(1).max(1).min(old.served);
        self.served.is_some_and(|served| served >= enough)
    }
}

/// The objects that an old one is kept for: of those that have a host of it, the ones of its kind, or all where there is none
/// of its kind.
fn awaited<'s>(key: &ObjectKey, old: &Live, wanted: &'s [Successor]) -> Vec<&'s Successor> {
    let shares = |it: &&Successor| it.hosts.iter().any(|host| old.hosts.binary_search(host).is_ok());
    let all: Vec<&Successor> = wanted.iter().filter(shares).collect();
    let alike: Vec<&Successor> = all.iter().copied().filter(|it| it.key.kind == key.kind).collect();
    if alike.is_empty() { all } else { alike }
}

/// What is kept for what replaces it.
#[derive(Debug)]
pub(crate) struct Handovers {
    /// How long, at most; nothing is kept where that is no time at all.
    timeout: Duration,
    kept: BTreeMap<Arc<ServiceKey>, BTreeMap<ObjectKey, Kept>>,
    /// When to look again, whatever happens; also of what is over.
    deadlines: BTreeSet<(Instant, Arc<ServiceKey>)>,
    detours: BTreeMap<Arc<ServiceKey>, Detour>,
}

/// An old object that still serves.
#[derive(Debug)]
struct Kept {
    awaited: Vec<ObjectKey>,
    /// Since when these are in the cluster as they are wanted. Before, no time passes.
    since: Option<Instant>,
    end: Option<End>,
}

/// Why an object that was kept goes.
#[derive(Debug)]
enum End {
    Served,
    /// These wait for it.
    InTheWay(Vec<ObjectKey>),
    /// These are not served yet.
    TimedOut(Vec<ObjectKey>),
}

/// A way to a new object that is refused because an old one of the same Service has the same host and path.
#[derive(Debug)]
struct Detour {
    old: ObjectKey,
    new: ObjectKey,
    /// The words of the refusal.
    said: String,
    way: Way,
    lags: u8,
}

#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// The new one has an annotation with which both are allowed, as long as the old one is there.
    Marked,
    /// The old one goes first.
    OldFirst,
}

/// What to do about a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is another way.
    Retried,
    /// It will pass.
    Passing,
    /// Its owner has to know.
    Told,
}

impl Handovers {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, kept: BTreeMap::new(), deadlines: BTreeSet::new(), detours: BTreeMap::new() }
    }

    /// Whether anything of a Service is kept.
    pub(crate) fn involves(&self, service: &ServiceKey) -> bool {
        self.kept.contains_key(service)
    }

    /// Whether an object is kept.
    pub(crate) fn is_kept(&self, service: &ServiceKey, object: &ObjectKey) -> bool {
        self.kept.get(service).and_then(|kept| kept.get(object)).is_some_and(|kept| kept.end.is_none())
    }

    /// Whether nothing is kept.
    pub(crate) fn is_settled(&self) -> bool {
        self.kept.values().flat_map(BTreeMap::values).all(|kept| kept.end.is_some())
    }

    /// How many objects of a kind are kept.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        let kept = self.kept.values().flatten();
        kept.filter(|(key, kept)| key.kind == kind && kept.end.is_none()).count()
    }

    /// Nothing is kept of a Service any more.
    pub(crate) fn forget(&mut self, service: &ServiceKey) {
        self.kept.remove(service);
        self.detours.remove(service);
    }

    /// A Service, or the settings, are not what they were: what was refused may not be refused any more.
    pub(crate) fn try_again(&mut self, service: &ServiceKey) {
        self.detours.remove(service);
    }

    /// When something that is kept has been kept long enough.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The Services of which something has been kept long enough.
    pub(crate) fn take_overdue(&mut self, now: Instant) -> Vec<Arc<ServiceKey>> {
        let mut overdue = Vec::new();
        while self.next_deadline().is_some_and(|at| at <= now) {
            overdue.extend(self.deadlines.pop_first().map(|(_, service)| service));
        }
        overdue
    }

    /// Decides about everything that is there of a Service and not wanted. Gives what goes now.
    pub(crate) fn review<'o>(
        &mut self,
        service: &Arc<ServiceKey>,
        olds: &'o [(ObjectKey, Live)],
        wanted: &[Successor],
        now: Instant,
    ) -> Vec<&'o (ObjectKey, Live)> {
        let mut before = self.kept.remove(service).unwrap_or_default();
        let mut kept = BTreeMap::new();
        let mut going = Vec::new();
        for entry @ (key, old) in olds {
            let awaited = awaited(key, old, wanted);
            if old.served == 0 || awaited.is_empty() || self.timeout.is_zero() {
                going.push(entry);
                continue;
            }
            let keys: Vec<ObjectKey> = awaited.iter().map(|it| it.key.clone()).collect();
            // Where others are waited for than before, these get their time, too.
            let known = before.remove(key).filter(|known| known.awaited == keys);
            let missing: Vec<ObjectKey> =
                awaited.iter().filter(|it| !it.replaces(old)).map(|it| it.key.clone()).collect();
            if missing.is_empty() {
                going.push(entry);
                if let Some(known) = known.filter(|known| known.since.is_some()) {
                    kept.insert(key.clone(), Kept { end: Some(End::Served), ..known });
                }
                continue;
            }
            let mut known = known.unwrap_or(Kept { awaited: keys, since: None, end: None });
            known.end = None;
            if known.since.is_none() && awaited.iter().all(|it| it.served.is_some()) {
                known.since = Some(now);
                self.deadlines.insert((now + self.timeout, service.clone()));
            }
            let behind = awaited.iter().filter(|it| it.is_behind && it.key.kind == key.kind);
            let behind: Vec<ObjectKey> = behind.map(|it| it.key.clone()).collect();
            if !behind.is_empty() {
                going.push(entry);
                known.end = Some(End::InTheWay(behind));
            } else if known.since.is_some_and(|since| since + self.timeout <= now) {
                going.push(entry);
                known.end = Some(End::TimedOut(missing));
            }
            kept.insert(key.clone(), known);
        }
        if !kept.is_empty() {
            self.kept.insert(service.clone(), kept);
        }
        going
    }

    /// What the owner of a Service is told of what is kept.
    pub(crate) fn told(&self, service: &ServiceKey) -> Vec<Told> {
        let kept = self.kept.get(service).into_iter().flatten();
        let waiting = kept.filter(|(_, kept)| kept.since.is_some() && kept.end.is_none());
        waiting.map(|(key, kept)| Told::kept(key, &kept.awaited, self.timeout)).collect()
    }

    /// An object of a Service was deleted; gives what is to be told, if it was kept before.
    pub(crate) fn deleted(&mut self, service: &ServiceKey, key: &ObjectKey) -> Option<Told> {
        let first = self.detours.get(service);
        if let Some(detour) = first.filter(|detour| detour.way == Way::OldFirst && detour.old == *key) {
            return Some(Told::deleted_first(key, &detour.new, &detour.said));
        }
        let kept = self.kept.get_mut(service)?;
        let known = kept.remove(key)?;
        if kept.is_empty() {
            self.kept.remove(service);
        }
        Some(match known.end? {
            End::Served => Told::replaced(key, &known.awaited),
            End::InTheWay(behind) => Told::in_the_way(key, &behind),
            End::TimedOut(missing) => Told::timed_out(key, &missing, self.timeout),
        })
    }

    // Where somebody refuses to have both.

    /// What is to be done about the refusal of an object, in these words. `others` are the objects of its Service in the
    /// cluster, with those that are going.
    pub(crate) fn refused(
        &mut self,
        service: &Arc<ServiceKey>,
        new: &ObjectKey,
        said: &str,
        others: &[(ObjectKey, Live)],
    ) -> Refusal {
        let named = others.iter().find(|(key, _)| key.kind == new.kind && key != new && names(said, key));
        let stays = named.filter(|(_, live)| live.is_deletable()).map(|(key, _)| key.clone());
        let tried = self.detours.get(service).is_some_and(|it| it.new == *new);
        let known = self.detours.get_mut(service).filter(|it| it.new == *new && names(said, &it.old));
        match (known, stays) {
            (Some(known), Some(old)) if known.old == old => match known.way {
                Way::Marked => known.way = Way::OldFirst,
                Way::OldFirst => return Refusal::Told,
            },
            (Some(known), None) => {
                known.lags = known.lags.saturating_add(1);
                return if known.lags > LAGS { Refusal::Told } else { Refusal::Passing };
            }
            (_, Some(old)) => {
                let way = if new.kind == Kind::Ingress && !tried { Way::Marked } else { Way::OldFirst };
                let detour = Detour { old, new: new.clone(), said: said.to_owned(), way, lags: 0 };
                self.detours.insert(service.clone(), detour);
            }
            (None, None) => {
                let is_there =
                    |old: &ObjectKey| others.iter().any(|(key, live)| key == old && live.is_deletable());
                let detour = self.detours.get_mut(service).filter(|it| it.new == *new && is_there(&it.old));
                match detour.filter(|it| it.way == Way::Marked && is_about_mark(said)) {
                    Some(detour) => detour.way = Way::OldFirst,
                    None => return Refusal::Told,
                }
            }
        }
        Refusal::Retried
    }

    /// Changes what is wanted of a Service, where something was refused before. Gives the old object that goes first.
    pub(crate) fn detour(
        &mut self,
        service: &ServiceKey,
        olds: &[(ObjectKey, Live)],
        wanted: &mut [Wanted],
    ) -> Option<ObjectKey> {
        let detour = self.detours.get_mut(service)?;
        let new = wanted.iter_mut().find(|wanted| wanted.key == detour.new);
        let is_there = olds.iter().any(|(key, _)| *key == detour.old);
        // What is marked loses the mark when the old one is gone, because it is wanted without.
        let (Some(new), true) = (new, is_there) else { return None };
        if detour.way == Way::Marked && mark(new) {
            return None;
        }
        detour.way = Way::OldFirst;
        Some(detour.old.clone())
    }

    /// An object of a Service was applied. `is_there` says whether another one of it is there to stay.
    pub(crate) fn applied(
        &mut self,
        service: &ServiceKey,
        key: &ObjectKey,
        is_there: impl Fn(&ObjectKey) -> bool,
    ) {
        if self.detours.get(service).is_some_and(|detour| detour.new == *key && !is_there(&detour.old)) {
            self.detours.remove(service);
        }
    }
}

/// Marks an Ingress, unless it says already whether it is a canary.
fn mark(wanted: &mut Wanted) -> bool {
    let Some(Value::Object(metadata)) = wanted.body.get_mut("metadata") else { return false };
    let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Default::default()));
    let Value::Object(annotations) = annotations else { return false };
    if annotations.contains_key(CANARY) {
        return false;
    }
    annotations.insert(CANARY.to_owned(), "false".into());
    wanted.hash = hash(&wanted.body);
    true
}

/// Whether a refusal is about the mark, as of a controller that reads annotations under a prefix of its own, whose webhook
/// refuses this one.
fn is_about_mark(said: &str) -> bool {
    // The name of the webhook is said first.
    let reason = said.split_once("denied the request:").map_or(said, |(_, reason)| reason);
    CANARY.split_once('/').is_some_and(|(prefix, _)| reason.contains(prefix))
}

/// Whether a text names an object as `namespace/name`.
fn names(said: &str, key: &ObjectKey) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-./".contains(letter);
    let name = format!("{}/{}", key.namespace, key.name);
    said.split(|letter| !is_part(letter)).any(|word| word.trim_end_matches('.') == name)
}
