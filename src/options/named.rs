//! Settings by name: the layers of `profiles` and `namespaces`, the controllers of classes, and authentications.

use serde_json::Value;

use super::layer::{GatewayPattern, IntentValues, Named, Namespace, Profile};
use super::parse::{
    Parsed, class_problem, controller, hosts, is_class, item, list, mapping, one, profile, wrong,
};
use super::table::{self, Layer};
use super::unknown;
use crate::diagnostics::{Origin, Sourced, quoted};
use crate::dialect::controller::{Controller, is_of_annotation};
use crate::intents::Intent;
use crate::validation::{is_dns_label, is_dns_subdomain};

/// The keys of a profile that are not settings of a layer.
const PROFILE_KEYS: &[&str] = &["namespaces"];
/// The keys of a namespace that are not settings of a layer.
const NAMESPACE_KEYS: &[&str] = &["hosts", "classes", "gateways", "profile"];

/// Profiles by their names.
pub(super) fn profiles(value: &Value, at: &Origin, into: &mut Named<Profile>) -> Parsed<()> {
    mapping(value, at, &[], &mut |key, value, place| {
        if !is_dns_subdomain(key) {
            let message = format!("{} is not the name of a profile", quoted(key));
            return Err(wrong(&place, message, "write lower-case letters, digits, `-` and `.`"));
        }
        if value.is_null() {
            return Ok(());
        }
        let mut profile = Profile::default();
        mapping(value, &place, PROFILE_KEYS, &mut |key, value, place| {
            if key == "namespaces" {
                profile.namespaces = Some(namespace_patterns(value, &place)?.into());
                return Ok(());
            }
            setting(&mut profile.layer, PROFILE_KEYS, key, value, place)
        })?;
        into.insert(key, profile);
        Ok(())
    })
}

/// Namespaces by their names or patterns.
pub(super) fn namespaces(value: &Value, at: &Origin, into: &mut Named<Namespace>) -> Parsed<()> {
    mapping(value, at, &[], &mut |key, value, place| {
        namespace_pattern(key, &place)?;
        if value.is_null() {
            return Ok(());
        }
        let mut namespace = Namespace::default();
        mapping(value, &place, NAMESPACE_KEYS, &mut |key, value, place| match key {
            "hosts" => {
                namespace.hosts = Some(Sourced::new(hosts(value, &place)?, place));
                Ok(())
            }
            "classes" => {
                namespace.classes = Some(class_patterns(value, &place)?);
                Ok(())
            }
            "gateways" => {
                namespace.gateways = Some(gateway_patterns(value, &place)?);
                Ok(())
            }
            "profile" => namespace.layer.profile.read_into(profile, value, place),
            _ => setting(&mut namespace.layer, NAMESPACE_KEYS, key, value, place),
        })?;
        into.insert(key, namespace);
        Ok(())
    })
}

/// The controllers of classes.
pub(super) fn controllers(value: &Value, at: &Origin, into: &mut Named<Sourced<Controller>>) -> Parsed<()> {
    mapping(value, at, &[], &mut |class, value, place| {
        if !is_dns_subdomain(class) && !is_of_annotation(class) {
            return Err(one(&place, class_problem(class)));
        }
        if let Some(controller) = controller(value, &place)? {
            into.insert(class, Sourced::new(controller, place));
        }
        Ok(())
    })
}

/// The intents that an authentication can have.
const AUTHENTICATIONS: [(&str, Intent); 2] =
    [("basicAuth", Intent::BasicAuth), ("externalAuth", Intent::ExternalAuth)];

/// Reads the authentications by their names.
pub(super) fn auth(value: &Value, at: &Origin, into: &mut Named<IntentValues>) -> Parsed<()> {
    mapping(value, at, &[], &mut |name, value, place| {
        let keys = AUTHENTICATIONS.map(|(key, _)| key);
        let mut intent_values = IntentValues::default();
        mapping(value, &place, &keys, &mut |key, value, place| match AUTHENTICATIONS
            .iter()
            .find(|(known, _)| *known == key)
        {
            Some((_, intent)) => intent_values.read_into(*intent, value, place),
            None => Err(one(&place, unknown(key, keys.into_iter()))),
        })?;
        if intent_values.is_empty() {
            return Err(wrong(&place, "the authentication is empty", "write basicAuth or externalAuth"));
        }
        into.insert(name, intent_values);
        Ok(())
    })
}

/// Checks that a key is a namespace or a pattern of namespaces.
fn namespace_pattern(pattern: &str, at: &Origin) -> Parsed<()> {
    if is_dns_label(&pattern.replace('*', "x")) {
        return Ok(());
    }
    let message = format!("{} is neither a namespace nor a pattern of namespaces", quoted(pattern));
    Err(wrong(at, message, "write lower-case letters, digits, `-`, and `*` for any text"))
}

/// A list of namespaces or patterns.
fn namespace_patterns(value: &Value, at: &Origin) -> Parsed<Vec<String>> {
    list(value, at, "a list of namespaces", &|value, at| {
        let pattern = item(value, at, "namespace")?.trim();
        namespace_pattern(pattern, at)?;
        Ok(pattern.to_owned())
    })
}

/// A list of classes or patterns.
fn class_patterns(value: &Value, at: &Origin) -> Parsed<Vec<String>> {
    list(value, at, "a list of classes", &|value, at| {
        let pattern = item(value, at, "class")?.trim();
        if is_class(&pattern.replace('*', "x")) {
            return Ok(pattern.to_owned());
        }
        let message = format!("{} is neither a class nor a pattern of classes", quoted(pattern));
        Err(wrong(at, message, "write lower-case letters, digits, `-`, `.`, and `*` for any text"))
    })
}

/// A list of Gateways or patterns, each with its namespace as a prefix if it is not the namespace of the route. A name that begins
/// with an upper-case letter is the kind of another object with listeners, such as `ListenerSet/infra/edge`.
fn gateway_patterns(value: &Value, at: &Origin) -> Parsed<Vec<GatewayPattern>> {
    list(value, at, "a list of Gateways", &|value, at| {
        let pattern = item(value, at, "Gateway")?.trim();
        // A namespace has no upper-case letters.
        let is_kind = pattern.starts_with(|first: char| first.is_ascii_uppercase());
        let end = pattern.find('/').filter(|_| is_kind).map_or(0, |at| at + 1);
        let (kind, named) = pattern.split_at(end);
        let (namespace, name) = match named.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, named),
        };
        let is_word =
            |kind: &str| kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        let is_namespace = |namespace: &str| is_dns_label(&namespace.replace('*', "x"));
        if is_word(kind.trim_end_matches('/'))
            && is_dns_subdomain(&name.replace('*', "x"))
            && namespace.is_none_or(is_namespace)
        {
            let namespace = namespace.map(str::to_owned);
            return Ok(GatewayPattern { kind: kind.to_owned(), namespace, name: name.to_owned() });
        }
        let message = format!("{} is neither a Gateway nor a pattern of Gateways", quoted(pattern));
        let help = "write name, namespace/name or ListenerSet/namespace/name, and `*` for any text";
        Err(wrong(at, message, help))
    })
}

/// Reads a setting of a layer that has the keys `own` in addition to the settings of every layer.
fn setting(layer: &mut Layer, own: &[&str], key: &str, value: &Value, place: Origin) -> Parsed<()> {
    let row = table::find_setting(key);
    if let Some(row) = row.filter(|row| row.is_layered)
        && let Some(read) = row.read
    {
        return if value.is_null() { Ok(()) } else { read(layer, value, place) };
    }
    if row.is_some() {
        let message = format!("the setting {} applies to all Services and is not allowed here", quoted(key));
        return Err(wrong(&place, message, "move it to the top of the settings"));
    }
    let known = table::ROWS.iter().filter(|row| row.is_layered).filter_map(|row| row.setting);
    Err(one(&place, unknown(key, known.chain(own.iter().copied()))))
}
