//! An admission request in, an admission response out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use xposer::emit::stamp;
use xposer::{Outcome, Report, Service, Settings, Severity, expose, is_service};

use crate::{object, words};

/// The status of the API server for an invalid object.
const UNPROCESSABLE: u16 = 422;
const BAD_REQUEST: u16 = 400;
const INTERNAL: u16 = 500;

/// What a Kubewarden host sends.
#[derive(Deserialize)]
struct Payload<'p> {
    #[serde(borrow)]
    request: Request<'p>,
    #[serde(default)]
    settings: Value,
}

/// The fields of `AdmissionRequest` (`admission.k8s.io/v1`) that are read.
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
    #[serde(borrow, default)]
    object: Option<&'p RawValue>,
}

#[derive(Deserialize)]
struct Kind<'p> {
    #[serde(borrow, default)]
    group: Cow<'p, str>,
    #[serde(borrow)]
    kind: Cow<'p, str>,
}

impl Request<'_> {
    /// Whether the request creates or updates a Service. A request without a kind counts as one for a Service.
    fn is_for_service(&self) -> bool {
        matches!(self.operation.as_ref(), "CREATE" | "UPDATE")
            && self.sub_resource.as_ref().is_none_or(|name| name.is_empty())
            && self.kind.as_ref().is_none_or(|kind| kind.group.is_empty() && kind.kind == "Service")
    }
}

/// The response in Kubewarden's form (`ValidationResponse` of its SDK).
#[derive(Default, Serialize)]
struct Response {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<Audit>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutated_object: Option<Box<RawValue>>,
}

/// The audit annotations. The API server puts the name of the webhook in front of each key.
#[derive(Serialize)]
struct Audit {
    /// The codes of all findings.
    codes: String,
}

/// Answers a request.
///
/// # Errors
///
/// None is known: a response always has a form in JSON.
pub(crate) fn answer(payload: &[u8]) -> serde_json::Result<Vec<u8>> {
    let response =
        serde_json::from_slice(payload).and_then(|payload| review(&payload)).unwrap_or_else(|error| {
            rejected(BAD_REQUEST, format!("the admission request cannot be read: {error}"))
        });
    serde_json::to_vec(&response)
}

fn review(payload: &Payload<'_>) -> serde_json::Result<Response> {
    let request = &payload.request;
    let Some(text) = request.object.filter(|_| request.is_for_service()) else { return Ok(accepted()) };
    let object = object::read(text)?;
    // Refusing the update that removes the last finalizer would keep the Service alive for ever.
    let is_being_deleted = object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null());
    if is_being_deleted || (request.kind.is_none() && !is_service(&object)) {
        return Ok(accepted());
    }
    match Settings::from_value(&payload.settings) {
        Ok(settings) => decide(text, object, request.namespace.as_deref(), &settings),
        Err(report) => Ok(rejected(INTERNAL, words::settings(&report))),
    }
}

fn decide(
    text: &RawValue,
    mut object: Value,
    namespace: Option<&str>,
    settings: &Settings,
) -> serde_json::Result<Response> {
    let service = Service::from_value(&object).with_default_namespace(namespace.unwrap_or_default());
    let (mut response, stamp) = match expose(&service, settings) {
        Outcome::NotExposed { report: None } => (accepted(), None),
        Outcome::NotExposed { report: Some(report) } => (with_findings(accepted(), &report), None),
        Outcome::Refused(report) | Outcome::Conflicting(report) => {
            return Ok(with_findings(rejected(UNPROCESSABLE, words::rejection(&report)), &report));
        }
        Outcome::Planned { plan, report } => (with_findings(accepted(), &report), plan.stamp()),
    };
    if settings.stamp() && stamp::write(&mut object, stamp.as_ref()) {
        let annotations = object.pointer("/metadata/annotations").unwrap_or(&Value::Null);
        response.mutated_object = Some(object::with_annotations(text, annotations)?);
    }
    Ok(response)
}

/// The response with the Warnings for the user, and all codes for the audit log.
fn with_findings(response: Response, report: &Report) -> Response {
    if report.is_empty() {
        return response;
    }
    let warnings = words::warnings(report.of(Severity::Warning), report.count(Severity::Warning));
    Response { warnings, audit_annotations: Some(Audit { codes: words::codes(report) }), ..response }
}

fn accepted() -> Response {
    Response { accepted: true, ..Response::default() }
}

fn rejected(code: u16, message: String) -> Response {
    Response { message: Some(message), code: Some(code), ..Response::default() }
}
