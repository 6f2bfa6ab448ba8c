//! The object under review: read as a tree, changed as text.
//!
//! Only the annotations are changed. Every other field is written as it came, also fields that no version of this program
//! knows.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// Who wrote which field: often the largest part of an object, and nothing that is read here.
const MANAGED_FIELDS: &str = "managedFields";

/// The object as a tree.
pub(crate) fn read(object: &RawValue) -> serde_json::Result<Value> {
    read_to(object, 2)
}

/// The value of a text. Down to this depth, fields that are not read are left out.
fn read_to(text: &RawValue, depth: usize) -> serde_json::Result<Value> {
    if depth == 0 || !text.get().starts_with('{') {
        return serde_json::from_str(text.get());
    }
    let fields = Fields::read(text)?.0.into_iter().filter(|(name, _)| name != MANAGED_FIELDS);
    fields.map(|(name, text)| Ok((name, read_to(text, depth - 1)?))).collect()
}

/// The text of the object with these annotations. The object has metadata.
pub(crate) fn with_annotations(object: &RawValue, annotations: &Value) -> serde_json::Result<Box<RawValue>> {
    let mut fields = Fields::read(object)?;
    let mut metadata = fields.get("metadata").map_or_else(|| Ok(Fields::default()), Fields::read)?;
    let annotations = to_raw_value(annotations)?;
    metadata.set("annotations", &annotations);
    let metadata = to_raw_value(&metadata)?;
    fields.set("metadata", &metadata);
    to_raw_value(&fields)
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
