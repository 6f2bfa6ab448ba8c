//! Rules about a canary: the requirements of ingress-nginx, and the annotations and options that have an effect on it.

use super::loss::{loss, subject};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, Report, quoted};
use crate::dialect::{effect, nginx};
use crate::intents::{Intent, Loss};
use crate::options::annotations::annotation;
use crate::plan::context::RuleContext;
use crate::plan::{Annotation, Plan, RequestedIntent};
use crate::values::Target;

/// Checks that a canary names another Service, and has a weight, a header or a cookie that selects its requests.
pub(crate) fn canary(context: &RuleContext<'_>, report: &mut Report) {
    let Some(canary) = &context.plan.canary else { return };
    if canary.of == context.service.name() {
        let problem = Problem::new(Code::CanaryInvalid, "a Service cannot be the canary of itself");
        report.file(FieldPath::annotation(annotation::CANARY_OF), problem.help("name the stable Service"));
    }
    let is_silent = canary.weight.is_none() && canary.header.is_none() && canary.cookie.is_none();
    let layers = context.layers;
    // An invalid value is already reported.
    let is_broken = layers.is_broken(|it| &it.canary_weight)
        || layers.is_broken(|it| &it.canary_header)
        || layers.is_broken(|it| &it.canary_cookie);
    if is_silent && !is_broken {
        let problem = Problem::new(Code::CanaryIncomplete, "no option selects the requests of the canary");
        let help = "add config.xposer.stakater.com/CanaryWeight, CanaryByHeader or CanaryByCookie";
        report.file(FieldPath::annotation(annotation::CANARY_OF), problem.help(help));
    }
    if canary.header_value.is_some() && canary.header.is_none() {
        let problem = Problem::new(Code::CanaryIncomplete, "a value of a header is given, but no header");
        let help = "add config.xposer.stakater.com/CanaryByHeader";
        report.file(FieldPath::annotation(annotation::CANARY_HEADER_VALUE), problem.help(help));
    }
}

/// Reports a total of the block that only ingress-nginx reads, and without which the weight has another meaning. Returns the
/// annotation.
fn other_total<'p>(plan: &'p Plan, report: &mut Report) -> Option<&'p Annotation> {
    let line = plan.annotation(nginx::CANARY_WEIGHT_TOTAL)?;
    let weight = u64::from(plan.canary.as_ref()?.weight?);
    let total = nginx::weight_total(line.value.parse().ok());
    let server =
        *plan.targets.iter().find(|it| !plan.controller(**it).is_nginx() || **it != Target::Ingress)?;
    if total == nginx::FULL_WEIGHT || weight == 0 {
        return None;
    }
    let message = format!(
        "the weight {weight} is a part of {total} with {}, which {} does not read: the canary would get {weight} percent of the requests",
        quoted(&line.key),
        subject(plan, server)
    );
    let is_whole = (weight * nginx::FULL_WEIGHT).is_multiple_of(total);
    let share = (weight * nginx::FULL_WEIGHT).div_ceil(total);
    let nearly = if is_whole { "" } else { ", which is nearly the same" };
    let help = format!("remove the line, and write CanaryWeight: \"{share}\"{nearly}");
    line.file_key(report, Problem::new(Code::CanaryInvalid, message).help(help));
    Some(line)
}

/// Checks that forwarded annotations have an effect on a canary. Annotations of the settings are not checked: they have their
/// effect on the stable Service.
pub(crate) fn ignored(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if plan.canary.is_none() {
        return;
    }
    let stable = Plan { canary: None, ..plan.clone() };
    let reported = other_total(plan, report);
    for annotation in plan.annotations.iter().filter(|it| it.is_forwarded() && reported != Some(*it)) {
        let is_read = |target: &Target| match target {
            Target::Ingress => nginx::any_name(&annotation.key).is_none_or(nginx::is_read_on_canary),
            other => plan.has_object(*other),
        };
        if plan.targets.iter().any(is_read)
            || context.is_mirrored(annotation)
            || context.denial(annotation).is_some()
        {
            continue;
        }
        let protects = effect(&annotation.key)
            .is_some_and(|effect| effect.loss >= Loss::Hardening && !effect.neutral.is(&annotation.value));
        let message = match plan.targets.first() {
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
        let is_lost = plan.targets.iter().any(|target| loss(&stable, annotation, *target) > Loss::Nothing);
        // The stable Service is no canary, so a line about canaries is wrong there.
        let is_lost = is_lost || annotation.key.starts_with(nginx::CANARY);
        let help = if is_lost { "remove the line" } else { "move the line to the stable Service" };
        annotation.file_key(report, Problem::new(code, message).help(help));
    }
    options_of_canary(plan, report);
}

/// Reports options of a canary, which have no effect: requests for the canary come through the objects of the stable Service. If
/// the controller of the Ingress does not read the annotations of ingress-nginx, there is no canary, which another rule reports.
fn options_of_canary(plan: &Plan, report: &mut Report) {
    if plan.targets.contains(&Target::Ingress) && !plan.controller(Target::Ingress).is_nginx() {
        return;
    }
    let own = |it: &&RequestedIntent| it.keys.is_empty() && matches!(it.origin, Origin::Annotation(_));
    let wanted = plan.intents.iter().filter(own).map(|wanted| (wanted.intent, &wanted.origin));
    let redirect = plan.https_redirect.as_ref().map(|wanted| (Intent::HttpsRedirect, &wanted.origin));
    let is_own =
        |origin: &Origin| matches!(origin, Origin::Annotation(key) if *key == annotation::HTTPS_REDIRECT);
    for (intent, origin) in wanted.chain(redirect.filter(|(_, origin)| is_own(origin))) {
        let message = format!(
            "{} has no effect on a canary: that of the stable Service applies",
            quoted(intent.as_str())
        );
        let code = match intent.loss() {
            Loss::Nothing => Code::TargetInexpressible,
            Loss::Behavior | Loss::Hardening | Loss::Protection => Code::CanaryAnnotationIgnored,
        };
        report.file(origin.path(), Problem::new(code, message).help("move it to the stable Service"));
    }
}
