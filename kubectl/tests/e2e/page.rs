//! The examples of `docs/kubectl.md` are what the commands print. `BLESS=1` writes them anew.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;
use xposer_manifest::load;

use crate::cluster::{Cluster, LABEL, NAMESPACE, eventually};
use crate::plugin::{SCRATCH, admin, deployed, kubectl, plugin_folder, workspace};

/// The namespaces of the page.
const NAMESPACES: [&str; 2] = ["shop", "xposer-system"];

/// The text of the block with this head.
fn block<'p>(page: &'p str, head: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("```{head}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// What a command prints to both outputs, in a shell, with the UIDs of this run replaced.
fn printed(line: &str) -> String {
    let folder = kubectl().unwrap().parent().unwrap().display().to_string();
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("{line} 2>&1")])
        .env_clear()
        .env("HOME", SCRATCH)
        .env("KUBECONFIG", admin())
        .env("PATH", format!("{}:{folder}", plugin_folder().display()))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| match line.split_once("uid: ") {
        Some((before, _)) => format!("{before}uid: 5d3e1c3a-6c0d-4b8e-9a57-0f6f1f0c2b11"),
        None => line.trim_end().to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

/// Applies objects as a person does.
fn apply(text: &str) {
    let mut child = Command::new(kubectl().unwrap())
        .args(["apply", "-f", "-"])
        .env_clear()
        .env("HOME", SCRATCH)
        .env("KUBECONFIG", admin())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Removes the namespaces of the page, and waits until they are gone.
fn remove(cluster: &Cluster) {
    for name in NAMESPACES {
        if cluster.find(NAMESPACE, None, name).is_some() {
            cluster.remove_namespace(name);
        }
    }
    eventually("the namespaces of the page are gone", || {
        let left = NAMESPACES.iter().find(|name| cluster.find(NAMESPACE, None, name).is_some());
        left.map_or(Ok(()), |name| Err((*name).to_owned()))
    });
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_page_shows_what_the_commands_print() {
    if kubectl().is_none() {
        crate::cluster::say("skipped: no kubectl, so the examples of docs/kubectl.md were not compared");
        return;
    }
    let file = workspace().join("docs/kubectl.md");
    let page = fs::read_to_string(&file).unwrap();
    let cluster = Cluster::get();
    remove(cluster);
    for name in NAMESPACES {
        cluster.create(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {LABEL: "page"}}}));
    }
    cluster.create_all(deployed("xposer-system", block(&page, "yaml settings")));
    let objects = block(&page, "yaml cluster");
    assert!(load(objects).unwrap().iter().all(|document| document.value["metadata"]["namespace"] == "shop"));
    apply(objects);

    let mut parts = page.split("```console\n");
    let mut written = parts.next().unwrap().to_owned();
    let mut commands = 0;
    for part in parts {
        let (session, rest) = part.split_once("```").unwrap();
        let command = session.lines().next().unwrap().strip_prefix("$ ").unwrap();
        written.push_str(&format!("```console\n$ {command}\n{}```{rest}", printed(command)));
        commands += 1;
    }
    remove(cluster);
    assert_eq!(commands, 8, "every command has its example");
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&file, &written).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        written,
        "BLESS=1 make e2e-cluster writes the examples anew"
    );
}
