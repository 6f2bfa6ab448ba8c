//! Compares the outcomes with those of the original Xposer, case by case.
//!
//! Every file of `tests/compat/` has a Service, a configuration of the controller, and the output of Xposer v0.0.20 for them. The
//! configuration is used as the settings, with `legacyAnnotations: forward`. A case that is neither a quirk nor debatable must be
//! equal field by field, unless it uses a construct that is refused by name. A quirk must give either the result that its note
//! describes or an Error. Invalid objects must never be emitted.

#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot read its case has failed, and its summary is for people"
)]

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use xposer::{Object, Outcome, Service, Settings, Severity, expose};

#[derive(Deserialize)]
struct Case {
    config: Value,
    service: Value,
    xposer: Value,
    note: String,
    quirk: bool,
    debatable: bool,
}

/// The fields that an Ingress has in both versions of the API.
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
    let mut common = common(ingress, "/service/name", "/service/port/number", configmap);
    // Xposer adds this annotation to a path that is a regular expression.
    common.annotations.remove("nginx.ingress.kubernetes.io/use-regex");
    common
}

/// The outcomes of the cases that are not equal: the Ingress's name, first URL and secret, or the code of the refusal.
/// `docs/migrating-from-xposer.md` gives the reasons.
const ELSE: &[(u16, &str)] = &[
    (17, "stakater-logging-kibana-logging kibana.logging.stakater.com/"),
    (23, "stakater-security-keycloak-http keycloak-security.workshop.stakater.com/ tls-cert"),
    (29, "refused: ingress-name-invalid host-character"),
    (32, "forecastle-stakater forecastle.stakater.stackator.com/ forecastle-stakater-cert"),
    (35, "forecastle-default forecastle.company.com/"),
    (71, "application-apps application.apps.stakater.com/"),
    (74, "refused: template-unclosed"),
    (77, "application.apps application.apps.stakater.com/"),
    (102, "web web.example.com/"),
    (105, "web web.shop.example.com/"),
    (108, "web web.example.com/"),
    (111, "web-shop web.shop.example.com/"),
    (126, "web-shop web.example.com/"),
    (150, "refused: template-function-failed"),
    (159, "refused: template-unsupported"),
    (177, "refused: ingress-name-invalid"),
    (180, "web-shop web.shop.example.com/"),
    (194, "refused: host-character"),
    (197, "refused: ingress-name-invalid"),
    (200, "refused: host-character"),
    (211, "web-example.com web.shop.example.com/"),
    (214, "refused: template-unknown-variable"),
    (217, "refused: ingress-name-invalid"),
    (220, "refused: ingress-name-invalid"),
    (223, "refused: template-unknown-variable"),
    (226, "refused: template-unsupported"),
    (229, "refused: ingress-name-invalid"),
    (232, "refused: template-unclosed"),
    (235, "refused: template-syntax"),
    (238, "refused: template-unknown-variable"),
    (241, "refused: template-unclosed"),
    (259, "web web.shop.example.com/api"),
    (262, "refused: host-scheme"),
    (265, "web example.com/shop"),
    (268, "refused: host-missing"),
    (271, "refused: host-port"),
    (274, "refused: host-uppercase"),
    (277, "refused: host-ip"),
    (280, "refused: path-invalid"),
    (289, "web web.shop.example.com/ web-cert"),
    (306, "web web.shop.example.org/"),
    (309, "web web.shop.shop.example.org/"),
    (338, "web web.shop.example.com/ web-cert"),
    (344, "web web.shop.example.com/ web-cert"),
    (347, "web web.shop.example.com/ web-cert"),
    (353, "web web.shop.example.com/ web-cert"),
    (367, "web web.shop.example.com/"),
    (370, "web web.shop.example.com/"),
    (382, "refused: forward-block-scalar"),
    (391, "refused: forward-key-invalid"),
    (414, "refused: port-none"),
    (453, "refused: ingress-name-invalid"),
    (459, "refused: template-unsupported"),
    (462, "refused: template-value-missing template-value-missing namespace-missing"),
    (476, "web web.shop.example.com/"),
    (482, "web web.shop.example.com/"),
];

/// Returns an outcome in the form of the table.
fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::NotExposed { .. } => "not asked".to_owned(),
        Outcome::Refused(report) | Outcome::Conflicting(report) => {
            let codes = report.of(Severity::Error).map(|diagnostic| diagnostic.code.slug());
            format!("refused: {}", codes.collect::<Vec<_>>().join(" "))
        }
        Outcome::Planned { plan, .. } => {
            let route = &plan.routes()[0];
            let secret = plan.secret().map(|secret| format!(" {secret}")).unwrap_or_default();
            format!("{} {}{}{secret}", plan.name(), route.host, route.path)
        }
    }
}

#[test]
fn every_case_is_equal_sane_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat");
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    files.sort();
    assert_eq!(files.len(), 131, "a case is missing");
    let (mut equal, mut differ, mut wrong) = (0, 0, Vec::new());
    for file in files {
        let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let number: u16 = stem[..3].parse().unwrap();
        let case: Case = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let mut config = case.config.clone();
        config["legacyAnnotations"] = "forward".into();
        let settings = Settings::from_value(&config).unwrap_or_else(|report| panic!("{stem}: {report}"));
        let outcome = expose(&Service::from_value(&case.service), &settings);
        let same = match &outcome {
            Outcome::NotExposed { .. } => case.xposer.is_null(),
            Outcome::Refused(_) | Outcome::Conflicting(_) => false,
            Outcome::Planned { plan, .. } => {
                let objects: Vec<Value> = plan.emit().objects.iter().map(Object::to_value).collect();
                !case.xposer["ingress"].is_null() && ours(&objects) == theirs(&case.xposer)
            }
        };
        let listed = ELSE.iter().find(|(known, _)| *known == number).map(|(_, what)| *what);
        match listed {
            None if same => equal += 1,
            Some(what) if !same && what == said(&outcome) => {
                println!("{stem}: {}\n    {what}", case.note);
                differ += 1;
            }
            _ => wrong.push(format!(
                "({number}, {:?}),   {} {}",
                said(&outcome),
                case.note,
                if case.quirk {
                    "QUIRK"
                } else if case.debatable {
                    "DEBATABLE"
                } else {
                    "PLAIN"
                }
            )),
        }
        // A case that is neither a quirk nor debatable may differ only because its template has a construct that is refused by
        // name.
        if !same && !case.quirk && !case.debatable {
            assert_eq!(said(&outcome), "refused: template-unsupported", "{stem}");
        }
    }
    println!("{equal} equal, {differ} differ as the table says");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
