//! The policy and the controller's webhook give the same answers: the same reviews go to the policy, in the real waPC host, and over
//! HTTPS to the program, which looks up claims at an API server of this test.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the helpers of a test fail it like the test itself"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kube::client::Body;
use kube::{Client, Config};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use xposer::conflicts::{Holder, Holders};
use xposer::{Service, Settings, expose};
use xposer_testkit::cases;
use xposer_testkit::cluster::{Cluster, time};
use xposer_testkit::host::{self, Answer, HostCall, Module, Reply};
use xposer_testkit::kubewarden::{Deployment, Native, Policy, evaluate};
use xposer_testkit::net::free_address;

const NAMESPACE: &str = "xposer-system";

/// What the cluster answers to a look-up.
#[derive(Clone, Default)]
enum LookUpAnswer {
    /// There is nothing.
    #[default]
    Nothing,
    Some(Arc<Cluster>),
    /// Every look-up fails.
    Trouble,
}

impl LookUpAnswer {
    fn reply(&self, call: &HostCall) -> Result<Vec<u8>, String> {
        match self {
            Self::Nothing => Cluster::default().reply(call),
            Self::Some(cluster) => cluster.reply(call),
            Self::Trouble => Err("etcd is slow".to_owned()),
        }
    }
}

type Shared = Arc<Mutex<LookUpAnswer>>;

/// An API server that has nothing but ConfigMaps with claims.
fn api_server(known: Shared) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let known = known.clone();
            std::thread::spawn(move || {
                // The program may have ended.
                let _ = answer(stream, &known);
            });
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, known: &Shared) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    while !lines.next().unwrap_or(Ok(String::new()))?.is_empty() {}
    let path = first.split(' ').nth(1).unwrap_or_default().trim_end_matches('?');
    let parts: Vec<&str> = path.split('/').collect();
    let found = match parts.as_slice() {
        ["", "api", "v1", "namespaces", namespace, "configmaps", name] => {
            let call =
                json!({"api_version": "v1", "kind": "ConfigMap", "namespace": namespace, "name": name});
            known.lock().unwrap().reply(&HostCall::get_resource(call.to_string().into_bytes()))
        }
        _ => Err("Cannot find it".to_owned()),
    };
    let (status, body) = match found {
        Ok(body) => (200, body),
        Err(message) => {
            let code = if message.starts_with("Cannot find") { 404 } else { 500 };
            let status = json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": message,
                "reason": "", "code": code});
            (code, status.to_string().into_bytes())
        }
    };
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

/// The program, which serves the webhook. It is killed on drop.
struct Program {
    child: Child,
    config: Config,
    client: Client,
    /// Its files, which go with it.
    folder: TempDir,
}

impl Program {
    async fn new(api_server: &str, settings: &Value) -> Self {
        let address = free_address().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": api_server}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]});
        for (name, text) in [
            ("settings.yaml", settings.to_string()),
            ("kubeconfig", kubeconfig.to_string()),
            ("tls.crt", made.cert.pem()),
            ("tls.key", made.signing_key.serialize_pem()),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let path = |name: &str| folder.path().join(name).display().to_string();
        let log = path("log");
        let mut child = Command::new(env!("CARGO_BIN_EXE_xposer-controller"))
            .env_clear()
            .env("KUBECONFIG", path("kubeconfig"))
            .args(["--settings", &path("settings.yaml"), "--address", "127.0.0.1:0", "--webhook"])
            .args(["--webhook-address", &address.to_string()])
            .args(["--webhook-cert", &path("tls.crt"), "--webhook-key", &path("tls.key")])
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut config = Config::new(format!("https://{address}").parse().unwrap());
        config.root_cert = Some(vec![made.cert.der().to_vec()]);
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = child.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < Duration::from_secs(20),
                "nobody listens with {settings}; ended: {ended:?}; the log:\n{}",
                std::fs::read_to_string(&log).unwrap()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { child, client: Client::try_from(config.clone()).unwrap(), config, folder }
    }

    /// The answer to a review.
    async fn answer(&self, review: &Value) -> Value {
        let request = hyper::Request::post("/validate")
            .header("content-type", "application/json")
            .body(Body::from(review.to_string().into_bytes()))
            .unwrap();
        let answer = self.client.send(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect_bytes().await.unwrap();
        assert_eq!(status, 200, "{review}: {}", String::from_utf8_lossy(&body));
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(answer["kind"], "AdmissionReview");
        answer["response"].clone()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The policy with a host that has what the API server has.
struct Hosted<'m> {
    module: Option<&'m Module>,
    known: Shared,
}

impl Policy for Hosted<'_> {
    fn call(&self, operation: &str, payload: &[u8]) -> Answer {
        let known = self.known.lock().unwrap().clone();
        let reply: Box<Reply> = Box::new(move |call| known.reply(call));
        match self.module {
            Some(module) => module.call_with(operation, payload, reply),
            None => Native.call_with(operation, payload, &*reply),
        }
    }
}

/// Sends each review to both doors, in every situation, and compares the whole answers.
struct Doors<'m> {
    runtime: Runtime,
    api_server: String,
    policy: Hosted<'m>,
    compared: usize,
    refused: usize,
    patched: usize,
    asked: usize,
    /// Refusals of other kinds than Services.
    guarded: usize,
}

impl<'m> Doors<'m> {
    fn new(module: Option<&'m Module>) -> Self {
        let known = Shared::default();
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            api_server: api_server(known.clone()),
            policy: Hosted { module, known },
            compared: 0,
            refused: 0,
            patched: 0,
            asked: 0,
            guarded: 0,
        }
    }

    /// Compares the answers under some settings. `false` if they cannot be used, which the program says at its start.
    fn compare(&mut self, settings: &Value, reviews: &[(Value, Vec<LookUpAnswer>)]) -> bool {
        let deployment = Deployment {
            settings: settings.as_object().cloned().unwrap_or_default(),
            ..Deployment::default()
        };
        if Settings::tried(settings).is_err() {
            assert!(evaluate(&self.policy, &deployment, &reviews[0].0).is_err(), "{settings}");
            return false;
        }
        let program = self.runtime.block_on(Program::new(&self.api_server, settings));
        for (review, situations) in reviews {
            for known in situations {
                *self.policy.known.lock().unwrap() = known.clone();
                let (expected, calls) = evaluate(&self.policy, &deployment, review).unwrap();
                let mut expected = serde_json::to_value(&expected).unwrap();
                expected.as_object_mut().unwrap().retain(|_, value| !value.is_null());
                let found = self.runtime.block_on(program.answer(review));
                assert_eq!(found, expected, "{review}");
                self.compared += 1;
                self.refused += usize::from(found["allowed"] == false);
                let is_service = review.pointer("/request/kind/kind") == Some(&json!("Service"));
                self.guarded += usize::from(found["allowed"] == false && !is_service);
                self.patched += usize::from(found["patch"].is_string());
                self.asked += usize::from(!calls.is_empty());
            }
        }
        true
    }
}

fn review(kind: [&str; 3], operation: &str, object: &Value, old: &Value) -> Value {
    let [group, version, kind] = kind;
    let resource = format!("{}s", kind.to_lowercase());
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1299d386-525b-4032-98ae-1949f69f9cfc", "operation": operation,
        "kind": {"group": group, "version": version, "kind": kind},
        "resource": {"group": group, "version": version, "resource": resource},
        "namespace": object.pointer("/metadata/namespace").filter(|it| it.is_string()).unwrap_or(&json!("shop")),
        "userInfo": {"username": "alice"}, "object": object, "oldObject": old,
    }})
}

const SERVICE: [&str; 3] = ["", "v1", "Service"];

/// The situations in which a Service can be: what it asks for is free, or taken by somebody older; nothing is known; look-ups fail.
fn situations(object: &Value, settings: &Value, free: &LookUpAnswer) -> Vec<LookUpAnswer> {
    let settings = Settings::from_value(settings).unwrap_or_default();
    let mut holders = Holders::new();
    if let Some(plan) = expose(&Service::from_value(object), &settings).plan() {
        let [kind, namespace, name, created] =
            ["Ingress", "ops", "old", "2020-01-01T00:00:00Z"].map(str::to_owned);
        let holder = Holder { kind, namespace, name, created, is_local: false, is_part: false };
        holders.extend(plan.claim_texts().into_iter().map(|it| (it.text, vec![holder.clone()])));
    }
    let taken = Cluster::of_claims(NAMESPACE, &time(-10), &holders);
    vec![free.clone(), LookUpAnswer::Some(Arc::new(taken)), LookUpAnswer::Nothing, LookUpAnswer::Trouble]
}

/// Objects that no API server sends.
fn hostile() -> Vec<Value> {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let service = |metadata: Value, spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec});
    let exposed = |annotations: Value| {
        service(
            json!({"name": "web", "namespace": "shop", "labels": {"expose": "true"}, "annotations": annotations}),
            json!({"ports": [{"port": 80}]}),
        )
    };
    let mut objects = vec![
        json!(null),
        json!(3),
        json!("Service"),
        json!([]),
        json!({}),
        json!({"kind": "Service"}),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"expose": "true"}}}),
        service(json!(null), json!(null)),
        service(json!([]), json!(3)),
        service(json!(5), json!("x")),
        service(
            json!({"name": 1, "namespace": [], "labels": {"expose": true}, "annotations": "x"}),
            json!({"ports": {}}),
        ),
        service(
            json!({"name": "web", "labels": {"expose": "true"}}),
            json!({"ports": [3, null, {"port": "x"}, {"port": 99_999_999}]}),
        ),
        service(json!({"name": "web", "labels": {"expose": "true"}, "deletionTimestamp": "x"}), json!({})),
        service(
            json!({"name": "web", "labels": {"expose": "true"}, "annotations": deep}),
            json!({"ports": deep}),
        ),
        exposed(json!(null)),
        exposed(json!([])),
        exposed(json!({"status.xposer.stakater.com/url": 5})),
        exposed(json!({"config.xposer.stakater.com/IngressURLTemplate": "{{".repeat(2000)})),
        exposed(json!({"config.xposer.stakater.com/IngressURLTemplate": "\u{202e}\u{0}\u{7f}é.example.com"})),
        exposed(json!({"config.xposer.stakater.com/AllowedSources": "10.0.0.0/8,".repeat(5000)})),
        exposed(json!({"xposer.stakater.com/annotations": "a: b\n: [\n"})),
        exposed(json!({"a/b~0~1c": "x", "config.xposer.stakater.com/IngressURLPath": "/~x~1"})),
    ];
    let many: serde_json::Map<String, Value> =
        (0..300).map(|at| (format!("config.xposer.stakater.com/Wrong{at}"), json!("x"))).collect();
    objects.push(exposed(many.into()));
    objects
}

/// Ingresses and routes that somebody writes by hand, of which some take a host of somebody older.
fn by_hand() -> Vec<(Value, Vec<LookUpAnswer>)> {
    const INGRESS: [&str; 3] = ["networking.k8s.io", "v1", "Ingress"];
    const ROUTE: [&str; 3] = ["gateway.networking.k8s.io", "v1", "HTTPRoute"];
    let mut holders = Holders::new();
    for host in ["taken.example.com", "*.taken.example.com"] {
        let [kind, namespace, name, created] =
            ["Service", "ops", "old", "2020-01-01T00:00:00Z"].map(str::to_owned);
        holders.insert(
            format!("prefix {host}/"),
            vec![Holder { kind, namespace, name, created, is_local: false, is_part: false }],
        );
    }
    let known = LookUpAnswer::Some(Arc::new(Cluster::of_claims(NAMESPACE, &time(-10), &holders)));
    let metadata = |annotations: Value| {
        json!({"name": "by-hand", "namespace": "shop", "annotations": annotations,
        "creationTimestamp": "2026-01-01T00:00:00Z"})
    };
    let mut reviews = Vec::new();
    for host in ["taken.example.com", "free.example.com", "*.taken.example.com", "Upper.example.com", ""] {
        for annotations in [json!({}), json!({"nginx.ingress.kubernetes.io/server-snippet": "x"})] {
            let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
            let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
            let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata(annotations.clone()),
                "spec": {"rules": [{"host": host, "http": {"paths": paths}}]}});
            let hosts = if host.is_empty() { json!([]) } else { json!([host]) };
            let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata(annotations),
                "spec": {"hostnames": hosts, "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]}});
            for (kind, object) in [(INGRESS, ingress), (ROUTE, route)] {
                let known = vec![known.clone(), LookUpAnswer::Nothing, LookUpAnswer::Trouble];
                reviews.push((review(kind, "CREATE", &object, &Value::Null), known.clone()));
                reviews.push((review(kind, "UPDATE", &object, &object), known.clone()));
                let mut old = object.clone();
                old["spec"] = json!({});
                reviews.push((review(kind, "UPDATE", &object, &old), known));
            }
        }
    }
    reviews
}

/// The Services of all cases, by their settings.
fn services() -> BTreeMap<String, (Value, Vec<Value>)> {
    let mut services = BTreeMap::<String, (Value, Vec<Value>)>::new();
    for case in cases::all().unwrap() {
        let settings = case.settings.clone().unwrap_or_else(|| json!({}));
        let group = services.entry(settings.to_string()).or_insert_with(|| (settings, Vec::new()));
        group.1.extend(case.services().cloned());
    }
    services.retain(|_, (settings, services)| settings.is_object() && !services.is_empty());
    services
}

/// Compares the answers for every `step`-th settings of the cases, and for the hostile objects.
fn compare(module: Option<&Module>, step: usize) {
    let mut doors = Doors::new(module);
    let free = LookUpAnswer::Some(Arc::new(Cluster::of_claims(NAMESPACE, &time(-10), &Holders::new())));
    let (mut seen, mut unusable) = (0, 0);
    for (group, (settings, services)) in services().into_values().step_by(step).enumerate() {
        let mut with_claims = settings.clone();
        with_claims["claims"] = json!({"namespace": NAMESPACE, "mode": "deny", "onFailure": "deny"});
        for settings in [settings, with_claims] {
            // Every second group is asked in all situations, which cost as much as four.
            let asks = settings.get("claims").is_some() && group % 2 == 0;
            let reviews: Vec<_> = services
                .iter()
                .map(|object| {
                    let known =
                        if asks { situations(object, &settings, &free) } else { vec![LookUpAnswer::Nothing] };
                    (review(SERVICE, "CREATE", object, &Value::Null), known)
                })
                .collect();
            seen += reviews.len();
            unusable += usize::from(!doors.compare(&settings, &reviews));
        }
    }
    let claims = json!({"domain": "example.com", "claims": {"namespace": NAMESPACE, "mode": "deny", "nameOthers": false},
        "guard": {"mode": "deny"}});
    let mut reviews = Vec::new();
    for object in hostile() {
        for operation in ["CREATE", "UPDATE", "DELETE", "CONNECT", "\u{0}"] {
            for kind in [
                SERVICE,
                ["networking.k8s.io", "v1", "Ingress"],
                ["gateway.networking.k8s.io", "v1", "HTTPRoute"],
                ["", "", ""],
            ] {
                for old in [&object, &Value::Null] {
                    let asks = operation == "CREATE" && old.is_null();
                    let known =
                        if asks { situations(&object, &claims, &free) } else { vec![LookUpAnswer::Nothing] };
                    reviews.push((review(kind, operation, &object, old), known));
                }
            }
        }
    }
    reviews.extend(by_hand());
    assert!(doors.compare(&claims, &reviews));
    let of_hands = doors.guarded;
    let Doors { compared, refused, patched, asked, .. } = doors;
    println!(
        "{seen} Services and {} hostile reviews: {compared} answers are the same, {refused} refusals, {patched} patches, {asked} with look-ups, {of_hands} refusals of what was written by hand; {unusable} settings that no door takes",
        reviews.len()
    );
    assert!(seen > 1000 / step && compared > 3000 / step && refused > 1000 / step);
    assert!(of_hands >= 8, "{of_hands}");
    assert!(patched > 500 / step && asked > 500 / step);
}

#[test]
fn both_doors_answer_the_same() {
    compare(None, 10);
}

mod in_the_wapc_host {
    use super::*;

    #[test]
    #[ignore = "needs policy.wasm: make test"]
    fn both_doors_answer_the_same() {
        let module = host::policy().unwrap_or_else(|error| panic!("{error:#}; run `make policy.wasm`"));
        compare(Some(&module), 1);
    }
}

/// A certificate that cannot be read delays neither the answers nor the end.
#[cfg(unix)]
#[test]
fn a_certificate_that_cannot_be_read_stops_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let mut program = runtime.block_on(Program::new(&api_server(Shared::default()), &json!({})));
    let file = |name: &str| program.folder.path().join(name);
    let (log, began) = (file("log"), Instant::now());
    let says = |text: &str| {
        while !std::fs::read_to_string(&log).unwrap().contains(text) {
            let message = std::fs::read_to_string(&log).unwrap();
            assert!(began.elapsed() < Duration::from_secs(20), "{text} is not in:\n{message}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    says("the certificate of the webhook is read");
    std::fs::remove_file(file("tls.crt")).unwrap();
    // To open a named pipe blocks until somebody writes to it.
    assert!(Command::new("mkfifo").arg(file("tls.crt")).status().unwrap().success());
    says("the previous one stays in force");
    says("tls.crt: this is not a regular file");
    // A new connection.
    let asked = review(SERVICE, "CREATE", &json!({}), &Value::Null);
    program.client = Client::try_from(program.config.clone()).unwrap();
    assert_eq!(runtime.block_on(program.answer(&asked))["allowed"], true);
    assert!(Command::new("kill").arg(program.child.id().to_string()).status().unwrap().success());
    let began = Instant::now();
    while program.child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(9), "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
}
