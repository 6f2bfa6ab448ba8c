//! Data flows one way: a module of `src` imports only the modules that stand before it in the table.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its input has failed"
)]

use std::collections::{BTreeMap, BTreeSet};

use xposer_testkit::source::{code, imports};
use xposer_testkit::workspace;

/// Each module and the modules that it may import, beside those of `xposer-live`, which has a table of its own. A module may import only those above it, so there is no circle.
const MODULES: &[(&str, &[&str])] = &[
    // What comes from outside.
    ("backoff", &[]),
    ("metrics", &[]),
    ("lease", &["metrics"]),
    ("settings", &[]),
    ("watch", &["backoff"]),
    // Decisions, without the API server.
    ("notice", &["watch"]),
    ("missing", &["notice", "watch"]),
    ("handover", &["notice"]),
    ("actions", &["lease", "metrics"]),
    ("urls", &["actions"]),
    ("state", &["handover", "urls", "watch"]),
    ("reconcile", &["actions", "handover", "notice", "state", "watch"]),
    ("queue", &["backoff"]),
    ("claim_shards", &["backoff", "state"]),
    // What goes outside.
    ("claims_writer", &["lease", "metrics", "claim_shards", "state"]),
    ("args", &["handover"]),
    ("log", &["args"]),
    ("diff", &["actions"]),
    ("events", &["metrics", "notice"]),
    ("serve", &["metrics"]),
    ("report", &["serve", "state"]),
    ("webhook", &["args", "metrics", "serve"]),
    // The loop around all of them.
    (
        "controller",
        &[
            "actions",
            "args",
            "backoff",
            "claims_writer",
            "diff",
            "events",
            "lease",
            "metrics",
            "missing",
            "notice",
            "queue",
            "reconcile",
            "report",
            "serve",
            "settings",
            "claim_shards",
            "state",
            "watch",
        ],
    ),
];

/// Modules that neither wait nor touch anything outside of the program.
const PURE: &[&str] =
    &["handover", "missing", "notice", "queue", "reconcile", "claim_shards", "state", "urls"];

/// The module of the table to which a file or a module belongs: that of its first name.
fn module(path: &str) -> &str {
    path.split(['/', ':']).next().unwrap().trim_end_matches(".rs")
}

/// The modules of the program, each with the others that it imports. `main.rs` is no module of the table.
fn modules() -> BTreeMap<String, BTreeSet<String>> {
    let mut modules = BTreeMap::<String, BTreeSet<String>>::new();
    for (inner, imported) in imports(&workspace().join("controller/src")).unwrap() {
        let imported = imported.iter().map(|other| module(other).to_owned());
        modules.entry(module(&inner).to_owned()).or_default().extend(imported);
    }
    modules.remove("crate");
    modules
}

#[test]
fn every_module_imports_only_the_modules_of_its_row() {
    let mut wrong = Vec::new();
    for (module, names) in modules() {
        let Some((_, allowed)) = MODULES.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{module} is not in the table"));
            continue;
        };
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
    for (file, code) in code(&workspace().join("controller/src")).unwrap() {
        for word in ["async ", "Client", "std::fs", "std::env", "spawn(", "tracing::"] {
            assert!(!PURE.contains(&module(&file)) || !code.contains(word), "{word} in {file}");
        }
    }
}
