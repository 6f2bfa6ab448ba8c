//! The forms in which findings are written for other programs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use std::path::Path;

use common::{exposed, folder, golden, xposer, xposer_in};
use serde_json::{Value, json};

/// The files of `tests/bad`.
fn bad() -> Vec<String> {
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| !name.ends_with(".txt") && !name.ends_with(".settings.yaml")).collect();
    names.sort();
    names
}

fn checked(name: &str, format: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let settings = format!("{}.settings.yaml", name.rsplit_once('.').unwrap().0);
    let mut arguments = vec!["check", "--diagnostics", format, name];
    if folder.join(&settings).exists() {
        arguments.extend(["--settings", &settings]);
    }
    xposer_in(&folder, &arguments, "").stderr
}

/// Every form has the same findings, at the same places.
#[test]
fn every_form_has_the_same_findings() {
    for name in bad() {
        let json: Vec<Value> = serde_json::from_str(&checked(&name, "json")).unwrap();
        let sarif: Value = serde_json::from_str(&checked(&name, "sarif")).unwrap();
        let run = &sarif["runs"][0];
        let results = run["results"].as_array().unwrap();
        let github = checked(&name, "github");
        let commands: Vec<&str> = github.lines().filter(|line| line.starts_with("::")).collect();
        assert_eq!((results.len(), commands.len()), (json.len(), json.len()), "{name}");
        for ((finding, result), command) in json.iter().zip(results).zip(commands) {
            let (level, word) = match finding["severity"].as_str().unwrap() {
                "error" => ("error", "error"),
                "warning" => ("warning", "warning"),
                _ => ("note", "notice"),
            };
            assert_eq!(result["level"], level);
            assert!(command.starts_with(&format!("::{word} ")), "{command}");
            let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
            assert_eq!(result["ruleId"], *finding.get("code").unwrap_or(&json!("input")));
            let message = finding["message"].as_str().unwrap();
            assert!(result["message"]["text"].as_str().unwrap().starts_with(message), "{result}");
            let region = &result["locations"][0]["physicalLocation"]["region"];
            assert_eq!(region["startLine"], finding["line"], "{name}: {result}");
            assert_eq!(region["startColumn"], finding["column"]);
            if let Some(line) = finding["line"].as_u64() {
                assert!(command.contains(&format!("line={line},col={}", finding["column"])), "{command}");
            }
        }
    }
}

/// Without findings, a log is there and empty: code scanning closes what was reported before.
#[test]
fn log_without_findings_is_complete() {
    let service = exposed("web", "web.example.com");
    let log: Value =
        serde_json::from_str(&xposer(&["check", "--diagnostics", "sarif"], &service).expect(0).stderr)
            .unwrap();
    assert_eq!(log["runs"][0]["results"], json!([]));
    let message = xposer(&["check", "--diagnostics", "github"], &service).expect(0).stderr;
    assert_eq!(message, "1 service: 1 exposed\n");
}

/// What a user wrote cannot end a command, begin another one, or add a property.
#[test]
fn a_value_cannot_be_a_command() {
    let folder = folder("commands");
    let name = "a,b:c%.yaml";
    let host = "\"x\\n::error file=other.yaml::gone\\r,title=y%0A.example.com\"";
    let text = exposed("web", "HOST").replace("\"HOST\"", host);
    std::fs::write(folder.join(name), text).unwrap();
    let message = xposer_in(&folder, &["check", "--diagnostics", "github", name], "").expect(1).stderr;
    let commands: Vec<&str> = message.lines().collect();
    assert!(commands.len() > 1, "{message}");
    assert!(!message.contains('\r'), "{message}");
    let (last, commands) = commands.split_last().unwrap();
    assert_eq!(*last, "1 service: 0 exposed, 1 refused");
    for command in commands {
        assert!(
            command.starts_with("::error file=a%2Cb%3Ac%25.yaml,line=")
                || command.starts_with("::warning file=a%2Cb%3Ac%25.yaml,line="),
            "{command}"
        );
    }
}

/// The whole log of one file, read before it was blessed.
#[test]
fn a_log() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples/everything.sarif");
    golden(&file, &checked("everything-at-once.yaml", "sarif"));
}
