//! The intents of a plan that ingress-nginx supports.

use crate::dialect::keeps::needs_tls;
use crate::dialect::nginx::paths::is_url;
use crate::dialect::says::{Says, but, lacks, whole_seconds};
use crate::dialect::words::Proof::{Documented, Parser};
use crate::dialect::words::Words;
use crate::intents::{Cors, ExternalAuth, Intent, Wish};
use crate::plan::Plan;
use crate::values::BackendProtocol;

pub(in crate::dialect) static WORDS: &[Words] = &[
    Words::new(Intent::HttpsRedirect, "ssl-redirect, force-ssl-redirect", Parser, "0.9"),
    Words::new(Intent::HttpsRedirectCode, "308 alone, without a word", Documented, "0.9"),
    Words::new(
        Intent::Canary,
        "canary, canary-weight, canary-by-header, canary-by-header-value, canary-by-cookie",
        Parser,
        "0.21",
    ),
    Words::new(
        Intent::StripPrefix,
        "rewrite-target: /$2, and the path /shop(/|$)(.*) for /shop",
        Parser,
        "0.22",
    ),
    Words::new(Intent::RewritePath, "rewrite-target", Parser, "0.22"),
    Words::new(Intent::AllowedSources, "allowlist-source-range or whitelist-source-range", Parser, "1.9"),
    Words::new(Intent::DeniedSources, "denylist-source-range", Parser, "1.3"),
    Words::new(Intent::BasicAuth, "auth-type: basic, auth-secret, auth-realm", Parser, "0.9"),
    Words::new(Intent::ExternalAuth, "auth-url, auth-signin, auth-response-headers", Parser, "0.9"),
    Words::new(Intent::ConnectTimeout, "proxy-connect-timeout", Parser, "0.9"),
    Words::new(Intent::IdleTimeout, "proxy-read-timeout, proxy-send-timeout", Parser, "0.9"),
    Words::new(Intent::MaxBodySize, "proxy-body-size", Parser, "0.9"),
    Words::new(
        Intent::Cors,
        "enable-cors, cors-allow-origin, cors-allow-methods, cors-allow-headers, cors-expose-headers, cors-allow-credentials, cors-max-age",
        Parser,
        "0.9",
    ),
    Words::new(Intent::BackendProtocol, "backend-protocol", Parser, "0.21"),
    Words::new(
        Intent::StickySession,
        "affinity: cookie, session-cookie-name, session-cookie-max-age",
        Parser,
        "0.24",
    ),
    Words::new(Intent::RedirectFrom, "from-to-www-redirect", Parser, "0.9"),
    Words::new(Intent::RateLimit, "limit-rps, limit-rpm, limit-burst-multiplier", Parser, "0.9"),
    Words::new(Intent::ClientCertificate, "auth-tls-secret, auth-tls-verify-client", Parser, "0.9"),
    Words::new(Intent::TlsPassthrough, "ssl-passthrough", Parser, "0.9"),
];

pub(in crate::dialect) fn says(plan: &Plan, intent: Intent, wish: Option<&Wish>) -> Says {
    // On the Ingress of a canary, the annotations have no effect. A rule reports this.
    if plan.canary.is_some() {
        return Says::Fully;
    }
    match intent {
        Intent::HttpsRedirectCode if wish != Some(&Wish::Code(308)) => {
            return lacks("remove it, or set http-redirect-code in the ConfigMap of ingress-nginx");
        }
        Intent::RequestHeaders => {
            return lacks("remove it, and set it in the Service, or choose another class");
        }
        Intent::ResponseHeaders => {
            return lacks(format!(
                "remove it, put the headers into a ConfigMap, and forward nginx.ingress.kubernetes.io/custom-headers: {}/ and its name",
                plan.namespace().unwrap_or("namespace")
            ));
        }
        Intent::Timeout => return lacks("write IdleTimeout instead"),
        _ => {}
    }
    wish.and_then(|wish| value(plan, intent, wish)).unwrap_or(Says::Fully)
}

/// Returns how ingress-nginx treats a value that it does not support, or not exactly.
fn value(plan: &Plan, intent: Intent, wish: &Wish) -> Option<Says> {
    match wish {
        Wish::Switch(true) if intent == Intent::StripPrefix && plan.pattern().is_some() => {
            Some(lacks("write the path without a regular expression"))
        }
        Wish::Switch(true) if intent == Intent::TlsPassthrough => Some(Says::But(
            "passes TLS through only if it runs with --enable-ssl-passthrough, and then does nothing else for the host"
                .into(),
        )),
        Wish::Path(target) if target.contains('$') && plan.pattern().is_none() => {
            Some(lacks("write a target without `$`, or a path with groups"))
        }
        Wish::Path(target) if !target.chars().all(|c| is_url(c) && !",?&=".contains(c) || c == '$') => {
            Some(lacks("write letters, digits and `/ - . _ ~ : $`"))
        }
        Wish::Duration(ms) => whole_seconds(*ms),
        Wish::Protocol(BackendProtocol::H2c) => Some(lacks("write grpc if the Service speaks it, or http")),
        Wish::ExternalAuth(auth) => external_auth(auth),
        Wish::Cors(cors) => cors_lists(cors),
        Wish::Sticky(sticky) if !sticky.cookie.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)) => {
            Some(lacks("name the cookie with letters, digits and `- . _`"))
        }
        Wish::Hosts(hosts) if hosts.iter().any(|host| host != "www") => {
            Some(lacks("write www alone, or redirect the other hosts by a Service of their own"))
        }
        Wish::Rate(rate) if rate.per > 60 => Some(lacks("write the limit for a second or a minute")),
        Wish::Rate(rate) if rate.burst.is_some_and(|burst| burst % rate.requests.max(1) != 0) => {
            Some(lacks(format!("write a burst that is a multiple of {}", rate.requests)))
        }
        Wish::Certificate(_) if !plan.tls().has_secret() => {
            Some(lacks("set config.xposer.stakater.com/TLS"))
        }
        Wish::Certificate(_) if plan.namespace().is_none() => Some(lacks("set metadata.namespace")),
        Wish::Certificate(wanted) if !wanted.is_optional => certificate(plan),
        _ => None,
    }
}

/// Returns why ingress-nginx cannot require a client certificate from everybody; `None` if it can.
pub(in crate::dialect) fn certificate(plan: &Plan) -> Option<Says> {
    needs_tls(plan).map(|help| lacks(help + ", because without TLS nobody shows a certificate"))
}

fn external_auth(auth: &ExternalAuth) -> Option<Says> {
    let is_name = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !auth.url.chars().chain(auth.sign_in.iter().flat_map(|url| url.chars())).all(is_url) {
        return Some(lacks("write URLs of letters, digits and `/ - . _ ~ : , ? & =`"));
    }
    if !auth.response_headers.iter().all(is_name) {
        return Some(lacks("name headers of letters, digits, `-` and `_`"));
    }
    match &auth.sign_in {
        Some(url) if !url.contains("rd=") => Some(but("adds the URL of the request to signIn, as `rd`")),
        _ => None,
    }
}

/// Returns which lists ingress-nginx does not support. It accepts a star in place of names only for exposed headers.
fn cors_lists(cors: &Cors) -> Option<Says> {
    let is_method = |method: &String| method.chars().all(|c| c.is_ascii_alphabetic());
    let is_header = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !cors.methods.iter().all(is_method) {
        return Some(lacks("name the methods"));
    }
    let are_names =
        cors.headers.iter().all(is_header) && cors.expose_headers.iter().all(|it| it == "*" || is_header(it));
    (!are_names).then(|| lacks("name the headers with letters, digits, `-` and `_`"))
}
