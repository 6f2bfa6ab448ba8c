//! From an Exposure to a Plan: which objects, under which names; and what two plans both claim.

use std::collections::BTreeMap;

use crate::check::{Exposure, Route};
use crate::diag::{Code, Problem, Report, shown};
use crate::emit::{self, Emitted};
use crate::resolve::{Annotation, Scope};
use crate::value::{ObjectName, Origin, PathType, PortRef};

/// What will be made of one Service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan<'a> {
    /// The name of the Service, which owns everything below.
    pub service: &'a str,
    /// The namespace of the Service and of its objects, if the Service names one.
    pub namespace: Option<&'a str>,
    /// The Ingress.
    pub ingress: IngressPlan<'a>,
    /// The entry of the URL ConfigMap, if one is asked for.
    pub published: Option<Published>,
    /// Where the Ingress's name came from.
    pub(crate) name_origin: Origin,
}

/// An Ingress, before it is written in the words of one API.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IngressPlan<'a> {
    /// Its name.
    pub name: ObjectName<'a>,
    /// Its class; `None` leaves it to the cluster's default, or to a forwarded annotation.
    pub class: Option<ObjectName<'a>>,
    /// Its hosts and paths, at least one, no two the same.
    pub rules: Vec<Route<'a>>,
    /// The port of the Service all of them lead to.
    pub port: PortRef,
    /// The secret with the certificate for all hosts; `None` means no TLS section.
    pub secret: Option<ObjectName<'a>>,
    /// Its annotations, in ascending order of their keys, which are all different.
    pub annotations: Vec<Annotation<'a>>,
}

/// An entry of the URL ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// Whose ConfigMap.
    pub scope: Scope,
    /// The key: `<service>-<namespace>`.
    pub key: String,
    /// The value: the first host.
    pub value: String,
}

impl<'a> Plan<'a> {
    /// The plan of an exposure.
    pub(crate) fn new(service: &'a str, namespace: Option<&'a str>, exposure: Exposure<'a>) -> Self {
        let rules = exposure.rules;
        let published = exposure.publish.map(|scope| Published {
            scope,
            key: format!("{service}-{}", namespace.unwrap_or_default()),
            value: rules.first().map(|rule| rule.host.to_string()).unwrap_or_default(),
        });
        Self {
            service,
            namespace,
            ingress: IngressPlan {
                name: exposure.name,
                class: exposure.class,
                rules,
                port: exposure.port,
                secret: exposure.secret,
                annotations: exposure.annotations,
            },
            published,
            name_origin: exposure.name_origin,
        }
    }

    /// The URL of the first rule: scheme, host and path, without the path where it is `/` or a regular expression.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.ingress.secret.is_some() { "https" } else { "http" };
        let Some(rule) = self.ingress.rules.first() else { return String::new() };
        let path = match rule.path.as_str() {
            "/" => "",
            path if rule.path_type != PathType::ImplementationSpecific => path,
            _ => "",
        };
        format!("{scheme}://{}{path}", rule.host)
    }

    /// The objects of this plan alone. Use [`emit_all`] for the plans of several Services, whose URL ConfigMap is one
    /// object.
    #[must_use]
    pub fn emit(&self) -> Emitted<'_> {
        emit::emit([self])
    }

    /// The Ingress as a typed object.
    ///
    /// # Errors
    ///
    /// None is known: what is emitted has the form of the API.
    #[cfg(feature = "k8s-openapi")]
    pub fn typed_ingress(&self) -> Result<k8s_openapi::api::networking::v1::Ingress, serde_json::Error> {
        serde_json::to_value(emit::ingress::Ingress::new(self)).and_then(serde_json::from_value)
    }
}

/// The objects of several plans: the Ingresses in the order of the plans, then one URL ConfigMap a namespace.
#[must_use]
pub fn emit_all<'p>(plans: impl IntoIterator<Item = &'p Plan<'p>>) -> Emitted<'p> {
    emit::emit(plans)
}

/// What two plans may not both have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim<'p> {
    /// An Ingress of this name in this namespace.
    Name(Option<&'p str>, &'p str),
    /// A host and a path; an exact path does not stand in the way of a prefix.
    Route(&'p str, &'p str, bool),
}

/// Files an Error for everything that two of the plans claim, on both, naming the other.
pub(crate) fn conflicts(plans: &[&Plan<'_>]) -> Vec<(usize, Report)> {
    let mut claims: Vec<(Claim<'_>, usize)> = Vec::with_capacity(plans.len() * 2);
    for (index, plan) in plans.iter().enumerate() {
        claims.push((Claim::Name(plan.namespace, plan.ingress.name.as_str()), index));
        for rule in &plan.ingress.rules {
            let path = match rule.path.as_str() {
                "/" => "/",
                path if rule.path_type == PathType::Prefix => path.trim_end_matches('/'),
                path => path,
            };
            claims.push((Claim::Route(rule.host.as_str(), path, rule.path_type == PathType::Exact), index));
        }
    }
    claims.sort_unstable();
    let mut reports: BTreeMap<usize, Report> = BTreeMap::new();
    for group in claims.chunk_by(|(left, _), (right, _)| left == right) {
        let mut owners: Vec<usize> = group.iter().map(|(_, index)| *index).collect();
        owners.dedup();
        let Some((claim, _)) = group.first() else { continue };
        for &index in owners.iter().filter(|_| owners.len() > 1) {
            let Some(plan) = plans.get(index) else { continue };
            let others: Vec<&Plan<'_>> = owners
                .iter()
                .filter(|other| **other != index)
                .filter_map(|other| plans.get(*other).copied())
                .collect();
            let (origin, problem) = claimed(*claim, plan, &others);
            reports
                .entry(index)
                .or_insert_with(|| Report::new(plan.subject(), false))
                .file(origin.path(), problem);
        }
    }
    reports.into_iter().collect()
}

fn claimed<'p>(claim: Claim<'_>, plan: &'p Plan<'_>, others: &[&Plan<'_>]) -> (&'p Origin, Problem) {
    let others = names(others);
    match claim {
        Claim::Name(_, name) => {
            let said = format!("the Ingress name {} is also asked for by {others}", shown(name));
            let help =
                "give one of them another IngressNameTemplate, for example {{.Service}}-{{.Namespace}}";
            (&plan.name_origin, Problem::new(Code::NameClaimed, said).help(help))
        }
        Claim::Route(host, path, _) => {
            let said = format!("{} is also asked for by {others}", shown(&format!("{host}{path}")));
            let origin =
                plan.ingress.rules.iter().find(|rule| rule.host.as_str() == host).map(|rule| &rule.origin);
            let problem =
                Problem::new(Code::RouteClaimed, said).help("give one of them another host or path");
            (origin.unwrap_or(&plan.name_origin), problem)
        }
    }
}

/// The Services, in words: at most three by name.
fn names(plans: &[&Plan<'_>]) -> String {
    let mut listed: Vec<String> = plans.iter().take(3).map(|plan| plan.subject().to_string()).collect();
    if plans.len() > 3 {
        listed.push(format!("{} more", plans.len() - 3));
    }
    listed.join(", ")
}

impl Plan<'_> {
    /// The Service, for diagnostics.
    pub(crate) fn subject(&self) -> crate::diag::Subject {
        crate::diag::Subject {
            kind: "Service".into(),
            namespace: self.namespace.unwrap_or_default().to_owned(),
            name: self.service.to_owned(),
        }
    }
}
