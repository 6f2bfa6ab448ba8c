//! Operation: health, metrics, Events, runs with `--once`, rights, and a clean end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xposer::emit::stamp::{INGRESS_ANNOTATION, URL_ANNOTATION};

use crate::cluster::{
    DEFINITION, EVENT, HTTP_ROUTE, INGRESS, Kind, MONITOR, ROUTE, SERVICE, deployed_rules, eventually,
    looking, within,
};
use crate::controller::run;
use crate::scenario::{FORWARD, PLAIN, Scene, foreign_ingress, host, key, service};

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn health_and_metrics_show_the_state() {
    let scene = Scene::open("metrics");
    let shop = scene.place();
    let mark = scene.audit_mark();
    let controller = scene.controller(PLAIN, &[]);
    assert_eq!(controller.ask("/healthz").0, 200);
    assert_eq!(controller.ask("/readyz").0, 200);
    assert_eq!(controller.ask("/nothing").0, 404);

    shop.expose("web", &[]);
    shop.expose("api", &[(FORWARD.to_owned(), "exposeIngressUrl: locally".to_owned())]);
    shop.expose("wrong", &[host("Upper.example.com")]);
    shop.event("wrong", "Warning", "HostUppercase");
    shop.has(["ConfigMap xposer", "Ingress api", "Ingress web"]);
    shop.event("web", "Normal", "Created");
    scene.rests(&[&controller]);

    controller.shows("xposer_services", &[], 3.0);
    controller.shows("xposer_owned_objects", &["kind=\"Ingress\""], 2.0);
    controller.shows("xposer_queue_depth", &[], 0.0);
    assert!(controller.metric("xposer_reconciles_total", &["result="]) >= 3.0);
    let upper = ["code=\"host-uppercase\"", "severity=\"error\""];
    assert!(controller.metric("xposer_diagnostics_total", &upper) >= 1.0);
    assert!(controller.metric("xposer_apply_duration_seconds_count", &[]) >= 2.0);
    assert!(controller.metric("xposer_apply_duration_seconds_bucket", &["le="]) >= 2.0);
    assert!(controller.metric("xposer_api_requests_total", &["kind=\"Ingress\""]) >= 2.0);
    assert!(controller.metrics().iter().any(|(sample, _)| sample.starts_with("xposer_leader")));

    // Its metrics agree with the audit log of the API server.
    let seen = scene.written_since(mark);
    let told: f64 = controller.writes().iter().map(|(_, count)| count).sum();
    if !seen.is_empty() {
        assert_eq!(told, seen.len() as f64, "{:#?}\n{seen:#?}", controller.writes());
    }

    shop.label("web", "false");
    shop.has(["ConfigMap xposer", "Ingress api"]);
    controller.shows("xposer_services", &[], 2.0);
    controller.shows("xposer_owned_objects", &["kind=\"Ingress\""], 1.0);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn events_are_written_once() {
    let scene = Scene::open("events");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let created = shop.expose("web", &[]);
    shop.event("web", "Normal", "Created");
    shop.configure("web", "IngressURLPath", "/shop");
    shop.event("web", "Normal", "Updated");

    let events = shop.list(EVENT);
    let about = events.iter().find(|it| it["reason"] == "Created").unwrap();
    assert_eq!(about["involvedObject"]["uid"], created["metadata"]["uid"]);
    assert_eq!(about["involvedObject"]["apiVersion"], "v1");
    assert!(about["reportingComponent"].as_str().unwrap().contains("xposer"), "{about}");

    // As long as the condition holds, neither another change nor a restart of the watch reports it again.
    shop.configure("web", "IngressURLTemplate", "Upper.example.com");
    let told = |reason: &str| shop.events("web").iter().filter(|it| it.1 == reason).count();
    let message = shop.event("web", "Warning", "HostUppercase");
    assert!(message.contains("Upper.example.com"), "{message}");
    shop.patch(SERVICE, "web", &json!({"metadata": {"labels": {"team": "shop"}}}));
    shop.annotate("web", "example.com/note", "1");
    shop.configure("web", "IngressURLPath", "/other");
    shop.configure("web", "PathType", "Exact");
    scene.rests(&[&controller]);
    assert_eq!(told("HostUppercase"), 1, "{:#?}", shop.events("web"));

    shop.configure("web", "IngressURLTemplate", Value::Null);
    shop.label("web", "false");
    shop.event("web", "Normal", "Deleted");
    shop.has_nothing();
    let is_pascal = |reason: &str| {
        reason.starts_with(|it: char| it.is_ascii_uppercase())
            && reason.chars().all(|it| it.is_ascii_alphanumeric())
    };
    let events = shop.events("web");
    assert!(events.iter().all(|it| is_pascal(&it.1)), "{events:#?}");
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn single_run_reports_its_result_by_exit_code() {
    let scene = Scene::open("once");
    let shop = scene.place();
    let here = ["--once", "--namespace", shop.name.as_str()];
    shop.expose("web", &[]);
    assert_eq!(scene.run(PLAIN, &here).code, 0);
    shop.has(["Ingress web"]);
    // The second run has nothing to do.
    let before = shop.get(INGRESS, "web");
    assert_eq!(scene.run(PLAIN, &here).code, 0);
    assert_eq!(shop.get(INGRESS, "web"), before);

    // The others are still exposed.
    shop.expose("wrong", &[host("Upper.example.com")]);
    shop.expose("api", &[]);
    let done = scene.run(PLAIN, &here);
    assert_eq!(done.code, 1);
    assert!((done.stdout + &done.stderr).contains("HostUppercase"));
    shop.has(["Ingress api", "Ingress web"]);

    // The account may only read.
    shop.delete(SERVICE, "wrong");
    shop.expose("more", &[]);
    let reader = shop.account("reader", &looking(deployed_rules()));
    let done = run(&reader, &scene.settings(PLAIN), &here);
    assert_eq!(done.code, 1);
    assert!((done.stdout + &done.stderr).contains("forbidden"), "it says why");
    shop.has(["Ingress api", "Ingress web"]);

    let unusable = scene.run("domian: a\ntls: perhaps", &here);
    assert_eq!(unusable.code, 2);
    let message = unusable.stdout + &unusable.stderr;
    assert!(message.contains("domian") && message.contains("perhaps"), "every problem is told: {message}");
    let missing = run(&reader, &scene.file("missing.yaml"), &here);
    assert_eq!(missing.code, 2);
    assert!((missing.stdout + &missing.stderr).contains("missing.yaml"));
    assert_eq!(scene.run(PLAIN, &["--wrong"]).code, 2);
    scene.end(&[]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let scene = Scene::open("dry");
    let shop = scene.place();
    let dry = ["--dry-run", "--namespace", shop.name.as_str()];
    for name in ["same", "changed", "hidden"] {
        shop.expose(name, &[]);
    }
    assert_eq!(scene.run(PLAIN, &["--once", "--namespace", &shop.name]).code, 0);
    shop.has(["Ingress same", "Ingress changed", "Ingress hidden"]);
    assert_eq!(scene.run(PLAIN, &dry).stdout, "", "nothing differs");

    shop.configure("changed", "IngressURLPath", "/changed");
    shop.label("hidden", "false");
    shop.expose("new", &[(FORWARD.to_owned(), "exposeIngressUrl: locally".to_owned())]);
    let mark = scene.audit_mark();
    let done = scene.run(PLAIN, &dry);
    assert_eq!(done.code, 0);
    let headed = |verb: &str, kind: &str, name: &str| {
        let head = format!("{verb} {kind} {}/{name}", shop.name);
        assert!(done.stdout.lines().any(|line| line == head), "{head} is missing");
    };
    headed("create", "Ingress", "new");
    headed("create", "ConfigMap", "xposer");
    headed("update", "Ingress", "changed");
    headed("delete", "Ingress", "hidden");
    assert!(!done.stdout.contains(&format!("{}/same", shop.name)), "what is the same is not shown");
    let shown =
        |sign: char, text: &str| done.stdout.lines().any(|it| it.starts_with(sign) && it.contains(text));
    assert!(shown('+', "/changed") && shown('-', "path: /"), "a unified diff");
    assert_eq!(scene.written_since(mark), Vec::<String>::new());

    shop.expose("wrong", &[host("Upper.example.com")]);
    let done = scene.run(PLAIN, &dry);
    assert_eq!(done.code, 1);
    shop.delete(SERVICE, "wrong");
    // The common check needs the objects.
    shop.has(["Ingress same", "Ingress changed", "Ingress hidden"]);
    scene.end(&[]);
    shop.sees(INGRESS, "changed", "/spec/rules/0/http/paths/0/path", "/");
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn one_namespace_needs_no_rights_in_others() {
    let scene = Scene::open("role");
    let (shop, other) = (scene.place(), scene.place());
    shop.expose("web", &[]);
    other.expose("web", &[]);
    let account = shop.account("xposer", &deployed_rules());
    let controller = scene.controller_as(&account, PLAIN, &["--namespace", &shop.name]).ready();
    shop.has(["Ingress web"]);
    shop.expose("api", &[(FORWARD.to_owned(), "exposeIngressUrl: locally".to_owned())]);
    shop.has(["ConfigMap xposer", "Ingress api", "Ingress web"]);
    shop.delete(SERVICE, "api");
    shop.has(["Ingress web"]);
    shop.expose("wrong", &[host("Upper.example.com")]);
    shop.event("wrong", "Warning", "HostUppercase");
    other.has_nothing();
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_stamp_is_written_if_it_is_enabled() {
    let scene = Scene::open("stamp");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &["--stamp"]);
    let pointer = |key: &str| format!("/metadata/annotations/{}", key.replace('/', "~1"));
    let (url, ingress) = (pointer(URL_ANNOTATION), pointer(INGRESS_ANNOTATION));
    shop.expose("web", &[host("web.example.com")]);
    shop.sees(SERVICE, "web", &url, "http://web.example.com");
    shop.sees(SERVICE, "web", &ingress, "web");
    shop.configure("web", "TLS", "true");
    shop.configure("web", "IngressNameTemplate", "front");
    shop.sees(SERVICE, "web", &url, "https://web.example.com");
    shop.sees(SERVICE, "web", &ingress, "front");
    // A wrong value of somebody else is replaced.
    shop.annotate("web", URL_ANNOTATION, "http://wrong.example.com");
    shop.sees(SERVICE, "web", &url, "https://web.example.com");

    shop.has(["Ingress front"]);
    scene.rests(&[&controller]);
    let film = shop.film(&[SERVICE]);
    shop.label("web", "false");
    let service = shop.sees(SERVICE, "web", &url, Value::Null);
    assert_eq!(service.pointer(&ingress), None);
    assert_eq!(
        service["metadata"]["annotations"]["config.xposer.stakater.com/TLS"], "true",
        "the rest stays"
    );
    shop.has_nothing();
    scene.end(&[&controller]);
    assert_eq!(film.story(), ["Modified Service web", "Modified Service web"]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_label_that_is_removed_during_a_write_is_noticed() {
    let scene = Scene::open("underway");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &["--stamp"]);
    let names: Vec<String> = (0..10).map(|it| format!("web-{it}")).collect();
    shop.create_all(names.iter().map(|name| service(name, &[])));
    let url = format!("/metadata/annotations/{}", URL_ANNOTATION.replace('/', "~1"));
    for name in &names {
        shop.sees(SERVICE, name, &url, format!("http://{name}.{}.e2e.example.com", shop.name));
    }
    // The label is removed while the change is being written.
    for name in &names {
        shop.configure(name, "IngressURLPath", "/changed");
        shop.label(name, "false");
    }
    shop.has_nothing();
    for name in &names {
        shop.event(name, "Normal", "Deleted");
        shop.sees(SERVICE, name, &url, Value::Null);
    }
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn without_the_stamp_services_are_not_written() {
    let scene = Scene::open("unstamped");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &[]);
    let web = shop.expose("web", &[]);
    let wrong = shop.expose("wrong", &[host("Upper.example.com")]);
    shop.has(["Ingress web"]);
    shop.event("wrong", "Warning", "HostUppercase");
    scene.end(&[&controller]);
    assert_eq!(shop.get(SERVICE, "web"), web);
    assert_eq!(shop.get(SERVICE, "wrong"), wrong);
}

/// Removes a definition, and restores it on drop.
struct Away<'s> {
    scene: &'s Scene,
    definition: Value,
}

impl<'s> Away<'s> {
    fn take(scene: &'s Scene, kind: Kind, name: &str) -> Self {
        let found = scene.find(DEFINITION, None, name).unwrap();
        let metadata = json!({"name": name, "annotations": found["metadata"]["annotations"]});
        let definition = json!({"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": metadata,
            "spec": found["spec"]});
        scene.delete(DEFINITION, None, name, &Default::default());
        eventually("the kind is gone", || if scene.is_served(kind) { Err(String::new()) } else { Ok(()) });
        Self { scene, definition }
    }
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        self.scene.apply(&self.definition);
    }
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_kind_that_is_not_served_is_reported_and_used_when_it_is() {
    let scene = Scene::with_kinds("kind", &[ROUTE]);
    let shop = scene.place();
    let definition = Away::take(&scene, ROUTE, "routes.route.openshift.io");
    let controller = scene.controller(PLAIN, &[]);
    shop.expose("web", &[(key("Target"), "Ingress, Route".to_owned())]);
    let message = shop.event("web", "Warning", "KindNotServed");
    assert!(message.contains("Route"), "{message}");
    shop.has(["Ingress web"]);
    scene.rests(&[&controller]);

    drop(definition);
    within(Duration::from_secs(40), "the Route is made", || {
        shop.find(ROUTE, "web").map(drop).ok_or_else(|| "there is none".to_owned())
    });
    shop.has(["Ingress web", "Route web"]);
    // The definition is removed with its objects, and the rest goes on.
    let _definition = Away::take(&scene, ROUTE, "routes.route.openshift.io");
    shop.configure("web", "IngressURLPath", "/web");
    shop.sees(INGRESS, "web", "/spec/rules/0/http/paths/0/path", "/web");
    shop.expose("late", &[(key("Target"), "Route, Ingress".to_owned())]);
    shop.event("late", "Warning", "KindNotServed");
    shop.has(["Ingress late", "Ingress web"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn asked_to_end_it_ends_at_once_and_leaves_nothing_half_done() {
    let scene = Scene::open("sigterm");
    let shop = scene.place();
    let names: Vec<String> = (0..60).map(|it| format!("web-{it}")).collect();
    shop.create_all(names.iter().map(|name| service(name, &[])));
    let mut controller = scene.controller(PLAIN, &[]);
    eventually("it has begun", || match shop.list(INGRESS).len() {
        few if few < 5 => Err(few.to_string()),
        _ => Ok(()),
    });
    let began = Instant::now();
    controller.signal("TERM");
    assert_eq!(controller.exits(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let controller = scene.controller(PLAIN, &[]);
    shop.has(names.iter().map(|name| format!("Ingress {name}")));
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_forbidden_namespace_does_not_delay_the_others() {
    let scene = Scene::open("forbidden");
    let (open, shut) = (scene.place(), scene.place());
    // The account may read and create Events everywhere, and write in one namespace only.
    let rules = deployed_rules();
    let account = open.account("xposer", &rules);
    let tells = rules.iter().filter(|rule| rule["resources"][0] == "events").cloned();
    let _everywhere =
        open.may_everywhere("xposer", &looking(rules.clone()).into_iter().chain(tells).collect::<Vec<_>>());
    shut.expose("web", &[]);
    shut.expose("api", &[(FORWARD.to_owned(), "exposeIngressUrl: locally".to_owned())]);
    let controller = scene.controller_as(&account, PLAIN, &[]).ready();
    open.expose("web", &[]);
    open.has(["Ingress web"]);
    let message = shut.event("web", "Warning", "ApplyFailed");
    assert!(message.contains("forbidden") || message.contains("cannot"), "{message}");
    open.expose("late", &[]);
    open.has(["Ingress late", "Ingress web"]);
    assert_eq!(controller.ask("/readyz").0, 200);
    // It does not retry all the time.
    let tries = || controller.writes().iter().map(|(_, count)| count).sum::<f64>();
    let before = tries();
    std::thread::sleep(Duration::from_secs(5));
    assert!(tries() - before <= 10.0, "{before} {}", tries());

    // With the rights, it goes on by itself.
    shut.may("xposer", &open.name, &rules);
    within(Duration::from_secs(90), "what was forbidden is made", || {
        shut.find(INGRESS, "web").map(drop).ok_or_else(|| "there is none".to_owned())
    });
    shut.has(["ConfigMap xposer", "Ingress api", "Ingress web"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_permission_that_is_missing_is_named() {
    let scene = Scene::with_kinds("permission", &[HTTP_ROUTE, MONITOR]);
    let shop = scene.place();
    // The rights of an installation with `no-ingress` and `httproute`, and without `monitor`.
    let mut rules = deployed_rules();
    rules.retain(|rule| rule["resources"][0] != "ingresses" && rule["resources"][0] != "endpointmonitors");
    let account = shop.account("xposer", &rules);
    let settings = "domain: e2e.example.com\nparentRefs: [{name: external, namespace: gateways}]";
    let controller = scene.controller_as(&account, settings, &["--namespace", &shop.name]).ready();
    let intent_values =
        [(key("Target"), "Ingress, HTTPRoute".to_owned()), (key("Monitor"), "true".to_owned())];
    shop.expose("web", &intent_values);
    shop.has(["HTTPRoute web"]);
    for told in [
        "no permission to list ingresses; leave out the component `no-ingress` of deploy/controller, or set \
         `targets.ingress: true` in the values of the chart (ingresses.networking.k8s.io is forbidden",
        "no permission to list endpointmonitors; add the component `monitor` of deploy/controller, or set \
         `targets.endpointMonitor: true` in the values of the chart (endpointmonitors.endpointmonitor.stakater.com is forbidden",
    ] {
        eventually("the owner of the Service is told", || {
            let events = shop.events("web");
            let is_told = events.iter().any(|it| it.1 == "ApplyFailed" && it.2.starts_with(told));
            if is_told { Ok(()) } else { Err(format!("{events:#?}")) }
        });
    }
    // The settings ask for Ingresses, and nobody has to wait for a Service to learn that there will be none.
    controller
        .says("the settings ask for a kind that cannot be written, Ingress: no permission to list ingresses");
    assert!(!controller.log().contains("cannot be written, EndpointMonitor"), "{}", controller.log());
    scene.rests(&[&controller]);
    shop.has(["HTTPRoute web"]);

    // After the help is followed, no restart is needed.
    shop.may("xposer", &shop.name, &deployed_rules());
    shop.has_within(Duration::from_secs(60), ["EndpointMonitor web", "HTTPRoute web", "Ingress web"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_service_may_share_its_name_with_anything() {
    let scene = Scene::open("names");
    let shop = scene.place();
    let controller = scene.controller(PLAIN, &["--log-format", "json"]);
    shop.stands_by(foreign_ingress("other", "other.example.org"));
    let long = format!("a{}", "b".repeat(62));
    for name in ["xposer", "a", long.as_str()] {
        shop.expose(name, &[]);
    }
    shop.has(["Ingress xposer".to_owned(), "Ingress a".to_owned(), format!("Ingress {long}")]);
    let log = controller.log();
    assert!(!log.is_empty());
    for line in log.lines() {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(parsed["level"].is_string() && parsed["timestamp"].is_string(), "{line}");
    }
    scene.end(&[&controller]);
}
