//! The annotations of GKE.

use super::key::{Names, Program, Reach, key};

pub(super) static PROGRAM: Program = Program {
    reach: Reach::Everywhere,
    ..Program::new(
        "GKE",
        &["networking.gke.io/"],
        Names::Protecting,
        &[key("v1beta1.FrontendConfig").weakens()],
    )
};
