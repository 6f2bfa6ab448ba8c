//! Leader election: the replica that holds the Lease (`coordination.k8s.io/v1`) writes.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};
use kube::{Client, Error};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};
use xposer_live::error::error_message;

use crate::metrics::Metrics;

/// The time after which other replicas may take over a Lease that is not renewed.
const LEASE_DURATION: Duration = Duration::from_secs(15);
/// The interval at which the holder renews the Lease.
const RENEW_INTERVAL: Duration = Duration::from_secs(5);
/// The time after which a holder that cannot renew stops writing. It is shorter than [`LEASE_DURATION`], so that no other replica
/// writes yet.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// The interval at which other replicas try to acquire the Lease.
const RETRY_PERIOD: Duration = Duration::from_secs(2);

/// The reason why this replica must not send requests now; `None` if it leads.
pub(crate) fn refusal(leads: &watch::Receiver<Leadership>) -> Option<String> {
    let may_write = leads.borrow().may_write(Instant::now());
    (!may_write).then(|| "the lease was not renewed in time".to_owned())
}

/// Acquires the Lease for this replica, and renews it.
pub(crate) struct LeaderElector {
    api: Api<Lease>,
    metrics: Arc<Metrics>,
    name: String,
    identity: String,
    /// The last seen version of the Lease, and the local time at which it was first seen. Clocks of different machines are not
    /// compared.
    observed: Option<(Option<String>, Instant)>,
}

/// Whether this replica may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leadership {
    Standby,
    /// This replica leads until this time, unless it renews the Lease; without leader election, forever.
    Leading {
        until: Option<Instant>,
    },
    /// This replica was the leader, and lost the Lease.
    Lost,
}

impl Leadership {
    /// Whether this replica may write now. A suspended process notices late that another replica leads, so the time is checked.
    pub(crate) fn may_write(self, now: Instant) -> bool {
        match self {
            Self::Leading { until } => until.is_none_or(|until| now < until),
            Self::Standby | Self::Lost => false,
        }
    }
}

/// The result of an attempt to acquire or renew the Lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Held,
    HeldByOther,
    /// Somebody else has written the Lease since it was read. That need not be another replica: an annotation is sufficient.
    Conflict,
    Failed,
}

/// The time in which this replica holds the Lease.
#[derive(Default)]
struct Term {
    /// The time of the last renewal; `None` if this replica does not hold the Lease.
    renewed: Option<Instant>,
    /// Whether the last attempt ended with a conflict.
    is_conflicting: bool,
}

impl Term {
    /// Returns the time to wait until the next attempt; `None` if this replica has lost the Lease.
    fn next(&mut self, attempt: Attempt, tried: Instant, now: Instant) -> Option<Duration> {
        let was_conflicting = std::mem::replace(&mut self.is_conflicting, attempt == Attempt::Conflict);
        let wait = match attempt {
            Attempt::Held => {
                self.renewed = Some(tried);
                return Some(RENEW_INTERVAL);
            }
            Attempt::HeldByOther if self.renewed.is_some() => return None,
            // The Lease is read again at once, because the writer can be another replica.
            Attempt::Conflict if self.renewed.is_some() && !was_conflicting => Duration::ZERO,
            Attempt::HeldByOther | Attempt::Conflict | Attempt::Failed => RETRY_PERIOD,
        };
        let is_late = |renewed: Instant| now.duration_since(renewed) + wait > RENEW_DEADLINE;
        (!self.renewed.is_some_and(is_late)).then_some(wait)
    }
}

impl LeaderElector {
    pub(crate) fn new(
        client: Client,
        metrics: Arc<Metrics>,
        namespace: &str,
        name: String,
        identity: String,
    ) -> Self {
        Self { api: Api::namespaced(client, namespace), metrics, name, identity, observed: None }
    }

    /// Acquires and renews the Lease until `stop` is true, and then releases it. Also ends when the Lease is lost.
    pub(crate) async fn run(
        mut self,
        leadership: watch::Sender<Leadership>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut term = Term::default();
        loop {
            let tried = Instant::now();
            let attempt = match tokio::time::timeout(RENEW_INTERVAL, self.try_acquire_or_renew()).await {
                Ok(Ok(attempt)) => attempt,
                Ok(Err(error)) => {
                    warn!("the lease {} cannot be read or written: {}", self.name, error_message(&error));
                    Attempt::Failed
                }
                Err(_) => {
                    warn!("the lease {} cannot be read or written: no answer", self.name);
                    Attempt::Failed
                }
            };
            if attempt == Attempt::Held {
                if term.renewed.is_none() {
                    info!(identity = self.identity, "this replica has the lease and writes");
                }
                leadership.send_replace(Leadership::Leading { until: Some(tried + RENEW_DEADLINE) });
            }
            let Some(wait) = term.next(attempt, tried, Instant::now()) else {
                leadership.send_replace(Leadership::Lost);
                return;
            };
            let ends = tokio::time::timeout(wait, stop.wait_for(|stop| *stop)).await.is_ok();
            if ends {
                if term.renewed.is_some() {
                    self.release().await;
                }
                return;
            }
        }
    }

    /// Tries to acquire or renew the Lease.
    async fn try_acquire_or_renew(&mut self) -> Result<Attempt, Error> {
        let now = MicroTime(Timestamp::now());
        self.metrics.request("get", "Lease");
        let Some(mut lease) = self.api.get_opt(&self.name).await? else {
            let spec = LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
                acquire_time: Some(now.clone()),
                renew_time: Some(now),
                lease_transitions: Some(0),
                ..LeaseSpec::default()
            };
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            self.metrics.request("create", "Lease");
            let created =
                self.api.create(&PostParams::default(), &Lease { metadata, spec: Some(spec) }).await;
            return attempt(created);
        };
        let version = lease.metadata.resource_version.clone();
        let spec = lease.spec.get_or_insert_default();
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder != self.identity {
            let is_free = holder.is_empty();
            let is_expired = match &self.observed {
                Some((known, since)) if *known == version => since.elapsed() >= LEASE_DURATION,
                _ => {
                    self.observed = Some((version, Instant::now()));
                    false
                }
            };
            if !is_free && !is_expired {
                return Ok(Attempt::HeldByOther);
            }
            spec.holder_identity = Some(self.identity.clone());
            spec.acquire_time = Some(now.clone());
            spec.lease_transitions = Some(spec.lease_transitions.unwrap_or_default().saturating_add(1));
        }
        spec.lease_duration_seconds = i32::try_from(LEASE_DURATION.as_secs()).ok();
        spec.renew_time = Some(now);
        self.metrics.request("update", "Lease");
        // The request contains the version that was read, so that only one of two concurrent requests succeeds.
        attempt(self.api.replace(&self.name, &PostParams::default(), &lease).await)
    }

    /// Releases the Lease, so that other replicas need not wait until it expires.
    async fn release(&self) {
        let released = async {
            let Some(mut lease) = self.api.get_opt(&self.name).await? else { return Ok(()) };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() != Some(&self.identity) {
                return Ok(());
            }
            spec.holder_identity = Some(String::new());
            self.api.replace(&self.name, &PostParams::default(), &lease).await.map(|_| ())
        };
        if let Ok(Err(error)) = tokio::time::timeout(RENEW_INTERVAL, released).await {
            warn!("the lease {} could not be given back: {}", self.name, error_message(&error));
        }
    }
}

/// The result of writing the Lease.
fn attempt(written: Result<Lease, Error>) -> Result<Attempt, Error> {
    match written {
        Ok(_) => Ok(Attempt::Held),
        Err(Error::Api(status)) if status.code == 409 => Ok(Attempt::Conflict),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_that_stood_still_may_not_write() {
        let (now, for_ever) = (Instant::now(), Leadership::Leading { until: None });
        let leading = Leadership::Leading { until: Some(now + RENEW_DEADLINE) };
        assert!(leading.may_write(now) && for_ever.may_write(now));
        let later = now + RENEW_DEADLINE;
        assert!(!leading.may_write(later) && for_ever.may_write(later));
        assert!(!Leadership::Standby.may_write(now) && !Leadership::Lost.may_write(now));
    }

    /// `kubectl annotate lease` between reading and writing causes a conflict.
    #[test]
    fn a_lease_is_lost_to_another_replica_and_not_to_another_writer() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let leading = || {
            let mut term = Term::default();
            assert_eq!(term.next(Attempt::Held, start, start), Some(RENEW_INTERVAL));
            term
        };
        let mut term = leading();
        assert_eq!(term.next(Attempt::Conflict, at(5), at(5)), Some(Duration::ZERO));
        assert_eq!(term.next(Attempt::Conflict, at(5), at(5)), Some(RETRY_PERIOD));
        assert_eq!(term.next(Attempt::Held, at(7), at(7)), Some(RENEW_INTERVAL));
        assert_eq!(term.next(Attempt::Conflict, at(12), at(12)), Some(Duration::ZERO));
        assert_eq!(term.next(Attempt::HeldByOther, at(12), at(12)), None);

        let mut term = leading();
        assert_eq!(term.next(Attempt::Failed, at(5), at(6)), Some(RETRY_PERIOD));
        assert_eq!(term.next(Attempt::Conflict, at(8), at(9)), Some(Duration::ZERO));
        assert_eq!(term.next(Attempt::Conflict, at(9), at(9)), None, "the deadline comes before the retry");

        let mut standby = Term::default();
        for attempt in [Attempt::HeldByOther, Attempt::Conflict, Attempt::Failed] {
            assert_eq!(standby.next(attempt, start, at(60)), Some(RETRY_PERIOD));
        }
    }
}
