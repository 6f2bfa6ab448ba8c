//! How many instructions of WebAssembly the policy runs for a request. The times are in docs/performance.md; these counts are the same on every
//! machine.

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

/// A request for a Service, in a cluster that has this many other hosts.
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

mod in_the_wapc_host {
    use xposer_testkit::host::policy_file;

    use super::*;

    #[test]
    #[ignore = "needs policy.wasm: make test"]
    fn what_a_request_costs_grows_only_with_the_answers_of_the_host() {
        let module = Counted::load(&policy_file()).expect("run `make policy.wasm`");
        let asks = json!({"namespace": NAMESPACE, "mode": "deny"});
        let cost = |label: &str, claims: &Value, hosts| spent(&module, label, claims, hosts).call;
        // Nothing depends on the machine or on what was called before.
        assert_eq!(cost("true", &asks, 100), cost("true", &asks, 100));
        // Who is not exposed pays nothing for the claims of others, and who does not ask neither.
        assert_eq!(cost("false", &asks, 1_000), cost("false", &asks, 0));
        assert_eq!(cost("true", &Value::Null, 1_000), cost("true", &Value::Null, 0));
        // Two answers have two of 256 parts of the cluster, and nearly all of it is passed over. With one JSON text in each of them it was
        // 122,000 and 1,500,000.
        let [none, some, many] = [0, 1_000, 10_000].map(|hosts| cost("true", &asks, hosts));
        assert!(some - none < 33_000, "{none} {some}");
        assert!(many - none < 147_000, "{none} {many}");
        assert!(many - none < 12 * (some - none), "{none} {some} {many}");
    }
}
