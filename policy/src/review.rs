//! An admission request in, an admission response out.

use std::borrow::Cow;
use std::collections::HashMap;

use kubewarden_policy_sdk::response::ValidationResponse;
use serde::Deserialize;
use serde_json::Value;
use xposer::{Outcome, Report, Service, Settings, Severity, expose, is_service, stamp};

use crate::words;

/// What cannot be rendered is invalid: the status that the API server itself uses for such objects.
const UNPROCESSABLE: u16 = 422;
const BAD_REQUEST: u16 = 400;
const INTERNAL: u16 = 500;
/// The audit annotation that lists the codes of everything that was found. The API server puts the name of the
/// webhook in front of it.
const CODES: &str = "codes";

/// What a Kubewarden host sends.
#[derive(Deserialize)]
struct Payload<'p> {
    #[serde(borrow)]
    request: Request<'p>,
    #[serde(default)]
    settings: Value,
}

/// The fields of `AdmissionRequest` (`admission.k8s.io/v1`) that are looked at. The object stays as it was sent: fields
/// that no version of this program knows survive.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'p> {
    #[serde(borrow, default)]
    kind: Option<Kind<'p>>,
    #[serde(borrow, default)]
    sub_resource: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    namespace: Option<Cow<'p, str>>,
    #[serde(borrow)]
    operation: Cow<'p, str>,
    #[serde(default)]
    object: Value,
}

#[derive(Deserialize)]
struct Kind<'p> {
    #[serde(borrow, default)]
    group: Cow<'p, str>,
    #[serde(borrow)]
    kind: Cow<'p, str>,
}

impl Request<'_> {
    /// Whether there is a Service to look at.
    fn is_ours(&self) -> bool {
        matches!(self.operation.as_ref(), "CREATE" | "UPDATE")
            && self.sub_resource.as_ref().is_none_or(|name| name.is_empty())
            && match &self.kind {
                Some(kind) => kind.group.is_empty() && kind.kind == "Service",
                None => is_service(&self.object),
            }
            // Refusing the update that removes the last finalizer would keep the Service alive for ever.
            && self.object.pointer("/metadata/deletionTimestamp").is_none_or(Value::is_null)
    }
}

/// Answers a request.
pub(crate) fn answer(payload: &[u8]) -> ValidationResponse {
    match serde_json::from_slice::<Payload<'_>>(payload) {
        Ok(Payload { request, .. }) if !request.is_ours() => accepted(),
        Ok(Payload { request, settings }) => match Settings::from_value(&settings) {
            Ok(settings) => decide(request, &settings),
            Err(report) => rejected(INTERNAL, words::settings(&report)),
        },
        Err(error) => rejected(BAD_REQUEST, format!("the admission request cannot be read: {error}")),
    }
}

fn decide(request: Request<'_>, settings: &Settings) -> ValidationResponse {
    let mut object = request.object;
    let service = Service::from_value(&object).in_namespace(request.namespace.as_deref().unwrap_or_default());
    let (mut response, found) = match expose(&service, settings) {
        Outcome::NotAsked => (accepted(), None),
        Outcome::Refused(report) => (said(rejected(UNPROCESSABLE, words::rejection(&report)), &report), None),
        Outcome::Planned { plan, report } => (said(accepted(), &report), plan.stamp()),
    };
    if response.accepted && settings.stamp() && stamp::write(&mut object, found.as_ref()) {
        response.mutated_object = Some(object);
    }
    response
}

/// The response with the Warnings for the user, and all codes for the audit log.
fn said(response: ValidationResponse, report: &Report) -> ValidationResponse {
    if report.is_empty() {
        return response;
    }
    let warnings = words::warnings(report.of(Severity::Warning));
    ValidationResponse {
        warnings: Some(warnings).filter(|warnings| !warnings.is_empty()),
        audit_annotations: Some(HashMap::from([(CODES.to_owned(), words::codes(report))])),
        ..response
    }
}

fn accepted() -> ValidationResponse {
    ValidationResponse {
        accepted: true,
        message: None,
        code: None,
        mutated_object: None,
        audit_annotations: None,
        warnings: None,
    }
}

fn rejected(code: u16, message: String) -> ValidationResponse {
    ValidationResponse { accepted: false, message: Some(message), code: Some(code), ..accepted() }
}
