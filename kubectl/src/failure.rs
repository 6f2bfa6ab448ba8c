//! The errors that end a command, in the words of kubectl.

use std::path::Path;

use kube::Error;
use kube::config::KubeconfigError;
use kube::core::Status;
use xposer::internal::{escaped, shortened};
use xposer_live::error::error_chain;

/// The library's message for a response that does not come from an API server, but from a proxy or another program.
const NOT_OF_AN_API_SERVER: &str = "Failed to parse error data";
/// The maximum size of such a response in a message, in bytes.
const MAX_ANSWER: usize = 200;
/// The help if there was no response in time.
const MORE_TIME: &str = "raise --request-timeout";

/// A sentence for the user, and a help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Adds the name of the file that the error is about.
    pub(crate) fn about(self, file: &Path) -> Self {
        let message = self.message.strip_prefix("error: ").unwrap_or(&self.message);
        Self { message: format!("error: {}: {message}", file.display()), ..self }
    }

    /// The reason why there is no client; `login` is the program that provides the credentials.
    pub(crate) fn of_client(error: &Error, login: Option<&str>) -> Self {
        let chain = error_chain(error);
        match login {
            Some(program) if chain.contains("unable to run auth exec") => {
                Self::new(format!("error: cannot get credentials, because {program} does not run: {chain}"))
                    .help("the kubeconfig names this program for the user of the context: install it, or choose another context")
            }
            _ => Self::new(format!("error: the kubeconfig cannot be used: {chain}")),
        }
    }

    /// The reason why there is no configuration of a cluster.
    pub(crate) fn of_config(error: &KubeconfigError) -> Self {
        match error {
            KubeconfigError::CurrentContextNotSet => Self::new("error: current-context is not set")
                .help("name a context with --context, or choose one: kubectl config use-context NAME"),
            KubeconfigError::LoadContext(name) => {
                Self::new(format!("error: context {name:?} does not exist"))
                    .help("list the contexts: kubectl config get-contexts")
            }
            KubeconfigError::LoadClusterOfContext(name) => {
                Self::new(format!("error: cluster {name:?} does not exist"))
                    .help("list the clusters: kubectl config get-clusters")
            }
            KubeconfigError::ReadConfig(error, path) => {
                Self::new(format!("error: {}: {error}", path.display()))
            }
            error => Self::new(format!("error: the kubeconfig cannot be used: {}", error_chain(error))),
        }
    }
}

/// A request, for the message about its error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'r> {
    /// The verb in RBAC.
    pub(crate) verb: &'static str,
    /// The plural of the kind.
    pub(crate) resource: &'r str,
    /// The namespace; `None` means all.
    pub(crate) namespace: Option<&'r str>,
    /// The host and port of the API server.
    pub(crate) server: &'r str,
}

impl Request<'_> {
    /// The failure of the request.
    pub(crate) fn failed(self, error: &Error) -> Failure {
        match error {
            Error::Api(status) => self.refused(status),
            Error::Auth(error) => {
                Failure::new(format!("error: cannot get credentials: {}", error_chain(error)))
                    .help("log in again; kubectl get services shows the same error")
            }
            error => {
                let chain = error_chain(error);
                if chain.contains("Connection refused") {
                    let server = self.server;
                    return Failure::new(format!(
                        "The connection to the server {server} was refused - did you specify the right host or port?"
                    ));
                }
                // The library's prefix for any connection error.
                let chain = chain.strip_prefix("ServiceError: ").unwrap_or(&chain);
                let failure = Failure::new(format!("Unable to connect to the server: {chain}"));
                if chain.contains("deadline has elapsed") { failure.help(MORE_TIME) } else { failure }
            }
        }
    }

    fn refused(self, status: &Status) -> Failure {
        let Self { verb, resource, namespace, .. } = self;
        let message = &status.message;
        match status.code {
            401 => Failure::new("error: You must be logged in to the server (Unauthorized)")
                .help("the credentials have expired, or the server does not know them: log in again"),
            403 => {
                let failure = Failure::new(format!("Error from server (Forbidden): {message}"));
                failure.help(match namespace {
                    None => format!("name a namespace in which you may {verb} {resource}: -n NAMESPACE"),
                    Some(namespace) => format!(
                        "ask for the permission to {verb} {resource} in the namespace {namespace}, or name another one: -n NAMESPACE"
                    ),
                })
            }
            code if status.reason == NOT_OF_AN_API_SERVER => {
                let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
                let said = escaped(&shortened(&words, None, MAX_ANSWER));
                Failure::new(format!("error: {} does not answer as an API server: {code}: {said}", self.server))
                    .help("check the server of the context, and that its address begins with https://: kubectl config view --minify")
            }
            _ => {
                let reason = if status.reason.is_empty() { "Unknown" } else { &status.reason };
                Failure::new(format!("Error from server ({reason}): {message}"))
            }
        }
    }

    /// The failure that there was no response in time.
    pub(crate) fn timed_out(self) -> Failure {
        Failure::new(format!(
            "Unable to connect to the server: no answer of {} in time to {} {}",
            self.server, self.verb, self.resource
        ))
        .help(MORE_TIME)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use kube::config::Kubeconfig;

    use super::*;

    fn status(code: u16, reason: &str, message: &str) -> Error {
        let status = Status { code, reason: reason.into(), message: message.into(), ..Status::default() };
        Error::Api(Box::new(status))
    }

    const IN_SHOP: Request<'_> =
        Request { verb: "list", resource: "services", namespace: Some("shop"), server: "127.0.0.1:6443" };

    #[test]
    fn answers_are_worded_like_kubectl() {
        let found = IN_SHOP.failed(&status(404, "NotFound", "services \"web\" not found"));
        assert_eq!(found, Failure::new("Error from server (NotFound): services \"web\" not found"));
        let unauthorized = IN_SHOP.failed(&status(401, "Unauthorized", "Unauthorized"));
        assert_eq!(unauthorized.message, "error: You must be logged in to the server (Unauthorized)");
        assert!(unauthorized.help.is_some());
    }

    #[test]
    fn a_missing_right_is_named_with_a_way_further() {
        let error =
            status(403, "Forbidden", "services is forbidden: User \"dev\" cannot list resource \"services\"");
        let help = |namespace| Request { namespace, ..IN_SHOP }.failed(&error).help.unwrap_or_default();
        assert_eq!(help(None), "name a namespace in which you may list services: -n NAMESPACE");
        assert!(
            help(Some("shop")).starts_with("ask for the permission to list services in the namespace shop")
        );
    }

    #[test]
    fn an_answer_that_is_not_one_of_an_api_server_is_one_short_line() {
        let page = format!("<html>\n\u{1b}[31m<h1>502 Bad Gateway</h1>{}</html>", "x".repeat(100_000));
        let failure = IN_SHOP.failed(&status(502, "Failed to parse error data", &page));
        let said = r"error: 127.0.0.1:6443 does not answer as an API server: 502: <html> \u{1b}[31m<h1>502 Bad Gateway";
        assert!(failure.message.starts_with(said), "{}", failure.message);
        assert!(failure.message.len() < 300 && failure.help.is_some(), "{}", failure.message);
    }

    #[test]
    fn a_kubeconfig_that_cannot_be_read_is_named_and_its_tokens_are_not_shown() {
        let error = Kubeconfig::from_yaml("users: [{name: a, user: {token: secret-token}}]]\n").unwrap_err();
        let failure = Failure::of_config(&error).about(Path::new("/home/a/.kube/config"));
        let said = "error: /home/a/.kube/config: the kubeconfig cannot be used: ";
        assert!(failure.message.starts_with(said), "{}", failure.message);
        assert!(failure.message.contains("line 1 column 48"), "{}", failure.message);
        assert!(!failure.message.contains("secret-token") && failure.message.lines().count() == 1);
    }

    #[test]
    fn a_program_for_the_credentials_that_is_missing_is_named() {
        let error =
            Error::Auth(kube::client::AuthError::AuthExecStart(io::Error::from(io::ErrorKind::NotFound)));
        let failure = Failure::of_client(&error, Some("cloud-login"));
        assert!(
            failure.message.starts_with("error: cannot get credentials, because cloud-login does not run: ")
        );
        assert!(failure.help.is_some());
    }

    #[test]
    fn a_context_that_is_not_there_is_named() {
        let failure = Failure::of_config(&KubeconfigError::LoadContext("x".to_owned()));
        assert_eq!(failure.message, "error: context \"x\" does not exist");
    }
}
