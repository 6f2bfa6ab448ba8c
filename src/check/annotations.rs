//! Rules about the annotations that are passed on: what may not ride along, and what would break the program that reads it.

use super::Facts;
use crate::diag::{Code, Problem, Report, shown};
use crate::pattern::matches;
use crate::resolve::Annotation;
use crate::value::parse_bool;

/// What nobody may forward unless the administrator allows it: text that goes into the configuration of the controller as it is.
const SNIPPETS: &str = "*-snippet";

/// No key is on the list of those that may not be forwarded.
pub(super) fn denied(facts: &Facts<'_>, report: &mut Report) {
    let settings = facts.settings;
    for forwarded in facts.draft.annotations.iter().filter(|it| it.is_forwarded()) {
        let key = forwarded.key.as_ref();
        let deny = settings.deny.iter().map(String::as_str).chain([SNIPPETS]);
        let Some(pattern) = { deny }.find(|pattern| matches(pattern, key)) else { continue };
        if settings.allow.iter().any(|pattern| matches(pattern, key)) {
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
