//! The annotations of the router of OpenShift 4.

pub(super) mod support;
pub(super) mod write;

use super::form::{ROOTED, TIMER};
use super::key::{
    Form, KnownNames, NeutralValue, OnInvalid, Program, ReadOn, Shape, Text, is_addresses, key,
};
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
    keys_by_form: &[
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
    read_on: ReadOn::And(Target::Route),
    ..Program::new(
        "the router of OpenShift 4",
        &["haproxy.router.openshift.io/"],
        KnownNames::All,
        &[
            key("hsts_header").text(&HSTS).hardens(),
            key("ip_allowlist")
                .text(&SOURCES)
                .on_invalid(OnInvalid::SkipsItems)
                .protects()
                .neutral(NeutralValue::AllAddresses),
            key("ip_whitelist")
                .text(&SOURCES)
                .on_invalid(OnInvalid::SkipsItems)
                .protects()
                .neutral(NeutralValue::AllAddresses),
            key("pod-concurrent-connections").shape(Shape::Integer).protects().neutral(NeutralValue::Zero),
            key("rate-limit-connections").protects().neutral(NeutralValue::False),
            key("rate-limit-connections.*").protects().neutral(NeutralValue::Zero).needs(&RATE_LIMIT),
        ],
    )
};

/// The keys of an Ingress of which OpenShift makes a Route. A Route has fields for them.
pub(super) static ROUTES: Program = Program::new(
    "the router of OpenShift 4",
    &["route.openshift.io/"],
    KnownNames::Protecting,
    &[key("termination").hardens().neutral(NeutralValue::Word(&"edge"))],
);

/// The keys with the other prefix of the router, none of which protects anything.
pub(super) static COOKIES: Program = Program {
    keys_by_form: &[
        (Shape::Of(&["", "-_"]), OnInvalid::Ignored, "cookie_name"),
        (Shape::Exactly("Lax Strict None"), OnInvalid::Ignored, "cookie-same-site"),
        (Shape::Text(&TIMEOUT), OnInvalid::Ignored, "haproxy.health.check.interval"),
    ],
    ..Program::new("the router of OpenShift 4", &["router.openshift.io/"], KnownNames::Protecting, &[])
        .reach(ReadOn::And(Target::Route))
};
