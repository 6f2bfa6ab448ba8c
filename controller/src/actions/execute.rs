//! Sends the actions to the API server, and interprets its errors.

use std::sync::Arc;
use std::time::Duration;

use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{Request, Status};
use kube::{Client, Error};
use serde_json::{Value, json};
use tokio::sync::watch;
use xposer::service::EXPOSE_LABEL;
use xposer_live::document::Document;
use xposer_live::error::{error_message, has_cause};
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::{self, Kind};
use xposer_live::object::{FIELD_MANAGER, as_applied, has_other_managers};
use xposer_live::service::service_resource;

use super::{Action, ActionError, ActionResult, ApplyMode, Failures};
use crate::lease::{self, Leadership};
use crate::metrics::Metrics;

/// The field manager of the status annotations of Services.
const STAMP_MANAGER: &str = "xposer-stamp";

/// The time limit of one action.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The API of a kind in a namespace.
fn objects(client: &Client, kind: Kind, namespace: &str) -> Api<Document> {
    Api::namespaced_with(client.clone(), namespace, &kinds::resource(kind))
}

/// The API of Services in a namespace.
fn services(client: &Client, namespace: &str) -> Api<Document> {
    Api::namespaced_with(client.clone(), namespace, &service_resource())
}

/// Sends the actions of one plan in order. After an error, actions that depend on the failed one are not sent.
pub(crate) async fn execute_all(
    client: Client,
    metrics: Arc<Metrics>,
    leads: watch::Receiver<Leadership>,
    actions: Vec<Action>,
) -> Vec<Result<ActionResult, ActionError>> {
    let mut results = Vec::with_capacity(actions.len());
    let mut failures = Failures::default();
    for action in actions {
        if !failures.allow(&action) {
            continue;
        }
        let kind = action.kind();
        let result = match lease::refusal(&leads) {
            Some(said) => Err(ActionError::Unavailable(said)),
            None => tokio::time::timeout(REQUEST_TIMEOUT, action.execute(&client, &metrics))
                .await
                .unwrap_or_else(|_| Err(ActionError::Unavailable("no answer".to_owned()))),
        };
        if result.is_err() {
            failures.add(kind);
        }
        let stops = matches!(result, Err(ActionError::Unavailable(_)));
        results.push(result);
        if stops {
            break;
        }
    }
    results
}

impl Action {
    async fn execute(self, client: &Client, metrics: &Metrics) -> Result<ActionResult, ActionError> {
        match self {
            Self::Apply { key, body, hash, mode: ApplyMode::Create } if is_created(key.kind) => {
                let document = create(client, metrics, &key, &body).await?.into();
                Ok(ActionResult::Applied { key, hash, document, is_new: true, adopted: false })
            }
            Self::Apply { key, body, hash, mode } => {
                if mode == ApplyMode::TakeOwnership {
                    take_ownership(client, metrics, &key).await?;
                }
                let document = apply(client, metrics, &key, &body, mode.is_forced()).await?;
                let is_new = mode == ApplyMode::Create;
                if is_new && has_other_managers(&document.metadata) {
                    // Another client created the object with the same content before the watch reported it.
                    apply(client, metrics, &key, &without_fields(&key), true).await?;
                    let message = "another client created it at the same time".to_owned();
                    return Err(ActionError::Foreign { key, message });
                }
                Ok(ActionResult::Applied { key, hash, document: document.into(), is_new, adopted: false })
            }
            Self::Adopt { key, body, hash } => {
                let document = adopt(client, metrics, &key, &body).await?.into();
                Ok(ActionResult::Applied { key, hash, document, is_new: false, adopted: true })
            }
            Self::Withdraw { key } => {
                let document = apply(client, metrics, &key, &without_fields(&key), true).await?.into();
                Ok(ActionResult::Applied { key, hash: 0, document, is_new: false, adopted: false })
            }
            Self::Delete { key, uid, version } => delete(client, metrics, key, &uid, &version).await,
            Self::DeleteUnexposed { key, uid, version, service, owner } => {
                metrics.request("get", "Service");
                let found = services(client, &service.namespace).get_opt(&service.name).await;
                let Some(found) = found.map_err(|error| ActionError::new(None, &error))? else {
                    return Ok(ActionResult::Done);
                };
                let labels = found.metadata.labels.unwrap_or_default();
                let is_exposed = labels.get(EXPOSE_LABEL).is_some_and(|value| value == "true");
                if is_exposed || found.metadata.uid.as_deref() != Some(&*owner) {
                    return Ok(ActionResult::Done);
                }
                delete(client, metrics, key, &uid, &version).await
            }
            Self::Stamp { service, uid, annotations } => {
                stamp(client, metrics, &service, &uid, annotations).await
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
) -> Result<Document, ActionError> {
    metrics.request("apply", key.kind.as_str());
    let started = std::time::Instant::now();
    let params = PatchParams { force, ..PatchParams::apply(FIELD_MANAGER) };
    let api = objects(client, key.kind, &key.namespace);
    let applied = api.patch(&key.name, &params, &Patch::Apply(body)).await;
    metrics.applied(started.elapsed());
    applied.map_err(|error| match error {
        Error::Api(status) if has_cause(&status, "FieldManagerConflict") => {
            ActionError::Foreign { key: key.clone(), message: status.message.clone() }
        }
        error => ActionError::new(Some(key), &error),
    })
}

/// Whether a new object of this kind is created, which costs the API server less than applying it. The API server records the
/// controller as the manager of all fields of the created object, including defaults. That is fine for an Ingress, which has none;
/// a default of another kind would look like a field that is no longer desired.
fn is_created(kind: Kind) -> bool {
    kind == Kind::Ingress
}

/// Creates an object. An existing object with this name is not changed, whoever owns it.
async fn create(
    client: &Client,
    metrics: &Metrics,
    key: &ObjectKey,
    body: &Value,
) -> Result<Document, ActionError> {
    metrics.request("create", key.kind.as_str());
    let started = std::time::Instant::now();
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let url = objects(client, key.kind, &key.namespace).resource_url().to_owned();
    let request =
        Request::new(url).create(&params, body.to_string().into_bytes()).map_err(Error::BuildRequest);
    let created = match request {
        Ok(request) => client.request(request).await,
        Err(error) => Err(error),
    };
    metrics.applied(started.elapsed());
    created.map_err(|error| match error {
        Error::Api(status) if status.reason == "AlreadyExists" => ActionError::Exists(key.clone()),
        error => ActionError::new(Some(key), &error),
    })
}

/// An object without any fields. Applying it removes the fields that the controller applied before.
fn without_fields(key: &ObjectKey) -> Value {
    let resource = kinds::resource(key.kind);
    json!({"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": *key.name}})
}

/// Adopts an object. The fields of the controller are applied first, so that none is ever missing; then the fields of other
/// managers are removed, except their labels and finalizers.
async fn adopt(
    client: &Client,
    metrics: &Metrics,
    key: &ObjectKey,
    body: &Value,
) -> Result<Document, ActionError> {
    let document = apply(client, metrics, key, body, true).await?;
    let observed = serde_json::to_value(&document).unwrap_or_default();
    let difference = |pointer: &str| {
        let (observed, desired) = (observed.pointer(pointer), body.pointer(pointer));
        merge_patch(observed.unwrap_or(&Value::Null), desired.unwrap_or(&Value::Null))
    };
    // The other managers lose their fields; otherwise a field that is no longer desired later would stay.
    let fields = document.metadata.managed_fields.into_iter().flatten();
    let kept: Vec<_> = fields
        .filter(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER) || entry.subresource.is_some())
        .collect();
    let patch = json!({
        "metadata": {
            "annotations": difference("/metadata/annotations"),
            "managedFields": kept,
            "resourceVersion": document.metadata.resource_version,
        },
        "spec": difference("/spec"),
    });
    metrics.request("patch", key.kind.as_str());
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let api = objects(client, key.kind, &key.namespace);
    let patched = api.patch(&key.name, &params, &Patch::Merge(&patch)).await;
    patched.map_err(|error| ActionError::new(Some(key), &error))
}

/// Replaces `managedFields` as if the controller had applied all its fields, and removes them from all other managers. Otherwise
/// the API server would keep a field that the controller no longer applies.
async fn take_ownership(client: &Client, metrics: &Metrics, key: &ObjectKey) -> Result<(), ActionError> {
    let api = objects(client, key.kind, &key.namespace);
    let action_error = |error: Error| match error {
        Error::Api(status) if matches!(status.code, 404 | 409) => ActionError::Outdated,
        error => ActionError::new(Some(key), &error),
    };
    metrics.request("get", key.kind.as_str());
    let observed = api.get(&key.name).await.map_err(action_error)?;
    let metadata = json!({
        "managedFields": as_applied(&observed.metadata),
        "resourceVersion": observed.metadata.resource_version,
        "uid": observed.metadata.uid,
    });
    metrics.request("patch", key.kind.as_str());
    let patch = Patch::Merge(json!({"metadata": metadata}));
    api.patch(&key.name, &PatchParams::default(), &patch).await.map_err(action_error)?;
    Ok(())
}

/// The merge patch (RFC 7386) that turns `observed` into `desired`.
fn merge_patch(observed: &Value, desired: &Value) -> Value {
    let Value::Object(observed) = observed else { return desired.clone() };
    let empty = serde_json::Map::new();
    let desired = desired.as_object().unwrap_or(&empty);
    let patch = observed.iter().map(|(key, observed)| {
        let value = desired.get(key).map_or(Value::Null, |desired| merge_patch(observed, desired));
        (key.clone(), value)
    });
    Value::Object(patch.collect())
}

async fn delete(
    client: &Client,
    metrics: &Metrics,
    key: ObjectKey,
    uid: &str,
    version: &str,
) -> Result<ActionResult, ActionError> {
    metrics.request("delete", key.kind.as_str());
    let only = Preconditions { uid: Some(uid.to_owned()), resource_version: Some(version.to_owned()) };
    let params = DeleteParams::background().preconditions(only);
    match objects(client, key.kind, &key.namespace).delete(&key.name, &params).await {
        Ok(_) => Ok(ActionResult::Deleted { key, uid: uid.into() }),
        Err(Error::Api(status)) if status.code == 404 => Ok(ActionResult::Deleted { key, uid: uid.into() }),
        Err(Error::Api(status)) if status.code == 409 => Err(ActionError::Outdated),
        Err(error) => Err(ActionError::new(Some(&key), &error)),
    }
}

async fn stamp(
    client: &Client,
    metrics: &Metrics,
    service: &ServiceKey,
    uid: &str,
    annotations: Vec<(&'static str, String)>,
) -> Result<ActionResult, ActionError> {
    let annotations: serde_json::Map<String, Value> =
        annotations.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    // The UID prevents the request from creating a deleted Service again.
    let body = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": *service.name, "uid": uid, "annotations": annotations},
    });
    metrics.request("apply", "Service");
    let params = PatchParams { force: true, ..PatchParams::apply(STAMP_MANAGER) };
    let api = services(client, &service.namespace);
    match api.patch(&service.name, &params, &Patch::Apply(&body)).await {
        Ok(_) => Ok(ActionResult::Done),
        // The Service was deleted, or another one has its name. The watch reports that.
        Err(Error::Api(status)) if status.code == 409 || is_another_object(&status) => Ok(ActionResult::Done),
        Err(error) => Err(ActionError::new(None, &error)),
    }
}

/// Whether the API server refuses a change because the object with this name has another UID.
fn is_another_object(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 422 && causes.into_iter().any(|cause| cause.field == "metadata.uid")
}

impl ActionError {
    fn new(key: Option<&ObjectKey>, error: &Error) -> Self {
        match error {
            Error::Api(status) if status.code == 429 || status.code >= 500 => {
                Self::Unavailable(status.message.clone())
            }
            // The Services of the namespace are deleted, too, so their owners need no notice.
            Error::Api(status) if has_cause(status, "NamespaceTerminating") => Self::Outdated,
            // The object was changed in the meantime.
            Error::Api(status) if status.code == 409 => Self::Outdated,
            Error::Api(status) => Self::Refused { key: key.cloned(), message: status.message.clone() },
            error => Self::Unavailable(error_message(error)),
        }
    }
}
