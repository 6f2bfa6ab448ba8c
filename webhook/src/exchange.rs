//! The admission review: reads its request, and writes its answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use xposer_admission::Response;

const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";
/// The maximum number of characters of an unknown word that a message repeats.
const SHOWN: usize = 60;

/// A review with a request that has not been answered yet.
#[derive(Debug)]
pub struct PendingReview<'b> {
    uid: String,
    request: &'b RawValue,
}

/// The error for a body that is no review of a supported version; the text tells why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidReview(String);

impl fmt::Display for InvalidReview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidReview {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read<'b> {
    #[serde(borrow, default)]
    api_version: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    kind: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    request: Option<&'b RawValue>,
}

#[derive(Deserialize)]
struct Named {
    uid: String,
}

#[derive(Deserialize)]
struct RequestObject<'b> {
    #[serde(borrow, default)]
    object: Option<&'b RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReviewResponse<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Answer<'a>,
}

/// `AdmissionResponse` of `admission.k8s.io/v1`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Status<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
}

impl<'b> PendingReview<'b> {
    /// Reads a review.
    ///
    /// # Errors
    ///
    /// The body is no JSON, no review, or a review of another version, or its request has no UID.
    ///
    /// ```
    /// # use xposer_webhook::PendingReview;
    /// let said = PendingReview::read(br#"{"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview"}"#).unwrap_err();
    /// assert_eq!(said.to_string(), "the body has the kind `AdmissionReview` and the apiVersion \
    ///     `admission.k8s.io/v1beta1`, and only AdmissionReview of admission.k8s.io/v1 is supported; the configuration of the webhook needs admissionReviewVersions: [v1]");
    /// ```
    pub fn read(body: &'b [u8]) -> Result<Self, InvalidReview> {
        let read: Read<'b> = serde_json::from_slice(body)
            .map_err(|error| InvalidReview(format!("the body is no {KIND} in JSON: {error}")))?;
        let (kind, version) = (word(read.kind.as_deref()), word(read.api_version.as_deref()));
        if kind != KIND || version != API_VERSION {
            let help = if kind == KIND {
                "; the configuration of the webhook needs admissionReviewVersions: [v1]"
            } else {
                ""
            };
            return Err(InvalidReview(format!(
                "the body has the kind `{kind}` and the apiVersion `{version}`, and only {KIND} of {API_VERSION} is supported{help}"
            )));
        }
        let request = read.request.ok_or_else(|| InvalidReview(format!("the {KIND} has no request")))?;
        let Named { uid } = serde_json::from_str(request.get())
            .map_err(|error| InvalidReview(format!("the request of the {KIND} has no uid: {error}")))?;
        Ok(Self { uid, request })
    }

    /// The request, as JSON, from which [`xposer_admission::Request`] is read.
    #[must_use]
    pub fn request(&self) -> &'b str {
        self.request.get()
    }

    /// Returns the review with its answer, as JSON. A changed object becomes a JSON patch.
    #[must_use]
    pub fn answer(&self, response: &Response) -> Vec<u8> {
        let written = self.patch(response).and_then(|patch| self.write(response, patch));
        // The fallback is never needed in practice: both objects can be parsed, because one was made from the other.
        written.or_else(|error| self.write(&Response::unreadable(&error), None)).unwrap_or_default()
    }

    fn write(&self, response: &Response, patch: Option<String>) -> serde_json::Result<Vec<u8>> {
        let has_status = response.message().is_some() || response.code().is_some();
        let status = Status { message: response.message(), code: response.code() };
        let response = Answer {
            uid: &self.uid,
            allowed: response.is_allowed(),
            status: has_status.then_some(status),
            patch_type: patch.is_some().then_some("JSONPatch"),
            patch,
            audit_annotations: response.audit_annotations().collect(),
            warnings: response.warnings(),
        };
        serde_json::to_vec(&ReviewResponse { api_version: API_VERSION, kind: KIND, response })
    }

    /// The patch in Base64; `None` if nothing differs.
    fn patch(&self, response: &Response) -> serde_json::Result<Option<String>> {
        let Some(changed) = response.changed_object() else { return Ok(None) };
        let RequestObject { object } = serde_json::from_str(self.request.get())?;
        let before: Value = object.map_or(Ok(Value::Null), |object| serde_json::from_str(object.get()))?;
        let patch = json_patch::diff(&before, &serde_json::from_str(changed.get())?);
        if patch.0.is_empty() {
            return Ok(None);
        }
        Ok(Some(STANDARD.encode(serde_json::to_vec(&patch)?)))
    }
}

/// A word of the body in a form that a sentence can repeat.
fn word(message: Option<&str>) -> String {
    message.unwrap_or_default().chars().filter(|it| !it.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xposer::Settings;
    use xposer_admission::{Request, Review, review};

    use super::*;

    fn body(object: &Value) -> Vec<u8> {
        let request = json!({"uid": "a-1", "operation": "CREATE", "namespace": "shop",
            "kind": {"group": "", "version": "v1", "kind": "Service"}, "object": object});
        json!({"apiVersion": API_VERSION, "kind": KIND, "request": request}).to_string().into_bytes()
    }

    /// The answer under these settings, and the object after the patch.
    fn answered(object: &Value, settings: &Value) -> (Value, Value) {
        let body = body(object);
        let exchange = PendingReview::read(&body).unwrap();
        let request: Request<'_> = serde_json::from_str(exchange.request()).unwrap();
        let Review::Answered(response) = review(&request, &Settings::from_value(settings).unwrap()) else {
            panic!("it asks")
        };
        let answer: Value = serde_json::from_slice(&exchange.answer(&response)).unwrap();
        let mut patched = object.clone();
        if let Some(patch) = answer["response"]["patch"].as_str() {
            let patch = STANDARD.decode(patch).unwrap();
            json_patch::patch(&mut patched, &serde_json::from_slice::<json_patch::Patch>(&patch).unwrap())
                .unwrap();
        }
        (answer, patched)
    }

    fn service(metadata: &Value) -> Value {
        let mut object = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
            "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}}});
        object["metadata"].as_object_mut().unwrap().extend(metadata.as_object().cloned().unwrap());
        object
    }

    #[test]
    fn changes_are_a_patch_of_the_annotations() {
        const URL: &str = "status.xposer.stakater.com/url";
        for metadata in [
            json!({}),
            json!({"annotations": null}),
            json!({"annotations": {}}),
            json!({"annotations": {"a/b~c": "1", URL: "http://old"}, "managedFields": [{"manager": "x"}]}),
        ] {
            let before = service(&metadata);
            let (answer, patched) = answered(&before, &json!({"domain": "example.com"}));
            let response = &answer["response"];
            assert_eq!(response["patchType"], "JSONPatch");
            assert_eq!((&response["uid"], &response["allowed"]), (&json!("a-1"), &json!(true)));
            assert_eq!(patched["metadata"]["annotations"][URL], "http://web.shop.example.com");
            // No other field is changed.
            let annotations = before["metadata"]["annotations"].as_object().into_iter().flatten();
            for (key, value) in annotations.filter(|(key, _)| *key != URL) {
                assert_eq!(patched["metadata"]["annotations"][key], *value);
            }
            let mut rest = patched.clone();
            rest["metadata"]["annotations"] = before["metadata"]["annotations"].clone();
            let mut expected = before;
            expected["metadata"]["annotations"] = rest["metadata"]["annotations"].clone();
            assert_eq!(rest, expected);
            // An object that is stamped already is not changed.
            let (again, same) = answered(&patched, &json!({"domain": "example.com"}));
            assert_eq!((again["response"].get("patch"), same), (None, patched));
        }
    }

    #[test]
    fn a_refusal_has_its_reasons_and_codes() {
        let object = service(&json!({"annotations": {
            "config.xposer.stakater.com/IngressURLTemplate": "Upper.example.com",
            "config.xposer.stakater.com/Target": "Nothing"}}));
        let (answer, _) = answered(&object, &json!({}));
        let response = &answer["response"];
        assert_eq!((&response["allowed"], &response["status"]["code"]), (&json!(false), &json!(422)));
        let message = response["status"]["message"].as_str().unwrap();
        assert!(message.contains("for 2 reasons:\n1. ") && message.contains("[host-uppercase]"), "{message}");
        assert!(response["auditAnnotations"]["codes"].as_str().unwrap().contains("host-uppercase"));
    }

    #[test]
    fn invalid_review_has_a_plain_message() {
        let review = |more: Value| {
            let mut review = json!({"apiVersion": API_VERSION, "kind": KIND});
            review.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            review.to_string()
        };
        for (body, said) in [
            (String::new(), "the body is no AdmissionReview in JSON"),
            ("[]".to_owned(), "the kind `` and the apiVersion ``, and only"),
            ("\u{0}".to_owned(), "the body is no AdmissionReview in JSON"),
            ("[".repeat(100_000), "the body is no AdmissionReview in JSON"),
            (
                "{}".to_owned(),
                "the kind `` and the apiVersion ``, and only AdmissionReview of admission.k8s.io/v1",
            ),
            (
                review(json!({"kind": "Pod\n"})),
                "the kind `Pod` and the apiVersion `admission.k8s.io/v1`, and only",
            ),
            (review(json!({"apiVersion": 1})), "the body is no AdmissionReview in JSON"),
            (
                review(json!({"apiVersion": "admission.k8s.io/v2"})),
                "the apiVersion `admission.k8s.io/v2`, and only",
            ),
            (review(json!({})), "the AdmissionReview has no request"),
            (review(json!({"request": null})), "the AdmissionReview has no request"),
            (review(json!({"request": []})), "the request of the AdmissionReview has no uid"),
            (review(json!({"request": {"uid": 1}})), "the request of the AdmissionReview has no uid"),
            (review(json!({"request": {}})), "has no uid: missing field `uid`"),
        ] {
            let found = PendingReview::read(body.as_bytes()).unwrap_err().to_string();
            assert!(found.contains(said) && found.len() < 400, "{found}");
        }
    }
}
