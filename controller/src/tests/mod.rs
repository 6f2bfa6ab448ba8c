//! Tests of the controller's decisions without an API server: the state, and a cluster that accepts every request.

mod cases;
mod claims;
mod handover;
mod reconcile;
mod refusals;
mod servers;
mod shards;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use xposer::Settings;
use xposer_live::document::Document;
use xposer_live::keys::{ObjectKey, ReconcileKey, ServiceKey};
use xposer_live::kinds::Kind;

use crate::actions::{Action, ActionError, ActionResult, ApplyMode, Failures};
use crate::notice::Notice;
use crate::reconcile::{ReconcilePlan, Recovery};
use crate::state::State;
use crate::watch::KindStatus;

const NAME: &str = "IngressNameTemplate";
const HOST: &str = "IngressURLTemplate";

fn document(value: &Value) -> Document {
    serde_json::from_value(value.clone()).unwrap()
}

fn in_shop(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey { kind, namespace: "shop".into(), name: name.into() }
}

/// The Service `web`, with annotations of Xposer.
fn web(annotations: &[(&str, &str)]) -> Value {
    service("web", annotations)
}

fn service(name: &str, annotations: &[(&str, &str)]) -> Value {
    let annotations: BTreeMap<String, &str> = annotations
        .iter()
        .map(|(key, value)| (format!("config.xposer.stakater.com/{key}"), *value))
        .chain([("config.xposer.stakater.com/Domain".to_owned(), "example.com")])
        .collect();
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": {"expose": "true"},
            "annotations": annotations, "creationTimestamp": "2026-01-01T00:00:01Z"},
        "spec": {"ports": [{"port": 80}]},
    })
}

/// The status that an Ingress controller writes.
fn address() -> Value {
    json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}})
}

/// A cluster in which the Service `web` is served under its own name.
fn served() -> FakeCluster {
    let mut cluster = FakeCluster::new();
    cluster.apply(&web(&[])).settle();
    cluster.set_field(Kind::Ingress, "web", "status", address());
    assert!(cluster.settle().is_empty());
    cluster
}

/// Returns the actions, without the status annotations of the Service.
fn settle(cluster: &mut FakeCluster) -> Vec<String> {
    let mut done = cluster.settle();
    done.retain(|it| !it.starts_with("stamp"));
    done
}

/// The state, a clock, and the objects of an API server.
struct FakeCluster {
    state: State,
    now: Instant,
    objects: BTreeMap<ObjectKey, Value>,
    /// Decides about an applied object, given all objects, its key and its body. Returns the message of a refusal.
    refuses: fn(&BTreeMap<ObjectKey, Value>, &ObjectKey, &Value) -> Option<String>,
    versions: u32,
    /// Whether deletions are refused.
    refuses_deletions: bool,
    /// Whether each new Ingress gets an address before the controller receives the response.
    is_fast: bool,
}

impl FakeCluster {
    /// A cluster in which everything is listed, and empty.
    fn new() -> Self {
        let objects = BTreeMap::new();
        let state = Self::listed(&objects, &[]);
        Self {
            state,
            now: Instant::now(),
            objects,
            refuses: |_, _, _| None,
            versions: 0,
            refuses_deletions: false,
            is_fast: false,
        }
    }

    /// A state after the first lists.
    fn listed(objects: &BTreeMap<ObjectKey, Value>, services: &[Value]) -> State {
        let mut state = State::new(Settings::default(), true, Duration::from_secs(90));
        services.iter().for_each(|service| state.apply_service(&document(service)));
        for kind in Kind::ALL {
            state.set_kind_status(kind, KindStatus::Listed);
        }
        state.apply_namespace("shop", false);
        for (key, object) in objects {
            state.apply_object(key.kind, &document(object));
        }
        state
    }

    /// Restarts the controller, which lists these Services and the objects.
    fn restart(&mut self, services: &[Value]) -> &mut Self {
        self.state = Self::listed(&self.objects, services);
        self
    }

    /// Changes a field of an object, as another client does.
    fn set_field(&mut self, kind: Kind, name: &str, field: &str, value: Value) -> &mut Self {
        self.versions += 1;
        let object = self.objects.get_mut(&in_shop(kind, name)).unwrap();
        object[field] = value;
        object["metadata"]["resourceVersion"] = self.versions.to_string().into();
        self.state.apply_object(kind, &document(object));
        self
    }

    /// Delivers deletions as the watch does.
    fn deliver_deletions(&mut self) -> &mut Self {
        let known: Vec<ObjectKey> =
            Kind::ALL.into_iter().flat_map(|kind| self.state.objects_of(kind)).collect();
        for key in known.into_iter().filter(|key| key.kind != Kind::ConfigMap) {
            if !self.objects.contains_key(&key) {
                self.state.delete_object(&key);
            }
        }
        self
    }

    /// Advances the clock.
    fn advance(&mut self, seconds: u64) -> &mut Self {
        self.now += Duration::from_secs(seconds);
        self.state.advance_to(self.now);
        self
    }

    fn service(&mut self, name: &str, host: &str, second: u8) -> &mut Self {
        let annotations = json!({"config.xposer.stakater.com/IngressURLTemplate": host});
        self.apply(&json!({
            "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": {"expose": "true"},
                "annotations": annotations, "creationTimestamp": format!("2026-01-01T00:00:{second:02}Z")},
            "spec": {"ports": [{"port": 80}]},
        }))
    }

    fn apply(&mut self, service: &Value) -> &mut Self {
        self.state.apply_service(&document(service));
        self
    }

    /// Reconciles everything that is due. Returns the actions, conditions and warnings as text.
    fn settle(&mut self) -> Vec<String> {
        let mut done = Vec::new();
        let mut rounds = 0;
        loop {
            rounds += 1;
            assert!(rounds < 20, "it never ends: {done:?}");
            let due = self.state.take_due();
            if due.is_empty() {
                return done;
            }
            let mut planned = BTreeSet::new();
            for key in due.into_keys() {
                if planned.contains(&key) {
                    continue;
                }
                for plan in self.state.reconcile(&key, self.now) {
                    planned.insert(plan.key.clone());
                    self.execute(plan, &mut done);
                }
            }
        }
    }

    /// Reconciles a Service again, as the queue does some time after a failure.
    fn retry(&mut self, name: &str) -> Vec<String> {
        let mut done = Vec::new();
        for plan in self.state.reconcile(&ReconcileKey::Service(ServiceKey::new("shop", name)), self.now) {
            self.execute(plan, &mut done);
        }
        done
    }

    fn execute(&mut self, plan: ReconcilePlan, done: &mut Vec<String>) {
        let ReconcilePlan { key, actions, mut notices } = plan;
        let (mut failures, mut failed) = (Failures::default(), false);
        for action in actions {
            if !failures.allow(&action) {
                continue;
            }
            let kind = action.kind();
            done.push(text(&action));
            match self.answer(action) {
                Ok(result) => notices.extend(self.state.record_result(&key, result, self.state.lists())),
                Err(error) => {
                    failures.add(kind);
                    match self.state.record_error(&key, &error) {
                        Recovery::Report(notice) => {
                            failed = true;
                            notices.push(notice);
                        }
                        Recovery::RetryLater => failed = true,
                        Recovery::RetryNow => done.push("in another way".to_owned()),
                    }
                }
            }
        }
        let is_listed = |notice: &Notice| notice.is_condition || notice.is_warning;
        let notices = self.state.finish(&key, notices, failed);
        let notices = notices.iter().filter(|it| is_listed(&it.notice));
        done.extend(notices.map(|it| format!("{} {}", it.service, it.notice.reason)));
    }

    /// The response of the API server.
    fn answer(&mut self, action: Action) -> Result<ActionResult, ActionError> {
        match action {
            Action::Apply { key, body, hash, mode } => {
                if mode == ApplyMode::Create && key.kind == Kind::Ingress && self.objects.contains_key(&key) {
                    return Err(ActionError::Exists(key));
                }
                if let Some(message) = (self.refuses)(&self.objects, &key, &body) {
                    return Err(ActionError::Refused { key: Some(key), message });
                }
                self.versions += 1;
                let mut object = applied(&body, &self.versions.to_string());
                object["metadata"]["generation"] = 1.into();
                if let Some(before) = self.objects.get(&key) {
                    let changes = u64::from(before["spec"] != object["spec"]);
                    let generation = before["metadata"]["generation"].as_u64().unwrap() + changes;
                    object["metadata"]["generation"] = generation.into();
                    object["metadata"]["uid"] = before["metadata"]["uid"].clone();
                    object["status"] = before["status"].clone();
                }
                let document = Box::new(document(&object));
                self.objects.insert(key.clone(), object);
                if self.is_fast && key.kind == Kind::Ingress {
                    self.set_field(Kind::Ingress, &key.name, "status", address());
                }
                let is_new = mode == ApplyMode::Create;
                Ok(ActionResult::Applied { document, key, hash, is_new, adopted: false })
            }
            Action::Delete { key, version, uid } => {
                if self.objects.get(&key).is_some_and(|it| it["metadata"]["resourceVersion"] != *version) {
                    return Err(ActionError::Outdated);
                }
                self.objects.remove(&key);
                Ok(ActionResult::Deleted { key, uid })
            }
            Action::DeleteUnexposed { key, .. } if self.refuses_deletions => {
                Err(ActionError::Refused { key: Some(key), message: "no".to_owned() })
            }
            _ => Ok(ActionResult::Done),
        }
    }
}

fn text(action: &Action) -> String {
    match action {
        Action::Apply { key, mode, .. } => format!("apply {key} ({mode:?})"),
        Action::Adopt { key, .. } => format!("adopt {key}"),
        Action::Withdraw { key } => format!("withdraw {key}"),
        Action::Delete { key, .. } => format!("delete {key}"),
        Action::DeleteUnexposed { key, .. } => format!("delete if not exposed {key}"),
        Action::Stamp { service, annotations, .. } => format!("stamp {service} with {}", annotations.len()),
    }
}

/// The object after the body was applied.
fn applied(body: &Value, version: &str) -> Value {
    let mut object = body.clone();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.insert("resourceVersion".to_owned(), version.into());
    metadata.insert("uid".to_owned(), format!("uid-{version}").into());
    let keys = |of: &Value| -> Option<Value> {
        of.as_object().map(|of| of.keys().map(|key| (format!("f:{key}"), json!({}))).collect())
    };
    let mut metadata_fields = json!({"f:labels": {"f:app.kubernetes.io/managed-by": {}}});
    if let Some(annotations) = keys(&body["metadata"]["annotations"]) {
        metadata_fields["f:annotations"] = annotations;
    }
    let fields = match keys(&body["data"]) {
        Some(data) => json!({"f:data": data}),
        None => json!({"f:metadata": metadata_fields, "f:spec": {"f:rules": {}}}),
    };
    metadata.insert(
        "managedFields".to_owned(),
        json!([{"manager": "xposer", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields}]),
    );
    object
}
