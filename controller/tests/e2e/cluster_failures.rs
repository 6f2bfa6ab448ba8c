//! Parts of the cluster are stopped and started again. On a cluster of your own, leave this module out.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::cluster::{INGRESS, SERVICE};
use crate::faults::{ingresses, numbered};
use crate::lifecycle::{is_owned, uid};
use crate::scenario::{PLAIN, Scene, host, service};

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn while_the_api_server_is_away_nothing_is_lost() {
    let scene = Scene::with_ctl("server");
    let shop = scene.place();
    let mut controller = scene.controller(PLAIN, &[]);
    let names = numbered(20);
    shop.create_all(names.iter().map(|name| service(name, &[])));
    shop.has(ingresses(&names));

    // Stopped in the middle of changes: the controller has seen some of them only, and has not finished those.
    let more: Vec<String> = (0..20).map(|it| format!("more-{it:03}")).collect();
    shop.create_all(more.iter().map(|name| service(name, &[])));
    shop.configure("web-001", "IngressURLTemplate", "before.example.com");
    shop.label("web-002", "false");
    scene.ctl(&["kill", "apiserver"]);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        assert_eq!(controller.ask("/healthz").0, 200, "it is not the controller that is ill");
        std::thread::sleep(Duration::from_secs(1));
    }
    scene.start_server();
    shop.configure("web-003", "IngressURLTemplate", "after.example.com");
    shop.delete(SERVICE, "web-004");
    shop.expose("after", &[]);

    let gone = ["web-002", "web-004"];
    let stays = names.iter().chain(&more).filter(|name| !gone.contains(&name.as_str()));
    let mut expected = ingresses(&stays.cloned().collect::<Vec<_>>());
    expected.push("Ingress after".to_owned());
    // The controller pauses for half a minute at most, and then has something to do.
    shop.has_within(Duration::from_secs(40), expected);
    shop.serves("web-001", "before.example.com");
    shop.serves("web-003", "after.example.com");
    assert!(controller.runs());
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_server_that_hangs_is_waited_for() {
    let scene = Scene::with_ctl("hangs");
    let shop = scene.place();
    let mut controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);
    shop.configure("web", "IngressURLTemplate", "one.example.com");
    scene.ctl(&["pause", "apiserver"]);
    std::thread::sleep(Duration::from_secs(5));
    scene.ctl(&["resume", "apiserver"]);
    shop.serves("web", "one.example.com");
    shop.configure("web", "IngressURLTemplate", "two.example.com");
    shop.serves("web", "two.example.com");
    assert!(controller.runs());
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_restart_of_etcd_is_survived() {
    let scene = Scene::with_ctl("etcd");
    let shop = scene.place();
    let mut controller = scene.controller(PLAIN, &[]);
    let names = numbered(10);
    shop.create_all(names.iter().map(|name| service(name, &[])));
    shop.has(ingresses(&names));
    shop.configure("web-001", "IngressURLTemplate", "before.example.com");
    scene.ctl(&["kill", "etcd"]);
    std::thread::sleep(Duration::from_secs(4));
    scene.ctl(&["start", "etcd"]);
    shop.configure("web-002", "IngressURLTemplate", "after.example.com");
    shop.serves("web-001", "before.example.com");
    shop.serves("web-002", "after.example.com");
    assert!(controller.runs());
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn changes_are_found_after_the_history_is_gone() {
    let scene = Scene::with_ctl("history");
    let shop = scene.place();
    let mut controller = scene.controller(PLAIN, &[]);
    for name in ["changed", "hidden", "deleted", "edited", "same"] {
        shop.expose(name, &[]);
    }
    shop.has(["changed", "hidden", "deleted", "edited", "same"].map(|name| format!("Ingress {name}")));
    let same = shop.get(INGRESS, "same");

    // The controller is stopped during changes. When it continues, their history is gone, and its watches end with 410.
    controller.signal("STOP");
    shop.configure("changed", "IngressURLTemplate", "changed.example.com");
    shop.label("hidden", "false");
    shop.delete(SERVICE, "deleted");
    shop.patch(INGRESS, "edited", &json!({"spec": {"rules": [{"host": "edited.example.com"}]}}));
    shop.expose("new", &[]);
    scene.ctl(&["compact"]);
    scene.ctl(&["kill", "apiserver"]);
    scene.start_server();
    controller.signal("CONT");

    shop.has(["changed", "edited", "new", "same"].map(|name| format!("Ingress {name}")));
    shop.serves("changed", "changed.example.com");
    shop.serves("edited", &format!("edited.{}.e2e.example.com", shop.name));
    assert_eq!(shop.get(INGRESS, "same"), same);
    assert!(controller.runs());
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn without_garbage_collection_a_new_service_takes_over_without_a_gap() {
    let scene = Scene::with_ctl("successor");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);
    let before = shop.get(INGRESS, "web");

    scene.ctl(&["pause", "controller-manager"]);
    let film = shop.film(&[INGRESS]);
    shop.delete(SERVICE, "web");
    shop.expose("web", &[host("successor.example.com")]);
    shop.serves("web", "successor.example.com");
    let after = is_owned(&shop, "web");
    scene.ctl(&["resume", "controller-manager"]);

    assert_eq!(uid(&after), uid(&before));
    shop.has(["Ingress web"]);
    scene.end(&[&controller]);
    assert!(!film.story().contains(&"Deleted Ingress web".to_owned()), "{:?}", film.story());
}
