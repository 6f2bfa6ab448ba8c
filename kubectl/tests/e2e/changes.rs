//! `diff`: it shows what the controller would do, and writes nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cluster::{INGRESS, SERVICE};
use crate::plugin::{admin, in_place, run, to_read, writes_nothing};
use crate::scenario::{FORWARD, PLAIN, Place, Scene, foreign_ingress, host, key};

/// The lines that say what happens to which object.
fn heads(stdout: &str) -> BTreeSet<&str> {
    let is_head =
        |line: &&str| ["create ", "update ", "delete ", "adopt "].iter().any(|verb| line.starts_with(verb));
    stdout.lines().filter(is_head).collect()
}

/// What is shown is what the controller's own dry run, which asks the API server, would do.
#[track_caller]
fn as_the_controller(scene: &Scene, shop: &Place, settings: &str) -> String {
    let done = writes_nothing(shop, || in_place(shop, &["diff", "--settings", settings]));
    let dry = scene.run(PLAIN, &["--dry-run", "--namespace", &shop.name]);
    assert_eq!(heads(&done.stdout), heads(&dry.stdout));
    assert_eq!(done.code, i32::from(!done.stdout.is_empty()));
    done.stdout
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn changes_are_shown_with_both_states() {
    let scene = Scene::open("diff");
    let shop = scene.place();
    let file = scene.settings(PLAIN);
    let settings = file.to_str().unwrap();
    for name in ["same", "changed", "hidden", "taken"] {
        shop.expose(name, &[]);
    }
    shop.expose("told", &[(FORWARD.to_owned(), "exposeIngressUrl: locally".to_owned())]);
    let shown = as_the_controller(&scene, &shop, settings);
    assert_eq!(heads(&shown).len(), 6, "{shown}");
    assert!(shown.contains(&format!(
        "--- cluster/Ingress.{}.same\n+++ wanted/Ingress.{}.same\n@@ -0,0 ",
        shop.name, shop.name
    )));

    assert_eq!(scene.run(PLAIN, &["--once", "--namespace", &shop.name]).code, 0);
    assert_eq!(as_the_controller(&scene, &shop, settings), "", "the controller has done it");

    // Fields of others and defaults are no difference, what somebody changed of ours is.
    shop.patch(INGRESS, "same", &json!({"metadata": {"annotations": {"example.com/theirs": "1"}}}));
    assert_eq!(as_the_controller(&scene, &shop, settings), "");
    let backend = json!({"service": {"name": "changed", "port": {"number": 80}}});
    let paths = json!([{"path": "/by-hand", "pathType": "Prefix", "backend": backend}]);
    shop.patch(
        INGRESS,
        "changed",
        &json!({"spec": {"rules": [{"host": "hand.example.com", "http": {"paths": paths}}]}}),
    );
    shop.label("hidden", "false");
    shop.annotate("told", FORWARD, Value::Null);
    shop.configure("taken", "IngressNameTemplate", "theirs");
    shop.create(foreign_ingress("theirs", "theirs.example.com"));
    let done = writes_nothing(&shop, || in_place(&shop, &["diff", "--settings", settings]));
    let dry = scene.run(PLAIN, &["--dry-run", "--namespace", &shop.name]);
    assert_eq!(heads(&done.stdout), heads(&dry.stdout));
    let place = &shop.name;
    let expected = [
        format!("update Ingress {place}/changed"),
        format!("delete Ingress {place}/hidden"),
        format!("delete ConfigMap {place}/xposer"),
    ];
    assert_eq!(heads(&done.stdout), expected.iter().map(String::as_str).collect());
    let has =
        |sign: char, text: &str| done.stdout.lines().any(|it| it.starts_with(sign) && it.contains(text));
    assert!(
        has('-', "hand.example.com") && has('+', "changed.") && has('-', "path: /by-hand"),
        "{}",
        done.stdout
    );
    assert!(
        done.stderr.contains(&format!("Ingress {place}/theirs belongs to another owner")),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains(&format!("kubectl xposer adopt ingress/theirs --service taken -n {place}")));

    // What a name or a selector leaves out is not shown.
    assert_eq!(in_place(&shop, &["diff", "svc/same", "--settings", settings]).code, 0);
    let one = in_place(&shop, &["diff", "svc", "hidden", "--settings", settings]);
    assert_eq!(heads(&one.stdout), [expected[1].as_str()].into());
    let other = scene.settings("domain: other.example.com");
    let other = in_place(&shop, &["diff", "svc/same", "--settings", other.to_str().unwrap()]);
    assert!(other.code == 1 && other.stdout.contains("+  - host: same."), "{}", other.stdout);

    // It needs no rights to write.
    let rules = to_read(&[("", &["services", "configmaps"]), ("networking.k8s.io", &["ingresses"])]);
    let account = shop.account("reader", &rules);
    let read = run(&account, &["diff", "--settings", settings, "-n", place]);
    assert_eq!((read.code, read.stdout.as_str()), (1, done.stdout.as_str()));
    assert!(read.stderr.contains("httproutes"), "{}", read.stderr);
    let everywhere = run(&admin(), &["diff", "-A", "--settings", settings]);
    assert_eq!(heads(&everywhere.stdout), heads(&done.stdout));

    shop.expose("wrong", &[host("Upper.example.com")]);
    let refused = in_place(&shop, &["diff", "svc/wrong", "--settings", settings]);
    assert!(
        refused.code == 0 && refused.stderr.contains("wrong is refused, so its objects would stay"),
        "{}",
        refused.stderr
    );
    shop.delete(SERVICE, "wrong");
    shop.expose("younger", &[(key("IngressNameTemplate"), "same".to_owned())]);
    let conflicting = in_place(&shop, &["diff", "svc/younger", "--settings", settings]);
    let message = "younger is refused, so its objects would be deleted, because another Service has the same host, path or name";
    assert!(conflicting.code == 0 && conflicting.stderr.contains(message), "{}", conflicting.stderr);
    shop.delete(SERVICE, "younger");
    // The common check needs them.
    shop.has([
        "ConfigMap xposer",
        "Ingress changed",
        "Ingress hidden",
        "Ingress same",
        "Ingress taken",
        "Ingress theirs",
        "Ingress told",
    ]);
    scene.end(&[]);
}
