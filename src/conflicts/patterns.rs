//! Hosts on which one Service makes ingress-nginx compare all paths as regular expressions.

use std::collections::BTreeMap;

use super::claims::{Claimed, MAX_NAMED};
use super::{Filing, Naming};
use crate::diagnostics::{Code, FieldPath, Problem, quoted};
use crate::dialect::nginx::paths::{as_regex, loses_meaning};
use crate::dialect::nginx::{REWRITE_TARGET, USE_REGEX};
use crate::intents::Intent;
use crate::plan::{Annotation, Plan, Route};
use crate::validation::{PathType, parse_bool};

/// How ingress-nginx compares the paths of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Compared {
    /// As regular expressions, including the paths of other Services on the host.
    Patterns,
    /// By their path type; a regular expression of another Service would change that.
    Plain,
}

/// The hosts on which this plan makes ingress-nginx compare paths as regular expressions, and the hosts with a path that a regular
/// expression of another plan would change. If the plan itself has both, a rule has reported that.
pub(super) fn compared(plan: &Plan) -> impl Iterator<Item = Claimed<'_>> {
    // A fast path: nearly every plan has only the path `/` of type Prefix, and no annotation about it.
    let is_common = |rule: &Route| rule.path_type == PathType::Prefix && rule.path == "/";
    let is_about_paths = |it: &Annotation| matches!(it.key.as_str(), USE_REGEX | REWRITE_TARGET);
    let is_plain = plan.rules.iter().all(is_common)
        && !plan.annotations.iter().any(is_about_paths)
        && plan.requested(Intent::RewritePath).is_none();
    let nginx = if is_plain { None } else { plan.nginx() };
    let mut hosts: BTreeMap<&str, Compared> = BTreeMap::new();
    for rule in nginx.iter().flat_map(|_| &plan.rules) {
        if nginx.is_some_and(|nginx| nginx.reads_regex(&rule.path, rule.path_type)) {
            hosts.insert(&rule.host, Compared::Patterns);
        } else if loses_meaning(&rule.path, rule.path_type) {
            hosts.entry(&rule.host).or_insert(Compared::Plain);
        }
    }
    let class = plan.class_name();
    hosts.into_iter().map(move |(host, compared)| Claimed::Paths(class, host, compared))
}

/// Reports, on both Services, a regular expression that changes the meaning of another Service's path on the same host.
pub(super) fn pattern_conflicts(plans: &[(usize, &Plan)], naming: Naming, file: &mut Filing<'_>) {
    let mut all: Vec<(Claimed<'_>, usize, &Plan)> = Vec::new();
    for (index, plan) in plans {
        all.extend(compared(plan).map(|claim| (claim, *index, *plan)));
    }
    let is_patterns = |claim: &Claimed<'_>| matches!(claim, Claimed::Paths(.., Compared::Patterns));
    if !all.iter().any(|(claim, ..)| is_patterns(claim)) {
        return;
    }
    all.sort_unstable_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
    for group in all.chunk_by(|left, right| place(&left.0) == place(&right.0)) {
        let Some((_, host)) = group.first().and_then(|(claim, ..)| place(claim)) else { continue };
        let (patterns, plain) = group.split_at(group.partition_point(|(claim, ..)| is_patterns(claim)));
        if patterns.is_empty() || plain.is_empty() {
            continue;
        }
        let names = |plan: &Plan, side: &[(Claimed<'_>, usize, &Plan)]| {
            let named: Vec<&Plan> = side.iter().map(|(.., plan)| *plan).take(MAX_NAMED).collect();
            naming.names(plan, &named, side.len())
        };
        for (claim, index, plan) in group {
            let found = if is_patterns(claim) {
                patterns_at(plan, host, &names(plan, plain))
            } else {
                plain_at(plan, host, &names(plan, patterns))
            };
            if let Some(found) = found {
                file(*index, plan, found);
            }
        }
    }
}

/// The class and the host of the paths.
fn place<'p>(claim: &Claimed<'p>) -> Option<(Option<&'p str>, &'p str)> {
    match claim {
        Claimed::Paths(class, host, _) => Some((*class, *host)),
        _ => None,
    }
}

/// The finding about a plan that changes the meaning of paths of other Services.
fn patterns_at(plan: &Plan, host: &str, others: &str) -> Option<(FieldPath, Problem)> {
    let nginx = plan.nginx()?;
    let mut on_host = plan.rules.iter().filter(|rule| rule.host == host);
    let pattern = on_host.find(|rule| rule.is_pattern());
    let problem = |cause: &str| {
        let message = format!(
            "because of {}, ingress-nginx reads all paths of the host {} as regular expressions, those of {others}, too",
            quoted(cause),
            quoted(host)
        );
        let help =
            "write the paths of the others as regular expressions, or give one of the Services another host";
        Problem::new(Code::HostRegex, message).help(help)
    };
    let asked = nginx.use_regex.filter(|it| parse_bool(&it.value) == Some(true)).or(nginx.rewrite);
    Some(match (pattern, asked, nginx.wanted) {
        (Some(rule), ..) => path_of(rule, problem(&rule.path)),
        (None, Some(asked), _) => asked.at_key(problem(&asked.key)),
        (None, None, Some((wanted, _))) => plan.place_of(wanted).with(problem(wanted.words())),
        // The path is one of another host: it makes all paths of the Ingress regular expressions.
        (None, None, None) => path_of(nginx.pattern?, problem(&nginx.pattern?.path)),
    })
}

/// The place of a path, and the problem with the path.
fn path_of(rule: &Route, problem: Problem) -> (FieldPath, Problem) {
    (rule.path_origin.path(), problem.found(rule.path.as_str()))
}

/// The finding about a plan with a path whose meaning other Services change.
fn plain_at(plan: &Plan, host: &str, others: &str) -> Option<(FieldPath, Problem)> {
    let rule =
        plan.rules.iter().find(|rule| rule.host == host && loses_meaning(&rule.path, rule.path_type))?;
    let path = rule.path.as_str();
    let message = format!(
        "because of {others}, ingress-nginx reads all paths of the host {} as regular expressions, so {} matches every path that begins with it, in any letter case",
        quoted(host),
        quoted(path)
    );
    let help = format!(
        "write it as the regular expression {}, or give one of the Services another host",
        as_regex(path, rule.path_type)
    );
    Some(path_of(rule, Problem::new(Code::HostRegex, message).help(help)))
}
