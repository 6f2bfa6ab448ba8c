//! Rules about the annotations that are passed on: what may not ride along, and what would break the program that reads it.

use super::{Facts, folded, nginx};
use crate::diag::{Code, FieldPath, Problem, Report, shown};
use crate::pattern::matches;
use crate::request::legacy::dns_key;
use crate::resolve::Annotation;
use crate::settings::Settings;
use crate::value::{HostFlaw, host_flaws, is_sloppy_ip, parse_bool};

/// What nobody may forward unless the administrator allows it: text that goes into the configuration of the controller as it is.
const SNIPPETS: &str = "*-snippet";

/// The pattern by which an annotation may not be forwarded, if there is one.
pub(super) fn denial<'s>(settings: &'s Settings, annotation: &Annotation<'_>) -> Option<&'s str> {
    let key = annotation.key.as_ref();
    let mut deny = settings.deny.iter().map(String::as_str).chain([SNIPPETS]);
    let pattern = deny.find(|pattern| annotation.is_forwarded() && matches(pattern, key))?;
    Some(pattern).filter(|_| !settings.allow.iter().any(|pattern| matches(pattern, key)))
}

/// No key is on the list of those that may not be forwarded.
pub(super) fn denied(facts: &Facts<'_>, report: &mut Report) {
    for forwarded in &facts.draft.annotations {
        let Some(pattern) = denial(facts.settings, forwarded) else { continue };
        let key = forwarded.key.as_ref();
        let said = if pattern == SNIPPETS {
            format!("{} would put text into the controller's configuration as it is", shown(key))
        } else {
            format!("{} may not be forwarded: the administrator denies {}", shown(key), shown(pattern))
        };
        let help = "remove the line, or ask your administrator to allow the key";
        forwarded.file_key(report, Problem::new(Code::AnnotationDenied, said).help(help));
    }
}

/// The values that ingress-nginx would refuse, and the whole Ingress with them.
pub(super) fn nginx_values(facts: &Facts<'_>, report: &mut Report) {
    for annotation in &facts.draft.annotations {
        let Some(name) = annotation.key.strip_prefix(nginx::PREFIX) else { continue };
        if annotation.value.contains(['\r', '\n']) {
            invalid(annotation, "a value on one line", Code::AnnotationInvalid, report);
            continue;
        }
        let shape = nginx::find(name).and_then(|known| known.shape);
        if let Some(shape) = shape.filter(|shape| !shape.fits(&annotation.value)) {
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
    // What was folded into the value is told already.
    if folded::is_refused(annotation, report) {
        return;
    }
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
    for annotation in facts.draft.annotations.iter() {
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
        let is_first = facts.draft.annotations.iter().find(|it| it.source == annotation.source);
        if is_first.is_some_and(|it| it.key == annotation.key) {
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
    for (key, names) in facts.service.dns_hostnames() {
        let mut names = names.split(',').map(|name| name.trim().trim_end_matches('.'));
        let twice =
            names.find(|name| facts.draft.rules.iter().any(|rule| rule.host.eq_ignore_ascii_case(name)));
        if let Some(name) = twice {
            let kind = facts.draft.targets.first().map_or("Ingress", |target| target.as_str());
            let said = format!("the Service publishes {} itself, and so does its {kind}", shown(name));
            let help = format!("remove the annotation; the {kind} publishes its host");
            let problem = Problem::new(Code::DnsTwice, said).help(help);
            report.file(FieldPath::annotation((*key).to_owned()), problem);
        }
    }
}
