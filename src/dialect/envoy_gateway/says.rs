//! The intents of a plan that Envoy Gateway supports.

use crate::dialect::gateway;
use crate::dialect::says::Says;
use crate::dialect::words::{Proof, Words};
use crate::intents::{ExternalAuth, Intent, Wish};
use crate::plan::Plan;
use crate::validation::is_dns_label;

/// Envoy reads at least this much of a request over HTTP/2 before it counts: with smaller limits, 16,384 bytes pass (tested).
const MIN_BUFFER: u64 = 16 * 1024;

/// The objects of Envoy Gateway for intents, in addition to the Gateway API.
pub(in crate::dialect) static WORDS: &[Words] = &[
    words(Intent::Canary, "HTTPRouteFilter: matches, cookies", "1.9"),
    words(Intent::RewritePath, "HTTPRouteFilter: urlRewrite, ReplaceRegexMatch", "1.2"),
    words(Intent::AllowedSources, "SecurityPolicy: authorization, defaultAction: Deny", "1.8"),
    words(Intent::DeniedSources, "SecurityPolicy: authorization, action: Deny", "1.8"),
    words(Intent::BasicAuth, "SecurityPolicy: basicAuth", "1.8"),
    words(Intent::ExternalAuth, "SecurityPolicy: extAuth, http", "1.8"),
    Words {
        intent: Intent::ConnectTimeout,
        words: "BackendTrafficPolicy: timeout, tcp",
        proof: Proof::Parser,
        since: "1.4",
    },
    words(Intent::IdleTimeout, "BackendTrafficPolicy: timeout, http, streamIdleTimeout", "1.8"),
    words(Intent::MaxBodySize, "BackendTrafficPolicy: requestBuffer", "1.8"),
    words(Intent::StickySession, "BackendTrafficPolicy: loadBalancer, consistentHash", "1.4"),
    words(Intent::RateLimit, "BackendTrafficPolicy: rateLimit, local", "1.4"),
];

const fn words(intent: Intent, words: &'static str, since: &'static str) -> Words {
    Words { intent, words, proof: Proof::Proved, since }
}

pub(in crate::dialect) fn says(plan: &Plan, intent: Intent, wish: Option<&Wish>) -> Says {
    match (intent, wish) {
        (Intent::StickySession, _) => Says::Fully,
        // A merge of two policies keeps one list of rules and one default.
        (Intent::AllowedSources | Intent::DeniedSources, _) => Says::But(
            "takes this in the place of what a SecurityPolicy of the Gateway says about addresses".into(),
        ),
        (Intent::BasicAuth, Some(Wish::BasicAuth(auth))) if auth.realm.is_some() => Says::But(
            "reads the key `.htpasswd` of the secret, with {SHA} hashes alone, and shows no realm".into(),
        ),
        (Intent::BasicAuth, _) => {
            Says::But("reads the key `.htpasswd` of the secret, with {SHA} hashes alone".into())
        }
        (Intent::ExternalAuth, Some(Wish::ExternalAuth(auth))) => match Server::of(plan, auth) {
            None => Says::Lacks(
                "write the URL of a Service of this namespace, such as http://auth.shop.svc:8080/verify".into(),
            ),
            Some(_) if auth.sign_in.is_some() => Says::But(
                "gives clients the answer of the server, which has to send them to the sign-in itself".into(),
            ),
            Some(_) => Says::But(
                "asks the server with the method of the request and a few of its headers, such as Authorization and Cookie".into(),
            ),
        },
        (Intent::ConnectTimeout, Some(Wish::Duration(0))) => {
            Says::Lacks("write how long it may take, such as 10s".into())
        }
        (Intent::ConnectTimeout | Intent::IdleTimeout, Some(Wish::Duration(time))) => {
            match gateway::says::duration(*time) {
                Some(_) => Says::Fully,
                None => Says::Lacks("write at most 99999h".into()),
            }
        }
        (Intent::MaxBodySize, Some(Wish::Size(size))) if *size > u32::MAX.into() => {
            Says::Lacks("write at most 4095Mi".into())
        }
        (Intent::MaxBodySize, Some(Wish::Size(size))) if (1..MIN_BUFFER).contains(size) => {
            Says::Lacks("write at least 16Ki, which is the least that Envoy counts over HTTP/2".into())
        }
        (Intent::MaxBodySize, Some(Wish::Size(size))) if *size > 0 => {
            Says::But("buffers each request whole, so that no WebSocket is opened".into())
        }
        (Intent::RateLimit, Some(Wish::Rate(rate))) if rate.burst.is_some_and(|burst| burst > 0) => {
            Says::But("counts in each of its Envoys, and allows no burst beyond the limit".into())
        }
        (Intent::RateLimit, _) => Says::Fully,
        (Intent::Canary, _) => Says::Fully,
        _ => gateway::says::says(plan, intent, wish),
    }
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
