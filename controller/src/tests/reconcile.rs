//! Tests of the objects that are written for Services that are created, changed and deleted.

use kube::runtime::watcher::Event;
use serde_json::json;
use xposer::Settings;
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ReconcileKey, ServiceKey};
use xposer_live::kinds::Kind;

use super::{FakeCluster, document, in_shop, settle, web};
use crate::actions::{ActionError, ActionResult};
use crate::reconcile::Recovery;
use crate::watch::{KindStatus, Source, WatchEvent};

#[test]
fn a_service_is_applied_once() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web.example.com", 1);
    assert_eq!(cluster.settle(), ["apply Ingress shop/web (Create)", "stamp shop/web with 2"]);
    cluster.service("web", "web.example.com", 1);
    assert!(cluster.settle().iter().all(|done| !done.starts_with("apply")));
}

#[test]
fn the_older_service_keeps_the_host_in_either_order() {
    for order in [["old", "new"], ["new", "old"]] {
        let mut cluster = FakeCluster::new();
        for name in order {
            cluster.service(name, "shop.example.com", if name == "old" { 1 } else { 2 });
        }
        let done = cluster.settle();
        assert!(done.contains(&"apply Ingress shop/old (Create)".to_owned()), "{done:?}");
        assert!(done.contains(&"shop/new RouteClaimed".to_owned()), "{done:?}");
        assert!(!done.contains(&"apply Ingress shop/new (Create)".to_owned()), "{done:?}");
        // After the older one is deleted, the other one gets the host.
        cluster.state.delete_service(&ServiceKey::new("shop", "old"));
        let done = cluster.settle();
        assert!(done.contains(&"apply Ingress shop/new (Create)".to_owned()), "{done:?}");
    }
}

#[test]
fn thousands_of_services_can_claim_one_host() {
    let mut cluster = FakeCluster::new();
    for index in 0..2000 {
        cluster.service(&format!("web-{index}"), "shop.example.com", 1);
    }
    let done = cluster.settle();
    assert_eq!(
        done.iter().filter(|it| it.starts_with("apply")).collect::<Vec<_>>(),
        ["apply Ingress shop/web-0 (Create)"]
    );
    assert_eq!(done.iter().filter(|it| it.ends_with("RouteClaimed")).count(), 1999);
}

#[test]
fn a_regular_expression_is_reported_to_all_services_of_its_host() {
    let mut cluster = FakeCluster::new();
    for index in 0..500 {
        cluster.service(&format!("plain-{index:03}"), &format!("shop.example.com/p{index}"), 1);
    }
    assert!(cluster.settle().iter().all(|done| !done.contains("HostRegularExpression")));
    // Services with different paths of one host do not form a group.
    cluster.service("plain-250", "shop.example.com/other", 1);
    assert_eq!(cluster.state.due_services(), 1);
    for (name, path) in [("pattern-a", "/a/[0-9]+"), ("pattern-b", "/b/[0-9]+")] {
        cluster.service(name, &format!("shop.example.com{path}"), 2);
    }
    let reported = |done: &[String]| done.iter().filter(|it| it.ends_with("HostRegularExpression")).count();
    assert_eq!(reported(&cluster.settle()), 502);
    // A diagnostic names three Services; further ones make no difference.
    cluster.service("plain-600", "shop.example.com/more", 1);
    assert_eq!((cluster.state.due_services(), reported(&cluster.settle())), (1, 1));
    cluster.service("plain-600", "more.example.com/more", 1);
    assert_eq!(cluster.state.due_services(), 1);
    assert_eq!(reported(&cluster.settle()), 0);
    // The first one was named, so both regular expressions name another one now.
    cluster.state.delete_service(&ServiceKey::new("shop", "plain-000"));
    assert_eq!((cluster.state.due_services(), reported(&cluster.settle())), (3, 2));
    // Another host has separate paths.
    cluster.service("pattern-b", "b.example.com/b/[0-9]+", 2);
    cluster.state.delete_service(&ServiceKey::new("shop", "pattern-a"));
    cluster.settle();
    cluster.service("plain-600", "shop.example.com/more", 1);
    assert_eq!(reported(&cluster.settle()), 0);
}

#[test]
fn conflicting_regex_affects_no_other_service() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "shop.example.com/web", 1);
    cluster.service("old", "api.example.com", 1);
    let pattern = "shop.example.com/v[0-9]/x, api.example.com";
    cluster.service("new", pattern, 2);
    let done = cluster.settle();
    assert!(done.contains(&"shop/new RouteClaimed".to_owned()), "{done:?}");
    cluster.service("blog", "shop.example.com/blog", 3);
    assert_eq!(cluster.settle(), ["apply Ingress shop/blog (Create)", "stamp shop/blog with 2"]);
    cluster.state.delete_service(&ServiceKey::new("shop", "old"));
    let done = cluster.settle();
    for name in ["new", "web", "blog"] {
        assert!(done.contains(&format!("shop/{name} HostRegularExpression")), "{done:?}");
    }
}

#[test]
fn the_new_object_is_applied_before_the_old_one_is_deleted() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web.example.com", 1).settle();
    let named = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web", "labels": {"expose": "true"},
            "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
                "config.xposer.stakater.com/IngressNameTemplate": "other"}, "creationTimestamp": "2026-01-01T00:00:01Z"},
        "spec": {"ports": [{"port": 80}]},
    });
    assert_eq!(
        cluster.apply(&named).settle()[..2],
        ["apply Ingress shop/other (Create)", "delete Ingress shop/web"]
    );
}

#[test]
fn a_service_that_becomes_invalid_keeps_its_objects() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web.example.com", 1).settle();
    cluster.service("web", "web_.example.com", 1);
    let done = cluster.settle();
    assert!(done.iter().all(|done| done.starts_with("shop/web Host")), "{done:?}");
    assert!(!done.is_empty());
}

#[test]
fn foreign_object_is_not_changed() {
    let mut cluster = FakeCluster::new();
    let theirs =
        json!({"metadata": {"name": "web", "namespace": "shop", "uid": "t", "resourceVersion": "5"}});
    cluster.state.apply_object(Kind::Ingress, &document(&theirs));
    cluster.service("web", "web.example.com", 1);
    assert_eq!(cluster.settle(), ["shop/web ForeignObject"]);
    // It is reported once.
    cluster.state.set_settings(Settings::default(), true);
    assert!(cluster.settle().is_empty());
    cluster.state.delete_object(&in_shop(Kind::Ingress, "web"));
    assert_eq!(cluster.settle()[0], "apply Ingress shop/web (Create)");
}

#[test]
fn an_object_with_the_annotation_is_adopted() {
    let mut cluster = FakeCluster::new();
    let theirs = json!({"metadata": {"name": "web", "namespace": "shop", "uid": "t", "resourceVersion": "5",
        "annotations": {"xposer.stakater.com/adopt": "web"}}});
    cluster.state.apply_object(Kind::Ingress, &document(&theirs));
    cluster.service("web", "web.example.com", 1);
    assert_eq!(cluster.settle()[0], "adopt Ingress shop/web");
}

#[test]
fn a_kind_that_is_not_served_is_reported_and_the_rest_is_applied() {
    let mut cluster = FakeCluster::new();
    cluster.state.set_kind_status(Kind::HttpRoute, KindStatus::NotServed);
    let both = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web", "labels": {"expose": "true"},
            "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
                "config.xposer.stakater.com/Target": "Ingress,HTTPRoute"}, "creationTimestamp": "2026-01-01T00:00:01Z"},
        "spec": {"ports": [{"port": 80}]},
    });
    let settings = Settings::from_value(&json!({"parentRefs": [{"name": "gateway"}]}));
    if let Ok(settings) = settings {
        cluster.state.set_settings(settings, true);
    }
    let done = cluster.apply(&both).settle();
    assert!(done.contains(&"apply Ingress shop/web (Create)".to_owned()), "{done:?}");
    assert!(done.contains(&"shop/web KindNotServed".to_owned()), "{done:?}");
    cluster.state.set_kind_status(Kind::HttpRoute, KindStatus::Listed);
    let done = cluster.settle();
    assert!(done.contains(&"apply HTTPRoute shop/web (Create)".to_owned()), "{done:?}");
}

#[test]
fn the_objects_of_a_service_that_is_not_exposed_any_more_are_deleted() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web.example.com", 1).settle();
    cluster.state.delete_service(&ServiceKey::new("shop", "web"));
    assert_eq!(cluster.settle(), ["delete if not exposed Ingress shop/web"]);
}

#[test]
fn no_object_is_created_in_a_terminating_namespace() {
    let mut cluster = FakeCluster::new();
    cluster.state.apply_namespace("shop", false);
    cluster.service("web", "web.example.com", 1).settle();
    cluster.state.apply_namespace("shop", true);
    cluster.state.delete_object(&in_shop(Kind::Ingress, "web"));
    assert!(cluster.settle().is_empty());
    cluster.state.delete_service(&ServiceKey::new("shop", "web"));
    assert!(cluster.settle().is_empty());
    // A new namespace with the same name, whose Service is reported first.
    cluster.service("web", "web.example.com", 2);
    assert!(cluster.settle().is_empty());
    cluster.state.delete_namespace("shop");
    assert_eq!(cluster.settle()[0], "apply Ingress shop/web (Create)");
}

/// The response of the API server that an object is created, with its content.
fn answer(key: &ObjectKey, document: Document) -> ActionResult {
    ActionResult::Applied {
        key: key.clone(),
        hash: 1,
        document: Box::new(document),
        is_new: true,
        adopted: false,
    }
}

/// An event of the watch of Ingresses.
fn of_ingresses(event: Event<Document>) -> WatchEvent {
    WatchEvent { source: Source::Objects(Kind::Ingress), event: Ok(event) }
}

#[test]
fn an_answer_does_not_bring_back_what_was_deleted_meanwhile() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web.example.com", 1).settle();
    let key = in_shop(Kind::Ingress, "web");
    let applied = document(&cluster.objects[&key]);
    let service = ReconcileKey::Service(ServiceKey::new("shop", "web"));
    // The watch reports the deletion before the response arrives.
    cluster.objects.remove(&key);
    cluster.state.delete_object(&key);
    let now = cluster.state.lists();
    cluster.state.record_result(&service, answer(&key, applied), now);
    assert_eq!(cluster.settle()[0], "apply Ingress shop/web (Create)");
    // Nor does the response to a deletion mark the next object with the name.
    let deleted = ActionResult::Deleted { key: key.clone(), uid: "of-the-first".into() };
    cluster.state.record_result(&service, deleted, now);
    cluster.service("web", "other.example.com", 1);
    assert_eq!(cluster.settle()[0], "apply Ingress shop/web (Update)");
}

/// A list that starts again tells nothing about an object that was created after its start and deleted before the API server read
/// the objects. No event about it follows.
#[test]
fn an_object_that_came_and_went_while_a_list_was_read_does_not_stay_known() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web.example.com", 1);
    cluster.state.apply(of_ingresses(Event::Init));
    cluster.settle();
    let key = in_shop(Kind::Ingress, "web");
    cluster.objects.remove(&key).unwrap();
    cluster.state.apply(of_ingresses(Event::InitDone));
    assert_eq!(cluster.settle()[0], "apply Ingress shop/web (Create)");
    // An object that was created after the API server read the objects is found to exist.
    cluster.state.apply(of_ingresses(Event::Init));
    cluster.service("web", "other.example.com", 1).settle();
    cluster.state.apply(of_ingresses(Event::InitDone));
    let object = document(&cluster.objects[&key]);
    cluster.state.apply(of_ingresses(Event::Apply(object)));
    cluster.settle();
    let done = cluster.retry("web");
    assert!(done.iter().all(|it| it.starts_with("stamp")), "it is as desired: {done:?}");
}

/// The list contained it already, so the rest of the list need not contain it.
#[test]
fn an_object_that_is_written_while_a_list_is_read_stays_known() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web.example.com", 1).settle();
    let key = in_shop(Kind::Ingress, "web");
    cluster.state.apply(of_ingresses(Event::Init));
    cluster.state.apply(of_ingresses(Event::InitApply(document(&cluster.objects[&key]))));
    let done = cluster.service("web", "other.example.com", 1).settle();
    assert_eq!(done[0], "apply Ingress shop/web (Update)");
    cluster.state.apply(of_ingresses(Event::InitDone));
    assert!(cluster.state.objects.contains(&key));
    let done = cluster.settle();
    assert!(done.iter().all(|it| it.starts_with("stamp")), "it is as desired: {done:?}");
}

/// The object may have been deleted before the list was read, and no event will report it.
#[test]
fn an_answer_that_is_older_than_a_list_is_not_believed() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web.example.com", 1).settle();
    let key = in_shop(Kind::Ingress, "web");
    let made = document(&cluster.objects[&key]);
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web.example.com", 1);
    let sent_at = cluster.state.lists();
    cluster.state.take_due();
    cluster.state.apply(of_ingresses(Event::Init));
    cluster.state.apply(of_ingresses(Event::InitDone));
    let service = ReconcileKey::Service(ServiceKey::new("shop", "web"));
    cluster.state.record_result(&service, answer(&key, made), sent_at);
    assert!(!cluster.state.objects.contains(&key));
    assert_eq!(cluster.settle()[0], "apply Ingress shop/web (Create)");
}

/// As for other objects, the watch may report the deletion before the response arrives.
#[test]
fn a_url_configmap_that_is_deleted_before_the_answer_is_written_again() {
    let mut cluster = FakeCluster::new();
    cluster.apply(&json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web", "labels": {"expose": "true"},
            "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
                "xposer.stakater.com/annotations": "exposeIngressUrl: locally"}, "creationTimestamp": "2026-01-01T00:00:01Z"},
        "spec": {"ports": [{"port": 80}]},
    }));
    cluster.settle();
    let key = in_shop(Kind::ConfigMap, "xposer");
    let mut made = cluster.objects.remove(&key).unwrap();
    let gone = |made: &serde_json::Value| WatchEvent {
        source: Source::Objects(Kind::ConfigMap),
        event: Ok(Event::Delete(document(made))),
    };
    cluster.state.apply(gone(&made));
    let (of_map, now) = (ReconcileKey::UrlConfigMap("shop".into()), cluster.state.lists());
    cluster.state.record_result(&of_map, answer(&key, document(&made)), now);
    assert_eq!(cluster.settle(), ["apply ConfigMap shop/xposer (Share)"]);
    // The next object with the name exists already when the watch reports the deletion of the first one.
    made["metadata"]["uid"] = "of-an-earlier-one".into();
    cluster.state.apply(gone(&made));
    assert!(cluster.settle().is_empty());
}

#[test]
fn a_refused_request_is_reported() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web.example.com", 1);
    let due = cluster.state.take_due();
    let key = due.into_keys().next().unwrap();
    let object = in_shop(Kind::Ingress, "web");
    let error = ActionError::Refused { key: Some(object), message: "no".to_owned() };
    let Recovery::Report(notice) = cluster.state.record_error(&key, &error) else { panic!("nobody is told") };
    assert_eq!(
        (notice.reason.as_str(), notice.note.as_str()),
        ("ApplyFailed", "the API server refused to change Ingress shop/web: no")
    );
}

#[test]
fn entries_of_the_url_configmap_come_and_go() {
    let mut cluster = FakeCluster::new();
    let publishing = |block: &str| {
        json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web", "labels": {"expose": "true"},
                "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
                    "xposer.stakater.com/annotations": block}, "creationTimestamp": "2026-01-01T00:00:01Z"},
            "spec": {"ports": [{"port": 80}]},
        })
    };
    let done = cluster.apply(&publishing("exposeIngressUrl: globally")).settle();
    assert!(done.contains(&"apply ConfigMap shop/xposer (Share)".to_owned()), "{done:?}");
    cluster.state.apply_namespace("later", false);
    assert_eq!(cluster.settle(), ["apply ConfigMap later/xposer (Share)"]);
    let done = cluster.apply(&publishing("a: b")).settle();
    assert!(done.contains(&"delete ConfigMap shop/xposer".to_owned()), "{done:?}");
    assert!(done.contains(&"delete ConfigMap later/xposer".to_owned()), "{done:?}");
}

#[test]
fn an_object_that_is_made_at_the_same_moment_is_not_touched() {
    let theirs = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "theirs", "resourceVersion": "1"},
        "spec": {"rules": [{"host": "web.shop.example.com"}]},
    });
    let key = in_shop(Kind::Ingress, "web");
    let mut cluster = FakeCluster::new();
    cluster.objects.insert(key.clone(), theirs.clone());
    assert_eq!(settle(cluster.apply(&web(&[]))), ["apply Ingress shop/web (Create)"]);
    // The watch reports it, and the controller waits no longer than that.
    cluster.state.apply_object(Kind::Ingress, &document(&theirs));
    assert_eq!(settle(&mut cluster), ["shop/web ForeignObject"]);
    assert_eq!(cluster.objects[&key], theirs);
}

#[test]
fn object_of_an_unanswered_creation_is_recognised_as_own() {
    let mut cluster = FakeCluster::new();
    settle(cluster.apply(&web(&[])));
    let objects = cluster.objects.clone();
    let mut after = FakeCluster::new();
    after.objects = objects.clone();
    assert_eq!(settle(after.apply(&web(&[]))), ["apply Ingress shop/web (Create)"]);
    for (key, object) in &objects {
        after.state.apply_object(key.kind, &document(object));
    }
    assert_eq!(settle(&mut after), Vec::<String>::new());
}
