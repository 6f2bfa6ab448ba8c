//! The annotations of a plan, each with its source.

use std::ops::Range;

use crate::diagnostics::{FieldPath, Origin, Problem, Report};
use crate::service::FORWARD_ANNOTATION;

/// An annotation of the objects that a user gave: a line of the forwarded block, or an entry of a setting `annotations`.
///
/// ```
/// use serde_json::json;
/// use xposer::service::FORWARD_ANNOTATION;
/// use xposer::testing;
/// let block = "ingress.kubernetes.io/rewrite-target: /";
/// let plan = testing::plan(&[(FORWARD_ANNOTATION, block)], json!({}))?;
/// let annotation = &plan.annotations()[0];
/// assert_eq!((annotation.key.as_str(), annotation.value.as_str()), ("nginx.ingress.kubernetes.io/rewrite-target", "/"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Annotation {
    /// The key as it was written, or its successor if the key was translated.
    pub key: String,
    /// The value.
    pub value: String,
    pub(crate) source: Source,
}

/// Where an annotation came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A line of the forwarded block: the byte ranges of its key and of its value.
    Block { key: Range<usize>, value: Range<usize> },
    /// An entry of a setting `annotations`, and the position of its layer among the layers of the Service; 0 is the uppermost.
    Setting { path: FieldPath, layer: usize },
}

impl Annotation {
    /// Whether the Service's author forwarded it.
    pub(crate) fn is_forwarded(&self) -> bool {
        matches!(self.source, Source::Block { .. })
    }

    /// The annotation of the Service or the setting that it came from.
    pub(crate) fn origin(&self) -> Origin {
        match &self.source {
            Source::Block { .. } => Origin::Annotation(FORWARD_ANNOTATION.into()),
            Source::Setting { path, .. } => Origin::Setting(path.clone()),
        }
    }

    /// Returns the place of the key, and the problem with the byte range of the key.
    pub(crate) fn at_key(&self, problem: Problem) -> (FieldPath, Problem) {
        let problem = match &self.source {
            Source::Block { key, .. } => problem.at(key.clone()),
            Source::Setting { .. } => problem,
        };
        (self.origin().path(), problem)
    }

    /// Files a finding about the key.
    pub(crate) fn file_key(&self, report: &mut Report, problem: Problem) {
        let (path, problem) = self.at_key(problem);
        report.file(path, problem);
    }

    /// Files a finding about the value.
    pub(crate) fn file_value(&self, report: &mut Report, problem: Problem) {
        let problem = match &self.source {
            Source::Block { value, .. } => problem.at(value.clone()),
            Source::Setting { .. } => problem,
        };
        report.file(self.origin().path(), problem);
    }

    /// Files a finding about some bytes of the value.
    pub(crate) fn file_part(&self, report: &mut Report, part: Range<usize>, problem: Problem) {
        let start = match &self.source {
            Source::Block { value, .. } => value.start,
            Source::Setting { .. } => 0,
        };
        report.file(self.origin().path(), problem.at(start + part.start..start + part.end));
    }
}

/// The place of a finding about something that a line or another field asks for. All lines of a block have the path of the block.
#[derive(Clone, Debug)]
pub(crate) enum Place<'p> {
    Line(&'p Annotation),
    Field(FieldPath),
}

impl<'p> Place<'p> {
    /// The place of a line, or of the field that takes its place.
    pub(crate) fn new(line: Option<&'p Annotation>, origin: &Origin) -> Self {
        line.map_or_else(|| Self::Field(origin.path()), Self::Line)
    }

    /// Returns the path, and the problem with the byte range of the key of the line.
    pub(crate) fn with(self, problem: Problem) -> (FieldPath, Problem) {
        match self {
            Self::Line(line) => line.at_key(problem),
            Self::Field(path) => (path, problem),
        }
    }

    /// Files a finding.
    pub(crate) fn file(self, report: &mut Report, problem: Problem) {
        let (path, problem) = self.with(problem);
        report.file(path, problem);
    }
}
