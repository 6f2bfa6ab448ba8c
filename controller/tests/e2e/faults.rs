//! The controller is killed, or others write without pause: the objects are correct in the end, and no others were touched.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::{HTTP_ROUTE, INGRESS, MONITOR, ROUTE, eventually};
use crate::recording::Film;
use crate::scenario::{FORWARD, PLAIN, Place, Scene, foreign_ingress, host, key, service};

pub(crate) fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|it| format!("web-{it:03}")).collect()
}

pub(crate) fn ingresses(names: &[String]) -> Vec<String> {
    names.iter().map(|name| format!("Ingress {name}")).collect()
}

/// Every Ingress was created once, and never changed.
#[track_caller]
fn only_added(film: &Film, names: &[String]) {
    let mut story = film.story();
    story.sort();
    let expected: Vec<String> = names.iter().map(|name| format!("Added Ingress {name}")).collect();
    assert!(story == expected, "{:#?}", story.iter().filter(|it| !expected.contains(it)).collect::<Vec<_>>());
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn killed_in_the_middle_of_its_work_it_goes_on_where_it_was() {
    let scene = Scene::open("middle");
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
#[ignore = "needs a cluster: make e2e-cluster"]
fn permanent_second_writer_does_not_change_own_fields() {
    let scene = Scene::open("hammered");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);
    let began = Instant::now();
    let mut round = 0;
    while began.elapsed() < Duration::from_secs(8) || round < 50 {
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
    // Others keep their fields, and no failure was reported.
    let last = json!({"example.com/round": round.to_string()});
    assert_eq!(shop.get(INGRESS, "web")["metadata"]["annotations"], last);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn one_bad_service_among_five_hundred_harms_only_itself() {
    let scene = Scene::open("many");
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

/// Services of every sort: conflicts, refusals, foreign objects, several kinds, published URLs.
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
#[ignore = "needs a cluster: make e2e-cluster"]
fn in_a_quiet_minute_nothing_is_written() {
    let scene = Scene::with_kinds("minute", &[HTTP_ROUTE, ROUTE, MONITOR]);
    let shop = scene.place();
    let settings = "domain: e2e.example.com\nparentRefs: [{name: external, namespace: gateways}]";
    let controller = scene.controller(settings, &["--stamp"]);
    shop.has(everything_at_once(&shop));
    shop.event("loser", "Warning", "RouteClaimed");
    shop.event("foreign", "Warning", "ForeignObject");
    scene.rests(&[&controller]);
    let before = controller.cpu();
    scene.quiet(&[&controller], Duration::from_secs(60));
    // It waits, and does not ask itself again and again whether there is something to do.
    if let Some(used) = before.and_then(|before| Some(controller.cpu()? - before)) {
        assert!(used < Duration::from_secs(6), "{used:?} of the processor for nothing");
    }
    // A new controller has nothing to do, either. It does not know the Events of the earlier one.
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
