//! The intents of a plan that Traefik supports.

use std::borrow::Cow;

use super::{MIDDLEWARES, SERVERS_SCHEME, SERVERS_TRANSPORT, STICKY_COOKIE, TLS, TLS_OPTIONS, nginx};
use crate::dialect::nginx::REWRITE_TARGET;
use crate::dialect::nginx::read::stripped;
use crate::dialect::says::Says;
use crate::dialect::words::{Proof, Words};
use crate::dialect::write::cuts_more;
use crate::intents::{Cors, Intent, Wish};
use crate::plan::{Annotation, Plan, Route};
use crate::validation::{PathType, comparable_path};
use crate::values::BackendProtocol;

/// Returns a row that was tested with real requests.
const fn proved(intent: Intent, words: &'static str, since: &'static str) -> Words {
    Words { intent, words, proof: Proof::Proved, since }
}

/// Returns a row for an intent that Traefik supports only with an annotation of the Service itself, or with an object that the
/// user writes.
const fn documented(intent: Intent, words: &'static str, since: &'static str) -> Words {
    Words { intent, words, proof: Proof::Documented, since }
}

/// The annotations and Middlewares of Traefik for intents.
pub(in crate::dialect) static WORDS: &[Words] = &[
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
    proved(Intent::RateLimit, "Middleware `rateLimit`; others get 429", "3.0"),
    documented(
        Intent::ClientCertificate,
        "forwarded: `router.tls.options`, a TLSOption with `clientAuth`",
        "3.0",
    ),
];

/// Returns how Traefik supports an intent, with the annotations of an Ingress and of its Service, and with Middlewares.
pub(in crate::dialect) fn says(plan: &Plan, intent: Intent, wish: Option<&Wish>) -> Says {
    let lacks = |help: &'static str| Says::Lacks(help.into());
    match (intent, wish) {
        (Intent::Canary, _) => {
            lacks("use the target HTTPRoute, or a class that Traefik's provider for ingress-nginx serves")
        }
        (Intent::HttpsRedirectCode, Some(Wish::Code(303))) => lacks("write 301, 302, 307 or 308"),
        (Intent::HttpsRedirectCode, _)
        | (Intent::StripPrefix | Intent::TlsPassthrough, Some(Wish::Switch(false)))
        | (Intent::MaxBodySize, Some(Wish::Size(0))) => Says::Fully,
        (Intent::TlsPassthrough, _) => {
            lacks("remove it, and write an IngressRouteTCP with tls.passthrough: true for the host")
        }
        (Intent::ClientCertificate, _) if plan.annotation(TLS_OPTIONS).is_some() => Says::Fully,
        (Intent::ClientCertificate, _) => Says::Lacks(
            format!(
                "remove it, write a TLSOption with clientAuth, and forward {TLS_OPTIONS}, which names it"
            )
            .into(),
        ),
        (Intent::ConnectTimeout | Intent::IdleTimeout | Intent::Timeout, _) => {
            on_service(plan, SERVERS_TRANSPORT, "the name of a ServersTransport with forwardingTimeouts")
        }
        (Intent::StickySession, _) => on_service(plan, STICKY_COOKIE, "\"true\""),
        (Intent::BackendProtocol, Some(Wish::Protocol(protocol))) => speaks(plan, *protocol),
        (Intent::StripPrefix, _) if plan.rules.iter().any(|route| prefix(route).is_none()) => {
            lacks("write the path without the regular expression, or end it with (/|$)(.*)")
        }
        (Intent::StripPrefix, _) if cuts_more(plan, &prefix) => {
            lacks("expose the hosts under one path, or by several Services")
        }
        (Intent::RewritePath, Some(Wish::Path(path))) if Rewrite::of(plan, path).is_none() => {
            lacks("write one path, and $1 to $9 for its groups only")
        }
        (Intent::RedirectFrom, _) if plan.redirected_hosts().is_empty() => {
            lacks("name a host that is not one of the Service, which has a host without a star")
        }
        (Intent::HttpsRedirect, _) if !plan.tls().is_on() => lacks("set config.xposer.stakater.com/TLS"),
        (Intent::HttpsRedirect, _) if is_refused(plan) => {
            Says::Lacks(["remove the line ", TLS].concat().into())
        }
        (Intent::HttpsRedirect, _) if plan.namespace().is_some() && ends_tls(plan) => Says::Fully,
        (Intent::DeniedSources, Some(Wish::Sources(list))) if bits(list) > MAX_BITS => {
            lacks("write fewer addresses, or larger networks")
        }
        (Intent::MaxBodySize, _) => by_middleware(plan).unwrap_or(Says::But(
            "reads a request whole before the Service gets any of it, so that uploads and gRPC streams wait"
                .into(),
        )),
        _ => by_middleware(plan).unwrap_or(Says::Fully),
    }
}

/// Returns how Traefik's provider for ingress-nginx supports an intent that is expressed by annotations of ingress-nginx.
pub(in crate::dialect) fn says_as_nginx(plan: &Plan, intent: Intent, wish: Option<&Wish>) -> Says {
    let lacks = |help: &'static str| Says::Lacks(help.into());
    match intent {
        // These annotations have no effect on a canary.
        _ if plan.canary.is_some() => Says::Fully,
        Intent::DeniedSources => lacks(
            "name the sources that are allowed instead, or choose a class that Traefik serves by its own annotations",
        ),
        Intent::MaxBodySize
            if wish != Some(&Wish::Size(0))
                && !nginx::limits_bodies(
                    plan.annotation(nginx::REQUEST_BUFFERING).map(|it| it.value.as_str()),
                ) =>
        {
            lacks(
                "forward nginx.ingress.kubernetes.io/proxy-request-buffering: \"on\", without which it has no limit",
            )
        }
        _ => {
            let says = crate::dialect::nginx::says::says(plan, intent, wish);
            match wish.and_then(|wish| otherwise(plan, wish)) {
                Some(how) if matches!(says, Says::Fully) => Says::But(how.into()),
                _ => says,
            }
        }
    }
}

/// Returns how the provider differs from ingress-nginx for the same annotation: a part of a sentence that begins with a verb.
pub(super) fn otherwise(plan: &Plan, wish: &Wish) -> Option<&'static str> {
    let is_given = plan.annotation(REWRITE_TARGET).is_some();
    let keeps_rest = |route: &Route| {
        let path = route.path.strip_suffix(')').unwrap_or(&route.path);
        !matches!(path.as_bytes(), [.., b'$'] | [.., b'.', b'*' | b'+'])
    };
    match wish {
        // An expression that is written for an option matches up to the end of the path. An expression of the Service may not.
        Wish::Path(_) if (is_given || plan.pattern().is_some()) && plan.rules.iter().any(keeps_rest) => {
            Some("replaces the parts of a path that match, and keeps the others")
        }
        Wish::Path(target) if is_given && target.as_bytes().windows(3).any(nginx::is_joined) => {
            Some("takes `$1x` for the name of a group")
        }
        Wish::Cors(Cors { origins, .. }) if origins.iter().any(|it| it.contains("*.")) => {
            Some("lets no origin with `*.` in")
        }
        _ => None,
    }
}

/// Returns why no Middleware can be named; `None` if one can be named.
fn by_middleware(plan: &Plan) -> Option<Says> {
    if plan.namespace().is_none() {
        return Some(Says::Lacks(
            "set metadata.namespace, or pass --namespace: Traefik calls a Middleware by its namespace and name"
                .into(),
        ));
    }
    let own = plan.annotation(MIDDLEWARES)?;
    Some(Says::Lacks(
        format!("remove the line {MIDDLEWARES}: {}, or add a Middleware of your own to it", own.value).into(),
    ))
}

/// Returns whether the Service has an annotation. Xposer does not write it, because the Service belongs to its owner.
fn on_service(plan: &Plan, key: &str, value: &str) -> Says {
    let is_given = plan.on_service.iter().any(|(known, _)| known.starts_with(key));
    if is_given { Says::Fully } else { Says::Lacks(annotate(key, value)) }
}

fn annotate(key: &str, value: &str) -> Cow<'static, str> {
    format!("remove it, and annotate the Service itself with {key}: {value}").into()
}

/// Returns how Traefik supports a protocol. Without an annotation of the Service, it uses https for port 443 and for ports
/// whose names begin with `https`, and otherwise http.
fn speaks(plan: &Plan, protocol: BackendProtocol) -> Says {
    let needed = match protocol {
        BackendProtocol::Http => "http",
        BackendProtocol::Https | BackendProtocol::Grpcs => "https",
        BackendProtocol::H2c | BackendProtocol::Grpc => "h2c",
    };
    let is_secure = || {
        plan.first_port().is_some_and(|port| {
            port.number() == 443 || port.name().is_some_and(|name| name.starts_with("https"))
        })
    };
    let spoken =
        plan.on_service(SERVERS_SCHEME).unwrap_or_else(|| if is_secure() { "https" } else { "http" });
    match needed {
        _ if spoken != needed => Says::Lacks(annotate(SERVERS_SCHEME, needed)),
        "https" if plan.on_service(SERVERS_TRANSPORT).is_none() => Says::But(
            format!("verifies the certificate of the Service, unless the Service has {SERVERS_TRANSPORT} with a ServersTransport that says otherwise").into(),
        ),
        _ => Says::Fully,
    }
}

/// Whether TLS ends at Traefik.
pub(super) fn ends_tls(plan: &Plan) -> bool {
    plan.tls().has_secret() && refused_tls(plan).is_none()
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
const MAX_BITS: usize = 4096;

fn bits(list: &[String]) -> usize {
    let length = |network: &String| network.split_once('/').and_then(|(_, length)| length.parse().ok());
    list.iter().filter_map(length).fold(0, usize::saturating_add)
}
