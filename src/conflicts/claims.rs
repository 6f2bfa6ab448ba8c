//! The claims of a plan, and the findings about plans with the same claim.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::hosts::HostUse;
use super::patterns::{Compared, compared};
use super::{Filing, Naming, RouteBudget, added, canary, certificates, hosts, passthrough};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, quoted};
use crate::dialect::controller::Controller;
use crate::dialect::gateway::support::prefix;
use crate::dialect::nginx::read::{NAME_STABLE, unnamed_canary};
use crate::dialect::support::is_supported;
use crate::dialect::write::{equivalent_prefix, extras};
use crate::intents::Intent;
use crate::plan::kinds::Kind;
use crate::plan::{Plan, Route, Scope};
use crate::service::FORWARD_ANNOTATION;
use crate::validation::{PathBudget, PathType, claimed_paths};
use crate::values::Target;

/// The name of the kind of monitors.
pub(super) const MONITOR: &str = Kind::EndpointMonitor.as_str();

/// The maximum number of other Services that a finding names. It is also how many of the Services with a [`Claim::counterpart`] are
/// enough to find every conflict.
///
/// ```
/// assert_eq!(xposer::internal::MAX_NAMED, 3);
/// ```
pub const MAX_NAMED: usize = 3;

/// Something that a plan needs exclusively, or shares with another plan.
///
/// [`expose_all`](crate::expose_all) decides whether two plans with an equal claim are in conflict.
///
/// ```
/// use serde_json::json;
/// use xposer::testing;
/// let plan = |url: &str| testing::plan(&[("IngressURLTemplate", url)], json!({}));
/// let (web, api) = (plan("example.com/web")?, plan("example.com/api")?);
/// // Plans of one Service claim the same objects, but not the same path.
/// let claims = api.claims();
/// assert!(web.claims().iter().any(|claim| claims.contains(claim)));
/// assert!(web.claims().iter().any(|claim| !claims.contains(claim)));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim<'p>(pub(super) Claimed<'p>);

/// What a plan claims.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Claimed<'p> {
    /// The Service itself, which must be given only once.
    Service(Option<&'p str>, &'p str),
    /// An object of this kind, in this namespace, with this name.
    Name(&'static str, Option<&'p str>, Cow<'p, str>),
    /// A host and a path, whether the path is exact, and whether the plan is a canary. An exact path does not conflict with a
    /// prefix, nor a canary with its stable Service.
    Route(Cow<'p, str>, Cow<'p, str>, bool, bool),
    /// The listener for a host that a ListenerSet adds to the Gateway with this namespace and name.
    Listener(Option<&'p str>, &'p str, &'p str),
    /// The certificate in this secret.
    Secret(Option<&'p str>, &'p str),
    /// A key of the URL ConfigMap.
    Key(&'p str),
    /// Paths of a host under this class, which are compared in this way. This claim causes no conflict by itself.
    Paths(Option<&'p str>, &'p str, Compared),
    /// A host of a target under this class, and how the plan uses it; an empty text stands for all hosts. This claim causes no
    /// conflict by itself.
    Host(Target, Option<&'p str>, Cow<'p, str>, HostUse),
    /// A certificate of cert-manager for this host. If two Services have it, that is a Warning.
    Certificate(&'p str),
}

impl<'p> Claim<'p> {
    /// The claim that all plans of a Service and of its canaries have. It finds the canaries of a Service that is refused and so
    /// has no plan: they are refused with it.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{conflicts::Claim, testing};
    /// let canary = testing::plan(&[("CanaryOf", "stable"), ("CanaryWeight", "10")], json!({}))?;
    /// assert!(canary.claims().contains(&Claim::of_service(Some("shop"), "stable")));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub const fn of_service(namespace: Option<&'p str>, name: &'p str) -> Self {
        Self(Claimed::Service(namespace, name))
    }

    /// The claim of the plans that affect this one although their claim is different. A program that plans some of many Services
    /// may add any [`MAX_NAMED`] of the Services with the counterpart.
    ///
    /// So a host may have thousands of paths that are not planned together: a regular expression on the host affects each of the
    /// others, and one of the others affects the regular expression.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Plan, testing};
    /// let plan = |url: &str| testing::plan(&[("IngressURLTemplate", url)], json!({}));
    /// let (web, blog, api) = (plan("example.com/web")?, plan("example.com/blog")?, plan("example.com/v[0-9]/api")?);
    /// let sees = |one: &Plan, other: &Plan| {
    ///     one.claims().iter().filter_map(|claim| claim.counterpart()).any(|wanted| other.claims().contains(&wanted))
    /// };
    /// assert!(sees(&web, &api) && sees(&api, &web) && !sees(&web, &blog));
    /// # Ok::<(), xposer::Report>(())
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
            Claimed::Host(target, class, host, using) => {
                let other = match using {
                    HostUse::Needs => return None,
                    HostUse::Whole => HostUse::Paths,
                    HostUse::Paths => HostUse::Whole,
                };
                Some(Self(Claimed::Host(*target, *class, host.clone(), other)))
            }
            _ => None,
        }
    }

    /// Whether only one of several plans with this claim can be exposed. Other claims cause at most a Warning.
    ///
    /// ```
    /// use serde_json::json;
    /// let settings = json!({"tls": "cert-manager", "clusterIssuer": "letsencrypt"});
    /// let plan = xposer::testing::plan(&[], settings)?;
    /// // Two Services can have certificates for one host, but not one object of the same name.
    /// let claims = plan.claims();
    /// assert!(claims.iter().any(|claim| claim.is_exclusive()) && claims.iter().any(|claim| !claim.is_exclusive()));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        self.0.is_exclusive()
    }
}

impl Claimed<'_> {
    fn is_exclusive(&self) -> bool {
        !matches!(self, Self::Certificate(_) | Self::Paths(..) | Self::Host(..))
    }

    /// The same route of the stable Service; `None` unless this is the route of a canary.
    pub(super) fn stable(&self) -> Option<Self> {
        match self {
            Self::Route(host, path, is_exact, true) => {
                Some(Self::Route(host.clone(), path.clone(), *is_exact, false))
            }
            _ => None,
        }
    }
}

impl Plan {
    /// Returns everything by which this plan and another one can affect each other. [`expose_all`](crate::expose_all) and
    /// [`emit_all`](crate::emit_all) treat plans without an equal claim as if each were alone, except for plans with a
    /// [`Claim::counterpart`]. So if one of many Services changes, a program only has to plan again the Services that share a claim
    /// with it, before or after the change.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::testing;
    /// let plan = |url: &str| testing::plan(&[("IngressURLTemplate", url)], json!({}));
    /// let (one, same, other) = (plan("shop.example.com")?, plan("shop.example.com")?, plan("blog.example.com")?);
    /// assert!(one.claims().iter().all(|claim| same.claims().contains(claim)));
    /// assert!(!one.claims().iter().all(|claim| other.claims().contains(claim)));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn claims(&self) -> Vec<Claim<'_>> {
        // A canary is compared with its stable Service, of whose route it may be a part, and with any other Service that has the
        // same route.
        let stable = self.canary.as_ref().map(|canary| Claimed::Service(self.namespace(), &canary.of));
        let own = claims(self).map(|(claim, _)| claim).chain(canary::shared(self));
        let of_hosts = hosts::shared(self).chain(passthrough::shared(self)).chain(added::shared(self));
        own.chain(stable).chain(compared(self)).chain(of_hosts).map(Claim).collect()
    }

    pub(super) fn is_global(&self) -> bool {
        self.published.as_ref().is_some_and(|published| published.scope == Scope::Globally)
    }

    pub(super) fn origin_of_name(&self) -> Origin {
        self.name.as_ref().map(|name| name.origin.clone()).unwrap_or_default()
    }
}

/// The exclusive claims of a plan.
pub(super) fn exclusive(plan: &Plan) -> impl Iterator<Item = Claimed<'_>> {
    claims(plan).map(|(claim, _)| claim).filter(Claimed::is_exclusive)
}

/// The routes that a plan claims, each with the source of its host.
pub(super) fn routes(plan: &Plan) -> impl Iterator<Item = (Claimed<'_>, Option<&Origin>)> {
    claims(plan).filter(|(claim, _)| matches!(claim, Claimed::Route(..)))
}

/// The claims of a plan; a route also has the source of its host.
fn claims(plan: &Plan) -> impl Iterator<Item = (Claimed<'_>, Option<&Origin>)> {
    let extras = plan.targets.iter().flat_map(|target| extras(plan, *target, &[]));
    let extras = extras.map(move |extra| match extra.referenced_as {
        Some(referenced_as) => Claimed::Name(extra.kind.as_str(), None, referenced_as.into()),
        None => Claimed::Name(extra.kind.as_str(), plan.namespace(), extra.name),
    });
    let others = extras.chain(user_list(plan)).map(|claim| (claim, None));
    let (found, _) = main_claims(plan);
    found.into_iter().chain(redirects(plan)).chain(others)
}

/// The list of users that the HAProxy Kubernetes Ingress Controller makes for basic authentication. It joins the namespace and the
/// name of the Ingress by a hyphen, so two Ingresses may get one list, which has the users of one of them.
fn user_list(plan: &Plan) -> Option<Claimed<'_>> {
    let is_asked = plan.has_stable_ingress()
        && plan.controller(Target::Ingress) == Controller::Haproxy
        && !passthrough::asked(plan, |intent| intent == Intent::BasicAuth).is_empty();
    let namespace = plan.namespace().filter(|_| is_asked)?;
    Some(Claimed::Name("user list", None, [namespace, "-", plan.name()].concat().into()))
}

/// The claims without redirects, and without the additional objects that express intents in the words of a program. Those objects
/// depend on all programs, which the policy does not contain. Their names begin with the name of the Ingress. Also returns whether
/// there are too many paths of regular expressions, so that some count only as they are written.
pub(super) fn main_claims(plan: &Plan) -> (Vec<(Claimed<'_>, Option<&Origin>)>, bool) {
    let mut found = vec![(Claimed::Service(plan.namespace(), plan.service()), None)];
    let mut add = |claim| found.push((claim, None));
    let name = |kind, name| Claimed::Name(kind, plan.namespace(), name);
    for target in &plan.targets {
        plan.names(*target).into_iter().for_each(|own| add(name(target.as_str(), own)));
    }
    if plan.monitor.is_some() {
        add(name(MONITOR, plan.name().into()));
    }
    if let Some(gateway) = plan.gateways().first().filter(|_| plan.has_listener_set()) {
        let namespace = gateway.namespace.as_deref().or(plan.namespace());
        add(name(Kind::ListenerSet.as_str(), plan.name().into()));
        for host in plan.tls_hosts() {
            add(Claimed::Listener(namespace, &gateway.name, host));
        }
    }
    for (secret, hosts) in certificates::secrets(plan) {
        add(Claimed::Secret(plan.namespace(), secret));
        hosts.into_iter().for_each(|host| add(Claimed::Certificate(host)));
    }
    if let Some(published) = &plan.published {
        add(Claimed::Key(&published.key));
    }
    let is_canary = plan.canary.is_some();
    let has = |target| plan.targets.contains(&target);
    let (mut prefixes, mut budget) = (Vec::new(), RouteBudget::of_paths(1));
    for rule in &plan.rules {
        let claim = |path, is_exact| {
            let claim = Claimed::Route(rule.host.as_str().into(), path, is_exact, is_canary);
            (claim, Some(&rule.host_origin))
        };
        let paths = paths_of(plan, rule, &mut budget);
        // A regular expression that is written as a prefix conflicts with that prefix.
        if rule.is_pattern() {
            let of_route = if has(Target::HttpRoute) { prefix(plan, rule) } else { None };
            let of_ingress = || if has(Target::Ingress) { equivalent_prefix(plan, rule) } else { None };
            let path = of_route.or_else(of_ingress);
            let path = path.filter(|path| !paths.iter().any(|(known, _)| known == path));
            prefixes.extend(path.map(|path| claim(path.into(), false)));
        }
        found.extend(paths.into_iter().map(|(path, is_exact)| claim(path, is_exact)));
    }
    found.append(&mut prefixes);
    (found, budget.is_exceeded)
}

/// Returns the paths that a rule claims, and whether each is exact. A path that an option rewrites is written as an expression for the
/// same requests.
pub(super) fn paths_of<'p>(
    plan: &Plan,
    rule: &'p Route,
    budget: &mut PathBudget,
) -> Vec<(Cow<'p, str>, bool)> {
    let is_read = || {
        let nginx = plan.nginx().filter(|nginx| nginx.wanted.is_none());
        nginx.is_some_and(|nginx| nginx.reads_regex(&rule.path, rule.path_type))
    };
    let is_root = rule.path == "/" && rule.path_type != PathType::Exact;
    claimed_paths(&rule.path, rule.path_type, !is_root && (rule.is_pattern() || is_read()), budget)
}

/// The hosts that are redirected to hosts of the plan. Such a host serves nothing else.
pub(super) fn redirects(plan: &Plan) -> Vec<(Claimed<'_>, Option<&Origin>)> {
    let mut found = Vec::new();
    if let Some(wanted) = plan.requested(Intent::RedirectFrom).filter(|wanted| is_supported(plan, wanted)) {
        for host in plan.redirected_groups().into_iter().flat_map(|(_, hosts)| hosts) {
            found.push((Claimed::Route(host.into(), "/".into(), false, false), Some(&wanted.origin)));
        }
    }
    found
}

/// Whether these plans, all of one namespace, redirect one host to the same host. That is one redirect and no conflict, whichever
/// controller serves it: ingress-nginx makes one server for it, and equal routes of a Gateway or of Traefik give the same answer.
fn is_one_redirect(claim: &Claimed<'_>, plans: &[&Plan]) -> bool {
    let Claimed::Route(from, path, false, false) = claim else { return false };
    if path != "/" {
        return false;
    }
    let intent_value = |plan: &Plan| {
        let groups = plan.redirected_groups();
        let to = groups.into_iter().find(|(_, hosts)| hosts.iter().any(|host| host == from))?.0.to_owned();
        Some((plan.namespace().map(str::to_owned), to))
    };
    let Some((first, others)) = plans.split_first() else { return false };
    intent_value(first)
        .is_some_and(|first| others.iter().all(|other| intent_value(other).as_ref() == Some(&first)))
}

/// Files an Error for every exclusive claim of several plans. All claims are sorted, so that equal claims are adjacent.
pub(super) fn claimed_twice(plans: &[&Plan], naming: Naming, file: &mut Filing<'_>) {
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
        // A key that is published locally is only in the ConfigMap of its own namespace.
        if matches!(claim, Claimed::Key(_)) && !group.iter().any(|(_, _, plan, _)| plan.is_global()) {
            continue;
        }
        let owners: Owners<'_> = group.iter().map(|(_, _, plan, _)| *plan).collect();
        if is_one_redirect(claim, &owners.services) {
            continue;
        }
        let help = match claim {
            Claimed::Secret(..) => certificates::shared_secret_help(&owners.services),
            Claimed::Route(_, _, _, true) => "keep one of the two".to_owned(),
            Claimed::Route(..) if owners.services.iter().any(|plan| unnamed_canary(plan).is_some()) => {
                format!("{NAME_STABLE}, or give one of them another host or path")
            }
            Claimed::Route(..) => "give one of them another host or path".to_owned(),
            _ => String::new(),
        };
        for (_, index, plan, origin) in group {
            if let Some(found) = claimed(claim, plan, *origin, (&owners, naming), &help) {
                file(*index, plan, found);
            }
        }
    }
}

/// The plans with one claim. There may be thousands, so a finding about one of them does not iterate over all others.
struct Owners<'o> {
    count: usize,
    /// The distinct Services, in order: one may be given several times.
    services: Vec<&'o Plan>,
    /// The distinct lists of their targets.
    targets: BTreeSet<&'o [Target]>,
}

impl<'o> FromIterator<&'o Plan> for Owners<'o> {
    fn from_iter<I: IntoIterator<Item = &'o Plan>>(plans: I) -> Self {
        let mut owners = Self { count: 0, services: Vec::new(), targets: BTreeSet::new() };
        let mut known = BTreeSet::new();
        for plan in plans {
            owners.count += 1;
            owners.targets.insert(&plan.targets);
            if known.insert(plan.identity()) {
                owners.services.push(plan);
            }
        }
        owners
    }
}

impl Owners<'_> {
    /// The other Services, in words: at most [`MAX_NAMED`] by name.
    fn others(&self, plan: &Plan, naming: Naming) -> Option<String> {
        let others = self.services.iter().copied().filter(|other| other.identity() != plan.identity());
        let named: Vec<&Plan> = others.take(MAX_NAMED).collect();
        (!named.is_empty()).then(|| naming.names(plan, &named, self.services.len() - 1))
    }

    /// Whether each of the plans has a target in common with this plan.
    fn all_share_a_target(&self, plan: &Plan) -> bool {
        self.targets.iter().all(|targets| targets.iter().any(|target| plan.targets.contains(target)))
    }
}

/// The finding about one of the owners; `None` if the others are copies of the same Service, which is reported once.
fn claimed(
    claim: &Claimed<'_>,
    plan: &Plan,
    origin: Option<&Origin>,
    (owners, naming): (&Owners<'_>, Naming),
    help: &str,
) -> Option<(FieldPath, Problem)> {
    if let Claimed::Service(..) = claim {
        let message = format!("the input contains the Service {} times", owners.count);
        let problem = Problem::new(Code::ServiceRepeated, message).help("give every Service once");
        return Some((FieldPath::object(&["metadata", "name"]), problem));
    }
    let others = owners.others(plan, naming)?;
    // If they have a target in common, the name of its objects is reported already.
    if matches!(claim, Claimed::Name(MONITOR, ..)) && owners.all_share_a_target(plan) {
        return None;
    }
    conflict(claim, plan, origin, &others, help)
}

/// The finding about a plan with a claim that others also have; `None` if the claim causes no conflict.
pub(super) fn conflict(
    claim: &Claimed<'_>,
    plan: &Plan,
    origin: Option<&Origin>,
    others: &str,
    help: &str,
) -> Option<(FieldPath, Problem)> {
    Some(match claim {
        Claimed::Service(..) | Claimed::Certificate(_) | Claimed::Paths(..) | Claimed::Host(..) => {
            return None;
        }
        Claimed::Name(kind, _, name) => {
            let message = format!("the {kind} name {} is also claimed by {others}", quoted(name));
            let help =
                "give one of them another IngressNameTemplate, for example {{.Service}}-{{.Namespace}}";
            (plan.origin_of_name().path(), Problem::new(Code::NameClaimed, message).help(help))
        }
        Claimed::Listener(_, gateway, host) => {
            let message = format!(
                "a listener for {} at the Gateway {} is also claimed by {others}, and only one of the two ListenerSets gets it",
                quoted(host),
                quoted(gateway)
            );
            let origin = plan.listener_set.as_ref().map(|it| it.origin.clone()).unwrap_or_default();
            let help = "give one of them another host, or a listener of the Gateway itself for all of them";
            (origin.path(), Problem::new(Code::ListenerClaimed, message).help(help))
        }
        Claimed::Secret(_, secret) => {
            let message = format!(
                "the secret {} is also claimed by {others}, and cert-manager puts only the hosts of one of them into it",
                quoted(secret)
            );
            let origin = plan.secret.as_ref().map_or_else(|| plan.origin_of_name(), |it| it.origin.clone());
            (origin.path(), Problem::new(Code::SecretShared, message).help(help.to_owned()))
        }
        Claimed::Route(host, path, _, is_canary) => {
            let route = quoted(&format!("{host}{path}"));
            let message = if *is_canary {
                format!("{route} can have only one canary, and it is also claimed by {others}")
            } else {
                format!("{route} is also claimed by {others}")
            };
            let problem = Problem::new(Code::RouteClaimed, message).help(help.to_owned());
            // All lines of a block have one origin.
            match plan.requested(Intent::RedirectFrom).filter(|wanted| origin == Some(&wanted.origin)) {
                Some(wanted) => plan.place_of(wanted).with(problem),
                None => (origin.cloned().unwrap_or_default().path(), problem),
            }
        }
        Claimed::Key(key) => {
            let message = format!("the key {} of the URL ConfigMap is also claimed by {others}", quoted(key));
            let place = plan.published.as_ref().map(|published| published.place.clone()).unwrap_or_default();
            let problem =
                Problem::new(Code::UrlKeyClaimed, message).help("rename one of the Services").at(place);
            (FieldPath::annotation(FORWARD_ANNOTATION), problem)
        }
    })
}
