//! Schedules the reads and writes of the ConfigMaps with claims. Nothing here sends requests to the API server.
//!
//! All ConfigMaps of Xposer are listed once, and each is written once, even if its content is as desired. A request that another
//! replica sent before it lost the lease may arrive later than the list, and the API server refuses that request only if the
//! version has changed since. After that, a shard is written when its content has changed, at most every [`MIN_INTERVAL`], and
//! after a third of the time in which readers trust it.

mod failure;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use xposer::conflicts::{Buckets, SHARD_VERSION, SHARDS, Shard, ShardState, config_map};
use xposer_live::digest::json_digest;

use crate::backoff::{Pause, doubled};
use crate::state::recorded_claims::Content;

pub(crate) use failure::Failure;
use schedule::{ShardSchedule, ShardStatus};

/// Changes within this time are written together.
const DELAY: Duration = Duration::from_millis(500);
/// The interval of checks whether a ConfigMap of another owner still exists.
const FOREIGN_INTERVAL: Duration = Duration::from_secs(30);
/// The minimum interval between two requests for a shard.
const MIN_INTERVAL: Duration = Duration::from_secs(2);
/// The maximum number of concurrent requests for shards. The remaining ones are for the objects of Services.
const MAX_CONCURRENT: usize = 2;
/// The delay after the API server refused a shard, which doubles with each further failure.
const MIN_RETRY: Duration = Duration::from_secs(10);
const MAX_RETRY: Duration = Duration::from_secs(300);
/// The number of consecutive failures after which a run with `--once` ends, and a previous namespace is forgotten.
const MAX_FAILURES: u32 = 5;

/// The schedule of all shards.
pub(crate) struct Shards {
    location: Option<ClaimsLocation>,
    /// Previous namespaces of the claims, with the number of attempts to delete the ConfigMaps there.
    previous_namespaces: BTreeMap<Box<str>, u32>,
    is_listed: bool,
    /// The shards that this replica has not written yet.
    unwritten: BTreeSet<u64>,
    slots: BTreeMap<u64, ShardSchedule>,
    schedule: BTreeSet<(Instant, u64)>,
    /// The number of requests in progress, and whether they exclude all other requests.
    running: usize,
    is_exclusive: bool,
    /// Incremented with each change of the location; a response for an earlier location is ignored.
    epoch: u64,
    pause: Pause,
    failures: u32,
    /// The kinds of failures that were logged.
    logged_failures: BTreeSet<&'static str>,
}

/// The location of the claims, and the interval of refreshes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ClaimsLocation {
    namespace: Box<str>,
    refresh: Duration,
}

/// The version of a ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) uid: String,
    pub(crate) version: String,
}

/// A ConfigMap that was read.
#[derive(Clone, Debug)]
pub(crate) struct StoredShard {
    pub(crate) version: Version,
    /// Whether the ConfigMap has the labels of Xposer.
    pub(crate) is_ours: bool,
    /// The hash of the content ([`content_hash`]); `None` if it cannot be parsed.
    pub(crate) content_hash: Option<u64>,
    /// The time since it was written; `None` if the time is missing or implausible.
    pub(crate) age: Option<Duration>,
}

/// The next work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) namespace: Box<str>,
    pub(crate) operation: Operation,
    epoch: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// List the ConfigMaps of Xposer.
    List,
    /// Delete the ConfigMaps of Xposer.
    Delete,
    Read(u64),
    /// Create the ConfigMap of this shard, or replace this version of it.
    Write(u64, Content, Option<Version>),
}

/// The result of the work.
#[derive(Debug)]
pub(crate) struct Completed {
    pub(crate) work: Work,
    pub(crate) result: Result<Answer, Failure>,
}

#[derive(Debug)]
pub(crate) enum Answer {
    Listed(BTreeMap<u64, StoredShard>),
    Deleted,
    Read(Option<StoredShard>),
    Written(Version),
}

/// A message that is logged once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogMessage {
    Failed(String),
    /// The work succeeds again after a failure.
    Recovered,
}

/// The hash of the content of a ConfigMap; `None` if another version of the program wrote it. Only the hash is kept in memory.
pub(crate) fn content_hash(shard: Shard) -> Option<u64> {
    let Shard { state, buckets } = shard;
    (state.version == SHARD_VERSION).then(|| digest_of(state, &buckets))
}

/// The hash of the content of a ConfigMap, without the time.
fn digest(content: &Content) -> u64 {
    digest_of(content.state(String::new()), &content.buckets)
}

fn digest_of(state: ShardState, buckets: &Buckets) -> u64 {
    json_digest(&ShardState { written: String::new(), ..state }.data(buckets))
}

impl Shards {
    pub(crate) fn new() -> Self {
        Self {
            location: None,
            previous_namespaces: BTreeMap::new(),
            is_listed: false,
            unwritten: BTreeSet::new(),
            slots: BTreeMap::new(),
            schedule: BTreeSet::new(),
            running: 0,
            is_exclusive: false,
            epoch: 0,
            pause: Pause::new(),
            failures: 0,
            logged_failures: BTreeSet::new(),
        }
    }

    /// Sets the namespace of the claims, and the age in seconds from which readers do not trust them.
    pub(crate) fn set_location(&mut self, location: Option<(&str, u64)>) {
        let location = location.map(|(namespace, max_age)| ClaimsLocation {
            namespace: namespace.into(),
            refresh: Duration::from_secs(max_age) / 3,
        });
        if self.location == location {
            return;
        }
        let before = std::mem::replace(&mut self.location, location);
        let now = self.location.as_ref().map(|it| &it.namespace);
        if let Some(before) = before.filter(|before| Some(&before.namespace) != now) {
            self.previous_namespaces.insert(before.namespace, 0);
        }
        if let Some(now) = &self.location {
            self.previous_namespaces.remove(&now.namespace);
        }
        self.epoch += 1;
        self.is_listed = false;
        self.unwritten.clear();
        self.slots.clear();
        self.schedule.clear();
        self.pause.reset();
        self.failures = 0;
        self.logged_failures.clear();
    }

    /// Marks a shard whose content may have changed.
    pub(crate) fn change(&mut self, shard: u64, now: Instant) {
        let Some(slot) = self.slots.get(&shard).filter(|slot| slot.known != ShardStatus::Foreign) else {
            return;
        };
        let at = (now + DELAY).max(slot.not_before);
        self.schedule(shard, if slot.is_due { at.min(slot.at) } else { at }, true);
    }

    fn schedule(&mut self, shard: u64, at: Instant, is_due: bool) {
        let Some(slot) = self.slots.get_mut(&shard) else { return };
        self.schedule.remove(&(slot.at, shard));
        (slot.at, slot.is_due) = (at, is_due);
        if !slot.is_running {
            self.schedule.insert((at, shard));
        }
    }

    /// Returns the next work, which counts as in progress from now on. `content` returns the desired content of a shard; `None` if
    /// not everything is known yet.
    pub(crate) fn next(&mut self, now: Instant, content: Option<&dyn Fn(u64) -> Content>) -> Option<Work> {
        if self.is_exclusive || !self.pause.is_over(now) {
            return None;
        }
        // The ConfigMaps in a previous namespace are needed until the new ones are written, because the settings may be reverted.
        if let Some(namespace) = self
            .previous_namespaces
            .keys()
            .next()
            .filter(|_| self.location.is_none() || self.is_established())
        {
            let namespace = namespace.clone();
            return self.exclusive_work(namespace, Operation::Delete);
        }
        let content = content?;
        let namespace = self.location.as_ref()?.namespace.clone();
        if !self.is_listed {
            return self.exclusive_work(namespace, Operation::List);
        }
        while self.running < MAX_CONCURRENT {
            let (_, shard) = self.schedule.first().copied().filter(|(at, _)| *at <= now)?;
            let slot = self.slots.get_mut(&shard)?;
            let operation = match &slot.known {
                ShardStatus::Unknown | ShardStatus::Foreign => Operation::Read(shard),
                ShardStatus::Absent => Operation::Write(shard, content(shard), None),
                ShardStatus::Ours(version, before) => {
                    let content = content(shard);
                    slot.dropped = content.dropped;
                    if digest(&content) == *before && now < slot.refresh_at {
                        let at = slot.refresh_at;
                        self.schedule(shard, at, false);
                        continue;
                    }
                    Operation::Write(shard, content, Some(version.clone()))
                }
            };
            self.schedule.remove(&(slot.at, shard));
            (slot.is_running, slot.is_due) = (true, false);
            self.running += 1;
            return Some(Work { namespace, operation, epoch: self.epoch });
        }
        None
    }

    /// Work that excludes all other work.
    fn exclusive_work(&mut self, namespace: Box<str>, operation: Operation) -> Option<Work> {
        if self.running > 0 {
            return None;
        }
        (self.running, self.is_exclusive) = (1, true);
        Some(Work { namespace, operation, epoch: self.epoch })
    }

    /// Records the result of work. Returns a message to log.
    pub(crate) fn done(&mut self, done: Completed, now: Instant) -> Option<LogMessage> {
        let Completed { work, result } = done;
        self.running = self.running.saturating_sub(1);
        self.is_exclusive = false;
        if let Operation::Delete = work.operation {
            return self.deleted(&work.namespace, result, now);
        }
        let ClaimsLocation { namespace, refresh } =
            self.location.clone().filter(|_| work.epoch == self.epoch)?;
        let shard = match &work.operation {
            Operation::Read(shard) | Operation::Write(shard, ..) => Some(*shard),
            Operation::List | Operation::Delete => None,
        };
        if let Some(slot) = shard.and_then(|shard| self.slots.get_mut(&shard)) {
            slot.is_running = false;
            slot.not_before = now + MIN_INTERVAL;
        }
        match (result, work.operation) {
            (Ok(Answer::Listed(mut found)), _) => {
                self.is_listed = true;
                self.unwritten = (0..SHARDS).collect();
                for shard in 0..SHARDS {
                    // With no time left, the shard is written once for its new version, as the documentation of this module
                    // explains.
                    self.slots.insert(shard, ShardSchedule::new(found.remove(&shard), now, Duration::ZERO));
                    self.schedule(shard, now, true);
                }
            }
            (Ok(Answer::Read(found)), Operation::Read(shard)) => {
                return self.read(&namespace, shard, found, now, refresh);
            }
            (Ok(Answer::Written(version)), Operation::Write(shard, content, _)) => {
                self.unwritten.remove(&shard);
                let slot = self.slots.get_mut(&shard)?;
                slot.known = ShardStatus::Ours(version, digest(&content));
                slot.dropped = content.dropped;
                slot.written = Some(now);
                slot.refresh_at = now + interval(refresh, shard);
                slot.failures = 0;
                let (at, is_due) =
                    if slot.is_due { (slot.at.max(slot.not_before), true) } else { (slot.refresh_at, false) };
                self.schedule(shard, at, is_due);
            }
            (Err(failure), _) => {
                return self.fail(&namespace, shard, failure, now);
            }
            // There are no other results of this work.
            (Ok(_), _) => {}
        }
        self.pause.reset();
        self.failures = 0;
        let is_well = self.slots.values().all(|slot| slot.failures == 0);
        (is_well && !std::mem::take(&mut self.logged_failures).is_empty()).then_some(LogMessage::Recovered)
    }

    fn deleted(
        &mut self,
        namespace: &str,
        result: Result<Answer, Failure>,
        now: Instant,
    ) -> Option<LogMessage> {
        let Err(failure) = result else {
            self.previous_namespaces.remove(namespace);
            return None;
        };
        let attempts = self.previous_namespaces.get_mut(namespace)?;
        *attempts += 1;
        let is_final = *attempts >= MAX_FAILURES
            || matches!(failure, Failure::NoPermission(_) | Failure::NoNamespace(_));
        if !is_final {
            self.pause.begin(now);
            return None;
        }
        self.previous_namespaces.remove(namespace);
        let (Failure::NoNamespace(message)
        | Failure::NoPermission(message)
        | Failure::Refused(message)
        | Failure::Unavailable(message)) = failure
        else {
            return None;
        };
        Some(LogMessage::Failed(format!(
            "the ConfigMaps of the claims in the namespace {namespace}, from before the settings changed, could not be deleted; \
             delete those with the label app.kubernetes.io/component=claims ({message})"
        )))
    }

    fn read(
        &mut self,
        namespace: &str,
        shard: u64,
        found: Option<StoredShard>,
        now: Instant,
        refresh: Duration,
    ) -> Option<LogMessage> {
        let refresh = interval(refresh, shard);
        let slot = self.slots.get_mut(&shard)?;
        let is_told = slot.was_foreign;
        let ShardSchedule { not_before, failures, dropped, .. } = *slot;
        *slot = ShardSchedule { not_before, failures, dropped, ..ShardSchedule::new(found, now, refresh) };
        if slot.known != ShardStatus::Foreign {
            self.schedule(shard, not_before, true);
            return None;
        }
        slot.was_foreign = true;
        // Nothing is written there, so the failures are over.
        slot.failures = 0;
        self.unwritten.remove(&shard);
        self.schedule(shard, now + refresh.min(FOREIGN_INTERVAL), false);
        let name = config_map(shard);
        let message = format!(
            "the ConfigMap {namespace}/{name} belongs to another owner and was not changed, so the owners of its hosts are not known; rename or delete it"
        );
        (!is_told).then_some(LogMessage::Failed(message))
    }

    fn fail(
        &mut self,
        namespace: &str,
        shard: Option<u64>,
        failure: Failure,
        now: Instant,
    ) -> Option<LogMessage> {
        let is_final = matches!(failure, Failure::NoNamespace(_) | Failure::NoPermission(_));
        if let (Some(shard), Some(slot)) = (shard, shard.and_then(|shard| self.slots.get_mut(&shard))) {
            // A request without a response may have been carried out.
            if matches!(failure, Failure::Outdated | Failure::Unavailable(_)) {
                slot.known = ShardStatus::Unknown;
            }
            if failure != Failure::Outdated {
                slot.failures = slot.failures.saturating_add(1);
            }
            // Other failures concern all shards, so all of them wait.
            let wait = match failure {
                Failure::Refused(_) => doubled(MIN_RETRY, slot.failures.saturating_sub(1), MAX_RETRY),
                _ => DELAY,
            };
            self.schedule(shard, now + wait, true);
        }
        if failure == Failure::Outdated {
            return None;
        }
        let (word, mut message) = (failure.word(), failure.about(namespace, shard.map(config_map)));
        self.failures = if is_final { MAX_FAILURES } else { self.failures.saturating_add(1) };
        self.pause.begin(now);
        if let Some(left) = self.previous_namespaces.keys().next().filter(|_| !self.is_established()) {
            message += &format!("; those in the previous namespace {left} stay until then");
        }
        // Messages about several shards differ only in the name, so only the first one is logged.
        self.logged_failures.insert(word).then_some(LogMessage::Failed(message))
    }

    /// The time at which [`next`](Self::next) has to be called next.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        let first = self.schedule.first().map(|(at, _)| *at);
        self.pause.until().filter(|_| self.failures > 0 || !self.previous_namespaces.is_empty()).max(first)
    }

    /// Whether nothing is in progress or waiting, except refreshes.
    pub(crate) fn is_settled(&self) -> bool {
        self.running == 0
            && self.previous_namespaces.is_empty()
            && (self.location.is_none() || self.is_written())
    }

    /// Whether each ConfigMap was written once in this location, or belongs to another owner. Later changes do not matter.
    fn is_established(&self) -> bool {
        self.is_listed && self.unwritten.is_empty()
    }

    /// Whether all changes are written.
    fn is_written(&self) -> bool {
        self.is_listed
            && self.slots.values().all(|slot| !slot.is_due && !slot.is_running && slot.failures == 0)
    }

    /// Whether a write has failed several times in a row.
    pub(crate) fn has_given_up(&self) -> bool {
        self.failures >= MAX_FAILURES
    }

    /// The number of claims that did not fit, and the number of ConfigMaps of other owners.
    pub(crate) fn counts(&self) -> (u64, usize) {
        let foreign = self.slots.values().filter(|slot| slot.known == ShardStatus::Foreign);
        (self.slots.values().map(|slot| slot.dropped).sum(), foreign.count())
    }

    /// The time since the oldest ConfigMap was written.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        let oldest = self.slots.values().filter_map(|slot| slot.written).min();
        oldest.map(|oldest| now.saturating_duration_since(oldest)).unwrap_or_default()
    }
}

/// The interval of refreshes of a shard. It differs between shards, so that they are not all written at once.
fn interval(refresh: Duration, shard: u64) -> Duration {
    // Consecutive shards get distant intervals.
    let part = u32::try_from(shard * 97 % SHARDS).unwrap_or_default();
    let parts = u32::try_from(SHARDS).unwrap_or(1);
    refresh - refresh * part / (parts * 3)
}
