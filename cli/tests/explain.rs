//! `explain`, the help and the completions cover everything there is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Ran, exposed, folder, service, xposer, xposer_in};
use xposer::internal::{Controller, Intent, ServedTarget, functions};
use xposer::options::{annotations, settings};
use xposer::template::{Template, Var, Vars};
use xposer::{Code, Settings};

fn explained(word: &str) -> String {
    let ran = xposer(&["explain", word], "").expect(0);
    assert_eq!(ran.stderr, "");
    ran.stdout
}

#[test]
fn every_annotation() {
    for (key, row) in annotations() {
        let text = explained(key.name);
        // A setting can have the same name; then both are explained.
        assert!(explained(key.short_name()).starts_with(&text), "{text}");
        for part in [key.name, row.doc, key.example, &row.form.describe()] {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
        assert!(row.setting.is_none_or(|setting| text.contains(setting.name)), "{text}");
    }
}

#[test]
fn every_setting() {
    for (key, row) in settings() {
        let text = explained(key.name);
        for part in [key.name, row.doc, row.default, key.example, &row.form.describe()] {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
    }
}

#[test]
fn every_code() {
    for code in Code::ALL {
        let text = explained(code.slug());
        assert!(text.starts_with(&format!("{}[{code}]", code.severity())), "{text}");
        assert_eq!(text.contains("error under the setting strict"), code.is_error_when_strict());
        for part in [code.summary(), code.why(), code.fix()] {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
    }
}

#[test]
fn the_templates() {
    let text = explained("templates");
    for function in functions::all() {
        for part in function.names().chain([function.doc(), function.example, function.result()]) {
            assert!(text.contains(part), "{part} is missing from {text}");
        }
    }
    for var in Var::ALL {
        assert!(text.contains(&format!("  {{{{.{}}}}}: ", var.name())), "{text}");
    }
    // An example that cannot be rendered would show an empty result.
    let vars = Vars {
        service: "web",
        namespace: Some("shop"),
        domain: Some("example.com"),
        host: Some("web.example.com"),
    };
    let examples: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once("  gives  ")).collect();
    assert!(examples.len() >= functions::all().len() + 10);
    for (example, result) in examples {
        let rendered = Template::parse(example.trim()).unwrap().render(&vars).unwrap();
        assert_eq!(rendered, result, "{example}");
        assert!(!rendered.is_empty(), "{example}");
    }
}

#[test]
fn the_overview_lists_everything() {
    let text = xposer(&["explain"], "").expect(0).stdout;
    let words = annotations().flat_map(|(key, row)| [key.name, row.doc]);
    let words = words.chain(settings().flat_map(|(key, row)| [key.name, row.doc]));
    let words = words.chain(Code::ALL.iter().flat_map(|code| [code.slug(), code.summary()]));
    for word in words.chain(["templates"]) {
        assert!(text.contains(&format!("  {word}")) || text.contains(&format!(": {word}\n")), "{word}");
    }
}

#[test]
fn every_program_and_what_it_has() {
    for controller in Controller::ALL {
        let text = explained(controller.as_str());
        assert!(text.starts_with(&format!("program {controller}\n")), "{text}");
    }
    for program in ServedTarget::all() {
        let text = explained(program.controller().as_str());
        for row in program.mappings() {
            assert!(
                text.contains(row.annotations) && text.contains(row.since),
                "{} is missing from {text}",
                row.annotations
            );
        }
    }
}

/// A program is named with the settings that take it; of one that is not known, the setting for Gateways and its values.
#[test]
fn settings_that_take_a_program() {
    for controller in Controller::ALL {
        let text = explained(controller.as_str());
        let settings = serde_json::json!({"gatewayController": controller.as_str()});
        let is_taken = Settings::from_value(&settings).is_ok();
        assert_eq!(text.contains("defaultController, gatewayController\n"), is_taken, "{text}");
    }
    for word in ["gateway", "other"] {
        let text = explained(word);
        let said = "If traefik, contour, haproxy-ingress, alb, gce, openshift or envoy-gateway serves the Gateway, name it in the \
                    setting gatewayController.";
        assert!(text.contains(said), "{text}");
    }
    let ran = xposer(&["explain", "gateway/other"], "").expect(2);
    assert!(ran.stderr.contains("did you mean other?"), "{}", ran.stderr);
}

#[test]
fn every_intent_is_explained_for_every_program() {
    for intent in Intent::ALL {
        let text = explained(intent.annotation());
        let (_, programs) = text.split_once("\nIn the programs").unwrap();
        for program in ServedTarget::all() {
            assert!(programs.contains(&format!("\n  {} ", program.controller())), "{programs}");
            for row in program.intent_support(intent).mappings {
                assert!(programs.contains(row.annotations), "{} is missing from {programs}", row.annotations);
            }
        }
    }
}

#[test]
fn unknown_arguments_get_a_suggestion() {
    let message = |word: &str| {
        let ran = xposer(&["explain", word], "").expect(2);
        assert_eq!(ran.stdout, "");
        ran.stderr
    };
    let expected = "\
error: \"host-upercase\" is not an annotation, setting, code or program
 |
 = help: did you mean host-uppercase?

";
    assert_eq!(message("host-upercase"), expected);
    for (word, meant) in [
        ("IngresNameTemplate", "IngressNameTemplate"),
        ("ingressUrlTemplat", "ingressURLTemplate"),
        ("tempaltes", "templates"),
        ("trefik", "traefik"),
        ("config.xposer.stakater.com/Domian", "config.xposer.stakater.com/Domain"),
    ] {
        let text = message(word).to_lowercase();
        assert!(text.contains(&format!("did you mean {}?", meant.to_lowercase())), "{text}");
    }
    assert!(message("quux").contains("help: list all words with `xposer explain`"));
    let all = xposer(&["explain"], "").expect(0).stdout;
    assert!(all.ends_with("More about each word: xposer explain WORD\n"), "{all}");
    assert_eq!(message("no-such-file.yaml"), "error: there is no such file\n--> no-such-file.yaml\n\n");
}

/// What is said about these Services under these settings.
fn traced(test: &str, settings: &str, services: &[String]) -> Ran {
    let folder = folder(test);
    std::fs::write(folder.join("settings.yaml"), settings).unwrap();
    std::fs::write(folder.join("services.yaml"), services.join("---\n")).unwrap();
    xposer_in(&folder, &["explain", "--settings", "settings.yaml", "services.yaml"], "")
}

#[test]
fn a_file() {
    let expected = "\
Service shop/web is exposed as http://web.example.com
  host         web.example.com
                 from metadata.annotations[\"config.xposer.stakater.com/IngressURLTemplate\"]
  path         /
                 from the built-in default
  name         web
                 from the built-in default
  servicePort  80
                 from the built-in default
  target       Ingress
                 from the built-in default
  servedBy     Ingress: ingress-nginx
                 from the built-in default
";
    for arguments in [["explain", "-"].as_slice(), &["explain", "--namespace", "other", "-"]] {
        let ran = xposer(arguments, &service("web"));
        assert_eq!(ran, Ran { code: 0, stdout: expected.into(), stderr: String::new() });
    }
    let nowhere = service("web").replace("  namespace: shop\n", "");
    assert_eq!(xposer(&["explain", "-n", "shop", "-"], &nowhere).expect(0).stdout, expected);
    assert_eq!(traced("explain-file", "", &[service("web")]).expect(0).stdout, expected);
    let none = xposer(&["explain", "-"], "kind: ConfigMap\n");
    assert_eq!(none, Ran { code: 0, stdout: String::new(), stderr: String::new() });
}

/// All Services of a file are shown in its order: exposed, left alone and refused.
#[test]
fn a_file_of_several_services() {
    let left_alone = service("api").replace("'true'", "'false'");
    let ran = traced("explain-several", "", &[service("web"), left_alone, exposed("bad", "a..example.com")]);
    let ran = ran.expect(1);
    let paragraphs: Vec<&str> = ran.stdout.split("\n\n").collect();
    let [web, api, bad] = paragraphs.as_slice() else { panic!("{}", ran.stdout) };
    assert!(web.starts_with("Service shop/web is exposed as http://web.example.com\n  host "), "{web}");
    assert_eq!(*api, "Service shop/api does not ask to be exposed; the label is expose: \"true\"");
    // What could be made is shown all the same: that is where the mistake is looked for.
    assert!(bad.starts_with("Service shop/bad is refused\n  host         a..example.com\n"), "{bad}");
    assert!(ran.stderr.starts_with("error[host-empty-label]: "), "{}", ran.stderr);
    assert!(ran.stderr.contains(" --> services.yaml:30:"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("exposed,"), "{}", ran.stderr);
}

/// Who serves a Service, and how that is known.
#[test]
fn file_with_its_programs() {
    let of_class = |name: &str, class: &str| {
        service(name).replace(
            "  annotations:\n",
            &format!("  annotations:\n    config.xposer.stakater.com/IngressClassName: {class}\n"),
        )
    };
    let settings = "controllers: {internal: haproxy}\ndefaultController: traefik\nparentRefs: [{name: external}]\n\
                    gatewayController: envoy-gateway\ntarget: [Ingress, HTTPRoute]\n";
    let services =
        [of_class("set", "internal"), of_class("named", "contour-public"), of_class("other", "public")];
    let ran = traced("explain-served-by", settings, &services).expect(0);
    let served: Vec<&str> = ran
        .stdout
        .split("  servedBy ")
        .skip(1)
        .flat_map(|row| row.lines().take(2).map(str::trim).collect::<Vec<_>>())
        .collect();
    let gateway = ["HTTPRoute: Envoy Gateway", "from settings.gatewayController"];
    let expected = [
        ["Ingress: the HAProxy Kubernetes Ingress Controller", "from settings.controllers.internal"],
        gateway,
        ["Ingress: Contour", "from the name of the class `contour-public`"],
        gateway,
        ["Ingress: Traefik", "from settings.defaultController"],
        gateway,
    ];
    assert_eq!(served, expected.concat());
    // The setting counts, too, if it names the built-in default.
    let ran = traced("explain-default", "defaultController: ingress-nginx\n", &services[2..]).expect(0);
    assert!(ran.stdout.contains("from settings.defaultController"), "{}", ran.stdout);
}

/// What a Service wants, and how the program that serves it says that.
#[test]
fn a_file_and_what_it_wants() {
    let wanting = service("web").replace(
        "  annotations:\n",
        "  annotations:\n    config.xposer.stakater.com/AllowedSources: 10.0.0.0/8\n",
    );
    let forwarding = service("api").replace(
        "  annotations:\n",
        "  annotations:\n    xposer.stakater.com/annotations: 'nginx.ingress.kubernetes.io/denylist-source-range: 192.0.2.0/24'\n",
    );
    let ran =
        traced("explain-wanted", "parentRefs: [{name: external}]\n", &[wanting.clone(), forwarding.clone()]);
    let shown = ran.expect(0).stdout;
    let row = shown.lines().find(|line| line.starts_with("  allowedSources "));
    assert!(row.is_some_and(|row| row.ends_with(" 10.0.0.0/8")), "{shown}");
    assert!(shown.contains("   passed to ingress-nginx as "), "{shown}");
    // A program that lacks it is named with what to do.
    let settings = "target: HTTPRoute\nparentRefs: [{name: external}]\ngatewayController: gateway\n";
    let shown = traced("explain-lacking", settings, &[wanting, forwarding]).expect(1).stdout;
    for row in ["  allowedSources ", "  deniedSources "] {
        let (_, rest) = shown.split_once(row).unwrap_or_else(|| panic!("{row} is missing from {shown}"));
        let message = rest.lines().find(|line| line.contains("does not support it; "));
        assert!(message.is_some(), "{shown}");
    }
}

/// Two Services of one file that ask for one host are refused here, too.
#[test]
fn a_file_is_one_set() {
    let twice = [exposed("web", "shop.example.com"), exposed("api", "shop.example.com")];
    let ran = traced("explain-set", "", &twice).expect(1);
    assert_eq!(ran.stdout.matches(" is refused\n").count(), 2, "{}", ran.stdout);
    assert_eq!(ran.stderr.matches("error[route-claimed]: ").count(), 2, "{}", ran.stderr);
}

#[test]
fn a_file_under_a_profile_it_cannot_have() {
    let settings = "profiles: {external: {namespaces: [team-a], domain: example.org}}\n";
    let asking = service("web")
        .replace("  annotations:\n", "  annotations:\n    config.xposer.stakater.com/Profile: external\n");
    let ran = traced("explain-profile", settings, &[asking]).expect(1);
    assert_eq!(ran.stdout, "Service shop/web is refused\n");
    assert!(ran.stderr.starts_with("error[profile-forbidden]: "), "{}", ran.stderr);
}

const LAYERS: &str = "\
ingressURLTemplate: '{{.Service}}.{{.Domain}}'
domain: general.example.com
ingressNameTemplate: general
servicePort: http
tlsSecretNameTemplate: general-tls
annotations: {example.com/all: general}
namespaces:
  shop:
    profile: external
    domain: namespace.example.com
    ingressNameTemplate: namespace
    tlsSecretNameTemplate: namespace-tls
    annotations: {example.com/all: namespace, example.com/own: namespace}
profiles:
  external:
    domain: profile.example.com
    ingressNameTemplate: profile
    tls: true
    annotations: {example.com/all: profile}
";

const ASKING: &str = "\
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  labels: {expose: 'true'}
  annotations:
    config.xposer.stakater.com/IngressNameTemplate: annotation
    xposer.stakater.com/annotations: 'example.com/all: annotation'
spec:
  ports: [{name: http, port: 80}]
";

/// The order of precedence: annotation, profile, namespace, general settings, what is built in.
#[test]
fn five_layers() {
    let ran = traced("explain-layers", LAYERS, &[ASKING.to_owned()]).expect(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(
        ran.stdout,
        "\
Service shop/web is exposed as https://web.profile.example.com
  profile                     external
                                from settings.namespaces.shop.profile
  domain                      profile.example.com
                                from settings.profiles.external.domain
                                before settings.namespaces.shop.domain
                                before settings.domain
  host                        web.profile.example.com
                                from settings.ingressURLTemplate
  path                        /
                                from the built-in default
  name                        annotation
                                from metadata.annotations[\"config.xposer.stakater.com/IngressNameTemplate\"]
                                before settings.profiles.external.ingressNameTemplate
                                before settings.namespaces.shop.ingressNameTemplate
                                before settings.ingressNameTemplate
  servicePort                 http
                                from settings.servicePort
  tls                         true
                                from settings.profiles.external.tls
  tlsSecretName               namespace-tls
                                from settings.namespaces.shop.tlsSecretNameTemplate
                                before settings.tlsSecretNameTemplate
  target                      Ingress
                                from the built-in default
  servedBy                    Ingress: ingress-nginx
                                from the built-in default
  annotation example.com/all  annotation
                                from metadata.annotations[\"xposer.stakater.com/annotations\"]
                                before settings.profiles.external.annotations[\"example.com/all\"]
                                before settings.namespaces.shop.annotations[\"example.com/all\"]
                                before settings.annotations[\"example.com/all\"]
  annotation example.com/own  namespace
                                from settings.namespaces.shop.annotations[\"example.com/own\"]
"
    );
}

/// Labels add up key by key; ours, which nobody gives, are not shown.
#[test]
fn labels_of_several_layers() {
    let settings = "domain: example.com\nlabels: {team: general, zone: general}\n\
        namespaces: {shop: {labels: {team: namespace, tier: namespace}}}\n";
    let asking = service("web").replace(
        "  annotations:\n",
        "  annotations:\n    config.xposer.stakater.com/Labels: 'team: annotation'\n",
    );
    let ran = traced("explain-labels", settings, &[asking]).expect(0);
    let labels: Vec<&str> = ran.stdout.lines().skip_while(|line| !line.starts_with("  label ")).collect();
    let labels: Vec<Vec<&str>> = labels.iter().map(|line| line.split_whitespace().collect()).collect();
    let labels: Vec<String> = labels.iter().map(|words| words.join(" ")).collect();
    assert_eq!(
        labels,
        [
            "label team annotation",
            "from metadata.annotations[\"config.xposer.stakater.com/Labels\"]",
            "before settings.namespaces.shop.labels.team",
            "before settings.labels.team",
            "label tier namespace",
            "from settings.namespaces.shop.labels.tier",
            "label zone general",
            "from settings.labels.zone",
        ]
    );
}

/// Whoever is uppermost is taken away, one after the other: the next one counts.
#[test]
fn every_layer_gives_way_to_the_one_above() {
    let (mut settings, mut asking) = (LAYERS.to_owned(), ASKING.to_owned());
    for (layer, name) in ["annotation", "profile", "namespace", "general", "web"].into_iter().enumerate() {
        let rendered = {
            let folder = folder("explain-layer");
            std::fs::write(folder.join("settings.yaml"), &settings).unwrap();
            xposer_in(&folder, &["render", "--settings", "settings.yaml"], &asking).expect(0).stdout
        };
        assert!(rendered.contains(&format!("\n  name: {name}\n")), "{rendered}");
        let told = traced("explain-layer", &settings, std::slice::from_ref(&asking)).expect(0).stdout;
        let row: Vec<&str> = told.lines().skip_while(|line| !line.starts_with("  name ")).collect();
        assert!(row[0].ends_with(&format!(" {name}")), "{told}");
        assert_eq!(row[1].ends_with("from the built-in default"), name == "web", "{told}");
        let below = row.iter().skip(2).take_while(|line| line.trim().starts_with("before ")).count();
        assert_eq!(below, 3_usize.saturating_sub(layer), "{told}");
        let line = format!("ngressNameTemplate: {name}\n");
        for text in [&mut asking, &mut settings] {
            *text = text.split_inclusive('\n').filter(|it| !it.ends_with(&line)).collect();
        }
    }
}

#[test]
fn completions_of_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = xposer(&["completions", shell], "").expect(0);
        assert_eq!(ran.stderr, "");
        for word in ["render", "check", "explain", "krm", "completions", "settings", "namespace"] {
            assert!(ran.stdout.contains(word), "{word} is missing for {shell}");
        }
    }
}

#[test]
fn the_help_teaches() {
    for arguments in [["--help"].as_slice(), &["render", "--help"], &["check", "--help"], &["krm", "--help"]]
    {
        let ran = xposer(arguments, "").expect(0);
        assert_eq!(ran.stderr, "");
        assert!(ran.stdout.contains("Exit codes:\n  0  nothing was refused"), "{}", ran.stdout);
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
    }
    let ran = xposer(&["--version"], "").expect(0);
    assert_eq!(ran.stdout, format!("xposer {}\n", env!("CARGO_PKG_VERSION")));
}

/// What is shown to people has nothing that a terminal obeys, or that cannot be seen.
#[test]
fn terminal_escapes_of_the_input_are_not_printed() {
    // In quotes of YAML: ESC, BEL, a line break, and signs that turn the direction or have no width.
    let evil = r"\e]0;x\a\e[31m\nz\u202E\u2066\u2069\u061C\u200E\u00AD\uFEFF\u3164f";
    let annotations = [
        ("config.xposer.stakater.com/Monitor", "true".to_owned()),
        ("config.xposer.stakater.com/MonitorHealthEndpoint", evil.to_owned()),
        ("xposer.stakater.com/annotations", format!("example.com/note: {}", evil.replace(r"\n", ""))),
        ("config.xposer.stakater.com/Canary", evil.to_owned()),
    ];
    let lines = annotations.map(|(key, value)| format!("    {key}: \"{value}\"\n")).concat();
    let hostile = service("web").replace("  annotations:\n", &format!("  annotations:\n{lines}"));
    assert!(hostile.contains(evil), "{hostile}");
    let fine = hostile.replace(&format!("Endpoint: \"{evil}\""), &format!("Endpoint: \"/{evil}\""));
    let is_raw = |c: &char| xposer::internal::is_hidden(*c) && *c != '\n';
    // The line of the file that a finding shows.
    let raw = hostile.replace(r"\u202E", "\u{202e}").replace(r"\u2066", "\u{2066}");
    let mut message = String::new();
    for input in [&hostile, &fine, &raw] {
        for arguments in [
            &["explain", "-"][..],
            &["check"],
            &["check", "--diagnostics", "github"],
            &["check", "--diagnostics", "sarif"],
        ] {
            let ran = xposer(arguments, input);
            let text = ran.stdout + &ran.stderr;
            let raw: Vec<char> = text.chars().filter(is_raw).collect();
            assert!(raw.is_empty(), "{arguments:?}: {raw:?} in {text}");
            assert!(!text.lines().any(|line| line.starts_with('z')), "{arguments:?}: {text}");
            assert!(*input == fine || text.contains("u{202e}"), "{arguments:?}: {text}");
            message += &text;
        }
    }
    assert!(message.contains(r"help: write /\u{1b}") && message.contains(r"]0;x\u{7}"), "{message}");
    // A program reads the value as it is.
    let json = xposer(&["check", "--diagnostics", "json"], &hostile).stderr;
    let found: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert!(
        found.iter().any(|it| it["proposed"].as_str().is_some_and(|value| value.contains('\u{1b}'))),
        "{json}"
    );
    // A help of many pages helps nobody.
    let long = hostile.replace(evil, &"a".repeat(100_000));
    let message = xposer(&["check"], &long).stderr;
    assert!(
        message.contains("write /aaa")
            && message.lines().filter(|it| it.contains("help:")).all(|it| it.len() < 1100)
    );
}
