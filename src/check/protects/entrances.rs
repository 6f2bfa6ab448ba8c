//! The ports and entry points through which requests reach a Service: those that one plan has and another one does not.

use super::LostProtection;
use crate::diagnostics::{FieldPath, joined, quoted};
use crate::dialect::alb::rules::answers_http;
use crate::dialect::alb::write::ports;
use crate::dialect::alb::{CERTIFICATES, LISTENERS};
use crate::dialect::controller::Controller;
use crate::dialect::traefik::ENTRY_POINTS;
use crate::plan::Plan;
use crate::values::Target;

/// Returns the further entry points of Traefik that would serve the Ingress, as a clause. The old value names only entry points that
/// not everybody can reach.
pub(super) fn more_entry_points(old: &str, new: &Plan) -> Option<String> {
    let names = |list: &'_ str| -> Vec<String> {
        list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    };
    let listed =
        |names: &[String]| joined(&names.iter().map(|name| quoted(name)).collect::<Vec<_>>(), " and ");
    let known = names(old);
    let given = new.annotation(ENTRY_POINTS).map(|line| names(&line.value)).unwrap_or_default();
    if given.is_empty() {
        let known = listed(&known);
        return Some(format!(
            "all default entry points of Traefik would serve the Ingress, and not only {known}"
        ));
    }
    let added: Vec<String> = given.iter().filter(|name| !known.contains(name)).cloned().collect();
    let (also, instead) = if given.iter().any(|name| known.contains(name)) {
        ("also ", String::new())
    } else {
        ("", [" instead of ", &listed(&known)].concat())
    };
    let word = if added.len() == 1 { "entry point" } else { "entry points" };
    (!added.is_empty()).then(|| {
        format!("the Ingress would {also}be reachable through the {word} {}{instead}", listed(&added))
    })
}

/// Returns the listeners of the load balancer under each of the two plans, if they can be compared: an ALB serves the Ingress under
/// both, and either both have TLS or none.
fn listeners(old: &Plan, new: &Plan) -> Option<[Vec<(String, String)>; 2]> {
    let is_alb =
        |plan: &Plan| plan.has_stable_ingress() && plan.controller(Target::Ingress) == Controller::Alb;
    // The loss of TLS itself is reported, and so is the new URL.
    let is_comparable = is_alb(old) && is_alb(new) && old.tls().is_on() == new.tls().is_on();
    is_comparable.then(|| [ports(old), ports(new)])
}

/// Returns the place that decides about the listeners.
fn place(old: &Plan, new: &Plan) -> Option<FieldPath> {
    let keys = [LISTENERS].into_iter().chain(CERTIFICATES);
    let mut lines = keys.flat_map(|key| [new.annotation(key), old.annotation(key)]).flatten();
    lines.next().map(|line| line.origin().path())
}

/// Returns the ports in the first list that are not in the second one and have this protocol.
fn without<'l>(
    list: &'l [(String, String)],
    other: &'l [(String, String)],
    protocol: &'l str,
) -> impl Iterator<Item = &'l str> {
    let is_it = move |it: &&(String, String)| it.0 == protocol && !other.contains(it);
    list.iter().filter(is_it).map(|(_, port)| port.as_str())
}

/// Returns that a load balancer would answer requests without TLS at a further port.
pub(super) fn new_listener(old: &Plan, new: &Plan) -> Option<LostProtection> {
    let [were, are] = listeners(old, new)?;
    let is_moved = without(&were, &are, "HTTP").next().is_some();
    let port = without(&are, &were, "HTTP").next().filter(|_| !is_moved && answers_http(new))?;
    Some(LostProtection {
        what: LISTENERS.to_owned(),
        target: Target::Ingress,
        path: place(old, new)?,
        message: format!("requests without TLS would be answered at the port {port}"),
    })
}

/// Returns the listeners of a load balancer that the second plan does not have, so that requests to them are no longer answered, and
/// the place that decides about them.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::lost_listeners, testing};
/// let plan = |ports: &str| {
///     let annotations = json!({"alb.ingress.kubernetes.io/listen-ports": ports});
///     testing::plan(&[], json!({"ingressClassName": "alb", "annotations": annotations}))
/// };
/// let (old, new) = (plan(r#"[{"HTTP": 80}, {"HTTPS": 8443}]"#)?, plan(r#"[{"HTTP": 80}]"#)?);
/// let (_, message) = lost_listeners(&old, &new).unwrap();
/// assert_eq!(message, "the load balancer would not listen for HTTPS at 8443");
/// assert!(lost_listeners(&new, &old).is_none());
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn lost_listeners(old: &Plan, new: &Plan) -> Option<(FieldPath, String)> {
    let [were, are] = listeners(old, new)?;
    let gone = ["HTTP", "HTTPS"].into_iter().filter_map(|protocol| {
        let ports: Vec<&str> = without(&were, &are, protocol).collect();
        (!ports.is_empty()).then(|| format!("{protocol} at {}", joined(&ports, " and ")))
    });
    let gone: Vec<String> = gone.collect();
    let path = place(old, new).filter(|_| !gone.is_empty())?;
    Some((path, format!("the load balancer would not listen for {}", joined(&gone, " and "))))
}
