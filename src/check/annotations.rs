//! Rules about the annotations that are passed on: which ones may not be, and which ones are in a place where they are not read.

use crate::diagnostics::{Code, FieldPath, Problem, Report, quoted};
use crate::dialect::SNIPPET;
use crate::plan::context::RuleContext;

/// No key is on the list of those that may not be forwarded.
pub(crate) fn denied(context: &RuleContext<'_>, report: &mut Report) {
    for forwarded in &context.plan.annotations {
        let Some(pattern) = context.denial(forwarded) else { continue };
        let key = forwarded.key.as_str();
        let message = if pattern == SNIPPET {
            format!("{} would put text into the controller's configuration as it is", quoted(key))
        } else {
            format!("{} may not be forwarded: the administrator denies {}", quoted(key), quoted(pattern))
        };
        let help = "remove the line, or ask your administrator to allow the key";
        forwarded.file_key(report, Problem::new(Code::AnnotationDenied, message).help(help));
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
