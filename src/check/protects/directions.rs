//! What changes in the value of a key when it protects less.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::dialect::alb::SCHEME;
use crate::dialect::controller::Controller;
use crate::dialect::covers::Networks;
use crate::dialect::key::{NeutralValue, Program, ValueReference, has};
use crate::dialect::nginx::read::size;
use crate::dialect::nginx::reference::default_amount;
use crate::dialect::{
    Loss, alb, apisix, cilium, contour, effect, f5_nginx, haproxy, haproxy_ingress, is_neutral, read_by,
};
use crate::intents::{Intent, IntentValue, duration};

/// What changes when a value protects less.
#[derive(Clone, Copy)]
pub(super) enum Opens {
    /// A number becomes higher, or a time longer.
    Higher,
    /// A number becomes lower.
    Lower,
    /// There is an item that was not there.
    Added,
    /// A list of allowed addresses contains further ones.
    Wider,
    /// A list of denied addresses does not contain all of them.
    Narrower,
    /// There is an object beside those that were there. Other objects in their place cannot be compared with them.
    Joined,
    /// An item is missing, and no other one takes its place.
    Missing,
    /// It becomes a value that protects nothing.
    Becomes(NeutralValue),
    /// A condition of an ALB on the addresses of clients admits further ones.
    Condition,
    /// A listener of an ALB no longer verifies client certificates, or also accepts those that have expired.
    Listener,
    /// A policy of an ALB for TLS accepts older versions or further ciphers, or it is not known which.
    Policy,
}

/// The names of keys, whichever program reads them, and what changes when their values protect less. A number of any other key that
/// protects is a limit, which becomes higher.
static DIRECTIONS: [(Opens, &str); 15] = [
    (Opens::Becomes(NeutralValue::False), "auth-ssl-verify hsts hsts-include-subdomains hsts-preload"),
    (Opens::Becomes(NeutralValue::True), "cors-allow-credentials"),
    (Opens::Becomes(NeutralValue::Word(&"internet-facing")), "frontend-nlb-scheme scheme"),
    (Opens::Becomes(NeutralValue::Word(&"allow")), "auth-on-unauthenticated-request"),
    (Opens::Becomes(NeutralValue::Listed(&"optional optional_no_ca off")), "auth-tls-verify-client"),
    (Opens::Higher, "auth-cache-duration auth-session-timeout auth-tls-verify-depth"),
    (Opens::Lower, "hsts-max-age tls-maximum-protocol-version tls-minimum-protocol-version"),
    (
        Opens::Added,
        "cors-allow-headers cors-allow-methods cors-expose-headers http-allow-methods methods ssl-cipher*",
    ),
    (
        Opens::Wider,
        "allow-list allowlist-source-range inbound-cidrs ip_allowlist ip_whitelist whitelist whitelist-source-range",
    ),
    (Opens::Narrower, "blacklist blocklist-source-range deny-list denylist-source-range"),
    (Opens::Joined, "frontend-nlb-security-groups security-group-prefix-lists security-groups"),
    (Opens::Missing, "http-block-methods ssl-options*"),
    (Opens::Condition, "conditions.*"),
    (Opens::Listener, "mutual-authentication"),
    (Opens::Policy, "ssl-policy"),
];

/// What a program does if it does not get a line with one of these keys: the program, the name and the value.
/// These defaults protect, or are weaker than other values that do. The table of the keys of ingress-nginx has its defaults.
static DEFAULTS: [(&Program, &str, &str); 26] = [
    (&alb::PROGRAM, "auth-on-unauthenticated-request", "authenticate"),
    (&alb::PROGRAM, "auth-session-timeout", "604800"),
    (&alb::PROGRAM, "frontend-nlb-scheme", "internal"),
    (&alb::PROGRAM, "scheme", "internal"),
    (&haproxy_ingress::PROGRAM, "auth-tls-verify-client", "on"),
    (&haproxy_ingress::PROGRAM, "auth-type", "basic"),
    (&haproxy_ingress::PROGRAM, "cors-allow-credentials", "true"),
    (
        &haproxy_ingress::PROGRAM,
        "cors-allow-headers",
        "DNT,X-CustomHeader,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Authorization",
    ),
    (&haproxy_ingress::PROGRAM, "cors-allow-methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS"),
    (&haproxy_ingress::PROGRAM, "hsts", "true"),
    (&haproxy_ingress::PROGRAM, "hsts-include-subdomains", "false"),
    (&haproxy_ingress::PROGRAM, "hsts-max-age", "15768000"),
    (&haproxy_ingress::PROGRAM, "hsts-preload", "false"),
    (&haproxy::PROGRAM, "cors-allow-credentials", "false"),
    (&haproxy::PROGRAM, "cors-allow-headers", "*"),
    (&haproxy::PROGRAM, "cors-allow-methods", "*"),
    (&cilium::PROGRAM, "force-https", "enabled"),
    (&apisix::PROGRAM, "auth-ssl-verify", "true"),
    (&apisix::PROGRAM, "cors-allow-headers", "*"),
    (&apisix::PROGRAM, "cors-allow-methods", "*"),
    (&f5_nginx::PROGRAM, "client-max-body-size", "1m"),
    (&f5_nginx::PROGRAM, "hsts", "false"),
    (&f5_nginx::PROGRAM, "hsts-include-subdomains", "false"),
    (&f5_nginx::PROGRAM, "hsts-max-age", "2592000"),
    (&contour::PROGRAM, "tls-maximum-protocol-version", "1.3"),
    (&contour::PROGRAM, "tls-minimum-protocol-version", "1.2"),
];

/// Returns the value that a program uses if it does not get a line with a key.
pub(super) fn default_of(controller: Controller, key: &str) -> Option<&'static str> {
    let (program, name) = reader(controller, key)?;
    if controller == Controller::IngressNginx {
        return default_amount(name);
    }
    let known = DEFAULTS.iter().find(|(known, key, _)| std::ptr::eq(*known, program) && *key == name);
    known.map(|(.., value)| *value)
}

/// Returns the program whose table has a key that a controller reads, and the name of the key. A controller that is not known reads
/// no keys of the known ones.
pub(super) fn reader(controller: Controller, key: &str) -> Option<(&'static Program, &str)> {
    let (_, name) = key.split_once('/').filter(|_| controller.reads(key))?;
    if controller == Controller::Other && is_of_known(key) {
        return None;
    }
    Some((read_by(controller, key)?.0, name))
}

/// Whether a controller of Ingresses with a dialect here reads a key.
pub(super) fn is_of_known(key: &str) -> bool {
    // An implementation of the Gateway API may be Kong, which serves Ingresses as a controller without a dialect.
    let is_known = |it: &Controller| !matches!(it, Controller::Other | Controller::Gateway);
    Controller::ALL.into_iter().filter(is_known).any(|it| it.reads(key))
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
        Some(Opens::Wider) => has_more_items(old, new),
        Some(Opens::Narrower) => has_more_items(new, old),
        Some(Opens::Joined) => loses_item(new, old),
        Some(Opens::Missing) => loses_item(old, new),
        Some(Opens::Becomes(weak)) => weak.is(new) && !weak.is(old),
        Some(Opens::Condition) => has_wider_condition(old, new),
        Some(Opens::Listener) => has_opener_listener(old, new),
        Some(Opens::Policy) => old.trim() != new.trim() && !is_as_strict(old.trim(), new.trim()),
        None => {
            let is_less = || is_higher(old, new) || (is_list(key) && loses_item(old, new));
            !is_neutral(key, old) && (is_neutral(key, new) || is_less())
        }
    }
}

/// Whether an annotation protects less with its second value than with the first one, or may do so, because the two values cannot
/// be compared.
///
/// ```
/// use xposer::internal::may_protect_less;
/// let (range, secret) = ("nginx.ingress.kubernetes.io/whitelist-source-range", "nginx.ingress.kubernetes.io/auth-secret");
/// assert!(may_protect_less(range, "10.0.0.0/8", "10.0.0.0/8,192.168.0.0/16"));
/// assert!(!may_protect_less(range, "10.0.0.0/8", "10.1.0.0/16"));
/// assert!(may_protect_less(secret, "staff", "guests") && !may_protect_less(secret, "staff", "staff"));
/// ```
#[must_use]
pub fn may_protect_less(key: &str, old: &str, new: &str) -> bool {
    let is_comparable = || direction(key).is_some() || opens(key, new, old);
    old.trim() != new.trim() && (opens(key, old, new) || !is_comparable())
}

/// Whether a condition on the addresses of clients is missing in the second list of conditions, or admits further addresses there. A
/// request must fulfil all conditions of a list.
fn has_wider_condition(old: &str, new: &str) -> bool {
    let conditions = |text: &'_ str| -> Vec<Vec<String>> {
        let all: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
        let of_sources = all.iter().filter(|it| it.get("field").is_some_and(|field| field == "source-ip"));
        let values = of_sources.map(|it| {
            let values = it.pointer("/sourceIpConfig/values").and_then(Value::as_array);
            values.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        });
        values.collect()
    };
    let new = conditions(new);
    conditions(old).iter().any(|known| {
        let known = Networks::of(known);
        !new.iter().any(|it| known.contain_all(it))
    })
}

/// Whether a listener of an ALB that verifies client certificates in the first list does not in the second one, or accepts expired
/// ones only there.
fn has_opener_listener(old: &str, new: &str) -> bool {
    let verifying = |text: &'_ str| -> Vec<(Option<Value>, bool)> {
        let all: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
        let verifies = all.into_iter().filter(|it| it.get("mode").is_some_and(|mode| mode == "verify"));
        let is_lax = |it: &Value| it.get("ignoreClientCertificateExpiry").is_some_and(|it| *it == true);
        verifies.map(|it| (it.get("port").cloned(), is_lax(&it))).collect()
    };
    let new = verifying(new);
    let is_kept = |(port, is_lax): &(Option<Value>, bool)| {
        new.iter().any(|(other, other_lax)| other == port && (*is_lax || !other_lax))
    };
    !verifying(old).iter().all(is_kept)
}

/// Whether the second of two policies of AWS for TLS accepts no older versions than the first one, no further kinds of ciphers, and TLS
/// 1.3 if the first one does. The names say so, such as `ELBSecurityPolicy-TLS13-1-2-Res-2021-06`; other names cannot be compared.
fn is_as_strict(old: &str, new: &str) -> bool {
    let strictness = |name: &str| {
        let name = name.strip_prefix("ELBSecurityPolicy-")?;
        // The first policies accept TLS 1.0.
        let oldest = ["TLS13-1-", "TLS-1-", "FS-1-"].iter().find_map(|start| name.strip_prefix(start));
        let oldest = oldest.map_or(Some(0), |rest| rest.chars().next()?.to_digit(10))?;
        let has_new = name.starts_with("TLS13-");
        let ciphers = match name {
            _ if oldest == 3 || name.contains("-Res-") => 3,
            _ if name.contains("-Ext1-") || name.contains("-Ext0-") => 1,
            _ if name.contains("-Ext") => 0,
            _ if has_new || name.starts_with("FS-") => 2,
            _ => 1,
        };
        Some((oldest, ciphers, has_new))
    };
    strictness(old)
        .zip(strictness(new))
        .is_some_and(|(was, is)| is.0 >= was.0 && is.1 >= was.1 && is.2 >= was.2)
}

/// Whether the second list contains an item, or an address, that the first one does not. `!` precedes an exception.
pub(super) fn has_more_items(old: &str, new: &str) -> bool {
    // The items, or the exceptions, without their sign.
    let part = |list: &'_ str, is_except: bool| -> BTreeSet<String> {
        let items = list.split([',', ' ', '\n']).map(str::trim).filter(|item| !item.is_empty());
        let items = items.filter(|item| item.starts_with('!') == is_except);
        items.map(|item| item.trim_start_matches('!').to_owned()).collect()
    };
    // An item that is no network, such as a file of patterns, is compared as text.
    let lacks = |all: BTreeSet<String>, other: BTreeSet<String>| {
        !Networks::of(&all).contain_all(other.difference(&all))
    };
    lacks(part(old, false), part(new, false)) || lacks(part(new, true), part(old, true))
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
    let bytes = |value: &str| match Intent::MaxBodySize.read(&size(value.trim())?) {
        Ok(IntentValue::Size(bytes)) => Some(bytes),
        _ => None,
    };
    if let (Some(old), Some(new)) = (bytes(old), bytes(new)) {
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
pub(super) fn loses_item(old: &str, new: &str) -> bool {
    let items = |list: &'_ str| -> BTreeSet<String> {
        list.split([',', ' ']).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    };
    let (old, new) = (items(old), items(new));
    new.is_subset(&old) && new.len() < old.len()
}
