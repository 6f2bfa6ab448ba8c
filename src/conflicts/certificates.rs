//! Certificates that several Services request from cert-manager.

use std::collections::{BTreeMap, BTreeSet};

use super::claims::MAX_NAMED;
use super::{Filing, Naming};
use crate::diagnostics::{Code, Origin, Problem, quoted};
use crate::dialect::cert_manager;
use crate::options::annotations::annotation;
use crate::plan::{Plan, Source};
use crate::values::{Target, Tls, set};

/// The secrets into which cert-manager puts the certificates of the plan, each with its hosts; empty if cert-manager is not asked.
pub(super) fn secrets(plan: &Plan) -> Vec<(&str, Vec<&str>)> {
    let is_asked = || plan.tls() == Tls::CertManager || cert_manager::write::is_asked(plan);
    let is_named = plan.targets.contains(&Target::Ingress) || plan.has_listener_set();
    if plan.secret.is_none() || !is_named || !is_asked() {
        return Vec::new();
    }
    plan.tls_section()
}

/// The namespace and the name of a secret.
type Secret<'p> = (Option<&'p str>, &'p str);

/// Files a Warning on each Service that requests a certificate from cert-manager for a host for which another Service requests one
/// in another secret. The plans have their positions.
pub(super) fn duplicate_certificates(exposed: &[(usize, &Plan)], naming: Naming, file: &mut Filing<'_>) {
    let plans: Vec<&Plan> = exposed.iter().map(|(_, plan)| *plan).collect();
    let mut all: Vec<(&str, Secret<'_>, usize)> = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        for (secret, hosts) in secrets(plan) {
            all.extend(hosts.into_iter().map(|host| (host, (plan.namespace(), secret), index)));
        }
    }
    all.sort_unstable();
    all.dedup();
    // For each Service: the first host with several secrets, the other Services that request a certificate for it, and the number
    // of further such hosts.
    let mut found: BTreeMap<usize, (&str, String, usize)> = BTreeMap::new();
    let mut together = UnionFind::new(plans.len());
    for owners in all.chunk_by(|(left, ..), (right, ..)| left == right) {
        let secrets: Vec<_> = owners.chunk_by(|(_, left, _), (_, right, _)| left == right).collect();
        if secrets.len() < 2 {
            continue;
        }
        let mut before = 0;
        for own in secrets {
            let others = owners.iter().take(before).chain(owners.iter().skip(before + own.len()));
            before += own.len();
            let named: Vec<&Plan> =
                others.take(MAX_NAMED).filter_map(|(.., index)| plans.get(*index).copied()).collect();
            for (host, _, index) in own {
                let Some(plan) = plans.get(*index) else { continue };
                let others = || naming.names(plan, &named, owners.len() - own.len());
                found
                    .entry(*index)
                    .and_modify(|(.., more)| *more += 1)
                    .or_insert_with(|| (host, others(), 0));
                together.join(owners.first().map_or(*index, |(.., first)| *first), *index);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Plan>> = BTreeMap::new();
    for index in found.keys() {
        groups.entry(together.first(*index)).or_default().extend(plans.get(*index));
    }
    let helps: BTreeMap<usize, String> =
        groups.into_iter().map(|(first, group)| (first, one_certificate_help(&group, naming))).collect();
    for (index, (host, others, more)) in found {
        let Some((position, plan)) = exposed.get(index) else { continue };
        let more = match more {
            0 => String::new(),
            1 => " and another host".to_owned(),
            more => format!(" and {more} other hosts"),
        };
        let message = format!(
            "a second certificate of cert-manager for {}{more} is requested by {others}",
            quoted(host)
        );
        let help = helps.get(&together.first(index)).cloned().unwrap_or_default();
        let at = plan.tls.as_ref().map(|tls| tls.origin.clone()).unwrap_or_default().path();
        file(*position, plan, (at, Problem::new(Code::CertificateTwice, message).help(help)));
    }
}

/// Groups of positions: each position has the index of an earlier one of its group (union-find).
struct UnionFind(Vec<usize>);

impl UnionFind {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// Returns the first position of a group.
    fn first(&mut self, index: usize) -> usize {
        let mut at = index;
        while let Some(next) = self.0.get(at).copied().filter(|next| *next != at) {
            // Path halving makes the next search shorter.
            let further = self.0.get(next).copied().unwrap_or(next);
            if let Some(entry) = self.0.get_mut(at) {
                *entry = further;
            }
            at = next;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        if let Some(entry) = self.0.get_mut(one.max(other)) {
            *entry = one.min(other);
        }
    }
}

/// The help for several Services that request certificates in one secret.
pub(super) fn shared_secret_help(plans: &[&Plan]) -> String {
    let mut hosts: Vec<(&str, usize)> = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        hosts.extend(plan.tls_hosts().into_iter().map(|host| (host, index)));
    }
    hosts.sort_unstable();
    hosts.dedup();
    // If the Services have no host in common, each can have a secret of its own.
    if hosts.is_sorted_by(|(left, _), (right, _)| left < right) {
        return "leave TLSSecretNameTemplate out, or put {{.Service}} into it".to_owned();
    }
    one_certificate_help(plans, Naming::All)
}

/// The help for Services with hosts in common, to get one certificate. cert-manager makes it for the hosts of the Ingress that
/// names the issuer, so one of the Services must have all hosts.
fn one_certificate_help(plans: &[&Plan], naming: Naming) -> String {
    fn hosts(plan: &Plan) -> BTreeSet<&str> {
        set(plan.tls_hosts())
    }
    // If several have the same number of hosts, the first one.
    let largest = plans.iter().rev().max_by_key(|plan| hosts(plan).len()).copied();
    let keeper = largest.filter(|largest| {
        let all = hosts(largest);
        plans.iter().flat_map(|plan| plan.tls_hosts()).all(|host| all.contains(host))
    });
    let is_one_namespace =
        plans.iter().all(|plan| Some(plan.namespace()) == largest.map(|plan| plan.namespace()));
    // A message may name the Service only if its namespace is the same, or if names are not restricted.
    let keeper = keeper.filter(|_| naming == Naming::All || is_one_namespace);
    let copied = if is_one_namespace { "" } else { ", and copy the secret into its namespace" };
    let others = if plans.len() == 2 { "other" } else { "others" };
    let (tls, template) = (annotation::TLS, annotation::SECRET);
    // An annotation of the Service overrides a setting.
    let asked = keeper.and_then(|it| it.tls.as_ref());
    let asks_itself = asked.is_some_and(|tls| matches!(tls.origin, Origin::Annotation(_)));
    // If the Service has several secrets, the others need the same template.
    let secret_of = |plan: &&Plan| {
        if plan.secrets.is_empty() {
            plan.secret().map(str::to_owned)
        } else {
            Some("the same one".to_owned())
        }
    };
    let keeper = keeper.and_then(|keeper| Some((&keeper.subject, secret_of(&keeper)?)));
    // An issuer among the annotations of the settings applies to every Service with a secret; the setting `issuer` only to those
    // that ask for cert-manager.
    let of_settings = plans
        .iter()
        .flat_map(|plan| &plan.annotations)
        .find(|it| matches!(it.source, Source::Setting { .. }) && cert_manager::is_issuer(&it.key));
    if let Some(issuer) = of_settings {
        let setting = if issuer.key == cert_manager::ISSUER { "issuer" } else { "clusterIssuer" };
        let then = match keeper {
            Some((keeper, secret)) if asks_itself => format!(
                "give {keeper} {tls}: cert-manager and the {others} {tls}: \"true\" and {template}: {secret}{copied}"
            ),
            Some((keeper, secret)) => format!(
                "leave the certificate to {keeper} and give the {others} {tls}: \"true\" and {template}: {secret}{copied}"
            ),
            None => format!(
                "make one Certificate for the hosts of all, and give each {tls}: \"true\" and its secret as {template}{copied}"
            ),
        };
        return format!(
            "set {setting}: {} and tls: cert-manager in place of the annotation {}, and {then}",
            issuer.value, issuer.key
        );
    }
    match keeper {
        Some((keeper, secret)) => format!(
            "keep the issuer only on {keeper}, and give the {others} {tls}: \"true\" and {template}: {secret}{copied}"
        ),
        None => format!(
            "make one Certificate for the hosts of all, and give each {tls}: \"true\" and its secret as {template}, without an issuer{copied}"
        ),
    }
}
