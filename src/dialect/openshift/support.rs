//! The intents of a plan that the router of OpenShift supports.

use crate::dialect::mappings::IntentMapping;
use crate::dialect::mappings::Proof::Documented;
use crate::dialect::support::{BY_LOAD_BALANCER, Support, partial, unsupported};
use crate::dialect::write::prefix_of;
use crate::intents::{Header, Intent, IntentValue, RateLimit};
use crate::plan::{Canary, Plan};
use crate::values::{BackendProtocol, Termination, Tls};

pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[
    IntentMapping::new(Intent::HttpsRedirect, "spec.tls.insecureEdgeTerminationPolicy", Documented, "4.1"),
    IntentMapping::new(Intent::HttpsRedirectCode, "302 alone, without a word", Documented, "4.1"),
    IntentMapping::new(Intent::Canary, "spec.alternateBackends", Documented, "4.1"),
    IntentMapping::new(
        Intent::StripPrefix,
        "haproxy.router.openshift.io/rewrite-target: /",
        Documented,
        "4.1",
    ),
    IntentMapping::new(
        Intent::AllowedSources,
        "haproxy.router.openshift.io/ip_allowlist or haproxy.router.openshift.io/ip_whitelist",
        Documented,
        "4.1",
    ),
    IntentMapping::new(Intent::IdleTimeout, "haproxy.router.openshift.io/timeout", Documented, "4.1"),
    IntentMapping::new(Intent::ResponseHeaders, "haproxy.router.openshift.io/hsts_header", Documented, "4.1"),
    IntentMapping::new(Intent::StickySession, "router.openshift.io/cookie_name", Documented, "4.1"),
    IntentMapping::new(
        Intent::RateLimit,
        "haproxy.router.openshift.io/rate-limit-connections, haproxy.router.openshift.io/rate-limit-connections.rate-http",
        Documented,
        "4.1",
    ),
    IntentMapping::new(Intent::TlsPassthrough, "spec.tls.termination: passthrough", Documented, "4.1"),
];

/// The period in which the router counts requests, in seconds.
pub(super) const PERIOD: u32 = 10;

pub(in crate::dialect) fn support(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    let is_passed = plan.termination() == Termination::Passthrough;
    match (intent, intent_value) {
        (Intent::Canary, _) => match plan.canary() {
            Some(Canary { header: None, cookie: None, .. }) | None => Support::Full,
            Some(Canary { weight: Some(_), .. }) => partial("chooses by the weight alone"),
            Some(_) => unsupported("write CanaryWeight instead, or use another target"),
        },
        // The load balancer connects to the router without TLS.
        (Intent::HttpsRedirect, _) if plan.tls() == Tls::LoadBalancer => unsupported(BY_LOAD_BALANCER),
        (_, Some(IntentValue::Switch(false)))
        | (Intent::HttpsRedirect, _)
        | (Intent::HttpsRedirectCode, Some(IntentValue::Code(302)))
        | (Intent::AllowedSources, _)
        | (Intent::BackendProtocol, Some(IntentValue::Protocol(BackendProtocol::Http))) => Support::Full,
        (Intent::HttpsRedirectCode, _) => unsupported("remove it: the router answers with 302"),
        (Intent::TlsPassthrough, _) if !plan.tls().has_secret() => {
            unsupported("set config.xposer.stakater.com/TLS: \"true\"")
        }
        (Intent::TlsPassthrough, _) => Support::Full,
        (Intent::StripPrefix, _) if plan.rules.iter().any(|route| prefix_of(plan, route).is_none()) => {
            unsupported("write the path without a regular expression")
        }
        (Intent::RewritePath, _) => unsupported(
            "remove it, and forward haproxy.router.openshift.io/rewrite-target, which replaces the beginning of the path",
        ),
        (Intent::IdleTimeout, Some(IntentValue::Duration(0))) => {
            unsupported("write a long time, such as 24h")
        }
        (Intent::IdleTimeout, _) => Support::Full,
        (Intent::Timeout, _) => unsupported("write IdleTimeout instead"),
        (Intent::StripPrefix | Intent::ResponseHeaders | Intent::StickySession | Intent::RateLimit, _)
            if is_passed =>
        {
            unsupported("remove it, for TLS passes through the router")
        }
        (Intent::StripPrefix, _) => Support::Full,
        (Intent::ResponseHeaders, Some(IntentValue::Headers(headers)))
            if plan.tls().has_secret() && matches!(headers.as_slice(), [header] if is_hsts(header)) =>
        {
            Support::Full
        }
        (Intent::RequestHeaders | Intent::ResponseHeaders, _) => {
            unsupported("remove it, and set them in the Service, or use another target")
        }
        (Intent::BackendProtocol, Some(IntentValue::Protocol(BackendProtocol::Https)))
            if plan.tls().has_secret() && plan.termination() == Termination::Reencrypt =>
        {
            Support::Full
        }
        (Intent::BackendProtocol, Some(IntentValue::Protocol(protocol))) if protocol.has_tls() => {
            unsupported("ask your administrator for the setting routeTermination: reencrypt")
        }
        (Intent::BackendProtocol, _) => {
            unsupported("remove it, and write appProtocol: kubernetes.io/h2c to the port of the Service")
        }
        (Intent::StickySession, Some(IntentValue::Sticky(sticky)))
            if !sticky.cookie.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') =>
        {
            unsupported("name the cookie with letters, digits, `-` and `_`")
        }
        (Intent::StickySession, Some(IntentValue::Sticky(sticky))) if sticky.max_age.is_some() => {
            partial("keeps a client until its browser is closed")
        }
        (Intent::StickySession, _) => Support::Full,
        (Intent::RateLimit, Some(IntentValue::Rate(rate))) => match in_period(*rate) {
            0 => unsupported(format!("write a limit of one request in {PERIOD} seconds or more")),
            _ => partial(format!(
                "counts the requests of {PERIOD} seconds, lets no burst in, closes connections instead of answering, and counts no clients with IPv6 addresses"
            )),
        },
        _ => unsupported("remove it, or use another target"),
    }
}

/// Returns the number of requests that a limit allows in the period of the router.
pub(in crate::dialect) fn in_period(rate: RateLimit) -> u32 {
    rate.requests.saturating_mul(PERIOD) / rate.per.max(1)
}

/// Whether this is the header `Strict-Transport-Security`, the only one that an annotation can set.
fn is_hsts(header: &Header) -> bool {
    let is_part = |part: &str| {
        let part = part.trim();
        let age = part.strip_prefix("max-age=");
        age.is_some_and(|age| !age.is_empty() && age.bytes().all(|b| b.is_ascii_digit()))
            || ["includeSubDomains", "preload"].iter().any(|known| known.eq_ignore_ascii_case(part))
    };
    let value = header.value.as_deref().unwrap_or_default();
    header.name.eq_ignore_ascii_case("Strict-Transport-Security")
        && value.starts_with("max-age=")
        && value.split(';').all(is_part)
}
