//! Hints about Services that are probably meant to be exposed although the label is missing, and keys of Xposer in fields that are
//! not read.
//!
//! Only the label with the value `true` exposes a Service, as in the original Xposer. Similar labels are reported.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::LocatedProblems;
use super::keys::{EXPOSE_LABEL, SERVICE_LABEL, is_ours};
use crate::diagnostics::{Code, FieldPath, Problem, did_you_mean, kind_of, quoted, scalar};

/// The value of a label or an annotation as text; empty for a list, a mapping and null.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(scalar(other).unwrap_or_default()),
    }
}

/// The boolean that a word stands for, in any spelling; `None` if the word is no boolean.
fn yes_or_no(word: &str) -> Option<bool> {
    let is = |known: &&str| word.trim().eq_ignore_ascii_case(known);
    if ["true", "yes", "on", "1", "t", "y"].iter().any(is) {
        return Some(true);
    }
    ["false", "no", "off", "0", "f", "n"].iter().any(is).then_some(false)
}

/// Whether a key is that of the label in another letter case or with a prefix of Xposer.
fn is_expose(key: &str) -> bool {
    let at = key.len().checked_sub(EXPOSE_LABEL.len()).and_then(|at| key.split_at_checked(at));
    at.is_some_and(|(prefix, name)| {
        name.eq_ignore_ascii_case(EXPOSE_LABEL) && (prefix.is_empty() || prefix.ends_with("stakater.com/"))
    })
}

/// Whether this is the label, with a true value.
fn asks(key: &str, value: &Value) -> bool {
    key == EXPOSE_LABEL && yes_or_no(&text(value)) == Some(true)
}

/// The evidence in a document, in any field, that its author wants or does not want it exposed.
#[derive(Default)]
pub(super) struct Hints<'s> {
    /// The value of the label.
    label: Option<Cow<'s, str>>,
    /// A label with a similar name and a boolean value.
    similar: Option<Similar<'s>>,
    /// An annotation with the name of the label and a boolean value.
    annotation: Option<(&'s str, bool)>,
    /// The first annotation of Xposer.
    first_key: Option<&'s str>,
    /// The annotations of Xposer that were written among the labels.
    among_labels: Vec<&'s str>,
    /// The keys of Xposer in fields that are not read.
    misplaced: LocatedProblems,
    /// Whether the label is among the misplaced keys.
    misplaces_label: bool,
}

#[derive(Clone, Copy)]
struct Similar<'s> {
    key: &'s str,
    yes: bool,
    /// Whether the label differs only in letter case or prefix.
    is_sure: bool,
}

impl<'s> Hints<'s> {
    /// Reads the labels, the annotations of a Service that is not exposed, and the other fields, in which keys may be misplaced.
    pub(super) fn of_document(document: &'s Value, is_exposed: bool) -> Self {
        let mut hints = Self::default();
        let metadata = document.get("metadata");
        let inside = |field: &str| metadata.and_then(|metadata| metadata.get(field));
        let (labels, annotations) = (inside("labels"), inside("annotations"));
        match labels {
            Some(Value::Object(labels)) => {
                for (key, value) in labels {
                    hints.label(key, text(value));
                }
            }
            Some(other) => hints.no_mapping(&["metadata", "labels"], other),
            None => {}
        }
        match annotations.filter(|_| !is_exposed) {
            Some(Value::Object(annotations)) => {
                for (key, value) in annotations {
                    hints.annotation(key, &text(value));
                }
            }
            Some(other) => hints.no_mapping(&["metadata", "annotations"], other),
            None => {}
        }
        hints.fields(&[], Some(document), &["metadata", "spec", "status"]);
        hints.fields(&["metadata"], metadata, &["labels", "annotations"]);
        // The entries of labels and annotations are read one by one below; this call looks only for mappings among them.
        hints.fields(&["metadata", "labels"], labels, &[]);
        hints.fields(&["metadata", "annotations"], annotations, &[]);
        hints.fields(&["spec"], document.get("spec"), &["selector"]);
        hints
    }

    /// Reads a label.
    pub(super) fn label(&mut self, key: &'s str, value: Cow<'s, str>) {
        if key == EXPOSE_LABEL {
            self.label = Some(value);
            return;
        }
        // This label marks an object that Xposer wrote; on a Service it was copied from such an object.
        if key == SERVICE_LABEL {
            return;
        }
        let is_sure = is_expose(key);
        if is_ours(key) && !is_sure {
            self.among_labels.push(key);
        } else if (is_sure || self.similar.is_none())
            && let Some(yes) = yes_or_no(&value)
            && (is_sure || did_you_mean(key, [EXPOSE_LABEL]).is_some())
        {
            self.similar = Some(Similar { key, yes, is_sure });
        }
    }

    /// Reads an annotation of a Service that is not exposed.
    pub(super) fn annotation(&mut self, key: &'s str, value: &str) {
        if is_expose(key)
            && let Some(yes) = yes_or_no(value)
        {
            self.annotation = Some((key, yes));
        } else if is_ours(key) && self.first_key.is_none_or(|first| key < first) {
            self.first_key = Some(key);
        }
    }

    /// Reads the fields of a mapping, except known fields with other contents. An API server drops most unknown fields.
    fn fields(&mut self, path: &[&'static str], fields: Option<&Value>, known: &[&str]) {
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

    /// Reports labels or annotations that are no mapping.
    fn no_mapping(&mut self, field: &[&'static str], value: &Value) {
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
            let message = format!("expected a mapping, found {}, which is not read", kind_of(value));
            let problem = Problem::new(Code::AskedWrongly, message).help("write `key: value` pairs");
            self.misplaced.push((FieldPath::object(field), problem));
            self.misplaces_label = true;
        }
    }

    /// Adds the problem of misplaced keys in the field `key`, or of that field itself.
    fn misplaced(&mut self, path: &[&'static str], key: &str, keys: &[&str]) {
        let [first, more @ ..] = keys else { return };
        let labels = keys.iter().filter(|key| **key == EXPOSE_LABEL).count();
        self.misplaces_label |= labels > 0;
        let to = match labels {
            0 => "metadata.annotations",
            all if all == keys.len() => "metadata.labels",
            _ => "metadata.labels and metadata.annotations",
        };
        let (what, verb, them) = match more.len() {
            0 => (quoted(first), "is", "it"),
            more => (format!("{} and {more} more", quoted(first)), "are", "them"),
        };
        let at = FieldPath::object(path).key(key.to_owned());
        let place = if key == *first { "here".to_owned() } else { format!("in {}", quoted(&at.to_string())) };
        let problem = Problem::new(Code::AskedWrongly, format!("{what} {verb} not read {place}"));
        self.misplaced.push((at, problem.help(format!("move {them} to {to}"))));
    }

    /// Returns everything that is to be reported.
    pub(super) fn findings(mut self, is_exposed: bool) -> LocatedProblems {
        if !is_exposed && self.says_no() {
            return Vec::new();
        }
        let question = if is_exposed { None } else { self.question() };
        if is_exposed && let Some(similar) = self.similar.filter(|similar| is_ours(similar.key)) {
            self.among_labels.push(similar.key);
        }
        let mut found = LocatedProblems::new();
        for key in self.among_labels {
            let message = format!("{} is not a label, so it is not read here", quoted(key));
            let problem = Problem::new(Code::AskedWrongly, message).help("move it to metadata.annotations");
            found.push((FieldPath::label(key.to_owned()), problem));
        }
        found.append(&mut self.misplaced);
        let Some((at, question)) = question else { return found };
        // Two problems in one place become one finding.
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

    /// Whether the document has the label with a false value, possibly in the wrong field.
    fn says_no(&self) -> bool {
        let yes = match &self.label {
            Some(label) => yes_or_no(label),
            None => self.similar.map(|similar| similar.yes).or(self.annotation.map(|(_, yes)| yes)),
        };
        yes == Some(false)
    }

    /// The reason why a Service is not exposed although its author probably wants it to be.
    fn question(&self) -> Option<(FieldPath, Problem)> {
        const WRITE: &str = "write expose: \"true\" under metadata.labels instead";
        let problem = |message: String| Problem::new(Code::AskedWrongly, message);
        let has_keys =
            self.first_key.is_some() || !self.among_labels.is_empty() || !self.misplaced.is_empty();
        if let Some(word) = &self.label {
            let at = FieldPath::label(EXPOSE_LABEL);
            if let Some(help) = placeholder(word) {
                let message = format!("the label still has the placeholder {}", quoted(word));
                return Some((at, problem(message).help(help)));
            }
            let help = match yes_or_no(word) {
                Some(_) => "write expose: \"true\"",
                None if has_keys => "write expose: \"true\", or expose: \"false\" to expose nothing",
                None => return None,
            };
            let found = if word.is_empty() { "empty".to_owned() } else { quoted(word) };
            let message = format!("the label is {found}, but only `true` exposes the Service");
            return Some((at, problem(message).help(help).propose("true")));
        }
        if let Some(Similar { key, .. }) = self.similar.filter(|similar| similar.is_sure || has_keys) {
            let message =
                format!("the label {} does not expose the Service, only `{EXPOSE_LABEL}` does", quoted(key));
            return Some((FieldPath::label(key.to_owned()), problem(message).help(WRITE)));
        }
        if let Some((key, _)) = self.annotation {
            let message = format!("{} is an annotation, but only the label exposes the Service", quoted(key));
            return Some((FieldPath::annotation(key.to_owned()), problem(message).help(WRITE)));
        }
        if self.misplaces_label {
            return None;
        }
        let annotation = || self.first_key.map(|key| FieldPath::annotation(key.to_owned()));
        let label = || self.among_labels.first().map(|key| FieldPath::label((*key).to_owned()));
        let elsewhere = || self.misplaced.first().map(|(at, _)| at.clone());
        let at = annotation().or_else(label).or_else(elsewhere)?;
        let problem = problem("the Service does not ask to be exposed, so this has no effect".to_owned());
        Some((at, problem.help("add the label expose: \"true\", or expose: \"false\" to expose nothing")))
    }
}

/// The keys with the prefixes of Xposer inside a field in which they are not read.
pub(super) fn keys_inside<'s>(field: &str, inner: &'s Map<String, Value>) -> Vec<&'s str> {
    let is_called_labels = did_you_mean(field, ["labels", "label"]).is_some();
    let is_for_us = |(key, value): &(&String, &Value)| is_ours(key) || (is_called_labels && asks(key, value));
    inner.iter().filter(is_for_us).map(|(key, _)| key.as_str()).collect()
}

/// The first step of the help if a word is a template or a variable; `None` if it is neither.
fn placeholder(word: &str) -> Option<&'static str> {
    if word.contains("{{") {
        return Some("render the chart first: helm template NAME CHART");
    }
    let is_variable = word.contains("${") || word.contains("$(");
    is_variable.then_some("replace the variable by its value first")
}
