//! The KRM function, by its protocol.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Ran, xposer};
use serde_json::{Value, json};
use xposer::emit::Kind;

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
    let documents = xposer_manifest::load(text).unwrap();
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
fn own_objects_are_replaced_in_place() {
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
fn stale_objects_are_removed() {
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
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.stderr,
        "info: Ingress shop/of-a-service-elsewhere was made for the Service elsewhere, which is not among the items; it is kept\n \
         |\n = help: remove it if the Service is gone; keep it if the Service is deployed from elsewhere\n\n"
    );
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
fn foreign_objects_are_not_changed() {
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
    assert_eq!(ran.code, 0);
    let message = "Service shop/web is ignored, because config.kubernetes.io/local-config is \"true\"";
    assert!(ran.stderr.starts_with(&format!("info: {message}\n")), "{}", ran.stderr);
    assert_eq!(kinds(&output), ["Service web", "Ingress api", "Service api", "Ingress api"]);
    assert_eq!(output["results"].as_array().map(Vec::len), Some(1));
    assert_eq!(output["results"][0]["severity"], "info");
    // What does not ask to be exposed is left out without a word.
    let mut silent = local(service("web"));
    silent["metadata"]["labels"] = json!({});
    assert_eq!(krm(&list(json!([silent]))).0.stderr, "");
}

/// A Service that is for tools alone from now on loses what was made of it.
#[test]
fn objects_of_a_service_that_became_local_are_removed() {
    let local = with_annotation(service("web"), "config.kubernetes.io/local-config", "true");
    let (_, output) = krm(&list(json!([ingress("web", "web", "xposer"), local])));
    assert_eq!(kinds(&output), ["Service web"]);
}

/// Every kind that is made, for one Service and its neighbours.
fn of_all_kinds() -> Value {
    let annotations = json!({"config.xposer.stakater.com/IngressURLTemplate": "web.example.com,www.example.com/shop",
        "config.xposer.stakater.com/Target": "Ingress, HTTPRoute, Route",
        "config.xposer.stakater.com/Monitor": "true",
        "xposer.stakater.com/annotations": "exposeIngressUrl: locally"});
    let mut web = service("web");
    web["metadata"]["annotations"] = annotations;
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "xposer"},
        "data": {"parentRefs": "[{name: external, namespace: gateways}]", "tls": "true", "listenerSet": "true",
            "tlsSecretNameTemplate": "{{.Service}}-tls"}});
    with_config(list(json!([web])), config)
}

#[test]
fn a_second_run_changes_nothing_for_any_kind() {
    let (first, output) = krm(&of_all_kinds());
    assert_eq!(first.code, 0, "{}", first.stderr);
    let made: Vec<String> = kinds(&output).split_off(1);
    let expected = [
        "Ingress web",
        "ListenerSet web",
        "HTTPRoute web",
        "HTTPRoute web-2",
        "Route web",
        "Route web-2",
        "EndpointMonitor web",
        "ConfigMap xposer",
    ];
    assert_eq!(made, expected);
    for kind in Kind::ALL.into_iter().filter(|kind| !OF_PROGRAMS.contains(kind)) {
        assert!(made.iter().any(|made| made.starts_with(&format!("{kind} "))), "{kind}");
    }
    let (second, again) = krm(&output);
    assert_eq!((second.code, again["items"].clone()), (0, output["items"].clone()), "{}", second.stderr);
    // What is no longer asked for goes, whatever its kind.
    let mut fewer = output.clone();
    fewer["items"][0]["metadata"]["annotations"] =
        json!({"config.xposer.stakater.com/IngressURLTemplate": "web.example.com"});
    assert_eq!(kinds(&krm(&fewer).1), ["Service web", "Ingress web"]);
    let mut hidden = output.clone();
    hidden["items"][0]["metadata"]["labels"] = json!({});
    assert_eq!(kinds(&krm(&hidden).1), ["Service web"]);
}

/// The kinds that express options in the words of one program.
const OF_PROGRAMS: [Kind; 4] =
    [Kind::Middleware, Kind::SecurityPolicy, Kind::BackendTrafficPolicy, Kind::HttpRouteFilter];

/// What was made in the words of a program goes with the option, and what is somebody else's stays.
#[test]
fn objects_of_programs_are_recognised_by_their_labels() {
    let object = |kind: Kind, name: &str, manager: &str| {
        let mut object = ingress(name, "web", manager);
        object["apiVersion"] = kind.row().api_version.into();
        object["kind"] = kind.as_str().into();
        object
    };
    let mut items = vec![service("web")];
    for kind in OF_PROGRAMS {
        items.extend([object(kind, "web-old", "xposer"), object(kind, "web-theirs", "Helm")]);
    }
    let (ran, output) = krm(&list(items.into()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let theirs = OF_PROGRAMS.map(|kind| format!("{kind} web-theirs"));
    let expected: Vec<String> =
        ["Service web".to_owned()].into_iter().chain(theirs).chain(["Ingress web".to_owned()]).collect();
    assert_eq!(kinds(&output), expected);
}

/// The function may be given a part of what is deployed, so a Service that is not there is no reason to remove anything.
#[test]
fn objects_of_a_missing_service_are_kept_and_reported() {
    let mut both = of_all_kinds();
    let locally = "exposeIngressUrl: locally";
    let api = with_annotation(service("api"), "xposer.stakater.com/annotations", locally);
    both["items"].as_array_mut().unwrap().push(api);
    let (first, output) = krm(&both);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let mut without = output.clone();
    let items = without["items"].as_array_mut().unwrap();
    items.retain(|item| !(item["kind"] == "Service" && item["metadata"]["name"] == "web"));
    let (ran, again) = krm(&without);
    assert_eq!((ran.code, &again["items"]), (0, &without["items"]), "{}", ran.stderr);
    let messages: Vec<&str> = again["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["message"].as_str().unwrap())
        .collect();
    for object in [
        "Ingress web",
        "ListenerSet web",
        "HTTPRoute web",
        "HTTPRoute web-2",
        "Route web",
        "Route web-2",
        "EndpointMonitor web",
    ] {
        let (kind, name) = object.split_once(' ').unwrap();
        let said = format!(
            "{kind} shop/{name} was made for the Service web, which is not among the items; it is kept; "
        );
        assert_eq!(messages.iter().filter(|message| message.starts_with(&said)).count(), 1, "{messages:?}");
    }
    let said = "the entry \"web-shop\" of ConfigMap shop/xposer was made for a Service that is not among the items; it is kept; ";
    assert_eq!(messages.iter().filter(|message| message.starts_with(said)).count(), 1, "{messages:?}");
    assert_eq!(messages.len(), 8);
    // Without any entry of a Service that is there, the ConfigMap stays, too.
    without["items"].as_array_mut().unwrap().retain(|item| item["kind"] != "Service");
    let (ran, again) = krm(&without);
    assert_eq!((ran.code, &again["items"]), (0, &without["items"]), "{}", ran.stderr);
    assert_eq!(again["results"].as_array().unwrap().len(), 10);
}

#[test]
fn foreign_objects_of_every_kind_are_kept() {
    let (_, output) = krm(&of_all_kinds());
    let made = output["items"].as_array().unwrap();
    for (index, object) in made.iter().enumerate().skip(1) {
        let mut foreign = of_all_kinds();
        let mut theirs = object.clone();
        theirs["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": "Helm"});
        theirs["spec"] = json!({});
        foreign["items"].as_array_mut().unwrap().push(theirs.clone());
        let (ran, refused) = krm(&foreign);
        assert_eq!(ran.code, 1, "{index}");
        assert_eq!(refused["items"][1], theirs);
        let kind = object["kind"].as_str().unwrap();
        let article = if ["ListenerSet", "Route", "ConfigMap"].contains(&kind) { "a" } else { "an" };
        let message = format!("the list already has {article} {kind} shop/");
        assert!(ran.stderr.contains(&message), "{}", ran.stderr);
    }
}

/// A value as somebody writes it in the data of a ConfigMap.
fn as_text(value: &Value) -> Value {
    match value {
        Value::String(text) => text.clone().into(),
        other => xposer_manifest::to_yaml(other).into(),
    }
}

/// The data of a ConfigMap are texts, and every setting can be written as one.
#[test]
fn every_setting_can_stand_in_a_config_map() {
    for (key, _) in xposer::options::settings() {
        let mut settings = json!({"domain": "example.com", "profiles": {"internal": {}}});
        settings[key.name] = read(&format!("{}: {}", key.name, key.example))[key.name].clone();
        let data: Value =
            settings.as_object().unwrap().iter().map(|(key, value)| (key.clone(), as_text(value))).collect();
        let spec = json!({"apiVersion": "x.example/v1", "kind": "Xposer", "spec": settings});
        let config_map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data});
        let file = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "data": {"settings.yaml": xposer_manifest::to_yaml(&settings)}});
        let mut web = service("web");
        web["metadata"]["annotations"] = json!({});
        let runs = [spec, config_map, file].map(|config| krm(&with_config(list(json!([web])), config)));
        for (ran, output) in &runs {
            assert_eq!(
                (ran.code, &output["items"]),
                (runs[0].0.code, &runs[0].1["items"]),
                "{}: {}",
                key.name,
                ran.stderr
            );
        }
    }
}

#[test]
fn errors_in_the_data_of_a_config_map_have_a_position() {
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {
        "parentRefs": "- name: external\n  port: 99999\n", "target": "[Ingress, HTTPRout]",
        "profiles": "internal: {tsl: true}", "stamp": ""}});
    let (ran, output) = krm(&with_config(list(json!([service("web")])), config.clone()));
    assert_eq!(ran.code, 1);
    let results = output["results"].as_array().unwrap();
    let fields: Vec<_> = results.iter().map(|result| result["field"].clone()).collect();
    let field = |key: &str| json!({"path": format!("data.{key}"), "currentValue": config["data"][key]});
    assert_eq!(fields, [field("parentRefs"), field("profiles"), field("target")], "{}", ran.stderr);
    for note in ["settings.parentRefs[0].port", "settings.target[1]", "settings.profiles.internal.tsl"] {
        assert!(ran.stderr.contains(&format!(" = note: {note}\n")), "{}", ran.stderr);
    }
    let malformed = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"parentRefs": "[a"}});
    let (ran, output) = krm(&with_config(list(json!([service("web")])), malformed));
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .starts_with("error: `parentRefs` is not YAML: the bracket `[` opened here is never closed\n"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("\n = note: data.parentRefs of the ConfigMap\n = help: add the `]`"),
        "{}",
        ran.stderr
    );
    assert_eq!(output["results"][0]["field"], json!({"path": "data.parentRefs", "currentValue": "[a"}));
}

#[test]
fn encrypted_input_is_reported() {
    let secret = "ENC[AES256_GCM,data:abcd1234,iv:aaaa=,tag:bbbb=,type:str]";
    let sops = json!({"mac": secret, "version": "3.11.0"});
    let encrypted = with_annotation(service("web"), "config.xposer.stakater.com/Domain", secret);
    let mut with_sops = service("web");
    with_sops["sops"] = sops.clone();
    let mut unknown = service("web");
    unknown["kind"] = secret.into();
    let message = "error: the file is encrypted by SOPS\n |\n = help: decrypt it first, for example with `sops decrypt FILE`\n\n";
    for item in [encrypted, with_sops, unknown] {
        let items = json!([item, service("api")]);
        let (ran, output) = krm(&list(items.clone()));
        assert_eq!((ran.code, ran.stderr.as_str()), (1, message));
        assert_eq!((&output["items"], output["results"].as_array().map(Vec::len)), (&items, Some(1)));
    }
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"domain": secret}, "sops": sops});
    let (ran, _) = krm(&with_config(list(json!([service("web")])), config));
    assert_eq!((ran.code, ran.stderr.as_str()), (1, message));
    // A Secret is encrypted wherever it may be, and is no concern of ours.
    let theirs = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": secret}, "sops": sops});
    assert_eq!(krm(&list(json!([theirs, service("web")]))).0.code, 0);
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
fn input_without_a_resource_list_is_wrong_usage() {
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
        ("a: b: c\n", "error: a `:` followed by a blank is not allowed here\n --> <stdin>:1:5\n"),
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

#[test]
fn a_config_whose_settings_are_not_read_is_refused() {
    for (config, said) in [
        (json!({"kind": "ConfigMap", "data": {"domian": "x"}}), "are read only with apiVersion v1"),
        (
            json!({"apiVersion": "v2", "kind": "ConfigMap", "data": {"domain": "x"}}),
            "are read only with apiVersion v1",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Foo", "data": {"domain": "x"}}),
            "the settings of a Foo are in spec",
        ),
        (json!({"domain": "example.com"}), "the settings of a config without a kind are in spec"),
    ] {
        let items = json!([service("web")]);
        let (ran, output) = krm(&with_config(list(items.clone()), config));
        assert_eq!((ran.code, &output["items"]), (1, &items), "{}", ran.stderr);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}
