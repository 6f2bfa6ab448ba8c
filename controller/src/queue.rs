//! The queue of keys to reconcile. A key is never reconciled twice at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use xposer_live::keys::ReconcileKey;

use crate::backoff::doubled;

/// A key that writes again within this time is slowed down.
const BUSY: Duration = Duration::from_secs(10);
const MIN_PACE: Duration = Duration::from_millis(100);
const MAX_PACE: Duration = Duration::from_secs(20);
/// The maximum delay of a ConfigMap, in which it collects changes of its entries.
const MAX_CONFIG_MAP_PACE: Duration = Duration::from_secs(1);
/// The delay after a failure, which doubles with each further failure.
const MIN_RETRY: Duration = Duration::from_secs(2);
const MAX_RETRY: Duration = Duration::from_secs(300);

/// All pending work.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    items: BTreeMap<ReconcileKey, Item>,
    /// The waiting keys, ordered by the time from which they may be reconciled, and then by the order in which they were added.
    schedule: BTreeSet<(Instant, u64, ReconcileKey)>,
    /// The number of the next entry of the schedule.
    added: u64,
    running: usize,
}

#[derive(Debug, Default)]
struct Item {
    phase: Phase,
    history: Option<History>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Phase {
    #[default]
    Idle,
    /// The key is in the schedule, at this position.
    Waiting { at: Instant, number: u64 },
    Running {
        /// Whether the key has to be reconciled again.
        again: bool,
        /// Whether the key was added in the meantime because of a change, so that a retry is immediate.
        changed: bool,
    },
}

/// The recent reconciliations of a key that wrote or failed.
#[derive(Clone, Copy, Debug)]
struct History {
    at: Instant,
    writes: u32,
    failures: u32,
}

impl Queue {
    /// Adds a key: it is reconciled now, when its pace allows it, or again after it has finished. A waiting retry becomes
    /// immediate, because something has changed.
    pub(crate) fn add(&mut self, key: ReconcileKey, now: Instant) {
        let item = self.items.entry(key.clone()).or_default();
        let at = item.history.map_or(now, |history| now.max(history.at + history.pace(&key)));
        match &mut item.phase {
            Phase::Running { changed, .. } => *changed = true,
            Phase::Waiting { at: waits_until, .. } if *waits_until <= at => {}
            Phase::Waiting { .. } | Phase::Idle => self.schedule(key, at),
        }
    }

    /// Forgets the recent writes of a key, because its Service was changed and so has to be written again.
    pub(crate) fn forget(&mut self, key: &ReconcileKey) {
        if let Some(history) = self.items.get_mut(key).and_then(|item| item.history.as_mut()) {
            history.writes = 0;
        }
    }

    fn schedule(&mut self, key: ReconcileKey, at: Instant) {
        let number = self.added;
        self.added += 1;
        self.set_phase(&key, Phase::Waiting { at, number });
        self.schedule.insert((at, number, key));
    }

    /// Sets the phase of a key, and removes it from the schedule.
    fn set_phase(&mut self, key: &ReconcileKey, phase: Phase) {
        let item = self.items.entry(key.clone()).or_default();
        match std::mem::replace(&mut item.phase, phase) {
            Phase::Waiting { at, number } => {
                self.schedule.remove(&(at, number, key.clone()));
            }
            Phase::Running { .. } => self.running = self.running.saturating_sub(1),
            Phase::Idle => {}
        }
        if matches!(phase, Phase::Running { .. }) {
            self.running += 1;
        }
    }

    /// Takes the next key to reconcile.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<ReconcileKey> {
        let (_, _, key) = self.schedule.first().filter(|(at, ..)| *at <= now)?;
        let key = key.clone();
        self.set_phase(&key, Phase::Running { again: false, changed: false });
        Some(key)
    }

    /// Takes a key out of turn, because another key was planned together with it. Returns false if the key is running or has to
    /// wait; then it is reconciled later.
    pub(crate) fn take(&mut self, key: &ReconcileKey, now: Instant) -> bool {
        match self.items.get_mut(key).map(|item| &mut item.phase) {
            Some(Phase::Running { again, .. }) => {
                *again = true;
                false
            }
            Some(Phase::Waiting { at, .. }) if *at > now => false,
            _ => {
                self.set_phase(key, Phase::Running { again: false, changed: false });
                true
            }
        }
    }

    /// Records that the reconciliation of a key has finished.
    pub(crate) fn done(&mut self, key: ReconcileKey, wrote: bool, failed: bool, now: Instant) {
        let item = self.items.entry(key.clone()).or_default();
        let (again, changed) = match item.phase {
            Phase::Running { again, changed } => (again, changed),
            Phase::Waiting { .. } | Phase::Idle => (false, false),
        };
        item.history = (wrote || failed).then(|| {
            let known = item.history;
            let recent = known.filter(|it| now.duration_since(it.at) < BUSY).map_or(0, |it| it.writes);
            let failures = if failed { known.map_or(0, |it| it.failures).saturating_add(1) } else { 0 };
            History { at: now, writes: recent.saturating_add(1), failures }
        });
        let retry = item.history.and_then(History::retry_delay);
        self.set_phase(&key, Phase::Idle);
        if let Some(delay) = retry {
            self.schedule(key.clone(), now + delay);
        }
        if changed || (again && retry.is_none()) {
            self.add(key, now);
        }
    }

    /// Queues a key again that could not be reconciled because the API server is unavailable. That is not a failure of the key.
    pub(crate) fn requeue(&mut self, key: ReconcileKey, now: Instant) {
        self.schedule(key, now);
    }

    /// Removes the history of inactive keys.
    pub(crate) fn gc(&mut self, now: Instant) {
        for item in self.items.values_mut() {
            item.history = item.history.filter(|it| it.failures > 0 || now.duration_since(it.at) < BUSY);
        }
        self.items.retain(|_, item| item.history.is_some() || !matches!(item.phase, Phase::Idle));
    }

    /// The time at which the next key may be reconciled.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.schedule.first().map(|(at, ..)| *at)
    }

    pub(crate) fn has_ready(&self, now: Instant) -> bool {
        self.next_at().is_some_and(|at| at <= now)
    }

    /// The number of waiting keys.
    pub(crate) fn len(&self) -> usize {
        self.schedule.len()
    }

    /// Whether no key is running, and only retries are waiting.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        let is_retry = |key: &ReconcileKey| {
            self.items.get(key).and_then(|item| item.history).is_some_and(|history| history.failures > 0)
        };
        self.running == 0 && self.schedule.iter().all(|(at, _, key)| *at > now && is_retry(key))
    }
}

impl History {
    /// The minimum delay between the last reconciliation that wrote and the next one.
    fn pace(&self, key: &ReconcileKey) -> Duration {
        let (free, max) = match key {
            ReconcileKey::Service(_) => (3, MAX_PACE),
            ReconcileKey::UrlConfigMap(_) => (0, MAX_CONFIG_MAP_PACE),
        };
        match self.writes.checked_sub(free + 1) {
            Some(doublings) => doubled(MIN_PACE, doublings, max),
            None => Duration::ZERO,
        }
    }

    /// The delay after the last reconciliation, if it failed.
    fn retry_delay(self) -> Option<Duration> {
        let doublings = self.failures.checked_sub(1)?;
        Some(doubled(MIN_RETRY, doublings, MAX_RETRY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xposer_live::keys::ServiceKey;

    fn key(name: &str) -> ReconcileKey {
        ReconcileKey::Service(ServiceKey::new("shop", name))
    }

    #[test]
    fn a_key_that_is_added_while_it_runs_is_reconciled_again() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.add(key("web"), now);
        queue.add(key("web"), now);
        assert_eq!(queue.pop(now), Some(key("web")));
        assert_eq!(queue.pop(now), None);
        queue.add(key("web"), now);
        assert_eq!(queue.pop(now), None);
        queue.done(key("web"), false, false, now);
        assert_eq!(queue.pop(now), Some(key("web")));
        queue.done(key("web"), false, false, now);
        assert!(queue.is_idle(now));
    }

    #[test]
    fn the_delay_after_a_failure_doubles() {
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        queue.add(key("web"), now);
        let mut waits = Vec::new();
        for _ in 0..10 {
            assert_eq!(queue.pop(now), Some(key("web")));
            queue.done(key("web"), false, true, now);
            let at = queue.next_at().unwrap();
            waits.push(at.duration_since(now).as_secs());
            assert!(queue.is_idle(now) && !queue.has_ready(now));
            now = at;
        }
        // A change makes a retry immediate.
        assert_eq!(queue.pop(now), Some(key("web")));
        queue.done(key("web"), false, true, now);
        assert_eq!(queue.pop(now), None);
        queue.add(key("web"), now);
        assert_eq!(queue.pop(now), Some(key("web")));
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        // So does a change while the key is running.
        queue.add(key("web"), now);
        queue.done(key("web"), false, true, now);
        assert!(queue.next_at().is_some_and(|at| at <= now + MAX_PACE), "{:?}", queue.next_at());
    }

    #[test]
    fn a_key_that_keeps_writing_is_slowed_down() {
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..8 {
            queue.add(key("web"), now);
            let at = queue.next_at().unwrap_or(now);
            waits.push(at.duration_since(now).as_millis());
            now = at;
            assert_eq!(queue.pop(now), Some(key("web")));
            queue.done(key("web"), true, false, now);
        }
        assert_eq!(waits, [0, 0, 0, 0, 100, 200, 400, 800]);
        now += BUSY;
        queue.gc(now);
        queue.add(key("web"), now);
        assert!(queue.has_ready(now));
    }

    #[test]
    fn a_key_that_waits_or_runs_is_not_taken() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.add(key("web"), now);
        assert!(queue.take(&key("web"), now));
        assert!(!queue.take(&key("web"), now) && queue.pop(now).is_none());
        queue.done(key("web"), false, true, now);
        assert!(!queue.take(&key("web"), now) && queue.len() == 1);
        // A key that is not in the queue can be taken, and is removed from the table afterwards.
        assert!(queue.take(&key("api"), now));
        queue.done(key("api"), false, false, now);
        queue.gc(now);
        assert_eq!((queue.len(), queue.items.len()), (1, 1));
    }

    #[test]
    fn keys_are_reconciled_in_the_order_in_which_they_came() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for name in ["web", "api", "blog"] {
            queue.add(key(name), now);
        }
        queue.add(key("web"), now);
        assert_eq!([queue.pop(now), queue.pop(now)], [Some(key("web")), Some(key("api"))]);
        queue.requeue(key("web"), now);
        assert_eq!([queue.pop(now), queue.pop(now)], [Some(key("blog")), Some(key("web"))]);
        assert_eq!(queue.pop(now), None);
    }
}
