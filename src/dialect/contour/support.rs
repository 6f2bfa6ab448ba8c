//! The intents of a plan that Contour supports.

use crate::dialect::mappings::IntentMapping;
use crate::dialect::mappings::Proof::Proved;
use crate::dialect::support::{BY_LOAD_BALANCER, Support, unsupported};
use crate::intents::{Intent, IntentValue};
use crate::plan::{BackendPort, Plan};
use crate::values::{BackendProtocol, Tls};

pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[
    IntentMapping::new(
        Intent::HttpsRedirect,
        "ingress.kubernetes.io/force-ssl-redirect: \"true\"",
        Proved,
        "1.33",
    ),
    IntentMapping::new(Intent::HttpsRedirectCode, "301 (always, no annotation)", Proved, "1.33"),
    IntentMapping::new(Intent::Timeout, "projectcontour.io/response-timeout", Proved, "1.33"),
];

const HTTP_PROXY: &str = "remove it, and write an HTTPProxy by hand, or choose another class";

pub(in crate::dialect) fn support(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    match (intent, intent_value) {
        // Contour would redirect every request again, because the load balancer connects to it without TLS.
        (Intent::HttpsRedirect, _) if plan.tls() == Tls::LoadBalancer => unsupported(BY_LOAD_BALANCER),
        (Intent::HttpsRedirect, _)
        | (Intent::HttpsRedirectCode, Some(IntentValue::Code(301)))
        | (Intent::Timeout, _)
        | (Intent::BackendProtocol, Some(IntentValue::Protocol(BackendProtocol::Http)))
        | (_, Some(IntentValue::Switch(false))) => Support::Full,
        (Intent::HttpsRedirectCode, _) => unsupported("remove it: Contour answers with 301"),
        (Intent::BackendProtocol, Some(IntentValue::Protocol(protocol))) => {
            let word = match protocol {
                BackendProtocol::H2c | BackendProtocol::Grpc => "h2c",
                BackendProtocol::Grpcs => "h2",
                BackendProtocol::Http | BackendProtocol::Https => "tls",
            };
            unsupported(format!(
                "remove it, and give the Service the annotation projectcontour.io/upstream-protocol.{word}: \"{}\"",
                plan.first_port().map_or(0, BackendPort::number)
            ))
        }
        (Intent::ConnectTimeout, _) => {
            unsupported("remove it, or set timeouts.connect-timeout in the configuration of Contour")
        }
        (Intent::IdleTimeout, _) => unsupported("write Timeout instead"),
        (Intent::Canary, _) => unsupported("use the target HTTPRoute, or choose another class"),
        (Intent::MaxBodySize, _) => {
            unsupported("remove it, and limit it in the Service, or choose another class")
        }
        _ => unsupported(HTTP_PROXY),
    }
}
