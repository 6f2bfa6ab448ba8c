//! Decides which objects are kept although they are no longer desired. An old object is deleted after the objects that replace it
//! serve its hosts; otherwise DNS records and routes would be missing in between. This module also decides what to do if an
//! admission webhook refuses the new object because the old one exists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use xposer_live::digest::json_digest;
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::Kind;
use xposer_live::object::{Observed, hosts};
use xposer_live::plan::Desired;

use crate::notice::Notice;

/// The default time limit for keeping an object, in seconds. ingress-nginx writes the address of a new Ingress once a minute
/// (`internal/ingress/status/status.go`, 1.15.1); this is half a minute more.
pub(crate) const DEFAULT_TIMEOUT_SECONDS: u64 = 90;
/// If one of two Ingresses has this annotation, the webhook of ingress-nginx accepts both with the same host and path
/// (`checkOverlap` in `internal/ingress/controller/controller.go`, 1.15.1). The value `false` is also the default, so it changes
/// nothing else.
const CANARY: &str = xposer::internal::CANARY;
/// The maximum number of ignored refusals that name a deleted object: a webhook learns of the deletion later than the controller.
const MAX_STALE_REFUSALS: u8 = 5;

/// A desired object that may replace an old one.
pub(crate) struct Successor {
    key: ObjectKey,
    hosts: Box<[u64]>,
    /// The number of parents that can serve the object, if its spec names them.
    parents: Option<u8>,
    /// The number of parents or routers that serve the object; `None` if the object in the cluster is not as desired.
    served_by: Option<u8>,
    /// Whether the object cannot be served until an older object is deleted.
    is_blocked: bool,
}

impl Successor {
    /// `observed` is the object in the cluster, if it is as desired.
    pub(crate) fn new(desired: &Desired, observed: Option<&Observed>) -> Self {
        let spec = desired.body.get("spec").unwrap_or(&Value::Null);
        let parents = spec.get("parentRefs").and_then(Value::as_array);
        Self {
            key: desired.key.clone(),
            hosts: hosts(spec),
            parents: parents.map(|all| u8::try_from(all.len()).unwrap_or(u8::MAX)),
            served_by: observed.map(|observed| observed.served_by),
            is_blocked: observed.is_some_and(|observed| observed.is_blocked),
        }
    }

    /// Whether the object is served by as many as the old object, or by as many as possible.
    fn replaces(&self, old: &Observed) -> bool {
        let enough = self.parents.unwrap_or(1).max(1).min(old.served_by);
        self.served_by.is_some_and(|served_by| served_by >= enough)
    }
}

/// The objects that an old object is kept for: those of the same kind that share a host with it, or if there are none, those of any
/// kind.
fn awaited<'s>(key: &ObjectKey, old: &Observed, desired: &'s [Successor]) -> Vec<&'s Successor> {
    let shares_host = |it: &&Successor| it.hosts.iter().any(|host| old.hosts.binary_search(host).is_ok());
    let all: Vec<&Successor> = desired.iter().filter(shares_host).collect();
    let same_kind: Vec<&Successor> = all.iter().copied().filter(|it| it.key.kind == key.kind).collect();
    if same_kind.is_empty() { all } else { same_kind }
}

/// The objects that are kept, and the Services with a refused new object.
#[derive(Debug)]
pub(crate) struct Handovers {
    /// The time limit for keeping an object; zero keeps none.
    timeout: Duration,
    kept: BTreeMap<Arc<ServiceKey>, BTreeMap<ObjectKey, KeptObject>>,
    /// The times at which Services have to be reconciled again. Entries of finished handovers stay until their time.
    deadlines: BTreeSet<(Instant, Arc<ServiceKey>)>,
    fallbacks: BTreeMap<Arc<ServiceKey>, Fallback>,
}

/// An old object that still serves.
#[derive(Debug)]
struct KeptObject {
    awaited: Vec<ObjectKey>,
    /// The time since which all awaited objects in the cluster are as desired. The time limit starts here.
    since: Option<Instant>,
    end: Option<End>,
}

/// The reason for the deletion of a kept object.
#[derive(Debug)]
enum End {
    Served,
    /// The object blocks these objects.
    Blocking(Vec<ObjectKey>),
    /// These objects do not serve yet.
    TimedOut(Vec<ObjectKey>),
}

/// The method for getting a new object accepted that was refused because an old object of the same Service has its host and path.
#[derive(Debug)]
struct Fallback {
    old: ObjectKey,
    new: ObjectKey,
    /// The message of the refusal.
    message: String,
    method: Method,
    stale_refusals: u8,
}

#[derive(Debug, PartialEq, Eq)]
enum Method {
    /// The new object has the canary annotation as long as the old one exists.
    Annotate,
    /// The old object is deleted first.
    DeleteFirst,
}

/// The reaction to a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Retry immediately with another method.
    RetryNow,
    /// Retry later; the refusal is temporary.
    RetryLater,
    /// Notify the owner.
    Report,
}

impl Handovers {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, kept: BTreeMap::new(), deadlines: BTreeSet::new(), fallbacks: BTreeMap::new() }
    }

    /// Whether an object of the Service is or was kept, and the handover is not finished.
    pub(crate) fn has_kept(&self, service: &ServiceKey) -> bool {
        self.kept.contains_key(service)
    }

    pub(crate) fn is_kept(&self, service: &ServiceKey, object: &ObjectKey) -> bool {
        self.kept.get(service).and_then(|kept| kept.get(object)).is_some_and(|kept| kept.end.is_none())
    }

    /// Whether no object is kept.
    pub(crate) fn is_settled(&self) -> bool {
        self.kept.values().flat_map(BTreeMap::values).all(|kept| kept.end.is_some())
    }

    /// The number of kept objects of a kind.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        let kept = self.kept.values().flatten();
        kept.filter(|(key, kept)| key.kind == kind && kept.end.is_none()).count()
    }

    /// Removes all data about a Service.
    pub(crate) fn forget(&mut self, service: &ServiceKey) {
        self.kept.remove(service);
        self.fallbacks.remove(service);
    }

    /// Forgets earlier refusals, because the Service or the settings have changed.
    pub(crate) fn forget_refusals(&mut self, service: &ServiceKey) {
        self.fallbacks.remove(service);
    }

    /// Schedules a Service for this time, whether or not an object is kept then.
    pub(crate) fn look_again(&mut self, service: &Arc<ServiceKey>, at: Instant) {
        self.deadlines.insert((at, service.clone()));
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Returns the Services with an object that reached its time limit.
    pub(crate) fn take_overdue(&mut self, now: Instant) -> Vec<Arc<ServiceKey>> {
        let mut overdue = Vec::new();
        while self.next_deadline().is_some_and(|at| at <= now) {
            overdue.extend(self.deadlines.pop_first().map(|(_, service)| service));
        }
        overdue
    }

    /// Decides about all objects of a Service that are not desired. Returns the objects to delete now.
    pub(crate) fn review<'o>(
        &mut self,
        service: &Arc<ServiceKey>,
        olds: &'o [(ObjectKey, Observed)],
        desired: &[Successor],
        now: Instant,
    ) -> Vec<&'o (ObjectKey, Observed)> {
        let mut before = self.kept.remove(service).unwrap_or_default();
        let mut kept = BTreeMap::new();
        let mut deleted = Vec::new();
        for entry @ (key, old) in olds {
            let awaited = awaited(key, old, desired);
            if old.served_by == 0 || awaited.is_empty() || self.timeout.is_zero() {
                deleted.push(entry);
                continue;
            }
            let keys: Vec<ObjectKey> = awaited.iter().map(|it| it.key.clone()).collect();
            // If the awaited objects change, the time limit starts again.
            let known = before.remove(key).filter(|known| known.awaited == keys);
            let missing: Vec<ObjectKey> =
                awaited.iter().filter(|it| !it.replaces(old)).map(|it| it.key.clone()).collect();
            if missing.is_empty() {
                deleted.push(entry);
                if let Some(known) = known.filter(|known| known.since.is_some()) {
                    kept.insert(key.clone(), KeptObject { end: Some(End::Served), ..known });
                }
                continue;
            }
            let mut known = known.unwrap_or(KeptObject { awaited: keys, since: None, end: None });
            known.end = None;
            if known.since.is_none() && awaited.iter().all(|it| it.served_by.is_some()) {
                known.since = Some(now);
                self.deadlines.insert((now + self.timeout, service.clone()));
            }
            let blocked = awaited.iter().filter(|it| it.is_blocked && it.key.kind == key.kind);
            let blocked: Vec<ObjectKey> = blocked.map(|it| it.key.clone()).collect();
            if !blocked.is_empty() {
                deleted.push(entry);
                known.end = Some(End::Blocking(blocked));
            } else if known.since.is_some_and(|since| since + self.timeout <= now) {
                deleted.push(entry);
                known.end = Some(End::TimedOut(missing));
            }
            kept.insert(key.clone(), known);
        }
        if !kept.is_empty() {
            self.kept.insert(service.clone(), kept);
        }
        deleted
    }

    /// The notices about kept objects of a Service.
    pub(crate) fn notices(&self, service: &ServiceKey) -> Vec<Notice> {
        let kept = self.kept.get(service).into_iter().flatten();
        let waiting = kept.filter(|(_, kept)| kept.since.is_some() && kept.end.is_none());
        waiting.map(|(key, kept)| Notice::kept(key, &kept.awaited, self.timeout)).collect()
    }

    /// Records the deletion of an object of a Service. Returns a notice if the object was kept.
    pub(crate) fn on_deleted(&mut self, service: &ServiceKey, key: &ObjectKey) -> Option<Notice> {
        let fallback = self.fallbacks.get(service);
        if let Some(fallback) = fallback.filter(|it| it.method == Method::DeleteFirst && it.old == *key) {
            return Some(Notice::deleted_first(key, &fallback.new, &fallback.message));
        }
        let kept = self.kept.get_mut(service)?;
        let known = kept.remove(key)?;
        if kept.is_empty() {
            self.kept.remove(service);
        }
        Some(match known.end? {
            End::Served => Notice::replaced(key, &known.awaited),
            End::Blocking(blocked) => Notice::blocking(key, &blocked),
            End::TimedOut(missing) => Notice::timed_out(key, &missing, self.timeout),
        })
    }

    // Refusals of a new object because of an old one.

    /// Decides what to do about the refusal of `new` with this message. `others` are the objects of its Service in the cluster,
    /// including those that are being deleted.
    pub(crate) fn on_refused(
        &mut self,
        service: &Arc<ServiceKey>,
        new: &ObjectKey,
        message: &str,
        others: &[(ObjectKey, Observed)],
    ) -> Refusal {
        let named = others.iter().find(|(key, _)| key.kind == new.kind && key != new && names(message, key));
        let remaining = named.filter(|(_, old)| old.is_deletable()).map(|(key, _)| key.clone());
        let tried = self.fallbacks.get(service).is_some_and(|it| it.new == *new);
        let known = self.fallbacks.get_mut(service).filter(|it| it.new == *new && names(message, &it.old));
        match (known, remaining) {
            (Some(known), Some(old)) if known.old == old => match known.method {
                Method::Annotate => known.method = Method::DeleteFirst,
                Method::DeleteFirst => return Refusal::Report,
            },
            (Some(known), None) => {
                known.stale_refusals = known.stale_refusals.saturating_add(1);
                let is_lasting = known.stale_refusals > MAX_STALE_REFUSALS;
                return if is_lasting { Refusal::Report } else { Refusal::RetryLater };
            }
            (_, Some(old)) => {
                let can_annotate = new.kind == Kind::Ingress && !tried;
                let method = if can_annotate { Method::Annotate } else { Method::DeleteFirst };
                let (new, message) = (new.clone(), message.to_owned());
                let fallback = Fallback { old, new, message, method, stale_refusals: 0 };
                self.fallbacks.insert(service.clone(), fallback);
            }
            (None, None) => {
                let exists =
                    |old: &ObjectKey| others.iter().any(|(key, other)| key == old && other.is_deletable());
                let fallback = self.fallbacks.get_mut(service).filter(|it| it.new == *new && exists(&it.old));
                match fallback.filter(|it| it.method == Method::Annotate && is_about_annotation(message)) {
                    Some(fallback) => fallback.method = Method::DeleteFirst,
                    None => return Refusal::Report,
                }
            }
        }
        Refusal::RetryNow
    }

    /// Applies the fallback of a Service, if it has one: annotates the new object among the desired ones, or returns the old object
    /// to delete first.
    pub(crate) fn apply_fallback(
        &mut self,
        service: &ServiceKey,
        olds: &[(ObjectKey, Observed)],
        desired: &mut [Desired],
    ) -> Option<ObjectKey> {
        let fallback = self.fallbacks.get_mut(service)?;
        let new = desired.iter_mut().find(|desired| desired.key == fallback.new);
        let old_exists = olds.iter().any(|(key, _)| *key == fallback.old);
        // If the old object no longer exists, the new one is applied without the annotation, which removes it.
        let (Some(new), true) = (new, old_exists) else { return None };
        if fallback.method == Method::Annotate && annotate(new) {
            return None;
        }
        fallback.method = Method::DeleteFirst;
        Some(fallback.old.clone())
    }

    /// Records that an object of a Service was applied. `exists` tells whether another object exists and is not being deleted.
    pub(crate) fn on_applied(
        &mut self,
        service: &ServiceKey,
        key: &ObjectKey,
        exists: impl Fn(&ObjectKey) -> bool,
    ) {
        if self.fallbacks.get(service).is_some_and(|fallback| fallback.new == *key && !exists(&fallback.old))
        {
            self.fallbacks.remove(service);
        }
    }
}

/// Adds the canary annotation to an Ingress. Returns false if the Ingress has it already.
fn annotate(desired: &mut Desired) -> bool {
    let Some(Value::Object(metadata)) = desired.body.get_mut("metadata") else { return false };
    let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Default::default()));
    let Value::Object(annotations) = annotations else { return false };
    if annotations.contains_key(CANARY) {
        return false;
    }
    annotations.insert(CANARY.to_owned(), "false".into());
    desired.hash = json_digest(&desired.body);
    true
}

/// Whether a refusal is about the canary annotation. The webhook of an ingress-nginx that is configured with another prefix refuses
/// annotations with the default prefix.
fn is_about_annotation(message: &str) -> bool {
    // The message starts with the name of the webhook, which may contain the prefix.
    let reason = message.split_once("denied the request:").map_or(message, |(_, reason)| reason);
    CANARY.split_once('/').is_some_and(|(prefix, _)| reason.contains(prefix))
}

/// Whether a message contains the name of an object as `namespace/name`.
fn names(message: &str, key: &ObjectKey) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-./".contains(letter);
    let name = format!("{}/{}", key.namespace, key.name);
    message.split(|letter| !is_part(letter)).any(|word| word.trim_end_matches('.') == name)
}
