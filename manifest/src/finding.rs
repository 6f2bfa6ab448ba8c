//! Findings as text in the format of rustc, or as JSON.

use std::borrow::Cow;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::{Serialize, Serializer};
use xposer::diagnostics::Root;
use xposer::internal::shortened;
use xposer::{Code, Diagnostic, Severity};

use crate::place::Place;
use crate::visible::{visible, visible_lines};

/// The maximum size of a help for people, in bytes. JSON contains the whole help.
const MAX_HELP: usize = 1000;

/// An error, a warning or an information for the user, with its place if it is known.
///
/// ```
/// use xposer_manifest::{Finding, Place, write_text};
///
/// let finding = Finding::input("there is no such file").at(Place::file("web.yaml"));
/// let mut out = Vec::new();
/// write_text([finding], false, &mut out).unwrap();
/// assert_eq!(String::from_utf8(out).unwrap(), "error: there is no such file\n--> web.yaml\n\n");
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Finding<'d> {
    #[serde(flatten)]
    source: Source<'d>,
    #[serde(flatten)]
    place: Option<Place>,
}

/// Several findings, for example all errors of a file.
///
/// ```
/// use xposer_manifest::{File, Findings};
///
/// let findings: Findings = File::of_bytes("web.yaml".to_owned(), b"a: 1\na: 2\na: 3".to_vec()).err().unwrap();
/// assert_eq!(findings.len(), 2);
/// ```
pub type Findings = Vec<Finding<'static>>;

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Source<'d> {
    /// A diagnostic of the core, about a Service or the settings.
    Core(Cow<'d, Diagnostic>),
    /// A message about an input itself. It has no code.
    Input {
        severity: Severity,
        message: Cow<'d, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<Cow<'d, str>>,
        /// The path of the field, if the place in a file is not known.
        #[serde(skip)]
        field: Option<String>,
    },
}

impl<'d> Finding<'d> {
    /// Creates a finding from a diagnostic of the core.
    ///
    /// ```
    /// use xposer::{Service, Settings, expose, testing};
    /// use xposer_manifest::Finding;
    ///
    /// let service = testing::service(&[("Domain", "two words")]);
    /// let outcome = expose(&Service::from_value(&service), &Settings::default());
    /// let report = outcome.report().unwrap();
    /// let borrowed = Finding::core(&report.diagnostics()[0]);
    /// let owned: Finding<'static> = Finding::owned(report.diagnostics()[0].clone());
    /// assert_eq!(serde_json::to_value(borrowed).unwrap(), serde_json::to_value(owned).unwrap());
    /// ```
    pub fn core(diagnostic: &'d Diagnostic) -> Self {
        Self { source: Source::Core(Cow::Borrowed(diagnostic)), place: None }
    }

    /// Creates a finding from an owned diagnostic of the core.
    pub fn owned(diagnostic: Diagnostic) -> Self {
        Self { source: Source::Core(Cow::Owned(diagnostic)), place: None }
    }

    /// Creates an error about an input.
    pub fn input(message: impl Into<Cow<'d, str>>) -> Self {
        Self::of_input(Severity::Error, message)
    }

    /// Creates a warning about an input.
    pub fn warning(message: impl Into<Cow<'d, str>>) -> Self {
        Self::of_input(Severity::Warning, message)
    }

    /// Creates an information about an input.
    pub fn info(message: impl Into<Cow<'d, str>>) -> Self {
        Self::of_input(Severity::Info, message)
    }

    /// Creates a finding about an input.
    pub fn of_input(severity: Severity, message: impl Into<Cow<'d, str>>) -> Self {
        Self {
            source: Source::Input { severity, message: message.into(), help: None, field: None },
            place: None,
        }
    }

    /// Adds a help to a finding about an input.
    pub fn help(mut self, sentence: impl Into<Cow<'d, str>>) -> Self {
        if let Source::Input { help, .. } = &mut self.source {
            *help = Some(sentence.into());
        }
        self
    }

    /// Adds the path of a field to a finding about an input.
    pub fn of_field(mut self, path: impl Into<Option<String>>) -> Self {
        if let Source::Input { field, .. } = &mut self.source {
            *field = path.into();
        }
        self
    }

    /// Adds the place.
    pub fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.place = place.into();
        self
    }

    pub(crate) fn severity(&self) -> Severity {
        match &self.source {
            Source::Core(diagnostic) => diagnostic.severity,
            Source::Input { severity, .. } => *severity,
        }
    }

    fn message(&self) -> Cow<'_, str> {
        visible(match &self.source {
            Source::Core(diagnostic) => &diagnostic.message,
            Source::Input { message, .. } => message,
        })
    }

    pub(crate) fn code(&self) -> Option<Code> {
        match &self.source {
            Source::Core(diagnostic) => Some(diagnostic.code),
            Source::Input { .. } => None,
        }
    }

    /// The field that the finding is about, and the object with the field.
    pub(crate) fn note(&self) -> Option<String> {
        let note = match &self.source {
            Source::Core(diagnostic) => {
                let Diagnostic { path, subject, .. } = diagnostic.as_ref();
                Some(match path.root() {
                    Root::Object => format!("{path} of {subject}"),
                    Root::Settings if subject.kind == "Service" => format!("{path}, used for {subject}"),
                    Root::Settings => path.to_string(),
                })
            }
            Source::Input { field, .. } => field.clone(),
        };
        note.map(|note| visible(&note).into_owned())
    }

    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The message and the helps, as one sentence.
    pub(crate) fn sentence(&self) -> String {
        let helps = self.helps().map(|help| format!("; {help}"));
        helps.fold(self.message().into_owned(), |sentence, help| sentence + &help)
    }

    /// The helps. A proposed value may contain any text of a user.
    fn helps(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let (help, proposed) = match &self.source {
            Source::Core(diagnostic) => (diagnostic.help.as_deref(), diagnostic.proposed.as_deref()),
            Source::Input { help, .. } => (help.as_deref(), None),
        };
        // A proposed value that the help already contains is not repeated.
        let proposed = proposed.filter(|value| !help.is_some_and(|help| help.contains(value)));
        let written = proposed.map(|value| Cow::Owned(format!("write {value:?}")));
        let helps = help.map(Cow::Borrowed).into_iter().chain(written);
        helps.map(|help| {
            let help = if help.len() > MAX_HELP { shortened(&help, None, MAX_HELP).into() } else { help };
            match visible(&help) {
                Cow::Borrowed(_) => help,
                Cow::Owned(escaped) => escaped.into(),
            }
        })
    }
}

/// Writes findings as text, with a blank line after each.
///
/// ```
/// use xposer_manifest::{Finding, write_text};
///
/// let mut out = Vec::new();
/// let finding = Finding::input("no ports").help("add one").of_field("spec.ports".to_owned());
/// write_text([finding], false, &mut out).unwrap();
/// assert!(String::from_utf8(out).unwrap().contains("spec.ports"));
/// ```
///
/// # Errors
///
/// An error of the writer.
pub fn write_text<'d>(
    findings: impl IntoIterator<Item = Finding<'d>>,
    colors: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let renderer = if colors { Renderer::styled() } else { Renderer::plain() };
    findings.into_iter().try_for_each(|finding| writeln!(out, "{}\n", renderer.render(&[group(&finding)])))
}

fn group<'f>(finding: &'f Finding<'_>) -> Group<'f> {
    let level = match finding.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = level.primary_title(finding.message());
    let title = match finding.code() {
        Some(code) => title.id(code.slug()),
        None => title,
    };
    let mut group = Group::with_title(title);
    if let Some(place) = &finding.place {
        group = show_place(group, place);
    }
    group
        .elements(finding.note().map(|note| Level::NOTE.message(note)))
        .elements(finding.helps().map(|help| Level::HELP.message(help)))
}

fn show_place<'f>(group: Group<'f>, place: &'f Place) -> Group<'f> {
    let file = visible_lines(&place.file);
    match (place.point, &place.excerpt) {
        (Some(point), Some(excerpt)) => {
            let snippet = Snippet::source(excerpt.line.as_str()).line_start(point.line).path(file);
            group.element(snippet.annotation(AnnotationKind::Primary.span(excerpt.mark.clone())))
        }
        (Some(point), None) => group.element(Origin::path(file).line(point.line).char_column(point.column)),
        (None, _) => group.element(Origin::path(file)),
    }
}

/// Writes findings as one JSON array.
///
/// ```
/// use xposer::Severity;
/// use xposer_manifest::{Finding, write_json};
///
/// let mut out = Vec::new();
/// let findings = [Finding::info("read once"), Finding::of_input(Severity::Warning, "given twice")];
/// write_json(findings, &mut out).unwrap();
/// let found: serde_json::Value = serde_json::from_slice(&out).unwrap();
/// assert_eq!((&found[0]["severity"], &found[1]["message"]), (&"info".into(), &"given twice".into()));
/// ```
///
/// # Errors
///
/// An error of the writer.
pub fn write_json<'d>(
    findings: impl IntoIterator<Item = Finding<'d>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    serde_json::Serializer::pretty(&mut *out).collect_seq(findings)?;
    writeln!(out)
}
