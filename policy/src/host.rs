//! The calls of the policy to its host.

use std::time::{Duration, Instant};

use serde::Serialize;
use xposer_admission::{Question, Reply};

/// Answers a call of `kubernetes/get_resource`: takes its payload, and returns the object as JSON or the host's error message.
pub type Host<'h> = dyn Fn(&[u8]) -> Result<Vec<u8>, String> + 'h;

/// The payload of `get_resource`.
#[derive(Serialize)]
struct GetResource<'q> {
    api_version: &'static str,
    kind: &'static str,
    name: &'q str,
    namespace: &'q str,
    /// Otherwise the host would answer from a cache that may be five seconds old.
    disable_cache: bool,
}

/// The time limit for calls to the host. A policy server interrupts the policy after one to two seconds, and the user would read
/// about an internal error.
const TIME_LIMIT: Duration = Duration::from_millis(500);

/// Returns the replies to a question: one call to the host for each name, until the time limit.
pub(crate) fn replies(question: &Question<'_>, host: &Host<'_>) -> Vec<Reply> {
    let start = Instant::now();
    let names = question.names().iter().take_while(|_| start.elapsed() < TIME_LIMIT);
    names.map(|name| reply(question.namespace(), name, host)).collect()
}

fn reply(namespace: &str, name: &str, host: &Host<'_>) -> Reply {
    let call = GetResource { api_version: "v1", kind: "ConfigMap", name, namespace, disable_cache: true };
    let found = serde_json::to_vec(&call).map_err(|error| error.to_string()).and_then(|call| host(&call));
    match found {
        Ok(found) => Reply::Found(found),
        // The host reports a missing object only by this text.
        Err(error) if error.contains("Cannot find") => Reply::NotFound,
        Err(error) => Reply::Failed(error),
    }
}

/// Calls the host that runs the module.
#[cfg(target_family = "wasm")]
pub(crate) fn ask(call: &[u8]) -> Result<Vec<u8>, String> {
    wapc_guest::host_call("kubewarden", "kubernetes", "get_resource", call).map_err(|error| {
        let said = error.to_string();
        said.strip_prefix("Host error: ").map(str::to_owned).unwrap_or(said)
    })
}

/// A native program has no host.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn ask(_: &[u8]) -> Result<Vec<u8>, String> {
    Err("there is no host".to_owned())
}
