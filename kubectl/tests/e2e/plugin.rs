//! The plugin as a process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use xposer_manifest::load;

use crate::cluster::versions;
use crate::controller::Done;
use crate::scenario::Place;

/// The program.
const PLUGIN: &str = env!("CARGO_BIN_EXE_kubectl-xposer");

/// Where kubectl may keep what it keeps at home.
pub(crate) const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// The folder of the repository.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `kubectl`: that of the PATH, or the one that `cluster/build` builds.
pub(crate) fn kubectl() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let built = workspace().join(".tools/cluster/bin");
    std::env::split_paths(&paths)
        .chain([built])
        .map(|folder| folder.join("kubectl"))
        .find(|file| file.is_file())
}

/// The folder of the program.
pub(crate) fn plugin_folder() -> &'static Path {
    Path::new(PLUGIN).parent().unwrap()
}

/// The command `kubectl xposer`, which finds the plugin on its PATH, with nothing else in its environment.
pub(crate) fn command(kubeconfig: &Path, words: &[&str]) -> Command {
    let mut command = match kubectl() {
        Some(kubectl) => {
            let mut command = Command::new(kubectl);
            command.env_clear().env("PATH", plugin_folder()).arg("xposer");
            command
        }
        None => {
            let mut command = Command::new(PLUGIN);
            command.env_clear();
            command
        }
    };
    command.env("HOME", SCRATCH).env("KUBECONFIG", kubeconfig).args(words).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run(kubeconfig: &Path, words: &[&str]) -> Done {
    let output = command(kubeconfig, words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let done = Done {
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    };
    println!("$ kubectl xposer {}\n{}{}exit status {}", words.join(" "), done.stdout, done.stderr, done.code);
    done
}

/// The kubeconfig of the administrator.
pub(crate) fn admin() -> PathBuf {
    std::env::var_os("E2E_KUBECONFIG").unwrap().into()
}

/// Runs it as the administrator in a namespace.
pub(crate) fn in_place(place: &Place, words: &[&str]) -> Done {
    run(&admin(), &[words, &["-n", &place.name]].concat())
}

/// The Deployment and the ConfigMap of `deploy/controller` in a namespace, with these settings. There are no nodes, so nothing runs.
pub(crate) fn deployed(namespace: &str, settings: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(workspace().join("deploy/controller/deployment.yaml")).unwrap();
    let mut deployment = load(&text).unwrap().remove(0).value;
    deployment["metadata"]["namespace"] = namespace.into();
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "xposer-controller-settings", "namespace": namespace}, "data": {"settings.yaml": settings}});
    vec![map, deployment]
}

/// Rules to read these resources.
pub(crate) fn to_read(resources: &[(&str, &[&str])]) -> Vec<Value> {
    let rule = |(group, names): &(&str, &[&str])| json!({"apiGroups": [group], "resources": names, "verbs": ["get", "list"]});
    resources.iter().map(rule).collect()
}

/// Nothing was written by anybody while this ran: no object of the namespace has another version.
pub(crate) fn writes_nothing<T>(place: &Place, run: impl FnOnce() -> T) -> T {
    let now = || versions(&place.everything());
    let before = now();
    let done = run();
    assert_eq!(now(), before);
    done
}
