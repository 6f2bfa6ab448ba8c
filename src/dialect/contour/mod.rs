//! The annotations of Contour 1.33.

pub(super) mod says;
pub(super) mod write;

use super::key::{Elsewhere, Holds, Names, Program, key};

pub(super) static PROGRAM: Program = Program {
    plain: "ingress.class max-connections max-pending-requests max-requests max-retries num-retries \
        per-host-max-connections per-try-timeout response-timeout retry-on upstream-protocol.h2 upstream-protocol.h2c \
        upstream-protocol.tls websocket-routes",
    elsewhere: Elsewhere::Refuses("Contour refuses unless a TLSCertificateDelegation there allows it"),
    ..Program::new(
        "Contour 1.33",
        &["projectcontour.io/"],
        Names::Own,
        &[
            key("tls-cert-namespace").holds(Holds::Namespace),
            key("tls-maximum-protocol-version").weakens(),
            key("tls-minimum-protocol-version").weakens(),
            key("upstream-protocol.*").weakens(),
        ],
    )
};
