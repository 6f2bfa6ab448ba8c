//! Emitted objects of other projects' kinds are valid for their definitions.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot read its input has failed"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Map, Value, json};
use xposer::Settings;
use xposer_cli::{Console, Terminal};
use xposer_testkit::schema::Schemas;
use xposer_testkit::{cases, workspace};

/// A Go module that contains the SARIF schema of OASIS.
const SARIF: &str = "github.com/owenrumney/go-sarif/v3@v3.3.1";
const ENVOY_GATEWAY: &str = "github.com/envoyproxy/gateway@v1.9.1";

/// The kind, the Go module with its version, the file in it, and the version of the kind.
const PUBLISHED: [(&str, &str, &str, &str); 6] = [
    (
        "BackendTrafficPolicy",
        ENVOY_GATEWAY,
        "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_backendtrafficpolicies.yaml",
        "v1alpha1",
    ),
    (
        "HTTPRouteFilter",
        ENVOY_GATEWAY,
        "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_httproutefilters.yaml",
        "v1alpha1",
    ),
    (
        "SecurityPolicy",
        ENVOY_GATEWAY,
        "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_securitypolicies.yaml",
        "v1alpha1",
    ),
    (
        "HTTPRoute",
        "sigs.k8s.io/gateway-api@v1.6.3",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
        "v1",
    ),
    (
        "ListenerSet",
        "sigs.k8s.io/gateway-api@v1.6.3",
        "config/crd/standard/gateway.networking.k8s.io_listenersets.yaml",
        "v1",
    ),
    (
        "Route",
        "github.com/openshift/api@v0.0.0-20251214014457-bfa868a22401",
        "route/v1/zz_generated.crd-manifests/routes.crd.yaml",
        "v1",
    ),
];

/// Returns the objects of all case folders, with the slugs.
fn objects() -> Vec<(String, Value)> {
    let emitted = |case: cases::Case| {
        let objects = cases::parse(&case.run().objects).unwrap();
        objects.into_iter().map(move |object| (case.slug.clone(), object))
    };
    cases::all().unwrap().into_iter().flat_map(emitted).collect()
}

/// Returns the errors of all objects whose kind has a schema, and the number of objects of each kind.
fn errors(schemas: &Schemas) -> (Vec<String>, BTreeMap<String, usize>) {
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::new());
    for (slug, object) in objects() {
        if let Some(errors) = schemas.errors(&object) {
            *counts.entry(object["kind"].as_str().unwrap().to_owned()).or_default() += 1;
            wrong.extend(errors.into_iter().map(|error| format!("{slug}: {error}\n{object}")));
        }
    }
    (wrong, counts)
}

#[test]
fn every_object_has_the_form_of_its_kind() {
    let (wrong, counts) = errors(&Schemas::ours().unwrap());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for kind in [
        "HTTPRoute",
        "ListenerSet",
        "Route",
        "EndpointMonitor",
        "BackendTrafficPolicy",
        "HTTPRouteFilter",
        "SecurityPolicy",
    ] {
        assert!(counts.get(kind).is_some_and(|count| *count > 3), "{counts:?}");
    }
}

#[test]
fn fields_outside_a_schema_are_errors() {
    let schemas = Schemas::ours().unwrap();
    for (slug, object) in objects() {
        for field in ["host", "rules", "urlFrom", "url"] {
            let mut broken = object.clone();
            let Some(spec) = broken["spec"].as_object_mut() else { continue };
            let Some(value) = spec.remove(field) else { continue };
            spec.insert(format!("{field}s"), value);
            assert!(schemas.errors(&broken).is_none_or(|errors| !errors.is_empty()), "{slug}: {broken}");
        }
    }
}

/// Returns the folder of a Go module, which Go downloads.
fn module(name: &str) -> Result<PathBuf, String> {
    let output = Command::new("go")
        .args(["mod", "download", "-json", name])
        .current_dir(std::env::temp_dir())
        .env("GOFLAGS", "-mod=mod")
        .output()
        .map_err(|error| format!("no Go: {error}"))?;
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let folder = answer["Dir"].as_str();
    folder.map(PathBuf::from).ok_or_else(|| format!("Go cannot fetch it: {}", answer["Error"]))
}

/// Returns the published definitions, which Go downloads, each with its kind.
fn published() -> Vec<(Schemas, &'static str)> {
    let all = PUBLISHED.iter().map(|(kind, name, file, version)| {
        let folder = module(name).unwrap_or_else(|why| panic!("{name}: {why}"));
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        (Schemas::published(&text, version).unwrap(), *kind)
    });
    all.collect()
}

/// Emitted objects contain all defaults of the API server, so that a program which compares them with the objects in the cluster
/// sees no difference. An Ingress and a ConfigMap have no defaults (Kubernetes 1.36, `pkg/apis/networking/v1` and
/// `pkg/apis/core/v1`, defaults.go), except for an `ingressClassName`, which admission sets if there is a default class.
fn fills_nothing_in(schemas: &Schemas) {
    let mut wrong = Vec::new();
    for (slug, object) in objects() {
        let Some(defaulted) = schemas.defaulted(&object) else { continue };
        if defaulted != object["spec"] {
            wrong.push(format!("{slug}: {} becomes {defaulted}", object["spec"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_api_server_fills_nothing_in() {
    fills_nothing_in(&Schemas::ours().unwrap());
}

mod with_go {
    use super::*;

    /// Our schemas have a part of the fields of the published definitions, so the published definitions must also accept the
    /// objects.
    #[test]
    #[ignore = "needs Go, and the modules that it fetches: make test"]
    fn the_published_definitions_accept_what_we_emit() {
        for (schemas, kind) in published() {
            let (wrong, counts) = errors(&schemas);
            assert!(wrong.is_empty(), "{kind}: {}", wrong.join("\n"));
            assert!(counts.get(kind).is_some_and(|count| *count > 3), "{kind}: {counts:?}");
        }
    }

    #[test]
    #[ignore = "needs Go, and the modules that it fetches: make test"]
    fn the_api_server_fills_nothing_in() {
        published().iter().for_each(|(schemas, _)| fills_nothing_in(schemas));
    }

    /// Checks the SARIF log of every case folder and of every bad file.
    #[test]
    #[ignore = "needs Go, and the modules that it fetches: make test"]
    fn a_log_of_findings_has_the_form_of_sarif() {
        let folder = module(SARIF).unwrap_or_else(|why| panic!("{SARIF}: {why}"));
        let text = std::fs::read_to_string(folder.join("pkg/report/v210/sarif/schema.go")).unwrap();
        let schema = text.split('`').nth(1).unwrap();
        let schema: Value = serde_json::from_str(schema).unwrap();
        let validator = jsonschema::draft4::options().should_validate_formats(true).build(&schema).unwrap();
        let broken = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"nam": "xposer"}}}]});
        assert!(validator.validate(&broken).is_err());
        let (mut logs, mut results) = (0, 0);
        for (service, settings) in inputs() {
            let mut arguments = vec!["xposer".into(), "check".into(), "--diagnostics=sarif".into(), service];
            if settings.exists() {
                arguments.extend(["--settings".into(), settings]);
            }
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            let console = Console {
                stdin: &mut [].as_slice(),
                stdout: &mut stdout,
                stderr: &mut stderr,
                terminal: Terminal::default(),
            };
            xposer_cli::run(&arguments, console);
            let log: Value = serde_json::from_slice(&stderr).unwrap();
            let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{arguments:?}: {errors:?}");
            logs += 1;
            results += log["runs"][0]["results"].as_array().unwrap().len();
        }
        assert!(logs > 900 && results > 1000, "{logs} logs with {results} results");
    }

    /// Returns the files of the case folders and of the command line's tests, each with its settings.
    fn inputs() -> Vec<(PathBuf, PathBuf)> {
        let cases = cases::all().unwrap().into_iter().map(|case| case.folder);
        let cases = cases.map(|folder| (folder.join("service.yaml"), folder.join("settings.yaml")));
        let bad = std::fs::read_dir(workspace().join("cli/tests/bad")).unwrap().map(|it| it.unwrap().path());
        let bad = bad.filter(|it| it.extension().is_some_and(|it| it == "yaml" || it == "json"));
        let bad = bad.map(|it| (it.clone(), it.with_extension("settings.yaml")));
        cases.chain(bad).collect()
    }

    /// Our schemas have the defaults of the published ones.
    #[test]
    #[ignore = "needs Go, and the modules that it fetches: make test"]
    fn the_defaults_are_the_published_ones() {
        let ours = Schemas::ours().unwrap();
        for (schemas, kind) in published() {
            let (own, theirs) = (ours.fields(kind), schemas.fields(kind));
            assert!(own.values().flatten().next().is_some(), "{kind}: {own:?}");
            for (field, default) in own {
                assert_eq!(Some(&default), theirs.get(&field), "{kind}: {field}");
            }
        }
    }
}

/// Returns the providers of the EndpointMonitor's schema, with the schemas of their options.
fn providers() -> Vec<(String, Map<String, Value>)> {
    let text = std::fs::read_to_string(workspace().join("testkit/schemas/endpointmonitor.yaml")).unwrap();
    let schema = cases::parse(&text).unwrap().remove(0);
    let fields = schema["properties"].as_object().unwrap().iter();
    let providers = fields.filter(|(name, _)| name.ends_with("Config"));
    providers.map(|(name, it)| (name.clone(), it["properties"].as_object().unwrap().clone())).collect()
}

/// Returns values of every type, the words of every list, and the numbers on both sides of every limit.
fn candidates(providers: &[(String, Map<String, Value>)]) -> Vec<Value> {
    let mut candidates = vec![
        json!("text"),
        json!(""),
        json!("5"),
        json!(true),
        json!(7),
        json!(["a", "b"]),
        json!([7]),
        json!([]),
        json!({"a": "b"}),
        json!([{"function": "go_to", "args": {"url": "https://example.com"}}]),
        json!([{"function": "go_to", "args": {"url": 7}}]),
        json!([{"function": "go_to"}]),
    ];
    for option in providers.iter().flat_map(|(_, options)| options.values()) {
        candidates.extend(option["enum"].as_array().into_iter().flatten().cloned());
        let limits = ["minimum", "maximum"].into_iter().filter_map(|word| option[word].as_i64());
        candidates.extend(limits.flat_map(|limit| [limit - 1, limit, limit + 1]).map(Value::from));
    }
    candidates.sort_by_key(Value::to_string);
    candidates.dedup();
    candidates
}

/// The setting `monitorProvider` and the schema accept the same values: only known options of a provider, with a value of their
/// type.
#[test]
fn the_options_of_monitors_are_those_of_the_schema() {
    let schemas = Schemas::ours().unwrap();
    let providers = providers();
    let candidates = candidates(&providers);
    let mut names: Vec<&str> =
        providers.iter().flat_map(|(_, options)| options.keys().map(String::as_str)).collect();
    names.extend(["nonsense", "Interval", "url"]);
    names.sort_unstable();
    names.dedup();
    let steps = json!([{"function": "go_to", "args": {}}]);
    let mut wrong = Vec::new();
    for (provider, options) in &providers {
        for name in &names {
            let mut accepted = 0;
            for value in &candidates {
                // A check without steps has no effect: the setting requires a step, the definition does not.
                if *name == "steps" && value.as_array().is_some_and(Vec::is_empty) {
                    continue;
                }
                let mut config = json!({ *name: value });
                if provider == "pingdomTransactionConfig" && *name != "steps" {
                    config["steps"] = steps.clone();
                }
                let object =
                    json!({"kind": "EndpointMonitor", "spec": {"url": "https://a.com", provider: config}});
                let fits = schemas.errors(&object).unwrap().is_empty();
                let setting = Settings::from_value(&json!({"monitorProvider": {provider: config}}));
                accepted += usize::from(setting.is_ok());
                if fits != setting.is_ok() {
                    wrong.push(format!(
                        "{provider}.{name}: {value}: {fits} by the schema, {} by the setting",
                        setting.is_ok()
                    ));
                }
            }
            if (accepted > 0) != options.contains_key(*name) {
                wrong.push(format!("{provider}.{name}: {accepted} values are accepted"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(providers.len(), 9);
    for other in ["providers", "urlFrom", "newRelicConfig"] {
        assert!(Settings::from_value(&json!({"monitorProvider": {other: {}}})).is_err(), "{other}");
    }
    // The setting requires the fields that the schema requires.
    assert!(Settings::from_value(&json!({"monitorProvider": {"pingdomTransactionConfig": {}}})).is_err());
}

/// Returns the schema of the settings, as an editor reads it.
fn settings_schema() -> jsonschema::Validator {
    let text = std::fs::read_to_string(workspace().join("docs/reference/settings.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[test]
fn settings_that_are_accepted_fit_their_schema() {
    let schema = settings_schema();
    let mut wrong = Vec::new();
    let mut check = |name: &str, settings: &Value| {
        let accepted = Settings::from_value(settings);
        assert!(accepted.is_ok(), "{name}: {accepted:?}");
        wrong.extend(
            schema.iter_errors(settings).map(|error| format!("{name}: {}: {error}", error.instance_path())),
        );
    };
    let accepted = |case: &cases::Case| Some((case.slug.clone(), case.settings.clone()?));
    let of_cases: Vec<_> = cases::all().unwrap().iter().filter_map(accepted).collect();
    let of_cases = of_cases.iter().filter(|(_, settings)| Settings::from_value(settings).is_ok());
    let mut count = 0;
    for (slug, settings) in of_cases {
        check(slug, settings);
        count += 1;
    }
    assert!(count > 200, "{count} cases have settings");
    for (key, row) in xposer::options::settings() {
        for text in [Some(key.example), row.default_value()].into_iter().flatten() {
            let mut settings = cases::parse(&format!("{}: {text}", key.name)).unwrap().remove(0);
            settings["profiles"]["internal"] = json!({});
            check(key.name, &settings);
        }
        check(key.name, &json!({ key.name: null }));
    }
    for text in ["1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False", ""] {
        check(text, &json!({"tls": text, "strict": text, "profiles": {"a": {"monitor": text}}}));
    }
    for path in ["examples/settings.yaml", "deploy/controller/settings.yaml"] {
        let text = std::fs::read_to_string(workspace().join(path)).unwrap();
        let first = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# yaml-language-server: $schema="))
            .unwrap();
        let folder = workspace().join(path);
        assert!(folder.parent().unwrap().join(first).exists(), "{path} names {first}");
        check(path, &cases::parse(&text).unwrap().pop().unwrap_or_default());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn settings_with_an_unknown_key_or_a_wrong_type_do_not_fit_their_schema() {
    let schema = settings_schema();
    let mut told = 0;
    for case in cases::all().unwrap() {
        let Some(settings) = &case.settings else { continue };
        let Err(report) = Settings::from_value(settings) else { continue };
        let is_of_the_form = |found: &xposer::Diagnostic| {
            // `annotations` may have any key, with a text as its value.
            found.code == xposer::Code::SettingUnknown
                || (found.code == xposer::Code::SettingInvalid && found.message.starts_with("expected a"))
        };
        if report.diagnostics().iter().any(is_of_the_form) {
            assert!(!schema.is_valid(settings), "{}: {report}", case.slug);
            told += 1;
        }
    }
    assert!(told > 10, "{told} cases have settings of the wrong form");
    for (key, row) in xposer::options::settings() {
        let places = |key: &str, value: Value| {
            let profile = json!({"profiles": {"a": {key: value}}});
            let namespace = json!({"namespaces": {"a": {key: value}}});
            let general = json!({ key: value });
            if row.is_layered() { vec![general, profile, namespace] } else { vec![general] }
        };
        for settings in
            places(&format!("{}x", key.name), json!("a")).into_iter().chain(places(key.name, json!([[1]])))
        {
            assert!(Settings::from_value(&settings).is_err(), "{settings}");
            assert!(!schema.is_valid(&settings), "{settings}");
        }
        if !row.is_layered() {
            let example = cases::parse(key.example).unwrap().remove(0);
            let settings = json!({"profiles": {"a": {key.name: example}}});
            assert!(Settings::from_value(&settings).is_err() && !schema.is_valid(&settings), "{settings}");
        }
    }
}
