//! Rules about annotations that have no effect on what is made: nothing that protects is lost.

use super::{RuleContext, annotations, misspelt};
use crate::diagnostics::{Code, Origin, Problem, Report, quoted};
use crate::dialect::nginx;
use crate::dialect::programs::{Effect, Loss, Same, effect};
use crate::options::annotations::annotation;
use crate::options::{Layers, Target, Termination, Tls};
use crate::resolve::{Annotation, Draft};
use crate::validation::parse_bool;

/// What decides whether a target does by itself what an annotation of another program asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) tls: Tls,
    pub(crate) https_redirect: Option<bool>,
    /// Whether it is known which listeners of Gateways have no TLS.
    pub(crate) has_http_parents: bool,
    pub(crate) termination: Termination,
    /// Whether a path is a regular expression.
    pub(crate) has_pattern: bool,
    pub(crate) is_canary: bool,
    /// Whether it is a canary that is nothing but a share of the requests.
    pub(crate) is_weight_only: bool,
}

impl Scene {
    fn of(plan: &Draft<'_>, layers: Layers<'_>) -> Self {
        Self {
            tls: plan.tls(),
            https_redirect: plan.https_redirect.as_ref().map(|redirect| redirect.value),
            has_http_parents: layers
                .first(|it| it.http_parent_refs.as_ref())
                .is_some_and(|refs| !refs.value.is_empty()),
            termination: layers.first(|it| it.termination.as_ref()).map(|it| it.value).unwrap_or_default(),
            has_pattern: plan.rules.iter().any(|rule| rule.path_type.is_pattern(&rule.path)),
            is_canary: plan.canary.is_some(),
            is_weight_only: plan.canary.as_ref().is_some_and(|canary| canary.header.is_none()),
        }
    }

    /// Whether an object of this kind is made.
    fn has_object(&self, target: Target) -> bool {
        match target {
            Target::Ingress => true,
            Target::HttpRoute => !self.is_weight_only,
            Target::Route => !self.is_canary,
        }
    }

    /// Whether requests without TLS are sent to https, or get no answer.
    pub(crate) fn redirects(&self, target: Target) -> bool {
        let is_wanted = self.https_redirect != Some(false);
        match target {
            // Its controller reads the annotations.
            Target::Ingress => true,
            Target::HttpRoute => self.tls.is_on() && is_wanted && self.has_http_parents && !self.is_canary,
            Target::Route => {
                self.tls.has_secret() && (is_wanted || self.termination == Termination::Passthrough)
            }
        }
    }

    /// Whether a target does what a key asks for.
    fn does(&self, target: Target, effect: Effect, value: &str) -> bool {
        match effect.same {
            Same::None => false,
            // The redirect of a canary is that of the stable Service.
            Same::Redirect => self.is_canary || self.redirects(target),
            Same::Passthrough => {
                target == Target::Route
                    && self.tls.has_secret()
                    && self.termination == Termination::Passthrough
            }
            Same::Pattern => target == Target::HttpRoute && self.has_pattern,
            Same::Reencrypt => {
                target == Target::Route
                    && self.tls.has_secret()
                    && self.termination == Termination::Reencrypt
                    && (value.eq_ignore_ascii_case("HTTPS") || parse_bool(value) == Some(true))
            }
        }
    }

    /// What is lost with an annotation on a target.
    fn loss(&self, annotation: &Annotation<'_>, target: Target) -> Loss {
        if target == Target::Ingress || !self.has_object(target) {
            return Loss::Nothing;
        }
        match effect(&annotation.key) {
            Some(effect)
                if !effect.idle.is(&annotation.value)
                    && !effect.read_on.contains(&target)
                    && !self.does(target, effect, &annotation.value) =>
            {
                effect.loss
            }
            _ => Loss::Nothing,
        }
    }

    /// Whether the target does what an annotation asks for, so that nothing is to be said of it. A regular expression means
    /// something else there.
    pub(crate) fn fulfils(&self, annotation: &Annotation<'_>, target: Target) -> bool {
        let wanted = effect(&annotation.key).filter(|effect| effect.same != Same::Pattern);
        wanted.is_some_and(|effect| {
            !effect.idle.is(&annotation.value) && self.does(target, effect, &annotation.value)
        })
    }

    /// Whether a rule has something to say of an annotation on this target, so that nobody else must.
    pub(crate) fn is_told(&self, annotation: &Annotation<'_>, target: Target) -> bool {
        annotation.is_given()
            && (self.loss(annotation, target) > Loss::Nothing
                || misspelt::is_told(&annotation.key, &annotation.value))
    }

    /// Whether an annotation says that nothing is sent to https, and the target does so all the same.
    pub(crate) fn redirects_against(&self, annotation: &Annotation<'_>, target: Target) -> bool {
        annotation.key.ends_with("/ssl-redirect")
            && parse_bool(&annotation.value) == Some(false)
            && self.redirects(target)
    }
}

/// An HTTPRoute and a Route are not made without what protects the Service on an Ingress.
pub(crate) fn lost(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if plan.annotations.is_empty() || plan.targets == [Target::Ingress] {
        return;
    }
    let scene = Scene::of(plan, context.layers);
    for annotation in plan.annotations.iter().filter(|it| it.is_given()) {
        let losses = plan.targets.iter().map(|target| (scene.loss(annotation, *target), *target));
        let Some((loss, _)) = losses.clone().max_by_key(|(loss, _)| *loss) else { continue };
        if loss == Loss::Nothing || annotations::denial(context.settings, annotation).is_some() {
            continue;
        }
        let targets: Vec<Target> = losses.filter(|(own, _)| *own == loss).map(|(_, target)| target).collect();
        annotation.file_key(report, problem(context, annotation, loss, &targets));
    }
}

fn problem(
    context: &RuleContext<'_>,
    annotation: &Annotation<'_>,
    loss: Loss,
    targets: &[Target],
) -> Problem {
    let key = annotation.key.as_ref();
    let verb = if targets.len() == 1 { "has" } else { "have" };
    let lacks = format!("{} {verb} nothing for {}", kinds(targets), quoted(key));
    if loss == Loss::Weakens {
        let said = format!("{lacks}, without which the Service is less safe or does not answer");
        return Problem::new(Code::ProtectionWeakened, said)
            .help("remove the line, or keep the target Ingress");
    }
    let is_redirect = effect(key).is_some_and(|effect| effect.same == Same::Redirect);
    let why = if is_redirect { "and no request is sent to https" } else { "which protects the Service" };
    if context.settings.accept_loss.fit(key) {
        let said = format!("{lacks}, {why}, and the administrator accepts that");
        return Problem::new(Code::ProtectionLossAccepted, said)
            .help("protect the Service by other means, and remove the line");
    }
    let against = context.plan.https_redirect.as_ref().filter(|it| is_redirect && !it.value);
    if let Some(against) = against {
        let help = allowed_redirect(context, &against.origin, targets);
        return Problem::new(Code::ProtectionLost, format!("{lacks}, {why}")).help(help);
    }
    let help = match (is_redirect, annotation.is_forwarded()) {
        (true, _) if targets.contains(&Target::HttpRoute) => {
            "remove the line, and set config.xposer.stakater.com/TLS and the setting httpParentRefs"
        }
        (true, _) => "remove the line, and set config.xposer.stakater.com/TLS",
        (false, true) => {
            "remove the line, keep the target Ingress, or ask your administrator for annotations.acceptLoss"
        }
        (false, false) => {
            "remove the line, keep the target Ingress, or name the key in annotations.acceptLoss"
        }
    };
    Problem::new(Code::ProtectionLost, format!("{lacks}, {why}")).help(help)
}

/// What to do where the redirect is asked for and forbidden: by whom, and what else is missing for it.
fn allowed_redirect(context: &RuleContext<'_>, against: &Origin, targets: &[Target]) -> String {
    let scene = Scene::of(context.plan, context.layers);
    let mut help = match against {
        Origin::Setting(setting) => format!("write {setting}: true"),
        Origin::Annotation(_) | Origin::BuiltIn => format!("write {}: \"true\"", annotation::HTTPS_REDIRECT),
    };
    let lacks_tls = |target: &Target| match target {
        Target::Route => !scene.tls.has_secret(),
        Target::Ingress | Target::HttpRoute => !scene.tls.is_on(),
    };
    if targets.iter().any(lacks_tls) {
        help.push_str(&format!(", set {}", annotation::TLS));
    }
    if targets.contains(&Target::HttpRoute) && !scene.has_http_parents {
        help.push_str(", set the setting httpParentRefs");
    }
    help.push_str(", or remove the line");
    help
}

/// The kinds of objects, with their articles.
fn kinds(targets: &[Target]) -> String {
    let one = |target: &Target| format!("{} {}", article(*target), target.as_str());
    targets.iter().map(one).collect::<Vec<_>>().join(" and ")
}

fn article(target: Target) -> &'static str {
    if target == Target::Route { "a" } else { "an" }
}

/// What the author of a canary forwards has an effect on it. Defaults are for everybody: they count on the stable Service.
pub(crate) fn canary(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if plan.canary.is_none() {
        return;
    }
    let scene = Scene::of(plan, context.layers);
    let stable = Scene { is_canary: false, is_weight_only: false, ..scene };
    for annotation in plan.annotations.iter().filter(|it| it.is_forwarded()) {
        let name = nginx::any_name(&annotation.key);
        let is_read = |target: &&Target| match target {
            Target::Ingress => name.is_none_or(nginx::is_read_on_canary),
            other => scene.has_object(**other),
        };
        if plan.targets.iter().any(|target| is_read(&target))
            || context.is_mirrored(annotation)
            || annotations::denial(context.settings, annotation).is_some()
        {
            continue;
        }
        let protects = effect(&annotation.key)
            .is_some_and(|effect| effect.loss > Loss::Nothing && !effect.idle.is(&annotation.value));
        let said = match plan.targets.first() {
            Some(Target::Ingress) | None => {
                format!("ingress-nginx ignores {} on a canary", quoted(&annotation.key))
            }
            Some(Target::HttpRoute) => format!(
                "a canary without a header has no HTTPRoute of its own, so {} has no effect",
                quoted(&annotation.key)
            ),
            Some(Target::Route) => {
                format!("a canary has no Route of its own, so {} has no effect", quoted(&annotation.key))
            }
        };
        let code = if protects { Code::CanaryAnnotationIgnored } else { Code::TargetInexpressible };
        let is_lost = plan.targets.iter().any(|target| stable.loss(annotation, *target) > Loss::Nothing);
        let help = if is_lost { "remove the line" } else { "move the line to the stable Service" };
        annotation.file_key(report, Problem::new(code, said).help(help));
    }
}
