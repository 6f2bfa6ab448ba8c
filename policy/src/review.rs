//! An admission request in, an admission response out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use xposer::{Outcome, Report, Service, Settings, Severity, expose};

use crate::object::Object;
use crate::words;

/// What cannot be rendered is invalid: the status that the API server itself uses for such objects.
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

/// The fields of `AdmissionRequest` (`admission.k8s.io/v1`) that are looked at.
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
    object: Option<Object<'p>>,
}

#[derive(Deserialize)]
struct Kind<'p> {
    #[serde(borrow, default)]
    group: Cow<'p, str>,
    #[serde(borrow)]
    kind: Cow<'p, str>,
}

impl<'p> Request<'p> {
    /// The Service to look at, if there is one.
    fn service(&mut self) -> Option<Object<'p>> {
        let is_asked = matches!(self.operation.as_ref(), "CREATE" | "UPDATE")
            && self.sub_resource.as_ref().is_none_or(|name| name.is_empty())
            && self.kind.as_ref().is_none_or(|kind| kind.group.is_empty() && kind.kind == "Service");
        let object = self.object.take().filter(|_| is_asked)?;
        let is_service = self.kind.is_some() || object.is_service();
        // Refusing the update that removes the last finalizer would keep the Service alive for ever.
        (is_service && !object.is_being_deleted()).then_some(object)
    }
}

/// The response in Kubewarden's form (`ValidationResponse` of its SDK), without the changed object.
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
}

/// The audit annotations. The API server puts the name of the webhook in front of each key.
#[derive(Serialize)]
struct Audit {
    /// The codes of everything that was found.
    codes: String,
}

/// Answers a request.
///
/// # Errors
///
/// None is known: a response always has a form in JSON.
pub(crate) fn answer(payload: &[u8]) -> serde_json::Result<Vec<u8>> {
    let (response, changed) = respond(payload);
    let mut json = Vec::with_capacity(256 + changed.as_ref().map_or(0, |_| payload.len()));
    serde_json::to_writer(&mut json, &response)?;
    if let Some(object) = changed {
        // The object is JSON already, so it is put in as it is. There is a field before it in any case.
        json.pop();
        json.extend_from_slice(br#","mutated_object":"#);
        object.write(&mut json)?;
        json.push(b'}');
    }
    Ok(json)
}

/// The response, and the object if it was changed.
fn respond(payload: &[u8]) -> (Response, Option<Object<'_>>) {
    let (mut request, settings) = match serde_json::from_slice::<Payload<'_>>(payload) {
        Ok(Payload { request, settings }) => (request, settings),
        Err(error) => {
            return (rejected(BAD_REQUEST, format!("the admission request cannot be read: {error}")), None);
        }
    };
    let Some(object) = request.service() else { return (accepted(), None) };
    match Settings::from_value(&settings) {
        Ok(settings) => decide(object, payload, request.namespace.as_deref(), &settings),
        Err(report) => (rejected(INTERNAL, words::settings(&report)), None),
    }
}

fn decide<'p>(
    mut object: Object<'p>,
    payload: &'p [u8],
    namespace: Option<&str>,
    settings: &Settings,
) -> (Response, Option<Object<'p>>) {
    let service = Service::from_value(object.value()).with_default_namespace(namespace.unwrap_or_default());
    let (response, stamp) = match expose(&service, settings) {
        Outcome::NotExposed { report: None } => (accepted(), None),
        Outcome::NotExposed { report: Some(report) } => (said(accepted(), &report), None),
        Outcome::Refused(report) => {
            return (said(rejected(UNPROCESSABLE, words::rejection(&report)), &report), None);
        }
        Outcome::Planned { plan, report } => (said(accepted(), &report), plan.stamp()),
    };
    let changed = settings.stamp() && object.stamp(stamp.as_ref(), payload);
    (response, changed.then_some(object))
}

/// The response with the Warnings for the user, and all codes for the audit log.
fn said(response: Response, report: &Report) -> Response {
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
