//! Reads and writes `docs/reference/conformance.md`: the results of the last run are the expected results of the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Verdict;
use super::behaviours::{BEHAVIOURS, Behaviour};
use super::columns::COLUMNS;

const HEAD: &str = "<!-- Written by the test `conformance` of `chain/` (`BLESS=1 CHAIN_ARGS=conformance make e2e-chain`). Do not edit it. -->

# Conformance

Xposer writes an Ingress or an HTTPRoute; an ingress controller or a gateway does what it says, each in its own way. This page says what
each of them did when it was tried: our controller exposed the Services below to the program, and a client sent real requests to it. The tests
fail if a cell gets worse.

| word | meaning |
| --- | --- |
| proved | Every request was answered as the first column says. |
| differs | The program did something else, and Xposer reports nothing. A [sentence](#what-differs) says what was seen. |
| cannot | Xposer refuses the Service, or reports that something is lost, with the code in the cell. |
| not tried | The program was not there. |
";

const ASKED: &str = "
Annotations without a prefix have `config.xposer.stakater.com/`; those with one are forwarded. Hosts are below `example.com`; a request without one
goes to the host of the first Service. The profile `tls` has certificates, and `both` has them without a redirect.
";

/// The results of a column.
#[derive(Clone, Debug, Default)]
pub(super) struct Tried {
    pub(super) version: String,
    pub(super) verdicts: BTreeMap<String, Verdict>,
}

/// The page.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    text: String,
    columns: BTreeMap<String, Tried>,
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/conformance.md")
}

/// Returns the cells of a line of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix("| ")?.strip_suffix(" |")?;
    Some(inner.split(" | ").collect())
}

impl Page {
    /// Reads the page.
    pub(super) fn read() -> Result<Self> {
        let text = fs::read_to_string(file()).context("docs/reference/conformance.md")?;
        let mut columns: BTreeMap<String, Tried> = BTreeMap::new();
        let (mut section, mut head, mut title) = ("", Vec::new(), "");
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("## ") {
                (section, head) = (name, Vec::new());
            } else if let Some(name) = line.strip_prefix("### ") {
                title = name;
            } else if let (Some(cells), "Programs" | "Behaviours") = (cells(line), section) {
                if head.is_empty() {
                    head = cells;
                } else if section == "Programs" {
                    let version = if cells[2] == "not tried" { "" } else { cells[2] };
                    columns.entry(cells[0].to_owned()).or_default().version = version.to_owned();
                } else if cells[0] != "---" {
                    for (column, cell) in head.iter().zip(&cells).skip(1) {
                        let tried = columns.entry((*column).to_owned()).or_default();
                        tried.verdicts.insert(cells[0].to_owned(), verdict(cell));
                    }
                }
            } else if let (Some(sentence), "What differs") = (line.strip_prefix("- "), section) {
                // The words of a behaviour may contain a colon.
                let of = |known: &str| sentence.strip_prefix(known)?.strip_prefix(": ");
                let (behaviour, how) = BEHAVIOURS
                    .iter()
                    .find_map(|behaviour| Some((behaviour.words, of(behaviour.words)?)))
                    .context(line.to_owned())?;
                let tried = columns.entry(title.to_owned()).or_default();
                tried
                    .verdicts
                    .insert(behaviour.to_owned(), Verdict::Differs(how.trim_end_matches('.').to_owned()));
            }
        }
        columns.remove("---");
        Ok(Self { text, columns })
    }

    /// The text that was read.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the verdict of a column and a behaviour.
    pub(super) fn verdict(&self, column: &str, behaviour: &str) -> Option<&Verdict> {
        self.columns.get(column)?.verdicts.get(behaviour)
    }

    /// Returns the versions with which a column was tried.
    pub(super) fn version(&self, column: &str) -> Option<&str> {
        Some(self.columns.get(column)?.version.as_str())
    }

    /// Whether a column was tried.
    pub(super) fn tried(&self, column: &str) -> bool {
        self.version(column).is_some_and(|version| !version.is_empty())
    }

    /// Replaces a column.
    pub(super) fn set(&mut self, column: &str, tried: Tried) {
        self.columns.insert(column.to_owned(), tried);
    }

    /// Writes the page.
    pub(super) fn write(&self) -> Result<()> {
        Ok(fs::write(file(), self.written()?)?)
    }

    /// Returns the text of the page.
    pub(super) fn written(&self) -> Result<String> {
        let mut out = HEAD.to_owned();
        writeln!(out, "\n## Programs\n\n| program | reads | version |\n| --- | --- | --- |")?;
        for column in COLUMNS {
            let version = self.version(column.title).filter(|version| !version.is_empty());
            writeln!(out, "| {} | {} | {} |", column.title, column.reads(), version.unwrap_or("not tried"))?;
        }
        let titles: Vec<&str> = COLUMNS.iter().map(|column| column.title).collect();
        writeln!(out, "\n## Behaviours\n\n| behaviour | {} |", titles.join(" | "))?;
        writeln!(out, "| --- |{}", " --- |".repeat(titles.len()))?;
        for behaviour in BEHAVIOURS.iter() {
            let cells = titles.iter().map(|title| cell(self.verdict(title, behaviour.words)));
            writeln!(out, "| {} | {} |", behaviour.words, cells.collect::<Vec<String>>().join(" | "))?;
        }
        writeln!(
            out,
            "\n## What differs\n\nThe first request that was answered in another way. Where a program takes one of two Services by chance, it is that of\nthe last run."
        )?;
        for title in titles {
            let differing =
                BEHAVIOURS.iter().filter_map(|behaviour| match self.verdict(title, behaviour.words) {
                    Some(Verdict::Differs(how)) => Some(format!("- {}: {how}.\n", behaviour.words)),
                    _ => None,
                });
            let differing: String = differing.collect();
            if !differing.is_empty() {
                write!(out, "\n### {title}\n\n{differing}")?;
            }
        }
        write!(out, "\n## What was asked\n{ASKED}\n")?;
        for behaviour in BEHAVIOURS.iter() {
            writeln!(out, "- {}: {}", behaviour.words, asked(behaviour))?;
        }
        let verdicts = self.columns.values().flat_map(|tried| tried.verdicts.values());
        let codes: BTreeSet<&String> = verdicts
            .filter_map(|verdict| match verdict {
                Verdict::Cannot(code) => Some(code),
                _ => None,
            })
            .collect();
        writeln!(out)?;
        for code in codes {
            writeln!(out, "[{code}]: diagnostics.md#{code}")?;
        }
        Ok(out)
    }
}

fn cell(verdict: Option<&Verdict>) -> String {
    match verdict {
        Some(Verdict::Proved) => "proved".to_owned(),
        Some(Verdict::Differs(_)) => "differs".to_owned(),
        Some(Verdict::Cannot(code)) => format!("cannot: [{code}]"),
        Some(Verdict::NotTried) | None => "not tried".to_owned(),
    }
}

/// Returns the verdict of a cell. The sentence about a difference follows later on the page.
fn verdict(cell: &str) -> Verdict {
    match (cell, cell.strip_prefix("cannot: [")) {
        (_, Some(code)) => Verdict::Cannot(code.trim_end_matches(']').to_owned()),
        ("proved", _) => Verdict::Proved,
        ("differs", _) => Verdict::Differs(String::new()),
        _ => Verdict::NotTried,
    }
}

/// Returns the Services and the requests of a behaviour, for the page.
fn asked(behaviour: &Behaviour) -> String {
    let services = behaviour.services.iter().map(|service| {
        let lines = service.annotations.iter().chain(service.own);
        let lines = lines.map(|line| format!("`{}`", line.replace("-{column}", "").replace('\n', ", ")));
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() {
            format!("`{}`", service.name)
        } else {
            format!("`{}` with {}", service.name, lines.join(" and "))
        }
    });
    let services: Vec<String> = services.collect();
    let requests = |asks: &[super::ask::Ask]| {
        let first = behaviour.services[0].name;
        let requests = asks.iter().map(|ask| format!("{} gets {}", ask.words(first), ask.wanted()));
        requests.collect::<Vec<String>>().join("; ")
    };
    let afterwards = if behaviour.afterwards.is_empty() {
        String::new()
    } else {
        let first = behaviour.services[0].name;
        format!(" Once `{first}` is not exposed: {}.", requests(behaviour.afterwards))
    };
    format!("Service {}. {}.{afterwards}", services.join(", Service "), requests(behaviour.asks))
}
