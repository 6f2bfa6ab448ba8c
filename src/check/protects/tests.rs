use serde_json::json;
use xposer_testkit::growth::growth;

use super::*;
use crate::testing;

fn contains(outer: &str, inner: &str) -> bool {
    Networks::of(&[outer]).contain_all(&[inner])
}

#[test]
fn a_network_contains_smaller_ones() {
    for (outer, inner) in [
        ("0.0.0.0/0", "10.0.0.0/8"),
        ("10.0.0.0/8", "10.1.2.3/32"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("2001:db8::/32", "2001:db8:1::/48"),
    ] {
        assert!(contains(outer, inner), "{outer} {inner}");
        assert!(outer == inner || !contains(inner, outer), "{outer} {inner}");
    }
    assert!(!contains("0.0.0.0/0", "2001:db8::/32") && !contains("10.0.0.0/8", "11.0.0.0/8"));
    // The order of the lists does not matter. A text that is no network is contained in no network.
    let all =
        Networks::of(&["192.0.2.0/24", "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32", "10.0.0.0/16", "x"]);
    assert!(all.contain_all(&["10.1.2.3", "10.255.0.0/16", "192.0.2.7/32", "2001:db8:1::/48"]));
    for other in ["11.0.0.0/8", "9.255.255.255", "10.0.0.0/7", "2001:db9::/32", "192.0.3.1", "x"] {
        assert!(!all.contain_all(&["10.1.2.3", other]), "{other}");
    }
}

#[test]
fn wider_value_is_weaker() {
    for (option, closed, open) in [
        ("AllowedSources", "10.0.0.0/8", "10.0.0.0/8, 192.0.2.7"),
        ("DeniedSources", "192.0.2.0/24, 198.51.100.7", "192.0.2.0/24"),
        ("MaxBodySize", "1Mi", "2Mi"),
        ("MaxBodySize", "1Mi", "0"),
        ("RateLimit", "1/s", "2/s"),
        ("RateLimit", "limit: 10/s\nburst: 20", "limit: 10/s\nburst: 30"),
        // By default, ingress-nginx lets a burst of five times the limit in.
        ("RateLimit", "limit: 10/s\nburst: 20", "10/s"),
        ("RateLimit", "10/s", "limit: 10/s\nburst: 60"),
        ("CORS", "https://a.example.com", "https://a.example.com, https://b.example.com"),
        (
            "CORS",
            "origins: https://a.example.com\nmethods: GET",
            "origins: https://a.example.com\nmethods: GET, PUT",
        ),
        (
            "CORS",
            "origins: https://a.example.com\nheaders: X-A",
            "origins: https://a.example.com\nheaders: X-A, X-B",
        ),
        // Without a list, the default list applies.
        ("CORS", "origins: https://a.example.com\nmethods: GET", "https://a.example.com"),
        (
            "CORS",
            "https://a.example.com",
            "origins: https://a.example.com\nmethods: GET, PUT, POST, DELETE, PATCH, OPTIONS, TRACE",
        ),
        ("CORS", "origins: https://a.example.com\nheaders: Range", "https://a.example.com"),
        ("CORS", "https://a.example.com", "origins: https://a.example.com\nexposeHeaders: X-A"),
        ("ClientCertificate", "clients-ca", "secret: clients-ca\nverify: optional"),
        ("TLS", "true", "false"),
    ] {
        // The client shows its certificate where TLS is terminated.
        let settings = json!({"tls": option == "ClientCertificate"});
        let plan = |value: &str| testing::plan(&[(option, value)], settings.clone()).expect(value);
        assert!(lost_protections(&plan(open), &plan(closed)).is_empty(), "{option}");
        let found = lost_protections(&plan(closed), &plan(open));
        assert!(found.iter().any(|it| it.what == option && !it.message.is_empty()), "{option}: {found:?}");
        assert!(lost_protections(&plan(closed), &plan(closed)).is_empty(), "{option}");
    }
}

#[test]
fn access_is_restricted_by_the_strictest_effective_protection() {
    let nginx = "nginx.ingress.kubernetes.io/";
    let block = |lines: &[&str]| {
        lines.iter().map(|line| format!("{}\n", line.replace("N/", nginx))).collect::<String>()
    };
    let of = |annotations: &[(&str, &str)], settings: serde_json::Value| {
        let plan = testing::plan(annotations, settings).expect("it is in order");
        access_level(&access(&plan), Target::Ingress)
    };
    let tls = "N/auth-tls-secret: shop/ca";
    for (lines, has_tls, expected) in [
        (&["N/auth-secret: s", "N/auth-type: basic"][..], false, AccessLevel::Restricted),
        (&["N/auth-secret: s"], false, AccessLevel::Open),
        (&[tls], true, AccessLevel::Restricted),
        (&[tls], false, AccessLevel::Open),
        (&[tls, "N/auth-tls-verify-client: \"off\""], true, AccessLevel::Open),
        (&[tls, "N/auth-tls-verify-client: optional_no_ca"], true, AccessLevel::Open),
        (&[tls, "N/auth-tls-verify-client: optional"], true, AccessLevel::Open),
        (&[tls, "N/ssl-redirect: \"false\""], true, AccessLevel::Open),
        (&["N/whitelist-source-range: 0.0.0.0/1,128.0.0.0/1"], false, AccessLevel::Open),
        (&["N/whitelist-source-range: ::/0"], false, AccessLevel::Open),
        (
            &["N/satisfy: any", "N/whitelist-source-range: 0.0.0.0/0", "N/auth-url: https://a.example.com"],
            false,
            AccessLevel::Open,
        ),
        (
            &["N/satisfy: any", "N/whitelist-source-range: ::/0", "N/auth-type: basic", "N/auth-secret: s"],
            false,
            AccessLevel::Open,
        ),
        (
            &["N/satisfy: any", "N/whitelist-source-range: 10.0.0.0/8", "N/auth-url: https://a.example.com"],
            false,
            AccessLevel::Restricted,
        ),
        (
            &["N/satisfy: all", "N/whitelist-source-range: 0.0.0.0/0", "N/auth-url: https://a.example.com"],
            false,
            AccessLevel::Restricted,
        ),
    ] {
        let found = of(&[("xposer.stakater.com/annotations", &block(lines))], json!({"tls": has_tls}));
        assert_eq!(found, expected, "{lines:?}, TLS {has_tls}");
    }
    for (options, expected) in [
        (&[("ClientCertificate", "ca"), ("TLS", "true")][..], AccessLevel::Restricted),
        (&[("AllowedSources", "0.0.0.0/1, 128.0.0.0/1")], AccessLevel::Open),
        (&[("AllowedSources", "::/0")], AccessLevel::Open),
        (&[("AllowedSources", "10.0.0.0/8, 2001:db8::/32")], AccessLevel::Restricted),
        (&[("BasicAuth", "users")], AccessLevel::Restricted),
    ] {
        for class in ["nginx", "haproxy-ingress"] {
            assert_eq!(of(options, json!({"ingressClassName": class})), expected, "{class}, {options:?}");
        }
    }
    let own = "haproxy-ingress.github.io/auth-tls-secret: ca\nhaproxy-ingress.github.io/";
    for (line, expected) in [
        ("auth-tls-verify-client: \"on\"", AccessLevel::Restricted),
        ("auth-tls-verify-client: \"off\"", AccessLevel::Open),
        ("auth-tls-verify-client: optional", AccessLevel::Open),
        ("ssl-redirect: \"false\"", AccessLevel::Open),
    ] {
        let block = format!("{own}{line}\n");
        let settings = json!({"ingressClassName": "haproxy-ingress", "tls": true});
        assert_eq!(of(&[("xposer.stakater.com/annotations", &block)], settings), expected, "{line}");
    }
}

/// An annotation and the option with the same intent are the same protection.
#[test]
fn annotation_and_option_are_the_same_protection() {
    let block = "nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8\n\
                 nginx.ingress.kubernetes.io/limit-connections: \"5\"";
    let forwarded =
        testing::plan(&[("xposer.stakater.com/annotations", block)], json!({})).expect("it is in order");
    let option = testing::plan(&[("AllowedSources", "10.0.0.0/8")], json!({})).expect("it is in order");
    let found: Vec<_> = lost_protections(&forwarded, &option).into_iter().map(|it| it.what).collect();
    assert_eq!(found, ["nginx.ingress.kubernetes.io/limit-connections"]);
    assert!(lost_protections(&option, &forwarded).is_empty());
}

/// If the report shows an access as open, the comparison of the two plans reports it, whichever annotation opens it.
#[test]
fn lost_access_control_is_reported() {
    let of = |block: &str, settings: serde_json::Value| {
        let block = block.replace("N/", "nginx.ingress.kubernetes.io/");
        testing::plan(&[("xposer.stakater.com/annotations", &block)], settings).expect("it is in order")
    };
    let certificate = "N/auth-tls-secret: shop/ca\n";
    let both = "N/auth-type: basic\nN/auth-secret: users\nN/whitelist-source-range: 10.0.0.0/8\n";
    let either = format!("{both}N/satisfy: any\n");
    let password = "N/auth-type: basic\nN/auth-secret: users\n";
    let limit = "N/limit-rps: \"5\"\n";
    let limit_but = |list: &str| format!("{limit}N/limit-allowlist: {list}\n");
    let verify = |word: &str| format!("{certificate}N/auth-tls-verify-client: \"{word}\"\n");
    for (closed, open, said) in [
        (certificate.to_owned(), verify("off"), "would be missing"),
        (certificate.to_owned(), verify("optional_no_ca"), "no longer restrict access"),
        (certificate.to_owned(), verify("optional"), "admits more clients"),
        (
            certificate.to_owned(),
            format!("{certificate}N/ssl-redirect: \"false\"\n"),
            "no longer restrict access",
        ),
        (both.to_owned(), either.clone(), "one of AllowedSources and BasicAuth would be enough"),
        (password.to_owned(), either.clone(), "one of AllowedSources and BasicAuth would be enough"),
        (both.to_owned(), either.replace("10.0.0.0/8", "0.0.0.0/1,128.0.0.0/1"), "admits more clients"),
        (limit.to_owned(), limit_but("0.0.0.0/0"), "would not apply to `0.0.0.0/0`"),
        (limit_but("10.0.0.0/8"), limit_but("10.0.0.0/8,192.0.2.7"), "would not apply to"),
        (password.to_owned(), format!("{password}N/ssl-passthrough: \"true\"\n"), "would have no effect"),
    ] {
        let settings = || json!({"tls": true, "annotations": {"acceptLoss": ["*"]}});
        for settings in [settings(), {
            let mut known = settings();
            known["controllers"] = json!({"nginx": "ingress-nginx"});
            known["ingressClassName"] = json!("nginx");
            known
        }] {
            let (closed, open) = (of(&closed, settings.clone()), of(&open, settings));
            let found = lost_protections(&closed, &open);
            assert!(found.iter().any(|it| it.message.contains(said)), "{found:?}, {said}");
            assert!(
                lost_protections(&closed, &closed).is_empty() && lost_protections(&open, &open).is_empty(),
                "{said}"
            );
            let back = lost_protections(&open, &closed);
            assert!(!back.iter().any(|it| it.message.contains(said)), "{back:?}, {said}");
        }
    }
}

/// No protection denies access if TLS passes through to the Service, whichever annotation enables the passthrough.
#[test]
fn access_is_open_if_tls_passes_through() {
    let line = "nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8\n";
    let settings = || json!({"tls": true, "annotations": {"acceptLoss": ["*"]}});
    let level_of = |annotations: &[(&str, &str)], settings: serde_json::Value| {
        access_level(&access(&testing::plan(annotations, settings).expect("it is in order")), Target::Ingress)
    };
    let block = format!("{line}nginx.ingress.kubernetes.io/ssl-passthrough: \"true\"\n");
    let (alone, both) =
        (("xposer.stakater.com/annotations", line), ("xposer.stakater.com/annotations", &*block));
    assert_eq!(level_of(&[alone], settings()), AccessLevel::Restricted);
    assert_eq!(level_of(&[both], settings()), AccessLevel::Open);
    assert_eq!(level_of(&[alone, ("TLSPassthrough", "true")], settings()), AccessLevel::Open);
    let mut by_settings = settings();
    by_settings["annotations"]["nginx.ingress.kubernetes.io/ssl-passthrough"] = json!("true");
    assert_eq!(level_of(&[alone], by_settings), AccessLevel::Open);
}

/// An exemption has an effect only for the program that also reads the limit.
#[test]
fn unread_exemption_changes_nothing() {
    let block = "nginx.ingress.kubernetes.io/limit-rps: \"5\"";
    let of = |class: &str, list: Option<&str>| {
        let mut settings = json!({"ingressClassName": class, "controllers": {"nginx": "ingress-nginx"}});
        if let Some(list) = list {
            settings["annotations"] = json!({"nginx.ingress.kubernetes.io/limit-allowlist": list});
        }
        testing::plan(&[("xposer.stakater.com/annotations", block)], settings).expect("it is in order")
    };
    for (class, is_reported) in [("nginx", true), ("traefik", false)] {
        let found = lost_protections(&of("nginx", None), &of(class, Some("0.0.0.0/0")));
        assert_eq!(
            found.iter().any(|it| it.message.contains("would not apply to")),
            is_reported,
            "{found:?}"
        );
    }
    // The same networks in another order, and split into smaller ones.
    let wide = of("nginx", Some("10.0.0.0/8, 192.0.2.0/24"));
    for list in ["192.0.2.0/24,10.0.0.0/8", "10.1.0.0/16"] {
        assert!(lost_protections(&wide, &of("nginx", Some(list))).is_empty(), "{list}");
    }
}

/// The work to compare two lists grows with their length, because each item is looked up in the other list.
#[test]
fn work_to_compare_long_lists_grows_with_their_length() {
    let plan = |class: &str, lines: &[(&str, &str)]| {
        let lines = lines.iter().map(|(key, value)| ((*key).to_owned(), json!(value)));
        let accepted = ("acceptLoss".to_owned(), json!(["*"]));
        let lines: serde_json::Map<_, _> = lines.chain([accepted]).collect();
        let settings = json!({
            "ingressClassName": class, "controllers": {"apisix": "other"},
            "annotations": lines,
        });
        testing::plan(&[], settings).expect("it is in order")
    };
    let addresses = |at: usize, last: usize| format!("10.{}.{}.{last}", at / 256, at % 256);
    let origins = |at: usize, last: usize| format!("https://{at}-{last}.example.com");
    let methods = |at: usize, last: usize| format!("M{at}-{last}");
    /// A class, its lines beside the list, the key of the list, and its items.
    type List<'l> = (&'l str, &'l [(&'l str, &'l str)], &'l str, &'l dyn Fn(usize, usize) -> String);
    let items: [List<'_>; 3] = [
        (
            "nginx",
            &[("nginx.ingress.kubernetes.io/limit-rps", "5")],
            "nginx.ingress.kubernetes.io/limit-allowlist",
            &addresses,
        ),
        (
            "haproxy-ingress",
            &[("haproxy-ingress.github.io/cors-enable", "true")],
            "haproxy-ingress.github.io/cors-allow-origin",
            &origins,
        ),
        ("apisix", &[], "k8s.apisix.apache.org/http-allow-methods", &methods),
    ];
    for (class, lines, key, item) in items {
        let pair = |count: usize| {
            // Only the last items are others.
            let list = |last: usize| {
                (0..count).map(|at| item(at, last * (at / (count - 1)))).collect::<Vec<_>>().join(",")
            };
            [1, 2].map(|last| plan(class, &[lines, &[(key, &list(last))]].concat()))
        };
        let (few, many) = (pair(500), pair(5_000));
        let compare = |[old, new]: &[Plan; 2]| assert!(!lost_protections(old, new).is_empty(), "{key}");
        // If each item were compared with all others, the work would be 100 times as much.
        let ratio = growth(&|| compare(&few), &|| compare(&many)).expect("the work is measured");
        assert!(ratio < 25.0, "{key}: {ratio}");
    }
}

/// The controller of a misspelt class is not known, whichever program served the correct class.
#[test]
fn change_to_an_unknown_controller_is_reported() {
    let of = |class: &str| {
        let settings = json!({"ingressClassName": class, "controllers": {"public": "ingress-nginx"}});
        testing::plan(&[("AllowedSources", "10.0.0.0/8")], settings).expect("it is in order")
    };
    let found = lost_protections(&of("public"), &of("publik"));
    let said = "but no setting says that it serves the class `publik`";
    assert!(found.iter().any(|it| it.message.contains(said)), "{found:?}");
    assert!(lost_protections(&of("public"), &of("public")).is_empty());
    assert!(lost_protections(&of("publik"), &of("public")).is_empty());
}

/// The settings before and after, and what is said; empty if nothing is open.
#[test]
fn what_was_hidden_or_asked_for_is_told() {
    let entry = "traefik.ingress.kubernetes.io/router.entrypoints";
    let cn = |pattern: &str| {
        json!({"tls": true, "ingressClassName": "ingress-nginx", "annotations": {
            "nginx.ingress.kubernetes.io/auth-tls-secret": "shop/ca",
            "nginx.ingress.kubernetes.io/auth-tls-match-cn": pattern,
        }})
    };
    let cors = |origin: &str| json!({"cors": {"origins": [origin]}});
    let class = |class: &str| json!({"ingressClassName": class});
    let traefik = |name: &str| json!({"ingressClassName": "traefik", "annotations": {entry: name}});
    let alb =
        json!({"ingressClassName": "alb", "annotations": {"alb.ingress.kubernetes.io/scheme": "internal"}});
    let off = json!({"tls": true, "annotations": {
        "nginx.ingress.kubernetes.io/auth-tls-secret": "shop/ca",
        "nginx.ingress.kubernetes.io/auth-tls-verify-client": "off",
    }});
    let alone = json!({"annotations": {"nginx.ingress.kubernetes.io/auth-secret": "users"}});
    for (old, new, said) in [
        (
            class("gce-internal"),
            class("gce"),
            "IngressClassName `gce-internal` would be `gce`, which may let clients in from the Internet",
        ),
        (class("gce-internal"), json!({}), "IngressClassName `gce-internal` would be missing"),
        // Without a scheme, an ALB is internal.
        (class("gce-internal"), class("alb"), ""),
        (class("gce"), class("gce-internal"), ""),
        (class("tailscale"), class("gce-internal"), ""),
        (class("gce-internal"), alb.clone(), ""),
        (alb, class("gce-internal"), ""),
        (
            traefik("internal"),
            class("traefik"),
            "all default entry points of Traefik would serve the Ingress, and not only `internal`",
        ),
        (
            traefik("internal"),
            traefik("internal, web"),
            "the Ingress would also be reachable through the entry point `web`",
        ),
        (
            traefik("internal"),
            traefik("internal,vpn,web"),
            "would also be reachable through the entry points `vpn` and `web`",
        ),
        (
            traefik("internal"),
            traefik("web"),
            "the Ingress would be reachable through the entry point `web` instead of `internal`",
        ),
        (traefik("internal,vpn"), traefik("vpn"), ""),
        (traefik("websecure"), class("traefik"), ""),
        (cn("CN=a"), cn("CN=.*"), "would be `CN=.*`, which may admit others"),
        (json!({}), cors("*"), "CORS `origins: *` would let pages of other origins read answers"),
        (cors("https://a.com"), json!({}), ""),
        (cors("https://*.a.com"), cors("https://x.a.com"), ""),
        (cors("https://x.a.com"), cors("https://*.a.com"), "which admits more clients"),
        (cors("https://*.a.com"), cors("https://x.y.a.com"), "which admits more clients"),
        (off, json!({"tls": true}), ""),
        (alone, json!({}), ""),
    ] {
        let plan =
            |settings: &serde_json::Value| testing::plan(&[], settings.clone()).expect("it is in order");
        let found = lost_protections(&plan(&old), &plan(&new));
        let all: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(all.len(), usize::from(!said.is_empty()), "{old} -> {new}: {all:?}");
        assert!(all.iter().all(|it| it.contains(said)), "{old} -> {new}: {all:?}");
    }
}

/// The listeners of a load balancer before and after, what is said about openness, and what is said about lost listeners.
#[test]
fn listeners_of_a_load_balancer_are_compared() {
    let (http, https, both) =
        (r#"[{"HTTP": 80}]"#, r#"[{"HTTPS": 443}]"#, r#"[{"HTTP": 80}, {"HTTPS": 443}]"#);
    let own = r#"[{"HTTPS": 8443}]"#;
    let not_redirected = (false, both);
    for ((old_redirect, old), (new_redirect, new), opens, lost) in [
        ((true, https), (false, both), "answered at the port 80", ""),
        // The load balancer redirects these requests.
        ((true, https), (true, both), "", ""),
        (not_redirected, (false, https), "", "not listen for HTTP at 80"),
        ((false, own), (false, http), "answered at the port 80", "not listen for HTTPS at 8443"),
        ((false, own), (false, https), "", "not listen for HTTPS at 8443"),
        (not_redirected, (false, r#"[{"HTTP":80},{"HTTP":8080},{"HTTPS":443}]"#), "at the port 8080", ""),
        // The same listener at another port.
        ((false, http), (false, r#"[{"HTTP": 8080}]"#), "", "not listen for HTTP at 80"),
        ((false, own), (false, ""), "answered at the port 80", "not listen for HTTPS at 8443"),
        // Without a list, the only listener is the one for http.
        ((false, ""), (false, both), "", ""),
        ((false, ""), (false, http), "", ""),
        ((false, both), (false, ""), "", "not listen for HTTPS at 443"),
        ((false, both), (false, r#"[{"HTTPS":443},{"HTTP":80}]"#), "", ""),
    ] {
        let plan = |redirect: bool, ports: &str| {
            let mut settings =
                json!({"tls": "load-balancer", "ingressClassName": "alb", "httpsRedirect": redirect});
            if !ports.is_empty() {
                settings["annotations"] = json!({"alb.ingress.kubernetes.io/listen-ports": ports});
            }
            testing::plan(&[], settings).unwrap_or_else(|report| panic!("{ports}: {report}"))
        };
        let (before, after) = (plan(old_redirect, old), plan(new_redirect, new));
        let found = lost_protections(&before, &after);
        let found = found.iter().find(|it| it.message.contains("answered at the port"));
        let gone = lost_listeners(&before, &after).map(|(_, message)| message).unwrap_or_default();
        let found = found.map(|it| it.message.as_str()).unwrap_or_default();
        for (said, found) in [(opens, found), (lost, &gone)] {
            assert_eq!(found.is_empty(), said.is_empty(), "{old} -> {new}: {found}");
            assert!(found.contains(said), "{old} -> {new}: {found}");
        }
    }
}

/// Two long values differ behind the end of the text that is shown.
#[test]
fn long_values_are_shown_from_their_difference() {
    let list = |last: &str| {
        let many = (0..20).map(|at| format!("https://shop-{at}.example.com")).collect::<Vec<_>>();
        let origins = [many, vec![last.to_owned()]].concat();
        json!({"cors": {"origins": origins}})
    };
    let plan = |settings| testing::plan(&[], settings).expect("it is in order");
    let found = lost_protections(&plan(list("https://a.example.com")), &plan(list("https://*.example.com")));
    assert_eq!(
        found.iter().map(|it| it.message.as_str()).collect::<Vec<_>>(),
        ["CORS `…https://a.example.com` would be `…https://*.example.com`, which admits more clients"]
    );
}

/// What stands for the text of one or more lines.
const SHORT: [(&str, &str); 13] = [
    ("CORS", "cors-enable: true"),
    ("LOGIN", "auth-type: oidc|OIDC"),
    ("NLB", "enable-frontend-nlb: true"),
    ("OIDC", "auth-idp-oidc: {}"),
    ("ONLY", "listen-ports: [{\"HTTPS\": 443}]"),
    ("ORIGIN", "cors-allow-origin: https://a.com"),
    ("PEER", "mutual-authentication: [{\"mode\":\"verify\",\"port\":443"),
    ("PER", "rate-limit-connections"),
    ("POLICY", "ssl-policy: ELBSecurityPolicy"),
    ("UNSIGNED", "auth-on-unauthenticated-request"),
    ("URL", "auth-url: https://auth.example.com"),
    ("VERIFY", "proxy-ssl-secret: shop/ca|proxy-ssl-verify: on"),
    ("WEB", "conditions.web: [{\"field\":\"source-ip\",\"sourceIpConfig\":{\"values\":"),
];

/// Returns the plan of a Service for a program, `+` if it has TLS and `-` if not, and for the names and values of its lines.
pub(super) fn plan_of(program: &str, lines: &str) -> Plan {
    let has_tls = !program.ends_with('-');
    let (controller, prefix) = match program.trim_end_matches(['+', '-']) {
        "hi" => ("haproxy-ingress", "haproxy-ingress.github.io/"),
        "ht" => ("haproxy", "haproxy.org/"),
        "ap" => ("other", "k8s.apisix.apache.org/"),
        "ci" => ("other", "ingress.cilium.io/"),
        "ct" => ("contour", "projectcontour.io/"),
        "f5" => ("f5-nginx", "nginx.org/"),
        "in" => ("ingress-nginx", "nginx.ingress.kubernetes.io/"),
        "os" => ("openshift", "haproxy.router.openshift.io/"),
        "tr" => ("traefik", "traefik.ingress.kubernetes.io/"),
        _ => ("alb", "alb.ingress.kubernetes.io/"),
    };
    let whole = SHORT.iter().fold(lines.to_owned(), |text, (short, long)| text.replace(short, long));
    let line = |line: &str| {
        // A name alone is a switch.
        let (name, value) = line.split_once(": ").unwrap_or((line, "true"));
        ([prefix, name].concat(), json!(value))
    };
    let mut lines: serde_json::Map<_, _> =
        whole.split('|').filter(|line| !line.is_empty()).map(line).collect();
    let mut tls = json!(has_tls);
    if controller == "alb" {
        let ports = json!("[{\"HTTP\": 80}, {\"HTTPS\": 443}]");
        lines.entry([prefix, "listen-ports"].concat()).or_insert(ports);
        tls = json!("load-balancer");
    }
    let mut settings = json!({"tls": tls, "annotations": lines});
    if controller == "openshift" {
        settings["target"] = json!("Route");
    } else {
        settings["ingressClassName"] = json!("pub");
        settings["controllers"] = json!({"pub": controller});
    }
    testing::plan(&[], settings).unwrap_or_else(|report| panic!("{controller}: {report}"))
}

/// The program, `+` if the Ingress has TLS, the names and values of its lines before and after, and every loss that is said.
#[test]
fn each_loss_of_a_line_is_told_once() {
    let cases: &[(&str, &str, &str, &[&str])] = &[
        // Lines with one intent, each of which protects in its own way.
        (
            "hi+",
            "CORS|ORIGIN|cors-allow-credentials: false",
            "CORS|ORIGIN|cors-allow-credentials: true",
            &["protects less"],
        ),
        (
            "hi+",
            "CORS|ORIGIN|cors-allow-credentials: false",
            "CORS|ORIGIN",
            &["credentials `false` would be missing"],
        ),
        ("hi+", "CORS|ORIGIN|cors-allow-credentials: true", "CORS|ORIGIN", &[]),
        (
            "hi+",
            "CORS|ORIGIN",
            "CORS|cors-allow-origin-regex: .*",
            &["regex would be `.*`, which may admit others"],
        ),
        (
            "hi+",
            "CORS|ORIGIN",
            "CORS|ORIGIN|cors-allow-origin-regex: .*",
            &["regex would be `.*`, which may admit others"],
        ),
        ("hi+", "CORS|ORIGIN|cors-allow-origin-regex: x", "CORS|ORIGIN", &[]),
        ("hi+", "CORS|ORIGIN|cors-allow-origin-regex: x", "CORS|cors-allow-origin-regex: x", &[]),
        (
            "hi+",
            "CORS|cors-allow-origin-regex: ^x$",
            "CORS|cors-allow-origin-regex: .*",
            &["`^x$` would be `.*`, which may"],
        ),
        ("hi+", "CORS|cors-allow-origin-regex: ^x$", "CORS", &["regex `^x$` would be missing"]),
        ("hi+", "CORS|cors-allow-origin-regex: x y", "CORS|cors-allow-origin-regex: y", &[]),
        ("hi+", "CORS", "CORS|cors-allow-origin-regex: .*", &[]),
        ("hi+", "CORS|ORIGIN", "CORS", &["origin `https://a.com` would be missing"]),
        ("hi+", "CORS|ORIGIN", "CORS|ORIGIN,https://b.com", &["which admits more clients"]),
        ("hi+", "CORS|cors-allow-headers: X-A", "CORS", &["which is the default and protects less"]),
        (
            "ht+",
            "CORS|cors-allow-origin: ^https://a$",
            "CORS|cors-allow-origin: ^https://.*$",
            &["may admit others"],
        ),
        (
            "ht+",
            "CORS|cors-allow-origin: ^https://a$",
            "CORS|cors-allow-origin: *",
            &["which admits more clients"],
        ),
        ("ht+", "CORS|cors-allow-origin: ^https://a$", "CORS", &["would be missing"]),
        ("ht+", "CORS|cors-allow-origin: *", "CORS", &[]),
        ("ht+", "CORS", "CORS|cors-allow-credentials: true", &["instead of the default `false`"]),
        (
            "ht+",
            "CORS|cors-allow-credentials: false",
            "CORS|cors-allow-credentials: true",
            &["which protects less"],
        ),
        // Addresses and origins of a program without a dialect here.
        (
            "ap+",
            "allowlist-source-range: 10.0.0.0/8",
            "allowlist-source-range: 10.0.0.0/8,11.0.0.0/8",
            &["admits more"],
        ),
        ("ap+", "allowlist-source-range: 10.0.0.0/8", "allowlist-source-range: 10.1.0.0/16", &[]),
        ("ap+", "blocklist-source-range: 10.0.0.0/8", "blocklist-source-range: 10.0.0.0/9", &["admits more"]),
        ("ap+", "blocklist-source-range: 10.0.0.0/9", "blocklist-source-range: 10.0.0.0/8", &[]),
        ("ap+", "enable-cors: true|ORIGIN", "enable-cors: true|cors-allow-origin: *", &["admits more"]),
        ("ap+", "enable-cors: true|ORIGIN", "enable-cors: true|ORIGIN,https://b.com", &["admits more"]),
        ("ap+", "enable-cors: true|ORIGIN", "enable-cors: true", &["would be missing"]),
        (
            "ap+",
            "enable-cors: true|cors-allow-methods: GET",
            "enable-cors: true",
            &["`*`, which is the default"],
        ),
        ("ap+", "ORIGIN", "", &[]),
        // Two lists of an ALB, and two load balancers.
        (
            "alb",
            "security-group-prefix-lists: pl-1",
            "security-group-prefix-lists: pl-1|inbound-cidrs: 0.0.0.0/0",
            &["inbound-cidrs would be `0.0.0.0/0`, which admits more"],
        ),
        (
            "alb",
            "security-group-prefix-lists: pl-1",
            "security-group-prefix-lists: pl-1|inbound-cidrs: 8.0.0.0/8",
            &["inbound-cidrs would be `8.0.0.0/8`, which admits more"],
        ),
        (
            "alb",
            "inbound-cidrs: 8.0.0.0/8",
            "security-group-prefix-lists: pl-1|inbound-cidrs: 8.0.0.0/8",
            &["prefix-lists would be `pl-1`"],
        ),
        (
            "alb",
            "security-group-prefix-lists: pl-1|inbound-cidrs: 8.0.0.0/8",
            "security-group-prefix-lists: pl-1",
            &[],
        ),
        (
            "alb",
            "security-group-prefix-lists: pl-1|inbound-cidrs: 8.0.0.0/8",
            "inbound-cidrs: 8.0.0.0/8",
            &[],
        ),
        ("alb", "security-group-prefix-lists: pl-1", "", &["would be missing"]),
        ("alb", "", "security-group-prefix-lists: pl-1", &[]),
        ("alb", "WEB [\"10.0.0.0/8\"]}}]", "WEB [\"0.0.0.0/0\"]}}]", &["admits more clients"]),
        ("alb", "WEB [\"10.0.0.0/8\"]}}]", "WEB [\"10.1.0.0/16\"]}}]", &[]),
        ("alb", "WEB [\"10.0.0.0/8\"]}}]", "", &["would be missing"]),
        (
            "alb",
            "NLB|frontend-nlb-scheme: internal",
            "NLB|frontend-nlb-scheme: internet-facing",
            &["protects less"],
        ),
        ("alb", "", "NLB|frontend-nlb-scheme: internet-facing", &["instead of the default `internal`"]),
        ("alb", "NLB|frontend-nlb-scheme: internal", "NLB", &[]),
        (
            "alb",
            "NLB|frontend-nlb-security-groups: sg-1",
            "enable-frontend-nlb: false|frontend-nlb-security-groups: sg-1",
            &[],
        ),
        ("alb", "NLB|frontend-nlb-security-groups: sg-1", "", &[]),
        ("alb", "NLB|frontend-nlb-security-groups: sg-1", "NLB", &["would be missing"]),
        // A login at another place, and none.
        ("alb", "auth-type: oidc|OIDC", "auth-type: cognito|auth-idp-cognito: {}", &[]),
        ("alb", "auth-type: oidc|OIDC", "auth-type: none|OIDC", &["auth-type `oidc` would be `none`"]),
        ("alb", "auth-type: oidc|OIDC", "OIDC", &["auth-type `oidc` would be missing"]),
        (
            "alb",
            "auth-type: oidc|OIDC",
            "auth-type: oidc|OIDC|auth-on-unauthenticated-request: allow",
            &["instead of the default `authenticate`"],
        ),
        (
            "ht+",
            "auth-type: basic-auth|auth-secret: users|auth-realm: x",
            "auth-secret: users|auth-realm: x",
            &["auth-type `basic-auth` would be missing"],
        ),
        (
            "hi+",
            "auth-tls-secret: shop/ca",
            "auth-tls-secret: shop/ca|auth-tls-verify-client: off",
            &["auth-tls-secret `shop/ca` would have no effect"],
        ),
        // The program does by default what the line says, or less.
        ("ci+", "", "force-https: disabled", &["instead of the default `enabled`"]),
        ("ci+", "force-https: disabled", "", &[]),
        ("ci-", "", "force-https: disabled", &[]),
        ("ct+", "tls-maximum-protocol-version: 1.3", "", &[]),
        ("ct+", "", "tls-maximum-protocol-version: 1.2", &["instead of the default `1.3`"]),
        ("f5+", "client-max-body-size: 1m", "", &[]),
        ("f5+", "client-max-body-size: 512k", "", &["would be missing"]),
        ("f5+", "client-max-body-size: 512k", "client-max-body-size: 1m", &["which admits more clients"]),
        ("f5+", "", "client-max-body-size: 0", &["instead of the default `1m`"]),
        ("in+", "proxy-body-size: 1m", "", &[]),
        ("in+", "", "proxy-body-size: 0", &["instead of the default `1m`"]),
        ("in+", "", "proxy-body-size: 100m", &["instead of the default `1m`"]),
        ("in+", "", "proxy-body-size: 512k", &[]),
        ("in+", "", "limit-rps: 5", &[]),
        // HSTS is sent with TLS only.
        ("f5-", "hsts: true", "", &[]),
        (
            "f5-",
            "hsts: true|hsts-behind-proxy: true",
            "hsts: false|hsts-behind-proxy: true",
            &["hsts `true` would be `false`"],
        ),
        ("f5+", "hsts: true", "", &["hsts `true` would be `false`"]),
        ("hi-", "", "hsts: false", &[]),
        // A protection of several lines.
        (
            "hi+",
            "auth-tls-secret: shop/ca",
            "auth-tls-secret: shop/ca|auth-tls-verify-client: optional",
            &["verify-client would be `optional` instead of the default `on`"],
        ),
        (
            "hi+",
            "auth-tls-secret: shop/ca|auth-tls-verify-client: on",
            "auth-tls-secret: shop/ca|auth-tls-verify-client: optional_no_ca",
            &["verify-client `on` would be `optional_no_ca`"],
        ),
        (
            "hi+",
            "auth-tls-secret: shop/ca|auth-tls-verify-client: optional",
            "auth-tls-secret: shop/ca|auth-tls-verify-client: off",
            &["auth-tls-secret `shop/ca` would have no effect"],
        ),
        ("hi+", "auth-type: basic|auth-secret: users", "auth-secret: users", &[]),
        (
            "in+",
            "auth-tls-secret: shop/ca|auth-tls-verify-client: on",
            "auth-tls-secret: shop/ca|auth-tls-verify-client: optional_no_ca",
            &["ClientCertificate `secret: ca` would no longer restrict access"],
        ),
        (
            "in+",
            "auth-tls-secret: shop/ca|auth-tls-match-cn: CN=a",
            "",
            &["ClientCertificate `secret: ca` would be missing"],
        ),
        (
            "in+",
            "auth-tls-secret: shop/ca|auth-tls-match-cn: CN=a",
            "auth-tls-secret: shop/ca",
            &["auth-tls-match-cn `CN=a` would be missing"],
        ),
        (
            "in+",
            "URL|auth-snippet: x",
            "",
            &["ExternalAuth `url: https://auth.example.com` would be missing"],
        ),
        ("in+", "URL|auth-snippet: x", "URL", &["auth-snippet `x` would be missing"]),
        // Without a Secret, nobody is admitted.
        ("in+", "auth-type: basic|auth-secret: users", "auth-type: basic", &[]),
        ("ht+", "auth-type: basic-auth|auth-secret: users", "auth-type: basic-auth", &[]),
        ("alb", "ONLY|LOGIN", "ONLY|LOGIN|UNSIGNED: allow", &["instead of the default `authenticate`"]),
        ("alb", "ONLY|LOGIN|UNSIGNED: deny", "ONLY|LOGIN|UNSIGNED: allow", &["`deny` would be `allow`"]),
        ("alb", "ONLY|LOGIN|UNSIGNED: authenticate", "ONLY|LOGIN", &[]),
        ("alb", "ONLY|LOGIN|UNSIGNED: deny", "ONLY", &["auth-type `oidc` would be missing"]),
        ("os+", "PER|PER.rate-http: 100", "", &["connections `true` would be missing"]),
        ("os+", "PER|PER.rate-http: 100", "PER: false|PER.rate-http: 100", &["`true` would be `false`"]),
        ("os+", "PER|PER.rate-http: 100", "PER", &["rate-http `100` would be missing"]),
        ("os+", "PER", "PER|PER.rate-http: 100", &[]),
        // Another firewall, a listener that no longer verifies, and a server that is no longer verified.
        ("alb", "wafv2-acl-arn: a", "wafv2-acl-name: b", &[]),
        ("alb", "waf-acl-id: a", "web-acl-id: a", &[]),
        ("alb", "waf-acl-id: a", "wafv2-acl-arn: a", &["waf-acl-id `a` would be missing"]),
        ("alb", "wafv2-acl-arn: a", "wafv2-acl-arn: none", &["would be `none`, which protects less"]),
        ("alb", "PEER}]", "PEER},{\"port\":8443}]", &[]),
        ("alb", "PEER},{\"port\":8443,\"mode\":\"verify\"}]", "PEER}]", &["which admits more clients"]),
        ("alb", "PEER}]", "PEER,\"ignoreClientCertificateExpiry\":true}]", &["which admits more clients"]),
        ("alb", "PEER,\"ignoreClientCertificateExpiry\":true}]", "PEER}]", &[]),
        ("ap+", "auth-uri: a", "auth-uri: a|auth-ssl-verify: false", &["instead of the default `true`"]),
        ("ap+", "auth-uri: a|auth-ssl-verify: true", "auth-uri: a", &[]),
        ("hi+", "hsts-preload", "", &["hsts-preload `true` would be `false`"]),
        // TLS to the Service, with which the Service is verified.
        (
            "in+",
            "backend-protocol: HTTPS|VERIFY",
            "VERIFY",
            &[
                "proxy-ssl-secret `shop/ca` and nginx.ingress.kubernetes.io/proxy-ssl-verify `on` would have no",
            ],
        ),
        ("in+", "backend-protocol: HTTPS|VERIFY", "backend-protocol: GRPCS|VERIFY", &[]),
        ("in+", "VERIFY", "VERIFY", &[]),
        (
            "hi+",
            "secure-backends|secure-verify-ca-secret: ca",
            "secure-verify-ca-secret: ca",
            &["`ca` would have no effect: connections to the Service would have no TLS"],
        ),
        (
            "hi+",
            "secure-backends|secure-verify-ca-secret: ca",
            "backend-protocol: h2-ssl|secure-verify-ca-secret: ca",
            &[],
        ),
        // It uses TLS because of the line.
        ("ht+", "server-ssl|server-ca: ca", "server-ca: ca", &[]),
        // The policy of a load balancer for TLS.
        ("alb", "POLICY-TLS13-1-3-2021-06", "POLICY-TLS13-1-2-2021-06", &["which may protect less"]),
        ("alb", "POLICY-TLS13-1-2-2021-06", "POLICY-TLS13-1-3-2021-06", &[]),
        ("alb", "POLICY-TLS13-1-2-2021-06", "POLICY-TLS13-1-2-Res-2021-06", &[]),
        ("alb", "POLICY-TLS13-1-2-Res-2021-06", "POLICY-TLS13-1-2-Ext2-2021-06", &["which may protect less"]),
        ("alb", "POLICY-TLS13-1-2-2021-06", "POLICY-FS-1-2-Res-2020-10", &["which may protect less"]),
        ("alb", "POLICY-TLS-1-2-2017-01", "POLICY-2016-08", &["which may protect less"]),
        ("alb", "POLICY-2016-08", "POLICY-TLS-1-2-2017-01", &[]),
        ("alb", "POLICY-2016-08", "ssl-policy: own", &["which may protect less"]),
        ("in+", "ssl-ciphers: HIGH:!aNULL", "ssl-ciphers: HIGH", &["which protects less"]),
        // A login that only requests with TLS need, and the redirect to TLS.
        (
            "hi+",
            "auth-tls-secret: ca",
            "auth-tls-secret: ca|ssl-redirect: false",
            &[
                "redirected to https, so haproxy-ingress.github.io/auth-tls-secret `ca` would no longer restrict",
            ],
        ),
        (
            "in+",
            "auth-tls-secret: shop/ca|limit-rps: 5",
            "auth-tls-secret: shop/ca|ssl-redirect: false",
            &["https, so ClientCertificate `secret: ca` would no longer restrict", "RateLimit"],
        ),
        // One line for two limits.
        (
            "in+",
            "limit-rps: 5|limit-connections: 3",
            "limit-rps: 5|limit-connections: 3|limit-allowlist: 10.0.0.0/8",
            &["burst: 25` and nginx.ingress.kubernetes.io/limit-connections `3` would not apply to"],
        ),
        (
            "in+",
            "limit-rps: 5|limit-connections: 3",
            "limit-rps: 9|limit-connections: 3|limit-allowlist: 10.0.0.0/8",
            &["which admits more clients", "limit-connections `3` would not apply to"],
        ),
        (
            "in+",
            "limit-rps: 5|limit-connections: 3",
            "limit-rps: 5|limit-allowlist: 10.0.0.0/8",
            &["burst: 25` would not apply to", "limit-connections `3` would be missing"],
        ),
    ];
    let mut wrong = Vec::new();
    for (program, before, after, said) in cases {
        let (old, new) = (plan_of(program, before), plan_of(program, after));
        let found = lost_protections(&old, &new);
        let all: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
        let is_said =
            all.len() == said.len() && all.iter().zip(*said).all(|(found, said)| found.contains(said));
        let is_same = lost_protections(&new, &new).is_empty();
        if !is_said || !is_same {
            wrong.push(format!("{program}, {before} -> {after}: {all:?}, {is_same}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A line that closes the port without TLS counts although the option does not ask for the redirect.
#[test]
fn closed_port_without_tls_is_a_protection() {
    for class in ["contour", "gce"] {
        let plan = |lines: serde_json::Value| {
            let settings = json!({
                "ingressClassName": class, "tls": true, "httpsRedirect": false, "annotations": lines,
            });
            testing::plan(&[], settings).unwrap_or_else(|report| panic!("{class}: {report}"))
        };
        let (closed, open) = (plan(json!({"kubernetes.io/ingress.allow-http": "false"})), plan(json!({})));
        let found = lost_protections(&closed, &open);
        let all: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(all, ["requests without TLS would be answered"], "{class}");
        assert!(lost_protections(&open, &closed).is_empty(), "{class}");
    }
}

/// An option can raise a limit that is a default of the program.
#[test]
fn option_is_compared_with_a_default() {
    for class in ["ingress-nginx", "f5-nginx"] {
        let plan = |size: Option<&str>| {
            let mut settings = json!({"ingressClassName": class});
            if let Some(size) = size {
                settings["maxBodySize"] = json!(size);
            }
            testing::plan(&[], settings).unwrap_or_else(|report| panic!("{class}: {report}"))
        };
        let is_lost = |old, new| lost_protections(&plan(old), &plan(new)).len();
        for (old, new, count) in [
            (None, Some("1Mi"), 0),
            (None, Some("2Mi"), 1),
            (Some("2Mi"), None, 0),
            (Some("1Ki"), None, 1),
            (Some("2Mi"), Some("4Mi"), 1),
        ] {
            assert_eq!(is_lost(old, new), count, "{class}, {old:?} -> {new:?}");
        }
    }
}
