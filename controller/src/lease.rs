//! One of several replicas writes: the one that holds the Lease (`coordination.k8s.io/v1`).

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

use crate::metrics::Metrics;
use crate::watch::said;

/// How long a holder that says nothing is believed in.
const DURATION: Duration = Duration::from_secs(15);
/// How often the holder says that it is there.
const RENEW: Duration = Duration::from_secs(5);
/// A holder that could not say so for that long stops writing, well before anybody else may begin.
const GIVE_UP: Duration = Duration::from_secs(10);
/// How often the others look.
const LOOK: Duration = Duration::from_secs(2);

/// The Lease, and who wants it.
pub(crate) struct Candidate {
    api: Api<Lease>,
    metrics: Arc<Metrics>,
    name: String,
    identity: String,
    /// What the Lease said when it last said something new, and when that was by our clock. Clocks of others are not
    /// compared with ours.
    seen: Option<(Option<String>, Instant)>,
}

/// What is known of one's own part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Waiting,
    Leading,
    /// It led, and does not any more.
    Lost,
}

impl Candidate {
    pub(crate) fn new(
        client: Client,
        metrics: Arc<Metrics>,
        namespace: &str,
        name: String,
        identity: String,
    ) -> Self {
        Self { api: Api::namespaced(client, namespace), metrics, name, identity, seen: None }
    }

    /// Tries to get the Lease, and then to keep it, until `stop` says that it is to be given back.
    pub(crate) async fn run(mut self, part: watch::Sender<Part>, mut stop: watch::Receiver<bool>) {
        let mut renewed: Option<Instant> = None;
        loop {
            let tried = Instant::now();
            let wait = match tokio::time::timeout(RENEW, self.hold()).await {
                Ok(Ok(true)) => {
                    if renewed.replace(tried).is_none() {
                        info!(identity = self.identity, "this replica has the lease and writes");
                    }
                    part.send_replace(Part::Leading);
                    RENEW
                }
                Ok(Ok(false)) => {
                    if renewed.is_some() {
                        part.send_replace(Part::Lost);
                        return;
                    }
                    LOOK
                }
                Ok(Err(error)) => {
                    warn!("the lease {} cannot be read or written: {}", self.name, said(&error));
                    LOOK
                }
                Err(_) => {
                    warn!("the lease {} cannot be read or written: no answer", self.name);
                    LOOK
                }
            };
            if renewed.is_some_and(|renewed| renewed.elapsed() + wait > GIVE_UP && tried != renewed) {
                part.send_replace(Part::Lost);
                return;
            }
            let ends = tokio::time::timeout(wait, stop.wait_for(|stop| *stop)).await.is_ok();
            if ends {
                if renewed.is_some() {
                    self.release().await;
                }
                return;
            }
        }
    }

    /// Gets or renews the Lease; gives whether we have it.
    async fn hold(&mut self) -> Result<bool, Error> {
        let now = MicroTime(Timestamp::now());
        self.metrics.request("get", "Lease");
        let Some(mut lease) = self.api.get_opt(&self.name).await? else {
            let spec = LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
                acquire_time: Some(now.clone()),
                renew_time: Some(now),
                lease_transitions: Some(0),
                ..LeaseSpec::default()
            };
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            self.metrics.request("create", "Lease");
            let created =
                self.api.create(&PostParams::default(), &Lease { metadata, spec: Some(spec) }).await;
            return won(created);
        };
        let version = lease.metadata.resource_version.clone();
        let spec = lease.spec.get_or_insert_default();
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder != self.identity {
            let is_free = holder.is_empty();
            let is_silent = match &self.seen {
                Some((known, since)) if *known == version => since.elapsed() >= DURATION,
                _ => {
                    self.seen = Some((version, Instant::now()));
                    false
                }
            };
            if !is_free && !is_silent {
                return Ok(false);
            }
            spec.holder_identity = Some(self.identity.clone());
            spec.acquire_time = Some(now.clone());
            spec.lease_transitions = Some(spec.lease_transitions.unwrap_or_default().saturating_add(1));
        }
        spec.lease_duration_seconds = i32::try_from(DURATION.as_secs()).ok();
        spec.renew_time = Some(now);
        self.metrics.request("update", "Lease");
        // It has the version that was read, so that of two that try at the same time one gets it.
        won(self.api.replace(&self.name, &PostParams::default(), &lease).await)
    }

    /// Lets the next one begin at once.
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
        if let Ok(Err(error)) = tokio::time::timeout(RENEW, released).await {
            warn!("the lease {} could not be given back: {}", self.name, said(&error));
        }
    }
}

/// Whether a write of the Lease worked; where somebody else was faster, it did not.
fn won(written: Result<Lease, Error>) -> Result<bool, Error> {
    match written {
        Ok(_) => Ok(true),
        Err(Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}
