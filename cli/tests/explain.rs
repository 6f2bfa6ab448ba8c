//! `explain`, the help and the completions cover everything there is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::xposer;
use xposer::template::{Template, Var, Vars, functions};
use xposer::{Code, keys, settings};

fn explained(word: &str) -> String {
    let ran = xposer(&["explain", word], "").expect(0);
    assert_eq!(ran.stderr, "");
    ran.stdout
}

#[test]
fn every_annotation() {
    for key in keys() {
        let text = explained(key.annotation);
        assert_eq!(text, explained(key.name()));
        for part in [key.annotation, key.doc, key.example, &key.form.describe()] {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
        assert!(key.setting.is_none_or(|setting| text.contains(setting)), "{text}");
    }
}

#[test]
fn every_setting() {
    for row in settings() {
        let text = explained(row.name);
        for part in [row.name, row.doc, row.default, row.example, &row.form.describe()] {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
    }
}

#[test]
fn every_code() {
    for code in Code::ALL {
        let text = explained(code.slug());
        assert!(text.starts_with(&format!("{}[{code}]", code.severity())), "{text}");
        assert_eq!(text.contains("error under the setting strict"), code.is_error_when_strict());
        for part in [code.summary(), code.why(), code.fix()] {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
    }
}

#[test]
fn the_templates() {
    let text = explained("templates");
    for function in functions::all() {
        for part in function.names().chain([function.doc, function.example, function.result]) {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
    }
    for var in Var::ALL {
        assert!(text.contains(&format!("  {{{{.{}}}}}: ", var.name())), "{text}");
    }
    // An example that cannot be rendered would show an empty result.
    let vars = Vars { service: "web", namespace: Some("shop"), domain: Some("example.com") };
    let examples: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once("  gives  ")).collect();
    assert!(examples.len() >= functions::all().len() + 10);
    for (example, result) in examples {
        let rendered = Template::parse(example.trim()).unwrap().render(&vars).unwrap();
        assert_eq!(rendered, result, "{example}");
        assert!(!rendered.is_empty(), "{example}");
    }
}

#[test]
fn the_overview_lists_everything() {
    let text = xposer(&["explain"], "").expect(0).stdout;
    let words = keys().iter().flat_map(|key| [key.annotation, key.doc]);
    let words = words.chain(settings().iter().flat_map(|row| [row.name, row.doc]));
    let words = words.chain(Code::ALL.iter().flat_map(|code| [code.slug(), code.summary()]));
    for word in words.chain(["templates"]) {
        assert!(text.contains(&format!("  {word}")) || text.contains(&format!(": {word}\n")), "{word}");
    }
}

#[test]
fn unknown_words() {
    let said = |word: &str| {
        let ran = xposer(&["explain", word], "").expect(2);
        assert_eq!(ran.stdout, "");
        ran.stderr
    };
    let expected = "\
error: there is nothing to explain about \"host-upercase\"
 |
 = help: did you mean host-uppercase?

";
    assert_eq!(said("host-upercase"), expected);
    for (word, meant) in [
        ("IngresNameTemplate", "IngressNameTemplate"),
        ("ingressUrlTemplat", "ingressURLTemplate"),
        ("tempaltes", "templates"),
        ("config.xposer.stakater.com/Domian", "config.xposer.stakater.com/Domain"),
    ] {
        let text = said(word).to_lowercase();
        assert!(text.contains(&format!("did you mean {}?", meant.to_lowercase())), "{text}");
    }
    assert!(said("quux").contains("help: list all words with `xposer explain`"));
}

#[test]
fn completions_of_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = xposer(&["completions", shell], "").expect(0);
        assert_eq!(ran.stderr, "");
        for word in ["render", "check", "explain", "krm", "completions", "settings", "namespace"] {
            assert!(ran.stdout.contains(word), "{word} is missing for {shell}");
        }
    }
}

#[test]
fn the_help_teaches() {
    for arguments in [["--help"].as_slice(), &["render", "--help"], &["check", "--help"], &["krm", "--help"]]
    {
        let ran = xposer(arguments, "").expect(0);
        assert_eq!(ran.stderr, "");
        assert!(ran.stdout.contains("Exit codes:\n  0  nothing was refused"), "{}", ran.stdout);
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
    }
    let ran = xposer(&["--version"], "").expect(0);
    assert_eq!(ran.stdout, format!("xposer {}\n", env!("CARGO_PKG_VERSION")));
}
