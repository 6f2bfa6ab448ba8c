//! A scenario: its namespaces with foreign objects, its controllers, and the common check at its end.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kube::api::{DeleteParams, PropagationPolicy};
use serde_json::{Value, json};
use xposer::options::{GatewayFacts, ServedBy};
use xposer::service::{MANAGED_BY, MANAGED_BY_LABEL, SERVICE_LABEL};
use xposer::{Service, emit_all, expose};

use crate::cluster::{
    Answer, CLUSTER_ROLE, CLUSTER_ROLE_BINDING, Cluster, EVENT, GATEWAY, GATEWAY_CLASS, HTTP_ROUTE, INGRESS,
    INGRESS_CLASS, Kind, LABEL, MADE, SERVICE, SOON, eventually, name_of, place_of, say, versions, within,
};
use crate::controller::{Controller, Done, Words, run};
use crate::recording::Film;

/// The default settings of a scenario.
pub(crate) const PLAIN: &str = "domain: e2e.example.com";
/// How long nothing may be written at the end of a scenario.
const IDLE_TIME_AT_END: Duration = Duration::from_secs(4);
/// The same in the middle of one.
const IDLE_TIME: Duration = Duration::from_secs(2);
/// The foreign objects in every namespace.
const FOREIGN_NAME: &str = "bystander";
/// The annotation that forwards annotations.
pub(crate) const FORWARD: &str = "xposer.stakater.com/annotations";

/// The key of an annotation.
pub(crate) fn key(name: &str) -> String {
    format!("config.xposer.stakater.com/{name}")
}

/// The URL template of a fixed host.
pub(crate) fn host(host: &str) -> (String, String) {
    (key("IngressURLTemplate"), host.to_owned())
}

/// A Service with the label that exposes it.
pub(crate) fn service(name: &str, annotations: &[(String, String)]) -> Value {
    let annotations: BTreeMap<_, _> = annotations.iter().cloned().collect();
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "labels": {"expose": "true"}, "annotations": annotations},
        "spec": {"ports": [{"name": "http", "port": 80}], "selector": {"app": name}},
    })
}

/// Somebody else's Ingress.
pub(crate) fn foreign_ingress(name: &str, host: &str) -> Value {
    let backend = json!({"service": {"name": name, "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
        "spec": {"rules": [{"host": host, "http": {"paths": paths}}]},
    })
}

/// A scenario. On drop it removes what it has created.
pub(crate) struct Scene {
    cluster: &'static Cluster,
    slug: &'static str,
    began: Instant,
    folder: PathBuf,
    namespaces: RefCell<Vec<String>>,
    places: RefCell<Vec<Place>>,
    ended: Cell<bool>,
}

impl Deref for Scene {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        self.cluster
    }
}

impl Scene {
    /// A scenario on the cluster.
    pub(crate) fn open(slug: &'static str) -> Self {
        let cluster = Cluster::get();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{slug}-{}", unique()));
        fs::create_dir_all(&folder).unwrap();
        let (namespaces, places, ended) = (RefCell::default(), RefCell::default(), Cell::new(false));
        Self { cluster, slug, began: Instant::now(), folder, namespaces, places, ended }
    }

    /// A scenario that stops parts of the cluster. All of them are in the module `breaks`.
    pub(crate) fn with_ctl(slug: &'static str) -> Self {
        let scene = Self::open(slug);
        assert!(
            scene.can_break(),
            "E2E_CTL names no program that breaks the cluster; `--skip cluster_failures::` leaves these scenarios out"
        );
        scene
    }

    /// A scenario that needs kinds that are not built in. If one is missing, the scenario fails, because what did not run has not
    /// passed.
    pub(crate) fn with_kinds(slug: &'static str, kinds: &[Kind]) -> Self {
        let scene = Self::open(slug);
        for kind in kinds {
            assert!(
                scene.is_served(*kind),
                "this cluster has no {}; install its definition, or leave this scenario out with `--skip`",
                kind.name
            );
        }
        scene
    }

    /// Starts the API server and the controller manager again. Without the restart, the garbage collector would wait for an unknown
    /// time.
    pub(crate) fn start_server(&self) {
        for words in [["start", "apiserver"], ["kill", "controller-manager"], ["start", "controller-manager"]]
        {
            self.ctl(&words);
        }
    }

    /// The name of the scenario.
    pub(crate) fn slug(&self) -> &'static str {
        self.slug
    }

    /// A file of this scenario.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A new namespace with nothing in it.
    pub(crate) fn namespace(&self) -> String {
        let name = format!("{}-{}", self.slug, unique());
        self.own_namespace(&name);
        name
    }

    /// Creates a namespace of this name.
    pub(crate) fn own_namespace(&self, name: &str) {
        self.namespaces.borrow_mut().push(name.to_owned());
        self.create(json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {LABEL: self.slug}}}));
    }

    /// A new namespace with foreign objects.
    pub(crate) fn place(&self) -> Place {
        let name = self.namespace();
        let place = Place(Rc::new(Inner {
            cluster: self.cluster,
            name,
            bystanders: RefCell::default(),
            expected: RefCell::new(Vec::new()),
        }));
        for bystander in bystanders() {
            place.stands_by(bystander);
        }
        self.places.borrow_mut().push(place.clone());
        place
    }

    pub(crate) fn settings(&self, yaml: &str) -> PathBuf {
        let file = self.file(&format!("settings-{}.yaml", unique()));
        fs::write(&file, yaml).unwrap();
        file
    }

    /// A controller that is ready.
    pub(crate) fn controller(&self, settings: &str, words: Words<'_>) -> Controller {
        self.controller_as(&self.cluster.identity, settings, words).ready()
    }

    /// A controller with this account, which may not be ready yet.
    pub(crate) fn controller_as(&self, account: &Path, settings: &str, words: Words<'_>) -> Controller {
        Controller::spawn(account, &self.settings(settings), words)
    }

    /// A run with `--once` or `--dry-run`.
    pub(crate) fn run(&self, settings: &str, words: Words<'_>) -> Done {
        run(&self.cluster.identity, &self.settings(settings), words)
    }

    /// The common check: every namespace has the objects of the last [`Place::has`], and they are what the core emits; no other
    /// namespace has objects of ours; foreign objects are unchanged; and for a while nothing is written.
    pub(crate) fn end(&self, controllers: &[&Controller]) {
        self.quiet(controllers, IDLE_TIME_AT_END);
        let places = self.places.borrow();
        for place in places.iter() {
            place.has_still();
            if let Some(controller) = controllers.first() {
                place.is_as_the_core_says(controller);
            }
            place.bystanders_stand();
        }
        let staying = self.namespaces();
        let elsewhere = |object: &Value| {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            staying.iter().any(|name| name == namespace)
                && !places.iter().any(|place| place.name == namespace)
        };
        for kind in MADE {
            // The namespace of the claims is no place of a scenario.
            let selector = format!("{MANAGED_BY_LABEL}={MANAGED_BY},app.kubernetes.io/component!=claims");
            let ours = self.list_labelled(kind, &selector);
            let strays: Vec<String> = ours.iter().filter(|it| elsewhere(it)).map(place_of).collect();
            assert!(strays.is_empty(), "{} where none belongs: {strays:?}", kind.name);
        }
        self.ended.set(true);
    }

    /// Waits until everything is reconciled, and a moment longer.
    pub(crate) fn rests(&self, controllers: &[&Controller]) {
        self.quiet(controllers, IDLE_TIME);
    }

    /// Waits until nothing changes any more, and then for a time in which nothing may change.
    pub(crate) fn quiet(&self, controllers: &[&Controller], time: Duration) {
        let state = || {
            let objects: Vec<Value> =
                self.places.borrow().iter().flat_map(|place| place.everything()).collect();
            let writes: Vec<_> = controllers.iter().map(|controller| controller.writes()).collect();
            (versions(&objects), writes)
        };
        let look = |before: &State, mark: u64| {
            let (now, written) = (state(), self.written_since(mark));
            if now == *before && written.is_empty() {
                return Ok(());
            }
            Err(format!("{}; {:?}", difference(before, &now), written.iter().take(5).collect::<Vec<_>>()))
        };
        let (mut before, mut mark) = (state(), self.audit_mark());
        eventually("everything has been done", || {
            std::thread::sleep(Duration::from_secs(1));
            let found = look(&before, mark);
            (before, mark) = (state(), self.audit_mark());
            found
        });
        std::thread::sleep(time);
        look(&before, mark).unwrap_or_else(|written| panic!("nobody was to write anything: {written}"));
    }
}

type State = (BTreeMap<String, String>, Vec<Vec<(String, f64)>>);

fn difference((objects, writes): &State, (new_objects, new_writes): &State) -> String {
    let mut message = Vec::new();
    for (key, version) in new_objects {
        if objects.get(key) != Some(version) {
            message.push(format!("{key} was written"));
        }
    }
    message.extend(
        objects.keys().filter(|key| !new_objects.contains_key(*key)).map(|key| format!("{key} went")),
    );
    for (old, new) in writes.iter().zip(new_writes) {
        message.extend(
            new.iter().filter(|it| !old.contains(it)).map(|(sample, value)| format!("{sample} {value}")),
        );
    }
    message.join("; ")
}

impl Drop for Scene {
    fn drop(&mut self) {
        for name in self.namespaces.borrow().iter() {
            self.remove_namespace(name);
        }
        let _ = fs::remove_dir_all(&self.folder);
        say(&format!("{}: {:.1} s", self.slug, self.began.elapsed().as_secs_f32()));
        assert!(self.ended.get() || std::thread::panicking(), "the scenario ended without its check");
    }
}

/// A suffix that no scenario of this or another run has.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    format!("{:05x}{}", now & 0xf_ffff, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What the controller must not touch: Services without the label, and objects of others, some of which look like ours.
fn bystanders() -> Vec<Value> {
    let mut silent = service(FOREIGN_NAME, &[]);
    silent["metadata"]["labels"] = json!({"app": "bystander"});
    let mut refusing = service(&format!("{FOREIGN_NAME}-not"), &[]);
    refusing["metadata"]["labels"] = json!({"expose": "false"});
    let ingress = foreign_ingress(FOREIGN_NAME, "bystander.example.org");
    // The output of the command line has our labels, and no owner.
    let mut rendered = foreign_ingress(&format!("{FOREIGN_NAME}-rendered"), "rendered.example.org");
    rendered["metadata"]["labels"] =
        json!({MANAGED_BY_LABEL: MANAGED_BY, SERVICE_LABEL: format!("{FOREIGN_NAME}-rendered")});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": FOREIGN_NAME},
        "data": {"xposer": "bystander"}});
    vec![silent, refusing, ingress, rendered, map]
}

/// A namespace of a scenario.
#[derive(Clone)]
pub(crate) struct Place(Rc<Inner>);

pub(crate) struct Inner {
    cluster: &'static Cluster,
    pub(crate) name: String,
    /// Objects that must not change.
    bystanders: RefCell<Vec<Value>>,
    expected: RefCell<Vec<String>>,
}

impl Deref for Place {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    fn at(&self) -> Option<&str> {
        Some(&self.name)
    }

    /// Creates an object in this namespace.
    pub(crate) fn create(&self, mut object: Value) -> Value {
        object["metadata"]["namespace"] = self.name.as_str().into();
        self.cluster.create(object)
    }

    /// Creates several objects.
    pub(crate) fn create_all(&self, objects: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let here = objects.into_iter().map(|mut object| {
            object["metadata"]["namespace"] = self.name.as_str().into();
            object
        });
        self.cluster.create_all(here.collect())
    }

    /// Creates an object that must not change until the end.
    pub(crate) fn stands_by(&self, object: Value) -> Value {
        let created = self.create(object);
        self.bystanders.borrow_mut().push(created.clone());
        created
    }

    pub(crate) fn is_bystander(&self, object: &Value) -> bool {
        // The controller manager creates this one in every namespace.
        name_of(object) == "kube-root-ca.crt"
            || self.bystanders.borrow().iter().any(|it| it["metadata"]["uid"] == object["metadata"]["uid"])
    }

    /// Exposes a Service.
    pub(crate) fn expose(&self, name: &str, annotations: &[(String, String)]) -> Value {
        self.create(service(name, annotations))
    }

    pub(crate) fn find(&self, kind: Kind, name: &str) -> Option<Value> {
        self.cluster.find(kind, self.at(), name)
    }

    pub(crate) fn get(&self, kind: Kind, name: &str) -> Value {
        self.find(kind, name).unwrap_or_else(|| panic!("there is no {} {name}", kind.name))
    }

    pub(crate) fn list(&self, kind: Kind) -> Vec<Value> {
        self.cluster.list(kind, self.at())
    }

    pub(crate) fn patch(&self, kind: Kind, name: &str, patch: &Value) -> Value {
        self.cluster.patch(kind, self.at(), name, patch)
    }

    /// Patches an object that may be deleted already.
    pub(crate) fn try_patch(&self, kind: Kind, name: &str, patch: &Value) {
        let _ = self.cluster.try_patch(kind, self.at(), name, patch);
    }

    /// Sets or, with null, removes an annotation of a Service.
    pub(crate) fn annotate(&self, name: &str, key: &str, value: impl Into<Value>) -> Value {
        self.patch(SERVICE, name, &json!({"metadata": {"annotations": {key: value.into()}}}))
    }

    /// Sets or, with null, removes an annotation of ours of a Service.
    pub(crate) fn configure(&self, name: &str, word: &str, value: impl Into<Value>) -> Value {
        self.annotate(name, &key(word), value)
    }

    /// Sets or, with null, removes the label that exposes a Service.
    pub(crate) fn label(&self, name: &str, value: impl Into<Value>) -> Value {
        self.patch(SERVICE, name, &json!({"metadata": {"labels": {"expose": value.into()}}}))
    }

    pub(crate) fn delete(&self, kind: Kind, name: &str) {
        self.cluster.delete(kind, self.at(), name, &DeleteParams::default());
    }

    /// Deletes an object, and orphans its dependents.
    pub(crate) fn delete_alone(&self, kind: Kind, name: &str) {
        let parameters =
            DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
        self.cluster.delete(kind, self.at(), name, &parameters);
    }

    /// Waits until an object is gone, which takes a while with a finalizer.
    #[track_caller]
    pub(crate) fn loses(&self, kind: Kind, name: &str) {
        eventually(&format!("{} {name} is gone", kind.name), || match self.find(kind, name) {
            None => Ok(()),
            Some(object) => Err(object["metadata"].to_string()),
        });
    }

    /// Writes an address into the status of an Ingress.
    pub(crate) fn addresses(&self, name: &str) {
        self.try_address(name).unwrap_or_else(|status| panic!("{name}: {status}"));
    }

    /// The same for an Ingress that may be deleted already.
    pub(crate) fn try_address(&self, name: &str) -> Answer<Value> {
        let status = json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}});
        self.cluster.set_status(INGRESS, self.at(), name, &status)
    }

    /// Writes into the status of an HTTPRoute that its Gateway has accepted the current generation.
    pub(crate) fn accepts(&self, name: &str) {
        let route = self.get(HTTP_ROUTE, name);
        let condition = json!({"type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
            "observedGeneration": route["metadata"]["generation"], "lastTransitionTime": "2026-01-01T00:00:00Z"});
        let parent = json!({"parentRef": route["spec"]["parentRefs"][0], "controllerName": "example.com/e2e",
            "conditions": [condition]});
        let set = self.cluster.set_status(HTTP_ROUTE, self.at(), name, &json!({"parents": [parent]}));
        set.unwrap_or_else(|status| panic!("{name}: {status}"));
    }

    /// Records the objects of these kinds in this namespace.
    pub(crate) fn film(&self, kinds: &[Kind]) -> Film {
        Film::of(self.cluster, kinds, &self.name)
    }

    /// Waits until an object has a value at a JSON pointer, or null if there is none, and returns the object.
    #[track_caller]
    pub(crate) fn sees(&self, kind: Kind, name: &str, pointer: &str, expected: impl Into<Value>) -> Value {
        let expected = expected.into();
        eventually(&format!("{} {name} has {expected} at {pointer}", kind.name), || {
            let object = self.find(kind, name).ok_or("it does not exist")?;
            match object.pointer(pointer).unwrap_or(&Value::Null) {
                seen if *seen == expected => Ok(object),
                seen => Err(seen.to_string()),
            }
        })
    }

    /// Waits until the Ingress has a host.
    #[track_caller]
    pub(crate) fn serves(&self, name: &str, host: &str) -> Value {
        self.sees(INGRESS, name, "/spec/rules/0/host", host)
    }

    /// The Events of a Service: type, reason and message.
    pub(crate) fn events(&self, service: &str) -> Vec<(String, String, String)> {
        let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let about = |event: &&Value| {
            event["involvedObject"]["kind"] == "Service" && event["involvedObject"]["name"] == service
        };
        let events = self.list(EVENT);
        let told = |it| (text(it, "type"), text(it, "reason"), text(it, "message"));
        events.iter().filter(about).map(told).collect()
    }

    /// Waits until a Service has an Event of this type and reason, and returns its message.
    #[track_caller]
    pub(crate) fn event(&self, service: &str, kind: &str, reason: &str) -> String {
        eventually(&format!("{service} has the Event {kind} {reason}"), || {
            let events = self.events(service);
            let found = events.iter().find(|it| it.0 == kind && it.1 == reason);
            found.map(|it| it.2.clone()).ok_or_else(|| format!("{events:#?}"))
        })
    }

    /// Creates a service account with these rights in this namespace, and returns its kubeconfig.
    pub(crate) fn account(&self, name: &str, rules: &[Value]) -> PathBuf {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", self.name));
        self.cluster.account(&self.name, name, &file);
        self.may(name, &self.name, rules);
        file
    }

    /// Gives an account of another namespace rights in this one.
    pub(crate) fn may(&self, account: &str, of: &str, rules: &[Value]) {
        self.grant("Role", self.at(), account, of, rules);
    }

    /// Gives an account of this namespace rights in all namespaces. They are removed on drop.
    pub(crate) fn may_everywhere(&self, account: &str, rules: &[Value]) -> Rights {
        self.grant("ClusterRole", None, account, &self.name, rules);
        Rights { cluster: self.cluster, name: self.name.clone() }
    }

    fn grant(&self, role: &str, at: Option<&str>, account: &str, of: &str, rules: &[Value]) {
        let api = "rbac.authorization.k8s.io";
        let mut metadata = json!({"name": self.name});
        if let Some(namespace) = at {
            metadata["namespace"] = namespace.into();
        }
        self.cluster.apply(
            &json!({"apiVersion": format!("{api}/v1"), "kind": role, "metadata": metadata, "rules": rules}),
        );
        self.cluster.apply(
            &json!({"apiVersion": format!("{api}/v1"), "kind": format!("{role}Binding"), "metadata": metadata,
            "roleRef": {"apiGroup": api, "kind": role, "name": self.name},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": of}]}),
        );
    }

    /// The objects of the kinds that the controller writes, without foreign ones.
    fn made(&self) -> Vec<Value> {
        let mut made: Vec<Value> = MADE.iter().flat_map(|kind| self.list(*kind)).collect();
        made.retain(|object| !self.is_bystander(object));
        made
    }

    /// The objects of these kinds, and the Services.
    pub(crate) fn everything(&self) -> Vec<Value> {
        let mut all: Vec<Value> = MADE.iter().flat_map(|kind| self.list(*kind)).collect();
        all.extend(self.list(SERVICE));
        all
    }

    fn names(&self) -> Vec<String> {
        let line = |it: &Value| format!("{} {}", it["kind"].as_str().unwrap_or_default(), name_of(it));
        let mut names: Vec<String> = self.made().iter().map(line).collect();
        names.sort();
        names
    }

    /// Waits until the namespace has exactly these objects, for example `Ingress web`.
    #[track_caller]
    pub(crate) fn has<N: AsRef<str>>(&self, expected: impl IntoIterator<Item = N>) {
        self.has_within(SOON, expected);
    }

    #[track_caller]
    pub(crate) fn has_within<N: AsRef<str>>(&self, time: Duration, expected: impl IntoIterator<Item = N>) {
        let mut expected: Vec<String> = expected.into_iter().map(|it| it.as_ref().to_owned()).collect();
        expected.sort();
        *self.expected.borrow_mut() = expected;
        let began = Instant::now();
        within(time, &format!("exactly the expected objects are in {}", self.name), || {
            let compared = self.compare();
            // At the end: what was wanted, and what there is.
            compared.map_err(|error| if began.elapsed() < time { error } else { self.told(&error) })
        });
    }

    #[track_caller]
    pub(crate) fn has_nothing(&self) {
        self.has::<&str>([]);
    }

    /// An error with what the Services ask for, and which objects there are.
    fn told(&self, error: &str) -> String {
        let line = |it: &Value| {
            let of = &it["metadata"];
            let asked =
                json!([of["labels"], of["annotations"], of["deletionTimestamp"], of["creationTimestamp"]]);
            format!("{} {} {} {} {asked}", it["kind"], of["name"], of["uid"], of["resourceVersion"])
        };
        let lines: Vec<String> = self.everything().iter().map(line).collect();
        format!("{error}\n{}", lines.join("\n"))
    }

    fn compare(&self) -> Result<(), String> {
        let (names, expected) = (self.names(), self.expected.borrow());
        if names == *expected {
            return Ok(());
        }
        let missing: Vec<_> = expected.iter().filter(|name| !names.contains(name)).take(5).collect();
        let strange: Vec<_> = names.iter().filter(|name| !expected.contains(name)).take(5).collect();
        Err(format!(
            "{} of {} objects; missing {missing:?}, strange {strange:?}",
            names.len(),
            expected.len()
        ))
    }

    fn has_still(&self) {
        self.compare().unwrap_or_else(|wrong| panic!("{}: {wrong}", self.name));
    }

    pub(crate) fn bystanders_stand(&self) {
        let bystanders = self.bystanders.borrow();
        let mut now = self.everything();
        now.retain(|object| self.is_bystander(object) && name_of(object) != "kube-root-ca.crt");
        assert_eq!(versions(&now), versions(bystanders.iter()), "somebody touched what is not ours");
    }

    /// Who serves the classes and the Gateways of the cluster.
    fn served_by(&self) -> ServedBy {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let classes = self.cluster.list(INGRESS_CLASS, None);
        let with_class =
            |all: ServedBy, it: &Value| all.with_ingress_class(name_of(it), &text(&it["spec"]["controller"]));
        let served_by = classes.iter().fold(ServedBy::default(), with_class);
        self.cluster.list(GATEWAY, None).iter().fold(served_by, |all, gateway| {
            let name = text(&gateway["spec"]["gatewayClassName"]);
            let Some(class) = self.cluster.find(GATEWAY_CLASS, None, &name) else { return all };
            let controller = text(&class["spec"]["controllerName"]);
            let facts = GatewayFacts { controller, features: None };
            all.with_gateway(&text(&gateway["metadata"]["namespace"]), name_of(gateway), facts)
        })
    }

    /// Every object with our label is what the core emits for its Service, and belongs to that Service. A Service that is refused
    /// now has the objects from before.
    fn is_as_the_core_says(&self, controller: &Controller) {
        let settings = controller.settings().with_served_by(self.served_by());
        let services = self.list(SERVICE);
        let views: Vec<Service<'_>> = services.iter().map(Service::from_value).collect();
        let outcomes: Vec<_> = views.iter().map(|view| expose(view, &settings)).collect();
        let emitted = emit_all(outcomes.iter().filter_map(|outcome| outcome.plan()));
        let emitted: Vec<Value> = emitted.objects.iter().map(xposer::Object::to_value).collect();
        for object in self.made() {
            let labels = &object["metadata"]["labels"];
            let Some(owner) = labels[SERVICE_LABEL].as_str() else { continue };
            let is_it = |it: &&Value| {
                it["kind"] == object["kind"]
                    && it["metadata"]["name"] == object["metadata"]["name"]
                    && it["metadata"]["labels"][SERVICE_LABEL] == owner
            };
            if let Some(expected) = emitted.iter().find(is_it) {
                same(expected, &object);
            }
            let service = services.iter().find(|it| name_of(it) == owner);
            let service = service.unwrap_or_else(|| panic!("its Service is gone: {object}"));
            belongs(&object, service);
        }
    }
}

/// Rights in all namespaces, which are removed on drop.
pub(crate) struct Rights {
    cluster: &'static Cluster,
    name: String,
}

impl Drop for Rights {
    fn drop(&mut self) {
        for kind in [CLUSTER_ROLE_BINDING, CLUSTER_ROLE] {
            self.cluster.delete(kind, None, &self.name, &DeleteParams::default());
        }
    }
}

/// The object has everything that was emitted, and its spec nothing else.
pub(crate) fn same(expected: &Value, object: &Value) {
    let mut differences = Vec::new();
    compare("", expected, object, &mut differences);
    // The API server adds no defaults, because they are written out.
    for part in ["spec", "data"] {
        compare(part, &object[part], &expected[part], &mut differences);
    }
    assert!(differences.is_empty(), "{}: {differences:#?}\n{object}", place_of(object));
}

/// Where the second value lacks something of the first one, and the other way round.
pub(crate) fn differences(expected: &Value, seen: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    compare("", expected, seen, &mut differences);
    compare("added: ", seen, expected, &mut differences);
    differences
}

/// The places where the second value lacks something of the first one.
fn compare(path: &str, expected: &Value, seen: &Value, differences: &mut Vec<String>) {
    match (expected, seen) {
        (Value::Object(fields), Value::Object(_)) => {
            for (field, value) in fields {
                compare(&format!("{path}/{field}"), value, &seen[field], differences);
            }
        }
        (Value::Array(items), Value::Array(seen)) if items.len() == seen.len() => {
            for (index, (item, seen)) in items.iter().zip(seen).enumerate() {
                compare(&format!("{path}/{index}"), item, seen, differences);
            }
        }
        _ if expected == seen => {}
        _ => differences.push(format!("{path}: expected {expected}, seen {seen}")),
    }
}

/// The object has all marks of ownership for this Service.
pub(crate) fn belongs(object: &Value, service: &Value) {
    let metadata = &object["metadata"];
    assert_eq!(metadata["labels"][MANAGED_BY_LABEL], MANAGED_BY, "{object}");
    let name = name_of(service);
    let owners = metadata["ownerReferences"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [owner] = owners else { panic!("one owner was expected: {object}") };
    let uid = &service["metadata"]["uid"];
    let expected =
        json!({"apiVersion": "v1", "kind": "Service", "name": name, "uid": uid, "controller": true});
    let mut differences = Vec::new();
    compare("", &expected, owner, &mut differences);
    // With `blockOwnerDeletion`, a Service that is deleted in the foreground would wait for the garbage collector.
    assert!(differences.is_empty() && owner["blockOwnerDeletion"] != true, "{owner}");
    // It was created, or applied, by one of these only.
    let managers = metadata["managedFields"].as_array().unwrap();
    let ours = managers.iter().filter(|it| it["manager"] == MANAGED_BY && it["subresource"].is_null());
    assert_eq!(ours.count(), 1, "{object}");
}
