//! Supported intents are written, and no others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

use serde_json::json;

use super::support::{MAPPINGS, support};
use super::write::{extras, write};
use crate::dialect::support::Support;
use crate::dialect::write::Content;
use crate::intents::Intent;
use crate::plan::{Plan, RequestedIntent};
use crate::testing;

/// Example values of each intent that has a value, including one that Traefik cannot express if there is one.
const SAMPLES: &[(Intent, &[&str])] = &[
    (Intent::HttpsRedirectCode, &["302", "303"]),
    (Intent::StripPrefix, &["true"]),
    (Intent::RewritePath, &["/new", "/$1"]),
    (Intent::AllowedSources, &["10.0.0.0/8"]),
    (Intent::DeniedSources, &["10.0.0.0/8, 2001:db8::/32"]),
    (Intent::BasicAuth, &["users"]),
    (Intent::ExternalAuth, &["https://auth.example.com/verify"]),
    (Intent::ConnectTimeout, &["5s"]),
    (Intent::IdleTimeout, &["60s"]),
    (Intent::Timeout, &["60s"]),
    (Intent::MaxBodySize, &["10Mi"]),
    (Intent::Cors, &["https://*.example.com"]),
    (Intent::RequestHeaders, &["X-Stage: beta"]),
    (Intent::ResponseHeaders, &["X-Frame-Options: DENY"]),
    (Intent::BackendProtocol, &["https", "grpc"]),
    (Intent::StickySession, &["pod"]),
    (Intent::RedirectFrom, &["www", "web.shop.example.com"]),
    (Intent::RateLimit, &["10/s"]),
    (Intent::ClientCertificate, &["ca"]),
    (Intent::TlsPassthrough, &["true"]),
];

fn plan() -> Plan {
    let options = [("IngressClassName", "traefik"), ("IngressURLPath", "/shop"), ("TLS", "true")];
    testing::plan(&options, json!({})).unwrap()
}

/// Returns everything that is written for a plan as one text.
fn text(plan: &Plan) -> String {
    let mut all: Vec<String> =
        write(plan, crate::Target::Ingress).iter().map(|it| format!("{}: {}", it.key, it.value)).collect();
    for extra in extras(plan) {
        let content = match extra.content {
            Content::Spec(spec) => spec.to_string(),
            Content::Ingress { hosts } => format!("{hosts:?}"),
        };
        all.push(format!("{} {} {:?} {content}", extra.kind, extra.name, extra.annotations));
    }
    all.join("\n")
}

fn wanting(plan: &Plan, intent: Intent, value: &str) -> Plan {
    let intent_value = intent.read(value).unwrap_or_else(|_| panic!("{intent}: {value}"));
    let mut plan = plan.clone();
    plan.intents.push(RequestedIntent {
        intent,
        intent_value,
        origin: crate::diagnostics::Origin::BuiltIn,
        keys: Vec::new(),
        repeated_by: Vec::new(),
    });
    plan
}

#[test]
fn supported_intents_change_the_annotations() {
    let plan = plan();
    for (intent, values) in SAMPLES {
        for value in *values {
            let wanting = wanting(&plan, *intent, value);
            let unsupported =
                matches!(support(&wanting, *intent, wanting.intent_value(*intent)), Support::Unsupported(_));
            assert_eq!(text(&wanting) == text(&plan), unsupported, "{intent}: {value}:\n{}", text(&wanting));
            assert!(unsupported || MAPPINGS.iter().any(|row| row.intent == *intent), "{intent}: no row");
        }
    }
    let known = SAMPLES.iter().map(|(intent, _)| *intent).chain([Intent::HttpsRedirect, Intent::Canary]);
    let known: Vec<Intent> = known.collect();
    assert!(Intent::ALL.into_iter().all(|intent| known.contains(&intent)));
}

#[test]
fn without_a_namespace_no_middleware_is_written() {
    let mut plan = plan();
    plan.subject = std::sync::Arc::default();
    for (intent, values) in SAMPLES {
        let wanting = wanting(&plan, *intent, values.first().unwrap());
        let written = text(&wanting);
        assert!(!written.contains("kubernetescrd") && !written.contains("Middleware"), "{intent}: {written}");
    }
}
