//! A plan for the examples of the documentation.

use serde_json::{Map, Value, json};

use crate::{Outcome, Plan, Report, Service, Settings, expose};

/// The plan of the Service `web` in the namespace `shop`, with the port 80 named `http`. A key of `annotations` without a
/// slash is one of ours. The domain is `example.com` unless the settings name another.
///
/// # Errors
///
/// The report, where the Service is refused.
pub fn plan(annotations: Value, settings: Value) -> Result<Plan, Report> {
    let entries = |value| if let Value::Object(entries) = value { entries } else { Map::new() };
    let full = |key: String| if key.contains('/') { key } else { [crate::CONFIG_PREFIX, &key].concat() };
    let annotations: Map<String, Value> =
        entries(annotations).into_iter().map(|(key, value)| (full(key), value)).collect();
    let service = json!({
        "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}, "annotations": annotations},
        "spec": {"ports": [{"port": 80, "name": "http"}]},
    });
    let mut settings = entries(settings);
    settings.entry("domain").or_insert_with(|| "example.com".into());
    match expose(&Service::from_value(&service), &Settings::from_value(&Value::Object(settings))?) {
        Outcome::Planned { plan, .. } => Ok(*plan),
        Outcome::Refused(report) | Outcome::Conflicting(report) => Err(report),
        Outcome::NotExposed { report } => Err(report.unwrap_or_default()),
    }
}
