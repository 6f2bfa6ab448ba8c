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
    let text = exposed("web", "{{.Service}}.{{.Port}}").replace('\n', "\r\n");
    let expected = "\
error[template-unknown-variable]: there is no variable `.Port`
 --> in.yaml:8:68
  |
8 |     config.xposer.stakater.com/IngressURLTemplate: \"{{.Service}}.{{.Port}}\"
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

error: a `:` followed by a blank is not allowed here
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
fn help_for_a_folder_depends_on_its_content() {
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
            "render the chart: helm template NAME chart | xposer check",
        ),
        ("base", &["service.yaml", "kustomization.yml"], "build it: kustomize build base | xposer check"),
        (
            "deep",
            &["web/service.yaml"],
            "name the files below it: find deep -name '*.yaml' -exec xposer check {} +",
        ),
    ] {
        for file in files {
            let path = folder.join(name).join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let message = xposer_in(&folder, &["check", "-f", name], "").expect(2).stderr;
        assert!(message.starts_with("error: expected a file, found a directory\n"), "{message}");
        assert!(message.replace('\\', "/").contains(expected), "{message}");
    }
    let message = xposer_in(&folder, &["check", "-f", "https://example.com/a.yaml"], "").expect(2).stderr;
    assert!(message.contains("curl -L https://example.com/a.yaml | xposer check"), "{message}");
}

/// A pattern in place of the file would be expanded by a shell, and all but one of them taken for Services.
#[test]
fn the_settings_are_one_file_of_a_folder() {
    let folder = folder("settings-folder");
    std::fs::write(folder.join("in.yaml"), service("web")).unwrap();
    for (name, files, expected) in [
        ("empty", ["notes.txt"].as_slice(), "name one file with settings"),
        ("one", &["a.yaml", "notes.txt"], "name the file: --settings one/a.yaml"),
        ("two", &["b.yaml", "a.yml"], "name one of its files, for example --settings two/a.yml"),
    ] {
        std::fs::create_dir(folder.join(name)).unwrap();
        for file in files {
            std::fs::write(folder.join(name).join(file), "").unwrap();
        }
        let message = xposer_in(&folder, &["check", "--settings", name, "in.yaml"], "").expect(2).stderr;
        assert!(message.replace('\\', "/").ends_with(&format!(" = help: {expected}\n\n")), "{message}");
    }
}

#[test]
fn a_file_that_is_given_twice_is_read_once() {
    let folder = folder("twice");
    std::fs::write(folder.join("in.yaml"), service("web")).unwrap();
    let note = |times: &str| {
        format!(
            "warning: the file is given {times}, and is read once\n--> in.yaml\n = help: name it once\n\n"
        )
    };
    let ran = xposer_in(&folder, &["check", "in.yaml", "./in.yaml"], "").expect(0);
    assert_eq!(ran.stderr, format!("{}1 service: 1 exposed\n", note("twice")));
    let once = xposer_in(&folder, &["render", "in.yaml"], "").expect(0);
    let ran = xposer_in(&folder, &["render", "in.yaml", "-f", "in.yaml", "in.yaml"], "").expect(0);
    assert_eq!((ran.stdout, ran.stderr), (once.stdout, note("3 times")));
    // What is not there is said once, too.
    let ran = xposer_in(&folder, &["check", "none.yaml", "none.yaml"], "").expect(2);
    assert_eq!(ran.stderr, "error: there is no such file\n--> none.yaml\n\n");
}

/// The help is a command that goes on with what was typed.
#[test]
fn a_help_names_the_command_that_was_typed() {
    let folder = folder("typed");
    std::fs::write(folder.join("in.yaml"), service("web")).unwrap();
    std::fs::write(folder.join("vault.yaml"), "$ANSIBLE_VAULT;1.1;AES256\n3365\n").unwrap();
    std::fs::write(folder.join("chart.yaml"), "{apiVersion: helm.cattle.io/v1, kind: HelmChart}\n").unwrap();
    for (command, piped) in
        [("render", "xposer render"), ("check", "xposer check"), ("explain", "xposer explain -")]
    {
        let message = |arguments: &[&str]| {
            let arguments: Vec<&str> = [command].iter().chain(arguments).copied().collect();
            xposer_in(&folder, &arguments, "").stderr
        };
        let vault = message(&["--settings", "vault.yaml", "in.yaml"]);
        let help = format!("ansible-vault view vault.yaml | xposer {command} --settings - FILE\n");
        assert!(vault.ends_with(&format!(" = help: decrypt it first: {help}\n")), "{vault}");
        for (arguments, help) in [
            (["vault.yaml"].as_slice(), format!("ansible-vault view vault.yaml | {piped}\n")),
            (&["chart.yaml"], format!("helm template NAME CHART | {piped}\n")),
            (&["-A"], format!("kubectl get services -A -o yaml | {piped}\n")),
            (&["-k", "base"], format!("kubectl kustomize base | {piped}\n")),
            (&["-l", "a=b"], format!("kubectl get services -l 'a=b' -o yaml | {piped}\n")),
            (&["-R"], format!("find FOLDER -name '*.yaml' -exec xposer {command} {{}} ")),
        ] {
            let message = message(arguments);
            assert!(message.contains(&help), "{command} {arguments:?}: {message}");
        }
    }
}

#[test]
fn a_value_that_is_encrypted_by_ansible_vault() {
    let text = service("web").replace("port: 80", "port: !vault '$ANSIBLE_VAULT;1.1;AES256 3365'");
    let (code, said) = about("vault-value", text.as_bytes());
    assert_eq!(code, 2);
    assert!(
        said.starts_with(
            "error: the value is encrypted by Ansible Vault, as its tag `!vault` says\n  --> in.yaml:10:"
        ),
        "{said}"
    );
    assert!(
        said.ends_with("  = help: decrypt it first, and write the value in plain, without the tag"),
        "{said}"
    );
}

/// What `check` says of settings in this text.
fn about_settings(test: &str, settings: &str) -> (i32, String) {
    let folder = folder(test);
    std::fs::write(folder.join("in.yaml"), service("web")).unwrap();
    std::fs::write(folder.join("cm.yaml"), settings).unwrap();
    let ran = xposer_in(&folder, &["check", "--settings", "cm.yaml", "in.yaml"], "");
    (ran.code, ran.stderr)
}

#[test]
fn object_without_settings_is_reported() {
    for (slug, text, field) in [
        ("config-map", "apiVersion: v1\nkind: ConfigMap\n", "data"),
        (
            "policy",
            "apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicy\nspec: {rules: []}\n",
            "spec.settings",
        ),
    ] {
        let kind = text.lines().nth(1).unwrap().trim_start_matches("kind: ");
        let (code, said) = about_settings(&format!("no-settings-{slug}"), text);
        let message = format!(
            "warning: this {kind} has no `{field}`, so all settings are the defaults\n --> cm.yaml:2:1\n"
        );
        assert!(said.starts_with(&message), "{said}");
        let last = field.rsplit('.').next().unwrap();
        assert!(
            said.contains(&format!(
                "write the settings under `{field}`, or `{last}: {{}}` if none are meant"
            )),
            "{said}"
        );
        assert_eq!(code, 0);
    }
    for empty in [
        "apiVersion: v1\nkind: ConfigMap\ndata: {}\n",
        "apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicy\nspec: {settings: {}}\n",
        "{}",
    ] {
        assert_eq!(about_settings("no-settings-meant", empty), (0, "1 service: 1 exposed\n".to_owned()));
    }
    for data in ["", "data: {tls: 'true'}\n"] {
        let text =
            format!("apiVersion: v1\nkind: ConfigMap\n{data}binaryData: {{config.yaml: dGxzOiB0cnVl}}\n");
        let (code, said) = about_settings("binary-settings", &text);
        assert_eq!(code, 2);
        let message =
            "error: expected the settings in the `data` of the ConfigMap, found `binaryData`\n --> cm.yaml:";
        assert!(said.starts_with(message), "{said}");
    }
}

/// Lines are counted in the file, and what is written in a text of it is meant as it stands.
#[test]
fn yaml_errors_in_a_config_map_have_a_working_help() {
    for (slug, data, message, help) in [
        (
            "duplicate",
            "profiles: |\n    a: {}\n    a: {}",
            "`profiles` is not YAML: duplicate key `a`\n",
            "remove one of the two",
        ),
        ("brace", "profiles: |\n    a: {", "the brace `{` opened here is never closed\n", "add the `}`, or"),
        (
            "json",
            "profiles: |\n    {\"a\": {",
            "the brace `{` opened here is never closed\n",
            "add the `}`, or",
        ),
        ("bracket", "target: '[Ingress'", "the bracket `[` opened here is never closed\n", "add the `]`, or"),
        (
            "tab",
            "profiles: |\n    a:\n    \ttls: true",
            "a tab is used for indentation\n",
            "indent with spaces",
        ),
        (
            "template",
            "ingressURLTemplateFallbacks: '{{.Service}}.{{.Domain}}'",
            "found a map\n",
            "write a list: `- '{{.Service}}.{{.Domain}}'`\n",
        ),
        (
            "templates",
            "ingressURLTemplateFallbacks: |\n    - {{.Service}}.{{.Domain}}\n    - {{.Service}}.org",
            "found a map\n",
            "put every value that contains `{{` in quotes\n",
        ),
        (
            "vault",
            "config.yaml: |\n    $ANSIBLE_VAULT;1.1;AES256\n    3365",
            "is encrypted by Ansible Vault\n",
            "decrypt it first, for example with `ansible-vault view FILE`\n",
        ),
    ] {
        let text = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  {data}\n");
        let (code, said) = about_settings(&format!("inner-{slug}"), &text);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(message) && said.contains(&format!(" = help: {help}")), "{said}");
        assert_eq!(said.matches("error: ").count(), 1, "{said}");
    }
    let text = "apiVersion: v1\nkind: ConfigMap\ndata: {ingressURLTemplateFallbacks: \"- '{{.Service}}.{{.Domain}}'\"}\n";
    assert_eq!(about_settings("inner-mended", text), (0, "1 service: 1 exposed\n".to_owned()));
}

#[test]
fn a_key_in_other_letters() {
    for (from, key, help) in [
        ("kind: Service", "Kind", "write `kind: Service`"),
        ("kind: Service", "KIND", "write `kind: Service`"),
        ("apiVersion: v1", "apiversion", "write `apiVersion: v1`"),
    ] {
        let (wanted, value) = from.split_once(": ").unwrap();
        let text = service("web").replace(from, &format!("{key}: {value}"));
        let (code, said) = about("letters", text.as_bytes());
        let message = format!(
            "warning: expected the key `{wanted}`, found `{key}`, so this Service is ignored\n --> in.yaml:"
        );
        assert!(said.starts_with(&message) && said.ends_with(&format!(" = help: {help}")), "{said}");
        assert_eq!(code, 0);
    }
    let (_, said) = about("letters", b"Kind: Deployment\napiVersion: apps/v1\n");
    assert_eq!(said, "");
}

#[cfg(unix)]
#[test]
fn a_link_to_itself() {
    let folder = folder("link");
    std::os::unix::fs::symlink("loop.yaml", folder.join("loop.yaml")).unwrap();
    let message = xposer_in(&folder, &["check", "loop.yaml"], "").expect(2).stderr;
    assert!(
        message.starts_with("error: the file cannot be read: ") && message.contains("--> loop.yaml"),
        "{message}"
    );
}

#[test]
fn encrypted_files_have_no_other_errors() {
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
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let file = folder.join("secret.yaml");
    std::fs::write(&file, service("web")).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    let arguments = ["check", "secret.yaml"];
    let mut command = command(folder, &arguments);
    if std::fs::read(&file).is_ok() {
        let program = folder.join("xposer");
        // Not by this process: a child that another test starts meanwhile would have the file open, and nobody may run it.
        assert!(
            Command::new("cp").arg(env!("CARGO_BIN_EXE_xposer")).arg(&program).status().unwrap().success()
        );
        command = Command::new(program);
        command.args(arguments).current_dir(folder).uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
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
