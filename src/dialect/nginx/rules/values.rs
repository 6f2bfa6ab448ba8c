//! Rules about values that ingress-nginx does not take.

use super::traps::is_on;
use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::dialect::key::{Bad, Key, Loss};
use crate::dialect::nginx::{PREFIX, PROGRAM, find};
use crate::dialect::{Granted, elsewhere, unexpected};
use crate::plan::context::{RuleContext, is_refused};
use crate::plan::{Annotation, Plan};

/// ingress-nginx takes the values.
pub(crate) fn values(context: &RuleContext<'_>, report: &mut Report) {
    // ingress-nginx refuses what others would use.
    let granted = Granted { to_name: false, to_lose: false };
    for annotation in &context.plan.annotations {
        let Some(known) = annotation.key.strip_prefix(PREFIX).and_then(find) else { continue };
        if !is_checked(context.plan, known) {
            continue;
        }
        if let Some(problem) = misfit(known, annotation) {
            file(annotation, problem, report);
        } else if let Some(problem) = elsewhere(
            &PROGRAM,
            known,
            (&annotation.key, &annotation.value),
            context.plan.namespace(),
            granted,
        ) {
            annotation.file_value(report, problem);
        }
    }
}

/// Whether ingress-nginx looks at the value of a key. A few values keep it from taking the Ingress even if the key has no effect.
fn is_checked(plan: &Plan, known: &Key) -> bool {
    known.bad == Bad::Refused || known.needs.is_empty() || known.needs.iter().any(|name| is_on(plan, name))
}

fn misfit(known: &Key, annotation: &Annotation) -> Option<Problem> {
    let Annotation { key, value, .. } = annotation;
    known.shape?;
    if value.contains(['\r', '\n']) {
        return Some(unexpected(Code::AnnotationInvalid, key, value, "a value on one line"));
    }
    let misfit = known.misfit(value)?;
    let effect = match misfit.bad {
        // Of a value of another type, nothing more has to be said.
        Bad::Refused | Bad::Denied | Bad::Ignored if !misfit.is_text => {
            return Some(unexpected(Code::AnnotationInvalid, key, value, &misfit.expected));
        }
        Bad::Refused => "refuses the whole Ingress",
        Bad::Denied => "answers every request with 503",
        Bad::Ignored | Bad::False | Bad::Zero | Bad::Parted => "ignores the line",
        Bad::Opened => "allows every origin",
        Bad::Dropped => "leaves out auth-url as a whole: it asks nobody who comes",
    };
    let is_harmless = misfit.bad == Bad::Ignored && known.loss < Loss::Weakens;
    let code = if is_harmless { Code::AnnotationIgnored } else { Code::AnnotationInvalid };
    let message = format!("{} is {}, and ingress-nginx then {effect}", quoted(key), quoted(value));
    Some(Problem::new(code, message).help(format!("write {}", misfit.expected)))
}

/// Files a finding about a value, unless a key inside it has one.
fn file(annotation: &Annotation, mut problem: Problem, report: &mut Report) {
    if !is_refused(annotation, report) {
        problem.help.get_or_insert_with(|| "correct the value".to_owned());
        annotation.file_value(report, problem);
    }
}

/// Files the finding that a value of this form is expected.
pub(super) fn file_expected(annotation: &Annotation, expected: &str, report: &mut Report) {
    file(
        annotation,
        unexpected(Code::AnnotationInvalid, &annotation.key, &annotation.value, expected),
        report,
    );
}
