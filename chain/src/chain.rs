//! The chain: it starts the programs of the table. `namespace` and `requests` have the operations of tests.

use std::collections::BTreeSet;
use std::future::Future;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use tokio::runtime::Runtime;
use tokio_rustls::rustls::ClientConfig;

use crate::backends::Backends;
use crate::cluster::{Cluster, NAMESPACE, SECRET, documents, has_condition, name_of};
use crate::controller::{self, Controller, root};
use crate::http::{self, Server};
use crate::process::Process;
use crate::programs::{self, AUTHENTICATE, CERT_MANAGER, NAMED, Place, Program, UPTIME_ROBOT};
use crate::uptime_robot::UptimeRobot;
use crate::wait::{say, wait_for};
use crate::{authenticate, dns};

/// The label of the namespaces of tests. A run removes those that an earlier run left.
pub(crate) const LABEL: &str = "xposer-chain";
/// The maximum time until the chain is ready.
const SETTLED: Duration = Duration::from_secs(60);

/// All running programs around our controller.
pub struct Chain {
    runtime: Runtime,
    run: PathBuf,
    cluster: Cluster,
    identity: PathBuf,
    programs: Vec<(&'static Program, Process)>,
    trust: OnceLock<Arc<ClientConfig>>,
    uptime_robot: UptimeRobot,
    _stand_ins: [Server; 2],
}

impl Chain {
    /// Returns the chain in the current Linux namespaces. Its programs are started once.
    #[track_caller]
    pub fn get() -> &'static Self {
        static CHAIN: OnceLock<Chain> = OnceLock::new();
        CHAIN.get_or_init(|| Self::open().unwrap_or_else(|error| panic!("the chain: {error:#}")))
    }

    /// Starts everything.
    fn open() -> Result<Self> {
        let began = Instant::now();
        let (Some(run), Some(_)) = (env::var_os("CHAIN_RUN"), env::var_os("CHAIN_INSIDE")) else {
            bail!("chain/with runs a command inside of a chain; `make e2e-chain` does it")
        };
        let run = PathBuf::from(run).canonicalize()?;
        let runtime = Runtime::new()?;
        let kubeconfig = run.join("cluster/kubeconfig");
        let cluster = Cluster::open(runtime.handle().clone(), kubeconfig)?;
        let uptime_robot = UptimeRobot::default();
        let stand_ins = {
            let _inside = runtime.enter();
            let robot = uptime_robot.clone();
            let tls = http::self_signed(&run)?;
            runtime.spawn(Backends::run(cluster.client(), tls));
            [
                http::serve(UPTIME_ROBOT, 80, None, move |request, _| robot.answer(request))?,
                http::serve(AUTHENTICATE, 80, None, |request, _| authenticate::answer(request))?,
            ]
        };
        let identity = controller::deploy(&run, cluster.kubeconfig())?;
        let mut chain = Self {
            runtime,
            run,
            cluster,
            identity,
            programs: Vec::new(),
            trust: OnceLock::new(),
            uptime_robot,
            _stand_ins: stand_ins,
        };
        chain.sweep()?;
        chain.start_programs()?;
        chain.settle()?;
        say(&format!(
            "chain: {} programs run after {:.1} s",
            chain.programs.len(),
            began.elapsed().as_secs_f64()
        ));
        Ok(chain)
    }

    /// Removes the namespaces that an earlier run left.
    fn sweep(&self) -> Result<()> {
        for left in self.cluster.list_labelled(NAMESPACE, None, LABEL)? {
            self.cluster.delete_namespace(name_of(&left))?;
        }
        Ok(())
    }

    fn start_programs(&mut self) -> Result<()> {
        let bin = root().join(".tools/chain/bin");
        let mut found = Vec::new();
        for program in programs::chosen()? {
            match program.find(&bin) {
                Some(binary) => found.push((program, binary)),
                None if program.is_optional() => say(&format!("skipped: no {}", program.name)),
                None => bail!("there is no {}; chain/build builds it", program.name),
            }
        }
        self.define()?;
        for (program, binary) in found {
            let folder = self.run.join("programs").join(program.name);
            let place = Place { folder: &folder, kubeconfig: self.cluster.kubeconfig(), bin: &bin };
            let process = Process::new(program.name, folder.clone(), program.start(binary, &place)?)?;
            if program.name == NAMED {
                dns::empty_zones(&folder)?;
                dns::configure(&folder, true)?;
            }
            self.cluster.apply_yaml("default", &place.fill(program.objects))?;
            program.prepare(&place)?;
            process.spawn()?;
            self.programs.push((program, process));
        }
        for (_, process) in &self.programs {
            process.wait_ready()?;
        }
        Ok(())
    }

    /// Creates the CustomResourceDefinitions of the programs, unless an earlier run did. A kind that `cluster/up` defines is not
    /// changed.
    fn define(&self) -> Result<()> {
        let done = self.run.join("cluster/defined-kinds");
        if done.exists() {
            return Ok(());
        }
        let folder = root().join(".tools/chain/crds").canonicalize()?.display().to_string();
        let files = ["--recursive", "--filename", &folder];
        if let Err(error) = self.kubectl(&[&["create"], &files[..]].concat(), "") {
            let text = format!("{error:#}");
            let is_known = |line: &str| line.contains("AlreadyExists");
            ensure!(text.lines().all(is_known), "{text}");
        }
        self.kubectl(&[&["wait", "--for=condition=established", "--timeout=60s"], &files[..]].concat(), "")?;
        Ok(fs::write(done, "")?)
    }

    /// Waits until the preconditions of the tests are met: the certificate authority, and the objects of the table.
    fn settle(&self) -> Result<()> {
        if self.programs.iter().any(|(program, _)| program.name == CERT_MANAGER) {
            let authority = wait_for(SETTLED, "cert-manager issues the authority", || self.authority())?;
            fs::write(self.run.join("ca.crt"), &authority)?;
            let _ = self.trust.set(http::trust(&authority)?);
        }
        for (program, process) in &self.programs {
            for object in documents(program.objects)? {
                // These kinds have a condition for their readiness.
                let condition = match object["kind"].as_str() {
                    Some("ClusterIssuer" | "Certificate") => "Ready",
                    Some("Gateway") => "Accepted",
                    _ => continue,
                };
                let namespace = object["metadata"]["namespace"].as_str();
                let what = format!("{} {} is {condition}", object["kind"], name_of(&object));
                wait_for(SETTLED, &what, || {
                    has_condition(&self.cluster.refresh(namespace, &object)?, condition)
                })
                .with_context(|| process.log_tail())?;
            }
        }
        Ok(())
    }

    fn authority(&self) -> Result<String> {
        let secret =
            self.cluster.find(SECRET, Some("cert-manager"), "ca")?.context("there is no Secret ca")?;
        let encoded = secret["data"]["tls.crt"].as_str().context("no tls.crt")?.to_owned();
        let bytes: k8s_openapi::ByteString = serde_json::from_value(encoded.into())?;
        Ok(String::from_utf8(bytes.0)?)
    }

    /// Starts our controller with these settings. Only one can run at a time.
    #[track_caller]
    pub fn controller(&self, settings: &str) -> Controller {
        self.controller_with(settings, &[])
    }

    /// Starts our controller with these settings and flags.
    #[track_caller]
    pub fn controller_with(&self, settings: &str, flags: &[&str]) -> Controller {
        Controller::start(&self.run, &self.identity, settings, flags)
            .unwrap_or_else(|error| panic!("the controller: {error:#}"))
    }

    /// Returns a running program.
    #[track_caller]
    pub fn program(&self, name: &str) -> &Process {
        self.running(name).unwrap_or_else(|| panic!("{name} does not run"))
    }

    /// Whether a program runs.
    pub fn runs(&self, name: &str) -> bool {
        self.running(name).is_some()
    }

    /// All programs that were started.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.programs.iter().map(|(_, process)| process)
    }

    fn running(&self, name: &str) -> Option<&Process> {
        self.programs.iter().find(|(program, _)| program.name == name).map(|(_, process)| process)
    }

    /// Whether an optional program runs. Otherwise prints that something is skipped.
    pub fn has(&self, name: &str) -> bool {
        if !self.runs(name) {
            say(&format!("skipped: no {name}"));
        }
        self.runs(name)
    }

    /// Returns the classes that are served, with their addresses.
    pub fn fronts(&self) -> Vec<programs::Front> {
        self.programs.iter().flat_map(|(program, _)| program.serves.iter().copied()).collect()
    }

    /// Returns the address at which a class is served.
    #[track_caller]
    pub fn address(&self, class: &str) -> IpAddr {
        let front = self.fronts().into_iter().find(|front| front.class == class);
        front.unwrap_or_else(|| panic!("no program serves {class}")).address.into()
    }

    /// The API server.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Runs `kubectl` as the administrator, with a text as its input, and returns its output.
    pub fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut kubectl = Command::new("kubectl");
        kubectl.arg("--kubeconfig").arg(self.cluster.kubeconfig()).args(arguments);
        let streams = kubectl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = streams.spawn().context("kubectl")?;
        // The input is closed at once, so that kubectl sees its end.
        running.stdin.take().context("no input")?.write_all(input.as_bytes())?;
        let output = running.wait_with_output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ensure!(output.status.success(), "kubectl {arguments:?}: {}", text(&output.stderr));
        Ok(text(&output.stdout))
    }

    /// The folder of this run.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// The stand-in for UptimeRobot.
    pub fn uptime_robot(&self) -> &UptimeRobot {
        &self.uptime_robot
    }

    /// Returns the addresses of a name; none if there is no such name.
    #[track_caller]
    pub fn dns(&self, name: &str) -> Vec<IpAddr> {
        dns::addresses(name).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Returns all records of all zones, each as `name TTL type value`.
    #[track_caller]
    pub fn records(&self) -> BTreeSet<String> {
        dns::records().unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Configures the DNS server to accept or refuse updates.
    #[track_caller]
    pub fn accept_updates(&self, accepts: bool) {
        let server = self.program(NAMED);
        let configured = dns::configure(server.folder(), accepts);
        configured.unwrap_or_else(|error| panic!("{error:#}"));
        server.reload();
    }

    /// Starts or resumes the programs that a failed test left stopped or paused.
    #[track_caller]
    pub fn restore(&self) {
        for (_, process) in &self.programs {
            if process.runs() {
                process.resume();
            } else {
                process.start();
            }
        }
        self.accept_updates(true);
    }

    /// Prints the last lines of each program's log.
    pub fn report(&self) {
        for (_, process) in &self.programs {
            say(&process.log_tail());
        }
    }

    pub(crate) fn trust(&self) -> Result<Arc<ClientConfig>> {
        self.trust.get().cloned().context("there is no authority, because cert-manager does not run")
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub(crate) fn spawn(
        &self,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        self.runtime.spawn(future)
    }
}
