//! Whether a protection with another value, or with other lines beside it, admits more.

use super::directions::{number, opens};
use super::protection::Protection;
use super::{LostProtection, PlanProtections};
use crate::diagnostics::quoted;
use crate::dialect::covers::admits_more;
use crate::dialect::mappings::weakened_by;
use crate::intents::{IntentValue, RateLimit, duration};
use crate::plan::{Annotation, Plan};
use crate::values::Target;

/// Whether the second of two protections with the same intent or the same key admits more.
pub(super) fn is_weaker(old: &Protection<'_>, new: &Protection<'_>) -> bool {
    if let (Some(intent), Some(old), Some(new)) = (old.intent, &old.intent_value, &new.intent_value) {
        return admits_more(intent, old, new);
    }
    old.what == new.what && old.what.contains('/') && opens(old.what, &old.value, &new.value)
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
    let burst = annotation.key.strip_suffix("-rate").map(|start| [start, "-burst"].concat());
    let burst = burst.and_then(|key| number(&plan.annotation(&key)?.value));
    let burst = burst.and_then(|(burst, _)| u32::try_from(burst).ok());
    Some(IntentValue::Rate(RateLimit { requests, per, burst }))
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
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::lost_protections;
    use crate::testing;

    /// The lines of the settings before and after, for a class with this controller. `true` if the Service becomes open.
    #[test]
    fn opening_line_of_the_settings_is_reported() {
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
            (
                "f5-nginx",
                &[("nginx.org/limit-req-rate", "5r/s")],
                &[("nginx.org/limit-req-rate", "5r/s"), ("nginx.org/limit-req-burst", "50")],
                true,
            ),
            (
                "f5-nginx",
                &[("nginx.org/limit-req-rate", "5r/s"), ("nginx.org/limit-req-burst", "50")],
                &[("nginx.org/limit-req-rate", "5r/s"), ("nginx.org/limit-req-burst", "20")],
                false,
            ),
            (
                "ingress-nginx",
                &[("nginx.ingress.kubernetes.io/limit-rps", "5")],
                &[
                    ("nginx.ingress.kubernetes.io/limit-rps", "5"),
                    ("nginx.ingress.kubernetes.io/limit-burst-multiplier", "10"),
                ],
                true,
            ),
            (
                "ingress-nginx",
                &[
                    ("nginx.ingress.kubernetes.io/limit-rps", "5"),
                    ("nginx.ingress.kubernetes.io/limit-burst-multiplier", "10"),
                ],
                &[("nginx.ingress.kubernetes.io/limit-rps", "5")],
                false,
            ),
            (
                "ingress-nginx",
                &[
                    ("nginx.ingress.kubernetes.io/auth-url", "https://auth.example.com"),
                    ("nginx.ingress.kubernetes.io/auth-cache-duration", "200 202 5m"),
                ],
                &[
                    ("nginx.ingress.kubernetes.io/auth-url", "https://auth.example.com"),
                    ("nginx.ingress.kubernetes.io/auth-cache-duration", "200 202 12h"),
                ],
                true,
            ),
            (
                "ingress-nginx",
                &[
                    ("nginx.ingress.kubernetes.io/enable-cors", "true"),
                    ("nginx.ingress.kubernetes.io/cors-allow-origin", "https://a.example.com"),
                    ("nginx.ingress.kubernetes.io/cors-allow-methods", "GET"),
                ],
                &[
                    ("nginx.ingress.kubernetes.io/enable-cors", "true"),
                    ("nginx.ingress.kubernetes.io/cors-allow-origin", "https://a.example.com"),
                    ("nginx.ingress.kubernetes.io/cors-allow-methods", "GET, DELETE"),
                ],
                true,
            ),
            (
                "haproxy-ingress",
                &[
                    ("haproxy-ingress.github.io/cors-enable", "true"),
                    ("haproxy-ingress.github.io/cors-allow-methods", "GET, PUT"),
                ],
                &[
                    ("haproxy-ingress.github.io/cors-enable", "true"),
                    ("haproxy-ingress.github.io/cors-allow-methods", "put"),
                ],
                false,
            ),
            (
                "haproxy-ingress",
                &[
                    ("haproxy-ingress.github.io/cors-enable", "true"),
                    ("haproxy-ingress.github.io/cors-allow-methods", "GET"),
                ],
                &[
                    ("haproxy-ingress.github.io/cors-enable", "true"),
                    ("haproxy-ingress.github.io/cors-allow-methods", "GET, PUT"),
                ],
                true,
            ),
            (
                "haproxy-ingress",
                &[("haproxy-ingress.github.io/hsts-max-age", "31536000")],
                &[("haproxy-ingress.github.io/hsts-max-age", "60")],
                true,
            ),
            (
                "haproxy-ingress",
                &[("haproxy-ingress.github.io/ssl-options-host", "no-sslv3 no-tlsv10")],
                &[("haproxy-ingress.github.io/ssl-options-host", "no-sslv3")],
                true,
            ),
            (
                "f5-nginx",
                &[("nginx.org/ssl-ciphers", "HIGH:!aNULL")],
                &[("nginx.org/ssl-ciphers", "HIGH")],
                true,
            ),
            (
                "f5-nginx",
                &[("nginx.org/ssl-ciphers", "HIGH:MEDIUM:!aNULL")],
                &[("nginx.org/ssl-ciphers", "HIGH:!aNULL")],
                false,
            ),
            (
                "contour",
                &[("projectcontour.io/tls-minimum-protocol-version", "1.3")],
                &[("projectcontour.io/tls-minimum-protocol-version", "1.2")],
                true,
            ),
            (
                "contour",
                &[("projectcontour.io/tls-minimum-protocol-version", "1.2")],
                &[("projectcontour.io/tls-minimum-protocol-version", "1.3")],
                false,
            ),
            (
                "alb",
                &[("alb.ingress.kubernetes.io/security-groups", "sg-1")],
                &[("alb.ingress.kubernetes.io/security-groups", "sg-1, sg-2")],
                true,
            ),
            (
                "alb",
                &[("alb.ingress.kubernetes.io/security-groups", "sg-1, sg-2")],
                &[("alb.ingress.kubernetes.io/security-groups", "sg-2")],
                false,
            ),
            (
                "alb",
                &[("alb.ingress.kubernetes.io/security-group-prefix-lists", "pl-1")],
                &[("alb.ingress.kubernetes.io/security-group-prefix-lists", "pl-2,pl-1")],
                true,
            ),
            (
                "alb",
                &[("alb.ingress.kubernetes.io/inbound-cidrs", "10.0.0.0/8")],
                &[("alb.ingress.kubernetes.io/inbound-cidrs", "10.0.0.0/8, 192.0.2.0/24")],
                true,
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
