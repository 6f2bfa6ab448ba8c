//! Rules about ExternalDNS: values that it cannot publish, and names that would be published twice.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{CONTROLLER, split};
use crate::diagnostics::{Code, FieldPath, Problem, Report, did_you_mean, one_of, quoted};
use crate::dialect::go::go_seconds;
use crate::dialect::unexpected;
use crate::plan::Annotation;
use crate::plan::context::{RuleContext, is_refused};
use crate::validation::{HostError, MAX_LABEL, MAX_NAME, character_help, host_errors, parse_bool};
use crate::values::Target;

/// The values of `ingress-hostname-source` and `gateway-hostname-source`.
const SOURCES: [&str; 2] = ["annotation-only", "defined-hosts-only"];

/// Reports keys and values that ExternalDNS cannot use.
pub(crate) fn values(context: &RuleContext<'_>, report: &mut Report) {
    for annotation in &context.plan.annotations {
        let Some((prefix, name)) = split(&annotation.key) else { continue };
        if context.is_mirrored(annotation) || is_refused(annotation, report) {
            continue;
        }
        let value = annotation.value.as_str();
        let (expected, help) = match name {
            "hostname" | "target" => {
                names(annotation, name == "target", report);
                continue;
            }
            "ttl" if !is_ttl(value) => (
                "seconds, or a duration such as 5m, from 1s to 2147483647s".to_owned(),
                "correct the value".to_owned(),
            ),
            "alias" if !matches!(value, "true" | "false" | "A" | "AAAA") => {
                ("exactly true, false, A or AAAA".to_owned(), "write true or remove the line".to_owned())
            }
            "cloudflare-proxied" if parse_bool(value).is_none() => {
                ("true or false".to_owned(), "write true or false".to_owned())
            }
            "controller" if did_you_mean(value, [CONTROLLER]).is_some() && value != CONTROLLER => (
                CONTROLLER.to_owned(),
                format!("write {CONTROLLER}, or a word such as none to disable ExternalDNS"),
            ),
            "ingress-hostname-source" | "gateway-hostname-source"
                if !SOURCES.contains(&value.to_ascii_lowercase().as_str()) =>
            {
                let help = match did_you_mean(value, SOURCES) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => "write one of these words, or remove the line".to_owned(),
                };
                (one_of(&SOURCES), help)
            }
            _ => {
                unread(context, annotation, prefix, name, report);
                continue;
            }
        };
        let problem = unexpected(Code::DnsInvalid, &annotation.key, value, &expected);
        annotation.file_value(report, problem.help(help));
    }
}

/// Reports a key that ExternalDNS does not read on the object that exposes the Service. The rule `foreign-keys` reports unknown
/// keys.
fn unread(context: &RuleContext<'_>, annotation: &Annotation, prefix: &str, name: &str, report: &mut Report) {
    let has = |target| context.plan.targets.contains(&target);
    let key = quoted(&annotation.key);
    let (message, help) = match name {
        "access" | "endpoints-type" | "internal-hostname" => (
            format!("ExternalDNS reads {key} on a Service, not on its Ingress or route"),
            "move the line to the annotations of the Service, or remove it".to_owned(),
        ),
        "ingress-hostname-source" if !has(Target::Ingress) => (
            format!("ExternalDNS reads {key} only on an Ingress"),
            format!("write {prefix}gateway-hostname-source, or remove the line"),
        ),
        "gateway-hostname-source" if !has(Target::HttpRoute) => (
            format!("ExternalDNS reads {key} only on a route of the Gateway API"),
            format!("write {prefix}ingress-hostname-source, or remove the line"),
        ),
        _ => return,
    };
    annotation.file_key(report, Problem::new(Code::DnsUnread, message).help(help));
}

/// Reports the first invalid item of a list of names or targets. A target is a name or an address. Spaces are ignored.
fn names(annotation: &Annotation, is_target: bool, report: &mut Report) {
    let value = annotation.value.as_str();
    let mut start = 0;
    for item in value.split(',') {
        let own_start = start;
        start += item.len() + 1;
        let words: Vec<&str> = item.split(' ').filter(|word| !word.is_empty()).collect();
        let help = if value.trim().is_empty() {
            "write a name, or remove the line".to_owned()
        } else if words.len() > 1 && words.iter().all(|word| name_help(word, is_target).is_none()) {
            "separate the names by commas, because ExternalDNS removes the blanks".to_owned()
        } else if let Some(help) = name_help(&words.concat(), is_target) {
            help
        } else {
            continue;
        };
        let (names, none) =
            if is_target { ("DNS names and addresses", "neither") } else { ("DNS names", "none") };
        let what = match item.trim() {
            "" => "there is an empty item".to_owned(),
            item => format!("{} is {none}", quoted(item)),
        };
        let expected = format!("{names}, separated by commas, and {what}");
        let trimmed = own_start + item.len() - item.trim_start().len();
        let problem = unexpected(Code::DnsInvalid, &annotation.key, value, &expected).help(help);
        annotation.file_part(report, trimmed..trimmed + item.trim().len(), problem);
        return;
    }
}

/// Returns the help for a name that cannot be published; `None` if it can. Unlike a host, a name may have an underscore, and a
/// dot at its end.
fn name_help(name: &str, is_target: bool) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_address = name.parse::<Ipv4Addr>().is_ok() || name.parse::<Ipv6Addr>().is_ok();
    if is_target && is_address {
        return None;
    }
    let found = host_errors(&name.replace('_', "a")).into_iter().find(|error| *error != HostError::Uppercase);
    let help = match found {
        // The last label of a DNS name is never a number, so this is probably a wrong address.
        None => {
            let last = name.rsplit('.').next().unwrap_or_default();
            let is_number = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
            return is_number.then(|| "correct the address".to_owned());
        }
        Some(HostError::Missing) => "remove the extra comma".to_owned(),
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
        Some(HostError::Character(character)) => character_help(character, name),
        Some(HostError::TrailingDot | HostError::EmptyLabel) => "remove the extra dot".to_owned(),
        Some(HostError::Hyphen(_)) => "remove the hyphen at the start or the end of a part".to_owned(),
        Some(HostError::Wildcard) => "write the star as the whole first part: *.example.com".to_owned(),
        Some(HostError::LabelTooLong(_)) => format!("shorten the part to {MAX_LABEL} characters"),
        Some(HostError::TooLong) => format!("shorten the name to {MAX_NAME} characters"),
        Some(HostError::Uppercase) => return None,
    };
    Some(help)
}

/// Whether a text is a TTL: seconds, or a duration of Go, from 1 to 2^31-1 seconds.
fn is_ttl(text: &str) -> bool {
    let seconds = text.parse::<u64>().ok().or_else(|| go_seconds(text));
    seconds.is_some_and(|seconds| (1..=0x7fff_ffff).contains(&seconds))
}

/// Reports a host that both the Service and its Ingress publish.
pub(crate) fn twice(context: &RuleContext<'_>, report: &mut Report) {
    if context.plan.dns_annotations.is_empty() {
        return;
    }
    let mut hosts: Vec<String> =
        context.plan.rules.iter().map(|rule| rule.host.to_ascii_lowercase()).collect();
    hosts.sort_unstable();
    // Names for clients inside of the cluster have another address.
    let public =
        context.plan.dns_annotations.iter().filter(|(key, _)| {
            key.ends_with("/hostname") && super::names_hosts(key, &context.plan.dns_prefixes)
        });
    for (key, names) in public {
        let mut names = names.split(',').map(|name| name.trim().trim_end_matches('.'));
        let twice = names.find(|name| hosts.binary_search(&name.to_ascii_lowercase()).is_ok());
        if let Some(name) = twice {
            let kind = context.plan.targets.first().map_or("Ingress", |target| target.as_str());
            let message = format!("the Service publishes {} itself, and so does its {kind}", quoted(name));
            let help = format!("remove the annotation; the {kind} publishes its host");
            let problem = Problem::new(Code::DnsTwice, message).help(help);
            report.file(FieldPath::annotation(key.clone()), problem);
        }
    }
}
