//! `compare` says what other settings would change, and its exit status says whether a Service would be refused or open.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use std::path::Path;

use common::{Ran, exposed, folder, golden, service, xposer, xposer_in};
use serde_json::Value;

/// A Service with these annotations.
fn with(name: &str, annotations: &str) -> String {
    service(name).replace("  annotations:\n", &format!("  annotations:\n{annotations}"))
}

/// What is said about these Services, under the settings `old` and `new`.
fn compared(test: &str, old: &str, new: &str, services: &[String], more: &[&str]) -> Ran {
    let folder = folder(test);
    std::fs::write(folder.join("old.yaml"), old).unwrap();
    std::fs::write(folder.join("new.yaml"), new).unwrap();
    std::fs::write(folder.join("services.yaml"), services.join("---\n")).unwrap();
    let arguments =
        [&["compare", "--settings", "old.yaml", "--with", "new.yaml", "services.yaml"], more].concat();
    xposer_in(&folder, &arguments, "")
}

const SOURCES: &str = "    config.xposer.stakater.com/AllowedSources: 10.0.0.0/8\n";

#[test]
fn the_same_settings_change_nothing() {
    let settings = "tls: true\n";
    let ran = compared("compare-same", settings, settings, &[service("web"), with("api", SOURCES)], &[]);
    let stdout = "2 services: 2 unchanged, 0 changed; 0 would be refused, 0 would be open\n".to_owned();
    assert_eq!(ran, Ran { code: 0, stdout, stderr: String::new() });
}

#[test]
fn objects_are_added_removed_and_changed() {
    let new = "ingressClassName: internal\nlabels: {team: shop}\ntarget: [Ingress, HTTPRoute]\nparentRefs: [{name: external}]\n";
    let ran = compared("compare-objects", "monitor: true\n", new, &[service("web"), service("api")], &[]);
    let blessed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare");
    golden(&blessed.join("objects.txt"), &ran.expect(0).stdout);
}

/// A protection is refused, lost without a word, weaker, or accepted by the administrator.
#[test]
fn refused_and_open_services_are_reported() {
    let services = [
        with("refused", SOURCES),
        with("accepted", "    config.xposer.stakater.com/DeniedSources: 192.0.2.0/24\n"),
        service("silent"),
        with(
            "unchanged",
            "    config.xposer.stakater.com/Target: Ingress\n    config.xposer.stakater.com/TLS: 'true'\n    config.xposer.stakater.com/RateLimit: 1/s\n",
        ),
    ];
    let old = "tls: true\nrateLimit: 10/s\n";
    let new = "target: HTTPRoute\nparentRefs: [{name: external}]\ngatewayController: gateway\n\
               annotations: {acceptLoss: ['*/DeniedSources']}\n";
    let ran = compared("compare-open", old, new, &services, &[]).expect(1);
    let blessed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare");
    golden(&blessed.join("open.txt"), &ran.stdout);
    let ran = compared("compare-open-json", old, new, &services, &["-o", "json"]).expect(1);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let of = |name: &str| {
        let services = found["services"].as_array().unwrap();
        services
            .iter()
            .find(|it| it["service"] == format!("Service shop/{name}"))
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(of("refused")["refused"][0]["code"], "protection-lost");
    assert_eq!(of("accepted")["lost"][0]["code"], "protection-loss-accepted");
    for (name, what) in [("accepted", "DeniedSources"), ("silent", "TLS"), ("silent", "RateLimit")] {
        let service = of(name);
        let mut opens = service["opens"].as_array().unwrap().iter();
        assert!(opens.any(|it| it["message"].as_str().unwrap().starts_with(what)), "{service}");
    }
    assert_eq!(of("unchanged"), Value::Null);
    assert_eq!((&found["summary"]["refused"], &found["summary"]["opens"]), (&1.into(), &2.into()));
}

/// More is allowed than before.
#[test]
fn a_wider_value_opens_and_a_narrower_one_does_not() {
    let (narrow, wide) = ("allowedSources: [10.0.0.0/8]\n", "allowedSources: [10.0.0.0/8, 192.0.2.0/24]\n");
    let ran = compared("compare-wider", narrow, wide, &[service("web")], &[]).expect(1);
    assert!(ran.stdout.contains("  open        AllowedSources `10.0.0.0/8` would be"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("1 service: 0 unchanged, 1 changed; 0 would be refused, 1 would be open\n"));
    let ran = compared("compare-narrower", wide, narrow, &[service("web")], &[]).expect(0);
    assert!(ran.stdout.ends_with("0 would be refused, 0 would be open\n"), "{}", ran.stdout);
}

/// Two Services that the new settings give one host are refused, as `render` refuses them.
#[test]
fn conflicts_are_refused() {
    let services = [exposed("web", "{{.Service}}.{{.Domain}}"), exposed("api", "{{.Service}}.{{.Domain}}")]
        .map(|it| {
            it.replace(
                "    config.xposer.stakater.com/IngressURLTemplate: \"{{.Service}}.{{.Domain}}\"\n",
                "    example.com/a: b\n",
            )
        });
    let (old, new) = ("domain: example.com\n", "domain: example.com\ningressURLTemplate: shop.example.com\n");
    let ran = compared("compare-conflict", old, new, &services, &[]).expect(1);
    assert_eq!(ran.stdout.matches(" -> refused\n").count(), 2, "{}", ran.stdout);
}

/// ingress-nginx sends requests to https without a word where it ends TLS. Another program has to do so, too.
#[test]
fn implicit_redirects_of_ingress_nginx_are_compared() {
    let of =
        |program: &str| format!("tls: true\ningressClassName: public\ncontrollers: {{public: {program}}}\n");
    for (program, opens) in [("alb", true), ("gce", true), ("contour", false), ("traefik", false)] {
        let test = format!("compare-redirect-{program}");
        let ran = compared(&test, &of("ingress-nginx"), &of(program), &[service("web")], &[]);
        let message = "  open        requests without TLS would no longer be redirected to https\n";
        assert_eq!(
            (ran.code, ran.stdout.contains(message)),
            (i32::from(opens), opens),
            "{program}: {}",
            ran.stdout
        );
    }
}

/// A load balancer asks only requests with TLS for a login, so a Service that loses the redirect loses the login, too. This is one loss.
#[test]
fn login_that_needs_the_redirect_is_told_with_it() {
    let of = |redirect: &str| {
        format!(
            "tls: load-balancer\ningressClassName: alb\nhttpsRedirect: {redirect}\nannotations:\n  \
             alb.ingress.kubernetes.io/auth-type: oidc\n  alb.ingress.kubernetes.io/auth-idp-oidc: '{{}}'\n  \
             alb.ingress.kubernetes.io/listen-ports: '[{{\"HTTP\": 80}}, {{\"HTTPS\": 443}}]'\n"
        )
    };
    let ran = compared("compare-login", &of("true"), &of("false"), &[service("web")], &[]).expect(1);
    let open: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("  open ")).collect();
    let expected = "  open        requests without TLS would no longer be redirected to https, so \
        alb.ingress.kubernetes.io/auth-type `oidc` would no longer restrict access";
    assert_eq!(open, [expected], "{}", ran.stdout);
}

/// The settings have the lines of several programs, and say which one serves a class only by a default.
#[test]
fn line_that_the_new_program_does_not_read_is_lost() {
    let of = |program: &str, version: &str| {
        let line = format!("projectcontour.io/tls-minimum-protocol-version: '{version}'");
        format!("tls: true\ndefaultController: {program}\nannotations: {{{line}}}\n")
    };
    let lost = "  lost        projectcontour.io/tls-minimum-protocol-version `1.3` would";
    for (new, said) in [
        (of("ingress-nginx", "1.3"), " have no effect on the Ingress that ingress-nginx serves"),
        (of("other", "1.3"), " be passed to the controller of this class, which is not known to read it"),
        ("tls: true\ndefaultController: traefik\n".to_owned(), " be missing"),
    ] {
        let ran = compared("compare-version", &of("contour", "1.3"), &new, &[service("web")], &[]);
        assert!(ran.stdout.contains(&[lost, said, "\n"].concat()), "{said}: {}", ran.stdout);
    }
    // The same program tells the same once.
    let ran = compared(
        "compare-version",
        &of("contour", "1.3"),
        "tls: true\ndefaultController: contour\n",
        &[service("web")],
        &[],
    );
    assert_eq!(ran.expect(1).stdout.matches("tls-minimum-protocol-version `1.3`").count(), 1);
}

/// The settings no longer ask for TLS to the Service.
#[test]
fn lost_tls_to_the_service_is_told() {
    let of = |protocol: &str| format!("defaultController: ingress-nginx\nbackendProtocol: {protocol}\n");
    for (new, is_lost) in [(of("http"), true), (of("grpcs"), false), (of("https"), false)] {
        let ran = compared("compare-backend", &of("https"), &new, &[service("web")], &[]).expect(0);
        let said = "  lost        connections to the Service would have no TLS\n";
        assert_eq!(ran.stdout.contains(said), is_lost, "{new}: {}", ran.stdout);
    }
}

/// HAProxy Ingress reads the key, and for ingress-nginx it has another name.
#[test]
fn legacy_key_is_told_as_translated() {
    let of = |program: &str| {
        format!(
            "defaultController: {program}\nannotations: {{ingress.kubernetes.io/allowlist-source-range: 10.0.0.0/8}}\n"
        )
    };
    let (old, new) = (of("haproxy-ingress"), of("ingress-nginx"));
    let ran = compared("compare-legacy", &old, &new, &[service("web")], &[]).expect(0);
    let said = "  translated  `ingress.kubernetes.io/allowlist-source-range` was translated to `nginx.";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
}

/// A program may read the key that the Service has, and another word than before may say the same.
#[test]
fn equivalent_annotation_is_not_lost() {
    let forwarded = |line: &str| with("web", &format!("    xposer.stakater.com/annotations: '{line}'\n"));
    let of = |program: &str| format!("ingressClassName: public\ncontrollers: {{public: {program}}}\n");
    let given = format!("{}annotations: {{haproxy.org/allow-list: 10.0.0.0/8}}\n", of("haproxy"));
    let set = format!("{}allowedSources: [10.0.0.0/8]\n", of("haproxy"));
    for (line, old, new) in [
        ("ingress.kubernetes.io/force-ssl-redirect: \"true\"", of("ingress-nginx"), of("contour")),
        (
            "ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8",
            of("ingress-nginx"),
            of("haproxy-ingress"),
        ),
        // Without CORS, no other origin may use the Service.
        ("nginx.ingress.kubernetes.io/enable-cors: \"true\"", of("ingress-nginx"), of("contour")),
        ("example.com/a: b", given, set),
    ] {
        let ran = compared("compare-words", &old, &new, &[forwarded(line)], &[]).expect(0);
        assert!(ran.stdout.ends_with(" 0 would be open\n"), "{line}: {}", ran.stdout);
    }
}

/// Who serves a class was known, and is a guess: what protects may be said in words that nobody reads.
#[test]
fn class_without_a_known_program_is_reported() {
    let (known, unknown) =
        ("ingressClassName: public\ncontrollers: {public: traefik}\n", "ingressClassName: public\n");
    let services = [with("protected", SOURCES), service("plain")];
    let ran = compared("compare-guess", known, unknown, &services, &[]).expect(1);
    let blessed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare");
    golden(&blessed.join("guess.txt"), &ran.stdout);
    for settings in [
        "ingressClassName: public\ncontrollers: {public: ingress-nginx}\n",
        "ingressClassName: public\ndefaultController: contour\n",
    ] {
        let ran = compared("compare-no-guess", known, settings, &[service("web")], &[]).expect(0);
        assert!(!ran.stdout.contains("nothing says"), "{}", ran.stdout);
    }
}

/// The exit status is about what the new settings would do.
#[test]
fn already_refused_service_does_not_fail_the_comparison() {
    let wrong = with("wrong", "    config.xposer.stakater.com/AllowedSources: office\n");
    let ran =
        compared("compare-refused", "", "labels: {team: shop}\n", &[wrong, service("web")], &[]).expect(0);
    let message =
        "2 services: 1 unchanged, 1 changed; 0 would be refused, 1 refused as before, 0 would be open\n";
    assert!(ran.stdout.ends_with(message) && !ran.stdout.contains("wrong"), "{}", ran.stdout);
    // What is wrong with it besides under the new settings is told.
    let both = with("both", &format!("{SOURCES}    config.xposer.stakater.com/Timeout: soon\n"));
    let new = "target: HTTPRoute\nparentRefs: [{name: external}]\n";
    let ran = compared("compare-refused-again", "", new, &[both], &[]).expect(0);
    assert!(
        ran.stdout.contains("  refused     an HTTPRoute does not support `AllowedSources`"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("soon"), "{}", ran.stdout);
}

/// `kubectl` in front of it may have failed.
#[test]
fn empty_input_is_not_compared() {
    for input in ["", "apiVersion: v1\nkind: ServiceList\nitems: []\n"] {
        let folder = folder("compare-nothing");
        std::fs::write(folder.join("new.yaml"), "").unwrap();
        let ran = xposer_in(&folder, &["compare", "--with", "new.yaml"], input).expect(2);
        assert!(
            ran.stdout.is_empty() && ran.stderr.contains("error: there are no Services to compare\n"),
            "{}",
            ran.stderr
        );
    }
}

/// The text is bounded, and what would be refused comes first; JSON has everything.
#[test]
fn thousands_of_services() {
    let mut services: Vec<String> = (0..2_000).map(|at| service(&format!("s{at}"))).collect();
    services.push(with("last", SOURCES));
    let new = "target: HTTPRoute\nparentRefs: [{name: external}]\n";
    let ran = compared("compare-many", "", new, &services, &[]).expect(1);
    assert!(ran.stdout.starts_with("Service shop/last\n"), "{}", ran.stdout.lines().next().unwrap());
    assert!(ran.stdout.contains("\n1901 more Services change; -o json has all of them\n"));
    assert!(ran.stdout.len() < 100_000, "{}", ran.stdout.len());
    let ran = compared("compare-many-json", "", new, &services, &["-o", "json"]).expect(1);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(found["services"].as_array().unwrap().len(), 2_001);
}

#[test]
fn inputs_are_those_of_render() {
    let folder = folder("compare-inputs");
    std::fs::write(folder.join("new.yaml"), "ingressClassName: internal\n").unwrap();
    let list =
        format!("apiVersion: v1\nkind: List\nitems:\n- {}", service("web").trim_end().replace('\n', "\n  "));
    let ran = xposer_in(&folder, &["compare", "--with", "new.yaml"], &list).expect(0);
    assert!(ran.stdout.contains("+ spec.ingressClassName: internal\n"), "{}", ran.stdout);
    std::fs::write(folder.join("web.yaml"), service("web")).unwrap();
    let ran =
        xposer_in(&folder, &["compare", "--with", "-", "web.yaml"], "ingressClassName: other\n").expect(0);
    assert!(ran.stdout.contains("+ spec.ingressClassName: other\n"), "{}", ran.stdout);
}

#[test]
fn unusable_input_is_reported_and_nothing_is_printed() {
    for (arguments, said) in [
        (
            ["compare", "--with", "no-such-file"].as_slice(),
            "error: there is no such file\n--> no-such-file\n",
        ),
        (&["compare", "--with", "-"], "error: standard input (`-`, or no FILE) can be read only once\n"),
        (&["compare"], "error: the following required arguments were not provided:\n  --with <FILE>\n"),
        (&["compare", "--with", "x", "-A"], "error: -A is an option of kubectl; xposer reads no cluster\n"),
    ] {
        let ran = xposer(arguments, "").expect(2);
        assert!(ran.stdout.is_empty() && ran.stderr.starts_with(said), "{arguments:?}: {}", ran.stderr);
    }
    let ran =
        compared("compare-wrong", "domian: example.com\n", "tls: maybe\n", &[service("web")], &[]).expect(2);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    for said in ["did you mean domain?", "--> old.yaml:1:1", "--> new.yaml:1:6"] {
        assert!(ran.stderr.contains(said), "{said} is missing from {}", ran.stderr);
    }
}

/// What a report calls open is open here, too: certificates that nobody has to show, and one proof where two were needed.
#[test]
fn additions_of_settings_may_weaken_a_protection() {
    let block = |lines: &str| {
        let lines = lines.replace("N/", "      nginx.ingress.kubernetes.io/");
        with("web", &format!("    xposer.stakater.com/annotations: |-\n{lines}"))
    };
    let (old, key) = ("tls: true\n", "annotations:\n  nginx.ingress.kubernetes.io/");
    let both = "N/auth-type: basic\nN/auth-secret: users\nN/whitelist-source-range: 10.0.0.0/8\n";
    for (test, lines, added) in [
        ("verify", "N/auth-tls-secret: shop/ca\n", "auth-tls-verify-client: 'off'"),
        ("no-ca", "N/auth-tls-secret: shop/ca\n", "auth-tls-verify-client: optional_no_ca"),
        ("satisfy", both, "satisfy: any"),
        ("limit", "N/limit-rps: \"5\"\n", "limit-allowlist: 0.0.0.0/0"),
    ] {
        let new = format!("{old}{key}{added}\n");
        let ran = compared(&format!("compare-{test}"), old, &new, &[block(lines)], &[]).expect(1);
        assert!(ran.stdout.contains("0 would be refused, 1 would be open"), "{}", ran.stdout);
    }
    // Where TLS passes through, the list has no effect, which is an error.
    let sources = block("N/whitelist-source-range: 10.0.0.0/8\n");
    let ran = compared("compare-passed", old, "tls: true\ntlsPassthrough: true\n", &[sources], &[]).expect(1);
    assert!(ran.stdout.contains("1 would be refused"), "{}", ran.stdout);
}

/// A long value that changes at its end, and a port at which a load balancer no longer listens.
#[test]
fn what_differs_is_shown() {
    let origins = |last: &str| {
        let many: Vec<String> = (0..9).map(|at| format!("https://shop-{at}.example.com")).collect();
        format!("cors: {{origins: [{}, \"{last}\"]}}\n", many.join(", "))
    };
    let (old, new) = (origins("https://a.example.com"), origins("https://*.example.com"));
    let ran = compared("compare-long", &old, &new, &[service("web")], &[]).expect(1);
    for said in [
        ": ...https://a.example.com -> ...https://*.example.com\n",
        "  open        CORS `…https://a.example.com` would be `…https://*.example.com`, which admits more clients\n",
    ] {
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
    }
    let ports = |list: &str| {
        let key = "alb.ingress.kubernetes.io/listen-ports";
        format!("ingressClassName: alb\ntls: load-balancer\nannotations: {{{key}: '{list}'}}\n")
    };
    let (old, new) = (ports("[{\"HTTPS\": 443}, {\"HTTPS\": 8443}]"), ports("[{\"HTTPS\": 443}]"));
    let ran = compared("compare-ports", &old, &new, &[service("web")], &[]).expect(0);
    let said = "  lost        the load balancer would not listen for HTTPS at 8443\n";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
}
