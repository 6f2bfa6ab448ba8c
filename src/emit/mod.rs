//! Plans become objects of the Kubernetes API, one file per kind. A kind says what it cannot express.

mod configmap;
pub(crate) mod ingress;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::diag::Report;
use crate::plan::Plan;
use crate::resolve::Annotation;
use configmap::ConfigMap;
pub use configmap::URL_CONFIG_MAP;
use ingress::Ingress;

/// The label that names the program an object belongs to (a recommended label of Kubernetes).
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Service, Settings, expose};
/// use xposer::{MANAGED_BY, MANAGED_BY_LABEL, SERVICE_LABEL};
/// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com"}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// # let outcome = expose(&Service::from_value(&service), &Settings::default());
/// # let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
/// let ingress = plan.emit().objects[0].to_value();
/// assert_eq!(ingress["metadata"]["labels"], json!({MANAGED_BY_LABEL: MANAGED_BY, SERVICE_LABEL: "web"}));
/// ```
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY_LABEL`] on everything we emit.
pub const MANAGED_BY: &str = "xposer";
/// The label that names the Service an object was made for; a URL ConfigMap, which belongs to several, has none.
pub const SERVICE_LABEL: &str = "xposer.stakater.com/service";

/// The objects of some plans, and what their kinds could not express.
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Code, Service, Settings, expose};
/// # let service = json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
/// #         "xposer.stakater.com/annotations": "exposeIngressUrl: globally"}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// # let outcome = expose(&Service::from_value(&service), &Settings::default());
/// # let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
/// // The Service forwards `exposeIngressUrl: globally`.
/// let emitted = plan.emit();
/// assert!(emitted.objects.iter().map(|object| object.kind()).eq(["Ingress", "ConfigMap"]));
/// assert_eq!(emitted.report.diagnostics()[0].code, Code::PublishedHere);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Emitted<'p> {
    /// The objects: Ingresses in the order of the plans, then ConfigMaps in the order of their namespaces.
    pub objects: Vec<Object<'p>>,
    /// What could not be expressed, as Infos.
    pub report: Report,
}

/// An object of the Kubernetes API, ready to be serialised. It borrows from the plans it was made of.
///
/// Its keys are written in alphabetical order, as Kubernetes' own tools do.
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Service, Settings, expose};
/// # let service = json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com"}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// # let outcome = expose(&Service::from_value(&service), &Settings::default());
/// # let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
/// let emitted = plan.emit();
/// let ingress = &emitted.objects[0];
/// assert_eq!((ingress.api_version(), ingress.kind()), ("networking.k8s.io/v1", "Ingress"));
/// assert_eq!((ingress.namespace(), ingress.name()), (Some("shop"), "web"));
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Object<'p>(Kind<'p>);

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Kind<'p> {
    Ingress(Ingress<'p>),
    ConfigMap(ConfigMap<'p>),
}

impl Object<'_> {
    /// The API group and version: `networking.k8s.io/v1` for an Ingress, `v1` for a ConfigMap.
    #[must_use]
    pub fn api_version(&self) -> &'static str {
        match &self.0 {
            Kind::Ingress(_) => ingress::API_VERSION,
            Kind::ConfigMap(_) => configmap::API_VERSION,
        }
    }

    /// The kind: `Ingress` or `ConfigMap`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.0 {
            Kind::Ingress(_) => ingress::KIND,
            Kind::ConfigMap(_) => configmap::KIND,
        }
    }

    /// The namespace, if it is known.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.metadata().namespace
    }

    /// The name: the rendered one of an Ingress, [`URL_CONFIG_MAP`] of a ConfigMap.
    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata().name
    }

    fn metadata(&self) -> &Metadata<'_> {
        match &self.0 {
            Kind::Ingress(ingress) => &ingress.metadata,
            Kind::ConfigMap(map) => &map.metadata,
        }
    }

    /// The object as JSON text, compact, with its keys in alphabetical order.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use xposer::{Service, Settings, expose};
    /// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
    /// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com"}},
    /// #     "spec": {"ports": [{"port": 80}]}});
    /// let outcome = expose(&Service::from_value(&service), &Settings::default());
    /// let text = outcome.plan().unwrap().emit().objects[0].to_json();
    /// assert!(text.starts_with(r#"{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":"#));
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        // Most objects fit, and growing step by step copies what is written again and again.
        let mut text = Vec::with_capacity(1000);
        // Texts, numbers and mappings with text keys always have a JSON form, and a Vec takes every byte.
        if serde_json::to_writer(&mut text, self).is_err() {
            text.clear();
        }
        String::from_utf8(text).unwrap_or_default()
    }

    /// The object as a JSON value.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use xposer::{Service, Settings, expose};
    /// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
    /// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com"}},
    /// #     "spec": {"ports": [{"port": 80}]}});
    /// let outcome = expose(&Service::from_value(&service), &Settings::default());
    /// let objects = outcome.plan().unwrap().emit().objects;
    /// assert_eq!(objects[0].to_value()["metadata"]["name"], objects[0].name());
    /// ```
    #[must_use]
    pub fn to_value(&self) -> Value {
        // Texts, numbers and mappings with text keys always have a JSON form.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Plan<'_> {
    /// The objects of this plan alone. Use [`emit_all`] for the plans of several Services, whose URL ConfigMap is one
    /// object a namespace. [`Emitted`] and [`Object`](crate::Object) have examples.
    #[must_use]
    pub fn emit(&self) -> Emitted<'_> {
        emit_all([self])
    }

    /// The Ingress as a typed object, with the same fields as [`Plan::emit`] gives it.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use xposer::{Service, Settings, expose};
    /// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
    /// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com"}},
    /// #     "spec": {"ports": [{"port": 80}]}});
    /// # let outcome = expose(&Service::from_value(&service), &Settings::default());
    /// # let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
    /// let ingress = plan.typed_ingress()?;
    /// assert_eq!(ingress.metadata.name.as_deref(), Some("web"));
    /// assert_eq!(ingress.spec.and_then(|spec| spec.rules).map(|rules| rules.len()), Some(1));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None is known: what is emitted has the form of the API.
    #[cfg(feature = "k8s-openapi")]
    pub fn typed_ingress(&self) -> Result<k8s_openapi::api::networking::v1::Ingress, serde_json::Error> {
        serde_json::to_value(Ingress::new(self)).and_then(serde_json::from_value)
    }
}

/// The objects of several plans: the Ingresses in the order of the plans, then one URL ConfigMap for every namespace
/// that has entries, in the order of the namespaces.
///
/// It compares nothing: plans of [`expose_all`](crate::expose_all) claim nothing twice, those of
/// [`expose`](crate::expose) may.
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Service, Settings, URL_CONFIG_MAP, emit_all, expose_all};
/// # let service = |name| json!({"metadata": {"name": name, "namespace": "shop", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "{{.Service}}.example.com",
/// #         "xposer.stakater.com/annotations": "exposeIngressUrl: locally"}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// # let (first, second) = (service("web"), service("api"));
/// # let services = [Service::from_value(&first), Service::from_value(&second)];
/// // The Services `web` and `api` forward `exposeIngressUrl: locally`.
/// let outcomes = expose_all(&services, &Settings::default());
/// let emitted = emit_all(outcomes.iter().filter_map(|outcome| outcome.plan()));
/// let names: Vec<_> = emitted.objects.iter().map(|object| object.name()).collect();
/// assert_eq!(names, ["web", "api", URL_CONFIG_MAP]);
/// ```
#[must_use]
pub fn emit_all<'p>(plans: impl IntoIterator<Item = &'p Plan<'p>>) -> Emitted<'p> {
    let mut emitted = Emitted::default();
    let mut urls = configmap::Urls::default();
    for plan in plans {
        emitted.objects.push(Object(Kind::Ingress(Ingress::new(plan))));
        urls.add(plan);
    }
    let maps = urls.maps(&mut emitted.report);
    emitted.objects.extend(maps.into_iter().map(|map| Object(Kind::ConfigMap(map))));
    emitted
}

/// The metadata of an object.
#[derive(Clone, Debug, Serialize)]
struct Metadata<'p> {
    #[serde(skip_serializing_if = "<[Annotation<'_>]>::is_empty", serialize_with = "mapping")]
    annotations: &'p [Annotation<'p>],
    labels: Labels<'p>,
    name: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'p str>,
}

fn mapping<S: Serializer>(annotations: &[Annotation<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(annotations.iter().map(|annotation| (&annotation.key, annotation.value)))
}

/// The labels by which we know our own.
#[derive(Clone, Debug, Serialize)]
struct Labels<'p> {
    #[serde(rename = "app.kubernetes.io/managed-by")]
    managed_by: &'static str,
    /// The Service, where the object belongs to a single one.
    #[serde(rename = "xposer.stakater.com/service", skip_serializing_if = "Option::is_none")]
    service: Option<&'p str>,
}

impl<'p> Labels<'p> {
    fn new(service: Option<&'p str>) -> Self {
        Self { managed_by: MANAGED_BY, service }
    }
}
