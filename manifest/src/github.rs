//! Findings as workflow commands of GitHub Actions, which shows them next to the lines of a pull request.

use std::fmt::Write as _;
use std::io::{self, Write};

use xposer::{Code, Severity};

use crate::file::STDIN;
use crate::finding::Finding;
use crate::visible::visible_lines;

/// Writes each finding as a workflow command of GitHub Actions, on one line. The runner reads the commands from standard output and
/// from standard error.
///
/// ```
/// use xposer_manifest::{Finding, Place, write_github};
///
/// let finding = Finding::warning("100% twice").help("name it\u{7}\nonce").at(Place::file("a,b.yaml"));
/// let mut out = Vec::new();
/// write_github([finding], &mut out).unwrap();
/// assert_eq!(String::from_utf8(out).unwrap(), "::warning file=a%2Cb.yaml,title=xposer::100%25 twice; name it\\u{7}\\nonce\n");
/// ```
///
/// # Errors
///
/// An error of the writer.
pub fn write_github<'d>(
    findings: impl IntoIterator<Item = Finding<'d>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    findings.into_iter().try_for_each(|finding| writeln!(out, "{}", command(&finding)))
}

fn command(finding: &Finding<'_>) -> String {
    let name = match finding.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut command = format!("::{name} ");
    // Writing to a String cannot fail.
    if let Some(place) = finding.place().filter(|place| place.file != STDIN) {
        let _ = write!(command, "file={},", property(&visible_lines(&place.file)));
        if let Some(point) = place.point {
            let _ = write!(command, "line={},col={},", point.line, point.column);
            if let Some(end) = place.end_column() {
                let _ = write!(command, "endColumn={end},");
            }
        }
    }
    let title = finding.code().map_or_else(|| "xposer".to_owned(), |code: Code| format!("xposer: {code}"));
    let note = finding.note().map(|note| format!("\n{note}")).unwrap_or_default();
    let message = data(&(finding.sentence() + &note));
    let _ = write!(command, "title={}::{message}", property(&title));
    command
}

/// Escapes a message as the runner unescapes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property as the runner unescapes it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
