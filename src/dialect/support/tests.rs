use serde_json::json;

use super::*;
use crate::diagnostics::{Origin, Sourced};
use crate::dialect::mappings::{is_annotation_of, mappings};
use crate::dialect::write::by_controller;
use crate::plan::RequestedIntent;
use crate::testing;
use crate::{Code, Service, Settings};

/// The programs whose annotations are tested here, with the value of the option `TLS` with which each supports the most.
const PROGRAMS: [(Controller, &str); 8] = [
    (Controller::IngressNginx, "true"),
    (Controller::Contour, "true"),
    (Controller::Haproxy, "true"),
    (Controller::HaproxyIngress, "true"),
    (Controller::F5Nginx, "true"),
    (Controller::Alb, "load-balancer"),
    (Controller::Gce, "true"),
    (Controller::Openshift, "true"),
];

/// Returns example values of each intent.
fn samples(intent: Intent) -> &'static [&'static str] {
    match intent {
        // These intents have no value here.
        Intent::HttpsRedirect | Intent::Canary => &[],
        Intent::HttpsRedirectCode => &["301", "302", "303", "307", "308"],
        Intent::StripPrefix | Intent::TlsPassthrough => &["true"],
        Intent::RewritePath => &["/new", "/$2"],
        Intent::AllowedSources | Intent::DeniedSources => &["10.0.0.0/8, 2001:db8::/32"],
        Intent::BasicAuth => &["users", "secret: users\nrealm: Staff only"],
        Intent::ExternalAuth => &[
            "https://auth.example.com/verify",
            "url: http://auth.example.com/(verify)",
            "url: http://auth.example.com/verify\nsignIn: https://auth.example.com/in\nresponseHeaders: X-User",
        ],
        Intent::ConnectTimeout | Intent::IdleTimeout | Intent::Timeout => &["30s", "500ms", "0s"],
        Intent::MaxBodySize => &["10Mi", "1000", "0"],
        Intent::Cors => &[
            "*",
            "origins: https://a.example.com, https://*.example.com\nmethods: GET, PUT\nheaders: X-A\ncredentials: true\nmaxAge: 1h",
            "origins: https://a.example.com\nmethods: '*'\nheaders: '*'\nexposeHeaders: X-B",
        ],
        Intent::RequestHeaders => &["X-A: b", "X-A: b$c", "X-Gone:"],
        Intent::ResponseHeaders => &["X-A: b", "Strict-Transport-Security: max-age=60; preload", "X-Gone:"],
        Intent::BackendProtocol => &["h2c", "https", "grpc", "grpcs"],
        Intent::StickySession => &["route", "cookie: route\nmaxAge: 1h", "ro|ute"],
        Intent::RedirectFrom => &["www", "old.example.com", "www, old.example.com"],
        Intent::RateLimit => &["10/s", "60/m", "1/h", "limit: 10/s\nburst: 20", "limit: 10/s\nburst: 25"],
        Intent::ClientCertificate => &["ca", "secret: ca\nverify: optional"],
    }
}

fn plan(program: Controller, tls: &str, path: &str) -> (Plan, Target) {
    let target = if program == Controller::Openshift { Target::Route } else { Target::Ingress };
    let annotations =
        [("IngressClassName", "own"), ("TLS", tls), ("IngressURLPath", path), ("Target", target.as_str())];
    let settings = json!({"domain": "example.com", "controllers": {"own": program.as_str()}});
    match testing::plan(&annotations, settings) {
        Ok(plan) => (plan, target),
        Err(report) => panic!("{program}: {report}"),
    }
}

/// Returns the objects of a plan as text.
fn objects(plan: &Plan) -> Vec<String> {
    plan.emit().objects.iter().map(crate::emit::Object::to_json).collect()
}

#[test]
fn supported_intents_are_written() {
    for (program, tls) in PROGRAMS {
        for intent in Intent::ALL {
            let path = if intent == Intent::TlsPassthrough { "/" } else { "/shop" };
            let (plain, target) = plan(program, tls, path);
            let (mut can, mut writes) = (false, false);
            for text in samples(intent) {
                let intent_value = intent.read(text).unwrap_or_else(|_| panic!("{intent}: {text}"));
                let wanted = RequestedIntent {
                    intent,
                    intent_value: intent_value.clone(),
                    origin: Origin::BuiltIn,
                    keys: Vec::new(),
                    repeated_by: Vec::new(),
                };
                let plan = Plan { intents: vec![wanted], ..plain.clone() };
                let is_written = objects(&plan) != objects(&plain);
                let support = support(&plan, target, intent, Some(&intent_value));
                let unsupported = !support.is_supported();
                assert!(!(unsupported && is_written), "{program} writes {intent}: {text}, and lacks it");
                can |= !unsupported;
                writes |= is_written;
                for written in by_controller(&plan, target) {
                    let Some(option) = plan.intents.iter().find(|it| it.origin == written.origin) else {
                        continue;
                    };
                    let is_annotation_of = is_annotation_of(&plan, target, option, written.key);
                    assert!(is_annotation_of, "{program}, {intent}: {} stands in no row", written.key);
                }
            }
            let row = mappings(target, program).into_iter().find(|row| row.intent == intent);
            if samples(intent).is_empty() {
                continue;
            }
            assert_eq!(row.is_some(), can, "{program}, {intent}: its words and what it says");
            let is_silent = row.is_some_and(|row| row.annotations.ends_with("(always, no annotation)"));
            assert_eq!(writes, can && !is_silent, "{program}, {intent}: what it writes and what it says");
        }
    }
}

/// The annotations of ingress-nginx for the intents: one item per intent.
const LINES: [&[(&str, &str)]; 13] = [
    &[("rewrite-target", "/$2")],
    &[("whitelist-source-range", "10.0.0.0/8, 192.0.2.0/24")],
    &[("denylist-source-range", "10.0.0.0/8")],
    &[("auth-type", "basic"), ("auth-secret", "users"), ("auth-realm", "Staff")],
    &[("auth-url", "http://auth.example.com/verify"), ("auth-response-headers", "X-User")],
    &[("proxy-connect-timeout", "5")],
    &[("proxy-read-timeout", "60"), ("proxy-send-timeout", "60")],
    &[("proxy-body-size", "10m")],
    &[
        ("enable-cors", "true"),
        ("cors-allow-origin", "https://a.example.com"),
        ("cors-allow-methods", "GET, PUT"),
        ("cors-max-age", "600"),
    ],
    &[("backend-protocol", "GRPCS")],
    &[("affinity", "cookie"), ("session-cookie-name", "route")],
    &[("limit-rps", "10")],
    &[("auth-tls-secret", "shop/ca")],
];

/// One intent as annotations of ingress-nginx and as annotations of the program of the class. The value that the program
/// would get anyway is accepted; any other value is a conflict.
#[test]
fn equal_values_are_accepted_and_different_values_conflict() {
    let mut tried = std::collections::BTreeMap::new();
    for (program, tls) in PROGRAMS {
        let target = if program == Controller::Openshift { Target::Route } else { Target::Ingress };
        for lines in LINES {
            let path =
                if lines.iter().any(|(name, _)| *name == "rewrite-target") { "/shop(/|$)(.*)" } else { "/" };
            let message: Vec<String> = lines
                .iter()
                .map(|(name, value)| format!("nginx.ingress.kubernetes.io/{name}: {value}"))
                .collect();
            let with = |more: Option<String>| {
                let block: Vec<String> = message.iter().cloned().chain(more).collect();
                let block = block.join("\n");
                let annotations = [
                    ("IngressClassName", "own"),
                    ("TLS", tls),
                    ("IngressURLPath", path),
                    ("Target", target.as_str()),
                    (crate::service::FORWARD_ANNOTATION, block.as_str()),
                ];
                let settings = json!({"domain": "example.com", "controllers": {"own": program.as_str()}});
                let settings = Settings::from_value(&settings).unwrap_or_default();
                crate::expose(&Service::from_value(&testing::service(&annotations)), &settings)
            };
            // An intent that the program does not support is refused.
            let outcome = with(None);
            let Some(plan) = outcome.plan() else { continue };
            let options: Vec<RequestedIntent> = plan.intents.clone();
            for written in by_controller(plan, target) {
                let name = written.key.rsplit('/').next().unwrap_or_default();
                if !options.iter().any(|it| is_annotation_of(plan, target, it, written.key)) {
                    continue;
                }
                let is_conflict = |value: &str| {
                    let outcome = with(Some(format!("{}: {value}", written.key)));
                    // An invalid value has a diagnostic of its own.
                    let codes = [Code::IntentConflict, Code::AnnotationInvalid, Code::AnnotationIgnored];
                    let found = outcome.report().map_or(&[][..], |report| report.diagnostics());
                    found.iter().any(|it| codes.contains(&it.code))
                };
                assert!(!is_conflict(&written.value), "{program}: {}: {}", written.key, written.value);
                // Another annotation may add what the annotations of ingress-nginx leave open. If attributes are given, an
                // ALB cannot get a cookie in addition, which is reported.
                let is_default = |it: &&str| !lines.iter().any(|(name, _)| name == it);
                let is_unsaid = name.starts_with("cors-") && name != "cors-enable" && is_default(&name)
                    || matches!(name, "limit-req-burst" | "limit-req-no-delay" | "target-group-attributes");
                if !is_unsaid {
                    let other = written.value.replace("route", "other").replace("true", "false");
                    assert!(is_conflict(&["x", &other].concat()), "{program}: {}", written.key);
                    *tried.entry(program).or_insert(0) += 1;
                }
            }
        }
    }
    for (program, least) in [
        (Controller::Haproxy, 9),
        (Controller::HaproxyIngress, 12),
        (Controller::F5Nginx, 9),
        (Controller::Alb, 3),
        (Controller::Openshift, 4),
    ] {
        assert!(tried.get(&program).is_some_and(|count| *count >= least), "{program}: {tried:?}");
    }
}

#[test]
fn https_redirect_is_written_if_supported() {
    for (program, tls) in PROGRAMS {
        let (plain, target) = plan(program, tls, "/");
        let with = |redirect| Plan {
            https_redirect: Some(Sourced::new(redirect, Origin::BuiltIn)),
            ..plain.clone()
        };
        let can = support(&with(true), target, Intent::HttpsRedirect, None).is_supported();
        assert_eq!(objects(&with(true)) != objects(&with(false)), can, "{program}");
        assert!(
            mappings(target, program).iter().any(|row| row.intent == Intent::HttpsRedirect) && can,
            "{program}"
        );
    }
}

/// An Info says that a line is translated only if something is written for it.
#[test]
fn translated_info_only_if_something_is_written() {
    let lines = [
        "force-ssl-redirect: \"true\"",
        "ssl-redirect: \"true\"",
        "whitelist-source-range: 10.0.0.0/8",
        "denylist-source-range: 10.0.0.0/8",
        "auth-url: https://auth.example.com/",
        "proxy-body-size: 1m",
        "limit-rps: \"10\"",
        "enable-cors: \"true\"",
        "rewrite-target: /new",
        "proxy-connect-timeout: \"5\"",
        "proxy-read-timeout: \"90\"",
        "affinity: cookie",
        "from-to-www-redirect: \"true\"",
        "backend-protocol: GRPC",
    ];
    let programs = PROGRAMS.iter().map(|(program, _)| *program).chain([Controller::Traefik]);
    let programs = programs.filter(|it| !matches!(it, Controller::IngressNginx | Controller::Openshift));
    let mut translated = 0;
    for program in programs {
        for (tls, line) in
            ["false", "true", "load-balancer"].into_iter().flat_map(|it| lines.map(|line| (it, line)))
        {
            let settings = json!({"controllers": {"own": program.as_str()}, "ingressClassName": "own"});
            let block = format!("nginx.ingress.kubernetes.io/{line}\n");
            let options = [("TLS", tls), ("xposer.stakater.com/annotations", block.as_str())];
            // With TLS, the program redirects without an annotation, so the plan for comparison turns the redirect off.
            let mut other = options[..1].to_vec();
            if line.contains("ssl-redirect") && tls != "false" {
                other.push(("HTTPSRedirect", "false"));
            }
            let (Ok(with), Ok(without)) =
                (testing::plan(&options, settings.clone()), testing::plan(&other, settings))
            else {
                continue;
            };
            let emitted = with.emit();
            let mut found = emitted.report.diagnostics().iter();
            if found.any(|it| it.code.slug() == "intent-translated") {
                translated += 1;
                assert_ne!(objects(&with), objects(&without), "{program}, TLS {tls}: {line}");
            }
        }
    }
    assert!(translated > 20, "{translated}");
}
