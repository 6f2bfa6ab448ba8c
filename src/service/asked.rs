//! Services that look as if they asked and do not, and keys of ours where nobody reads them.
//!
//! The original compares the label with `true` and looks no further. So do we, but what was probably meant is told.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{EXPOSE_LABEL, is_ours};
use crate::diagnostics::{Code, FieldPath, Problem, did_you_mean, kind_of, quoted, scalar};

/// What was found, and where each stands.
pub(super) type Findings = Vec<(FieldPath, Problem)>;

/// The value of a label or an annotation; in a file, it may be anything.
pub(super) trait Word {
    /// As a text: what somebody meant who wrote a number or a boolean; nothing for what is neither.
    fn word(&self) -> Cow<'_, str>;
}

impl Word for Value {
    fn word(&self) -> Cow<'_, str> {
        match self {
            Self::String(text) => Cow::Borrowed(text),
            other => Cow::Owned(scalar(other).unwrap_or_default()),
        }
    }
}

#[cfg(feature = "k8s-openapi")]
impl Word for String {
    fn word(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

/// Whether a word says yes, in whatever spelling, or no; nothing where it says neither.
fn says(word: &str) -> Option<bool> {
    let is = |known: &&str| word.trim().eq_ignore_ascii_case(known);
    if ["true", "yes", "on", "1", "t", "y"].iter().any(is) {
        return Some(true);
    }
    ["false", "no", "off", "0", "f", "n"].iter().any(is).then_some(false)
}

/// Whether a key is that of the label, but for its case or a prefix of ours.
fn is_expose(key: &str) -> bool {
    let at = key.len().checked_sub(EXPOSE_LABEL.len()).and_then(|at| key.split_at_checked(at));
    at.is_some_and(|(prefix, name)| {
        name.eq_ignore_ascii_case(EXPOSE_LABEL) && (prefix.is_empty() || prefix.ends_with("stakater.com/"))
    })
}

/// Whether a key is nearly that of the label.
fn is_nearly_expose(key: &str) -> bool {
    did_you_mean(key, [EXPOSE_LABEL].iter().copied()).is_some()
}

/// The label by which an object of ours names its Service; `emit` writes it.
const MARK: &str = "xposer.stakater.com/service";

/// The lengths of keys that can be nearly that of the label: of most labels, they tell.
const NEAR: std::ops::RangeInclusive<usize> = 4..=9;

/// What a Service says about asking, in whatever place.
#[derive(Default)]
pub(super) struct Asked<'s> {
    /// The value of the label.
    label: Option<Cow<'s, str>>,
    /// A label that says yes or no under nearly that name, and whether it surely means ours.
    near: Option<(&'s str, bool, bool)>,
    /// An annotation of that name that says yes or no.
    annotation: Option<(&'s str, bool)>,
    /// The first annotation of ours.
    ours: Option<&'s str>,
    /// The annotations of ours among the labels.
    among_labels: Vec<&'s str>,
    /// What stands in fields that nobody reads.
    elsewhere: Findings,
    /// Whether the label is among it.
    asks_elsewhere: bool,
}

impl<'s> Asked<'s> {
    /// Looks at a label.
    pub(super) fn label(&mut self, key: &'s str, value: &'s impl Word) {
        if key == EXPOSE_LABEL {
            self.label = Some(value.word());
            return;
        }
        // The mark on what we write; on a Service it was copied with the rest, and asks for nothing.
        if key == MARK {
            return;
        }
        let is_sure = is_expose(key);
        if is_ours(key) && !is_sure {
            self.among_labels.push(key);
        } else if (is_sure || (self.near.is_none() && NEAR.contains(&key.len())))
            && let Some(yes) = says(&value.word())
            && (is_sure || is_nearly_expose(key))
        {
            self.near = Some((key, yes, is_sure));
        }
    }

    /// Looks at an annotation of a Service that does not ask.
    pub(super) fn annotation(&mut self, key: &'s str, value: &'s impl Word) {
        if is_expose(key)
            && let Some(yes) = says(&value.word())
        {
            self.annotation = Some((key, yes));
        } else if is_ours(key) && self.ours.is_none_or(|first| key < first) {
            self.ours = Some(key);
        }
    }

    /// Looks at the fields of a document in which nobody would read anything for us. An API server has dropped them.
    pub(super) fn fields(&mut self, document: &'s Value) {
        let metadata = document.get("metadata");
        let inside = |field: &str| metadata.and_then(|metadata| metadata.get(field));
        self.fields_of(&[], Some(document), &["metadata", "spec", "status"]);
        self.fields_of(&["metadata"], metadata, &["labels", "annotations"]);
        // The keys of labels and annotations are looked at one by one; here, a mapping among them is none.
        self.fields_of(&["metadata", "labels"], inside("labels"), &[]);
        self.fields_of(&["metadata", "annotations"], inside("annotations"), &[]);
        self.fields_of(&["spec"], document.get("spec"), &["selector"]);
    }

    // Inlined into each of its callers, it would be kilobytes of the policy's module.
    #[inline(never)]
    fn fields_of(&mut self, path: &'static [&'static str], fields: Option<&Value>, known: &[&str]) {
        for (key, value) in fields.and_then(Value::as_object).into_iter().flatten() {
            match value {
                Value::Object(inner) if !known.contains(&key.as_str()) => {
                    self.misplaced(path, key, &keys_inside(key, inner));
                }
                Value::Object(_) => {}
                value if !known.is_empty() && (is_ours(key) || asks(key, value)) => {
                    self.misplaced(path, key, &[key]);
                }
                _ => {}
            }
        }
    }

    /// Looks at what stands in the place of the labels, or of the annotations of a Service that does not ask, and is no mapping.
    pub(super) fn no_mapping(&mut self, field: &'static [&'static str], value: &Value) {
        let has = |object: &Value| {
            let mut entries = object.as_object().into_iter().flatten();
            entries.any(|(key, value)| is_ours(key) || asks(key, value))
        };
        let is_for_us = match value {
            Value::Array(items) => items.iter().any(has),
            Value::String(text) => text.contains("xposer.stakater.com/") || text.contains("expose:"),
            _ => false,
        };
        if is_for_us {
            let said =
                format!("expected a mapping, found {}, in which nobody reads anything", kind_of(value));
            let problem = Problem::new(Code::AskedWrongly, said).help("write `key: value` pairs");
            self.elsewhere.push((FieldPath::object(field), problem));
            self.asks_elsewhere = true;
        }
    }

    /// Some keys stand in the field `key`, or are that field.
    fn misplaced(&mut self, path: &'static [&'static str], key: &str, keys: &[&str]) {
        let [first, more @ ..] = keys else { return };
        let is_label = |key: &&&str| **key == EXPOSE_LABEL;
        let labels = keys.iter().filter(is_label).count();
        self.asks_elsewhere |= labels > 0;
        let them = if more.is_empty() { "it" } else { "them" };
        let to = match labels {
            0 => "metadata.annotations",
            all if all == keys.len() => "metadata.labels",
            _ => "metadata.labels and metadata.annotations",
        };
        let at = FieldPath::object(path).key(key.to_owned());
        let what = match more {
            [] => quoted(first),
            more => format!("{} and {} more", quoted(first), more.len()),
        };
        let said = if key == *first {
            format!("nobody reads {what} here")
        } else {
            format!("nobody reads {what} in {}", quoted(&at.to_string()))
        };
        let problem = Problem::new(Code::AskedWrongly, said).help(format!("move {them} to {to}"));
        self.elsewhere.push((at, problem));
    }

    /// Whether there is anything to be said. Of practically all Services there is nothing.
    pub(super) fn is_silent(&self, asks: bool) -> bool {
        self.among_labels.is_empty()
            && self.elsewhere.is_empty()
            && self.near.is_none()
            && (asks || (self.label.is_none() && self.ours.is_none() && self.annotation.is_none()))
    }

    /// All that is to be said about it; `asks` says whether the Service asks.
    pub(super) fn findings(mut self, asks: bool) -> Findings {
        let mut found = Findings::new();
        let mut question = None;
        if !asks {
            if self.says_no() {
                return found;
            }
            question = self.question();
        } else if let Some((key, ..)) = self.near.filter(|(key, ..)| is_ours(key)) {
            self.among_labels.push(key);
        }
        for key in self.among_labels {
            let said = format!("{} is no label, and nobody reads it here", quoted(key));
            let problem = Problem::new(Code::AskedWrongly, said).help("move it to metadata.annotations");
            found.push((FieldPath::label(key.to_owned()), problem));
        }
        found.append(&mut self.elsewhere);
        let Some((at, question)) = question else { return found };
        // Where the same place is wrong by itself, both are one problem.
        match found.first_mut().filter(|(place, _)| *place == at) {
            Some((_, problem)) => {
                problem.message.push_str(", and the Service does not ask to be exposed");
                let helps = [problem.help.take(), question.help];
                problem.help = Some(helps.into_iter().flatten().collect::<Vec<_>>().join(", and "));
            }
            None => found.insert(0, (at, question)),
        }
        found
    }

    /// Whether somebody says, be it in the wrong place, that it is not to be exposed.
    fn says_no(&self) -> bool {
        match (&self.label, self.near, self.annotation) {
            (Some(label), ..) => says(label) == Some(false),
            (None, Some((_, yes, _)), _) | (None, None, Some((_, yes))) => !yes,
            (None, None, None) => false,
        }
    }

    /// What the Service says that does not ask and probably means to.
    fn question(&self) -> Option<(FieldPath, Problem)> {
        const WRITE: &str = "write expose: \"true\" under metadata.labels";
        let problem = |said: String| Problem::new(Code::AskedWrongly, said);
        let has_keys = self.ours.is_some() || !self.among_labels.is_empty() || !self.elsewhere.is_empty();
        if let Some(word) = &self.label {
            if let Some(help) = unrendered(word) {
                let said = format!("the label is {}, in whose place a value was to be put", quoted(word));
                return Some((FieldPath::label(EXPOSE_LABEL), problem(said).help(help)));
            }
            let found = if word.is_empty() { "empty".to_owned() } else { quoted(word) };
            let problem = problem(format!("the label is {found}, and only `true` asks to be exposed"));
            let problem = match says(word) {
                Some(_) => problem.help("write expose: \"true\""),
                None if has_keys => problem.help("write expose: \"true\", or expose: \"false\" to say no"),
                None => return None,
            };
            return Some((FieldPath::label(EXPOSE_LABEL), problem.propose("true")));
        }
        if let Some((key, _, is_sure)) = self.near
            && (is_sure || has_keys)
        {
            let said =
                format!("the label {} does not ask to be exposed, only `{EXPOSE_LABEL}` does", quoted(key));
            return Some((FieldPath::label(key.to_owned()), problem(said).help(format!("{WRITE} instead"))));
        }
        if let Some((key, _)) = self.annotation {
            let said = format!("{} is an annotation, and only the label asks to be exposed", quoted(key));
            let problem = problem(said).help(format!("{WRITE} instead"));
            return Some((FieldPath::annotation(key.to_owned()), problem));
        }
        if self.asks_elsewhere || !has_keys {
            return None;
        }
        let at = match (self.ours, self.among_labels.first(), self.elsewhere.first()) {
            (Some(key), ..) => FieldPath::annotation(key.to_owned()),
            (None, Some(key), _) => FieldPath::label((*key).to_owned()),
            (None, None, Some((at, _))) => at.clone(),
            (None, None, None) => return None,
        };
        let said = "the Service does not ask to be exposed, so this has no effect".to_owned();
        let help = "add the label expose: \"true\", or expose: \"false\" to say no";
        Some((at, problem(said).help(help)))
    }
}

/// The keys in a field that are meant for us, and that nobody reads there.
pub(super) fn keys_inside<'s>(field: &str, inner: &'s Map<String, Value>) -> Vec<&'s str> {
    let is_for_us =
        |(key, value): &(&String, &Value)| is_ours(key) || (asks(key, value) && is_called_labels(field));
    inner.iter().filter(is_for_us).map(|(key, _)| key.as_str()).collect()
}

/// Whether a field is probably meant to hold labels.
fn is_called_labels(key: &str) -> bool {
    did_you_mean(key, ["labels", "label"].iter().copied()).is_some()
}

/// What is to be done first where a word is a template or a placeholder; nothing where it is neither.
fn unrendered(word: &str) -> Option<&'static str> {
    if word.contains("{{") {
        return Some("render the chart first: helm template NAME CHART");
    }
    let is_variable = word.contains("${") || word.contains("$(");
    is_variable.then_some("put the value of the variable in its place first")
}

/// Whether this is the label, and says yes.
fn asks(key: &str, value: &Value) -> bool {
    key == EXPOSE_LABEL && says(&value.word()) == Some(true)
}
