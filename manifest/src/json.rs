//! JSON with places: `serde_json` returns the source of every value as a slice of the text.
//!
//! Each level of nesting is scanned again, so the depth is checked before, and the time is bounded by the maximum depth.

use crate::document::{Document, Kind, Parsed};
use crate::message::{self, Flaw};
use crate::text::{MAX_DEPTH, Span, narrow};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;

/// The reason why a text could not be read as JSON.
pub(crate) enum Failure {
    /// The text is JSON with invalid content.
    Content(Vec<Flaw>),
    /// The text is not JSON. The flaw is `None` if the text may be YAML.
    Syntax(Option<Flaw>),
}

/// Whether the first byte that is not blank is `{` or `[`.
pub(crate) fn begins_like_json(text: &str) -> bool {
    without_mark(text).trim_start().starts_with(['{', '['])
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Reads a sequence of values.
pub(crate) fn read(text: &str) -> Result<Vec<Document>, Failure> {
    let mut parsed = Vec::new();
    let source = without_mark(text);
    for raw in serde_json::Deserializer::from_str(source).into_iter::<&RawValue>() {
        let raw = raw.map_err(|error| syntax(text, source, &error))?;
        if let Some(at) = too_deep(raw.get()) {
            return Err(Failure::Content(vec![message::too_deep(span(text, raw.get()).start + at)]));
        }
        parsed.push(value(text, raw.get())?);
    }
    Document::all(text, parsed).map_err(Failure::Content)
}

/// The flaw of a slice of the text. `serde_json` counts lines and, in bytes, columns of the slice.
fn syntax(text: &str, source: &str, error: &serde_json::Error) -> Failure {
    let breaks = source.match_indices('\n').map(|(at, _)| at + 1);
    let line = [0].into_iter().chain(breaks).nth(error.line().saturating_sub(1)).unwrap_or_default();
    let at = span(text, source).start + line + error.column().saturating_sub(1);
    Failure::Syntax(message::of_json(at, error).map(|flaw| {
        let at = (0..=flaw.span.start.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or_default();
        Flaw { span: at..at, ..flaw }
    }))
}

/// The first byte of a valid value at which collections are nested too deep.
fn too_deep(json: &str) -> Option<usize> {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    json.bytes().position(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => depth += 1,
            b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

fn value(text: &str, source: &str) -> Result<Parsed, Failure> {
    let failed = |error: serde_json::Error| syntax(text, source, &error);
    let span = span(text, source);
    let kind = match source.as_bytes().first() {
        Some(b'{') => {
            let Entries(entries) = serde_json::from_str(source).map_err(failed)?;
            let entry = |(key, inner): (&RawValue, &RawValue)| {
                let name =
                    serde_json::from_str(key.get()).map_err(|error| syntax(text, key.get(), &error))?;
                Ok((name, narrow(&self::span(text, key.get())), value(text, inner.get())?))
            };
            Kind::Entries(entries.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(source).map_err(failed)?;
            let items = items.into_iter().map(|item| value(text, item.get()));
            Kind::Items(items.collect::<Result<_, _>>()?)
        }
        _ => Kind::Scalar(serde_json::from_str(source).map_err(failed)?),
    };
    let span: Span = narrow(&span);
    Ok(Parsed { end: span.end, span, kind })
}

/// The byte range of a slice of the text.
fn span(text: &str, piece: &str) -> Range<usize> {
    let start = (piece.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + piece.len()
}

/// The entries of a mapping, including repeated keys.
struct Entries<'t>(Vec<(&'t RawValue, &'t RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Entries<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_found_in_one_pass() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(too_deep(&nested(MAX_DEPTH)), None);
        assert_eq!(too_deep(&nested(100_000)), Some(MAX_DEPTH));
        let in_text = format!(r#"["\"{}", {{"a\\": []}}]"#, "[".repeat(MAX_DEPTH + 1));
        assert_eq!(too_deep(&in_text), None);
        assert_eq!(too_deep(&"[],".repeat(1000)), None);
    }
}
