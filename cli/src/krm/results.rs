//! Findings, formatted for the results of the list and for standard error.

use serde_json::{Map, Value, json};
use xposer::diagnostics::FieldPath;
use xposer::{Diagnostic, Severity};

use xposer_manifest::encrypted::SOPS;
use xposer_manifest::{Finding, Place};

/// The place of a setting in the config of the function.
pub(super) struct Located<'c> {
    pub(super) object: &'c Value,
    pub(super) path: FieldPath,
    /// Whether the setting is a part of a text at this path that contains YAML.
    pub(super) is_part: bool,
}

/// A finding, and the item or config that it is about.
pub(super) struct ItemFinding {
    what: What,
    reference: Option<Value>,
    field: Option<Value>,
    file: Option<(String, Option<u64>)>,
}

enum What {
    Core(Box<Diagnostic>),
    /// A message about an item itself.
    Item {
        severity: Severity,
        message: String,
        help: Option<String>,
    },
}

impl ItemFinding {
    /// A diagnostic of the core about an item, or about the config if it has a place there.
    pub(super) fn core(diagnostic: &Diagnostic, item: Option<&Value>, located: Option<Located<'_>>) -> Self {
        let proposed = diagnostic.proposed.as_deref();
        let (object, field) = match located {
            // A proposal for a part cannot replace the whole text.
            Some(Located { object, path, is_part }) => {
                (Some(object), field(&path, Some(object), proposed.filter(|_| !is_part)))
            }
            None => (item, field(&diagnostic.path, item, proposed)),
        };
        Self {
            what: What::Core(Box::new(diagnostic.clone())),
            reference: object.map(reference),
            field: Some(field),
            file: object.and_then(file),
        }
    }

    /// An item of another owner has the name of an object to be added.
    pub(super) fn name_taken(item: &Value, object: &str) -> Self {
        // HTTPRoute is pronounced with a vowel at its beginning.
        let article = if object.starts_with(['A', 'E', 'H', 'I', 'O', 'U']) { "an" } else { "a" };
        let message = format!("the list already has {article} {object} that was not made by xposer");
        Self::error(message, Some(MAKE_ROOM.to_owned()), item, None)
    }

    /// An object of a Service that is not among the items.
    pub(super) fn left(item: &Value, object: &str, service: &str) -> Self {
        let message =
            format!("{object} was made for the Service {service}, which is not among the items; it is kept");
        Self::info(message, LEFT_HELP, item)
    }

    /// An entry of a URL ConfigMap that belongs to a Service which is not among the items.
    pub(super) fn left_entry(item: &Value, key: &str, object: &str) -> Self {
        let message = format!(
            "the entry {key:?} of {object} was made for a Service that is not among the items; it is kept"
        );
        Self::info(message, LEFT_HELP, item)
    }

    /// An item, or the config, that SOPS encrypted.
    pub(super) fn encrypted(item: &Value) -> Self {
        Self::error(SOPS.message(), Some(SOPS.help(None, "")), item, None)
    }

    /// An item that is ignored.
    pub(super) fn info(message: String, help: &str, item: &Value) -> Self {
        Self::of_item(Severity::Info, message, Some(help.to_owned()), item, None)
    }

    /// An error of an item or of the config.
    pub(super) fn error(
        message: String,
        help: Option<String>,
        item: &Value,
        path: Option<&FieldPath>,
    ) -> Self {
        Self::of_item(Severity::Error, message, help, item, path)
    }

    fn of_item(
        severity: Severity,
        message: String,
        help: Option<String>,
        item: &Value,
        path: Option<&FieldPath>,
    ) -> Self {
        Self {
            what: What::Item { severity, message, help },
            reference: Some(reference(item)),
            field: path.map(|path| field(path, Some(item), None)),
            file: file(item),
        }
    }

    /// The finding for standard error.
    pub(super) fn finding(&self) -> Finding<'_> {
        let finding = match &self.what {
            What::Core(diagnostic) => Finding::core(diagnostic),
            What::Item { severity, message, help } => {
                let finding = Finding::of_input(*severity, message.as_str()).of_field(self.named_field());
                help.iter().fold(finding, |finding, help| finding.help(help.as_str()))
            }
        };
        finding.at(self.file.as_ref().map(|(path, _)| Place::file(path)))
    }

    /// The field and its object, in words.
    fn named_field(&self) -> Option<String> {
        let text = |part: &Option<Value>, key: &str| Some(part.as_ref()?.get(key)?.as_str()?.to_owned());
        let path = text(&self.field, "path")?;
        let kind = text(&self.reference, "kind").unwrap_or_else(|| "object".to_owned());
        Some(match text(&self.reference, "name") {
            Some(name) => format!("{path} of {kind} {name}"),
            None => format!("{path} of the {kind}"),
        })
    }

    /// The result for the list.
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
            What::Item { severity, message, help } => {
                let help = help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
                json!({"message": format!("{message}{help}"), "severity": severity})
            }
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

const LEFT_HELP: &str = "remove it if the Service is gone; keep it if the Service is deployed from elsewhere";
const MAKE_ROOM: &str = "remove it, or give one of the two another name";

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

/// The file and the index of an item, from the annotations of kustomize and kpt.
fn file(item: &Value) -> Option<(String, Option<u64>)> {
    let noted = |name: &str| {
        ["internal.config.kubernetes.io/", "config.kubernetes.io/"]
            .iter()
            .find_map(|prefix| annotation(item, &format!("{prefix}{name}")))
    };
    Some((noted("path")?.to_owned(), noted("index").and_then(|index| index.parse().ok())))
}
