//! Settings that are given more than once: by the annotations of several programs, in several layers, or by an empty line.

#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test that cannot read its input has failed")]

use serde_json::{Value, json};

use xposer::service::FORWARD_ANNOTATION;
use xposer::{Code, Outcome, Service, Settings, expose, testing};

const NGINX: &str = "nginx.ingress.kubernetes.io/";

/// Returns the codes of the findings, and the annotations of the object; no annotations if the Service is refused.
fn made(
    program: &str,
    settings: &Value,
    options: &[(&str, &str)],
    block: &str,
) -> (Vec<Code>, Option<Value>) {
    let mut all =
        json!({"domain": "example.com", "ingressClassName": "own", "controllers": {"own": program}});
    if program == "openshift" {
        all = json!({"domain": "example.com", "target": "Route"});
    }
    if let (Value::Object(all), Value::Object(settings)) = (&mut all, settings) {
        all.extend(settings.clone());
    }
    // `n/` stands for the prefix of ingress-nginx.
    let lines: Vec<String> = block
        .lines()
        .map(|line| line.strip_prefix("n/").map_or(line.into(), |it| [NGINX, it].concat()))
        .collect();
    let block = lines.join("\n");
    let mut annotations = options.to_vec();
    annotations.push((FORWARD_ANNOTATION, &block));
    let settings = Settings::from_value(&all).unwrap_or_else(|report| panic!("{report}"));
    match expose(&Service::from_value(&testing::service(&annotations)), &settings) {
        Outcome::Planned { plan, report } => {
            let emitted = plan.emit();
            let told = report.diagnostics().iter().chain(emitted.report.diagnostics());
            let first: Value = emitted
                .objects
                .first()
                .map(|object| serde_json::from_str(&object.to_json()).unwrap_or_default())
                .unwrap_or_default();
            (told.map(|it| it.code).collect(), Some(first["metadata"]["annotations"].clone()))
        }
        Outcome::Refused(report) | Outcome::Conflicting(report) => {
            (report.diagnostics().iter().map(|it| it.code).collect(), None)
        }
        Outcome::NotExposed { .. } => panic!("{block}"),
    }
}

fn code(program: &str, options: &[(&str, &str)], block: &str, code: Code) -> bool {
    made(program, &json!({}), options, block).0.contains(&code)
}

/// An annotation for one part of an intent is compared only with that part.
#[test]
fn another_value_of_a_part_is_a_conflict() {
    for (program, options, block) in [
        (
            "haproxy-ingress",
            &[][..],
            "n/auth-url: http://auth.example.com/verify\nn/auth-signin: http://auth.example.com/login\nhaproxy-ingress.github.io/auth-url: http://auth.example.com/login",
        ),
        (
            "haproxy",
            &[],
            "n/auth-type: basic\nn/auth-secret: team\nn/auth-realm: everybody\nhaproxy.org/auth-secret: everybody",
        ),
        ("f5-nginx", &[], "n/auth-type: basic\nn/auth-secret: team\nnginx.org/basic-auth-secret: basic"),
        (
            "haproxy",
            &[],
            "n/enable-cors: \"true\"\nn/cors-allow-credentials: \"false\"\nn/cors-allow-origin: https://a.example.com\nhaproxy.org/cors-allow-credentials: \"true\"",
        ),
        ("haproxy", &[("CORS", "https://a.example.com")], "haproxy.org/cors-enable: \"false\""),
        ("haproxy", &[], "n/enable-cors: \"true\"\nhaproxy.org/cors-enable: \"false\""),
        ("haproxy-ingress", &[], "n/enable-cors: \"true\"\nhaproxy-ingress.github.io/cors-enable: \"false\""),
        ("f5-nginx", &[("RewritePath", "/new"), ("IngressURLPath", "/old")], "nginx.org/path-regex: exact"),
        ("haproxy-ingress", &[], "n/backend-protocol: GRPCS\nhaproxy-ingress.github.io/backend-protocol: h2"),
        ("haproxy-ingress", &[], "n/backend-protocol: HTTPS\nhaproxy-ingress.github.io/backend-protocol: h2"),
        ("haproxy", &[], "n/backend-protocol: GRPC\nhaproxy.org/server-ssl: \"true\""),
        ("f5-nginx", &[("TLS", "true")], "n/backend-protocol: GRPC\nnginx.org/ssl-services: web"),
        (
            "f5-nginx",
            &[],
            "n/affinity: cookie\nn/session-cookie-name: web\nnginx.org/sticky-cookie-services: serviceName=other web path=/",
        ),
        (
            "haproxy-ingress",
            &[("TLS", "true")],
            "n/auth-tls-secret: shop/ca\nn/auth-tls-verify-client: \"on\"\nhaproxy-ingress.github.io/auth-tls-secret: \"on\"",
        ),
        ("f5-nginx", &[], "n/limit-rpm: \"600\"\nnginx.org/limit-req-rate: \"600\""),
        (
            "f5-nginx",
            &[("IngressURLPath", "/shop(/|$)(.*)")],
            "n/rewrite-target: /$2\nnginx.org/rewrite-target: /",
        ),
        (
            "openshift",
            &[("IngressURLPath", "/shop(/|$)(.*)")],
            "n/rewrite-target: /$2\nhaproxy.router.openshift.io/rewrite-target: /$2",
        ),
        ("haproxy", &[], "n/proxy-read-timeout: \"60\"\nhaproxy.org/timeout-server: \"60\""),
        ("ingress-nginx", &[("BasicAuth", "users")], "n/auth-type: digest"),
    ] {
        // An invalid value has its own finding.
        let is_told = |it| code(program, options, block, it);
        let is_told = is_told(Code::IntentConflict) || is_told(Code::AnnotationInvalid);
        assert!(is_told, "{program}, {options:?}: {block}");
    }
}

/// An annotation that adds another part, or repeats the same value, is no conflict.
#[test]
fn extra_part_is_no_conflict() {
    for (program, options, block) in [
        (
            "haproxy-ingress",
            &[][..],
            "n/auth-url: http://auth.example.com/verify\nhaproxy-ingress.github.io/auth-headers-succeed: X-User",
        ),
        (
            "haproxy-ingress",
            &[("ExternalAuth", "http://auth.example.com/verify")],
            "haproxy-ingress.github.io/auth-headers-succeed: X-User",
        ),
        ("f5-nginx", &[], "n/auth-type: basic\nn/auth-secret: users\nnginx.org/basic-auth-realm: Staff"),
        ("f5-nginx", &[], "n/limit-rps: \"10\"\nnginx.org/limit-req-burst: \"100\""),
        ("f5-nginx", &[], "n/proxy-body-size: 10m\nnginx.org/client-max-body-size: 10240k"),
        ("f5-nginx", &[], "n/proxy-read-timeout: \"60\"\nnginx.org/proxy-read-timeout: \"60\""),
        ("haproxy", &[], "n/proxy-read-timeout: \"60\"\nhaproxy.org/timeout-server: 1m"),
        (
            "haproxy",
            &[],
            "n/whitelist-source-range: 192.168.0.0/16,10.0.0.0/8\nhaproxy.org/allow-list: 10.0.0.0/8, 192.168.0.0/16, 10.0.0.0/8",
        ),
        ("haproxy", &[], "n/enable-cors: \"true\"\nhaproxy.org/cors-max-age: 60s"),
        ("haproxy", &[], "n/enable-cors: \"true\"\nhaproxy.org/cors-respond-to-options: \"false\""),
        ("haproxy", &[], "n/auth-type: basic\nn/auth-secret: users\nhaproxy.org/auth-realm: Staff"),
        ("haproxy-ingress", &[], "n/affinity: cookie\nhaproxy-ingress.github.io/session-cookie-name: route"),
        (
            "haproxy-ingress",
            &[],
            "n/backend-protocol: GRPCS\nhaproxy-ingress.github.io/backend-protocol: GRPCS",
        ),
        (
            "haproxy",
            &[],
            "n/backend-protocol: HTTPS\nhaproxy.org/server-ssl: \"true\"\nhaproxy.org/server-proto: h2",
        ),
        ("ingress-nginx", &[("BasicAuth", "users")], "n/auth-realm: Staff"),
    ] {
        let (codes, object) = made(program, &json!({}), options, block);
        assert!(object.is_some() && !codes.contains(&Code::IntentConflict), "{program}: {block}: {codes:?}");
    }
}

/// A feature that the administrator denies under one key is denied under every key, whether a line adds it or replaces a value of
/// the settings.
#[test]
fn denied_feature_is_denied_under_every_key() {
    let list = format!("{NGINX}whitelist-source-range");
    let of_nginx = json!({"annotations": {"deny": [list], (list.as_str()): "10.0.0.0/8"}});
    let of_haproxy =
        json!({"annotations": {"deny": ["haproxy.org/allow-list"], "haproxy.org/allow-list": "10.0.0.0/8"}});
    let auth = json!({"annotations": {
        "deny": ["*/auth-*"],
        (format!("{NGINX}auth-type")): "basic",
        (format!("{NGINX}auth-secret")): "users",
    }});
    for (program, settings, line) in [
        ("haproxy", &of_haproxy, "haproxy.org/whitelist: 0.0.0.0/0"),
        ("haproxy", &of_haproxy, "haproxy.com/allow-list: 0.0.0.0/0"),
        ("haproxy", &of_haproxy, "ingress.kubernetes.io/whitelist: 0.0.0.0/0"),
        ("haproxy", &of_haproxy, "n/whitelist-source-range: 0.0.0.0/0"),
        ("ingress-nginx", &of_nginx, "n/allowlist-source-range: 0.0.0.0/0"),
        ("traefik", &of_nginx, "n/allowlist-source-range: 0.0.0.0/0"),
        ("haproxy", &of_nginx, "haproxy.org/allow-list: 0.0.0.0/0"),
        ("haproxy-ingress", &of_nginx, "haproxy-ingress.github.io/allowlist-source-range: 0.0.0.0/0"),
        ("alb", &of_nginx, "alb.ingress.kubernetes.io/inbound-cidrs: 0.0.0.0/0"),
        ("openshift", &of_nginx, "haproxy.router.openshift.io/ip_whitelist: 0.0.0.0/0"),
        ("f5-nginx", &auth, "nginx.org/basic-auth-secret: mine"),
    ] {
        let (codes, _) = made(program, settings, &[], line);
        assert!(codes.contains(&Code::AnnotationDenied), "{program}: {line}: {codes:?}");
    }
    // A line for another part of the same intent is denied, and lines for other intents are allowed.
    for (program, settings, line) in [
        ("f5-nginx", &auth, "nginx.org/basic-auth-realm: Staff"),
        ("haproxy", &of_nginx, "haproxy.org/deny-list: 10.0.0.0/8"),
        ("ingress-nginx", &of_nginx, "n/limit-allowlist: 10.0.0.0/8"),
    ] {
        let denied = made(program, settings, &[], line).0.contains(&Code::AnnotationDenied);
        assert_eq!(denied, line.contains("auth-realm"), "{program}: {line}");
    }
}

/// A line without a value has no effect, whichever program reads it and whichever layer has the value that it would replace.
#[test]
fn empty_line_is_ignored_with_a_warning() {
    let options: &[(&str, &str, &[&str], &str)] = &[
        (
            "allowedSources",
            "10.0.0.0/8",
            &["n/whitelist-source-range", "n/allowlist-source-range"],
            "10.0.0.0/8",
        ),
        ("externalAuth", "http://auth.example.com/verify", &["n/auth-url"], "http://auth.example.com/verify"),
        ("basicAuth", "users", &["n/auth-type", "n/auth-secret"], "users"),
        ("deniedSources", "10.0.0.0/8", &["n/denylist-source-range"], "10.0.0.0/8"),
        ("rateLimit", "10/s", &["n/limit-rps"], "10"),
        ("maxBodySize", "10Mi", &["n/proxy-body-size"], "10m"),
    ];
    for (setting, value, keys, written) in options {
        for key in *keys {
            let mut option = setting.to_string();
            option.get_mut(..1).map(str::make_ascii_uppercase).unwrap_or_default();
            for (settings, own) in
                [(json!({*setting: value}), vec![]), (json!({}), vec![(option.as_str(), *value)])]
            {
                let (codes, object) = made("ingress-nginx", &settings, &own, &format!("{key}:"));
                let object = object.unwrap_or_default();
                let has = object.as_object().is_some_and(|all| all.values().any(|it| it == written));
                assert!(has && codes == [Code::AnnotationEmpty], "{setting}, {key}: {codes:?}, {object}");
            }
        }
    }
    for (program, key, expected) in [
        ("haproxy", "haproxy.org/allow-list", "10.0.0.0/8"),
        ("haproxy", "haproxy.org/whitelist", "10.0.0.0/8"),
        ("haproxy-ingress", "haproxy-ingress.github.io/allowlist-source-range", "10.0.0.0/8"),
        ("alb", "alb.ingress.kubernetes.io/inbound-cidrs", "10.0.0.0/8"),
        ("openshift", "haproxy.router.openshift.io/ip_whitelist", "10.0.0.0/8"),
    ] {
        let settings = json!({"allowedSources": ["10.0.0.0/8"]});
        let (codes, object) = made(program, &settings, &[], &format!("{key}:"));
        let object = object.unwrap_or_default();
        let has = object.as_object().is_some_and(|all| all.values().any(|it| it == expected));
        assert!(has && codes.contains(&Code::AnnotationEmpty), "{program}, {key}: {codes:?}, {object}");
    }
    // This also holds for annotations of the settings.
    let key = format!("{NGINX}whitelist-source-range");
    let settings = json!({"annotations": {(key.as_str()): "10.0.0.0/8"}});
    let (codes, object) = made("ingress-nginx", &settings, &[], "n/whitelist-source-range:");
    assert_eq!(object.unwrap_or_default()[&key], "10.0.0.0/8");
    assert_eq!(codes, [Code::AnnotationEmpty]);
    let redirect = [("TLS", "load-balancer"), ("HTTPSRedirect", "true")];
    let (_, object) = made("ingress-nginx", &json!({}), &redirect, "n/force-ssl-redirect:");
    assert_eq!(object.unwrap_or_default()[format!("{NGINX}force-ssl-redirect")], "true");
}

/// A line that disables what an option or a setting asks for is reported.
#[test]
fn annotation_that_undoes_an_option_is_reported() {
    let limit = json!({"rateLimit": "10/s"});
    let certificate = json!({"clientCertificate": "ca", "tls": true});
    let none = json!({});
    let conflict = Code::IntentConflict;
    for (program, settings, options, block, expected) in [
        ("ingress-nginx", &limit, &[][..], "n/limit-rps: \"0\"", conflict),
        ("ingress-nginx", &certificate, &[], "n/auth-tls-verify-client: \"off\"", conflict),
        ("ingress-nginx", &none, &[("RateLimit", "10/s")], "n/limit-rps: \"0\"", conflict),
        (
            "haproxy-ingress",
            &none,
            &[("ClientCertificate", "ca"), ("TLS", "true")],
            "haproxy-ingress.github.io/auth-tls-strict: \"false\"",
            conflict,
        ),
        ("f5-nginx", &none, &[("RateLimit", "10/s")], "nginx.org/limit-req-dry-run: \"true\"", conflict),
        (
            "ingress-nginx",
            &none,
            &[("AllowedSources", "10.0.0.0/8"), ("BasicAuth", "users")],
            "n/satisfy: any",
            conflict,
        ),
        (
            "ingress-nginx",
            &none,
            &[("BasicAuth", "users")],
            "n/satisfy: any\nn/whitelist-source-range: 0.0.0.0/0",
            conflict,
        ),
        (
            "haproxy",
            &none,
            &[("AllowedSources", "10.0.0.0/8")],
            "haproxy.org/src-ip-header: X-Anything",
            Code::IntentDiffers,
        ),
        (
            "haproxy-ingress",
            &none,
            &[("AllowedSources", "10.0.0.0/8")],
            "haproxy-ingress.github.io/allowlist-source-header: X-Anything",
            Code::IntentDiffers,
        ),
    ] {
        let (codes, _) = made(program, settings, options, block);
        assert!(codes.contains(&expected), "{program}, {block}: {codes:?}");
    }
    // This also holds for annotations of the settings.
    let lines = json!({"annotations": {
        (format!("{NGINX}whitelist-source-range")): "10.0.0.0/8",
        (format!("{NGINX}auth-type")): "basic",
        (format!("{NGINX}auth-secret")): "users",
    }});
    assert_eq!(made("ingress-nginx", &lines, &[], "n/satisfy: any").0, [conflict]);
    let list = json!({"annotations": {"haproxy.org/allow-list": "10.0.0.0/8"}});
    assert_eq!(made("haproxy", &list, &[], "haproxy.org/src-ip-header: X-Any").0, [Code::IntentDiffers]);
    // If all of them are forwarded annotations of ingress-nginx, the combination is intended.
    let lines =
        "n/satisfy: any\nn/whitelist-source-range: 10.0.0.0/8\nn/auth-type: basic\nn/auth-secret: users";
    assert_eq!(made("ingress-nginx", &json!({}), &[("MaxBodySize", "1Mi")], lines).0, []);
}

/// If three layers have different keys for one setting, only the key of the highest layer is emitted.
#[test]
fn one_name_of_several_stays() {
    let settings = json!({
        "annotations": {"haproxy.com/allow-list": "10.0.0.0/8"},
        "namespaces": {"shop": {"annotations": {"haproxy.org/allow-list": "10.1.0.0/16"}}},
    });
    let (codes, object) = made("haproxy", &settings, &[], "ingress.kubernetes.io/allow-list: 192.0.2.0/24");
    assert_eq!(object, Some(json!({"ingress.kubernetes.io/allow-list": "192.0.2.0/24"})), "{codes:?}");
}

/// `force-ssl-redirect` overrides `ssl-redirect`, and no message names an option that the user did not write.
#[test]
fn force_ssl_redirect_takes_precedence() {
    let lines = "n/ssl-redirect: \"false\"\nn/force-ssl-redirect: \"true\"";
    for program in ["traefik", "contour", "haproxy"] {
        let (codes, object) = made(program, &json!({}), &[("TLS", "true")], lines);
        assert!(object.is_some(), "{program}: {codes:?}");
    }
    let other = ["n/force-ssl-redirect: \"true\"", "haproxy.org/ssl-redirect: \"false\""].join("\n");
    let (codes, object) = made("haproxy", &json!({}), &[("TLS", "true")], &other);
    assert!(object.is_none() && codes.contains(&Code::RedirectConflict), "{codes:?}");
}

/// A contradiction is reported once.
#[test]
fn contradictory_path_rewrite_is_reported_once() {
    for program in ["ingress-nginx", "f5-nginx", "traefik"] {
        let options = [("StripPrefix", "true"), ("IngressURLPath", "/shop")];
        let (codes, _) = made(program, &json!({}), &options, "n/rewrite-target: /x");
        let told = codes.iter().filter(|code| **code == Code::IntentConflict).count();
        assert_eq!(told, 1, "{program}: {codes:?}");
    }
}

/// A translation is reported only for a line whose meaning is written to the object.
#[test]
fn unwritten_part_is_not_reported_as_translated() {
    let gateway =
        json!({"target": "HTTPRoute", "gatewayController": "envoy-gateway", "parentRefs": [{"name": "e"}]});
    for (program, settings, block, said) in [
        ("traefik", &gateway, "n/auth-type: basic\nn/auth-secret: users\nn/auth-realm: Staff", 1),
        ("haproxy-ingress", &json!({}), "n/affinity: cookie\nn/session-cookie-max-age: \"60\"", 0),
        ("alb", &json!({"tls": "load-balancer"}), "n/affinity: cookie\nn/session-cookie-name: route", 0),
    ] {
        let (codes, _) = made(program, settings, &[], block);
        let told = codes.iter().filter(|code| **code == Code::IntentTranslated).count();
        assert_eq!(told, said, "{program}, {block}: {codes:?}");
        assert!(codes.contains(&Code::TargetInexpressible), "{program}, {block}: {codes:?}");
    }
}
