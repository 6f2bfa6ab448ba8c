//! The values of intents.

use std::fmt;

use crate::values::BackendProtocol;

/// The value of an intent. Every intent has one variant; several intents can share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// `StripPrefix`, `TLSPassthrough`.
    Switch(bool),
    /// `HTTPSRedirectCode`.
    Code(u16),
    /// `RewritePath`: it begins with `/`, and may have `$1` to `$9` for the groups of a path that is a regular expression.
    Path(String),
    /// `AllowedSources`, `DeniedSources`: networks such as `10.0.0.0/8`, without repetitions. At least one.
    Sources(Vec<String>),
    /// `ConnectTimeout`, `IdleTimeout`, `Timeout`: milliseconds; 0 stands for no limit.
    Duration(u64),
    /// `MaxBodySize`: bytes; 0 stands for no limit.
    Size(u64),
    /// `RequestHeaders`, `ResponseHeaders`. At least one, no two of one name.
    Headers(Vec<Header>),
    /// `RedirectFrom`: hosts, or the word `www`. At least one.
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

/// A header to set, or to remove where it has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// Names and passwords that are in a secret of the Service's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BasicAuth {
    pub(crate) secret: String,
    pub(crate) realm: Option<String>,
}

/// A server that is asked about each request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExternalAuth {
    /// `http://` or `https://`, a host, perhaps a port and a path.
    pub(crate) url: String,
    /// Where a client is sent that is not let in.
    pub(crate) sign_in: Option<String>,
    /// The headers of the answer that the Service gets.
    pub(crate) response_headers: Vec<String>,
}

/// Which other origins may use the Service from a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cors {
    /// `*`, or origins such as `https://example.com` and `https://*.example.com`. At least one.
    pub(crate) origins: Vec<String>,
    /// In upper case; none leaves them to the program.
    pub(crate) methods: Vec<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) expose_headers: Vec<String>,
    pub(crate) credentials: bool,
    /// Seconds.
    pub(crate) max_age: Option<u64>,
}

/// A cookie that keeps a client with one pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StickySession {
    pub(crate) cookie: String,
    /// Seconds; without it, the cookie goes with the browser.
    pub(crate) max_age: Option<u64>,
}

/// How many requests one client may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimit {
    pub(crate) requests: u32,
    /// Seconds: 1, 60 or 3600.
    pub(crate) per: u32,
    /// How many requests may come at once beyond that.
    pub(crate) burst: Option<u32>,
}

/// A certificate that clients show, issued by an authority whose certificate is in a secret of the Service's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    pub(crate) secret: String,
    /// Whether a client may also come without one.
    pub(crate) is_optional: bool,
}

/// A duration in the largest unit without a rest.
pub(crate) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        ms if ms % 1000 != 0 => format!("{ms}ms"),
        ms => format!("{}s", ms / 1000),
    }
}

/// A size in the largest unit of a power of two without a rest.
pub(crate) fn size(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{}{name}", bytes / unit);
        }
    }
    bytes.to_string()
}

impl RateLimit {
    /// The unit of its period.
    pub(crate) fn unit(self) -> &'static str {
        match self.per {
            1 => "s",
            60 => "m",
            _ => "h",
        }
    }
}

/// Shows a value in one line.
pub(super) fn show(wish: &Wish, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match wish {
        Wish::Switch(on) => write!(f, "{on}"),
        Wish::Code(code) => write!(f, "{code}"),
        Wish::Path(path) => f.write_str(path),
        Wish::Sources(list) | Wish::Hosts(list) => f.write_str(&list.join(", ")),
        Wish::Duration(ms) => f.write_str(&duration(*ms)),
        Wish::Size(bytes) => f.write_str(&size(*bytes)),
        Wish::Headers(headers) => {
            let all =
                headers.iter().map(|it| format!("{}: {}", it.name, it.value.as_deref().unwrap_or_default()));
            f.write_str(&all.collect::<Vec<_>>().join("\n"))
        }
        Wish::Protocol(protocol) => write!(f, "{protocol}"),
        Wish::BasicAuth(auth) => {
            let realm = auth.realm.as_ref().map(|realm| format!("realm: {realm}"));
            parts(f, [Some(format!("secret: {}", auth.secret)), realm])
        }
        Wish::ExternalAuth(auth) => {
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
        Wish::Cors(cors) => {
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
        Wish::Sticky(sticky) => {
            let age = sticky.max_age.map(|seconds| format!("maxAge: {seconds}s"));
            parts(f, [Some(format!("cookie: {}", sticky.cookie)), age])
        }
        Wish::Rate(rate) => {
            let burst = rate.burst.map(|burst| format!("burst: {burst}"));
            parts(f, [Some(format!("limit: {}/{}", rate.requests, rate.unit())), burst])
        }
        Wish::Certificate(certificate) => {
            let optional = certificate.is_optional.then(|| "verify: optional".to_owned());
            parts(f, [Some(format!("secret: {}", certificate.secret)), optional])
        }
    }
}

fn parts(f: &mut fmt::Formatter<'_>, parts: impl IntoIterator<Item = Option<String>>) -> fmt::Result {
    f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join("\n"))
}
