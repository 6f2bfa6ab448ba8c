//! Sends notices to the owners of Services: as Events, which `kubectl describe service` shows, and to the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};
use kube::{Client, Error};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};
use xposer::internal::shortened;
use xposer_live::error::error_message;

use crate::metrics::Metrics;
use crate::notice::{MAX_NOTE_BYTES, Notice, ServiceNotice};

/// The maximum number of queued warnings, and of other queued Events.
const MAX_WAITING: usize = 1000;
/// The minimum interval between two warnings, and between two other Events, so that they do not use up the rate limit of this
/// client.
const MIN_INTERVAL: Duration = Duration::from_millis(20);
/// The minimum interval between other Events while objects wait to be written, because an Event costs the API server as much as an
/// object.
const BUSY_INTERVAL: Duration = Duration::from_millis(500);

/// Writes Events in separate tasks, so that objects never wait for them, and warnings do not wait for other Events.
pub(crate) struct EventRecorder {
    warnings: EventQueue,
    others: EventQueue,
    is_busy: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
}

/// A queue of Events, which are written one after the other.
struct EventQueue {
    sender: mpsc::Sender<ServiceNotice>,
    task: JoinHandle<()>,
}

impl EventRecorder {
    /// Starts the tasks. `instance` is the name of this replica.
    pub(crate) fn start(client: &Client, instance: &str, metrics: Arc<Metrics>) -> Self {
        let is_busy = Arc::new(AtomicBool::new(false));
        let lane = |is_slow: Arc<AtomicBool>| {
            let (sender, mut waiting) = mpsc::channel::<ServiceNotice>(MAX_WAITING);
            let (client, instance, metrics) = (client.clone(), instance.to_owned(), metrics.clone());
            let task = tokio::spawn(async move {
                while let Some(notice) = waiting.recv().await {
                    metrics.request("create", "Event");
                    create(&client, &instance, &notice).await;
                    let is_slow = is_slow.load(Ordering::Relaxed);
                    tokio::time::sleep(if is_slow { BUSY_INTERVAL } else { MIN_INTERVAL }).await;
                }
            });
            EventQueue { sender, task }
        };
        let (warnings, others) = (lane(Arc::default()), lane(is_busy.clone()));
        Self { warnings, others, is_busy, metrics }
    }

    /// Sets whether objects wait to be written. While they do, Events that are no warnings are written slowly.
    pub(crate) fn set_busy(&self, is_busy: bool) {
        self.is_busy.store(is_busy, Ordering::Relaxed);
    }

    /// Writes the queued Events, within this time limit.
    pub(crate) async fn flush(self, timeout: Duration) {
        self.set_busy(false);
        let Self { warnings, others, .. } = self;
        drop((warnings.sender, others.sender));
        let rest = async { tokio::join!(warnings.task, others.task) };
        if tokio::time::timeout(timeout, rest).await.is_err() {
            warn!("some Events were not sent in time");
        }
    }

    /// Logs a notice, and queues it as an Event of the Service.
    pub(crate) fn record(&self, notice: ServiceNotice) {
        let Notice { reason, note, is_warning, code, .. } = &notice.notice;
        if let Some((code, severity)) = code {
            self.metrics.found(*code, *severity);
        }
        if *is_warning {
            warn!(service = %notice.service, reason, "{note}");
        } else {
            info!(service = %notice.service, reason, "{note}");
        }
        let lane = if *is_warning { &self.warnings } else { &self.others };
        if lane.sender.try_send(notice).is_err() {
            self.metrics.event_dropped();
        }
    }
}

async fn create(client: &Client, instance: &str, notice: &ServiceNotice) {
    let ServiceNotice { service, uid, notice } = notice;
    let now = Timestamp::now();
    let event = Event {
        action: Some(if notice.is_warning { "Refuse" } else { "Expose" }.to_owned()),
        event_time: Some(MicroTime(now)),
        metadata: ObjectMeta {
            // The format of client-go. `generateName` is not used, because its prefix must not end with a dot.
            name: Some(format!("{}.{:x}", service.name, now.as_nanosecond())),
            namespace: Some(service.namespace.to_string()),
            ..ObjectMeta::default()
        },
        note: Some(shortened(&notice.note, None, MAX_NOTE_BYTES)),
        reason: Some(notice.reason.clone()),
        regarding: Some(ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Service".to_owned()),
            name: Some(service.name.to_string()),
            namespace: Some(service.namespace.to_string()),
            uid: Some(uid.to_string()),
            ..ObjectReference::default()
        }),
        reporting_controller: Some("xposer".to_owned()),
        reporting_instance: Some(instance.to_owned()),
        type_: Some(if notice.is_warning { "Warning" } else { "Normal" }.to_owned()),
        ..Event::default()
    };
    let events: Api<Event> = Api::namespaced(client.clone(), &service.namespace);
    match events.create(&PostParams::default(), &event).await {
        Ok(_) => {}
        // The namespace is being deleted together with its Services, or the roles do not permit Events in it.
        Err(Error::Api(status))
            if status.code == 404 || status.reason == "Forbidden" && status.code == 403 =>
        {
            debug!(%service, "no Event: {}", status.message);
        }
        Err(error) => warn!(%service, "no Event: {}", error_message(&error)),
    }
}
