//! What waits to be done, and how long it has to wait.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::world::Job;

/// A job that keeps writing is paced, from the second time within this span on.
const BUSY: Duration = Duration::from_secs(10);
const PACE: Duration = Duration::from_millis(100);
const SLOWEST_PACE: Duration = Duration::from_secs(20);
/// A ConfigMap takes all entries of a moment at once.
const SLOWEST_URLS: Duration = Duration::from_secs(1);
/// After a failure, the job waits twice as long as before.
const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(300);

/// Jobs in the order in which they came up. One job is never done twice at the same time.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    ready: VecDeque<Job>,
    delayed: BTreeSet<(Instant, Job)>,
    /// Every job that waits, and until when, if it is not ready.
    waiting: BTreeMap<Job, Option<Instant>>,
    /// Jobs under way, and whether they have to be done again.
    busy: BTreeMap<Job, bool>,
    recent: BTreeMap<Job, Recent>,
}

/// How a job went lately.
#[derive(Clone, Copy, Debug)]
struct Recent {
    at: Instant,
    writes: u32,
    failures: u32,
}

impl Queue {
    /// A job has to be done: now, or after what is under way, or when its pace allows. Something has changed, so one that
    /// waits for another try need not wait any longer.
    pub(crate) fn push(&mut self, job: Job, now: Instant) {
        if let Some(again) = self.busy.get_mut(&job) {
            *again = true;
            return;
        }
        let recent = self.recent.get(&job);
        let at = recent.map(|recent| recent.at + recent.pace(&job)).filter(|at| *at > now);
        match (self.waiting.get(&job).copied(), at) {
            (Some(None), _) => {}
            (Some(Some(waits)), Some(at)) if waits <= at => {}
            _ => {
                self.leave(&job);
                self.wait(job, at);
            }
        }
    }

    /// A job was wished for: it is not a quarrel with another writer, whatever it wrote lately.
    pub(crate) fn forgive(&mut self, job: &Job) {
        if let Some(recent) = self.recent.get_mut(job) {
            recent.writes = 0;
        }
    }

    fn wait(&mut self, job: Job, until: Option<Instant>) {
        self.waiting.insert(job.clone(), until);
        match until {
            Some(until) => {
                self.delayed.insert((until, job));
            }
            None => self.ready.push_back(job),
        }
    }

    /// A job waits no longer.
    fn leave(&mut self, job: &Job) {
        match self.waiting.remove(job) {
            Some(Some(until)) => {
                self.delayed.remove(&(until, job.clone()));
            }
            Some(None) => self.ready.retain(|ready| ready != job),
            None => {}
        }
    }

    /// The next job, which is under way from now on.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Job> {
        while self.delayed.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, job)) = self.delayed.pop_first() {
                self.wait(job, None);
            }
        }
        let job = self.ready.pop_front()?;
        self.waiting.remove(&job);
        self.busy.insert(job.clone(), false);
        Some(job)
    }

    /// Takes a job out of its turn, because another one includes it. Gives false where it is under way, or has to wait; it
    /// will come up by itself.
    pub(crate) fn take(&mut self, job: &Job) -> bool {
        if let Some(again) = self.busy.get_mut(job) {
            *again = true;
            return false;
        }
        if matches!(self.waiting.get(job), Some(Some(_))) {
            return false;
        }
        self.leave(job);
        self.busy.insert(job.clone(), false);
        true
    }

    /// A job is done.
    pub(crate) fn done(&mut self, job: Job, wrote: bool, failed: bool, now: Instant) {
        let again = self.busy.remove(&job).unwrap_or_default();
        if wrote || failed {
            let recent = self.recent.entry(job.clone()).or_insert(Recent { at: now, writes: 0, failures: 0 });
            recent.writes =
                if now.duration_since(recent.at) < BUSY { recent.writes.saturating_add(1) } else { 1 };
            recent.failures = if failed { recent.failures.saturating_add(1) } else { 0 };
            recent.at = now;
        } else {
            self.recent.remove(&job);
        }
        if failed {
            let failures = self.recent.get(&job).map_or(1, |recent| recent.failures);
            let wait = FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LAST_RETRY);
            self.wait(job, Some(now + wait));
        } else if again {
            self.push(job, now);
        }
    }

    /// A job could not be done, through no fault of its own.
    pub(crate) fn put_back(&mut self, job: Job) {
        self.busy.remove(&job);
        if !self.waiting.contains_key(&job) {
            self.wait(job, None);
        }
    }

    /// Forgets how it went with jobs that have been quiet.
    pub(crate) fn tidy(&mut self, now: Instant) {
        self.recent.retain(|_, recent| recent.failures > 0 || now.duration_since(recent.at) < BUSY);
    }

    /// When the next job that waits is ready.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.delayed.first().map(|(at, _)| *at)
    }

    pub(crate) fn has_ready(&self, now: Instant) -> bool {
        !self.ready.is_empty() || self.next_at().is_some_and(|at| at <= now)
    }

    /// How many jobs wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing is under way, and nothing waits but for another try.
    pub(crate) fn is_idle(&self) -> bool {
        let is_retry = |job: &Job| self.recent.get(job).is_some_and(|recent| recent.failures > 0);
        self.busy.is_empty() && self.ready.is_empty() && self.delayed.iter().all(|(_, job)| is_retry(job))
    }
}

impl Recent {
    /// How long the job has to wait after the last time.
    fn pace(&self, job: &Job) -> Duration {
        let (free, slowest) = match job {
            Job::Service(_) => (3, SLOWEST_PACE),
            Job::Urls(_) => (0, SLOWEST_URLS),
        };
        match self.writes.checked_sub(free + 1) {
            Some(doublings) => PACE.saturating_mul(1 << doublings.min(16)).min(slowest),
            None => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ServiceKey;

    fn job(name: &str) -> Job {
        Job::Service(ServiceKey::new("shop", name))
    }

    #[test]
    fn a_job_that_comes_up_while_it_is_done_is_done_again() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.push(job("web"), now);
        queue.push(job("web"), now);
        assert_eq!(queue.pop(now), Some(job("web")));
        assert_eq!(queue.pop(now), None);
        queue.push(job("web"), now);
        assert_eq!(queue.pop(now), None);
        queue.done(job("web"), false, false, now);
        assert_eq!(queue.pop(now), Some(job("web")));
        queue.done(job("web"), false, false, now);
        assert!(queue.is_idle());
    }

    #[test]
    fn a_failure_waits_longer_each_time() {
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        queue.push(job("web"), now);
        let mut waits = Vec::new();
        for _ in 0..10 {
            assert_eq!(queue.pop(now), Some(job("web")));
            queue.done(job("web"), false, true, now);
            let at = queue.next_at().unwrap();
            waits.push(at.duration_since(now).as_secs());
            assert!(queue.is_idle() && !queue.has_ready(now));
            now = at;
        }
        // Something changed, so it need not wait.
        assert_eq!(queue.pop(now), Some(job("web")));
        queue.done(job("web"), false, true, now);
        assert_eq!(queue.pop(now), None);
        queue.push(job("web"), now);
        assert_eq!(queue.pop(now), Some(job("web")));
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    #[test]
    fn who_keeps_writing_is_paced() {
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..8 {
            queue.push(job("web"), now);
            let at = queue.next_at().unwrap_or(now);
            waits.push(at.duration_since(now).as_millis());
            now = at;
            assert_eq!(queue.pop(now), Some(job("web")));
            queue.done(job("web"), true, false, now);
        }
        assert_eq!(waits, [0, 0, 0, 0, 100, 200, 400, 800]);
        now += BUSY;
        queue.tidy(now);
        queue.push(job("web"), now);
        assert!(queue.has_ready(now));
    }
}
