//! What keeps ExternalDNS away from an object.

use super::OPT_OUT;
use crate::diagnostics::Origin;
use crate::dialect::write::Written;
use crate::options::annotations::annotation;
use crate::plan::Plan;
use crate::values::Target;

/// ExternalDNS publishes the host of a canary by the stable Service.
pub(in crate::dialect) fn write(plan: &Plan, _: Target) -> Vec<Written<'_>> {
    let keys = plan.dns_controller_keys.iter().filter(|_| plan.canary.is_some());
    let origin = Origin::Annotation(annotation::CANARY_OF.into());
    keys.map(|key| Written { key, value: OPT_OUT.into(), origin: origin.clone() }).collect()
}
