//! The controllers that serve the IngressClasses and Gateways of the cluster, from its IngressClasses, GatewayClasses and Gateways.

use std::collections::{BTreeMap, BTreeSet};

use kube::api::ApiResource;
use serde_json::Value;
use xposer::Plan;
use xposer::options::{GatewayFacts, ServedBy};

use crate::digest::digest;
use crate::document::Document;

/// The annotation that makes an IngressClass the default class.
const IS_DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";

/// A kind of object that names a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerKind {
    /// Names the controller of the Ingresses with this class.
    IngressClass,
    /// Names the controller of the Gateways with this class, and may list their features.
    GatewayClass,
    /// Names its GatewayClass.
    Gateway,
}

impl ServerKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::IngressClass, Self::GatewayClass, Self::Gateway];

    /// The API resource of the kind.
    pub fn resource(self) -> ApiResource {
        let (group, kind, plural) = match self {
            Self::IngressClass => ("networking.k8s.io", "IngressClass", "ingressclasses"),
            Self::GatewayClass => ("gateway.networking.k8s.io", "GatewayClass", "gatewayclasses"),
            Self::Gateway => ("gateway.networking.k8s.io", "Gateway", "gateways"),
        };
        ApiResource {
            group: group.into(),
            version: "v1".into(),
            api_version: format!("{group}/v1"),
            kind: kind.into(),
            plural: plural.into(),
        }
    }
}

/// The kind, the namespace (empty for a class) and the name of such an object.
pub type ServerKey = (ServerKind, String, String);

/// The facts from these objects that the core needs.
#[derive(Debug, Default)]
pub struct Servers {
    ingress_classes: BTreeMap<String, IngressClass>,
    gateway_classes: BTreeMap<String, GatewayFacts>,
    /// The class of each Gateway.
    gateways: BTreeMap<(String, String), String>,
    /// The hashes of the classes and Gateways that have changed; see [`server_dependencies`].
    changed: BTreeSet<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct IngressClass {
    controller: String,
    /// The creation time, if the class is a default class.
    default_since: Option<i64>,
    is_gone: bool,
}

/// The key of such an object.
pub fn server_key(kind: ServerKind, document: &Document) -> ServerKey {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    (kind, text(&document.metadata.namespace), text(&document.metadata.name))
}

impl Servers {
    /// Adds an object, or replaces an older version of it.
    pub fn apply(&mut self, kind: ServerKind, document: &Document) {
        let (_, namespace, name) = server_key(kind, document);
        let word = |pointer: &str| {
            document.spec.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        match kind {
            ServerKind::IngressClass => {
                let metadata = &document.metadata;
                let default = metadata.annotations.as_ref().and_then(|all| all.get(IS_DEFAULT));
                let created = metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second());
                let class = IngressClass {
                    controller: word("/controller"),
                    default_since: default.filter(|value| *value == "true").map(|_| created),
                    is_gone: false,
                };
                let before = self.ingress_classes.insert(name.clone(), class.clone());
                if before.as_ref() == Some(&class) {
                    return;
                }
                self.changed.insert(of_class(&name));
                if class.default_since.is_some() || before.is_some_and(|it| it.default_since.is_some()) {
                    self.changed.insert(of_class(""));
                }
            }
            ServerKind::GatewayClass => {
                let facts = GatewayFacts {
                    controller: word("/controllerName"),
                    features: document
                        .status
                        .get("supportedFeatures")
                        .and_then(Value::as_array)
                        .map(|list| features(list)),
                };
                if self.gateway_classes.get(&name) != Some(&facts) {
                    self.gateway_classes.insert(name.clone(), facts);
                    self.mark_gateways(&name);
                }
            }
            ServerKind::Gateway => {
                let (key, class) = ((namespace, name), word("/gatewayClassName"));
                if self.gateways.get(&key) != Some(&class) {
                    self.changed.insert(of_gateway(&key.0, &key.1));
                    self.gateways.insert(key, class);
                }
            }
        }
    }

    /// Removes an object. The facts about an IngressClass are kept: without the class, no controller serves its Ingresses, so
    /// nothing has to be written for them, and if the class is created again for the same controller, the Ingresses are unchanged.
    pub fn delete(&mut self, (kind, namespace, name): ServerKey) {
        match kind {
            ServerKind::IngressClass => {
                if let Some(class) = self.ingress_classes.get_mut(&name) {
                    class.is_gone = true;
                    self.changed.insert(of_class(&name));
                }
            }
            ServerKind::GatewayClass => {
                if self.gateway_classes.remove(&name).is_some() {
                    self.mark_gateways(&name);
                }
            }
            ServerKind::Gateway => {
                self.changed.insert(of_gateway(&namespace, &name));
                self.gateways.remove(&(namespace, name));
            }
        }
    }

    fn mark_gateways(&mut self, class: &str) {
        let of_it = self.gateways.iter().filter(|(_, known)| *known == class);
        self.changed.extend(of_it.map(|((namespace, name), _)| of_gateway(namespace, name)));
    }

    /// The keys of all objects of a kind.
    pub fn known(&self, kind: ServerKind) -> Vec<ServerKey> {
        let class = |name: &String| (kind, String::new(), name.clone());
        match kind {
            ServerKind::IngressClass => self.ingress_classes.keys().map(class).collect(),
            ServerKind::GatewayClass => self.gateway_classes.keys().map(class).collect(),
            ServerKind::Gateway => {
                let key = |(namespace, name): &(String, String)| (kind, namespace.clone(), name.clone());
                self.gateways.keys().map(key).collect()
            }
        }
    }

    /// Whether the cluster has an IngressClass of this name.
    pub fn has_ingress_class(&self, name: &str) -> bool {
        self.ingress_classes.get(name).is_some_and(|class| !class.is_gone)
    }

    /// Whether the cluster has this Gateway.
    pub fn has_gateway(&self, namespace: &str, name: &str) -> bool {
        self.gateways.contains_key(&(namespace.to_owned(), name.to_owned()))
    }

    /// Returns the hashes of the classes and Gateways that have changed since the last call.
    pub fn take_changed(&mut self) -> BTreeSet<u64> {
        std::mem::take(&mut self.changed)
    }

    /// The facts for the core.
    pub fn served_by(&self) -> ServedBy {
        // If there are several default classes, the API server uses the newest, or the first by name if several are equally new
        // (`plugin/pkg/admission/network/defaultingressclass/admission.go`, 1.36).
        let mut default: Option<(i64, &str)> = None;
        let mut served_by = ServedBy::default();
        for (name, class) in &self.ingress_classes {
            if let Some(since) = class.default_since
                && default.is_none_or(|(newest, _)| since > newest)
            {
                default = Some((since, &class.controller));
            }
            served_by = served_by.with_ingress_class(name, &class.controller);
        }
        if let Some((_, controller)) = default {
            served_by = served_by.with_ingress_class("", controller);
        }
        for ((namespace, name), class) in &self.gateways {
            if let Some(facts) = self.gateway_classes.get(class) {
                served_by = served_by.with_gateway(namespace, name, facts.clone());
            }
        }
        served_by
    }
}

/// The names of features: objects with a name in the current API, and strings in its first versions.
fn features(list: &[Value]) -> Vec<String> {
    let name = |it: &Value| it.get("name").unwrap_or(it).as_str().map(str::to_owned);
    list.iter().filter_map(name).collect()
}

fn of_class(name: &str) -> u64 {
    digest(&("class", name))
}

fn of_gateway(namespace: &str, name: &str) -> u64 {
    digest(&("gateway", namespace, name))
}

/// The hashes of the class and the Gateways of a plan, whose facts decide which controller serves it.
pub fn server_dependencies(plan: &Plan) -> Box<[u64]> {
    let own = plan.namespace().unwrap_or_default();
    let gateways = plan.parents().iter().chain(plan.http_parents());
    let gateways = gateways.map(|it| of_gateway(it.namespace.as_deref().unwrap_or(own), &it.name));
    std::iter::once(of_class(plan.class_name().unwrap_or_default())).chain(gateways).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn apply(servers: &mut Servers, kind: ServerKind, object: &Value) {
        servers.apply(kind, &serde_json::from_value(object.clone()).unwrap());
    }

    fn class(name: &str, controller: &str, default_since: Option<&str>) -> Value {
        let mut class = json!({"metadata": {"name": name, "creationTimestamp": default_since}, "spec": {"controller": controller}});
        if default_since.is_some() {
            class["metadata"]["annotations"] = json!({ IS_DEFAULT: "true" });
        }
        class
    }

    fn facts_of(servers: &Servers) -> Option<GatewayFacts> {
        servers.served_by().gateway("gateways", "external").cloned()
    }

    #[test]
    fn the_newest_default_class_stands_for_no_class() {
        let mut servers = Servers::default();
        for (name, since) in
            [("b", "2026-01-01T00:00:00Z"), ("c", "2026-01-02T00:00:00Z"), ("a", "2026-01-02T00:00:00Z")]
        {
            apply(
                &mut servers,
                ServerKind::IngressClass,
                &class(name, &format!("example.com/{name}"), Some(since)),
            );
        }
        apply(&mut servers, ServerKind::IngressClass, &class("plain", "example.com/plain", None));
        let served_by = servers.served_by();
        assert_eq!(served_by.ingress_class(""), Some("example.com/a"));
        assert_eq!(served_by.ingress_class("plain"), Some("example.com/plain"));
        assert_eq!(servers.take_changed().len(), 5);
        // Applying the same object again is no change.
        apply(&mut servers, ServerKind::IngressClass, &class("plain", "example.com/plain", None));
        assert!(servers.take_changed().is_empty());
        apply(&mut servers, ServerKind::IngressClass, &class("a", "example.com/a", None));
        assert_eq!(servers.take_changed(), [of_class("a"), of_class("")].into());
        assert_eq!(servers.served_by().ingress_class(""), Some("example.com/c"));
    }

    #[test]
    fn deleted_class_keeps_its_facts() {
        let mut servers = Servers::default();
        apply(&mut servers, ServerKind::IngressClass, &class("internal", "example.com/a", None));
        servers.take_changed();
        servers.delete((ServerKind::IngressClass, String::new(), "internal".to_owned()));
        assert!(
            !servers.has_ingress_class("internal") && servers.take_changed() == [of_class("internal")].into()
        );
        assert_eq!(servers.served_by().ingress_class("internal"), Some("example.com/a"));
        apply(&mut servers, ServerKind::IngressClass, &class("internal", "example.com/b", None));
        assert_eq!(servers.take_changed(), [of_class("internal")].into());
        assert_eq!(servers.served_by().ingress_class("internal"), Some("example.com/b"));
    }

    #[test]
    fn a_gateway_has_the_controller_and_the_features_of_its_class() {
        let mut servers = Servers::default();
        let mut gateway = json!({"metadata": {"name": "external", "namespace": "gateways"}, "spec": {"gatewayClassName": "eg"}});
        apply(&mut servers, ServerKind::Gateway, &gateway);
        assert!(facts_of(&servers).is_none() && servers.has_gateway("gateways", "external"));
        let mut class = json!({"metadata": {"name": "eg"}, "spec": {"controllerName": "example.com/eg"}});
        apply(&mut servers, ServerKind::GatewayClass, &class);
        assert_eq!(facts_of(&servers).map(|it| it.features), Some(None));
        class["status"] = json!({"supportedFeatures": [{"name": "HTTPRoute"}, "HTTPRouteCORS"]});
        servers.take_changed();
        apply(&mut servers, ServerKind::GatewayClass, &class);
        assert_eq!(servers.take_changed(), [of_gateway("gateways", "external")].into());
        let features = ["HTTPRoute", "HTTPRouteCORS"].map(str::to_owned).into();
        let facts = GatewayFacts { controller: "example.com/eg".to_owned(), features: Some(features) };
        assert_eq!(facts_of(&servers), Some(facts));
        // The status of a Gateway is no change.
        gateway["status"] = json!({"addresses": [{"value": "203.0.113.1"}]});
        apply(&mut servers, ServerKind::Gateway, &gateway);
        assert!(servers.take_changed().is_empty());
        servers.delete((ServerKind::Gateway, "gateways".to_owned(), "external".to_owned()));
        assert_eq!(servers.take_changed(), [of_gateway("gateways", "external")].into());
        assert!(facts_of(&servers).is_none() && !servers.has_gateway("gateways", "external"));
    }
}
