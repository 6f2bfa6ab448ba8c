//! The annotation that names the issuer for cert-manager.

use super::{CLUSTER_ISSUER, ISSUER, asks};
use crate::diagnostics::{Origin, Sourced};
use crate::dialect::write::WrittenAnnotation;
use crate::plan::Plan;
use crate::values::{Issuer, Target, Tls};

pub(crate) fn write(plan: &Plan, _: Target) -> Vec<WrittenAnnotation<'_>> {
    let written = issuer(plan).map(|issuer| WrittenAnnotation {
        key: if issuer.value.cluster { CLUSTER_ISSUER } else { ISSUER },
        value: issuer.value.name.as_str().into(),
        origin: issuer.origin.clone(),
    });
    Vec::from_iter(written)
}

/// Returns the issuer to write; `None` if somebody gave one as an annotation. An issuer of a setting applies only to Services
/// that ask for cert-manager; an issuer that the Service names applies to each Service with a secret.
pub(crate) fn issuer(plan: &Plan) -> Option<&Sourced<Issuer>> {
    let issuer = plan.issuer.as_ref().filter(|_| plan.canary.is_none())?;
    let is_for_all = plan.replaces_issuer || matches!(issuer.origin, Origin::Annotation(_));
    let is_asked = plan.tls() == Tls::CertManager || (is_for_all && plan.tls().has_secret());
    let is_given = plan.annotation(ISSUER).or(plan.annotation(CLUSTER_ISSUER)).is_some();
    (is_asked && !is_given).then_some(issuer)
}

/// Whether an Ingress requests a certificate from cert-manager.
pub(crate) fn is_asked(plan: &Plan) -> bool {
    issuer(plan).is_some() || plan.annotations.iter().any(|it| asks(&it.key, &it.value))
}
