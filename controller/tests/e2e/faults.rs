//! The world falls apart, and is put together again: what must be there is there, and nothing else was touched.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::{HTTP_ROUTE, INGRESS, MONITOR, ROUTE, SERVICE, eventually};
use crate::film::Film;
use crate::scene::{FORWARD, PLAIN, Place, Scene, foreign_ingress, host, key, service};

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|it| format!("web-{it:03}")).collect()
}

fn ingresses(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("Ingress {name}")).collect()
}

/// Every Ingress came once, and nothing else happened to any.
#[track_caller]
fn only_added(film: &Film, names: &[String]) {
    let mut story = film.story();
    story.sort();
    let expected: Vec<String> = names.iter().map(|name| format!("Added Ingress {name}")).collect();
    assert!(story == expected, "{:#?}", story.iter().filter(|it| !expected.contains(it)).collect::<Vec<_>>());
}

#[test]
fn killed_in_the_middle_of_its_work_it_goes_on_where_it_was() {
    let Some(scene) = Scene::open("middle") else { return };
    let shop = scene.place();
    let names = numbered(200);
    shop.create_all(names.iter().map(|name| service(name, &[])));
    let film = shop.film(&[INGRESS]);
    let mut controller = scene.controller_as(&scene.identity, PLAIN, &[]);
    eventually("it has begun", || match film.frames().len() {
        few if few < 20 => Err(few.to_string()),
        _ => Ok(()),
    });
    controller.kill();
    let made = shop.list(INGRESS).len();
    assert!(made < 190, "{made} are no middle");
    let controller = scene.controller(PLAIN, &[]);
    shop.has(ingresses(&names));
    scene.end(&[&controller]);
    only_added(&film, &names);
}

#[test]
fn while_the_api_server_is_away_nothing_is_lost() {
    let Some(scene) = Scene::with_ctl("server") else { return };
    let shop = scene.place();
    let mut controller = scene.controller(PLAIN, &[]);
    let names = numbered(20);
    shop.create_all(names.iter().map(|name| service(name, &[])));
    shop.has(ingresses(&names));

    // In the middle of changes: some are seen and not yet done, some are not seen.
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
    // It pauses for half a minute at most, and then it has something to do.
    shop.has_within(Duration::from_secs(40), expected);
    shop.serves("web-001", "before.example.com");
    shop.serves("web-003", "after.example.com");
    assert!(controller.runs());
    scene.end(&[&controller]);
}

#[test]
fn a_server_that_hangs_is_waited_for() {
    let Some(scene) = Scene::with_ctl("hangs") else { return };
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
fn a_restart_of_etcd_is_survived() {
    let Some(scene) = Scene::with_ctl("etcd") else { return };
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
fn what_happened_while_the_history_was_dropped_is_found_out() {
    let Some(scene) = Scene::with_ctl("history") else { return };
    let shop = scene.place();
    let mut controller = scene.controller(PLAIN, &[]);
    for name in ["changed", "hidden", "deleted", "edited", "same"] {
        shop.expose(name, &[]);
    }
    shop.has(["changed", "hidden", "deleted", "edited", "same"].map(|name| format!("Ingress {name}")));
    let same = shop.get(INGRESS, "same");

    // It sleeps over changes whose history is gone when it wakes up: its watches end with 410.
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
fn a_second_writer_that_never_rests_changes_nothing_of_ours() {
    let Some(scene) = Scene::open("hammered") else { return };
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);
    let began = Instant::now();
    let mut round = 0;
    while began.elapsed() < Duration::from_secs(8) {
        round += 1;
        let theirs = json!({"example.com/round": round.to_string()});
        let patch = match round % 3 {
            0 => {
                json!({"metadata": {"annotations": theirs}, "spec": {"rules": [{"host": "theirs.example.com"}]}})
            }
            1 => {
                json!({"metadata": {"annotations": theirs, "labels": {"app.kubernetes.io/managed-by": "theirs"}}})
            }
            _ => json!({"metadata": {"annotations": theirs}}),
        };
        if shop.find(INGRESS, "web").is_some() {
            shop.patch(INGRESS, "web", &patch);
        }
        if round % 10 == 0 {
            shop.configure("web", "IngressURLPath", format!("/{round}"));
        }
    }
    shop.configure("web", "IngressURLPath", "/last");
    shop.sees(INGRESS, "web", "/spec/rules/0/http/paths/0/path", "/last");
    shop.serves("web", &format!("web.{}.e2e.example.com", shop.name));
    scene.end(&[&controller]);
    // What is theirs they keep, and our Service was told of no failure that was none.
    let last = json!({"example.com/round": round.to_string()});
    assert_eq!(shop.get(INGRESS, "web")["metadata"]["annotations"], last);
    assert!(round > 50, "{round} rounds are no hammering");
}

#[test]
fn one_bad_service_among_five_hundred_harms_only_itself() {
    let Some(scene) = Scene::open("many") else { return };
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let film = shop.film(&[INGRESS]);
    let names = numbered(500);
    let mut services: Vec<Value> = names.iter().map(|name| service(name, &[])).collect();
    services.insert(250, service("bad", &[host("Upper.example.com")]));
    shop.create_all(services);
    shop.event("bad", "Warning", "HostUppercase");
    shop.has(ingresses(&names));
    scene.end(&[&controller]);
    only_added(&film, &names);
}

/// Everything that can keep a controller busy: conflicts, refusals, foreign objects, several kinds, published URLs.
fn everything_at_once(shop: &Place) -> Vec<String> {
    let names = numbered(30);
    shop.create_all(names.iter().map(|name| service(name, &[])));
    let shared = [host(&format!("shared.{}.example.com", shop.name))];
    shop.expose("winner", &shared);
    std::thread::sleep(Duration::from_millis(1100));
    shop.expose("loser", &shared);
    shop.expose("bad", &[host("Upper.example.com")]);
    shop.create(foreign_ingress("foreign", "foreign.example.com"));
    shop.expose("foreign", &[]);
    let publish = (FORWARD.to_owned(), "exposeIngressUrl: locally\nexample.com/a: b".to_owned());
    let all = (key("Target"), "Ingress, HTTPRoute, Route".to_owned());
    shop.expose("all", &[all, publish, (key("Monitor"), "true".to_owned())]);
    let mut expected = ingresses(&names);
    let more = ["Ingress winner", "Ingress foreign", "Ingress all", "HTTPRoute all", "Route all"];
    expected
        .extend(more.iter().chain(&["EndpointMonitor all", "ConfigMap xposer"]).map(|it| (*it).to_owned()));
    expected
}

#[test]
fn in_a_quiet_minute_nothing_is_written() {
    let Some(scene) = Scene::with_kinds("minute", &[HTTP_ROUTE, ROUTE, MONITOR]) else { return };
    let shop = scene.place();
    let settings = "domain: e2e.example.com\nparentRefs: [{name: external, namespace: gateways}]";
    let controller = scene.controller(settings, &["--stamp"]);
    shop.has(everything_at_once(&shop));
    shop.event("loser", "Warning", "RouteClaimed");
    shop.event("foreign", "Warning", "ForeignObject");
    scene.quiet(&[&controller], Duration::from_secs(60));
    // A new one has nothing to do, either; of its predecessor's Events it does not know.
    drop(controller);
    let (before, mark) = (shop.list(INGRESS), scene.audit_mark());
    let controller = scene.controller(settings, &["--stamp"]);
    scene.rests(&[&controller]);
    assert_eq!(shop.list(INGRESS), before);
    let mut written = scene.written_since(mark);
    written.retain(|it| !it.starts_with("create events"));
    assert_eq!(written, Vec::<String>::new());
    scene.end(&[&controller]);
}
