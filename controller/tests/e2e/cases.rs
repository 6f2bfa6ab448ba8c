//! The case folders: what the core emits is accepted by an API server, to the letter, and is what the controller makes.

use std::collections::BTreeMap;

use kube::api::{PatchParams, ValidationDirective};
use serde_json::Value;
use xposer::{Outcome, Service, Settings, emit_all, expose_all};
use xposer_cli::yaml::to_yaml;
use xposer_testkit::cases::{Case, all, parse};

use crate::cluster::{HTTP_ROUTE, INGRESS, MADE, MONITOR, ROUTE, name_of};
use crate::controller::run;
use crate::scene::{Place, Scene, same};

#[test]
fn every_object_of_every_case_is_accepted() {
    let Some(scene) = Scene::with_kinds("cases", &[HTTP_ROUTE, ROUTE, MONITOR]) else { return };
    let shop = scene.place();
    let parameters = PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("xposer").force().dry_run()
    };
    let (mut refused, mut counts) = (Vec::new(), BTreeMap::<String, usize>::new());
    for case in all().unwrap() {
        for mut object in parse(&case.run().objects).unwrap() {
            // The namespaces of the cases do not exist here.
            object["metadata"]["namespace"] = shop.name.as_str().into();
            *counts.entry(object["kind"].as_str().unwrap().to_owned()).or_default() += 1;
            if let Err(status) = scene.apply_with(&object, &parameters) {
                refused.push(format!("{}: {} {}: {status}", case.slug, object["kind"], name_of(&object)));
            }
        }
    }
    println!("accepted: {counts:?}");
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(MADE.iter().all(|kind| counts.get(kind.name).is_some_and(|count| *count > 5)), "{counts:?}");
    assert!(counts[INGRESS.name] > 200, "{counts:?}");
    shop.has_nothing();
    scene.end(&[]);
}

/// One of every kind of case.
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

/// The Services of a case as the API server can hold them here.
fn services(case: &Case, shop: &Place) -> Vec<Value> {
    let here = |service: &Value| {
        let mut service = service.clone();
        service["metadata"]["namespace"] = shop.name.as_str().into();
        service
    };
    shop.create_all(case.services().map(here))
}

#[test]
fn the_controller_makes_of_a_case_what_the_core_does() {
    let Some(scene) = Scene::with_kinds("chosen", &[HTTP_ROUTE, ROUTE, MONITOR]) else { return };
    let cases = all().unwrap();
    for slug in CHOSEN {
        let case = cases.iter().find(|case| case.slug == slug).unwrap_or_else(|| panic!("no case {slug}"));
        println!("{slug}");
        let shop = scene.place();
        let created = services(case, &shop);
        let settings = case.settings.as_ref().map(to_yaml).unwrap_or_default();
        let file = scene.file(&format!("{slug}.yaml"));
        std::fs::write(&file, settings).unwrap();
        let settings = Settings::from_value(case.settings.as_ref().unwrap_or(&Value::Null)).unwrap();
        let views: Vec<Service<'_>> = created.iter().map(Service::from_value).collect();
        let outcomes = expose_all(&views, &settings);
        let emitted = emit_all(outcomes.iter().filter_map(Outcome::plan));
        let emitted: Vec<Value> = emitted.objects.iter().map(|object| object.to_value()).collect();
        let refused = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Refused(_)));

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
