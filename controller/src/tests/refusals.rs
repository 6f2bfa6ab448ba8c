//! Tests of a webhook that refuses the new object because the old one exists.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use xposer::Settings;
use xposer_live::keys::{ObjectKey, ReconcileKey, ServiceKey};
use xposer_live::kinds::Kind;
use xposer_live::object::Observed;

use super::{FakeCluster, HOST, NAME, address, document, in_shop, served, service, settle, web};
use crate::handover::{Handovers, Refusal};
use crate::notice::Notice;

const CANARY: &str = "nginx.ingress.kubernetes.io/canary";

/// The admission webhook of ingress-nginx 1.15.1 refuses the second Ingress with a host and path, unless one of them has the canary
/// annotation.
fn overlaps(objects: &BTreeMap<ObjectKey, Value>, key: &ObjectKey, body: &Value) -> Option<String> {
    let has_annotation = |object: &Value| !object["metadata"]["annotations"][CANARY].is_null();
    let host = |object: &Value| object["spec"]["rules"][0]["host"].clone();
    let is_other = |(other, object): &(&ObjectKey, &Value)| {
        *other != key && host(object) == host(body) && !has_annotation(object) && !has_annotation(body)
    };
    let (other, _) = objects.iter().find(is_other)?;
    let message = "admission webhook \"validate.nginx.ingress.kubernetes.io\" denied the request: host \"web.shop.example.com\" and \
                path \"/\" is already defined in ingress";
    Some(format!("{message} {}/{}", other.namespace, other.name))
}

/// A webhook that does not know the annotation.
fn overlaps_always(objects: &BTreeMap<ObjectKey, Value>, key: &ObjectKey, _: &Value) -> Option<String> {
    let other = objects.keys().find(|other| *other != key)?;
    Some(format!(
        "admission webhook \"unique.example.com\" denied the request: {}/{}.",
        other.namespace, other.name
    ))
}

#[test]
fn a_refused_ingress_gets_the_canary_annotation() {
    let mut cluster = served();
    cluster.refuses = overlaps;
    let done = settle(cluster.apply(&web(&[(NAME, "new")])));
    let twice = [
        "apply Ingress shop/new (Create)",
        "in another way",
        "apply Ingress shop/new (Create)",
        "shop/web Kept",
    ];
    assert_eq!(done, twice);
    let marked = |cluster: &FakeCluster| {
        cluster.objects[&in_shop(Kind::Ingress, "new")]["metadata"]["annotations"].clone()
    };
    assert_eq!(marked(&cluster), json!({CANARY: "false"}));
    let done = settle(cluster.set_field(Kind::Ingress, "new", "status", address()));
    assert_eq!(done, ["delete Ingress shop/web"]);
    // After the old object is deleted, the annotation is removed.
    assert_eq!(settle(cluster.deliver_deletions()), ["apply Ingress shop/new (Update)"]);
    assert_eq!(marked(&cluster), Value::Null);
    assert!(settle(cluster.advance(600)).is_empty());

    // The same again, with a restart, and back to the old name.
    let done = settle(cluster.apply(&web(&[(NAME, "newer")])));
    assert_eq!(done[1], "in another way");
    let done = settle(cluster.restart(&[web(&[(NAME, "newer")])]));
    assert_eq!(
        done,
        [
            "apply Ingress shop/newer (Update)",
            "in another way",
            "apply Ingress shop/newer (Update)",
            "shop/web Kept"
        ]
    );
    let done = settle(cluster.apply(&web(&[(NAME, "new")])));
    assert_eq!(done, ["apply Ingress shop/new (Update)", "delete Ingress shop/newer"]);
    assert!(settle(cluster.deliver_deletions()).is_empty());
}

#[test]
fn if_the_annotation_does_not_help_the_old_ingress_is_deleted_first() {
    let mut cluster = served();
    cluster.refuses = overlaps_always;
    let done = settle(cluster.apply(&web(&[(NAME, "new")])));
    let expected = [
        "apply Ingress shop/new (Create)",
        "in another way",
        "apply Ingress shop/new (Create)",
        "in another way",
        "delete Ingress shop/web",
        "apply Ingress shop/new (Create)",
        "shop/web Deleted",
    ];
    assert_eq!(done, expected);
    assert!(settle(cluster.deliver_deletions().advance(600)).is_empty());
    assert_eq!(cluster.objects.keys().collect::<Vec<_>>(), [&in_shop(Kind::Ingress, "new")]);
}

#[test]
fn a_canary_keeps_its_own_annotation() {
    let mut cluster = FakeCluster::new();
    cluster.apply(&web(&[])).settle();
    let next = |name: &str| {
        service(
            "next",
            &[(HOST, "web.shop.example.com"), (NAME, name), ("CanaryOf", "web"), ("CanaryWeight", "10")],
        )
    };
    settle(cluster.apply(&next("next")));
    cluster.set_field(Kind::Ingress, "next", "status", address());
    cluster.refuses = |objects, key, _| {
        let old = in_shop(Kind::Ingress, "next");
        (*key != old && objects.contains_key(&old)).then(|| "already defined in ingress shop/next".to_owned())
    };
    let done = settle(cluster.apply(&next("new")));
    let expected = [
        "apply Ingress shop/new (Create)",
        "in another way",
        "delete Ingress shop/next",
        "apply Ingress shop/new (Create)",
        "shop/next Deleted",
    ];
    assert_eq!(done, expected);
}

#[test]
fn if_the_annotation_is_refused_the_old_ingress_is_deleted_first() {
    let mut cluster = served();
    cluster.refuses = |objects, key, body| {
        match body["metadata"]["annotations"][CANARY].is_null() {
        true => overlaps(objects, key, body),
        false => Some(
            "admission webhook \"validate.nginx.ingress.kubernetes.io\" denied the request: this deployment has a custom \
             annotation prefix defined. Use 'example.com' instead of 'nginx.ingress.kubernetes.io'"
                .to_owned(),
        ),
    }
    };
    let done = settle(cluster.apply(&web(&[(NAME, "new")])));
    assert_eq!(done[4..], ["delete Ingress shop/web", "apply Ingress shop/new (Create)", "shop/web Deleted"]);
    // Another reason is reported, and the old object stays.
    let mut cluster = served();
    cluster.refuses = |objects, key, body| match body["metadata"]["annotations"][CANARY].is_null() {
        true => overlaps(objects, key, body),
        false => {
            Some("admission webhook \"nginx.ingress.kubernetes.io\" denied the request: quota".to_owned())
        }
    };
    let done = settle(cluster.apply(&web(&[(NAME, "new")])));
    assert_eq!(done[2..], ["apply Ingress shop/new (Create)", "shop/web ApplyFailed"]);
    assert!(cluster.objects.contains_key(&in_shop(Kind::Ingress, "web")));
}

#[test]
fn a_refusal_because_of_a_deleted_ingress_is_reported_if_it_lasts() {
    let mut cluster = served();
    cluster.refuses = overlaps;
    settle(cluster.apply(&web(&[(NAME, "new")])));
    settle(cluster.set_field(Kind::Ingress, "new", "status", address()));
    // The webhook learns of the deletion later than the controller.
    cluster.refuses = |_, key, body| {
        let is_late = &*key.name == "new" && body["metadata"]["annotations"][CANARY].is_null();
        is_late.then(|| "is already defined in ingress shop/web".to_owned())
    };
    assert_eq!(settle(cluster.deliver_deletions()), ["apply Ingress shop/new (Update)"]);
    let again = |cluster: &mut FakeCluster| {
        let mut done = cluster.retry("web");
        done.retain(|it| !it.starts_with("stamp"));
        done
    };
    for _ in 1..5 {
        assert_eq!(again(&mut cluster), ["apply Ingress shop/new (Update)"]);
    }
    assert_eq!(again(&mut cluster), ["apply Ingress shop/new (Update)", "shop/web ApplyFailed"]);
    cluster.refuses = overlaps;
    assert_eq!(again(&mut cluster), ["apply Ingress shop/new (Update)"]);
    assert!(again(&mut cluster).is_empty());
}

#[test]
fn after_another_refusal_the_old_ingress_stays() {
    let mut cluster = served();
    // These name a Service, an object with a longer name, an object of another namespace, and the new object itself.
    for message in ["Service web", "in ingress shop/web-2", "in ingress other/web", "shop/new is wrong"] {
        let mut handovers = Handovers::new(Duration::from_secs(1));
        let old = Observed::new(
            &serde_json::from_value(cluster.objects[&in_shop(Kind::Ingress, "web")].clone()).unwrap(),
        );
        let others = [(in_shop(Kind::Ingress, "web"), old.unwrap())];
        let key = ServiceKey::new("shop", "web");
        let refusal = handovers.on_refused(&key, &in_shop(Kind::Ingress, "new"), message, &others);
        assert_eq!(refusal, Refusal::Report, "{message}");
        let named = "path \"/\" is already defined in ingress shop/web.";
        let refusal = handovers.on_refused(&key, &in_shop(Kind::Ingress, "new"), named, &others);
        assert_eq!(refusal, Refusal::RetryNow);
    }
    cluster.refuses = |_, key, _| (&*key.name == "new").then(|| "quota".to_owned());
    settle(cluster.apply(&web(&[(NAME, "new")])));
    assert!(cluster.objects.contains_key(&in_shop(Kind::Ingress, "web")));
}

/// With `nameOthers: false`, no Event has the name of another namespace whose ConfigMap contains the key of a Service.
#[test]
fn the_url_configmap_of_another_namespace_is_not_named_where_others_are_not() {
    for names_others in [true, false] {
        let mut cluster = FakeCluster::new();
        let settings = json!({"claims": {"namespace": "xposer-system", "nameOthers": names_others}});
        cluster.state.set_settings(Settings::from_value(&settings).unwrap(), true);
        let theirs = json!({"metadata": {"name": "xposer", "namespace": "ops", "uid": "theirs", "resourceVersion": "1"},
            "data": {"web-shop": "other.example.com"}});
        cluster.state.apply_object(Kind::ConfigMap, &document(&theirs));
        for namespace in ["ops", "full"] {
            cluster.state.apply_namespace(namespace, false);
        }
        let mut publishing = web(&[]);
        publishing["metadata"]["annotations"]["xposer.stakater.com/annotations"] =
            "exposeIngressUrl: globally".into();
        cluster.apply(&publishing).settle();
        let mut notes = Vec::new();
        for namespace in ["ops", "full", "shop"] {
            let key = ReconcileKey::UrlConfigMap(namespace.into());
            let mut notices: Vec<Notice> = cluster
                .state
                .reconcile(&key, cluster.now)
                .into_iter()
                .flat_map(|plan| plan.notices)
                .collect();
            if namespace != "ops" {
                let object =
                    ObjectKey { kind: Kind::ConfigMap, namespace: namespace.into(), name: "xposer".into() };
                notices.push(Notice::apply_failed(Some(&object), "a quota"));
            }
            // The previous conditions are known.
            cluster.state.finish(&key, Vec::new(), false);
            let told = cluster.state.finish(&key, notices, true);
            notes.extend(told.into_iter().map(|it| format!("{}: {}", it.notice.reason, it.notice.note)));
        }
        let own = "ApplyFailed: the API server refused to change ConfigMap shop/xposer: a quota";
        let expected = match names_others {
            true => [
                "ForeignObject: the key web-shop of ConfigMap ops/xposer belongs to another owner and was not changed; \
                 remove it there, or rename the Service",
                "ApplyFailed: the API server refused to change ConfigMap full/xposer: a quota",
                own,
            ],
            false => [
                "ForeignObject: the key web-shop of ConfigMap xposer of another namespace belongs to another owner and was not changed; rename the Service",
                "ApplyFailed: ConfigMap xposer of another namespace cannot be changed; tell your administrator",
                own,
            ],
        };
        assert_eq!(notes, expected);
    }
}
