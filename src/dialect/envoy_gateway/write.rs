//! What a plan wants, in the words of Envoy Gateway.

use crate::dialect::write::Written;
use crate::plan::Plan;
use crate::values::Target;

pub(in crate::dialect) fn write(_plan: &Plan, _target: Target) -> Vec<Written<'_>> {
    Vec::new()
}
