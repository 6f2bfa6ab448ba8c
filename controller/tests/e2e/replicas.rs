//! Several replicas, of which one writes.

use std::time::{Duration, Instant};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cluster::{INGRESS, LEASE, SERVICE, eventually, within};
use crate::controller::Controller;
use crate::scenario::{PLAIN, Place, Scene, host};

/// A little longer than the duration of the Lease.
const EXPIRED: Duration = Duration::from_secs(22);

fn replica(scene: &Scene, shop: &Place) -> Controller {
    scene.controller(PLAIN, &["--leader-elect", "--lease-namespace", &shop.name])
}

fn leads(controller: &Controller) -> bool {
    controller.metric("xposer_leader", &[]) == 1.0
}

#[track_caller]
fn leads_within(time: Duration, controller: &Controller) {
    within(time, "it leads", || if leads(controller) { Ok(()) } else { Err("it does not".to_owned()) });
}

fn holder(shop: &Place) -> Value {
    shop.get(LEASE, "xposer-controller")["spec"]["holderIdentity"].clone()
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_leader_that_is_asked_to_end_hands_over_at_once() {
    let scene = Scene::open("handover");
    let shop = scene.place();
    let mut first = replica(&scene, &shop);
    leads_within(EXPIRED, &first);
    let second = replica(&scene, &shop);
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);
    scene.rests(&[&first, &second]);
    assert!(leads(&first) && !leads(&second));
    assert_eq!(second.writes(), [], "a standby only watches");
    assert_eq!((first.ask("/readyz").0, second.ask("/readyz").0), (200, 200));
    let lease = shop.get(LEASE, "xposer-controller");
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 15);

    first.signal("TERM");
    let began = Instant::now();
    shop.expose("api", &[]);
    shop.has(["Ingress api", "Ingress web"]);
    // Without the release, the other replica would wait for 15 s.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    leads_within(Duration::from_secs(5), &second);
    assert_eq!(first.exits(), Some(0));
    scene.end(&[&second]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn when_the_leader_is_killed_no_object_flaps() {
    let scene = Scene::open("killed");
    let shop = scene.place();
    let mut first = replica(&scene, &shop);
    leads_within(EXPIRED, &first);
    let second = replica(&scene, &shop);
    let names: Vec<String> = (0..30).map(|it| format!("web-{it}")).collect();
    for name in &names {
        shop.expose(name, &[]);
    }
    shop.has(names.iter().map(|name| format!("Ingress {name}")));

    let film = shop.film(&[INGRESS]);
    first.kill();
    // Services are changed while there is no leader.
    shop.configure("web-1", "IngressURLTemplate", "changed.example.com");
    shop.expose("late", &[]);
    shop.label("web-2", "false");
    leads_within(EXPIRED, &second);
    shop.serves("web-1", "changed.example.com");
    let left = names.iter().map(String::as_str).filter(|name| *name != "web-2").chain(["late"]);
    shop.has(left.map(|name| format!("Ingress {name}")));
    scene.end(&[&second]);
    let mut story = film.story();
    story.sort();
    // Before the first change of an Ingress that was created, our fields become applied ones, which changes nothing else.
    let modified = "Modified Ingress web-1";
    assert_eq!(story, ["Added Ingress late", "Deleted Ingress web-2", modified, modified]);
}

/// Renews the Lease for a holder whose clock differs from ours.
fn hold(scene: &Scene, shop: &Place, who: &str, skew: SignedDuration) {
    let now = MicroTime(Timestamp::now() + skew);
    scene.apply(&json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "xposer-controller", "namespace": shop.name},
        "spec": {"holderIdentity": who, "leaseDurationSeconds": 15, "renewTime": now, "acquireTime": now, "leaseTransitions": 1},
    }));
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn different_clocks_do_not_break_the_lease() {
    let scene = Scene::open("clocks");
    let shop = scene.place();
    shop.expose("web", &[]);
    // The holder's clock is an hour late, and it renews in time.
    let late = SignedDuration::from_hours(-1);
    hold(&scene, &shop, "somebody", late);
    let mut waiting = replica(&scene, &shop);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(18) {
        hold(&scene, &shop, "somebody", late);
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(holder(&shop), "somebody");
    }
    assert!(!leads(&waiting));
    shop.has_nothing();
    // The holder's clock is an hour early, and it stops renewing. The controller does not wait for an hour.
    hold(&scene, &shop, "somebody", SignedDuration::from_hours(1));
    leads_within(EXPIRED, &waiting);
    shop.has(["Ingress web"]);

    // A replica that has lost the lease ends.
    hold(&scene, &shop, "thief", SignedDuration::ZERO);
    assert_eq!(waiting.exits(), Some(1));
    shop.configure("web", "IngressURLPath", "/later");
    scene.end(&[]);
    shop.sees(INGRESS, "web", "/spec/rules/0/http/paths/0/path", "/");
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn conflict_result_is_independent_of_the_leader() {
    let scene = Scene::open("winner");
    let shop = scene.place();
    let shared = [host(&format!("winner.{}.example.com", shop.name))];
    shop.expose("zeta", &shared);
    std::thread::sleep(Duration::from_millis(1100));
    shop.expose("alpha", &shared);
    let mut first = replica(&scene, &shop);
    shop.has(["Ingress zeta"]);
    let second = replica(&scene, &shop);
    let film = shop.film(&[INGRESS]);
    first.signal("TERM");
    leads_within(Duration::from_secs(10), &second);
    scene.rests(&[&second]);
    shop.has(["Ingress zeta"]);
    assert_eq!(film.story(), Vec::<String>::new());
    shop.delete(SERVICE, "zeta");
    shop.has(["Ingress alpha"]);
    eventually("the first has ended", || if first.runs() { Err("it runs".to_owned()) } else { Ok(()) });
    scene.end(&[&second]);
}
