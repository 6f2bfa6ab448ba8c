//! The report of the cookbook is the example of a report.
#![allow(clippy::unwrap_used, reason = "a report that cannot be made has failed the test")]

use serde_json::{Value, json};
use xposer::{Code, Diagnostic, Service, Settings, expose_all, is_service};
use xposer_report::model::Summary;
use xposer_report::{Options, Place, Report};
use xposer_testkit::{cookbook, golden, workspace};

fn report(documents: &[Value], settings: &Settings, options: &Options<'_>) -> Report {
    let services: Vec<Service<'_>> = documents.iter().map(Service::from_value).collect();
    let outcomes = expose_all(&services, settings, options.precedence);
    Report::new(&services, &outcomes, settings, options)
}

/// Returns the report of all Services of the cookbook, each under the settings of its example. The example is added before the
/// namespace, because most Services are in the namespace `shop`.
pub fn of_the_cookbook() -> Report {
    let mut all = report(&[], &Settings::default(), &Options::default());
    all.title = Some("the cookbook".to_owned());
    for path in cookbook::pages().unwrap() {
        let pieces = cookbook::pieces(&cookbook::read(&path).unwrap()).unwrap();
        let (examples, wrong) = cookbook::examples(&pieces);
        assert!(wrong.is_empty(), "{wrong:?}");
        for (number, example) in examples.iter().enumerate() {
            let case = cookbook::case(&path, &pieces, example).unwrap();
            let page = path.file_stem().unwrap().to_string_lossy().into_owned();
            let documents: Vec<Value> = case.documents.into_iter().filter(is_service).collect();
            let place = |_: usize, _: &Diagnostic| {
                Some(Place { file: format!("docs/cookbook/{page}.md"), line: None, column: None })
            };
            let options = Options { place: Some(&place), ..Options::default() };
            let settings = Settings::from_value(&case.settings.unwrap_or_else(|| json!({})));
            // Some examples show settings that are refused.
            let Ok(settings) = settings else { continue };
            let example = report(&documents, &settings, &options);
            add(&mut all, example, &format!("{page} {}:", number + 1));
        }
    }
    all.rows.sort_by_key(|row| (row.namespace.clone(), row.service.clone()));
    all.findings.sort_by_key(|told| std::cmp::Reverse(told.finding.severity));
    all
}

/// Adds the entries of another report, with `before` added to their namespaces.
fn add(all: &mut Report, mut other: Report, before: &str) {
    let named = |namespace: &mut String| *namespace = format!("{before} {namespace}");
    other.rows.iter_mut().for_each(|it| named(&mut it.namespace));
    other.refused.iter_mut().for_each(|it| named(&mut it.namespace));
    other.findings.iter_mut().for_each(|it| named(&mut it.namespace));
    other.foreign_hosts.iter_mut().for_each(|it| named(&mut it.namespace));
    other.conflicts.iter_mut().flat_map(|it| &mut it.services).for_each(|it| named(&mut it.namespace));
    all.rows.append(&mut other.rows);
    all.refused.append(&mut other.refused);
    all.findings.append(&mut other.findings);
    all.foreign_hosts.append(&mut other.foreign_hosts);
    all.conflicts.append(&mut other.conflicts);
    let Summary {
        services,
        exposed,
        refused,
        not_exposed,
        hosts,
        open,
        access_not_known,
        warnings,
        infos,
        conflicts,
        foreign_hosts,
        migration: _,
    } = other.summary;
    let sum = &mut all.summary;
    for (whole, part) in [
        (&mut sum.services, services),
        (&mut sum.exposed, exposed),
        (&mut sum.refused, refused),
        (&mut sum.not_exposed, not_exposed),
        (&mut sum.hosts, hosts),
        (&mut sum.open, open),
        (&mut sum.access_not_known, access_not_known),
        (&mut sum.warnings, warnings),
        (&mut sum.infos, infos),
        (&mut sum.conflicts, conflicts),
        (&mut sum.foreign_hosts, foreign_hosts),
    ] {
        *whole += part;
    }
}

#[test]
fn the_cookbook_is_the_example() {
    let report = of_the_cookbook();
    let folder = workspace();
    let compared = [
        ("docs/report-example.html", report.to_html()),
        ("testkit/tests/report/cookbook.json", report.to_json()),
        ("testkit/tests/report/cookbook.mmd", report.to_mermaid()),
    ]
    .map(|(file, text)| golden::compare(&folder.join(file), &text));
    let wrong: Vec<String> = compared.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The codes of the findings are codes of the core.
#[test]
fn findings_have_codes_of_the_core() {
    let report = of_the_cookbook();
    let refused = report.refused.iter().flat_map(|it| &it.findings);
    for finding in refused.chain(report.findings.iter().map(|it| &it.finding)) {
        assert!(finding.code.parse::<Code>().is_ok(), "{}", finding.code);
    }
}
