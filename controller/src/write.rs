//! What is written to the API server, and how; nothing else in the program writes but events and the lease.

use std::sync::Arc;
use std::time::Duration;

use kube::api::{Api, DeleteParams, Patch, PatchParams, Preconditions};
use kube::core::Status;
use kube::{Client, Error};
use serde_json::{Value, json};
use xposer::EXPOSE_LABEL;

use crate::document::Document;
use crate::kinds::{self, Kind};
use crate::live::{FIELD_MANAGER, ObjectKey, has_other_managers, uncontesting};
use crate::metrics::Metrics;
use crate::service::ServiceKey;
use crate::watch::said;

/// The name under which the URL is written back on a Service.
const STAMP_MANAGER: &str = "xposer-stamp";

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One request that changes something.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    /// Make an object be this.
    Apply { key: ObjectKey, body: Value, hash: u64, how: How },
    /// Make an object of somebody else be this, and nothing else.
    Adopt { key: ObjectKey, body: Value, hash: u64 },
    /// Take back what we have applied, and leave the rest.
    Withdraw { key: ObjectKey },
    /// Delete exactly this version of this object.
    Delete { key: ObjectKey, uid: Box<str>, version: Box<str> },
    /// Delete this version of this object if its Service is still there and does not ask for it any more; where the
    /// Service is gone, Kubernetes deletes it.
    DeleteUnasked {
        key: ObjectKey,
        uid: Box<str>,
        version: Box<str>,
        service: Arc<ServiceKey>,
        owner: Box<str>,
    },
    /// Make the annotations that are written back on a Service be these.
    Stamp { service: Arc<ServiceKey>, uid: Box<str>, annotations: Vec<(&'static str, String)> },
}

/// How an object is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It is not there. What others decide at the same moment stands, and is an error.
    New,
    /// It is somebody else's, who decides where we differ; that is an error.
    Beside,
    /// It is ours, and what others have decided gives way.
    Ours,
    /// It is ours, and others who have a say in the same fields lose it.
    Contested,
}

impl How {
    /// Whether what others have decided gives way.
    pub(crate) fn is_forced(self) -> bool {
        matches!(self, Self::Ours | Self::Contested)
    }
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Written {
    /// The object, as it is now.
    Applied { key: ObjectKey, hash: u64, document: Box<Document>, is_new: bool, adopted: bool },
    /// It is gone, or going.
    Deleted { key: ObjectKey },
    /// Nothing needed to be done, or nothing that anybody has to know.
    Done,
}

/// Why it was not written.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// Somebody else has this object, or this part of it.
    Foreign { key: ObjectKey, said: String },
    /// The object is not the one we knew; the watch will say what it is.
    Outdated,
    /// The API server did not want it.
    Refused { key: Option<ObjectKey>, said: String },
    /// The API server cannot be reached, or asks for patience.
    Unavailable(String),
}

/// Where objects of a kind are written.
fn api(client: &Client, kind: Kind, namespace: &str) -> Api<Document> {
    Api::namespaced_with(client.clone(), namespace, &kinds::resource(kind))
}

/// The Services of a namespace.
fn services(client: &Client, namespace: &str) -> Api<Document> {
    Api::namespaced_with(client.clone(), namespace, &service_resource())
}

pub(crate) fn service_resource() -> kube::api::ApiResource {
    kube::api::ApiResource::erase::<k8s_openapi::api::core::v1::Service>(&())
}

/// Writes in order, and stops at the first thing that is wrong: what is old goes only where what is new is there.
pub(crate) async fn write_all(
    client: Client,
    metrics: Arc<Metrics>,
    writes: Vec<Write>,
) -> Vec<Result<Written, Wrong>> {
    let mut results = Vec::with_capacity(writes.len());
    let mut is_wrong = false;
    for write in writes {
        // Objects of one Service do not wait for each other, but nothing is deleted where one is missing.
        if is_wrong && matches!(write, Write::Delete { .. } | Write::Stamp { .. }) {
            continue;
        }
        let answer = tokio::time::timeout(PATIENCE, write.perform(&client, &metrics)).await;
        let result = answer.unwrap_or_else(|_| Err(Wrong::Unavailable("no answer".to_owned())));
        is_wrong |= result.is_err();
        let gives_up = matches!(result, Err(Wrong::Unavailable(_)));
        results.push(result);
        if gives_up {
            break;
        }
    }
    results
}

impl Write {
    async fn perform(self, client: &Client, metrics: &Metrics) -> Result<Written, Wrong> {
        match self {
            Self::Apply { key, body, hash, how } => {
                if how == How::Contested {
                    uncontest(client, metrics, &key).await?;
                }
                let document = apply(client, metrics, &key, &body, how.is_forced()).await?;
                let is_new = how == How::New;
                if is_new && has_other_managers(&document.metadata) {
                    // Somebody made an object of this name, with the very same content, before the watch told us.
                    apply(client, metrics, &key, &bare(&key), true).await?;
                    let said = "it was made by somebody else at the same time".to_owned();
                    return Err(Wrong::Foreign { key, said });
                }
                Ok(Written::Applied { key, hash, document: document.into(), is_new, adopted: false })
            }
            Self::Adopt { key, body, hash } => {
                let document = adopt(client, metrics, &key, &body).await?;
                Ok(Written::Applied { key, hash, document: document.into(), is_new: false, adopted: true })
            }
            Self::Withdraw { key } => {
                let document = apply(client, metrics, &key, &bare(&key), true).await?;
                Ok(Written::Applied {
                    key,
                    hash: 0,
                    document: document.into(),
                    is_new: false,
                    adopted: false,
                })
            }
            Self::Delete { key, uid, version } => delete(client, metrics, key, &uid, &version).await,
            Self::DeleteUnasked { key, uid, version, service, owner } => {
                metrics.request("get", "Service");
                let found = services(client, &service.namespace).get_opt(&service.name).await;
                let Some(found) = found.map_err(|error| Wrong::new(None, &error))? else {
                    return Ok(Written::Done);
                };
                let labels = found.metadata.labels.unwrap_or_default();
                let asks = labels.get(EXPOSE_LABEL).is_some_and(|value| value == "true");
                if asks || found.metadata.uid.as_deref() != Some(&*owner) {
                    return Ok(Written::Done);
                }
                delete(client, metrics, key, &uid, &version).await
            }
            Self::Stamp { service, uid, annotations } => {
                let annotations: serde_json::Map<String, Value> =
                    annotations.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
                // With its UID, a Service that is gone is not made anew.
                let body = json!({
                    "apiVersion": "v1", "kind": "Service",
                    "metadata": {"name": *service.name, "uid": *uid, "annotations": annotations},
                });
                metrics.request("apply", "Service");
                let params = PatchParams { force: true, ..PatchParams::apply(STAMP_MANAGER) };
                let api = services(client, &service.namespace);
                match api.patch(&service.name, &params, &Patch::Apply(&body)).await {
                    Ok(_) => Ok(Written::Done),
                    Err(Error::Api(status)) if status.code == 409 => Ok(Written::Done),
                    Err(error) => Err(Wrong::new(None, &error)),
                }
            }
        }
    }
}

async fn apply(
    client: &Client,
    metrics: &Metrics,
    key: &ObjectKey,
    body: &Value,
    force: bool,
) -> Result<Document, Wrong> {
    metrics.request("apply", key.kind.as_str());
    let started = std::time::Instant::now();
    let params = PatchParams { force, ..PatchParams::apply(FIELD_MANAGER) };
    let applied = api(client, key.kind, &key.namespace).patch(&key.name, &params, &Patch::Apply(body)).await;
    metrics.applied(started.elapsed());
    applied.map_err(|error| match error {
        Error::Api(status) if has_cause(&status, "FieldManagerConflict") => {
            Wrong::Foreign { key: key.clone(), said: status.message.clone() }
        }
        error => Wrong::new(Some(key), &error),
    })
}

/// An object of which we say nothing.
fn bare(key: &ObjectKey) -> Value {
    let resource = kinds::resource(key.kind);
    json!({"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": *key.name}})
}

/// Takes over an object: our fields first, so that nothing is missing at any time; then what is left of others goes,
/// but for their labels and finalizers.
async fn adopt(client: &Client, metrics: &Metrics, key: &ObjectKey, body: &Value) -> Result<Document, Wrong> {
    let document = apply(client, metrics, key, body, true).await?;
    let live = serde_json::to_value(&document).unwrap_or_default();
    let rest = |pointer: &str| {
        let (live, wanted) = (live.pointer(pointer), body.pointer(pointer));
        without_rest(live.unwrap_or(&Value::Null), wanted.unwrap_or(&Value::Null))
    };
    // Who else has fields in it gives them up, or a later wish of ours could not remove what was adopted now.
    let fields = document.metadata.managed_fields.into_iter().flatten();
    let kept: Vec<_> = fields
        .filter(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER) || entry.subresource.is_some())
        .collect();
    let patch = json!({
        "metadata": {
            "annotations": rest("/metadata/annotations"),
            "managedFields": kept,
            "resourceVersion": document.metadata.resource_version,
        },
        "spec": rest("/spec"),
    });
    metrics.request("patch", key.kind.as_str());
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    api(client, key.kind, &key.namespace)
        .patch(&key.name, &params, &Patch::Merge(&patch))
        .await
        .map_err(|error| Wrong::new(Some(key), &error))
}

/// Takes the say in fields of ours from others. Without it, the API server keeps a field that we do not want any more.
async fn uncontest(client: &Client, metrics: &Metrics, key: &ObjectKey) -> Result<(), Wrong> {
    let api = api(client, key.kind, &key.namespace);
    let wrong = |error: Error| match error {
        Error::Api(status) if matches!(status.code, 404 | 409) => Wrong::Outdated,
        error => Wrong::new(Some(key), &error),
    };
    metrics.request("get", key.kind.as_str());
    let live = api.get(&key.name).await.map_err(wrong)?;
    let metadata = json!({
        "managedFields": uncontesting(&live.metadata),
        "resourceVersion": live.metadata.resource_version,
        "uid": live.metadata.uid,
    });
    metrics.request("patch", key.kind.as_str());
    let patch = Patch::Merge(json!({"metadata": metadata}));
    api.patch(&key.name, &PatchParams::default(), &patch).await.map_err(wrong)?;
    Ok(())
}

/// The merge patch (RFC 7386) that makes `live` be `wanted`.
fn without_rest(live: &Value, wanted: &Value) -> Value {
    let Value::Object(live) = live else { return wanted.clone() };
    let empty = serde_json::Map::new();
    let wanted = wanted.as_object().unwrap_or(&empty);
    let patched = live.iter().map(|(key, live)| {
        let value = wanted.get(key).map_or(Value::Null, |wanted| without_rest(live, wanted));
        (key.clone(), value)
    });
    Value::Object(patched.collect())
}

async fn delete(
    client: &Client,
    metrics: &Metrics,
    key: ObjectKey,
    uid: &str,
    version: &str,
) -> Result<Written, Wrong> {
    metrics.request("delete", key.kind.as_str());
    let only = Preconditions { uid: Some(uid.to_owned()), resource_version: Some(version.to_owned()) };
    let params = DeleteParams::background().preconditions(only);
    match api(client, key.kind, &key.namespace).delete(&key.name, &params).await {
        Ok(_) => Ok(Written::Deleted { key }),
        Err(Error::Api(status)) if status.code == 404 => Ok(Written::Deleted { key }),
        Err(Error::Api(status)) if status.code == 409 => Err(Wrong::Outdated),
        Err(error) => Err(Wrong::new(Some(&key), &error)),
    }
}

impl Wrong {
    fn new(key: Option<&ObjectKey>, error: &Error) -> Self {
        match error {
            Error::Api(status) if status.code == 429 || status.code >= 500 => {
                Self::Unavailable(status.message.clone())
            }
            // Its Services go with it, and nobody needs to be told.
            Error::Api(status) if has_cause(status, "NamespaceTerminating") => Self::Outdated,
            // Somebody wrote at the same moment.
            Error::Api(status) if status.code == 409 => Self::Outdated,
            Error::Api(status) => Self::Refused { key: key.cloned(), said: status.message.clone() },
            error => Self::Unavailable(said(error)),
        }
    }
}

/// Whether the API server gives this as a cause of its refusal.
fn has_cause(status: &Status, reason: &str) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == reason)
}
