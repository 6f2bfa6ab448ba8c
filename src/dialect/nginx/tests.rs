//! The table of keys, and each of its keys on every target.

use serde_json::json;

use super::keys::KEYS;
use super::*;
use crate::dialect::key::{Idle, Loss, Shape};
use crate::{Diagnostic, Service, Settings, Severity, expose, testing};

#[test]
fn every_key_has_one_row() {
    assert!(KEYS.is_sorted_by(|left, right| left.name < right.name));
    // ingress-nginx 1.15.1 has 136 keys; two of them have an alias.
    assert_eq!(PROGRAM.names().len(), 136 + 2);
    assert!(KEYS.iter().all(|known| find(known.name).is_some_and(|row| row.name == known.name)));
}

#[test]
fn a_key_needs_keys_that_are_there() {
    for known in KEYS {
        for needed in known.needs {
            assert!(PROGRAM.knows(needed) && *needed != known.name, "{}: {needed}", known.name);
        }
    }
}

#[test]
fn keys_of_the_configuration_itself_protect() {
    assert!(KEYS.iter().filter(|it| it.name.ends_with("-snippet")).all(|it| it.loss == Loss::Protects));
}

#[test]
fn a_canary_has_few_keys_of_its_own() {
    let own: Vec<&str> = PROGRAM.names().into_iter().filter(|it| is_read_on_canary(it)).collect();
    assert_eq!(own.len(), 23, "{own:?}");
}

/// A value with which a key has an effect.
fn effective_value(key: Option<&Key>) -> &'static str {
    match key.and_then(|key| Some((key.shape?, key.idle))) {
        Some((Shape::Words(words) | Shape::Exactly(words), idle)) => {
            words.iter().find(|word| !idle.is(word)).copied().unwrap_or_default()
        }
        Some((Shape::Boolean, Idle::True)) => "false",
        Some((Shape::Boolean, _)) => "true",
        Some((Shape::Integer, _)) => "5",
        Some((Shape::Size, _)) => "5m",
        Some((Shape::Path, _)) => "/x",
        Some((Shape::Url, _)) => "https://example.com",
        Some((Shape::OnOff, _)) => "on",
        Some((Shape::Headers, _)) | None => "x",
    }
}

/// The findings about a Service with one key on one target. Without `canary: "true"`, the other keys of a canary are an Error
/// of their own, so they are not among the names.
fn findings_by_name(target: &str) -> Vec<(&'static str, Vec<Diagnostic>)> {
    let settings =
        json!({"domain": "example.com", "parentRefs": [{"name": "edge"}], "annotations": {"allow": ["*"]}});
    let settings = Settings::from_value(&settings).expect("valid settings");
    let names = PROGRAM.names().into_iter().filter(|name| !name.starts_with("canary"));
    let findings = |name: &str| {
        let line = format!("{PREFIX}{name}: {}", effective_value(find(name)));
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
                // Version 1.15 has this key and ignores it, which is reported for every target.
                "http2-push-preload" => Some(Severity::Warning),
                _ => Some(match key.map_or(Loss::Nothing, |key| key.loss) {
                    Loss::Protects => Severity::Error,
                    Loss::Weakens => Severity::Warning,
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
