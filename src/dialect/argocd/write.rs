//! The link in the words of Argo CD.

use super::{IGNORE_DEFAULT, LINK};
use crate::dialect::write::{Written, linked};
use crate::plan::Plan;
use crate::values::{LinkPage, Target};

/// The URL. Of an Ingress, Argo CD would show the URLs of all hosts beside it, without the path of a regular expression and by
/// http where TLS ends at a load balancer.
pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<Written<'_>> {
    let Some(origin) = linked(plan, target, LinkPage::ArgoCd) else { return Vec::new() };
    let mut written = vec![Written { key: LINK, value: plan.url().into(), origin: origin.clone() }];
    if target == Target::Ingress {
        written.push(Written { key: IGNORE_DEFAULT, value: "true".into(), origin: origin.clone() });
    }
    written
}
