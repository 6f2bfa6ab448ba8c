//! The intents of a plan that the Ingress controller of GKE supports.

use super::FRONTEND;
use crate::dialect::mappings::IntentMapping;
use crate::dialect::mappings::Proof::Documented;
use crate::dialect::support::{Support, unsupported};
use crate::intents::{Intent, IntentValue};
use crate::plan::{BackendPort, Plan};
use crate::values::BackendProtocol;

pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[IntentMapping::new(
    Intent::HttpsRedirect,
    "kubernetes.io/ingress.allow-http: \"false\", which serves only https",
    Documented,
    "1.20",
)];

pub(in crate::dialect) fn support(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    match (intent, intent_value) {
        (_, Some(IntentValue::Switch(false)))
        | (Intent::BackendProtocol, Some(IntentValue::Protocol(BackendProtocol::Http))) => Support::Full,
        // The content of a FrontendConfig is not known here.
        (Intent::HttpsRedirect, _) if plan.annotation(FRONTEND).is_some() => Support::Full,
        (Intent::HttpsRedirect, _) if plan.https_redirect() == Some(true) && plan.tls().has_secret() => {
            Support::Full
        }
        (Intent::HttpsRedirect, _) => unsupported(
            "forward networking.gke.io/v1beta1.FrontendConfig with the name of one that has redirectToHttps",
        ),
        (
            Intent::BackendProtocol,
            Some(IntentValue::Protocol(BackendProtocol::H2c | BackendProtocol::Grpc)),
        ) => unsupported("speak TLS in the Service and write grpcs, or use the target HTTPRoute"),
        (Intent::BackendProtocol, Some(IntentValue::Protocol(protocol))) => {
            // `HTTPS` is HTTP/1.1, which cannot carry gRPC. `HTTP2` always has TLS.
            let word = if *protocol == BackendProtocol::Grpcs { "HTTP2" } else { "HTTPS" };
            unsupported(format!(
                "remove it, and give the Service the annotation cloud.google.com/app-protocols: '{{\"{}\":\"{word}\"}}'",
                plan.first_port().and_then(BackendPort::name).unwrap_or_default()
            ))
        }
        (
            Intent::AllowedSources
            | Intent::DeniedSources
            | Intent::RateLimit
            | Intent::Timeout
            | Intent::RequestHeaders
            | Intent::ResponseHeaders
            | Intent::StickySession,
            _,
        ) => unsupported(
            "remove it, write a BackendConfig for it, and name that in cloud.google.com/backend-config on the Service",
        ),
        (Intent::Canary, _) => unsupported("choose another class"),
        _ => unsupported("remove it, or choose another class"),
    }
}
