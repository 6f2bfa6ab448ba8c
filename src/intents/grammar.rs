//! The grammar of each value.

use std::net::IpAddr;

use super::Intent;
use super::values::{
    BasicAuth, ClientCertificate, Cors, ExternalAuth, Header, RateLimit, StickySession, Wish,
};
use crate::diagnostics::{did_you_mean, quoted, quoted_char};
use crate::validation::{HostError, host_errors, is_dns_subdomain, parse_bool};
use crate::values::BackendProtocol;

/// A value as somebody wrote it: the text of an annotation, or of a setting with its lists joined by commas and its
/// mappings written as one `key: value` a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'t>(pub(crate) &'t str);

/// What is wrong with a value, and what to do.
pub(crate) struct Wrong {
    pub(crate) said: String,
    pub(crate) help: String,
}

type Read<T> = Result<T, Wrong>;

fn wrong<T>(said: impl Into<String>, help: impl Into<String>) -> Read<T> {
    Err(Wrong { said: said.into(), help: help.into() })
}

/// The longest text of a header, a URL or a realm.
const MAX_TEXT: usize = 2048;
/// The most items of a list: what the smallest limit of a program allows.
const MAX_ITEMS: usize = 64;

impl Intent {
    /// Reads a value; everything that is wrong with it. Intents whose options are older have no value here.
    pub(crate) fn read(self, given: Given<'_>) -> Result<Wish, Vec<Wrong>> {
        let text = given.0.trim();
        let one = |read: Read<Wish>| read.map_err(|wrong| vec![wrong]);
        match self {
            Self::StripPrefix | Self::TlsPassthrough => one(switch(text).map(Wish::Switch)),
            Self::HttpsRedirectCode => one(redirect_code(text).map(Wish::Code)),
            Self::RewritePath => one(rewrite(text).map(Wish::Path)),
            Self::AllowedSources | Self::DeniedSources => sources(text).map(Wish::Sources),
            Self::ConnectTimeout | Self::IdleTimeout | Self::Timeout => {
                one(duration(text).map(Wish::Duration))
            }
            Self::MaxBodySize => one(size(text).map(Wish::Size)),
            Self::RequestHeaders | Self::ResponseHeaders => headers(text).map(Wish::Headers),
            Self::RedirectFrom => hosts(text).map(Wish::Hosts),
            Self::BackendProtocol => one(protocol(text).map(Wish::Protocol)),
            Self::BasicAuth => basic_auth(text).map(Wish::BasicAuth),
            Self::ExternalAuth => external_auth(text).map(Wish::ExternalAuth),
            Self::Cors => cors(text).map(Wish::Cors),
            Self::StickySession => sticky(text).map(Wish::Sticky),
            Self::RateLimit => rate(text).map(Wish::Rate),
            Self::ClientCertificate => certificate(text).map(Wish::Certificate),
            Self::HttpsRedirect | Self::Canary => one(wrong("it has no value of its own", "remove it")),
        }
    }
}

fn switch(text: &str) -> Read<bool> {
    parse_bool(text).map_or_else(
        || wrong(format!("expected true or false, found {}", quoted(text)), "write \"true\" or \"false\""),
        Ok,
    )
}

fn redirect_code(text: &str) -> Read<u16> {
    match text.parse() {
        Ok(code @ (301 | 302 | 303 | 307 | 308)) => Ok(code),
        _ => wrong(
            format!("{} is not the code of a redirect", quoted(text)),
            "write 301, 302, 303, 307 or 308",
        ),
    }
}

/// A path, perhaps with `$1`.
fn rewrite(text: &str) -> Read<String> {
    if !text.starts_with('/') {
        return wrong(format!("{} does not start with `/`", quoted(text)), format!("write /{text}"));
    }
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || "/-._~:$%+@!".contains(c);
    match text.chars().find(|c| !is_of_path(*c)) {
        Some(stray) => wrong(
            format!("the path {} contains {}", quoted(text), quoted_char(stray)),
            "write letters, digits and `/ - . _ ~ : %`, and `$1` for a group of the path",
        ),
        None if text.len() > MAX_TEXT / 2 => wrong("the path has more than 1024 characters", "shorten it"),
        None => Ok(text.to_owned()),
    }
}

/// The items of a list, with commas, blanks or line ends between them.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|item| !item.is_empty())
}

/// Reads all items of a list. A list that is partly valid is refused whole.
fn list<T: PartialEq>(text: &str, what: &str, read: impl Fn(&str) -> Read<T>) -> Result<Vec<T>, Vec<Wrong>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for item in items(text) {
        match read(item) {
            Ok(item) if found.contains(&item) => {}
            Ok(item) if found.len() < MAX_ITEMS => found.push(item),
            Ok(_) => {
                let wrong =
                    wrong::<()>(format!("there are more than {MAX_ITEMS} {what}"), "write fewer").err();
                return Err(wrong.into_iter().collect());
            }
            Err(wrong) => problems.push(wrong),
        }
    }
    if found.is_empty() && problems.is_empty() {
        problems.extend(
            wrong::<()>(format!("there are no {what}"), "write at least one, or remove the option").err(),
        );
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn sources(text: &str) -> Result<Vec<String>, Vec<Wrong>> {
    list(text, "addresses", source)
}

/// An address or a network, as `address/bits`.
pub(crate) fn source(text: &str) -> Read<String> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else {
        return wrong(
            format!("{} is neither an IP address nor a network", quoted(text)),
            "write it as 192.0.2.7 or 10.0.0.0/8",
        );
    };
    let (width, number) = match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        IpAddr::V6(address) => {
            if let Some(mapped) = address.to_ipv4_mapped() {
                return wrong(
                    format!("{} is an IPv4 address written as IPv6, which no request has", quoted(text)),
                    format!("write {mapped}"),
                );
            }
            (128, address.to_bits())
        }
    };
    let is_plain =
        |bits: &&str| bits.bytes().all(|b| b.is_ascii_digit()) && (bits.len() == 1 || !bits.starts_with('0'));
    let length = match bits.map(|bits| Some(bits).filter(is_plain).and_then(|bits| bits.parse::<u32>().ok()))
    {
        None => width,
        Some(Some(length)) if length <= width => length,
        Some(_) => {
            return wrong(
                format!("the part behind the slash of {} is not a number from 0 to {width}", quoted(text)),
                "correct the network",
            );
        }
    };
    let host_bits = if length == 0 { width } else { width - length };
    let mask = if host_bits >= 128 { u128::MAX } else { (1_u128 << host_bits) - 1 };
    if number & mask != 0 {
        let network = number & !mask;
        let network = if width == 32 {
            let low = u32::try_from(network).unwrap_or_default();
            IpAddr::V4(low.into())
        } else {
            IpAddr::V6(network.into())
        };
        return wrong(
            format!("{} is an address inside of a network", quoted(text)),
            format!("write {network}/{length} for the network, or {address} for the address"),
        );
    }
    Ok(format!("{address}/{length}"))
}

/// One to four numbers with a unit each, as the Gateway API writes durations.
pub(crate) fn duration(text: &str) -> Read<u64> {
    let malformed = |help: String| wrong(format!("{} is not a duration", quoted(text)), help);
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return malformed(format!("write a unit, such as {text}s"));
    }
    let (mut rest, mut total, mut parts) = (text, 0_u64, 0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at_checked(digits).unwrap_or((rest, ""));
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
        let unit = units.iter().find(|(name, _)| behind.starts_with(name));
        parts += 1;
        let (Some((name, factor)), Ok(number), 1..=5, 1..=4) = (unit, number.parse::<u64>(), digits, parts)
        else {
            return malformed("write one to four numbers with h, m, s or ms, such as 1m30s".to_owned());
        };
        total += number * factor;
        rest = behind.get(name.len()..).unwrap_or_default();
    }
    if parts == 0 { malformed("write a duration such as 30s".to_owned()) } else { Ok(total) }
}

/// Bytes, perhaps with a unit of Kubernetes.
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
    // Larger numbers are no integers in JSON for everybody.
    if let Some(bytes) = bytes.filter(|bytes| *bytes <= 1 << 50) {
        return Ok(bytes);
    }
    let help = match unit {
        "m" | "K" | "g" | "MB" | "KB" | "GB" | "mb" | "kb" | "gb" | "Mb" if number.is_some() => {
            let prefix = unit.chars().next().unwrap_or_default().to_ascii_uppercase();
            format!("write {digits}{prefix}i")
        }
        _ => "write bytes, perhaps with Ki, Mi, Gi, k, M or G, such as 10Mi; 0 is no limit".to_owned(),
    };
    wrong(format!("{} is not a size", quoted(text)), help)
}

fn protocol(text: &str) -> Read<BackendProtocol> {
    text.parse().map_err(|_| {
        let words = BackendProtocol::WORDS;
        let help = match did_you_mean(text, words.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("write one of {}", words.join(", ")),
        };
        let said = format!("{} is not a protocol of a Service", quoted(text));
        Wrong { said, help }
    })
}

/// The name of a secret, which is one of the Service's namespace.
fn secret(text: &str) -> Read<String> {
    match text.split_once('/') {
        _ if is_dns_subdomain(text) => Ok(text.to_owned()),
        Some((_, name)) if is_dns_subdomain(name) => wrong(
            format!("{} is a secret of another namespace", quoted(text)),
            format!("copy it into the namespace of the Service, and write {name}"),
        ),
        _ => wrong(
            format!("{} is not the name of a secret", quoted(text)),
            "write lower-case letters, digits, `-` and `.`",
        ),
    }
}

/// The name of a header or a cookie (RFC 9110, token).
pub(crate) fn token(text: &str, what: &str) -> Read<String> {
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(*c))) {
        Some(stray) => wrong(
            format!("the {what} {} contains {}", quoted(text), quoted_char(stray)),
            "write letters, digits and `-`",
        ),
        None if text.is_empty() || text.len() > 256 => wrong(
            format!("the name of the {what} has {} characters", text.len()),
            "write 1 to 256 characters",
        ),
        None => Ok(text.to_owned()),
    }
}

/// A text that stands in one line of HTTP.
fn line(text: &str, what: &str) -> Read<String> {
    match text.chars().find(|c| c.is_control()) {
        Some(stray) => wrong(format!("the {what} contains {}", quoted_char(stray)), "remove it"),
        None if text.len() > MAX_TEXT => {
            wrong(format!("the {what} has more than {MAX_TEXT} bytes"), "shorten it")
        }
        None => Ok(text.to_owned()),
    }
}

/// A URL of http or https, without the name of a user, a fragment, or what a program would replace.
pub(crate) fn http_url(text: &str, what: &str) -> Read<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return wrong(
            format!("the {what} {} does not begin with http:// or https://", quoted(text)),
            "write a whole URL, such as https://auth.example.com/verify",
        );
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let (name, port) = host.split_once(':').map_or((host, "80"), |(name, port)| (name, port));
    let is_host =
        !host_errors(name).into_iter().any(|error| !matches!(error, HostError::Uppercase | HostError::Ip))
            && !name.starts_with('*');
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_of_url = |c: char| c.is_ascii_alphanumeric() || "-._~:/?[]@!&'()*+,;=%".contains(c);
    match text.chars().find(|c| !is_of_url(*c)) {
        _ if text.len() > MAX_TEXT => {
            wrong(format!("the {what} has more than {MAX_TEXT} bytes"), "shorten it")
        }
        Some(stray) => wrong(
            format!("the {what} {} contains {}", quoted(text), quoted_char(stray)),
            "write a URL without it",
        ),
        None if is_host && is_port => Ok(text.to_owned()),
        None => {
            wrong(format!("the {what} {} has no valid host", quoted(text)), "correct the host and the port")
        }
    }
}

fn hosts(text: &str) -> Result<Vec<String>, Vec<Wrong>> {
    list(text, "hosts", |host| {
        if host == "www" {
            return Ok(host.to_owned());
        }
        if host.starts_with('*') || !host_errors(host).is_empty() {
            return wrong(
                format!("{} is not a host", quoted(host)),
                "write a name such as old.example.com, or the word www",
            );
        }
        Ok(host.to_owned())
    })
}

/// Headers whose value belongs to the connection or to whoever serves the request.
const UNTOUCHED: [&str; 9] = [
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
        let Some(name) = name else {
            problems.extend(
                wrong::<()>(format!("{} is not `Name: value`", quoted(value)), "write one header a line")
                    .err(),
            );
            continue;
        };
        let read = token(name, "header").and_then(|name| {
            let lower = name.to_ascii_lowercase();
            if UNTOUCHED.contains(&lower.as_str()) || lower.starts_with(':') {
                return wrong(format!("the header {} cannot be set", quoted(&name)), "remove it");
            }
            if found.iter().any(|known| known.name.eq_ignore_ascii_case(&name)) {
                return wrong(format!("the header {} is given twice", quoted(&name)), "remove one of them");
            }
            let value = line(value, "value of the header")?;
            Ok(Header { name, value: Some(value).filter(|value| !value.is_empty()) })
        });
        match read {
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

/// The lines of a text as `key: value`; a line without a colon has no key.
fn pairs(text: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        line.split_once(':').map_or((None, line), |(key, value)| {
            let value = value.trim();
            let bare =
                ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
            (Some(key.trim()), bare.unwrap_or(value))
        })
    })
}

/// The parts of a value: `key: value` lines with these keys, or the value of the first key alone.
struct Parts<'t, const N: usize> {
    values: [Option<&'t str>; N],
    problems: Vec<Wrong>,
}

impl<'t, const N: usize> Parts<'t, N> {
    fn new(text: &'t str, keys: [&'static str; N]) -> Self {
        let mut values = [None; N];
        let mut problems = Vec::new();
        let begins_with_key = pairs(text).next().and_then(|(key, _)| key).is_some_and(|key| {
            // `https://...` is the value of the first key.
            !key.is_empty()
                && key.bytes().all(|b| b.is_ascii_alphabetic())
                && !matches!(key, "http" | "https")
        });
        if !begins_with_key {
            if let Some(first) = values.first_mut() {
                *first = Some(text);
            }
            return Self { values, problems };
        }
        for (key, value) in pairs(text) {
            let place = key.and_then(|key| keys.iter().position(|known| *known == key));
            match place.and_then(|place| values.get_mut(place)) {
                Some(slot) => *slot = Some(value),
                None => {
                    let key = key.unwrap_or(value);
                    let help = match did_you_mean(key, keys.iter().copied()) {
                        Some(meant) => format!("did you mean {meant}?"),
                        None => format!("write one of {}, a colon and a value", keys.join(", ")),
                    };
                    problems.extend(wrong::<()>(format!("there is no part {}", quoted(key)), help).err());
                }
            }
        }
        let is_missing = values.first().is_some_and(Option::is_none);
        if let Some(first) = keys.first().filter(|_| is_missing) {
            let said = format!("the part {} is missing", quoted(first));
            problems.extend(wrong::<()>(said, format!("write {first}: and a value")).err());
        }
        Self { values, problems }
    }

    /// The part at a position.
    fn get(&self, place: usize) -> Option<&'t str> {
        self.values.get(place).copied().flatten().filter(|value| !value.is_empty())
    }

    /// A part; the default where it is missing or wrong.
    fn read<T: Default>(&mut self, place: usize, read: impl FnOnce(&str) -> Read<T>) -> T {
        match self.get(place).map(read) {
            None => T::default(),
            Some(Ok(value)) => value,
            Some(Err(wrong)) => {
                self.problems.push(wrong);
                T::default()
            }
        }
    }

    /// A part that is a list.
    fn list(&mut self, place: usize, what: &str, read: impl Fn(&str) -> Read<String>) -> Vec<String> {
        match self.get(place).map(|text| list(text, what, read)) {
            None => Vec::new(),
            Some(Ok(value)) => value,
            Some(Err(wrong)) => {
                self.problems.extend(wrong);
                Vec::new()
            }
        }
    }

    fn done<T>(self, value: T) -> Result<T, Vec<Wrong>> {
        if self.problems.is_empty() { Ok(value) } else { Err(self.problems) }
    }
}

fn basic_auth(text: &str) -> Result<BasicAuth, Vec<Wrong>> {
    let mut parts = Parts::new(text, ["secret", "realm"]);
    let value =
        BasicAuth { secret: parts.read(0, secret), realm: parts.read(1, |text| realm(text).map(Some)) };
    parts.done(value)
}

fn realm(text: &str) -> Read<String> {
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || "-._~/: ".contains(*c))) {
        Some(stray) => wrong(
            format!("the realm {} contains {}", quoted(text), quoted_char(stray)),
            "write letters, digits, blanks and `- . _ ~ / :`",
        ),
        None => line(text, "realm"),
    }
}

fn external_auth(text: &str) -> Result<ExternalAuth, Vec<Wrong>> {
    let mut parts = Parts::new(text, ["url", "signIn", "responseHeaders"]);
    let value = ExternalAuth {
        url: parts.read(0, |text| http_url(text, "url")),
        sign_in: parts.read(1, |text| http_url(text, "signIn").map(Some)),
        response_headers: parts.list(2, "headers", |name| token(name, "header")),
    };
    parts.done(value)
}

fn cors(text: &str) -> Result<Cors, Vec<Wrong>> {
    let mut parts =
        Parts::new(text, ["origins", "methods", "headers", "exposeHeaders", "credentials", "maxAge"]);
    let header = |name: &str| if name == "*" { Ok(name.to_owned()) } else { token(name, "header") };
    let value = Cors {
        origins: parts.list(0, "origins", origin),
        methods: parts.list(1, "methods", |name| {
            if name == "*" {
                Ok(name.to_owned())
            } else {
                token(name, "method").map(|name| name.to_ascii_uppercase())
            }
        }),
        headers: parts.list(2, "headers", header),
        expose_headers: parts.list(3, "headers", header),
        credentials: parts.read(4, switch),
        max_age: parts.read(5, |text| duration(text).map(|ms| Some(ms / 1000))),
    };
    if value.credentials && value.origins.iter().any(|origin| origin == "*") {
        let said = "with credentials, the origin `*` would let every site act for its visitors";
        parts.problems.extend(wrong::<()>(said, "name the origins, or remove credentials").err());
    }
    parts.done(value)
}

/// `*`, or a scheme, a host that may begin with `*.`, and perhaps a port.
pub(crate) fn origin(text: &str) -> Read<String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let is_valid = text.split_once("://").is_some_and(|(scheme, rest)| {
        let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
        matches!(scheme, "http" | "https")
            && host_errors(host).into_iter().all(|error| matches!(error, HostError::Ip))
            && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
    });
    if is_valid {
        return Ok(text.to_owned());
    }
    wrong(
        format!("{} is not an origin", quoted(text)),
        "write it as https://example.com or https://*.example.com, without a path",
    )
}

fn sticky(text: &str) -> Result<StickySession, Vec<Wrong>> {
    let mut parts = Parts::new(text, ["cookie", "maxAge"]);
    let value = StickySession {
        cookie: parts.read(0, |name| token(name, "cookie")),
        max_age: parts.read(1, |text| duration(text).map(|ms| Some(ms / 1000))),
    };
    parts.done(value)
}

fn rate(text: &str) -> Result<RateLimit, Vec<Wrong>> {
    let mut parts = Parts::new(text, ["limit", "burst"]);
    let number = |text: &str| {
        let number = text.parse::<u32>().ok().filter(|number| (1..=1_000_000).contains(number));
        number.map_or_else(
            || wrong(format!("{} is not a number from 1 to 1000000", quoted(text)), "write a whole number"),
            Ok,
        )
    };
    let (requests, per) = parts.read(0, |text| {
        let (count, unit) = text.split_once('/').unwrap_or((text, ""));
        let per = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => {
                return wrong(format!("{} is not a rate", quoted(text)), "write it as 10/s, 100/m or 1000/h");
            }
        };
        Ok((number(count.trim())?, per))
    });
    let value = RateLimit { requests, per, burst: parts.read(1, |text| number(text).map(Some)) };
    parts.done(value)
}

fn certificate(text: &str) -> Result<ClientCertificate, Vec<Wrong>> {
    let mut parts = Parts::new(text, ["secret", "verify"]);
    let value = ClientCertificate {
        secret: parts.read(0, secret),
        is_optional: parts.read(1, |word| match word {
            "on" => Ok(false),
            "optional" => Ok(true),
            _ => wrong(format!("expected on or optional, found {}", quoted(word)), "write on or optional"),
        }),
    };
    parts.done(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value as it is shown, or the helps of what is wrong.
    fn read(intent: Intent, text: &str) -> Result<String, Vec<String>> {
        let read = intent.read(Given(text));
        read.map(|wish| wish.to_string())
            .map_err(|all| all.into_iter().map(|wrong| format!("{}; {}", wrong.said, wrong.help)).collect())
    }

    #[test]
    fn values_are_read_in_one_form() {
        for (intent, text, shown) in [
            (
                Intent::AllowedSources,
                "10.0.0.0/8, 192.0.2.7 2001:db8::/32",
                "10.0.0.0/8, 192.0.2.7/32, 2001:db8::/32",
            ),
            (Intent::AllowedSources, "0.0.0.0/0\n::/0", "0.0.0.0/0, ::/0"),
            (Intent::Timeout, "1m30s", "90s"),
            (Intent::Timeout, "500ms", "500ms"),
            (Intent::Timeout, "0s", "0s"),
            (Intent::MaxBodySize, "10Mi", "10Mi"),
            (Intent::MaxBodySize, "2048", "2Ki"),
            (Intent::MaxBodySize, "10M", "10000000"),
            (Intent::BasicAuth, "users", "secret: users"),
            (Intent::BasicAuth, "realm: 'Staff only'\nsecret: users", "secret: users\nrealm: Staff only"),
            (Intent::ExternalAuth, "https://auth.example.com/verify", "url: https://auth.example.com/verify"),
            (
                Intent::Cors,
                "origins: https://a.example.com, https://*.example.com:8443\ncredentials: true\nmaxAge: 10m",
                "origins: https://a.example.com, https://*.example.com:8443\ncredentials: true\nmaxAge: 600s",
            ),
            (Intent::Cors, "*", "origins: *"),
            (Intent::RequestHeaders, "X-A: b: c\nX-Gone:", "X-A: b: c\nX-Gone: "),
            (Intent::BackendProtocol, "grpcs", "grpcs"),
            (Intent::StickySession, "route", "cookie: route"),
            (Intent::RateLimit, "10/s", "limit: 10/s"),
            (Intent::RateLimit, "limit: 100/m\nburst: 20", "limit: 100/m\nburst: 20"),
            (Intent::RedirectFrom, "www, old.example.com", "www, old.example.com"),
            (Intent::ClientCertificate, "secret: ca\nverify: optional", "secret: ca\nverify: optional"),
            (Intent::RewritePath, "/$2", "/$2"),
            (Intent::HttpsRedirectCode, "308", "308"),
            (Intent::StripPrefix, "True", "true"),
        ] {
            assert_eq!(read(intent, text).as_deref(), Ok(shown), "{intent}: {text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        for (intent, text, said) in [
            (Intent::AllowedSources, "10.0.0.1/8", "write 10.0.0.0/8 for the network"),
            (Intent::AllowedSources, "::ffff:10.0.0.1", "write 10.0.0.1"),
            (Intent::AllowedSources, "10.0.0.0/8, office", "`office` is neither"),
            (Intent::AllowedSources, "10.0.0.0/33", "0 to 32"),
            (Intent::AllowedSources, "10.0.0.0/08", "0 to 32"),
            (Intent::AllowedSources, ",", "there are no addresses"),
            (Intent::Timeout, "30", "such as 30s"),
            (Intent::Timeout, "1.5s", "one to four numbers"),
            (Intent::Timeout, "100000s", "one to four numbers"),
            (Intent::Timeout, "-1s", "one to four numbers"),
            (Intent::MaxBodySize, "10m", "write 10Mi"),
            (Intent::MaxBodySize, "10MB", "write 10Mi"),
            (Intent::MaxBodySize, "99999999999999999999", "write bytes"),
            (Intent::BasicAuth, "other/users", "write users"),
            (Intent::BasicAuth, "secert: users", "did you mean secret?"),
            (Intent::BasicAuth, "realm: Staff", "the part `secret` is missing"),
            (Intent::ExternalAuth, "auth.example.com", "does not begin with http"),
            (Intent::ExternalAuth, "https://auth.example.com/?rd=$host", "contains `$`"),
            (Intent::ExternalAuth, "https://user@auth.example.com", "no valid host"),
            (Intent::Cors, "origins: '*'\ncredentials: true", "name the origins"),
            (Intent::Cors, "https://a.example.com/path", "without a path"),
            (Intent::RequestHeaders, "Host: a.example.com", "cannot be set"),
            (Intent::RequestHeaders, "X-A: b\rX-B: c", "contains"),
            (Intent::RequestHeaders, "X A: b", "contains a blank"),
            (Intent::RequestHeaders, "X-A: b\nx-a: c", "given twice"),
            (Intent::BackendProtocol, "HTTPS", "did you mean https?"),
            (Intent::StickySession, "a b", "contains a blank"),
            (Intent::RateLimit, "10", "10/s, 100/m"),
            (Intent::RateLimit, "0/s", "1 to 1000000"),
            (Intent::RedirectFrom, "*.example.com", "is not a host"),
            (Intent::ClientCertificate, "secret: ca\nverify: 'off'", "write on or optional"),
            (Intent::RewritePath, "x", "write /x"),
            (Intent::RewritePath, "/a b", "contains a blank"),
            (Intent::HttpsRedirectCode, "304", "301, 302"),
        ] {
            let all = read(intent, text).expect_err(text);
            assert!(all.iter().any(|it| it.contains(said)), "{intent}: {text}: {all:?}");
        }
    }
}
