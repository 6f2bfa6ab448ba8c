//! Options that are mappings, whose layers are merged key by key: the annotations to give to what is made.

use serde_json::Value;

use super::layer::Entry;
use super::parse::{Parsed, invalid, mapping, texts, wrong};
use super::table::{self, Layer, Problems};
use crate::diagnostics::{Code, FieldPath, Problem, shown};
use crate::service::{CONFIG_PREFIX, FORWARD_ANNOTATION, PUBLISH_KEY, STAMP_PREFIX, kind_of, scalar};
use crate::validation::pattern::Patterns;
use crate::validation::{CLASS_ANNOTATION, Origin, Tls, annotation_key_flaw, parse_bool};

/// The keys of the setting `annotations` that are lists of patterns.
pub(super) const LISTS: [&str; 3] = ["deny", "allow", "acceptLoss"];

/// Annotations to give. `lists` are the keys whose value is a list of patterns, where there are any.
pub(super) fn annotations(
    value: &Value,
    at: &FieldPath,
    mut lists: Option<[(&str, &mut Patterns); 3]>,
) -> Parsed<Option<Vec<Entry>>> {
    let mut found = Vec::new();
    let is_layer = lists.is_none();
    mapping(value, at, &mut |key, value, path| {
        match lists.iter_mut().flatten().find(|(name, _)| *name == key) {
            Some((_, list)) => **list = texts(value, &path, "pattern")?.into(),
            None if is_layer && value.is_array() && LISTS.contains(&key) => {
                let said = format!("the list {} is for everybody and cannot stand here", shown(key));
                return Err(wrong(&path, said, "move it to the setting annotations at the top"));
            }
            None => found.push(annotation(key, value, path)?),
        }
        Ok(())
    })?;
    Ok(Some(found))
}

/// What to do with an annotation that is for us and on a Service; `None` for those of others.
fn help_for_own(key: &str) -> Option<String> {
    if key == FORWARD_ANNOTATION {
        return Some("write each of its lines under the setting annotations".to_owned());
    }
    let name = match key.strip_prefix(CONFIG_PREFIX) {
        Some(name) => name,
        None if key == PUBLISH_KEY || key.starts_with(STAMP_PREFIX) => "",
        None => return None,
    };
    let is_meant = |annotation: Option<table::Key>, setting: table::Key| {
        annotation.is_some_and(|key| key.short_name() == name) || setting.name.eq_ignore_ascii_case(name)
    };
    let meant = table::settings().find(|(setting, row)| is_meant(row.annotation, *setting));
    Some(
        meant.map_or_else(
            || "remove the key".to_owned(),
            |(setting, _)| format!("set {} instead", setting.name),
        ),
    )
}

fn annotation(key: &str, value: &Value, path: FieldPath) -> Parsed<Entry> {
    if let Some(flaw) = annotation_key_flaw(key) {
        let said = format!("{} is not an annotation key: {flaw}", shown(key));
        return Err(wrong(&path, said, "write `key: value` with a key such as example.com/name"));
    }
    if key == CLASS_ANNOTATION {
        let said = format!("{} is the class, and not an annotation to give", shown(key));
        return Err(wrong(&path, said, "set ingressClassName"));
    }
    if let Some(help) = help_for_own(key) {
        let said = format!("{} is for a Service, and says nothing on what is made of one", shown(key));
        return Err(wrong(&path, said, help));
    }
    entry(key, value, path)
}

/// An entry of a mapping whose values are texts.
fn entry(key: &str, value: &Value, path: FieldPath) -> Parsed<Entry> {
    if let Value::String(value) = value {
        return Ok(Entry { key: key.to_owned(), value: value.clone(), origin: Origin::Setting(path) });
    }
    let Some(meant) = scalar(value) else { return Err(invalid(&path, "a text", value)) };
    let said = format!("expected a text, found {}", kind_of(value));
    let problem = Problem::new(Code::SettingInvalid, said).help("put quotes around it");
    Err(vec![(path, problem.propose(meant))])
}

/// Where a layer contradicts itself: it names two issuers, or its annotations say something else than its settings do.
/// Across layers, the upper one counts.
pub(super) fn contradictions(layer: &Layer) -> Problems {
    let mut found = Vec::new();
    if let (Some(issuer), Some(_)) = (layer.namespaced_issuer.set(), layer.cluster_issuer.set()) {
        let said = "both an issuer and a clusterIssuer are given";
        found.extend(wrong(&issuer.origin.path(), said, "keep one of the two"));
    }
    for given in layer.annotations() {
        let Some((prefix, name)) = given.key.split_once('/') else { continue };
        let setting = match (prefix, name) {
            ("cert-manager.io" | "certmanager.k8s.io", "issuer" | "cluster-issuer") => layer
                .issuer()
                .set()
                .filter(|it| it.value.cluster != (name == "cluster-issuer") || it.value.name != given.value)
                .map(|it| it.origin.path()),
            (
                "nginx.ingress.kubernetes.io" | "ingress.kubernetes.io",
                "ssl-redirect" | "force-ssl-redirect",
            ) => {
                let is_forced_by_default =
                    || layer.tls.set().is_some_and(|tls| tls.value == Tls::LoadBalancer);
                layer
                    .https_redirect
                    .set()
                    .filter(|it| parse_bool(&given.value) == Some(!it.value))
                    // Where there is a TLS section, requests are sent to https without being forced.
                    .filter(|it| !it.value || name == "ssl-redirect" || is_forced_by_default())
                    .map(|it| it.origin.path())
            }
            _ => None,
        };
        if let Some(setting) = setting {
            let said = format!(
                "{} contradicts {setting}",
                shown(&[given.key.as_str(), ": ", given.value.as_str()].concat())
            );
            found.extend(wrong(&given.origin.path(), said, "keep one of the two"));
        }
    }
    found
}
