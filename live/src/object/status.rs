//! Whether an object is served, from its status, and the hosts in its spec.

use serde_json::Value;

use crate::digest::digest;
use crate::document::Document;

/// The reason of OpenShift's router for not admitting a Route: an older Route of the namespace has its host and path.
const CLAIMED: &str = "HostAlreadyClaimed";

/// The number of parents or routers that serve the object: for an Ingress, 1 if it has an address; for an HTTPRoute, the parents
/// that accepted its current generation; for a Route, the routers that admitted it; for a ListenerSet, 1 if it is programmed.
pub(super) fn served_by(document: &Document) -> u8 {
    let list = |pointer: &str| document.status.pointer(pointer).and_then(Value::as_array);
    let addresses = list("/loadBalancer/ingress").map_or(0, |all| usize::from(!all.is_empty()));
    let generation = document.metadata.generation;
    let count = |pointer: &str, condition: &str| {
        list(pointer).into_iter().flatten().filter(|it| is_true(it, condition, generation)).count()
    };
    let programmed = usize::from(is_true(&document.status, "Programmed", generation));
    let all = addresses + programmed + count("/parents", "Accepted") + count("/ingress", "Admitted");
    u8::try_from(all).unwrap_or(u8::MAX)
}

/// Whether a condition is true for the current generation of the object.
fn is_true(status: &Value, condition: &str, generation: Option<i64>) -> bool {
    current_conditions(status, generation).any(|it| has(it, "type", condition) && has(it, "status", "True"))
}

/// The reason why the object in its current generation is not served: the message of the first parent that does not accept an
/// HTTPRoute or a policy, of the first router that does not admit a Route, or of the Gateway that does not accept a ListenerSet. A
/// Route that an older Route blocks is left to the handover.
pub(super) fn refusal(document: &Document) -> Option<Box<str>> {
    let list = |field: &str| document.status.get(field).and_then(Value::as_array).into_iter().flatten();
    let is_refusal = |it: &&Value| {
        let is_about_it = has(it, "type", "Accepted") || has(it, "type", "Admitted");
        is_about_it && has(it, "status", "False") && !has(it, "reason", CLAIMED)
    };
    let refusal_of = |status: &Value| {
        let refusal = current_conditions(status, document.metadata.generation).find(is_refusal)?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let who = status.pointer("/parentRef/name").or(status.pointer("/ancestorRef/name"));
        let who = who.or(status.get("routerName")).or(document.spec.pointer("/parentRef/name"));
        let who = text(who);
        Some(format!("by {who}: {}: {}", text(refusal.get("reason")), text(refusal.get("message"))).into())
    };
    let lists = list("parents").chain(list("ancestors")).chain(list("ingress"));
    lists.chain([&document.status]).find_map(refusal_of)
}

/// The conditions about the current generation of the object.
fn current_conditions(status: &Value, generation: Option<i64>) -> impl Iterator<Item = &Value> {
    conditions(status).filter(move |it| {
        let observed = it.get("observedGeneration").and_then(Value::as_i64);
        observed.is_none() || observed == generation
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

/// The hosts of an Ingress, an HTTPRoute or a Route, as sorted hashes; empty for other kinds.
pub fn hosts(spec: &Value) -> Box<[u64]> {
    let list = |field: &str| spec.get(field).and_then(Value::as_array).into_iter().flatten();
    let hosts = list("rules").filter_map(|rule| rule.get("host"));
    let hosts = hosts.chain(list("hostnames")).chain(spec.get("host"));
    let mut hosts: Vec<u64> = hosts.filter_map(Value::as_str).map(|host| digest(&host)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refusal_of_the_current_object_names_program_and_reason() {
        let refusal_of = |status: Value| {
            let object = json!({"metadata": {"generation": 2}, "status": status});
            refusal(&serde_json::from_value(object).unwrap()).map(String::from)
        };
        let parent = |name: &str, status: &str, generation: u8| {
            json!({"parentRef": {"name": name}, "conditions": [{
                "type": "Accepted", "status": status, "observedGeneration": generation,
                "reason": "NoMatchingParent", "message": "No listeners match",
            }]})
        };
        assert_eq!(refusal_of(Value::Null), None);
        assert_eq!(refusal_of(json!({"parents": [parent("a", "True", 2), parent("b", "False", 1)]})), None);
        assert_eq!(
            refusal_of(json!({"parents": [parent("a", "True", 2), parent("b", "False", 2)]})).as_deref(),
            Some("by b: NoMatchingParent: No listeners match")
        );
        let ancestor =
            json!({"ancestorRef": {"name": "a"}, "conditions": parent("a", "False", 2)["conditions"]});
        assert_eq!(
            refusal_of(json!({"ancestors": [ancestor]})).as_deref(),
            Some("by a: NoMatchingParent: No listeners match")
        );
        let listeners = json!({
            "metadata": {"generation": 2}, "spec": {"parentRef": {"name": "edge"}},
            "status": {"conditions": [{"type": "Accepted", "status": "False", "observedGeneration": 2,
                "reason": "NotAllowed", "message": "no ListenerSets are allowed"}]},
        });
        assert_eq!(
            refusal(&serde_json::from_value(listeners).unwrap()).as_deref(),
            Some("by edge: NotAllowed: no ListenerSets are allowed")
        );
        let router = |reason: &str| {
            let condition =
                json!({"type": "Admitted", "status": "False", "reason": reason, "message": "wildcards"});
            json!({"ingress": [{"routerName": "default", "conditions": [condition]}]})
        };
        assert_eq!(refusal_of(router(CLAIMED)), None);
        assert_eq!(
            refusal_of(router("RouteNotAdmitted")).as_deref(),
            Some("by default: RouteNotAdmitted: wildcards")
        );
    }
}
