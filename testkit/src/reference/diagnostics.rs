//! `diagnostics.md`.

use xposer::internal::rules;
use xposer::{Code, Diagnostic};

use super::markdown::{anchor, code, listed, prose, table};
use crate::cases::Case;

pub(super) fn body(cases: &[Case]) -> String {
    let mut out = "# Diagnostics\n\n\
        Every finding has a code that stays the same from version to version; `xposer explain CODE` prints the text of this \
        page. An **error** means that the Service gets no objects. A **warning** means that the objects, or their absence, are \
        probably not intended. An **info** names what was chosen, translated or lost. The setting \
        [`strict`](settings.md#strict) makes some warnings errors.\n\n"
        .to_owned();
    out.push_str(&table(
        ["Code", "Severity", "Meaning"],
        Code::ALL.iter().map(|&row| {
            [format!("[{}](#{})", code(row.slug()), anchor(row.slug())), severity(row), prose(row.summary())]
        }),
    ));
    let examples = Examples::new(cases);
    for &row in Code::ALL {
        out.push_str(&section(row, &examples));
    }
    out
}

fn severity(row: Code) -> String {
    let strict = if row.is_error_when_strict() { ", error under `strict`" } else { "" };
    format!("{}{strict}", row.severity())
}

fn section(row: Code, examples: &Examples) -> String {
    let filed: Vec<String> = rules()
        .iter()
        .filter(|rule| rule.codes.contains(&row))
        .map(|rule| format!("{} ({})", code(rule.name), prose(rule.source)))
        .collect();
    let filed = match filed.as_slice() {
        [] => String::new(),
        [only] => format!("- Rule: {only}.\n"),
        several => format!("- Rules: {}.\n", listed(several)),
    };
    format!(
        "\n## {row}\n\n{}\n\n- Severity: {}.\n- Why: {}\n- What to do: {}\n{filed}{}",
        prose(row.summary()),
        severity(row),
        prose(row.why()),
        prose(row.fix()),
        examples.of(row),
    )
}

/// The reports of the cases, short ones first.
struct Examples {
    reports: Vec<(String, usize, Vec<Diagnostic>)>,
}

impl Examples {
    fn new(cases: &[Case]) -> Self {
        let mut reports: Vec<_> = cases
            .iter()
            .map(|case| {
                let findings = case.run().findings.into_iter();
                let diagnostics: Vec<_> = findings.map(|finding| finding.diagnostic).collect();
                (case.slug.clone(), case.services().count(), diagnostics)
            })
            .collect();
        // A case with the name of a code is the best example for it, and `of` looks for that first.
        reports.sort_by_key(|(_, services, diagnostics)| (diagnostics.len(), *services));
        Self { reports }
    }

    fn of(&self, row: Code) -> String {
        let mut found = self.reports.iter().filter_map(|(slug, _, diagnostics)| {
            Some((
                slug,
                diagnostics
                    .iter()
                    .find(|diagnostic| diagnostic.code == row && diagnostic.severity == row.severity())?,
            ))
        });
        let named = found.clone().find(|(slug, _)| slug.as_str() == row.slug());
        let Some((slug, diagnostic)) = named.or_else(|| found.next()) else { return String::new() };
        format!(
            "\nAn example, from the case [{slug}](../../tests/cases/{slug}/service.yaml):\n\n```text\n{diagnostic}\n```\n"
        )
    }
}
