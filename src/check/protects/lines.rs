//! Lines that are no protections of their own, but parts of one.

use std::borrow::Cow;

use super::LostProtection;
use super::admitted::is_compared;
use super::directions::{Opens, default_of, direction, opens};
use super::kept::changed;
use crate::check::alone::has_no_effect;
use crate::diagnostics::quoted;
use crate::dialect::alb::FRONTEND_SCHEME;
use crate::dialect::write::{WrittenAnnotation, annotations_for};
use crate::dialect::{NativeFeature, effect, mappings};
use crate::intents::Intent;
use crate::plan::Plan;
use crate::values::Target;

/// A plan, and the annotations that its options become on its Ingress.
pub(super) struct Lines<'p> {
    pub(super) plan: &'p Plan,
    written: Vec<WrittenAnnotation<'p>>,
}

impl<'p> Lines<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        Self { plan, written: annotations_for(plan, Target::Ingress) }
    }

    /// Returns the annotation of this key that an option becomes.
    pub(super) fn written(&self, key: &str) -> Option<&WrittenAnnotation<'p>> {
        self.written.iter().find(|it| it.key == key)
    }
}

/// Returns the lines on the Ingress of the second plan that protect less than those of the first one, or than the defaults of their
/// programs. `reported` are the losses that are already reported.
pub(super) fn weaker_lines(
    old_lines: &Lines<'_>,
    new_lines: &Lines<'_>,
    reported: &[LostProtection],
) -> Vec<LostProtection> {
    let (old, new) = (old_lines.plan, new_lines.plan);
    let target = Target::Ingress;
    if !new.has_object(target) || !new.targets.contains(&target) || new.canary.is_some() {
        return Vec::new();
    }
    let removed = old.annotations.iter().filter(|line| new.annotation(&line.key).is_none());
    let lines = new.annotations.iter().chain(removed).map(|it| (it.key.as_str(), it.origin().path()));
    // An option can also raise a limit that is a default.
    let by_options = new_lines.written.iter().filter(|it| new.annotation(it.key).is_none());
    let by_options = by_options.map(|it| (it.key, it.origin.path()));
    let weaker_ones = lines.chain(by_options).filter_map(|(key, path)| {
        let (was, is) = weaker(old_lines, new_lines, key)?;
        let is_new = !is_compared(old, new, key) && !is_reported(new, reported, key);
        is_new.then(|| LostProtection {
            what: key.to_owned(),
            target,
            path,
            message: message(key, &was, &is),
        })
    });
    weaker_ones.collect()
}

/// Whether the value of a key protects less under the second plan than under the first one.
pub(super) fn protects_less(old: &Lines<'_>, new: &Lines<'_>, key: &str) -> bool {
    weaker(old, new, key).is_some()
}

/// Returns the values of a key under both plans, if the second one protects less.
fn weaker<'v>(old: &'v Lines<'_>, new: &'v Lines<'_>, key: &str) -> Option<(Value<'v>, Value<'v>)> {
    let (was, is) = (Value::of(old, key)?, Value::of(new, key)?);
    (was.counts(key) && opens(key, &was.text, &is.text)).then_some((was, is))
}

/// Whether the loss of an annotation on the Ingress of a plan is already in `reported`: under its key, under its option, or under
/// another annotation of the same option. Annotations about CORS are reported one by one.
pub(super) fn is_reported(plan: &Plan, reported: &[LostProtection], key: &str) -> bool {
    let intent_of = |key: &str| {
        let redirects = || effect(key).is_some_and(|row| row.native == NativeFeature::Redirect);
        let known = mappings::intent_of(plan, Target::Ingress, key);
        known.or_else(|| redirects().then_some(Intent::HttpsRedirect))
    };
    let intent = intent_of(key);
    reported.iter().any(|it| {
        let is_same = |intent: Intent| {
            it.what == intent.as_str() || (intent != Intent::Cors && intent_of(&it.what) == Some(intent))
        };
        it.what == key || intent.is_some_and(is_same)
    })
}

/// The value that counts for a key: that of a line, that of an option, or the default of the program.
struct Value<'v> {
    text: Cow<'v, str>,
    is_default: bool,
}

impl<'v> Value<'v> {
    fn of(lines: &'v Lines<'_>, key: &str) -> Option<Self> {
        let plan = lines.plan;
        let controller = plan.controller(Target::Ingress);
        let default = || Some(Self { text: default_of(controller, key)?.into(), is_default: true });
        if !plan.has_object(Target::Ingress) || !controller.reads(key) {
            return None;
        }
        if has_no_effect(plan, key) {
            // A second load balancer that is not there is as closed as one by default. New readers are reported as a whole.
            return default().filter(|_| key == FRONTEND_SCHEME);
        }
        if let Some(line) = plan.annotation(key) {
            return Some(Self { text: line.value.as_str().into(), is_default: false });
        }
        match lines.written(key) {
            Some(written) => Some(Self { text: Cow::Borrowed(&written.value), is_default: false }),
            None => default(),
        }
    }

    /// Whether the values of a key can be compared: it is known which values protect less, or the default of the program protects.
    fn counts(&self, key: &str) -> bool {
        let protects = || effect(key).is_some_and(|row| row.protects_with(&self.text));
        direction(key).is_some() || (self.is_default && protects())
    }
}

fn message(key: &str, was: &Value<'_>, is: &Value<'_>) -> String {
    if was.is_default {
        let (value, default) = (quoted(&is.text), quoted(&was.text));
        return format!("{key} would be {value} instead of the default {default}, which protects more");
    }
    let does = match direction(key) {
        _ if is.is_default => "which is the default and protects less",
        Some(Opens::Policy) => "which may protect less",
        _ => "which protects less",
    };
    changed(key, (&was.text, &is.text), does)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::lost_protections;
    use crate::testing;

    /// An option says the same as a line, so the line is not compared with a default.
    #[test]
    fn option_replaces_a_line() {
        let plan = |name: &str, value: serde_json::Value| {
            let mut settings = json!({"ingressClassName": "haproxy"});
            settings[name] = value;
            testing::plan(&[], settings).expect("it is in order")
        };
        let origin = "https://a.example.com";
        let lines = json!({
            "haproxy.org/cors-enable": "true",
            "haproxy.org/cors-allow-origin": origin,
            "haproxy.org/cors-allow-methods": "GET",
        });
        let of = |methods: &[&str]| plan("cors", json!({"origins": [origin], "methods": methods}));
        let said = |new| {
            let found = lost_protections(&plan("annotations", lines.clone()), &new);
            found.iter().any(|it| it.what == "haproxy.org/cors-allow-methods")
        };
        assert!(!said(of(&["GET"])) && said(of(&["GET", "PUT"])));
    }

    const LOGIN: &str = "auth-type: oidc\nauth-idp-oidc: \"{}\"\n";

    /// The program, the names and values of its lines before and after, and what is said; empty if nothing is open.
    #[test]
    fn lines_count_with_the_others_and_with_the_defaults() {
        let login = |more: &str| [LOGIN, more].concat();
        let timeout = |seconds: &str| login(&format!("auth-session-timeout: \"{seconds}\""));
        let unsigned = |does: &str| login(&format!("auth-on-unauthenticated-request: {does}"));
        let cors = |more: &str| ["cors-enable: \"true\"\n", more].concat();
        let ca = |more: &str| ["auth-tls-secret: shop/ca\n", more].concat();
        let url = |more: &str| ["auth-url: https://auth.example.com\n", more].concat();
        let both = |more: &str| [more.to_owned(), String::new()];
        let hsts = |more: &str| ["hsts: \"true\"\n", more].concat();
        for (program, [before, after], said) in [
            // A key that has no effect without another one.
            ("haproxy", both("cors-allow-origin: https://a.example.com"), ""),
            (
                "haproxy",
                ["cors-allow-methods: GET".to_owned(), "cors-allow-methods: GET, PUT".to_owned()],
                "",
            ),
            ("haproxy", both("auth-secret: users"), ""),
            ("haproxy-ingress", both("cors-allow-origin: https://a.example.com"), ""),
            ("haproxy-ingress", both("cors-allow-origin-regex: ^https://a"), ""),
            ("haproxy-ingress", both("cors-allow-credentials: \"false\""), ""),
            ("haproxy-ingress", both("auth-tls-verify-client: \"on\""), ""),
            (
                "haproxy-ingress",
                ["hsts: \"false\"\nhsts-max-age: \"99\"".to_owned(), "hsts: \"false\"".to_owned()],
                "",
            ),
            (
                "alb",
                ["auth-session-timeout: \"9\"".to_owned(), "auth-session-timeout: \"99\"".to_owned()],
                "",
            ),
            ("alb", both("auth-idp-oidc: \"{}\""), ""),
            ("alb", both("frontend-nlb-security-groups: sg-1"), ""),
            (
                "ingress-nginx",
                ["auth-cache-duration: 200 5m".to_owned(), "auth-cache-duration: 200 9m".to_owned()],
                "",
            ),
            (
                "ingress-nginx",
                ["auth-tls-verify-depth: \"1\"".to_owned(), "auth-tls-verify-depth: \"3\"".to_owned()],
                "",
            ),
            // The same keys have an effect beside the other one.
            (
                "haproxy",
                [cors("cors-allow-methods: GET"), cors("cors-allow-methods: GET, PUT")],
                "cors-allow-methods `GET` would be `GET, PUT`, which protects less",
            ),
            (
                "alb",
                [timeout("9"), timeout("99")],
                "auth-session-timeout `9` would be `99`, which protects less",
            ),
            (
                "ingress-nginx",
                [url("auth-cache-duration: 200 5m"), url("auth-cache-duration: 200 9m")],
                "would be `200 9m`, which protects less",
            ),
            (
                "ingress-nginx",
                [ca("auth-tls-verify-depth: \"1\""), ca("auth-tls-verify-depth: \"3\"")],
                "would be `3`, which protects less",
            ),
            ("alb", [login(""), "auth-idp-oidc: \"{}\"".to_owned()], "auth-type `oidc` would be missing"),
            (
                "alb",
                [
                    "security-groups: sg-1\ninbound-cidrs: 10.0.0.0/8".to_owned(),
                    "security-groups: sg-1\ninbound-cidrs: 0.0.0.0/0".to_owned(),
                ],
                "",
            ),
            // CORS that is off lets no other origin in.
            (
                "haproxy",
                [
                    cors("cors-allow-origin: https://a.example.com"),
                    "cors-allow-origin: https://a.example.com".to_owned(),
                ],
                "",
            ),
            (
                "haproxy-ingress",
                [String::new(), cors("")],
                "cors-enable `true` would let pages of other origins read answers",
            ),
            ("haproxy-ingress", [String::new(), "cors-enable: \"false\"".to_owned()], ""),
            // A line that only states the default.
            ("alb", [unsigned("authenticate"), login("")], ""),
            ("alb", [unsigned("deny"), login("")], ""),
            ("alb", [unsigned("deny"), unsigned("allow")], "`deny` would be `allow`, which protects less"),
            ("alb", [timeout("604800"), login("")], ""),
            ("alb", both("scheme: internal"), ""),
            ("haproxy-ingress", [ca("auth-tls-verify-client: \"on\""), ca("")], ""),
            ("contour", both("tls-minimum-protocol-version: \"1.2\""), ""),
            ("cilium", both("force-https: enabled"), ""),
            ("f5-nginx", [hsts("hsts-max-age: \"2592000\""), hsts("")], ""),
            (
                "cilium",
                ["force-https: enabled".to_owned(), "force-https: disabled".to_owned()],
                "no longer be redirected to https",
            ),
            // Other words, methods and versions.
            (
                "alb",
                [
                    "mutual-authentication: [{\"port\":443,\"mode\":\"verify\"}]".to_owned(),
                    "mutual-authentication: [{\"port\":443,\"mode\":\"off\"}]".to_owned(),
                ],
                "\"mode\":\"off\"}]`, which protects less",
            ),
            (
                "apisix",
                ["http-allow-methods: GET".to_owned(), "http-allow-methods: GET,POST".to_owned()],
                "which admits more clients",
            ),
            (
                "apisix",
                ["http-block-methods: GET,POST".to_owned(), "http-block-methods: GET".to_owned()],
                "which admits more clients",
            ),
            (
                "contour",
                [
                    "tls-maximum-protocol-version: \"1.3\"".to_owned(),
                    "tls-maximum-protocol-version: \"1.2\"".to_owned(),
                ],
                "`1.3` would be `1.2`, which protects less",
            ),
            // The default is weaker than the line, or stronger.
            (
                "alb",
                [timeout("60"), login("")],
                "`60` would be `604800`, which is the default and protects less",
            ),
            (
                "alb",
                [String::new(), "scheme: internet-facing".to_owned()],
                "scheme would be `internet-facing` instead of the default `internal`, which protects more",
            ),
            (
                "alb",
                ["scheme: internal".to_owned(), "scheme: internet-facing".to_owned()],
                "scheme `internal` would be `internet-facing`, which protects less",
            ),
            (
                "contour",
                both("tls-minimum-protocol-version: \"1.3\""),
                "`1.3` would be `1.2`, which is the default and protects less",
            ),
            (
                "haproxy-ingress",
                [String::new(), "hsts: \"false\"".to_owned()],
                "hsts would be `false` instead of",
            ),
            ("f5-nginx", [hsts(""), String::new()], "hsts `true` would be `false`, which is the default"),
        ] {
            let prefix = match program {
                "haproxy" => "haproxy.org/",
                "haproxy-ingress" => "haproxy-ingress.github.io/",
                "f5-nginx" => "nginx.org/",
                "alb" => "alb.ingress.kubernetes.io/",
                "contour" => "projectcontour.io/",
                "cilium" => "ingress.cilium.io/",
                "apisix" => "k8s.apisix.apache.org/",
                _ => "nginx.ingress.kubernetes.io/",
            };
            let controller = if ["cilium", "apisix"].contains(&program) { "other" } else { program };
            let plan = |lines: &str| {
                let lines = lines
                    .lines()
                    .filter_map(|line| line.split_once(": "))
                    .map(|(name, value)| ([prefix, name].concat(), json!(value.trim_matches('"'))));
                let settings = json!({
                    "ingressClassName": "public",
                    "controllers": {"public": controller},
                    "tls": if program == "alb" { json!("load-balancer") } else { json!(true) },
                    "annotations": lines.collect::<serde_json::Map<_, _>>(),
                });
                testing::plan(&[], settings).unwrap_or_else(|report| panic!("{program}: {report}"))
            };
            let (old, new) = (plan(&before), plan(&after));
            let found = lost_protections(&old, &new);
            let all: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
            assert_eq!(all.is_empty(), said.is_empty(), "{program}, {before} -> {after}: {all:?}");
            assert!(
                said.is_empty() || all.iter().any(|it| it.contains(said)),
                "{before} -> {after}: {all:?}"
            );
            let back = lost_protections(&new, &old);
            assert!(said.is_empty() || back.is_empty(), "{program}, {after} -> {before}: {back:?}");
        }
    }
}
