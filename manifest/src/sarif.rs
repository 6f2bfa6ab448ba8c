//! Findings as SARIF 2.1.0, which code scanning services show next to the lines.

use std::borrow::Cow;
use std::io::{self, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use xposer::{Code, Severity};

use crate::file::STDIN;
use crate::finding::Finding;
use crate::place::{Place, Point};
use crate::visible::visible_lines;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const PROJECT: &str = "https://github.com/xposer/xposer";
/// The rule of findings about an input itself.
const INPUT: &str = "input";
/// The characters of a path that a URI may contain unencoded (RFC 3986, pchar and `/`).
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@')
    .remove(b'+')
    .remove(b'=');

/// Writes findings as one SARIF 2.1.0 log with one run. Every result has a location, because code scanning services refuse a result
/// without one; standard input is the file `stdin`.
///
/// ```
/// use xposer_manifest::{Finding, Place, write_sarif};
///
/// let finding = Finding::input("there is no such file").at(Place::file("my web.yaml"));
/// let mut out = Vec::new();
/// write_sarif([finding], &mut out).unwrap();
/// let log: serde_json::Value = serde_json::from_slice(&out).unwrap();
/// let result = &log["runs"][0]["results"][0];
/// assert_eq!((&result["ruleId"], &result["level"]), (&"input".into(), &"error".into()));
/// assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "my%20web.yaml");
/// ```
///
/// # Errors
///
/// An error of the writer.
pub fn write_sarif<'d>(
    findings: impl IntoIterator<Item = Finding<'d>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let findings: Vec<Finding<'d>> = findings.into_iter().collect();
    let mut rules: Vec<Rule> = Vec::new();
    let mut results = Vec::new();
    for finding in &findings {
        let code = finding.code();
        let id = code.map_or(INPUT, Code::slug);
        let index = rules.iter().position(|rule| rule.id == id).unwrap_or_else(|| {
            rules.push(Rule::new(code));
            rules.len() - 1
        });
        results.push(SarifResult {
            rule_id: id,
            rule_index: index,
            level: level(finding.severity()),
            message: Text { text: finding.sentence() },
            locations: [Location::new(finding)],
        });
    }
    let driver = Driver {
        name: "xposer",
        information_uri: PROJECT,
        semantic_version: env!("CARGO_PKG_VERSION"),
        rules,
    };
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

#[derive(Serialize)]
struct Log<'f> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'f>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'f> {
    tool: Tool,
    /// The unit of columns: characters.
    column_kind: &'static str,
    results: Vec<SarifResult<'f>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    information_uri: &'static str,
    semantic_version: &'static str,
    /// The rules of the results, each once.
    rules: Vec<Rule>,
}

/// A diagnostic code.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'f> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location<'f>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'f> {
    physical_location: Physical<'f>,
    /// The field, and the object with the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_locations: Option<[Logical; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical<'f> {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region<'f>>,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'f> {
    start_line: usize,
    start_column: usize,
    /// The column after the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Snippet<'f>>,
}

#[derive(Serialize)]
struct Snippet<'f> {
    text: Cow<'f, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
}

impl Rule {
    fn new(code: Option<Code>) -> Self {
        let text = |text: &str| Text { text: text.to_owned() };
        match code {
            Some(code) => Self {
                id: code.slug(),
                short_description: text(code.summary()),
                full_description: text(code.why()),
                help: text(code.fix()),
                default_configuration: Configuration { level: level(code.severity()) },
            },
            None => Self {
                id: INPUT,
                short_description: text("An input has a problem, or cannot be used."),
                full_description: text(
                    "It concerns a file as a whole, or its text, and not the content of a Service.",
                ),
                help: text("The message says what to do."),
                default_configuration: Configuration { level: level(Severity::Error) },
            },
        }
    }
}

impl<'f> Location<'f> {
    fn new(finding: &'f Finding<'_>) -> Self {
        let place = finding.place();
        let uri = place.map_or_else(|| uri(STDIN), |place| uri(&place.file));
        let region = place.and_then(|place| Some(Region::new(place, place.point?)));
        Self {
            physical_location: Physical { artifact_location: Artifact { uri }, region },
            logical_locations: finding.note().map(|name| [Logical { fully_qualified_name: name }]),
        }
    }
}

impl<'f> Region<'f> {
    fn new(place: &'f Place, Point { line, column }: Point) -> Self {
        Self {
            start_line: line,
            start_column: column,
            end_column: place.end_column(),
            snippet: place.excerpt.as_ref().map(|excerpt| Snippet { text: visible_lines(&excerpt.line) }),
        }
    }
}

/// A reference to a file. Relative paths stay relative, because the service compares them with the paths of a repository.
fn uri(file: &str) -> String {
    if file == STDIN {
        return "stdin".to_owned();
    }
    let path = file.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let encoded = utf8_percent_encode(path, PATH);
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded.to_string() }
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_file_is_a_reference() {
        for (file, expected) in [
            ("web.yaml", "web.yaml"),
            ("./a b/wéb.yaml", "a%20b/w%C3%A9b.yaml"),
            ("a:b#c?.yaml", "a%3Ab%23c%3F.yaml"),
            ("/srv/web.yaml", "file:///srv/web.yaml"),
            ("charts\\web.yaml", "charts/web.yaml"),
            ("<stdin>", "stdin"),
        ] {
            assert_eq!(uri(file), expected);
        }
    }
}
