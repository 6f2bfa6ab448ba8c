//! The filter and the format of the log.

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// The default filter for these libraries, unless `RUST_LOG` names them. They would log the same error on every retry.
const QUIET: &str = "kube_client=off,kube_runtime=off";

/// The filter from `RUST_LOG`, if it is valid.
fn filter(message: Option<&str>) -> EnvFilter {
    let message = message.filter(|said| !said.trim().is_empty()).unwrap_or("info");
    EnvFilter::try_new(format!("{QUIET},{message}"))
        .unwrap_or_else(|_| EnvFilter::new(format!("{QUIET},info")))
}

/// Starts the log, which goes to standard error.
pub(crate) fn start_log(format: LogFormat) {
    let filter = filter(std::env::var(EnvFilter::DEFAULT_ENV).ok().as_deref());
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_log_only_on_request() {
        for (said, written) in [
            (None, "kube_runtime=off,kube_client=off,info"),
            (Some(""), "kube_runtime=off,kube_client=off,info"),
            (Some("info"), "kube_runtime=off,kube_client=off,info"),
            (
                Some("xposer_controller=debug,warn"),
                "xposer_controller=debug,kube_runtime=off,kube_client=off,warn",
            ),
            (Some("info,kube_runtime=debug"), "kube_runtime=debug,kube_client=off,info"),
            (Some("=,="), "kube_runtime=off,kube_client=off,info"),
        ] {
            assert_eq!(filter(said).to_string(), written, "{said:?}");
        }
    }
}
