//! The intents of a plan that an implementation of the Gateway API supports.

use std::borrow::Cow;

use super::features;
use super::regex::{Engine, engine, has_groups, substitution, written};
use crate::dialect::controller::Controller;
use crate::dialect::mappings::{IntentMapping, Proof};
use crate::dialect::nginx::paths::is_unchanged;
use crate::dialect::nginx::read::stripped;
use crate::dialect::support::Support;
use crate::intents::{Intent, IntentValue};
use crate::plan::{Canary, Plan, Route};
use crate::validation::PathType;
use crate::values::{BackendProtocol, Feature, Target};

/// The fields of the Gateway API for intents.
pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[
    IntentMapping::new(
        Intent::HttpsRedirect,
        "another HTTPRoute: RequestRedirect, scheme: https",
        Proof::Proved,
        "v1.0",
    ),
    IntentMapping::new(Intent::HttpsRedirectCode, "RequestRedirect, statusCode", Proof::Proved, "v1.0"),
    IntentMapping::new(Intent::Canary, "weight of a backend, or a match of a header", Proof::Proved, "v1.0"),
    IntentMapping::new(Intent::StripPrefix, "URLRewrite, ReplacePrefixMatch", Proof::Proved, "v1.0"),
    IntentMapping::new(Intent::RewritePath, "URLRewrite, ReplaceFullPath", Proof::Proved, "v1.0"),
    IntentMapping::new(Intent::Timeout, "timeouts.request", Proof::Proved, "v1.2"),
    IntentMapping::new(Intent::Cors, "CORS", Proof::Proved, "v1.5"),
    IntentMapping::new(Intent::RequestHeaders, "RequestHeaderModifier", Proof::Proved, "v1.0"),
    IntentMapping::new(Intent::ResponseHeaders, "ResponseHeaderModifier", Proof::Proved, "v1.0"),
    IntentMapping::new(
        Intent::RedirectFrom,
        "another HTTPRoute: RequestRedirect, hostname",
        Proof::Proved,
        "v1.0",
    ),
];

pub(in crate::dialect) fn support(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    match (intent, intent_value) {
        (Intent::HttpsRedirect, _) if plan.http_parents().is_empty() => Support::Unsupported(
            "set the setting httpParentRefs, which names the listeners without TLS, or write HTTPSRedirect: \"false\"".into(),
        ),
        // The Gateway API does not require implementations to match cookies.
        (Intent::Canary, _) => match plan.canary() {
            Some(Canary { cookie: None, .. }) | None => Support::Full,
            Some(Canary { weight: None, header: None, .. }) => {
                Support::Unsupported("write CanaryWeight or CanaryByHeader instead, or use another target".into())
            }
            Some(_) => Support::Partial("selects requests only by weight and header".into()),
        },
        (Intent::HttpsRedirectCode, Some(IntentValue::Code(code))) => {
            features::of_code(*code).map_or(Support::Full, |feature| needs(plan, feature))
        }
        (Intent::StripPrefix | Intent::RewritePath, _) => rewrites(plan),
        (Intent::Timeout, Some(IntentValue::Duration(time))) if duration(*time).is_none() => {
            Support::Unsupported("write at most 99999h".into())
        }
        (Intent::Timeout, _) => needs(plan, Feature::RequestTimeout),
        (Intent::Cors, Some(IntentValue::Cors(cors))) => {
            match cors.methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
                Some(method) => Support::Unsupported(format!("remove the method {method}").into()),
                None => match needs(plan, Feature::Cors) {
                    Support::Full if cors.origins.iter().any(|it| it.contains("*.")) => {
                        Support::Partial("admits origins with any number of labels in place of the star".into())
                    }
                    support => support,
                },
            }
        }
        // It refuses this filter, and then updates no route of the Gateway.
        (Intent::RequestHeaders, _) if plan.controller(Target::HttpRoute) == Controller::Alb => {
            Support::Unsupported("remove it, and set it in the Service".into())
        }
        (Intent::ResponseHeaders, _) => needs(plan, Feature::ResponseHeaders),
        (Intent::RedirectFrom, _) if plan.redirected_groups().is_empty() => {
            Support::Unsupported("put a host without a star first, or name other hosts".into())
        }
        (Intent::BackendProtocol, Some(IntentValue::Protocol(protocol))) => match protocol {
            BackendProtocol::Http => Support::Full,
            BackendProtocol::H2c | BackendProtocol::Grpc => Support::Unsupported(
                "write appProtocol: kubernetes.io/h2c at the port of the Service instead of this".into(),
            ),
            BackendProtocol::Https | BackendProtocol::Grpcs => {
                Support::Unsupported("write a BackendTLSPolicy for the Service instead of this".into())
            }
        },
        (Intent::TlsPassthrough, Some(IntentValue::Switch(false))) => Support::Full,
        // The Gateway API has no limit for bodies, so 0 needs nothing.
        (Intent::MaxBodySize, Some(IntentValue::Size(0))) => Support::Full,
        (Intent::TlsPassthrough, _) => {
            Support::Unsupported("write a TLSRoute instead of this, or use the target Ingress".into())
        }
        (Intent::ClientCertificate, _) => {
            Support::Unsupported("request certificates at the Gateway instead of this (spec.tls.frontend)".into())
        }
        (
            Intent::AllowedSources
            | Intent::DeniedSources
            | Intent::BasicAuth
            | Intent::ExternalAuth
            | Intent::ConnectTimeout
            | Intent::IdleTimeout
            | Intent::MaxBodySize
            | Intent::StickySession
            | Intent::RateLimit,
            _,
        ) => Support::Unsupported(unsupported_help(plan).into()),
        _ => Support::Full,
    }
}

/// Returns the help for an `appProtocol` with which the implementation refuses a route to the port: every request then gets 500.
pub(crate) fn refused_protocol(plan: &Plan, protocol: &str) -> Option<&'static str> {
    let known = match plan.controller(Target::HttpRoute) {
        Controller::Contour => ["http", "https", "kubernetes.io/h2c", "kubernetes.io/ws"].contains(&protocol),
        Controller::Traefik => {
            ["http", "https", "kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss"]
                .iter()
                .any(|it| it.eq_ignore_ascii_case(protocol))
        }
        _ => true,
    };
    let help = match protocol {
        "grpc" | "h2c" => "write kubernetes.io/h2c",
        "kubernetes.io/wss" | "grpcs" | "tls" => "write https",
        _ => "write http, or remove the field",
    };
    (!known).then_some(help)
}

/// Returns the help for an intent that the Gateway API cannot express.
fn unsupported_help(plan: &Plan) -> &'static str {
    match plan.controller(Target::HttpRoute) {
        Controller::Gateway => {
            "set gatewayController: envoy-gateway if that serves the Gateway, or use the target Ingress"
        }
        _ => "use the target Ingress, or a Gateway of Envoy Gateway",
    }
}

/// Returns whether the implementation has a feature, and a help if it does not.
fn needs(plan: &Plan, feature: Feature) -> Support {
    let announced = plan.gateway_features.as_deref();
    if plan.gateway_has.contains(&feature)
        || features::has(announced, plan.controller(Target::HttpRoute), feature)
    {
        return Support::Full;
    }
    Support::Unsupported(
        format!("remove it, or name {feature} in the setting gatewayFeatures, if the Gateway has it").into(),
    )
}

/// The methods that a CORS filter accepts, and the HAProxy Kubernetes Ingress Controller, too.
pub(in crate::dialect) const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "*"];

/// Writes a duration with numbers of at most five digits; `None` if it is longer.
pub(in crate::dialect) fn duration(milliseconds: u64) -> Option<String> {
    let mut written = String::new();
    let mut rest = milliseconds;
    for (unit, name) in [(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")] {
        let number = rest / unit;
        if number > 99_999 {
            return None;
        }
        if number > 0 {
            written.push_str(&format!("{number}{name}"));
        }
        rest %= unit;
    }
    Some(if written.is_empty() { "0s".to_owned() } else { written })
}

/// The replacement for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Rewrite<'p> {
    /// The path stays unchanged.
    Keep,
    /// This path replaces the prefix.
    Prefix(&'p str),
    /// This path replaces the whole path.
    Full(&'p str),
    /// The second text, in which `\1` is a group, replaces the match of the regular expression.
    Regex(String, String),
    /// The rewrite cannot be expressed.
    Inexpressible,
}

/// Returns the replacement for the path of a route.
pub(in crate::dialect) fn rewrite<'p>(plan: &'p Plan, route: &'p Route) -> Rewrite<'p> {
    let is_pattern = route.is_pattern();
    let has_regex = is_pattern && plan.controller(Target::HttpRoute) == Controller::EnvoyGateway;
    let is_stripped = plan.intent_value(Intent::StripPrefix) == Some(&IntentValue::Switch(true));
    match plan.intent_value(Intent::RewritePath) {
        // The target of an annotation has the meaning that it has for ingress-nginx.
        Some(IntentValue::Path(target))
            if plan.is_rewritten_as_given() && is_unchanged(plan, route, target) =>
        {
            Rewrite::Keep
        }
        Some(IntentValue::Path(target)) if !has_groups(target) => Rewrite::Full(target),
        Some(IntentValue::Path(target)) => match prefix_of_target(route, target) {
            Some(("/", "/")) => Rewrite::Keep,
            Some((_, base)) => Rewrite::Prefix(base),
            None if has_regex => {
                let pattern = written(&route.path, engine(Controller::EnvoyGateway));
                Rewrite::Regex(pattern, substitution(&route.path, target))
            }
            None => Rewrite::Inexpressible,
        },
        _ if !is_stripped => Rewrite::Keep,
        _ => match prefix(plan, route) {
            Some("/") => Rewrite::Keep,
            Some(_) => Rewrite::Prefix("/"),
            None if route.path == "/" => Rewrite::Keep,
            None if route.path_type == PathType::Exact => Rewrite::Full("/"),
            None if has_regex => {
                Rewrite::Regex(format!("{}/?", written(&route.path, Engine::Anywhere)), "/".to_owned())
            }
            None => Rewrite::Inexpressible,
        },
    }
}

/// Returns the prefix of a pattern and its replacement, if a rewrite only replaces this prefix. For `/shop(/|$)(.*)` with the
/// target `/store/$2`, these are `/shop` and `/store`.
fn prefix_of_target<'p>(route: &'p Route, target: &'p str) -> Option<(&'p str, &'p str)> {
    let (base, group) = [("$1", "/$1"), ("$2", "/$2")]
        .into_iter()
        .find_map(|(end, group)| Some((target.strip_suffix(end)?, group)))?;
    if !base.ends_with('/') || has_groups(base) {
        return None;
    }
    let prefix = match route.path.as_str() {
        "/(.*)" if group == "/$1" => "/",
        _ => stripped(route, group)?,
    };
    Some((prefix, if base.len() > 1 { base.trim_end_matches('/') } else { base }))
}

/// Returns the path of a route, if a PathPrefix has the same meaning. This includes a glob, and a pattern that matches
/// everything below a path.
pub(crate) fn prefix<'p>(plan: &'p Plan, route: &'p Route) -> Option<&'p str> {
    if route.path_type == PathType::Exact {
        return None;
    }
    let path = route.path.as_str();
    if !route.is_pattern() {
        return Some(path);
    }
    let is_stripped = plan.intent_value(Intent::StripPrefix) == Some(&IntentValue::Switch(true));
    let of_target = match plan.intent_value(Intent::RewritePath) {
        Some(IntentValue::Path(target)) => prefix_of_target(route, target).map(|(prefix, _)| prefix),
        _ => stripped(route, "/$2").or_else(|| stripped(route, "/$1").filter(|_| is_stripped)),
    };
    of_target.or_else(|| {
        if ["/*", "/.*", "/(.*)"].contains(&path) {
            return Some("/");
        }
        let below = path.strip_suffix("/*").or_else(|| path.strip_suffix("(/|$)"))?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_~/".contains(c);
        (below.len() > 1 && !below.ends_with('/') && below.chars().all(is_plain)).then_some(below)
    })
}

/// Returns the path of a route as a regular expression; `None` if it is not one.
pub(in crate::dialect) fn pattern(plan: &Plan, route: &Route) -> Option<String> {
    let is_pattern = route.is_pattern() && prefix(plan, route).is_none();
    is_pattern.then(|| written(&route.path, engine(plan.controller(Target::HttpRoute))))
}

/// Returns whether the rewrites of all routes can be expressed.
fn rewrites(plan: &Plan) -> Support {
    let all = || plan.rules.iter().map(|route| rewrite(plan, route));
    if all().any(|it| it == Rewrite::Inexpressible) {
        let is_stripped = plan.intent_value(Intent::StripPrefix) == Some(&IntentValue::Switch(true));
        let help: Cow<'static, str> = match plan.controller(Target::HttpRoute) {
            _ if is_stripped => "write the path without a regular expression".into(),
            Controller::EnvoyGateway => {
                "write a path that is a regular expression with the groups of the target".into()
            }
            _ => "write the path as a prefix with (/|$)(.*) behind it, and the target as /$2, or use the target Ingress".into(),
        };
        return Support::Unsupported(help);
    }
    if all().all(|it| matches!(it, Rewrite::Keep | Rewrite::Regex(..))) {
        return Support::Full;
    }
    needs(plan, Feature::PathRewrite)
}
