//! The annotations for the tile of Homepage.

use super::{ENABLED, HREF, NAME};
use crate::dialect::write::{WrittenAnnotation, linked};
use crate::plan::Plan;
use crate::values::{LinkPage, Target};

/// Writes a tile with the name of the Service. Without the URL, Homepage would take the scheme from the first Gateway of an
/// HTTPRoute, and use the path unchanged. It does not read Routes of OpenShift.
pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    let Some(origin) = linked(plan, target, LinkPage::Homepage).filter(|_| target != Target::Route) else {
        return Vec::new();
    };
    let all = [(ENABLED, "true".into()), (HREF, plan.url().into()), (NAME, plan.service().into())];
    all.into_iter().map(|(key, value)| WrittenAnnotation { key, value, origin: origin.clone() }).collect()
}
