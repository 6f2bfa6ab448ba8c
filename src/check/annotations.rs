//! Rules about forwarded annotations: keys that are denied, values that are invalid, and annotations in a place where no program
//! reads them.

use super::loss::wanted_by;
use crate::diagnostics::{Code, FieldPath, Origin, Problem, Report, quoted};
use crate::dialect::equivalents::equivalent;
use crate::dialect::mappings::{intent_named, intent_of, is_equivalent, keys_of, weakened_by};
use crate::dialect::misspelt;
use crate::dialect::nginx::ALIASES;
use crate::dialect::{
    Allowed, is_of_gateway, is_snippet, place_of, problem_of_value, protects, reads_on_service,
};
use crate::intents::Intent;
use crate::plan::context::{RuleContext, is_refused};
use crate::plan::{Annotation, Plan, RequestedIntent};
use crate::resolve::{ASK, contradiction};
use crate::values::Target;

/// Checks that no forwarded key is denied by the administrator.
pub(crate) fn denied(context: &RuleContext<'_>, report: &mut Report) {
    for forwarded in &context.plan.annotations {
        let key = forwarded.key.as_str();
        let message = match context.denial(forwarded) {
            Some(_) if is_snippet(key) => {
                format!("{} would put text into the controller's configuration as it is", quoted(key))
            }
            Some(pattern) => {
                format!("{} may not be forwarded: the administrator denies {}", quoted(key), quoted(pattern))
            }
            None => match denied_elsewhere(context, forwarded) {
                Some((pattern, other)) => says_denied(&quoted(key), &other, pattern),
                None => continue,
            },
        };
        let help = "remove the line, or ask your administrator to allow the key";
        forwarded.file_key(report, Problem::new(Code::AnnotationDenied, message).help(help));
    }
}

/// Returns the pattern that denies another key with the meaning of a forwarded line, and this other key. The administrator denies
/// the feature with this pattern, so the line is denied, too.
fn denied_elsewhere<'f>(context: &RuleContext<'f>, forwarded: &Annotation) -> Option<(&'f str, String)> {
    let (plan, settings, key) = (context.plan, context.settings, forwarded.key.as_str());
    settings.deny.iter().next().filter(|_| forwarded.is_forwarded() && !settings.allow.fit(key))?;
    let denial = |other: &str| settings.denied_by(other);
    let aliases = ALIASES.iter().filter(|names| names.contains(&key)).flatten().copied();
    let equivalents = plan.targets.iter().filter_map(|target| Some(equivalent(plan, *target, key)?.key));
    if let Some(found) = aliases.chain(equivalents).find_map(|other| Some((denial(other)?, other.to_owned())))
    {
        return Some(found);
    }
    let of_target = || plan.targets.iter().find_map(|target| intent_of(plan, *target, key));
    let intent = wanted_by(plan, forwarded).map(|wanted| wanted.intent).or_else(of_target)?;
    let others = keys_of(plan, intent).filter(|other| is_equivalent(plan, intent, key, other));
    others.into_iter().find_map(|other| Some((denial(&other)?, other)))
}

fn says_denied(what: &str, other: &str, pattern: &str) -> String {
    format!(
        "{what} is equivalent to {}, which may not be forwarded: the administrator denies {}",
        quoted(other),
        quoted(pattern)
    )
}

/// Checks that no forwarded line disables what an option or a setting asks for.
pub(crate) fn options_without_effect(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let given = plan.annotations.iter().filter(|it| it.is_forwarded() && plan.has_stable_ingress());
    for (given, (intents, does)) in given.filter_map(|it| Some((it, weakened_by(plan, it)?))) {
        let is_undone = |it: &&RequestedIntent| intents.contains(&it.intent) && it.origin != given.origin();
        // If only ingress-nginx reads the annotations, the plan has no intents of them. So this searches the annotations of the
        // settings, too.
        let of_setting = |it: &Annotation| {
            let intent = intent_of(plan, Target::Ingress, &it.key).filter(|it| intents.contains(it))?;
            (!it.is_forwarded() && protects(&it.key, &it.value)).then(|| (intent, it.origin()))
        };
        let wanted = plan.intents.iter().find(is_undone).map(|it| (it.intent, it.origin.clone()));
        let wanted = wanted.or_else(|| plan.annotations.iter().find_map(of_setting));
        let Some((intent, origin)) = wanted else { continue };
        let key = quoted(&given.key);
        let problem = match (does, origin) {
            (Some(does), _) => {
                let message = ["for ", &quoted(intent.as_str()), ", ", &key, " ", does].concat();
                Problem::new(Code::IntentDiffers, message)
                    .help("remove the line, unless such a proxy is there")
            }
            (None, Origin::Setting(path)) => contradiction(&key, &path.to_string()).help(ASK),
            (None, _) => contradiction(&key, intent.annotation()),
        };
        given.file_key(report, problem);
    }
}

/// Checks that no option of the Service is denied, either by its own key or by a key of a program with the same meaning.
pub(crate) fn denied_options(context: &RuleContext<'_>, report: &mut Report) {
    let settings = context.settings;
    if settings.deny.iter().next().is_none() {
        return;
    }
    for wanted in &context.plan.intents {
        let option = wanted.intent.annotation();
        let is_own = matches!(&wanted.origin, Origin::Annotation(key) if *key == option);
        if !is_own || settings.allow.fit(option) {
            continue;
        }
        let of_program =
            || keys_of(context.plan, wanted.intent).find_map(|key| Some((settings.denied_by(&key)?, key)));
        let message = if let Some(pattern) = settings.denied_by(option) {
            format!("{option} may not be used: the administrator denies {}", quoted(pattern))
        } else if let Some((pattern, key)) = of_program() {
            says_denied(option, &key, pattern)
        } else {
            continue;
        };
        let help = format!("remove it, or ask your administrator to allow {option}");
        report.file(FieldPath::annotation(option), Problem::new(Code::AnnotationDenied, message).help(help));
    }
}

/// Reports lines of ingress-nginx that the program has a key for, which does it differently.
pub(crate) fn differing(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    for given in &plan.annotations {
        let known = equivalent(plan, Target::Ingress, &given.key).filter(|it| !it.differs.is_empty());
        if let Some(known) = known.filter(|_| context.denial(given).is_none()) {
            let server = plan.program_name(Target::Ingress);
            let message = ["for ", &quoted(&given.key), ", ", server, " ", known.differs].concat();
            given.file_key(report, Problem::new(Code::IntentDiffers, message));
        }
    }
}

/// Checks the values of a program's own annotations: the program that serves the Service accepts them, and they name only objects
/// in the namespace of the Service.
pub(crate) fn native_values(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    // The rule `key-elsewhere` reports keys in the wrong place, together with their values.
    for annotation in plan.annotations.iter().filter(|it| place_of(&it.key).is_none()) {
        let Annotation { key, value, .. } = annotation;
        let settings = context.settings;
        let granted = || Allowed {
            cross_namespace: !annotation.is_forwarded() || settings.allow.fit(key),
            protection_loss: settings.accept_loss.fit(key),
        };
        let targets = plan.targets.iter().filter(|target| plan.has_object(**target));
        let mut readers = targets
            .map(|target| plan.controller(*target))
            .filter(|controller| !controller.is_nginx() && controller.reads(key));
        let found =
            readers.find_map(|reader| problem_of_value(reader, key, value, plan.namespace(), granted()));
        if let Some(problem) =
            found.filter(|_| context.denial(annotation).is_none() && !is_refused(annotation, report))
        {
            annotation.file_value(report, problem);
        }
    }
}

/// Checks the annotations that a controller reads on the Service itself. Nobody forwards them, so they may name any object.
pub(crate) fn on_service(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    for (key, value) in &plan.service_annotations {
        let granted = Allowed { cross_namespace: true, protection_loss: true };
        let mut readers = plan.targets.iter().filter(|target| {
            let has_readers = **target == Target::Ingress || is_of_gateway(key);
            has_readers && plan.has_object(**target) && reads_on_service(plan.controller(**target), key)
        });
        let problem = readers.next().and_then(|target| {
            problem_of_value(plan.controller(*target), key, value, None, granted)
                .or_else(|| misspelt::problem(key, value))
        });
        if let Some(problem) = problem {
            report.file(FieldPath::annotation(key.clone()), problem);
        }
    }
}

/// Reports annotations for an Ingress controller that are on the Service itself, where the controller does not read them.
pub(crate) fn annotations_on_service(context: &RuleContext<'_>, report: &mut Report) {
    for &(key, value) in &context.service.ingress_annotations {
        let is_twice = context.forwarded.block.contains(key);
        let help = if is_twice {
            "remove it; xposer.stakater.com/annotations already has it"
        } else {
            "move it into xposer.stakater.com/annotations, or remove it"
        };
        let mut code = Code::AnnotationBeside;
        let mut message = format!("{} is read on an Ingress, not on a Service", quoted(key));
        if !is_twice && asks_for_protection(key, value) && !has_protection_of(context.plan, key) {
            message += ", so the Service would not have this protection";
            (code, message) = context.settings.lost(key, message);
        }
        report.file(FieldPath::annotation(key.to_owned()), Problem::new(code, message).help(help));
    }
}

/// Whether a key protects, or is probably a misspelling of one that does.
fn asks_for_protection(key: &str, value: &str) -> bool {
    let is_meant =
        |it: misspelt::UnknownKey| misspelt::means_protection(it.is_foreign, it.intended.as_deref(), value);
    protects(key, value) || misspelt::misspelt(key, value).is_some_and(is_meant)
}

/// Whether the objects of a plan get the protection of a key by an option, a setting or a line with the same meaning.
fn has_protection_of(plan: &Plan, key: &str) -> bool {
    let named = |key: &str| intent_named(key.rsplit('/').next().unwrap_or_default());
    let intent = named(key);
    let is_it = |other: Option<Intent>| other.is_some() && other == intent;
    plan.annotation(key).is_some()
        || plan.intents.iter().any(|it| is_it(Some(it.intent)))
        || plan.annotations.iter().any(|it| is_it(named(&it.key)))
}
