//! The new object is created before the old one is deleted, and the old one is deleted when the new one serves. The tests
//! write the status of the objects.

use std::collections::BTreeMap;

use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::cluster::{HOME, HTTP_ROUTE, INGRESS, VALIDATING, VALIDATING_BINDING, eventually, name_of};
use crate::controller::Controller;
use crate::lifecycle::{uid, when};
use crate::recording::Film;
use crate::scenario::{PLAIN, Place, Scene, host, key};

const GATEWAYS: &str = "domain: e2e.example.com\nparentRefs: [{name: external, namespace: gateways}]";
/// A timeout that is longer than any scenario.
const PATIENT: &[&str] = &["--handover-timeout", "600"];

/// Exposes the Service `web`, whose Ingress has an address.
fn served(shop: &Place) {
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);
    shop.addresses("web");
}

/// Renames the Ingress of the Service `web`. Afterwards both exist.
#[track_caller]
fn rename(shop: &Place, name: &str) {
    shop.configure("web", "IngressNameTemplate", name);
    shop.has(["Ingress web".to_owned(), format!("Ingress {name}")]);
}

/// Waits until this number of objects is kept.
#[track_caller]
fn keeps(controller: &Controller, count: f64) {
    controller.shows("xposer_kept_objects", &[], count);
}

/// At every moment of the recording, an object serves. `beginning` serves before it.
#[track_caller]
fn always_served(film: &Film, beginning: &str) {
    let mut serves = BTreeMap::from([(beginning.to_owned(), true)]);
    for frame in film.frames() {
        let status = &frame.object["status"];
        let is_served = !status["loadBalancer"]["ingress"].is_null() || !status["parents"].is_null();
        let key = format!("{} {}", frame.object["kind"].as_str().unwrap(), name_of(&frame.object));
        serves.insert(key, is_served && frame.what != "Deleted");
        assert!(serves.values().any(|serves| *serves), "{:#?}", film.story());
    }
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn an_old_object_stays_until_the_new_one_has_an_address() {
    let scene = Scene::open("slow");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, PATIENT);
    served(&shop);

    let film = shop.film(&[INGRESS]);
    rename(&shop, "new");
    let message = shop.event("web", "Normal", "Kept");
    let expected = "Ingress {}/web is kept until Ingress {}/new has an address, 600 s at most";
    assert_eq!(message, expected.replace("{}", &shop.name));
    keeps(&controller, 1.0);
    // Nothing is written while there is no address.
    scene.rests(&[&controller]);
    shop.has(["Ingress web", "Ingress new"]);

    shop.addresses("new");
    shop.has(["Ingress new"]);
    let message = shop.event("web", "Normal", "Deleted");
    assert_eq!(message, "Ingress {}/web is deleted: Ingress {}/new has an address".replace("{}", &shop.name));
    keeps(&controller, 0.0);
    scene.end(&[&controller]);
    let story = film.story();
    assert_eq!(story, ["Added Ingress new", "Modified Ingress new", "Deleted Ingress web"]);
    always_served(&film, "Ingress web");
    let told = shop.events("web").iter().filter(|it| it.1 == "Kept").count();
    assert_eq!(told, 1, "{:#?}", shop.events("web"));
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn without_an_address_the_old_object_is_deleted_after_the_timeout() {
    let scene = Scene::open("never");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &["--handover-timeout", "4"]);
    served(&shop);
    rename(&shop, "new");
    shop.has(["Ingress new"]);
    let message = shop.event("web", "Warning", "HandoverTimedOut");
    let expected = "after 4 s Ingress {}/new has no address; Ingress {}/web is deleted nevertheless";
    assert_eq!(message, expected.replace("{}", &shop.name));
    controller.shows("xposer_handover_timeouts_total", &[], 1.0);
    keeps(&controller, 0.0);
    scene.end(&[&controller]);
    drop(controller);

    // A run with `--once` waits for the timeout, too.
    shop.addresses("new");
    shop.configure("web", "IngressNameTemplate", "newer");
    let words = ["--once", "--namespace", &shop.name, "--handover-timeout", "2"];
    assert_eq!(scene.run(PLAIN, &words).code, 0);
    shop.has(["Ingress newer"]);
    // It does not wait if nothing serves.
    shop.configure("web", "IngressNameTemplate", "newest");
    assert_eq!(scene.run(PLAIN, &["--once", "--namespace", &shop.name]).code, 0);
    shop.has(["Ingress newest"]);
    scene.end(&[]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn an_object_that_is_desired_again_was_not_touched() {
    let scene = Scene::open("back");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, PATIENT);
    served(&shop);
    let before = shop.get(INGRESS, "web");
    let film = shop.film(&[INGRESS]);
    rename(&shop, "new");
    shop.event("web", "Normal", "Kept");
    shop.configure("web", "IngressNameTemplate", Value::Null);
    shop.has(["Ingress web"]);
    keeps(&controller, 0.0);
    scene.end(&[&controller]);
    assert_eq!(shop.get(INGRESS, "web"), before);
    assert_eq!(film.story(), ["Added Ingress new", "Deleted Ingress new"]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn kept_objects_are_deleted_with_the_label_and_with_the_service() {
    let scene = Scene::open("unexposed");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, PATIENT);
    served(&shop);
    rename(&shop, "new");
    keeps(&controller, 1.0);
    shop.label("web", "false");
    shop.has_nothing();
    keeps(&controller, 0.0);

    shop.configure("web", "IngressNameTemplate", Value::Null);
    shop.label("web", "true");
    shop.has(["Ingress web"]);
    shop.addresses("web");
    rename(&shop, "new");
    keeps(&controller, 1.0);
    shop.delete(crate::cluster::SERVICE, "web");
    shop.has_nothing();
    keeps(&controller, 0.0);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn after_a_takeover_the_old_object_is_still_kept() {
    let scene = Scene::open("takeover");
    let shop = scene.place();
    let mut controller = scene.controller(PLAIN, PATIENT);
    served(&shop);
    let film = shop.film(&[INGRESS]);
    rename(&shop, "new");
    keeps(&controller, 1.0);
    controller.kill();
    let mut controller = scene.controller(PLAIN, PATIENT);
    keeps(&controller, 1.0);
    scene.rests(&[&controller]);
    shop.has(["Ingress web", "Ingress new"]);
    // The address is written while no controller runs.
    controller.kill();
    shop.addresses("new");
    let controller = scene.controller(PLAIN, PATIENT);
    shop.has(["Ingress new"]);
    scene.end(&[&controller]);
    assert_eq!(film.story(), ["Added Ingress new", "Modified Ingress new", "Deleted Ingress web"]);
    always_served(&film, "Ingress web");
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn an_ingress_stays_until_the_gateway_has_accepted_the_route() {
    let scene = Scene::with_kinds("accepted", &[HTTP_ROUTE]);
    let shop = scene.place();
    let controller = scene.controller(GATEWAYS, PATIENT);
    served(&shop);
    let film = shop.film(&[INGRESS, HTTP_ROUTE]);
    shop.configure("web", "Target", "HTTPRoute");
    shop.has(["HTTPRoute web", "Ingress web"]);
    let said = shop.event("web", "Normal", "Kept");
    assert!(said.contains(&format!("until HTTPRoute {}/web is accepted", shop.name)), "{said}");
    shop.accepts("web");
    shop.has(["HTTPRoute web"]);

    // The other way round. Only the current generation counts as accepted.
    shop.configure("web", "Target", Value::Null);
    shop.has(["HTTPRoute web", "Ingress web"]);
    keeps(&controller, 1.0);
    shop.addresses("web");
    shop.has(["Ingress web"]);
    scene.end(&[&controller]);
    let story = film.story();
    let at = |line: &str| when(&film, line);
    assert!(at("Modified HTTPRoute web") < at("Deleted Ingress web"), "{story:#?}");
    let back = story.iter().rposition(|it| it == "Modified Ingress web");
    assert!(back < story.iter().position(|it| it == "Deleted HTTPRoute web"), "{story:#?}");
}

/// An admission policy that refuses a second Ingress of a host; it is removed on drop. It gets each of the existing Ingresses as
/// a parameter. Its message is the one of the admission webhook of ingress-nginx 1.15.1 (`checkOverlap` in
/// internal/ingress/controller/controller.go), and an expression stands for the rule about canaries.
struct NoOverlap<'s> {
    scene: &'s Scene,
    name: String,
}

impl<'s> NoOverlap<'s> {
    fn new(scene: &'s Scene, shop: &Place, unless: &str) -> Self {
        let overlaps =
            "object.spec.rules.exists(one, params.spec.rules.exists(other, one.host == other.host))";
        let fine = format!("object.metadata.name == params.metadata.name || !{overlaps} || ({unless})");
        // A policy that matches nothing stays. After the last policy for Ingresses is deleted, the API server (1.36) does not apply
        // the next one.
        Self::apply(scene, HOME, "xposer-e2e-nowhere", "true");
        Self::apply(scene, &shop.name, &shop.name, &fine);
        let policy = Self { scene, name: shop.name.clone() };
        let mut probe = crate::scenario::foreign_ingress("probe", "bystander.example.org");
        probe["metadata"]["namespace"] = shop.name.as_str().into();
        let parameters = kube::api::PatchParams::apply("e2e").dry_run();
        eventually("the policy is in force", || match scene.apply_with(&probe, &parameters) {
            Err(status) if status.message.contains("already defined in ingress") => Ok(()),
            other => Err(format!("{other:?}")),
        });
        policy
    }

    /// Creates a policy for the Ingresses of a namespace.
    fn apply(scene: &Scene, name: &str, namespace: &str, fine: &str) {
        let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
        let rule = json!({"apiGroups": ["networking.k8s.io"], "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE"], "resources": ["ingresses"]});
        let message = r#"'host "' + object.spec.rules[0].host + '" and path "/" is already defined in ingress ' +
            params.metadata.namespace + '/' + params.metadata.name"#;
        let spec = json!({
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"},
            "matchConstraints": {"namespaceSelector": selector, "resourceRules": [rule]},
            "validations": [{"expression": fine, "messageExpression": message}],
        });
        let binding = json!({"policyName": name, "validationActions": ["Deny"],
            "paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"}});
        for (kind, spec) in [(VALIDATING, spec), (VALIDATING_BINDING, binding)] {
            scene.apply(
                &json!({"apiVersion": kind.api, "kind": kind.name, "metadata": {"name": name}, "spec": spec}),
            );
        }
    }
}

impl Drop for NoOverlap<'_> {
    fn drop(&mut self) {
        for kind in [VALIDATING_BINDING, VALIDATING] {
            self.scene.delete(kind, None, &self.name, &DeleteParams::default());
        }
    }
}

const CANARY: &str = "nginx.ingress.kubernetes.io/canary";

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_refused_ingress_gets_the_canary_annotation() {
    let scene = Scene::with_kinds("overlap", &[VALIDATING]);
    let shop = scene.place();
    let is_told =
        |it: &str| format!("has({it}.metadata.annotations) && '{CANARY}' in {it}.metadata.annotations");
    let unless = format!("{} || {}", is_told("object"), is_told("params"));
    let _policy = NoOverlap::new(&scene, &shop, &unless);
    let controller = scene.controller(PLAIN, PATIENT);
    served(&shop);
    let first = shop.get(INGRESS, "web");

    let film = shop.film(&[INGRESS]);
    rename(&shop, "new");
    shop.sees(INGRESS, "new", "/metadata/annotations", json!({CANARY: "false"}));
    shop.event("web", "Normal", "Kept");
    scene.rests(&[&controller]);
    shop.addresses("new");
    shop.has(["Ingress new"]);
    shop.sees(INGRESS, "new", "/metadata/annotations", Value::Null);
    scene.rests(&[&controller]);
    always_served(&film, "Ingress web");

    // Back to the old name, with a restart in between.
    shop.configure("web", "IngressNameTemplate", Value::Null);
    shop.has(["Ingress web", "Ingress new"]);
    shop.sees(INGRESS, "web", "/metadata/annotations", json!({CANARY: "false"}));
    drop(controller);
    let controller = scene.controller(PLAIN, PATIENT);
    keeps(&controller, 1.0);
    shop.addresses("web");
    shop.has(["Ingress web"]);
    let last = shop.sees(INGRESS, "web", "/metadata/annotations", Value::Null);
    assert_ne!(uid(&last), uid(&first));
    scene.end(&[&controller]);
    let wrong: Vec<_> = shop.events("web").into_iter().filter(|it| it.0 == "Warning").collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn if_both_are_refused_the_old_ingress_is_deleted_first() {
    let scene = Scene::with_kinds("unique", &[VALIDATING]);
    let shop = scene.place();
    let _policy = NoOverlap::new(&scene, &shop, "false");
    let controller = scene.controller(PLAIN, PATIENT);
    served(&shop);
    let film = shop.film(&[INGRESS]);
    shop.configure("web", "IngressNameTemplate", "new");
    shop.has(["Ingress new"]);
    let message = shop.event("web", "Warning", "Deleted");
    assert!(message.contains(&format!("Ingress {}/web is deleted before", shop.name)), "{message}");
    assert!(message.contains("is already defined in ingress"), "{message}");
    scene.end(&[&controller]);
    assert!(when(&film, "Deleted Ingress web") < when(&film, "Added Ingress new"));

    // With another host, both may exist. After a refusal for another reason, the old one stays.
    shop.addresses("new");
    shop.expose("api", &[host("api.example.com")]);
    shop.has(["Ingress api", "Ingress new"]);
    shop.annotate("web", &key("IngressNameTemplate"), Value::Null);
    shop.has(["Ingress api", "Ingress web"]);
    scene.end(&[&controller]);
}
