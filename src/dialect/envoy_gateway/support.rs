//! The intents of a plan that Envoy Gateway supports.

use crate::dialect::gateway;
use crate::dialect::mappings::{IntentMapping, Proof};
use crate::dialect::support::{KEEPS_HEADERS, Support, partial_with};
use crate::intents::{ExternalAuth, Header, Intent, IntentValue};
use crate::plan::Plan;
use crate::validation::is_dns_label;

/// Envoy reads at least this much of a request over HTTP/2 before it counts: with smaller limits, 16,384 bytes pass (tested).
const MIN_BUFFER: u64 = 16 * 1024;

/// The objects of Envoy Gateway for intents, in addition to the Gateway API.
pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[
    annotations(Intent::Canary, "HTTPRouteFilter: matches, cookies", "1.9"),
    annotations(Intent::RewritePath, "HTTPRouteFilter: urlRewrite, ReplaceRegexMatch", "1.2"),
    annotations(Intent::AllowedSources, "SecurityPolicy: authorization, defaultAction: Deny", "1.8"),
    annotations(Intent::DeniedSources, "SecurityPolicy: authorization, action: Deny", "1.8"),
    annotations(Intent::BasicAuth, "SecurityPolicy: basicAuth", "1.8"),
    annotations(Intent::ExternalAuth, "SecurityPolicy: extAuth, http", "1.8"),
    IntentMapping {
        intent: Intent::ConnectTimeout,
        annotations: "BackendTrafficPolicy: timeout, tcp",
        proof: Proof::Parser,
        since: "1.4",
    },
    annotations(Intent::IdleTimeout, "BackendTrafficPolicy: timeout, http, streamIdleTimeout", "1.8"),
    annotations(Intent::MaxBodySize, "BackendTrafficPolicy: requestBuffer", "1.8"),
    annotations(Intent::StickySession, "BackendTrafficPolicy: loadBalancer, consistentHash", "1.4"),
    annotations(Intent::RateLimit, "BackendTrafficPolicy: rateLimit, local", "1.4"),
];

const fn annotations(intent: Intent, annotations: &'static str, since: &'static str) -> IntentMapping {
    IntentMapping { intent, annotations, proof: Proof::Proved, since }
}

pub(in crate::dialect) fn support(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    match (intent, intent_value) {
        (Intent::StickySession, _) => Support::Full,
        // A merge of two policies keeps one list of rules and one default.
        (Intent::AllowedSources | Intent::DeniedSources, _) => {
            Support::Partial("uses this in place of the addresses in a SecurityPolicy of the Gateway".into())
        }
        (Intent::BasicAuth, Some(IntentValue::BasicAuth(auth))) if auth.realm.is_some() => Support::Partial(
            "reads the key `.htpasswd` of the secret, only with {SHA} hashes, and shows no realm".into(),
        ),
        (Intent::BasicAuth, _) => {
            Support::Partial("reads the key `.htpasswd` of the secret, only with {SHA} hashes".into())
        }
        (Intent::ExternalAuth, Some(IntentValue::ExternalAuth(auth))) => match Server::of(plan, auth) {
            None => Support::Unsupported(
                format!(
                    "write the URL of a Service of this namespace, such as http://auth.{}.svc:8080/verify",
                    plan.namespace().unwrap_or("namespace")
                )
                .into(),
            ),
            Some(_) => {
                let of_answer = if auth.sign_in.is_some() {
                    "gives clients the answer of the server, which must redirect them to the sign-in itself"
                } else {
                    "sends the server the method of the request and a few of its headers, such as Authorization and Cookie"
                };
                let keeps = (!auth.response_headers.is_empty()).then_some(KEEPS_HEADERS);
                partial_with(&[of_answer].into_iter().chain(keeps).collect::<Vec<_>>())
            }
        },
        (Intent::ConnectTimeout, Some(IntentValue::Duration(0))) => {
            Support::Unsupported("write how long it may take, such as 10s".into())
        }
        (Intent::ConnectTimeout | Intent::IdleTimeout, Some(IntentValue::Duration(time))) => {
            match gateway::support::duration(*time) {
                Some(_) => Support::Full,
                None => Support::Unsupported("write at most 99999h".into()),
            }
        }
        (Intent::MaxBodySize, Some(IntentValue::Size(size))) if *size > u32::MAX.into() => {
            Support::Unsupported("write at most 4095Mi".into())
        }
        (Intent::MaxBodySize, Some(IntentValue::Size(size))) if (1..MIN_BUFFER).contains(size) => {
            Support::Unsupported("write at least 16Ki, which is the minimum of Envoy for HTTP/2".into())
        }
        (Intent::MaxBodySize, Some(IntentValue::Size(size))) if *size > 0 => {
            Support::Partial("buffers each request whole, so that no WebSocket is opened".into())
        }
        (Intent::RateLimit, Some(IntentValue::Rate(rate))) if rate.burst.is_some_and(|burst| burst > 0) => {
            Support::Partial("counts in each of its Envoys, and allows no burst beyond the limit".into())
        }
        (Intent::RateLimit, _) => Support::Full,
        (Intent::Canary, _) => Support::Full,
        (Intent::RequestHeaders | Intent::ResponseHeaders, Some(IntentValue::Headers(headers)))
            if !headers.iter().all(can_set) =>
        {
            Support::Unsupported(
                "write values of ASCII characters with single blanks, and each `%` as `%%`".into(),
            )
        }
        _ => gateway::support::support(plan, intent, intent_value),
    }
}

/// Whether Envoy Gateway accepts the value of a header, and Envoy sends it as it is. Envoy reads a single `%` as the beginning of a
/// command, and refuses the configuration of all routes if there is none.
fn can_set(header: &Header) -> bool {
    let is_plain =
        |value: &str| value.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !value.contains("  ");
    header.value.as_deref().is_none_or(|value| is_plain(value) && !value.replace("%%", "").contains('%'))
}

/// The Service that is asked whether to admit a request.
pub(super) struct Server<'a> {
    pub(super) service: &'a str,
    pub(super) port: u16,
    pub(super) path: &'a str,
}

impl<'a> Server<'a> {
    /// Returns the Service of a URL, if it is in the plan's own namespace. The author of a route may not use Services of other
    /// namespaces.
    pub(super) fn of(plan: &Plan, auth: &'a ExternalAuth) -> Option<Self> {
        let rest = auth.url.strip_prefix("http://").filter(|rest| !rest.contains('?'))?;
        let (host, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, "/"));
        let (host, port) = match host.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (host, 80),
        };
        let (service, domain) = host.split_once('.').map_or((host, None), |(name, rest)| (name, Some(rest)));
        let is_own = domain.is_none_or(|domain| {
            let namespace = domain.strip_suffix(".svc.cluster.local").or_else(|| domain.strip_suffix(".svc"));
            plan.namespace().is_some_and(|own| namespace.unwrap_or(domain) == own)
        });
        (is_own && is_dns_label(service)).then_some(Self { service, port, path })
    }
}
