//! The status page of the controller: `/` and `/report.json` show the exposed Services and their URLs, as the controller decided
//! them.
//!
//! The loop owns the state, so the page requests a copy of the relevant part ([`Snapshot`]). The report is made from the copy in a
//! separate thread, one at a time, and cached until the state changes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use k8s_openapi::jiff::Timestamp;
use tokio::sync::{Mutex, mpsc, oneshot};
use tracing::error;
use xposer::{Outcome, Precedence, Service, Settings, expose_all};
use xposer_live::service::StoredService;
use xposer_report::model::{Cluster, ClusterState};
use xposer_report::{Options, Report, content_security_policy};
use xposer_webhook::http::{self, JSON, Response, TEXT};

use crate::serve::listen;
use crate::state::{ObjectStatus, State};

/// The maximum number of Services in a report, and of entries in each of its lists.
pub(crate) const MAX_ROWS: usize = 5000;
/// The maximum number of concurrent clients. A slow reader may keep a report in memory that is no longer cached.
const MAX_CONNECTIONS: usize = 8;
/// How long a report is reused although the state has changed, because a busy cluster would need new reports all the time.
const MIN_AGE: Duration = Duration::from_secs(2);

/// A copy of the state that a report is made from.
pub(crate) struct Snapshot {
    /// The revision of the state.
    pub(crate) revision: u64,
    pub(crate) settings: Settings,
    /// The Services, each with the status of its objects.
    pub(crate) services: Vec<(StoredService, ObjectStatus)>,
    /// The number of Services that are not included.
    pub(crate) others: usize,
}

impl Snapshot {
    /// Copies the data for a report of at most `limit` Services, including those that share claims with them.
    pub(crate) fn new(state: &State, revision: u64, limit: usize) -> Self {
        let services: Vec<_> = state.with_claim_group(limit);
        let others = state.services.len().saturating_sub(services.len());
        let services = services.into_iter().map(|entry| (entry.stored.clone(), entry.written.clone()));
        Self { revision, settings: state.settings.clone(), services: services.collect(), others }
    }

    /// Makes the report, which takes a while.
    pub(crate) fn report(&self, limit: usize) -> Report {
        let documents: Vec<_> = self.services.iter().map(|(stored, _)| stored.document()).collect();
        let stored = self.services.iter().zip(&documents);
        let services: Vec<Service<'_>> =
            stored.map(|((stored, _), document)| stored.view(document).created_at(stored.created)).collect();
        let outcomes = expose_all(&services, &self.settings, Precedence::OldestFirst);
        let cluster = |at: usize| {
            let (_, written) = self.services.get(at)?;
            let is_exposed = matches!(outcomes.get(at), Some(Outcome::Planned { .. }));
            is_exposed.then(|| cluster(written))
        };
        let options = Options {
            precedence: Precedence::OldestFirst,
            cluster: Some(&cluster),
            title: Some("This cluster, as the controller sees it".to_owned()),
            generated: Some(Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            limit: Some(limit),
            not_looked_at: self.others,
            ..Options::default()
        };
        Report::new(&services, &outcomes, &self.settings, &options)
    }
}

fn cluster(written: &ObjectStatus) -> Cluster {
    match written {
        ObjectStatus::NotYet => Cluster { state: ClusterState::Pending, message: None },
        ObjectStatus::All => Cluster { state: ClusterState::InSync, message: None },
        ObjectStatus::Failed(message) => {
            Cluster { state: ClusterState::Failed, message: Some(message.as_ref().to_owned()) }
        }
    }
}

/// A request to the loop for a snapshot, unless the state still has the known revision.
pub(crate) struct SnapshotRequest {
    pub(crate) known: Option<u64>,
    pub(crate) answer: oneshot::Sender<SnapshotReply>,
}

/// The answer of the loop.
pub(crate) enum SnapshotReply {
    /// The first lists are not complete.
    NotReady,
    /// The revision is unchanged.
    Same,
    Changed(Box<Snapshot>),
}

/// A cached report.
struct CachedReport {
    revision: u64,
    made: Instant,
    html: Bytes,
    json: Bytes,
}

/// The page, its data, and the channel to the loop.
struct ReportServer {
    requests: mpsc::Sender<SnapshotRequest>,
    /// Locked while a report is made, so that only one is made at a time.
    kept: Mutex<Option<CachedReport>>,
    /// Whether the address can only be reached from this machine.
    is_loopback: bool,
}

/// Serves the page until the program ends. Returns the address; the system may have chosen the port.
///
/// # Errors
///
/// The program cannot listen on the address.
pub(crate) async fn serve(
    address: SocketAddr,
    requests: mpsc::Sender<SnapshotRequest>,
) -> std::io::Result<SocketAddr> {
    let is_loopback = address.ip().is_loopback();
    let pages = Arc::new(ReportServer { requests, kept: Mutex::new(None), is_loopback });
    listen(address, MAX_CONNECTIONS, move |request| {
        let pages = pages.clone();
        async move { pages.answer(&request).await }
    })
    .await
}

const HTML: &str = "text/html; charset=utf-8";

impl ReportServer {
    async fn answer<B>(&self, request: &Request<B>) -> Response {
        if let Some(refused) = refusal(request, self.is_loopback) {
            return refused;
        }
        let is_html = request.uri().path() == "/";
        match self.current().await {
            Ok((html, json)) => {
                let (body, content_type) = if is_html { (html, HTML) } else { (json, JSON) };
                response(StatusCode::OK, body, content_type)
            }
            Err((status, text)) => response(status, text, TEXT),
        }
    }

    /// Returns the current report as a page and as data.
    async fn current(&self) -> Result<(Bytes, Bytes), (StatusCode, &'static str)> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.made.elapsed() < MIN_AGE) {
            return Ok((kept.html.clone(), kept.json.clone()));
        }
        let (answer, asked) = oneshot::channel();
        let ask = SnapshotRequest { known: kept.as_ref().map(|kept| kept.revision), answer };
        let ending = (StatusCode::SERVICE_UNAVAILABLE, "the program is shutting down\n");
        self.requests.send(ask).await.map_err(|_| ending)?;
        let snapshot = match asked.await.map_err(|_| ending)? {
            SnapshotReply::NotReady => {
                return Err((StatusCode::SERVICE_UNAVAILABLE, "the first lists are not complete\n"));
            }
            SnapshotReply::Same => None,
            SnapshotReply::Changed(snapshot) => Some(snapshot),
        };
        if let Some(snapshot) = snapshot {
            let made = tokio::task::spawn_blocking(move || {
                let report = snapshot.report(MAX_ROWS);
                (snapshot.revision, Bytes::from(report.to_html()), Bytes::from(report.to_json()))
            });
            let (revision, html, json) = made.await.map_err(|error| {
                // The task panicked, which is a bug.
                error!("the report cannot be created: {error}");
                (StatusCode::INTERNAL_SERVER_ERROR, "the report cannot be created\n")
            })?;
            *kept = Some(CachedReport { revision, made: Instant::now(), html, json });
        }
        let kept = kept.as_mut().ok_or(ending)?;
        kept.made = Instant::now();
        Ok((kept.html.clone(), kept.json.clone()))
    }
}

/// The response to a request that is refused without reading the state.
fn refusal<B>(request: &Request<B>, is_loopback: bool) -> Option<Response> {
    let message = |status, text: &'static str| Some(response(status, text, TEXT));
    // Protects against DNS rebinding: a web page whose host name resolves to this machine could otherwise read the report.
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if is_loopback && !is_this_machine(host) {
        return message(StatusCode::FORBIDDEN, "use the host localhost or 127.0.0.1\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = message(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are allowed\n")?;
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Some(refused);
    }
    match request.uri().path() {
        "/" | "/report.json" => None,
        _ => message(StatusCode::NOT_FOUND, "not found: use / or /report.json\n"),
    }
}

/// Whether the host of a request, possibly with a port, is the name or address of this machine.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

fn response(status: StatusCode, body: impl Into<Bytes>, content_type: &'static str) -> Response {
    let mut response = http::response(status, body, content_type);
    let headers = response.headers_mut();
    let policy = format!("{}; frame-ancestors 'none'", content_security_policy());
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        ("cache-control", "no-store"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, host: &str, path: &str, is_loopback: bool) -> u16 {
        let request = Request::builder().method(method).uri(path).header(HOST, host).body(()).unwrap();
        refusal(&request, is_loopback).map_or(200, |refused| {
            assert_eq!(refused.headers().get("x-content-type-options").unwrap(), "nosniff");
            refused.status().as_u16()
        })
    }

    #[test]
    fn it_is_to_be_read() {
        for path in ["/", "/report.json"] {
            assert_eq!(asked("GET", "localhost:8081", path, true), 200);
            assert_eq!(asked("HEAD", "127.0.0.1:8081", path, true), 200);
            for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
                assert_eq!(asked(method, "localhost", path, true), 405, "{method}");
            }
        }
        assert_eq!(asked("GET", "[::1]:8081", "/metrics", true), 404);
    }

    #[test]
    fn a_page_of_the_internet_cannot_read_it() {
        for host in
            ["evil.example.com", "evil.example.com:8081", "localhost.example.com", "", "10.0.0.1:8081"]
        {
            assert_eq!(asked("GET", host, "/report.json", true), 403, "{host}");
            // If the address can be reached from other machines, their names for it are not known.
            assert_eq!(asked("GET", host, "/report.json", false), 200, "{host}");
        }
    }
}
