//! The Middlewares of a plan. Their order is that in which a request passes them.

use serde_json::{Map, Value, json};

use super::networks::others;
use crate::dialect::gateway::regex::grouped;
use crate::dialect::traefik::says::{Rewrite, ends_tls, prefix, says};
use crate::intents::{Cors, Header, Intent, Wish};
use crate::plan::{Plan, numbered};
use crate::values::Target;

/// What the Middleware that redirects to https is called behind the name of the plan.
const REDIRECT: &str = "https-redirect";
/// What the Middlewares and Ingresses of other hosts are called there.
pub(super) const FROM: &str = "redirect-from";

/// A Middleware.
#[derive(Clone, Debug)]
pub(super) struct Middleware {
    /// What it is called behind the name of the plan.
    suffix: String,
    pub(super) spec: Value,
}

/// The intents that become a Middleware each, and what these are called. Answers to questions of a browser need no password; a
/// server that is asked about a request gets its whole path.
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

/// The Middlewares of the plan's own Ingress.
pub(super) fn middlewares(plan: &Plan) -> Vec<Middleware> {
    let is_said = |intent: Intent, wish: Option<&Wish>| says(plan, intent, wish).is_done();
    let mut all = Vec::new();
    // In front of a load balancer that ends TLS, there is one Ingress for both.
    if plan.tls().is_on() && !ends_tls(plan) && plan.redirects(Target::Ingress) {
        all.extend(Middleware::https_redirect(plan));
    }
    for (intent, suffix) in IN_ORDER {
        let Some(wish) = plan.wish(intent).filter(|wish| is_said(intent, Some(wish))) else { continue };
        if let Some(spec) = spec(plan, intent, wish) {
            all.push(Middleware { suffix: suffix.to_owned(), spec });
        }
    }
    all
}

impl Middleware {
    pub(super) fn name(&self, plan: &Plan) -> String {
        [plan.name(), "-", &self.suffix].concat()
    }

    /// Sends requests to https: GET with 301 or 302, others with 308 or 307.
    pub(super) fn https_redirect(plan: &Plan) -> Option<Self> {
        if !says(plan, Intent::HttpsRedirect, None).is_done() {
            return None;
        }
        let code = plan.wish(Intent::HttpsRedirectCode);
        let is_permanent = !matches!(code, Some(Wish::Code(302 | 307)));
        let spec = json!({"redirectScheme": {"permanent": is_permanent, "scheme": "https"}});
        Some(Self { suffix: REDIRECT.to_owned(), spec })
    }

    /// Sends other hosts to those of the plan.
    pub(super) fn from_other_hosts(plan: &Plan) -> Vec<Self> {
        if !says(plan, Intent::RedirectFrom, plan.wish(Intent::RedirectFrom)).is_done() {
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

fn spec(plan: &Plan, intent: Intent, wish: &Wish) -> Option<Value> {
    Some(match (intent, wish) {
        (Intent::Cors, Wish::Cors(cors)) => json!({"headers": headers_of(cors)}),
        (Intent::AllowedSources, Wish::Sources(list)) => json!({"ipAllowList": {"sourceRange": list}}),
        (Intent::DeniedSources, Wish::Sources(list)) => {
            json!({"ipAllowList": {"sourceRange": others(list)}})
        }
        (Intent::RateLimit, Wish::Rate(rate)) => {
            // A bucket holds one request and the burst; without a burst, those of a whole period.
            let burst = rate.burst.map_or(rate.requests, |burst| burst.saturating_add(1));
            let period = format!("1{}", rate.unit());
            json!({"rateLimit": {"average": rate.requests, "burst": burst, "period": period}})
        }
        (Intent::BasicAuth, Wish::BasicAuth(auth)) => {
            let realm = auth.realm.as_ref().map(|realm| ("realm", json!(realm)));
            json!({"basicAuth": map([Some(("secret", json!(auth.secret))), realm])})
        }
        (Intent::ExternalAuth, Wish::ExternalAuth(auth)) => {
            let headers = Some(&auth.response_headers).filter(|list| !list.is_empty());
            json!({"forwardAuth": map([
                Some(("address", json!(auth.url))),
                headers.map(|list| ("authResponseHeaders", json!(list))),
                auth.sign_in.as_ref().map(|url| ("authSigninURL", json!(url))),
            ])})
        }
        (Intent::MaxBodySize, Wish::Size(bytes)) if *bytes > 0 => {
            json!({"buffering": {"maxRequestBodyBytes": bytes}})
        }
        (Intent::StripPrefix, Wish::Switch(true)) => return strip(plan),
        (Intent::RewritePath, Wish::Path(path)) => match Rewrite::of(plan, path)? {
            Rewrite::Whole(path) => json!({"replacePath": {"path": path}}),
            Rewrite::Groups(route, path) => json!({"replacePathRegex": {
                // ingress-nginx replaces the whole path, wherever the match ends.
                "regex": format!("(?i)^{}.*", grouped(&route.path)),
                "replacement": groups(path),
            }}),
        },
        (Intent::RequestHeaders, Wish::Headers(list)) => {
            json!({"headers": {"customRequestHeaders": set(list)}})
        }
        (Intent::ResponseHeaders, Wish::Headers(list)) => {
            json!({"headers": {"customResponseHeaders": set(list)}})
        }
        _ => return None,
    })
}

/// The longest prefix counts first. Those of regular expressions fit in any case of their letters.
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

/// `$1` as Go writes it: `$1x` would be a group of the name `1x`.
fn groups(path: &str) -> String {
    let mut parts = path.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digit, rest) = part.split_at_checked(1).unwrap_or((part, ""));
        text.push_str(&format!("${{{digit}}}{rest}"));
    }
    text
}

/// Headers to set; an empty value removes one.
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

/// A star stands for one label.
fn origin_regex(origin: &str) -> String {
    format!("^{}$", origin.replace('.', "\\.").replace('*', "[A-Za-z0-9-]+"))
}

fn map<const N: usize>(entries: [Option<(&str, Value)>; N]) -> Value {
    let entries = entries.into_iter().flatten().map(|(key, value)| (key.to_owned(), value));
    Value::Object(entries.collect::<Map<_, _>>())
}
