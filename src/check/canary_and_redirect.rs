//! The rule about the intents without a value: a canary, and the redirect to https.

use super::loss::{protecting, subject};
use crate::diagnostics::{Code, FieldPath, Problem, Report, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::nginx::read::redirecting_line;
use crate::dialect::support::{BY_LOAD_BALANCER, Support, support};
use crate::dialect::traefik::support::refused_tls;
use crate::intents::Intent;
use crate::options::annotations::annotation;
use crate::plan::Place;
use crate::plan::context::RuleContext;
use crate::values::Target;

/// Checks that the controllers support a canary and the redirect to https.
pub(crate) fn without_value(context: &RuleContext<'_>, report: &mut Report) {
    for target in context.plan.targets.iter().copied() {
        check_canary(context, target, report);
        redirects(context, target, report);
    }
}

/// Checks that a canary gets the requests that it asks for.
fn check_canary(context: &RuleContext<'_>, target: Target, report: &mut Report) {
    let plan = context.plan;
    let Some(canary) = &plan.canary else { return };
    let server = subject(plan, target);
    let chosen_by = match (target, &canary.cookie) {
        (Target::Ingress, _) => annotation::CANARY_OF,
        (_, Some(_)) => annotation::CANARY_COOKIE,
        (_, None) => annotation::CANARY_HEADER,
    };
    let name = chosen_by.rsplit('/').next().unwrap_or_default();
    let problem = match support(plan, target, Intent::Canary, None) {
        Support::Full => return,
        Support::Partial(difference) => {
            let message = format!("for {}, {server} {difference}", quoted(name));
            Problem::new(Code::IntentDiffers, message)
        }
        Support::Unsupported(help) => {
            let lost = match target {
                Target::Ingress => ": a second Ingress of one host and path would get all requests, or none",
                Target::HttpRoute | Target::Route => ", and the canary would get no requests",
            };
            let message = format!("{server} does not support {name}{lost}");
            Problem::new(Code::TargetInvalid, message).help(help)
        }
    };
    report.file(FieldPath::annotation(chosen_by), problem);
}

/// Checks that requests without TLS are redirected to https. If nothing asks for the redirect, it is expected for an Ingress with
/// TLS, because ingress-nginx redirects by default; the behaviour of some controllers is not known. A Gateway or a router redirects
/// only if it is asked to.
fn redirects(context: &RuleContext<'_>, target: Target, report: &mut Report) {
    let plan = context.plan;
    let is_wanted = match target {
        Target::Ingress => plan.redirects(target) && !plan.controller(target).is_nginx(),
        Target::HttpRoute | Target::Route => plan.https_redirect() == Some(true) && plan.tls().is_on(),
    };
    if !is_wanted || plan.canary.is_some() {
        return;
    }
    let Support::Unsupported(help) = support(plan, target, Intent::HttpsRedirect, None) else { return };
    let line = redirecting_line(plan);
    // Other rules report that an option has no effect without TLS, and that an annotation of Traefik disables TLS. A setting
    // applies only to Services with TLS.
    let is_refused = || {
        plan.controller(target) == Controller::Traefik
            && refused_tls(plan).is_some()
            && plan.asked_redirect().is_none()
    };
    if line.is_none() && (!plan.tls().is_on() || is_refused()) {
        return;
    }
    let help = match line {
        Some(line) if help == BY_LOAD_BALANCER => {
            ["let the load balancer send requests to https, and remove the line ", &line.key].concat().into()
        }
        Some(line) => [&help, ", or remove the line ", &line.key].concat().into(),
        None => help,
    };
    let lacks_listener = target == Target::HttpRoute && plan.http_parents().is_empty();
    let without = if lacks_listener { " without the setting httpParentRefs" } else { "" };
    let message = format!("{} does not support {}{without}", subject(plan, target), Intent::HttpsRedirect);
    let (origin, problem) = match &plan.https_redirect {
        Some(wanted) => {
            let message = format!("{message}, so nothing is redirected to https");
            (&wanted.origin, protecting(context, Intent::HttpsRedirect, message))
        }
        None if plan.controller(target) == Controller::Other => return,
        None => {
            let message = format!("{message}, so requests without TLS are answered, too");
            let Some(tls) = &plan.tls else { return };
            (&tls.origin, Problem::new(Code::IntentLost, message))
        }
    };
    Place::new(line, origin).file(report, problem.help(help));
}
