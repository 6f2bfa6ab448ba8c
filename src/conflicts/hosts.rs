//! What a program has once for a host and not for each path: client certificates, TLS passthrough, and for NGINX Ingress Controller
//! the host itself. Compared across the plans that share a host. A group of the AWS Load Balancer Controller is compared like a host.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::claims::{Claimed, MAX_NAMED};
use super::{Filing, Naming};
use crate::diagnostics::{Code, FieldPath, Problem, quoted};
use crate::dialect::alb::write::group::{GroupValue, group_values};
use crate::dialect::controller::Controller;
use crate::dialect::f5_nginx::MERGEABLE;
use crate::dialect::traefik::TLS_OPTIONS;
use crate::intents::{Intent, IntentValue};
use crate::plan::{Annotation, Place, Plan};
use crate::validation::parse_bool;
use crate::values::{Target, Termination, set};

/// What a plan needs a whole host for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum HostRequirement<'p> {
    /// The host is served for one Ingress only.
    Host,
    /// TLS passes through to the Service.
    Passthrough,
    /// Clients show a certificate: the secret or the TLSOption, and whether the certificate is required.
    Certificate(Cow<'p, str>, bool),
    /// The annotation of a group of Ingresses has this value.
    Group(&'static str, Cow<'p, str>),
}

/// A plan on a target where the program has a part of the configuration once for a host.
struct PlanOnHost<'p> {
    plan: &'p Plan,
    target: Target,
    /// The group that takes the place of the hosts, after the name of what is compared in it.
    group: Option<(&'static str, &'p str)>,
    /// What the plan needs the host for, and the place that asks for it; `None` if it only serves paths to which https requests come.
    need: Option<(HostRequirement<'p>, Place<'p>)>,
}

/// Returns what a plan needs its hosts for, on each target where another plan on the host may lose something because of it, or may
/// take it away.
fn served(plan: &Plan) -> impl Iterator<Item = PlanOnHost<'_>> {
    let targets = plan.targets.iter().copied().filter(|_| plan.canary.is_none());
    let of_hosts = targets.filter_map(move |target| {
        let need = need(plan, target);
        let is_affected = target != Target::HttpRoute
            && (plan.tls().has_secret() || is_sent_to_https(plan, target))
            && plan.controller(target) != Controller::F5Nginx;
        (need.is_some() || is_affected).then_some(PlanOnHost { plan, target, group: None, need })
    });
    of_hosts.chain(group_values(plan).into_iter().map(
        move |GroupValue { name, group, key, value, place }| {
            let need = Some((HostRequirement::Group(key, value.into()), place));
            PlanOnHost { plan, target: Target::Ingress, group: Some((name, group)), need }
        },
    ))
}

/// Whether requests to a plan without TLS are redirected to https if the host has a certificate, which another Service brings.
/// HAProxy Ingress redirects only the paths of an Ingress with TLS.
fn is_sent_to_https(plan: &Plan, target: Target) -> bool {
    let is_off = |it: &Annotation| it.key.ends_with("/ssl-redirect") && parse_bool(&it.value) == Some(false);
    target == Target::Ingress
        && plan.controller(target) == Controller::IngressNginx
        && plan.https_redirect() != Some(false)
        && !plan.annotations.iter().any(is_off)
}

fn need(plan: &Plan, target: Target) -> Option<(HostRequirement<'_>, Place<'_>)> {
    let controller = plan.controller(target);
    let of_host = plan.rules.first().map(|rule| Place::Field(rule.host_origin.path()));
    let passthrough = || {
        let wanted = plan.requested(Intent::TlsPassthrough).map(|wanted| plan.place_of(wanted));
        Some((HostRequirement::Passthrough, wanted.or(of_host.clone())?))
    };
    if target == Target::Route {
        let passes = plan.tls().has_secret() && plan.termination() == Termination::Passthrough;
        return passthrough().filter(|_| passes);
    }
    match controller {
        Controller::F5Nginx => {
            let kind = plan.annotation(MERGEABLE);
            let is_minion = kind.is_some_and(|it| it.value == "minion");
            of_host.filter(|_| !is_minion).map(|place| (HostRequirement::Host, place))
        }
        Controller::IngressNginx
        | Controller::TraefikNginx
        | Controller::Haproxy
        | Controller::HaproxyIngress
            if plan.passes_tls() =>
        {
            passthrough()
        }
        Controller::Traefik if plan.tls().has_secret() => {
            let given = plan.annotation(TLS_OPTIONS).filter(|it| !it.value.trim().is_empty())?;
            Some((HostRequirement::Certificate(given.value.trim().into(), true), Place::Line(given)))
        }
        Controller::IngressNginx | Controller::TraefikNginx | Controller::HaproxyIngress
            if plan.tls().has_secret() =>
        {
            certificate(plan, controller)
        }
        _ => None,
    }
}

/// Returns the client certificate that an option or annotations ask for.
fn certificate(plan: &Plan, controller: Controller) -> Option<(HostRequirement<'_>, Place<'_>)> {
    let own = |secret: &'_ str| {
        let name = plan.namespace().and_then(|own| secret.strip_prefix(own)?.strip_prefix('/'));
        name.unwrap_or(secret).to_owned()
    };
    if let Some(wanted) = plan.requested(Intent::ClientCertificate)
        && let IntentValue::Certificate(asked) = &wanted.intent_value
    {
        let need = HostRequirement::Certificate(own(&asked.secret).into(), !asked.is_optional);
        return Some((need, plan.place_of(wanted)));
    }
    let given = |name: &str| {
        let is_it = |key: &str| key.ends_with(name) && controller.reads(key);
        plan.annotations.iter().find(|it| is_it(&it.key) && !it.value.trim().is_empty())
    };
    let secret = given("/auth-tls-secret")?;
    let verify = given("/auth-tls-verify-client").map_or("on", |it| it.value.trim());
    let need = HostRequirement::Certificate(own(secret.value.trim()).into(), verify == "on");
    (verify != "off").then_some((need, Place::Line(secret)))
}

impl<'p> PlanOnHost<'p> {
    fn need(&self) -> Option<&HostRequirement<'p>> {
        self.need.as_ref().map(|(need, _)| need)
    }

    /// Returns what plans must share to be compared by their hosts: the class, or what is compared in a group.
    fn scope(&self) -> Option<&'p str> {
        self.group.map_or_else(|| self.plan.class_name(), |(name, _)| Some(name))
    }

    fn hosts(&self) -> BTreeSet<&'p str> {
        match self.group {
            Some((_, group)) => set([group]),
            None => set(self.plan.rules.iter().map(|rule| rule.host.as_str())),
        }
    }

    fn controller(&self) -> Controller {
        self.plan.controller(self.target)
    }

    /// Returns the needs of other Services on the host beside which this one gets all that it asks for; `None` stands for Services
    /// that only serve paths.
    fn compatible_requirements(&self) -> Vec<Option<&HostRequirement<'p>>> {
        match (self.need(), self.controller()) {
            // The provider names the TLS options after the Ingress, so no two Ingresses have the same.
            (Some(HostRequirement::Host), _)
            | (Some(HostRequirement::Certificate(..)), Controller::TraefikNginx) => Vec::new(),
            (need @ Some(HostRequirement::Passthrough), _) | (need @ Some(_), Controller::Traefik) => {
                vec![need]
            }
            // Without a client certificate of its own, the other one gets that of the host.
            (need, _) => vec![need, None],
        }
    }

    /// Whether the clients of the Service must show the certificate that another one on the host requires.
    fn is_asked(&self) -> bool {
        self.need.is_none()
            && matches!(self.controller(), Controller::IngressNginx | Controller::HaproxyIngress)
    }

    fn against(&self, host: &str, others: &str) -> Option<(FieldPath, Problem)> {
        let (need, place) = self.need.as_ref()?;
        let host = quoted(host);
        let program = self.controller().row().name;
        let another = "give one of the Services another host";
        let (said, help) = match need {
            HostRequirement::Host => (
                format!(
                    "{program} serves the host {host} for one Ingress, and it is also claimed by {others}"
                ),
                [
                    another,
                    ", or write a master Ingress for the host by hand, and forward ",
                    MERGEABLE,
                    ": minion from all of them",
                    if self.plan.tls().has_secret() {
                        ", with config.xposer.stakater.com/TLS: load-balancer"
                    } else {
                        ""
                    },
                ]
                .concat(),
            ),
            HostRequirement::Group(key, _) => (
                format!(
                    "{program} accepts only one value of {key} in the group {host}, but that of {others} is different, so it updates none of these Services"
                ),
                "write the same value to all of them, or give one of them another group.name".to_owned(),
            ),
            HostRequirement::Passthrough => (
                format!("the host {host} has TLS passthrough, so https requests for {others} arrive here"),
                another.to_owned(),
            ),
            HostRequirement::Certificate(secret, _) => match self.controller() {
                controller @ (Controller::Traefik | Controller::TraefikNginx) => {
                    let help = match controller {
                        Controller::Traefik => {
                            format!("forward {TLS_OPTIONS}: {secret} to all of them, or {another}")
                        }
                        _ => another.to_owned(),
                    };
                    let message = format!(
                        "{program} requests no client certificate on the host {host}, because these TLS options are not those of {others}"
                    );
                    (message, help)
                }
                _ => (
                    format!(
                        "{program} requests the same client certificate on the whole host {host}, but that of {others} is different"
                    ),
                    format!("write the same {} to all of them, or {another}", Intent::ClientCertificate),
                ),
            },
        };
        Some(place.clone().with(Problem::new(Code::HostClaimed, said).help(help)))
    }

    fn asked(&self, host: &str, others: &str) -> Option<(FieldPath, Problem)> {
        let rule = self.plan.rules.iter().find(|rule| rule.host == host)?;
        let message = format!(
            "because of {others}, {} requests a certificate from every client of the host {}, on these paths, too",
            self.controller().row().name,
            quoted(host)
        );
        let help = "write the same ClientCertificate here, or give one of the Services another host";
        Some((rule.host_origin.path(), Problem::new(Code::HostCertificate, message).help(help)))
    }
}

/// How a plan uses a host. A claim has it, so that a program that plans some of many Services finds those that affect each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum HostUse {
    /// It needs the host as a whole. Plans with this claim are compared with each other.
    Needs,
    /// The same, for the plans that only serve paths of the host. A plan with a line that adds the host has this claim, too.
    Whole,
    /// It only serves paths of the host. A plan that needs the host as a whole would change that, and a line that adds the host has no
    /// effect.
    Paths,
}

/// The claims of hosts by which plans affect each other.
pub(super) fn shared(plan: &Plan) -> impl Iterator<Item = Claimed<'_>> {
    served(plan).flat_map(move |it| {
        let uses: &[HostUse] =
            if it.need.is_some() { &[HostUse::Needs, HostUse::Whole] } else { &[HostUse::Paths] };
        let (target, scope) = (it.target, it.scope());
        let claim = move |host, using: &HostUse| Claimed::Host(target, scope, Cow::Borrowed(host), *using);
        it.hosts().into_iter().flat_map(move |host| uses.iter().map(move |using| claim(host, using)))
    })
}

/// Whether a plan has claims of the hosts of its Ingress.
pub(super) fn has_claims(plan: &Plan) -> bool {
    served(plan).any(|it| it.target == Target::Ingress && it.group.is_none())
}

/// The claims of hosts that a plan needs as a whole.
pub(super) fn needed(plan: &Plan) -> impl Iterator<Item = Claimed<'_>> {
    shared(plan).filter(|claim| matches!(claim, Claimed::Host(.., HostUse::Needs)))
}

/// The plans on a host, each Service once.
struct OnHost<'s, 'p> {
    all: Vec<&'s PlanOnHost<'p>>,
    /// Those that need the host as a whole. There may be thousands of paths on a host, and few of these.
    with_requirement: Vec<&'s PlanOnHost<'p>>,
    /// The number of plans with each need.
    sizes: BTreeMap<Option<&'s HostRequirement<'p>>, usize>,
}

/// The plans on a host that affect another one.
struct Affecting<'s> {
    /// One more than a message names, because the affected plan can be among them.
    first: Vec<&'s Plan>,
    /// The number of all, without the affected plan.
    count: usize,
}

impl<'s, 'p> OnHost<'s, 'p> {
    fn new(served: &[(usize, &'s PlanOnHost<'p>)]) -> Self {
        let mut known = BTreeSet::new();
        let all: Vec<&'s PlanOnHost<'p>> =
            served.iter().map(|(_, it)| *it).filter(|it| known.insert(it.plan.identity())).collect();
        let needy = all.iter().copied().filter(|it| it.need.is_some()).collect();
        let mut sizes = BTreeMap::new();
        for it in &all {
            *sizes.entry(it.need()).or_default() += 1;
        }
        Self { all, with_requirement: needy, sizes }
    }

    /// Returns the plans that have none of the needs that a plan tolerates. A plan that does not tolerate its own need tolerates none.
    fn without(&self, tolerated: &[Option<&HostRequirement<'_>>]) -> Affecting<'s> {
        let candidates = if tolerated.contains(&None) { &self.with_requirement } else { &self.all };
        let affecting = candidates.iter().filter(|it| !tolerated.contains(&it.need())).map(|it| it.plan);
        let others: usize = tolerated.iter().filter_map(|need| self.sizes.get(need)).sum();
        let count = self.all.len() - others - usize::from(tolerated.is_empty());
        Affecting { first: affecting.take(MAX_NAMED + 1).collect(), count }
    }

    /// Returns the plans that require a certificate of each client.
    fn requiring(&self) -> Affecting<'s> {
        let is_required =
            |it: &&&PlanOnHost<'_>| matches!(it.need(), Some(HostRequirement::Certificate(_, true)));
        let requiring = || self.with_requirement.iter().filter(is_required).map(|it| it.plan);
        Affecting { first: requiring().take(MAX_NAMED + 1).collect(), count: requiring().count() }
    }
}

/// Reports the Services whose needs for a host do not go together with others on it.
pub(super) fn host_conflicts(plans: &[(usize, &Plan)], naming: Naming, file: &mut Filing<'_>) {
    let all: Vec<(usize, PlanOnHost<'_>)> =
        plans.iter().flat_map(|(index, plan)| served(plan).map(|it| (*index, it))).collect();
    if !all.iter().any(|(_, it)| it.need.is_some()) {
        return;
    }
    let mut on_hosts = Vec::new();
    for (at, (_, it)) in all.iter().enumerate() {
        on_hosts.extend(it.hosts().into_iter().map(|host| (it.target, it.scope(), host, at)));
    }
    on_hosts.sort_unstable();
    for group in on_hosts.chunk_by(|left, right| (left.0, left.1, left.2) == (right.0, right.1, right.2)) {
        let Some((.., host, _)) = group.first() else { continue };
        let served: Vec<(usize, &PlanOnHost<'_>)> =
            group.iter().filter_map(|(.., at)| all.get(*at)).map(|(index, it)| (*index, it)).collect();
        let on_host = OnHost::new(&served);
        if on_host.with_requirement.is_empty() {
            continue;
        }
        let requiring = on_host.requiring();
        let mut affecting = BTreeMap::new();
        for (index, it) in served {
            let others = match it.need() {
                Some(need) => affecting
                    .entry((it.controller(), need))
                    .or_insert_with(|| on_host.without(&it.compatible_requirements())),
                None if it.is_asked() => &requiring,
                None => continue,
            };
            let is_other = |other: &&Plan| other.identity() != it.plan.identity();
            let named: Vec<&Plan> = others.first.iter().copied().filter(is_other).take(MAX_NAMED).collect();
            if named.is_empty() {
                continue;
            }
            let names = naming.names(it.plan, &named, others.count);
            let found = if it.need.is_some() { it.against(host, &names) } else { it.asked(host, &names) };
            if let Some(found) = found {
                file(index, it.plan, found);
            }
        }
    }
}
