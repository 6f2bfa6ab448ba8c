//! Our controller: the release build, with the permissions of `deploy/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::process::{Process, Ready, Start, output};
use crate::wait::say;

/// The chain has its own network namespace, so fixed ports are free.
const ADDRESS: &str = "127.0.0.1:8090";
/// The service account of `deploy/`.
const ACCOUNT: [&str; 2] = ["xposer-system", "xposer-controller"];
/// The components of `deploy/` that the chain installs.
const COMPONENTS: [&str; 6] = ["envoy-gateway", "httproute", "monitor", "route", "stamp", "traefik"];

/// A running controller. It ends on drop.
pub struct Controller {
    process: Process,
    settings: PathBuf,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the folder in which cargo builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Installs the manifests of `deploy/`, and returns a kubeconfig of their service account.
pub(crate) fn deploy(run: &Path, kubeconfig: &Path) -> Result<PathBuf> {
    let folder = run.join("deploy");
    fs::create_dir_all(&folder)?;
    // kustomize accepts only relative paths.
    let up = "../".repeat(folder.components().count() - 1);
    let deploy = root().canonicalize()?.join("deploy/controller");
    let deploy = format!("{up}{}", deploy.display().to_string().trim_start_matches('/'));
    let components: Vec<String> =
        COMPONENTS.iter().map(|it| format!("- {deploy}/components/{it}\n")).collect();
    let text = format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- {deploy}\ncomponents:\n{}",
        components.concat()
    );
    fs::write(folder.join("kustomization.yaml"), text)?;
    let mut kubectl = Command::new("kubectl");
    output(kubectl.arg("--kubeconfig").arg(kubeconfig).arg("apply").arg("-k").arg(&folder))?;
    let identity = folder.join("kubeconfig");
    fs::write(&identity, output(Command::new(root().join("cluster/kubeconfig")).args(ACCOUNT))?)?;
    Ok(identity)
}

impl Controller {
    pub(crate) fn start(run: &Path, identity: &Path, settings: &str, flags: &[&str]) -> Result<Self> {
        let folder = run.join("programs/xposer-controller");
        fs::create_dir_all(&folder)?;
        let file = folder.join("settings.yaml");
        fs::write(&file, settings)?;
        let program = std::env::var_os("CHAIN_CONTROLLER")
            .map_or_else(|| target().join("release/xposer-controller"), PathBuf::from);
        let mut arguments =
            vec!["--settings".to_owned(), file.display().to_string(), format!("--address={ADDRESS}")];
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let environment = vec![
            ("KUBECONFIG".to_owned(), identity.display().to_string()),
            ("RUST_LOG".to_owned(), "info".to_owned()),
        ];
        let ready = Ready::Http { address: ADDRESS.parse()?, path: "/readyz".to_owned() };
        let process =
            Process::new("xposer-controller", folder, Start { program, arguments, environment, ready })?;
        process.spawn()?;
        process.wait_ready()?;
        Ok(Self { process, settings: file })
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Replaces the settings file, which the controller reads again.
    #[track_caller]
    pub fn change_settings(&self, yaml: &str) {
        let new = self.settings.with_extension("new");
        let replaced = fs::write(&new, yaml).and_then(|()| fs::rename(&new, &self.settings));
        replaced.unwrap_or_else(|error| panic!("{}: {error}", self.settings.display()));
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if std::thread::panicking() {
            say(&self.process.log_tail());
        }
    }
}
