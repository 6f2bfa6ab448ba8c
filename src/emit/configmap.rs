//! The URL ConfigMap: `xposer`, one a namespace, with the entries of all its Services.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Emitted, labels, object, text};
use crate::diag::{Code, FieldPath, Problem, Report, Subject};
use crate::input::FORWARD_ANNOTATION;
use crate::plan::{Plan, Published};
use crate::resolve::Scope;

/// The name of the ConfigMap.
pub(crate) const NAME: &str = "xposer";

/// The entries of several plans.
#[derive(Default)]
pub(super) struct Urls<'p> {
    namespaces: BTreeSet<&'p str>,
    entries: Vec<(&'p Plan, &'p Published)>,
}

impl<'p> Urls<'p> {
    pub(super) fn add(&mut self, plan: &'p Plan) {
        let Some(namespace) = &plan.namespace else { return };
        self.namespaces.insert(namespace);
        if let Some(published) = &plan.published {
            self.entries.push((plan, published));
        }
    }

    pub(super) fn emit(self, emitted: &mut Emitted) {
        let mut maps: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for (plan, published) in &self.entries {
            let own = plan.namespace.as_deref().unwrap_or_default();
            let everywhere = published.scope == Scope::Globally;
            for namespace in self.namespaces.iter().filter(|namespace| everywhere || **namespace == own) {
                let data = maps.entry(namespace).or_default();
                data.insert(published.key.clone(), Value::String(published.value.clone()));
            }
            if everywhere {
                emitted.report.merge(here_only(plan, &self.namespaces));
            }
        }
        for (namespace, data) in maps {
            let metadata =
                object([("name", text(NAME)), ("namespace", text(namespace)), ("labels", labels(None))]);
            emitted.objects.push(object([
                ("apiVersion", text("v1")),
                ("kind", text("ConfigMap")),
                ("metadata", Some(metadata)),
                ("data", Some(Value::Object(data))),
            ]));
        }
    }
}

fn here_only(plan: &Plan, namespaces: &BTreeSet<&str>) -> Report {
    let subject = Subject {
        kind: "Service".into(),
        namespace: plan.namespace.clone().unwrap_or_default(),
        name: plan.service.clone(),
    };
    let mut report = Report::new(subject, false);
    let mut listed: Vec<&str> = namespaces.iter().copied().take(3).collect();
    if namespaces.len() > listed.len() {
        listed.push("...");
    }
    let said = format!(
        "the URL is published in the namespaces of this input only ({}), not in every namespace of the cluster",
        listed.join(", ")
    );
    let problem = Problem::new(Code::PublishedHere, said).help("run the controller to reach every namespace");
    report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem);
    report
}
