//! Every case folder through the core: the same objects and the same report as in its files.

use xposer_testkit::cases::{OBJECTS, REPORT, all};
use xposer_testkit::golden::compare;

#[test]
fn every_case_gives_its_objects_and_its_report() {
    let cases = all().unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut wrong = Vec::new();
    for case in &cases {
        let run = case.run();
        wrong.extend(compare(&case.folder.join(OBJECTS), &run.objects).err());
        wrong.extend(compare(&case.folder.join(REPORT), &run.report()).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
