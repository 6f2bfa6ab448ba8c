//! The API server calls the controller's own admission webhook.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kube::api::{DeleteParams, PostParams};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::cluster::{Cluster, SERVICE, WEBHOOK, eventually};
use crate::controller::Controller;
use crate::scene::{PLAIN, Place, Scene, host, key, service};

/// The name of the webhook. The API server repeats it in refusals and in the audit log.
pub(crate) const NAME: &str = "services.xposer.stakater.com";

/// Issues the certificates of a webhook at 127.0.0.1.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate in PEM form.
    pub(crate) root: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "xposer-e2e");
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), root }
    }

    /// A new certificate and its key.
    pub(crate) fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// The files of a certificate, which are replaced as the kubelet replaces those of a Secret.
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(crate) fn new(scene: &Scene) -> Self {
        let folder = scene.file("tls");
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub(crate) fn certificate(&self) -> String {
        self.folder.join("data/tls.crt").display().to_string()
    }

    pub(crate) fn key(&self) -> String {
        self.folder.join("data/tls.key").display().to_string()
    }

    /// Puts a new folder in the place of the old one, by a link.
    pub(crate) fn write(&self, (certificate, key): (&str, &str)) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let folder = self.folder.join(format!("version-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("tls.crt"), certificate).unwrap();
        fs::write(folder.join("tls.key"), key).unwrap();
        let link = self.folder.join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        fs::rename(link, self.folder.join("data")).unwrap();
    }
}

/// An address of this machine that nobody listens at.
pub(crate) fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The configuration of a webhook for some namespaces. It is removed on drop.
pub(crate) struct Configured<'s> {
    scene: &'s Scene,
    object: Value,
}

impl<'s> Configured<'s> {
    pub(crate) fn new(
        scene: &'s Scene,
        places: &[&Place],
        address: &str,
        root: &str,
        rules: &Value,
        failure_policy: &str,
    ) -> Self {
        let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
        let expression = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": names});
        let bundle = base64(root.as_bytes());
        let object = json!({
            "apiVersion": WEBHOOK.api, "kind": WEBHOOK.name, "metadata": {"name": names[0]},
            "webhooks": [{
                "name": NAME, "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "reinvocationPolicy": "IfNeeded", "timeoutSeconds": 5, "failurePolicy": failure_policy,
                "clientConfig": {"url": format!("https://{address}/validate"), "caBundle": bundle},
                "namespaceSelector": {"matchExpressions": [expression]}, "rules": rules,
            }],
        });
        scene.apply(&object);
        Self { scene, object }
    }

    pub(crate) fn set(&mut self, pointer: &str, value: impl Into<Value>) {
        *self.object.pointer_mut(pointer).unwrap() = value.into();
        self.scene.apply(&self.object);
    }
}

impl Drop for Configured<'_> {
    fn drop(&mut self) {
        let name = self.object["metadata"]["name"].as_str().unwrap();
        self.scene.delete(WEBHOOK, None, name, &DeleteParams::default());
    }
}

pub(crate) fn services() -> Value {
    json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
        "resources": ["services"], "scope": "Namespaced"}])
}

fn base64(bytes: &[u8]) -> String {
    serde_json::to_value(k8s_openapi::ByteString(bytes.to_vec())).unwrap().as_str().unwrap().to_owned()
}

impl Place {
    /// Tries to create an object in this namespace: what is stored or why it is refused, and the warnings.
    pub(crate) fn tries(&self, scene: &Scene, mut object: Value) -> (Result<Value, String>, Vec<String>) {
        object["metadata"]["namespace"] = self.name.as_str().into();
        let (answer, warnings) = scene.try_create(&object, &PostParams::default());
        (answer.map_err(|status| status.message), warnings)
    }

    /// The same as a dry run.
    pub(crate) fn would(&self, scene: &Scene, mut object: Value) -> Result<Value, String> {
        object["metadata"]["namespace"] = self.name.as_str().into();
        let parameters = PostParams { dry_run: true, ..PostParams::default() };
        scene.try_create(&object, &parameters).0.map_err(|status| status.message)
    }
}

/// A Service that is refused.
fn wrong(name: &str) -> Value {
    service(name, &[host("Upper.example.com"), (key("Target"), "Nothing".to_owned())])
}

/// Waits until the API server asks the webhook, or does not.
pub(crate) fn in_force(scene: &Scene, place: &Place) {
    eventually("the webhook is in force", || match place.would(scene, wrong("probe")) {
        Err(said) if said.contains("cannot be exposed") => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
}

fn spawn(scene: &Scene, settings: &str, address: &str, files: &Files) -> Controller {
    let (certificate, key) = (files.certificate(), files.key());
    let words =
        ["--webhook", "--webhook-address", address, "--webhook-cert", &certificate, "--webhook-key", &key];
    scene.controller_as(&scene.identity, settings, &words)
}

const URL: &str = "/metadata/annotations/status.xposer.stakater.com~1url";

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_api_server_asks_the_controller() {
    let scene = Scene::open("webhook");
    let shop = scene.place();
    let (files, authority, address) = (Files::new(&scene), Authority::new(), free());

    // Without a certificate it is not ready, and says why.
    let controller = spawn(&scene, PLAIN, &address, &files);
    controller.says("the webhook waits for its certificate: ");
    eventually("it is not ready because of the certificate", || match controller.ask("/readyz") {
        (503, said) if said.contains("tls.crt: the file cannot be read: No such file") => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    let (certificate, key_of_it) = authority.issue();
    files.write((&certificate, "no key"));
    controller.says("tls.key: there is no private key in PEM form");
    files.write((&certificate, &key_of_it));
    let controller = controller.ready();
    controller.shows("xposer_webhook_certificate_good", &[], 1.0);
    let mut configured = Configured::new(&scene, &[&shop], &address, &authority.root, &services(), "Fail");
    in_force(&scene, &shop);

    // A refusal has every reason.
    let mark = scene.audit_mark();
    let (answer, _) = shop.tries(&scene, wrong("wrong"));
    let said = answer.unwrap_err();
    let start = format!(
        "admission webhook \"{NAME}\" denied the request: Service {}/wrong cannot be exposed, for 2 reasons:\n1. ",
        shop.name
    );
    assert!(said.starts_with(&start) && said.contains("[host-uppercase]"), "{said}");
    eventually("the audit log has the codes", || {
        let lines = scene.audited_since(mark, &format!("{NAME}/codes"));
        lines.iter().any(|line| line.contains("host-uppercase")).then_some(()).ok_or(format!("{lines:?}"))
    });
    // What is accepted has its URL when it is stored.
    let (answer, warnings) = shop.tries(&scene, service("web", &[]));
    let stored = answer.unwrap();
    let url = format!("http://web.{}.e2e.example.com", shop.name);
    assert_eq!(stored.pointer(URL), Some(&json!(url)), "{stored}");
    assert_eq!(warnings, Vec::<String>::new());
    // The user sees the warnings.
    let (answer, warnings) =
        shop.tries(&scene, service("warned", &[(key("IngressURLPaht"), "/x".to_owned())]));
    assert!(answer.is_ok() && warnings.len() == 1, "{answer:?} {warnings:?}");
    assert!(warnings[0].starts_with("299 - \"xposer["), "{warnings:?}");
    // What is not exposed is left alone, and an update is reviewed as well.
    let mut silent = service("silent", &[]);
    silent["metadata"]["labels"] = json!({});
    assert_eq!(shop.tries(&scene, silent).0.unwrap().pointer(URL), None);
    let patch = json!({"metadata": {"annotations": {key("IngressURLTemplate"): "Upper.example.com"}}});
    let said = scene.try_patch(SERVICE, Some(&shop.name), "web", &patch).unwrap_err();
    assert!(said.code == 422 && said.message.contains("[host-uppercase]"), "{said:?}");
    shop.has(["Ingress warned", "Ingress web"]);

    // The settings are those of the file as it is now.
    controller.change_settings("domain: other.example.com");
    eventually("the new domain is in the stamp", || {
        let seen = shop.would(&scene, service("new", &[]))?;
        let url = seen.pointer(URL).and_then(Value::as_str).unwrap_or_default();
        if url.ends_with("other.example.com") { Ok(()) } else { Err(url.to_owned()) }
    });
    controller.change_settings("domian: wrong.example.com");
    controller.shows("xposer_settings_good", &[], 0.0);
    let seen = shop.would(&scene, service("new", &[])).unwrap();
    assert!(seen.pointer(URL).unwrap().as_str().unwrap().ends_with("other.example.com"));
    controller.change_settings(PLAIN);
    controller.shows("xposer_settings_good", &[], 1.0);

    // While requests run, the certificate is renewed, and once by a broken one.
    let (done, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (cluster, namespace, done, asked) = (Cluster::get(), &shop.name, &done, &asked);
            let mut object = service(&format!("busy-{thread}"), &[]);
            object["metadata"]["namespace"] = namespace.as_str().into();
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let parameters = PostParams { dry_run: true, ..PostParams::default() };
                    let (answer, _) = cluster.try_create(&object, &parameters);
                    assert!(answer.unwrap().pointer(URL).is_some());
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..3 {
            let (certificate, key) = authority.issue();
            let before = controller.log().matches("the certificate of the webhook changed").count();
            files.write((&certificate, &key));
            eventually("the new certificate is read", || {
                let now = controller.log().matches("the certificate of the webhook changed").count();
                (now > before).then_some(()).ok_or_else(|| now.to_string())
            });
        }
        files.write((&authority.issue().0, &authority.issue().1));
        controller.says("the certificate of the webhook cannot be used; the one from before stays in force");
        controller.shows("xposer_webhook_certificate_good", &[], 0.0);
        assert_eq!(controller.ask("/readyz").0, 200);
        std::thread::sleep(Duration::from_secs(2));
        let (certificate, key) = authority.issue();
        files.write((&certificate, &key));
        controller.shows("xposer_webhook_certificate_good", &[], 1.0);
        done.store(true, Ordering::Relaxed);
    });
    let asked = asked.into_inner();
    println!("{asked} requests while the certificate was renewed, none failed");
    assert!(asked > 100, "{asked}");
    for (answer, at_least) in [("changed", 100.0), ("refused", 3.0), ("allowed", 1.0)] {
        let label = format!("answer=\"{answer}\"");
        assert!(controller.metric("xposer_webhook_requests_total", &[&label]) >= at_least, "{answer}");
    }
    let invalid = controller.metric("xposer_webhook_requests_total", &["answer=\"invalid\""]);
    assert!(invalid < 0.5, "{invalid}");

    configured.set("/webhooks/0/failurePolicy", "Ignore");
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn a_dead_webhook_refuses_or_lets_through_as_the_configuration_says() {
    let scene = Scene::open("webhook-dead");
    let shop = scene.place();
    let (files, authority, address) = (Files::new(&scene), Authority::new(), free());
    let (certificate, key) = authority.issue();
    files.write((&certificate, &key));
    let mut controller = spawn(&scene, PLAIN, &address, &files).ready();
    let mut configured = Configured::new(&scene, &[&shop], &address, &authority.root, &services(), "Fail");
    in_force(&scene, &shop);
    shop.expose("web", &[]);
    shop.has(["Ingress web"]);

    // A replica that ends still answers for a while, because the API server does not know it yet.
    controller.signal("TERM");
    let began = Instant::now();
    let mut answered = 0;
    while began.elapsed() < Duration::from_secs(4) {
        shop.would(&scene, service("late", &[])).unwrap();
        answered += 1;
    }
    assert_eq!(controller.exits(), Some(0));
    println!("{answered} requests were answered while the controller ended");

    let said = shop.tries(&scene, service("refused", &[])).0.unwrap_err();
    assert!(said.contains(&format!("failed calling webhook \"{NAME}\"")), "{said}");
    configured.set("/webhooks/0/failurePolicy", "Ignore");
    let stored = eventually("Services are let through", || shop.would(&scene, wrong("through")));
    assert_eq!(stored.pointer(URL), None);
    drop(configured);
    scene.end(&[]);
}
