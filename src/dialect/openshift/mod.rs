//! The annotations of the router of OpenShift 4.

pub(super) mod says;
pub(super) mod write;

use super::key::{Form, Idle, Names, Program, Reach, Text, is_addresses, key};
use crate::values::Target;

/// The annotation of a Route that puts a text in place of the beginning of the path.
pub(crate) const REWRITE_TARGET: &str = "haproxy.router.openshift.io/rewrite-target";

/// With blanks around the list, or with commas in it, there is no list, and everybody may come in.
static SOURCES: Text = Text {
    expected: "IP addresses or CIDRs, separated by blanks, with none around them",
    form: Form::Fits(|value| value.trim() == value && value.split_ascii_whitespace().all(is_addresses)),
};

pub(super) static PROGRAM: Program = Program {
    plain: "balance disable_cookies h1-adjust-case rate-limit-connections rate-limit-connections.concurrent-tcp \
        rate-limit-connections.rate-http rate-limit-connections.rate-tcp rewrite-target set-forwarded-headers timeout \
        timeout-tunnel",
    reach: Reach::And(Target::Route),
    ..Program::new(
        "the router of OpenShift 4",
        &["haproxy.router.openshift.io/"],
        Names::All,
        &[
            key("hsts_header").weakens(),
            key("ip_allowlist").text(&SOURCES).protects().idle(Idle::Everyone),
            key("ip_whitelist").text(&SOURCES).protects().idle(Idle::Everyone),
            key("pod-concurrent-connections").protects().idle(Idle::Zero),
            key("rate-limit-connections*").protects().idle(Idle::False),
        ],
    )
};

/// Its other prefix, under which nothing protects.
pub(super) static COOKIES: Program =
    Program::new("the router of OpenShift 4", &["router.openshift.io/"], Names::Protecting, &[])
        .reach(Reach::And(Target::Route));
