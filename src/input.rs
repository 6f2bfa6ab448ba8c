//! A thin, lenient, borrowed view of a Service: only what the transformation reads.

use serde_json::{Map, Value};

use crate::diag::{Code, FieldPath, Problem, Report, Subject, shown};

/// The label that asks for an Ingress; its value must be exactly `true`.
pub const EXPOSE_LABEL: &str = "expose";
/// The prefix of the annotations that say how.
pub const CONFIG_PREFIX: &str = "config.xposer.stakater.com/";
/// The annotation that holds the block of annotations to forward.
pub const FORWARD_ANNOTATION: &str = "xposer.stakater.com/annotations";

/// A port of a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port<'a> {
    /// The name, if it has one.
    pub name: Option<&'a str>,
    /// The number; 0 where it is missing or out of range.
    pub number: u16,
    /// Whether the protocol is TCP, which it is where none is given.
    pub tcp: bool,
}

/// What kind of Service it is, as far as an Ingress cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceKind {
    /// It has a cluster IP: ClusterIP, NodePort, LoadBalancer.
    #[default]
    Routable,
    /// Its cluster IP is `None`.
    Headless,
    /// It is an alias for a DNS name.
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
/// assert!(service.asks());
/// assert_eq!((service.name(), service.namespace()), ("web", Some("shop")));
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
    has_spec: bool,
    ports: Vec<Port<'a>>,
    problems: Vec<(FieldPath, Problem)>,
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
    /// Looks at a Service. This never fails: fields of the wrong type become Errors of the report that
    /// [`expose`](crate::expose) gives, all at once, and only if the Service asks to be exposed.
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
        if !service.asks {
            return service;
        }
        service.require_name();
        if let Some(annotations) = metadata.and_then(|metadata| metadata.get("annotations")) {
            service.read_annotations(annotations);
        }
        if let Some(spec) = document.get("spec") {
            service.has_spec = true;
            service.read_spec(spec);
        }
        service
    }

    fn require_name(&mut self) {
        if self.name.is_empty()
            && self.problems.iter().all(|(_, problem)| problem.code != Code::ServiceNameInvalid)
        {
            let problem =
                Problem::new(Code::ServiceNameInvalid, "the Service has no name").help("set metadata.name");
            self.problems.push((FieldPath::object(&["metadata"]), problem));
        }
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
            }
            return;
        };
        for (key, value) in annotations {
            self.annotation_bytes += key.len() + value.as_str().map_or(0, str::len);
            if !is_ours(key) {
                continue;
            }
            match value {
                Value::String(text) => self.annotations.push((key, text)),
                Value::Null => {}
                other => {
                    let said = format!("expected a string, found {}", kind_of(other));
                    let mut problem = Problem::new(Code::FieldType, said).help("put quotes around it");
                    if !other.is_array() && !other.is_object() {
                        problem = problem.propose(other.to_string());
                    }
                    self.problems.push((path.clone().key(key.clone()), problem));
                }
            }
        }
        // serde_json keeps keys in order unless a program asks it to keep them as written.
        if !self.annotations.is_sorted() {
            self.annotations.sort_unstable();
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

    fn read_port(&mut self, port: &'a Value, index: usize) -> Port<'a> {
        let path = || FieldPath::object(&["spec", "ports"]).index(index);
        let empty = Map::new();
        let fields = port.as_object().unwrap_or(&empty);
        let number = match fields.get("port") {
            Some(Value::Number(number)) => {
                let value = number.as_u64().and_then(|number| u16::try_from(number).ok()).unwrap_or(0);
                if value == 0 {
                    let said = format!("the port {number} is not between 1 and 65535");
                    self.problems.push((
                        path().key("port"),
                        Problem::new(Code::PortInvalid, said).help("correct the port"),
                    ));
                }
                value
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

    /// Whether the Service asks to be exposed: its label `expose` is exactly `true`.
    #[must_use]
    pub fn asks(&self) -> bool {
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

    /// Says which namespace a Service is in that names none itself.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &'a str) -> Self {
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

    /// The ports, in order.
    #[must_use]
    pub fn ports(&self) -> &[Port<'a>] {
        &self.ports
    }

    /// The annotations whose key has one of our two prefixes, in ascending order of their keys.
    #[must_use]
    pub fn annotations(&self) -> &[(&'a str, &'a str)] {
        &self.annotations
    }

    /// The bytes of all annotations, keys and values, also those that are not ours.
    #[must_use]
    pub fn annotation_bytes(&self) -> usize {
        self.annotation_bytes
    }

    /// Who this is, for diagnostics.
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
        for (path, problem) in &self.problems {
            report.file(path.clone(), problem.clone());
        }
    }
}

#[cfg(feature = "k8s-openapi")]
impl<'a> Service<'a> {
    /// Looks at a typed Service.
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
        let annotations = metadata.annotations.as_ref();
        let spec = service.spec.as_ref();
        let mut view = Self {
            asks: expose.is_some_and(|value| value == "true"),
            name: metadata.name.as_deref().unwrap_or_default(),
            namespace: metadata.namespace.as_deref().filter(|name| !name.is_empty()),
            annotations: annotations
                .into_iter()
                .flatten()
                .filter(|(key, _)| is_ours(key))
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            annotation_bytes: annotations
                .into_iter()
                .flatten()
                .map(|(key, value)| key.len() + value.len())
                .sum(),
            ..Self::default()
        };
        if let Some(spec) = spec {
            view.has_spec = true;
            if spec.type_.as_deref() == Some("ExternalName") {
                view.kind = ServiceKind::ExternalName;
            } else if spec.cluster_ip.as_deref() == Some("None") {
                view.kind = ServiceKind::Headless;
            }
            view.ports = spec
                .ports
                .iter()
                .flatten()
                .map(|port| Port {
                    name: port.name.as_deref().filter(|name| !name.is_empty()),
                    number: u16::try_from(port.port).unwrap_or(0),
                    tcp: port
                        .protocol
                        .as_deref()
                        .is_none_or(|protocol| protocol.is_empty() || protocol == "TCP"),
                })
                .collect();
        }
        view.require_name();
        view
    }
}

fn is_ours(key: &str) -> bool {
    key.starts_with(CONFIG_PREFIX) || key == FORWARD_ANNOTATION
}

/// The type and value of a JSON value, for a message.
pub(crate) fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {}", shown(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}
