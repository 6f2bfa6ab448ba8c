//! The function's config is the settings.

use serde_json::{Map, Value};
use xposer::{FieldPath, Form, Report, Segment, Settings, settings};

use crate::yaml::load;

/// The config, and which field of it holds the settings.
pub(super) struct Config<'c> {
    object: Option<&'c Value>,
    field: &'static [&'static str],
}

impl<'c> Config<'c> {
    pub(super) fn new(object: Option<&'c Value>) -> Self {
        let object = object.filter(|object| !object.is_null());
        let is = |key: &str, wanted: &str| {
            object.and_then(|object| object.get(key)).and_then(Value::as_str) == Some(wanted)
        };
        let is_config_map = is("kind", "ConfigMap") && is("apiVersion", "v1");
        Self { object, field: if is_config_map { &["data"] } else { &["spec"] } }
    }

    /// The settings; without a config, the defaults.
    pub(super) fn settings(&self) -> Result<Settings, Report> {
        match self.object.and_then(|object| FieldPath::object(self.field).lookup(object)) {
            None | Some(Value::Null) => Ok(Settings::default()),
            Some(Value::Object(entries)) if self.field == ["data"] => {
                Settings::from_value(&Value::Object(unfolded(entries)))
            }
            Some(value) => Settings::from_value(value),
        }
    }

    /// The config itself, and the path in it of something in the settings.
    pub(super) fn locate(&self, path: &FieldPath) -> Option<(&'c Value, FieldPath)> {
        let path = path.segments().fold(FieldPath::object(self.field), |path, segment| match segment {
            Segment::Key(key) => path.key(key),
            Segment::Index(index) => path.index(index),
        });
        Some((self.object?, path))
    }
}

/// The data of a ConfigMap are texts; a text that stands for a list is read as YAML. The core reads the others.
fn unfolded(entries: &Map<String, Value>) -> Map<String, Value> {
    let is_list =
        |name: &str| settings().iter().any(|row| row.name == name && row.form == Form::TemplateList);
    let unfold = |name: &str, value: &Value| {
        let text = value.as_str().filter(|_| is_list(name))?;
        let document = load(text).ok()?.into_iter().next()?;
        Some(document.value).filter(Value::is_array)
    };
    entries
        .iter()
        .map(|(name, value)| (name.clone(), unfold(name, value).unwrap_or_else(|| value.clone())))
        .collect()
}
