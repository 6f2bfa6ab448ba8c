//! Routes of OpenShift.

use serde_json::Value;

use super::{ClaimedRoute, ControllerOfClass, ObjectHosts, non_empty_text};
use crate::diagnostics::FieldPath;

/// The host and path of a Route. If it has no host, the router generates a unique one.
pub(super) fn read<'o>(object: &'o Value, _: ControllerOfClass<'_>) -> ObjectHosts<'o> {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let Some(host) = non_empty_text(spec, "host") else { return ObjectHosts::default() };
    let mut host = host.to_ascii_lowercase();
    // Such a Route takes all hosts of the subdomain in addition to its own host.
    if non_empty_text(spec, "wildcardPolicy") == Some("Subdomain")
        && let Some((_, domain)) = host.split_once('.')
    {
        host = format!("*.{domain}");
    }
    let path = non_empty_text(spec, "path").unwrap_or("/").to_owned();
    let place = FieldPath::object(&["spec", "host"]);
    ObjectHosts {
        taken: vec![ClaimedRoute { path, ..ClaimedRoute::whole(host, place) }],
        ..ObjectHosts::default()
    }
}
