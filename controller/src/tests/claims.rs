//! Tests of the recorded claims: which Services and objects of other owners are recorded, and where.

use std::collections::BTreeSet;

use kube::runtime::watcher::Event;
use serde_json::{Value, json};
use xposer::Settings;
use xposer::conflicts::{
    BucketHash, Holders, MAX_HOLDERS, MAX_ROUTES, SHARDS, Shard, ShardState, config_map,
};
use xposer_live::keys::{ObjectKey, ServiceKey};
use xposer_live::kinds::{ForeignKind, Kind};
use xposer_live::servers::ServerKind;
use xposer_testkit::growth::growth;

use super::{FakeCluster, HOST, document, in_shop, service, settle, web};
use crate::state::recorded_claims::{Content, MAX_CLAIMS, MAX_INCOMPLETE};
use crate::watch::{KindStatus, Source, WatchEvent};

fn settings(more: &Value) -> Settings {
    let mut settings = json!({"claims": {"namespace": "xposer-system"}, "domain": "example.com"});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Settings::from_value(&settings).unwrap()
}

impl FakeCluster {
    /// A cluster with settings that record claims.
    fn with_claims() -> Self {
        let mut cluster = Self::new();
        cluster.switch(&json!({}));
        cluster.list(&[]);
        cluster
    }

    fn switch(&mut self, more: &Value) {
        self.state.set_settings(settings(more), true);
    }

    /// Completes the lists of everything: Services, namespaces, objects that name controllers, and objects that assign hosts.
    fn list(&mut self, foreign: &[(Kind, Value)]) {
        self.state.set_listed(Source::Services);
        self.state.set_listed(Source::Namespaces);
        for kind in ServerKind::ALL {
            self.state.set_server_status(kind, KindStatus::Listed);
        }
        for kind in [Kind::Ingress, Kind::HttpRoute, Kind::Route] {
            self.event(kind, Event::Init);
            for (_, object) in foreign.iter().filter(|(of, _)| *of == kind) {
                self.event(kind, Event::InitApply(document(object)));
            }
            self.event(kind, Event::InitDone);
        }
        for kind in ForeignKind::ALL {
            self.list_of(kind, &[]);
        }
    }

    /// Completes the list of a kind that Xposer never emits.
    fn list_of(&mut self, kind: ForeignKind, objects: &[Value]) {
        self.event_of(kind, Event::Init);
        for object in objects {
            self.event_of(kind, Event::InitApply(document(object)));
        }
        self.event_of(kind, Event::InitDone);
    }

    fn event_of(&mut self, kind: ForeignKind, event: Event<xposer_live::document::Document>) {
        self.state.apply(WatchEvent { source: Source::Foreign(kind), event: Ok(event) });
    }

    fn event(&mut self, kind: Kind, event: Event<xposer_live::document::Document>) {
        self.state.apply(WatchEvent { source: Source::Objects(kind), event: Ok(event) });
    }

    fn foreign(&mut self, kind: Kind, object: &Value) {
        self.event(kind, Event::Apply(document(object)));
    }

    fn said(&self, bucket: &str) -> Content {
        self.state.held.content(BucketHash::of(bucket).shard())
    }

    /// The claims of a bucket, and of the other buckets under its key.
    fn claims(&self, bucket: &str) -> Holders {
        self.said(bucket).buckets.remove(&BucketHash::of(bucket).key()).unwrap_or_default()
    }

    /// The holders of a claim, as the ConfigMap records them.
    fn holders(&self, bucket: &str, text: &str) -> Vec<String> {
        let claims = self.claims(bucket);
        let holders = claims.get(text).map_or(&[][..], Vec::as_slice);
        holders.iter().map(|it| format!("{} {}/{} {}", it.kind, it.namespace, it.name, it.created)).collect()
    }

    fn has(&self, host: &str) -> Vec<String> {
        self.holders(host, &format!("prefix {host}/"))
    }
}

/// An Ingress of another owner.
fn ingress(name: &str, host: &str, second: u32) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "resourceVersion": "1",
            "creationTimestamp": format!("2025-01-01T00:00:{second:02}Z")},
        "spec": {"rules": [{"host": host}]},
    })
}

#[test]
fn only_exposed_services_are_recorded() {
    let mut cluster = FakeCluster::with_claims();
    cluster.service("old", "shop.example.com", 1).service("new", "shop.example.com", 2);
    cluster.service("wrong", "Shop.example.org", 3);
    cluster.settle();
    assert_eq!(cluster.has("shop.example.com"), ["Service shop/old 2026-01-01T00:00:01Z"]);
    assert_eq!(cluster.holders("old.shop.svc", "Ingress shop/old").len(), 1);
    assert!(cluster.holders("new.shop.svc", "Ingress shop/new").is_empty());
    assert!(cluster.has("shop.example.org").is_empty());
    // The other Service gets the host, and the name is free at once.
    cluster.state.delete_service(&ServiceKey::new("shop", "old"));
    assert!(cluster.has("shop.example.com").is_empty());
    cluster.settle();
    assert_eq!(cluster.has("shop.example.com"), ["Service shop/new 2026-01-01T00:00:02Z"]);
    assert!(cluster.holders("old.shop.svc", "Ingress shop/old").is_empty());
}

/// The Service while a finalizer delays its deletion.
fn ending(mut service: Value) -> Value {
    service["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
    service
}

#[test]
fn a_service_that_is_being_deleted_keeps_what_it_has_and_takes_nothing() {
    let mut cluster = FakeCluster::with_claims();
    cluster.service("later", "later.example.com", 9).apply(&web(&[(HOST, "own.example.com")])).settle();
    // It is older than the other Service.
    cluster.apply(&ending(web(&[(HOST, "own.example.com")]))).settle();
    assert_eq!(cluster.has("own.example.com").len(), 1);
    assert_eq!(cluster.apply(&ending(web(&[(HOST, "later.example.com")]))).settle(), [""; 0]);
    let held = |cluster: &FakeCluster| (cluster.has("own.example.com"), cluster.has("later.example.com"));
    let own = ["Service shop/web 2026-01-01T00:00:01Z".to_owned()];
    let later = ["Service shop/later 2026-01-01T00:00:09Z".to_owned()];
    assert_eq!(held(&cluster), (own.to_vec(), later.to_vec()));
    // A controller that did not see the Service before cannot know its claims.
    let mut cluster = FakeCluster::with_claims();
    cluster.service("later", "later.example.com", 9);
    let done = cluster.apply(&ending(web(&[(HOST, "later.example.com")]))).settle();
    assert_eq!(done, ["apply Ingress shop/later (Create)", "stamp shop/later with 2"]);
    assert_eq!(cluster.has("later.example.com"), later);
    // A Service with the same name that is created later is a different one.
    let mut again = web(&[(HOST, "own.example.com")]);
    again["metadata"]["uid"] = json!("again");
    cluster.apply(&again).settle();
    assert_eq!(cluster.has("own.example.com"), own);
}

/// A Service gets no new claims after its deletion begins, so no other Service has to wait for the end of the deletion.
#[test]
fn a_service_that_is_being_deleted_takes_no_host_that_becomes_free() {
    let named = |name: &str| {
        let mut service = service(name, &[(HOST, "own.example.com")]);
        let second = ["first", "second", "third"].iter().position(|it| *it == name).unwrap_or_default();
        service["metadata"]["creationTimestamp"] = json!(format!("2026-01-01T00:00:{second:02}Z"));
        service
    };
    for is_decided in [true, false] {
        let mut cluster = FakeCluster::with_claims();
        for name in ["first", "second", "third"] {
            cluster.apply(&named(name));
        }
        cluster.settle();
        cluster.apply(&ending(named("second")));
        if is_decided {
            assert!(!settle(&mut cluster).iter().any(|it| it.starts_with("apply")));
        }
        cluster.state.delete_service(&ServiceKey::new("shop", "first"));
        let done = settle(&mut cluster);
        assert!(done.contains(&"apply Ingress shop/third (Create)".to_owned()), "{done:?}");
        assert_eq!(cluster.has("own.example.com"), ["Service shop/third 2026-01-01T00:00:02Z"]);
        // Nor does it get the host later, when the watch reports it again.
        cluster.state.delete_service(&ServiceKey::new("shop", "third"));
        cluster.apply(&ending(named("second"))).settle();
        assert!(cluster.has("own.example.com").is_empty());
    }
    // A Service that is being deleted loses its claim to an older one that comes and goes.
    let mut cluster = FakeCluster::with_claims();
    cluster.apply(&named("second")).apply(&named("third")).settle();
    cluster.apply(&ending(named("second"))).settle();
    assert_eq!(cluster.has("own.example.com"), ["Service shop/second 2026-01-01T00:00:01Z"]);
    cluster.apply(&named("first")).settle();
    cluster.state.delete_service(&ServiceKey::new("shop", "first"));
    cluster.settle();
    assert_eq!(cluster.has("own.example.com"), ["Service shop/third 2026-01-01T00:00:02Z"]);
}

#[test]
fn another_host_or_name_takes_the_place_of_the_one_before() {
    let mut cluster = FakeCluster::with_claims();
    cluster.apply(&web(&[(HOST, "a.example.com")])).settle();
    cluster.state.held.take_changed();
    cluster.apply(&web(&[(HOST, "b.example.com")])).settle();
    assert!(cluster.has("a.example.com").is_empty() && cluster.has("b.example.com").len() == 1);
    let changed = cluster.state.held.take_changed();
    assert!(
        ["a.example.com", "b.example.com"].iter().all(|host| changed.contains(&BucketHash::of(host).shard())),
        "{changed:?}"
    );
    // Planning again without a change writes nothing.
    cluster.state.mark_services_due([ServiceKey::new("shop", "web")]);
    cluster.settle();
    assert!(cluster.state.held.take_changed().is_empty());
    cluster.apply(&web(&[(HOST, "b.example.com"), (super::NAME, "other")])).settle();
    assert_eq!(cluster.holders("other.shop.svc", "Ingress shop/other").len(), 1);
    assert!(cluster.holders("web.shop.svc", "Ingress shop/web").is_empty());
    // A Service that becomes invalid has no claims.
    cluster.apply(&web(&[(HOST, "B.example.com")])).settle();
    assert_eq!(cluster.state.held.len(), 0);
}

#[test]
fn a_canary_shares_the_route_of_its_stable_service() {
    let mut cluster = FakeCluster::with_claims();
    cluster.apply(&web(&[(HOST, "shop.example.com")]));
    cluster
        .apply(&service("next", &[("CanaryOf", "web"), ("CanaryWeight", "10"), (HOST, "shop.example.com")]));
    cluster.settle();
    assert_eq!(cluster.has("shop.example.com").len(), 1);
    let canary = cluster.holders("shop.example.com", "canary prefix shop.example.com/");
    assert_eq!(canary, ["Service shop/next 2026-01-01T00:00:01Z"]);
}

/// A canary with an HTTPRoute of its own would be unprotected if its stable Service, which has the protection, is refused.
#[test]
fn a_canary_is_withdrawn_with_its_refused_stable_service() {
    let mut cluster = FakeCluster::with_claims();
    cluster
        .switch(&json!({"target": "HTTPRoute", "parentRefs": [{"name": "edge", "namespace": "gateways"}]}));
    let canary = [("CanaryOf", "web"), ("CanaryByHeader", "X-Beta"), (HOST, "shop.example.com")];
    cluster.apply(&web(&[(HOST, "shop.example.com")])).apply(&service("next", &canary)).settle();
    let route = in_shop(Kind::HttpRoute, "next");
    assert!(cluster.objects.contains_key(&route));
    let closed = web(&[(HOST, "shop.example.com"), ("AllowedSources", "10.0.0.0/8")]);
    let told = cluster.apply(&closed).settle();
    assert!(told.contains(&"shop/next CanaryDiffers".to_owned()), "{told:?}");
    assert!(!cluster.objects.contains_key(&route));
    cluster.deliver_deletions().apply(&web(&[(HOST, "shop.example.com")])).settle();
    assert!(cluster.objects.contains_key(&route));
}

/// A canary that waits for a host would take requests of the Service that gets it. So the canary is withdrawn if an older Service
/// asks for the host, and it keeps the host before a younger one.
#[test]
fn a_canary_of_another_namespace_is_no_part_of_a_host() {
    let canary = |time: &str| {
        let mut canary =
            service("can", &[("CanaryOf", "nope"), ("CanaryWeight", "100"), (HOST, "shop.example.com")]);
        canary["metadata"]["namespace"] = "free".into();
        canary["metadata"]["creationTimestamp"] = time.into();
        canary
    };
    for (time, is_exposed) in [("2026-01-01T00:00:00Z", true), ("2026-01-01T00:00:02Z", false)] {
        let mut cluster = FakeCluster::with_claims();
        cluster.state.apply_namespace("free", false);
        cluster.apply(&canary(time)).settle();
        assert_eq!(cluster.holders("shop.example.com", "canary prefix shop.example.com/").len(), 1);
        let told = cluster.apply(&web(&[(HOST, "shop.example.com")])).settle();
        let loser = if is_exposed { "shop/web" } else { "free/can" };
        assert!(told.contains(&format!("{loser} RouteClaimed")), "{told:?}");
        let holders = |text: &str| cluster.holders("shop.example.com", text).len();
        assert_eq!(holders("canary prefix shop.example.com/"), usize::from(is_exposed));
        assert_eq!(holders("prefix shop.example.com/"), usize::from(!is_exposed));
    }
}

#[test]
fn keys_of_two_namespaces_are_local() {
    let mut cluster = FakeCluster::with_claims();
    let forward = json!({"xposer.stakater.com/annotations": "exposeIngressUrl: locally"});
    for (namespace, name) in [("a-b", "web"), ("b", "web-a")] {
        let service = json!({
            "metadata": {"name": name, "namespace": namespace, "uid": namespace, "labels": {"expose": "true"},
                "annotations": forward, "creationTimestamp": "2026-01-01T00:00:01Z"},
            "spec": {"ports": [{"port": 80}]},
        });
        cluster.apply(&service);
    }
    cluster.settle();
    let claims = cluster.claims("key web-a-b");
    let holders = &claims["key web-a-b"];
    assert!(holders.len() == 2 && holders.iter().all(|holder| holder.is_local), "{claims:?}");
}

#[test]
fn hosts_and_names_of_foreign_objects_are_in_while_they_exist() {
    let mut cluster = FakeCluster::with_claims();
    cluster.foreign(Kind::Ingress, &ingress("theirs", "a.example.com", 1));
    assert_eq!(cluster.has("a.example.com"), ["Ingress shop/theirs 2025-01-01T00:00:01Z"]);
    // No Service can have an object with that name.
    let own = ["Ingress shop/theirs 2025-01-01T00:00:01Z"];
    assert_eq!(cluster.holders("theirs.shop.svc", "Ingress shop/theirs"), own);
    let route = json!({"metadata": {"name": "r", "namespace": "ops", "creationTimestamp": "2025-01-01T00:00:02Z"},
        "spec": {"hostnames": ["a.example.com"], "rules": [{"matches": [{"path": {"type": "Exact", "value": "/x"}}]}]}});
    cluster.foreign(Kind::HttpRoute, &route);
    assert_eq!(
        cluster.holders("a.example.com", "exact a.example.com/x"),
        ["HTTPRoute ops/r 2025-01-01T00:00:02Z"]
    );
    let route = json!({"metadata": {"name": "o", "namespace": "ops", "creationTimestamp": "2025-01-01T00:00:03Z"},
        "spec": {"host": "a.example.com"}});
    cluster.foreign(Kind::Route, &route);
    // The oldest holder is first.
    let both = ["Ingress shop/theirs 2025-01-01T00:00:01Z", "Route ops/o 2025-01-01T00:00:03Z"];
    assert_eq!(cluster.has("a.example.com"), both);

    let mut changed = ingress("theirs", "b.example.com", 1);
    changed["metadata"]["resourceVersion"] = "2".into();
    cluster.foreign(Kind::Ingress, &changed);
    assert_eq!((cluster.has("a.example.com").len(), cluster.has("b.example.com").len()), (1, 1));
    cluster.event(Kind::Ingress, Event::Delete(document(&changed)));
    assert!(cluster.has("b.example.com").is_empty());
    // An object that is missing in a new list was deleted, and so were all objects of a kind that is no longer served.
    cluster.event(Kind::HttpRoute, Event::Init);
    cluster.event(Kind::HttpRoute, Event::InitDone);
    cluster.state.set_kind_status(Kind::Route, KindStatus::NotServed);
    assert_eq!(cluster.state.held.len(), 0);
}

#[test]
fn hosts_of_foreign_kinds_are_recorded_while_they_exist() {
    let mut cluster = FakeCluster::with_claims();
    let route = |name: &str, second: u32, spec: Value| {
        json!({"metadata": {"name": name, "namespace": "ops", "creationTimestamp": format!("2025-01-01T00:00:{second:02}Z"),
            // Not even this makes it a holder of another kind.
            "annotations": {"xposer.stakater.com/adopt": "web"}, "labels": {"app.kubernetes.io/managed-by": "xposer"}},
            "spec": spec})
    };
    let matches = json!([{"matches": [{"method": {"service": "shop.Cart"}}, {"method": {"service": "shop.Cart", "method": "Add"}}]}]);
    let grpc = route("calls", 1, json!({"hostnames": ["a.example.com"], "rules": matches}));
    cluster.event_of(ForeignKind::GrpcRoute, Event::Apply(document(&grpc)));
    for text in ["prefix a.example.com/shop.Cart", "exact a.example.com/shop.Cart/Add"] {
        let holders = cluster.holders("a.example.com", text);
        assert_eq!(holders, ["GRPCRoute ops/calls 2025-01-01T00:00:01Z"], "{text}");
    }
    let tls = route("broker", 2, json!({"hostnames": ["a.example.com", "*.b.example.com"]}));
    cluster.event_of(ForeignKind::TlsRoute, Event::Apply(document(&tls)));
    let broker = ["TLSRoute ops/broker 2025-01-01T00:00:02Z"];
    for host in ["a.example.com", "*.b.example.com"] {
        assert_eq!(cluster.has(host), broker);
    }

    // Another host, a deletion, a new list without the object, and a kind that is no longer served.
    let changed = route("broker", 2, json!({"hostnames": ["c.example.com"]}));
    cluster.event_of(ForeignKind::TlsRoute, Event::Apply(document(&changed)));
    assert!(cluster.has("a.example.com").is_empty() && cluster.has("c.example.com") == broker);
    cluster.event_of(ForeignKind::TlsRoute, Event::Delete(document(&changed)));
    assert!(cluster.has("c.example.com").is_empty());
    cluster.list_of(ForeignKind::TlsRoute, &[tls.clone(), changed]);
    assert_eq!((cluster.has("a.example.com").len(), cluster.has("c.example.com").len()), (0, 1));
    cluster.list_of(ForeignKind::TlsRoute, &[]);
    assert!(cluster.has("c.example.com").is_empty() && cluster.state.held.len() == 2);
    let event = Err(KindStatus::NotServed);
    cluster.state.apply(WatchEvent { source: Source::Foreign(ForeignKind::GrpcRoute), event });
    assert_eq!(cluster.state.held.len(), 0);

    // Without the setting, a delayed event changes nothing.
    cluster.state.set_settings(Settings::default(), true);
    cluster.event_of(ForeignKind::TlsRoute, Event::Apply(document(&tls)));
    assert_eq!(cluster.state.held.len(), 0);
}

#[test]
fn own_objects_are_not_foreign() {
    let mut cluster = FakeCluster::with_claims();
    cluster.apply(&web(&[(HOST, "a.example.com")])).settle();
    let ours = cluster.objects[&in_shop(Kind::Ingress, "web")].clone();
    let deliver = |cluster: &mut FakeCluster, object: &Value| {
        cluster.versions += 1;
        let mut object = object.clone();
        object["metadata"]["resourceVersion"] = cluster.versions.to_string().into();
        cluster.foreign(Kind::Ingress, &object);
        cluster.has("a.example.com").len()
    };
    assert_eq!(deliver(&mut cluster, &ours), 1);
    // The watch may be faster than the Service: after the Service is deleted, or while it is refused, its objects still belong to
    // it.
    cluster.state.delete_service(&ServiceKey::new("shop", "web"));
    assert_eq!(deliver(&mut cluster, &ours), 0);
    // The output of the command line has the labels of Xposer and no other mark.
    let mut rendered = ours.clone();
    for mark in ["ownerReferences", "managedFields"] {
        rendered["metadata"].as_object_mut().unwrap().remove(mark);
    }
    assert_eq!(deliver(&mut cluster, &rendered), 1);
    assert!(cluster.has("a.example.com")[0].starts_with("Ingress shop/web"));
}

#[test]
fn an_object_that_may_be_adopted_gives_its_hosts_to_the_service() {
    let mut cluster = FakeCluster::with_claims();
    let mut old = ingress("theirs", "a.example.com", 1);
    old["metadata"]["annotations"] = json!({"xposer.stakater.com/adopt": "web"});
    cluster.foreign(Kind::Ingress, &old);
    assert_eq!(cluster.has("a.example.com"), ["Service shop/web 2025-01-01T00:00:01Z"]);
    // The Service is listed once, and each of the two objects can be deleted.
    cluster.apply(&web(&[(HOST, "a.example.com")])).settle();
    assert_eq!(cluster.has("a.example.com"), ["Service shop/web 2025-01-01T00:00:01Z"]);
    cluster.state.delete_object(&in_shop(Kind::Ingress, "theirs"));
    assert_eq!(cluster.has("a.example.com"), ["Service shop/web 2026-01-01T00:00:01Z"]);
}

/// What an Ingress takes depends on the program of its class, which the setting `controllers` or the IngressClass of the cluster names.
/// The objects are listed again when the program changes.
#[test]
fn an_ingress_is_read_as_its_program_reads_it() {
    let mut canary = ingress("theirs", "a.example.com", 1);
    canary["metadata"]["annotations"] = json!({"nginx.ingress.kubernetes.io/canary": "true"});
    canary["spec"]["ingressClassName"] = "internal".into();
    let mut cluster = FakeCluster::with_claims();
    let foreign = [(Kind::Ingress, canary)];
    let parts = |cluster: &FakeCluster| {
        let held = |text: &str| cluster.holders("a.example.com", text).len();
        (held("canary prefix a.example.com/"), held("prefix a.example.com/"))
    };
    cluster.list(&foreign);
    assert!(cluster.state.held.take_needs_lists(), "claims were switched on");
    assert_eq!(parts(&cluster), (1, 0), "any program may serve the class");
    for (controllers, expected) in [
        (json!({"internal": "contour"}), (0, 1)),
        (json!({"internal": "ingress-nginx"}), (1, 0)),
        (json!({}), (1, 0)),
    ] {
        cluster.state.held.take_changed();
        cluster.switch(&json!({ "controllers": controllers }));
        cluster.settle();
        assert!(cluster.state.held.take_needs_lists() && !cluster.state.knows_all_claims());
        cluster.list(&foreign);
        assert!(cluster.state.knows_all_claims());
        assert_eq!(parts(&cluster), expected, "{controllers}");
        let shard = BucketHash::of("a.example.com").shard();
        assert!(cluster.state.held.take_changed().contains(&shard));
        // The same settings read nothing again.
        cluster.switch(&json!({ "controllers": controllers }));
        assert!(!cluster.state.held.take_needs_lists());
    }
    let class =
        json!({"metadata": {"name": "internal"}, "spec": {"controller": "traefik.io/ingress-controller"}});
    cluster.state.apply_server(ServerKind::IngressClass, &document(&class));
    assert!(cluster.state.held.take_needs_lists());
    cluster.list(&foreign);
    assert_eq!(parts(&cluster), (0, 1));
}

#[test]
fn claims_are_unknown_until_all_lists_and_decisions_are_complete() {
    let mut cluster = FakeCluster::new();
    cluster.apply(&web(&[(HOST, "a.example.com")])).settle();
    cluster.foreign(Kind::Ingress, &ingress("theirs", "b.example.com", 1));
    assert_eq!(cluster.state.held.len(), 0, "without the setting, nothing is kept");
    cluster.switch(&json!({}));
    cluster.settle();
    assert!(!cluster.state.knows_all_claims(), "no foreign object was listed since");
    // The end of a list that began before does not count.
    cluster.event(Kind::Ingress, Event::InitDone);
    assert!(!cluster.state.knows_all_claims());
    cluster.list(&[(Kind::Ingress, ingress("theirs", "b.example.com", 1))]);
    assert!(cluster.state.knows_all_claims());
    assert_eq!((cluster.has("a.example.com").len(), cluster.has("b.example.com").len()), (1, 1));

    // Services that exist at the start need a decision.
    let mut cluster = FakeCluster::new();
    cluster.switch(&json!({}));
    cluster.apply(&web(&[])).apply(&service("wrong", &[(HOST, "Wrong.example.com")]));
    cluster.list(&[]);
    assert!(!cluster.state.knows_all_claims());
    cluster.settle();
    assert!(cluster.state.knows_all_claims());
    // Later Services get theirs in turn: an endless stream of them does not stop the writing.
    cluster.apply(&service("late", &[]));
    assert!(cluster.state.knows_all_claims());
    // Other settings do not change that, and without the setting everything is forgotten.
    cluster.switch(&json!({"domain": "example.org"}));
    assert!(cluster.state.knows_all_claims());
    cluster.state.set_settings(Settings::default(), true);
    assert!(cluster.state.held.len() == 0 && !cluster.state.knows_all_claims());
}

#[test]
fn a_service_in_a_namespace_that_is_being_deleted_stops_nothing() {
    let mut cluster = FakeCluster::new();
    cluster.switch(&json!({}));
    cluster.apply(&web(&[]));
    cluster.state.apply_namespace("shop", true);
    cluster.list(&[]);
    cluster.settle();
    assert!(cluster.state.knows_all_claims());
}

#[test]
fn kinds_that_cannot_be_listed_are_left_out() {
    let mut cluster = FakeCluster::new();
    cluster.switch(&json!({}));
    cluster.list(&[]);
    cluster.switch(&json!({}));
    cluster.state.set_settings(Settings::default(), true);
    cluster.switch(&json!({}));
    for kind in [Kind::Ingress, Kind::HttpRoute, Kind::Route] {
        assert!(!cluster.state.knows_all_claims());
        let status =
            if kind == Kind::Route { KindStatus::NotServed } else { KindStatus::Forbidden("no".to_owned()) };
        cluster.state.apply(WatchEvent { source: Source::Objects(kind), event: Err(status) });
    }
    for (kind, status) in [
        (ForeignKind::GrpcRoute, KindStatus::NotServed),
        (ForeignKind::TlsRoute, KindStatus::Forbidden("no".to_owned())),
    ] {
        assert!(!cluster.state.knows_all_claims());
        cluster.state.apply(WatchEvent { source: Source::Foreign(kind), event: Err(status) });
    }
    // At least one of the kinds that expose Services has to be served.
    cluster.event(Kind::Ingress, Event::Init);
    cluster.event(Kind::Ingress, Event::InitDone);
    assert!(cluster.state.knows_all_claims());
}

#[test]
fn many_holders_and_many_claims_stay_within_bounds() {
    let mut cluster = FakeCluster::with_claims();
    for number in 0..59 {
        cluster.foreign(Kind::Ingress, &ingress(&format!("i-{number:02}"), "a.example.com", number));
    }
    let holders = cluster.has("a.example.com");
    assert!(holders.len() == MAX_HOLDERS && holders[0].starts_with("Ingress shop/i-00"), "{holders:?}");
    assert_eq!(cluster.said("a.example.com").dropped, 0);
    // The oldest holder of another namespace is listed as well, because it conflicts with all that may share with the others.
    for (name, second) in [("stranger", 30), ("another", 31)] {
        let mut stranger = ingress(name, "a.example.com", second);
        stranger["metadata"]["namespace"] = json!("ops");
        cluster.foreign(Kind::Ingress, &stranger);
    }
    let holders = cluster.has("a.example.com");
    assert!(
        holders.len() == MAX_HOLDERS + 1 && holders[4].starts_with("Ingress ops/stranger"),
        "{holders:?}"
    );

    // More claims than one object may have; its name is one of them.
    let paths: Vec<Value> =
        (0..MAX_CLAIMS + 6).map(|it| json!({"path": format!("/{it:05}"), "pathType": "Exact"})).collect();
    let mut many = ingress("many", "b.example.com", 1);
    many["spec"]["rules"][0]["http"] = json!({"paths": paths});
    cluster.foreign(Kind::Ingress, &many);
    let message = cluster.said("b.example.com");
    assert_eq!((cluster.claims("b.example.com").len(), message.dropped), (MAX_CLAIMS - 1, 7));
    assert_eq!(cluster.claims("many.shop.svc").len(), 1);
    assert_eq!(message.incomplete, Some(BTreeSet::from([BucketHash::of("b.example.com")])));
    cluster.event(Kind::Ingress, Event::Delete(document(&many)));
    assert_eq!(cluster.said("b.example.com"), Content::default());

    // More bytes than a ConfigMap may have: the youngest claims of the namespace with the most bytes are dropped.
    for second in 0..5_u32 {
        let paths: Vec<Value> = (1..MAX_CLAIMS)
            .map(|it| json!({"path": format!("/{}{second}{it:05}", "\"\u{1}ä".repeat(40))}))
            .collect();
        let mut large = ingress(&format!("large-{second}"), "c.example.com", second);
        large["spec"]["rules"][0]["http"] = json!({"paths": paths});
        cluster.foreign(Kind::Ingress, &large);
    }
    let mut small = ingress("small", "c.example.com", 9);
    small["metadata"]["namespace"] = json!("ops");
    small["spec"]["rules"][0]["http"] = json!({"paths": [{"path": "/small", "pathType": "Prefix"}]});
    cluster.foreign(Kind::Ingress, &small);
    assert_eq!(cluster.holders("c.example.com", "prefix c.example.com/small").len(), 1);
    cluster.event(Kind::Ingress, Event::Delete(document(&small)));
    let (said, claims) = (cluster.said("c.example.com"), cluster.claims("c.example.com"));
    assert!(
        said.dropped > 0 && said.dropped + claims.len() as u64 == 5 * (MAX_CLAIMS as u64 - 1),
        "{}",
        said.dropped
    );
    assert_eq!(said.incomplete, Some(BTreeSet::from([BucketHash::of("c.example.com")])));
    let oldest = claims.values().filter(|holders| holders[0].name == "large-0").count();
    let youngest = claims.values().filter(|holders| holders[0].name == "large-4").count();
    assert!(oldest > 0 && youngest == 0, "{oldest} {youngest}");
    let bytes = shard_of(said).data().iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
    assert!((400 * 1024..512 * 1024).contains(&bytes), "{bytes}");
}

/// The content of a ConfigMap, written at the time of the documentation page.
fn shard_of(content: Content) -> Shard {
    Shard { state: content.state("2026-11-29T07:00:00Z".to_owned()), buckets: content.buckets }
}

/// An object with more claims than are kept, in all shards: only claims that the object itself asks for become unknown.
#[test]
fn oversized_object_makes_only_its_own_claims_unknown() {
    let mut cluster = FakeCluster::with_claims();
    let mut many = ingress("many", "x", 1);
    let rule = |host: String| json!({"host": host});
    let paths: Vec<Value> =
        (1..MAX_CLAIMS).map(|it| json!({"path": format!("/{it}"), "pathType": "Exact"})).collect();
    let mut rules = vec![json!({"host": "0.team.example.com", "http": {"paths": paths}})];
    rules.extend((0..2000).map(|it| rule(format!("h{it}.team.example.com"))));
    many["spec"]["rules"] = rules.into();
    cluster.foreign(Kind::Ingress, &many);
    let states: Vec<ShardState> =
        (0..SHARDS).map(|number| cluster.state.held.content(number).state(String::new())).collect();
    assert!(states.iter().filter(|state| state.dropped > 0).count() > 250);
    assert_eq!(states.iter().map(|state| state.dropped).sum::<u64>(), 2000);
    let lacks = |host: &str| states[usize::try_from(BucketHash::of(host).shard()).unwrap()].lacks(host);
    assert!((0..2000).all(|it| lacks(&format!("h{it}.team.example.com"))));
    assert!((0..2000).all(|it| !lacks(&format!("h{it}.other.example.com"))));
    // Parsing the text that was written gives the same content.
    let text = serde_json::to_string(&states).unwrap();
    assert_eq!(serde_json::from_str::<Vec<ShardState>>(&text).unwrap(), states);

    // Too many buckets to list: the ConfigMap marks all of them as incomplete, and stays within its limit.
    let in_one =
        (0..).map(|it| format!("{it}.one.example.com")).filter(|host| BucketHash::of(host).shard() == 7);
    let in_one: Vec<Value> = in_one.take(MAX_INCOMPLETE + MAX_CLAIMS).map(rule).collect();
    let few = in_one.len() - 1;
    for (number, is_named) in [(few, true), (few + 1, false)] {
        let mut cluster = FakeCluster::with_claims();
        let mut many = ingress("many", "x", 1);
        many["spec"]["rules"] = in_one.get(..number).unwrap().into();
        cluster.foreign(Kind::Ingress, &many);
        let message = cluster.state.held.content(7);
        assert_eq!(
            (message.incomplete.is_some(), message.dropped),
            (is_named, (number - (MAX_CLAIMS - 1)) as u64)
        );
        let bytes =
            shard_of(message).data().iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        assert!(bytes < (512 + 136) * 1024, "{bytes}");
        cluster.event(Kind::Ingress, Event::Delete(document(&many)));
        assert_eq!(cluster.state.held.content(7), Content::default());
    }
}

/// Combined lists have a limit, too.
#[test]
fn many_aliases_of_many_hosts_are_not_combined_without_limit() {
    let mut cluster = FakeCluster::with_claims();
    let rules: Vec<Value> = (0..2000).map(|it| json!({"host": format!("h{it}.example.com")})).collect();
    let aliases: Vec<String> = (0..5000).map(|it| format!("a{it}.example.com")).collect();
    let mut object = ingress("aliases", "x", 1);
    object["spec"]["rules"] = rules.into();
    object["metadata"]["annotations"] =
        json!({"nginx.ingress.kubernetes.io/server-alias": aliases.join(",")});
    cluster.foreign(Kind::Ingress, &object);
    // The name, the hosts, and the routes of aliases as far as there is room, which are all of one host.
    assert_eq!(cluster.state.held.len(), 2002);
    // The claims that are kept also fit into one ConfigMap.
    let path = format!("/{}", "x".repeat(10_000));
    object["spec"]["rules"] =
        json!([{"host": "h.example.com", "http": {"paths": [{"path": path, "pathType": "Exact"}]}}]);
    object["metadata"]["resourceVersion"] = json!("2");
    cluster.foreign(Kind::Ingress, &object);
    assert!((40..60).contains(&cluster.state.held.len()), "{}", cluster.state.held.len());
}

/// Rendering a shard costs time proportional to its content, and setting a holder does not depend on the number of others.
#[test]
fn work_for_the_holders_of_one_claim_grows_with_their_number() {
    let of = |count: usize| {
        move || {
            let mut cluster = FakeCluster::with_claims();
            for number in 0..count {
                cluster.foreign(Kind::Ingress, &ingress(&format!("i-{number}"), "a.example.com", 1));
            }
            assert_eq!(cluster.has("a.example.com").len(), MAX_HOLDERS);
        }
    };
    // If each holder were compared with all others, the work would be 100 times as much.
    let ratio = growth(&of(300), &of(3_000)).unwrap();
    assert!(ratio < 40.0, "{ratio}");
}

#[test]
fn disabled_switch_records_no_claims() {
    let state =
        crate::state::State::new(settings(&json!({})), true, std::time::Duration::ZERO).without_claims();
    assert!(!state.held.is_on());
    let mut state = state;
    state.set_settings(settings(&json!({"domain": "example.org"})), true);
    assert!(!state.held.is_on());
    let key = ObjectKey { kind: Kind::Ingress, namespace: "shop".into(), name: "theirs".into() };
    state.apply_object(key.kind, &document(&ingress("theirs", "a.example.com", 1)));
    assert_eq!(state.held.len(), 0);
}

/// The ConfigMap and the key of a bucket.
fn place(bucket: &str) -> String {
    let hash = BucketHash::of(bucket);
    format!("`{}` | `{}`", config_map(hash.shard()), hash.key())
}

/// The documentation page for authors of readers.
#[test]
fn the_page_shows_what_is_written() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/claims.md")).unwrap();
    let mut cluster = FakeCluster::with_claims();
    cluster.apply(&web(&[(HOST, "shop.example.com")])).settle();
    let mut by_hand = ingress("by-hand", "shop.example.com", 0);
    by_hand["metadata"]["namespace"] = "team-b".into();
    by_hand["spec"]["rules"][0]["http"] = json!({"paths": [{"path": "/", "pathType": "Prefix"}]});
    by_hand["metadata"]["creationTimestamp"] = "2026-02-01T00:00:00Z".into();
    cluster.foreign(Kind::Ingress, &by_hand);
    let probes = json!({"metadata": {"name": "probes", "namespace": "ops", "creationTimestamp": "2025-03-01T12:00:00Z"},
        "spec": {"hostnames": ["shop.example.com"], "rules": [{"matches": [{"path": {"type": "Exact", "value": "/health"}}]}]}});
    cluster.foreign(Kind::HttpRoute, &probes);
    let shard = shard_of(cluster.said("shop.example.com"));
    let shown = page.split("```yaml\ndata:").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let shown = xposer_testkit::cases::parse(&format!("data:{shown}")).unwrap();
    assert_eq!(shown[0]["data"], json!(shard.data()));
    let data = serde_json::from_value(shown[0]["data"].clone()).unwrap();
    assert_eq!(Shard::from_data(&data), Some(shard));
    // The buckets, and the texts of the claims.
    for bucket in ["shop.example.com", "*.example.com", "web.shop.svc", "key web-shop"] {
        let row = format!("| `{bucket}` | {} |", place(bucket));
        assert!(page.contains(&row), "{row}");
    }
    assert!(page.contains(&format!("the policy does not compare them | {} |", place(""))));
    let plan = xposer::testing::plan(
        &[(HOST, "shop.example.com/api"), ("TLS", "cert-manager"), ("TLSSecretNameTemplate", "web-tls")],
        json!({"clusterIssuer": "x"}),
    );
    for claim in plan.unwrap().claim_texts() {
        assert!(page.contains(&format!("`{}`", claim.text)), "{claim:?}");
    }
    assert_eq!((MAX_HOLDERS, MAX_ROUTES), (4, 4000), "the page says so");
}
