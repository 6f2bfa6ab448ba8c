//! Converts the answers of a policy to admission responses as Kubewarden does, with a mutation as a JSON patch.
//!
//! The rules are those of Kubewarden's `policy-evaluator` 1.36: the settings are validated first; the request is reduced to the
//! fields of `AdmissionRequest`; a changed object becomes a patch, but an equal object does not; the mutation of a policy that must
//! not mutate is rejected.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::host::{Answer, HostCall, INTERRUPTED, Module, Reply, refuse};

/// Runs a policy's functions: natively, or in the waPC host.
pub trait Policy {
    /// Calls an operation.
    fn call(&self, operation: &str, payload: &[u8]) -> Answer;
}

impl Policy for Module {
    fn call(&self, operation: &str, payload: &[u8]) -> Answer {
        Self::call(self, operation, payload)
    }
}

/// The policy of this workspace, called natively. Its calls to the host are refused, as by a host without capabilities.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

impl Policy for Native {
    fn call(&self, operation: &str, payload: &[u8]) -> Answer {
        self.call_with(operation, payload, &refuse)
    }
}

impl Native {
    /// Calls an operation; `reply` answers its calls to the host.
    #[must_use]
    pub fn call_with(self, operation: &str, payload: &[u8], reply: &Reply) -> Answer {
        let calls: RefCell<Vec<HostCall>> = RefCell::default();
        let host = |payload: &[u8]| {
            let call = HostCall::get_resource(payload.to_vec());
            let answer = reply(&call);
            calls.borrow_mut().push(call);
            answer
        };
        let result = match operation {
            "validate" => xposer_policy::validate_with(payload, &host, &|| Timestamp::now().as_second()),
            "validate_settings" => xposer_policy::validate_settings(payload),
            other => Err(format!("No handler registered for function {other}").into()),
        };
        Answer { result: result.map_err(|error| error.to_string()), calls: calls.into_inner() }
    }
}

/// The policy with a host, run natively, and also as WebAssembly if there is a module. Both must give the same bytes and make the
/// same calls.
pub struct Compared {
    /// The module.
    pub module: Option<&'static Module>,
    /// The function that answers calls to the host.
    pub reply: Arc<Reply>,
}

impl Policy for Compared {
    fn call(&self, operation: &str, payload: &[u8]) -> Answer {
        let native = Native.call_with(operation, payload, &*self.reply);
        assert!(native.result.is_ok(), "{:?}", native.result);
        if let Some(module) = self.module {
            let reply = Arc::clone(&self.reply);
            let wasm = module.call_with(operation, payload, Box::new(move |call| reply(call)));
            let text =
                |answer: &Answer| answer.result.clone().map(|it| String::from_utf8_lossy(&it).into_owned());
            assert!(wasm.result == native.result, "{:?} and natively {:?}", text(&wasm), text(&native));
            assert_eq!(wasm.calls, native.calls);
        }
        native
    }
}

/// The deployment of a policy.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The name, for messages.
    pub id: String,
    /// Whether the policy may change objects.
    pub mutating: bool,
    /// Whether the verdict is enforced; in monitor mode, everything is accepted unchanged.
    pub protect: bool,
    /// The message that users see instead of the policy's own message.
    pub message: Option<String>,
    /// The settings, a mapping.
    pub settings: Map<String, Value>,
}

impl Default for Deployment {
    fn default() -> Self {
        Self { id: "xposer".to_owned(), mutating: true, protect: true, message: None, settings: Map::new() }
    }
}

/// The reason why there is no admission response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The settings are invalid; the text is the policy's message.
    Settings(String),
    /// The document is no request.
    Request(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(message) => write!(f, "Provided settings are not valid: {message}"),
            Self::Request(message) => {
                write!(f, "cannot build AdmissionRequest object from given input: {message}")
            }
        }
    }
}

/// The admission response (`admission.k8s.io/v1`), as `kwctl run` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The UID of the request.
    pub uid: String,
    /// Whether the request is allowed.
    pub allowed: bool,
    /// `JSONPatch` if there is a patch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch_type: Option<&'static str>,
    /// The patch, in Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// The reason why the request is not allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The annotations for the audit log.
    pub audit_annotations: Option<Map<String, Value>>,
    /// The warnings for the user.
    pub warnings: Option<Vec<String>>,
}

/// The reason why a request is not allowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The policy's own message, if the deployment replaces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// The HTTP status code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

impl Response {
    /// The operations of the patch; empty if there is none.
    #[must_use]
    pub fn operations(&self) -> Vec<Value> {
        let bytes = self.patch.as_ref().and_then(|patch| STANDARD.decode(patch).ok());
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }
}

/// The answer of a policy (`ValidationResponse` of the SDK).
#[derive(Deserialize)]
struct Verdict {
    accepted: bool,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    code: Option<u16>,
    #[serde(default)]
    mutated_object: Option<Value>,
    #[serde(default)]
    audit_annotations: Option<Map<String, Value>>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

/// The fields of a request that a policy receives, and whether each is required.
const FIELDS: &[(&str, bool)] = &[
    ("uid", true),
    ("kind", true),
    ("resource", true),
    ("subResource", false),
    ("requestKind", false),
    ("requestResource", false),
    ("requestSubResource", false),
    ("name", false),
    ("namespace", false),
    ("operation", true),
    ("userInfo", true),
    ("object", false),
    ("oldObject", false),
    ("dryRun", false),
    ("options", false),
];

/// Returns the payload for the policy: `{"request": .., "settings": ..}`.
///
/// # Errors
///
/// The document is no admission request.
pub fn payload(document: &Value, settings: &Map<String, Value>) -> Result<Value, Refusal> {
    let is_review = document.get("kind").and_then(Value::as_str) == Some("AdmissionReview");
    let request = if is_review { document.get("request") } else { Some(document) };
    let Some(Value::Object(request)) = request else {
        return Err(Refusal::Request("invalid AdmissionReview object".to_owned()));
    };
    let mut kept = Map::new();
    for (name, required) in FIELDS {
        match request.get(*name) {
            Some(value) if !value.is_null() => {
                kept.insert((*name).to_owned(), value.clone());
            }
            _ if *required => return Err(Refusal::Request(format!("missing field `{name}`"))),
            _ => {}
        }
    }
    Ok(json!({"request": kept, "settings": settings}))
}

/// Evaluates an admission request, or a whole `AdmissionReview`, with a policy. Returns the response, and the policy's calls to its
/// host.
///
/// # Errors
///
/// The settings are invalid, or the document is no request.
pub fn evaluate(
    policy: &dyn Policy,
    deployment: &Deployment,
    document: &Value,
) -> Result<(Response, Vec<HostCall>), Refusal> {
    let settings = Value::Object(deployment.settings.clone());
    let answer = policy.call("validate_settings", settings.to_string().as_bytes());
    let verdict: Value = answer
        .result
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .map_err(|message| {
            Refusal::Settings(format!("Error invoking settings validation callback: {message}"))
        })?;
    if verdict.get("valid") != Some(&Value::Bool(true)) {
        let message = verdict.get("message").and_then(Value::as_str).unwrap_or_default();
        return Err(Refusal::Settings(message.to_owned()));
    }
    let payload = payload(document, &deployment.settings)?;
    let answer = policy.call("validate", payload.to_string().as_bytes());
    let request = payload.get("request").cloned().unwrap_or_default();
    let uid = request.get("uid").and_then(Value::as_str).unwrap_or_default().to_owned();
    let response = match answer.result {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(verdict) => respond(uid, request.get("object"), verdict),
            Err(error) => internal(uid, &error.to_string()),
        },
        Err(message) if message.contains(INTERRUPTED) => refused(
            uid,
            "Policy execution interrupted because it exceeded the allowed execution time".to_owned(),
            Some(500),
        ),
        Err(message) => internal(uid, &message),
    };
    Ok((constrained(response, deployment), answer.calls))
}

fn refused(uid: String, message: String, code: Option<u16>) -> Response {
    let status = Some(Status { message: Some(message), details: None, code });
    Response {
        uid,
        allowed: false,
        patch_type: None,
        patch: None,
        status,
        audit_annotations: None,
        warnings: None,
    }
}

fn internal(uid: String, message: &str) -> Response {
    refused(uid, format!("internal server error: {message}"), Some(500))
}

fn respond(uid: String, object: Option<&Value>, verdict: Verdict) -> Response {
    let patch = match (&verdict.mutated_object, object) {
        (Some(_), None) => {
            let message = "Incoming object is null, which happens only with DELETE operations, but the policy is \
                attempting a mutation. This is not allowed";
            return refused(uid, message.to_owned(), None);
        }
        (Some(mutated), Some(object)) => {
            let patch = json_patch::diff(object, mutated);
            (!patch.0.is_empty()).then(|| STANDARD.encode(json!(patch).to_string()))
        }
        (None, _) => None,
    };
    let has_status = verdict.message.is_some() || verdict.code.is_some();
    Response {
        uid,
        allowed: verdict.accepted,
        patch_type: patch.is_some().then_some("JSONPatch"),
        patch,
        status: has_status.then_some(Status { message: verdict.message, details: None, code: verdict.code }),
        audit_annotations: verdict.audit_annotations,
        warnings: verdict.warnings,
    }
}

/// Restricts the response to what the deployment allows.
fn constrained(mut response: Response, deployment: &Deployment) -> Response {
    if !deployment.protect {
        return Response { allowed: true, patch_type: None, patch: None, status: None, ..response };
    }
    if response.patch.is_some() && !deployment.mutating {
        let message = format!(
            "Request rejected by policy {}. The policy attempted to mutate the request, but it is currently \
             configured to not allow mutations.",
            deployment.id
        );
        let status = Some(Status { message: Some(message), ..Status::default() });
        response = Response { allowed: false, patch_type: None, patch: None, status, ..response };
    }
    if let (false, Some(message)) = (response.allowed, &deployment.message) {
        let mut status = response.status.take().unwrap_or_default();
        let cause = json!({"message": status.message.take().unwrap_or_default()});
        status.details = Some(json!({"causes": [cause]}));
        status.message = Some(message.clone());
        response.status = Some(status);
    }
    response
}
