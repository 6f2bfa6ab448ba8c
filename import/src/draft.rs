//! The draft of a Service's annotations, and its result in the core.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use xposer::internal::block;
use xposer::service::{CONFIG_PREFIX, EXPOSE_LABEL, FORWARD_ANNOTATION};
use xposer::{Outcome, Plan, Report, Service, Settings, Severity, expose};

use crate::keys;

/// The label and the annotations of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Draft {
    /// The options.
    pub(crate) options: BTreeMap<&'static str, String>,
    /// The lines of the forwarded block: keys and values.
    pub(crate) block: BTreeMap<String, String>,
    /// The labels of the emitted objects.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Draft {
    /// The annotations of the Service.
    pub(crate) fn annotations(&self) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> =
            self.options.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        if !self.labels.is_empty() {
            let lines: Vec<String> =
                self.labels.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            all.insert(keys::LABELS.to_owned(), lines.join("\n"));
        }
        if !self.block.is_empty() {
            let lines: Vec<String> = self.block.iter().filter_map(|(key, value)| line(key, value)).collect();
            all.insert(FORWARD_ANNOTATION.to_owned(), lines.join("\n"));
        }
        all
    }
}

/// The line of the forwarded block that parses as this key and value; `None` if there is none, for example for a value of several
/// lines.
pub(crate) fn line(key: &str, value: &str) -> Option<String> {
    // Text inside a value that looks like another key is read as one, unless it is in quotes.
    let is_several =
        value.contains([' ', ',', ';', '\\']) && value.contains('/') && value.contains([':', '=']);
    let plain = format!("{key}: {value}");
    let (single, double) = (format!("{key}: '{value}'"), format!("{key}: \"{value}\""));
    let forms = if is_several { [single, double, plain] } else { [plain, double, single] };
    forms.into_iter().find(|form| {
        let (block, problems) = block::parse(form);
        let lines = block.lines().iter().map(|line| (line.key, line.value));
        problems.is_empty() && lines.eq([(key, value)])
    })
}

/// Whether a key of an annotation belongs to Xposer.
pub(crate) fn is_ours(key: &str) -> bool {
    key.starts_with(CONFIG_PREFIX) || key == FORWARD_ANNOTATION
}

/// A Service without its annotations of Xposer, with only the fields that the core reads.
pub(crate) fn bare(service: &Value, namespace: &str) -> Value {
    let metadata = service.get("metadata").unwrap_or(&Value::Null);
    let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default();
    let own = Some(text("namespace")).filter(|own| !own.is_empty()).unwrap_or(namespace);
    let given = metadata.get("annotations").and_then(Value::as_object);
    let given = given.into_iter().flatten().filter(|(key, value)| !is_ours(key) && value.is_string());
    let annotations: Map<String, Value> = given.map(|(key, value)| (key.clone(), value.clone())).collect();
    let mut named =
        json!({"name": text("name"), "labels": {EXPOSE_LABEL: "true"}, "annotations": annotations});
    if let Some(named) = named.as_object_mut().filter(|_| !own.is_empty()) {
        named.insert("namespace".to_owned(), own.into());
    }
    let fields = ["type", "clusterIP", "ports"];
    let spec = fields
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), service.pointer(&format!("/spec/{key}"))?.clone())));
    let spec: Map<String, Value> = spec.collect();
    json!({"apiVersion": "v1", "kind": "Service", "metadata": named, "spec": spec})
}

/// Adds the annotations of a draft to a Service.
pub(crate) fn with_draft(bare: &Value, draft: &Draft) -> Value {
    let mut service = bare.clone();
    if let Some(Value::Object(annotations)) = service.pointer_mut("/metadata/annotations") {
        annotations.extend(draft.annotations().into_iter().map(|(key, value)| (key, value.into())));
    }
    service
}

/// Decides about a Service with a draft.
pub(crate) fn decide(bare: &Value, draft: &Draft, settings: &Settings) -> Outcome {
    expose(&Service::from_value(&with_draft(bare, draft)), settings)
}

/// The objects of a plan, as texts to compare.
pub(crate) fn objects(plan: &Plan) -> Vec<String> {
    plan.emit().objects.iter().map(xposer::Object::to_json).collect()
}

fn warnings(report: &Report) -> usize {
    report.of(Severity::Warning).count()
}

/// Removes everything from the draft that the settings give anyway: every object must stay the same, without new warnings.
pub(crate) fn smallest(bare: &Value, draft: Draft, keep: &[&str], settings: &Settings) -> Draft {
    let Outcome::Planned { plan, report } = decide(bare, &draft, settings) else { return draft };
    let (source, most) = (objects(&plan), warnings(&report));
    let is_same = |draft: &Draft| match decide(bare, draft, settings) {
        Outcome::Planned { plan, report } => warnings(&report) <= most && objects(&plan) == source,
        _ => false,
    };
    let mut draft = draft;
    let keys: Vec<&'static str> = draft.options.keys().copied().filter(|key| !keep.contains(key)).collect();
    // A fast path: nearly every proposal needs its URL or none of its options, and one trial detects the latter.
    let mut without = draft.clone();
    without.options.retain(|key, _| keep.contains(key));
    if is_same(&without) {
        draft = without;
    } else {
        for key in keys {
            let mut without = draft.clone();
            without.options.remove(key);
            if is_same(&without) {
                draft = without;
            }
        }
    }
    // The metadata of the objects without any entry of this kind in the draft.
    let metadata = |draft: &Draft, field: &str| -> Value {
        let Outcome::Planned { plan, .. } = decide(bare, draft, settings) else { return Value::Null };
        let objects = plan.emit().objects;
        let found = objects.iter().find(|object| object.name() == plan.name()).map(xposer::Object::to_value);
        found
            .and_then(|mut object| Some(object.pointer_mut(&format!("/metadata/{field}"))?.take()))
            .unwrap_or_default()
    };
    draft = smallest_of(draft, |draft| &mut draft.block, &is_same, &|draft| metadata(draft, "annotations"));
    smallest_of(draft, |draft| &mut draft.labels, &is_same, &|draft| metadata(draft, "labels"))
}

/// Removes the entries of one kind that the settings give: those that the objects have even without them.
fn smallest_of(
    draft: Draft,
    entries: impl Fn(&mut Draft) -> &mut BTreeMap<String, String>,
    is_same: &dyn Fn(&Draft) -> bool,
    given: &dyn Fn(&Draft) -> Value,
) -> Draft {
    let mut none = draft.clone();
    let all = std::mem::take(entries(&mut none));
    if all.is_empty() || is_same(&none) {
        return none;
    }
    let mut draft = draft;
    let given = given(&none);
    for (key, _) in
        all.iter().filter(|(key, value)| given.get(key.as_str()).and_then(Value::as_str) == Some(value))
    {
        let mut without = draft.clone();
        entries(&mut without).remove(key);
        if is_same(&without) {
            draft = without;
        }
    }
    draft
}
