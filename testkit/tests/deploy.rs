//! The manifests and the chart install the same controller, safely, with the permissions that it needs and no others.
//!
//! The tests that render need helm or kustomize; `testkit/run-ignored` looks for them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a file that cannot be read has failed the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::{Value, json};
use xposer::conflicts::{SHARDS, config_map};
use xposer::emit::{Kind, URL_CONFIG_MAP};
use xposer::guard::ForeignKind;
use xposer::{Service, Settings, Target, expose};
use xposer_testkit::{cases, golden, workspace};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const NAME: &str = "xposer-controller";
const OWNED: &[&str] = &["create", "delete", "get", "list", "patch", "watch"];

/// The choices at the installation.
#[derive(Clone, Copy, Debug)]
struct Choice {
    ingress: bool,
    http_route: bool,
    listener_set: bool,
    route: bool,
    monitor: bool,
    traefik: bool,
    envoy_gateway: bool,
    stamp: bool,
    report: bool,
    claims: bool,
    webhook: bool,
    guard: bool,
    namespaced: bool,
    service_monitor: bool,
}

impl Choice {
    /// Returns all combinations of the choices that change permissions, except that the choices that only add rules are in some of
    /// them. The last one has everything, including a ServiceMonitor.
    fn all() -> impl Iterator<Item = Self> {
        (0_u8..64).map(|bits| Self {
            ingress: bits & 1 == 0,
            http_route: bits & 2 > 0,
            listener_set: bits & 2 > 0,
            route: bits & 4 > 0,
            monitor: bits & 8 > 0,
            stamp: bits & 16 > 0,
            report: bits > 0 && bits % 5 == 0,
            namespaced: bits & 32 > 0,
            // A controller for one namespace does not know all claims.
            claims: bits & 32 == 0 && bits % 4 == 3,
            // The API server calls the webhook for all namespaces.
            webhook: bits & 32 == 0 && bits % 5 == 2,
            guard: bits & 32 == 0 && bits % 10 == 2,
            traefik: bits > 0 && bits % 3 == 0,
            envoy_gateway: bits > 0 && bits % 7 == 0,
            service_monitor: bits == 63,
        })
    }

    fn namespace(self) -> &'static str {
        if self.namespaced { "shop" } else { "xposer-system" }
    }

    fn components(self) -> Vec<&'static str> {
        let all = [
            (self.namespaced, "namespaced"),
            (!self.ingress, "no-ingress"),
            (self.http_route, "httproute"),
            (self.listener_set, "listenerset"),
            (self.route, "route"),
            (self.monitor, "monitor"),
            (self.traefik, "traefik"),
            (self.envoy_gateway, "envoy-gateway"),
            (self.stamp, "stamp"),
            (self.report, "report"),
            (self.claims, "claims"),
            (self.webhook, "webhook"),
            (self.guard, "webhook-guard"),
            (self.service_monitor, "servicemonitor"),
        ];
        all.into_iter().filter_map(|(wanted, name)| wanted.then_some(name)).collect()
    }

    fn values(self) -> Value {
        json!({
            "targets": {
                "ingress": self.ingress,
                "httpRoute": self.http_route,
                "listenerSet": self.listener_set,
                "route": self.route,
                "endpointMonitor": self.monitor,
                "traefik": self.traefik,
                "envoyGateway": self.envoy_gateway,
            },
            "stamp": self.stamp,
            "report": {"enabled": self.report},
            "claims": {"enabled": self.claims},
            "webhook": {"enabled": self.webhook, "guard": self.guard},
            "watchNamespace": if self.namespaced { self.namespace() } else { "" },
            "serviceMonitor": {"enabled": self.service_monitor},
        })
    }

    /// Whether a kind that the core emits may be written.
    fn may_write(self, kind: Kind) -> bool {
        match kind {
            Kind::ConfigMap => true,
            Kind::EndpointMonitor => self.monitor,
            Kind::HttpRoute => self.http_route,
            Kind::ListenerSet => self.listener_set,
            Kind::Ingress => self.ingress,
            Kind::Route => self.route,
            Kind::Middleware => self.traefik,
            Kind::SecurityPolicy | Kind::BackendTrafficPolicy | Kind::HttpRouteFilter => self.envoy_gateway,
        }
    }
}

fn text(name: &str) -> String {
    fs::read_to_string(workspace().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Value {
    let mut documents = cases::parse(&text(name)).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    assert_eq!(documents.len(), 1, "{name}");
    documents.remove(0)
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deploy").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The output of a program on the PATH.
fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()))
}

fn rendered(output: &Output) -> Vec<Value> {
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    cases::parse(std::str::from_utf8(&output.stdout).unwrap()).unwrap()
}

/// Runs `helm template` with these values.
fn helm(release: &str, namespace: &str, values: &Value) -> Output {
    with_values(&["template", release, "--namespace", namespace], values)
}

/// Runs a command of helm for the chart with these values.
fn with_values(words: &[&str], values: &Value) -> Output {
    let file = folder("values").join(format!("{:?}.json", std::thread::current().id()));
    fs::write(&file, values.to_string()).unwrap();
    let chart = workspace().join("deploy/chart/xposer");
    run(Command::new("helm").args(words).arg("--values").arg(file).arg(chart))
}

/// Runs `kustomize build` for the base with the components of a choice.
fn kustomize(choice: Choice) -> Output {
    // kustomize accepts only relative paths.
    let link = folder("kustomize").join("controller");
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(workspace().join("deploy/controller"), &link).unwrap();
    let folder = folder(&format!("kustomize/with-{}", choice.components().join("-")));
    let components: Vec<String> =
        choice.components().iter().map(|name| format!("../controller/components/{name}")).collect();
    let mut kustomization = json!({"resources": ["../controller"], "components": components});
    if choice.namespaced {
        kustomization["namespace"] = choice.namespace().into();
    }
    fs::write(folder.join("kustomization.yaml"), kustomization.to_string()).unwrap();
    run(Command::new("kustomize").arg("build").arg(folder))
}

/// The objects that helm or kustomize renders for every choice.
type Rendered = [(Choice, Vec<Value>)];

static CHART: LazyLock<Vec<(Choice, Vec<Value>)>> = LazyLock::new(|| {
    Choice::all()
        .map(|choice| (choice, rendered(&helm(NAME, choice.namespace(), &choice.values()))))
        .collect()
});

static MANIFESTS: LazyLock<Vec<(Choice, Vec<Value>)>> =
    LazyLock::new(|| Choice::all().map(|choice| (choice, rendered(&kustomize(choice)))).collect());

/// Defines tests that check the chart and the manifests in the same way.
macro_rules! of_both {
    ($($name:ident)*) => {
        mod installed_with_helm {
            $(#[test]
            #[ignore = "needs helm: make test"]
            fn $name() {
                super::$name(&super::CHART);
            })*
        }

        mod installed_with_kustomize {
            $(#[test]
            #[ignore = "needs kustomize: make test"]
            fn $name() {
                super::$name(&super::MANIFESTS);
            })*
        }
    };
}

of_both! {
    every_document_is_an_object_with_its_labels
    nothing_may_be_done_but_what_is
    the_pods_are_restricted
    everything_around_the_pods_finds_them
    the_controller_knows_its_flags
    the_api_server_reaches_the_webhook
}

fn of_kind<'o>(objects: &'o [Value], kind: &str) -> Vec<&'o Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

fn the<'o>(objects: &'o [Value], kind: &str) -> &'o Value {
    let found = of_kind(objects, kind);
    assert_eq!(found.len(), 1, "{kind}");
    found[0]
}

/// Returns the Service for the metrics. The webhook has another one.
fn service(objects: &[Value]) -> &Value {
    let services = of_kind(objects, "Service");
    let is_it = |it: &&&Value| !it["metadata"]["name"].as_str().unwrap().ends_with("-webhook");
    let found: Vec<_> = services.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1);
    found[0]
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|it| it.as_str().unwrap()).collect()
}

/// Returns the arguments of the controller.
fn arguments(objects: &[Value]) -> Vec<&str> {
    texts(&the(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"])
}

/// Returns the value of a flag.
fn argument<'o>(objects: &'o [Value], flag: &str) -> Option<&'o str> {
    arguments(objects).into_iter().find_map(|it| it.strip_prefix(flag)?.strip_prefix('='))
}

fn every_document_is_an_object_with_its_labels(installations: &Rendered) {
    for (choice, objects) in installations {
        let names: BTreeSet<_> =
            objects.iter().map(|it| (it["kind"].as_str(), it["metadata"]["name"].as_str())).collect();
        assert_eq!(names.len(), objects.len(), "{choice:?}");
        for object in objects {
            let kind = object["kind"].as_str().unwrap();
            assert!(object["apiVersion"].is_string() && object["metadata"]["name"].is_string(), "{object}");
            assert_eq!(object["metadata"]["labels"]["app.kubernetes.io/name"], "xposer", "{kind}");
            assert_eq!(object["metadata"]["labels"]["app.kubernetes.io/instance"], NAME, "{kind}");
            let of_cluster =
                ["ClusterRole", "ClusterRoleBinding", "Namespace", "MutatingWebhookConfiguration"];
            let of_cluster = of_cluster.contains(&kind);
            assert!(!(of_cluster && choice.namespaced), "{kind}");
            let namespace = if of_cluster { Value::Null } else { choice.namespace().into() };
            assert_eq!(object["metadata"]["namespace"], namespace, "{kind} {choice:?}");
        }
        assert_eq!(of_kind(objects, "ServiceMonitor").len(), usize::from(choice.service_monitor));
        for kind in ["ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "ServiceAccount"] {
            the(objects, kind);
        }
        service(objects);
        for kind in ["Issuer", "Certificate", "MutatingWebhookConfiguration"] {
            assert_eq!(of_kind(objects, kind).len(), usize::from(choice.webhook), "{kind} {choice:?}");
        }
    }
}

/// The permissions of a subject: the namespace ("" for all), the group, the resource, the name ("" for any) and the verb.
type Permissions = BTreeSet<[String; 5]>;

fn permit(all: &mut Permissions, [namespace, group, resource, name]: [&str; 4], verbs: &[&str]) {
    all.extend(verbs.iter().map(|verb| [namespace, group, resource, name, verb].map(str::to_owned)));
}

/// Returns the permissions that the bound roles grant to the controller. Fails for a role without a binding, and for a binding of
/// another subject.
fn granted(objects: &[Value]) -> Permissions {
    let id = |role: &Value| {
        let of = &role["metadata"];
        [&role["kind"], &of["namespace"], &of["name"]].map(|it| it.as_str().unwrap_or_default().to_owned())
    };
    let is_role = |it: &&Value| ["ClusterRole", "Role"].contains(&it["kind"].as_str().unwrap());
    let mut roles: BTreeMap<_, _> = objects.iter().filter(is_role).map(|role| (id(role), role)).collect();
    let account = the(objects, "ServiceAccount");
    assert_eq!(
        the(objects, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"],
        account["metadata"]["name"]
    );
    let mut all = BTreeSet::new();
    for binding in objects.iter().filter(|it| it["kind"].as_str().unwrap().ends_with("Binding")) {
        assert_eq!(
            binding["subjects"],
            json!([{
                "kind": "ServiceAccount",
                "name": account["metadata"]["name"],
                "namespace": account["metadata"]["namespace"],
            }])
        );
        let [kind, namespace, _] = id(binding);
        let of = &binding["roleRef"];
        assert_eq!(format!("{}Binding", of["kind"].as_str().unwrap()), kind);
        assert_eq!(of["apiGroup"], "rbac.authorization.k8s.io");
        let named = [of["kind"].as_str().unwrap(), &namespace, of["name"].as_str().unwrap()];
        let role = roles.remove(&named.map(str::to_owned)).unwrap_or_else(|| panic!("no role {named:?}"));
        for rule in role["rules"].as_array().unwrap() {
            let known = ["apiGroups", "resourceNames", "resources", "verbs"];
            assert!(rule.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{rule}");
            let names = rule.get("resourceNames").map_or_else(|| vec![""], texts);
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    for name in &names {
                        permit(&mut all, [&namespace, group, resource, name], &texts(&rule["verbs"]));
                    }
                }
            }
        }
    }
    assert!(roles.is_empty(), "{:?} are not bound", roles.keys());
    all
}

/// Returns the kinds of all objects that the core emits for a Service with all targets.
fn emitted() -> BTreeSet<Kind> {
    let service = json!({
        "metadata": {"name": "web", "namespace": "shop", "labels": {xposer::service::EXPOSE_LABEL: "true"},
            "annotations": {xposer::service::FORWARD_ANNOTATION: "exposeIngressUrl: locally"}},
        "spec": {"ports": [{"name": "http", "port": 80}]},
    });
    let mut found = BTreeSet::new();
    for target in Target::ALL {
        let settings = json!({"domain": "example.com", "target": target.as_str(), "monitor": true,
            "parentRefs": [{"name": "gateway"}], "tls": true, "listenerSet": true});
        let settings = Settings::from_value(&settings).unwrap_or_else(|report| panic!("{report}"));
        let outcome = expose(&Service::from_value(&service), &settings);
        found.extend(outcome.plan().unwrap().emit().objects.iter().map(xposer::Object::kind));
    }
    found
}

/// Returns the permissions that the controller needs for a choice.
fn needed(choice: Choice, lease: &str) -> Permissions {
    let scope = if choice.namespaced { choice.namespace() } else { "" };
    let mut all = BTreeSet::new();
    permit(&mut all, [scope, "", "services", ""], &["get", "list", "watch"]);
    if choice.stamp {
        permit(&mut all, [scope, "", "services", ""], &["patch"]);
    }
    if !choice.namespaced {
        permit(&mut all, [scope, "", "namespaces", ""], &["list", "watch"]);
        permit(&mut all, [scope, "networking.k8s.io", "ingressclasses", ""], &["list", "watch"]);
        if choice.http_route {
            for resource in ["gatewayclasses", "gateways"] {
                permit(&mut all, [scope, "gateway.networking.k8s.io", resource, ""], &["list", "watch"]);
            }
        }
    }
    permit(&mut all, [scope, "events.k8s.io", "events", ""], &["create"]);
    for kind in Kind::ALL.into_iter().filter(|kind| choice.may_write(*kind)) {
        let (group, resource) = (kind.group(), kind.row().plural);
        assert!(kind.row().is_namespaced, "a Role for one namespace cannot grant {kind}");
        if kind == Kind::ConfigMap {
            permit(&mut all, [scope, group, resource, ""], &["create"]);
            let rest: Vec<&str> = OWNED.iter().copied().filter(|verb| *verb != "create").collect();
            permit(&mut all, [scope, group, resource, URL_CONFIG_MAP], &rest);
        } else {
            permit(&mut all, [scope, group, resource, ""], OWNED);
        }
        if kind == Kind::Route {
            permit(&mut all, [scope, group, "routes/custom-host", ""], &["create", "update"]);
        }
    }
    let own = choice.namespace();
    permit(&mut all, [own, "coordination.k8s.io", "leases", ""], &["create"]);
    permit(&mut all, [own, "coordination.k8s.io", "leases", lease], &["get", "update"]);
    if choice.claims {
        permit(&mut all, [own, "", "configmaps", ""], &["create", "list"]);
        for shard in 0..SHARDS {
            permit(&mut all, [own, "", "configmaps", &config_map(shard)], &["delete", "get", "update"]);
        }
        for kind in ForeignKind::ALL {
            permit(&mut all, ["", kind.group(), kind.plural(), ""], &["list", "watch"]);
        }
    }
    all
}

fn nothing_may_be_done_but_what_is(installations: &Rendered) {
    for (choice, objects) in installations {
        let lease = argument(objects, "--lease-name").unwrap();
        let (granted, needed) = (granted(objects), needed(*choice, lease));
        let more: Vec<_> = granted.difference(&needed).collect();
        let less: Vec<_> = needed.difference(&granted).collect();
        assert!(more.is_empty() && less.is_empty(), "{choice:?}: too much {more:?}, too little {less:?}");
    }
}

#[test]
fn the_table_of_permissions_knows_every_kind() {
    let everything = Choice::all().last().unwrap();
    // These kinds express options for one program only.
    let of_programs =
        [Kind::Middleware, Kind::SecurityPolicy, Kind::BackendTrafficPolicy, Kind::HttpRouteFilter];
    let all: BTreeSet<Kind> = emitted().into_iter().chain(of_programs).collect();
    assert_eq!(all.into_iter().collect::<Vec<_>>(), Kind::ALL);
    for kind in Kind::ALL {
        // The last combination adds all kinds except the Ingress, which is there by default.
        assert_eq!(everything.may_write(kind), kind != Kind::Ingress, "{kind}");
    }
    let needed = needed(everything, NAME);
    assert!(needed.iter().flatten().all(|word| word != "*" && word != "secrets"), "{needed:?}");
}

fn the_pods_are_restricted(installations: &Rendered) {
    for (choice, objects) in installations {
        let deployment = &the(objects, "Deployment")["spec"];
        let pod = &deployment["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"], json!({"type": "RuntimeDefault"}));
        for shared in ["hostNetwork", "hostPID", "hostIPC", "initContainers"] {
            assert!(pod.get(shared).is_none(), "{shared}");
        }
        let volumes = pod["volumes"].as_array().unwrap();
        assert_eq!(volumes[0]["configMap"]["name"], the(objects, "ConfigMap")["metadata"]["name"]);
        assert_eq!(volumes.len(), 1 + usize::from(choice.webhook));
        let containers = pod["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 1);
        let container = &containers[0];
        assert_eq!(
            container["securityContext"],
            json!({
                "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": true,
            })
        );
        for (kind, amounts) in [("requests", ["cpu", "memory"].as_slice()), ("limits", &["memory"])] {
            for amount in amounts {
                assert!(container["resources"][kind][amount].is_string(), "{kind}.{amount}");
            }
        }
        let ports = container["ports"].as_array().unwrap();
        assert_eq!(ports[0], json!({"name": "http", "containerPort": 8080}));
        assert_eq!(ports.len(), 1 + usize::from(choice.webhook));
        for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
            assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": "http"}), "{probe}");
        }
        assert!(deployment["replicas"].as_u64() > Some(1), "{choice:?}");
        assert_eq!(pod["topologySpreadConstraints"][0]["topologyKey"], "kubernetes.io/hostname");
    }
}

/// All selectors match the pods, and the NetworkPolicy allows the connections of the controller.
fn everything_around_the_pods_finds_them(installations: &Rendered) {
    for (choice, objects) in installations {
        let deployment = &the(objects, "Deployment")["spec"];
        let labels = &deployment["template"]["metadata"]["labels"];
        let policy = &the(objects, "NetworkPolicy")["spec"];
        let budget = &the(objects, "PodDisruptionBudget")["spec"];
        let service = service(objects);
        let spread = &deployment["template"]["spec"]["topologySpreadConstraints"][0];
        for selector in
            [&deployment["selector"], &policy["podSelector"], &budget["selector"], &spread["labelSelector"]]
        {
            assert_eq!(selector, &json!({"matchLabels": labels}));
        }
        assert_eq!(&service["spec"]["selector"], labels);
        assert_eq!(service["spec"]["ports"], json!([{"name": "http", "port": 8080, "targetPort": "http"}]));
        assert_eq!(budget["maxUnavailable"], 1);
        if choice.service_monitor {
            let monitor = &the(objects, "ServiceMonitor")["spec"];
            assert_eq!(monitor["selector"], json!({"matchLabels": labels}));
            assert_eq!(monitor["endpoints"], json!([{"port": "http", "path": "/metrics"}]));
        }
        assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
        let inner = |port: &str| json!({"ports": [{"port": port, "protocol": "TCP"}]});
        let (http, webhook) = (inner("http"), inner("webhook"));
        let expected = if choice.webhook { json!([http, webhook]) } else { json!([http]) };
        assert_eq!(policy["ingress"], expected);
        let out = policy["egress"].as_array().unwrap();
        let ports = out.iter().flat_map(|rule| rule["ports"].as_array().unwrap());
        let ports: BTreeSet<_> = ports.map(|it| (it["port"].as_u64(), it["protocol"].as_str())).collect();
        let dns = [53, 5353].into_iter().flat_map(|port| [(port, "TCP"), (port, "UDP")]);
        let expected = dns.chain([(443, "TCP"), (6443, "TCP")]);
        assert_eq!(ports, expected.map(|(port, protocol)| (Some(port), Some(protocol))).collect());
    }
}

/// Returns the help of the controller, which a test of the whole workspace has built.
fn help() -> String {
    // Test programs are in a folder below that of the programs.
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join(NAME).with_extension(std::env::consts::EXE_EXTENSION);
    let output = run(Command::new(program).arg("--help"));
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn the_controller_knows_its_flags(installations: &Rendered) {
    let help = help();
    for (choice, objects) in installations {
        let arguments = arguments(objects);
        for argument in &arguments {
            let flag = argument.split('=').next().unwrap();
            assert!(help.split_whitespace().any(|it| it == flag), "{argument}");
        }
        assert!(arguments.contains(&"--leader-elect"));
        assert_eq!(arguments.contains(&"--stamp"), choice.stamp);
        assert_eq!(arguments.contains(&"--report"), choice.report);
        assert_eq!(arguments.contains(&"--webhook"), choice.webhook);
        // Nothing outside of the pod can request the report.
        assert!(argument(objects, "--report-address").is_none());
        assert_eq!(argument(objects, "--namespace").is_some(), choice.namespaced);
        let settings = Path::new(argument(objects, "--settings").unwrap());
        let pod = &the(objects, "Deployment")["spec"]["template"]["spec"];
        let mount = &pod["containers"][0]["volumeMounts"][0];
        assert_eq!(settings.parent().unwrap().to_str(), mount["mountPath"].as_str());
        // A file that is mounted with `subPath` is never updated.
        assert!(mount.get("subPath").is_none());
        let file = settings.file_name().unwrap().to_str().unwrap();
        let text = the(objects, "ConfigMap")["data"][file].as_str().unwrap().to_owned();
        xposer_manifest::settings(file, text).unwrap_or_else(|said| panic!("{said}"));
    }
}

/// Checks the connection from the API server's configuration to the container, and the certificate from its issuer to the files
/// that the controller reads.
fn the_api_server_reaches_the_webhook(installations: &Rendered) {
    let policy = yaml("deploy/kubewarden/cluster-admission-policy.yaml");
    let conditions = policy["spec"]["matchConditions"].as_array().unwrap();
    let asks = conditions.iter().find(|it| it["name"] == "asks-or-speaks-of-xposer").unwrap();
    let help = help();
    for (choice, objects) in installations.iter().filter(|(choice, _)| choice.webhook) {
        let own = choice.namespace();
        let configuration = the(objects, "MutatingWebhookConfiguration");
        let name = configuration["metadata"]["name"].as_str().unwrap();
        let webhooks = configuration["webhooks"].as_array().unwrap();
        assert_eq!(webhooks.len(), 1 + usize::from(choice.guard));
        // The policy has one webhook for all kinds; this one is for Services only.
        let expression = asks["expression"].as_str().unwrap();
        let expression = expression.strip_prefix("request.kind.kind != 'Service' || ").unwrap_or(expression);
        assert_eq!(webhooks[0]["matchConditions"][0]["expression"], expression);
        let services: Vec<_> = of_kind(objects, "Service");
        let service = services.iter().find(|it| it["metadata"]["name"] == name).unwrap();
        let pod = &the(objects, "Deployment")["spec"]["template"];
        let container = &pod["spec"]["containers"][0];
        for webhook in webhooks {
            assert_eq!(
                webhook["clientConfig"],
                json!({"service": {"name": name, "namespace": own, "path": "/validate", "port": 443}})
            );
            assert_eq!(webhook["admissionReviewVersions"], json!(["v1"]));
            assert_eq!(
                (&webhook["sideEffects"], &webhook["failurePolicy"]),
                (&json!("None"), &json!("Ignore"))
            );
            assert!(webhook["timeoutSeconds"].as_u64() <= Some(5));
            let excluded = &webhook["namespaceSelector"]["matchExpressions"][0];
            assert_eq!(excluded["operator"], "NotIn");
            assert_eq!(excluded["values"], json!(["kube-system", own]));
            // The controller's own requests are exempt, also while it does not respond.
            let own = format!("request.userInfo.username != 'system:serviceaccount:{own}:{NAME}'");
            assert_eq!(webhook["matchConditions"].as_array().unwrap().last().unwrap()["expression"], own);
            for rule in webhook["rules"].as_array().unwrap() {
                assert_eq!(rule["operations"], json!(["CREATE", "UPDATE"]));
                assert!(
                    texts(&rule["resources"]).iter().all(|it| !it.contains('*') && !it.contains('/')),
                    "{rule}"
                );
            }
        }
        assert_eq!(service["spec"]["selector"], pod["metadata"]["labels"]);
        assert_eq!(
            service["spec"]["ports"],
            json!([{"name": "webhook", "port": 443, "targetPort": "webhook"}])
        );
        assert_ne!(service["spec"]["clusterIP"], "None", "the API server does not resolve headless Services");
        // The port and the folder are defaults of the program.
        assert_eq!(container["ports"][1], json!({"name": "webhook", "containerPort": 8443}));
        assert!(help.contains("[default: 0.0.0.0:8443]"));
        let folder = container["volumeMounts"][1]["mountPath"].as_str().unwrap();
        for file in ["tls.crt", "tls.key"] {
            assert!(help.contains(&format!("[default: {folder}/{file}]")), "{file}");
        }
        let certificate = the(objects, "Certificate");
        let volume = &pod["spec"]["volumes"][1];
        assert_eq!(
            volume["secret"],
            json!({"secretName": certificate["spec"]["secretName"], "optional": true})
        );
        assert_eq!(certificate["spec"]["dnsNames"], json!([format!("{name}.{own}.svc")]));
        assert_eq!(certificate["spec"]["issuerRef"]["name"], the(objects, "Issuer")["metadata"]["name"]);
        assert_eq!(
            configuration["metadata"]["annotations"]["cert-manager.io/inject-ca-from"],
            format!("{own}/{}", certificate["metadata"]["name"].as_str().unwrap())
        );
    }
}

/// Returns an object without the fields that only helm or only kustomize writes.
fn plain(object: &Value) -> Value {
    let mut object = object.clone();
    let labels = object["metadata"]["labels"].as_object_mut().unwrap();
    for label in ["app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"] {
        labels.remove(label);
    }
    if object["kind"] == "ConfigMap" {
        // The file has an example as a comment, and the value is empty.
        object["data"] = Value::Null;
    }
    let arguments = object.pointer_mut("/spec/template/spec/containers/0/args").and_then(Value::as_array_mut);
    for argument in arguments.into_iter().flatten().filter(|it| *it == "--namespace=$(POD_NAMESPACE)") {
        *argument = "--namespace=shop".into();
    }
    object
}

fn sorted(objects: &[Value]) -> String {
    let objects = objects.iter().filter(|it| it["kind"] != "Namespace");
    let mut texts: Vec<String> = objects.map(|it| xposer_manifest::to_yaml(&plain(it))).collect();
    texts.sort();
    texts.join("---\n")
}

mod compared_with_both {
    use super::*;

    #[test]
    #[ignore = "needs helm and kustomize: make test"]
    fn the_chart_and_the_manifests_are_the_same() {
        for ((choice, chart), (_, manifests)) in CHART.iter().zip(&*MANIFESTS) {
            let (chart, manifests) = (sorted(chart), sorted(manifests));
            assert!(chart == manifests, "{choice:?}:\n{}", golden::difference(&manifests, &chart));
        }
    }
}

#[test]
fn the_versions_are_those_of_the_program() {
    let metadata = yaml("metadata.yml");
    let policy = metadata["annotations"]["io.kubewarden.policy.ociUrl"].as_str().unwrap();
    let image = format!("{}/{NAME}", policy.strip_suffix("/policies/xposer").unwrap());
    let deployment = yaml("deploy/controller/deployment.yaml");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], format!("{image}:v{VERSION}"));
    assert_eq!(yaml("deploy/chart/xposer/values.yaml")["image"]["repository"], image);
    let chart = yaml("deploy/chart/xposer/Chart.yaml");
    assert_eq!((&chart["version"], &chart["appVersion"]), (&json!(VERSION), &json!(VERSION)));
    assert_eq!(chart["home"], metadata["annotations"]["io.kubewarden.policy.url"]);
    assert_eq!(chart["sources"], json!([metadata["annotations"]["io.kubewarden.policy.source"]]));
}

/// Returns the keys of a mapping and of its nested mappings, as paths.
fn paths(value: &Value, before: &str, found: &mut BTreeSet<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = format!("{before}.{key}");
        paths(value, &path, found);
        found.insert(path);
    }
}

#[test]
fn every_value_has_a_schema_and_a_comment() {
    let schema: Value = serde_json::from_str(&text("deploy/chart/xposer/values.schema.json")).unwrap();
    let values = yaml("deploy/chart/xposer/values.yaml");
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&values).map(|it| it.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for (name, part) in schema["properties"].as_object().unwrap() {
        // Helm adds this value to every chart.
        if name == "global" {
            continue;
        }
        let (mut known, mut written) = (BTreeSet::new(), BTreeSet::new());
        paths(&json!({ name: values[name] }), "", &mut written);
        known.insert(format!(".{name}"));
        known.extend(
            part["properties"].as_object().into_iter().flatten().map(|(it, _)| format!(".{name}.{it}")),
        );
        // The Kubernetes API defines the fields of this value.
        if part.get("properties").is_none() {
            written.retain(|path| path.matches('.').count() == 1);
        }
        assert_eq!(known, written);
    }
    let text = text("deploy/chart/xposer/values.yaml");
    let (mut before, mut parent) = ("", "");
    for line in text.lines() {
        if !line.starts_with([' ', '#']) {
            parent = line;
        }
        let is_key = !line.trim_start().starts_with('#') && line.contains(':');
        assert!(
            !is_key || before.trim_start().starts_with('#') || (parent == "resources:" && line != parent),
            "no comment above {line}"
        );
        before = line;
    }
}

mod values_with_helm {
    use super::*;

    #[test]
    #[ignore = "needs helm: make test"]
    fn the_chart_passes_lint() {
        let lint =
            run(Command::new("helm").args(["lint", "--strict"]).arg(workspace().join("deploy/chart/xposer")));
        let message = String::from_utf8(lint.stdout).unwrap();
        assert!(lint.status.success(), "{message}");
    }

    /// Without `--strict`, `helm lint` does not fail at the template function `fail`.
    #[track_caller]
    fn does_not_pass_lint(values: &Value, message: &str) {
        let lint = with_values(&["lint", "--strict"], values);
        let text = String::from_utf8(lint.stdout).unwrap();
        assert!(!lint.status.success() && text.contains(message), "{values}: {text}");
    }

    #[test]
    #[ignore = "needs helm: make test"]
    fn a_misspelt_value_is_refused() {
        for (values, said) in [
            (json!({"replica": 3}), "replica"),
            (json!({"targets": {"httproute": true}}), "httproute"),
            (json!({"watchNamespace": "Shop"}), "watchNamespace"),
            (json!({"image": {"digest": "v1"}}), "digest"),
            (json!({"targets": {"httpRoute": "true"}}), "httpRoute"),
            (json!({"settings": ["domain: example.com"]}), "settings"),
            (json!({"settings": "domain: ["}), "settings: the text is not a mapping in YAML"),
            (json!({"settings": "- domain"}), "settings: the text is not a mapping in YAML"),
            (
                json!({"settings": "kind: ConfigMap\ndata: {target: Route}\n"}),
                "settings: this is a ConfigMap",
            ),
            (json!({"networkPolicy": {"apiServerCIDRs": ["10.0.0.1"]}}), "apiServerCIDRs"),
            (json!({"webhook": {"failurePolicy": "fail"}}), "failurePolicy"),
            (json!({"webhook": {"enabled": true}, "watchNamespace": "shop"}), "watchNamespace is set"),
            (json!({"webhook": {"enabled": true, "certManager": false}}), "webhook.caBundle is empty"),
            (json!({"claims": {"namespace": "Claims"}}), "namespace"),
            (
                json!({"claims": {"enabled": true}, "watchNamespace": "shop"}),
                "a controller of one namespace does not know all hosts",
            ),
        ] {
            let output = helm(NAME, "default", &values);
            let error = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success() && error.contains(said), "{values}: {error}");
            does_not_pass_lint(&values, said);
        }
    }

    #[test]
    #[ignore = "needs helm: make test"]
    fn the_settings_are_passed_on_as_they_are() {
        let mut settings = yaml("examples/settings.yaml");
        settings["monitorProvider"] = json!({"uptimeRobotConfig": {"interval": 1_000_000}});
        settings["annotations"] =
            json!({"text": "true", "lines": "one\ntwo\n", "#": "- {{ .Values.replicas }}"});
        let output = helm(NAME, "default", &json!({"settings": settings}));
        let objects = rendered(&output);
        let text = the(&objects, "ConfigMap")["data"]["settings.yaml"].as_str().unwrap();
        assert_eq!(cases::parse(text).unwrap(), [settings]);
    }

    /// Returns the output of helm at the installation: the objects and the notes.
    fn notes(values: &Value) -> String {
        let output = with_values(&["install", NAME, "--dry-run=client"], values);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the kinds that the controller may write with these values.
    fn written(values: &Value) -> BTreeSet<Kind> {
        let granted = granted(&rendered(&helm(NAME, "default", values)));
        let may = |kind: &Kind| {
            let row = kind.row();
            let has = |it: &[String; 5]| it[1] == kind.group() && it[2] == row.plural && it[4] == "patch";
            granted.iter().any(has)
        };
        Kind::ALL.into_iter().filter(may).filter(|kind| *kind != Kind::ConfigMap).collect()
    }

    #[test]
    #[ignore = "needs helm: make test"]
    fn the_targets_follow_the_settings() {
        let gateway = [Kind::Ingress, Kind::HttpRoute];
        let envoy = [Kind::SecurityPolicy, Kind::BackendTrafficPolicy, Kind::HttpRouteFilter];
        let with_envoy: Vec<Kind> = gateway.into_iter().chain(envoy).collect();
        for (settings, kinds) in [
            (json!({}), &[Kind::Ingress][..]),
            (Value::Null, &[Kind::Ingress]),
            (json!({"target": "HTTPRoute"}), &gateway),
            (json!({"target": "HTTPRoute, Route"}), &[Kind::Ingress, Kind::HttpRoute, Kind::Route]),
            (json!({"target": ["Route", "Ingress"]}), &[Kind::Ingress, Kind::Route]),
            (json!({"profiles": {"a": {"target": "Route"}}}), &[Kind::Ingress, Kind::Route]),
            (json!({"namespaces": {"*": {"monitor": "true"}}}), &[Kind::Ingress, Kind::EndpointMonitor]),
            (json!({"monitor": "false"}), &[Kind::Ingress]),
            (json!({"monitorProvider": {"uptimeRobotConfig": {}}}), &[Kind::Ingress, Kind::EndpointMonitor]),
            (
                json!({"annotations": {"monitor.stakater.com/enabled": "true"}}),
                &[Kind::Ingress, Kind::EndpointMonitor],
            ),
            (json!({"parentRefs": [{"name": "external"}]}), &gateway),
            (json!({"listenerSet": true}), &[Kind::Ingress, Kind::HttpRoute, Kind::ListenerSet]),
            (json!({"defaultController": "traefik"}), &[Kind::Ingress, Kind::Middleware]),
            (json!({"controllers": {"internal": "traefik"}}), &[Kind::Ingress, Kind::Middleware]),
            (json!({"ingressClassName": "traefik-internal"}), &[Kind::Ingress, Kind::Middleware]),
            (
                json!({"ingressClassName": "traefik-internal", "controllers": {"traefik-internal": "contour"}}),
                &[Kind::Ingress],
            ),
            (json!({"ingressClassName": "traefik-nginx"}), &[Kind::Ingress]),
            (
                json!({"annotations": {"kubernetes.io/ingress.class": "traefik"}}),
                &[Kind::Ingress, Kind::Middleware],
            ),
            (json!({"annotations": "traefik"}), &[Kind::Ingress]),
            (json!({"profiles": {"a": {"gatewayController": "envoy-gateway"}}}), with_envoy.as_slice()),
            // The settings as the text of a file.
            (json!("target: HTTPRoute\nprofiles: {}\n"), &gateway),
            // These settings are invalid. The controller reports the errors.
            (
                json!({"target": 1, "profiles": [1], "namespaces": "shop", "controllers": null}),
                &[Kind::Ingress],
            ),
            (json!({"profiles": {"a": 1, "b": null, "c": {"target": {"a": 1}}}}), &[Kind::Ingress]),
        ] {
            let kinds: BTreeSet<Kind> = kinds.iter().copied().collect();
            assert_eq!(written(&json!({"settings": settings})), kinds, "{settings}");
        }
        // Settings as a mapping and as a text become the same file.
        for text in ["# Ours.\ndomain: example.com\n", "  # With blanks before it.\ndomain: example.com\n"] {
            let objects = rendered(&helm(NAME, "default", &json!({"settings": text})));
            assert_eq!(the(&objects, "ConfigMap")["data"]["settings.yaml"].as_str(), Some(text));
        }
    }

    /// The chart reads settings as the core does: the controller may write the objects that the core makes with the settings of the
    /// cases.
    #[test]
    #[ignore = "needs helm: make test"]
    fn chart_permits_all_objects_of_the_core() {
        let mut tried: BTreeMap<BTreeSet<Kind>, usize> = BTreeMap::new();
        for case in cases::all().unwrap() {
            let Ok(text) = fs::read_to_string(case.folder.join("settings.yaml")) else { continue };
            let Ok(settings) = xposer_manifest::settings("settings.yaml", text.clone()) else { continue };
            let kinds = settings.kinds();
            // Only a few of each are tried, because each run of Helm takes a while.
            let count = tried.entry(kinds.clone()).or_default();
            *count += 1;
            if *count <= 3 {
                let written = written(&json!({"settings": text}));
                let missing: Vec<_> =
                    kinds.difference(&written).filter(|kind| **kind != Kind::ConfigMap).collect();
                assert!(missing.is_empty(), "{}: {missing:?}", case.slug);
            }
        }
        assert!(tried.len() > 5, "{tried:?}");
    }

    #[test]
    #[ignore = "needs helm: make test"]
    fn a_target_that_the_settings_ask_for_cannot_be_forbidden() {
        let all = json!({"target": ["Ingress", "HTTPRoute", "Route"], "monitor": true, "listenerSet": true});
        for (name, setting) in [
            ("ingress", "target: Ingress"),
            ("httpRoute", "target: HTTPRoute"),
            ("route", "target: Route"),
            ("endpointMonitor", "monitor: true"),
            ("listenerSet", "listenerSet: true"),
        ] {
            let values = json!({"settings": all, "targets": {name: false}});
            let output = helm(NAME, "default", &values);
            let error = String::from_utf8(output.stderr).unwrap();
            let message = format!(
                "targets.{name} is false, and the settings contain `{setting}`; remove targets.{name}, or change the settings"
            );
            assert!(!output.status.success() && error.contains(&message), "{error}");
            does_not_pass_lint(&values, &message);
        }
        // Kinds that the settings only offer may be forbidden. The notes warn about that.
        let settings = json!({"controllers": {"internal": "traefik"}});
        let message = notes(&json!({"settings": settings, "targets": {"traefik": false, "ingress": false}}));
        let warning = "WARNING: targets.traefik is false, and Services may need it: the settings contain the program traefik.";
        assert!(message.contains(warning), "{message}");
        assert!(message.contains("WARNING: targets.ingress is false"), "{message}");
        let message = notes(&json!({"settings": settings}));
        assert!(!message.contains("WARNING") && message.contains(": ingress, traefik."), "{message}");
    }

    #[test]
    #[ignore = "needs helm: make test"]
    fn claims_namespace_follows_value_or_settings() {
        let enabled = json!({"enabled": true});
        let settings = json!({"claims": {"namespace": "from-settings"}});
        for (values, place) in [
            (json!({"claims": enabled}), "tools"),
            (json!({"claims": enabled, "settings": settings}), "from-settings"),
            (json!({"claims": enabled, "settings": "claims: {namespace: from-settings}\n"}), "from-settings"),
            (json!({"claims": {"enabled": true, "namespace": "own"}, "settings": settings}), "own"),
        ] {
            let granted = granted(&rendered(&helm("blue", "tools", &values)));
            let places: BTreeSet<&str> =
                granted.iter().filter(|it| it[3] == config_map(0)).map(|it| it[0].as_str()).collect();
            assert_eq!(places, BTreeSet::from([place]), "{values}");
        }
    }

    /// The settings decide whether the controller may write claims and what the webhook is asked about. A value overrides that, and the notes warn
    /// about settings and values that then have no effect.
    #[test]
    #[ignore = "needs helm: make test"]
    fn the_claims_and_the_guard_follow_the_settings() {
        let on = json!({"claims": {"namespace": "tools", "mode": "deny"}, "guard": {"mode": "deny", "kinds": ["Ingress"]}});
        let text = "claims: {namespace: tools, mode: off}\nguard: {mode: warn}\n";
        let off = json!({"domain": "example.com"});
        let served = |guard: Value| json!({"enabled": true, "guard": guard});
        let null = Value::Null;
        let no_permission = "claims.enabled is false, and the settings contain `claims`: ";
        let not_asked = "webhook.guard is false, and the settings contain `guard`: ";
        let not_served = "webhook.enabled is false, and the settings contain `guard`: ";
        for (settings, claims, webhook, (writes, guards), warnings) in [
            (json!(on), null.clone(), served(null.clone()), (true, true), &[][..]),
            (json!(text), null.clone(), served(null.clone()), (true, true), &[]),
            (json!(off), null.clone(), served(null.clone()), (false, false), &[]),
            (null.clone(), null.clone(), json!({}), (false, false), &[]),
            // Invalid values, and `off` in each form.
            (json!({"claims": 1, "guard": "deny"}), null.clone(), served(null.clone()), (false, false), &[]),
            (json!("guard: {mode: off}"), null.clone(), served(null.clone()), (false, false), &[]),
            (json!({"guard": {"mode": "off"}}), null.clone(), served(null.clone()), (false, false), &[]),
            (
                json!({"guard": {"kinds": ["Ingress"]}}),
                null.clone(),
                served(null.clone()),
                (false, false),
                &[],
            ),
            (
                json!(on),
                json!({"enabled": false}),
                served(json!(false)),
                (false, false),
                &[no_permission, not_asked],
            ),
            (json!(on), null.clone(), json!({}), (true, false), &[not_served]),
            (json!(on), null.clone(), json!({"guard": false}), (true, false), &[not_served]),
            (
                json!(off),
                json!({"enabled": true}),
                served(json!(true)),
                (true, true),
                &[
                    "claims.enabled is true, and the settings contain no `claims`: ",
                    "webhook.guard is true, and the settings contain no `guard`: ",
                ],
            ),
            (
                json!(on),
                json!({"namespace": "own"}),
                served(null.clone()),
                (true, true),
                &["claims.namespace is own, and the settings contain `claims.namespace: tools`: "],
            ),
        ] {
            let values = json!({"settings": settings, "claims": claims, "webhook": webhook});
            let objects = rendered(&helm(NAME, "tools", &values));
            let granted = granted(&objects);
            let may_write = granted.iter().any(|it| it[3] == config_map(0));
            assert_eq!(granted.iter().any(|it| it[2] == "grpcroutes"), may_write, "{values}");
            let webhooks = of_kind(&objects, "MutatingWebhookConfiguration");
            let webhooks = webhooks.iter().flat_map(|it| it["webhooks"].as_array().unwrap());
            let is_asked = webhooks.filter(|it| it["name"] == "guard.xposer.stakater.com").count() == 1;
            assert_eq!((may_write, is_asked), (writes, guards), "{values}");
            let message = notes(&values);
            let told: Vec<&str> = message.lines().filter_map(|line| line.strip_prefix("WARNING: ")).collect();
            assert_eq!(told.len(), warnings.len(), "{values}: {told:?}");
            for (told, warning) in told.iter().zip(warnings) {
                assert!(told.starts_with(warning), "{values}: {told}");
            }
            let named = message.contains("Its webhook checks Services, and Ingresses and routes");
            assert_eq!(named, is_asked, "{values}: {message}");
        }
        let values = json!({"settings": on, "watchNamespace": "shop"});
        let message = "the settings contain `claims`, and watchNamespace is set; a controller of one namespace does not know all hosts";
        let error = String::from_utf8(helm(NAME, "tools", &values).stderr).unwrap();
        assert!(error.contains(message), "{error}");
        does_not_pass_lint(&values, message);
        // The policy may use the same settings file.
        let values = json!({"settings": on, "watchNamespace": "shop", "claims": {"enabled": false}});
        assert!(helm(NAME, "tools", &values).status.success());
    }

    /// Every other value has its effect on an object.
    #[test]
    #[ignore = "needs helm: make test"]
    fn the_other_values_are_used() {
        let peer =
            json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}});
        let digest = format!("sha256:{}", "0".repeat(64));
        let values = json!({
            "replicas": 1,
            "image": {"repository": "registry.example.com/xposer", "digest": digest, "pullPolicy": "Always"},
            "imagePullSecrets": [{"name": "registry"}],
            "watchNamespace": "shop",
            "logFormat": "text",
            "logLevel": "debug",
            "resources": {"limits": {"memory": "1Gi"}},
            "nodeSelector": {"disk": "fast"},
            "tolerations": [{"operator": "Exists"}],
            "priorityClassName": "important",
            "networkPolicy": {"metricsFrom": [peer], "apiServerCIDRs": ["10.0.0.1/32"], "apiServerPorts": [8443], "dnsPorts": [54]},
            "serviceMonitor": {"enabled": true, "interval": "30s", "labels": {"release": "prometheus"}},
        });
        let objects = rendered(&helm("blue", "tools", &values));
        let deployment = &the(&objects, "Deployment")["spec"];
        let pod = &deployment["template"]["spec"];
        let container = &pod["containers"][0];
        for (found, expected) in [
            (&deployment["replicas"], json!(1)),
            (&container["image"], json!(format!("registry.example.com/xposer@{digest}"))),
            (&container["imagePullPolicy"], json!("Always")),
            (&container["env"][2], json!({"name": "RUST_LOG", "value": "debug"})),
            (
                &container["resources"],
                json!({"limits": {"memory": "1Gi"}, "requests": {"cpu": "10m", "memory": "32Mi"}}),
            ),
            (&pod["imagePullSecrets"], values["imagePullSecrets"].clone()),
            (&pod["nodeSelector"], values["nodeSelector"].clone()),
            (&pod["tolerations"], values["tolerations"].clone()),
            (&pod["priorityClassName"], json!("important")),
        ] {
            assert_eq!(found, &expected);
        }
        let policy = &the(&objects, "NetworkPolicy")["spec"];
        assert_eq!(policy["ingress"][0]["from"], json!([peer]));
        assert_eq!(
            policy["egress"],
            json!([
                {"ports": [{"port": 54, "protocol": "UDP"}, {"port": 54, "protocol": "TCP"}]},
                {"ports": [{"port": 8443, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]},
            ])
        );
        let monitor = the(&objects, "ServiceMonitor");
        assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
        assert_eq!(monitor["spec"]["endpoints"][0]["interval"], "30s");
        // The role is in the namespace of the Services, and the Lease in the namespace of the pods.
        assert_eq!(argument(&objects, "--log-format"), Some("text"));
        assert_eq!(argument(&objects, "--namespace"), Some("shop"));
        assert_eq!(argument(&objects, "--lease-name"), Some("blue-xposer"));
        let granted = granted(&objects);
        let place = |group: &str| {
            let places = granted.iter().filter(|it| it[1] == group).map(|it| it[0].as_str());
            places.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        };
        assert_eq!((place("coordination.k8s.io"), place("networking.k8s.io")), (vec!["tools"], vec!["shop"]));
        let lease: BTreeSet<_> =
            granted.iter().filter(|it| it[2] == "leases").map(|it| it[3].as_str()).collect();
        assert_eq!(lease, BTreeSet::from(["", "blue-xposer"]));

        let values =
            json!({"fullnameOverride": "green", "networkPolicy": {"enabled": false}, "image": {"tag": "v9"}});
        let objects = rendered(&helm("blue", "tools", &values));
        assert!(of_kind(&objects, "NetworkPolicy").is_empty());
        let deployment = the(&objects, "Deployment");
        assert_eq!(deployment["metadata"]["name"], "green");
        let image = deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
        assert!(image.ends_with("/xposer-controller:v9"), "{image}");
    }
}

#[test]
fn the_page_names_every_component() {
    let page = text("deploy/README.md");
    for entry in fs::read_dir(workspace().join("deploy/controller/components")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn the_image_is_built_from_what_there_is() {
    let dockerfile = text("Dockerfile");
    let builder = format!("ARG BUILDER=rust:{}\n", env!("CARGO_PKG_RUST_VERSION"));
    assert!(dockerfile.contains(&builder) && dockerfile.contains("\nUSER 65532:65532\n"));
    // cargo reads the manifest of every member of the workspace, so the build needs all of them.
    let ignored = text(".dockerignore");
    let allowed: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let manifest = text("Cargo.toml");
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = [")).unwrap();
    for member in members.trim_end_matches(']').split(", ").map(|it| it.trim_matches('"')) {
        let prefix = if member == "." { String::new() } else { format!("{member}/") };
        for part in ["Cargo.toml", "src"] {
            assert!(allowed.contains(&format!("{prefix}{part}").as_str()), "{member}: {part}");
        }
    }
    for path in allowed {
        assert!(workspace().join(path).exists(), "{path}");
    }
}
