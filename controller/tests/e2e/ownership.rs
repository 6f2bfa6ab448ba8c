//! Objects of somebody else stay as they are, unless the owner hands them over.

use serde_json::{Value, json};
use xposer::service::{MANAGED_BY, MANAGED_BY_LABEL, SERVICE_LABEL};

use crate::cluster::{INGRESS, SERVICE, name_of, place_of, versions};
use crate::scenario::{FORWARD, PLAIN, Place, Scene, belongs, foreign_ingress, host, key};

const ADOPT: &str = "xposer.stakater.com/adopt";

fn with_annotations(mut object: Value, annotations: Value) -> Value {
    object["metadata"]["annotations"] = annotations;
    object
}

/// The Ingress of a Service would have the name of somebody else's. That is reported, and nothing else happens.
#[track_caller]
fn is_foreign(shop: &Place, service: &str, ingress: &Value) {
    let message = shop.event(service, "Warning", "ForeignObject");
    assert!(message.contains(&format!("Ingress {}", place_of(ingress))), "{message}");
    assert_eq!(versions([&shop.get(INGRESS, name_of(ingress))]), versions([ingress]));
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn foreign_ingress_is_never_changed() {
    let scene = Scene::open("foreign");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let ingress = shop.create(foreign_ingress("web", "theirs.example.com"));
    // The older one of these two gets a name that both claim; in the same second, the first one by name.
    shop.expose("api", &[]);
    shop.expose("web", &[]);
    is_foreign(&shop, "web", &ingress);
    shop.has(["Ingress web", "Ingress api"]);

    // It is touched neither by changes of the Service, nor by a restart, nor when the Service does not need it any more.
    shop.configure("web", "IngressURLPath", "/web");
    shop.configure("api", "IngressNameTemplate", "web");
    is_foreign(&shop, "api", &ingress);
    shop.configure("api", "IngressNameTemplate", Value::Null);
    drop(controller);
    let controller = scene.controller(PLAIN, &[]);
    shop.has(["Ingress web", "Ingress api"]);
    shop.label("web", "false");
    scene.rests(&[&controller]);
    is_foreign(&shop, "web", &ingress);
    shop.label("web", "true");

    // Now the name is free.
    shop.delete(INGRESS, "web");
    shop.serves("web", &format!("web.{}.e2e.example.com", shop.name));
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn object_with_incomplete_marks_is_not_changed() {
    let scene = Scene::open("alike");
    let shop = scene.place();
    let other = scene.place();

    // The spec is exactly the desired one.
    let twin = shop.create(foreign_ingress("twin", "twin.example.com"));
    // The output of `xposer render`, applied by a person: with our labels, and no owner.
    let mut rendered = foreign_ingress("rendered", "rendered.example.com");
    rendered["metadata"]["labels"] = json!({MANAGED_BY_LABEL: MANAGED_BY, SERVICE_LABEL: "rendered"});
    let rendered = shop.create(rendered);
    // A copy from another namespace, with our labels, which name a Service there.
    let elsewhere = other.expose("copied", &[host("copied.other.example.com")]);
    let mut copied = foreign_ingress("copied", "copied.example.com");
    copied["metadata"]["labels"] = json!({MANAGED_BY_LABEL: MANAGED_BY, SERVICE_LABEL: "copied"});
    copied["metadata"]["annotations"] = json!({"copied/from": elsewhere["metadata"]["uid"]});
    let copied = shop.create(copied);

    let controller = scene.controller(PLAIN, &[]);
    for (name, ingress) in [("twin", &twin), ("rendered", &rendered), ("copied", &copied)] {
        shop.expose(name, &[host(&format!("{name}.example.com"))]);
        is_foreign(&shop, name, ingress);
    }
    // No foreign object is deleted with the Service.
    shop.label("twin", "false");
    shop.delete(SERVICE, "rendered");
    shop.has(["Ingress twin", "Ingress rendered", "Ingress copied"]);
    other.has(["Ingress copied"]);
    scene.rests(&[&controller]);
    for ingress in [&twin, &rendered, &copied] {
        assert_eq!(versions([&shop.get(INGRESS, name_of(ingress))]), versions([ingress]));
    }
    // The common check would take these for ours, because of the labels.
    shop.delete(INGRESS, "rendered");
    shop.delete(SERVICE, "copied");
    shop.delete(INGRESS, "copied");
    shop.has(["Ingress twin"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn an_ingress_with_the_annotation_is_adopted() {
    let scene = Scene::open("adopted");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let mut theirs = foreign_ingress("web", "theirs.example.com");
    theirs["metadata"]["annotations"] = json!({"example.com/old": "yes"});
    theirs["metadata"]["labels"] = json!({"team": "shop"});
    theirs["metadata"]["finalizers"] = json!(["example.com/keep"]);
    theirs["spec"]["ingressClassName"] = "old".into();
    theirs["spec"]["defaultBackend"] = json!({"service": {"name": "old", "port": {"number": 80}}});
    theirs["spec"]["tls"] = json!([{"hosts": ["theirs.example.com"], "secretName": "old"}]);
    let ingress = shop.create(theirs);
    let service = shop.expose("web", &[host("ours.example.com")]);
    is_foreign(&shop, "web", &ingress);

    // It is offered to another Service.
    let handed = shop.patch(INGRESS, "web", &json!({"metadata": {"annotations": {ADOPT: "other"}}}));
    scene.rests(&[&controller]);
    is_foreign(&shop, "web", &handed);

    shop.patch(INGRESS, "web", &json!({"metadata": {"annotations": {ADOPT: "web"}}}));
    shop.event("web", "Normal", "Adopted");
    shop.serves("web", "ours.example.com");
    shop.has(["Ingress web"]);
    scene.rests(&[&controller]);
    let adopted = shop.get(INGRESS, "web");
    belongs(&adopted, &service);
    let (metadata, spec) = (&adopted["metadata"], &adopted["spec"]);
    assert_eq!(metadata["uid"], ingress["metadata"]["uid"], "it was not made anew");
    assert_eq!(
        (&metadata["labels"]["team"], &metadata["finalizers"][0]),
        (&json!("shop"), &json!("example.com/keep"))
    );
    assert_eq!(metadata["annotations"]["example.com/old"], Value::Null);
    let left = [&spec["ingressClassName"], &spec["defaultBackend"], &spec["tls"]];
    assert_eq!(left, [&Value::Null; 3], "nothing of theirs is left: {spec}");

    // From now on it is like any other object of ours.
    shop.configure("web", "TLS", "true");
    shop.sees(INGRESS, "web", "/spec/tls/0/secretName", "web-cert");
    shop.configure("web", "TLS", Value::Null);
    shop.sees(INGRESS, "web", "/spec/tls", Value::Null);
    scene.end(&[&controller]);
    shop.patch(INGRESS, "web", &json!({"metadata": {"finalizers": null}}));
    shop.label("web", "false");
    shop.has_nothing();
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn an_ingress_of_the_original_is_adopted() {
    let scene = Scene::open("original");
    let shop = scene.place();
    let service = shop.expose(
        "web",
        &[
            host("web.example.com"),
            (FORWARD.to_owned(), "kubernetes.io/ingress.class: external\nexample.com/size: 1m".to_owned()),
        ],
    );
    // The same host and backend, the class as an annotation, and no mark of who created it.
    let old = foreign_ingress("web", "web.example.com");
    let old =
        with_annotations(old, json!({"kubernetes.io/ingress.class": "external", "example.com/size": "1m"}));
    let ingress = shop.create(old);
    let controller = scene.controller(PLAIN, &[]);
    is_foreign(&shop, "web", &ingress);

    let film = shop.film(&[INGRESS]);
    shop.patch(INGRESS, "web", &json!({"metadata": {"annotations": {ADOPT: "web"}}}));
    shop.event("web", "Normal", "Adopted");
    shop.sees(INGRESS, "web", "/spec/ingressClassName", "external");
    let adopted =
        shop.sees(INGRESS, "web", "/metadata/annotations/kubernetes.io~1ingress.class", Value::Null);
    assert_eq!(adopted["metadata"]["annotations"]["example.com/size"], "1m");
    belongs(&adopted, &service);
    shop.has(["Ingress web"]);
    scene.end(&[&controller]);
    let hosts = film.frames().into_iter().map(|it| it.object["spec"]["rules"][0]["host"].clone());
    assert!(hosts.into_iter().all(|it| it == "web.example.com"), "at no moment it served another host");
    assert!(!film.story().contains(&"Deleted Ingress web".to_owned()));
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn object_of_another_controller_is_not_adopted() {
    let scene = Scene::open("owned");
    let shop = scene.place();
    let owner = shop.create(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}}));
    let mut owned = with_annotations(foreign_ingress("web", "theirs.example.com"), json!({ADOPT: "web"}));
    owned["metadata"]["ownerReferences"] = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner",
        "uid": owner["metadata"]["uid"], "controller": true}]);
    let ingress = shop.create(owned);
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    is_foreign(&shop, "web", &ingress);
    shop.has(["ConfigMap owner", "Ingress web"]);
    scene.end(&[&controller]);
    is_foreign(&shop, "web", &ingress);
}

/// The operation of our entry in `managedFields`.
fn operation(ingress: &Value) -> Value {
    let entries = ingress["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let mut ours =
        entries.into_iter().filter(|it| it["manager"] == MANAGED_BY && it["subresource"].is_null());
    let operation = ours.next().map(|it| it["operation"].clone()).unwrap_or_default();
    assert!(ours.next().is_none(), "one entry is ours: {ingress}");
    operation
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn created_object_is_applied_from_the_first_change() {
    let scene = Scene::open("created");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let forward = |lines: &str| (FORWARD.to_owned(), lines.to_owned());
    let service = shop.expose(
        "web",
        &[
            host("web.example.com"),
            (key("TLS"), "true".to_owned()),
            forward("example.com/a: b\nexample.com/c: d"),
        ],
    );
    let created = shop.sees(INGRESS, "web", "/spec/tls/0/secretName", "web-cert");
    belongs(&created, &service);
    assert_eq!(operation(&created), "Update");

    // Somebody else adds a field, and a new controller finds nothing to do.
    shop.patch(INGRESS, "web", &json!({"metadata": {"annotations": {"example.com/theirs": "1"}}}));
    drop(controller);
    let before = shop.get(INGRESS, "web");
    let controller = scene.controller(PLAIN, &[]);
    scene.rests(&[&controller]);
    assert_eq!(versions([&shop.get(INGRESS, "web")]), versions([&before]));

    // What was created and is not desired any more goes, and what somebody else has added stays.
    shop.configure("web", "TLS", Value::Null);
    shop.annotate("web", FORWARD, "example.com/a: b");
    shop.sees(INGRESS, "web", "/spec/tls", Value::Null);
    let changed = shop.sees(INGRESS, "web", "/metadata/annotations/example.com~1c", Value::Null);
    let annotations = &changed["metadata"]["annotations"];
    assert_eq!(
        (&annotations["example.com/a"], &annotations["example.com/theirs"]),
        (&json!("b"), &json!("1"))
    );
    assert_eq!(changed["metadata"]["uid"], created["metadata"]["uid"], "it was not made anew");
    assert_eq!(operation(&changed), "Apply");
    belongs(&changed, &service);
    shop.has(["Ingress web"]);
    scene.end(&[&controller]);
}
