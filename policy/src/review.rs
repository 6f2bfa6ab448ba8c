//! An admission request in, an admission response out.

use serde::Serialize;
use serde::de::Error;
use serde_json::Value;
use serde_json::value::RawValue;
use xposer::emit::stamp;
use xposer::{Outcome, Report, Service, Settings, Severity, expose, is_service};

use crate::object::Fields;
use crate::{object, words};

/// The status of the API server for an invalid object.
const UNPROCESSABLE: u16 = 422;
const BAD_REQUEST: u16 = 400;
const INTERNAL: u16 = 500;

/// What a Kubewarden host sends: the fields of `AdmissionRequest` (`admission.k8s.io/v1`) that are read, and the settings.
struct Request<'p> {
    /// The group and the kind of the object.
    kind: Option<(String, String)>,
    sub_resource: String,
    namespace: Option<String>,
    operation: String,
    object: Option<&'p RawValue>,
    settings: Value,
}

impl<'p> Request<'p> {
    fn read(payload: &'p [u8]) -> serde_json::Result<Self> {
        let payload: Fields<'p> = serde_json::from_slice(payload)?;
        let missing = |name: &str| serde_json::Error::custom(format!("missing field `{name}`"));
        let request = Fields::read(payload.get("request").ok_or_else(|| missing("request"))?)?;
        let is_given = |text: &&RawValue| text.get() != "null";
        let kind = request.get("kind").filter(is_given).map(Fields::read).transpose()?;
        let kind = kind.map(|kind| {
            let name = kind.text("kind")?.ok_or_else(|| missing("kind"))?;
            Ok((kind.text("group")?.unwrap_or_default(), name))
        });
        let settings = payload.get("settings").map(|text| serde_json::from_str(text.get())).transpose()?;
        Ok(Self {
            kind: kind.transpose()?,
            sub_resource: request.text("subResource")?.unwrap_or_default(),
            namespace: request.text("namespace")?,
            operation: request.text("operation")?.ok_or_else(|| missing("operation"))?,
            object: request.get("object").filter(is_given),
            settings: settings.unwrap_or_default(),
        })
    }

    /// Whether the request creates or updates a Service. A request without a kind counts as one for a Service.
    fn is_for_service(&self) -> bool {
        matches!(self.operation.as_str(), "CREATE" | "UPDATE")
            && self.sub_resource.is_empty()
            && self.kind.as_ref().is_none_or(|(group, kind)| group.is_empty() && kind == "Service")
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
    let response = Request::read(payload).and_then(|request| review(&request)).unwrap_or_else(|error| {
        rejected(BAD_REQUEST, format!("the admission request cannot be read: {error}"))
    });
    serde_json::to_vec(&response)
}

fn review(request: &Request<'_>) -> serde_json::Result<Response> {
    let Some(text) = request.object.filter(|_| request.is_for_service()) else { return Ok(accepted()) };
    let object = object::read(text)?;
    // Refusing the update that removes the last finalizer would keep the Service alive for ever.
    let is_being_deleted = object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null());
    if is_being_deleted || (request.kind.is_none() && !is_service(&object)) {
        return Ok(accepted());
    }
    match Settings::from_value(&request.settings) {
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
