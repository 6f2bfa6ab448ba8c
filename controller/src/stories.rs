//! What becomes of an object that is not wanted any more and still serves, without an API server: stories of a small world.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xposer::Settings;

use crate::agreement::{Small, in_shop};
use crate::kinds::Kind;
use crate::live::ObjectKey;
use crate::service::ServiceKey;

/// The Service `web`, with annotations of ours.
fn web(annotations: &[(&str, &str)]) -> Value {
    service("web", annotations)
}

fn service(name: &str, annotations: &[(&str, &str)]) -> Value {
    let annotations: BTreeMap<String, &str> = annotations
        .iter()
        .map(|(key, value)| (format!("config.xposer.stakater.com/{key}"), *value))
        .chain([("config.xposer.stakater.com/Domain".to_owned(), "example.com")])
        .collect();
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": {"expose": "true"},
            "annotations": annotations, "creationTimestamp": "2026-01-01T00:00:01Z"},
        "spec": {"ports": [{"port": 80}]},
    })
}

const NAME: &str = "IngressNameTemplate";
const HOST: &str = "IngressURLTemplate";

/// What a controller of Ingresses writes.
fn address() -> Value {
    json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}})
}

/// What a controller of Gateways writes of the generation that it has seen.
fn accepted(generations: &[i64]) -> Value {
    let parents = generations.iter().map(|generation| {
        json!({"conditions": [{"type": "Accepted", "status": "True", "observedGeneration": generation}]})
    });
    json!({"parents": parents.collect::<Vec<_>>()})
}

/// A world in which the Service `web` is served under its own name.
fn served() -> Small {
    let mut world = Small::new();
    world.see(&web(&[])).settle();
    world.writes(Kind::Ingress, "web", "status", address());
    assert!(world.settle().is_empty());
    world
}

/// What was done, without what is written back on the Service.
fn settle(world: &mut Small) -> Vec<String> {
    let mut done = world.settle();
    done.retain(|it| !it.starts_with("stamp"));
    done
}

fn kept(world: &Small, kind: Kind) -> usize {
    world.world.kept(kind)
}

#[test]
fn the_old_name_stays_until_the_new_one_has_an_address() {
    let mut world = served();
    let done = settle(world.see(&web(&[(NAME, "new")])));
    assert_eq!(done, ["apply Ingress shop/new (New)", "shop/web Kept"]);
    assert_eq!((kept(&world, Kind::Ingress), world.world.is_settled()), (1, false));
    // Neither time nor an empty status is an address.
    assert!(settle(world.later(60)).is_empty());
    world.writes(Kind::Ingress, "new", "status", json!({"loadBalancer": {}}));
    assert!(settle(&mut world).is_empty());
    let done = settle(world.writes(Kind::Ingress, "new", "status", address()));
    assert_eq!(done, ["delete Ingress shop/web"]);
    assert_eq!((kept(&world, Kind::Ingress), world.world.is_settled()), (0, true));
    assert!(settle(world.watches()).is_empty());
    assert!(settle(world.later(600)).is_empty());
}

#[test]
fn the_old_name_goes_in_the_end_all_the_same() {
    let mut world = served();
    settle(world.see(&web(&[(NAME, "new")])));
    assert!(settle(world.later(89)).is_empty());
    assert!(world.world.next_deadline().is_some_and(|at| at > world.now));
    let done = settle(world.later(1));
    assert_eq!(done, ["delete Ingress shop/web", "shop/web HandoverTimedOut"]);
    assert!(settle(world.watches()).is_empty());
    assert_eq!(world.world.next_deadline(), None);
}

#[test]
fn what_never_served_goes_at_once() {
    let mut world = Small::new();
    world.see(&web(&[])).settle();
    let done = settle(world.see(&web(&[(NAME, "new")])));
    assert_eq!(done, ["apply Ingress shop/new (New)", "delete Ingress shop/web"]);
}

#[test]
fn nor_is_anything_kept_for_hosts_that_nobody_wants_any_more() {
    let mut world = served();
    let done = settle(world.see(&web(&[(NAME, "new"), (HOST, "other.example.com")])));
    assert_eq!(done, ["apply Ingress shop/new (New)", "delete Ingress shop/web"]);
    // One of several is enough.
    let mut world = Small::new();
    world.see(&web(&[(HOST, "a.example.com, b.example.com")])).settle();
    world.writes(Kind::Ingress, "web", "status", address());
    let done = settle(world.see(&web(&[(NAME, "new"), (HOST, "b.example.com, c.example.com")])));
    assert_eq!(done, ["apply Ingress shop/new (New)", "shop/web Kept"]);
}

#[test]
fn a_name_that_is_wanted_again_is_not_touched() {
    let mut world = served();
    settle(world.see(&web(&[(NAME, "new")])));
    let before = world.objects[&in_shop(Kind::Ingress, "web")].clone();
    assert_eq!(settle(world.see(&web(&[]))), ["delete Ingress shop/new"]);
    assert!(settle(world.watches().later(600)).is_empty());
    assert_eq!(world.objects[&in_shop(Kind::Ingress, "web")], before);
    // Where the new one had an address already, too.
    settle(world.see(&web(&[(NAME, "new")])));
    world.writes(Kind::Ingress, "new", "status", address());
    assert_eq!(settle(world.see(&web(&[]))), ["delete Ingress shop/new"]);
}

#[test]
fn who_is_renamed_twice_gets_the_time_twice() {
    let mut world = served();
    settle(world.see(&web(&[(NAME, "new")])));
    settle(world.later(60));
    let done = settle(world.see(&web(&[(NAME, "newer")])));
    // The one between never had an address.
    assert_eq!(done, ["apply Ingress shop/newer (New)", "delete Ingress shop/new", "shop/web Kept"]);
    assert!(settle(world.watches().later(89)).is_empty());
    assert_eq!(settle(world.later(1))[0], "delete Ingress shop/web");
}

#[test]
fn what_is_not_exposed_any_more_loses_all_at_once() {
    let mut world = served();
    settle(world.see(&web(&[(NAME, "new")])));
    world.world.lose_service(&ServiceKey::new("shop", "web"));
    let done = settle(&mut world);
    assert_eq!(done, ["delete if not asked Ingress shop/new", "delete if not asked Ingress shop/web"]);
    assert_eq!((kept(&world, Kind::Ingress), world.world.is_settled()), (0, true));
}

#[test]
fn who_loses_the_host_loses_all_at_once() {
    let mut world = served();
    settle(world.see(&web(&[(NAME, "new")])));
    let mut older = service("older", &[(HOST, "web.shop.example.com")]);
    older["metadata"]["creationTimestamp"] = "2025-01-01T00:00:00Z".into();
    let done = settle(world.see(&older));
    for line in ["delete Ingress shop/new", "delete Ingress shop/web", "shop/web RouteClaimed"] {
        assert!(done.contains(&line.to_owned()), "{done:?}");
    }
    assert!(world.world.is_settled());
}

#[test]
fn who_becomes_invalid_keeps_all() {
    let mut world = served();
    settle(world.see(&web(&[(NAME, "new")])));
    settle(world.see(&web(&[(NAME, "new"), (HOST, "Upper.example.com")])));
    assert!(settle(world.later(600)).is_empty());
    assert!(world.world.is_settled());
    // Mended, it is waited for anew.
    assert_eq!(settle(world.see(&web(&[(NAME, "new")]))), ["shop/web Kept"]);
    assert_eq!(settle(world.later(90))[0], "delete Ingress shop/web");
}

#[test]
fn a_restart_keeps_what_was_kept() {
    let mut world = served();
    settle(world.see(&web(&[(NAME, "new")])));
    settle(world.later(89));
    let done = settle(world.restart(&[web(&[(NAME, "new")])]));
    // No clock but ours tells how long it was kept before.
    assert_eq!(done, ["shop/web Kept"]);
    assert!(settle(world.later(89)).is_empty());
    let done = settle(world.writes(Kind::Ingress, "new", "status", address()));
    assert_eq!(done, ["delete Ingress shop/web"]);
}

#[test]
fn what_is_refused_is_not_waited_for() {
    let mut world = served();
    world.refuses = |_, key, _| (&*key.name == "new").then(|| "no more than one".to_owned());
    let done = settle(world.see(&web(&[(NAME, "new")])));
    assert_eq!(done, ["apply Ingress shop/new (New)", "shop/web ApplyFailed"]);
    assert!(settle(world.later(600)).is_empty());
    assert!(world.objects.contains_key(&in_shop(Kind::Ingress, "web")));
}

#[test]
fn an_ingress_stays_until_the_route_is_accepted_as_it_is_now() {
    let gateways = json!({"parentRefs": [{"name": "external"}, {"name": "internal"}]});
    let mut world = served();
    world.world.set_settings(Settings::from_value(&gateways).unwrap(), true);
    settle(&mut world);
    let done = settle(world.see(&web(&[("Target", "HTTPRoute")])));
    assert_eq!(done, ["apply HTTPRoute shop/web (New)", "shop/web Kept"]);
    // What was accepted is what it was before, and one gateway is enough for what had one address.
    assert!(settle(world.writes(Kind::HttpRoute, "web", "status", accepted(&[0]))).is_empty());
    let mut refused = accepted(&[1]);
    refused["parents"][0]["conditions"][0]["status"] = "False".into();
    assert!(settle(world.writes(Kind::HttpRoute, "web", "status", refused)).is_empty());
    let done = settle(world.writes(Kind::HttpRoute, "web", "status", accepted(&[0, 1])));
    assert_eq!(done, ["delete Ingress shop/web"]);

    // A route that two gateways had stays until both have the next one.
    world.writes(Kind::HttpRoute, "web", "status", accepted(&[1, 1]));
    let done = settle(world.watches().see(&web(&[("Target", "HTTPRoute"), (NAME, "new")])));
    assert_eq!(done, ["apply HTTPRoute shop/new (New)", "shop/web Kept"]);
    assert!(settle(world.writes(Kind::HttpRoute, "new", "status", accepted(&[1]))).is_empty());
    let done = settle(world.writes(Kind::HttpRoute, "new", "status", accepted(&[1, 1])));
    assert_eq!(done, ["delete HTTPRoute shop/web"]);
}

#[test]
fn a_route_of_openshift_stays_until_the_next_one_is_admitted() {
    let admitted = json!({"ingress": [{"conditions": [{"type": "Admitted", "status": "True"}]}]});
    let mut world = Small::new();
    world.see(&web(&[("Target", "Route")])).settle();
    world.writes(Kind::Route, "web", "status", admitted.clone());
    let done = settle(world.see(&web(&[("Target", "Route"), (NAME, "new")])));
    assert_eq!(done, ["apply Route shop/new (New)", "shop/web Kept"]);
    let done = settle(world.writes(Kind::Route, "new", "status", admitted.clone()));
    assert_eq!(done, ["delete Route shop/web"]);

    // The router admits no second Route of a host and path.
    settle(world.watches().see(&web(&[("Target", "Route"), (NAME, "newer")])));
    let mut claimed = admitted;
    claimed["ingress"][0]["conditions"][0] =
        json!({"type": "Admitted", "status": "False", "reason": "HostAlreadyClaimed"});
    let done = settle(world.writes(Kind::Route, "newer", "status", claimed));
    assert_eq!(done, ["delete Route shop/new"]);
}

#[test]
fn a_route_that_is_not_needed_any_more_stays_until_the_others_have_its_hosts() {
    let gateways = json!({"parentRefs": [{"name": "external"}], "target": "HTTPRoute"});
    let mut world = Small::new();
    world.world.set_settings(Settings::from_value(&gateways).unwrap(), true);
    world.see(&web(&[(HOST, "a.example.com/a, b.example.com/b")])).settle();
    world.writes(Kind::HttpRoute, "web", "status", accepted(&[1]));
    world.writes(Kind::HttpRoute, "web-2", "status", accepted(&[1]));
    // One route has both hosts now; it was accepted as it was before.
    let done = settle(world.see(&web(&[(HOST, "a.example.com, b.example.com")])));
    assert_eq!(done, ["apply HTTPRoute shop/web (Ours)", "shop/web Kept"]);
    assert!(settle(world.writes(Kind::HttpRoute, "web", "status", accepted(&[1]))).is_empty());
    let done = settle(world.writes(Kind::HttpRoute, "web", "status", accepted(&[2])));
    assert_eq!(done, ["delete HTTPRoute shop/web-2"]);
}

#[test]
fn of_several_targets_each_waits_for_its_own() {
    let settings = Settings::from_value(&json!({"parentRefs": [{"name": "external"}], "monitor": true}));
    let both = ("Target", "Ingress, HTTPRoute");
    let mut world = Small::new();
    world.world.set_settings(settings.unwrap(), true);
    world.see(&web(&[both])).settle();
    world.writes(Kind::Ingress, "web", "status", address());
    world.writes(Kind::HttpRoute, "web", "status", accepted(&[1]));
    let done = settle(world.see(&web(&[both, (NAME, "new")])));
    // A monitor serves nobody.
    let expected = [
        "apply Ingress shop/new (New)",
        "apply HTTPRoute shop/new (New)",
        "apply EndpointMonitor shop/new (New)",
        "delete EndpointMonitor shop/web",
        "shop/web Kept",
        "shop/web Kept",
    ];
    assert_eq!(done, expected);
    let done = settle(world.writes(Kind::Ingress, "new", "status", address()));
    assert_eq!(done, ["delete Ingress shop/web"]);
    assert_eq!((kept(&world, Kind::Ingress), kept(&world, Kind::HttpRoute)), (0, 1));
}

#[test]
fn a_name_that_another_service_waits_for_is_waited_for_in_peace() {
    let mut world = served();
    settle(world.see(&web(&[(NAME, "new")])));
    let done = settle(world.see(&service("api", &[(NAME, "web")])));
    assert_eq!(done, ["shop/api Kept"]);
    world.writes(Kind::Ingress, "new", "status", address());
    settle(&mut world);
    let done = settle(world.watches());
    assert_eq!(done, ["apply Ingress shop/web (New)"]);
}

#[test]
fn without_time_nothing_is_kept() {
    let mut world = served();
    world.world = crate::world::World::new(Settings::default(), true, std::time::Duration::ZERO);
    for kind in Kind::ALL {
        world.world.set_serving(kind, crate::world::Serving::Listed);
    }
    world.world.see_namespace("shop", false);
    world.writes(Kind::Ingress, "web", "status", address());
    let done = settle(world.see(&web(&[(NAME, "new")])));
    assert_eq!(done, ["apply Ingress shop/new (New)", "delete Ingress shop/web"]);
}

// Where somebody refuses two Ingresses with one host and path.

const CANARY: &str = "nginx.ingress.kubernetes.io/canary";

/// As the admission webhook of ingress-nginx 1.15.1 does: it refuses the second Ingress of a host and path, unless one of them
/// says that it is no canary. It may not know yet what is gone.
fn overlaps(objects: &BTreeMap<ObjectKey, Value>, key: &ObjectKey, body: &Value) -> Option<String> {
    let says = |object: &Value| !object["metadata"]["annotations"][CANARY].is_null();
    let host = |object: &Value| object["spec"]["rules"][0]["host"].clone();
    let is_other = |(other, object): &(&ObjectKey, &Value)| {
        *other != key && host(object) == host(body) && !says(object) && !says(body)
    };
    let (other, _) = objects.iter().find(is_other)?;
    let said = "admission webhook \"validate.nginx.ingress.kubernetes.io\" denied the request: host \"web.shop.example.com\" and \
                path \"/\" is already defined in ingress";
    Some(format!("{said} {}/{}", other.namespace, other.name))
}

/// The same, of somebody who knows no canaries.
fn overlaps_always(objects: &BTreeMap<ObjectKey, Value>, key: &ObjectKey, _: &Value) -> Option<String> {
    let other = objects.keys().find(|other| *other != key)?;
    Some(format!(
        "admission webhook \"unique.example.com\" denied the request: {}/{}.",
        other.namespace, other.name
    ))
}

#[test]
fn where_the_webhook_refuses_both_the_new_one_says_that_it_is_no_canary() {
    let mut world = served();
    world.refuses = overlaps;
    let done = settle(world.see(&web(&[(NAME, "new")])));
    let twice =
        ["apply Ingress shop/new (New)", "in another way", "apply Ingress shop/new (New)", "shop/web Kept"];
    assert_eq!(done, twice);
    let marked =
        |world: &Small| world.objects[&in_shop(Kind::Ingress, "new")]["metadata"]["annotations"].clone();
    assert_eq!(marked(&world), json!({CANARY: "false"}));
    let done = settle(world.writes(Kind::Ingress, "new", "status", address()));
    assert_eq!(done, ["delete Ingress shop/web"]);
    // When the old one is gone, it need not say so any more.
    assert_eq!(settle(world.watches()), ["apply Ingress shop/new (Ours)"]);
    assert_eq!(marked(&world), Value::Null);
    assert!(settle(world.later(600)).is_empty());

    // And the same again, back and forth, and over a restart.
    let done = settle(world.see(&web(&[(NAME, "newer")])));
    assert_eq!(done[1], "in another way");
    let done = settle(world.restart(&[web(&[(NAME, "newer")])]));
    assert_eq!(
        done,
        [
            "apply Ingress shop/newer (Ours)",
            "in another way",
            "apply Ingress shop/newer (Ours)",
            "shop/web Kept"
        ]
    );
    let done = settle(world.see(&web(&[(NAME, "new")])));
    assert_eq!(done, ["apply Ingress shop/new (Ours)", "delete Ingress shop/newer"]);
    assert!(settle(world.watches()).is_empty());
}

#[test]
fn where_that_does_not_help_the_old_one_goes_first() {
    let mut world = served();
    world.refuses = overlaps_always;
    let done = settle(world.see(&web(&[(NAME, "new")])));
    let expected = [
        "apply Ingress shop/new (New)",
        "in another way",
        "apply Ingress shop/new (New)",
        "in another way",
        "delete Ingress shop/web",
        "apply Ingress shop/new (New)",
        "shop/web Deleted",
    ];
    assert_eq!(done, expected);
    assert!(settle(world.watches().later(600)).is_empty());
    assert_eq!(world.objects.keys().collect::<Vec<_>>(), [&in_shop(Kind::Ingress, "new")]);
}

#[test]
fn a_canary_cannot_say_that_it_is_none() {
    let mut world = Small::new();
    world.see(&web(&[])).settle();
    let next = |name: &str| {
        service(
            "next",
            &[(HOST, "web.shop.example.com"), (NAME, name), ("CanaryOf", "web"), ("CanaryWeight", "10")],
        )
    };
    settle(world.see(&next("next")));
    world.writes(Kind::Ingress, "next", "status", address());
    world.refuses = |objects, key, _| {
        let old = in_shop(Kind::Ingress, "next");
        (*key != old && objects.contains_key(&old)).then(|| "already defined in ingress shop/next".to_owned())
    };
    let done = settle(world.see(&next("new")));
    let expected = [
        "apply Ingress shop/new (New)",
        "in another way",
        "delete Ingress shop/next",
        "apply Ingress shop/new (New)",
        "shop/next Deleted",
    ];
    assert_eq!(done, expected);
}

#[test]
fn where_the_mark_is_refused_the_old_one_goes_first_too() {
    let mut world = served();
    world.refuses = |objects, key, body| {
        match body["metadata"]["annotations"][CANARY].is_null() {
        true => overlaps(objects, key, body),
        false => Some(
            "admission webhook \"validate.nginx.ingress.kubernetes.io\" denied the request: this deployment has a custom \
             annotation prefix defined. Use 'example.com' instead of 'nginx.ingress.kubernetes.io'"
                .to_owned(),
        ),
    }
    };
    let done = settle(world.see(&web(&[(NAME, "new")])));
    assert_eq!(done[4..], ["delete Ingress shop/web", "apply Ingress shop/new (New)", "shop/web Deleted"]);
    // Whatever else is wrong with the new one is told, and the old one stays.
    let mut world = served();
    world.refuses = |objects, key, body| match body["metadata"]["annotations"][CANARY].is_null() {
        true => overlaps(objects, key, body),
        false => {
            Some("admission webhook \"nginx.ingress.kubernetes.io\" denied the request: quota".to_owned())
        }
    };
    let done = settle(world.see(&web(&[(NAME, "new")])));
    assert_eq!(done[2..], ["apply Ingress shop/new (New)", "shop/web ApplyFailed"]);
    assert!(world.objects.contains_key(&in_shop(Kind::Ingress, "web")));
}

#[test]
fn a_refusal_for_what_is_gone_is_no_news_unless_it_lasts() {
    let mut world = served();
    world.refuses = overlaps;
    settle(world.see(&web(&[(NAME, "new")])));
    settle(world.writes(Kind::Ingress, "new", "status", address()));
    // The webhook learns of it later than we do.
    world.refuses = |_, key, body| {
        let is_late = &*key.name == "new" && body["metadata"]["annotations"][CANARY].is_null();
        is_late.then(|| "is already defined in ingress shop/web".to_owned())
    };
    assert_eq!(settle(world.watches()), ["apply Ingress shop/new (Ours)"]);
    let again = |world: &mut Small| {
        let mut done = world.retry("web");
        done.retain(|it| !it.starts_with("stamp"));
        done
    };
    for _ in 1..5 {
        assert_eq!(again(&mut world), ["apply Ingress shop/new (Ours)"]);
    }
    assert_eq!(again(&mut world), ["apply Ingress shop/new (Ours)", "shop/web ApplyFailed"]);
    world.refuses = overlaps;
    assert_eq!(again(&mut world), ["apply Ingress shop/new (Ours)"]);
    assert!(again(&mut world).is_empty());
}

#[test]
fn who_is_refused_for_another_reason_keeps_what_is_old() {
    let mut world = served();
    // It names our Service, an object of another kind, or one whose name only begins like ours.
    for said in ["Service web", "in ingress shop/web-2", "in ingress other/web", "shop/new is wrong"] {
        let mut handovers = crate::handover::Handovers::new(std::time::Duration::from_secs(1));
        let live = crate::live::Live::new(
            &serde_json::from_value(world.objects[&in_shop(Kind::Ingress, "web")].clone()).unwrap(),
        );
        let others = [(in_shop(Kind::Ingress, "web"), live.unwrap())];
        let key = ServiceKey::new("shop", "web");
        let refusal = handovers.refused(&key, &in_shop(Kind::Ingress, "new"), said, &others);
        assert_eq!(refusal, crate::handover::Refusal::Told, "{said}");
        let named = "path \"/\" is already defined in ingress shop/web.";
        let refusal = handovers.refused(&key, &in_shop(Kind::Ingress, "new"), named, &others);
        assert_eq!(refusal, crate::handover::Refusal::Retried);
    }
    world.refuses = |_, key, _| (&*key.name == "new").then(|| "quota".to_owned());
    settle(world.see(&web(&[(NAME, "new")])));
    assert!(world.objects.contains_key(&in_shop(Kind::Ingress, "web")));
}
