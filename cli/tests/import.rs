//! What `import` and `init` make of Ingresses, and what they say, letter by letter.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail, and measurements are for people"
)]

mod common;

use std::path::{Path, PathBuf};

use common::{folder, golden, run, xposer_in};
use serde_json::{Value, json};
use xposer_cli::Terminal;

fn inputs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import")
}

/// Every file in `tests/import` is imported, with the settings beside it if there are any.
#[test]
fn every_file_is_imported_as_it_is_shown() {
    let folder = inputs();
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml") && !name.ends_with(".settings.yaml"))
        .collect();
    names.sort();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        let slug = name.strip_suffix(".yaml").unwrap();
        let settings = format!("{slug}.settings.yaml");
        let mut arguments = vec!["import"];
        if folder.join(&settings).exists() {
            arguments.extend(["--settings", &settings]);
        }
        arguments.push(&name);
        let ran = xposer_in(&folder, &arguments, "");
        let shown = format!("{}\n{}\nexit {}\n", ran.stdout, ran.stderr.trim_end(), ran.code);
        golden(&folder.join(format!("{slug}.txt")), &shown);
        let mut arguments = vec!["init", &name];
        if slug == "services-alone" {
            arguments.extend(["--domain", "example.com"]);
        }
        let ran = xposer_in(&folder, &arguments, "");
        let shown = format!("{}\n{}\nexit {}\n", ran.stdout, ran.stderr.trim_end(), ran.code);
        golden(&folder.join(format!("{slug}.init.txt")), &shown);
    }
}
