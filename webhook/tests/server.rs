//! The server over real connections.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail it like the test itself"
)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use xposer_admission::Response;
use xposer_webhook::{Certificates, Handler, MAX_BODY, Outcome, Reloaded, serve};

/// Accepts everything, as late as the request says (`wait`, in milliseconds).
#[derive(Default)]
struct Lenient {
    told: Mutex<Vec<&'static str>>,
}

impl Handler for Lenient {
    async fn answer(&self, request: Bytes) -> Response {
        let request: Value = serde_json::from_slice(&request).unwrap();
        tokio::time::sleep(Duration::from_millis(request["wait"].as_u64().unwrap_or(0))).await;
        Response::accepted()
    }

    fn on_finished(&self, outcome: Outcome, _: Duration) {
        self.told.lock().unwrap().push(outcome.word());
    }
}

struct Started {
    address: SocketAddr,
    folder: TempDir,
    certificates: Arc<Certificates>,
    handler: Arc<Lenient>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Started {
    async fn new() -> (Self, String) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let certificates = Arc::new(Certificates::new(at("tls.crt"), at("tls.key")));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let handler = Arc::new(Lenient::default());
        let (served, by) = (certificates.clone(), handler.clone());
        let task = tokio::spawn(async move {
            serve(listener, served, by, async {
                let _ = stopped.await;
            })
            .await
        });
        let started = Self { address, folder, certificates, handler, stop, task };
        let root = started.renew();
        (started, root)
    }

    /// Writes a new pair, and gives the certificate.
    fn renew(&self) -> String {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.folder.path().join("tls.crt"), made.cert.pem()).unwrap();
        std::fs::write(self.folder.path().join("tls.key"), made.signing_key.serialize_pem()).unwrap();
        assert_eq!(self.certificates.reload(), Some(Reloaded::Used));
        made.cert.pem()
    }

    /// A connection of a client that trusts this certificate.
    async fn connect(&self, root: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }
}

/// Sends a text, and gives the status and the body of the answer.
async fn exchange(stream: &mut TlsStream<TcpStream>, text: &[u8]) -> (u16, String) {
    stream.write_all(text).await.unwrap();
    let mut read = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await.unwrap_or(0);
        read.extend_from_slice(&piece[..length]);
        let message = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = message.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let expected = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() >= expected.parse::<usize>().unwrap() {
                return (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned());
            }
        }
        assert!(length > 0, "the connection ended: {message}");
    }
}

fn review(wait: u64) -> String {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {"uid": "1", "operation": "CREATE", "wait": wait}})
    .to_string()
}

fn post(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST /validate?timeout=5s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

#[tokio::test]
async fn one_connection_serves_many_requests_and_errors_have_messages() {
    let (server, root) = Started::new().await;
    let mut stream = server.connect(&root).await.unwrap();
    for _ in 0..3 {
        let (status, body) = exchange(&mut stream, &post(&review(0))).await;
        assert!(status == 200 && body.contains(r#""response":{"uid":"1","allowed":true}"#), "{body}");
    }
    let too_long = MAX_BODY + 1;
    for (text, status, said) in [
        (post("garbage"), 400, "the body is no AdmissionReview in JSON"),
        (post(&"[".repeat(1 << 20)), 400, "the body is no AdmissionReview in JSON"),
        (post("{}"), 400, "only AdmissionReview of admission.k8s.io/v1 is supported"),
        (b"GET /validate HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 405, "reviews are sent with POST"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".to_vec(), 404, "not found: use /validate"),
        (
            b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".to_vec(),
            415,
            "reviews are sent as application/json",
        ),
        (
            b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                .to_vec(),
            411,
            "the header Content-Length is missing",
        ),
    ] {
        let (found, body) = exchange(&mut stream, &text).await;
        assert_eq!(found, status, "{body}");
        assert!(body.contains(said), "{body}");
    }
    // The connection still answers. A body that is too long is not read, so that is the last one.
    assert_eq!(exchange(&mut stream, &post(&review(0))).await.0, 200);
    let text = format!(
        "POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {too_long}\r\n\r\n"
    );
    let (found, body) = exchange(&mut stream, text.as_bytes()).await;
    assert!(found == 413 && body.contains("longer than 8 MiB"), "{body}");
    // What is no TLS is closed.
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = plain.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
    let told = server.handler.told.lock().unwrap().clone();
    let count = |word: &str| told.iter().filter(|it| **it == word).count();
    assert_eq!((count("allowed"), count("invalid"), told.len()), (4, 8, 12), "{told:?}");
}

#[tokio::test]
async fn a_renewal_drops_nothing() {
    let (server, old) = Started::new().await;
    let mut before = server.connect(&old).await.unwrap();
    let new = server.renew();
    assert_eq!(exchange(&mut before, &post(&review(0))).await.0, 200);
    assert!(server.connect(&old).await.is_err());
    let mut after = server.connect(&new).await.unwrap();
    assert_eq!(exchange(&mut after, &post(&review(0))).await.0, 200);
    assert_eq!(exchange(&mut before, &post(&review(0))).await.0, 200);
}

#[tokio::test]
async fn running_requests_are_finished_at_shutdown() {
    let (server, root) = Started::new().await;
    let mut idle = server.connect(&root).await.unwrap();
    assert_eq!(exchange(&mut idle, &post(&review(0))).await.0, 200);
    let mut busy = server.connect(&root).await.unwrap();
    let asked = tokio::spawn(async move { exchange(&mut busy, &post(&review(1000))).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.stop.send(()).unwrap();
    assert_eq!(asked.await.unwrap().0, 200);
    server.task.await.unwrap().unwrap();
    // The idle connection is closed.
    assert_eq!(idle.read(&mut [0; 8]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(server.address).await.is_err());
}
