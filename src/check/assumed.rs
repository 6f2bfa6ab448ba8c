//! The rule about annotations that protect only if another program than the assumed one serves the Service.

use super::loss::{is_ineffective_with_passthrough, is_removed, loss};
use super::protects::assumed_program;
use crate::diagnostics::{Code, Problem, Report, listed, quoted};
use crate::dialect::Loss;
use crate::dialect::nginx::rules::values::bad_value;
use crate::plan::context::RuleContext;
use crate::plan::{Annotation, Server};

/// Reports forwarded annotations that protect the Service, and that the program which is only assumed to serve it does not read.
/// Another program may serve it, so this is no Error.
pub(crate) fn protection_of_other_program(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let (assumed, known): (Vec<&Server>, Vec<&Server>) = plan.servers.iter().partition(|it| it.is_assumed());
    let [Server { target, .. }] = assumed[..] else { return };
    let is_lost = |it: &&Annotation| {
        it.is_forwarded()
            && loss(plan, it, *target) == Loss::Protection
            && known.iter().all(|server| loss(plan, it, server.target) == Loss::Nothing)
            && !is_ineffective_with_passthrough(plan, &it.key, *target)
            && !context.settings.accept_loss.fit(&it.key)
            && context.denial(it).is_none()
            && bad_value(plan, it).is_none()
            && !is_removed(context, &it.key)
    };
    let lost: Vec<&Annotation> = plan.annotations.iter().filter(is_lost).collect();
    let Some(first) = lost.first() else { return };
    let keys: Vec<String> = lost.iter().map(|it| quoted(&it.key)).collect();
    let (verb, what) = if keys.len() == 1 { ("protects", "it") } else { ("protect", "them") };
    let message = format!(
        "{} {verb} the Service only if a program reads {what}: the assumed program is {}",
        listed(&keys, " and "),
        assumed_program(plan, *target)
    );
    let help = match plan.class_name() {
        Some(_) => "name the program of the class in the setting controllers, or remove the line",
        None => "name the program in the setting defaultController, or remove the line",
    };
    first.file_key(report, Problem::new(Code::ProtectionUnclear, message).help(help));
}
