//! Findings as text in the form of rustc's, or as JSON.

use std::borrow::Cow;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::{Serialize, Serializer};
use xposer::{Code, Diagnostic, Root, Severity};

use crate::place::Place;

/// Something to tell the user, and where it is written, as far as that is known.
#[derive(Clone, Debug, Serialize)]
pub struct Finding<'d> {
    #[serde(flatten)]
    said: Said<'d>,
    #[serde(flatten)]
    place: Option<Place>,
}

/// What keeps an input from being used.
pub type Findings = Vec<Finding<'static>>;

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Said<'d> {
    /// By the core, about a Service or the settings.
    Core(Cow<'d, Diagnostic>),
    /// By the command line, about an input as such. These have no code.
    Input {
        severity: Severity,
        message: Cow<'d, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<Cow<'d, str>>,
        /// The field that is meant, where no place in a file is known.
        #[serde(skip)]
        field: Option<String>,
    },
}

impl<'d> Finding<'d> {
    /// What the core said.
    pub fn core(diagnostic: &'d Diagnostic) -> Self {
        Self { said: Said::Core(Cow::Borrowed(diagnostic)), place: None }
    }

    /// What the core said, where its report does not live on.
    pub fn owned(diagnostic: Diagnostic) -> Self {
        Self { said: Said::Core(Cow::Owned(diagnostic)), place: None }
    }

    /// An error of an input as such.
    pub fn input(message: impl Into<Cow<'d, str>>) -> Self {
        Self::of_input(Severity::Error, message)
    }

    /// A warning about an input as such.
    pub fn warning(message: impl Into<Cow<'d, str>>) -> Self {
        Self::of_input(Severity::Warning, message)
    }

    /// Something to know about an input as such.
    pub fn info(message: impl Into<Cow<'d, str>>) -> Self {
        Self::of_input(Severity::Info, message)
    }

    /// A finding about an input as such.
    pub fn of_input(severity: Severity, message: impl Into<Cow<'d, str>>) -> Self {
        Self { said: Said::Input { severity, message: message.into(), help: None, field: None }, place: None }
    }

    /// Adds what to do, to a finding about an input.
    pub fn help(mut self, sentence: impl Into<Cow<'d, str>>) -> Self {
        if let Said::Input { help, .. } = &mut self.said {
            *help = Some(sentence.into());
        }
        self
    }

    /// Adds the field that is meant, to a finding about an input.
    pub fn of_field(mut self, path: impl Into<Option<String>>) -> Self {
        if let Said::Input { field, .. } = &mut self.said {
            *field = path.into();
        }
        self
    }

    /// Adds where it is written.
    pub fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.place = place.into();
        self
    }

    fn severity(&self) -> Severity {
        match &self.said {
            Said::Core(diagnostic) => diagnostic.severity,
            Said::Input { severity, .. } => *severity,
        }
    }

    fn message(&self) -> &str {
        match &self.said {
            Said::Core(diagnostic) => &diagnostic.message,
            Said::Input { message, .. } => message,
        }
    }

    fn code(&self) -> Option<Code> {
        match &self.said {
            Said::Core(diagnostic) => Some(diagnostic.code),
            Said::Input { .. } => None,
        }
    }

    /// Whose field is meant.
    fn note(&self) -> Option<String> {
        match &self.said {
            Said::Core(diagnostic) => {
                let Diagnostic { path, subject, .. } = diagnostic.as_ref();
                Some(match path.root() {
                    Root::Object => format!("{path} of {subject}"),
                    Root::Settings if subject.kind == "Service" => format!("{path}, used for {subject}"),
                    Root::Settings => path.to_string(),
                })
            }
            Said::Input { field, .. } => field.clone(),
        }
    }

    fn helps(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let (help, proposed) = match &self.said {
            Said::Core(diagnostic) => (diagnostic.help.as_deref(), diagnostic.proposed.as_deref()),
            Said::Input { help, .. } => (help.as_deref(), None),
        };
        // What the sentence says already need not be said again.
        let proposed = proposed.filter(|value| !help.is_some_and(|help| help.contains(value)));
        let written = proposed.map(|value| Cow::Owned(format!("write {value:?}")));
        help.map(Cow::Borrowed).into_iter().chain(written)
    }
}

/// Writes findings as text, with a blank line after each.
///
/// # Errors
///
/// What `out` cannot take.
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
    let file = place.file.as_str();
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
/// # Errors
///
/// What `out` cannot take.
pub fn write_json<'d>(
    findings: impl IntoIterator<Item = Finding<'d>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    serde_json::Serializer::pretty(&mut *out).collect_seq(findings)?;
    writeln!(out)
}
