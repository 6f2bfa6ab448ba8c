//! Tests the setup of Stakater's article about Xposer from end to end. The Service of the article (`examples/forecastle.yaml`) becomes an Ingress of the right class, a DNS record, a certificate, a monitor and
//! a tile on the start page, and all of them follow changes of the Service.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use xposer_chain::cluster::{CERTIFICATE, CONFIG_MAP, HTTP_ROUTE, INGRESS, MONITOR, SECRET, SERVICE};
use xposer_chain::{Chain, FORECASTLE, INGRESS_MONITOR_CONTROLLER, Links, Namespace, redirect, say, status};

use crate::common::{has_address, has_no_record, is_gone, is_issued, is_unresolved, resolves};

/// The Service of the article with its block of annotations, extended by a namespace and a port.
const FORECASTLE_SERVICE: &str = r#"
apiVersion: v1
kind: Service
metadata:
  labels:
    expose: 'true'
  annotations:
    config.xposer.stakater.com/IngressNameTemplate: "{{`{{.Service}}-{{.Namespace}}`}}"
    config.xposer.stakater.com/IngressURLTemplate: "{{`{{.Service}}.{{.Domain}}`}}"
    config.xposer.stakater.com/Domain: company.com
    xposer.stakater.com/annotations: |-
      kubernetes.io/ingress.class: external-ingress
      ingress.kubernetes.io/force-ssl-redirect: true
      certmanager.k8s.io/cluster-issuer: letsencrypt-production
      some.other.annotation1: some-value1
      some.other.annotation2: some-value2
  name: forecastle
  namespace: tools
spec:
  ports:
  - port: 80
"#;

/// An internal app, as the article recommends.
const INTRANET_SERVICE: &str = "
apiVersion: v1
kind: Service
metadata:
  name: intranet
  labels: {expose: 'true'}
  annotations:
    xposer.stakater.com/annotations: |-
      kubernetes.io/ingress.class: internal-ingress
spec: {ports: [{port: 80}]}
";

const CANARY_SERVICE: &str = "
apiVersion: v1
kind: Service
metadata:
  name: forecastle-canary
  labels: {expose: 'true'}
  annotations:
    config.xposer.stakater.com/CanaryOf: forecastle
    config.xposer.stakater.com/CanaryWeight: '10'
    config.xposer.stakater.com/IngressURLTemplate: '{{.Service}}.{{.Domain}}'
    config.xposer.stakater.com/Domain: example.com
    config.xposer.stakater.com/Target: HTTPRoute
    config.xposer.stakater.com/TLS: load-balancer
spec: {ports: [{port: 80}]}
";

/// Contour reads the legacy keys of the article, so they are forwarded unchanged. Each app has a monitor and a tile on the start
/// page.
const SETTINGS: &str = "
domain: company.com
ingressURLTemplate: '{{.Service}}.{{.Domain}}'
tls: cert-manager
clusterIssuer: letsencrypt-production
legacyAnnotations: forward
monitor: true
annotations: {forecastle.stakater.com/expose: 'true'}
parentRefs: [{name: external, namespace: gateways, sectionName: https}]
httpParentRefs: [{name: external, namespace: gateways, sectionName: http}]
";

const OLD: &str = "forecastle.company.com";
const NEW: &str = "forecastle.example.com";
/// The garbage collector discovers new kinds only twice a minute.
const COLLECTED: Duration = Duration::from_secs(90);

#[test]
#[ignore = "needs the chain: make e2e-chain"]
fn the_article_from_end_to_end() {
    let chain = Chain::get();
    let ns = chain.namespace("tools");
    let _controller = chain.controller(SETTINGS);
    // These calls print which programs are missing.
    chain.has(FORECASTLE);
    chain.has(INGRESS_MONITOR_CONTROLLER);
    // ExternalDNS may still delete the records of another scenario.
    Links::of("another scenario is over")
        .link("there is no record", || has_no_record(chain))
        .all_within(COLLECTED);
    expose(chain, &ns);
    keep_the_classes_apart(chain, &ns);
    change_the_host(chain, &ns);
    rename(chain, &ns);
    switch_the_target(chain, &ns);
    share_with_a_canary(&ns);
    let links = Links::of("the labels are removed");
    for service in ["forecastle", "forecastle-canary", "intranet"] {
        ns.expose(service, None);
    }
    links
        .link("objects are gone", || ns.has_none(&[INGRESS, HTTP_ROUTE, MONITOR]))
        .link("there is no record", || has_no_record(chain))
        .link("Certificates are gone", || ns.has_none(&[CERTIFICATE]))
        .link("the proxies do not know the hosts", || {
            ns.request(&format!("http://{NEW}/")).at("envoy-gateway").check_once(&status(404))
        })
        .link("the monitor is gone", || registered(chain, None))
        .link("the tile is gone", || tiles(chain, &ns, &[]))
        .all_within(COLLECTED);
    // cert-manager does not delete the Secrets of Certificates, as docs/cookbook/cert-manager.md explains.
    assert_eq!(ns.names(SECRET), ["forecastle-tools-cert", "intranet-cert"]);
    assert_eq!(ns.names(CONFIG_MAP), ["kube-root-ca.crt"]);
}

/// Applies the Service, and waits for everything that follows from it.
fn expose(chain: &'static Chain, ns: &Namespace) {
    let links = Links::of("the article's Service is applied");
    ns.kubectl_apply(FORECASTLE_SERVICE);
    links
        .link("the Ingress is there", || ns.get(INGRESS, "forecastle-tools").map(|_| ()))
        .link("it has an address", || has_address(ns, "forecastle-tools"))
        .link("the name resolves", || resolves(chain, OLD, "external-ingress"))
        .link("the certificate is issued", || is_issued(ns, "forecastle-tools-cert"))
        .link("https verifies, and the backend answers", || answers(ns, OLD))
        .link("the monitor asks the URL", || monitored(chain, ns, "forecastle-tools", OLD))
        .link("there is one tile", || tiles(chain, ns, &[OLD]))
        .all();
    ns.request(&format!("http://{OLD}/a?b=c")).eventually(redirect(301, &format!("https://{OLD}/a?b=c")));
    let ingress = ns.get(INGRESS, "forecastle-tools").expect("it is there");
    assert_eq!(ingress["metadata"]["annotations"]["some.other.annotation2"], "some-value2");
}

/// Each class responds with 404 for the hosts of the other class.
fn keep_the_classes_apart(chain: &'static Chain, ns: &Namespace) {
    let links = Links::of("an internal app is exposed");
    ns.kubectl_apply(INTRANET_SERVICE);
    links
        .link("the name resolves", || resolves(chain, "intranet.company.com", "internal-ingress"))
        .link("https verifies, and the backend answers", || {
            ns.request("https://intranet.company.com/").check_once(&status(200).backend("intranet"))
        })
        .all();
    ns.request("http://intranet.company.com/").at("external-ingress").eventually(status(404));
    ns.request(&format!("http://{OLD}/")).at("internal-ingress").eventually(status(404));
    // A class has certificates only for its own hosts.
    ns.request(&format!("https://{OLD}/")).at("internal-ingress").once().expect_err("no certificate");
}

fn change_the_host(chain: &'static Chain, ns: &Namespace) {
    let links = Links::of("the host changes");
    ns.annotate("forecastle", "config.xposer.stakater.com/Domain", Some("example.com"));
    links
        .link("the new name resolves", || resolves(chain, NEW, "external-ingress"))
        .link("https verifies, and the backend answers", || answers(ns, NEW))
        .link("the old name is gone", || is_unresolved(chain, OLD))
        .link("the old host is not answered", || {
            ns.request(&format!("http://{OLD}/")).at("external-ingress").check_once(&status(404))
        })
        .link("the monitor asks the new URL", || monitored(chain, ns, "forecastle-tools", NEW))
        .link("there is one tile", || tiles(chain, ns, &[NEW]))
        .all();
}

/// The new Ingress uses the Secret of the old one. With another Secret, Contour would have no https for the host until cert-manager
/// has issued the certificate.
fn rename(chain: &'static Chain, ns: &Namespace) {
    let steady = ns.request(&format!("https://{NEW}/")).steadily(50);
    let links = Links::of("the Ingress is renamed");
    let names = json!({
        "config.xposer.stakater.com/IngressNameTemplate": "{{.Service}}-renamed",
        "config.xposer.stakater.com/TLSSecretNameTemplate": "forecastle-tools-cert",
    });
    ns.patch(SERVICE, "forecastle", json!({"metadata": {"annotations": names}}));
    links
        .link("the new Ingress has an address", || has_address(ns, "forecastle-renamed"))
        .link("the old Ingress is gone", || is_gone(ns, INGRESS, "forecastle-tools"))
        .link("the record stays for two rounds of ExternalDNS", || {
            let sent = steady.so_far().sent;
            ensure!(sent >= 250, "{sent} requests");
            resolves(chain, NEW, "external-ingress")
        })
        .link("the monitor is renamed", || monitored(chain, ns, "forecastle-renamed", NEW))
        .link("there is one tile", || tiles(chain, ns, &[NEW]))
        .all();
    let tally = steady.stop();
    say(&format!("  {} requests meanwhile, {} failed", tally.sent, tally.failures.len()));
    tally.has_no_failure();
}

/// Changes from Ingress to HTTPRoute while a client sends 50 requests a second. ExternalDNS keeps the record of the Ingress as long
/// as it publishes the host. So both objects exist for a while, and the record moves before the Ingress is deleted.
fn switch_the_target(chain: &'static Chain, ns: &Namespace) {
    let steady = ns.request(&format!("https://{NEW}/")).steadily(50);
    let target = "config.xposer.stakater.com/Target";
    let links = Links::of("the target is Ingress and HTTPRoute");
    ns.annotate("forecastle", target, Some("Ingress, HTTPRoute"));
    links
        .link("the Gateway answers", || {
            ns.request(&format!("https://{NEW}/"))
                .at("envoy-gateway")
                .check_once(&status(200).backend("forecastle"))
        })
        .all();
    let links = Links::of("the Ingress is not published any more");
    let published = json!({"external-dns.kubernetes.io/controller": "none"});
    ns.patch(INGRESS, "forecastle-renamed", json!({"metadata": {"annotations": published}}));
    links
        .link("the name resolves to the Gateway", || resolves(chain, NEW, "envoy-gateway"))
        .link("the client asks the Gateway", || {
            let asked = steady.so_far().addresses.get(&chain.address("envoy-gateway")).copied();
            ensure!(asked.unwrap_or_default() >= 100, "{asked:?} times");
            Ok(())
        })
        .all();
    let links = Links::of("the target is HTTPRoute");
    let only = json!({target: "HTTPRoute", "config.xposer.stakater.com/TLS": "load-balancer"});
    ns.patch(SERVICE, "forecastle", json!({"metadata": {"annotations": only}}));
    links
        .link("the Ingress is gone", || is_gone(ns, INGRESS, "forecastle-renamed"))
        .link("https verifies, and the backend answers", || answers(ns, NEW))
        .link("http is redirected", || {
            let expected = redirect(301, &format!("https://{NEW}/a"));
            ns.request(&format!("http://{NEW}/a")).check_once(&expected)
        })
        .link("the monitor asks the URL", || monitored(chain, ns, "forecastle-renamed", NEW))
        .link("there is one tile", || tiles(chain, ns, &[NEW]))
        .all();
    let tally = steady.stop();
    say(&format!(
        "  {} requests meanwhile, {:?}, {} failed",
        tally.sent,
        tally.addresses,
        tally.failures.len()
    ));
    tally.has_no_failure();
}

/// Sends a tenth of the requests to a second Service.
fn share_with_a_canary(ns: &Namespace) {
    let https = ns.request(&format!("https://{NEW}/"));
    let links = Links::of("a canary gets 10 %");
    ns.kubectl_apply(CANARY_SERVICE);
    links
        .link("the canary answers", || {
            let tally = https.times(20);
            ensure!(tally.of("forecastle-canary") > 0, "{tally:?}");
            Ok(())
        })
        .all();
    let tally = https.times(400);
    tally.has_no_failure();
    let (stable, canary) = (tally.of("forecastle"), tally.of("forecastle-canary"));
    say(&format!("  of 400 requests, {canary} went to the canary"));
    // The standard deviation is 6, so 99.9 % of correct shares of 10 % are within 20 of the mean. Shares of 0 % or of 20 % and more
    // are not.
    assert!((20..=60).contains(&canary), "{stable} and {canary}");
}

fn answers(ns: &Namespace, host: &str) -> Result<()> {
    let expected = status(200).backend("forecastle").said("/namespace", "tools");
    ns.request(&format!("https://{host}/")).check_once(&expected)
}

/// Checks that the monitor is accepted, and registered if IngressMonitorController runs.
fn monitored(chain: &Chain, ns: &Namespace, monitor: &str, host: &str) -> Result<()> {
    let url = format!("https://{host}");
    let monitor = ns.get(MONITOR, monitor)?;
    ensure!(monitor["spec"]["url"] == url.as_str(), "{}", monitor["spec"]);
    registered(chain, Some(&url))
}

fn registered(chain: &Chain, url: Option<&str>) -> Result<()> {
    if chain.runs(INGRESS_MONITOR_CONTROLLER) {
        let monitors = chain.uptime_robot().monitors();
        let urls: Vec<&str> = monitors.iter().map(|it| it.url.as_str()).collect();
        let wanted: Vec<&str> = url.into_iter().collect();
        // The app `intranet` has a monitor, too.
        let ours: Vec<&str> = urls.into_iter().filter(|url| url.contains("forecastle")).collect();
        ensure!(ours == wanted, "{ours:?}");
    }
    Ok(())
}

/// Checks the apps of the start page: one object of each has the annotation, and Forecastle shows it if it runs.
fn tiles(chain: &'static Chain, ns: &Namespace, hosts: &[&str]) -> Result<()> {
    let is_tile =
        |object: &&Value| object["metadata"]["annotations"]["forecastle.stakater.com/expose"] == "true";
    let hosts_of = |object: &Value| match object["kind"].as_str() {
        Some("HTTPRoute") => object["spec"]["hostnames"][0].clone(),
        _ => object["spec"]["rules"][0]["host"].clone(),
    };
    let objects: Vec<Value> = [INGRESS, HTTP_ROUTE].iter().flat_map(|kind| ns.list(*kind)).collect();
    let mut shown: Vec<Value> = objects.iter().filter(is_tile).map(hosts_of).collect();
    shown.retain(|host| host != "intranet.company.com");
    ensure!(shown == hosts, "{shown:?}");
    if chain.runs(FORECASTLE) {
        let apps = chain.start_page()?;
        let urls: Vec<String> = apps.into_iter().filter(|url| url.contains("forecastle")).collect();
        let wanted: Vec<String> = hosts.iter().map(|host| format!("https://{host}")).collect();
        ensure!(urls == wanted, "{urls:?}");
    }
    Ok(())
}
