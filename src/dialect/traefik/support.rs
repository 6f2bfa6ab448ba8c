//! The intents of a plan that Traefik supports.

use std::borrow::Cow;

use super::{
    ENTRY_POINTS, MIDDLEWARES, SERVERS_SCHEME, SERVERS_TRANSPORT, STICKY_COOKIE, TLS, TLS_OPTIONS, nginx,
};
use crate::dialect::key::NeutralValue;
use crate::dialect::mappings::{IntentMapping, Proof};
use crate::dialect::nginx::REWRITE_TARGET;
use crate::dialect::nginx::read::stripped;
use crate::dialect::nginx::support::external_auth_differences;
use crate::dialect::support::{Support, partial_with};
use crate::dialect::write::strips_too_much;
use crate::intents::{Cors, Intent, IntentValue};
use crate::plan::{Annotation, BackendPort, Plan, Route};
use crate::validation::{PathType, comparable_path};
use crate::values::BackendProtocol;

/// Returns a row that was tested with real requests.
const fn proved(intent: Intent, annotations: &'static str, since: &'static str) -> IntentMapping {
    IntentMapping { intent, annotations, proof: Proof::Proved, since }
}

/// Returns a row for an intent that Traefik supports only with an annotation of the Service itself, or with an object that the
/// user writes.
const fn documented(intent: Intent, annotations: &'static str, since: &'static str) -> IntentMapping {
    IntentMapping { intent, annotations, proof: Proof::Documented, since }
}

/// The annotations and Middlewares of Traefik for intents.
pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[
    proved(
        Intent::HttpsRedirect,
        "Middleware `redirectScheme` on a second Ingress of the entry point `web`; `router.tls: \"true\"` on the first one",
        "3.0",
    ),
    proved(Intent::HttpsRedirectCode, "`redirectScheme.permanent`: 301 and 308, or 302 and 307", "3.0"),
    proved(Intent::StripPrefix, "Middleware `stripPrefix` or `stripPrefixRegex`", "3.0"),
    proved(Intent::RewritePath, "Middleware `replacePath` or `replacePathRegex`", "3.0"),
    proved(Intent::AllowedSources, "Middleware `ipAllowList`", "3.0"),
    proved(Intent::DeniedSources, "Middleware `ipAllowList` with all other networks", "3.0"),
    proved(Intent::BasicAuth, "Middleware `basicAuth`; the secret has one key", "3.0"),
    proved(Intent::ExternalAuth, "Middleware `forwardAuth`; `authSigninURL` since 3.7", "3.0"),
    documented(
        Intent::ConnectTimeout,
        "on the Service: `service.serverstransport`; ServersTransport `forwardingTimeouts.dialTimeout`",
        "3.0",
    ),
    proved(Intent::MaxBodySize, "Middleware `buffering.maxRequestBodyBytes`", "3.0"),
    proved(Intent::Cors, "Middleware `headers.accessControl*`", "3.0"),
    proved(Intent::RequestHeaders, "Middleware `headers.customRequestHeaders`", "3.0"),
    proved(Intent::ResponseHeaders, "Middleware `headers.customResponseHeaders`", "3.0"),
    proved(Intent::BackendProtocol, "on the Service: `service.serversscheme`", "3.0"),
    proved(Intent::StickySession, "on the Service: `service.sticky.cookie`", "3.0"),
    proved(Intent::RedirectFrom, "Middleware `redirectRegex` on an Ingress of the other hosts", "3.0"),
    proved(Intent::RateLimit, "Middleware `rateLimit`; requests beyond it get 429", "3.0"),
    documented(
        Intent::ClientCertificate,
        "forwarded: `router.tls.options`, a TLSOption with `clientAuth`",
        "3.0",
    ),
];

/// Returns how Traefik supports an intent, with the annotations of an Ingress and of its Service, and with Middlewares.
pub(in crate::dialect) fn support(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    let unsupported = |help: &'static str| Support::Unsupported(help.into());
    match (intent, intent_value) {
        (Intent::Canary, _) => unsupported(
            "use the target HTTPRoute, or a class that Traefik's provider for ingress-nginx serves",
        ),
        (Intent::HttpsRedirectCode, Some(IntentValue::Code(303))) => {
            unsupported("write 301, 302, 307 or 308")
        }
        (Intent::HttpsRedirectCode, _)
        | (Intent::StripPrefix | Intent::TlsPassthrough, Some(IntentValue::Switch(false)))
        | (Intent::MaxBodySize, Some(IntentValue::Size(0))) => Support::Full,
        (Intent::TlsPassthrough, _) => {
            unsupported("remove it, and write an IngressRouteTCP with tls.passthrough: true for the host")
        }
        (Intent::ClientCertificate, _) if plan.annotation(TLS_OPTIONS).is_some() => Support::Full,
        (Intent::ClientCertificate, _) => Support::Unsupported(
            format!(
                "remove it, write a TLSOption with clientAuth, and forward {TLS_OPTIONS}, which names it"
            )
            .into(),
        ),
        (Intent::ConnectTimeout, _) => support_on_service(
            plan,
            SERVERS_TRANSPORT,
            "the name of a ServersTransport with forwardingTimeouts.dialTimeout",
        ),
        (Intent::IdleTimeout | Intent::Timeout, _) => unsupported(
            "remove it: Traefik limits only the time until an answer begins, by forwardingTimeouts.responseHeaderTimeout of a ServersTransport",
        ),
        (Intent::StickySession, _) => support_on_service(plan, STICKY_COOKIE, "\"true\""),
        (Intent::BackendProtocol, Some(IntentValue::Protocol(protocol))) => protocol_support(plan, *protocol),
        (Intent::StripPrefix, _) if plan.rules.iter().any(|route| prefix(route).is_none()) => {
            unsupported("write the path without the regular expression, or end it with (/|$)(.*)")
        }
        (Intent::StripPrefix, _) if strips_too_much(plan, &prefix) => {
            unsupported("expose the hosts under one path, or by several Services")
        }
        (Intent::RewritePath, Some(IntentValue::Path(path))) if Rewrite::of(plan, path).is_none() => {
            unsupported("write one path, and $1 to $9 for its groups only")
        }
        (Intent::RedirectFrom, _) if plan.redirected_hosts().is_empty() => {
            unsupported("name a host that is not one of the Service, which has a host without a star")
        }
        (Intent::HttpsRedirect, _) if !plan.tls().is_on() => {
            unsupported("set config.xposer.stakater.com/TLS")
        }
        (Intent::HttpsRedirect, _) if is_refused(plan) => {
            Support::Unsupported(["remove the line ", TLS].concat().into())
        }
        (Intent::HttpsRedirect, _) if plan.namespace().is_some() && ends_tls(plan) => Support::Full,
        (Intent::DeniedSources, Some(IntentValue::Sources(list))) if bits(list) > MAX_PREFIX_BITS => {
            unsupported("write fewer addresses, or larger networks")
        }
        (Intent::MaxBodySize, _) => middleware_obstacle(plan).unwrap_or(Support::Partial(
            "reads a request whole before the Service gets any of it, so that uploads and gRPC streams wait"
                .into(),
        )),
        (Intent::ExternalAuth, Some(IntentValue::ExternalAuth(auth))) => {
            let differences = external_auth_differences(plan, auth);
            middleware_obstacle(plan)
                .or_else(|| (!differences.is_empty()).then(|| partial_with(&differences)))
                .unwrap_or(Support::Full)
        }
        _ => middleware_obstacle(plan).unwrap_or(Support::Full),
    }
}

/// Returns how Traefik's provider for ingress-nginx supports an intent that is expressed by annotations of ingress-nginx.
pub(in crate::dialect) fn support_of_nginx_provider(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    let unsupported = |help: &'static str| Support::Unsupported(help.into());
    match intent {
        // These annotations have no effect on a canary.
        _ if plan.canary.is_some() => Support::Full,
        Intent::DeniedSources => unsupported(
            "name the sources that are allowed instead, or choose a class that Traefik serves by its own annotations",
        ),
        Intent::MaxBodySize
            if intent_value != Some(&IntentValue::Size(0))
                && !nginx::limits_bodies(
                    plan.annotation(nginx::REQUEST_BUFFERING).map(|it| it.value.as_str()),
                ) =>
        {
            unsupported(
                "forward nginx.ingress.kubernetes.io/proxy-request-buffering: \"on\", without which it has no limit",
            )
        }
        _ => {
            let support = crate::dialect::nginx::support::support(plan, intent, intent_value);
            match intent_value.and_then(|intent_value| difference_from_nginx(plan, intent_value)) {
                Some(how) if matches!(support, Support::Full) => Support::Partial(how.into()),
                _ => support,
            }
        }
    }
}

/// Returns how the provider differs from ingress-nginx for the same annotation: a part of a sentence that begins with a verb.
pub(super) fn difference_from_nginx(plan: &Plan, intent_value: &IntentValue) -> Option<&'static str> {
    let is_given = plan.annotation(REWRITE_TARGET).is_some();
    let keeps_rest = |route: &Route| {
        let path = route.path.strip_suffix(')').unwrap_or(&route.path);
        !matches!(path.as_bytes(), [.., b'$'] | [.., b'.', b'*' | b'+'])
    };
    match intent_value {
        // An expression that is written for an option matches up to the end of the path. An expression of the Service may not.
        IntentValue::Path(_)
            if (is_given || plan.pattern().is_some()) && plan.rules.iter().any(keeps_rest) =>
        {
            Some("replaces the parts of a path that match, and keeps the others")
        }
        IntentValue::Path(target) if is_given && target.as_bytes().windows(3).any(nginx::is_joined) => {
            Some("reads `$1x` as the name of a group")
        }
        IntentValue::Cors(Cors { origins, .. }) if origins.iter().any(|it| it.contains("*.")) => {
            Some("admits no origin with `*.`")
        }
        _ => None,
    }
}

/// Returns why no Middleware can be named; `None` if one can be named.
fn middleware_obstacle(plan: &Plan) -> Option<Support> {
    if plan.namespace().is_none() {
        return Some(Support::Unsupported(
            "set metadata.namespace, or pass --namespace: Traefik calls a Middleware by its namespace and name"
                .into(),
        ));
    }
    let own = plan.annotation(MIDDLEWARES)?;
    Some(Support::Unsupported(
        format!(
            "remove it and add a Middleware of your own to the line {MIDDLEWARES}: {}, or remove that line",
            own.value
        )
        .into(),
    ))
}

/// Returns whether the Service has an annotation. Xposer does not write it, because the Service belongs to its owner.
fn support_on_service(plan: &Plan, key: &str, value: &str) -> Support {
    let is_given = plan.service_annotations.iter().any(|(known, _)| known.starts_with(key));
    if is_given { Support::Full } else { Support::Unsupported(annotate(key, value)) }
}

fn annotate(key: &str, value: &str) -> Cow<'static, str> {
    format!("remove it, and annotate the Service itself with {key}: {value}").into()
}

/// Whether Traefik speaks https with a port, unless an annotation or a field names the protocol.
pub(super) fn is_secure(port: &BackendPort) -> bool {
    port.number() == 443 || port.name().is_some_and(|name| name.starts_with("https"))
}

/// Returns how Traefik supports a protocol. Without an annotation of the Service, it uses https for port 443 and for ports
/// whose names begin with `https`, and otherwise http.
fn protocol_support(plan: &Plan, protocol: BackendProtocol) -> Support {
    let needed = match protocol {
        BackendProtocol::Http => "http",
        BackendProtocol::Https | BackendProtocol::Grpcs => "https",
        BackendProtocol::H2c | BackendProtocol::Grpc => "h2c",
    };
    let is_https = || plan.first_port().is_some_and(is_secure);
    let spoken = plan.on_service(SERVERS_SCHEME).unwrap_or_else(|| if is_https() { "https" } else { "http" });
    match needed {
        "https" if spoken != needed => Support::Unsupported(format!(
            "{}, and with {SERVERS_TRANSPORT} and the name of a ServersTransport with insecureSkipVerify: true if nobody signed its certificate",
            annotate(SERVERS_SCHEME, needed)
        ).into()),
        _ if spoken != needed => Support::Unsupported(annotate(SERVERS_SCHEME, needed)),
        "https" if plan.on_service(SERVERS_TRANSPORT).is_none() => Support::Partial(
            format!("verifies the certificate of the Service, unless the Service has {SERVERS_TRANSPORT} with a ServersTransport that turns this off").into(),
        ),
        _ => Support::Full,
    }
}

/// Whether TLS ends at Traefik.
pub(super) fn ends_tls(plan: &Plan) -> bool {
    plan.tls().has_secret() && refused_tls(plan).is_none()
}

/// The usual names of the entry point for requests without TLS. `web` is its default name.
pub(super) const PLAIN: [&str; 2] = ["web", "http"];

/// Returns the entry point of an Ingress for requests without TLS beside an Ingress with TLS. `None` if somebody names the entry
/// points, and the Ingress would bring the Service to another one. A redirect to https may be at the entry point `web` if only
/// public entry points are named.
pub(super) fn plain_entry_point(plan: &Plan, is_redirect: bool) -> Option<&str> {
    let Some(given) = plan.annotation(ENTRY_POINTS).filter(|it| !it.value.trim().is_empty()) else {
        return PLAIN.first().copied();
    };
    let is_public = is_redirect && NeutralValue::PublicEntryPoints.is(&given.value);
    let named = given.value.split(',').map(str::trim).find(|name| PLAIN.contains(name));
    named.or_else(|| PLAIN.first().copied().filter(|_| is_public))
}

/// Whether TLS is wanted and an annotation turns it off. A redirect would then send each request to a port where nobody
/// answers.
fn is_refused(plan: &Plan) -> bool {
    plan.tls().has_secret() && refused_tls(plan).is_some()
}

/// Returns the annotation that keeps TLS from ending at Traefik.
pub(crate) fn refused_tls(plan: &Plan) -> Option<&Annotation> {
    plan.annotation(TLS).filter(|given| !given.value.is_empty() && !given.value.eq_ignore_ascii_case("true"))
}

/// Returns the path to strip for a route; empty for `/`.
pub(super) fn prefix(route: &Route) -> Option<&str> {
    if route.is_pattern() {
        return ["/$2", "/$1"].into_iter().find_map(|rest| stripped(route, rest));
    }
    Some(comparable_path(&route.path, PathType::Prefix).trim_end_matches('/'))
}

/// The replacement for a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rewrite<'p> {
    /// This path.
    Whole(&'p str),
    /// This path, in which `$1` to `$9` stand for groups of the route's path.
    Groups(&'p Route, &'p str),
}

impl<'p> Rewrite<'p> {
    pub(super) fn of(plan: &'p Plan, path: &'p str) -> Option<Self> {
        if !path.contains('$') {
            return Some(Self::Whole(path));
        }
        // All routes must have the same path, because the groups are those of one path.
        let (first, others) = plan.rules.split_first()?;
        let is_one = others.iter().all(|other| other.path == first.path);
        let is_group = |rest: &str| rest.starts_with(|c: char| matches!(c, '1'..='9'));
        let has_groups = path.split('$').skip(1).all(is_group);
        (is_one && has_groups && first.is_pattern()).then_some(Self::Groups(first, path))
    }
}

/// The most bits of all denied networks together. Each bit adds at most one network to those that remain.
const MAX_PREFIX_BITS: usize = 4096;

fn bits(list: &[String]) -> usize {
    let length = |network: &String| network.split_once('/').and_then(|(_, length)| length.parse().ok());
    list.iter().filter_map(length).fold(0, usize::saturating_add)
}
