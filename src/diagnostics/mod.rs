//! Diagnostics: what is wrong, where the user wrote it, and how to fix it.
//!
//! Every stage files its findings into one [`Report`]. A finding is a [`Diagnostic`]: a stable [`Code`], the [`FieldPath`] of the
//! user's text, the value that was found, and one sentence of help.

mod codes;
mod path;
mod problem;
pub(crate) mod suggestion;
pub(crate) mod text;
mod words;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

pub use codes::Code;
pub use path::{FieldPath, Origin, Root, Segment, Sourced};
pub use problem::Problem;
pub(crate) use suggestion::{Misspelt, did_you_mean};
pub(crate) use text::{
    choose, cut, joined, kind_of, listed, one_of, quoted, quoted_char, quoted_pair, scalar, visible,
    with_rest,
};
pub use words::UnknownWord;
pub(crate) use words::words;

/// The severity of a diagnostic.
///
/// ```
/// use xposer::Severity;
/// assert!(Severity::Error > Severity::Warning && Severity::Warning > Severity::Info);
/// assert_eq!("warning".parse(), Ok(Severity::Warning));
/// assert_eq!(Severity::Warning.to_string(), "warning");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something was translated, chosen or cannot be expressed; the user need not act.
    Info,
    /// The result is probably not what the user meant.
    Warning,
    /// The Service is not exposed.
    Error,
}

words!(Severity { Info = "info", Warning = "warning", Error = "error" });

/// The object that a diagnostic is about, displayed as `KIND NAMESPACE/NAME` without empty parts.
///
/// ```
/// use xposer::diagnostics::Subject;
/// let web = Subject { kind: "Service".into(), namespace: "shop".into(), name: "web".into() };
/// assert_eq!(web.to_string(), "Service shop/web");
/// assert_eq!(Subject { namespace: String::new(), ..web.clone() }.to_string(), "Service web");
/// assert_eq!(Subject { name: String::new(), ..web }.to_string(), "Service without a name in shop");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Subject {
    /// The kind, for example `Service`, or `Settings` for the administrator's settings.
    pub kind: Cow<'static, str>,
    /// The namespace; empty if the object has none.
    pub namespace: String,
    /// The name; empty if the object has none.
    pub name: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        match (self.namespace.is_empty(), self.name.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => write!(f, " {}", self.name),
            (false, true) => write!(f, " without a name in {}", self.namespace),
            (false, false) => write!(f, " {}/{}", self.namespace, self.name),
        }
    }
}

/// A complete finding. The command line, the policy and the controller output the same data, each in its own format.
///
/// As JSON, it is an object with these fields; fields that are `None` are left out.
///
/// ```
/// use serde_json::json;
/// use xposer::diagnostics::{FieldPath, Problem, Subject};
/// use xposer::{Code, Report};
/// let mut report = Report::new(Subject { kind: "Service".into(), ..Subject::default() }, false);
/// report.file(FieldPath::label("expose"), Problem::new(Code::FieldType, "not a string").help("quote it"));
/// let finding = &report.diagnostics()[0];
/// assert_eq!(finding.to_string(), "error[field-type]: Service: metadata.labels.expose: not a string; quote it");
/// assert_eq!(json!(finding)["path"], "metadata.labels.expose");
/// assert!(json!(finding).get("range").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The kind of finding; explained by `xposer explain CODE`.
    pub code: Code,
    /// The severity of the code, or Error if `strict: true` raised it.
    pub severity: Severity,
    /// The object that the finding is about.
    pub subject: Arc<Subject>,
    /// The place that the finding points at.
    pub path: FieldPath,
    /// The value as found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What is wrong: lower case, no final period.
    pub message: String,
    /// One imperative sentence that says what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// A value that would be accepted in place of the whole value at `path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed: Option<String>,
    /// The byte range in the value at `path` that the finding is about, as `{start, end}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range<usize>>,
}

/// Displays one line: `error[CODE]: Service tools/web: PATH: MESSAGE; HELP`. For a setting, the path takes the place of the
/// subject: `error[CODE]: settings.domain: MESSAGE; HELP`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: ", self.severity, self.code)?;
        if self.path.root() == Root::Object || self.subject.kind != "Settings" {
            write!(f, "{}: ", self.subject)?;
        }
        f.write_str(&self.sentence())
    }
}

impl Diagnostic {
    /// Returns the place, the message and the help: `PATH: MESSAGE; HELP`.
    ///
    /// ```
    /// use serde_json::json;
    /// let report = xposer::Settings::from_value(&json!({"domian": "example.com"})).unwrap_err();
    /// let sentence = report.diagnostics()[0].sentence();
    /// assert_eq!(sentence, "settings.domian: there is no setting `domian`; did you mean domain?");
    /// ```
    #[must_use]
    pub fn sentence(&self) -> String {
        let help = self.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{}: {}{help}", self.path, self.message)
    }
}

/// The maximum number of findings of one code that a [`Report`] keeps, because a block may have thousands of lines. The last
/// finding tells how many more there are.
///
/// ```
/// use xposer::diagnostics::{FieldPath, Problem, Subject};
/// use xposer::diagnostics::MAX_PER_CODE;
/// use xposer::{Code, Report};
/// let mut report = Report::new(Subject::default(), false);
/// for index in 0..MAX_PER_CODE + 20 {
///     report.file(FieldPath::object(&["spec", "ports"]).index(index), Problem::new(Code::PortInvalid, "no port"));
/// }
/// assert_eq!(report.diagnostics().len(), MAX_PER_CODE);
/// assert_eq!(report.diagnostics().last().map(|last| last.message.as_str()), Some("no port (and 20 more of this kind)"));
/// ```
pub const MAX_PER_CODE: usize = 100;

/// All findings about one object (or several, after a merge), in the order in which the stages filed them.
///
/// As JSON, it is the list of its [`Diagnostic`]s. It is also the error type of functions that refuse their input, such as
/// settings.
///
/// ```
/// use serde_json::json;
/// use xposer::Settings;
/// fn domain() -> Result<(), Box<dyn std::error::Error>> {
///     Settings::from_value(&json!({"domian": "example.com"}))?;
///     Ok(())
/// }
/// let error = domain().unwrap_err();
/// assert_eq!(error.to_string(),
///     "error[setting-unknown]: settings.domian: there is no setting `domian`; did you mean domain?\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
    /// The number of findings of each code that were not kept.
    #[serde(skip)]
    left_out: Vec<(Code, usize)>,
    #[serde(skip)]
    pub(crate) subject: Arc<Subject>,
    #[serde(skip)]
    strict: bool,
}

impl Report {
    /// Creates an empty report about `subject`. `strict` raises the severity of some codes (see [`Code::is_error_when_strict`]).
    ///
    /// ```
    /// use xposer::diagnostics::{FieldPath, Problem, Subject};
    /// use xposer::{Code, Report, Severity};
    /// let mut report = Report::new(Subject::default(), true);
    /// for code in [Code::AnnotationUnknown, Code::AnnotationEmpty] {
    ///     report.file(FieldPath::annotation("a"), Problem::new(code, "message"));
    /// }
    /// let errors: Vec<_> = report.of(Severity::Error).map(|finding| finding.code).collect();
    /// assert_eq!(errors, [Code::AnnotationUnknown]);
    /// assert!(report.has_errors() && !report.is_empty());
    /// ```
    #[must_use]
    pub fn new(subject: impl Into<Arc<Subject>>, strict: bool) -> Self {
        Self { diagnostics: Vec::new(), left_out: Vec::new(), subject: subject.into(), strict }
    }

    /// Files a finding at `path`, with the subject of this report and the severity of its code. Only the first [`MAX_PER_CODE`]
    /// findings of a code are kept, and the last of them tells how many more there are. Invisible characters are escaped in the
    /// texts for people; values for programs are unchanged.
    pub fn file(&mut self, path: FieldPath, problem: Problem) {
        let severity = problem.code.severity();
        let is_error = self.strict && problem.code.is_error_when_strict();
        self.file_as(path, problem, if is_error { Severity::Error } else { severity });
    }

    fn file_as(&mut self, path: FieldPath, problem: Problem, severity: Severity) {
        if self.diagnostics.iter().filter(|known| known.code == problem.code).count() >= MAX_PER_CODE {
            self.leave_out(problem.code);
            return;
        }
        let Problem { code, message, found, help, proposed, range } = problem;
        let (message, help) = (visible(message), help.map(visible));
        let subject = Arc::clone(&self.subject);
        let finding = Diagnostic { code, severity, subject, path, found, message, help, proposed, range };
        self.diagnostics.push(finding);
    }

    /// Adds a finding that is not kept to the count in the message of the last finding of its code.
    fn leave_out(&mut self, code: Code) {
        let note = |more: usize| format!(" (and {more} more of this kind)");
        let Some(last) = self.diagnostics.iter_mut().rfind(|known| known.code == code) else { return };
        let counted = self.left_out.iter_mut().rfind(|(known, _)| *known == code);
        // The last finding of another report has a count of its own.
        if let Some((_, more)) = counted
            && let Some(message) = last.message.strip_suffix(&note(*more))
        {
            *more += 1;
            last.message = format!("{message}{}", note(*more));
            return;
        }
        last.message.push_str(&note(1));
        self.left_out.push((code, 1));
    }

    /// Whether there is a finding about this value at this place, of at least this severity.
    pub(crate) fn is_about(&self, path: &FieldPath, found: &str, least: Severity) -> bool {
        let is_it =
            |it: &Diagnostic| it.severity >= least && it.found.as_deref() == Some(found) && it.path == *path;
        self.diagnostics.iter().any(is_it)
    }

    /// Appends the findings of `other`. Each keeps its subject and severity.
    ///
    /// ```
    /// use xposer::diagnostics::{FieldPath, Problem, Subject};
    /// use xposer::{Code, Report};
    /// let about = |name: &str| Report::new(Subject { name: name.to_owned(), ..Subject::default() }, false);
    /// let (mut all, mut other) = (about("web"), about("api"));
    /// other.file(FieldPath::object(&["spec"]), Problem::new(Code::PortNone, "no port"));
    /// all.merge(other);
    /// assert_eq!((all.subject().name.as_str(), all.diagnostics()[0].subject.name.as_str()), ("web", "api"));
    /// ```
    pub fn merge(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
        self.left_out.extend(other.left_out);
    }

    /// Appends findings about the claims of other holders, except in places where a host belongs to another namespace, which have a
    /// finding already.
    ///
    /// ```
    /// use xposer::diagnostics::{FieldPath, Problem, Subject};
    /// use xposer::{Code, Report};
    /// let with = |code, field| {
    ///     let mut report = Report::new(Subject::default(), false);
    ///     report.file(FieldPath::object(&["spec", field]), Problem::new(code, "message"));
    ///     report
    /// };
    /// let mut report = with(Code::HostNotOwned, "host");
    /// report.merge_claims(with(Code::RouteClaimed, "host"));
    /// assert_eq!(report.diagnostics().len(), 1);
    /// report.merge_claims(with(Code::RouteClaimed, "other"));
    /// assert_eq!(report.diagnostics().len(), 2);
    /// ```
    pub fn merge_claims(&mut self, mut other: Self) {
        for own in self.diagnostics.iter().filter(|own| own.code == Code::HostNotOwned) {
            other.remove_superseded(Code::RouteClaimed, &own.path, None);
        }
        self.merge(other);
    }

    /// Adds findings about conflicts between plans. They replace less specific findings that an option or a line of a canary has no
    /// effect.
    pub(crate) fn merge_over(&mut self, other: Self) {
        for it in other.diagnostics.iter().filter(|it| it.code == Code::CanaryDiffers) {
            self.remove_superseded(Code::CanaryAnnotationIgnored, &it.path, it.range.as_ref());
        }
        self.merge(other);
    }

    /// Files a finding, which replaces the less specific finding that the value in this place is empty.
    pub(crate) fn file_over_empty(&mut self, path: FieldPath, problem: Problem) {
        self.remove_superseded(Code::AnnotationEmpty, &path, problem.range.as_ref());
        self.file(path, problem);
    }

    /// Removes a finding that a more specific one replaces.
    fn remove_superseded(&mut self, code: Code, path: &FieldPath, range: Option<&Range<usize>>) {
        self.diagnostics.retain(|own| own.code != code || own.path != *path || own.range.as_ref() != range);
    }

    /// Whether a finding of [`Severity::Error`] was filed, so that there is no plan.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.of(Severity::Error).next().is_some()
    }

    /// Whether nothing was filed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// The findings, in order.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The findings, in order, without the report.
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// Returns the findings of one severity, in order.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(move |finding| finding.severity == severity)
    }

    /// The number of findings of a severity that were filed, including those beyond [`MAX_PER_CODE`].
    ///
    /// ```
    /// use xposer::diagnostics::{FieldPath, Problem, Subject};
    /// use xposer::{Code, Report, Severity};
    /// let mut report = Report::new(Subject::default(), false);
    /// for _ in 0..150 {
    ///     report.file(FieldPath::annotation("a"), Problem::new(Code::AnnotationUnknown, "message"));
    /// }
    /// assert_eq!((report.of(Severity::Warning).count(), report.count(Severity::Warning)), (100, 150));
    /// ```
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.count_of(&|finding| finding.severity == severity)
    }

    /// The number of findings that `is_meant` selects, including those beyond [`MAX_PER_CODE`]: if it selects a finding of a code,
    /// all findings of that code that were not kept are counted.
    ///
    /// ```
    /// use xposer::diagnostics::{FieldPath, Problem, Subject};
    /// use xposer::{Code, Report};
    /// let mut report = Report::new(Subject::default(), false);
    /// for _ in 0..150 {
    ///     report.file(FieldPath::annotation("a"), Problem::new(Code::AnnotationUnknown, "message"));
    /// }
    /// assert_eq!(report.count_of(&|finding| finding.code == Code::AnnotationUnknown), 150);
    /// ```
    #[must_use]
    pub fn count_of(&self, is_meant: &dyn Fn(&Diagnostic) -> bool) -> usize {
        let meant = || self.diagnostics.iter().filter(|finding| is_meant(finding));
        let is_selected = |code: Code| meant().any(|finding| finding.code == code);
        let left_out = self.left_out.iter().filter(|(code, _)| is_selected(*code)).map(|(_, more)| more);
        meant().count() + left_out.sum::<usize>()
    }

    /// The object that this report is about; after a merge, the object of the first report.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// Displays one diagnostic on each line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostics.iter().try_for_each(|diagnostic| writeln!(f, "{diagnostic}"))
    }
}

impl std::error::Error for Report {}
