//! The protections of a Service: restrictions of access, and the security of connections. Compares the protections of two plans.

mod admitted;
mod directions;
mod entrances;
mod hsts;
mod kept;
mod lines;
mod moves;
mod protection;
mod unread;
mod weaker;

use super::alone::{has_no_effect, opens_nothing_alone};
use super::loss::is_done_as_given;
use crate::diagnostics::{FieldPath, joined, quoted};
use crate::dialect::access::{AccessLevel, exempts, is_one_enough};
use crate::dialect::controller::Controller;
use crate::dialect::covers::Networks;
use crate::dialect::effect;
use crate::intents::Intent;
use crate::plan::{Annotation, Plan, Server};
use crate::values::Target;
pub use directions::may_protect_less;
pub use entrances::lost_listeners;
use entrances::new_listener;
use kept::Kept;
use lines::{Lines, is_reported, weaker_lines};
pub use moves::{LostDefault, lost_defaults};
use protection::{ALTERNATIVES, Protection, protections};
pub use unread::lost_lines;
use weaker::by_lines;

/// A protection of a Service that is weaker or missing under another plan.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::lost_protections, testing};
/// let of = |source: &str| testing::plan(&[("AllowedSources", source)], json!({}));
/// let (office, everybody) = (of("10.0.0.0/8")?, of("0.0.0.0/0")?);
/// assert!(lost_protections(&everybody, &office).is_empty());
/// assert_eq!(lost_protections(&office, &everybody)[0].what, "AllowedSources");
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostProtection {
    /// The intent, or the key of an annotation.
    pub what: String,
    /// The target on which it is missing or weaker.
    pub target: Target,
    /// The place that asks for it under the first plan.
    pub path: FieldPath,
    /// The difference, as a clause.
    pub message: String,
}

/// A protection of a Service, and the targets on which it has an effect.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{AccessLevel, access};
/// use xposer::{Target, testing};
/// let plan = testing::plan(&[("AllowedSources", "10.0.0.0/8"), ("RateLimit", "10/s")], json!({}))?;
/// let access = access(&plan);
/// assert_eq!((access[0].what.as_str(), access[0].value.as_str()), ("AllowedSources", "10.0.0.0/8"));
/// assert_eq!((access[0].level, access[1].level), (AccessLevel::Restricted, AccessLevel::Open));
/// assert_eq!(access[0].targets, [Target::Ingress]);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The name of the option, or the key of an annotation.
    pub what: String,
    /// The value, in one line.
    pub value: String,
    /// The place that asks for it.
    pub path: FieldPath,
    /// The targets on which it has an effect.
    pub targets: Vec<Target>,
    /// The clients that it admits.
    pub level: AccessLevel,
}

/// Returns the protections of a Service: first those of options, then those of annotations.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::access, testing};
/// assert!(access(&testing::plan(&[], json!({}))?).is_empty());
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn access(plan: &Plan) -> Vec<Access> {
    let access = with_levels(plan).into_iter().map(|(it, level)| {
        let Protection { what, value, origin, targets, .. } = it;
        Access { what: what.to_owned(), value, path: origin.path(), targets, level }
    });
    access.collect()
}

/// Returns the protections of a plan, and whether each denies access to any clients.
fn with_levels(plan: &Plan) -> Vec<(Protection<'_>, AccessLevel)> {
    let protections = protections(plan);
    let levels: Vec<AccessLevel> =
        protections.iter().map(|it| it.access_level(plan, is_https(plan, &protections, it))).collect();
    // If one proof of several is sufficient, and the list of addresses admits everybody, the other proofs deny access to nobody.
    let is_open = |(it, level): (&Protection<'_>, &AccessLevel)| {
        it.is_of(plan, Intent::AllowedSources) && *level != AccessLevel::Restricted
    };
    let is_let_in = is_one_enough(plan) && protections.iter().zip(&levels).any(is_open);
    let all = protections.into_iter().zip(levels).map(|(it, level)| {
        let level = if is_let_in && it.is_alternative(plan) { AccessLevel::Open } else { level };
        (it, level)
    });
    all.collect()
}

/// Whether requests without TLS are redirected to https on every target of a protection.
fn is_https(plan: &Plan, all: &[Protection<'_>], protection: &Protection<'_>) -> bool {
    let redirect = all.iter().find(|it| it.intent == Some(Intent::HttpsRedirect));
    let is_sent =
        |redirect: &Protection<'_>| protection.targets.iter().all(|target| redirect.targets.contains(target));
    let has_tls = plan.tls().has_secret() || plan.controller(Target::Ingress) == Controller::Alb;
    has_tls && redirect.is_some_and(is_sent)
}

/// Returns which clients get access through the object of a target.
///
/// ```
/// use serde_json::json;
/// use xposer::internal::{AccessLevel, access, access_level};
/// use xposer::{Target, testing};
/// let plan = testing::plan(&[], json!({}))?;
/// assert_eq!(access_level(&access(&plan), Target::Ingress), AccessLevel::Open);
/// // The list contains all addresses.
/// let plan = testing::plan(&[("AllowedSources", "0.0.0.0/0")], json!({}))?;
/// assert_eq!(access_level(&access(&plan), Target::Ingress), AccessLevel::Open);
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn access_level(access: &[Access], target: Target) -> AccessLevel {
    combined(access.iter().filter(|it| it.targets.contains(&target)).map(|it| it.level))
}

/// Returns which clients get access with these protections. One that denies access is sufficient.
fn combined(levels: impl Iterator<Item = AccessLevel>) -> AccessLevel {
    levels.min().unwrap_or(AccessLevel::Open)
}

/// Returns the protections of the first plan that are weaker or missing under the second plan.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::lost_protections, testing};
/// let (secure, plain) = (testing::plan(&[("TLS", "true")], json!({}))?, testing::plan(&[], json!({}))?);
/// assert_eq!(lost_protections(&secure, &plain)[0].message, "TLS would be missing");
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn lost_protections(old: &Plan, new: &Plan) -> Vec<LostProtection> {
    let (before, after) = (with_levels(old), with_levels(new));
    let (old_lines, new_lines) = (Lines::of(old), Lines::of(new));
    let mut lost_protections = Vec::new();
    for (protection, level) in &before {
        let same = same_in(&after, protection);
        let lines = (&old_lines, &new_lines);
        let kept = Kept { old: (old, &before), new: (new, &after), protection, level: *level, same, lines };
        for &target in new.targets.iter().filter(|it| new.has_object(**it) && counts(old, protection, **it)) {
            lost_protections.extend(kept.loss(target).map(|message| LostProtection {
                what: protection.what.to_owned(),
                target,
                path: protection.origin.path(),
                message,
            }));
        }
    }
    lost_protections.extend(by_lines((old, &before), (new, &after)));
    let is_new = |it: &LostProtection| !is_reported(new, &lost_protections, &it.what);
    let more: Vec<LostProtection> = admitted::losses(&old_lines, &new_lines).filter(is_new).collect();
    lost_protections.extend(more);
    let weaker = weaker_lines(&old_lines, &new_lines, &lost_protections);
    lost_protections.extend(weaker);
    let header = hsts::loss(old, new, &lost_protections);
    lost_protections.extend(header);
    lost_protections.extend(moves::opened_way_in(old, new));
    lost_protections.extend(new_origins((old, &before), (new, &after)));
    lost_protections.extend(new_listener(old, new));
    lost_protections.extend(unread::plain_backend(old, new));
    for &target in new.targets.iter().filter(|it| new.has_object(**it) && new.canary.is_none()) {
        lost_protections.extend(becomes_alternative((old, &before), (new, &after), target));
        lost_protections.extend(combined_access_loss((old, &before), (new, &after), target).filter(|_| {
            // One message for each target is sufficient.
            !lost_protections.iter().any(|it| it.target == target)
        }));
    }
    lost_protections
}

/// Returns the same protection of another plan. Two annotations may have one intent, and either both count or only one of them, so
/// the same key is searched first. A line without a limit, such as one that turns limits on, is not the same as a limit.
fn same_in<'s, 'p>(
    all: &'s [(Protection<'p>, AccessLevel)],
    protection: &Protection<'_>,
) -> Option<&'s (Protection<'p>, AccessLevel)> {
    let same = all.iter().find(|(it, _)| it.what == protection.what);
    let is_comparable = |it: &Protection<'_>| {
        protection.intent != Some(Intent::RateLimit)
            || it.intent_value.is_some()
            || protection.intent_value.is_none()
    };
    same.or_else(|| all.iter().find(|(it, _)| it.is_same(protection) && is_comparable(it)))
}

/// Whether a protection of a plan can be lost on a target: the plan has it there, or has it and not this target.
fn counts(plan: &Plan, protection: &Protection<'_>, target: Target) -> bool {
    protection.targets.contains(&target) || (!is_made(plan, target) && !protection.targets.is_empty())
}

/// Whether a plan has an object of a target.
fn is_made(plan: &Plan, target: Target) -> bool {
    plan.targets.contains(&target) && plan.has_object(target)
}

/// Whether pages of other origins may read answers.
fn has_cors((plan, all): PlanProtections<'_, '_>) -> bool {
    all.iter().any(|(it, _)| it.intent == Some(Intent::Cors)) || cors_switch(plan).is_some()
}

/// Returns the line that turns CORS on, if it belongs to a program that has its own keys for it.
fn cors_switch(plan: &Plan) -> Option<&Annotation> {
    let is_on = |it: &&Annotation| {
        (it.key.ends_with("/cors-enable") || it.key.ends_with("/enable-cors"))
            && is_done_as_given(plan, &it.key, Target::Ingress)
            && effect(&it.key).is_some_and(|row| !row.neutral.is(&it.value))
    };
    plan.annotations.iter().filter(|_| plan.targets.contains(&Target::Ingress)).find(is_on)
}

/// A plan and its protections.
type PlanProtections<'s, 'p> = (&'p Plan, &'s [(Protection<'p>, AccessLevel)]);

/// Returns that pages of other origins could use the Service. Without CORS, browsers let none of them read an answer.
fn new_origins(old: PlanProtections<'_, '_>, new: PlanProtections<'_, '_>) -> Option<LostProtection> {
    let (plan, after) = new;
    if plan.canary.is_some() || has_cors(old) {
        return None;
    }
    let added = after.iter().map(|(it, _)| it).find(|it| it.intent == Some(Intent::Cors));
    let (what, said, path, target) = match (added, cors_switch(plan)) {
        (Some(added), _) => (added.what, added.description(), added.origin.path(), *added.targets.first()?),
        (None, Some(line)) => {
            let said = format!("{} {}", line.key, quoted(&line.value));
            (line.key.as_str(), said, line.origin().path(), Target::Ingress)
        }
        (None, None) => return None,
    };
    let message = format!("{said} would let pages of other origins read answers");
    Some(LostProtection { what: what.to_owned(), target, path, message })
}

/// Returns the message about a protection that no longer denies access, as a clause.
fn no_longer_restricts(message: &str, level: AccessLevel) -> String {
    match level {
        AccessLevel::NotKnown => format!("it would not be known which clients {message} admits"),
        AccessLevel::Restricted | AccessLevel::Open => format!("{message} would no longer restrict access"),
    }
}

/// Returns the change that one of several proofs is sufficient under the second plan, if the first plan requires all of them, or
/// does not have all of them.
fn becomes_alternative(
    old: PlanProtections<'_, '_>,
    new: PlanProtections<'_, '_>,
    target: Target,
) -> Option<LostProtection> {
    let (were, are) = (alternative_credentials(old, target), alternative_credentials(new, target));
    let (_, first) = were.first()?;
    let is_known = |(intent, _): &(Intent, _)| were.iter().any(|(known, _)| known == intent);
    if target != Target::Ingress
        || are.len() < 2
        || !is_one_enough(new.0)
        || (is_one_enough(old.0) && are.iter().all(is_known))
    {
        return None;
    }
    let names: Vec<&str> = are.iter().map(|(intent, _)| intent.as_str()).collect();
    let message = format!("one of {} would be enough", joined(&names, " and "));
    Some(LostProtection { what: first.what.to_owned(), target, path: first.origin.path(), message })
}

/// Returns the protections of a target that deny access and of which one can be sufficient.
fn alternative_credentials<'s, 'p>(
    (plan, all): PlanProtections<'s, 'p>,
    target: Target,
) -> Vec<(Intent, &'s Protection<'p>)> {
    let asked = ALTERNATIVES.into_iter().filter_map(|intent| {
        let is_it = |(it, level): &&(Protection<'_>, AccessLevel)| {
            *level == AccessLevel::Restricted && it.targets.contains(&target) && it.is_of(plan, intent)
        };
        Some((intent, &all.iter().find(is_it)?.0))
    });
    asked.collect()
}

/// Returns a change from restricted to less restricted access that no single protection explains.
fn combined_access_loss(
    old: PlanProtections<'_, '_>,
    (new, after): PlanProtections<'_, '_>,
    target: Target,
) -> Option<LostProtection> {
    let (plan, before) = old;
    // A way in that is closed needs no protection.
    let is_closed = |it: &Protection<'_>| opens_nothing_alone(it.what) && has_no_effect(new, it.what);
    let was = before.iter().filter(|(it, _)| counts(plan, it, target) && !is_closed(it));
    let is = after.iter().filter(|(it, _)| it.targets.contains(&target)).map(|(_, level)| *level);
    let (first, kept) = was.min_by_key(|(_, level)| *level)?;
    let level = combined(is);
    (level > *kept).then(|| LostProtection {
        what: first.what.to_owned(),
        target,
        path: first.origin.path(),
        message: no_longer_restricts(&first.description(), level),
    })
}

/// Returns the addresses that are exempt from a limit under the second plan and not under the first one. Exemptions in the
/// annotations of another program have no effect.
fn newly_exempt<'n>(old: &Plan, new: &'n Plan, limit: &Protection<'_>, target: Target) -> Option<&'n str> {
    if limit.intent != Some(Intent::RateLimit) && !limit.what.contains("/limit-") {
        return None;
    }
    let exempt = |plan: &'_ Plan, it: &Annotation| {
        exempts(&it.key) && !it.value.trim().is_empty() && is_done_as_given(plan, &it.key, target)
    };
    let known = old.annotations.iter().filter(|it| exempt(old, it));
    let mut given = new.annotations.iter().filter(|it| exempt(new, it)).peekable();
    given.peek()?;
    let known: Vec<&str> = known.map(|it| it.value.as_str()).collect();
    let items = |list: &'_ str| list.split(',').map(str::trim).map(str::to_owned).collect::<Vec<_>>();
    let mut networks: Option<Networks> = None;
    given.find_map(|it| {
        if known.contains(&it.value.as_str()) {
            return None;
        }
        let networks = networks
            .get_or_insert_with(|| Networks::of(&known.iter().copied().flat_map(items).collect::<Vec<_>>()));
        (!networks.contain_all(&items(&it.value))).then_some(it.value.as_str())
    })
}

/// Whether the controller of a target is known under the first plan and only assumed under the second one. An assumed program may
/// not read the annotations.
///
/// ```
/// use serde_json::json;
/// use xposer::{Target, internal::is_only_assumed, testing};
/// let plan = |class| testing::plan(&[("IngressClassName", class)], json!({}));
/// let (contour, unknown) = (plan("contour")?, plan("internal")?);
/// assert!(is_only_assumed(&contour, &unknown, Target::Ingress) && !is_only_assumed(&unknown, &contour, Target::Ingress));
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn is_only_assumed(old: &Plan, new: &Plan, target: Target) -> bool {
    let of =
        |plan: &'_ Plan| plan.servers.iter().find(|server| server.target == target).map(Server::is_assumed);
    // If the class stays the same, its controller stays known.
    let is_other = old.controller(target) != new.controller(target) || old.class_name() != new.class_name();
    of(old) == Some(false) && of(new) == Some(true) && is_other
}

/// Returns the program that is assumed to serve an Ingress, as a part of a sentence.
pub(super) fn assumed_program(plan: &Plan, target: Target) -> String {
    let class = plan
        .class_name()
        .map_or("Ingresses without a class".to_owned(), |class| format!("the class {}", quoted(class)));
    format!("{}, but no setting says that it serves {class}", plan.program_name(target))
}

#[cfg(test)]
mod tests;
