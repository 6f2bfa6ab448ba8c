//! The annotations for the router of OpenShift.

use super::REWRITE_TARGET;
use super::says::in_period;
use crate::dialect::write::{Word, Written, intents, text};
use crate::intents::{Intent, Wish};
use crate::plan::Plan;
use crate::values::Target;

pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<Written<'_>> {
    intents(plan, target, |intent, wish| words(plan, intent, wish))
}

/// Returns the annotations for an intent. Protocols and TLS are fields of a Route.
fn words<'p>(plan: &Plan, intent: Intent, wish: &'p Wish) -> Vec<Word<'p>> {
    match wish {
        Wish::Switch(true) if intent == Intent::StripPrefix && plan.rules.iter().any(|it| it.path != "/") => {
            vec![(REWRITE_TARGET, "/".into())]
        }
        // The router does not read a list with commas. Routers before 4.18 only know the old name.
        Wish::Sources(list) => vec![
            ("haproxy.router.openshift.io/ip_allowlist", list.join(" ").into()),
            ("haproxy.router.openshift.io/ip_whitelist", list.join(" ").into()),
        ],
        Wish::Duration(_) => vec![("haproxy.router.openshift.io/timeout", text(wish))],
        Wish::Headers(headers) => {
            let value = headers.iter().find_map(|header| header.value.as_deref());
            value.map(|value| ("haproxy.router.openshift.io/hsts_header", value.into())).into_iter().collect()
        }
        Wish::Sticky(sticky) => vec![("router.openshift.io/cookie_name", sticky.cookie.as_str().into())],
        Wish::Rate(rate) => vec![
            ("haproxy.router.openshift.io/rate-limit-connections", "true".into()),
            ("haproxy.router.openshift.io/rate-limit-connections.rate-http", text(&in_period(*rate))),
        ],
        _ => Vec::new(),
    }
}
