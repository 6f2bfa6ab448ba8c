//! The index of claims, which tells which Services a change of a Service affects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xposer::internal::MAX_NAMED;
use xposer_live::keys::ServiceKey;
use xposer_live::plan::{Claims, OneWayClaim};

/// The claims of all Services, by Service and by claim.
#[derive(Debug, Default)]
pub(crate) struct ClaimIndex {
    by_service: BTreeMap<Arc<ServiceKey>, Claims>,
    /// The shared claims of all Services, and the one-way claims of exposed Services.
    by_claim: BTreeSet<(u64, Arc<ServiceKey>)>,
}

impl ClaimIndex {
    /// Sets the claims of a Service. Returns the affected Services.
    pub(crate) fn set(
        &mut self,
        key: &Arc<ServiceKey>,
        claims: Claims,
        is_exposed: bool,
    ) -> Vec<Arc<ServiceKey>> {
        let mut affected = self.release(key, &claims.one_way);
        self.by_claim.extend(claims.shared.iter().map(|claim| (*claim, key.clone())));
        if is_exposed {
            self.publish(key, &claims.one_way, &mut affected);
        }
        self.by_service.insert(key.clone(), claims);
        affected
    }

    /// Removes a Service. Returns the affected Services.
    pub(crate) fn remove(&mut self, key: &Arc<ServiceKey>) -> Vec<Arc<ServiceKey>> {
        self.release(key, &[])
    }

    /// Sets whether a Service is exposed, because one-way claims only count while it is. Returns the affected Services.
    pub(crate) fn set_exposed(&mut self, key: &Arc<ServiceKey>, is_exposed: bool) -> Vec<Arc<ServiceKey>> {
        let mut affected = Vec::new();
        let one_way = self.by_service.get(key).map(|claims| claims.one_way.clone()).unwrap_or_default();
        if is_exposed {
            self.publish(key, &one_way, &mut affected);
        } else {
            self.withdraw(key, &one_way, &mut affected);
        }
        affected
    }

    /// Removes the claims of a Service, except the one-way claims in `kept`.
    fn release(&mut self, key: &Arc<ServiceKey>, kept: &[OneWayClaim]) -> Vec<Arc<ServiceKey>> {
        let mut affected = Vec::new();
        let Some(claims) = self.by_service.remove(key) else { return affected };
        for claim in claims.shared {
            self.by_claim.remove(&(claim, key.clone()));
            affected.extend(self.claimants(claim).cloned());
        }
        let released: Vec<OneWayClaim> =
            claims.one_way.into_iter().filter(|claim| !kept.contains(claim)).collect();
        self.withdraw(key, &released, &mut affected);
        affected
    }

    fn publish(
        &mut self,
        key: &Arc<ServiceKey>,
        claims: &[OneWayClaim],
        affected: &mut Vec<Arc<ServiceKey>>,
    ) {
        for claim in claims {
            if self.by_claim.insert((claim.own, key.clone())) {
                affected.extend(self.affected_by(key, *claim));
            }
        }
    }

    fn withdraw(
        &mut self,
        key: &Arc<ServiceKey>,
        claims: &[OneWayClaim],
        affected: &mut Vec<Arc<ServiceKey>>,
    ) {
        for claim in claims {
            affected.extend(self.affected_by(key, *claim));
            self.by_claim.remove(&(claim.own, key.clone()));
        }
    }

    /// The Services that a one-way claim of a Service affects; empty if their diagnostics name enough other Services already.
    fn affected_by(&self, key: &Arc<ServiceKey>, claim: OneWayClaim) -> Vec<Arc<ServiceKey>> {
        if self.claimants(claim.own).take(MAX_NAMED).any(|first| first == key) {
            self.claimants(claim.counterpart).cloned().collect()
        } else {
            Vec::new()
        }
    }

    fn claimants(&self, claim: u64) -> impl Iterator<Item = &Arc<ServiceKey>> {
        let from = (claim, ServiceKey::new("", ""));
        self.by_claim.range(from..).take_while(move |(known, _)| *known == claim).map(|(_, key)| key)
    }

    /// The Services whose controllers one of these changes may decide.
    pub(crate) fn served_by_any(&self, changed: &BTreeSet<u64>) -> Vec<Arc<ServiceKey>> {
        let is_affected = |claims: &Claims| {
            claims.servers.as_ref().is_none_or(|servers| servers.iter().any(|it| changed.contains(it)))
        };
        self.by_service.iter().filter(|(_, it)| is_affected(it)).map(|(key, _)| key.clone()).collect()
    }

    /// A Service and all Services that share claims with it, directly or through others.
    pub(crate) fn group(&self, key: &Arc<ServiceKey>) -> BTreeSet<Arc<ServiceKey>> {
        let mut group = BTreeSet::from([key.clone()]);
        let mut pending = vec![key.clone()];
        let mut visited = BTreeSet::new();
        while let Some(next) = pending.pop() {
            let claims = self.by_service.get(&next).map(|claims| &*claims.shared).unwrap_or_default();
            for claim in claims.iter().filter(|claim| visited.insert(**claim)) {
                for other in self.claimants(*claim) {
                    if group.insert(other.clone()) {
                        pending.push(other.clone());
                    }
                }
            }
        }
        group
    }

    /// The Services that affect a group by one-way claims: for each claim, as many as a diagnostic names.
    pub(crate) fn neighbours(&self, group: &BTreeSet<Arc<ServiceKey>>) -> BTreeSet<Arc<ServiceKey>> {
        let one_way = group.iter().filter_map(|key| self.by_service.get(key)).flat_map(|it| &it.one_way);
        let neighbours = one_way.flat_map(|claim| self.claimants(claim.counterpart).take(MAX_NAMED));
        neighbours.filter(|key| !group.contains(*key)).cloned().collect()
    }
}
