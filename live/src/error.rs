//! Errors of the API server: their causes, and their text for logs and Events.

use kube::Error;
use kube::core::Status;

/// Whether the API server gives this reason among the causes of its refusal.
pub fn has_cause(status: &Status, reason: &str) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == reason)
}

/// The message of the API server, if there is one; otherwise the error with its causes.
pub fn error_message(error: &Error) -> String {
    match error {
        Error::Api(status) => status.message.clone(),
        error => error_chain(error),
    }
}

/// Returns the text of an error with its causes. For a connection error, only the cause names the reason. A cause whose text is a
/// part of the error's text is left out. Only the first line of each text is used: an error about a kubeconfig quotes the lines
/// around it, which may contain passwords and tokens.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = first_line(error);
    let mut source = error.source();
    while let Some(cause) = source {
        let message = first_line(cause);
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        source = cause.source();
    }
    text
}

fn first_line(error: &dyn std::error::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().trim_end().to_owned()
}
