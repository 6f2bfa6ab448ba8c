//! The intents of a plan that ingress-nginx supports.

use super::FROM_TO_WWW;
use crate::dialect::access::needs_tls;
use crate::dialect::controller::Controller;
use crate::dialect::mappings::IntentMapping;
use crate::dialect::mappings::Proof::{Documented, Parser};
use crate::dialect::nginx::PREFIX;
use crate::dialect::nginx::paths::is_url;
use crate::dialect::support::{Support, partial, unsupported, whole_seconds};
use crate::intents::{Cors, ExternalAuth, Intent, IntentValue};
use crate::plan::{Annotation, Plan};
use crate::validation::{parse_bool, www};
use crate::values::{BackendProtocol, Target};

pub(in crate::dialect) static MAPPINGS: &[IntentMapping] = &[
    IntentMapping::new(Intent::HttpsRedirect, "ssl-redirect, force-ssl-redirect", Parser, "0.9"),
    IntentMapping::new(Intent::HttpsRedirectCode, "308 (always, no annotation)", Documented, "0.9"),
    IntentMapping::new(
        Intent::Canary,
        "canary, canary-weight, canary-by-header, canary-by-header-value, canary-by-cookie",
        Parser,
        "0.21",
    ),
    IntentMapping::new(
        Intent::StripPrefix,
        "rewrite-target: /$2, and the path /shop(/|$)(.*) for /shop",
        Parser,
        "0.22",
    ),
    IntentMapping::new(Intent::RewritePath, "rewrite-target", Parser, "0.22"),
    IntentMapping::new(
        Intent::AllowedSources,
        "allowlist-source-range or whitelist-source-range",
        Parser,
        "1.9",
    ),
    IntentMapping::new(Intent::DeniedSources, "denylist-source-range", Parser, "1.3"),
    IntentMapping::new(Intent::BasicAuth, "auth-type: basic, auth-secret, auth-realm", Parser, "0.9"),
    IntentMapping::new(Intent::ExternalAuth, "auth-url, auth-signin, auth-response-headers", Parser, "0.9"),
    IntentMapping::new(Intent::ConnectTimeout, "proxy-connect-timeout", Parser, "0.9"),
    IntentMapping::new(Intent::IdleTimeout, "proxy-read-timeout, proxy-send-timeout", Parser, "0.9"),
    IntentMapping::new(Intent::MaxBodySize, "proxy-body-size", Parser, "0.9"),
    IntentMapping::new(
        Intent::Cors,
        "enable-cors, cors-allow-origin, cors-allow-methods, cors-allow-headers, cors-expose-headers, cors-allow-credentials, cors-max-age",
        Parser,
        "0.9",
    ),
    IntentMapping::new(Intent::BackendProtocol, "backend-protocol", Parser, "0.21"),
    IntentMapping::new(
        Intent::StickySession,
        "affinity: cookie, session-cookie-name, session-cookie-max-age",
        Parser,
        "0.24",
    ),
    IntentMapping::new(Intent::RedirectFrom, "from-to-www-redirect", Parser, "0.9"),
    IntentMapping::new(Intent::RateLimit, "limit-rps, limit-rpm, limit-burst-multiplier", Parser, "0.9"),
    IntentMapping::new(Intent::ClientCertificate, "auth-tls-secret, auth-tls-verify-client", Parser, "0.9"),
    IntentMapping::new(Intent::TlsPassthrough, "ssl-passthrough", Parser, "0.9"),
];

pub(in crate::dialect) fn support(
    plan: &Plan,
    intent: Intent,
    intent_value: Option<&IntentValue>,
) -> Support {
    // On the Ingress of a canary, the annotations have no effect. A rule reports this.
    if plan.canary.is_some() {
        return Support::Full;
    }
    match intent {
        Intent::HttpsRedirectCode if intent_value != Some(&IntentValue::Code(308)) => {
            return unsupported(match plan.controller(Target::Ingress) {
                Controller::IngressNginx => {
                    "remove it, or set http-redirect-code in the ConfigMap of ingress-nginx"
                }
                _ => "remove it, or choose another class",
            });
        }
        Intent::RequestHeaders => {
            return unsupported("remove it, and set the headers in the Service, or choose another class");
        }
        Intent::ResponseHeaders => {
            return unsupported(format!(
                "remove it, put the headers into a ConfigMap, forward nginx.ingress.kubernetes.io/custom-headers: {}/ and its name, and have the headers named in global-allowed-response-headers of the controller",
                plan.namespace().unwrap_or("namespace")
            ));
        }
        Intent::Timeout => return unsupported("write IdleTimeout instead"),
        _ => {}
    }
    intent_value.and_then(|intent_value| value(plan, intent, intent_value)).unwrap_or(Support::Full)
}

/// Returns how ingress-nginx treats a value that it does not support, or not exactly.
fn value(plan: &Plan, intent: Intent, intent_value: &IntentValue) -> Option<Support> {
    match intent_value {
        IntentValue::Switch(true) if intent == Intent::StripPrefix && plan.pattern().is_some() => {
            Some(unsupported("write the path without a regular expression"))
        }
        IntentValue::Switch(true) if intent == Intent::TlsPassthrough => {
            Some(partial(match plan.controller(Target::Ingress) {
                Controller::TraefikNginx => "does nothing else for the host",
                _ => {
                    "passes TLS through only if it runs with --enable-ssl-passthrough, and then does nothing else for the host"
                }
            }))
        }
        IntentValue::Path(target) if target.contains('$') && plan.pattern().is_none() => {
            Some(unsupported("write a target without `$`, or a path with groups"))
        }
        IntentValue::Path(target)
            if !target.chars().all(|c| is_url(c) && !",?&=".contains(c) || c == '$') =>
        {
            Some(unsupported("write letters, digits and `/ - . _ ~ : $`"))
        }
        IntentValue::Duration(ms) => whole_seconds(*ms),
        IntentValue::Protocol(BackendProtocol::H2c) => {
            Some(unsupported("write grpc if the Service speaks it, or http"))
        }
        IntentValue::ExternalAuth(auth) => external_auth(auth),
        IntentValue::Cors(cors) => cors_lists(cors),
        IntentValue::Sticky(sticky)
            if !sticky.cookie.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)) =>
        {
            Some(unsupported("name the cookie with letters, digits and `- . _`"))
        }
        IntentValue::Hosts(hosts) if hosts.iter().any(|host| host != "www") => {
            Some(unsupported("write only www, or redirect the other hosts by a Service of their own"))
        }
        IntentValue::Hosts(_) => impossible_www(plan).map(|(_, help)| unsupported(help)),
        IntentValue::Rate(rate) if rate.per > 60 => {
            Some(unsupported("write the limit for a second or a minute"))
        }
        IntentValue::Rate(rate) if rate.burst.is_some_and(|burst| burst % rate.requests.max(1) != 0) => {
            Some(unsupported(format!("write a burst that is a multiple of {}", rate.requests)))
        }
        IntentValue::Certificate(_) if !plan.tls().has_secret() => {
            Some(unsupported("set config.xposer.stakater.com/TLS: \"true\""))
        }
        IntentValue::Certificate(_) if plan.namespace().is_none() => {
            Some(unsupported("set metadata.namespace"))
        }
        IntentValue::Certificate(wanted) if !wanted.is_optional => certificate(plan),
        _ => None,
    }
}

/// Returns why nothing is redirected between the hosts and the same hosts with `www.`, and a help; `None` if something is.
/// ingress-nginx makes the name `www.*.example.com` of a wildcard, with which nginx loads no configuration. Traefik redirects only the
/// other hosts. Both redirect no host that the Ingress itself serves.
fn impossible_www(plan: &Plan) -> Option<(&'static str, &'static str)> {
    let mut others = plan.rules.iter().map(|route| www(&route.host));
    let has_star = match plan.controller(Target::Ingress) {
        Controller::IngressNginx => others.any(|other| other.is_none()),
        _ => others.len() > 0 && others.all(|other| other.is_none()),
    };
    if has_star {
        let help = "remove it, or expose the hosts with a star by another Service";
        return Some(("has nothing for this line with a wildcard host", help));
    }
    let is_own = |host: String| plan.rules.iter().any(|route| route.host == host);
    let are_own = !plan.rules.is_empty() && plan.rules.iter().filter_map(|it| www(&it.host)).all(is_own);
    let said = "redirects nothing for this line: the Service has the hosts with and without `www.`";
    are_own.then_some((said, "remove it, or one of the hosts"))
}

/// Returns the same for a line that asks for such a redirect, and is not written.
pub(crate) fn impossible_www_of(plan: &Plan, given: &Annotation) -> Option<(&'static str, &'static str)> {
    let is_asked = given.key == FROM_TO_WWW
        && parse_bool(&given.value) == Some(true)
        && plan.has_stable_ingress()
        && plan.controller(Target::Ingress).is_nginx();
    impossible_www(plan).filter(|_| is_asked)
}

/// Returns why ingress-nginx cannot require a client certificate from everybody; `None` if it can.
pub(in crate::dialect) fn certificate(plan: &Plan) -> Option<Support> {
    needs_tls(plan).map(|help| unsupported(help + ", because clients without TLS show no certificate"))
}

/// Returns how another program differs in an external authentication that annotations of ingress-nginx ask for. An option that asks
/// for it has no differences.
pub(in crate::dialect) fn external_auth_differences(plan: &Plan, auth: &ExternalAuth) -> Vec<&'static str> {
    let wanted = plan.requested(Intent::ExternalAuth).and_then(|wanted| wanted.keys.first());
    if !wanted.is_some_and(|key| key.starts_with(PREFIX)) {
        return Vec::new();
    }
    let mut differences = vec!["sends the server no X-Original-URL"];
    if auth.sign_in.as_ref().is_some_and(|url| !url.contains("rd=")) {
        differences.push("does not add the URL of the request to auth-signin, as `rd`");
    }
    differences
}

fn external_auth(auth: &ExternalAuth) -> Option<Support> {
    let is_name = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !auth.url.chars().chain(auth.sign_in.iter().flat_map(|url| url.chars())).all(is_url) {
        return Some(unsupported("write URLs of letters, digits and `/ - . _ ~ : , ? & =`"));
    }
    if !auth.response_headers.iter().all(is_name) {
        return Some(unsupported("name headers of letters, digits, `-` and `_`"));
    }
    match &auth.sign_in {
        Some(url) if !url.contains("rd=") => Some(partial("adds the URL of the request to signIn, as `rd`")),
        _ => None,
    }
}

/// Returns which lists ingress-nginx does not support. It accepts a star in place of names only for exposed headers.
fn cors_lists(cors: &Cors) -> Option<Support> {
    let is_method = |method: &String| method.chars().all(|c| c.is_ascii_alphabetic());
    let is_header = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !cors.methods.iter().all(is_method) {
        return Some(unsupported("name the methods"));
    }
    let are_names =
        cors.headers.iter().all(is_header) && cors.expose_headers.iter().all(|it| it == "*" || is_header(it));
    (!are_names).then(|| unsupported("name the headers with letters, digits, `-` and `_`"))
}
