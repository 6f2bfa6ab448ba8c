//! Tests the policy natively and as WebAssembly in the real waPC host, with every case folder and with requests of Kubewarden.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "the helpers of a test fail it like the test itself"
)]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};
use xposer::conflicts::Holders;
use xposer::emit::stamp;
use xposer::internal::READ;
use xposer::{Plan, Report, Service, Settings, Severity, expose};
use xposer_testkit::cases;
use xposer_testkit::cluster::{Cluster, time};
use xposer_testkit::host::{self, Answer, HostCall, Module};
use xposer_testkit::kubewarden::{Compared, Deployment, Policy, Refusal, Response, evaluate, payload};

/// The module, compiled once.
fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| host::policy().unwrap_or_else(|error| panic!("{error:#}; run `make policy.wasm`")))
}

thread_local! {
    /// Whether this test also runs the module.
    static HOSTED: Cell<bool> = const { Cell::new(false) };
}

/// The policy. It runs natively, and in a test of `in_the_wapc_host` also as WebAssembly, with the same bytes as the result.
/// Without the setting `claims`, it does not call the host. With the setting, all claims are free.
struct Both;

/// A host on which all claims are free.
fn nobody(call: &HostCall) -> Result<Vec<u8>, String> {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::of_claims("xposer-system", &time(-10), &Holders::new())).reply(call)
}

impl Policy for Both {
    fn call(&self, operation: &str, payload: &[u8]) -> Answer {
        let module = HOSTED.get().then(module);
        let answer = Compared { module, reply: Arc::new(nobody) }.call(operation, payload);
        let has_claims = String::from_utf8_lossy(payload).contains("claims");
        assert!(answer.calls.is_empty() || has_claims, "the policy asks its host nothing");
        answer
    }
}

/// Repeats every test of this file with the module.
macro_rules! in_the_wapc_host {
    ($($name:ident)*) => {
        mod in_the_wapc_host {
            $(#[test]
            #[ignore = "needs policy.wasm: make test"]
            fn $name() {
                super::HOSTED.set(true);
                super::$name();
                // The next test of this thread may not run the module.
                super::HOSTED.set(false);
            })*

            #[test]
            fn no_test_is_missing() {
                let tests = include_str!("policy.rs").split("\n#[test]\nfn ").skip(1);
                let names: Vec<&str> = tests.filter_map(|text| text.split('(').next()).collect();
                assert_eq!(names, [$(stringify!($name)),*]);
            }
        }
    };
}

in_the_wapc_host! {
    every_case_gets_the_verdict_of_the_core
    the_patch_holds_the_stamp_and_nothing_else
    the_text_around_the_annotations_stays
    a_service_without_annotations_gets_some
    a_stamp_follows_the_service
    a_policy_that_only_validates_changes_nothing
    other_requests_are_accepted
    a_dry_run_and_an_audit_get_the_same_verdict
    the_namespace_of_the_request_counts_where_the_object_names_none
    generated_name_is_refused_with_a_message
    several_errors_make_one_message
    long_and_many_warnings_are_cut
    equal_warnings_name_their_annotations
    a_service_that_seems_to_ask_is_let_through_with_a_warning
    invalid_settings_have_plain_messages
    settings_are_tried
    settings_without_json_have_plain_messages
    no_payload_makes_the_guest_functions_fail
    the_answer_is_the_one_that_the_sdk_reads
    a_large_service_is_answered_in_time
}

fn request(operation: &str, object: &Value) -> Value {
    json!({
        "uid": "1299d386-525b-4032-98ae-1949f69f9cfc",
        "kind": {"group": "", "version": "v1", "kind": "Service"},
        "resource": {"group": "", "version": "v1", "resource": "services"},
        "operation": operation, "userInfo": {"username": "alice"},
        "namespace": object["metadata"].get("namespace"), "object": object,
    })
}

fn deployment(settings: &Value) -> Deployment {
    Deployment { settings: settings.as_object().cloned().unwrap_or_default(), ..Deployment::default() }
}

fn answer(settings: &Value, request: &Value) -> Response {
    evaluate(&Both, &deployment(settings), request).unwrap_or_else(|refusal| panic!("{refusal}")).0
}

fn web(annotations: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
        "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}, "annotations": annotations}})
}

fn example() -> Value {
    json!({"domain": "example.com"})
}

/// Returns the object after the patch.
fn patched(object: &Value, response: &Response) -> Value {
    let mut object = object.clone();
    let patch: json_patch::Patch = serde_json::from_value(response.operations().into()).unwrap();
    json_patch::patch(&mut object, &patch).unwrap();
    object
}

/// Returns an object as an API server sends it, without unknown fields. Here, only the fields that the core reads are kept.
fn admitted(object: &Value) -> Value {
    let kept = READ.iter().filter_map(|(name, fields)| {
        let mut value = object.get(*name)?.clone();
        if let Value::Object(map) = &mut value {
            map.retain(|field, _| fields.contains(&field.as_str()));
        }
        Some(((*name).to_owned(), value))
    });
    kept.collect()
}

/// Compares a response with the outcome of the core.
fn check(slug: &str, object: &Value, settings: &Settings, response: &Response) {
    let seen = admitted(object);
    let outcome = expose(&Service::from_value(&seen), settings);
    let empty = Report::default();
    let report = outcome.report().unwrap_or(&empty);
    assert_eq!(response.allowed, !outcome.is_refused(), "{slug}");
    let errors: Vec<_> = report.of(Severity::Error).collect();
    let status = response.status.clone().unwrap_or_default();
    assert_eq!(status.code, (!response.allowed).then_some(422), "{slug}");
    let message = status.message.unwrap_or_default();
    for error in &errors {
        assert!(message.contains(&format!("{}: {}", error.path, error.message)), "{slug}: {message}");
        assert!(error.help.as_ref().is_none_or(|help| message.contains(help)), "{slug}: {message}");
    }
    assert!(message.matches(" [").count() >= errors.len(), "{slug}: {message}");
    let warnings = response.warnings.clone().unwrap_or_default();
    let expected = report.of(Severity::Warning).count();
    let is_cut =
        warnings.last().is_some_and(|last| last.contains("more warnings; list them with `xposer check`"));
    assert!(
        if is_cut { warnings.len() < expected } else { warnings.len() == expected },
        "{slug}: {warnings:?}"
    );
    assert!(
        warnings.iter().all(|warning| warning.len() <= 256 && !warning.contains(char::is_control)),
        "{slug}: {warnings:?}"
    );
    assert!(warnings.iter().map(String::len).sum::<usize>() <= 4096, "{slug}: {warnings:?}");
    let unique: BTreeSet<&String> = warnings.iter().collect();
    assert_eq!(unique.len(), warnings.len(), "{slug}: kubectl shows equal warnings once: {warnings:?}");
    let mut codes: Vec<&str> = Vec::new();
    for diagnostic in report.diagnostics() {
        if !codes.contains(&diagnostic.code.slug()) {
            codes.push(diagnostic.code.slug());
        }
    }
    let audit = response.audit_annotations.as_ref().map(|audit| audit["codes"].as_str().unwrap().to_owned());
    assert_eq!(audit.unwrap_or_default(), codes.join(","), "{slug}");

    let mut expected = object.clone();
    if response.allowed && settings.stamp() {
        stamp::write(&mut expected, outcome.plan().and_then(Plan::stamp).as_ref());
    }
    let found = patched(object, response);
    assert_eq!(found, expected, "{slug}");
    assert_eq!(response.patch.is_some(), found != *object, "{slug}");
}

#[test]
fn every_case_gets_the_verdict_of_the_core() {
    let mut seen = 0;
    for case in cases::all().unwrap_or_else(|error| panic!("{error:#}")) {
        let settings = case.settings.clone().unwrap_or(Value::Null);
        let Value::Object(map) = &settings else {
            assert!(settings.is_null() || case.run().unusable, "{}", case.slug);
            if settings.is_null() {
                seen += run_case(&case, &Map::new());
            }
            continue;
        };
        seen += run_case(&case, map);
    }
    assert!(seen > 200, "only {seen} Services were looked at");
}

fn run_case(case: &cases::Case, map: &Map<String, Value>) -> usize {
    let deployment = Deployment { settings: map.clone(), ..Deployment::default() };
    let settings = Settings::from_value(&Value::Object(map.clone())).and_then(|settings| {
        let report = settings.try_out();
        if report.has_errors() { Err(report) } else { Ok(settings) }
    });
    let mut seen = 0;
    for object in case.services() {
        let answered = evaluate(&Both, &deployment, &request("CREATE", object));
        match (&settings, answered) {
            (Ok(settings), Ok((response, _))) => {
                check(&case.slug, object, settings, &response);
                // A stamped object is not changed again.
                let again =
                    evaluate(&Both, &deployment, &request("UPDATE", &patched(object, &response))).unwrap().0;
                assert_eq!(again.operations(), Vec::<Value>::new(), "{}", case.slug);
                assert_eq!(again.allowed, response.allowed, "{}", case.slug);
            }
            (Err(report), Err(Refusal::Settings(said))) => {
                for problem in report.diagnostics() {
                    assert!(
                        said.contains(&format!("{}: {}", problem.path, problem.message)),
                        "{}: {said}",
                        case.slug
                    );
                }
            }
            (settings, answered) => panic!("{}: {settings:?} {answered:?}", case.slug),
        }
        seen += 1;
    }
    seen
}

#[test]
fn the_patch_holds_the_stamp_and_nothing_else() {
    let mut object = web(json!({"note": "mine", "config.xposer.stakater.com/TLS": "true"}));
    object["spec"]["futureField"] = json!({"a": [1, 2.50, null, "\u{2028}"]});
    object["metadata"]["managedFields"] = json!([{"manager": "kubectl", "fieldsV1": {"f:metadata": {}}}]);
    let response = answer(&example(), &request("CREATE", &object));
    let mut operations = response.operations();
    operations.sort_by_key(|operation| operation["path"].to_string());
    assert_eq!(
        operations,
        [
            json!({"op": "add", "path": "/metadata/annotations/status.xposer.stakater.com~1ingress", "value": "web"}),
            json!({"op": "add", "path": "/metadata/annotations/status.xposer.stakater.com~1url",
                "value": "https://web.shop.example.com"}),
        ]
    );
}

/// Only the annotations change: the values of all other fields keep their text, and the fields keep their order.
#[test]
fn the_text_around_the_annotations_stays() {
    const LABELS: &str = r#""name":"web","namespace":"shop","labels":{"expose":"true"}"#;
    const NOTE: &str = r#"{"note":"}]{[\\\"status"}"#;
    const SPEC: &str = r#"{"ports":[{"port":80}] ,"x":"{\"\\", "n":1.50e+0}"#;
    let spec = format!(r#""spec":{SPEC}"#);
    let objects = [
        (
            true,
            format!(
                r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"annotations":{NOTE},{LABELS}}},{spec}}}"#
            ),
        ),
        (
            true,
            format!(
                r#"{{{spec},"metadata":{{{LABELS},"managedFields":[{{"f":{{}}}}],"annotations":{NOTE}}}}}"#
            ),
        ),
        // Blanks between fields.
        (
            false,
            format!(
                "\n{{ \t{spec} ,\r\n \"metadata\" : {{ {LABELS}, \"annotations\" \n:\t {NOTE} , \"n\":[[{{}}]] }} }}"
            ),
        ),
        (
            true,
            format!(r#"{{"metadata":{{"annotations":{{}},{LABELS}}},{spec},"status":{{"a":[1.50,1e400]}}}}"#),
        ),
        // Keys with an escape.
        (false, format!(r#"{{{spec},"metadata":{{{LABELS},"annot\u0061tions":{NOTE}}}}}"#)),
        (false, format!(r#"{{"\u0061":{{"b":1}},{spec},"metadata":{{{LABELS},"annotations":{NOTE}}}}}"#)),
        // Duplicate keys.
        (false, format!(r#"{{"metadata":{{"annotations":{NOTE}}},{spec},"metadata":{{{LABELS}}}}}"#)),
        (
            false,
            format!(r#"{{{spec},"metadata":{{"annotations":{{"a":"b"}},{LABELS},"annotations":{NOTE}}}}}"#),
        ),
        // Annotations that are not a mapping.
        (false, format!(r#"{{{spec},"metadata":{{{LABELS},"annotations":null}}}}"#)),
        (false, format!(r#"{{{spec},"metadata":{{{LABELS}}}}}"#)),
    ];
    for (in_place, text) in &objects {
        let payload = format!(
            r#"{{"settings":{{"domain":"example.com"}},"request":{{"uid":"{{","operation":"CREATE","kind":{{"kind":"Service"}},"object":{text},"dryRun":false}}}}"#
        );
        let answer = Both.call("validate", payload.as_bytes()).result.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (_, found) =
            answer.split_once(r#""mutated_object":"#).unwrap_or_else(|| panic!("{text}: {answer}"));
        let found = found.strip_suffix('}').unwrap();
        assert!(found.contains(SPEC), "{text}: {found}");
        if *in_place {
            let text = text.trim();
            let shared = found.bytes().zip(text.bytes()).take_while(|(found, text)| found == text).count();
            let behind =
                found.bytes().rev().zip(text.bytes().rev()).take_while(|(found, text)| found == text);
            assert!(shared + behind.count() >= text.len() - NOTE.len(), "{text}: {found}");
        }
        let parse = |text: &str| serde_json::from_str::<Value>(&text.replace("1e400", "1e40")).unwrap();
        let mut expected = parse(text);
        let annotations = &mut expected["metadata"]["annotations"];
        annotations["status.xposer.stakater.com/url"] = json!("http://web.shop.example.com");
        annotations["status.xposer.stakater.com/ingress"] = json!("web");
        assert_eq!(parse(found), expected, "{text}");
    }
}

#[test]
fn a_service_without_annotations_gets_some() {
    let bare = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
        "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}}, "status": {"x": 1.0}});
    for annotations in [Value::Null, json!({})] {
        let mut object = bare.clone();
        object["metadata"]["annotations"] = annotations;
        let response = answer(&example(), &request("CREATE", &object));
        let found = patched(&object, &response);
        assert_eq!(
            found["metadata"]["annotations"]["status.xposer.stakater.com/url"],
            "http://web.shop.example.com"
        );
        assert_eq!(found["status"], bare["status"]);
    }
    let response = answer(&example(), &request("CREATE", &bare));
    assert_eq!(response.operations().len(), 1);
}

#[test]
fn a_stamp_follows_the_service() {
    let stamped = |url: &str| json!({"status.xposer.stakater.com/url": url, "status.xposer.stakater.com/ingress": "web", "note": "mine"});
    // The stamp is already true.
    let object = web(stamped("http://web.shop.example.com"));
    assert_eq!(answer(&example(), &request("UPDATE", &object)).patch, None);
    // The stamp is not true.
    let object = web(stamped("http://evil.example.org"));
    let response = answer(&example(), &request("UPDATE", &object));
    assert_eq!(patched(&object, &response), web(stamped("http://web.shop.example.com")));
    // The Service is no longer exposed: the label is missing, or has another value.
    for labels in [json!({}), json!({"expose": "false"}), Value::Null] {
        let mut object = web(stamped("http://web.shop.example.com"));
        object["metadata"]["labels"] = labels;
        let response = answer(&example(), &request("UPDATE", &object));
        assert!(response.allowed);
        assert_eq!(patched(&object, &response)["metadata"]["annotations"], json!({"note": "mine"}));
    }
    // Only the new object counts, whatever the old object was.
    let mut update = request("UPDATE", &web(json!({})));
    for old in [Value::Null, web(stamped("http://other.example.com")), json!([]), json!("x")] {
        update["oldObject"] = old;
        assert_eq!(answer(&example(), &update).operations().len(), 2);
    }
}

#[test]
fn a_policy_that_only_validates_changes_nothing() {
    let settings = json!({"domain": "example.com", "stamp": false});
    for object in [web(json!({})), web(json!({"status.xposer.stakater.com/url": "http://old"}))] {
        let response = answer(&settings, &request("CREATE", &object));
        assert!(response.allowed && response.patch.is_none());
    }
    let broken = web(json!({"config.xposer.stakater.com/IngressURLTemplate": "{{.Name}}"}));
    assert!(!answer(&settings, &request("CREATE", &broken)).allowed);
    // Kubewarden rejects a mutation of a policy that must not mutate.
    let strict = Deployment { mutating: false, ..deployment(&example()) };
    let (response, _) = evaluate(&Both, &strict, &request("CREATE", &web(json!({})))).unwrap();
    assert!(!response.allowed && response.patch.is_none());
    let silent = Deployment { mutating: false, ..deployment(&settings) };
    assert!(evaluate(&Both, &silent, &request("CREATE", &web(json!({})))).unwrap().0.allowed);
}

#[test]
fn other_requests_are_accepted() {
    let broken = web(json!({"config.xposer.stakater.com/IngressURLTemplate": "{{.Name}}",
        "status.xposer.stakater.com/url": "http://old"}));
    let create = request("CREATE", &broken);
    assert!(!answer(&example(), &create).allowed);
    let with = |path: &str, value: Value| {
        let mut request = create.clone();
        *request.pointer_mut(path).unwrap() = value;
        request
    };
    let mut status = create.clone();
    status["subResource"] = json!("status");
    let mut deleted = create.clone();
    deleted["object"]["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let mut delete = create.clone();
    delete["operation"] = json!("DELETE");
    delete["oldObject"] = delete["object"].take();
    let passing = [
        with("/kind/kind", json!("ConfigMap")),
        with("/kind", json!({"group": "serving.knative.dev", "version": "v1", "kind": "Service"})),
        with("/operation", json!("CONNECT")),
        with("/operation", json!("")),
        with("/object", Value::Null),
        status,
        deleted,
        delete,
    ];
    for request in passing {
        let response = answer(&example(), &request);
        assert!(
            response.allowed && response.patch.is_none() && response.audit_annotations.is_none(),
            "{request}"
        );
    }
}

#[test]
fn a_dry_run_and_an_audit_get_the_same_verdict() {
    let object = web(json!({}));
    let expected = answer(&example(), &request("CREATE", &object));
    let mut dry = request("CREATE", &object);
    dry["dryRun"] = json!(true);
    assert_eq!(answer(&example(), &dry), expected);
    // The audit scanner sends the kind as the resource, and no user.
    let audit = json!({"uid": "1299d386-525b-4032-98ae-1949f69f9cfc", "name": "web", "namespace": "shop",
        "operation": "CREATE", "userInfo": {}, "object": object,
        "kind": {"group": "", "version": "v1", "kind": "Service"},
        "requestKind": {"group": "", "version": "v1", "kind": "Service"},
        "resource": {"group": "", "version": "v1", "resource": "Service"}});
    assert_eq!(answer(&example(), &audit), expected);
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": audit});
    assert_eq!(answer(&example(), &review), expected);
}

#[test]
fn the_namespace_of_the_request_counts_where_the_object_names_none() {
    let mut object = web(json!({}));
    object["metadata"].as_object_mut().unwrap().remove("namespace");
    let mut request = request("CREATE", &object);
    request["namespace"] = json!("tools");
    let found = patched(&object, &answer(&example(), &request));
    assert_eq!(
        found["metadata"]["annotations"]["status.xposer.stakater.com/url"],
        "http://web.tools.example.com"
    );
}

#[test]
fn generated_name_is_refused_with_a_message() {
    let mut object = web(json!({}));
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("name");
    metadata.insert("generateName".to_owned(), json!("web-"));
    let status = answer(&example(), &request("CREATE", &object)).status.unwrap();
    let said = status.message.unwrap();
    assert_eq!(
        said,
        "Service without a name in shop cannot be exposed: metadata.generateName: the API server chooses the name of the \
         Service, so the names of its objects are not known; set metadata.name instead [service-name-invalid]"
    );
}

#[test]
fn several_errors_make_one_message() {
    let object = web(json!({
        "config.xposer.stakater.com/IngressURLTemplate": "https://Web_1.{{.Doman}}",
        "config.xposer.stakater.com/IngressNameTemplate": "{{.Service}",
        "config.xposer.stakater.com/PathType": "prefix",
        "config.xposer.stakater.com/TSL": "true",
    }));
    let response = answer(&json!({}), &request("CREATE", &object));
    let message = response.status.unwrap().message.unwrap();
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines[0], "Service shop/web cannot be exposed, for 3 reasons:");
    assert_eq!(
        lines[1],
        "1. metadata.annotations[\"config.xposer.stakater.com/IngressNameTemplate\"]: the action is not closed by `}}`; \
         close the action with two braces: `{{.Service}}` [template-unclosed]"
    );
    assert_eq!(lines.len(), 4);
    assert_eq!(
        response.warnings.unwrap(),
        ["xposer[annotation-unknown]: TSL: there is no annotation `config.xposer.stakater.com/TSL`; \
          did you mean config.xposer.stakater.com/TLS?"]
    );
    assert_eq!(
        response.audit_annotations.unwrap()["codes"],
        "template-unclosed,template-unknown-variable,path-type-unknown,annotation-unknown"
    );
}

#[test]
fn long_and_many_warnings_are_cut() {
    let object = web(json!({"xposer.stakater.com/annotations": format!("{}\n", "é".repeat(300)).repeat(50)}));
    let warnings = answer(&example(), &request("CREATE", &object)).warnings.unwrap();
    let (last, whole) = warnings.split_last().unwrap();
    assert!(whole[0].starts_with(
        "xposer[forward-malformed]: xposer.stakater.com/annotations: line 1 has no colon and is skipped: `éé"
    ));
    for warning in whole {
        assert!(warning.ends_with("...; write `key: value`"), "{warning}");
        assert!((254..=256).contains(&warning.len()), "{warning}");
    }
    assert_eq!(whole.len(), 15);
    assert_eq!(last, "xposer: 35 more warnings; list them with `xposer check`");
    // A report keeps 100 findings with one code. The number includes the others.
    let object =
        web(json!({"xposer.stakater.com/annotations": format!("{}\n", "é".repeat(300)).repeat(250)}));
    let warnings = answer(&example(), &request("CREATE", &object)).warnings.unwrap();
    let (last, whole) = warnings.split_last().unwrap();
    assert_eq!(*last, format!("xposer: {} more warnings; list them with `xposer check`", 250 - whole.len()));
}

#[test]
fn equal_warnings_name_their_annotations() {
    let names = ["Domain", "IngressNameTemplate", "IngressURLPath", "TLS"];
    let empty: Map<String, Value> =
        names.iter().map(|name| (format!("config.xposer.stakater.com/{name}"), json!(""))).collect();
    let warnings = answer(&example(), &request("CREATE", &web(empty.into()))).warnings.unwrap();
    let expected = names.map(|name| {
        format!("xposer[annotation-empty]: {name}: the value is empty and counts as not set; give it a value or remove it")
    });
    assert_eq!(warnings, expected);
}

#[test]
fn a_service_that_seems_to_ask_is_let_through_with_a_warning() {
    let mut object = web(json!({"config.xposer.stakater.com/Domain": "example.com"}));
    object["metadata"]["labels"] = json!({"expose": "True"});
    for settings in [json!({}), json!({"strict": true})] {
        let response = answer(&settings, &request("CREATE", &object));
        assert!(response.allowed && response.patch.is_none());
        assert_eq!(
            response.warnings.unwrap(),
            [
                "xposer[asked-wrongly]: metadata.labels.expose: the label is `True`, but only `true` exposes the Service; \
              write expose: \"true\""
            ]
        );
        assert_eq!(response.audit_annotations.unwrap()["codes"], "asked-wrongly");
    }
    for labels in [json!({"expose": "false"}), json!({"expose": "No"})] {
        object["metadata"]["labels"] = labels;
        let response = answer(&json!({}), &request("CREATE", &object));
        assert!(response.allowed && response.warnings.is_none() && response.audit_annotations.is_none());
    }
    // The stamp is removed nevertheless.
    object["metadata"]["labels"] = json!({});
    object["metadata"]["annotations"]["status.xposer.stakater.com/url"] = json!("http://old");
    let response = answer(&json!({}), &request("UPDATE", &object));
    assert_eq!((response.operations().len(), response.warnings.unwrap().len()), (1, 1));
}

#[test]
fn invalid_settings_have_plain_messages() {
    let refused = |settings: &Value| match evaluate(
        &Both,
        &deployment(settings),
        &request("CREATE", &web(json!({}))),
    ) {
        Err(Refusal::Settings(said)) => said,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(&json!({"domian": "x"})),
        "xposer: settings.domian: there is no setting `domian`; did you mean domain? [setting-unknown]"
    );
    assert_eq!(
        refused(&json!({"stamp": "maybe", "ingressURLTemplate": "{{.Name}}", "strict": 3})),
        "xposer: 3 problems:\n\
         1. settings.ingressURLTemplate: there is no variable `.Name`; use {{.Service}}, {{.Namespace}} or {{.Domain}} \
         [template-unknown-variable]\n\
         2. settings.stamp: expected true or false, found the text `maybe`; write true or false [setting-invalid]\n\
         3. settings.strict: expected true or false, found the number 3; write true or false [setting-invalid]"
    );
}

/// Settings are refused if they can be read but every Service would be refused under them.
#[test]
fn settings_are_tried() {
    let problem = |settings: Value| match evaluate(
        &Both,
        &deployment(&settings),
        &request("CREATE", &web(json!({}))),
    ) {
        Err(Refusal::Settings(said)) => said,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        problem(json!({"domain": "https://example.com"})),
        "xposer: settings.domain: the host `web.shop.https://example.com` contains a scheme, expected a host (tried on a \
         Service `web` in the namespace `shop`); remove the scheme; request https with the setting tls [host-scheme]"
    );
    assert_eq!(
        problem(
            json!({"domain": "Example.com", "ingressURLPath": "//", "profiles": {"external": {}, "internal": {}},
            "namespaces": {"team-a": {"ingressNameTemplate": "My_{{.Service}}"}}})
        ),
        "xposer: 3 problems:\n\
         1. settings.domain: the host `web.shop.Example.com` contains upper-case letters (tried on a Service `web` in the \
         namespace `shop`); write it in lower case [host-uppercase]\n\
         2. settings.ingressURLPath: `//` is not a path of type Prefix: it contains `//`; write a single slash [path-invalid]\n\
         3. settings.namespaces.team-a.ingressNameTemplate: `My_web` is not a valid Ingress name: it contains `_` (tried on \
         a Service `web` in the namespace `team-a`); write `-` instead of `_` [ingress-name-invalid]"
    );
    // Values that only the author of a Service can give are not a problem of the settings.
    let settings = json!({"tls": "cert-manager", "profiles": {"external": {"ingressClassName": "external"}}});
    assert!(evaluate(&Both, &deployment(&settings), &request("CREATE", &web(json!({})))).is_ok());
}

#[test]
fn settings_without_json_have_plain_messages() {
    for (settings, place) in [
        ("{\"domain\": \"example.com\",}", "the text cannot be read at line 1, column 26"),
        ("{\n  \"domain\": example.com\n}", "the text cannot be read at line 2, column 13"),
        ("{\"domain\": \"example.com\"", "the text ends too early, at line 1, column 24"),
        ("domain: example.com", "the text cannot be read at line 1, column 1"),
    ] {
        let answer = Both.call("validate_settings", settings.as_bytes()).result.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let said = format!(
            "xposer: the settings are not JSON: {place}; write one JSON object, such as {{\"domain\": \"example.com\"}}"
        );
        assert_eq!(answer, json!({"valid": false, "message": said}), "{settings}");
    }
}

#[test]
fn no_payload_makes_the_guest_functions_fail() {
    let settings = br#"{"settings": {"domain": 3}, "request": {"operation": "CREATE", "object": {"kind": "Service", "apiVersion": "v1"}}}"#;
    let payloads: [&[u8]; 12] = [
        b"", b"null", b"[]", b"{}", b"\xff", b"{\"request\": 1}", b"{\"request\": {}}",
        b"{\"request\": {\"operation\": 3}}", b"{\"request\": {\"operation\": \"CREATE\", \"object\": [}}",
        b"{\"request\": {\"operation\": \"CREATE\", \"operation\": \"CREATE\"}}",
        b"{\"request\": {\"operation\": \"CREATE\", \"object\": \"\\ud800\", \"kind\": {\"kind\": \"Service\"}}}",
        settings,
    ];
    for payload in payloads {
        for operation in ["validate", "validate_settings"] {
            let answer = Both.call(operation, payload).result.unwrap();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert!(answer.is_object(), "{}", String::from_utf8_lossy(payload));
        }
    }
    let answer: Value = serde_json::from_slice(&Both.call("validate", b"{}").result.unwrap()).unwrap();
    assert_eq!((&answer["accepted"], &answer["code"]), (&json!(false), &json!(400)));
    let answer: Value = serde_json::from_slice(&Both.call("validate", settings).result.unwrap()).unwrap();
    assert_eq!((&answer["accepted"], &answer["code"]), (&json!(false), &json!(500)));
}

#[test]
fn the_answer_is_the_one_that_the_sdk_reads() {
    use kubewarden_policy_sdk::response::ValidationResponse;
    for object in [web(json!({})), web(json!({"config.xposer.stakater.com/TLS": "maybe"})), web(json!([]))] {
        let payload = payload(&request("CREATE", &object), example().as_object().unwrap()).unwrap();
        let answer = Both.call("validate", payload.to_string().as_bytes()).result.unwrap();
        let read: ValidationResponse = serde_json::from_slice(&answer).unwrap();
        assert_eq!(read.accepted, read.mutated_object.is_some());
        assert_eq!(read.accepted, read.message.is_none());
    }
}

#[test]
fn a_large_service_is_answered_in_time() {
    let block: String = (0..4_000).map(|n| format!("example.com/key-{n:05}: {}\n", "x".repeat(30))).collect();
    let mut object = web(json!({"xposer.stakater.com/annotations": block}));
    object["spec"]["note"] = json!("y".repeat(900_000));
    let response = answer(&example(), &request("CREATE", &object));
    assert!(response.allowed, "{response:?}");
    assert_eq!(response.operations().len(), 2);
    // Annotations beyond the API server's limit are refused without being read.
    object["metadata"]["annotations"]["more"] = json!("z".repeat(262_144));
    let status = answer(&example(), &request("CREATE", &object)).status.unwrap();
    assert!(status.message.unwrap().ends_with("shorten the annotations [annotations-too-large]"));
}
