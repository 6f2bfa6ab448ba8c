//! What scripts depend on: exit statuses, which stream holds what, and the forms of both.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use std::process::Stdio;

use common::{INGRESS_OF_WEB, Ran, command, exposed, folder, run, service, xposer, xposer_in};
use serde_json::{Value, json};
use xposer_cli::Terminal;

fn names(list: &str) -> Vec<String> {
    let list: Value = serde_json::from_str(list).unwrap();
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn objects_on_stdout_and_nothing_on_stderr() {
    let expected = Ran { code: 0, stdout: INGRESS_OF_WEB.into(), stderr: String::new() };
    for arguments in
        [["render"].as_slice(), &["render", "-"], &["render", "--target", "ingress", "-o", "yaml"]]
    {
        assert_eq!(xposer(arguments, &service("web")), expected);
    }
}

#[test]
fn several_objects_are_a_stream() {
    let ran = xposer(&["render"], &format!("{}---\n{}", service("web"), service("api"))).expect(0);
    let documents: Vec<&str> = ran.stdout.split("---\n").collect();
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[0], INGRESS_OF_WEB);
    assert!(documents[1].contains("name: api\n"));
}

#[test]
fn json_is_one_list() {
    let ran = xposer(&["render", "-o", "json"], &service("web")).expect(0);
    assert!(
        ran.stdout.starts_with("{\n  \"apiVersion\": \"v1\",\n  \"items\": [\n    {\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.ends_with("  ],\n  \"kind\": \"List\"\n}\n"), "{}", ran.stdout);
    assert_eq!(names(&ran.stdout), ["web"]);
}

#[test]
fn input_without_exposed_services() {
    let passed_by = [
        ("", ""),
        ("---\n---\n", ""),
        ("# nothing\n", ""),
        ("{}", "; ignored: 1 without a kind"),
        (
            "kind: ConfigMap\n---\nkind: Deployment\n---\nkind: ConfigMap\n",
            "; ignored: 2 ConfigMap, 1 Deployment",
        ),
    ];
    for (input, passed_by) in passed_by {
        assert_eq!(xposer(&["render"], input), Ran { code: 0, stdout: String::new(), stderr: String::new() });
        let json = xposer(&["render", "-o", "json"], input).expect(0).stdout;
        assert_eq!(
            serde_json::from_str::<Value>(&json).unwrap(),
            json!({"apiVersion": "v1", "kind": "List", "items": []})
        );
        let message = xposer(&["check"], input).expect(0).stderr;
        assert_eq!(message, format!("0 services: 0 exposed{passed_by}\n"));
    }
}

#[test]
fn other_objects_are_ignored() {
    let knative = service("web").replace("apiVersion: v1", "apiVersion: serving.knative.dev/v1");
    let account = service("web").replace("kind: Service", "kind: ServiceAccount");
    let ran = xposer(&["render"], &format!("{knative}---\n{account}---\n{}", service("web"))).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (INGRESS_OF_WEB, ""));
}

/// Somebody else's Service is not ours, and only where nothing else is there, that is said.
#[test]
fn sources_of_services_are_reported_if_there_are_no_services() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\n";
    let ran = xposer(&["render", "-o", "json"], release).expect(0);
    assert_eq!(names(&ran.stdout), [""; 0]);
    assert!(
        ran.stderr.starts_with("info: the Services of a HelmRelease are in its chart\n"),
        "{}",
        ran.stderr
    );
    let ran = xposer(&["render"], &format!("{release}---\n{}", service("web"))).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (INGRESS_OF_WEB, ""));
}

#[test]
fn local_config_is_ignored_and_reported() {
    let local = service("api")
        .replace("  annotations:", "  annotations:\n    config.kubernetes.io/local-config: 'true'");
    let message =
        "info: Service shop/api is ignored, because config.kubernetes.io/local-config is \"true\"\n";
    let both = format!("{}---\n{local}", service("web"));
    let ran = xposer(&["render"], &both).expect(0);
    assert_eq!(ran.stdout, INGRESS_OF_WEB);
    assert!(ran.stderr.starts_with(message), "{}", ran.stderr);
    let ran = xposer(&["check"], &both).expect(0);
    assert!(ran.stderr.ends_with("\n2 services: 1 exposed, 1 local\n"), "{}", ran.stderr);
    let ran = xposer(&["check", "--diagnostics", "json"], &both).expect(0);
    let found: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(
        (&found[0]["severity"], &found[0]["line"], found[0].get("code")),
        (&json!("info"), &json!(19), None)
    );
    // What would be wrong with it is nobody's concern, and a host that it would claim is free.
    let local = local.replace("api.example.com", "web.example.com");
    let ran = xposer(&["render"], &format!("{}---\n{local}", service("web"))).expect(0);
    assert_eq!(ran.stdout, INGRESS_OF_WEB);
    let other = local
        .replace("local-config: 'true'", "local-config: 'false'")
        .replace("web.example.com", "api.example.com");
    assert_eq!(xposer(&["check"], &other).expect(0).stderr, "1 service: 1 exposed\n");
}

#[test]
fn files_are_named_as_kubectl_has_it_too() {
    let folder = folder("filename");
    for name in ["a", "b", "c", "d"] {
        std::fs::write(folder.join(name), service(name)).unwrap();
    }
    for (arguments, expected) in [
        (["-f", "a"].as_slice(), ["a"].as_slice()),
        (&["--filename", "b", "-f", "a"], &["b", "a"]),
        (&["-f", "b,a", "c"], &["b", "a", "c"]),
        (&["d", "-f", "c", "b", "--filename=a"], &["d", "c", "b", "a"]),
        (&["-f", "-", "a"], &["web", "a"]),
        (&["a", "-f-"], &["a", "web"]),
    ] {
        let ran = xposer_in(&folder, &[&["render", "-o", "json"], arguments].concat(), &service("web"));
        assert_eq!(names(&ran.expect(0).stdout), expected, "{arguments:?}");
    }
    let message = xposer_in(&folder, &["check", "-f", "-", "-"], "").expect(2).stderr;
    assert!(
        message.starts_with("error: standard input (`-`, or no FILE) can be read only once\n"),
        "{message}"
    );
    let ran = xposer_in(&folder, &["explain", "-f", "a", "-f", "b"], "").expect(0);
    assert_eq!(ran.stdout.matches(" is exposed as ").count(), 2, "{}", ran.stdout);
}

#[test]
fn kubectl_options_get_a_help() {
    for (arguments, help) in [
        (["-R", "-f", "manifests"].as_slice(), "find FOLDER -name '*.yaml' -exec xposer render {} +"),
        (&["-Rf", "manifests"], "find FOLDER -name '*.yaml' -exec xposer render {} +"),
        (&["--recursive=true", "manifests"], "find FOLDER -name '*.yaml' -exec xposer render {} +"),
        (&["-A"], "kubectl get services -A -o yaml | xposer render"),
        (&["--all-namespaces"], "kubectl get services -A -o yaml | xposer render"),
        (&["-k", "overlays/production"], "kubectl kustomize overlays/production | xposer render"),
        (&["-k"], "kubectl kustomize FOLDER | xposer render"),
        (&["-l", "app=web"], "kubectl get services -l 'app=web' -o yaml | xposer render"),
        (&["--selector", "app=web"], "kubectl get services -l 'app=web' -o yaml | xposer render"),
    ] {
        for command in ["render", "check", "explain"] {
            let help = match command {
                // It reads standard input where it is told to, and takes one file.
                "explain" => help
                    .replace("| xposer render", "| xposer explain -")
                    .replace("render {} +", "explain {} \\;"),
                _ => help.replace("xposer render", &format!("xposer {command}")),
            };
            let ran = xposer(&[&[command], arguments].concat(), "").expect(2);
            assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 4), "{arguments:?}");
            assert!(ran.stderr.starts_with("error: -") && ran.stderr.contains(&help), "{}", ran.stderr);
        }
    }
}

#[test]
fn lists() {
    let service: Value = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
        "metadata": {"name": "web", "labels": {"expose": "true"},
            "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "{{.Service}}.example.com"}}});
    let mut nameless = service.clone();
    nameless["metadata"]["name"] = "api".into();
    for key in ["kind", "apiVersion"] {
        nameless.as_object_mut().unwrap().remove(key);
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [service, {"kind": "Pod"}]});
    let services = json!({"apiVersion": "v1", "kind": "ServiceList", "items": [nameless]});
    let nested = json!({"apiVersion": "v1", "kind": "List", "items": [list, services, {"kind": "List"}]});
    let ran = xposer(&["render", "-o", "json"], &nested.to_string()).expect(0);
    assert_eq!(names(&ran.stdout), ["web", "api"]);
    assert_eq!(
        xposer(&["render"], r#"{"apiVersion": "v1", "kind": "List", "items": null}"#).expect(0).stdout,
        ""
    );
    let ran = xposer(&["render"], r#"{"apiVersion": "v1", "kind": "List", "items": [1, {}, "a"]}"#).expect(2);
    assert_eq!(ran.stderr.matches("error: expected a Kubernetes object, found").count(), 2, "{}", ran.stderr);
    let ran = xposer(&["render"], r#"{"apiVersion": "v1", "kind": "List", "items": {}}"#).expect(2);
    assert!(ran.stderr.starts_with("error: expected a list of items, found a mapping\n"), "{}", ran.stderr);
}

#[test]
fn several_files_with_one_refused() {
    let folder = folder("several");
    std::fs::write(folder.join("web.yaml"), service("web")).unwrap();
    std::fs::write(folder.join("bad.yaml"), exposed("bad", "bad..example.com")).unwrap();
    let json = xposer_in(&folder, &["render", "-o", "json", "bad.yaml", "web.yaml", "-"], &service("api"));
    assert_eq!(names(&json.expect(1).stdout), ["web", "api"]);
    let ran = xposer_in(&folder, &["render", "bad.yaml", "web.yaml"], "").expect(1);
    assert_eq!(ran.stdout, INGRESS_OF_WEB);
    assert!(ran.stderr.starts_with("error[host-empty-label]: "), "{}", ran.stderr);
    let ran = xposer_in(&folder, &["check", "bad.yaml", "web.yaml"], "").expect(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.ends_with("\n2 services: 1 exposed, 1 refused\n"), "{}", ran.stderr);
}

#[test]
fn all_files_are_one_set() {
    let folder = folder("set");
    std::fs::write(folder.join("a.yaml"), exposed("web", "shop.example.com")).unwrap();
    std::fs::write(folder.join("b.yaml"), exposed("api", "shop.example.com")).unwrap();
    let ran = xposer_in(&folder, &["check", "a.yaml", "b.yaml"], "").expect(1);
    assert!(ran.stderr.contains(" --> a.yaml:8:"), "{}", ran.stderr);
    assert!(ran.stderr.contains(" --> b.yaml:8:"), "{}", ran.stderr);
    xposer_in(&folder, &["check", "a.yaml"], "").expect(0);
}

#[test]
fn diagnostics_as_json() {
    let input = exposed("web", "https://{{.Service}}.example.com");
    let ran = xposer(&["render", "--diagnostics", "json"], &input).expect(1);
    let found: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(
        found,
        json!([{
            "code": "host-scheme",
            "severity": "error",
            "subject": {"kind": "Service", "namespace": "shop", "name": "web"},
            "path": "metadata.annotations[\"config.xposer.stakater.com/IngressURLTemplate\"]",
            "message": found[0]["message"],
            "found": found[0]["found"],
            "help": found[0]["help"],
            "proposed": "{{.Service}}.example.com",
            "range": found[0]["range"],
            "file": "<stdin>",
            "line": 8,
            "column": found[0]["column"],
        }])
    );
    assert!(found[0]["column"].as_u64().unwrap() > 52);
    let ran = xposer(&["check", "--diagnostics", "json"], &service("web")).expect(0);
    assert_eq!(ran.stderr, "[]\n");
    let ran = xposer(&["check", "--diagnostics", "json", "no-such-file"], "").expect(2);
    let found: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(
        found,
        json!([{"severity": "error", "message": "there is no such file", "file": "no-such-file"}])
    );
    let ran = xposer(&["render", "--diagnostics", "json"], "a: 1\na: 2\n").expect(2);
    let found: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((&found[0]["line"], &found[0]["column"]), (&json!(2), &json!(1)));
}

#[test]
fn the_namespace_fills_in() {
    let nowhere = service("web").replace("  namespace: shop\n", "");
    for arguments in [["render", "-n", "shop"], ["render", "--namespace=shop", "-"]] {
        assert_eq!(xposer(&arguments, &nowhere).expect(0).stdout, INGRESS_OF_WEB);
    }
    assert_eq!(xposer(&["render", "-n", "other"], &service("web")).expect(0).stdout, INGRESS_OF_WEB);
    assert!(!xposer(&["render"], &nowhere).expect(0).stdout.contains("namespace"));
    for (command, name) in [("check", "No_Name"), ("import", "A B"), ("init", "a.b"), ("explain", "-a")] {
        let ran = xposer(&[command, &format!("-n={name}")], &nowhere).expect(2);
        let said =
            format!("error: invalid value '{name}' for '--namespace <NS>': expected lower-case letters, ");
        assert!(ran.stderr.starts_with(&said), "{}", ran.stderr);
        assert_eq!(ran.stderr.matches("error").count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn settings() {
    let folder = folder("settings");
    let plain = service("web").replace("{expose: 'true'}", "{expose: 'true', a: b}");
    let plain: String = plain
        .lines()
        .filter(|line| !line.contains("nnotations") && !line.contains("URL"))
        .fold(String::new(), |text, line| text + line + "\n");
    std::fs::write(
        folder.join("config.yaml"),
        "domain: example.com\ningressURLTemplate: '{{.Service}}.{{.Domain}}'\n",
    )
    .unwrap();
    std::fs::write(folder.join("empty.yaml"), "# nothing\n").unwrap();
    std::fs::write(folder.join("two.yaml"), "domain: a.com\n---\ndomain: b.com\n").unwrap();
    let ran = xposer_in(&folder, &["render", "--settings", "config.yaml"], &plain).expect(0);
    assert_eq!(ran.stdout, INGRESS_OF_WEB);
    let ran = xposer_in(&folder, &["render", "--settings", "empty.yaml"], &plain).expect(1);
    assert!(ran.stderr.starts_with("error[template-value-missing]: "), "{}", ran.stderr);
    let ran = xposer_in(&folder, &["render", "--settings", "two.yaml"], &plain).expect(2);
    assert_eq!(
        ran.stderr,
        "\
error: expected one document with settings, found 2
 --> two.yaml:3:1
  |
3 | domain: b.com
  | ^^^^^^^^^^^^^
  |
  = help: remove all but one

"
    );
}

/// Settings under which every Service would be refused are told before any Service is looked at, in their own file.
#[test]
fn settings_are_tried() {
    let folder = folder("settings-tried");
    std::fs::write(folder.join("service.yaml"), service("web")).unwrap();
    std::fs::write(
        folder.join("config.yaml"),
        "domain: Example.com\nprofiles:\n  internal: {tls: true}\n  external:\n    ingressNameTemplate: My_{{.Service}}\n",
    )
    .unwrap();
    let expected = "\
error[host-uppercase]: the host `web.shop.Example.com` contains upper-case letters (tried on a Service `web` in the namespace `shop`)
 --> config.yaml:1:9
  |
1 | domain: Example.com
  |         ^^^^^^^^^^^
  |
  = note: settings.domain
  = help: write it in lower case

error[ingress-name-invalid]: `My_web` is not a valid Ingress name: it contains `_` (tried on a Service `web` in the namespace `shop`)
 --> config.yaml:5:26
  |
5 |     ingressNameTemplate: My_{{.Service}}
  |                          ^^^^^^^^^^^^^^^
  |
  = note: settings.profiles.external.ingressNameTemplate
  = help: write `-` instead of `_`

";
    for command in ["render", "check", "explain"] {
        let ran = xposer_in(&folder, &[command, "--settings", "config.yaml", "service.yaml"], "");
        assert_eq!(ran, Ran { code: 2, stdout: String::new(), stderr: expected.into() });
    }
    let json = ["check", "--diagnostics", "json", "--settings", "config.yaml", "service.yaml"];
    let ran = xposer_in(&folder, &json, "").expect(2);
    let found: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(found[0]["path"], "settings.domain");
    assert_eq!(found[0]["subject"], json!({"kind": "Settings", "namespace": "", "name": ""}));
    assert_eq!((&found[1]["line"], &found[1]["column"]), (&json!(5), &json!(26)));
}

/// A Service that seems to ask and does not is told, and counts as left alone.
#[test]
fn a_service_that_seems_to_ask() {
    let text = service("web").replace("{expose: 'true'}", "{expose: 'True'}");
    let expected = "\
warning[asked-wrongly]: the label is `True`, but only `true` exposes the Service
 --> <stdin>:6:20
  |
6 |   labels: {expose: 'True'}
  |                    ^^^^^^
  |
  = note: metadata.labels.expose of Service shop/web
  = help: write expose: \"true\"

";
    let ran = xposer(&["render"], &text).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", expected));
    let ran = xposer(&["check"], &text).expect(0);
    assert_eq!(ran.stderr, format!("{expected}1 service: 0 exposed, 1 left alone\n"));
    let misplaced =
        text.replace("  labels: {expose: 'True'}\n  annotations:", "labels: {expose: 'true'}\nannotations:");
    let ran = xposer(&["check"], &misplaced).expect(0);
    assert!(
        ran.stderr.contains("--> <stdin>:7:1\n") && ran.stderr.contains("--> <stdin>:6:1\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn wrong_usage() {
    for arguments in [
        ["render", "--output", "xml"].as_slice(),
        &["render", "--target", "gateway"],
        &["check", "-o", "json"],
        &["rendr"],
        &[],
        &["render", "--settings"],
    ] {
        let ran = xposer(arguments, "").expect(2);
        assert_eq!(ran.stdout, "");
        assert!(!ran.stderr.is_empty());
    }
    assert!(xposer(&["rendr"], "").stderr.contains("'render'"));
}

#[test]
fn colours_on_a_terminal_only() {
    let bad = exposed("web", "a..example.com");
    let screen = Terminal { stderr: true, colors: true, ..Terminal::default() };
    let is_coloured = |arguments: &[&str], terminal| run(arguments, &bad, terminal).stderr.contains('\u{1b}');
    assert!(is_coloured(&["render"], screen));
    assert!(is_coloured(&["render", "--color", "always"], Terminal::default()));
    assert!(!is_coloured(&["render"], Terminal::default()));
    assert!(!is_coloured(&["render", "--color", "never"], screen));
    assert!(!is_coloured(&["render"], Terminal { colors: false, ..screen }));
}

#[test]
fn terminal_input_gets_a_prompt() {
    let typing = Terminal { stdin: true, stderr: true, ..Terminal::default() };
    let ran = run(&["check"], "", typing);
    assert_eq!(
        ran.stderr,
        "reading Services from the terminal; Ctrl-D ends the input, `xposer --help` shows other ways\n\
         0 services: 0 exposed\n"
    );
}

/// A reader that goes away, such as `head`, is no reason to complain; the exit status still says what was found.
#[test]
fn a_reader_that_goes_away() {
    let folder = folder("pipe");
    let many: Vec<String> = (0..2000).map(|number| service(&format!("web-{number}"))).collect();
    std::fs::write(folder.join("many.yaml"), many.join("---\n")).unwrap();
    for arguments in
        [["render", "many.yaml"].as_slice(), &["render", "-o", "json", "many.yaml"], &["explain"]]
    {
        let mut child = command(&folder, arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), String::from_utf8(output.stderr).unwrap()),
            (Some(0), String::new())
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full() {
    for arguments in [["render", "-"].as_slice(), &["explain"], &["completions", "bash"]] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let mut command = command(&folder("full"), arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        // Not everything reads its input.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), service("web").as_bytes());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.starts_with("error: the output cannot be written: "), "{message}");
    }
}

#[test]
fn infos_about_the_output_point_at_their_service() {
    let globally = "  annotations:\n    xposer.stakater.com/annotations: 'exposeIngressUrl: globally'";
    let web = service("web").replace("  annotations:", globally);
    let ran = xposer(&["render"], &format!("{}---\n{web}", service("api"))).expect(0);
    assert!(ran.stdout.contains("kind: ConfigMap\n"), "{}", ran.stdout);
    assert!(ran.stderr.starts_with("info[published-here-only]: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("--> <stdin>:19:39"), "{}", ran.stderr);
}
