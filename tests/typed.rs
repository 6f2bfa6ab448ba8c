//! Typed objects of `k8s-openapi` as input and output give the same result as JSON.
#![cfg(feature = "k8s-openapi")]

use k8s_openapi::api::core::v1::Service as Typed;
use serde_json::{Value, json};
use xposer::{Outcome, Service, Settings, expose};

fn documents() -> Vec<Value> {
    let service = |annotations: Value, spec: Value| {
        json!({"apiVersion": "v1", "kind": "Service", "spec": spec,
            "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}, "annotations": annotations}})
    };
    let ports =
        json!({"ports": [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]});
    vec![
        service(json!({}), ports.clone()),
        service(json!({"config.xposer.stakater.com/TLS": "true", "other": "x"}), ports.clone()),
        service(json!({"config.xposer.stakater.com/ServicePort": "dns"}), ports.clone()),
        service(json!({"config.xposer.stakater.com/IngressURLTemplate": "{{.service}}.{{.Domain}"}), ports),
        service(
            json!({"xposer.stakater.com/annotations": "kubernetes.io/ingress.class: a\nb: c"}),
            json!({"ports": []}),
        ),
        service(json!({}), json!({"type": "ExternalName", "externalName": "x.y", "ports": [{"port": 443}]})),
        service(json!({}), json!({"clusterIP": "None", "ports": [{"port": 443}]})),
        service(json!({}), json!({"ports": [{"port": 70000}, {"port": 0}, {"port": -1}]})),
        json!({"metadata": {"labels": {"expose": "true"}}, "spec": {"ports": [{"port": 1}]}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"expose": "false"}}}),
        json!({"metadata": {"name": "web", "labels": {"expose": "True"}}}),
        json!({"metadata": {"name": "web", "labels": {"exposed": "true", "app": "web"},
            "annotations": {"config.xposer.stakater.com/TLS": "true"}}}),
        json!({"metadata": {"name": "web", "labels": {"config.xposer.stakater.com/TLS": "true"},
            "annotations": {"xposer.stakater.com/annotations": "a: b", "config.xposer.stakater.com/Domain": "a.b"}}}),
        json!({"metadata": {"name": "web", "labels": {"expose": "true", "config.xposer.stakater.com/TLS": "true"}},
            "spec": {"ports": [{"port": 80}]}}),
    ]
}

#[test]
fn a_typed_service_is_the_same_as_its_json() {
    let settings = Settings::from_value(&json!({"domain": "example.com"})).unwrap();
    for document in documents() {
        let typed: Typed = serde_json::from_value(document.clone()).unwrap();
        let one = expose(&Service::from_value(&document), &settings);
        let other = expose(&Service::from_typed(&typed), &settings);
        assert_eq!(one.report(), other.report());
        let objects = |outcome: &Outcome| {
            outcome
                .plan()
                .map(|plan| plan.emit().objects.iter().map(xposer::Object::to_json).collect::<Vec<_>>())
        };
        assert_eq!(objects(&one), objects(&other));
        assert_eq!(matches!(one, Outcome::NotExposed { .. }), matches!(other, Outcome::NotExposed { .. }));
    }
}

#[test]
fn the_typed_ingress_is_what_is_emitted() {
    let settings = Settings::from_value(&json!({"domain": "example.com", "tls": true})).unwrap();
    let documents = documents();
    let outcome = expose(&Service::from_value(&documents[1]), &settings);
    let plan = outcome.plan().unwrap();
    let typed = plan.typed_ingress().unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), plan.emit().objects[0].to_value());
    assert_eq!(typed.spec.unwrap().tls.unwrap()[0].secret_name.as_deref(), Some("web-cert"));
}
