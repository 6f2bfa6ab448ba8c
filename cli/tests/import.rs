//! What `import` and `init` make of Ingresses, and what they say, letter by letter.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail, and measurements are for people"
)]

mod common;

use std::path::{Path, PathBuf};

use common::{folder, golden, run, xposer_in};
use serde_json::{Value, json};
use xposer_cli::Terminal;

fn inputs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import")
}

/// Every file in `tests/import` is imported, with the settings beside it if there are any.
#[test]
fn every_file_is_imported_as_it_is_shown() {
    let folder = inputs();
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml") && !name.ends_with(".settings.yaml"))
        .collect();
    names.sort();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        let slug = name.strip_suffix(".yaml").unwrap();
        let settings = format!("{slug}.settings.yaml");
        let mut arguments = vec!["import"];
        if folder.join(&settings).exists() {
            arguments.extend(["--settings", &settings]);
        }
        arguments.push(&name);
        let ran = xposer_in(&folder, &arguments, "");
        let shown = format!("{}\n{}\nexit {}\n", ran.stdout, ran.stderr.trim_end(), ran.code);
        golden(&folder.join(format!("{slug}.txt")), &shown);
        let mut arguments = vec!["init", &name];
        if slug == "services-alone" {
            arguments.extend(["--domain", "example.com"]);
        }
        let ran = xposer_in(&folder, &arguments, "");
        let shown = format!("{}\n{}\nexit {}\n", ran.stdout, ran.stderr.trim_end(), ran.code);
        golden(&folder.join(format!("{slug}.init.txt")), &shown);
    }
}

fn ingress(name: &str, host: &str) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "8m"}},
        "spec": {"ingressClassName": "nginx", "tls": [{"hosts": [host], "secretName": format!("{name}-tls")}],
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": name, "port": {"number": 80}}}}]}}]},
    })
}

fn service(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"ports": [{"port": 80}]}})
}

fn stream(documents: &[Value]) -> String {
    documents.iter().map(|it| format!("{it}\n")).collect()
}

/// What keeps somebody out and is not said: every output says so, and none exposes anything.
#[test]
fn service_is_not_exposed_without_its_protection() {
    let mut open = ingress("web", "shop.example.com");
    open["metadata"]["annotations"] = json!({
        "nginx.ingress.kubernetes.io/whitelist-source-range": "10.0.0.x",
        // Two of them are two lines of one annotation, and so of a command.
        "nginx.ingress.kubernetes.io/custom-headers": "shop/headers",
        "nginx.ingress.kubernetes.io/proxy-buffering": "on",
    });
    let mut other = ingress("api", "api.example.com");
    other["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "api".into();
    other["metadata"]["name"] = "another-name".into();
    let [first, second] = [
        [open.clone(), service("web"), other.clone(), service("api")],
        [other, service("api"), open, service("web")],
    ]
    .map(|documents| stream(&documents));
    let of = |arguments: &[&str], input: &str| {
        let arguments: Vec<&str> = ["import"].iter().chain(arguments).copied().collect();
        run(&arguments, input, Terminal::default()).expect(1)
    };
    let message = "# Service shop/web is not exposed: `nginx.ingress.kubernetes.io/whitelist-source-range` is `10.0.0.x`";

    let commands = of(&["-o", "kubectl"], &first).stdout;
    let lines: Vec<&str> = commands.lines().skip(1).collect();
    let (of_web, of_api) = lines.split_at(lines.len() - 2);
    assert!(of_web[0].starts_with(message) && of_web.len() == 4, "{commands}");
    assert!(of_web.iter().all(|line| line.starts_with("# ")), "{commands}");
    assert_eq!(of_web.last(), Some(&"# kubectl label service web -n shop --overwrite expose=true"));
    assert_eq!(of_api.last(), Some(&"kubectl label service api -n shop --overwrite expose=true"));
    assert!(!of_api.iter().any(|line| line.contains("web")), "{commands}");

    let names = |documents: Vec<Value>| -> Vec<String> {
        documents.iter().map(|it| it["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let load = |text: &str| -> Vec<Value> {
        xposer_manifest::load(text).unwrap().into_iter().map(|it| it.value).collect()
    };
    for input in [&first, &second] {
        let ran = of(&[], input);
        assert_eq!(names(load(&ran.stdout)), ["api"], "{}", ran.stdout);
        assert!(ran.stdout.lines().any(|line| line.starts_with(message)), "{}", ran.stdout);
        // Somebody who knows better takes the marks of the comment away.
        let bare: Vec<&str> = ran
            .stdout
            .lines()
            .filter(|line| !line.contains("Ingress ") && !line.starts_with(message))
            .collect();
        let bare: Vec<&str> = bare.iter().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
        assert_eq!(load(&bare.join("\n")).len(), 2, "{}", ran.stdout);
        assert!(ran.stderr.contains("; 1 Service to annotate, 1 not to be exposed\n"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("adopt ingress/web"), "{}", ran.stderr);

        let ran = of(&["-o", "json"], input);
        let list: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(names(list["items"].as_array().unwrap().clone()), ["api"]);
        assert!(ran.stderr.contains("warning: Service shop/web is not exposed: "), "{}", ran.stderr);
        // Whole, it is as it was.
        for output in ["yaml", "json"] {
            let ran = of(&["--whole", "-o", output], input);
            let all = match output {
                "json" => {
                    serde_json::from_str::<Value>(&ran.stdout).unwrap()["items"].as_array().unwrap().clone()
                }
                _ => load(&ran.stdout),
            };
            let web = all.iter().find(|it| it["metadata"]["name"] == "web").unwrap();
            assert_eq!((all.len(), web), (2, &service("web")));
            assert!((ran.stdout + &ran.stderr).contains("Service shop/web is not exposed: "));
        }
    }

    let folder = folder("script");
    std::fs::write(folder.join("in.yaml"), &first).unwrap();
    let ran = xposer_in(&folder, &["init", "in.yaml", "--out", "made"], "").expect(1);
    assert!(
        ran.stderr.contains("1 Service is not to be exposed: a comment gives the reason.\n"),
        "{}",
        ran.stderr
    );
    let made = |name: &str| std::fs::read_to_string(folder.join("made").join(name)).unwrap();
    let (script, services) = (made("annotate.sh"), made("services.yaml"));
    assert!(script.lines().chain(services.lines()).filter(|line| line.starts_with(message)).count() == 2);
    assert!(!script.contains("\nkubectl label service web"), "{script}");
    assert_eq!(names(load(&services)), ["api"], "{services}");
}

#[test]
fn output_formats_have_the_same_content() {
    let input = stream(&[ingress("web", "shop.example.com"), service("web")]);
    let of = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["import"].iter().chain(arguments).copied().collect();
        run(&arguments, &input, Terminal::default()).expect(0).stdout
    };
    let patch = xposer_manifest::load(&of(&[])).unwrap().remove(0).value;
    let list: Value = serde_json::from_str(&of(&["-o", "json"])).unwrap();
    assert_eq!(list, json!({"apiVersion": "v1", "kind": "List", "items": [patch]}));
    let whole = xposer_manifest::load(&of(&["--whole"])).unwrap().remove(0).value;
    assert_eq!(whole["spec"], service("web")["spec"]);
    assert_eq!(whole["metadata"], patch["metadata"]);
    // The whole Services are what `render` reads.
    let rendered = run(&["render"], &of(&["--whole"]), Terminal::default()).expect(0);
    let rendered = xposer_manifest::load(&rendered.stdout).unwrap().remove(0).value;
    assert_eq!(rendered["spec"], ingress("web", "shop.example.com")["spec"]);
    let commands = of(&["-o", "kubectl"]);
    // No controller sees the Service without its annotations.
    assert!(commands.starts_with("set -e\nkubectl annotate service web -n shop --overwrite "));
    assert!(commands.ends_with("\nkubectl label service web -n shop --overwrite expose=true\n"));
    // A shell reads the words as they are meant.
    let words = std::process::Command::new("sh")
        .args([
            "-c",
            &format!("kubectl() {{ printf '%s\\0' \"$@\"; }}; {}", commands.lines().nth(1).unwrap()),
        ])
        .output()
        .unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    for (key, value) in patch["metadata"]["annotations"].as_object().unwrap() {
        assert!(
            words.split('\0').any(|word| word == format!("{key}={}", value.as_str().unwrap())),
            "{words:?}"
        );
    }
}

#[test]
fn a_service_that_is_not_there_is_not_printed_whole() {
    let input = stream(&[ingress("web", "shop.example.com")]);
    let ran = run(&["import", "--whole"], &input, Terminal::default()).expect(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("cannot be printed completely"), "{}", ran.stderr);
    run(&["import"], &input, Terminal::default()).expect(0);
}

#[test]
fn options_outlive_the_controller() {
    let input = stream(&[ingress("web", "shop.example.com"), service("web")]);
    let ran = run(&["import", "--options"], &input, Terminal::default()).expect(0);
    assert!(ran.stdout.contains("config.xposer.stakater.com/MaxBodySize: 8Mi\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("nginx.ingress"), "{}", ran.stdout);
    assert!(ran.stderr.contains("becomes the option MaxBodySize: 8Mi"), "{}", ran.stderr);
}

/// What becomes an option is printed, also where it changes nothing on the controller of today; a rewrite becomes one only if the same
/// requests get to the Service.
#[test]
fn annotations_that_become_options_are_printed() {
    let of = |path: &str, key: &str, value: &str| {
        let mut given = ingress("web", "shop.example.com");
        given["metadata"]["annotations"] = json!({format!("nginx.ingress.kubernetes.io/{key}"): value});
        given["spec"]["rules"][0]["http"]["paths"][0]["path"] = path.into();
        given["spec"]["rules"][0]["http"]["paths"][0]["pathType"] = "ImplementationSpecific".into();
        run(&["import", "--options"], &stream(&[given, service("web")]), Terminal::default()).expect(0)
    };
    let ran = of("/shop(/|$)(.*)", "rewrite-target", "/$2");
    assert!(ran.stdout.contains("StripPrefix: \"true\"\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("shop.example.com/shop\n"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("is missing"), "{}", ran.stderr);
    let ran = of("/shop/(.*)", "rewrite-target", "/$1");
    assert!(ran.stdout.contains("nginx.ingress.kubernetes.io/rewrite-target: /$1"), "{}", ran.stdout);
    assert!(ran.stderr.contains("does not become the option StripPrefix"), "{}", ran.stderr);
    for key in ["ssl-redirect", "force-ssl-redirect"] {
        let ran = of("/shop", key, "true");
        assert!(ran.stdout.contains("HTTPSRedirect: \"true\"\n"), "{key}: {}", ran.stdout);
    }
    let ran = of("/shop", "proxy-connect-timeout", "0");
    let is_option = ran.stderr.contains("becomes the option ConnectTimeout");
    assert_eq!(is_option, ran.stdout.contains("ConnectTimeout: "), "{}\n{}", ran.stdout, ran.stderr);
}

/// An IngressClass says who serves the Ingresses of its class, which its name does not tell.
#[test]
fn ingress_class_determines_the_program() {
    let mut login = ingress("web", "shop.example.com");
    login["spec"]["ingressClassName"] = "internal".into();
    login["metadata"]["annotations"] =
        json!({"nginx.ingress.kubernetes.io/auth-url": "https://login.example.com"});
    let class = |controller: &str| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "internal"},
            "spec": {"controller": controller}})
    };
    let of =
        |documents: &[Value], code| run(&["import"], &stream(documents), Terminal::default()).expect(code);
    let nginx = of(&[login.clone(), service("web"), class("k8s.io/ingress-nginx")], 0);
    assert_eq!(nginx, of(&[login.clone(), service("web")], 0));
    // Traefik reads no annotation of ingress-nginx, so the Ingress is open as it is, and that is told.
    let traefik = of(&[login, service("web"), class("traefik.io/ingress-controller")], 1);
    assert!(traefik.stderr.contains("nginx.ingress.kubernetes.io/auth-url"), "{}", traefik.stderr);
}

/// Files are written once, and both or none.
#[test]
fn no_file_is_overwritten() {
    let folder = folder("init");
    let input = stream(&[ingress("web", "web.example.com"), service("web"), service("db")]);
    std::fs::write(folder.join("in.yaml"), &input).unwrap();
    let ran = xposer_in(&folder, &["init", "in.yaml", "--out", "made"], "").expect(0);
    assert_eq!(ran.stdout, "");
    let settings = std::fs::read_to_string(folder.join("made/settings.yaml")).unwrap();
    let services = std::fs::read_to_string(folder.join("made/services.yaml")).unwrap();
    assert!(settings.contains("\ndomain: example.com\n"), "{settings}");
    assert!(services.ends_with("#   shop/db: https://db.example.com\n"), "{services}");
    let commands = std::fs::read_to_string(folder.join("made/annotate.sh")).unwrap();
    assert!(commands.contains("\nkubectl label service web -n shop --overwrite expose=true\n"), "{commands}");
    // What was written is what the programs read.
    assert!(xposer_manifest::settings("settings.yaml", settings.clone()).is_ok());
    let again = xposer_in(&folder, &["import", "--settings", "made/settings.yaml", "in.yaml"], "").expect(0);
    let patches = |text: &str| {
        let all = xposer_manifest::load(text).unwrap().into_iter().map(|it| it.value);
        all.collect::<Vec<Value>>()
    };
    assert_eq!(patches(&again.stdout), patches(&services));
    let ran = xposer_in(&folder, &["init", "in.yaml", "--out", "in.yaml"], "").expect(2);
    assert!(ran.stderr.contains("this is a file") && ran.stderr.contains("name a folder"), "{}", ran.stderr);
    std::fs::remove_file(folder.join("made/settings.yaml")).unwrap();
    let ran = xposer_in(&folder, &["init", "in.yaml", "--out", "made"], "").expect(2);
    assert!(
        ran.stderr.contains("made/services.yaml") && ran.stderr.contains("not overwritten"),
        "{}",
        ran.stderr
    );
    assert!(!folder.join("made/settings.yaml").exists());
    assert_eq!(std::fs::read_to_string(folder.join("made/services.yaml")).unwrap(), services);
    std::fs::write(folder.join("file"), "").unwrap();
    let ran = xposer_in(&folder, &["init", "in.yaml", "--out", "file"], "").expect(2);
    assert!(ran.stderr.contains("this is a file"), "{}", ran.stderr);
}

#[test]
fn invalid_domain_is_reported() {
    let ran =
        run(&["init", "--domain", "two words"], &stream(&[service("web")]), Terminal::default()).expect(2);
    assert!(ran.stderr.contains("two words"), "{}", ran.stderr);
    let ran = run(&["init"], &stream(&[service("web")]), Terminal::default()).expect(2);
    assert!(ran.stderr.contains("xposer init --domain example.com FILE"), "{}", ran.stderr);
}

/// Whatever stands in the fields, nothing panics, and the comments and commands stay what they are.
#[test]
fn hostile_fields_are_only_values() {
    let nasty = [
        "a\nb",
        "$(touch /tmp/x)",
        "'; rm -rf .; '",
        "{{.Service}}",
        "\u{202e}",
        "",
        "---",
        "# no",
        "{{",
        "a->b",
    ];
    for text in nasty {
        let mut evil = ingress("web", "shop.example.com");
        evil["metadata"]["name"] = text.into();
        evil["metadata"]["labels"] = json!({ text: text });
        evil["metadata"]["annotations"] = json!({"example.com/x": text, text: text});
        evil["spec"]["rules"][0]["host"] = text.into();
        evil["spec"]["rules"][0]["http"]["paths"][0]["path"] = format!("/{text}").into();
        evil["spec"]["tls"] = json!([{"hosts": [text], "secretName": text}]);
        evil["spec"]["ingressClassName"] = text.into();
        evil["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = text.into();
        for output in ["yaml", "json", "kubectl"] {
            let ran = run(&["import", "-o", output], &stream(&[evil.clone()]), Terminal::default());
            // A name that is a template is told as such.
            assert!(ran.code < 2 || text.contains("{{"), "{text:?}: {}", ran.stderr);
            if output == "yaml" {
                assert!(xposer_manifest::load(&ran.stdout).is_ok(), "{text:?}: {}", ran.stdout);
            }
        }
        let mut odd = ingress("web", "shop.example.com");
        odd["metadata"]["labels"] = json!({});
        for (pointer, value) in [
            ("/spec/rules", json!({"a": text})),
            ("/spec/tls", json!([[], 7, null, {"hosts": text}])),
            ("/metadata/annotations", json!([text])),
            ("/metadata/labels", json!(7)),
            ("/spec/ingressClassName", json!([])),
            ("/spec", json!(null)),
            ("/metadata", json!(text)),
        ] {
            *odd.pointer_mut(pointer).unwrap() = value;
            let ran = run(&["import"], &stream(&[odd.clone()]), Terminal::default());
            assert_eq!(ran.code, 1, "{pointer}: {}", ran.stderr);
            run(&["init"], &stream(&[odd.clone()]), Terminal::default());
        }
    }
}

/// The shortest time of several imports: what else the machine does rarely disturbs all of them.
fn time(input: &str) -> std::time::Duration {
    let times = (0..3).map(|_| {
        let started = std::time::Instant::now();
        let ran = run(&["import", "--diagnostics", "json"], input, Terminal::default());
        assert!(ran.code < 2, "{}", ran.stderr);
        started.elapsed()
    });
    times.min().unwrap_or_default()
}

#[test]
fn many_ingresses_take_time_in_proportion() {
    let many = |count: usize| {
        let all = (0..count).flat_map(|at| {
            let name = format!("web-{at}");
            [ingress(&name, &format!("{name}.example.com")), service(&name)]
        });
        stream(&all.collect::<Vec<_>>())
    };
    let (few, more) = (many(60), many(240));
    let (first, second) = (time(&few), time(&more));
    println!("60 Ingresses in {first:?}, 240 in {second:?}");
    // Four times as many, and what other tests take of the machine.
    assert!(second < first * 10, "60 Ingresses take {first:?}, 240 {second:?}");
}

#[test]
fn an_ingress_with_a_thousand_rules_is_imported() {
    let mut big = ingress("web", "shop.example.com");
    let rule = |at: usize, service: &str| {
        json!({"host": format!("h{at}.io"), "http": {"paths": [{"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": service, "port": {"number": 80}}}}]}})
    };
    big["spec"]["rules"] = (0..1000).map(|at| rule(at, "web")).collect();
    big["spec"].as_object_mut().unwrap().remove("tls");
    let input = stream(&[big.clone(), service("web")]);
    let ran = run(&["import"], &input, Terminal::default()).expect(0);
    assert!(
        ran.stdout.contains("      h0.io\n      h1.io\n"),
        "{}",
        ran.stdout.get(..500).unwrap_or_default()
    );
    // Each of a thousand Services gets its own.
    big["spec"]["rules"] = (0..1000).map(|at| rule(at, &format!("s{at}"))).collect();
    let ran = run(&["import"], &stream(&[big.clone()]), Terminal::default()).expect(1);
    assert_eq!(xposer_manifest::load(&ran.stdout).unwrap().len(), 1000);
    // What no template can hold is told.
    big["spec"]["rules"] = (0..1000).map(|at| rule(at, "web")).collect();
    for (at, rule) in big["spec"]["rules"].as_array_mut().unwrap().iter_mut().enumerate() {
        rule["host"] = format!("a-long-name-of-a-host-{at}.shop.example.com").into();
    }
    let ran = run(&["import"], &stream(&[big]), Terminal::default()).expect(1);
    assert!(ran.stderr.contains("template-too-large"), "{}", ran.stderr);
}
