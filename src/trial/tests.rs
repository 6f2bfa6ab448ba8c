//! Tests of the findings about settings, and of settings without findings.

use super::*;
use serde_json::json;

/// The paths and codes of all problems.
fn problems(settings: &Value) -> Vec<String> {
    let settings = Settings::from_value(settings).unwrap_or_else(|report| panic!("{report}"));
    let report = settings.try_out();
    report.diagnostics().iter().map(|found| format!("{} {}", found.path, found.code)).collect()
}

#[test]
fn each_setting_is_reported_once() {
    let settings = json!({
        "domain": "example_1.com", "profiles": {"a": {}, "b": {"tls": true}, "c": {"domain": "example_2.com"}},
        "namespaces": {"shop": {}, "team-*": {"profile": "c"}},
    });
    assert_eq!(
        problems(&settings),
        ["settings.domain host-character", "settings.profiles.c.domain host-character"]
    );
    // All problems of one setting are reported.
    let settings = json!({"ingressURLTemplate": "A.example.com, B.example.com"});
    assert_eq!(
        problems(&settings),
        ["settings.ingressURLTemplate host-uppercase", "settings.ingressURLTemplate host-uppercase"]
    );
}

#[test]
fn unreachable_settings_are_not_tried() {
    // Every Service gets a profile, and each profile has a domain.
    let settings = json!({
        "domain": "example_1.com", "defaultProfile": "a",
        "profiles": {"a": {"domain": "example.com"}, "b": {"domain": "example.org"}},
    });
    assert_eq!(problems(&settings), Vec::<String>::new());
    // The profile is for a namespace that has a domain.
    let settings = json!({
        "defaultProfile": "plain",
        "profiles": {"plain": {"domain": "example.org"}, "a": {"namespaces": ["shop"]}}, "domain": "example_1.com",
        "namespaces": {"shop": {"domain": "example.com"}},
    });
    assert_eq!(problems(&settings), Vec::<String>::new());
    assert_eq!(
        problems(&json!({"domain": "example.com", "profiles": {"a": {"namespaces": []}}})),
        Vec::<String>::new()
    );
}

#[test]
fn values_that_a_service_can_give_are_no_problem() {
    for settings in [
        json!({}),
        json!({"tls": "cert-manager"}),
        json!({"servicePort": "metrics"}),
        json!({"domain": "{{if eq .Namespace \"prod\"}}example.com{{end}}"}),
        json!({"target": "HTTPRoute", "profiles": {"external": {"parentRefs": [{"name": "external"}]}}}),
        json!({"domain": "example.com", "namespaces": {"shop": {"hosts": ["*.example.org"]}}}),
        json!({"domain": "example.com", "tls": "load-balancer", "certificates": ["*.example.org"]}),
        json!({"profiles": {"a": {"namespaces": ["web"]}, "b": {}}, "defaultProfile": "a", "namespaces": {"shop": {}}}),
        json!({"namespaces": {"shop": {"domain": "a.example.org", "hosts": ["web.a.example.org"]}}}),
        json!({"namespaces": {"shop": {"domain": "a.example.org", "hosts": ["*.example.org"]}}}),
        json!({"namespaces": {"team-*": {"domain": "{{.Namespace}}.example.org", "hosts": ["*.team-a.example.org"]}}}),
        json!({"clusterIssuer": "x", "annotations": {"cert-manager.io/duration": "2160h"}}),
        json!({"annotations": {"cert-manager.io/issuer": "x"}, "domain": "example.com"}),
        json!({"profiles": {"a": {"namespaces": ["web-a"]}}, "namespaces": {"web-*": {"profile": "a"}}}),
    ] {
        assert_eq!(problems(&settings), Vec::<String>::new(), "{settings}");
    }
    assert_eq!(problems(&json!({"target": "HTTPRoute"})), ["settings.target gateway-missing"]);
    assert_eq!(problems(&json!({"domain": "{{.Domain}}.com"})), ["settings.domain template-value-missing"]);
}

#[test]
fn readable_settings_are_tried_despite_errors() {
    let places = |settings: Value| -> Vec<String> {
        let report = Settings::tried(&settings).err();
        let found = report.map(Report::into_diagnostics).unwrap_or_default();
        found.iter().map(|found| format!("{} {}", found.path, found.code)).collect()
    };
    assert_eq!(
        places(json!({"domain": "Example.com", "tls": "maybe", "profiles": {"a": {"domain": "b_c.com"}}})),
        [
            "settings.tls setting-invalid",
            "settings.domain host-uppercase",
            "settings.profiles.a.domain host-character"
        ]
    );
    // The part that cannot be parsed may be what corrects the Error.
    assert_eq!(
        places(json!({"target": "HTTPRoute", "parentRef": [{"name": "gateway"}]})),
        ["settings.parentRef setting-unknown"]
    );
    assert_eq!(places(json!({"domain": "{{.Domian}}"})), ["settings.domain template-unknown-variable"]);
    assert_eq!(places(json!("domain")), ["settings setting-invalid"]);
}

#[test]
fn features_that_a_service_can_enable_are_tried() {
    let gateways = json!([{"name": "gateway"}]);
    for (settings, expected) in [
        (
            json!({"domain": "example.com", "annotations": {"cert-manager.io/duration": "90d"}}),
            r#"settings.annotations["cert-manager.io/duration"] cert-manager-invalid"#,
        ),
        (
            json!({"profiles": {"a": {"annotations": {"cert-manager.io/duration": "90d"}}}, "clusterIssuer": "x"}),
            r#"settings.profiles.a.annotations["cert-manager.io/duration"] cert-manager-invalid"#,
        ),
        (
            json!({"ingressNameTemplate": "web", "tlsSecretNameTemplate": "My_secret"}),
            "settings.tlsSecretNameTemplate tls-secret-invalid",
        ),
        (
            json!({"profiles": {"a": {"parentRefs": gateways}}, "namespaces": {"shop": {"profile": "a", "httpParentRefs": gateways}}}),
            "settings.namespaces.shop.httpParentRefs[0] parents-overlap",
        ),
        (
            json!({"defaultProfile": "a", "profiles": {"a": {"namespaces": ["team-b"]}}, "namespaces": {"team-a": {"tls": true}}}),
            "settings.namespaces.team-a profile-forbidden",
        ),
        (
            json!({"namespaces": {"shop": {"domain": "a.example.org", "hosts": ["*.b.example.org"]}}}),
            "settings.namespaces.shop.domain host-not-owned",
        ),
        (
            json!({"namespaces": {"team-*": {"domain": "x.example.org", "hosts": ["*.example.com"]}}}),
            "settings.namespaces.team-*.domain host-not-owned",
        ),
    ] {
        let found = problems(&settings);
        assert!(found.len() == 1 && found[0].replace("[\"team-*\"]", ".team-*") == expected, "{found:?}");
    }
}

#[test]
fn lengths_count_where_no_name_is_short_enough() {
    let label = "a".repeat(62);
    assert_eq!(
        problems(&json!({"ingressURLTemplate": format!("{{{{.Service}}}}{label}.example.com")})),
        Vec::<String>::new()
    );
    assert_eq!(
        problems(&json!({"ingressURLTemplate": format!("{{{{.Service}}}}-{label}.example.com")})),
        ["settings.ingressURLTemplate host-label-too-long"]
    );
}

#[test]
fn the_domain_is_reported_for_hosts_of_the_built_in_template() {
    for domain in ["*.example.com".to_owned(), "-x.example.com".to_owned(), "a.".repeat(124) + "com"] {
        let found = problems(&json!({"domain": domain}));
        assert!(found.len() == 1 && found[0].starts_with("settings.domain host-"), "{found:?}");
    }
    assert_eq!(
        problems(&json!({"domain": ".example.com", "ingressURLTemplate": "{{.Service}}{{.Domain}}"})),
        Vec::<String>::new()
    );
}

#[test]
fn of_annotations_that_are_too_large_the_longest_is_reported() {
    let settings = json!({"annotations": {"a/b": "c", "a/long": "x".repeat(262_144)}});
    assert_eq!(problems(&settings), ["settings.annotations[\"a/long\"] annotations-too-large"]);
}

#[test]
fn thousands_of_rows_are_tried() {
    let rows: Map<String, Value> = (0..10_000)
        .map(|index| (format!("team-{index}"), json!({"ingressNameTemplate": "My_{{.Service}}"})))
        .collect();
    let profiles: Map<String, Value> =
        (0..1_000).map(|index| (format!("p{index}"), json!({"tls": true}))).collect();
    let found = problems(&json!({"domain": "example.com", "namespaces": rows, "profiles": profiles}));
    assert_eq!(found.len(), crate::diagnostics::MAX_PER_CODE);
}
