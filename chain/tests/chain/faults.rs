//! Tests failures: a program is stopped, refuses requests or is missing. The chain recovers by itself, and nothing is left behind.

use std::time::Duration;

use anyhow::ensure;
use xposer_chain::cluster::{CERTIFICATE, HTTP_ROUTE, INGRESS};
use xposer_chain::{Links, Namespace, Process, Request, eventually, say, status};

use crate::common::{
    Asking, SETTINGS, acceptance, begin, configure, expose, has_address, has_no_warning, is_accepted,
    is_gone, is_issued, is_unresolved, nothing_is_left, records_are_complete, resolves,
};

/// The deadline for the Event that no controller serves a class.
const TOLD: Duration = Duration::from_secs(90);

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn changes_during_an_outage_of_external_dns_are_applied() {
    let (chain, ns) = begin("dns-away");
    let _controller = chain.controller(SETTINGS);
    for name in ["stays", "moves", "goes"] {
        expose(&ns, name, &[]);
    }
    for name in ["stays", "moves", "goes"] {
        eventually("the name resolves", || resolves(chain, &format!("{name}.example.com"), "contour"));
    }
    let asking = Asking::of("stays.example.com");
    let external_dns = chain.program("external-dns");
    external_dns.stop();
    let records = chain.records();
    expose(&ns, "comes", &[]);
    configure(&ns, "moves", "IngressURLTemplate", Some("moved.example.com"));
    ns.expose("goes", None);
    eventually("there is a new Ingress", || has_address(&ns, "comes"));
    eventually("there is one less", || is_gone(&ns, INGRESS, "goes"));
    ns.request("http://moved.example.com/").at("contour").eventually(status(200).backend("moves"));
    assert_eq!(chain.records(), records, "nobody writes records");

    let links = Links::of("ExternalDNS is back");
    external_dns.start();
    links
        .link("a new name resolves", || resolves(chain, "comes.example.com", "contour"))
        .link("a changed name resolves", || resolves(chain, "moved.example.com", "contour"))
        .link("its old name is gone", || is_unresolved(chain, "moves.example.com"))
        .link("the name of what is not exposed is gone", || is_unresolved(chain, "goes.example.com"))
        .all();
    let asked = asking.stop();
    assert!(asked.missed.is_empty(), "{asked:?}");
    nothing_is_left(chain, &ns);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn a_certificate_is_issued_although_cert_manager_is_killed_meanwhile() {
    let (chain, ns) = begin("killed-issuer");
    let _controller = chain.controller(SETTINGS);
    let cert_manager = chain.program("cert-manager");
    let names: Vec<String> = (0..8).map(|it| format!("sealed-{it}")).collect();
    for name in &names {
        expose(&ns, name, &[("TLS", "cert-manager")]);
    }
    eventually("the first Certificate is there", || {
        ensure!(!ns.names(CERTIFICATE).is_empty(), "none");
        Ok(())
    });
    cert_manager.kill();
    let is_done = |name: &&String| is_issued(&ns, &format!("{name}-cert")).is_ok();
    say(&format!("  cert-manager is killed after {} of 8 are issued", names.iter().filter(is_done).count()));
    // A certificate that is requested while cert-manager is stopped.
    expose(&ns, "sealed-late", &[("TLS", "cert-manager")]);
    let late = ns.request("https://sealed-late.example.com/");
    eventually("its Ingress has an address", || has_address(&ns, "sealed-late"));
    late.clone().at("contour").once().expect_err("there is no certificate");

    let mut links = Links::of("cert-manager is back");
    cert_manager.start();
    for name in names.iter().map(String::as_str).chain(["sealed-late"]) {
        let request = ns.request(&format!("https://{name}.example.com/"));
        links = links.link(name, move || request.check_once(&status(200).backend(name)));
    }
    links.all();
    for name in &names {
        has_no_warning(&ns, name);
    }
    nothing_is_left(chain, &ns);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn records_that_the_dns_server_refuses_are_written_later() {
    let (chain, ns) = begin("refused");
    let _controller = chain.controller(SETTINGS);
    expose(&ns, "earlier", &[]);
    eventually("the name resolves", || resolves(chain, "earlier.example.com", "contour"));
    let records = chain.records();
    let refusals = || chain.program("external-dns").log().matches("REFUSED").count();
    let known = refusals();

    chain.accept_updates(false);
    expose(&ns, "refused", &[]);
    ns.expose("earlier", None);
    eventually("the server refuses", || {
        ensure!(refusals() > known, "it does not");
        Ok(())
    });
    ns.request("http://refused.example.com/").at("contour").eventually(status(200).backend("refused"));
    assert_eq!(chain.records(), records);

    let links = Links::of("the DNS server accepts updates again");
    chain.accept_updates(true);
    links
        .link("the new name resolves", || resolves(chain, "refused.example.com", "contour"))
        .link("the old name is gone", || is_unresolved(chain, "earlier.example.com"))
        .all();
    has_no_warning(&ns, "refused");
    nothing_is_left(chain, &ns);
}

/// Restarts a proxy while a client sends 50 requests a second. Requests fail only while the proxy is down.
#[track_caller]
fn restarted_under_load(proxy: &Process, request: &Request) {
    let steady = request.steadily(50);
    let sent = |count: usize| {
        eventually("requests are sent", || {
            ensure!(steady.so_far().sent >= count, "{} of {count}", steady.so_far().sent);
            Ok(())
        });
    };
    sent(50);
    steady.so_far().has_no_failure();
    proxy.stop();
    eventually("requests fail", || {
        ensure!(!steady.so_far().failures.is_empty(), "none");
        Ok(())
    });
    proxy.start();
    request.eventually(status(200));
    let tally = steady.stop();
    let after = request.steadily(50);
    eventually("more requests are sent", || {
        ensure!(after.so_far().sent >= 200, "{}", after.so_far().sent);
        Ok(())
    });
    let after = after.stop();
    say(&format!(
        "  {}: {} of {} requests failed while it was away, {} of {} after it was back",
        proxy.name(),
        tally.failures.len(),
        tally.sent,
        after.failures.len(),
        after.sent
    ));
    after.has_no_failure();
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn requests_fail_only_while_the_proxy_restarts() {
    let (chain, ns) = begin("restarted");
    let _controller = chain.controller(SETTINGS);
    expose(&ns, "behind-contour", &[]);
    expose(&ns, "behind-gateway", &[("Target", "HTTPRoute"), ("TLS", "load-balancer")]);
    let contour = ns.request("http://behind-contour.example.com/");
    let gateway = ns.request("https://behind-gateway.example.com/");
    contour.eventually(status(200).backend("behind-contour"));
    gateway.eventually(status(200).backend("behind-gateway"));
    let events = ns.events("behind-contour");
    restarted_under_load(chain.program("contour-envoy"), &contour);
    // Envoy Gateway runs Envoy as its child process.
    restarted_under_load(chain.program("envoy-gateway"), &gateway);
    assert_eq!(ns.events("behind-contour"), events);
    has_no_warning(&ns, "behind-gateway");
    nothing_is_left(chain, &ns);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn envoy_serves_while_contour_restarts() {
    let (chain, ns) = begin("headless");
    let _controller = chain.controller(SETTINGS);
    expose(&ns, "served", &[]);
    let request = ns.request("http://served.example.com/");
    request.eventually(status(200).backend("served"));
    let steady = request.steadily(50);
    let contour = chain.program("contour");
    contour.stop();
    expose(&ns, "waiting", &[]);
    eventually("there is an Ingress", || ns.get(INGRESS, "waiting").map(|_| ()));
    eventually("requests are sent meanwhile", || {
        ensure!(steady.so_far().sent >= 100, "{}", steady.so_far().sent);
        Ok(())
    });
    has_address(&ns, "waiting").expect_err("nobody writes its address");
    is_unresolved(chain, "waiting.example.com").expect("there is no address");

    let links = Links::of("Contour is back");
    contour.start();
    let waiting = ns.request("http://waiting.example.com/").at("contour");
    links.link("the backend answers", || waiting.check_once(&status(200).backend("waiting"))).all();
    // Contour 1.33 loses an address that it writes before its status writer runs (`StatusUpdateWriter.Send`), so the Ingress may
    // get the address only with the next change.
    let links = Links::of("the Ingress changes");
    configure(&ns, "waiting", "Labels", Some("changed: 'true'"));
    links.link("the name resolves", || resolves(chain, "waiting.example.com", "contour")).all();
    let tally = steady.stop();
    say(&format!("  {} requests meanwhile, {} failed", tally.sent, tally.failures.len()));
    tally.has_no_failure();
    nothing_is_left(chain, &ns);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn ingress_is_served_when_its_class_gets_a_controller() {
    let (chain, ns) = begin("unserved");
    let _controller = chain.controller(SETTINGS);
    // A paused controller writes no addresses.
    let nobody = chain.program("contour-internal");
    nobody.pause();
    expose(&ns, "inside", &[("IngressClassName", "internal-ingress")]);
    expose(&ns, "misspelt", &[("IngressClassName", "contuor")]);
    ns.event("inside", "Normal", "Created");
    ns.event("misspelt", "Normal", "Created");
    records_are_complete(chain, &ns, "outside");
    for name in ["inside", "misspelt"] {
        has_address(&ns, name).expect_err("nobody serves it");
        is_unresolved(chain, &format!("{name}.example.com")).expect("there is no address");
    }
    ns.request("http://inside.example.com/").at("contour").eventually(status(404));
    // Some programs need a while to write an address, so the Event comes after a minute.
    for (name, class) in [("inside", "internal-ingress"), ("misspelt", "contuor")] {
        let told = ns.event_within(TOLD, name, "Warning", "NotServed");
        let message =
            format!("Ingress {}/{name} has no address; there is no IngressClass \"{class}\"", ns.name());
        assert!(told.starts_with(&message), "{told}");
    }

    let links = Links::of("somebody serves the class, and another one is corrected");
    nobody.resume();
    configure(&ns, "misspelt", "IngressClassName", None);
    let (inside, corrected) =
        (ns.request("http://inside.example.com/"), ns.request("http://misspelt.example.com/"));
    links
        .link("its name resolves", || resolves(chain, "inside.example.com", "internal-ingress"))
        .link("its backend answers", || inside.check_once(&status(200).backend("inside")))
        .link("the other backend answers", || corrected.check_once(&status(200).backend("misspelt")))
        .all();
    nothing_is_left(chain, &ns);
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn a_route_waits_for_its_gateway() {
    let (chain, ns) = begin("no-gateway");
    let settings =
        |gateway: &str, listener: &str| SETTINGS.replace("external", gateway).replace("https}", listener);
    let controller = chain.controller(&settings("missing", "https}"));
    let options = [("Target", "HTTPRoute"), ("TLS", "load-balancer")];
    expose(&ns, "routed", &options);
    eventually("there is an HTTPRoute", || ns.get(HTTP_ROUTE, "routed").map(|_| ()));
    let told = ns.event("routed", "Warning", "GatewayNotFound");
    for words in [
        "HTTPRoute no-gateway/routed belongs to the Gateway gateways/missing, which does not exist",
        "`parentRefs`",
    ] {
        assert!(told.contains(words), "{told}");
    }
    records_are_complete(chain, &ns, "elsewhere");
    is_unresolved(chain, "routed.example.com").expect("no Gateway has it");
    ns.request("https://routed.example.com/").at("envoy-gateway").eventually(status(404));

    // The Gateway exists, but it has no such listener.
    controller.change_settings(&settings("external", "httpz}"));
    let told = ns.event("routed", "Warning", "NotServed");
    let refused = acceptance(&ns, "routed").expect("the Gateway says something");
    assert_eq!(refused["status"], "False");
    for words in ["not accepted by external", "NoMatchingParent", refused["message"].as_str().unwrap_or("?")]
    {
        assert!(told.contains(words), "{told}");
    }

    let links = Links::of("the settings name the right Gateway");
    controller.change_settings(SETTINGS);
    let request = ns.request("https://routed.example.com/");
    links
        .link("the route is accepted", || is_accepted(&ns, "routed"))
        .link("the name resolves", || resolves(chain, "routed.example.com", "envoy-gateway"))
        .link("the backend answers", || request.check_once(&status(200).backend("routed")))
        .all();
    nothing_is_left(chain, &ns);
}

/// Creates a Certificate that Xposer did not request, with its Secret.
fn certificate(ns: &Namespace, name: &str, host: &str) {
    ns.apply(&format!(
        "{{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {{name: {name}}}, spec: {{secretName: {name}, \
         dnsNames: [{host}], issuerRef: {{name: ca, kind: ClusterIssuer}}}}}}"
    ));
}

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn https_is_served_when_the_secret_comes() {
    let (chain, ns) = begin("no-secret");
    let _controller = chain.controller(SETTINGS);
    expose(&ns, "secretive", &[("TLS", "true"), ("TLSSecretNameTemplate", "late")]);
    expose(&ns, "unaffected", &[]);
    eventually("the name resolves", || resolves(chain, "secretive.example.com", "contour"));
    ns.request("http://unaffected.example.com/").eventually(status(200).backend("unaffected"));
    let https = ns.request("https://secretive.example.com/");
    https.once().expect_err("there is no certificate");

    let links = Links::of("the Secret is there");
    certificate(&ns, "late", "secretive.example.com");
    links
        .link("it is issued", || is_issued(&ns, "late"))
        .link("https verifies, and the backend answers", || {
            https.check_once(&status(200).backend("secretive"))
        })
        .all();
    // Xposer did not create it, so the test deletes it.
    ns.delete(CERTIFICATE, "late");
    nothing_is_left(chain, &ns);
}
