//! The objects of a Service while people change the Service, the objects and the settings.

use std::fs;
use std::os::unix::fs::symlink;

use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::cluster::{HTTP_ROUTE, INGRESS, NAMESPACE, SERVICE, eventually};
use crate::controller::Controller;
use crate::recording::Film;
use crate::scenario::{FORWARD, PLAIN, Place, Scene, host, key, service};

const PORT: &str = "/spec/rules/0/http/paths/0/backend/service/port";
const PATH: &str = "/spec/rules/0/http/paths/0/path";
const PATH_TYPE: &str = "/spec/rules/0/http/paths/0/pathType";

pub(crate) fn uid(object: &Value) -> &Value {
    &object["metadata"]["uid"]
}

/// The index of an event in a recording.
#[track_caller]
pub(crate) fn when(film: &Film, line: &str) -> usize {
    eventually(&format!("it happens: {line}"), || {
        let story = film.story();
        story.iter().position(|it| it == line).ok_or_else(|| format!("{story:#?}"))
    })
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_service_gets_its_ingress_and_every_change_reaches_it() {
    let scene = Scene::open("changes");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);

    shop.expose("web", &[]);
    let first = shop.serves("web", &format!("web.{}.e2e.example.com", shop.name));
    shop.has(["Ingress web"]);
    assert_eq!(first.pointer(PATH), Some(&json!("/")));
    assert_eq!(first.pointer(PATH_TYPE), Some(&json!("Prefix")));
    assert_eq!(first.pointer(PORT), Some(&json!({"number": 80})));
    assert_eq!((&first["spec"]["tls"], &first["spec"]["ingressClassName"]), (&Value::Null, &Value::Null));

    shop.configure("web", "Domain", "other.example.com");
    shop.serves("web", &format!("web.{}.other.example.com", shop.name));
    shop.configure("web", "IngressURLTemplate", "a.example.com, b.example.com");
    shop.serves("web", "a.example.com");
    shop.sees(INGRESS, "web", "/spec/rules/1/host", "b.example.com");
    shop.configure("web", "IngressURLTemplate", "a.example.com");
    shop.sees(INGRESS, "web", "/spec/rules/1", Value::Null);
    shop.configure("web", "IngressURLPath", "/shop");
    shop.sees(INGRESS, "web", PATH, "/shop");
    shop.configure("web", "PathType", "Exact");
    shop.sees(INGRESS, "web", PATH_TYPE, "Exact");
    shop.configure("web", "IngressClassName", "internal");
    shop.sees(INGRESS, "web", "/spec/ingressClassName", "internal");
    shop.configure("web", "IngressClassName", Value::Null);
    shop.sees(INGRESS, "web", "/spec/ingressClassName", Value::Null);
    shop.configure("web", "TLS", "true");
    shop.sees(INGRESS, "web", "/spec/tls/0/secretName", "web-cert");
    shop.configure("web", "TLSSecretNameTemplate", "own-{{.Service}}");
    shop.sees(INGRESS, "web", "/spec/tls/0/secretName", "own-web");
    shop.configure("web", "TLS", Value::Null);
    shop.sees(INGRESS, "web", "/spec/tls", Value::Null);

    let ports = json!([{"name": "admin", "port": 9090}, {"name": "http", "port": 8080}]);
    shop.patch(SERVICE, "web", &json!({"spec": {"ports": ports}}));
    shop.sees(INGRESS, "web", PORT, json!({"number": 9090}));
    shop.configure("web", "ServicePort", "http");
    shop.sees(INGRESS, "web", PORT, json!({"name": "http"}));

    let (size, rewrite) = ("nginx.ingress.kubernetes.io/proxy-body-size", "example.com/team");
    shop.annotate("web", FORWARD, format!("{size}: 1m"));
    shop.sees(INGRESS, "web", "/metadata/annotations", json!({size: "1m"}));
    shop.annotate("web", FORWARD, format!("{size}: 2m\n{rewrite}: shop"));
    shop.sees(INGRESS, "web", "/metadata/annotations", json!({size: "2m", rewrite: "shop"}));
    shop.annotate("web", FORWARD, format!("{rewrite}: shop"));
    shop.sees(INGRESS, "web", "/metadata/annotations", json!({rewrite: "shop"}));
    shop.annotate("web", FORWARD, Value::Null);
    let last = shop.sees(INGRESS, "web", "/metadata/annotations", Value::Null);

    assert_eq!(uid(&last), uid(&first), "it is one Ingress through all of this");
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_new_object_is_created_before_the_old_one_is_deleted() {
    let scene = Scene::open("name");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);

    let film = shop.film(&[INGRESS]);
    shop.configure("web", "IngressNameTemplate", "{{.Service}}-new");
    assert!(when(&film, "Added Ingress web-new") < when(&film, "Deleted Ingress web"));
    shop.has(["Ingress web-new"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn without_the_label_all_objects_of_a_service_are_deleted() {
    let scene = Scene::open("label");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    shop.expose("api", &[]);
    shop.has(["Ingress web", "Ingress api"]);

    shop.label("web", "false");
    shop.has(["Ingress api"]);
    shop.label("web", "true");
    shop.has(["Ingress api", "Ingress web"]);
    shop.label("web", Value::Null);
    shop.has(["Ingress api"]);
    assert!(shop.find(SERVICE, "web").is_some());
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn objects_of_a_service_that_lost_its_label_are_deleted_at_the_start() {
    let scene = Scene::open("downtime");
    let shop = scene.place();
    let mut controller = scene.controller(PLAIN, &[]);
    for name in ["stays", "unlabelled", "renamed", "moved"] {
        shop.expose(name, &[]);
    }
    shop.has(["Ingress stays", "Ingress unlabelled", "Ingress renamed", "Ingress moved"]);
    controller.kill();

    shop.label("unlabelled", Value::Null);
    shop.configure("renamed", "IngressNameTemplate", "other");
    shop.configure("moved", "Domain", "moved.example.com");
    let controller = scene.controller(PLAIN, &[]);
    shop.has(["Ingress stays", "Ingress other", "Ingress moved"]);
    shop.serves("moved", &format!("moved.{}.moved.example.com", shop.name));
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_deleted_service_takes_its_ingress_along() {
    let scene = Scene::open("deleted");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    shop.expose("api", &[]);
    shop.has(["Ingress web", "Ingress api"]);

    shop.delete(SERVICE, "web");
    shop.has(["Ingress api"]);
    // The same without a controller.
    drop(controller);
    shop.delete(SERVICE, "api");
    shop.has_nothing();
    let controller = scene.controller(PLAIN, &[]);
    scene.end(&[&controller]);
}

/// Waits until the Ingress has the owner reference of the current Service.
#[track_caller]
pub(crate) fn is_owned(shop: &Place, name: &str) -> Value {
    let service = shop.get(SERVICE, name);
    shop.sees(INGRESS, name, "/metadata/ownerReferences/0/uid", uid(&service).clone())
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_service_that_is_created_again_takes_over_the_old_objects() {
    let scene = Scene::open("again");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    shop.expose("api", &[]);
    shop.has(["Ingress web", "Ingress api"]);
    let orphan = shop.get(INGRESS, "api");

    // The garbage collector may delete it or not.
    shop.delete(SERVICE, "web");
    shop.expose("web", &[host("again.example.com")]);
    shop.serves("web", "again.example.com");
    is_owned(&shop, "web");

    // The garbage collector does not delete this one, and only a new Service of the same name may take it over.
    shop.delete_alone(SERVICE, "api");
    shop.sees(INGRESS, "api", "/metadata/ownerReferences", Value::Null);
    // It stays until its dependents are orphaned.
    shop.loses(SERVICE, "api");
    shop.expose("api", &[host("again-api.example.com")]);
    shop.serves("api", "again-api.example.com");
    assert_eq!(uid(&is_owned(&shop, "api")), uid(&orphan), "it was mended, not made anew");
    shop.has(["Ingress web", "Ingress api"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_target_moves_to_the_gateway_and_back() {
    let scene = Scene::with_kinds("target", &[HTTP_ROUTE]);
    let shop = scene.place();
    let settings = "domain: e2e.example.com\nparentRefs: [{name: external, namespace: gateways}]";
    let controller = scene.controller(settings, &[]);
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);

    let film = shop.film(&[INGRESS, HTTP_ROUTE]);
    shop.configure("web", "Target", "HTTPRoute");
    shop.has(["HTTPRoute web"]);
    shop.configure("web", "Target", "Ingress, HTTPRoute");
    shop.has(["HTTPRoute web", "Ingress web"]);
    shop.configure("web", "Target", "HTTPRoute");
    shop.has(["HTTPRoute web"]);
    shop.configure("web", "Target", Value::Null);
    shop.has(["Ingress web"]);
    assert!(when(&film, "Added HTTPRoute web") < when(&film, "Deleted Ingress web"));
    assert!(when(&film, "Added Ingress web") < when(&film, "Deleted HTTPRoute web"));
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn edits_of_our_objects_are_undone() {
    let scene = Scene::open("mended");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let service = shop.expose("web", &[host("web.example.com")]);
    let first = shop.serves("web", "web.example.com");

    shop.patch(INGRESS, "web", &json!({"spec": {"rules": [{"host": "elsewhere.example.com"}]}}));
    shop.serves("web", "web.example.com");
    shop.patch(INGRESS, "web", &json!({"metadata": {"labels": null}}));
    shop.sees(INGRESS, "web", "/metadata/labels/xposer.stakater.com~1service", "web");
    shop.patch(INGRESS, "web", &json!({"metadata": {"labels": {"xposer.stakater.com/service": "other"}}}));
    shop.sees(INGRESS, "web", "/metadata/labels/xposer.stakater.com~1service", "web");
    shop.patch(INGRESS, "web", &json!({"metadata": {"ownerReferences": null}}));
    shop.sees(INGRESS, "web", "/metadata/ownerReferences/0/uid", uid(&service).clone());

    // A tool that does not know the field empties it. The fields that were applied before then have no owner, and must
    // still be removed when they are not desired any more.
    shop.configure("web", "TLS", "true");
    shop.sees(INGRESS, "web", "/spec/tls/0/secretName", "web-cert");
    shop.patch(INGRESS, "web", &json!({"metadata": {"managedFields": [{}]}}));
    let applied = |it: &Value| it["manager"] == "xposer" && it["operation"] == "Apply";
    eventually("the fields are managed again", || match shop.get(INGRESS, "web") {
        it if it["metadata"]["managedFields"].as_array().is_some_and(|it| it.iter().any(applied)) => Ok(()),
        it => Err(it["metadata"]["managedFields"].to_string()),
    });
    shop.configure("web", "TLS", Value::Null);
    let mended = shop.sees(INGRESS, "web", "/spec/tls", Value::Null);
    assert_eq!(uid(&mended), uid(&first));

    shop.delete(INGRESS, "web");
    let again = shop.serves("web", "web.example.com");
    assert_ne!(uid(&again), uid(&first));
    shop.has(["Ingress web"]);
    // Fields that others add stay theirs.
    shop.patch(INGRESS, "web", &json!({"metadata": {"annotations": {"example.com/theirs": "yes"}}}));
    scene.end(&[&controller]);
    shop.sees(INGRESS, "web", "/metadata/annotations", json!({"example.com/theirs": "yes"}));
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn new_settings_reach_every_service_without_a_restart() {
    let scene = Scene::open("settings");
    let shop = scene.place();
    let controller = scene.controller("domain: one.example.com", &[]);
    let names = ["a", "b", "c"];
    for name in names {
        shop.expose(name, &[]);
    }
    let serves = |domain: &str| {
        for name in names {
            shop.serves(name, &format!("{name}.{}.{domain}", shop.name));
        }
    };
    serves("one.example.com");
    controller.change_settings("domain: two.example.com\ntls: true");
    serves("two.example.com");
    shop.sees(INGRESS, "a", "/spec/tls/0/secretName", "a-cert");
    shop.has(names.map(|name| format!("Ingress {name}")));

    // Invalid settings change nothing, and are reported.
    controller.change_settings("domian: three.example.com");
    controller.says("setting-unknown");
    scene.rests(&[&controller]);
    serves("two.example.com");
    shop.configure("a", "IngressURLPath", "/a");
    shop.sees(INGRESS, "a", PATH, "/a");
    controller.change_settings("domain: [");
    scene.rests(&[&controller]);
    serves("two.example.com");

    controller.change_settings("domain: three.example.com");
    serves("three.example.com");
    shop.sees(INGRESS, "a", "/spec/tls", Value::Null);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn settings_in_a_mounted_config_map_are_noticed_too() {
    let scene = Scene::open("mounted");
    let shop = scene.place();
    // The kubelet mounts a ConfigMap like this: the file is a link into `..data`, which is a link that is replaced.
    let write = |version: &str, yaml: &str| {
        fs::create_dir_all(scene.file(version)).unwrap();
        fs::write(scene.file(version).join("settings.yaml"), yaml).unwrap();
        symlink(version, scene.file("..new")).unwrap();
        fs::rename(scene.file("..new"), scene.file("..data")).unwrap();
    };
    write("..1", "domain: one.example.com");
    symlink("..data/settings.yaml", scene.file("settings.yaml")).unwrap();
    let controller = Controller::spawn(&scene.identity, &scene.file("settings.yaml"), &[]).ready();
    shop.expose("web", &[]);
    shop.serves("web", &format!("web.{}.one.example.com", shop.name));
    write("..2", "domain: two.example.com");
    shop.serves("web", &format!("web.{}.two.example.com", shop.name));
    shop.has(["Ingress web"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_deleted_namespace_is_left_alone() {
    let scene = Scene::open("namespace");
    let shop = scene.place();
    let going = scene.namespace();
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    let here = |mut service: Value| {
        service["metadata"]["namespace"] = going.as_str().into();
        service
    };
    let publish = [(FORWARD.to_owned(), "exposeIngressUrl: locally".to_owned())];
    scene.create_all((0..10).map(|it| here(service(&format!("web-{it}"), &publish))).collect());
    let ingresses = || scene.list(INGRESS, Some(&going)).len();
    eventually("all are exposed", || if ingresses() == 10 { Ok(()) } else { Err(ingresses().to_string()) });

    // Its Ingresses may be deleted before its Services, and creating them again would be refused. That may be tried once,
    // because the watches are not in step.
    let mark = scene.audit_mark();
    scene.delete(NAMESPACE, None, &going, &DeleteParams::default());
    eventually("it is gone", || scene.find(NAMESPACE, None, &going).map_or(Ok(()), |it| Err(it.to_string())));
    shop.has(["Ingress web"]);
    scene.end(&[&controller]);
    let tried = scene.written_since(mark);
    let tried = tried.iter().filter(|it| it.contains("ingresses") || it.contains("configmaps"));
    assert!(tried.clone().count() <= 10, "{:#?}", tried.collect::<Vec<_>>());
    // The controller remembers nothing of it.
    controller.shows("xposer_services", &[], 1.0);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_earlier_service_keeps_the_host() {
    let scene = Scene::open("claim");
    let shop = scene.place();
    let market = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let shared = format!("shared.{}.example.com", shop.name);
    // It is the oldest, although it is the last by namespace and name.
    let (early, late) = if shop.name > market.name { (&shop, &market) } else { (&market, &shop) };
    early.expose("zeta", &[host(&shared)]);
    early.has(["Ingress zeta"]);
    // Creation times have a resolution of seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    late.expose("alpha", &[host(&shared)]);
    let message = late.event("alpha", "Warning", "RouteClaimed");
    assert!(message.contains(&shared) && message.contains("zeta"), "{message}");
    assert_eq!(early.events("zeta").iter().filter(|it| it.0 == "Warning").count(), 0);
    late.has_nothing();

    drop(controller);
    let controller = scene.controller(PLAIN, &[]);
    scene.rests(&[&controller]);
    early.has(["Ingress zeta"]);
    late.has_nothing();

    // A Service that gives the host up loses it to the other one, and has to wait to get it back.
    early.configure("zeta", "IngressURLTemplate", format!("own.{}.example.com", early.name));
    late.serves("alpha", &shared);
    early.has(["Ingress zeta"]);
    early.configure("zeta", "IngressURLTemplate", shared.as_str());
    early.serves("zeta", &shared);
    late.has_nothing();
    early.delete(SERVICE, "zeta");
    late.has(["Ingress alpha"]);
    early.has_nothing();
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_name_decides_between_services_of_the_same_second() {
    let scene = Scene::open("together");
    let shop = scene.place();
    let shared = [host(&format!("together.{}.example.com", shop.name))];
    let one_name = (key("IngressNameTemplate"), "front".to_owned());
    let named = |name| [host(&format!("{name}.{}.example.com", shop.name)), one_name.clone()];
    // Repeated until all of them have the same second.
    for _ in 0..5 {
        let all = [
            service("b", &shared),
            service("a", &shared),
            service("n", &named("n")),
            service("m", &named("m")),
        ];
        let times: Vec<Value> =
            shop.create_all(all).iter().map(|it| it["metadata"]["creationTimestamp"].clone()).collect();
        if times.iter().all(|time| *time == times[0]) {
            break;
        }
        for name in ["a", "b", "m", "n"] {
            shop.delete(SERVICE, name);
        }
    }
    let controller = scene.controller(PLAIN, &[]);
    shop.has(["Ingress a", "Ingress front"]);
    shop.event("b", "Warning", "RouteClaimed");
    shop.event("n", "Warning", "NameClaimed");
    shop.serves("front", &format!("m.{}.example.com", shop.name));
    // The other one gets the name, too.
    shop.label("m", "false");
    shop.serves("front", &format!("n.{}.example.com", shop.name));
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_service_that_becomes_invalid_keeps_its_objects() {
    let scene = Scene::open("invalid");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[host("valid.example.com")]);
    shop.expose("api", &[]);
    shop.has(["Ingress web", "Ingress api"]);
    let before = shop.get(INGRESS, "web");

    let wrong = json!({key("IngressURLTemplate"): "Upper.example.com", key("PathType"): "prefixed"});
    shop.patch(SERVICE, "web", &json!({"metadata": {"annotations": wrong}}));
    shop.event("web", "Warning", "HostUppercase");
    shop.event("web", "Warning", "PathTypeUnknown");
    // One that never was valid gets no objects.
    shop.expose("new", &[host("under_score.example.com")]);
    shop.event("new", "Warning", "HostCharacter");
    shop.has(["Ingress web", "Ingress api"]);
    scene.rests(&[&controller]);
    assert_eq!(shop.get(INGRESS, "web"), before);

    // It is still ours, and still repaired and deleted.
    shop.configure("web", "PathType", Value::Null);
    shop.configure("web", "IngressURLTemplate", "valid-again.example.com");
    shop.serves("web", "valid-again.example.com");
    shop.configure("web", "IngressURLTemplate", "Upper.example.com");
    shop.event("web", "Warning", "HostUppercase");
    shop.label("web", "false");
    shop.has(["Ingress api"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn an_object_with_a_finalizer_is_awaited() {
    let scene = Scene::open("lingers");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);
    // A finalizer, as controllers of load balancers set it.
    shop.patch(INGRESS, "web", &json!({"metadata": {"finalizers": ["example.com/load-balancer"]}}));
    shop.label("web", "false");
    eventually("it is going", || match &shop.get(INGRESS, "web")["metadata"]["deletionTimestamp"] {
        Value::Null => Err("it is not".to_owned()),
        _ => Ok(()),
    });
    let going = shop.get(INGRESS, "web");
    shop.label("web", "true");
    scene.rests(&[&controller]);
    assert_eq!(shop.get(INGRESS, "web"), going, "what is going is left alone");
    shop.patch(INGRESS, "web", &json!({"metadata": {"finalizers": null}}));
    let again = shop.serves("web", &format!("web.{}.e2e.example.com", shop.name));
    assert_eq!(again["metadata"]["deletionTimestamp"], Value::Null);
    assert_ne!(uid(&again), uid(&going));
    shop.has(["Ingress web"]);

    // Nothing is created for a Service that is being deleted.
    shop.patch(SERVICE, "web", &json!({"metadata": {"finalizers": ["example.com/load-balancer"]}}));
    shop.delete(SERVICE, "web");
    shop.delete(INGRESS, "web");
    scene.rests(&[&controller]);
    shop.has_nothing();
    shop.patch(SERVICE, "web", &json!({"metadata": {"finalizers": null}}));
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_canary_is_added_to_the_route_of_its_stable_service_and_removed() {
    let scene = Scene::with_kinds("canary", &[HTTP_ROUTE]);
    let shop = scene.place();
    let settings =
        "domain: e2e.example.com\ntarget: HTTPRoute\nparentRefs: [{name: external, namespace: gateways}]";
    let controller = scene.controller(settings, &[]);
    let shared = host("web.example.com");
    shop.expose("web", std::slice::from_ref(&shared));
    shop.has(["HTTPRoute web"]);
    let weight = |index: usize| format!("/spec/rules/0/backendRefs/{index}/weight");
    let canary = [
        shared,
        (key("CanaryOf"), "web".to_owned()),
        (key("CanaryWeight"), "10".to_owned()),
        (key("IngressNameTemplate"), "web-next".to_owned()),
    ];
    shop.expose("next", &canary);
    shop.sees(HTTP_ROUTE, "web", &weight(0), 90);
    shop.sees(HTTP_ROUTE, "web", &weight(1), 10);
    shop.configure("next", "CanaryWeight", "50");
    shop.sees(HTTP_ROUTE, "web", &weight(0), 50);
    shop.has(["HTTPRoute web"]);
    scene.rests(&[&controller]);
    shop.delete(SERVICE, "next");
    shop.sees(HTTP_ROUTE, "web", "/spec/rules/0/backendRefs/1", Value::Null);
    shop.has(["HTTPRoute web"]);
    scene.end(&[&controller]);
}
