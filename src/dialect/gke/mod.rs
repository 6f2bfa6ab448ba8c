//! The annotations of GKE.

pub(super) mod support;
pub(super) mod write;

use super::key::{Key, Names, Program, Reach, key};

/// The annotation that names a FrontendConfig, which configures the answer to requests without TLS.
const FRONTEND: &str = "networking.gke.io/v1beta1.FrontendConfig";

const KEYS: &[Key] = &[key("v1beta1.FrontendConfig").weakens()];

pub(super) static PROGRAM: Program =
    Program::new("GKE", &["networking.gke.io/"], Names::Protecting, KEYS).reach(Reach::Everywhere);
