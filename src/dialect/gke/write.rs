//! The annotations for the Ingress controller of GKE.

use super::FRONTEND;
use crate::dialect::kubernetes::ALLOW_HTTP;
use crate::dialect::write::{WrittenAnnotation, redirect};
use crate::plan::Plan;
use crate::values::Target;

/// Writes the annotation that closes the port without TLS. GKE redirects only with a FrontendConfig.
pub(in crate::dialect) fn write(plan: &Plan, _: Target) -> Vec<WrittenAnnotation<'_>> {
    let origin = redirect(plan).filter(|_| plan.annotation(FRONTEND).is_none());
    origin
        .map(|origin| WrittenAnnotation { key: ALLOW_HTTP, value: "false".into(), origin })
        .into_iter()
        .collect()
}
