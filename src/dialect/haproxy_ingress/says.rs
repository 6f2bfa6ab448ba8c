//! The intents of a plan that HAProxy Ingress supports.

use crate::dialect::haproxy::says::{OF_TIMER, is_timer};
use crate::dialect::nginx::says::certificate;
use crate::dialect::says::{BY_LOAD_BALANCER, Says, but, lacks};
use crate::dialect::words::Proof::Documented;
use crate::dialect::words::Words;
use crate::dialect::write::prefix_of;
use crate::intents::{Header, Intent, Wish};
use crate::plan::Plan;
use crate::values::Tls;

pub(in crate::dialect) static WORDS: &[Words] = &[
    Words::new(Intent::HttpsRedirect, "ssl-redirect", Documented, "0.16"),
    Words::new(Intent::HttpsRedirectCode, "302 alone, without a word", Documented, "0.16"),
    Words::new(Intent::StripPrefix, "rewrite-target: /", Documented, "0.16"),
    Words::new(
        Intent::AllowedSources,
        "allowlist-source-range or whitelist-source-range",
        Documented,
        "0.12",
    ),
    Words::new(Intent::DeniedSources, "denylist-source-range", Documented, "0.12"),
    Words::new(Intent::BasicAuth, "auth-secret, auth-realm", Documented, "0.13"),
    Words::new(Intent::ExternalAuth, "auth-url, auth-signin, auth-headers-succeed", Documented, "0.13"),
    Words::new(Intent::ConnectTimeout, "timeout-connect", Documented, "0.16"),
    Words::new(Intent::IdleTimeout, "timeout-server", Documented, "0.16"),
    Words::new(Intent::MaxBodySize, "proxy-body-size", Documented, "0.7"),
    Words::new(
        Intent::Cors,
        "cors-enable, cors-allow-origin or cors-allow-origin-regex, cors-allow-methods, cors-allow-headers, cors-expose-headers, cors-allow-credentials, cors-max-age",
        Documented,
        "0.16",
    ),
    Words::new(Intent::RequestHeaders, "headers", Documented, "0.11"),
    Words::new(Intent::BackendProtocol, "backend-protocol: h1, h1-ssl, h2, h2-ssl", Documented, "0.16"),
    Words::new(Intent::StickySession, "affinity: cookie, session-cookie-name", Documented, "0.16"),
    Words::new(Intent::RedirectFrom, "redirect-from", Documented, "0.13"),
    Words::new(Intent::RateLimit, "limit-rps", Documented, "0.16"),
    Words::new(Intent::ClientCertificate, "auth-tls-secret, auth-tls-verify-client", Documented, "0.16"),
    Words::new(Intent::TlsPassthrough, "ssl-passthrough", Documented, "0.16"),
];

pub(in crate::dialect) fn says(plan: &Plan, intent: Intent, wish: Option<&Wish>) -> Says {
    match (intent, wish) {
        (_, Some(Wish::Switch(false))) => Says::Fully,
        // The controller would redirect every request again, because the load balancer connects to it without TLS.
        (Intent::HttpsRedirect, _) if plan.tls() == Tls::LoadBalancer => lacks(BY_LOAD_BALANCER),
        (Intent::HttpsRedirectCode, Some(Wish::Code(302))) => Says::Fully,
        (Intent::HttpsRedirectCode, _) => {
            lacks("remove it, or set ssl-redirect-code in the ConfigMap of HAProxy Ingress")
        }
        (Intent::StripPrefix, _) if plan.rules.iter().any(|route| prefix_of(plan, route).is_none()) => {
            lacks("write the path without a regular expression")
        }
        (Intent::RewritePath, _) => lacks("write StripPrefix instead, or choose another class"),
        (Intent::BasicAuth, _) => but("lets everybody in while the secret is missing"),
        (Intent::ExternalAuth, Some(Wish::ExternalAuth(auth)))
            if auth.sign_in.as_ref().is_some_and(|url| url.contains('%')) =>
        {
            lacks("write the URL for the sign-in without `%`")
        }
        (Intent::ExternalAuth, _) => {
            but("looks the name of the server up once, and does not check its certificate")
        }
        (Intent::ConnectTimeout | Intent::IdleTimeout, Some(Wish::Duration(time))) if !is_timer(*time) => {
            lacks(OF_TIMER)
        }
        (Intent::Timeout, _) => lacks("write IdleTimeout instead"),
        (Intent::RequestHeaders, Some(Wish::Headers(headers))) if !headers.iter().all(can_set) => {
            lacks("write headers with a value, and without `\" ' \\ %`")
        }
        (Intent::StickySession, Some(Wish::Sticky(sticky))) if sticky.max_age.is_some() => {
            but("keeps a client until its browser is closed")
        }
        (Intent::RedirectFrom, Some(Wish::Hosts(hosts))) if hosts.len() > 1 || plan.rules.len() > 1 => {
            lacks("redirect one host to one host")
        }
        (Intent::RateLimit, Some(Wish::Rate(rate))) if rate.per > 1 => lacks("write the limit for a second"),
        (Intent::RateLimit, _) => but("counts the connections of a second, and not the requests in them"),
        (Intent::ClientCertificate, _) if !plan.tls().has_secret() => {
            lacks("set config.xposer.stakater.com/TLS")
        }
        (Intent::ClientCertificate, Some(Wish::Certificate(wanted))) if !wanted.is_optional => {
            certificate(plan).unwrap_or(Says::Fully)
        }
        (Intent::TlsPassthrough, _) if plan.rules.iter().any(|route| route.path != "/") => {
            lacks("expose the path `/` alone")
        }
        (Intent::ResponseHeaders, _) => {
            lacks("remove it, and set them in the Service, or choose another class")
        }
        (Intent::Canary, _) => lacks(
            "choose another class, or share the requests by haproxy-ingress.github.io/blue-green-deploy instead",
        ),
        _ => Says::Fully,
    }
}

/// Whether the controller can set a header as it is. It cannot remove a header.
fn can_set(header: &Header) -> bool {
    header.value.as_ref().is_some_and(|value| !value.contains(['"', '\'', '\\', '%']))
}
