//! The URL ConfigMaps: one `xposer` in each namespace, with the entries of its own Services and of Services that publish globally.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Map, Value, json};
use xposer::emit::URL_CONFIG_MAP;
use xposer::plan::{Published, Scope};
use xposer::service::{MANAGED_BY, MANAGED_BY_LABEL};
use xposer_live::digest::json_digest;
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::Kind;
use xposer_live::object::our_fields;

use crate::actions::{Action, ApplyMode};

/// The entries that Services publish, the namespaces, and the ConfigMaps in the cluster.
#[derive(Debug, Default)]
pub(crate) struct UrlConfigMaps {
    entries: BTreeMap<Arc<ServiceKey>, Published>,
    namespaces: BTreeSet<Box<str>>,
    maps: BTreeMap<Box<str>, ObservedConfigMap>,
}

/// The stored facts about a ConfigMap.
#[derive(Debug)]
struct ObservedConfigMap {
    uid: Box<str>,
    version: Box<str>,
    /// Whether the ConfigMap has the label, because the controller created it.
    labelled: bool,
    /// Whether the ConfigMap has keys of the controller, or the label.
    managed: bool,
    /// The keys of other managers.
    others: BTreeMap<Box<str>, Box<str>>,
    /// The hash of the controller's keys and their values.
    ours: u64,
}

impl UrlConfigMaps {
    /// Sets the published entry of a Service. Returns the namespaces whose ConfigMap may change.
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

    /// All namespaces, and those that still have a ConfigMap.
    fn all(&self) -> Vec<Box<str>> {
        let all: BTreeSet<&Box<str>> = self.namespaces.iter().chain(self.maps.keys()).collect();
        all.into_iter().cloned().collect()
    }

    /// Adds a namespace. Returns whether it is new.
    pub(crate) fn add_namespace(&mut self, name: &str) -> bool {
        self.namespaces.insert(name.into())
    }

    /// Removes a deleted namespace, together with its ConfigMap.
    pub(crate) fn remove_namespace(&mut self, name: &str) {
        self.namespaces.remove(name);
        self.maps.remove(name);
    }

    /// The number of ConfigMaps with keys of the controller.
    pub(crate) fn managed(&self) -> usize {
        self.maps.values().filter(|observed| observed.managed).count()
    }

    /// The namespaces that have a ConfigMap.
    pub(crate) fn with_config_map(&self) -> impl Iterator<Item = &str> {
        self.maps.keys().map(|name| &**name)
    }

    pub(crate) fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(|name| &**name)
    }

    /// Sets the content of a ConfigMap. Returns whether it has to be changed.
    pub(crate) fn apply(&mut self, document: &Document) -> bool {
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
        let observed = ObservedConfigMap {
            uid: metadata.uid.as_deref().unwrap_or_default().into(),
            version: version.into(),
            labelled,
            managed: our_fields(metadata).any(|fields| fields.get("f:data").is_some()) || labelled,
            ours: json_digest(&ours),
            others,
        };
        self.maps.insert(namespace.into(), observed);
        self.action(namespace).is_some()
    }

    /// Removes a deleted ConfigMap. Returns its UID.
    pub(crate) fn delete(&mut self, namespace: &str) -> Option<Box<str>> {
        Some(self.maps.remove(namespace)?.uid)
    }

    /// The UID and the version of the ConfigMap of a namespace, if they are known.
    pub(crate) fn version(&self, namespace: &str) -> Option<(&str, &str)> {
        let observed = self.maps.get(namespace)?;
        Some((&observed.uid, &observed.version))
    }

    /// The entries of a namespace.
    fn published(&self, namespace: &str) -> impl Iterator<Item = (&Arc<ServiceKey>, &Published)> {
        self.entries.iter().filter(move |(service, published)| {
            published.scope == Scope::Globally || *service.namespace == *namespace
        })
    }

    /// The desired ConfigMap of a namespace; `None` if it has no entries.
    fn desired(&self, namespace: &str, observed: Option<&ObservedConfigMap>) -> Option<Value> {
        let is_free = |(_, published): &(&Arc<ServiceKey>, &Published)| {
            !observed.is_some_and(|it| it.has_foreign_key(published))
        };
        let data: Map<String, Value> = self
            .published(namespace)
            .filter(is_free)
            .map(|(_, published)| (published.key.clone(), published.value.as_str().into()))
            .collect();
        if data.is_empty() {
            return None;
        }
        let mut metadata = json!({"name": URL_CONFIG_MAP, "namespace": namespace});
        // A ConfigMap of another owner gets the keys, but not the label that marks it as one of Xposer.
        if observed.is_none_or(|observed| observed.labelled)
            && let Some(metadata) = metadata.as_object_mut()
        {
            metadata.insert("labels".to_owned(), json!({MANAGED_BY_LABEL: MANAGED_BY}));
        }
        Some(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}))
    }

    /// The Services whose key another manager has set to another value, with the key.
    pub(crate) fn foreign_keys(&self, namespace: &str) -> Vec<(Arc<ServiceKey>, String)> {
        let Some(observed) = self.maps.get(namespace) else { return Vec::new() };
        let is_foreign =
            |(_, published): &(&Arc<ServiceKey>, &Published)| observed.has_foreign_key(published);
        let foreign = self.published(namespace).filter(is_foreign);
        foreign.map(|(service, published)| (service.clone(), published.key.clone())).collect()
    }

    /// The action that makes the ConfigMap of a namespace as desired; `None` if it is.
    pub(crate) fn action(&self, namespace: &str) -> Option<Action> {
        if !self.namespaces.contains(namespace) {
            return None;
        }
        let key =
            ObjectKey { kind: Kind::ConfigMap, namespace: namespace.into(), name: URL_CONFIG_MAP.into() };
        let observed = self.maps.get(namespace);
        match (observed, self.desired(namespace, observed)) {
            (None, None) => None,
            (Some(observed), Some(body)) if body.get("data").map(json_digest) == Some(observed.ours) => None,
            (observed, Some(body)) => {
                let is_ours = observed.is_some_and(|observed| observed.labelled);
                let mode = if is_ours { ApplyMode::Update } else { ApplyMode::Share };
                Some(Action::Apply { key, hash: json_digest(&body), body, mode })
            }
            (Some(observed), None) if !observed.managed => None,
            (Some(observed), None) if observed.labelled && observed.others.is_empty() => {
                Some(Action::Delete { key, uid: observed.uid.clone(), version: observed.version.clone() })
            }
            (Some(_), None) => Some(Action::Withdraw { key }),
        }
    }

    /// The Services that have an entry in a namespace's ConfigMap.
    pub(crate) fn publishers(&self, namespace: &str) -> Vec<Arc<ServiceKey>> {
        self.published(namespace).map(|(service, _)| service.clone()).collect()
    }
}

impl ObservedConfigMap {
    /// Whether another manager has set this key to another value. In a ConfigMap that the controller created, the key belongs to
    /// the controller.
    fn has_foreign_key(&self, published: &Published) -> bool {
        !self.labelled
            && self.others.get(published.key.as_str()).is_some_and(|value| **value != *published.value)
    }
}

/// The keys that the controller applied.
fn our_keys(metadata: &ObjectMeta) -> BTreeSet<&str> {
    let data = our_fields(metadata).filter_map(|fields| fields.get("f:data")?.as_object());
    data.flatten().filter_map(|(key, _)| key.strip_prefix("f:")).collect()
}
