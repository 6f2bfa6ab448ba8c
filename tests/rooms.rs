//! Dependencies go in one direction: a module of the core ("room") imports only the modules before it, and the modules of other
//! crates have no circular imports. Only the dialects contain the annotations of programs. No file is long, except for tables.
//!
//! `docs/architecture.md` has the rooms in the same order. `controller/tests/rooms.rs` has the table of the controller.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its input has failed"
)]

use std::collections::BTreeSet;

use xposer_testkit::source::{code, cycles, imports, rust_files};
use xposer_testkit::workspace;

/// Each room of the core, and the rooms that it may import.
///
/// The folder `dialect` contains three rooms: `dialect`, the tables of annotations; `write`, the meaning of annotations and what
/// each program can express (`read`, `support`, `write`); and `rules`, the rules of the programs.
const ROOMS: &[(&str, &[&str])] = &[
    ("diagnostics", &[]),
    ("validation", &["diagnostics"]),
    ("template", &["diagnostics"]),
    ("values", &["diagnostics", "validation"]),
    ("intents", &["diagnostics", "validation", "values"]),
    ("dialect", &["diagnostics", "validation", "values", "intents"]),
    ("service", &["diagnostics", "validation", "values", "intents", "dialect"]),
    ("plan", &["diagnostics", "validation", "values", "intents", "dialect", "service"]),
    (
        "options",
        &["diagnostics", "validation", "template", "values", "intents", "dialect", "service", "plan"],
    ),
    ("write", &["diagnostics", "validation", "values", "intents", "dialect", "options", "plan"]),
    ("context", &["diagnostics", "validation", "values", "intents", "dialect", "service", "options", "plan"]),
    (
        "rules",
        &["diagnostics", "validation", "values", "intents", "dialect", "options", "plan", "context", "write"],
    ),
    (
        "resolve",
        &[
            "diagnostics",
            "validation",
            "template",
            "values",
            "intents",
            "dialect",
            "service",
            "options",
            "plan",
            "write",
        ],
    ),
    (
        "check",
        &[
            "diagnostics",
            "validation",
            "values",
            "intents",
            "dialect",
            "service",
            "options",
            "plan",
            "context",
            "write",
            "rules",
            "resolve",
        ],
    ),
    (
        "conflicts",
        &["diagnostics", "validation", "values", "intents", "dialect", "service", "options", "plan", "write"],
    ),
    ("guard", &["diagnostics", "validation", "values", "dialect", "options", "conflicts"]),
    (
        "emit",
        &[
            "diagnostics",
            "validation",
            "values",
            "intents",
            "dialect",
            "service",
            "options",
            "plan",
            "write",
            "resolve",
            "check",
        ],
    ),
    (
        "trial",
        &[
            "diagnostics",
            "validation",
            "template",
            "values",
            "intents",
            "dialect",
            "service",
            "options",
            "plan",
            "resolve",
            "check",
            "emit",
        ],
    ),
    (
        "explain",
        &[
            "diagnostics",
            "validation",
            "values",
            "intents",
            "dialect",
            "service",
            "options",
            "plan",
            "write",
            "resolve",
        ],
    ),
];

/// Returns the room of a module of the core.
fn room(module: &str) -> &str {
    match module.split("::").collect::<Vec<_>>().as_slice() {
        ["dialect", rest @ ..]
            if ["access", "dialects", "equivalents", "mappings", "protocol", "read", "support", "write"]
                .iter()
                .any(|name| rest.contains(name))
                || rest.starts_with(&["nginx", "paths"]) =>
        {
            "write"
        }
        ["dialect", rest @ ..] if rest.contains(&"rules") => "rules",
        ["plan", "context", ..] => "context",
        [first, ..] => first,
        [] => "",
    }
}

/// Returns the lines of code of each file below a folder of the repository.
fn lines(folder: &str) -> Vec<(String, Vec<String>)> {
    let files = code(&workspace().join(folder)).unwrap().into_iter();
    files
        .map(|(file, code)| (format!("{folder}/{file}"), code.lines().map(str::to_owned).collect()))
        .collect()
}

#[test]
fn every_room_imports_only_the_rooms_before_it() {
    let mut rooms = BTreeSet::new();
    let mut wrong = Vec::new();
    for (module, imported) in imports(&workspace().join("src")).unwrap() {
        let own = room(&module);
        if matches!(own, "crate" | "testing") {
            continue;
        }
        rooms.insert(own.to_owned());
        let Some(place) = ROOMS.iter().position(|(name, _)| *name == own) else {
            wrong.push(format!("{module} belongs to no room"));
            continue;
        };
        let allowed = ROOMS[place].1;
        for other in imported {
            let room = room(&other);
            if room != own && !allowed.contains(&room) {
                wrong.push(format!("{module}: {own} may not import {other}"));
            }
        }
        let is_before = |other: &&&str| ROOMS[..place].iter().any(|(name, _)| *name == **other);
        assert!(
            allowed.iter().all(|other| is_before(&other)),
            "{own} may import a room that is not before it"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rooms.len(), ROOMS.len(), "a room of the table has no file: {rooms:?}");
}

#[test]
fn the_page_about_the_architecture_has_the_rooms_in_the_same_order() {
    let page = std::fs::read_to_string(workspace().join("docs/architecture.md")).unwrap();
    let (_, table) = page.split_once("| room | owns |\n").unwrap();
    let mut names: Vec<String> = Vec::new();
    for row in table.lines().skip(1).take_while(|line| line.starts_with("| ")) {
        let modules = row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2);
        names.extend(modules.map(|module| room(&module.replace('/', "::")).to_owned()));
    }
    names.dedup();
    let rooms: Vec<&str> = ROOMS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, rooms);
}

#[test]
fn the_modules_of_crates_without_a_table_have_no_import_cycle() {
    for folder in [
        "manifest/src",
        "import/src",
        "report/src",
        "cli/src",
        "kubectl/src",
        "admission/src",
        "webhook/src",
        "policy/src",
        "testkit/src",
    ] {
        let imports = imports(&workspace().join(folder)).unwrap();
        assert!(imports.values().any(|imported| !imported.is_empty()), "{folder} has no imports");
        assert_eq!(cycles(imports), Vec::<String>::new(), "{folder}");
    }
}

/// The sources of the programs and libraries for users.
const SOURCES: [&str; 11] = [
    "src",
    "manifest/src",
    "import/src",
    "report/src",
    "cli/src",
    "live/src",
    "controller/src",
    "kubectl/src",
    "admission/src",
    "webhook/src",
    "policy/src",
];

/// The maximum number of lines of a file, with comments. Files of tests are not checked.
const MAX_LINES: usize = 500;

/// The files that may be longer, because they are a table.
const TABLES: [&str; 3] = ["src/diagnostics/codes.rs", "src/options/table.rs", "report/src/model.rs"];

#[test]
fn no_file_but_a_table_is_long() {
    let mut long = BTreeSet::new();
    for folder in SOURCES {
        for path in rust_files(&workspace().join(folder)).unwrap() {
            let file = path.strip_prefix(workspace()).unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            if text.lines().count() > MAX_LINES && !file.ends_with("tests.rs") && !file.contains("/tests/") {
                long.insert(file);
            }
        }
    }
    assert_eq!(long, TABLES.map(str::to_owned).into(), "split it where it does two things");
}

/// The files outside of the dialects that may contain annotations of programs, with the reason.
const WITH_WORDS: &[(&str, &str)] = &[
    ("src/diagnostics/codes.rs", "the sentences about codes are printed as they are"),
    ("src/options/table.rs", "the examples and defaults of settings are printed as they are"),
];

/// Returns the prefixes of the annotations of programs: every string in the room of the dialects that is a domain and a slash.
fn prefixes() -> BTreeSet<String> {
    let is_prefix = |text: &&str| {
        let domain = text.strip_suffix('/').unwrap_or_default();
        domain.contains('.') && domain.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
    };
    let lines = lines("src/dialect").into_iter().flat_map(|(_, lines)| lines);
    lines.flat_map(|line| line.split('"').filter(is_prefix).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_words_of_programs_stand_in_their_dialects() {
    let prefixes = prefixes();
    assert!(prefixes.len() > 20 && prefixes.contains("nginx.ingress.kubernetes.io/"), "{prefixes:?}");
    let mut wrong = Vec::new();
    let mut with_words = BTreeSet::new();
    for folder in SOURCES {
        for (file, lines) in lines(folder).into_iter().filter(|(file, _)| !file.starts_with("src/dialect/")) {
            for line in lines {
                // The version of the kind Route begins like its annotations.
                let line = line.replace("route.openshift.io/v1", "");
                // A match inside a longer domain is another prefix.
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
    for (file, lines) in lines("src") {
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
