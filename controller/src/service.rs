//! What is kept of a Service: the fields that the core reads, as compact text.

use std::sync::Arc;

use crate::document::Document;
use serde_json::{Map, Value, json};
use xposer::validation::MAX_ANNOTATIONS;
use xposer::{reads_annotation, reads_label};

/// The namespace and the name of a Service. Ordered by namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ServiceKey {
    pub(crate) namespace: Box<str>,
    pub(crate) name: Box<str>,
}

impl ServiceKey {
    pub(crate) fn new(namespace: &str, name: &str) -> Arc<Self> {
        Arc::new(Self { namespace: namespace.into(), name: name.into() })
    }
}

impl std::fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A Service that asks to be exposed.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) uid: Box<str>,
    /// When the API server created it, in seconds since 1970: its clock, not ours.
    pub(crate) created: i64,
    /// Whether it is being deleted. Nothing is made of it any more, or what Kubernetes deletes before it would come back.
    pub(crate) terminating: bool,
    /// The document, with the fields that the core reads.
    document: Box<str>,
}

impl Stored {
    /// Keeps what is needed of a Service; nothing where it has no name or no UID, which no API server gives.
    pub(crate) fn new(service: &Document) -> Option<(Arc<ServiceKey>, Self)> {
        let metadata = &service.metadata;
        let key = ServiceKey::new(metadata.namespace.as_deref()?, metadata.name.as_deref()?);
        let mut annotations = Map::new();
        let mut others = 0;
        for (name, value) in metadata.annotations.iter().flatten() {
            if reads_annotation(name) {
                annotations.insert(name.clone(), value.as_str().into());
            } else {
                others += name.len() + value.len();
            }
        }
        // The core counts the bytes of the annotations that it does not read. They matter where they come near the
        // limit; there, as many spaces stand for them.
        if others > MAX_ANNOTATIONS / 4 {
            annotations.insert(String::new(), " ".repeat(others).into());
        }
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
        };
        Some((key, stored))
    }

    /// The document that the core looks at.
    pub(crate) fn document(&self) -> Value {
        // It was written by `new`.
        serde_json::from_str(&self.document).unwrap_or_default()
    }

    /// Whether the core would see a difference.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.uid == other.uid && self.terminating == other.terminating && self.document == other.document
    }
}

/// The ports without what an Ingress does not need.
fn ports(mut ports: Value) -> Value {
    for port in ports.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        port.retain(|field, _| matches!(field.as_str(), "name" | "port" | "protocol"));
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use xposer::{Outcome, Service, Settings, expose};

    fn stored(annotations: &Value) -> Stored {
        let service = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": "web", "namespace": "shop", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"expose": "true", "app": "web"}, "annotations": annotations,
            },
            "spec": {"ports": [{"port": 80, "targetPort": 8080, "nodePort": 30000}], "selector": {"app": "web"}},
        });
        Stored::new(&serde_json::from_value(service).unwrap()).unwrap().1
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
        let service = Service::from_value(&document);
        let outcome = expose(&service, &Settings::default());
        assert_eq!(outcome.plan().map(xposer::Plan::url).as_deref(), Some("http://web.shop.example.com"));
    }

    /// The owner of a Service that asks is told of keys that stand in the wrong place.
    #[test]
    fn keys_of_ours_among_the_labels_are_kept() {
        let service = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"expose": "true", "app": "web", "config.xposer.stakater.com/TLS": "true"}},
            "spec": {"ports": [{"port": 80}]},
        });
        let kept = Stored::new(&serde_json::from_value(service).unwrap()).unwrap().1.document();
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
    fn annotations_of_others_count_where_there_are_too_many_of_them() {
        let kept = stored(&json!({"a": "x".repeat(MAX_ANNOTATIONS)}));
        let document = kept.document();
        let service = Service::from_value(&document);
        let outcome = expose(&service, &Settings::default());
        let Outcome::Refused(report) = outcome else { panic!("{outcome:?}") };
        assert_eq!(
            report.diagnostics()[0].message,
            "the annotations have 262145 bytes, the API server allows 262144"
        );
    }
}
