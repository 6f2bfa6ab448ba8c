//! Objects that are for tools alone, such as the config of a function: they never reach a cluster.

use serde_json::Value;
use xposer::Service;

/// The annotation that says so, with the value `true`.
pub(crate) const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// Whether an object is only there for a tool.
pub(crate) fn is_local(object: &Value) -> bool {
    let annotations = object.pointer("/metadata/annotations");
    annotations.and_then(|all| all.get(LOCAL_CONFIG)).and_then(Value::as_str) == Some("true")
}

/// What is said of a Service that is left out although it asks to be exposed.
pub(crate) fn left_out(service: &Service<'_>) -> Option<String> {
    service.is_exposed().then(|| format!("{} is left out, for {LOCAL_CONFIG} is \"true\"", service.subject()))
}

/// What to do about it.
pub(crate) const LEFT_OUT_HELP: &str = "remove the annotation if the Service is meant for a cluster";
