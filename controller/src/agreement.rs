//! The controller's decisions, tried without an API server: on every case folder, where they must be those of the core and
//! of the policy, and on the turns of a small world.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use xposer::{Service, Settings, expose, expose_all, is_service};
use xposer_cli::yaml::load;

use crate::document::Document;
use crate::kinds::Kind;
use crate::live::ObjectKey;
use crate::plan::{Fate, Member, decide};
use crate::service::{ServiceKey, Stored};
use crate::world::{Job, Reaction, Serving, Turn, World};
use crate::write::{How, Write, Written, Wrong};

/// A Service as an API server has it: in a namespace, with a UID and a time.
fn stored_form(service: &Value, uid: usize) -> Value {
    let mut service = service.clone();
    let metadata = service["metadata"].as_object_mut().unwrap();
    metadata.entry("namespace").or_insert_with(|| "shop".into());
    metadata.insert("uid".to_owned(), format!("uid-{uid}").into());
    metadata.insert("creationTimestamp".to_owned(), "2026-01-01T00:00:00Z".into());
    service
}

fn document(value: &Value) -> Document {
    serde_json::from_value(value.clone()).unwrap()
}

/// Whether an API server could have it: every field has its type, and the name is one.
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

/// The folders of all cases. Reading them needs nothing of the test kit, whose WebAssembly takes minutes to compile.
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
    let (mut decided, mut exposed, mut refused, mut lost, mut left_out) = (0, 0, 0, 0, Vec::new());
    for case in cases() {
        let slug = case.file_name().unwrap().to_string_lossy().into_owned();
        let raw = documents(&case.join("settings.yaml")).pop().unwrap_or(Value::Null);
        let Ok(settings) = Settings::from_value(&raw) else { continue };
        // Nobody starts under such settings.
        if settings.try_out().has_errors() {
            continue;
        }
        let found = documents(&case.join("service.yaml"));
        let services =
            found.iter().filter(|document| is_service(document) && document["metadata"].is_object());
        let services: Vec<Value> =
            services.enumerate().map(|(uid, service)| stored_form(service, uid)).collect();
        let names: BTreeSet<_> = services.iter().map(subject).collect();
        // An API server has every name once.
        if names.len() != services.len() || !services.iter().all(is_storable) {
            left_out.push(slug);
            continue;
        }
        let stored: Vec<_> = services
            .iter()
            .filter(|service| service["metadata"]["labels"]["expose"] == "true")
            .filter_map(|service| Some((service, Stored::new(&document(service))?)))
            .collect();
        let members: Vec<Member<'_>> =
            stored.iter().map(|(_, (key, stored))| Member { key: key.clone(), stored }).collect();
        let views: Vec<Service<'_>> =
            stored.iter().map(|(service, _)| Service::from_value(service)).collect();
        let together = expose_all(&views, &settings);
        let emitted = xposer::emit_all(together.iter().filter_map(xposer::Outcome::plan));
        let no_conflict = together.iter().zip(&views).all(|(together, service)| {
            together.plan().is_some() == expose(service, &settings).plan().is_some()
        });
        let decisions = decide(&members, &[], &settings);
        assert_eq!(decisions.len(), members.len(), "{slug}");
        let mut bodies = Vec::new();
        for ((service, _), decision) in stored.iter().zip(&decisions) {
            decided += 1;
            // The policy sees one Service at a time: what it accepts, the controller exposes, or an older one has it.
            let accepted = policy_accepts(service, &raw);
            assert_eq!(accepted, !matches!(decision.fate, Fate::Refused), "{slug}: {decision:?}");
            match &decision.fate {
                Fate::Exposed(it) => {
                    exposed += 1;
                    bodies.extend(it.wanted.iter().map(|wanted| {
                        let mut body = wanted.body.clone();
                        let owners = body["metadata"].as_object_mut().unwrap().remove("ownerReferences");
                        assert_eq!(owners.unwrap()[0]["uid"], service["metadata"]["uid"], "{slug}");
                        body.to_string()
                    }));
                }
                Fate::Refused => refused += 1,
                Fate::Lost => {
                    lost += 1;
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
    println!("{decided} Services: {exposed} exposed, {refused} refused, {lost} lost; left out: {left_out:?}");
    assert!(exposed > 250 && refused > 150 && lost > 5, "{exposed} {refused} {lost}");
    assert!(left_out.len() < 25, "{left_out:?}");
}

/// A world in which everything is listed, a clock, and what an API server has that agrees with everything.
pub(crate) struct Small {
    pub(crate) world: World,
    pub(crate) now: Instant,
    pub(crate) objects: BTreeMap<ObjectKey, Value>,
    /// What the API server refuses: the object, and what has to be true of what it has, and the words.
    pub(crate) refuses: fn(&BTreeMap<ObjectKey, Value>, &ObjectKey, &Value) -> Option<String>,
    versions: u32,
}

impl Small {
    pub(crate) fn new() -> Self {
        let objects = BTreeMap::new();
        let world = Self::knowing(&objects, &[]);
        Self { world, now: Instant::now(), objects, refuses: |_, _, _| None, versions: 0 }
    }

    fn knowing(objects: &BTreeMap<ObjectKey, Value>, services: &[Value]) -> World {
        let mut world = World::new(Settings::default(), true, Duration::from_secs(90));
        services.iter().for_each(|service| world.see_service(&document(service)));
        for kind in Kind::ALL {
            world.set_serving(kind, Serving::Listed);
        }
        world.see_namespace("shop", false);
        for (key, object) in objects {
            world.see_object(key.kind, &document(object));
        }
        world
    }

    /// Another controller, which knows what the API server has: these Services, and the objects.
    pub(crate) fn restart(&mut self, services: &[Value]) -> &mut Self {
        self.world = Self::knowing(&self.objects, services);
        self
    }

    /// What others write into an object, at the place of a field.
    pub(crate) fn writes(&mut self, kind: Kind, name: &str, field: &str, value: Value) -> &mut Self {
        self.versions += 1;
        let object = self.objects.get_mut(&in_shop(kind, name)).unwrap();
        object[field] = value;
        object["metadata"]["resourceVersion"] = format!("s{}", self.versions).into();
        self.world.see_object(kind, &document(object));
        self
    }

    /// The watch tells what was deleted.
    pub(crate) fn watches(&mut self) -> &mut Self {
        let known: Vec<ObjectKey> =
            Kind::ALL.into_iter().flat_map(|kind| self.world.objects_of(kind)).collect();
        for key in known.into_iter().filter(|key| key.kind != Kind::ConfigMap) {
            if !self.objects.contains_key(&key) {
                self.world.lose_object(&key);
            }
        }
        self
    }

    /// Time passes.
    pub(crate) fn later(&mut self, seconds: u64) -> &mut Self {
        self.now += Duration::from_secs(seconds);
        self.world.pass(self.now);
        self
    }

    pub(crate) fn service(&mut self, name: &str, host: &str, second: u8) -> &mut Self {
        let annotations = json!({"config.xposer.stakater.com/IngressURLTemplate": host});
        self.see(&json!({
            "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": {"expose": "true"},
                "annotations": annotations, "creationTimestamp": format!("2026-01-01T00:00:{second:02}Z")},
            "spec": {"ports": [{"port": 80}]},
        }))
    }

    pub(crate) fn see(&mut self, service: &Value) -> &mut Self {
        self.world.see_service(&document(service));
        self
    }

    /// Does all there is to do; gives what was done, and what there is to tell of what is not over, in words.
    pub(crate) fn settle(&mut self) -> Vec<String> {
        let mut done = Vec::new();
        let mut rounds = 0;
        loop {
            rounds += 1;
            assert!(rounds < 20, "it never ends: {done:?}");
            let due = self.world.take_due();
            if due.is_empty() {
                return done;
            }
            let mut included = BTreeSet::new();
            for job in due {
                if included.contains(&job) {
                    continue;
                }
                for turn in self.world.turns(&job, self.now) {
                    included.insert(turn.job.clone());
                    self.perform(turn, &mut done);
                }
            }
        }
    }

    /// Tries once more what failed, as the queue does after a while.
    pub(crate) fn retry(&mut self, name: &str) -> Vec<String> {
        let mut done = Vec::new();
        for turn in self.world.turns(&Job::Service(ServiceKey::new("shop", name)), self.now) {
            self.perform(turn, &mut done);
        }
        done
    }

    fn perform(&mut self, turn: Turn, done: &mut Vec<String>) {
        let mut told = turn.told;
        let (mut is_wrong, mut failed) = (false, false);
        for write in turn.writes {
            if is_wrong && matches!(write, Write::Delete { .. } | Write::Stamp { .. }) {
                continue;
            }
            done.push(in_words(&write));
            match self.answer(write) {
                Ok(written) => told.extend(self.world.written(&turn.job, written)),
                Err(wrong) => {
                    is_wrong = true;
                    match self.world.wrong(&turn.job, &wrong) {
                        Reaction::Tell(said) => {
                            failed = true;
                            told.push(said);
                        }
                        Reaction::Wait => failed = true,
                        Reaction::Retry => done.push("in another way".to_owned()),
                    }
                }
            }
        }
        let counts = |news: &crate::world::News| news.told.lasts || news.told.is_wrong;
        let news = self.world.done(&turn.job, told, failed);
        done.extend(
            news.iter().filter(|it| counts(it)).map(|it| format!("{} {}", it.service, it.told.reason)),
        );
    }

    /// What the API server answers.
    fn answer(&mut self, write: Write) -> Result<Written, Wrong> {
        match write {
            Write::Apply { key, body, hash, how } => {
                if let Some(said) = (self.refuses)(&self.objects, &key, &body) {
                    return Err(Wrong::Refused { key: Some(key), said });
                }
                self.versions += 1;
                let mut object = applied(&body, &format!("a{}", self.versions));
                object["metadata"]["generation"] = 1.into();
                if let Some(before) = self.objects.get(&key) {
                    let changes = u64::from(before["spec"] != object["spec"]);
                    let generation = before["metadata"]["generation"].as_u64().unwrap() + changes;
                    object["metadata"]["generation"] = generation.into();
                    object["status"] = before["status"].clone();
                }
                let document = Box::new(document(&object));
                self.objects.insert(key.clone(), object);
                Ok(Written::Applied { document, key, hash, is_new: how == How::New, adopted: false })
            }
            Write::Delete { key, .. } => {
                self.objects.remove(&key);
                Ok(Written::Deleted { key })
            }
            _ => Ok(Written::Done),
        }
    }
}

pub(crate) fn in_shop(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey { kind, namespace: "shop".into(), name: name.into() }
}

fn in_words(write: &Write) -> String {
    match write {
        Write::Apply { key, how, .. } => format!("apply {key} ({how:?})"),
        Write::Adopt { key, .. } => format!("adopt {key}"),
        Write::Withdraw { key } => format!("withdraw {key}"),
        Write::Delete { key, .. } => format!("delete {key}"),
        Write::DeleteUnasked { key, .. } => format!("delete if not asked {key}"),
        Write::Stamp { service, annotations, .. } => format!("stamp {service} with {}", annotations.len()),
    }
}

/// An object as it is after we applied it.
fn applied(body: &Value, version: &str) -> Value {
    let mut live = body.clone();
    let metadata = live["metadata"].as_object_mut().unwrap();
    metadata.insert("resourceVersion".to_owned(), version.into());
    metadata.insert("uid".to_owned(), "object".into());
    let keys = |of: &Value| -> Option<Value> {
        of.as_object().map(|of| of.keys().map(|key| (format!("f:{key}"), json!({}))).collect())
    };
    let mut fields_of_metadata = json!({"f:labels": {"f:app.kubernetes.io/managed-by": {}}});
    if let Some(annotations) = keys(&body["metadata"]["annotations"]) {
        fields_of_metadata["f:annotations"] = annotations;
    }
    let fields = match keys(&body["data"]) {
        Some(data) => json!({"f:data": data}),
        None => json!({"f:metadata": fields_of_metadata, "f:spec": {"f:rules": {}}}),
    };
    metadata.insert(
        "managedFields".to_owned(),
        json!([{"manager": "xposer", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields}]),
    );
    live
}

#[test]
fn a_service_is_applied_once() {
    let mut world = Small::new();
    world.service("web", "web.example.com", 1);
    assert_eq!(world.settle(), ["apply Ingress shop/web (New)", "stamp shop/web with 2"]);
    world.service("web", "web.example.com", 1);
    assert!(world.settle().iter().all(|done| !done.starts_with("apply")));
}

#[test]
fn the_older_of_two_keeps_the_host_in_whatever_order_they_come() {
    for order in [["old", "new"], ["new", "old"]] {
        let mut world = Small::new();
        for name in order {
            world.service(name, "shop.example.com", if name == "old" { 1 } else { 2 });
        }
        let done = world.settle();
        assert!(done.contains(&"apply Ingress shop/old (New)".to_owned()), "{done:?}");
        assert!(done.contains(&"shop/new RouteClaimed".to_owned()), "{done:?}");
        assert!(!done.contains(&"apply Ingress shop/new (New)".to_owned()), "{done:?}");
        // When the winner goes, the other one gets it.
        world.world.lose_service(&ServiceKey::new("shop", "old"));
        let done = world.settle();
        assert!(done.contains(&"apply Ingress shop/new (New)".to_owned()), "{done:?}");
    }
}

#[test]
fn thousands_that_want_one_host_are_decided_quickly() {
    let mut world = Small::new();
    for index in 0..2000 {
        world.service(&format!("web-{index}"), "shop.example.com", 1);
    }
    let done = world.settle();
    assert_eq!(
        done.iter().filter(|it| it.starts_with("apply")).collect::<Vec<_>>(),
        ["apply Ingress shop/web-0 (New)"]
    );
    assert_eq!(done.iter().filter(|it| it.ends_with("RouteClaimed")).count(), 1999);
}

#[test]
fn a_regular_expression_is_told_to_all_of_its_host_and_to_no_more() {
    let mut world = Small::new();
    for index in 0..500 {
        world.service(&format!("plain-{index:03}"), &format!("shop.example.com/p{index}"), 1);
    }
    assert!(world.settle().iter().all(|done| !done.contains("HostRegularExpression")));
    // Thousands of paths on a host do not make a group of their Services.
    world.service("plain-250", "shop.example.com/other", 1);
    assert_eq!(world.world.due_services(), 1);
    for (name, path) in [("pattern-a", "/a/[0-9]+"), ("pattern-b", "/b/[0-9]+")] {
        world.service(name, &format!("shop.example.com{path}"), 2);
    }
    let told = |done: &[String]| done.iter().filter(|it| it.ends_with("HostRegularExpression")).count();
    assert_eq!(told(&world.settle()), 502);
    // Of those that are named, three are; the others may come and go.
    world.service("plain-600", "shop.example.com/more", 1);
    assert_eq!((world.world.due_services(), told(&world.settle())), (1, 1));
    world.service("plain-600", "more.example.com/more", 1);
    assert_eq!(world.world.due_services(), 1);
    assert_eq!(told(&world.settle()), 0);
    // The first one is named, so both patterns are told of another.
    world.world.lose_service(&ServiceKey::new("shop", "plain-000"));
    assert_eq!((world.world.due_services(), told(&world.settle())), (3, 2));
    // Another host is another server.
    world.service("pattern-b", "b.example.com/b/[0-9]+", 2);
    world.world.lose_service(&ServiceKey::new("shop", "pattern-a"));
    world.settle();
    world.service("plain-600", "shop.example.com/more", 1);
    assert_eq!(told(&world.settle()), 0);
}

#[test]
fn a_regular_expression_that_lost_its_path_is_told_to_nobody() {
    let mut world = Small::new();
    world.service("web", "shop.example.com/web", 1);
    world.service("old", "api.example.com", 1);
    let pattern = "shop.example.com/v[0-9]/x, api.example.com";
    world.service("new", pattern, 2);
    let done = world.settle();
    assert!(done.contains(&"shop/new RouteClaimed".to_owned()), "{done:?}");
    world.service("blog", "shop.example.com/blog", 3);
    assert_eq!(world.settle(), ["apply Ingress shop/blog (New)", "stamp shop/blog with 2"]);
    world.world.lose_service(&ServiceKey::new("shop", "old"));
    let done = world.settle();
    for name in ["new", "web", "blog"] {
        assert!(done.contains(&format!("shop/{name} HostRegularExpression")), "{done:?}");
    }
}

#[test]
fn the_new_name_comes_before_the_old_one_goes() {
    let mut world = Small::new();
    world.service("web", "web.example.com", 1).settle();
    let named = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web", "labels": {"expose": "true"},
            "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
                "config.xposer.stakater.com/IngressNameTemplate": "other"}, "creationTimestamp": "2026-01-01T00:00:01Z"},
        "spec": {"ports": [{"port": 80}]},
    });
    assert_eq!(
        world.see(&named).settle()[..2],
        ["apply Ingress shop/other (New)", "delete Ingress shop/web"]
    );
}

#[test]
fn what_is_refused_keeps_what_it_had() {
    let mut world = Small::new();
    world.service("web", "web.example.com", 1).settle();
    world.service("web", "web_.example.com", 1);
    let done = world.settle();
    assert!(done.iter().all(|done| done.starts_with("shop/web Host")), "{done:?}");
    assert!(!done.is_empty());
}

#[test]
fn an_object_of_somebody_else_is_not_touched_until_it_goes() {
    let mut world = Small::new();
    let theirs =
        json!({"metadata": {"name": "web", "namespace": "shop", "uid": "t", "resourceVersion": "5"}});
    world.world.see_object(Kind::Ingress, &document(&theirs));
    world.service("web", "web.example.com", 1);
    assert_eq!(world.settle(), ["shop/web ForeignObject"]);
    // It is told once.
    world.world.set_settings(Settings::default(), true);
    assert!(world.settle().is_empty());
    world.world.lose_object(&ObjectKey { kind: Kind::Ingress, namespace: "shop".into(), name: "web".into() });
    assert_eq!(world.settle()[0], "apply Ingress shop/web (New)");
}

#[test]
fn an_object_that_is_offered_is_adopted() {
    let mut world = Small::new();
    let theirs = json!({"metadata": {"name": "web", "namespace": "shop", "uid": "t", "resourceVersion": "5",
        "annotations": {"xposer.stakater.com/adopt": "web"}}});
    world.world.see_object(Kind::Ingress, &document(&theirs));
    world.service("web", "web.example.com", 1);
    assert_eq!(world.settle()[0], "adopt Ingress shop/web");
}

#[test]
fn a_kind_that_is_not_served_is_told_and_the_rest_is_applied() {
    let mut world = Small::new();
    world.world.set_serving(Kind::HttpRoute, Serving::Unserved);
    let both = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web", "labels": {"expose": "true"},
            "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
                "config.xposer.stakater.com/Target": "Ingress,HTTPRoute"}, "creationTimestamp": "2026-01-01T00:00:01Z"},
        "spec": {"ports": [{"port": 80}]},
    });
    let settings = Settings::from_value(&json!({"parentRefs": [{"name": "gateway"}]}));
    if let Ok(settings) = settings {
        world.world.set_settings(settings, true);
    }
    let done = world.see(&both).settle();
    assert!(done.contains(&"apply Ingress shop/web (New)".to_owned()), "{done:?}");
    assert!(done.contains(&"shop/web KindNotServed".to_owned()), "{done:?}");
    world.world.set_serving(Kind::HttpRoute, Serving::Listed);
    let done = world.settle();
    assert!(done.contains(&"apply HTTPRoute shop/web (New)".to_owned()), "{done:?}");
}

#[test]
fn a_service_that_does_not_ask_any_more_loses_its_objects() {
    let mut world = Small::new();
    world.service("web", "web.example.com", 1).settle();
    world.world.lose_service(&ServiceKey::new("shop", "web"));
    assert_eq!(world.settle(), ["delete if not asked Ingress shop/web"]);
}

#[test]
fn nothing_is_made_in_a_namespace_that_goes() {
    let mut world = Small::new();
    world.world.see_namespace("shop", false);
    world.service("web", "web.example.com", 1).settle();
    world.world.see_namespace("shop", true);
    world.world.lose_object(&ObjectKey { kind: Kind::Ingress, namespace: "shop".into(), name: "web".into() });
    assert!(world.settle().is_empty());
    world.world.lose_service(&ServiceKey::new("shop", "web"));
    assert!(world.settle().is_empty());
    // Another one of its name, whose Service is seen before it is.
    world.service("web", "web.example.com", 2);
    assert!(world.settle().is_empty());
    world.world.lose_namespace("shop");
    assert_eq!(world.settle()[0], "apply Ingress shop/web (New)");
}

#[test]
fn a_failed_apply_is_told_and_the_old_object_stays() {
    let mut world = Small::new();
    world.service("web", "web.example.com", 1);
    let due = world.world.take_due();
    let job = due.first().unwrap().clone();
    let key = ObjectKey { kind: Kind::Ingress, namespace: "shop".into(), name: "web".into() };
    let wrong = Wrong::Refused { key: Some(key), said: "no".to_owned() };
    let Reaction::Tell(told) = world.world.wrong(&job, &wrong) else { panic!("nobody is told") };
    assert_eq!(
        (told.reason.as_str(), told.note.as_str()),
        ("ApplyFailed", "the API server refused to change Ingress shop/web: no")
    );
}

#[test]
fn entries_of_the_url_configmap_come_and_go() {
    let mut world = Small::new();
    let publishing = |block: &str| {
        json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web", "labels": {"expose": "true"},
                "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
                    "xposer.stakater.com/annotations": block}, "creationTimestamp": "2026-01-01T00:00:01Z"},
            "spec": {"ports": [{"port": 80}]},
        })
    };
    let done = world.see(&publishing("exposeIngressUrl: globally")).settle();
    assert!(done.contains(&"apply ConfigMap shop/xposer (Beside)".to_owned()), "{done:?}");
    world.world.see_namespace("later", false);
    assert_eq!(world.settle(), ["apply ConfigMap later/xposer (Beside)"]);
    let done = world.see(&publishing("a: b")).settle();
    assert!(done.contains(&"delete ConfigMap shop/xposer".to_owned()), "{done:?}");
    assert!(done.contains(&"delete ConfigMap later/xposer".to_owned()), "{done:?}");
}

#[test]
fn jobs_have_an_order() {
    let service = Job::Service(ServiceKey::new("shop", "web"));
    assert!(service < Job::Urls("shop".into()));
}
