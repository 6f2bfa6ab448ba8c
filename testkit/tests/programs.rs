//! Every case folder gives the same objects, byte for byte, and the same diagnostics in every program.

#![allow(clippy::panic, clippy::expect_used, reason = "the helpers of a test fail it like the test itself")]

use std::path::Path;

use serde_json::{Value, json};
use xposer_cli::{Console, Terminal};
use xposer_manifest::{load, to_yaml};
use xposer_testkit::cases::{self, Case, OBJECTS};

/// The output of the command line, and its exit status.
struct Written {
    status: u8,
    out: String,
    err: String,
}

/// Runs the command line in this process.
fn xposer(command: &str, case: &Case, more: &[&str]) -> Written {
    let path = |name: &str| case.folder.join(name).display().to_string();
    let mut arguments = vec!["xposer".to_owned(), command.to_owned()];
    if case.settings.is_some() {
        arguments.extend(["--settings".to_owned(), path("settings.yaml")]);
    }
    arguments.extend(more.iter().map(|&more| more.to_owned()));
    arguments.push(path("service.yaml"));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let console = Console {
        stdin: &mut std::io::empty(),
        stdout: &mut out,
        stderr: &mut err,
        terminal: Terminal::default(),
    };
    let status = xposer_cli::run(arguments, console);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes text");
    Written { status, out: text(out), err: text(err) }
}

fn all() -> Vec<Case> {
    cases::all().unwrap_or_else(|error| panic!("{error:#}"))
}

/// Returns the exit status for the outcome of a case.
fn status(run: &cases::Run) -> u8 {
    match (run.unusable, run.refused) {
        (true, _) => 2,
        (false, refused) => u8::from(refused),
    }
}

fn golden(case: &Case) -> String {
    let path: &Path = &case.folder.join(OBJECTS);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_command_line_prints_the_objects_of_every_case() {
    for case in all() {
        let written = xposer("render", &case, &[]);
        assert_eq!(written.out, golden(&case), "{}", case.slug);
        assert_eq!(written.status, status(&case.run()), "{}: {}", case.slug, written.err);
    }
}

#[test]
fn the_command_line_prints_the_same_objects_as_json() {
    for case in all() {
        let written = xposer("render", &case, &["-o", "json"]);
        let expected: Vec<Value> =
            load(&golden(&case)).unwrap().into_iter().map(|document| document.value).collect();
        if written.status == 2 {
            assert_eq!((written.out.as_str(), expected.len()), ("", 0), "{}", case.slug);
            continue;
        }
        let list: Value = serde_json::from_str(&written.out).unwrap();
        assert_eq!(list["kind"], "List", "{}", case.slug);
        assert_eq!(list["items"], Value::from(expected), "{}", case.slug);
    }
}

#[test]
fn command_line_prints_the_diagnostics_of_the_core() {
    for case in all() {
        let run = case.run();
        let expected: Vec<Value> = run
            .by_service()
            .into_iter()
            .map(|diagnostic| serde_json::to_value(diagnostic).unwrap())
            .collect();
        for command in ["render", "check"] {
            let written = xposer(command, &case, &["--diagnostics", "json"]);
            assert_eq!(written.status, status(&run), "{}: {}", case.slug, written.err);
            let mut found: Vec<Value> = serde_json::from_str(&written.err).unwrap();
            for diagnostic in &mut found {
                let fields = diagnostic.as_object_mut().unwrap();
                // The command line adds only the place in a file.
                let (file, line) = (fields.remove("file"), fields.remove("line"));
                assert!(
                    file.is_some() && line.is_some_and(|line| line.is_u64()),
                    "{}: {fields:?}",
                    case.slug
                );
                assert!(fields.remove("column").is_some_and(|column| column.is_u64()), "{}", case.slug);
            }
            assert_eq!(found, expected, "{}", case.slug);
        }
    }
}

/// Returns the result of the KRM function for some items: its exit status, and the returned list.
fn krm(items: &Value, config: &Value) -> (u8, Value) {
    let list = json!({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items,
        "functionConfig": config});
    let list = list.to_string();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let console = Console {
        stdin: &mut list.as_bytes(),
        stdout: &mut out,
        stderr: &mut err,
        terminal: Terminal::default(),
    };
    let status = xposer_cli::run(["xposer", "krm"], console);
    let text = String::from_utf8(out).expect("the program writes text");
    (status, load(&text).unwrap_or_default().pop().expect("a list comes back").value)
}

/// Returns the settings of a case as the spec of a config, and as the data of a ConfigMap, whose values are texts.
fn configs(case: &Case) -> [Value; 2] {
    let settings = case.settings.clone().unwrap_or(json!({}));
    let text = |value: &Value| match value {
        Value::Null | Value::String(_) => value.clone(),
        other => to_yaml(other).into(),
    };
    let data: Value = match settings.as_object() {
        Some(entries) => entries.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        None => json!({"settings.yaml": to_yaml(&settings)}),
    };
    [
        json!({"apiVersion": "xposer.example/v1", "kind": "Xposer", "spec": settings}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "xposer"}, "data": data}),
    ]
}

#[test]
fn the_krm_function_adds_the_objects_of_every_case_and_a_second_run_changes_nothing() {
    for case in all() {
        let run = case.run();
        let given = Value::from(case.documents.clone());
        let is_wrong = run.unusable || run.refused;
        let added = if is_wrong { String::new() } else { golden(&case) };
        let added = load(&added).unwrap().into_iter().map(|document| document.value);
        let expected: Value = case.documents.iter().cloned().chain(added).collect();
        // Some of the refused settings are valid as texts.
        for config in configs(&case).into_iter().take(if run.unusable { 1 } else { 2 }) {
            let (status, first) = krm(&given, &config);
            assert_eq!(status, u8::from(is_wrong), "{}: {}", case.slug, first["results"]);
            assert_eq!(first["items"], expected, "{}", case.slug);
            let message = |list: &Value| {
                let results = list["results"].as_array().cloned().unwrap_or_default();
                results.into_iter().map(|result| result["tags"]["code"].clone()).collect::<Vec<_>>()
            };
            let codes: Vec<_> =
                run.findings.iter().map(|found| Value::from(found.diagnostic.code.slug())).collect();
            assert_eq!(message(&first), codes, "{}", case.slug);
            if config["kind"] != "ConfigMap" {
                let (status, second) = krm(&first["items"], &config);
                assert_eq!(status, u8::from(is_wrong), "{}: {}", case.slug, second["results"]);
                assert_eq!(second, first, "{}", case.slug);
            }
        }
    }
}

#[test]
fn a_check_prints_no_objects() {
    for case in all() {
        assert_eq!(xposer("check", &case, &[]).out, "", "{}", case.slug);
    }
}
