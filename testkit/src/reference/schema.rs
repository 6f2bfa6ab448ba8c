//! `settings.schema.json`: the JSON Schema of the settings, for completion and validation in editors.

#![allow(clippy::indexing_slicing, reason = "an index into a JSON value gives null where there is nothing")]

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use xposer::internal::Controller;
use xposer::options::{ConfigOption, Form, Guard, Key, Mode, settings};
use xposer::validation::{BOOLEANS, parse_bool};

use crate::cases::parse;
use crate::source::workspace;

/// The URL at which the schema is published.
pub(super) const ID: &str =
    "https://raw.githubusercontent.com/xposer/xposer/main/docs/reference/settings.schema.json";

pub(super) fn body() -> Result<String> {
    let mut definitions = Map::new();
    for (key, row) in settings() {
        definitions.insert(key.name.to_owned(), definition(key, row)?);
    }
    // A layer has annotations without the lists, which only the general settings have.
    let given = &definitions["annotations"];
    let layered =
        json!({"description": given["description"], "type": given["type"], "additionalProperties": text()});
    definitions.insert("annotationsOfLayer".to_owned(), layered);
    let mut schema = object(&properties(|_| true, "annotations"));
    for (key, value) in [
        ("$schema", json!("http://json-schema.org/draft-07/schema#")),
        ("$id", json!(ID)),
        ("$comment", json!("Made by `make docs` from the table of options. Change that, not this file.")),
        ("title", json!("Settings of Xposer")),
        ("definitions", definitions.into()),
    ] {
        schema[key] = value;
    }
    Ok(serde_json::to_string_pretty(&schema)?)
}

/// The selected settings, each with its definition.
fn properties(is_meant: impl Fn(&ConfigOption) -> bool, annotations: &str) -> Map<String, Value> {
    settings()
        .filter(|(_, row)| is_meant(row))
        .map(|(key, _)| {
            let name = if key.name == "annotations" { annotations } else { key.name };
            (key.name.to_owned(), reference(name))
        })
        .collect()
}

/// The settings of a profile or a namespace, with its other keys.
fn layer(own: Value) -> Value {
    let mut properties = properties(ConfigOption::is_layered, "annotationsOfLayer");
    if let Value::Object(own) = own {
        properties.extend(own);
    }
    object(&properties)
}

/// A mapping with only these keys; null counts as not set.
fn object(properties: &Map<String, Value>) -> Value {
    json!({"type": ["object", "null"], "properties": properties, "additionalProperties": false})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/definitions/{name}")})
}

fn text() -> Value {
    json!({"type": ["string", "null"]})
}

fn list(items: &Value) -> Value {
    json!({"type": ["array", "null"], "items": items})
}

/// A text in a list, which must not be empty.
fn item() -> Value {
    json!({"type": "string", "pattern": "\\S"})
}

fn definition(key: Key, row: &ConfigOption) -> Result<Value> {
    let mut schema = shape(key.name, row.form)?;
    schema["description"] = row.doc.into();
    if let Some(default) = row.default_value() {
        schema["default"] = value(default)?;
    }
    schema["examples"] = json!([value(key.example)?]);
    Ok(schema)
}

/// The schema of a value.
fn shape(name: &str, form: Form) -> Result<Value> {
    Ok(match (form, name) {
        (Form::Boolean, _) => boolean(),
        (Form::Word(words), _) if words.iter().any(|word| parse_bool(word).is_some()) => {
            let mut words = words.to_vec();
            words.retain(|word| parse_bool(word).is_none());
            let mut schema = boolean();
            if let Value::Array(values) = &mut schema["enum"] {
                values.splice(2..2, words.into_iter().map(Value::from));
            }
            schema
        }
        (Form::Word(words), _) => {
            // A word of digits may be written as a number.
            let numbers = words.iter().filter_map(|word| word.parse::<u16>().ok()).map(Value::from);
            json!({"enum": nothing_or(words.iter().map(|word| (*word).into()).chain(numbers))})
        }
        (Form::Words(words), _) => {
            let one = words.join("|");
            // An exposed Service has at least one object.
            let least = u8::from(name == "target");
            json!({"anyOf": [
                {"type": "array", "items": {"enum": words}, "minItems": least},
                {"enum": nothing_or(words.iter().map(|word| (*word).into()))},
                {"type": "string", "pattern": format!("^[\\s,]*(({one})\\s*(,[\\s,]*|$))*$")},
            ]})
        }
        (Form::Number(min, max), _) => json!({"type": ["integer", "null"], "minimum": min, "maximum": max}),
        (Form::Port, _) => {
            json!({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65_535}, text()]})
        }
        (Form::Path, _) => json!({"type": ["string", "null"], "pattern": "^\\s*(/|$)"}),
        (Form::Template | Form::Templates | Form::Name | Form::Text | Form::Block, _) => text(),
        // The grammars of these forms are more complex than a pattern can express.
        (Form::Duration, _) => {
            json!({"type": ["string", "null"], "pattern": "^\\s*([0-9]{1,5}(h|ms|m|s)){0,4}\\s*$"})
        }
        (Form::Size, _) => json!({"type": ["string", "integer", "null"], "minimum": 0}),
        (Form::Items, _) => {
            let items = json!({"type": ["array", "null"], "items": item(), "minItems": 1});
            json!({"anyOf": [items, text()]})
        }
        (Form::Parts(keys), _) => {
            let part = json!({"type": ["string", "number", "boolean", "array", "null"], "items": item()});
            let parts: Map<String, Value> =
                keys.iter().map(|key| ((*key).to_owned(), part.clone())).collect();
            json!({"anyOf": [object(&parts), text()]})
        }
        (Form::Pairs, _) => json!({"type": ["object", "null"], "additionalProperties": text()}),
        (Form::List, "parentRefs" | "httpParentRefs") => list(&gateway()),
        (Form::TemplateList | Form::List, _) => list(&item()),
        (Form::Mapping, "annotations") => {
            let patterns = list(&item());
            json!({"type": ["object", "null"], "additionalProperties": text(),
                "properties": {"deny": patterns, "allow": patterns, "acceptLoss": patterns}})
        }
        (Form::Mapping, "monitorProvider") => object(&providers()?),
        (Form::Mapping, "profiles") => {
            let own = json!({"namespaces": list(&item())});
            json!({"type": ["object", "null"], "additionalProperties": layer(own)})
        }
        (Form::Mapping, "namespaces") => {
            let own = json!({"hosts": list(&item()), "classes": list(&item()), "gateways": list(&item()), "profile": text()});
            json!({"type": ["object", "null"], "additionalProperties": layer(own)})
        }
        (Form::Mapping, "controllers") => {
            json!({"type": ["object", "null"], "additionalProperties": {"enum": nothing_or(Controller::WORDS.iter().map(|word| (*word).into()))}})
        }
        (Form::Mapping, "auth") => {
            let of = |name: &str| {
                settings().find(|(key, _)| key.name == name).map(|(key, row)| shape(key.name, row.form))
            };
            let mut ways = Map::new();
            for name in ["basicAuth", "externalAuth"] {
                ways.insert(name.to_owned(), of(name).context("an authentication is an option")??);
            }
            json!({"type": ["object", "null"], "additionalProperties": object(&ways)})
        }
        (Form::Mapping, "claims") => {
            let word = |words: &[&str]| json!({"enum": nothing_or(words.iter().map(|word| (*word).into()))});
            let mut claims = object(&Map::from_iter([
                ("namespace".to_owned(), item()),
                ("mode".to_owned(), mode()),
                ("onFailure".to_owned(), word(&["warn", "deny"])),
                ("maxAge".to_owned(), shape("maxAge", Form::Duration)?),
                ("nameOthers".to_owned(), boolean()),
            ]));
            claims["required"] = json!(["namespace"]);
            claims
        }
        (Form::Mapping, "guard") => object(&Map::from_iter([
            ("mode".to_owned(), mode()),
            ("kinds".to_owned(), list(&json!({"enum": Guard::KINDS}))),
            ("users".to_owned(), list(&item())),
        ])),
        (Form::Mapping, other) => bail!("the schema does not know the keys of {other}"),
    })
}

/// The mode for a finding; a YAML parser may read `off` as a boolean.
fn mode() -> Value {
    json!({"enum": nothing_or(Mode::WORDS.iter().map(|word| (*word).into()).chain([false.into()]))})
}

fn boolean() -> Value {
    let values = [true.into(), false.into()].into_iter().chain(BOOLEANS.map(|(spelling, _)| spelling.into()));
    json!({"enum": nothing_or(values)})
}

/// Some values, and the values that count as not set.
fn nothing_or(values: impl Iterator<Item = Value>) -> Vec<Value> {
    values.chain(["".into(), Value::Null]).collect()
}

/// The keys that identify a Gateway or its listener.
fn gateway() -> Value {
    let optional = json!({"type": ["string", "null"], "pattern": "\\S"});
    json!({"type": "object", "required": ["name"], "additionalProperties": false, "properties": {
        "name": item(), "namespace": optional, "sectionName": optional, "group": optional, "kind": optional,
        "port": {"type": ["integer", "null"], "minimum": 1, "maximum": 65_535},
    }})
}

/// The options of the monitor providers, from the definition of the EndpointMonitor.
fn providers() -> Result<Map<String, Value>> {
    let file = workspace().join("testkit/schemas/endpointmonitor.yaml");
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let definition = parse(&text)?.into_iter().next().unwrap_or_default();
    let fields = definition["properties"].as_object().context("the EndpointMonitor has no properties")?;
    let providers = fields.iter().filter(|(name, _)| name.ends_with("Config")).map(|(name, provider)| {
        let mut provider = provider.clone();
        provider["additionalProperties"] = false.into();
        if let Some(options) = provider["properties"].as_object_mut() {
            for option in options.values_mut() {
                *option = json!({"anyOf": [option, {"type": "null"}]});
            }
        }
        (name.clone(), json!({"anyOf": [provider, {"type": "null"}]}))
    });
    Ok(providers.collect())
}

/// Parses a value of the table, which is YAML.
fn value(yaml: &str) -> Result<Value> {
    Ok(parse(yaml)?.into_iter().next().unwrap_or_default())
}
