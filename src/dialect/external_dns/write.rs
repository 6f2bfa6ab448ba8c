//! The annotation that makes ExternalDNS skip an object.

use super::OPT_OUT;
use crate::diagnostics::Origin;
use crate::dialect::write::WrittenAnnotation;
use crate::options::annotations::annotation;
use crate::plan::Plan;
use crate::values::Target;

/// Writes the annotation for a canary, because ExternalDNS publishes the host through the stable Service.
pub(in crate::dialect) fn write(plan: &Plan, _: Target) -> Vec<WrittenAnnotation<'_>> {
    let keys = plan.dns_controller_keys.iter().filter(|_| plan.canary.is_some());
    let origin = Origin::Annotation(annotation::CANARY_OF.into());
    keys.map(|key| WrittenAnnotation { key, value: OPT_OUT.into(), origin: origin.clone() }).collect()
}
