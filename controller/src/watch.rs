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

/// The interval of requests for a kind that is not served, or that may not be listed.
const DISCOVERY_INTERVAL: Duration = Duration::from_secs(20);
/// The delay after an error of a watch. A long delay would make events late for the user.
const MIN_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// How many times a refusal to list objects that name controllers is repeated before it counts. An API server that has just started
/// has not loaded the roles yet, and without the objects, Ingresses would be written in the words of another controller.
const CONFIRMATIONS: u32 = 3;
/// The number of objects in a page. A page is decoded as a whole, so large pages cost memory. For each page, the API server
/// iterates over all remaining objects, so small pages cost it time.
const PAGE_SIZE: u32 = 500;

/// The source of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Services,
    Namespaces,
    /// Objects that name the controller of a class or a Gateway.
    Servers(ServerKind),
    Objects(Kind),
    /// Objects of a kind that Xposer never emits, whose hosts are recorded as claims. Watched only with claims.
    Foreign(ForeignKind),
}

/// An event of a watch, or the status if there are no events.
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
    /// The objects are known.
    Listed,
    /// The API server does not serve the kind.
    NotServed,
    /// The controller may not list the objects.
    Forbidden(String),
    /// The objects cannot be listed for another reason.
    ListFailed(String),
}

/// The part of a cluster that is watched.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) client: Client,
    /// A namespace; `None` for all.
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
    /// The API resources in all versions that a server may have, the preferred one first.
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
            // Objects of other owners are watched as well, because one may have the name of a desired object.
            Self::Namespaces | Self::Servers(_) | Self::Objects(_) | Self::Foreign(_) => config,
        }
    }

    /// Whether the controller works without the kind, because some API servers do not serve it, or some roles do not permit it.
    fn is_optional(self) -> bool {
        match self {
            Self::Services | Self::Namespaces => false,
            Self::Servers(_) | Self::Foreign(_) => true,
            Self::Objects(kind) => !kind.row().is_built_in,
        }
    }

    /// Watches until the receiver is gone.
    pub(crate) async fn watch(self, scope: Scope, events: Sender<WatchEvent>) {
        // The only error is that the receiver is gone.
        let _ = self.watch_until_closed(&scope, &events).await;
    }

    async fn watch_until_closed(self, scope: &Scope, events: &Sender<WatchEvent>) -> Result<(), Closed> {
        loop {
            let resource = self.wait_until_served(scope, events).await?;
            self.watch_while_served(&resource, scope, events).await?;
        }
    }

    /// Waits until the kind is served, and returns its API resource.
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
                // Until the controllers are known, no object is compared.
                Err(error) if matches!(self, Self::Servers(_)) && refusals < CONFIRMATIONS => {
                    // Only a definite answer counts as a refusal.
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

    /// The first API resource that the API server serves.
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

    /// Watches until the kind is no longer served.
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
                    // `Init` only announces a list, so it is no success.
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
                // The history has expired, and a list is requested next; that is no failure.
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

    /// The status of the kind after an error of its watch; `None` if the watch is simply retried. The same message is logged once.
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
            // A new list follows, which changes nothing.
            410 => {
                tracing::debug!("the watch of {what} restarts: {message}");
                return None;
            }
            404 if is_optional => return Some(KindStatus::NotServed),
            _ => {}
        }
        // After the first list, a refusal comes from an API server that has just started and has not loaded the roles yet.
        let is_refused = matches!(code, 401 | 403 | 404) && !listed;
        if *last_message != message {
            match (is_refused, is_optional) {
                // The controller logs the consequence.
                (true, true) if matches!(self, Self::Servers(_)) => tracing::debug!("{what}: {message}"),
                (true, true) if matches!(self, Self::Foreign(_)) => tracing::warn!(
                    "the hosts of {what} are not among the claims; apply the component `claims` of deploy/controller, or \
                     the roles of the chart, in this version: {message}"
                ),
                (true, true) => tracing::info!("{what} are not watched: {message}"),
                (true, false) => tracing::error!("{what} cannot be watched: {message}"),
                (false, _) => tracing::warn!("{what} cannot be watched now: {message}"),
            }
            last_message.clone_from(&message);
        }
        let status = if code == 403 { KindStatus::Forbidden } else { KindStatus::ListFailed };
        is_refused.then(|| status(message))
    }
}

/// The HTTP status of the API server; 0 if there is none.
fn status_code(error: &watcher::Error) -> u16 {
    match error {
        watcher::Error::InitialListFailed(Error::Api(status))
        | watcher::Error::WatchStartFailed(Error::Api(status))
        | watcher::Error::WatchError(status) => status.code,
        _ => 0,
    }
}
