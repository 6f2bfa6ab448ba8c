//! The API server calls the controller's own admission webhook.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use kube::api::{DeleteParams, PostParams};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use xposer::conflicts::Holders;
use xposer_admission::Response;
use xposer_testkit::host::{self, HostCall, Module};
use xposer_testkit::net::free_address;
use xposer_webhook::{Certificates, Handler, Outcome, Reloaded, serve};

use crate::claims::shard_of;
use crate::cluster::{CONFIG_MAP, Cluster, HOME, MUTATING_WEBHOOK, SERVICE, eventually, within};
use crate::controller::Controller;
use crate::scenario::{PLAIN, Place, Scene, foreign_ingress, host, key, service};

/// The name of the webhook. The API server repeats it in refusals and in the audit log.
pub(crate) const NAME: &str = "services.xposer.stakater.com";

/// Issues the certificates of a webhook at 127.0.0.1.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate in PEM form.
    pub(crate) root: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "xposer-e2e");
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), root }
    }

    /// A new certificate and its key.
    pub(crate) fn issue(&self) -> (String, String) {
        self.issue_until(4000)
    }

    /// A new certificate that expires with the beginning of a year, and its key.
    fn issue_until(&self, year: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// The files of a certificate, which are replaced as the kubelet replaces those of a Secret.
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(crate) fn new(scene: &Scene) -> Self {
        let folder = scene.file("tls");
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub(crate) fn certificate(&self) -> String {
        self.folder.join("data/tls.crt").display().to_string()
    }

    pub(crate) fn key(&self) -> String {
        self.folder.join("data/tls.key").display().to_string()
    }

    /// Puts a new folder in the place of the old one, by a link.
    pub(crate) fn write(&self, (certificate, key): (&str, &str)) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let folder = self.folder.join(format!("version-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("tls.crt"), certificate).unwrap();
        fs::write(folder.join("tls.key"), key).unwrap();
        let link = self.folder.join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        fs::rename(link, self.folder.join("data")).unwrap();
    }
}

/// The configuration of a webhook for some namespaces. It is removed on drop.
pub(crate) struct Configured<'s> {
    scene: &'s Scene,
    object: Value,
}

impl<'s> Configured<'s> {
    pub(crate) fn new(
        scene: &'s Scene,
        places: &[&Place],
        address: &str,
        root: &str,
        rules: &Value,
        failure_policy: &str,
    ) -> Self {
        let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
        let expression = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": names});
        let bundle = base64(root.as_bytes());
        let object = json!({
            "apiVersion": MUTATING_WEBHOOK.api, "kind": MUTATING_WEBHOOK.name, "metadata": {"name": names[0]},
            "webhooks": [{
                "name": NAME, "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "reinvocationPolicy": "IfNeeded", "timeoutSeconds": 5, "failurePolicy": failure_policy,
                "clientConfig": {"url": format!("https://{address}/validate"), "caBundle": bundle},
                "namespaceSelector": {"matchExpressions": [expression]}, "rules": rules,
            }],
        });
        scene.apply(&object);
        Self { scene, object }
    }

    pub(crate) fn set(&mut self, pointer: &str, value: impl Into<Value>) {
        *self.object.pointer_mut(pointer).unwrap() = value.into();
        self.scene.apply(&self.object);
    }
}

impl Drop for Configured<'_> {
    fn drop(&mut self) {
        let name = self.object["metadata"]["name"].as_str().unwrap();
        self.scene.delete(MUTATING_WEBHOOK, None, name, &DeleteParams::default());
    }
}

pub(crate) fn services() -> Value {
    json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
        "resources": ["services"], "scope": "Namespaced"}])
}

fn base64(bytes: &[u8]) -> String {
    serde_json::to_value(k8s_openapi::ByteString(bytes.to_vec())).unwrap().as_str().unwrap().to_owned()
}

impl Place {
    /// Tries to create an object in this namespace: what is stored or why it is refused, and the warnings.
    pub(crate) fn tries(&self, scene: &Scene, mut object: Value) -> (Result<Value, String>, Vec<String>) {
        object["metadata"]["namespace"] = self.name.as_str().into();
        let (answer, warnings) = scene.try_create(&object, &PostParams::default());
        (answer.map_err(|status| status.message), warnings)
    }

    /// The same as a dry run.
    pub(crate) fn would(&self, scene: &Scene, mut object: Value) -> Result<Value, String> {
        object["metadata"]["namespace"] = self.name.as_str().into();
        let parameters = PostParams { dry_run: true, ..PostParams::default() };
        scene.try_create(&object, &parameters).0.map_err(|status| status.message)
    }
}

/// A Service that is refused.
fn wrong(name: &str) -> Value {
    service(name, &[host("Upper.example.com"), (key("Target"), "Nothing".to_owned())])
}

/// Waits until the API server asks the webhook, or does not.
pub(crate) fn in_force(scene: &Scene, place: &Place) {
    eventually("the webhook is in force", || match place.would(scene, wrong("probe")) {
        Err(said) if said.contains("cannot be exposed") => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
}

fn spawn(scene: &Scene, settings: &str, address: &str, files: &Files) -> Controller {
    let (certificate, key) = (files.certificate(), files.key());
    let words =
        ["--webhook", "--webhook-address", address, "--webhook-cert", &certificate, "--webhook-key", &key];
    scene.controller_as(&scene.identity, settings, &words)
}

const URL: &str = "/metadata/annotations/status.xposer.stakater.com~1url";

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_api_server_asks_the_controller() {
    let scene = Scene::open("webhook");
    let shop = scene.place();
    let (files, authority, address) =
        (Files::new(&scene), Authority::new(), free_address().unwrap().to_string());

    // Without a certificate it is not ready, and says why.
    let controller = spawn(&scene, PLAIN, &address, &files);
    controller.says("the webhook waits for its certificate: ");
    eventually("it is not ready because of the certificate", || match controller.ask("/readyz") {
        (503, said) if said.contains("tls.crt: the file cannot be read: No such file") => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    let (certificate, key_of_it) = authority.issue();
    files.write((&certificate, "no key"));
    controller.says("tls.key: there is no private key in PEM form");
    let (expired, key_of_expired) = authority.issue_until(2020);
    files.write((&expired, &key_of_expired));
    controller
        .says("the API server does not accept the certificate of the webhook, and there is no better one: ");
    eventually("it is not ready because the certificate has expired", || match controller.ask("/readyz") {
        (503, said) if said.contains("tls.crt: the certificate expired at 2020-01-01T00:00:00Z") => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    controller.shows("xposer_webhook_certificate_good", &[], 0.0);
    files.write((&certificate, &key_of_it));
    let controller = controller.ready();
    controller.shows("xposer_webhook_certificate_good", &[], 1.0);
    let mut configured = Configured::new(&scene, &[&shop], &address, &authority.root, &services(), "Fail");
    in_force(&scene, &shop);

    // A refusal has every reason.
    let mark = scene.audit_mark();
    let (answer, _) = shop.tries(&scene, wrong("wrong"));
    let said = answer.unwrap_err();
    let start = format!(
        "admission webhook \"{NAME}\" denied the request: Service {}/wrong cannot be exposed, for 2 reasons:\n1. ",
        shop.name
    );
    assert!(said.starts_with(&start) && said.contains("[host-uppercase]"), "{said}");
    eventually("the audit log has the codes", || {
        let lines = scene.audited_since(mark, &format!("{NAME}/codes"));
        lines.iter().any(|line| line.contains("host-uppercase")).then_some(()).ok_or(format!("{lines:?}"))
    });
    // What is accepted has its URL when it is stored.
    let (answer, warnings) = shop.tries(&scene, service("web", &[]));
    let stored = answer.unwrap();
    let url = format!("http://web.{}.e2e.example.com", shop.name);
    assert_eq!(stored.pointer(URL), Some(&json!(url)), "{stored}");
    assert_eq!(warnings, Vec::<String>::new());
    // The user sees the warnings.
    let (answer, warnings) =
        shop.tries(&scene, service("warned", &[(key("IngressURLPaht"), "/x".to_owned())]));
    assert!(answer.is_ok() && warnings.len() == 1, "{answer:?} {warnings:?}");
    assert!(warnings[0].starts_with("299 - \"xposer["), "{warnings:?}");
    // What is not exposed is left alone, and an update is reviewed as well.
    let mut silent = service("silent", &[]);
    silent["metadata"]["labels"] = json!({});
    assert_eq!(shop.tries(&scene, silent).0.unwrap().pointer(URL), None);
    let patch = json!({"metadata": {"annotations": {key("IngressURLTemplate"): "Upper.example.com"}}});
    let said = scene.try_patch(SERVICE, Some(&shop.name), "web", &patch).unwrap_err();
    assert!(said.code == 422 && said.message.contains("[host-uppercase]"), "{said:?}");
    shop.has(["Ingress warned", "Ingress web"]);

    // The settings are those of the file as it is now.
    controller.change_settings("domain: other.example.com");
    eventually("the new domain is in the stamp", || {
        let seen = shop.would(&scene, service("new", &[]))?;
        let url = seen.pointer(URL).and_then(Value::as_str).unwrap_or_default();
        if url.ends_with("other.example.com") { Ok(()) } else { Err(url.to_owned()) }
    });
    controller.change_settings("domian: wrong.example.com");
    controller.shows("xposer_settings_good", &[], 0.0);
    let seen = shop.would(&scene, service("new", &[])).unwrap();
    assert!(seen.pointer(URL).unwrap().as_str().unwrap().ends_with("other.example.com"));
    controller.change_settings(PLAIN);
    controller.shows("xposer_settings_good", &[], 1.0);

    // While requests run, the certificate is renewed, once by a broken one, and once by one that has expired.
    let (done, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (cluster, namespace, done, asked) = (Cluster::get(), &shop.name, &done, &asked);
            let mut object = service(&format!("busy-{thread}"), &[]);
            object["metadata"]["namespace"] = namespace.as_str().into();
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let parameters = PostParams { dry_run: true, ..PostParams::default() };
                    let (answer, _) = cluster.try_create(&object, &parameters);
                    assert!(answer.unwrap().pointer(URL).is_some());
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..3 {
            let (certificate, key) = authority.issue();
            let before = controller.log().matches("the certificate of the webhook changed").count();
            files.write((&certificate, &key));
            eventually("the new certificate is read", || {
                let now = controller.log().matches("the certificate of the webhook changed").count();
                (now > before).then_some(()).ok_or_else(|| now.to_string())
            });
        }
        files.write((&authority.issue().0, &authority.issue().1));
        controller.says("the certificate of the webhook cannot be used; the previous one stays in force");
        controller.shows("xposer_webhook_certificate_good", &[], 0.0);
        assert_eq!(controller.ask("/readyz").0, 200);
        std::thread::sleep(Duration::from_secs(2));
        for year in [4000, 2021, 4000] {
            let (certificate, key) = authority.issue_until(year);
            files.write((&certificate, &key));
            controller.shows("xposer_webhook_certificate_good", &[], if year > 3000 { 1.0 } else { 0.0 });
            std::thread::sleep(Duration::from_secs(2));
        }
        controller.says("tls.crt: the certificate expired at 2021-01-01T00:00:00Z");
        done.store(true, Ordering::Relaxed);
    });
    let asked = asked.into_inner();
    println!("{asked} requests while the certificate was renewed, none failed");
    assert!(asked > 100, "{asked}");
    for (answer, at_least) in [("changed", 100.0), ("refused", 3.0), ("allowed", 1.0)] {
        let label = format!("answer=\"{answer}\"");
        assert!(controller.metric("xposer_webhook_requests_total", &[&label]) >= at_least, "{answer}");
    }
    let invalid = controller.metric("xposer_webhook_requests_total", &["answer=\"invalid\""]);
    assert!(invalid < 0.5, "{invalid}");

    configured.set("/webhooks/0/failurePolicy", "Ignore");
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn dead_webhook_follows_its_failure_policy() {
    let scene = Scene::open("webhook-dead");
    let shop = scene.place();
    let (files, authority, address) =
        (Files::new(&scene), Authority::new(), free_address().unwrap().to_string());
    let (certificate, key) = authority.issue();
    files.write((&certificate, &key));
    let mut controller = spawn(&scene, PLAIN, &address, &files).ready();
    let mut configured = Configured::new(&scene, &[&shop], &address, &authority.root, &services(), "Fail");
    in_force(&scene, &shop);
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);

    // A replica that ends still answers for a while, because the API server does not know it yet.
    controller.signal("TERM");
    let began = Instant::now();
    let mut answered = 0;
    while began.elapsed() < Duration::from_secs(4) {
        shop.would(&scene, service("late", &[])).unwrap();
        answered += 1;
    }
    assert_eq!(controller.exits(), Some(0));
    println!("{answered} requests were answered while the controller ended");

    let message = shop.tries(&scene, service("refused", &[])).0.unwrap_err();
    assert!(message.contains(&format!("failed calling webhook \"{NAME}\"")), "{message}");
    configured.set("/webhooks/0/failurePolicy", "Ignore");
    let stored = eventually("Services are let through", || shop.would(&scene, wrong("through")));
    assert_eq!(stored.pointer(URL), None);
    drop(configured);
    scene.end(&[]);
}

/// The Kubewarden policy in its host, behind the server of the webhook. It ends with the test's program.
struct Hosted {
    module: Arc<Module>,
    settings: Value,
    answered: Arc<AtomicUsize>,
    /// A policy server has a worker for each processor. The time that a policy may take begins when it has one.
    workers: Semaphore,
}

impl Hosted {
    fn start(settings: &str, address: &str, files: &Files) -> Arc<AtomicUsize> {
        let module = host::policy().unwrap_or_else(|error| panic!("{error:#}; run `make policy.wasm`"));
        let settings = xposer_manifest::load(settings).unwrap().remove(0).value;
        let answered = Arc::new(AtomicUsize::new(0));
        let door = Self {
            module: Arc::new(module),
            settings,
            answered: answered.clone(),
            workers: Semaphore::new(2),
        };
        let certificates = Arc::new(Certificates::new(files.certificate(), files.key()));
        assert_eq!(certificates.reload(), Some(Reloaded::Used));
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(listener, certificates, Arc::new(door), std::future::pending()).await.unwrap();
            });
        });
        answered
    }

    /// Answers a call as Kubewarden's host does, with what the cluster has.
    fn reply(call: &HostCall) -> Result<Vec<u8>, String> {
        assert_eq!(call.operation, "get_resource");
        let asked: Value = serde_json::from_slice(&call.payload).unwrap();
        assert_eq!((&asked["kind"], &asked["disable_cache"]), (&json!("ConfigMap"), &json!(true)));
        let (namespace, name) = (asked["namespace"].as_str(), asked["name"].as_str().unwrap());
        let found = Cluster::get().find(CONFIG_MAP, namespace, name);
        found.map(|found| found.to_string().into_bytes()).ok_or_else(|| format!("Cannot find it: {name}"))
    }
}

impl Handler for Hosted {
    async fn answer(&self, request: Bytes) -> Response {
        let request: Value = serde_json::from_slice(&request).unwrap();
        let payload = json!({"request": request, "settings": self.settings}).to_string();
        let module = self.module.clone();
        let call = move || module.call_with("validate", payload.as_bytes(), Box::new(Self::reply)).result;
        let _worker = self.workers.acquire().await.unwrap();
        let answer = tokio::task::spawn_blocking(call).await.unwrap();
        // As a policy server answers where it has interrupted the policy.
        let failed = |said: String| json!({"accepted": false, "code": 500, "message": said}).to_string();
        let answer = answer.unwrap_or_else(|said| failed(said).into_bytes());
        serde_json::from_slice(&answer).unwrap()
    }

    fn on_finished(&self, _: Outcome, _: Duration) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// Tries to create objects, four at a time: what is stored, or why it is refused. An answer of 5xx is no decision, so the client tries
/// again, as its users do.
fn create_all(objects: &[Value]) -> Vec<Result<Value, String>> {
    let create = |object: &Value| {
        for _ in 0..10 {
            match Cluster::get().try_create(object, &PostParams::default()).0 {
                Err(status) if status.code >= 500 => println!("once more: {}", status.message),
                answer => return answer.map_err(|status| status.message),
            }
        }
        Err("there was no decision".to_owned())
    };
    std::thread::scope(|scope| {
        let parts = objects.chunks(objects.len().div_ceil(4));
        let threads: Vec<_> =
            parts.map(|part| scope.spawn(move || part.iter().map(create).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn at(place: &Place, mut object: Value) -> Value {
    object["metadata"]["namespace"] = place.name.as_str().into();
    object
}

/// How many hosts of a domain have an owner in the ConfigMaps.
fn claimed(scene: &Scene, namespace: &str, domain: &str) -> usize {
    let maps = scene.list(CONFIG_MAP, Some(namespace));
    let shards = maps.iter().filter_map(shard_of);
    shards
        .flat_map(|shard| shard.buckets.into_values().flat_map(Holders::into_keys))
        .filter(|text| text.ends_with(&format!("{domain}/")))
        .count()
}

/// 1,000 Services, of which 100 ask for hosts of older ones, and 100 Ingresses written by hand that do the same, while the controller
/// runs, writes down who has what, and creates its own Ingresses through the same door.
fn host_ownership(slug: &'static str, is_hosted: bool) {
    const TAKEN: usize = 100;
    const ALL: usize = 1000;
    let scene = Scene::open(slug);
    let (first, shop) = (scene.place(), scene.place());
    let claims = scene.namespace();
    scene.may_write_claims(&claims);
    let settings = format!(
        "domain: e2e.example.com\nclaims: {{namespace: {claims}, mode: deny, onFailure: deny}}\n\
         guard: {{mode: deny, users: ['system:serviceaccount:{HOME}:xposer']}}\n"
    );
    let (files, authority, address) =
        (Files::new(&scene), Authority::new(), free_address().unwrap().to_string());
    let (certificate, key) = authority.issue();
    files.write((&certificate, &key));
    let answered = is_hosted.then(|| Hosted::start(&settings, &address, &files));
    let controller = if is_hosted {
        scene.controller(&settings, &[])
    } else {
        spawn(&scene, &settings, &address, &files).ready()
    };

    let domain = format!("{}.example.com", first.name);
    let host_of = |number: usize| format!("h{number}.{domain}");
    let name = |number: usize| format!("s{number}");
    first.create_all((0..TAKEN).map(|number| service(&name(number), &[host(&host_of(number))])));
    within(Duration::from_secs(60), "all hosts are written down", || {
        let found = claimed(&scene, &claims, &domain);
        if found == TAKEN { Ok(()) } else { Err(found.to_string()) }
    });
    let rules = json!([services()[0], {"apiGroups": ["networking.k8s.io"], "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"], "resources": ["ingresses"], "scope": "Namespaced"}]);
    let configured = Configured::new(&scene, &[&shop, &first], &address, &authority.root, &rules, "Fail");
    in_force(&scene, &shop);

    let collides = |number: usize| number.is_multiple_of(ALL / TAKEN);
    let asked: Vec<Value> = (0..ALL)
        .map(|number| {
            let own = format!("s{number}.{}.example.com", shop.name);
            let host_of = if collides(number) { host_of(number / (ALL / TAKEN)) } else { own };
            at(&shop, service(&name(number), &[host(&host_of)]))
        })
        .collect();
    let began = Instant::now();
    let answers = create_all(&asked);
    let took = began.elapsed();
    let (mut told, mut wrong) = (0, Vec::new());
    for (number, answer) in answers.iter().enumerate() {
        match answer {
            Err(said) if collides(number) => {
                let older = number / (ALL / TAKEN);
                let words = format!("is also claimed by Service {}/{}, created on ", first.name, name(older));
                assert!(said.contains(&host_of(older)) && said.contains(&words), "{said}");
                told += 1;
            }
            Ok(stored) if !collides(number) => assert!(stored.pointer(URL).is_some(), "{stored}"),
            answer => wrong.push(format!("{number}: {answer:?}")),
        }
    }
    println!(
        "{slug}: {told} of {TAKEN} told, {} of {} wrongly refused or let through; {ALL} Services in {took:.1?}",
        wrong.len(),
        ALL - TAKEN
    );
    assert!(told == TAKEN && wrong.is_empty(), "{wrong:#?}");

    let theirs: Vec<Value> = (0..TAKEN)
        .map(|number| at(&shop, foreign_ingress(&format!("by-hand-{number}"), &host_of(number))))
        .collect();
    let refused = create_all(&theirs)
        .iter()
        .filter(|it| it.as_ref().is_err_and(|it| it.contains("is also claimed by")))
        .count();
    println!("{slug}: {refused} of {TAKEN} Ingresses that take hosts of others are refused");
    assert_eq!(refused, TAKEN);
    // One that takes nothing of others passes.
    shop.stands_by(foreign_ingress("free", &format!("free.{}.example.com", shop.name)));
    // A Service that needs its name is told, although its host is free.
    let namesake = at(&shop, service("free", &[host(&format!("namesake.{}.example.com", shop.name))]));
    within(Duration::from_secs(60), "the name of an Ingress is written down", || {
        match create_all(std::slice::from_ref(&namesake)).pop() {
            Some(Err(said)) if said.contains("there is Ingress `free`") => Ok(()),
            Some(Ok(_)) => {
                shop.delete(SERVICE, "free");
                Err("the Service was let through".to_owned())
            }
            answer => Err(format!("{answer:?}")),
        }
    });
    // The owner's updates pass.
    first.configure(&name(0), "IngressURLPath", "/");

    // What the controller writes itself passes.
    let is_made = |number: &usize| !collides(*number);
    first.has_within(Duration::from_secs(90), (0..TAKEN).map(|number| format!("Ingress {}", name(number))));
    shop.has_within(
        Duration::from_secs(180),
        (0..ALL).filter(is_made).map(|number| format!("Ingress {}", name(number))),
    );
    assert_eq!(shop.events(&name(1)).iter().filter(|it| it.0 == "Warning").count(), 0);
    let answered = answered.map_or_else(
        || controller.metric("xposer_webhook_requests_total", &[]),
        |answered| answered.load(Ordering::Relaxed) as f64,
    );
    println!("{slug}: {answered} reviews");
    if !is_hosted {
        let [sum, count] = ["sum", "count"]
            .map(|it| controller.metric(&format!("xposer_webhook_duration_seconds_{it}"), &[]));
        println!("{slug}: {:.1} ms for a review, with its look-ups", 1000.0 * sum / count);
    }
    assert!(answered > (ALL + TAKEN + ALL - TAKEN) as f64, "{answered}");

    // Two Services of one moment both pass, and the controller's rule decides.
    let both = (0..10).find_map(|round| {
        let host_of = host(&format!("race-{round}.{}.example.com", shop.name));
        let names = [format!("race-{round}-a"), format!("race-{round}-b")];
        let racing: Vec<Value> =
            names.iter().map(|name| at(&shop, service(name, std::slice::from_ref(&host_of)))).collect();
        let stored: Vec<Value> = create_all(&racing).into_iter().flatten().collect();
        if stored.len() == 2 {
            return Some(stored);
        }
        // The first one was written down before the second one was asked about.
        names.iter().for_each(|name| shop.delete(SERVICE, name));
        None
    });
    let mut both = both.expect("two Services of one moment are admitted");
    let order = |it: &Value| {
        let word = |field: &str| it["metadata"][field].as_str().unwrap().to_owned();
        (word("creationTimestamp"), word("name"))
    };
    both.sort_by_key(order);
    let [winner, loser] = [&both[0], &both[1]].map(|it| order(it).1);
    let message = shop.event(&loser, "Warning", "RouteClaimed");
    assert!(message.contains(&format!("is also claimed by Service {}/{winner}", shop.name)), "{message}");
    println!("{slug}: {winner} and {loser} were both admitted; {loser} is told: {message}");
    let made = (0..ALL).filter(is_made).map(|number| format!("Ingress {}", name(number)));
    shop.has_within(Duration::from_secs(60), made.chain([format!("Ingress {winner}")]));
    assert!(shop.events(&winner).iter().all(|it| it.1 != "RouteClaimed"));
    drop(configured);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn host_ownership_through_the_controller_webhook() {
    host_ownership("whose-webhook", false);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn host_ownership_through_the_policy() {
    host_ownership("whose-policy", true);
}
