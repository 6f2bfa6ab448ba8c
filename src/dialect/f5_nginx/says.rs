//! The intents of a plan that NGINX Ingress Controller supports.

use crate::dialect::says::{Says, but, lacks};
use crate::dialect::words::Proof::Documented;
use crate::dialect::words::Words;
use crate::dialect::write::prefix_of;
use crate::intents::{Header, Intent, Wish};
use crate::plan::Plan;
use crate::values::BackendProtocol;

pub(in crate::dialect) static WORDS: &[Words] = &[
    Words::new(Intent::HttpsRedirect, "ssl-redirect, redirect-to-https", Documented, "5.5"),
    Words::new(Intent::HttpsRedirectCode, "http-redirect-code: 301, 302, 307 or 308", Documented, "5.5"),
    Words::new(
        Intent::StripPrefix,
        "path-regex, rewrite-target: /$2, and the path /shop(/|$)(.*) for /shop",
        Documented,
        "5.5",
    ),
    Words::new(Intent::RewritePath, "path-regex, rewrite-target", Documented, "5.5"),
    Words::new(Intent::BasicAuth, "basic-auth-secret, basic-auth-realm", Documented, "5.5"),
    Words::new(Intent::ConnectTimeout, "proxy-connect-timeout", Documented, "5.5"),
    Words::new(Intent::IdleTimeout, "proxy-read-timeout, proxy-send-timeout", Documented, "5.5"),
    Words::new(Intent::MaxBodySize, "client-max-body-size", Documented, "5.5"),
    Words::new(Intent::RequestHeaders, "proxy-set-headers", Documented, "5.5"),
    Words::new(Intent::ResponseHeaders, "add-header", Documented, "5.5"),
    Words::new(Intent::BackendProtocol, "ssl-services, grpc-services", Documented, "5.5"),
    Words::new(Intent::StickySession, "sticky-cookie-services", Documented, "5.5"),
    Words::new(Intent::RateLimit, "limit-req-rate, limit-req-burst, limit-req-no-delay", Documented, "5.5"),
];

pub(in crate::dialect) fn says(plan: &Plan, intent: Intent, wish: Option<&Wish>) -> Says {
    match (intent, wish) {
        (_, Some(Wish::Switch(false)))
        | (Intent::HttpsRedirectCode, Some(Wish::Code(301 | 302 | 307 | 308)))
        | (Intent::HttpsRedirect | Intent::MaxBodySize, _) => Says::Fully,
        (Intent::HttpsRedirectCode, _) => lacks("write 301, 302, 307 or 308"),
        (Intent::StripPrefix, _) if plan.rules.iter().any(|route| prefix_of(plan, route).is_none()) => {
            lacks("write the path without a regular expression")
        }
        (Intent::StripPrefix, _) => Says::Fully,
        (Intent::RewritePath, Some(Wish::Path(target)))
            if target.contains('$') && plan.pattern().is_none() =>
        {
            lacks("write a target without `$`, or a path with groups")
        }
        (Intent::RewritePath, Some(Wish::Path(target))) if target.contains("//") || target.contains('~') => {
            lacks("write a target without `//` and `~`")
        }
        (Intent::RewritePath, _) => Says::Fully,
        (Intent::BasicAuth, _) => {
            but("takes a secret of the type nginx.org/htpasswd alone, with the key htpasswd")
        }
        (Intent::ConnectTimeout | Intent::IdleTimeout, Some(Wish::Duration(0))) => {
            lacks("write a long time, such as 24h")
        }
        (Intent::ConnectTimeout | Intent::IdleTimeout, _) => Says::Fully,
        (Intent::Timeout, _) => lacks("write IdleTimeout instead"),
        (Intent::RequestHeaders, Some(Wish::Headers(headers)))
            if headers.iter().all(|it| can_set(it, ",")) =>
        {
            Says::Fully
        }
        (Intent::ResponseHeaders, Some(Wish::Headers(headers)))
            if headers.iter().all(|it| can_set(it, ",:")) =>
        {
            but("adds a header to that of the Service, and does not replace it")
        }
        (Intent::RequestHeaders | Intent::ResponseHeaders, _) => {
            lacks("write headers with a value, and without `, : \" \\ $`, or choose another class")
        }
        (Intent::BackendProtocol, Some(Wish::Protocol(protocol))) => match protocol {
            BackendProtocol::H2c => lacks("write grpc if the Service speaks it, or http"),
            BackendProtocol::Grpc | BackendProtocol::Grpcs if !plan.tls().has_secret() => {
                lacks("set config.xposer.stakater.com/TLS, without which gRPC is not served")
            }
            _ => Says::Fully,
        },
        (Intent::StickySession, Some(Wish::Sticky(sticky)))
            if sticky.cookie.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)) =>
        {
            Says::Fully
        }
        (Intent::StickySession, _) => lacks("name the cookie with letters, digits and `- . _`"),
        (Intent::RateLimit, Some(Wish::Rate(rate))) if rate.per > 60 => {
            lacks("write the limit for a second or a minute")
        }
        (Intent::RateLimit, _) => Says::Fully,
        (
            Intent::AllowedSources
            | Intent::DeniedSources
            | Intent::ExternalAuth
            | Intent::Cors
            | Intent::ClientCertificate,
            _,
        ) => lacks("remove it, write a Policy for it by hand, and forward nginx.org/policies with its name"),
        (Intent::Canary, _) => lacks("choose another class, or write a VirtualServer by hand instead"),
        (Intent::RedirectFrom, _) => {
            lacks("remove it, and write a VirtualServer by hand, or choose another class")
        }
        (Intent::TlsPassthrough, _) => {
            lacks("remove it, and write a TransportServer by hand, or choose another class")
        }
        _ => lacks("remove it, or choose another class"),
    }
}

/// Whether the controller can set a header in a list with these separators, none of which the header may contain. It cannot
/// remove a header.
fn can_set(header: &Header, signs: &str) -> bool {
    let is_free = |c: char| !signs.contains(c) && !"\"\\$;".contains(c);
    header.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && header.value.as_ref().is_some_and(|value| value.chars().all(is_free))
}
