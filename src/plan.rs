//! From an Exposure to a Plan: which objects, under which names; and what two plans both claim.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::check::{Exposure, Gateway, Route};
use crate::diag::{Code, FieldPath, Problem, Report, Subject, shown};
use crate::input::{FORWARD_ANNOTATION, Service};
use crate::request::annotation;
use crate::resolve::{Annotation, Canary, Monitor, Scope};
use crate::value::{
    CLUSTER_ISSUER_KEY, ISSUER_KEY, ObjectName, Origin, PathType, PortRef, TLS_ACME_KEY, Target, Termination,
    Tls, comparable_path, grouped, parse_bool,
};

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
    /// What exposes it: at least one, in the order of [`Target::ALL`].
    pub targets: Vec<Target>,
    /// Hosts, paths and the rest, whatever the target.
    pub ingress: IngressPlan<'a>,
    /// How connections are secured.
    pub tls: Tls,
    /// Whether requests without TLS are to be sent to https; `None` leaves it to the target.
    pub https_redirect: Option<bool>,
    /// The other Service a part of whose requests this one gets.
    pub canary: Option<Canary<'a>>,
    /// The monitor, if one is asked for.
    pub monitor: Option<Monitor>,
    /// The entry of the URL ConfigMap, if one is asked for.
    pub published: Option<Published>,
    /// The number of the Service's port.
    pub(crate) port_number: u16,
    /// The name of the Service's port.
    pub(crate) port_name: Option<&'a str>,
    pub(crate) gateway: Gateway,
    pub(crate) termination: Termination,
    /// Whether the secret's name was made of the object's.
    pub(crate) secret_is_derived: bool,
    /// Where things came from that a diagnostic accuses.
    pub(crate) name_origin: Origin,
    pub(crate) tls_origin: Origin,
    pub(crate) redirect_origin: Origin,
    pub(crate) secret_origin: Option<Origin>,
    pub(crate) class_origin: Option<Origin>,
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
    /// The value: the first host, without scheme and path; under the setting `publishedValue: url` the whole URL.
    pub value: String,
    /// The bytes of the forwarded block that ask for it.
    pub(crate) place: Range<usize>,
}

impl<'a> Plan<'a> {
    /// The plan of an exposure.
    pub(crate) fn new(of: &Service<'a>, exposure: Exposure<'a>) -> Self {
        let (service, namespace) = (of.name(), of.namespace());
        let port = of.port(&exposure.port);
        let mut plan = Self {
            service,
            namespace,
            targets: exposure.targets,
            tls: exposure.tls,
            https_redirect: exposure.https_redirect,
            canary: exposure.canary,
            monitor: exposure.monitor,
            port_number: port.map(|port| port.number).unwrap_or_default(),
            port_name: port.and_then(|port| port.name),
            gateway: exposure.gateway,
            termination: exposure.termination,
            secret_is_derived: exposure.secret_is_derived,
            ingress: IngressPlan {
                name: exposure.name,
                class: exposure.class,
                rules: exposure.rules,
                port: exposure.port,
                secret: exposure.secret,
                annotations: exposure.annotations,
            },
            published: None,
            name_origin: exposure.name_origin,
            tls_origin: exposure.tls_origin,
            redirect_origin: exposure.redirect_origin,
            secret_origin: exposure.secret_origin,
            class_origin: exposure.class_origin,
            annotation_bytes: of.annotation_bytes() - of.stamp_bytes(),
        };
        plan.published = exposure.publish.map(|(scope, place)| Published {
            scope,
            place,
            key: format!("{service}-{}", namespace.unwrap_or_default()),
            value: match plan.ingress.rules.first() {
                _ if exposure.publish_url => plan.url(),
                Some(rule) => rule.host.to_string(),
                None => String::new(),
            },
        });
        plan
    }

    /// The URL of the first rule: scheme, host and path. The scheme is `https` if connections are secured, also by a load
    /// balancer. The path is left out where it is `/` or its type is ImplementationSpecific, as that of a regular expression is.
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
        let scheme = if self.tls.is_on() { "https" } else { "http" };
        let Some(rule) = self.ingress.rules.first() else { return String::new() };
        let path = match rule.path.as_str() {
            "/" => "",
            path if rule.path_type != PathType::ImplementationSpecific => path,
            _ => "",
        };
        format!("{scheme}://{}{path}", rule.host)
    }
}

/// Hosts with the same paths, and these.
pub(crate) type Group<'p> = (Vec<&'p str>, Vec<&'p Route<'p>>);

impl Plan<'_> {
    /// The names of the objects of a target, in the order in which they are emitted.
    pub(crate) fn names(&self, target: Target) -> Vec<Cow<'_, str>> {
        let name = self.ingress.name.as_str();
        let count = match target {
            Target::Ingress => 1,
            // A canary that is a weight stands in the route of the stable Service.
            Target::HttpRoute if self.is_weight_only() => return Vec::new(),
            Target::HttpRoute => self.groups().len(),
            Target::Route if self.canary.is_some() => return Vec::new(),
            Target::Route => self.ingress.rules.len(),
        };
        let mut names: Vec<_> = (0..count).map(|index| numbered(name, index)).collect();
        if target == Target::HttpRoute && self.has_redirect() {
            names.push(redirect_name(name));
        }
        names
    }

    /// Whether this canary is nothing but a share of the requests.
    pub(crate) fn is_weight_only(&self) -> bool {
        self.canary.as_ref().is_some_and(|canary| canary.header.is_none())
    }

    /// Whether an HTTPRoute of its own sends requests without TLS to https.
    pub(crate) fn has_redirect(&self) -> bool {
        self.tls.is_on()
            && self.https_redirect != Some(false)
            && !self.gateway.http_parents.is_empty()
            && self.canary.is_none()
    }

    /// The hosts by their paths: a group for each HTTPRoute.
    pub(crate) fn groups(&self) -> Vec<Group<'_>> {
        let hosts = grouped(self.ingress.rules.iter().map(|route| (route.host.as_str(), route)));
        let by_paths = hosts.into_iter().map(|(host, routes)| {
            let paths: Vec<_> = routes.iter().map(|route| (&route.path, route.path_type)).collect();
            (paths, (host, routes))
        });
        let groups = grouped(by_paths).into_iter().filter_map(|(_, alike)| {
            let (hosts, mut paths): (Vec<_>, Vec<_>) = alike.into_iter().unzip();
            paths.truncate(1);
            Some((hosts, paths.pop()?))
        });
        groups.collect()
    }
}

/// A route as far as a canary must have the same.
fn comparable<'r>(route: &'r Route<'_>) -> (&'r str, &'r str, PathType) {
    (route.host.as_str(), route.path.as_str(), route.path_type)
}

/// `web`, `web-2`, `web-3` ...
pub(crate) fn numbered(name: &str, index: usize) -> Cow<'_, str> {
    if index == 0 { Cow::Borrowed(name) } else { Cow::Owned(format!("{name}-{}", index + 1)) }
}

/// The name of the HTTPRoute that sends requests without TLS to https.
pub(crate) fn redirect_name(name: &str) -> Cow<'_, str> {
    Cow::Owned(format!("{name}-redirect"))
}

/// The kind of a monitor.
const MONITOR: &str = "EndpointMonitor";

/// Something that a plan wants for itself, or shares with another plan: [`Plan::claims`] has an example.
///
/// Whether two plans with an equal claim are in conflict, [`expose_all`](crate::expose_all) says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim<'p>(Claimed<'p>);

/// What two plans may not both have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Claimed<'p> {
    /// To be made of this Service.
    Service(Option<&'p str>, &'p str),
    /// An object of this kind, in this namespace and of this name.
    Name(&'static str, Option<&'p str>, Cow<'p, str>),
    /// A host and a path; an exact path does not stand in the way of a prefix, nor a canary in that of the stable Service.
    Route(&'p str, &'p str, bool, bool),
    /// The certificate in this secret.
    Secret(Option<&'p str>, &'p str),
    /// A key of the URL ConfigMap.
    Key(&'p str),
}

/// What a plan claims; of a route also who wrote its host.
fn claims<'p>(plan: &'p Plan<'_>) -> impl Iterator<Item = (Claimed<'p>, Option<&'p Origin>)> {
    let routes = plan.ingress.rules.iter().map(|rule| {
        let path = comparable_path(rule.path.as_str(), rule.path_type);
        let is_exact = rule.path_type == PathType::Exact;
        (Claimed::Route(rule.host.as_str(), path, is_exact, plan.canary.is_some()), Some(&rule.origin))
    });
    let name = |kind, name| Claimed::Name(kind, plan.namespace, name);
    let names = plan
        .targets
        .iter()
        .flat_map(move |target| plan.names(*target).into_iter().map(move |own| name(target.as_str(), own)));
    let monitor = plan.monitor.as_ref().map(|_| name(MONITOR, plan.ingress.name.as_str().into()));
    let secret = plan.ingress.secret.as_ref().filter(|_| plan.has_issuer());
    let secret = secret.map(|secret| Claimed::Secret(plan.namespace, secret.as_str()));
    let key = plan.published.as_ref().map(|published| Claimed::Key(&published.key));
    [Claimed::Service(plan.namespace, plan.service)]
        .into_iter()
        .chain(names)
        .chain(monitor)
        .chain(secret)
        .chain(key)
        .map(|claim| (claim, None))
        .chain(routes)
}

/// Files an Error for everything that two of the plans claim, on both, naming the other. All claims are sorted, and
/// equal neighbours are conflicts.
pub(crate) fn conflicts(plans: &[&Plan<'_>]) -> Vec<(usize, Report)> {
    let mut reports: BTreeMap<usize, Report> = BTreeMap::new();
    let mut file = |index: usize, plan: &Plan<'_>, (path, problem): (FieldPath, Problem)| {
        reports.entry(index).or_insert_with(|| Report::new(plan.subject(), false)).file(path, problem);
    };
    claimed_twice(plans, &mut file);
    canaries(plans, &mut file);
    reports.into_iter().collect()
}

/// What takes the findings about the plans, by their positions.
type Filing<'f> = dyn FnMut(usize, &Plan<'_>, (FieldPath, Problem)) + 'f;

/// Every canary has the Service beside it whose requests it shares, exposed in the same way.
fn canaries(plans: &[&Plan<'_>], file: &mut Filing<'_>) {
    if plans.iter().all(|plan| plan.canary.is_none()) {
        return;
    }
    let all: BTreeMap<(Option<&str>, &str), &Plan<'_>> =
        plans.iter().map(|plan| ((plan.namespace, plan.service), *plan)).collect();
    // Many canaries may be of one Service, whose routes are sorted once.
    let mut routes: BTreeMap<(Option<&str>, &str), BTreeSet<_>> = BTreeMap::new();
    for (index, plan) in plans.iter().enumerate() {
        let Some(canary) = &plan.canary else { continue };
        let of = (plan.namespace, canary.of);
        let said = match all.get(&of) {
            None => {
                let said = format!(
                    "the Service {} is not exposed here, and the canary gets no requests",
                    shown(canary.of)
                );
                let problem = Problem::new(Code::CanaryAlone, said);
                let help = "expose the stable Service, or correct the name";
                file(index, plan, (FieldPath::annotation(annotation::CANARY_OF), problem.help(help)));
                continue;
            }
            Some(stable) if stable.canary.is_some() => Some((
                FieldPath::annotation(annotation::CANARY_OF),
                Problem::new(
                    Code::CanaryInvalid,
                    format!("the Service {} is a canary itself", shown(canary.of)),
                )
                .help("name the stable Service"),
            )),
            Some(stable) => {
                let routes =
                    routes.entry(of).or_insert_with(|| stable.ingress.rules.iter().map(comparable).collect());
                plan.difference(stable, routes)
            }
        };
        if let Some(said) = said {
            file(index, plan, said);
        }
    }
}

fn claimed_twice(plans: &[&Plan<'_>], file: &mut Filing<'_>) {
    let mut all = Vec::with_capacity(plans.len() * 3);
    for (index, plan) in plans.iter().enumerate() {
        all.extend(claims(plan).map(|(claim, origin)| (claim, index, *plan, origin)));
    }
    all.sort_unstable_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
    for group in all.chunk_by(|left, right| left.0 == right.0) {
        let (Some((claim, ..)), true) = (group.first(), group.len() > 1) else { continue };
        // A key that is published locally stands in the ConfigMap of its own namespace only.
        if matches!(claim, Claimed::Key(_)) && !group.iter().any(|(_, _, plan, _)| plan.is_global()) {
            continue;
        }
        let owners: Owners<'_, '_> = group.iter().map(|(_, _, plan, _)| *plan).collect();
        for (_, index, plan, origin) in group {
            if let Some(said) = claimed(claim, plan, *origin, &owners) {
                file(*index, plan, said);
            }
        }
    }
}

/// Who has the same claim. Thousands may, and what is said of each of them must not ask all others.
struct Owners<'o, 'p> {
    count: usize,
    /// The different Services, in order: one may be given several times.
    services: Vec<&'o Plan<'p>>,
    /// The different lists of their targets.
    targets: BTreeSet<&'o [Target]>,
}

impl<'o, 'p> FromIterator<&'o Plan<'p>> for Owners<'o, 'p> {
    fn from_iter<I: IntoIterator<Item = &'o Plan<'p>>>(plans: I) -> Self {
        let mut owners = Self { count: 0, services: Vec::new(), targets: BTreeSet::new() };
        let mut known = BTreeSet::new();
        for plan in plans {
            owners.count += 1;
            owners.targets.insert(&plan.targets);
            if known.insert((plan.namespace, plan.service)) {
                owners.services.push(plan);
            }
        }
        owners
    }
}

impl Owners<'_, '_> {
    /// The other Services, in words: at most three by name.
    fn others(&self, plan: &Plan<'_>) -> Option<String> {
        let is_other =
            |other: &&&Plan<'_>| (other.namespace, other.service) != (plan.namespace, plan.service);
        let named = self.services.iter().filter(is_other).take(3);
        let mut listed: Vec<String> = named.map(|other| other.subject().to_string()).collect();
        let more = self.services.len() - 1 - listed.len();
        if more > 0 {
            listed.push(format!("{more} more"));
        }
        (!listed.is_empty()).then(|| listed.join(", "))
    }

    /// Whether each of them shares a target with this plan.
    fn all_share_a_target(&self, plan: &Plan<'_>) -> bool {
        self.targets.iter().all(|targets| targets.iter().any(|target| plan.targets.contains(target)))
    }
}

/// What is said of one of the owners; nothing where the others are copies of the same Service, which is said once.
fn claimed(
    claim: &Claimed<'_>,
    plan: &Plan<'_>,
    origin: Option<&Origin>,
    owners: &Owners<'_, '_>,
) -> Option<(FieldPath, Problem)> {
    if let Claimed::Service(..) = claim {
        let said = format!("the Service stands {} times in the input", owners.count);
        let problem = Problem::new(Code::ServiceRepeated, said).help("give every Service once");
        return Some((FieldPath::object(&["metadata", "name"]), problem));
    }
    let others = owners.others(plan)?;
    Some(match claim {
        Claimed::Service(..) => return None,
        // Of those that share a target, the name of its objects is told already.
        Claimed::Name(MONITOR, ..) if owners.all_share_a_target(plan) => return None,
        Claimed::Name(kind, _, name) => {
            let said = format!("the {kind} name {} is also asked for by {others}", shown(name));
            let help =
                "give one of them another IngressNameTemplate, for example {{.Service}}-{{.Namespace}}";
            (plan.name_origin.path(), Problem::new(Code::NameClaimed, said).help(help))
        }
        Claimed::Secret(_, secret) => {
            let said = format!(
                "the secret {} is also asked for by {others}, and cert-manager puts the hosts of one of them into it",
                shown(secret)
            );
            let origin = plan.secret_origin.as_ref().unwrap_or(&plan.name_origin);
            let help = "leave TLSSecretNameTemplate out, or put {{.Service}} into it";
            (origin.path(), Problem::new(Code::SecretShared, said).help(help))
        }
        Claimed::Route(host, path, _, is_canary) => {
            let said = if *is_canary {
                format!(
                    "{others} is a canary at {}, too, and there can be one",
                    shown(&format!("{host}{path}"))
                )
            } else {
                format!("{} is also asked for by {others}", shown(&format!("{host}{path}")))
            };
            let help =
                if *is_canary { "keep one of the two" } else { "give one of them another host or path" };
            (origin.unwrap_or(&plan.name_origin).path(), Problem::new(Code::RouteClaimed, said).help(help))
        }
        Claimed::Key(key) => {
            let said = format!("the key {} of the URL ConfigMap is also asked for by {others}", shown(key));
            let place = plan.published.as_ref().map(|published| published.place.clone()).unwrap_or_default();
            let problem =
                Problem::new(Code::UrlKeyClaimed, said).help("rename one of the Services").at(place);
            (FieldPath::annotation(FORWARD_ANNOTATION), problem)
        }
    })
}

impl Plan<'_> {
    /// Everything by which this plan and another one can meet: [`expose_all`](crate::expose_all) and
    /// [`emit_all`](crate::emit_all) treat plans without an equal claim as if each were alone. So a program that keeps
    /// many Services need not plan all of them anew where one changes, but only those that share claims with it, with
    /// the claims it has and those it had.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use xposer::{Service, Settings, expose};
    /// # let service = |name: &str, host: &str| json!({"metadata": {"name": name, "namespace": "shop", "labels": {"expose": "true"},
    /// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": host}}, "spec": {"ports": [{"port": 80}]}});
    /// # let (web, api, blog) = (service("web", "shop.example.com"), service("api", "shop.example.com"), service("blog", "blog.example.com"));
    /// # let settings = Settings::default();
    /// # let outcomes = [&web, &api, &blog].map(|it| expose(&Service::from_value(it), &settings));
    /// # let [Some(web), Some(api), Some(blog)] = outcomes.each_ref().map(|outcome| outcome.plan()) else { panic!("{outcomes:?}") };
    /// // The Services `web` and `api` both ask for `shop.example.com`, `blog` for another host.
    /// assert!(web.claims().iter().any(|claim| api.claims().contains(claim)));
    /// assert!(!web.claims().iter().any(|claim| blog.claims().contains(claim)));
    /// ```
    #[must_use]
    pub fn claims(&self) -> Vec<Claim<'_>> {
        // A canary meets its stable Service, which it is compared with, and whose route it may be a part of.
        let stable = self.canary.as_ref().map(|canary| Claimed::Service(self.namespace, canary.of));
        claims(self).map(|(claim, _)| claim).chain(stable).map(Claim).collect()
    }

    /// Whether cert-manager is asked for the certificate.
    pub(crate) fn has_issuer(&self) -> bool {
        let is_issuer = |it: &Annotation<'_>| match it.key.as_ref() {
            ISSUER_KEY | CLUSTER_ISSUER_KEY => true,
            TLS_ACME_KEY => parse_bool(&it.value) == Some(true),
            _ => false,
        };
        self.tls == Tls::CertManager || self.ingress.annotations.iter().any(is_issuer)
    }

    /// In what this canary differs from its stable Service although it must not.
    fn difference(
        &self,
        stable: &Plan<'_>,
        routes: &BTreeSet<(&str, &str, PathType)>,
    ) -> Option<(FieldPath, Problem)> {
        let subject = stable.subject();
        let differs = |path, said: String| {
            let problem = Problem::new(Code::CanaryDiffers, said);
            Some((path, problem.help("give both Services the same templates, path, path type and class")))
        };
        for rule in &self.ingress.rules {
            if routes.contains(&comparable(rule)) {
                continue;
            }
            let near = stable.ingress.rules.iter().find(|other| other.host == rule.host);
            let shown_rule = |rule: &Route<'_>| shown(&format!("{}{}", rule.host, rule.path));
            let said = match near.or(stable.ingress.rules.first()) {
                Some(other) if (&other.host, &other.path) == (&rule.host, &rule.path) => format!(
                    "the path of {} has the type {} and not {}, as here",
                    subject,
                    other.path_type.as_str(),
                    rule.path_type.as_str()
                ),
                Some(other) => {
                    format!(
                        "{} is exposed as {} and not as {}, as here",
                        subject,
                        shown_rule(other),
                        shown_rule(rule)
                    )
                }
                None => continue,
            };
            return differs(rule.origin.path(), said);
        }
        if self.ingress.class != stable.ingress.class {
            let class = |plan: &Plan<'_>| {
                plan.ingress.class.as_ref().map_or_else(
                    || "no class".to_owned(),
                    |class| format!("the class {}", shown(class.as_str())),
                )
            };
            let origin = self.class_origin.as_ref().unwrap_or(&self.name_origin);
            return differs(
                origin.path(),
                format!("{subject} has {} and not {}, as here", class(stable), class(self)),
            );
        }
        None
    }

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
