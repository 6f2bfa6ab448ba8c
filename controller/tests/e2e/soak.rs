//! A long time of random changes and failures: `make soak`, whose minutes are those of `SOAK_MINUTES`. Two replicas run; one that has
//! lost its Lease ends, and is started again, as Kubernetes does it. After each failure, the objects become what the core says; at the
//! end, nothing of others was touched, and nothing has grown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kube::api::DeleteParams;
use serde_json::{Value, json};
use xposer::conflicts::{ClaimText, Holder, Holders};
use xposer_testkit::workspace;

use crate::claims::shard_of;
use crate::cluster::{CONFIG_MAP, HOME, HTTP_ROUTE, SERVICE, WEBHOOK, name_of, say, within};
use crate::concurrent_changes::{Dice, SETTINGS, expected, seed, step};
use crate::controller::Controller;
use crate::scenario::{Place, Scene, key, service};

const SERVICES: usize = 8;
/// Changes between two failures.
const CHANGES: usize = 40;
/// How long the objects may differ from what the core says. A Lease expires after 15 s, and the controller pauses for half a minute at
/// most while the API server is away.
const SETTLED: Duration = Duration::from_secs(120);

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Failure {
    /// The first replica is killed and starts again.
    Killed,
    /// A replica stands still for longer than its Lease is valid.
    Frozen,
    /// The second replica does not reach the API server.
    CutOff,
    ServerKilled,
    ServerHangs,
    EtcdKilled,
    /// The history is gone, and the API server starts anew.
    Compacted,
    /// A webhook for the objects does not answer, and its failures are ignored.
    WebhookIgnored,
    /// The same, and its failures refuse the requests.
    WebhookFails,
    /// The clock of the first replica jumps forward by an hour, and back.
    ClockJumps,
}

/// The failures that `SOAK_FAILURES` names, for example `Killed,CutOff`; without it, all.
fn failures() -> Vec<Failure> {
    let named = std::env::var("SOAK_FAILURES").unwrap_or_default();
    let is_meant =
        |failure: &Failure| named.is_empty() || named.split(',').any(|it| it == format!("{failure:?}"));
    let meant: Vec<Failure> = Failure::ALL.into_iter().filter(is_meant).collect();
    assert!(!meant.is_empty(), "SOAK_FAILURES names none of {:?}", Failure::ALL);
    meant
}

impl Failure {
    const ALL: [Self; 10] = [
        Self::Killed,
        Self::Frozen,
        Self::CutOff,
        Self::ServerKilled,
        Self::ServerHangs,
        Self::EtcdKilled,
        Self::Compacted,
        Self::WebhookIgnored,
        Self::WebhookFails,
        Self::ClockJumps,
    ];
}

/// A way to the API server that can be cut. A cut connection hangs, as one does whose packets are lost.
struct Wire {
    port: u16,
    is_cut: Arc<AtomicBool>,
}

impl Wire {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = is_cut.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let (server, cut) = (server.clone(), cut.clone());
                std::thread::spawn(move || {
                    let Ok(far) = TcpStream::connect(&server) else { return };
                    let (Ok(near_too), Ok(far_too)) = (near.try_clone(), far.try_clone()) else { return };
                    let back = cut.clone();
                    std::thread::spawn(move || carry(far_too, near_too, &back));
                    carry(near, far, &cut);
                });
            }
        });
        Self { port, is_cut }
    }

    fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Relaxed);
    }
}

/// Carries bytes until one side ends. While the wire is cut, nothing is carried.
fn carry(mut from: TcpStream, mut to: TcpStream, is_cut: &AtomicBool) {
    let _ = from.set_read_timeout(Some(Duration::from_millis(200)));
    let mut piece = [0; 16384];
    loop {
        if is_cut.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        }
        match from.read(&mut piece) {
            Ok(0) => break,
            Ok(length) if to.write_all(&piece[..length]).is_ok() => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            _ => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// The account whose requests go through a wire.
fn through(scene: &Scene) -> (Wire, PathBuf) {
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&scene.identity).unwrap()).unwrap();
    let server = config["clusters"][0]["cluster"]["server"].as_str().unwrap().to_owned();
    let wire = Wire::to(server.trim_start_matches("https://").to_owned());
    config["clusters"][0]["cluster"]["server"] = format!("https://127.0.0.1:{}", wire.port).into();
    let file = scene.file("through-a-wire.json");
    fs::write(&file, config.to_string()).unwrap();
    (wire, file)
}

/// The library that moves a clock, if this machine has it or can install it.
fn clock_library() -> Option<PathBuf> {
    let status = Command::new(workspace().join("testkit/need")).arg("faketime").status();
    let find = || {
        let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|folder| folder.path());
        folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|file| file.exists())
    };
    status.ok().filter(std::process::ExitStatus::success).and_then(|_| find())
}

/// The two replicas, and what they need.
struct Replicas<'s> {
    scene: &'s Scene,
    home: String,
    /// The namespace of the claims.
    claims: String,
    first: Controller,
    second: Controller,
    second_account: PathBuf,
    wire: Wire,
    clock: Option<(PathBuf, PathBuf)>,
}

impl<'s> Replicas<'s> {
    fn start(scene: &'s Scene, home: &str, claims: &str) -> Self {
        let clock = clock_library().map(|library| (library, scene.file("clock")));
        if let Some((_, clock)) = &clock {
            fs::write(clock, "+0").unwrap();
        } else {
            say("skipped: no faketime, so no clock jumps");
        }
        let (wire, account) = through(scene);
        let first = Self::spawn(scene, &scene.identity, home, claims, clock.as_ref()).ready();
        let second = Self::spawn(scene, &account, home, claims, None).ready();
        Self {
            scene,
            home: home.to_owned(),
            claims: claims.to_owned(),
            first,
            second,
            second_account: account,
            wire,
            clock,
        }
    }

    fn spawn(
        scene: &Scene,
        account: &Path,
        home: &str,
        claims: &str,
        clock: Option<&(PathBuf, PathBuf)>,
    ) -> Controller {
        let words = ["--handover-timeout", "5", "--stamp", "--leader-elect", "--lease-namespace", home];
        let environment: Vec<(&str, &Path)> = clock
            .iter()
            .flat_map(|(library, file)| {
                [("LD_PRELOAD", library.as_path()), ("FAKETIME_TIMESTAMP_FILE", file.as_path())]
            })
            .collect();
        let settings = format!("{SETTINGS}\nclaims: {{namespace: {claims}}}");
        Controller::spawn_with(account, &scene.settings(&settings), &words, &environment)
    }

    /// Starts a replica again that has lost its Lease; for no other reason may one end. Returns whether the second one began anew.
    fn tend(&mut self) -> bool {
        let lost = |replica: &mut Controller| {
            let has_ended = !replica.runs();
            // A Service that took the name of another one is no failure that its owner is told about.
            assert!(!replica.log().contains("field is immutable"), "{}", replica.log());
            assert!(!has_ended || replica.log().contains("the lease is lost"), "{}", replica.log());
            has_ended
        };
        if lost(&mut self.first) {
            self.first =
                Self::spawn(self.scene, &self.scene.identity, &self.home, &self.claims, self.clock.as_ref());
        }
        let is_new = lost(&mut self.second);
        if is_new {
            self.second = Self::spawn(self.scene, &self.second_account, &self.home, &self.claims, None);
        }
        is_new
    }

    /// Lets something go wrong, and puts it right again.
    fn suffer(&mut self, failure: Failure, places: &[Place], change: &mut dyn FnMut()) {
        let scene = self.scene;
        let pause = |seconds| std::thread::sleep(Duration::from_secs(seconds));
        match failure {
            Failure::Killed => {
                self.first.kill();
                change();
                self.first =
                    Self::spawn(scene, &scene.identity, &self.home, &self.claims, self.clock.as_ref());
            }
            Failure::Frozen => {
                self.first.signal("STOP");
                change();
                pause(20);
                self.first.signal("CONT");
            }
            Failure::CutOff => {
                self.wire.cut(true);
                change();
                pause(20);
                self.wire.cut(false);
            }
            Failure::ServerKilled => {
                change();
                scene.ctl(&["kill", "apiserver"]);
                pause(8);
                scene.start_server();
            }
            Failure::ServerHangs => {
                change();
                scene.ctl(&["pause", "apiserver"]);
                pause(6);
                scene.ctl(&["resume", "apiserver"]);
            }
            Failure::EtcdKilled => {
                change();
                scene.ctl(&["kill", "etcd"]);
                pause(4);
                scene.ctl(&["start", "etcd"]);
            }
            Failure::Compacted => {
                for replica in [&self.first, &self.second] {
                    replica.signal("STOP");
                }
                change();
                scene.ctl(&["compact"]);
                scene.ctl(&["kill", "apiserver"]);
                scene.start_server();
                for replica in [&self.first, &self.second] {
                    replica.signal("CONT");
                }
            }
            Failure::WebhookIgnored | Failure::WebhookFails => {
                let fails = if failure == Failure::WebhookFails { "Fail" } else { "Ignore" };
                let webhook = SilentWebhook::new(scene, places, fails);
                change();
                pause(10);
                drop(webhook);
            }
            Failure::ClockJumps => {
                let Some((_, clock)) = &self.clock else { return };
                fs::write(clock, "+1h").unwrap();
                change();
                pause(20);
                fs::write(clock, "+0").unwrap();
            }
        }
    }
}

/// A webhook for the controller's Ingresses and HTTPRoutes that takes connections and never answers. It is removed on drop.
struct SilentWebhook<'s> {
    scene: &'s Scene,
    name: String,
    _listener: TcpListener,
}

impl<'s> SilentWebhook<'s> {
    fn new(scene: &'s Scene, places: &[Place], failure_policy: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
        let rule = |group: &str, resource: &str| json!({"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]});
        scene.apply(&json!({"apiVersion": WEBHOOK.api, "kind": WEBHOOK.name, "metadata": {"name": names[0]},
            "webhooks": [{"name": "silent.example.com", "failurePolicy": failure_policy, "timeoutSeconds": 1,
                "sideEffects": "None", "admissionReviewVersions": ["v1"],
                // The changes by others go on.
                "matchConditions": [{"name": "by-the-controller",
                    "expression": format!("request.userInfo.username == 'system:serviceaccount:{HOME}:xposer'")}],
                "clientConfig": {"url": format!("https://{}/", listener.local_addr().unwrap())},
                "namespaceSelector": {"matchExpressions": [
                    {"key": "kubernetes.io/metadata.name", "operator": "In", "values": names}]},
                "rules": [rule("networking.k8s.io", "ingresses"), rule("gateway.networking.k8s.io", "httproutes")]}]}));
        Self { scene, name: names[0].to_owned(), _listener: listener }
    }
}

impl Drop for SilentWebhook<'_> {
    fn drop(&mut self) {
        self.scene.delete(WEBHOOK, None, &self.name, &DeleteParams::default());
    }
}

/// Waits until every place has what the core says of all Services together.
fn settles(places: &[Place], replicas: &mut Replicas<'_>) -> usize {
    // The objects of a refused Service depend on its history, so then no Service is refused.
    let mut services = Vec::new();
    for place in places {
        for service in place.list(SERVICE) {
            if service["metadata"]["annotations"][key("IngressURLTemplate")] == "Impossible.example.com" {
                place.configure(name_of(&service), "IngressURLTemplate", Value::Null);
            }
        }
        services.extend(place.list(SERVICE));
    }
    let (objects, claims) = expected(&mut services);
    let mut lines: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for object in &objects {
        let line = format!("{} {}", object["kind"].as_str().unwrap(), name_of(object));
        lines.entry(object["metadata"]["namespace"].as_str().unwrap()).or_default().insert(line);
    }
    // A replica notices late that it has lost its Lease, and may be the one that is needed.
    std::thread::sleep(Duration::from_secs(2));
    replicas.tend();
    for place in places {
        place.has_within(SETTLED, lines.remove(place.name.as_str()).unwrap_or_default());
    }
    within(SETTLED, "the claims are those of the exposed Services", || has_claims(replicas, &claims));
    objects.len()
}

/// Whether each claim has its holder, and no Service has another one.
fn has_claims(replicas: &Replicas<'_>, claims: &[(ClaimText, Holder)]) -> Result<(), String> {
    let maps = replicas.scene.list(CONFIG_MAP, Some(&replicas.claims));
    let shards = maps.iter().filter_map(shard_of);
    let held: Holders = shards.flat_map(|shard| shard.buckets.into_values().flatten()).collect();
    let names = |holder: &Holder| (holder.namespace.clone(), holder.name.clone());
    let of_services = held.iter().flat_map(|(text, holders)| {
        let services = holders.iter().filter(|holder| holder.kind == "Service");
        services.map(move |holder| (text.clone(), names(holder)))
    });
    let is_ours = |(_, (namespace, _)): &(String, (String, String))| namespace.starts_with("soak-");
    let seen: BTreeSet<_> = of_services.filter(is_ours).collect();
    let expected: BTreeSet<_> =
        claims.iter().map(|(text, holder)| (text.text.clone(), names(holder))).collect();
    let wrong: Vec<_> = seen.symmetric_difference(&expected).take(5).collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:?}")) }
}

#[test]
#[ignore = "needs a cluster and time: make soak"]
fn changes_and_failures_end_in_the_decision_of_the_core() {
    let minutes: u64 = std::env::var("SOAK_MINUTES").ok().and_then(|it| it.parse().ok()).unwrap_or(60);
    let scene = Scene::with_ctl("soak");
    assert!(scene.is_served(HTTP_ROUTE), "this cluster has no HTTPRoute; install its definition");
    let seed = seed();
    println!("the same again: E2E_SEED={seed}");
    let mut dice = Dice::new(seed);
    let places: Vec<Place> = (0..3).map(|_| scene.place()).collect();
    let names: Vec<String> = (0..SERVICES).map(|it| format!("web-{it}")).collect();
    for place in &places {
        place.create_all(names.iter().map(|name| service(name, &[])));
    }
    let claims = scene.namespace();
    scene.may_write_claims(&claims);
    let mut replicas = Replicas::start(&scene, &places[0].name, &claims);
    settles(&places, &mut replicas);

    let began = Instant::now();
    let mut counts: BTreeMap<Failure, usize> = BTreeMap::new();
    // What the second replica has in use, which is never killed: for each of its lives.
    let (mut memory, mut files) = (vec![Vec::new()], Vec::new());
    let mut changes = 0;
    while began.elapsed() < Duration::from_secs(60 * minutes) || counts.is_empty() {
        let mut failures = failures();
        while !failures.is_empty() {
            let failure = failures.swap_remove(dice.below(failures.len()));
            let mut change = || {
                for _ in 0..CHANGES {
                    let place = dice.of(&places);
                    step(&place, &names, &mut dice);
                }
            };
            change();
            println!("{failure:?}");
            replicas.suffer(failure, &places, &mut change);
            change();
            changes += 3 * CHANGES;
            if replicas.tend() {
                memory.push(Vec::new());
            }
            let objects = settles(&places, &mut replicas);
            *counts.entry(failure).or_default() += 1;
            for place in &places {
                place.bystanders_stand();
            }
            let used = replicas.second.memory();
            memory.last_mut().unwrap().push(used);
            files.push(replicas.second.open_files());
            say(&format!(
                "{:4} s: {failure:?}: {objects} objects as expected; the second replica has {used} KiB and {} files",
                began.elapsed().as_secs(),
                files.last().unwrap_or(&0),
            ));
        }
    }
    say(&format!("{changes} changes and these failures in {} s: {counts:?}", began.elapsed().as_secs()));
    let longest = memory.iter().max_by_key(|life| life.len()).unwrap();
    assert!(memory.iter().flatten().all(|used| *used < 64 * 1024), "more than 64 MiB: {memory:?}");
    // The allocator keeps what it once needed, so the first half is compared with the end.
    let (early, late) = longest.split_at(longest.len().div_ceil(2));
    let largest = |part: &[u64]| part.iter().copied().max().unwrap_or_default();
    assert!(largest(late) <= largest(early) + largest(early) / 4, "memory grows: {longest:?}");
    say(&format!("memory of the second replica in the longest of its {} lives: {longest:?}", memory.len()));
    assert!(files.iter().all(|count| *count < 100), "open files: {files:?}");
    scene.end(&[&replicas.first, &replicas.second]);
}
