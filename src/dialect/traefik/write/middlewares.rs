//! The Middlewares of a plan, in the order in which a request passes them.

use serde_json::{Map, Value, json};

use super::networks::complement;
use crate::dialect::gateway::regex::grouped;
use crate::dialect::traefik::support::{Rewrite, ends_tls, prefix, support};
use crate::intents::{Cors, Header, Intent, IntentValue};
use crate::plan::{Plan, numbered};
use crate::values::Target;

/// The suffix of the Middleware that redirects to https. The name of the plan precedes it.
const REDIRECT: &str = "https-redirect";
/// The suffix of the Middlewares and Ingresses of other hosts. The name of the plan precedes it.
pub(super) const FROM: &str = "redirect-from";

/// A Middleware of a plan.
#[derive(Clone, Debug)]
pub(super) struct Middleware {
    /// The part of its name after the name of the plan.
    suffix: String,
    pub(super) spec: Value,
}

/// The intents that become one Middleware each, and the suffixes of their names. CORS comes first, because preflight requests
/// carry no password. External authentication comes before changes of the path, because the server gets the whole path.
const IN_ORDER: [(Intent, &str); 11] = [
    (Intent::Cors, "cors"),
    (Intent::AllowedSources, "allowed-sources"),
    (Intent::DeniedSources, "denied-sources"),
    (Intent::RateLimit, "rate-limit"),
    (Intent::BasicAuth, "basic-auth"),
    (Intent::ExternalAuth, "external-auth"),
    (Intent::MaxBodySize, "max-body-size"),
    (Intent::StripPrefix, "strip-prefix"),
    (Intent::RewritePath, "rewrite-path"),
    (Intent::RequestHeaders, "request-headers"),
    (Intent::ResponseHeaders, "response-headers"),
];

/// Returns the Middlewares of the plan's own Ingress.
pub(super) fn middlewares(plan: &Plan) -> Vec<Middleware> {
    let is_said = |intent: Intent, intent_value: Option<&IntentValue>| {
        crate::dialect::support::support(plan, Target::Ingress, intent, intent_value).is_supported()
    };
    let mut all = Vec::new();
    // Behind a load balancer that ends TLS, one Ingress serves requests with TLS and without.
    if plan.tls().is_on() && !ends_tls(plan) && plan.redirects(Target::Ingress) {
        all.extend(Middleware::https_redirect(plan));
    }
    for (intent, suffix) in IN_ORDER {
        let Some(intent_value) =
            plan.intent_value(intent).filter(|intent_value| is_said(intent, Some(intent_value)))
        else {
            continue;
        };
        if let Some(spec) = spec(plan, intent, intent_value) {
            all.push(Middleware { suffix: suffix.to_owned(), spec });
        }
    }
    all
}

impl Middleware {
    pub(super) fn name(&self, plan: &Plan) -> String {
        [plan.name(), "-", &self.suffix].concat()
    }

    /// Returns the Middleware that redirects requests to https: GET with 301 or 302, other methods with 308 or 307.
    pub(super) fn https_redirect(plan: &Plan) -> Option<Self> {
        if !support(plan, Intent::HttpsRedirect, None).is_supported() {
            return None;
        }
        let code = plan.intent_value(Intent::HttpsRedirectCode);
        let is_permanent = !matches!(code, Some(IntentValue::Code(302 | 307)));
        let spec = json!({"redirectScheme": {"permanent": is_permanent, "scheme": "https"}});
        Some(Self { suffix: REDIRECT.to_owned(), spec })
    }

    /// Returns the Middlewares that redirect other hosts to those of the plan.
    pub(super) fn from_other_hosts(plan: &Plan) -> Vec<Self> {
        if !support(plan, Intent::RedirectFrom, plan.intent_value(Intent::RedirectFrom)).is_supported() {
            return Vec::new();
        }
        let scheme = if plan.tls().is_on() { "https" } else { "http" };
        let all = plan.redirected_hosts().into_iter().enumerate().map(|(index, (to, from))| {
            let from: Vec<String> = from.iter().map(|host| host.replace('.', "\\.")).collect();
            let spec = json!({"redirectRegex": {
                "permanent": true,
                "regex": format!("(?i)^https?://(?:{})(?::[0-9]+)?/(.*)", from.join("|")),
                "replacement": format!("{scheme}://{to}/${{1}}"),
            }});
            Self { suffix: numbered(FROM, index).into_owned(), spec }
        });
        all.collect()
    }
}

fn spec(plan: &Plan, intent: Intent, intent_value: &IntentValue) -> Option<Value> {
    Some(match (intent, intent_value) {
        (Intent::Cors, IntentValue::Cors(cors)) => json!({"headers": headers_of(&cors.with_defaults())}),
        (Intent::AllowedSources, IntentValue::Sources(list)) => json!({"ipAllowList": {"sourceRange": list}}),
        (Intent::DeniedSources, IntentValue::Sources(list)) => {
            json!({"ipAllowList": {"sourceRange": complement(list)}})
        }
        (Intent::RateLimit, IntentValue::Rate(rate)) => {
            // The bucket holds one request and the burst. Without a burst, it holds the requests of a whole period.
            let burst = rate.burst.map_or(rate.requests, |burst| burst.saturating_add(1));
            let period = format!("1{}", rate.unit());
            json!({"rateLimit": {"average": rate.requests, "burst": burst, "period": period}})
        }
        (Intent::BasicAuth, IntentValue::BasicAuth(auth)) => {
            let realm = auth.realm.as_ref().map(|realm| ("realm", json!(realm)));
            json!({"basicAuth": map([Some(("secret", json!(auth.secret))), realm])})
        }
        (Intent::ExternalAuth, IntentValue::ExternalAuth(auth)) => {
            let headers = Some(&auth.response_headers).filter(|list| !list.is_empty());
            json!({"forwardAuth": map([
                Some(("address", json!(auth.url))),
                headers.map(|list| ("authResponseHeaders", json!(list))),
                auth.sign_in.as_ref().map(|url| ("authSigninURL", json!(url))),
            ])})
        }
        (Intent::MaxBodySize, IntentValue::Size(bytes)) if *bytes > 0 => {
            json!({"buffering": {"maxRequestBodyBytes": bytes}})
        }
        (Intent::StripPrefix, IntentValue::Switch(true)) => return strip(plan),
        (Intent::RewritePath, IntentValue::Path(path)) => match Rewrite::of(plan, path)? {
            Rewrite::Whole(path) => json!({"replacePath": {"path": path}}),
            Rewrite::Groups(route, path) => json!({"replacePathRegex": {
                // ingress-nginx replaces the whole path, wherever the match ends.
                "regex": format!("(?i)^{}.*", grouped(&route.path)),
                "replacement": groups(path),
            }}),
        },
        (Intent::RequestHeaders, IntentValue::Headers(list)) => {
            json!({"headers": {"customRequestHeaders": set(list)}})
        }
        (Intent::ResponseHeaders, IntentValue::Headers(list)) => {
            json!({"headers": {"customResponseHeaders": set(list)}})
        }
        _ => return None,
    })
}

/// Returns the Middleware that strips the prefixes, the longest one first. Prefixes of regular expressions match in any letter
/// case.
fn strip(plan: &Plan) -> Option<Value> {
    let mut prefixes: Vec<&str> = plan.rules.iter().filter_map(prefix).filter(|it| !it.is_empty()).collect();
    prefixes.sort_unstable_by(|left, right| right.len().cmp(&left.len()).then(left.cmp(right)));
    prefixes.dedup();
    if prefixes.is_empty() {
        return None;
    }
    if plan.pattern().is_none() {
        return Some(json!({"stripPrefix": {"prefixes": prefixes}}));
    }
    let regex: Vec<String> =
        prefixes.iter().map(|path| format!("(?i)^{}", path.replace('.', "\\."))).collect();
    Some(json!({"stripPrefixRegex": {"regex": regex}}))
}

/// Writes `$1` as `${1}`, because Go would read `$1x` as a group with the name `1x`.
fn groups(path: &str) -> String {
    let mut parts = path.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digit, rest) = part.split_at_checked(1).unwrap_or((part, ""));
        text.push_str(&format!("${{{digit}}}{rest}"));
    }
    text
}

/// Returns the headers to set. An empty value removes a header.
fn set(headers: &[Header]) -> Value {
    let set = headers.iter().map(|it| (it.name.clone(), json!(it.value.as_deref().unwrap_or_default())));
    Value::Object(set.collect())
}

fn headers_of(cors: &Cors) -> Value {
    let (stars, origins): (Vec<&String>, Vec<&String>) =
        cors.origins.iter().partition(|origin| origin.contains("*."));
    let regexes: Vec<String> = stars.into_iter().map(|origin| origin_regex(origin)).collect();
    let list = |name, list: &[String]| Some((name, json!(list))).filter(|_| !list.is_empty());
    map([
        list("accessControlAllowHeaders", &cors.headers),
        list("accessControlAllowMethods", &cors.methods),
        list("accessControlAllowOriginListRegex", &regexes),
        list("accessControlExposeHeaders", &cors.expose_headers),
        Some(("accessControlAllowOriginList", json!(origins))).filter(|_| !origins.is_empty()),
        cors.credentials.then_some(("accessControlAllowCredentials", json!(true))),
        cors.max_age.map(|seconds| ("accessControlMaxAge", json!(seconds))),
        Some(("addVaryHeader", json!(true))),
    ])
}

/// Returns the regular expression for an origin. A star stands for one label.
fn origin_regex(origin: &str) -> String {
    format!("^{}$", origin.replace('.', "\\.").replace('*', "[A-Za-z0-9-]+"))
}

fn map<const N: usize>(entries: [Option<(&str, Value)>; N]) -> Value {
    let entries = entries.into_iter().flatten().map(|(key, value)| (key.to_owned(), value));
    Value::Object(entries.collect::<Map<_, _>>())
}
