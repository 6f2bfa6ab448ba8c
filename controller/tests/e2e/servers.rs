//! Who serves a class or a Gateway, as the cluster says, and the objects that only one program reads.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::{
    DEFINITION, GATEWAY, GATEWAY_CLASS, HTTP_ROUTE, INGRESS, INGRESS_CLASS, Kind, MIDDLEWARE, deployed_rules,
    eventually, within,
};
use crate::lifecycle::when;
use crate::scenario::{FORWARD, PLAIN, Scene, key};

const TRAEFIK: &str = "traefik.io/ingress-controller";
const NGINX: &str = "k8s.io/ingress-nginx";
/// An annotation that only ingress-nginx reads.
const LOG: &str = "nginx.ingress.kubernetes.io/enable-access-log";
const LOGS: &str = "/metadata/annotations/nginx.ingress.kubernetes.io~1enable-access-log";
/// The kind is looked for every 20 s.
const FOUND: Duration = Duration::from_secs(40);
/// Middlewares as Traefik defines them, as far as this test needs them.
const MIDDLEWARES: &str = "middlewares.traefik.io";

/// An object of the cluster, which is removed on drop.
struct OfCluster<'s> {
    scene: &'s Scene,
    kind: Kind,
    name: String,
}

impl<'s> OfCluster<'s> {
    fn new(scene: &'s Scene, kind: Kind, mut object: Value) -> Self {
        object["apiVersion"] = kind.api.into();
        object["kind"] = kind.name.into();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        scene.delete(kind, None, &name, &Default::default());
        eventually("an object of an earlier run is gone", || match scene.find(kind, None, &name) {
            None => Ok(()),
            Some(left) => Err(left["metadata"].to_string()),
        });
        scene.create(object);
        Self { scene, kind, name }
    }

    fn class(scene: &'s Scene, name: &str, controller: &str) -> Self {
        Self::new(
            scene,
            INGRESS_CLASS,
            json!({"metadata": {"name": name}, "spec": {"controller": controller}}),
        )
    }

    /// The definition of Middlewares, and waits until they are served.
    fn middlewares(scene: &'s Scene) -> Self {
        let schema = json!({"type": "object", "properties": {
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}});
        let version = json!({"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
        let names = json!({"kind": "Middleware", "listKind": "MiddlewareList", "plural": "middlewares", "singular": "middleware"});
        let definition = Self::new(
            scene,
            DEFINITION,
            json!({"metadata": {"name": MIDDLEWARES},
                "spec": {"group": "traefik.io", "scope": "Namespaced", "names": names, "versions": [version]}}),
        );
        eventually("Middlewares are served", || match scene.is_served(MIDDLEWARE) {
            true => Ok(()),
            false => Err("not yet".to_owned()),
        });
        definition
    }
}

impl Drop for OfCluster<'_> {
    fn drop(&mut self) {
        self.scene.delete(self.kind, None, &self.name, &Default::default());
    }
}

/// A Service of the class `internal` with that annotation.
fn of_internal() -> Vec<(String, String)> {
    vec![(key("IngressClassName"), "internal".to_owned()), (FORWARD.to_owned(), format!("{LOG}: \"false\""))]
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn controller_of_a_class_determines_the_dialect() {
    let scene = Scene::open("class");
    let shop = scene.place();
    let class = OfCluster::class(&scene, "internal", TRAEFIK);
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &of_internal());
    shop.expose("plain", &[]);
    shop.has(["Ingress plain", "Ingress web"]);
    shop.sees(INGRESS, "web", LOGS, Value::Null);
    scene.rests(&[&controller]);

    // Without the class, nobody serves the Ingress, and it stays as it is.
    let mark = scene.audit_mark();
    drop(class);
    scene.rests(&[&controller]);
    assert_eq!(scene.written_since(mark), Vec::<String>::new());
    // The controller of a class never changes; a new class of the name can have another.
    let mark = scene.audit_mark();
    let class = OfCluster::class(&scene, "internal", NGINX);
    shop.sees(INGRESS, "web", LOGS, "false");
    scene.rests(&[&controller]);
    let mut written = scene.written_since(mark);
    written.retain(|it| !it.starts_with("create events"));
    // The first change of an Ingress that was created: our fields become applied ones, and then it is applied.
    let patch = format!("patch ingresses {}/web: 200", shop.name);
    assert_eq!(written, [patch.as_str(), &patch]);

    // A controller that starts knows the class before it looks at the Ingresses.
    drop((controller, class));
    let _class = OfCluster::class(&scene, "internal", TRAEFIK);
    let controller = scene.controller(PLAIN, &[]);
    shop.sees(INGRESS, "web", LOGS, Value::Null);
    scene.rests(&[&controller]);
    drop(controller);
    let mark = scene.audit_mark();
    let controller = scene.controller(PLAIN, &[]);
    scene.rests(&[&controller]);
    assert_eq!(scene.written_since(mark), Vec::<String>::new());
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn with_roles_of_an_older_version_names_and_settings_determine_the_program() {
    let scene = Scene::open("roles");
    let shop = scene.place();
    let _class = OfCluster::class(&scene, "internal", TRAEFIK);
    let mut rules = deployed_rules();
    rules.retain(|rule| rule["resources"][0] != "ingressclasses" && rule["resources"][0] != "gatewayclasses");
    let account = shop.account("xposer", &[]);
    let _rights = shop.may_everywhere("xposer", &rules);
    let controller = scene.controller_as(&account, PLAIN, &[]).ready();
    shop.expose("web", &of_internal());
    shop.sees(INGRESS, "web", LOGS, "false");
    scene.rests(&[&controller]);
    let told = "ingressclasses are not watched, so only names and the setting `controllers` decide which program serves a Service";
    assert_eq!(controller.log().matches(told).count(), 1, "{}", controller.log());
    controller.change_settings("domain: e2e.example.com\ncontrollers: {internal: traefik}");
    shop.sees(INGRESS, "web", LOGS, Value::Null);
    controller.change_settings(PLAIN);
    shop.sees(INGRESS, "web", LOGS, "false");

    // With the roles of this version, no restart is needed.
    let _rights = shop.may_everywhere("xposer", &deployed_rules());
    within(FOUND, "the class is read", || match shop.get(INGRESS, "web").pointer(LOGS) {
        None => Ok(()),
        Some(left) => Err(left.to_string()),
    });
    shop.has(["Ingress web"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn missing_gateway_is_reported() {
    let scene = Scene::with_kinds("gateway", &[HTTP_ROUTE, GATEWAY, GATEWAY_CLASS]);
    let shop = scene.place();
    let class = json!({"metadata": {"name": "xposer-e2e"}, "spec": {"controllerName": "example.com/e2e"}});
    let _class = OfCluster::new(&scene, GATEWAY_CLASS, class);
    let settings =
        format!("domain: e2e.example.com\nparentRefs: [{{name: external, namespace: {}}}]", shop.name);
    let controller = scene.controller(&settings, &[]);
    shop.expose("web", &[(key("Target"), "HTTPRoute".to_owned())]);
    let said = shop.event("web", "Warning", "GatewayNotFound");
    let expected =
        format!("HTTPRoute {0}/web belongs to the Gateway {0}/external, which does not exist", shop.name);
    assert!(said.starts_with(&expected), "{said}");
    shop.has(["HTTPRoute web"]);

    let listener = json!({"name": "http", "port": 80, "protocol": "HTTP"});
    shop.create(json!({"apiVersion": GATEWAY.api, "kind": "Gateway", "metadata": {"name": "external"},
        "spec": {"gatewayClassName": "xposer-e2e", "listeners": [listener]}}));
    shop.expose("late", &[(key("Target"), "HTTPRoute".to_owned())]);
    shop.has(["HTTPRoute late", "HTTPRoute web"]);
    scene.rests(&[&controller]);
    assert!(shop.events("late").iter().all(|it| it.0 == "Normal"), "{:#?}", shop.events("late"));
    // The Gateway refuses a route, and the Event names the Gateway.
    let route = shop.get(HTTP_ROUTE, "late");
    let condition = json!({"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners", "message": "no",
        "observedGeneration": route["metadata"]["generation"], "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let parent = json!({"parentRef": route["spec"]["parentRefs"][0], "controllerName": "example.com/e2e", "conditions": [condition]});
    scene.set_status(HTTP_ROUTE, Some(&shop.name), "late", &json!({"parents": [parent]})).unwrap();
    let said = shop.event("late", "Warning", "NotServed");
    let expected = "is not accepted by external: NotAllowedByListeners: no; its program is an implementation of \
                    the Gateway API, as its class with the controller example.com/e2e says";
    assert!(said.ends_with(expected), "{said}");
    scene.end(&[&controller]);
}

/// A Service of the class `internal` that only some may reach.
fn of_office() -> Vec<(String, String)> {
    let intent_values = [("IngressClassName", "internal"), ("AllowedSources", "10.0.0.0/8")];
    intent_values.map(|(name, value)| (key(name), value.to_owned())).into()
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn protecting_object_exists_before_and_after_its_ingress() {
    let scene = Scene::open("middleware");
    let shop = scene.place();
    assert!(
        !scene.is_served(MIDDLEWARE),
        "this cluster has Middlewares already; leave this scenario out with `--skip`"
    );
    let _class = OfCluster::class(&scene, "internal", TRAEFIK);
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &of_office());
    let message = shop.event("web", "Warning", "KindNotServed");
    assert!(
        message.starts_with("this cluster has no Middleware, so the object that it protects is not written"),
        "{message}"
    );
    shop.has_nothing();
    scene.rests(&[&controller]);

    let _definition = OfCluster::middlewares(&scene);
    let film = shop.film(&[MIDDLEWARE, INGRESS]);
    let middleware = "web-allowed-sources";
    let all = ["Ingress web", "Middleware web-allowed-sources"];
    shop.has_within(FOUND, all);
    assert!(when(&film, "Added Middleware web-allowed-sources") < when(&film, "Added Ingress web"));
    // It is kept as it has to be.
    let range = "/spec/ipAllowList/sourceRange/0";
    shop.patch(MIDDLEWARE, middleware, &json!({"spec": {"ipAllowList": {"sourceRange": ["0.0.0.0/0"]}}}));
    shop.sees(MIDDLEWARE, middleware, range, "10.0.0.0/8");
    shop.delete(MIDDLEWARE, middleware);
    shop.sees(MIDDLEWARE, middleware, range, "10.0.0.0/8");
    scene.rests(&[&controller]);

    // Somebody else has a Middleware of the name that is needed.
    shop.stands_by(json!({"apiVersion": MIDDLEWARE.api, "kind": "Middleware",
        "metadata": {"name": "other-allowed-sources"}, "spec": {"ipAllowList": {"sourceRange": ["0.0.0.0/0"]}}}));
    shop.expose("other", &of_office());
    let message = shop.event("other", "Warning", "ForeignObject");
    assert!(
        message.contains("other-allowed-sources belongs to another owner and was not changed"),
        "{message}"
    );
    shop.has(all);

    // With the option, it goes after the Ingress does not name it any more; with the label, after the Ingress.
    let film = shop.film(&[MIDDLEWARE, INGRESS]);
    shop.configure("web", "AllowedSources", Value::Null);
    shop.has(["Ingress web"]);
    assert!(when(&film, "Modified Ingress web") < when(&film, "Deleted Middleware web-allowed-sources"));
    shop.configure("web", "AllowedSources", "10.0.0.0/8");
    shop.has(all);
    let film = shop.film(&[MIDDLEWARE, INGRESS]);
    shop.label("web", "false");
    shop.has_nothing();
    assert!(when(&film, "Deleted Ingress web") < when(&film, "Deleted Middleware web-allowed-sources"));

    // A dry run shows them in this order, and a new controller finds everything as it has to be.
    drop(controller);
    shop.label("web", "true");
    let shown = scene.run(PLAIN, &["--dry-run"]).stdout;
    let place = |what: &str| shown.find(&format!("create {what} {}/web", shop.name)).expect(what);
    assert!(place("Middleware") < place("Ingress"), "{shown}");
    let controller = scene.controller(PLAIN, &[]);
    shop.has(all);
    drop(controller);
    let mark = scene.audit_mark();
    let controller = scene.controller(PLAIN, &[]);
    scene.rests(&[&controller]);
    let mut written = scene.written_since(mark);
    written.retain(|it| !it.starts_with("create events"));
    assert_eq!(written, Vec::<String>::new());
    scene.end(&[&controller]);
}
