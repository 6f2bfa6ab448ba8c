//! The controller as a process: started, asked, stopped and killed like any other.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use xposer::Settings;

use crate::cluster::eventually;

/// How many lines of the log a failed test shows.
const SHOWN: usize = 60;
/// How much of a line.
const WIDTH: usize = 400;

/// Words for the command line.
pub(crate) type Words<'w> = &'w [&'w str];

/// A controller that runs; it is killed when the test lets go of it, whatever became of the test.
pub(crate) struct Controller {
    child: Child,
    address: String,
    log: Captured,
    settings: PathBuf,
}

/// What a program wrote to one of its outputs, up to now.
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

    /// All of it, after the program has ended.
    fn finished(mut self) -> String {
        self.reader.take().unwrap().join().unwrap();
        self.text()
    }
}

/// The program with the environment of a container, in which nothing of ours is but what `E2E_LOG` says for `RUST_LOG`.
fn program(kubeconfig: &Path, settings: &Path, words: Words<'_>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xposer-controller"));
    command.env_clear().env("KUBECONFIG", kubeconfig);
    if let Some(filter) = std::env::var_os("E2E_LOG") {
        command.env("RUST_LOG", filter);
    }
    command.arg("--settings").arg(settings).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run with `--once` or `--dry-run` said.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program to its end.
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

/// How a program ended by itself, if it did in a minute.
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

impl Controller {
    /// Starts it, and returns at once.
    pub(crate) fn spawn(kubeconfig: &Path, settings: &Path, words: Words<'_>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let mut command = program(kubeconfig, settings, words);
        let mut child = command.args(["--address", &address]).spawn().unwrap();
        let log = Captured::new(child.stderr.take().unwrap());
        drop(child.stdout.take());
        Self { child, address, log, settings: settings.to_owned() }
    }

    /// Waits until it says that it works.
    #[track_caller]
    pub(crate) fn ready(self) -> Self {
        eventually("the controller is ready", || match self.ask("/readyz") {
            (200, _) => Ok(()),
            (code, said) => Err(format!("{code} {said}")),
        });
        self
    }

    /// Asks its own server. Where it does not listen, the answer is 0.
    pub(crate) fn ask(&self, path: &str) -> (u16, String) {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(&self.address)?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        match ask() {
            Ok(answer) => {
                let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
                let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
                (code, body.to_owned())
            }
            Err(error) => (0, error.to_string()),
        }
    }

    /// Its metrics, a sample each: the name with the labels, and the value.
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

    /// The sum of the samples with this name, and with all of these words among their labels.
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let metrics = self.metrics();
        let of_name = metrics.iter().filter(|(sample, _)| sample.split('{').next() == Some(name));
        of_name
            .filter(|(sample, _)| labels.iter().all(|label| sample.contains(label)))
            .map(|(_, it)| it)
            .sum()
    }

    /// Waits until a sum of samples is this; gauges follow what they show a moment later.
    #[track_caller]
    pub(crate) fn shows(&self, name: &str, labels: &[&str], expected: f64) {
        eventually(&format!("{name} {labels:?} is {expected}"), || match self.metric(name, labels) {
            seen if (seen - expected).abs() < 0.5 => Ok(()),
            seen => Err(seen.to_string()),
        });
    }

    /// What it has asked the API server to change, by the verb and the kind. Its own lease does not count.
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

    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the log says something.
    #[track_caller]
    pub(crate) fn says(&self, said: &str) {
        eventually(&format!("the log says {said:?}"), || match self.log() {
            log if log.contains(said) => Ok(()),
            log => Err(tail(&log)),
        });
    }

    /// Writes the settings anew, as a person with an editor does.
    pub(crate) fn change_settings(&self, yaml: &str) {
        let new = self.settings.with_extension("new");
        fs::write(&new, yaml).unwrap();
        fs::rename(new, &self.settings).unwrap();
    }

    /// The settings as they are in the file.
    pub(crate) fn settings(&self) -> Settings {
        let text = fs::read_to_string(&self.settings).unwrap();
        xposer_manifest::settings("settings", text).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    /// Sends it a signal, for example `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success(), "kill -s {name}");
    }

    /// Kills it: it has no time for anything any more.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself, and gives its exit code.
    #[track_caller]
    pub(crate) fn exits(&mut self) -> Option<i32> {
        end(&mut self.child).expect("it ends").code()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have ended.
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
