//! Conformance: tests the behaviour of each program with our objects, and compares it with `docs/reference/conformance.md`.
//!
//! A row is a behaviour ([`behaviours`]), and a column is a program that reads our objects ([`columns`]). [`run`] exposes all
//! Services of a column at once and sends the requests; [`page`] reads and writes the page, which has the expected verdicts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test, and a table has what its rows and columns say"
)]

mod ask;
mod behaviours;
mod columns;
mod intents;
mod page;
mod run;

use std::fmt;
use std::time::Instant;

use xposer_chain::{Chain, say};

use behaviours::BEHAVIOURS;
use columns::{COLUMNS, Column};
use page::{Page, Tried};

/// The result of a program for a behaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// The program was missing.
    NotTried,
    /// The program behaves differently, and no finding informs the owner of the Service. The sentence describes the difference.
    Differs(String),
    /// The core refuses the Service, or has a finding about the difference. The text is the code of the finding.
    Cannot(String),
    /// The program behaves as expected.
    Proved,
}

impl Verdict {
    /// Whether both are the same result. The sentences are not compared, because the first difference can be random, for example if
    /// a program selects one of two Services.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Differs(_), Self::Differs(_)) => true,
            (one, other) => one == other,
        }
    }

    /// Returns its rank in the order from the worst to the best.
    fn rank(&self) -> u8 {
        match self {
            Self::NotTried => 0,
            Self::Differs(_) => 1,
            Self::Cannot(_) => 2,
            Self::Proved => 3,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTried => f.write_str("not tried"),
            Self::Differs(how) => write!(f, "differs: {how}"),
            Self::Cannot(code) => write!(f, "cannot: {code}"),
            Self::Proved => f.write_str("proved"),
        }
    }
}

#[test]
fn the_page_has_every_behaviour_and_every_program() {
    let page = Page::read().unwrap();
    let missing: Vec<String> = COLUMNS
        .iter()
        .flat_map(|column| BEHAVIOURS.iter().map(move |behaviour| (column.title, behaviour.words)))
        .filter(|(column, behaviour)| page.verdict(column, behaviour).is_none())
        .map(|(column, behaviour)| format!("{column}: {behaviour}"))
        .collect();
    assert_eq!(missing, [""; 0], "write the page with `BLESS=1 CHAIN_ARGS=conformance make e2e-chain`");
    assert_eq!(page.written().unwrap(), page.text(), "the page is not as it is written");
}

#[test]
fn worse_cells_differ_from_better_cells() {
    use Verdict::{Cannot, Differs, NotTried, Proved};
    let (cannot, differs) = (|| Cannot("protection-lost".to_owned()), |how: &str| Differs(how.to_owned()));
    let column = &COLUMNS[0];
    let tried = |verdict: Verdict| Tried {
        version: "1".to_owned(),
        verdicts: [(BEHAVIOURS[0].words.to_owned(), verdict)].into(),
    };
    for (expected, found, is_worse, is_other) in [
        (Proved, Proved, false, false),
        (Proved, differs("404"), true, false),
        (Proved, cannot(), true, false),
        (cannot(), differs("404"), true, false),
        (differs("404"), differs("500"), false, false),
        (differs("404"), cannot(), false, true),
        (cannot(), Proved, false, true),
        (NotTried, Proved, false, true),
    ] {
        let mut page = Page::default();
        page.set(column.title, tried(expected.clone()));
        let (mut worse, mut other) = (Vec::new(), Vec::new());
        compare(column, &page, &tried(found.clone()), &mut worse, &mut other);
        assert_eq!((!worse.is_empty(), !other.is_empty()), (is_worse, is_other), "{expected}, {found}");
    }
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn programs_behave_as_the_page_describes() {
    let chain = Chain::get();
    let mut page = Page::read().unwrap_or_default();
    let (mut worse, mut other, mut skipped) = (Vec::new(), Vec::new(), 0);
    for column in COLUMNS {
        if !chain.has(column.program) {
            skipped += BEHAVIOURS.len();
            continue;
        }
        let began = Instant::now();
        let tried = run::column(chain, column, &page);
        compare(column, &page, &tried, &mut worse, &mut other);
        let count = |rank| tried.verdicts.values().filter(|verdict| verdict.rank() == rank).count();
        say(&format!(
            "conformance: {} ({}): {} proved, {} cannot, {} differ, after {} s",
            column.title,
            tried.version,
            count(3),
            count(2),
            count(1),
            began.elapsed().as_secs()
        ));
        page.set(column.title, tried);
    }
    say(&format!("conformance: {skipped} cells skipped, whose programs are not there"));
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        page.write().unwrap();
        return;
    }
    assert!(
        worse.is_empty() && other.is_empty(),
        "what worked does not work any more:\n{}\n\n\
         the page says something else; bless it (`BLESS=1 CHAIN_ARGS=conformance make e2e-chain`), and read the difference:\n{}",
        worse.join("\n"),
        other.join("\n")
    );
}

/// Adds the differences from the page to the lists.
fn compare(column: &Column, page: &Page, tried: &Tried, worse: &mut Vec<String>, other: &mut Vec<String>) {
    if !page.tried(column.title) {
        say(&format!("conformance: the page has no column of {} yet; BLESS=1 writes it", column.title));
        return;
    }
    if page.version(column.title) != Some(tried.version.as_str()) {
        let known = page.version(column.title).unwrap_or_default();
        let line = format!("{}: the page has version {known}, this run {}", column.title, tried.version);
        // An optional program may have any version.
        if column.is_optional { say(&line) } else { other.push(line) }
    }
    for (behaviour, found) in &tried.verdicts {
        let expected = page.verdict(column.title, behaviour).unwrap_or(&Verdict::NotTried);
        if found.is_like(expected) {
            continue;
        }
        let line = format!("{}: {behaviour}: was `{expected}`, is `{found}`", column.title);
        if found.rank() < expected.rank() { worse.push(line) } else { other.push(line) }
    }
}
