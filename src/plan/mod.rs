//! From an Exposure to a Plan: which objects, under which names; and what two plans both claim.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::check::{Exposure, Gateway, Route, Scene};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, Report, Subject, quoted};
use crate::dialect::nginx::paths::{
    Nginx, REWRITE_TARGET, USE_REGEX, as_regex, asked_path, class_of, loses_meaning,
};
use crate::options::annotations::annotation;
use crate::options::{Target, Termination, Tls};
use crate::resolve::{Annotation, Canary, Monitor, Scope, Source};
use crate::service::{FORWARD_ANNOTATION, PortRef, Service};
use crate::validation::{
    CLUSTER_ISSUER_KEY, ISSUER_KEY, ObjectName, PathType, TLS_ACME_KEY, comparable_path, grouped, parse_bool,
    url,
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
    /// Where the values came from that a diagnostic points at.
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
            annotation_bytes: of.annotation_bytes() - of.stamp_bytes,
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
    /// balancer. A path of `/` is left out; of a regular expression, it is the beginning that is literal.
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
    /// assert_eq!(url("example.com/api(/|$)(.*)").as_deref(), Some("https://example.com/api"));
    /// assert_eq!(url("example.com/api/v[0-9]+").as_deref(), Some("https://example.com/api"));
    /// ```
    #[must_use]
    pub fn url(&self) -> String {
        self.url_with(self.tls.is_on(), None)
    }

    /// The URL that the monitor asks: that of the first rule, perhaps by https and with another path.
    pub(crate) fn monitored_url(&self, monitor: &Monitor) -> String {
        self.url_with(self.tls.is_on() || monitor.force_https, monitor.health_endpoint.as_deref())
    }

    fn url_with(&self, https: bool, path: Option<&str>) -> String {
        let Some(rule) = self.ingress.rules.first() else { return String::new() };
        let path =
            path.map_or_else(|| asked_path(self.nginx(), rule.path.as_str(), rule.path_type), Cow::Borrowed);
        url(https, rule.host.as_str(), &path)
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
        self.scene().redirects(Target::HttpRoute)
    }

    /// What decides whether a target does what an annotation of another program asks for.
    pub(crate) fn scene(&self) -> Scene {
        Scene {
            tls: self.tls,
            https_redirect: self.https_redirect,
            has_http_parents: !self.gateway.http_parents.is_empty(),
            termination: self.termination,
            has_pattern: self.ingress.rules.iter().any(|rule| rule.path_type.is_pattern(rule.path.as_str())),
            is_canary: self.canary.is_some(),
            is_weight_only: self.is_weight_only(),
        }
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

/// How many other Services a finding names, and how many of those with a [`Claim::counterpart`] are enough to be seen.
///
/// ```
/// assert_eq!(xposer::MAX_NAMED, 3);
/// ```
pub const MAX_NAMED: usize = 3;

impl<'p> Claim<'p> {
    /// The claim of the plans that this one is affected by, where equal ones are nothing to each other. Whoever plans some
    /// of many Services need give this one no more than [`MAX_NAMED`] of those that have the counterpart; any will do.
    ///
    /// So a host may have thousands of paths without their being planned together: a regular expression on it is what
    /// concerns each of the others, and one of them is what concerns the regular expression.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use xposer::{Service, Settings, expose};
    /// # let service = |name: &str, url: &str| json!({"metadata": {"name": name, "namespace": "shop", "labels": {"expose": "true"},
    /// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": url}}, "spec": {"ports": [{"port": 80}]}});
    /// # let (web, blog, api) = (service("web", "example.com/web"), service("blog", "example.com/blog"), service("api", "example.com/v[0-9]/api"));
    /// # let settings = Settings::default();
    /// # let outcomes = [&web, &blog, &api].map(|it| expose(&Service::from_value(it), &settings));
    /// # let [Some(web), Some(blog), Some(api)] = outcomes.each_ref().map(|outcome| outcome.plan()) else { panic!("{outcomes:?}") };
    /// // The Services `web` and `blog` ask for `example.com/web` and `example.com/blog`, `api` for `example.com/v[0-9]/api`.
    /// let sees = |one: &xposer::Plan<'_>, other: &xposer::Plan<'_>| {
    ///     one.claims().iter().filter_map(|claim| claim.counterpart()).any(|wanted| other.claims().contains(&wanted))
    /// };
    /// assert!(sees(web, api) && sees(api, web) && !sees(web, blog));
    /// ```
    #[must_use]
    pub fn counterpart(&self) -> Option<Self> {
        match &self.0 {
            Claimed::Paths(class, host, compared) => {
                let other = match compared {
                    Compared::Patterns => Compared::Plain,
                    Compared::Plain => Compared::Patterns,
                };
                Some(Self(Claimed::Paths(*class, host, other)))
            }
            _ => None,
        }
    }
}

/// How ingress-nginx compares paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Compared {
    /// As regular expressions, and all others of the host, too.
    Patterns,
    /// As their type says, which they would lose.
    Plain,
}

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
    /// Paths of a host, under this class, which are compared so. It is in no conflict.
    Paths(Option<&'p str>, &'p str, Compared),
    /// A certificate of cert-manager for this host. Two Services may both have it, which is told.
    Certificate(&'p str),
}

impl Claim<'_> {
    /// Whether only one of several plans with this claim can be exposed. Of the others, something is told at most.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use xposer::{Plan, Service, Settings, expose};
    /// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
    /// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com"}},
    /// #     "spec": {"ports": [{"port": 80}]}});
    /// let settings = Settings::from_value(&json!({"tls": "cert-manager", "clusterIssuer": "letsencrypt"}))?;
    /// let outcome = expose(&Service::from_value(&service), &settings);
    /// // Two Services can have certificates for one host, but not one object of the same name.
    /// let claims = outcome.plan().map(Plan::claims).unwrap_or_default();
    /// assert!(claims.iter().any(|claim| claim.is_exclusive()) && claims.iter().any(|claim| !claim.is_exclusive()));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        !matches!(self.0, Claimed::Certificate(_) | Claimed::Paths(..))
    }
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
    let secret = plan.certificate();
    let hosts = plan.ingress.rules.iter().filter(move |_| secret.is_some());
    let certificates = hosts.map(|rule| Claimed::Certificate(rule.host.as_str()));
    let secret = secret.map(|secret| Claimed::Secret(plan.namespace, secret));
    let key = plan.published.as_ref().map(|published| Claimed::Key(&published.key));
    [Claimed::Service(plan.namespace, plan.service)]
        .into_iter()
        .chain(names)
        .chain(monitor)
        .chain(secret)
        .chain(key)
        .chain(certificates)
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
    certificates(plans, &mut file);
    canaries(plans, &mut file);
    // Who is refused changes nobody's host.
    let is_exposed = |index: &usize| !reports.get(index).is_some_and(Report::has_errors);
    let exposed: Vec<(usize, &Plan<'_>)> =
        plans.iter().copied().enumerate().filter(|(index, _)| is_exposed(index)).collect();
    among_patterns(&exposed, &mut |index, plan, (path, problem)| {
        reports.entry(index).or_insert_with(|| Report::new(plan.subject(), false)).file(path, problem);
    });
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
                    quoted(canary.of)
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
                    format!("the Service {} is a canary itself", quoted(canary.of)),
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
        if matches!(claim, Claimed::Certificate(_)) {
            continue;
        }
        // A key that is published locally stands in the ConfigMap of its own namespace only.
        if matches!(claim, Claimed::Key(_)) && !group.iter().any(|(_, _, plan, _)| plan.is_global()) {
            continue;
        }
        let owners: Owners<'_, '_> = group.iter().map(|(_, _, plan, _)| *plan).collect();
        let help = match claim {
            Claimed::Secret(..) => shared_secret_help(&owners.services),
            _ => String::new(),
        };
        for (_, index, plan, origin) in group {
            if let Some(said) = claimed(claim, plan, *origin, &owners, &help) {
                file(*index, plan, said);
            }
        }
    }
}

/// The class and the host whose paths are compared.
fn place<'p>(claim: &Claimed<'p>) -> Option<(Option<&'p str>, &'p str)> {
    match claim {
        Claimed::Paths(class, host, _) => Some((*class, *host)),
        _ => None,
    }
}

/// Of the hosts where one Service has a regular expression and another a path that loses its meaning by it, both are told.
fn among_patterns(plans: &[(usize, &Plan<'_>)], file: &mut Filing<'_>) {
    let mut all: Vec<(Claimed<'_>, usize, &Plan<'_>)> = Vec::new();
    for (index, plan) in plans {
        all.extend(plan.compared().map(|claim| (claim, *index, *plan)));
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
        let named = |side: &[(Claimed<'_>, usize, &Plan<'_>)]| {
            let named: Vec<&Plan<'_>> = side.iter().map(|(.., plan)| *plan).take(MAX_NAMED).collect();
            in_words(&named, side.len())
        };
        let (with_patterns, with_plain) = (named(patterns), named(plain));
        for (claim, index, plan) in group {
            let said = if is_patterns(claim) {
                plan.patterns_at(host, &with_plain)
            } else {
                plan.plain_at(host, &with_patterns)
            };
            if let Some(said) = said {
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
        let is_other = |other: &&Plan<'_>| (other.namespace, other.service) != (plan.namespace, plan.service);
        let named: Vec<&Plan<'_>> = self.services.iter().copied().filter(is_other).take(MAX_NAMED).collect();
        (!named.is_empty()).then(|| in_words(&named, self.services.len() - 1))
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
    help: &str,
) -> Option<(FieldPath, Problem)> {
    if let Claimed::Service(..) = claim {
        let said = format!("the Service stands {} times in the input", owners.count);
        let problem = Problem::new(Code::ServiceRepeated, said).help("give every Service once");
        return Some((FieldPath::object(&["metadata", "name"]), problem));
    }
    let others = owners.others(plan)?;
    Some(match claim {
        Claimed::Service(..) | Claimed::Certificate(_) | Claimed::Paths(..) => return None,
        // Of those that share a target, the name of its objects is told already.
        Claimed::Name(MONITOR, ..) if owners.all_share_a_target(plan) => return None,
        Claimed::Name(kind, _, name) => {
            let said = format!("the {kind} name {} is also asked for by {others}", quoted(name));
            let help =
                "give one of them another IngressNameTemplate, for example {{.Service}}-{{.Namespace}}";
            (plan.name_origin.path(), Problem::new(Code::NameClaimed, said).help(help))
        }
        Claimed::Secret(_, secret) => {
            let said = format!(
                "the secret {} is also asked for by {others}, and cert-manager puts the hosts of one of them into it",
                quoted(secret)
            );
            let origin = plan.secret_origin.as_ref().unwrap_or(&plan.name_origin);
            (origin.path(), Problem::new(Code::SecretShared, said).help(help.to_owned()))
        }
        Claimed::Route(host, path, _, is_canary) => {
            let said = if *is_canary {
                format!(
                    "{others} is a canary at {}, too, and there can be one",
                    quoted(&format!("{host}{path}"))
                )
            } else {
                format!("{} is also asked for by {others}", quoted(&format!("{host}{path}")))
            };
            let help =
                if *is_canary { "keep one of the two" } else { "give one of them another host or path" };
            (origin.unwrap_or(&plan.name_origin).path(), Problem::new(Code::RouteClaimed, said).help(help))
        }
        Claimed::Key(key) => {
            let said = format!("the key {} of the URL ConfigMap is also asked for by {others}", quoted(key));
            let place = plan.published.as_ref().map(|published| published.place.clone()).unwrap_or_default();
            let problem =
                Problem::new(Code::UrlKeyClaimed, said).help("rename one of the Services").at(place);
            (FieldPath::annotation(FORWARD_ANNOTATION), problem)
        }
    })
}

/// The namespace and the name of a secret.
type Secret<'p> = (Option<&'p str>, &'p str);

/// Where cert-manager is asked for a certificate for one host by several Services, and puts them into different secrets, a
/// Warning on each of these Services.
fn certificates(plans: &[&Plan<'_>], file: &mut Filing<'_>) {
    let mut all: Vec<(&str, Secret<'_>, usize)> = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        if let Some(secret) = plan.certificate() {
            let secret = (plan.namespace, secret);
            all.extend(plan.ingress.rules.iter().map(|rule| (rule.host.as_str(), secret, index)));
        }
    }
    all.sort_unstable();
    all.dedup();
    // The first host of each Service that has several secrets, the others that ask for it, and how many more such hosts there are.
    let mut found: BTreeMap<usize, (&str, String, usize)> = BTreeMap::new();
    let mut together = Joined::new(plans.len());
    for owners in all.chunk_by(|(left, ..), (right, ..)| left == right) {
        let secrets: Vec<_> = owners.chunk_by(|(_, left, _), (_, right, _)| left == right).collect();
        if secrets.len() < 2 {
            continue;
        }
        let mut before = 0;
        for own in secrets {
            let others = owners.iter().take(before).chain(owners.iter().skip(before + own.len()));
            before += own.len();
            let named: Vec<&Plan<'_>> =
                others.take(MAX_NAMED).filter_map(|(.., index)| plans.get(*index).copied()).collect();
            let others = in_words(&named, owners.len() - own.len());
            for (host, _, index) in own {
                found
                    .entry(*index)
                    .and_modify(|(.., more)| *more += 1)
                    .or_insert_with(|| (host, others.clone(), 0));
                together.join(owners.first().map_or(*index, |(.., first)| *first), *index);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Plan<'_>>> = BTreeMap::new();
    for index in found.keys() {
        groups.entry(together.first(*index)).or_default().extend(plans.get(*index));
    }
    let helps: BTreeMap<usize, String> =
        groups.into_iter().map(|(first, group)| (first, one_certificate_help(&group))).collect();
    for (index, (host, others, more)) in found {
        let Some(plan) = plans.get(index) else { continue };
        let more = match more {
            0 => String::new(),
            1 => " and another host".to_owned(),
            more => format!(" and {more} other hosts"),
        };
        let said =
            format!("cert-manager is asked for a second certificate for {}{more} by {others}", quoted(host));
        let help = helps.get(&together.first(index)).cloned().unwrap_or_default();
        file(index, plan, (plan.tls_origin.path(), Problem::new(Code::CertificateTwice, said).help(help)));
    }
}

/// Positions that belong together, each with the first one that it belongs to.
struct Joined(Vec<usize>);

impl Joined {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The first of those that belong together.
    fn first(&mut self, index: usize) -> usize {
        let mut at = index;
        while let Some(next) = self.0.get(at).copied().filter(|next| *next != at) {
            // The next search is shorter.
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

/// What to do where several Services want certificates in one secret.
fn shared_secret_help(plans: &[&Plan<'_>]) -> String {
    let mut hosts: Vec<(&str, usize)> = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        hosts.extend(plan.ingress.rules.iter().map(|rule| (rule.host.as_str(), index)));
    }
    hosts.sort_unstable();
    hosts.dedup();
    // Without a host in common, each can have a secret of its own.
    if hosts.is_sorted_by(|(left, _), (right, _)| left < right) {
        return "leave TLSSecretNameTemplate out, or put {{.Service}} into it".to_owned();
    }
    one_certificate_help(plans)
}

/// How several Services with hosts in common come by one certificate. cert-manager makes it for the hosts of the Ingress with the
/// issuer, so one of them must have all hosts.
fn one_certificate_help(plans: &[&Plan<'_>]) -> String {
    let hosts = |plan: &Plan<'_>| -> BTreeSet<String> {
        plan.ingress.rules.iter().map(|rule| rule.host.to_string()).collect()
    };
    // Of several, the first one.
    let largest = plans.iter().rev().max_by_key(|plan| hosts(plan).len()).copied();
    let keeper = largest.filter(|largest| {
        let all = hosts(largest);
        plans.iter().flat_map(|plan| &plan.ingress.rules).all(|rule| all.contains(rule.host.as_str()))
    });
    let is_one_namespace =
        plans.iter().all(|plan| Some(plan.namespace) == largest.map(|plan| plan.namespace));
    let copied = if is_one_namespace { "" } else { ", and copy the secret into its namespace" };
    let others = if plans.len() == 2 { "other" } else { "others" };
    let (tls, template) = (annotation::TLS, annotation::SECRET);
    // A setting does not count where the Service says it itself.
    let asks_itself = keeper.is_some_and(|it| matches!(it.tls_origin, Origin::Annotation(_)));
    let keeper = keeper.and_then(|keeper| Some((keeper.subject(), keeper.ingress.secret.as_ref()?)));
    // An issuer among the annotations of the settings is for all that have a secret; the setting of its own is for those that ask.
    let of_settings = plans.iter().flat_map(|plan| &plan.ingress.annotations).find(|it| {
        let is_of_settings = matches!(&it.source, Source::Origin(Origin::Setting(_)));
        is_of_settings && it.is_given() && matches!(it.key.as_ref(), ISSUER_KEY | CLUSTER_ISSUER_KEY)
    });
    if let Some(issuer) = of_settings {
        let setting = if issuer.key == ISSUER_KEY { "issuer" } else { "clusterIssuer" };
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
            "keep the issuer on {keeper} alone, and give the {others} {tls}: \"true\" and {template}: {secret}{copied}"
        ),
        None => format!(
            "make one Certificate for the hosts of all, and give each {tls}: \"true\" and its secret as {template}, without an issuer{copied}"
        ),
    }
}

/// Some of several Services by name, and how many more there are.
fn in_words(named: &[&Plan<'_>], all: usize) -> String {
    let mut listed: Vec<String> = named.iter().map(|other| other.subject().to_string()).collect();
    if all > named.len() {
        listed.push(format!("{} more", all - named.len()));
    }
    listed.join(", ")
}

impl Plan<'_> {
    /// Everything by which this plan and another one can meet: [`expose_all`](crate::expose_all) and
    /// [`emit_all`](crate::emit_all) treat plans without an equal claim as if each were alone, but for those that have a
    /// [`Claim::counterpart`]. So a program that keeps many Services need not plan all of them anew where one changes,
    /// but only those that share claims with it, with the claims it has and those it had.
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
        claims(self).map(|(claim, _)| claim).chain(stable).chain(self.compared()).map(Claim).collect()
    }

    /// What ingress-nginx is told of the paths; `None` where it does not serve them by this Ingress.
    fn nginx(&self) -> Option<Nginx<'_>> {
        if self.canary.is_some() {
            return None;
        }
        Nginx::of(&self.targets, self.class_name(), &self.ingress.annotations)
    }

    fn class_name(&self) -> Option<&str> {
        class_of(self.ingress.class.as_ref().map(AsRef::as_ref), &self.ingress.annotations)
    }

    /// The hosts that ingress-nginx reads regular expressions on because of this plan, and those where a path of it would
    /// lose its meaning by one of another plan. Where it has one itself, that is told already.
    fn compared(&self) -> impl Iterator<Item = Claimed<'_>> {
        // Practically every plan has the path `/` of type Prefix, and no annotation about it.
        let is_common = |rule: &Route<'_>| rule.path_type == PathType::Prefix && rule.path.as_str() == "/";
        let is_about_paths = |it: &Annotation<'_>| matches!(it.key.as_ref(), USE_REGEX | REWRITE_TARGET);
        let is_plain =
            self.ingress.rules.iter().all(is_common) && !self.ingress.annotations.iter().any(is_about_paths);
        let nginx = if is_plain { None } else { self.nginx() };
        let mut hosts: BTreeMap<&str, Compared> = BTreeMap::new();
        for rule in nginx.iter().flat_map(|_| &self.ingress.rules) {
            let (host, path) = (rule.host.as_str(), rule.path.as_str());
            if nginx.is_some_and(|nginx| nginx.reads_regex(path, rule.path_type)) {
                hosts.insert(host, Compared::Patterns);
            } else if loses_meaning(path, rule.path_type) {
                hosts.entry(host).or_insert(Compared::Plain);
            }
        }
        let class = self.class_name();
        hosts.into_iter().map(move |(host, compared)| Claimed::Paths(class, host, compared))
    }

    /// What is said where the paths of others lose their meaning by this plan.
    fn patterns_at(&self, host: &str, others: &str) -> Option<(FieldPath, Problem)> {
        let nginx = self.nginx()?;
        let on_host = || self.ingress.rules.iter().filter(|rule| rule.host.as_str() == host);
        let pattern = on_host().find(|rule| rule.path_type.is_pattern(rule.path.as_str()));
        let asked = nginx.rewrite.or(nginx.use_regex)?;
        let cause = pattern.map_or(asked.key.as_ref(), |rule| rule.path.as_str());
        let said = format!(
            "because of {}, ingress-nginx reads all paths of the host {} as regular expressions, those of {others}, too",
            quoted(cause),
            quoted(host)
        );
        let help =
            "write the paths of the others as regular expressions, or give one of the Services another host";
        let problem = Problem::new(Code::HostRegex, said).help(help);
        Some(match pattern {
            Some(rule) => (rule.path_origin.path(), problem.found(rule.path.as_str())),
            None => asked.at_key(problem),
        })
    }

    /// What is said where a path of this plan loses its meaning by others.
    fn plain_at(&self, host: &str, others: &str) -> Option<(FieldPath, Problem)> {
        let rule =
            self.ingress.rules.iter().find(|rule| {
                rule.host.as_str() == host && loses_meaning(rule.path.as_str(), rule.path_type)
            })?;
        let path = rule.path.as_str();
        let said = format!(
            "because of {others}, ingress-nginx reads all paths of the host {} as regular expressions, so {} matches every path that begins with it, in any letter case",
            quoted(host),
            quoted(path)
        );
        let help = format!(
            "write it as the regular expression {}, or give one of the Services another host",
            as_regex(path, rule.path_type)
        );
        Some((rule.path_origin.path(), Problem::new(Code::HostRegex, said).help(help).found(path)))
    }

    /// The secret into which cert-manager puts the certificate for the hosts of the Ingress, if it is asked for one.
    fn certificate(&self) -> Option<&str> {
        let secret = self.ingress.secret.as_ref()?;
        (self.targets.contains(&Target::Ingress) && self.has_issuer()).then(|| secret.as_str())
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
            let shown_rule = |rule: &Route<'_>| quoted(&format!("{}{}", rule.host, rule.path));
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
                    |class| format!("the class {}", quoted(class.as_str())),
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
