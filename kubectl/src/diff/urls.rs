//! The changes of the entries in URL ConfigMaps.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Namespace;
use kube::api::Api;
use serde_json::{Value, json};
use xposer::emit::URL_CONFIG_MAP;
use xposer::plan::{Published, Scope};
use xposer::service::{MANAGED_BY, MANAGED_BY_LABEL};
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::{self, Kind};
use xposer_live::object::our_field_set;
use xposer_live::plan::{Decision, DecisionResult};
use xposer_manifest::Finding;

use super::compared::{Change, Compared};
use crate::connect::Connection;
use crate::failure::Failure;
use crate::world::ClusterObjects;

/// Compares the ConfigMaps of the namespaces that the user selected.
pub(super) async fn compare(
    connection: &Connection,
    world: &ClusterObjects,
    decisions: &[Decision],
    compared: &mut Compared,
) -> Result<(), Failure> {
    let published: Vec<(&ServiceKey, &Published)> = decisions.iter().filter_map(published).collect();
    let mut maps = BTreeMap::new();
    let scope = world.scope.as_deref();
    let resource = kinds::resource(Kind::ConfigMap);
    let (api, plural) = (connection.api::<Document>(&resource, scope), &resource.plural);
    match scope {
        // A role may permit reading only this name.
        Some(namespace) => match connection.ask(("get", plural, scope), api.get(URL_CONFIG_MAP)).await {
            Ok(map) => {
                maps.insert(namespace.to_owned(), map);
            }
            Err(refusal) if refusal.code == 404 => {}
            Err(refusal) => return refused(refusal.code, refusal.failure, &published, compared),
        },
        None => {
            let parameters =
                kube::api::ListParams::default().fields(&format!("metadata.name={URL_CONFIG_MAP}"));
            match connection.ask(("list", plural, scope), api.list(&parameters)).await {
                Ok(list) => maps.extend(
                    list.items
                        .into_iter()
                        .map(|map| (map.metadata.namespace.clone().unwrap_or_default(), map)),
                ),
                Err(refusal) => return refused(refusal.code, refusal.failure, &published, compared),
            }
        }
    }
    for namespace in namespaces(connection, world, &published, &maps).await? {
        compared.map(&namespace, maps.get(&namespace), world, decisions, &published);
    }
    Ok(())
}

/// Handles a refused read, which is an error only if there is something to compare.
fn refused(
    code: u16,
    failure: Failure,
    published: &[(&ServiceKey, &Published)],
    compared: &mut Compared,
) -> Result<(), Failure> {
    if code != 403 || !published.is_empty() {
        return Err(failure);
    }
    let message = "there is no permission to read configmaps, so it is not known whether entries of the URL ConfigMap would be removed";
    compared.notes.push(Finding::warning(message));
    Ok(())
}

pub(super) fn published(decision: &Decision) -> Option<(&ServiceKey, &Published)> {
    match &decision.result {
        DecisionResult::Exposed(exposed) => Some((&*decision.key, exposed.published.as_ref()?)),
        DecisionResult::Refused | DecisionResult::Conflicted => None,
    }
}

/// The namespaces whose ConfigMap may change.
async fn namespaces(
    connection: &Connection,
    world: &ClusterObjects,
    published: &[(&ServiceKey, &Published)],
    maps: &BTreeMap<String, Document>,
) -> Result<BTreeSet<String>, Failure> {
    if let Some(namespace) = &world.scope {
        return Ok([namespace.clone()].into());
    }
    let mut names: BTreeSet<String> = maps.keys().cloned().collect();
    names.extend(published.iter().map(|(service, _)| service.namespace.to_string()));
    if published.iter().any(|(_, it)| it.scope == Scope::Globally) {
        let api: Api<Namespace> = Api::all(connection.client.clone());
        let all = connection.list(&api, "namespaces", None, None).await?;
        let lasting = all.into_iter().filter(|it| it.metadata.deletion_timestamp.is_none());
        names.extend(lasting.filter_map(|namespace| namespace.metadata.name));
    }
    Ok(names)
}

impl Compared {
    fn map(
        &mut self,
        namespace: &str,
        map: Option<&Document>,
        world: &ClusterObjects,
        decisions: &[Decision],
        published: &[(&ServiceKey, &Published)],
    ) {
        let none = json!({});
        let data = map.and_then(|map| map.data.as_object());
        let ours = map.and_then(|map| our_field_set(&map.metadata));
        let ours = ours.as_ref().and_then(|fields| fields.get("f:data")).unwrap_or(&none);
        let labelled = map.is_some_and(is_labelled);
        let is_ours = |key: &str| ours.get(format!("f:{key}")).is_some();
        let value = |key: &str| data.and_then(|data| data.get(key)).and_then(Value::as_str);
        let key_of = |service: &ServiceKey| Published::key_of(&service.name, &service.namespace);

        let mut wanted = BTreeMap::new();
        for (service, entry) in published {
            if entry.scope == Scope::Locally && *service.namespace != *namespace {
                continue;
            }
            let is_foreign =
                !labelled && !is_ours(&entry.key) && value(&entry.key).is_some_and(|it| it != entry.value);
            if !is_foreign {
                wanted.insert(entry.key.clone(), entry.value.clone());
            } else if world.is_chosen(service) {
                self.notes.push(Finding::warning(format!(
                    "the key {} of ConfigMap {namespace}/{URL_CONFIG_MAP} belongs to another owner and would not be changed",
                    entry.key
                )).help("remove it there, or rename the Service"));
            }
        }
        // The entry of a Service that has become invalid is kept.
        let refused = decisions.iter().filter(|it| matches!(it.result, DecisionResult::Refused));
        let refused: BTreeSet<String> = refused.map(|it| key_of(&it.key)).collect();
        // Only the entries of the selected Services are shown.
        let chosen: Option<BTreeSet<String>> =
            world.chosen.as_ref().map(|chosen| chosen.iter().map(|service| key_of(service)).collect());
        let chosen = |key: &str| chosen.as_ref().is_none_or(|chosen| chosen.contains(key));
        let before: BTreeMap<&str, &str> = data
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
            .filter(|(key, _)| {
                chosen(key) && !refused.contains(*key) && (is_ours(key) || wanted.contains_key(*key))
            })
            .collect();
        let after: BTreeMap<&str, &str> = wanted
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .filter(|(key, _)| chosen(key) && !refused.contains(*key))
            .collect();
        if before == after {
            return;
        }
        let key =
            ObjectKey { kind: Kind::ConfigMap, namespace: namespace.into(), name: URL_CONFIG_MAP.into() };
        let object = |data: BTreeMap<&str, &str>| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": URL_CONFIG_MAP, "namespace": namespace}, "data": data});
        let has_others = data.is_some_and(|data| data.len() > before.len());
        let verb = match (map, after.is_empty()) {
            (None, _) => "create",
            (Some(_), true) if labelled && !has_others => "delete",
            (Some(_), _) => "update",
        };
        self.changes.push(Change {
            verb,
            object: key.to_string(),
            before: (verb != "create").then(|| object(before)),
            after: (verb != "delete").then(|| object(after)),
        });
    }
}

/// Whether the object has the labels of Xposer.
fn is_labelled(document: &Document) -> bool {
    let labels = document.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(MANAGED_BY_LABEL)).is_some_and(|by| by == MANAGED_BY)
}
