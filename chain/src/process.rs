//! A program as a process, with a folder for its files, its log and its process id.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::wait::wait_for;

/// The maximum time until a program is ready, and until it ends.
const START: Duration = Duration::from_secs(60);
const END: Duration = Duration::from_secs(20);
/// The number of lines of a log, and of characters of a line, that a failed test shows.
const LINES: usize = 20;
const WIDTH: usize = 400;

/// The readiness check of a program.
#[derive(Clone, Debug)]
pub(crate) enum Ready {
    /// It responds with 200.
    Http { address: SocketAddr, path: String },
    /// It accepts connections.
    Tcp(SocketAddr),
    /// It runs.
    Runs,
}

/// The program to start, with its arguments and environment.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) ready: Ready,
}

/// A program that can be started, stopped and paused. Dropping it ends it.
pub struct Process {
    name: String,
    folder: PathBuf,
    start: Start,
    child: Mutex<Option<Child>>,
}

impl Process {
    /// Returns a process that does not run yet. A process that an earlier run left in this folder is killed.
    pub(crate) fn new(name: &str, folder: PathBuf, start: Start) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let process = Self { name: name.to_owned(), folder, start, child: Mutex::default() };
        process.end_leftover()?;
        Ok(process)
    }

    fn end_leftover(&self) -> Result<()> {
        let Ok(text) = fs::read_to_string(self.folder.join("pid")) else { return Ok(()) };
        let id = Pid::from_raw(text.trim().parse().with_context(|| format!("the id of {}", self.name))?);
        // The kernel reuses ids, so check that the process runs in this folder.
        let is_ours = || fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|cwd| cwd == self.folder);
        if is_ours() {
            // It may end by itself in the meantime.
            let _ = killpg(id, Signal::SIGKILL);
            wait_for(END, "a process of an earlier run ends", || {
                ensure!(!is_ours(), "{} is still {id}", self.name);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The name in the table of programs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that is run.
    pub fn binary(&self) -> &Path {
        &self.start.program
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Starts it, and returns at once.
    pub(crate) fn spawn(&self) -> Result<()> {
        ensure!(!self.runs(), "{} runs already", self.name);
        let mut child = self.child();
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let mut command = Command::new(&self.start.program);
        command.args(&self.start.arguments).current_dir(&self.folder).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &self.folder);
        command.envs(self.start.environment.iter().map(|(name, value)| (name, value)));
        // A group of its own, so that Ctrl-C reaches only the tests, and so that its children end with it.
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let started = spawn(command).with_context(|| self.start.program.display().to_string())?;
        fs::write(self.folder.join("pid"), started.id().to_string())?;
        *child = Some(started);
        Ok(())
    }

    /// Waits until it is ready.
    pub(crate) fn wait_ready(&self) -> Result<()> {
        wait_for(START, &format!("{} is ready", self.name), || {
            if let Some(status) = self.exit_status() {
                return Err(anyhow::anyhow!("it ended by itself: {status}"));
            }
            match &self.start.ready {
                Ready::Http { address, path } => match get(*address, path)? {
                    (200, _) => Ok(()),
                    (status, body) => bail!("{path} answers {status} {body}"),
                },
                Ready::Tcp(address) => {
                    TcpStream::connect_timeout(address, Duration::from_secs(1))?;
                    Ok(())
                }
                Ready::Runs => Ok(()),
            }
        })
        .with_context(|| self.log_tail())
    }

    fn exit_status(&self) -> Option<std::process::ExitStatus> {
        self.child().as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        // The lock of a failed test can be used, because the value is never half changed.
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, signal: Signal) -> Result<()> {
        let child = self.child();
        let child = child.as_ref().with_context(|| format!("{} does not run", self.name))?;
        Ok(kill(id_of(child)?, signal)?)
    }

    fn end(&self, signal: Signal) -> Result<()> {
        let Some(mut child) = self.child().take() else { return Ok(()) };
        let id = id_of(&child)?;
        // It may have ended by itself. A paused process has to continue before it handles the signal.
        let _ = kill(id, signal);
        let _ = kill(id, Signal::SIGCONT);
        let deadline = Instant::now() + END;
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                child.kill()?;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // This ends its child processes.
        let _ = killpg(id, Signal::SIGKILL);
        Ok(())
    }

    /// Starts it, and waits until it is ready.
    #[track_caller]
    pub fn start(&self) {
        self.done(self.spawn().and_then(|()| self.wait_ready()));
    }

    /// Stops it gracefully, and waits until it has ended.
    #[track_caller]
    pub fn stop(&self) {
        self.done(self.end(Signal::SIGTERM));
    }

    /// Kills it.
    #[track_caller]
    pub fn kill(&self) {
        self.done(self.end(Signal::SIGKILL));
    }

    /// Stops it and starts it again.
    #[track_caller]
    pub fn restart(&self) {
        self.stop();
        self.start();
    }

    /// Pauses it. Its connections stay open.
    #[track_caller]
    pub fn pause(&self) {
        self.done(self.send(Signal::SIGSTOP));
    }

    /// Resumes it after a pause.
    #[track_caller]
    pub fn resume(&self) {
        self.done(self.send(Signal::SIGCONT));
    }

    /// Sends HUP, at which some programs read their configuration again.
    #[track_caller]
    pub fn reload(&self) {
        self.done(self.send(Signal::SIGHUP));
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.exit_status().is_none() && self.child().is_some()
    }

    #[track_caller]
    fn done(&self, result: Result<()>) {
        result.unwrap_or_else(|error| panic!("{}: {error:#}", self.name));
    }

    /// The whole log.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The last lines of the log.
    pub fn log_tail(&self) -> String {
        let read = || -> Result<String> {
            let mut file = File::open(self.log_path())?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(64 * 1024)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let text = read().unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.iter().skip(lines.len().saturating_sub(LINES));
        let cut: Vec<String> = last.map(|line| line.chars().take(WIDTH).collect()).collect();
        format!("--- the last lines of {}:\n{}", self.name, cut.join("\n"))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error cannot be reported here.
        let _ = self.end(Signal::SIGKILL);
    }
}

/// Runs a command until it ends, and returns its output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| name.clone())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(output.status.success(), "{name}: {}{}", text(&output.stdout), text(&output.stderr));
    Ok(text(&output.stdout))
}

/// Starts a process from a permanent thread. The kernel kills an Envoy when the thread that started it ends, and each test has its
/// own thread.
fn spawn(command: Command) -> Result<Child> {
    type Job = (Command, Sender<std::io::Result<Child>>);
    static JOBS: LazyLock<Mutex<Sender<Job>>> = LazyLock::new(|| {
        let (jobs, received) = channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, answer) in received {
                // The caller may have ended.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(jobs)
    });
    let (answer, answered) = channel();
    JOBS.lock().unwrap_or_else(PoisonError::into_inner).send((command, answer))?;
    Ok(answered.recv()??)
}

fn id_of(child: &Child) -> Result<Pid> {
    Ok(Pid::from_raw(child.id().try_into()?))
}

/// Sends a GET request to a program. Returns the status and the body of the response.
pub(crate) fn get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
    let status = head.split(' ').nth(1).context("no status")?;
    Ok((status.parse()?, body.to_owned()))
}
