//! Plans become objects of the Kubernetes API, one file per kind. A kind says what it cannot express.

mod configmap;
mod httproute;
mod ingress;
mod kinds;
mod monitor;
mod route;
pub mod stamp;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::diagnostics::{Code, FieldPath, Origin, Problem, Report, quoted};
use crate::dialect::legacy::{Fate, Legacy, dns_key, find};
use crate::dialect::nginx::paths::USE_REGEX;
use crate::options::Target;
use crate::options::annotations::annotation;
use crate::plan::Plan;
use crate::resolve::{Annotation, Source};
use configmap::ConfigMap;
pub use configmap::URL_CONFIG_MAP;
use httproute::HttpRoute;
use ingress::Ingress;
pub use kinds::{Kind, KindRow, Permission};
use monitor::EndpointMonitor;
use route::OpenShiftRoute;

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
/// # use xposer::{Code, Kind, Service, Settings, expose};
/// # let service = json!({"metadata": {"name": "web", "namespace": "shop", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
/// #         "xposer.stakater.com/annotations": "exposeIngressUrl: globally"}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// # let outcome = expose(&Service::from_value(&service), &Settings::default());
/// # let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
/// // The Service forwards `exposeIngressUrl: globally`.
/// let emitted = plan.emit();
/// assert!(emitted.objects.iter().map(|object| object.kind()).eq([Kind::Ingress, Kind::ConfigMap]));
/// assert_eq!(emitted.report.diagnostics()[0].code, Code::PublishedHere);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Emitted<'p> {
    /// The objects: those of each plan in the order of the plans (what exposes the Service, then its monitor), then
    /// ConfigMaps in the order of their namespaces.
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
/// assert_eq!((ingress.api_version(), ingress.kind()), ("networking.k8s.io/v1", xposer::Kind::Ingress));
/// assert_eq!((ingress.namespace(), ingress.name()), (Some("shop"), "web"));
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Object<'p>(Content<'p>);

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Content<'p> {
    Ingress(Ingress<'p>),
    HttpRoute(HttpRoute<'p>),
    Route(OpenShiftRoute<'p>),
    Monitor(EndpointMonitor<'p>),
    ConfigMap(ConfigMap<'p>),
}

impl Object<'_> {
    /// The API group and version: `networking.k8s.io/v1` for an Ingress, `v1` for a ConfigMap.
    #[must_use]
    pub fn api_version(&self) -> &'static str {
        self.kind().row().api_version
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.0 {
            Content::Ingress(_) => Kind::Ingress,
            Content::HttpRoute(_) => Kind::HttpRoute,
            Content::Route(_) => Kind::Route,
            Content::Monitor(_) => Kind::EndpointMonitor,
            Content::ConfigMap(_) => Kind::ConfigMap,
        }
    }

    /// The namespace, if it is known.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.metadata().namespace
    }

    /// The name: the rendered one, or one that begins with it; [`URL_CONFIG_MAP`] of a ConfigMap.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata().name
    }

    fn metadata(&self) -> &Metadata<'_> {
        match &self.0 {
            Content::Ingress(ingress) => &ingress.metadata,
            Content::HttpRoute(route) => &route.metadata,
            Content::Route(route) => &route.metadata,
            Content::Monitor(monitor) => &monitor.metadata,
            Content::ConfigMap(map) => &map.metadata,
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
        serde_json::to_value(ingress::ingress(self)).and_then(serde_json::from_value)
    }
}

/// The objects of several plans: those of each plan in the order of the plans, then one URL ConfigMap for every namespace
/// that has entries, in the order of the namespaces. An HTTPRoute and a Route also lead to the canaries among the plans.
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
    let plans: Vec<&Plan<'p>> = plans.into_iter().collect();
    let shares = Shares::new(&plans);
    // Most plans make one object.
    let mut emitted = Emitted { objects: Vec::with_capacity(plans.len()), ..Emitted::default() };
    let mut urls = configmap::Urls::default();
    for plan in &plans {
        let mut found = None;
        for target in &plan.targets {
            let mut kind = Emitting { plan, shares: &shares, target: *target, found: &mut found };
            match target {
                Target::Ingress => emitted.objects.push(Object(Content::Ingress(ingress::ingress(plan)))),
                Target::HttpRoute => {
                    emitted
                        .objects
                        .extend(httproute::routes(&mut kind).map(|it| Object(Content::HttpRoute(it))));
                }
                Target::Route => {
                    emitted.objects.extend(route::routes(&mut kind).map(|it| Object(Content::Route(it))));
                }
            }
        }
        emitted.report.merge(found.unwrap_or_default());
        emitted.objects.extend(monitor::monitor(plan).map(|it| Object(Content::Monitor(it))));
        urls.add(plan);
    }
    let maps = urls.maps(&mut emitted.report);
    emitted.objects.extend(maps.into_iter().map(|map| Object(Content::ConfigMap(map))));
    emitted
}

/// Which canaries share the requests of which Service.
struct Shares<'p> {
    canaries: BTreeMap<(Option<&'p str>, &'p str), Vec<&'p Plan<'p>>>,
    exposed: Vec<(Option<&'p str>, &'p str)>,
}

impl<'p> Shares<'p> {
    fn new(plans: &[&'p Plan<'p>]) -> Self {
        let mut canaries: BTreeMap<_, Vec<&'p Plan<'p>>> = BTreeMap::new();
        for plan in plans {
            if let Some(canary) = &plan.canary {
                canaries.entry((plan.namespace, canary.of)).or_default().push(plan);
            }
        }
        let mut exposed = Vec::new();
        if !canaries.is_empty() {
            exposed.extend(plans.iter().map(|plan| (plan.namespace, plan.service)));
            exposed.sort_unstable();
        }
        Self { canaries, exposed }
    }
}

/// One plan on its way to one target.
struct Emitting<'e, 'p> {
    plan: &'p Plan<'p>,
    shares: &'e Shares<'p>,
    target: Target,
    /// What was found about the plan, whatever the target; most plans have nothing.
    found: &'e mut Option<Report>,
}

impl<'p> Emitting<'_, 'p> {
    /// The canaries of the plan's Service that go to the same target and have a weight, with their weights.
    fn canaries(&self) -> Vec<(&'p Plan<'p>, u8)> {
        let all = self.shares.canaries.get(&(self.plan.namespace, self.plan.service));
        let weighted = all.into_iter().flatten().filter(|canary| canary.targets.contains(&self.target));
        weighted.filter_map(|plan| Some((*plan, plan.canary.as_ref()?.weight?))).collect()
    }

    fn report(&mut self) -> &mut Report {
        self.found.get_or_insert_with(|| Report::new(self.plan.subject(), false))
    }

    /// Files what the target has nothing for.
    fn inexpressible(&mut self, path: FieldPath, said: String) {
        self.report().file(path, Problem::new(Code::TargetInexpressible, said));
    }

    /// The kind of object, with its article.
    fn one(&self) -> String {
        let kind = self.target.as_str();
        format!("{} {kind}", if self.target == Target::Route { "a" } else { "an" })
    }

    /// Files that the target has nothing for an annotation.
    fn lacks_annotation(&mut self, annotation: &Annotation<'_>, said: String) {
        annotation.file_key(self.report(), Problem::new(Code::TargetInexpressible, said));
    }

    /// What is lost of the plan whatever the target, if it is no Ingress.
    fn lacks_class(&mut self) {
        if let (Some(class), Some(origin)) = (&self.plan.ingress.class, &self.plan.class_origin) {
            let said =
                format!("{} has no class, so {} has no effect on it", self.one(), quoted(class.as_str()));
            self.inexpressible(origin.path(), said);
        }
    }

    /// A weight is in the stable Service's own route, so it needs that Service.
    fn lacks_stable(&mut self) {
        let Some(canary) = &self.plan.canary else { return };
        let stable = (self.plan.namespace, canary.of);
        if canary.weight.is_some() && self.shares.exposed.binary_search(&stable).is_err() {
            let said = format!(
                "the weight of a canary stands in the {} of the Service {}, which is not among these",
                self.target.as_str(),
                quoted(canary.of)
            );
            self.inexpressible(FieldPath::annotation(annotation::CANARY_WEIGHT), said);
        }
    }

    /// The annotations without those that only controllers of Ingresses read; those are told.
    fn annotations(&mut self) -> Vec<(Cow<'p, str>, Cow<'p, str>)> {
        let plan = self.plan;
        let scene = plan.scene();
        let mut kept = Vec::with_capacity(plan.ingress.annotations.len());
        let mut told = None;
        for given in &plan.ingress.annotations {
            // What nobody reads is told already, whatever the target.
            if matches!(find(&given.key), Some(Legacy { fate: Fate::Removed { .. }, .. })) {
                continue;
            }
            // A link that nobody asked for is not missed; what other settings give is told at these.
            let made = matches!(&given.source, Source::Origin(Origin::Annotation(_)))
                || (!given.is_given() && (given.key == USE_REGEX || given.key.starts_with(FORECASTLE)));
            if let Some(said) = self.unread(&given.key) {
                // A key under two prefixes is told once.
                if !made && told.replace(&given.source) != Some(&given.source) {
                    self.lacks_annotation(given, said);
                }
                continue;
            }
            if !is_of_others(&given.key, self.target) {
                kept.push((Cow::Borrowed(given.key.as_ref()), Cow::Borrowed(given.value.as_ref())));
                continue;
            }
            // A rule has said what is lost with the more important ones, and some need no word.
            if made || scene.is_told(given, self.target) || scene.fulfils(given, self.target) {
                continue;
            }
            // What our own annotations ask for is expressed, or told, where it is about them.
            if scene.redirects_against(given, self.target) {
                let said = format!(
                    "{} sends requests to https in spite of {}; {}: \"false\" is for every target",
                    self.one(),
                    quoted(&given.key),
                    annotation::HTTPS_REDIRECT
                );
                self.lacks_annotation(given, said);
            } else if !is_expressed(&given.key) {
                let said = format!("{} has nothing for {}", self.one(), quoted(&given.key));
                self.lacks_annotation(given, said);
            }
        }
        kept
    }
}

impl Emitting<'_, '_> {
    /// Why the program that a key is for would not read it here, or had better not.
    fn unread(&self, key: &str) -> Option<String> {
        let is_target = || dns_key(key).is_some_and(|(_, name)| name == "target");
        match self.target {
            Target::HttpRoute if is_target() => {
                Some(format!("ExternalDNS reads {} on the Gateway and on no HTTPRoute", quoted(key)))
            }
            Target::HttpRoute
                if key.starts_with(FORECASTLE) && self.plan.targets.contains(&Target::Ingress) =>
            {
                Some(format!(
                    "the Ingress has {}, and Forecastle would list the HTTPRoute as well",
                    quoted(key)
                ))
            }
            Target::Route if key.starts_with(FORECASTLE) => {
                Some(format!("Forecastle does not read {} on a Route; a ForecastleApp lists it", quoted(key)))
            }
            _ => None,
        }
    }
}

const FORECASTLE: &str = "forecastle.stakater.com/";

/// The prefixes of keys that only controllers of Ingresses read.
const OF_INGRESSES: [&str; 17] = [
    "nginx.ingress.kubernetes.io/",
    "ingress.kubernetes.io/",
    "kubernetes.io/",
    "alb.ingress.kubernetes.io/",
    "traefik.ingress.kubernetes.io/",
    "cert-manager.io/",
    "acme.cert-manager.io/",
    "certmanager.k8s.io/",
    "appgw.ingress.kubernetes.io/",
    "haproxy-ingress.github.io/",
    "haproxy.com/",
    "haproxy.org/",
    "ingress.cilium.io/",
    "k8s.apisix.apache.org/",
    "nginx.com/",
    "nginx.org/",
    "projectcontour.io/",
];

/// The prefixes of keys that are read on one of the other targets, and on which.
const OF_TARGETS: [(&str, Target); 3] = [
    ("haproxy.router.openshift.io/", Target::Route),
    ("konghq.com/", Target::HttpRoute),
    ("router.openshift.io/", Target::Route),
];

/// Whether nobody reads a key on this target.
fn is_of_others(key: &str, target: Target) -> bool {
    OF_INGRESSES.iter().any(|prefix| key.starts_with(prefix))
        || OF_TARGETS.iter().any(|(prefix, own)| *own != target && key.starts_with(prefix))
}

/// Whether another target has a field for what the key says.
fn is_expressed(key: &str) -> bool {
    matches!(
        key,
        "nginx.ingress.kubernetes.io/rewrite-target"
            | "nginx.ingress.kubernetes.io/ssl-redirect"
            | "nginx.ingress.kubernetes.io/force-ssl-redirect"
    )
}

/// An object with a spec, field by field in alphabetical order.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource<'p, S> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata<'p>,
    spec: S,
}

impl<'p, S> Resource<'p, S> {
    /// An object of the plan's Service.
    fn new(
        kind: Kind,
        plan: &'p Plan<'p>,
        name: Cow<'p, str>,
        annotations: Annotations<'p>,
        spec: S,
    ) -> Self {
        let labels = Labels::new(Some(plan.service));
        let metadata = Metadata { annotations, labels, name, namespace: plan.namespace };
        Self { api_version: kind.row().api_version, kind: kind.as_str(), metadata, spec }
    }
}

/// The metadata of an object.
#[derive(Clone, Debug, Serialize)]
struct Metadata<'p> {
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    annotations: Annotations<'p>,
    labels: Labels<'p>,
    name: Cow<'p, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'p str>,
}

/// The annotations of an object: those of the plan, or some of them.
#[derive(Clone, Debug)]
enum Annotations<'p> {
    Of(&'p [Annotation<'p>]),
    Own(Vec<(Cow<'p, str>, Cow<'p, str>)>),
}

impl Annotations<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Of(annotations) => annotations.is_empty(),
            Self::Own(annotations) => annotations.is_empty(),
        }
    }
}

impl Serialize for Annotations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Of(annotations) => {
                serializer.collect_map(annotations.iter().map(|it| (&it.key, &it.value)))
            }
            Self::Own(annotations) => {
                serializer.collect_map(annotations.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

/// The percentage that is left of a Service's requests beside its canaries.
fn rest(canaries: impl IntoIterator<Item = u8>) -> u8 {
    100 - canaries.into_iter().fold(0, u8::saturating_add).min(100)
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
