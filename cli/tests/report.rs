//! `report` prints who is exposed where, and its exit status says whether a Service is refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use std::path::Path;

use common::{folder, service, xposer, xposer_in};
use serde_json::Value;

/// The folder of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn the_page_is_printed_and_counted() {
    let ran = xposer(&["report"], &service("web")).expect(0);
    assert!(ran.stdout.starts_with("<!doctype html>") && ran.stdout.ends_with("</html>"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "1 service: 1 exposed\n");
}

#[test]
fn a_refused_service_is_in_the_report_with_its_place() {
    let folder = folder("report-refused");
    let wrong = service("api").replace("api.example.com", "API.example.com");
    std::fs::write(folder.join("services.yaml"), format!("{}---\n{wrong}", service("web"))).unwrap();
    let ran = xposer_in(&folder, &["report", "-o", "json", "services.yaml"], "").expect(1);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["summary"]["exposed"], 1);
    assert_eq!(report["rows"][0]["urls"][0]["url"], "http://web.example.com");
    let finding = &report["refused"][0]["findings"][0];
    assert_eq!(finding["code"], "host-uppercase");
    assert_eq!(finding["place"]["file"], "services.yaml");
    assert!(finding["place"]["line"].as_u64().unwrap() > 10, "{finding}");
    // The findings are in the report alone.
    assert_eq!(ran.stderr, "2 services: 1 exposed, 1 refused\n");
}

#[test]
fn the_graph_is_that_of_the_exposed() {
    let ran = xposer(&["report", "-o", "mermaid"], &service("web")).expect(0);
    let graph = "flowchart LR\n  h0[\"web.example.com\"]\n  c0[\"Ingress of the default class<br>ingress-nginx\"]\n  s0[\"shop/web\"]\n  h0 --> c0\n  c0 --> s0\n";
    assert_eq!(ran.stdout, graph);
}

#[test]
fn the_example_is_complete() {
    let examples = root().join("examples/report");
    let arguments = [
        "report",
        "--compare-target",
        "httproute",
        "--settings",
        "settings.yaml",
        "-o",
        "json",
        "services.yaml",
    ];
    let ran = xposer_in(&examples, &arguments, "").expect(1);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let numbers = ["services", "exposed", "refused", "open", "conflicts", "foreignHosts"];
    let numbers: Vec<u64> = numbers.iter().map(|it| report["summary"][it].as_u64().unwrap()).collect();
    assert_eq!(numbers, [20, 15, 5, 8, 1, 2]);
    assert_eq!(report["compareTarget"], "HTTPRoute");
}

#[test]
fn unusable_input_prints_nothing() {
    let folder = folder("report-unusable");
    std::fs::write(folder.join("settings.yaml"), "domian: example.com\ntls: maybe\n").unwrap();
    std::fs::write(folder.join("web.yaml"), service("web")).unwrap();
    for (arguments, said) in [
        (&["report", "--settings", "settings.yaml", "web.yaml"][..], "setting-unknown"),
        (&["report", "missing.yaml"], "there is no such file"),
        (&["report", "-A"], "kubectl get services -A -o yaml | xposer report"),
        (&["report", "--compare-target", "Gateway", "web.yaml"], "invalid value"),
        (&["report", "-o", "pdf", "web.yaml"], "invalid value"),
    ] {
        let ran = xposer_in(&folder, arguments, "").expect(2);
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn a_target_has_any_letter_case() {
    for word in ["httproute", "HTTPRoute", "HttpRoute"] {
        let ran = xposer(&["report", "-o", "json", "--compare-target", word], &service("web"));
        let report: Value = serde_json::from_str(&ran.expect(0).stdout).unwrap();
        assert_eq!(report["compareTarget"], "HTTPRoute", "{word}");
    }
}

#[test]
fn empty_input_gives_an_empty_report() {
    let ran =
        xposer(&["report", "-o", "json"], "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n").expect(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["summary"]["services"], 0);
    assert_eq!(ran.stderr, "0 services: 0 exposed; ignored: 1 ConfigMap\n");
    // Without colours, in JSON, and with a namespace for what names none.
    let nameless = service("web").replace("  namespace: shop\n", "");
    let ran = xposer(&["report", "-o", "json", "-n", "tools", "--diagnostics", "json"], &nameless).expect(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((report["rows"][0]["namespace"].as_str(), ran.stderr.as_str()), (Some("tools"), "[]\n"));
}

/// Whoever reads findings also reads how many Services there are; a program would not know the line.
#[test]
fn a_report_counts_where_a_check_does() {
    for format in ["text", "github", "json", "sarif"] {
        let of = |command: &str| {
            let ran = xposer(&[command, "--diagnostics", format], &service("web")).expect(0);
            ran.stderr.ends_with("1 service: 1 exposed\n")
        };
        assert_eq!(
            (of("check"), of("report")),
            (["text", "github"].contains(&format), of("check")),
            "{format}"
        );
    }
}
