//! What is said about an import.

use xposer::diagnostics::{FieldPath, Subject};
use xposer::{Code, Diagnostic, Severity};

/// The object that a finding is about, by its position in the input.
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

/// Something that a proposal does not say, says in other words, or that is wrong with it.
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
    /// The object that it is about.
    pub object: Object,
    /// The field of that object.
    pub path: FieldPath,
    /// That object by its name.
    pub subject: Subject,
    /// The code, where the core says it about the proposal.
    pub code: Option<Code>,
    /// How much it weighs: an Error where nothing is proposed, what is proposed cannot be used, or what keeps somebody out is missing; a
    /// Warning where something else of the Ingress is missing or other than it was; an Info where it is said in other words.
    pub severity: Severity,
    /// What is found: lower case, no final period.
    pub message: String,
    /// One imperative sentence that says what to do.
    pub help: Option<String>,
    /// Whether something of the Ingress is not reproduced.
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

    /// A finding of the core about a proposal, at another place.
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
