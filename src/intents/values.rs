//! The values of intents.

use std::fmt;

use crate::values::BackendProtocol;

/// The value of an intent. Every intent has one variant; several intents can share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IntentValue {
    /// `StripPrefix`, `TLSPassthrough`.
    Switch(bool),
    /// `HTTPSRedirectCode`.
    Code(u16),
    /// `RewritePath`: a path that begins with `/`, and may contain `$1` to `$9` for the capture groups of a path that is a regular
    /// expression.
    Path(String),
    /// `AllowedSources`, `DeniedSources`: at least one network, such as `10.0.0.0/8`, without repetitions.
    Sources(Vec<String>),
    /// `ConnectTimeout`, `IdleTimeout`, `Timeout`: milliseconds; 0 stands for no limit.
    Duration(u64),
    /// `MaxBodySize`: bytes; 0 stands for no limit.
    Size(u64),
    /// `RequestHeaders`, `ResponseHeaders`: at least one header, each name once.
    Headers(Vec<Header>),
    /// `RedirectFrom`: at least one host, or the word `www`.
    Hosts(Vec<String>),
    /// `BackendProtocol`.
    Protocol(BackendProtocol),
    /// `BasicAuth`.
    BasicAuth(BasicAuth),
    /// `ExternalAuth`.
    ExternalAuth(ExternalAuth),
    /// `CORS`.
    Cors(Cors),
    /// `StickySession`.
    Sticky(StickySession),
    /// `RateLimit`.
    Rate(RateLimit),
    /// `ClientCertificate`.
    Certificate(ClientCertificate),
}

/// A header to set, or to remove if it has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// User names and passwords in a secret of the Service's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BasicAuth {
    pub(crate) secret: String,
    pub(crate) realm: Option<String>,
}

/// An authentication server, which is asked about each request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExternalAuth {
    /// A URL with the scheme `http` or `https`, a host, and optionally a port and a path.
    pub(crate) url: String,
    /// The URL to which a client is redirected that is not admitted.
    pub(crate) sign_in: Option<String>,
    /// The headers of the authentication server's response that are added to the request to the Service.
    pub(crate) response_headers: Vec<String>,
}

impl ExternalAuth {
    /// The host of the server, if it is a short name, which only Envoy Gateway takes for a Service of the namespace.
    pub(crate) fn short_host(&self) -> Option<&str> {
        let (_, rest) = self.url.split_once("://")?;
        let host = rest.split(['/', ':', '?']).next()?;
        (!host.contains(['.', '[']) && host != "localhost").then_some(host)
    }
}

/// The other origins that may use the Service from a browser, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cors {
    /// At least one: `*`, or origins such as `https://example.com` and `https://*.example.com`.
    pub(crate) origins: Vec<String>,
    /// In upper case. If empty, [`METHODS`] are allowed.
    pub(crate) methods: Vec<String>,
    /// If empty, [`HEADERS`] are allowed.
    pub(crate) headers: Vec<String>,
    pub(crate) expose_headers: Vec<String>,
    pub(crate) credentials: bool,
    /// In seconds.
    pub(crate) max_age: Option<u64>,
}

/// The methods and the headers that CORS allows by default. They are those of ingress-nginx, so they are not written for it.
pub(crate) const METHODS: &str = "GET, PUT, POST, DELETE, PATCH, OPTIONS";
pub(crate) const HEADERS: &str = "DNT, Keep-Alive, User-Agent, X-Requested-With, If-Modified-Since, Cache-Control, Content-Type, Range, Authorization";

impl Cors {
    /// Returns the same with the default methods and headers.
    pub(crate) fn with_defaults(&self) -> Self {
        let or = |list: &[String], default: &str| -> Vec<String> {
            if list.is_empty() { default.split(", ").map(str::to_owned).collect() } else { list.to_vec() }
        };
        Self { methods: or(&self.methods, METHODS), headers: or(&self.headers, HEADERS), ..self.clone() }
    }
}

/// A cookie for session affinity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StickySession {
    pub(crate) cookie: String,
    /// In seconds. Without a value, the cookie is a session cookie.
    pub(crate) max_age: Option<u64>,
}

/// The maximum rate of requests from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimit {
    pub(crate) requests: u32,
    /// The period in seconds: 1, 60 or 3600.
    pub(crate) per: u32,
    /// The number of requests that may exceed the rate at once.
    pub(crate) burst: Option<u32>,
}

/// Client certificates. The certificate of their issuer is in a secret of the Service's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    pub(crate) secret: String,
    /// Whether a client without a certificate is also admitted.
    pub(crate) is_optional: bool,
}

/// Returns a duration in seconds, or in milliseconds if it is not a whole number of seconds.
pub(crate) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        ms if ms % 1000 != 0 => format!("{ms}ms"),
        ms => format!("{}s", ms / 1000),
    }
}

/// Returns a size in the largest binary unit that gives a whole number.
pub(crate) fn size(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{}{name}", bytes / unit);
        }
    }
    bytes.to_string()
}

impl RateLimit {
    /// Returns the unit of the period.
    pub(crate) fn unit(self) -> &'static str {
        match self.per {
            1 => "s",
            60 => "m",
            _ => "h",
        }
    }
}

/// Writes a value in the form of its annotation, with one line for each part or header.
pub(super) fn show(intent_value: &IntentValue, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match intent_value {
        IntentValue::Switch(on) => write!(f, "{on}"),
        IntentValue::Code(code) => write!(f, "{code}"),
        IntentValue::Path(path) => f.write_str(path),
        IntentValue::Sources(list) | IntentValue::Hosts(list) => f.write_str(&list.join(", ")),
        IntentValue::Duration(ms) => f.write_str(&duration(*ms)),
        IntentValue::Size(bytes) => f.write_str(&size(*bytes)),
        IntentValue::Headers(headers) => {
            let all =
                headers.iter().map(|it| format!("{}: {}", it.name, it.value.as_deref().unwrap_or_default()));
            f.write_str(&all.collect::<Vec<_>>().join("\n"))
        }
        IntentValue::Protocol(protocol) => write!(f, "{protocol}"),
        IntentValue::BasicAuth(auth) => {
            let realm = auth.realm.as_ref().map(|realm| format!("realm: {realm}"));
            parts(f, [Some(format!("secret: {}", auth.secret)), realm])
        }
        IntentValue::ExternalAuth(auth) => {
            let headers = Some(auth.response_headers.join(", ")).filter(|list| !list.is_empty());
            parts(
                f,
                [
                    Some(format!("url: {}", auth.url)),
                    auth.sign_in.as_ref().map(|url| format!("signIn: {url}")),
                    headers.map(|list| format!("responseHeaders: {list}")),
                ],
            )
        }
        IntentValue::Cors(cors) => {
            let list = |name: &str, list: &[String]| {
                Some(format!("{name}: {}", list.join(", "))).filter(|_| !list.is_empty())
            };
            parts(
                f,
                [
                    list("origins", &cors.origins),
                    list("methods", &cors.methods),
                    list("headers", &cors.headers),
                    list("exposeHeaders", &cors.expose_headers),
                    cors.credentials.then(|| "credentials: true".to_owned()),
                    cors.max_age.map(|seconds| format!("maxAge: {seconds}s")),
                ],
            )
        }
        IntentValue::Sticky(sticky) => {
            let age = sticky.max_age.map(|seconds| format!("maxAge: {seconds}s"));
            parts(f, [Some(format!("cookie: {}", sticky.cookie)), age])
        }
        IntentValue::Rate(rate) => {
            let burst = rate.burst.map(|burst| format!("burst: {burst}"));
            parts(f, [Some(format!("limit: {}/{}", rate.requests, rate.unit())), burst])
        }
        IntentValue::Certificate(certificate) => {
            let optional = certificate.is_optional.then(|| "verify: optional".to_owned());
            parts(f, [Some(format!("secret: {}", certificate.secret)), optional])
        }
    }
}

fn parts(f: &mut fmt::Formatter<'_>, parts: impl IntoIterator<Item = Option<String>>) -> fmt::Result {
    f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join("\n"))
}
