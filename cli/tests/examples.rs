//! The files in `examples/` do what they are there to show.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{Ran, folder, golden, xposer, xposer_in};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Runs the command that the manual shows, and compares both streams with the texts in `tests/examples`.
fn shows(name: &str, arguments: &[&str]) {
    let Ran { code, stdout, stderr } = xposer_in(&root(), arguments, "");
    let blessed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples");
    golden(&blessed.join(format!("{name}.yaml")), &stdout);
    golden(&blessed.join(format!("{name}.txt")), &stderr);
    assert_eq!(code, 0);
}

#[test]
fn forecastle() {
    shows("forecastle", &["render", "examples/forecastle.yaml"]);
}

#[test]
fn a_static_name_and_host() {
    shows("static", &["render", "examples/static.yaml"]);
}

#[test]
fn escaped_for_helm() {
    shows("helm-escaped", &["render", "examples/helm-escaped.yaml"]);
}

#[test]
fn with_settings() {
    shows("settings", &["render", "--settings", "examples/settings.yaml", "examples/kustomize/service.yaml"]);
}

/// `kustomize build`, with the program on the PATH.
fn kustomize(directory: &Path) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_xposer")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut command = Command::new("kustomize");
    command.args(["build", "--enable-alpha-plugins", "--enable-exec"]).arg(directory).env("PATH", path);
    command.output().unwrap()
}

mod with_kustomize {
    use super::*;

    #[test]
    #[ignore = "needs kustomize: make test"]
    fn builds_the_ingress() {
        let output = kustomize(&root().join("examples/kustomize"));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        assert_eq!(stderr, "");
        let built = String::from_utf8(output.stdout).unwrap();
        golden(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples/kustomize.yaml"), &built);
    }

    /// The documents that `import` prints are patches.
    #[test]
    #[ignore = "needs kustomize: make test"]
    fn takes_what_import_prints_as_patches() {
        let folder = folder("patches");
        let input = root().join("examples/import/shop.yaml");
        let import = |more: &[&str]| {
            let arguments: Vec<&str> = ["import"].iter().chain(more).copied().collect();
            xposer_in(&root(), &[&arguments, &["examples/import/shop.yaml"][..]].concat(), "").stdout
        };
        std::fs::copy(input, folder.join("shop.yaml")).unwrap();
        std::fs::write(folder.join("services.yaml"), import(&[])).unwrap();
        let kustomization = "resources: [shop.yaml]\npatches: [{path: services.yaml}]\n";
        std::fs::write(folder.join("kustomization.yaml"), kustomization).unwrap();
        let output = kustomize(&folder);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        let built = xposer_manifest::load(&String::from_utf8(output.stdout).unwrap()).unwrap();
        for whole in xposer_manifest::load(&import(&["--whole"])).unwrap() {
            assert!(built.iter().any(|document| document.value == whole.value), "{}", whole.value);
        }
    }

    /// What `krm` gives back is read by the programs that run it.
    #[test]
    #[ignore = "needs kustomize: make test"]
    fn reads_every_text_that_is_written() {
        let folder = folder("nasty");
        std::fs::write(folder.join("nasty.yaml"), xposer_manifest::to_yaml(&nasty())).unwrap();
        std::fs::write(folder.join("kustomization.yaml"), "resources: [nasty.yaml]\n").unwrap();
        let output = kustomize(&folder);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        let built = xposer_manifest::load(&String::from_utf8(output.stdout).unwrap()).unwrap();
        for (index, text) in NASTY.iter().enumerate() {
            assert_eq!(built[0].value["data"][format!("key-{index}")], *text, "{text:?}");
        }
    }

    #[test]
    #[ignore = "needs kustomize: make test"]
    fn stops_where_a_service_is_refused() {
        let folder = folder("kustomize");
        for file in ["kustomization.yaml", "xposer.yaml", "service.yaml"] {
            let text = std::fs::read_to_string(root().join("examples/kustomize").join(file)).unwrap();
            std::fs::write(folder.join(file), text.replace("{{.Domain}}", "{{.Doman}}")).unwrap();
        }
        let output = kustomize(&folder);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(
            stderr.contains("error[template-unknown-variable]: there is no variable `.Doman`"),
            "{stderr}"
        );
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    }
}

/// Texts that some reader of YAML takes for something else where they are not in quotes.
const NASTY: &[&str] = &[
    "\tall:\n\t\techo x\n",
    "\n\tall:\n",
    "  a\n b\n",
    " a\nb\n",
    "\n a",
    "all:\n\techo x\n",
    "a\n\t\n",
    "a\n \n",
    "a\n  \nb\n",
    "a\n\n\n",
    "a\nb",
    "a \nb \n",
    "\n",
    "\n\na\n",
    " \n",
    "\t",
    "\t\n",
    "a\tb",
    "\u{feff}a\nb\n",
    "# a\nb\n",
    "- a\n- b\n",
    "a: |\n  b\n",
    "---\na\n",
    "a\n---\n",
    "a\n...\nb\n",
    "a\rb\n",
    "a\r\nb\r\n",
    "{{ a }}\n",
    "%a\nb",
    "@a",
    "yes",
    "0x1F",
    "1e3",
    "12:30:45",
    "=",
    "~",
    "null",
    "",
    "*a",
    "&a b",
    "!a",
];

/// A ConfigMap with all of them.
fn nasty() -> serde_json::Value {
    let data: serde_json::Value =
        NASTY.iter().enumerate().map(|(index, text)| (format!("key-{index}"), *text)).collect();
    serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nasty"}, "data": data})
}

#[test]
fn every_text_that_is_written_is_read_again() {
    let list = serde_json::json!({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [nasty()]});
    let written = xposer(&["krm"], &list.to_string()).expect(0).stdout;
    let read = xposer_manifest::load(&written).unwrap();
    assert_eq!(read[0].value["items"][0], nasty());
}
