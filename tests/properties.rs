//! Properties that hold for every input.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a property that cannot be set up has failed"
)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use xposer::diagnostics::Root;
use xposer::options::{annotations, settings};
use xposer::service::FORWARD_ANNOTATION;
use xposer::template::{Template, Vars};
use xposer::validation::PathType;
use xposer::validation::{annotation_key_error, host_errors, is_dns_label, is_dns_subdomain, path_error};
use xposer::{Outcome, Precedence, Report, Service, Settings, Severity, expose, expose_all};
use xposer_testkit::schema::Schemas;

/// Texts with parts of real annotations, and arbitrary texts.
fn annotation_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{{",
        "}}",
        "{{.Service}}",
        "{{.Namespace}}",
        "{{.Domain}}",
        "{{ .Service | upper }}",
        "{{- ",
        " -}}",
        "`",
        "\"",
        "{{if eq .Namespace \"shop\"}}",
        "{{else}}",
        "{{end}}",
        "{{#if Domain}}",
        "{{/if}}",
        "{{with .Domain}}",
        "{{$x := .Service}}",
        "{{$x}}",
        "printf \"%s\" ",
        "(",
        ")",
        "|",
        ".",
        "/",
        "//",
        "-",
        "_",
        "*",
        "web",
        "Example",
        "com",
        "https://",
        ":",
        ":80",
        ",",
        "\n",
        "\r\n",
        " ",
        "true",
        "NO_SECRET",
        "key: value",
        "a/b/c: d",
        "10.0.0.1",
        "exposeIngressUrl: locally",
        "kubernetes.io/ingress.class: nginx",
        "ingress.kubernetes.io/x: y",
        "HTTPRoute",
        "Route",
        "cert-manager",
        "load-balancer",
        "external",
        "10",
        "%",
        "é",
        "\u{0}",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ]);
    prop_oneof![
        4 => prop::collection::vec(pieces, 0..12).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
        1 => "[a-z0-9.{}-]{0,80}",
    ]
}

fn service() -> impl Strategy<Value = Value> {
    let names: Vec<&'static str> = annotations().map(|(key, _)| key.name).collect();
    let annotations = prop::collection::btree_map(
        prop_oneof![9 => prop::sample::select(names).prop_map(str::to_owned), 1 => "config\\.xposer\\.stakater\\.com/[A-Za-z]{1,12}"],
        annotation_text(),
        0..7,
    );
    let name = prop_oneof![8 => Just("web".to_owned()), 1 => any::<String>(), 1 => "[a-z-]{60,70}"];
    let namespace = prop_oneof![8 => Just(json!("shop")), 1 => Just(Value::Null), 1 => any::<String>().prop_map(Value::from)];
    let ports = prop_oneof![
        6 => Just(json!([{"name": "http", "port": 80}, {"name": "admin", "port": 8080, "protocol": "UDP"}])),
        1 => Just(json!([])),
        1 => Just(Value::Null),
        1 => Just(json!([{"port": 0}, {"port": "80"}, 7, {"port": 70000}])),
    ];
    let spec = prop_oneof![Just("ClusterIP"), Just("ExternalName")];
    (name, namespace, annotations, ports, spec).prop_map(|(name, namespace, annotations, ports, kind)| {
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": namespace, "labels": {"expose": "true"}, "annotations": annotations},
            "spec": {"type": kind, "ports": ports}})
    })
}

fn config() -> impl Strategy<Value = Value> {
    let names: Vec<&'static str> = settings().map(|(key, _)| key.name).collect();
    let value = prop_oneof![
        3 => annotation_text().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => prop::collection::vec(annotation_text(), 0..4).prop_map(Value::from),
    ];
    prop::collection::btree_map(prop::sample::select(names), value, 0..5).prop_map(|map| json!(map))
}

/// Services whose annotations are mostly valid, so that most of them are planned.
fn plausible_service() -> impl Strategy<Value = Value> {
    let pick = |values: &'static [&'static str]| prop::option::of(prop::sample::select(values));
    let name = pick(&[
        "{{.Service}}-{{.Namespace}}",
        "front",
        "a.b-c.d",
        "{{.Service | trunc 2}}",
        "{{#if Domain}}x{{/if}}",
    ]);
    let url = pick(&[
        "{{.Service}}.{{.Domain}}",
        "*.{{.Domain}}",
        "a.com, b.com/x,a.com/y",
        "{{.Service}}.x/api\nother.x",
        "a.com/(.*)",
        "a.com/a//b",
        "{{`{{.Service}}.{{.Domain}}`}}",
        "A.com",
        "{{with .Domain}}{{.}}{{end}}/x/",
        "10.0.0",
        "1.2.3.4",
        "a.com/50%",
        "a.com/b~c,b.com/%20",
    ]);
    let path = pick(&["/", "/api", "api/", "/{{.Service}}(/|$)(.*)", "/%2f", "//", "/caf\u{e9}"]);
    let rest = (
        pick(&["true", "F", "maybe", "cert-manager", "load-balancer"]),
        pick(&["NO_SECRET", "tls-{{.Service}}", "tls_secret"]),
        pick(&["http", "80", "8080", "admin", "nope", "0"]),
        pick(&["Exact", "Prefix", "ImplementationSpecific", "prefix"]),
        pick(&["nginx", "external.class"]),
        pick(&["company.com", "{{.Namespace}}.x", " padded.com "]),
        prop::collection::vec(
            prop::sample::select(vec![
                "kubernetes.io/ingress.class: nginx",
                "ingress.kubernetes.io/ssl-redirect: \"true\"",
                "a: 1",
                "a: 2",
                "nginx.ingress.kubernetes.io/ssl-redirect: false",
                "certmanager.k8s.io/issuer: x",
                "# comment",
                "junk",
                "exposeIngressUrl: locally",
                "exposeIngressUrl: globally",
                "monitor.stakater.com/enabled: true",
                "uptimerobot.monitor.stakater.com/interval: 300",
                "nginx.ingress.kubernetes.io/rewrite-target: /x",
                "external-dns.alpha.kubernetes.io/ttl: 60",
                "forecastle.stakater.com/expose: true",
                "x/y : z\r",
            ]),
            0..6,
        ),
    );
    let added = (
        pick(&["external", "internal", "nobody"]),
        pick(&["Ingress", "HTTPRoute", "Route", "Route, HTTPRoute,Ingress"]),
        prop::option::weighted(0.2, prop::sample::select(&["api", "web"][..])),
        pick(&["0", "100", "101"]),
        pick(&["X-Canary", "not a header"]),
        pick(&["true", "false"]),
        pick(&["/healthz", "healthz"]),
        pick(&["internal-ca"]),
        pick(&["true", "false"]),
    );
    (name, url, path, rest, added).prop_map(|(name, url, path, rest, added)| {
        let (tls, secret, port, kind, class, domain, lines) = rest;
        let (profile, target, of, weight, header, monitor, health, issuer, redirect) = added;
        let mut annotations = Map::new();
        for (key, value) in [
            ("IngressNameTemplate", name), ("IngressURLTemplate", url), ("IngressURLPath", path), ("TLS", tls),
            ("TLSSecretNameTemplate", secret), ("ServicePort", port), ("PathType", kind), ("IngressClassName", class),
            ("Domain", domain), ("Profile", profile), ("Target", target), ("CanaryOf", of),
            ("CanaryWeight", of.and(weight)), ("CanaryByHeader", of.and(header)), ("Monitor", monitor),
            ("MonitorHealthEndpoint", health), ("Issuer", issuer), ("HTTPSRedirect", redirect),
        ] {
            annotations.extend(value.map(|value| (format!("config.xposer.stakater.com/{key}"), value.into())));
        }
        annotations.insert(FORWARD_ANNOTATION.to_owned(), lines.join("\n").into());
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}, "annotations": annotations},
            "spec": {"ports": [{"name": "http", "port": 80}, {"name": "admin", "port": 8080}]}})
    })
}

/// Services with keys and words of Xposer in every place.
fn misplaced() -> impl Strategy<Value = Value> {
    let key = || {
        prop::sample::select(
            &[
                "expose",
                "Expose",
                "exposed",
                "xposer.stakater.com/expose",
                "config.xposer.stakater.com/TLS",
                "xposer.stakater.com/annotations",
                "labels",
                "annotations",
                "annotation",
                "app",
            ][..],
        )
    };
    let word = || prop::sample::select(&["true", "True", "yes", "false", "no", "", "maybe"][..]);
    let text = move || word().prop_map(Value::from);
    let map = move || prop::collection::btree_map(key(), text(), 0..3).prop_map(|map| json!(map));
    let value = move || prop_oneof![4 => text(), 1 => map(), 1 => map().prop_map(|map| json!([map])), 1 => Just(json!(1))];
    let fields = move || {
        let some = prop::collection::btree_map(key(), value(), 0..4).prop_map(|map| json!(map));
        prop_oneof![6 => some, 1 => value()]
    };
    (fields(), fields(), fields(), fields(), fields()).prop_map(
        |(top, metadata, labels, annotations, spec)| {
            let mut document = json!({"apiVersion": "v1", "kind": "Service"});
            let mut inside = json!({"name": "web", "namespace": "shop"});
            for (into, from) in [(&mut document, &top), (&mut inside, &metadata)] {
                for (key, value) in from.as_object().into_iter().flatten() {
                    into[key] = value.clone();
                }
            }
            inside["labels"] = labels;
            inside["annotations"] = annotations;
            document["metadata"] = inside;
            document["spec"] = spec;
            document
        },
    )
}

/// Returns valid settings: the given settings without the invalid entries.
fn readable(config: &Value) -> (Settings, Value) {
    match Settings::from_value(config) {
        Ok(settings) => (settings, config.clone()),
        Err(report) => {
            let bad: Vec<String> = report.diagnostics().iter().map(|d| d.path.to_string()).collect();
            let kept: Map<String, Value> = config
                .as_object()
                .unwrap()
                .iter()
                .filter(|(key, _)| !bad.iter().any(|path| path.starts_with(&format!("settings.{key}"))))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            let kept = Value::Object(kept);
            (Settings::from_value(&kept).unwrap(), kept)
        }
    }
}

thread_local! {
    static SCHEMAS: Schemas = Schemas::ours().unwrap();
}

/// Checks an object with every rule of the API server of Kubernetes 1.36 for an Ingress, and with the rules of DNS. Other kinds are
/// checked with the rules of their definitions.
fn assert_accepted(object: &Value) {
    if object["kind"] == "ConfigMap" {
        assert!(is_dns_label(object["metadata"]["namespace"].as_str().unwrap()));
        for key in object["data"].as_object().unwrap().keys() {
            assert!(!key.is_empty() && key.len() <= 253, "{key}");
            assert!(
                key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')),
                "{key}"
            );
        }
        return;
    }
    let metadata = &object["metadata"];
    assert!(is_dns_subdomain(metadata["name"].as_str().unwrap()));
    if let Some(namespace) = metadata["namespace"].as_str() {
        assert!(is_dns_label(namespace));
    }
    let mut size = 0;
    for (key, value) in metadata["annotations"].as_object().into_iter().flatten() {
        assert_eq!(annotation_key_error(key), None, "{key}");
        size += key.len() + value.as_str().unwrap().len();
    }
    assert!(size <= 262_144);
    for value in metadata["labels"].as_object().unwrap().values() {
        assert!(value.as_str().unwrap().len() <= 63);
    }
    if object["kind"] != "Ingress" {
        let errors = SCHEMAS.with(|schemas| schemas.errors(object)).unwrap();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
        return;
    }
    let spec = &object["spec"];
    if let Some(class) = spec["ingressClassName"].as_str() {
        assert!(is_dns_subdomain(class));
        let annotation = metadata["annotations"]["kubernetes.io/ingress.class"].as_str();
        assert!(annotation.is_none_or(|annotation| annotation == class));
    }
    let rules = spec["rules"].as_array().unwrap();
    assert!(!rules.is_empty());
    for rule in rules {
        let host = rule["host"].as_str().unwrap();
        assert!(host_errors(host).is_empty() && !host.is_empty(), "{host}");
        assert!(host.len() <= 253 && host.split('.').all(|label| label.len() <= 63));
        let paths = rule["http"]["paths"].as_array().unwrap();
        assert!(!paths.is_empty());
        for path in paths {
            let kind = path["pathType"].as_str().unwrap().parse::<PathType>().unwrap();
            assert_eq!(path_error(path["path"].as_str().unwrap(), kind), None);
            let backend = &path["backend"]["service"];
            assert!(is_dns_label(backend["name"].as_str().unwrap()));
            let port = backend["port"].as_object().unwrap();
            assert_eq!(port.len(), 1);
            assert!(port.get("number").is_none_or(|number| (1..=65535).contains(&number.as_u64().unwrap())));
        }
    }
    for tls in spec["tls"].as_array().into_iter().flatten() {
        assert!(is_dns_subdomain(tls["secretName"].as_str().unwrap()));
        assert_eq!(tls["hosts"].as_array().unwrap().len(), rules.len());
    }
    assert_eq!(spec.get("defaultBackend"), None);
}

/// Checks the properties of one Service. Returns whether it was planned.
fn check_one(document: &Value, config: &Value) -> Result<bool, TestCaseError> {
    let (settings, config) = readable(config);
    let view = Service::from_value(document);
    let outcome = expose(&view, &settings);
    match &outcome {
        Outcome::NotExposed { .. } => prop_assert!(false, "the label is there"),
        Outcome::Refused(report) => prop_assert!(report.has_errors()),
        Outcome::Conflicting(_) => prop_assert!(false, "there is no other Service"),
        Outcome::Planned { plan, report } => {
            prop_assert!(!report.has_errors());
            for object in plan.emit().objects {
                let value = object.to_value();
                assert_accepted(&value);
                prop_assert_eq!(object.to_json(), value.to_string());
            }
        }
    }
    for diagnostic in outcome.report().unwrap().diagnostics() {
        let found = match diagnostic.path.root() {
            Root::Object => diagnostic.path.lookup(document),
            Root::Settings => diagnostic.path.lookup(&config),
        };
        prop_assert!(found.is_some(), "{} is nowhere", diagnostic);
        if let (Some(range), Some(Value::String(text))) = (&diagnostic.range, found) {
            prop_assert!(text.get(range.clone()).is_some(), "{}: {range:?}", diagnostic);
        }
    }
    let again = expose(&view, &settings);
    prop_assert_eq!(outcome.report(), again.report());
    Ok(outcome.plan().is_some())
}

/// The properties hold for mostly valid Services. The count ensures that many of them are planned.
#[test]
fn planned_objects_are_valid() {
    let config = ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let planned = std::cell::Cell::new(0);
    let settings = prop::sample::select(vec![
        json!({"domain": "example.com"}),
        json!({"domain": "example.com", "tls": true, "legacyAnnotations": "forward", "ingressClassName": "internal"}),
        json!({"domain": "example.com", "strict": true, "servicePort": "http", "pathType": "Prefix"}),
        json!({"tls": true, "tlsCommonName": true, "ingressURLTemplateFallbacks": ["{{.Service}}.example.com"]}),
        json!({"domain": "example.com", "target": ["Ingress", "HTTPRoute", "Route"], "parentRefs": [{"name": "gw"}],
            "httpParentRefs": [{"name": "gw", "sectionName": "http"}], "tls": true, "monitor": true}),
        json!({"domain": "example.com", "defaultProfile": "internal", "certificates": ["*.example.com"],
            "profiles": {"internal": {"ingressClassName": "internal"}, "external": {"tls": "load-balancer",
                "namespaces": ["sh*"], "httpsRedirect": true, "parentRefs": [{"name": "gw"}]}},
            "namespaces": {"shop": {"hosts": ["*.example.com", "*.com", "*.x", "other.x"]}}}),
        json!({"domain": "example.com", "routeTermination": "passthrough", "target": "Route", "tls": "cert-manager",
            "clusterIssuer": "letsencrypt", "parentRefs": [{"name": "gw"}]}),
    ]);
    runner
        .run(&(plausible_service(), settings), |(document, config)| {
            planned.set(planned.get() + u32::from(check_one(&document, &config)?));
            Ok(())
        })
        .unwrap();
    assert!(planned.get() > 300, "only {} Services were planned", planned.get());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// There is never a panic, and an Error exactly if there is no plan. Every place in a finding exists, an API server accepts the
    /// emitted objects, and the same input gives the same output.
    #[test]
    fn exposing_is_total(document in service(), config in config()) {
        check_one(&document, &config)?;
    }

    /// No two planned Services have the same claim, and a conflict names both Services.
    #[test]
    fn claims_are_exclusive(documents in prop::collection::vec(plausible_service(), 0..4)) {
        let settings = Settings::from_value(&json!({"domain": "example.com"})).unwrap();
        let views: Vec<Service<'_>> = documents.iter().map(Service::from_value).collect();
        let outcomes = expose_all(&views, &settings, Precedence::RefuseAll);
        prop_assert_eq!(outcomes.len(), documents.len());
        let mut claimed = std::collections::HashSet::new();
        for plan in outcomes.iter().filter_map(Outcome::plan) {
            let fresh = claimed.insert(format!("{:?} {}", plan.namespace(), plan.name()));
            prop_assert!(fresh);
            for rule in plan.routes() {
                let exact = rule.path_type == PathType::Exact;
                let fresh = claimed.insert(format!("{}{} {exact}", rule.host, rule.path));
                prop_assert!(fresh);
            }
        }
        for report in outcomes.iter().filter_map(Outcome::report) {
            let refused = report.of(Severity::Error).next().is_some();
            prop_assert_eq!(refused, report.has_errors());
        }
    }

    /// Neither reading nor trying settings panics, and every problem names a setting that exists.
    #[test]
    fn settings_are_total(config in config()) {
        if let Err(report) = Settings::from_value(&config) {
            prop_assert!(report.has_errors());
            for diagnostic in report.diagnostics() {
                prop_assert!(diagnostic.path.lookup(&config).is_some(), "{} is nowhere", diagnostic);
            }
        }
        let (settings, config) = readable(&config);
        for diagnostic in settings.try_out().diagnostics() {
            prop_assert_eq!((diagnostic.path.root(), diagnostic.severity), (Root::Settings, Severity::Error));
            let found = diagnostic.path.lookup(&config);
            prop_assert!(found.is_some(), "{} is nowhere", diagnostic);
            if let (Some(range), Some(Value::String(text))) = (&diagnostic.range, found) {
                prop_assert!(text.get(range.clone()).is_some(), "{}: {range:?}", diagnostic);
            }
        }
    }

    /// For any labels, annotations and misplaced fields of a Service, a doubt whether it asks to be exposed is a Warning at a place
    /// that exists, and does not change the outcome.
    #[test]
    fn doubts_are_total(document in misplaced()) {
        let view = Service::from_value(&document);
        let settings = Settings::from_value(&json!({"domain": "example.com", "strict": true})).unwrap();
        let outcome = expose(&view, &settings);
        prop_assert_eq!(matches!(outcome, Outcome::NotExposed { .. }), !view.is_exposed());
        if let Outcome::NotExposed { report: Some(report) } = &outcome {
            prop_assert!(!report.is_empty() && !report.has_errors());
        }
        for diagnostic in outcome.report().into_iter().flat_map(Report::diagnostics) {
            prop_assert!(diagnostic.path.lookup(&document).is_some(), "{} is nowhere", diagnostic);
        }
    }

    /// The three renderers (joined segments, evaluated tree, Handlebars) agree on every template that all three can read.
    #[test]
    fn the_three_ways_to_render_agree(parts in prop::collection::vec(0_usize..5, 1..8), text in "[a-z.-]{0,6}") {
        let vars = Vars { service: "web", namespace: Some("shop"), domain: Some("example.com"), host: None };
        let spell = |open: &str, close: &str| -> String {
            parts.iter().map(|part| match part {
                0 => format!("{open}Service{close}"),
                1 => format!("{open}Namespace{close}"),
                2 => format!("{open}Domain{close}"),
                _ => text.clone(),
            }).collect()
        };
        let render = |text: &str| Template::parse(text).unwrap().render(&vars).unwrap();
        let plain = render(&spell("{{.", "}}"));
        prop_assert_eq!(&plain, &render(&spell("{{ ", " }}")));
        // An action that is not a plain variable selects the evaluated tree for the whole template.
        prop_assert_eq!(&plain, &render(&format!("{{{{if true}}}}{}{{{{end}}}}", spell("{{.", "}}"))));
        // A block of Handlebars selects the crate.
        prop_assert_eq!(&plain, &render(&format!("{{{{#if true}}}}{}{{{{/if}}}}", spell("{{", "}}"))));
        let escaped = format!("{{{{`{}`}}}}", spell("{{.", "}}"));
        prop_assert_eq!(&plain, &render(&escaped));
    }

    /// The ranges of the lines of a forwarded block give back exactly the written keys and values.
    #[test]
    fn the_forwarded_block_keeps_what_was_written(block in annotation_text()) {
        let (parsed, problems) = xposer::internal::block::parse(&block);
        for line in parsed.lines() {
            prop_assert_eq!(block.get(line.key_range.clone()), Some(line.key));
            prop_assert_eq!(block.get(line.value_range.clone()), Some(line.value));
            prop_assert!(parsed.contains(line.key));
        }
        let keys: std::collections::HashSet<_> = parsed.lines().iter().map(|line| line.key).collect();
        prop_assert_eq!(keys.len(), parsed.lines().len());
        for problem in problems {
            prop_assert!(block.get(problem.range.unwrap()).is_some());
        }
    }
}

#[test]
fn annotations_beyond_the_limit_are_refused_and_not_computed() {
    let document = |size: usize| {
        json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"},
            "annotations": {FORWARD_ANNOTATION: format!("a: {}", "x".repeat(size - FORWARD_ANNOTATION.len() - 3))}},
            "spec": {"ports": [{"port": 80}]}})
    };
    let settings = Settings::from_value(&json!({"domain": "example.com"})).unwrap();
    let fits = document(262_144);
    assert!(expose(&Service::from_value(&fits), &settings).plan().is_some());
    let large = document(262_145);
    let outcome = expose(&Service::from_value(&large), &settings);
    let report = outcome.report().unwrap();
    assert_eq!(report.diagnostics().len(), 1);
    assert_eq!(
        report.diagnostics()[0].message,
        "the annotations have 262145 bytes, the API server allows 262144"
    );
}

/// Messages are shown in Events, responses of the policy and terminals. They contain no invisible characters and none that change
/// the direction of text, wherever a user can write one.
#[test]
fn diagnostics_have_no_hidden_characters() {
    // Two isolates, an Arabic letter mark, a soft hyphen, a byte order mark, a Hangul filler, a tag character, and a control
    // sequence.
    for hidden in
        ["\u{2066}", "\u{2069}", "\u{61c}", "\u{ad}", "\u{feff}", "\u{3164}", "\u{e0041}", "\u{1b}[2J"]
    {
        let texts = [
            "aXb",
            "X",
            "/aX",
            "{{.DoXmain}}",
            "{{ fooX }}",
            "{{ \"aX\" | trunc 5000000 }}",
            "{{printf \"%Xd\" 1}}",
            "{{#if X}}",
            "[aX: 1]",
            "{\"aX\": 1}",
            "a.com/x -> X",
            "https://aX.com/x",
            "DenyX",
            "10.0.0.0X/8",
            "aX: b\nx",
            "example.com/aX: b",
            "nginx.ingress.kubernetes.io/rewriteX: x",
            "nginx.ingress.kubernetes.io/rewrite-target: /xX",
        ]
        .map(|text| text.replace('X', hidden));
        let unknown = format!("config.xposer.stakater.com/Do{hidden}main");
        let keys = annotations().map(|(key, _)| key.name).chain([FORWARD_ANNOTATION, &unknown]);
        let mut message = 0;
        for (key, text) in keys.flat_map(|key| texts.iter().map(move |text| (key, text))) {
            let document = json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"},
                "annotations": {key: text}}, "spec": {"ports": [{"port": 80}]}});
            let settings = Settings::from_value(&json!({"domain": "example.com"})).unwrap();
            let outcome = expose(&Service::from_value(&document), &settings);
            for diagnostic in outcome.report().map(Report::diagnostics).unwrap_or_default() {
                let line = diagnostic.to_string();
                assert!(!line.contains(xposer::internal::is_hidden), "{key}: {text:?}: {line:?}");
                message += usize::from(line.contains("u{"));
            }
        }
        assert!(message > 100, "{message}");
        for (key, _) in settings() {
            let document = json!({key.name: texts[0], texts[0].as_str(): {"a": texts[1]}});
            let report = Settings::from_value(&document).unwrap_err();
            let text = report.to_string();
            assert!(
                !text.lines().any(|line| line.contains(xposer::internal::is_hidden)),
                "{key:?}: {text:?}"
            );
        }
    }
}
