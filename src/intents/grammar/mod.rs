//! The grammars of the values.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Intent;
use super::values::{
    BasicAuth, ClientCertificate, Cors, ExternalAuth, Header, IntentValue, RateLimit, StickySession,
};
use crate::diagnostics::{did_you_mean, one_of, quoted, quoted_char};
use crate::validation::{HostError, host_errors, host_help, is_dns_subdomain, parse_bool};
use crate::values::BackendProtocol;

mod parts;

use self::parts::Parts;

/// A problem with a value, with its help.
pub(crate) struct Wrong {
    pub(crate) said: String,
    pub(crate) help: String,
}

type Read<T> = Result<T, Wrong>;

fn wrong<T>(message: String, help: &str) -> Read<T> {
    Err(Wrong { said: message, help: help.to_owned() })
}

/// Returns the problem with a text that is not of the expected form.
fn is_not<T>(text: &str, what: &str, help: &str) -> Read<T> {
    wrong([&quoted(text), " is not ", what].concat(), help)
}

/// Returns the problem with a text that contains an invalid character.
fn contains<T>(what: &str, text: &str, stray: char, help: &str) -> Read<T> {
    wrong([what, " ", &quoted(text), " contains ", &quoted_char(stray)].concat(), help)
}

/// Returns the first character that is no ASCII letter, no digit, and not in `signs`.
fn stray(text: &str, signs: &str) -> Option<char> {
    text.chars().find(|c| !(c.is_ascii_alphanumeric() || signs.contains(*c)))
}

/// The maximum length of a header, a URL or a realm, in bytes.
const MAX_TEXT: usize = 2048;
/// The maximum number of items of a list. It is the lowest limit of all programs, which is that of the Gateway API for CORS.
const MAX_ITEMS: usize = 64;
/// The maximum number of addresses. The programs have no limit; larger networks make a longer list unnecessary.
const MAX_SOURCES: usize = 512;

impl Intent {
    /// Reads a value. Returns all problems if it is invalid. The intents `HTTPSRedirect` and `CanaryOf`, whose options are older,
    /// have no value here.
    pub(crate) fn read(self, text: &str) -> Result<IntentValue, Vec<Wrong>> {
        let text = text.trim();
        let one = |read: Read<IntentValue>| read.map_err(|wrong| vec![wrong]);
        match self {
            Self::StripPrefix | Self::TlsPassthrough => one(switch(text).map(IntentValue::Switch)),
            Self::HttpsRedirectCode => one(redirect_code(text).map(IntentValue::Code)),
            Self::RewritePath => one(rewrite(text).map(IntentValue::Path)),
            Self::AllowedSources | Self::DeniedSources => sources(text).map(IntentValue::Sources),
            Self::ConnectTimeout | Self::IdleTimeout | Self::Timeout => {
                one(duration(text).map(IntentValue::Duration))
            }
            Self::MaxBodySize => one(size(text).map(IntentValue::Size)),
            Self::RequestHeaders | Self::ResponseHeaders => headers(text).map(IntentValue::Headers),
            Self::RedirectFrom => hosts(text).map(IntentValue::Hosts),
            Self::BackendProtocol => one(protocol(text).map(IntentValue::Protocol)),
            Self::BasicAuth => basic_auth(text).map(IntentValue::BasicAuth),
            Self::ExternalAuth => external_auth(text).map(IntentValue::ExternalAuth),
            Self::Cors => cors(text).map(IntentValue::Cors),
            Self::StickySession => sticky(text).map(IntentValue::Sticky),
            Self::RateLimit => rate(text).map(IntentValue::Rate),
            Self::ClientCertificate => certificate(text).map(IntentValue::Certificate),
            Self::HttpsRedirect | Self::Canary => one(is_not(text, "a value of this option", "remove it")),
        }
    }
}

fn switch(text: &str) -> Read<bool> {
    parse_bool(text).map_or_else(|| is_not(text, "true or false", "write \"true\" or \"false\""), Ok)
}

fn redirect_code(text: &str) -> Read<u16> {
    match text.parse() {
        Ok(code @ (301 | 302 | 303 | 307 | 308)) => Ok(code),
        _ => is_not(text, "the code of a redirect", "write 301, 302, 303, 307 or 308"),
    }
}

/// Reads a path, which may contain `$1`.
fn rewrite(text: &str) -> Read<String> {
    if !text.starts_with('/') {
        return is_not(text, "a path, which starts with `/`", &["write /", text].concat());
    }
    if text.split('/').any(|part| matches!(part, "." | "..")) {
        return is_not(text, "a path that stays where it is", "write the path without `.` and `..`");
    }
    match stray(text, "/-._~:$%+@!") {
        Some(stray) => contains(
            "the path",
            text,
            stray,
            "write letters, digits and `/ - . _ ~ : %`, and `$1` for a group of the path",
        ),
        None => short(text, "the path", MAX_TEXT / 2),
    }
}

/// Returns the text if it is not longer than `max`.
fn short(text: &str, what: &str, max: usize) -> Read<String> {
    if text.len() > max {
        return wrong(format!("{what} has more than {max} bytes"), "shorten it");
    }
    Ok(text.to_owned())
}

/// Returns the items of a list, which are separated by commas, blanks or line breaks.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|item| !item.is_empty())
}

/// Reads all items of a list. An invalid item makes the whole list invalid.
fn list(text: &str, what: &str, read: &dyn Fn(&str) -> Read<String>) -> Result<Vec<String>, Vec<Wrong>> {
    let (most, help) = match what {
        ADDRESSES => (MAX_SOURCES, "write larger networks"),
        _ => (MAX_ITEMS, "write fewer"),
    };
    let (mut found, mut problems, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for item in items(text) {
        match read(item) {
            Ok(item) if seen.contains(&item) => {}
            Ok(item) => {
                seen.insert(item.clone());
                found.push(item);
            }
            Err(wrong) => problems.push(wrong),
        }
        if found.len() + problems.len() > most {
            problems.truncate(0);
            problems.extend(wrong::<()>(format!("there are more than {most} {what}"), help).err());
            break;
        }
    }
    if found.is_empty() && problems.is_empty() {
        let help = "write at least one, or remove the option";
        problems.extend(wrong::<()>(["there are no ", what].concat(), help).err());
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

const ADDRESSES: &str = "addresses";

fn sources(text: &str) -> Result<Vec<String>, Vec<Wrong>> {
    list(text, ADDRESSES, &source)
}

/// Reads an address or a network. Returns it as `address/bits`.
pub(crate) fn source(text: &str) -> Read<String> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let (width, number) = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => (32, u128::from(address.to_bits())),
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            return is_not(
                text,
                "an address that requests have",
                "write it as an IPv4 address, without `::ffff:`",
            );
        }
        Ok(IpAddr::V6(address)) => (128, address.to_bits()),
        Err(_) => {
            return is_not(text, "an IP address or a network", "write it as 192.0.2.7 or 10.0.0.0/8");
        }
    };
    let is_plain =
        |bits: &&str| bits.bytes().all(|b| b.is_ascii_digit()) && (bits.len() == 1 || !bits.starts_with('0'));
    let length = match bits {
        None => Some(width),
        Some(bits) => Some(bits).filter(is_plain).and_then(|bits| bits.parse::<u32>().ok()),
    };
    let Some(length) = length.filter(|length| *length <= width) else {
        return is_not(text, "a network", &format!("write a number from 0 to {width} behind the slash"));
    };
    // The bits after the prefix length must be 0.
    let tail = number.checked_shl(128 - width + length).unwrap_or_default();
    if tail == 0 {
        return Ok(format!("{address}/{length}"));
    }
    let rest = 1_u128.checked_shl(width - length).map_or(u128::MAX, |bit| bit - 1);
    let network = number & !rest;
    let help = match u32::try_from(network) {
        Ok(network) if width == 32 => {
            let [a, b, c, d] = network.to_be_bytes();
            format!("write {a}.{b}.{c}.{d}/{length} for the network, or {address} for the address")
        }
        _ => ["write the network with zeros at its end, or ", address, " for the address"].concat(),
    };
    is_not(text, "a network: it is an address inside of one", &help)
}

/// Reads a duration in the format of the Gateway API: one to four numbers, each with a unit. Returns milliseconds.
pub(crate) fn duration(text: &str) -> Read<u64> {
    let malformed = |help: &str| is_not(text, "a duration", help);
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return malformed(&["write a unit, such as ", text, "s"].concat());
    }
    let (mut rest, mut total, mut parts) = (text, 0_u64, 0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at_checked(digits).unwrap_or((rest, ""));
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
        let unit = units.iter().find(|(name, _)| behind.starts_with(name));
        parts += 1;
        if digits > 5 && unit.is_some() {
            return is_not(
                text,
                "a duration whose numbers have at most five digits",
                "write a shorter one, or another unit",
            );
        }
        let (Some((name, factor)), Ok(number), 1..=5, 1..=4) = (unit, number.parse::<u64>(), digits, parts)
        else {
            return malformed("write one to four numbers with h, m, s or ms, such as 1m30s");
        };
        total += number * factor;
        rest = behind.get(name.len()..).unwrap_or_default();
    }
    if parts == 0 { malformed("write a duration such as 30s") } else { Ok(total) }
}

/// Reads a number of bytes, optionally with a unit of Kubernetes quantities.
pub(crate) fn size(text: &str) -> Read<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits).unwrap_or_default();
    let factor: u64 = match unit {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => 0,
    };
    let number =
        Some(digits).filter(|it| it.bytes().all(|b| b.is_ascii_digit())).and_then(|it| it.parse().ok());
    let bytes = number.filter(|_| factor > 0).and_then(|number: u64| number.checked_mul(factor));
    // Some JSON parsers do not read larger numbers as integers.
    if let Some(bytes) = bytes.filter(|bytes| *bytes <= 1 << 50) {
        return Ok(bytes);
    }
    let help = match unit {
        _ if factor > 0 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            "write at most 1048576Gi, or 0 for no limit".to_owned()
        }
        "m" | "K" | "g" | "MB" | "KB" | "GB" | "mb" | "kb" | "gb" | "Mb" if number.is_some() => {
            let prefix = unit.chars().next().unwrap_or_default().to_ascii_uppercase();
            format!("write {digits}{prefix}i")
        }
        _ => "write bytes, perhaps with Ki, Mi, Gi, k, M or G, such as 10Mi; 0 is no limit".to_owned(),
    };
    is_not(text, "a size", &help)
}

fn protocol(text: &str) -> Read<BackendProtocol> {
    text.parse().or_else(|_| is_not(text, "a protocol of a Service", &meant_of(text, BackendProtocol::WORDS)))
}

/// Returns the help for a word that is none of `words`.
fn meant_of(word: &str, words: &[&str]) -> String {
    match did_you_mean(word, words.iter().copied()) {
        Some(meant) => ["did you mean ", meant, "?"].concat(),
        None => ["write ", &one_of(words)].concat(),
    }
}

/// Reads the name of a secret in the namespace of the Service.
fn secret(text: &str) -> Read<String> {
    match text.split_once('/') {
        _ if is_dns_subdomain(text) => Ok(text.to_owned()),
        Some((_, name)) if is_dns_subdomain(name) => is_not(
            text,
            "a secret of the namespace of the Service",
            &["copy it there, and write ", name].concat(),
        ),
        _ => is_not(text, "the name of a secret", "write lower-case letters, digits, `-` and `.`"),
    }
}

/// Reads the name of a header or a cookie (a token of RFC 9110). `#` is not allowed, because it would look like a comment.
pub(crate) fn token(text: &str, what: &str) -> Read<String> {
    match stray(text, "!$%&'*+-.^_`|~") {
        Some(stray) => contains(what, text, stray, "write letters, digits and `-`"),
        None if text.is_empty() => wrong([what, " has no name"].concat(), "write a name"),
        None => short(text, what, 256),
    }
}

/// Reads a text without control characters, such as the value of a header.
fn line(text: &str, what: &str) -> Read<String> {
    match text.chars().find(|c| c.is_control()) {
        Some(stray) => contains(what, text, stray, "remove it"),
        None => short(text, what, MAX_TEXT),
    }
}

/// Reads a URL with the scheme http or https. It has no user name, no fragment, and no text that a program would replace, such as a
/// variable.
pub(crate) fn http_url(text: &str, what: &str) -> Read<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        let help = "write a whole URL, such as https://auth.example.com/verify";
        return is_not(text, "a URL that begins with http:// or https://", help);
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, "80"));
    let is_host = |error: HostError| matches!(error, HostError::Uppercase | HostError::Ip);
    let has_host = !name.starts_with('*')
        && host_errors(name).into_iter().all(is_host)
        && port.parse::<u16>().is_ok_and(|port| port > 0);
    match stray(text, "-._~:/?[]@!&'()*+,;=%") {
        Some(stray) => contains(what, text, stray, &host_help(name, "write a URL without it")),
        None if has_host => short(text, what, MAX_TEXT),
        None => is_not(text, "a URL with a valid host", "correct the host and the port"),
    }
}

fn hosts(text: &str) -> Result<Vec<String>, Vec<Wrong>> {
    list(text, "hosts", &|host| {
        if host == "www" || (!host.starts_with('*') && host_errors(host).is_empty()) {
            return Ok(host.to_owned());
        }
        is_not(host, "a host", &host_help(host, "write a name such as old.example.com, or the word www"))
    })
}

/// Headers that cannot be set, because they belong to the connection or to the program that serves the request.
const FORBIDDEN_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-connection",
];

fn headers(text: &str) -> Result<Vec<Header>, Vec<Wrong>> {
    let (mut found, mut problems) = (Vec::<Header>::new(), Vec::new());
    for (name, value) in pairs(text) {
        match header(name, value, &found) {
            Ok(header) => found.push(header),
            Err(wrong) => problems.push(wrong),
        }
    }
    if found.len() > MAX_ITEMS / 4 {
        problems.extend(
            wrong::<()>(format!("there are more than {} headers", MAX_ITEMS / 4), "write fewer").err(),
        );
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn header(name: Option<&str>, value: &str, others: &[Header]) -> Read<Header> {
    let Some(name) = name else { return is_not(value, "`Name: value`", "write one header a line") };
    let name = token(name, "the header")?;
    if FORBIDDEN_HEADERS.iter().any(|it| it.eq_ignore_ascii_case(&name)) {
        return is_not(&name, "a header that can be set", "remove it");
    }
    if others.iter().any(|known| known.name.eq_ignore_ascii_case(&name)) {
        return wrong(["the header ", &quoted(&name), " is given twice"].concat(), "remove one of them");
    }
    let value = line(value, "the value of the header")?;
    Ok(Header { name, value: Some(value).filter(|value| !value.is_empty()) })
}

/// Returns the lines of a text as pairs of key and value. A line without a colon has no key.
fn pairs(text: &str) -> Vec<(Option<&str>, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pairs = lines.map(|line| {
        let Some((key, value)) = line.split_once(':') else { return (None, line) };
        let value = value.trim();
        let bare = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
        (Some(key.trim()), bare.unwrap_or(value))
    });
    pairs.collect()
}

fn basic_auth(text: &str) -> Result<BasicAuth, Vec<Wrong>> {
    let mut parts = Parts::new(text, &["secret", "realm"]);
    let value = BasicAuth {
        secret: parts.read("secret", secret),
        realm: parts.read("realm", |text| realm(text).map(Some)),
    };
    parts.done(value)
}

fn realm(text: &str) -> Read<String> {
    match stray(text, "-._~/: ") {
        Some(stray) => contains("the realm", text, stray, "write letters, digits, blanks and `- . _ ~ / :`"),
        None => short(text, "the realm", MAX_TEXT),
    }
}

fn external_auth(text: &str) -> Result<ExternalAuth, Vec<Wrong>> {
    let mut parts = Parts::new(text, &["url", "signIn", "responseHeaders"]);
    let value = ExternalAuth {
        url: parts.read("url", |text| http_url(text, "the url")),
        sign_in: parts.read("signIn", |text| http_url(text, "the url").map(Some)),
        response_headers: parts.list("responseHeaders", "headers", &|name| token(name, "the header")),
    };
    parts.done(value)
}

fn cors(text: &str) -> Result<Cors, Vec<Wrong>> {
    let mut parts =
        Parts::new(text, &["origins", "methods", "headers", "exposeHeaders", "credentials", "maxAge"]);
    let header = |name: &str| token(name, "the header");
    let value = Cors {
        origins: parts.list("origins", "origins", &origin),
        methods: parts.list("methods", "methods", &|name| {
            token(name, "the method").map(|name| name.to_ascii_uppercase())
        }),
        headers: parts.list("headers", "headers", &header),
        expose_headers: parts.list("exposeHeaders", "headers", &header),
        credentials: parts.read("credentials", switch),
        max_age: parts.seconds("maxAge"),
    };
    if value.credentials && value.origins.iter().any(|origin| origin == "*") {
        let message = "with credentials, the origin `*` would let every site act for its visitors";
        parts.problem(wrong(message.to_owned(), "name the origins, or allow no credentials"));
    }
    parts.done(value)
}

/// Reads an origin: `*`, or a scheme, a host that may begin with `*.`, and optionally a port.
pub(crate) fn origin(text: &str) -> Read<String> {
    let is_valid = text.split_once("://").is_some_and(|(scheme, rest)| {
        let (host, port) = rest.split_once(':').unwrap_or((rest, "80"));
        matches!(scheme, "http" | "https")
            && host_errors(host).into_iter().all(|error| matches!(error, HostError::Ip))
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if text == "*" || is_valid {
        return Ok(text.to_owned());
    }
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let help = "write it as https://example.com or https://*.example.com, without a path";
    is_not(text, "an origin", &host_help(host.split([':', '/']).next().unwrap_or_default(), help))
}

fn sticky(text: &str) -> Result<StickySession, Vec<Wrong>> {
    let mut parts = Parts::new(text, &["cookie", "maxAge"]);
    let value = StickySession {
        cookie: parts.read("cookie", |name| token(name, "the cookie")),
        max_age: parts.seconds("maxAge"),
    };
    parts.done(value)
}

fn number(text: &str) -> Read<u32> {
    let number = text.parse::<u32>().ok().filter(|number| (1..=1_000_000).contains(number));
    number.map_or_else(|| is_not(text, "a number from 1 to 1000000", "write a whole number"), Ok)
}

fn rate(text: &str) -> Result<RateLimit, Vec<Wrong>> {
    let mut parts = Parts::new(text, &["limit", "burst"]);
    let (requests, per) = parts.read("limit", |text| {
        let (count, unit) = text.split_once('/').unwrap_or((text, ""));
        let per = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return is_not(text, "a rate", "write it as 10/s, 100/m or 1000/h"),
        };
        Ok((number(count.trim())?, per))
    });
    let value = RateLimit { requests, per, burst: parts.read("burst", |text| number(text).map(Some)) };
    parts.done(value)
}

fn certificate(text: &str) -> Result<ClientCertificate, Vec<Wrong>> {
    let mut parts = Parts::new(text, &["secret", "verify"]);
    let value = ClientCertificate {
        secret: parts.read("secret", secret),
        is_optional: parts.read("verify", |word| match word {
            "on" => Ok(false),
            "optional" => Ok(true),
            _ => is_not(word, "on or optional", "write on or optional"),
        }),
    };
    parts.done(value)
}

#[cfg(test)]
mod tests;
