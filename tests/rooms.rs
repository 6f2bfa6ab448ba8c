//! Data flows one way: a room imports only the rooms before it. And the words of a program stand in one room.
//!
//! The first test reads the `crate::` paths of every file against the table of `docs/architecture.md`, so that a shortcut
//! between two rooms fails here before it becomes a habit.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its input has failed"
)]

use std::collections::BTreeSet;
use std::path::Path;

use xposer_testkit::rust_files;

/// Each room and the rooms it may import.
///
/// The room `dialect` is two: the words of the programs, which everything may look up, and their rules, which look at a plan.
const ROOMS: &[(&str, &[&str])] = &[
    ("diagnostics", &[]),
    ("validation", &["diagnostics"]),
    ("template", &["diagnostics"]),
    ("values", &["diagnostics", "validation"]),
    ("dialect", &["diagnostics", "validation", "values"]),
    ("service", &["diagnostics", "validation", "values", "dialect"]),
    ("plan", &["diagnostics", "validation", "values", "dialect", "service"]),
    ("options", &["diagnostics", "validation", "template", "values", "dialect", "service", "plan"]),
    ("context", &["diagnostics", "validation", "values", "dialect", "service", "options", "plan"]),
    ("rules", &["diagnostics", "validation", "values", "dialect", "options", "plan", "context"]),
    (
        "resolve",
        &[
            "diagnostics",
            "validation",
            "template",
            "values",
            "dialect",
            "service",
            "options",
            "plan",
            "rules",
        ],
    ),
    (
        "check",
        &[
            "diagnostics",
            "validation",
            "values",
            "dialect",
            "service",
            "options",
            "plan",
            "context",
            "rules",
            "resolve",
        ],
    ),
    ("conflicts", &["diagnostics", "validation", "values", "dialect", "service", "options", "plan", "rules"]),
    (
        "emit",
        &["diagnostics", "validation", "values", "dialect", "service", "options", "plan", "resolve", "check"],
    ),
    (
        "trial",
        &[
            "diagnostics",
            "validation",
            "template",
            "values",
            "dialect",
            "service",
            "options",
            "resolve",
            "check",
        ],
    ),
];

/// The room of a module of the core, of which `path` has the names of the modules below the crate.
fn room(path: &[&str]) -> String {
    match path {
        ["dialect", rest @ ..] if rest.contains(&"rules") || rest.starts_with(&["nginx", "paths"]) => "rules",
        ["plan", "context", ..] => "context",
        [first, ..] => first,
        [] => "",
    }
    .to_owned()
}

/// The files below a folder of the repository, each with its path in the repository and its lines of code: without comments,
/// and without unit tests, which stand at the end of a file, in a file `tests.rs` or in a folder `tests`.
fn code(folder: &str) -> Vec<(String, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = rust_files(&root.join(folder)).unwrap();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let is_test = |file: &Path| file.iter().any(|part| part == "tests" || part == "tests.rs");
    let mut read: Vec<_> = files
        .iter()
        .filter(|file| !is_test(file.strip_prefix(root).unwrap()))
        .map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
            let name = file.strip_prefix(root).unwrap().to_str().unwrap();
            (name.to_owned(), code.lines().filter(is_code).map(str::to_owned).collect())
        })
        .collect();
    read.sort();
    read
}

#[test]
fn every_room_imports_only_the_rooms_before_it() {
    let mut rooms = BTreeSet::new();
    let mut wrong = Vec::new();
    for (file, lines) in code("src") {
        let inside = file.strip_prefix("src/").unwrap().trim_end_matches(".rs");
        let own = room(&inside.split('/').collect::<Vec<_>>());
        if matches!(own.as_str(), "lib" | "testing") {
            continue;
        }
        rooms.insert(own.clone());
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == own) else {
            wrong.push(format!("{file} belongs to no room"));
            continue;
        };
        for line in lines {
            for after in line.split("crate::").skip(1) {
                let is_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
                let path = after.split(|c| !is_of_path(c)).next().unwrap();
                let other = room(&path.split("::").collect::<Vec<_>>());
                if other != own && !allowed.contains(&other.as_str()) {
                    wrong.push(format!("{file}: {own} may not import {other}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rooms.len(), ROOMS.len(), "a room of the table has no file: {rooms:?}");
}

/// The files that have words of programs although they are no dialect, and why.
const WITH_WORDS: &[(&str, &str)] = &[
    ("src/diagnostics/codes.rs", "the sentences about codes are printed as they are"),
    ("src/options/table.rs", "the examples and defaults of settings are printed as they are"),
];

/// The prefixes of the keys of programs: every text in the room of the dialects that is a domain and a slash.
fn prefixes() -> BTreeSet<String> {
    let is_prefix = |text: &&str| {
        let domain = text.strip_suffix('/').unwrap_or_default();
        domain.contains('.') && domain.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
    };
    let lines = code("src/dialect").into_iter().flat_map(|(_, lines)| lines);
    lines.flat_map(|line| line.split('"').filter(is_prefix).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_words_of_programs_stand_in_their_dialects() {
    let prefixes = prefixes();
    assert!(prefixes.len() > 20 && prefixes.contains("nginx.ingress.kubernetes.io/"), "{prefixes:?}");
    let mut wrong = Vec::new();
    let mut with_words = BTreeSet::new();
    for folder in ["src", "manifest/src", "cli/src", "controller/src", "policy/src"] {
        for (file, lines) in code(folder).into_iter().filter(|(file, _)| !file.starts_with("src/dialect/")) {
            for line in lines {
                // A prefix at the end of another domain is another one.
                let is_of_domain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
                let is_named = |prefix: &String| {
                    let parts = line.split(prefix.as_str()).collect::<Vec<_>>();
                    parts.split_last().unwrap().1.iter().any(|before| !before.ends_with(is_of_domain))
                };
                if !prefixes.iter().any(is_named) {
                    continue;
                }
                match WITH_WORDS.iter().find(|(known, _)| *known == file) {
                    Some((known, _)) => {
                        with_words.insert(*known);
                    }
                    None => wrong.push(format!("{file}: {}", line.trim())),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(with_words.len(), WITH_WORDS.len(), "an exception without need: {with_words:?}");
}

#[test]
fn the_core_touches_no_outside_world() {
    for (file, lines) in code("src") {
        for word in [
            "std::fs",
            "std::env",
            "std::time",
            "std::io",
            "std::process",
            "std::thread",
            "println!",
            "rand::",
        ] {
            assert_eq!(lines.iter().find(|line| line.contains(word)), None, "{file}");
        }
    }
}
