//! The objects in the cluster, the Services that they belong to, and the Services that wait for an object.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::Kind;
use xposer_live::object::Observed;

#[derive(Debug, Default)]
pub(crate) struct ObjectIndex {
    /// All objects of the watched kinds. If an object has no mark of Xposer, only its key is kept.
    objects: BTreeMap<ObjectKey, Option<Box<Observed>>>,
    by_service: BTreeSet<(Arc<ServiceKey>, ObjectKey)>,
    /// Services that wait until an object changes or is deleted.
    waiting: BTreeSet<(ObjectKey, Arc<ServiceKey>)>,
    /// The UIDs of recently deleted objects. The response to a request may arrive after the watch has reported the deletion.
    gone: VecDeque<Box<str>>,
}

/// The maximum number of deletions that are remembered while a request waits for its response.
const MAX_GONE: usize = 1000;

impl ObjectIndex {
    /// Whether the cluster has an object with this name, whoever owns it.
    pub(crate) fn contains(&self, key: &ObjectKey) -> bool {
        self.objects.contains_key(key)
    }

    /// The object with this key, if it has a mark of Xposer.
    pub(crate) fn get(&self, key: &ObjectKey) -> Option<&Observed> {
        self.objects.get(key)?.as_deref()
    }

    /// Sets an object; `None` for an object without a mark of Xposer. Returns the Service that the object belonged to, if it no
    /// longer does.
    pub(crate) fn set(&mut self, key: ObjectKey, observed: Option<Observed>) -> Option<Arc<ServiceKey>> {
        let service = observed.as_ref().map(|observed| observed.service.clone());
        let before = self.get(&key).map(|known| known.service.clone());
        let lost_by = before.filter(|before| Some(before) != service.as_ref());
        if let Some(before) = &lost_by {
            self.by_service.remove(&(before.clone(), key.clone()));
        }
        self.by_service.extend(service.map(|service| (service, key.clone())));
        self.objects.insert(key, observed.map(Box::new));
        lost_by
    }

    /// Removes an object. Returns the Service that it belonged to.
    pub(crate) fn remove(&mut self, key: &ObjectKey) -> Option<Arc<ServiceKey>> {
        let observed = self.objects.remove(key)??;
        self.set_gone(&observed.uid);
        let service = observed.service;
        self.by_service.remove(&(service.clone(), key.clone()));
        Some(service)
    }

    /// Records that the object with this UID was deleted.
    pub(crate) fn set_gone(&mut self, uid: &str) {
        if uid.is_empty() || self.is_gone(uid) {
            return;
        }
        if self.gone.len() == MAX_GONE {
            self.gone.pop_front();
        }
        self.gone.push_back(uid.into());
    }

    /// Whether the object with this UID was deleted recently.
    pub(crate) fn is_gone(&self, uid: &str) -> bool {
        self.gone.iter().any(|gone| **gone == *uid)
    }

    /// Records that the object with this UID is being deleted. A finalizer may delay the deletion.
    pub(crate) fn set_terminating(&mut self, key: &ObjectKey, uid: &str) {
        if let Some(Some(observed)) = self.objects.get_mut(key)
            && *observed.uid == *uid
        {
            observed.terminating = true;
        }
    }

    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &ObjectKey> {
        self.objects.keys().filter(move |key| key.kind == kind)
    }

    pub(crate) fn of_service(
        &self,
        service: &Arc<ServiceKey>,
    ) -> impl Iterator<Item = (&ObjectKey, &Observed)> {
        let first = ObjectKey { kind: Kind::Ingress, namespace: "".into(), name: "".into() };
        let range = self.by_service.range((service.clone(), first)..);
        let objects = range.take_while(move |(known, _)| known == service).map(|(_, object)| object);
        objects.filter_map(|object| Some((object, self.get(object)?)))
    }

    /// The number of objects of each kind that belong to the controller.
    pub(crate) fn owned(&self) -> BTreeMap<Kind, usize> {
        let mut owned: BTreeMap<Kind, usize> = Kind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        for (key, observed) in &self.objects {
            if observed.as_ref().is_some_and(|observed| observed.labelled && observed.managed) {
                *owned.entry(key.kind).or_default() += 1;
            }
        }
        owned
    }

    /// Makes the Service wait until the object changes or is deleted.
    pub(crate) fn wait_for(&mut self, key: ObjectKey, service: Arc<ServiceKey>) {
        self.waiting.insert((key, service));
    }

    /// Returns the Services that wait for the object, which stop waiting.
    pub(crate) fn take_waiting(&mut self, key: &ObjectKey) -> Vec<Arc<ServiceKey>> {
        let from = (key.clone(), ServiceKey::new("", ""));
        let waiting = self.waiting.range(from..).take_while(|(known, _)| known == key);
        let services: Vec<_> = waiting.map(|(_, service)| service.clone()).collect();
        for service in &services {
            self.waiting.remove(&(key.clone(), service.clone()));
        }
        services
    }
}
