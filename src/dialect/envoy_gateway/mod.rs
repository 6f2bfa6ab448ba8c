//! Envoy Gateway 1.9: what it has beside the Gateway API.

pub(super) mod says;
pub(crate) mod write;

#[cfg(test)]
mod tests;
