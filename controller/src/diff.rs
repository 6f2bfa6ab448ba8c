//! What a dry run prints: the API server says what each object would become, and the difference is shown.

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::Value;
use similar::TextDiff;
use xposer_cli::yaml::to_yaml;

use crate::kinds;
use crate::live::{FIELD_MANAGER, ObjectKey};
use crate::watch::said;
use crate::write::Write;

/// Fields that the API server writes on its own account.
const NOT_SHOWN: [&str; 5] = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"];

/// What a write would change, as text; or why it would not work.
pub(crate) async fn show(client: &Client, write: &Write) -> Result<String, String> {
    match write {
        Write::Apply { key, body, how, .. } => changed(client, key, body, how.is_forced()).await,
        Write::Adopt { key, body, .. } => changed(client, key, body, true).await,
        Write::Withdraw { key } => Ok(format!("update {key}: the keys of ours go\n")),
        Write::Delete { key, .. } | Write::DeleteUnasked { key, .. } => Ok(format!("delete {key}\n")),
        Write::Stamp { service, annotations, .. } => {
            let lines = annotations.iter().map(|(name, value)| format!("+    {name}: {value}\n"));
            Ok(format!("update Service {service}\n{}", lines.collect::<String>()))
        }
    }
}

async fn changed(client: &Client, key: &ObjectKey, body: &Value, force: bool) -> Result<String, String> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), &key.namespace, &kinds::resource(key.kind));
    let wrong = |error: kube::Error| format!("{key}: {}", said(&error));
    let before = api.get_opt(&key.name).await.map_err(wrong)?;
    let params = PatchParams { dry_run: true, force, ..PatchParams::apply(FIELD_MANAGER) };
    let after = api.patch(&key.name, &params, &Patch::Apply(body)).await.map_err(wrong)?;
    let (verb, before) = match before {
        Some(before) => ("update", text(&before)),
        None => ("create", String::new()),
    };
    let after = text(&after);
    let diff = TextDiff::from_lines(&before, &after);
    Ok(format!("{verb} {key}\n{}", diff.unified_diff().context_radius(3)))
}

fn text(object: &DynamicObject) -> String {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|field, _| !NOT_SHOWN.contains(&field.as_str()));
        }
    }
    to_yaml(&value)
}
