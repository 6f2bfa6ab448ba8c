//! What was found, for the list's results and for standard error.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use xposer::{Diagnostic, FieldPath, Root, Severity};

use super::config::Config;
use crate::diagnostics::Finding;
use crate::place::Place;

/// A finding, and the item or config it is about.
pub(super) struct Said {
    what: What,
    reference: Option<Value>,
    field: Option<Value>,
    file: Option<(String, Option<u64>)>,
}

enum What {
    Core(Box<Diagnostic>),
    InTheWay(String),
}

impl Said {
    /// What the core said about an item or about the config.
    pub(super) fn core(diagnostic: &Diagnostic, item: Option<&Value>, config: &Config<'_>) -> Self {
        let located = match diagnostic.path.root() {
            Root::Settings => config.locate(&diagnostic.path),
            Root::Object => None,
        };
        let (object, path) = match located {
            Some((object, path)) => (Some(object), Cow::Owned(path)),
            None => (item, Cow::Borrowed(&diagnostic.path)),
        };
        Self {
            what: What::Core(Box::new(diagnostic.clone())),
            reference: object.map(reference),
            field: Some(field(&path, object, diagnostic.proposed.as_deref())),
            file: object.and_then(file),
        }
    }

    /// An item that is not ours has the name of an object to be added.
    pub(super) fn in_the_way(item: &Value, object: &str) -> Self {
        Self {
            what: What::InTheWay(object.to_owned()),
            reference: Some(reference(item)),
            field: None,
            file: file(item),
        }
    }

    /// For standard error.
    pub(super) fn finding(&self) -> Finding<'_> {
        let finding = match &self.what {
            What::Core(diagnostic) => Finding::core(diagnostic),
            What::InTheWay(object) => Finding::input(in_the_way(object)).help(MAKE_ROOM),
        };
        finding.at(self.file.as_ref().map(|(path, _)| Place::file(path)))
    }

    /// For the results.
    pub(super) fn result(&self) -> Value {
        let mut result = match &self.what {
            What::Core(diagnostic) => {
                let help = diagnostic.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
                json!({
                    "message": format!("{}{help}", diagnostic.message),
                    "severity": diagnostic.severity,
                    "tags": {"code": diagnostic.code},
                })
            }
            What::InTheWay(object) => json!({
                "message": format!("{}; {MAKE_ROOM}", in_the_way(object)),
                "severity": Severity::Error,
            }),
        };
        let file = self.file.as_ref().map(|(path, index)| match index {
            Some(index) => json!({"path": path, "index": index}),
            None => json!({"path": path}),
        });
        let parts = [("resourceRef", &self.reference), ("field", &self.field), ("file", &file)];
        for (key, part) in parts {
            if let (Some(part), Some(result)) = (part, result.as_object_mut()) {
                result.insert(key.to_owned(), part.clone());
            }
        }
        result
    }
}

const MAKE_ROOM: &str = "remove it, or give one of the two another name";

fn in_the_way(object: &str) -> String {
    format!("the list already has an {object} that was not made by xposer")
}

/// The value of an annotation.
pub(super) fn annotation<'i>(item: &'i Value, key: &str) -> Option<&'i str> {
    item.pointer("/metadata/annotations")?.get(key)?.as_str()
}

fn reference(object: &Value) -> Value {
    let metadata = |key: &str| object.pointer("/metadata").and_then(|metadata| metadata.get(key));
    let parts = [
        ("apiVersion", object.get("apiVersion")),
        ("kind", object.get("kind")),
        ("name", metadata("name")),
        ("namespace", metadata("namespace")),
    ];
    let known = parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.clone())));
    Value::Object(known.collect::<Map<_, _>>())
}

fn field(path: &FieldPath, object: Option<&Value>, proposed: Option<&str>) -> Value {
    let mut field = json!({"path": path.to_string()});
    let is_scalar = |value: &&Value| !value.is_array() && !value.is_object();
    let current = object.and_then(|object| path.lookup(object)).filter(is_scalar).cloned();
    let proposed = proposed.map(Value::from);
    for (key, value) in [("currentValue", current), ("proposedValue", proposed)] {
        if let (Some(value), Some(field)) = (value, field.as_object_mut()) {
            field.insert(key.to_owned(), value);
        }
    }
    field
}

/// Where the item is written, as kustomize and kpt note it.
fn file(item: &Value) -> Option<(String, Option<u64>)> {
    let noted = |name: &str| {
        ["internal.config.kubernetes.io/", "config.kubernetes.io/"]
            .iter()
            .find_map(|prefix| annotation(item, &format!("{prefix}{name}")))
    };
    Some((noted("path")?.to_owned(), noted("index").and_then(|index| index.parse().ok())))
}
