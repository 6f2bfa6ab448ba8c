//! `/healthz`, `/readyz` and `/metrics`, and how requests are answered.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// The main loop runs every few seconds. If it has not run for this time, it hangs.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(60);

/// The state of `/healthz` and `/readyz`.
pub(crate) struct Health {
    started: Instant,
    /// Seconds after the start.
    last_beat: AtomicU64,
    ready: AtomicBool,
    /// Why the webhook cannot answer, if there is one.
    webhook: Mutex<Option<String>>,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            last_beat: AtomicU64::new(0),
            ready: AtomicBool::new(false),
            webhook: Mutex::new(None),
        }
    }

    /// The main loop has run.
    pub(crate) fn beat(&self, ready: bool) {
        self.last_beat.store(self.started.elapsed().as_secs(), Ordering::Relaxed);
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// That the webhook can answer, or why it cannot.
    pub(crate) fn set_webhook(&self, trouble: Option<String>) {
        *self.webhook.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Why the program is not ready.
    pub(crate) fn trouble(&self) -> Option<String> {
        if !self.ready.load(Ordering::Relaxed) {
            return Some("the first lists are not complete".to_owned());
        }
        let webhook = self.webhook.lock().unwrap_or_else(PoisonError::into_inner);
        webhook.as_ref().map(|trouble| format!("the webhook cannot answer: {trouble}"))
    }

    fn is_alive(&self) -> bool {
        let last = self.last_beat.load(Ordering::Relaxed);
        self.started.elapsed().as_secs().saturating_sub(last) < LIVENESS_TIMEOUT.as_secs()
    }
}

/// The body of an answer.
pub(crate) type Answer = Full<Bytes>;

/// Answers requests until the program ends. Returns the address, whose port the system may have chosen.
///
/// # Errors
///
/// If the program cannot listen at the address.
pub(crate) async fn serve(
    address: SocketAddr,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
) -> std::io::Result<SocketAddr> {
    listen(address, move |request| std::future::ready(answer(&request, &health, &metrics))).await
}

/// Answers the requests to an address until the program ends. Returns the address, whose port the system may have chosen.
///
/// # Errors
///
/// If the program cannot listen at the address.
pub(crate) async fn listen<F>(
    address: SocketAddr,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
) -> std::io::Result<SocketAddr>
where
    F: Future<Output = Response<Answer>> + Send + 'static,
{
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // For example, there are too many open files.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let answer = answer.clone();
            tokio::spawn(async move {
                let answer = service_fn(move |request| {
                    let answer = answer(request);
                    async { Ok::<_, Infallible>(answer.await) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(hyper_util::rt::TokioTimer::new())
                    .header_read_timeout(Duration::from_secs(10))
                    .serve_connection(TokioIo::new(stream), answer);
                // An error means that the client has closed the connection.
                let _ = connection.await;
            });
        }
    });
    Ok(bound)
}

fn answer<B>(request: &Request<B>, health: &Health, metrics: &Metrics) -> Response<Answer> {
    let (status, text, content_type) = match request.uri().path() {
        "/healthz" if health.is_alive() => (StatusCode::OK, "ok\n".to_owned(), PLAIN),
        "/healthz" => (StatusCode::INTERNAL_SERVER_ERROR, "the main loop hangs\n".to_owned(), PLAIN),
        "/readyz" => match health.trouble() {
            None => (StatusCode::OK, "ok\n".to_owned(), PLAIN),
            Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n"), PLAIN),
        },
        "/metrics" => (StatusCode::OK, metrics.text(), OPEN_METRICS),
        _ => (StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n".to_owned(), PLAIN),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

const PLAIN: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
