//! A request of a behaviour, and its expected response.

use xposer_chain::{Answer, Chain, Tally};

use super::columns::Column;

/// The number of requests for a share, and the bounds for a share of a tenth. Shares of none, a half and all are outside of the
/// bounds.
const MANY: usize = 400;
const TENTH: std::ops::RangeInclusive<usize> = 15..=85;
/// The number of consecutive requests for a limit of a few requests a second.
const BURST: usize = 40;

/// A request, and its expected response.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    method: &'static str,
    scheme: &'static str,
    /// The host; `None` means the host of the first Service.
    host: Option<&'static str>,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: usize,
    /// Whether the response takes seconds.
    is_slow: bool,
    wanted: Wanted,
}

/// The expected response.
#[derive(Clone, Copy)]
enum Wanted {
    /// A response of this Service.
    From(&'static str),
    /// A response of this Service with this value at a JSON pointer of the received request.
    Said(&'static str, &'static str, &'static str),
    /// A response with one of these statuses.
    Status(&'static [u16]),
    /// A redirect to the same URL with https.
    Https,
    /// A redirect to this URL.
    Location(&'static str),
    /// A response with this header, whose value begins with this text.
    Header(&'static str, &'static str),
    /// A response without this header.
    Lacks(&'static str),
    /// About a tenth of many responses are from this Service, and the others from another one.
    Tenth(&'static str),
    /// Some of many requests at once are refused, and some are not.
    Limit,
}

/// Returns a GET request for a path.
pub(super) const fn get(path: &'static str) -> Ask {
    Ask {
        method: "GET",
        scheme: "http",
        host: None,
        path,
        headers: &[],
        body: 0,
        is_slow: false,
        wanted: Wanted::Status(&[200]),
    }
}

impl Ask {
    /// Makes this a POST request with a body of this size.
    pub(super) const fn post(self, body: usize) -> Self {
        Self { method: "POST", body, ..self }
    }

    pub(super) const fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub(super) const fn https(self) -> Self {
        Self { scheme: "https", ..self }
    }

    /// Sets another host. `{column}` is replaced by the name of the column.
    pub(super) const fn host(self, host: &'static str) -> Self {
        Self { host: Some(host), ..self }
    }

    pub(super) const fn with(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }

    pub(super) const fn slow(self) -> Self {
        Self { is_slow: true, ..self }
    }

    pub(super) const fn from(self, service: &'static str) -> Self {
        Self { wanted: Wanted::From(service), ..self }
    }

    pub(super) const fn said(
        self,
        service: &'static str,
        pointer: &'static str,
        value: &'static str,
    ) -> Self {
        Self { wanted: Wanted::Said(service, pointer, value), ..self }
    }

    pub(super) const fn status(self, statuses: &'static [u16]) -> Self {
        Self { wanted: Wanted::Status(statuses), ..self }
    }

    pub(super) const fn to_https(self) -> Self {
        Self { wanted: Wanted::Https, ..self }
    }

    pub(super) const fn location(self, url: &'static str) -> Self {
        Self { wanted: Wanted::Location(url), ..self }
    }

    pub(super) const fn header(self, name: &'static str, value: &'static str) -> Self {
        Self { wanted: Wanted::Header(name, value), ..self }
    }

    pub(super) const fn lacks(self, name: &'static str) -> Self {
        Self { wanted: Wanted::Lacks(name), ..self }
    }

    pub(super) const fn tenth(self, service: &'static str) -> Self {
        Self { wanted: Wanted::Tenth(service), ..self }
    }

    pub(super) const fn limit(self) -> Self {
        Self { wanted: Wanted::Limit, ..self }
    }

    /// Whether the check takes seconds or many requests, so that it comes after the others.
    pub(super) fn is_late(&self) -> bool {
        self.is_slow || matches!(self.wanted, Wanted::Tenth(_) | Wanted::Limit)
    }

    /// Returns the request in words; `first` is the first Service of its behaviour.
    pub(super) fn words(&self, first: &str) -> String {
        let url = match (self.scheme, self.host) {
            ("http", None) => self.path.to_owned(),
            (scheme, None) => format!("{scheme}://{first}.example.com{}", self.path),
            (scheme, Some(host)) => format!("{scheme}://{}{}", host.replace("-{column}", ""), self.path),
        };
        let method = if self.method == "GET" { String::new() } else { format!("{} ", self.method) };
        let headers: String =
            self.headers.iter().map(|(name, value)| format!(" with `{name}: {value}`")).collect();
        let body = if self.body == 0 { String::new() } else { format!(" with {} bytes", self.body) };
        format!("`{method}{url}`{headers}{body}")
    }

    /// Returns the expected response in words.
    pub(super) fn wanted(&self) -> String {
        match self.wanted {
            Wanted::From(service) => format!("an answer of `{service}`"),
            Wanted::Said(service, pointer, value) => {
                format!("an answer of `{service}`{}", got(pointer, value))
            }
            Wanted::Status(statuses) => {
                statuses.iter().map(ToString::to_string).collect::<Vec<String>>().join(" or ")
            }
            Wanted::Https => "a redirect to https".to_owned(),
            Wanted::Location(url) => format!("a redirect to `{}`", url.replace("-{column}", "")),
            Wanted::Header(name, "") => format!("an answer with `{name}`"),
            Wanted::Header(name, value) => format!("an answer with `{name}: {value}`"),
            Wanted::Lacks(name) => format!("an answer without `{name}`"),
            Wanted::Tenth(service) => format!("about a tenth of {MANY} answers of `{service}`"),
            Wanted::Limit => format!("some of {BURST} refused"),
        }
    }

    /// Sends the request. The error is a sentence that describes the difference from the expected response.
    pub(super) fn check(&self, chain: &'static Chain, column: &Column, first: &str) -> Result<(), String> {
        let host = self.host.map_or_else(
            || format!("{first}-{}.example.com", column.name),
            |host| host.replace("{column}", column.name),
        );
        let rest = format!("{host}{}", self.path);
        let mut request = chain.request(&format!("{}://{rest}", self.scheme)).at(column.class);
        request = request.method(self.method).body(&"x".repeat(self.body));
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let seen = match self.wanted {
            Wanted::Tenth(service) => tenth(&request.times(MANY), service),
            Wanted::Limit => limited(&request.times(BURST)),
            _ => match request.once() {
                Ok(answer) if self.is_met(&answer, column, &format!("https://{rest}")) => None,
                Ok(answer) => Some(self.seen(&answer)),
                Err(_) if self.scheme == "https" => Some("no answer that can be verified".to_owned()),
                Err(_) => Some("no answer".to_owned()),
            },
        };
        // On the page, the hosts do not have the name of the column.
        let shown = |seen: &str| seen.replace(&format!("-{}.example.com", column.name), ".example.com");
        match seen {
            None => Ok(()),
            Some(seen) => {
                Err(format!("{} gets {}, expected {}", self.words(first), shown(&seen), self.wanted()))
            }
        }
    }

    fn is_met(&self, answer: &Answer, column: &Column, https: &str) -> bool {
        let is_from = |service: &str| answer.status == 200 && answer.backend().as_deref() == Some(service);
        let leads_to = |url: &str| {
            [301, 302, 303, 307, 308].contains(&answer.status) && answer.header("location") == Some(url)
        };
        match self.wanted {
            Wanted::From(service) => is_from(service),
            Wanted::Said(service, pointer, value) => is_from(service) && said(answer, pointer) == value,
            Wanted::Status(statuses) => statuses.contains(&answer.status),
            Wanted::Https => leads_to(https),
            Wanted::Location(url) => leads_to(&url.replace("{column}", column.name)),
            Wanted::Header(name, value) => {
                answer.status < 400 && answer.header(name).is_some_and(|found| found.starts_with(value))
            }
            Wanted::Lacks(name) => answer.status == 200 && answer.header(name).is_none(),
            Wanted::Tenth(_) | Wanted::Limit => false,
        }
    }

    /// Returns a response in words.
    fn seen(&self, answer: &Answer) -> String {
        let detail = match self.wanted {
            Wanted::Said(_, pointer, _) => got(pointer, &said(answer, pointer)),
            Wanted::Header(name, _) | Wanted::Lacks(name) => match answer.header(name) {
                Some(value) => format!(" with `{name}: {value}`"),
                None => format!(" without `{name}`"),
            },
            _ => String::new(),
        };
        match (answer.backend(), answer.header("location")) {
            (Some(backend), _) => format!("an answer of `{backend}`{detail}"),
            (None, Some(location)) => format!("{} to `{location}`", answer.status),
            (None, None) => answer.status.to_string(),
        }
    }
}

/// Returns the value at a JSON pointer of the backend's JSON, as a text.
fn said(answer: &Answer, pointer: &str) -> String {
    match answer.received().pointer(pointer) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "none".to_owned(),
    }
}

/// Returns a value that a backend got, in words.
fn got(pointer: &str, value: &str) -> String {
    let name = pointer.rsplit('/').next().unwrap_or_default();
    format!(" ({name} `{value}`)")
}

/// Returns the error of a share, without numbers, which differ between runs.
fn tenth(tally: &Tally, service: &str) -> Option<String> {
    let share = tally.of(service);
    if tally.failures.is_empty() && TENTH.contains(&share) {
        return None;
    }
    Some(if !tally.failures.is_empty() {
        "answers without a backend".to_owned()
    } else if share == 0 || share == tally.sent {
        "all answers of one Service".to_owned()
    } else if share < *TENTH.start() {
        format!("a few answers of `{service}`")
    } else {
        format!("too many answers of `{service}`")
    })
}

/// Returns the error if not some, but none or all of the requests were refused with 429 or 503.
fn limited(tally: &Tally) -> Option<String> {
    let is_refused = |failure: &&String| failure.starts_with("429 ") || failure.starts_with("503 ");
    match tally.failures.iter().filter(is_refused).count() {
        0 => Some("no refusal".to_owned()),
        all if all == tally.sent => Some("nothing but refusals".to_owned()),
        _ => None,
    }
}
