//! The object under review: read as a tree, changed as text.
//!
//! Only the annotations are changed. Every other field is written as it came, also fields that this program does not
//! read.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use xposer::Plan;
use xposer::emit::stamp;
use xposer::internal::READ;

/// The text of an object that was changed; `None` if it was not.
pub(crate) type Changed = serde_json::Result<Option<Box<RawValue>>>;

/// The fields of the object and of its metadata that are read beside those of [`READ`].
const HEAD: [&str; 2] = ["apiVersion", "kind"];
const CREATED: &str = "creationTimestamp";
const OF_METADATA: [&str; 2] = [CREATED, "deletionTimestamp"];

/// The fields of the object that are read, as a tree. Most of an object is not read, such as `managedFields`.
pub(crate) fn read(object: &RawValue) -> serde_json::Result<Value> {
    read_fields(object, &|name, text| match READ.iter().find(|(known, _)| *known == name) {
        Some((_, fields)) => read_fields(text, &|name, text| {
            let is_read = fields.contains(&name) || OF_METADATA.contains(&name);
            is_read.then(|| serde_json::from_str(text.get())).transpose()
        })
        .map(Some),
        None => HEAD.contains(&name).then(|| serde_json::from_str(text.get())).transpose(),
    })
}

/// The fields of an object that gives hosts to a program, as a tree: all but `managedFields` and the status.
pub(crate) fn read_guarded(object: &RawValue) -> serde_json::Result<Value> {
    let all = |text: &RawValue| serde_json::from_str(text.get()).map(Some);
    read_fields(object, &|name, text| match name {
        "status" => Ok(None),
        "metadata" => {
            read_fields(text, &|name, text| if name == "managedFields" { Ok(None) } else { all(text) })
                .map(Some)
        }
        _ => all(text),
    })
}

/// Whether an object only waits for its finalizers. Refusing the update that removes the last one would keep it alive for ever.
pub(crate) fn is_being_deleted(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null())
}

/// When the API server created an object; empty if the object does not say it.
pub(crate) fn created(object: &RawValue) -> String {
    let times = read_fields(object, &|name, text| {
        let is_read = |name: &str, text: &RawValue| {
            (name == CREATED).then(|| serde_json::from_str(text.get())).transpose()
        };
        (name == "metadata").then(|| read_fields(text, &is_read)).transpose()
    });
    times.ok().as_ref().map(time_of).unwrap_or_default()
}

/// The same of an object that was read.
pub(crate) fn time_of(object: &Value) -> String {
    let time = object.pointer("/metadata/creationTimestamp").and_then(Value::as_str);
    time.unwrap_or_default().to_owned()
}

/// A mapping of the fields for which `read` gives a value. What is no mapping is read as it is.
fn read_fields(
    text: &RawValue,
    read: &dyn Fn(&str, &RawValue) -> serde_json::Result<Option<Value>>,
) -> serde_json::Result<Value> {
    if !text.get().starts_with('{') {
        return serde_json::from_str(text.get());
    }
    let mut kept = Map::new();
    for (name, text) in Fields::read(text)?.0 {
        if let Some(value) = read(&name, text)? {
            kept.insert(name, value);
        }
    }
    Ok(Value::Object(kept))
}

/// The text of a Service with what is written back on it: the URL of this plan, or none; `None` if it has that already.
pub(crate) fn stamped(text: &RawValue, mut service: Value, plan: Option<&Plan>) -> Changed {
    if !stamp::write(&mut service, plan.and_then(Plan::stamp).as_ref()) {
        return Ok(None);
    }
    with_annotations(text, service.pointer("/metadata/annotations").unwrap_or(&Value::Null)).map(Some)
}

/// The text of the object with these annotations. The object has metadata.
fn with_annotations(object: &RawValue, annotations: &Value) -> serde_json::Result<Box<RawValue>> {
    let mut fields = Fields::read(object)?;
    let mut metadata = fields.get("metadata").map_or_else(|| Ok(Fields::default()), Fields::read)?;
    let annotations = to_raw_value(annotations)?;
    metadata.set("annotations", &annotations);
    let metadata = to_raw_value(&metadata)?;
    fields.set("metadata", &metadata);
    to_raw_value(&fields)
}

/// The fields of a mapping, each with the text of its value.
pub(crate) fn fields(mapping: &RawValue) -> serde_json::Result<Vec<(String, &RawValue)>> {
    Fields::read(mapping).map(|fields| fields.0)
}

/// The fields of a mapping in their order, each with the text of its value.
#[derive(Default)]
struct Fields<'p>(Vec<(String, &'p RawValue)>);

impl<'p> Fields<'p> {
    fn read(mapping: &'p RawValue) -> serde_json::Result<Self> {
        serde_json::from_str(mapping.get())
    }

    /// The value of a field. If its name occurs twice, the last one counts.
    fn get(&self, name: &str) -> Option<&'p RawValue> {
        self.0.iter().rfind(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// Replaces the value of a field, everywhere if its name occurs twice; adds the field if it is missing.
    fn set(&mut self, name: &str, value: &'p RawValue) {
        if self.get(name).is_none() {
            self.0.push((name.to_owned(), value));
        }
        for (_, known) in self.0.iter_mut().filter(|(known, _)| known == name) {
            *known = value;
        }
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de: 'p, 'p> Deserialize<'de> for Fields<'p> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Mapping;

        impl<'de> Visitor<'de> for Mapping {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(field) = map.next_entry()? {
                    fields.0.push(field);
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Mapping)
    }
}
