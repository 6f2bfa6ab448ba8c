//! The controller of Xposer: keeps the Ingresses of annotated Services in step with them.
//!
//! ```text
//! API server --watch--> state --due--> queue --key--> reconcile (plan) --actions--> execute --> API server
//!                         ^                                  |                         |
//!                         |                                  +-- notices --> events    |
//!                         +------------------ results and errors ----------------------+
//! ```
//!
//! [`controller`] is the loop around it. [`state`], [`queue`], [`reconcile`] and [`xposer_live::plan`] neither wait nor send requests, so
//! the tests run them without an API server. `tests/rooms.rs` holds the table of which module may import which.

mod actions;
mod args;
mod backoff;
mod claim_shards;
mod claims_writer;
mod controller;
mod diff;
mod events;
mod handover;
mod lease;
mod log;
mod metrics;
mod missing;
mod notice;
mod queue;
mod reconcile;
mod report;
mod serve;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod urls;
mod watch;
mod webhook;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::Parser;
use kube::Client;
use tokio::sync::{mpsc, watch as shared};
use tracing::{error, info};
use xposer_live::error::{error_chain, error_message};

use args::Args;
use controller::{Controller, Exit};
use log::start_log;
use metrics::Metrics;
use serve::{Health, serve};
use settings::SettingsFile;

fn main() -> ExitCode {
    let args = Args::parse();
    start_log(args.log_format);
    // One thread is enough: the API server is the bottleneck, and one task owns the state.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let exit = runtime.context("the program cannot start").and_then(|runtime| runtime.block_on(run(args)));
    let exit = exit.unwrap_or_else(|error| {
        error!("{error:#}");
        Exit::Unusable
    });
    ExitCode::from(exit as u8)
}

/// Starts everything that the controller needs, and runs the controller.
async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut settings_file = SettingsFile::new(args.settings.clone());
    let settings = match settings_file.read() {
        Some(Err(errors)) => {
            print_error(&errors);
            return Ok(Exit::Unusable);
        }
        Some(Ok(settings)) => settings,
        None => xposer::Settings::default(),
    };
    let config = config().await.context("no cluster")?;
    let client = Client::try_from(config.clone()).map_err(|error| anyhow!(error_message(&error)));
    let client = client.context("no cluster")?;
    let serves_webhook = args.webhook && !args.is_once();
    let metrics = if serves_webhook { Metrics::new().with_webhook() } else { Metrics::new() };
    let (metrics, health) = (Arc::new(metrics), Arc::new(Health::new()));
    metrics.set_settings_good(true);
    if !args.is_once() {
        let address = serve(args.address, health.clone(), metrics.clone()).await;
        let address = address.with_context(|| format!("cannot listen on {}", args.address))?;
        info!(%address, "serving /healthz, /readyz and /metrics");
    }
    let (sender, requests) = mpsc::channel(1);
    if args.report && !args.is_once() {
        let address = report::serve(args.report_address, sender).await;
        let address = address.with_context(|| format!("cannot listen on {}", args.report_address))?;
        info!(%address, "serving the report");
    }
    let (published, settings) = shared::channel(Arc::new(settings));
    let webhook = serves_webhook.then(|| {
        let webhook = webhook::start(&args, config, settings, metrics.clone(), health.clone());
        webhook.with_context(|| format!("cannot listen on {}", args.webhook_address))
    });
    let webhook = webhook.transpose()?;
    if let Some(webhook) = &webhook {
        info!(address = %webhook.address, "serving the webhook on {}", xposer_webhook::PATH);
    }
    let exit = Controller::new(args, settings_file, published, client, metrics, health).run(requests).await;
    if let Some(webhook) = webhook {
        webhook.end().await;
    }
    exit
}

/// Prints errors of the settings unchanged, because they have several lines with excerpts.
#[allow(clippy::print_stderr, reason = "the message is for the person who starts the program")]
fn print_error(text: &str) {
    eprint!("{text}");
}

async fn config() -> anyhow::Result<kube::Config> {
    let mut config = kube::Config::infer().await.map_err(|error| anyhow!(error_chain(&error)))?;
    // Requests are not retried individually: the controller pauses as a whole while the API server is unavailable.
    config.default_retry = false;
    Ok(config)
}
