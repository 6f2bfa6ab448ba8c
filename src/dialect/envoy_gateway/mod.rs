//! Envoy Gateway.

pub(super) mod says;
pub(super) mod write;
