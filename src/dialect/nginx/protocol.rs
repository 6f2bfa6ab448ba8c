//! The annotation of ingress-nginx for the protocol to the Service.

use crate::dialect::write::Written;
use crate::intents::{Intent, Wish};
use crate::plan::Plan;
use crate::values::BackendProtocol;

const BACKEND_PROTOCOL: &str = "nginx.ingress.kubernetes.io/backend-protocol";

/// Returns the annotation, unless the protocol is HTTP. ingress-nginx does not support HTTP/2 without gRPC.
pub(super) fn write(plan: &Plan) -> Option<Written<'_>> {
    let wanted = plan.wanted(Intent::BackendProtocol)?;
    let Wish::Protocol(protocol) = &wanted.wish else { return None };
    let value = match protocol {
        BackendProtocol::Http | BackendProtocol::H2c => return None,
        BackendProtocol::Https => "HTTPS",
        BackendProtocol::Grpc => "GRPC",
        BackendProtocol::Grpcs => "GRPCS",
    };
    Some(Written { key: BACKEND_PROTOCOL, value: value.into(), origin: wanted.origin.clone() })
}
