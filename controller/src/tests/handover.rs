//! Tests of old objects that are kept until their successors serve.

use std::time::Duration;

use serde_json::{Value, json};
use xposer::Settings;
use xposer_live::keys::ServiceKey;
use xposer_live::kinds::Kind;

use super::{FakeCluster, HOST, NAME, address, in_shop, served, service, settle, web};
use crate::state::State;
use crate::watch::KindStatus;

/// The status that gateways write, with the generations that they have accepted.
fn accepted(generations: &[i64]) -> Value {
    let parents = generations.iter().map(|generation| {
        json!({"conditions": [{"type": "Accepted", "status": "True", "observedGeneration": generation}]})
    });
    json!({"parents": parents.collect::<Vec<_>>()})
}

fn kept(cluster: &FakeCluster, kind: Kind) -> usize {
    cluster.state.kept(kind)
}

#[test]
fn the_old_object_stays_until_the_new_one_has_an_address() {
    let mut cluster = served();
    let done = settle(cluster.apply(&web(&[(NAME, "new")])));
    assert_eq!(done, ["apply Ingress shop/new (Create)", "shop/web Kept"]);
    assert_eq!((kept(&cluster, Kind::Ingress), cluster.state.is_settled()), (1, false));
    // Time passes, and a status without an address is written.
    assert!(settle(cluster.advance(60)).is_empty());
    cluster.set_field(Kind::Ingress, "new", "status", json!({"loadBalancer": {}}));
    assert!(settle(&mut cluster).is_empty());
    let done = settle(cluster.set_field(Kind::Ingress, "new", "status", address()));
    assert_eq!(done, ["delete Ingress shop/web"]);
    assert_eq!((kept(&cluster, Kind::Ingress), cluster.state.is_settled()), (0, true));
    assert!(settle(cluster.deliver_deletions()).is_empty());
    assert!(settle(cluster.advance(600)).is_empty());
}

#[test]
fn an_address_that_is_seen_before_the_answer_to_the_request_counts() {
    let mut cluster = FakeCluster::new();
    cluster.is_fast = true;
    settle(cluster.apply(&web(&[])));
    settle(cluster.apply(&web(&[(NAME, "new")])));
    assert_eq!(cluster.objects.keys().collect::<Vec<_>>(), [&in_shop(Kind::Ingress, "new")]);
    // An event from before the response is still compared with the desired object.
    assert!(settle(cluster.deliver_deletions()).is_empty());
    cluster.set_field(Kind::Ingress, "new", "spec", json!({"rules": []}));
    assert_eq!(settle(&mut cluster), ["apply Ingress shop/new (Update)"]);
}

#[test]
fn the_old_object_is_deleted_after_the_timeout() {
    let mut cluster = served();
    settle(cluster.apply(&web(&[(NAME, "new")])));
    assert!(settle(cluster.advance(89)).is_empty());
    assert!(cluster.state.next_deadline().is_some_and(|at| at > cluster.now));
    let done = settle(cluster.advance(1));
    assert_eq!(done, ["delete Ingress shop/web", "shop/web HandoverTimedOut"]);
    assert!(settle(cluster.deliver_deletions()).is_empty());
    assert_eq!(cluster.state.next_deadline(), None);
}

#[test]
fn an_object_that_never_served_is_deleted_at_once() {
    let mut cluster = FakeCluster::new();
    cluster.apply(&web(&[])).settle();
    let done = settle(cluster.apply(&web(&[(NAME, "new")])));
    assert_eq!(done, ["apply Ingress shop/new (Create)", "delete Ingress shop/web"]);
}

#[test]
fn object_without_desired_hosts_is_deleted_at_once() {
    let mut cluster = served();
    let done = settle(cluster.apply(&web(&[(NAME, "new"), (HOST, "other.example.com")])));
    assert_eq!(done, ["apply Ingress shop/new (Create)", "delete Ingress shop/web"]);
    // One common host is enough.
    let mut cluster = FakeCluster::new();
    cluster.apply(&web(&[(HOST, "a.example.com, b.example.com")])).settle();
    cluster.set_field(Kind::Ingress, "web", "status", address());
    let done = settle(cluster.apply(&web(&[(NAME, "new"), (HOST, "b.example.com, c.example.com")])));
    assert_eq!(done, ["apply Ingress shop/new (Create)", "shop/web Kept"]);
}

#[test]
fn an_object_that_is_desired_again_is_not_touched() {
    let mut cluster = served();
    settle(cluster.apply(&web(&[(NAME, "new")])));
    let before = cluster.objects[&in_shop(Kind::Ingress, "web")].clone();
    assert_eq!(settle(cluster.apply(&web(&[]))), ["delete Ingress shop/new"]);
    assert!(settle(cluster.deliver_deletions().advance(600)).is_empty());
    assert_eq!(cluster.objects[&in_shop(Kind::Ingress, "web")], before);
    // The same if the new object has an address already.
    settle(cluster.apply(&web(&[(NAME, "new")])));
    cluster.set_field(Kind::Ingress, "new", "status", address());
    assert_eq!(settle(cluster.apply(&web(&[]))), ["delete Ingress shop/new"]);
}

#[test]
fn after_a_second_change_the_timeout_begins_again() {
    let mut cluster = served();
    settle(cluster.apply(&web(&[(NAME, "new")])));
    settle(cluster.advance(60));
    let done = settle(cluster.apply(&web(&[(NAME, "newer")])));
    // The object in between never had an address.
    assert_eq!(done, ["apply Ingress shop/newer (Create)", "delete Ingress shop/new", "shop/web Kept"]);
    assert!(settle(cluster.deliver_deletions().advance(89)).is_empty());
    assert_eq!(settle(cluster.advance(1))[0], "delete Ingress shop/web");
}

#[test]
fn without_the_label_all_objects_are_deleted_at_once() {
    let mut cluster = served();
    settle(cluster.apply(&web(&[(NAME, "new")])));
    cluster.state.delete_service(&ServiceKey::new("shop", "web"));
    let done = settle(&mut cluster);
    assert_eq!(done, ["delete if not exposed Ingress shop/new", "delete if not exposed Ingress shop/web"]);
    assert_eq!((kept(&cluster, Kind::Ingress), cluster.state.is_settled()), (0, true));
}

#[test]
fn in_conflict_all_objects_are_deleted_at_once() {
    let mut cluster = served();
    settle(cluster.apply(&web(&[(NAME, "new")])));
    let mut older = service("older", &[(HOST, "web.shop.example.com")]);
    older["metadata"]["creationTimestamp"] = "2025-01-01T00:00:00Z".into();
    let done = settle(cluster.apply(&older));
    for line in ["delete Ingress shop/new", "delete Ingress shop/web", "shop/web RouteClaimed"] {
        assert!(done.contains(&line.to_owned()), "{done:?}");
    }
    assert!(cluster.state.is_settled());
}

#[test]
fn an_invalid_service_keeps_all_objects() {
    let mut cluster = served();
    settle(cluster.apply(&web(&[(NAME, "new")])));
    settle(cluster.apply(&web(&[(NAME, "new"), (HOST, "Upper.example.com")])));
    assert!(settle(cluster.advance(600)).is_empty());
    assert!(cluster.state.is_settled());
    // When the Service is valid again, the time limit starts again.
    assert_eq!(settle(cluster.apply(&web(&[(NAME, "new")]))), ["shop/web Kept"]);
    assert_eq!(settle(cluster.advance(90))[0], "delete Ingress shop/web");
}

#[test]
fn after_a_restart_the_old_object_is_still_kept() {
    let mut cluster = served();
    settle(cluster.apply(&web(&[(NAME, "new")])));
    settle(cluster.advance(89));
    let done = settle(cluster.restart(&[web(&[(NAME, "new")])]));
    // After a restart, it is not known how long the object was kept.
    assert_eq!(done, ["shop/web Kept"]);
    assert!(settle(cluster.advance(89)).is_empty());
    let done = settle(cluster.set_field(Kind::Ingress, "new", "status", address()));
    assert_eq!(done, ["delete Ingress shop/web"]);
}

#[test]
fn a_refused_object_is_not_awaited() {
    let mut cluster = served();
    cluster.refuses = |_, key, _| (&*key.name == "new").then(|| "no more than one".to_owned());
    let done = settle(cluster.apply(&web(&[(NAME, "new")])));
    assert_eq!(done, ["apply Ingress shop/new (Create)", "shop/web ApplyFailed"]);
    assert!(settle(cluster.advance(600)).is_empty());
    assert!(cluster.objects.contains_key(&in_shop(Kind::Ingress, "web")));
}

#[test]
fn an_ingress_stays_until_the_current_generation_of_the_route_is_accepted() {
    let gateways = json!({"parentRefs": [{"name": "external"}, {"name": "internal"}]});
    let mut cluster = served();
    cluster.state.set_settings(Settings::from_value(&gateways).unwrap(), true);
    settle(&mut cluster);
    let done = settle(cluster.apply(&web(&[("Target", "HTTPRoute")])));
    assert_eq!(done, ["apply HTTPRoute shop/web (Create)", "shop/web Kept"]);
    // An earlier generation was accepted. One gateway is enough to replace one address.
    assert!(settle(cluster.set_field(Kind::HttpRoute, "web", "status", accepted(&[0]))).is_empty());
    let mut refused = accepted(&[1]);
    refused["parents"][0]["conditions"][0]["status"] = "False".into();
    let done = settle(cluster.set_field(Kind::HttpRoute, "web", "status", refused));
    assert_eq!(done, ["shop/web NotServed"]);
    let done = settle(cluster.set_field(Kind::HttpRoute, "web", "status", accepted(&[0, 1])));
    assert_eq!(done, ["delete Ingress shop/web"]);

    // A route with two gateways is kept until both have accepted the next route.
    cluster.set_field(Kind::HttpRoute, "web", "status", accepted(&[1, 1]));
    let done = settle(cluster.deliver_deletions().apply(&web(&[("Target", "HTTPRoute"), (NAME, "new")])));
    assert_eq!(done, ["apply HTTPRoute shop/new (Create)", "shop/web Kept"]);
    assert!(settle(cluster.set_field(Kind::HttpRoute, "new", "status", accepted(&[1]))).is_empty());
    let done = settle(cluster.set_field(Kind::HttpRoute, "new", "status", accepted(&[1, 1])));
    assert_eq!(done, ["delete HTTPRoute shop/web"]);
}

#[test]
fn a_route_of_openshift_stays_until_the_next_one_is_admitted() {
    let admitted = json!({"ingress": [{"conditions": [{"type": "Admitted", "status": "True"}]}]});
    let mut cluster = FakeCluster::new();
    cluster.apply(&web(&[("Target", "Route")])).settle();
    cluster.set_field(Kind::Route, "web", "status", admitted.clone());
    let done = settle(cluster.apply(&web(&[("Target", "Route"), (NAME, "new")])));
    assert_eq!(done, ["apply Route shop/new (Create)", "shop/web Kept"]);
    let done = settle(cluster.set_field(Kind::Route, "new", "status", admitted.clone()));
    assert_eq!(done, ["delete Route shop/web"]);

    // The router admits only one Route for a host and path.
    settle(cluster.deliver_deletions().apply(&web(&[("Target", "Route"), (NAME, "newer")])));
    let mut claimed = admitted;
    claimed["ingress"][0]["conditions"][0] =
        json!({"type": "Admitted", "status": "False", "reason": "HostAlreadyClaimed"});
    let done = settle(cluster.set_field(Kind::Route, "newer", "status", claimed));
    assert_eq!(done, ["delete Route shop/new"]);
}

#[test]
fn an_http_route_stays_until_the_others_have_its_hosts() {
    let gateways = json!({"parentRefs": [{"name": "external"}], "target": "HTTPRoute"});
    let mut cluster = FakeCluster::new();
    cluster.state.set_settings(Settings::from_value(&gateways).unwrap(), true);
    cluster.apply(&web(&[(HOST, "a.example.com/a, b.example.com/b")])).settle();
    cluster.set_field(Kind::HttpRoute, "web", "status", accepted(&[1]));
    cluster.set_field(Kind::HttpRoute, "web-2", "status", accepted(&[1]));
    // One route has both hosts now, and an earlier generation of it was accepted.
    let done = settle(cluster.apply(&web(&[(HOST, "a.example.com, b.example.com")])));
    assert_eq!(done, ["apply HTTPRoute shop/web (Update)", "shop/web Kept"]);
    assert!(settle(cluster.set_field(Kind::HttpRoute, "web", "status", accepted(&[1]))).is_empty());
    let done = settle(cluster.set_field(Kind::HttpRoute, "web", "status", accepted(&[2])));
    assert_eq!(done, ["delete HTTPRoute shop/web-2"]);
}

#[test]
fn each_kind_waits_for_its_own_successor() {
    let settings = Settings::from_value(&json!({"parentRefs": [{"name": "external"}], "monitor": true}));
    let both = ("Target", "Ingress, HTTPRoute");
    let mut cluster = FakeCluster::new();
    cluster.state.set_settings(settings.unwrap(), true);
    cluster.apply(&web(&[both])).settle();
    cluster.set_field(Kind::Ingress, "web", "status", address());
    cluster.set_field(Kind::HttpRoute, "web", "status", accepted(&[1]));
    let done = settle(cluster.apply(&web(&[both, (NAME, "new")])));
    // A monitor does not serve hosts.
    let expected = [
        "apply Ingress shop/new (Create)",
        "apply HTTPRoute shop/new (Create)",
        "apply EndpointMonitor shop/new (Create)",
        "delete EndpointMonitor shop/web",
        "shop/web Kept",
        "shop/web Kept",
    ];
    assert_eq!(done, expected);
    let done = settle(cluster.set_field(Kind::Ingress, "new", "status", address()));
    assert_eq!(done, ["delete Ingress shop/web"]);
    assert_eq!((kept(&cluster, Kind::Ingress), kept(&cluster, Kind::HttpRoute)), (0, 1));
}

#[test]
fn a_service_waits_for_a_name_that_is_kept_for_another() {
    let mut cluster = served();
    settle(cluster.apply(&web(&[(NAME, "new")])));
    let done = settle(cluster.apply(&service("api", &[(NAME, "web")])));
    assert_eq!(done, ["shop/api Kept"]);
    cluster.set_field(Kind::Ingress, "new", "status", address());
    settle(&mut cluster);
    let done = settle(cluster.deliver_deletions());
    assert_eq!(done, ["apply Ingress shop/web (Create)"]);
}

#[test]
fn with_a_timeout_of_zero_nothing_is_kept() {
    let mut cluster = served();
    cluster.state = State::new(Settings::default(), true, Duration::ZERO);
    for kind in Kind::ALL {
        cluster.state.set_kind_status(kind, KindStatus::Listed);
    }
    cluster.state.apply_namespace("shop", false);
    cluster.set_field(Kind::Ingress, "web", "status", address());
    let done = settle(cluster.apply(&web(&[(NAME, "new")])));
    assert_eq!(done, ["apply Ingress shop/new (Create)", "delete Ingress shop/web"]);
}
