//! Reads the part of a ConfigMap of claims that a request needs.
//!
//! The ConfigMap has thousands of claims, of which a request needs few. So the response of the API server is parsed in one pass
//! that skips all other fields.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use xposer::conflicts::{Holders, SHARD_LABELS, SHARD_VERSION, STATE_KEY, ShardState, read_lines};

use crate::object::{Fields, Name, Pick};
use crate::words::json as about_json;

/// The key with all claims in versions before 3.
const OLD_KEY: &str = "claims";

/// The state of a ConfigMap and its holders of the wanted claims.
pub(crate) struct ShardContent {
    pub(crate) state: ShardState,
    pub(crate) holders: Holders,
}

/// Parses the response of the API server. Returns the state, and the holders of the claims with these texts under these keys of one
/// letter. The error tells why the ConfigMap is not used.
pub(crate) fn read(reply: &[u8], keys: &str, texts: &BTreeSet<String>) -> Result<ShardContent, String> {
    let other_form = |_| "has claims in an unknown format".to_owned();
    let is_wanted = |key: &str| key.len() == 1 && keys.contains(key);
    let is_read = |key: &str| is_wanted(key) || key == STATE_KEY || key == OLD_KEY;
    let ConfigMap { labels, data } =
        ConfigMap::read(reply, &is_read).map_err(|error| match error.classify() {
            Category::Data => other_form(error),
            _ => format!("cannot be read: the answer is not JSON: {}", about_json(&error)),
        })?;
    let has_label = |(key, value): (&str, &str)| {
        labels.get(key).and_then(|text| unescaped(text).ok()).is_some_and(|text| text == value)
    };
    if !SHARD_LABELS.into_iter().all(has_label) {
        return Err("belongs to another owner: it does not have the labels of the claims".to_owned());
    }
    let Some(state) = data.get(STATE_KEY) else {
        return Err(match data.get(OLD_KEY) {
            Some(_) => {
                format!("has claims of a version before {SHARD_VERSION}, written by an older controller")
            }
            None => "has no claims".to_owned(),
        });
    };
    let state: ShardState =
        unescaped(state).and_then(|text| serde_json::from_str(&text)).map_err(other_form)?;
    // In another version, the values may have another format.
    if state.version != SHARD_VERSION {
        return Err(format!("has the version {}, expected {SHARD_VERSION}", state.version));
    }
    let mut holders = Holders::new();
    for (_, lines) in data.0.iter().filter(|(Name(key), _)| is_wanted(key)) {
        let lines = unescaped(lines).map_err(other_form)?;
        let claims = read_lines(&lines, &|text| texts.contains(text));
        holders.extend(claims.ok_or_else(|| "has claims in an unknown format".to_owned())?);
    }
    Ok(ShardContent { state, holders })
}

/// The text of a JSON string value.
fn unescaped(value: &RawValue) -> serde_json::Result<String> {
    serde_json::from_str(value.get())
}

/// The fields of a ConfigMap that are read.
#[derive(Default)]
struct ConfigMap<'t> {
    labels: Fields<'t>,
    /// The wanted keys of the data.
    data: Fields<'t>,
}

impl<'t> ConfigMap<'t> {
    fn read(reply: &'t [u8], is_read: &dyn Fn(&str) -> bool) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_slice(reply);
        let found = deserializer.deserialize_map(OfData(is_read))?;
        deserializer.end()?;
        Ok(found)
    }
}

/// Deserialises a ConfigMap with these keys of its data.
struct OfData<'f>(&'f dyn Fn(&str) -> bool);

impl<'de> Visitor<'de> for OfData<'_> {
    type Value = ConfigMap<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a ConfigMap")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = ConfigMap::default();
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "metadata" => {
                    let metadata = map.next_value_seed(Pick(&|name| name == "labels"))?;
                    let labels = metadata.get("labels").map(Fields::read);
                    found.labels = labels.and_then(Result::ok).unwrap_or_default();
                }
                "data" => found.data = map.next_value_seed(Pick(self.0))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}
