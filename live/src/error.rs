//! Errors of the API server as text for logs and Events.

use kube::Error;

/// The message of the API server, if there is one; otherwise the error with its causes.
pub fn error_message(error: &Error) -> String {
    match error {
        Error::Api(status) => status.message.clone(),
        error => error_chain(error),
    }
}

/// An error with its causes. For a connection error, only the cause names the reason. A cause whose text is in the error
/// already is left out. Of each, only the first line counts: an error about a kubeconfig shows the lines around it, and they may contain
/// passwords and tokens.
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
