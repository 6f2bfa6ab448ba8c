//! The annotations of the Kong Ingress Controller 3.

use super::key::{Idle, Names, Program, Reach, key};
use crate::values::Target;

pub(super) static PROGRAM: Program = Program {
    plain: "ca-certificates-* client-cert connect-timeout headers-separator headers.* host-aliases host-header \
        https-redirect-status-code methods override path path-handling preserve-host protocol read-timeout regex-prefix \
        regex-priority request-buffering response-buffering retries rewrite snis strip-path tags tls-verify \
        tls-verify-depth upstream-policy write-timeout",
    reach: Reach::And(Target::HttpRoute),
    ..Program::new(
        "the Kong Ingress Controller 3",
        &["konghq.com/"],
        Names::Own,
        &[key("plugins").protects(), key("protocols").redirects().idle(Idle::Word(&"http,https"))],
    )
};
