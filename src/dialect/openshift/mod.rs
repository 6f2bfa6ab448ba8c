//! The annotations of the router of OpenShift 4.

pub(super) mod support;
pub(super) mod write;

use super::form::{ROOTED, TIMER};
use super::key::{Form, Idle, Names, OnInvalid, Program, Reach, Shape, Text, is_addresses, key};
use crate::validation::pattern::matches;
use crate::values::Target;

/// The annotation of a Route that replaces the beginning of the path by a text.
pub(crate) const REWRITE_TARGET: &str = "haproxy.router.openshift.io/rewrite-target";

/// With spaces around the list, or with commas in it, the router reads no list, and everybody gets access.
static SOURCES: Text = Text {
    expected: "IP addresses or CIDRs, separated by blanks, with none around them",
    form: Form::Fits(|value| value.trim() == value && value.split_ascii_whitespace().all(is_addresses)),
};

/// A duration of HAProxy that does not begin with 0.
static TIMEOUT: Text = Text {
    expected: "one number from 1, perhaps with a unit, such as 30s",
    form: Form::Fits(|value| !value.starts_with('0') && TIMER.fits(value)),
};

/// The value of the header `Strict-Transport-Security`.
static HSTS: Text = Text {
    expected: "max-age=SECONDS, perhaps with more, separated by `;`",
    form: Form::Fits(|value| matches("*max-age*=*", &value.to_ascii_lowercase())),
};

/// The switch of all limits.
const RATE_LIMIT: &[&str] = &["rate-limit-connections"];

pub(super) static PROGRAM: Program = Program {
    formed: &[
        (Shape::Boolean, OnInvalid::False, "disable_cookies h1-adjust-case rate-limit-connections"),
        (
            Shape::Integer,
            OnInvalid::Ignored,
            "rate-limit-connections.concurrent-tcp rate-limit-connections.rate-http rate-limit-connections.rate-tcp",
        ),
        (Shape::Text(&TIMEOUT), OnInvalid::Ignored, "timeout timeout-tunnel"),
        (Shape::Exactly("roundrobin leastconn source random"), OnInvalid::Ignored, "balance"),
        (Shape::Exactly("append replace if-none never"), OnInvalid::Ignored, "set-forwarded-headers"),
        (Shape::Text(&ROOTED), OnInvalid::Ignored, "rewrite-target"),
    ],
    reach: Reach::And(Target::Route),
    ..Program::new(
        "the router of OpenShift 4",
        &["haproxy.router.openshift.io/"],
        Names::All,
        &[
            key("hsts_header").text(&HSTS).weakens(),
            key("ip_allowlist")
                .text(&SOURCES)
                .on_invalid(OnInvalid::SkipsItems)
                .protects()
                .idle(Idle::Everyone),
            key("ip_whitelist")
                .text(&SOURCES)
                .on_invalid(OnInvalid::SkipsItems)
                .protects()
                .idle(Idle::Everyone),
            key("pod-concurrent-connections").shape(Shape::Integer).protects().idle(Idle::Zero),
            key("rate-limit-connections").protects().idle(Idle::False),
            key("rate-limit-connections.*").protects().idle(Idle::Zero).needs(&RATE_LIMIT),
        ],
    )
};

/// The keys with the other prefix of the router, none of which protects anything.
pub(super) static COOKIES: Program = Program {
    formed: &[
        (Shape::Of(&["", "-_"]), OnInvalid::Ignored, "cookie_name"),
        (Shape::Exactly("Lax Strict None"), OnInvalid::Ignored, "cookie-same-site"),
        (Shape::Text(&TIMEOUT), OnInvalid::Ignored, "haproxy.health.check.interval"),
    ],
    ..Program::new("the router of OpenShift 4", &["router.openshift.io/"], Names::Protecting, &[])
        .reach(Reach::And(Target::Route))
};
