//! The intents of a plan that NGINX Ingress Controller supports.

use super::MERGEABLE;
use super::grammar::REWRITE_TARGET;
use crate::dialect::mappings::IntentMapping;
use crate::dialect::mappings::Proof::Documented;
use crate::dialect::support::{Support, partial, unsupported};
use crate::dialect::write::prefix_of;
use crate::intents::{Header, Intent, IntentValue};
use crate::plan::Plan;
use crate::values::BackendProtocol;

pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[
    IntentMapping::new(Intent::HttpsRedirect, "ssl-redirect, redirect-to-https", Documented, "5.5"),
    IntentMapping::new(
        Intent::HttpsRedirectCode,
        "http-redirect-code: 301, 302, 307 or 308",
        Documented,
        "5.5",
    ),
    IntentMapping::new(
        Intent::StripPrefix,
        "path-regex, rewrite-target: /$2, and the path /shop(/|$)(.*) for /shop",
        Documented,
        "5.5",
    ),
    IntentMapping::new(Intent::RewritePath, "path-regex, rewrite-target", Documented, "5.5"),
    IntentMapping::new(Intent::BasicAuth, "basic-auth-secret, basic-auth-realm", Documented, "5.5"),
    IntentMapping::new(Intent::ConnectTimeout, "proxy-connect-timeout", Documented, "5.5"),
    IntentMapping::new(Intent::IdleTimeout, "proxy-read-timeout, proxy-send-timeout", Documented, "5.5"),
    IntentMapping::new(Intent::MaxBodySize, "client-max-body-size", Documented, "5.5"),
    IntentMapping::new(Intent::RequestHeaders, "proxy-set-headers", Documented, "5.5"),
    IntentMapping::new(Intent::ResponseHeaders, "add-header", Documented, "5.5"),
    IntentMapping::new(Intent::BackendProtocol, "ssl-services, grpc-services", Documented, "5.5"),
    IntentMapping::new(Intent::StickySession, "sticky-cookie-services", Documented, "5.5"),
    IntentMapping::new(
        Intent::RateLimit,
        "limit-req-rate, limit-req-burst, limit-req-no-delay",
        Documented,
        "5.5",
    ),
];

pub(in crate::dialect) fn support(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    match (intent, intent_value) {
        (_, Some(IntentValue::Switch(false)))
        | (Intent::HttpsRedirectCode, Some(IntentValue::Code(301 | 302 | 307 | 308)))
        | (Intent::HttpsRedirect | Intent::MaxBodySize, _) => Support::Full,
        (Intent::HttpsRedirectCode, _) => unsupported("write 301, 302, 307 or 308"),
        (Intent::StripPrefix, _) if plan.rules.iter().any(|route| prefix_of(plan, route).is_none()) => {
            unsupported("write the path without a regular expression")
        }
        (Intent::StripPrefix | Intent::RewritePath, _)
            if plan.annotation(MERGEABLE).is_some_and(|it| it.value == "minion") =>
        {
            partial(
                "compares the paths of minions in the order of their names, and takes the first that matches",
            )
        }
        (Intent::StripPrefix, _) => Support::Full,
        (Intent::RewritePath, Some(IntentValue::Path(target)))
            if target.contains('$') && plan.pattern().is_none() =>
        {
            unsupported("write a target without `$`, or a path with groups")
        }
        (Intent::RewritePath, Some(IntentValue::Path(target))) if !REWRITE_TARGET.fits(target) => {
            unsupported("write a target without `~` and without `//` at its beginning")
        }
        (Intent::RewritePath, _) => Support::Full,
        (Intent::BasicAuth, _) => {
            partial("accepts only a secret of the type nginx.org/htpasswd, with the key htpasswd")
        }
        (Intent::ConnectTimeout | Intent::IdleTimeout, Some(IntentValue::Duration(0))) => {
            unsupported("write a long time, such as 24h")
        }
        (Intent::ConnectTimeout | Intent::IdleTimeout, _) => Support::Full,
        (Intent::Timeout, _) => unsupported("write IdleTimeout instead"),
        (Intent::RequestHeaders, Some(IntentValue::Headers(headers)))
            if headers.iter().all(|it| can_set(it, ",")) =>
        {
            Support::Full
        }
        (Intent::ResponseHeaders, Some(IntentValue::Headers(headers)))
            if headers.iter().all(|it| can_set(it, ",:")) =>
        {
            partial("adds a header to that of the Service, and does not replace it")
        }
        (Intent::RequestHeaders | Intent::ResponseHeaders, _) => {
            unsupported("write headers with a value, and without `, : \" \\ $`, or choose another class")
        }
        (Intent::BackendProtocol, Some(IntentValue::Protocol(protocol))) => match protocol {
            BackendProtocol::H2c => unsupported("write grpc if the Service speaks it, or http"),
            BackendProtocol::Grpc | BackendProtocol::Grpcs if !plan.tls().has_secret() => {
                unsupported("set config.xposer.stakater.com/TLS: \"true\", without which gRPC is not served")
            }
            _ => Support::Full,
        },
        (Intent::StickySession, Some(IntentValue::Sticky(sticky)))
            if sticky.cookie.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)) =>
        {
            Support::Full
        }
        (Intent::StickySession, _) => unsupported("name the cookie with letters, digits and `- . _`"),
        (Intent::RateLimit, Some(IntentValue::Rate(rate))) if rate.per > 60 => {
            unsupported("write the limit for a second or a minute")
        }
        (Intent::RateLimit, _) => Support::Full,
        (
            Intent::AllowedSources
            | Intent::DeniedSources
            | Intent::ExternalAuth
            | Intent::Cors
            | Intent::ClientCertificate,
            _,
        ) => unsupported(
            "remove it, write a Policy for it by hand, and forward nginx.org/policies with its name",
        ),
        (Intent::Canary, _) => unsupported("choose another class, or write a VirtualServer by hand instead"),
        (Intent::RedirectFrom, _) => {
            unsupported("remove it, and write a VirtualServer by hand, or choose another class")
        }
        (Intent::TlsPassthrough, _) => {
            unsupported("remove it, and write a TransportServer by hand, or choose another class")
        }
        _ => unsupported("remove it, or choose another class"),
    }
}

/// Whether the controller can set a header in a list with these separators, none of which the header may contain. It cannot
/// remove a header.
fn can_set(header: &Header, signs: &str) -> bool {
    let is_free = |c: char| !signs.contains(c) && !"\"\\$;".contains(c);
    header.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && header.value.as_ref().is_some_and(|value| value.chars().all(is_free))
}
