//! What goes wrong is told as kubectl tells it, with a way further.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xposer_manifest::load;

use crate::controller::Done;
use crate::plugin::{admin, command, in_place, run, to_read};
use crate::scenario::{PLAIN, Scene, host};

#[track_caller]
fn fails(done: &Done, message: &str) {
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains(message), "{message}: {}", done.stderr);
    assert_eq!(done.stdout, "");
}

/// The kubeconfig of the administrator, with another value.
fn changed(file: PathBuf, pointer: &str, value: &str) -> PathBuf {
    let text = fs::read_to_string(admin()).unwrap();
    let mut config: Value = load(&text).unwrap().remove(0).value;
    *config.pointer_mut(pointer).unwrap() = value.into();
    fs::write(&file, config.to_string()).unwrap();
    file
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn missing_cluster_context_and_login_are_reported() {
    let scene = Scene::open("lost");
    let shop = scene.place();
    fails(&in_place(&shop, &["list", "--context", "x"]), "error: context \"x\" does not exist");
    fails(&in_place(&shop, &["list", "--cluster", "x"]), "error: cluster \"x\" does not exist");
    fails(&in_place(&shop, &["list", "--user", "x"]), "error: auth info \"x\" does not exist");
    fails(
        &in_place(&shop, &["list", "--kubeconfig", "/none/config"]),
        "error: /none/config: No such file or directory",
    );
    fails(&run(Path::new("/none/config"), &["list"]), "error: no kubeconfig was found");
    let closed = changed(scene.file("closed"), "/clusters/0/cluster/server", "https://127.0.0.1:1");
    fails(&run(&closed, &["list"]), "The connection to the server 127.0.0.1:1 was refused");
    let nowhere = changed(scene.file("nowhere"), "/clusters/0/cluster/server", "https://xposer.invalid:1");
    fails(&run(&nowhere, &["list"]), "Unable to connect to the server: ");
    let expired = changed(scene.file("expired"), "/users/0/user/token", "expired");
    fails(&run(&expired, &["list"]), "error: You must be logged in to the server (Unauthorized)");
    let current = changed(scene.file("current"), "/current-context", "");
    fails(&run(&current, &["list"]), "error: current-context is not set");
    let broken = scene.file("broken");
    fs::write(&broken, "clusters: [").unwrap();
    let told = run(&broken, &["list"]);
    fails(&told, &format!("error: {}: the kubeconfig cannot be used: ", broken.display()));
    let token = fs::read_to_string(admin()).unwrap();
    let token = token.split("token: ").nth(1).unwrap().split('}').next().unwrap().to_owned();
    fs::write(&broken, format!("{}]", fs::read_to_string(admin()).unwrap().trim_end())).unwrap();
    let told = run(&broken, &["list"]);
    fails(&told, "the kubeconfig cannot be used: ");
    assert!(!told.stderr.contains(&token), "a token is not shown");
    let plain = fs::read_to_string(admin()).unwrap().replace("https://", "http://");
    fs::write(&broken, plain).unwrap();
    fails(&run(&broken, &["list"]), "does not answer as an API server: 400: ");
    fails(
        &run(&admin(), &["list", "-n", "../.."]),
        "error: invalid value '../..' for '--namespace <NAMESPACE>': expected lower-case letters, ",
    );
    let outside = changed(scene.file("outside"), "/contexts/0/context/namespace", "../..");
    fails(&run(&outside, &["list"]), "error: no namespace can have the name \"../..\"");
    assert_eq!(run(&admin(), &["list", "-n", ""]).code, 0, "an empty one is that of the context");
    fails(
        &in_place(&shop, &["list", "svc/none"]),
        "Error from server (NotFound): services \"none\" not found",
    );
    fails(&in_place(&shop, &["list", "web"]), "help: write svc/NAME, for example svc/web");
    fails(
        &in_place(&shop, &["list", "svc/web", "-l", "a=b"]),
        "error: name cannot be provided when a selector is specified",
    );
    fails(
        &in_place(&shop, &["list", "--as-group", "a"]),
        "error: requesting groups without impersonating a user",
    );
    let usage = in_place(&shop, &["list", "--request-timeout", "x"]);
    assert!(usage.code == 2 && usage.stderr.contains("expected a time such as 30s"));

    // A server that accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("https://{}", silent.local_addr().unwrap());
    let silent_file = changed(scene.file("silent"), "/clusters/0/cluster/server", &server);
    fails(&run(&silent_file, &["list", "--request-timeout", "1s"]), "Unable to connect to the server: ");
    let mut child = command(&silent_file, &["list"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let sent =
        std::process::Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert!(!child.wait().unwrap().success(), "Ctrl-C ends it");
    scene.end(&[]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn missing_rights_are_named_with_a_way_further() {
    let scene = Scene::open("rights");
    let (shop, other) = (scene.place(), scene.place());
    let file = scene.settings(PLAIN);
    let settings = file.to_str().unwrap();
    other.expose("first", &[host("shop.example.com")]);
    shop.expose("web", &[host("shop.example.com")]);
    let account = shop.account("dev", &to_read(&[("", &["services"])]));
    let dev = |words: &[&str]| run(&account, words);

    let own = dev(&["list", "--settings", settings, "-n", &shop.name]);
    assert_eq!(own.code, 0);
    assert!(own.stdout.contains("http://shop.example.com"), "{}", own.stdout);
    assert!(own.stderr.contains("so conflicts with them are not known"), "{}", own.stderr);
    assert!(own.stderr.contains("ingressclasses"), "{}", own.stderr);
    let all = dev(&["list", "-A", "--settings", settings]);
    fails(&all, "Error from server (Forbidden): services is forbidden");
    assert!(all.stderr.contains("help: name a namespace in which you may list services: -n NAMESPACE"));
    let foreign = dev(&["list", "-n", &other.name, "--settings", settings]);
    fails(&foreign, "cannot list resource \"services\"");
    assert!(foreign.stderr.contains(&format!("in the namespace {}", other.name)));
    let unknown = dev(&["list", "-n", &shop.name]);
    fails(&unknown, "error: the controller's settings are not known");
    assert!(
        unknown.stderr.contains("--settings FILE") && unknown.stderr.contains("--controller NAMESPACE/NAME")
    );
    fails(&dev(&["diff", "-n", &shop.name, "--settings", settings]), "cannot list resource \"ingresses\"");
    let asked = run(&admin(), &["list", "-n", &shop.name, "--settings", settings, "--as", "nobody"]);
    fails(&asked, "User \"nobody\" cannot list resource \"services\"");
    scene.end(&[]);
}
