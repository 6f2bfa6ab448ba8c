//! The protections of a plan.

use super::weaker::limit;
use crate::check::alone::{has_no_effect, is_unread_switch};
use crate::check::loss::{is_done_as_given, is_passed, loss};
use crate::diagnostics::{Origin, quoted};
use crate::dialect::access::{AccessLevel, access_level, addresses, asks_certificate};
use crate::dialect::alb::{AUTH_IDP, SCHEME, WAF, WAF_CLASSIC};
use crate::dialect::controller::{Controller, is_internal};
use crate::dialect::mappings::intent_of;
use crate::dialect::nginx::read::{https_redirect, size};
use crate::dialect::read::read;
use crate::dialect::support::support;
use crate::dialect::write::{by_controller, given};
use crate::dialect::{Loss, NativeFeature, effect, turns_redirect_off};
use crate::intents::{Intent, IntentValue, RateLimit};
use crate::plan::{Annotation, Plan};
use crate::values::{ParentRef, Target};

/// A protection, and the targets on which it has an effect.
pub(super) struct Protection<'p> {
    pub(super) what: &'p str,
    pub(super) intent: Option<Intent>,
    pub(super) intent_value: Option<IntentValue>,
    /// The value, in one line.
    pub(super) value: String,
    pub(super) origin: Origin,
    pub(super) targets: Vec<Target>,
}

impl Protection<'_> {
    /// Whether both have the same intent, or the same key.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_internal = |it: &Self| [CLASS, SCHEME].contains(&it.what);
        // The same at another place, such as a login or a firewall, which cannot be compared.
        let is_one = |starts: &&[&str]| {
            let begins = |it: &Self| starts.iter().any(|start| it.what.starts_with(start));
            begins(self) && begins(other)
        };
        if is_internal(self) && is_internal(other) || [&[AUTH_IDP][..], WAF, WAF_CLASSIC].iter().any(is_one) {
            return true;
        }
        // Each line about CORS protects in its own way.
        let are_lines = self.what.contains('/') && other.what.contains('/');
        match (self.intent, other.intent) {
            (Some(Intent::Cors), Some(Intent::Cors)) if are_lines => self.what == other.what,
            (Some(own), Some(other)) => own == other,
            _ => self.what == other.what,
        }
    }

    /// Returns its name and its value, as a part of a sentence.
    pub(super) fn description(&self) -> String {
        if self.value.is_empty() {
            return self.what.to_owned();
        }
        format!("{} {}", self.what, quoted(&self.value))
    }

    /// Whether an option or an annotation asks for it, and not a field of the object.
    pub(super) fn is_requested(&self) -> bool {
        self.what != TLS
    }

    /// Whether it denies access to clients that are not admitted. `only_https` means that all requests have TLS.
    pub(super) fn access_level(&self, plan: &Plan, only_https: bool) -> AccessLevel {
        if self.what.contains('/') {
            return access_level(plan, self.what, &self.value, only_https);
        }
        match (self.intent, &self.intent_value) {
            (Some(Intent::AllowedSources), Some(IntentValue::Sources(list))) => {
                addresses(list.iter().map(String::as_str))
            }
            (Some(Intent::ClientCertificate), Some(IntentValue::Certificate(wanted)))
                if !wanted.is_optional && asks_certificate(plan, only_https) =>
            {
                AccessLevel::Restricted
            }
            (Some(Intent::BasicAuth | Intent::ExternalAuth), _) => AccessLevel::Restricted,
            _ => AccessLevel::Open,
        }
    }

    /// Whether it has this intent, directly or as an annotation of the program that serves one of its targets.
    pub(super) fn is_of(&self, plan: &Plan, intent: Intent) -> bool {
        self.intent == Some(intent)
            || plan.targets.iter().any(|target| intent_of(plan, *target, self.what) == Some(intent))
    }

    /// Whether it is one of the proofs of which one can be sufficient.
    pub(super) fn is_alternative(&self, plan: &Plan) -> bool {
        ALTERNATIVES.into_iter().any(|intent| self.is_of(plan, intent))
    }

    /// Whether this value admits everybody, so that its removal opens nothing.
    pub(super) fn admits_everybody(&self) -> bool {
        self.intent
            .zip(self.intent_value.as_ref())
            .is_some_and(|(intent, intent_value)| intent.admits_everybody(intent_value))
    }
}

/// The proofs of which one can be sufficient.
pub(super) const ALTERNATIVES: [Intent; 3] =
    [Intent::AllowedSources, Intent::BasicAuth, Intent::ExternalAuth];

/// The name of the protection by TLS.
pub(super) const TLS: &str = "TLS";

/// The name of the protection by a class whose program lets nobody in from the Internet.
pub(super) const CLASS: &str = "IngressClassName";

/// Returns all protections of a plan.
pub(super) fn protections(plan: &Plan) -> Vec<Protection<'_>> {
    let objects = || plan.targets.iter().copied().filter(|target| plan.has_object(*target));
    let mut all = Vec::new();
    let tls = plan.tls.as_ref().filter(|tls| tls.value.is_on());
    all.extend(tls.map(|tls| Protection {
        what: TLS,
        intent: None,
        intent_value: None,
        value: String::new(),
        origin: tls.origin.clone(),
        targets: objects().collect(),
    }));
    let class = plan.class.as_ref().filter(|class| is_internal(&class.value));
    all.extend(class.map(|class| Protection {
        what: CLASS,
        intent: None,
        intent_value: None,
        value: class.value.clone(),
        origin: class.origin.clone(),
        targets: objects().filter(|target| *target == Target::Ingress).collect(),
    }));
    all.extend(redirect(plan, objects().collect()));
    // If only ingress-nginx reads the annotations, the plan does not contain their intents.
    let meant = read(plan);
    let known = plan.intents.iter().map(|it| (it.intent, &it.intent_value, &it.origin, &it.keys));
    let more = meant.iter().filter(|it| plan.requested(it.intent).is_none());
    let mut keys = Vec::new();
    for (intent, intent_value, origin, own) in
        known.chain(more.map(|it| (it.intent, &it.intent_value, &it.origin, &it.keys)))
    {
        keys.extend(own);
        if intent.loss() != Loss::Protection || *intent_value == IntentValue::Switch(false) {
            continue;
        }
        let is_supported = |target: &Target| {
            !own.is_empty() && own.iter().all(|key| is_done_as_given(plan, key, *target))
                || support(plan, *target, intent, Some(intent_value)).is_supported()
        };
        all.push(Protection {
            what: intent.as_str(),
            intent: Some(intent),
            intent_value: Some(with_burst(plan, intent_value.clone())),
            value: intent_value.to_string().replace('\n', ", "),
            origin: origin.clone(),
            targets: objects().filter(is_supported).collect(),
        });
    }
    // Redirects to https are already added above.
    let others = plan.annotations.iter().filter(|it| !keys.contains(&&it.key) && !redirects(it));
    let protects = |it: &&Annotation| {
        effect(&it.key).is_some_and(|effect| effect.protects_with(&it.value) || effect.hides_with(&it.value))
    };
    for annotation in others.filter(|it| protects(it) && !has_no_effect(plan, &it.key)) {
        let intent = objects().find_map(|target| intent_of(plan, target, &annotation.key));
        all.push(Protection {
            what: &annotation.key,
            intent,
            intent_value: intent.and_then(|intent| {
                let read = match intent {
                    Intent::MaxBodySize => intent.read(&size(annotation.value.trim())?),
                    _ => intent.read(&annotation.value),
                };
                let limit = || limit(plan, annotation).filter(|_| intent == Intent::RateLimit);
                read.ok().or_else(limit).map(|value| with_burst(plan, value))
            }),
            value: annotation.value.clone(),
            origin: annotation.origin(),
            targets: objects().filter(|target| loss(plan, annotation, *target) == Loss::Nothing).collect(),
        });
    }
    all
}

/// Returns an intent's value with the burst that the program of the Ingress lets in beyond a limit, also if none is given.
fn with_burst(plan: &Plan, intent_value: IntentValue) -> IntentValue {
    let IntentValue::Rate(RateLimit { requests, per, burst }) = intent_value else { return intent_value };
    let burst = match plan.controller(Target::Ingress) {
        Controller::IngressNginx | Controller::TraefikNginx => {
            burst.unwrap_or_else(|| requests.saturating_mul(5))
        }
        Controller::Traefik => burst.unwrap_or_else(|| requests.saturating_sub(1)),
        Controller::F5Nginx => burst.unwrap_or_default(),
        _ => 0,
    };
    IntentValue::Rate(RateLimit { requests, per, burst: Some(burst) })
}

/// Whether an annotation redirects to https, if a program reads it.
pub(super) fn redirects(annotation: &Annotation) -> bool {
    let known = effect(&annotation.key).filter(|effect| effect.native == NativeFeature::Redirect);
    known.is_some_and(|effect| effect.protects_with(&annotation.value))
}

/// Whether an annotation that somebody gave replaces the one that redirects to https, and turns the redirect off.
fn is_replaced(plan: &Plan, target: Target) -> bool {
    let written = by_controller(plan, target);
    let mut given = written.iter().filter_map(|it| given(plan, target, it.key));
    given.any(|it| turns_redirect_off(&it.key, &it.value))
}

/// Returns the redirect to https, which an option or an annotation asks for, or which ingress-nginx does by default if it
/// terminates TLS.
fn redirect(plan: &Plan, objects: Vec<Target>) -> Option<Protection<'static>> {
    let asked = plan.https_redirect.clone().or_else(|| https_redirect(plan));
    let said = plan.annotations.iter().find(|it| redirects(it));
    let is_read_by = |said: &Annotation, target: Target| {
        is_passed(plan, &said.key, target) && !is_unread_switch(plan, &said.key, target)
    };
    if asked.as_ref().is_some_and(|asked| !asked.value) {
        // A line closes the port without TLS, or redirects, although the option does not ask for it.
        let said = said.filter(|_| plan.https_redirect.is_some())?;
        return Some(redirect_by(
            said.origin(),
            objects.into_iter().filter(|it| is_read_by(said, *it)).collect(),
        ));
    }
    let by_tls = plan.tls.as_ref().filter(|tls| tls.value.is_on() && plan.canary.is_none());
    let origin = asked
        .as_ref()
        .map(|asked| asked.origin.clone())
        .or_else(|| said.map(Annotation::origin))
        .or_else(|| by_tls.map(|tls| tls.origin.clone()))?;
    let is_supported = |target: &Target| {
        said.is_some_and(|said| is_read_by(said, *target))
            || match target {
                Target::Ingress if is_replaced(plan, *target) => false,
                Target::Ingress if plan.controller(*target).is_nginx() => {
                    asked.is_some() || plan.tls().has_secret()
                }
                Target::Ingress => {
                    let support = support(plan, *target, Intent::HttpsRedirect, None);
                    plan.redirects(*target) && support.is_supported()
                }
                // A listener that is named gets no requests without TLS.
                Target::HttpRoute => {
                    let is_named =
                        |parent: &ParentRef| parent.section_name.is_some() || parent.port.is_some();
                    plan.redirects(*target) || (asked.is_none() && plan.parents().iter().all(is_named))
                }
                Target::Route => plan.redirects(*target),
            }
    };
    Some(redirect_by(origin, objects.into_iter().filter(is_supported).collect()))
}

fn redirect_by(origin: Origin, targets: Vec<Target>) -> Protection<'static> {
    Protection {
        what: Intent::HttpsRedirect.as_str(),
        intent: Some(Intent::HttpsRedirect),
        intent_value: None,
        value: String::new(),
        origin,
        targets,
    }
}
