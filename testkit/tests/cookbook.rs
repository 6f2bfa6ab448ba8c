//! The cookbook: every example of every page is run as the case folders are, and its outcome is what the page shows.
//!
//! An example is a run of fenced blocks, in this order; prose may stand between them:
//!
//! | fence | content |
//! | --- | --- |
//! | `yaml settings` | the administrator's settings, if the example needs any |
//! | `yaml service` | any number of documents; those that are `v1` Services are exposed together |
//! | `yaml objects` | the objects that `xposer render` prints; no block where nothing is emitted |
//! | `text report` | one diagnostic a line; no block where nothing is said |
//!
//! `BLESS=1` writes the last two. A block `yaml` without a second word shows an object of another program; it must be
//! YAML, and that is all that is asked of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it like the test itself")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xposer::options::{annotations, settings};
use xposer::service::CONFIG_PREFIX;
use xposer::{Code, Severity};
use xposer_testkit::cases::{Case, Run, parse};
use xposer_testkit::{golden, workspace};

/// The questions that have a page.
const PAGES: [&str; 10] = [
    "internal-external",
    "canary",
    "external-dns",
    "cert-manager",
    "acm",
    "monitoring",
    "forecastle",
    "gateway-api",
    "openshift",
    "multi-tenant",
];
const SETTINGS: &str = "yaml settings";
const SERVICE: &str = "yaml service";
const OBJECTS: &str = "yaml objects";
const REPORT: &str = "text report";

fn folder() -> PathBuf {
    workspace().join("docs/cookbook")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Every page, the README too, in order.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<_> = folder().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

/// A part of a page.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// Lines outside of fences.
    Prose(String),
    /// What stands between two fences: the number of its first line, the words behind the fence, and the text.
    Block(usize, String, String),
}

/// The parts of a page, in order.
fn pieces(page: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut prose) = (Vec::new(), String::new());
    let mut open: Option<(usize, String, String)> = None;
    for (number, line) in page.split_inclusive('\n').enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(words), None) => {
                pieces.push(Piece::Prose(std::mem::take(&mut prose)));
                open = Some((number + 2, words.trim().to_owned(), String::new()));
            }
            (Some(_), Some((number, words, text))) => pieces.push(Piece::Block(number, words, text)),
            (None, Some((number, words, text))) => open = Some((number, words, text + line)),
            (None, None) => prose.push_str(line),
        }
    }
    pieces.push(Piece::Prose(prose));
    match open {
        Some((number, ..)) => Err(format!("the block that begins at line {number} is not closed")),
        None => Ok(pieces),
    }
}

/// The positions of an example's blocks among the pieces of its page.
#[derive(Debug, Default, PartialEq, Eq)]
struct Example {
    settings: Option<usize>,
    service: usize,
    objects: Option<usize>,
    report: Option<usize>,
}

/// The examples of a page, and everything that is wrong with the order and the words of its blocks.
fn examples(pieces: &[Piece]) -> (Vec<Example>, Vec<String>) {
    let (mut examples, mut wrong): (Vec<Example>, Vec<String>) = (Vec::new(), Vec::new());
    let mut settings = None;
    for (at, piece) in pieces.iter().enumerate() {
        let Piece::Block(line, words, text) = piece else { continue };
        let open = if settings.is_none() { examples.last_mut() } else { None };
        let said = match (words.as_str(), open) {
            (SETTINGS, _) if settings.is_none() => {
                settings = Some(at);
                continue;
            }
            (SERVICE, _) => {
                examples.push(Example { settings: settings.take(), service: at, ..Example::default() });
                continue;
            }
            (OBJECTS, Some(example)) if example.objects.is_none() && example.report.is_none() => {
                example.objects = Some(at);
                continue;
            }
            (REPORT, Some(example)) if example.report.is_none() => {
                example.report = Some(at);
                continue;
            }
            (SETTINGS | OBJECTS | REPORT, _) => {
                "the order is `yaml settings`, `yaml service`, `yaml objects`, `text report`, each once"
                    .to_owned()
            }
            ("yaml", _) => match parse(text) {
                Ok(_) => continue,
                Err(error) => format!("{error:#}"),
            },
            (other, _)
                if other.starts_with("yaml") || other.starts_with("yml") || other.starts_with("text ") =>
            {
                format!(
                    "there is no block `{other}`; write `{SETTINGS}`, `{SERVICE}`, `{OBJECTS}`, `{REPORT}` or `yaml`"
                )
            }
            _ => continue,
        };
        wrong.push(format!("{line}: {said}"));
    }
    if let Some(Piece::Block(line, ..)) = settings.and_then(|at| pieces.get(at)) {
        wrong.push(format!("{line}: the settings have no `{SERVICE}` behind them"));
    }
    (examples, wrong)
}

/// The example as a case.
fn case(path: &Path, pieces: &[Piece], example: &Example) -> Result<Case, String> {
    let text = |at: usize| match pieces.get(at) {
        Some(Piece::Block(line, _, text)) => Ok((*line, text.as_str())),
        _ => Err("there is no block".to_owned()),
    };
    let documents = |at: usize| {
        let (line, text) = text(at)?;
        parse(text).map_err(|said| format!("{line}: {said}"))
    };
    let (line, _) = text(example.service)?;
    let services = documents(example.service)?;
    if services.is_empty() || !services.iter().all(Value::is_object) {
        return Err(format!("{line}: every document must be an object"));
    }
    let settings = match example.settings.map(documents).transpose()? {
        Some(mut found) if found.len() == 1 => found.pop(),
        Some(_) => return Err(format!("{line}: the settings must be one document")),
        None => None,
    };
    Ok(Case {
        slug: format!("{}:{line}", name(path)),
        folder: path.to_owned(),
        documents: services,
        settings,
        why: String::new(),
        mended: None,
        mended_settings: None,
    })
}

fn fenced(words: &str, text: &str) -> String {
    format!("```{words}\n{text}```\n")
}

/// The page with these outcomes in the places of those it has. What is missing is added below, what is empty is left out.
fn rewritten(pieces: &[Piece], outcomes: &[(&Example, &str, &str)]) -> String {
    let mut page = String::new();
    let mut left_out = false;
    for (at, piece) in pieces.iter().enumerate() {
        let mine = outcomes.iter().find(|(example, ..)| {
            [Some(example.service), example.objects, example.report].contains(&Some(at))
        });
        let (words, text) = match (piece, mine) {
            (Piece::Prose(text), _) => {
                // The blank line behind a block that was left out goes with it.
                let text = if std::mem::take(&mut left_out) {
                    text.strip_prefix('\n').unwrap_or(text)
                } else {
                    text
                };
                page.push_str(text);
                continue;
            }
            (Piece::Block(_, words, _), Some((_, objects, _))) if words == OBJECTS => (words, *objects),
            (Piece::Block(_, words, _), Some((_, _, report))) if words == REPORT => (words, *report),
            (Piece::Block(_, words, text), _) => (words, text.as_str()),
        };
        left_out = text.is_empty() && (words == OBJECTS || words == REPORT);
        if !left_out {
            page.push_str(&fenced(words, text));
        }
        let Some((example, objects, report)) = mine else { continue };
        let mut add = |words: &str, text: &str| {
            if !text.is_empty() {
                page.push_str(if left_out { "" } else { "\n" });
                page.push_str(&fenced(words, text));
                left_out = false;
            }
        };
        if example.service == at && example.objects.is_none() {
            add(OBJECTS, objects);
        }
        if example.report.is_none() && example.objects.unwrap_or(example.service) == at {
            add(REPORT, report);
        }
    }
    page
}

/// Runs the examples of a page and compares.
fn check(path: &Path) -> Result<(), String> {
    let page = read(path);
    let located = |said: String| format!("{}:{said}", name(path));
    let pieces = pieces(&page).map_err(|said| located(format!(" {said}")))?;
    let (examples, mut wrong) = examples(&pieces);
    if examples.is_empty() {
        wrong.push(" there is no example".to_owned());
    }
    let mut ran: Vec<(&Example, Run, String)> = Vec::new();
    for example in &examples {
        match case(path, &pieces, example) {
            Ok(case) => {
                let run = case.run();
                if run.objects.is_empty() && run.findings.is_empty() {
                    wrong.push(format!("{} nothing is emitted, and nothing is said", line(&pieces, example)));
                }
                let report = run.report();
                ran.push((example, run, report));
            }
            Err(said) => wrong.push(said),
        }
    }
    let mut said = ran.iter().flat_map(|(_, run, _)| &run.findings);
    if wrong.is_empty() && !said.any(|finding| finding.diagnostic.severity >= Severity::Warning) {
        wrong.push(" no example shows a mistake".to_owned());
    }
    if !wrong.is_empty() {
        return Err(wrong.into_iter().map(located).collect::<Vec<_>>().join("\n"));
    }
    let outcomes: Vec<_> =
        ran.iter().map(|(example, run, report)| (*example, run.objects.as_str(), report.as_str())).collect();
    golden::compare(path, &rewritten(&pieces, &outcomes))
}

fn line(pieces: &[Piece], example: &Example) -> String {
    match pieces.get(example.service) {
        Some(Piece::Block(line, ..)) => format!("{line}:"),
        _ => String::new(),
    }
}

#[test]
fn every_example_gives_the_objects_and_the_report_of_its_page() {
    let pages = pages().into_iter().filter(|path| name(path) != "README.md");
    let wrong: Vec<_> = pages.filter_map(|path| check(&path).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_question_has_its_page_and_the_readme_leads_to_it() {
    let readme = read(&folder().join("README.md"));
    let names: Vec<_> = pages().iter().map(|path| name(path)).collect();
    for page in PAGES {
        assert!(names.contains(&format!("{page}.md")), "docs/cookbook/{page}.md is missing");
    }
    for name in names.iter().filter(|name| *name != "README.md") {
        assert!(readme.contains(&format!("]({name})")), "docs/cookbook/README.md does not link {name}");
    }
}

/// The prose of a page, with single blanks and line ends as blanks, and without what stands between fences.
fn prose(path: &Path) -> Vec<String> {
    let pieces = pieces(&read(path)).unwrap_or_else(|said| panic!("{}: {said}", path.display()));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    pieces
        .iter()
        .filter_map(|piece| if let Piece::Prose(text) = piece { Some(words(text)) } else { None })
        .collect()
}

/// What is wrong with the names in backticks: annotations by their prefix, or behind the word; settings behind the word.
fn misnamed(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        wrong.push("a backtick is not closed".to_owned());
    }
    // What the words in front say that the name is; a list goes on.
    let mut kind = "";
    for pair in parts.chunks_exact(2) {
        let [before, span] = pair else { continue };
        let last = before.trim_end().rsplit([' ', '|', '(']).next().unwrap_or_default();
        kind = match last.to_ascii_lowercase().as_str() {
            "setting" | "settings" => "setting",
            "annotation" | "annotations" => "annotation",
            _ if matches!(before.trim(), "," | "and" | "or" | ", and" | ", or") => kind,
            _ => "",
        };
        let first = |ends: &[char]| span.split(ends).next().unwrap_or_default();
        if let Some(own) = first(&[':', ' ']).strip_prefix(CONFIG_PREFIX) {
            if !own.is_empty() && annotations().all(|(key, _)| key.short_name() != own) {
                wrong.push(format!("there is no annotation `{span}`"));
            }
        } else if kind == "setting" && settings().all(|(key, _)| key.name != first(&['.', ':', ' '])) {
            wrong.push(format!("there is no setting `{span}`"));
        } else if kind == "annotation"
            && !span.contains('/')
            && annotations().all(|(key, _)| key.short_name() != first(&[':', ' ']))
        {
            wrong.push(format!("there is no annotation `{span}`"));
        }
    }
    wrong
}

#[test]
fn what_a_page_names_exists() {
    let mut wrong = Vec::new();
    for path in pages() {
        for text in prose(&path) {
            wrong.extend(misnamed(&text).into_iter().map(|said| format!("{}: {said}", name(&path))));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The targets of the links of a text.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

#[test]
fn every_link_leads_to_a_file() {
    let mut wrong = Vec::new();
    for path in pages() {
        for text in prose(&path) {
            for link in links(&text).filter(|link| !link.contains("://")) {
                let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
                let known = match (file.rsplit('/').next(), anchor) {
                    (_, "") => true,
                    (Some("diagnostics.md"), code) => code.parse::<Code>().is_ok(),
                    (Some("settings.md"), name) => {
                        settings().any(|(key, _)| key.name.eq_ignore_ascii_case(name))
                    }
                    (Some("annotations.md"), name) => {
                        annotations().any(|(key, _)| key.short_name().eq_ignore_ascii_case(name))
                    }
                    _ => false,
                };
                if !known || !folder().join(file).exists() {
                    wrong.push(format!("{} links to {link}", name(&path)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outcomes_are_written_in_their_places() {
    let page = "a\n\n```yaml service\nx: 1\n```\n\nb\n\n```text report\nold\n```\n\nc\n\n```yaml service\ny: 1\n```\n";
    let pieces = pieces(page).unwrap();
    let (examples, wrong) = examples(&pieces);
    assert_eq!((examples.len(), wrong), (2, Vec::new()));
    let [first, second] = examples.as_slice() else { panic!("{examples:?}") };
    assert_eq!(
        rewritten(&pieces, &[(first, "o\n", "new\n"), (second, "", "r\n")]),
        "a\n\n```yaml service\nx: 1\n```\n\n```yaml objects\no\n```\n\nb\n\n```text report\nnew\n```\n\nc\n\n\
         ```yaml service\ny: 1\n```\n\n```text report\nr\n```\n"
    );
    // A block that has become empty goes, with one of the blank lines around it.
    assert_eq!(
        rewritten(&pieces, &[(first, "o\n", ""), (second, "p\n", "")]),
        "a\n\n```yaml service\nx: 1\n```\n\n```yaml objects\no\n```\n\nb\n\nc\n\n\
         ```yaml service\ny: 1\n```\n\n```yaml objects\np\n```\n"
    );
}

#[test]
fn blocks_that_are_none_are_told() {
    let said = |blocks: &[&str]| {
        let page: String = blocks.iter().map(|words| fenced(words, "a: 1\n")).collect();
        let (examples, wrong) = examples(&pieces(&page).unwrap());
        (examples.len(), wrong.len())
    };
    assert_eq!(said(&[SETTINGS, SERVICE, OBJECTS, REPORT, SERVICE, REPORT, "yaml", "sh", "text"]), (2, 0));
    for blocks in [
        [SERVICE, REPORT, OBJECTS],
        [SERVICE, OBJECTS, OBJECTS],
        [SERVICE, OBJECTS, SETTINGS],
        [SETTINGS, SETTINGS, SERVICE],
        [SERVICE, OBJECTS, "yaml object"],
        [SERVICE, OBJECTS, "text reports"],
    ] {
        assert_eq!(said(&blocks), (1, 1), "{blocks:?}");
    }
    assert_eq!(said(&[OBJECTS]), (0, 1));
    assert!(pieces("```yaml\na: 1\n").is_err());
    assert_eq!(misnamed("the annotations `TLS` and `TSL`, the setting `tls.x`, `sectionName`").len(), 2);
    assert_eq!(
        misnamed("`config.xposer.stakater.com/Domain: a` `config.xposer.stakater.com/Domian`").len(),
        1
    );
    assert_eq!(misnamed("the field `backend`").len(), 0);
}
