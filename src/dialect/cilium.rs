//! The annotations of Cilium.

use super::key::{Idle, Names, Program, Same, key};

pub(super) static PROGRAM: Program = Program::new(
    "Cilium",
    &["ingress.cilium.io/"],
    Names::Own,
    &[
        key("force-https").redirects().idle(Idle::Word(&"disabled")),
        key("tls-passthrough").protects().idle(Idle::Word(&"disabled")).same(Same::Passthrough),
    ],
);
