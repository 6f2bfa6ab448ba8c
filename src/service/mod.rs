//! A lenient, borrowed view of a Service: the fields that the transformation reads.

mod hints;
pub(crate) mod keys;
mod ports;
#[cfg(feature = "k8s-openapi")]
mod typed;

use std::fmt::Display;

use serde_json::Value;

use crate::diagnostics::{Code, FieldPath, Problem, Report, Subject, kind_of, scalar};
use crate::dialect::{external_dns, is_for_ingress, is_for_service};
use hints::Hints;
pub use keys::{
    ADOPT_ANNOTATION, CONFIG_PREFIX, EXPOSE_LABEL, FORWARD_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL,
    SERVICE_LABEL,
};
pub(crate) use keys::{PUBLISH_KEY, STAMP_PREFIX};
use keys::{is_nearly_ours, is_ours};
pub use ports::{Port, PortRef, PortRefError};

/// Problems, each with the place it is about.
type LocatedProblems = Vec<(FieldPath, Problem)>;

/// The kind of Service, as far as it matters for exposing it.
///
/// ```
/// use serde_json::json;
/// use xposer::service::ServiceKind;
/// use xposer::Service;
/// let headless = json!({"metadata": {"name": "db", "labels": {"expose": "true"}}, "spec": {"clusterIP": "None"}});
/// assert_eq!(Service::from_value(&headless).kind(), ServiceKind::Headless);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceKind {
    /// The Service has a cluster IP: ClusterIP, NodePort, LoadBalancer.
    #[default]
    Routable,
    /// The cluster IP of the Service is `None`.
    Headless,
    /// The Service is an alias for a DNS name, whatever its cluster IP.
    ExternalName,
}

impl ServiceKind {
    fn new(kind: Option<&str>, cluster_ip: Option<&str>) -> Self {
        match (kind, cluster_ip) {
            (Some("ExternalName"), _) => Self::ExternalName,
            (_, Some("None")) => Self::Headless,
            _ => Self::Routable,
        }
    }
}

/// A Service, as far as the transformation reads it. It borrows from the JSON document it was read from.
///
/// ```
/// use xposer::{Service, testing};
/// let value = testing::service(&[]);
/// let service = Service::from_value(&value);
/// assert!(service.is_exposed());
/// assert_eq!((service.name(), service.namespace()), ("web", Some("shop")));
/// assert_eq!(service.subject().to_string(), "Service shop/web");
/// assert!(service.annotations().is_empty() && service.annotation_bytes() == 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Service<'a> {
    is_exposed: bool,
    name: &'a str,
    namespace: Option<&'a str>,
    kind: ServiceKind,
    annotations: Vec<(&'a str, &'a str)>,
    annotation_bytes: usize,
    created: Option<i64>,
    ports: Vec<Port<'a>>,
    /// The size of the annotations that Xposer wrote back, in bytes.
    pub(crate) stamp_bytes: usize,
    /// Whether the document has a `spec`.
    pub(crate) has_spec: bool,
    /// The fields that decide which address ExternalDNS publishes for the Service itself, and which load balancer serves it.
    pub(crate) address_fields: Vec<&'a str>,
    /// The annotations that ExternalDNS reads on the Service itself, and their values.
    pub(crate) dns_annotations: Vec<(&'a str, &'a str)>,
    /// Annotations whose prefix is a misspelling of a prefix of Xposer, and their values.
    pub(crate) misspelt_prefixes: Vec<(&'a str, &'a str)>,
    /// Annotations that take effect on an Ingress and not on a Service, and their values.
    pub(crate) ingress_annotations: Vec<(&'a str, &'a str)>,
    /// The annotations that an Ingress controller reads on the Service, and their values.
    pub(crate) controller_annotations: Vec<(&'a str, &'a str)>,
    /// The annotations of Xposer whose value is no string.
    pub(crate) non_string_keys: Vec<&'a str>,
    /// Whether the annotations as a whole cannot be read. Then missing options are a consequence, and are not reported.
    pub(crate) has_unreadable_annotations: bool,
    /// Whether the ports are no list, which is reported.
    pub(crate) has_unreadable_ports: bool,
    problems: LocatedProblems,
    /// The reason why the Service is not exposed although its author probably wants it to be, and keys of Xposer in fields that are
    /// not read.
    hints: LocatedProblems,
}

/// Whether a document is a Kubernetes Service (`v1`, and not that of Knative).
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

fn port_path(index: usize) -> FieldPath {
    FieldPath::object(&["spec", "ports"]).index(index)
}

impl<'a> Service<'a> {
    /// Reads a Service. This never fails. If the Service requests exposure, values of the wrong type become Errors of the report
    /// that [`expose`](crate::expose) returns, all at once: in the name, the namespace, the annotations of Xposer, the annotations
    /// as a whole, the ports and the port numbers. Other fields of the wrong type count as missing.
    ///
    /// Of other Services, only the name and the namespace are read, and whether the author probably wants them exposed
    /// ([`Code::AskedWrongly`]). [`is_service`] tells whether a document is a Service.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Service, Settings, expose};
    /// let broken = json!({"metadata": {"name": 7, "labels": {"expose": "true"}},
    ///     "spec": {"ports": [{"port": "80"}]}});
    /// let outcome = expose(&Service::from_value(&broken), &Settings::default());
    /// let report = outcome.report().map(ToString::to_string).unwrap_or_default();
    /// assert!(report.contains("metadata.name: expected a string, found the number 7"));
    /// assert!(report.contains("spec.ports[0].port: expected a number, found the text `80`"));
    /// ```
    #[must_use]
    pub fn from_value(document: &'a Value) -> Self {
        let mut service = Self::default();
        let metadata = document.get("metadata").unwrap_or(&Value::Null);
        let labels = metadata.get("labels").and_then(Value::as_object);
        match labels.and_then(|labels| labels.get(EXPOSE_LABEL)) {
            Some(Value::String(value)) if value == "true" => service.is_exposed = true,
            // `expose: true` without quotes is a boolean, which the API server refuses as a label.
            Some(Value::Bool(true)) => {
                service.is_exposed = true;
                let problem = Problem::new(Code::FieldType, "expected a string, found the boolean true")
                    .help("put quotes around it: expose: \"true\"")
                    .propose("true");
                service.problem(FieldPath::label(EXPOSE_LABEL), problem);
            }
            _ => {}
        }
        service.name = service.text(metadata, "name", Code::ServiceNameInvalid).unwrap_or_default();
        service.namespace =
            service.text(metadata, "namespace", Code::NamespaceInvalid).filter(|name| !name.is_empty());
        service.hints = Hints::of_document(document, service.is_exposed).findings(service.is_exposed);
        if !service.is_exposed {
            return service;
        }
        for (key, value) in labels.into_iter().flatten() {
            // The hints report a key of Xposer among the labels.
            if key != EXPOSE_LABEL && !is_ours(key) {
                service.require_text(&["metadata", "labels"], key, value);
            }
        }
        service.require_name(metadata.get("generateName").and_then(Value::as_str));
        service.read_annotations(metadata.get("annotations").unwrap_or(&Value::Null));
        if let Some(spec) = document.get("spec") {
            service.has_spec = true;
            service.read_spec(spec);
        }
        service
    }

    fn problem(&mut self, path: FieldPath, problem: Problem) {
        self.problems.push((path, problem));
    }

    fn text(&mut self, metadata: &'a Value, key: &'static str, code: Code) -> Option<&'a str> {
        match metadata.get(key) {
            Some(Value::String(text)) => Some(text),
            None | Some(Value::Null) => None,
            Some(other) => {
                let message = format!("expected a string, found {}", kind_of(other));
                let problem = Problem::new(code, message).help("put quotes around it");
                self.problem(FieldPath::object(&["metadata", key]), problem);
                None
            }
        }
    }

    fn require_name(&mut self, generated: Option<&str>) {
        let is_known = self.problems.iter().any(|(_, problem)| problem.code == Code::ServiceNameInvalid);
        if !self.name.is_empty() || is_known {
            return;
        }
        let (path, message, help): (&[&'static str], _, _) = match generated {
            Some(start) if !start.is_empty() => (
                &["metadata", "generateName"],
                "the API server chooses the name of the Service, so the names of its objects are not known",
                "set metadata.name instead",
            ),
            _ => (&["metadata"], "the Service has no name", "set metadata.name"),
        };
        self.problem(FieldPath::object(path), Problem::new(Code::ServiceNameInvalid, message).help(help));
    }

    fn read_annotations(&mut self, annotations: &'a Value) {
        let path = &["metadata", "annotations"];
        let annotations = match annotations {
            Value::Object(annotations) => annotations,
            Value::Null => return,
            other => {
                let message = format!("expected a mapping, found {}", kind_of(other));
                let problem = Problem::new(Code::FieldType, message).help("write `key: value` pairs");
                self.problem(FieldPath::object(path), problem);
                self.has_unreadable_annotations = true;
                return;
            }
        };
        // The order is not guaranteed: a program may configure serde_json to keep the order of the document.
        let mut annotations: Vec<(&'a String, &'a Value)> = annotations.iter().collect();
        annotations.sort_unstable_by_key(|(key, _)| *key);
        for (key, value) in annotations {
            self.read_annotation(key, value.as_str());
            if !self.require_text(path, key, value) && is_ours(key) {
                self.non_string_keys.push(key);
            }
        }
    }

    /// Reads an annotation; a value of `None` means that the value is no string.
    fn read_annotation(&mut self, key: &'a str, value: Option<&'a str>) {
        let text = value.unwrap_or_default();
        let bytes = key.len() + text.len();
        self.annotation_bytes += bytes;
        let may_name_hosts = external_dns::may_name_hosts(key);
        if may_name_hosts || external_dns::may_redirect_names(key) || external_dns::may_select(key) {
            self.dns_annotations.push((key, text));
        }
        if is_ours(key) {
            self.annotations.extend(value.map(|value| (key, value)));
        } else if key.starts_with(STAMP_PREFIX) {
            self.stamp_bytes += bytes;
        } else if may_name_hosts && external_dns::is_key(key) {
            // The setting `externalDNSPrefixes` decides about other prefixes.
        } else if is_nearly_ours(key) {
            self.misspelt_prefixes.push((key, text));
        } else if is_for_ingress(key) {
            self.ingress_annotations.push((key, text));
        } else if is_for_service(key) {
            self.controller_annotations.push((key, text));
        }
    }

    /// Whether the value of a label or an annotation is text. `null` counts as empty text, as an API server reads it.
    fn require_text(&mut self, path: &[&'static str], key: &str, value: &Value) -> bool {
        let help = match value {
            Value::String(_) | Value::Null => return true,
            // The hints report the keys inside.
            Value::Object(inner) if !hints::keys_inside(key, inner).is_empty() => return false,
            Value::Object(_) | Value::Array(_) if !is_ours(key) => "write a text, or remove it",
            _ => "put quotes around it",
        };
        let message = format!("expected a string, found {}", kind_of(value));
        let mut problem = Problem::new(Code::FieldType, message).help(help);
        problem.proposed = scalar(value);
        self.problem(FieldPath::object(path).key(key.to_owned()), problem);
        false
    }

    fn read_spec(&mut self, spec: &'a Value) {
        let text = |key: &str| spec.get(key).and_then(Value::as_str);
        self.kind = ServiceKind::new(text("type"), text("clusterIP"));
        self.address_fields
            .extend(["type", "loadBalancerClass", "loadBalancerIP"].into_iter().filter_map(text));
        let addresses = spec.get("externalIPs").and_then(Value::as_array);
        self.address_fields.extend(addresses.into_iter().flatten().filter_map(Value::as_str));
        match spec.get("ports") {
            None | Some(Value::Null) => {}
            Some(Value::Array(ports)) => {
                for (index, port) in ports.iter().enumerate() {
                    let port = self.read_port(port, index);
                    self.ports.push(port);
                }
            }
            Some(other) => {
                let message = format!("expected a list, found {}", kind_of(other));
                let problem = Problem::new(Code::FieldType, message).help("write a list of ports");
                self.has_unreadable_ports = true;
                self.problem(FieldPath::object(&["spec", "ports"]), problem);
            }
        }
    }

    fn read_port(&mut self, port: &'a Value, index: usize) -> Port<'a> {
        let path = || port_path(index);
        let problem = |message: String| Problem::new(Code::FieldType, message);
        let number = match (port, port.get("port")) {
            (Value::Object(_), Some(Value::Number(number))) => {
                let value = number.as_u64().and_then(|number| u16::try_from(number).ok());
                self.port_number(value, number, index)
            }
            (Value::Object(_), Some(other)) => {
                let problem = problem(format!("expected a number, found {}", kind_of(other)));
                self.problem(path().key("port"), problem.help("write the number without quotes"));
                0
            }
            (Value::Object(_), None) => {
                let problem = Problem::new(Code::PortInvalid, "the port has no number").help("add `port:`");
                self.problem(path(), problem);
                0
            }
            (other, _) => {
                let problem = problem(format!("expected a mapping, found {}", kind_of(other)));
                self.problem(path(), problem.help("write `port:` and the number"));
                0
            }
        };
        let text = |key: &str| port.get(key).and_then(Value::as_str);
        Port::new(text("name"), number, text("protocol"), text("appProtocol"))
    }

    /// The number of the port at this index. Returns 0 and adds a problem if it is no valid port number.
    fn port_number(&mut self, value: Option<u16>, written: impl Display, index: usize) -> u16 {
        if let Some(number) = value.filter(|number| *number > 0) {
            return number;
        }
        let message = format!("the port {written} is not between 1 and 65535");
        let problem = Problem::new(Code::PortInvalid, message).help("correct the port");
        self.problem(port_path(index).key("port"), problem);
        0
    }

    /// Whether the Service requests exposure: its label `expose` is exactly `true`. The boolean `true`, without quotes, also counts
    /// as a request, and is reported as an Error.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.is_exposed
    }

    /// The name; empty if the Service has none.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The namespace, if the Service has one.
    #[must_use]
    pub fn namespace(&self) -> Option<&'a str> {
        self.namespace
    }

    /// Sets the namespace of a Service that has none. An empty `namespace` sets nothing.
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

    /// Sets the time at which the API server created the Service, in seconds since 1970. [`Precedence`](crate::Precedence) has an
    /// example.
    #[must_use]
    pub fn created_at(mut self, seconds: i64) -> Self {
        self.created = Some(seconds);
        self
    }

    /// The creation time in seconds since 1970; a Service without one counts as the newest.
    pub(crate) fn created(&self) -> i64 {
        self.created.unwrap_or(i64::MAX)
    }

    /// The kind of the Service.
    #[must_use]
    pub fn kind(&self) -> ServiceKind {
        self.kind
    }

    /// The ports, in order; empty if [`Service::from_value`] read a Service that does not request exposure.
    #[must_use]
    pub fn ports(&self) -> &[Port<'a>] {
        &self.ports
    }

    /// The port with this number or name; if there are several, the TCP port.
    pub(crate) fn port(&self, wanted: &PortRef) -> Option<&Port<'a>> {
        let is_wanted = |port: &&Port<'_>| match wanted {
            PortRef::Number(number) => port.number == *number,
            PortRef::Name(name) => port.name == Some(name),
        };
        let tcp = self.ports.iter().filter(|port| port.tcp).find(is_wanted);
        tcp.or_else(|| self.ports.iter().find(is_wanted))
    }

    /// The annotations of Xposer, in ascending order of their keys: [`FORWARD_ANNOTATION`], and the keys that start with
    /// [`CONFIG_PREFIX`]. Empty if [`Service::from_value`] read a Service that does not request exposure.
    #[must_use]
    pub fn annotations(&self) -> &[(&'a str, &'a str)] {
        &self.annotations
    }

    /// The size of all annotations in bytes, keys and values, including annotations of other programs; 0 if [`Service::from_value`]
    /// read a Service that does not request exposure.
    #[must_use]
    pub fn annotation_bytes(&self) -> usize {
        self.annotation_bytes
    }

    /// Adds this number of bytes to the size of the annotations. A program that keeps only the annotations that are read
    /// (`internal::reads_annotation`) adds the size of the others with it.
    ///
    /// ```
    /// use xposer::{Service, testing};
    /// let kept = testing::service(&[]);
    /// let service = Service::from_value(&kept).with_other_annotation_bytes(1000);
    /// assert_eq!(service.annotation_bytes(), 1000);
    /// ```
    #[must_use]
    pub fn with_other_annotation_bytes(mut self, bytes: usize) -> Self {
        self.annotation_bytes = self.annotation_bytes.saturating_add(bytes);
        self
    }

    /// The Service as the subject of diagnostics: the kind `Service`, the namespace and the name.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject {
            kind: "Service".into(),
            namespace: self.namespace.unwrap_or_default().to_owned(),
            name: self.name.to_owned(),
        }
    }

    /// Files the problems of the fields.
    pub(crate) fn file_problems(&self, report: &mut Report) {
        for (path, problem) in self.problems.iter().chain(&self.hints) {
            report.file(path.clone(), problem.clone());
        }
    }

    /// The report about a Service without the label whose author probably wants it exposed; `None` if nothing shows that. The
    /// report has no Error, even under `strict`, because a user must be able to remove the label.
    pub(crate) fn hints(&self) -> Option<Report> {
        if self.hints.is_empty() {
            return None;
        }
        let mut report = Report::new(self.subject(), false);
        for (path, problem) in &self.hints {
            report.file(path.clone(), problem.clone());
        }
        Some(report)
    }
}
