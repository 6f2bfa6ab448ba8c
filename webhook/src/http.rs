//! HTTP as far as all servers of the controller have it in common: the webhook, the metrics and the status page. Each of them has
//! limits of its own for the number of connections and the time of a connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1::{Builder, Connection};
use hyper::service::{Service, service_fn};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// The content type of a text for people.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// The content type of JSON.
pub const JSON: &str = "application/json";

/// The longest head of a request, in bytes: that of the API server has about 1 KiB. The buffer of a connection grows to at most
/// twice this length, so this bounds the memory of all connections.
pub(crate) const MAX_HEAD: usize = 32 << 10;

/// A response with its whole body.
pub type Response = hyper::Response<Full<Bytes>>;

/// Returns a response with this content. A browser does not take it for content of another type.
pub fn response(status: StatusCode, body: impl Into<Bytes>, content_type: &'static str) -> Response {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Accepts the next connection.
pub async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        if let Ok((stream, from)) = listener.accept().await
            && stream.set_nodelay(true).is_ok()
        {
            return (stream, from);
        }
        // Waits before a retry, because the error may persist, for example if too many files are open.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Answers the requests of one connection. The client has this time to send the head of each request.
pub fn connection<S, F>(
    stream: S,
    head_timeout: Duration,
    answer: impl Fn(Request<Incoming>) -> F,
) -> Connection<
    TokioIo<S>,
    impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>,
>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    F: Future<Output = Response> + Send,
{
    let answer = service_fn(move |request| {
        let answer = answer(request);
        async { Ok(answer.await) }
    });
    Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(MAX_HEAD)
        // The buffer grows by more than it needs, so it has room for a longer head.
        .max_header_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), answer)
}
