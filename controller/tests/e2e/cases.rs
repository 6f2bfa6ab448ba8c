//! The case folders: the controller makes the objects that the core emits.

use serde_json::Value;
use xposer::{Object, Outcome, Precedence, Service, Settings, emit_all, expose_all};
use xposer_manifest::to_yaml;
use xposer_testkit::cases::all;

use crate::cluster::{HTTP_ROUTE, MADE, MONITOR, ROUTE, name_of};
use crate::controller::run;
use crate::scenario::{Scene, same};

/// One case of every sort.
const CHOSEN: [&str; 40] = [
    "acm-load-balancer",
    "alb-and-httproute",
    "blog-forecastle",
    "blog-helm-escaped",
    "canary-cookie",
    "canary-httproute-weight",
    "canary-route-weight",
    "canary-weight",
    "cert-manager-cluster-issuer",
    "cert-manager-several-hosts",
    "class-block",
    "everything",
    "external-by-profile",
    "external-dns-ttl",
    "fallback-label-too-long",
    "forecastle-route",
    "forward-malformed",
    "forward-quotes",
    "host-several-flaws",
    "host-wildcard",
    "hosts-with-paths",
    "httproute-listener",
    "httproute-redirect",
    "httproute-several-hosts",
    "legacy-renamed",
    "monitor-route",
    "monitor-tls",
    "multi-target",
    "name-template",
    "nginx-value-headers",
    "others-are-still-exposed",
    "path-regular-expression",
    "path-type-exact",
    "port-of-several-services",
    "profile-precedence",
    "route-edge",
    "route-passthrough",
    "service-headless",
    "several-problems",
    "template-function-failed",
];

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_controller_makes_of_a_case_what_the_core_does() {
    let scene = Scene::with_kinds("chosen", &[HTTP_ROUTE, ROUTE, MONITOR]);
    let cases = all().unwrap();
    for slug in CHOSEN {
        println!("{slug}");
        let case = cases.iter().find(|case| case.slug == slug).unwrap();
        let shop = scene.place();
        let created = shop.create_all(case.services().cloned());
        let settings = case.settings.clone().unwrap_or_default();
        let file = scene.settings(&to_yaml(&settings));
        let settings = Settings::from_value(&settings).unwrap();
        let views: Vec<Service<'_>> = created.iter().map(Service::from_value).collect();
        let outcomes = expose_all(&views, &settings, Precedence::RefuseAll);
        let emitted = emit_all(outcomes.iter().filter_map(Outcome::plan));
        let emitted: Vec<Value> = emitted.objects.iter().map(Object::to_value).collect();
        let refused = outcomes.iter().any(Outcome::is_refused);

        let done = run(&scene.identity, &file, &["--once", "--namespace", &shop.name]);
        assert_eq!(done.code, i32::from(refused), "{slug}");
        shop.has(emitted.iter().map(|it| format!("{} {}", it["kind"].as_str().unwrap(), name_of(it))));
        for object in &emitted {
            let kind = MADE.into_iter().find(|kind| object["kind"] == kind.name).unwrap();
            same(object, &shop.get(kind, name_of(object)));
        }
    }
    scene.end(&[]);
}
