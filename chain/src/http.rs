//! A small HTTP server for backends and stand-ins: HTTP/1.1 and HTTP/2 with prior knowledge, each with and without TLS.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::process::output;

/// The client address of a request, and whether it came over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) from: SocketAddr,
    pub(crate) tls: bool,
}

pub(crate) type Answer = Response<Full<Bytes>>;
type Handler = dyn Fn(&Request<Bytes>, Arrival) -> Answer + Send + Sync;

/// A listener that responds until it is dropped.
pub(crate) struct Server {
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a listener, which responds to each request with `answer`. Must be called inside of the runtime.
pub(crate) fn serve(
    address: Ipv4Addr,
    port: u16,
    tls: Option<TlsAcceptor>,
    answer: impl Fn(&Request<Bytes>, Arrival) -> Answer + Send + Sync + 'static,
) -> Result<Server> {
    let socket = TcpSocket::new_v4()?;
    // A proxy may listen on this port at all addresses. The socket for the single address takes precedence.
    socket.set_reuseport(true)?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::new(address.into(), port)).with_context(|| format!("{address}:{port}"))?;
    let listener = socket.listen(1024)?;
    let answer: Arc<Handler> = Arc::new(answer);
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((stream, from)) = accepted {
                        connections.spawn(connection(stream, from, tls.clone(), answer.clone()));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok(Server { task: task.abort_handle() })
}

async fn connection(stream: TcpStream, from: SocketAddr, tls: Option<TlsAcceptor>, answer: Arc<Handler>) {
    /// The first byte of a TLS connection.
    const HANDSHAKE: u8 = 22;
    let mut first = [0];
    let is_tls = matches!(stream.peek(&mut first).await, Ok(1)) && first == [HANDSHAKE];
    match tls.filter(|_| is_tls) {
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                answer_all(stream, Arrival { from, tls: true }, answer).await;
            }
        }
        None => answer_all(stream, Arrival { from, tls: false }, answer).await,
    }
}

async fn answer_all(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    arrival: Arrival,
    answer: Arc<Handler>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer.clone();
        async move {
            tokio::time::sleep(delay(request.uri())).await;
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            Ok::<Answer, Infallible>(answer(&Request::from_parts(head, body), arrival))
        }
    });
    // A client may leave at any time.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// Returns the delay that a request asks for, such as `?delay=2` for 2 seconds.
fn delay(uri: &Uri) -> Duration {
    let seconds = uri.query().and_then(|query| query.strip_prefix("delay=")?.parse().ok());
    Duration::from_secs(seconds.unwrap_or_default())
}

pub(crate) fn json(status: StatusCode, value: &Value) -> Answer {
    let mut answer = Response::new(Full::from(format!("{value}\n")));
    *answer.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    answer
}

/// Makes a self-signed certificate for backends with TLS.
pub(crate) fn self_signed(folder: &Path) -> Result<TlsAcceptor> {
    let (key, certificate) = (folder.join("tls.key"), folder.join("tls.crt"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]);
    openssl.args(["-days", "30", "-subj", "/CN=backend", "-addext", "subjectAltName=DNS:backend"]);
    openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
    output(&mut openssl)?;
    let mut configuration = ServerConfig::builder().with_no_client_auth().with_single_cert(
        vec![CertificateDer::from_pem_file(&certificate)?],
        PrivateKeyDer::from_pem_file(&key)?,
    )?;
    configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(configuration)))
}

/// Returns the configuration of a client that trusts only this certificate authority, a PEM text.
pub(crate) fn trust(authority: &str) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
