//! Rules about TLS that apply to every controller.

use super::host::chosen_by;
use crate::diagnostics::{Code, Origin, Problem, Report, quoted};
use crate::dialect::access::{certificate_asked, needs_tls};
use crate::dialect::controller::Controller;
use crate::dialect::nginx::read::redirecting_line;
use crate::dialect::support::support;
use crate::dialect::traefik::rules::open_options;
use crate::intents::Intent;
use crate::plan::Place;
use crate::plan::context::RuleContext;
use crate::validation::pattern::owns;
use crate::values::{Target, Tls};

/// Checks that a redirect to https has TLS to redirect to. A redirect in the settings applies only to Services with TLS, so it is
/// not checked.
pub(crate) fn https_redirect(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    // An annotation of ingress-nginx may redirect without TLS, too. If the controller has nothing for it, another rule reports the
    // loss.
    let is_lost = || {
        let target = Target::Ingress;
        redirecting_line(plan).is_some() && !support(plan, target, Intent::HttpsRedirect, None).is_supported()
    };
    let is_off = !plan.tls().is_on() && plan.canary.is_none();
    if let Some(redirect) = plan.asked_redirect().filter(|_| is_off && !is_lost()) {
        // These two redirect only hosts that have TLS.
        let is_of_tls =
            matches!(plan.controller(Target::Ingress), Controller::F5Nginx | Controller::HaproxyIngress);
        let line = redirecting_line(plan);
        let message = match line {
            // The line is passed on unchanged, so it has its effect.
            Some(_) if !is_of_tls => {
                "the Service has no TLS, so requests are redirected to a port that does not answer"
            }
            _ => "the Service has no TLS, so requests are not redirected to https",
        };
        let help = "set config.xposer.stakater.com/TLS, or remove the annotation";
        let problem = Problem::new(Code::RedirectWithoutTls, message).help(help);
        Place::new(line, &redirect.origin).file(report, problem);
    }
}

/// Checks that the controller asks every client for the required client certificate: it does so in the TLS handshake, and so not
/// for requests without TLS.
pub(crate) fn client_certificate(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let asked = || certificate_asked(plan).and_then(|asked| Some((asked, needs_tls(plan)?)));
    let found = open_options(plan).or_else(asked).filter(|_| plan.has_stable_ingress());
    let Some((asked, help)) = found.filter(|(asked, _)| context.denial(asked).is_none()) else { return };
    let server = plan.program_name(Target::Ingress);
    let key = quoted(&asked.key);
    let message =
        [&key, " requires client certificates, but ", server, " requires none from clients without TLS"]
            .concat();
    asked.file_key(report, Problem::new(Code::AuthenticationOff, message).help(help));
}

/// Checks that there is a certificate if the Service has hosts for it. Hosts in the settings apply only to Services with a
/// certificate, so they are not checked.
pub(crate) fn certificate_hosts(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let Some(host) = plan.certificate_hosts.first().filter(|_| plan.secret.is_none()) else { return };
    if !matches!(host.host_origin, Origin::Annotation(_)) {
        return;
    }
    let (message, help) = if plan.tls().has_secret() && plan.canary.is_some() {
        ("a canary has no certificate of its own, so this has no effect", "move it to the stable Service")
    } else {
        (
            "no certificate is requested, so there is none for these hosts",
            "set config.xposer.stakater.com/TLS: \"true\", or remove the annotation",
        )
    };
    report.file(host.host_origin.path(), Problem::new(Code::TlsHostsIgnored, message).help(help));
}

/// Checks that a certificate of the load balancer covers every host, if the certificates are at a load balancer.
pub(crate) fn certificates(context: &RuleContext<'_>, report: &mut Report) {
    let Some(names) = context.layers.first(|it| &it.certificates) else { return };
    if context.plan.tls() != Tls::LoadBalancer {
        return;
    }
    for rule in &context.plan.rules {
        let host = rule.host.as_str();
        if names.value.cover(host) {
            continue;
        }
        let message = match names.value.nearest(host) {
            Some(nearest) => format!(
                "no certificate of the load balancer covers {}; the nearest is {}{}",
                quoted(host),
                quoted(nearest),
                match nearest.strip_prefix("*.") {
                    Some(domain) if owns(nearest, host) || host == domain => ", whose star matches one label",
                    _ => "",
                }
            ),
            None => {
                format!("no certificate of the load balancer covers {}, because there is none", quoted(host))
            }
        };
        let problem = Problem::new(Code::CertificateMissing, message).found(host);
        report.file(
            chosen_by(context, rule.into()).path(),
            problem.help("choose a covered host, or ask your administrator for a certificate"),
        );
    }
}
