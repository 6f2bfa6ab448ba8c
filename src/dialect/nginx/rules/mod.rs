//! Rules about the annotations of ingress-nginx: values that it does not accept, canaries, and the redirect to https.

pub(crate) mod ineffective;
pub(crate) mod rewrite;
pub(crate) mod values;
pub(crate) mod www;

use super::read::{NAME_STABLE, unnamed_canary};
use super::{CANARY, CANARY_WEIGHT, CANARY_WEIGHT_TOTAL, is_intent, weight_total};
use crate::diagnostics::{Code, Origin, Problem, Report, quoted};
use crate::dialect::contradicts;
use crate::dialect::support::{Support, support};
use crate::intents::Intent;
use crate::plan::context::RuleContext;
use crate::plan::{Annotation, Plan};
use crate::validation::parse_bool;
use crate::values::Target;

/// Reports a canary that does not name its stable Service. A program that does not read the annotation would serve it as any
/// other Service.
pub(crate) fn canary_unnamed(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let Some(canary) = unnamed_canary(plan) else { return };
    let Some((name, help)) = other_reader(plan) else {
        let message = "no stable Service is named for this canary, and ingress-nginx does not serve it unless another Ingress has the host";
        let help = "write config.xposer.stakater.com/CanaryOf and CanaryWeight, CanaryByHeader or CanaryByCookie in place of the lines about a canary";
        canary.file_key(report, Problem::new(Code::CanaryUnnamed, message).help(help));
        return;
    };
    let message = format!(
        "{name} does not support {}: this Service would get all requests of its host and path, or none",
        quoted(CANARY)
    );
    canary.file_key(report, Problem::new(Code::TargetInvalid, message).help(help));
}

/// Returns the name of a program that serves the Service and does not read the annotations of a canary, with a help; `None` if
/// there is no such program.
fn other_reader(plan: &Plan) -> Option<(&'static str, String)> {
    let is_read = |target: &Target| *target == Target::Ingress && plan.controller(*target).is_nginx();
    let target = *plan.targets.iter().find(|target| !is_read(target))?;
    let mut help = NAME_STABLE.to_owned();
    if let Support::Unsupported(other) = support(plan, target, Intent::Canary, None) {
        help.push_str(", and ");
        help.push_str(&other);
    }
    Some((plan.program_name(target), help))
}

/// Reports options of a canary without a canary, and a weight that is greater than the total.
pub(crate) fn canary(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let is_option = |it: &&Annotation| {
        it.key.strip_prefix(CANARY).is_some_and(|rest| rest.starts_with('-')) && plan.canary.is_none()
    };
    let Some(option) = plan.annotations.iter().find(is_option) else { return };
    if !plan.annotation(CANARY).is_some_and(is_true) {
        let message = [&quoted(&option.key), " is given without ", CANARY, ": \"true\""];
        let help = other_reader(plan).map_or_else(|| NAME_STABLE.to_owned(), |(_, help)| help);
        let problem = Problem::new(Code::AnnotationInvalid, message.concat());
        option.file_key(report, problem.help(help + ", or remove the line"));
    }
    let total = weight_total(plan.annotation(CANARY_WEIGHT_TOTAL).and_then(|it| it.value.parse().ok()));
    let is_outside = |it: &&Annotation| {
        let weight = it.value.parse::<i64>();
        weight.is_ok_and(|weight| u64::try_from(weight).map_or(true, |weight| weight > total))
    };
    if let Some(weight) = plan.annotation(CANARY_WEIGHT).filter(is_outside) {
        values::file_expected(weight, &format!("0 to {total}"), report);
    }
}

fn is_true(annotation: &Annotation) -> bool {
    parse_bool(&annotation.value) == Some(true)
}

/// Reports a contradiction between the block and the annotation `HTTPSRedirect` about requests without TLS.
pub(crate) fn redirect_conflict(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let own = plan.https_redirect.as_ref().filter(|it| matches!(it.origin, Origin::Annotation(_)));
    let Some(own) = own.filter(|_| plan.has_stable_ingress()) else { return };
    // If both annotations of ingress-nginx are given, `force-ssl-redirect` decides, as it does there.
    let line = plan.annotations.iter().find(|it| {
        it.is_forwarded()
            && it.origin() == own.origin
            && is_intent(&it.key)
            && parse_bool(&it.value) == Some(own.value)
    });
    let is_other = |it: &&Annotation| it.is_forwarded() && !(line.is_some() && is_intent(&it.key));
    for given in plan.annotations.iter().filter(is_other) {
        if contradicts(plan.controller(Target::Ingress), &given.key, &given.value, own.value, plan.tls()) {
            let by = line.map_or(Intent::HttpsRedirect.annotation(), |line| &line.key);
            let message = format!(
                "{} contradicts {by}: \"{}\"",
                quoted(&[&given.key, ": ", given.value.as_str()].concat()),
                own.value
            );
            let problem = Problem::new(Code::RedirectConflict, message).help("keep one of the two");
            given.file_value(report, problem);
        }
    }
}
