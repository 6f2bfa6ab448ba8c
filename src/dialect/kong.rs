//! The annotations of the Kong Ingress Controller 3.

use super::key::{KnownNames, NeutralValue, Program, ReadOn, key};
use crate::values::Target;

pub(super) static PROGRAM: Program = Program {
    names_only: "ca-certificates-* client-cert connect-timeout headers-separator headers.* host-aliases host-header \
        https-redirect-status-code methods override path path-handling preserve-host protocol read-timeout regex-prefix \
        regex-priority request-buffering response-buffering retries rewrite snis strip-path tags tls-verify \
        tls-verify-depth upstream-policy write-timeout",
    read_on: ReadOn::And(Target::HttpRoute),
    ..Program::new(
        "the Kong Ingress Controller 3",
        &["konghq.com/"],
        KnownNames::Own,
        &[key("plugins").protects(), key("protocols").redirects().neutral(NeutralValue::Word(&"http,https"))],
    )
};
