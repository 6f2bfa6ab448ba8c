//! Services and plans for tests and examples of library users.

use serde_json::{Map, Value, json};

use crate::service::{CONFIG_PREFIX, EXPOSE_LABEL};
use crate::{Outcome, Plan, Report, Service, Settings, expose};

/// Returns a Service that requests exposure: `web` in the namespace `shop`, with port 80 and these annotations. A key without a
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
    service_named("shop", "web", annotations)
}

/// The same as [`service`], with another namespace and name.
///
/// ```
/// use xposer::{Service, testing};
/// let service = testing::service_named("tools", "forecastle", &[]);
/// assert_eq!(Service::from_value(&service).subject().to_string(), "Service tools/forecastle");
/// ```
#[must_use]
pub fn service_named(namespace: &str, name: &str, annotations: &[(&str, &str)]) -> Value {
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
            "name": name, "namespace": namespace,
            "labels": {EXPOSE_LABEL: "true"}, "annotations": annotations,
        },
        "spec": {"ports": [{"name": "http", "port": 80}]},
    })
}

/// Returns the plan of the Service of [`service`] under these settings; the domain is `example.com` unless the settings have
/// another.
///
/// ```
/// use serde_json::json;
/// use xposer::testing;
/// let plan = testing::plan(&[("TLS", "true")], json!({"domain": "example.org"}))?;
/// assert_eq!(plan.url(), "https://web.shop.example.org");
/// assert!(testing::plan(&[("Domain", "two words")], json!({})).is_err());
/// # Ok::<(), xposer::Report>(())
/// ```
///
/// # Errors
///
/// The report about the settings or the Service, if one of them is refused.
pub fn plan(annotations: &[(&str, &str)], mut settings: Value) -> Result<Plan, Report> {
    if let Value::Object(settings) = &mut settings {
        settings.entry("domain").or_insert_with(|| "example.com".into());
    }
    match expose(&Service::from_value(&service(annotations)), &Settings::from_value(&settings)?) {
        Outcome::Planned { plan, .. } => Ok(*plan),
        Outcome::Refused(report) | Outcome::Conflicting(report) => Err(report),
        Outcome::NotExposed { report } => Err(report.unwrap_or_default()),
    }
}
