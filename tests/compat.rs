//! What the original did, case by case.
//!
//! Every file of `tests/compat/` holds a Service, a controller configuration and the output of Xposer v0.0.20 for them.
//! The settings are the configuration as it is, with `legacyAnnotations: forward`. What must hold: a case that is neither
//! a quirk nor debatable is equal field by field, unless it uses a construct that is refused by name; a quirk gives
//! either the sane result of its note or an Error; nothing invalid is ever emitted.

#![allow(clippy::print_stdout, reason = "the summary is for people who run the suite")]

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use xposer::{Outcome, Service, Settings, Severity, expose};

#[derive(Deserialize)]
struct Case {
    config: Value,
    service: Value,
    xposer: Value,
    note: String,
    quirk: bool,
    debatable: bool,
}

/// What the two versions of the API have in common.
#[derive(Debug, PartialEq, Default)]
struct Common {
    name: String,
    namespace: String,
    host: String,
    path: String,
    service: String,
    port: Value,
    tls: Vec<(Vec<String>, String)>,
    annotations: BTreeMap<String, String>,
    configmap: Option<(String, String)>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn common(ingress: &Value, name: &str, number: &str, configmap: Option<(String, String)>) -> Common {
    let rule = &ingress["spec"]["rules"][0];
    let path = &rule["http"]["paths"][0];
    let tls = ingress["spec"]["tls"].as_array().into_iter().flatten();
    Common {
        name: text(&ingress["metadata"]["name"]),
        namespace: text(&ingress["metadata"]["namespace"]),
        host: text(&rule["host"]),
        path: text(&path["path"]),
        service: text(path.pointer(&format!("/backend{name}")).unwrap_or(&Value::Null)),
        port: path.pointer(&format!("/backend{number}")).cloned().unwrap_or_default(),
        tls: tls
            .map(|tls| {
                (tls["hosts"].as_array().into_iter().flatten().map(text).collect(), text(&tls["secretName"]))
            })
            .collect(),
        annotations: ingress["metadata"]["annotations"]
            .as_object()
            .unwrap_or(&Map::new())
            .iter()
            .map(|(key, value)| (key.clone(), text(value)))
            .collect(),
        configmap,
    }
}

fn theirs(xposer: &Value) -> Common {
    let entry = &xposer["configmap"];
    let configmap = entry.is_object().then(|| (text(&entry["key"]), text(&entry["value"])));
    common(&xposer["ingress"], "/serviceName", "/servicePort", configmap)
}

fn ours(objects: &[Value]) -> Common {
    let ingress = objects.iter().find(|object| object["kind"] == "Ingress").expect("an Ingress is planned");
    let data = objects.iter().find(|object| object["kind"] == "ConfigMap").map(|object| &object["data"]);
    let configmap = data.and_then(|data| {
        let (key, value) = data.as_object()?.iter().next()?;
        Some((key.clone(), text(value)))
    });
    common(ingress, "/service/name", "/service/port/number", configmap)
}

/// What a case that is not equal may be, by its number; `docs/migrating-from-xposer.md` gives the reason.
const ELSE: &[(u16, &str)] = &[
    (159, "template-unsupported"),
    (280, "path-invalid"),
    (289, "tls is on"),
    (459, "template-unsupported"),
];

#[test]
fn every_case_is_equal_sane_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat");
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 131, "a case is missing");
    let (mut equal, mut sane, mut refused, mut wrong) = (0, 0, 0, Vec::new());
    for file in files {
        let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let number: u16 = stem[..3].parse().unwrap();
        let case: Case = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let mut config = case.config.clone();
        config["legacyAnnotations"] = "forward".into();
        let settings = match Settings::from_value(&config) {
            Ok(settings) => settings,
            Err(report) => {
                wrong.push(format!("{stem}: settings refused: {report}"));
                continue;
            }
        };
        let expected_else = ELSE.iter().find(|(known, _)| *known == number).map(|(_, what)| *what);
        match expose(&Service::from_value(&case.service), &settings) {
            Outcome::NotAsked if case.xposer.is_null() => equal += 1,
            Outcome::NotAsked => wrong.push(format!("{stem}: not asked")),
            Outcome::Refused(report) => {
                let codes: Vec<_> = report.of(Severity::Error).map(|d| d.code.slug()).collect();
                println!("{stem}: refused {codes:?}: {}", report.of(Severity::Error).next().unwrap().message);
                if case.quirk || expected_else == Some(codes[0]) {
                    refused += 1;
                } else {
                    wrong.push(format!("{stem}: {report}"));
                }
            }
            Outcome::Planned { plan, .. } => {
                let objects: Vec<Value> = plan.emit().objects.iter().map(xposer::Object::to_value).collect();
                let ours = ours(&objects);
                if !case.xposer["ingress"].is_null() && ours == theirs(&case.xposer) {
                    equal += 1;
                } else if case.quirk || case.debatable || expected_else.is_some() {
                    println!("{stem}: {}\n    {ours:?}", case.note);
                    sane += 1;
                } else {
                    wrong.push(format!(
                        "{stem}: {}\nours   {ours:?}\ntheirs {:?}",
                        case.note,
                        theirs(&case.xposer)
                    ));
                }
            }
        }
    }
    println!("{equal} equal, {sane} sane, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
