//! The texts of an admission response.

use xposer::diagnostics::{FieldPath, Root, Segment};
use xposer::internal::shortened;
use xposer::service::CONFIG_PREFIX;
use xposer::{Diagnostic, Report};

/// The maximum size of a warning in bytes. If the warnings of a response have more than 4096 characters together, the API server
/// cuts each of them after 256 and drops the last ones (`k8s.io/apiserver`, `pkg/endpoints/filters/warning.go`).
const MAX_WARNING: usize = 256;
const MAX_WARNINGS: usize = 4096;

/// The message that refuses the object of a report. `all` is the number of reasons, including those that the report does not keep.
pub(crate) fn rejection(report: &Report, reasons: &[&Diagnostic], all: usize) -> String {
    let subject = report.subject();
    // An object of another kind is not exposed by Xposer; it exposes something itself.
    let what = if subject.kind == "Service" { "cannot be exposed" } else { "is refused" };
    match reasons {
        [only] => format!("{subject} {what}: {}", line(only)),
        _ => format!("{subject} {what}, for {all} reasons:{}", list(reasons)),
    }
}

/// All problems of the settings in one message, for the operator of the program.
///
/// ```
/// # use xposer::Settings;
/// let report = Settings::from_value(&serde_json::json!({"domian": "example.com"})).err().ok_or("there is no such setting")?;
/// assert_eq!(xposer_admission::about_settings(&report),
///     "xposer: settings.domian: there is no setting `domian`; did you mean domain? [setting-unknown]");
/// # Ok::<(), &str>(())
/// ```
// A policy server prints the message without the name of the policy, so the message has the name.
#[must_use]
pub fn settings(report: &Report) -> String {
    let errors: Vec<_> = report.diagnostics().iter().collect();
    match errors.as_slice() {
        [only] => format!("xposer: {}", line(only)),
        _ => format!("xposer: {} problems:{}", errors.len(), list(&errors)),
    }
}

/// The position at which a text is not JSON, for a message. The text of the JSON parser is for programmers.
///
/// ```
/// let said = |text| serde_json::from_str::<serde_json::Value>(text).map_err(|error| xposer_admission::about_json(&error));
/// assert_eq!(said("{\"a\": }").unwrap_err(), "the text cannot be read at line 1, column 7");
/// assert_eq!(said("{\n").unwrap_err(), "the text ends too early, at line 2, column 0");
/// ```
#[must_use]
pub fn json(error: &serde_json::Error) -> String {
    let what = if error.is_eof() { "the text ends too early, at" } else { "the text cannot be read at" };
    format!("{what} line {}, column {}", error.line(), error.column())
}

fn list(diagnostics: &[&Diagnostic]) -> String {
    diagnostics
        .iter()
        .enumerate()
        .map(|(index, diagnostic)| format!("\n{}. {}", index + 1, line(diagnostic)))
        .collect()
}

/// The place, the message, the help, and the code for `xposer explain`.
fn line(diagnostic: &Diagnostic) -> String {
    format!("{} [{}]", diagnostic.sentence(), diagnostic.code)
}

/// The warnings that fit into a response. `all` is their number, including those that the report does not keep.
pub(crate) fn warnings<'r>(diagnostics: impl Iterator<Item = &'r Diagnostic>, all: usize) -> Vec<String> {
    let mut warnings: Vec<String> = diagnostics.map(warning).collect();
    let more = |shown: usize| format!("xposer: {} more warnings; list them with `xposer check`", all - shown);
    let mut room = MAX_WARNINGS;
    let mut fitting = 0;
    for warning in &warnings {
        let Some(left) = room.checked_sub(warning.len()) else { break };
        room = left;
        fitting += 1;
    }
    while fitting < warnings.len() && more(fitting).len() > room {
        fitting -= 1;
        room += warnings.get(fitting).map_or(0, String::len);
    }
    if fitting < warnings.len() {
        warnings.truncate(fitting);
        warnings.push(more(fitting));
    }
    warnings
}

/// The code, the place, the message and the help. `kubectl` prints equal warnings once, so each needs its place.
fn warning(diagnostic: &Diagnostic) -> String {
    let Diagnostic { code, path, message, .. } = diagnostic;
    let message = format!("xposer[{code}]: {}: {message}", place(path));
    shortened(&message, diagnostic.help.as_deref(), MAX_WARNING)
}

/// The name of an annotation without the prefix of Xposer; the path of any other place.
fn place(path: &FieldPath) -> String {
    match path.segments() {
        [Segment::Key(metadata), Segment::Key(annotations), Segment::Key(key)]
            if path.root() == Root::Object && metadata == "metadata" && annotations == "annotations" =>
        {
            key.strip_prefix(CONFIG_PREFIX).unwrap_or(key).to_owned()
        }
        _ => path.to_string(),
    }
}

/// The codes of all findings, each once, in the order of the report.
pub(crate) fn codes(report: &Report) -> String {
    let mut codes: Vec<&str> = Vec::new();
    for diagnostic in report.diagnostics() {
        if !codes.contains(&diagnostic.code.slug()) {
            codes.push(diagnostic.code.slug());
        }
    }
    codes.join(",")
}
