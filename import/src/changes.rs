//! What a proposal changes on a Service that has annotations of Xposer or the label already.

use std::collections::BTreeMap;

use serde_json::Value;
use xposer::diagnostics::FieldPath;
use xposer::internal::joined;
use xposer::service::EXPOSE_LABEL;

use crate::draft::is_ours;

/// The changes.
pub(crate) struct Changes {
    /// The annotations that have to be removed.
    pub(crate) removed: Vec<String>,
    /// What is told about the changes, with the field.
    pub(crate) told: Vec<(FieldPath, String)>,
}

impl Changes {
    /// Returns what the proposed annotations change on a Service, if it is known.
    pub(crate) fn of(service: Option<&Value>, annotations: &BTreeMap<String, String>) -> Self {
        let metadata = |field: &str| service.and_then(|it| it.get("metadata")?.get(field)?.as_object());
        let known = || metadata("annotations").into_iter().flatten().filter(|(key, _)| is_ours(key));
        let removed = known().map(|(key, _)| key).filter(|key| !annotations.contains_key(*key));
        let removed: Vec<String> = removed.cloned().collect();
        let is_other =
            |(key, value): &(&String, &Value)| annotations.get(*key).is_some_and(|new| *value != new);
        let replaced: Vec<String> = known().filter(is_other).map(|(key, _)| key.clone()).collect();
        let mut told = Vec::new();
        let label = metadata("labels").and_then(|labels| labels.get(EXPOSE_LABEL));
        if let Some(value) = label.filter(|value| *value != "true") {
            let message = format!(
                "the Service has the label `{EXPOSE_LABEL}: {value}`, and the proposal sets it to \"true\""
            );
            told.push((FieldPath::label(EXPOSE_LABEL), message));
        }
        for (verb, names) in [("replaces", &replaced), ("removes", &removed)] {
            if !names.is_empty() {
                let list = joined(names, " and ");
                let message = format!("the Service has annotations that the proposal {verb}: {list}");
                told.push((FieldPath::object(&["metadata", "annotations"]), message));
            }
        }
        Self { removed, told }
    }
}
