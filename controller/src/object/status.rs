//! Whether an object serves, by its status, and the hosts in its spec.

use serde_json::Value;

use crate::digest::digest;
use crate::document::Document;

/// Why OpenShift's router does not admit a Route: an older Route of the namespace has its host and path.
const CLAIMED: &str = "HostAlreadyClaimed";

/// How many serve the object: for an Ingress, 1 if it has an address; for an HTTPRoute, the parents that have accepted its
/// current generation; for a Route, the routers that have admitted it.
pub(super) fn served_by(document: &Document) -> u8 {
    let list = |pointer: &str| document.status.pointer(pointer).and_then(Value::as_array);
    let addresses = list("/loadBalancer/ingress").map_or(0, |all| usize::from(!all.is_empty()));
    let generation = document.metadata.generation;
    let count = |pointer: &str, condition: &str| {
        list(pointer).into_iter().flatten().filter(|it| is_true(it, condition, generation)).count()
    };
    let all = addresses + count("/parents", "Accepted") + count("/ingress", "Admitted");
    u8::try_from(all).unwrap_or(u8::MAX)
}

/// Whether a condition is true for the current generation of the object.
fn is_true(status: &Value, condition: &str, generation: Option<i64>) -> bool {
    conditions(status).any(|it| {
        let observed = it.get("observedGeneration").and_then(Value::as_i64);
        let is_current = observed.is_none() || observed == generation;
        has(it, "type", condition) && has(it, "status", "True") && is_current
    })
}

fn conditions(status: &Value) -> impl Iterator<Item = &Value> {
    status.get("conditions").and_then(Value::as_array).into_iter().flatten()
}

fn has(condition: &Value, field: &str, value: &str) -> bool {
    condition.get(field).and_then(Value::as_str) == Some(value)
}

/// Whether a Route is not admitted because an older one has its host and path.
pub(super) fn is_blocked(document: &Document) -> bool {
    let routers = document.status.get("ingress").and_then(Value::as_array).into_iter().flatten();
    routers.flat_map(conditions).any(|it| has(it, "status", "False") && has(it, "reason", CLAIMED))
}

/// The hosts of an Ingress, an HTTPRoute or a Route, as sorted hashes; none for other kinds.
pub(crate) fn hosts(spec: &Value) -> Box<[u64]> {
    let list = |field: &str| spec.get(field).and_then(Value::as_array).into_iter().flatten();
    let hosts = list("rules").filter_map(|rule| rule.get("host"));
    let hosts = hosts.chain(list("hostnames")).chain(spec.get("host"));
    let mut hosts: Vec<u64> = hosts.filter_map(Value::as_str).map(|host| digest(&host)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.into()
}
