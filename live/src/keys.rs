//! The keys of a Service, of an object, and of a unit of reconciliation.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::kinds::Kind;

/// The namespace and the name of a Service, ordered by namespace first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceKey {
    /// The namespace.
    pub namespace: Box<str>,
    /// The name.
    pub name: Box<str>,
}

impl ServiceKey {
    /// The key of the Service with this name. It is shared, because many tables have it.
    pub fn new(namespace: &str, name: &str) -> Arc<Self> {
        Arc::new(Self { namespace: namespace.into(), name: name.into() })
    }

    /// The key of the Service with this metadata. A missing namespace or name is an empty text.
    pub fn of(metadata: &ObjectMeta) -> Arc<Self> {
        Self::new(text(&metadata.namespace), text(&metadata.name))
    }
}

impl std::fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The kind, the namespace and the name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The kind.
    pub kind: Kind,
    /// The namespace.
    pub namespace: Box<str>,
    /// The name.
    pub name: Box<str>,
}

impl ObjectKey {
    /// The key of the object of this kind with this metadata. A missing namespace or name is an empty text.
    pub fn of(kind: Kind, metadata: &ObjectMeta) -> Self {
        Self { kind, namespace: text(&metadata.namespace).into(), name: text(&metadata.name).into() }
    }
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

/// A unit of reconciliation. Services are ordered before ConfigMaps, because a ConfigMap depends on the plans of Services.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReconcileKey {
    /// A Service and its objects.
    Service(Arc<ServiceKey>),
    /// The URL ConfigMap of a namespace.
    UrlConfigMap(Box<str>),
}

fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_come_before_config_maps() {
        let service = ReconcileKey::Service(ServiceKey::new("shop", "web"));
        assert!(service < ReconcileKey::UrlConfigMap("shop".into()));
    }
}
