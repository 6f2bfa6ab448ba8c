//! The URL ConfigMap: which namespaces have it, and which keys it has.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xposer::emit::URL_CONFIG_MAP;

use crate::cluster::{CONFIG_MAP, Cluster, SERVICE, eventually};
use crate::scenario::{FORWARD, PLAIN, Place, Scene, host};

/// The annotations that publish a host, `locally` or `globally`.
fn published(name: &str, scope: &str) -> [(String, String); 2] {
    [host(name), (FORWARD.to_owned(), format!("exposeIngressUrl: {scope}"))]
}

/// Waits until the URL ConfigMap has exactly these entries.
#[track_caller]
fn tells(shop: &Place, entries: &[(&str, &str)]) {
    let entries: BTreeMap<&str, &str> = entries.iter().copied().collect();
    shop.sees(CONFIG_MAP, URL_CONFIG_MAP, "/data", json!(entries));
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_host_is_published_in_its_own_namespace() {
    let scene = Scene::open("locally");
    let (shop, other) = (scene.place(), scene.place());
    let controller = scene.controller(PLAIN, &[]);
    let (web, api) = (format!("web-{}", shop.name), format!("api-{}", shop.name));
    shop.expose("web", &published("web.example.com", "locally"));
    tells(&shop, &[(&web, "web.example.com")]);
    shop.expose("api", &published("api.example.com", "locally"));
    tells(&shop, &[(&web, "web.example.com"), (&api, "api.example.com")]);
    other.has_nothing();

    shop.configure("web", "IngressURLTemplate", "new.example.com");
    tells(&shop, &[(&web, "new.example.com"), (&api, "api.example.com")]);
    // An edited entry is repaired, and a deleted ConfigMap is created again.
    shop.patch(CONFIG_MAP, URL_CONFIG_MAP, &json!({"data": {web.as_str(): "edited", api.as_str(): null}}));
    tells(&shop, &[(&web, "new.example.com"), (&api, "api.example.com")]);
    shop.delete(CONFIG_MAP, URL_CONFIG_MAP);
    tells(&shop, &[(&web, "new.example.com"), (&api, "api.example.com")]);
    // A Service that becomes invalid keeps its Ingress, and so its entry.
    shop.configure("web", "IngressURLTemplate", "Invalid.example.com");
    shop.event("web", "Warning", "HostUppercase");
    scene.rests(&[&controller]);
    tells(&shop, &[(&web, "new.example.com"), (&api, "api.example.com")]);
    shop.configure("web", "IngressURLTemplate", "new.example.com");

    shop.has(["ConfigMap xposer", "Ingress api", "Ingress web"]);
    shop.delete(SERVICE, "web");
    tells(&shop, &[(&api, "api.example.com")]);
    shop.annotate("api", FORWARD, Value::Null);
    shop.has(["Ingress api"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn entries_of_deleted_services_are_removed_at_the_start() {
    let scene = Scene::open("stale");
    let shop = scene.place();
    let mut controller = scene.controller(PLAIN, &[]);
    let (web, api) = (format!("web-{}", shop.name), format!("api-{}", shop.name));
    shop.expose("web", &published("web.example.com", "locally"));
    shop.expose("api", &published("api.example.com", "locally"));
    tells(&shop, &[(&web, "web.example.com"), (&api, "api.example.com")]);
    controller.kill();

    shop.delete(SERVICE, "web");
    let controller = scene.controller(PLAIN, &[]);
    tells(&shop, &[(&api, "api.example.com")]);
    shop.has(["ConfigMap xposer", "Ingress api"]);
    drop(controller);
    shop.delete(SERVICE, "api");
    let controller = scene.controller(PLAIN, &[]);
    shop.has_nothing();
    scene.end(&[&controller]);
}

/// Waits until all namespaces have the entry, or, with `None`, no namespace has it.
#[track_caller]
fn everywhere(cluster: &Cluster, key: &str, value: Option<&str>) {
    eventually(&format!("every namespace has {key}: {value:?}"), || {
        let maps = cluster.list(CONFIG_MAP, None);
        let in_it = |namespace: &str| {
            let of_it = |it: &&Value| {
                it["metadata"]["name"] == URL_CONFIG_MAP && it["metadata"]["namespace"] == namespace
            };
            maps.iter().find(of_it).and_then(|map| map["data"][key].as_str()) == value
        };
        let without: Vec<String> = cluster.namespaces().into_iter().filter(|it| !in_it(it)).collect();
        if without.is_empty() { Ok(()) } else { Err(format!("{without:?} differ")) }
    });
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_host_is_published_in_every_namespace_and_in_new_ones() {
    let scene = Scene::open("globally");
    let (shop, before) = (scene.place(), scene.place());
    let controller = scene.controller(PLAIN, &[]);
    let web = format!("web-{}", shop.name);
    shop.expose("web", &published("web.example.com", "globally"));
    everywhere(&scene, &web, Some("web.example.com"));
    let after = scene.place();
    everywhere(&scene, &web, Some("web.example.com"));
    // A namespace that is deleted does not stop the others.
    let going = scene.namespace();
    everywhere(&scene, &web, Some("web.example.com"));
    scene.remove_namespace(&going);
    shop.configure("web", "IngressURLTemplate", "new.example.com");
    everywhere(&scene, &web, Some("new.example.com"));

    // From `globally` to `locally`.
    before.expose("own", &published("own.example.com", "locally"));
    let own = format!("own-{}", before.name);
    tells(&before, &[(&own, "own.example.com"), (&web, "new.example.com")]);
    shop.annotate("web", FORWARD, "exposeIngressUrl: locally");
    tells(&before, &[(&own, "own.example.com")]);
    tells(&shop, &[(&web, "new.example.com")]);
    after.has_nothing();
    shop.has(["ConfigMap xposer", "Ingress web"]);
    before.has(["ConfigMap xposer", "Ingress own"]);
    shop.delete(SERVICE, "web");
    shop.has_nothing();
    everywhere(&scene, &web, None);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn keys_of_others_stay_in_our_config_map() {
    let scene = Scene::open("shared");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let web = format!("web-{}", shop.name);
    shop.expose("web", &published("web.example.com", "locally"));
    tells(&shop, &[(&web, "web.example.com")]);
    shop.patch(CONFIG_MAP, URL_CONFIG_MAP, &json!({"data": {"theirs": "1"}}));
    shop.configure("web", "IngressURLTemplate", "new.example.com");
    tells(&shop, &[(&web, "new.example.com"), ("theirs", "1")]);
    shop.delete(SERVICE, "web");
    tells(&shop, &[("theirs", "1")]);
    shop.has(["ConfigMap xposer"]);
    scene.end(&[&controller]);
    tells(&shop, &[("theirs", "1")]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn foreign_config_map_keeps_its_content() {
    let scene = Scene::open("theirs");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let (web, api) = (format!("web-{}", shop.name), format!("api-{}", shop.name));
    // Somebody else has one of our keys, with another value.
    shop.create(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": URL_CONFIG_MAP},
        "data": {"theirs": "1", web.as_str(): "theirs.example.com"}}));
    shop.expose("web", &published("web.example.com", "locally"));
    let message = shop.event("web", "Warning", "ForeignObject");
    assert!(message.contains(&web) || message.contains(URL_CONFIG_MAP), "{message}");
    shop.expose("api", &published("api.example.com", "locally"));
    tells(&shop, &[("theirs", "1"), (&web, "theirs.example.com"), (&api, "api.example.com")]);
    let map = shop.get(CONFIG_MAP, URL_CONFIG_MAP);
    assert_eq!(map["metadata"]["labels"], Value::Null, "it is still theirs");

    shop.has(["ConfigMap xposer", "Ingress api", "Ingress web"]);
    scene.rests(&[&controller]);
    for name in ["api", "web"] {
        shop.delete(SERVICE, name);
    }
    tells(&shop, &[("theirs", "1"), (&web, "theirs.example.com")]);
    shop.has(["ConfigMap xposer"]);
    scene.end(&[&controller]);
}
