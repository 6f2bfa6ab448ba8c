//! `adopt`: all is checked first, one annotation is written, and the controller adopts the object.

use serde_json::{Value, json};

use crate::cluster::{CONFIG_MAP, INGRESS, SERVICE};
use crate::plugin::{in_place, writes_nothing};
use crate::scenario::{PLAIN, Scene, foreign_ingress, host, key};

const ADOPT: &str = "xposer.stakater.com/adopt";

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn an_ingress_is_handed_over_and_the_controller_adopts_it() {
    let scene = Scene::open("handing");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let file = scene.settings(PLAIN);
    let settings = file.to_str().unwrap();
    let mut theirs = foreign_ingress("web", "theirs.example.com");
    theirs["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": "Helm"});
    shop.create(theirs);
    shop.expose("web", &[host("ours.example.com")]);
    shop.event("web", "Warning", "ForeignObject");
    let adopt = |words: &[&str]| in_place(&shop, &[&["adopt", "--settings", settings], words].concat());

    for (dry_run, said) in [
        ("--dry-run=client", " (dry run)"),
        ("--dry-run", " (dry run)"),
        ("--dry-run=server", " (server dry run)"),
    ] {
        let done = writes_nothing(&shop, || adopt(&["ingress/web", "--service", "web", dry_run]));
        assert_eq!(done.code, 0);
        assert!(done.stdout.ends_with(&format!("ingress.networking.k8s.io/web annotated{said}\n")));
    }
    let done = adopt(&["ing", "web", "--service=web"]);
    assert_eq!(done.code, 0);
    assert!(done.stdout.starts_with(&format!("adopt Ingress {}/web\n", shop.name)), "{}", done.stdout);
    assert!(
        done.stdout.contains("-  - host: theirs.example.com\n+  - host: ours.example.com\n"),
        "{}",
        done.stdout
    );
    assert!(
        done.stderr.contains("was written by Helm (label)") && done.stderr.contains("Adopted"),
        "{}",
        done.stderr
    );
    shop.event("web", "Normal", "Adopted");
    shop.serves("web", "ours.example.com");
    shop.has(["Ingress web"]);
    let again = writes_nothing(&shop, || adopt(&["ingress/web", "--service", "web"]));
    assert!(again.code == 0 && again.stdout.contains("belongs to Service"), "{}", again.stdout);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn unadoptable_objects_are_reported_and_not_written() {
    let scene = Scene::open("refusing");
    let shop = scene.place();
    let file = scene.settings(PLAIN);
    let settings = file.to_str().unwrap();
    shop.expose("web", &[]);
    shop.expose("front", &[(key("IngressNameTemplate"), "other".to_owned())]);
    shop.expose("wrong", &[host("Upper.example.com")]);
    shop.create(foreign_ingress("web", "theirs.example.com"));
    let refused = |words: &[&str], code: i32, message: &str| {
        let words = [&["adopt", "--settings", settings], words].concat();
        let done = writes_nothing(&shop, || in_place(&shop, &words));
        assert_eq!(done.code, code, "{}", done.stderr);
        assert!(done.stderr.contains(message), "{message}: {}", done.stderr);
    };
    refused(&["ingress/none", "--service", "web"], 2, "ingresses.networking.k8s.io \"none\" not found");
    refused(
        &["ingress/web", "--service", "none"],
        2,
        "Error from server (NotFound): services \"none\" not found",
    );
    refused(&["ingress/web", "--service", "bystander"], 2, "does not ask to be exposed");
    refused(&["ingress/web", "--service", "wrong"], 1, "error[host-uppercase]");
    refused(
        &["ingress/web", "--service", "front"],
        2,
        &format!("has no Ingress {0}/web, but Ingress {0}/other", shop.name),
    );
    // What protects it is not lost without a word, and what is done is not told as an error.
    let mut closed = foreign_ingress("bare", "bare.example.com");
    closed["metadata"]["annotations"] = json!({"nginx.ingress.kubernetes.io/auth-secret": "users"});
    shop.create(closed);
    shop.expose("bare", &[]);
    let bare = ["ingress/bare", "--service", "bare"];
    refused(&bare, 2, "nothing is written to Ingress");
    let words = [&["adopt", "--settings", settings], &bare[..]].concat();
    assert_eq!(in_place(&shop, &[&words[..], &["--force"]].concat()).code, 0);
    refused(&bare, 0, "it is handed over already; to undo that: kubectl annotate ingress bare");
    shop.delete(SERVICE, "bare");
    shop.delete(INGRESS, "bare");
    refused(&["pod/web", "--service", "web"], 2, "the controller makes no objects of the type \"pod\"");
    refused(&["ingress", "--service", "web"], 2, "expected TYPE/NAME");
    refused(&["ingress/web", "--service", "svc/web"], 2, "write --service web");

    shop.patch(INGRESS, "web", &json!({"metadata": {"annotations": {ADOPT: "front"}}}));
    refused(&["ingress/web", "--service", "web"], 2, "is handed over to Service front already");
    // Without such an object, the garbage collector would delete the Ingress.
    let uid = shop.get(CONFIG_MAP, "bystander")["metadata"]["uid"].clone();
    let owner =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "bystander", "controller": true, "uid": uid});
    shop.patch(
        INGRESS,
        "web",
        &json!({"metadata": {"annotations": {ADOPT: Value::Null}, "ownerReferences": [owner]}}),
    );
    refused(&["ingress/web", "--service", "web"], 2, "belongs to ConfigMap bystander");
    shop.has(["Ingress web"]);
    scene.end(&[]);
}
