//! From an Exposure to a Plan: which objects, under which names; and what two plans both claim.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::check::{Exposure, Route};
use crate::diag::{Code, FieldPath, Problem, Report, Subject, shown};
use crate::input::{FORWARD_ANNOTATION, Service};
use crate::resolve::{Annotation, Scope};
use crate::value::{ObjectName, Origin, PathType, PortRef, comparable_path};

/// What will be made of one Service. Plans are made by [`expose`](crate::expose) only.
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Service, Settings, expose};
/// # let service = json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
/// #         "config.xposer.stakater.com/IngressNameTemplate": "{{.Service}}-{{.Namespace}}"}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// # let outcome = expose(&Service::from_value(&service), &Settings::default());
/// // The name template is `{{.Service}}-{{.Namespace}}`.
/// # let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
/// assert_eq!((plan.service, plan.namespace), ("web", Some("shop")));
/// assert_eq!(plan.ingress.name.as_str(), "web-shop");
/// assert!(plan.published.is_none());
/// ```
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
    /// The bytes of the Service's annotations, without what is written back.
    pub(crate) annotation_bytes: usize,
}

/// An Ingress, before it is written in the words of one API.
///
/// ```
/// # use serde_json::json;
/// # use xposer::{PortRef, Service, Settings, expose};
/// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
/// #         "config.xposer.stakater.com/TLS": "true", "config.xposer.stakater.com/ServicePort": "http"}},
/// #     "spec": {"ports": [{"port": 80, "name": "http"}]}});
/// # let outcome = expose(&Service::from_value(&service), &Settings::default());
/// # let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
/// // The Service `web` has the annotations `TLS: "true"` and `ServicePort: http`.
/// assert_eq!(plan.ingress.secret.as_ref().map(|name| name.as_str()), Some("web-cert"));
/// assert_eq!(plan.ingress.port, PortRef::Name("http".to_owned()));
/// assert!(plan.ingress.class.is_none() && plan.ingress.annotations.is_empty());
/// ```
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
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Scope, Service, Settings, expose};
/// # let service = json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com/api",
/// #         "xposer.stakater.com/annotations": "exposeIngressUrl: locally"}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// # let outcome = expose(&Service::from_value(&service), &Settings::default());
/// # let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
/// // The Service forwards `exposeIngressUrl: locally`, and its URL is `web.example.com/api`.
/// let Some(entry) = &plan.published else { panic!("it asks for an entry") };
/// assert_eq!(entry.scope, Scope::Locally);
/// assert_eq!((entry.key.as_str(), entry.value.as_str()), ("web-shop", "web.example.com"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// Whose ConfigMap.
    pub scope: Scope,
    /// The key: `<service>-<namespace>`.
    pub key: String,
    /// The value: the first host, without scheme and path.
    pub value: String,
    /// The bytes of the forwarded block that ask for it.
    pub(crate) place: Range<usize>,
}

impl<'a> Plan<'a> {
    /// The plan of an exposure.
    pub(crate) fn new(of: &Service<'a>, exposure: Exposure<'a>) -> Self {
        let (service, namespace) = (of.name(), of.namespace());
        let rules = exposure.rules;
        let published = exposure.publish.map(|(scope, place)| Published {
            scope,
            place,
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
            annotation_bytes: of.annotation_bytes() - of.stamp_bytes(),
        }
    }

    /// The URL of the first rule: scheme, host and path. The scheme is `https` if the Ingress has a TLS section. The
    /// path is left out where it is `/` or its type is ImplementationSpecific, as that of a regular expression is.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use xposer::{Plan, Service, Settings, expose};
    /// let url = |template: &str| {
    /// #   let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
    /// #       "annotations": {"config.xposer.stakater.com/IngressURLTemplate": template,
    /// #           "config.xposer.stakater.com/TLS": "true"}},
    /// #       "spec": {"ports": [{"port": 80}]}});
    ///     // A Service with TLS and this URL template.
    ///     expose(&Service::from_value(&service), &Settings::default()).plan().map(Plan::url)
    /// };
    /// assert_eq!(url("example.com/api").as_deref(), Some("https://example.com/api"));
    /// assert_eq!(url("example.com/api/(.*)").as_deref(), Some("https://example.com"));
    /// ```
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
}

/// What two plans may not both have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim<'p> {
    /// To be made of this Service.
    Service(Option<&'p str>, &'p str),
    /// An Ingress of this name in this namespace.
    Name(Option<&'p str>, &'p str),
    /// A host and a path; an exact path does not stand in the way of a prefix.
    Route(&'p str, &'p str, bool),
    /// A key of the URL ConfigMap.
    Key(&'p str),
}

fn claims<'p>(plan: &'p Plan<'_>) -> impl Iterator<Item = Claim<'p>> {
    let routes = plan.ingress.rules.iter().map(|rule| {
        let path = comparable_path(rule.path.as_str(), rule.path_type);
        Claim::Route(rule.host.as_str(), path, rule.path_type == PathType::Exact)
    });
    let key = plan.published.as_ref().map(|published| Claim::Key(&published.key));
    [Claim::Service(plan.namespace, plan.service), Claim::Name(plan.namespace, plan.ingress.name.as_str())]
        .into_iter()
        .chain(routes)
        .chain(key)
}

/// Files an Error for everything that two of the plans claim, on both, naming the other. All claims are sorted, and
/// equal neighbours are conflicts.
pub(crate) fn conflicts(plans: &[&Plan<'_>]) -> Vec<(usize, Report)> {
    let mut all: Vec<(Claim<'_>, usize)> = Vec::with_capacity(plans.len() * 3);
    for (index, plan) in plans.iter().enumerate() {
        all.extend(claims(plan).map(|claim| (claim, index)));
    }
    all.sort_unstable();
    let mut reports: BTreeMap<usize, Report> = BTreeMap::new();
    for group in all.chunk_by(|(left, _), (right, _)| left == right) {
        let owners: Vec<(usize, &Plan<'_>)> =
            group.iter().filter_map(|(_, index)| Some((*index, *plans.get(*index)?))).collect();
        let (Some((claim, _)), true) = (group.first(), owners.len() > 1) else { continue };
        // A key that is published locally stands in the ConfigMap of its own namespace only.
        if matches!(claim, Claim::Key(_)) && !owners.iter().any(|(_, plan)| plan.is_global()) {
            continue;
        }
        for (index, plan) in &owners {
            if let Some((path, problem)) = claimed(*claim, plan, &owners) {
                let report = reports.entry(*index).or_insert_with(|| Report::new(plan.subject(), false));
                report.file(path, problem);
            }
        }
    }
    reports.into_iter().collect()
}

/// What is said of one of the owners; nothing where the others are copies of the same Service, which is said once.
fn claimed(claim: Claim<'_>, plan: &Plan<'_>, owners: &[(usize, &Plan<'_>)]) -> Option<(FieldPath, Problem)> {
    if let Claim::Service(..) = claim {
        let said = format!("the Service stands {} times in the input", owners.len());
        let problem = Problem::new(Code::ServiceRepeated, said).help("give every Service once");
        return Some((FieldPath::object(&["metadata", "name"]), problem));
    }
    let others = others(plan, owners)?;
    Some(match claim {
        Claim::Service(..) => return None,
        Claim::Name(_, name) => {
            let said = format!("the Ingress name {} is also asked for by {others}", shown(name));
            let help =
                "give one of them another IngressNameTemplate, for example {{.Service}}-{{.Namespace}}";
            (plan.name_origin.path(), Problem::new(Code::NameClaimed, said).help(help))
        }
        Claim::Route(host, path, _) => {
            let said = format!("{} is also asked for by {others}", shown(&format!("{host}{path}")));
            let rule = plan.ingress.rules.iter().find(|rule| rule.host.as_str() == host);
            let origin = rule.map_or(&plan.name_origin, |rule| &rule.origin);
            (
                origin.path(),
                Problem::new(Code::RouteClaimed, said).help("give one of them another host or path"),
            )
        }
        Claim::Key(key) => {
            let said = format!("the key {} of the URL ConfigMap is also asked for by {others}", shown(key));
            let place = plan.published.as_ref().map(|published| published.place.clone()).unwrap_or_default();
            let problem =
                Problem::new(Code::UrlKeyClaimed, said).help("rename one of the Services").at(place);
            (FieldPath::annotation(FORWARD_ANNOTATION), problem)
        }
    })
}

/// The other Services, in words: at most three by name. It looks no further than it must: thousands may claim one host.
fn others(plan: &Plan<'_>, owners: &[(usize, &Plan<'_>)]) -> Option<String> {
    let is_other = |other: &&Plan<'_>| (other.namespace, other.service) != (plan.namespace, plan.service);
    let named: Vec<&Plan<'_>> = owners.iter().map(|(_, other)| *other).filter(is_other).take(3).collect();
    if named.is_empty() {
        return None;
    }
    let mut listed: Vec<String> = named.iter().map(|other| other.subject().to_string()).collect();
    let more = owners.len() - 1 - named.len().min(owners.len() - 1);
    if more > 0 {
        listed.push(format!("{more} more"));
    }
    Some(listed.join(", "))
}

impl Plan<'_> {
    fn is_global(&self) -> bool {
        self.published.as_ref().is_some_and(|published| published.scope == Scope::Globally)
    }

    /// The Service, for diagnostics.
    pub(crate) fn subject(&self) -> Subject {
        Subject {
            kind: "Service".into(),
            namespace: self.namespace.unwrap_or_default().to_owned(),
            name: self.service.to_owned(),
        }
    }
}
