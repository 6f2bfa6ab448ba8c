//! The rule about keys with the prefix of a program that does not read them.

use crate::diagnostics::{Code, MAX_PER_CODE, Problem, Report};
use crate::dialect::misspelt::{is_misspelt, misspelt};
use crate::dialect::{is_passed_over, protects};
use crate::plan::context::RuleContext;
use crate::values::Target;

/// A key with the prefix of a program is one of its keys.
pub(crate) fn keys(context: &RuleContext<'_>, report: &mut Report) {
    let mut filed = 0;
    for annotation in &context.plan.annotations {
        if context.is_mirrored(annotation) || context.denial(annotation).is_some() {
            continue;
        }
        let (key, value) = (&annotation.key, &annotation.value);
        let is_told = context.plan.targets.contains(&Target::Ingress)
            && is_passed_over(context.plan.controller(Target::Ingress), key);
        if is_told {
            continue;
        }
        // The report keeps no more of a kind and counts the rest, and each proposal compares with all names.
        let found = if filed < MAX_PER_CODE {
            misspelt(key, value)
        } else if is_misspelt(key, value) {
            Some((Problem::new(Code::ForeignKeyUnknown, "one more"), None))
        } else {
            None
        };
        if let Some((mut problem, meant)) = found {
            // A default of the settings may be for a version that has the key.
            if annotation.is_forwarded() && meant.is_some_and(|meant| protects(&meant, value)) {
                let said = [&problem.message, ", and what it may be meant for protects the Service"].concat();
                (problem.code, problem.message) = context.lost(key, said);
            }
            annotation.file_key(report, problem);
            filed += 1;
        }
    }
}
