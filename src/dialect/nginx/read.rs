//! What the annotations of ingress-nginx mean, in words of no program.
//!
//! An annotation that has no meaning here, or whose value the grammar of the intent does not take, is not read: what is lost with
//! it is found key by key.

use super::PREFIX;
use crate::diagnostics::Sourced;
use crate::dialect::read::Meant;
use crate::intents::{Cors, Given, Intent, RateLimit, Wish};
use crate::plan::{Annotation, Plan, Route};
use crate::validation::parse_bool;

/// The names of the keys that an intent is read from: without the first one, the others say nothing. For the reference, a key
/// belongs to the first intent that has it.
pub(crate) const KEYS: &[(Intent, &[&str])] = &[
    (Intent::HttpsRedirect, &["force-ssl-redirect", "ssl-redirect"]),
    (
        Intent::Canary,
        &[
            "canary",
            "canary-weight",
            "canary-weight-total",
            "canary-by-header",
            "canary-by-header-value",
            "canary-by-header-pattern",
            "canary-by-cookie",
        ],
    ),
    (Intent::RewritePath, &["rewrite-target", "use-regex"]),
    (Intent::AllowedSources, &["allowlist-source-range", "whitelist-source-range"]),
    (Intent::DeniedSources, &["denylist-source-range"]),
    (Intent::BasicAuth, &["auth-type", "auth-secret", "auth-secret-type", "auth-realm"]),
    (Intent::ExternalAuth, &["auth-url", "auth-signin", "auth-response-headers", "auth-method"]),
    (Intent::ConnectTimeout, &["proxy-connect-timeout"]),
    (Intent::IdleTimeout, &["proxy-read-timeout", "proxy-send-timeout"]),
    (Intent::MaxBodySize, &["proxy-body-size"]),
    (
        Intent::Cors,
        &[
            "enable-cors",
            "cors-allow-origin",
            "cors-allow-methods",
            "cors-allow-headers",
            "cors-expose-headers",
            "cors-allow-credentials",
            "cors-max-age",
        ],
    ),
    (Intent::RequestHeaders, &["x-forwarded-prefix"]),
    (Intent::BackendProtocol, &["backend-protocol"]),
    (
        Intent::StickySession,
        &[
            "affinity",
            "affinity-mode",
            "session-cookie-name",
            "session-cookie-max-age",
            "session-cookie-expires",
        ],
    ),
    (Intent::RedirectFrom, &["from-to-www-redirect"]),
    (Intent::RateLimit, &["limit-rps", "limit-rpm", "limit-burst-multiplier"]),
    (Intent::ClientCertificate, &["auth-tls-secret", "auth-tls-verify-client"]),
    (Intent::TlsPassthrough, &["ssl-passthrough"]),
];

/// The annotations of a plan by their names.
struct Annotations<'p>(&'p Plan);

impl<'p> Annotations<'p> {
    /// The annotation of this name; an empty one counts as missing.
    fn get(&self, name: &str) -> Option<&'p Annotation> {
        let mut all = self.0.annotations.iter();
        all.find(|it| it.key.strip_prefix(PREFIX) == Some(name) && !it.value.trim().is_empty())
    }

    fn text(&self, name: &str) -> Option<&'p str> {
        self.get(name).map(|it| it.value.trim())
    }

    fn is_true(&self, name: &str) -> bool {
        self.text(name).and_then(parse_bool) == Some(true)
    }

    /// A meaning of the annotations of these names that are given.
    fn meant(&self, intent: Intent, names: &[&str], wish: Wish) -> Option<Meant> {
        let given: Vec<&Annotation> = names.iter().filter_map(|name| self.get(name)).collect();
        Meant::new(intent, wish, &given)
    }

    /// A meaning that the grammar of the intent reads.
    fn parsed(&self, intent: Intent, names: &[&str], text: &str) -> Option<Meant> {
        self.meant(intent, names, intent.read(Given(text)).ok()?)
    }
}

/// What the annotations of a plan mean.
pub(in crate::dialect) fn read(plan: &Plan) -> Vec<Meant> {
    if !plan.annotations.iter().any(|it| it.key.starts_with(PREFIX)) {
        return Vec::new();
    }
    let given = Annotations(plan);
    let all = [
        rewrite(&given),
        sources(&given, Intent::AllowedSources, &["allowlist-source-range", "whitelist-source-range"]),
        sources(&given, Intent::DeniedSources, &["denylist-source-range"]),
        basic_auth(&given),
        external_auth(&given),
        seconds(&given, Intent::ConnectTimeout, &["proxy-connect-timeout"]),
        idle_timeout(&given),
        body_size(&given),
        cors(&given),
        prefix_header(&given),
        protocol(&given),
        sticky(&given),
        given
            .is_true("from-to-www-redirect")
            .then(|| given.parsed(Intent::RedirectFrom, &["from-to-www-redirect"], "www"))
            .flatten(),
        rate_limit(&given),
        client_certificate(&given),
        given
            .is_true("ssl-passthrough")
            .then(|| given.meant(Intent::TlsPassthrough, &["ssl-passthrough"], Wish::Switch(true)))
            .flatten(),
    ];
    all.into_iter().flatten().collect()
}

/// The path in front of a pattern whose rewrite cuts it off: of `/shop(/|$)(.*)` with the target `/$2` it is `/shop`.
pub(crate) fn stripped<'r>(route: &'r Route, target: &str) -> Option<&'r str> {
    let ends = [("(/|$)(.*)", "/$2"), ("/(.*)", "/$1"), ("(/|$)(.+)", "/$2"), ("/?(.*)", "/$1")];
    let path = ends.into_iter().find_map(|(end, rest)| {
        Some(route.path.strip_suffix('$').unwrap_or(&route.path).strip_suffix(end)?)
            .filter(|_| target == rest)
    })?;
    let is_plain =
        path.starts_with('/') && path.chars().all(|c| c.is_ascii_alphanumeric() || "-_~/".contains(c));
    is_plain.then_some(path)
}

/// Whether the annotations send requests without TLS to https, and which of them says it. Without a TLS section, only
/// `force-ssl-redirect` does.
pub(crate) fn https_redirect(plan: &Plan) -> Option<Sourced<bool>> {
    let given = Annotations(plan);
    let says = |name: &str| {
        let annotation = given.get(name)?;
        Some(Sourced::new(parse_bool(annotation.value.trim())?, annotation.origin()))
    };
    says("force-ssl-redirect")
        .filter(|forced| forced.value)
        .or_else(|| says("ssl-redirect").filter(|redirect| !redirect.value || plan.tls().has_secret()))
}

/// A rewrite that cuts off the paths of all routes, or puts something in their place.
fn rewrite(given: &Annotations<'_>) -> Option<Meant> {
    let target = given.text("rewrite-target")?;
    let names = ["rewrite-target", "use-regex"];
    if !given.0.rules.is_empty() && given.0.rules.iter().all(|route| stripped(route, target).is_some()) {
        return given.meant(Intent::StripPrefix, &names, Wish::Switch(true));
    }
    given.parsed(Intent::RewritePath, &names, target)
}

fn sources(given: &Annotations<'_>, intent: Intent, names: &[&str]) -> Option<Meant> {
    let name = names.iter().find(|name| given.get(name).is_some())?;
    given.parsed(intent, &[*name], given.text(name)?)
}

/// Without `auth-type`, ingress-nginx asks nobody. A map of users is another form of the secret.
fn basic_auth(given: &Annotations<'_>) -> Option<Meant> {
    let is_file = given.text("auth-secret-type").is_none_or(|form| form == "auth-file");
    if given.text("auth-type")? != "basic" || !is_file {
        return None;
    }
    // It takes a secret of the own namespace with the namespace before it, too.
    let secret = given.text("auth-secret")?;
    let own = given.0.namespace().and_then(|own| secret.strip_prefix(own)?.strip_prefix('/'));
    let realm = given.text("auth-realm").map(|realm| format!("\nrealm: {realm}")).unwrap_or_default();
    let text = format!("secret: {}{realm}", own.unwrap_or(secret));
    given.parsed(Intent::BasicAuth, &["auth-type", "auth-secret", "auth-secret-type", "auth-realm"], &text)
}

fn external_auth(given: &Annotations<'_>) -> Option<Meant> {
    let url = given.text("auth-url")?;
    if given.text("auth-method").is_some_and(|method| method != "GET") {
        return None;
    }
    let headers = given.text("auth-response-headers");
    let headers = headers.map(|list| format!("\nresponseHeaders: {list}")).unwrap_or_default();
    let names = ["auth-url", "auth-response-headers", "auth-method"];
    // A sign-in with variables of nginx has no other words; without it, clients see the answer of the server.
    let sign_in = given.text("auth-signin").and_then(|sign_in| {
        let text = format!("url: {url}\nsignIn: {sign_in}{headers}");
        given.parsed(
            Intent::ExternalAuth,
            &["auth-url", "auth-signin", "auth-response-headers", "auth-method"],
            &text,
        )
    });
    sign_in.or_else(|| given.parsed(Intent::ExternalAuth, &names, &format!("url: {url}{headers}")))
}

/// A number of seconds.
fn seconds(given: &Annotations<'_>, intent: Intent, names: &[&str]) -> Option<Meant> {
    let seconds = given.text(names.first()?)?;
    given.parsed(intent, names, &duration(seconds)?)
}

/// A number of seconds as the grammar of durations has it, which takes at most five digits a unit.
fn duration(seconds: &str) -> Option<String> {
    let seconds: u64 = seconds.parse().ok()?;
    Some(match seconds {
        0..=99_999 => format!("{seconds}s"),
        _ => format!("{}h{}m{}s", seconds / 3600, seconds % 3600 / 60, seconds % 60),
    })
}

/// The two directions have one time, if they have the same.
fn idle_timeout(given: &Annotations<'_>) -> Option<Meant> {
    let (read, send) = (given.text("proxy-read-timeout"), given.text("proxy-send-timeout"));
    let names: &[&str] = match (read, send) {
        (Some(read), Some(send)) if read == send => &["proxy-read-timeout", "proxy-send-timeout"],
        _ => &["proxy-read-timeout"],
    };
    seconds(given, Intent::IdleTimeout, names)
}

/// `10m` is 10 times 1,048,576 bytes.
fn body_size(given: &Annotations<'_>) -> Option<Meant> {
    let text = given.text("proxy-body-size")?.to_ascii_lowercase().replace(' ', "");
    let unit = match text.trim_start_matches(|c: char| c.is_ascii_digit()) {
        "" | "b" => "",
        "k" => "Ki",
        "m" => "Mi",
        "g" => "Gi",
        _ => return None,
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    given.parsed(Intent::MaxBodySize, &["proxy-body-size"], &format!("{digits}{unit}"))
}

/// The defaults are those of ingress-nginx 1.15: all origins, credentials, 20 days.
fn cors(given: &Annotations<'_>) -> Option<Meant> {
    if !given.is_true("enable-cors") {
        return None;
    }
    let part =
        |key: &str, name: &str, default: &str| format!("{key}: {}\n", given.text(name).unwrap_or(default));
    let mut text = part("origins", "cors-allow-origin", "*");
    text += &part("methods", "cors-allow-methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS");
    text += &part(
        "headers",
        "cors-allow-headers",
        "DNT, Keep-Alive, User-Agent, X-Requested-With, If-Modified-Since, Cache-Control, Content-Type, Range, Authorization",
    );
    if let Some(exposed) = given.text("cors-expose-headers") {
        text += &format!("exposeHeaders: {exposed}\n");
    }
    text += &format!("maxAge: {}\n", duration(given.text("cors-max-age").unwrap_or("1728000"))?);
    let Wish::Cors(read) = Intent::Cors.read(Given(&text)).ok()? else { return None };
    let is_any = read.origins.iter().any(|origin| origin == "*");
    let credentials = given.text("cors-allow-credentials").map_or(Some(true), parse_bool)?;
    // It answers each origin with its own name, so that `*` with credentials is every origin with its cookies. Nobody asked
    // for that but by its default, and no other program offers it.
    if credentials && is_any && given.get("cors-allow-credentials").is_some() {
        return None;
    }
    let names = KEYS.iter().find(|(intent, _)| *intent == Intent::Cors).map(|(_, names)| *names)?;
    given.meant(Intent::Cors, names, Wish::Cors(Cors { credentials: credentials && !is_any, ..read }))
}

/// It is sent together with a rewrite only.
fn prefix_header(given: &Annotations<'_>) -> Option<Meant> {
    given.get("rewrite-target")?;
    let text = format!("X-Forwarded-Prefix: {}", given.text("x-forwarded-prefix")?);
    given.parsed(Intent::RequestHeaders, &["x-forwarded-prefix"], &text)
}

fn protocol(given: &Annotations<'_>) -> Option<Meant> {
    let word = given.text("backend-protocol")?.to_ascii_lowercase();
    given.parsed(
        Intent::BackendProtocol,
        &["backend-protocol"],
        if word == "auto_http" { "http" } else { &word },
    )
}

fn sticky(given: &Annotations<'_>) -> Option<Meant> {
    if given.text("affinity")? != "cookie" {
        return None;
    }
    let name = given.text("session-cookie-name").unwrap_or("INGRESSCOOKIE");
    let age = given.text("session-cookie-max-age").or_else(|| given.text("session-cookie-expires"));
    let age = match age {
        Some(age) => format!("\nmaxAge: {}", duration(age)?),
        None => String::new(),
    };
    let names = [
        "affinity",
        "affinity-mode",
        "session-cookie-name",
        "session-cookie-max-age",
        "session-cookie-expires",
    ];
    given.parsed(Intent::StickySession, &names, &format!("cookie: {name}{age}"))
}

/// The burst is the limit times five, or times what is given.
fn rate_limit(given: &Annotations<'_>) -> Option<Meant> {
    let number = |name: &str| given.text(name).and_then(|text| text.parse::<u32>().ok()).filter(|it| *it > 0);
    let (name, per) = match (number("limit-rps"), number("limit-rpm")) {
        (Some(_), None) => ("limit-rps", 1),
        (None, Some(_)) => ("limit-rpm", 60),
        // Both together are two limits.
        _ => return None,
    };
    let requests = number(name)?;
    let burst = requests.saturating_mul(number("limit-burst-multiplier").unwrap_or(5));
    let rate = RateLimit { requests, per, burst: Some(burst) };
    given.meant(Intent::RateLimit, &[name, "limit-burst-multiplier"], Wish::Rate(rate))
}

/// Other modes of verification have no other words.
fn client_certificate(given: &Annotations<'_>) -> Option<Meant> {
    let secret = given.text("auth-tls-secret")?;
    let own = given.0.namespace().and_then(|own| secret.strip_prefix(own)?.strip_prefix('/'));
    let verify = given.text("auth-tls-verify-client").unwrap_or("on");
    let text = format!("secret: {}\nverify: {verify}", own.unwrap_or(secret));
    given.parsed(Intent::ClientCertificate, &["auth-tls-secret", "auth-tls-verify-client"], &text)
}
