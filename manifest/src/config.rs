//! Where the settings stand: in a document of their own, or in an object that carries them.

use std::ops::Range;

use serde_json::Value;
use xposer::{Form, Segment, settings};

use crate::document::Document;
use crate::encrypted::Encrypted;
use crate::message::TEMPLATE_HELP;
use crate::read::load;

/// The settings in a document, and where each of them is written.
#[derive(Default)]
pub struct Config {
    /// The settings as the core reads them.
    pub settings: Value,
    /// The keys that lead from the top of the document to the settings.
    way: Vec<Segment>,
    folds: Vec<Fold>,
    /// The object that should carry them does not.
    pub missing: Option<Missing>,
}

/// What an object that should carry settings lacks.
pub struct Missing {
    pub said: String,
    pub help: String,
}

/// A text that holds YAML, for the data of a ConfigMap are texts.
struct Fold {
    /// The key of the text.
    key: String,
    /// Whether the text is the value of the setting of that name, rather than all settings.
    is_setting: bool,
    text: String,
    document: Document,
}

/// Where something in the settings is written.
pub struct Spot<'c> {
    /// The way from the top of the document: to it, or to the text that holds it.
    pub way: Vec<Segment>,
    /// Its place in the text that holds it.
    pub inside: Option<Inside<'c>>,
}

/// A place in a text that holds YAML.
pub struct Inside<'c> {
    pub text: &'c str,
    pub document: &'c Document,
    pub way: Vec<Segment>,
}

/// Why a document holds no settings.
pub struct Wrong {
    /// The way from the top of the document to what is wrong.
    pub way: Vec<Segment>,
    /// The bytes of the text there that are meant.
    pub range: Option<Range<usize>>,
    pub said: String,
    pub help: Option<String>,
}

type Found = Result<Config, Vec<Wrong>>;

impl Config {
    /// The settings of a document that somebody names: bare, in a ConfigMap, in the config of a KRM function, or in a
    /// policy of Kubewarden.
    pub fn of_document(document: &Value) -> Found {
        let (Some(version), Some(kind)) = (text(document, "apiVersion"), text(document, "kind")) else {
            return Ok(Self::at(document, &[]));
        };
        let is_function = |document: &Value| {
            let annotations = document.pointer("/metadata/annotations");
            let has = |key: &str| annotations.is_some_and(|all| all.get(key).is_some());
            has("config.kubernetes.io/function") || has("config.k8s.io/function")
        };
        match (version, kind) {
            ("v1", "ConfigMap") => Self::of_data(document),
            (version, "ClusterAdmissionPolicy" | "AdmissionPolicy")
                if version.starts_with("policies.kubewarden.io/") =>
            {
                Ok(Self::at(document, &["spec", "settings"]))
            }
            _ if is_function(document) => Ok(Self::at(document, &["spec"])),
            _ => Err(vec![Wrong {
                way: vec![key("kind")],
                range: None,
                said: "expected settings, found another object of Kubernetes".to_owned(),
                help: Some("name a file of settings, or the ConfigMap that holds them".to_owned()),
            }]),
        }
    }

    /// The settings in the config of a KRM function: `data` of a ConfigMap, `spec` of any other kind.
    pub fn of_function(config: &Value) -> Found {
        match (text(config, "apiVersion"), text(config, "kind")) {
            (Some("v1"), Some("ConfigMap")) => Self::of_data(config),
            _ => Ok(Self::at(config, &["spec"])),
        }
    }

    fn at(document: &Value, way: &[&'static str]) -> Self {
        let settings = way.iter().try_fold(document, |value, key| value.get(key));
        let settings = settings.cloned().unwrap_or_default();
        Self {
            settings,
            way: way.iter().map(|name| key(name)).collect(),
            folds: Vec::new(),
            missing: missing(document, way),
        }
    }

    /// The data of a ConfigMap: a file with all settings, or the settings one by one.
    fn of_data(document: &Value) -> Found {
        let has_binary =
            document.get("binaryData").and_then(Value::as_object).is_some_and(|data| !data.is_empty());
        if has_binary {
            return Err(vec![Wrong {
                way: vec![key("binaryData")],
                range: None,
                said: "expected the settings in the `data` of the ConfigMap, found `binaryData`".to_owned(),
                help: Some("write them under `data`, as text".to_owned()),
            }]);
        }
        let config = Self::at(document, &["data"]);
        let Value::Object(data) = &config.settings else { return Ok(config) };
        // No setting has a dot in its name, and practically every file has one.
        let is_file = |name: &str, value: &Value| {
            name.contains('.') || data.len() == 1 && !is_setting(name) && holds_settings(value)
        };
        let mut files = data.iter().filter(|(name, value)| is_file(name, value));
        match (files.next(), data.len()) {
            (None, _) => config.unfolded(),
            (Some((name, Value::String(text))), 1) => {
                let (name, text) = (name.clone(), text.clone());
                config.file(name, text)
            }
            (Some((name, _)), _) => Err(vec![Wrong {
                way: vec![key("data"), key(name)],
                range: None,
                said: "expected one file with the settings, or the settings one by one, in the data of the \
                       ConfigMap"
                    .to_owned(),
                help: Some("write the settings to a file of their own, and name that".to_owned()),
            }]),
        }
    }

    /// The settings that a text of the data holds.
    fn file(mut self, key: String, text: String) -> Found {
        let document = read(&key, &text, "")?;
        self.settings = document.as_ref().map(|document| document.value.clone()).unwrap_or_default();
        self.folds =
            document.map(|document| Fold { key, is_setting: false, text, document }).into_iter().collect();
        Ok(self)
    }

    /// The settings with lists and mappings in place of the texts that stand for them. The core reads all others.
    fn unfolded(mut self) -> Found {
        let Value::Object(data) = &mut self.settings else { return Ok(self) };
        let (mut folds, mut wrong) = (Vec::new(), Vec::new());
        for (name, value) in data.iter_mut().filter(|(name, _)| is_collection(name)) {
            let Value::String(text) = &*value else { continue };
            match read(name, text, &format!("`{name}` is no YAML: ")) {
                Ok(None) => *value = Value::Null,
                Ok(Some(document)) if document.value.is_array() || document.value.is_object() => {
                    let text = text.clone();
                    *value = document.value.clone();
                    folds.push(Fold { key: name.clone(), is_setting: true, text, document });
                }
                // One word may stand for a list of one.
                Ok(Some(_)) => {}
                Err(found) => wrong.extend(found),
            }
        }
        self.folds = folds;
        if wrong.is_empty() { Ok(self) } else { Err(wrong) }
    }

    /// Where the value at this path of the settings is written.
    pub fn spot(&self, path: impl Iterator<Item = Segment>) -> Spot<'_> {
        let mut path: Vec<Segment> = path.collect();
        let is_in = |fold: &&Fold| match path.first() {
            Some(Segment::Key(name)) => !fold.is_setting || *name == fold.key,
            _ => !fold.is_setting,
        };
        let mut way = self.way.clone();
        let Some(fold) = self.folds.iter().find(is_in) else {
            way.append(&mut path);
            return Spot { way, inside: None };
        };
        way.push(key(&fold.key));
        let within = path.split_off(usize::from(fold.is_setting).min(path.len()));
        let inside = Inside { text: &fold.text, document: &fold.document, way: within };
        Spot { way, inside: Some(inside).filter(|inside| !inside.way.is_empty()) }
    }
}

/// The one document of a text of the data, if it is not empty. What is wrong with it is said after `before`.
fn read(name: &str, text: &str, before: &str) -> Result<Option<Document>, Vec<Wrong>> {
    let wrong = |range, said: String, help| Wrong {
        way: vec![key("data"), key(name)],
        range,
        said: format!("{before}{said}"),
        help,
    };
    if let Some(found) = Encrypted::of_bytes(text.as_bytes()) {
        return Err(vec![wrong(None, found.said(), Some(found.help(None, "")))]);
    }
    let mut documents = load(text).map_err(|errors| {
        let help = |help: Option<String>| {
            if help.as_deref() == Some(TEMPLATE_HELP) { template(name, text) } else { help }
        };
        let errors = errors.into_iter();
        // The lines that a message counts are those of the text, and not of the file around it.
        let said = errors.map(|error| wrong(Some(error.span), error.message, help(error.help)));
        said.collect::<Vec<_>>()
    })?;
    let last = documents.pop();
    if documents.is_empty() {
        return Ok(last);
    }
    let said = format!("expected one document, found {}", documents.len() + 1);
    Err(vec![wrong(None, said, Some("remove all but one".to_owned()))])
}

/// What to say where there is nothing at the end of the way to the settings, not even that there are none.
fn missing(document: &Value, way: &[&'static str]) -> Option<Missing> {
    let found = way.iter().try_fold(document, |value, key| value.get(key));
    if way.is_empty() || found.is_some_and(|found| !found.is_null()) {
        return None;
    }
    let kind = text(document, "kind").unwrap_or("object");
    let field = way.join(".");
    let last = way.last().copied().unwrap_or_default();
    let help = format!("write the settings under `{field}`, or `{last}: {{}}` if none are meant");
    Some(Missing { said: format!("this {kind} has no `{field}`, so all settings are the defaults"), help })
}

/// What to do with a template that YAML takes for a mapping. It is meant as it stands, so there is nothing to render.
fn template(name: &str, text: &str) -> Option<String> {
    let form = settings().iter().find(|row| row.name == name).map(|row| row.form);
    let line = text.trim();
    let line = line.strip_prefix("- ").map_or(line, str::trim_start);
    let is_one = !line.contains(['\n', '\'']) && line.starts_with("{{");
    Some(match form {
        Some(Form::TemplateList) if is_one => format!("write a list: `- '{line}'`"),
        _ => "put every value that contains `{{` in quotes".to_owned(),
    })
}

fn is_setting(name: &str) -> bool {
    settings().iter().any(|row| row.name == name)
}

/// Whether a text is a mapping of settings.
fn holds_settings(value: &Value) -> bool {
    let documents = value.as_str().and_then(|text| load(text).ok()).unwrap_or_default();
    let mappings = documents.iter().filter_map(|document| document.value.as_object());
    mappings.flat_map(|mapping| mapping.keys()).any(|name| is_setting(name))
}

/// Whether the value of a setting is a list or a mapping.
fn is_collection(name: &str) -> bool {
    settings().iter().any(|row| row.name == name && row.form.is_collection())
}

fn text<'v>(document: &'v Value, key: &str) -> Option<&'v str> {
    document.get(key).and_then(Value::as_str)
}

fn key(name: &str) -> Segment {
    Segment::Key(name.to_owned().into())
}
