//! The stored part of a Service: the fields that the core reads, as compact text.

use std::sync::Arc;

use kube::api::ApiResource;
use serde_json::{Map, Value, json};
use xposer::Service;
use xposer::internal::{reads_annotation, reads_label};
use xposer::validation::MAX_ANNOTATIONS;

use crate::document::Document;
use crate::keys::ServiceKey;

/// The API resource of Services.
pub fn service_resource() -> ApiResource {
    ApiResource::erase::<k8s_openapi::api::core::v1::Service>(&())
}

/// A Service with the label that exposes it.
#[derive(Clone, Debug)]
pub struct StoredService {
    /// The UID.
    pub uid: Box<str>,
    /// The time at which the API server created the Service, in seconds since 1970 by the API server's clock.
    pub created: i64,
    /// Whether the Service is being deleted. Then nothing is written for it: Kubernetes deletes its objects first, and the
    /// controller would create them again.
    pub terminating: bool,
    /// The fields that the core reads, as JSON text.
    document: Box<str>,
    /// The size of the annotations that are not in the document, in bytes.
    other_annotation_bytes: usize,
}

impl StoredService {
    /// Returns `None` for a document without a name or a UID, which no API server sends.
    pub fn new(service: &Document) -> Option<(Arc<ServiceKey>, Self)> {
        let metadata = &service.metadata;
        let key = ServiceKey::new(metadata.namespace.as_deref()?, metadata.name.as_deref()?);
        let mut annotations = Map::new();
        let mut other_bytes = 0;
        for (name, value) in metadata.annotations.iter().flatten() {
            if reads_annotation(name) {
                annotations.insert(name.clone(), value.as_str().into());
            } else {
                other_bytes += name.len() + value.len();
            }
        }
        // The size of other annotations matters only near the limit. Below that, a change of them is no change of the Service.
        let other_annotation_bytes = if other_bytes > MAX_ANNOTATIONS / 4 { other_bytes } else { 0 };
        let labels: Map<String, Value> = metadata
            .labels
            .iter()
            .flatten()
            .filter(|(name, _)| reads_label(name))
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let spec = &service.spec;
        let field = |name: &str| spec.get(name).cloned().unwrap_or_default();
        let document = json!({
            "metadata": {
                "name": *key.name, "namespace": *key.namespace, "labels": labels, "annotations": annotations,
            },
            "spec": {"type": field("type"), "clusterIP": field("clusterIP"), "ports": ports(field("ports"))},
        });
        let stored = Self {
            uid: metadata.uid.as_deref()?.into(),
            created: metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second()),
            terminating: metadata.deletion_timestamp.is_some(),
            document: document.to_string().into(),
            other_annotation_bytes,
        };
        Some((key, stored))
    }

    /// Returns this Service, which is being deleted, with the content that it had `before`: it keeps its claims and gets no new
    /// ones. A Service with a finalizer may stay for a long time, and admission accepts everything that is written on it then. A
    /// Service without `before` counts as not exposed.
    #[must_use]
    pub fn ending(self, before: Option<&Self>) -> Self {
        match before.filter(|before| before.uid == self.uid) {
            Some(before) => Self { terminating: true, ..before.clone() },
            None => {
                let mut document = self.document();
                if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
                    metadata.retain(|field, _| matches!(field.as_str(), "name" | "namespace"));
                }
                Self { document: document.to_string().into(), ..self }
            }
        }
    }

    /// The document that the core reads.
    pub fn document(&self) -> Value {
        // This cannot fail: `new` wrote the text.
        serde_json::from_str(&self.document).unwrap_or_default()
    }

    /// The core's view of the Service; `document` is the result of [`document`](Self::document).
    pub fn view<'d>(&self, document: &'d Value) -> Service<'d> {
        Service::from_value(document).with_other_annotation_bytes(self.other_annotation_bytes)
    }

    /// Whether the core would decide the same for both.
    pub fn is_same(&self, other: &Self) -> bool {
        self.uid == other.uid
            && self.terminating == other.terminating
            && self.document == other.document
            && self.other_annotation_bytes == other.other_annotation_bytes
    }
}

/// The ports with only the fields that the core reads.
fn ports(mut ports: Value) -> Value {
    for port in ports.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        port.retain(|field, _| matches!(field.as_str(), "name" | "port" | "protocol" | "appProtocol"));
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use xposer::{Outcome, Settings, expose};

    fn stored(annotations: &Value) -> StoredService {
        let service = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": "web", "namespace": "shop", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"expose": "true", "app": "web"}, "annotations": annotations,
            },
            "spec": {"ports": [{"port": 80, "targetPort": 8080, "nodePort": 30000}], "selector": {"app": "web"}},
        });
        StoredService::new(&serde_json::from_value(service).unwrap()).unwrap().1
    }

    #[test]
    fn only_what_the_core_reads_is_kept() {
        let kept =
            stored(&json!({"config.xposer.stakater.com/Domain": "example.com", "kubectl": "x".repeat(1000)}));
        assert_eq!(kept.created, 1_767_225_600);
        let document = kept.document();
        assert_eq!(
            document["metadata"]["annotations"],
            json!({"config.xposer.stakater.com/Domain": "example.com"})
        );
        assert_eq!(document["spec"]["ports"], json!([{"port": 80}]));
        let outcome = expose(&kept.view(&document), &Settings::default());
        assert_eq!(outcome.plan().map(xposer::Plan::url).as_deref(), Some("http://web.shop.example.com"));
    }

    /// The core reports annotations of Xposer that are among the labels.
    #[test]
    fn xposer_keys_in_labels_are_kept() {
        let service = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"expose": "true", "app": "web", "config.xposer.stakater.com/TLS": "true"}},
            "spec": {"ports": [{"port": 80}]},
        });
        let kept = StoredService::new(&serde_json::from_value(service).unwrap()).unwrap().1.document();
        assert_eq!(
            kept["metadata"]["labels"],
            json!({"expose": "true", "config.xposer.stakater.com/TLS": "true"})
        );
        let settings = Settings::from_value(&json!({"domain": "example.com"})).unwrap();
        let outcome = expose(&Service::from_value(&kept), &settings);
        let codes: Vec<_> = outcome.report().unwrap().diagnostics().iter().map(|found| found.code).collect();
        assert_eq!(codes, [xposer::Code::AskedWrongly]);
    }

    #[test]
    fn annotations_of_others_count_near_the_limit() {
        let kept = stored(&json!({"a": "x".repeat(MAX_ANNOTATIONS)}));
        let document = kept.document();
        assert_eq!(document["metadata"]["annotations"], json!({}));
        let outcome = expose(&kept.view(&document), &Settings::default());
        let Outcome::Refused(report) = outcome else { panic!("{outcome:?}") };
        assert_eq!(
            report.diagnostics()[0].message,
            "the annotations have 262145 bytes, the API server allows 262144"
        );
    }
}
