//! Requests: the client resolves names with the chain's DNS server, and verifies certificates against the chain's authority.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::header::HOST;
use hyper::{Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::chain::Chain;
use crate::wait::{SOON, within};

/// The timeout of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// The number of concurrent requests of [`Request::times`].
const AT_ONCE: usize = 8;
/// The maximum number of waiting requests of [`Request::steadily`]. A slow machine gets fewer requests.
const WAITING: usize = 25;

/// A request. Each time it is sent, the name is resolved again, and the connection is a new one.
#[derive(Clone)]
pub struct Request {
    chain: &'static Chain,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    address: Option<IpAddr>,
    http2: bool,
}

/// The response to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers; the names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The address that the request was sent to.
    pub address: IpAddr,
}

impl Answer {
    /// The first header with this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// Returns the JSON of the backend: `backend`, `namespace`, `port`, `method`, `path`, `host`, `headers`, `protocol`, `tls`,
    /// `from`. Null if the response is not from a backend.
    pub fn received(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Returns the name of the backend that responded.
    pub fn backend(&self) -> Option<String> {
        self.received()["backend"].as_str().map(str::to_owned)
    }
}

/// The expected properties of a response.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    status: u16,
    backend: Option<String>,
    message: Vec<(String, Value)>,
    headers: Vec<(String, String)>,
}

/// Expects a response with this status.
pub fn status(status: u16) -> Expected {
    Expected { status, ..Expected::default() }
}

/// Expects a redirect to this URL.
pub fn redirect(status: u16, location: &str) -> Expected {
    self::status(status).header("location", location)
}

impl Expected {
    /// Expects a response of this backend.
    #[must_use]
    pub fn backend(mut self, name: &str) -> Self {
        self.backend = Some(name.to_owned());
        self
    }

    /// Expects that the backend gets this path, with the query.
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        self.said("/path", path)
    }

    /// Expects that the backend gets this header, whose name is in lower case. `None` means that it does not get the header.
    #[must_use]
    pub fn received(self, name: &str, value: Option<&str>) -> Self {
        self.said(&format!("/headers/{name}"), value)
    }

    /// Expects this value at a JSON pointer of the backend's JSON.
    #[must_use]
    pub fn said(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        self.message.push((pointer.to_owned(), value.into()));
        self
    }

    /// Expects that the response has this header, whose name is in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Checks a response. Returns an error with the response if it is not as expected.
    pub fn check(&self, answer: &Answer) -> Result<()> {
        let message = answer.received();
        let wrong_header = |(name, value): &&(String, String)| answer.header(name) != Some(value.as_str());
        let wrong_word =
            |(pointer, value): &&(String, Value)| message.pointer(pointer).unwrap_or(&Value::Null) != value;
        let wrong = if answer.status != self.status {
            format!("the status is not {}", self.status)
        } else if self.backend.is_some() && answer.backend() != self.backend {
            format!("the backend is not {}", self.backend.clone().unwrap_or_default())
        } else if let Some((name, value)) = self.headers.iter().find(wrong_header) {
            format!("{name} is not {value}")
        } else if let Some((pointer, value)) = self.message.iter().find(wrong_word) {
            format!("{pointer} is not {value}")
        } else {
            return Ok(());
        };
        bail!(
            "{wrong}: {} from {} {:?} {}",
            answer.status,
            answer.address,
            answer.headers,
            answer.body.trim()
        )
    }
}

impl Chain {
    /// Returns a request for a URL.
    pub fn request(&'static self, url: &str) -> Request {
        Request::new(self, url)
    }

    /// Returns the URLs that Forecastle shows.
    pub fn start_page(&'static self) -> Result<Vec<String>> {
        let answer = self.request("http://127.0.0.1:8077/api/apps").once()?;
        let apps: Vec<Value> = serde_json::from_str(&answer.body).context(answer.body.clone())?;
        Ok(apps.iter().filter_map(|app| app["url"].as_str()).map(str::to_owned).collect())
    }
}

impl Request {
    fn new(chain: &'static Chain, url: &str) -> Self {
        Self {
            chain,
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            address: None,
            http2: false,
        }
    }

    /// Sets the method; the default is GET.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        self.body = body.to_owned().into();
        self
    }

    /// Sends the request to the address of a class, and does not resolve the name.
    #[must_use]
    pub fn at(mut self, class: &str) -> Self {
        self.address = Some(self.chain.address(class));
        self
    }

    /// Uses HTTP/2: with ALPN over TLS, and otherwise with prior knowledge.
    #[must_use]
    pub fn http2(mut self) -> Self {
        self.http2 = true;
        self
    }

    /// Sends the request once.
    pub fn once(&self) -> Result<Answer> {
        self.chain.block_on(self.send())
    }

    /// Sends the request once, and checks the response.
    pub fn check_once(&self, expected: &Expected) -> Result<()> {
        expected.check(&self.once()?)
    }

    /// Repeats the request until the response is as expected.
    #[track_caller]
    pub fn eventually(&self, expected: Expected) -> Answer {
        self.within(SOON, expected)
    }

    /// [`Request::eventually`] with another deadline.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is used")]
    pub fn within(&self, time: Duration, expected: Expected) -> Answer {
        within(time, &format!("{} {}", self.method, self.url), || {
            let answer = self.once()?;
            expected.check(&answer)?;
            Ok(answer)
        })
    }

    /// Sends the request many times, and counts the responses.
    pub fn times(&self, count: usize) -> Tally {
        let tally = Arc::new(Mutex::new(Tally::default()));
        self.chain.block_on(async {
            let mut running = tokio::task::JoinSet::new();
            for _ in 0..count {
                if running.len() == AT_ONCE {
                    running.join_next().await;
                }
                let (request, tally) = (self.clone(), tally.clone());
                running.spawn(async move { count_in(&tally, request.send().await) });
            }
            running.join_all().await;
        });
        locked(&tally).clone()
    }

    /// Sends the request at this rate until [`Steady::stop`] is called.
    pub fn steadily(&self, per_second: u32) -> Steady {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let (request, shared) = (self.clone(), tally.clone());
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let task = self.chain.spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut running = tokio::task::JoinSet::new();
            loop {
                tokio::select! {
                    _ = ticks.tick(), if running.len() < WAITING => {
                        let (request, tally) = (request.clone(), shared.clone());
                        running.spawn(async move { count_in(&tally, request.send().await) });
                    }
                    Some(_) = running.join_next() => {}
                    _ = &mut stopped => break,
                }
            }
            running.join_all().await;
        });
        Steady { chain: self.chain, tally, stop, task }
    }

    async fn send(&self) -> Result<Answer> {
        match tokio::time::timeout(PATIENCE, self.exchange()).await {
            Ok(answered) => answered,
            Err(_) => Err(anyhow!("no answer in {} s", PATIENCE.as_secs())),
        }
    }

    async fn exchange(&self) -> Result<Answer> {
        let uri: Uri = self.url.parse().with_context(|| self.url.clone())?;
        let host = uri.host().context("no host")?.to_owned();
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let address = match self.address {
            Some(address) => address,
            None => {
                let mut found = tokio::net::lookup_host((host.as_str(), port)).await.context(host.clone())?;
                found.next().context("no address")?.ip()
            }
        };
        let stream = TcpStream::connect(SocketAddr::new(address, port));
        let stream = stream.await.with_context(|| format!("{address}:{port}"))?;
        let mut request = hyper::Request::builder().method(self.method.as_str());
        if self.http2 {
            request = request.uri(uri.clone());
        } else {
            let path = uri.path_and_query().map_or("/", |it| it.as_str());
            let authority = uri.authority().context("no host")?.as_str();
            request = request.uri(path).header(HOST, authority);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(self.body.clone()))?;
        let response = if is_tls {
            let mut configuration = (*self.chain.trust()?).clone();
            configuration.alpn_protocols =
                vec![if self.http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
            let tls = TlsConnector::from(Arc::new(configuration));
            let name = ServerName::try_from(host.clone())?;
            let stream = tls.connect(name, stream).await.with_context(|| format!("TLS with {address}"))?;
            self.answer(stream, request).await?
        } else {
            self.answer(stream, request).await?
        };
        let (head, body) = response.into_parts();
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Ok(Answer {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
            address,
        })
    }

    async fn answer(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: hyper::Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>> {
        let stream = TokioIo::new(stream);
        let response = if self.http2 {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
            tokio::spawn(connection);
            sender.send_request(request).await?
        } else {
            let (mut sender, connection) = http1::handshake(stream).await?;
            tokio::spawn(connection);
            sender.send_request(request).await?
        };
        let (head, body) = response.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }
}

/// The counted responses to many requests.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The number of requests.
    pub sent: usize,
    /// The number of responses with 200 from each backend.
    pub backends: BTreeMap<String, usize>,
    /// The number of responses from each address.
    pub addresses: BTreeMap<IpAddr, usize>,
    /// The results that are not a response with 200 from a backend.
    pub failures: Vec<String>,
}

impl Tally {
    /// Returns the number of responses from this backend.
    pub fn of(&self, backend: &str) -> usize {
        self.backends.get(backend).copied().unwrap_or_default()
    }

    /// Fails if a request has no response from a backend.
    #[track_caller]
    pub fn has_no_failure(&self) {
        let some: Vec<&String> = self.failures.iter().take(5).collect();
        assert!(self.failures.is_empty(), "{} of {} failed: {some:#?}", self.failures.len(), self.sent);
    }
}

fn locked(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count_in(tally: &Mutex<Tally>, answered: Result<Answer>) {
    let mut tally = locked(tally);
    tally.sent += 1;
    let counted = answered.and_then(|answer| {
        *tally.addresses.entry(answer.address).or_default() += 1;
        ensure!(answer.status == 200, "{} from {}: {}", answer.status, answer.address, answer.body.trim());
        let backend = answer.backend().with_context(|| format!("no backend: {}", answer.body))?;
        *tally.backends.entry(backend).or_default() += 1;
        Ok(())
    });
    if let Err(error) = counted {
        tally.failures.push(format!("{error:#}"));
    }
}

/// A client that sends a request at a steady rate.
pub struct Steady {
    chain: &'static Chain,
    tally: Arc<Mutex<Tally>>,
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Steady {
    /// Returns the counts so far.
    pub fn so_far(&self) -> Tally {
        locked(&self.tally).clone()
    }

    /// Stops the client, and waits for the outstanding responses.
    pub fn stop(self) -> Tally {
        // The task may have ended together with the runtime.
        let _ = self.stop.send(());
        let _ = self.chain.block_on(self.task);
        locked(&self.tally).clone()
    }
}
