//! The core's decisions about Services. Services that share claims are planned together, and a claim of two of them goes to the
//! older one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use xposer::conflicts::{Claim, ClaimText};
use xposer::emit::stamp::Stamp;
use xposer::plan::Published;
use xposer::service::SERVICE_LABEL;
use xposer::{
    Code, Diagnostic, Outcome, Plan, Precedence, Service, Settings, Severity, emit_all, expose, expose_all,
};

use crate::digest::{digest, json_digest};
use crate::keys::{ObjectKey, ServiceKey};
use crate::kinds::Kind;
use crate::object::owner_reference;
use crate::servers;
use crate::service::StoredService;

/// The decision about one Service.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The Service.
    pub key: Arc<ServiceKey>,
    /// What the core decided.
    pub result: DecisionResult,
    /// The Errors, Warnings and Infos of the core.
    pub diagnostics: Vec<Diagnostic>,
}

/// What the core decided about a Service.
#[derive(Clone, Debug)]
pub enum DecisionResult {
    /// The Service has Errors of its own. Its objects stay unchanged.
    Refused,
    /// An older Service has the same claim. The objects of this Service are deleted.
    Conflicted,
    /// The Service is exposed by these objects.
    Exposed(Exposed),
}

/// What is written for an exposed Service.
#[derive(Clone, Debug)]
pub struct Exposed {
    /// The objects, without the URL ConfigMaps, which several Services share.
    pub desired: Vec<Desired>,
    /// The entry of the URL ConfigMap, if the Service asks for one.
    pub published: Option<Published>,
    /// The annotations that are written back on the Service, if the settings ask for them.
    pub stamp: Option<Stamp>,
    /// The class of the Ingress, if it is not known which controller serves it.
    pub unknown_class: Option<Box<str>>,
    /// The exclusive claims of this Service, if the settings tell where to record them.
    pub claims: Vec<ClaimText>,
}

/// A desired object.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The kind, the namespace and the name.
    pub key: ObjectKey,
    /// The object as it is written.
    pub body: Value,
    /// The hash of the body.
    pub hash: u64,
}

/// The hashes of the claims of a Service ([`Plan::claims`]).
#[derive(Debug, Default)]
pub struct Claims {
    /// The claims that are compared for equality: Services with the same one are planned together.
    pub shared: Box<[u64]>,
    /// Claims that affect only the Services with the counterpart.
    pub one_way: Box<[OneWayClaim]>,
    /// The hashes of the classes and Gateways that decide which controller serves the Service ([`servers::server_dependencies`]); `None` if the
    /// Service cannot be exposed, because then any class or Gateway may be the reason.
    pub servers: Option<Box<[u64]>>,
}

/// A claim, and the claim of the Services that it affects ([`xposer::conflicts::Claim::counterpart`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneWayClaim {
    /// The hash of the claim.
    pub own: u64,
    /// The hash of the claim of the other Services.
    pub counterpart: u64,
}

/// Returns the claims of a Service. A Service that cannot be exposed also has one, so that its canaries are planned with it.
pub fn claims(service: &StoredService, settings: &Settings) -> Claims {
    let document = service.document();
    let view = service.view(&document);
    let outcome = expose(&view, settings);
    let (mut shared, mut one_way) = (Vec::new(), Vec::new());
    if outcome.is_refused() {
        shared.push(digest(&Claim::of_service(view.namespace(), view.name())));
    }
    for claim in outcome.plan().map(Plan::claims).unwrap_or_default() {
        match claim.counterpart() {
            Some(counterpart) => {
                one_way.push(OneWayClaim { own: digest(&claim), counterpart: digest(&counterpart) });
            }
            None => shared.push(digest(&claim)),
        }
    }
    let servers = outcome.plan().map(servers::server_dependencies);
    Claims { shared: shared.into(), one_way: one_way.into(), servers }
}

/// A Service to decide about.
pub struct Member<'s> {
    /// The namespace and the name.
    pub key: Arc<ServiceKey>,
    /// The Service as it is kept.
    pub stored: &'s StoredService,
}

/// Decides about Services that share claims, directly or through others. The Services of `beside` share no claim with them, but
/// affect them by one-way claims; they get no decision.
pub fn decide(members: &[Member<'_>], beside: &[&StoredService], settings: &Settings) -> Vec<Decision> {
    let stored = members.iter().map(|member| member.stored).chain(beside.iter().copied());
    let stored: Vec<(&StoredService, Value)> = stored.map(|stored| (stored, stored.document())).collect();
    let services: Vec<Service<'_>> =
        stored.iter().map(|(stored, document)| stored.view(document).created_at(stored.created)).collect();
    let mut outcomes = expose_all(&services, settings, Precedence::OldestFirst);
    outcomes.truncate(members.len());

    let emitted = emit_all(outcomes.iter().filter_map(Outcome::plan));
    let uids: BTreeMap<&ServiceKey, &str> =
        members.iter().map(|member| (&*member.key, &*member.stored.uid)).collect();
    let mut desired: BTreeMap<Arc<ServiceKey>, Vec<Desired>> = BTreeMap::new();
    for object in &emitted.objects {
        let Some(kind) = Some(object.kind()).filter(|kind| *kind != Kind::ConfigMap) else { continue };
        let mut body = object.to_value();
        let namespace = object.namespace().unwrap_or_default();
        let Some(Value::Object(metadata)) = body.get_mut("metadata") else { continue };
        let label = metadata.get("labels").and_then(|labels| labels.get(SERVICE_LABEL));
        let service = ServiceKey::new(namespace, label.and_then(Value::as_str).unwrap_or_default());
        let Some(uid) = uids.get(&*service) else { continue };
        metadata.insert("ownerReferences".to_owned(), Value::Array(vec![owner_reference(&service, uid)]));
        let key = ObjectKey { kind, namespace: namespace.into(), name: object.name().into() };
        let hash = json_digest(&body);
        desired.entry(service).or_default().push(Desired { key, body, hash });
    }
    let decided = members.iter().zip(&outcomes).map(|(member, outcome)| {
        let mut diagnostics: Vec<Diagnostic> =
            outcome.report().map(|report| report.diagnostics().to_vec()).unwrap_or_default();
        // A diagnostic about an object belongs to its Service. `PublishedHere` is about files, which do not contain all namespaces.
        let is_of = |it: &&Diagnostic| {
            it.subject.name == *member.key.name && it.subject.namespace == *member.key.namespace
        };
        let emitted = emitted.report.diagnostics().iter().filter(is_of);
        diagnostics.extend(emitted.filter(|it| it.code != Code::PublishedHere).cloned());
        let result = match outcome {
            Outcome::Planned { plan, .. } => DecisionResult::Exposed(Exposed {
                desired: desired.remove(&member.key).unwrap_or_default(),
                published: plan.published().cloned(),
                stamp: plan.stamp(),
                unknown_class: plan.class_without_server().map(Into::into),
                claims: settings.claims().map(|_| plan.claim_texts()).unwrap_or_default(),
            }),
            Outcome::Conflicting(_) => DecisionResult::Conflicted,
            Outcome::Refused(_) | Outcome::NotExposed { .. } => DecisionResult::Refused,
        };
        Decision { key: member.key.clone(), result, diagnostics }
    });
    decided.collect()
}

impl Decision {
    /// Whether the Service is not exposed.
    pub fn is_refused(&self) -> bool {
        !matches!(self.result, DecisionResult::Exposed(_))
    }

    /// The diagnostics for the owner of the Service.
    pub fn errors_and_warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity > Severity::Info)
    }
}
