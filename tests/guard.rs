//! What objects take that somebody wrote by hand.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that finds something else has failed"
)]

use serde_json::{Value, json};
use xposer::guard::{Guarded, claims_of};
use xposer_testkit::cases::all;

fn texts(object: &Value) -> Vec<String> {
    claims_of(object).into_iter().map(|claim| claim.text).collect()
}

fn of(api_version: &str, kind: &str, annotations: &Value, spec: &Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "spec": spec,
        "metadata": {"name": "web", "namespace": "shop", "annotations": annotations}})
}

fn ingress(annotations: &Value, spec: &Value) -> Value {
    of("networking.k8s.io/v1", "Ingress", annotations, spec)
}

#[test]
fn an_ingress_takes_its_hosts_and_paths() {
    let spec = json!({"rules": [
        {"host": "Shop.example.com", "http": {"paths": [{"path": "/api/", "pathType": "Prefix"}, {"path": "/", "pathType": "Exact"}]}},
        {"host": "*.example.com"},
        {"http": {"paths": [{"pathType": "ImplementationSpecific"}]}},
    ]});
    assert_eq!(
        texts(&ingress(&json!({}), &spec)),
        ["exact shop.example.com/", "prefix *.example.com/", "prefix /", "prefix shop.example.com/api"]
    );
    // The default backend has all hosts.
    let spec = json!({"defaultBackend": {"service": {"name": "web"}}});
    assert_eq!(texts(&ingress(&json!({}), &spec)), ["prefix /"]);
}

#[test]
fn annotations_of_ingress_nginx_take_hosts_too() {
    let spec = json!({"rules": [{"host": "shop.example.com"}]});
    let annotations = json!({
        "nginx.ingress.kubernetes.io/server-alias": "shop.example.org, old.example.com",
        "nginx.ingress.kubernetes.io/from-to-www-redirect": "true",
    });
    assert_eq!(
        texts(&ingress(&annotations, &spec)),
        [
            "prefix old.example.com/",
            "prefix shop.example.com/",
            "prefix shop.example.org/",
            "prefix www.shop.example.com/",
        ]
    );
    let canary = json!({"nginx.ingress.kubernetes.io/canary": "true"});
    assert_eq!(texts(&ingress(&canary, &spec)), ["canary prefix shop.example.com/"]);
}

#[test]
fn routes_of_the_gateway_api_take_theirs() {
    let gateway = |kind, spec: Value| texts(&of("gateway.networking.k8s.io/v1", kind, &json!({}), &spec));
    let matches = json!([{"matches": [
        {"path": {"type": "PathPrefix", "value": "/api"}}, {"path": {"type": "Exact", "value": "/"}},
        {"path": {"type": "RegularExpression", "value": "/v[0-9]"}}, {"headers": [{"name": "X-Beta", "value": "1"}]},
    ]}]);
    let hosts = json!(["a.example.com", "b.example.com"]);
    assert_eq!(
        gateway("HTTPRoute", json!({"hostnames": hosts, "rules": matches})),
        [
            "exact a.example.com/",
            "exact b.example.com/",
            "prefix a.example.com/",
            "prefix a.example.com/api",
            "prefix a.example.com/v[0-9]",
            "prefix b.example.com/",
            "prefix b.example.com/api",
            "prefix b.example.com/v[0-9]",
        ]
    );
    assert_eq!(gateway("HTTPRoute", json!({})), ["prefix /"]);
    let calls = json!([{"matches": [{"method": {"service": "shop.Cart"}}, {"method": {"service": "shop.Cart", "method": "Add"}}]}]);
    assert_eq!(
        gateway("GRPCRoute", json!({"hostnames": ["a.example.com"], "rules": calls})),
        ["exact a.example.com/shop.Cart/Add", "prefix a.example.com/shop.Cart"]
    );
    assert_eq!(gateway("TLSRoute", json!({"hostnames": ["a.example.com"]})), ["prefix a.example.com/"]);
}

#[test]
fn a_route_of_openshift_takes_its_host() {
    let route = |spec: Value| texts(&of("route.openshift.io/v1", "Route", &json!({}), &spec));
    assert_eq!(route(json!({"host": "a.example.com", "path": "/api"})), ["prefix a.example.com/api"]);
    assert_eq!(
        route(json!({"host": "a.example.com", "wildcardPolicy": "Subdomain"})),
        ["prefix *.example.com/"]
    );
    assert_eq!(route(json!({})), [""; 0]);
}

#[test]
fn what_is_no_such_object_takes_nothing_and_what_is_broken_does_no_harm() {
    for object in
        [json!(null), json!([]), json!({"kind": "Ingress"}), json!({"apiVersion": "v1", "kind": "Service"})]
    {
        assert!(Guarded::read(&object).is_none(), "{object}");
    }
    for spec in
        [json!(null), json!([]), json!({"rules": {}}), json!({"rules": [null, 7, {"host": 7, "http": []}]})]
    {
        for (api, kind) in [
            ("networking.k8s.io/v1", "Ingress"),
            ("gateway.networking.k8s.io/v1", "HTTPRoute"),
            ("gateway.networking.k8s.io/v1", "GRPCRoute"),
            ("gateway.networking.k8s.io/v1alpha2", "TLSRoute"),
            ("route.openshift.io/v1", "Route"),
        ] {
            let _ = texts(&of(api, kind, &json!(7), &spec));
        }
    }
}

/// The controller watches each kind that can be guarded: those that are emitted, and those that are not.
#[test]
fn the_guarded_kinds_are_the_targets_and_the_foreign_kinds() {
    use xposer::guard::ForeignKind;
    let targets = xposer::Target::ALL.iter().map(|target| target.as_str());
    let mut kinds: Vec<&str> = targets.chain(ForeignKind::ALL.iter().map(|kind| kind.as_str())).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, xposer::options::Guard::KINDS);
}

/// What the core emits for a Service takes what its plan claims, wherever the program that serves it needs no other words for the
/// path: otherwise a Service could not be held against such an object.
#[test]
fn emitted_objects_take_what_their_plans_claim() {
    let mut compared = 0;
    for case in all().unwrap() {
        let settings = xposer::Settings::from_value(case.settings.as_ref().unwrap_or(&Value::Null));
        let Ok(settings) = settings else { continue };
        for service in case.services() {
            let outcome = xposer::expose(&xposer::Service::from_value(service), &settings);
            let Some(plan) = outcome.plan() else { continue };
            let emitted: Vec<String> =
                plan.emit().objects.iter().flat_map(|object| texts(&object.to_value())).collect();
            for claim in plan.claim_texts() {
                compared += usize::from(emitted.contains(&claim.text));
            }
        }
    }
    assert!(compared > 900, "{compared}");
}

/// ingress-nginx hands an alias to nginx, which reads more than names in it.
#[test]
fn an_alias_that_is_a_pattern_takes_what_it_can_match() {
    let hosts = |alias: &str| {
        let annotations = json!({"nginx.ingress.kubernetes.io/server-alias": alias});
        let taken = texts(&ingress(&annotations, &json!({"rules": [{"host": "own.example.com"}]})));
        taken.into_iter().filter(|text| !text.ends_with("own.example.com/")).collect::<Vec<_>>()
    };
    assert_eq!(hosts("~^[a-z]+.shop.company.com$"), ["prefix /"]);
    assert_eq!(hosts("shop.company.*"), ["prefix /"]);
    assert_eq!(hosts(".shop.company.com"), ["prefix *.shop.company.com/", "prefix shop.company.com/"]);
    assert_eq!(hosts("*.shop.company.com"), ["prefix *.shop.company.com/"]);
    let settings =
        xposer::Settings::from_value(&json!({"namespaces": {"shop": {"hosts": ["*.shop.company.com"]}}}));
    let settings = settings.unwrap();
    for alias in ["~^[a-z]+.shop.company.com$", ".shop.company.com", "shop.company.*", "a.shop.company.com"] {
        let annotations = json!({"nginx.ingress.kubernetes.io/server-alias": alias});
        let mut object = ingress(&annotations, &json!({"rules": [{"host": "own.example.com"}]}));
        object["metadata"]["namespace"] = "free".into();
        assert!(Guarded::read(&object).unwrap().check(&settings).has_errors(), "{alias}");
    }
}

#[test]
fn a_path_that_takes_everything_is_the_whole_host() {
    for path in ["/*", "/.*", "/(.*)", "/()(.*)", "^/.*$"] {
        let spec = json!({"rules": [{"host": "a.example.com", "http": {"paths": [{"path": path, "pathType": "ImplementationSpecific"}]}}]});
        assert_eq!(texts(&ingress(&json!({}), &spec)), ["prefix a.example.com/"], "{path}");
    }
    let spec = json!({"rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/v[0-9]", "pathType": "ImplementationSpecific"}]}}]});
    assert_eq!(texts(&ingress(&json!({}), &spec)), ["prefix a.example.com/v[0-9]"]);
}
