//! The README shows the real output of the program, and the migration guide lists the real results of the cases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a page that cannot be read has failed"
)]

use std::path::Path;

use xposer_cli::{Console, Terminal, run};

fn page(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the fenced blocks of a page, each with the word after the opening fence.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(word), None) => open = Some((word.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// Runs the program. Returns its status, standard output and standard error.
fn xposer(arguments: &[&str], input: &str) -> (u8, String, String) {
    let (mut stdin, mut stdout, mut stderr) = (input.as_bytes(), Vec::new(), Vec::new());
    let console = Console {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        terminal: Terminal::default(),
    };
    let status = run(["xposer"].iter().chain(arguments), console);
    (status, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_first_command_prints_what_the_readme_shows() {
    let readme = page("README.md");
    let blocks = blocks(&readme);
    let (status, stdout, stderr) = xposer(&["render"], &page("examples/forecastle.yaml"));
    assert_eq!(status, 0);
    let shown = blocks.iter().find(|(word, text)| word == "yaml" && text.contains("kind: Ingress"));
    assert_eq!(shown.map(|(_, text)| text.as_str()), Some(stdout.as_str()));
    let messages: String =
        stderr.lines().filter(|line| line.starts_with("info[")).map(|line| format!("{line}\n")).collect();
    assert!(
        blocks.iter().any(|(_, text)| *text == messages),
        "the README shows other messages than\n{messages}"
    );
}

#[test]
fn readme_mistake_is_reported_as_shown() {
    let service = "apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  labels: {expose: 'true'}
  annotations:
    config.xposer.stakater.com/IngressURLTemplate: \"{{.Service}}.{{.Doman}}\"
spec: {ports: [{port: 80}]}
";
    let (status, _, stderr) = xposer(&["check"], service);
    assert_eq!(status, 1);
    let told = stderr.replace("<stdin>", "service.yaml");
    assert!(
        blocks(&page("README.md")).iter().any(|(_, text)| *text == told),
        "the README does not show\n{told}"
    );
}

#[test]
fn the_commands_of_the_pages_print_what_they_show() {
    for name in ["README.md", "docs/cookbook/import.md"] {
        let ran = run_commands(name);
        assert!(ran > 0, "no command in {name} was run");
    }
}

/// Runs the commands of a page in the root of the repository, and compares standard output, or standard error if the command
/// redirects it.
fn run_commands(name: &str) -> usize {
    let mut ran = 0;
    for (_, block) in blocks(&page(name)) {
        let Some((command, shown)) = block.strip_prefix("$ xposer ").and_then(|rest| rest.split_once('\n'))
        else {
            continue;
        };
        // The commands are relative to the root of the repository.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().display();
        let (command, is_told) =
            command.strip_suffix(" 2>&1 >/dev/null").map_or((command, false), |it| (it, true));
        let command = command.replace(" examples/", &format!(" {root}/examples/"));
        let arguments: Vec<&str> = command.split(' ').collect();
        let (_, stdout, stderr) = xposer(&arguments, "");
        // The root is removed from the messages, because the page does not have it.
        let printed = if is_told { stderr.replace(&format!("{root}/"), "") } else { stdout };
        assert_eq!(printed, shown, "$ xposer {command}");
        ran += 1;
    }
    ran
}

#[test]
fn the_program_of_the_readme_is_the_example_of_the_crate() {
    let readme = page("README.md");
    let blocks = blocks(&readme);
    let (_, program) = blocks.iter().find(|(word, _)| word == "rust").expect("the README has a program");
    let crate_page: String = page("src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    assert!(
        crate_page.contains(program.as_str()),
        "src/lib.rs has another example, which is the one that is run"
    );
}

#[test]
fn the_migration_guide_names_every_case_that_differs() {
    let guide = page("docs/migrating-from-xposer.md");
    let (_, cases) = guide.split_once("case by case").expect("the guide has a part about the cases");
    let test = page("tests/compat.rs");
    let (_, table) = test.split_once("const ELSE").expect("the suite has a table");
    let numbers: Vec<&str> = table
        .lines()
        .map_while(|line| if line.starts_with("];") { None } else { Some(line) })
        .filter_map(|line| line.trim().strip_prefix('(')?.split_once(',').map(|(number, _)| number))
        .collect();
    assert!(numbers.len() > 50, "only {} numbers were found", numbers.len());
    for number in numbers {
        assert!(cases.contains(&format!("{number:0>3}")), "case {number} is not in the guide");
    }
}

#[test]
fn every_link_leads_to_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut pages, mut broken) = (Vec::new(), Vec::new());
    markdown(root, &mut pages);
    assert!(pages.len() > 60, "{pages:?}");
    for name in pages {
        let name = name.as_str();
        let folder = root.join(name).parent().unwrap().to_owned();
        for link in
            page(name).split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
        {
            let file = link.split('#').next().unwrap_or_default();
            let is_file = !file.is_empty() && !file.contains("://") && !file.contains(' ');
            if is_file && !folder.join(file).exists() {
                broken.push(format!("{name} links to {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Collects the Markdown pages in and below a folder, without those of the case folders.
fn markdown(folder: &Path, pages: &mut Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for entry in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        if entry.is_dir() {
            if !["target", ".git", ".tools", "tests/cases", "fuzz"].contains(&name.as_str()) {
                markdown(&entry, pages);
            }
        } else if name.ends_with(".md") {
            pages.push(name);
        }
    }
}

#[test]
fn policy_page_transcripts_match_the_policy() {
    use serde_json::json;
    use xposer_testkit::kubewarden::{Deployment, Native, evaluate};
    let answer = |annotations: serde_json::Value| {
        let request = json!({
            "uid": "1", "operation": "CREATE", "userInfo": {}, "namespace": "default",
            "kind": {"group": "", "version": "v1", "kind": "Service"},
            "resource": {"group": "", "version": "v1", "resource": "services"},
            "object": {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
                "metadata": {"name": "web", "namespace": "default", "labels": {"expose": "true"}, "annotations": annotations}},
        });
        let settings = json!({"domain": "example.com"}).as_object().cloned().unwrap();
        evaluate(&Native, &Deployment { settings, ..Deployment::default() }, &request).unwrap().0
    };
    let (url, name) =
        ("config.xposer.stakater.com/IngressURLTemplate", "config.xposer.stakater.com/IngressNameTemplate");
    // The webhook of the controller gives the same response.
    let refused = answer(json!({url: "{{.Service}}.{{.Doman}}"})).status.unwrap().message.unwrap();
    assert!(page("docs/webhook.md").contains(&format!(" denied the request: {refused}\n")), "{refused}");
    let page = page("docs/policy.md");
    for annotations in [
        json!({url: "{{.Service}}.{{.Doman}}"}),
        json!({url: "{{.Service}}.{{.Doman}}", name: "{{.Service}"}),
    ] {
        let message = answer(annotations).status.unwrap().message.unwrap();
        assert!(page.contains(&format!(" denied the request: {message}\n")), "{message}");
    }
    let warned = answer(json!({"config.xposer.stakater.com/TSL": "true"})).warnings.unwrap();
    assert!(page.contains(&format!("\nWarning: {}\n", warned.join("\n"))), "{warned:?}");
    let stamped = answer(json!({url: "{{.Service}}.{{.Domain}}"})).operations();
    assert!(stamped.iter().any(|operation| operation["value"] == "http://web.example.com"));
    assert!(page.contains("\nhttp://web.example.com\n"));
}
