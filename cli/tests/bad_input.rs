//! What is said about input that is wrong, letter by letter.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{command, exposed, folder, golden, service, xposer, xposer_in};

/// Every file in `tests/bad` is checked, with the settings beside it if there are any, and the exit status and standard
/// error compared with the text beside it.
#[test]
fn every_bad_file_is_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".txt") && !name.ends_with(".settings.yaml"))
        .collect();
    names.sort();
    assert!(names.len() >= 30, "{names:?}");
    for name in names {
        let slug = name.rsplit_once('.').unwrap().0;
        let settings = format!("{slug}.settings.yaml");
        let mut arguments = vec!["check"];
        if folder.join(&settings).exists() {
            arguments.extend(["--settings", &settings]);
        }
        arguments.push(&name);
        let ran = xposer_in(&folder, &arguments, "");
        assert_eq!(ran.stdout, "", "{name}");
        golden(
            &folder.join(format!("{slug}.txt")),
            &format!("{}\nexit {}\n", ran.stderr.trim_end(), ran.code),
        );
    }
}

/// The message about one file with these bytes, without the blank line at its end.
fn about(test: &str, bytes: &[u8]) -> (i32, String) {
    let folder = folder(test);
    std::fs::write(folder.join("in.yaml"), bytes).unwrap();
    let ran = xposer_in(&folder, &["render", "in.yaml"], "");
    if ran.code == 2 {
        assert_eq!(ran.stdout, "");
    }
    (ran.code, ran.stderr.trim_end().to_owned())
}

#[test]
fn line_ends_of_windows() {
    let text = exposed("web", "{{.Service}}.{{.Host}}").replace('\n', "\r\n");
    let expected = "\
error[template-unknown-variable]: there is no variable `.Host`
 --> in.yaml:8:68
  |
8 |     config.xposer.stakater.com/IngressURLTemplate: \"{{.Service}}.{{.Host}}\"
  |                                                                    ^^^^^
  |
  = note: metadata.annotations[\"config.xposer.stakater.com/IngressURLTemplate\"] of Service shop/web
  = help: use {{.Service}}, {{.Namespace}} or {{.Domain}}";
    assert_eq!(about("windows", text.as_bytes()), (1, expected.to_owned()));
    assert_eq!(about("windows", service("web").replace('\n', "\r\n").as_bytes()), (0, String::new()));
}

#[test]
fn not_utf8() {
    let mut bytes = b"# na\xefve\n".to_vec();
    bytes.extend_from_slice(service("web").as_bytes());
    let expected = "\
error: expected UTF-8 text, found the byte 0xEF at offset 4
--> in.yaml:1:5
 = help: save the file as UTF-8";
    assert_eq!(about("latin1", &bytes), (2, expected.to_owned()));
}

#[test]
fn utf16() {
    let bytes: Vec<u8> = "\u{feff}kind: Service\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let expected = "\
error: expected UTF-8 text, found the byte 0xFF at offset 0
--> in.yaml:1:1
 = help: save the file as UTF-8; this looks like UTF-16";
    assert_eq!(about("utf16", &bytes), (2, expected.to_owned()));
}

#[test]
fn binary_junk() {
    let expected = "\
error: expected UTF-8 text, found the byte 0x8B at offset 1
--> in.yaml:1:2
 = help: name a YAML or JSON file; this one looks like a binary file";
    assert_eq!(about("junk", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\xff\xfe\x00"), (2, expected.to_owned()));
}

#[test]
fn control_characters() {
    let (code, said) = about("control", b"kind: \x01\x02\x00Service\n");
    assert_eq!(code, 2);
    assert!(said.contains("--> in.yaml:1:7"), "{said}");
    assert!(!said.contains(['\u{0}', '\u{1}']), "{said:?}");
}

#[test]
fn a_missing_file_and_a_directory_are_both_reported() {
    let folder = folder("missing");
    std::fs::create_dir(folder.join("manifests")).unwrap();
    std::fs::write(folder.join("good.yaml"), service("web")).unwrap();
    std::fs::write(folder.join("bad.yaml"), "a: b: c\n").unwrap();
    let arguments =
        ["render", "good.yaml", "missing.yaml", "manifests", "bad.yaml", "--settings", "none.yaml"];
    let ran = xposer_in(&folder, &arguments, "").expect(2);
    assert_eq!(ran.stdout, "");
    assert_eq!(
        ran.stderr.replace('\\', "/"),
        "\
error: there is no such file
--> none.yaml

error: there is no such file
--> missing.yaml

error: expected a file, found a directory
--> manifests
 = help: name its files: manifests/*.yaml

error: a `:` followed by a blank cannot stand here
 --> bad.yaml:1:5
  |
1 | a: b: c
  |     ^
  |
  = help: quote the value if the `:` is part of it, or check the indentation

"
    );
}

#[test]
fn what_to_do_with_a_folder_depends_on_what_is_in_it() {
    let folder = folder("folders");
    for (name, files, expected) in [
        (
            "manifests",
            ["b.json", "a.yml", "c.yaml", "d.txt"].as_slice(),
            "name its files: manifests/*.yml manifests/*.yaml manifests/*.json",
        ),
        (
            "chart",
            &["Chart.yaml", "values.yaml"],
            "render the chart: helm template NAME chart | xposer render",
        ),
        ("base", &["service.yaml", "kustomization.yml"], "build it: kustomize build base | xposer render"),
        (
            "deep",
            &["web/service.yaml"],
            "name the files below it: find deep -name '*.yaml' -exec xposer render {} +",
        ),
    ] {
        for file in files {
            let path = folder.join(name).join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let said = xposer_in(&folder, &["check", "-f", name], "").expect(2).stderr;
        assert!(said.starts_with("error: expected a file, found a directory\n"), "{said}");
        assert!(said.replace('\\', "/").contains(expected), "{said}");
    }
    let said = xposer_in(&folder, &["check", "-f", "https://example.com/a.yaml"], "").expect(2).stderr;
    assert!(said.contains("curl -L https://example.com/a.yaml | xposer render"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_link_to_itself() {
    let folder = folder("link");
    std::os::unix::fs::symlink("loop.yaml", folder.join("loop.yaml")).unwrap();
    let said = xposer_in(&folder, &["check", "loop.yaml"], "").expect(2).stderr;
    assert!(said.starts_with("error: the file cannot be read: ") && said.contains("--> loop.yaml"), "{said}");
}

#[test]
fn what_is_encrypted_has_no_other_faults() {
    for (bytes, program) in [
        (b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n".as_slice(), "age"),
        (b"age-encryption.org/v1\n-> X25519 \xff\xfe", "age"),
        (b"-----BEGIN PGP MESSAGE-----\n\nhQ: x\n", "PGP"),
        (b"\0GITCRYPT\0\xff", "git-crypt"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n3365\n", "Ansible Vault"),
    ] {
        let (code, said) = about("encrypted", bytes);
        assert_eq!(code, 2);
        let expected =
            format!("error: the file is encrypted by {program}\n--> in.yaml\n = help: decrypt it first: ");
        assert!(said.starts_with(&expected) && said.ends_with(" in.yaml | xposer render"), "{said}");
    }
}

/// Root may read everything, so the program is run by somebody else then, from a folder that everybody reaches.
#[cfg(unix)]
#[test]
fn a_file_without_permission() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let folder = std::env::temp_dir().join(format!("xposer-permission-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let file = folder.join("secret.yaml");
    std::fs::write(&file, service("web")).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    let arguments = ["check", "secret.yaml"];
    let mut command = command(&folder, &arguments);
    if std::fs::read(&file).is_ok() {
        let program = folder.join("xposer");
        // Not by this process: a child that another test starts meanwhile would have the file open, and nobody may run it.
        assert!(
            Command::new("cp").arg(env!("CARGO_BIN_EXE_xposer")).arg(&program).status().unwrap().success()
        );
        command = Command::new(program);
        command.args(arguments).current_dir(&folder).uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let expected = "error: no permission to read the file\n--> secret.yaml\n\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

#[test]
fn standard_input_twice() {
    let expected = "\
error: standard input (`-`, or no FILE) can be read only once
 |
 = help: name a file instead

";
    for arguments in [["check", "-", "-"], ["check", "--settings", "-"]] {
        assert_eq!(xposer(&arguments, "").expect(2).stderr, expected);
    }
}

#[test]
fn ten_megabytes() {
    let services = 30_000;
    let mut text = String::new();
    for number in 0..services {
        text.push_str(&service(&format!("web-{number}")));
        text.push_str("---\n");
    }
    assert!(text.len() > 7_000_000);
    text.push_str("kind: ConfigMap\ndata:\n  big: ");
    text.push_str(&"x".repeat(10 * 1024 * 1024 - text.len()));
    let ran = xposer(&["render", "-o", "json"], &text).expect(0);
    assert_eq!(ran.stderr, "");
    let list: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), services);
}

#[test]
fn a_very_long_line_is_cut() {
    let long = "x".repeat(100_000);
    let text = format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: web, labels: {{expose: 'true'}}, annotations: {{a: {long}, \
         config.xposer.stakater.com/IngressURLTemplate: a_b.com, b: {long}}}}}, spec: {{ports: [{{port: 80}}]}}}}\n"
    );
    let ran = xposer(&["check"], &text).expect(1);
    let expected = "\
error[host-character]: the host `a_b.com` contains `_`
 --> <stdin>:1:100148
  |
1 | ...xxxxxxxxxxxxxx, config.xposer.stakater.com/IngressURLTemplate: a_b.com, b: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
  |                                                                    ^
  |
  = note: metadata.annotations[\"config.xposer.stakater.com/IngressURLTemplate\"] of Service web
  = help: write `-` instead of `_`
  = help: write \"a-b.com\"
";
    assert!(ran.stderr.starts_with(expected), "{}", ran.stderr);
}
