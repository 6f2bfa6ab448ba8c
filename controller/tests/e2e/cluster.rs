//! A client of the API server for tests: it takes and returns JSON values, and repeats requests while the server is down.

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use futures::StreamExt;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
    PostParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::response::Status;
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use xposer_manifest::load;

/// The longest time for a request, and for repeating it while there is no answer.
const ANSWER: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(120);
/// The interval and the timeout of a wait.
const GLANCE: Duration = Duration::from_millis(100);
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// The namespace of the controller's own account.
pub(crate) const HOME: &str = "xposer-e2e";
/// The label of everything that a scenario creates. The next run may remove it.
pub(crate) const LABEL: &str = "xposer-e2e";

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) api: &'static str,
    pub(crate) name: &'static str,
    plural: &'static str,
}

const fn kind(api: &'static str, name: &'static str, plural: &'static str) -> Kind {
    Kind { api, name, plural }
}

/// A kind that the controller makes.
const fn made(kind: xposer::emit::Kind) -> Kind {
    let row = kind.row();
    self::kind(row.api_version, row.name, row.plural)
}

pub(crate) const SERVICE: Kind = kind("v1", "Service", "services");
pub(crate) const INGRESS: Kind = made(xposer::emit::Kind::Ingress);
pub(crate) const CONFIG_MAP: Kind = made(xposer::emit::Kind::ConfigMap);
pub(crate) const HTTP_ROUTE: Kind = made(xposer::emit::Kind::HttpRoute);
pub(crate) const GRPC_ROUTE: Kind = kind("gateway.networking.k8s.io/v1", "GRPCRoute", "grpcroutes");
pub(crate) const TLS_ROUTE: Kind = kind("gateway.networking.k8s.io/v1", "TLSRoute", "tlsroutes");
pub(crate) const ROUTE: Kind = made(xposer::emit::Kind::Route);
pub(crate) const MONITOR: Kind = made(xposer::emit::Kind::EndpointMonitor);
pub(crate) const MIDDLEWARE: Kind = made(xposer::emit::Kind::Middleware);
pub(crate) const INGRESS_CLASS: Kind = kind("networking.k8s.io/v1", "IngressClass", "ingressclasses");
pub(crate) const GATEWAY_CLASS: Kind = kind("gateway.networking.k8s.io/v1", "GatewayClass", "gatewayclasses");
pub(crate) const GATEWAY: Kind = kind("gateway.networking.k8s.io/v1", "Gateway", "gateways");
pub(crate) const NAMESPACE: Kind = kind("v1", "Namespace", "namespaces");
pub(crate) const EVENT: Kind = kind("v1", "Event", "events");
pub(crate) const LEASE: Kind = kind("coordination.k8s.io/v1", "Lease", "leases");
pub(crate) const DEFINITION: Kind =
    kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions");
const ADMISSION: &str = "admissionregistration.k8s.io/v1";
pub(crate) const MUTATING: Kind = kind(ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies");
pub(crate) const MUTATING_BINDING: Kind =
    kind(ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings");
pub(crate) const VALIDATING: Kind =
    kind(ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies");
pub(crate) const VALIDATING_BINDING: Kind =
    kind(ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings");
pub(crate) const WEBHOOK: Kind =
    kind(ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations");
const RBAC: &str = "rbac.authorization.k8s.io/v1";
pub(crate) const CLUSTER_ROLE: Kind = kind(RBAC, "ClusterRole", "clusterroles");
pub(crate) const CLUSTER_ROLE_BINDING: Kind = kind(RBAC, "ClusterRoleBinding", "clusterrolebindings");

pub(crate) const MUTATING_WEBHOOK: Kind =
    kind(ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations");

const KINDS: [Kind; 29] = [
    MUTATING_WEBHOOK,
    SERVICE,
    INGRESS,
    CONFIG_MAP,
    HTTP_ROUTE,
    GRPC_ROUTE,
    TLS_ROUTE,
    ROUTE,
    MONITOR,
    MIDDLEWARE,
    INGRESS_CLASS,
    GATEWAY_CLASS,
    GATEWAY,
    NAMESPACE,
    EVENT,
    LEASE,
    DEFINITION,
    MUTATING,
    MUTATING_BINDING,
    VALIDATING,
    VALIDATING_BINDING,
    WEBHOOK,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    kind("v1", "ServiceAccount", "serviceaccounts"),
    kind("apps/v1", "Deployment", "deployments"),
    kind("v1", "Secret", "secrets"),
    kind(RBAC, "Role", "roles"),
    kind(RBAC, "RoleBinding", "rolebindings"),
];
/// The kinds of the objects that the controller writes.
pub(crate) const MADE: [Kind; 6] = [INGRESS, HTTP_ROUTE, ROUTE, MONITOR, MIDDLEWARE, CONFIG_MAP];

/// The kind, the namespace if there is one, and the name of an object.
struct Address<'o> {
    kind: Kind,
    namespace: Option<&'o str>,
    name: &'o str,
}

/// The kind of an object; `None` if it is none of those that the scenarios use.
pub(crate) fn kind_of(object: &Value) -> Option<Kind> {
    KINDS.into_iter().find(|kind| object["apiVersion"] == kind.api && object["kind"] == kind.name)
}

fn address(object: &Value) -> Address<'_> {
    let kind = kind_of(object).unwrap_or_else(|| panic!("a kind we do not know: {object}"));
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or_else(|| panic!("no name: {object}"));
    Address { kind, namespace: metadata["namespace"].as_str(), name }
}

/// Prints a line to standard error, even if the test runner captures the output of tests.
pub(crate) fn say(message: &str) {
    // An error cannot be reported anywhere.
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// Waits until `look` succeeds. After the timeout, fails with its last error.
#[track_caller]
pub(crate) fn within<T>(time: Duration, what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        let looks = Instant::now();
        match look() {
            Ok(seen) => return seen,
            Err(last) if began.elapsed() > time => {
                panic!("{what}: not within {} s; at last: {last}", time.as_secs())
            }
            // An expensive check is repeated less often, so that it does not slow the server down.
            Err(_) => std::thread::sleep(GLANCE.max(looks.elapsed() * 2)),
        }
    }
}

/// Waits until `look` succeeds, with the timeout that fits everything.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Result<T, String>) -> T {
    within(SOON, what, look)
}

/// The answer of the API server, or its refusal.
pub(crate) type Answer<T> = Result<T, Box<Status>>;

/// A client with the rights of an administrator.
pub(crate) struct Cluster {
    runtime: Handle,
    client: Client,
    kubeconfig: PathBuf,
    /// The kubeconfig of the controller's own account.
    pub(crate) identity: PathBuf,
    ctl: Option<PathBuf>,
}

impl Cluster {
    /// The cluster that `E2E_KUBECONFIG` names.
    pub(crate) fn get() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(|| {
            let kubeconfig = std::env::var_os("E2E_KUBECONFIG");
            Self::open(
                kubeconfig.expect("E2E_KUBECONFIG names a cluster; `make e2e-cluster` starts one").into(),
            )
        })
    }

    fn open(kubeconfig: PathBuf) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        // Tests block on their requests; connections and recordings run in this runtime.
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        let read =
            Kubeconfig::read_from(&kubeconfig).unwrap_or_else(|wrong| panic!("E2E_KUBECONFIG: {wrong}"));
        let client = handle.block_on(async {
            let mut config =
                Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
            // `answered` decides what is repeated.
            config.default_retry = false;
            Client::try_from(config).unwrap()
        });
        let ctl = std::env::var_os("E2E_CTL").map(PathBuf::from);
        let identity = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("account-{}", std::process::id()));
        let cluster = Self { runtime: handle, client, kubeconfig, identity, ctl };
        cluster.sweep();
        cluster.settle_in();
        cluster
    }

    /// Removes what an earlier, aborted run has left.
    fn sweep(&self) {
        let left: Vec<Value> = self.list_labelled(NAMESPACE, LABEL);
        for namespace in &left {
            self.remove_namespace(name_of(namespace));
        }
        for namespace in &left {
            let name = name_of(namespace);
            within(PATIENCE, "what an earlier run has left goes", || match self.list(SERVICE, Some(name)) {
                services if services.is_empty() => Ok(()),
                services => Err(format!("{} Services in {name}", services.len())),
            });
        }
        let exposed: Vec<String> = self.list_labelled(SERVICE, "expose=true").iter().map(place_of).collect();
        assert!(exposed.is_empty(), "this cluster is in use: somebody exposes {exposed:?}");
    }

    /// Creates the account of the controller, with exactly the rights that it needs.
    fn settle_in(&self) {
        self.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}}));
        self.account(HOME, "xposer", &self.identity);
        self.apply(&json!({
            "apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": HOME},
            "rules": deployed_rules(),
        }));
        self.apply(&json!({
            "apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": HOME},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": HOME},
            "subjects": [{"kind": "ServiceAccount", "name": "xposer", "namespace": HOME}],
        }));
    }

    /// Creates a service account, and writes a kubeconfig for it.
    pub(crate) fn account(&self, namespace: &str, name: &str, file: &Path) {
        self.apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": namespace}}));
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let spec = TokenRequestSpec { expiration_seconds: Some(7200), ..TokenRequestSpec::default() };
        let asked = TokenRequest { spec: Some(spec), ..TokenRequest::default() };
        let given = self
            .asking("a token", async || {
                accounts.create_token_request(name, &PostParams::default(), &asked).await
            })
            .unwrap_or_else(|status| panic!("{status}"));
        let mut config = serde_json::to_value(Kubeconfig::read_from(&self.kubeconfig).unwrap()).unwrap();
        for user in config["users"].as_array_mut().unwrap() {
            user["user"] = json!({"token": given.status.as_ref().unwrap().token});
        }
        fs::write(file, config.to_string()).unwrap();
    }

    /// Runs the program that stops and starts parts of the cluster.
    pub(crate) fn ctl(&self, words: &[&str]) {
        let ctl = self.ctl.as_ref().expect("a scenario that breaks the cluster asks for it first");
        let output = Command::new(ctl).args(words).output().unwrap_or_else(|error| panic!("{error}"));
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {words:?}: {message}", ctl.display());
    }

    pub(crate) fn can_break(&self) -> bool {
        self.ctl.is_some()
    }

    /// The size of the API server's audit log; 0 if there is none.
    pub(crate) fn audit_mark(&self) -> u64 {
        fs::metadata(self.audit_log()).map_or(0, |file| file.len())
    }

    fn audit_log(&self) -> PathBuf {
        self.kubeconfig.with_file_name("audit.log")
    }

    /// The write requests of the controllers since then, one line each, without those for Leases.
    pub(crate) fn written_since(&self, mark: u64) -> Vec<String> {
        let Ok(mut file) = fs::File::open(self.audit_log()) else { return Vec::new() };
        let mut text = String::new();
        file.seek(SeekFrom::Start(mark)).unwrap();
        file.read_to_string(&mut text).unwrap();
        let account = format!("system:serviceaccount:{HOME}:xposer");
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let ours = lines.filter(|it| it["user"]["username"] == account.as_str());
        let written = ours.filter_map(|it| {
            let object = &it["objectRef"];
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (verb, resource) = (word(&it["verb"]), word(&object["resource"]));
            let is_dry = it["requestURI"].as_str().is_some_and(|uri| uri.contains("dryRun=All"));
            let counts =
                !is_dry && !["get", "list", "watch"].contains(&verb.as_str()) && resource != "leases";
            let place = format!("{}/{}", word(&object["namespace"]), word(&object["name"]));
            counts.then(|| format!("{verb} {resource} {place}: {}", it["responseStatus"]["code"]))
        });
        written.collect()
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub(crate) fn spawn(
        &self,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        self.runtime.spawn(future)
    }

    pub(crate) fn api(&self, kind: Kind, namespace: Option<&str>) -> Api<DynamicObject> {
        let (group, version) = kind.api.rsplit_once('/').unwrap_or(("", kind.api));
        let resource =
            ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind.name), kind.plural);
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }

    /// Repeats a request until there is an answer.
    fn asking<T>(&self, what: &str, ask: impl AsyncFnMut() -> kube::Result<T>) -> Answer<T> {
        self.block_on(answered(what, ask))
    }

    pub(crate) fn find(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Option<Value> {
        let api = self.api(kind, namespace);
        match self.asking(name, async || api.get(name).await) {
            Ok(found) => Some(value(&found)),
            // There is no such object, or the kind is not served.
            Err(status) if status.code == 404 => None,
            Err(status) => panic!("{name}: {status}"),
        }
    }

    /// All objects of a kind; none if the kind is not served.
    pub(crate) fn list(&self, kind: Kind, namespace: Option<&str>) -> Vec<Value> {
        self.list_with(kind, namespace, &ListParams::default())
    }

    pub(crate) fn list_labelled(&self, kind: Kind, selector: &str) -> Vec<Value> {
        self.list_with(kind, None, &ListParams::default().labels(selector))
    }

    fn list_with(&self, kind: Kind, namespace: Option<&str>, parameters: &ListParams) -> Vec<Value> {
        let api = self.api(kind, namespace);
        match self.asking(kind.name, async || api.list(parameters).await) {
            // The items of a list have no kind; the list has it.
            Ok(list) => list.items.iter().map(|item| typed(value(item), kind)).collect(),
            Err(status) if status.code == 404 => Vec::new(),
            Err(status) => panic!("{}: {status}", kind.name),
        }
    }

    pub(crate) fn is_served(&self, kind: Kind) -> bool {
        let api = self.api(kind, None);
        self.asking(kind.name, async || api.list(&ListParams::default().limit(1)).await).is_ok()
    }

    /// Creates objects, sixteen at a time, and returns them as stored.
    pub(crate) fn create_all(&self, objects: Vec<Value>) -> Vec<Value> {
        let created = objects.into_iter().map(|object| async move {
            let Address { kind, namespace, name } = address(&object);
            let api = self.api(kind, namespace);
            let typed: DynamicObject = serde_json::from_value(object.clone()).unwrap();
            let mut tries = 0;
            let created = answered(name, async || {
                tries += 1;
                api.create(&PostParams::default(), &typed).await
            });
            match created.await {
                Ok(created) => value(&created),
                // The answer to an earlier attempt was lost.
                Err(status) if status.code == 409 && tries > 1 => value(
                    &answered(name, async || api.get(name).await)
                        .await
                        .unwrap_or_else(|status| panic!("{status}")),
                ),
                Err(status) => panic!("{object}: {status}"),
            }
        });
        self.block_on(futures::stream::iter(created).buffered(16).collect())
    }

    /// Tries to create an object once. The second value has the warnings of the API server.
    pub(crate) fn try_create(&self, object: &Value, parameters: &PostParams) -> (Answer<Value>, Vec<String>) {
        let Address { kind, namespace, .. } = address(object);
        let api = self.api(kind, namespace);
        let request = kube::core::Request::new(api.resource_url());
        let request = request.create(parameters, object.to_string().into_bytes()).unwrap();
        self.block_on(async {
            let answer = self.client.send(request.map(kube::client::Body::from)).await.unwrap();
            let warnings = answer.headers().get_all("warning").iter();
            let warnings = warnings.map(|it| it.to_str().unwrap().to_owned()).collect();
            let is_created = answer.status().is_success();
            let body = answer.into_body().collect_bytes().await.unwrap();
            let answer = if is_created {
                Ok(serde_json::from_slice(&body).unwrap())
            } else {
                Err(Box::new(serde_json::from_slice(&body).unwrap()))
            };
            (answer, warnings)
        })
    }

    /// The texts of the API server's audit log since then that contain a word.
    pub(crate) fn audited_since(&self, mark: u64, word: &str) -> Vec<String> {
        let Ok(mut file) = fs::File::open(self.audit_log()) else { return Vec::new() };
        let mut text = String::new();
        file.seek(SeekFrom::Start(mark)).unwrap();
        file.read_to_string(&mut text).unwrap();
        text.lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    }

    pub(crate) fn create(&self, object: Value) -> Value {
        self.create_all(vec![object]).remove(0)
    }

    /// Server-side apply with another field manager than the controller's.
    pub(crate) fn apply(&self, object: &Value) -> Value {
        self.apply_with(object, &PatchParams::apply("e2e").force())
            .unwrap_or_else(|status| panic!("{status}"))
    }

    pub(crate) fn apply_with(&self, object: &Value, parameters: &PatchParams) -> Answer<Value> {
        let Address { kind, namespace, name } = address(object);
        let api = self.api(kind, namespace);
        self.asking(name, async || api.patch(name, parameters, &Patch::Apply(object)).await)
            .map(|object| value(&object))
    }

    /// A merge patch; null removes a field.
    pub(crate) fn patch(&self, kind: Kind, namespace: Option<&str>, name: &str, patch: &Value) -> Value {
        self.try_patch(kind, namespace, name, patch).unwrap_or_else(|status| panic!("{name}: {status}"))
    }

    pub(crate) fn try_patch(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
    ) -> Answer<Value> {
        let api = self.api(kind, namespace);
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(patch));
        self.asking(name, async || api.patch(name, &parameters, &patch).await).map(|object| value(&object))
    }

    /// Sets the status of an object, as an ingress controller or a gateway does.
    pub(crate) fn set_status(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
        status: &Value,
    ) -> Answer<Value> {
        let api = self.api(kind, namespace);
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(json!({"status": status})));
        self.asking(name, async || api.patch_status(name, &parameters, &patch).await)
            .map(|object| value(&object))
    }

    /// Deletes an object. It is no error if there is none.
    pub(crate) fn delete(&self, kind: Kind, namespace: Option<&str>, name: &str, parameters: &DeleteParams) {
        let api = self.api(kind, namespace);
        match self.asking(name, async || api.delete(name, parameters).await) {
            Ok(_) => {}
            Err(status) if status.code == 404 => {}
            Err(status) => panic!("{name}: {status}"),
        }
    }

    /// Deletes a namespace, its Services first, so that no controller tries to expose them in a terminating namespace.
    pub(crate) fn remove_namespace(&self, name: &str) {
        let services = self.api(SERVICE, Some(name));
        let (delete, all) = (DeleteParams::default(), ListParams::default());
        let gone = self.asking(name, async || services.delete_collection(&delete, &all).await);
        gone.unwrap_or_else(|status| panic!("{name}: {status}"));
        self.delete(NAMESPACE, None, name, &delete);
        // A scenario that failed may have left finalizers.
        for kind in [SERVICE, INGRESS] {
            let held = |object: &&Value| !object["metadata"]["finalizers"].is_null();
            for object in self.list(kind, Some(name)).iter().filter(held) {
                let patch = json!({"metadata": {"finalizers": null}});
                // It may be deleted already.
                let _ = self.try_patch(kind, Some(name), name_of(object), &patch);
            }
        }
    }

    /// The names of all namespaces that are not being deleted.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        let all = self.list(NAMESPACE, None);
        let stay = all.iter().filter(|it| it["metadata"]["deletionTimestamp"].is_null());
        stay.map(|it| name_of(it).to_owned()).collect()
    }
}

/// Repeats a request until there is an answer. A server that is down or overloaded gives none.
async fn answered<T>(what: &str, mut ask: impl AsyncFnMut() -> kube::Result<T>) -> Answer<T> {
    let began = Instant::now();
    loop {
        let trouble = match tokio::time::timeout(ANSWER, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(kube::Error::Api(status))) if status.code < 500 && status.code != 429 => {
                return Err(status);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        assert!(began.elapsed() < PATIENCE, "{what}: {trouble}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

pub(crate) fn value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap()
}

fn typed(mut object: Value, kind: Kind) -> Value {
    object["apiVersion"] = kind.api.into();
    object["kind"] = kind.name.into();
    object
}

pub(crate) fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// `namespace/name`.
pub(crate) fn place_of(object: &Value) -> String {
    format!("{}/{}", object["metadata"]["namespace"].as_str().unwrap_or_default(), name_of(object))
}

/// The resource versions of objects, by their kinds, namespaces and names.
pub(crate) fn versions<'o>(objects: impl IntoIterator<Item = &'o Value>) -> BTreeMap<String, String> {
    let version = |it: &Value| it["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    let key = |it: &Value| format!("{} {}", it["kind"].as_str().unwrap_or_default(), place_of(it));
    objects.into_iter().map(|it| (key(it), version(it))).collect()
}

/// The rules of `deploy/controller`, with those of all components for other kinds and for the stamp. In every scenario, the
/// controller has only these rights.
pub(crate) fn deployed_rules() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/controller");
    let documents = |file: &str| -> Vec<Value> {
        let text = fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        load(&text).unwrap().into_iter().map(|document| document.value).collect()
    };
    let mut roles = documents("rbac.yaml");
    roles.retain(|it| it["kind"] == "ClusterRole" || it["kind"] == "Role");
    for component in ["httproute", "route", "monitor", "traefik", "envoy-gateway", "stamp", "claims"] {
        let component = documents(&format!("components/{component}/kustomization.yaml")).remove(0);
        let patches = component["patches"].as_array().unwrap().iter();
        for patch in patches.filter(|it| it["target"]["kind"].as_str().is_some_and(|it| it.ends_with("Role")))
        {
            let is_target = |it: &&mut Value| it["metadata"]["name"] == patch["target"]["name"];
            let role = roles.iter_mut().find(is_target).unwrap();
            let operations = load(patch["patch"].as_str().unwrap()).unwrap().remove(0).value;
            for operation in operations.as_array().unwrap().iter().filter(|it| it["op"] == "add") {
                let list = operation["path"].as_str().unwrap().strip_suffix("/-").unwrap();
                let list = role.pointer_mut(list).and_then(Value::as_array_mut).unwrap();
                list.push(operation["value"].clone());
            }
        }
    }
    roles.iter().flat_map(|role| role["rules"].as_array().cloned().unwrap_or_default()).collect()
}

impl Cluster {
    /// Gives the controller's account the rights of the component `claims` in a namespace.
    pub(crate) fn may_write_claims(&self, namespace: &str) {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/controller/components/claims/rbac.yaml");
        for document in load(&fs::read_to_string(file).unwrap()).unwrap() {
            let mut object = document.value;
            object["metadata"]["namespace"] = namespace.into();
            if object["kind"] == "RoleBinding" {
                object["subjects"] = json!([{"kind": "ServiceAccount", "name": "xposer", "namespace": HOME}]);
            }
            self.apply(&object);
        }
    }

    /// Gives the account these rights everywhere, or takes them again.
    pub(crate) fn may_write_claims_anywhere(&self, may: bool) {
        let verbs: &[&str] = if may { &["create", "delete", "get", "list", "update"] } else { &[] };
        let name = format!("{HOME}-claims");
        let rule = json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs});
        let rules = if may { json!([rule]) } else { json!([]) };
        self.apply(
            &json!({"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}),
        );
        self.apply(&json!({
            "apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "xposer", "namespace": HOME}],
        }));
    }
}

/// The rules, restricted to reading.
pub(crate) fn looking(mut rules: Vec<Value>) -> Vec<Value> {
    for rule in &mut rules {
        let verbs = rule["verbs"].as_array_mut().unwrap();
        verbs.retain(|verb| ["get", "list", "watch"].iter().any(|it| verb == it));
    }
    rules.retain(|rule| rule["verbs"].as_array().is_some_and(|verbs| !verbs.is_empty()));
    rules
}
