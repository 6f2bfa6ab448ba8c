//! Handles watch events: each one updates the state, and marks the keys that have to be reconciled.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::runtime::watcher::Event;
use xposer::emit::{URL_CONFIG_MAP, stamp};
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ReconcileKey, ServiceKey};
use xposer_live::kinds::Kind;
use xposer_live::object::{Observed, is_as_desired};
use xposer_live::plan::{DecisionResult, claims};
use xposer_live::servers::{ServerKey, ServerKind, server_key};
use xposer_live::service::StoredService;

use super::recorded_claims::ObjectRef;
use super::{ObjectStatus, ServiceEntry, State, Trigger, UnexposedService};
use crate::watch::{KindStatus, Source, WatchEvent};

/// The object of a watch event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WatchedKey {
    Service(Arc<ServiceKey>),
    Namespace(Box<str>),
    Server(ServerKey),
    Object(ObjectKey),
    /// An object of a kind that Xposer never emits.
    Foreign(Arc<ObjectRef>),
}

impl WatchedKey {
    fn of(source: Source, document: &Document) -> Self {
        let metadata = &document.metadata;
        match source {
            Source::Services => Self::Service(ServiceKey::of(metadata)),
            Source::Namespaces => Self::Namespace(metadata.name.clone().unwrap_or_default().into()),
            Source::Servers(kind) => Self::Server(server_key(kind, document)),
            Source::Objects(kind) => Self::Object(ObjectKey::of(kind, metadata)),
            Source::Foreign(kind) => Self::Foreign(Arc::new(ObjectRef::foreign(kind, document))),
        }
    }
}

impl State {
    pub(crate) fn apply(&mut self, WatchEvent { source, event }: WatchEvent) {
        // Whether an object is as desired depends on the controller that serves it.
        if !matches!(source, Source::Servers(_)) {
            self.update_served_by();
        }
        match event {
            Ok(Event::Init) => {
                let known = self.known(source);
                self.unlisted.insert(source, known);
                self.held.begin_list(source);
            }
            Ok(Event::InitApply(document) | Event::Apply(document)) => {
                if let Some(unlisted) = self.unlisted.get_mut(&source) {
                    unlisted.remove(&WatchedKey::of(source, &document));
                }
                match source {
                    Source::Services => self.apply_service(&document),
                    Source::Servers(kind) => self.servers.apply(kind, &document),
                    Source::Objects(kind) => self.apply_object(kind, &document),
                    Source::Foreign(kind) => self.held.set_foreign(kind, &document, &self.settings),
                    Source::Namespaces => {
                        let name = document.metadata.name.as_deref().unwrap_or_default();
                        self.apply_namespace(name, document.metadata.deletion_timestamp.is_some());
                    }
                }
            }
            Ok(Event::Delete(document)) => {
                let key = WatchedKey::of(source, &document);
                let uid = document.metadata.uid.as_deref().unwrap_or_default();
                if let WatchedKey::Object(object) = &key {
                    self.objects.set_gone(uid);
                    // A response has already shown the next object with this name.
                    if self.version(object).is_some_and(|(known, _)| known != uid) {
                        return;
                    }
                }
                self.delete(key);
            }
            Ok(Event::InitDone) => {
                for gone in self.unlisted.remove(&source).unwrap_or_default() {
                    self.delete(gone);
                }
                self.held.end_list(source);
                self.set_listed(source);
            }
            Err(status) => {
                self.held.give_up_list(source);
                match source {
                    Source::Objects(kind) => self.set_kind_status(kind, status),
                    Source::Servers(kind) => self.set_server_status(kind, status),
                    Source::Foreign(_) if status == KindStatus::NotServed => {
                        self.known(source).into_iter().for_each(|gone| self.delete(gone));
                    }
                    Source::Foreign(_) | Source::Services | Source::Namespaces => {}
                }
            }
        }
    }

    /// Handles an object that is known from a response and not yet from a watch. A list in progress has to contain it. If the list
    /// does not, the object was deleted before the API server read the objects, and no event will report the deletion, or it was
    /// created after that, and an event will follow.
    pub(crate) fn await_in_list(&mut self, key: &ObjectKey) {
        if let Some(unlisted) = self.unlisted.get_mut(&Source::Objects(key.kind)) {
            unlisted.insert(WatchedKey::Object(key.clone()));
        }
    }

    fn known(&self, source: Source) -> BTreeSet<WatchedKey> {
        match source {
            Source::Services => self.services.keys().cloned().map(WatchedKey::Service).collect(),
            Source::Namespaces => {
                self.url_config_maps.namespaces().map(|name| WatchedKey::Namespace(name.into())).collect()
            }
            Source::Servers(kind) => self.servers.known(kind).into_iter().map(WatchedKey::Server).collect(),
            Source::Objects(kind) => self.objects_of(kind).into_iter().map(WatchedKey::Object).collect(),
            Source::Foreign(kind) => self.held.foreign(kind).into_iter().map(WatchedKey::Foreign).collect(),
        }
    }

    fn delete(&mut self, key: WatchedKey) {
        match key {
            WatchedKey::Service(key) => self.delete_service(&key),
            WatchedKey::Namespace(name) => self.delete_namespace(&name),
            WatchedKey::Server(key) => self.servers.delete(key),
            WatchedKey::Object(key) => self.delete_object(&key),
            WatchedKey::Foreign(who) => self.held.remove_foreign(&who),
        }
    }

    /// Records that all objects of this source are known.
    pub(crate) fn set_listed(&mut self, source: Source) {
        match source {
            Source::Objects(kind) => self.set_kind_status(kind, KindStatus::Listed),
            Source::Servers(kind) => self.set_server_status(kind, KindStatus::Listed),
            Source::Foreign(_) | Source::Services | Source::Namespaces => {}
        }
        self.listed.insert(source);
        self.lists.0 += 1;
    }

    // Objects that name controllers.

    pub(crate) fn set_server_status(&mut self, kind: ServerKind, status: KindStatus) {
        if status == KindStatus::NotServed {
            self.servers.known(kind).into_iter().for_each(|key| self.servers.delete(key));
        }
        let is_other = self.server_kinds.get(&kind).is_some_and(|before| *before != status);
        self.server_kinds.insert(kind, status);
        // From now on, a Gateway that does not exist is known to be missing, or no longer is.
        if is_other {
            self.mark_all_due();
        }
    }

    /// Handles an object that names a controller.
    #[cfg(test)]
    pub(crate) fn apply_server(&mut self, kind: ServerKind, document: &Document) {
        self.servers.apply(kind, document);
        self.update_served_by();
    }

    // Services.

    /// Handles a Service with the label, in its current version.
    pub(crate) fn apply_service(&mut self, document: &Document) {
        let Some((key, mut stored)) = StoredService::new(document) else { return };
        let known = self.services.get(&key);
        let before = known.map(|known| &known.stored);
        if stored.terminating {
            // A refused Service has no claims that it could keep.
            let had = known.filter(|known| !known.refused).map(|known| &known.stored);
            stored = stored.ending(had);
        }
        if before.is_some_and(|before| before.is_same(&stored)) {
            return;
        }
        // Services that arrive later get their decision in turn.
        if self.held.is_on() && !self.is_ready() {
            self.held.await_service(&key);
        }
        self.handovers.forget_refusals(&key);
        let known = self.services.remove(&key);
        let (notices, refused) = known.map(|entry| (entry.notices, entry.refused)).unwrap_or_default();
        let affected = self.claims.set(&key, claims(&stored, &self.settings), !refused);
        self.mark_services_due(affected);
        self.unexposed.remove(&key);
        self.services.insert(
            key.clone(),
            ServiceEntry { stored, notices, refused, written: ObjectStatus::NotYet, unserved_since: None },
        );
        self.due.insert(ReconcileKey::Service(key), Trigger::ServiceChange);
    }

    /// Handles a Service that was deleted, or that no longer has the label.
    pub(crate) fn delete_service(&mut self, key: &Arc<ServiceKey>) {
        let affected = self.claims.remove(key);
        self.mark_services_due(affected);
        self.held.set_service(key, 0, Vec::new());
        self.handovers.forget(key);
        if let Some(entry) = self.services.remove(key) {
            let stamped = self.stamps && stamp::write(&mut entry.stored.document(), None);
            let (uid, notices) = (entry.stored.uid, entry.notices);
            let service = UnexposedService { uid, stamped, notices, planned: false };
            self.unexposed.insert(key.clone(), service);
            self.mark_due(ReconcileKey::Service(key.clone()));
        }
    }

    // Objects.

    pub(crate) fn set_kind_status(&mut self, kind: Kind, status: KindStatus) {
        if self.kinds.get(&kind) == Some(&status) {
            return;
        }
        if status == KindStatus::NotServed {
            for key in self.objects_of(kind) {
                self.objects.remove(&key);
                self.held.remove_object(&key);
            }
        }
        self.kinds.insert(kind, status);
        // If objects could not be written, their Services may be complete now, and the reverse.
        self.mark_all_due();
    }

    /// The UID and the version of an object, if they are known.
    pub(crate) fn version(&self, key: &ObjectKey) -> Option<(&str, &str)> {
        if key.kind == Kind::ConfigMap {
            return self.url_config_maps.version(&key.namespace);
        }
        let observed = self.objects.get(key)?;
        Some((&observed.uid, &observed.version))
    }

    /// The keys of all objects of a kind.
    pub(crate) fn objects_of(&self, kind: Kind) -> Vec<ObjectKey> {
        if kind != Kind::ConfigMap {
            return self.objects.of_kind(kind).cloned().collect();
        }
        let namespaces = self.url_config_maps.with_config_map();
        let key =
            |namespace: &str| ObjectKey { kind, namespace: namespace.into(), name: URL_CONFIG_MAP.into() };
        namespaces.map(key).collect()
    }

    /// Handles an object in its current version.
    pub(crate) fn apply_object(&mut self, kind: Kind, document: &Document) {
        if kind == Kind::ConfigMap {
            if self.url_config_maps.apply(document) {
                let namespace = document.metadata.namespace.as_deref().unwrap_or_default();
                self.mark_due(ReconcileKey::UrlConfigMap(namespace.into()));
            }
            return;
        }
        let key = ObjectKey::of(kind, &document.metadata);
        let known = self.objects.get(&key).cloned();
        let version = document.metadata.resource_version.as_deref().unwrap_or_default();
        if known.as_ref().is_some_and(|known| *known.version == *version)
            && !self.held.is_listing(Source::Objects(kind))
        {
            return;
        }
        let observed = Observed::new(document);
        let service = observed.as_ref().and_then(|observed| self.services.get(&observed.service));
        let uid = service.map(|entry| &*entry.stored.uid).unwrap_or_default();
        self.held.set_object(&key, document, observed.as_ref(), uid, &self.settings);
        let Some(mut observed) = observed else {
            // The object has another owner.
            if known.is_some() || !self.objects.contains(&key) {
                self.wake_waiting(&key);
            }
            let lost_by = self.objects.set(key, None);
            self.mark_services_due(lost_by);
            return;
        };
        let service = observed.service.clone();
        let serving = |object: &Observed| (object.served_by, object.is_blocked);
        let is_same_serving = known.as_ref().is_some_and(|known| serving(known) == serving(&observed));
        if !is_same_serving && self.handovers.has_kept(&service) {
            self.mark_due(ReconcileKey::Service(service.clone()));
        }
        if known.as_ref().is_some_and(|known| known.refusal != observed.refusal) {
            self.mark_due(ReconcileKey::Service(service.clone()));
        }
        // If the content is the same, only the status or fields of others have changed.
        let is_same =
            |known: &&Observed| known.uid == observed.uid && known.content_hash == observed.content_hash;
        observed.desired_hash = match known.as_ref().filter(is_same).map_or(0, |known| known.desired_hash) {
            0 => self.desired_hash(&observed, &key, document),
            hash => hash,
        };
        if observed.desired_hash == 0 {
            self.mark_due(ReconcileKey::Service(service));
        }
        self.wake_waiting(&key);
        let lost_by = self.objects.set(key, Some(observed));
        self.mark_services_due(lost_by);
    }

    /// The hash of the desired object, if the object is as desired; otherwise 0.
    fn desired_hash(&self, observed: &Observed, key: &ObjectKey, document: &Document) -> u64 {
        if observed.terminating || !self.services.contains_key(&observed.service) {
            return 0;
        }
        let decisions = self.decide(&observed.service);
        let mut desired = decisions.iter().flat_map(|decision| match &decision.result {
            DecisionResult::Exposed(exposed) => exposed.desired.as_slice(),
            DecisionResult::Refused | DecisionResult::Conflicted => &[],
        });
        let desired = desired.find(|desired| desired.key == *key);
        desired.filter(|desired| is_as_desired(document, &desired.body)).map_or(0, |desired| desired.hash)
    }

    /// Handles the deletion of an object.
    pub(crate) fn delete_object(&mut self, key: &ObjectKey) {
        if key.kind == Kind::ConfigMap {
            if let Some(uid) = self.url_config_maps.delete(&key.namespace) {
                self.objects.set_gone(&uid);
            }
            self.mark_due(ReconcileKey::UrlConfigMap(key.namespace.clone()));
            return;
        }
        let service = self.objects.remove(key);
        self.held.remove_object(key);
        self.mark_services_due(service);
        self.wake_waiting(key);
    }

    fn wake_waiting(&mut self, key: &ObjectKey) {
        let waiting = self.objects.take_waiting(key);
        self.mark_services_due(waiting);
    }

    // Namespaces.

    pub(crate) fn apply_namespace(&mut self, name: &str, terminating: bool) {
        if terminating {
            self.terminating_namespaces.insert(name.into());
            self.url_config_maps.remove_namespace(name);
            return;
        }
        self.end_termination(name);
        if self.url_config_maps.add_namespace(name) {
            self.mark_due(ReconcileKey::UrlConfigMap(name.into()));
        }
    }

    pub(crate) fn delete_namespace(&mut self, name: &str) {
        self.end_termination(name);
        self.url_config_maps.remove_namespace(name);
    }

    /// Handles the end of the deletion of a namespace. A new namespace with the same name may exist, and its Services may have been
    /// reported first.
    fn end_termination(&mut self, name: &str) {
        if self.terminating_namespaces.remove(name) {
            let within = self.services.keys().filter(|key| *key.namespace == *name);
            self.mark_services_due(within.cloned().collect::<Vec<_>>());
            self.unexposed.retain(|key, _| *key.namespace != *name);
        }
    }
}
