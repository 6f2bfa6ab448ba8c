//! The redirect in the words of the AWS Load Balancer Controller.

use super::REDIRECT;
use crate::dialect::nginx;
use crate::dialect::write::Written;
use crate::plan::Plan;
use crate::values::{Target, Tls};

/// The redirect, if the load balancer has the certificates; everything else is written as for ingress-nginx.
pub(in crate::dialect) fn write(plan: &Plan, target: Target) -> Vec<Written<'_>> {
    let has_listener = plan.tls() == Tls::LoadBalancer && plan.canary.is_none();
    let Some(wanted) = plan.https_redirect.as_ref().filter(|wanted| wanted.value && has_listener) else {
        return nginx::write::write(plan, target);
    };
    let (key, value) = REDIRECT;
    vec![Written { key, value: value.into(), origin: wanted.origin.clone() }]
}
