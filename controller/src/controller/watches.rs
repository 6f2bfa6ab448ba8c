//! Starts and stops the watches of kinds, and logs their status.

use kube::runtime::watcher::Event;
use tracing::{debug, info, warn};
use xposer_live::kinds::{ForeignKind, Kind};
use xposer_live::servers::ServerKind;

use super::Controller;
use crate::watch::{KindStatus, Source, WatchEvent};

impl Controller {
    pub(super) fn start_watch(&mut self, source: Source) {
        let watch = tokio::spawn(source.watch(self.scope.clone(), self.sender.clone()));
        if let Some(before) = self.watches.insert(source, watch) {
            before.abort();
        }
    }

    /// Starts the watches of Services and of the objects that name controllers. They are listed first, because they decide whether
    /// an object is as desired.
    pub(super) fn start_first_watches(&mut self) {
        for kind in ServerKind::ALL {
            match self.args.namespace {
                // Classes are cluster-scoped, so a controller of one namespace cannot watch them.
                Some(_) => self.state.set_server_status(kind, KindStatus::NotServed),
                None => self.start_watch(Source::Servers(kind)),
            }
        }
        if self.state.knows_servers() {
            self.start_watch(Source::Services);
        }
    }

    pub(super) fn apply(&mut self, event: WatchEvent) {
        self.revision += 1;
        let source = event.source;
        let is_list_complete = matches!(event.event, Ok(Event::InitDone));
        let is_first_list = !self.state.is_listed(source);
        let knew_servers = self.state.knows_servers();
        let status_before = self.object_status(source);
        self.state.apply(event);
        if status_before != self.object_status(source) {
            self.log_missing_kinds();
        }
        if !knew_servers && self.state.knows_servers() {
            self.start_watch(Source::Services);
        }
        if is_list_complete {
            debug!("the list of {source:?} is complete");
            // The API server is available again.
            self.pause.end();
            if is_first_list && source == Source::Services {
                self.start_other_watches();
            }
            if is_first_list {
                self.log_unknown_servers(source);
            }
        }
    }

    /// The status of the kind of objects of a source.
    fn object_status(&self, source: Source) -> Option<KindStatus> {
        match source {
            Source::Objects(kind) => Some(self.state.kind_status(kind)),
            _ => None,
        }
    }

    /// Logs the kinds that the settings ask for and that cannot be written.
    pub(super) fn log_missing_kinds(&mut self) {
        for line in self.missing.take_unreported(&self.requested_kinds, |kind| self.state.kind_status(kind)) {
            warn!("{line}");
        }
    }

    /// Logs that controllers of classes or Gateways are not known, once the affected objects are listed.
    fn log_unknown_servers(&self, source: Source) {
        let (kinds, setting): (&[ServerKind], _) = match source {
            Source::Objects(Kind::Ingress) => (&[ServerKind::IngressClass], "`controllers`"),
            Source::Objects(Kind::HttpRoute) => {
                (&[ServerKind::GatewayClass, ServerKind::Gateway], "`gatewayController`")
            }
            _ => return,
        };
        for kind in kinds {
            if let KindStatus::Forbidden(message) | KindStatus::ListFailed(message) =
                self.state.server_status(*kind)
            {
                let what = kind.resource().plural;
                info!(
                    "{what} are not watched, so only names and the setting {setting} decide which program serves a Service; \
                     apply the roles of deploy/controller, or of the chart, in this version ({message})"
                );
            }
        }
    }

    fn start_other_watches(&mut self) {
        match &self.args.namespace {
            Some(namespace) => {
                self.state.apply_namespace(namespace, false);
                self.state.set_listed(Source::Namespaces);
            }
            None => self.start_watch(Source::Namespaces),
        }
        for kind in Kind::ALL {
            self.start_watch(Source::Objects(kind));
        }
        if self.state.held.is_on() {
            for kind in ForeignKind::ALL {
                self.start_watch(Source::Foreign(kind));
            }
        }
    }
}
