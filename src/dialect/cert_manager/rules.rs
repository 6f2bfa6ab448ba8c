//! Rules about the annotations of cert-manager: values that it refuses, and annotations that it does not read.

use std::net::IpAddr;

use super::grammar::{
    ALGORITHMS, ENCODINGS, ISSUER_KINDS, MIN_DURATION, MIN_RENEWAL, ROTATIONS, USAGES, USUAL_DURATION,
    duration, go_text, in_days, is_csv_line, is_email, likely, secret_template_error,
};
use super::{
    ACME, ACME_PREFIX, ALT_NAMES, CLUSTER_ISSUER, COMMON_NAME, EDIT_IN_PLACE, FOREIGN_ISSUER,
    HTTP01_CLASS_NAME, ISSUER, PREFIX, PROGRAM, write,
};
use crate::diagnostics::{Code, Origin, Problem, Report, did_you_mean, one_of, quoted};
use crate::dialect::kubernetes::TLS_ACME;
use crate::dialect::misspelt;
use crate::options::{Layer, object_problem};
use crate::plan::context::{RuleContext, is_refused};
use crate::plan::{Annotation, Plan};
use crate::validation::{HostError, MAX_COMMON_NAME, host_errors, host_help, is_dns_subdomain, parse_bool};
use crate::values::{Target, Tls};

/// Reports an issuer that is missing, not valid, ambiguous, or without a TLS section, and a common name that is too long.
pub(crate) fn issuer(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    if plan.canary.is_some() {
        return;
    }
    let (issuer, cluster) = (plan.annotation(ISSUER), plan.annotation(CLUSTER_ISSUER));
    for named in [issuer, cluster].into_iter().flatten().filter(|it| !it.value.is_empty()) {
        if !is_dns_subdomain(&named.value) && !is_refused(named, report) {
            let kind = if named.key == ISSUER { "Issuer" } else { "ClusterIssuer" };
            named.file_value(report, object_problem(Code::IssuerInvalid, &named.value, kind));
        }
    }
    if let (Some(issuer), Some(_)) = (issuer, cluster) {
        let message = "an issuer and a cluster issuer are given, and cert-manager then uses neither";
        issuer.file_key(report, Problem::new(Code::IssuerConflict, message).help("keep one of the two"));
    }
    let foreign = FOREIGN_ISSUER.iter().find_map(|key| plan.annotation(key));
    if let Some(foreign) = foreign.filter(|_| has_cluster_issuer(plan)) {
        let message =
            "a cluster issuer and the kind of another issuer are given, and cert-manager then uses neither";
        foreign.file_key(report, Problem::new(Code::IssuerConflict, message).help("keep one of the two"));
    }
    let acme = plan.annotation(TLS_ACME).filter(|it| parse_bool(&it.value) == Some(true));
    let named = cluster.or(issuer).or(acme);
    match (named, &plan.tls) {
        (None, Some(tls))
            if tls.value == Tls::CertManager && context.layers.slot(Layer::issuer).is_none() =>
        {
            let problem = Problem::new(Code::IssuerMissing, "no issuer is named for cert-manager");
            let help = "add config.xposer.stakater.com/ClusterIssuer or Issuer, or ask your administrator for a default";
            report.file(tls.origin.path(), problem.help(help));
        }
        (Some(named), _) if !plan.tls().has_secret() && plan.targets.contains(&Target::Ingress) => {
            named.file_key(report, without_tls(plan.tls()));
        }
        // The options of the Service request nothing without TLS.
        (None, _) if !plan.tls().has_secret() => {
            let own = plan.issuer.as_ref().filter(|issuer| matches!(issuer.origin, Origin::Annotation(_)));
            if let Some(issuer) = own {
                report.file(issuer.origin.path(), without_tls(plan.tls()));
            }
        }
        _ if plan.tls().has_secret() && write::is_asked(plan) => wildcards(context, report),
        _ => {}
    }
    if let Some(name) = plan.annotation(COMMON_NAME)
        && name.value.len() > MAX_COMMON_NAME
    {
        let message =
            format!("the common name has {} characters, it holds {MAX_COMMON_NAME}", name.value.len());
        let help = "remove it; cert-manager puts the hosts into the certificate all the same";
        name.file_value(report, Problem::new(Code::HostCommonName, message).help(help));
    }
}

fn without_tls(tls: Tls) -> Problem {
    let message = "cert-manager issues nothing for an Ingress without a TLS section";
    let help = if tls == Tls::LoadBalancer {
        "remove the issuer; the load balancer has the certificate"
    } else {
        "set config.xposer.stakater.com/TLS: cert-manager, or remove the issuer"
    };
    Problem::new(Code::IssuerWithoutTls, message).help(help)
}

fn wildcards(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let routes = plan.rules.iter().map(|rule| (&rule.host, &rule.host_origin));
    let others = plan.certificate_hosts.iter().map(|it| (&it.host, &it.host_origin));
    for (host, origin) in routes.chain(others).filter(|(host, _)| host.starts_with("*.")) {
        let message =
            format!("an ACME issuer has a certificate for {} only with a DNS-01 solver", quoted(host));
        let problem = Problem::new(Code::IssuerWildcard, message);
        report.file(origin.path(), problem.help("make sure that the issuer has one"));
    }
}

/// Whether a ClusterIssuer is named, by an annotation or by an option.
fn has_cluster_issuer(plan: &Plan) -> bool {
    plan.annotation(CLUSTER_ISSUER).is_some() || write::issuer(plan).is_some_and(|it| it.value.cluster)
}

/// Whether cert-manager reads a key on an Ingress.
fn is_read(key: &str) -> bool {
    let program = if key.starts_with(PREFIX) { &PROGRAM } else { &ACME };
    program.name_of(key).is_some_and(|name| program.reads(name))
}

/// Reports annotations that cert-manager does not read, and values that it does not accept.
pub(crate) fn values(context: &RuleContext<'_>, report: &mut Report) {
    let plan = context.plan;
    let is_about = |it: &&Annotation| it.key.starts_with(PREFIX) || it.key.starts_with(ACME_PREFIX);
    let is_written = plan.has_stable_ingress() || plan.has_listener_set();
    if !is_written || !plan.annotations.iter().any(|it| is_about(&it)) {
        return;
    }
    let is_named = write::is_asked(plan);
    // The rule `issuer` reports an issuer that is missing or has no TLS section.
    let has_own_issuer = plan.issuer.as_ref().is_some_and(|it| matches!(it.origin, Origin::Annotation(_)));
    let mut is_reported = is_named || has_own_issuer || plan.tls() == Tls::CertManager;
    for annotation in plan.annotations.iter().filter(is_about) {
        if annotation.key == EDIT_IN_PLACE {
            edit_in_place(annotation, report);
        } else if !is_read(&annotation.key) {
            unread(annotation, report);
        } else if is_named && plan.tls().has_secret() {
            // A key inside the value has a diagnostic of its own.
            let problem =
                Values { context, annotation }.problem().filter(|_| !is_refused(annotation, report));
            if let Some(problem) = problem {
                annotation.file_value(report, problem);
            }
        } else if annotation.is_forwarded() && !is_reported {
            is_reported = true;
            let message = format!(
                "no issuer is named, so no certificate is requested, and {} has no effect",
                quoted(&annotation.key)
            );
            let help = "add config.xposer.stakater.com/TLS: cert-manager and ClusterIssuer, or remove the annotations of cert-manager";
            annotation.file_key(report, Problem::new(Code::CertManagerIgnored, message).help(help));
        }
    }
}

/// Reports that cert-manager would change the Ingress, which only Xposer writes.
fn edit_in_place(annotation: &Annotation, report: &mut Report) {
    if matches!(annotation.value.to_ascii_lowercase().as_str(), "" | "false" | "no" | "off" | "0") {
        return;
    }
    let message = "cert-manager would write the paths of its challenges into the Ingress, from which the controller removes them";
    let help = "remove the line, and cert-manager makes an Ingress of its own for each challenge";
    annotation.file_key(report, Problem::new(Code::EditInPlace, message).help(help));
}

/// Reports a key that cert-manager reads on other objects. The rule `foreign-keys` reports unknown keys.
fn unread(annotation: &Annotation, report: &mut Report) {
    if !misspelt::is_misspelt(&annotation.key, &annotation.value) {
        let message = format!("cert-manager does not read {} on an Ingress", quoted(&annotation.key));
        let problem = Problem::new(Code::CertManagerIgnored, message).help("remove the line");
        annotation.file_key(report, problem);
    }
}

struct Values<'v, 'f> {
    context: &'v RuleContext<'f>,
    annotation: &'v Annotation,
}

impl Values<'_, '_> {
    fn other(&self, name: &str) -> Option<&str> {
        let annotation = self.context.plan.annotation(&[PREFIX, name].concat())?;
        Some(annotation.value.as_str())
    }

    /// Returns the diagnostic that another value was expected.
    fn expected(&self, expected: &str, help: impl Into<String>) -> Option<Problem> {
        let key = quoted(&self.annotation.key);
        let value = match self.annotation.value.as_str() {
            "" => "empty".to_owned(),
            value => quoted(value),
        };
        let message = format!("{key} is {value}, expected {expected}");
        Some(Problem::new(Code::CertManagerInvalid, message).help(help))
    }

    /// Reports a value that is not exactly one of the words.
    fn word(&self, words: &[&'static str]) -> Option<Problem> {
        let value = self.annotation.value.as_str();
        if words.contains(&value) {
            return None;
        }
        let help = match likely(value, words) {
            Some(meant) => format!("write {meant}"),
            None => "write one of these words".to_owned(),
        };
        self.expected(&one_of(words), help)
    }

    fn problem(&self) -> Option<Problem> {
        let value = self.annotation.value.as_str();
        match self.annotation.key.as_str() {
            ISSUER | CLUSTER_ISSUER if value.is_empty() => {
                self.expected("the name of an issuer", "name an issuer, or remove the line")
            }
            "cert-manager.io/issuer-kind" => self.issuer_kind(),
            "cert-manager.io/duration" => self.duration(),
            "cert-manager.io/renew-before" => self.renew_before(),
            "cert-manager.io/renew-before-percentage" => self.renew_before_percentage(),
            "cert-manager.io/private-key-algorithm" => self.word(&ALGORITHMS),
            "cert-manager.io/private-key-encoding" => self.word(&ENCODINGS),
            "cert-manager.io/private-key-rotation-policy" => self.word(&ROTATIONS),
            "cert-manager.io/private-key-size" => self.key_size(),
            "cert-manager.io/usages" => self.usages(),
            "cert-manager.io/revision-history-limit"
                if !value.parse::<i32>().is_ok_and(|limit| limit >= 1) =>
            {
                self.expected(
                    "a whole number from 1",
                    "write the number of requests to keep, or remove the line",
                )
            }
            // The rule `issuer` reports a common name that is too long.
            COMMON_NAME if value.contains('/') && value.len() <= MAX_COMMON_NAME => {
                let host = value.rsplit("://").next().and_then(|rest| rest.split('/').next());
                let help = match host.filter(|host| host_errors(host).is_empty()) {
                    Some(host) => format!("write {host}, or remove the line"),
                    None => "remove the line; the hosts are in the certificate all the same".to_owned(),
                };
                self.expected("a name without a scheme and a path", help)
            }
            ALT_NAMES if !value.is_empty() => self.alt_names(),
            "cert-manager.io/ip-sans" if !value.is_empty() => {
                let stray = value.split(',').map(str::trim).find(|item| item.parse::<IpAddr>().is_err())?;
                let expected = format!("IP addresses, separated by commas, but {} is not one", quoted(stray));
                self.expected(
                    &expected,
                    "correct the address, or write a name into cert-manager.io/alt-names",
                )
            }
            "cert-manager.io/email-sans" if !value.is_empty() => {
                let stray = value.split(',').map(str::trim).find(|item| !is_email(item))?;
                let expected = format!(
                    "addresses such as team@example.com, separated by commas, but {} is not one",
                    quoted(stray)
                );
                self.expected(&expected, "write the bare address, or remove it")
            }
            "cert-manager.io/secret-template" => secret_template_error(value).and_then(|why| {
                self.expected(
                    &format!("JSON such as {{\"labels\": {{\"team\": \"a\"}}}} ({why})"),
                    "correct the JSON",
                )
            }),
            "acme.cert-manager.io/http01-ingress-class" if !value.is_empty() => self.ingress_class(),
            "cert-manager.io/subject-serialnumber" => None,
            key if key.starts_with("cert-manager.io/subject-") && !is_csv_line(value) => self.expected(
                "a line of values, separated by commas, with double quotes around those that have one",
                "correct the list, or remove the line",
            ),
            _ => None,
        }
    }

    fn issuer_kind(&self) -> Option<Problem> {
        let value = self.annotation.value.as_str();
        let is_foreign =
            self.other("issuer-group").is_some_and(|group| !matches!(group, "" | "cert-manager.io"));
        // The rule `issuer` reports a kind together with a cluster issuer.
        let is_reported = has_cluster_issuer(self.context.plan);
        if is_reported || is_foreign || value.is_empty() || ISSUER_KINDS.contains(&value) {
            return None;
        }
        let help = match likely(value, &ISSUER_KINDS) {
            Some(meant) => format!("write {meant}"),
            None => "add cert-manager.io/issuer-group with the group of that kind".to_owned(),
        };
        self.expected("Issuer or ClusterIssuer where no other group is named", help)
    }

    fn duration(&self) -> Option<Problem> {
        let value = self.annotation.value.as_str();
        if duration(value).is_some_and(|seconds| seconds >= MIN_DURATION) {
            return None;
        }
        let help = match in_days(value) {
            Some(seconds) => format!("write {}", go_text(seconds)),
            None => "write the duration in hours, such as 2160h".to_owned(),
        };
        self.expected("a duration such as 2160h, of at least 1h, in hours, minutes and seconds", help)
    }

    /// Returns the seconds for which the certificate is valid, or is meant to be valid.
    fn valid_for(&self) -> Option<u64> {
        match self.other("duration") {
            Some(text) => duration(text).or_else(|| in_days(text)),
            None => Some(USUAL_DURATION),
        }
    }

    fn renew_before(&self) -> Option<Problem> {
        let value = self.annotation.value.as_str();
        let valid_for = self.valid_for();
        let third = valid_for.map_or_else(|| "720h".to_owned(), |seconds| go_text(seconds / 3));
        let Some(seconds) = duration(value).filter(|seconds| *seconds >= MIN_RENEWAL) else {
            let help = match in_days(value).filter(|meant| valid_for.is_none_or(|valid| *meant < valid)) {
                Some(seconds) => format!("write {}", go_text(seconds)),
                None => format!("write a time such as {third}"),
            };
            return self
                .expected("a duration such as 720h, of at least 5m, in hours, minutes and seconds", help);
        };
        let valid_for = valid_for.filter(|valid| seconds >= *valid)?;
        let help = format!("write {third}, a third of that, or remove the line");
        self.expected(
            &format!("less than the {} for which the certificate is valid", go_text(valid_for)),
            help,
        )
    }

    fn renew_before_percentage(&self) -> Option<Problem> {
        if self.other("renew-before").is_some() {
            let message = "cert-manager.io/renew-before is also given, and cert-manager refuses a certificate with both";
            return Some(Problem::new(Code::CertManagerInvalid, message).help("keep one of the two"));
        }
        let percent = self.annotation.value.parse::<u64>().ok().filter(|percent| (1..=99).contains(percent));
        let Some(percent) = percent else {
            return self.expected("a whole number from 1 to 99", "write a percentage such as 67");
        };
        let valid_for = self.valid_for()?;
        if valid_for * (100 - percent) / 100 >= MIN_RENEWAL {
            return None;
        }
        self.expected(
            "a percentage that leaves 5m to the end of the certificate",
            "write a percentage such as 67",
        )
    }

    fn key_size(&self) -> Option<Problem> {
        let value = self.annotation.value.as_str();
        let algorithm = self.other("private-key-algorithm").unwrap_or("RSA");
        let size = value.parse::<i64>().ok();
        let is = |sizes: &[i64]| size.is_some_and(|size| sizes.contains(&size));
        match likely(algorithm, &ALGORITHMS) {
            Some("RSA") if size.is_some_and(|size| (2048..=8192).contains(&size)) => None,
            Some("RSA") => self.expected("2048 to 8192 for RSA", "write 2048 or 4096, or remove the line"),
            Some("ECDSA") if is(&[256, 384, 521]) => None,
            Some("ECDSA") => self.expected("256, 384 or 521 for ECDSA", "write 256, or remove the line"),
            Some("Ed25519") if size.is_some() => {
                let message = format!(
                    "a key of Ed25519 has one size, so {} has no effect",
                    quoted(&self.annotation.key)
                );
                Some(Problem::new(Code::CertManagerIgnored, message).help("remove the line"))
            }
            // The valid sizes of an unknown algorithm are not known.
            _ if size.is_some() => None,
            _ => self.expected("a whole number", "write 2048 or 4096, or remove the line"),
        }
    }

    fn usages(&self) -> Option<Problem> {
        let mut items = self.annotation.value.split(',').map(|item| item.trim_matches(' '));
        let stray = items.find(|item| USAGES.split(", ").all(|known| known != *item))?;
        if stray.is_empty() {
            return self.expected(
                "usages, separated by commas, and there is an empty item",
                "remove the extra comma, or the line",
            );
        }
        let plain = stray.trim().replace(['-', '_'], " ");
        let help = match did_you_mean(&plain, USAGES.split(", ")) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("choose from {USAGES}"),
        };
        self.expected(
            &format!("usages such as server auth, separated by commas, but {} is not one", quoted(stray)),
            help,
        )
    }

    fn alt_names(&self) -> Option<Problem> {
        let is_name = |item: &&str| host_errors(item).iter().all(|error| *error == HostError::Uppercase);
        let stray = self.annotation.value.split(',').find(|item| !is_name(item))?;
        let help = if is_name(&stray.trim()) {
            "remove the blanks".to_owned()
        } else if stray.trim().parse::<IpAddr>().is_ok() {
            "write the address into cert-manager.io/ip-sans".to_owned()
        } else {
            host_help(stray.trim(), "correct the name, or remove it")
        };
        self.expected(&format!("DNS names, separated only by commas, but {} is not one", quoted(stray)), help)
    }

    fn ingress_class(&self) -> Option<Problem> {
        let other = self.context.plan.annotation(HTTP01_CLASS_NAME).filter(|it| !it.value.is_empty())?;
        let message =
            format!("{} is also given, and cert-manager refuses an order with both", quoted(&other.key));
        Some(Problem::new(Code::CertManagerInvalid, message).help("remove the line"))
    }
}
