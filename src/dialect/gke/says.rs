//! The intents of a plan that the Ingress controller of GKE supports.

use super::FRONTEND;
use crate::dialect::says::{Says, lacks};
use crate::dialect::words::Proof::Documented;
use crate::dialect::words::Words;
use crate::intents::{Intent, Wish};
use crate::plan::{BackendPort, Plan};
use crate::values::BackendProtocol;

pub(in crate::dialect) static WORDS: &[Words] = &[Words::new(
    Intent::HttpsRedirect,
    "kubernetes.io/ingress.allow-http: \"false\", which answers by https alone",
    Documented,
    "1.20",
)];

pub(in crate::dialect) fn says(plan: &Plan, intent: Intent, wish: Option<&Wish>) -> Says {
    match (intent, wish) {
        (_, Some(Wish::Switch(false)))
        | (Intent::BackendProtocol, Some(Wish::Protocol(BackendProtocol::Http))) => Says::Fully,
        // The content of a FrontendConfig is not known here.
        (Intent::HttpsRedirect, _) if plan.annotation(FRONTEND).is_some() => Says::Fully,
        (Intent::HttpsRedirect, _) if plan.https_redirect() == Some(true) && plan.tls().has_secret() => {
            Says::Fully
        }
        (Intent::HttpsRedirect, _) => lacks(
            "forward networking.gke.io/v1beta1.FrontendConfig with the name of one that has redirectToHttps",
        ),
        (Intent::BackendProtocol, Some(Wish::Protocol(protocol))) => {
            let word = if protocol.has_tls() { "HTTPS" } else { "HTTP2" };
            lacks(format!(
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
        ) => lacks(
            "remove it, write a BackendConfig for it, and name that in cloud.google.com/backend-config on the Service",
        ),
        (Intent::Canary, _) => lacks("choose another class"),
        _ => lacks("remove it, or choose another class"),
    }
}
