//! Intents that are reported as lost are not written, and all other intents are written.

use serde_json::{Value, json};

use crate::dialect::support::{Support, support};
use crate::intents::Intent;
use crate::values::Target;
use crate::{Outcome, Service, Settings, emit_all, expose, testing};

/// Returns example values of each intent that a program may support or not. Intents without a value have fields of their own.
fn samples(intent: Intent) -> &'static [&'static str] {
    match intent {
        Intent::HttpsRedirect | Intent::Canary => &[],
        Intent::HttpsRedirectCode => &["302", "308"],
        Intent::StripPrefix => &["true"],
        Intent::RewritePath => &["/new", "/$1"],
        Intent::AllowedSources | Intent::DeniedSources => &["10.0.0.0/8, 2001:db8::/32"],
        Intent::BasicAuth => &["users", "secret: users\nrealm: Staff"],
        Intent::ExternalAuth => &[
            "http://auth.shop.svc:8080/verify",
            "http://auth",
            "http://auth.shop",
            "http://auth.shop.svc.cluster.local/",
            "url: http://auth.shop.svc\nsignIn: https://example.com/login\nresponseHeaders: X-User",
            // Other namespaces, other protocols, and other names.
            "http://auth.other.svc:8080/verify",
            "http://auth.shop.svc.example.com",
            "http://auth.shop.other.svc",
            "https://auth.shop.svc",
            "http://auth.shop.svc/?a=b",
            "http://192.0.2.1/",
        ],
        Intent::ConnectTimeout => &["5s", "0s"],
        Intent::IdleTimeout | Intent::Timeout => &["1h1m1s1ms", "0s", "99999h99999h"],
        Intent::MaxBodySize => &["10Mi", "1000", "16383", "16Ki", "4095Mi", "4Gi"],
        Intent::Cors => &[
            "https://app.example.com",
            "origins: '*'\nmethods: GET, PUT\nheaders: X-A\nexposeHeaders: X-B\nmaxAge: 1h",
            "origins: https://*.example.com\ncredentials: true\nmethods: PROPFIND",
        ],
        Intent::RequestHeaders | Intent::ResponseHeaders => &["X-A: b", "X-A:", "X-A: b\nX-C:"],
        Intent::BackendProtocol => &["h2c", "https", "grpc", "grpcs"],
        Intent::StickySession => &["pod", "cookie: pod\nmaxAge: 1h"],
        Intent::RedirectFrom => &["www", "old.example.com, older.example.com"],
        Intent::RateLimit => &["10/s", "limit: 100/m\nburst: 20", "1/h"],
        Intent::ClientCertificate => &["ca"],
        Intent::TlsPassthrough => &["true"],
    }
}

/// Returns the objects that are emitted with an option, or without one, and whether the option is lost.
fn objects(settings: &Value, option: Option<(Intent, &str)>) -> (Vec<Value>, bool) {
    let mut annotations = vec![("IngressURLPath", "/shop"), ("TLS", "load-balancer")];
    annotations.extend(option.map(|(intent, value)| (intent.as_str(), value)));
    let service = testing::service(&annotations);
    let settings = Settings::from_value(settings).expect("valid settings");
    let outcome = expose(&Service::from_value(&service), &settings);
    let Outcome::Planned { plan, .. } = &outcome else {
        let report = outcome.report().expect("a refusal has a report");
        assert!(report.diagnostics().iter().all(|it| it.code == crate::Code::ProtectionLost), "{report}");
        return (Vec::new(), true);
    };
    let is_lost = option.is_some_and(|(intent, _)| {
        let intent_value = plan.intent_value(intent);
        assert!(intent_value.is_some(), "{option:?}");
        matches!(support(plan, Target::HttpRoute, intent, intent_value), Support::Unsupported(_))
    });
    (emit_all([&**plan]).objects.iter().map(crate::Object::to_value).collect(), is_lost)
}

#[test]
fn only_supported_features_are_written() {
    let (mut lost, mut written) = (0, 0);
    for program in ["gateway", "envoy-gateway", "traefik", "contour", "alb", "gce", "openshift"] {
        let settings = json!({
            "domain": "example.com", "target": "HTTPRoute", "gatewayController": program,
            "parentRefs": [{"name": "edge", "sectionName": "https"}],
            "httpParentRefs": [{"name": "edge", "sectionName": "http"}],
        });
        let (plain, _) = objects(&settings, None);
        for intent in Intent::ALL {
            for value in samples(intent) {
                let (with, is_lost) = objects(&settings, Some((intent, value)));
                let is_written = !with.is_empty() && with != plain;
                assert_eq!(is_written, !is_lost, "{program}: {intent}: {value}: {with:?}");
                if is_lost { lost += 1 } else { written += 1 }
            }
        }
    }
    assert!(lost > 50 && written > 50, "{lost} {written}");
}

#[test]
fn another_namespace_is_never_reached() {
    let settings = json!({
        "domain": "example.com", "target": "HTTPRoute", "gatewayController": "envoy-gateway",
        "parentRefs": [{"name": "edge"}],
    });
    for url in samples(Intent::ExternalAuth) {
        let (all, is_lost) = objects(&settings, Some((Intent::ExternalAuth, url)));
        let policies = || all.iter().filter(|object| object["kind"] == "SecurityPolicy");
        assert_eq!(policies().count(), usize::from(!is_lost), "{url}");
        for policy in policies() {
            let backend = &policy["spec"]["extAuth"]["http"]["backendRefs"][0];
            assert_eq!(backend["name"], "auth", "{url}");
            assert!(backend.get("namespace").is_none(), "{url}");
        }
    }
}

#[test]
fn announced_features_determine_extended_fields() {
    let settings = json!({"target": "HTTPRoute", "parentRefs": [{"name": "edge"}]});
    let mut plan =
        testing::plan(&[("Timeout", "5s"), ("ResponseHeaders", "X-A: b")], settings).expect("a plan");
    let rule = |plan: &crate::Plan| plan.emit().objects[0].to_value()["spec"]["rules"][0].clone();
    assert!(rule(&plan).get("timeouts").is_none() && rule(&plan).get("filters").is_none());
    plan.gateway_features = Some(["HTTPRouteRequestTimeout".to_owned()].into());
    assert_eq!(rule(&plan)["timeouts"], json!({"request": "5s"}));
    assert!(rule(&plan).get("filters").is_none());
    plan.gateway_features = Some(["HTTPRouteResponseHeaderModification".to_owned()].into());
    assert!(rule(&plan).get("timeouts").is_none());
    assert_eq!(rule(&plan)["filters"][0]["responseHeaderModifier"]["set"][0]["name"], "X-A");
}
