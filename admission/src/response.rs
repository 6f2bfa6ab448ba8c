//! The admission response.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use xposer::{Code, Diagnostic, Report, Severity};

use crate::object::Changed;
use crate::words;

/// The status code for an invalid object.
const UNPROCESSABLE: u16 = 422;
const BAD_REQUEST: u16 = 400;
const INTERNAL: u16 = 500;
/// The status code if the object may be valid and a retry may succeed.
const UNAVAILABLE: u16 = 503;

/// The answer to a request. As JSON, it has the form of Kubewarden's `ValidationResponse`.
///
/// ```
/// use xposer_admission::Response;
/// assert_eq!(serde_json::to_string(&Response::accepted())?, r#"{"accepted":true}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Response {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<Audit>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutated_object: Option<Box<RawValue>>,
}

/// The audit annotations. The API server prefixes each key with the name of the webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Audit {
    /// The codes of all findings.
    codes: String,
}

impl Response {
    /// The request is accepted unchanged.
    #[must_use]
    pub fn accepted() -> Self {
        Self { accepted: true, ..Self::default() }
    }

    /// The request, or a part of it, is not the JSON that was expected: status 400.
    ///
    /// ```
    /// # use xposer_admission::{Request, Response};
    /// let error = serde_json::from_str::<Request>("{}").err().ok_or("a request has an operation")?;
    /// let response = Response::unreadable(&error);
    /// assert_eq!(response.code(), Some(400));
    /// assert_eq!(response.message(), Some("the admission request cannot be read: missing field `operation` at line 1 column 2"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn unreadable(error: &dyn fmt::Display) -> Self {
        Self::rejected(BAD_REQUEST, format!("the admission request cannot be read: {error}"))
    }

    /// The settings cannot be used: status 500, with all problems of the settings.
    ///
    /// ```
    /// # use xposer_admission::Response;
    /// # use xposer::Settings;
    /// let report = Settings::from_value(&serde_json::json!({"domain": 3})).err().ok_or("3 is no domain")?;
    /// assert_eq!(Response::without_settings(&report).code(), Some(500));
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn without_settings(report: &Report) -> Self {
        Self::rejected(INTERNAL, words::settings(report))
    }

    /// Creates the response for findings: the request is refused with the findings that `refuses` selects, and the others, except
    /// Infos, are warnings. The audit annotation has the codes of all findings.
    pub(crate) fn of(report: &Report, refuses: &dyn Fn(&Diagnostic) -> bool) -> Self {
        if report.is_empty() {
            return Self::accepted();
        }
        let reasons: Vec<&Diagnostic> = report.diagnostics().iter().filter(|it| refuses(it)).collect();
        let is_warning = |it: &&Diagnostic| it.severity > Severity::Info && !refuses(it);
        let response = if reasons.is_empty() {
            Self::accepted()
        } else {
            let is_known = reasons.iter().any(|it| it.code != Code::ClaimsUnknown);
            let code = if is_known { UNPROCESSABLE } else { UNAVAILABLE };
            Self::rejected(code, words::rejection(report, &reasons, report.count_of(refuses)))
        };
        let warnings = report.diagnostics().iter().filter(is_warning);
        let warnings = words::warnings(warnings, report.count_of(&|it| is_warning(&it)));
        Self { warnings, audit_annotations: Some(Audit { codes: words::codes(report) }), ..response }
    }

    fn rejected(code: u16, message: String) -> Self {
        Self { message: Some(message), code: Some(code), ..Self::default() }
    }

    /// Adds the object that replaces the object of the request, if there is one.
    pub(crate) fn with_change(self, changed: Changed) -> Self {
        match changed {
            Ok(mutated_object) => Self { mutated_object, ..self },
            Err(error) => Self::unreadable(&error),
        }
    }

    /// Whether the request is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.accepted
    }

    /// The message of a refusal: all reasons, one on each line if there are several.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The status code of a refusal: 422 for an invalid object, 503 if claims could not be looked up and the settings refuse the
    /// object in that case, 400 for a request that cannot be parsed, 500 for settings that cannot be used.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        self.code
    }

    /// The warnings for the user: each at most 256 bytes, together at most 4096.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The annotations for the audit log: `codes`, with the codes of all findings, separated by commas.
    pub fn audit_annotations(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.audit_annotations.iter().map(|audit| ("codes", audit.codes.as_str()))
    }

    /// The object that replaces the object of the request, as JSON; `None` if nothing is changed. It differs from the object of the
    /// request only in `metadata.annotations`.
    #[must_use]
    pub fn changed_object(&self) -> Option<&RawValue> {
        self.mutated_object.as_deref()
    }
}

/// Whether the object is refused because of a finding.
pub(crate) fn is_error(finding: &Diagnostic) -> bool {
    finding.severity == Severity::Error
}
