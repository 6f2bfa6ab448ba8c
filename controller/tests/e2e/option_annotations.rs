//! What ingress-nginx's own code for annotations reads of what options are for it.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use xposer_testkit::cases::{all, parse};
use xposer_testkit::workspace;

/// What it has read of each Ingress of a case, by the name of the Ingress.
fn settings(case: &str, name: &str) -> Value {
    let cases = all().unwrap_or_else(|error| panic!("{error:#}"));
    let run = cases.into_iter().find(|it| it.slug == case).unwrap().run();
    let objects = parse(&run.objects).unwrap_or_else(|error| panic!("{error:#}"));
    let ingress = objects.into_iter().find(|it| it["metadata"]["name"] == name).unwrap();
    let program = workspace().join(".tools/chain/bin/ingress-nginx-annotations");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{case}-{name}.json"));
    fs::write(&file, ingress.to_string()).unwrap();
    let run = Command::new(&program).stdin(File::open(&file).unwrap()).output();
    let output =
        run.unwrap_or_else(|error| panic!("{}: {error}; `make verify-objects` builds it", program.display()));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer["refusal"].is_null(), "{answer}");
    answer["settings"].clone()
}

#[test]
#[ignore = "needs ingress-nginx's code: make verify-objects"]
fn ingress_nginx_reads_what_the_options_want() {
    let web = settings("ingress-nginx-intents", "web");
    let api = settings("ingress-nginx-intents", "api");
    for (settings, place, expected) in [
        (&web, "/Rewrite/target", json!("/$2")),
        (&web, "/Allowlist/cidr", json!(["10.0.0.0/8", "2001:db8::/32"])),
        (&web, "/Denylist/cidr", json!(["10.9.0.0/16"])),
        (&web, "/BasicDigestAuth/secured", json!(true)),
        (&web, "/BasicDigestAuth/secret", json!("shop/users")),
        (&web, "/BasicDigestAuth/realm", json!("Staff only")),
        (&web, "/Proxy/connectTimeout", json!(5)),
        (&web, "/Proxy/readTimeout", json!(120)),
        (&web, "/Proxy/sendTimeout", json!(120)),
        (&web, "/Proxy/bodySize", json!("10m")),
        (&web, "/CorsConfig/corsEnabled", json!(true)),
        (&web, "/CorsConfig/corsAllowOrigin", json!(["https://a.example.com", "https://*.example.org"])),
        (&web, "/CorsConfig/corsAllowMethods", json!("GET, PUT")),
        (&web, "/CorsConfig/corsAllowHeaders", json!("X-A")),
        (&web, "/CorsConfig/corsExposeHeaders", json!("X-B")),
        (&web, "/CorsConfig/corsAllowCredentials", json!(true)),
        (&web, "/CorsConfig/corsMaxAge", json!(3600)),
        (&web, "/BackendProtocol", json!("HTTPS")),
        (&web, "/SessionAffinity/type", json!("cookie")),
        (&web, "/SessionAffinity/name", json!("route")),
        (&web, "/SessionAffinity/maxage", json!("3600")),
        (&web, "/RateLimit/rps/limit", json!(10)),
        (&web, "/RateLimit/rps/burst", json!(20)),
        (&web, "/CertificateAuth/secret", json!("shop/ca")),
        (&web, "/CertificateAuth/verify_client", json!("optional")),
        (&api, "/ExternalAuth/url", json!("https://auth.example.com/verify")),
        (&api, "/ExternalAuth/signinUrl", json!("https://auth.example.com/start")),
        (&api, "/ExternalAuth/responseHeaders", json!(["X-User", "X-Email"])),
        (&api, "/Redirect/fromToWWW", json!(true)),
        (&api, "/RateLimit/rpm/limit", json!(100)),
        (&api, "/Proxy/bodySize", json!("0")),
        (&api, "/CorsConfig/corsAllowOrigin", json!(["*"])),
        (&api, "/CorsConfig/corsAllowCredentials", json!(false)),
    ] {
        assert_eq!(settings.pointer(place), Some(&expected), "{place}");
    }
}
