//! The tables of the core and the case folders cover each other: a case shows every entry of a table, and a table lists everything
//! that a case shows.

#![allow(clippy::panic, clippy::unwrap_used, reason = "the helpers of a test fail it like the test itself")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use xposer::internal::functions;
use xposer::internal::rules;
use xposer::options::{annotations, settings};
use xposer::template::{Template, Vars};
use xposer::{Code, Severity, testing};
use xposer_testkit::cases::{Case, Run, all};
use xposer_testkit::source::rust_files;

/// Returns the sources of the selected modules of the core.
fn sources(wanted: impl Fn(&str) -> bool) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&source).unwrap_or_else(|error| panic!("{error:#}"));
    let is_wanted = |file: &&PathBuf| {
        let room = file.strip_prefix(&source).unwrap().iter().next().unwrap().to_string_lossy();
        wanted(room.trim_end_matches(".rs"))
    };
    let texts: String =
        files.iter().filter(is_wanted).map(|file| std::fs::read_to_string(file).unwrap()).collect();
    assert!(!texts.is_empty(), "no such room");
    texts
}

fn cases() -> Vec<(Case, Run)> {
    let cases = all().unwrap_or_else(|error| panic!("{error:#}"));
    cases.into_iter().map(|case| (case.clone(), case.run())).collect()
}

/// Returns the codes that only rules file: no other module of the core mentions them.
fn codes_of_rules_only() -> BTreeSet<Code> {
    let elsewhere = sources(|room| !["check", "dialect", "diagnostics", "lib"].contains(&room));
    let listed = rules().iter().flat_map(|rule| rule.codes).copied();
    listed.filter(|code| !mentions(&elsewhere, *code)).collect()
}

fn mentions(text: &str, code: Code) -> bool {
    let name = format!("Code::{code:?}");
    text.split(&name).skip(1).any(|rest| !rest.starts_with(char::is_alphanumeric))
}

fn is_kebab_case(slug: &str) -> bool {
    slug.split('-').all(|word| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// Whether a message or help can be printed in the middle of a sentence.
fn is_clause(text: &str) -> bool {
    let proper = [
        "Service",
        "Ingress",
        "DNS",
        "ConfigMap",
        "ExternalDNS",
        "Forecastle",
        "Traefik",
        "Contour",
        "Envoy Gateway",
        "HAProxy",
        "NGINX",
    ];
    let starts = text.starts_with(|first: char| !first.is_uppercase())
        || proper.iter().any(|name| text.starts_with(name));
    starts && !text.is_empty() && !text.ends_with('.') && text.trim() == text && !text.contains('\n')
}

#[test]
fn every_code_occurs_in_a_case_with_each_of_its_severities() {
    let mut seen: BTreeSet<(Code, Severity)> = BTreeSet::new();
    for (_, run) in cases() {
        seen.extend(
            run.findings.iter().map(|finding| (finding.diagnostic.code, finding.diagnostic.severity)),
        );
    }
    let mut missing = Vec::new();
    for &code in Code::ALL.iter().filter(|code| !AT_ADMISSION.contains(code)) {
        if !seen.contains(&(code, code.severity())) {
            missing.push(code.slug().to_owned());
        }
        if code.is_error_when_strict() && !seen.contains(&(code, Severity::Error)) {
            missing.push(format!("{code} under strict"));
        }
    }
    assert!(missing.is_empty(), "no case shows {}", missing.join(", "));
}

#[test]
fn every_annotation_and_every_setting_occurs_in_a_case() {
    let cases = cases();
    for (key, _) in annotations() {
        let occurs = cases.iter().flat_map(|(case, _)| case.services()).any(|service| {
            service["metadata"]["annotations"].get(key.name).is_some_and(serde_json::Value::is_string)
        });
        assert!(occurs, "no case has the annotation {}", key.name);
    }
    for (key, _) in settings() {
        let occurs = cases.iter().any(|(case, run)| {
            !run.unusable && case.settings.as_ref().is_some_and(|settings| settings.get(key.name).is_some())
        });
        assert!(occurs, "no case has the setting {} with a value that is accepted", key.name);
    }
}

#[test]
fn every_annotations_example_works() {
    for (key, row) in annotations() {
        assert!(row.doc.ends_with('.'), "{}", key.name);
        let mut annotations = serde_json::Map::new();
        for (name, value) in companions(key.short_name()) {
            annotations.insert(format!("config.xposer.stakater.com/{name}"), (*value).into());
        }
        annotations.insert(key.name.to_owned(), key.example.into());
        let service = serde_json::json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"},
                "annotations": annotations},
            "spec": {"ports": [{"name": "http", "port": 80}]}});
        let defaults = xposer::Settings::from_value(&with_profiles(serde_json::json!({}))).unwrap();
        let outcome = xposer::expose(&xposer::Service::from_value(&service), &defaults);
        assert!(outcome.report().unwrap().is_empty(), "{}", outcome.report().unwrap());
    }
}

/// Returns the annotations that an annotation needs to have an effect.
fn companions(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "Issuer" | "ClusterIssuer" => &[("TLS", "cert-manager")],
        "HTTPSRedirect" | "TLSHosts" => &[("TLS", "true")],
        "HTTPSRedirectCode" | "ClientCertificate" => &[("TLS", "true")],
        // ingress-nginx does not support these, or only under a condition.
        "Timeout" => &[("IngressClassName", "contour")],
        "RequestHeaders" | "ResponseHeaders" => &[("IngressClassName", "haproxy")],
        "TLSPassthrough" => &[("TLS", "true"), ("Target", "Route")],
        "MonitorHealthEndpoint" => &[("Monitor", "true")],
        "CanaryOf" => &[("CanaryWeight", "5")],
        "CanaryByHeaderValue" => &[("CanaryOf", "web-stable"), ("CanaryByHeader", "X-Canary")],
        canary if canary.starts_with("Canary") => &[("CanaryOf", "web-stable")],
        _ => &[],
    }
}

/// Adds the settings that the examples of other settings need.
fn with_profiles(mut settings: serde_json::Value) -> serde_json::Value {
    let needed = serde_json::json!({"domain": "example.com", "profiles": {"internal": {}, "external": {}},
        "parentRefs": [{"name": "external"}], "issuer": "internal-ca",
        "auth": {"sso": {"externalAuth": "https://auth.example.com/verify"}}});
    for (key, value) in needed.as_object().into_iter().flatten() {
        let entries = settings.as_object_mut().unwrap();
        // A layer can have only one issuer.
        if key != "issuer" || !entries.contains_key("clusterIssuer") {
            entries.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    settings
}

#[test]
fn every_settings_example_and_default_works() {
    for (key, row) in settings() {
        assert!(row.doc.ends_with('.'), "{}", key.name);
        for text in [Some(key.example), row.default_value()].into_iter().flatten() {
            let yaml = format!("{}: {text}\n", key.name);
            let document = xposer_testkit::cases::parse(&yaml).unwrap();
            let settings = with_profiles(document[0].clone());
            xposer::Settings::from_value(&settings).unwrap_or_else(|report| panic!("{yaml}{report}"));
        }
    }
}

/// A written default has the same result as no setting. The example of the row is another value, which shows that the test detects
/// a difference.
#[test]
fn a_default_that_is_written_changes_nothing_and_an_example_does() {
    let cases = cases();
    let mut services = vec![
        testing::service(&[("Target", "Route"), ("TLS", "true")]),
        testing::service(&[("Target", "HTTPRoute"), ("TLS", "true")]),
        testing::service(&[
            ("TLS", "true"),
            ("IngressURLTemplate", &format!("{}.{{{{.Domain}}}}", "a".repeat(60))),
        ]),
        testing::service(&[("Profile", "external")]),
        testing::service(&[]),
    ];
    // The examples of `profiles` and `namespaces` apply to these namespaces.
    services[3]["metadata"]["namespace"] = "web-a".into();
    services[4]["metadata"]["namespace"] = "team-a".into();
    services.extend(of_programs());
    let without_settings = cases.iter().filter(|(case, _)| case.settings.is_none());
    services.extend(without_settings.flat_map(|(case, _)| case.services()).cloned());
    let settings_with = |given: Option<(&str, &str)>| {
        let mut written = serde_json::json!({"domain": "example.com", "parentRefs": [{"name": "external"}]});
        if let Some((key, yaml)) = given {
            written[key] = xposer_testkit::cases::parse(yaml).unwrap().remove(0);
        }
        xposer::Settings::from_value(&written).unwrap_or_else(|report| panic!("{report}"))
    };
    let objects = |service: &serde_json::Value, settings: &xposer::Settings| {
        let outcome = xposer::expose(&xposer::Service::from_value(service), settings);
        let emitted = outcome.plan().map(xposer::Plan::emit).unwrap_or_default();
        emitted.objects.iter().map(xposer::Object::to_json).collect::<String>()
    };
    let without = settings_with(None);
    let known: Vec<_> = services.iter().map(|service| (service, objects(service, &without))).collect();
    let mut wrong = Vec::new();
    for (key, row) in settings() {
        let Some(default) = row.default_value() else { continue };
        let changes = |yaml| {
            let given = settings_with(Some((key.name, yaml)));
            given.stamp() != without.stamp()
                || given.guard() != without.guard()
                || given.claims() != without.claims()
                || known.iter().any(|(service, known)| objects(service, &given) != *known)
        };
        if changes(default) {
            wrong.push(format!("the default of {} is another one", key.name));
        }
        if !changes(key.example) {
            wrong.push(format!("no Service shows what {} does", key.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns Services whose objects depend on the controller and on the setting `auth`.
fn of_programs() -> impl Iterator<Item = serde_json::Value> {
    let given = [
        vec![("Auth", "sso")],
        vec![("IngressClassName", "internal-ingress"), ("AllowedSources", "10.0.0.0/8")],
        vec![("AllowedSources", "10.0.0.0/8")],
        vec![("Target", "HTTPRoute"), ("AllowedSources", "10.0.0.0/8")],
        vec![("Target", "HTTPRoute"), ("Timeout", "5s")],
    ];
    given.into_iter().map(|annotations| testing::service(&annotations))
}

#[test]
fn every_functions_example_gives_its_result() {
    let vars = Vars { service: "web", namespace: Some("shop"), domain: Some("example.com"), host: None };
    for function in functions::all() {
        let template =
            Template::parse(function.example).unwrap_or_else(|wrong| panic!("{}: {wrong:?}", function.name));
        assert_eq!(template.render(&vars).as_deref(), Ok(function.result()), "{}", function.name);
        assert!(function.names().any(|name| function.example.contains(name)), "{}", function.name);
        assert!(function.doc().ends_with('.'), "{}", function.name);
    }
}

#[test]
fn slugs_are_in_kebab_case_and_unique() {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.slug()).collect();
    let rules: Vec<&str> = rules().iter().map(|rule| rule.name).collect();
    for (what, slugs) in [("codes", &codes), ("rules", &rules)] {
        let unique: BTreeSet<&&str> = slugs.iter().collect();
        assert_eq!(unique.len(), slugs.len(), "two {what} have the same slug");
        for slug in slugs {
            assert!(is_kebab_case(slug), "{slug}");
        }
    }
    for (case, _) in cases() {
        assert!(is_kebab_case(&case.slug), "{}", case.slug);
    }
    for &code in Code::ALL {
        assert_eq!(code.slug().parse(), Ok(code));
    }
}

#[test]
fn explanations_are_sentences() {
    for code in Code::ALL {
        for text in [code.summary(), code.why(), code.fix()] {
            assert!(text.ends_with('.') && text.trim() == text, "{code}: {text}");
        }
    }
}

#[test]
fn every_message_is_a_clause() {
    let mut wrong = Vec::new();
    for (case, run) in cases() {
        for diagnostic in run.findings.iter().map(|finding| &finding.diagnostic) {
            let texts = [Some(&diagnostic.message), diagnostic.help.as_ref()];
            wrong.extend(
                texts
                    .into_iter()
                    .flatten()
                    .filter(|text| !is_clause(text))
                    .map(|text| format!("{}: {text}", case.slug)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The findings about several lines of the forwarded block.
const OF_SEVERAL_LINES: [Code; 1] = [Code::MonitorProviders];

#[test]
fn every_diagnostic_accuses_something_that_is_there() {
    let mut wrong = Vec::new();
    for (case, run) in cases() {
        for finding in &run.findings {
            let diagnostic = &finding.diagnostic;
            let accused = case.accused(finding);
            let fits = match (accused, &diagnostic.range) {
                (None, _) => false,
                // In a block of several lines, a finding tells the line.
                (Some(value), None) => {
                    let is_block = diagnostic.path.to_string().contains("xposer.stakater.com/annotations");
                    !is_block
                        || !value.as_str().unwrap_or_default().contains('\n')
                        || OF_SEVERAL_LINES.contains(&diagnostic.code)
                }
                // A range covers whole characters of the text.
                (Some(value), Some(range)) => {
                    value.as_str().is_some_and(|text| text.get(range.clone()).is_some())
                }
            };
            if !fits {
                wrong.push(format!("{}: {diagnostic} ({:?} of {accused:?})", case.slug, diagnostic.range));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn messages_are_unique() {
    for (case, run) in cases() {
        let mut seen = BTreeMap::new();
        for finding in &run.findings {
            let line = finding.diagnostic.to_string();
            assert_eq!(seen.insert((finding.service, line.clone()), ()), None, "{}: {line}", case.slug);
        }
    }
}

#[test]
fn rules_file_only_what_they_list() {
    let listed: BTreeSet<Code> = rules().iter().flat_map(|rule| rule.codes).copied().collect();
    let text = sources(|room| ["check", "dialect"].contains(&room));
    for &code in Code::ALL {
        if mentions(&text, code) {
            assert!(listed.contains(&code), "a rule files {code}, but no rule lists it");
        }
    }
    // A code that a rule lists but does not mention itself must come from a helper of another module.
    for &code in &listed {
        let helper = sources(|room| room == "options");
        assert!(mentions(&text, code) || mentions(&helper, code), "a rule lists {code}, but none files it");
    }
}

#[test]
fn rules_are_asked_in_the_order_of_their_table() {
    let only = codes_of_rules_only();
    assert!(only.len() > 10, "{only:?}");
    let place = |code: Code| rules().iter().position(|rule| rule.codes.contains(&code));
    for (case, run) in cases() {
        let mut last: BTreeMap<Option<usize>, Option<usize>> = BTreeMap::new();
        // Findings about settings are left out: settings are tried under each profile, and all rules run each time.
        let about_services = run.findings.iter().filter(|finding| finding.service.is_some());
        for finding in about_services.filter(|finding| only.contains(&finding.diagnostic.code)) {
            let place = place(finding.diagnostic.code);
            let before = last.insert(finding.service, place).flatten();
            assert!(before <= place, "{}: {} comes too late", case.slug, finding.diagnostic);
        }
    }
}

/// Codes of findings that need the state of a cluster. `tests/held.rs` and the tests of the policy show them.
const AT_ADMISSION: &[Code] =
    &[Code::ClaimYounger, Code::ClaimKept, Code::ClaimsTooMany, Code::ClaimsUnknown];

/// Codes that existed before the files `mended.yaml` of the case folders.
const WITHOUT_MENDED_CASE: &[Code] = &[
    Code::FieldType,
    Code::ServiceNameInvalid,
    Code::NamespaceInvalid,
    Code::NamespaceMissing,
    Code::AnnotationsTooLarge,
    Code::ServiceExternalName,
    Code::ServiceHeadless,
    Code::PortNone,
    Code::PortUnknown,
    Code::PortInvalid,
    Code::PortNotTcp,
    Code::AnnotationUnknown,
    Code::AnnotationEmpty,
    Code::TlsNotBoolean,
    Code::BooleanInvalid,
    Code::ProfileUnknown,
    Code::ProfileForbidden,
    Code::PathTypeUnknown,
    Code::TemplateUnclosed,
    Code::TemplateSyntax,
    Code::TemplateUnknownVariable,
    Code::TemplateUnknownFunction,
    Code::TemplateUnsupported,
    Code::TemplateValueMissing,
    Code::TemplateFunction,
    Code::TemplateTooLarge,
    Code::HostMissing,
    Code::HostScheme,
    Code::HostPort,
    Code::HostIp,
    Code::HostTrailingDot,
    Code::HostUppercase,
    Code::HostCharacter,
    Code::HostEmptyLabel,
    Code::HostHyphen,
    Code::HostWildcard,
    Code::HostLabelTooLong,
    Code::HostTooLong,
    Code::HostCommonName,
    Code::HostRepeated,
    Code::IngressNameInvalid,
    Code::PathInvalid,
    Code::PathBlank,
    Code::PathQuery,
    Code::TlsSecretInvalid,
    Code::ClassInvalid,
    Code::ClassConflict,
    Code::PathStrict,
    Code::HostNotOwned,
    Code::IssuerInvalid,
    Code::IssuerMissing,
    Code::IssuerConflict,
    Code::IssuerWithoutTls,
    Code::RedirectWithoutTls,
    Code::IssuerWildcard,
    Code::SecretShared,
    Code::CertificateMissing,
    Code::CanaryInvalid,
    Code::CanaryIncomplete,
    Code::CanaryDiffers,
    Code::CanaryAlone,
    Code::DnsInvalid,
    Code::DnsTwice,
    Code::MonitorInvalid,
    Code::MonitorNotAsked,
    Code::MonitorWildcard,
    Code::MonitorProviders,
    Code::ForecastleWildcard,
    Code::ForecastleInvalid,
    Code::AnnotationDenied,
    Code::AnnotationInvalid,
    Code::TargetUnknown,
    Code::TargetInvalid,
    Code::GatewayMissing,
    Code::ForwardMalformed,
    Code::ForwardRepeated,
    Code::ForwardKeyInvalid,
    Code::ForwardBlockScalar,
    Code::ForwardScopeUnknown,
    Code::ForwardOwnKey,
    Code::LegacyDropped,
    Code::LegacyShadowed,
    Code::LegacyDead,
    Code::NameClaimed,
    Code::RouteClaimed,
    Code::UrlKeyClaimed,
    Code::ServiceRepeated,
    Code::SettingUnknown,
    Code::SettingInvalid,
    Code::StampNoRoom,
];

#[test]
fn every_help_is_followed_in_a_case() {
    let shown: BTreeSet<Code> = cases()
        .iter()
        .filter(|(case, _)| case.mended().is_some())
        .flat_map(|(_, run)| run.findings.iter().map(|finding| finding.diagnostic.code))
        .collect();
    for code in Code::ALL.iter().filter(|code| code.severity() > Severity::Info) {
        assert!(
            shown.contains(code) || WITHOUT_MENDED_CASE.contains(code) || AT_ADMISSION.contains(code),
            "no case with a mended.yaml shows {code}"
        );
    }
}

/// Returns the public items of a crate without an example, and the number of all public items. A method needs no example if another
/// example calls it.
fn without_example(source: &Path) -> (Vec<String>, usize) {
    let kinds = ["fn", "struct", "enum", "trait", "const", "static", "type"];
    let (mut items, mut called) = (Vec::new(), BTreeSet::new());
    for file in rust_files(source).unwrap() {
        let text = std::fs::read_to_string(&file).unwrap();
        let (mut is_in_example, mut has_example) = (false, false);
        for line in text.lines() {
            let code = line.trim_start();
            if let Some(doc) = code.strip_prefix("///").or_else(|| code.strip_prefix("//!")) {
                let doc = doc.trim_start();
                if doc.starts_with("```") {
                    is_in_example = !is_in_example;
                    has_example = true;
                } else if is_in_example {
                    let is_hidden = doc.starts_with("# ") && !doc.starts_with("# Ok::<");
                    assert!(!is_hidden, "{}: a hidden line: {doc}", file.display());
                    called.extend(doc.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned));
                }
                continue;
            }
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '(');
            if words.next() == Some("pub") {
                let mut words = words.skip_while(|word| *word == "const" && code.contains(" fn "));
                if words.next().is_some_and(|word| kinds.contains(&word)) {
                    let name = words.next().unwrap_or_default().split('(').next().unwrap_or_default();
                    items.push((file.display().to_string(), name.to_owned(), line != code, has_example));
                }
            }
            has_example &= code.starts_with("#[");
        }
    }
    let count = items.len();
    let is_shown =
        |name: &str, is_method: bool, has_example: bool| has_example || is_method && called.contains(name);
    items.retain(|(_, name, is_method, has_example)| !is_shown(name, *is_method, *has_example));
    (items.into_iter().map(|(file, name, ..)| format!("{file}: {name}")).collect(), count)
}

#[test]
fn every_public_item_has_an_example() {
    for (folder, least) in [("src", 200), ("manifest/src", 40)] {
        let (missing, count) = without_example(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
        assert!(count >= least, "{folder}: {count} public items");
        assert!(missing.is_empty(), "without an example:\n{}", missing.join("\n"));
    }
}
