//! The annotations of GKE.

pub(super) mod support;
pub(super) mod write;

use super::key::{Key, KnownNames, Program, TO_SERVICE, key};

/// The annotation that names a FrontendConfig, which configures the answer to requests without TLS.
const FRONTEND: &str = "networking.gke.io/v1beta1.FrontendConfig";

const KEYS: &[Key] = &[key("v1beta1.FrontendConfig").hardens()];

pub(super) static PROGRAM: Program =
    Program::new("GKE", &["networking.gke.io/"], KnownNames::Protecting, KEYS);

/// The keys that are read only on a Service. A BackendConfig can ask for a login, or have a firewall.
pub(super) static OF_SERVICES: Program = Program {
    elsewhere: &[(TO_SERVICE, "app-protocols backend-config neg")],
    ..Program::new(
        "GKE",
        &["cloud.google.com/", "beta.cloud.google.com/"],
        KnownNames::Protecting,
        &[key("backend-config").protects()],
    )
};
