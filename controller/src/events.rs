//! Sends notices to the owners of Services: as Events, which `kubectl describe service` shows, and in the log.

use std::sync::Arc;
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

/// How many Events may wait. Beyond that, only warnings are accepted.
const MAX_WAITING: usize = 1000;
/// The shortest time between two Events, so that they do not use up what the API server allows this client.
const MIN_INTERVAL: Duration = Duration::from_millis(20);

/// Writes Events in a task of its own, so that objects never wait for them.
pub(crate) struct EventRecorder {
    sender: mpsc::Sender<ServiceNotice>,
    task: JoinHandle<()>,
    metrics: Arc<Metrics>,
}

impl EventRecorder {
    /// Starts the task. `instance` is the name of this replica.
    pub(crate) fn start(client: Client, instance: String, metrics: Arc<Metrics>) -> Self {
        let (sender, mut waiting) = mpsc::channel::<ServiceNotice>(2 * MAX_WAITING);
        let counted = metrics.clone();
        let task = tokio::spawn(async move {
            while let Some(notice) = waiting.recv().await {
                counted.request("create", "Event");
                create(&client, &instance, &notice).await;
                tokio::time::sleep(MIN_INTERVAL).await;
            }
        });
        Self { sender, task, metrics }
    }

    /// Writes the Events that wait, for at most this time.
    pub(crate) async fn flush(self, timeout: Duration) {
        let Self { sender, task, .. } = self;
        drop(sender);
        if tokio::time::timeout(timeout, task).await.is_err() {
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
        // The second half of the channel is for warnings.
        let is_full = self.sender.capacity() < if *is_warning { 1 } else { MAX_WAITING };
        if is_full || self.sender.try_send(notice).is_err() {
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
            // The form that client-go uses. With `generateName`, the prefix must not end in a dot.
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
        // The namespace is being deleted together with its Services, or Events are not allowed there.
        Err(Error::Api(status))
            if status.code == 404 || status.reason == "Forbidden" && status.code == 403 =>
        {
            debug!(%service, "no Event: {}", status.message);
        }
        Err(error) => warn!(%service, "no Event: {}", error_message(&error)),
    }
}
