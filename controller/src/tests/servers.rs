//! Tests of the controllers that serve a Service, and of the objects that an Ingress or an HTTPRoute needs.

use serde_json::{Value, json};
use xposer::Settings;
use xposer_live::keys::ServiceKey;
use xposer_live::kinds::Kind;
use xposer_live::object::owner_reference;
use xposer_live::plan::{Desired, Exposed};
use xposer_live::servers::ServerKind;

use super::{FakeCluster, applied, document, in_shop, settle, text, web};
use crate::actions::Failures;
use crate::notice::Notice;
use crate::watch::KindStatus;

const TRAEFIK: &str = "traefik.io/ingress-controller";
/// An annotation that only ingress-nginx reads.
const LOG: &str = "nginx.ingress.kubernetes.io/enable-access-log";

fn class(name: &str, controller: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"controller": controller}})
}

fn gateway(name: &str, class: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "gateways"}, "spec": {"gatewayClassName": class}})
}

/// The Service `web` with that annotation.
fn logged(annotations: &[(&str, &str)]) -> Value {
    let mut web = web(annotations);
    web["metadata"]["annotations"][xposer::service::FORWARD_ANNOTATION] = format!("{LOG}: \"false\"").into();
    web
}

/// Whether its Ingress has the annotation.
fn is_nginx(cluster: &FakeCluster) -> bool {
    !cluster.objects[&in_shop(Kind::Ingress, "web")]["metadata"]["annotations"][LOG].is_null()
}

#[test]
fn only_the_services_of_a_class_follow_it() {
    let mut cluster = FakeCluster::new();
    cluster
        .apply(&logged(&[("IngressClassName", "internal")]))
        .service("plain", "plain.example.com", 1)
        .settle();
    assert!(is_nginx(&cluster));
    cluster.state.apply_server(ServerKind::IngressClass, &document(&class("other", TRAEFIK)));
    assert_eq!(cluster.state.due_services(), 0);
    cluster.state.apply_server(ServerKind::IngressClass, &document(&class("internal", TRAEFIK)));
    assert_eq!(cluster.state.due_services(), 1);
    assert_eq!(settle(&mut cluster), ["apply Ingress shop/web (Update)"]);
    assert!(!is_nginx(&cluster));
    // Applying it again, and with new settings, is no change.
    cluster.state.apply_server(ServerKind::IngressClass, &document(&class("internal", TRAEFIK)));
    cluster.state.set_settings(Settings::default(), true);
    assert!(settle(&mut cluster).is_empty());
    // The setting has priority.
    let settings = json!({"controllers": {"internal": "ingress-nginx"}});
    cluster.state.set_settings(Settings::from_value(&settings).unwrap(), true);
    assert_eq!(settle(&mut cluster), ["apply Ingress shop/web (Update)"]);
    assert!(is_nginx(&cluster));
}

#[test]
fn a_service_without_a_class_follows_the_default_class() {
    let mut cluster = FakeCluster::new();
    cluster.apply(&logged(&[])).settle();
    let mut class = class("internal", TRAEFIK);
    class["metadata"]["annotations"] = json!({"ingressclass.kubernetes.io/is-default-class": "true"});
    cluster.state.apply_server(ServerKind::IngressClass, &document(&class));
    assert_eq!(settle(&mut cluster), ["apply Ingress shop/web (Update)"]);
    assert!(!is_nginx(&cluster));
}

#[test]
fn a_refused_service_is_tried_again_when_something_is_served_by_another() {
    let mut cluster = FakeCluster::new();
    cluster.service("web", "web_.example.com", 1).settle();
    cluster.state.apply_server(ServerKind::IngressClass, &document(&class("internal", TRAEFIK)));
    assert_eq!((cluster.state.due_services(), cluster.settle().len()), (1, 0));
}

#[test]
fn missing_gateway_is_reported_while_it_is_missing() {
    let mut cluster = FakeCluster::new();
    let settings = json!({"parentRefs": [{"name": "external", "namespace": "gateways"}]});
    cluster.state.set_settings(Settings::from_value(&settings).unwrap(), true);
    let route = web(&[("Target", "HTTPRoute")]);
    // It is not known whether the Gateway exists.
    cluster.state.set_server_status(ServerKind::Gateway, KindStatus::Forbidden(String::new()));
    assert_eq!(settle(cluster.apply(&route)), ["apply HTTPRoute shop/web (Create)"]);
    cluster.state.set_server_status(ServerKind::Gateway, KindStatus::Listed);
    cluster.state.apply_server(ServerKind::Gateway, &document(&gateway("other", "eg")));
    assert_eq!(settle(&mut cluster), ["shop/web GatewayNotFound"]);
    cluster.state.apply_server(ServerKind::Gateway, &document(&gateway("external", "eg")));
    assert_eq!((cluster.state.due_services(), settle(&mut cluster).len()), (1, 0));
    let missing = Notice::gateway_not_found(&in_shop(Kind::HttpRoute, "web"), "gateways", "external");
    assert!(!missing.is_failure());
}

/// The listeners of one Gateway need not be neighbours among the parents.
#[test]
fn a_missing_gateway_causes_one_notice() {
    let mut cluster = FakeCluster::new();
    let parent =
        |name: &str, section: &str| json!({"name": name, "namespace": "gateways", "sectionName": section});
    let settings =
        json!({"parentRefs": [parent("external", "a"), parent("internal", "a"), parent("external", "b")]});
    cluster.state.set_settings(Settings::from_value(&settings).unwrap(), true);
    cluster.state.set_server_status(ServerKind::Gateway, KindStatus::Listed);
    cluster.apply(&web(&[("Target", "HTTPRoute")]));
    let mut said = settle(&mut cluster);
    said.extend(settle(&mut cluster));
    let missing = said.iter().filter(|it| it.as_str() == "shop/web GatewayNotFound").count();
    assert_eq!(missing, 2, "{said:?}");
}

#[test]
fn refusal_names_the_refusing_and_the_expected_program() {
    let mut cluster = FakeCluster::new();
    let settings = json!({"parentRefs": [{"name": "external", "namespace": "gateways"}]});
    cluster.state.set_settings(Settings::from_value(&settings).unwrap(), true);
    cluster.apply(&web(&[("Target", "HTTPRoute")])).settle();
    cluster.state.apply_server(ServerKind::Gateway, &document(&gateway("external", "eg")));
    let class = json!({"metadata": {"name": "eg"}, "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}});
    cluster.state.apply_server(ServerKind::GatewayClass, &document(&class));
    assert!(settle(&mut cluster).is_empty());
    let server = cluster.state.server_of(&ServiceKey::new("shop", "web"), Kind::HttpRoute);
    let notice = Notice::not_served(&in_shop(Kind::HttpRoute, "web"), "by external: no", server.as_deref());
    assert_eq!(
        notice.note,
        "HTTPRoute shop/web is not accepted by external: no; its program is Envoy Gateway, as its class \
         with the controller gateway.envoyproxy.io/gatewayclass-controller says"
    );
}

#[test]
fn ingress_without_an_address_is_reported_if_its_class_has_no_known_program() {
    let told = |class: &str, wait: u64, prepare: &dyn Fn(&mut FakeCluster)| {
        let mut cluster = FakeCluster::new();
        cluster.state.set_server_status(ServerKind::IngressClass, KindStatus::Listed);
        cluster.apply(&web(&[("IngressClassName", class)])).settle();
        prepare(&mut cluster);
        cluster.settle();
        cluster.advance(wait);
        let told = settle(&mut cluster);
        // It is reported once.
        assert!(cluster.advance(3600).settle().is_empty());
        told
    };
    let nothing = |_: &mut FakeCluster| {};
    assert_eq!(told("intern", 60, &nothing), ["shop/web NotServed"]);
    let served = |cluster: &mut FakeCluster| {
        cluster.set_field(Kind::Ingress, "web", "status", super::address());
    };
    let with_class = |cluster: &mut FakeCluster| {
        cluster.state.apply_server(ServerKind::IngressClass, &document(&class("intern", "example.com/mine")));
    };
    let with_setting = |cluster: &mut FakeCluster| {
        let settings = json!({"controllers": {"intern": "contour"}});
        cluster.state.set_settings(Settings::from_value(&settings).unwrap(), true);
    };
    let forbidden = |cluster: &mut FakeCluster| {
        let status = KindStatus::Forbidden(String::new());
        cluster.state.set_server_status(ServerKind::IngressClass, status);
    };
    let none = Vec::<String>::new();
    for prepare in [&served as &dyn Fn(&mut FakeCluster), &with_class, &with_setting, &forbidden] {
        assert_eq!(told("intern", 60, prepare), none);
    }
    // The class is served by its name alone.
    assert_eq!(told("contour", 60, &nothing), none);
}

// Objects that others need.

fn desired(kind: Kind, name: &str) -> Desired {
    let body = json!({
        "apiVersion": kind.row().api_version, "kind": kind.as_str(),
        "metadata": {"name": name, "namespace": "shop",
            "labels": {"app.kubernetes.io/managed-by": "xposer", "xposer.stakater.com/service": "web"},
            "ownerReferences": [owner_reference(&ServiceKey::new("shop", "web"), "uid-web")]},
        "spec": {"rules": [{"host": "web.example.com"}]},
    });
    let hash = xposer_live::digest::json_digest(&body);
    Desired { key: in_shop(kind, name), body, hash }
}

/// A cluster with the Service `web`, whose plan the tests choose.
fn planned() -> FakeCluster {
    let mut cluster = FakeCluster::new();
    cluster.apply(&web(&[]));
    cluster.state.take_due();
    cluster
}

/// The actions that give the Service these objects, and the reasons of the notices.
fn plan(cluster: &mut FakeCluster, objects: &[(Kind, &str)]) -> Vec<String> {
    let desired = objects.iter().map(|(kind, name)| desired(*kind, name)).collect();
    let exposed = Exposed { desired, published: None, stamp: None, unknown_class: None, claims: Vec::new() };
    let mut notices = Vec::new();
    let key = ServiceKey::new("shop", "web");
    let actions = cluster.state.reconcile_exposed(&key, exposed, &mut notices, cluster.now);
    let told = notices.into_iter().map(|it| it.reason);
    actions.iter().map(text).chain(told).collect()
}

/// Adds an object of Xposer to the cluster.
fn exists(cluster: &mut FakeCluster, kind: Kind, name: &str, status: Value) {
    let Desired { key, body, .. } = desired(kind, name);
    cluster.versions += 1;
    let mut object = applied(&body, &cluster.versions.to_string());
    object["status"] = status;
    cluster.state.apply_object(kind, &document(&object));
    cluster.objects.insert(key, object);
}

#[test]
fn protecting_object_is_applied_first_and_deleted_last() {
    let mut cluster = planned();
    let all = [(Kind::Ingress, "web"), (Kind::EndpointMonitor, "web"), (Kind::Middleware, "web-auth")];
    assert_eq!(
        plan(&mut cluster, &all),
        [
            "apply Middleware shop/web-auth (Create)",
            "apply Ingress shop/web (Create)",
            "apply EndpointMonitor shop/web (Create)"
        ]
    );
    for (kind, name) in all {
        exists(&mut cluster, kind, name, Value::Null);
    }
    assert_eq!(
        plan(&mut cluster, &[(Kind::HttpRoute, "web")]),
        [
            "apply HTTPRoute shop/web (Create)",
            "delete Ingress shop/web",
            "delete EndpointMonitor shop/web",
            "delete Middleware shop/web-auth"
        ]
    );
    // The option is removed: the Ingress no longer refers to the object when the object is deleted.
    assert_eq!(
        plan(&mut cluster, &[(Kind::Ingress, "web"), (Kind::EndpointMonitor, "web")]),
        [
            "apply Ingress shop/web (Update)",
            "apply EndpointMonitor shop/web (Update)",
            "delete Middleware shop/web-auth"
        ]
    );
    cluster.state.delete_service(&ServiceKey::new("shop", "web"));
    assert_eq!(
        cluster.settle(),
        [
            "delete if not exposed Ingress shop/web",
            "delete if not exposed EndpointMonitor shop/web",
            "delete if not exposed Middleware shop/web-auth"
        ]
    );
}

#[test]
fn protecting_object_is_kept_with_a_kept_object() {
    let mut cluster = planned();
    exists(&mut cluster, Kind::Ingress, "web", super::address());
    exists(&mut cluster, Kind::Middleware, "web-auth", Value::Null);
    let new = [(Kind::Ingress, "new"), (Kind::Middleware, "new-auth")];
    assert_eq!(
        plan(&mut cluster, &new),
        ["apply Middleware shop/new-auth (Create)", "apply Ingress shop/new (Create)"]
    );
    // An object of another owner with the labels of Xposer does not need the protection.
    let mut copy = desired(Kind::Ingress, "copy").body;
    copy["metadata"].as_object_mut().unwrap().remove("ownerReferences");
    cluster.state.apply_object(Kind::Ingress, &document(&copy));
    cluster.state.delete_object(&in_shop(Kind::Ingress, "web"));
    assert_eq!(plan(&mut cluster, &new)[2..], ["delete Middleware shop/web-auth"]);
}

#[test]
fn without_what_protects_it_an_object_is_not_written() {
    for status in [KindStatus::NotServed, KindStatus::Forbidden("no".to_owned())] {
        let mut cluster = planned();
        cluster.state.set_kind_status(Kind::SecurityPolicy, status.clone());
        let all = [(Kind::HttpRoute, "web"), (Kind::SecurityPolicy, "web"), (Kind::Ingress, "web")];
        let reason = if status == KindStatus::NotServed { "KindNotServed" } else { "ApplyFailed" };
        // The Ingress does not need it.
        assert_eq!(plan(&mut cluster, &all), ["apply Ingress shop/web (Create)", reason]);
        cluster.state.set_kind_status(Kind::SecurityPolicy, KindStatus::Listed);
        assert_eq!(
            plan(&mut cluster, &all),
            [
                "apply SecurityPolicy shop/web (Create)",
                "apply HTTPRoute shop/web (Create)",
                "apply Ingress shop/web (Create)"
            ]
        );
    }
}

#[test]
fn foreign_object_with_the_name_of_an_auxiliary_object_is_not_changed() {
    let mut cluster = planned();
    let theirs =
        json!({"metadata": {"name": "web-auth", "namespace": "shop", "uid": "t", "resourceVersion": "5"}});
    cluster.state.apply_object(Kind::Middleware, &document(&theirs));
    let all = [(Kind::Ingress, "web"), (Kind::Middleware, "web-auth")];
    assert_eq!(plan(&mut cluster, &all), ["ForeignObject"]);
    assert!(
        plan(&mut cluster, &[(Kind::Ingress, "web")]).contains(&"apply Ingress shop/web (Create)".to_owned())
    );
    cluster.state.delete_object(&in_shop(Kind::Middleware, "web-auth"));
    assert_eq!(cluster.state.due_services(), 1);
}

#[test]
fn after_a_failure_nothing_is_sent_that_would_be_open() {
    let mut cluster = planned();
    let all = [
        (Kind::Ingress, "web"),
        (Kind::Middleware, "web-auth"),
        (Kind::HttpRoute, "web"),
        (Kind::Route, "web"),
    ];
    let desired = all.iter().map(|(kind, name)| desired(*kind, name)).collect();
    let exposed = Exposed { desired, published: None, stamp: None, unknown_class: None, claims: Vec::new() };
    let key = ServiceKey::new("shop", "web");
    let actions = cluster.state.reconcile_exposed(&key, exposed, &mut Vec::new(), cluster.now);
    let mut failures = Failures::default();
    failures.add(actions[0].kind());
    let sent: Vec<String> = actions[1..].iter().filter(|it| failures.allow(it)).map(text).collect();
    assert_eq!(
        (text(&actions[0]).as_str(), sent),
        ("apply Middleware shop/web-auth (Create)", vec!["apply Route shop/web (Create)".to_owned()])
    );
    // A helper stays as long as an object that needs it could not be deleted.
    exists(&mut cluster, Kind::Ingress, "web", Value::Null);
    exists(&mut cluster, Kind::Middleware, "web-auth", Value::Null);
    exists(&mut cluster, Kind::Route, "web", Value::Null);
    cluster.state.delete_service(&key);
    cluster.refuses_deletions = true;
    let done = cluster.settle();
    assert_eq!(
        done,
        [
            "delete if not exposed Ingress shop/web",
            "delete if not exposed Route shop/web",
            "shop/web ApplyFailed",
            "shop/web ApplyFailed"
        ]
    );
}
