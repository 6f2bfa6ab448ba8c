//! `list`, `explain`, `check` and `report`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};
use xposer_manifest::load;

use crate::plugin::{admin, command, deployed, in_place, run};
use crate::scenario::{Scene, host, key};

/// The columns of the lines of a list.
fn columns(stdout: &str) -> Vec<Vec<&str>> {
    stdout
        .lines()
        .map(|line| line.split("   ").map(str::trim).filter(|it| !it.is_empty()).collect())
        .collect()
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_list_has_a_line_for_each_service_that_asks() {
    let scene = Scene::open("list");
    let (shop, other) = (scene.place(), scene.place());
    let settings = scene.settings("{domain: e2e.example.com, ingressClassName: nginx}");
    let settings = ["--settings", settings.to_str().unwrap()];
    let with = |words: &[&'static str]| [words, &settings].concat();
    shop.expose("web", &[(key("AllowedSources"), "10.0.0.0/8".to_owned())]);
    shop.expose("wrong", &[host("Upper.example.com")]);
    let mut api = crate::scenario::service("api", &[]);
    api["metadata"]["labels"]["team"] = "a".into();
    other.create(api);

    let listed = in_place(&shop, &with(&["list"]));
    assert_eq!((listed.code, listed.stderr.as_str()), (0, ""));
    let url = format!("http://web.{}.e2e.example.com", shop.name);
    assert_eq!(
        columns(&listed.stdout),
        [
            vec!["NAME", "URL", "TARGET", "SERVED-BY", "ACCESS", "STATUS"],
            vec!["web", &url, "Ingress", "ingress-nginx", "restricted", "exposed"],
            vec![
                "wrong",
                "<none>",
                "<none>",
                "<none>",
                "<none>",
                "refused: the host `Upper.example.com` contains upper-case letters"
            ],
        ]
    );
    let all = run(&admin(), &with(&["list", "-A", "--no-headers"]));
    let places: Vec<(&str, &str)> = columns(&all.stdout).iter().map(|row| (row[0], row[1])).collect();
    let mut expected = vec![(shop.name.as_str(), "web"), (&shop.name, "wrong"), (&other.name, "api")];
    expected.sort_unstable();
    assert_eq!(places, expected);
    assert!(all.stdout.contains("   open   "), "{}", all.stdout);

    let labelled = run(&admin(), &with(&["list", "-A", "-l", "team=a", "-o", "name"]));
    assert_eq!(labelled.stdout, "service/api\n");
    let one = in_place(&shop, &with(&["list", "svc/web", "-o", "wide"]));
    assert!(
        one.stdout.contains("CLASS-OR-GATEWAY")
            && one.stdout.contains("   nginx   ")
            && !one.stdout.contains("wrong")
    );
    let json: Value = serde_json::from_str(&in_place(&shop, &with(&["list", "-o", "json"])).stdout).unwrap();
    assert_eq!((&json["kind"], &json["rows"][0]["urls"][0]["url"]), (&json!("Report"), &json!(url)));
    let yaml = in_place(&shop, &with(&["list", "-o", "yaml"])).stdout;
    assert_eq!(load(&yaml).unwrap().remove(0).value, json);
    let selector = in_place(&shop, &with(&["list", "-l", "a=b=c"]));
    assert!(
        selector.code == 2 && selector.stderr.starts_with("Error from server (BadRequest): "),
        "{}",
        selector.stderr
    );
    scene.end(&[]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn explain_shows_sources_and_problems() {
    let scene = Scene::open("explain");
    let (shop, other) = (scene.place(), scene.place());
    let file = scene.settings("domain: e2e.example.com\nstrikt: true\n");
    let good = scene.settings("domain: e2e.example.com");
    let (file, good) = (file.to_str().unwrap(), good.to_str().unwrap());
    shop.expose("web", &[host("shop.example.com")]);
    shop.expose("wrong", &[host("Upper.example.com")]);
    // It is younger, or comes later by its name and namespace.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    other.expose("late", &[host("shop.example.com")]);

    let explained = in_place(&shop, &["explain", "svc/web", "--settings", good]);
    assert_eq!((explained.code, explained.stderr.as_str()), (0, ""));
    assert!(
        explained
            .stdout
            .starts_with(&format!("Service {}/web is exposed as http://shop.example.com\n", shop.name))
    );
    assert!(explained.stdout.contains("from metadata.annotations"));
    let several = in_place(&shop, &["explain", "svc", "web", "wrong", "--settings", good]);
    assert_eq!(several.code, 1);
    assert!(several.stdout.contains("wrong is refused") && several.stderr.contains("error[host-uppercase]"));
    // A Service of another namespace counts for conflicts, and the older one wins, as with the controller.
    let late = in_place(&other, &["explain", "svc/late", "--settings", good]);
    assert_eq!(late.code, 1);
    assert!(
        late.stderr.contains(&format!("is also claimed by Service {}/web", shop.name)),
        "{}",
        late.stderr
    );
    let unlabelled = in_place(&shop, &["explain", "svc/bystander", "--settings", good]);
    assert!(unlabelled.code == 0 && unlabelled.stdout.contains("does not ask to be exposed"));
    let word = run(&admin(), &["explain", "host-uppercase"]);
    assert!(word.code == 0 && word.stdout.starts_with("error[host-uppercase]"));

    let checked = in_place(&shop, &["check", "--settings", good]);
    assert_eq!(checked.code, 1);
    assert!(
        checked.stderr.ends_with("4 services: 1 exposed, 1 refused, 2 left alone\n"),
        "{}",
        checked.stderr
    );
    assert!(checked.stderr.contains(&format!("of Service {}/wrong", shop.name)));
    assert_eq!(in_place(&shop, &["check", "svc/web", "--settings", good]).code, 0);
    let json = in_place(&shop, &["check", "--settings", good, "--diagnostics", "json"]);
    let found: Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!(found[0]["code"], "host-uppercase");
    // What is wrong with a file of settings has its place.
    let broken = in_place(&shop, &["check", "--settings", file]);
    assert!(
        broken.code == 2 && broken.stderr.contains("error[") && broken.stderr.contains(":2:"),
        "{}",
        broken.stderr
    );

    let report = in_place(&shop, &["report", "--settings", good]);
    assert_eq!(report.code, 1);
    assert!(
        report.stdout.contains("href=\"http://shop.example.com\"")
            && report.stdout.contains("Upper.example.com")
    );
    assert_eq!(report.stderr, "2 services: 1 exposed, 1 refused\n");
    let json =
        in_place(&shop, &["report", "-o", "json", "--compare-target", "HTTPRoute", "--settings", good]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&json["rows"][0]["service"], &json["compareTarget"]), (&json!("web"), &json!("HTTPRoute")));
    assert!(json["generated"].is_string() && json["rows"][0]["migration"].is_object());
    assert!(
        in_place(&shop, &["report", "-o", "mermaid", "--settings", good]).stdout.starts_with("flowchart")
    );
    scene.end(&[]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_settings_of_the_controller_are_found() {
    let scene = Scene::open("settings");
    let (shop, other) = (scene.place(), scene.place());
    shop.expose("web", &[]);
    // Nobody has a domain for it.
    let without = in_place(&shop, &["list"]);
    assert!(
        without.stderr.starts_with("settings: the defaults, because there is no Deployment"),
        "{}",
        without.stderr
    );
    assert!(without.stdout.contains("refused"));

    let made = scene.create_all(deployed(&shop.name, "domain: own.example.com\n"));
    let found = in_place(&shop, &["list"]);
    let place = &shop.name;
    assert_eq!(
        found.stderr,
        format!(
            "settings: ConfigMap {place}/xposer-controller-settings, key settings.yaml, of Deployment {place}/xposer-controller\n"
        )
    );
    assert!(found.stdout.contains(&format!("http://web.{place}.own.example.com")), "{}", found.stdout);

    // Of several, one has to be named.
    scene.create_all(deployed(&other.name, "domain: [\n"));
    let several = in_place(&shop, &["list"]);
    assert!(
        several.code == 2 && several.stderr.starts_with("error: there are several controllers: "),
        "{}",
        several.stderr
    );
    assert!(several.stderr.contains("--controller"));
    let named = in_place(&shop, &["list", "--controller", &format!("{place}/xposer-controller")]);
    assert!(named.code == 0 && named.stdout.contains("own.example.com"));
    let broken = in_place(&shop, &["check", "--controller", &format!("{}/xposer-controller", other.name)]);
    assert_eq!(broken.code, 2);
    let file = format!("ConfigMap {}/xposer-controller-settings[settings.yaml]:", other.name);
    assert!(broken.stderr.contains(&file), "{}", broken.stderr);
    let none = in_place(&shop, &["list", "--controller", &format!("{place}/none")]);
    assert!(none.code == 2 && none.stderr.contains("deployments.apps \"none\" not found"), "{}", none.stderr);
    other.delete(crate::cluster::kind_of(&made[1]).unwrap(), "xposer-controller");

    // A controller for another namespace has no say.
    let mut elsewhere = deployed(&other.name, "domain: other.example.com\n").remove(1);
    elsewhere["spec"]["template"]["spec"]["containers"][0]["args"] =
        json!(["--settings=/etc/xposer/settings.yaml", format!("--namespace={}", other.name)]);
    scene.create(elsewhere);
    assert!(in_place(&shop, &["list"]).stdout.contains("own.example.com"));
    for place in [&shop, &other] {
        place.delete(crate::cluster::kind_of(&made[1]).unwrap(), "xposer-controller");
        place.delete(crate::cluster::CONFIG_MAP, "xposer-controller-settings");
    }
    scene.end(&[]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn many_services_are_read_in_pages_and_a_reader_may_go() {
    let scene = Scene::open("many");
    let shop = scene.place();
    shop.create_all((0..510).map(|number| crate::scenario::service(&format!("web-{number:03}"), &[])));
    let settings = scene.settings("domain: e2e.example.com");
    let settings = settings.to_str().unwrap();
    let listed = in_place(&shop, &["list", "--no-headers", "--settings", settings]);
    assert_eq!((listed.code, listed.stdout.lines().count()), (0, 510));
    let mut child = command(&admin(), &["list", "-A", "-o", "json", "--settings", settings])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "{\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()));
    scene.end(&[]);
}
