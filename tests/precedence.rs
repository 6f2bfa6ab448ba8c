//! The precedence among several Services with the same claim.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that finds something else has failed"
)]

use serde_json::{Value, json};
use xposer::{Code, Outcome, Precedence, Service, Settings, expose_all};

/// Returns a Service with its creation time in seconds.
fn service(name: &str, host: &str, created: i64) -> (Value, i64) {
    let annotations = json!({"config.xposer.stakater.com/IngressURLTemplate": host});
    (document(name, &annotations), created)
}

fn document(name: &str, annotations: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}, "metadata": {
        "name": name, "namespace": "shop", "labels": {"expose": "true"}, "annotations": annotations}})
}

fn canary(name: &str, of: &str, host: &str, created: i64) -> (Value, i64) {
    let annotations = json!({"config.xposer.stakater.com/CanaryOf": of, "config.xposer.stakater.com/CanaryWeight": "10",
        "config.xposer.stakater.com/IngressURLTemplate": host});
    (document(name, &annotations), created)
}

fn outcomes(services: &[(Value, i64)], precedence: Precedence) -> Vec<Outcome> {
    let services: Vec<Service<'_>> =
        services.iter().map(|(value, created)| Service::from_value(value).created_at(*created)).collect();
    expose_all(&services, &Settings::default(), precedence)
}

/// Returns `exposed`, or the codes of the Errors, for each outcome.
fn words(outcomes: &[Outcome]) -> Vec<String> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Planned { .. } => "exposed".to_owned(),
        Outcome::Conflicting(report) => {
            let codes: Vec<&str> = report.diagnostics().iter().map(|it| it.code.slug()).collect();
            format!("conflicting: {}", codes.join(" "))
        }
        Outcome::Refused(_) => "refused".to_owned(),
        Outcome::NotExposed { .. } => "not asked".to_owned(),
    };
    outcomes.iter().map(word).collect()
}

#[test]
fn a_refused_service_asks_for_no_second_certificate() {
    let with_certificate = |name: &str, created| {
        let annotations = json!({"config.xposer.stakater.com/IngressURLTemplate": "shop.example.com",
            "config.xposer.stakater.com/TLS": "cert-manager", "config.xposer.stakater.com/ClusterIssuer": "ca"});
        (document(name, &annotations), created)
    };
    let services = [with_certificate("old", 1), with_certificate("new", 2)];
    let refused = "conflicting: route-claimed";
    assert_eq!(words(&outcomes(&services, Precedence::RefuseAll)), [refused, refused]);
    let found = outcomes(&services, Precedence::OldestFirst);
    assert_eq!(words(&found), ["exposed", refused]);
    assert_eq!(found[0].report().map(|it| it.diagnostics().len()), Some(0));
}

#[test]
fn the_oldest_is_exposed_in_whatever_order_they_are_given() {
    let old = service("zeta", "shop.example.com", 1);
    let (new, other) = (service("alpha", "shop.example.com", 2), service("blog", "blog.example.com", 3));
    for services in [[old.clone(), new.clone(), other.clone()], [old, other, new]] {
        let refused = outcomes(&services, Precedence::RefuseAll);
        assert_eq!(refused.iter().filter(|outcome| outcome.is_refused()).count(), 2);
        let found = outcomes(&services, Precedence::OldestFirst);
        for ((value, _), outcome) in services.iter().zip(&found) {
            assert_eq!(outcome.is_refused(), value["metadata"]["name"] == "alpha", "{found:?}");
        }
        let loser = found.iter().find(|outcome| outcome.is_refused()).unwrap().report().unwrap();
        let said = &loser.diagnostics()[0];
        assert_eq!(said.message, "`shop.example.com/` is also claimed by Service shop/zeta");
        assert_eq!(said.code, Code::RouteClaimed);
    }
}

#[test]
fn of_the_same_second_the_first_name_counts_and_a_missing_time_is_the_newest() {
    let services = [service("beta", "shop.example.com", 7), service("alpha", "shop.example.com", 7)];
    assert_eq!(
        words(&outcomes(&services, Precedence::OldestFirst)),
        ["conflicting: route-claimed", "exposed"]
    );
    let views =
        [Service::from_value(&services[1].0), Service::from_value(&services[0].0).created_at(i64::MAX - 1)];
    let found = expose_all(&views, &Settings::default(), Precedence::OldestFirst);
    assert_eq!(words(&found), ["conflicting: route-claimed", "exposed"]);
}

#[test]
fn loser_claims_nothing() {
    // The second Service loses its host to the first one, so the third one gets the other host of the second one.
    let services = [
        service("one", "a.example.com", 1),
        service("two", "a.example.com, b.example.com", 2),
        service("three", "b.example.com", 3),
    ];
    assert_eq!(
        words(&outcomes(&services, Precedence::OldestFirst)),
        ["exposed", "conflicting: route-claimed", "exposed"]
    );
    assert!(outcomes(&services, Precedence::RefuseAll).iter().all(Outcome::is_refused));
}

#[test]
fn a_canary_comes_after_its_stable_service_and_goes_with_it() {
    let rival = service("rival", "shop.example.com", 3);
    let services = [
        canary("web-beta", "web", "shop.example.com", 1),
        service("web", "shop.example.com", 2),
        rival.clone(),
    ];
    assert_eq!(
        words(&outcomes(&services, Precedence::OldestFirst)),
        ["exposed", "exposed", "conflicting: route-claimed"]
    );
    // The rival is now older than the stable Service, so the canary has no stable Service.
    let services =
        [canary("web-beta", "web", "shop.example.com", 1), service("web", "shop.example.com", 9), rival];
    let found = outcomes(&services, Precedence::OldestFirst);
    assert_eq!(found.iter().map(Outcome::is_refused).collect::<Vec<_>>(), [false, true, false]);
    let told = found[0].report().unwrap().diagnostics();
    assert!(told.iter().any(|it| it.code == Code::CanaryAlone), "{found:?}");
}

#[test]
fn a_canary_of_a_canary_is_found_among_the_winners() {
    // The older canary is compared before the Service that it names.
    let services = [
        service("web", "a.example.com, b.example.com", 1),
        service("rival", "a.example.com", 2),
        canary("web-gamma", "web-beta", "b.example.com", 3),
        canary("web-beta", "web", "a.example.com", 4),
    ];
    assert_eq!(
        words(&outcomes(&services, Precedence::OldestFirst)),
        ["exposed", "conflicting: route-claimed", "conflicting: canary-invalid", "exposed"]
    );
}

#[test]
fn refused_service_claims_nothing() {
    let services = [service("web", "Shop.example.com", 1), service("api", "shop.example.com", 2)];
    for precedence in [Precedence::RefuseAll, Precedence::OldestFirst] {
        assert_eq!(words(&outcomes(&services, precedence)), ["refused", "exposed"]);
    }
}

/// A canary takes requests of every Service with the same host and path, in any namespace. So they are in conflict, and the older
/// one is exposed.
#[test]
fn a_canary_of_another_namespace_is_in_conflict_with_the_stable_service() {
    let of_free = |(mut document, created): (Value, i64)| {
        document["metadata"]["namespace"] = "free".into();
        (document, created)
    };
    let host = "shop.example.com";
    let claimed = "conflicting: route-claimed";
    let alone = |created| of_free(canary("can", "nope", host, created));
    let found = outcomes(&[service("web", host, 1), alone(2)], Precedence::OldestFirst);
    assert_eq!(words(&found), ["exposed", claimed]);
    let said = &found[1].report().unwrap().diagnostics()[0];
    assert_eq!(said.message, "`shop.example.com/` is also claimed by Service shop/web");
    let services = [service("web", host, 2), alone(1)];
    assert_eq!(words(&outcomes(&services, Precedence::OldestFirst)), [claimed, "exposed"]);
    assert_eq!(words(&outcomes(&services, Precedence::RefuseAll)), [claimed, claimed]);
    // A canary depends on its own stable Service, which is compared. If the stable Service loses the host, the canary loses it,
    // too.
    let canary = |created| of_free(canary("can", "own", host, created));
    let own = |created| of_free(service("own", host, created));
    let services = [service("web", host, 2), own(1), canary(3)];
    assert_eq!(words(&outcomes(&services, Precedence::OldestFirst)), [claimed, "exposed", "exposed"]);
    let services = [service("web", host, 2), own(3), canary(1)];
    assert_eq!(words(&outcomes(&services, Precedence::OldestFirst)), ["exposed", claimed, claimed]);
}

/// The claims overlap, so a program that caches plans must plan these Services together.
#[test]
fn a_canary_shares_a_claim_with_whoever_has_its_route() {
    let settings = Settings::default();
    let (web, _) = service("web", "shop.example.com", 1);
    let (mut can, _) = canary("can", "nope", "shop.example.com", 1);
    can["metadata"]["namespace"] = "free".into();
    let [web, can] = [&web, &can].map(|it| xposer::expose(&Service::from_value(it), &settings));
    let (web, can) = (web.plan().unwrap(), can.plan().unwrap());
    assert!(can.claims().iter().any(|claim| claim.is_exclusive() && web.claims().contains(claim)));
}

/// With `claims.nameOthers: false`, Events do not name Services of other namespaces. With files, all Services are visible to the
/// reader anyway.
#[test]
fn name_others_false_hides_services_of_other_namespaces() {
    let claims = json!({"namespace": "xposer-system", "nameOthers": false});
    let settings = Settings::from_value(
        &json!({"claims": claims, "namespaces": {"blog": {"hosts": ["blog.example.com"]}},
        "clusterIssuer": "ca", "tls": "cert-manager", "ingressClassName": "nginx"}),
    );
    let settings = settings.unwrap();
    let named = |namespace: &str, url: &str, created| {
        let (mut document, created) = service("root", url, created);
        document["metadata"]["namespace"] = namespace.into();
        (document, created)
    };
    let told = |services: &[(Value, i64)], precedence| {
        let services: Vec<Service<'_>> =
            services.iter().map(|(value, created)| Service::from_value(value).created_at(*created)).collect();
        let outcomes = expose_all(&services, &settings, precedence);
        let of_free = outcomes.last().and_then(Outcome::report).unwrap();
        of_free.diagnostics().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let same = [named("ops", "a.example.com", 1), named("free", "a.example.com", 2)];
    // Two paths of one host: each Service has a certificate, and a regular expression affects the other Service.
    let beside = [named("ops", "a.example.com/v[0-9]", 1), named("free", "a.example.com/api", 2)];
    for (services, code) in [
        (&same[..], "route-claimed"),
        (&beside[..], "certificate-twice"),
        (&beside[..], "host-regular-expression"),
    ] {
        let message = told(services, Precedence::OldestFirst);
        assert!(message.iter().any(|it| it.contains(code)), "{code}: {message:?}");
        assert!(!message.iter().any(|it| it.contains("ops")), "{message:?}");
        assert!(message.iter().any(|it| it.contains("an object in another namespace")), "{message:?}");
    }
    assert!(told(&same, Precedence::RefuseAll)[0].contains("Service ops/root"));
    // The namespace that owns a host is not named either.
    let message = told(&[named("free", "blog.example.com", 1)], Precedence::OldestFirst);
    assert!(message[0].contains("the host `blog.example.com` belongs to another namespace; "), "{message:?}");
    let message = told(&[named("free", "*.example.com", 1)], Precedence::OldestFirst);
    assert!(
        message[0].contains("the host `*.example.com` includes hosts of another namespace; "),
        "{message:?}"
    );
}
