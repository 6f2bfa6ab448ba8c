//! The annotations of Contour 1.33.

pub(super) mod says;
pub(super) mod write;

use super::key::{Holds, Names, Program, key};

pub(super) static PROGRAM: Program = Program {
    elsewhere: "Contour refuses unless a TLSCertificateDelegation there allows it",
    ..Program::new(
        "Contour 1.33",
        &["projectcontour.io/"],
        Names::Protecting,
        &[
            key("tls-cert-namespace").holds(Holds::Namespace),
            key("tls-maximum-protocol-version").weakens(),
            key("tls-minimum-protocol-version").weakens(),
            key("upstream-protocol.*").weakens(),
        ],
    )
};
