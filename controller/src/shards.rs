//! When the ConfigMaps of the claims are read and written. Nothing here reads from or writes to the API server.
//!
//! All of ours are listed once, and each is written once, also if it says what it should: a request that another replica sent before it
//! lost the lead may arrive later than our list, and is refused only if the version has changed since. After that, a shard is written when
//! its content has changed, at most every [`MIN_INTERVAL`], and when a third of the time has passed after which readers do not trust it.

mod failure;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use xposer::conflicts::{Buckets, SHARD_VERSION, SHARDS, Shard, ShardState, config_map};
use xposer_live::digest::json_digest;

use crate::backoff::{Pause, doubled};
use crate::state::held::Content;

pub(crate) use failure::Failure;

/// Changes within this time are written together.
const DELAY: Duration = Duration::from_millis(500);
/// How often it is looked whether a ConfigMap of somebody else is still there.
const FOREIGN_INTERVAL: Duration = Duration::from_secs(30);
/// The shortest time between two requests about a shard.
const MIN_INTERVAL: Duration = Duration::from_secs(2);
/// Requests at the same time: the others are for the objects of Services.
const MAX_CONCURRENT: usize = 2;
/// The delay after the API server refused a shard, which doubles with each further failure.
const MIN_RETRY: Duration = Duration::from_secs(10);
const MAX_RETRY: Duration = Duration::from_secs(300);
/// After so many failures in a row, a run with `--once` ends, and a namespace that was left is forgotten.
const MAX_FAILURES: u32 = 5;

/// The schedule of all shards.
pub(crate) struct Shards {
    place: Option<Place>,
    /// Namespaces in which the claims were before, with the number of attempts to delete them.
    left: BTreeMap<Box<str>, u32>,
    is_listed: bool,
    /// Those that have not been written here so far.
    unwritten: BTreeSet<u64>,
    slots: BTreeMap<u64, Slot>,
    schedule: BTreeSet<(Instant, u64)>,
    /// How many requests are under way, and whether nothing else may be sent meanwhile.
    running: usize,
    is_alone: bool,
    /// Counts the places: an answer about an earlier one does not matter.
    epoch: u64,
    pause: Pause,
    failures: u32,
    /// The words of the failures that were told.
    told: BTreeSet<&'static str>,
}

/// Where the claims are, and after which time they are written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    namespace: Box<str>,
    refresh: Duration,
}

#[derive(Debug)]
struct Slot {
    known: Known,
    /// When it has to be looked at. It has to be written then, if it is not known to be as it should.
    at: Instant,
    /// Whether something has to be compared then; otherwise, it is only written anew.
    is_due: bool,
    /// From when it is written anew, although nothing has changed.
    refresh_at: Instant,
    not_before: Instant,
    written: Option<Instant>,
    is_running: bool,
    /// Whether it was told that it belongs to somebody else.
    was_foreign: bool,
    /// How often it could not be written, in a row.
    failures: u32,
    dropped: u64,
}

/// What is known of a ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    /// It has to be read first.
    Unknown,
    Absent,
    Ours(Version, u64),
    Foreign,
}

/// The version of a ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) uid: String,
    pub(crate) version: String,
}

/// A ConfigMap that was read.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) version: Version,
    /// Whether it has our labels.
    pub(crate) is_ours: bool,
    /// [`said`] of what it says; `None` if that cannot be read.
    pub(crate) says: Option<u64>,
    /// The time since it was written; `None` if that cannot be, or cannot be read.
    pub(crate) age: Option<Duration>,
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) namespace: Box<str>,
    pub(crate) what: What,
    epoch: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Our ConfigMaps have to be listed.
    List,
    /// Our ConfigMaps have to be deleted.
    Delete,
    Read(u64),
    /// The ConfigMap of this shard has to be created, or replaced in this version.
    Write(u64, Content, Option<Version>),
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) work: Work,
    pub(crate) result: Result<Answer, Failure>,
}

#[derive(Debug)]
pub(crate) enum Answer {
    Listed(BTreeMap<u64, Found>),
    Deleted,
    Read(Option<Found>),
    Written(Version),
}

/// What is told about in the log, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Failed(String),
    /// After a failure, all is well again.
    Recovered,
}

/// The hash of what a ConfigMap says, which is all that is kept of it; `None` if another version of the program wrote it.
pub(crate) fn said(shard: Shard) -> Option<u64> {
    let Shard { state, buckets } = shard;
    (state.version == SHARD_VERSION).then(|| digest_of(state, &buckets))
}

/// The hash of what a ConfigMap says, without the time.
fn digest(content: &Content) -> u64 {
    digest_of(content.state(String::new()), &content.buckets)
}

fn digest_of(state: ShardState, buckets: &Buckets) -> u64 {
    json_digest(&ShardState { written: String::new(), ..state }.data(buckets))
}

impl Shards {
    pub(crate) fn new() -> Self {
        Self {
            place: None,
            left: BTreeMap::new(),
            is_listed: false,
            unwritten: BTreeSet::new(),
            slots: BTreeMap::new(),
            schedule: BTreeSet::new(),
            running: 0,
            is_alone: false,
            epoch: 0,
            pause: Pause::new(),
            failures: 0,
            told: BTreeSet::new(),
        }
    }

    /// Sets the namespace of the claims, and the age in seconds after which readers do not trust them.
    pub(crate) fn set_place(&mut self, place: Option<(&str, u64)>) {
        let place = place.map(|(namespace, max_age)| Place {
            namespace: namespace.into(),
            refresh: Duration::from_secs(max_age) / 3,
        });
        if self.place == place {
            return;
        }
        let before = std::mem::replace(&mut self.place, place);
        let now = self.place.as_ref().map(|it| &it.namespace);
        if let Some(before) = before.filter(|before| Some(&before.namespace) != now) {
            self.left.insert(before.namespace, 0);
        }
        if let Some(now) = &self.place {
            self.left.remove(&now.namespace);
        }
        self.epoch += 1;
        self.is_listed = false;
        self.unwritten.clear();
        self.slots.clear();
        self.schedule.clear();
        self.pause.reset();
        self.failures = 0;
        self.told.clear();
    }

    /// The content of a shard may have changed.
    pub(crate) fn change(&mut self, shard: u64, now: Instant) {
        let Some(slot) = self.slots.get(&shard).filter(|slot| slot.known != Known::Foreign) else { return };
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

    /// What has to be done now; it is under way from now on. `content` says what a shard is to say, if everything is known.
    pub(crate) fn next(&mut self, now: Instant, content: Option<&dyn Fn(u64) -> Content>) -> Option<Work> {
        if self.is_alone || !self.pause.is_over(now) {
            return None;
        }
        // Those of a namespace that was left are needed until the others are there: the settings may be taken back.
        if let Some(namespace) = self.left.keys().next().filter(|_| self.place.is_none() || self.is_there()) {
            let namespace = namespace.clone();
            return self.alone(namespace, What::Delete);
        }
        let content = content?;
        let namespace = self.place.as_ref()?.namespace.clone();
        if !self.is_listed {
            return self.alone(namespace, What::List);
        }
        while self.running < MAX_CONCURRENT {
            let (_, shard) = self.schedule.first().copied().filter(|(at, _)| *at <= now)?;
            let slot = self.slots.get_mut(&shard)?;
            let what = match &slot.known {
                Known::Unknown | Known::Foreign => What::Read(shard),
                Known::Absent => What::Write(shard, content(shard), None),
                Known::Ours(version, before) => {
                    let content = content(shard);
                    slot.dropped = content.dropped;
                    if digest(&content) == *before && now < slot.refresh_at {
                        let at = slot.refresh_at;
                        self.schedule(shard, at, false);
                        continue;
                    }
                    What::Write(shard, content, Some(version.clone()))
                }
            };
            self.schedule.remove(&(slot.at, shard));
            (slot.is_running, slot.is_due) = (true, false);
            self.running += 1;
            return Some(Work { namespace, what, epoch: self.epoch });
        }
        None
    }

    /// Work beside which nothing else is done.
    fn alone(&mut self, namespace: Box<str>, what: What) -> Option<Work> {
        if self.running > 0 {
            return None;
        }
        (self.running, self.is_alone) = (1, true);
        Some(Work { namespace, what, epoch: self.epoch })
    }

    /// Something is done. Returns what has to be told.
    pub(crate) fn done(&mut self, done: Done, now: Instant) -> Option<News> {
        let Done { work, result } = done;
        self.running = self.running.saturating_sub(1);
        self.is_alone = false;
        if let What::Delete = work.what {
            return self.deleted(&work.namespace, result, now);
        }
        let Place { namespace, refresh } = self.place.clone().filter(|_| work.epoch == self.epoch)?;
        let shard = match &work.what {
            What::Read(shard) | What::Write(shard, ..) => Some(*shard),
            What::List | What::Delete => None,
        };
        if let Some(slot) = shard.and_then(|shard| self.slots.get_mut(&shard)) {
            slot.is_running = false;
            slot.not_before = now + MIN_INTERVAL;
        }
        match (result, work.what) {
            (Ok(Answer::Listed(mut found)), _) => {
                self.is_listed = true;
                self.unwritten = (0..SHARDS).collect();
                for shard in 0..SHARDS {
                    // With no time left, it is written for its new version, see the first lines of this file.
                    self.slots.insert(shard, Slot::new(found.remove(&shard), now, Duration::ZERO));
                    self.schedule(shard, now, true);
                }
            }
            (Ok(Answer::Read(found)), What::Read(shard)) => {
                return self.read(&namespace, shard, found, now, refresh);
            }
            (Ok(Answer::Written(version)), What::Write(shard, content, _)) => {
                self.unwritten.remove(&shard);
                let slot = self.slots.get_mut(&shard)?;
                slot.known = Known::Ours(version, digest(&content));
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
            // Nothing else is an answer to that.
            (Ok(_), _) => {}
        }
        self.pause.reset();
        self.failures = 0;
        let is_well = self.slots.values().all(|slot| slot.failures == 0);
        (is_well && !std::mem::take(&mut self.told).is_empty()).then_some(News::Recovered)
    }

    fn deleted(&mut self, namespace: &str, result: Result<Answer, Failure>, now: Instant) -> Option<News> {
        let Err(failure) = result else {
            self.left.remove(namespace);
            return None;
        };
        let attempts = self.left.get_mut(namespace)?;
        *attempts += 1;
        let is_final = *attempts >= MAX_FAILURES
            || matches!(failure, Failure::NoPermission(_) | Failure::NoNamespace(_));
        if !is_final {
            self.pause.begin(now);
            return None;
        }
        self.left.remove(namespace);
        let (Failure::NoNamespace(message)
        | Failure::NoPermission(message)
        | Failure::Refused(message)
        | Failure::Unavailable(message)) = failure
        else {
            return None;
        };
        Some(News::Failed(format!(
            "the ConfigMaps of the claims in the namespace {namespace}, where they were before, could not be deleted; \
             delete those with the label app.kubernetes.io/component=claims ({message})"
        )))
    }

    fn read(
        &mut self,
        namespace: &str,
        shard: u64,
        found: Option<Found>,
        now: Instant,
        refresh: Duration,
    ) -> Option<News> {
        let refresh = interval(refresh, shard);
        let slot = self.slots.get_mut(&shard)?;
        let is_told = slot.was_foreign;
        let Slot { not_before, failures, dropped, .. } = *slot;
        *slot = Slot { not_before, failures, dropped, ..Slot::new(found, now, refresh) };
        if slot.known != Known::Foreign {
            self.schedule(shard, not_before, true);
            return None;
        }
        slot.was_foreign = true;
        // Nothing is written there, so nothing fails.
        slot.failures = 0;
        self.unwritten.remove(&shard);
        self.schedule(shard, now + refresh.min(FOREIGN_INTERVAL), false);
        let name = config_map(shard);
        let message = format!(
            "the ConfigMap {namespace}/{name} belongs to somebody else and was not touched, so it is not known who has \
             the hosts that belong there; rename or delete it"
        );
        (!is_told).then_some(News::Failed(message))
    }

    fn fail(&mut self, namespace: &str, shard: Option<u64>, failure: Failure, now: Instant) -> Option<News> {
        let is_final = matches!(failure, Failure::NoNamespace(_) | Failure::NoPermission(_));
        if let (Some(shard), Some(slot)) = (shard, shard.and_then(|shard| self.slots.get_mut(&shard))) {
            // A request that was not answered may have been carried out.
            if matches!(failure, Failure::Outdated | Failure::Unavailable(_)) {
                slot.known = Known::Unknown;
            }
            if failure != Failure::Outdated {
                slot.failures = slot.failures.saturating_add(1);
            }
            // Other failures concern all shards, which wait together.
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
        if let Some(left) = self.left.keys().next().filter(|_| !self.is_there()) {
            message += &format!("; those in the namespace {left}, where they were before, stay until then");
        }
        // The messages about several shards differ in the name alone.
        self.told.insert(word).then_some(News::Failed(message))
    }

    /// When [`next`](Self::next) has to be called next.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        let first = self.schedule.first().map(|(at, _)| *at);
        self.pause.until().filter(|_| self.failures > 0 || !self.left.is_empty()).max(first)
    }

    /// Whether nothing is under way or waits, but for what is written anew.
    pub(crate) fn is_settled(&self) -> bool {
        self.running == 0 && self.left.is_empty() && (self.place.is_none() || self.is_written())
    }

    /// Whether each was written here once, or belongs to somebody else. Changes go on all the time.
    fn is_there(&self) -> bool {
        self.is_listed && self.unwritten.is_empty()
    }

    /// Whether all is written that has changed.
    fn is_written(&self) -> bool {
        self.is_listed
            && self.slots.values().all(|slot| !slot.is_due && !slot.is_running && slot.failures == 0)
    }

    /// Whether what has to be written could not be, several times in a row.
    pub(crate) fn has_given_up(&self) -> bool {
        self.failures >= MAX_FAILURES
    }

    /// How many claims found no room, and how many ConfigMaps belong to somebody else.
    pub(crate) fn counts(&self) -> (u64, usize) {
        let foreign = self.slots.values().filter(|slot| slot.known == Known::Foreign);
        (self.slots.values().map(|slot| slot.dropped).sum(), foreign.count())
    }

    /// The time since the oldest of the ConfigMaps was written.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        let oldest = self.slots.values().filter_map(|slot| slot.written).min();
        oldest.map(|oldest| now.saturating_duration_since(oldest)).unwrap_or_default()
    }
}

/// The time after which a shard is written anew: for each another one, so that they are not all written at once.
fn interval(refresh: Duration, shard: u64) -> Duration {
    // Neighbours are far from each other.
    let part = u32::try_from(shard * 97 % SHARDS).unwrap_or_default();
    let parts = u32::try_from(SHARDS).unwrap_or(1);
    refresh - refresh * part / (parts * 3)
}

impl Slot {
    fn new(found: Option<Found>, now: Instant, refresh: Duration) -> Self {
        let age = found.as_ref().and_then(|found| found.age);
        let known = match found {
            None => Known::Absent,
            Some(found) if !found.is_ours => Known::Foreign,
            // No content has the hash 0.
            Some(Found { version, says, .. }) => Known::Ours(version, says.unwrap_or_default()),
        };
        let left = age.map(|age| refresh.saturating_sub(age)).unwrap_or_default();
        Self {
            known,
            at: now,
            is_due: true,
            refresh_at: now + left,
            not_before: now,
            written: age.and_then(|age| now.checked_sub(age)),
            is_running: false,
            was_foreign: false,
            failures: 0,
            dropped: 0,
        }
    }
}
