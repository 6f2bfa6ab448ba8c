//! The Gateway API 1.6, and what its implementations support of it.

mod features;
pub(crate) mod regex;
pub(crate) mod rules;
pub(crate) mod support;
pub(crate) mod write;
