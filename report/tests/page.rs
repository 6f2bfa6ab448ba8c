//! Tests the content of a report as data, as a graph and as a page, and the treatment of hostile text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use std::collections::BTreeSet;

use common::{HOSTILE, example_page, hostile_page, many, report, service};
use serde_json::{Value, json};
use xposer::{Precedence, Target};
use xposer_report::model::{Access, CertificateSource, MigrationResult};
use xposer_report::{Options, Report, content_security_policy};

fn of(documents: &[Value], settings: &Value) -> Report {
    report(documents, settings, &Options::default())
}

const DOMAIN: &str = "example.com";

#[test]
fn the_same_input_gives_the_same_report() {
    let mut documents = many(90);
    let settings = json!({"domain": DOMAIN});
    let page = of(&documents, &settings).to_html();
    assert_eq!(page, of(&documents, &settings).to_html());
    // The order of the input does not change the order of the rows.
    let names = |documents: &[Value]| -> Vec<_> {
        of(documents, &settings).rows.iter().map(|row| row.service.clone()).collect()
    };
    let in_order = names(&documents);
    documents.reverse();
    assert_eq!(names(&documents), in_order);
}

#[test]
fn access_column() {
    let row = |annotations: &[(&str, &str)], settings: Value| {
        let mut settings = settings;
        settings["domain"] = DOMAIN.into();
        let report = of(&[service("shop", "web", annotations)], &settings);
        assert_eq!(report.refused.len(), 0, "{:?}", report.refused);
        report.rows[0].access
    };
    let block = |line: &str| {
        let forwarded = format!("{line}\n");
        row(&[("xposer.stakater.com/annotations", forwarded.as_str())], json!({}))
    };
    assert_eq!(row(&[], json!({})), Access::Open);
    // Limits, TLS and denied addresses do not restrict the access.
    for (key, value) in [
        ("RateLimit", "10/s"),
        ("TLS", "true"),
        ("DeniedSources", "192.0.2.0/24"),
        ("MaxBodySize", "1Mi"),
        ("AllowedSources", "0.0.0.0/0"),
    ] {
        assert_eq!(row(&[(key, value)], json!({})), Access::Open, "{key}: {value}");
    }
    for (key, value) in [
        ("AllowedSources", "10.0.0.0/8"),
        ("BasicAuth", "users"),
        ("ExternalAuth", "https://auth.example.com/verify"),
    ] {
        assert_eq!(row(&[(key, value)], json!({})), Access::Restricted, "{key}: {value}");
    }
    // An optional client certificate does not restrict the access.
    let tls = json!({"tls": true});
    assert_eq!(row(&[("ClientCertificate", "ca")], tls.clone()), Access::Restricted);
    assert_eq!(row(&[("ClientCertificate", "secret: ca\nverify: optional")], tls), Access::Open);
    assert_eq!(block("nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8"), Access::Restricted);
    // A target without support for the option is open, and the most open target counts for the row.
    let both = json!({"target": ["Ingress", "HTTPRoute"], "parentRefs": [{"name": "external"}],
        "gatewayController": "gateway", "annotations": {"acceptLoss": ["*/AllowedSources"]}});
    let mut settings = both;
    settings["domain"] = DOMAIN.into();
    let report = of(&[service("shop", "web", &[("AllowedSources", "10.0.0.0/8")])], &settings);
    let row = &report.rows[0];
    let by_target: Vec<_> = row.targets.iter().map(|target| (target.kind, target.access)).collect();
    assert_eq!(by_target, [("Ingress", Access::Restricted), ("HTTPRoute", Access::Open)]);
    assert_eq!((row.access, report.summary.open), (Access::Open, 1));
}

#[test]
fn each_target_has_its_certificate() {
    let settings = json!({"domain": DOMAIN, "tls": true, "target": ["Ingress", "HTTPRoute"],
        "parentRefs": [{"name": "external"}]});
    let report = of(&[service("shop", "web", &[])], &settings);
    let row = &report.rows[0];
    let sources: Vec<_> =
        row.targets.iter().map(|it| it.certificate.as_ref().map(|here| here.source)).collect();
    assert_eq!(row.certificate.source, CertificateSource::Secret);
    assert_eq!(sources, [None, Some(CertificateSource::Gateway)]);
    assert!(report.to_html().contains("<small>HTTPRoute: Gateway</small>"));
}

#[test]
fn errors_come_before_other_findings() {
    let block = "nginx.ingress.kubernetes.io/server-snippet: deny all;\n";
    let long = format!("/{}{{", "A".repeat(100_000));
    let annotations = [
        ("IngressURLTemplate", "Web.example.com"),
        ("xposer.stakater.com/annotations", block),
        ("Monitor", "true"),
        ("MonitorHealthEndpoint", long.as_str()),
    ];
    let report = of(&[service("shop", "web", &annotations)], &json!({"domain": DOMAIN}));
    let severities: Vec<_> = report.refused[0].findings.iter().map(|it| it.severity).collect();
    let place = |word: &str| ["error", "warning", "info"].iter().position(|it| *it == word);
    assert!(severities.is_sorted_by_key(|it| place(it)), "{severities:?}");
    assert!(severities[0] == "error" && severities.len() > 1, "{severities:?}");
    let help = report.refused[0].findings.iter().filter_map(|it| it.help.as_deref());
    assert!(help.map(str::len).max() <= Some(1000));
}

#[test]
fn a_canary_and_its_stable_service_name_each_other() {
    let documents = [
        service("shop", "web", &[("AllowedSources", "10.0.0.0/8")]),
        service("shop", "web-next", &[("CanaryOf", "web"), ("CanaryWeight", "10")]),
    ];
    let report = of(&documents, &json!({"domain": DOMAIN}));
    let [stable, canary] = report.rows.as_slice() else { panic!("{:?}", report.refused) };
    assert_eq!((stable.canaries[0].service.as_str(), stable.canaries[0].weight), ("web-next", Some(10)));
    assert_eq!(canary.canary.as_ref().map(|it| it.service.as_str()), Some("web"));
    // The annotations of the stable Service decide the access to both.
    assert_eq!(canary.access, Access::Restricted);
    assert!(report.to_html().contains("<a href=\"#s2\">web-next</a>"));
}

#[test]
fn conflicts_are_named_with_what_is_claimed() {
    let same = [("IngressURLTemplate", "www.example.com"), ("TLS", "false")];
    let documents = [service("a", "one", &same), service("b", "two", &same), service("c", "three", &[])];
    let settings = json!({"domain": DOMAIN});
    let report = of(&documents, &settings);
    assert_eq!(report.conflicts.len(), 1, "{:?}", report.conflicts);
    let conflict = &report.conflicts[0];
    assert_eq!(conflict.claim, "www.example.com/");
    assert!(conflict.services.iter().map(|it| it.service.as_str()).eq(["one", "two"]));
    assert!(report.refused.iter().all(|it| it.conflict) && report.rows.len() == 1);
    // In a cluster, the oldest Service is exposed.
    let options = Options { precedence: Precedence::OldestFirst, ..Options::default() };
    let report = common::report(&documents, &settings, &options);
    let exposed: Vec<bool> = report.conflicts[0].services.iter().map(|it| it.exposed).collect();
    assert_eq!((exposed, report.rows.len()), (vec![true, false], 2));
}

#[test]
fn hosts_of_others_are_named() {
    let settings = json!({"domain": DOMAIN, "namespaces": {"bank": {"hosts": ["bank.example.com"]}}});
    let report = of(&[service("shop", "web", &[("IngressURLTemplate", "bank.example.com")])], &settings);
    let [foreign] = report.foreign_hosts.as_slice() else { panic!("{report:?}") };
    assert_eq!(foreign.host, "bank.example.com");
    assert_eq!(report.summary.foreign_hosts, 1);
    // Without the setting, every host is allowed.
    let report = of(&[service("shop", "web", &[("IngressURLTemplate", "bank.example.com")])], &json!({}));
    assert!(report.foreign_hosts.is_empty() && report.rows.len() == 1);
}

#[test]
fn migration_shows_the_worst_result() {
    let result = |annotations: &[(&str, &str)], more: &Value| {
        let mut settings =
            json!({"domain": DOMAIN, "parentRefs": [{"name": "external"}], "gatewayController": "gateway"});
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        let options = Options { compare_target: Some(Target::HttpRoute), ..Options::default() };
        let report = report(&[service("shop", "web", annotations)], &settings, &options);
        report.rows[0].migration.as_ref().unwrap().result
    };
    let none = json!({});
    assert_eq!(result(&[], &none), MigrationResult::Same);
    assert_eq!(result(&[("AllowedSources", "10.0.0.0/8")], &none), MigrationResult::Refused);
    let accepted = json!({"annotations": {"acceptLoss": ["*/AllowedSources"]}});
    assert_eq!(result(&[("AllowedSources", "10.0.0.0/8")], &accepted), MigrationResult::Opens);
    assert_eq!(result(&[("StickySession", "true")], &none), MigrationResult::Loses);
    assert_eq!(result(&[("Target", "HTTPRoute")], &none), MigrationResult::Same);
}

#[test]
fn bounded_lists_report_omitted_entries() {
    let options = Options { limit: Some(10), compare_target: Some(Target::HttpRoute), ..Options::default() };
    let settings = json!({"domain": DOMAIN, "parentRefs": [{"name": "external"}]});
    let report = report(&many(300), &settings, &options);
    let left = report.left_out.as_ref().unwrap();
    assert_eq!((report.rows.len(), report.refused.len()), (10, 10));
    assert_eq!(left.rows + 10, report.summary.exposed);
    assert_eq!(left.refused + 10, report.summary.refused);
    assert_eq!(report.summary.exposed + report.summary.refused, 300);
    let told = report.findings.len() + report.refused.iter().map(|it| it.findings.len()).sum::<usize>();
    assert!(told <= 10 && left.findings > 0);
    let found = report.summary.migration.unwrap();
    let all = found.same + found.differs + found.loses + found.opens + found.refused;
    assert_eq!(all, report.summary.exposed);
    assert!(report.to_html().contains("This report is not complete."));
}

/// The size of the report grows at most linearly with the number of Services.
#[test]
fn twenty_thousand_services_are_a_report() {
    let settings = json!({"domain": DOMAIN});
    let size = |count: usize| {
        let report = of(&many(count), &settings);
        [report.to_html().len(), report.to_json().len(), report.to_mermaid().len()]
    };
    let (small, large) = (size(2_000), size(20_000));
    for (small, large) in small.into_iter().zip(large) {
        assert!(large < 11 * small, "{small} {large}");
    }
}

#[test]
fn a_service_can_have_hundreds_of_findings() {
    let wrong: Vec<(String, String)> = (0..150)
        .flat_map(|number| {
            [
                (format!("Unknown{number}"), "x".to_owned()),
                (format!("foreign{number}.nginx.ingress.kubernetes.io/x"), "y".to_owned()),
            ]
        })
        .collect();
    let block: String = (0..120).map(|number| format!("<b>{number}\n")).collect();
    let mut wrong: Vec<(&str, &str)> =
        wrong.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    wrong.extend([("xposer.stakater.com/annotations", block.as_str()), ("IngressURLTemplate", "{{.Doman}}")]);
    let report = of(&[service("shop", "web", &wrong)], &json!({"domain": DOMAIN}));
    let [refused] = report.refused.as_slice() else { panic!("{report:?}") };
    assert!(refused.findings.len() >= 200, "{}", refused.findings.len());
    assert_eq!(report.to_html().matches("<li class=\"finding\">").count(), refused.findings.len());
}

#[test]
fn empty_report() {
    let report = of(&[], &json!({}));
    assert!(report.to_html().contains("No Service is exposed"));
    assert_eq!(report.to_mermaid(), "flowchart LR\n");
    // Services that do not ask to be exposed are counted.
    let quiet = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}});
    let report = of(&[quiet], &json!({}));
    assert_eq!((report.summary.services, report.summary.not_exposed), (1, 1));
}

#[test]
fn hostile_text_is_text() {
    let page = hostile_page();
    for (start, count) in
        [("<script", 1), ("</script", 1), ("<style", 1), ("</style", 1), ("<img", 0), ("<!--", 0)]
    {
        assert_eq!(page.matches(start).count(), count, "{start}");
    }
    for text in HOSTILE.iter().filter(|text| text.contains(['<', '"', '\''])) {
        assert!(!page.contains(text), "{text}");
    }
    assert!(!page.contains("<b>".repeat(3).as_str()));
    // Every link leads to a web page or to a part of this page.
    for link in page.split("href=\"").skip(1) {
        assert!(
            ["https://", "http://", "#", "data:image/svg+xml,"].iter().any(|start| link.starts_with(start))
        );
    }
    // No attribute is an event handler, whatever a value contains.
    for tag in page.split('<').skip(1).filter_map(|part| part.split('>').next()) {
        let attributes = tag.split('"').step_by(2);
        assert!(attributes.clone().all(|it| !it.contains(" on")), "{tag}");
    }
    let is_odd = |c: char| xposer::internal::is_hidden(c) && c != '\n' && c != '\t';
    assert_eq!(page.chars().find(|c| is_odd(*c)), None);
    // The text is shown in escaped form.
    assert!(page.contains("&#60;/script&#62;&#60;script&#62;") && page.contains("\\u{202e}"));
}

#[test]
fn the_graph_has_no_hostile_text() {
    let (documents, settings) = common::hostile();
    let graph = of(&documents, &settings).to_mermaid();
    for line in graph.lines().skip(1) {
        let label = line.split_once("[\"").map(|(_, rest)| rest.strip_suffix("\"]").unwrap());
        let is_plain = |text: &str| !text.replace("<br>", "").contains(['"', '<', '>', ']', '[']);
        assert!(label.is_none_or(is_plain), "{line}");
    }
}

/// The page loads nothing from outside, and its policy forbids that.
#[test]
fn the_page_is_complete() {
    let page = example_page();
    let policy = content_security_policy();
    assert!(page.contains(&format!("content=\"{}\"", policy.replace('\'', "&#39;"))), "{policy}");
    assert!(!page.contains(" src=") && !page.contains("@import") && !page.contains("url("));
    assert!(!page.contains("style=\"") && !page.contains("javascript:"));
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
    let different: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), different.len());
    // Every link within the page has a target.
    for link in page.split("href=\"#").skip(1).filter_map(|it| it.split('"').next()) {
        assert!(different.contains(link), "{link}");
    }
    for word in [
        "<caption>",
        "<main>",
        "<header>",
        "<footer>",
        "<nav aria-label=",
        "aria-live=\"polite\"",
        "lang=\"en\"",
        "class=\"skip\"",
    ] {
        assert!(page.contains(word), "{word}");
    }
    assert!(page.contains("services.yaml:"), "the place of a refusal is shown");
}
