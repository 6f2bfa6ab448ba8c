//! Whether one protection of a plan is kept under another plan.

use super::admitted::is_compared;
use super::directions::{default_of, is_internal_by_default, opens};
use super::entrances::more_entry_points;
use super::lines::{Lines, protects_less};
use super::moves::default_limit;
use super::protection::{CLASS, Protection, redirects};
use super::weaker::is_weaker;
use super::{
    PlanProtections, assumed_program, counts, has_cors, is_only_assumed, newly_exempt, no_longer_restricts,
    same_in, unread,
};
use crate::check::alone::{has_no_effect, needed_keys, opens_nothing_alone};
use crate::diagnostics::{joined, quoted, quoted_pair};
use crate::dialect::access::AccessLevel;
use crate::dialect::alb::SCHEME;
use crate::dialect::controller::Controller;
use crate::dialect::covers::admits_more;
use crate::dialect::kubernetes::ALLOW_HTTP;
use crate::dialect::mappings::intent_of;
use crate::dialect::traefik::ENTRY_POINTS;
use crate::dialect::{Loss, effect, is_neutral};
use crate::intents::Intent;
use crate::plan::{Annotation, Plan};
use crate::values::Target;

/// A protection of the first plan, and the same one of the second plan, if there is one.
pub(super) struct Kept<'s, 'p> {
    pub(super) old: PlanProtections<'s, 'p>,
    pub(super) new: PlanProtections<'s, 'p>,
    pub(super) protection: &'s Protection<'p>,
    pub(super) level: AccessLevel,
    pub(super) same: Option<&'s (Protection<'p>, AccessLevel)>,
    /// The lines of both plans.
    pub(super) lines: (&'s Lines<'p>, &'s Lines<'p>),
}

impl Kept<'_, '_> {
    /// Returns what is lost on a target, as a clause; `None` if the protection is kept there.
    pub(super) fn loss(&self, target: Target) -> Option<String> {
        let Self { new: (new, _), protection, .. } = *self;
        if target == Target::Ingress && is_compared(self.old.0, new, protection.what) {
            return None;
        }
        if protection.what == ENTRY_POINTS && new.controller(target) == Controller::Traefik {
            return more_entry_points(&protection.value, new);
        }
        match self.same {
            Some((same, level)) if same.targets.contains(&target) => self.difference(same, *level, target),
            _ if protection.admits_everybody() => None,
            _ if protection.intent == Some(Intent::HttpsRedirect) => self.lost_redirect(target),
            // The loss of the protection to which this line belongs is reported.
            _ if self.mains(target).any(|(_, same)| same.is_none()) => None,
            None => self.absence(target),
            Some(_) => Some(unread::without_effect(&protection.description(), new, target)),
        }
    }

    /// Returns how the same protection differs, if it admits more.
    fn difference(&self, same: &Protection<'_>, level: AccessLevel, target: Target) -> Option<String> {
        let Self { old: (old, _), new: (new, _), protection, .. } = *self;
        let said = protection.description();
        let becomes = |does: &str| Some(changed(protection.what, (&protection.value, &same.value), does));
        if is_weaker(protection, same) && protection.value == same.value {
            Some(format!("{said} would admit more clients"))
        } else if is_weaker(protection, same) {
            becomes("which admits more clients")
        } else if is_other_pattern(protection, same) {
            becomes("which may admit others")
        } else if level > self.level && new.canary.is_none() && !self.is_freed_elsewhere(target) {
            // The message about the redirect names it.
            let is_named = self.loses_redirect(target) && is_by_redirect(new, (same, level), self.level);
            (!is_named).then(|| no_longer_restricts(&said, level))
        } else if let Some(list) = newly_exempt(old, new, protection, target) {
            self.exemption(list, target)
        } else if protection.is_requested() && is_only_assumed(old, new, target) {
            Some(format!("{said} would be passed to {}", assumed_program(new, target)))
        } else {
            let line = match protection.intent {
                Some(Intent::HttpsRedirect) => new.annotations.iter().find(|line| redirects(line)),
                _ => new.annotation(same.what),
            };
            line.and_then(|line| unread::passed_to_unknown(old, new, line, target))
        }
    }

    /// Returns the limits that do not apply to further addresses, if this is the first of them.
    fn exemption(&self, list: &str, target: Target) -> Option<String> {
        let Self { old: (old, before), new: (new, after), protection, .. } = *self;
        let is_kept = |it: &Protection<'_>| {
            newly_exempt(old, new, it, target).is_some()
                && same_in(after, it).is_some_and(|(same, _)| !is_weaker(it, same))
        };
        let limits: Vec<_> = before.iter().map(|(it, _)| it).filter(|it| is_kept(it)).collect();
        let said: Vec<String> = limits.iter().map(|it| it.description()).collect();
        let is_first = limits.first().is_some_and(|first| first.what == protection.what);
        is_first.then(|| format!("{} would not apply to {}", joined(&said, " and "), quoted(list)))
    }

    /// Returns the protections without which this one has no effect under the first plan, each with the same one that has an effect
    /// under the second plan.
    fn mains(&self, target: Target) -> impl Iterator<Item = (AccessLevel, Option<AccessLevel>)> {
        let Self { old: (old, before), new: (_, after), protection, .. } = *self;
        let needed = needed_keys(old, protection.what);
        let is_main = move |it: &Protection<'_>| {
            let is_it = |key: &String| {
                let means =
                    |target: &Target| it.intent.is_some() && intent_of(old, *target, key) == it.intent;
                it.what == key || old.targets.iter().any(means)
            };
            it.what != protection.what && counts(old, it, target) && needed.iter().any(is_it)
        };
        before.iter().filter(move |(it, _)| is_main(it) && !it.admits_everybody()).map(move |(it, level)| {
            let same = same_in(after, it).filter(|(same, _)| same.targets.contains(&target));
            (*level, same.map(|(_, level)| *level))
        })
    }

    /// Whether it is already reported why this protection no longer denies access: the one to which it belongs does not, or a line
    /// that belongs to the same one is missing or protects less.
    fn is_freed_elsewhere(&self, target: Target) -> bool {
        let Self { old: (old, before), new: (new, after), protection, .. } = *self;
        let group = |key: &str| {
            let needed = needed_keys(new, key);
            if needed.is_empty() { vec![key.to_owned()] } else { needed }
        };
        let own = group(protection.what);
        let is_part = |key: &str| group(key).iter().any(|key| own.contains(key));
        let protects = |key: &str| effect(key).is_some_and(|row| row.loss == Loss::Protection);
        let mut lines = old.annotations.iter().chain(&new.annotations).map(|line| line.key.as_str());
        let mut lost = before.iter().map(|(it, _)| it).filter(|it| same_in(after, it).is_none());
        self.mains(target).any(|(was, is)| is.is_some_and(|is| is > was))
            || lost.any(|it| is_part(it.what) && counts(old, it, target))
            || target == Target::Ingress
                && lines.any(|key| {
                    is_part(key) && protects(key) && protects_less(self.lines.0, self.lines.1, key)
                })
    }

    fn lost_redirect(&self, target: Target) -> Option<String> {
        let (old, new) = (self.old.0, self.new.0);
        // The loss of TLS itself is already reported.
        let loses_tls = old.tls().is_on() && !new.tls().is_on();
        let is_default = |line: &Annotation| {
            new.tls().has_secret()
                && new.annotation(&line.key).is_none()
                && protects_by_default(new.controller(target), &line.key, &line.value)
        };
        let is_kept = old.annotations.iter().filter(|line| redirects(line)).any(is_default);
        if loses_tls || is_kept {
            return None;
        }
        let message = if old.annotation(ALLOW_HTTP).is_some_and(redirects) {
            "requests without TLS would be answered"
        } else {
            "requests without TLS would no longer be redirected to https"
        };
        let freed = self.freed_by_redirect(target);
        let so = if freed.is_empty() { "" } else { ", so " };
        let does = if freed.is_empty() { "" } else { " would no longer restrict access" };
        Some([message, so, &joined(&freed, " and "), does].concat())
    }

    /// Whether the redirect to https is lost on a target.
    fn loses_redirect(&self, target: Target) -> bool {
        let redirects = |it: &&Protection<'_>| it.intent == Some(Intent::HttpsRedirect);
        let was = self.old.1.iter().map(|(it, _)| it).find(redirects);
        let is = self.new.1.iter().map(|(it, _)| it).find(redirects);
        was.is_some_and(|it| counts(self.old.0, it, target))
            && !is.is_some_and(|it| it.targets.contains(&target))
            && self.lost_redirect(target).is_some()
    }

    /// Returns the protections that restrict access only together with the redirect to https, in words.
    fn freed_by_redirect(&self, target: Target) -> Vec<String> {
        let ((_, before), (new, after)) = (self.old, self.new);
        let freed = before.iter().filter(|(protection, level)| {
            let same = same_in(after, protection).filter(|(same, _)| same.targets.contains(&target));
            let kept = Kept { protection, level: *level, same, ..*self };
            same.is_some_and(|(same, is)| is_by_redirect(new, (same, *is), *level))
                && !kept.is_freed_elsewhere(target)
        });
        freed.map(|(it, _)| it.description()).collect()
    }

    /// Returns what is lost if the second plan does not have the protection.
    fn absence(&self, target: Target) -> Option<String> {
        let Self { new: (new, _), protection, .. } = *self;
        let (what, said) = (protection.what, protection.description());
        // Without CORS, browsers let no page of another origin read an answer.
        if protection.intent == Some(Intent::Cors) && !has_cors(self.new) {
            return None;
        }
        if what == CLASS && target == Target::Ingress {
            return other_class(&protection.value, new);
        }
        let controller = new.controller(target);
        let is_closed = target == Target::Ingress
            && controller.reads(what)
            && opens_nothing_alone(what)
            && has_no_effect(new, what);
        if is_closed {
            return None;
        }
        if protection.intent == Some(Intent::MaxBodySize) && self.has_size_by_default(target) {
            return None;
        }
        match new.annotation(what).filter(|_| controller.reads(what)) {
            Some(line) if line.value.trim() != protection.value.trim() => {
                Some(changed(what, (&protection.value, &line.value), "which protects less"))
            }
            Some(_) if has_no_effect(new, what) => Some(format!("{said} would have no effect")),
            None if protects_by_default(controller, what, &protection.value) => None,
            _ => Some(format!("{said} would be missing")),
        }
    }

    /// Whether the program limits the size of requests by itself as the protection did.
    fn has_size_by_default(&self, target: Target) -> bool {
        let Self { new: (new, _), protection, .. } = *self;
        let old = protection.intent_value.as_ref();
        let default = default_limit(new, target);
        old.zip(default).is_some_and(|(old, (_, default))| !admits_more(Intent::MaxBodySize, old, &default))
    }
}

/// Whether a protection of a plan would restrict access as before if all requests had TLS.
fn is_by_redirect(new: &Plan, (same, level): (&Protection<'_>, AccessLevel), was: AccessLevel) -> bool {
    new.canary.is_none() && level > was && same.access_level(new, true) <= was
}

/// Returns the clause that a value becomes another one.
pub(super) fn changed(what: &str, (old, new): (&str, &str), does: &str) -> String {
    let (old, new) = quoted_pair(old, new);
    format!("{what} {old} would be {new}, {does}")
}

/// Returns the change of a class whose program lets nobody in from the Internet.
fn other_class(class: &str, new: &Plan) -> Option<String> {
    let said = [CLASS, " ", &quoted(class)].concat();
    match new.class_name() {
        None => Some(format!("{said} would be missing")),
        Some(_)
            if is_internal_by_default(new.controller(Target::Ingress))
                && new.annotation(SCHEME).is_none() =>
        {
            None
        }
        Some(other) => {
            Some(format!("{said} would be {}, which may let clients in from the Internet", quoted(other)))
        }
    }
}

/// Whether a program protects as well without the line that has a value.
fn protects_by_default(controller: Controller, key: &str, value: &str) -> bool {
    let is_weaker = |default: &str| is_neutral(key, default) || opens(key, value, default);
    default_of(controller, key).is_some_and(|default| !is_weaker(default))
}

/// Whether two regular expressions for the names in client certificates differ. They cannot be compared.
fn is_other_pattern(old: &Protection<'_>, new: &Protection<'_>) -> bool {
    old.what == new.what && old.what.ends_with("/auth-tls-match-cn") && old.value.trim() != new.value.trim()
}
