//! Data flows one way: a module of `src` imports only the modules that stand before it in the table.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its input has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use xposer_testkit::rust_files;

/// Each module and the modules that it may import. A module may import only those above it, so there is no circle.
const MODULES: &[(&str, &[&str])] = &[
    // Data and tables.
    ("digest", &[]),
    ("document", &[]),
    ("error", &[]),
    ("kinds", &[]),
    ("keys", &["kinds"]),
    ("service", &["document", "keys"]),
    ("object", &["digest", "document", "keys"]),
    // What comes from outside.
    ("backoff", &[]),
    ("metrics", &[]),
    ("settings", &[]),
    ("watch", &["backoff", "document", "error", "kinds", "service"]),
    // Decisions, without the API server.
    ("plan", &["digest", "keys", "kinds", "object", "service"]),
    ("notice", &["keys", "kinds", "object", "watch"]),
    ("handover", &["digest", "keys", "kinds", "notice", "object", "plan"]),
    ("actions", &["document", "error", "keys", "kinds", "metrics", "object", "service"]),
    ("urls", &["actions", "digest", "document", "keys", "kinds", "object"]),
    ("state", &["document", "handover", "keys", "kinds", "object", "plan", "service", "urls", "watch"]),
    (
        "reconcile",
        &[
            "actions", "digest", "document", "handover", "keys", "kinds", "notice", "object", "plan",
            "state", "watch",
        ],
    ),
    ("queue", &["keys"]),
    // What goes outside.
    ("args", &["handover"]),
    ("diff", &["actions", "error", "keys", "kinds", "object"]),
    ("events", &["error", "metrics", "notice"]),
    ("lease", &["error", "metrics"]),
    ("serve", &["metrics"]),
    // The loop around all of them.
    (
        "controller",
        &[
            "actions",
            "args",
            "backoff",
            "diff",
            "events",
            "keys",
            "kinds",
            "lease",
            "metrics",
            "notice",
            "queue",
            "reconcile",
            "serve",
            "settings",
            "state",
            "watch",
        ],
    ),
];

/// Modules that neither wait nor touch anything outside of the program.
const PURE: &[&str] = &[
    "digest",
    "document",
    "handover",
    "keys",
    "notice",
    "object",
    "plan",
    "queue",
    "reconcile",
    "service",
    "state",
    "urls",
];

/// The lines of code of every module: of its file, or of all files in its folder. `main.rs` and the tests are no modules of
/// the table.
fn modules() -> BTreeMap<String, Vec<String>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = BTreeMap::<String, Vec<String>>::new();
    for file in rust_files(&source).unwrap() {
        let inside = file.strip_prefix(&source).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        if !matches!(module, "main" | "tests") {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned);
            modules.entry(module.to_owned()).or_default().extend(code);
        }
    }
    modules
}

/// The modules that a line names after `crate::`.
fn imported(line: &str) -> impl Iterator<Item = String> {
    line.split("crate::").skip(1).flat_map(|rest| {
        // `crate::{a::B, c}` names several.
        let inner = rest.strip_prefix('{').map_or(vec![rest], |list| list.split(',').collect());
        inner.into_iter().map(|path| {
            path.trim().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
        })
    })
}

#[test]
fn every_module_imports_only_the_modules_of_its_row() {
    let mut wrong = Vec::new();
    for (module, lines) in modules() {
        let Some((_, allowed)) = MODULES.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{module} is not in the table"));
            continue;
        };
        let names: BTreeSet<String> = lines.iter().flat_map(|line| imported(line)).collect();
        let others = names.iter().filter(|name| **name != module && !allowed.contains(&name.as_str()));
        wrong.extend(others.map(|other| format!("{module} may not import {other}")));
        let unused = allowed.iter().filter(|name| !names.contains(**name));
        wrong.extend(unused.map(|other| format!("{module} does not import {other}, which its row allows")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    for (place, (module, allowed)) in MODULES.iter().enumerate() {
        let before: Vec<&str> = MODULES[..place].iter().map(|(name, _)| *name).collect();
        for other in *allowed {
            assert!(before.contains(other), "{other} does not stand before {module}");
        }
    }
    let named: BTreeSet<String> = MODULES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named, modules().into_keys().collect());
}

#[test]
fn decisions_touch_nothing_outside_of_the_program() {
    let modules = modules();
    for module in PURE {
        for line in &modules[*module] {
            for word in ["async ", "Client", "std::fs", "std::env", "spawn(", "tracing::"] {
                assert!(!line.contains(word), "{module}: {word} in {line}");
            }
        }
    }
}
