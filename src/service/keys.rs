//! The labels and annotations that are read on a Service.

use crate::dialect::{external_dns, is_for_ingress, is_for_service};

/// The fields that [`Service::from_value`](super::Service::from_value) reads of a document. Fields that an API server drops are not
/// listed: in those, `from_value` finds misplaced keys ([`Code::AskedWrongly`](crate::Code::AskedWrongly)), which a document from
/// an API server does not have.
///
/// A program with a document from an API server as text may parse these fields alone.
///
/// ```
/// let read = |name: &str| xposer::internal::READ.iter().find(|(field, _)| *field == name).map(|(_, fields)| *fields);
/// assert!(read("spec").is_some_and(|fields| fields.contains(&"ports")) && read("status").is_none());
/// ```
pub const READ: [(&str, &[&str]); 2] = [
    ("metadata", &["name", "namespace", "generateName", "labels", "annotations"]),
    ("spec", &["type", "clusterIP", "ports", "externalIPs", "loadBalancerClass", "loadBalancerIP"]),
];

/// The label that requests exposure; its value must be exactly `true`.
///
/// ```
/// use serde_json::json;
/// use xposer::service::EXPOSE_LABEL;
/// use xposer::Service;
/// let labelled = |value: &str| json!({"metadata": {"name": "web", "labels": {EXPOSE_LABEL: value}}});
/// assert!(Service::from_value(&labelled("true")).is_exposed());
/// assert!(!Service::from_value(&labelled("True")).is_exposed());
/// ```
pub const EXPOSE_LABEL: &str = "expose";
/// The prefix of the annotations that configure the exposure.
///
/// ```
/// use xposer::options::annotations;
/// use xposer::service::{CONFIG_PREFIX, FORWARD_ANNOTATION};
/// let others = annotations().map(|(key, _)| key.name).filter(|key| !key.starts_with(CONFIG_PREFIX));
/// assert!(others.eq([FORWARD_ANNOTATION]));
/// ```
pub const CONFIG_PREFIX: &str = "config.xposer.stakater.com/";
/// The annotation that holds the block of annotations to forward; `docs/reference/annotations.md` describes
/// its form.
///
/// ```
/// use serde_json::json;
/// use xposer::{service::FORWARD_ANNOTATION, testing};
/// let plan = testing::plan(&[(FORWARD_ANNOTATION, "example.com/owner: team-a")], json!({}))?;
/// assert_eq!(plan.annotations()[0].key, "example.com/owner");
/// # Ok::<(), xposer::Report>(())
/// ```
pub const FORWARD_ANNOTATION: &str = "xposer.stakater.com/annotations";
/// An annotation on an object of another owner: the name of the Service that may adopt it.
///
/// ```
/// assert_eq!(xposer::service::ADOPT_ANNOTATION, "xposer.stakater.com/adopt");
/// ```
pub const ADOPT_ANNOTATION: &str = "xposer.stakater.com/adopt";
/// The prefix of [`FORWARD_ANNOTATION`].
const FORWARD_PREFIX: &str = "xposer.stakater.com/";

/// The key in the block that requests an entry in the URL ConfigMap.
pub(crate) const PUBLISH_KEY: &str = "exposeIngressUrl";

/// The prefix of the annotations that are written back; see the module `stamp`.
pub(crate) const STAMP_PREFIX: &str = "status.xposer.stakater.com/";

/// The label that names the program that manages an object (a recommended label of Kubernetes).
///
/// ```
/// use serde_json::json;
/// use xposer::service::{MANAGED_BY, MANAGED_BY_LABEL, SERVICE_LABEL};
/// use xposer::{Service, Settings, expose, testing};
/// let service = testing::service(&[("IngressURLTemplate", "web.example.com")]);
/// let outcome = expose(&Service::from_value(&service), &Settings::default());
/// let ingress = outcome.plan().unwrap().emit().objects[0].to_value();
/// assert_eq!(ingress["metadata"]["labels"], json!({MANAGED_BY_LABEL: MANAGED_BY, SERVICE_LABEL: "web"}));
/// ```
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY_LABEL`] on everything that is emitted.
///
/// ```
/// use serde_json::json;
/// use xposer::{service::MANAGED_BY, testing};
/// let ingress = testing::plan(&[], json!({}))?.emit().objects[0].to_value();
/// assert_eq!(ingress["metadata"]["labels"]["app.kubernetes.io/managed-by"], MANAGED_BY);
/// # Ok::<(), xposer::Report>(())
/// ```
pub const MANAGED_BY: &str = "xposer";
/// The label that names the Service that an object was made for. A URL ConfigMap belongs to several Services, so it has none.
///
/// ```
/// use serde_json::json;
/// use xposer::{service::SERVICE_LABEL, testing};
/// let ingress = testing::plan(&[], json!({}))?.emit().objects[0].to_value();
/// assert_eq!(ingress["metadata"]["labels"][SERVICE_LABEL], "web");
/// # Ok::<(), xposer::Report>(())
/// ```
pub const SERVICE_LABEL: &str = "xposer.stakater.com/service";

/// Whether the value of an annotation with this key is read. Of all other annotations, only the size matters.
///
/// ```
/// use xposer::internal::reads_annotation;
/// use xposer::service::FORWARD_ANNOTATION;
/// assert!(reads_annotation(FORWARD_ANNOTATION));
/// assert!(!reads_annotation("kubectl.kubernetes.io/last-applied-configuration"));
/// ```
#[must_use]
pub fn reads_annotation(key: &str) -> bool {
    is_ours(key)
        || key.starts_with(STAMP_PREFIX)
        || external_dns::may_name_hosts(key)
        || external_dns::may_redirect_names(key)
        || external_dns::may_select(key)
        || is_for_service(key)
        || is_for_ingress(key)
        || is_nearly_ours(key)
}

/// Whether a label with this key is read, if only to report that it belongs elsewhere.
///
/// ```
/// use xposer::internal::reads_label;
/// use xposer::service::EXPOSE_LABEL;
/// assert!(reads_label(EXPOSE_LABEL) && reads_label("config.xposer.stakater.com/TLS"));
/// assert!(!reads_label("app.kubernetes.io/name"));
/// ```
#[must_use]
pub fn reads_label(key: &str) -> bool {
    key == EXPOSE_LABEL || is_ours(key)
}

/// Whether a key has one of the two prefixes of Xposer, in any letter case. A misspelt key is reported, not ignored.
pub(super) fn is_ours(key: &str) -> bool {
    [CONFIG_PREFIX, FORWARD_PREFIX]
        .iter()
        .any(|prefix| key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
}

/// Whether the prefix of a key is a misspelling of one of the two prefixes of Xposer.
pub(super) fn is_nearly_ours(key: &str) -> bool {
    /// Large enough for `.io` instead of `.com`, which is two edits.
    const MAX_EDITS: usize = 3;
    let Some((prefix, _)) = key.split_once('/') else { return false };
    let is_near = |ours: &str| {
        let ours = ours.trim_end_matches('/');
        // The edit distance takes time proportional to the product of the lengths, so the lengths are compared first.
        prefix.len().abs_diff(ours.len()) <= MAX_EDITS && strsim::osa_distance(prefix, ours) <= MAX_EDITS
    };
    !is_ours(key) && (is_near(CONFIG_PREFIX) || is_near(FORWARD_PREFIX))
}
