//! What the API server tells us: a task for each kind of object, all of them into one channel.

use std::time::Duration;

use futures::StreamExt;
use kube::api::{Api, ApiResource};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Error};
use tokio::sync::mpsc::Sender;
use xposer::{EXPOSE_LABEL, URL_CONFIG_MAP};

use crate::document::Document;
use crate::kinds::{self, Kind};
use crate::world::Serving;
use crate::write::service_resource;

/// How often we look whether a kind is served that was not.
const LOOK_AGAIN: Duration = Duration::from_secs(20);
/// How long a watch waits after an error, and at most after many; events that come late are late for the user.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// Objects a page: a page is decoded as a whole, and 10,000 objects in one would need memory for nothing else.
const PAGE: u32 = 100;

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Services,
    Namespaces,
    Objects(Kind),
}

/// Something that we learnt.
#[derive(Debug)]
pub(crate) struct Sight {
    pub(crate) source: Source,
    pub(crate) change: Change,
}

#[derive(Debug)]
pub(crate) enum Change {
    /// A list begins; what is not in it is gone.
    Restarted,
    /// In the list, or new, or changed.
    Seen(Box<Document>),
    Gone(Box<Document>),
    /// The list is complete.
    Complete,
    /// The kind of object is not served, or cannot be read.
    Serving(Serving),
}

/// Which part of a cluster is watched.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) client: Client,
    /// One namespace, or all.
    pub(crate) namespace: Option<String>,
}

impl Scope {
    fn api(&self, resource: &ApiResource) -> Api<Document> {
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, resource),
            None => Api::all_with(self.client.clone(), resource),
        }
    }
}

impl Source {
    fn resource(self) -> ApiResource {
        match self {
            Self::Services => service_resource(),
            Self::Namespaces => ApiResource::erase::<k8s_openapi::api::core::v1::Namespace>(&()),
            Self::Objects(kind) => kinds::resource(kind),
        }
    }

    fn config(self) -> watcher::Config {
        let config = watcher::Config::default().page_size(PAGE);
        match self {
            Self::Services => config.labels(&format!("{EXPOSE_LABEL}=true")),
            Self::Objects(Kind::ConfigMap) => config.fields(&format!("metadata.name={URL_CONFIG_MAP}")),
            // Also those of others: what has the name of one of ours must not be written over.
            Self::Namespaces | Self::Objects(_) => config,
        }
    }

    /// Watches until nobody listens any more.
    pub(crate) async fn watch(self, scope: Scope, to: Sender<Sight>) {
        loop {
            if let Self::Objects(kind) = self
                && !kind.row().is_built_in
                && !self.wait_until_served(kind, &scope, &to).await
            {
                return;
            }
            if !self.watch_served(&scope, &to).await {
                return;
            }
        }
    }

    /// Gives false where nobody listens any more.
    async fn wait_until_served(self, kind: Kind, scope: &Scope, to: &Sender<Sight>) -> bool {
        let resource = kinds::resource(kind);
        loop {
            let serving = match scope.client.list_api_group_resources(&resource.api_version).await {
                Ok(list) if list.resources.iter().any(|known| known.name == resource.plural) => return true,
                Ok(_) => Serving::Unserved,
                Err(Error::Api(status)) if status.code == 404 => Serving::Unserved,
                Err(error) => Serving::Unreadable(said(&error)),
            };
            if to.send(Sight { source: self, change: Change::Serving(serving) }).await.is_err() {
                return false;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Gives false where nobody listens any more, and true where the kind is not served any more.
    async fn watch_served(self, scope: &Scope, to: &Sender<Sight>) -> bool {
        let events = watcher(scope.api(&self.resource()), self.config());
        let mut events = std::pin::pin!(events);
        let (mut errors, mut listed) = (0, false);
        let mut last_said = String::new();
        while let Some(event) = events.next().await {
            let change = match event {
                // It says no more than that the list will be asked for, so it is no success.
                Ok(Event::Init) => Some(self.change(Event::Init)),
                Ok(event) => {
                    errors = 0;
                    last_said.clear();
                    listed |= matches!(event, Event::InitDone);
                    Some(self.change(event))
                }
                Err(error) => {
                    let change = self.trouble(&error, listed, &mut last_said);
                    if matches!(change, Some(Change::Serving(Serving::Unserved))) {
                        return to
                            .send(Sight { source: self, change: Change::Serving(Serving::Unserved) })
                            .await
                            .is_ok();
                    }
                    let wait = match code(&error) {
                        // What is asked for next is the list, and that is no trouble.
                        410 if errors == 0 => Duration::ZERO,
                        _ if change.is_some() => LOOK_AGAIN,
                        _ => FIRST_WAIT.saturating_mul(1 << errors.min(8)).min(LONGEST_WAIT),
                    };
                    errors += 1;
                    if let Some(change) = change
                        && to.send(Sight { source: self, change }).await.is_err()
                    {
                        return false;
                    }
                    // Several watches do not come back at the same moment.
                    tokio::time::sleep(wait.mul_f64(0.75 + random() / 2.0)).await;
                    None
                }
            };
            if let Some(change) = change
                && to.send(Sight { source: self, change }).await.is_err()
            {
                return false;
            }
        }
        true
    }

    fn change(self, event: Event<Document>) -> Change {
        match event {
            Event::Init => Change::Restarted,
            Event::InitApply(document) | Event::Apply(document) => Change::Seen(self.slim(document)),
            Event::InitDone => Change::Complete,
            Event::Delete(document) => Change::Gone(self.slim(document)),
        }
    }

    fn slim(self, mut document: Document) -> Box<Document> {
        if !matches!(self, Self::Objects(_)) {
            document.metadata.managed_fields = None;
        }
        Box::new(document)
    }

    /// What an error of the watch means, if it means more than that it has to be tried again. What was said is not said
    /// again.
    fn trouble(self, error: &watcher::Error, listed: bool, last_said: &mut String) -> Option<Change> {
        let what = self.resource().plural;
        let message = match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => said(error),
            watcher::Error::WatchError(status) => status.message.clone(),
            watcher::Error::NoResourceVersion => error.to_string(),
        };
        let optional = matches!(self, Self::Objects(kind) if !kind.row().is_built_in);
        match code(error) {
            // The history that we asked for is gone; the list is read anew. Nobody needs to know.
            410 => {
                tracing::debug!("the watch of {what} starts anew: {message}");
                return None;
            }
            404 if optional => return Some(Change::Serving(Serving::Unserved)),
            _ => {}
        }
        // Where it was listed before, an API server that has just started may not know yet what we may do.
        let is_refused = matches!(code(error), 401 | 403 | 404) && !listed;
        if *last_said != message {
            match (is_refused, optional) {
                (true, true) => tracing::info!("{what} are left alone: {message}"),
                (true, false) => tracing::error!("{what} cannot be watched: {message}"),
                (false, _) => tracing::warn!("{what} cannot be watched now: {message}"),
            }
            last_said.clone_from(&message);
        }
        let serving = if code(error) == 403 { Serving::Forbidden } else { Serving::Unreadable };
        is_refused.then(|| Change::Serving(serving(message)))
    }
}

/// The status that the API server gave; 0 where it gave none.
fn code(error: &watcher::Error) -> u16 {
    match error {
        watcher::Error::InitialListFailed(Error::Api(status))
        | watcher::Error::WatchStartFailed(Error::Api(status))
        | watcher::Error::WatchError(status) => status.code,
        _ => 0,
    }
}

/// From 0 to 1.
pub(crate) fn random() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    f64::from(u16::try_from(RandomState::new().hash_one(()) & 0xFFFF).unwrap_or_default()) / 65536.0
}

/// An error in words: those of the API server, if it said any.
pub(crate) fn said(error: &Error) -> String {
    match error {
        Error::Api(status) => status.message.clone(),
        error => with_causes(error),
    }
}

/// An error with what caused it, which for a connection is where the news is.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    text
}
