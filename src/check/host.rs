//! Rules about the host.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::diagnostics::{Code, Origin, Problem, Report, quoted, quoted_char};
use crate::dialect::write::covering_names;
use crate::intents::Intent;
use crate::plan::context::RuleContext;
use crate::plan::{AddedHost, OtherHost, Place, Route};
use crate::validation::{HostError, MAX_COMMON_NAME, MAX_LABEL, MAX_NAME, character_help, host_errors};
use crate::values::set;

/// A host with the template that it came from.
#[derive(Clone, Copy)]
pub(crate) struct HostSource<'r> {
    host: &'r str,
    host_origin: &'r Origin,
    template: &'r str,
    verbatim: bool,
}

impl<'r> From<&'r Route> for HostSource<'r> {
    fn from(rule: &'r Route) -> Self {
        let Route { host, host_origin, template, verbatim, .. } = rule;
        Self { host, host_origin, template, verbatim: *verbatim }
    }
}

impl<'r> From<&'r OtherHost> for HostSource<'r> {
    fn from(other: &'r OtherHost) -> Self {
        let OtherHost { host, host_origin, template, verbatim } = other;
        Self { host, host_origin, template, verbatim: *verbatim }
    }
}

/// Checks that a host is a DNS name in lower case, or `*.` followed by such a name.
pub(crate) fn host(context: &RuleContext<'_>, report: &mut Report) {
    let domain = context.plan.domain.as_ref();
    // Computed only if a host has errors.
    let domain_errors = LazyCell::new(|| domain.map(|it| host_errors(&it.value)).unwrap_or_default());
    let mut accused = Vec::new();
    let plan = context.plan;
    let others = plan.certificate_hosts.iter().map(HostSource::from);
    for rule in plan.rules.iter().map(HostSource::from).chain(others) {
        let mut errors = host_errors(rule.host);
        // The host contains an unexpanded template or placeholder. Its upper-case letters are not a second problem.
        if errors.iter().any(|error| matches!(error, HostError::Character('{' | '}' | '<' | '>' | '$'))) {
            errors.retain(|error| *error != HostError::Uppercase);
        }
        for error in errors {
            // A wildcard is valid as a domain, but not after another name.
            let is_star = |domain: &str| error == HostError::Wildcard && domain.starts_with("*.");
            match domain.filter(|domain| {
                rule.host.ends_with(domain.value.as_str())
                    && (same_kind(&domain_errors, &error) || is_star(&domain.value))
            }) {
                // The error is in the domain, so it is reported once, at the place of the domain.
                Some(domain) => {
                    let kind = std::mem::discriminant(&error);
                    if !accused.contains(&kind) {
                        accused.push(kind);
                        let mut problem = problem(context, rule, error.clone()).without_place();
                        if is_star(&domain.value) {
                            problem = problem.help("write the domain without a star");
                        }
                        report.file(domain.origin.path(), problem);
                    }
                }
                None => report.file(rule.host_origin.path(), problem(context, rule, error)),
            }
        }
    }
}

fn same_kind(errors: &[HostError], error: &HostError) -> bool {
    errors.iter().any(|known| std::mem::discriminant(known) == std::mem::discriminant(error))
}

/// Checks that each host belongs to the namespace of the Service, or at least to no other namespace.
pub(crate) fn ownership(context: &RuleContext<'_>, report: &mut Report) {
    let own = context.service.namespace().unwrap_or_default();
    let plan = context.plan;
    let mut judge = |rule: HostSource<'_>| {
        // The rule `host` reports a missing host.
        let host = Some(rule.host).filter(|host| !host.is_empty());
        if let Some(problem) = host.and_then(|host| context.settings.problem_of_host(own, host)) {
            report.file(chosen_by(context, rule).path(), problem);
        }
    };
    plan.rules.iter().for_each(|rule| judge(rule.into()));
    if !plan.certificate_hosts.is_empty() {
        // A wildcard of an existing certificate for the hosts of the routes gives the Service no other host.
        let covering = covering_names(plan);
        plan.certificate_hosts
            .iter()
            .filter(|it| !covering.has_wildcard(&it.host))
            .for_each(|it| judge(it.into()));
    }
    for other in &plan.other_hosts {
        let place = plan.requested(Intent::RedirectFrom).map(|wanted| plan.place_of(wanted));
        if let Some((place, problem)) = place.zip(context.settings.problem_of_host(own, &other.host)) {
            let problem = match place {
                Place::Line(_) => problem.help("remove the line, or choose another host"),
                Place::Field(_) => problem,
            };
            place.file(report, problem);
        }
    }
    // Both prefixes of ExternalDNS may have the same name, and it may be the host of a route, or be redirected to one. Each host is
    // reported once.
    let mut seen: Option<BTreeSet<String>> = None;
    let of_others = || plan.other_hosts.iter().map(|it| it.host.clone());
    let of_routes = || set(plan.rules.iter().map(|rule| rule.host.clone()).chain(of_others()));
    for AddedHost { host, annotation, origin, .. } in plan.added_hosts() {
        let problem = context.settings.problem_of_host(own, &host);
        let is_new = |_: &Problem| seen.get_or_insert_with(of_routes).insert(host);
        match (problem.filter(is_new), annotation) {
            (Some(problem), Some(annotation)) => annotation.file_value(report, problem),
            (Some(problem), None) => report.file(origin.path(), problem),
            (None, _) => {}
        }
    }
}

/// Returns the origin of a valid host. This is the domain if the Service gives the domain but not the template.
pub(crate) fn chosen_by<'f>(context: &'f RuleContext<'_>, rule: HostSource<'f>) -> &'f Origin {
    let domain = context.plan.domain.as_ref().filter(|domain| {
        matches!(domain.origin, Origin::Annotation(_)) && rule.host.ends_with(domain.value.as_str())
    });
    match (rule.host_origin, domain) {
        (Origin::Annotation(_), _) | (_, None) => rule.host_origin,
        (_, Some(domain)) => &domain.origin,
    }
}

/// Checks that a host has at most 64 characters if it needs a certificate with a common name.
pub(crate) fn common_name(context: &RuleContext<'_>, report: &mut Report) {
    let common_name = context.layers.first(|it| &it.common_name).is_some_and(|it| it.value);
    if !(context.plan.tls().has_secret() && common_name) {
        return;
    }
    // One short name is enough for a certificate that all hosts share.
    let is_short = |other: &OtherHost| other.host.len() <= MAX_COMMON_NAME;
    if context.plan.secrets.is_empty() && context.plan.certificate_hosts.iter().any(is_short) {
        return;
    }
    for rule in context
        .plan
        .rules
        .iter()
        .filter(|rule| rule.host.len() > MAX_COMMON_NAME && rule.host.len() <= MAX_NAME)
    {
        let message = format!(
            "the host {} has {} characters, a certificate's common name holds {MAX_COMMON_NAME}",
            quoted(&rule.host),
            rule.host.len()
        );
        let help = too_long_help(context);
        report.file(rule.host_origin.path(), Problem::new(Code::HostCommonName, message).help(help));
    }
}

fn too_long_help(context: &RuleContext<'_>) -> &'static str {
    if context.layers.first(|it| &it.fallbacks).is_none_or(|it| it.value.is_empty()) {
        "shorten the template, or ask your administrator for ingressURLTemplateFallbacks"
    } else {
        "shorten the template; no template of ingressURLTemplateFallbacks is short enough either"
    }
}

fn problem(context: &RuleContext<'_>, rule: HostSource<'_>, error: HostError) -> Problem {
    let host = quoted(rule.host);
    match error {
        HostError::Missing => Problem::new(
            Code::HostMissing,
            "there is no host in front of the path, and an empty host would match every host",
        )
        .help("write a host in front of the path"),
        HostError::Scheme => {
            let without = rule.template.replacen("https://", "", 1).replacen("http://", "", 1);
            // If the domain contains the scheme, the scheme is in the middle of the host.
            let message =
                if ["http", "https"].iter().any(|scheme| rule.host.split(':').next() == Some(scheme)) {
                    format!("{host} starts with a scheme, expected a host")
                } else {
                    format!("the host {host} contains a scheme, expected a host")
                };
            let mut problem = Problem::new(Code::HostScheme, message)
                .help("remove the scheme; request https with config.xposer.stakater.com/TLS: \"true\"");
            let host = without.split('/').next().unwrap_or_default();
            let passes = host.contains("{{") || host_errors(host).is_empty();
            if without != rule.template && passes && matches!(rule.host_origin, Origin::Annotation(_)) {
                problem = problem.propose(without);
            }
            let scheme = rule.host.split_inclusive("//").next().unwrap_or_default();
            problem.mark(scheme, rule.template, rule.verbatim)
        }
        HostError::Port => {
            let port = rule.host.rsplit(':').next().unwrap_or_default();
            let problem = Problem::new(Code::HostPort, format!("the host {host} contains a port"))
                .help("remove the port; the controller listens on 80 and 443");
            fixed(problem, rule).mark(&format!(":{port}"), rule.template, rule.verbatim)
        }
        HostError::Ip => {
            Problem::new(Code::HostIp, format!("the host {host} is an IP address, expected a DNS name"))
                .help("use a DNS name")
        }
        HostError::TrailingDot => {
            let problem = Problem::new(Code::HostTrailingDot, format!("the host {host} ends with a dot"))
                .help("remove the last dot");
            fixed(problem, rule)
        }
        HostError::Uppercase => {
            let problem =
                Problem::new(Code::HostUppercase, format!("the host {host} contains upper-case letters"))
                    .help("write it in lower case");
            fixed(problem, rule)
        }
        HostError::Character('_') => {
            let problem = Problem::new(Code::HostCharacter, format!("the host {host} contains `_`"))
                .help("write `-` instead of `_`");
            fixed(problem, rule).mark("_", rule.template, rule.verbatim)
        }
        HostError::Character(character) => {
            let what = quoted_char(character);
            let problem = Problem::new(
                Code::HostCharacter,
                format!("the host {host} contains {what}, expected lower-case letters, digits, `-` and `.`"),
            )
            .help(match character {
                ';' | '|' | '&' => "write a comma or the end of a line in its place, or remove it".to_owned(),
                '>' if rule.host.contains("->") => "write blanks around ->".to_owned(),
                other => character_help(other, rule.host),
            });
            problem.mark(&character.to_string(), rule.template, rule.verbatim)
        }
        HostError::EmptyLabel => {
            Problem::new(Code::HostEmptyLabel, format!("the host {host} has an empty part between two dots"))
                .help("remove the extra dot, or set the value that came out empty")
        }
        HostError::Hyphen(range) => {
            let part = quoted(part(rule, &range));
            Problem::new(
                Code::HostHyphen,
                format!("the part {part} of the host {host} starts or ends with a hyphen"),
            )
            .help("remove the hyphen, or set the value that came out empty")
        }
        HostError::Wildcard => {
            Problem::new(Code::HostWildcard, format!("the host {host} has a `*` in the wrong place"))
                .help("write the wildcard as the whole first part: *.example.com")
        }
        HostError::LabelTooLong(range) => {
            let message = format!(
                "the part {} of the host has {} characters, DNS allows {MAX_LABEL}",
                quoted(part(rule, &range)),
                range.len()
            );
            Problem::new(Code::HostLabelTooLong, message).help(too_long_help(context))
        }
        HostError::TooLong => Problem::new(
            Code::HostTooLong,
            format!("the host has {} characters, DNS allows {MAX_NAME}", rule.host.len()),
        )
        .help(too_long_help(context)),
    }
    .found(rule.host)
}

fn part<'r>(rule: HostSource<'r>, range: &Range<usize>) -> &'r str {
    rule.host.get(range.clone()).unwrap_or_default()
}

/// Proposes a corrected host. This is possible only if the template is exactly the host and all errors of the host can be
/// corrected.
fn fixed(problem: Problem, rule: HostSource<'_>) -> Problem {
    if rule.template.trim() != rule.host
        || !matches!(rule.host_origin, Origin::Annotation(_) | Origin::Setting(_))
    {
        return problem;
    }
    let name = rule.host.split(':').next().unwrap_or_default();
    let host = name.trim_end_matches('.').to_ascii_lowercase().replace('_', "-");
    if host_errors(&host).is_empty() { problem.propose(host) } else { problem }
}
