//! Options that are mappings whose layers are merged key by key: the annotations and labels of the emitted objects.

use serde_json::Value;

use super::annotations::{NO_OPTION_HELP, annotation};
use super::layer::Entry;
use super::parse::{self, Parsed, Problems, invalid, is_annotation, item, mapping, one, wrong};
use super::table::{self, Layer};
use crate::diagnostics::{Code, Origin, Problem, did_you_mean, kind_of, quoted, scalar};
use crate::dialect::cert_manager;
use crate::dialect::legacy::CLASSES;
use crate::dialect::misspelt::is_bare_name;
use crate::dialect::nginx::{self, Redirect};
use crate::service::{
    CONFIG_PREFIX, FORWARD_ANNOTATION, MANAGED_BY_LABEL, PUBLISH_KEY, SERVICE_LABEL, STAMP_PREFIX,
};
use crate::validation::pattern::{Patterns, matches};
use crate::validation::{annotation_key_error, label_key_error, label_value_error, parse_bool};
use crate::values::Tls;

/// The keys of the setting `annotations` that are lists of patterns.
pub(super) const LISTS: [&str; 3] = ["deny", "allow", "acceptLoss"];

/// Reads the annotations of a setting. `lists` are the keys whose value is a list of patterns.
pub(super) fn annotations(
    value: &Value,
    at: &Origin,
    mut lists: Option<[(&str, &mut Patterns); 3]>,
) -> Parsed<Option<Vec<Entry>>> {
    let mut found = Vec::new();
    let is_layer = lists.is_none();
    mapping(value, at, &LISTS, &mut |key, value, place| {
        match lists.iter_mut().flatten().find(|(name, _)| *name == key) {
            Some((_, list)) => {
                **list = parse::list(value, &place, "a list of patterns", &pattern_of_keys)?.into();
            }
            None if is_layer && value.is_array() && LISTS.contains(&key) => {
                let message =
                    format!("the list {} applies to all Services and is not allowed here", quoted(key));
                return Err(wrong(&place, message, "move it to the setting annotations at the top"));
            }
            None => found.extend(given(key, value, place)?),
        }
        Ok(())
    })?;
    Ok(Some(found))
}

/// Reads a pattern for keys of annotations. One that matches no key that anybody has would protect from nothing.
fn pattern_of_keys(value: &Value, at: &Origin) -> Parsed<String> {
    let pattern = item(value, at, "pattern")?.trim();
    let no_key = |why: &str, help: String| {
        Err(wrong(at, format!("{} matches no annotation: {why}", quoted(pattern)), help))
    };
    let form = || "write keys such as example.com/name, one in each item, with `*` for any text".to_owned();
    if pattern.contains("-.*") || pattern.contains("_.*") {
        return no_key("`.*` is not a form of `*`", form());
    }
    if let Some(error) = annotation_key_error(&pattern.replace('*', "a")) {
        return no_key(&error, form());
    }
    let options = || table::annotation_keys().filter_map(|key| key.strip_prefix(CONFIG_PREFIX));
    if let Some(name) =
        pattern.strip_prefix(CONFIG_PREFIX).filter(|name| !options().any(|it| matches(name, it)))
    {
        let help = did_you_mean(name, options()).map_or_else(
            || NO_OPTION_HELP.to_owned(),
            |meant| format!("did you mean {CONFIG_PREFIX}{meant}?"),
        );
        return no_key("there is no such option", help);
    }
    if !pattern.starts_with('*')
        && !pattern.contains(['/', '.'])
        && (options().any(|name| matches(pattern, name)) || is_bare_name(pattern))
    {
        return no_key("its prefix is missing", format!("write */{pattern}"));
    }
    Ok(pattern.to_owned())
}

/// The help for an annotation that Xposer reads on a Service; `None` for annotations of other programs.
fn help_for_own(key: &str) -> Option<String> {
    if key == FORWARD_ANNOTATION {
        return Some("write each of its lines under the setting annotations".to_owned());
    }
    let name = match key.strip_prefix(CONFIG_PREFIX) {
        Some(name) => name,
        None if key == PUBLISH_KEY || key.starts_with(STAMP_PREFIX) => "",
        None => return None,
    };
    let is_meant = |row: &&table::Row| {
        row.annotation.and_then(|key| key.strip_prefix(CONFIG_PREFIX)) == Some(name)
            || row.setting.is_some_and(|setting| setting.eq_ignore_ascii_case(name))
    };
    let mut settings = table::ROWS.iter().filter(|row| row.setting.is_some());
    let meant = settings.find(is_meant).and_then(|row| row.setting);
    Some(meant.map_or_else(|| "remove the key".to_owned(), |setting| format!("set {setting} instead")))
}

/// Reads one annotation; `None` if the key has no value.
fn given(key: &str, value: &Value, place: Origin) -> Parsed<Option<Entry>> {
    if let Some(error) = annotation_key_error(key) {
        let message = format!("{} is not an annotation key: {error}", quoted(key));
        return Err(wrong(&place, message, "write `key: value` with a key such as example.com/name"));
    }
    if CLASSES.contains(&key) {
        let message = format!("{} is the class, not an annotation", quoted(key));
        return Err(wrong(&place, message, "set ingressClassName"));
    }
    if let Some(help) = help_for_own(key) {
        let message = format!("{} is read only on Services, and has no effect on their objects", quoted(key));
        return Err(wrong(&place, message, help));
    }
    entry(key, value, place)
}

/// Reads the labels of the emitted objects: a mapping in a setting, a text in an annotation.
pub(super) fn labels(value: &Value, at: &Origin) -> Parsed<Option<Vec<Entry>>> {
    if let Value::String(text) = value
        && is_annotation(at)
    {
        return labels_of_text(text, at);
    }
    let mut found = Vec::new();
    mapping(value, at, &[], &mut |key, value, place| {
        let entry = entry(key, value, place.clone())?;
        let value = entry.as_ref().map_or("", |entry| &entry.value);
        if let Some(problem) = label_problem(Code::SettingInvalid, key, value) {
            return Err(one(&place, problem));
        }
        found.extend(entry);
        Ok(())
    })?;
    Ok(Some(found))
}

/// Reads the labels of the annotation: one `key: value` on each line, or with commas between them.
fn labels_of_text(text: &str, at: &Origin) -> Parsed<Option<Vec<Entry>>> {
    let (mut found, mut problems) = (Vec::<Entry>::new(), Vec::new());
    let mut end = 0;
    for item in text.split([',', '\n']) {
        let start = end + item.len() - item.trim_start().len();
        end += item.len() + 1;
        let item = item.trim();
        if item.is_empty() {
            continue;
        }
        let problem = match item.split_once(':') {
            None => {
                let message = format!("{} is not `key: value`", quoted(item));
                let help = match item.split_once('=') {
                    Some((key, value)) => format!("write {}: {}", key.trim(), value.trim()),
                    None => "write one `key: value` a line".to_owned(),
                };
                Some(Problem::new(Code::LabelInvalid, message).help(help))
            }
            Some((key, value)) => {
                let [key, value] = [key, value].map(|part| part.trim().trim_matches(['"', '\'']).to_owned());
                let problem = label_problem(Code::LabelInvalid, &key, &value);
                found.push(Entry { key, value, origin: Origin::Annotation(annotation::LABELS.into()) });
                problem
            }
        };
        problems.extend(problem.map(|problem| (at.path(), problem.at(start..start + item.len()))));
    }
    let mut keys: Vec<&str> = found.iter().map(|entry| entry.key.as_str()).collect();
    keys.sort_unstable();
    for pair in keys.windows(2) {
        if let [left, right] = pair
            && left == right
        {
            let message = format!("the label {} is given twice", quoted(left));
            problems.extend(one(at, Problem::new(Code::LabelInvalid, message).help("remove one of them")));
        }
    }
    if problems.is_empty() { Ok(Some(found)) } else { Err(problems) }
}

/// Whether the prefix of a key is the prefix of Xposer's labels or a subdomain of it.
fn has_our_prefix(key: &str) -> bool {
    let (Some((prefix, _)), Some((ours, _))) = (key.split_once('/'), SERVICE_LABEL.split_once('/')) else {
        return false;
    };
    prefix.strip_suffix(ours).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The problem of a label that an object cannot have, if there is one.
fn label_problem(code: Code, key: &str, value: &str) -> Option<Problem> {
    let (said, help) = if let Some(error) = label_key_error(key) {
        let message = format!("{} is not the key of a label: {error}", quoted(key));
        (message, "write `key: value` with a key such as example.com/team")
    } else if [MANAGED_BY_LABEL, SERVICE_LABEL].contains(&key) {
        (format!("the label {} is set on every object, and cannot be given", quoted(key)), "remove it")
    } else if has_our_prefix(key) {
        let message = format!("the label {} has the prefix of Xposer's own labels", quoted(key));
        (message, "give it another prefix, or none")
    } else {
        let message =
            format!("the label {} cannot have this value: {}", quoted(key), label_value_error(value)?);
        (message, "write at most 63 letters, digits, `-`, `_` and `.`")
    };
    Some(Problem::new(code, said).help(help))
}

/// Reads an entry of a mapping with texts as values; `None` if the key has no value.
fn entry(key: &str, value: &Value, place: Origin) -> Parsed<Option<Entry>> {
    if value.is_null() {
        return Ok(None);
    }
    if let Value::String(value) = value {
        return Ok(Some(Entry { key: key.to_owned(), value: value.clone(), origin: place }));
    }
    let Some(meant) = scalar(value) else { return Err(invalid(&place, "a text", value)) };
    let message = format!("expected a text, found {}", kind_of(value));
    let problem = Problem::new(Code::SettingInvalid, message).help("put quotes around it");
    Err(one(&place, problem.propose(meant)))
}

/// The contradictions within one layer: it names two issuers, or its annotations contradict its other settings. Between layers
/// there is none, because the upper layer overrides.
pub(super) fn contradictions(layer: &Layer) -> Problems {
    let mut found = Vec::new();
    if let (Some(issuer), Some(_)) = (layer.namespaced_issuer.value(), layer.cluster_issuer.value()) {
        let message = "both an issuer and a clusterIssuer are given";
        found.extend(wrong(&issuer.origin, message, "keep one of the two"));
    }
    for given in layer.annotations() {
        let setting = match (cert_manager::named_kind(&given.key), nginx::redirect_of(&given.key)) {
            (Some(is_cluster), _) => layer
                .issuer()
                .value()
                .filter(|it| it.value.cluster != is_cluster || it.value.name != given.value)
                .map(|it| it.origin.path()),
            (None, Some(redirect)) => {
                let is_forced_by_default =
                    || layer.tls.value().is_some_and(|tls| tls.value == Tls::LoadBalancer);
                layer
                    .https_redirect
                    .value()
                    .filter(|it| parse_bool(&given.value) == Some(!it.value))
                    // With a TLS section, requests are redirected to https without an annotation that forces it.
                    .filter(|it| !it.value || redirect == Redirect::WithTls || is_forced_by_default())
                    .map(|it| it.origin.path())
            }
            (None, None) => None,
        };
        if let Some(setting) = setting {
            let message = format!(
                "{} contradicts {setting}",
                quoted(&[given.key.as_str(), ": ", given.value.as_str()].concat())
            );
            found.extend(wrong(&given.origin, message, "keep one of the two"));
        }
    }
    found
}
