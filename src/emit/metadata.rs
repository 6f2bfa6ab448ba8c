//! The form that all objects share: API version, kind, metadata and spec.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::{Kind, MANAGED_BY};
use crate::plan::Plan;

/// An object with a spec, field by field in alphabetical order.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource<'p, S> {
    api_version: &'static str,
    kind: &'static str,
    pub(super) metadata: Metadata<'p>,
    spec: S,
}

impl<'p, S> Resource<'p, S> {
    /// An object of the plan's Service.
    pub(super) fn new(
        kind: Kind,
        plan: &'p Plan,
        name: Cow<'p, str>,
        annotations: Annotations<'p>,
        spec: S,
    ) -> Self {
        let labels = Labels::new(Some(plan.service()));
        let metadata = Metadata { annotations, labels, name, namespace: plan.namespace() };
        Self { api_version: kind.row().api_version, kind: kind.as_str(), metadata, spec }
    }
}

/// The metadata of an object.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Metadata<'p> {
    #[serde(serialize_with = "as_map", skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Annotations<'p>,
    pub(super) labels: Labels<'p>,
    pub(super) name: Cow<'p, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<&'p str>,
}

/// The annotations of an object, in ascending order of their keys.
pub(super) type Annotations<'p> = Vec<(&'p str, Cow<'p, str>)>;

/// All annotations of a plan.
pub(super) fn annotations(plan: &Plan) -> Annotations<'_> {
    plan.annotations.iter().map(|it| (it.key.as_str(), Cow::Borrowed(it.value.as_str()))).collect()
}

fn as_map<S: Serializer>(annotations: &Annotations<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(annotations.iter().map(|(key, value)| (key, value)))
}

/// The labels of everything that is emitted.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Labels<'p> {
    #[serde(rename = "app.kubernetes.io/managed-by")]
    managed_by: &'static str,
    /// The Service, where the object belongs to a single one.
    #[serde(rename = "xposer.stakater.com/service", skip_serializing_if = "Option::is_none")]
    service: Option<&'p str>,
}

impl<'p> Labels<'p> {
    pub(super) fn new(service: Option<&'p str>) -> Self {
        Self { managed_by: MANAGED_BY, service }
    }
}
