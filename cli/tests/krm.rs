//! The KRM function, by its protocol.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Ran, xposer};
use serde_json::{Value, json};

fn service(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}, "metadata": {
        "name": name, "namespace": "shop", "labels": {"expose": "true"},
        "annotations": {"config.xposer.stakater.com/IngressURLTemplate": format!("{name}.example.com")}}})
}

fn with_annotation(mut item: Value, key: &str, value: &str) -> Value {
    item["metadata"]["annotations"][key] = value.into();
    item
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop",
        "annotations": {"internal.config.kubernetes.io/id": "7", "note": "yes"}}, "spec": {"replicas": 1.5}})
}

fn ingress(name: &str, service: &str, manager: &str) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": "shop",
        "labels": {"app.kubernetes.io/managed-by": manager, "xposer.stakater.com/service": service}},
        "spec": {"rules": []}})
}

fn list(items: Value) -> Value {
    let mut list = json!({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList"});
    list["items"] = items;
    list
}

fn with_config(mut list: Value, config: Value) -> Value {
    list["functionConfig"] = config;
    list
}

fn krm(input: &Value) -> (Ran, Value) {
    let ran = xposer(&["krm"], &input.to_string());
    let output = read(&ran.stdout);
    (ran, output)
}

/// The one document on standard output.
fn read(text: &str) -> Value {
    let documents = xposer_cli::yaml::load(text).unwrap();
    assert_eq!(documents.len(), 1, "{text}");
    documents.into_iter().next().unwrap().value
}

fn kinds(list: &Value) -> Vec<String> {
    let name = |item: &Value| {
        format!("{} {}", item["kind"].as_str().unwrap(), item["metadata"]["name"].as_str().unwrap())
    };
    list["items"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn ingresses_are_added_and_nothing_else_changes() {
    let mut input = list(json!([deployment(), service("web"), {"kind": "Odd"}, service("api")]));
    input["apiVersion"] = "config.kubernetes.io/v1beta1".into();
    input["unknown"] = json!({"kept": [1, null]});
    input["results"] = json!([{"message": "earlier", "severity": "info"}]);
    input["functionConfig"] = json!({"apiVersion": "x.example/v1", "kind": "Xposer", "spec": {"tls": true}});
    let (ran, mut output) = krm(&input);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let items = output["items"].as_array_mut().unwrap();
    let added: Vec<Value> = items.drain(4..).collect();
    assert_eq!(output, input);
    let names: Vec<&Value> = added.iter().map(|item| &item["metadata"]["name"]).collect();
    assert_eq!(names, ["web", "api"]);
    assert_eq!(added[0]["spec"]["tls"][0]["secretName"], "web-cert");
}

#[test]
fn there_are_always_items() {
    for items in [Value::Null, json!([])] {
        let (ran, output) = krm(&list(items));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        assert_eq!(output, list(json!([])));
    }
    let ran = xposer(&["krm"], "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n").expect(0);
    assert_eq!(ran.stdout, "apiVersion: config.kubernetes.io/v1\nitems: []\nkind: ResourceList\n");
}

#[test]
fn a_second_run_changes_nothing() {
    let globally =
        with_annotation(service("web"), "xposer.stakater.com/annotations", "exposeIngressUrl: locally");
    let (first, output) = krm(&list(json!([globally, deployment(), service("api")])));
    assert_eq!(
        kinds(&output),
        ["Service web", "Deployment web", "Service api", "Ingress web", "Ingress api", "ConfigMap xposer"]
    );
    let second = xposer(&["krm"], &first.stdout);
    assert_eq!(second, first);
}

#[test]
fn what_is_ours_is_replaced_in_its_place() {
    let mut old = ingress("web", "web", "xposer");
    let notes = json!({"internal.config.kubernetes.io/path": "web.yaml", "config.kubernetes.io/index": "1", "old": ""});
    old["metadata"]["annotations"] = notes;
    let (ran, output) = krm(&list(json!([old, service("web")])));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(kinds(&output), ["Ingress web", "Service web"]);
    let new = &output["items"][0];
    assert_eq!(new["spec"]["rules"][0]["host"], "web.example.com");
    assert_eq!(
        new["metadata"]["annotations"],
        json!({"internal.config.kubernetes.io/path": "web.yaml", "config.kubernetes.io/index": "1"})
    );
}

#[test]
fn what_is_stale_is_removed() {
    let mut hidden = service("hidden");
    hidden["metadata"]["labels"]["expose"] = "false".into();
    let urls = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"hidden-shop": "a"}, "metadata": {
        "name": "xposer", "namespace": "shop", "labels": {"app.kubernetes.io/managed-by": "xposer"}}});
    let items = json!([
        ingress("hidden", "hidden", "xposer"),
        ingress("web-old-name", "web", "xposer"),
        ingress("of-a-service-elsewhere", "elsewhere", "xposer"),
        ingress("not-ours", "web", "somebody"),
        hidden,
        service("web"),
        urls,
    ]);
    let (ran, output) = krm(&list(items));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        kinds(&output),
        [
            "Ingress of-a-service-elsewhere",
            "Ingress not-ours",
            "Service hidden",
            "Service web",
            "Ingress web"
        ]
    );
}

#[test]
fn what_is_somebody_elses_is_not_touched() {
    let foreign =
        with_annotation(ingress("web", "web", "helm"), "internal.config.kubernetes.io/path", "ingress.yaml");
    let items = json!([foreign, service("web"), service("api")]);
    let (ran, output) = krm(&list(items.clone()));
    assert_eq!(ran.code, 1);
    assert_eq!(output["items"], items);
    let said = "the list already has an Ingress shop/web that was not made by xposer";
    let help = "remove it, or give one of the two another name";
    assert_eq!(ran.stderr, format!("error: {said}\n--> ingress.yaml\n = help: {help}\n\n"));
    let reference =
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web", "namespace": "shop"});
    assert_eq!(
        output["results"],
        json!([{"message": format!("{said}; {help}"), "severity": "error", "resourceRef": reference,
            "file": {"path": "ingress.yaml"}}])
    );
}

#[test]
fn an_ingress_of_the_old_group_is_the_same_ingress() {
    let mut old = ingress("web", "web", "helm");
    old["apiVersion"] = "extensions/v1beta1".into();
    assert_eq!(krm(&list(json!([old, service("web")]))).0.code, 1);
}

#[test]
fn refused_services_are_results() {
    let bad =
        with_annotation(service("bad"), "config.xposer.stakater.com/IngressURLTemplate", "https://a.com");
    let bad = with_annotation(bad, "config.kubernetes.io/path", "bad.yaml");
    let bad = with_annotation(bad, "config.kubernetes.io/index", "3");
    let doubtful = with_annotation(service("web"), "config.xposer.stakater.com/TLS", "maybe");
    let items = json!([bad, doubtful]);
    let mut input = list(items.clone());
    input["results"] = json!([{"message": "earlier", "severity": "info"}]);
    let (ran, output) = krm(&input);
    assert_eq!(ran.code, 1);
    assert_eq!(output["items"], items);
    assert!(ran.stderr.starts_with("error[host-scheme]: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("\n--> bad.yaml\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("warning[tls-not-boolean]: "), "{}", ran.stderr);
    let results = output["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    assert_eq!(results[0]["message"], "earlier");
    assert_eq!(
        results[1],
        json!({
            "message": results[1]["message"],
            "severity": "error",
            "resourceRef": {"apiVersion": "v1", "kind": "Service", "name": "bad", "namespace": "shop"},
            "field": {"path": "metadata.annotations[\"config.xposer.stakater.com/IngressURLTemplate\"]",
                "currentValue": "https://a.com", "proposedValue": "a.com"},
            "file": {"path": "bad.yaml", "index": 3},
            "tags": {"code": "host-scheme"},
        })
    );
    assert_eq!(results[2]["severity"], "warning");
    assert_eq!(results[2].get("file"), None);
}

#[test]
fn a_warning_does_not_stand_in_the_way() {
    let doubtful = with_annotation(service("web"), "config.xposer.stakater.com/TLS", "maybe");
    let (ran, output) = krm(&list(json!([doubtful])));
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.starts_with("warning[tls-not-boolean]: "), "{}", ran.stderr);
    assert_eq!(kinds(&output), ["Service web", "Ingress web"]);
    assert_eq!(output["results"][0]["tags"]["code"], "tls-not-boolean");
}

#[test]
fn the_config_is_the_settings() {
    let mut bare = service("web");
    bare["metadata"]["annotations"] = json!({});
    let input = list(json!([bare]));
    let url = "{{.Service}}.{{.Namespace}}.{{.Domain}}";
    let long = "a".repeat(60);
    let data = json!({"domain": "example.com", "tls": "true", "tlsCommonName": "true",
        "ingressURLTemplate": format!("{long}.{url}"), "ingressURLTemplateFallbacks": "['short.{{.Domain}}']"});
    let config_map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "function-input"}});
    let mut with_data = config_map.clone();
    with_data["data"] = data;
    let (ran, output) = krm(&with_config(input.clone(), with_data));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(output["items"][1]["spec"]["rules"][0]["host"], "short.example.com");
    let spec = json!({"apiVersion": "a/v1", "kind": "Xposer", "spec": {"domain": "example.com"}});
    let (_, output) = krm(&with_config(input.clone(), spec));
    assert_eq!(output["items"][1]["spec"]["rules"][0]["host"], "web.shop.example.com");
    // Without a domain the Service is refused; the config itself is in order.
    for config in [Value::Null, json!({}), config_map, json!({"kind": "Xposer", "spec": null})] {
        let (ran, _) = krm(&with_config(input.clone(), config));
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.starts_with("error[template-value-missing]: "), "{}", ran.stderr);
    }
}

#[test]
fn a_wrong_config_is_a_result() {
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"domian": "example.com"},
        "metadata": {"name": "x", "annotations": {"config.kubernetes.io/path": "fn.yaml"}}});
    let items = json!([service("web")]);
    let (ran, output) = krm(&with_config(list(items.clone()), config));
    assert_eq!(ran.code, 1);
    assert_eq!(output["items"], items);
    assert_eq!(
        ran.stderr,
        "\
error[setting-unknown]: there is no setting `domian`
--> fn.yaml
 = note: settings.domian
 = help: did you mean domain?

"
    );
    assert_eq!(
        output["results"],
        json!([{
            "message": "there is no setting `domian`; did you mean domain?",
            "severity": "error",
            "resourceRef": {"apiVersion": "v1", "kind": "ConfigMap", "name": "x"},
            "field": {"path": "data.domian", "currentValue": "example.com"},
            "file": {"path": "fn.yaml"},
            "tags": {"code": "setting-unknown"},
        }])
    );
}

/// So is one under which every Service would be refused.
#[test]
fn a_config_is_tried() {
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"ingressURLPath": "//"}, "metadata": {"name": "x"}});
    let items = json!([service("web")]);
    let (ran, output) = krm(&with_config(list(items.clone()), config));
    assert_eq!(ran.code, 1);
    assert_eq!(output["items"], items);
    assert_eq!(output["results"].as_array().unwrap().len(), 1);
    assert_eq!(output["results"][0]["field"], json!({"path": "data.ingressURLPath", "currentValue": "//"}));
    assert_eq!(output["results"][0]["tags"]["code"], "path-invalid");
}

/// kustomize sends the config of a generator as an item.
#[test]
fn local_config_is_kept_and_ignored() {
    let local = |item| with_annotation(item, "config.kubernetes.io/local-config", "true");
    let items = json!([local(service("web")), local(ingress("api", "api", "helm")), service("api")]);
    let (ran, output) = krm(&list(items));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(kinds(&output), ["Service web", "Ingress api", "Service api", "Ingress api"]);
}

#[test]
fn services_without_a_namespace() {
    let mut web = service("web");
    web["metadata"].as_object_mut().unwrap().remove("namespace");
    let (ran, output) = krm(&list(json!([web])));
    assert_eq!(ran.code, 0);
    assert_eq!(output["items"][1]["metadata"].get("namespace"), None);
    let (again, unchanged) = krm(&output);
    assert_eq!((again.code, unchanged), (0, output));
}

#[test]
fn what_is_no_resource_list_is_wrong_usage() {
    let not_a_list = "\
error: expected a ResourceList of config.kubernetes.io/v1
 |
 = help: let kustomize or kpt run this command; for files of your own use `xposer render`

";
    for input in ["", "[]", "kind: ResourceList\n", "apiVersion: v1\nkind: List\nitems: []\n"] {
        assert_eq!(
            xposer(&["krm"], input),
            Ran { code: 2, stdout: String::new(), stderr: not_a_list.into() }
        );
    }
    for (input, said) in [
        ("a: b: c\n", "error: a `:` followed by a blank cannot stand here\n --> <stdin>:1:5\n"),
        ("a: 1\n---\nb: 1\n", "error: expected one document, found 2\n--> <stdin>\n"),
        (
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: 1\n",
            "error: expected a list as the items of the ResourceList\n",
        ),
    ] {
        let ran = xposer(&["krm"], input).expect(2);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.starts_with(said), "{}", ran.stderr);
    }
}
