//! The controller's own admission webhook, which gives the answers of the policy in clusters without Kubewarden.
//!
//! It runs in a separate thread, because clients of the API server wait for its answers, and the loop may be busy. The two threads
//! share only the settings.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use futures::future::join_all;
use hyper::body::Bytes;
use k8s_openapi::jiff::Timestamp;
use kube::api::GetParams;
use kube::{Client, Config};
use serde::Deserialize;
use tokio::sync::{oneshot, watch};
use tracing::{debug, error, info, warn};
use xposer::Settings;
use xposer_admission::{Question, Reply, Request, Response, Review, review};
use xposer_live::error::error_message;
use xposer_webhook::{Certificates, Handler, Outcome, Reader, Reloaded, serve};

use crate::args::Args;
use crate::metrics::Metrics;
use crate::serve::Health;

/// The interval of reads of the certificate files.
const RELOAD_INTERVAL: Duration = Duration::from_secs(2);
/// The time limit of a look-up. The API server waits for the whole answer as long as the webhook configuration says: 5 s in
/// `deploy/controller`.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);
/// How long requests are still accepted at shutdown, because the API server learns late that this replica ends.
const DRAIN_TIME: Duration = Duration::from_secs(5);
/// The time limit of the shutdown after that.
const END_TIMEOUT: Duration = Duration::from_secs(6);

/// The running webhook.
pub(crate) struct Webhook {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

/// Starts the webhook, and returns at once. The program is not ready until there is a valid certificate.
///
/// # Errors
///
/// The program cannot listen on the address.
pub(crate) fn start(
    args: &Args,
    config: Config,
    settings: watch::Receiver<Arc<Settings>>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
) -> anyhow::Result<Webhook> {
    let listener = std::net::TcpListener::bind(args.webhook_address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let certificates = Arc::new(Certificates::new(&args.webhook_cert, &args.webhook_key));
    health.set_webhook(Some("its certificate is not read yet".to_owned()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let (end, ended) = oneshot::channel();
    let known = health.clone();
    let run = async move {
        let client = Client::try_from(config).context("no cluster")?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let answers =
            AdmissionHandler { settings, client, metrics: metrics.clone(), fails: AtomicBool::new(false) };
        let mut files = CertificateFiles::new(certificates.clone());
        // New connections wait until then.
        files.reload(&metrics, &health).await;
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(RELOAD_INTERVAL).await;
                files.reload(&metrics, &health).await;
            }
        });
        let stop = async {
            // The sender is dropped only if the program ends.
            let _ = stopped.await;
        };
        serve(listener, certificates, Arc::new(answers), stop).await?;
        anyhow::Ok(())
    };
    std::thread::Builder::new().name("webhook".to_owned()).spawn(move || {
        if let Err(error) = runtime.block_on(run) {
            error!("the webhook ended: {error:#}");
            known.set_webhook(Some(format!("it ended: {error:#}")));
        }
        // There is no receiver if the program ends at once.
        let _ = end.send(());
    })?;
    Ok(Webhook { address, stop, ended })
}

impl Webhook {
    /// Answers requests for a while longer, and ends.
    pub(crate) async fn end(self) {
        info!("the webhook answers requests for {} s more", DRAIN_TIME.as_secs());
        tokio::time::sleep(DRAIN_TIME).await;
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(END_TIMEOUT, self.ended).await;
    }
}

/// The files of the certificate.
struct CertificateFiles {
    certificates: Arc<Certificates>,
    reader: Reader,
}

impl CertificateFiles {
    fn new(certificates: Arc<Certificates>) -> Self {
        Self { reader: Reader::new(certificates.clone()), certificates }
    }

    /// Reads them again, and says what has become of them.
    async fn reload(&mut self, metrics: &Metrics, health: &Health) {
        let had_one = self.certificates.is_usable();
        let Some(reloaded) = self.reader.reload().await else { return };
        metrics.set_certificate_good(reloaded == Reloaded::Used);
        match reloaded {
            Reloaded::Used => {
                health.set_webhook(None);
                if had_one {
                    info!(
                        "the certificate of the webhook changed, or its files can be read again; new connections get this certificate"
                    );
                } else {
                    info!("the certificate of the webhook is read");
                }
            }
            Reloaded::UsedInvalid(said) => {
                error!(
                    "the API server does not accept the certificate of the webhook, and there is no better one: {said}"
                );
                // A replica from before may have a valid one, and goes on as long as this one is not ready.
                if !self.certificates.has_been_valid() {
                    health
                        .set_webhook(Some(format!("the API server does not accept its certificate: {said}")));
                }
            }
            Reloaded::NotUsed(said) if had_one => {
                error!(
                    "the certificate of the webhook cannot be used; the previous one stays in force: {said}"
                );
            }
            Reloaded::NotUsed(said) => {
                warn!("the webhook waits for its certificate: {said}");
                health.set_webhook(Some(format!("it waits for its certificate: {said}")));
            }
        }
    }
}

/// Answers requests by the current settings.
struct AdmissionHandler {
    settings: watch::Receiver<Arc<Settings>>,
    client: Client,
    metrics: Arc<Metrics>,
    /// Whether the last look-up failed.
    fails: AtomicBool,
}

impl Handler for AdmissionHandler {
    async fn answer(&self, request: Bytes) -> Response {
        let settings = self.settings.borrow().clone();
        let reviewed = match serde_json::from_slice::<Request<'_>>(&request) {
            Ok(read) => review(&read, &settings),
            Err(error) => Review::Answered(Response::unreadable(&error)),
        };
        let response = match reviewed {
            Review::Answered(response) => response,
            Review::Asks(question) => {
                let replies = self.replies(&question).await;
                question.answer(&replies, Timestamp::now().as_second())
            }
        };
        if !response.is_allowed() {
            log_refusal(&request, &response);
        }
        response
    }

    fn on_finished(&self, outcome: Outcome, took: Duration) {
        self.metrics.reviewed(outcome.word(), took);
    }
}

impl AdmissionHandler {
    /// Returns a reply for each name; all are requested at once.
    async fn replies(&self, question: &Question<'_>) -> Vec<Reply> {
        let api = format!("/api/v1/namespaces/{}/configmaps", question.namespace());
        let asked = question.names().iter().map(|name| self.get(&api, name));
        let replies = join_all(asked).await;
        for reply in &replies {
            self.metrics.looked_up(match reply {
                Reply::Found(_) => "found",
                Reply::NotFound => "not_found",
                Reply::Failed(_) => "failed",
            });
        }
        let failure = replies.iter().find_map(|reply| match reply {
            Reply::Failed(said) => Some(said),
            _ => None,
        });
        // Logged once until a look-up succeeds, because the failure may concern every request.
        let failed_before = self.fails.swap(failure.is_some(), Ordering::Relaxed);
        if let Some(said) = failure.filter(|_| !failed_before) {
            warn!("the ConfigMaps with the claims in {} cannot be looked up: {said}", question.namespace());
        }
        replies
    }

    async fn get(&self, api: &str, name: &str) -> Reply {
        let request = match kube::core::Request::new(api).get(name, &GetParams::default()) {
            Ok(request) => request,
            Err(error) => return Reply::Failed(error.to_string()),
        };
        match tokio::time::timeout(LOOKUP_TIMEOUT, self.client.request_text(request)).await {
            Ok(Ok(found)) => Reply::Found(found.into_bytes()),
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => Reply::NotFound,
            Ok(Err(error)) => Reply::Failed(error_message(&error)),
            Err(_) => Reply::Failed(format!("no answer within {} s", LOOKUP_TIMEOUT.as_secs())),
        }
    }
}

/// The part of a request that is logged.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LoggedRequest {
    kind: AskedKind,
    namespace: String,
    name: String,
    operation: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AskedKind {
    kind: String,
}

/// Logs a refusal in one line.
fn log_refusal(request: &[u8], response: &Response) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let LoggedRequest { kind, namespace, name, operation } =
        serde_json::from_slice(request).unwrap_or_default();
    let message = response.message().unwrap_or_default().replace('\n', " ");
    debug!(kind = kind.kind, namespace, name, operation, "refused: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A replica without a valid certificate is not ready, so that an update does not replace those that have one. A replica that had
    /// one stays ready, whatever comes.
    #[tokio::test]
    async fn a_replica_waits_for_a_certificate_that_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
        let write = |until: i32| {
            let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
            params.not_after = rcgen::date_time_ymd(until, 1, 1);
            let pair = rcgen::KeyPair::generate().unwrap();
            std::fs::write(&certificate, params.self_signed(&pair).unwrap().pem()).unwrap();
            std::fs::write(&key, pair.serialize_pem()).unwrap();
        };
        let (metrics, health) = (Metrics::new().with_webhook(), Health::new());
        health.beat(true);
        let mut files = CertificateFiles::new(Arc::new(Certificates::new(&certificate, &key)));
        let mut reloaded = async || {
            files.reload(&metrics, &health).await;
            let good = metrics.text().contains("\nxposer_webhook_certificate_good 1\n");
            (good, health.trouble().unwrap_or_default())
        };
        let (good, trouble) = reloaded().await;
        assert!(!good && trouble.contains("waits for its certificate: "), "{trouble}");
        write(2020);
        let (good, trouble) = reloaded().await;
        assert!(!good && trouble.ends_with("the certificate expired at 2020-01-01T00:00:00Z"), "{trouble}");
        write(4000);
        assert_eq!(reloaded().await, (true, String::new()));
        write(2021);
        assert_eq!(reloaded().await, (false, String::new()));
        std::fs::write(&key, "no key").unwrap();
        assert_eq!(reloaded().await, (false, String::new()));
    }
}
