//! The annotations for the router of OpenShift.

use super::REWRITE_TARGET;
use super::support::in_period;
use crate::dialect::write::{KeyValue, WrittenAnnotation, intents, text};
use crate::intents::{Intent, IntentValue};
use crate::plan::Plan;
use crate::values::Target;

pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    intents(plan, target, |intent, intent_value| annotations(plan, intent, intent_value))
}

/// Returns the annotations for an intent. Protocols and TLS are fields of a Route.
fn annotations<'p>(plan: &Plan, intent: Intent, intent_value: &'p IntentValue) -> Vec<KeyValue<'p>> {
    match intent_value {
        IntentValue::Switch(true)
            if intent == Intent::StripPrefix && plan.rules.iter().any(|it| it.path != "/") =>
        {
            vec![(REWRITE_TARGET, "/".into())]
        }
        // The router does not read a list with commas. Routers before 4.18 only know the old name.
        IntentValue::Sources(list) => vec![
            ("haproxy.router.openshift.io/ip_allowlist", list.join(" ").into()),
            ("haproxy.router.openshift.io/ip_whitelist", list.join(" ").into()),
        ],
        IntentValue::Duration(_) => vec![("haproxy.router.openshift.io/timeout", text(intent_value))],
        IntentValue::Headers(headers) => {
            let value = headers.iter().find_map(|header| header.value.as_deref());
            value.map(|value| ("haproxy.router.openshift.io/hsts_header", value.into())).into_iter().collect()
        }
        IntentValue::Sticky(sticky) => {
            vec![("router.openshift.io/cookie_name", sticky.cookie.as_str().into())]
        }
        IntentValue::Rate(rate) => vec![
            ("haproxy.router.openshift.io/rate-limit-connections", "true".into()),
            ("haproxy.router.openshift.io/rate-limit-connections.rate-http", text(&in_period(*rate))),
        ],
        _ => Vec::new(),
    }
}
