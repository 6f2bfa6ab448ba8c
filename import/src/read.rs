//! A lenient parser of Ingresses, in the current API version and the two previous ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use xposer::Severity;
use xposer::diagnostics::{FieldPath, Subject};
use xposer::internal::{About, about, type_name};
use xposer::service::{MANAGED_BY, MANAGED_BY_LABEL, PortRef, SERVICE_LABEL};
use xposer::validation::PathType;

use crate::finding::{Finding, Object};

/// The current API version.
const VERSION: &str = "networking.k8s.io/v1";
/// The API versions that no cluster has served since Kubernetes 1.22.
const OLD_VERSIONS: [&str; 2] = ["extensions/v1beta1", "networking.k8s.io/v1beta1"];

/// Whether a document is an Ingress of a supported version.
///
/// ```
/// use serde_json::json;
/// use xposer_import::is_ingress;
/// assert!(is_ingress(&json!({"apiVersion": "extensions/v1beta1", "kind": "Ingress"})));
/// assert!(!is_ingress(&json!({"apiVersion": "config.openshift.io/v1", "kind": "Ingress"})));
/// ```
#[must_use]
pub fn is_ingress(document: &Value) -> bool {
    let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
    let version = text("apiVersion");
    text("kind") == "Ingress" && (version == VERSION || OLD_VERSIONS.contains(&version))
}

/// Whether a document is an IngressClass, which names the controller of its Ingresses.
///
/// ```
/// use serde_json::json;
/// assert!(xposer_import::is_class(&json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass"})));
/// ```
#[must_use]
pub fn is_class(document: &Value) -> bool {
    let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
    text("kind") == "IngressClass" && text("apiVersion").starts_with("networking.k8s.io/")
}

/// A host and a path that lead to a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) kind: PathType,
    pub(crate) service: String,
    pub(crate) port: Option<PortRef>,
    /// The path of the entry in `paths`.
    pub(crate) at: FieldPath,
    /// The position of the Ingress.
    pub(crate) ingress: usize,
}

/// An entry of `spec.tls`.
#[derive(Clone, Debug)]
pub(crate) struct TlsEntry {
    pub(crate) hosts: Vec<String>,
    pub(crate) secret: Option<String>,
}

/// The class, and whether the legacy annotation names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) is_annotation: bool,
    pub(crate) at: FieldPath,
}

/// An Ingress, with the parts that a proposal needs.
#[derive(Clone, Debug)]
pub(crate) struct Ingress {
    /// The position in the input.
    pub(crate) at: usize,
    pub(crate) subject: Subject,
    pub(crate) class: Option<Class>,
    pub(crate) routes: Vec<Route>,
    pub(crate) tls: Vec<TlsEntry>,
    /// The annotations without the one for the class.
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
    /// The object that controls the Ingress, and would restore it.
    pub(crate) owner: Option<String>,
    /// The Service for which Xposer made the Ingress.
    pub(crate) made_of: Option<String>,
}

impl Ingress {
    pub(crate) fn name(&self) -> &str {
        &self.subject.name
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.subject.namespace
    }

    /// The value of an annotation without blanks around it; `None` if it is missing or empty.
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether another Ingress says the same, possibly in another order.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let routes = |of: &Self| {
            let all = of.routes.iter();
            let mut all: Vec<_> = all
                .map(|it| (it.host.clone(), it.path.clone(), it.kind, it.service.clone(), it.port.clone()))
                .collect();
            all.sort();
            all
        };
        let tls = |of: &Self| {
            let all = of
                .tls
                .iter()
                .flat_map(|entry| entry.hosts.iter().map(|host| (host.clone(), entry.secret.clone())));
            all.collect::<BTreeMap<_, _>>()
        };
        let labels = |of: &Self| {
            let mut labels = of.labels.clone();
            labels.retain(|key, _| key != MANAGED_BY_LABEL && key != SERVICE_LABEL);
            labels
        };
        let class = |of: &Self| of.class.as_ref().map(|class| (class.name.clone(), class.is_annotation));
        class(self) == class(other)
            && self.annotations == other.annotations
            && labels(self) == labels(other)
            && tls(self) == tls(other)
            && routes(self) == routes(other)
    }

    pub(crate) fn finding(&self, path: FieldPath, severity: Severity, message: impl Into<String>) -> Finding {
        Finding::new(Object::Ingress(self.at), &self.subject, path, severity, message)
    }
}

/// Reads an Ingress. Parts that cannot be parsed or expressed are reported.
pub(crate) fn read(document: &Value, at: usize, namespace: &str, findings: &mut Vec<Finding>) -> Ingress {
    let metadata = document.get("metadata").unwrap_or(&Value::Null);
    let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default();
    let own = Some(text("namespace")).filter(|own| !own.is_empty()).unwrap_or(namespace);
    let subject =
        Subject { kind: "Ingress".into(), namespace: own.to_owned(), name: text("name").to_owned() };
    let mut reader = Reader { at, subject, findings };
    let version = document.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let is_old = OLD_VERSIONS.contains(&version);
    if is_old {
        let message = format!("{version} is read as {VERSION}, the version of the emitted Ingress");
        reader.info(FieldPath::object(&["apiVersion"]), message);
    }
    if reader.subject.name.is_empty() {
        let path = FieldPath::object(&["metadata"]);
        reader.lost(path, "the Ingress has no name", "set metadata.name");
    }
    let mut annotations = reader.texts(metadata, "annotations");
    let labels = reader.texts(metadata, "labels");
    let spec = document.get("spec").unwrap_or(&Value::Null);
    let class = reader.class(spec, &mut annotations);
    reader.default_backend(spec, is_old);
    let routes = reader.routes(spec, is_old, &annotations);
    let tls = reader.tls(spec);
    reader.unknown_fields(spec);
    let is_made = labels.get(MANAGED_BY_LABEL).is_some_and(|value| value == MANAGED_BY);
    let made_of = labels.get(SERVICE_LABEL).filter(|_| is_made).cloned();
    let owner = owner(metadata);
    Ingress { at, subject: reader.subject, class, routes, tls, annotations, labels, owner, made_of }
}

/// The object that controls another one.
fn owner(metadata: &Value) -> Option<String> {
    let owners = metadata.get("ownerReferences")?.as_array()?;
    let controller = owners.iter().find(|it| it.get("controller") == Some(&Value::Bool(true)))?;
    let text = |key: &str| controller.get(key).and_then(Value::as_str).unwrap_or("?");
    Some(format!("{} {}", text("kind"), text("name")))
}

struct Reader<'t> {
    at: usize,
    subject: Subject,
    findings: &'t mut Vec<Finding>,
}

impl Reader<'_> {
    fn tell(&mut self, path: FieldPath, severity: Severity, message: impl Into<String>) -> Finding {
        Finding::new(Object::Ingress(self.at), &self.subject, path, severity, message)
    }

    fn info(&mut self, path: FieldPath, message: impl Into<String>) {
        let finding = self.tell(path, Severity::Info, message);
        self.findings.push(finding);
    }

    fn lost(&mut self, path: FieldPath, message: impl Into<String>, help: impl Into<String>) {
        let finding = self.tell(path, Severity::Warning, message).help(help);
        self.findings.push(finding);
    }

    /// Reports a value of the wrong type, which the API server would refuse.
    fn mistyped(&mut self, path: FieldPath, expected: &str, found: &Value) {
        let message = format!("expected {expected}, found {}", type_name(found));
        self.lost(path, message, format!("write {expected}"));
    }

    fn items<'v>(&mut self, parent: &'v Value, key: &'static str, path: &FieldPath) -> &'v [Value] {
        match parent.get(key) {
            Some(Value::Array(items)) => items,
            None | Some(Value::Null) => &[],
            Some(other) => {
                self.mistyped(path.clone(), "a list", other);
                &[]
            }
        }
    }

    fn texts(&mut self, metadata: &Value, field: &'static str) -> BTreeMap<String, String> {
        let path = || FieldPath::object(&["metadata", field]);
        let mut texts = BTreeMap::new();
        match metadata.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::Object(entries)) => {
                for (key, value) in entries {
                    match value {
                        Value::String(text) => {
                            texts.insert(key.clone(), text.clone());
                        }
                        Value::Null => {
                            texts.insert(key.clone(), String::new());
                        }
                        other => {
                            let message = format!("expected a text, found {}", type_name(other));
                            self.lost(path().key(key.clone()), message, "put quotes around it");
                        }
                    }
                }
            }
            Some(other) => self.mistyped(path(), "a mapping", other),
        }
        texts
    }

    /// The class from the field, or from the annotation, which is removed from `annotations`.
    fn class(&mut self, spec: &Value, annotations: &mut BTreeMap<String, String>) -> Option<Class> {
        let at = FieldPath::object(&["spec", "ingressClassName"]);
        let field = match spec.get("ingressClassName") {
            Some(Value::String(name)) if !name.is_empty() => {
                Some(Class { name: name.clone(), is_annotation: false, at })
            }
            None | Some(Value::Null | Value::String(_)) => None,
            Some(other) => {
                self.mistyped(at, "a text", other);
                None
            }
        };
        let key = annotations.keys().find(|key| about(key) == About::Class).cloned();
        let Some(key) = key else { return field };
        let name = annotations.remove(&key).unwrap_or_default();
        let at = FieldPath::annotation(key.clone());
        match &field {
            Some(field) if field.name == name => {
                self.info(at, format!("`{key}` repeats spec.ingressClassName, and is dropped"));
            }
            Some(field) => {
                let message = format!(
                    "the class `{name}` contradicts spec.ingressClassName, which applies: `{}`",
                    field.name
                );
                self.lost(at, message, "keep one of the two");
            }
            None if name.trim().is_empty() => {
                self.info(at, format!("`{key}` is empty, and is dropped"));
            }
            None => return Some(Class { name: name.trim().to_owned(), is_annotation: true, at }),
        }
        field
    }

    fn default_backend(&mut self, spec: &Value, is_old: bool) {
        let key = if is_old { "backend" } else { "defaultBackend" };
        if spec.get(key).is_some_and(|backend| !backend.is_null()) {
            let message = "a Service cannot be the default backend, which gets the requests without a rule";
            let help = "give the Service a host, or set the default backend of the controller";
            self.lost(FieldPath::object(&["spec"]).key(key), message, help);
        }
    }

    fn routes(&mut self, spec: &Value, is_old: bool, annotations: &BTreeMap<String, String>) -> Vec<Route> {
        let path = FieldPath::object(&["spec", "rules"]);
        let mut routes = Vec::new();
        for (index, rule) in self.items(spec, "rules", &path).iter().enumerate() {
            let at = path.clone().index(index);
            let host = match rule.get("host") {
                Some(Value::String(host)) if !host.is_empty() => host.clone(),
                None | Some(Value::Null | Value::String(_)) => {
                    let message = "a rule without a host matches all hosts, and a Service needs a host";
                    self.lost(at, message, "write the host");
                    continue;
                }
                Some(other) => {
                    self.mistyped(at.key("host"), "a text", other);
                    continue;
                }
            };
            let at = at.key("http").key("paths");
            let paths = self.items(rule.get("http").unwrap_or(&Value::Null), "paths", &at);
            if paths.is_empty() {
                let at = path.clone().index(index);
                let message = format!("the rule for `{host}` has no paths, so it leads to no Service");
                self.lost(at, message, "add a path with its backend");
            }
            for (index, entry) in paths.iter().enumerate() {
                let route = self.route(&host, entry, at.clone().index(index), is_old);
                routes.extend(route.filter(|route| !self.action(route, annotations)));
            }
        }
        routes
    }

    fn route(&mut self, host: &str, entry: &Value, at: FieldPath, is_old: bool) -> Option<Route> {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        let backend = entry.get("backend").unwrap_or(&Value::Null);
        let place = at.clone().key("backend");
        if let Some(resource) = backend.get("resource").filter(|it| !it.is_null()) {
            let kind = resource.get("kind").and_then(Value::as_str).unwrap_or("?");
            let message =
                format!("the path leads to an object of the kind {kind}, and only Services are exposed");
            self.lost(place.key("resource"), message, "keep an Ingress for this path");
            return None;
        }
        let (service, port) = if is_old {
            (backend.get("serviceName"), backend.get("servicePort"))
        } else {
            let service = backend.get("service");
            let port = service.and_then(|it| it.get("port"));
            let named = port.and_then(|it| it.get("name")).filter(|name| name.as_str() != Some(""));
            (service.and_then(|it| it.get("name")), named.or_else(|| port?.get("number")))
        };
        let Some(service) = service.and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            self.lost(place, "the path leads to no Service", "name the Service");
            return None;
        };
        let port = match port {
            Some(Value::Number(number)) => number.to_string().parse().ok(),
            Some(Value::String(name)) => name.parse::<PortRef>().ok(),
            _ => None,
        };
        if port.is_none() {
            self.lost(place, "the port of the Service is missing or invalid", "name the port of the Service");
        }
        let path = text("path").unwrap_or_default();
        let kind = match text("pathType") {
            None | Some("") => {
                if !is_old {
                    let message = "the path has no pathType, which the API server refuses; it is read as ImplementationSpecific";
                    self.lost(at.clone(), message, "write the pathType");
                }
                PathType::ImplementationSpecific
            }
            Some(word) => match word.parse() {
                Ok(kind) => kind,
                Err(_) => {
                    let message =
                        format!("`{word}` is not a path type; it is read as ImplementationSpecific");
                    self.lost(
                        at.clone().key("pathType"),
                        message,
                        "write Exact, Prefix or ImplementationSpecific",
                    );
                    PathType::ImplementationSpecific
                }
            },
        };
        if path.is_empty() {
            self.info(at.clone(), format!("a missing path of `{host}` is read as `/`"));
        }
        let path = if path.is_empty() { "/" } else { path };
        let (path, service) = (path.to_owned(), service.to_owned());
        Some(Route { host: host.to_owned(), path, kind, service, port, at, ingress: self.at })
    }

    /// Whether a path leads to an action of the AWS Load Balancer Controller instead of a Service, which is reported.
    fn action(&mut self, route: &Route, annotations: &BTreeMap<String, String>) -> bool {
        const PORT: &str = "use-annotation";
        if !matches!(&route.port, Some(PortRef::Name(name)) if name == PORT) {
            return false;
        }
        let end = format!("/actions.{}", route.service);
        let action = annotations.iter().find(|(key, _)| key.ends_with(&end));
        let place = route.at.clone().key("backend");
        let Some((key, value)) = action else {
            let message = format!(
                "the port `{PORT}` means that `{}` is an action, but the annotation `actions.{0}` is missing",
                route.service
            );
            self.lost(place, message, "add the annotation, or name the port of a Service");
            return true;
        };
        let value = value.to_ascii_lowercase();
        // A fixed response may protect the path.
        let (severity, help) = if value.contains("fixed-response") {
            (Severity::Error, "keep an Ingress for this path")
        } else if value.contains("redirect") {
            (
                Severity::Warning,
                "give the Service the options TLS: load-balancer and HTTPSRedirect: \"true\" if it redirects to https, or keep an Ingress for this path",
            )
        } else {
            (Severity::Warning, "keep an Ingress for this path")
        };
        let message =
            format!("`{}{}` leads to the action of `{key}`, which is no Service", route.host, route.path);
        let finding = self.tell(place, severity, message).help(help);
        self.findings.push(finding);
        true
    }

    fn tls(&mut self, spec: &Value) -> Vec<TlsEntry> {
        let path = FieldPath::object(&["spec", "tls"]);
        let mut entries = Vec::new();
        for (index, entry) in self.items(spec, "tls", &path).iter().enumerate() {
            let at = path.clone().index(index);
            if !entry.is_object() {
                self.mistyped(at, "a mapping", entry);
                continue;
            }
            let mut hosts = Vec::new();
            let place = at.clone().key("hosts");
            for (index, host) in self.items(entry, "hosts", &place).iter().enumerate() {
                match host {
                    Value::String(host) => hosts.push(host.clone()),
                    other => self.mistyped(place.clone().index(index), "a text", other),
                }
            }
            let secret = entry.get("secretName").and_then(Value::as_str).filter(|name| !name.is_empty());
            entries.push(TlsEntry { hosts, secret: secret.map(str::to_owned) });
        }
        entries
    }

    fn unknown_fields(&mut self, spec: &Value) {
        const KNOWN: [&str; 5] = ["backend", "defaultBackend", "ingressClassName", "rules", "tls"];
        let fields = spec.as_object().into_iter().flat_map(Map::keys);
        for field in fields.filter(|field| !KNOWN.contains(&field.as_str())) {
            let path = FieldPath::object(&["spec"]).key(field.clone());
            self.lost(path, format!("an Ingress has no field `{field}`"), "remove it");
        }
    }
}
