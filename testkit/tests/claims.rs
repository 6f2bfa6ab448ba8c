//! The policy looks up claims, also for objects that are not Services: natively and as WebAssembly in the real waPC host, with the
//! same responses of the host.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "the helpers of a test fail it like the test itself"
)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use xposer::conflicts::{BucketHash, Holder, Holders, SHARD_LABELS};
use xposer_testkit::cluster::{Cluster, time};
use xposer_testkit::host::{self, HostCall, Module, Reply};
use xposer_testkit::kubewarden::{Compared, Deployment, Response, evaluate};

/// The module, compiled once.
fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| host::policy().unwrap_or_else(|error| panic!("{error:#}; run `make policy.wasm`")))
}

thread_local! {
    /// Whether this test also runs the module.
    static HOSTED: Cell<bool> = const { Cell::new(false) };
}

/// Returns the policy with a host. It runs natively, and in a test of `in_the_wapc_host` also as WebAssembly.
fn asking(reply: &Arc<Reply>) -> Compared {
    Compared { module: HOSTED.get().then(module), reply: Arc::clone(reply) }
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
                super::HOSTED.set(false);
            })*

            #[test]
            fn no_test_is_missing() {
                let tests = include_str!("claims.rs").split("\n#[test]\nfn ").skip(1);
                let names: Vec<&str> = tests.filter_map(|text| text.split('(').next()).collect();
                assert_eq!(names, [$(stringify!($name)),*]);
            }
        }
    };
}

in_the_wapc_host! {
    each_shard_is_looked_up_once
    response_size_is_independent_of_the_requesting_namespace
    unexposed_service_needs_no_lookup
    an_older_one_keeps_what_it_has
    in_the_mode_warn_the_service_passes_without_a_url
    the_owner_passes
    creation_time_of_the_request_is_ignored
    concurrent_requests_both_pass
    a_holder_in_another_namespace_can_be_hidden
    unknown_claims_are_warnings
    keys_that_are_not_asked_for_do_not_matter
    dropped_claims_are_unknown_for_their_bucket_only
    known_claims_apply_despite_unknown_ones
    a_slow_host_is_not_asked_for_long
    a_request_that_asks_for_more_than_can_be_looked_up_is_refused
    a_canary_is_held_to_its_stable_service
    an_audit_asks_as_the_owner
    other_kinds_pass_unless_they_are_guarded
    a_hand_written_object_takes_no_hosts_of_others
    a_hand_written_object_has_what_its_namespace_may_use
    a_hand_written_object_does_not_take_what_is_claimed
    existing_claims_pass
    unknown_existing_claims_do_not_refuse
    partial_path_belongs_to_the_namespace_of_the_path
    the_block_of_a_service_takes_no_hosts_of_others
    names_of_others_are_cut_and_escaped
    the_controller_passes_by_its_account_alone
    a_guard_that_warns_refuses_nothing
    a_canary_by_hand_is_for_its_own_namespace
    a_name_that_an_update_keeps_is_a_warning
}

const OLD: &str = "2026-01-01T00:00:00Z";
const NEW: &str = "2026-06-01T00:00:00Z";
const HOST: &str = "prefix shop.example.com/";

fn holder(kind: &str, namespace: &str, name: &str, created: &str) -> Holder {
    let [kind, namespace, name, created] = [kind, namespace, name, created].map(str::to_owned);
    Holder { kind, namespace, name, created, is_local: false, is_part: false }
}

fn held(rows: &[(&str, Holder)]) -> Holders {
    let mut holders = Holders::new();
    for (text, holder) in rows {
        holders.entry((*text).to_owned()).or_default().push(holder.clone());
    }
    holders
}

fn cluster(holders: &Holders) -> Arc<Reply> {
    let cluster = Cluster::of_claims("xposer-system", &time(-10), holders);
    Arc::new(move |call| cluster.reply(call))
}

fn settings(claims: Value) -> Value {
    let mut all = json!({"ingressURLTemplate": "shop.example.com", "claims": {"namespace": "xposer-system", "mode": "deny"}});
    for (key, value) in claims.as_object().unwrap() {
        all["claims"][key] = value.clone();
    }
    all
}

fn web(annotations: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
        "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}, "annotations": annotations}})
}

fn request(object: Value) -> Value {
    json!({
        "uid": "1299d386-525b-4032-98ae-1949f69f9cfc",
        "kind": {"group": "", "version": "v1", "kind": "Service"},
        "resource": {"group": "", "version": "v1", "resource": "services"},
        "operation": "CREATE", "userInfo": {"username": "alice"}, "namespace": "shop", "object": object,
    })
}

fn update(old: Value, object: Value) -> Value {
    let mut request = request(object);
    request["operation"] = json!("UPDATE");
    request["oldObject"] = old;
    request
}

fn answer(settings: &Value, request: &Value, reply: &Arc<Reply>) -> (Response, Vec<HostCall>) {
    let deployment = Deployment { settings: settings.as_object().cloned().unwrap(), ..Deployment::default() };
    evaluate(&asking(reply), &deployment, request).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn message(response: &Response) -> String {
    assert!(!response.allowed, "{response:?}");
    response.status.clone().unwrap().message.unwrap()
}

fn code(response: &Response) -> u16 {
    response.status.clone().unwrap().code.unwrap()
}

const TAKEN: &str = "Service shop/web cannot be exposed: settings.ingressURLTemplate: `shop.example.com/` is also claimed by \
    Ingress ops/old, created on 2026-01-01; choose another host or path [route-claimed]";

#[test]
fn each_shard_is_looked_up_once() {
    let others = held(&[("prefix blog.example.com/", holder("Ingress", "ops", "old", OLD))]);
    let (response, calls) = answer(&settings(json!({})), &request(web(json!({}))), &cluster(&others));
    assert!(response.allowed && response.warnings.is_none(), "{response:?}");
    assert_eq!(response.operations().len(), 2);
    let payloads: Vec<Value> =
        calls.iter().map(|call| serde_json::from_slice(&call.payload).unwrap()).collect();
    let get = |name: &str| json!({"api_version": "v1", "kind": "ConfigMap", "namespace": "xposer-system", "name": name, "disable_cache": true});
    // One ConfigMap for the host, and one for the name.
    assert_eq!(payloads, [get("xposer-claims-2a"), get("xposer-claims-7d")]);
    for call in calls {
        assert_eq!(
            [call.binding, call.namespace, call.operation],
            ["kubewarden", "kubernetes", "get_resource"]
        );
    }
}

/// A response of the host contains one of 256 shards, even if all claims are in the namespace of the request.
#[test]
fn response_size_is_independent_of_the_requesting_namespace() {
    let asked = |namespace: &dyn Fn(usize) -> String| {
        let rows = (0..1000).flat_map(|n| {
            let (namespace, name) = (namespace(n), format!("web-{n}"));
            let texts = [
                format!("Ingress {namespace}/{name}"),
                format!("Secret {namespace}/{name}-cert"),
                format!("prefix {name}.example.com/"),
            ];
            texts.map(|text| (text, vec![holder("Service", &namespace, &name, OLD)]))
        });
        let answers = cluster(&rows.collect());
        let bytes: Arc<Mutex<usize>> = Arc::default();
        let counted = Arc::clone(&bytes);
        let counting: Arc<Reply> = Arc::new(move |call| {
            let answer = answers(call)?;
            *counted.lock().unwrap() += answer.len();
            Ok(answer)
        });
        let (response, calls) = answer(&settings(json!({})), &request(web(json!({}))), &counting);
        assert!(response.allowed && calls.len() == 2, "{response:?}");
        // In the waPC host, the policy runs twice: natively, and as the module.
        let runs = if HOSTED.get() { 2 } else { 1 };
        *bytes.lock().unwrap() / runs
    };
    let (crowded, spread) = (asked(&|_| "shop".to_owned()), asked(&|n| format!("team-{}", n / 10)));
    assert!(crowded < 6000 && spread < 6000, "{crowded} {spread}");
}

#[test]
fn unexposed_service_needs_no_lookup() {
    let nobody: Arc<Reply> = Arc::new(|call| panic!("{call:?}"));
    let mut silent = web(json!({}));
    silent["metadata"]["labels"]["expose"] = json!("false");
    let refused = web(json!({"config.xposer.stakater.com/IngressURLTemplate": "{{.Name}}"}));
    let mut deleted = web(json!({}));
    deleted["metadata"]["deletionTimestamp"] = json!(NEW);
    for object in [silent, refused, deleted] {
        assert_eq!(answer(&settings(json!({})), &request(object), &nobody).1, []);
    }
    let without = json!({"ingressURLTemplate": "shop.example.com"});
    for settings in [without, settings(json!({"mode": "off"}))] {
        let (response, calls) = answer(&settings, &request(web(json!({}))), &nobody);
        assert!(response.allowed && calls.is_empty());
    }
}

#[test]
fn an_older_one_keeps_what_it_has() {
    let taken = held(&[(HOST, holder("Ingress", "ops", "old", OLD))]);
    let (response, _) = answer(&settings(json!({})), &request(web(json!({}))), &cluster(&taken));
    assert_eq!((message(&response).as_str(), code(&response)), (TAKEN, 422));
    assert_eq!(response.audit_annotations.unwrap()["codes"], "route-claimed");
    assert!(response.patch.is_none());
    // All conflicts at once.
    let taken = held(&[
        (HOST, holder("Ingress", "ops", "old", OLD)),
        ("Ingress shop/web", holder("Service", "shop", "other", OLD)),
        ("Secret shop/web-cert", holder("Service", "shop", "other", OLD)),
        ("key web-shop", holder("Service", "ops", "web-shop", OLD)),
    ]);
    let annotations = json!({"config.xposer.stakater.com/TLS": "cert-manager", "xposer.stakater.com/annotations": "exposeIngressUrl: globally"});
    let mut with_issuer = settings(json!({}));
    with_issuer["clusterIssuer"] = json!("letsencrypt");
    let (response, _) = answer(&with_issuer, &request(web(annotations)), &cluster(&taken));
    let said = message(&response);
    assert!(said.starts_with("Service shop/web cannot be exposed, for 4 reasons:\n1. "), "{said}");
    for code in ["name-claimed", "route-claimed", "secret-shared", "url-key-claimed"] {
        assert!(said.contains(&format!("[{code}]")), "{said}");
    }
    // The Service is older than the other holder, so it keeps the host, and its owner gets a warning.
    let younger = held(&[(HOST, holder("Ingress", "ops", "young", NEW))]);
    let mut old = web(json!({}));
    old["metadata"]["creationTimestamp"] = json!(OLD);
    let (response, _) = answer(&settings(json!({})), &update(old.clone(), old), &cluster(&younger));
    assert!(response.allowed);
    assert_eq!(response.audit_annotations.unwrap()["codes"], "claim-younger");
    assert!(
        response.warnings.unwrap()[0]
            .contains("Ingress ops/young, created on 2026-06-01, and the older object gets it")
    );
}

#[test]
fn in_the_mode_warn_the_service_passes_without_a_url() {
    let taken = cluster(&held(&[(HOST, holder("Ingress", "ops", "old", OLD))]));
    let (response, _) = answer(&settings(json!({"mode": "warn"})), &request(web(json!({}))), &taken);
    assert!(response.allowed && response.patch.is_none(), "{response:?}");
    assert_eq!(
        response.warnings.unwrap(),
        [
            "xposer[route-claimed]: settings.ingressURLTemplate: `shop.example.com/` is also claimed by Ingress ops/old, created on \
          2026-01-01; choose another host or path"
        ]
    );
    // The existing stamp is not true any more, so it is removed.
    let stamped = web(json!({"status.xposer.stakater.com/url": "http://shop.example.com", "note": "mine"}));
    let (response, _) = answer(&settings(json!({"mode": "warn"})), &request(stamped), &taken);
    assert_eq!(response.operations().len(), 1);
    assert_eq!(response.operations()[0]["op"], "remove");
}

#[test]
fn the_owner_passes() {
    let own = cluster(&held(&[
        (HOST, holder("Service", "shop", "web", OLD)),
        ("Ingress shop/web", holder("Service", "shop", "web", OLD)),
    ]));
    let mut old = web(json!({}));
    old["metadata"]["creationTimestamp"] = json!(OLD);
    let (response, _) = answer(&settings(json!({})), &update(old.clone(), old), &own);
    assert!(response.allowed && response.warnings.is_none(), "{response:?}");
    // A Service that is applied again after its deletion: the recorded claims are not up to date.
    assert!(answer(&settings(json!({})), &request(web(json!({}))), &own).0.allowed);
}

#[test]
fn creation_time_of_the_request_is_ignored() {
    let taken = cluster(&held(&[(HOST, holder("Ingress", "ops", "old", OLD))]));
    let mut forged = web(json!({}));
    forged["metadata"]["creationTimestamp"] = json!("1999-01-01T00:00:00Z");
    let mut young = web(json!({}));
    young["metadata"]["creationTimestamp"] = json!(NEW);
    for request in [request(forged.clone()), update(young, forged)] {
        assert_eq!(code(&answer(&settings(json!({})), &request, &taken).0), 422);
    }
}

#[test]
fn concurrent_requests_both_pass() {
    let nothing = cluster(&Holders::new());
    for name in ["one", "other"] {
        let mut object = web(json!({}));
        object["metadata"]["name"] = json!(name);
        assert!(answer(&settings(json!({})), &request(object), &nothing).0.allowed);
    }
}

#[test]
fn a_holder_in_another_namespace_can_be_hidden() {
    let hidden = settings(json!({"nameOthers": false}));
    let taken = cluster(&held(&[(HOST, holder("Ingress", "ops", "old", OLD))]));
    let said = message(&answer(&hidden, &request(web(json!({}))), &taken).0);
    assert!(said.contains("is also claimed by an object in another namespace; choose"), "{said}");
    assert!(!said.contains("ops") && !said.contains("2026"), "{said}");
    let taken = cluster(&held(&[(HOST, holder("Ingress", "shop", "old", OLD))]));
    let said = message(&answer(&hidden, &request(web(json!({}))), &taken).0);
    assert!(said.contains("by Ingress shop/old, created on 2026-01-01;"), "{said}");
}

fn state(version: u64, written: &str, dropped: u64) -> String {
    json!({"version": version, "written": written, "dropped": dropped}).to_string()
}

/// Returns a host on which every ConfigMap has this data.
fn every(data: Value) -> Arc<Reply> {
    let found =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"labels": BTreeMap::from(SHARD_LABELS)},
        "data": data})
        .to_string();
    Arc::new(move |_| Ok(found.clone().into_bytes()))
}

/// Returns a host on which every ConfigMap has only this state.
fn saying(state: &str) -> Arc<Reply> {
    every(json!({"state": state}))
}

#[test]
fn unknown_claims_are_warnings() {
    let fail = |error: &'static str| -> Arc<Reply> { Arc::new(move |_| Err(error.to_owned())) };
    let found = |bytes: &'static [u8]| -> Arc<Reply> { Arc::new(move |_| Ok(bytes.to_vec())) };
    let now = state(3, &time(-10), 0);
    // The claims of both buckets have these keys.
    assert_eq!(
        [BucketHash::of("shop.example.com"), BucketHash::of("web.shop.svc")].map(BucketHash::key),
        ['a', '5']
    );
    let both = |lines: &str| every(json!({"state": now, "a": lines, "5": lines}));
    let cases: [(&str, Arc<Reply>); 26] = [
        ("does not exist", Arc::new(|call| Cluster::default().reply(call))),
        (
            "cannot be read: Policy has not been granted access to the 'kubernetes/get_resource' host capability",
            fail("Policy has not been granted access to the 'kubernetes/get_resource' host capability"),
        ),
        ("cannot be read: ", fail("")),
        ("cannot be read: the answer is not JSON: the text ", found(b"")),
        ("cannot be read: the answer is not JSON: the text ", found(b"\xff\xfe")),
        ("cannot be read: the answer is not JSON: the text ", found(b"{} {}")),
        ("belongs to another owner: it does not have the labels of the claims", found(b"{}")),
        (
            "belongs to another owner: it does not have the labels of the claims",
            found(br#"{"metadata": {"labels": {"app.kubernetes.io/managed-by": "xposer"}}, "data": {"state": "{}"}}"#),
        ),
        ("has claims in an unknown format", found(b"null")),
        ("has claims in an unknown format", every(json!(3))),
        ("has no claims", every(json!({}))),
        ("has no claims", every(json!({"a": "Service shop/web - prefix shop.example.com/"}))),
        // The form of an older controller.
        (
            "has claims of a version before 3, written by an older controller",
            every(json!({"claims": json!({"version": 2, "written": time(-10), "claims": {}}).to_string()})),
        ),
        ("has claims in an unknown format", every(json!({"state": 3}))),
        ("has claims in an unknown format", saying("")),
        ("has claims in an unknown format", saying("[1]")),
        ("has claims in an unknown format", saying(r#"{"version": 3}"#)),
        // Invalid data under a requested key.
        ("has claims in an unknown format", both("x")),
        ("has claims in an unknown format", both("Service shop/web prefix")),
        ("has claims in an unknown format", both(&format!("Service web - {HOST}\nService web - Ingress shop/web"))),
        ("has claims in an unknown format", every(json!({"state": now, "a": [], "5": null}))),
        ("has the version 2, expected 3", saying(&state(2, &time(-10), 0))),
        // A newer version may have another form under its keys.
        ("has the version 4, expected 3", every(json!({"state": state(4, "", 0), "a": "x", "5": "x"}))),
        ("which is more than 3600 s ago", saying(&state(3, &time(-3700), 0))),
        ("which is more than 3600 s from now", saying(&state(3, &time(3700), 0))),
        ("leaves out 7 claims, because there are too many", saying(&state(3, &time(-10), 7))),
    ];
    for (reason, reply) in cases {
        let (response, calls) = answer(&settings(json!({})), &request(web(json!({}))), &reply);
        assert!(response.allowed && calls.len() == 2, "{reason}: {response:?}");
        let warnings = response.warnings.clone().unwrap();
        let begin = "xposer[claims-unknown]: metadata.name: the owners of its hosts and names are not known for 2 reasons, \
                     such as: the ConfigMap xposer-system/xposer-claims-2a ";
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with(begin) && warnings[0].len() <= 256, "{warnings:?}");
        // The Service is stamped nevertheless.
        assert_eq!(response.operations().len(), 2);
        let strict = settings(json!({"onFailure": "deny"}));
        let (response, _) = answer(&strict, &request(web(json!({}))), &reply);
        assert_eq!(code(&response), 503, "{reason}");
        let said = message(&response);
        assert!(said.contains(reason), "{said}");
        assert!(said.ends_with("; tell your administrator [claims-unknown]"), "{said}");
    }
    // The maximum age can be set.
    let old = saying(&state(3, &time(-3700), 0));
    assert!(answer(&settings(json!({"maxAge": "2h"})), &request(web(json!({}))), &old).0.warnings.is_none());
}

#[test]
fn keys_that_are_not_asked_for_do_not_matter() {
    let ask = |data: Value| answer(&settings(json!({})), &request(web(json!({}))), &every(data)).0;
    let now = state(3, &time(-10), 0);
    // Keys that another version may add, data that cannot be read, and a claim under another key.
    let strange = json!({"state": now, "b": "x", "ab": [], "later": {"deep": [1]}, "A": null, "": 1.5e3,
        "0": "Ingress ops/old 2026-01-01T00:00:00Z prefix shop.example.com/"});
    assert!(ask(strange.clone()).allowed && ask(strange.clone()).warnings.is_none());
    // A key may be written with JSON escapes, and be at any position.
    let mut taken = strange;
    taken["a"] = json!("Ingress ops/old 2026-01-01T00:00:00Z prefix shop.example.com/");
    assert_eq!(message(&ask(taken.clone())), TAKEN);
    let found = json!({"data": taken, "metadata": {"labels": BTreeMap::from(SHARD_LABELS)}}).to_string();
    let found = found.replace("\"a\":", " \n \"\\u0061\" : ").replace("\"state\"", "\"\\u0073tate\"");
    let reply: Arc<Reply> = Arc::new(move |_| Ok(found.clone().into_bytes()));
    assert_eq!(message(&answer(&settings(json!({})), &request(web(json!({}))), &reply).0), TAKEN);
}

/// If the claims of one tenant are too many, some of them are left out. This affects neither requests for other claims, nor the
/// holder of a recorded claim.
#[test]
fn dropped_claims_are_unknown_for_their_bucket_only() {
    let lines = "Service shop/web 2026-01-01T00:00:00Z prefix shop.example.com/";
    let name = "Service shop/web 2026-01-01T00:00:00Z Ingress shop/web";
    let saying = |incomplete: Option<&str>, data: Value| {
        let mut state = json!({"version": 3, "written": time(-10), "dropped": 7});
        if let Some(bucket) = incomplete {
            state["incomplete"] =
                json!(format!("{} {}", BucketHash::of("x.example.com"), BucketHash::of(bucket)));
        }
        let mut all = json!({"state": state.to_string()});
        all.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        every(all)
    };
    let both = json!({"a": lines, "5": name});
    let strict = settings(json!({"onFailure": "deny"}));
    let ask = |reply: &Arc<Reply>| answer(&strict, &request(web(json!({}))), reply).0;
    // Other claims are left out, and the requested ones are free.
    assert!(ask(&saying(Some("blog.example.com"), json!({}))).allowed);
    for bucket in ["shop.example.com", "web.shop.svc"] {
        let response = ask(&saying(Some(bucket), json!({})));
        assert_eq!(code(&response), 503);
        assert!(
            message(&response).contains("leaves out 7 claims, because there are too many"),
            "{response:?}"
        );
    }
    assert_eq!(code(&ask(&saying(None, json!({})))), 503);
    // The holder of the claims is not affected.
    for incomplete in [Some("shop.example.com"), None] {
        let mut own = web(json!({}));
        own["metadata"]["creationTimestamp"] = json!(OLD);
        let (response, _) = answer(&strict, &update(own.clone(), own), &saying(incomplete, both.clone()));
        assert!(response.allowed && response.warnings.is_none(), "{response:?}");
    }
    // One of the two claims is missing.
    assert_eq!(code(&ask(&saying(None, json!({"a": lines})))), 503);
}

#[test]
fn known_claims_apply_despite_unknown_ones() {
    let taken = Cluster::of_claims(
        "xposer-system",
        &time(-10),
        &held(&[(HOST, holder("Ingress", "ops", "old", OLD))]),
    );
    let half: Arc<Reply> = Arc::new(move |call| {
        let text = String::from_utf8_lossy(&call.payload);
        if text.contains("claims-7d") { Err("timed out".to_owned()) } else { taken.reply(call) }
    });
    let (response, _) = answer(&settings(json!({})), &request(web(json!({}))), &half);
    assert_eq!((message(&response).as_str(), code(&response)), (TAKEN, 422));
    assert!(response.warnings.unwrap()[0].contains("claims-7d cannot be read: timed out; tell"));
    // A missing ConfigMap and a conflict are both reported.
    let (response, _) = answer(&settings(json!({"onFailure": "deny"})), &request(web(json!({}))), &half);
    assert!(message(&response).contains("for 2 reasons") && code(&response) == 422);
}

#[test]
fn a_slow_host_is_not_asked_for_long() {
    let calls: Arc<Mutex<usize>> = Arc::default();
    let seen = Arc::clone(&calls);
    let answers = cluster(&Holders::new());
    let slow: Arc<Reply> = Arc::new(move |call| {
        *seen.lock().unwrap() += 1;
        sleep(Duration::from_millis(600));
        answers(call)
    });
    let (response, made) = answer(&settings(json!({})), &request(web(json!({}))), &slow);
    assert!(response.allowed && made.len() == 1);
    assert!(response.warnings.unwrap()[0].contains("claims-7d was not looked up in time"));
    assert_eq!(*calls.lock().unwrap(), if HOSTED.get() { 2 } else { 1 });
}

#[test]
fn a_request_that_asks_for_more_than_can_be_looked_up_is_refused() {
    let hosts: String = (0..300).map(|number| format!("app-{number}.example.com\n")).collect();
    let object = web(json!({"config.xposer.stakater.com/IngressURLTemplate": hosts}));
    let (response, calls) = answer(&settings(json!({})), &request(object), &cluster(&Holders::new()));
    assert_eq!(calls.len(), 64);
    let mut sorted = calls.clone();
    sorted.sort_by(|one, other| one.payload.cmp(&other.payload));
    sorted.dedup();
    assert_eq!(sorted, calls);
    let said = message(&response);
    assert!(
        !response.allowed && said.contains("it has more hosts and names than can be compared in 64 look-ups"),
        "{said}"
    );
    assert!(said.contains("split it into several objects with fewer hosts"), "{said}");
}

#[test]
fn a_canary_is_held_to_its_stable_service() {
    let canary = |of: &str| {
        web(
            json!({"config.xposer.stakater.com/CanaryOf": of, "config.xposer.stakater.com/CanaryWeight": "10"}),
        )
    };
    let stable = cluster(&held(&[(HOST, holder("Service", "shop", "stable", OLD))]));
    let (response, _) = answer(&settings(json!({})), &request(canary("stable")), &stable);
    assert!(response.allowed && response.warnings.is_none(), "{response:?}");
    let (response, _) = answer(&settings(json!({})), &request(canary("other")), &stable);
    assert!(message(&response).contains("and not by the stable Service `other`"), "{response:?}");
}

#[test]
fn an_audit_asks_as_the_owner() {
    // The audit scanner sends an existing object as a creation, without a user.
    let mut object = web(json!({}));
    object["metadata"]["creationTimestamp"] = json!(OLD);
    let mut audit = request(object);
    audit["userInfo"] = json!({});
    let younger = cluster(&held(&[(HOST, holder("Ingress", "ops", "young", NEW))]));
    assert!(answer(&settings(json!({})), &audit, &younger).0.allowed);
    let older = cluster(&held(&[(HOST, holder("Ingress", "ops", "old", "2025-01-01T00:00:00Z"))]));
    assert!(!answer(&settings(json!({})), &audit, &older).0.allowed);
}

/// Returns a user's request for an object that is not a Service.
fn by_hand(api_version: &str, kind: &str, metadata: Value, spec: Value) -> Value {
    let (group, version) = api_version.split_once('/').unwrap();
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "mine", "namespace": "shop"}, "spec": spec});
    for (key, value) in metadata.as_object().unwrap() {
        object["metadata"][key] = value.clone();
    }
    let mut request = request(object);
    request["kind"] = json!({"group": group, "version": version, "kind": kind});
    request
}

fn ingress(metadata: Value, spec: Value) -> Value {
    by_hand("networking.k8s.io/v1", "Ingress", metadata, spec)
}

fn of_host(host: &str) -> Value {
    ingress(json!({}), json!({"rules": [{"host": host}]}))
}

fn guarding(others: Value) -> Value {
    let mut settings = json!({"guard": {"mode": "deny"}});
    for (key, value) in others.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

fn without_host() -> Arc<Reply> {
    Arc::new(|call| panic!("{call:?}"))
}

fn owned() -> Value {
    json!({"namespaces": {"shop": {"hosts": ["shop.example.com", "*.shop.example.com"]}, "blog": {"hosts": ["blog.example.com"]}}})
}

#[test]
fn other_kinds_pass_unless_they_are_guarded() {
    let taken = of_host("blog.example.com");
    let ask = |settings: &Value, request: &Value| answer(settings, request, &without_host()).0.allowed;
    assert!(ask(&owned(), &taken));
    let mut settings = guarding(owned());
    assert!(!ask(&settings, &taken));
    let with = |path: &str, value: Value| {
        let mut request = taken.clone();
        *request.pointer_mut(path).unwrap() = value;
        request
    };
    let mut status = taken.clone();
    status["subResource"] = json!("status");
    // An object that is being deleted, and that has no new claims.
    let mut deleted = taken.clone();
    deleted["operation"] = json!("UPDATE");
    deleted["object"]["metadata"]["deletionTimestamp"] = json!(NEW);
    deleted["oldObject"] = deleted["object"].clone();
    let mut grown = deleted.clone();
    grown["oldObject"]["spec"]["rules"][0]["host"] = json!("own.example.com");
    assert!(!ask(&settings, &grown));
    let other = with("/kind/group", json!("example.com"));
    for request in [with("/operation", json!("DELETE")), with("/object", Value::Null), status, deleted, other]
    {
        assert!(ask(&settings, &request), "{request}");
    }
    settings["guard"]["kinds"] = json!(["HTTPRoute"]);
    assert!(ask(&settings, &taken));
}

#[test]
fn a_hand_written_object_takes_no_hosts_of_others() {
    let settings = guarding(owned());
    let said = |request: &Value| {
        let response = answer(&settings, request, &without_host()).0;
        assert!(response.patch.is_none());
        if response.allowed { String::new() } else { message(&response) }
    };
    let gateway = |kind: &str, spec: Value| by_hand("gateway.networking.k8s.io/v1", kind, json!({}), spec);
    let route = |spec: Value| by_hand("route.openshift.io/v1", "Route", json!({}), spec);
    let annotated = |key: &str, value: &str| {
        ingress(json!({"annotations": {key: value}}), json!({"rules": [{"host": "shop.example.com"}]}))
    };
    let belongs =
        "belongs to the namespace `blog`; choose shop.example.com or *.shop.example.com [host-not-owned]";
    let of_blog = format!("the host `blog.example.com` {belongs}");
    let parents = json!([{"name": "edge"}]);
    let refused: Vec<(Value, String)> = vec![
        (of_host("blog.example.com"), format!("Ingress shop/mine is refused: spec.rules[0].host: {of_blog}")),
        (of_host("Blog.Example.com"), "belongs to the namespace `blog`".to_owned()),
        (
            of_host("*.example.com"),
            "the host `*.example.com` includes hosts of the namespace `blog`, such as `blog.example.com`"
                .to_owned(),
        ),
        (
            of_host(""),
            "spec.rules[0].host: a rule, a route or an alias for all hosts includes hosts of the namespace `blog`"
                .to_owned(),
        ),
        (of_host("example.org"), "the host `example.org` does not belong to the namespace `shop`".to_owned()),
        (
            ingress(json!({}), json!({"defaultBackend": {}})),
            "spec.rules: a rule, a route or an alias for all hosts".to_owned(),
        ),
        (
            ingress(
                json!({}),
                json!({"rules": [{"host": "shop.example.com"}], "tls": [{"hosts": ["shop.example.com", "blog.example.com"]}]}),
            ),
            format!("spec.tls[0].hosts[1]: {of_blog}"),
        ),
        (
            annotated("nginx.ingress.kubernetes.io/server-alias", "x.shop.example.com, blog.example.com"),
            of_blog.clone(),
        ),
        (annotated("external-dns.alpha.kubernetes.io/hostname", "blog.example.com"), of_blog.clone()),
        (
            gateway("HTTPRoute", json!({"parentRefs": parents, "hostnames": ["blog.example.com"]})),
            format!("HTTPRoute shop/mine is refused: spec.hostnames[0]: {of_blog}"),
        ),
        (
            gateway("HTTPRoute", json!({"parentRefs": parents})),
            "spec.hostnames: a rule, a route or an alias for all hosts".to_owned(),
        ),
        (
            gateway("GRPCRoute", json!({"parentRefs": parents, "hostnames": ["*.example.com"]})),
            "includes hosts of".to_owned(),
        ),
        (
            gateway("TLSRoute", json!({"parentRefs": parents, "hostnames": ["blog.example.com"]})),
            of_blog.clone(),
        ),
        (
            route(json!({"host": "blog.example.com"})),
            format!("Route shop/mine is refused: spec.host: {of_blog}"),
        ),
        (
            route(json!({"host": "x.example.com", "wildcardPolicy": "Subdomain"})),
            "`*.example.com` includes hosts".to_owned(),
        ),
    ];
    for (request, expected) in refused {
        let said = said(&request);
        assert!(said.contains(&expected), "{said}\n{expected}");
    }
    let mesh = json!({"parentRefs": [{"group": "", "kind": "Service", "name": "web"}]});
    for request in [
        of_host("shop.example.com"),
        of_host("*.shop.example.com"),
        route(json!({})),
        gateway("HTTPRoute", mesh),
    ] {
        assert_eq!(said(&request), "");
    }
}

#[test]
fn a_hand_written_object_has_what_its_namespace_may_use() {
    let settings = guarding(json!({
        "annotations": {"deny": ["*"], "allow": ["example.com/*"]},
        "namespaces": {"shop": {"classes": ["public"], "gateways": ["edge", "infra/shared-*"]}},
    }));
    let annotations = json!({
        "nginx.ingress.kubernetes.io/server-snippet": "deny all;",
        "nginx.ingress.kubernetes.io/proxy-body-size": "1m",
        "example.com/owner": "me",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "meta.helm.sh/release-name": "shop",
        "kubernetes.io/ingress.class": "old",
    });
    let request = ingress(
        json!({"annotations": annotations}),
        json!({"ingressClassName": "internal", "rules": [{"host": "a"}]}),
    );
    let (response, _) = answer(&settings, &request, &without_host());
    let said = message(&response);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "Ingress shop/mine is refused, for 5 reasons:");
    for expected in [
        "server-snippet\"]: `nginx.ingress.kubernetes.io/server-snippet` would put text into the controller's configuration",
        "`nginx.ingress.kubernetes.io/proxy-body-size` may not be used: the administrator denies `*`",
        "`kubernetes.io/ingress.class` may not be used",
        "spec.ingressClassName: the class `internal` is not allowed in the namespace `shop`; choose public [class-not-allowed]",
        "the class `old` is not allowed in the namespace `shop`",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    let route = |parents: Value| {
        let spec = json!({"parentRefs": parents, "hostnames": ["a"]});
        answer(
            &settings,
            &by_hand("gateway.networking.k8s.io/v1", "HTTPRoute", json!({}), spec),
            &without_host(),
        )
        .0
    };
    let said =
        message(&route(json!([{"name": "edge"}, {"name": "other"}, {"name": "edge", "namespace": "infra"}])));
    assert!(said.contains("1. spec.parentRefs[1]: the Gateway `shop/other` is not allowed in the namespace `shop`; choose shop/edge or infra/shared-*"), "{said}");
    assert!(said.contains("2. spec.parentRefs[2]: the Gateway `infra/edge` is not"), "{said}");
    assert!(route(json!([{"name": "edge"}, {"name": "shared-1", "namespace": "infra"}])).allowed);
}

#[test]
fn a_hand_written_object_does_not_take_what_is_claimed() {
    let settings = guarding(settings(json!({})));
    let taken = cluster(&held(&[(HOST, holder("Service", "ops", "old", OLD))]));
    let (response, calls) = answer(&settings, &of_host("shop.example.com"), &taken);
    assert_eq!((code(&response), calls.len()), (422, 1));
    assert_eq!(
        message(&response),
        "Ingress shop/mine is refused: spec.rules[0].host: `shop.example.com/` is also claimed by Service ops/old, created on \
         2026-01-01; choose another host or path [route-claimed]"
    );
    let (response, calls) = answer(&settings, &of_host("free.example.com"), &taken);
    assert!(response.allowed && response.warnings.is_none() && calls.len() == 1);
    // A route without hosts takes the hosts of its listeners, which are not known.
    assert_eq!(answer(&settings, &of_host(""), &taken).1, []);
    // The claims are not known.
    let absent: Arc<Reply> = Arc::new(|call| Cluster::default().reply(call));
    let (response, _) = answer(&settings, &of_host("shop.example.com"), &absent);
    assert!(response.allowed && response.warnings.unwrap()[0].starts_with("xposer[claims-unknown]"));
    let mut strict = settings.clone();
    strict["claims"]["onFailure"] = json!("deny");
    assert_eq!(code(&answer(&strict, &of_host("shop.example.com"), &absent).0), 503);
    // In the mode `warn`, the conflict is only a warning.
    let mut warned = settings.clone();
    warned["claims"]["mode"] = json!("warn");
    let (response, _) = answer(&warned, &of_host("shop.example.com"), &taken);
    assert!(response.allowed && response.warnings.unwrap().len() == 1);
}

#[test]
fn existing_claims_pass() {
    let mut settings = guarding(settings(json!({})));
    settings["namespaces"] = owned()["namespaces"].clone();
    let taken = cluster(&held(&[("prefix blog.example.com/", holder("Service", "blog", "old", OLD))]));
    let update = |old: Value, new: Value| {
        let mut request = new;
        request["operation"] = json!("UPDATE");
        request["oldObject"] = old["object"].clone();
        answer(&settings, &request, &taken).0
    };
    let old = of_host("blog.example.com");
    let mut labelled = old.clone();
    labelled["object"]["metadata"]["labels"] = json!({"team": "a"});
    let response = update(old.clone(), labelled);
    // An update without a change gets no warning, because neither an owner nor a program could do anything about it.
    assert!(
        response.allowed && response.warnings.is_none() && response.audit_annotations.is_none(),
        "{response:?}"
    );
    let mut more = old.clone();
    more["object"]["spec"]["rules"] = json!([{"host": "blog.example.com"}, {"host": "x.example.org"}]);
    let said = message(&update(old.clone(), more));
    assert!(said.contains("spec.rules[1].host") && !said.contains("rules[0]"), "{said}");
    // An additional path of the host is a new claim.
    let mut path = old.clone();
    path["object"]["spec"]["rules"][0]["http"] =
        json!({"paths": [{"path": "/", "pathType": "Prefix"}, {"path": "/x", "pathType": "Prefix"}]});
    let said = message(&update(old.clone(), path.clone()));
    assert!(said.contains("spec.rules[0].host") && said.contains("[host-not-owned]"), "{said}");
    // A removed path is no new claim.
    assert!(update(path, old).allowed);
    // An existing snippet is accepted, and a changed one is refused.
    let with = |snippet: &str| {
        ingress(
            json!({"annotations": {"nginx.ingress.kubernetes.io/server-snippet": snippet}}),
            json!({"rules": [{"host": "shop.example.com"}]}),
        )
    };
    assert!(update(with("a;"), with("a;")).allowed);
    assert!(message(&update(with("a;"), with("b;"))).contains("annotation-denied"));
}

/// Claims that an update does not change are not looked up.
#[test]
fn unknown_existing_claims_do_not_refuse() {
    let settings = guarding(settings(json!({"onFailure": "deny"})));
    let update = |old: &Value, new: &Value, reply: &Arc<Reply>| {
        let mut request = new.clone();
        request["operation"] = json!("UPDATE");
        request["oldObject"] = old["object"].clone();
        answer(&settings, &request, reply)
    };
    let of = |hosts: usize| {
        let rules: Vec<Value> = (0..hosts).map(|n| json!({"host": format!("h{n}.example.com")})).collect();
        ingress(json!({}), json!({"rules": rules}))
    };
    let absent: Arc<Reply> = Arc::new(|call| Cluster::default().reply(call));
    let (one, many) = (of(1), of(1000));
    let (response, calls) = update(&one, &one, &absent);
    assert!(response.allowed && response.warnings.is_none() && calls.is_empty(), "{response:?}");
    let (response, calls) = update(&many, &many, &cluster(&Holders::new()));
    assert!(response.allowed && calls.is_empty(), "{response:?}");
    assert_eq!(code(&update(&one, &of(2), &absent).0), 503);
    assert!(message(&update(&one, &many, &cluster(&Holders::new())).0).contains("claims-too-many"));
}

#[test]
fn partial_path_belongs_to_the_namespace_of_the_path() {
    let settings = guarding(settings(json!({})));
    let spec = json!({"parentRefs": [{"name": "edge"}], "hostnames": ["shop.example.com"],
        "rules": [{"matches": [{"headers": [{"name": "X-Beta", "value": "1"}]}]}]});
    let beta = by_hand("gateway.networking.k8s.io/v1", "HTTPRoute", json!({}), spec);
    let held_in = |namespace: &str| cluster(&held(&[(HOST, holder("Service", namespace, "old", OLD))]));
    assert!(answer(&settings, &beta, &held_in("shop")).0.allowed);
    assert_eq!(code(&answer(&settings, &beta, &held_in("ops")).0), 422);
    // A route for a part of the requests leaves the other requests of the path to its namespace.
    let part_in = |namespace: &str| {
        let route = Holder { is_part: true, ..holder("HTTPRoute", namespace, "beta", OLD) };
        cluster(&held(&[(HOST, route)]))
    };
    let exposed = request(web(json!({})));
    assert!(answer(&settings, &exposed, &part_in("shop")).0.allowed);
    assert_eq!(code(&answer(&settings, &exposed, &part_in("ops")).0), 422);
}

/// Hosts in the forwarded block are checked like those of a hand-written Ingress.
#[test]
fn the_block_of_a_service_takes_no_hosts_of_others() {
    let mut settings = settings(json!({}));
    settings["namespaces"] = json!({"blog": {"hosts": ["blog.example.com"]}});
    let with = |alias: &str| {
        let block = format!("nginx.ingress.kubernetes.io/server-alias: {alias}");
        request(web(json!({"xposer.stakater.com/annotations": block})))
    };
    let taken = cluster(&held(&[("prefix old.example.com/", holder("Ingress", "ops", "old", OLD))]));
    for (alias, expected) in [
        ("blog.example.com", "belongs to the namespace `blog`"),
        ("~^.*\\.example\\.com$", "includes hosts of the namespace `blog`"),
        ("old.example.com", "`old.example.com/` is also claimed by Ingress ops/old"),
    ] {
        let said = message(&answer(&settings, &with(alias), &taken).0);
        assert!(said.contains(expected), "{said}");
    }
    assert!(answer(&settings, &with("free.example.com"), &taken).0.allowed);
}

/// Long names and names with invisible characters are shortened and escaped.
#[test]
fn names_of_others_are_cut_and_escaped() {
    let settings = settings(json!({}));
    let name = "\u{202e}x\n".repeat(1000);
    let taken = cluster(&held(&[(HOST, holder("Service", "ops", &name, OLD))]));
    let said = message(&answer(&settings, &request(web(json!({}))), &taken).0);
    assert!(
        said.len() < 900 && said.contains("..., created on 2026-01-01") && !said.contains(['\u{202e}', '\n']),
        "{said}"
    );
    let failed: Arc<Reply> = Arc::new(|_| Err("\u{202e}x\n".repeat(1000)));
    let warnings = answer(&settings, &request(web(json!({}))), &failed).0.warnings.unwrap();
    assert!(warnings[0].len() <= 256 && !warnings[0].contains(['\u{202e}', '\n']), "{warnings:?}");
}

#[test]
fn the_controller_passes_by_its_account_alone() {
    let settings = guarding(owned());
    let mut request = of_host("blog.example.com");
    let metadata = json!({"name": "mine", "namespace": "shop",
        "labels": {"app.kubernetes.io/managed-by": "xposer", "xposer.stakater.com/service": "web"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": "web", "uid": "1", "controller": true}],
        "managedFields": [{"manager": "xposer-controller"}]});
    request["object"]["metadata"] = metadata;
    for (user, passes) in [
        ("alice", false),
        ("xposer-controller", false),
        ("system:serviceaccount:shop:xposer-controller", false),
        ("system:serviceaccount:xposer-system:xposer-controller", true),
    ] {
        request["userInfo"] = json!({"username": user});
        assert_eq!(answer(&settings, &request, &without_host()).0.allowed, passes, "{user}");
    }
    let mut others = settings.clone();
    others["guard"]["users"] = json!(["alice"]);
    assert!(!answer(&others, &request, &without_host()).0.allowed);
    request["userInfo"] = json!({"username": "alice"});
    assert!(answer(&others, &request, &without_host()).0.allowed);
    // An audit request has no user, and its result has no effect on the object.
    request["userInfo"] = json!({});
    assert!(answer(&settings, &request, &without_host()).0.allowed);
    request["object"]["metadata"]["labels"] = json!({});
    assert!(!answer(&settings, &request, &without_host()).0.allowed);
}

#[test]
fn a_guard_that_warns_refuses_nothing() {
    let mut settings = guarding(settings(json!({"onFailure": "deny"})));
    settings["namespaces"] = owned()["namespaces"].clone();
    settings["guard"]["mode"] = json!("warn");
    let taken = cluster(&held(&[("prefix blog.example.com/", holder("Service", "blog", "old", OLD))]));
    let (response, _) = answer(&settings, &of_host("blog.example.com"), &taken);
    assert!(response.allowed);
    // One place has one finding, whoever owns the host.
    assert_eq!(response.warnings.unwrap().len(), 1);
    assert_eq!(response.audit_annotations.unwrap()["codes"], "host-not-owned");
    let absent: Arc<Reply> = Arc::new(|call| Cluster::default().reply(call));
    assert!(answer(&settings, &of_host("shop.example.com"), &absent).0.allowed);
}

#[test]
fn a_canary_by_hand_is_for_its_own_namespace() {
    let settings = guarding(settings(json!({})));
    let canary = ingress(
        json!({"annotations": {"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "100"}}),
        json!({"rules": [{"host": "shop.example.com"}]}),
    );
    let held_in = |namespace: &str| cluster(&held(&[(HOST, holder("Service", namespace, "old", OLD))]));
    let (response, _) = answer(&settings, &canary, &held_in("ops"));
    assert!(
        message(&response).contains(
            "is also claimed by Service ops/old, created on 2026-01-01; choose another host or path"
        )
    );
    assert!(answer(&settings, &canary, &held_in("shop")).0.allowed);
    assert!(answer(&settings, &canary, &cluster(&Holders::new())).0.allowed);
}

/// The controller exposes a Service with a name in DNS of another one, so its owner can change everything else.
#[test]
fn a_name_that_an_update_keeps_is_a_warning() {
    let taken = cluster(&held(&[("prefix blog.example.com/", holder("Service", "blog", "old", OLD))]));
    let of = |hosts: &str, more: &str| {
        let mut object = web(
            json!({"config.xposer.stakater.com/TLS": "true", "config.xposer.stakater.com/TLSHosts": hosts, "team": more}),
        );
        object["metadata"]["creationTimestamp"] = json!(NEW);
        object
    };
    let settings = settings(json!({}));
    let judged = |old: &str, new: &str| answer(&settings, &update(of(old, "a"), of(new, "b")), &taken).0;
    let kept = judged("blog.example.com", "blog.example.com");
    assert!(kept.allowed, "{kept:?}");
    assert_eq!(kept.audit_annotations.unwrap()["codes"], "claim-kept");
    assert!(kept.warnings.unwrap()[0].contains("belongs to Service blog/old, created on 2026-01-01"));
    let said = message(&judged("x.example.com", "x.example.com,blog.example.com"));
    assert!(said.contains("[route-claimed]"), "{said}");
    assert!(judged("blog.example.com", "x.example.com").warnings.is_none());
    assert_eq!(code(&answer(&settings, &request(of("blog.example.com", "a")), &taken).0), 422);
}
