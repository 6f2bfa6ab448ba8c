//! The annotations of GKE.

use super::key::{Key, Names, Program, Reach, key};

const KEYS: &[Key] = &[key("v1beta1.FrontendConfig").weakens()];

pub(super) static PROGRAM: Program =
    Program::new("GKE", &["networking.gke.io/"], Names::Protecting, KEYS).reach(Reach::Everywhere);
