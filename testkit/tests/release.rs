//! Names and versions of a release are the same in every file that contains them. `release/check` has the checks that need other
//! programs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a file that cannot be read has failed the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;
use xposer_testkit::{cases, workspace};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The compilation targets of the static programs.
const TARGETS: [&str; 2] = ["aarch64-unknown-linux-musl", "x86_64-unknown-linux-musl"];

fn text(name: &str) -> String {
    fs::read_to_string(workspace().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Value {
    cases::parse(&text(name)).unwrap_or_else(|error| panic!("{name}: {error:#}")).remove(0)
}

/// Returns the metadata of cargo about the published crates.
fn published() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().filter(|package| package["publish"].is_null()).cloned().collect()
}

#[test]
fn every_crate_has_the_version_and_what_its_page_needs() {
    let source = yaml("metadata.yml")["annotations"]["io.kubewarden.policy.source"].clone();
    let crates = published();
    assert!(crates.len() >= 4, "{}", crates.len());
    for package in &crates {
        let name = &package["name"];
        assert_eq!((&package["version"], &package["repository"]), (&VERSION.into(), &source), "{name}");
        for field in ["description", "license", "rust_version"] {
            assert!(package[field].is_string(), "{name}: {field}");
        }
        // Dependencies within the workspace are also published, and have the same version. Otherwise, the package could not be
        // built from the registry.
        for dependency in package["dependencies"].as_array().unwrap() {
            if !dependency["path"].is_null() && dependency["kind"].is_null() {
                let is_published = crates.iter().any(|package| package["name"] == dependency["name"]);
                assert!(is_published, "{name} needs {}, which is not published", dependency["name"]);
                assert_eq!(dependency["req"], format!("^{VERSION}"), "{name}: {}", dependency["name"]);
            }
        }
    }
}

/// `cargo binstall`, krew and the workflow use the names of the archives that `release/binaries` gives them.
#[test]
fn archives_are_looked_for_under_their_names() {
    for package in published() {
        let bins = package["targets"].as_array().unwrap().iter().filter(|it| it["kind"][0] == "bin");
        for program in bins.map(|it| it["name"].as_str().unwrap()) {
            let binstall = &package["metadata"]["binstall"];
            let archive = format!("/{program}-v{{ version }}-{{ target }}.tar.gz");
            let url = format!("{{ repo }}/releases/download/v{{ version }}{archive}");
            assert_eq!(binstall["pkg-url"], url, "{program}");
            assert_eq!(
                (&binstall["pkg-fmt"], &binstall["bin-dir"]),
                (&"tgz".into(), &"{ bin }{ binary-ext }".into())
            );
        }
    }
    let manifest = text("deploy/krew/xposer.yaml");
    let manifest = cases::parse(&manifest.replace("@VERSION@", "v1.2.3").replace('@', "")).unwrap().remove(0);
    assert_eq!(
        (&manifest["metadata"]["name"], &manifest["spec"]["version"]),
        (&"xposer".into(), &"v1.2.3".into())
    );
    let source =
        yaml("metadata.yml")["annotations"]["io.kubewarden.policy.source"].as_str().unwrap().to_owned();
    let mut targets = BTreeSet::new();
    for platform in manifest["spec"]["platforms"].as_array().unwrap() {
        let target = platform["sha256"].as_str().unwrap().strip_prefix("SHA256:").unwrap();
        let uri = format!("{source}/releases/download/v1.2.3/kubectl-xposer-v1.2.3-{target}.tar.gz");
        assert_eq!((&platform["uri"], &platform["bin"]), (&uri.into(), &"kubectl-xposer".into()));
        let arch = if target.starts_with("x86_64") { "amd64" } else { "arm64" };
        assert_eq!(platform["selector"]["matchLabels"]["arch"], arch, "{target}");
        targets.insert(target.to_owned());
    }
    assert_eq!(targets, TARGETS.map(str::to_owned).into());
    let workflow = yaml(".github/workflows/release.yml");
    let built = &workflow["jobs"]["binaries"]["strategy"]["matrix"]["include"];
    let built: BTreeSet<_> =
        built.as_array().unwrap().iter().map(|it| it["target"].as_str().unwrap().to_owned()).collect();
    assert_eq!(built, targets);
}

#[test]
fn the_image_has_the_version() {
    let dockerfile = text("Dockerfile");
    assert!(dockerfile.contains(&format!("\nARG VERSION={VERSION}\n")));
    let source = yaml("metadata.yml")["annotations"]["io.kubewarden.policy.source"].clone();
    assert!(dockerfile.contains(&format!("image.source={} ", source.as_str().unwrap())));
    // The workflow pushes the images that the manifests and the chart name.
    let workflow = text(".github/workflows/release.yml");
    let image = yaml("deploy/chart/xposer/values.yaml")["image"]["repository"].as_str().unwrap().to_owned();
    let policy =
        yaml("metadata.yml")["annotations"]["io.kubewarden.policy.ociUrl"].as_str().unwrap().to_owned();
    for name in [image, policy] {
        assert!(workflow.contains(&format!(": {name}\n")), "{name}");
    }
}

/// Every action of a workflow is pinned by its digest, because a tag can be moved to other code.
#[test]
fn every_action_is_pinned_by_digest() {
    let mut used = 0;
    for entry in fs::read_dir(workspace().join(".github/workflows")).unwrap() {
        let file = entry.unwrap().path();
        let workflow = fs::read_to_string(&file).unwrap();
        for line in workflow.lines() {
            let Some((_, action)) = line.split_once("uses: ") else { continue };
            if action.starts_with("./") {
                continue;
            }
            used += 1;
            let (_, pin) = action.split_once('@').unwrap();
            let (digest, version) = pin.split_once(" # v").unwrap_or_else(|| panic!("{action}"));
            assert!(digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{action}");
            assert!(version.split('.').count() == 3, "{action}");
        }
        assert_eq!(
            workflow.matches("actions/checkout@").count(),
            workflow.matches("persist-credentials: false").count(),
            "{}",
            file.display()
        );
    }
    assert!(used > 10, "{used}");
}

#[test]
fn the_policy_that_users_report_to_names_this_version() {
    let page = text("SECURITY.md");
    let (major, rest) = VERSION.split_once('.').unwrap();
    let minor = rest.split('.').next().unwrap();
    assert!(page.contains(&format!("| {major}.{minor} ")), "{VERSION}");
}

mod scripts_with_jq {
    use super::*;
    use std::path::Path;

    /// Returns the output of a script, or its messages if it fails.
    fn script(name: &str, arguments: &[&str]) -> Result<String, String> {
        let program = workspace().join("release").join(name);
        let output = Command::new(program).args(arguments).output().unwrap();
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => Err(String::from_utf8(output.stderr).unwrap()),
        }
    }

    #[test]
    #[ignore = "needs jq: make test"]
    fn a_tag_of_another_version_is_refused() {
        let message = script("check", &["v9.9.9"]).unwrap_err();
        assert!(
            message
                .contains(&format!("wrong: the tag is v9.9.9, and the version of the crates is {VERSION}")),
            "{message}"
        );
        assert_eq!(script("notes", &["9.9.9"]).unwrap_err(), "CHANGELOG.md has no section \"## 9.9.9\"\n");
        assert!(script("notes", &["Unreleased"]).unwrap().starts_with("### "));
    }

    #[test]
    #[ignore = "needs jq: make test"]
    fn the_manifest_for_krew_gets_the_checksums_of_the_archives() {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("krew");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let place = folder.to_str().unwrap();
        let message = script("krew", &[place]).unwrap_err();
        assert!(message.contains("aarch64-unknown-linux-musl.tar.gz is missing"), "{message}");
        for target in TARGETS {
            fs::write(folder.join(format!("kubectl-xposer-v{VERSION}-{target}.tar.gz")), "").unwrap();
        }
        let manifest = cases::parse(&script("krew", &[place]).unwrap()).unwrap().remove(0);
        assert_eq!(manifest["spec"]["version"], format!("v{VERSION}"));
        for platform in manifest["spec"]["platforms"].as_array().unwrap() {
            // The checksum of an empty file.
            assert_eq!(
                platform["sha256"],
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            );
        }
    }
}
