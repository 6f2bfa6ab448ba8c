//! The rule about keys with the prefix of a program that does not read them.

use crate::diagnostics::{Code, MAX_PER_CODE, Problem, Report};
use crate::dialect::misspelt::{is_misspelt, problem};
use crate::plan::context::RuleContext;

/// A key with the prefix of a program is one of its keys.
pub(crate) fn keys(context: &RuleContext<'_>, report: &mut Report) {
    let mut filed = 0;
    for annotation in &context.plan.annotations {
        if context.is_mirrored(annotation) || context.denial(annotation).is_some() {
            continue;
        }
        let (key, value) = (&annotation.key, &annotation.value);
        // The report keeps no more of a kind and counts the rest, and each proposal compares with all names.
        let found = if filed < MAX_PER_CODE {
            problem(key, value)
        } else if is_misspelt(key, value) {
            Some(Problem::new(Code::ForeignKeyUnknown, "one more"))
        } else {
            None
        };
        if let Some(problem) = found {
            annotation.file_key(report, problem);
            filed += 1;
        }
    }
}
