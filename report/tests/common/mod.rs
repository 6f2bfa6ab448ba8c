//! Reports for the tests.
#![allow(clippy::unwrap_used, reason = "a report that cannot be made has failed the test")]
#![allow(dead_code, unreachable_pub, reason = "every test uses a part of this")]

use serde_json::{Value, json};
use xposer::options::annotations;
use xposer::{Diagnostic, Precedence, Service, Settings, Target, expose_all};
use xposer_report::{Options, Place, Report};

/// Returns the report of documents under settings.
pub fn report(documents: &[Value], settings: &Value, options: &Options<'_>) -> Report {
    let settings = Settings::from_value(settings).unwrap();
    let services: Vec<Service<'_>> = documents.iter().map(Service::from_value).collect();
    let outcomes = expose_all(&services, &settings, options.precedence);
    Report::new(&services, &outcomes, &settings, options)
}

pub use xposer::testing::service_named as service;

/// The page of `examples/report`, as the command line prints it.
pub fn example_page() -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/report");
    let file = |name: &str| folder.join(name).display().to_string();
    let (settings, services) = (file("settings.yaml"), file("services.yaml"));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let console = xposer_cli::Console {
        stdin: &mut std::io::empty(),
        stdout: &mut stdout,
        stderr: &mut stderr,
        terminal: xposer_cli::Terminal::default(),
    };
    let arguments = ["xposer", "report", "--compare-target", "httproute", "--settings", &settings, &services];
    assert_eq!(xposer_cli::run(arguments, console), 1);
    // The path of this checkout is removed from the places.
    String::from_utf8(stdout).unwrap().replace(&format!("{}/", folder.display()), "")
}

/// Texts that a page must neither run nor show as markup, and that must not change the direction of its text.
pub const HOSTILE: [&str; 9] = [
    "</script><script>window.ran = 1</script>",
    "<img src=x onerror=\"window.ran = 1\">",
    "\" onmouseover=\"window.ran = 1\" x=\"",
    "' autofocus onfocus='window.ran = 1' x='",
    "javascript:window.ran=1",
    "</style><svg onload=window.ran=1>",
    "{{constructor.constructor('window.ran=1')()}}",
    "a\u{0}b\u{1b}[2Jc\u{202e}d\u{2028}e\u{feff}f\u{ad}g\u{61c}h\u{2066}i\u{2069}j\u{3164}k\u{e0041}",
    "--><!--]]><x/>&lt;script&gt;window.ran=1&lt;/script&gt;",
];

/// Services with hostile text wherever a user can write text, and settings that accept as much of it as possible.
pub fn hostile() -> (Vec<Value>, Value) {
    let long = "<b>".repeat(20_000);
    let mut all = Vec::new();
    for (number, text) in HOSTILE.into_iter().chain([long.as_str()]).enumerate() {
        for (key, _) in annotations() {
            let name = format!("web-{number}-{}", all.len());
            all.push(service("shop", &name, &[(key.name, text)]));
        }
        let line = text.replace(['\n', '\u{0}', '\u{1b}'], " ");
        for key in [
            "nginx.ingress.kubernetes.io/auth-realm",
            "nginx.ingress.kubernetes.io/configuration-snippet",
            "external-dns.alpha.kubernetes.io/target",
            "external-dns.alpha.kubernetes.io/set-identifier",
            "cert-manager.io/issuer",
            "konghq.com/plugins",
            "example.com/anything",
            "kubernetes.io/ingress.class",
            line.as_str(),
        ] {
            let name = format!("web-{number}-{}", all.len());
            all.push(service(
                "shop",
                &name,
                &[("xposer.stakater.com/annotations", &format!("{key}: {line:?}"))],
            ));
        }
        // These values are accepted.
        let name = format!("web-{number}-{}", all.len());
        let realm = line.chars().filter(|c| !c.is_control()).take(100).collect::<String>();
        all.push(service("shop", &name, &[("BasicAuth", &format!("secret: users\nrealm: {realm:?}"))]));
        let mut odd = service(text, text, &[(text, text)]);
        odd["spec"]["ports"] = json!([{"name": text, "port": 80}]);
        odd["metadata"]["labels"][text] = text.into();
        all.push(odd);
    }
    let settings = json!({"domain": "example.com", "labels": {"team": "a"}, "profiles": {"internal": {}},
        "forbiddenAnnotations": [], "parentRefs": [{"name": "external"}]});
    let settings = if Settings::from_value(&settings).is_ok() {
        settings
    } else {
        json!({"domain": "example.com", "profiles": {"internal": {}}, "parentRefs": [{"name": "external"}]})
    };
    (all, settings)
}

/// The page of [`hostile`], with hostile file names.
pub fn hostile_page() -> String {
    let (documents, settings) = hostile();
    let place = |at: usize, _: &Diagnostic| {
        let file = HOSTILE.get(at % HOSTILE.len()).unwrap_or(&"").to_string();
        Some(Place { file, line: Some(1), column: Some(2) })
    };
    let options = Options {
        place: Some(&place),
        title: Some(HOSTILE.join(" ")),
        generated: Some(HOSTILE.join(" ")),
        compare_target: Some(Target::HttpRoute),
        precedence: Precedence::OldestFirst,
        ..Options::default()
    };
    report(&documents, &settings, &options).to_html()
}

/// Services, of which two thirds are exposed, and a tenth has claims that others have, too.
pub fn many(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| {
            let (namespace, name) = (format!("team-{}", number % 40), format!("web-{number}"));
            match number % 30 {
                0 => service(&namespace, &name, &[("IngressURLTemplate", "{{.Doman}}")]),
                1 => service(&namespace, &name, &[("IngressURLTemplate", "shared.example.com")]),
                2..10 => service(&namespace, &name, &[("AllowedSources", "10.0.0.0/8"), ("TLS", "true")]),
                _ => service(&namespace, &name, &[]),
            }
        })
        .collect()
}
