//! Every key of ingress-nginx on a target that does not read it: one word of it, of the severity of what is lost.

#![allow(clippy::panic, clippy::unwrap_used, reason = "the helpers of a test fail it like the test itself")]

use std::path::Path;

use serde_json::json;
use xposer::{Diagnostic, Service, Settings, Severity, expose};

/// A row of the table of keys, as it is written.
struct Row {
    name: String,
    text: String,
}

impl Row {
    /// A value that says something.
    fn value(&self) -> &str {
        let words =
            ["Shape::Words(&[", "Shape::Exactly(&["].iter().find_map(|shape| self.text.split_once(shape));
        if let Some((_, words)) = words {
            let mut words = words.split('"').skip(1).step_by(2);
            return words.find(|word| !matches!(*word, "AUTO_HTTP" | "HTTP")).unwrap();
        }
        let shapes = [
            ("Shape::Boolean", if self.text.contains("Idle::True") { "false" } else { "true" }),
            ("Shape::Integer", "5"),
            ("Shape::Size", "5m"),
            ("Shape::Path", "/x"),
            ("Shape::Url", "https://example.com"),
            ("Shape::OnOff", "on"),
        ];
        shapes.iter().find(|(shape, _)| self.text.contains(shape)).map_or("x", |(_, value)| value)
    }

    fn severity(&self) -> Severity {
        let protects = [".protects()", ".redirects()"].iter().any(|word| self.text.contains(word));
        match (protects, self.text.contains(".weakens()")) {
            (true, _) => Severity::Error,
            (_, true) => Severity::Warning,
            _ => Severity::Info,
        }
    }
}

/// The rows of the table of keys, and the keys of which only the name is known.
fn rows() -> Vec<Row> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dialect/nginx/keys.rs");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, table) = text.split_once("static KEYS").unwrap();
    let (table, rest) = table.split_once("\n];").unwrap();
    let rows = table.split("\n    key(\"").skip(1).map(|row| {
        let (name, text) = row.split_once('"').unwrap();
        Row { name: name.to_owned(), text: text.to_owned() }
    });
    let (_, names) = rest.split_once("const PLAIN: &str = \"").unwrap();
    let (names, _) = names.split_once('"').unwrap();
    let names = names.split_whitespace().filter(|name| *name != "\\");
    let plain = names.map(|name| Row { name: name.to_owned(), text: String::new() });
    rows.chain(plain).collect()
}

fn told(key: &str, value: &str, target: &str) -> Vec<Diagnostic> {
    let settings =
        json!({"domain": "example.com", "parentRefs": [{"name": "edge"}], "annotations": {"allow": ["*"]}});
    let settings = Settings::from_value(&settings).unwrap();
    let service = json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"},
        "annotations": {"config.xposer.stakater.com/Target": target,
            "xposer.stakater.com/annotations": format!("{key}: {value}")}},
        "spec": {"ports": [{"port": 80}]}});
    let outcome = expose(&Service::from_value(&service), &settings);
    let mut told = outcome.report().unwrap().diagnostics().to_vec();
    if let Some(plan) = outcome.plan() {
        told.extend(plan.emit().report.diagnostics().iter().cloned());
    }
    told
}

#[test]
fn every_key_of_ingress_nginx_is_told_once_on_other_targets() {
    let rows = rows();
    assert_eq!(rows.len(), 138);
    // Without `canary: "true"` the keys of a canary are an Error of their own.
    for row in rows.iter().filter(|row| !row.name.starts_with("canary")) {
        let key = format!("nginx.ingress.kubernetes.io/{}", row.name);
        for target in ["HTTPRoute", "Route"] {
            let told = told(&key, row.value(), target);
            let severities: Vec<Severity> = told.iter().map(|diagnostic| diagnostic.severity).collect();
            // An HTTPRoute has a field for a rewrite.
            let is_expressed = row.name == "rewrite-target" && target == "HTTPRoute";
            // Version 1.15 has this key, and does nothing about it, which is told of every target.
            let is_dead = row.name == "http2-push-preload";
            let expected = match (is_expressed, is_dead) {
                (true, _) => vec![],
                (_, true) => vec![Severity::Warning],
                _ => vec![row.severity()],
            };
            assert_eq!(severities, expected, "{key} on {target}: {told:?}");
        }
    }
}

#[test]
fn an_ingress_keeps_every_key_of_ingress_nginx() {
    for row in rows().iter().filter(|row| !row.name.starts_with("canary")) {
        let key = format!("nginx.ingress.kubernetes.io/{}", row.name);
        let told = told(&key, row.value(), "Ingress");
        assert!(told.iter().all(|it| it.severity < Severity::Error), "{key}: {told:?}");
    }
}
