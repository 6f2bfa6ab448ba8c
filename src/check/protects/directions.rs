//! What changes in the value of a key when it protects less.

use crate::dialect::alb::SCHEME;
use crate::dialect::controller::Controller;
use crate::dialect::covers::Networks;
use crate::dialect::key::{NeutralValue, ValueReference, has};
use crate::dialect::nginx::reference::default_number;
use crate::dialect::{Loss, effect};
use crate::intents::duration;

/// What changes when a value protects less.
#[derive(Clone, Copy)]
pub(super) enum Opens {
    /// A number becomes higher, or a time longer.
    Higher,
    /// A number becomes lower.
    Lower,
    /// There is an item that was not there.
    Added,
    /// There is an object beside those that were there. Other objects in their place cannot be compared with them.
    Joined,
    /// An item is missing, and no other one takes its place.
    Missing,
    /// It becomes a value that protects nothing.
    Becomes(NeutralValue),
}

/// The names of keys, whichever program reads them, and what changes when their values protect less. A number of any other key that
/// protects is a limit, which becomes higher.
static DIRECTIONS: [(Opens, &str); 7] = [
    (Opens::Becomes(NeutralValue::False), "hsts hsts-include-subdomains"),
    (Opens::Becomes(NeutralValue::Word(&"internet-facing")), "scheme"),
    (Opens::Higher, "auth-cache-duration auth-session-timeout auth-tls-verify-depth"),
    (Opens::Lower, "hsts-max-age tls-maximum-protocol-version tls-minimum-protocol-version"),
    (
        Opens::Added,
        "cors-allow-headers cors-allow-methods cors-expose-headers http-allow-methods methods ssl-cipher*",
    ),
    (Opens::Joined, "frontend-nlb-security-groups security-group-prefix-lists security-groups"),
    (Opens::Missing, "http-block-methods ssl-options*"),
];

/// What a program does if it does not get a line with one of these keys. These defaults protect, or are weaker than other values
/// that do. The table of the keys of ingress-nginx has its defaults.
static DEFAULTS: [(Controller, &str, &str); 15] = [
    (Controller::Alb, "auth-on-unauthenticated-request", "authenticate"),
    (Controller::Alb, "auth-session-timeout", "604800"),
    (Controller::Alb, "scheme", "internal"),
    (Controller::Contour, "tls-minimum-protocol-version", "1.2"),
    (Controller::F5Nginx, "hsts", "false"),
    (Controller::F5Nginx, "hsts-include-subdomains", "false"),
    (Controller::F5Nginx, "hsts-max-age", "2592000"),
    (Controller::Haproxy, "cors-allow-headers", "*"),
    (Controller::Haproxy, "cors-allow-methods", "*"),
    (Controller::HaproxyIngress, "auth-tls-verify-client", "on"),
    (Controller::HaproxyIngress, "cors-allow-methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS"),
    (Controller::HaproxyIngress, "hsts", "true"),
    (Controller::HaproxyIngress, "hsts-include-subdomains", "false"),
    (Controller::HaproxyIngress, "hsts-max-age", "15768000"),
    // Cilium.
    (Controller::Other, "force-https", "enabled"),
];

/// Returns the value that a program uses if it does not get a line with a key.
pub(super) fn default_of(controller: Controller, key: &str) -> Option<&'static str> {
    let (_, name) = key.split_once('/').filter(|_| controller.reads(key))?;
    if controller == Controller::IngressNginx {
        return default_number(name);
    }
    let known = DEFAULTS.iter().find(|(program, known, _)| (*program, *known) == (controller, name));
    known.map(|(.., value)| *value)
}

/// Whether nobody from the Internet reaches the load balancers of a program unless a line says so.
pub(super) fn is_internal_by_default(controller: Controller) -> bool {
    default_of(controller, SCHEME).is_some()
}

pub(super) fn direction(key: &str) -> Option<Opens> {
    let name = key.rsplit('/').next().unwrap_or_default();
    DIRECTIONS.iter().find(|(_, names)| has(names, name)).map(|(opens, _)| *opens)
}

/// Whether the second value of a key protects less than the first one.
pub(super) fn opens(key: &str, old: &str, new: &str) -> bool {
    match direction(key) {
        Some(Opens::Higher) => is_higher(old, new),
        Some(Opens::Lower) => is_higher(new, old),
        Some(Opens::Added) => {
            // A colon is between two ciphers.
            let list = |value: &str| value.replace(':', " ").to_ascii_lowercase();
            old.trim() != "*" && has_more_items(&list(old), &list(new))
        }
        Some(Opens::Joined) => loses_item(new, old),
        Some(Opens::Missing) => loses_item(old, new),
        Some(Opens::Becomes(weak)) => weak.is(new) && !weak.is(old),
        None => is_higher(old, new) || (is_list(key) && loses_item(old, new)),
    }
}

/// Whether the second list contains an item, or an address, that the first one does not. `!` precedes an exception.
pub(super) fn has_more_items(old: &str, new: &str) -> bool {
    let parts = |list: &'_ str| -> (Vec<String>, Vec<String>) {
        let items = list.split([',', ' ', '\n']).map(|item| item.trim().to_owned());
        items.filter(|item| !item.is_empty()).partition(|item| !item.starts_with('!'))
    };
    let ((old, old_except), (new, new_except)) = (parts(old), parts(new));
    let bare = |all: Vec<String>| -> Vec<String> {
        all.into_iter().map(|item| item.trim_start_matches('!').to_owned()).collect()
    };
    // An item that is no network, such as a file of patterns, is compared as text.
    let lacks = |all: &[String], other: Vec<String>| {
        let more = other.into_iter().filter(|item| !all.contains(item)).collect::<Vec<_>>();
        !Networks::of(all).contain_all(&more)
    };
    lacks(&old, new) || lacks(&bare(new_except), bare(old_except))
}

/// Returns the number at the beginning of a value, and its unit.
pub(super) fn number(value: &str) -> Option<(u64, &str)> {
    let value = value.trim();
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (digits, unit) = value.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit))
}

/// Whether both values are times or numbers with the same unit, and the second one is higher.
fn is_higher(old: &str, new: &str) -> bool {
    let longest = |value: &str| value.split([',', ' ']).filter_map(|word| duration(word).ok()).max();
    if let (Some(old), Some(new)) = (longest(old), longest(new)) {
        return new > old;
    }
    let amount = |value: &'_ str| {
        let value = value.trim();
        let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        Some((value.strip_suffix(unit)?.parse::<f64>().ok()?, unit.to_owned()))
    };
    let (Some((old, unit)), Some((new, other))) = (amount(old), amount(new)) else { return false };
    new > old && unit == other
}

/// Whether the value of a key is a list of objects, each of which may protect the Service.
fn is_list(key: &str) -> bool {
    effect(key).is_some_and(|row| {
        row.loss == Loss::Protection
            && matches!(
                row.references,
                ValueReference::Named | ValueReference::AfterColon | ValueReference::NamespaceAndName
            )
    })
}

/// Whether the second list contains some items of the first one, and no others.
fn loses_item(old: &str, new: &str) -> bool {
    let items = |list: &'_ str| -> Vec<String> {
        list.split([',', ' ']).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    };
    let (old, new) = (items(old), items(new));
    new.iter().all(|item| old.contains(item)) && old.iter().any(|item| !new.contains(item))
}
