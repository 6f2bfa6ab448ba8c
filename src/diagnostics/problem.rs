//! Findings without a place.

use std::ops::Range;

use super::Code;

/// A finding without its place: the knowledge of a parser about the text that it parses.
///
/// [`Report::file`](crate::Report::file) adds the subject, the path and the severity.
///
/// ```
/// use xposer::diagnostics::Problem;
/// use xposer::Code;
/// let problem = Problem::new(Code::HostUppercase, "the host contains upper-case letters")
///     .found("Web.example.com").at(0..1)
///     .help("write it in lower case").propose("web.example.com");
/// let found = problem.found.unwrap_or_default();
/// assert_eq!(problem.range.and_then(|range| found.get(range)), Some("W"));
/// assert_eq!(problem.proposed, Some(found.to_lowercase()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind of finding.
    pub code: Code,
    /// The message: lower case, no final period, with the value that was found and the value that was expected.
    pub message: String,
    /// The value that was found, unless the message contains it.
    pub found: Option<String>,
    /// One imperative sentence that tells how to fix it.
    pub help: Option<String>,
    /// A value that would be accepted in place of the whole value at the path.
    pub proposed: Option<String>,
    /// The byte range in the value at the path that the finding is about, with an exclusive end.
    pub range: Option<Range<usize>>,
}

impl Problem {
    /// Creates a finding with this code and message.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), found: None, help: None, proposed: None, range: None }
    }

    /// Adds the value that was found.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    /// Adds the sentence of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a value that would be accepted in place of the whole value at the path.
    #[must_use]
    pub fn propose(mut self, proposed: impl Into<String>) -> Self {
        self.proposed = Some(proposed.into());
        self
    }

    /// Adds the byte range in the value that the finding is about, with an exclusive end.
    #[must_use]
    pub fn at(mut self, range: Range<usize>) -> Self {
        self.range = Some(range);
        self
    }

    /// Adds the byte range of `what`, if it occurs exactly once in the text, and the text is the value as the user wrote it.
    #[must_use]
    pub(crate) fn mark(self, what: &str, text: &str, is_verbatim: bool) -> Self {
        let mut places = text.match_indices(what);
        match (places.next(), places.next()) {
            (Some((at, found)), None) if is_verbatim => self.at(at..at + found.len()),
            _ => self,
        }
    }

    /// Removes the range and the proposed value, which belong to another place.
    #[must_use]
    pub(crate) fn without_place(mut self) -> Self {
        self.range = None;
        self.proposed = None;
        self
    }
}
