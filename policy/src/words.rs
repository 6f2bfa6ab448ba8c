//! Diagnostics in the forms that an admission response has for them.

use xposer::{Diagnostic, Report, Severity};

/// The longest warning, in bytes: what the API server's documentation asks for, in characters.
const LONGEST_WARNING: usize = 120;
/// The most warnings of one response: the API server cuts them off after 4096 bytes in all.
const MOST_WARNINGS: usize = 30;

/// All Errors of a refused Service.
pub(crate) fn rejection(report: &Report) -> String {
    let errors: Vec<_> = report.of(Severity::Error).collect();
    let subject = report.subject();
    match errors.as_slice() {
        [only] => format!("{subject} cannot be exposed: {}", line(only)),
        _ => format!("{subject} cannot be exposed, for {} reasons:{}", errors.len(), list(&errors)),
    }
}

/// All problems of settings.
pub(crate) fn settings(report: &Report) -> String {
    let errors: Vec<_> = report.diagnostics().iter().collect();
    match errors.as_slice() {
        [only] => line(only),
        _ => format!("{} problems:{}", errors.len(), list(&errors)),
    }
}

fn list(diagnostics: &[&Diagnostic]) -> String {
    diagnostics
        .iter()
        .enumerate()
        .map(|(index, diagnostic)| format!("\n{}. {}", index + 1, line(diagnostic)))
        .collect()
}

/// The place, what is wrong, what to do, and the word that `xposer explain` explains.
fn line(diagnostic: &Diagnostic) -> String {
    format!("{} [{}]", diagnostic.sentence(), diagnostic.code)
}

/// Warnings for the user, each short enough to be shown whole.
pub(crate) fn warnings<'r>(diagnostics: impl Iterator<Item = &'r Diagnostic>) -> Vec<String> {
    let mut warnings: Vec<String> = diagnostics.map(warning).collect();
    if warnings.len() > MOST_WARNINGS {
        let more = warnings.len() - (MOST_WARNINGS - 1);
        warnings.truncate(MOST_WARNINGS - 1);
        warnings.push(format!("xposer: {more} more warnings; `xposer check` lists all"));
    }
    warnings
}

/// The help comes along where there is room for it.
fn warning(diagnostic: &Diagnostic) -> String {
    let mut text = format!("xposer[{}]: {}", diagnostic.code, diagnostic.message);
    match &diagnostic.help {
        Some(help) if text.len() + 2 + help.len() <= LONGEST_WARNING => text = format!("{text}; {help}"),
        _ => shorten(&mut text),
    }
    text
}

fn shorten(text: &mut String) {
    const CUT: &str = "...";
    if text.len() > LONGEST_WARNING {
        let mut end = LONGEST_WARNING - CUT.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(CUT);
    }
}

/// The codes of everything that was found, each once, in the order of the report.
pub(crate) fn codes(report: &Report) -> String {
    let mut codes: Vec<&str> = Vec::new();
    for diagnostic in report.diagnostics() {
        if !codes.contains(&diagnostic.code.slug()) {
            codes.push(diagnostic.code.slug());
        }
    }
    codes.join(",")
}
