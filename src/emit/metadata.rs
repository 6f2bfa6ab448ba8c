//! The metadata that all objects have.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::dialect::write::write;
use crate::plan::{Annotation, Plan};
use crate::service::{MANAGED_BY, MANAGED_BY_LABEL, SERVICE_LABEL};
use crate::values::Target;

/// The metadata of an object.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Metadata<'p> {
    #[serde(serialize_with = "as_map", skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Annotations<'p>,
    #[serde(serialize_with = "as_map")]
    pub(super) labels: Vec<(&'p str, &'p str)>,
    pub(super) name: Cow<'p, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<&'p str>,
}

impl<'p> Metadata<'p> {
    /// The metadata of an object of the plan's Service.
    pub(super) fn new(plan: &'p Plan, name: Cow<'p, str>, annotations: Annotations<'p>) -> Self {
        let given = plan.labels.iter().map(|(key, label)| (key.as_str(), label.value.as_str()));
        let mut labels: Vec<_> = given.collect();
        for ours in [(MANAGED_BY_LABEL, MANAGED_BY), (SERVICE_LABEL, plan.service())] {
            labels.insert(labels.partition_point(|known| *known < ours), ours);
        }
        Self { annotations, labels, name, namespace: plan.namespace() }
    }
}

/// The annotations of an object, in ascending order of their keys.
pub(super) type Annotations<'p> = Vec<(&'p str, Cow<'p, str>)>;

/// The annotations that users gave, and those that express the plan's intents to the programs that read the kind.
pub(super) fn with_intents<'p>(
    given: impl Iterator<Item = &'p Annotation>,
    plan: &'p Plan,
    target: Target,
) -> Annotations<'p> {
    let given = given.map(|it| (it.key.as_str(), Cow::Borrowed(it.value.as_str())));
    let mut all: Annotations<'p> =
        given.chain(write(plan, target).into_iter().map(|it| (it.key, it.value))).collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    all
}

fn as_map<S: Serializer, T: Serialize>(entries: &[(&str, T)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
}
