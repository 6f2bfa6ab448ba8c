//! Whether a protection with another value, or with other lines beside it, admits more.

use super::protection::Protection;
use super::{LostProtection, PlanProtections};
use crate::diagnostics::quoted;
use crate::dialect::alb::CONDITIONS;
use crate::dialect::covers::{Networks, admits_more};
use crate::dialect::key::ValueReference;
use crate::dialect::mappings::weakened_by;
use crate::dialect::{Loss, effect};
use crate::intents::{Intent, IntentValue, RateLimit, duration};
use crate::plan::{Annotation, Plan};
use crate::values::Target;

/// Whether the second of two protections with the same intent or the same key admits more.
pub(super) fn is_weaker(old: &Protection<'_>, new: &Protection<'_>) -> bool {
    if let (Some(intent), Some(old), Some(new)) = (old.intent, &old.intent_value, &new.intent_value) {
        return admits_more(intent, old, new);
    }
    if old.what != new.what || !old.what.contains('/') {
        return false;
    }
    match old.intent {
        Some(Intent::AllowedSources) => has_more_addresses(&old.value, &new.value),
        Some(Intent::DeniedSources) => has_more_addresses(&new.value, &old.value),
        _ => is_higher(&old.value, &new.value) || (is_list(old.what) && loses_item(&old.value, &new.value)),
    }
}

/// Whether the second list of addresses contains an address that the first one does not. `!` precedes an exception.
fn has_more_addresses(old: &str, new: &str) -> bool {
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
fn number(value: &str) -> Option<(u64, &str)> {
    let value = value.trim();
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (digits, unit) = value.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit))
}

/// Whether both values are numbers with the same unit, and the second one is higher.
fn is_higher(old: &str, new: &str) -> bool {
    let (Some((old, unit)), Some((new, other))) = (number(old), number(new)) else { return false };
    new > old && unit == other
}

/// Whether the value of a key is a list of objects, each of which may protect the Service.
fn is_list(key: &str) -> bool {
    let of_row = effect(key).is_some_and(|row| {
        row.loss == Loss::Protection
            && matches!(row.references, ValueReference::Named | ValueReference::NamespaceAndName)
    });
    of_row || key.ends_with("/plugins")
}

/// Whether the second list contains some items of the first one, and no others.
fn loses_item(old: &str, new: &str) -> bool {
    let items = |list: &'_ str| -> Vec<String> { list.split(',').map(|it| it.trim().to_owned()).collect() };
    let (old, new) = (items(old), items(new));
    new.iter().all(|item| old.contains(item)) && old.iter().any(|item| !new.contains(item))
}

/// Returns the limit that an annotation of a program sets: a number in the time that its name, its unit or the line beside it says.
pub(super) fn limit(plan: &Plan, annotation: &Annotation) -> Option<IntentValue> {
    let (requests, unit) = number(&annotation.value)?;
    let requests = u64::from(u32::try_from(requests).ok()?);
    let period = annotation.key.strip_suffix("-requests").map(|start| [start, "-period"].concat());
    let milliseconds = match period.and_then(|key| plan.annotation(&key)) {
        Some(period) => duration(period.value.trim()).ok()?.max(1),
        None if annotation.key.ends_with("rpm") || unit.ends_with("r/m") => 60_000,
        None => 1_000,
    };
    let (requests, per) = if milliseconds < 1_000 {
        (requests * 1_000 / milliseconds, 1)
    } else {
        (requests, milliseconds / 1_000)
    };
    let (requests, per) = (u32::try_from(requests).ok()?, u32::try_from(per).ok()?);
    Some(IntentValue::Rate(RateLimit { requests, per, burst: None }))
}

/// Returns the protections that lines of the second plan weaken on its Ingress, if these lines are new.
pub(super) fn by_lines(
    (old, before): PlanProtections<'_, '_>,
    (new, after): PlanProtections<'_, '_>,
) -> Vec<LostProtection> {
    let target = Target::Ingress;
    if !new.targets.contains(&target) || new.canary.is_some() {
        return Vec::new();
    }
    let is_known =
        |line: &Annotation| old.annotation(&line.key).is_some_and(|known| weakened_by(old, known).is_some());
    let mut found = Vec::new();
    for line in new.annotations.iter().filter(|line| !line.key.ends_with("/satisfy")) {
        let Some((intents, _)) = weakened_by(new, line).filter(|_| !is_known(line)) else { continue };
        let (key, value) = (line.key.as_str(), line.value.as_str());
        let was_there = |it: &Protection<'_>| before.iter().any(|(known, _)| known.is_same(it));
        let weakened = after.iter().map(|(it, _)| it).find(|it| {
            it.targets.contains(&target)
                && intents.iter().any(|intent| it.is_of(new, *intent))
                && was_there(it)
        });
        let (what, path, message) = match weakened {
            Some(it) => {
                let by = quoted(&[key, ": ", value].concat());
                (it.what, it.origin.path(), format!("{} would be weakened by {by}", it.description()))
            }
            // Such a line weakens what the controller or another line does.
            None if intents.is_empty()
                && key.strip_suffix("-mode").is_none_or(|start| old.annotation(start).is_some()) =>
            {
                (
                    key,
                    line.origin().path(),
                    format!("{key} would be {}, which admits more clients", quoted(value)),
                )
            }
            None => continue,
        };
        found.push(LostProtection { what: what.to_owned(), target, path, message });
    }
    // An ALB sends requests to the Service only from these addresses.
    let of_sources = |plan: &'_ Plan, line: &Annotation| {
        line.key.starts_with(CONDITIONS)
            && line.value.contains("\"source-ip\"")
            && plan.controller(target).reads(&line.key)
    };
    for line in old.annotations.iter().filter(|line| of_sources(old, line)) {
        if !new.annotation(&line.key).is_some_and(|it| of_sources(new, it)) {
            let message = format!("{} would be missing", line.key);
            found.push(LostProtection {
                what: line.key.clone(),
                target,
                path: line.origin().path(),
                message,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::lost_protections;
    use crate::testing;

    /// The lines of the settings before and after, for a class with this controller. `true` if the Service becomes open.
    #[test]
    fn a_line_of_the_settings_that_opens_is_told() {
        type Lines = &'static [(&'static str, &'static str)];
        let cases: &[(&str, Lines, Lines, bool)] = &[
            ("haproxy", &[], &[("haproxy.org/ssl-redirect", "false")], true),
            ("haproxy-ingress", &[], &[("haproxy-ingress.github.io/ssl-redirect", "false")], true),
            ("f5-nginx", &[], &[("nginx.org/ssl-redirect", "false")], true),
            // The redirect of a load balancer is another one.
            ("f5-nginx", &[], &[("nginx.org/redirect-to-https", "false")], false),
            (
                "contour",
                &[("ingress.kubernetes.io/force-ssl-redirect", "true")],
                &[("ingress.kubernetes.io/force-ssl-redirect", "false")],
                true,
            ),
            (
                "f5-nginx",
                &[("appprotect.f5.com/app-protect-enable", "True")],
                &[("appprotect.f5.com/app-protect-enable", "False")],
                true,
            ),
            (
                "f5-nginx",
                &[("nginx.org/limit-req-rate", "5r/s")],
                &[("nginx.org/limit-req-rate", "5r/s"), ("nginx.org/limit-req-dry-run", "true")],
                true,
            ),
            (
                "f5-nginx",
                &[("nginx.org/limit-req-rate", "5r/s")],
                &[("nginx.org/limit-req-rate", "500r/s")],
                true,
            ),
            (
                "f5-nginx",
                &[("nginx.org/limit-req-rate", "5r/s")],
                &[("nginx.org/limit-req-rate", "300r/m")],
                false,
            ),
            (
                "haproxy-ingress",
                &[("haproxy-ingress.github.io/waf", "modsecurity")],
                &[
                    ("haproxy-ingress.github.io/waf", "modsecurity"),
                    ("haproxy-ingress.github.io/waf-mode", "detect"),
                ],
                true,
            ),
            (
                "haproxy-ingress",
                &[],
                &[
                    ("haproxy-ingress.github.io/waf", "modsecurity"),
                    ("haproxy-ingress.github.io/waf-mode", "detect"),
                ],
                false,
            ),
            (
                "haproxy-ingress",
                &[("haproxy-ingress.github.io/allowlist-source-range", "10.0.0.0/8,!10.1.0.0/16")],
                &[("haproxy-ingress.github.io/allowlist-source-range", "10.0.0.0/8")],
                true,
            ),
            (
                "haproxy-ingress",
                &[("haproxy-ingress.github.io/allowlist-source-range", "10.0.0.0/8,!10.1.0.0/16")],
                &[("haproxy-ingress.github.io/allowlist-source-range", "10.2.0.0/16,!10.0.0.0/15")],
                false,
            ),
            (
                "haproxy-ingress",
                &[("haproxy-ingress.github.io/allowlist-source-range", "10.0.0.0/8")],
                &[
                    ("haproxy-ingress.github.io/allowlist-source-range", "10.0.0.0/8"),
                    ("haproxy-ingress.github.io/allowlist-source-header", "X-Forwarded-For"),
                ],
                true,
            ),
            (
                "haproxy",
                &[("haproxy.org/allow-list", "10.0.0.0/8")],
                &[("haproxy.org/allow-list", "10.0.0.0/8"), ("haproxy.org/src-ip-header", "X-Forwarded-For")],
                true,
            ),
            ("haproxy", &[], &[("haproxy.org/src-ip-header", "X-Forwarded-For")], false),
            (
                "haproxy",
                &[("haproxy.org/rate-limit-requests", "10")],
                &[("haproxy.org/rate-limit-requests", "1000")],
                true,
            ),
            (
                "haproxy",
                &[("haproxy.org/rate-limit-requests", "10"), ("haproxy.org/rate-limit-period", "1m")],
                &[("haproxy.org/rate-limit-requests", "10")],
                true,
            ),
            (
                "haproxy",
                &[("haproxy.org/rate-limit-requests", "10")],
                &[("haproxy.org/rate-limit-requests", "100"), ("haproxy.org/rate-limit-period", "10s")],
                false,
            ),
            (
                "haproxy-ingress",
                &[("haproxy-ingress.github.io/limit-rps", "5")],
                &[("haproxy-ingress.github.io/limit-rps", "50")],
                true,
            ),
            (
                "haproxy-ingress",
                &[("haproxy-ingress.github.io/limit-connections", "5")],
                &[("haproxy-ingress.github.io/limit-connections", "4")],
                false,
            ),
            (
                "ingress-nginx",
                &[("nginx.ingress.kubernetes.io/limit-connections", "5")],
                &[("nginx.ingress.kubernetes.io/limit-connections", "5000")],
                true,
            ),
            (
                "traefik",
                &[(
                    "traefik.ingress.kubernetes.io/router.middlewares",
                    "shop-auth@kubernetescrd,shop-ip@kubernetescrd",
                )],
                &[("traefik.ingress.kubernetes.io/router.middlewares", "shop-auth@kubernetescrd")],
                true,
            ),
            (
                "traefik",
                &[("traefik.ingress.kubernetes.io/router.middlewares", "shop-auth@kubernetescrd")],
                &[("traefik.ingress.kubernetes.io/router.middlewares", "shop-other@kubernetescrd")],
                false,
            ),
            ("f5-nginx", &[("nginx.org/policies", "p1,p2")], &[("nginx.org/policies", "p2")], true),
            ("f5-nginx", &[("nginx.org/policies", "p1,p2")], &[("nginx.org/policies", "p2, p1")], false),
            (
                "ingress-nginx",
                &[("nginx.ingress.kubernetes.io/enable-global-auth", "true")],
                &[("nginx.ingress.kubernetes.io/enable-global-auth", "false")],
                true,
            ),
            (
                "alb",
                &[(
                    "alb.ingress.kubernetes.io/conditions.web",
                    "[{\"field\":\"source-ip\",\"sourceIpConfig\":{\"values\":[\"10.0.0.0/8\"]}}]",
                )],
                &[],
                true,
            ),
        ];
        for (controller, before, after, is_opened) in cases {
            let plan = |lines: Lines| {
                let lines: serde_json::Map<_, _> =
                    lines.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
                let settings = json!({
                    "ingressClassName": "pub",
                    "controllers": {"pub": controller},
                    "tls": if *controller == "alb" { json!("load-balancer") } else { json!(true) },
                    "annotations": lines,
                });
                testing::plan(&[], settings).unwrap_or_else(|report| panic!("{controller}: {report}"))
            };
            let (old, new) = (plan(before), plan(after));
            let found = lost_protections(&old, &new);
            assert_eq!(!found.is_empty(), *is_opened, "{controller}, {before:?} -> {after:?}: {found:?}");
            assert!(lost_protections(&old, &old).is_empty() && lost_protections(&new, &new).is_empty());
            if *is_opened {
                assert!(lost_protections(&new, &old).is_empty(), "{controller}, {after:?} -> {before:?}");
            }
        }
    }
}
