use serde_json::{Value, json};

use super::*;

fn ingress(annotations: &Value, tls: &Value, paths: &[(&str, &str)]) -> Value {
    let paths: Vec<Value> = paths
        .iter()
        .map(|(path, service)| json!({"path": path, "backend": {"service": {"name": service}}}))
        .collect();
    json!({"metadata": {"name": "z", "annotations": annotations},
        "spec": {"tls": tls, "rules": [{"host": "a.example.com", "http": {"paths": paths}}]}})
}

/// What an object with the first content loses if it gets the second one.
fn lost(kind: Kind, before: Value, after: &Value) -> Vec<String> {
    lost_protections(kind, &serde_json::from_value(before).unwrap(), after)
}

/// The messages about paths that an object would lose to the Service `z`.
fn lost_paths_of(kind: Kind, before: Value, after: &Value) -> Vec<Value> {
    let told = lost_paths(kind, &serde_json::from_value(before).unwrap(), after, "z");
    told.iter().map(|finding| serde_json::to_value(finding).unwrap()["message"].clone()).collect()
}

const N: &str = "nginx.ingress.kubernetes.io";

#[test]
fn lost_protections_are_named() {
    let tls = || json!([{"hosts": ["a.example.com"], "secretName": "a"}]);
    let key = |key: &str, value: &str| json!({format!("{N}/{key}"): value});
    let (office, everybody) = ("10.0.0.0/8", "0.0.0.0/0");
    let range = "whitelist-source-range";
    for (before, before_tls, after, after_tls, expected) in [
        (json!({}), json!([]), json!({}), json!([]), vec![]),
        (json!({}), tls(), json!({}), json!([]), vec!["TLS for a.example.com"]),
        (json!({}), json!([{}]), json!({}), json!([]), vec!["TLS for a.example.com"]),
        (json!({}), tls(), json!({}), tls(), vec![]),
        (key("auth-secret", "s"), tls(), json!({}), tls(), vec!["auth-secret"]),
        (key(range, office), json!([]), json!({}), json!([]), vec![range]),
        (key(range, everybody), json!([]), json!({}), json!([]), vec![]),
        (key(range, office), json!([]), key(range, everybody), json!([]), vec![range]),
        (key(range, office), json!([]), key(range, office), json!([]), vec![]),
        (key(range, office), json!([]), key("allowlist-source-range", office), json!([]), vec![]),
        (key("proxy-read-timeout", "60"), json!([]), json!({}), json!([]), vec![]),
    ] {
        let before = ingress(&before, &before_tls, &[("/", "z")]);
        let after = ingress(&after, &after_tls, &[("/", "z")]);
        let expected: Vec<String> = expected
            .into_iter()
            .map(|it: &str| match it {
                it if it.starts_with("TLS") => lacks(it),
                it => lacks(&format!("the annotation {N}/{it}, which protects it")),
            })
            .collect();
        assert_eq!(lost(Kind::Ingress, before, &after), expected);
    }
}

#[test]
fn values_that_may_protect_less_are_named() {
    let office = "10.0.0.0/8";
    for (old_key, old, new_key, new, is_named) in [
        ("whitelist-source-range", office, "whitelist-source-range", "10.0.0.0/8,192.168.0.0/16", true),
        ("whitelist-source-range", office, "allowlist-source-range", "10.0.0.0/8,192.168.0.0/16", true),
        ("whitelist-source-range", "10.0.0.0/8,192.168.0.0/16", "whitelist-source-range", office, false),
        ("whitelist-source-range", office, "whitelist-source-range", "10.1.0.0/16", false),
        ("denylist-source-range", office, "denylist-source-range", "10.1.0.0/16", true),
        ("auth-secret", "shop/staff", "auth-secret", "shop/guests", true),
        ("auth-secret", "shop/staff", "auth-secret", "shop/staff", false),
        ("auth-url", "https://a.example.com", "auth-url", "https://b.example.com", true),
        ("limit-rps", "5", "limit-rps", "10", true),
        ("limit-rps", "10", "limit-rps", "5", false),
    ] {
        let of = |key: &str, value: &str| {
            ingress(&json!({format!("{N}/{key}"): value}), &json!([]), &[("/", "z")])
        };
        let found = lost(Kind::Ingress, of(old_key, old), &of(new_key, new));
        let expected = format!(
            "has the annotation {N}/{old_key} with the value {old:?}, and the object of the Service would have {new:?}, which may protect less"
        );
        let expected = if is_named { vec![expected] } else { Vec::new() };
        assert_eq!(found, expected, "{old_key} {old} {new}");
    }
}

#[test]
fn routes_of_openshift_keep_their_tls() {
    let route =
        |tls: Value| json!({"metadata": {"name": "z"}, "spec": {"host": "a.example.com", "tls": tls}});
    let tls = |termination: &str, policy: &str| json!({"termination": termination, "insecureEdgeTerminationPolicy": policy});
    let secures = |termination: &str| {
        lacks(&format!("the termination {termination}, which secures the connection to the Service"))
    };
    let answers = "answers no requests without TLS, and the object of the Service would answer them";
    for (before, after, expected) in [
        (Value::Null, Value::Null, None),
        (tls("edge", "Redirect"), Value::Null, Some(lacks("TLS for a.example.com"))),
        (tls("reencrypt", "Redirect"), tls("edge", "Redirect"), Some(secures("reencrypt"))),
        (tls("passthrough", "None"), tls("reencrypt", "Redirect"), Some(secures("passthrough"))),
        (tls("reencrypt", "None"), tls("passthrough", "Redirect"), None),
        (tls("edge", "None"), tls("edge", "Allow"), Some(answers.to_owned())),
        (json!({"termination": "edge"}), tls("edge", "Allow"), Some(answers.to_owned())),
        (tls("edge", "Allow"), tls("edge", "Redirect"), None),
    ] {
        let found = lost(Kind::Route, route(before.clone()), &route(after.clone()));
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{before} {after}");
    }
}

#[test]
fn an_http_route_keeps_its_listeners_and_filters() {
    let route = |section: Option<&str>, rule: Value| {
        let mut parent = json!({"name": "edge"});
        if let Some(section) = section {
            parent["sectionName"] = json!(section);
        }
        json!({"metadata": {"name": "z", "namespace": "shop"}, "spec": {"parentRefs": [parent], "rules": [rule]}})
    };
    let others = "is attached only to some listeners of Gateway shop/edge, and the object of the Service would have others";
    let filter = json!({"filters": [{"type": "ExtensionRef", "extensionRef": {"kind": "Middleware", "name": "login"}}]});
    for (before, after, expected) in [
        (route(Some("https"), json!({})), route(None, json!({})), Some(others.to_owned())),
        (route(Some("https"), json!({})), route(Some("http"), json!({})), Some(others.to_owned())),
        (route(None, json!({})), route(Some("https"), json!({})), None),
        (route(Some("https"), json!({})), route(Some("https"), json!({})), None),
        (route(None, filter.clone()), route(None, json!({})), Some(lacks("the filter Middleware login"))),
        (route(None, filter.clone()), route(None, filter), None),
    ] {
        assert_eq!(lost(Kind::HttpRoute, before, &after), expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn other_kinds_keep_what_protects() {
    let of = |spec: Value| json!({"metadata": {"name": "z"}, "spec": spec});
    let users =
        |name: &str| of(json!({"basicAuth": {"users": {"name": name}}, "targetRefs": [{"name": name}]}));
    let other = "has another value in spec.basicAuth than the object of the Service";
    let listener = |tls: Value| of(json!({"listeners": [{"hostname": "a.example.com", "tls": tls}]}));
    let plain = of(json!({"listeners": [{"hostname": "a.example.com"}]}));
    let limit = of(json!({"rateLimit": {"type": "Local"}, "retry": {}}));
    for (kind, before, after, expected) in [
        (Kind::SecurityPolicy, users("a"), users("a"), None),
        (Kind::SecurityPolicy, users("a"), users("b"), Some(other.to_owned())),
        (Kind::Middleware, users("a"), of(json!({})), Some(lacks("the field spec.basicAuth"))),
        (Kind::BackendTrafficPolicy, limit, of(json!({})), Some(lacks("the field spec.rateLimit"))),
        (Kind::ListenerSet, listener(json!({})), plain, Some(lacks("TLS for a.example.com"))),
    ] {
        assert_eq!(lost(kind, before, &after), expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn lost_paths_of_other_services_are_reported() {
    let none = || json!({});
    let before = ingress(&none(), &json!([]), &[("/", "z"), ("/api", "api"), ("/x", "x")]);
    let after = ingress(&none(), &json!([]), &[("/", "z"), ("/x", "x")]);
    let expected = ["a.example.com/api now leads to Service api, and would no longer do so"];
    assert_eq!(lost_paths_of(Kind::Ingress, before, &after), expected);

    let rule = |path: &str, service: &str| json!({"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": [{"name": service}]});
    let route = |rules: &[Value]| json!({"metadata": {"name": "z"}, "spec": {"hostnames": ["a.example.com"], "rules": rules}});
    let before = route(&[rule("/", "z"), rule("/api", "api")]);
    assert_eq!(lost_paths_of(Kind::HttpRoute, before, &route(&[rule("/", "z")])), expected);

    let mut before =
        json!({"metadata": {"name": "z"}, "spec": {"host": "a.example.com", "to": {"name": "z"}}});
    let after = before.clone();
    before["spec"]["alternateBackends"] = json!([{"name": "api"}]);
    let expected = ["a.example.com/ now leads to Service api, and would no longer do so"];
    assert_eq!(lost_paths_of(Kind::Route, before, &after), expected);
}
