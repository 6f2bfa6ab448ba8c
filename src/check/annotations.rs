//! Rules about the annotations that are passed on: what may not ride along, and what would break the program that reads it.

use std::collections::BTreeSet;

use super::Facts;
use crate::diag::{Code, FieldPath, Problem, Report, shown};
use crate::pattern::matches;
use crate::request::legacy::dns_key;
use crate::resolve::{Annotation, Source};
use crate::value::{HostFlaw, host_flaws, is_sloppy_ip, parse_bool};

/// What nobody may forward unless the administrator allows it: text that goes into the configuration of the controller as it is.
const SNIPPETS: &str = "*-snippet";

/// No key is on the list of those that may not be forwarded.
pub(super) fn denied(facts: &Facts<'_>, report: &mut Report) {
    let settings = facts.settings;
    for forwarded in facts.draft.annotations.iter().filter(|it| it.is_forwarded()) {
        let key = forwarded.key.as_ref();
        let snippet = || Some(SNIPPETS).filter(|pattern| matches(pattern, key));
        let Some(pattern) = settings.deny.first(key).or_else(snippet) else { continue };
        if settings.allow.fit(key) {
            continue;
        }
        let said = if pattern == SNIPPETS {
            format!("{} would put text into the controller's configuration as it is", shown(key))
        } else {
            format!("{} may not be forwarded: the administrator denies {}", shown(key), shown(pattern))
        };
        let help = "remove the line, or ask your administrator to allow the key";
        forwarded.file_key(report, Problem::new(Code::AnnotationDenied, said).help(help));
    }
}

/// What a value of ingress-nginx must look like; an Ingress with another one is not configured at all.
#[derive(Clone, Copy)]
enum Shape {
    Boolean,
    Integer,
    /// Digits and perhaps `b`, `k`, `m` or `g`.
    Size,
    /// A path, perhaps with captures such as `$1`.
    Path,
    Url,
    Headers,
    OnOff,
    Words(&'static [&'static str]),
}

const NGINX: &str = "nginx.ingress.kubernetes.io/";

/// The keys of ingress-nginx and the shapes of their values, in ascending order.
const SHAPES: &[(&str, Shape)] = &[
    ("affinity", Shape::Words(&["cookie"])),
    ("affinity-canary-behavior", Shape::Words(&["sticky", "legacy"])),
    ("affinity-mode", Shape::Words(&["balanced", "persistent"])),
    ("app-root", Shape::Path),
    ("auth-always-set-cookie", Shape::Boolean),
    ("auth-keepalive", Shape::Integer),
    ("auth-keepalive-requests", Shape::Integer),
    ("auth-keepalive-share-vars", Shape::Boolean),
    ("auth-keepalive-timeout", Shape::Integer),
    ("auth-request-redirect", Shape::Url),
    ("auth-response-headers", Shape::Headers),
    ("auth-tls-pass-certificate-to-upstream", Shape::Boolean),
    ("auth-tls-verify-depth", Shape::Integer),
    ("auth-type", Shape::Words(&["basic", "digest"])),
    ("backend-protocol", Shape::Words(&["AUTO_HTTP", "HTTP", "HTTPS", "GRPC", "GRPCS", "FCGI"])),
    ("canary", Shape::Boolean),
    ("canary-weight", Shape::Integer),
    ("canary-weight-total", Shape::Integer),
    ("client-body-buffer-size", Shape::Size),
    ("cors-allow-credentials", Shape::Boolean),
    ("cors-allow-headers", Shape::Headers),
    ("cors-max-age", Shape::Integer),
    ("disable-proxy-intercept-errors", Shape::Boolean),
    ("enable-access-log", Shape::Boolean),
    ("enable-cors", Shape::Boolean),
    ("enable-global-auth", Shape::Boolean),
    ("enable-modsecurity", Shape::Boolean),
    ("enable-opentelemetry", Shape::Boolean),
    ("enable-owasp-core-rules", Shape::Boolean),
    ("enable-rewrite-log", Shape::Boolean),
    ("force-ssl-redirect", Shape::Boolean),
    ("from-to-www-redirect", Shape::Boolean),
    ("http2-push-preload", Shape::Boolean),
    ("limit-burst-multiplier", Shape::Integer),
    ("limit-connections", Shape::Integer),
    ("limit-rate", Shape::Integer),
    ("limit-rate-after", Shape::Integer),
    ("limit-rpm", Shape::Integer),
    ("limit-rps", Shape::Integer),
    (
        "load-balance",
        Shape::Words(&[
            "round_robin",
            "chash",
            "chashsubset",
            "sticky_balanced",
            "sticky_persistent",
            "ewma",
        ]),
    ),
    ("mirror-request-body", Shape::OnOff),
    ("opentelemetry-trust-incoming-span", Shape::Boolean),
    ("permanent-redirect", Shape::Url),
    ("permanent-redirect-code", Shape::Integer),
    ("preserve-trailing-slash", Shape::Boolean),
    ("proxy-body-size", Shape::Size),
    ("proxy-buffer-size", Shape::Size),
    ("proxy-buffering", Shape::OnOff),
    ("proxy-buffers-number", Shape::Integer),
    ("proxy-busy-buffers-size", Shape::Size),
    ("proxy-connect-timeout", Shape::Integer),
    ("proxy-cookie-path", Shape::Url),
    ("proxy-http-version", Shape::Words(&["1.0", "1.1"])),
    ("proxy-max-temp-file-size", Shape::Size),
    ("proxy-next-upstream-timeout", Shape::Integer),
    ("proxy-next-upstream-tries", Shape::Integer),
    ("proxy-read-timeout", Shape::Integer),
    ("proxy-redirect-from", Shape::Url),
    ("proxy-redirect-to", Shape::Url),
    ("proxy-request-buffering", Shape::OnOff),
    ("proxy-send-timeout", Shape::Integer),
    ("proxy-ssl-server-name", Shape::OnOff),
    ("proxy-ssl-verify", Shape::OnOff),
    ("proxy-ssl-verify-depth", Shape::Integer),
    ("relative-redirects", Shape::Boolean),
    ("rewrite-target", Shape::Path),
    ("satisfy", Shape::Words(&["any", "all"])),
    ("service-upstream", Shape::Boolean),
    ("session-cookie-change-on-failure", Shape::Boolean),
    ("session-cookie-conditional-samesite-none", Shape::Boolean),
    ("session-cookie-path", Shape::Url),
    ("session-cookie-samesite", Shape::Words(&["None", "Lax", "Strict"])),
    ("session-cookie-secure", Shape::Boolean),
    ("ssl-passthrough", Shape::Boolean),
    ("ssl-prefer-server-ciphers", Shape::Boolean),
    ("ssl-redirect", Shape::Boolean),
    ("temporal-redirect", Shape::Url),
    ("temporal-redirect-code", Shape::Integer),
    ("upstream-hash-by-subset", Shape::Boolean),
    ("upstream-hash-by-subset-size", Shape::Integer),
    ("use-port-in-redirects", Shape::Boolean),
    ("use-regex", Shape::Boolean),
    ("x-forwarded-prefix", Shape::Path),
];

impl Shape {
    /// What is expected, in words.
    fn describe(self) -> String {
        match self {
            Self::Boolean => "true or false".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Size => "a size such as 900m".to_owned(),
            Self::Path => "a path of letters, digits and `/ - . _ ~ : $`".to_owned(),
            Self::Url => "a URL of letters, digits and `/ - . _ ~ : , ? & =`".to_owned(),
            Self::Headers => "names of headers, separated by commas".to_owned(),
            Self::OnOff => "on or off".to_owned(),
            Self::Words(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// Whether ingress-nginx takes the value. It does not look at an empty one.
    fn fits(self, value: &str) -> bool {
        let only = |signs: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c));
        value.is_empty()
            || match self {
                Self::Boolean => parse_bool(value).is_some(),
                Self::Integer => value.parse::<i64>().is_ok(),
                Self::Size => {
                    // Blanks are removed before it is looked at.
                    let bare = value.replace(' ', "");
                    let digits = bare.trim_end_matches(['b', 'k', 'm', 'g', 'B', 'K', 'M', 'G']);
                    !digits.is_empty()
                        && bare.len() - digits.len() <= 1
                        && digits.bytes().all(|b| b.is_ascii_digit())
                }
                Self::Path => only("-._~/:$"),
                Self::Url => only("-._~/:,?&= "),
                Self::Headers => only("-_, "),
                Self::OnOff => matches!(value.trim(), "on" | "off"),
                Self::Words(words) => words.iter().any(|word| word.eq_ignore_ascii_case(value.trim())),
            }
    }
}

/// The values that ingress-nginx would refuse, and the whole Ingress with them.
pub(super) fn nginx_values(facts: &Facts<'_>, report: &mut Report) {
    for annotation in &facts.draft.annotations {
        let Some(name) = annotation.key.strip_prefix(NGINX) else { continue };
        if annotation.value.contains(['\r', '\n']) {
            invalid(annotation, "a value on one line", Code::AnnotationInvalid, report);
            continue;
        }
        let Ok(at) = SHAPES.binary_search_by(|(known, _)| (*known).cmp(name)) else { continue };
        if let Some((_, shape)) = SHAPES.get(at).filter(|(_, shape)| !shape.fits(&annotation.value)) {
            invalid(annotation, shape.describe(), Code::AnnotationInvalid, report);
        }
    }
}

/// What is forwarded about a canary is about one, and its weight is a part of the whole.
pub(super) fn nginx_canary(facts: &Facts<'_>, report: &mut Report) {
    let draft = facts.draft;
    let about = draft.annotations.iter().find(|it| it.key.starts_with(NGINX_CANARY));
    let Some(about) = about.filter(|_| draft.canary.is_none()) else { return };
    let is_canary = draft
        .annotation("nginx.ingress.kubernetes.io/canary")
        .is_some_and(|it| parse_bool(&it.value) == Some(true));
    if !is_canary {
        let said = format!(
            "{} is given without nginx.ingress.kubernetes.io/canary: \"true\", and ingress-nginx then configures nothing",
            shown(&about.key)
        );
        let help = "add config.xposer.stakater.com/CanaryOf and CanaryWeight instead, or remove the line";
        about.file_key(report, Problem::new(Code::AnnotationInvalid, said).help(help));
    }
    let number = |key: &str| Some(draft.annotation(key)?.value.parse::<i64>());
    let total = match number("nginx.ingress.kubernetes.io/canary-weight-total") {
        Some(Ok(total)) => total,
        _ => 100,
    };
    let weight = draft.annotation("nginx.ingress.kubernetes.io/canary-weight");
    if let Some(weight) = weight
        && weight.value.parse::<i64>().is_ok_and(|weight| !(0..=total).contains(&weight))
    {
        invalid(weight, format!("0 to {total}"), Code::AnnotationInvalid, report);
    }
}

const NGINX_CANARY: &str = "nginx.ingress.kubernetes.io/canary-";

fn invalid(annotation: &Annotation<'_>, expected: impl std::fmt::Display, code: Code, report: &mut Report) {
    let said = format!("{} is {}, expected {expected}", shown(&annotation.key), shown(&annotation.value));
    annotation.file_value(report, Problem::new(code, said).help("correct the value"));
}

/// The values that Forecastle would trip over.
pub(super) fn forecastle(facts: &Facts<'_>, report: &mut Report) {
    let first = facts.draft.rules.first().filter(|rule| rule.host.starts_with("*."));
    if let Some(rule) = first
        && let Some(expose) = facts.draft.annotation("forecastle.stakater.com/expose")
        && expose.value == "true"
        && facts.draft.annotation("forecastle.stakater.com/url").is_none()
    {
        let said = format!("a link to the wildcard host {} leads nowhere", shown(&rule.host));
        let help = "forward forecastle.stakater.com/url, too, or put a host without a star first";
        expose.file_key(report, Problem::new(Code::ForecastleWildcard, said).help(help));
    }
    for annotation in &facts.draft.annotations {
        let Some(name) = annotation.key.strip_prefix("forecastle.stakater.com/") else { continue };
        let value = annotation.value.as_ref();
        let expected = match name {
            "expose" | "network-restricted" if !matches!(value, "true" | "false") => "exactly true or false",
            "url" if !value.starts_with("https://") && !value.starts_with("http://") => {
                "a URL that begins with https:// or http://"
            }
            // Forecastle stops where it cannot split an item.
            "properties" if !value.split(',').all(|item| item.contains(':')) => {
                "items such as owner:team-a, separated by commas"
            }
            _ => continue,
        };
        invalid(annotation, expected, Code::ForecastleInvalid, report);
    }
}

/// The values that ExternalDNS could not publish.
pub(super) fn dns_values(facts: &Facts<'_>, report: &mut Report) {
    let mut told = BTreeSet::new();
    for annotation in &facts.draft.annotations {
        let Some((_, name)) = dns_key(&annotation.key) else { continue };
        let value = annotation.value.as_ref();
        let is_host = |host: &str| {
            host_flaws(host.trim().trim_end_matches('.')).iter().all(|flaw| *flaw == HostFlaw::Uppercase)
        };
        let mut items = value.split(',').map(str::trim);
        let expected = match name {
            "ttl" if !is_ttl(value) => "seconds, or a duration such as 5m, from 1s to 2147483647s".to_owned(),
            "hostname" | "internal-hostname" => match items.find(|host| !is_host(host)) {
                Some(stray) => format!("DNS names, separated by commas, and {} is none", shown(stray)),
                None => continue,
            },
            "target" => match items.find(|target| !is_host(target) && !is_sloppy_ip(target)) {
                Some(stray) => {
                    format!("DNS names and addresses, separated by commas, and {} is neither", shown(stray))
                }
                None => continue,
            },
            _ => continue,
        };
        // What was mirrored is told once, where it was written.
        let place = match &annotation.source {
            Source::Block { key, .. } => key.start,
            Source::Origin(_) => usize::MAX,
        };
        if place == usize::MAX || told.insert(place) {
            invalid(annotation, expected, Code::DnsInvalid, report);
        }
    }
}

/// Seconds or a duration of Go, whole seconds from 1 to 2^31-1.
fn is_ttl(text: &str) -> bool {
    let seconds = text.parse::<u64>().ok().or_else(|| go_seconds(text));
    seconds.is_some_and(|seconds| (1..=0x7fff_ffff).contains(&seconds))
}

/// The whole seconds of a duration such as `1h30m` or `1.5m`, as Go's time.ParseDuration reads it.
fn go_seconds(text: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("μs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
    ];
    let mut total = 0.0;
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    while !rest.is_empty() {
        let number = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, behind) = rest.split_at_checked(number)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || number.len() > 18 {
            return None;
        }
        let unit = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at_checked(unit)?;
        let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let digits = [whole, fraction].concat().parse::<u64>().ok()?;
        total += digits as f64 / 10_f64.powi(fraction.len() as i32) * seconds;
        rest = behind;
    }
    (total > 0.0).then_some(total as u64)
}

/// The Service does not publish by itself what its Ingress publishes.
pub(super) fn dns_twice(facts: &Facts<'_>, report: &mut Report) {
    if facts.service.dns_hostnames().is_empty() {
        return;
    }
    let mut hosts: Vec<String> =
        facts.draft.rules.iter().map(|rule| rule.host.to_ascii_lowercase()).collect();
    hosts.sort_unstable();
    for (key, names) in facts.service.dns_hostnames() {
        let mut names = names.split(',').map(|name| name.trim().trim_end_matches('.'));
        let twice = names.find(|name| hosts.binary_search(&name.to_ascii_lowercase()).is_ok());
        if let Some(name) = twice {
            let kind = facts.draft.targets.first().map_or("Ingress", |target| target.as_str());
            let said = format!("the Service publishes {} itself, and so does its {kind}", shown(name));
            let help = format!("remove the annotation; the {kind} publishes its host");
            let problem = Problem::new(Code::DnsTwice, said).help(help);
            report.file(FieldPath::annotation((*key).to_owned()), problem);
        }
    }
}
