//! The claims of several plans that at most one of them can have, for the conflicts in a report.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::claims::{Claimed, exclusive};

use crate::plan::Plan;
use crate::values::set;

/// A claim of several plans that at most one of them can have.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::contested, testing};
/// let plan = testing::plan(&[], json!({}))?;
/// let other = testing::plan(&[("IngressURLTemplate", "other.example.com")], json!({}))?;
/// let found = contested(&[&plan, &other], |_| true);
/// assert!(found.iter().any(|it| it.claim == "Ingress shop/web" && it.positions == [0, 1]));
/// assert!(contested(&[&plan, &other], |_| false).is_empty());
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contested {
    /// The claim: a host and path, or a kind, a namespace and a name.
    pub claim: String,
    /// The positions of the plans with the claim, in ascending order.
    pub positions: Vec<usize>,
}

/// Returns the contested claims of the plans that lost one; `is_lost` tells whether the plan at a position lost. The order is the
/// order of the claims.
///
/// ```
/// use serde_json::json;
/// use xposer::{internal::contested, testing};
/// assert!(contested(&[&testing::plan(&[], json!({}))?], |_| true).is_empty());
/// # Ok::<(), xposer::Report>(())
/// ```
#[must_use]
pub fn contested(plans: &[&Plan], is_lost: impl Fn(usize) -> bool) -> Vec<Contested> {
    let lost = plans.iter().enumerate().filter(|(at, _)| is_lost(*at));
    let wanted: BTreeSet<Claimed<'_>> = set(lost.flat_map(|(_, plan)| exclusive(plan)));
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut owners: BTreeMap<Claimed<'_>, Vec<usize>> = BTreeMap::new();
    for (at, plan) in plans.iter().enumerate() {
        for claim in exclusive(plan).filter(|claim| wanted.contains(claim)) {
            let positions = owners.entry(claim).or_default();
            // A plan may have the same claim twice.
            if positions.last() != Some(&at) {
                positions.push(at);
            }
        }
    }
    let is_global = |at: &usize| plans.get(*at).is_some_and(|plan| plan.is_global());
    // A key that is published locally is only in the ConfigMap of its own namespace.
    let counts = |claim: &Claimed<'_>, positions: &[usize]| {
        positions.len() > 1 && (!matches!(claim, Claimed::Key(_)) || positions.iter().any(is_global))
    };
    let owners = owners.into_iter().filter(|(claim, positions)| counts(claim, positions));
    owners.map(|(claim, positions)| Contested { claim: claim.to_string(), positions }).collect()
}

/// Displays the claim in words.
impl fmt::Display for Claimed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |f: &mut fmt::Formatter<'_>, kind: &str, namespace: Option<&str>, name: &str| {
            let namespace = namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
            write!(f, "{kind} {namespace}{name}")
        };
        match self {
            Self::Service(namespace, name) => named(f, "Service", *namespace, name),
            Self::Name(kind, namespace, name) => named(f, kind, *namespace, name),
            Self::Route(host, path, ..) => write!(f, "{host}{path}"),
            Self::Listener(namespace, gateway, host) => {
                write!(f, "the listener for {host} at ")?;
                named(f, "Gateway", *namespace, gateway)
            }
            Self::Secret(namespace, name) => named(f, "Secret", *namespace, name),
            Self::Key(key) => write!(f, "the key {key} of the URL ConfigMap"),
            Self::Paths(_, host, _) => write!(f, "paths of {host}"),
            Self::Host(_, _, host, _) => write!(f, "the host {host}"),
            Self::Certificate(host) => write!(f, "a certificate for {host}"),
        }
    }
}
