//! The number of findings and objects and their size grow at most linearly with the input, whatever the Services have in common.
//! Nothing is timed here; `make bench` measures times.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "an input that cannot be set up has failed")]

use serde_json::{Value, json};
use xposer::emit::Emitted;
use xposer::{Outcome, Precedence, Report, Service, Settings, emit_all, expose_all, testing};

/// The size of the output for an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    findings: usize,
    objects: usize,
    bytes: usize,
}

fn size(services: &[Value], settings: &Value) -> Size {
    let settings = Settings::from_value(settings).unwrap();
    let views: Vec<Service<'_>> = services.iter().map(Service::from_value).collect();
    let outcomes = expose_all(&views, &settings, Precedence::RefuseAll);
    let Emitted { objects, report, .. } = emit_all(outcomes.iter().filter_map(Outcome::plan));
    let message: Vec<_> =
        outcomes.iter().filter_map(Outcome::report).chain([&report]).flat_map(Report::diagnostics).collect();
    let told: usize = message.iter().map(|said| said.to_string().len()).sum();
    let made: usize = objects.iter().map(|object| object.to_json().len()).sum();
    Size { findings: message.len(), objects: objects.len(), bytes: told + made }
}

fn service(name: &str, namespace: &str, annotations: &[(&str, &str)]) -> Value {
    testing::service_named(namespace, name, annotations)
}

fn each(count: usize, service: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..count).map(service).collect()
}

fn mapping(count: usize, entry: impl Fn(usize) -> (String, Value)) -> Value {
    Value::Object((0..count).map(entry).collect())
}

fn named(number: usize, annotations: &[(&str, &str)]) -> Value {
    service(&format!("web-{number}"), "shop", annotations)
}

/// A function that makes the Services and the settings of an input with `count` parts.
type Input = fn(usize) -> (Vec<Value>, Value);

const INPUTS: &[(&str, Input)] = &[
    ("the same Service", |count| {
        (each(count, |_| named(0, &[])), json!({"domain": "example.com", "monitor": true}))
    }),
    ("one host", |count| {
        (each(count, |at| named(at, &[("IngressURLTemplate", "a.example.com")])), json!({}))
    }),
    ("one host, with a client certificate each", |count| {
        let services = each(count, |at| {
            let (url, secret) = (format!("a.example.com/{at}"), format!("ca-{at}"));
            let all = [("IngressURLTemplate", url.as_str()), ("ClientCertificate", secret.as_str())];
            named(at, all.get(..=at % 2).unwrap())
        });
        (services, json!({"tls": true, "tlsSecretNameTemplate": "shared", "ingressClassName": "nginx"}))
    }),
    ("one name", |count| {
        let services = each(count, |at| named(at, &[("IngressNameTemplate", "web")]));
        (services, json!({"domain": "example.com", "monitor": true, "tls": "cert-manager", "issuer": "ca"}))
    }),
    ("canaries of one Service", |count| {
        let canary = [("CanaryOf", "web-0"), ("CanaryWeight", "1")];
        let services = each(count, |at| named(at, if at == 0 { &[] } else { &canary }));
        (
            services,
            json!({"domain": "example.com", "target": "HTTPRoute", "parentRefs": [{"name": "external"}]}),
        )
    }),
    ("hosts of other namespaces", |count| {
        let services = each(count, |at| {
            let host = format!("web.team-{}.example.com", (at + 1) % count);
            service("web", &format!("team-{at}"), &[("IngressURLTemplate", &host)])
        });
        let hosts = |at| json!({"hosts": [format!("*.team-{at}.example.com")]});
        (services, json!({"namespaces": mapping(count, |at| (format!("team-{at}"), hosts(at)))}))
    }),
    ("one namespace with many hosts, and none of them", |count| {
        let services =
            each(count, |at| named(at, &[("IngressURLTemplate", &format!("web-{at}.example.org"))]));
        let hosts: Value = (0..count).map(|at| format!("team-{at}.example.com")).collect();
        (services, json!({"namespaces": {"shop": {"hosts": hosts}}}))
    }),
    ("profiles that are forbidden", |count| {
        let services = each(count, |at| named(at, &[("Profile", &format!("profile-{at}"))]));
        let profile = |at| (format!("profile-{at}"), json!({"namespaces": ["team-*"]}));
        (services, json!({"profiles": mapping(count, profile)}))
    }),
    ("profiles of which others are allowed", |count| {
        let services = each(count, |at| named(at, &[("Profile", "a")]));
        let mut profiles = mapping(count, |at| (format!("profile-{at}"), json!({})));
        profiles["a"] = json!({"namespaces": ["blog"]});
        (services, json!({"profiles": profiles}))
    }),
    ("profiles that there are not", |count| {
        let services = each(count, |at| named(at, &[("Profile", "something-else")]));
        (services, json!({"profiles": mapping(count, |at| (format!("profile-{at}"), json!({})))}))
    }),
    ("certificates for other hosts", |count| {
        let names: Value = (0..count).map(|at| format!("*.team-{at}.example.com")).collect();
        let services = each(count, |at| named(at, &[]));
        (services, json!({"domain": "example.org", "tls": "load-balancer", "certificates": names}))
    }),
    ("hosts that two Services claim", |count| {
        let hosts: String = (0..count).map(|at| format!("a{at}.b\n")).collect();
        (each(2, |at| named(at, &[("IngressURLTemplate", &hosts)])), json!({}))
    }),
    ("lines that an HTTPRoute has nothing for", |count| {
        let block: String =
            (0..count).map(|at| format!("nginx.ingress.kubernetes.io/key-{at}: v\n")).collect();
        let services = vec![named(0, &[("xposer.stakater.com/annotations", &block)])];
        (
            services,
            json!({"domain": "example.com", "target": "HTTPRoute", "parentRefs": [{"name": "external"}]}),
        )
    }),
];

/// An expression of a few bytes can have 64 paths, which all count together.
#[test]
fn regular_expressions_give_no_more_claims_than_the_limit() {
    let expression = |at| format!("/{at}[abcdefgh][abcdefgh].*");
    let claims = |count| {
        let path = |at| json!({"path": expression(at), "pathType": "ImplementationSpecific"});
        let rules = json!([{"host": "a.example.com", "http": {"paths": each(count, path)}}]);
        let object = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {"rules": rules},
            "metadata": {"name": "web", "namespace": "shop"}});
        xposer::guard::claims_of(&object, &Settings::default()).len()
    };
    assert!(claims(60) == 60 * 64 && claims(2_000) <= 6_000);
    let hosts: String = (0..500).map(|at| format!("b{}\n", expression(at))).collect();
    let plan =
        testing::plan(&[("IngressURLTemplate", &hosts), ("PathType", "ImplementationSpecific")], json!({}));
    assert!(plan.unwrap().claims().len() <= 5_000);
}

#[test]
fn four_times_the_input_gives_four_times_the_output_at_most() {
    for (what, input) in INPUTS {
        let [small, large] = [200, 800].map(|count| {
            let (services, settings) = input(count);
            size(&services, &settings)
        });
        assert!(small.findings > 0, "{what}: nothing is found, and nothing shown");
        // One finding may be independent of the size.
        assert!(large.findings <= 4 * (small.findings + 1), "{what}: {small:?} {large:?}");
        assert!(large.objects <= 4 * small.objects, "{what}: {small:?} {large:?}");
        // The texts of larger numbers are longer.
        assert!(large.bytes <= small.bytes * 9 / 2, "{what}: {small:?} {large:?}");
    }
}
