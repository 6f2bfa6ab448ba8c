//! Data flows one way: a room imports only the rooms before it.
//!
//! The table is that of `docs/architecture.md`. The test reads the `crate::` paths of every file, so that a shortcut
//! between two rooms fails here before it becomes a habit.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its input has failed"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("diagnostics", &[]),
    ("validation", &["diagnostics"]),
    ("template", &["diagnostics"]),
    ("service", &["diagnostics", "validation"]),
    ("options", &["diagnostics", "validation", "template", "service", "dialect"]),
    ("dialect", &["diagnostics", "validation", "service", "options", "resolve", "check"]),
    ("resolve", &["diagnostics", "validation", "template", "service", "options", "dialect"]),
    ("check", &["diagnostics", "validation", "service", "options", "dialect", "resolve"]),
    ("testing", &["service"]),
    ("trial", &["diagnostics", "validation", "template", "service", "options", "resolve", "check"]),
    ("plan", &["diagnostics", "validation", "service", "options", "dialect", "resolve", "check"]),
    ("emit", &["diagnostics", "validation", "service", "options", "dialect", "resolve", "check", "plan"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The room of a file: its folder below `src`, or its own name.
fn room(file: &Path, source: &Path) -> String {
    let inside = file.strip_prefix(source).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn every_room_imports_only_the_rooms_before_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    let mut rooms = BTreeSet::new();
    let mut wrong = Vec::new();
    for file in files {
        let own = room(&file, &source);
        if own == "lib" {
            continue;
        }
        rooms.insert(own.clone());
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == own) else {
            wrong.push(format!("{} belongs to no room", file.display()));
            continue;
        };
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            for (_, rest) in line.match_indices("crate::").map(|(at, found)| line.split_at(at + found.len()))
            {
                let other: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                // Doc links to the functions of the crate root are no imports.
                let is_doc = line.trim_start().starts_with("//");
                if !is_doc && other != own && !allowed.contains(&other.as_str()) {
                    wrong.push(format!("{}: {own} may not import {other}: {}", file.display(), line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rooms.len(), ROOMS.len(), "a room of the table has no file: {rooms:?}");
}

#[test]
fn the_core_touches_no_outside_world() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in
            ["std::fs", "std::env", "std::time", "std::io", "std::process", "std::thread", "println!", "rand"]
        {
            let found = text.lines().find(|line| !line.trim_start().starts_with("//") && line.contains(word));
            assert_eq!(
                found.filter(|line| word != "rand" || line.contains("rand::")),
                None,
                "{}",
                file.display()
            );
        }
    }
}
