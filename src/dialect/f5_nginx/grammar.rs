//! The forms of texts that NGINX Ingress Controller 5.5 checks: internal/k8s/validation.go and internal/configs/parsing_helpers.go.

/// `ParseOffset`.
pub(super) use crate::dialect::form::SIZE as OFFSET;
use crate::dialect::key::{Form, Text, is_of};
use crate::dialect::nginx::grammar::UPSTREAM;

/// `ParseTime`.
pub(super) static TIME: Text =
    Text { expected: "a time of nginx, such as 30s or 1m 30s", form: Form::Fits(is_time) };

/// Each unit comes once, the longest first. Without a unit, a number is seconds.
fn is_time(value: &str) -> bool {
    const UNITS: [&str; 8] = ["y", "M", "w", "d", "h", "m", "s", "ms"];
    let (mut rest, mut left) = (value.trim(), UNITS.as_slice());
    let has_some = !rest.is_empty();
    while !rest.is_empty() {
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let next = behind.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let unit = behind.strip_suffix(next).filter(|it| !it.is_empty()).unwrap_or("s");
        let found = left.iter().position(|known| *known == unit).filter(|_| behind.len() < rest.len());
        let Some(shorter) = found.and_then(|at| left.get(at + 1..)) else { return false };
        (rest, left) = (next.trim_start(), shorter);
    }
    has_some
}

/// `ParseSize`.
pub(super) static SIZE: Text =
    Text { expected: "a number, perhaps with k or m, such as 16k", form: Form::Units(&["k", "K", "m", "M"]) };

/// `ParseProxyBuffersSpec`.
pub(super) static BUFFERS: Text = Text {
    expected: "a number, a blank and a size, such as 8 4k",
    form: Form::Fits(|value| {
        let halves = value.trim().split_once(' ');
        halves.is_some_and(|(number, size)| number.parse::<u64>().is_ok() && SIZE.fits(size))
    }),
};

/// `ParseRequestRate`.
pub(super) static RATE: Text = Text {
    expected: "a number from 1 and r/s or r/m, such as 10r/s",
    form: Form::Fits(|value| {
        let value = value.trim();
        let number = value.strip_suffix("r/s").or_else(|| value.strip_suffix("r/m"));
        number.is_some_and(|number| number.parse().is_ok_and(|number: u32| number > 0))
    }),
};

/// `ParsePortList`.
pub(super) static PORTS: Text = Text {
    expected: "numbers of ports, separated by commas without blanks",
    form: Form::Fits(|value| value.split(',').all(|port| port.parse().is_ok_and(|port: i32| port > 0))),
};

/// `ParseLBMethod`, whose words have others behind them.
pub(super) static LB_METHOD: Text = Text {
    expected: "round_robin, least_conn, ip_hash, random, least_time or hash, perhaps with more",
    form: Form::Fits(|value| {
        let first = value.split_ascii_whitespace().next().unwrap_or_default();
        ["round_robin", "least_conn", "ip_hash", "random", "least_time", "hash"].contains(&first)
    }),
};

/// `validateProxyNextUpstreamAnnotation`. NGINX Plus knows one more.
pub(super) static NEXT_UPSTREAM: Text = Text {
    expected: "off, or words such as error timeout http_502, separated by blanks",
    form: Form::Fits(|value| {
        value.split_ascii_whitespace().all(|word| word == "denied" || UPSTREAM.contains(&word))
    }),
};

/// `validateLimitReqKeyAnnotation`.
pub(super) static LIMIT_KEY: Text = Text {
    expected: "variables of nginx, such as ${binary_remote_addr}",
    form: Form::Fits(|value| value.starts_with('$') && is_of(value, "${}_")),
};

/// `validateAppRootAnnotation`.
pub(super) static APP_ROOT: Text = Text {
    expected: "a path that begins with one `/`, and does not end with it",
    form: Form::Fits(|value| is_path(value) && !value.ends_with('/') && !value.contains('~')),
};

/// `validateRewriteTargetAnnotation`.
pub(super) static REWRITE_TARGET: Text =
    Text { expected: "a path that begins with one `/`", form: Form::Fits(is_path) };

fn is_path(value: &str) -> bool {
    value.starts_with('/') && !value.starts_with("//") && !value.contains([' ', ';', '{', '}'])
}

/// `ParseRewriteList`.
pub(super) static REWRITES: Text = Text {
    expected: "serviceName=NAME rewrite=/PATH, several with `;` between them",
    form: Form::Fits(|value| {
        value.split(';').all(|part| {
            let halves = part.trim().split_once(' ');
            halves.is_some_and(|(service, path)| {
                service.starts_with("serviceName=") && path.strip_prefix("rewrite=").is_some_and(is_path)
            })
        })
    }),
};

/// `ParseStickyServiceList`.
pub(super) static STICKY: Text = Text {
    expected: "serviceName=NAME COOKIE, with what follows, several with `;` and no blank between them",
    form: Form::Fits(|value| {
        let is_one =
            |part: &str| part.split_once(' ').is_some_and(|(service, _)| service.split('=').count() == 2);
        value.split(';').all(is_one)
    }),
};

/// `validateAddHeaderAnnotation`: a comma in a value begins another header.
pub(super) static HEADERS: Text = Text {
    expected: "NAME:VALUE, several with commas between them",
    form: Form::Fits(|value| {
        let name = |it: &str| !it.split(':').next().unwrap_or_default().trim().is_empty();
        value.split(',').all(name)
    }),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_units_in_order() {
        for time in ["60", "60s", "1m 30s", "1m30s", "1h30", "500ms", "1y2M3w4d5h6m7s8ms", " 5s "] {
            assert!(TIME.fits(time), "{time}");
        }
        for time in ["", " ", "30x", "30s1m", "1m1m", "30 s", "s", "1.5s", "-1s", "1S"] {
            assert!(!TIME.fits(time), "{time}");
        }
    }

    #[test]
    fn a_list_is_what_nginx_ingress_controller_takes_for_one() {
        for (text, good, bad) in [
            (&OFFSET, "0 8m 10G 1024", "8Mi 8b m -1 8.5m"),
            (&SIZE, "16k 1M 4096", "1g 4kb k"),
            (&RATE, "1r/s 200r/m", "10 10r/h 0r/s r/s 10/s"),
            (&PORTS, "80 80,8080", "http 80,, 0 -1"),
            (&LIMIT_KEY, "$binary_remote_addr ${request_uri}$host", "binary_remote_addr $a;"),
            (&APP_ROOT, "/a /a/b", "/ a //a /a/ /~a"),
            (&LB_METHOD, "round_robin least_conn hash", "roundrobin least-conn hash_"),
        ] {
            for value in good.split(' ') {
                assert!(text.fits(value), "{value}");
            }
            for value in bad.split(' ') {
                assert!(!text.fits(value), "{value}");
            }
        }
        assert!(BUFFERS.fits("8 4k") && !BUFFERS.fits("8") && !BUFFERS.fits("4k 8"));
        assert!(REWRITES.fits("serviceName=a rewrite=/; serviceName=b rewrite=/b/") && !REWRITES.fits("/a"));
        assert!(STICKY.fits("serviceName=a srv_id expires=1h;serviceName=b c") && !STICKY.fits("srv_id"));
        assert!(HEADERS.fits("X-A:b,X-C: d:always") && !HEADERS.fits("X-A:b,") && !HEADERS.fits(":b"));
    }
}
