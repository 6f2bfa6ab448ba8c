//! Records the results and errors of actions in the state, and returns the notices about them.

use std::collections::BTreeSet;
use std::sync::Arc;
use xposer_live::digest::digest;
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ReconcileKey, ServiceKey};
use xposer_live::kinds::Kind;
use xposer_live::object::{Observed, is_later};

use crate::actions::{ActionError, ActionResult};
use crate::handover::Refusal;
use crate::notice::{Notice, ServiceNotice};
use crate::state::{ListCount, ObjectStatus, State};

/// The reaction to an error.
#[derive(Debug)]
pub(crate) enum Recovery {
    /// Notify the owner, and retry later.
    Report(Notice),
    /// Retry later.
    RetryLater,
    /// Retry immediately, with another method.
    RetryNow,
}

/// The Services whose owners get notices, with their UIDs.
type Recipients = Vec<(Arc<ServiceKey>, Box<str>)>;

impl State {
    /// Records the result of an action. `sent_at` is the number of complete lists when it was sent. Returns the notices about it.
    pub(crate) fn record_result(
        &mut self,
        key: &ReconcileKey,
        result: ActionResult,
        sent_at: ListCount,
    ) -> Option<Notice> {
        match result {
            ActionResult::Applied { key, hash, document, is_new, adopted } => {
                self.record_applied(&key, hash, &document, sent_at);
                if let Some(service) = self.objects.get(&key).map(|observed| observed.service.clone()) {
                    let objects = &self.objects;
                    let exists = |key: &ObjectKey| objects.get(key).is_some_and(Observed::is_deletable);
                    self.handovers.on_applied(&service, &key, exists);
                    // The time limit of the objects that are kept for this one may start now.
                    if self.handovers.has_kept(&service) {
                        self.mark_due(ReconcileKey::Service(service));
                    }
                }
                Some(Notice::applied(&key, is_new, adopted))
            }
            ActionResult::Deleted { key: object, uid } => {
                // The watch will report the deletion, or already has.
                self.objects.set_terminating(&object, &uid);
                let notice = match key {
                    ReconcileKey::Service(service) => self.handovers.on_deleted(service, &object),
                    ReconcileKey::UrlConfigMap(_) => None,
                };
                Some(notice.unwrap_or_else(|| Notice::deleted(&object)))
            }
            ActionResult::Done => None,
        }
    }

    /// Records an applied object. Changes that the API server or a webhook made to it count as desired until the object is changed,
    /// so that the controller and a webhook that disagree do not overwrite each other forever.
    fn record_applied(&mut self, key: &ObjectKey, hash: u64, document: &Document, sent_at: ListCount) {
        let uid = document.metadata.uid.as_deref().unwrap_or_default();
        // The object may have been deleted before the response arrived.
        if self.objects.is_gone(uid) {
            return;
        }
        let known = self.version(key).filter(|(known, _)| *known == uid);
        let is_known = known.is_some();
        let version = document.metadata.resource_version.as_deref().unwrap_or_default();
        // The watch may have reported a later version before the response arrived: an Ingress controller writes the status, or
        // another client changes the object.
        let is_outdated = known.is_some_and(|(_, known)| is_later(known, version));
        let observed = Observed::new(document);
        if !is_known && self.lists() != sent_at {
            // A list that was read after the request may lack the object because it was deleted. If it still exists, the next
            // request reveals that.
            match observed {
                _ if key.kind == Kind::ConfigMap => {
                    self.mark_due(ReconcileKey::UrlConfigMap(key.namespace.clone()));
                }
                Some(observed) => self.mark_due(ReconcileKey::Service(observed.service)),
                None => {}
            }
            return;
        }
        if key.kind == Kind::ConfigMap {
            if !is_outdated {
                self.apply_object(key.kind, document);
            }
        } else if let Some(mut observed) = observed {
            observed.desired_hash = hash;
            if let Some(later) = self.objects.get(key).filter(|_| is_outdated) {
                let is_same = later.content_hash == observed.content_hash;
                observed = Observed {
                    desired_hash: if is_same { hash } else { later.desired_hash },
                    ..later.clone()
                };
            }
            let lost_by = self.objects.set(key.clone(), Some(observed));
            self.mark_services_due(lost_by);
        }
        if !is_known {
            self.await_in_list(key);
        }
    }

    /// Records the error of an action. Returns the reaction.
    pub(crate) fn record_error(&mut self, key: &ReconcileKey, error: &ActionError) -> Recovery {
        match error {
            ActionError::Foreign { key: object, message } => {
                if let ReconcileKey::Service(service) = key {
                    self.objects.wait_for(object.clone(), service.clone());
                }
                Recovery::Report(Notice::foreign(object, Some(message)))
            }
            ActionError::Exists(object) => {
                // The watch may have reported the object before the response arrived.
                if self.objects.contains(object) {
                    self.mark_due(key.clone());
                } else if let ReconcileKey::Service(service) = key {
                    self.objects.wait_for(object.clone(), service.clone());
                }
                Recovery::RetryLater
            }
            ActionError::Refused { key: object, message } => {
                match self.record_refusal(key, object.as_ref(), message) {
                    Refusal::RetryNow => {
                        self.mark_due(key.clone());
                        Recovery::RetryNow
                    }
                    Refusal::RetryLater => Recovery::RetryLater,
                    Refusal::Report => Recovery::Report(Notice::apply_failed(object.as_ref(), message)),
                }
            }
            ActionError::Outdated | ActionError::Unavailable(_) => Recovery::RetryLater,
        }
    }

    fn record_refusal(&mut self, key: &ReconcileKey, object: Option<&ObjectKey>, message: &str) -> Refusal {
        let (ReconcileKey::Service(service), Some(object)) = (key, object) else { return Refusal::Report };
        let others = self.objects.of_service(service).map(|(key, other)| (key.clone(), other.clone()));
        let others: Vec<_> = others.collect();
        self.handovers.on_refused(service, object, message, &others)
    }

    /// Records that a plan was executed or has failed. Returns the new notices, for each Service whose owner gets them.
    pub(crate) fn finish(
        &mut self,
        key: &ReconcileKey,
        notices: Vec<Notice>,
        failed: bool,
    ) -> Vec<ServiceNotice> {
        // The diagnostics of the core are not about the writing of objects.
        let warning = notices.iter().rfind(|it| it.is_condition && it.is_warning && it.code.is_none());
        let written = match warning {
            Some(warning) => ObjectStatus::Failed(warning.note.as_str().into()),
            None if failed => ObjectStatus::NotYet,
            None => ObjectStatus::All,
        };
        let conditions: BTreeSet<u64> = notices.iter().filter(|it| it.is_condition).map(digest).collect();
        let (before, recipients) = self.replace_conditions(key, conditions, written, failed);
        // Another entry in a ConfigMap needs no new notice.
        let is_new = |it: &Notice| match it.is_condition {
            true => !before.contains(&digest(it)),
            false => matches!(key, ReconcileKey::Service(_)),
        };
        let notices: Vec<Notice> = notices.into_iter().filter(is_new).collect();
        let to = |(service, uid): (Arc<ServiceKey>, Box<str>)| {
            // A Service that publishes globally gets notices about the ConfigMaps of all namespaces.
            let is_hidden = match key {
                ReconcileKey::UrlConfigMap(namespace) => self.hides_namespace(namespace, &service),
                ReconcileKey::Service(_) => false,
            };
            notices
                .iter()
                .filter(|notice| notice.only.as_ref().is_none_or(|only| *only == service))
                .map(|notice| ServiceNotice {
                    service: service.clone(),
                    uid: uid.clone(),
                    // A notice for this Service alone names no other namespace.
                    notice: match is_hidden && notice.only.is_none() {
                        true => Notice::without_namespace(notice),
                        false => notice.clone(),
                    },
                })
                .collect::<Vec<_>>()
        };
        recipients.into_iter().flat_map(to).collect()
    }

    /// Replaces the conditions of a key. Returns the previous ones, and the recipients of the notices.
    fn replace_conditions(
        &mut self,
        key: &ReconcileKey,
        conditions: BTreeSet<u64>,
        written: ObjectStatus,
        failed: bool,
    ) -> (BTreeSet<u64>, Recipients) {
        match key {
            ReconcileKey::Service(service) => {
                if let Some(entry) = self.services.get_mut(service) {
                    entry.written = written;
                    let recipient = (service.clone(), entry.stored.uid.clone());
                    return (std::mem::replace(&mut entry.notices, conditions), vec![recipient]);
                }
                let Some(unexposed) = self.unexposed.get_mut(service) else { return Default::default() };
                let recipient = (service.clone(), unexposed.uid.clone());
                let before = std::mem::replace(&mut unexposed.notices, conditions);
                if unexposed.planned && !failed {
                    self.unexposed.remove(service);
                }
                (before, vec![recipient])
            }
            ReconcileKey::UrlConfigMap(namespace) => {
                let has_conditions = !conditions.is_empty();
                let publishers =
                    if has_conditions { self.url_config_maps.publishers(namespace) } else { Vec::new() };
                let with_uid = |service: Arc<ServiceKey>| {
                    let uid = self.services.get(&service)?.stored.uid.clone();
                    Some((service, uid))
                };
                let recipients = publishers.into_iter().filter_map(with_uid).collect();
                let before = self.url_notices.insert(namespace.clone(), conditions).unwrap_or_default();
                (before, recipients)
            }
        }
    }
}
