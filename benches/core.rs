//! The cost of exposing a Service compared with that of parsing and writing its JSON, and the growth of the cost.
//!
//! `make bench` runs this and prints the ratios.

#![allow(missing_docs, reason = "criterion's macros generate undocumented functions")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot be set up has failed"
)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use xposer::template::{Template, Vars};
use xposer::{Plan, Precedence, Service, Settings, emit_all, expose, expose_all};

const FORWARDED: &str = "kubernetes.io/ingress.class: external-ingress
ingress.kubernetes.io/force-ssl-redirect: true
certmanager.k8s.io/cluster-issuer: letsencrypt-production
some.other.annotation1: some-value1
some.other.annotation2: some-value2";

/// The Service of Stakater's article about Xposer (`examples/forecastle.yaml`), as the API server returns it.
fn blog(name: &str, forwarded: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": name, "namespace": "tools", "labels": {"expose": "true"},
            "annotations": {
                "config.xposer.stakater.com/IngressNameTemplate": "{{.Service}}-{{.Namespace}}",
                "config.xposer.stakater.com/IngressURLTemplate": "{{.Service}}.{{.Domain}}",
                "config.xposer.stakater.com/Domain": "company.com",
                "xposer.stakater.com/annotations": forwarded,
            },
        },
        "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 3000}], "selector": {"app": name}},
    })
}

/// The whole transformation, from JSON to JSON.
fn whole(json: &[u8], settings: &Settings) -> String {
    let document: Value = serde_json::from_slice(json).unwrap();
    let outcome = expose(&Service::from_value(&document), settings);
    outcome.plan().unwrap().emit().objects[0].to_json()
}

fn budget(criterion: &mut Criterion) {
    let settings = Settings::default();
    let input = serde_json::to_vec(&blog("forecastle", FORWARDED)).unwrap();
    let ingress: Value = serde_json::from_str(&whole(&input, &settings)).unwrap();
    let mut group = criterion.benchmark_group("budget");
    group.bench_function("json-only", |bencher| {
        bencher.iter(|| {
            let document: Value = serde_json::from_slice(black_box(&input)).unwrap();
            black_box(&document);
            serde_json::to_vec(black_box(&ingress)).unwrap()
        });
    });
    group.bench_function("expose", |bencher| bencher.iter(|| whole(black_box(&input), &settings)));
    group.finish();
}

fn services(criterion: &mut Criterion) {
    let settings = Settings::default();
    let mut group = criterion.benchmark_group("services");
    for count in [1_usize, 10, 100, 1_000, 10_000] {
        let documents: Vec<Value> =
            (0..count).map(|index| blog(&format!("web-{index}"), FORWARDED)).collect();
        group.throughput(Throughput::Elements(count as u64));
        group.sample_size(if count > 1_000 { 10 } else { 30 });
        group.bench_with_input(BenchmarkId::from_parameter(count), &documents, |bencher, documents| {
            bencher.iter(|| {
                let views: Vec<Service<'_>> = documents.iter().map(Service::from_value).collect();
                let outcomes = expose_all(&views, &settings, Precedence::RefuseAll);
                let plans: Vec<&Plan> = outcomes.iter().filter_map(xposer::Outcome::plan).collect();
                assert_eq!(plans.len(), documents.len());
                emit_all(plans).objects.len()
            });
        });
    }
    group.finish();
}

fn forwarded_lines(criterion: &mut Criterion) {
    let settings = Settings::default();
    let mut group = criterion.benchmark_group("forwarded");
    for count in [0_usize, 1, 10, 100, 1_000] {
        let block: String =
            (0..count).map(|index| format!("example.com/key-{index}: value-{index}\n")).collect();
        let document = blog("web", &block);
        group.bench_with_input(BenchmarkId::from_parameter(count), &document, |bencher, document| {
            bencher.iter(|| {
                expose(&Service::from_value(document), &settings).plan().unwrap().emit().objects.len()
            });
        });
    }
    group.finish();
}

fn templates(criterion: &mut Criterion) {
    let vars = Vars { service: "web", namespace: Some("shop"), domain: Some("example.com"), host: None };
    let mut group = criterion.benchmark_group("template");
    for (name, text) in [
        ("segments", "{{.Service}}.{{.Namespace}}.{{.Domain}}"),
        ("go", r#"{{if .Domain}}{{.Service}}.{{.Namespace}}.{{.Domain}}{{end}}"#),
        ("handlebars", "{{#if Domain}}{{Service}}.{{Namespace}}.{{Domain}}{{/if}}"),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| Template::parse(black_box(text)).unwrap().render(&vars).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, budget, services, forwarded_lines, templates);
criterion_main!(benches);
