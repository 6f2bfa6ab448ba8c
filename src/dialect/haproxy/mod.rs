//! The annotations of the HAProxy Kubernetes Ingress Controller 3.2 of HAProxy Technologies, which reads its keys under three prefixes.

pub(super) mod says;
pub(super) mod write;

use super::form::TIMER;
use super::key::{
    Bad, Form, Holds, Idle, Names, Program, Same, Shape, Text, is_addresses, is_list_of_addresses, key,
};
use super::nginx;
use crate::validation::parse_bool;

/// With another value, it passes over the whole list, so that everybody may come in.
static SOURCES: Text = Text {
    expected: "IP addresses or CIDRs, separated by commas, or a file of patterns",
    form: Form::Fits(|value| value.starts_with("patterns/") || is_list_of_addresses(value)),
};

/// Those without a limit can be named by several files.
static EXCEPTIONS: Text = Text {
    expected: "IP addresses, CIDRs or files of patterns, separated by commas",
    form: Form::Fits(|value| {
        let mut items = value.split(',').map(str::trim);
        items.all(|item| item.is_empty() || item.starts_with("patterns/") || is_addresses(item))
    }),
};

/// It still reads the words that it had before.
static SWITCH: Text = Text {
    expected: "true or false",
    form: Form::Fits(|value| {
        let is_old = |word: &&str| value.eq_ignore_ascii_case(word);
        parse_bool(value).is_some() || ["enabled", "on", "disabled", "off"].iter().any(is_old)
    }),
};

/// `ParseSize`.
static SIZE: Text =
    Text { expected: "a number, perhaps with k, m or g, such as 100k", form: Form::Units(&["k", "m", "g"]) };

/// What `path-rewrite` takes.
static REWRITES: Text = Text {
    expected: "on each line a path, or a regular expression, a blank and what takes its place",
    form: Form::Fits(|value| {
        value.trim().lines().all(|line| matches!(line.split_ascii_whitespace().count(), 1 | 2))
    }),
};

static HEADERS: Text = Text {
    expected: "on each line the name of a header, a blank and its value",
    form: Form::Fits(|value| value.lines().all(|line| line.is_empty() || line.contains(' '))),
};

static METHODS: Text = Text {
    expected: "methods of HTTP, separated by commas",
    form: Form::Fits(|value| {
        let is_method = |it: &str| says::METHODS.contains(&&*it.trim().to_ascii_uppercase());
        value.split(',').all(is_method)
    }),
};

/// What counts where no other spelling does.
const TRUE_OR_FALSE: Shape = Shape::Exactly(&["true", "false"]);

pub(super) static PROGRAM: Program = Program {
    aliases: &[nginx::OLD_PREFIX],
    // What is not among them it does not read under the prefix that it shares.
    // How a pod is chosen depends on the version of HAProxy.
    plain: "backend-config-snippet check-http cors-allow-headers load-balance request-capture request-redirect route-acl \
        set-host src-ip-header",
    formed: &[
        (Shape::Text(&SWITCH), Bad::Ignored, "abortonclose check cors-enable forwarded-for"),
        (TRUE_OR_FALSE, Bad::False, "cors-allow-credentials cors-respond-to-options standalone-backend"),
        (Shape::Text(&TIMER), Bad::Ignored, "check-interval cors-max-age rate-limit-period timeout-*"),
        (
            Shape::Integer,
            Bad::Ignored,
            "pod-maxconn rate-limit-status-code request-capture-len request-redirect-code scale-server-slots \
                ssl-redirect-code ssl-redirect-port",
        ),
        (Shape::Exactly(&["h2", "h1"]), Bad::Ignored, "server-proto"),
        (
            Shape::Words(&["proxy", "proxy-v1", "proxy-v2", "proxy-v2-ssl", "proxy-v2-ssl-cn"]),
            Bad::Ignored,
            "send-proxy-protocol",
        ),
        (Shape::Text(&SIZE), Bad::Ignored, "rate-limit-size"),
        (Shape::Text(&EXCEPTIONS), Bad::Ignored, "rate-limit-whitelist"),
        (Shape::Text(&REWRITES), Bad::Ignored, "path-rewrite"),
        (Shape::Text(&METHODS), Bad::Ignored, "cors-allow-methods"),
        (Shape::Text(&HEADERS), Bad::Ignored, "request-set-header response-set-header"),
    ],
    ..Program::new(
        "the HAProxy Kubernetes Ingress Controller 3.2",
        &["haproxy.org/", "haproxy.com/"],
        Names::Own,
        &[
            key("allow-list").text(&SOURCES).protects().idle(Idle::Everyone),
            key("auth-realm").protects(),
            key("auth-secret").holds(Holds::Named).protects(),
            // It asks nobody where another word stands here.
            key("auth-type").shape(Shape::Exactly(&["basic-auth"])).protects(),
            key("blacklist").text(&SOURCES).protects(),
            key("cors-allow-origin").protects().idle(Idle::Word("*")),
            key("cr-backend").holds(Holds::Named),
            key("deny-list").text(&SOURCES).protects(),
            key("rate-limit-requests").shape(Shape::Integer).bad(Bad::Zero).protects().idle(Idle::Zero),
            key("request-set-header").weakens(),
            key("response-set-header").weakens(),
            key("server-ca").holds(Holds::Named).protects(),
            key("server-crt").holds(Holds::Named),
            key("server-ssl").text(&SWITCH).weakens().idle(Idle::False).same(Same::Reencrypt),
            key("ssl-passthrough")
                .shape(TRUE_OR_FALSE)
                .bad(Bad::False)
                .protects()
                .idle(Idle::False)
                .same(Same::Passthrough),
            key("ssl-redirect").text(&SWITCH).bad(Bad::False).redirects().idle(Idle::False),
            key("whitelist").text(&SOURCES).protects().idle(Idle::Everyone),
        ],
    )
};
