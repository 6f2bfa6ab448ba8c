//! Exposes any Service under any settings. There is never a panic, and an Error exactly if there is no plan; every place in a
//! finding exists; and the emitted objects are JSON.
//!
//! The input is a line of settings, followed by either a whole Service as JSON, or one annotation on each line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use xposer::diagnostics::Root;
use xposer::internal::{lost_protections, trace};
use xposer::options::annotations;
use xposer::service::FORWARD_ANNOTATION;
use xposer::{Precedence, Service, Settings, expose, expose_all};

/// Reads lines of the form `IngressURLTemplate=...`. Lines without a known key go into the forwarded block.
fn from_lines(text: &str) -> Value {
    let mut own = Map::new();
    let mut block = String::new();
    for line in text.lines() {
        let known = line.split_once('=').and_then(|(name, value)| {
            Some((annotations().find(|(key, _)| key.short_name() == name)?.0, value))
        });
        match known {
            Some((key, value)) => {
                own.insert(key.name.to_owned(), value.replace('\u{1}', "\n").into());
            }
            None => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    if !block.is_empty() {
        own.insert(FORWARD_ANNOTATION.to_owned(), block.into());
    }
    json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}, "annotations": own},
        "spec": {"ports": [{"name": "http", "port": 80}]}})
}

fuzz_target!(|text: &str| {
    let (config, rest) = text.split_once('\n').unwrap_or(("", text));
    let mut config: Value = serde_json::from_str(config).unwrap_or_default();
    let settings = Settings::from_value(&config).unwrap_or_else(|report| {
        assert!(report.has_errors());
        config = json!({"domain": "example.com"});
        Settings::from_value(&config).expect("a domain is a setting")
    });
    for problem in settings.try_out().diagnostics() {
        assert!(problem.path.root() == Root::Settings && problem.path.lookup(&config).is_some(), "{problem}");
    }
    let document = serde_json::from_str(rest).unwrap_or_else(|_| from_lines(rest));
    let service = Service::from_value(&document);
    let outcome = expose(&service, &settings);
    let Some(report) = outcome.report() else { return };
    assert_eq!(report.has_errors(), outcome.is_refused());
    for diagnostic in report.diagnostics() {
        let found = match diagnostic.path.root() {
            Root::Object => diagnostic.path.lookup(&document),
            Root::Settings => diagnostic.path.lookup(&config),
        };
        assert!(found.is_some(), "{diagnostic}");
    }
    if let Some(plan) = outcome.plan() {
        for object in plan.emit().objects {
            let value: Value = serde_json::from_str(&object.to_json()).expect("it is JSON");
            assert_eq!(value, object.to_value());
        }
        // A plan compared with itself has lost no protection, and every value of the trace has a source.
        assert!(lost_protections(plan, plan).is_empty());
        assert!(
            trace(&service, &settings).iter().all(|row| !row.what.is_empty() && !row.value.contains('\n'))
        );
        // If the same Service is given twice, every claim conflicts.
        let twice = expose_all(&[service.clone(), service], &settings, Precedence::RefuseAll);
        assert!(twice.iter().all(|outcome| outcome.plan().is_none()));
    }
});
