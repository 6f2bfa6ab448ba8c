//! The claims of other Services, as the controller records them: the comparison of a plan with recorded claims gives the same
//! result as a comparison with the other plans themselves.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test that finds something else has failed"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use xposer::conflicts::{BucketHash, ClaimText, Holder, Holders, SHARD_VERSION, SHARDS, Shard, ShardState};
use xposer::diagnostics::FieldPath;
use xposer::validation::PathType;
use xposer::{Code, Outcome, Plan, Precedence, Service, Settings, Severity, expose, expose_all, testing};
use xposer_testkit::cases::all;

const FIRST: &str = "2026-01-01T00:00:01Z";
const SECOND: &str = "2026-01-01T00:00:02Z";

/// Returns the recorded claims of these plans, each with its creation time.
fn holders(plans: &[(&Plan, &str)]) -> Holders {
    let mut holders = Holders::new();
    for (plan, created) in plans {
        for text in plan.claim_texts() {
            let holder = Holder { is_local: text.is_local, is_part: text.is_part, ..plan.holder(created) };
            holders.entry(text.text).or_default().push(holder);
        }
    }
    holders
}

/// Returns the claims that a plan had before, if it did not change.
fn had(plan: &Plan) -> BTreeSet<String> {
    plan.claim_texts().into_iter().map(|claim| claim.key_for_update()).collect()
}

/// Two namespaces may have the same key as long as each publishes it in its own ConfigMap.
#[test]
fn key_in_a_shared_config_map_is_claimed_again() {
    let of = |scope: &str| {
        let block = format!("exposeIngressUrl: {scope}");
        let annotations =
            [("IngressURLTemplate", "shop.example.com"), ("xposer.stakater.com/annotations", &block)];
        testing::plan(&annotations, json!({})).unwrap()
    };
    let (local, global) = (of("locally"), of("globally"));
    let key = global.claim_texts().into_iter().find(|claim| claim.text.starts_with("key ")).unwrap();
    let other = Holder { namespace: "ops".to_owned(), name: "other".to_owned(), ..global.holder(SECOND) };
    let holders = Holders::from([(key.text, vec![other])]);
    let codes = |new: &Plan, old: &Plan| {
        let report = new.contested(FIRST, &had(old), &holders, true);
        report.diagnostics().iter().map(|it| it.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&global, &local), [Code::UrlKeyClaimed]);
    assert_eq!(codes(&global, &global), [Code::ClaimYounger]);
    assert_eq!(codes(&local, &global), [Code::ClaimYounger]);
}

/// Several Services of a namespace may redirect the same host. The target of a redirect is not recorded: whether two redirects have
/// the same target is decided among the Services of the cluster.
#[test]
fn equal_redirects_of_one_namespace_are_one() {
    const NGINX: &str = "nginx.ingress.kubernetes.io/from-to-www-redirect: \"true\"";
    let service = |namespace: &str, name: &str, path: &str, more: (&str, &str)| {
        let url = format!("shop.example.com{path}");
        let mut service = testing::service(&[("IngressURLTemplate", &url), more]);
        service["metadata"]["namespace"] = namespace.into();
        service["metadata"]["name"] = name.into();
        service
    };
    let settings =
        Settings::from_value(&json!({"target": "HTTPRoute", "parentRefs": [{"name": "edge"}]})).unwrap();
    let nginx = Settings::from_value(&json!({"ingressClassName": "nginx"})).unwrap();
    let codes = |services: [&Value; 2], settings: &Settings| {
        let [one, other] = services.map(Service::from_value);
        let services = [one.created_at(1), other.created_at(2)];
        let outcomes = expose_all(&services, settings, Precedence::OldestFirst);
        let reports = outcomes.iter().filter_map(|outcome| outcome.report());
        let among: Vec<Code> =
            reports.flat_map(|report| report.of(Severity::Error)).map(|it| it.code).collect();
        let plans = services.each_ref().map(|it| expose(it, settings).plan().cloned().unwrap());
        let report = plans[1].contested("", &BTreeSet::new(), &holders(&[(&plans[0], FIRST)]), true);
        (among, report.of(Severity::Error).map(|it| it.code).collect::<Vec<_>>())
    };
    let from = ("RedirectFrom", "www");
    let www = |namespace: &str, name: &str, path: &str| service(namespace, name, path, from);
    let none = (vec![], vec![]);
    let (web, api) = (www("shop", "web", "/"), www("shop", "api", "/api"));
    assert_eq!(codes([&web, &api], &settings), none);
    assert_eq!(codes([&web, &api], &nginx), none);
    // Another namespace would decide where the requests of this namespace are redirected to.
    let taken = (vec![Code::RouteClaimed], vec![Code::RouteClaimed]);
    assert_eq!(codes([&web, &www("ops", "api", "/api")], &settings), taken);
    // A host with a route is not redirected.
    let mut own = service("shop", "own", "/", ("PathType", "Prefix"));
    own["metadata"]["annotations"]["config.xposer.stakater.com/IngressURLTemplate"] =
        "www.shop.example.com".into();
    assert_eq!(codes([&web, &own], &settings), taken);
    // The redirects have two different targets.
    let old = ("RedirectFrom", "old.example.com");
    let mut blog = service("shop", "blog", "/", old);
    blog["metadata"]["annotations"]["config.xposer.stakater.com/IngressURLTemplate"] =
        "blog.example.com".into();
    assert_eq!(
        codes([&service("shop", "web", "/", old), &blog], &settings),
        (vec![Code::RouteClaimed], vec![])
    );
    // Annotations of ingress-nginx in the block are compared only at admission.
    let block = ("xposer.stakater.com/annotations", NGINX);
    let (web, api) = (service("shop", "web", "/", block), service("shop", "api", "/api", block));
    assert_eq!(codes([&web, &api], &nginx), none);
    assert_eq!(
        codes([&web, &service("ops", "api", "/api", block)], &nginx),
        (vec![], vec![Code::RouteClaimed])
    );
}

/// The codes of the claims that one Service loses to another one.
const LOST: [Code; 5] =
    [Code::ListenerClaimed, Code::NameClaimed, Code::RouteClaimed, Code::SecretShared, Code::UrlKeyClaimed];

#[test]
fn recorded_claims_decide_like_expose_all() {
    let mut met = BTreeSet::new();
    for case in all().unwrap() {
        let Ok(settings) = Settings::from_value(case.settings.as_ref().unwrap_or(&Value::Null)) else {
            continue;
        };
        let services: Vec<&Value> = case.services().collect();
        for (at, first) in services.iter().enumerate() {
            for second in services.iter().skip(at + 1) {
                let both =
                    [Service::from_value(first).created_at(1), Service::from_value(second).created_at(2)];
                let [older, younger] = both.each_ref().map(|service| expose(service, &settings));
                let (Some(older), Some(younger)) = (older.plan(), younger.plan()) else { continue };
                // Both have the same namespace and name, so they are one Service, given twice.
                if older.holder("") == younger.holder("") {
                    continue;
                }
                let report = younger.contested(SECOND, &BTreeSet::new(), &holders(&[(older, FIRST)]), true);
                let told: BTreeSet<(Code, String)> =
                    report.of(Severity::Error).map(|it| (it.code, it.path.to_string())).collect();
                // Hosts that a block adds are compared only at admission.
                let of_block = FieldPath::annotation(BLOCK).to_string();
                let mut bare = (*first).clone();
                bare.pointer_mut("/metadata/annotations").and_then(|it| it.as_object_mut()?.remove(BLOCK));
                let bare = expose(&Service::from_value(&bare).created_at(1), &settings);
                let of_rules = bare.plan().map(|bare| {
                    younger.contested(SECOND, &BTreeSet::new(), &holders(&[(bare, FIRST)]), true)
                });
                let is_of_rules = |path: &String| {
                    let all = of_rules.iter().flat_map(|report| report.of(Severity::Error));
                    all.map(|it| (it.code, it.path.to_string()))
                        .any(|it| it == (Code::RouteClaimed, path.clone()))
                };
                let is_added = |(code, path): &(Code, String)| {
                    *code == Code::RouteClaimed && (*path == of_block || !is_of_rules(path))
                };
                let outcomes = expose_all(&both, &settings, Precedence::OldestFirst);
                // The names of objects in other namespaces are not recorded.
                let is_one_namespace = older.namespace() == younger.namespace();
                let is_lost = |it: &&xposer::Diagnostic| {
                    LOST.contains(&it.code) && (is_one_namespace || it.code != Code::NameClaimed)
                };
                let beside: BTreeSet<(Code, String)> = match &outcomes[1] {
                    Outcome::Conflicting(report) => {
                        let lost = report.diagnostics().iter().filter(is_lost);
                        lost.map(|it| (it.code, it.path.to_string())).collect()
                    }
                    _ => BTreeSet::new(),
                };
                let told: BTreeSet<(Code, String)> =
                    told.into_iter().filter(|it| beside.contains(it) || !is_added(it)).collect();
                // A canary that differs from its stable Service can lose only a route to another Service.
                if younger.canary().is_none() {
                    assert_eq!(told, beside, "{}: {report}", case.slug);
                }
                met.extend(told.into_iter().map(|(code, _)| code));
                // The older Service loses nothing.
                let report = older.contested(FIRST, &had(older), &holders(&[(younger, SECOND)]), true);
                assert_eq!(report.count(Severity::Error), 0, "{}: {report}", case.slug);
                assert!(
                    older.contested(FIRST, &had(older), &holders(&[(older, FIRST)]), true).is_empty(),
                    "{}",
                    case.slug
                );
            }
        }
    }
    assert_eq!(met, BTreeSet::from(LOST), "each of them occurs");
}

fn plan(namespace: &str, name: &str, annotations: &[(&str, &str)]) -> Plan {
    let mut service = testing::service(annotations);
    service["metadata"]["namespace"] = namespace.into();
    service["metadata"]["name"] = name.into();
    let settings = Settings::from_value(&json!({"domain": "example.com"})).unwrap();
    match expose(&Service::from_value(&service), &settings) {
        Outcome::Planned { plan, .. } => *plan,
        other => unreachable!("{other:?}"),
    }
}

fn said(plan: &Plan, created: &str, holders: &Holders, names_others: bool) -> Vec<String> {
    plan.contested(created, &had(plan), holders, names_others)
        .diagnostics()
        .iter()
        .map(ToString::to_string)
        .collect()
}

const HOST: (&str, &str) = ("IngressURLTemplate", "shop.example.com");

#[test]
fn others_are_named_with_their_age_where_this_is_allowed() {
    let mut all: Vec<Plan> = (0..5).map(|n| plan("ops", &format!("old-{n}"), &[HOST])).collect();
    all.push(plan("shop", "own", &[HOST]));
    let held = holders(&all.iter().map(|plan| (plan, FIRST)).collect::<Vec<_>>());
    let new = plan("shop", "web", &[HOST]);
    assert_eq!(
        said(&new, "", &held, true),
        [
            "error[route-claimed]: Service shop/web: metadata.annotations[\"config.xposer.stakater.com/IngressURLTemplate\"]: \
             `shop.example.com/` is also claimed by Service ops/old-0, created on 2026-01-01 and Service ops/old-1, created on \
             2026-01-01 and Service ops/old-2, created on 2026-01-01 and 3 more; choose another host or path"
        ]
    );
    let hidden = &said(&new, "", &held, false)[0];
    assert!(
        hidden.contains("by Service shop/own, created on 2026-01-01 and an object in another namespace; "),
        "{hidden}"
    );
    assert!(!hidden.contains("ops"), "{hidden}");
}

/// The controller never changes an object that it did not create, whichever is older.
#[test]
fn name_of_a_foreign_object_is_claimed() {
    let web = plan("shop", "web", &[("IngressURLTemplate", "shop.example.com")]);
    let by_hand = |kind: &str, namespace: &str, name: &str, created: &str| {
        let text = ClaimText::object(kind, namespace, name).text;
        let holder = Holder {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            ..web.holder(created)
        };
        Holders::from([(text, vec![holder])])
    };
    for created in [FIRST, SECOND] {
        let message = said(&web, FIRST, &by_hand("Ingress", "shop", "web", created), false);
        assert_eq!(
            message,
            [
                "error[name-claimed]: Service shop/web: metadata.labels.expose: there is Ingress `web`, created on 2026-01-01, which \
              has another owner and is not changed; choose another IngressNameTemplate, or annotate that object with \
              xposer.stakater.com/adopt: web"
            ]
        );
    }
    // An object of another kind, namespace or name causes no conflict.
    for (kind, namespace, name) in
        [("HTTPRoute", "shop", "web"), ("Ingress", "ops", "web"), ("Ingress", "shop", "web-2")]
    {
        assert_eq!(said(&web, SECOND, &by_hand(kind, namespace, name, FIRST), true), [""; 0]);
    }
    // A Service that may adopt the object has the claim to its name.
    let text = ClaimText::object("Ingress", "shop", "web").text;
    assert_eq!(said(&web, SECOND, &Holders::from([(text, vec![web.holder(FIRST)])]), true), [""; 0]);
}

#[test]
fn of_one_second_the_first_name_counts() {
    let (alpha, beta) = (plan("shop", "alpha", &[HOST]), plan("shop", "beta", &[HOST]));
    let errors = |plan: &Plan, other: &Plan| {
        plan.contested(FIRST, &had(plan), &holders(&[(other, FIRST)]), true).count(Severity::Error)
    };
    assert_eq!((errors(&alpha, &beta), errors(&beta, &alpha)), (0, 1));
}

#[test]
fn younger_holder_is_a_warning() {
    let (old, new) = (plan("shop", "old", &[HOST]), plan("ops", "new", &[HOST]));
    // A Service that adds a claim of another Service counts as younger, whatever its age.
    assert!(old.contested(FIRST, &BTreeSet::new(), &holders(&[(&new, SECOND)]), true).has_errors());
    let report = old.contested(FIRST, &had(&old), &holders(&[(&new, SECOND)]), true);
    assert_eq!(report.diagnostics().len(), 1, "{report}");
    assert_eq!(report.diagnostics()[0].code, Code::ClaimYounger);
    let message = &report.diagnostics()[0].message;
    assert_eq!(
        message,
        "`shop.example.com/` is also claimed by Service ops/new, created on 2026-01-01, and the older object gets it"
    );
}

#[test]
fn a_canary_belongs_to_the_service_that_has_the_route() {
    let canary = plan("shop", "beta", &[HOST, ("CanaryOf", "web"), ("CanaryWeight", "10")]);
    let (stable, other) = (plan("shop", "web", &[HOST]), plan("ops", "web", &[HOST]));
    assert_eq!(said(&canary, SECOND, &holders(&[(&stable, FIRST)]), true), [""; 0]);
    // The stable Service may be applied after its canary.
    assert_eq!(said(&canary, SECOND, &Holders::new(), true), [""; 0]);
    let own = plan("shop", "api", &[HOST]);
    let differs = said(&canary, SECOND, &holders(&[(&own, FIRST)]), true);
    assert_eq!(differs.len(), 1, "{differs:?}");
    assert!(
        differs[0].contains("is claimed by Service shop/api") && differs[0].contains("stable Service `web`"),
        "{differs:?}"
    );
    let strange = said(&canary, SECOND, &holders(&[(&other, FIRST)]), true);
    assert_eq!(strange.len(), 1, "{strange:?}");
    assert!(strange[0].contains("`shop.example.com/` is also claimed by Service ops/web"), "{strange:?}");
}

/// The controller gives a canary the requests of a route in any namespace, so the older of the two has the route.
#[test]
fn a_canary_and_a_route_of_another_namespace_are_in_conflict() {
    let canary = plan("free", "can", &[HOST, ("CanaryOf", "nope"), ("CanaryWeight", "100")]);
    let stable = plan("ops", "web", &[HOST]);
    let codes = |asker: &Plan, created, had: &BTreeSet<String>, others: &[(&Plan, &str)]| {
        let report = asker.contested(created, had, &holders(others), true);
        report.diagnostics().iter().map(|it| it.code).collect::<Vec<_>>()
    };
    let nothing = BTreeSet::new();
    assert_eq!(codes(&stable, "", &nothing, &[(&canary, FIRST)]), [Code::RouteClaimed]);
    assert_eq!(codes(&canary, "", &nothing, &[(&stable, FIRST)]), [Code::RouteClaimed]);
    // Both exist: the older one keeps the route and gets a warning.
    assert_eq!(codes(&canary, FIRST, &had(&canary), &[(&stable, SECOND)]), [Code::ClaimYounger]);
    assert_eq!(codes(&stable, FIRST, &had(&stable), &[(&canary, SECOND)]), [Code::ClaimYounger]);
    // The owner of the stable route may have a canary, whatever canaries of others exist.
    let own = plan("ops", "beta", &[HOST, ("CanaryOf", "web"), ("CanaryWeight", "10")]);
    let both = [(&stable, FIRST), (&canary, FIRST)];
    assert_eq!(codes(&own, "", &nothing, &both), [Code::ClaimYounger]);
    assert_eq!(codes(&own, "", &nothing, &[(&stable, FIRST)]), []);
    assert_eq!(codes(&plan("free", "web", &[HOST]), "", &nothing, &[(&canary, FIRST)]), []);
    // The same canary with a smaller weight asks for less than before.
    let less = plan("free", "can", &[HOST, ("CanaryOf", "nope"), ("CanaryWeight", "10")]);
    assert!(canary.canary().unwrap().gets_more(less.canary().unwrap()));
}

#[test]
fn claims_of_foreign_objects_have_the_same_text() {
    let plan = plan("shop", "web", &[("IngressURLTemplate", "shop.example.com/api/")]);
    let route = ClaimText::route("shop.example.com", "/api", PathType::Prefix, false);
    assert!(plan.claim_texts().contains(&route), "{:?}", plan.claim_texts());
}

/// The data of a ConfigMap.
fn data(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    rows.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_shard_without_a_state_that_can_be_read_is_none() {
    let state = format!(r#"{{"version":{SHARD_VERSION},"written":"2026-11-29T07:00:00Z"}}"#);
    let line = ("a", "Service shop/web 2026-01-01T00:00:00Z,later prefix a.example.com/");
    let read = |rows: &[(&str, &str)]| Shard::from_data(&data(rows)).map(|shard| shard.buckets.len());
    assert_eq!(read(&[("state", &state)]), Some(0));
    assert_eq!(read(&[("state", &state), line]), Some(1));
    // These keys do not contain claims.
    for key in ["A", "g", "aa", "", "ä", "claims", "state2"] {
        assert_eq!(read(&[("state", &state), line, (key, "x")]), Some(1), "{key}");
    }
    // These lines have another form.
    for value in ["", "x", "a b c", "Service web - prefix a/", "Service shop/web - prefix a/\n"] {
        assert_eq!(read(&[("state", &state), ("a", value)]), None, "{value}");
    }
    for state in ["", "3", "{}", r#"{"version":3}"#, r#"{"version":"3","written":""}"#] {
        assert_eq!(read(&[("state", state), line]), None, "{state}");
    }
    assert_eq!(read(&[line]), None);
}

/// Every path is written as one line, and no path can forge a claim of another holder.
#[test]
fn any_text_is_written_as_one_line() {
    let holder = |is_local, is_part, created: &str| Holder {
        is_local,
        is_part,
        created: created.to_owned(),
        ..plan("shop", "web", &[HOST]).holder("")
    };
    let holders = Holders::from(
        [
            "exact a/x y",
            "exact a/x\ny",
            "exact a/x\r\\n\\",
            "exact a/\nService ops/old - exact b/",
            "exact a/ \"é\u{1}",
            "",
        ]
        .map(|text| {
            let all = [
                holder(true, false, FIRST),
                holder(false, true, ""),
                holder(true, true, SECOND),
                holder(false, false, ""),
            ];
            (text.to_owned(), all.to_vec())
        }),
    );
    let state =
        ShardState { version: SHARD_VERSION, written: FIRST.to_owned(), dropped: 3, incomplete: None };
    let shard = Shard { state, buckets: [('0', holders.clone()), ('f', holders)].into() };
    let data = shard.data();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["0", "f", "state"]);
    assert_eq!(data["0"].lines().count(), 24);
    assert_eq!(Shard::from_data(&data), Some(shard));
}

/// The key of a bucket does not depend on its shard, so the claims of a ConfigMap are spread over all of its keys.
#[test]
fn the_keys_are_filled_evenly() {
    let mut sizes = BTreeMap::<char, usize>::new();
    for n in 0..100_000 {
        let bucket = BucketHash::of(&format!("app-{n}.team-{}.example.com", n % 50));
        if bucket.shard() == 0x2a {
            *sizes.entry(bucket.key()).or_default() += 1;
        }
    }
    // The average is 24.
    assert!(sizes.len() == 16 && sizes.values().all(|size| (8..50).contains(size)), "{sizes:?}");
}

#[test]
fn the_shards_are_filled_evenly() {
    let mut sizes = vec![0; usize::try_from(SHARDS).unwrap()];
    for n in 0..10_000 {
        let host = format!("app-{n}.team-{}.example.com", n % 50);
        sizes[usize::try_from(BucketHash::of(&host).shard()).unwrap()] += 1;
    }
    // The average is 39.
    assert!(sizes.iter().all(|size| (10..80).contains(size)), "{sizes:?}");
}

const BLOCK: &str = xposer::service::FORWARD_ANNOTATION;

/// This also holds for a hand-written Ingress.
#[test]
fn a_long_path_is_not_repeated_for_each_host_that_the_block_adds() {
    let aliases: Vec<String> = (0..5000).map(|n| format!("h{n}.example.com")).collect();
    let block = format!("nginx.ingress.kubernetes.io/server-alias: {}", aliases.join(","));
    let url = format!("own.example.com/{}", "x".repeat(16_000));
    let plan = plan("team", "web", &[("IngressURLTemplate", &url), (BLOCK, &block)]);
    let bytes: usize = plan.claim_texts().iter().map(|claim| claim.text.len()).sum();
    assert!((400_000..500_000).contains(&bytes), "{bytes}");
    let report = plan.contested("", &BTreeSet::new(), &Holders::new(), true);
    assert_eq!(report.diagnostics().iter().map(|it| it.code.slug()).collect::<Vec<_>>(), ["claims-too-many"]);
    assert!(report.to_string().contains("or more than 448 KiB of them"), "{report}");
}

/// Hosts that the block of a Service adds are compared with other claims like the hosts of its URLs.
#[test]
fn hosts_that_the_block_adds_are_claims() {
    let old = plan("ops", "old", &[("IngressURLTemplate", "shop.example.com/api")]);
    for line in ["server-alias: own.example.org, Shop.example.com", "server-alias: .shop.example.com"] {
        let block = format!("nginx.ingress.kubernetes.io/{line}");
        let new = plan("team", "web", &[("IngressURLTemplate", "own.example.com/api"), (BLOCK, &block)]);
        let message = said(&new, "", &holders(&[(&old, FIRST)]), true);
        // It had the host before, and is younger.
        assert!(
            message.len() == 1 && message[0].contains("`shop.example.com/api` is also claimed by"),
            "{message:?}"
        );
        assert!(
            message[0].contains("metadata.annotations[\"xposer.stakater.com/annotations\"]"),
            "{message:?}"
        );
    }
    let block = "nginx.ingress.kubernetes.io/from-to-www-redirect: \"true\"";
    let new = plan("team", "web", &[("IngressURLTemplate", "own.example.com"), (BLOCK, block)]);
    let www = ClaimText::route("www.own.example.com", "/", PathType::Prefix, false);
    assert!(new.claim_texts().contains(&ClaimText { is_part: true, ..www }));
    // A pattern is not compared, and without an Ingress no controller reads the annotation.
    for (line, target) in
        [("server-alias: ~^shop\\.example\\.com$", "Ingress"), ("server-alias: shop.example.com", "Route")]
    {
        let block = format!("nginx.ingress.kubernetes.io/{line}");
        let mut service = testing::service(&[
            ("IngressURLTemplate", "own.example.com/api"),
            (BLOCK, &block),
            ("Target", target),
        ]);
        service["metadata"]["namespace"] = "team".into();
        let outcome = expose(&Service::from_value(&service), &Settings::default());
        let plan = outcome.plan().unwrap_or_else(|| unreachable!("{outcome:?}"));
        assert!(plan.claim_texts().iter().all(|claim| !claim.text.contains("shop.example.com")), "{line}");
    }
}

/// ingress-nginx ignores an alias if a rule has the host, so the controller withdraws no object because of it.
#[test]
fn an_alias_is_in_no_conflict_among_the_services_of_a_cluster() {
    let settings = Settings::from_value(&json!({"domain": "example.com"})).unwrap();
    let block = "nginx.ingress.kubernetes.io/server-alias: shop.example.com";
    let mut older = testing::service(&[("IngressURLTemplate", "own.example.com"), (BLOCK, block)]);
    older["metadata"]["name"] = "older".into();
    let younger = testing::service(&[HOST]);
    let both = [Service::from_value(&older).created_at(1), Service::from_value(&younger).created_at(2)];
    let outcomes = expose_all(&both, &settings, Precedence::OldestFirst);
    assert!(outcomes.iter().all(|outcome| outcome.plan().is_some()), "{outcomes:?}");
}

/// The claims of one namespace are spread over the shards like the claims of many namespaces.
#[test]
fn a_namespace_with_many_services_fills_no_shard() {
    let mut sizes = vec![0; usize::try_from(SHARDS).unwrap()];
    for n in 0..2_000 {
        let service = plan(
            "shop",
            &format!("web-{n}"),
            &[("TLS", "true"), ("TLSSecretNameTemplate", "{{.Service}}-cert")],
        );
        let mut buckets = BTreeSet::new();
        for claim in service.claim_texts() {
            sizes[usize::try_from(BucketHash::of(&claim.bucket).shard()).unwrap()] += 1;
            buckets.insert(claim.config_map());
        }
        // One bucket is for the host, and one for everything that is named after the Service.
        assert!(buckets.len() <= 2, "{buckets:?}");
    }
    // The average is 16 to 24.
    assert!(sizes.iter().all(|size| *size < 64), "{sizes:?}");
}

/// A DNS name belongs to the namespace that has the host, because the publisher of the name gets the requests. Within that
/// namespace, every Service may publish it.
#[test]
fn dns_name_belongs_to_the_namespace_of_the_host() {
    let block = "external-dns.alpha.kubernetes.io/hostname: web.example.com,shop.example.com";
    let thief = plan("team-b", "thief", &[("IngressURLTemplate", "shop.example.com"), (BLOCK, block)]);
    let host = ClaimText::route("web.example.com", "/", PathType::Prefix, false).text;
    assert!(!thief.claim_texts().iter().any(|claim| claim.text == host), "a name gives it nothing");
    let held_by = |namespace: &str, created: &str| {
        let web = plan(namespace, "web", &[("IngressURLTemplate", "web.example.com")]);
        holders(&[(&web, created)])
    };
    let path = "metadata.annotations[\"xposer.stakater.com/annotations\"]";
    assert_eq!(
        said(&thief, SECOND, &held_by("team-a", FIRST), true),
        [format!(
            "error[route-claimed]: Service team-b/thief: {path}: `web.example.com` belongs to Service team-a/web, \
             created on 2026-01-01; publish only the names of your own hosts"
        )]
    );
    // The message hides the other Service if the settings require that. There is no conflict with a later Service or with one of
    // the same namespace.
    assert!(
        said(&thief, SECOND, &held_by("team-a", FIRST), false)[0]
            .contains("belongs to an object in another namespace")
    );
    let had = thief.keys_for_update(&thief);
    assert!(thief.contested(FIRST, &had, &held_by("team-a", SECOND), true).is_empty());
    assert_eq!(said(&thief, SECOND, &held_by("team-b", FIRST), true), [""; 0]);
}

/// A Service that gets another type, address or load balancer, or that ExternalDNS no longer skips, publishes its names anew.
#[test]
fn a_service_that_becomes_public_publishes_its_names_anew() {
    const PREFIX: &str = "external-dns.alpha.kubernetes.io/";
    let of = |annotations: &[(&str, &str)], spec: Value| {
        let mut service = testing::service(&[("IngressURLTemplate", "shop.example.com")]);
        for (key, value) in annotations {
            service["metadata"]["annotations"][[PREFIX, *key].concat()] = json!(value);
        }
        service["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let outcome = expose(&Service::from_value(&service), &Settings::default());
        outcome.plan().unwrap_or_else(|| panic!("{:?}", outcome.report())).clone()
    };
    let web = plan("team-a", "web", &[("IngressURLTemplate", "web.example.com")]);
    let held = holders(&[(&web, FIRST)]);
    let code = |old: &Plan, new: &Plan| {
        let report = new.contested(SECOND, &old.keys_for_update(new), &held, true);
        report.diagnostics().first().map(|it| it.code)
    };
    let (kept, refused) = (Some(Code::ClaimKept), Some(Code::RouteClaimed));
    let hostname = ("hostname", "web.example.com");
    let plain = of(&[hostname], json!({}));
    assert_eq!(code(&plain, &of(&[hostname], json!({"selector": {"app": "web"}}))), kept);
    for spec in [
        json!({"type": "LoadBalancer"}),
        json!({"externalIPs": ["203.0.113.7"]}),
        json!({"loadBalancerClass": "example.com/public"}),
        json!({"loadBalancerIP": "203.0.113.7"}),
    ] {
        let new = of(&[hostname], spec.clone());
        assert_eq!(code(&plain, &new), refused, "{spec}");
        assert_eq!(code(&new, &new), kept, "{spec}");
    }
    let skipped = of(&[hostname, ("controller", "none")], json!({}));
    assert_eq!(code(&skipped, &plain), refused);
    assert_eq!(code(&plain, &skipped), kept);
    assert_eq!(code(&plain, &of(&[hostname, ("ttl", "60")], json!({}))), kept);
    assert_eq!(code(&plain, &of(&[hostname, ("set-identifier", "b")], json!({}))), refused);
    // Without such an annotation, nothing of the Service itself is published.
    let block = [(BLOCK, "external-dns.alpha.kubernetes.io/hostname: web.example.com")];
    let with_block = |kind: &str| {
        let mut service = testing::service(&[("IngressURLTemplate", "shop.example.com"), block[0]]);
        service["spec"]["type"] = kind.into();
        expose(&Service::from_value(&service), &Settings::default()).plan().unwrap().clone()
    };
    assert_eq!(code(&with_block("ClusterIP"), &with_block("LoadBalancer")), kept);
}

/// The controller exposes a Service whose alias or name in DNS an older object has. An update that does not change this is accepted with a
/// Warning; one that uses the host in another way is refused.
#[test]
fn a_name_that_was_there_before_refuses_no_update() {
    const TARGET: &str = "external-dns.alpha.kubernetes.io/target: x.example.net";
    const NAME: &str = "external-dns.alpha.kubernetes.io/hostname: web.example.com";
    const ALIAS: &str = "nginx.ingress.kubernetes.io/server-alias: web.example.com";
    let of = |hosts: &str, block: &str| {
        let own = [
            ("IngressURLTemplate", "shop.example.com"),
            ("TLS", "true"),
            ("TLSHosts", hosts),
            (BLOCK, block),
        ];
        plan("team-b", "thief", &own)
    };
    let web = plan("team-a", "web", &[("IngressURLTemplate", "web.example.com")]);
    let held = holders(&[(&web, FIRST)]);
    let codes = |old: &Plan, new: &Plan| {
        let report = new.contested(SECOND, &old.keys_for_update(new), &held, true);
        report.diagnostics().iter().map(|it| it.code).collect::<Vec<_>>()
    };
    let (none, tls) = (of("", ""), of("web.example.com", ""));
    let (name, alias) = (of("", NAME), of("", ALIAS));
    let (kept, refused) = (vec![Code::ClaimKept], vec![Code::RouteClaimed]);
    for same in [&tls, &name, &alias] {
        assert_eq!(codes(&none, same), refused);
        assert_eq!(codes(same, same), kept);
    }
    // Other uses of the host, and another address.
    assert_eq!(codes(&tls, &name), refused);
    assert_eq!(codes(&tls, &alias), refused);
    assert_eq!(codes(&alias, &tls), refused);
    assert_eq!(codes(&tls, &of("web.example.com", TARGET)), refused);
    assert_eq!(codes(&of("web.example.com", TARGET), &tls), kept);
    assert_eq!(codes(&name, &tls), kept);
    let classed = |class: &str| {
        let own = [("IngressURLTemplate", "shop.example.com"), ("IngressClassName", class), (BLOCK, NAME)];
        plan("team-b", "thief", &own)
    };
    assert_eq!(codes(&classed("internal"), &classed("internal")), kept);
    assert_eq!(codes(&classed("internal"), &classed("external")), refused);
    // An address on the Service itself, whose names ExternalDNS publishes, too.
    let addressed = |address: &str| {
        let (target, name) =
            ("external-dns.alpha.kubernetes.io/target", "external-dns.alpha.kubernetes.io/hostname");
        let own = [("IngressURLTemplate", "shop.example.com"), (name, "web.example.com"), (target, address)];
        plan("team-b", "thief", &own)
    };
    assert_eq!(codes(&addressed(""), &addressed("")), kept);
    assert_eq!(codes(&addressed(""), &addressed("x.example.net")), refused);
    assert_eq!(codes(&addressed("x.example.net"), &addressed("x.example.net")), kept);
    // A route that is removed leaves its name.
    let routes = [("IngressURLTemplate", "shop.example.com,web.example.com"), ("TLS", "true")];
    assert_eq!(codes(&plan("team-b", "thief", &routes), &tls), kept);
    let report = tls.contested(SECOND, &tls.keys_for_update(&tls), &held, true);
    let message = &report.diagnostics()[0].message;
    assert!(message.ends_with(", as before the update"), "{message}");
}
