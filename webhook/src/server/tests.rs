//! The runtime's clock is paused, so no test waits, and limits are met to the millisecond. A connection is an in-memory pipe: a
//! kernel socket would deliver data while the clock stands still.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
#[cfg(target_os = "linux")]
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::http::MAX_HEAD;

const REVIEW: &str = r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1", "operation": "CREATE"}}"#;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A limit for tests with the real clock, which only a hanging test reaches.
const HANGS: Duration = Duration::from_secs(30);

/// A handler that accepts everything after a delay.
struct Slow {
    wait: Duration,
    /// One permit for each review that was received.
    came: Semaphore,
    outcomes: std::sync::Mutex<Vec<Outcome>>,
}

impl Slow {
    fn new(wait: Duration) -> Self {
        Self { wait, came: Semaphore::new(0), outcomes: std::sync::Mutex::default() }
    }
}

impl Handler for Slow {
    async fn answer(&self, _: Bytes) -> Response {
        self.came.add_permits(1);
        tokio::time::sleep(self.wait).await;
        Response::accepted()
    }

    fn on_finished(&self, outcome: Outcome, _: Duration) {
        self.outcomes.lock().unwrap().push(outcome);
    }
}

struct Fixture {
    tls: TlsAcceptor,
    client: TlsConnector,
    server: Arc<Server<Slow>>,
    graceful: GracefulShutdown,
}

impl Fixture {
    fn new(wait: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("tls.crt"), made.cert.pem()).unwrap();
        std::fs::write(at("tls.key"), made.signing_key.serialize_pem()).unwrap();
        let certificates = Arc::new(Certificates::new(at("tls.crt"), at("tls.key")));
        certificates.reload().unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).unwrap()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            tls: acceptor(certificates).unwrap(),
            client: Arc::new(client).into(),
            server: Arc::new(Server::new(Arc::new(Slow::new(wait)))),
            graceful: GracefulShutdown::new(),
        }
    }

    /// The client side of a new connection.
    fn outcomes(&self) -> Vec<Outcome> {
        self.server.handler.outcomes.lock().unwrap().clone()
    }

    fn connect(&self) -> DuplexStream {
        let (ours, theirs) = duplex(64 << 10);
        let (tls, server, watcher) = (self.tls.clone(), self.server.clone(), self.graceful.watcher());
        tokio::spawn(async move {
            let place = ConnectionSlots::new(1).take(LOCALHOST).await;
            serve_connection(ours, tls, server, watcher, place).await;
        });
        theirs
    }

    async fn connect_tls(&self) -> TlsStream<DuplexStream> {
        self.client.connect(ServerName::try_from("localhost").unwrap(), self.connect()).await.unwrap()
    }
}

fn head(length: usize) -> String {
    format!(
        "POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Reads everything until the server closes the connection. Returns the text and the duration.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> (String, Duration) {
    let began = tokio::time::Instant::now();
    let mut read = Vec::new();
    // The connection may be closed without a TLS close notification.
    let closed = timeout(Duration::from_secs(3600), stream.read_to_end(&mut read)).await;
    assert!(closed.is_ok(), "nobody closes it");
    (String::from_utf8_lossy(&read).into_owned(), began.elapsed())
}

/// Sends a text, one byte a second, until the server closes the connection.
async fn drip(mut to: impl AsyncWrite + Unpin, text: String) {
    for byte in text.bytes() {
        if to.write_all(&[byte]).await.is_err() || to.flush().await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    std::future::pending::<()>().await;
}

/// Whether a duration equals a limit. The clock of the runtime has a resolution of a millisecond.
#[track_caller]
fn is_about(took: Duration, limit: Duration) {
    assert!(took >= limit && took < limit + Duration::from_millis(100), "{took:?} and not {limit:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_its_time() {
    let fixture = Fixture::new(Duration::ZERO);
    let (said, took) = rest(&mut fixture.connect()).await;
    assert_eq!(said, "");
    is_about(took, HANDSHAKE_TIMEOUT);
    // Single bytes that look like the start of a ClientHello do not extend the limit.
    let (mut read, write) = tokio::io::split(fixture.connect());
    tokio::spawn(drip(write, format!("\x16\x03\x01\x01\u{0}{}", "x".repeat(60))));
    let (_, took) = rest(&mut read).await;
    is_about(took, HANDSHAKE_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_is_closed() {
    let fixture = Fixture::new(Duration::ZERO);
    let mut silent = fixture.connect_tls().await;
    let (said, took) = rest(&mut silent).await;
    assert_eq!(said, "");
    is_about(took, FIRST_TIMEOUT);
    // A head that is sent byte by byte does not extend the limit.
    let (mut read, write) = tokio::io::split(fixture.connect_tls().await);
    tokio::spawn(drip(write, head(1)));
    let (said, took) = rest(&mut read).await;
    assert_eq!(said, "");
    is_about(took, FIRST_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_head_is_bounded() {
    let fixture = Fixture::new(Duration::ZERO);
    let long = |length: usize, end: &str| {
        let start = head(0).replace("\r\n\r\n", "\r\nX: ");
        let rest = "x".repeat(length - start.len() - end.len());
        start + &rest + end
    };
    // With and without its end, at once and in pieces.
    for (length, end, piece) in [
        (MAX_HEAD, "", MAX_HEAD),
        (MAX_HEAD + 1, "\r\n\r\n", MAX_HEAD + 1),
        (40_000, "\r\n\r\n", 40_000),
        (40_000, "\r\n\r\n", 1000),
        (2 * MAX_HEAD, "\r\n\r\n", 2 * MAX_HEAD),
    ] {
        let (mut read, mut write) = tokio::io::split(fixture.connect_tls().await);
        let text = long(length, end);
        tokio::spawn(async move {
            for piece in text.as_bytes().chunks(piece) {
                // The server may have closed the connection.
                let _ = write.write_all(piece).await;
                let _ = write.flush().await;
            }
            std::future::pending::<()>().await;
        });
        let (said, took) = rest(&mut read).await;
        assert!(said.starts_with("HTTP/1.1 431"), "{length} {piece}: {said}");
        is_about(took, Duration::ZERO);
    }
    // What clients send is far from that.
    for length in [MAX_HEAD / 2, MAX_HEAD] {
        let mut stream = fixture.connect_tls().await;
        stream.write_all(long(length, "\r\n\r\n").as_bytes()).await.unwrap();
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        let message = String::from_utf8_lossy(&piece[..read]).into_owned();
        assert!(message.contains("the body is no AdmissionReview"), "{length}: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_wait_longer_for_its_next_request() {
    let fixture = Fixture::new(Duration::ZERO);
    let mut stream = fixture.connect_tls().await;
    let text = head(REVIEW.len()) + REVIEW;
    for _ in 0..2 {
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await.unwrap();
        assert!(piece[..length].starts_with(b"HTTP/1.1 200"));
        tokio::time::sleep(IDLE_TIMEOUT - Duration::from_secs(1)).await;
    }
    let (said, took) = rest(&mut stream).await;
    assert_eq!(said, "");
    is_about(took, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_body_has_its_time() {
    let fixture = Fixture::new(Duration::ZERO);
    // The body does not arrive at all, or one byte a second.
    for body in ["", "{\"apiVersion\": "] {
        let (mut read, mut write) = tokio::io::split(fixture.connect_tls().await);
        write.write_all(head(100).as_bytes()).await.unwrap();
        tokio::spawn(drip(write, body.to_owned()));
        let (said, took) = rest(&mut read).await;
        assert!(said.starts_with("HTTP/1.1 408") && said.contains("was not complete within 5 s"), "{said}");
        is_about(took, BODY_TIMEOUT);
    }
    assert_eq!(fixture.outcomes(), [Outcome::Late, Outcome::Late]);
}

#[tokio::test(start_paused = true)]
async fn bodies_that_do_not_come_hold_a_bounded_place_and_give_it_back() {
    let fixture = Fixture::new(Duration::ZERO);
    let length = usize::try_from(MAX_BODY).unwrap();
    let mut held = Vec::new();
    for _ in 0..MAX_HELD / (length >> 10) {
        let mut stream = fixture.connect_tls().await;
        stream.write_all(head(length).as_bytes()).await.unwrap();
        held.push(stream);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(fixture.server.held.available_permits(), 0);
    // Another request waits until the first ones time out.
    let mut stream = fixture.connect_tls().await;
    let began = tokio::time::Instant::now();
    stream.write_all((head(REVIEW.len()) + REVIEW).as_bytes()).await.unwrap();
    let mut piece = [0; 4096];
    let length = stream.read(&mut piece).await.unwrap();
    assert!(piece[..length].starts_with(b"HTTP/1.1 200"));
    is_about(began.elapsed(), BODY_TIMEOUT - Duration::from_secs(1));
    assert_eq!(fixture.server.held.available_permits(), MAX_HELD);
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_its_time() {
    let fixture = Fixture::new(ANSWER_TIMEOUT * 2);
    let mut stream = fixture.connect_tls().await;
    let began = tokio::time::Instant::now();
    stream.write_all((head(REVIEW.len()) + REVIEW).as_bytes()).await.unwrap();
    let mut piece = [0; 4096];
    let length = stream.read(&mut piece).await.unwrap();
    let message = String::from_utf8_lossy(&piece[..length]).into_owned();
    assert!(message.starts_with("HTTP/1.1 503") && message.contains("no answer within 10 s"), "{message}");
    is_about(began.elapsed(), ANSWER_TIMEOUT);
    assert_eq!(fixture.outcomes(), [Outcome::Late]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_finds_no_memory_is_told_from_a_late_one() {
    let fixture = Fixture::new(Duration::ZERO);
    let _held = fixture.server.held.acquire_many(u32::try_from(MAX_HELD).unwrap()).await.unwrap();
    let mut stream = fixture.connect_tls().await;
    stream.write_all((head(REVIEW.len()) + REVIEW).as_bytes()).await.unwrap();
    let mut piece = [0; 4096];
    let length = stream.read(&mut piece).await.unwrap();
    assert!(piece[..length].starts_with(b"HTTP/1.1 503"));
    assert_eq!(fixture.outcomes(), [Outcome::Overloaded]);
}

/// A server on a real port. It uses the real clock, because the connections are kernel sockets.
struct Listening {
    fixture: Fixture,
    address: SocketAddr,
}

impl Listening {
    async fn new(wait: Duration, places: usize) -> Self {
        let fixture = Fixture::new(wait);
        let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(run(
            listener,
            fixture.tls.clone(),
            fixture.server.clone(),
            places,
            std::future::pending(),
        ));
        Self { fixture, address }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn connect_tls(&self, stream: TcpStream) -> TlsStream<TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        within(HANGS, self.fixture.client.connect(name, stream)).await.unwrap()
    }
}

async fn within<T>(limit: Duration, what: impl Future<Output = T>) -> T {
    timeout(limit, what).await.expect("it takes too long")
}

async fn ask(stream: &mut TlsStream<TcpStream>) {
    stream.write_all((head(REVIEW.len()) + REVIEW).as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

async fn is_answered(stream: &mut TlsStream<TcpStream>) {
    let mut piece = [0; 4096];
    let length = within(HANGS, stream.read(&mut piece)).await.unwrap();
    let message = String::from_utf8_lossy(&piece[..length]);
    assert!(message.starts_with("HTTP/1.1 200"), "{message}");
}

#[tokio::test]
async fn idle_connections_do_not_block_others() {
    let server = Listening::new(Duration::ZERO, 2).await;
    let mut silent = [server.connect().await, server.connect().await];
    let mut asking = server.connect_tls(server.connect().await).await;
    ask(&mut asking).await;
    is_answered(&mut asking).await;
    // Without that, the time limit of the handshake would close it.
    let length = within(HANDSHAKE_TIMEOUT / 2, silent[0].read(&mut [0])).await.unwrap();
    assert_eq!(length, 0, "it is the first to give way");
    // More silent connections take the places of each other, and not the place of the active one.
    for _ in 0..5 {
        silent = [server.connect().await, server.connect().await];
        ask(&mut asking).await;
        is_answered(&mut asking).await;
    }
    drop(silent);
}

/// A new connection that arrives when no connection can be closed is accepted when a request ends.
#[tokio::test]
async fn a_connection_is_let_in_when_a_request_ends() {
    let server = Listening::new(Duration::from_millis(300), 2).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect_tls(server.connect().await).await;
        ask(&mut stream).await;
        busy.push(stream);
    }
    let _ = within(HANGS, server.fixture.server.handler.came.acquire_many(2)).await.unwrap();
    let mut new = server.connect_tls(server.connect().await).await;
    ask(&mut new).await;
    is_answered(&mut new).await;
    // The connection that was closed had received its answer before.
    for stream in &mut busy {
        is_answered(stream).await;
    }
}

#[tokio::test]
async fn slow_bodies_do_not_block_others() {
    let server = Listening::new(Duration::ZERO, 2).await;
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect_tls(server.connect().await).await;
        stream.write_all(head(10).as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        slow.push(stream);
    }
    // Both heads have been read.
    let held = &server.fixture.server.held;
    within(HANGS, async {
        while held.available_permits() > MAX_HELD - 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let mut new = server.connect_tls(server.connect().await).await;
    ask(&mut new).await;
    is_answered(&mut new).await;
    // It was closed for its place, so it got no message that its body was incomplete.
    let (said, _) = rest(&mut slow[0]).await;
    assert_eq!(said, "");
}

/// Another address of this machine counts as another client.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_takes_the_places_of_no_other() {
    let server = Listening::new(Duration::ZERO, 4).await;
    let mut own =
        [server.connect_tls(server.connect().await).await, server.connect_tls(server.connect().await).await];
    for stream in &mut own {
        ask(stream).await;
        is_answered(stream).await;
    }
    let mut others = Vec::new();
    for _ in 0..10 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut stream = server.connect_tls(socket.connect(server.address).await.unwrap()).await;
        ask(&mut stream).await;
        is_answered(&mut stream).await;
        others.push(stream);
    }
    for stream in &mut own {
        ask(stream).await;
        is_answered(stream).await;
    }
}
