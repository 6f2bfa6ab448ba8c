//! An object in the form of the API server, with the fields that the controller reads.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ApiResource;
use kube::core::DynamicResourceScope;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An object of any kind.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Document {
    /// The metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// The specification.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub spec: Value,
    /// The data of a ConfigMap.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// The status, which the controller reads and never writes.
    #[serde(default, skip_serializing)]
    pub status: Value,
}

impl kube::Resource for Document {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(of: &ApiResource) -> Cow<'_, str> {
        of.kind.as_str().into()
    }

    fn group(of: &ApiResource) -> Cow<'_, str> {
        of.group.as_str().into()
    }

    fn version(of: &ApiResource) -> Cow<'_, str> {
        of.version.as_str().into()
    }

    fn api_version(of: &ApiResource) -> Cow<'_, str> {
        of.api_version.as_str().into()
    }

    fn plural(of: &ApiResource) -> Cow<'_, str> {
        of.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
