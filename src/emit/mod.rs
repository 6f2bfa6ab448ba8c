//! Makes objects of the Kubernetes API from plans. Each kind has one file, which also reports what the kind cannot express.

mod annotations;
mod configmap;
mod httproute;
mod ingress;
mod listener_set;
mod metadata;
mod monitor;
mod route;
pub mod stamp;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::diagnostics::{Code, FieldPath, Origin, Problem, Report, Sourced, quoted};
use crate::dialect::cert_manager;
use crate::dialect::write::{Content, extras};
use crate::options::annotations::annotation;
pub use crate::plan::kinds::{Kind, KindRow, Permission};
use crate::plan::{Annotation, Plan};
use crate::values::Target;
pub use configmap::URL_CONFIG_MAP;
use metadata::Metadata;

/// The objects of some plans, and a report of what their kinds cannot express.
///
/// ```
/// use serde_json::json;
/// use xposer::{Code, emit::Kind, testing};
/// let plan = testing::plan(&[("xposer.stakater.com/annotations", "exposeIngressUrl: globally")], json!({}))?;
/// let emitted = plan.emit();
/// assert!(emitted.objects.iter().map(|object| object.kind()).eq([Kind::Ingress, Kind::ConfigMap]));
/// assert_eq!(emitted.report.diagnostics()[0].code, Code::PublishedHere);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Emitted<'p> {
    /// The objects: first those of each plan in the order of the plans, then ConfigMaps in the order of their namespaces. Within a
    /// plan, each target has the objects that protect the Service before those that expose it; the monitor is last.
    pub objects: Vec<Object<'p>>,
    /// Infos about what could not be expressed.
    pub report: Report,
}

/// An object of the Kubernetes API, ready to be serialised. It borrows from the plans it was made of.
///
/// Its keys are written in alphabetical order, as Kubernetes' own tools do.
///
/// ```
/// use serde_json::json;
/// let plan = xposer::testing::plan(&[], json!({}))?;
/// let emitted = plan.emit();
/// let ingress = &emitted.objects[0];
/// assert_eq!((ingress.api_version(), ingress.kind()), ("networking.k8s.io/v1", xposer::emit::Kind::Ingress));
/// assert_eq!((ingress.namespace(), ingress.name()), (Some("shop"), "web"));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Object<'p> {
    api_version: &'static str,
    /// The entries of a ConfigMap, which has no `spec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<BTreeMap<&'p str, &'p str>>,
    #[serde(serialize_with = "as_text")]
    kind: Kind,
    metadata: Metadata<'p>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<Spec<'p>>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Spec<'p> {
    Ingress(ingress::Spec<'p>),
    HttpRoute(httproute::Spec<'p>),
    /// That of any other kind.
    Other(Value),
}

fn as_text<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

impl<'p> Object<'p> {
    fn new(kind: Kind, metadata: Metadata<'p>, spec: Option<Spec<'p>>) -> Self {
        Self { api_version: kind.row().api_version, data: None, kind, metadata, spec }
    }

    /// The API group and version: `networking.k8s.io/v1` for an Ingress, `v1` for a ConfigMap.
    #[must_use]
    pub fn api_version(&self) -> &'static str {
        self.api_version
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The namespace, if the plan has one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.metadata.namespace
    }

    /// The name: the rendered name, or a name that begins with it; [`URL_CONFIG_MAP`] for a ConfigMap.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The value of a label.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::service::SERVICE_LABEL;
    /// let plan = xposer::testing::plan(&[], json!({}))?;
    /// assert_eq!(plan.emit().objects[0].label(SERVICE_LABEL), Some("web"));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata.labels.iter().find(|(known, _)| *known == key).map(|(_, value)| *value)
    }

    /// The object as JSON text, compact, with its keys in alphabetical order.
    ///
    /// ```
    /// use serde_json::json;
    /// let text = xposer::testing::plan(&[], json!({}))?.emit().objects[0].to_json();
    /// assert!(text.starts_with(r#"{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":"#));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        // Most objects fit into this capacity, so the buffer does not grow.
        let mut text = Vec::with_capacity(1000);
        // This cannot fail: texts, numbers and mappings with text keys have a JSON form, and writing to a Vec succeeds.
        if serde_json::to_writer(&mut text, self).is_err() {
            text.clear();
        }
        String::from_utf8(text).unwrap_or_default()
    }

    /// The object as a JSON value.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[], json!({}))?;
    /// let objects = plan.emit().objects;
    /// assert_eq!(objects[0].to_value()["metadata"]["name"], objects[0].name());
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn to_value(&self) -> Value {
        // This cannot fail: texts, numbers and mappings with text keys have a JSON form.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Plan {
    /// Returns the objects of this plan alone. Use [`emit_all`] for the plans of several Services, which share one URL ConfigMap in
    /// each namespace. [`Emitted`] and [`Object`] have examples.
    #[must_use]
    pub fn emit(&self) -> Emitted<'_> {
        emit_all([self])
    }

    /// The Ingress as a typed object, with the same fields as the Ingress of [`Plan::emit`].
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = xposer::testing::plan(&[], json!({}))?;
    /// let ingress = plan.typed_ingress()?;
    /// assert_eq!(ingress.metadata.name.as_deref(), Some("web"));
    /// assert_eq!(ingress.spec.and_then(|spec| spec.rules).map(|rules| rules.len()), Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of deserialising the Ingress into its type. No plan with this error is known, because objects have the form of the
    /// API.
    #[cfg(feature = "k8s-openapi")]
    pub fn typed_ingress(&self) -> Result<k8s_openapi::api::networking::v1::Ingress, serde_json::Error> {
        serde_json::to_value(ingress::ingress(self, self, self.annotations.iter().collect()))
            .and_then(serde_json::from_value)
    }
}

/// Returns the objects of several plans: those of each plan in the order of the plans, then one URL ConfigMap for every namespace
/// that has entries, in the order of the namespaces. An HTTPRoute and a Route also have the canaries among the plans as backends.
///
/// The function does not look for conflicts: plans from [`expose_all`](crate::expose_all) have none, but plans from
/// [`expose`](crate::expose) may.
///
/// ```
/// use serde_json::json;
/// use xposer::{Precedence, Service, Settings, emit::URL_CONFIG_MAP, emit_all, expose_all, testing};
/// let web = testing::service(&[("Domain", "example.com"), ("xposer.stakater.com/annotations", "exposeIngressUrl: locally")]);
/// let mut api = web.clone();
/// api["metadata"]["name"] = json!("api");
/// let services = [Service::from_value(&web), Service::from_value(&api)];
/// let outcomes = expose_all(&services, &Settings::default(), Precedence::RefuseAll);
/// let emitted = emit_all(outcomes.iter().filter_map(|outcome| outcome.plan()));
/// let names: Vec<_> = emitted.objects.iter().map(|object| object.name()).collect();
/// assert_eq!(names, ["web", "api", URL_CONFIG_MAP]);
/// ```
#[must_use]
pub fn emit_all<'p>(plans: impl IntoIterator<Item = &'p Plan>) -> Emitted<'p> {
    let plans: Vec<&Plan> = plans.into_iter().collect();
    let shares = Shares::new(&plans);
    // Most plans make one object.
    let mut emitted = Emitted { objects: Vec::with_capacity(plans.len()), ..Emitted::default() };
    for plan in &plans {
        let mut found = None;
        for target in &plan.targets {
            let beside = extras(plan, *target, &shares.all(plan, *target));
            let beside = beside.into_iter().map(|extra| {
                let metadata = Metadata::new(plan, extra.name, extra.annotations);
                let spec = match extra.content {
                    Content::Spec(spec) => Spec::Other(spec),
                    Content::Ingress { hosts } => Spec::Ingress(ingress::without_tls(plan, hosts)),
                };
                Object::new(extra.kind, metadata, Some(spec))
            });
            // Objects that protect the Service come first, because objects are usually applied in this order.
            let (others, first): (Vec<_>, Vec<_>) = beside.partition(|it| it.kind == Kind::Ingress);
            emitted.objects.extend(first);
            let mut kind = Emitting { plan, shares: &shares, target: *target, found: &mut found };
            match target {
                Target::Ingress => emitted.objects.extend(ingress::ingresses(&mut kind)),
                Target::HttpRoute => {
                    emitted.objects.extend(listener_set::listener_set(&kind));
                    emitted.objects.extend(httproute::routes(&mut kind));
                }
                Target::Route => emitted.objects.extend(route::routes(&mut kind)),
            }
            emitted.objects.extend(others);
        }
        if let Some(found) = found {
            emitted.report.merge(found);
        }
        emitted.objects.extend(monitor::monitor(plan));
    }
    emitted.objects.extend(configmap::maps(&plans, &mut emitted.report));
    emitted
}

/// The canaries among the plans, by stable Service.
struct Shares<'p> {
    canaries: BTreeMap<(Option<&'p str>, &'p str), Vec<&'p Plan>>,
    /// All plans; empty if there are no canaries.
    exposed: BTreeMap<(Option<&'p str>, &'p str), &'p Plan>,
}

impl<'p> Shares<'p> {
    fn new(plans: &[&'p Plan]) -> Self {
        let mut canaries: BTreeMap<_, Vec<&'p Plan>> = BTreeMap::new();
        for plan in plans {
            if let Some(stable) = plan.stable_identity() {
                canaries.entry(stable).or_default().push(plan);
            }
        }
        let mut exposed = BTreeMap::new();
        if !canaries.is_empty() {
            exposed.extend(plans.iter().map(|plan| (plan.identity(), *plan)));
        }
        Self { canaries, exposed }
    }

    /// The canaries of a plan's Service that are emitted for this target.
    fn all(&self, plan: &Plan, target: Target) -> Vec<&'p Plan> {
        let all = self.canaries.get(&plan.identity()).into_iter().flatten();
        all.filter(|canary| canary.targets.contains(&target)).copied().collect()
    }
}

/// The state of emitting a plan for one target.
struct Emitting<'e, 'p> {
    plan: &'p Plan,
    shares: &'e Shares<'p>,
    target: Target,
    /// The findings about the plan for all targets; `None` for most plans.
    found: &'e mut Option<Report>,
}

impl<'p> Emitting<'_, 'p> {
    /// The canaries of the plan's Service that are emitted for the same target and have a weight, with their weights.
    fn canaries(&self) -> Vec<(&'p Plan, u8)> {
        let all = self.shares.all(self.plan, self.target).into_iter();
        all.filter_map(|plan| Some((plan, plan.canary.as_ref()?.weight?))).collect()
    }

    /// The plan whose filters apply: for a canary, the plan of the stable Service.
    fn stable_plan(&self) -> &'p Plan {
        let stable = self.plan.stable_identity().and_then(|stable| self.shares.exposed.get(&stable));
        stable.copied().unwrap_or(self.plan)
    }

    fn report(&mut self) -> &mut Report {
        self.found.get_or_insert_with(|| Report::new(self.plan.subject.clone(), false))
    }

    /// Reports that the target cannot express something.
    fn file_inexpressible(&mut self, path: FieldPath, message: String) {
        self.report().file(path, Problem::new(Code::TargetInexpressible, message));
    }

    /// The subject of a message about the target: the controller of an Ingress, or the kind of another object.
    fn subject(&self) -> &'static str {
        match self.target {
            Target::Ingress => self.plan.program_name(self.target),
            Target::HttpRoute | Target::Route => self.target.with_article(),
        }
    }

    /// Reports that the target cannot express an annotation.
    fn file_inexpressible_annotation(&mut self, annotation: &Annotation, message: String) {
        annotation.file_key(self.report(), Problem::new(Code::TargetInexpressible, message));
    }

    /// Reports that only an Ingress has a class.
    fn file_ignored_class(&mut self) {
        if let Some(class) = &self.plan.class {
            let message =
                format!("{} has no class, so {} has no effect on it", self.subject(), quoted(&class.value));
            self.file_inexpressible(class.origin.path(), message);
        }
    }

    /// Reports that the weight of a canary is missing, because it is in the route of the stable Service, which is not among the
    /// plans.
    fn file_missing_stable(&mut self) {
        let Some(canary) = &self.plan.canary else { return };
        let stable = self.plan.stable_identity();
        if canary.weight.is_some() && stable.is_none_or(|stable| !self.shares.exposed.contains_key(&stable)) {
            let message = format!(
                "the weight of a canary is in the {} of the Service {}, which is not exposed here",
                self.target.as_str(),
                quoted(&canary.of)
            );
            self.file_inexpressible(FieldPath::annotation(annotation::CANARY_WEIGHT), message);
        }
    }

    /// Whether the ListenerSet of the HTTPRoutes asks cert-manager for the certificate.
    fn has_listener_set(&self) -> bool {
        self.target == Target::HttpRoute && self.plan.has_listener_set()
    }

    /// Reports that only an Ingress names the issuer of a setting.
    fn file_inexpressible_issuer(&mut self) {
        if self.has_listener_set() {
            return;
        }
        let written = cert_manager::write::write(self.plan, self.target);
        for issuer in written.into_iter().filter(|it| matches!(it.origin, Origin::Setting(_))) {
            let message = format!("{} has no field or annotation for {}", self.subject(), quoted(issuer.key));
            self.file_inexpressible(issuer.origin.path(), message);
        }
    }
}

/// The annotation or setting that a finding about this value names.
fn origin<T>(value: &Option<Sourced<T>>) -> FieldPath {
    value.as_ref().map(|value| value.origin.clone()).unwrap_or_default().path()
}

/// The percentage of a Service's requests that its canaries leave to it.
fn remaining_percentage(canaries: impl IntoIterator<Item = u8>) -> u8 {
    100 - canaries.into_iter().fold(0, u8::saturating_add).min(100)
}
