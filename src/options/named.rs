//! The settings `profiles` and `namespaces`: layers of settings under names.

use serde_json::Value;

use super::layer::{Named, Namespace, Profile};
use super::parse::{Parsed, hosts, item, list, mapping, profile, wrong};
use super::table::{self, Layer};
use super::unknown;
use crate::diagnostics::{FieldPath, Origin, Sourced, quoted};
use crate::validation::{is_dns_label, is_dns_subdomain};

/// Profiles by their names.
pub(super) fn profiles(value: &Value, at: &FieldPath, into: &mut Named<Profile>) -> Parsed<()> {
    mapping(value, at, &mut |key, value, path| {
        if !is_dns_subdomain(key) {
            let said = format!("{} is not the name of a profile", quoted(key));
            return Err(wrong(&path, said, "write lower-case letters, digits, `-` and `.`"));
        }
        let mut profile = Profile::default();
        let namespaces = &mut profile.namespaces;
        layer(value, &path, &mut profile.layer, &["namespaces"], &mut |_, _, value, at| {
            *namespaces = Some(namespace_patterns(value, at)?.into());
            Ok(())
        })?;
        into.insert(key, profile);
        Ok(())
    })
}

/// Namespaces by their names or patterns.
pub(super) fn namespaces(value: &Value, at: &FieldPath, into: &mut Named<Namespace>) -> Parsed<()> {
    mapping(value, at, &mut |key, value, path| {
        namespace_pattern(key, &path)?;
        let mut namespace = Namespace::default();
        let own_hosts = &mut namespace.hosts;
        layer(value, &path, &mut namespace.layer, &["hosts", "profile"], &mut |layer, key, value, at| {
            if key == "hosts" {
                *own_hosts = Some(Sourced::new(hosts(value, at)?, Origin::Setting(at.clone())));
                return Ok(());
            }
            layer.profile.take(profile, value, Origin::Setting(at.clone()))
        })?;
        into.insert(key, namespace);
        Ok(())
    })
}

/// What is neither a namespace nor a pattern of namespaces.
fn namespace_pattern(pattern: &str, at: &FieldPath) -> Parsed<()> {
    if is_dns_label(&pattern.replace('*', "x")) {
        return Ok(());
    }
    let said = format!("{} is neither a namespace nor a pattern of namespaces", quoted(pattern));
    Err(wrong(at, said, "write lower-case letters, digits, `-`, and `*` for any text"))
}

/// A list of namespaces or patterns.
fn namespace_patterns(value: &Value, at: &FieldPath) -> Parsed<Vec<String>> {
    list(value, at, "a list of namespaces", &|value, at| {
        let pattern = item(value, at, "namespace")?.trim();
        namespace_pattern(pattern, at)?;
        Ok(pattern.to_owned())
    })
}

/// Reads a key that a profile or a namespace has beside the settings of every layer.
type ReadOwn<'r> = dyn FnMut(&mut Layer, &str, &Value, &FieldPath) -> Parsed<()> + 'r;

/// The settings of one layer; `own` are the keys that it has beside those of every layer.
fn layer(
    value: &Value,
    at: &FieldPath,
    layer: &mut Layer,
    own: &[&str],
    read_own: &mut ReadOwn<'_>,
) -> Parsed<()> {
    mapping(value, at, &mut |key, value, path| {
        if own.contains(&key) {
            return read_own(layer, key, value, &path);
        }
        let row = table::find_setting(key);
        if let Some(row) = row.filter(|row| row.is_layered())
            && let Some(read) = row.read
        {
            return read(layer, value, Origin::Setting(path));
        }
        if row.is_some() {
            let said = format!("the setting {} is for everybody and cannot stand here", quoted(key));
            return Err(wrong(&path, said, "move it to the top of the settings"));
        }
        let known = table::settings().filter(|(_, row)| row.is_layered()).map(|(key, _)| key.name);
        Err(vec![(path, unknown(key, known.chain(own.iter().copied())))])
    })
}
