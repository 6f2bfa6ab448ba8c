//! The object under review: read as a tree, changed as text.
//!
//! Only the annotations are changed. Every other field is written as it came, also fields that this program does not
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

/// The text of an object that was changed; `None` if it was not.
pub(crate) type Changed = serde_json::Result<Option<Box<RawValue>>>;

/// The fields of the object and of its metadata that are read beside those of [`READ`].
const HEAD: [&str; 2] = ["apiVersion", "kind"];
const CREATED: &str = "creationTimestamp";
const OF_METADATA: [&str; 2] = [CREATED, "deletionTimestamp"];

/// A Service under review.
#[derive(Clone, Debug)]
pub(crate) struct Service<'p> {
    /// The fields that are read, as a tree. Most of an object is not read, such as `managedFields`.
    pub(crate) tree: Value,
    /// The text of all fields, of which the answer is made.
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
            let is_read = |name: &str| read.contains(&name) || OF_METADATA.contains(&name);
            let part = |name: &str, text: &RawValue| if is_read(name) { whole(text) } else { Ok(None) };
            match name {
                "metadata" if is_mapping(text) => metadata.tree(&part),
                _ => read_fields(text, &part),
            }
            .map(Some)
        })?;
        Ok(Self { tree, fields, metadata })
    }

    /// Its text with what is written back on it: the URL of this plan, or none; `None` if it has that already.
    pub(crate) fn stamped(self, plan: Option<&Plan>) -> Changed {
        let Self { mut tree, fields, metadata } = self;
        // The texts of the answer live shorter than those of the request.
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

/// A field of the metadata of an object that was read.
pub(crate) fn of_metadata<'v>(object: &'v Value, field: &str) -> Option<&'v Value> {
    object.get("metadata")?.get(field)
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
    of_metadata(object, "deletionTimestamp").is_some_and(|at| !at.is_null())
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
    let time = of_metadata(object, CREATED).and_then(Value::as_str);
    time.unwrap_or_default().to_owned()
}

/// A mapping of the fields for which `read` gives a value. What is no mapping is read as it is.
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

/// The name of a field, borrowed where nothing is escaped in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Name<'p>(#[serde(borrow)] pub(crate) Cow<'p, str>);

impl<'p> Fields<'p> {
    pub(crate) fn read(mapping: &'p RawValue) -> serde_json::Result<Self> {
        serde_json::from_str(mapping.get())
    }

    /// The value of a field. If its name occurs twice, the last one counts.
    pub(crate) fn get(&self, name: &str) -> Option<&'p RawValue> {
        self.0.iter().rfind(|(known, _)| known.0 == name).map(|(_, value)| *value)
    }

    /// Replaces the value of a field, everywhere if its name occurs twice; adds the field if it is missing.
    fn set(&mut self, name: &str, value: &'p RawValue) {
        if self.get(name).is_none() {
            self.0.push((Name(name.to_owned().into()), value));
        }
        for (_, known) in self.0.iter_mut().filter(|(known, _)| known.0 == name) {
            *known = value;
        }
    }

    /// A mapping of the fields for which `read` gives a value.
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

/// Reads the fields with these names, and skips the others.
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
