//! The controller as a process.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use xposer::Settings;
use xposer_testkit::net::free_address;

use crate::cluster::eventually;

/// How many lines of the log a failed test shows.
const SHOWN: usize = 4000;
/// How many characters of a line it shows.
const WIDTH: usize = 400;

/// Arguments of the command line.
pub(crate) type Words<'w> = &'w [&'w str];

/// A running controller. It is killed on drop.
pub(crate) struct Controller {
    child: Child,
    address: String,
    log: Captured,
    settings: PathBuf,
}

/// What a program has written to one of its outputs so far.
struct Captured {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Captured {
    fn new(mut output: impl Read + Send + 'static) -> Self {
        let text: Arc<Mutex<String>> = Arc::default();
        let shared = text.clone();
        let read = move || {
            let mut piece = [0; 8192];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        };
        Self { text, reader: Some(std::thread::spawn(read)) }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// The whole output, after the program has ended.
    fn finished(mut self) -> String {
        self.reader.take().unwrap().join().unwrap();
        self.text()
    }
}

/// Where the program is. In the tests of another package, cargo does not say it; there it is beside the folder of the test.
fn executable() -> PathBuf {
    option_env!("CARGO_BIN_EXE_xposer-controller").map_or_else(
        || std::env::current_exe().unwrap().with_file_name("../xposer-controller"),
        PathBuf::from,
    )
}

/// The program with an empty environment, except for `RUST_LOG`, which `E2E_LOG` sets.
fn program(kubeconfig: &Path, settings: &Path, words: Words<'_>) -> Command {
    let mut command = Command::new(executable());
    command.env_clear().env("KUBECONFIG", kubeconfig);
    if let Some(filter) = std::env::var_os("E2E_LOG") {
        command.env("RUST_LOG", filter);
    }
    command.arg("--settings").arg(settings).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The outputs and the exit status of a run with `--once` or `--dry-run`.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program until it ends.
pub(crate) fn run(kubeconfig: &Path, settings: &Path, words: Words<'_>) -> Done {
    let mut child = program(kubeconfig, settings, words).args(["--address", "127.0.0.1:0"]).spawn().unwrap();
    let stdout = Captured::new(child.stdout.take().unwrap());
    let stderr = Captured::new(child.stderr.take().unwrap());
    let ended = end(&mut child);
    if ended.is_none() {
        child.kill().unwrap();
    }
    let (stdout, stderr) = (stdout.finished(), stderr.finished());
    println!("{words:?} gave {ended:?}\n{stdout}{stderr}");
    let code = ended.unwrap_or_else(|| panic!("{words:?} did not end")).code().unwrap_or(-1);
    Done { code, stdout, stderr }
}

/// The exit status of a program that ends within a minute.
fn end(child: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// Sends a request to a server. Returns the status, which is 0 if nobody listens, the headers, and the body or the error.
pub(crate) fn ask(address: &str, method: &str, host: &str, path: &str) -> (u16, String, String) {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    match ask() {
        Ok(answer) => {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
            let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
            (code, head.to_ascii_lowercase(), body.to_owned())
        }
        Err(error) => (0, String::new(), error.to_string()),
    }
}

impl Controller {
    /// Starts the controller, and returns at once.
    pub(crate) fn spawn(kubeconfig: &Path, settings: &Path, words: Words<'_>) -> Self {
        Self::spawn_with(kubeconfig, settings, words, &[])
    }

    /// The same with these variables of its environment.
    pub(crate) fn spawn_with(
        kubeconfig: &Path,
        settings: &Path,
        words: Words<'_>,
        environment: &[(&str, &Path)],
    ) -> Self {
        let address = free_address().unwrap().to_string();
        let mut command = program(kubeconfig, settings, words);
        command.envs(environment.iter().copied());
        // A library that moves the clock reads its file each time, and leaves the clock alone by which the program waits.
        command.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
        let mut child = command.args(["--address", &address]).spawn().unwrap();
        let log = Captured::new(child.stderr.take().unwrap());
        drop(child.stdout.take());
        Self { child, address, log, settings: settings.to_owned() }
    }

    /// Waits until `/readyz` says that it is ready.
    #[track_caller]
    pub(crate) fn ready(self) -> Self {
        eventually("the controller is ready", || match self.ask("/readyz") {
            (200, _) => Ok(()),
            (code, said) => Err(format!("{code} {said}")),
        });
        self
    }

    /// Sends a request to its HTTP server. The status is 0 if it does not listen.
    pub(crate) fn ask(&self, path: &str) -> (u16, String) {
        let (code, _, body) = ask(&self.address, "GET", "localhost", path);
        (code, body)
    }

    /// Its metrics: of each sample, the name with the labels, and the value.
    pub(crate) fn metrics(&self) -> Vec<(String, f64)> {
        let (code, text) = self.ask("/metrics");
        assert_eq!(code, 200, "{text}");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples
            .map(|line| {
                let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
                (sample.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
            })
            .collect()
    }

    /// The sum of the samples with this name and all of these labels.
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let metrics = self.metrics();
        let of_name = metrics.iter().filter(|(sample, _)| sample.split('{').next() == Some(name));
        of_name
            .filter(|(sample, _)| labels.iter().all(|label| sample.contains(label)))
            .map(|(_, it)| it)
            .sum()
    }

    /// Waits until a sum of samples has this value, because gauges are updated with a delay.
    #[track_caller]
    pub(crate) fn shows(&self, name: &str, labels: &[&str], expected: f64) {
        eventually(&format!("{name} {labels:?} is {expected}"), || match self.metric(name, labels) {
            seen if (seen - expected).abs() < 0.5 => Ok(()),
            seen => Err(seen.to_string()),
        });
    }

    /// The number of its write requests by verb and kind, without those for its Lease.
    pub(crate) fn writes(&self) -> Vec<(String, f64)> {
        let reads = ["\"get\"", "\"list\"", "\"watch\"", "\"Lease\""];
        let is_write = |sample: &str| {
            sample.starts_with("xposer_api_requests_total{") && !reads.iter().any(|it| sample.contains(it))
        };
        let mut writes = self.metrics();
        writes.retain(|(sample, _)| is_write(sample));
        writes.sort_by(|(left, _), (right, _)| left.cmp(right));
        writes
    }

    /// The processor time that it has used so far, if this machine says so (Linux).
    pub(crate) fn cpu(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // After the name in parentheses; a tick is 10 ms.
        let ticks = stat.rsplit(')').next()?.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Some(Duration::from_millis(ticks * 10))
    }

    /// The memory that it has in use, in KiB; 0 if this machine does not say it.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
    }

    /// How many files and connections it has open; 0 if this machine does not say it.
    pub(crate) fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the log contains a text.
    #[track_caller]
    pub(crate) fn says(&self, message: &str) {
        eventually(&format!("the log says {message:?}"), || match self.log() {
            log if log.contains(message) => Ok(()),
            log => Err(tail(&log)),
        });
    }

    /// Replaces the settings file.
    pub(crate) fn change_settings(&self, yaml: &str) {
        let new = self.settings.with_extension("new");
        fs::write(&new, yaml).unwrap();
        fs::rename(new, &self.settings).unwrap();
    }

    /// The settings in the file.
    pub(crate) fn settings(&self) -> Settings {
        let text = fs::read_to_string(&self.settings).unwrap();
        xposer_manifest::settings("settings", text).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    /// Sends a signal, for example `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success(), "kill -s {name}");
    }

    /// Kills it with `KILL`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it ends, and returns its exit code.
    #[track_caller]
    pub(crate) fn exits(&mut self) -> Option<i32> {
        end(&mut self.child).expect("it ends").code()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("the log of the controller at {}:\n{}", self.address, tail(&self.log()));
        }
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let cut = |line: &&str| line.chars().take(WIDTH).collect::<String>();
    lines[lines.len().saturating_sub(SHOWN)..].iter().map(cut).collect::<Vec<_>>().join("\n")
}
