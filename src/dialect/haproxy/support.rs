//! The intents of a plan that the HAProxy Kubernetes Ingress Controller supports.

use crate::dialect::gateway::support::METHODS;
use crate::dialect::mappings::IntentMapping;
use crate::dialect::mappings::Proof::Documented;
use crate::dialect::support::{BY_LOAD_BALANCER, Support, partial, partial_with, unsupported};
use crate::dialect::write::{prefix_of, strips_too_much};
use crate::intents::{Cors, Header, Intent, IntentValue};
use crate::plan::Plan;
use crate::values::{Target, Tls};

pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[
    IntentMapping::new(Intent::HttpsRedirect, "ssl-redirect, ssl-redirect-port: \"443\"", Documented, "3.2"),
    IntentMapping::new(Intent::HttpsRedirectCode, "ssl-redirect-code: 301, 302 or 303", Documented, "3.2"),
    IntentMapping::new(Intent::StripPrefix, "path-rewrite: ^/shop(?:/(.*))?$ /\\1", Documented, "3.2"),
    IntentMapping::new(Intent::RewritePath, "path-rewrite: /new", Documented, "3.2"),
    IntentMapping::new(Intent::AllowedSources, "allow-list or whitelist", Documented, "3.2"),
    IntentMapping::new(Intent::DeniedSources, "deny-list or blacklist", Documented, "3.2"),
    IntentMapping::new(
        Intent::BasicAuth,
        "auth-type: basic-auth, auth-secret, auth-realm",
        Documented,
        "3.2",
    ),
    IntentMapping::new(Intent::IdleTimeout, "timeout-server", Documented, "3.2"),
    IntentMapping::new(
        Intent::Cors,
        "cors-enable, cors-allow-origin, cors-allow-methods, cors-allow-headers, cors-allow-credentials, cors-max-age, cors-respond-to-options",
        Documented,
        "3.2",
    ),
    IntentMapping::new(Intent::RequestHeaders, "request-set-header", Documented, "3.2"),
    IntentMapping::new(Intent::ResponseHeaders, "response-set-header", Documented, "3.2"),
    IntentMapping::new(Intent::BackendProtocol, "server-ssl, server-proto: h2", Documented, "3.2"),
    IntentMapping::new(Intent::RateLimit, "rate-limit-requests, rate-limit-period", Documented, "3.2"),
    IntentMapping::new(Intent::TlsPassthrough, "ssl-passthrough", Documented, "3.2"),
];

pub(in crate::dialect) fn support(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    match (intent, intent_value) {
        (_, Some(IntentValue::Switch(false))) => Support::Full,
        // The controller would redirect every request again, because the load balancer connects to it without TLS.
        (Intent::HttpsRedirect, _) if plan.tls() == Tls::LoadBalancer => unsupported(BY_LOAD_BALANCER),
        (Intent::HttpsRedirectCode, Some(IntentValue::Code(301..=303))) => Support::Full,
        (Intent::HttpsRedirectCode, _) => unsupported("write 301, 302 or 303"),
        (Intent::StripPrefix, _) if plan.rules.iter().any(|route| prefix_of(plan, route).is_none()) => {
            unsupported("write the path without a regular expression")
        }
        (Intent::StripPrefix, _) if strips_too_much(plan, &|route| prefix_of(plan, route)) => {
            unsupported("expose the hosts under one path, or by several Services")
        }
        (Intent::RewritePath, Some(IntentValue::Path(target))) if target.contains('$') => {
            let written = plan.rules.first().filter(|route| route.is_pattern());
            unsupported(match written {
                Some(route) => format!(
                    "remove it, write the path as a prefix, and forward haproxy.org/path-rewrite: ^{} {}",
                    route.path.trim_start_matches('^'),
                    target.replace('$', "\\")
                ),
                None => "write a target without `$`".to_owned(),
            })
        }
        (Intent::BasicAuth, _) => {
            let secret = "reads a secret with one key for each user, whose value is the hash of the password";
            // Its rules for passwords come before those for redirects and preflight requests.
            let redirects = plan.redirects(Target::Ingress);
            let early = redirects.then_some("asks for the password before it redirects a request to https");
            partial_with(&[secret].into_iter().chain(early).collect::<Vec<_>>())
        }
        (Intent::IdleTimeout, Some(IntentValue::Duration(time))) if !is_timer(*time) => {
            unsupported(TIMER_HELP)
        }
        (Intent::Cors, Some(IntentValue::Cors(cors))) => self::cors(plan, cors),
        (Intent::RequestHeaders | Intent::ResponseHeaders, Some(IntentValue::Headers(headers)))
            if !headers.iter().all(can_set) =>
        {
            unsupported("write headers with a value, and without `\" \\ $`")
        }
        (Intent::TlsPassthrough, _) => {
            partial("does not check client addresses of https requests to the other Services")
        }
        // It names the table of its counters after the period. A table of the type `ip` has no IPv6 addresses.
        (Intent::RateLimit, Some(IntentValue::Rate(rate))) if rate.burst.is_some() => partial(
            "admits no burst beyond the limit, counts the requests to all Services with the same period together, and does not limit clients with IPv6 addresses",
        ),
        (Intent::RateLimit, _) => partial(
            "counts the requests to all Services with the same period together, and does not limit clients with IPv6 addresses",
        ),
        (Intent::Canary, _) => unsupported("choose another class"),
        (Intent::ConnectTimeout, _) => {
            unsupported("remove it, or set timeout-connect in the ConfigMap of the controller")
        }
        (Intent::Timeout, _) => unsupported("write IdleTimeout instead"),
        (Intent::StickySession, Some(IntentValue::Sticky(sticky))) => unsupported(format!(
            "remove it, and give the Service the annotation haproxy.org/cookie-persistence: {}",
            sticky.cookie
        )),
        (Intent::ClientCertificate, _) => unsupported(
            "remove it, and set client-ca in the ConfigMap of the controller, for all hosts, or choose another class",
        ),
        (
            Intent::HttpsRedirect
            | Intent::StripPrefix
            | Intent::RewritePath
            | Intent::AllowedSources
            | Intent::DeniedSources
            | Intent::IdleTimeout
            | Intent::RequestHeaders
            | Intent::ResponseHeaders
            | Intent::BackendProtocol,
            _,
        ) => Support::Full,
        _ => unsupported("remove it, or choose another class"),
    }
}

/// Whether a timer of HAProxy can have this many milliseconds. HAProxy does not load a configuration with a longer time, and 0
/// means no time at all.
pub(in crate::dialect) fn is_timer(milliseconds: u64) -> bool {
    (1..=0x7fff_ffff).contains(&milliseconds)
}

/// The help for a duration that a timer of HAProxy cannot have.
pub(in crate::dialect) const TIMER_HELP: &str = "write a long time of at most 596h, such as 24h";

/// Whether the controller can set a header as it is, between quotes. It cannot remove a header.
fn can_set(header: &Header) -> bool {
    header.value.as_ref().is_some_and(|value| !value.contains(['"', '\\', '$']))
}

fn cors(plan: &Plan, cors: &Cors) -> Support {
    if !cors.expose_headers.is_empty() {
        return unsupported("expose no headers");
    }
    if !cors.methods.iter().all(|method| METHODS.contains(&method.as_str())) {
        return unsupported("name methods of HTTP");
    }
    if plan.requested(Intent::BasicAuth).is_some() {
        return partial("asks for a password before it answers a preflight request, which has none");
    }
    Support::Full
}
