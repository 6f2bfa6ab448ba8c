//! The annotations of the router of OpenShift 4.

pub(super) mod says;
pub(super) mod write;

use super::key::{Idle, Names, Program, Reach, key};
use crate::values::Target;

/// The annotation of a Route that puts a text in place of the beginning of the path.
pub(crate) const REWRITE_TARGET: &str = "haproxy.router.openshift.io/rewrite-target";

pub(super) static PROGRAM: Program = Program::new(
    "the router of OpenShift 4",
    &["haproxy.router.openshift.io/"],
    Names::Protecting,
    &[
        key("hsts_header").weakens(),
        key("ip_allowlist").protects().idle(Idle::Everyone),
        key("ip_whitelist").protects().idle(Idle::Everyone),
        key("pod-concurrent-connections").protects().idle(Idle::Zero),
        key("rate-limit-connections*").protects().idle(Idle::False),
    ],
)
.reach(Reach::And(Target::Route));

/// Its other prefix, under which nothing protects.
pub(super) static COOKIES: Program =
    Program::new("the router of OpenShift 4", &["router.openshift.io/"], Names::Protecting, &[])
        .reach(Reach::And(Target::Route));
