//! The Gateways of HTTPRoutes: the settings `parentRefs` and `httpParentRefs`.

use serde_json::Value;

use super::parse::{Parsed, invalid, item, list, mapping, one, wrong};
use super::table::Layer;
use crate::diagnostics::{Code, FieldPath, Origin, Problem, Sourced, did_you_mean, one_of, quoted};
use crate::validation::{is_dns_label, is_dns_subdomain};
use crate::values::ParentRef;

/// Reads the Gateways of HTTPRoutes.
pub(super) fn parent_refs(value: &Value, at: &Origin) -> Parsed<Option<Vec<ParentRef>>> {
    let refs = list(value, at, "a list of Gateways", &parent_ref)?;
    if refs.len() > 32 {
        let message = format!("{} Gateways are listed, a route has at most 32", refs.len());
        return Err(wrong(at, message, "remove some of them"));
    }
    for (index, parent) in refs.iter().enumerate() {
        // The API server distinguishes two references to one Gateway by their `sectionName` only.
        let is_told_apart = |other: &ParentRef| {
            parent.section_name.is_some()
                && other.section_name.is_some()
                && parent.section_name != other.section_name
        };
        let mut others = refs.iter().take(index).filter(|other| other.is_same_gateway(parent, None));
        if others.any(|other| !is_told_apart(other)) {
            let message =
                format!("the Gateway {} is given twice without different listeners", quoted(&parent.name));
            return Err(wrong(
                &Origin::Setting(at.path().index(index)),
                message,
                "add a `sectionName:` to each, or remove one",
            ));
        }
    }
    Ok(Some(refs))
}

/// The first entry of `httpParentRefs` that selects a listener which `parentRefs` also selects.
pub(super) fn parents_overlap(layer: &Layer) -> Option<(FieldPath, Problem)> {
    overlap(layer.parent_refs.value()?, layer.http_parent_refs.value()?, None)
}

/// The first listener that both lists select, for a route in this namespace.
pub(crate) fn overlap(
    parents: &Sourced<Vec<ParentRef>>,
    http: &Sourced<Vec<ParentRef>>,
    namespace: Option<&str>,
) -> Option<(FieldPath, Problem)> {
    let with = |entry: &ParentRef| parents.value.iter().position(|it| it.overlaps(entry, namespace));
    let mut entries = http.value.iter().enumerate();
    let (index, entry, with) = entries.find_map(|(index, entry)| Some((index, entry, with(entry)?)))?;
    let message = format!(
        "a listener of the Gateway {} is also in {}: plain HTTP would be served, or requests redirected endlessly",
        quoted(&entry.name),
        parents.origin.path().index(with)
    );
    let help = "name different listeners by `sectionName:` in parentRefs and httpParentRefs";
    Some((http.origin.path().index(index), Problem::new(Code::ParentsOverlap, message).help(help)))
}

/// The keys of a reference to a Gateway or a listener.
const KEYS: [&str; 6] = ["name", "namespace", "sectionName", "group", "kind", "port"];

fn parent_ref(value: &Value, at: &Origin) -> Parsed<ParentRef> {
    let mut parent = ParentRef::default();
    mapping(value, at, &KEYS, &mut |key, value, place| {
        let text = |what: fn(&str) -> bool| {
            let text = item(value, &place, "name")?;
            if what(text) {
                return Ok(text.to_owned());
            }
            Err(wrong(
                &place,
                format!("{} is not a name", quoted(text)),
                "write lower-case letters, digits, `-` and `.`",
            ))
        };
        match key {
            "name" => parent.name = text(is_dns_subdomain)?,
            "namespace" => parent.namespace = Some(text(is_dns_label)?),
            "sectionName" => parent.section_name = Some(text(is_dns_subdomain)?),
            "group" => parent.group = Some(text(is_dns_subdomain)?),
            "kind" => parent.kind = Some(text(|kind| kind.bytes().all(|b| b.is_ascii_alphanumeric()))?),
            "port" => match value.as_u64().and_then(|port| u16::try_from(port).ok()) {
                Some(number) if number > 0 => parent.port = Some(number),
                _ => return Err(invalid(&place, "a port from 1 to 65535", value)),
            },
            other => {
                let message = format!("a Gateway has no field {}", quoted(other));
                let help = match did_you_mean(other, KEYS) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => ["write ", &one_of(&KEYS)].concat(),
                };
                return Err(one(&place, Problem::new(Code::SettingUnknown, message).help(help)));
            }
        }
        Ok(())
    })?;
    if parent.name.is_empty() {
        return Err(wrong(at, "the Gateway has no name", "add `name:`"));
    }
    Ok(parent)
}
