//! Objects for tools only, such as the config of a function. They are never applied to a cluster.

use serde_json::Value;
use xposer::Service;

/// The annotation of such objects, with the value `true`.
pub(crate) const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// Whether an object is for tools only.
pub(crate) fn is_local(object: &Value) -> bool {
    let annotations = object.pointer("/metadata/annotations");
    annotations.and_then(|all| all.get(LOCAL_CONFIG)).and_then(Value::as_str) == Some("true")
}

/// The message about a Service that is ignored although it has the label `expose`.
pub(crate) fn local_config_message(service: &Service<'_>) -> Option<String> {
    service
        .is_exposed()
        .then(|| format!("{} is ignored, because {LOCAL_CONFIG} is \"true\"", service.subject()))
}

/// The help for that message.
pub(crate) const LOCAL_CONFIG_HELP: &str = "remove the annotation if the Service is meant for a cluster";
