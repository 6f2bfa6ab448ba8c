//! Increasing delays between requests to the API server.

use std::time::Duration;

use backon::ExponentialBuilder;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::ExponentialBackoff;
use tokio::time::Instant;

/// The pause after a request that the API server did not answer.
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Delays that start at `min`, double, and never exceed `max`. Each has a random part, so that several clients do not retry at the
/// same moment.
pub(crate) fn exponential_backoff(min: Duration, max: Duration) -> ExponentialBackoff {
    // The random part is at most as long as the delay itself, so the sum is at most `max`.
    let builder = ExponentialBuilder::default().with_min_delay(min).with_max_delay(max / 2);
    builder.with_factor(2.0).with_jitter().without_max_times().into()
}

/// The delay after this number of doublings of `first`, at most `max`. It has no random part, because it separates keys of the same
/// client.
pub(crate) fn doubled(first: Duration, doublings: u32, max: Duration) -> Duration {
    first.saturating_mul(1 << doublings.min(16)).min(max)
}

/// The pause of all writes while the API server is unavailable.
pub(crate) struct Pause {
    until: Option<Instant>,
    backoff: ExponentialBackoff,
}

impl Pause {
    pub(crate) fn new() -> Self {
        Self { until: None, backoff: exponential_backoff(MIN_PAUSE, MAX_PAUSE) }
    }

    /// Begins a pause. Returns false if one has begun already: requests that were sent at the same time fail for the same reason.
    pub(crate) fn begin(&mut self, now: Instant) -> bool {
        if !self.is_over(now) {
            return false;
        }
        self.until = Some(now + self.backoff.next().unwrap_or(MAX_PAUSE));
        true
    }

    /// Ends the pause. The next one is longer, unless a request succeeds before.
    pub(crate) fn end(&mut self) {
        self.until = None;
    }

    /// Resets the length of the pause after a successful request.
    pub(crate) fn reset(&mut self) {
        self.end();
        self.backoff.reset();
    }

    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_never_longer_than_the_maximum() {
        let (mut pause, start) = (Pause::new(), Instant::now());
        let mut now = start;
        let mut lengths = Vec::new();
        for _ in 0..20 {
            assert!(pause.begin(now) && !pause.begin(now));
            let until = pause.until().unwrap();
            lengths.push(until.duration_since(now));
            now = until;
        }
        assert!(lengths.iter().all(|it| (MIN_PAUSE..=MAX_PAUSE).contains(it)), "{lengths:?}");
        assert!(lengths[0] <= 2 * MIN_PAUSE && lengths[19] >= MAX_PAUSE / 2, "{lengths:?}");
        pause.end();
        assert!(pause.begin(now) && pause.until().unwrap() >= now + MAX_PAUSE / 2);
        pause.reset();
        assert!(pause.begin(now) && pause.until().unwrap() <= now + 2 * MIN_PAUSE);
    }
}
