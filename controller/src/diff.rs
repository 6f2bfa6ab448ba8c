//! The output of a dry run. The API server returns the object that each action would result in, and the difference is printed.

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::Value;
use xposer_live::difference::difference;
use xposer_live::error::error_message;
use xposer_live::keys::ObjectKey;
use xposer_live::kinds;
use xposer_live::object::FIELD_MANAGER;

use crate::actions::Action;

/// The change of an action as text, or its error.
pub(crate) async fn show(client: &Client, action: &Action) -> Result<String, String> {
    match action {
        Action::Apply { key, body, mode, .. } => changed(client, key, body, mode.is_forced()).await,
        Action::Adopt { key, body, .. } => changed(client, key, body, true).await,
        Action::Withdraw { key } => Ok(format!("update {key}: Xposer's keys are removed\n")),
        Action::Delete { key, .. } | Action::DeleteUnexposed { key, .. } => Ok(format!("delete {key}\n")),
        Action::Stamp { service, annotations, .. } => {
            let lines = annotations.iter().map(|(name, value)| format!("+    {name}: {value}\n"));
            Ok(format!("update Service {service}\n{}", lines.collect::<String>()))
        }
    }
}

async fn changed(client: &Client, key: &ObjectKey, body: &Value, force: bool) -> Result<String, String> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), &key.namespace, &kinds::resource(key.kind));
    let with_key = |error: kube::Error| format!("{key}: {}", error_message(&error));
    let before = api.get_opt(&key.name).await.map_err(with_key)?;
    let params = PatchParams { dry_run: true, force, ..PatchParams::apply(FIELD_MANAGER) };
    let after = api.patch(&key.name, &params, &Patch::Apply(body)).await.map_err(with_key)?;
    let value = |object: &DynamicObject| serde_json::to_value(object).unwrap_or_default();
    Ok(difference(key, before.as_ref().map(value).as_ref(), &value(&after)))
}
