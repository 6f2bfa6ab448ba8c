//! The functions that read annotations of ingress-nginx as values of options: one function for each intent.

use super::{Annotations, AnnotationsAsOption, names_of, stripped, wrong};
use crate::dialect::nginx::paths::is_no_rewrite;
use crate::intents::{HEADERS, Intent, METHODS};
use crate::validation::parse_bool;

/// A function that reads some annotations, if they are given.
pub(super) type Read = fn(&Annotations<'_>) -> Option<AnnotationsAsOption>;

pub(super) static READERS: &[Read] = &[
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

/// Returns the value of an intent that all its annotations give together.
fn option_value(intent: Intent, text: String) -> Option<AnnotationsAsOption> {
    option_value_from(intent, names_of(intent), text)
}

const fn option_value_from(
    intent: Intent,
    names: &'static [&'static str],
    text: String,
) -> Option<AnnotationsAsOption> {
    Some(AnnotationsAsOption { intent, names, text: Ok(text) })
}

/// Returns that the annotations of an intent have a meaning that no option has. A quoted text identifies the annotation that is
/// the reason.
fn no_option(intent: Intent, reason: (&str, &str)) -> Option<AnnotationsAsOption> {
    no_option_from(intent, names_of(intent), reason)
}

fn no_option_from(
    intent: Intent,
    names: &'static [&'static str],
    (said, help): (&str, &str),
) -> Option<AnnotationsAsOption> {
    Some(AnnotationsAsOption { intent, names, text: Err(wrong(said, help)) })
}

/// Reads a rewrite that strips the paths of all routes, or replaces them. A rewrite to the path itself is not one.
fn rewrite(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let annotation = given.get("rewrite-target").filter(|it| !is_no_rewrite(given.0, it))?;
    let target = annotation.value.trim();
    if !given.0.rules.is_empty() && given.0.rules.iter().all(|route| stripped(route, target).is_some()) {
        return option_value_from(Intent::StripPrefix, names_of(Intent::RewritePath), "true".to_owned());
    }
    option_value(Intent::RewritePath, target.to_owned())
}

fn allowed_sources(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let list = given.text("allowlist-source-range");
    let list = list.or_else(|| given.text("whitelist-source-range"))?;
    option_value(Intent::AllowedSources, list.to_owned())
}

fn denied_sources(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    option_value(Intent::DeniedSources, given.text("denylist-source-range")?.to_owned())
}

/// Returns the name of a secret, without the plan's own namespace in front of it.
fn own_secret<'p>(given: &Annotations<'p>, name: &str) -> Option<&'p str> {
    let secret = given.text(name)?;
    let own = given.0.namespace().and_then(|own| secret.strip_prefix(own)?.strip_prefix('/'));
    Some(own.unwrap_or(secret))
}

/// Without `auth-type`, ingress-nginx asks nobody for a password. No option reads a secret that is a map of users.
fn basic_auth(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let no_option = |said, help| no_option(Intent::BasicAuth, (said, help));
    let (kind, secret) = match (given.text("auth-type"), own_secret(given, "auth-secret")) {
        (None, None) => return None,
        (Some(kind), Some(secret)) => (kind, secret),
        _ => {
            return no_option("auth-type and auth-secret belong together", "write both, or remove the line");
        }
    };
    if kind == "digest" {
        return no_option(
            "no option supports passwords of the kind `digest`",
            "write auth-type: basic, and a secret of that kind",
        );
    }
    if given.text("auth-secret-type").is_some_and(|form| form != "auth-file") {
        return no_option(
            "no option reads such a secret (`auth-map`)",
            "write all users into the key `auth` of the secret, and remove auth-secret-type",
        );
    }
    let realm = given.text("auth-realm").unwrap_or_default();
    option_value(Intent::BasicAuth, ["secret: ", secret, "\nrealm: ", realm].concat())
}

/// No option has a URL with variables of nginx, so such a sign-in is left out, and clients see the answer of the server.
fn external_auth(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let url = given.text("auth-url")?;
    if let Some(method) = given.text("auth-method").filter(|method| *method != "GET") {
        return no_option_from(
            Intent::ExternalAuth,
            &["auth-url", "auth-method"],
            (
                &format!("no option supports the method `{method}`"),
                "remove auth-method, if the server accepts GET",
            ),
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
    option_value_from(Intent::ExternalAuth, names, text)
}

/// Writes seconds in the grammar of durations, whose numbers have at most five digits.
fn time(seconds: &str) -> Option<String> {
    let seconds = seconds.parse::<u64>().ok().filter(|seconds| *seconds < 360_000_000)?;
    if seconds < 100_000 {
        return Some(format!("{seconds}s"));
    }
    Some([(seconds / 3600).to_string(), (seconds % 3600).to_string()].join("h") + "s")
}

const NO_TIME: (&str, &str) =
    ("the value is not a number of seconds from 0 to 359999999", "write seconds, at most 359999999");

fn time_value(intent: Intent, names: &'static [&'static str], seconds: &str) -> Option<AnnotationsAsOption> {
    match time(seconds) {
        Some(text) => option_value_from(intent, names, text),
        None => no_option_from(intent, names, NO_TIME),
    }
}

fn connect_timeout(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let intent = Intent::ConnectTimeout;
    time_value(intent, names_of(intent), given.text("proxy-connect-timeout")?)
}

/// One option has the timeouts of both directions, if they are equal.
fn idle_timeout(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let read = given.text("proxy-read-timeout")?;
    let names: &[&str] = if given.text("proxy-send-timeout") == Some(read) {
        &["proxy-read-timeout", "proxy-send-timeout"]
    } else {
        &["proxy-read-timeout"]
    };
    time_value(Intent::IdleTimeout, names, read)
}

/// Writes a size of nginx in the grammar of sizes: `10m` is 10 times 1,048,576 bytes.
pub(crate) fn size(text: &str) -> Option<String> {
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

fn body_size(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let is_one = |text: &String| Intent::MaxBodySize.read(text).is_ok();
    match size(given.text("proxy-body-size")?).filter(is_one) {
        Some(text) => option_value(Intent::MaxBodySize, text),
        None => no_option(
            Intent::MaxBodySize,
            ("the value is larger than 1048576g", "write at most 1048576g, or 0"),
        ),
    }
}

/// Reads CORS. The defaults are those of ingress-nginx 1.15: all origins, credentials, and 20 days.
fn cors(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    if !given.is_true("enable-cors") {
        return None;
    }
    let part = |name: &str, default: &'static str| given.text(name).unwrap_or(default);
    let origins = part("cors-allow-origin", "*");
    let credentials = part("cors-allow-credentials", "");
    let Some(age) = time(part("cors-max-age", "1728000")) else {
        return no_option(Intent::Cors, NO_TIME);
    };
    // ingress-nginx answers each origin with its own name, so `*` with credentials admits every origin with its cookies. No
    // other program supports this, so credentials are left out if they are only the default.
    let credentials = match parse_bool(credentials) {
        None if origins.split(',').any(|origin| origin.trim() == "*") => "false",
        None | Some(true) => "true",
        Some(false) => "false",
    };
    let text = [
        "origins: ",
        origins,
        "\nmethods: ",
        part("cors-allow-methods", METHODS),
        "\nheaders: ",
        part("cors-allow-headers", HEADERS),
        "\nexposeHeaders: ",
        part("cors-expose-headers", ""),
        "\ncredentials: ",
        credentials,
        "\nmaxAge: ",
        &age,
    ];
    option_value(Intent::Cors, text.concat())
}

/// Reads the header that ingress-nginx sends only together with a rewrite.
fn prefix_header(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    rewrite(given)?;
    let text = ["X-Forwarded-Prefix: ", given.text("x-forwarded-prefix")?].concat();
    option_value(Intent::RequestHeaders, text)
}

fn protocol(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let word = match &*given.text("backend-protocol")?.to_ascii_lowercase() {
        "fcgi" => {
            let reason = ("no option supports FastCGI", "expose a web server that uses it by FastCGI");
            return no_option(Intent::BackendProtocol, reason);
        }
        "auto_http" => "http".to_owned(),
        word => word.to_owned(),
    };
    option_value(Intent::BackendProtocol, word)
}

fn sticky(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    if given.text("affinity")? != "cookie" {
        return None;
    }
    let name = given.text("session-cookie-name").unwrap_or("INGRESSCOOKIE");
    let age = given.text("session-cookie-max-age").or_else(|| given.text("session-cookie-expires"));
    let (key, age) = match age.map(time) {
        None => ("", String::new()),
        Some(Some(age)) => ("\nmaxAge: ", age),
        Some(None) => return no_option(Intent::StickySession, NO_TIME),
    };
    option_value(Intent::StickySession, ["cookie: ", name, key, &age].concat())
}

fn www(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let is_on = given.is_true("from-to-www-redirect");
    option_value(Intent::RedirectFrom, "www".to_owned()).filter(|_| is_on)
}

/// The burst is a multiple of the limit: five times by default, or as often as the annotation says. No option has both limits.
fn rate_limit(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let (limit, unit, names): (_, _, &[&str]) = match (given.text("limit-rps"), given.text("limit-rpm")) {
        (Some(limit), None) => (limit, "/s\nburst: ", &["limit-rps", "limit-burst-multiplier"]),
        (None, Some(limit)) => (limit, "/m\nburst: ", &["limit-rpm", "limit-burst-multiplier"]),
        (None, None) => return None,
        (Some(_), Some(_)) => {
            return no_option_from(
                Intent::RateLimit,
                &["limit-rps", "limit-rpm"],
                ("limit-rps and limit-rpm are two limits, and an option has one", "keep one of the two"),
            );
        }
    };
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    let times = given.text("limit-burst-multiplier").and_then(number).unwrap_or(5);
    if limit.parse() == Ok(0) {
        return None;
    }
    let burst = number(limit).unwrap_or(1).saturating_mul(times).min(1_000_000);
    option_value_from(Intent::RateLimit, names, ["limit: ", limit, unit, &burst.to_string()].concat())
}

/// No option has the other modes of verification. With `off`, nobody is asked for a certificate.
fn client_certificate(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let verify = given.text("auth-tls-verify-client").unwrap_or("on");
    if verify == "off" {
        return None;
    }
    let text = ["secret: ", own_secret(given, "auth-tls-secret")?, "\nverify: ", verify].concat();
    option_value(Intent::ClientCertificate, text)
}

fn passthrough(given: &Annotations<'_>) -> Option<AnnotationsAsOption> {
    let is_on = given.is_true("ssl-passthrough");
    option_value(Intent::TlsPassthrough, "true".to_owned()).filter(|_| is_on)
}
