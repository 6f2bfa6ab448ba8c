//! Rules about certificates.

use super::host::chosen_by;
use super::{RuleContext, folded};
use crate::diagnostics::{Code, Origin, Problem, Report, quoted};
use crate::options::{Target, Tls, object_problem};
use crate::resolve::{FOREIGN_ISSUER, contradicts};
use crate::validation::pattern::owns;
use crate::validation::{
    CLUSTER_ISSUER_KEY, ISSUER_KEY, MAX_COMMON_NAME, TLS_ACME_KEY, is_dns_subdomain, parse_bool,
};

/// cert-manager knows whom to ask, and has a secret to put the certificate into.
pub(crate) fn issuer(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if plan.canary.is_some() {
        return;
    }
    let (issuer, cluster) = (plan.annotation(ISSUER_KEY), plan.annotation(CLUSTER_ISSUER_KEY));
    for named in [issuer, cluster].into_iter().flatten().filter(|it| it.is_given() && !it.value.is_empty()) {
        if !is_dns_subdomain(&named.value) && !folded::is_refused(named, report) {
            let kind = if named.key == ISSUER_KEY { "Issuer" } else { "ClusterIssuer" };
            named.file_value(report, object_problem(Code::IssuerInvalid, &named.value, kind));
        }
    }
    if let (Some(issuer), Some(_)) = (issuer, cluster) {
        let said = "an issuer and a cluster issuer are given, and cert-manager then asks neither";
        issuer.file_key(report, Problem::new(Code::IssuerConflict, said).help("keep one of the two"));
    }
    if let (Some(_), Some(foreign)) = (cluster, FOREIGN_ISSUER.iter().find_map(|key| plan.annotation(key))) {
        let said =
            "a cluster issuer and the kind of another issuer are given, and cert-manager then asks neither";
        foreign.file_key(report, Problem::new(Code::IssuerConflict, said).help("keep one of the two"));
    }
    let acme = plan.annotation(TLS_ACME_KEY).filter(|it| parse_bool(&it.value) == Some(true));
    let named = cluster.or(issuer).or(acme);
    match (named, &plan.tls) {
        (None, Some(tls)) if tls.value == Tls::CertManager && !plan.names_issuer => {
            let problem =
                Problem::new(Code::IssuerMissing, "nothing says which issuer cert-manager is to ask");
            let help = "add config.xposer.stakater.com/ClusterIssuer or Issuer, or ask your administrator for a default";
            report.file(tls.origin.path(), problem.help(help));
        }
        (Some(named), _) if !plan.tls().has_secret() && plan.targets.contains(&Target::Ingress) => {
            named.file_key(report, without_tls(plan.tls()));
        }
        // The annotations of our own ask for nothing without TLS.
        (None, _) if !plan.tls().has_secret() => {
            let own = plan.issuer.as_ref().filter(|issuer| matches!(issuer.origin, Origin::Annotation(_)));
            if let Some(issuer) = own {
                report.file(issuer.origin.path(), without_tls(plan.tls()));
            }
        }
        (Some(_), _) if plan.tls().has_secret() => wildcards(context, report),
        _ => {}
    }
    if let Some(name) = plan.annotation("cert-manager.io/common-name")
        && name.value.len() > MAX_COMMON_NAME
    {
        let said = format!("the common name has {} characters, it holds {MAX_COMMON_NAME}", name.value.len());
        let help = "remove it; cert-manager puts the hosts into the certificate all the same";
        name.file_value(report, Problem::new(Code::HostCommonName, said).help(help));
    }
}

fn without_tls(tls: Tls) -> Problem {
    let said = "cert-manager issues nothing for an Ingress without a TLS section";
    let help = if tls == Tls::LoadBalancer {
        "remove the issuer; the load balancer has the certificate"
    } else {
        "set config.xposer.stakater.com/TLS: cert-manager, or remove the issuer"
    };
    Problem::new(Code::IssuerWithoutTls, said).help(help)
}

/// What the block says about requests without TLS is what the annotation beside it says.
pub(crate) fn redirect_conflict(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let own = plan.https_redirect.as_ref().filter(|it| matches!(it.origin, Origin::Annotation(_)));
    let Some(own) = own.filter(|_| plan.canary.is_none() && plan.targets.contains(&Target::Ingress)) else {
        return;
    };
    for given in plan.annotations.iter().filter(|it| it.is_forwarded()) {
        if contradicts(&given.key, &given.value, own.value, plan.tls()) {
            let said = format!(
                "{} contradicts config.xposer.stakater.com/HTTPSRedirect: \"{}\"",
                quoted(&[&given.key, ": ", given.value.as_ref()].concat()),
                own.value
            );
            given.file_value(report, Problem::new(Code::RedirectConflict, said).help("keep one of the two"));
        }
    }
}

/// Where requests are sent to https, something answers there. A setting is for those that have TLS.
pub(crate) fn https_redirect(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let asked =
        plan.https_redirect.as_ref().filter(|it| it.value && matches!(it.origin, Origin::Annotation(_)));
    if let Some(asked) = asked.filter(|_| !plan.tls().is_on() && plan.canary.is_none()) {
        let said = "there is no TLS to send requests to, so this has no effect";
        let help = "set config.xposer.stakater.com/TLS, or remove the annotation";
        report.file(asked.origin.path(), Problem::new(Code::RedirectWithoutTls, said).help(help));
    }
}

fn wildcards(context: &RuleContext<'_>, report: &mut Report) {
    for rule in context.plan.rules.iter().filter(|rule| rule.host.starts_with("*.")) {
        let said =
            format!("an ACME issuer has a certificate for {} only with a DNS-01 solver", quoted(&rule.host));
        let problem = Problem::new(Code::IssuerWildcard, said);
        report.file(rule.host_origin.path(), problem.help("make sure that the issuer has one"));
    }
}

/// With the certificates at a load balancer, one of them covers every host.
pub(crate) fn certificates(context: &RuleContext<'_>, report: &mut Report) {
    let Some(names) = context.layers.first(|it| it.certificates.as_ref()) else { return };
    if context.plan.tls() != Tls::LoadBalancer {
        return;
    }
    for rule in &context.plan.rules {
        let host = rule.host.as_str();
        if names.value.cover(host) {
            continue;
        }
        let said = match names.value.nearest(host) {
            Some(nearest) => format!(
                "no certificate of the load balancer covers {}; the nearest is {}{}",
                quoted(host),
                quoted(nearest),
                match nearest.strip_prefix("*.") {
                    Some(domain) if owns(nearest, host) || host == domain =>
                        ", whose star stands for one label",
                    _ => "",
                }
            ),
            None => format!("no certificate of the load balancer covers {}, for there is none", quoted(host)),
        };
        let problem = Problem::new(Code::CertificateMissing, said).found(host);
        report.file(
            chosen_by(context, rule).path(),
            problem.help("choose a host that one covers, or ask for a certificate"),
        );
    }
}
