//! Backends: each Service gets an address, EndpointSlices with that address, and a server that responds with its name.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use futures::TryStreamExt;
use hyper::{Request, StatusCode, Version};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use crate::authenticate;
use crate::cluster::ENDPOINT_SLICE;
use crate::http::{self, Answer, Arrival, Server};
use crate::wait::say;

/// Namespaces whose Services have no backend here.
const NOT_OURS: [&str; 2] = ["xposer-system", "kube-system"];

/// Envoy Gateway listens on these ports at all addresses.
const TAKEN: [u16; 8] = [8080, 8081, 9443, 18000, 18001, 18002, 19001, 19003];
/// The offset that is added to these ports. Only the EndpointSlice has the sum, so a backend does not listen on the `targetPort` of
/// its Service.
const ELSEWHERE: u16 = 20000;

/// A Service with its address and its servers.
struct Backend {
    address: Ipv4Addr,
    servers: BTreeMap<u16, Server>,
}

/// All backends. They run as long as the task.
pub(crate) struct Backends {
    client: Client,
    tls: TlsAcceptor,
    backends: BTreeMap<(String, String), Backend>,
}

impl Backends {
    /// Watches the Services until the task is aborted.
    pub(crate) async fn run(client: Client, tls: TlsAcceptor) {
        let mut backends = Self { client: client.clone(), tls, backends: BTreeMap::new() };
        // The watcher restarts after each error.
        let mut events = std::pin::pin!(watcher(Api::<Service>::all(client), Config::default()));
        loop {
            match events.try_next().await {
                Ok(Some(event)) => backends.follow(event).await,
                Ok(None) => return,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
            }
        }
    }

    async fn follow(&mut self, event: Event<Service>) {
        let done = match event {
            Event::Apply(service) | Event::InitApply(service) => self.serve(&service).await,
            Event::Delete(service) => {
                self.backends.remove(&key(&service));
                Ok(())
            }
            Event::Init | Event::InitDone => Ok(()),
        };
        if let Err(error) = done {
            say(&format!("backends: {error:#}"));
        }
    }

    async fn serve(&mut self, service: &Service) -> Result<()> {
        let (namespace, name) = key(service);
        let spec = service.spec.clone().unwrap_or_default();
        let has_backend = spec.type_.as_deref() != Some("ExternalName")
            && !NOT_OURS.contains(&namespace.as_str())
            && (namespace.as_str(), name.as_str()) != ("default", "kubernetes")
            && service.metadata.deletion_timestamp.is_none();
        if !has_backend {
            return Ok(());
        }
        // The name of each port of the Service, and the port of its backend.
        let ports: Vec<(Option<String>, u16)> = spec
            .ports
            .unwrap_or_default()
            .into_iter()
            .filter_map(|port| {
                let number = match port.target_port {
                    Some(IntOrString::Int(number)) => number,
                    // There are no pods that could define a named port.
                    Some(IntOrString::String(_)) | None => port.port,
                };
                let number = u16::try_from(number).ok()?;
                Some((port.name, if TAKEN.contains(&number) { number + ELSEWHERE } else { number }))
            })
            .collect();
        let address = self.address(&namespace, &name)?;
        let backend = self.backends.entry((namespace.clone(), name.clone()));
        let backend = backend.or_insert_with(|| Backend { address, servers: BTreeMap::new() });
        let wanted: BTreeSet<u16> = ports.iter().map(|(_, port)| *port).collect();
        backend.servers.retain(|port, _| wanted.contains(port));
        for port in wanted {
            if let Entry::Vacant(free) = backend.servers.entry(port) {
                let who = (namespace.clone(), name.clone());
                let answer = move |request: &Request<_>, arrival| answer(&who, port, request, arrival);
                free.insert(http::serve(address, port, Some(self.tls.clone()), answer)?);
            }
        }
        self.write_slice(service, address, &ports).await
    }

    /// Returns the address of a Service: the existing one, or a free one.
    fn address(&self, namespace: &str, name: &str) -> Result<Ipv4Addr> {
        if let Some(backend) = self.backends.get(&(namespace.to_owned(), name.to_owned())) {
            return Ok(backend.address);
        }
        let taken: BTreeSet<Ipv4Addr> = self.backends.values().map(|backend| backend.address).collect();
        let all = (1..255).map(|last| Ipv4Addr::new(198, 51, 100, last));
        all.into_iter().find(|address| !taken.contains(address)).context("there are 254 Services already")
    }

    async fn write_slice(
        &self,
        service: &Service,
        address: Ipv4Addr,
        ports: &[(Option<String>, u16)],
    ) -> Result<()> {
        let (namespace, name) = key(service);
        let slice = json!({
            "apiVersion": ENDPOINT_SLICE.api,
            "kind": ENDPOINT_SLICE.name,
            "metadata": {
                "name": format!("{name}-chain"),
                "labels": {
                    "kubernetes.io/service-name": name,
                    "endpointslice.kubernetes.io/managed-by": "xposer-chain",
                },
                "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": name, "uid": service.uid()}],
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": true}}],
            "ports": ports.iter().map(|(name, port)| json!({"name": name.clone().unwrap_or_default(), "port": port, "protocol": "TCP"})).collect::<Vec<Value>>(),
        });
        let resource =
            ApiResource::from_gvk(&GroupVersionKind::gvk("discovery.k8s.io", "v1", ENDPOINT_SLICE.name));
        let slices: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &namespace, &resource);
        let parameters = PatchParams::apply("xposer-chain").force();
        match slices.patch(&format!("{name}-chain"), &parameters, &Patch::Apply(&slice)).await {
            Ok(_) => Ok(()),
            // The namespace of the Service was deleted in the meantime.
            Err(kube::Error::Api(status)) if [403, 404].contains(&status.code) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn key(service: &Service) -> (String, String) {
    (service.namespace().unwrap_or_default(), service.name_any())
}

/// Returns a response with the name of the backend and the received request.
fn answer(
    (namespace, name): &(String, String),
    port: u16,
    request: &Request<impl Sized>,
    arrival: Arrival,
) -> Answer {
    if name == authenticate::NAME {
        return authenticate::answer(request);
    }
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in request.headers() {
        headers
            .entry(name.as_str())
            .or_default()
            .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    let headers: BTreeMap<&str, String> =
        headers.into_iter().map(|(name, values)| (name, values.join(", "))).collect();
    let host = request.uri().authority().map(ToString::to_string).or_else(|| headers.get("host").cloned());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    http::json(
        StatusCode::OK,
        &json!({
            "backend": name,
            "namespace": namespace,
            "port": port,
            "method": request.method().as_str(),
            "path": path,
            "host": host,
            "headers": headers,
            "protocol": if request.version() == Version::HTTP_2 { "HTTP/2" } else { "HTTP/1.1" },
            "tls": arrival.tls,
            "from": arrival.from.ip(),
        }),
    )
}
