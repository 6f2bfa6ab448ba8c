//! Data flows one way: a module imports only the modules that stand before it in the table, and none of them sends a request.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its input has failed"
)]

use std::collections::{BTreeMap, BTreeSet};

use xposer_testkit::source::{code, imports};
use xposer_testkit::workspace;

/// Each module and the modules that it imports.
const MODULES: &[(&str, &[&str])] = &[
    ("digest", &[]),
    ("document", &[]),
    ("error", &[]),
    ("kinds", &[]),
    ("keys", &["kinds"]),
    ("difference", &["keys"]),
    ("service", &["document", "keys"]),
    ("object", &["digest", "document", "keys"]),
    ("servers", &["digest", "document"]),
    ("plan", &["digest", "keys", "kinds", "object", "servers", "service"]),
];

/// The module of the table to which a file or a module belongs: that of its first name.
fn module(path: &str) -> &str {
    path.split(['/', ':']).next().unwrap().trim_end_matches(".rs")
}

#[test]
fn every_module_imports_what_its_row_says_and_only_modules_before_it() {
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for (inner, imported) in imports(&workspace().join("live/src")).unwrap() {
        let of = module(&inner).to_owned();
        let others = imported.iter().map(|other| module(other).to_owned()).filter(|other| *other != of);
        found.entry(of.clone()).or_default().extend(others);
    }
    found.retain(|name, _| name != "crate");
    let row = |(name, imported): &(&str, &[&str])| {
        ((*name).to_owned(), imported.iter().map(|other| (*other).to_owned()).collect())
    };
    assert_eq!(found, MODULES.iter().map(row).collect());
    for (place, (name, imported)) in MODULES.iter().enumerate() {
        let before: Vec<&str> = MODULES[..place].iter().map(|(name, _)| *name).collect();
        assert!(imported.iter().all(|other| before.contains(other)), "{name}");
    }
}

#[test]
fn nothing_waits_or_touches_anything_outside_of_the_program() {
    for (file, code) in code(&workspace().join("live/src")).unwrap() {
        for word in ["async ", "Client", "std::fs", "std::env", "spawn(", "tracing::"] {
            assert!(!code.contains(word), "{word} in {file}");
        }
    }
}
