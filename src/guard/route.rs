//! Routes of OpenShift.

use serde_json::Value;

use super::{Found, Taken, word};
use crate::diagnostics::FieldPath;
use crate::validation::PathType;

/// What a Route takes. Without a host, the router chooses one that nobody has.
pub(super) fn read(object: &Value) -> Found<'_> {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let Some(host) = word(spec, "host") else { return Found::default() };
    let mut host = host.to_ascii_lowercase();
    // It then takes all hosts beside its own.
    if word(spec, "wildcardPolicy") == Some("Subdomain")
        && let Some((_, domain)) = host.split_once('.')
    {
        host = format!("*.{domain}");
    }
    let path = word(spec, "path").unwrap_or("/").to_owned();
    let place = FieldPath::object(&["spec", "host"]);
    Found {
        taken: vec![Taken {
            host,
            path,
            path_type: PathType::Prefix,
            place,
            is_part: false,
            wants: String::new(),
        }],
        ..Found::default()
    }
}
