//! The object under review: read as far as it matters, changed where it must be, and otherwise the text it came as.
//!
//! A request is a few thousand bytes, most of which nobody looks at, and a fresh instance answers every one. So the text is
//! not turned into a tree and back: the few fields that matter are read, and new annotations are put in place of the old
//! ones. Whatever else the text holds stays as it is, also fields that no version of this program knows.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use xposer::stamp::{self, Stamp};
use xposer::{READ, Read, is_service};

/// An object, as far as it is read.
pub(crate) struct Object<'p> {
    value: Value,
    marks: Marks<'p>,
    /// The text before and behind the annotations; `None` where `value` is all of the object.
    around: Option<(&'p [u8], &'p [u8])>,
}

/// What is read beside the fields of a Service: who it is, and whether it is on its way out.
const HEAD: &[&str] = &["apiVersion", "kind"];
const DELETED: &str = "deletionTimestamp";
const ANNOTATIONS: &str = "annotations";

impl<'p> Object<'p> {
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

    /// Brings the stamp up to date, and gives whether that changed anything. `payload` is what the object was read from.
    pub(crate) fn stamp(&mut self, stamp: Option<&Stamp>, payload: &'p [u8]) -> bool {
        if !stamp::write(&mut self.value, stamp) {
            return false;
        }
        self.around = self.marks.around(payload);
        if self.around.is_some() {
            return true;
        }
        // There is no place to put annotations into, so the whole object will be written.
        let whole = serde_json::from_slice::<Value>(payload).ok();
        let object = whole.and_then(|mut whole| whole.pointer_mut("/request/object").map(Value::take));
        object.is_some_and(|object| {
            self.value = object;
            stamp::write(&mut self.value, stamp)
        })
    }

    /// Writes the object as JSON: with the annotations as they are now, and everything else as it came.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let Some((before, after)) = self.around else { return serde_json::to_writer(out, &self.value) };
        out.extend_from_slice(before);
        let annotations = self.value.get("metadata").and_then(|metadata| metadata.get(ANNOTATIONS));
        serde_json::to_writer(&mut *out, annotations.unwrap_or(&Value::Null))?;
        out.extend_from_slice(after);
        Ok(())
    }
}

/// Keys by whose place in the payload the text around the annotations is found. A key that is written with an escape is
/// copied when it is read, and has no place.
#[derive(Default)]
struct Marks<'p> {
    /// The first key of the object.
    first: Option<&'p str>,
    /// The key of its annotations.
    annotations: Option<&'p str>,
}

impl Marks<'_> {
    /// The text of the object before its annotations, and behind them.
    fn around<'p>(&self, payload: &'p [u8]) -> Option<(&'p [u8], &'p [u8])> {
        let first = place(payload, self.first?)?;
        let start = payload.get(..first)?.iter().rposition(|byte| *byte == b'{')?;
        let key = self.annotations?;
        let after_key = place(payload, key)? + key.len() + 1;
        let is_between = |byte: &u8| matches!(byte, b':' | b' ' | b'\t' | b'\r' | b'\n');
        let open = after_key + payload.get(after_key..)?.iter().position(|byte| !is_between(byte))?;
        if payload.get(open) != Some(&b'{') {
            return None;
        }
        let close = end(payload, open, 0)?;
        // The annotations stand in the metadata, and those in the object.
        Some((payload.get(start..open)?, payload.get(close..end(payload, close, 2)?)?))
    }
}

/// Where `part` of `payload` starts.
fn place(payload: &[u8], part: &str) -> Option<usize> {
    let start = (part.as_ptr() as usize).checked_sub(payload.as_ptr() as usize)?;
    (payload.get(start..start + part.len())? == part.as_bytes()).then_some(start)
}

/// Where what is open `depth` times at `from` is closed, in text that is known to be JSON.
fn end(json: &[u8], from: usize, mut depth: usize) -> Option<usize> {
    let mut at = from;
    let mut is_text = false;
    loop {
        match json.get(at)? {
            b'\\' => at += 1,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => depth += 1,
            b'}' | b']' if !is_text => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

impl<'de: 'p, 'p> Deserialize<'de> for Object<'p> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut marks = Marks::default();
        let value = Fields { fields: READ, depth: 0, marks: &mut marks }.deserialize(deserializer)?;
        Ok(Self { value, marks, around: None })
    }
}

/// Reads some fields of a mapping and passes over the others. What is no mapping is read as it is; what that means is not
/// decided here.
struct Fields<'f, 'p> {
    fields: &'static [(&'static str, Read)],
    /// 0 for the object itself, 1 for its metadata and its spec.
    depth: usize,
    marks: &'f mut Marks<'p>,
}

/// A key of a mapping, which is copied only where there is an escape in it.
#[derive(Deserialize)]
struct Key<'p>(#[serde(borrow)] Cow<'p, str>);

impl<'p> Key<'p> {
    fn place(&self) -> Option<&'p str> {
        match self.0 {
            Cow::Borrowed(key) => Some(key),
            Cow::Owned(_) => None,
        }
    }
}

impl<'de: 'p, 'p> DeserializeSeed<'de> for Fields<'_, 'p> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'p, 'p> Visitor<'de> for Fields<'_, 'p> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        let mut is_first = self.depth == 0;
        while let Some(key) = map.next_key::<Key<'p>>()? {
            if std::mem::take(&mut is_first) {
                self.marks.first = key.place();
            }
            let value = match self.fields.iter().find(|(name, _)| *name == key.0) {
                Some((_, Read::Fields(fields))) => {
                    map.next_value_seed(Fields { fields, depth: self.depth + 1, marks: self.marks })?
                }
                Some((name, Read::Whole)) => {
                    if *name == ANNOTATIONS {
                        self.marks.annotations = key.place();
                    }
                    map.next_value()?
                }
                None if key.0 == DELETED || (self.depth == 0 && HEAD.contains(&key.0.as_ref())) => {
                    map.next_value()?
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if kept.insert(key.0.into_owned(), value).is_some() {
                // Of two with the same key the last one counts, wherever the annotations of the first one stood.
                self.marks.annotations = None;
            }
        }
        Ok(Value::Object(kept))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(Vec::new()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}
