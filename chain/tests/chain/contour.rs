//! Tests that Contour does what the core writes for our options.

#![allow(clippy::panic, clippy::unwrap_used, reason = "the helpers of a test fail it like the test itself")]

use serde_json::{Value, json};
use xposer::{Service, Settings, expose};
use xposer_chain::{Chain, Namespace, redirect, status};

/// Applies a Service and the objects that the core emits for Contour.
fn apply(ns: &Namespace, name: &str, annotations: &[(&str, &str)]) {
    let annotations: serde_json::Map<String, Value> = annotations
        .iter()
        .map(|(key, value)| (format!("config.xposer.stakater.com/{key}"), Value::from(*value)))
        .collect();
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "labels": {"expose": "true"}, "annotations": annotations},
        "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    });
    let settings = json!({"domain": "contour.example.com", "ingressClassName": "contour",
        "ingressURLTemplate": "{{.Service}}.{{.Domain}}"});
    let settings = Settings::from_value(&settings).unwrap();
    let outcome = expose(&Service::from_value(&service), &settings);
    let plan = outcome.plan().unwrap_or_else(|| panic!("{}", outcome.report().unwrap()));
    ns.apply(&service.to_string());
    for object in plan.emit().objects {
        ns.apply(&object.to_json());
    }
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn options_are_done_by_contour() {
    let chain = Chain::get();
    let ns = chain.namespace("contour-words");
    let request = |url: &str| ns.request(url).at("contour");
    // A regular expression matches the beginning of a path, and ignores the case.
    apply(&ns, "pattern", &[("IngressURLPath", "/api/v[0-9]+")]);
    let pattern = |path: &str| request(&format!("http://pattern.contour.example.com{path}"));
    pattern("/api/v1").eventually(status(200).backend("pattern").path("/api/v1"));
    pattern("/API/V12/x?y=z").eventually(status(200).backend("pattern").path("/API/V12/x?y=z"));
    pattern("/api/vx").eventually(status(404));
    pattern("/x/api/v1").eventually(status(404));
    // A request ends at its timeout.
    apply(&ns, "slow", &[("Timeout", "1s")]);
    let slow = |path: &str| request(&format!("http://slow.contour.example.com{path}"));
    slow("/").eventually(status(200).backend("slow"));
    slow("/?delay=3").eventually(status(504));
    // With TLS, requests without TLS are redirected to https by default.
    apply(&ns, "secure", &[("TLS", "cert-manager"), ("ClusterIssuer", "ca")]);
    request("http://secure.contour.example.com/x")
        .eventually(redirect(301, "https://secure.contour.example.com/x"));
    request("https://secure.contour.example.com/x").eventually(status(200).backend("secure").path("/x"));
}
