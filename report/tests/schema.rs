//! The JSON Schema of the report and the list of fields in `docs/report.md` match the types, and reports are valid under the
//! schema.
#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod common;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use common::{hostile, many, report, service};
use serde_json::{Value, json};
use xposer::{Diagnostic, Precedence, Target};
use xposer_report::model::{Cluster, ClusterState};
use xposer_report::{Options, Place, Report};

/// The lines before and after the list of fields in the page.
const MARKS: (&str, &str) = ("<!-- fields -->\n", "<!-- end of fields -->\n");

fn docs(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file)
}

fn schema() -> Value {
    let settings = schemars::generate::SchemaSettings::default().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Report>().to_value();
    schema["$id"] = "https://report.xposer.stakater.com/v1".into();
    cut_examples(&mut schema);
    schema
}

/// Removes the Rust examples from the descriptions, because readers of the schema do not need them.
fn cut_examples(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                text.truncate(text.find("\n\n```").unwrap_or(text.len()));
            }
            fields.values_mut().for_each(cut_examples);
        }
        Value::Array(entries) => entries.iter_mut().for_each(cut_examples),
        _ => {}
    }
}

/// Compares a file with the generated text, or writes it with `BLESS=1`.
fn compare(path: &Path, made: &str) {
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path, made).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == made, "{} is not what the types say; run the test with BLESS=1", path.display());
}

#[test]
fn the_schema_is_that_of_the_types() {
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    compare(&docs("reference/report.schema.json"), &text);
}

#[test]
fn the_page_lists_every_field() {
    let path = docs("report.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKS.0).unwrap();
    let (_, after) = rest.split_once(MARKS.1).unwrap();
    compare(&path, &format!("{before}{}{}{}{after}", MARKS.0, fields(&schema()), MARKS.1));
}

/// Returns a table for each type, in the order of their first use.
fn fields(schema: &Value) -> String {
    let mut text = String::new();
    let mut waiting = vec![("Report".to_owned(), schema.clone())];
    let mut known = vec!["Report".to_owned()];
    let mut at = 0;
    while let Some((name, of)) = waiting.get(at).cloned() {
        at += 1;
        let properties = of["properties"].as_object().cloned().unwrap_or_default();
        if properties.is_empty() {
            continue;
        }
        let required = of["required"].as_array().cloned().unwrap_or_default();
        writeln!(text, "\n### {name}\n\n{}\n", of["description"].as_str().unwrap()).unwrap();
        text.push_str("| field | type | meaning |\n| --- | --- | --- |\n");
        for (field, property) in &properties {
            let mut types = Vec::new();
            let kind = kind(property, &mut types);
            for other in types {
                if !known.contains(&other) {
                    known.push(other.clone());
                    waiting.push((other.clone(), schema["$defs"][&other].clone()));
                }
            }
            let optional = if required.contains(&field.as_str().into()) { "" } else { ", optional" };
            let meaning = property["description"].as_str().unwrap().replace('\n', " ");
            writeln!(text, "| `{field}` | {kind}{optional} | {meaning} |").unwrap();
        }
        // An enumeration has no table: the fields of this type list its values.
    }
    text
}

/// Returns the type of a property in words, and adds the other types that it names to `types`.
fn kind(property: &Value, types: &mut Vec<String>) -> String {
    if let Some(reference) = property["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap().to_owned();
        types.push(name.clone());
        return name;
    }
    if let Some(any) = property["anyOf"].as_array() {
        return kind(&any[0], types);
    }
    let word = match &property["type"] {
        Value::String(word) => word.as_str(),
        Value::Array(words) => words[0].as_str().unwrap(),
        other => panic!("{property}: {other}"),
    };
    match word {
        "array" => format!("list of {}", kind(&property["items"], types)),
        "string" => "text".to_owned(),
        "integer" => "number".to_owned(),
        other => other.to_owned(),
    }
}

/// Returns a report with a value in every field.
fn sample() -> Report {
    let documents = [
        service(
            "shop",
            "web",
            &[("AllowedSources", "10.0.0.0/8"), ("Monitor", "true"), ("Profile", "internal")],
        ),
        service(
            "shop",
            "web-next",
            &[
                ("CanaryOf", "web"),
                ("CanaryWeight", "10"),
                ("CanaryByHeader", "X-Track"),
                ("CanaryByHeaderValue", "next"),
                ("CanaryByCookie", "next"),
                ("Profile", "internal"),
            ],
        ),
        service(
            "shop",
            "other",
            &[
                ("StickySession", "true"),
                (
                    "xposer.stakater.com/annotations",
                    "external-dns.kubernetes.io/target: lb.example.com\nexternal-dns.kubernetes.io/ttl: \"60\"",
                ),
            ],
        ),
        service(
            "shop",
            "hidden",
            &[("xposer.stakater.com/annotations", "external-dns.kubernetes.io/controller: none")],
        ),
        service("shop", "foreign", &[("IngressURLTemplate", "bank.example.com")]),
        service("a", "one", &[("IngressURLTemplate", "www.example.com")]),
        service("b", "two", &[("IngressURLTemplate", "www.example.com")]),
    ];
    let settings = json!({
        "domain": "example.com", "tls": "cert-manager", "clusterIssuer": "letsencrypt",
        "parentRefs": [{"name": "external"}], "profiles": {"internal": {"ingressClassName": "internal"}},
        "gatewayController": "gateway",
        "namespaces": {"bank": {"hosts": ["bank.example.com"]}},
    });
    let place =
        |_: usize, _: &Diagnostic| Some(Place { file: "web.yaml".into(), line: Some(3), column: Some(7) });
    let cluster = |at: usize| {
        let (state, message) = match at {
            0 => (ClusterState::InSync, None),
            1 => (ClusterState::Pending, None),
            _ => (ClusterState::Failed, Some("forbidden".to_owned())),
        };
        Some(Cluster { state, message })
    };
    let options = Options {
        precedence: Precedence::RefuseAll,
        compare_target: Some(Target::HttpRoute),
        place: Some(&place),
        cluster: Some(&cluster),
        title: Some("shop".to_owned()),
        generated: Some("2026-01-02T03:04:05Z".to_owned()),
        limit: Some(6),
        not_looked_at: 2,
    };
    report(&documents, &settings, &options)
}

#[test]
fn reports_are_valid() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let (documents, settings) = hostile();
    let empty = report(&[], &json!({}), &Options::default());
    let odd = report(&documents, &settings, &Options::default());
    let usual = report(&many(60), &json!({"domain": "example.com"}), &Options::default());
    for report in [empty, odd, usual, sample()] {
        let value: Value = serde_json::from_str(&report.to_json()).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(&value).map(|it| format!("{}: {it}", it.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    let mut wrong: Value = serde_json::from_str(&sample().to_json()).unwrap();
    wrong["rows"][0]["access"] = "everybody".into();
    assert!(!validator.is_valid(&wrong));
}

/// The sample has every field of the schema, so every described field is really written.
#[test]
fn every_field_is_written() {
    let schema = schema();
    let value: Value = serde_json::from_str(&sample().to_json()).unwrap();
    let mut written = std::collections::BTreeSet::new();
    names(&value, &mut written);
    let mut described = Vec::new();
    let definitions = schema["$defs"].as_object().unwrap().iter();
    for (name, of) in definitions.map(|(name, of)| (name.as_str(), of)).chain([("Report", &schema)]) {
        let properties = of["properties"].as_object().into_iter().flatten();
        described.extend(properties.map(|(field, _)| (name.to_owned(), field.clone())));
    }
    // A controller can be assumed only for a target that the Service already has.
    written.insert("guessed".to_owned());
    let missing: Vec<_> = described.iter().filter(|(_, field)| !written.contains(field)).collect();
    assert!(described.len() > 60 && missing.is_empty(), "{missing:?}");
}

fn names(value: &Value, into: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                into.insert(name.clone());
                names(value, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, into)),
        _ => {}
    }
}
