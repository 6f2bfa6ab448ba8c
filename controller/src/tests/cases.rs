//! On every case folder, the decisions of the controller equal those of the core and of the policy.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use xposer::{Precedence, Service, Settings, expose, expose_all, is_service};
use xposer_live::kinds::Kind;
use xposer_live::plan::{DecisionResult, Member, decide};
use xposer_live::service::StoredService;
use xposer_manifest::load;

use super::document;

/// A Service as an API server stores it: with a namespace, a UID and a creation time.
fn stored_form(service: &Value, uid: usize) -> Value {
    let mut service = service.clone();
    let metadata = service["metadata"].as_object_mut().unwrap();
    metadata.entry("namespace").or_insert_with(|| "shop".into());
    metadata.insert("uid".to_owned(), format!("uid-{uid}").into());
    metadata.insert("creationTimestamp".to_owned(), "2026-01-01T00:00:00Z".into());
    service
}

/// Whether an API server would store the Service: its fields have the right types, and it has a name.
fn is_storable(service: &Value) -> bool {
    let metadata = &service["metadata"];
    let texts = |field: &str| {
        metadata[field].is_null()
            || metadata[field].as_object().is_some_and(|it| it.values().all(Value::is_string))
    };
    let is_name = |name: &Value| name.as_str().is_some_and(|name| !name.is_empty());
    is_name(&metadata["name"])
        && (metadata["namespace"].is_null() || is_name(&metadata["namespace"]))
        && texts("labels")
        && texts("annotations")
}

fn subject(service: &Value) -> String {
    Service::from_value(service).subject().to_string()
}

fn policy_accepts(service: &Value, settings: &Value) -> bool {
    let request = json!({
        "uid": "1", "operation": "CREATE", "userInfo": {"username": "alice"},
        "kind": {"group": "", "version": "v1", "kind": "Service"},
        "resource": {"group": "", "version": "v1", "resource": "services"},
        "namespace": service["metadata"]["namespace"], "object": service,
    });
    let payload = json!({"settings": settings, "request": request}).to_string();
    let answer: Value =
        serde_json::from_slice(&xposer_policy::validate(payload.as_bytes()).unwrap()).unwrap();
    answer["accepted"].as_bool().unwrap()
}

/// The folders of all cases. They are found without the test kit, which takes minutes to compile.
fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases");
    let mut folders: Vec<PathBuf> = root.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn documents(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    load(&text).unwrap().into_iter().map(|document| document.value).collect()
}

#[test]
fn the_controller_the_policy_and_the_core_agree_on_every_case() {
    let (mut decided, mut exposed, mut refused, mut conflicted, mut left_out) = (0, 0, 0, 0, Vec::new());
    for case in cases() {
        let slug = case.file_name().unwrap().to_string_lossy().into_owned();
        let raw = documents(&case.join("settings.yaml")).pop().unwrap_or(Value::Null);
        let Ok(settings) = Settings::from_value(&raw) else { continue };
        // The controller does not start with such settings.
        if settings.try_out().has_errors() {
            continue;
        }
        let found = documents(&case.join("service.yaml"));
        let services =
            found.iter().filter(|document| is_service(document) && document["metadata"].is_object());
        let services: Vec<Value> =
            services.enumerate().map(|(uid, service)| stored_form(service, uid)).collect();
        let names: BTreeSet<_> = services.iter().map(subject).collect();
        // In an API server, every name is unique.
        if names.len() != services.len() || !services.iter().all(is_storable) {
            left_out.push(slug);
            continue;
        }
        let stored: Vec<_> = services
            .iter()
            .filter(|service| service["metadata"]["labels"]["expose"] == "true")
            .filter_map(|service| Some((service, StoredService::new(&document(service))?)))
            .collect();
        let members: Vec<Member<'_>> =
            stored.iter().map(|(_, (key, stored))| Member { key: key.clone(), stored }).collect();
        let views: Vec<Service<'_>> =
            stored.iter().map(|(service, _)| Service::from_value(service)).collect();
        let together = expose_all(&views, &settings, Precedence::RefuseAll);
        let emitted = xposer::emit_all(together.iter().filter_map(xposer::Outcome::plan));
        let no_conflict = together.iter().zip(&views).all(|(together, service)| {
            together.plan().is_some() == expose(service, &settings).plan().is_some()
        });
        let decisions = decide(&members, &[], &settings);
        assert_eq!(decisions.len(), members.len(), "{slug}");
        let mut bodies = Vec::new();
        for ((service, _), decision) in stored.iter().zip(&decisions) {
            decided += 1;
            // The policy sees one Service at a time. The controller exposes the Services that the policy accepts, unless an older
            // Service has the same claim.
            let accepted = policy_accepts(service, &raw);
            assert_eq!(accepted, !matches!(decision.result, DecisionResult::Refused), "{slug}: {decision:?}");
            match &decision.result {
                DecisionResult::Exposed(it) => {
                    exposed += 1;
                    bodies.extend(it.desired.iter().map(|desired| {
                        let mut body = desired.body.clone();
                        let owners = body["metadata"].as_object_mut().unwrap().remove("ownerReferences");
                        assert_eq!(owners.unwrap()[0]["uid"], service["metadata"]["uid"], "{slug}");
                        body.to_string()
                    }));
                }
                DecisionResult::Refused => refused += 1,
                DecisionResult::Conflicted => {
                    conflicted += 1;
                    assert!(!no_conflict, "{slug}");
                }
            }
        }
        if no_conflict {
            let objects = emitted.objects.iter().filter(|object| object.kind() != Kind::ConfigMap);
            let mut expected: Vec<String> = objects.map(|object| object.to_value().to_string()).collect();
            expected.sort();
            bodies.sort();
            assert_eq!(bodies, expected, "{slug}");
        }
    }
    println!(
        "{decided} Services: {exposed} exposed, {refused} refused, {conflicted} in conflict; left out: {left_out:?}"
    );
    assert!(exposed > 250 && refused > 150 && conflicted > 5, "{exposed} {refused} {conflicted}");
    assert!(left_out.len() < 25, "{left_out:?}");
}
