//! Rules about the annotations that are passed on: which ones may not be, and which ones are in a place where they are not read.

use crate::diagnostics::{Code, FieldPath, Origin, Problem, Report, quoted};
use crate::dialect::words::keys_of;
use crate::dialect::{Granted, is_snippet, problem_of_value};
use crate::plan::Annotation;
use crate::plan::context::{RuleContext, is_refused};

/// No key is on the list of those that may not be forwarded.
pub(crate) fn denied(context: &RuleContext<'_>, report: &mut Report) {
    for forwarded in &context.plan.annotations {
        let Some(pattern) = context.denial(forwarded) else { continue };
        let key = forwarded.key.as_str();
        let message = if is_snippet(key) {
            format!("{} would put text into the controller's configuration as it is", quoted(key))
        } else {
            format!("{} may not be forwarded: the administrator denies {}", quoted(key), quoted(pattern))
        };
        let help = "remove the line, or ask your administrator to allow the key";
        forwarded.file_key(report, Problem::new(Code::AnnotationDenied, message).help(help));
    }
}

/// No option of the Service says what its author may not forward in the words of a program.
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
        let denial = |key: &str| settings.deny.first(key).filter(|_| !settings.allow.fit(key));
        let of_program = || keys_of(context.plan, wanted.intent).find_map(|key| Some((denial(&key)?, key)));
        let message = if let Some(pattern) = denial(option) {
            format!("{option} may not be used: the administrator denies {}", quoted(pattern))
        } else if let Some((pattern, key)) = of_program() {
            format!(
                "{option} says what {} says, which may not be forwarded: the administrator denies {}",
                quoted(&key),
                quoted(pattern)
            )
        } else {
            continue;
        };
        let help = format!("remove it, or ask your administrator to allow {option}");
        report.file(FieldPath::annotation(option), Problem::new(Code::AnnotationDenied, message).help(help));
    }
}

/// Whoever serves the Service takes what is given in its own words, and looks for objects in the namespace of the Service.
pub(crate) fn own_words(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    for annotation in &plan.annotations {
        let Annotation { key, value, .. } = annotation;
        let settings = context.settings;
        let granted = || Granted {
            to_name: !annotation.is_forwarded() || settings.allow.fit(key),
            to_lose: settings.accept_loss.fit(key),
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

/// No annotation for an Ingress controller is on the Service itself, where the controller does not read it.
pub(crate) fn beside(context: &RuleContext<'_>, report: &mut Report) {
    for key in &context.service.of_ingresses {
        let message = format!("nobody reads {} on a Service: it is for an Ingress", quoted(key));
        let help = if context.forwarded.block.contains(key) {
            "remove it; xposer.stakater.com/annotations has it"
        } else {
            "move it into xposer.stakater.com/annotations, or remove it"
        };
        let problem = Problem::new(Code::AnnotationBeside, message).help(help);
        report.file(FieldPath::annotation((*key).to_owned()), problem);
    }
}
