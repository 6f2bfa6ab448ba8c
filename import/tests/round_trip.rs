//! Every Ingress of the case folders is imported beside its Service, and rendered again.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot read its case has failed, and its summary is for people"
)]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xposer::service::{CONFIG_PREFIX, EXPOSE_LABEL, FORWARD_ANNOTATION, MANAGED_BY_LABEL, SERVICE_LABEL};
use xposer::{Outcome, Precedence, Service, Settings, emit_all, expose_all};
use xposer_import::{ImportResult, Imported, Input, import};
use xposer_testkit::cases;

/// The Ingresses among the objects of some Services, by namespace and name.
fn rendered(services: &[Value], settings: &Settings) -> BTreeMap<(String, String), Value> {
    let services: Vec<Service<'_>> = services.iter().map(Service::from_value).collect();
    let outcomes = expose_all(&services, settings, Precedence::RefuseAll);
    let emitted = emit_all(outcomes.iter().filter_map(Outcome::plan));
    let objects = emitted.objects.iter().filter(|object| object.kind().as_str() == "Ingress");
    let named = |object: &xposer::Object<'_>| {
        (object.namespace().unwrap_or_default().to_owned(), object.name().to_owned())
    };
    objects.map(|object| (named(object), object.to_value())).collect()
}

/// A Service as it was before anybody exposed it.
fn before(service: &Value) -> Value {
    let mut service = service.clone();
    if let Some(labels) = service.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(EXPOSE_LABEL);
    }
    if let Some(annotations) = service.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !key.starts_with(CONFIG_PREFIX) && key != FORWARD_ANNOTATION);
    }
    service
}

/// An Ingress as somebody else would have written it.
fn foreign(ingress: &Value) -> Value {
    let mut ingress = ingress.clone();
    if let Some(labels) = ingress.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.retain(|key, _| key != MANAGED_BY_LABEL && key != SERVICE_LABEL);
    }
    ingress
}

/// What becomes of the Ingresses of some Services: each by its name, whether its bytes are the same, and what is said.
fn round_trip(
    services: &[Value],
    rendered_with: &Settings,
    settings: &Settings,
) -> Vec<(String, bool, String)> {
    let originals = rendered(services, rendered_with);
    let documents: Vec<Value> = originals.values().map(foreign).collect();
    let bare: Vec<Value> = services.iter().map(before).collect();
    let input =
        Input { ingresses: documents.iter().collect(), services: bare.iter().collect(), ..Input::default() };
    let imported = import(&input, settings, false);
    let Imported { proposals, findings, results } = &imported;
    let mut exposed: Vec<Value> = bare.clone();
    for proposal in proposals {
        let at = proposal.given.unwrap();
        exposed[at] = proposal.whole(&bare[at]);
        let patched = merged(&bare[at], &proposal.patch());
        assert_eq!(patched, exposed[at], "the patch and the whole Service differ");
    }
    let again = rendered(&exposed, settings);
    let mut all = Vec::new();
    for (index, (name, original)) in originals.iter().enumerate() {
        let is_same = again.get(name) == Some(original)
            && again.get(name).map(ToString::to_string) == Some(original.to_string());
        let said: Vec<String> = findings
            .iter()
            .filter(|it| it.is_loss && it.object == xposer_import::Object::Ingress(index))
            .map(|it| format!("{}: {}", it.path, it.message))
            .collect();
        // It proves itself: what it calls the same has the same bytes, and whatever has other bytes is told.
        if results[index] == ImportResult::Same {
            let told = findings.iter().any(|it| it.object == xposer_import::Object::Ingress(index));
            assert!(
                is_same || told,
                "{name:?} is called the same, and is not:\n{original}\n{:?}",
                again.get(name)
            );
        } else if is_same {
            panic!("{name:?} is the same, and is not called so: {said:?}");
        }
        all.push((name.1.clone(), is_same, said.join("; ")));
    }
    all
}

/// A strategic merge patch of metadata.
fn merged(service: &Value, patch: &Value) -> Value {
    let mut service = service.clone();
    for field in ["labels", "annotations"] {
        let Some(entries) = patch["metadata"].get(field).and_then(Value::as_object) else { continue };
        if !service["metadata"][field].is_object() {
            service["metadata"][field] = json!({});
        }
        let known = service["metadata"][field].as_object_mut().unwrap();
        for (key, value) in entries {
            if value.is_null() {
                known.remove(key);
            } else {
                known.insert(key.clone(), value.clone());
            }
        }
    }
    service
}

/// Why an Ingress is not the same again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The settings deny what the Ingress has, or do not allow it.
    Denied,
    /// The settings of the case accept a loss, perhaps of one key only, and no others do.
    Accepted,
    /// What the settings may say is refused of a Service.
    Refused,
    /// It is a second Ingress of its Service, which the core makes beside the first one for an option.
    Beside,
    /// A controller is given a value of several lines.
    Lines,
    /// A path or a rewrite that the core wrote for a controller is none that a Service asks for.
    Rewritten,
    /// The share of a canary is written as a percentage.
    Percentage,
    /// The Service has no room for annotations.
    Room,
}

/// What is not the same again under the settings that it was made with.
const ELSE: &[(&str, Why)] = &[
    ("annotation-deny-options/api", Why::Denied),
    ("canary-weight-total/web-beta", Why::Percentage),
    ("contour-intents/moved", Why::Rewritten),
    ("f5-refused-paths/target", Why::Rewritten),
    ("haproxy-ingress-intents/api", Why::Rewritten),
    ("haproxy-ingress-intents/web", Why::Lines),
    ("haproxy-intents/web", Why::Lines),
    ("haproxy-passthrough-and-addresses-accepted/option", Why::Accepted),
    ("help-that-leads-somewhere/flags", Why::Rewritten),
    ("nginx-rewrite-lost/haproxy-ingress", Why::Rewritten),
    ("redirect-from-with-tls/web-redirect-from", Why::Beside),
    ("redirect-from-with-tls/web-redirect-from-http", Why::Beside),
    ("regex-alternatives/all", Why::Rewritten),
    ("regex-alternatives/inside", Why::Rewritten),
    ("regex-alternatives/on-contour", Why::Rewritten),
    ("regex-alternatives/on-haproxy-ingress", Why::Rewritten),
    ("regex-only-in-pcre/haproxy-end", Why::Rewritten),
    ("stamp-no-room/web", Why::Room),
    ("traefik-entry-points-of-its-own/redirected-redirect-from", Why::Beside),
    ("traefik-nginx-otherwise/groups", Why::Rewritten),
    ("traefik-redirect-from/web-redirect-from", Why::Beside),
    ("traefik-redirect-from/web-redirect-from-http", Why::Beside),
    ("traefik-redirect-from/www-redirect-from", Why::Beside),
    ("traefik-tls-of-settings/own", Why::Refused),
    ("traefik-translated/web-redirect-from", Why::Beside),
    ("traefik-translated/web-redirect-from-http", Why::Beside),
    ("use-regex-elsewhere/by-contour", Why::Rewritten),
    ("use-regex-elsewhere/by-haproxy-ingress", Why::Rewritten),
];

/// What is not the same again although nothing but the programs of the classes is set.
const ELSE_ALONE: &[(&str, Why)] = &[
    ("canary-weight-total/web-beta", Why::Percentage),
    ("configuration-in-own-words/late", Why::Denied),
    ("contour-intents/moved", Why::Rewritten),
    ("entry-points-of-a-default/web", Why::Refused),
    ("f5-refused-paths/target", Why::Rewritten),
    ("folded-block-not/web", Why::Denied),
    ("foreign-key-by-setting/web", Why::Refused),
    ("haproxy-ingress-intents/api", Why::Rewritten),
    ("haproxy-ingress-intents/web", Why::Lines),
    ("haproxy-intents/web", Why::Lines),
    ("haproxy-keys-of-the-host/other", Why::Accepted),
    ("haproxy-keys-of-the-host/web", Why::Accepted),
    ("haproxy-passthrough-and-addresses-accepted/line", Why::Accepted),
    ("haproxy-passthrough-and-addresses-accepted/option", Why::Accepted),
    ("help-that-leads-somewhere/flags", Why::Rewritten),
    ("nginx-rewrite-lost/haproxy-ingress", Why::Rewritten),
    ("nginx-snippet-of-several-lines/web", Why::Lines),
    ("own-words-elsewhere-allowed/community", Why::Denied),
    ("own-words-elsewhere-allowed/middleware", Why::Denied),
    ("own-words-elsewhere-allowed/middleware-redirect", Why::Beside),
    ("own-words-elsewhere-allowed/password", Why::Denied),
    ("own-words-elsewhere-allowed/policies", Why::Denied),
    ("own-words-elsewhere-by-setting/web", Why::Denied),
    ("passthrough-in-the-block/accepted", Why::Accepted),
    ("redirect-from-with-tls/web-redirect-from", Why::Beside),
    ("redirect-from-with-tls/web-redirect-from-http", Why::Beside),
    ("regex-alternatives/all", Why::Rewritten),
    ("regex-alternatives/inside", Why::Rewritten),
    ("regex-alternatives/on-contour", Why::Rewritten),
    ("regex-alternatives/on-haproxy-ingress", Why::Rewritten),
    ("regex-only-in-pcre/haproxy-end", Why::Rewritten),
    ("snippet-allowed/web", Why::Denied),
    ("snippet-by-setting/web", Why::Denied),
    ("stamp-no-room/web", Why::Room),
    ("tls-passthrough-defaults/web", Why::Refused),
    ("traefik-entry-points-of-its-own/redirected-redirect-from", Why::Beside),
    ("traefik-nginx-alias-with-star/own", Why::Denied),
    ("traefik-nginx-otherwise/groups", Why::Rewritten),
    ("traefik-nginx-weaker/body", Why::Accepted),
    ("traefik-redirect-from/web-redirect-from", Why::Beside),
    ("traefik-redirect-from/web-redirect-from-http", Why::Beside),
    ("traefik-redirect-from/www-redirect-from", Why::Beside),
    ("traefik-tls-of-settings/own", Why::Refused),
    ("traefik-translated/web-redirect-from", Why::Beside),
    ("traefik-translated/web-redirect-from-http", Why::Beside),
    ("use-regex-elsewhere/by-contour", Why::Rewritten),
    ("use-regex-elsewhere/by-haproxy-ingress", Why::Rewritten),
];

/// Imports every Ingress of the cases under settings that are made of those of the case, and compares with a table.
fn check(of_case: &dyn Fn(&Value) -> Value, table: &[(&str, Why)], how: &str) {
    let (mut same, mut wrong, mut others) = (0, Vec::new(), 0);
    let mut unused: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    for case in cases::all().unwrap() {
        let given = case.settings.clone().unwrap_or_default();
        let Ok(rendered_with) = Settings::tried(&given) else { continue };
        let Ok(settings) = Settings::tried(&of_case(&given)) else { continue };
        let services: Vec<Value> = case.services().cloned().collect();
        for (name, is_same, said) in round_trip(&services, &rendered_with, &settings) {
            let name = format!("{}/{name}", case.slug);
            let why = table.iter().find(|(known, _)| *known == name).map(|(_, why)| *why);
            unused.retain(|known| *known != name);
            match why {
                None if is_same => same += 1,
                Some(why) if !is_same => {
                    println!("{name}: {why:?}: {said}");
                    others += 1;
                }
                None => wrong.push(format!("{name} is not the same: {said}")),
                Some(_) => wrong.push(format!("{name} is the same, so it has no place in the table")),
            }
        }
    }
    wrong.extend(unused.iter().map(|name| format!("there is no Ingress {name}")));
    println!("{how}: {same} of {} Ingresses are the same again, byte for byte", same + others);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// A Service of this name that is exposed as an Ingress by options that an Ingress can show.
    fn service(name: &'static str) -> impl Strategy<Value = Value> {
        let hosts = proptest::collection::btree_set("[a-z]{1,3}", 1..4);
        let path = prop_oneof![Just(""), Just("/api"), Just("/v1/x"), Just("/x(/|$)(.*)")];
        let port = prop_oneof![Just(None), Just(Some("http")), Just(Some("9090"))];
        let kind = prop_oneof![Just(None), Just(Some("Exact")), Just(Some("ImplementationSpecific"))];
        let tls =
            prop_oneof![Just(None), Just(Some("true")), Just(Some("false")), Just(Some("cert-manager"))];
        let secret = prop_oneof![
            Just(None),
            Just(Some("{{.Service}}-tls")),
            Just(Some("{{.Host}}")),
            Just(Some("one"))
        ];
        let title = prop_oneof![
            Just(None),
            Just(Some("{{.Service}}-ingress")),
            Just(Some("{{.Namespace}}-{{.Service}}"))
        ];
        let class = prop_oneof![Just(None), Just(Some("nginx")), Just(Some("internal")), Just(Some("gce"))];
        let block = prop_oneof![
            Just(None),
            Just(Some("nginx.ingress.kubernetes.io/proxy-body-size: 8m")),
            Just(Some(
                "example.com/owner: 'a: b'\nnginx.ingress.kubernetes.io/auth-url: https://auth.example.com/x"
            )),
        ];
        let labels = prop_oneof![Just(None), Just(Some("team: blue"))];
        let others = (tls, secret, title, class, block, labels);
        (hosts, path, port, kind, others).prop_map(move |(hosts, path, port, kind, others)| {
            let (tls, secret, title, class, block, labels) = others;
            let urls: Vec<String> = hosts.iter().map(|host| format!("{host}.{name}.example.com{path}")).collect();
            let mut annotations = json!({format!("{CONFIG_PREFIX}IngressURLTemplate"): urls.join(", ")});
            let options = [
                ("ServicePort", port),
                ("PathType", kind.filter(|_| !path.contains('('))),
                ("TLS", tls),
                ("TLSSecretNameTemplate", secret.filter(|_| matches!(tls, Some("true" | "cert-manager")))),
                ("ClusterIssuer", Some("letsencrypt").filter(|_| tls == Some("cert-manager"))),
                ("IngressNameTemplate", title),
                ("IngressClassName", class),
                ("Labels", labels),
            ];
            for (key, value) in options {
                if let Some(value) = value {
                    annotations[format!("{CONFIG_PREFIX}{key}")] = value.into();
                }
            }
            if let Some(block) = block {
                annotations[FORWARD_ANNOTATION] = block.into();
            }
            json!({"apiVersion": "v1", "kind": "Service",
                "metadata": {"name": name, "namespace": "shop", "labels": {EXPOSE_LABEL: "true"}, "annotations": annotations},
                "spec": {"ports": [{"name": "http", "port": 80}, {"name": "metrics", "port": 9090}]}})
        })
    }

    fn settings() -> impl Strategy<Value = Value> {
        let one = prop_oneof![
            Just(json!({})),
            Just(json!({"domain": "example.com", "ingressURLTemplate": "a.{{.Service}}.{{.Domain}}"})),
            Just(json!({"ingressClassName": "nginx"})),
            Just(json!({"tls": true, "tlsSecretNameTemplate": "{{.Service}}-tls"})),
            Just(json!({"ingressNameTemplate": "{{.Service}}-ingress", "ingressURLPath": "/api"})),
            Just(json!({"pathType": "Exact", "servicePort": "http", "labels": {"team": "blue"}})),
            Just(json!({"target": "HTTPRoute", "parentRefs": [{"name": "edge"}]})),
            Just(
                json!({"profiles": {"p": {"ingressClassName": "internal", "tls": "cert-manager", "clusterIssuer": "letsencrypt"}}})
            ),
        ];
        proptest::collection::vec(one, 0..3).prop_map(|all| {
            let mut settings = json!({});
            for one in all {
                settings.as_object_mut().unwrap().extend(one.as_object().unwrap().clone());
            }
            settings
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        /// What was made by options is made by the options that are found for it, whatever the settings give.
        #[test]
        fn rendered_objects_survive_an_import(
            web in service("web"),
            api in service("api"),
            with in settings(),
        ) {
            let made_with = Settings::from_value(&json!({})).unwrap();
            let Ok(settings) = Settings::tried(&with) else { return Ok(()) };
            // A class or a label of the settings cannot be taken back.
            let lacks = |key: &str| [&web, &api].iter().any(|it| it["metadata"]["annotations"].get(format!("{CONFIG_PREFIX}{key}")).is_none());
            prop_assume!(with.get("ingressClassName").is_none() || !lacks("IngressClassName"));
            prop_assume!(with.get("labels").is_none() || !lacks("Labels"));
            let all = round_trip(&[web, api], &made_with, &settings);
            prop_assume!(!all.is_empty());
            for (name, is_same, said) in all {
                prop_assert!(is_same, "{}: {}", name, said);
            }
        }
    }
}

#[test]
fn case_ingresses_are_reproduced_or_reported() {
    check(&Value::clone, ELSE, "under the settings of the case");
}

/// Without the settings of the case, the annotations have to say everything.
#[test]
fn every_ingress_of_the_cases_is_the_same_again_without_settings() {
    let programs = |settings: &Value| {
        let kept = ["controllers", "defaultController", "legacyAnnotations", "externalDNSPrefixes"];
        let kept = kept.into_iter().filter_map(|key| Some((key.to_owned(), settings.get(key)?.clone())));
        Value::Object(kept.collect())
    };
    check(&programs, ELSE_ALONE, "without settings");
}

/// The Ingresses that the original made as it should, and that are not the same: one with a regular expression for a path had no annotation
/// that says so.
const PLAIN: &[&str] = &["203-html-regex-path"];

/// What the original made (`tests/compat`), which is of the oldest version of the API.
#[test]
fn the_ingresses_of_the_original_are_reproduced_but_for_their_default_backends() {
    let folder = xposer_testkit::workspace().join("tests/compat");
    let (mut same, mut others) = (0, Vec::new());
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|it| it == "json")) {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let mut ingress = case["xposer"]["ingress"].clone();
        let mut config = case["config"].clone();
        config["legacyAnnotations"] = "forward".into();
        let (false, Ok(settings)) = (ingress.is_null(), Settings::from_value(&config)) else { continue };
        ingress["apiVersion"] = "extensions/v1beta1".into();
        ingress["kind"] = "Ingress".into();
        let service = before(&case["service"]);
        let input = Input { ingresses: vec![&ingress], services: vec![&service], ..Input::default() };
        let imported = import(&input, &settings, false);
        let lost = imported.findings.iter().filter(|it| it.is_loss && it.path.to_string() != "spec.backend");
        let lost: Vec<String> = lost.map(|it| format!("{}: {}", it.path, it.message)).collect();
        if lost.is_empty() {
            assert_eq!(imported.proposals.len(), 1, "{}", file.display());
            same += 1;
        } else {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let is_plain = case["quirk"] == false && case["debatable"] == false;
            assert!(!is_plain || PLAIN.contains(&name.as_str()), "{name}: {lost:?}");
            others.push(format!("{name}: {}", lost.join("; ")));
        }
    }
    println!(
        "{same} of {} Ingresses of the original are reproduced but for their default backends",
        same + others.len()
    );
    println!("{}", others.join("\n"));
    assert_eq!((same, others.len()), (77, 40));
}
