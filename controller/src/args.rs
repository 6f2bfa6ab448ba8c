//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Reconciles the Ingresses of annotated Services.
///
/// The cluster is that of the file that KUBECONFIG names, of ~/.kube/config, or the one in which the program runs. RUST_LOG selects
/// the content of the log (default: info).
///
/// Exit status: 0; with --once or --dry-run 1 if a Service was refused or an object could not be written; 1 if the lease
/// was lost; 2 for wrong usage, unusable settings, or a cluster that cannot be found.
#[derive(Clone, Debug, Parser)]
#[command(name = "xposer-controller", version, max_term_width = 100)]
pub(crate) struct Args {
    /// Settings, as for `xposer render`; read again whenever the file changes
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Watch only one namespace, and need no permissions outside of it
    #[arg(long)]
    pub(crate) namespace: Option<String>,
    /// Reconcile everything once, and exit
    #[arg(long)]
    pub(crate) once: bool,
    /// Write nothing; print what would be written, and exit
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write the URL into an annotation of each Service, for clusters without the policy
    #[arg(long)]
    pub(crate) stamp: bool,
    /// Write only while holding the lease, so that several replicas can run
    #[arg(long)]
    pub(crate) leader_elect: bool,
    /// The namespace of the lease
    #[arg(long, value_name = "NAMESPACE", env = "POD_NAMESPACE", default_value = "default")]
    pub(crate) lease_namespace: String,
    /// The name of the lease
    #[arg(long, value_name = "NAME", default_value = "xposer-controller")]
    pub(crate) lease_name: String,
    /// The unique name of this replica
    #[arg(long, value_name = "NAME", env = "POD_NAME", default_value_t = random_identity())]
    pub(crate) identity: String,
    /// The maximum time in seconds for which an old object is kept until its replacement is served; 0 keeps none
    #[arg(long, value_name = "SECONDS", default_value_t = crate::handover::DEFAULT_TIMEOUT_SECONDS,
        value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub(crate) handover_timeout: u64,
    /// The address of /healthz, /readyz and /metrics
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub(crate) address: SocketAddr,
    /// Serve a read-only report of the exposed Services and of who has access: / and /report.json
    #[arg(long)]
    pub(crate) report: bool,
    /// The address of the report; every client that can reach it can read it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub(crate) report_address: SocketAddr,
    /// Serve an admission webhook with the same decisions as the policy, over HTTPS: /validate
    #[arg(long)]
    pub(crate) webhook: bool,
    /// The address of the webhook
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub(crate) webhook_address: SocketAddr,
    /// The certificate chain of the webhook, in PEM format; read again whenever the file changes
    #[arg(long, value_name = "FILE", default_value = "/etc/xposer-tls/tls.crt")]
    pub(crate) webhook_cert: PathBuf,
    /// The private key of the certificate, in PEM format; read again whenever the file changes
    #[arg(long, value_name = "FILE", default_value = "/etc/xposer-tls/tls.key")]
    pub(crate) webhook_key: PathBuf,
    /// The format of the log on standard error
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Args {
    /// Whether the program exits when everything is reconciled.
    pub(crate) fn is_once(&self) -> bool {
        self.once || self.dry_run
    }
}

/// A unique name, for a program that is started outside of a Pod.
fn random_identity() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("xposer-{}-{:08x}", std::process::id(), RandomState::new().hash_one(()) & 0xFFFF_FFFF)
}
