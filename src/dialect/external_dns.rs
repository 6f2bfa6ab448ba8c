//! Rules about ExternalDNS: what it could not publish, and what it would publish twice.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::check::object::character_help;
use crate::check::{RuleContext, folded};
use crate::diagnostics::{Code, FieldPath, Problem, Report, did_you_mean, quoted};
use crate::dialect::legacy::dns_key;
use crate::options::Target;
use crate::resolve::Annotation;
use crate::validation::{HostError, MAX_LABEL, MAX_NAME, host_errors, parse_bool};

/// The words of `ingress-hostname-source` and `gateway-hostname-source`.
const SOURCES: [&str; 2] = ["annotation-only", "defined-hosts-only"];

/// The only controller that ExternalDNS is; of any other it leaves the object alone.
const CONTROLLER: &str = "dns-controller";

/// The keys and values that ExternalDNS could not use.
pub(crate) fn values(context: &RuleContext<'_>, report: &mut Report) {
    for annotation in &context.plan.annotations {
        let Some((prefix, name)) = dns_key(&annotation.key) else { continue };
        // Under its other prefix, it is the same line. What was folded into the value is told already.
        if context.is_mirrored(annotation) || !annotation.is_given() || folded::is_refused(annotation, report)
        {
            continue;
        }
        let value = annotation.value.as_ref();
        match name {
            "hostname" => names(annotation, false, report),
            "target" => names(annotation, true, report),
            "ttl" if !is_ttl(value) => {
                let expected = "seconds, or a duration such as 5m, from 1s to 2147483647s";
                invalid(annotation, expected, "correct the value", report);
            }
            "alias" if !matches!(value, "true" | "false" | "A" | "AAAA") => {
                invalid(
                    annotation,
                    "exactly true, false, A or AAAA",
                    "write true or remove the line",
                    report,
                );
            }
            "cloudflare-proxied" if parse_bool(value).is_none() => {
                invalid(annotation, "true or false", "write true or false", report);
            }
            "controller" if did_you_mean(value, [CONTROLLER]).is_some() && value != CONTROLLER => {
                let help = format!("write {CONTROLLER}, or a word such as none to keep ExternalDNS away");
                invalid(annotation, CONTROLLER, &help, report);
            }
            "ingress-hostname-source" | "gateway-hostname-source"
                if !SOURCES.contains(&value.to_ascii_lowercase().as_str()) =>
            {
                let help = match did_you_mean(value, SOURCES) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => "write one of these words, or remove the line".to_owned(),
                };
                invalid(annotation, format!("one of {}", SOURCES.join(", ")), &help, report);
            }
            _ => unread(context, annotation, prefix, name, report),
        }
    }
}

fn invalid(annotation: &Annotation<'_>, expected: impl std::fmt::Display, help: &str, report: &mut Report) {
    let said = format!("{} is {}, expected {expected}", quoted(&annotation.key), quoted(&annotation.value));
    annotation.file_value(report, Problem::new(Code::DnsInvalid, said).help(help));
}

/// The keys that ExternalDNS does not read on what exposes the Service. What is no key of it is told with those of other programs.
fn unread(
    context: &RuleContext<'_>,
    annotation: &Annotation<'_>,
    prefix: &str,
    name: &str,
    report: &mut Report,
) {
    let has = |target| context.plan.targets.contains(&target);
    let key = quoted(&annotation.key);
    let (said, help) = match name {
        "access" | "endpoints-type" | "internal-hostname" => (
            format!("ExternalDNS reads {key} on a Service, and not on what exposes it"),
            "move the line to the annotations of the Service, or remove it".to_owned(),
        ),
        "ingress-hostname-source" if !has(Target::Ingress) => (
            format!("ExternalDNS reads {key} on an Ingress alone"),
            format!("write {prefix}gateway-hostname-source, or remove the line"),
        ),
        "gateway-hostname-source" if !has(Target::HttpRoute) => (
            format!("ExternalDNS reads {key} on a route of the Gateway API alone"),
            format!("write {prefix}ingress-hostname-source, or remove the line"),
        ),
        _ => return,
    };
    annotation.file_key(report, Problem::new(Code::DnsUnread, said).help(help));
}

/// A list of names, or of targets, each of which is a name or an address. Blanks do not count.
fn names(annotation: &Annotation<'_>, is_target: bool, report: &mut Report) {
    let value = annotation.value.as_ref();
    let mut start = 0;
    for item in value.split(',') {
        let range = start..start + item.len();
        start = range.end + 1;
        let words = item.split(' ').filter(|word| !word.is_empty());
        let glued = item.replace(' ', "");
        let help = match error(&glued, is_target) {
            _ if value.trim().is_empty() => "write a name, or remove the line".to_owned(),
            _ if words.clone().nth(1).is_some()
                && words.clone().all(|word| error(word, is_target).is_none()) =>
            {
                "separate the names by commas, because ExternalDNS removes the blanks".to_owned()
            }
            Some(help) => help,
            None => continue,
        };
        let lead = item.len() - item.trim_start().len();
        let trimmed = range.start + lead..range.start + lead + item.trim().len();
        stray(annotation, item.trim(), trimmed, is_target, &help, report);
        return;
    }
}

fn stray(
    annotation: &Annotation<'_>,
    item: &str,
    range: Range<usize>,
    is_target: bool,
    help: &str,
    report: &mut Report,
) {
    let (expected, none) =
        if is_target { ("DNS names and addresses", "neither") } else { ("DNS names", "none") };
    let (key, value) = (quoted(&annotation.key), quoted(&annotation.value));
    let what = match item {
        "" => "there is an empty item".to_owned(),
        item => format!("{} is {none}", quoted(item)),
    };
    let said = format!("{key} is {value}, expected {expected}, separated by commas, and {what}");
    annotation.file_part(report, range, Problem::new(Code::DnsInvalid, said).help(help));
}

/// What to do about a name that cannot be published; `None` if it can. Unlike a host, it may have an underscore, and a dot
/// at its end.
fn error(name: &str, is_target: bool) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_address = name.parse::<Ipv4Addr>().is_ok() || name.parse::<Ipv6Addr>().is_ok();
    if is_target && is_address {
        return None;
    }
    let found = host_errors(&name.replace('_', "a")).into_iter().find(|error| *error != HostError::Uppercase);
    let help = match found {
        // A name of numbers alone would be one that nobody can have.
        None => {
            let last = name.rsplit('.').next().unwrap_or_default();
            let is_number = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
            return is_number.then(|| "correct the address".to_owned());
        }
        Some(HostError::Missing) => "remove the comma beside which nothing stands".to_owned(),
        Some(HostError::Scheme) => "remove the scheme".to_owned(),
        Some(HostError::Port) => "remove the port".to_owned(),
        Some(HostError::Ip) if is_target && name.starts_with('[') => {
            "write the address without brackets".to_owned()
        }
        Some(HostError::Ip) if is_target => "write the numbers without leading zeros".to_owned(),
        Some(HostError::Ip) => "write a DNS name, or the address under the key target".to_owned(),
        Some(HostError::Character('/')) => "remove the path".to_owned(),
        Some(HostError::Character('[' | ']')) => "write the address without brackets".to_owned(),
        Some(HostError::Character(';' | '|' | '\t')) => "separate the names by commas".to_owned(),
        Some(HostError::Character(':')) if is_target => "correct the address".to_owned(),
        Some(HostError::Character(character)) => character_help(character).to_owned(),
        Some(HostError::TrailingDot | HostError::EmptyLabel) => "remove the extra dot".to_owned(),
        Some(HostError::Hyphen(_)) => "remove the hyphen at the start or the end of a part".to_owned(),
        Some(HostError::Wildcard) => "write the star as the whole first part: *.example.com".to_owned(),
        Some(HostError::LabelTooLong(_)) => format!("shorten the part to {MAX_LABEL} characters"),
        Some(HostError::TooLong) => format!("shorten the name to {MAX_NAME} characters"),
        Some(HostError::Uppercase) => return None,
    };
    Some(help)
}

/// Seconds or a duration of Go, whole seconds from 1 to 2^31-1.
fn is_ttl(text: &str) -> bool {
    let seconds = text.parse::<u64>().ok().or_else(|| go_seconds(text));
    seconds.is_some_and(|seconds| (1..=0x7fff_ffff).contains(&seconds))
}

/// The whole seconds of a duration such as `1h30m` or `1.5m`, as Go's time.ParseDuration reads it.
pub(crate) fn go_seconds(text: &str) -> Option<u64> {
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
pub(crate) fn twice(context: &RuleContext<'_>, report: &mut Report) {
    if context.service.dns_hostnames.is_empty() {
        return;
    }
    let mut hosts: Vec<String> =
        context.plan.rules.iter().map(|rule| rule.host.to_ascii_lowercase()).collect();
    hosts.sort_unstable();
    for (key, names) in &context.service.dns_hostnames {
        let mut names = names.split(',').map(|name| name.trim().trim_end_matches('.'));
        let twice = names.find(|name| hosts.binary_search(&name.to_ascii_lowercase()).is_ok());
        if let Some(name) = twice {
            let kind = context.plan.targets.first().map_or("Ingress", |target| target.as_str());
            let said = format!("the Service publishes {} itself, and so does its {kind}", quoted(name));
            let help = format!("remove the annotation; the {kind} publishes its host");
            let problem = Problem::new(Code::DnsTwice, said).help(help);
            report.file(FieldPath::annotation((*key).to_owned()), problem);
        }
    }
}
