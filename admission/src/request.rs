//! The part of an admission request that is read.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use xposer::guard::is_guarded;

use crate::object;

/// The fields of `AdmissionRequest` (`admission.k8s.io/v1`) that are read, borrowed from its JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'p> {
    #[serde(borrow, default)]
    pub(crate) kind: Option<Kind<'p>>,
    #[serde(borrow, default)]
    sub_resource: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    namespace: Option<Cow<'p, str>>,
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
    /// Whether Kubewarden's audit scanner sends the request, about an existing object: the request has no user. The API server adds
    /// a user to every request.
    pub(crate) fn is_audit(&self) -> bool {
        self.user().is_empty()
    }

    /// The kind of the object; empty if the request names none.
    pub(crate) fn kind(&self) -> &str {
        self.kind.as_ref().map(|kind| kind.kind.as_ref()).unwrap_or_default()
    }

    /// The namespace; empty if the request names none.
    pub(crate) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// The creation time of the object in the format of the API server; empty if the request creates the object. A client can write
    /// any time into an object that it creates or updates, so the time is taken from the old object.
    pub(crate) fn created(&self, object: &Value) -> String {
        match self.old_object {
            Some(old) => object::created(old),
            None if self.is_audit() => object::time_of(object),
            None => String::new(),
        }
    }

    /// The user who sends the request.
    pub(crate) fn user(&self) -> &str {
        self.user_info.username.as_deref().unwrap_or_default()
    }

    /// Whether the request creates or updates an object, and not a subresource of it.
    pub(crate) fn writes(&self) -> bool {
        matches!(self.operation.as_ref(), "CREATE" | "UPDATE")
            && self.sub_resource.as_ref().is_none_or(|name| name.is_empty())
    }

    /// Whether the request is about a Service. A request without a kind counts as one.
    pub(crate) fn is_for_service(&self) -> bool {
        self.kind.as_ref().is_none_or(|kind| kind.group.is_empty() && kind.kind == "Service")
    }

    /// Whether the request is about an object of another kind that assigns hosts in a controller.
    pub(crate) fn is_for_guarded(&self) -> bool {
        self.kind.as_ref().is_some_and(|kind| is_guarded(&kind.group, &kind.kind))
    }
}
