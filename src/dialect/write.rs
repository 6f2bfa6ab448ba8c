//! The intents of a plan in the words of the programs that read its objects.

use std::borrow::Cow;

use super::{alb, cert_manager, external_dns, forecastle, nginx};
use crate::diagnostics::Origin;
use crate::plan::Plan;
use crate::values::Target;

/// An annotation that expresses an intent.
pub(crate) struct Written<'p> {
    pub(crate) key: &'p str,
    pub(crate) value: Cow<'p, str>,
    /// The option that the intent came from.
    pub(crate) origin: Origin,
}

/// The annotations that express the intents of a plan on the objects of a target. What somebody gave under the same key counts
/// instead.
pub(crate) fn write(plan: &Plan, target: Target) -> Vec<Written<'_>> {
    // A controller without words of its own gets those of ingress-nginx, as in the original.
    let controller = if plan.class() == Some(alb::CLASS) { alb::write::write } else { nginx::write::write };
    let programs: &[fn(&Plan, Target) -> Vec<Written<'_>>] = match target {
        Target::Ingress => {
            &[controller, cert_manager::write::write, external_dns::write::write, forecastle::write::write]
        }
        Target::HttpRoute => &[external_dns::write::write, forecastle::write::write],
        Target::Route => &[],
    };
    let mut written = Vec::new();
    for program in programs {
        written.append(&mut program(plan, target));
    }
    written.retain(|it: &Written<'_>| plan.annotation(it.key).is_none());
    written
}
