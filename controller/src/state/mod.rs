//! The state of the controller. Watch events update it (the module `watched`), and [`State::take_due`] returns the keys that have
//! to be reconciled because of them. Nothing here sends requests to the API server.

mod claim_index;
mod objects;
pub(crate) mod recorded_claims;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use xposer::{Settings, Target, expose};
use xposer_live::keys::{ReconcileKey, ServiceKey};
use xposer_live::kinds::Kind;
use xposer_live::plan::{Decision, Member, claims, decide};
use xposer_live::servers::{ServerKind, Servers};
use xposer_live::service::StoredService;

use crate::handover::Handovers;
use crate::urls::UrlConfigMaps;
use crate::watch::{KindStatus, Source};
use claim_index::ClaimIndex;
use objects::ObjectIndex;
use recorded_claims::RecordedClaims;
use watched::WatchedKey;

/// The state.
pub(crate) struct State {
    pub(crate) settings: Settings,
    /// Whether status annotations are written on Services.
    pub(crate) stamps: bool,
    pub(crate) services: BTreeMap<Arc<ServiceKey>, ServiceEntry>,
    claims: ClaimIndex,
    pub(crate) objects: ObjectIndex,
    /// The recorded claims, if the settings tell where to record them.
    pub(crate) held: RecordedClaims,
    /// Whether claims may be recorded at all.
    keeps_claims: bool,
    kinds: BTreeMap<Kind, KindStatus>,
    /// The facts about controllers that [`update_served_by`](Self::update_served_by) has not passed to the core yet.
    servers: Servers,
    server_kinds: BTreeMap<ServerKind, KindStatus>,
    /// Namespaces that are being deleted. Nothing can be created in them, and Kubernetes deletes their content.
    pub(crate) terminating_namespaces: BTreeSet<Box<str>>,
    pub(crate) url_config_maps: UrlConfigMaps,
    /// The hashes of the notices about the ConfigMap of a namespace that the owners of its entries have received.
    pub(crate) url_notices: BTreeMap<Box<str>, BTreeSet<u64>>,
    pub(crate) handovers: Handovers,
    /// Services that are no longer exposed, until their objects are deleted.
    pub(crate) unexposed: BTreeMap<Arc<ServiceKey>, UnexposedService>,
    due: BTreeMap<ReconcileKey, Trigger>,
    /// For each list in progress: the known objects that the list has not contained so far.
    unlisted: BTreeMap<Source, BTreeSet<WatchedKey>>,
    /// The sources that are listed completely.
    listed: BTreeSet<Source>,
    lists: ListCount,
}

/// The number of complete lists. If it changes between a request and its response, the object of the request may have been deleted
/// before the list was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListCount(u64);

/// A Service that requests exposure.
#[derive(Debug)]
pub(crate) struct ServiceEntry {
    pub(crate) stored: StoredService,
    /// The hashes of the conditions that its owner was notified of.
    pub(crate) notices: BTreeSet<u64>,
    pub(crate) refused: bool,
    /// The status of its objects.
    pub(crate) written: ObjectStatus,
    /// The time since which its Ingress has no address, although no controller of its class is known.
    pub(crate) unserved_since: Option<Instant>,
}

/// The status of the objects of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ObjectStatus {
    /// Some objects are not written yet.
    #[default]
    NotYet,
    /// All objects are as desired.
    All,
    /// An object could not be written, for this reason.
    Failed(Box<str>),
}

/// A Service that is no longer exposed.
#[derive(Debug)]
pub(crate) struct UnexposedService {
    pub(crate) uid: Box<str>,
    /// Whether the Service has status annotations.
    pub(crate) stamped: bool,
    /// The hashes of the conditions that its owner was notified of.
    pub(crate) notices: BTreeSet<u64>,
    /// Whether the Service was planned as unexposed. An earlier plan that is still being executed does not count.
    pub(crate) planned: bool,
}

/// The reason why a key has to be reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trigger {
    /// The cluster has changed.
    Event,
    /// The Service was changed, so writing again is not a conflict with another manager.
    ServiceChange,
}

impl State {
    pub(crate) fn new(settings: Settings, stamps: bool, handover_timeout: Duration) -> Self {
        let mut held = RecordedClaims::default();
        held.switch(settings.claims().is_some(), std::iter::empty());
        // The first lists of everything follow anyway.
        held.take_needs_lists();
        Self {
            held,
            keeps_claims: true,
            stamps: stamps && settings.stamp(),
            settings,
            services: BTreeMap::new(),
            claims: ClaimIndex::default(),
            objects: ObjectIndex::default(),
            kinds: BTreeMap::new(),
            servers: Servers::default(),
            server_kinds: BTreeMap::new(),
            terminating_namespaces: BTreeSet::new(),
            url_config_maps: UrlConfigMaps::default(),
            url_notices: BTreeMap::new(),
            handovers: Handovers::new(handover_timeout),
            unexposed: BTreeMap::new(),
            due: BTreeMap::new(),
            unlisted: BTreeMap::new(),
            listed: BTreeSet::new(),
            lists: ListCount::default(),
        }
    }

    /// Switches claims off, whatever the settings say.
    pub(crate) fn without_claims(mut self) -> Self {
        self.keeps_claims = false;
        self.held.switch(false, std::iter::empty());
        self
    }

    /// Replaces the settings. Everything has to be reconciled.
    pub(crate) fn set_settings(&mut self, settings: Settings, stamps: bool) {
        let settings = settings.with_served_by(self.servers.served_by());
        if !settings.has_programs_of(&self.settings) {
            self.held.forget_objects();
        }
        self.settings = settings;
        self.stamps = stamps && self.settings.stamp();
        self.claims = ClaimIndex::default();
        for (key, entry) in &self.services {
            self.handovers.forget_refusals(key);
            self.claims.set(key, claims(&entry.stored, &self.settings), !entry.refused);
        }
        let keeps = self.keeps_claims && self.settings.claims().is_some();
        self.held.switch(keeps, self.services.keys().cloned());
        self.mark_all_due();
    }

    /// Passes changed facts about controllers to the core. The affected Services have to be reconciled.
    pub(super) fn update_served_by(&mut self) {
        let changed = self.servers.take_changed();
        if changed.is_empty() {
            return;
        }
        let before = self.settings.clone();
        self.settings = std::mem::take(&mut self.settings).with_served_by(self.servers.served_by());
        if !self.settings.has_programs_of(&before) {
            self.held.forget_objects();
        }
        for key in self.claims.served_by_any(&changed) {
            let Some(entry) = self.services.get(&key) else { continue };
            self.handovers.forget_refusals(&key);
            let claims = claims(&entry.stored, &self.settings);
            let affected = self.claims.set(&key, claims, !entry.refused);
            self.mark_services_due(affected);
            self.mark_due(ReconcileKey::Service(key));
        }
    }

    // Due keys.

    /// Returns the keys that have to be reconciled, which are not due any more.
    pub(crate) fn take_due(&mut self) -> BTreeMap<ReconcileKey, Trigger> {
        self.update_served_by();
        std::mem::take(&mut self.due)
    }

    pub(crate) fn mark_due(&mut self, key: ReconcileKey) {
        self.due.entry(key).or_insert(Trigger::Event);
    }

    pub(crate) fn mark_services_due(&mut self, keys: impl IntoIterator<Item = Arc<ServiceKey>>) {
        keys.into_iter().for_each(|key| self.mark_due(ReconcileKey::Service(key)));
    }

    fn mark_all_due(&mut self) {
        self.mark_services_due(self.services.keys().cloned().collect::<Vec<_>>());
    }

    /// The number of due Services.
    #[cfg(test)]
    pub(crate) fn due_services(&self) -> usize {
        self.due.keys().filter(|key| matches!(key, ReconcileKey::Service(_))).count()
    }

    /// Marks the Services as due whose old objects have reached their time limit.
    pub(crate) fn advance_to(&mut self, now: Instant) {
        let overdue = self.handovers.take_overdue(now).into_iter();
        let overdue: Vec<_> = overdue.filter(|key| self.services.contains_key(key)).collect();
        self.mark_services_due(overdue);
    }

    /// The time at which [`advance_to`](Self::advance_to) has to be called next.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.handovers.next_deadline()
    }

    // Queries.

    /// Whether everything is listed, and at least one kind that exposes Services can be written.
    pub(crate) fn is_ready(&self) -> bool {
        let is_known = |kind: &Kind| self.kind_status(*kind) != KindStatus::Unknown;
        let mut exposing = Target::ALL.iter().filter_map(|target| Kind::from_name(target.as_str()));
        self.is_listed(Source::Services)
            && self.is_listed(Source::Namespaces)
            && self.knows_servers()
            && Kind::ALL.iter().all(is_known)
            && exposing.any(|kind| self.kind_status(kind) == KindStatus::Listed)
    }

    /// Whether all claims to record are known.
    pub(crate) fn knows_all_claims(&self) -> bool {
        self.is_ready() && self.held.is_complete()
    }

    /// The number of complete lists.
    pub(crate) fn lists(&self) -> ListCount {
        self.lists
    }

    pub(crate) fn is_listed(&self, source: Source) -> bool {
        self.listed.contains(&source)
    }

    pub(crate) fn kind_status(&self, kind: Kind) -> KindStatus {
        self.kinds.get(&kind).cloned().unwrap_or_default()
    }

    /// Whether the controllers of classes and Gateways are known, or known to be unknown.
    pub(crate) fn knows_servers(&self) -> bool {
        ServerKind::ALL.iter().all(|kind| self.server_status(*kind) != KindStatus::Unknown)
    }

    pub(crate) fn server_status(&self, kind: ServerKind) -> KindStatus {
        self.server_kinds.get(&kind).cloned().unwrap_or_default()
    }

    /// Whether an IngressClass is known not to exist.
    pub(crate) fn lacks_ingress_class(&self, name: &str) -> bool {
        self.server_status(ServerKind::IngressClass) == KindStatus::Listed
            && !self.servers.has_ingress_class(name)
    }

    /// Whether a Gateway is known not to exist.
    pub(crate) fn lacks_gateway(&self, namespace: &str, name: &str) -> bool {
        self.server_status(ServerKind::Gateway) == KindStatus::Listed
            && !self.servers.has_gateway(namespace, name)
    }

    /// Whether no old object is kept until its successors serve.
    pub(crate) fn is_settled(&self) -> bool {
        self.handovers.is_settled()
    }

    /// The number of Services, and the number of refused Services.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.services.len(), self.services.values().filter(|entry| entry.refused).count())
    }

    /// The number of objects of each kind that belong to the controller.
    pub(crate) fn owned(&self) -> BTreeMap<Kind, usize> {
        let mut owned = self.objects.owned();
        owned.insert(Kind::ConfigMap, self.url_config_maps.managed());
        owned
    }

    /// The number of objects of a kind that are kept until their successors serve.
    pub(crate) fn kept(&self, kind: Kind) -> usize {
        self.handovers.count(kind)
    }

    // Decisions of the core.

    /// The decisions about a Service and about all Services that share claims with it.
    pub(crate) fn decide(&self, key: &Arc<ServiceKey>) -> Vec<Decision> {
        let group = self.claims.group(key);
        let neighbours = self.claims.neighbours(&group);
        let stored = |key: &Arc<ServiceKey>| self.services.get(key).map(|entry| &entry.stored);
        let beside: Vec<&StoredService> = neighbours.iter().filter_map(stored).collect();
        let members: Vec<Member<'_>> =
            group.iter().filter_map(|key| Some(Member { key: key.clone(), stored: stored(key)? })).collect();
        decide(&members, &beside, &self.settings)
    }

    /// The first Services, at most `limit`, and all Services that share claims with them.
    pub(crate) fn with_claim_group(&self, limit: usize) -> Vec<&ServiceEntry> {
        let mut wanted: BTreeSet<&Arc<ServiceKey>> = self.services.keys().take(limit).collect();
        if wanted.len() < self.services.len() {
            let groups = self.services.keys().take(limit).flat_map(|key| {
                let group = self.claims.group(key);
                let neighbours = self.claims.neighbours(&group);
                group.into_iter().chain(neighbours)
            });
            let known = groups.filter_map(|key| Some(self.services.get_key_value(&key)?.0));
            wanted.extend(known.collect::<Vec<_>>());
        }
        wanted.into_iter().filter_map(|key| self.services.get(key)).collect()
    }

    /// The controller that serves a Service's objects of a kind, and how it is known.
    pub(crate) fn server_of(&self, key: &ServiceKey, kind: Kind) -> Option<String> {
        let target = Target::ALL.into_iter().find(|target| target.as_str() == kind.as_str())?;
        let stored = &self.services.get(key)?.stored;
        let document = stored.document();
        expose(&stored.view(&document), &self.settings).plan()?.server(target)
    }

    /// Sets whether a Service is refused. Its one-way claims only count while it is exposed.
    pub(crate) fn set_refused(&mut self, key: &Arc<ServiceKey>, refused: bool) {
        let Some(entry) = self.services.get_mut(key).filter(|entry| entry.refused != refused) else { return };
        entry.refused = refused;
        let affected = self.claims.set_exposed(key, !refused);
        self.mark_services_due(affected);
    }

    /// Makes a Service that is being deleted and has lost its claims give them up for good.
    pub(crate) fn drop_claims(&mut self, key: &Arc<ServiceKey>) {
        let Some(entry) = self.services.get_mut(key) else { return };
        entry.stored = entry.stored.clone().ending(None);
        let affected = self.claims.set(key, claims(&entry.stored, &self.settings), false);
        self.mark_services_due(affected);
    }
}
