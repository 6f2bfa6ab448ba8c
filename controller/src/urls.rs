//! The URL ConfigMaps: one `xposer` a namespace, with the entries of its own Services and those of the whole cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Map, Value, json};
use xposer::{MANAGED_BY, MANAGED_BY_LABEL, Published, Scope, URL_CONFIG_MAP};

use crate::document::Document;
use crate::kinds::Kind;
use crate::live::{ObjectKey, hash, our_fields};
use crate::service::ServiceKey;
use crate::write::{How, Write};

/// Entries, namespaces, and the ConfigMaps that are there.
#[derive(Debug, Default)]
pub(crate) struct Urls {
    entries: BTreeMap<Arc<ServiceKey>, Published>,
    namespaces: BTreeSet<Box<str>>,
    maps: BTreeMap<Box<str>, LiveMap>,
}

/// What is kept of a ConfigMap named `xposer`.
#[derive(Debug)]
struct LiveMap {
    uid: Box<str>,
    version: Box<str>,
    /// Whether we have made it.
    labelled: bool,
    /// Whether there is something of ours in it.
    managed: bool,
    /// The keys of others.
    others: BTreeMap<Box<str>, Box<str>>,
    /// The hash of our keys and what stands there.
    ours: u64,
}

impl Urls {
    /// The namespaces whose ConfigMap changes where a Service publishes this now.
    pub(crate) fn publish(
        &mut self,
        service: &Arc<ServiceKey>,
        published: Option<Published>,
    ) -> Vec<Box<str>> {
        let before = self.entries.get(service);
        if before == published.as_ref() {
            return Vec::new();
        }
        let is_global = |it: &Published| it.scope == Scope::Globally;
        let everywhere = before.is_some_and(is_global) || published.as_ref().is_some_and(is_global);
        match published {
            Some(published) => self.entries.insert(service.clone(), published),
            None => self.entries.remove(service),
        };
        if everywhere { self.all() } else { vec![service.namespace.clone()] }
    }

    /// Every namespace that has a ConfigMap, or could have one.
    pub(crate) fn all(&self) -> Vec<Box<str>> {
        let all: BTreeSet<&Box<str>> = self.namespaces.iter().chain(self.maps.keys()).collect();
        all.into_iter().cloned().collect()
    }

    /// A namespace is there; gives whether that is new.
    pub(crate) fn add_namespace(&mut self, name: &str) -> bool {
        self.namespaces.insert(name.into())
    }

    /// A namespace is going, and takes everything with it.
    pub(crate) fn remove_namespace(&mut self, name: &str) {
        self.namespaces.remove(name);
        self.maps.remove(name);
    }

    /// How many ConfigMaps have something of ours in them.
    pub(crate) fn managed(&self) -> usize {
        self.maps.values().filter(|live| live.managed).count()
    }

    /// The namespaces that have a ConfigMap.
    pub(crate) fn all_maps(&self) -> impl Iterator<Item = &str> {
        self.maps.keys().map(|name| &**name)
    }

    pub(crate) fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(|name| &**name)
    }

    /// A ConfigMap is there, as it says. Gives whether there is something to do.
    pub(crate) fn observe(&mut self, document: &Document) -> bool {
        let metadata = &document.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let version = metadata.resource_version.as_deref().unwrap_or_default();
        let label = metadata.labels.as_ref().and_then(|labels| labels.get(MANAGED_BY_LABEL));
        let labelled = label.is_some_and(|by| by == MANAGED_BY);
        let keys = our_keys(metadata);
        let mut others = BTreeMap::new();
        let mut ours = BTreeMap::new();
        for (key, value) in document.data.as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            if keys.contains(key.as_str()) {
                ours.insert(key.as_str(), value);
            } else {
                others.insert(key.as_str().into(), value.into());
            }
        }
        let live = LiveMap {
            uid: metadata.uid.as_deref().unwrap_or_default().into(),
            version: version.into(),
            labelled,
            managed: our_fields(metadata).is_some_and(|fields| fields.get("f:data").is_some()) || labelled,
            ours: hash(&ours),
            others,
        };
        self.maps.insert(namespace.into(), live);
        self.turn(namespace).is_some()
    }

    /// A ConfigMap is gone.
    pub(crate) fn forget(&mut self, namespace: &str) {
        self.maps.remove(namespace);
    }

    /// What is published in a namespace.
    fn published(&self, namespace: &str) -> impl Iterator<Item = (&Arc<ServiceKey>, &Published)> {
        self.entries.iter().filter(move |(service, published)| {
            published.scope == Scope::Globally || *service.namespace == *namespace
        })
    }

    /// What a namespace's entries make of its ConfigMap; nothing where it has none.
    fn wanted(&self, namespace: &str, live: Option<&LiveMap>) -> Option<Value> {
        let is_free =
            |(_, published): &(&Arc<ServiceKey>, &Published)| !live.is_some_and(|it| it.is_taken(published));
        let data: Map<String, Value> = self
            .published(namespace)
            .filter(is_free)
            .map(|(_, published)| (published.key.clone(), published.value.as_str().into()))
            .collect();
        if data.is_empty() {
            return None;
        }
        let mut metadata = json!({"name": URL_CONFIG_MAP, "namespace": namespace});
        // The ConfigMap of somebody else gets our keys, and no label that says it is ours.
        if live.is_none_or(|live| live.labelled)
            && let Some(metadata) = metadata.as_object_mut()
        {
            metadata.insert("labels".to_owned(), json!({MANAGED_BY_LABEL: MANAGED_BY}));
        }
        Some(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}))
    }

    /// The Services whose key somebody else has, with another value.
    pub(crate) fn taken(&self, namespace: &str) -> Vec<(Arc<ServiceKey>, String)> {
        let Some(live) = self.maps.get(namespace) else { return Vec::new() };
        let is_taken = |(_, published): &(&Arc<ServiceKey>, &Published)| live.is_taken(published);
        let taken = self.published(namespace).filter(is_taken);
        taken.map(|(service, published)| (service.clone(), published.key.clone())).collect()
    }

    /// What is to be written so that a namespace's ConfigMap is what it should be.
    pub(crate) fn turn(&self, namespace: &str) -> Option<Write> {
        if !self.namespaces.contains(namespace) {
            return None;
        }
        let key =
            ObjectKey { kind: Kind::ConfigMap, namespace: namespace.into(), name: URL_CONFIG_MAP.into() };
        let live = self.maps.get(namespace);
        match (live, self.wanted(namespace, live)) {
            (None, None) => None,
            (Some(live), Some(body)) if body.get("data").map(hash) == Some(live.ours) => None,
            (live, Some(body)) => {
                let is_ours = live.is_some_and(|live| live.labelled);
                let how = if is_ours { How::Ours } else { How::Beside };
                Some(Write::Apply { key, hash: hash(&body), body, how })
            }
            (Some(live), None) if !live.managed => None,
            (Some(live), None) if live.labelled && live.others.is_empty() => {
                Some(Write::Delete { key, uid: live.uid.clone(), version: live.version.clone() })
            }
            (Some(_), None) => Some(Write::Withdraw { key }),
        }
    }

    /// The Services that have an entry in a namespace's ConfigMap.
    pub(crate) fn publishers(&self, namespace: &str) -> Vec<Arc<ServiceKey>> {
        self.published(namespace).map(|(service, _)| service.clone()).collect()
    }
}

impl LiveMap {
    /// Whether somebody else has this key, with another value. In a ConfigMap that we made, our keys are ours.
    fn is_taken(&self, published: &Published) -> bool {
        !self.labelled
            && self.others.get(published.key.as_str()).is_some_and(|value| **value != *published.value)
    }
}

/// The keys that we have applied.
fn our_keys(metadata: &ObjectMeta) -> BTreeSet<&str> {
    let data = our_fields(metadata).and_then(|fields| fields.get("f:data")).and_then(Value::as_object);
    data.into_iter().flatten().filter_map(|(key, _)| key.strip_prefix("f:")).collect()
}
