//! Every ignored test names the command that runs it, and that command does run it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a file that cannot be read has failed the test")]

use std::fs;

use xposer_testkit::source::rust_files;
use xposer_testkit::workspace;

#[test]
fn every_test_that_is_ignored_is_run_by_the_command_that_it_names() {
    let program = fs::read_to_string(workspace().join("testkit/run-ignored")).unwrap();
    let filters: Vec<&str> =
        program.lines().filter_map(|line| line.strip_prefix("needs ")?.split(' ').next()).collect();
    let mut all = Vec::new();
    for folder in [
        "tests",
        "src",
        "manifest",
        "import",
        "report",
        "cli",
        "admission",
        "webhook",
        "policy",
        "live",
        "controller",
        "kubectl",
        "chain",
        "testkit",
    ] {
        all.extend(rust_files(&workspace().join(folder)).unwrap());
    }
    // The other commands, and the folders of their tests.
    let mut others = [
        ("make e2e-cluster", "controller/tests/e2e", 0),
        ("make e2e-cluster", "kubectl/tests/e2e", 0),
        ("make verify-objects", "controller/tests/e2e", 0),
        ("make soak", "controller/tests/e2e", 0),
        ("make e2e-chain", "chain/tests", 0),
    ];
    let mut by_test = 0;
    let attribute = concat!("#[", "ignore");
    for file in all {
        let text = fs::read_to_string(&file).unwrap();
        let target = file.file_stem().unwrap().to_str().unwrap();
        let mut module = "";
        for line in text.lines() {
            if let Some(name) = line.trim_start().strip_prefix("mod ").and_then(|it| it.strip_suffix(" {")) {
                module = name;
            }
            if !line.trim_start().starts_with(attribute) {
                continue;
            }
            let place = format!("{}: {line} in {module}", file.display());
            if line.ends_with(": make test\"]") {
                by_test += 1;
                assert!(filters.iter().any(|filter| module.ends_with(filter)), "{place}");
                assert!(program.contains(&format!("--test {target} ")), "{place}");
            } else {
                let is_named = |(command, folder, _): &&mut (&str, &str, i32)| {
                    line.ends_with(&format!(": {command}\"]")) && file.starts_with(workspace().join(*folder))
                };
                let (.., count) = others.iter_mut().find(is_named).unwrap_or_else(|| panic!("{place}"));
                *count += 1;
                // `make verify-objects` selects its tests by these modules, and `make e2e-cluster` skips the modules.
                let is_verified = ["accepted_objects", "option_annotations"].contains(&target);
                assert_eq!(line.contains("make verify-objects"), is_verified, "{place}");
            }
        }
    }
    let [(.., by_cluster), (.., by_plugin), (.., by_verification), (.., by_soak), (.., by_chain)] = others;
    assert!(
        by_test > 10
            && by_cluster > 60
            && by_plugin > 8
            && by_verification > 2
            && by_soak > 0
            && by_chain > 15,
        "{by_test} {others:?}"
    );
}
