//! What a plan wants, in the words of the Ingress controller of GKE.

use super::FRONTEND;
use crate::dialect::kubernetes::ALLOW_HTTP;
use crate::dialect::write::{Written, redirect};
use crate::plan::Plan;
use crate::values::Target;

/// It redirects by an object of its own; without one, requests without TLS are not answered.
pub(in crate::dialect) fn write(plan: &Plan, _: Target) -> Vec<Written<'_>> {
    let origin = redirect(plan).filter(|_| plan.annotation(FRONTEND).is_none());
    origin.map(|origin| Written { key: ALLOW_HTTP, value: "false".into(), origin }).into_iter().collect()
}
