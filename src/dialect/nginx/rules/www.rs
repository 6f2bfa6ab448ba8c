//! The rules about the hosts that `from-to-www-redirect` redirects, and their certificate.

use super::is_true;
use crate::diagnostics::{Code, Problem, Report, quoted};
use crate::dialect::cert_manager;
use crate::dialect::nginx::FROM_TO_WWW;
use crate::dialect::nginx::support::impossible_www_of;
use crate::options::annotations::annotation;
use crate::plan::context::RuleContext;
use crate::validation::www;
use crate::values::{Target, Tls, set};

/// Reports the line for the redirect if it redirects nothing. The Ingress does not get the line.
pub(crate) fn without_effect(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let Some(given) = plan.annotation(FROM_TO_WWW) else { return };
    let Some((why, help)) = impossible_www_of(plan, given) else { return };
    let message = [plan.program_name(Target::Ingress), " ", why].concat();
    given.file_key(report, Problem::new(Code::IntentLost, message).help(help));
}

/// Reports a redirected host that the certificate does not contain. ingress-nginx redirects requests by https only with a
/// certificate for both names. The content of a secret of the user's own is not known here; cert-manager puts the hosts of the
/// TLS section into the certificate.
pub(crate) fn certificate(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let Some(redirect) = plan.annotation(FROM_TO_WWW).filter(|it| is_true(it)) else { return };
    let is_asked = plan.tls() == Tls::CertManager || cert_manager::write::is_asked(plan);
    if plan.secret.is_none()
        || !is_asked
        || !plan.targets.contains(&Target::Ingress)
        || !plan.controller(Target::Ingress).is_nginx()
    {
        return;
    }
    let covered = set(plan.tls_hosts());
    let others = plan.rules.iter().filter_map(|rule| www(&rule.host));
    let Some(other) = others.into_iter().find(|host| !covered.contains(host.as_str())) else { return };
    let message = format!(
        "https requests for {} are not redirected, because the certificate does not have this name",
        quoted(&other)
    );
    let help = format!("add {}: {other}", annotation::TLS_HOSTS);
    redirect.file_key(report, Problem::new(Code::RedirectWithoutCertificate, message).help(help));
}
