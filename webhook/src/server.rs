//! The server, with its limits on size and time.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use xposer_admission::Response;

use crate::certificates::Certificates;
use crate::connection_slots::{ConnectionSlot, ConnectionSlots};
use crate::exchange::PendingReview;
use crate::http;

/// The path of reviews.
pub const PATH: &str = "/validate";
/// The maximum size of a body in bytes. The API server accepts objects of 3 MiB, and the review of an update contains two objects
/// and some other fields.
pub const MAX_BODY: u64 = 8 << 20;
/// The maximum total size of bodies in memory, in KiB.
const MAX_HELD: usize = 48 << 10;
/// The maximum number of connections. The API server keeps 25 connections open, and opens more for more requests. If a new
/// connection exceeds the limit, a waiting one is closed.
const MAX_CONNECTIONS: usize = 512;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for the head of the first request of a connection. A client that only opens connections does not keep its places
/// for long.
const FIRST_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit for the next request of a connection. The API server closes an idle connection after 90 s. If the server closed
/// it first, a request that is just being sent could be lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for requests in progress when the server stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The handler that answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers a request (`AdmissionRequest` of `admission.k8s.io/v1`), which is valid JSON.
    fn answer(&self, request: Bytes) -> impl Future<Output = Response> + Send;

    /// Called with the outcome of each request, and the time since its head was read.
    fn on_finished(&self, outcome: Outcome, took: Duration);
}

/// The outcome of a request to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The object may be written unchanged.
    Allowed,
    /// The object may be written with the changes of the answer.
    Changed,
    /// The object may not be written.
    Refused,
    /// There was no answer, because the request was invalid.
    Invalid,
    /// There was no answer, because the request took too long.
    Late,
    /// There was no answer, because there were too many requests.
    Overloaded,
}

impl Outcome {
    fn of(response: &Response) -> Self {
        match response.changed_object() {
            _ if !response.is_allowed() => Self::Refused,
            Some(_) => Self::Changed,
            None => Self::Allowed,
        }
    }

    /// The outcome in one word.
    ///
    /// ```
    /// assert_eq!(xposer_webhook::Outcome::Changed.word(), "changed");
    /// ```
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Changed => "changed",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Late => "late",
            Self::Overloaded => "overloaded",
        }
    }
}

/// Answers reviews until `stop` is ready, and then finishes the requests in progress.
///
/// # Errors
///
/// TLS cannot be set up with the algorithms of this program.
pub async fn serve<D: Handler>(
    listener: TcpListener,
    certificates: Arc<Certificates>,
    handler: Arc<D>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    run(listener, acceptor(certificates)?, Arc::new(Server::new(handler)), MAX_CONNECTIONS, stop).await;
    Ok(())
}

/// Accepts connections, up to the limit, until `stop` is ready.
async fn run<D: Handler>(
    listener: TcpListener,
    tls: TlsAcceptor,
    server: Arc<Server<D>>,
    connections: usize,
    stop: impl Future<Output = ()>,
) {
    let places = ConnectionSlots::new(connections);
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let (stream, from) = http::accept(&listener).await;
            (stream, places.take(from.ip()).await)
        };
        let (stream, place) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let (tls, server, watcher) = (tls.clone(), server.clone(), graceful.watcher());
        tokio::spawn(serve_connection(stream, tls, server, watcher, place));
    }
    drop(listener);
    // Requests that are not finished in time are dropped.
    let _ = timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
}

fn acceptor(certificates: Arc<Certificates>) -> io::Result<TlsAcceptor> {
    let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(tls)))
}

/// Answers the requests of one connection, until either side closes it or its place is needed.
async fn serve_connection<D: Handler, S: AsyncRead + AsyncWrite + Unpin + 'static>(
    stream: S,
    tls: TlsAcceptor,
    server: Arc<Server<D>>,
    watcher: Watcher,
    place: ConnectionSlot,
) {
    let place = Arc::new(place);
    tokio::select! {
        () = answer_all(stream, tls, server, watcher, place.clone()) => {}
        () = place.ended() => {}
    }
}

async fn answer_all<D: Handler, S: AsyncRead + AsyncWrite + Unpin + 'static>(
    stream: S,
    tls: TlsAcceptor,
    server: Arc<Server<D>>,
    watcher: Watcher,
    place: Arc<ConnectionSlot>,
) {
    // An error means that the client closed the connection, or does not trust the certificate.
    let Ok(Ok(stream)) = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await else { return };
    let (began, mut begins) = tokio::sync::watch::channel(false);
    let connection = http::connection(stream, IDLE_TIMEOUT, move |request| {
        began.send_replace(true);
        let (server, place) = (server.clone(), place.clone());
        async move {
            let reply = server.handle(request, &place).await;
            place.mark_waiting(reply.status() == StatusCode::OK);
            reply
        }
    });
    let silent = async {
        if timeout(FIRST_TIMEOUT, begins.wait_for(|begins| *begins)).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        _ = watcher.watch(connection) => {}
        () = silent => {}
    }
}

struct Server<D> {
    handler: Arc<D>,
    /// One permit for each KiB of a body.
    held: Arc<Semaphore>,
}

/// The reason why there is no answer.
struct Failure {
    status: StatusCode,
    outcome: Outcome,
    message: String,
}

impl Failure {
    fn new(status: StatusCode, outcome: Outcome, message: impl Into<String>) -> Self {
        Self { status, outcome, message: message.into() }
    }
}

/// The failure of a request that is no review.
fn invalid<T>(status: StatusCode, message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::new(status, Outcome::Invalid, message))
}

impl<D: Handler> Server<D> {
    fn new(handler: Arc<D>) -> Self {
        Self { handler, held: Arc::new(Semaphore::new(MAX_HELD)) }
    }

    async fn handle(&self, request: Request<Incoming>, place: &ConnectionSlot) -> http::Response {
        let began = Instant::now();
        let (reply, outcome) = match self.answer(request, place).await {
            Ok((body, outcome)) => (http::response(StatusCode::OK, body, http::JSON), outcome),
            Err(Failure { status, outcome, message }) => {
                let mut reply = http::response(status, format!("{message}\n"), http::TEXT);
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    reply.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                }
                (reply, outcome)
            }
        };
        self.handler.on_finished(outcome, began.elapsed());
        reply
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        place: &ConnectionSlot,
    ) -> Result<(Vec<u8>, Outcome), Failure> {
        let length = length(&request)?;
        let permits = u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX);
        let Ok(Ok(_held)) = timeout(BODY_TIMEOUT, self.held.acquire_many(permits)).await else {
            let message = "there are too many requests; try again";
            return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, Outcome::Overloaded, message));
        };
        let body = match timeout(BODY_TIMEOUT, request.into_body().collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) => {
                return invalid(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"));
            }
            Err(_) => {
                let message = format!("the body was not complete within {} s", BODY_TIMEOUT.as_secs());
                return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, Outcome::Late, message));
            }
        };
        // From here on the connection keeps its place: until the body is complete, the sender decides how long the request takes.
        place.mark_busy();
        let exchange = match PendingReview::read(&body) {
            Ok(exchange) => exchange,
            Err(error) => return invalid(StatusCode::BAD_REQUEST, error.to_string()),
        };
        let asked = body.slice_ref(exchange.request().as_bytes());
        match timeout(ANSWER_TIMEOUT, self.handler.answer(asked)).await {
            Ok(response) => Ok((exchange.answer(&response), Outcome::of(&response))),
            Err(_) => {
                let message = format!("there was no answer within {} s", ANSWER_TIMEOUT.as_secs());
                Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, Outcome::Late, message))
            }
        }
    }
}

/// The size of the body, if it is within the limit.
fn length<B: Body>(request: &Request<B>) -> Result<u64, Failure> {
    if request.uri().path() != PATH {
        return invalid(StatusCode::NOT_FOUND, format!("not found: use {PATH}"));
    }
    if request.method() != Method::POST {
        return invalid(StatusCode::METHOD_NOT_ALLOWED, "reviews are sent with POST");
    }
    let sent = request.headers().get(CONTENT_TYPE).and_then(|sent| sent.to_str().ok()).unwrap_or_default();
    if !sent.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return invalid(StatusCode::UNSUPPORTED_MEDIA_TYPE, "reviews are sent as application/json");
    }
    match request.body().size_hint().exact() {
        Some(length) if length <= MAX_BODY => Ok(length),
        Some(_) => {
            invalid(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {} MiB", MAX_BODY >> 20))
        }
        None => invalid(StatusCode::LENGTH_REQUIRED, "the header Content-Length is missing"),
    }
}

#[cfg(test)]
mod tests;
