//! Rules about values that ingress-nginx does not accept.

use super::ineffective::is_on;
use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::key::{CrossNamespace, InvalidValue, Key, OnInvalid};
use crate::dialect::nginx::read::intent_of;
use crate::dialect::nginx::{PREFIX, PROGRAM, find, invalid_value};
use crate::dialect::traefik::nginx::CROSS_NAMESPACE;
use crate::dialect::{Allowed, cross_namespace_problem, unexpected};
use crate::intents::Intent;
use crate::plan::context::{RuleContext, is_refused};
use crate::plan::{Annotation, Plan};
use crate::values::Target;

/// ingress-nginx does not look where the ConfigMap of `custom-headers` is, although its documentation allows only the own namespace.
const SHARED_HEADERS: CrossNamespace =
    CrossNamespace::Refuses("ingress-nginx uses, although its documentation allows only the own namespace");

/// Reports values that ingress-nginx does not accept. If another program serves the Service, a bad value has no meaning to
/// translate.
pub(crate) fn values(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let by = plan.targets.contains(&Target::Ingress).then(|| plan.controller(Target::Ingress));
    let is_served = by == Some(Controller::IngressNginx);
    // ingress-nginx refuses objects of other namespaces, which other programs would use.
    let granted = Allowed { cross_namespace: false, protection_loss: false };
    for annotation in &plan.annotations {
        let Some(known) = checked(plan, annotation) else { continue };
        let Annotation { key, value, .. } = annotation;
        if let Some((invalid_value, is_harmless)) = invalid_value(known, value) {
            file(annotation, problem(annotation, &invalid_value, is_harmless, is_served), report);
        } else if by.is_some_and(Controller::is_nginx) {
            let does = match known.name {
                // The administrator may share one ConfigMap.
                "custom-headers" if !(is_served && annotation.is_forwarded()) => continue,
                "custom-headers" => SHARED_HEADERS,
                _ if is_served => PROGRAM.cross_namespace,
                _ => CROSS_NAMESPACE,
            };
            let problem = cross_namespace_problem(does, known, (key, value), plan.namespace(), granted);
            problem.into_iter().for_each(|problem| annotation.file_value(report, problem));
        }
    }
}

/// Returns the row of an annotation whose value ingress-nginx checks. Some values make it refuse the Ingress even if the key
/// has no effect.
fn checked(plan: &Plan, annotation: &Annotation) -> Option<&'static Key> {
    let known = annotation.key.strip_prefix(PREFIX).and_then(find)?;
    let is_on = |name: &&str| is_on(plan, name);
    (known.on_invalid == OnInvalid::Refused || known.needs.is_empty() || known.needs.iter().any(is_on))
        .then_some(known)
}

/// Returns why the value of an annotation is reported here, and whether ingress-nginx only ignores it.
pub(crate) fn bad_value(plan: &Plan, annotation: &Annotation) -> Option<(InvalidValue, bool)> {
    invalid_value(checked(plan, annotation)?, &annotation.value)
}

/// Returns the intents with an Error from here. Nothing more is reported about the lines that express them.
pub(crate) fn refused(plan: &Plan) -> Vec<Intent> {
    let mut refused = Vec::new();
    for annotation in &plan.annotations {
        if bad_value(plan, annotation).is_some_and(|(_, is_harmless)| !is_harmless) {
            refused.extend(intent_of(&annotation.key));
        }
    }
    refused
}

fn problem(
    annotation: &Annotation,
    invalid_value: &InvalidValue,
    is_harmless: bool,
    is_served: bool,
) -> Problem {
    let Annotation { key, value, .. } = annotation;
    let code = if is_harmless { Code::AnnotationIgnored } else { Code::AnnotationInvalid };
    let effect = match invalid_value.on_invalid {
        // The effect is only reported if ingress-nginx serves the Service, and not for a value of another type.
        _ if !is_served => None,
        OnInvalid::Refused | OnInvalid::Denied | OnInvalid::Ignored if !invalid_value.is_text => None,
        OnInvalid::Refused => Some("refuses the whole Ingress"),
        OnInvalid::Denied => Some("answers every request with 503"),
        OnInvalid::Ignored | OnInvalid::False | OnInvalid::Zero | OnInvalid::SkipsItems => {
            Some("ignores the line")
        }
        OnInvalid::AdmitsAll => Some("allows every origin"),
        OnInvalid::DropsFeature => Some("ignores auth-url as a whole: it authenticates no clients"),
    };
    let Some(effect) = effect else { return unexpected(code, key, value, &invalid_value.expected) };
    let message = format!("{} is {}, and ingress-nginx then {effect}", quoted(key), quoted(value));
    Problem::new(code, message).help(format!("write {}", invalid_value.expected))
}

/// Reports a problem with a value, unless a key inside the value is reported.
fn file(annotation: &Annotation, mut problem: Problem, report: &mut Report) {
    if !is_refused(annotation, report) {
        problem.help.get_or_insert_with(|| "correct the value".to_owned());
        annotation.file_value(report, problem);
    }
}

/// Reports that a value of this form is expected.
pub(super) fn file_expected(annotation: &Annotation, expected: &str, report: &mut Report) {
    file(
        annotation,
        unexpected(Code::AnnotationInvalid, &annotation.key, &annotation.value, expected),
        report,
    );
}
