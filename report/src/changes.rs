//! The changes for a Service under other settings or another target: translations, differences, losses, lost protection and
//! refusals.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use xposer::diagnostics::FieldPath;
use xposer::internal::{
    LostProtection, is_only_assumed, lost_defaults, lost_lines, lost_listeners, lost_protections, servers,
    shortened,
};
use xposer::{Code, Diagnostic, Outcome, Plan, Report, Severity, Target};

/// The maximum size of a help in bytes; it may contain a value of the Service.
pub(crate) const MAX_HELP: usize = 1000;

/// The changes for a Service. Each new finding is in exactly one of the lists.
///
/// ```
/// use serde_json::json;
/// use xposer::{Service, Settings, Target, expose, testing};
/// use xposer_report::changes::Changes;
/// let service = testing::service(&[("AllowedSources", "10.0.0.0/8")]);
/// let settings = Settings::from_value(&json!({"domain": "example.com", "parentRefs": [{"name": "external"}]}))?;
/// let route = settings.clone().with_targets([Target::HttpRoute]);
/// let of = |settings| expose(&Service::from_value(&service), settings);
/// let changes = Changes::between((&of(&settings), &[]), (&of(&route), &[]));
/// // The Gateway API cannot express it.
/// assert_eq!(changes.refused[0].code, Some("protection-lost"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Features that are translated to other annotations or fields.
    pub translated: Vec<ChangeMessage>,
    /// Features that work differently.
    pub differs: Vec<ChangeMessage>,
    /// Features that are lost.
    pub lost: Vec<ChangeMessage>,
    /// Other new findings.
    pub told: Vec<ChangeMessage>,
    /// Protections that are weaker or lost.
    pub opens: Vec<ChangeMessage>,
    /// Errors for which the Service is refused.
    pub refused: Vec<ChangeMessage>,
}

/// A message about a Service, with the annotation, field or setting that it is about.
///
/// ```
/// use xposer::Severity;
/// use xposer_report::changes::ChangeMessage;
/// let (path, message) = ("settings.tls".to_owned(), "TLS would be off".to_owned());
/// let said = ChangeMessage { code: None, path, message, help: None, severity: Severity::Error };
/// assert_eq!(serde_json::to_string(&said).unwrap(), r#"{"path":"settings.tls","message":"TLS would be off"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangeMessage {
    /// The code of the finding. What only the comparison of two plans shows has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The annotation, field or setting that the message is about.
    pub path: String,
    /// The message.
    pub message: String,
    /// The help: what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The severity of the finding. A protection that would be weaker or lost is an error.
    #[serde(skip)]
    pub severity: Severity,
}

impl From<&Diagnostic> for ChangeMessage {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            code: Some(diagnostic.code.slug()),
            path: diagnostic.path.to_string(),
            message: diagnostic.message.clone(),
            help: diagnostic.help.as_deref().map(|help| shortened(help, None, MAX_HELP)),
            severity: diagnostic.severity,
        }
    }
}

/// The controller of a target before and after the change.
///
/// ```
/// use serde_json::json;
/// use xposer::testing;
/// use xposer_report::changes::served_by;
/// let plan = |class| testing::plan(&[("IngressClassName", class)], json!({}));
/// let (contour, traefik) = (plan("contour")?, plan("traefik")?);
/// let changed = served_by(&contour, &traefik);
/// assert_eq!((changed[0].before, changed[0].after, changed[0].guessed), ("Contour", "Traefik", false));
/// assert!(served_by(&contour, &contour).is_empty());
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Served {
    /// The target.
    pub target: &'static str,
    /// The controller that serves the target. `nobody` says that the Service is not exposed by an object of this kind.
    pub before: &'static str,
    /// The controller that would serve the target. `nobody` says that the Service would not be exposed by an object of this kind.
    pub after: &'static str,
    /// Whether the new controller is only assumed, although the old one was known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub guessed: bool,
}

/// The findings about emitted objects, by the namespace and the name of the Service.
///
/// ```
/// use serde_json::json;
/// use xposer_report::changes::ObjectFindings;
/// let plan = xposer::testing::plan(&[], json!({}))?;
/// let emitted = xposer::emit_all([&plan]);
/// assert!(ObjectFindings::new(&emitted.report).of("shop", "web").is_empty());
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Debug, Default)]
pub struct ObjectFindings<'m> {
    by_service: HashMap<(&'m str, &'m str), Vec<&'m Diagnostic>>,
}

impl<'m> ObjectFindings<'m> {
    /// Reads the report of [`emit_all`](xposer::emit_all).
    #[must_use]
    pub fn new(report: &'m Report) -> Self {
        let mut by_service: HashMap<_, Vec<_>> = HashMap::new();
        for diagnostic in report.diagnostics() {
            let subject = (diagnostic.subject.namespace.as_str(), diagnostic.subject.name.as_str());
            by_service.entry(subject).or_default().push(diagnostic);
        }
        Self { by_service }
    }

    /// The findings about the objects of a Service.
    #[must_use]
    pub fn of<'a>(&'a self, namespace: &'a str, name: &'a str) -> &'a [&'m Diagnostic] {
        self.by_service.get(&(namespace, name)).map_or(&[], Vec::as_slice)
    }
}

/// The controllers that serve a Service, if they change.
#[must_use]
pub fn served_by(old: &Plan, new: &Plan) -> Vec<Served> {
    let of = |plan| {
        let servers = servers(plan).into_iter();
        servers.map(|program| (program.target(), program.name())).collect::<BTreeMap<_, _>>()
    };
    let (were, are) = (of(old), of(new));
    let added = are.keys().filter(|target| !were.contains_key(*target));
    let targets = were.keys().chain(added);
    let served = targets.map(|target| {
        let by = |side: &BTreeMap<Target, &'static str>| side.get(target).copied().unwrap_or("nobody");
        let guessed = is_only_assumed(old, new, *target);
        Served { target: target.as_str(), before: by(&were), after: by(&are), guessed }
    });
    served.filter(|served| served.before != served.after || served.guessed).collect()
}

impl Changes {
    /// The changes between two decisions about one Service, each with the findings about its objects.
    #[must_use]
    pub fn between(old: (&Outcome, &[&Diagnostic]), new: (&Outcome, &[&Diagnostic])) -> Self {
        let mut changes = Self::default();
        let known: Vec<&Diagnostic> = findings(old.0, old.1).collect();
        let is_known = |it: &Diagnostic| {
            known
                .iter()
                .any(|known| (known.code, &known.message, &known.path) == (it.code, &it.message, &it.path))
        };
        for found in findings(new.0, new.1) {
            if is_known(found) {
                continue;
            }
            if found.severity == Severity::Error {
                changes.refused.push(ChangeMessage::from(found));
            } else {
                changes.list(found.code).push(ChangeMessage::from(found));
            }
        }
        if let (Some(old), Some(new)) = (old.0.plan(), new.0.plan()) {
            let lost_protections = lost_protections(old, new);
            let of_both = |path: FieldPath, message, severity| ChangeMessage {
                code: None,
                path: path.to_string(),
                message,
                help: None,
                severity,
            };
            let is_open = |it: &LostProtection| lost_protections.iter().any(|lost| lost.what == it.what);
            let lost_lines = lost_lines(old, new).into_iter().filter(|it| !is_open(it));
            changes.lost.extend(lost_lines.map(|it| of_both(it.path, it.message, Severity::Warning)));
            let lost_protections = lost_protections.into_iter();
            changes.opens.extend(lost_protections.map(|it| of_both(it.path, it.message, Severity::Error)));
            let lost_listeners = lost_listeners(old, new).into_iter();
            changes
                .lost
                .extend(lost_listeners.map(|(path, message)| of_both(path, message, Severity::Warning)));
            let lost_defaults = lost_defaults(old, new).into_iter();
            changes.lost.extend(lost_defaults.map(|it| ChangeMessage {
                help: it.help,
                ..of_both(it.path, it.message, Severity::Warning)
            }));
        }
        changes
    }

    /// The list for findings with this code.
    fn list(&mut self, code: Code) -> &mut Vec<ChangeMessage> {
        match code {
            Code::IntentTranslated | Code::LegacyTranslated => &mut self.translated,
            Code::IntentDiffers => &mut self.differs,
            Code::IntentLost
            | Code::TargetInexpressible
            | Code::ProtectionWeakened
            | Code::ProtectionLossAccepted => &mut self.lost,
            _ => &mut self.told,
        }
    }

    /// The lists and their titles, in the order in which they are shown.
    ///
    /// ```
    /// use xposer_report::changes::Changes;
    /// let changes = Changes::default();
    /// let words: Vec<&str> = changes.lists().iter().map(|(word, _)| *word).collect();
    /// assert_eq!(words, ["translated", "differs", "lost", "told", "open", "refused"]);
    /// ```
    #[must_use]
    pub fn lists(&self) -> [(&'static str, &[ChangeMessage]); 6] {
        [
            ("translated", &self.translated),
            ("differs", &self.differs),
            ("lost", &self.lost),
            ("told", &self.told),
            ("open", &self.opens),
            ("refused", &self.refused),
        ]
    }

    /// Whether all lists are empty.
    ///
    /// ```
    /// assert!(xposer_report::changes::Changes::default().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lists().iter().all(|(_, list)| list.is_empty())
    }
}

/// All findings about a Service and its objects.
pub(crate) fn findings<'f>(
    outcome: &'f Outcome,
    of_objects: &'f [&'f Diagnostic],
) -> impl Iterator<Item = &'f Diagnostic> {
    let filed = outcome.report().into_iter().flat_map(Report::diagnostics);
    filed.chain(of_objects.iter().copied())
}
