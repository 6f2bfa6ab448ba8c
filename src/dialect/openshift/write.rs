//! What a plan wants, in the words of the router of OpenShift.

use super::REWRITE_TARGET;
use super::says::in_period;
use crate::dialect::write::{Word, Written, intents, text};
use crate::intents::{Intent, Wish};
use crate::plan::Plan;
use crate::values::Target;

pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<Written<'_>> {
    intents(plan, target, |intent, wish| words(plan, intent, wish))
}

/// What protocols and TLS are is said by fields of a Route.
fn words<'p>(plan: &Plan, intent: Intent, wish: &'p Wish) -> Vec<Word<'p>> {
    match wish {
        Wish::Switch(true) if intent == Intent::StripPrefix && plan.rules.iter().any(|it| it.path != "/") => {
            vec![(REWRITE_TARGET, "/".into())]
        }
        // A list with commas counts as none. Routers before 4.18 know the old name alone.
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
