//! The intents of a plan that Contour supports.

use crate::dialect::says::{BY_LOAD_BALANCER, Says, lacks};
use crate::dialect::words::Proof::Proved;
use crate::dialect::words::Words;
use crate::intents::{Intent, Wish};
use crate::plan::{BackendPort, Plan};
use crate::values::{BackendProtocol, Tls};

pub(in crate::dialect) static WORDS: &[Words] = &[
    Words::new(Intent::HttpsRedirect, "ingress.kubernetes.io/force-ssl-redirect: \"true\"", Proved, "1.33"),
    Words::new(Intent::HttpsRedirectCode, "301 alone, without a word", Proved, "1.33"),
    Words::new(Intent::Timeout, "projectcontour.io/response-timeout", Proved, "1.33"),
];

const HTTP_PROXY: &str = "remove it, and write an HTTPProxy by hand, or choose another class";

pub(in crate::dialect) fn says(plan: &Plan, intent: Intent, wish: Option<&Wish>) -> Says {
    match (intent, wish) {
        // Contour would redirect every request again, because the load balancer connects to it without TLS.
        (Intent::HttpsRedirect, _) if plan.tls() == Tls::LoadBalancer => lacks(BY_LOAD_BALANCER),
        (Intent::HttpsRedirect, _)
        | (Intent::HttpsRedirectCode, Some(Wish::Code(301)))
        | (Intent::Timeout, _)
        | (Intent::BackendProtocol, Some(Wish::Protocol(BackendProtocol::Http)))
        | (_, Some(Wish::Switch(false))) => Says::Fully,
        (Intent::HttpsRedirectCode, _) => lacks("remove it: Contour answers with 301"),
        (Intent::BackendProtocol, Some(Wish::Protocol(protocol))) => {
            let word = match protocol {
                BackendProtocol::H2c | BackendProtocol::Grpc => "h2c",
                BackendProtocol::Grpcs => "h2",
                BackendProtocol::Http | BackendProtocol::Https => "tls",
            };
            lacks(format!(
                "remove it, and give the Service the annotation projectcontour.io/upstream-protocol.{word}: \"{}\"",
                plan.first_port().map_or(0, BackendPort::number)
            ))
        }
        (Intent::ConnectTimeout, _) => {
            lacks("remove it, or set timeouts.connect-timeout in the configuration of Contour")
        }
        (Intent::IdleTimeout, _) => lacks("write Timeout instead"),
        (Intent::Canary, _) => lacks("use the target HTTPRoute, or choose another class"),
        (Intent::MaxBodySize, _) => lacks("remove it, and limit it in the Service, or choose another class"),
        _ => lacks(HTTP_PROXY),
    }
}
