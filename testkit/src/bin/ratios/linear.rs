//! Checks that the work grows linearly with the input: each row is run with n, 4n and 16n parts, and the ratios of the times are
//! compared with 4.

use std::fmt::Write as _;
use std::hint::black_box;

use anyhow::{Context as _, Result, anyhow};
use nix::sys::resource::UsageWho;
use serde_json::{Value, json};
use xposer::emit::Emitted;
use xposer::guard::Guarded;
use xposer::{Outcome, Precedence, Service, Settings, emit_all, expose_all, testing};
use xposer_cli::{Console, Terminal};
use xposer_testkit::growth;

/// The numbers of parts in the three runs of a row, unless a limit of sizes allows fewer.
const PARTS: [usize; 3] = [1_000, 4_000, 16_000];
/// The numbers of hosts of one Service, whose template may have 16 KiB.
const HOSTS: [usize; 3] = [250, 1_000, 4_000];
/// The numbers of lines in one Service's block, whose annotations may have 256 KiB.
const LINES: [usize; 3] = [500, 2_000, 8_000];
/// The maximum ratio of times for four times the input. A larger ratio is marked.
const MAX_GROWTH: f64 = 7.0;

/// A row of the table.
struct Row {
    what: &'static str,
    parts: [usize; 3],
    /// Prepares the input, and returns the function that is measured.
    prepare: fn(usize) -> Prepared,
}

/// The function that is measured.
type Prepared = Result<Box<dyn Fn()>>;

const ROWS: &[Row] = &[
    Row { what: "Services with a name and a host of their own", parts: PARTS, prepare: own_names },
    Row { what: "the same Service again and again", parts: PARTS, prepare: repeated },
    Row { what: "Services that claim one host", parts: PARTS, prepare: one_host },
    Row {
        what: "Services on one host with a certificate each",
        parts: PARTS,
        prepare: one_host_certificates,
    },
    Row { what: "Services that claim one name", parts: PARTS, prepare: one_name },
    Row { what: "canaries of one Service", parts: PARTS, prepare: canaries },
    Row { what: "namespaces with hosts, and a Service in each", parts: PARTS, prepare: owned_hosts },
    Row { what: "the same, with hosts of other namespaces", parts: PARTS, prepare: hosts_of_others },
    Row {
        what: "patterns of namespaces, and a Service under each",
        parts: PARTS,
        prepare: namespace_patterns,
    },
    Row { what: "profiles, and a Service for each", parts: PARTS, prepare: profiles },
    Row { what: "profiles that no Service may choose", parts: PARTS, prepare: forbidden_profiles },
    Row { what: "profiles, and Services that misspell them", parts: PARTS, prepare: unknown_profiles },
    Row { what: "certificates, and Services that they cover", parts: PARTS, prepare: certificates },
    Row { what: "certificates, and Services that none covers", parts: PARTS, prepare: no_certificates },
    Row { what: "hosts of one Service", parts: HOSTS, prepare: hosts },
    Row { what: "the same, whose paths ingress-nginx cuts off", parts: HOSTS, prepare: hosts_of_nginx },
    Row { what: "the same for NGINX Ingress Controller", parts: HOSTS, prepare: hosts_of_f5_nginx },
    Row { what: "the same for Traefik", parts: HOSTS, prepare: hosts_of_traefik },
    Row { what: "the same on an HTTPRoute", parts: HOSTS, prepare: hosts_of_a_gateway },
    Row { what: "the same as Routes", parts: HOSTS, prepare: hosts_of_routes },
    Row { what: "hosts that two Services claim", parts: HOSTS, prepare: claimed_hosts },
    Row { what: "hosts of one Service, twice each", parts: HOSTS, prepare: repeated_hosts },
    Row { what: "lines of one block", parts: LINES, prepare: lines },
    Row { what: "lines for ExternalDNS", parts: LINES, prepare: dns_lines },
    Row { what: "lines that an HTTPRoute has nothing for", parts: LINES, prepare: inexpressible_lines },
    Row { what: "patterns of denied keys, and lines that fit none", parts: LINES, prepare: denied },
    Row { what: "annotations by settings", parts: PARTS, prepare: default_annotations },
    Row {
        what: "wildcards of an Ingress, and hosts of namespaces",
        parts: PARTS,
        prepare: guarded_wildcards,
    },
    Row { what: "regular expressions of an Ingress", parts: PARTS, prepare: guarded_expressions },
    Row { what: "xposer check, a warning for each Service", parts: PARTS, prepare: check_yaml },
    Row { what: "the same, one line of JSON", parts: PARTS, prepare: check_json },
    Row { what: "xposer explain", parts: PARTS, prepare: explain },
    Row { what: "xposer krm", parts: PARTS, prepare: krm },
    Row { what: "xposer krm on its own output", parts: PARTS, prepare: krm_again },
];

/// The processor time of this process, in seconds.
pub(crate) fn spent() -> Result<f64> {
    Ok(growth::spent(UsageWho::RUSAGE_SELF)?)
}

/// Prints the table; `only` are words that select rows, or empty for all.
pub(crate) fn linear(only: &[String], out: &mut String) -> Result<()> {
    writeln!(out, "\ntime for n, 4n and 16n parts, and how it grows; 4.0 is linear")?;
    for row in ROWS.iter().filter(|row| only.is_empty() || only.iter().any(|word| row.what.contains(word))) {
        let mut times = Vec::new();
        for parts in row.parts {
            times.push(growth::time(UsageWho::RUSAGE_SELF, &(row.prepare)(parts)?)?);
        }
        let [small, middle, large] = times.as_slice() else { continue };
        let [.., most] = row.parts;
        // The caches of a processor make linear work a little superlinear.
        let mark = if large / middle > MAX_GROWTH { "  SUPERLINEAR" } else { "" };
        writeln!(
            out,
            "{:<50} {most:>7}  {:>9.1} ms  {:>5.1} {:>5.1}{mark}",
            row.what,
            large * 1e3,
            middle / small,
            large / middle
        )?;
    }
    Ok(())
}

/// A Service with these annotations of Xposer.
fn service(name: &str, namespace: &str, annotations: &[(&str, &str)]) -> Value {
    testing::service_named(namespace, name, annotations)
}

/// Measures the core with Services: from parsed Services to objects.
fn core(services: Vec<Value>, settings: &Value) -> Prepared {
    let settings = Settings::from_value(settings).map_err(|report| anyhow!("{report}"))?;
    Ok(Box::new(move || {
        let views: Vec<Service<'_>> = services.iter().map(Service::from_value).collect();
        let outcomes = expose_all(&views, &settings, Precedence::RefuseAll);
        let Emitted { objects, report, .. } = emit_all(outcomes.iter().filter_map(Outcome::plan));
        black_box((objects.len(), report.diagnostics().len()));
    }))
}

/// The same, including parsing the settings.
fn core_with_settings(services: Vec<Value>, settings: Value) -> Prepared {
    Settings::from_value(&settings).map_err(|report| anyhow!("{report}"))?;
    Ok(Box::new(move || {
        let Ok(settings) = Settings::from_value(&settings) else { return };
        let views: Vec<Service<'_>> = services.iter().map(Service::from_value).collect();
        let outcomes = expose_all(&views, &settings, Precedence::RefuseAll);
        black_box(emit_all(outcomes.iter().filter_map(Outcome::plan)).objects.len());
    }))
}

/// Measures a command that reads standard input.
fn command(arguments: &'static [&'static str], input: String) -> Box<dyn Fn()> {
    Box::new(move || {
        black_box(output(arguments, &input));
    })
}

fn output(arguments: &[&str], input: &str) -> Vec<u8> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let console = Console {
        stdin: &mut input.as_bytes(),
        stdout: &mut out,
        stderr: &mut err,
        terminal: Terminal::default(),
    };
    xposer_cli::run(arguments, console);
    out.append(&mut err);
    out
}

fn each(parts: usize, service: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..parts).map(service).collect()
}

fn mapping(parts: usize, entry: impl Fn(usize) -> (String, Value)) -> Value {
    Value::Object((0..parts).map(entry).collect())
}

fn plain(number: usize) -> Value {
    service(&format!("web-{number}"), "shop", &[])
}

fn own_names(parts: usize) -> Prepared {
    core(each(parts, plain), &json!({"domain": "example.com", "tls": true}))
}

fn repeated(parts: usize) -> Prepared {
    core(
        each(parts, |_| plain(0)),
        &json!({"domain": "example.com", "monitor": true, "tls": "cert-manager", "issuer": "ca"}),
    )
}

/// Half of the Services ask for client certificates, each of its own issuer; the others only serve paths.
fn one_host_certificates(parts: usize) -> Prepared {
    let services = each(parts, |number| {
        let (url, secret) = (format!("a.example.com/{number}"), format!("ca-{number}"));
        let all = [("IngressURLTemplate", url.as_str()), ("ClientCertificate", secret.as_str())];
        service(&format!("web-{number}"), "shop", all.get(..=number % 2).unwrap_or_default())
    });
    core(services, &json!({"tls": true, "tlsSecretNameTemplate": "shared", "ingressClassName": "nginx"}))
}

fn one_host(parts: usize) -> Prepared {
    let services = each(parts, |number| {
        service(&format!("web-{number}"), "shop", &[("IngressURLTemplate", "a.example.com")])
    });
    core(services, &json!({}))
}

fn one_name(parts: usize) -> Prepared {
    let services =
        each(parts, |number| service(&format!("web-{number}"), "shop", &[("IngressNameTemplate", "web")]));
    core(services, &json!({"domain": "example.com", "monitor": true}))
}

fn canaries(parts: usize) -> Prepared {
    let canary =
        |number| service(&format!("web-{number}"), "shop", &[("CanaryOf", "web-0"), ("CanaryWeight", "1")]);
    let services = each(parts, |number| if number == 0 { plain(0) } else { canary(number) });
    core(
        services,
        &json!({"domain": "example.com", "target": "HTTPRoute", "parentRefs": [{"name": "external"}]}),
    )
}

fn namespaces(parts: usize) -> Value {
    mapping(parts, |number| {
        (format!("team-{number}"), json!({"hosts": [format!("*.team-{number}.example.com")]}))
    })
}

fn owned_hosts(parts: usize) -> Prepared {
    let services = each(parts, |number| service("web", &format!("team-{number}"), &[]));
    core_with_settings(services, json!({"domain": "example.com", "namespaces": namespaces(parts)}))
}

fn hosts_of_others(parts: usize) -> Prepared {
    let services = each(parts, |number| {
        let host = format!("web.team-{}.example.com", (number + 1) % parts);
        service("web", &format!("team-{number}"), &[("IngressURLTemplate", &host)])
    });
    core_with_settings(services, json!({"namespaces": namespaces(parts)}))
}

fn namespace_patterns(parts: usize) -> Prepared {
    let services = each(parts, |number| service("web", &format!("team-{number}-shop"), &[]));
    let rows = mapping(parts, |number| (format!("team-{number}-*"), json!({"ingressClassName": "internal"})));
    core_with_settings(services, json!({"domain": "example.com", "namespaces": rows}))
}

fn profiles(parts: usize) -> Prepared {
    let services = each(parts, |number| {
        service(&format!("web-{number}"), "shop", &[("Profile", &format!("profile-{number}"))])
    });
    let rows = mapping(parts, |number| (format!("profile-{number}"), json!({"domain": "example.com"})));
    core_with_settings(services, json!({"profiles": rows}))
}

fn forbidden_profiles(parts: usize) -> Prepared {
    let services = each(parts, |number| {
        service(&format!("web-{number}"), "shop", &[("Profile", &format!("profile-{number}"))])
    });
    let rows =
        mapping(parts, |number| (format!("profile-{number}"), json!({"namespaces": ["team-*", "blog"]})));
    core_with_settings(services, json!({"profiles": rows}))
}

fn unknown_profiles(parts: usize) -> Prepared {
    let services = each(parts, |number| {
        service(&format!("web-{number}"), "shop", &[("Profile", &format!("profil-{number}"))])
    });
    let rows = mapping(parts, |number| (format!("profile-{number}"), json!({})));
    core_with_settings(services, json!({"profiles": rows}))
}

fn certificate_names(parts: usize) -> Value {
    (0..parts).map(|number| format!("*.team-{number}.example.com")).collect()
}

fn certificates(parts: usize) -> Prepared {
    let services = each(parts, |number| service("web", &format!("team-{number}"), &[]));
    let settings =
        json!({"domain": "example.com", "tls": "load-balancer", "certificates": certificate_names(parts)});
    core_with_settings(services, settings)
}

fn no_certificates(parts: usize) -> Prepared {
    let services = each(parts, |number| service("web", &format!("team-{number}"), &[]));
    let settings =
        json!({"domain": "example.org", "tls": "load-balancer", "certificates": certificate_names(parts)});
    core_with_settings(services, settings)
}

/// Short hosts in base 36: `a0`, `a1` ...
fn short_hosts(parts: usize) -> String {
    let digit = |value: usize| char::from_digit((value % 36) as u32, 36).unwrap_or('0');
    (0..parts)
        .map(|number| format!("{}{}{}\n", digit(number / 1296), digit(number / 36), digit(number)))
        .collect()
}

fn hosts(parts: usize) -> Prepared {
    core(vec![service("web", "shop", &[("IngressURLTemplate", &short_hosts(parts))])], &json!({}))
}

/// Hosts whose path prefixes are stripped.
fn cut_hosts(parts: usize, settings: &Value) -> Prepared {
    let hosts = short_hosts(parts) + "b/x";
    core(vec![service("web", "shop", &[("IngressURLTemplate", &hosts), ("StripPrefix", "true")])], settings)
}

fn hosts_of_nginx(parts: usize) -> Prepared {
    cut_hosts(parts, &json!({"defaultController": "ingress-nginx"}))
}

fn hosts_of_f5_nginx(parts: usize) -> Prepared {
    cut_hosts(parts, &json!({"defaultController": "f5-nginx"}))
}

fn hosts_of_traefik(parts: usize) -> Prepared {
    cut_hosts(parts, &json!({"defaultController": "traefik"}))
}

fn hosts_of_a_gateway(parts: usize) -> Prepared {
    cut_hosts(parts, &json!({"target": "HTTPRoute", "parentRefs": [{"name": "external"}]}))
}

fn hosts_of_routes(parts: usize) -> Prepared {
    cut_hosts(parts, &json!({"target": "Route"}))
}

fn claimed_hosts(parts: usize) -> Prepared {
    let hosts = short_hosts(parts);
    let services =
        each(2, |number| service(&format!("web-{number}"), "shop", &[("IngressURLTemplate", &hosts)]));
    core(services, &json!({}))
}

fn repeated_hosts(parts: usize) -> Prepared {
    let hosts = short_hosts(parts / 2);
    core(vec![service("web", "shop", &[("IngressURLTemplate", &hosts.repeat(2))])], &json!({}))
}

fn with_block(parts: usize, line: impl Fn(usize) -> String) -> Value {
    let block: String = (0..parts).map(line).collect();
    service("web", "shop", &[("xposer.stakater.com/annotations", &block)])
}

fn lines(parts: usize) -> Prepared {
    let service = with_block(parts, |number| format!("example.com/k{number}: v\n"));
    core(vec![service], &json!({"domain": "example.com"}))
}

fn dns_lines(parts: usize) -> Prepared {
    let service = with_block(parts / 4, |number| format!("external-dns.alpha.kubernetes.io/k{number}: v\n"));
    core(vec![service], &json!({"domain": "example.com"}))
}

fn inexpressible_lines(parts: usize) -> Prepared {
    let service = with_block(parts / 2, |number| format!("nginx.ingress.kubernetes.io/k{number}: v\n"));
    let settings =
        json!({"domain": "example.com", "target": "HTTPRoute", "parentRefs": [{"name": "external"}]});
    core(vec![service], &settings)
}

fn denied(parts: usize) -> Prepared {
    let service = with_block(parts, |number| format!("example.com/k{number}: v\n"));
    let deny: Value = (0..parts).map(|number| format!("*/denied-{number}")).collect();
    core_with_settings(vec![service], json!({"domain": "example.com", "annotations": {"deny": deny}}))
}

fn default_annotations(parts: usize) -> Prepared {
    let given = mapping(parts, |number| (format!("example.com/{number}"), "v".into()));
    core_with_settings(vec![plain(0)], json!({"domain": "example.com", "annotations": given}))
}

/// Measures the guard with an Ingress that is updated without a change of its hosts and paths, and one that is created.
fn guarded(spec: &Value, settings: &Value) -> Prepared {
    let settings = Settings::from_value(settings).map_err(|report| anyhow!("{report}"))?;
    let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": spec,
        "metadata": {"name": "web", "namespace": "shop"}});
    Ok(Box::new(move || {
        let guarded = || Guarded::read_with(&ingress, &settings);
        let (Some(old), Some(new)) = (guarded(), guarded()) else { return };
        black_box((new.check(&settings, None).diagnostics().len(), new.claims_beside(Some(&old)).len()));
    }))
}

fn guarded_wildcards(parts: usize) -> Prepared {
    let hosts = each(parts, |number| json!(format!("*.a{number}.b")));
    let spec = json!({"rules": [{"host": "a.example.com"}], "tls": [{"hosts": hosts}]});
    guarded(&spec, &json!({"namespaces": namespaces(parts)}))
}

fn guarded_expressions(parts: usize) -> Prepared {
    let path = |number| json!({"path": format!("/{number}[abcdefgh][abcdefgh].*"), "pathType": "ImplementationSpecific"});
    guarded(&json!({"rules": [{"host": "a.example.com", "http": {"paths": each(parts, path)}}]}), &json!({}))
}

/// A list of Services that each have a Warning.
fn doubtful(parts: usize) -> Value {
    let warned =
        |number| service(&format!("web-{number}"), "shop", &[("Domain", "example.com"), ("TLS", "maybe")]);
    json!({"apiVersion": "v1", "kind": "List", "items": each(parts, warned)})
}

fn check_yaml(parts: usize) -> Prepared {
    Ok(command(&["xposer", "check"], xposer_manifest::to_yaml(&doubtful(parts))))
}

fn check_json(parts: usize) -> Prepared {
    Ok(command(&["xposer", "check"], doubtful(parts).to_string()))
}

fn explain(parts: usize) -> Prepared {
    Ok(command(&["xposer", "explain", "-"], xposer_manifest::to_yaml(&doubtful(parts))))
}

fn resource_list(parts: usize) -> String {
    let items = each(parts, |number| {
        service(
            &format!("web-{number}"),
            "shop",
            &[
                ("Domain", "example.com"),
                ("TLS", "maybe"),
                ("xposer.stakater.com/annotations", "exposeIngressUrl: globally"),
            ],
        )
    });
    json!({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items}).to_string()
}

fn krm(parts: usize) -> Prepared {
    Ok(command(&["xposer", "krm"], resource_list(parts)))
}

fn krm_again(parts: usize) -> Prepared {
    let written = output(&["xposer", "krm"], &resource_list(parts));
    let text = String::from_utf8_lossy(&written);
    // The text of standard error follows the list.
    let list = text.split("warning[").next().and_then(|text| text.split("info[").next()).unwrap_or_default();
    let mut list: Value = xposer_manifest::load(list)
        .ok()
        .and_then(|mut documents| documents.pop())
        .map(|document| document.value)
        .context("krm gave no list")?;
    if let Some(list) = list.as_object_mut() {
        list.remove("results");
    }
    Ok(command(&["xposer", "krm"], list.to_string()))
}
