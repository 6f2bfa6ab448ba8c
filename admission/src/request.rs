//! The admission request, as far as it is read.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The fields of `AdmissionRequest` (`admission.k8s.io/v1`) that are read, borrowed from its JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'p> {
    #[serde(borrow, default)]
    pub(crate) kind: Option<Kind<'p>>,
    #[serde(borrow, default)]
    sub_resource: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    pub(crate) namespace: Option<Cow<'p, str>>,
    #[serde(borrow)]
    operation: Cow<'p, str>,
    #[serde(borrow, default)]
    user_info: User<'p>,
    #[serde(borrow, default)]
    pub(crate) object: Option<&'p RawValue>,
    #[serde(borrow, default)]
    pub(crate) old_object: Option<&'p RawValue>,
}

#[derive(Deserialize)]
pub(crate) struct Kind<'p> {
    #[serde(borrow, default)]
    group: Cow<'p, str>,
    #[serde(borrow)]
    kind: Cow<'p, str>,
}

#[derive(Default, Deserialize)]
struct User<'p> {
    #[serde(borrow, default)]
    username: Option<Cow<'p, str>>,
}

impl Request<'_> {
    /// Whether Kubewarden's audit scanner sends the request, about an object that is there already: it is no user. The API server
    /// names one in every request.
    pub(crate) fn is_audit(&self) -> bool {
        self.user().is_empty()
    }

    /// Who sends the request.
    pub(crate) fn user(&self) -> &str {
        self.user_info.username.as_deref().unwrap_or_default()
    }

    /// Whether the request creates or updates a Service. A request without a kind counts as one for a Service.
    pub(crate) fn is_for_service(&self) -> bool {
        matches!(self.operation.as_ref(), "CREATE" | "UPDATE")
            && self.sub_resource.as_ref().is_none_or(|name| name.is_empty())
            && self.kind.as_ref().is_none_or(|kind| kind.group.is_empty() && kind.kind == "Service")
    }
}
