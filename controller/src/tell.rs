//! What the owner of a Service is told: Events, which `kubectl describe service` shows, and lines of the log.

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
use xposer::{Code, Diagnostic, Severity, URL_CONFIG_MAP, shortened};

use crate::kinds::{self, Kind};
use crate::live::{ADOPT_ANNOTATION, ObjectKey};
use crate::metrics::Metrics;
use crate::service::ServiceKey;
use crate::watch::said;
use crate::world::{News, Serving};

/// The longest note that the API server takes, in bytes (`k8s.io/kubernetes/pkg/apis/core/validation/events.go`).
const LONGEST_NOTE: usize = 1024;
/// How many Events may wait; of more, those that tell of nothing wrong are left out.
const MOST_WAITING: usize = 1000;
/// The least time between two Events, so that they leave the API server's patience to what matters.
const PACE: Duration = Duration::from_millis(20);

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    /// In PascalCase: a code of the core, or one of ours.
    pub(crate) reason: String,
    pub(crate) note: String,
    /// Whether it lasts, and is told once as long as it does; else it happened, and is over.
    pub(crate) lasts: bool,
    /// Whether something is wrong.
    pub(crate) is_wrong: bool,
    /// The Service that it is about, where several could hear it.
    pub(crate) only: Option<Arc<ServiceKey>>,
    /// The finding of the core, if it is one.
    pub(crate) code: Option<(Code, Severity)>,
}

impl Told {
    fn happened(reason: &str, note: String) -> Self {
        Self { reason: reason.to_owned(), note, lasts: false, is_wrong: false, only: None, code: None }
    }

    /// What is wrong until somebody mends it.
    fn lasting(reason: &str, note: String) -> Self {
        Self { lasts: true, is_wrong: true, ..Self::happened(reason, note) }
    }

    /// A finding of the core, with the place that the user wrote.
    pub(crate) fn diagnostic(diagnostic: &Diagnostic) -> Self {
        let prefix = if diagnostic.severity == Severity::Warning { "warning: " } else { "" };
        let said = format!("{prefix}{}: {}", diagnostic.path, diagnostic.message);
        let note = shortened(&said, diagnostic.help.as_deref(), LONGEST_NOTE);
        let code = Some((diagnostic.code, diagnostic.severity));
        Self { code, ..Self::lasting(&pascal_case(diagnostic.code.slug()), note) }
    }

    /// An object of somebody else is in the way.
    pub(crate) fn foreign(object: &ObjectKey, said: Option<&str>) -> Self {
        let said = said.map(|said| format!(" ({said})")).unwrap_or_default();
        let help = format!(
            "choose another name, or annotate that object with {ADOPT_ANNOTATION}: <name of the Service>"
        );
        Self::lasting(
            "ForeignObject",
            format!("{object} belongs to somebody else and was not touched{said}; {help}"),
        )
    }

    /// Somebody else has a key of the URL ConfigMap.
    pub(crate) fn taken(namespace: &str, key: &str, service: Arc<ServiceKey>) -> Self {
        let note = format!(
            "the key {key} of ConfigMap {namespace}/{URL_CONFIG_MAP} belongs to somebody else and was not touched; \
             remove it there, or rename the Service"
        );
        Self { only: Some(service), ..Self::lasting("ForeignObject", note) }
    }

    /// The API server did not want something.
    pub(crate) fn refused(object: Option<&ObjectKey>, said: &str) -> Self {
        let what = object.map_or_else(|| "the Service".to_owned(), ToString::to_string);
        Self::lasting("ApplyFailed", format!("the API server refused to change {what}: {said}"))
    }

    /// A kind cannot be written; nothing while that is not known.
    pub(crate) fn serving(kind: Kind, serving: &Serving) -> Option<Self> {
        let name = kind.as_str();
        match serving {
            Serving::Unknown | Serving::Listed => None,
            Serving::Unserved => Some(Self::lasting(
                "KindNotServed",
                format!("this cluster has no {name}; install its definition, or leave the target out"),
            )),
            Serving::Forbidden(said) => {
                let help = kinds::permission_help(kind).map(|help| format!("; {help}"));
                let help = help.unwrap_or_default();
                let what = kinds::resource(kind).plural;
                Some(Self::lasting("ApplyFailed", format!("no permission to list {what}{help} ({said})")))
            }
            Serving::Unreadable(said) => Some(Self::lasting(
                "ApplyFailed",
                format!("the {} of the cluster cannot be listed: {said}", kinds::resource(kind).plural),
            )),
        }
    }

    pub(crate) fn applied(object: &ObjectKey, is_new: bool, adopted: bool) -> Self {
        match (is_new, adopted) {
            (true, _) => Self::happened("Created", format!("{object} is created")),
            (_, true) => Self::happened("Adopted", format!("{object} is taken over")),
            _ => Self::happened("Updated", format!("{object} is updated")),
        }
    }

    pub(crate) fn deleted(object: &ObjectKey) -> Self {
        Self::happened("Deleted", format!("{object} is deleted"))
    }

    // Objects that are kept until others serve.

    /// An object that is not wanted any more still serves, and these do not yet.
    pub(crate) fn kept(object: &ObjectKey, awaited: &[ObjectKey], timeout: Duration) -> Self {
        let until = listed(awaited, |key| format!("{key} {}", serves(key.kind)));
        let note = format!("{object} is kept until {until}, {} s at most", timeout.as_secs());
        Self { lasts: true, ..Self::happened("Kept", note) }
    }

    /// The name of an object is still that of an object of another Service, which is kept.
    pub(crate) fn kept_by(object: &ObjectKey, other: &ServiceKey) -> Self {
        let note =
            format!("{object} is still kept for Service {other}, and is made for this one when it goes");
        Self { lasts: true, ..Self::happened("Kept", note) }
    }

    /// What was kept is deleted, because these serve.
    pub(crate) fn replaced(object: &ObjectKey, awaited: &[ObjectKey]) -> Self {
        let now = listed(awaited, |key| format!("{key} {}", serves(key.kind)));
        Self::happened("Deleted", format!("{object} is deleted: {now}"))
    }

    /// What was kept is deleted, because these are not served as long as it is there.
    pub(crate) fn in_the_way(object: &ObjectKey, behind: &[ObjectKey]) -> Self {
        let behind = listed(behind, ToString::to_string);
        Self::happened("Deleted", format!("{object} is deleted: {behind} cannot be admitted beside it"))
    }

    /// What was kept is deleted, although these do not serve.
    pub(crate) fn timed_out(object: &ObjectKey, missing: &[ObjectKey], timeout: Duration) -> Self {
        let missing = listed(missing, |key| format!("{key} {}", serves_not(key.kind)));
        let note = format!("after {} s {missing}; {object} is deleted all the same", timeout.as_secs());
        Self { is_wrong: true, ..Self::happened(TIMED_OUT, note) }
    }

    /// An object is deleted before the one that replaces it is there, because that was refused, in these words.
    pub(crate) fn deleted_first(object: &ObjectKey, new: &ObjectKey, said: &str) -> Self {
        let note = format!("{object} is deleted before {new} is there, which was refused beside it: {said}");
        Self { is_wrong: true, ..Self::happened("Deleted", note) }
    }

    /// Whether it tells that something was not kept any longer.
    pub(crate) fn is_timeout(&self) -> bool {
        self.reason == TIMED_OUT
    }
}

/// The reason of the Event about an object that was kept in vain.
const TIMED_OUT: &str = "HandoverTimedOut";

/// How it is said of an object that it serves, and that it does not.
fn serves(kind: Kind) -> &'static str {
    match kind {
        Kind::HttpRoute => "is accepted",
        Kind::Route => "is admitted",
        Kind::Ingress | Kind::EndpointMonitor | Kind::ConfigMap => "has an address",
    }
}

fn serves_not(kind: Kind) -> &'static str {
    match kind {
        Kind::HttpRoute => "is not accepted",
        Kind::Route => "is not admitted",
        Kind::Ingress | Kind::EndpointMonitor | Kind::ConfigMap => "has no address",
    }
}

/// At most three objects in words; there may be many.
fn listed(keys: &[ObjectKey], said: impl Fn(&ObjectKey) -> String) -> String {
    let mut words: Vec<String> = keys.iter().take(3).map(said).collect();
    if let Some(more) = keys.len().checked_sub(words.len()).filter(|more| *more > 0) {
        words.push(format!("so for {more} more"));
    }
    words.join(" and ")
}

/// `host-uppercase` is `HostUppercase`.
fn pascal_case(slug: &str) -> String {
    let mut upper = true;
    let letter = |letter: char| {
        if letter == '-' {
            upper = true;
            return None;
        }
        Some(if std::mem::take(&mut upper) { letter.to_ascii_uppercase() } else { letter })
    };
    slug.chars().filter_map(letter).collect()
}

/// The lane of Events, which is slower than the one of objects, so that these never wait for them.
pub(crate) struct Teller {
    lane: mpsc::Sender<News>,
    task: JoinHandle<()>,
    metrics: Arc<Metrics>,
}

impl Teller {
    /// Starts the lane. `reporter` is the name of this replica.
    pub(crate) fn start(client: Client, reporter: String, metrics: Arc<Metrics>) -> Self {
        let (lane, mut waiting) = mpsc::channel::<News>(2 * MOST_WAITING);
        let counted = metrics.clone();
        let task = tokio::spawn(async move {
            while let Some(news) = waiting.recv().await {
                counted.request("create", "Event");
                publish(&client, &reporter, &news).await;
                tokio::time::sleep(PACE).await;
            }
        });
        Self { lane, task, metrics }
    }

    /// Sends what waits, as far as there is time.
    pub(crate) async fn finish(self, within: Duration) {
        let Self { lane, task, .. } = self;
        drop(lane);
        if tokio::time::timeout(within, task).await.is_err() {
            warn!("some Events were not sent in time");
        }
    }

    /// Tells it in the log, and on the Service.
    pub(crate) fn tell(&self, news: News) {
        let Told { reason, note, is_wrong, code, .. } = &news.told;
        if let Some((code, severity)) = code {
            self.metrics.found(*code, *severity);
        }
        if *is_wrong {
            warn!(service = %news.service, reason, "{note}");
        } else {
            info!(service = %news.service, reason, "{note}");
        }
        // The second half of the lane is kept for what is wrong.
        let is_full = self.lane.capacity() < if *is_wrong { 1 } else { MOST_WAITING };
        if is_full || self.lane.try_send(news).is_err() {
            self.metrics.event_dropped();
        }
    }
}

async fn publish(client: &Client, reporter: &str, news: &News) {
    let News { service, uid, told } = news;
    let now = Timestamp::now();
    let event = Event {
        action: Some(if told.is_wrong { "Refuse" } else { "Expose" }.to_owned()),
        event_time: Some(MicroTime(now)),
        metadata: ObjectMeta {
            // As other programs name theirs. A name that the API server makes up must not be begun with a dot.
            name: Some(format!("{}.{:x}", service.name, now.as_nanosecond())),
            namespace: Some(service.namespace.to_string()),
            ..ObjectMeta::default()
        },
        note: Some(shortened(&told.note, None, LONGEST_NOTE)),
        reason: Some(told.reason.clone()),
        regarding: Some(ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Service".to_owned()),
            name: Some(service.name.to_string()),
            namespace: Some(service.namespace.to_string()),
            uid: Some(uid.to_string()),
            ..ObjectReference::default()
        }),
        reporting_controller: Some("xposer".to_owned()),
        reporting_instance: Some(reporter.to_owned()),
        type_: Some(if told.is_wrong { "Warning" } else { "Normal" }.to_owned()),
        ..Event::default()
    };
    let events: Api<Event> = Api::namespaced(client.clone(), &service.namespace);
    match events.create(&PostParams::default(), &event).await {
        Ok(_) => {}
        // The namespace goes, and its Services with it.
        Err(Error::Api(status))
            if status.code == 404 || status.reason == "Forbidden" && status.code == 403 =>
        {
            debug!(%service, "no Event: {}", status.message);
        }
        Err(error) => warn!(%service, "no Event: {}", said(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xposer::{FieldPath, Problem, Report, Subject};

    #[test]
    fn a_code_becomes_a_reason() {
        assert_eq!(pascal_case("host-uppercase"), "HostUppercase");
        for code in Code::ALL {
            assert!(pascal_case(code.slug()).len() <= 128);
        }
    }

    #[test]
    fn a_long_note_is_cut_and_keeps_its_help() {
        let mut report = Report::new(Subject::default(), false);
        let problem = Problem::new(Code::AnnotationUnknown, "ä".repeat(600)).help("remove it");
        report.file(FieldPath::annotation("a"), problem);
        let Told { note, .. } = Told::diagnostic(&report.diagnostics()[0]);
        assert!(note.len() <= LONGEST_NOTE && note.ends_with("ä...; remove it"), "{note}");
        assert!(note.starts_with("warning: metadata.annotations.a: ä"), "{note}");
    }
}
