//! `import` and `init`: what they print of a cluster is what the command line prints of files with the same objects.

use serde_json::{Value, json};
use xposer_cli::{Console, Terminal};
use xposer_manifest::load;

use crate::cluster::{INGRESS, INGRESS_CLASS, Kind, SERVICE, name_of};
use crate::controller::Done;
use crate::plugin::{admin, in_place, run, to_read, writes_nothing};
use crate::scenario::{PLAIN, Place, Scene, foreign_ingress, service};

/// What the command line does with these objects on standard input.
fn of_files(words: &[&str], objects: &[Value]) -> Done {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let console = Console {
        stdin: &mut list.as_bytes(),
        stdout: &mut stdout,
        stderr: &mut stderr,
        terminal: Terminal::default(),
    };
    let code = xposer_cli::run([&["xposer"], words].concat(), console).into();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code, stdout: text(stdout), stderr: text(stderr) }
}

/// The objects of a namespace as `kubectl get` prints them.
fn objects(place: &Place, kind: Kind) -> Vec<Value> {
    let mut objects = place.list(kind);
    for object in &mut objects {
        object["metadata"].as_object_mut().unwrap().remove("managedFields");
    }
    objects.sort_by_key(|object| name_of(object).to_owned());
    objects
}

/// The messages without their places, which a cluster has not.
fn messages(stderr: &str) -> Vec<&str> {
    let is_head = |line: &&str| ["error", "warning", "info"].iter().any(|word| line.starts_with(word));
    stderr.lines().filter(is_head).collect()
}

/// Somebody else's Ingress of a Service with what no Service can say.
fn with_snippet(name: &str, host: &str, class: &str) -> Value {
    let mut ingress = foreign_ingress(name, host);
    ingress["metadata"]["labels"] = json!({"team": name});
    ingress["metadata"]["annotations"] = json!({"nginx.ingress.kubernetes.io/proxy-body-size": "8m",
        "nginx.ingress.kubernetes.io/server-snippet": "return 200;"});
    ingress["spec"]["ingressClassName"] = class.into();
    ingress
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn ingresses_of_a_cluster_become_what_files_become() {
    let scene = Scene::open("importing");
    let (shop, other) = (scene.place(), scene.place());
    let file = scene.settings("{domain: e2e.example.com, ingressClassName: nginx}");
    let settings = ["--settings", file.to_str().unwrap()];
    for name in ["web", "api", "db"] {
        let mut plain = service(name, &[]);
        plain["metadata"]["labels"] = json!({"app": name});
        shop.create(plain);
    }
    let mut web = foreign_ingress("web", "web.example.com");
    web["spec"]["ingressClassName"] = "nginx".into();
    web["metadata"]["labels"] = json!({"team": "web"});
    shop.stands_by(web);
    shop.stands_by(with_snippet("api", "api.example.com", "nginx"));
    let (ingresses, services) = (objects(&shop, INGRESS), objects(&shop, SERVICE));
    assert!(ingresses.len() >= 2 && services.len() >= 3);
    let classes = scene.list(INGRESS_CLASS, None);
    assert!(classes.is_empty(), "{classes:?}");
    let all = [ingresses.as_slice(), &services].concat();

    for words in [
        vec!["import"],
        vec!["import", "-o", "json"],
        vec!["import", "-o", "kubectl", "--options"],
        vec!["import", "--whole"],
    ] {
        let words = [words, settings.to_vec()].concat();
        let done = writes_nothing(&shop, || in_place(&shop, &words));
        let files = of_files(&words, &all);
        assert_eq!((done.code, &done.stdout), (files.code, &files.stdout), "{words:?}");
        assert_eq!((done.code, messages(&done.stderr)), (1, messages(&files.stderr)), "{words:?}");
        assert!(done.stderr.contains("server-snippet") && !done.stderr.contains("-->"), "{}", done.stderr);
    }
    let init = in_place(&shop, &["init"]);
    let files = of_files(&["init"], &all);
    assert_eq!((init.code, &init.stdout), (files.code, &files.stdout));
    assert_eq!(messages(&init.stderr), messages(&files.stderr));
    assert!(init.stdout.contains(&format!("#   {}/db: ", shop.name)), "{}", init.stdout);
    assert!(init.stderr.ends_with("Next: kubectl xposer init ... --out FOLDER writes them into files.\n"));

    // One of them, by its name or its label; its Service is looked up, and the others are not said to have no Ingress.
    let only = |name: &str| ingresses.iter().filter(|it| name_of(it) == name).cloned().collect::<Vec<_>>();
    let one = [only("web"), services.clone()].concat();
    let one = of_files(&[&["import"], settings.as_slice()].concat(), &one);
    assert_eq!(one.code, 0, "{}", one.stderr);
    for words in [&["ingress/web"] as &[&str], &["-l", "team=web"]] {
        let words = [&["import"], words, &settings].concat();
        let done = in_place(&shop, &words);
        assert_eq!((done.code, &done.stdout), (0, &one.stdout), "{words:?}");
    }
    let started = in_place(&shop, &["init", "-l", "team=web"]);
    assert!(started.code == 0 && !started.stdout.contains("without an Ingress"), "{}", started.stdout);
    let folder = scene.file("made");
    let written = in_place(&shop, &["init", "ing", "web", "--out", folder.to_str().unwrap()]);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{}", written.stderr);
    assert!(written.stderr.contains("kubectl xposer diff -A --settings "), "{}", written.stderr);
    assert!(load(&std::fs::read_to_string(folder.join("services.yaml")).unwrap()).unwrap().len() == 1);

    // All namespaces, where the bystanders are, too.
    other.stands_by(with_snippet("late", "late.example.com", "nginx"));
    let everywhere = run(&admin(), &[&["import", "-A"], settings.as_slice()].concat());
    // A patch that would expose a Service without what keeps somebody out is a comment.
    let patches = everywhere.stdout.replace("\n# ", "\n");
    let has = |place: &Place, name: &str| {
        patches.contains(&format!("  name: {name}\n  namespace: {}\n", place.name))
    };
    assert!(has(&shop, "web") && has(&other, "late"), "{}", everywhere.stdout);
    assert!(everywhere.stderr.contains("is not among the inputs"), "{}", everywhere.stderr);
    scene.end(&[]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn failed_imports_are_reported_with_a_help() {
    let scene = Scene::open("notimporting");
    let shop = scene.place();
    let file = scene.settings(PLAIN);
    let settings = file.to_str().unwrap();
    let wrong = |words: &[&str], message: &str| {
        let done = writes_nothing(&shop, || in_place(&shop, words));
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{}", done.stderr);
        assert!(done.stderr.contains(message), "{message}: {}", done.stderr);
    };
    wrong(
        &["import", "ingress/none", "--settings", settings],
        "Error from server (NotFound): ingresses.networking.k8s.io \"none\" not found",
    );
    wrong(
        &["import", "svc/web", "--settings", settings],
        "help: name the Ingress that leads to the Service; the Services are found by themselves",
    );
    wrong(
        &["import", "ing/web", "-l", "a=b", "--settings", settings],
        "name cannot be provided when a selector",
    );
    wrong(
        &["import", "-l", "team=none", "--settings", settings],
        "help: name another namespace with -n, or look in all of them: -A",
    );
    wrong(&["init", "--settings", settings], "error: init proposes settings, and reads none");
    wrong(&["init", "-l", "team=none"], "error: expected Ingresses");
    wrong(&["init", "--domain", "UPPER.example.com"], "error[");
    let broken = scene.settings("domian: e2e.example.com");
    let done = in_place(&shop, &["import", "--diagnostics", "json", "--settings", broken.to_str().unwrap()]);
    let found: Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!((done.code, &found[0]["code"]), (2, &json!("setting-unknown")));

    // Without the right to list classes, their programs are not known, and that is told.
    let account = scene.file("account");
    scene.account(&shop.name, "reader", &account);
    let rules = to_read(&[("", &["services"]), ("networking.k8s.io", &["ingresses"])]);
    let name = format!("reader-{}", shop.name);
    scene.create_all(vec![
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name, "namespace": shop.name}, "rules": rules}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name, "namespace": shop.name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": shop.name}]}),
    ]);
    let done = run(&account, &["import", "-n", &shop.name, "--settings", settings]);
    assert!(
        done.stderr
            .contains("warning: no permission to list ingressclasses.networking.k8s.io, so the program"),
        "{}",
        done.stderr
    );
    let forbidden = run(&account, &["import", "-A", "--settings", settings]);
    assert!(forbidden.code == 2 && forbidden.stderr.starts_with("Error from server (Forbidden): "));
    scene.end(&[]);
}
