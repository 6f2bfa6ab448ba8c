//! The reference pages match the tables of the core.

use xposer_testkit::{cases, golden, reference, workspace};

/// The pages that other tests write and compare: those of the chain and of the report.
const OF_OTHERS: [&str; 2] = ["conformance.md", "report.schema.json"];

#[test]
fn the_reference_pages_are_fresh() {
    let cases = cases::all().unwrap_or_else(|error| panic!("{error:#}"));
    let pages = reference::pages(&cases).unwrap_or_else(|error| panic!("{error:#}"));
    let folder = workspace().join("docs/reference");
    let mut wrong: Vec<String> =
        pages.iter().filter_map(|page| golden::compare(&folder.join(page.file), &page.text).err()).collect();
    for entry in folder.read_dir().into_iter().flatten() {
        let name = entry.unwrap().file_name();
        if OF_OTHERS.iter().all(|other| name != *other) && !pages.iter().any(|page| name == page.file) {
            wrong.push(format!("docs/reference/{} is made from no table", name.display()));
        }
    }
    assert!(wrong.is_empty(), "run `make docs`\n{}", wrong.join("\n"));
}
