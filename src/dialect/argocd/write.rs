//! The annotations for the link of Argo CD.

use super::{IGNORE_DEFAULT, LINK};
use crate::dialect::write::{WrittenAnnotation, linked};
use crate::plan::Plan;
use crate::values::{LinkPage, Target};

/// Writes the URL. For an Ingress, Argo CD would in addition show the URLs of all hosts, without the path of a regular
/// expression, and with http if TLS ends at a load balancer.
pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<WrittenAnnotation<'_>> {
    let Some(origin) = linked(plan, target, LinkPage::ArgoCd) else { return Vec::new() };
    let mut written = vec![WrittenAnnotation { key: LINK, value: plan.url().into(), origin: origin.clone() }];
    if target == Target::Ingress {
        written.push(WrittenAnnotation { key: IGNORE_DEFAULT, value: "true".into(), origin: origin.clone() });
    }
    written
}
