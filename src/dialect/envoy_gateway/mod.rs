//! Envoy Gateway 1.9: its objects in addition to those of the Gateway API.

pub(super) mod support;
pub(crate) mod write;

#[cfg(test)]
mod tests;
