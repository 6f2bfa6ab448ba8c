//! Reads and writes the ConfigMaps with claims.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, ListParams, PostParams, Preconditions};
use kube::{Client, Error};
use tokio::sync::watch;
use xposer::conflicts::{SHARD_LABELS, SHARDS, Shard, config_map};
use xposer_live::error::{error_message, has_cause};
use xposer_live::kinds::{Kind, is_missing_permission};
use xposer_live::object::FIELD_MANAGER;

use crate::claim_shards::{Answer, Completed, Failure, Operation, StoredShard, Version, Work, content_hash};
use crate::lease::{self, Leadership};
use crate::metrics::Metrics;
use crate::state::recorded_claims::Content;

/// The time limit of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The number of ConfigMaps in a page; a ConfigMap may have half a megabyte.
const PAGE_SIZE: u32 = 16;
/// The accepted difference, in seconds, of a clock that is ahead of this one. A later time would be trusted for too long.
const MAX_AHEAD: i64 = 60;

/// Carries out the work of the schedule, as long as this replica leads.
pub(crate) async fn carry_out(
    client: Client,
    metrics: Arc<Metrics>,
    leads: watch::Receiver<Leadership>,
    work: Work,
) -> Completed {
    if let Some(said) = lease::refusal(&leads) {
        return Completed { work, result: Err(Failure::Unavailable(said)) };
    }
    let maps = Maps { api: Api::namespaced(client, &work.namespace), metrics: metrics.clone() };
    let result = match &work.operation {
        Operation::List => maps.list(found_of).await.map(Answer::Listed),
        Operation::Delete => maps.delete().await.map(|()| Answer::Deleted),
        Operation::Read(number) => {
            maps.read(*number).await.map(|found| Answer::Read(found.as_ref().map(found_of)))
        }
        Operation::Write(number, content, version) => {
            maps.write(*number, content, version.as_ref()).await.map(Answer::Written)
        }
    };
    if let Err(failure) = &result {
        metrics.claims_failed(failure.word());
    }
    Completed { work, result }
}

/// The ConfigMaps of a namespace.
struct Maps {
    api: Api<ConfigMap>,
    metrics: Arc<Metrics>,
}

impl Maps {
    /// Sends a request, and waits for the answer until the time limit.
    async fn ask<T>(
        &self,
        verb: &'static str,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.metrics.request(verb, Kind::ConfigMap.as_str());
        let timeout = tokio::time::timeout(REQUEST_TIMEOUT, request).await;
        timeout.unwrap_or_else(|_| Err(Error::Service("no answer".into())))
    }

    /// Lists the ConfigMaps of Xposer, and returns the result of `keep` for each shard. Only that is kept, because all ConfigMaps
    /// together may be large.
    async fn list<T>(&self, keep: impl Fn(&ConfigMap) -> T) -> Result<BTreeMap<u64, T>, Failure> {
        let numbers: BTreeMap<String, u64> = (0..SHARDS).map(|number| (config_map(number), number)).collect();
        let selector = SHARD_LABELS.map(|(key, value)| format!("{key}={value}")).join(",");
        let mut params = ListParams::default().labels(&selector).limit(PAGE_SIZE);
        let mut all = BTreeMap::new();
        loop {
            let page = self.ask("list", self.api.list(&params)).await.map_err(|error| failure(&error))?;
            let ours = page
                .items
                .into_iter()
                .filter_map(|map| Some((*numbers.get(map.metadata.name.as_deref()?)?, keep(&map))));
            all.extend(ours);
            match page.metadata.continue_.filter(|more| !more.is_empty()) {
                Some(more) => params = params.continue_token(&more),
                None => return Ok(all),
            }
        }
    }

    async fn read(&self, number: u64) -> Result<Option<ConfigMap>, Failure> {
        let found = self.ask("get", self.api.get_opt(&config_map(number))).await;
        found.map_err(|error| failure(&error))
    }

    /// Creates or replaces the ConfigMap of a shard.
    async fn write(
        &self,
        number: u64,
        content: &Content,
        version: Option<&Version>,
    ) -> Result<Version, Failure> {
        let Content { buckets, .. } = content;
        let written = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let state = content.state(written);
        let name = config_map(number);
        let map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                labels: Some(SHARD_LABELS.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
                uid: version.map(|it| it.uid.clone()),
                resource_version: version.map(|it| it.version.clone()),
                // An update with one empty entry makes the API server drop `managedFields`, which would name every key in each
                // response to a reader.
                managed_fields: Some(vec![ManagedFieldsEntry::default()]),
                ..ObjectMeta::default()
            },
            data: Some(state.data(buckets)),
            ..ConfigMap::default()
        };
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let answer = match version {
            Some(_) => self.ask("update", self.api.replace(&name, &params, &map)).await,
            None => self.ask("create", self.api.create(&params, &map)).await,
        };
        let written = answer.map_err(|error| match (failure(&error), version) {
            // The ConfigMap did exist, so the namespace does.
            (Failure::NoNamespace(_), Some(_)) => Failure::Outdated,
            (failure, _) => failure,
        })?;
        self.metrics.claims_written();
        Ok(version_of(&written.metadata))
    }

    /// Deletes all ConfigMaps of Xposer.
    async fn delete(&self) -> Result<(), Failure> {
        for (number, Version { uid, version }) in self.list(|map| version_of(&map.metadata)).await? {
            let only = Preconditions { uid: Some(uid), resource_version: Some(version) };
            let params = DeleteParams::background().preconditions(only);
            match self.ask("delete", self.api.delete(&config_map(number), &params)).await {
                // Another client has deleted or changed it.
                Err(Error::Api(status)) if matches!(status.code, 404 | 409) => {}
                deleted => drop(deleted.map_err(|error| failure(&error))?),
            }
        }
        Ok(())
    }
}

fn version_of(metadata: &ObjectMeta) -> Version {
    Version {
        uid: metadata.uid.clone().unwrap_or_default(),
        version: metadata.resource_version.clone().unwrap_or_default(),
    }
}

fn found_of(map: &ConfigMap) -> StoredShard {
    let has = |key: &str, value: &str| {
        map.metadata.labels.as_ref().and_then(|labels| labels.get(key)).is_some_and(|it| it == value)
    };
    let shard = map.data.as_ref().and_then(Shard::from_data);
    let written = shard.as_ref().and_then(|shard| shard.state.written.parse::<Timestamp>().ok());
    let age = written.map(|written| Timestamp::now().as_second() - written.as_second());
    let age = age.filter(|age| *age >= -MAX_AHEAD);
    StoredShard {
        version: version_of(&map.metadata),
        is_ours: SHARD_LABELS.into_iter().all(|(key, value)| has(key, value)),
        content_hash: shard.and_then(content_hash),
        age: age.map(|age| Duration::from_secs(age.try_into().unwrap_or_default())),
    }
}

/// The failure that an error of the API server means for a ConfigMap.
fn failure(error: &Error) -> Failure {
    let message = error_message(error);
    let Error::Api(status) = error else { return Failure::Unavailable(message) };
    match status.code {
        404 => Failure::NoNamespace(message),
        403 if has_cause(status, "NamespaceTerminating") => Failure::NoNamespace(message),
        403 if is_missing_permission(Kind::ConfigMap, &message) => Failure::NoPermission(message),
        // Another client created, changed or deleted the ConfigMap, so the list is outdated and has to be requested again.
        409 => Failure::Outdated,
        410 | 429 | 500.. => Failure::Unavailable(message),
        _ => Failure::Refused(message),
    }
}
