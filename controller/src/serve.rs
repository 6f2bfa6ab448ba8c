//! Serves `/healthz`, `/readyz` and `/metrics`, and answers HTTP requests.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use xposer_webhook::http::{self, Response, TEXT};

use crate::metrics::Metrics;

/// The main loop runs every few seconds. If it has not run for this time, it hangs.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(60);

/// The maximum number of concurrent clients of `/healthz`, `/readyz` and `/metrics`. Their responses are small.
const MAX_CONNECTIONS: usize = 512;
/// The time limit for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for requests over one connection.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);
/// The time limit for reading the last response after that.
const LAST_ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The state of `/healthz` and `/readyz`.
pub(crate) struct Health {
    started: Instant,
    /// The time of the last run of the loop, in seconds after the start.
    last_beat: AtomicU64,
    ready: AtomicBool,
    /// The reason why the webhook cannot answer; `None` if it can, or if there is none.
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

    /// Records that the main loop has run.
    pub(crate) fn beat(&self, ready: bool) {
        self.last_beat.store(self.started.elapsed().as_secs(), Ordering::Relaxed);
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Sets the reason why the webhook cannot answer; `None` if it can.
    pub(crate) fn set_webhook(&self, trouble: Option<String>) {
        *self.webhook.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// The reason why the program is not ready.
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

/// Serves the requests until the program ends. Returns the address; the system may have chosen the port.
///
/// # Errors
///
/// The program cannot listen on the address.
pub(crate) async fn serve(
    address: SocketAddr,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
) -> std::io::Result<SocketAddr> {
    let answer = move |request| std::future::ready(answer(&request, &health, &metrics));
    listen(address, MAX_CONNECTIONS, answer).await
}

/// Answers the requests to an address until the program ends. Returns the address; the system may have chosen the port.
///
/// A client that does not read keeps a response in memory, so there are at most `connections` at a time, and each has a time limit
/// ([`CONNECTION_TIMEOUT`]). Further connections wait until one has ended.
///
/// # Errors
///
/// The program cannot listen on the address.
pub(crate) async fn listen<F>(
    address: SocketAddr,
    connections: usize,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
) -> std::io::Result<SocketAddr>
where
    F: Future<Output = Response> + Send + 'static,
{
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    let free = Arc::new(Semaphore::new(connections));
    tokio::spawn(async move {
        // The semaphore is never closed.
        while let Ok(place) = free.clone().acquire_owned().await {
            let (stream, _) = http::accept(&listener).await;
            let mut connection = Box::pin(http::connection(stream, HEAD_TIMEOUT, answer.clone()));
            tokio::spawn(async move {
                // An error means that the client closed the connection.
                if timeout(CONNECTION_TIMEOUT, connection.as_mut()).await.is_err() {
                    connection.as_mut().graceful_shutdown();
                    let _ = timeout(LAST_ANSWER_TIMEOUT, connection).await;
                }
                drop(place);
            });
        }
    });
    Ok(bound)
}

fn answer<B>(request: &Request<B>, health: &Health, metrics: &Metrics) -> Response {
    let (status, text, content_type) = match request.uri().path() {
        "/healthz" if health.is_alive() => (StatusCode::OK, "ok\n".to_owned(), TEXT),
        "/healthz" => {
            (StatusCode::INTERNAL_SERVER_ERROR, "the main loop does not respond\n".to_owned(), TEXT)
        }
        "/readyz" => match health.trouble() {
            None => (StatusCode::OK, "ok\n".to_owned(), TEXT),
            Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n"), TEXT),
        },
        "/metrics" => (StatusCode::OK, metrics.text(), OPEN_METRICS),
        _ => (StatusCode::NOT_FOUND, "not found: use /healthz, /readyz or /metrics\n".to_owned(), TEXT),
    };
    http::response(status, text, content_type)
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::sync::mpsc;

    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn connection_waits_for_a_free_slot() {
        let (started, address) = mpsc::channel();
        let (end, ended) = oneshot::channel::<()>();
        let server = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let ok = |_| std::future::ready(http::response(StatusCode::OK, "ok", TEXT));
                let bound = listen("127.0.0.1:0".parse().unwrap(), 1, ok).await.unwrap();
                started.send(bound).unwrap();
                let _ = ended.await;
            });
        });
        let address = address.recv().unwrap();
        let silent = TcpStream::connect(address).unwrap();
        let mut second = TcpStream::connect(address).unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        second.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        assert!(second.read_to_string(&mut answer).is_err(), "{answer}");
        drop(silent);
        second.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        second.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
        drop(end);
        server.join().unwrap();
    }
}
