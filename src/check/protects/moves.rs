//! What a program does by default, and another one does not: the losses of a Service that moves to another program.

use super::directions::{default_of, is_internal_by_default};
use super::hsts::{self, HEADER, Sent};
use super::protection::protections;
use super::{LostProtection, is_made};
use crate::diagnostics::{FieldPath, quoted};
use crate::dialect::alb::SCHEME;
use crate::dialect::controller::{Controller, is_internal};
use crate::dialect::covers::admits_more;
use crate::dialect::mappings::keys_of;
use crate::dialect::nginx::read::size;
use crate::dialect::support::support;
use crate::intents::{Intent, IntentValue};
use crate::plan::Plan;
use crate::values::Target;

/// Something that a program does for a Service although nobody asks for it, and that another one does not.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::lost_defaults, testing};
/// let plan = |class| testing::plan(&[("IngressClassName", class)], json!({}));
/// let (nginx, traefik) = (plan("nginx")?, plan("traefik")?);
/// let lost = &lost_defaults(&nginx, &traefik)[0];
/// assert_eq!(lost.message, "by default, ingress-nginx refuses bodies beyond `1m`, and Traefik does not");
/// assert_eq!(lost.help.as_deref(), Some("set maxBodySize: 1Mi to keep the limit"));
/// assert!(lost_defaults(&traefik, &nginx).is_empty());
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostDefault {
    /// The place that decides about the program.
    pub path: FieldPath,
    /// What is lost, as a sentence without a period.
    pub message: String,
    /// How to keep it.
    pub help: Option<String>,
}

/// Returns what the programs of the first plan do by default and those of the second plan do not.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::lost_defaults, testing};
/// let plan = |class| testing::plan(&[("IngressClassName", class)], json!({}));
/// let lost = lost_defaults(&plan("contour")?, &plan("alb")?);
/// assert!(lost[0].message.ends_with("an internal load balancer, which clients from the Internet do not reach"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn lost_defaults(old: &Plan, new: &Plan) -> Vec<LostDefault> {
    if new.canary.is_some() {
        return Vec::new();
    }
    let targets = || new.targets.iter().copied().filter(|it| new.has_object(*it) && is_known(new, *it));
    let limit = targets().find_map(|target| lost_limit(old, new, target));
    let header = targets().find_map(|target| lost_header(old, new, target));
    limit.into_iter().chain(header).chain(lost_way_in(old, new)).collect()
}

/// Returns the place that decides about the program of a target.
fn place(plan: &Plan, target: Target) -> FieldPath {
    let class = plan.class.as_ref().filter(|_| target == Target::Ingress);
    class.map_or(&plan.targets_origin, |class| &class.origin).path()
}

/// Whether it is known what the program of a target does by default.
fn is_known(plan: &Plan, target: Target) -> bool {
    !matches!(plan.controller(target), Controller::Gateway | Controller::Other)
}

/// Returns the limit for the size of bodies that the program of a target has by default, if nobody asks for another one.
pub(super) fn default_limit(plan: &Plan, target: Target) -> Option<(&'static str, IntentValue)> {
    let is_asked = |key: &String| plan.annotation(key).is_some();
    if target != Target::Ingress
        || plan.requested(Intent::MaxBodySize).is_some()
        || keys_of(plan, Intent::MaxBodySize).any(|key| is_asked(&key))
    {
        return None;
    }
    let controller = plan.controller(target);
    let text = keys_of(plan, Intent::MaxBodySize).find_map(|key| default_of(controller, &key))?;
    Some((text, Intent::MaxBodySize.read(&size(text)?).ok()?))
}

/// Returns that the program of a target refuses larger bodies than the one before does by default.
fn lost_limit(old: &Plan, new: &Plan, target: Target) -> Option<LostDefault> {
    let mut before = old.targets.iter().filter(|it| **it == target || !is_made(old, target));
    let (from, (text, limit)) = before.find_map(|it| Some((*it, default_limit(old, *it)?)))?;
    let all = protections(new);
    let asked = all.iter().find(|it| it.intent == Some(Intent::MaxBodySize) && it.targets.contains(&target));
    let asked = asked.and_then(|it| it.intent_value.clone());
    let is = asked.or_else(|| Some(default_limit(new, target)?.1));
    let is_kept = is.is_some_and(|is| !admits_more(Intent::MaxBodySize, &limit, &is));
    // The limits of one program are compared as lines.
    if is_kept || (from == target && old.controller(from) == new.controller(target)) {
        return None;
    }
    let (name, other) = (old.program_name(from), new.program_name(target));
    let message = format!("by default, {name} refuses bodies beyond {}, and {other} does not", quoted(text));
    let can_ask = support(new, target, Intent::MaxBodySize, Some(&limit)).is_supported();
    let help = can_ask.then(|| format!("set maxBodySize: {limit} to keep the limit"));
    Some(LostDefault { path: place(new, target), message, help })
}

/// Returns that the program of a target does not send a header that the one before sends by default.
fn lost_header(old: &Plan, new: &Plan, target: Target) -> Option<LostDefault> {
    let loses_tls = old.tls().is_on() && !new.tls().is_on();
    let is_lost = !loses_tls && hsts::before(old, target)?.is_default() && Sent::of(new, target).is_none();
    let (name, other) = (old.program_name(Target::Ingress), new.program_name(target));
    is_lost.then(|| LostDefault {
        path: place(new, target),
        message: format!("by default, {name} sends the header {HEADER}, and {other} does not"),
        help: None,
    })
}

/// Returns that a program makes a load balancer that clients from the Internet do not reach, unless a line says otherwise. Whether
/// they reach the Service through another program is not known.
fn lost_way_in(old: &Plan, new: &Plan) -> Option<LostDefault> {
    let was_internal = has_internal_default(old) || old.class_name().is_some_and(is_internal);
    let is_lost = has_internal_default(new) && !was_internal && old.annotation(SCHEME).is_none();
    is_lost.then(|| LostDefault {
        path: place(new, Target::Ingress),
        message: format!(
            "by default, {} makes an internal load balancer, which clients from the Internet do not reach",
            new.program_name(Target::Ingress)
        ),
        help: Some(format!("add {SCHEME}: internet-facing if they may reach the Service")),
    })
}

/// Whether the program of the Ingress lets nobody in from the Internet, by default.
fn has_internal_default(plan: &Plan) -> bool {
    is_made(plan, Target::Ingress)
        && is_internal_by_default(plan.controller(Target::Ingress))
        && plan.annotation(SCHEME).is_none()
}

/// Returns that the program of the first plan makes an internal load balancer by default, and another way in takes its place.
pub(super) fn opened_way_in(old: &Plan, new: &Plan) -> Option<LostProtection> {
    if !has_internal_default(old) || new.canary.is_some() {
        return None;
    }
    let is_open = |target: &Target| match target {
        Target::Ingress => {
            !is_internal_by_default(new.controller(*target)) && !new.class_name().is_some_and(is_internal)
        }
        Target::HttpRoute | Target::Route => !is_made(old, *target),
    };
    let target = new.targets.iter().copied().filter(|target| new.has_object(*target)).find(is_open)?;
    let other = match new.class_name().filter(|_| target == Target::Ingress) {
        Some(class) => format!("the class {}", quoted(class)),
        None => format!("the {target}"),
    };
    Some(LostProtection {
        what: SCHEME.to_owned(),
        target,
        path: place(new, target),
        message: format!(
            "by default, {} makes an internal load balancer, and {other} may let clients in from the Internet",
            old.program_name(Target::Ingress)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::lost_protections;
    use super::super::tests::plan_of;
    use super::*;

    /// A program and its lines before and after, what is said about openness, and what is said about defaults.
    type Case = (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        &'static [&'static str],
        &'static [&'static str],
    );

    #[test]
    fn each_loss_of_a_move_is_told_once() {
        const HSTS: &str = "hsts_header: max-age=31536000;includeSubDomains";
        const PROXY: &str = "hsts: true|hsts-behind-proxy: true";
        const SENT: &str = "response-set-header: Strict-Transport-Security \"max-age=9\"";
        const HEADER_LINE: &str = "listener-attributes.HTTPS-443: routing.http.response.strict_transport_security.header_value=max-age=9";
        const NO_LIMIT: &str = "refuses bodies beyond `1m`, and Traefik does not";
        const NO_HEADER: &str = "sends the header Strict-Transport-Security, and Traefik does not";
        const MISSING: &str = "would be missing";
        let cases: &[Case] = &[
            // Several lines of one protection.
            (
                "hi-",
                "auth-secret: users|auth-realm: x",
                "ht-",
                "",
                &["auth-secret `users` would be missing"],
                &[],
            ),
            ("ht+", "auth-type: basic-auth|auth-secret: users", "hi+", "", &["auth-type `basic-auth`"], &[]),
            (
                "in+",
                "auth-type: digest|auth-secret: users",
                "hi+",
                "",
                &["auth-type `digest` would be missing"],
                &["refuses bodies beyond"],
            ),
            ("alb", "LOGIN|UNSIGNED: deny|scheme: internet-facing", "ct+", "", &["auth-type `oidc`"], &[]),
            // The limit of a program, which nobody asks for.
            ("in-", "", "tr-", "", &[], &[NO_LIMIT]),
            ("in-", "proxy-body-size: 0", "tr-", "", &[], &[]),
            ("in-", "proxy-body-size: 2m", "tr-", "", &["MaxBodySize `2Mi` would be missing"], &[]),
            ("f5-", "", "tr-", "", &[], &[NO_LIMIT]),
            ("f5-", "", "in-", "", &[], &[]),
            ("in-", "", "os-", "", &[], &["and the router of OpenShift does not"]),
            ("in-", "", "hi-", "proxy-body-size: 1m", &[], &[]),
            ("in-", "", "hi-", "proxy-body-size: 2m", &[], &["and HAProxy Ingress does not"]),
            // It is not known what this program does.
            ("in-", "", "ap-", "", &[], &[]),
            ("hi-", "", "in-", "", &[], &[]),
            // HSTS, which a program sends by default, or somebody asks for.
            ("in+", "", "tr+", "", &[], &[NO_LIMIT, NO_HEADER]),
            ("hi+", "", "tr+", "", &[], &[NO_HEADER]),
            ("hi+", "hsts: false", "tr+", "", &[], &[]),
            ("hi+", "hsts-max-age: 99", "tr+", "", &["`max-age=99` would be missing"], &[]),
            ("hi+", "hsts: true", "in+", "", &[], &[]),
            ("f5+", "hsts: true", "hi+", "", &[], &["bodies"]),
            (
                "f5+",
                "hsts: true|hsts-max-age: 99999999",
                "hi+",
                "",
                &["99` would be `max-age=15768000`"],
                &["bodies"],
            ),
            ("f5-", PROXY, "f5-", "", &["`max-age=2592000` would be missing"], &[]),
            ("f5-", PROXY, "f5-", "hsts: true", &[MISSING], &[]),
            ("f5-", PROXY, "f5-", "hsts: true|hsts-behind-proxy: false", &[MISSING], &[]),
            (
                "f5-",
                PROXY,
                "f5-",
                "hsts: false|hsts-behind-proxy: true",
                &["hsts `true` would be `false`"],
                &[],
            ),
            ("f5+", PROXY, "f5-", "hsts: true", &["TLS would be missing"], &[]),
            ("os+", HSTS, "os+", "", &["`max-age=31536000; includeSubDomains` would be missing"], &[]),
            (
                "os+",
                HSTS,
                "os+",
                "hsts_header: max-age=31536000",
                &["would be `max-age=31536000`, which"],
                &[],
            ),
            (
                "os+",
                HSTS,
                "os+",
                "hsts_header: max-age=60;includeSubDomains",
                &["would be `max-age=60;"],
                &[],
            ),
            ("os+", HSTS, "os+", "hsts_header: max-age=0", &[MISSING], &[]),
            ("os+", "hsts_header: max-age=60", "os+", HSTS, &[], &[]),
            ("os+", HSTS, "os-", "", &["TLS would be missing"], &[]),
            ("os+", HSTS, "tr+", "", &[MISSING], &[]),
            ("ht+", SENT, "ht+", "", &["`max-age=9` would be missing"], &[]),
            ("ht+", SENT, "hi+", "", &[], &[]),
            ("alb", HEADER_LINE, "alb", "", &["`max-age=9` would be missing"], &[]),
            // The way in.
            ("alb", "", "ct+", "", &["and the class `pub` may let clients in from the Internet"], &[]),
            ("alb", "", "os+", "", &["and the Route may let clients in from the Internet"], &[]),
            ("alb", "scheme: internal", "ct+", "", &["scheme `internal` would be missing"], &[]),
            ("alb", "scheme: internet-facing", "ct+", "", &[], &[]),
            ("ct-", "", "alb", "", &[], &["which clients from the Internet do not reach"]),
            ("ct-", "", "alb", "scheme: internet-facing", &[], &[]),
        ];
        let mut wrong = Vec::new();
        for (from, before, to, after, opens, lost) in cases {
            let (old, new) = (plan_of(from, before), plan_of(to, after));
            let opened = lost_protections(&old, &new).into_iter().map(|it| it.message).collect::<Vec<_>>();
            let gone = lost_defaults(&old, &new).into_iter().map(|it| it.message).collect::<Vec<_>>();
            for (found, said) in [(&opened, opens), (&gone, lost)] {
                let is_said = found.len() == said.len()
                    && found.iter().zip(*said).all(|(found, said)| found.contains(said));
                if !is_said {
                    wrong.push(format!("{from}, {before} -> {to}, {after}: {found:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// The help keeps what is lost.
    #[test]
    fn limit_can_be_kept() {
        let lost = lost_defaults(&plan_of("in-", ""), &plan_of("tr-", ""));
        assert_eq!(lost[0].help.as_deref(), Some("set maxBodySize: 1Mi to keep the limit"));
        // Contour has no such limit.
        assert_eq!(lost_defaults(&plan_of("in-", ""), &plan_of("ct-", ""))[0].help, None);
    }
}
