//! What the annotations of ingress-nginx mean, in words of no program.
//!
//! An annotation that has no meaning here, or whose value the grammar of the intent does not take, is not read: what is lost with
//! it is found key by key, and `unread` tells why.

use super::{CANARY, PREFIX};
use crate::diagnostics::Sourced;
use crate::dialect::nginx::paths::is_no_rewrite;
use crate::dialect::read::Meant;
use crate::intents::{Given, Intent, Wish, Wrong};
use crate::plan::{Annotation, Plan, Route};
use crate::validation::parse_bool;

/// What says which pages of other origins may ask.
const CORS: [&str; 7] = [
    "enable-cors",
    "cors-allow-origin",
    "cors-allow-methods",
    "cors-allow-headers",
    "cors-expose-headers",
    "cors-allow-credentials",
    "cors-max-age",
];

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
    (Intent::Cors, &CORS),
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

    /// What annotations say, if the grammar of the intent takes it.
    fn meant(&self, said: Said) -> Option<Meant> {
        let (intent, names) = (said.intent, said.names);
        let given: Vec<&Annotation> = names.iter().filter_map(|name| self.get(name)).collect();
        Meant::new(intent, said.wish().ok()?, &given)
    }
}

/// What the annotations of these names say, as the option of the intent says it, or why no option says it.
struct Said {
    intent: Intent,
    names: &'static [&'static str],
    text: Result<String, Wrong>,
}

impl Said {
    fn wish(self) -> Result<Wish, Wrong> {
        self.intent.read(Given(&self.text?)).map_err(|wrong| {
            let first = wrong.into_iter().next();
            first.unwrap_or_else(|| Wrong { said: String::new(), help: String::new() })
        })
    }
}

/// What some annotations say, if they are given.
type Read = fn(&Annotations<'_>) -> Option<Said>;

static READERS: &[Read] = &[
    rewrite,
    allowed_sources,
    denied_sources,
    basic_auth,
    external_auth,
    connect_timeout,
    idle_timeout,
    body_size,
    cors,
    prefix_header,
    protocol,
    sticky,
    www,
    rate_limit,
    client_certificate,
    passthrough,
];

/// What the annotations of a plan mean.
pub(in crate::dialect) fn read(plan: &Plan) -> Vec<Meant> {
    if !plan.annotations.iter().any(|it| it.key.starts_with(PREFIX)) {
        return Vec::new();
    }
    let given = Annotations(plan);
    READERS.iter().filter_map(|read| given.meant(read(&given)?)).collect()
}

/// Why an annotation has no meaning here although there is an intent for it.
pub(crate) fn unread(plan: &Plan, key: &str) -> Option<(Intent, Wrong)> {
    let (given, name) = (Annotations(plan), key.strip_prefix(PREFIX)?);
    if name == "auth-signin" {
        let wrong = wrong("no option has the variables of nginx", "write the URL without `$`");
        return given.text(name)?.contains('$').then_some((Intent::ExternalAuth, wrong));
    }
    let said = READERS.iter().filter_map(|read| read(&given)).find(|said| said.names.contains(&name))?;
    Some((said.intent, said.wish().err()?))
}

const fn says(intent: Intent, names: &'static [&'static str], text: String) -> Option<Said> {
    Some(Said { intent, names, text: Ok(text) })
}

fn wrong(said: &str, help: &str) -> Wrong {
    Wrong { said: said.to_owned(), help: help.to_owned() }
}

/// The annotations of these names say something that no option says.
fn cannot(intent: Intent, names: &'static [&'static str], said: &str, help: &str) -> Option<Said> {
    Some(Said { intent, names, text: Err(wrong(said, help)) })
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

/// What is written in place of the annotations of a canary.
pub(crate) const NAME_STABLE: &str =
    "write config.xposer.stakater.com/CanaryOf and CanaryWeight in place of the lines about a canary";

/// The annotation by which a Service is the canary of one that is not named.
pub(crate) fn unnamed_canary(plan: &Plan) -> Option<&Annotation> {
    let canary = plan.annotation(CANARY).filter(|_| plan.canary.is_none())?;
    (parse_bool(&canary.value) == Some(true)).then_some(canary)
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

/// A rewrite that cuts off the paths of all routes, or puts something in their place. To the path itself, it is none.
fn rewrite(given: &Annotations<'_>) -> Option<Said> {
    let annotation = given.get("rewrite-target").filter(|it| !is_no_rewrite(given.0, it))?;
    let target = annotation.value.trim();
    let names = &["rewrite-target", "use-regex"];
    if !given.0.rules.is_empty() && given.0.rules.iter().all(|route| stripped(route, target).is_some()) {
        return says(Intent::StripPrefix, names, "true".to_owned());
    }
    says(Intent::RewritePath, names, target.to_owned())
}

fn allowed_sources(given: &Annotations<'_>) -> Option<Said> {
    let list = given.text("allowlist-source-range");
    let list = list.or_else(|| given.text("whitelist-source-range"))?;
    says(Intent::AllowedSources, &["allowlist-source-range", "whitelist-source-range"], list.to_owned())
}

fn denied_sources(given: &Annotations<'_>) -> Option<Said> {
    says(Intent::DeniedSources, &["denylist-source-range"], given.text("denylist-source-range")?.to_owned())
}

/// A secret of the own namespace, which may have the namespace before it.
fn own_secret<'p>(given: &Annotations<'p>, name: &str) -> Option<&'p str> {
    let secret = given.text(name)?;
    let own = given.0.namespace().and_then(|own| secret.strip_prefix(own)?.strip_prefix('/'));
    Some(own.unwrap_or(secret))
}

/// Without `auth-type`, ingress-nginx asks nobody. A map of users is another form of the secret.
fn basic_auth(given: &Annotations<'_>) -> Option<Said> {
    let names = &["auth-type", "auth-secret", "auth-secret-type", "auth-realm"];
    let cannot = |said: &str, help: &str| cannot(Intent::BasicAuth, names, said, help);
    let (kind, secret) = match (given.text("auth-type"), own_secret(given, "auth-secret")) {
        (None, None) => return None,
        (Some(kind), Some(secret)) => (kind, secret),
        _ => return cannot("auth-type and auth-secret belong together", "write both, or remove the line"),
    };
    if kind == "digest" {
        return cannot(
            "no option asks for passwords of the kind digest",
            "write auth-type: basic, and a secret of that kind",
        );
    }
    if kind != "basic" {
        return cannot("ingress-nginx knows the kinds basic and digest alone", "write auth-type: basic");
    }
    if given.text("auth-secret-type").is_some_and(|form| form != "auth-file") {
        return cannot(
            "no option reads a secret with a key for each user",
            "write all users into the key `auth` of the secret, and remove auth-secret-type",
        );
    }
    let realm = given.text("auth-realm").unwrap_or_default();
    says(Intent::BasicAuth, names, ["secret: ", secret, "\nrealm: ", realm].concat())
}

/// A sign-in with variables of nginx has no other words; without it, clients see the answer of the server.
fn external_auth(given: &Annotations<'_>) -> Option<Said> {
    let url = given.text("auth-url")?;
    if given.text("auth-method").is_some_and(|method| method != "GET") {
        return cannot(
            Intent::ExternalAuth,
            &["auth-url"],
            "auth-method asks for another method than GET, which no option does",
            "remove auth-method, if the server takes GET",
        );
    }
    let sign_in = given.text("auth-signin").filter(|url| !url.contains('$')).unwrap_or_default();
    let headers = given.text("auth-response-headers").unwrap_or_default();
    let names: &[&str] = if sign_in.is_empty() {
        &["auth-url", "auth-response-headers", "auth-method"]
    } else {
        &["auth-url", "auth-signin", "auth-response-headers", "auth-method"]
    };
    let text = ["url: ", url, "\nsignIn: ", sign_in, "\nresponseHeaders: ", headers].concat();
    says(Intent::ExternalAuth, names, text)
}

/// Seconds as the grammar of durations has them, whose numbers have at most five digits.
fn time(seconds: &str) -> String {
    match seconds.parse::<u64>() {
        Ok(long @ 100_000..) => [(long / 3600).to_string(), (long % 3600).to_string()].join("h") + "s",
        _ => [seconds, "s"].concat(),
    }
}

fn connect_timeout(given: &Annotations<'_>) -> Option<Said> {
    let seconds = given.text("proxy-connect-timeout")?;
    says(Intent::ConnectTimeout, &["proxy-connect-timeout"], time(seconds))
}

/// The two directions have one time, if they have the same.
fn idle_timeout(given: &Annotations<'_>) -> Option<Said> {
    let read = given.text("proxy-read-timeout")?;
    let names: &[&str] = if given.text("proxy-send-timeout") == Some(read) {
        &["proxy-read-timeout", "proxy-send-timeout"]
    } else {
        &["proxy-read-timeout"]
    };
    says(Intent::IdleTimeout, names, time(read))
}

/// A size of nginx as the grammar of sizes has it: `10m` is 10 times 1,048,576 bytes.
pub(in crate::dialect) fn size(text: &str) -> Option<String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = match text.as_bytes().get(digits.len()..)?.trim_ascii() {
        [] | [b'b' | b'B'] => "",
        [b'k' | b'K'] => "Ki",
        [b'm' | b'M'] => "Mi",
        [b'g' | b'G'] => "Gi",
        _ => return None,
    };
    Some([digits, unit].concat())
}

fn body_size(given: &Annotations<'_>) -> Option<Said> {
    let names = &["proxy-body-size"];
    match size(given.text("proxy-body-size")?) {
        Some(text) => says(Intent::MaxBodySize, names, text),
        None => {
            let help = "write a number, perhaps with k, m or g";
            cannot(Intent::MaxBodySize, names, "it is no size of ingress-nginx", help)
        }
    }
}

/// The defaults are those of ingress-nginx 1.15: all origins, credentials, 20 days.
fn cors(given: &Annotations<'_>) -> Option<Said> {
    if !given.is_true("enable-cors") {
        return None;
    }
    let part = |name: &str, default: &'static str| given.text(name).unwrap_or(default);
    let origins = part("cors-allow-origin", "*");
    let credentials = part("cors-allow-credentials", "");
    // It answers each origin with its own name, so that `*` with credentials is every origin with its cookies. No other program
    // offers that; where it is only the default, it is left out.
    let credentials = match parse_bool(credentials) {
        None if !credentials.is_empty() => credentials,
        None if origins.split(',').any(|origin| origin.trim() == "*") => "false",
        None | Some(true) => "true",
        Some(false) => "false",
    };
    let text = [
        "origins: ",
        origins,
        "\nmethods: ",
        part("cors-allow-methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS"),
        "\nheaders: ",
        part(
            "cors-allow-headers",
            "DNT, Keep-Alive, User-Agent, X-Requested-With, If-Modified-Since, Cache-Control, Content-Type, Range, Authorization",
        ),
        "\nexposeHeaders: ",
        part("cors-expose-headers", ""),
        "\ncredentials: ",
        credentials,
        "\nmaxAge: ",
        &time(part("cors-max-age", "1728000")),
    ];
    says(Intent::Cors, &CORS, text.concat())
}

/// It is sent together with a rewrite only.
fn prefix_header(given: &Annotations<'_>) -> Option<Said> {
    rewrite(given)?;
    let text = ["X-Forwarded-Prefix: ", given.text("x-forwarded-prefix")?].concat();
    says(Intent::RequestHeaders, &["x-forwarded-prefix"], text)
}

fn protocol(given: &Annotations<'_>) -> Option<Said> {
    let mut word = given.text("backend-protocol")?.to_ascii_lowercase();
    if word == "auto_http" {
        word = "http".to_owned();
    }
    says(Intent::BackendProtocol, &["backend-protocol"], word)
}

fn sticky(given: &Annotations<'_>) -> Option<Said> {
    if given.text("affinity")? != "cookie" {
        return None;
    }
    let name = given.text("session-cookie-name").unwrap_or("INGRESSCOOKIE");
    let age = given.text("session-cookie-max-age").or_else(|| given.text("session-cookie-expires"));
    let (key, age) = age.map_or(("", String::new()), |age| ("\nmaxAge: ", time(age)));
    let names = &[
        "affinity",
        "affinity-mode",
        "session-cookie-name",
        "session-cookie-max-age",
        "session-cookie-expires",
    ];
    says(Intent::StickySession, names, ["cookie: ", name, key, &age].concat())
}

fn www(given: &Annotations<'_>) -> Option<Said> {
    let is_on = given.is_true("from-to-www-redirect");
    says(Intent::RedirectFrom, &["from-to-www-redirect"], "www".to_owned()).filter(|_| is_on)
}

/// The burst is the limit times five, or times what is given. Both limits together are no single one.
fn rate_limit(given: &Annotations<'_>) -> Option<Said> {
    let (limit, unit, names): (_, _, &[&str]) = match (given.text("limit-rps"), given.text("limit-rpm")) {
        (Some(limit), None) => (limit, "/s\nburst: ", &["limit-rps", "limit-burst-multiplier"]),
        (None, Some(limit)) => (limit, "/m\nburst: ", &["limit-rpm", "limit-burst-multiplier"]),
        (None, None) => return None,
        (Some(_), Some(_)) => {
            return cannot(
                Intent::RateLimit,
                &["limit-rps", "limit-rpm"],
                "limit-rps and limit-rpm are two limits, and an option has one",
                "keep one of the two",
            );
        }
    };
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    let times = given.text("limit-burst-multiplier").and_then(number).unwrap_or(5);
    let burst = number(limit)?.saturating_mul(times).min(1_000_000);
    says(Intent::RateLimit, names, ["limit: ", limit, unit, &burst.to_string()].concat())
}

/// Other modes of verification have no other words.
fn client_certificate(given: &Annotations<'_>) -> Option<Said> {
    let verify = given.text("auth-tls-verify-client").unwrap_or("on");
    let text = ["secret: ", own_secret(given, "auth-tls-secret")?, "\nverify: ", verify].concat();
    says(Intent::ClientCertificate, &["auth-tls-secret", "auth-tls-verify-client"], text)
}

fn passthrough(given: &Annotations<'_>) -> Option<Said> {
    let is_on = given.is_true("ssl-passthrough");
    says(Intent::TlsPassthrough, &["ssl-passthrough"], "true".to_owned()).filter(|_| is_on)
}
