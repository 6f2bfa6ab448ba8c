//! Checks the number of WebAssembly instructions that the policy runs for a request. `docs/performance.md` has the times; these
//! counts are the same on every machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail it like the test itself"
)]

use serde_json::{Value, json};
use xposer::testing;
use xposer_testkit::cluster::{Cluster, holders, spread};
use xposer_testkit::fuel::{Counted, Spent, WRITTEN};

const NAMESPACE: &str = "xposer-system";

/// Runs a request for a Service, in a cluster with this many other hosts.
fn spent(module: &Counted, label: &str, claims: &Value, hosts: usize) -> Spent {
    let mut service = testing::service_named("shop", "web", &[]);
    service["metadata"]["labels"]["expose"] = json!(label);
    let payload = json!({"settings": {"domain": "example.com", "claims": claims}, "request": {
        "uid": "1", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "Service"},
        "userInfo": {"username": "alice"}, "namespace": "shop", "object": service}});
    let cluster = Cluster::of_claims(NAMESPACE, WRITTEN, &holders(hosts, &spread).unwrap());
    let reply = Box::new(move |call: &_| cluster.reply(call));
    let spent = module.call("validate", payload.to_string().as_bytes(), reply).unwrap();
    let answer: Value = serde_json::from_slice(&spent.answer).unwrap();
    assert_eq!((&answer["accepted"], &answer["audit_annotations"]), (&json!(true), &Value::Null), "{answer}");
    assert_eq!(answer["mutated_object"].is_object(), label == "true", "{answer}");
    spent
}

/// Services whose author chooses the size of a value, each with settings.
type Sized = (&'static str, fn(usize) -> (String, &'static str), &'static str);

/// Returns hosts, the last of which has a path.
fn hosts(count: usize) -> String {
    (0..count).map(|at| format!("a{at}\n")).collect::<String>() + "b/x"
}

const SIZED: &[Sized] = &[
    ("hosts", |count| (hosts(count), "IngressURLTemplate"), "{}"),
    ("hosts of a Gateway", |count| (hosts(count), "IngressURLTemplate"), r#"{"target": "HTTPRoute"}"#),
    ("hosts of Routes", |count| (hosts(count), "IngressURLTemplate"), r#"{"target": "Route"}"#),
    (
        "paths",
        |count| {
            let paths = (0..count).map(|at| format!("b/{at}\n"));
            (paths.collect(), "IngressURLTemplate")
        },
        "{}",
    ),
    (
        "regular expressions",
        |count| {
            let paths = (0..count).map(|at| format!("b/{at}.*\n"));
            (paths.collect(), "IngressURLTemplate")
        },
        r#"{"pathType": "ImplementationSpecific", "stripPrefix": true}"#,
    ),
    (
        "lines of nobody",
        |count| {
            let lines = (0..count).map(|at| format!("example.com/key-{at}: v\n"));
            (lines.collect(), "xposer.stakater.com/annotations")
        },
        "{}",
    ),
    (
        "lines of ingress-nginx that it does not know",
        |count| {
            let lines = (0..count).map(|at| format!("nginx.ingress.kubernetes.io/key-{at}: v\n"));
            (lines.collect(), "xposer.stakater.com/annotations")
        },
        "{}",
    ),
    (
        "misspelt prefixes",
        |count| {
            let lines = (0..count).map(|at| format!("nginx.ingres.kubernetes.io/auth-url-{at}: v\n"));
            (lines.collect(), "xposer.stakater.com/annotations")
        },
        "{}",
    ),
    (
        "lines without a value, as items of a list",
        |count| ((0..count).map(|at| format!("- key-{at}:\n")).collect(), "xposer.stakater.com/annotations"),
        "{}",
    ),
    (
        "lists",
        |count| {
            let networks = (0..count).map(|at| format!("10.{}.{}.0/24,", at / 256, at % 256));
            (networks.collect(), "AllowedSources")
        },
        "{}",
    ),
];

mod in_the_wapc_host {
    use xposer_testkit::host::policy_file;

    use super::*;

    #[test]
    #[ignore = "needs policy.wasm: make test"]
    fn request_cost_grows_only_with_the_host_answers() {
        let module = Counted::load(&policy_file()).expect("run `make policy.wasm`");
        let asks = json!({"namespace": NAMESPACE, "mode": "deny"});
        let cost = |label: &str, claims: &Value, hosts| spent(&module, label, claims, hosts).call;
        // The count depends neither on the machine nor on earlier calls.
        assert_eq!(cost("true", &asks, 100), cost("true", &asks, 100));
        // A Service that is not exposed causes no cost for claims, and neither do settings without claims.
        assert_eq!(cost("false", &asks, 1_000), cost("false", &asks, 0));
        assert_eq!(cost("true", &Value::Null, 1_000), cost("true", &Value::Null, 0));
        // The two responses contain two of 256 shards, and the policy skips nearly all of their content. When each shard was one
        // JSON text, the counts were 122,000 and 1,500,000.
        let [none, some, many] = [0, 1_000, 10_000].map(|hosts| cost("true", &asks, hosts));
        assert!(some - none < 33_000, "{none} {some}");
        assert!(many - none < 147_000, "{none} {many}");
        assert!(many - none < 12 * (some - none), "{none} {some} {many}");
    }

    #[test]
    #[ignore = "needs policy.wasm: make test"]
    fn request_cost_grows_with_its_service() {
        let module = Counted::load(&policy_file()).expect("run `make policy.wasm`");
        for (what, input, settings) in SIZED {
            let mut settings: Value = serde_json::from_str(settings).unwrap();
            settings["domain"] = json!("example.com");
            let [small, large] = [400, 1_600].map(|count| {
                let (text, key) = input(count);
                let mut service = testing::service_named("shop", "web", &[(key, &text)]);
                service["metadata"]["labels"]["expose"] = json!("true");
                let payload = json!({"settings": settings, "request": {
                    "uid": "1", "operation": "CREATE", "kind": {"group": "", "version": "v1", "kind": "Service"},
                    "userInfo": {"username": "alice"}, "namespace": "shop", "object": service}});
                let none = Box::new(|_: &_| Err("there is no host".to_owned()));
                module.call("validate", payload.to_string().as_bytes(), none).unwrap().call
            });
            println!("{what}: {small}, {large}, {:.1} times as much", large as f64 / small as f64);
            // The count grows by a factor of 4, and a little more for longer numbers and deeper trees.
            assert!(large < 5 * small, "{what}: {small} {large}");
        }
    }

    #[test]
    #[ignore = "needs policy.wasm: make test"]
    fn request_cost_grows_with_a_hand_written_ingress() {
        let module = Counted::load(&policy_file()).expect("run `make policy.wasm`");
        let settings =
            json!({"guard": {"mode": "deny"}, "namespaces": {"ops": {"hosts": ["ops.example.com"]}}});
        // Many hosts beside many annotations, each of which could be an address of the hosts.
        let [small, large] = [400, 1_600].map(|count| {
            let hosts: Vec<String> = (0..count).map(|at| format!("{at}.example.com")).collect();
            let keys = (0..count).map(|at| (format!("a{at}.example.com/target"), json!("x.example.net")));
            let mut annotations: serde_json::Map<String, Value> = keys.collect();
            annotations.insert("external-dns.alpha.kubernetes.io/target".to_owned(), json!("y.example.net"));
            let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "metadata": {"name": "web", "namespace": "shop", "annotations": annotations},
                "spec": {"rules": [{"host": "shop.example.com"}], "tls": [{"hosts": hosts}]}});
            let payload = json!({"settings": settings, "request": {
                "uid": "1", "operation": "CREATE", "userInfo": {"username": "alice"}, "namespace": "shop", "object": ingress,
                "kind": {"group": "networking.k8s.io", "version": "v1", "kind": "Ingress"}}});
            let none = Box::new(|_: &_| Err("there is no host".to_owned()));
            module.call("validate", payload.to_string().as_bytes(), none).unwrap().call
        });
        println!("hosts and annotations of an Ingress: {small}, {large}");
        assert!(large < 5 * small, "{small} {large}");
    }
}
