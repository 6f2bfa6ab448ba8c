//! Computes the actions for a key: the difference between the desired and the observed objects. Nothing here sends requests to the
//! API server.

mod results;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use xposer::emit::stamp::{self, Stamp};
use xposer::plan::Published;
use xposer_live::keys::{ObjectKey, ReconcileKey, ServiceKey};
use xposer_live::kinds::{self, Kind};
use xposer_live::object::{Observed, Ownership};
use xposer_live::plan::{Decision, DecisionResult, Desired, Exposed};

use crate::actions::{Action, ApplyMode};
use crate::handover::Successor;
use crate::notice::Notice;
use crate::state::State;
use crate::watch::KindStatus;

pub(crate) use results::Recovery;

/// The time without an address after which an Ingress of a class without a known controller counts as not served.
const UNSERVED_TIMEOUT: Duration = Duration::from_secs(60);

/// The plan for a key.
#[derive(Debug)]
pub(crate) struct ReconcilePlan {
    pub(crate) key: ReconcileKey,
    pub(crate) actions: Vec<Action>,
    /// The notices for the owner. A condition that is not among them no longer holds.
    pub(crate) notices: Vec<Notice>,
}

impl State {
    /// Plans a key. For a Service, this includes the plans of all Services that share claims with it.
    pub(crate) fn reconcile(&mut self, key: &ReconcileKey, now: Instant) -> Vec<ReconcilePlan> {
        match key {
            ReconcileKey::UrlConfigMap(namespace) => self.reconcile_urls(namespace).into_iter().collect(),
            ReconcileKey::Service(service) if self.services.contains_key(service) => {
                let mut decisions = self.decide(service);
                decisions.iter().for_each(|decision| self.record_claims(decision));
                decisions.retain(|decision| !self.terminating_namespaces.contains(&decision.key.namespace));
                decisions.into_iter().map(|decision| self.reconcile_service(decision, now)).collect()
            }
            ReconcileKey::Service(service) if self.terminating_namespaces.contains(&service.namespace) => {
                Vec::new()
            }
            ReconcileKey::Service(service) => vec![self.reconcile_unexposed(service)],
        }
    }

    /// Records the claims of a Service.
    fn record_claims(&mut self, decision: &Decision) {
        let Some(entry) = self.services.get(&decision.key) else { return };
        let claims = match &decision.result {
            DecisionResult::Exposed(exposed) => exposed.claims.clone(),
            DecisionResult::Refused | DecisionResult::Conflicted => Vec::new(),
        };
        self.held.set_service(&decision.key, entry.stored.created, claims);
    }

    fn reconcile_urls(&self, namespace: &str) -> Option<ReconcilePlan> {
        if self.kind_status(Kind::ConfigMap) != KindStatus::Listed {
            return None;
        }
        let foreign = self.url_config_maps.foreign_keys(namespace).into_iter();
        let notice = |(service, key): (Arc<ServiceKey>, String)| {
            let shown = Some(namespace).filter(|_| !self.hides_namespace(namespace, &service));
            Notice::foreign_key(shown, &key, service)
        };
        Some(ReconcilePlan {
            key: ReconcileKey::UrlConfigMap(namespace.into()),
            actions: self.url_config_maps.action(namespace).into_iter().collect(),
            notices: foreign.map(notice).collect(),
        })
    }

    /// Whether the owner of this Service must not see the name of this namespace.
    pub(super) fn hides_namespace(&self, namespace: &str, service: &ServiceKey) -> bool {
        *service.namespace != *namespace && !self.settings.names_others()
    }

    /// Plans a Service that is deleted or no longer exposed: its objects are deleted.
    fn reconcile_unexposed(&mut self, key: &Arc<ServiceKey>) -> ReconcilePlan {
        self.handovers.forget(key);
        self.publish(key, None);
        let deletable = self.objects.of_service(key).filter(|(_, observed)| observed.is_deletable());
        let delete = |(object, observed): (&ObjectKey, &Observed)| {
            Some(Action::DeleteUnexposed {
                key: object.clone(),
                uid: observed.uid.clone(),
                version: observed.version.clone(),
                service: key.clone(),
                owner: observed.owner.clone()?,
            })
        };
        let mut actions: Vec<Action> = deletable.filter_map(delete).collect();
        actions.sort_by_key(|action| action.kind().is_some_and(kinds::is_auxiliary));
        if let Some(unexposed) = self.unexposed.get_mut(key) {
            unexposed.planned = true;
            if unexposed.stamped {
                let (service, uid) = (key.clone(), unexposed.uid.clone());
                actions.push(Action::Stamp { service, uid, annotations: Vec::new() });
            }
        }
        ReconcilePlan { key: ReconcileKey::Service(key.clone()), actions, notices: Vec::new() }
    }

    fn reconcile_service(&mut self, decision: Decision, now: Instant) -> ReconcilePlan {
        let refused = decision.is_refused();
        let mut notices: Vec<Notice> = decision.errors_and_warnings().map(Notice::diagnostic).collect();
        let Decision { key, result, .. } = decision;
        self.set_refused(&key, refused);
        let terminating = self.services.get(&key).is_none_or(|entry| entry.stored.terminating);
        if terminating || refused {
            self.handovers.forget(&key);
        }
        // A Service with Errors of its own keeps its objects.
        if terminating && matches!(result, DecisionResult::Conflicted) {
            self.drop_claims(&key);
        }
        let actions = match result {
            _ if terminating => Vec::new(),
            DecisionResult::Refused => Vec::new(),
            DecisionResult::Conflicted => {
                self.publish(&key, None);
                let undesired = self.undesired(&key, &[]);
                let mut actions: Vec<Action> =
                    undesired.iter().map(|(key, observed)| delete(key, observed)).collect();
                actions.sort_by_key(|action| action.kind().is_some_and(kinds::is_auxiliary));
                actions.extend(self.stamp(&key, None));
                actions
            }
            DecisionResult::Exposed(exposed) => self.reconcile_exposed(&key, exposed, &mut notices, now),
        };
        ReconcilePlan { key: ReconcileKey::Service(key), actions, notices }
    }

    pub(crate) fn reconcile_exposed(
        &mut self,
        key: &Arc<ServiceKey>,
        exposed: Exposed,
        notices: &mut Vec<Notice>,
        now: Instant,
    ) -> Vec<Action> {
        self.publish(key, exposed.published);
        notices.extend(self.unserved(key, &exposed.desired, exposed.unknown_class.as_deref(), now));
        let uid = self.services.get(key).map(|entry| entry.stored.uid.clone()).unwrap_or_default();
        let mut desired = exposed.desired;
        desired.sort_by_key(|it| !kinds::is_auxiliary(it.key.kind));
        let names: BTreeSet<ObjectKey> = desired.iter().map(|it| it.key.clone()).collect();
        let undesired = self.undesired(key, &desired);
        let deleted_first = self.handovers.apply_fallback(key, &undesired, &mut desired);
        let successors: Vec<Successor> = match undesired.as_slice() {
            [] => Vec::new(),
            _ => desired.iter().map(|it| Successor::new(it, self.as_desired(it, key, &uid))).collect(),
        };
        let is_first = |(key, _): &&(ObjectKey, Observed)| deleted_first.as_ref() == Some(key);
        let mut actions: Vec<Action> =
            undesired.iter().filter(is_first).map(|(key, observed)| delete(key, observed)).collect();
        let mut is_complete = true;
        let mut withheld = BTreeSet::<Kind>::new();
        for desired in desired {
            let kind = desired.key.kind;
            notices.extend(self.missing_gateways(&desired));
            match self.reconcile_object(key, &uid, desired) {
                ObjectPlan::InSync(notice) => notices.extend(notice),
                // Without an object that it needs, the object would be unprotected.
                ObjectPlan::Act(_) if withheld.contains(&kind) => {}
                ObjectPlan::Act(action) => actions.push(action),
                ObjectPlan::Blocked(notice) => {
                    is_complete = false;
                    withheld.extend(kinds::needed_by(kind));
                    notices.extend(notice);
                }
            }
        }
        // Old objects are deleted only if every new one can be applied.
        if is_complete {
            let mut deleted = self.handovers.review(key, &undesired, &successors, now);
            deleted.retain(|it| !is_first(it));
            // An object that protects another one is deleted after it.
            let stays = |(object, observed): &(&ObjectKey, &Observed)| {
                observed.owner.as_ref() == Some(&uid)
                    && observed.managed
                    && !names.contains(*object)
                    && !deleted.iter().any(|(deleted, _)| deleted == *object)
            };
            let kept: Vec<Kind> =
                self.objects.of_service(key).filter(stays).map(|(object, _)| object.kind).collect();
            let is_needed = |kind: Kind| kinds::needed_by(kind).iter().any(|it| kept.contains(it));
            deleted.retain(|(object, _)| !is_needed(object.kind));
            deleted.sort_by_key(|(object, _)| kinds::is_auxiliary(object.kind));
            actions.extend(deleted.into_iter().map(|(key, observed)| delete(key, observed)));
            notices.extend(self.handovers.notices(key));
            actions.extend(self.stamp(key, exposed.stamp.as_ref()));
        }
        actions
    }

    /// Compares a desired object with the object in the cluster.
    fn reconcile_object(&mut self, service: &Arc<ServiceKey>, uid: &str, desired: Desired) -> ObjectPlan {
        let Desired { key, body, hash } = desired;
        let status = self.kind_status(key.kind);
        if status != KindStatus::Listed {
            return ObjectPlan::Blocked(Notice::kind_status(key.kind, &status));
        }
        let observed = self.objects.get(&key);
        if observed.is_none() && !self.objects.contains(&key) {
            return ObjectPlan::Act(Action::Apply { key, body, hash, mode: ApplyMode::Create });
        }
        let notice = match observed {
            Some(observed) if observed.terminating => None,
            Some(observed) => match observed.ownership(service, uid) {
                Ownership::Ours if observed.desired_hash == hash => {
                    let not_served = |refusal| {
                        let server = self.server_of(service, key.kind);
                        Notice::not_served(&key, refusal, server.as_deref())
                    };
                    return ObjectPlan::InSync(observed.refusal.as_deref().map(not_served));
                }
                Ownership::Ours => {
                    let mode =
                        if observed.must_be_taken { ApplyMode::TakeOwnership } else { ApplyMode::Update };
                    return ObjectPlan::Act(Action::Apply { key, body, hash, mode });
                }
                Ownership::Adoptable => return ObjectPlan::Act(Action::Adopt { key, body, hash }),
                Ownership::Foreign if self.handovers.is_kept(&observed.service, &key) => {
                    Some(Notice::kept_by(&key, &observed.service))
                }
                Ownership::Foreign => Some(Notice::foreign(&key, None)),
            },
            None => Some(Notice::foreign(&key, None)),
        };
        self.objects.wait_for(key, service.clone());
        ObjectPlan::Blocked(notice)
    }

    /// The notice that no controller serves the Ingress, as far as it can be known: it has had no address for a long time, the
    /// cluster has no such class, and nothing else names a controller. The notice is not certain, because some controllers serve a
    /// class by its name alone.
    fn unserved(
        &mut self,
        key: &Arc<ServiceKey>,
        desired: &[Desired],
        class: Option<&str>,
        now: Instant,
    ) -> Option<Notice> {
        let class = class.filter(|class| self.lacks_ingress_class(class));
        let has_address = |it: &Desired| self.objects.get(&it.key).is_some_and(|it| it.served_by > 0);
        let mut ingresses = desired.iter().filter(|it| it.key.kind == Kind::Ingress).peekable();
        let first = ingresses.peek().copied().filter(|_| !ingresses.any(has_address));
        let entry = self.services.get_mut(key)?;
        let (Some(class), Some(first)) = (class, first) else {
            entry.unserved_since = None;
            return None;
        };
        let since = *entry.unserved_since.get_or_insert(now);
        if since == now {
            self.handovers.look_again(key, now + UNSERVED_TIMEOUT);
        }
        (since + UNSERVED_TIMEOUT <= now).then(|| Notice::class_unknown(&first.key, class))
    }

    /// The notices about Gateways of an HTTPRoute that do not exist.
    fn missing_gateways(&self, desired: &Desired) -> Vec<Notice> {
        let parents = match desired.key.kind {
            Kind::HttpRoute => desired.body.pointer("/spec/parentRefs").and_then(Value::as_array),
            _ => None,
        };
        let missing =
            parents.into_iter().flatten().filter_map(|parent| self.missing_gateway(desired, parent));
        // Several listeners of one Gateway cause one notice.
        let mut known = BTreeSet::new();
        let missing = missing.filter(|gateway| known.insert(*gateway));
        missing.map(|(namespace, name)| Notice::gateway_not_found(&desired.key, namespace, name)).collect()
    }

    /// The namespace and the name of a parent, if it is a Gateway that does not exist.
    fn missing_gateway<'d>(&self, desired: &'d Desired, parent: &'d Value) -> Option<(&'d str, &'d str)> {
        let word = |field: &str| parent.get(field).and_then(Value::as_str);
        let is_gateway = word("kind").is_none_or(|kind| kind == "Gateway")
            && word("group").is_none_or(|group| group == Kind::HttpRoute.group());
        let namespace = word("namespace").unwrap_or(&desired.key.namespace);
        let name = word("name")?;
        (is_gateway && self.lacks_gateway(namespace, name)).then_some((namespace, name))
    }

    /// The object in the cluster, if it belongs to the Service and is as desired.
    fn as_desired(&self, desired: &Desired, service: &ServiceKey, uid: &str) -> Option<&Observed> {
        let observed = self.objects.get(&desired.key)?;
        let is_ours = observed.ownership(service, uid) == Ownership::Ours && !observed.terminating;
        (is_ours && observed.desired_hash == desired.hash).then_some(observed)
    }

    /// The objects of a Service that may be deleted and are not desired.
    fn undesired(&self, key: &Arc<ServiceKey>, desired: &[Desired]) -> Vec<(ObjectKey, Observed)> {
        let Some(uid) = self.services.get(key).map(|entry| &entry.stored.uid) else { return Vec::new() };
        let desired: BTreeSet<&ObjectKey> = desired.iter().map(|desired| &desired.key).collect();
        let is_undesired = |(object, observed): &(&ObjectKey, &Observed)| {
            observed.is_deletable() && observed.owner.as_ref() == Some(uid) && !desired.contains(object)
        };
        let undesired = self.objects.of_service(key).filter(is_undesired);
        undesired.map(|(object, observed)| (object.clone(), observed.clone())).collect()
    }

    /// Sets the published entry of a Service. The ConfigMaps that change become due.
    fn publish(&mut self, key: &Arc<ServiceKey>, published: Option<Published>) {
        for namespace in self.url_config_maps.publish(key, published) {
            self.mark_due(ReconcileKey::UrlConfigMap(namespace));
        }
    }

    /// The action that writes the status annotations of a Service, unless they are up to date.
    fn stamp(&self, key: &Arc<ServiceKey>, stamp: Option<&Stamp>) -> Option<Action> {
        if !self.stamps {
            return None;
        }
        let entry = self.services.get(key)?;
        let mut document = entry.stored.document();
        stamp::write(&mut document, stamp).then(|| Action::Stamp {
            service: key.clone(),
            uid: entry.stored.uid.clone(),
            annotations: stamp
                .iter()
                .flat_map(|stamp| stamp.annotations())
                .map(|(key, value)| (key, value.to_owned()))
                .collect(),
        })
    }
}

/// The plan for a desired object.
enum ObjectPlan {
    /// The object is as desired; the notice tells why it is not served nevertheless.
    InSync(Option<Notice>),
    Act(Action),
    /// The object cannot be applied now; the notice has the reason, if the owner has to act.
    Blocked(Option<Notice>),
}

fn delete(key: &ObjectKey, observed: &Observed) -> Action {
    Action::Delete { key: key.clone(), uid: observed.uid.clone(), version: observed.version.clone() }
}
