//! The rule about what a Service wants without a value: a canary, and the redirect to https.

use super::loss::{protecting, subject};
use crate::diagnostics::{Code, FieldPath, Problem, Report, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::nginx;
use crate::dialect::says::{BY_LOAD_BALANCER, Says, says};
use crate::dialect::traefik::says::refused_tls;
use crate::intents::Intent;
use crate::options::annotations::annotation;
use crate::plan::context::RuleContext;
use crate::plan::{Annotation, Plan};
use crate::validation::parse_bool;
use crate::values::Target;

/// A canary and the redirect to https, which have no value, are done by whoever serves the Service.
pub(crate) fn without_value(context: &RuleContext<'_>, report: &mut Report) {
    for target in context.plan.targets.iter().copied() {
        shares(context, target, report);
        redirects(context, target, report);
    }
}

/// A canary gets the requests that it asks for.
fn shares(context: &RuleContext<'_>, target: Target, report: &mut Report) {
    let plan = context.plan;
    let Some(canary) = &plan.canary else { return };
    let server = subject(plan, target);
    let chosen_by = match (target, &canary.cookie) {
        (Target::Ingress, _) => annotation::CANARY_OF,
        (_, Some(_)) => annotation::CANARY_COOKIE,
        (_, None) => annotation::CANARY_HEADER,
    };
    let name = chosen_by.rsplit('/').next().unwrap_or_default();
    let problem = match says(plan, target, Intent::Canary, None) {
        Says::Fully => return,
        Says::But(difference) => {
            let said = format!("for {}, {server} {difference}", quoted(name));
            Problem::new(Code::IntentDiffers, said)
        }
        Says::Lacks(help) => {
            let lost = match target {
                Target::Ingress => ": a second Ingress of one host and path would get all requests, or none",
                Target::HttpRoute | Target::Route => ", and the canary would get no request",
            };
            let said = format!("{server} has nothing for {name}{lost}");
            Problem::new(Code::TargetInvalid, said).help(help)
        }
    };
    report.file(FieldPath::annotation(chosen_by), problem);
}

/// Requests without TLS are sent to https. Without a word about it, it is what ingress-nginx does with TLS; of some controllers
/// nothing is known, and a Gateway or a router does it where it is asked to.
fn redirects(context: &RuleContext<'_>, target: Target, report: &mut Report) {
    let plan = context.plan;
    let is_wanted = match target {
        Target::Ingress => plan.redirects(target) && !plan.controller(target).is_nginx(),
        Target::HttpRoute | Target::Route => plan.https_redirect() == Some(true) && plan.tls().is_on(),
    };
    if !is_wanted || plan.canary.is_some() {
        return;
    }
    let Says::Lacks(help) = says(plan, target, Intent::HttpsRedirect, None) else { return };
    let line = redirecting_line(plan);
    let is_option =
        line.is_none() && matches!(plan.controller(target), Controller::Traefik | Controller::Alb);
    // That an option has no effect without TLS is told by a rule of its own; a setting is for those that have it. So is that a line of
    // Traefik keeps TLS away.
    let is_refused = || {
        plan.controller(target) == Controller::Traefik
            && refused_tls(plan).is_some()
            && plan.asked_redirect().is_none()
    };
    if is_option && (!plan.tls().is_on() || is_refused()) {
        return;
    }
    let help = match line {
        Some(line) if help == BY_LOAD_BALANCER => {
            ["let the load balancer send requests to https, and remove the line ", &line.key].concat().into()
        }
        Some(line) => [&help, ", or remove the line ", &line.key].concat().into(),
        None => help,
    };
    let said = format!("{} has nothing for {}", subject(plan, target), Intent::HttpsRedirect);
    let (origin, problem) = match &plan.https_redirect {
        Some(wanted) => {
            let said = format!("{said}, and no request is sent to https");
            (&wanted.origin, protecting(context, Intent::HttpsRedirect, said))
        }
        None if plan.controller(target) == Controller::Other => return,
        None => {
            let said = format!("{said}, so that requests without TLS are answered, too");
            let Some(tls) = &plan.tls else { return };
            (&tls.origin, Problem::new(Code::IntentLost, said))
        }
    };
    report.file(origin.path(), problem.help(help));
}

/// The line of ingress-nginx by which requests without TLS are sent to https, if no option says it.
pub(super) fn redirecting_line(plan: &Plan) -> Option<&Annotation> {
    let wanted = plan.https_redirect.as_ref().filter(|wanted| wanted.value)?;
    plan.annotations.iter().find(|it| {
        nginx::is_intent(&it.key) && it.origin() == wanted.origin && parse_bool(&it.value) == Some(true)
    })
}
