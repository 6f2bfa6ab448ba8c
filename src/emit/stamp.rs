//! The stamp: the annotations that are written back on a Service, with its URL and the name of its Ingress.
//!
//! The policy and the controller both write the stamp with the functions of this module, and only if the setting `stamp` is true.
//! All annotations under [`STAMP_PREFIX`] belong to Xposer: an annotation with another value is corrected or removed.

use serde_json::{Map, Value};

use crate::diagnostics::{Code, FieldPath, Problem, Report};
use crate::plan::Plan;
use crate::validation::MAX_ANNOTATIONS;
use crate::values::Target;

/// The prefix of the annotations that are written back.
///
/// ```
/// use xposer::emit::stamp::{INGRESS_ANNOTATION, STAMP_PREFIX, URL_ANNOTATION};
/// assert!([INGRESS_ANNOTATION, URL_ANNOTATION].iter().all(|key| key.starts_with(STAMP_PREFIX)));
/// ```
pub const STAMP_PREFIX: &str = crate::service::STAMP_PREFIX;
/// The annotation that holds [`Plan::url`](crate::Plan::url).
///
/// ```
/// use serde_json::json;
/// use xposer::emit::stamp::URL_ANNOTATION;
/// let stamp = xposer::testing::plan(&[], json!({}))?.stamp().expect("the annotations have room");
/// assert!(stamp.annotations().any(|annotation| annotation == (URL_ANNOTATION, "http://web.shop.example.com")));
/// # Ok::<(), xposer::Report>(())
/// ```
pub const URL_ANNOTATION: &str = "status.xposer.stakater.com/url";
/// The annotation that holds the name of the Ingress.
///
/// ```
/// use serde_json::json;
/// use xposer::emit::stamp::INGRESS_ANNOTATION;
/// let stamp = xposer::testing::plan(&[], json!({}))?.stamp().expect("the annotations have room");
/// assert!(stamp.annotations().any(|annotation| annotation == (INGRESS_ANNOTATION, "web")));
/// # Ok::<(), xposer::Report>(())
/// ```
pub const INGRESS_ANNOTATION: &str = "status.xposer.stakater.com/ingress";

/// The values that are written back on a Service.
///
/// ```
/// use serde_json::json;
/// use xposer::emit::stamp;
/// use xposer::{Service, Settings, expose, testing};
/// let mut service = testing::service(&[]);
/// let settings = Settings::from_value(&json!({"domain": "example.com"}))?;
/// let found = expose(&Service::from_value(&service), &settings).plan().and_then(|plan| plan.stamp());
/// assert!(stamp::write(&mut service, found.as_ref()));
/// assert_eq!(service["metadata"]["annotations"], json!({
///     "status.xposer.stakater.com/ingress": "web",
///     "status.xposer.stakater.com/url": "http://web.shop.example.com",
/// }));
/// // The annotations are correct already, so nothing is changed.
/// assert!(!stamp::write(&mut service, found.as_ref()));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stamp {
    /// The URL of the first route, for [`URL_ANNOTATION`].
    pub url: String,
    /// The name of the Ingress, for [`INGRESS_ANNOTATION`]; `None` if the Service has no Ingress.
    pub ingress: Option<String>,
}

impl Stamp {
    /// The annotations, in ascending order of their keys.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{emit::stamp, testing};
    /// let plan = testing::plan(&[("IngressURLTemplate", "web.example.com")], json!({}))?;
    /// let found = plan.stamp().expect("the annotations have room");
    /// assert!(found.annotations().eq([(stamp::INGRESS_ANNOTATION, "web"), (stamp::URL_ANNOTATION, "http://web.example.com")]));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    pub fn annotations(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let ingress = self.ingress.as_deref().map(|name| (INGRESS_ANNOTATION, name));
        ingress.into_iter().chain([(URL_ANNOTATION, self.url.as_str())])
    }
}

impl Plan {
    /// Returns the stamp of the Service; `None` if it does not fit into the size limit of the annotations ([`Code::StampNoRoom`]).
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        let ingress = self.targets.contains(&Target::Ingress).then(|| self.name().to_owned());
        let stamp = Stamp { url: self.url(), ingress };
        let bytes: usize = stamp.annotations().map(|(key, value)| key.len() + value.len()).sum();
        (self.annotation_bytes + bytes <= MAX_ANNOTATIONS).then_some(stamp)
    }
}

/// Files a Warning if the stamp would make the annotations of the Service larger than the API server allows.
pub(crate) fn check_room(plan: &Plan, report: &mut Report) {
    // Only Services near the limit pay for computing the URL.
    if plan.annotation_bytes > MAX_ANNOTATIONS / 2 && plan.stamp().is_none() {
        let message = format!(
            "the annotations have {} bytes, which leaves no room to write the URL back",
            plan.annotation_bytes
        );
        let problem = Problem::new(Code::StampNoRoom, message).help("shorten the annotations");
        report.file(FieldPath::object(&["metadata", "annotations"]), problem);
    }
}

/// Corrects the stamp in the JSON of a Service: sets the two annotations of the stamp, if there is one, and removes all other
/// annotations under [`STAMP_PREFIX`]. Returns whether anything was changed. Other fields stay unchanged, and everything does if
/// the metadata or the annotations are no mappings.
///
/// [`Stamp`] has an example with a stamp; this one has none:
///
/// ```
/// use serde_json::json;
/// use xposer::emit::stamp;
/// let mut service = json!({"metadata": {"annotations": {"status.xposer.stakater.com/url": "http://gone", "a": "b"}}});
/// assert!(stamp::write(&mut service, None));
/// assert_eq!(service, json!({"metadata": {"annotations": {"a": "b"}}}));
/// ```
pub fn write(service: &mut Value, stamp: Option<&Stamp>) -> bool {
    let Some(Value::Object(metadata)) = service.get_mut("metadata") else { return false };
    let mut changed = false;
    if let Some(stamp) = stamp {
        let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
        if annotations.is_null() {
            *annotations = Value::Object(Map::new());
        }
        let Value::Object(annotations) = annotations else { return false };
        for (key, value) in stamp.annotations() {
            if annotations.get(key).and_then(Value::as_str) != Some(value) {
                annotations.insert(key.to_owned(), value.into());
                changed = true;
            }
        }
    }
    let Some(Value::Object(annotations)) = metadata.get_mut("annotations") else { return changed };
    let wanted = |key: &str| stamp.is_some_and(|stamp| stamp.annotations().any(|(known, _)| known == key));
    let is_stale = |key: &String| key.starts_with(STAMP_PREFIX) && !wanted(key);
    if annotations.keys().any(is_stale) {
        // The map is rebuilt, because code that removes entries of a tree adds kilobytes to the policy's module.
        let all = std::mem::take(annotations);
        annotations.extend(all.into_iter().filter(|(key, _)| !is_stale(key)));
        changed = true;
    }
    changed
}
