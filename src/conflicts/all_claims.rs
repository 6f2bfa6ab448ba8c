//! All claims of a plan at admission, including the hosts that its annotations add, and the limits of the comparison.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::BTreeSet;

use super::claims::{Claimed, main_claims, paths_of, redirects};
use crate::diagnostics::Origin;
use crate::dialect::hosts::HostRole;
use crate::dialect::write::covering_names;
use crate::plan::{AddedHost, Plan};
use crate::service::FORWARD_ANNOTATION;
use crate::validation::PathBudget;
use crate::values::{Target, set};

/// The maximum number of hosts and paths of one object or Service that are compared, and that the controller writes into the claims. An
/// object with more is reported at admission, so that one object does not make the claims of a host incomplete.
///
/// ```
/// assert_eq!(xposer::conflicts::MAX_ROUTES, 4_000);
/// ```
pub const MAX_ROUTES: usize = 4_000;
/// The maximum size of these hosts and paths in bytes. Each of many hosts is combined with each path, which may be as long as the object.
/// With the other parts of the lines, they fit into a ConfigMap of the claims.
pub(crate) const MAX_ROUTE_BYTES: usize = 448 << 10;

/// The origin of the lines of the forwarded block.
const FORWARDED: &Origin = &Origin::Annotation(Cow::Borrowed(FORWARD_ANNOTATION));

/// The remaining number and size of compared routes of one object.
pub(crate) struct RouteBudget {
    routes: usize,
    bytes: usize,
}

impl RouteBudget {
    pub(crate) const fn new() -> Self {
        Self { routes: MAX_ROUTES, bytes: MAX_ROUTE_BYTES }
    }

    /// Takes the room of one more route, and returns whether there was enough.
    pub(crate) fn take(&mut self, host: &str, path: &str) -> bool {
        let left = self.bytes.checked_sub(host.len() + path.len()).zip(self.routes.checked_sub(1));
        left.is_some_and(|(bytes, routes)| {
            (self.bytes, self.routes) = (bytes, routes);
            true
        })
    }

    /// Returns the budget for the paths of regular expressions, each of which counts for each of these hosts.
    pub(crate) fn of_paths(hosts: usize) -> PathBudget {
        PathBudget::new(MAX_ROUTES / hosts.max(1))
    }
}

/// The claims of a plan, including the routes of hosts that annotations add. A pattern of hosts has no claim, because its hosts are not
/// known.
///
/// Routes of annotations are compared at admission, and not between the Services of a cluster: ingress-nginx ignores such a host if a
/// rule has it, and the Service with that rule must not be refused.
pub(super) struct AllClaims<'c> {
    /// The claims with their origins, in the order of their roles. The claim of a name or a secret counts like that of a rule.
    all: Vec<(Claimed<'c>, Option<&'c Origin>, HostRole)>,
    /// Whether there are too many routes, so that some routes of annotations are left out.
    pub(super) is_truncated: bool,
}

impl<'c> AllClaims<'c> {
    pub(super) fn of(plan: &'c Plan, added: &'c [AddedHost<'_>]) -> Self {
        let (main, is_exceeded) = main_claims(plan);
        let (mut aliases, mut published, mut tls_names) = (Vec::new(), Vec::new(), Vec::new());
        let mut room = RouteBudget::new();
        let mut has_room = |claim: &Claimed<'_>| match claim {
            Claimed::Route(host, path, ..) => room.take(host, path),
            _ => true,
        };
        let mut is_cut = !main.iter().all(|(claim, _)| has_room(claim)) || is_exceeded;
        let own: BTreeSet<&str> = set(plan.rules.iter().map(|rule| rule.host.as_str()));
        // Each served host has all paths.
        let served = LazyCell::new(|| {
            let (mut served, mut budget) = (Vec::<(Cow<'_, str>, bool)>::new(), RouteBudget::of_paths(1));
            plan.rules.iter().for_each(|rule| served.append(&mut paths_of(plan, rule, &mut budget)));
            served
        });
        let whole = [("/".into(), false)];
        for AddedHost { host, role, origin, .. } in added.iter().filter(|added| !added.host.is_empty()) {
            let (into, paths) = match role {
                HostRole::Alias => (&mut aliases, served.as_slice()),
                HostRole::Redirect => (&mut aliases, &whole[..]),
                HostRole::Name if !own.contains(host.as_str()) => (&mut published, &whole[..]),
                _ => continue,
            };
            let is_canary = *role != HostRole::Name && plan.canary.is_some();
            for (path, is_exact) in paths {
                let claim = Claimed::Route(host.as_str().into(), path.clone(), *is_exact, is_canary);
                if !has_room(&claim) {
                    is_cut = true;
                    break;
                }
                into.push((claim, Some(origin)));
            }
        }
        let mut publish = |into: &mut Vec<_>, host: &'c str, origin| {
            let claim = Claimed::Route(host.into(), "/".into(), false, false);
            if has_room(&claim) {
                into.push((claim, Some(origin)));
            } else {
                is_cut = true;
            }
        };
        // Another address takes the requests for all paths of a host.
        if !plan.dns_addresses().is_empty() {
            own.iter().for_each(|host| publish(&mut published, host, FORWARDED));
        }
        if plan.targets.contains(&Target::Ingress) && plan.secret().is_some() {
            let covering = covering_names(plan);
            let hosts = plan.certificate_hosts.iter().filter(|it| !covering.contains(&it.host));
            hosts.for_each(|it| publish(&mut tls_names, &it.host, &it.host_origin));
        }
        let by_role = [
            (main, HostRole::Rule),
            (redirects(plan), HostRole::Redirect),
            (aliases, HostRole::Alias),
            (published, HostRole::Name),
            (tls_names, HostRole::TlsName),
        ];
        let mut all = Vec::new();
        for (claims, role) in by_role {
            all.extend(claims.into_iter().map(|(claim, origin)| (claim, origin, role)));
        }
        Self { all, is_truncated: is_cut }
    }

    /// Iterates over the claims, with their origins and roles.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Claimed<'c>, Option<&'c Origin>, HostRole)> {
        self.all.iter().map(|(claim, origin, role)| (claim, *origin, *role))
    }
}
