//! An implementation of the Gateway API.

pub(super) mod says;
pub(super) mod write;
