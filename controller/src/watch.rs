//! Watches the API server: one task for each kind of object, all into one channel.

use std::time::Duration;

use futures::StreamExt;
use kube::api::{Api, ApiResource};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Error};
use tokio::sync::mpsc::{Sender, error::SendError};
use xposer::emit::URL_CONFIG_MAP;
use xposer::service::EXPOSE_LABEL;
use xposer_live::document::Document;
use xposer_live::error::error_message;
use xposer_live::kinds::{self, ForeignKind, Kind};
use xposer_live::servers::ServerKind;
use xposer_live::service::service_resource;

use crate::backoff::exponential_backoff;

/// The interval at which a kind that is not served, or may not be listed, is requested again.
const DISCOVERY_INTERVAL: Duration = Duration::from_secs(20);
/// The delay after an error of a watch, and the longest one after many. An event that comes late is late for the user.
const MIN_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// How often a refusal to list what says who serves something is asked again before it counts. An API server that has just started has
/// not read the roles yet, and without the answer, objects would be written in the words of another program.
const CONFIRMATIONS: u32 = 3;
/// Objects a page. A page is decoded as a whole, so large pages cost memory. For each page, the API server goes through all objects that
/// are left, so small pages cost it time.
const PAGE_SIZE: u32 = 500;

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Services,
    Namespaces,
    /// What says who serves a class or a Gateway.
    Servers(ServerKind),
    Objects(Kind),
    /// What is never ours, and says who has which host. Watched with the claims only.
    Foreign(ForeignKind),
}

/// An event of a watch, or why there are no events.
#[derive(Debug)]
pub(crate) struct WatchEvent {
    pub(crate) source: Source,
    pub(crate) event: Result<Event<Document>, KindStatus>,
}

/// Whether the API server serves a kind, and whether its objects are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum KindStatus {
    /// It is not known yet whether the kind is served, or its objects are being listed.
    #[default]
    Unknown,
    /// Its objects are known.
    Listed,
    /// The API server does not serve it.
    NotServed,
    /// The controller may not list it.
    Forbidden(String),
    /// It cannot be listed for another reason.
    ListFailed(String),
}

/// The part of a cluster that is watched.
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

/// The receiver of the events is gone, so the watch ends.
type Closed = SendError<WatchEvent>;

impl Source {
    /// Where the API may serve it, the preferred place first.
    fn resources(self) -> Vec<ApiResource> {
        match self {
            Self::Services => vec![service_resource()],
            Self::Namespaces => vec![ApiResource::erase::<k8s_openapi::api::core::v1::Namespace>(&())],
            Self::Servers(kind) => vec![kind.resource()],
            Self::Objects(kind) => vec![kinds::resource(kind)],
            Self::Foreign(kind) => kinds::foreign_resources(kind).collect(),
        }
    }

    fn config(self) -> watcher::Config {
        let config = watcher::Config::default().page_size(PAGE_SIZE);
        match self {
            Self::Services => config.labels(&format!("{EXPOSE_LABEL}=true")),
            Self::Objects(Kind::ConfigMap) => config.fields(&format!("metadata.name={URL_CONFIG_MAP}")),
            // Objects of others are watched too, because an object of theirs may have the name of one of ours.
            Self::Namespaces | Self::Servers(_) | Self::Objects(_) | Self::Foreign(_) => config,
        }
    }

    /// Whether the controller works without the kind, because some API servers do not serve it, or some roles do not give it.
    fn is_optional(self) -> bool {
        match self {
            Self::Services | Self::Namespaces => false,
            Self::Servers(_) | Self::Foreign(_) => true,
            Self::Objects(kind) => !kind.row().is_built_in,
        }
    }

    /// Watches until the receiver is gone.
    pub(crate) async fn watch(self, scope: Scope, events: Sender<WatchEvent>) {
        // Ends with the receiver.
        let _ = self.watch_until_closed(&scope, &events).await;
    }

    async fn watch_until_closed(self, scope: &Scope, events: &Sender<WatchEvent>) -> Result<(), Closed> {
        loop {
            let resource = self.wait_until_served(scope, events).await?;
            self.watch_while_served(&resource, scope, events).await?;
        }
    }

    /// Where it is served, as soon as it is.
    async fn wait_until_served(
        self,
        scope: &Scope,
        events: &Sender<WatchEvent>,
    ) -> Result<ApiResource, Closed> {
        let mut backoff = exponential_backoff(MIN_BACKOFF, MAX_BACKOFF);
        let mut refusals = 0;
        loop {
            let status = match self.find_served(scope).await {
                Ok(Some(resource)) => return Ok(resource),
                Ok(None) => KindStatus::NotServed,
                // Until it is known who serves what, nothing is compared.
                Err(error) if matches!(self, Self::Servers(_)) && refusals < CONFIRMATIONS => {
                    // Without an answer, this goes on.
                    refusals += u32::from(matches!(&error, Error::Api(status) if status.code < 429));
                    tracing::debug!("{self:?}: {}", error_message(&error));
                    tokio::time::sleep(backoff.next().unwrap_or(MAX_BACKOFF)).await;
                    continue;
                }
                Err(error) => KindStatus::ListFailed(error_message(&error)),
            };
            events.send(WatchEvent { source: self, event: Err(status) }).await?;
            tokio::time::sleep(DISCOVERY_INTERVAL).await;
        }
    }

    /// The first place that serves it.
    async fn find_served(self, scope: &Scope) -> Result<Option<ApiResource>, Error> {
        for resource in self.resources() {
            if !self.is_optional() {
                return Ok(Some(resource));
            }
            match scope.client.list_api_group_resources(&resource.api_version).await {
                Ok(list) if list.resources.iter().any(|known| known.name == resource.plural) => {
                    return Ok(Some(resource));
                }
                Err(Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        Ok(None)
    }

    /// Returns when the kind is not served any more.
    async fn watch_while_served(
        self,
        resource: &ApiResource,
        scope: &Scope,
        events: &Sender<WatchEvent>,
    ) -> Result<(), Closed> {
        let mut stream = std::pin::pin!(watcher(scope.api(resource), self.config()));
        let mut backoff = exponential_backoff(MIN_BACKOFF, MAX_BACKOFF);
        let (mut failed, mut listed, mut refusals) = (false, false, 0);
        let mut last_message = String::new();
        while let Some(event) = stream.next().await {
            let error = match event {
                Ok(event) => {
                    // `Init` only announces a list, and is no success.
                    if !matches!(event, Event::Init) {
                        (failed, refusals) = (false, 0);
                        backoff.reset();
                        last_message.clear();
                    }
                    listed |= matches!(event, Event::InitDone);
                    events
                        .send(WatchEvent { source: self, event: Ok(self.without_unused_fields(event)) })
                        .await?;
                    continue;
                }
                Err(error) => error,
            };
            let mut status = self.status_after(&resource.plural, &error, listed, &mut last_message);
            if matches!(self, Self::Servers(_)) && status.is_some() && refusals < CONFIRMATIONS {
                refusals += 1;
                status = None;
            }
            let delay = match (&status, status_code(&error)) {
                // The history is gone, and the list is requested next; that is no failure.
                (_, 410) if !failed => Duration::ZERO,
                (Some(_), _) => DISCOVERY_INTERVAL,
                (None, _) => backoff.next().unwrap_or(MAX_BACKOFF),
            };
            failed = true;
            if let Some(status) = status {
                let ends = status == KindStatus::NotServed;
                events.send(WatchEvent { source: self, event: Err(status) }).await?;
                if ends {
                    return Ok(());
                }
            }
            tokio::time::sleep(delay).await;
        }
        Ok(())
    }

    fn without_unused_fields(self, event: Event<Document>) -> Event<Document> {
        event.modify(|document| {
            if !matches!(self, Self::Objects(_)) {
                document.metadata.managed_fields = None;
            }
        })
    }

    /// The status of the kind after an error of its watch, if the error means more than that the watch is tried again. The
    /// same message is logged once.
    fn status_after(
        self,
        what: &str,
        error: &watcher::Error,
        listed: bool,
        last_message: &mut String,
    ) -> Option<KindStatus> {
        let message = match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => error_message(error),
            watcher::Error::WatchError(status) => status.message.clone(),
            watcher::Error::NoResourceVersion => error.to_string(),
        };
        let is_optional = self.is_optional();
        let code = status_code(error);
        match code {
            // The list is read anew, which changes nothing.
            410 => {
                tracing::debug!("the watch of {what} starts anew: {message}");
                return None;
            }
            404 if is_optional => return Some(KindStatus::NotServed),
            _ => {}
        }
        // After the first list, a refusal comes from an API server that has just started and has not read the roles yet.
        let is_refused = matches!(code, 401 | 403 | 404) && !listed;
        if *last_message != message {
            match (is_refused, is_optional) {
                // The controller tells what it means.
                (true, true) if matches!(self, Self::Servers(_)) => tracing::debug!("{what}: {message}"),
                (true, true) if matches!(self, Self::Foreign(_)) => tracing::warn!(
                    "the hosts of {what} are not among the claims; apply the component `claims` of deploy/controller, or \
                     the roles of the chart, in this version: {message}"
                ),
                (true, true) => tracing::info!("{what} are left alone: {message}"),
                (true, false) => tracing::error!("{what} cannot be watched: {message}"),
                (false, _) => tracing::warn!("{what} cannot be watched now: {message}"),
            }
            last_message.clone_from(&message);
        }
        let status = if code == 403 { KindStatus::Forbidden } else { KindStatus::ListFailed };
        is_refused.then(|| status(message))
    }
}

/// The HTTP status that the API server gave; 0 where it gave none.
fn status_code(error: &watcher::Error) -> u16 {
    match error {
        watcher::Error::InitialListFailed(Error::Api(status))
        | watcher::Error::WatchStartFailed(Error::Api(status))
        | watcher::Error::WatchError(status) => status.code,
        _ => 0,
    }
}
