//! The schemas of kinds that other projects define.
//!
//! `testkit/schemas/` has the fields of each kind that Xposer emits, with the limits of the published definition. Any other field
//! is an error, because an API server would prune it silently.

#![allow(clippy::indexing_slicing, reason = "an index into a JSON value gives null where there is nothing")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use jsonschema::Validator;
use serde_json::{Value, json};
use xposer::emit::Kind;

use crate::cases::parse;
use crate::source::workspace;

/// The schema of a kind's `spec`.
struct Schema {
    validator: Validator,
    /// The schema as the API server reads it.
    text: Value,
}

/// The schemas of the `spec` of several kinds.
pub struct Schemas(BTreeMap<String, Schema>);

impl Schemas {
    /// Loads the schemas of `testkit/schemas/`.
    ///
    /// ```
    /// use serde_json::json;
    /// let schemas = xposer_testkit::schema::Schemas::ours().unwrap();
    /// let route = json!({"kind": "Route", "spec": {"host": "*.example.com", "wildcardPolicy": "None",
    ///     "to": {"kind": "Service", "name": "web"}, "hots": "a"}});
    /// assert_eq!(schemas.errors(&route).unwrap().len(), 2);
    /// assert!(schemas.errors(&json!({"kind": "Ingress"})).is_none());
    /// ```
    ///
    /// # Errors
    ///
    /// A file cannot be read, or is no schema.
    pub fn ours() -> Result<Self> {
        let mut all = BTreeMap::new();
        for kind in Kind::ALL.into_iter().filter(|kind| !kind.row().is_built_in) {
            let file = format!("{}.yaml", kind.as_str().to_ascii_lowercase());
            let path: PathBuf = workspace().join("testkit/schemas").join(&file);
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let schema = parse(&text)?.into_iter().next().unwrap_or_default();
            all.insert(kind.to_string(), Schema::new(schema).context(file)?);
        }
        Ok(Self(all))
    }

    /// Returns the schema of one version of a CustomResourceDefinition.
    ///
    /// # Errors
    ///
    /// The text is no definition with this version.
    pub fn published(definition: &str, version: &str) -> Result<Self> {
        let definition = parse(definition)?.into_iter().find(|it| it["kind"] == "CustomResourceDefinition");
        let spec = definition.context("there is no definition")?["spec"].clone();
        let kind = spec["names"]["kind"].as_str().context("the kind is missing")?.to_owned();
        let versions = spec["versions"].as_array().context("the versions are missing")?;
        let found = versions.iter().find(|it| it["name"] == version).context("there is no such version")?;
        let schema = found["schema"]["openAPIV3Schema"]["properties"]["spec"].clone();
        Ok(Self(BTreeMap::from([(kind, Schema::new(schema)?)])))
    }

    /// Returns the errors of an object, with their places; `None` if its kind has no schema here.
    #[must_use]
    pub fn errors(&self, object: &Value) -> Option<Vec<String>> {
        let schema = self.0.get(object["kind"].as_str()?)?;
        Some(
            schema
                .validator
                .iter_errors(&object["spec"])
                .map(|error| format!("spec{}: {error}", error.instance_path()))
                .collect(),
        )
    }

    /// Returns the `spec` of an object with the defaults of the API server; `None` if its kind has no schema here.
    ///
    /// ```
    /// use serde_json::json;
    /// let schemas = xposer_testkit::schema::Schemas::ours().unwrap();
    /// let route = json!({"kind": "Route", "spec": {"to": {"name": "web"}, "wildcardPolicy": "Subdomain"}});
    /// assert_eq!(schemas.defaulted(&route).unwrap(), json!({"to": {"kind": "Service", "name": "web", "weight": 100},
    ///     "wildcardPolicy": "Subdomain"}));
    /// ```
    #[must_use]
    pub fn defaulted(&self, object: &Value) -> Option<Value> {
        let schema = self.0.get(object["kind"].as_str()?)?;
        let mut spec = object["spec"].clone();
        fill_in(&schema.text, &mut spec);
        Some(spec)
    }

    /// Returns the paths of all fields of a kind, in the form `rules[].backendRefs[].weight`, each with its default if it has one.
    #[must_use]
    pub fn fields(&self, kind: &str) -> BTreeMap<String, Option<Value>> {
        let mut fields = BTreeMap::new();
        if let Some(schema) = self.0.get(kind) {
            collect(&schema.text, "", &mut fields);
        }
        fields
    }
}

impl Schema {
    fn new(text: Value) -> Result<Self> {
        Ok(Self { validator: validator(text.clone())?, text })
    }
}

/// Writes the defaults of a schema into a value, from the outside to the inside, as the API server does.
fn fill_in(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                if !fields.contains_key(name)
                    && let Some(default) = field.get("default")
                {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(value) = fields.get_mut(name) {
                    fill_in(field, value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill_in(&schema["items"], item)),
        _ => {}
    }
}

fn collect(schema: &Value, place: &str, fields: &mut BTreeMap<String, Option<Value>>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        fields.insert(place.clone(), field.get("default").cloned());
        collect(field, &place, fields);
    }
    if schema["items"].is_object() {
        collect(&schema["items"], &format!("{place}[]"), fields);
    }
}

fn validator(mut schema: Value) -> Result<Validator> {
    close(&mut schema);
    Ok(jsonschema::draft7::new(&schema)?)
}

/// Forbids the fields that a schema does not name, which an API server would prune silently.
fn close(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    let is_open = fields.contains_key("additionalProperties")
        || fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    if fields.contains_key("properties") && fields.get("type") == Some(&json!("object")) && !is_open {
        fields.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    for field in
        fields.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(|it| it.values_mut())
    {
        close(field);
    }
    if let Some(items) = fields.get_mut("items") {
        close(items);
    }
    // Removes two keywords of OpenAPI that JSON Schema reads differently or not at all.
    fields.retain(|word, value| word != "nullable" && !(word == "anyOf" && value.is_null()));
}
