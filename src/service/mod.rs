//! A thin, lenient, borrowed view of a Service: only what the transformation reads.

mod asked;
mod ports;

use serde_json::Value;

use crate::diagnostics::{Code, FieldPath, Problem, Report, Subject, kind_of, scalar};
use asked::Asked;
pub use ports::{Port, PortRef, PortRefError};

/// The label that asks for an Ingress; its value must be exactly `true`.
///
/// ```
/// use serde_json::json;
/// use xposer::{EXPOSE_LABEL, Service};
/// let labelled = |value: &str| json!({"metadata": {"name": "web", "labels": {EXPOSE_LABEL: value}}});
/// assert!(Service::from_value(&labelled("true")).is_exposed());
/// assert!(!Service::from_value(&labelled("True")).is_exposed());
/// ```
pub const EXPOSE_LABEL: &str = "expose";
/// The prefix of the annotations that say how.
///
/// ```
/// use xposer::{CONFIG_PREFIX, FORWARD_ANNOTATION, keys};
/// let others = keys().iter().map(|key| key.annotation).filter(|key| !key.starts_with(CONFIG_PREFIX));
/// assert!(others.eq([FORWARD_ANNOTATION]));
/// ```
pub const CONFIG_PREFIX: &str = "config.xposer.stakater.com/";
/// The annotation that holds the block of annotations to forward; [`request::forward`](crate::options::block) has
/// its form, and [`Annotation`](crate::Annotation) an example.
pub const FORWARD_ANNOTATION: &str = "xposer.stakater.com/annotations";

/// The key in the block that asks for the URL ConfigMap.
pub(crate) const PUBLISH_KEY: &str = "exposeIngressUrl";

/// The prefix of the annotations that are written back; the module `stamp` says how.
pub(crate) const STAMP_PREFIX: &str = "status.xposer.stakater.com/";

/// The annotations by which ExternalDNS publishes a Service under a name.
const DNS_HOSTNAMES: [&str; 2] =
    ["external-dns.alpha.kubernetes.io/hostname", "external-dns.kubernetes.io/hostname"];

/// The beginnings of keys that are read on an Ingress and on no Service (ingress-nginx 1.15, Traefik 3.7, NGINX Ingress Controller
/// 5.5, Application Gateway Ingress Controller 1.8, cert-manager 1.21).
const OF_INGRESSES: [&str; 8] = [
    "nginx.ingress.kubernetes.io/",
    "traefik.ingress.kubernetes.io/router.",
    "nginx.org/",
    "nginx.com/",
    "appgw.ingress.kubernetes.io/",
    "cert-manager.io/issuer",
    "cert-manager.io/cluster-issuer",
    "kubernetes.io/tls-acme",
];

/// What [`Service::from_value`] reads of a document that an API server has accepted: these fields, and nothing beside them.
/// In the fields that an API server drops it only looks for what belongs elsewhere ([`Code::AskedWrongly`]).
///
/// A program that has the document as text and not as a tree may build the tree of these fields alone.
///
/// ```
/// use serde_json::json;
/// use xposer::{READ, Read};
/// let read = |name: &str| READ.iter().find(|(field, _)| *field == name).map(|(_, how)| how);
/// assert!(matches!(read("spec"), Some(Read::Fields(fields)) if fields.iter().any(|(name, _)| *name == "ports")));
/// assert!(read("status").is_none());
/// ```
pub const READ: &[(&str, Read)] = &[
    (
        "metadata",
        Read::Fields(&[
            ("name", Read::Whole),
            ("namespace", Read::Whole),
            ("generateName", Read::Whole),
            ("labels", Read::Whole),
            ("annotations", Read::Whole),
        ]),
    ),
    ("spec", Read::Fields(&[("type", Read::Whole), ("clusterIP", Read::Whole), ("ports", Read::Whole)])),
];

/// How much of a field is read; [`READ`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// All of it.
    Whole,
    /// These fields of it, where it is a mapping; whether it is there at all, where it is none.
    Fields(&'static [(&'static str, Read)]),
}

/// What kind of Service it is, as far as an Ingress cares.
///
/// ```
/// use serde_json::json;
/// use xposer::{Service, ServiceKind};
/// let headless = json!({"metadata": {"name": "db", "labels": {"expose": "true"}}, "spec": {"clusterIP": "None"}});
/// assert_eq!(Service::from_value(&headless).kind(), ServiceKind::Headless);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceKind {
    /// It has a cluster IP: ClusterIP, NodePort, LoadBalancer.
    #[default]
    Routable,
    /// Its cluster IP is `None`.
    Headless,
    /// It is an alias for a DNS name, whatever its cluster IP.
    ExternalName,
}

/// A Service, as far as the transformation reads it. It borrows from the JSON it was read from.
///
/// ```
/// use serde_json::json;
/// use xposer::Service;
/// let value = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]},
///     "metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"}}});
/// let service = Service::from_value(&value);
/// assert!(service.is_exposed());
/// assert_eq!((service.name(), service.namespace()), ("web", Some("shop")));
/// assert_eq!(service.subject().to_string(), "Service shop/web");
/// assert!(service.annotations().is_empty() && service.annotation_bytes() == 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Service<'a> {
    asks: bool,
    name: &'a str,
    namespace: Option<&'a str>,
    kind: ServiceKind,
    /// Our annotations only, in ascending order of their keys.
    annotations: Vec<(&'a str, &'a str)>,
    annotation_bytes: usize,
    /// Those of them that were written back.
    stamp_bytes: usize,
    has_spec: bool,
    ports: Vec<Port<'a>>,
    /// Annotations by which ExternalDNS publishes the Service itself, and their values.
    dns_hostnames: Vec<(&'a str, &'a str)>,
    /// Annotations whose prefix is nearly one of ours.
    nearly_ours: Vec<&'a str>,
    /// Annotations that only controllers of Ingresses read, on an Ingress.
    of_ingresses: Vec<&'a str>,
    /// Our annotations whose value is no string.
    broken: Vec<&'a str>,
    /// Whether the annotations as a whole cannot be read.
    unusable: bool,
    problems: Vec<(FieldPath, Problem)>,
    /// What looks as if it asked and does not, and what stands where nobody reads it.
    doubts: Vec<(FieldPath, Problem)>,
}

/// Whether a document is a Kubernetes Service (`v1`, and not, say, Knative's).
///
/// ```
/// use serde_json::json;
/// assert!(xposer::is_service(&json!({"apiVersion": "v1", "kind": "Service"})));
/// assert!(!xposer::is_service(&json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service"})));
/// ```
#[must_use]
pub fn is_service(document: &Value) -> bool {
    let is = |key: &str, wanted: &str| document.get(key).and_then(Value::as_str) == Some(wanted);
    is("kind", "Service") && is("apiVersion", "v1")
}

impl<'a> Service<'a> {
    /// Looks at a Service. This never fails: the name, the namespace, our annotations, the annotations as a whole,
    /// ports and port numbers of the wrong type become Errors of the report that [`expose`](crate::expose) gives, all
    /// at once, and only if the Service asks to be exposed. Other fields of the wrong type count as not given.
    ///
    /// Of a Service that does not ask, only the name and the namespace are read, and whether it looks as if it meant to ask
    /// ([`Code::AskedWrongly`]). Whether the document is a Service at all, [`is_service`] says.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Service, Settings, expose};
    /// let broken = json!({"metadata": {"name": 7, "labels": {"expose": "true"}},
    ///     "spec": {"ports": [{"port": "80"}]}});
    /// let outcome = expose(&Service::from_value(&broken), &Settings::default());
    /// let said = outcome.report().map(ToString::to_string).unwrap_or_default();
    /// assert!(said.contains("metadata.name: expected a string, found the number 7"));
    /// assert!(said.contains("spec.ports[0].port: expected a number, found the text `80`"));
    /// ```
    #[must_use]
    pub fn from_value(document: &'a Value) -> Self {
        let mut service = Self::default();
        let metadata = document.get("metadata");
        match metadata.and_then(|metadata| metadata.get("labels")).and_then(|labels| labels.get(EXPOSE_LABEL))
        {
            Some(Value::String(value)) if value == "true" => service.asks = true,
            // `expose: true` without quotes: the API server refuses it, and silence would be a riddle.
            Some(Value::Bool(true)) => {
                service.asks = true;
                service.problems.push((
                    FieldPath::label(EXPOSE_LABEL),
                    Problem::new(Code::FieldType, "expected a string, found the boolean true")
                        .help("put quotes around it: expose: \"true\"")
                        .propose("true"),
                ));
            }
            _ => {}
        }
        if let Some(metadata) = metadata {
            service.name = service.text(metadata, "name", true).unwrap_or_default();
            service.namespace = service.text(metadata, "namespace", false).filter(|name| !name.is_empty());
        }
        service.doubts = doubts(document, service.asks);
        if !service.asks {
            return service;
        }
        let labels = metadata.and_then(|metadata| metadata.get("labels")).and_then(Value::as_object);
        for (key, value) in labels.into_iter().flatten() {
            // That a key of ours is no label is told already.
            if key != EXPOSE_LABEL && !is_ours(key) {
                service.require_text(&["metadata", "labels"], key, value);
            }
        }
        let generated = metadata.and_then(|metadata| metadata.get("generateName")).and_then(Value::as_str);
        service.require_name(generated);
        if let Some(annotations) = metadata.and_then(|metadata| metadata.get("annotations")) {
            service.read_annotations(annotations);
        }
        if let Some(spec) = document.get("spec") {
            service.has_spec = true;
            service.read_spec(spec);
        }
        service
    }

    fn require_name(&mut self, generated: Option<&str>) {
        if !self.name.is_empty()
            || self.problems.iter().any(|(_, problem)| problem.code == Code::ServiceNameInvalid)
        {
            return;
        }
        let (path, said, help): (&'static [&'static str], _, _) = match generated {
            Some(start) if !start.is_empty() => (
                &["metadata", "generateName"],
                "the name of the Service is not known before the API server makes it up, and what is made of it is not either",
                "set metadata.name instead",
            ),
            _ => (&["metadata"], "the Service has no name", "set metadata.name"),
        };
        self.problems
            .push((FieldPath::object(path), Problem::new(Code::ServiceNameInvalid, said).help(help)));
    }

    fn text(&mut self, metadata: &'a Value, key: &'static str, required: bool) -> Option<&'a str> {
        match metadata.get(key) {
            Some(Value::String(text)) => Some(text),
            None | Some(Value::Null) => None,
            Some(other) => {
                let code = if required { Code::ServiceNameInvalid } else { Code::NamespaceInvalid };
                let said = format!("expected a string, found {}", kind_of(other));
                let problem = Problem::new(code, said).help("put quotes around it");
                self.problems.push((FieldPath::object(&["metadata"]).key(key), problem));
                None
            }
        }
    }

    fn read_annotations(&mut self, annotations: &'a Value) {
        let path = FieldPath::object(&["metadata", "annotations"]);
        let Value::Object(annotations) = annotations else {
            if !annotations.is_null() {
                let said = format!("expected a mapping, found {}", kind_of(annotations));
                self.problems
                    .push((path, Problem::new(Code::FieldType, said).help("write `key: value` pairs")));
                self.unusable = true;
            }
            return;
        };
        for (key, value) in annotations {
            self.count_annotation(key, value.as_str().unwrap_or_default());
            let is_text = self.require_text(&["metadata", "annotations"], key, value);
            if !is_ours(key) {
                continue;
            }
            match value {
                Value::String(text) => self.annotations.push((key, text)),
                _ if is_text => {}
                _ => self.broken.push(key),
            }
        }
        // serde_json keeps keys in order unless a program asks it to keep them as written.
        self.annotations.sort_by_key(|(key, _)| *key);
    }

    /// An API server takes texts as labels and annotations, and `null` for an empty one. Whether the value is one.
    fn require_text(&mut self, path: &'static [&'static str], key: &str, value: &Value) -> bool {
        let help = match value {
            Value::String(_) | Value::Null => return true,
            // It is told where the keys in it belong.
            Value::Object(inner) if !asked::keys_inside(key, inner).is_empty() => return false,
            Value::Object(_) | Value::Array(_) if !is_ours(key) => "write a text, or remove it",
            _ => "put quotes around it",
        };
        let said = format!("expected a string, found {}", kind_of(value));
        let mut problem = Problem::new(Code::FieldType, said).help(help);
        if let Some(text) = scalar(value) {
            problem = problem.propose(text);
        }
        self.problems.push((FieldPath::object(path).key(key.to_owned()), problem));
        false
    }

    fn count_annotation(&mut self, key: &'a str, value: &'a str) {
        let bytes = key.len() + value.len();
        self.annotation_bytes += bytes;
        if key.starts_with(STAMP_PREFIX) {
            self.stamp_bytes += bytes;
        } else if DNS_HOSTNAMES.contains(&key) {
            self.dns_hostnames.push((key, value));
        } else if is_nearly_ours(key) {
            self.nearly_ours.push(key);
        } else if is_of_ingresses(key) {
            self.of_ingresses.push(key);
        }
    }

    fn read_spec(&mut self, spec: &'a Value) {
        let is = |key: &str, wanted: &str| spec.get(key).and_then(Value::as_str) == Some(wanted);
        if is("type", "ExternalName") {
            self.kind = ServiceKind::ExternalName;
        } else if is("clusterIP", "None") {
            self.kind = ServiceKind::Headless;
        }
        match spec.get("ports") {
            None | Some(Value::Null) => {}
            Some(Value::Array(ports)) => {
                for (index, port) in ports.iter().enumerate() {
                    let port = self.read_port(port, index);
                    self.ports.push(port);
                }
            }
            Some(other) => {
                let said = format!("expected a list, found {}", kind_of(other));
                let problem = Problem::new(Code::FieldType, said).help("write a list of ports");
                self.problems.push((FieldPath::object(&["spec", "ports"]), problem));
            }
        }
    }

    /// The number, or 0 and a problem where it is no port.
    fn port_number(&mut self, value: Option<u16>, written: &dyn std::fmt::Display, index: usize) -> u16 {
        if let Some(number) = value.filter(|number| *number > 0) {
            return number;
        }
        let path = FieldPath::object(&["spec", "ports"]).index(index).key("port");
        let said = format!("the port {written} is not between 1 and 65535");
        self.problems.push((path, Problem::new(Code::PortInvalid, said).help("correct the port")));
        0
    }

    fn read_port(&mut self, port: &'a Value, index: usize) -> Port<'a> {
        let path = || FieldPath::object(&["spec", "ports"]).index(index);
        let Value::Object(fields) = port else {
            let problem =
                Problem::new(Code::FieldType, format!("expected a mapping, found {}", kind_of(port)));
            self.problems.push((path(), problem.help("write `port:` and the number")));
            return Port { name: None, number: 0, tcp: true };
        };
        let number = match fields.get("port") {
            Some(Value::Number(number)) => {
                let value = number.as_u64().and_then(|number| u16::try_from(number).ok());
                self.port_number(value, number, index)
            }
            Some(other) => {
                let said = format!("expected a number, found {}", kind_of(other));
                let problem = Problem::new(Code::FieldType, said).help("write the number without quotes");
                self.problems.push((path().key("port"), problem));
                0
            }
            None => {
                let problem = Problem::new(Code::PortInvalid, "the port has no number").help("add `port:`");
                self.problems.push((path(), problem));
                0
            }
        };
        let text = |key: &str| port.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        Port { name: text("name"), number, tcp: text("protocol").is_none_or(|protocol| protocol == "TCP") }
    }

    /// Whether the Service asks to be exposed: its label `expose` is exactly `true`. The boolean `true`, without
    /// quotes, asks as well, and is an Error.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.asks
    }

    /// The name; empty where it names none.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The namespace, if it names one.
    #[must_use]
    pub fn namespace(&self) -> Option<&'a str> {
        self.namespace
    }

    /// Says which namespace a Service is in that names none itself; an empty text says nothing.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Service;
    /// let (bare, placed) = (json!({"metadata": {}}), json!({"metadata": {"namespace": "shop"}}));
    /// assert_eq!(Service::from_value(&bare).with_default_namespace("tools").namespace(), Some("tools"));
    /// assert_eq!(Service::from_value(&placed).with_default_namespace("tools").namespace(), Some("shop"));
    /// ```
    #[must_use]
    pub fn with_default_namespace(mut self, namespace: &'a str) -> Self {
        self.namespace = self.namespace.or(Some(namespace).filter(|name| !name.is_empty()));
        self
    }

    /// What kind of Service it is.
    #[must_use]
    pub fn kind(&self) -> ServiceKind {
        self.kind
    }

    /// Whether there is a `spec` at all.
    pub(crate) fn has_spec(&self) -> bool {
        self.has_spec
    }

    /// The ports, in order; none where [`Service::from_value`] read a Service that does not ask.
    #[must_use]
    pub fn ports(&self) -> &[Port<'a>] {
        &self.ports
    }

    /// The port that is meant: of several with this number or name, the one that speaks TCP.
    pub(crate) fn port(&self, wanted: &PortRef) -> Option<&Port<'a>> {
        let is_wanted = |port: &&Port<'_>| match wanted {
            PortRef::Number(number) => port.number == *number,
            PortRef::Name(name) => port.name == Some(name),
        };
        // The same number may stand there for UDP, too.
        self.ports
            .iter()
            .filter(|port| port.tcp)
            .find(is_wanted)
            .or_else(|| self.ports.iter().find(is_wanted))
    }

    /// The annotations that are ours, in ascending order of their keys: those whose key starts with [`CONFIG_PREFIX`],
    /// and [`FORWARD_ANNOTATION`]. None where [`Service::from_value`] read a Service that does not ask.
    #[must_use]
    pub fn annotations(&self) -> &[(&'a str, &'a str)] {
        &self.annotations
    }

    /// The bytes of all annotations, keys and values, also those that are not ours; 0 where [`Service::from_value`]
    /// read a Service that does not ask.
    #[must_use]
    pub fn annotation_bytes(&self) -> usize {
        self.annotation_bytes
    }

    /// The bytes of those annotations that were written back.
    pub(crate) fn stamp_bytes(&self) -> usize {
        self.stamp_bytes
    }

    /// The annotations by which ExternalDNS publishes the Service itself, and their values.
    pub(crate) fn dns_hostnames(&self) -> &[(&'a str, &'a str)] {
        &self.dns_hostnames
    }

    /// Annotations whose prefix is nearly one of ours.
    pub(crate) fn nearly_ours(&self) -> &[&'a str] {
        &self.nearly_ours
    }

    /// The annotations that only controllers of Ingresses read, on an Ingress.
    pub(crate) fn of_ingresses(&self) -> &[&'a str] {
        &self.of_ingresses
    }

    /// Our annotations that are there and cannot be read.
    pub(crate) fn broken(&self) -> &[&'a str] {
        &self.broken
    }

    /// Whether so much is wrong that asking further would only repeat it.
    pub(crate) fn is_unusable(&self) -> bool {
        self.unusable
    }

    /// Who this is, for diagnostics: the kind `Service`, the namespace and the name.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject {
            kind: "Service".into(),
            namespace: self.namespace.unwrap_or_default().to_owned(),
            name: self.name.to_owned(),
        }
    }

    /// Files what was wrong with the fields.
    pub(crate) fn file_problems(&self, report: &mut Report) {
        for (path, problem) in self.problems.iter().chain(&self.doubts) {
            report.file(path.clone(), problem.clone());
        }
    }

    /// What makes it look as if it asked, where it does not; `None` where there is nothing of the kind.
    pub(crate) fn doubts(&self) -> Option<Report> {
        if self.doubts.is_empty() {
            return None;
        }
        // Never an Error: who takes the label away must not be refused.
        let mut report = Report::new(self.subject(), false);
        for (path, problem) in &self.doubts {
            report.file(path.clone(), problem.clone());
        }
        Some(report)
    }
}

/// Whether a key is one that its program reads on an Ingress and on no Service. Other controllers, such as those of HAProxy,
/// Traefik and AWS, read some of their keys on Services.
fn is_of_ingresses(key: &str) -> bool {
    OF_INGRESSES.iter().any(|prefix| key.starts_with(prefix))
}

/// What a document says to us in a way that nobody reads.
fn doubts(document: &Value, asks: bool) -> Vec<(FieldPath, Problem)> {
    let mut asked = Asked::default();
    let inside = |field: &str| document.get("metadata").and_then(|metadata| metadata.get(field));
    match inside("labels") {
        Some(Value::Object(labels)) => labels.iter().for_each(|(key, value)| asked.label(key, value)),
        Some(other) => asked.no_mapping(&["metadata", "labels"], other),
        None => {}
    }
    match inside("annotations").filter(|_| !asks) {
        Some(Value::Object(annotations)) => {
            annotations.iter().for_each(|(key, value)| asked.annotation(key, value));
        }
        Some(other) => asked.no_mapping(&["metadata", "annotations"], other),
        None => {}
    }
    asked.fields(document);
    if asked.is_silent(asks) { Vec::new() } else { asked.findings(asks) }
}

#[cfg(feature = "k8s-openapi")]
impl<'a> Service<'a> {
    /// Looks at a typed Service, and sees what [`Service::from_value`] sees in its JSON.
    ///
    /// ```
    /// use k8s_openapi::api::core::v1::Service;
    /// let mut service = Service::default();
    /// service.metadata.name = Some("web".to_owned());
    /// assert_eq!(xposer::Service::from_typed(&service).name(), "web");
    /// ```
    #[must_use]
    pub fn from_typed(service: &'a k8s_openapi::api::core::v1::Service) -> Self {
        let metadata = &service.metadata;
        let expose = metadata.labels.as_ref().and_then(|labels| labels.get(EXPOSE_LABEL));
        let mut view = Self {
            asks: expose.is_some_and(|value| value == "true"),
            name: metadata.name.as_deref().unwrap_or_default(),
            namespace: metadata.namespace.as_deref().filter(|name| !name.is_empty()),
            ..Self::default()
        };
        let mut asked = Asked::default();
        for (key, value) in metadata.labels.iter().flatten() {
            asked.label(key, value);
        }
        if !view.asks {
            for (key, value) in metadata.annotations.iter().flatten() {
                asked.annotation(key, value);
            }
        }
        view.doubts = asked.findings(view.asks);
        if !view.asks {
            return view;
        }
        view.require_name(metadata.generate_name.as_deref());
        for (key, value) in metadata.annotations.iter().flatten() {
            view.count_annotation(key, value);
            if is_ours(key) {
                view.annotations.push((key, value));
            }
        }
        if let Some(spec) = &service.spec {
            view.has_spec = true;
            if spec.type_.as_deref() == Some("ExternalName") {
                view.kind = ServiceKind::ExternalName;
            } else if spec.cluster_ip.as_deref() == Some("None") {
                view.kind = ServiceKind::Headless;
            }
            for (index, port) in spec.ports.iter().flatten().enumerate() {
                let number = view.port_number(u16::try_from(port.port).ok(), &port.port, index);
                let protocol = port.protocol.as_deref().filter(|protocol| !protocol.is_empty());
                view.ports.push(Port {
                    name: port.name.as_deref().filter(|name| !name.is_empty()),
                    number,
                    tcp: protocol.is_none_or(|protocol| protocol == "TCP"),
                });
            }
        }
        view
    }
}

/// Whether the value of an annotation with this key is looked at; of all others, only the length counts.
///
/// ```
/// use xposer::{FORWARD_ANNOTATION, reads_annotation};
/// assert!(reads_annotation(FORWARD_ANNOTATION));
/// assert!(!reads_annotation("kubectl.kubernetes.io/last-applied-configuration"));
/// ```
#[must_use]
pub fn reads_annotation(key: &str) -> bool {
    is_ours(key) || key.starts_with(STAMP_PREFIX) || DNS_HOSTNAMES.contains(&key) || is_nearly_ours(key)
}

/// Whether a label with this key is looked at, though perhaps only to say that it belongs elsewhere.
///
/// ```
/// use xposer::{EXPOSE_LABEL, reads_label};
/// assert!(reads_label(EXPOSE_LABEL) && reads_label("config.xposer.stakater.com/TLS"));
/// assert!(!reads_label("app.kubernetes.io/name"));
/// ```
#[must_use]
pub fn reads_label(key: &str) -> bool {
    key == EXPOSE_LABEL || is_ours(key)
}

/// Whether a key has one of our two prefixes, in whatever case: a misspelt key is told, not ignored.
fn is_ours(key: &str) -> bool {
    // Of practically all keys of others, the first letter tells.
    if !matches!(key.as_bytes().first(), Some(b'c' | b'C' | b'x' | b'X')) {
        return false;
    }
    let has = |prefix: &str| key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    has(CONFIG_PREFIX) || has(FORWARD_PREFIX)
}

/// Whether a key has a prefix that is written nearly as one of our two.
fn is_nearly_ours(key: &str) -> bool {
    /// How many letters may be wrong: `.io` is two of `.com`.
    const SLIPS: usize = 3;
    let Some((prefix, _)) = key.split_once('/') else { return false };
    // Of practically all keys of others, the length or a part of the name tells.
    let is_near = |ours: &str| {
        let ours = ours.trim_end_matches('/');
        prefix.len().abs_diff(ours.len()) <= SLIPS && strsim::osa_distance(prefix, ours) <= SLIPS
    };
    !is_ours(key) && (is_near(CONFIG_PREFIX) || is_near(FORWARD_PREFIX))
}

/// The prefix of [`FORWARD_ANNOTATION`].
const FORWARD_PREFIX: &str = "xposer.stakater.com/";
