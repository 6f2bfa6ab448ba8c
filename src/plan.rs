//! From an Exposure to a Plan: which objects, under which names; and what two plans both claim.

use std::collections::BTreeMap;

use crate::check::Exposure;
use crate::diag::{Code, Problem, Report, shown};
use crate::emit::{self, Emitted};
use crate::resolve::Scope;
use crate::value::{Hostname, ObjectName, Origin, PathType, PortRef, UrlPath};

/// What will be made of one Service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The name of the Service, which owns everything below.
    pub service: String,
    /// The namespace of the Service and of its objects, if the Service names one.
    pub namespace: Option<String>,
    /// The Ingress.
    pub ingress: IngressPlan,
    /// The entry of the URL ConfigMap, if one is asked for.
    pub published: Option<Published>,
    /// Where the Ingress's name came from.
    pub(crate) name_origin: Origin,
}

/// An Ingress, before it is written in the words of one API.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IngressPlan {
    /// Its name.
    pub name: ObjectName,
    /// Its class; `None` leaves it to the cluster's default, or to a forwarded annotation.
    pub class: Option<ObjectName>,
    /// Its hosts and paths, at least one, no two the same.
    pub rules: Vec<RoutePlan>,
    /// The port of the Service all of them lead to.
    pub port: PortRef,
    /// The secret with the certificate for all hosts; `None` means no TLS section.
    pub secret: Option<ObjectName>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// One host and path of an Ingress.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoutePlan {
    /// The host.
    pub host: Hostname,
    /// The path.
    pub path: UrlPath,
    /// How the path is compared.
    pub path_type: PathType,
    pub(crate) origin: Origin,
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

impl Plan {
    /// The plan of an exposure.
    pub(crate) fn new(service: &str, namespace: Option<&str>, exposure: Exposure) -> Self {
        let rules: Vec<RoutePlan> = exposure
            .rules
            .into_iter()
            .map(|rule| RoutePlan {
                host: rule.host,
                path: rule.path,
                path_type: rule.path_type,
                origin: rule.origin,
            })
            .collect();
        let published = exposure.publish.map(|scope| Published {
            scope,
            key: format!("{service}-{}", namespace.unwrap_or_default()),
            value: rules.first().map(|rule| rule.host.to_string()).unwrap_or_default(),
        });
        Self {
            service: service.to_owned(),
            namespace: namespace.map(str::to_owned),
            ingress: IngressPlan {
                name: exposure.name,
                class: exposure.class,
                rules,
                port: exposure.port,
                secret: exposure.secret,
                annotations: exposure.annotations.into_iter().collect(),
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
    pub fn emit(&self) -> Emitted {
        emit::emit([self])
    }

    /// The Ingress as a typed object.
    ///
    /// # Errors
    ///
    /// None is known: what is emitted has the form of the API.
    #[cfg(feature = "k8s-openapi")]
    pub fn typed_ingress(&self) -> Result<k8s_openapi::api::networking::v1::Ingress, serde_json::Error> {
        serde_json::from_value(emit::ingress::object_of(self))
    }
}

/// The objects of several plans: the Ingresses in the order of the plans, then one URL ConfigMap a namespace.
#[must_use]
pub fn emit_all<'p>(plans: impl IntoIterator<Item = &'p Plan>) -> Emitted {
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
pub(crate) fn conflicts(plans: &[&Plan]) -> Vec<(usize, Report)> {
    let mut claims: Vec<(Claim<'_>, usize)> = Vec::with_capacity(plans.len() * 2);
    for (index, plan) in plans.iter().enumerate() {
        claims.push((Claim::Name(plan.namespace.as_deref(), plan.ingress.name.as_str()), index));
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
            let others: Vec<&Plan> = owners
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

fn claimed<'p>(claim: Claim<'_>, plan: &'p Plan, others: &[&Plan]) -> (&'p Origin, Problem) {
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
fn names(plans: &[&Plan]) -> String {
    let mut listed: Vec<String> = plans.iter().take(3).map(|plan| plan.subject().to_string()).collect();
    if plans.len() > 3 {
        listed.push(format!("{} more", plans.len() - 3));
    }
    listed.join(", ")
}

impl Plan {
    fn subject(&self) -> crate::diag::Subject {
        crate::diag::Subject {
            kind: "Service".into(),
            namespace: self.namespace.clone().unwrap_or_default(),
            name: self.service.clone(),
        }
    }
}
