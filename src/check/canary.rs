//! Rules about a canary: what ingress-nginx requires of it.

use crate::diagnostics::{Code, FieldPath, Problem, Report};
use crate::options::annotations::annotation;
use crate::plan::context::RuleContext;

/// A canary is of another Service, and has a weight, a header or a cookie that selects its requests.
pub(crate) fn canary(context: &RuleContext<'_>, report: &mut Report) {
    let Some(canary) = &context.plan.canary else { return };
    if canary.of == context.service.name() {
        let problem = Problem::new(Code::CanaryInvalid, "a Service cannot be the canary of itself");
        report.file(FieldPath::annotation(annotation::CANARY_OF), problem.help("name the stable Service"));
    }
    let is_silent = canary.weight.is_none() && canary.header.is_none() && canary.cookie.is_none();
    let layers = context.layers;
    // What cannot be read is reported already.
    let is_broken = layers.is_broken(|it| &it.canary_weight)
        || layers.is_broken(|it| &it.canary_header)
        || layers.is_broken(|it| &it.canary_cookie);
    if is_silent && !is_broken {
        let problem = Problem::new(Code::CanaryIncomplete, "nothing says which requests go to the canary");
        let help = "add config.xposer.stakater.com/CanaryWeight, CanaryByHeader or CanaryByCookie";
        report.file(FieldPath::annotation(annotation::CANARY_OF), problem.help(help));
    }
    if canary.header_value.is_some() && canary.header.is_none() {
        let problem =
            Problem::new(Code::CanaryIncomplete, "there is a value, but no header that could have it");
        let help = "add config.xposer.stakater.com/CanaryByHeader";
        report.file(FieldPath::annotation(annotation::CANARY_HEADER_VALUE), problem.help(help));
    }
}
