//! The findings of an import.

use xposer::diagnostics::{FieldPath, Subject};
use xposer::{Code, Diagnostic, Severity};

/// The object of a finding, by its position in the input.
///
/// ```
/// use xposer_import::Object;
/// assert!(Object::Ingress(0) < Object::Ingress(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// An Ingress.
    Ingress(usize),
    /// A Service.
    Service(usize),
    /// The settings.
    Settings,
}

/// A part that a proposal does not reproduce or expresses in another way, or a problem of the proposal.
///
/// ```
/// use serde_json::json;
/// use xposer::{Settings, Severity};
/// use xposer_import::{Input, Object, import};
/// let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"},
///     "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}});
/// let input = Input { ingresses: vec![&ingress], ..Input::default() };
/// let finding = import(&input, &Settings::default(), false).findings.remove(0);
/// assert_eq!((finding.object, finding.severity, finding.is_loss), (Object::Ingress(0), Severity::Warning, true));
/// assert_eq!(finding.path.to_string(), "spec.defaultBackend");
/// assert_eq!(finding.subject.to_string(), "Ingress web");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The object that the finding is about.
    pub object: Object,
    /// The field of the object.
    pub path: FieldPath,
    /// The object by its name.
    pub subject: Subject,
    /// The code, if the finding is a diagnostic of the core about the proposal.
    pub code: Option<Code>,
    /// The severity: an Error if nothing is proposed, the proposal cannot be used, or protection is lost; a Warning if another part
    /// of the Ingress is missing or different; an Info if a part is expressed in another way.
    pub severity: Severity,
    /// The message: lower case, no final period.
    pub message: String,
    /// One imperative sentence that tells what to do.
    pub help: Option<String>,
    /// Whether a part of the Ingress is not reproduced.
    pub is_loss: bool,
}

impl Finding {
    pub(crate) fn new(
        object: Object,
        subject: &Subject,
        path: FieldPath,
        severity: Severity,
        message: impl Into<String>,
    ) -> Self {
        let is_loss = severity > Severity::Info;
        let subject = subject.clone();
        Self { object, path, subject, code: None, severity, message: message.into(), help: None, is_loss }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Creates a finding from a diagnostic of the core about a proposal, at another place.
    pub(crate) fn of_core(
        diagnostic: &Diagnostic,
        object: Object,
        subject: &Subject,
        path: FieldPath,
        is_loss: bool,
    ) -> Self {
        Self {
            code: Some(diagnostic.code),
            help: diagnostic.help.clone(),
            is_loss,
            ..Self::new(object, subject, path, diagnostic.severity, diagnostic.message.clone())
        }
    }
}
