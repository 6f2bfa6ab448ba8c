//! The intents of a plan that HAProxy Ingress supports.

use crate::dialect::controller::Controller;
use crate::dialect::haproxy::support::{TIMER_HELP, is_timer};
use crate::dialect::mappings::IntentMapping;
use crate::dialect::mappings::Proof::Documented;
use crate::dialect::nginx::support::{certificate, external_auth_differences};
use crate::dialect::support::{
    BY_LOAD_BALANCER, IPV4, IPV4_WITHOUT_BURST, KEEPS_HEADERS, Support, no_request, partial, partial_with,
    unsupported,
};
use crate::dialect::write::prefix_of;
use crate::intents::{Header, Intent, IntentValue};
use crate::plan::{Annotation, Plan};
use crate::values::{Target, Tls};

pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[
    IntentMapping::new(Intent::HttpsRedirect, "ssl-redirect", Documented, "0.16"),
    IntentMapping::new(Intent::HttpsRedirectCode, "302 (always, no annotation)", Documented, "0.16"),
    IntentMapping::new(Intent::StripPrefix, "rewrite-target: /", Documented, "0.16"),
    IntentMapping::new(
        Intent::AllowedSources,
        "allowlist-source-range or whitelist-source-range",
        Documented,
        "0.12",
    ),
    IntentMapping::new(Intent::DeniedSources, "denylist-source-range", Documented, "0.12"),
    IntentMapping::new(Intent::BasicAuth, "auth-secret, auth-realm", Documented, "0.13"),
    IntentMapping::new(
        Intent::ExternalAuth,
        "auth-url, auth-signin, auth-headers-succeed",
        Documented,
        "0.13",
    ),
    IntentMapping::new(Intent::ConnectTimeout, "timeout-connect", Documented, "0.16"),
    IntentMapping::new(Intent::IdleTimeout, "timeout-server", Documented, "0.16"),
    IntentMapping::new(Intent::MaxBodySize, "proxy-body-size", Documented, "0.7"),
    IntentMapping::new(
        Intent::Cors,
        "cors-enable, cors-allow-origin or cors-allow-origin-regex, cors-allow-methods, cors-allow-headers, cors-expose-headers, cors-allow-credentials, cors-max-age",
        Documented,
        "0.16",
    ),
    IntentMapping::new(Intent::RequestHeaders, "headers", Documented, "0.11"),
    IntentMapping::new(
        Intent::BackendProtocol,
        "backend-protocol: h1, h1-ssl, h2, h2-ssl",
        Documented,
        "0.16",
    ),
    IntentMapping::new(Intent::StickySession, "affinity: cookie, session-cookie-name", Documented, "0.16"),
    IntentMapping::new(Intent::RedirectFrom, "redirect-from", Documented, "0.13"),
    IntentMapping::new(Intent::RateLimit, "limit-rps", Documented, "0.16"),
    IntentMapping::new(
        Intent::ClientCertificate,
        "auth-tls-secret, auth-tls-verify-client",
        Documented,
        "0.16",
    ),
    IntentMapping::new(Intent::TlsPassthrough, "ssl-passthrough", Documented, "0.16"),
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
        (Intent::HttpsRedirectCode, Some(IntentValue::Code(302))) => Support::Full,
        (Intent::HttpsRedirectCode, _) => {
            unsupported("remove it, or set ssl-redirect-code in the ConfigMap of HAProxy Ingress")
        }
        (Intent::StripPrefix, _) if plan.rules.iter().any(|route| prefix_of(plan, route).is_none()) => {
            unsupported("write the path without a regular expression")
        }
        (Intent::RewritePath, _) => unsupported("write StripPrefix instead, or choose another class"),
        (Intent::BasicAuth, _) => partial("admits all clients while the secret is missing"),
        (Intent::ExternalAuth, Some(IntentValue::ExternalAuth(auth)))
            if auth.sign_in.as_ref().is_some_and(|url| url.contains('%')) =>
        {
            unsupported("write the URL for the sign-in without `%`")
        }
        (Intent::ExternalAuth, Some(IntentValue::ExternalAuth(auth))) => {
            let mut all = vec!["resolves the name of the server once", "does not check its certificate"];
            if !auth.response_headers.is_empty() {
                all.push(KEEPS_HEADERS);
            }
            all.append(&mut external_auth_differences(plan, auth));
            partial_with(&all)
        }
        (Intent::ConnectTimeout | Intent::IdleTimeout, Some(IntentValue::Duration(time)))
            if !is_timer(*time) =>
        {
            unsupported(TIMER_HELP)
        }
        (Intent::Timeout, _) => unsupported("write IdleTimeout instead"),
        (Intent::RequestHeaders, Some(IntentValue::Headers(headers))) if !headers.iter().all(can_set) => {
            unsupported("write headers with a value, and without `\" ' \\ %`")
        }
        (Intent::StickySession, Some(IntentValue::Sticky(sticky))) if sticky.max_age.is_some() => {
            partial("sets a cookie that ends with the browser session")
        }
        (Intent::RedirectFrom, Some(IntentValue::Hosts(hosts)))
            if hosts.len() > 1
                || plan.rules.len() > 1
                || plan.rules.iter().any(|route| route.host.starts_with('*')) =>
        {
            unsupported("redirect one host to one host without a star")
        }
        (Intent::RedirectFrom, _) if plan.redirected_hosts().is_empty() => {
            unsupported("name a host that is not one of the Service")
        }
        (Intent::RateLimit, Some(IntentValue::Rate(rate))) if rate.per > 1 => {
            unsupported("write the limit for a second")
        }
        (Intent::RateLimit, _) if no_request(plan, Target::Ingress).is_some() => {
            partial("counts connections, and does not limit clients with IPv6 addresses")
        }
        (Intent::RateLimit, Some(IntentValue::Rate(rate))) if rate.burst.is_some() => {
            partial(IPV4_WITHOUT_BURST)
        }
        (Intent::RateLimit, _) => partial(IPV4),
        (Intent::ClientCertificate, _) if !plan.tls().has_secret() => {
            unsupported("set config.xposer.stakater.com/TLS: \"true\"")
        }
        (Intent::ClientCertificate, Some(IntentValue::Certificate(wanted))) if !wanted.is_optional => {
            certificate(plan).unwrap_or(Support::Full)
        }
        (Intent::ResponseHeaders, _) => {
            unsupported("remove it, and set them in the Service, or choose another class")
        }
        (Intent::Canary, _) => unsupported(
            "choose another class, or share the requests by haproxy-ingress.github.io/blue-green-deploy instead",
        ),
        _ => Support::Full,
    }
}

/// Whether the controller can set a header as it is. It cannot remove a header.
fn can_set(header: &Header) -> bool {
    header.value.as_ref().is_some_and(|value| !value.contains(['"', '\'', '\\', '%']))
}

/// Returns the annotation that makes the controller serve the Service at a port of its own, without reading requests.
pub(in crate::dialect) fn tcp_port(plan: &Plan) -> Option<&Annotation> {
    let controller = plan.controller(Target::Ingress);
    if controller != Controller::HaproxyIngress {
        return None;
    }
    plan.annotations.iter().find(|it| {
        it.key.ends_with("/tcp-service-port")
            && controller.reads(&it.key)
            && it.value.parse().is_ok_and(|port: i64| port != 0)
    })
}
