//! Helpers of several tests.

use std::collections::BTreeSet;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use xposer_chain::cluster::{
    CERTIFICATE, HTTP_ROUTE, INGRESS, Kind, MONITOR, SERVICE, has_condition, name_of,
};
use xposer_chain::{Chain, Links, Namespace, eventually, within};

/// The settings of our controller: an Ingress for Contour, or an HTTPRoute for Envoy Gateway.
pub(crate) const SETTINGS: &str = "
domain: example.com
ingressURLTemplate: '{{.Service}}.{{.Domain}}'
ingressClassName: contour
clusterIssuer: ca
parentRefs: [{name: external, namespace: gateways, sectionName: https}]
httpParentRefs: [{name: external, namespace: gateways, sectionName: http}]
";
/// The garbage collector discovers new kinds only twice a minute.
const COLLECTED: Duration = Duration::from_secs(120);

/// Returns the chain and the namespace of a test. Everything that an earlier failed test left is removed.
#[track_caller]
pub(crate) fn begin(name: &str) -> (&'static Chain, Namespace) {
    let chain = Chain::get();
    chain.restore();
    within(COLLECTED, "the records of earlier tests are gone", || has_no_record(chain));
    (chain, chain.namespace(name))
}

pub(crate) fn has_no_record(chain: &Chain) -> Result<()> {
    let records = chain.records();
    ensure!(records.is_empty(), "{records:?}");
    Ok(())
}

/// The annotation with the forwarded block.
pub(crate) const BLOCK: &str = "xposer.stakater.com/annotations";

/// Exposes a Service with these options, which may include [`BLOCK`].
#[track_caller]
pub(crate) fn expose(ns: &Namespace, name: &str, options: &[(&str, &str)]) {
    let key = |option: &str| match option {
        BLOCK => BLOCK.to_owned(),
        _ => format!("config.xposer.stakater.com/{option}"),
    };
    let annotations: serde_json::Map<String, Value> =
        options.iter().map(|(option, value)| (key(option), (*value).into())).collect();
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {"expose": "true"}, "annotations": annotations},
        "spec": {"ports": [{"port": 80}]},
    });
    // JSON is YAML.
    ns.apply(&service.to_string());
}

/// Sets an option of a Service or, with `None`, removes it.
#[track_caller]
pub(crate) fn configure(ns: &Namespace, service: &str, option: &str, value: Option<&str>) {
    ns.annotate(service, &format!("config.xposer.stakater.com/{option}"), value);
}

/// Checks that a name has the address of a class, and no other.
pub(crate) fn resolves(chain: &Chain, name: &str, class: &str) -> Result<()> {
    let addresses = chain.dns(name);
    ensure!(addresses == [chain.address(class)], "{name}: {addresses:?}");
    Ok(())
}

/// Checks that a name has no address.
pub(crate) fn is_unresolved(chain: &Chain, name: &str) -> Result<()> {
    let addresses = chain.dns(name);
    ensure!(addresses.is_empty(), "{name}: {addresses:?}");
    Ok(())
}

/// Checks that an Ingress has an address.
pub(crate) fn has_address(ns: &Namespace, ingress: &str) -> Result<()> {
    let ingress = ns.get(INGRESS, ingress)?;
    ensure!(!ingress["status"]["loadBalancer"]["ingress"].is_null(), "{}", ingress["status"]);
    Ok(())
}

/// Checks that the Certificate with this name is issued.
pub(crate) fn is_issued(ns: &Namespace, certificate: &str) -> Result<()> {
    has_condition(&ns.get(CERTIFICATE, certificate)?, "Ready")
}

/// Returns the condition `Accepted` of an HTTPRoute for its current generation. Envoy Gateway keeps the conditions of parents that
/// the route had before.
pub(crate) fn acceptance(ns: &Namespace, route: &str) -> Result<Value> {
    let route = ns.get(HTTP_ROUTE, route)?;
    let parents = route["status"]["parents"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut conditions = parents.iter().filter_map(|parent| parent["conditions"].as_array()).flatten();
    let is_it =
        |it: &&Value| it["type"] == "Accepted" && it["observedGeneration"] == route["metadata"]["generation"];
    conditions.find(is_it).cloned().with_context(|| route["status"].to_string())
}

/// Checks that a parent of an HTTPRoute has accepted its current generation.
pub(crate) fn is_accepted(ns: &Namespace, route: &str) -> Result<()> {
    let accepted = acceptance(ns, route)?;
    ensure!(accepted["status"] == "True", "{accepted}");
    Ok(())
}

/// Checks that an object does not exist.
pub(crate) fn is_gone(ns: &Namespace, kind: Kind, name: &str) -> Result<()> {
    ensure!(ns.find(kind, name).is_none(), "{} {name} is there", kind.name);
    Ok(())
}

/// Fails if an Event of a Service is a Warning.
#[track_caller]
pub(crate) fn has_no_warning(ns: &Namespace, service: &str) {
    let events = ns.events(service);
    assert!(events.iter().all(|event| event.kind == "Normal"), "{events:#?}");
}

/// Waits until ExternalDNS has seen all current objects: exposes another Service, and waits for its record.
#[track_caller]
pub(crate) fn records_are_complete(chain: &Chain, ns: &Namespace, name: &str) {
    expose(ns, name, &[("Target", "Ingress"), ("TLS", "false"), ("IngressClassName", "contour")]);
    eventually("ExternalDNS has seen everything", || {
        let records = chain.records();
        ensure!(records.iter().any(|record| record.starts_with(&format!("{name}."))), "{records:?}");
        Ok(())
    });
}

/// Stops exposing all Services, and waits until everything that followed from them is deleted.
#[track_caller]
pub(crate) fn nothing_is_left(chain: &Chain, ns: &Namespace) {
    for service in ns.list(SERVICE) {
        ns.expose(name_of(&service), None);
    }
    Links::of(&format!("{}: nobody is exposed any more", ns.name()))
        .link("our objects are gone", || ns.has_none(&[INGRESS, HTTP_ROUTE, MONITOR]))
        .link("the Certificates are gone", || ns.has_none(&[CERTIFICATE]))
        .link("there is no record", || has_no_record(chain))
        .all_within(COLLECTED);
}

/// A client that resolves a name with the DNS server 20 times a second.
pub(crate) struct Asking {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<ClientAnswers>,
}

/// The responses to this client.
#[derive(Debug, Default)]
pub(crate) struct ClientAnswers {
    pub(crate) times: usize,
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// The times at which there was no address, since the start.
    pub(crate) missed: Vec<Duration>,
}

impl Asking {
    pub(crate) fn of(name: &str) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let (told, name) = (stopped.clone(), name.to_owned());
        let thread = std::thread::spawn(move || {
            let (began, mut asked) = (Instant::now(), ClientAnswers::default());
            while !told.load(Ordering::Relaxed) {
                asked.times += 1;
                match (name.as_str(), 80).to_socket_addrs() {
                    Ok(found) => asked.addresses.extend(found.map(|it| it.ip())),
                    Err(_) => asked.missed.push(began.elapsed()),
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            asked
        });
        Self { stopped, thread }
    }

    pub(crate) fn stop(self) -> ClientAnswers {
        self.stopped.store(true, Ordering::Relaxed);
        self.thread.join().expect("it does not panic")
    }
}
