//! The controller of Xposer: keeps the Ingresses of annotated Services in step with them.
//!
//! Data flows one way: [`watch`] tells what is there, [`world`] knows all of it and says what follows, with the core's
//! decisions of [`plan`]; [`mod@write`] is the only place that changes objects, and what the API server answers goes back
//! into the world. [`run`] is the loop around them.

#[cfg(test)]
mod agreement;
mod args;
mod diff;
mod document;
mod handover;
mod kinds;
mod lease;
mod live;
mod metrics;
mod plan;
mod queue;
mod run;
mod serve;
mod service;
mod settings;
#[cfg(test)]
mod stories;
mod tell;
mod urls;
mod watch;
mod world;
mod write;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use args::{Args, LogFormat};

/// What is logged where `RUST_LOG` does not say. The libraries repeat what is told here in other words.
const LOGGED: &str = "info,kube_client=off,kube_runtime=off";

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match args.log_format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    // One thread is enough: the API server is what everything waits for, and the world has one owner.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let exit = match runtime {
        Ok(runtime) => runtime.block_on(run::run(args)),
        Err(error) => {
            tracing::error!("the program cannot start: {error}");
            run::Exit::Unusable
        }
    };
    ExitCode::from(exit as u8)
}
