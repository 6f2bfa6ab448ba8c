//! Runs every example of the cookbook like a case folder, and compares the outcome with the page. [`xposer_testkit::cookbook`]
//! describes the format; `BLESS=1` writes the outcomes into the pages.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it like the test itself")]

use std::path::Path;

use xposer::options::{annotations, settings};
use xposer::service::CONFIG_PREFIX;
use xposer::{Code, Severity};
use xposer_testkit::cases::Run;
use xposer_testkit::cookbook::{
    Answer, Example, NGINX_REQUESTS, NOT_TRIED, OBJECTS, Piece, REPORT, REQUESTS, SERVICE, SETTINGS, asked,
    case, examples, folder, name, pages, pieces, read,
};
use xposer_testkit::golden;

/// The pages of the cookbook.
const PAGES: [&str; 12] = [
    "import",
    "internal-external",
    "leaving-ingress-nginx",
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

fn fenced(words: &str, text: &str) -> String {
    format!("```{words}\n{text}```\n")
}

/// Returns the page with these outcomes. Missing blocks are added below the Services, and empty blocks are removed.
fn rewritten(pieces: &[Piece], outcomes: &[(&Example, &str, &str)]) -> String {
    let mut page = String::new();
    let mut left_out = false;
    for (at, piece) in pieces.iter().enumerate() {
        let mine = outcomes.iter().find(|(example, ..)| {
            [Some(example.service), example.objects, example.report].contains(&Some(at))
        });
        let (words, text) = match (piece, mine) {
            (Piece::Prose(text), _) => {
                // The blank line after a removed block is removed, too.
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

/// Runs the examples of a page, and compares the outcomes.
fn check(path: &Path) -> Result<(), String> {
    let page = read(path).unwrap();
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
                if !run.objects.is_empty() && !is_tried(&pieces, example) {
                    wrong.push(format!(
                        "{} no request shows what the objects do; add a block `{REQUESTS}`, or a line `{NOT_TRIED}...`",
                        line(&pieces, example)
                    ));
                }
                let report = run.report();
                ran.push((example, run, report));
            }
            Err(said) => wrong.push(said),
        }
    }
    let mut message = ran.iter().flat_map(|(_, run, _)| &run.findings);
    if wrong.is_empty() && !message.any(|finding| finding.diagnostic.severity >= Severity::Warning) {
        wrong.push(" no example shows a mistake".to_owned());
    }
    if !wrong.is_empty() {
        return Err(wrong.into_iter().map(located).collect::<Vec<_>>().join("\n"));
    }
    let outcomes: Vec<_> =
        ran.iter().map(|(example, run, report)| (*example, run.objects.as_str(), report.as_str())).collect();
    golden::compare(path, &rewritten(&pieces, &outcomes))
}

/// Whether the example has requests, or the page gives the reason why not, at its beginning or after the example.
fn is_tried(pieces: &[Piece], example: &Example) -> bool {
    let is_block = |piece: &Piece, of: &[&str]| matches!(piece, Piece::Block(_, words, _) if of.contains(&words.as_str()));
    let next = pieces.iter().skip(example.service + 1).take_while(|it| !is_block(it, &[SETTINGS, SERVICE]));
    let mut told = pieces.iter().take_while(|it| !is_block(it, &[SETTINGS, SERVICE])).chain(next);
    let says_so = |piece: &Piece| matches!(piece, Piece::Prose(text) if text.lines().any(|line| line.starts_with(NOT_TRIED)));
    !example.requests.is_empty() || told.any(says_so)
}

fn line(pieces: &[Piece], example: &Example) -> String {
    match pieces.get(example.service) {
        Some(Piece::Block(line, ..)) => format!("{line}:"),
        _ => String::new(),
    }
}

#[test]
fn every_example_gives_the_objects_and_the_report_of_its_page() {
    let pages = pages().unwrap().into_iter().filter(|path| name(path) != "README.md");
    let wrong: Vec<_> = pages.filter_map(|path| check(&path).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_question_has_its_page_and_the_readme_leads_to_it() {
    let readme = read(&folder().join("README.md")).unwrap();
    let names: Vec<_> = pages().unwrap().iter().map(|path| name(path)).collect();
    for page in PAGES {
        assert!(names.contains(&format!("{page}.md")), "docs/cookbook/{page}.md is missing");
    }
    for name in names.iter().filter(|name| *name != "README.md") {
        assert!(readme.contains(&format!("]({name})")), "docs/cookbook/README.md does not link {name}");
    }
}

/// Returns the prose of a page without fenced blocks. All white space becomes single blanks.
fn prose(path: &Path) -> Vec<String> {
    let pieces = pieces(&read(path).unwrap()).unwrap_or_else(|said| panic!("{}: {said}", path.display()));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    pieces
        .iter()
        .filter_map(|piece| if let Piece::Prose(text) = piece { Some(words(text)) } else { None })
        .collect()
}

/// Returns the errors of the names in backticks. An annotation is recognised by its prefix or by the word before it, a setting by
/// the word before it.
fn misnamed(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        wrong.push("a backtick is not closed".to_owned());
    }
    // The kind that the word before the name gives. It applies to all names of a list.
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
fn names_on_the_pages_exist() {
    let mut wrong = Vec::new();
    for path in pages().unwrap() {
        for text in prose(&path) {
            wrong.extend(misnamed(&text).into_iter().map(|said| format!("{}: {said}", name(&path))));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the targets of the links of a text.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

#[test]
fn every_link_leads_to_a_file() {
    let mut wrong = Vec::new();
    for path in pages().unwrap() {
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
    // An empty block is removed, with one of the blank lines around it.
    assert_eq!(
        rewritten(&pieces, &[(first, "o\n", ""), (second, "p\n", "")]),
        "a\n\n```yaml service\nx: 1\n```\n\n```yaml objects\no\n```\n\nb\n\nc\n\n\
         ```yaml service\ny: 1\n```\n\n```yaml objects\np\n```\n"
    );
}

#[test]
fn invalid_blocks_are_reported() {
    let message = |blocks: &[&str]| {
        let page: String = blocks.iter().map(|words| fenced(words, "a: 1\n")).collect();
        let (examples, wrong) = examples(&pieces(&page).unwrap());
        (examples.len(), wrong.len())
    };
    assert_eq!(message(&[SETTINGS, SERVICE, OBJECTS, REPORT, SERVICE, REPORT, "yaml", "sh", "text"]), (2, 0));
    // `a: 1` is not a command.
    assert_eq!(message(&[SERVICE, OBJECTS, REQUESTS]), (1, 1));
    assert_eq!(message(&[SERVICE, REQUESTS, NGINX_REQUESTS, REPORT]), (1, 3));
    for blocks in [
        [SERVICE, REPORT, OBJECTS],
        [SERVICE, OBJECTS, OBJECTS],
        [SERVICE, OBJECTS, SETTINGS],
        [SETTINGS, SETTINGS, SERVICE],
        [SERVICE, OBJECTS, "yaml object"],
        [SERVICE, OBJECTS, "text reports"],
    ] {
        assert_eq!(message(&blocks), (1, 1), "{blocks:?}");
    }
    assert_eq!(message(&[OBJECTS]), (0, 1));
    assert!(pieces("```yaml\na: 1\n").is_err());
    assert_eq!(misnamed("the annotations `TLS` and `TSL`, the setting `tls.x`, `sectionName`").len(), 2);
    assert_eq!(
        misnamed("`config.xposer.stakater.com/Domain: a` `config.xposer.stakater.com/Domian`").len(),
        1
    );
    assert_eq!(misnamed("the field `backend`").len(), 0);
}

#[test]
fn requests_are_read() {
    let read = |text: &str| asked(text).map_err(|error| format!("{error:#}"));
    let block = "$ curl http://a.b/x\nHTTP 200 from s/web or canary at /y\n$ curl http://a.b/\nHTTP 301 to https://a.b/\n\
                 $ dig a.b\na.b.  300\tIN A 1.2.3.4\n$ curl http://c.d/\nHTTP 404\n";
    let http = |status: u16, from: &[&str], at: Option<&str>, to: Option<&str>| Answer::Http {
        status,
        from: from.iter().map(ToString::to_string).collect(),
        at: at.map(str::to_owned),
        to: to.map(str::to_owned),
    };
    let answers: Vec<_> = read(block).unwrap().into_iter().map(|it| it.answer).collect();
    let lines = Answer::Lines(vec!["a.b. 300 IN A 1.2.3.4".to_owned()]);
    assert_eq!(
        answers,
        [
            http(200, &["s/web", "canary"], Some("/y"), None),
            http(301, &[], None, Some("https://a.b/")),
            lines,
            http(404, &[], None, None)
        ]
    );
    for wrong in [
        "HTTP 200",
        "$ curl a",
        "$ curl a\nHTTP",
        "$ curl a\n200",
        "$ curl a\nHTTP 200 from",
        "$ curl a\nHTTP 200 or a",
        "$ curl a\nHTTP 200\nHTTP 200",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
