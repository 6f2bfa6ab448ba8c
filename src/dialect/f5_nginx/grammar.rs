//! The forms of values that NGINX Ingress Controller 5.5 checks. Each has the name of the function in
//! internal/k8s/validation.go or internal/configs/parsing_helpers.go.

use crate::dialect::form::{COUNT, is_of};
use crate::dialect::key::{Form, Text, has};
use crate::validation::pattern::matches;

/// `ParseTime`.
pub(super) static TIME: Text =
    Text { expected: "a time of nginx, such as 30s or 1m 30s", form: Form::Fits(is_time) };

/// Whether a value consists of digits, units and spaces. The order and the repetition of units are not checked.
fn is_time(value: &str) -> bool {
    value.bytes().all(|sign| sign.is_ascii_digit() || b"yMwdhms ".contains(&sign))
}

/// `ParseSize`.
pub(super) static SIZE: Text = Text { expected: "a size such as 16k", form: Form::Units("|k|K|m|M") };

/// `ParseProxyBuffersSpec`.
pub(super) static BUFFERS: Text =
    Text { expected: "a number, a blank and a size, such as 8 4k", form: Form::List(' ', &SIZE) };

/// `ParseRequestRate`.
pub(super) static RATE: Text =
    Text { expected: "a number and r/s or r/m, such as 10r/s", form: Form::Units("r/s|r/m") };

/// `ParsePortList`.
pub(super) static PORTS: Text =
    Text { expected: "ports, separated by commas without blanks", form: Form::List(',', &COUNT) };

/// `ParseLBMethod`.
pub(super) static LB_METHOD: Text = Text {
    expected: "a method such as round_robin, least_conn or hash $request_uri",
    form: Form::Like("round_robin|least_conn|ip_hash|random*|least_time*|hash *"),
};

/// `validateProxyNextUpstreamAnnotation`.
pub(super) static NEXT_UPSTREAM: Text = Text {
    expected: "off, or words such as error timeout http_502, separated by blanks",
    form: Form::List(
        ' ',
        &Text {
            expected: "",
            form: Form::Like("|error|timeout|invalid_header|http_*|non_idempotent|denied|off"),
        },
    ),
};

/// `validateServerTokensAnnotation`. NGINX Plus sends any other text to the client.
pub(super) static SERVER_TOKENS: Text = Text {
    expected: "true or false, or a text for NGINX Plus, without `$`",
    form: Form::Fits(|value| {
        let is_switch = has("on off yes no enabled disabled", &value.to_ascii_lowercase());
        !is_switch && !value.replace("\\\"", "").contains(['"', '$'])
    }),
};

/// `validateLimitReqKeyAnnotation`.
pub(super) static LIMIT_KEY: Text =
    Text { expected: "variables of nginx, such as ${binary_remote_addr}", form: Form::Like("$*") };

/// `validateAppRootAnnotation`.
pub(super) static APP_ROOT: Text = Text {
    expected: "a path that begins with a single `/` and ends with another character, of letters, digits and \
        `/ - _ . ! * ' ( ) : @ & = + , ? %`, without a part `..`",
    form: Form::Fits(|value| is_path(value) && !value.ends_with('/') && is_of(value, "/-_.!*'():@&=+,?%")),
};

/// `validateRewriteTargetAnnotation`.
pub(super) static REWRITE_TARGET: Text = Text {
    expected: "a path that begins with a single `/`, without blanks, control characters, backquotes, a part `..` and \
        `; , ~ [ ] { } < > | ^ \\`",
    form: Form::Fits(|value| {
        is_path(value) && !value.contains(|c: char| c.is_ascii_control() || " ;{}[]|<>,^`~\\".contains(c))
    }),
};

/// `ValidatePath`, without the characters that it refuses, because each caller refuses more of them.
fn is_path(value: &str) -> bool {
    value.starts_with('/') && !value.starts_with("//") && !has_parent(value)
}

/// Whether a part of a path is `..`, as NGINX Ingress Controller divides it into parts.
pub(super) fn has_parent(path: &str) -> bool {
    path.split(['/', '\\']).any(|part| part == "..")
}

/// `validateMergeableIngressTypeAnnotation` and `validateMasterSpec`. An Ingress of a Service has a path.
pub(super) static MERGEABLE_TYPE: Text =
    Text { expected: "minion, because a master has no path", form: Form::Like("minion") };

/// `ParseRewriteList`.
pub(super) static REWRITES: Text = Text {
    expected: "serviceName=NAME rewrite=/PATH, without blanks and `{ } $ =` in the path, several with `;` between them",
    form: Form::List(';', &Text { expected: "", form: Form::Fits(is_rewrite) }),
};

fn is_rewrite(item: &str) -> bool {
    let Some((service, path)) = item.trim().split_once(" rewrite=/") else { return false };
    matches("serviceName=*", service)
        && service.split([' ', '=']).count() == 2
        && !path.contains(|c: char| c.is_ascii_whitespace() || "{}$=".contains(c))
}

/// `ParseStickyServiceList`.
pub(super) static STICKY: Text = Text {
    expected: "serviceName=NAME COOKIE, several with `;` between them",
    form: Form::List(';', &Text { expected: "", form: Form::Like("*=* *") }),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_units_of_nginx() {
        for time in ["60", "60s", "1m 30s", "1m30s", "1h30", "500ms", "1y2M3w4d5h6m7s8ms", " 5s "] {
            assert!(TIME.fits(time), "{time}");
        }
        for time in ["30x", "5min", "30sec", "1.5s", "-1s", "1S"] {
            assert!(!TIME.fits(time), "{time}");
        }
    }

    #[test]
    fn a_list_is_what_nginx_ingress_controller_takes_for_one() {
        for (text, good, bad) in [
            (&SIZE, "16k 1M 4096", "1g 4kb k 8Mi -1 8.5m"),
            (&RATE, "1r/s 200r/m", "10 10r/h r/s 10/s"),
            (&PORTS, "80 80,8080", "http 80,, -1"),
            (&LIMIT_KEY, "$binary_remote_addr ${request_uri}$host", "binary_remote_addr"),
            (&SERVER_TOKENS, "true False 0 build custom", "off On disabled $host"),
            (&LB_METHOD, "round_robin least_conn", "roundrobin least-conn hash"),
            (&NEXT_UPSTREAM, "error http_502 denied", "errors 502 http"),
        ] {
            for value in good.split(' ') {
                assert!(text.fits(value), "{value}");
            }
            for value in bad.split(' ') {
                assert!(!text.fits(value), "{value}");
            }
        }
        assert!(BUFFERS.fits("8 4k") && !BUFFERS.fits("8 4kb"));
        assert!(NEXT_UPSTREAM.fits("error timeout") && !NEXT_UPSTREAM.fits("error,timeout"));
        assert!(LB_METHOD.fits("hash $request_uri consistent"));
        assert!(REWRITES.fits("serviceName=a rewrite=/; serviceName=b rewrite=/b/") && !REWRITES.fits("/a"));
        for item in ["/$1", "/a b", "/a\tb", "/a?b=c", "/a rewrite=/b"] {
            assert!(!REWRITES.fits(&format!("serviceName=a rewrite={item}")), "{item}");
        }
        assert!(!REWRITES.fits("serviceName=a b rewrite=/"));
        for path in ["/a/b", "/root", "/a/?", "/a//b", "/a/..b"] {
            assert!(APP_ROOT.fits(path) && REWRITE_TARGET.fits(path), "{path}");
        }
        for path in ["/a/", "/", "/a\"b", "/a#b", "/é"] {
            assert!(!APP_ROOT.fits(path) && REWRITE_TARGET.fits(path), "{path}");
        }
        for path in ["a", "/a b", "/a\\b", "/a\\..\\b", "/a\tb", "/a\u{1}b", "/a\u{7f}b", "/a/.."] {
            assert!(!APP_ROOT.fits(path) && !REWRITE_TARGET.fits(path), "{path:?}");
        }
        for path in ["//a", "/a/../b", "/a~b", "/a`b", "/$1"] {
            assert!(!APP_ROOT.fits(path), "{path}");
            assert_eq!(REWRITE_TARGET.fits(path), path == "/$1", "{path}");
        }
        assert!(STICKY.fits("serviceName=a srv_id expires=1h;serviceName=b c") && !STICKY.fits("srv_id"));
    }
}
