//! What tests and examples of library users start from.

use serde_json::{Map, Value, json};

use crate::service::{CONFIG_PREFIX, EXPOSE_LABEL};

/// A Service that asks to be exposed: `web` in the namespace `shop`, with the port 80 and these annotations. A key without a
/// slash gets the prefix [`CONFIG_PREFIX`].
///
/// ```
/// use xposer::{Plan, Service, Settings, expose, testing};
/// let service = testing::service(&[("Domain", "example.com"), ("TLS", "true")]);
/// assert_eq!(service["metadata"]["annotations"]["config.xposer.stakater.com/TLS"], "true");
/// let outcome = expose(&Service::from_value(&service), &Settings::default());
/// assert_eq!(outcome.plan().map(Plan::url).as_deref(), Some("https://web.shop.example.com"));
/// ```
#[must_use]
pub fn service(annotations: &[(&str, &str)]) -> Value {
    let annotations: Map<String, Value> = annotations
        .iter()
        .map(|(key, value)| {
            let prefix = if key.contains('/') { "" } else { CONFIG_PREFIX };
            (format!("{prefix}{key}"), Value::from(*value))
        })
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "web", "namespace": "shop",
            "labels": {EXPOSE_LABEL: "true"}, "annotations": annotations,
        },
        "spec": {"ports": [{"name": "http", "port": 80}]},
    })
}
