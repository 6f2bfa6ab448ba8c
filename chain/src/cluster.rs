//! A client of the API server with the rights of an administrator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::discovery::{Scope, pinned_kind};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::runtime::Handle;

/// The time for which a request is repeated while the server does not respond, for example in a test that restarts it.
const PATIENCE: Duration = Duration::from_secs(60);
const MANAGER: &str = "xposer-chain";

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// `apiVersion`.
    pub api: &'static str,
    /// `kind`.
    pub name: &'static str,
}

const fn kind(api: &'static str, name: &'static str) -> Kind {
    Kind { api, name }
}

/// A Service.
pub const SERVICE: Kind = kind("v1", "Service");
/// An Ingress.
pub const INGRESS: Kind = kind("networking.k8s.io/v1", "Ingress");
/// An HTTPRoute of the Gateway API.
pub const HTTP_ROUTE: Kind = kind("gateway.networking.k8s.io/v1", "HTTPRoute");
/// A Gateway of the Gateway API.
pub const GATEWAY: Kind = kind("gateway.networking.k8s.io/v1", "Gateway");
/// A SecurityPolicy of Envoy Gateway.
pub const SECURITY_POLICY: Kind = kind("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy");
/// A BackendTrafficPolicy of Envoy Gateway.
pub const BACKEND_TRAFFIC_POLICY: Kind = kind("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy");
/// An HTTPRouteFilter of Envoy Gateway.
pub const HTTP_ROUTE_FILTER: Kind = kind("gateway.envoyproxy.io/v1alpha1", "HTTPRouteFilter");
/// A monitor of IngressMonitorController.
pub const MONITOR: Kind = kind("endpointmonitor.stakater.com/v1alpha1", "EndpointMonitor");
/// A Certificate of cert-manager.
pub const CERTIFICATE: Kind = kind("cert-manager.io/v1", "Certificate");
/// A Secret.
pub const SECRET: Kind = kind("v1", "Secret");
/// A ConfigMap.
pub const CONFIG_MAP: Kind = kind("v1", "ConfigMap");
/// An Event.
pub const EVENT: Kind = kind("v1", "Event");
/// A Namespace.
pub const NAMESPACE: Kind = kind("v1", "Namespace");
/// An EndpointSlice.
pub const ENDPOINT_SLICE: Kind = kind("discovery.k8s.io/v1", "EndpointSlice");

/// The client.
pub struct Cluster {
    runtime: Handle,
    client: Client,
    kubeconfig: PathBuf,
    /// The kinds that were applied so far, and whether they are namespaced.
    scopes: Mutex<BTreeMap<(String, String), (ApiResource, Scope)>>,
}

impl Cluster {
    pub(crate) fn open(runtime: Handle, kubeconfig: PathBuf) -> Result<Self> {
        let read = Kubeconfig::read_from(&kubeconfig).with_context(|| kubeconfig.display().to_string())?;
        let client = runtime.block_on(async {
            let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
            Ok::<Client, anyhow::Error>(Client::try_from(config)?)
        })?;
        Ok(Self { runtime, client, kubeconfig, scopes: Mutex::default() })
    }

    /// The kubeconfig of the administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    fn api(&self, kind: Kind, namespace: Option<&str>) -> Api<DynamicObject> {
        let (group, version) = kind.api.rsplit_once('/').unwrap_or(("", kind.api));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind.name));
        self.api_of(&resource, namespace)
    }

    fn api_of(&self, resource: &ApiResource, namespace: Option<&str>) -> Api<DynamicObject> {
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, resource),
            None => Api::all_with(self.client(), resource),
        }
    }

    /// Repeats a request until the server responds. A refusal is an error.
    fn answered<T>(&self, what: &str, ask: impl AsyncFn() -> kube::Result<T>) -> Result<T> {
        let began = Instant::now();
        self.runtime.block_on(async {
            loop {
                match ask().await {
                    Err(kube::Error::Api(status)) if status.code < 500 && status.code != 429 => {
                        return Err(anyhow!(kube::Error::Api(status)).context(what.to_owned()));
                    }
                    Err(error) if began.elapsed() > PATIENCE => {
                        return Err(anyhow!(error).context(what.to_owned()));
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
                    Ok(answer) => return Ok(answer),
                }
            }
        })
    }

    /// Returns the kind of an object, as the API server serves it.
    fn resource(&self, object: &Value) -> Result<(ApiResource, Scope)> {
        let word = |field: &str| object[field].as_str().map(str::to_owned);
        let (Some(api), Some(name)) = (word("apiVersion"), word("kind")) else {
            bail!("no apiVersion or kind: {object}")
        };
        let key = (api, name);
        let known = |scopes: &Mutex<BTreeMap<_, _>>| scopes.lock().ok().and_then(|it| it.get(&key).cloned());
        if let Some(found) = known(&self.scopes) {
            return Ok(found);
        }
        let (group, version) = key.0.rsplit_once('/').unwrap_or(("", &key.0));
        let asked = GroupVersionKind::gvk(group, version, &key.1);
        let (resource, capabilities) =
            self.answered(&key.1, async || pinned_kind(&self.client, &asked).await)?;
        let found = (resource, capabilities.scope);
        if let Ok(mut scopes) = self.scopes.lock() {
            scopes.insert(key, found.clone());
        }
        Ok(found)
    }

    /// Applies one object. If it has no namespace and its kind is namespaced, it gets `namespace`.
    pub fn apply(&self, namespace: &str, object: &Value) -> Result<Value> {
        let (resource, scope) = self.resource(object)?;
        let name = name_of(object);
        let own = object["metadata"]["namespace"].as_str();
        let api = match scope {
            Scope::Namespaced => self.api_of(&resource, Some(own.unwrap_or(namespace))),
            Scope::Cluster => self.api_of(&resource, None),
        };
        let what = format!("{} {name}", resource.kind);
        let parameters = PatchParams::apply(MANAGER).force();
        let applied =
            self.answered(&what, async || api.patch(name, &parameters, &Patch::Apply(object)).await)?;
        Ok(serde_json::to_value(applied)?)
    }

    /// Applies all objects of a YAML text.
    pub fn apply_yaml(&self, namespace: &str, yaml: &str) -> Result<Vec<Value>> {
        documents(yaml)?.iter().map(|object| self.apply(namespace, object)).collect()
    }

    /// Returns the current state of an object of any kind.
    pub(crate) fn refresh(&self, namespace: Option<&str>, object: &Value) -> Result<Value> {
        let (resource, _) = self.resource(object)?;
        let api = self.api_of(&resource, namespace);
        let name = name_of(object);
        Ok(serde_json::to_value(self.answered(name, async || api.get(name).await)?)?)
    }

    /// Returns an object, if it exists.
    pub fn find(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Result<Option<Value>> {
        let api = self.api(kind, namespace);
        let found = self.answered(&format!("{} {name}", kind.name), async || api.get_opt(name).await)?;
        Ok(found.map(serde_json::to_value).transpose()?)
    }

    /// Returns all objects of a kind; none if the kind is not served.
    pub fn list(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Value>> {
        self.list_labelled(kind, namespace, "")
    }

    /// Returns the objects of a kind that a label selector selects.
    pub fn list_labelled(&self, kind: Kind, namespace: Option<&str>, selector: &str) -> Result<Vec<Value>> {
        let api = self.api(kind, namespace);
        let parameters = ListParams::default().labels(selector);
        let listed = self.answered(kind.name, async || match api.list(&parameters).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
            listed => listed.map(|list| list.items),
        })?;
        let typed = |item: DynamicObject| {
            let mut object = serde_json::to_value(item)?;
            // The API server omits the kind of the items.
            object["apiVersion"] = kind.api.into();
            object["kind"] = kind.name.into();
            Ok(object)
        };
        listed.into_iter().map(typed).collect()
    }

    /// Applies a merge patch; null removes a field.
    pub fn patch(&self, kind: Kind, namespace: Option<&str>, name: &str, patch: &Value) -> Result<Value> {
        let api = self.api(kind, namespace);
        let parameters = PatchParams::default();
        let what = format!("{} {name}", kind.name);
        let patched =
            self.answered(&what, async || api.patch(name, &parameters, &Patch::Merge(patch)).await)?;
        Ok(serde_json::to_value(patched)?)
    }

    /// Deletes an object, if it exists.
    pub fn delete(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Result<()> {
        let api = self.api(kind, namespace);
        let what = format!("{} {name}", kind.name);
        self.answered(&what, async || match api.delete(name, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            deleted => deleted.map(|_| ()),
        })
    }

    /// Deletes a namespace, its Services first, so that no controller writes into a namespace that is being deleted.
    pub(crate) fn delete_namespace(&self, name: &str) -> Result<()> {
        for service in self.list(SERVICE, Some(name))? {
            self.delete(SERVICE, Some(name), name_of(&service))?;
        }
        self.delete(NAMESPACE, None, name)
    }
}

/// Returns the objects of a YAML text.
pub fn documents(yaml: &str) -> Result<Vec<Value>> {
    let loaded = xposer_manifest::load(yaml).map_err(|errors| anyhow!("{errors:?}\n{yaml}"))?;
    Ok(loaded.into_iter().map(|document| document.value).filter(|object| !object.is_null()).collect())
}

/// Checks that a condition in the status is `True`. Otherwise returns an error with the conditions.
pub fn has_condition(object: &Value, condition: &str) -> Result<()> {
    let conditions = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_true = |it: &&Value| it["type"] == condition && it["status"] == "True";
    match conditions.iter().find(is_true) {
        Some(_) => Ok(()),
        None => bail!("not {condition}: {}", json!(conditions)),
    }
}

/// Returns the name of an object.
pub fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}
