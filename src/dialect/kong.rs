//! The annotations of the Kong Ingress Controller 3.

use super::key::{Idle, Names, Program, Reach, key};
use crate::values::Target;

pub(super) static PROGRAM: Program = Program::new(
    "the Kong Ingress Controller 3",
    &["konghq.com/"],
    Names::Protecting,
    &[key("plugins").protects(), key("protocols").redirects().idle(Idle::Word("http,https"))],
)
.reach(Reach::And(Target::HttpRoute));
