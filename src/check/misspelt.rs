//! The rule about keys that have the prefix of a program but are not keys of this program.

use super::loss::loss;
use crate::diagnostics::{Code, MAX_PER_CODE, Problem, Report};
use crate::dialect::mappings::intent_named;
use crate::dialect::misspelt::{UnknownKey, is_misspelt, means_protection, misspelt};
use crate::dialect::support::support;
use crate::dialect::{Loss, makes_object_ignored};
use crate::intents::Intent;
use crate::plan::context::RuleContext;
use crate::values::Target;

/// The help for a protection that no option has.
const NO_OPTION_HELP: &str =
    "remove the line, choose another class, or ask your administrator for annotations.acceptLoss";

/// Checks that a key with the prefix of a program is one of its keys.
pub(crate) fn keys(context: &RuleContext<'_>, report: &mut Report) {
    let mut filed = 0;
    for annotation in &context.plan.annotations {
        if context.is_mirrored(annotation) || context.denial(annotation).is_some() {
            continue;
        }
        let (key, value) = (&annotation.key, &annotation.value);
        let server = context.plan.controller(Target::Ingress);
        let is_ignored = context.plan.targets.contains(&Target::Ingress)
            && server.reads(key)
            && makes_object_ignored(server, key);
        // The rule `protection` reports a key of an earlier version that protects.
        let is_lost = |target: &Target| {
            annotation.is_forwarded() && loss(context.plan, annotation, *target) == Loss::Protection
        };
        if is_ignored || context.plan.targets.iter().any(is_lost) {
            continue;
        }
        // The report keeps at most this many findings with one code and counts the others. A proposal is not computed for those,
        // because it compares the key with all known names.
        let found = if filed < MAX_PER_CODE {
            misspelt(key, value)
        } else if is_misspelt(key, value) {
            let problem = Problem::new(Code::ForeignKeyUnknown, "one more");
            Some(UnknownKey { problem, intended: None, is_foreign: false })
        } else {
            None
        };
        if let Some(UnknownKey { mut problem, intended: meant, is_foreign }) = found {
            // An annotation of the settings may be for a version of the program that knows the key.
            if annotation.is_forwarded() && means_protection(is_foreign, meant.as_deref(), value) {
                let said =
                    [&problem.message, ", and the key that is probably meant protects the Service"].concat();
                (problem.code, problem.message) = context.settings.lost(key, said);
            }
            let name = key.rsplit('/').next().unwrap_or_default();
            let is_supported = |intent: &Intent| {
                let mut targets = context.plan.targets.iter();
                targets.all(|target| support(context.plan, *target, *intent, None).is_supported())
            };
            let may_have_option = filed < MAX_PER_CODE && (is_foreign || meant.is_none());
            match may_have_option.then(|| intent_named(name)).flatten().filter(is_supported) {
                Some(intent) => problem.help = Some(format!("write {} instead", intent.annotation())),
                None if is_foreign && meant.is_none() => problem.help = Some(NO_OPTION_HELP.to_owned()),
                None => {}
            }
            annotation.file_key(report, problem);
            filed += 1;
        }
    }
}
