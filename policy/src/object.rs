//! The object under review: read as far as it matters, changed where it must be, and otherwise the text it came as.
//!
//! A request is a few thousand bytes, most of which nobody looks at, and a fresh instance answers every one. So the text is
//! not turned into a tree and back: the few fields that matter are read, and new annotations are put in place of the old
//! ones. Whatever else the text holds stays as it is, also fields that no version of this program knows.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use xposer::stamp::{self, Stamp};
use xposer::{READ, Read, is_service};

/// An object, as it was sent.
pub(crate) struct Object<'p> {
    text: &'p str,
    /// What is read of it.
    value: Value,
    /// Where its annotations are; `None` where it has none, or where `value` is all of it.
    annotations: Option<Range<usize>>,
}

/// What is read beside the fields of a Service: who it is, and whether it is on its way out.
const HEAD: &[&str] = &["apiVersion", "kind"];
const DELETED: &str = "deletionTimestamp";

impl<'p> Object<'p> {
    /// Reads an object; `None` where the text cannot be read, which no host sends.
    pub(crate) fn read(raw: &'p RawValue) -> Option<Self> {
        let text = raw.get();
        let mut annotations = None;
        let fields = Fields { fields: READ, depth: 0, annotations: &mut annotations };
        if let Ok(value) = fields.deserialize(&mut serde_json::Deserializer::from_slice(text.as_bytes())) {
            return Some(Self { text, value, annotations: annotations.and_then(|inner| place(text, inner)) });
        }
        // Something is not of the type it should be. What that means is not decided here.
        Some(Self { text, value: serde_json::from_slice(text.as_bytes()).ok()?, annotations: None })
    }

    /// The fields that are read, as a tree.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// Whether it says of itself that it is a Service.
    pub(crate) fn is_service(&self) -> bool {
        is_service(&self.value)
    }

    /// Whether it only waits for its finalizers.
    pub(crate) fn is_being_deleted(&self) -> bool {
        self.value.get("metadata").and_then(|metadata| metadata.get(DELETED)).is_some_and(|at| !at.is_null())
    }

    /// Brings the stamp up to date, and gives whether that changed anything.
    pub(crate) fn stamp(&mut self, stamp: Option<&Stamp>) -> bool {
        if self.annotations.is_none()
            && stamp.is_some()
            && let Ok(whole) = serde_json::from_slice(self.text.as_bytes())
        {
            // There is no place to put annotations into, so the whole tree will be written.
            self.value = whole;
        }
        stamp::write(&mut self.value, stamp)
    }

    /// The bytes that [`Object::write`] writes, more or less.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + 256
    }

    /// Writes the object as JSON: with the annotations as they are now, and everything else as it came.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let outside =
            |place: &Range<usize>| Some((self.text.get(..place.start)?, self.text.get(place.end..)?));
        let annotations = self.value.pointer("/metadata/annotations");
        match (self.annotations.as_ref().and_then(outside), annotations) {
            (Some((before, after)), Some(annotations)) => {
                out.extend_from_slice(before.as_bytes());
                serde_json::to_writer(&mut *out, annotations)?;
                out.extend_from_slice(after.as_bytes());
                Ok(())
            }
            _ => serde_json::to_writer(out, &self.value),
        }
    }
}

/// Where `inner`, a part of `text`, stands in it.
fn place(text: &str, inner: &str) -> Option<Range<usize>> {
    let start = (inner.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (text.get(start..start + inner.len())? == inner).then_some(start..start + inner.len())
}

/// Reads some fields of a mapping and passes over the others.
struct Fields<'f, 'p> {
    fields: &'static [(&'static str, Read)],
    /// 0 for the object itself, 1 for its metadata and its spec.
    depth: usize,
    /// The text of the annotations, once they are found.
    annotations: &'f mut Option<&'p str>,
}

impl<'p> DeserializeSeed<'p> for Fields<'_, 'p> {
    type Value = Value;

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'p> Visitor<'p> for Fields<'_, 'p> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'p>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'p, str>>()? {
            let value = match self.fields.iter().find(|(name, _)| *name == key) {
                Some((_, Read::Fields(fields))) => {
                    let inner = Fields { fields, depth: self.depth + 1, annotations: self.annotations };
                    map.next_value_seed(inner)?
                }
                Some(("annotations", Read::Whole)) => {
                    let raw = map.next_value::<&'p RawValue>()?.get();
                    *self.annotations = Some(raw);
                    serde_json::from_slice(raw.as_bytes()).map_err(A::Error::custom)?
                }
                Some((_, Read::Whole)) => map.next_value()?,
                None if key == DELETED || (self.depth == 0 && HEAD.contains(&key.as_ref())) => {
                    map.next_value()?
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            kept.insert(key.into_owned(), value);
        }
        Ok(Value::Object(kept))
    }
}
