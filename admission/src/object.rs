//! The object under review, which is read as a tree and changed as text.
//!
//! Only the annotations are changed. Every other field is written as it was received, including fields that this program does not
//! read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use xposer::Plan;
use xposer::emit::stamp;
use xposer::internal::READ;

/// The text of a changed object; `None` if the object is unchanged.
pub(crate) type Changed = serde_json::Result<Option<Box<RawValue>>>;

/// The fields of the object that are read in addition to [`READ`].
const HEAD: [&str; 2] = ["apiVersion", "kind"];
const CREATED: &str = "creationTimestamp";
const METADATA_FIELDS: [&str; 2] = [CREATED, "deletionTimestamp"];

/// A Service under review.
#[derive(Clone, Debug)]
pub(crate) struct Service<'p> {
    /// The fields that are read, as a tree. Most fields of an object are not, such as `managedFields`.
    pub(crate) tree: Value,
    /// The text of all fields, from which the changed object is made.
    fields: Fields<'p>,
    metadata: Fields<'p>,
}

impl<'p> Service<'p> {
    pub(crate) fn read(object: &'p RawValue) -> serde_json::Result<Self> {
        if !is_mapping(object) {
            let tree = serde_json::from_str(object.get())?;
            return Ok(Self { tree, fields: Fields::default(), metadata: Fields::default() });
        }
        let fields = Fields::read(object)?;
        let metadata = fields.get("metadata").filter(|text| is_mapping(text));
        let metadata = metadata.map(Fields::read).transpose()?.unwrap_or_default();
        let whole = |text: &RawValue| serde_json::from_str(text.get()).map(Some);
        let tree = fields.tree(&|name, text| {
            let Some((_, read)) = READ.iter().find(|(known, _)| *known == name) else {
                return if HEAD.contains(&name) { whole(text) } else { Ok(None) };
            };
            let is_read = |name: &str| read.contains(&name) || METADATA_FIELDS.contains(&name);
            let part = |name: &str, text: &RawValue| if is_read(name) { whole(text) } else { Ok(None) };
            match name {
                "metadata" if is_mapping(text) => metadata.tree(&part),
                _ => read_fields(text, &part),
            }
            .map(Some)
        })?;
        Ok(Self { tree, fields, metadata })
    }

    /// Returns the text of the object with the stamp of this plan, or without a stamp if there is no plan; `None` if the object
    /// needs no change.
    pub(crate) fn stamped(self, plan: Option<&Plan>) -> Changed {
        let Self { mut tree, fields, metadata } = self;
        // Rebinds the fields with a shorter lifetime: the new texts live shorter than the texts of the request.
        let (mut fields, mut metadata): (Fields<'_>, Fields<'_>) = (fields, metadata);
        if !stamp::write(&mut tree, plan.and_then(Plan::stamp).as_ref()) {
            return Ok(None);
        }
        let annotations = to_raw_value(&of_metadata(&tree, "annotations"))?;
        metadata.set("annotations", &annotations);
        let metadata = to_raw_value(&metadata)?;
        fields.set("metadata", &metadata);
        to_raw_value(&fields).map(Some)
    }
}

fn is_mapping(text: &RawValue) -> bool {
    text.get().starts_with('{')
}

/// A field of the metadata of a parsed object.
pub(crate) fn of_metadata<'v>(object: &'v Value, field: &str) -> Option<&'v Value> {
    object.get("metadata")?.get(field)
}

/// Parses the fields of an object that assigns hosts in a controller: all except `managedFields` and the status.
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

/// Whether the object only waits for its finalizers. If the update that removes the last finalizer were refused, the object would
/// never be deleted.
pub(crate) fn is_being_deleted(object: &Value) -> bool {
    of_metadata(object, "deletionTimestamp").is_some_and(|at| !at.is_null())
}

/// The creation time of an object; empty if it has none.
pub(crate) fn created(object: &RawValue) -> String {
    let times = read_fields(object, &|name, text| {
        let is_read = |name: &str, text: &RawValue| {
            (name == CREATED).then(|| serde_json::from_str(text.get())).transpose()
        };
        (name == "metadata").then(|| read_fields(text, &is_read)).transpose()
    });
    times.ok().as_ref().map(time_of).unwrap_or_default()
}

/// The creation time of a parsed object; empty if it has none.
pub(crate) fn time_of(object: &Value) -> String {
    let time = of_metadata(object, CREATED).and_then(Value::as_str);
    time.unwrap_or_default().to_owned()
}

/// Parses a mapping with the fields for which `read` returns a value. Any other value is parsed as a whole.
fn read_fields(
    text: &RawValue,
    read: &dyn Fn(&str, &RawValue) -> serde_json::Result<Option<Value>>,
) -> serde_json::Result<Value> {
    if !is_mapping(text) {
        return serde_json::from_str(text.get());
    }
    Fields::read(text)?.tree(read)
}

/// The fields of a mapping in their order, each with the text of its value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields<'p>(pub(crate) Vec<(Name<'p>, &'p RawValue)>);

/// The name of a field, borrowed if it contains no escapes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Name<'p>(#[serde(borrow)] pub(crate) Cow<'p, str>);

impl<'p> Fields<'p> {
    pub(crate) fn read(mapping: &'p RawValue) -> serde_json::Result<Self> {
        serde_json::from_str(mapping.get())
    }

    /// The value of a field. If the name is repeated, the last value.
    pub(crate) fn get(&self, name: &str) -> Option<&'p RawValue> {
        self.0.iter().rfind(|(known, _)| known.0 == name).map(|(_, value)| *value)
    }

    /// Replaces the value of a field, in all places if the name is repeated. Adds the field if it is missing.
    fn set(&mut self, name: &str, value: &'p RawValue) {
        if self.get(name).is_none() {
            self.0.push((Name(name.to_owned().into()), value));
        }
        for (_, known) in self.0.iter_mut().filter(|(known, _)| known.0 == name) {
            *known = value;
        }
    }

    /// Returns a mapping with the fields for which `read` returns a value.
    fn tree(
        &self,
        read: &dyn Fn(&str, &RawValue) -> serde_json::Result<Option<Value>>,
    ) -> serde_json::Result<Value> {
        let mut kept = Map::new();
        for (name, text) in &self.0 {
            if let Some(value) = read(&name.0, text)? {
                kept.insert(name.0.clone().into_owned(), value);
            }
        }
        Ok(Value::Object(kept))
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de: 'p, 'p> Deserialize<'de> for Fields<'p> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Pick(&|_| true).deserialize(deserializer)
    }
}

/// Deserialises the fields with these names, and skips the others.
pub(crate) struct Pick<'f>(pub(crate) &'f dyn Fn(&str) -> bool);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Fields<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key::<Name<'_>>()? {
            if (self.0)(&name.0) {
                fields.0.push((name, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(fields)
    }
}
