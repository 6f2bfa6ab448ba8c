//! The ConfigMaps that say who has what: `docs/claims.md`.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};
use xposer::conflicts::{BucketHash, Holders, SHARD_LABELS, SHARD_VERSION, SHARDS, Shard, config_map};

use crate::cluster::{
    CONFIG_MAP, GRPC_ROUTE, HTTP_ROUTE, INGRESS, Kind, LABEL, NAMESPACE, SERVICE, SOON, TLS_ROUTE,
    deployed_rules, eventually, name_of, within,
};
use crate::controller::Controller;
use crate::scenario::{Place, Scene, foreign_ingress, host, service};

const ALL: usize = SHARDS as usize;
/// The shortest time after which readers do not trust them. Each is written anew after at most 20 s.
const MAX_AGE: &str = "1m";

fn settings(namespace: &str, max_age: &str) -> String {
    format!("domain: e2e.example.com\nclaims: {{namespace: {namespace}, maxAge: {max_age}, mode: \"off\"}}")
}

/// The objects of earlier scenarios are foreign ones, which change the claims when they go.
fn wait_for_earlier_scenarios(scene: &Scene) {
    within(SOON * 4, "earlier scenarios are gone", || {
        let left = scene.list_labelled(NAMESPACE, &format!("{LABEL},{LABEL}!={}", scene.slug()));
        if left.is_empty() { Ok(()) } else { Err(format!("{} namespaces", left.len())) }
    });
}

/// The namespace of the claims, and the settings that name it.
fn claims(scene: &Scene, max_age: &str) -> (String, String) {
    let namespace = scene.namespace();
    wait_for_earlier_scenarios(scene);
    scene.may_write_claims(&namespace);
    let settings = settings(&namespace, max_age);
    (namespace, settings)
}

/// What a ConfigMap says.
pub(crate) fn shard_of(map: &Value) -> Option<Shard> {
    Shard::from_data(&serde_json::from_value(map["data"].clone()).ok()?)
}

/// The claims that are under the key of a bucket.
fn claims_of(shard: &Shard, bucket: &str) -> Holders {
    shard.buckets.get(&BucketHash::of(bucket).key()).cloned().unwrap_or_default()
}

/// All that is written down, by the number of the shard.
fn shards(scene: &Scene, namespace: &str) -> BTreeMap<u64, (Shard, Value)> {
    let maps = scene.list(CONFIG_MAP, Some(namespace));
    let found = (0..SHARDS).filter_map(|number| {
        let map = maps.iter().find(|map| name_of(map) == config_map(number))?;
        Some((number, (shard_of(map)?, map.clone())))
    });
    found.collect()
}

/// Who has a claim.
fn holders(scene: &Scene, namespace: &str, bucket: &str, text: &str) -> Vec<String> {
    let name = config_map(BucketHash::of(bucket).shard());
    let Some(map) = scene.find(CONFIG_MAP, Some(namespace), &name) else {
        return vec!["no ConfigMap".to_owned()];
    };
    let Some(shard) = shard_of(&map) else { return vec!["no claims".to_owned()] };
    let holders = claims_of(&shard, bucket).remove(text).unwrap_or_default();
    holders.iter().map(|it| format!("{} {}", it.kind, it.name)).collect()
}

/// Waits until these have the path `/` of a host.
#[track_caller]
fn has(scene: &Scene, namespace: &str, host: &str, expected: &[&str]) {
    eventually(&format!("{host} belongs to {expected:?}"), || {
        let found = holders(scene, namespace, host, &format!("prefix {host}/"));
        if found == expected { Ok(()) } else { Err(format!("{found:?}")) }
    });
}

/// Waits until there are all ConfigMaps.
#[track_caller]
fn complete(scene: &Scene, namespace: &str) -> BTreeMap<u64, (Shard, Value)> {
    eventually("all ConfigMaps are there", || match shards(scene, namespace) {
        found if found.len() == ALL => Ok(found),
        found => Err(found.len().to_string()),
    })
}

fn written(controller: &Controller) -> f64 {
    controller.metric("xposer_claims_writes_total", &[])
}

/// A route of somebody else.
fn route(kind: Kind, name: &str, host: &str, rules: &Value) -> Value {
    json!({"apiVersion": kind.api, "kind": kind.name, "metadata": {"name": name},
        "spec": {"hostnames": [host], "rules": rules}})
}

fn tls_route(name: &str, host: &str) -> Value {
    route(TLS_ROUTE, name, host, &json!([{"backendRefs": [{"name": "x", "port": 443}]}]))
}

fn exposed(place: &Place, name: &str) -> (String, [(String, String); 1]) {
    let own = format!("{name}.{}.example.com", place.name);
    (own.clone(), [host(&own)])
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn claims_are_recorded_and_nothing_is_written_at_rest() {
    let scene = Scene::open("claims");
    let (namespace, settings) = claims(&scene, "1h");
    let shop = scene.place();
    let (web, annotations) = exposed(&shop, "web");
    let created = shop.expose("web", &annotations);
    let controller = scene.controller(&settings, &[]);
    shop.has(["Ingress web"]);
    has(&scene, &namespace, &web, &["Service web"]);
    let all = complete(&scene, &namespace);
    for (number, (shard, map)) in &all {
        let written = &shard.state.written;
        assert_eq!(shard.state.version, SHARD_VERSION);
        assert_eq!(written.len(), "2026-01-01T00:00:00Z".len(), "{written}");
        let labels = json!(BTreeMap::from(SHARD_LABELS));
        assert_eq!(map["metadata"]["labels"], labels, "{number}");
    }
    let holder = &claims_of(&all[&BucketHash::of(&web).shard()].0, &web)[&format!("prefix {web}/")][0];
    assert_eq!(created["metadata"]["creationTimestamp"], holder.created.as_str());
    assert_eq!(holder.namespace, shop.name);
    assert_eq!(
        holders(&scene, &namespace, &format!("web.{}.svc", shop.name), &format!("Ingress {}/web", shop.name)),
        ["Service web"]
    );
    // Each was written once, and the scenario's end sees that nothing else is.
    scene.rests(&[&controller]);
    assert_eq!(written(&controller), ALL as f64);

    // Foreign objects: those of the scenario, a new one, and one that changes and goes.
    has(&scene, &namespace, "bystander.example.org", &["Ingress bystander"]);
    has(&scene, &namespace, "rendered.example.org", &["Ingress bystander-rendered"]);
    let theirs = format!("theirs.{}.example.com", shop.name);
    shop.create(foreign_ingress("theirs", &theirs));
    has(&scene, &namespace, &theirs, &["Ingress theirs"]);
    let name = |namespace: &str| (format!("theirs.{namespace}.svc"), format!("Ingress {namespace}/theirs"));
    let (bucket, text) = name(&shop.name);
    assert_eq!(holders(&scene, &namespace, &bucket, &text), ["Ingress theirs"]);
    shop.patch(
        INGRESS,
        "theirs",
        &json!({"spec": {"rules": foreign_ingress("theirs", "other.example.com")["spec"]["rules"]}}),
    );
    has(&scene, &namespace, &theirs, &[]);
    has(&scene, &namespace, "other.example.com", &["Ingress theirs"]);
    shop.delete(INGRESS, "theirs");
    has(&scene, &namespace, "other.example.com", &[]);
    if scene.is_served(HTTP_ROUTE) {
        shop.create(
            json!({"apiVersion": HTTP_ROUTE.api, "kind": HTTP_ROUTE.name, "metadata": {"name": "route"},
            "spec": {"hostnames": [theirs], "rules": [{"backendRefs": [{"name": "x", "port": 80}]}]}}),
        );
        has(&scene, &namespace, &theirs, &["HTTPRoute route"]);
        shop.delete(HTTP_ROUTE, "route");
        has(&scene, &namespace, &theirs, &[]);
    }
    if scene.is_served(GRPC_ROUTE) {
        shop.create(route(
            GRPC_ROUTE,
            "calls",
            &theirs,
            &json!([{"matches": [{"method": {"service": "shop.Cart", "method": "Add"}}]}]),
        ));
        let text = format!("exact {theirs}/shop.Cart/Add");
        eventually("a call belongs to the GRPCRoute", || match holders(&scene, &namespace, &theirs, &text) {
            found if found == ["GRPCRoute calls"] => Ok(()),
            found => Err(format!("{found:?}")),
        });
    }
    if scene.is_served(TLS_ROUTE) {
        shop.create(tls_route("broker", &theirs));
        has(&scene, &namespace, &theirs, &["TLSRoute broker"]);
        shop.delete(TLS_ROUTE, "broker");
        has(&scene, &namespace, &theirs, &[]);
    }

    // A rename, a conflict, and a deletion.
    let (other, annotations) = exposed(&shop, "other");
    shop.configure("web", "IngressURLTemplate", other.as_str());
    has(&scene, &namespace, &other, &["Service web"]);
    has(&scene, &namespace, &web, &[]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    shop.expose("late", &annotations);
    scene.rests(&[&controller]);
    has(&scene, &namespace, &other, &["Service web"]);
    shop.delete(SERVICE, "web");
    has(&scene, &namespace, &other, &["Service late"]);
    shop.has(["Ingress late"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn after_a_kill_each_is_written_once() {
    let scene = Scene::open("rebuilt");
    let (namespace, settings) = claims(&scene, "1h");
    let shop = scene.place();
    let (web, annotations) = exposed(&shop, "web");
    let (api, more) = exposed(&shop, "api");
    shop.expose("web", &annotations);
    let mut controller = scene.controller(&settings, &[]);
    has(&scene, &namespace, &web, &["Service web"]);
    complete(&scene, &namespace);
    scene.rests(&[&controller]);
    controller.kill();
    // While nobody looks: a Service goes, another one comes, one ConfigMap is deleted, and one is edited.
    shop.delete(SERVICE, "web");
    shop.expose("api", &more);
    let (deleted, edited) = (config_map(0), config_map(255));
    scene.delete(CONFIG_MAP, Some(&namespace), &deleted, &kube::api::DeleteParams::default());
    scene.patch(CONFIG_MAP, Some(&namespace), &edited, &json!({"data": {"state": "{}"}}));
    let controller = scene.controller(&settings, &[]);
    shop.has(["Ingress api"]);
    has(&scene, &namespace, &api, &["Service api"]);
    has(&scene, &namespace, &web, &[]);
    assert_eq!(complete(&scene, &namespace)[&255].0.state.version, SHARD_VERSION);
    scene.rests(&[&controller]);
    // A write that the one before has under way is refused from then on. What changes meanwhile is written again.
    let more = written(&controller) - ALL as f64;
    assert!((0.0..=8.0).contains(&more), "{more}");
    scene.end(&[&controller]);
}

/// A controller before this one wrote everything under one key, and let the API server keep a list of the fields.
#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn claims_of_an_older_version_are_rewritten() {
    let scene = Scene::open("older");
    let (namespace, settings) = claims(&scene, "1h");
    let shop = scene.place();
    let (web, annotations) = exposed(&shop, "web");
    shop.expose("web", &annotations);
    // Among them those of the Service: that nobody has its host, and that somebody has who is gone.
    let old = [
        0,
        1,
        0x80,
        0xff,
        BucketHash::of(&web).shard(),
        BucketHash::of(&format!("web.{}.svc", shop.name)).shard(),
    ];
    let old: BTreeMap<u64, Value> = old
        .into_iter()
        .map(|number| {
            let gone = json!([{"kind": "Ingress", "namespace": "gone", "name": "gone", "created": "2026-01-01T00:00:00Z"}]);
            let text = json!({"version": 2, "written": xposer_testkit::cluster::time(0), "claims": {format!("prefix {web}/"): gone}});
            let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"claims": text.to_string()},
                "metadata": {"name": config_map(number), "namespace": namespace, "labels": BTreeMap::from(SHARD_LABELS)}});
            (number, scene.create(map))
        })
        .collect();
    assert!(old.values().all(|map| map["metadata"]["managedFields"].is_array()), "{old:?}");
    let controller = scene.controller(&settings, &[]);
    has(&scene, &namespace, &web, &["Service web"]);
    let all = complete(&scene, &namespace);
    scene.rests(&[&controller]);
    assert_eq!(written(&controller), ALL as f64);
    for (number, before) in &old {
        let (shard, map) = &all[number];
        assert_eq!((shard.state.version, shard.state.dropped), (SHARD_VERSION, 0));
        assert_eq!(map["metadata"]["uid"], before["metadata"]["uid"], "it was replaced and not deleted");
        assert_eq!(map["data"]["claims"], Value::Null, "{map}");
        // Each answer to a reader would have this list.
        assert_eq!(map["metadata"]["managedFields"], Value::Null, "{map}");
    }
    shop.has(["Ingress web"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn deleted_and_edited_ones_come_back_and_those_of_others_are_left_alone() {
    let scene = Scene::open("repaired");
    let (namespace, settings) = claims(&scene, MAX_AGE);
    let shop = scene.place();
    let (web, annotations) = exposed(&shop, "web");
    shop.expose("web", &annotations);
    // Two of the names belong to somebody else; one of these carries a label of ours.
    let taken = [0, 1].map(|number| if number == BucketHash::of(&web).shard() { 2 } else { number });
    let theirs = taken.map(|number| {
        let labels =
            if number == taken[0] { json!({}) } else { json!({"app.kubernetes.io/component": "claims"}) };
        scene.create(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"state": "theirs"},
            "metadata": {"name": config_map(number), "namespace": namespace, "labels": labels}}))
    });
    let controller = scene.controller(&settings, &[]);
    has(&scene, &namespace, &web, &["Service web"]);
    controller.says(&format!("{} belongs to another owner and was not changed", config_map(taken[0])));
    controller.says(&format!("{} belongs to another owner and was not changed", config_map(taken[1])));
    controller.shows("xposer_claims_foreign", &[], 2.0);
    let name = config_map(BucketHash::of(&web).shard());
    scene.delete(CONFIG_MAP, Some(&namespace), &name, &kube::api::DeleteParams::default());
    let edited = config_map(if BucketHash::of(&web).shard() == 9 { 10 } else { 9 });
    scene.patch(CONFIG_MAP, Some(&namespace), &edited, &json!({"data": {"state": "{}"}}));
    has(&scene, &namespace, &web, &["Service web"]);
    eventually("the edited one is as before", || {
        let found = scene.find(CONFIG_MAP, Some(&namespace), &edited).ok_or("it is gone")?;
        shard_of(&found).map(|_| ()).ok_or_else(|| found["data"].to_string())
    });
    for map in theirs {
        let found = scene.find(CONFIG_MAP, Some(&namespace), name_of(&map)).unwrap();
        assert_eq!(found["metadata"]["resourceVersion"], map["metadata"]["resourceVersion"]);
    }
    // Each is written anew in time, and the age says so.
    controller.shows("xposer_claims_dropped", &[], 0.0);
    assert!(controller.metric("xposer_claims_age_seconds", &[]) <= 25.0);
    // Without the setting, ours are deleted, and then nothing is written at rest.
    controller.change_settings("domain: e2e.example.com");
    eventually("ours are deleted", || {
        match shards(&scene, &namespace).len() + scene.list(CONFIG_MAP, Some(&namespace)).len() {
            3 => Ok(()),
            left => Err(left.to_string()),
        }
    });
    shop.has(["Ingress web"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_claims_move_and_foreign_hosts_are_listed_when_they_are_switched_on() {
    let scene = Scene::open("moved");
    let (first, on) = claims(&scene, "1h");
    let (second, _) = claims(&scene, "1h");
    let shop = scene.place();
    let (web, annotations) = exposed(&shop, "web");
    shop.expose("web", &annotations);
    let theirs = format!("theirs.{}.example.com", shop.name);
    let has_tls = scene.is_served(TLS_ROUTE);
    if has_tls {
        shop.create(tls_route("broker", &theirs));
    }
    let mark = scene.audit_mark();
    let controller = scene.controller("domain: e2e.example.com", &[]);
    shop.has(["Ingress web"]);
    scene.rests(&[&controller]);
    // Without the setting, nobody watches what is never ours.
    let watched = || {
        let lines = scene.audited_since(mark, "/tlsroutes?");
        lines.iter().filter(|line| line.contains("\"verb\":\"watch\"")).count()
    };
    assert_eq!(watched(), 0);
    assert_eq!((written(&controller), controller.metric("xposer_claims_held", &[])), (0.0, 0.0));
    controller.change_settings(&on);
    has(&scene, &first, "bystander.example.org", &["Ingress bystander"]);
    has(&scene, &first, &web, &["Service web"]);
    if has_tls {
        has(&scene, &first, &theirs, &["TLSRoute broker"]);
        assert!(watched() > 0 || scene.audit_mark() == 0);
    }
    controller.change_settings(&settings(&second, "1h"));
    has(&scene, &second, &web, &["Service web"]);
    has(&scene, &second, "bystander.example.org", &["Ingress bystander"]);
    eventually("the first namespace is empty", || match shards(&scene, &first).len() {
        0 => Ok(()),
        left => Err(left.to_string()),
    });
    complete(&scene, &second);
    if has_tls {
        has(&scene, &second, &theirs, &["TLSRoute broker"]);
        shop.delete(TLS_ROUTE, "broker");
        has(&scene, &second, &theirs, &[]);
        // Off and on: what changed meanwhile is known.
        controller.change_settings("domain: e2e.example.com");
        eventually("the second namespace is empty", || match shards(&scene, &second).len() {
            0 => Ok(()),
            left => Err(left.to_string()),
        });
        shop.create(tls_route("late", &theirs));
        controller.change_settings(&settings(&second, "1h"));
        has(&scene, &second, &theirs, &["TLSRoute late"]);
    }
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_burst_is_written_in_few_writes() {
    let scene = Scene::open("burst");
    let (namespace, settings) = claims(&scene, "1h");
    let shop = scene.place();
    let controller = scene.controller(&settings, &[]);
    complete(&scene, &namespace);
    scene.rests(&[&controller]);
    let before = written(&controller);
    let began = Instant::now();
    let names: Vec<String> = (0..500).map(|number| format!("web-{number:03}")).collect();
    shop.create_all(names.iter().map(|name| service(name, &exposed(&shop, name).1)));
    shop.has(names.iter().map(|name| format!("Ingress {name}")));
    let (last, _) = exposed(&shop, "web-499");
    has(&scene, &namespace, &last, &["Service web-499"]);
    let seconds = began.elapsed().as_secs_f64();
    scene.rests(&[&controller]);
    let burst = written(&controller) - before;
    println!("{burst} writes for 500 Services in {seconds:.1} s");
    // The hosts and the names are in all shards. Each is written at most once in two seconds, however long a slow machine needs for the
    // Services, and once more after the last of them.
    let rounds = (seconds / 2.0).ceil() + 1.0;
    assert!(burst <= rounds * ALL as f64, "{burst} writes in {rounds} rounds");
    assert_eq!(controller.metric("xposer_claims_failures_total", &[]), 0.0);
    // All of them are there.
    let all = shards(&scene, &namespace);
    let found = names.iter().filter(|name| {
        let own = exposed(&shop, name).0;
        claims_of(&all[&BucketHash::of(&own).shard()].0, &own).contains_key(&format!("prefix {own}/"))
    });
    assert_eq!(found.count(), 500);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn of_two_replicas_one_writes_and_the_other_takes_over() {
    let scene = Scene::open("claims-replicas");
    let (namespace, settings) = claims(&scene, "1h");
    let shop = scene.place();
    let (web, annotations) = exposed(&shop, "web");
    let words = ["--leader-elect", "--lease-namespace", &shop.name];
    shop.expose("web", &annotations);
    let first = scene.controller(&settings, &words);
    has(&scene, &namespace, &web, &["Service web"]);
    let second = scene.controller(&settings, &words);
    scene.rests(&[&first, &second]);
    assert_eq!((written(&first), written(&second)), (ALL as f64, 0.0));
    first.signal("TERM");
    let (api, annotations) = exposed(&shop, "api");
    shop.expose("api", &annotations);
    has(&scene, &namespace, &api, &["Service api"]);
    shop.has(["Ingress api", "Ingress web"]);
    scene.rests(&[&second]);
    let more = written(&second) - ALL as f64;
    assert!((0.0..=6.0).contains(&more), "{more}");
    scene.end(&[&second]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn without_a_namespace_or_a_permission_everything_else_goes_on() {
    let scene = Scene::open("forbidden");
    wait_for_earlier_scenarios(&scene);
    let shop = scene.place();
    let namespace = scene.namespace();
    let (web, annotations) = exposed(&shop, "web");
    shop.expose("web", &annotations);
    let controller = scene.controller(&settings(&namespace, "1h"), &[]);
    shop.has(["Ingress web"]);
    controller.says(&format!("no permission for ConfigMaps in the namespace {namespace}, or it is missing; add the component `claims`"));
    assert!(controller.metric("xposer_claims_failures_total", &["no_permission"]) >= 1.0);
    let told = controller.log().matches("the claims are not written").count();
    assert_eq!(told, 1, "{}", controller.log());
    scene.may_write_claims(&namespace);
    has(&scene, &namespace, &web, &["Service web"]);
    controller.says("the claims are written again");

    // A namespace that is made later. The role of the cluster lets the API server say that it is missing.
    let missing = format!("{namespace}-later");
    scene.may_write_claims_anywhere(true);
    controller.change_settings(&settings(&missing, "1h"));
    controller.says(&format!("the namespace {missing} does not exist or is being deleted"));
    assert!(controller.metric("xposer_claims_failures_total", &["no_namespace"]) >= 1.0);
    scene.own_namespace(&missing);
    has(&scene, &missing, &web, &["Service web"]);
    complete(&scene, &missing);
    // What it could not write any more, it would try at the end, when nothing may be written.
    scene.rests(&[&controller]);
    scene.may_write_claims_anywhere(false);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn roles_of_an_older_version_are_logged_with_the_missing_kinds() {
    let scene = Scene::with_kinds("claims-roles", &[GRPC_ROUTE, TLS_ROUTE]);
    let (namespace, settings) = claims(&scene, "1h");
    let shop = scene.place();
    let (web, annotations) = exposed(&shop, "web");
    let theirs = format!("theirs.{}.example.com", shop.name);
    shop.expose("web", &annotations);
    shop.create(tls_route("broker", &theirs));
    let mut rules = deployed_rules();
    rules.push(
        json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "list", "update"]}),
    );
    let of_today = rules.clone();
    rules.retain(|rule| rule["resources"][0] != "grpcroutes");
    assert_eq!(rules.len() + 1, of_today.len());
    let account = shop.account("xposer", &[]);
    let _rights = shop.may_everywhere("xposer", &rules);
    let controller = scene.controller_as(&account, &settings, &[]).ready();
    // Everything else is written.
    has(&scene, &namespace, &web, &["Service web"]);
    has(&scene, &namespace, &theirs, &[]);
    for plural in ["grpcroutes", "tlsroutes"] {
        let told = format!("the hosts of {plural} are not among the claims; apply the component `claims`");
        controller.says(&told);
        assert_eq!(controller.log().matches(&told).count(), 1, "{}", controller.log());
    }
    // With the roles of this version, no restart is needed.
    let _rights = shop.may_everywhere("xposer", &of_today);
    within(SOON * 2, "the TLSRoute is read", || {
        match holders(&scene, &namespace, &theirs, &format!("prefix {theirs}/")) {
            found if found == ["TLSRoute broker"] => Ok(()),
            found => Err(format!("{found:?}")),
        }
    });
    shop.has(["Ingress web"]);
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn once_writes_them_and_a_dry_run_does_not() {
    let scene = Scene::open("claims-once");
    let (namespace, settings) = claims(&scene, "1h");
    let shop = scene.place();
    let (web, annotations) = exposed(&shop, "web");
    shop.expose("web", &annotations);
    let done = scene.run(&settings, &["--dry-run"]);
    assert_eq!((done.code, shards(&scene, &namespace).len()), (0, 0), "{}", done.stderr);
    let done = scene.run(&settings, &["--once", "--namespace", &shop.name]);
    assert_eq!((done.code, shards(&scene, &namespace).len()), (0, 0), "{}", done.stderr);
    assert!(
        done.stderr.contains("the claims are not written, because with `--namespace`"),
        "{}",
        done.stderr
    );
    let done = scene.run(&settings, &["--once"]);
    assert_eq!((done.code, shards(&scene, &namespace).len()), (0, ALL), "{}", done.stderr);
    has(&scene, &namespace, &web, &["Service web"]);
    shop.has(["Ingress web"]);
    // It cannot wait forever for a permission.
    let forbidden = scene.namespace();
    let done = scene.run(&self::settings(&forbidden, "1h"), &["--once"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    scene.end(&[]);
}
