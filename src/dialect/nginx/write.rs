//! A canary, the redirect and regular expressions in the words of ingress-nginx.

use std::borrow::Cow;

use super::{
    CANARY, CANARY_COOKIE, CANARY_HEADER, CANARY_HEADER_VALUE, CANARY_WEIGHT, FORCE_SSL_REDIRECT,
    SSL_REDIRECT, USE_REGEX, protocol,
};
use crate::diagnostics::Origin;
use crate::dialect::write::Written;
use crate::options::annotations::annotation;
use crate::plan::{Canary, Plan};
use crate::values::{Target, Tls};

pub(in crate::dialect) fn write(plan: &Plan, _: Target) -> Vec<Written<'_>> {
    if let Some(canary) = &plan.canary {
        return write_canary(canary);
    }
    let mut written = Vec::new();
    if let Some(wanted) = &plan.https_redirect {
        // Without a TLS section, nothing is redirected by default; with one, everything is.
        let redirect = match (plan.tls(), wanted.value) {
            (Tls::LoadBalancer, true) => Some((FORCE_SSL_REDIRECT, "true")),
            (Tls::Secret | Tls::CertManager, false) => Some((SSL_REDIRECT, "false")),
            _ if plan.replaces_redirect => Some((SSL_REDIRECT, "true")),
            _ => None,
        };
        let origin = wanted.origin.clone();
        written.extend(redirect.map(|(key, value)| Written { key, value: value.into(), origin }));
    }
    // It compares a regular expression letter by letter, unless an annotation says what it is.
    if let Some(pattern) = plan.pattern().and_then(|_| plan.nginx()?.pattern) {
        written.push(Written { key: USE_REGEX, value: "true".into(), origin: pattern.path_origin.clone() });
    }
    written.extend(protocol::write(plan));
    written
}

fn write_canary<'p>(canary: &'p Canary) -> Vec<Written<'p>> {
    let text = |given: &'p Option<String>| given.as_deref().map(Cow::Borrowed);
    let all = [
        (CANARY, Some("true".into()), annotation::CANARY_OF),
        (CANARY_WEIGHT, canary.weight.map(|weight| weight.to_string().into()), annotation::CANARY_WEIGHT),
        (CANARY_HEADER, text(&canary.header), annotation::CANARY_HEADER),
        (CANARY_HEADER_VALUE, text(&canary.header_value), annotation::CANARY_HEADER_VALUE),
        (CANARY_COOKIE, text(&canary.cookie), annotation::CANARY_COOKIE),
    ];
    let written = all.into_iter().filter_map(|(key, value, option)| {
        Some(Written { key, value: value?, origin: Origin::Annotation(option.into()) })
    });
    written.collect()
}
