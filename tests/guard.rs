//! The hosts and paths that hand-written objects take.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that finds something else has failed"
)]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use xposer::Severity;
use xposer::conflicts::{Holder, Holders};
use xposer::diagnostics::MAX_PER_CODE;
use xposer::guard::{Guarded, claims_of};
use xposer_testkit::cases::all;

fn texts(object: &Value) -> Vec<String> {
    claims_of(object, &xposer::Settings::default()).into_iter().map(|claim| claim.text).collect()
}

fn of(api_version: &str, kind: &str, annotations: &Value, spec: &Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "spec": spec,
        "metadata": {"name": "web", "namespace": "shop", "annotations": annotations}})
}

fn ingress(annotations: &Value, spec: &Value) -> Value {
    of("networking.k8s.io/v1", "Ingress", annotations, spec)
}

#[test]
fn an_ingress_takes_its_hosts_and_paths() {
    let spec = json!({"rules": [
        {"host": "Shop.example.com", "http": {"paths": [{"path": "/api/", "pathType": "Prefix"}, {"path": "/", "pathType": "Exact"}]}},
        {"host": "*.example.com"},
        {"http": {"paths": [{"pathType": "ImplementationSpecific"}]}},
    ]});
    assert_eq!(
        texts(&ingress(&json!({}), &spec)),
        ["exact shop.example.com/", "prefix *.example.com/", "prefix /", "prefix shop.example.com/api"]
    );
    // The default backend takes all hosts.
    let spec = json!({"defaultBackend": {"service": {"name": "web"}}});
    assert_eq!(texts(&ingress(&json!({}), &spec)), ["prefix /"]);
}

#[test]
fn annotations_of_ingress_nginx_take_hosts_too() {
    let spec = json!({"rules": [{"host": "shop.example.com"}]});
    let annotations = json!({
        "nginx.ingress.kubernetes.io/server-alias": "shop.example.org, old.example.com",
        "nginx.ingress.kubernetes.io/from-to-www-redirect": "true",
    });
    assert_eq!(
        texts(&ingress(&annotations, &spec)),
        [
            "prefix old.example.com/",
            "prefix shop.example.com/",
            "prefix shop.example.org/",
            "prefix www.shop.example.com/",
        ]
    );
    let canary = json!({"nginx.ingress.kubernetes.io/canary": "true"});
    assert_eq!(texts(&ingress(&canary, &spec)), ["canary prefix shop.example.com/"]);
}

#[test]
fn routes_of_the_gateway_api_take_theirs() {
    let gateway = |kind, spec: Value| texts(&of("gateway.networking.k8s.io/v1", kind, &json!({}), &spec));
    let matches = json!([{"matches": [
        {"path": {"type": "PathPrefix", "value": "/api"}}, {"path": {"type": "Exact", "value": "/"}},
        {"path": {"type": "RegularExpression", "value": "/v[0-9]"}}, {"headers": [{"name": "X-Beta", "value": "1"}]},
    ]}]);
    let hosts = json!(["a.example.com", "b.example.com"]);
    assert_eq!(
        gateway("HTTPRoute", json!({"hostnames": hosts, "rules": matches})),
        [
            "exact a.example.com/",
            "exact b.example.com/",
            "prefix a.example.com/",
            "prefix a.example.com/api",
            "prefix a.example.com/v[0-9]",
            "prefix b.example.com/",
            "prefix b.example.com/api",
            "prefix b.example.com/v[0-9]",
        ]
    );
    assert_eq!(gateway("HTTPRoute", json!({})), ["prefix /"]);
    let calls = json!([{"matches": [{"method": {"service": "shop.Cart"}}, {"method": {"service": "shop.Cart", "method": "Add"}}]}]);
    assert_eq!(
        gateway("GRPCRoute", json!({"hostnames": ["a.example.com"], "rules": calls})),
        ["exact a.example.com/shop.Cart/Add", "prefix a.example.com/shop.Cart"]
    );
    let pattern = |method: Value| {
        let mut method = method;
        method["type"] = json!("RegularExpression");
        gateway(
            "GRPCRoute",
            json!({"hostnames": ["a.example.com"], "rules": [{"matches": [{"method": method}]}]}),
        )
    };
    assert_eq!(pattern(json!({"service": ".*"})), ["prefix a.example.com/"]);
    assert_eq!(pattern(json!({"service": ".+", "method": ".*"})), ["prefix a.example.com/"]);
    assert_eq!(
        pattern(json!({"service": "shop.Cart", "method": "Add"})),
        ["exact a.example.com/shop.Cart/Add"]
    );
    assert_eq!(
        pattern(json!({"service": "shop.(Cart|Till)"})),
        ["prefix a.example.com/shop.Cart", "prefix a.example.com/shop.Till"]
    );
    assert_eq!(pattern(json!({"service": "shop.Cart", "method": ".+"})), ["prefix a.example.com/shop.Cart"]);
    assert_eq!(gateway("TLSRoute", json!({"hostnames": ["a.example.com"]})), ["prefix a.example.com/"]);
}

#[test]
fn a_route_of_openshift_takes_its_host() {
    let route = |spec: Value| texts(&of("route.openshift.io/v1", "Route", &json!({}), &spec));
    assert_eq!(route(json!({"host": "a.example.com", "path": "/api"})), ["prefix a.example.com/api"]);
    assert_eq!(
        route(json!({"host": "a.example.com", "wildcardPolicy": "Subdomain"})),
        ["prefix *.example.com/"]
    );
    assert_eq!(route(json!({})), [""; 0]);
}

#[test]
fn other_and_malformed_objects_have_no_claims() {
    for object in
        [json!(null), json!([]), json!({"kind": "Ingress"}), json!({"apiVersion": "v1", "kind": "Service"})]
    {
        assert!(Guarded::read(&object).is_none(), "{object}");
    }
    for spec in
        [json!(null), json!([]), json!({"rules": {}}), json!({"rules": [null, 7, {"host": 7, "http": []}]})]
    {
        for (api, kind) in [
            ("networking.k8s.io/v1", "Ingress"),
            ("gateway.networking.k8s.io/v1", "HTTPRoute"),
            ("gateway.networking.k8s.io/v1", "GRPCRoute"),
            ("gateway.networking.k8s.io/v1alpha2", "TLSRoute"),
            ("route.openshift.io/v1", "Route"),
        ] {
            let _ = texts(&of(api, kind, &json!(7), &spec));
        }
    }
}

/// The controller watches every kind that can be guarded: the kinds that Xposer emits, and others.
#[test]
fn the_guarded_kinds_are_the_targets_and_the_foreign_kinds() {
    use xposer::guard::ForeignKind;
    let targets = xposer::Target::ALL.iter().map(|target| target.as_str());
    let mut kinds: Vec<&str> = targets.chain(ForeignKind::ALL.iter().map(|kind| kind.as_str())).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, xposer::options::Guard::KINDS);
}

/// Returns the plans of all Services of the case folders that can be exposed alone, with the name of the folder.
fn plans() -> Vec<(String, xposer::Plan)> {
    let mut plans = Vec::new();
    for case in all().unwrap() {
        let settings = xposer::Settings::from_value(case.settings.as_ref().unwrap_or(&Value::Null));
        let Ok(settings) = settings else { continue };
        for service in case.services() {
            let outcome = xposer::expose(&xposer::Service::from_value(service), &settings);
            plans.extend(outcome.plan().map(|plan| (case.slug.clone(), plan.clone())));
        }
    }
    plans
}

/// An emitted object takes all claims of its plan, unless the controller needs the path in another notation. Otherwise, the claims
/// of a Service could not be compared with such an object.
#[test]
fn emitted_objects_take_what_their_plans_claim() {
    let mut compared = 0;
    for (_, plan) in plans() {
        let emitted: Vec<String> =
            plan.emit().objects.iter().flat_map(|object| texts(&object.to_value())).collect();
        for claim in plan.claim_texts() {
            compared += usize::from(emitted.contains(&claim.text));
        }
    }
    assert!(compared > 900, "{compared}");
}

/// ingress-nginx passes an alias to nginx, which also accepts wildcards and regular expressions.
#[test]
fn an_alias_that_is_a_pattern_takes_what_it_can_match() {
    let hosts = |alias: &str| {
        let annotations = json!({"nginx.ingress.kubernetes.io/server-alias": alias});
        let taken = texts(&ingress(&annotations, &json!({"rules": [{"host": "own.example.com"}]})));
        taken.into_iter().filter(|text| !text.ends_with("own.example.com/")).collect::<Vec<_>>()
    };
    assert_eq!(hosts("~^[a-z]+.shop.company.com$"), ["prefix /"]);
    assert_eq!(hosts("shop.company.*"), ["prefix /"]);
    assert_eq!(hosts(".shop.company.com"), ["prefix *.shop.company.com/", "prefix shop.company.com/"]);
    assert_eq!(hosts("*.shop.company.com"), ["prefix *.shop.company.com/"]);
    let settings =
        xposer::Settings::from_value(&json!({"namespaces": {"shop": {"hosts": ["*.shop.company.com"]}}}));
    let settings = settings.unwrap();
    for alias in ["~^[a-z]+.shop.company.com$", ".shop.company.com", "shop.company.*", "a.shop.company.com"] {
        let annotations = json!({"nginx.ingress.kubernetes.io/server-alias": alias});
        let mut object = ingress(&annotations, &json!({"rules": [{"host": "own.example.com"}]}));
        object["metadata"]["namespace"] = "free".into();
        assert!(Guarded::read(&object).unwrap().check(&settings, None).has_errors(), "{alias}");
    }
}

/// A plan claims every host that the guard reads in its emitted objects. Otherwise, a forwarded block could take a host without a
/// comparison. A pattern is not compared.
#[test]
fn plans_claim_the_hosts_that_emitted_objects_take() {
    let (mut compared, mut added) = (0, 0);
    for (slug, plan) in plans() {
        let claimed: BTreeSet<String> = plan.claim_texts().into_iter().map(|claim| claim.bucket).collect();
        let of_routes: BTreeSet<&str> = plan.routes().iter().map(|route| route.host.as_str()).collect();
        for object in plan.emit().objects {
            let taken = claims_of(&object.to_value(), &xposer::Settings::default())
                .into_iter()
                .map(|claim| claim.bucket);
            for host in taken.filter(|host| !host.is_empty()) {
                assert!(claimed.contains(&host), "{slug}: {host} is not in {claimed:?}");
                compared += 1;
                added += usize::from(!of_routes.contains(host.as_str()));
            }
        }
    }
    assert!(compared > 900 && added > 5, "{compared}, {added}");
}

fn with_route(rule: &Value) -> Value {
    of(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        &json!({}),
        &json!({"hostnames": ["a.example.com"], "parentRefs": [{"name": "edge"}], "rules": [rule]}),
    )
}

fn held_by(namespace: &str, is_part: bool) -> Holders {
    let holder = Holder {
        // A claim of a Service is a part only for a redirect.
        kind: if is_part { "HTTPRoute" } else { "Service" }.to_owned(),
        namespace: namespace.to_owned(),
        name: "old".to_owned(),
        created: "2026-01-01T00:00:00Z".to_owned(),
        is_local: false,
        is_part,
    };
    Holders::from([("prefix a.example.com/".to_owned(), vec![holder])])
}

/// The Gateway API gives a request to the route with additional conditions, and all other requests to the other route. A team may
/// split its own path in this way. With the path of another team, it would take requests from that team.
#[test]
fn a_route_that_takes_a_part_is_for_the_same_namespace() {
    let whole = json!({});
    let parts = [
        json!({"matches": [{"headers": [{"name": "X-Beta", "value": "1"}]}]}),
        json!({"matches": [{"path": {"value": "/"}, "method": "POST"}]}),
        json!({"matches": [{"queryParams": [{"name": "beta", "value": "1"}]}]}),
    ];
    let refused = |rule: &Value, holders: &Holders| {
        Guarded::read(&with_route(rule)).unwrap().contested(None, "", holders, true).has_errors()
    };
    for part in &parts {
        assert!(
            Guarded::read(&with_route(part)).unwrap().claims().iter().all(|claim| claim.is_part),
            "{part}"
        );
        assert!(!refused(part, &held_by("shop", false)), "{part}");
        assert!(refused(part, &held_by("ops", false)), "{part}");
        assert!(refused(part, &held_by("ops", true)), "{part}");
        // An additional match with only the path takes all other requests, too.
        let mut both = part.clone();
        both["matches"].as_array_mut().unwrap().push(json!({"path": {"value": "/"}}));
        assert!(refused(&both, &held_by("shop", false)), "{both}");
    }
    assert!(refused(&whole, &held_by("shop", false)));
    assert!(!refused(&whole, &held_by("shop", true)));
    assert!(refused(&whole, &held_by("ops", true)));
    // The claims of a Service are compared in the same way.
    let plan = xposer::testing::plan(&[("IngressURLTemplate", "a.example.com")], json!({})).unwrap();
    let errors = |holders: &Holders| plan.contested("", &BTreeSet::new(), holders, true).has_errors();
    assert!(
        !errors(&held_by("shop", true)) && errors(&held_by("ops", true)) && errors(&held_by("shop", false))
    );
    // The holder of a part does not have the other requests.
    let (part, all) = (with_route(&parts[0]), with_route(&whole));
    let (part, all) = (Guarded::read(&part).unwrap(), Guarded::read(&all).unwrap());
    assert_eq!(all.claims_beside(Some(&part)).len(), 1);
    assert_eq!(part.claims_beside(Some(&all)).len(), 0);
    // An object that had a part and now takes all requests is refused as if it were new, whatever its age.
    assert!(all.contested(Some(&part), "2025-01-01T00:00:00Z", &held_by("ops", false), true).has_errors());
    assert!(part.contested(Some(&all), "2025-01-01T00:00:00Z", &held_by("ops", false), true).is_empty());
}

/// A team may have several objects for one path, for example one for http and one for https, or one for each class: the controllers
/// merge them.
#[test]
fn objects_by_hand_of_one_namespace_may_share_a_path() {
    let by_hand = |namespace: &str| {
        let mut holders = held_by(namespace, false);
        holders.values_mut().flatten().for_each(|holder| holder.kind = "HTTPRoute".to_owned());
        holders
    };
    let route = with_route(&json!({}));
    let refused =
        |holders: &Holders| Guarded::read(&route).unwrap().contested(None, "", holders, true).has_errors();
    assert!(!refused(&by_hand("shop")) && refused(&by_hand("ops")) && refused(&held_by("shop", false)));
}

/// A pattern without a literal character takes all paths.
#[test]
fn a_pattern_that_takes_everything_is_the_path_of_everything() {
    let path = |path: &str| {
        let spec = json!({"rules": [{"host": "a.example.com", "http": {"paths": [{"path": path, "pathType": "ImplementationSpecific"}]}}]});
        texts(&ingress(&json!({}), &spec)).join(" ")
    };
    for all in [
        "/.*",
        "/(.*)",
        "/*",
        "/.+",
        "/(.+)",
        "/.{0,}",
        "/(?:.*)",
        "/[^x]*",
        "^/",
        "/?",
        "/?(.*)",
        ".*",
        "/.*/.*",
        "(/|$)(.*)",
        "/[.]*",
        "/()(.*)",
        "^/.*$",
        "/[a-z]*",
        "/\\S*",
        "/[\\s\\S]*",
        "/(?i)(.*)",
        "/(?s:.*)",
        "/(a|)(.*)",
        "/x?(.*)",
        "/shop|/",
    ] {
        assert_eq!(path(all), "prefix a.example.com/", "{all}");
    }
    for some in ["/v[0-9]", "/.{0,}b", "/[^x", "/{x}", "/shop/?$", "/$", "/?$", "/v1.2", "/c++"] {
        assert_eq!(path(some), format!("prefix a.example.com{some}"), "{some}");
    }
    // A pattern that takes everything below a path is the same as the prefix.
    for (pattern, below) in [
        ("/a.*", "/a"),
        ("/api(/|$)(.*)", "/api"),
        ("/api/(.*)", "/api"),
        ("/my\\-app(/.*)?$", "/my-app"),
        ("^/shop", "/shop"),
        ("/shop|/shop/(.*)", "/shop"),
        ("/v1.2/(.*)", "/v1.2"),
        ("/(?:a)", "/a"),
        ("/(api)(/|$)(.*)", "/api"),
        ("/(?:api)(.*)", "/api"),
        ("/api/{1,}", "/api"),
        ("/ap[i]", "/api"),
        ("/(ap)(i)/.*", "/api"),
        ("/api[/].*", "/api"),
        ("/api[\\/]", "/api"),
        ("/api/.+", "/api"),
        ("/api/[^/]+", "/api"),
        ("/ap{2}le(.*)", "/apple"),
        ("/(a|b[0-9])(/.*)?$", "/a"),
        ("/\\Qapi\\E(.*)", "/\\Qapi\\E(.*)"),
    ] {
        assert_eq!(path(pattern), format!("prefix a.example.com{below}"), "{pattern}");
    }
    // Each way in which a pattern can begin counts.
    let several = |paths: &[&str]| {
        let all: Vec<String> = paths.iter().map(|path| format!("prefix a.example.com{path}")).collect();
        all.join(" ")
    };
    for (pattern, below) in [
        ("/(a|b)(/|$)(.*)", &["/a", "/b"][..]),
        ("/[Aa]pi(.*)", &["/Api", "/api"]),
        ("/apis?(/|$)(.*)", &["/api", "/apis"]),
        ("/api*", &["/ap", "/api"]),
        ("/a|/b", &["/a", "/b"]),
    ] {
        assert_eq!(path(pattern), several(below), "{pattern}");
    }
    for other in
        ["/api/v[0-9]+", "/api/\\d+/x", "/api/.*\\.php", "/(api|web)/[a-z]+/x", "/api$", "/api(?=x)[0-9]"]
    {
        assert_eq!(path(other), format!("prefix a.example.com{other}"), "{other}");
    }
    // More than can be read counts as everything, and takes no long time.
    let long = format!("/{}(.*)", "(a|b|c)?".repeat(10_000));
    assert_eq!(path(&long), "prefix a.example.com/");
    let deep = format!("/a{}b{}", "(".repeat(50_000), ")?".repeat(50_000));
    assert!(path(&deep).contains("example.com/"));
    for bad in ["/(a", "/a)", "/[a", "/a**", "/a{3,2}", "/(?", "/(?<n", "/(*", "/\\"] {
        assert!(path(bad).contains("example.com/"), "{bad}");
    }
}

/// A full expression of the Gateway API, and a path that ingress-nginx reads as an expression because of an annotation.
#[test]
fn a_path_that_a_program_reads_as_an_expression_is_one() {
    let route = |value: &str| {
        let spec = json!({"hostnames": ["a.example.com"], "rules": [{"matches": [{"path": {"type": "RegularExpression", "value": value}}]}]});
        texts(&of("gateway.networking.k8s.io/v1", "HTTPRoute", &json!({}), &spec)).join(" ")
    };
    for (value, expected) in
        [("[/].*", "/"), ("([/]).*", "/"), ("/(api)/.*", "/api"), ("/api/+", "/api"), ("/api/.+", "/api")]
    {
        assert_eq!(route(value), format!("prefix a.example.com{expected}"), "{value}");
    }
    let path = |annotations: Value, path: &str, kind: &str| {
        let spec = json!({"rules": [{"host": "a.example.com", "http": {"paths": [{"path": path, "pathType": kind}]}}]});
        ingress(&annotations, &spec)
    };
    let message =
        |annotations: Value, text: &str, kind: &str| texts(&path(annotations, text, kind)).join(" ");
    let (regex, rewrite) =
        ("nginx.ingress.kubernetes.io/use-regex", "nginx.ingress.kubernetes.io/rewrite-target");
    assert_eq!(message(json!({}), "/", "Exact"), "exact a.example.com/");
    assert_eq!(message(json!({regex: "true"}), "/", "Exact"), "prefix a.example.com/");
    assert_eq!(message(json!({rewrite: "/x"}), "/api", "Exact"), "prefix a.example.com/api");
    assert_eq!(message(json!({rewrite: "/api"}), "/api", "Exact"), "exact a.example.com/api");
    assert_eq!(
        message(json!({regex: "true"}), "/api/+", "ImplementationSpecific"),
        "prefix a.example.com/api"
    );
    assert_eq!(message(json!({}), "/c++", "ImplementationSpecific"), "prefix a.example.com/c++");
    assert_eq!(message(json!({}), "/api/", "ImplementationSpecific"), "prefix a.example.com/api");
    // ingress-nginx does not read it on a canary.
    let canary = json!({regex: "true", "nginx.ingress.kubernetes.io/canary": "true"});
    assert_eq!(message(canary, "/", "Exact"), "canary exact a.example.com/");
    let (old, new) = (path(json!({}), "/", "Exact"), path(json!({regex: "true"}), "/", "Exact"));
    assert!(refused_update(&old, &new, &held_by("ops", false)));
    // A Service has the same.
    let claims = |more: &[(&str, &str)]| {
        let mut all = vec![("IngressURLTemplate", "a.example.com")];
        all.extend(more);
        let plan = xposer::testing::plan(&all, json!({})).unwrap();
        let texts = plan.claim_texts().into_iter().map(|claim| claim.text);
        texts.filter(|text| text.contains("example.com")).collect::<Vec<_>>()
    };
    let block = ("xposer.stakater.com/annotations", "nginx.ingress.kubernetes.io/use-regex: \"true\"");
    assert_eq!(claims(&[("PathType", "Exact")]), ["exact a.example.com/"]);
    assert_eq!(claims(&[("PathType", "Exact"), block]), ["prefix a.example.com/"]);
    let slash = [("IngressURLPath", "/api/"), ("PathType", "ImplementationSpecific")];
    assert_eq!(claims(&slash), ["prefix a.example.com/api"]);
}

/// Names in annotations are compared as the programs read them: without blanks, and without the dot at the end.
#[test]
fn names_in_annotations_are_read_as_the_programs_read_them() {
    let settings = json!({"namespaces": {"team": {"hosts": ["team.example.com"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let mine = json!({"namespaces": {"shop": {"hosts": ["shop.example.com"]}}});
    let mine = xposer::Settings::from_value(&mine).unwrap();
    let errors = |settings: &xposer::Settings, key: &str, value: &str| {
        let object = ingress(&json!({key: value}), &json!({"rules": [{"host": "shop.example.com"}]}));
        Guarded::read(&object).unwrap().check(settings, None).has_errors()
    };
    let dns = "external-dns.alpha.kubernetes.io/hostname";
    for name in
        ["team.example.com.", "te am.example.com", "a.example.org, team.example.com .", "*.example.com."]
    {
        assert!(errors(&settings, dns, name), "{name}");
    }
    assert!(!errors(&mine, dns, "shop.example.com., shop.example.com"));
    let domains = "traefik.ingress.kubernetes.io/router.tls.domains.0.sans";
    for key in ["cert-manager.io/common-name", "cert-manager.io/alt-names", domains] {
        assert!(errors(&settings, key, "team.example.com"), "{key}");
        assert!(!errors(&mine, key, "shop.example.com"), "{key}");
    }
    assert!(!errors(&mine, "cert-manager.io/common-name", "The Shop"));
    let alias = "nginx.ingress.kubernetes.io/server-alias";
    for names in ["a.example.org team.example.com", "a.example.org;team.example.com"] {
        assert!(errors(&settings, alias, names), "{names}");
    }
}

/// Returns the codes of the findings, and whether each is an Error, which means that it is new.
fn found(report: &xposer::Report) -> Vec<(&'static str, bool)> {
    let findings = report.diagnostics().iter();
    findings.map(|it| (it.code.slug(), it.severity == Severity::Error)).collect()
}

#[test]
fn addition_to_a_foreign_host_is_new() {
    let settings =
        json!({"namespaces": {"team": {"hosts": ["team.example.com"]}, "shop": {"classes": ["internal"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let of = |annotations: Value, spec: Value| ingress(&annotations, &spec);
    let paths = |paths: &[&str]| {
        let paths: Vec<Value> =
            paths.iter().map(|path| json!({"path": path, "pathType": "Prefix"})).collect();
        json!({"ingressClassName": "internal", "rules": [{"host": "team.example.com", "http": {"paths": paths}}]})
    };
    let old = of(json!({}), paths(&["/a"]));
    let judged = |new: &Value| {
        let (new, old) = (Guarded::read(new).unwrap(), Guarded::read(&old).unwrap());
        found(&new.check(&settings, Some(&old)))
    };
    let new = ("host-not-owned", true);
    assert_eq!(judged(&old), []);
    assert_eq!(judged(&of(json!({"team": "blue"}), paths(&["/a"]))), []);
    assert_eq!(judged(&of(json!({}), paths(&["/a", "/b"]))), [new]);
    assert_eq!(judged(&of(json!({}), paths(&["/b"]))), [new]);
    let mut exact = paths(&["/a"]);
    exact["rules"][0]["http"]["paths"][0]["pathType"] = "Exact".into();
    assert_eq!(judged(&of(json!({}), exact)), [new]);
    // These are other uses of the host: a certificate, and a DNS name.
    let mut secured = paths(&["/a"]);
    secured["tls"] = json!([{"hosts": ["team.example.com"]}]);
    assert_eq!(judged(&of(json!({}), secured)), [new]);
    let dns = json!({"external-dns.alpha.kubernetes.io/hostname": "team.example.com"});
    assert_eq!(judged(&of(dns, paths(&["/a"]))), [new]);
    // Another class, and the cluster's default class.
    let mut public = paths(&["/a"]);
    public["ingressClassName"] = "public".into();
    assert_eq!(judged(&of(json!({}), public.clone())), [new, ("class-not-allowed", true)]);
    public["ingressClassName"] = Value::Null;
    assert_eq!(judged(&of(json!({}), public)), [new]);
    // A rule takes more than an alias, which has no effect if another object has a rule; and a path takes more than a rule without
    // paths.
    let weak = [
        of(
            json!({"nginx.ingress.kubernetes.io/server-alias": "team.example.com"}),
            json!({"ingressClassName": "internal", "rules": [{"host": "shop.example.com"}]}),
        ),
        of(json!({}), json!({"ingressClassName": "internal", "rules": [{"host": "team.example.com"}]})),
    ];
    let strong = of(json!({}), paths(&["/"]));
    for weak in &weak {
        let report = Guarded::read(&strong).unwrap().check(&settings, Guarded::read(weak).as_ref());
        assert_eq!(found(&report), [new], "{weak}");
    }
    // A removed path is not new.
    let old = of(json!({}), paths(&["/a", "/b"]));
    let less = of(json!({}), paths(&["/a"]));
    let report = Guarded::read(&less).unwrap().check(&settings, Guarded::read(&old).as_ref());
    assert_eq!(found(&report), []);
}

#[test]
fn addition_to_a_foreign_class_is_new() {
    let settings = json!({"namespaces": {"shop": {"classes": ["internal"], "gateways": ["mine"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let ingress = |hosts: &[&str]| {
        let rules: Vec<Value> = hosts.iter().map(|host| json!({"host": host})).collect();
        ingress(&json!({}), &json!({"ingressClassName": "public", "rules": rules}))
    };
    let route = |hosts: &[&str]| {
        let spec = json!({"hostnames": hosts, "parentRefs": [{"name": "theirs"}]});
        of("gateway.networking.k8s.io/v1", "HTTPRoute", &json!({}), &spec)
    };
    let judged = |old: &Value, new: &Value| {
        found(&Guarded::read(new).unwrap().check(&settings, Guarded::read(old).as_ref()))
    };
    let (one, two) = (["a.example.com"], ["a.example.com", "b.example.com"]);
    assert_eq!(judged(&ingress(&one), &ingress(&one)), []);
    assert_eq!(judged(&ingress(&one), &ingress(&two)), [("class-not-allowed", true)]);
    assert_eq!(judged(&ingress(&two), &ingress(&one)), []);
    assert_eq!(judged(&route(&one), &route(&one)), []);
    assert_eq!(judged(&route(&one), &route(&two)), [("gateway-not-allowed", true)]);
}

/// New findings are never left out of a report, however many old findings there are.
#[test]
fn new_claims_fit_beside_existing_findings() {
    let settings = json!({"namespaces": {"team": {"hosts": ["*.team.example.com"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let of = |count: usize| {
        let rules: Vec<Value> =
            (0..count).map(|n| json!({"host": format!("h{n}.team.example.com")})).collect();
        ingress(&json!({}), &json!({"rules": rules}))
    };
    let (old, new) = (of(MAX_PER_CODE + 50), of(MAX_PER_CODE + 51));
    let judged = |new: &Value| Guarded::read(new).unwrap().check(&settings, Guarded::read(&old).as_ref());
    assert_eq!((found(&judged(&new)).len(), judged(&old).is_empty()), (1, true));
}

/// Controllers also update the object, without a change of its hosts and paths.
#[test]
fn existing_claims_are_not_reported() {
    let guarded = with_route(&json!({}));
    let guarded = Guarded::read(&guarded).unwrap();
    for created in ["2026-02-01T00:00:00Z", "2025-01-01T00:00:00Z"] {
        assert!(guarded.contested(Some(&guarded), created, &held_by("ops", false), true).is_empty());
    }
}

/// Hosts and paths beyond the limit are not compared, so they could belong to anybody.
#[test]
fn more_routes_than_are_compared_are_refused() {
    let paths: Vec<Value> =
        (0..101).map(|n| json!({"path": format!("/{n}"), "pathType": "Prefix"})).collect();
    let spec = json!({"rules": [{"host": "own.example.com", "http": {"paths": paths}}]});
    let of = |count: usize| {
        let aliases: Vec<String> = (0..count).map(|n| format!("h{n}.example.com")).collect();
        ingress(&json!({"nginx.ingress.kubernetes.io/server-alias": aliases.join(",")}), &spec)
    };
    let judged = |old: Option<&Value>, count: usize| {
        let new = of(count);
        let old = old.and_then(Guarded::read);
        found(&Guarded::read(&new).unwrap().contested(old.as_ref(), "", &Holders::new(), true))
    };
    assert_eq!(judged(None, 38), []);
    assert_eq!(judged(None, 39), [("claims-too-many", true)]);
    assert_eq!(judged(Some(&of(38)), 39), [("claims-too-many", true)]);
    assert_eq!(judged(Some(&of(39)), 39), []);
}

/// Every host is combined with the path, which may be as long as the object. Copies of the path for each host would need too much
/// memory.
#[test]
fn a_long_path_is_not_repeated_for_each_of_many_hosts() {
    let aliases: Vec<String> = (0..9000).map(|n| format!("h{n}.example.com")).collect();
    let annotations = json!({"nginx.ingress.kubernetes.io/server-alias": aliases.join(",")});
    let path = format!("/{}", "x".repeat(100_000));
    let paths = json!([{"path": path, "pathType": "Exact"}]);
    let object =
        ingress(&annotations, &json!({"rules": [{"host": "own.example.com", "http": {"paths": paths}}]}));
    let guarded = Guarded::read(&object).unwrap();
    let bytes: usize = guarded.claims().iter().map(|claim| claim.text.len()).sum();
    assert!((300_000..500_000).contains(&bytes), "{bytes}");
    let message = found(&guarded.contested(None, "", &Holders::new(), true));
    assert_eq!(message, [("claims-too-many", true)]);
    // The owners of all hosts are still checked.
    let settings = json!({"namespaces": {"ops": {"hosts": ["h8999.example.com"]}}});
    let report = guarded.check(&xposer::Settings::from_value(&settings).unwrap(), None);
    assert!(found(&report).contains(&("host-not-owned", true)), "{report}");
}

/// Whether an update of an object is refused because of these holders.
fn refused_update(old: &Value, new: &Value, holders: &Holders) -> bool {
    let (old, new) = (Guarded::read(old).unwrap(), Guarded::read(new).unwrap());
    new.contested(Some(&old), "2025-01-01T00:00:00Z", holders, true).has_errors()
}

/// ingress-nginx gives a canary the requests of an Ingress in any namespace.
#[test]
fn a_canary_takes_requests_of_other_namespaces() {
    let canary = |weight: &str| {
        let annotations = json!({"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": weight});
        ingress(&annotations, &json!({"rules": [{"host": "a.example.com"}]}))
    };
    let refused = |object: &Value, holders: &Holders| {
        Guarded::read(object).unwrap().contested(None, "", holders, true).has_errors()
    };
    assert!(refused(&canary("1"), &held_by("ops", false)));
    assert!(!refused(&canary("1"), &held_by("shop", false)));
    let of_canary = |namespace: &str| {
        let held = held_by(namespace, false).into_iter();
        held.map(|(text, holders)| (format!("canary {text}"), holders)).collect::<Holders>()
    };
    let stable = ingress(&json!({}), &json!({"rules": [{"host": "a.example.com"}]}));
    assert!(refused(&stable, &of_canary("ops")));
    assert!(!refused(&stable, &of_canary("shop")));
    // Of two canaries, the one in the namespace of the stable object is kept.
    let mut both = of_canary("ops");
    assert!(refused(&canary("1"), &both));
    both.extend(held_by("shop", false));
    assert!(!refused(&canary("1"), &both));
    // A larger share of the requests is a new claim.
    assert!(refused_update(&canary("10"), &canary("100"), &held_by("ops", false)));
    assert!(!refused_update(&canary("100"), &canary("10"), &held_by("ops", false)));
    let mut by_header = canary("10");
    by_header["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-by-header"] = "X-Beta".into();
    assert!(refused_update(&canary("10"), &by_header, &held_by("ops", false)));
    assert!(!refused_update(&by_header, &by_header, &held_by("ops", false)));
}

/// Another class, another Gateway or another part of the path takes requests that the object did not get before.
#[test]
fn new_class_claims_all_hosts_again() {
    let of_class = |class: Option<&str>| {
        ingress(&json!({}), &json!({"ingressClassName": class, "rules": [{"host": "a.example.com"}]}))
    };
    let held = held_by("ops", false);
    for (old, new, expected) in [
        (Some("parked"), Some("internal"), true),
        (Some("internal"), None, true),
        (None, Some("internal"), true),
        (Some("internal"), Some("internal"), false),
        (None, None, false),
    ] {
        assert_eq!(refused_update(&of_class(old), &of_class(new), &held), expected, "{old:?}, {new:?}");
    }
    let of_gateways = |names: &[&str]| {
        let mut route = with_route(&json!({}));
        route["spec"]["parentRefs"] = names.iter().map(|name| json!({"name": name})).collect();
        route
    };
    for (old, new, expected) in [
        (&["edge"][..], &["other"][..], true),
        (&["edge"], &["edge", "other"], true),
        (&["edge", "other"], &["edge"], false),
        (&["edge"], &["edge"], false),
    ] {
        assert_eq!(refused_update(&of_gateways(old), &of_gateways(new), &held), expected, "{old:?}, {new:?}");
    }
    let of_header =
        |value: &str| with_route(&json!({"matches": [{"headers": [{"name": "X-Beta", "value": value}]}]}));
    assert!(refused_update(&of_header("1"), &of_header("2"), &held));
    assert!(!refused_update(&of_header("1"), &of_header("1"), &held));
}

/// A trailing dot does not change a host name.
#[test]
fn a_host_with_a_dot_at_its_end_is_the_host() {
    let settings = json!({"namespaces": {"blog": {"hosts": ["blog.example.com"]}, "free": {}}, "domain": "free.example.com"});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    for (key, value) in [
        ("nginx.ingress.kubernetes.io/server-alias", "blog.example.com."),
        ("cert-manager.io/common-name", "Blog.example.com."),
        ("cert-manager.io/alt-names", "a.free.example.com,blog.example.com."),
        ("external-dns.alpha.kubernetes.io/hostname", "blog.example.com."),
    ] {
        let mut object = ingress(&json!({key: value}), &json!({"rules": [{"host": "a.free.example.com"}]}));
        object["metadata"]["namespace"] = "free".into();
        let report = Guarded::read(&object).unwrap().check(&settings, None);
        assert_eq!(found(&report), [("host-not-owned", true)], "{key}");
        let mut service =
            xposer::testing::service(&[("xposer.stakater.com/annotations", &format!("{key}: {value}"))]);
        service["metadata"]["namespace"] = "free".into();
        let outcome = xposer::expose(&xposer::Service::from_value(&service), &settings);
        let told = outcome.report().unwrap();
        assert!(told.diagnostics().iter().any(|it| it.code == xposer::Code::HostNotOwned), "{key}: {told}");
    }
    // ExternalDNS also reads the annotations of the Service itself.
    let mut service = xposer::testing::service(&[]);
    service["metadata"]["namespace"] = "free".into();
    service["metadata"]["annotations"] =
        json!({"external-dns.alpha.kubernetes.io/hostname": "own.free.example.com, Blog.example.com."});
    let outcome = xposer::expose(&xposer::Service::from_value(&service), &settings);
    let told = outcome.report().unwrap().to_string();
    assert!(
        told.contains("external-dns.alpha.kubernetes.io/hostname\"]: the host `blog.example.com` belongs to"),
        "{told}"
    );
}

/// The help for a route that takes all hosts is to name some hosts.
#[test]
fn the_help_for_a_route_without_hosts_is_to_name_them() {
    let settings =
        xposer::Settings::from_value(&json!({"namespaces": {"blog": {"hosts": ["blog.example.com"]}}}));
    let route = of("gateway.networking.k8s.io/v1", "HTTPRoute", &json!({}), &json!({"rules": [{}]}));
    let report = Guarded::read(&route).unwrap().check(&settings.unwrap(), None).to_string();
    assert!(report.contains("spec.hostnames: ") && report.contains("; name its hosts"), "{report}");
}

#[test]
fn settings_without_a_match_are_refused() {
    let message = |settings: &Value| {
        xposer::Settings::from_value(settings).err().map(|it| it.to_string()).unwrap_or_default()
    };
    for user in ["system:serviceaccount:x", "system:serviceaccount:x:", "system:serviceaccount:x:y:z"] {
        let told = message(&json!({"guard": {"mode": "deny", "users": [user]}}));
        assert!(
            told.contains("is not a service account; write system:serviceaccount:NAMESPACE:NAME"),
            "{told}"
        );
    }
    for user in ["system:serviceaccount:x:y", "kubernetes-admin", "system:admin"] {
        assert_eq!(message(&json!({"guard": {"mode": "deny", "users": [user]}})), "");
    }
    let told = message(&json!({"claims": {"namespace": "x", "maxAge": "100000000000h"}}));
    assert!(
        told.contains("a duration whose numbers have at most five digits; write a shorter one"),
        "{told}"
    );
    // The service accounts of the manifests, and of the chart with the release name `xposer`.
    for name in ["xposer-controller", "xposer"] {
        let user = format!("system:serviceaccount:xposer-system:{name}");
        assert!(xposer::Settings::default().guard().exempts(&user), "{user}");
    }
}

/// The publisher of a DNS name gets the requests for the host.
#[test]
fn a_name_in_dns_is_compared_with_what_others_have() {
    let key = "external-dns.alpha.kubernetes.io/hostname";
    let spec = json!({"rules": [{"host": "a.example.com"}]});
    let object = |hosts: &str| ingress(&json!({key: hosts}), &spec);
    let holder = |namespace: &str| Holder {
        kind: "Service".to_owned(),
        namespace: namespace.to_owned(),
        name: "web".to_owned(),
        created: "2026-01-01T00:00:00Z".to_owned(),
        is_local: false,
        is_part: false,
    };
    let of = |namespace: &str| {
        let hosts = ["a.example.com", "b.example.com"].map(|host| format!("prefix {host}/"));
        Holders::from(hosts.map(|text| (text, vec![holder(namespace)])))
    };
    let told = |new: &str, old: Option<&str>, holders: &Holders| {
        let (new, old) = (object(new), old.map(object));
        let old = old.as_ref().and_then(Guarded::read);
        let report = Guarded::read(&new).unwrap().contested(old.as_ref(), "", holders, true);
        report.diagnostics().iter().filter(|it| it.path.to_string().contains(key)).count()
    };
    assert_eq!(told("b.example.com", None, &of("ops")), 1);
    // The object's own host is compared as a route, a team may publish its own names, and a name that was there before is not
    // reported.
    assert_eq!(told("a.example.com", None, &of("ops")), 0);
    assert_eq!(told("b.example.com", None, &of("shop")), 0);
    assert_eq!(told("b.example.com", Some("b.example.com"), &of("ops")), 0);
    assert_eq!(told("b.example.com", Some("c.example.com"), &of("ops")), 1);
}

/// Only a parent of a mesh is no parent with listeners.
#[test]
fn a_route_is_exempt_only_if_it_belongs_to_a_mesh() {
    let route = |more: Value| {
        let mut spec = json!({"hostnames": ["a.example.com"]});
        more.as_object().unwrap().iter().for_each(|(key, value)| spec[key] = value.clone());
        of("gateway.networking.k8s.io/v1", "HTTPRoute", &json!({}), &spec)
    };
    let claims = |more: Value| texts(&route(more)).len();
    let of_mesh = json!({"group": "", "kind": "Service", "name": "x"});
    let of_others = [
        json!({"group": "gateway.networking.x-k8s.io", "kind": "XListenerSet", "name": "x"}),
        json!({"group": "networking.istio.io", "kind": "Gateway", "name": "x"}),
        json!({"group": "", "kind": "Gateway", "name": "x"}),
        json!({"kind": "ListenerSet", "name": "x"}),
    ];
    for other in of_others {
        assert_eq!(claims(json!({"parentRefs": [other]})), 1, "{other}");
        assert_eq!(claims(json!({"parentRefs": [of_mesh, other]})), 1, "{other}");
    }
    assert_eq!(claims(json!({"parentRefs": [of_mesh]})), 0);
    let entry = json!({"group": "networking.istio.io", "kind": "ServiceEntry", "name": "x"});
    assert_eq!(claims(json!({"parentRefs": [of_mesh, entry]})), 0);
    assert_eq!(claims(json!({"parentRefs": [of_mesh], "useDefaultGateways": "All"})), 1);
    assert_eq!(claims(json!({"parentRefs": [of_mesh], "useDefaultGateways": "None"})), 0);
    // Another kind, section or port of a parent, and the default Gateways, take the hosts anew.
    let held = held_by("ops", false);
    let edge = json!({"name": "edge", "namespace": "infra"});
    let with = |key: &str, value: Value| {
        let mut parent = edge.clone();
        parent[key] = value;
        json!({"parentRefs": [parent]})
    };
    let plain = json!({"parentRefs": [edge]});
    for (old, new, expected) in [
        (plain.clone(), with("kind", "ListenerSet".into()), true),
        (plain.clone(), with("sectionName", "https".into()), false),
        (plain.clone(), with("kind", "Gateway".into()), false),
        (with("sectionName", "https".into()), plain.clone(), true),
        (with("sectionName", "https".into()), with("sectionName", "http".into()), true),
        (with("port", 80.into()), with("port", 443.into()), true),
        (plain.clone(), json!({"parentRefs": [edge, of_mesh]}), false),
        (json!({}), json!({"useDefaultGateways": "All"}), true),
        (json!({"useDefaultGateways": "All"}), json!({"useDefaultGateways": "All"}), false),
    ] {
        assert_eq!(refused_update(&route(old.clone()), &route(new.clone()), &held), expected, "{old} {new}");
    }
}

/// A rule for the host comes before an alias, so a canary of another namespace would take requests of the rule.
#[test]
fn an_alias_is_no_stable_object_of_a_canary() {
    let canary = json!({"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "90"});
    let canary = ingress(
        &canary,
        &json!({"rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix"}]}}]}),
    );
    let canary = Guarded::read(&canary).unwrap();
    let plan = xposer::testing::plan(
        &[("IngressURLTemplate", "a.example.com"), ("CanaryOf", "old"), ("CanaryWeight", "90")],
        json!({}),
    )
    .unwrap();
    let refused = |holders: &Holders| {
        let service = plan.contested("", &BTreeSet::new(), holders, true).has_errors();
        (canary.contested(None, "", holders, true).has_errors(), service)
    };
    let mut holders = held_by("shop", true);
    holders.values_mut().flatten().for_each(|holder| holder.kind = "Service".to_owned());
    assert_eq!(refused(&holders), (false, false));
    let rule: Vec<Holder> = held_by("ops", false).into_values().flatten().collect();
    holders.values_mut().for_each(|all| all.extend(rule.clone()));
    assert_eq!(refused(&holders), (true, true));
    let whole = held_by("shop", false);
    assert_eq!(refused(&whole), (false, false));
}

/// An alias of a Service is a part, as that of an Ingress: Services of a namespace may have the same, and a rule for the host is more.
#[test]
fn an_alias_of_a_service_is_a_part() {
    let block = "nginx.ingress.kubernetes.io/server-alias: a.example.com";
    let alias = [("IngressURLTemplate", "b.example.com"), ("xposer.stakater.com/annotations", block)];
    let alias = xposer::testing::plan(&alias, json!({})).unwrap();
    let claim = alias.claim_texts().into_iter().find(|claim| claim.bucket == "a.example.com").unwrap();
    assert!(claim.is_part);
    let had: BTreeSet<String> = alias.claim_texts().into_iter().map(|claim| claim.key_for_update()).collect();
    let rule = xposer::testing::plan(&[("IngressURLTemplate", "a.example.com")], json!({})).unwrap();
    let younger = held_by("ops", false);
    assert!(rule.contested("2025-01-01T00:00:00Z", &had, &younger, true).has_errors());
    assert!(!alias.contested("2025-01-01T00:00:00Z", &had, &younger, true).has_errors());
    let mut same = held_by("shop", true);
    same.values_mut().flatten().for_each(|holder| holder.kind = "Service".to_owned());
    assert!(!alias.contested("", &BTreeSet::new(), &same, true).has_errors());
    assert!(rule.contested("", &BTreeSet::new(), &same, true).has_errors());
}

/// The hosts of an object that a Service may adopt are those of the Service.
#[test]
fn an_object_to_adopt_is_not_in_conflict_with_its_service() {
    let of = |name: &str| {
        ingress(
            &json!({"xposer.stakater.com/adopt": name}),
            &json!({"rules": [{"host": "a.example.com"}], "defaultBackend": {}}),
        )
    };
    let refused = |name: &str, holders: &Holders| {
        let object = of(name);
        Guarded::read(&object).unwrap().contested(None, "", holders, true).has_errors()
    };
    assert!(!refused("old", &held_by("shop", false)));
    assert!(refused("new", &held_by("shop", false)) && refused("old", &held_by("ops", false)));
}

/// The help names what makes the canary valid: the object of its own namespace has no Service.
#[test]
fn the_help_for_a_canary_of_an_object_by_hand_is_to_adopt_it() {
    let plan = [("IngressURLTemplate", "a.example.com"), ("CanaryOf", "stable"), ("CanaryWeight", "10")];
    let plan = xposer::testing::plan(&plan, json!({})).unwrap();
    let mut holders = held_by("shop", false);
    holders.values_mut().flatten().for_each(|holder| holder.kind = "Ingress".to_owned());
    let message = plan.contested("", &BTreeSet::new(), &holders, true).to_string();
    assert!(message.contains("; annotate that object with xposer.stakater.com/adopt: stable"), "{message}");
}

/// The weight of a canary is a share of the total.
#[test]
fn a_canary_may_get_a_lower_share() {
    let canary = |weight: &str, total: &str| {
        let annotations = json!({"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": weight,
            "nginx.ingress.kubernetes.io/canary-weight-total": total});
        ingress(&annotations, &json!({"rules": [{"host": "a.example.com"}]}))
    };
    let held = held_by("ops", false);
    assert!(!refused_update(&canary("10", "100"), &canary("10", "1000"), &held));
    assert!(!refused_update(&canary("10", "100"), &canary("90", "1000"), &held));
    assert!(refused_update(&canary("10", "1000"), &canary("10", "100"), &held));
    assert!(refused_update(&canary("10", "100"), &canary("110", "1000"), &held));
}

/// Hosts of certificates are compared with the owners of hosts only.
#[test]
fn a_host_of_a_certificate_is_no_claim() {
    for key in ["cert-manager.io/alt-names", "cert-manager.io/common-name"] {
        let object = ingress(&json!({key: "a.example.com"}), &json!({"rules": [{"host": "b.example.com"}]}));
        assert_eq!(Guarded::read(&object).unwrap().claims_beside(None).len(), 1, "{key}");
        let block = format!("{key}: a.example.com");
        let plan =
            [("IngressURLTemplate", "b.example.com"), ("xposer.stakater.com/annotations", block.as_str())];
        let plan = xposer::testing::plan(&plan, json!({})).unwrap();
        assert!(!plan.admission_claim_texts().iter().any(|claim| claim.bucket == "a.example.com"), "{key}");
    }
}

/// ExternalDNS reads the annotations of the Service, too, and under the prefixes of the settings.
#[test]
fn names_in_dns_are_read_under_all_prefixes_and_on_the_service() {
    let settings = json!({"externalDNSPrefixes": ["dns.corp.io/"], "ingressURLTemplate": "b.example.com", "domain": "example.com",
        "namespaces": {"team": {"hosts": ["team.example.com"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let key = "dns.corp.io/hostname";
    let object = ingress(&json!({key: "team.example.com"}), &json!({"rules": [{"host": "b.example.com"}]}));
    assert!(Guarded::read_with(&object, &settings).unwrap().check(&settings, None).has_errors());
    assert_eq!(Guarded::read_with(&object, &settings).unwrap().claims_beside(None).len(), 2);
    assert_eq!(Guarded::read(&object).unwrap().claims_beside(None).len(), 1);
    for annotations in [
        json!({"xposer.stakater.com/annotations": "dns.corp.io/hostname: NAME"}),
        json!({key: "NAME"}),
        json!({"external-dns.alpha.kubernetes.io/hostname": "NAME"}),
    ] {
        let outcome = |host: &str| {
            let mut service = xposer::testing::service(&[]);
            let text = annotations.to_string().replace("NAME", host);
            service["metadata"]["annotations"] = serde_json::from_str(&text).unwrap();
            xposer::expose(&xposer::Service::from_value(&service), &settings)
        };
        assert!(outcome("team.example.com").report().unwrap().has_errors(), "{annotations}");
        let free = outcome("a.example.com");
        let asked = free.plan().unwrap().admission_claim_texts();
        assert!(asked.iter().any(|claim| claim.bucket == "a.example.com"), "{annotations}");
        assert!(
            free.plan().unwrap().contested("", &BTreeSet::new(), &held_by("ops", false), true).has_errors()
        );
    }
    let mut other = xposer::testing::service(&[]);
    other["metadata"]["annotations"] = json!({"other.example.com/hostname": "team.example.com"});
    assert!(xposer::expose(&xposer::Service::from_value(&other), &settings).plan().is_some());
}

/// An alias of an Ingress with too many hosts and paths is not compared, so an update may not add one.
#[test]
fn an_update_adds_no_alias_that_cannot_be_compared() {
    let of = |aliases: &str, paths: usize| {
        let paths: Vec<Value> =
            (0..paths).map(|n| json!({"path": format!("/{n}"), "pathType": "Prefix"})).collect();
        let annotations =
            json!({"nginx.ingress.kubernetes.io/server-alias": aliases, "team": paths.len().to_string()});
        ingress(&annotations, &json!({"rules": [{"host": "own.example.com", "http": {"paths": paths}}]}))
    };
    let judged = |old: &Value, new: &Value| {
        let (old, new) = (Guarded::read(old).unwrap(), Guarded::read(new).unwrap());
        found(&new.contested(Some(&old), "", &Holders::new(), true))
    };
    let old = of("a.example.com", 4_100);
    assert_eq!(judged(&old, &old), []);
    assert_eq!(judged(&old, &of("a.example.com", 4_050)), []);
    for new in [of("a.example.com,b.example.com", 4_100), of("a.example.com", 4_101)] {
        assert_eq!(judged(&old, &new), [("claims-too-many", true)]);
    }
}

/// The combinations of hosts and paths beyond the limit are not compared, so an update may not exchange them.
#[test]
fn an_update_exchanges_no_routes_that_cannot_be_compared() {
    let of = |hosts: usize, last: &str, path: &str, port: u16| {
        let hosts = (1..hosts).map(|at| format!("h{at}.example.com")).chain([last.to_owned()]);
        let paths = (1..100).map(|at| format!("/{at}")).chain([path.to_owned()]);
        let matches = paths.map(|path| json!({"path": {"type": "PathPrefix", "value": path}}));
        let rule =
            json!({"matches": matches.collect::<Vec<_>>(), "backendRefs": [{"name": "web", "port": port}]});
        of_gateway(&json!({"hostnames": hosts.collect::<Vec<_>>(), "rules": [rule]}))
    };
    let judged = |old: &Value, new: &Value| {
        let (old, new) = (Guarded::read(old).unwrap(), Guarded::read(new).unwrap());
        found(&new.contested(Some(&old), "", &Holders::new(), true))
    };
    let old = of(100, "last.example.com", "/last", 80);
    for (new, expected) in [
        (old.clone(), &[][..]),
        (of(100, "last.example.com", "/last", 8080), &[]),
        (of(100, "other.example.com", "/last", 80), &[("claims-too-many", true)]),
        (of(100, "last.example.com", "/other", 80), &[("claims-too-many", true)]),
        (of(90, "last.example.com", "/last", 80), &[]),
        // These are few enough to be compared.
        (of(30, "h1.example.com", "/last", 80), &[]),
    ] {
        assert_eq!(judged(&old, &new), expected);
    }
}

/// An expression of a few bytes can have 64 paths. Beyond the limit, no more of them are made.
#[test]
fn the_paths_of_regular_expressions_are_counted_for_the_whole_object() {
    let of = |expression: &str, count: usize| {
        let paths = (0..count)
            .map(|at| json!({"path": format!("/{at}{expression}"), "pathType": "ImplementationSpecific"}));
        let paths = paths.collect::<Vec<_>>();
        ingress(&json!({}), &json!({"rules": [{"host": "own.example.com", "http": {"paths": paths}}]}))
    };
    let judged = |old: Option<&Value>, new: &Value| {
        let old = old.and_then(Guarded::read);
        found(&Guarded::read(new).unwrap().contested(old.as_ref(), "", &Holders::new(), true))
    };
    let many = |count| of("[abcdefgh][abcdefgh].*", count);
    assert_eq!(judged(None, &many(62)), []);
    assert_eq!(judged(None, &many(63)), [("claims-too-many", true)]);
    assert!(texts(&many(2_000)).len() <= 4_000 + 2_000);
    // An update of an object that was too large adds no path.
    assert_eq!(judged(Some(&many(100)), &many(100)), []);
    assert_eq!(judged(Some(&many(101)), &many(100)), []);
    assert_eq!(judged(Some(&many(100)), &many(101)), [("claims-too-many", true)]);
    // Expressions with few paths and much work.
    let work = of(&format!("{}{}x$", "(a|b)".repeat(6), "(c)".repeat(250)), 1_000);
    assert_eq!(judged(None, &work), [("claims-too-many", true)]);
    let route = |expression: &str, hosts: usize| {
        let hosts: Vec<String> = (0..hosts).map(|at| format!("h{at}.example.com")).collect();
        let path = |at| json!({"path": {"type": "RegularExpression", "value": format!("/{at}{expression}")}});
        let rules = json!([{"matches": (0..64).map(path).collect::<Vec<_>>()}]);
        of_gateway(&json!({"hostnames": hosts, "rules": rules}))
    };
    assert_eq!(judged(None, &route("(a|b)/.*", 16)), []);
    assert_eq!(judged(None, &route("[abcdefgh]/.*", 16)), [("claims-too-many", true)]);
}

fn of_gateway(spec: &Value) -> Value {
    of("gateway.networking.k8s.io/v1", "HTTPRoute", &json!({}), spec)
}

/// ExternalDNS publishes the hosts of `spec.tls`, and with `target` all hosts get another address.
#[test]
fn hosts_of_certificates_and_of_another_address_are_names_in_dns() {
    let tls = |rule: &str, hosts: &[&str]| {
        let rules = json!([{"host": rule, "http": {"paths": [{"path": "/zzz", "pathType": "Prefix"}]}}]);
        json!({"rules": rules, "tls": [{"hosts": hosts}]})
    };
    let key = "external-dns.alpha.kubernetes.io/target";
    let none = json!({});
    let target = json!({key: "other.example.net"});
    let refused = |annotations: &Value, rule: &str, hosts: &[&str], namespace: &str| {
        let object = ingress(annotations, &tls(rule, hosts));
        Guarded::read(&object).unwrap().contested(None, "", &held_by(namespace, false), true).has_errors()
    };
    assert!(refused(&none, "b.example.com", &["b.example.com", "a.example.com"], "ops"));
    assert!(!refused(&none, "b.example.com", &["b.example.com", "a.example.com"], "shop"));
    assert!(!refused(&none, "a.example.com", &["a.example.com"], "ops"), "another path");
    assert!(refused(&target, "a.example.com", &[], "ops"));
    assert!(!refused(&json!({key: ""}), "a.example.com", &[], "ops"));
    let route = json!({"host": "a.example.com", "path": "/zzz"});
    let route = of("route.openshift.io/v1", "Route", &target, &route);
    let held = held_by("ops", false);
    assert!(Guarded::read(&route).unwrap().contested(None, "", &held, true).has_errors());
    // A wildcard for the rules is there for the certificate.
    let names = |annotations: &Value| {
        let object = ingress(annotations, &tls("b.example.com", &["*.example.com"]));
        Guarded::read(&object).unwrap().claims_beside(None).len()
    };
    assert_eq!((names(&none), names(&target)), (1, 3));
    // The hosts of a Service are read in the same way.
    let told = |url: &str, others: &str, block: &str| {
        let annotations = [
            ("IngressURLTemplate", url),
            ("TLS", "true"),
            ("TLSHosts", others),
            ("xposer.stakater.com/annotations", block),
        ];
        let plan = xposer::testing::plan(&annotations, json!({})).unwrap();
        plan.contested("", &BTreeSet::new(), &held, true).has_errors()
    };
    let target = format!("{key}: other.example.net");
    assert!(told("b.example.com", "a.example.com", "") && !told("b.example.com", "*.example.com", ""));
    assert!(told("a.example.com/zzz", "", &target) && !told("a.example.com/zzz", "", ""));
}

/// An update that writes the same in other words changes nothing.
#[test]
fn the_same_in_other_words_is_no_change() {
    let held = held_by("ops", false);
    let route = |parent: Value, headers: Value| {
        of_gateway(&json!({"hostnames": ["a.example.com"], "parentRefs": [parent],
            "rules": [{"matches": [{"headers": headers}]}]}))
    };
    let old =
        route(json!({"name": "edge"}), json!([{"name": "X-A", "value": "1"}, {"name": "b", "value": "2"}]));
    for (parent, headers, expected) in [
        (json!({"name": "edge"}), json!([{"name": "b", "value": "2"}, {"name": "x-a", "value": "1"}]), false),
        (
            json!({"name": "edge", "namespace": "shop"}),
            json!([{"name": "X-A", "value": "1"}, {"name": "b", "value": "2"}, {"name": "x-A", "value": "3"}]),
            false,
        ),
        (
            json!({"name": "edge", "namespace": "ops"}),
            json!([{"name": "X-A", "value": "1"}, {"name": "b", "value": "2"}]),
            true,
        ),
        (json!({"name": "edge"}), json!([{"name": "X-A", "value": "1"}]), true),
        (json!({"name": "edge"}), json!([{"name": "X-A", "value": "2"}, {"name": "b", "value": "2"}]), true),
    ] {
        let new = route(parent, headers);
        assert_eq!(refused_update(&old, &new, &held), expected, "{new}");
    }
    let canary = |value: &str| {
        let annotations = json!({"nginx.ingress.kubernetes.io/canary": value});
        ingress(&annotations, &json!({"rules": [{"host": "a.example.com"}]}))
    };
    assert!(!refused_update(&canary("true"), &canary("True"), &held));
}

/// Only programs that read the annotation give a canary some of the requests.
#[test]
fn a_canary_of_a_program_without_canaries_takes_the_whole_path() {
    let annotations = json!({"nginx.ingress.kubernetes.io/canary": "true"});
    for (class, expected) in [
        (None, "canary prefix a.example.com/"),
        (Some("nginx"), "canary prefix a.example.com/"),
        (Some("internal"), "canary prefix a.example.com/"),
        (Some("traefik"), "prefix a.example.com/"),
        (Some("kong"), "prefix a.example.com/"),
        (Some("contour-internal"), "prefix a.example.com/"),
    ] {
        let spec = json!({"ingressClassName": class, "rules": [{"host": "a.example.com"}]});
        assert_eq!(texts(&ingress(&annotations, &spec)), [expected], "{class:?}");
    }
}

/// Findings beyond the limit stay counted in a report that is merged into another one.
#[test]
fn all_conflicts_are_counted() {
    let hosts: Vec<String> = (0..150).map(|at| format!("h{at}.example.com")).collect();
    let rules: Vec<Value> = hosts.iter().map(|host| json!({"host": host})).collect();
    let object = ingress(&json!({}), &json!({"rules": rules}));
    let [(_, holder)] = held_by("ops", false).into_iter().collect::<Vec<_>>().try_into().unwrap();
    let holders = hosts.iter().map(|host| (format!("prefix {host}/"), holder.clone())).collect();
    let guarded = Guarded::read(&object).unwrap();
    let mut report = guarded.check(&xposer::Settings::default(), None);
    report.merge_claims(guarded.contested(None, "", &holders, true));
    assert_eq!((report.diagnostics().len(), report.count(Severity::Error)), (MAX_PER_CODE, 150));
}

/// OpenShift makes a Route of an Ingress, also of one that the controller wrote.
#[test]
fn the_account_that_makes_routes_of_ingresses_is_exempt() {
    let guard = xposer::options::Guard::default();
    assert!(guard.exempts("system:serviceaccount:openshift-infra:ingress-to-route-controller"));
    assert!(!guard.exempts("system:serviceaccount:shop:ingress-to-route-controller"));
}

/// An update that gives a host another use is judged, although the object had the host; one that takes a use away is not.
#[test]
fn another_use_of_a_host_is_new() {
    const TARGET: &str = "external-dns.alpha.kubernetes.io/target";
    const NAME: &str = "external-dns.alpha.kubernetes.io/hostname";
    const ISSUER: &str = "cert-manager.io/cluster-issuer";
    let settings = json!({"namespaces": {"ops": {"hosts": ["a.example.com"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let tls = |annotations: Value| {
        let spec = json!({"rules": [{"host": "b.example.com"}], "tls": [{"hosts": ["a.example.com"]}]});
        ingress(&annotations, &spec)
    };
    let rule = |annotations: Value| {
        let paths = json!({"paths": [{"path": "/zzz", "pathType": "Prefix"}]});
        let rules = json!([{"host": "a.example.com", "http": paths}]);
        ingress(&annotations, &json!({"rules": rules, "tls": [{"hosts": ["a.example.com"]}]}))
    };
    let held = held_by("ops", false);
    // Whether the host is refused by the owner of the setting, and by its older holder.
    let judged = |old: &Value, new: &Value| {
        let (old, new) = (Guarded::read(old).unwrap(), Guarded::read(new).unwrap());
        let claims = new.claims_beside(Some(&old)).iter().any(|claim| claim.bucket == "a.example.com");
        let contested = new.contested(Some(&old), "2025-01-01T00:00:00Z", &held, true);
        assert_eq!(claims, contested.has_errors(), "a claim that is not looked up is not compared");
        assert!(contested.diagnostics().len() < 2, "{contested}");
        (new.check(&settings, Some(&old)).has_errors(), contested.has_errors())
    };
    let (none, team) = (json!({}), json!({"team": "blue"}));
    let (first, second) = (json!({TARGET: "x.example.net"}), json!({TARGET: "y.example.net"}));
    let two = json!({TARGET: "x.example.net", "external-dns.kubernetes.io/target": "x.example.net"});
    let (name, issuer) = (json!({NAME: "a.example.com"}), json!({ISSUER: "le"}));
    for of in [&tls as &dyn Fn(Value) -> Value, &rule] {
        for (old, new, expected) in [
            (&none, &none, (false, false)),
            (&none, &team, (false, false)),
            (&none, &first, (true, true)),
            (&first, &second, (true, true)),
            (&first, &first, (false, false)),
            (&first, &two, (false, false)),
            (&first, &none, (false, false)),
            (&none, &issuer, (true, false)),
            (&issuer, &issuer, (false, false)),
            (&issuer, &none, (false, false)),
        ] {
            assert_eq!(judged(&of(old.clone()), &of(new.clone())), expected, "{old} {new}");
        }
    }
    // An ExternalDNS that ignores the TLS section publishes the name of the annotation.
    assert_eq!(judged(&tls(none.clone()), &tls(name.clone())), (true, true));
    assert_eq!(judged(&tls(name.clone()), &tls(none.clone())), (false, false));
    // The name of a rule that is removed stays in the TLS section.
    assert_eq!(judged(&rule(none.clone()), &tls(none.clone())), (false, false));
}

/// A wildcard above the own hosts names an existing certificate, unless the object requests one or gives the name another address.
#[test]
fn a_wildcard_above_the_own_hosts_is_for_the_certificate() {
    let settings =
        json!({"namespaces": {"shop": {"hosts": ["a.example.com"]}, "ops": {"hosts": ["*.example.com"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let of = |annotations: &Value, wildcard: &str| {
        let spec =
            json!({"rules": [{"host": "a.example.com"}], "tls": [{"hosts": ["a.example.com", wildcard]}]});
        ingress(annotations, &spec)
    };
    let asked = [
        json!({"cert-manager.io/issuer": "le"}),
        json!({"certmanager.k8s.io/cluster-issuer": "le"}),
        json!({"kubernetes.io/tls-acme": "true"}),
        json!({"haproxy-ingress.github.io/cert-signer": "acme"}),
        json!({"alb.ingress.kubernetes.io/create-acm-cert": "true"}),
        json!({"cert.gardener.cloud/purpose": "managed"}),
        json!({"external-dns.alpha.kubernetes.io/target": "x.example.net"}),
    ];
    let judged = |old: Option<&Value>, new: &Value| {
        let old = old.and_then(Guarded::read);
        let new = Guarded::read(new).unwrap();
        (
            found(&new.check(&settings, old.as_ref())),
            new.claims_beside(old.as_ref()).iter().any(|it| it.bucket == "*.example.com"),
        )
    };
    let (given, off) = (of(&json!({}), "*.example.com"), json!({"kubernetes.io/tls-acme": "false"}));
    let refused = (vec![("host-not-owned", true)], true);
    assert_eq!(judged(None, &given), (vec![], false));
    assert_eq!(judged(None, &of(&off, "*.example.com")), (vec![], false));
    assert_eq!(judged(None, &of(&json!({}), "*.b.example.com")).0, refused.0);
    for annotations in &asked {
        let new = of(annotations, "*.example.com");
        assert_eq!(judged(None, &new), refused, "{annotations}");
        assert_eq!(judged(Some(&given), &new), refused, "{annotations}");
        assert_eq!(judged(Some(&new), &new), (vec![], false), "{annotations}");
    }
}

/// Only the cluster knows the Gateway of a ListenerSet.
#[test]
fn a_listener_set_is_listed_by_its_kind() {
    let of = |kind: &str, namespace: &str, name: &str| {
        let parent = json!({"kind": kind, "namespace": namespace, "name": name});
        of_gateway(&json!({"hostnames": ["a.example.com"], "parentRefs": [parent]}))
    };
    let judged = |gateways: Value, old: Option<&Value>, new: &Value| {
        let settings = json!({"namespaces": {"shop": {"gateways": gateways}}});
        let settings = xposer::Settings::from_value(&settings).unwrap();
        found(&Guarded::read(new).unwrap().check(&settings, old.and_then(Guarded::read).as_ref()))
    };
    let (set, gateway) = (of("ListenerSet", "infra", "edge"), of("Gateway", "infra", "edge"));
    let refused = [("gateway-not-allowed", true)];
    assert_eq!(judged(json!(["infra/*"]), None, &gateway), []);
    assert_eq!(judged(json!(["infra/*"]), None, &set), refused);
    assert_eq!(judged(json!(["ListenerSet/infra/ed*"]), None, &set), []);
    assert_eq!(judged(json!(["ListenerSet/infra/ed*"]), None, &gateway), refused);
    assert_eq!(judged(json!(["ListenerSet/edge"]), None, &set), refused);
    assert_eq!(judged(json!(["ListenerSet/edge"]), None, &of("ListenerSet", "shop", "edge")), []);
    assert_eq!(judged(json!(["*/*"]), None, &set), []);
    // A Gateway of another group is another kind.
    let mut foreign = gateway.clone();
    foreign["spec"]["parentRefs"][0]["group"] = "x.io".into();
    assert_eq!(judged(json!(["infra/edge"]), None, &foreign), refused);
    assert_eq!(judged(json!(["Gateway.x.io/infra/edge"]), None, &foreign), []);
    for kind in ["Listener*", "A!", "Listener Set"] {
        let settings = json!({"namespaces": {"shop": {"gateways": [format!("{kind}/infra/edge")]}}});
        assert!(xposer::Settings::from_value(&settings).is_err(), "{kind}");
    }
    // An update leaves it as it was, or replaces the Gateway.
    assert_eq!(judged(json!([]), Some(&set), &set), []);
    assert_eq!(judged(json!(["infra/*"]), Some(&gateway), &set), refused);
}

/// A default backend beside rules gets all other requests: for their hosts, or for all hosts.
#[test]
fn a_default_backend_beside_rules_takes_all_other_requests() {
    let of = |more: &[(&str, Value)]| {
        let paths = json!({"paths": [{"path": "/zzz", "pathType": "Prefix"}]});
        let mut spec = json!({"rules": [{"host": "a.example.com", "http": paths}]});
        for (key, value) in more {
            spec[*key] = value.clone();
        }
        ingress(&json!({}), &spec)
    };
    let (old, new) = (of(&[]), of(&[("defaultBackend", json!({"service": {"name": "web"}}))]));
    assert_eq!(texts(&new), ["prefix /", "prefix a.example.com/", "prefix a.example.com/zzz"]);
    assert_eq!(texts(&of(&[("defaultBackend", Value::Null)])), ["prefix a.example.com/zzz"]);
    let settings =
        json!({"namespaces": {"shop": {"hosts": ["a.example.com"]}, "ops": {"hosts": ["b.example.com"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let judged = |old: &Value, new: &Value| {
        let (old, new) = (Guarded::read(old).unwrap(), Guarded::read(new).unwrap());
        let contested = new.contested(Some(&old), "", &held_by("ops", false), true);
        (found(&new.check(&settings, Some(&old))), found(&contested))
    };
    assert_eq!(judged(&old, &new), (vec![("host-not-owned", true)], vec![("route-claimed", true)]));
    assert_eq!(judged(&new, &new), (vec![], vec![]));
    assert_eq!(judged(&new, &old), (vec![], vec![]));
}

/// What the default backend gets depends on the program of the class, which a setting can name.
#[test]
fn a_default_backend_takes_what_its_program_sends_it() {
    let settings =
        json!({"controllers": {"internal": "contour"}, "namespaces": {"ops": {"hosts": ["b.example.com"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let judged = |class: &str, canary: &str| {
        let paths = json!({"paths": [{"path": "/zzz", "pathType": "Prefix"}]});
        let spec = json!({
            "ingressClassName": class, "defaultBackend": {"service": {"name": "web"}},
            "rules": [{"host": "a.example.com", "http": paths}]});
        let object = ingress(&json!({"nginx.ingress.kubernetes.io/canary": canary}), &spec);
        let guarded = Guarded::read_with(&object, &settings).unwrap();
        let report = guarded.check(&settings, None);
        let said =
            report.diagnostics().first().map(|it| (it.path.to_string(), it.help.clone().unwrap_or_default()));
        (guarded.claims().len(), said)
    };
    let refused = Some((
        "spec.defaultBackend".to_owned(),
        "remove it, or write paths of the rules in its place".to_owned(),
    ));
    // ingress-nginx: the other requests for the host, or for a canary a share of those for all hosts.
    assert_eq!(judged("nginx", "false"), (2, None));
    assert_eq!(judged("nginx", "true"), (2, refused.clone()));
    for class in ["internal", "contour", "unknown"] {
        assert_eq!(judged(class, "false"), (3, refused.clone()), "{class}");
        assert_eq!(judged(class, "true").1, refused, "{class}");
    }
}

/// Another class or Gateway gives the names in DNS another address.
#[test]
fn names_are_judged_with_another_class() {
    let settings = json!({"namespaces": {"ops": {"hosts": ["a.example.com"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let judged = |old: &Value, new: &Value| {
        let (old, new) = (Guarded::read(old).unwrap(), Guarded::read(new).unwrap());
        let contested = new.contested(Some(&old), "2025-01-01T00:00:00Z", &held_by("ops", false), true);
        (found(&new.check(&settings, Some(&old))), found(&contested))
    };
    let refused = (vec![("host-not-owned", true)], vec![("route-claimed", true)]);
    let name = json!({"external-dns.alpha.kubernetes.io/hostname": "a.example.com"});
    let named = |class: &str| {
        ingress(&name, &json!({"ingressClassName": class, "rules": [{"host": "b.example.com"}]}))
    };
    let tls = |class: &str| {
        let tls = json!([{"hosts": ["a.example.com"]}]);
        ingress(
            &json!({}),
            &json!({"ingressClassName": class, "rules": [{"host": "b.example.com"}], "tls": tls}),
        )
    };
    for of in [&named as &dyn Fn(&str) -> Value, &tls] {
        assert_eq!(judged(&of("internal"), &of("external")), refused);
        assert_eq!(judged(&of("internal"), &of("internal")), (vec![], vec![]));
    }
}

/// An update by which ExternalDNS reads an object, or makes other records for it, publishes its names anew.
#[test]
fn names_are_judged_if_another_external_dns_reads_them() {
    const PREFIX: &str = "external-dns.alpha.kubernetes.io/";
    let settings = json!({"namespaces": {"ops": {"hosts": ["a.example.com"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    let judged = |old: &Value, new: &Value| {
        let (old, new) = (Guarded::read(old).unwrap(), Guarded::read(new).unwrap());
        let contested = new.contested(Some(&old), "2025-01-01T00:00:00Z", &held_by("ops", false), true);
        (new.check(&settings, Some(&old)).has_errors(), contested.has_errors())
    };
    let of = |annotations: &[(&str, &str)]| {
        let own = annotations.iter().map(|(key, value)| ([PREFIX, *key].concat(), json!(value)));
        let tls = json!([{"hosts": ["a.example.com"]}]);
        ingress(&own.collect(), &json!({"rules": [{"host": "b.example.com"}], "tls": tls}))
    };
    let none = of(&[]);
    for (old, new, expected) in [
        (of(&[("controller", "none")]), &none, true),
        (of(&[("controller", "none")]), &of(&[("controller", "dns-controller")]), true),
        (of(&[("ingress-hostname-source", "annotation-only")]), &none, true),
        (of(&[("set-identifier", "a")]), &of(&[("set-identifier", "b")]), true),
        (of(&[("aws-weight", "1")]), &of(&[("aws-weight", "100")]), true),
        (none.clone(), &of(&[("controller", "none")]), false),
        (none.clone(), &of(&[("ttl", "60")]), false),
        (of(&[("aws-weight", "1")]), &of(&[("aws-weight", "1"), ("ttl", "1m")]), false),
    ] {
        assert_eq!(judged(&old, new), (expected, expected), "{old} {new}");
    }
}

/// An update that gives an Ingress another load balancer, or precedence over others with its host and path, is judged.
#[test]
fn another_precedence_is_new() {
    let of = |annotations: &Value| ingress(annotations, &json!({"rules": [{"host": "a.example.com"}]}));
    for (key, old, new) in [
        ("traefik.ingress.kubernetes.io/router.priority", "1", "1000"),
        ("traefik.ingress.kubernetes.io/router.entrypoints", "internal", "websecure"),
        ("alb.ingress.kubernetes.io/group.order", "500", "1"),
        ("alb.ingress.kubernetes.io/group.name", "own", "platform"),
        ("alb.ingress.kubernetes.io/scheme", "internal", "internet-facing"),
    ] {
        let (before, after) = (of(&json!({key: old})), of(&json!({key: new, "team": "blue"})));
        assert!(refused_update(&before, &after, &held_by("ops", false)), "{key}");
        assert!(!refused_update(&after, &of(&json!({key: new})), &held_by("ops", false)), "{key}");
    }
}

/// Kong reads a path that begins with `/~` as an expression, and NGINX Ingress Controller each path with its annotation. TLS passthrough
/// of the HAProxy Kubernetes Ingress Controller takes the host, whatever the path.
#[test]
fn programs_take_more_than_the_path() {
    let taken = |class: &str, annotations: &Value, path: &str, kind: &str| {
        let paths = json!({"paths": [{"path": path, "pathType": kind}]});
        let rules = json!([{"host": "a.example.com", "http": paths}]);
        texts(&ingress(annotations, &json!({"ingressClassName": class, "rules": rules}))).join(" ")
    };
    let none = json!({});
    assert_eq!(taken("kong", &none, "/~/.*", "ImplementationSpecific"), "prefix a.example.com/");
    assert_eq!(taken("kong", &none, "/~/api/(.*)$", "ImplementationSpecific"), "prefix a.example.com/api");
    assert_eq!(taken("kong", &none, "/~user", "Prefix"), "prefix a.example.com/~user");
    let regex = json!({"nginx.org/path-regex": "case_sensitive"});
    assert_eq!(taken("internal", &regex, "/", "Exact"), "prefix a.example.com/");
    assert_eq!(taken("traefik", &regex, "/", "Exact"), "exact a.example.com/");
    let exact = json!({"nginx.org/path-regex": "exact"});
    assert_eq!(taken("internal", &exact, "/", "Exact"), "exact a.example.com/");
    let passed = json!({"haproxy.org/ssl-passthrough": "true"});
    assert_eq!(taken("haproxy", &passed, "/zzz", "Prefix"), "prefix a.example.com/ prefix a.example.com/zzz");
    assert_eq!(taken("contour", &passed, "/zzz", "Prefix"), "prefix a.example.com/zzz");
}

/// The controllers of Gardener publish names and request certificates by annotations of their own.
#[test]
fn names_of_gardener_are_judged() {
    let settings = json!({"namespaces": {"ops": {"hosts": ["a.example.com"]}}});
    let settings = xposer::Settings::from_value(&settings).unwrap();
    for (key, is_name) in [
        ("dns.gardener.cloud/dnsnames", true),
        ("cert.gardener.cloud/dnsnames", false),
        ("cert.gardener.cloud/commonname", false),
    ] {
        let object = ingress(
            &json!({key: "b.example.com,a.example.com"}),
            &json!({"rules": [{"host": "b.example.com"}]}),
        );
        let guarded = Guarded::read(&object).unwrap();
        assert_eq!(found(&guarded.check(&settings, None)), [("host-not-owned", true)], "{key}");
        let contested = guarded.contested(None, "", &held_by("ops", false), true);
        assert_eq!(contested.has_errors(), is_name, "{key}");
    }
    // A Service publishes such names, too.
    let mut service = xposer::testing::service(&[("IngressURLTemplate", "b.example.com")]);
    service["metadata"]["annotations"]["dns.gardener.cloud/dnsnames"] = json!("a.example.com");
    let outcome = xposer::expose(&xposer::Service::from_value(&service), &settings);
    assert!(outcome.report().unwrap().has_errors());
    // All hosts of the rules.
    let object =
        ingress(&json!({"dns.gardener.cloud/dnsnames": "*"}), &json!({"rules": [{"host": "b.example.com"}]}));
    assert!(!Guarded::read(&object).unwrap().check(&settings, None).has_errors());
}

/// nginx reads the words of its configuration without quotes.
#[test]
fn a_quoted_alias_is_its_host() {
    for alias in ["\"a.example.com\"", "'a.example.com'", "\"*.a.example.com\""] {
        let annotations = json!({"nginx.ingress.kubernetes.io/server-alias": alias});
        let object = ingress(&annotations, &json!({"rules": [{"host": "b.example.com"}]}));
        let host = alias.trim_matches(['"', '\'']);
        assert!(texts(&object).contains(&format!("prefix {host}/")), "{:?}", texts(&object));
    }
}
