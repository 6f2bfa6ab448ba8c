//! What other programs read: ExternalDNS, of objects that only help others, and the controller of monitors.

use serde_json::{Value, json};

use crate::cluster::{HTTP_ROUTE, INGRESS, MONITOR, SERVICE};
use crate::scenario::{FORWARD, Scene, host, key};

const OLD_CONTROLLER: &str = "/metadata/annotations/external-dns.alpha.kubernetes.io~1controller";
const NEW_CONTROLLER: &str = "/metadata/annotations/external-dns.kubernetes.io~1controller";

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn helper_objects_do_not_publish_their_host() {
    let scene = Scene::with_kinds("helpers", &[HTTP_ROUTE]);
    let shop = scene.place();
    let settings = "{domain: e2e.example.com, target: [Ingress, HTTPRoute], tls: load-balancer, \
        parentRefs: [{name: edge, sectionName: https}], httpParentRefs: [{name: edge, sectionName: http}], \
        annotations: {forecastle.stakater.com/expose: 'true'}}";
    let controller = scene.controller(settings, &[]);
    let shared = host("web.example.com");
    shop.expose(
        "web",
        &[shared.clone(), (FORWARD.to_owned(), "external-dns.kubernetes.io/ttl: 5m".to_owned())],
    );
    shop.expose(
        "next",
        &[shared, (key("CanaryOf"), "web".to_owned()), (key("CanaryByHeader"), "X-Next".to_owned())],
    );
    shop.has(["HTTPRoute next", "HTTPRoute web", "HTTPRoute web-redirect", "Ingress next", "Ingress web"]);
    let mut listed = Vec::new();
    for (kind, name, helps) in [
        (INGRESS, "web", false),
        (INGRESS, "next", true),
        (HTTP_ROUTE, "web", false),
        (HTTP_ROUTE, "web-redirect", true),
        (HTTP_ROUTE, "next", true),
    ] {
        let object = shop.get(kind, name);
        let expected = helps.then(|| json!("none"));
        for pointer in [OLD_CONTROLLER, NEW_CONTROLLER] {
            assert_eq!(object.pointer(pointer), expected.as_ref(), "{} {name}", kind.name);
        }
        let annotations = &object["metadata"]["annotations"];
        assert_eq!(annotations["external-dns.kubernetes.io/ttl"].is_string(), !helps, "{} {name}", kind.name);
        if annotations["forecastle.stakater.com/expose"].is_string() {
            listed.push((kind.name, name));
        }
    }
    assert_eq!(listed, [(INGRESS.name, "web")]);

    // An Ingress that is not a canary any more publishes its host again.
    let annotations = json!({key("CanaryOf"): null, key("CanaryByHeader"): null, key("IngressURLTemplate"): "next.example.com"});
    shop.patch(SERVICE, "next", &json!({"metadata": {"annotations": annotations}}));
    shop.sees(INGRESS, "next", OLD_CONTROLLER, Value::Null);
    shop.sees(INGRESS, "next", NEW_CONTROLLER, Value::Null);
    shop.sees(HTTP_ROUTE, "next", NEW_CONTROLLER, Value::Null);
    let routes = ["HTTPRoute next", "HTTPRoute next-redirect", "HTTPRoute web", "HTTPRoute web-redirect"];
    shop.has(routes.into_iter().chain(["Ingress next", "Ingress web"]));
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_monitor_asks_the_url_of_the_service() {
    let scene = Scene::with_kinds("monitored", &[MONITOR]);
    let shop = scene.place();
    let controller = scene.controller("{domain: e2e.example.com, monitor: true}", &[]);
    shop.expose("web", &[host("old.example.com")]);
    let asks = |url: &str| shop.sees(MONITOR, "web", "/spec", json!({"url": url}));
    asks("http://old.example.com");
    shop.configure("web", "IngressURLTemplate", "new.example.com/shop(/|$)(.*)");
    asks("http://new.example.com/shop");
    shop.configure("web", "TLS", "true");
    asks("https://new.example.com/shop");
    shop.configure("web", "MonitorHealthEndpoint", "/healthz");
    asks("https://new.example.com/healthz");
    shop.has(["EndpointMonitor web", "Ingress web"]);
    scene.end(&[&controller]);
}
