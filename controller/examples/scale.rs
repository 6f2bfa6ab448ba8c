//! How the controller does with many Services: `make bench-cluster`.
//!
//! In one run on one API server, a bare client creates Ingresses, and the controller applies the same for as many Services
//! that are there already; the ratio of the two times is what counts. Then more Services are made while the controller
//! runs. Numbers of Services are the arguments (default: 1000 10000). With `--claims`, each is measured twice: without and with the
//! ConfigMaps of the claims. The cluster is that of E2E_KUBECONFIG.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the figures are the output")]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use xposer::{Service, Settings, expose};

/// As many requests at once as the controller has.
const AT_ONCE: usize = 16;
/// How long the controller is watched while it has nothing to do.
const QUIET: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(1800);

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let Ok(kubeconfig) = std::env::var("E2E_KUBECONFIG") else {
        eprintln!("skipped: no E2E_KUBECONFIG; `make bench-cluster` starts a cluster");
        return Ok(());
    };
    let (flags, counts): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word == "--claims");
    let counts: Vec<usize> = counts.iter().map(|count| count.parse()).collect::<Result<_, _>>()?;
    let counts = if counts.is_empty() { vec![1000, 10_000] } else { counts };
    let config = Kubeconfig::read_from(&kubeconfig)?;
    let client =
        Client::try_from(Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await?)?;
    let run = std::env::var_os("CLUSTER_RUN").map(PathBuf::from);
    let cluster = Cluster { client, kubeconfig, run };
    for count in counts {
        cluster.measure(count, false).await?;
        if !flags.is_empty() {
            cluster.measure(count, true).await?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Verb {
    Create,
    Apply,
}

struct Cluster {
    client: Client,
    kubeconfig: String,
    /// The folder with the process ids of the cluster, if it runs on this machine (`cluster/with`).
    run: Option<PathBuf>,
}

/// The programs of a cluster on this machine.
const COMPONENTS: [&str; 3] = ["apiserver", "etcd", "controller-manager"];

/// What a phase took: the time on the clock, and that of the processor. The second one depends less on what else the machine does.
struct Cost {
    wall: Duration,
    /// Of the client, and of each component of the cluster, if that runs here.
    cpu: Vec<(&'static str, Duration)>,
}

impl Cost {
    fn print(&self, what: &str, objects: usize) {
        let cpu = self
            .cpu
            .iter()
            .map(|(who, time)| format!("{who} {:.2}", time.as_secs_f64() * 1000.0 / objects as f64));
        let cpu: Vec<String> = cpu.collect();
        println!(
            "  {what:<50}{:>8.2} s; ms of the processor for each: {}",
            self.wall.as_secs_f64(),
            cpu.join(", ")
        );
    }

    fn all_cpu(&self) -> f64 {
        self.cpu.iter().map(|(_, time)| time.as_secs_f64()).sum()
    }
}

/// When a phase began, and the processor time of the components at that time.
struct Meter {
    started: Instant,
    cpu: Vec<(&'static str, Duration)>,
}

impl Meter {
    fn cost(&self, cluster: &Cluster) -> Outcome<Cost> {
        let now = cluster.cpu()?.into_iter().zip(&self.cpu);
        let cpu = now.map(|((who, now), (_, before))| (who, now.saturating_sub(*before))).collect();
        Ok(Cost { wall: self.started.elapsed(), cpu })
    }
}

/// The processor time of a process so far; a tick is 10 ms on Linux.
fn cpu_of(pid: u32) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

fn kind(group: &str, kind: &str, plural: &str) -> ApiResource {
    let api_version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    ApiResource {
        group: group.into(),
        version: "v1".into(),
        api_version,
        kind: kind.into(),
        plural: plural.into(),
    }
}

/// The Service of Stakater's article about Xposer (`examples/forecastle.yaml`), with the given name.
fn service(namespace: &str, index: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": format!("web-{index}"), "namespace": namespace, "labels": {"expose": "true"},
            "annotations": {
                "config.xposer.stakater.com/IngressURLTemplate": "{{.Service}}.{{.Namespace}}.{{.Domain}}",
                "config.xposer.stakater.com/Domain": "example.com",
                "config.xposer.stakater.com/TLS": "true",
                "xposer.stakater.com/annotations": "cert-manager.io/cluster-issuer: letsencrypt\nforecastle.stakater.com/expose: true",
            },
        },
        "spec": {"ports": [{"name": "http", "port": 80}]},
    })
}

fn ingress(service: &Value) -> Outcome<Value> {
    let view = Service::from_value(service);
    let outcome = expose(&view, &Settings::default());
    let plan = outcome.plan().ok_or("the Service of the benchmark is refused")?;
    let emitted = plan.emit();
    Ok(emitted.objects.first().ok_or("no object")?.to_value())
}

impl Cluster {
    async fn measure(&self, count: usize, has_claims: bool) -> Outcome<()> {
        let run = format!("{}-{count}{}", std::process::id(), if has_claims { "-claims" } else { "" });
        let [bare, applied, kept, claims] =
            ["bare", "applied", "kept", "claims"].map(|name| format!("{name}-{run}"));
        let namespaces: Api<DynamicObject> =
            Api::all_with(self.client.clone(), &kind("", "Namespace", "namespaces"));
        for name in [&bare, &applied, &kept, &claims] {
            namespaces
                .create(&PostParams::default(), &serde_json::from_value(json!({"metadata": {"name": name}}))?)
                .await?;
        }
        let services = kind("", "Service", "services");
        let ingresses = kind("networking.k8s.io", "Ingress", "ingresses");

        let objects: Vec<Value> =
            (0..count).map(|index| ingress(&service(&bare, index))).collect::<Outcome<_>>()?;
        let bare_cost = self.make(&ingresses, &bare, objects, Verb::Create).await?;
        let objects: Vec<Value> =
            (0..count).map(|index| ingress(&service(&applied, index))).collect::<Outcome<_>>()?;
        let apply_cost = self.make(&ingresses, &applied, objects, Verb::Apply).await?;
        // What follows finds the same server, with as many Ingresses and nothing else.
        let making = self
            .make(&services, &kept, (0..count).map(|index| service(&kept, index)).collect(), Verb::Create)
            .await?;

        let folder = tempfile::tempdir()?;
        let settings = folder.path().join("settings.yaml");
        let yaml = if has_claims { format!("claims: {{namespace: {claims}}}\n") } else { "{}\n".to_owned() };
        fs::write(&settings, yaml)?;
        let meter = self.meter()?;
        let mut controller = Controller::start(&self.kubeconfig, &settings)?;
        let first = self.until(&controller, 1).await?;
        self.until(&controller, count as u64).await?;
        let mut kept_cost = meter.cost(self)?;
        kept_cost.cpu.push(("controller", controller.cpu()?));
        let found = self.count(&ingresses, &kept).await?;
        if found != count {
            return Err(format!("{found} Ingresses of {count}").into());
        }
        controller.until_quiet().await?;
        let quiet_cost = meter.cost(self)?;
        let (written, metrics) = (controller.writes()?, controller.requests()?);
        let claims_written = controller.claims()?;
        let memory = controller.memory()?;
        let before = controller.cpu()?;
        tokio::time::sleep(QUIET).await;
        let quiet = (controller.cpu()? - before).as_secs_f64() / QUIET.as_secs_f64();
        let writes = controller.writes()? - written;

        println!("{count} Services{}", if has_claims { ", with claims" } else { "" });
        bare_cost.print("a bare client creates the Ingresses in", count);
        apply_cost.print("it applies them (server-side) in", count);
        kept_cost.print("the controller, from its start, has them in", count);
        println!("  the first of them is there after {:.2} s", first.as_secs_f64());
        quiet_cost.print("the same, until its Events are written", count);
        println!(
            "  ratio to creating, and to applying                {:>8.2} {:>8.2}",
            kept_cost.wall.as_secs_f64() / bare_cost.wall.as_secs_f64(),
            kept_cost.wall.as_secs_f64() / apply_cost.wall.as_secs_f64()
        );
        println!(
            "  the same of all processor time                    {:>8.2} {:>8.2}",
            kept_cost.all_cpu() / bare_cost.all_cpu(),
            kept_cost.all_cpu() / apply_cost.all_cpu()
        );
        println!(
            "  writes per Service, without Events                {:>8.3}",
            written as f64 / count as f64
        );
        if has_claims {
            println!(
                "  writes of claims per Service                      {:>8.3} ({claims_written} in all)",
                claims_written as f64 / count as f64
            );
        }
        println!("  requests: {metrics}");
        println!("  memory: {} MiB now, {} MiB at most", memory.0 / 1024, memory.1 / 1024);
        println!(
            "  with nothing to do for {} s: {:.3} % of a core, {writes} writes",
            QUIET.as_secs(),
            quiet * 100.0
        );

        // While it runs: Services appear as fast as they can be made.
        let more = count.min(1000);
        let later: Vec<Value> = (count..count + more).map(|index| service(&kept, index)).collect();
        let started = Instant::now();
        let making_more = self.make(&services, &kept, later, Verb::Create).await?.wall;
        self.until(&controller, (count + more) as u64).await?;
        println!(
            "  {more} more while it runs: the Services are made in {:.2} s, the last Ingress is there {:.2} s later",
            making_more.as_secs_f64(),
            (started.elapsed().saturating_sub(making_more)).as_secs_f64()
        );
        if has_claims {
            controller.until_quiet().await?;
            println!("  writes of claims for these: {}", controller.claims()? - claims_written);
        }
        println!("  (making the {count} Services took {:.2} s)", making.wall.as_secs_f64());
        controller.restart()?;
        tokio::time::sleep(Duration::from_secs(15)).await;
        let memory = controller.memory()?;
        println!(
            "  after a restart: {} writes, {} of claims, {} MiB now, {} MiB at most",
            controller.writes()?,
            controller.claims()?,
            memory.0 / 1024,
            memory.1 / 1024
        );
        drop(controller);
        for name in [&bare, &applied, &kept, &claims] {
            namespaces.delete(name, &DeleteParams::background()).await?;
        }
        // What is still being deleted would be in the way of the next ones.
        while namespaces.get_opt(&kept).await?.is_some() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// Makes all of these, as many at once as the controller does, by creating or by applying them.
    async fn make(
        &self,
        kind: &ApiResource,
        namespace: &str,
        objects: Vec<Value>,
        by: Verb,
    ) -> Outcome<Cost> {
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, kind);
        let (meter, own) = (self.meter()?, cpu_of(std::process::id())?);
        let mut made = stream::iter(objects)
            .map(|object| {
                let api = &api;
                async move {
                    match by {
                        Verb::Create => {
                            let object: DynamicObject = serde_json::from_value(object)?;
                            api.create(&PostParams::default(), &object).await?;
                        }
                        Verb::Apply => {
                            let name =
                                object.pointer("/metadata/name").and_then(Value::as_str).ok_or("no name")?;
                            api.patch(name, &PatchParams::apply("bare"), &Patch::Apply(&object)).await?;
                        }
                    }
                    Ok::<(), Box<dyn Error>>(())
                }
            })
            .buffer_unordered(AT_ONCE);
        while let Some(made) = made.next().await {
            made?;
        }
        let mut cost = meter.cost(self)?;
        cost.cpu.push(("client", cpu_of(std::process::id())?.saturating_sub(own)));
        Ok(cost)
    }

    /// Begins to measure.
    fn meter(&self) -> Outcome<Meter> {
        Ok(Meter { started: Instant::now(), cpu: self.cpu()? })
    }

    /// The processor time of the components so far; none if the cluster does not run here.
    fn cpu(&self) -> Outcome<Vec<(&'static str, Duration)>> {
        let Some(run) = &self.run else { return Ok(Vec::new()) };
        let cpu = COMPONENTS.iter().map(|component| {
            let pid = fs::read_to_string(run.join(format!("{component}.pid")))?;
            Ok((*component, cpu_of(pid.trim().parse()?)?))
        });
        cpu.collect()
    }

    /// How many objects a namespace has; asks for one of them, and how many more there are.
    async fn count(&self, kind: &ApiResource, namespace: &str) -> Outcome<usize> {
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, kind);
        let list = api.list(&ListParams::default().limit(1)).await?;
        let more = list.metadata.remaining_item_count.unwrap_or_default();
        Ok(list.items.len() + usize::try_from(more)?)
    }

    /// Waits until the controller has written that many objects, which it says itself: a question to the API server costs it the more,
    /// the more objects it has.
    async fn until(&self, controller: &Controller, written: u64) -> Outcome<Duration> {
        let started = Instant::now();
        loop {
            let found = controller.written()?;
            if found >= written {
                return Ok(started.elapsed());
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("{found} after {} s", PATIENCE.as_secs()).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The controller, as a process.
struct Controller {
    kubeconfig: String,
    settings: PathBuf,
    process: Child,
    address: String,
}

impl Controller {
    fn start(kubeconfig: &str, settings: &Path) -> Outcome<Self> {
        let program: PathBuf = std::env::current_exe()?.with_file_name("../xposer-controller");
        let mut process = Command::new(program)
            .args(["--address", "127.0.0.1:0", "--log-format", "json", "--settings"])
            .arg(settings)
            .env("KUBECONFIG", kubeconfig)
            .stderr(Stdio::piped())
            .spawn()?;
        let log = process.stderr.take().ok_or("no log")?;
        let mut lines = BufReader::new(log).lines();
        let address = loop {
            let line = lines.next().ok_or("the controller ended")??;
            let line: Value = serde_json::from_str(&line)?;
            if let Some(address) = line.get("address").and_then(Value::as_str) {
                break address.to_owned();
            }
        };
        // Somebody has to read the rest, or it could not be written.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { kubeconfig: kubeconfig.to_owned(), settings: settings.to_owned(), process, address })
    }

    fn restart(&mut self) -> Outcome<()> {
        let new = Self::start(&self.kubeconfig, &self.settings)?;
        drop(std::mem::replace(self, new));
        Ok(())
    }

    fn metrics(&self) -> Outcome<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: controller\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// How many Services it has written something for.
    fn written(&self) -> Outcome<u64> {
        let metrics = self.metrics()?;
        let mut written =
            metrics.lines().filter(|line| line.starts_with("xposer_reconciles_total{result=\"written\"}"));
        Ok(written.next().and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default())
    }

    /// How often it has written a ConfigMap of the claims.
    fn claims(&self) -> Outcome<u64> {
        let metrics = self.metrics()?;
        let mut lines = metrics.lines().filter(|line| line.starts_with("xposer_claims_writes_total "));
        Ok(lines.next().and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default())
    }

    /// Requests that change something, without Events and claims.
    fn writes(&self) -> Outcome<u64> {
        let is_write = |line: &&str| {
            line.starts_with("xposer_api_requests_total")
                && ["create", "apply", "patch", "delete"].iter().any(|verb| line.contains(verb))
                && !line.contains("Event")
                && !line.contains("ConfigMap")
        };
        let metrics = self.metrics()?;
        let counts =
            metrics.lines().filter(is_write).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        Ok(counts.sum())
    }

    /// Waits until it asks for nothing any more: Events come after everything else.
    async fn until_quiet(&self) -> Outcome<()> {
        loop {
            let before = self.requests()?;
            tokio::time::sleep(Duration::from_secs(5)).await;
            if self.requests()? == before {
                return Ok(());
            }
        }
    }

    fn requests(&self) -> Outcome<String> {
        let mut message = String::new();
        for line in self.metrics()?.lines().filter(|line| line.starts_with("xposer_api_requests_total")) {
            write!(message, "{} ", line.trim_start_matches("xposer_api_requests_total"))?;
        }
        Ok(message)
    }

    /// KiB now, and at most.
    fn memory(&self) -> Outcome<(u64, u64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        Ok((field("VmRSS:").ok_or("no VmRSS")?, field("VmHWM:").ok_or("no VmHWM")?))
    }

    fn cpu(&self) -> Outcome<Duration> {
        cpu_of(self.process.id())
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
