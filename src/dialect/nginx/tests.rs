//! Tests of the table of keys, and of each key on every target.

use serde_json::{Map, Value, json};

use super::keys::{KEYS, NOTES};
use super::*;
use crate::dialect::key::{Loss, OnInvalid};
use crate::{Code, Diagnostic, Report, Service, Settings, Severity, expose, testing};

/// Good and bad values of all keys, and the annotations with which they have an effect. The tests of `make verify-objects` give these
/// values to ingress-nginx's own code, too.
const VALUES: &str = include_str!("tests/values.json");

/// The name of a key, the annotations that it needs, and its values.
type Row = (String, Map<String, Value>, Map<String, Value>);

fn values() -> Vec<Row> {
    let groups: Vec<Value> = serde_json::from_str(VALUES).expect("a list");
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let keys = |group: &Value| {
        let beside = object(&group["with"]);
        object(&group["keys"]).into_iter().map(move |(name, values)| (name, beside.clone(), object(&values)))
    };
    groups.iter().flat_map(keys).collect()
}

/// Returns the values of a list in such a row.
fn listed<'v>(values: &'v Map<String, Value>, list: &str) -> impl Iterator<Item = &'v str> {
    values.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

const LISTS: [&str; 5] = ["good", "refused", "denied", "ignored", "dropped"];

#[test]
fn every_key_has_good_and_bad_values() {
    let mut names: Vec<String> = Vec::new();
    for (name, _, values) in values() {
        assert!(values.keys().all(|list| LISTS.contains(&list.as_str())), "{name}");
        let has_bad = LISTS[1..].iter().any(|list| listed(&values, list).next().is_some());
        // Any text is a good value of a snippet.
        let is_listed = listed(&values, "good").next().is_some() && has_bad;
        assert!(is_listed || name.ends_with("-snippet"), "{name}");
        names.push(name);
    }
    names.sort_unstable();
    let mut known: Vec<&str> = PROGRAM.names();
    known.sort_unstable();
    assert_eq!(names, known);
    assert_eq!(KEYS.len(), NOTES.len());
}

#[test]
fn a_value_is_taken_or_not_as_ingress_nginx_does() {
    for (name, _, values) in values() {
        let known = find(&name).expect("a row");
        for list in LISTS {
            for value in listed(&values, list) {
                let bad = known.invalid_value(value).map(|invalid_value| match invalid_value.on_invalid {
                    OnInvalid::Refused => "refused",
                    OnInvalid::Denied => "denied",
                    OnInvalid::Ignored
                    | OnInvalid::False
                    | OnInvalid::Zero
                    | OnInvalid::SkipsItems
                    | OnInvalid::AdmitsAll => "ignored",
                    OnInvalid::DropsFeature => "dropped",
                });
                assert_eq!(bad.unwrap_or("good"), list, "{name}: {value}");
            }
        }
        assert!(known.invalid_value("").is_none(), "{name}");
    }
}

#[test]
fn a_bad_value_has_one_finding() {
    const CODES: [Code; 3] = [Code::AnnotationInvalid, Code::AnnotationIgnored, Code::NamespaceOther];
    let settings = settings();
    for (name, beside, values) in values() {
        let known = find(&name).expect("a row");
        for list in LISTS {
            for value in listed(&values, list) {
                let mut lines: Vec<String> = beside
                    .iter()
                    .map(|(name, value)| format!("{PREFIX}{name}: {}", value.as_str().unwrap_or_default()))
                    .collect();
                lines.push(format!("{PREFIX}{name}: '{value}'"));
                let service = testing::service(&[("xposer.stakater.com/annotations", &lines.join("\n"))]);
                let outcome = expose(&Service::from_value(&service), &settings);
                let found: Vec<&Diagnostic> = outcome
                    .report()
                    .into_iter()
                    .flat_map(Report::diagnostics)
                    .filter(|finding| CODES.contains(&finding.code) && finding.message.contains(&name))
                    .collect();
                let severity = found.first().map(|finding| finding.severity);
                let is_enough = match list {
                    "good" => found.is_empty(),
                    // A bad value of a protecting key is an Error.
                    "ignored" if known.loss < Loss::Hardening => severity >= Some(Severity::Warning),
                    _ => severity == Some(Severity::Error),
                };
                assert!(is_enough && found.len() <= 1, "{name}: {value}: {found:?}");
            }
        }
    }
}

#[test]
fn every_key_has_one_row() {
    // ingress-nginx 1.15.1 has 136 keys; two of them have an alias.
    assert_eq!(PROGRAM.names().len(), 136 + 2);
    assert!(KEYS.iter().all(|known| find(known.name).is_some_and(|row| row.name == known.name)));
}

#[test]
fn a_key_needs_keys_that_are_there() {
    for known in KEYS {
        for needed in known.needs.iter() {
            assert!(PROGRAM.knows(needed) && *needed != known.name, "{}: {needed}", known.name);
        }
    }
}

#[test]
fn keys_of_the_configuration_itself_protect() {
    assert!(KEYS.iter().filter(|it| it.name.ends_with("-snippet")).all(|it| it.loss == Loss::Protection));
}

#[test]
fn a_canary_has_few_keys_of_its_own() {
    let own: Vec<&str> = PROGRAM.names().into_iter().filter(|it| is_read_on_canary(it)).collect();
    assert_eq!(own.len(), 23, "{own:?}");
}

fn settings() -> Settings {
    let settings =
        json!({"domain": "example.com", "parentRefs": [{"name": "edge"}], "annotations": {"allow": ["*"]}});
    Settings::from_value(&settings).expect("valid settings")
}

/// Returns the diagnostics about a Service with one key on one target. Without `canary: "true"`, the other keys of a canary are
/// an Error of their own, so they are left out.
fn findings_by_name(target: &str) -> Vec<(&'static str, Vec<Diagnostic>)> {
    let settings = settings();
    let values = values();
    let names = PROGRAM.names().into_iter().filter(|name| !name.starts_with("canary"));
    let findings = |name: &str| {
        // A value with which the key has an effect.
        let known = find(name).expect("a row");
        let row = values.iter().find(|row| row.0 == name).expect("values");
        let value = listed(&row.2, "good").find(|value| !known.neutral.is(value)).unwrap_or("x");
        let line = format!("{PREFIX}{name}: '{value}'");
        let service = testing::service(&[("Target", target), ("xposer.stakater.com/annotations", &line)]);
        let outcome = expose(&Service::from_value(&service), &settings);
        let emitted = outcome.plan().map(|plan| plan.emit().report);
        let reports = outcome.report().into_iter().chain(&emitted);
        reports.flat_map(|report| report.diagnostics().to_vec()).collect()
    };
    names.map(|name| (name, findings(name))).collect()
}

#[test]
fn every_key_is_reported_once_on_other_targets() {
    for target in ["HTTPRoute", "Route"] {
        for (name, findings) in findings_by_name(target) {
            let key = find(name);
            let expected = match name {
                // The program that serves the target has a field or an annotation of its own for it.
                _ if !findings.is_empty()
                    && findings.iter().all(|it| it.code.slug() == "intent-translated") =>
                {
                    Some(Severity::Info)
                }
                // Without another key, it has no effect on any target.
                _ if key.is_some_and(|key| !key.needs.is_empty()) => Some(Severity::Warning),
                // At the path `/`, it has no effect.
                "use-regex" => None,
                // A Route has annotations of its own for it, which have a different meaning.
                "limit-rps" if target == "Route" => Some(Severity::Warning),
                // Version 1.15 has this key and ignores it, which is reported for every target.
                "http2-push-preload" => Some(Severity::Warning),
                _ => Some(match key.map_or(Loss::Nothing, |key| key.loss) {
                    Loss::Protection => Severity::Error,
                    Loss::Behavior | Loss::Hardening => Severity::Warning,
                    Loss::Nothing => Severity::Info,
                }),
            };
            let severities: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
            assert_eq!(
                severities,
                expected.into_iter().collect::<Vec<_>>(),
                "{name} on {target}: {findings:?}"
            );
        }
    }
}

#[test]
fn an_ingress_keeps_every_key() {
    for (name, findings) in findings_by_name("Ingress") {
        assert!(findings.iter().all(|finding| finding.severity < Severity::Error), "{name}: {findings:?}");
    }
}
