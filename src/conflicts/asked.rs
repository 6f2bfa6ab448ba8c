//! Everything that a plan asks for at admission, with the hosts that its annotations add, and how much of it is compared.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::claims::{Claimed, main_claims, redirects};
use crate::diagnostics::Origin;
use crate::dialect::hosts::Use;
use crate::plan::{AddedHost, Plan};
use crate::validation::claimed_path;
use crate::values::set;

/// The most hosts and paths of one object or Service that are compared, and that the controller writes down: whoever asks for more is told at
/// admission, so that nothing of a host is unknown because of one object.
///
/// ```
/// assert_eq!(xposer::conflicts::MAX_ROUTES, 4_000);
/// ```
pub const MAX_ROUTES: usize = 4_000;
/// The most bytes that these hosts and paths may have in all: each of many hosts gets each path, which may be as long as the object. With
/// what stands before them in a ConfigMap of the claims, they are within its half a megabyte.
pub(crate) const MAX_ROUTE_BYTES: usize = 448 << 10;

/// What is left of these bounds for one object.
pub(crate) struct Room {
    routes: usize,
    bytes: usize,
}

impl Room {
    pub(crate) const fn new() -> Self {
        Self { routes: MAX_ROUTES, bytes: MAX_ROUTE_BYTES }
    }

    /// Whether there is room for one more route, which takes it.
    pub(crate) fn take(&mut self, host: &str, path: &str) -> bool {
        let left = self.bytes.checked_sub(host.len() + path.len()).zip(self.routes.checked_sub(1));
        left.is_some_and(|(bytes, routes)| {
            (self.bytes, self.routes) = (bytes, routes);
            true
        })
    }
}

/// The claims of a plan, and those of the hosts that annotations add; none of a pattern, because whose hosts it takes is not known.
///
/// The latter are compared at admission, and not among the Services of a cluster: ingress-nginx leaves such a host out if a rule has it, and
/// the Service with that rule has to stay.
pub(super) struct AllClaims<'c> {
    /// First the claims of the plan with the hosts that are served, then the redirects, then the names that are published for other hosts.
    all: Vec<(Claimed<'c>, Option<&'c Origin>)>,
    first_redirect: usize,
    first_published: usize,
    /// Whether the routes are too many, so that some of those that annotations add are left out.
    pub(super) is_cut: bool,
}

/// What a plan does with the host of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// It serves it.
    Whole,
    /// It redirects it: a part ([`ClaimText::is_part`](super::ClaimText::is_part)), because two of them may be one.
    Redirect,
    /// It publishes its name. It has nothing of the host, and is in the way of those in other namespaces who have it.
    Name,
}

impl<'c> AllClaims<'c> {
    pub(super) fn of(plan: &'c Plan, added: &'c [AddedHost<'_>]) -> Self {
        let (mut all, mut redirects, mut published) = (main_claims(plan), redirects(plan), Vec::new());
        let mut room = Room::new();
        let mut has_room = |claim: &Claimed<'_>| match claim {
            Claimed::Route(host, path, ..) => room.take(host, path),
            _ => true,
        };
        let mut is_cut = !all.iter().all(|(claim, _)| has_room(claim));
        let own: BTreeSet<&str> = set(plan.rules.iter().map(|rule| rule.host.as_str()));
        for AddedHost { host, what, origin, .. } in added.iter().filter(|added| !added.host.is_empty()) {
            let whole = || ("/".into(), false);
            let served = || plan.rules.iter().map(|rule| claimed_path(&rule.path, rule.path_type)).collect();
            let (into, paths): (_, Vec<(Cow<'_, str>, bool)>) = match what {
                Use::Served => (&mut all, served()),
                Use::Redirected => (&mut redirects, vec![whole()]),
                Use::Published if own.contains(host.as_str()) => continue,
                Use::Published => (&mut published, vec![whole()]),
            };
            let is_canary = *what != Use::Published && plan.canary.is_some();
            for (path, is_exact) in paths {
                let claim = Claimed::Route(host.as_str().into(), path, is_exact, is_canary);
                if !has_room(&claim) {
                    is_cut = true;
                    break;
                }
                into.push((claim, Some(origin)));
            }
        }
        let first_redirect = all.len();
        all.append(&mut redirects);
        let first_published = all.len();
        all.append(&mut published);
        Self { all, first_redirect, first_published, is_cut }
    }

    /// What the plan has, or asks for.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Claimed<'c>, Option<&'c Origin>, Share)> {
        self.all.iter().enumerate().map(|(at, (claim, origin))| {
            let share = if at < self.first_redirect {
                Share::Whole
            } else if at < self.first_published {
                Share::Redirect
            } else {
                Share::Name
            };
            (claim, *origin, share)
        })
    }
}
