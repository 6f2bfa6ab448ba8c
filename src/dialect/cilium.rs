//! The annotations of Cilium.

use super::key::{Equivalent, KnownNames, NeutralValue, Program, key};

pub(super) static PROGRAM: Program = Program::new(
    "Cilium",
    &["ingress.cilium.io/"],
    KnownNames::Own,
    &[
        key("force-https").redirects().neutral(NeutralValue::Word(&"disabled")),
        key("tls-passthrough")
            .protects()
            .neutral(NeutralValue::Word(&"disabled"))
            .equivalent(Equivalent::Passthrough),
    ],
);
