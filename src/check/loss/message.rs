//! The parts of a message about a loss: its subject, the annotation that it names, and the help.

use super::{is_ineffective_with_passthrough, wanted_by};
use crate::diagnostics::{Code, Origin, Problem, joined};
use crate::dialect::controller::Controller;
use crate::dialect::equivalents::{self, Cause};
use crate::dialect::nginx::read::{annotation_with_text, reason_unread, sample_value};
use crate::dialect::support::{NO_REQUEST_HELP, Support, no_request, support, unread_because_of};
use crate::options::annotations::annotation;
use crate::plan::context::RuleContext;
use crate::plan::{Annotation, Place, Plan};
use crate::values::Target;

/// Returns where a finding is placed, and the finding. If the Service itself asks that no request is read, and this takes the effect
/// of a protection of the settings away, that is the fault of its author, who cannot change the settings. `setting` is the
/// origin of a protection that has no effect for this reason.
pub(super) fn at_author<'p>(
    plan: &'p Plan,
    setting: Option<&Origin>,
    key: &str,
    place: Place<'p>,
    mut problem: Problem,
) -> (Place<'p>, Problem) {
    let Some(Origin::Setting(path)) = setting.filter(|_| problem.code == Code::ProtectionLost) else {
        return (place, problem);
    };
    let Some(cause) = unread_because_of(plan) else { return (place, problem) };
    problem.message = format!("{path} has no effect, because requests are not read: {}", problem.message);
    let help = format!("remove it, or ask your administrator to add {key} to annotations.acceptLoss");
    (cause, problem.help(help))
}

/// Returns the part of a help that names where the annotation has its effect.
pub(super) fn target_to_use(targets: &[Target]) -> &'static str {
    match targets {
        [Target::Ingress] => "choose another class",
        _ => "keep the target Ingress",
    }
}

/// The annotation to report, why it is lost although the program has words for it, and what to write instead.
type Reported<'p> = (&'p Annotation, Option<Cause>, Option<String>);

/// Returns what to report about a loss on these targets.
pub(super) fn reported_annotation<'p>(
    plan: &'p Plan,
    annotation: &'p Annotation,
    targets: &[Target],
) -> Reported<'p> {
    let plain;
    let (intent, intent_value, wrong) = if let Some(wanted) = wanted_by(plan, annotation) {
        (Some(wanted.intent), Some(&wanted.intent_value), None)
    } else if let Some(target) =
        targets.iter().find(|target| is_ineffective_with_passthrough(plan, &annotation.key, **target))
    {
        let help = no_request(plan, *target).unwrap_or(NO_REQUEST_HELP);
        return (annotation, None, Some(help.to_owned()));
    } else if let Some((intent, wrong)) = reason_unread(plan, &annotation.key) {
        plain = intent.and_then(sample_value);
        (intent, plain.as_ref(), Some(wrong))
    } else {
        let (cause, help) = equivalents::instead(plan, annotation, targets);
        return (annotation, cause, help);
    };
    let mut help = None;
    for target in targets {
        match (intent.map(|intent| support(plan, *target, intent, intent_value)), &wrong) {
            (Some(Support::Unsupported(instead)), _) => help = help.or(Some(instead.into_owned())),
            (support, Some(wrong)) => {
                let named =
                    support.and(intent).and_then(|intent| annotation_with_text(plan, intent, &wrong.said));
                let cause = (!wrong.said.is_empty()).then(|| Cause::Value(wrong.said.clone()));
                return (named.unwrap_or(annotation), cause, Some(wrong.help.clone()));
            }
            (_, None) => {}
        }
    }
    (annotation, None, help)
}

/// Returns the help for a redirect that is both required and disabled: what disables it, and what else is missing.
pub(super) fn allowed_redirect(context: &RuleContext<'_>, against: &Origin, targets: &[Target]) -> String {
    let plan = context.plan;
    let mut help = match against {
        Origin::Setting(setting) => format!("write {setting}: true"),
        Origin::Annotation(_) | Origin::Field(_) | Origin::BuiltIn => {
            format!("write {}: \"true\"", annotation::HTTPS_REDIRECT)
        }
    };
    let lacks_tls = |target: &Target| match target {
        Target::Route => !plan.tls().has_secret(),
        Target::Ingress | Target::HttpRoute => !plan.tls().is_on(),
    };
    if targets.iter().any(lacks_tls) {
        help.push_str(&format!(", set {}", annotation::TLS));
    }
    if targets.contains(&Target::HttpRoute) && plan.http_parents().is_empty() {
        help.push_str(", set the setting httpParentRefs");
    }
    help.push_str(", or remove the line");
    help
}

/// Returns the subject of a message about a loss on these targets.
pub(super) fn subjects(plan: &Plan, targets: &[Target]) -> String {
    joined(&targets.iter().map(|target| subject(plan, *target)).collect::<Vec<_>>(), " and ")
}

/// Returns the name of the program that serves a target, or of the kind of object if any program may serve it.
pub(in crate::check) fn subject(plan: &Plan, target: Target) -> &'static str {
    match (target, plan.controller(target)) {
        (Target::HttpRoute, Controller::Gateway) | (Target::Route, _) => target.with_article(),
        _ => plan.program_name(target),
    }
}
