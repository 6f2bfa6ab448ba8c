//! Regression tests for failures of the first run of the setup of Stakater's article about Xposer (`example_setup`) with real programs. Each test fails without the fix.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::ensure;
use xposer_chain::cluster::{CERTIFICATE, CONFIG_MAP, INGRESS, MONITOR, SECRET};
use xposer_chain::{Chain, Namespace, Request, eventually, redirect, say, status, within};

use crate::common::{
    Asking, BLOCK, ClientAnswers, SETTINGS, begin, configure, expose, has_address, has_no_warning,
    is_accepted, is_gone, is_issued, is_unresolved, nothing_is_left, records_are_complete, resolves,
};

const ROUTED: [(&str, &str); 2] = [("Target", "HTTPRoute"), ("TLS", "load-balancer")];

/// Renames the Ingress of a Service while the controller that writes addresses is paused. Returns the responses of the DNS server
/// to a client.
fn renamed(chain: &'static Chain, ns: &Namespace, name: &str) -> ClientAnswers {
    let host = format!("{name}.example.com");
    expose(ns, name, &[]);
    eventually("the name resolves", || resolves(chain, &host, "contour"));
    let asking = Asking::of(&host);
    let contour = chain.program("contour");
    contour.pause();
    configure(ns, name, "IngressNameTemplate", Some("{{.Service}}-renamed"));
    eventually("the new Ingress is there", || ns.get(INGRESS, &format!("{name}-renamed")).map(|_| ()));
    has_address(ns, &format!("{name}-renamed")).expect_err("nobody writes its address");
    // Without this step, ExternalDNS could see both changes at once. Another program serves this class.
    expose(ns, &format!("{name}-later"), &[("IngressClassName", "internal-ingress")]);
    eventually("ExternalDNS has seen it", || {
        resolves(chain, &format!("{name}-later.example.com"), "internal-ingress")
    });
    contour.resume();
    eventually("the new Ingress has an address", || has_address(ns, &format!("{name}-renamed")));
    eventually("the old Ingress is gone", || is_gone(ns, INGRESS, name));
    eventually("the name resolves", || resolves(chain, &host, "contour"));
    let asked = asking.stop();
    say(&format!("  {host}: asked {} times, {} without an address", asked.times, asked.missed.len()));
    asked
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn a_renamed_ingress_keeps_its_record_at_every_moment() {
    let (chain, ns) = begin("renamed");
    let controller = chain.controller(SETTINGS);
    let asked = renamed(chain, &ns, "kept");
    assert!(asked.missed.is_empty(), "{asked:?}");
    assert_eq!(asked.addresses, BTreeSet::from([chain.address("contour")]));
    ns.event("kept", "Normal", "Kept");
    ns.request("http://kept.example.com/").eventually(status(200).backend("kept"));
    drop(controller);

    // Without a handover, the record is deleted. This shows that the test can fail.
    let _controller = chain.controller_with(SETTINGS, &["--handover-timeout", "0"]);
    let asked = renamed(chain, &ns, "lost");
    assert!(!asked.missed.is_empty(), "{asked:?}");
    nothing_is_left(chain, &ns);
}

/// Exposes a Service with these lines in its block, and a canary that is selected by a header.
fn with_canary(ns: &Namespace, name: &str, options: &[(&str, &str)], block: &str) {
    expose(ns, name, &[options, &[(BLOCK, block)]].concat());
    let canary = [("CanaryOf", name), ("CanaryByHeader", "x-track"), ("CanaryByHeaderValue", "beta")];
    expose(ns, &format!("{name}-canary"), &[options, &canary].concat());
}

/// Waits until the HTTPRoutes of a Service and of its canary are served.
fn both_are_served(ns: &Namespace, name: &str) {
    for object in [name.to_owned(), format!("{name}-canary")] {
        eventually(&format!("{object} is served"), || is_accepted(ns, &object));
    }
}

/// Returns the A records with this name, as `TTL type value`.
fn records_of(chain: &Chain, host: &str) -> Vec<String> {
    let of_host = |record: String| record.strip_prefix(&format!("{host} ")).map(str::to_owned);
    chain.records().into_iter().filter_map(of_host).filter(|record| record.contains(" A ")).collect()
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn helper_objects_publish_nothing_of_their_own() {
    let (chain, ns) = begin("helpers");
    let _controller = chain.controller(SETTINGS);

    // A name that must not be published.
    let none = "external-dns.alpha.kubernetes.io/controller: none";
    with_canary(&ns, "secret-route", &ROUTED, none);
    // Contour does not support canaries.
    expose(&ns, "secret-ingress", &[(BLOCK, none)]);
    both_are_served(&ns, "secret-route");
    eventually("the redirect is served", || is_accepted(&ns, "secret-route-redirect"));
    eventually("the Ingress is served", || has_address(&ns, "secret-ingress"));
    records_are_complete(chain, &ns, "public");
    for name in ["secret-route", "secret-ingress"] {
        is_unresolved(chain, &format!("{name}.example.com")).expect("nobody publishes it");
    }
    // The additional objects work.
    let route = ns.request("https://secret-route.example.com/").at("envoy-gateway");
    route.eventually(status(200).backend("secret-route"));
    route.header("x-track", "beta").eventually(status(200).backend("secret-route-canary"));
    let plain = ns.request("http://secret-route.example.com/").at("envoy-gateway");
    plain.eventually(redirect(301, "https://secret-route.example.com/"));

    // A TTL of seven minutes, which no program has as its default.
    with_canary(&ns, "short", &ROUTED, "external-dns.alpha.kubernetes.io/ttl: 7m");
    let first = eventually("there is a record", || {
        let records = records_of(chain, "short.example.com");
        ensure!(!records.is_empty(), "none");
        Ok(records)
    });
    both_are_served(&ns, "short");
    eventually("the redirect is served", || is_accepted(&ns, "short-redirect"));
    records_are_complete(chain, &ns, "long");
    let expected = format!("420 A {}", chain.address("envoy-gateway"));
    assert_eq!(first, [expected.as_str()], "from the beginning");
    assert_eq!(records_of(chain, "short.example.com"), [expected.as_str()]);
    assert_ne!(records_of(chain, "long.example.com"), [expected.as_str()]);

    // An address of another server.
    expose(&ns, "aimed", &[(BLOCK, "external-dns.alpha.kubernetes.io/target: 203.0.113.77")]);
    eventually("the Ingress is served", || has_address(&ns, "aimed"));
    records_are_complete(chain, &ns, "at-home");
    let addresses: Vec<String> = chain.dns("aimed.example.com").iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["203.0.113.77"]);
    nothing_is_left(chain, &ns);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn a_regular_expression_is_one_where_the_target_has_them() {
    let (chain, ns) = begin("expressions");
    let _controller = chain.controller(SETTINGS);
    let path = [("IngressURLPath", "/api(/|$)(.*)"), ("Monitor", "true")];
    expose(&ns, "expression", &[ROUTED.as_slice(), &path].concat());
    let request = |path: &str| ns.request(&format!("https://expression.example.com{path}"));
    for path in ["/api", "/api/", "/api/v1?a=b"] {
        request(path).eventually(status(200).backend("expression").path(path));
    }
    for path in ["/", "/apis", "/v1/api"] {
        request(path).eventually(status(404));
    }
    // The URL of the monitor gets a response.
    let monitor = eventually("there is a monitor", || ns.get(MONITOR, "expression"));
    let url = monitor["spec"]["url"].as_str().unwrap_or_default();
    assert_eq!(url, "https://expression.example.com/api");
    ns.request(url).eventually(status(200).backend("expression"));

    // An Ingress of a class that ingress-nginx may serve has the annotation `use-regex`. Contour reads the path as a regular
    // expression without it.
    expose(&ns, "plain", &[path.as_slice(), &[("IngressClassName", "external-ingress")]].concat());
    let ingress = eventually("there is an Ingress", || ns.get(INGRESS, "plain"));
    assert_eq!(ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/use-regex"], "true");
    ns.request("http://plain.example.com/api/v1").eventually(status(200).backend("plain"));
    ns.request("http://plain.example.com/apis").eventually(status(404));
    nothing_is_left(chain, &ns);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn a_monitor_follows_its_host_at_once() {
    let (chain, ns) = begin("monitored");
    let _controller = chain.controller(SETTINGS);
    expose(&ns, "watched", &[("Monitor", "true"), ("TLS", "cert-manager")]);
    expose(&ns, "watched-route", &[ROUTED.as_slice(), &[("Monitor", "true")]].concat());
    let registered = chain.has(xposer_chain::INGRESS_MONITOR_CONTROLLER);
    for name in ["watched", "watched-route"] {
        let asks = |url: &str| {
            let monitor = ns.get(MONITOR, name)?;
            ensure!(monitor["spec"]["url"] == url, "{}", monitor["spec"]);
            // A change of a referenced object would be noticed only minutes later.
            ensure!(monitor["spec"]["urlFrom"].is_null(), "{}", monitor["spec"]);
            if registered {
                let urls: Vec<String> =
                    chain.uptime_robot().monitors().into_iter().map(|it| it.url).collect();
                ensure!(urls.iter().any(|it| it == url), "{urls:?}");
            }
            Ok(())
        };
        eventually("the monitor asks the host", || asks(&format!("https://{name}.example.com")));
        configure(&ns, name, "IngressURLTemplate", Some(&format!("{name}.company.com")));
        let new = format!("https://{name}.company.com");
        within(Duration::from_secs(10), "the monitor asks the new host", || asks(&new));
        ns.request(&new).eventually(status(200).backend(name));
    }
    nothing_is_left(chain, &ns);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn a_challenge_in_the_ingress_is_refused() {
    let (chain, ns) = begin("in-place");
    let _controller = chain.controller(SETTINGS);
    let block = "acme.cert-manager.io/http01-edit-in-place: 'true'";
    expose(&ns, "edited", &[("TLS", "cert-manager"), (BLOCK, block)]);
    let told = ns.event("edited", "Warning", "EditInPlace");
    assert!(told.contains("cert-manager would write"), "{told}");
    records_are_complete(chain, &ns, "unedited");
    assert_eq!(ns.names(INGRESS), ["unedited"]);

    // The legacy key is dropped, and not translated to the new one.
    let block = "certmanager.k8s.io/acme-http01-edit-in-place: 'true'";
    expose(&ns, "old", &[("TLS", "cert-manager"), (BLOCK, block)]);
    ns.event("old", "Warning", "LegacyDropped");
    let ingress = eventually("there is an Ingress", || ns.get(INGRESS, "old"));
    let annotations = ingress["metadata"]["annotations"].to_string();
    assert!(!annotations.contains("edit-in-place"), "{annotations}");
    eventually("it has a certificate all the same", || is_issued(&ns, "old-cert"));
    nothing_is_left(chain, &ns);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn certificate_is_kept_without_tls_as_documented() {
    let (chain, ns) = begin("without-tls");
    let _controller = chain.controller(SETTINGS);
    expose(&ns, "opened", &[("TLS", "cert-manager")]);
    let request = |scheme: &str| -> Request { ns.request(&format!("{scheme}://opened.example.com/")) };
    request("https").eventually(status(200).backend("opened"));

    configure(&ns, "opened", "TLS", Some("false"));
    eventually("the Ingress has no TLS section", || {
        let ingress = ns.get(INGRESS, "opened")?;
        let issuer = &ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"];
        ensure!(ingress["spec"]["tls"].is_null() && issuer.is_null(), "{ingress}");
        Ok(())
    });
    request("http").eventually(status(200).backend("opened"));
    // When cert-manager has issued another certificate, it has also seen this change.
    expose(&ns, "closed", &[("TLS", "cert-manager")]);
    eventually("another certificate is issued", || is_issued(&ns, "closed-cert"));
    assert_eq!(ns.names(CERTIFICATE), ["closed-cert", "opened-cert"]);
    // cert-manager has temporary Secrets while it issues.
    let secrets = || {
        let names = ns.names(SECRET);
        ensure!(names == ["closed-cert", "opened-cert"], "{names:?}");
        Ok(())
    };
    eventually("both Secrets are there", secrets);

    ns.delete(CERTIFICATE, "opened-cert");
    configure(&ns, "opened", "TLS", Some("cert-manager"));
    request("https").eventually(status(200).backend("opened"));
    nothing_is_left(chain, &ns);
    eventually("both Secrets stay", secrets);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn the_url_that_is_written_for_a_route_is_answered() {
    let (chain, ns) = begin("written");
    let settings = format!("{SETTINGS}target: HTTPRoute\ntls: load-balancer\npublishedValue: url\n");
    let _controller = chain.controller(&settings);
    let publish = (BLOCK, "exposeIngressUrl: locally");
    expose(&ns, "secured", &[publish]);
    expose(&ns, "plain", &[publish, ("TLS", "false")]);
    for (name, url) in [("secured", "https://secured.example.com"), ("plain", "http://plain.example.com")] {
        eventually("the URL is written", || {
            let written = &ns.get(CONFIG_MAP, "xposer")?["data"][format!("{name}-written")];
            ensure!(written == url, "{written}");
            Ok(())
        });
        ns.request(&format!("{url}/x")).eventually(status(200).backend(name).path("/x"));
    }
    // Without TLS, there is no route at the listener for https, and no redirect to it.
    ns.request("https://plain.example.com/").at("envoy-gateway").eventually(status(404));
    ns.request("http://secured.example.com/").eventually(redirect(301, "https://secured.example.com/"));

    // The same change in the other direction.
    configure(&ns, "plain", "TLS", None);
    ns.request("https://plain.example.com/").eventually(status(200).backend("plain"));
    ns.request("http://plain.example.com/").eventually(redirect(301, "https://plain.example.com/"));
    configure(&ns, "plain", "TLS", Some("false"));
    ns.request("http://plain.example.com/").eventually(status(200).backend("plain"));
    has_no_warning(&ns, "plain");
    nothing_is_left(chain, &ns);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn both_owners_hear_that_a_regular_expression_changes_the_paths_of_others() {
    let (chain, ns) = begin("siblings");
    let _controller = chain.controller(SETTINGS);
    // ingress-nginx may serve this class, but not the class `contour`.
    let there = [("IngressURLTemplate", "siblings.example.com"), ("IngressClassName", "external-ingress")];
    let with = |more: &[(&'static str, &'static str)]| [there.as_slice(), more].concat();
    expose(&ns, "only", &with(&[("IngressURLPath", "/only"), ("PathType", "Exact")]));
    expose(&ns, "root", &with(&[]));
    let exact = ns.request("http://siblings.example.com/only");
    exact.eventually(status(200).backend("only"));
    has_no_warning(&ns, "only");
    expose(&ns, "api", &with(&[("IngressURLPath", "/api(/|$)(.*)")]));
    let told = ns.event("only", "Warning", "HostRegularExpression");
    assert!(told.contains("write it as the regular expression /only$"), "{told}");
    let told = ns.event("api", "Warning", "HostRegularExpression");
    assert!(told.contains("/only"), "{told}");
    has_no_warning(&ns, "root");
    exact.eventually(status(200).backend("only"));
    nothing_is_left(chain, &ns);
}
