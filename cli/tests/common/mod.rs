//! Runs the program, as a process or within the test, and compares with what was blessed.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![allow(dead_code, unreachable_pub, reason = "every test uses a part of this")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xposer_cli::{Console, Terminal};

/// What is rendered for the Service `web`.
pub const INGRESS_OF_WEB: &str = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  labels:
    app.kubernetes.io/managed-by: xposer
    xposer.stakater.com/service: web
  name: web
  namespace: shop
spec:
  rules:
  - host: web.example.com
    http:
      paths:
      - backend:
          service:
            name: web
            port:
              number: 80
        path: /
        pathType: Prefix
";

/// What a run left behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit status\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

/// The program, to be run in `directory` with nothing of this environment that could colour its output.
pub fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xposer"));
    command.args(arguments).current_dir(directory).env_remove("NO_COLOR").env("TERM", "xterm");
    command
}

/// Runs the program as a process.
pub fn xposer_in(directory: &Path, arguments: &[&str], stdin: &str) -> Ran {
    let mut command = command(directory, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = stdin.to_owned();
    // A program that does not read its input closes the pipe, which is its right.
    let writer = std::thread::spawn(move || drop(input.write_all(text.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the program as a process, in the folder of the package.
pub fn xposer(arguments: &[&str], stdin: &str) -> Ran {
    xposer_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments, stdin)
}

/// Runs the program within the test.
pub fn run(arguments: &[&str], stdin: &str, terminal: Terminal) -> Ran {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let console =
        Console { stdin: &mut stdin.as_bytes(), stdout: &mut stdout, stderr: &mut stderr, terminal };
    let code = xposer_cli::run(["xposer"].iter().chain(arguments), console);
    Ran {
        code: code.into(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// An empty folder for the files of a test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Compares with a file; with `BLESS=1` in the environment, writes it.
#[track_caller]
pub fn golden(file: &Path, actual: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, actual).unwrap();
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(actual, expected, "{} (BLESS=1 accepts the left one)", file.display());
}

/// A Service that is exposed as `<name>.example.com`.
pub fn service(name: &str) -> String {
    exposed(name, &format!("{name}.example.com"))
}

/// A Service whose URL template is this.
pub fn exposed(name: &str, url: &str) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: shop
  labels: {{expose: 'true'}}
  annotations:
    config.xposer.stakater.com/IngressURLTemplate: {url:?}
spec:
  ports: [{{name: http, port: 80}}]
"
    )
}
