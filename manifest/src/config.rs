//! Finds the settings in a document: the whole document, or a part of an object such as a ConfigMap.

use std::ops::Range;

use serde_json::Value;
use xposer::diagnostics::Segment;
use xposer::options::{Form, settings};

use crate::document::Document;
use crate::encrypted::Encrypted;
use crate::message::TEMPLATE_HELP;
use crate::read::{LoadError, load};

/// The settings of a document, and the place of each of them.
///
/// ```
/// use serde_json::json;
/// use xposer_manifest::Config;
///
/// let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"settings.yaml": "domain: example.com"}});
/// assert_eq!(Config::of_function(&config).unwrap().settings, json!({"domain": "example.com"}));
/// ```
#[derive(Default)]
pub struct Config {
    /// The settings as the core reads them.
    pub settings: Value,
    /// The path from the root of the document to the settings.
    root: Vec<Segment>,
    embedded: Vec<EmbeddedYaml>,
    /// The reason why all settings are the defaults, and the help: the object has no field for settings.
    pub(crate) missing: Option<(String, String)>,
}

/// A value in the data of a ConfigMap that contains YAML.
struct EmbeddedYaml {
    /// The key of the value.
    key: String,
    /// Whether the value is that of the setting with the name of the key. Otherwise it is a file with all settings.
    is_setting: bool,
    text: String,
    document: Document,
}

/// The place of a setting.
///
/// ```
/// use serde_json::json;
/// use xposer::diagnostics::Segment;
/// use xposer_manifest::Config;
///
/// let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"settings.yaml": "domain: example.com"}});
/// let config = Config::of_function(&config).unwrap();
/// let found = config.locate([Segment::Key("domain".into())].into_iter());
/// assert_eq!(found.path, [Segment::Key("data".into()), Segment::Key("settings.yaml".into())]);
/// assert!(found.embedded.is_some());
/// ```
pub struct SettingPath<'c> {
    /// The path from the root of the document to the setting, or to the text that contains it.
    pub path: Vec<Segment>,
    /// The place in that text.
    pub embedded: Option<EmbeddedPath<'c>>,
}

/// A place in a text that contains YAML.
///
/// ```
/// use serde_json::json;
/// use xposer::diagnostics::Segment;
/// use xposer_manifest::Config;
///
/// let data = json!({"domain": "example.com", "parentRefs": "[{name: edge}]"});
/// let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data});
/// let config = Config::of_function(&config).unwrap();
/// let gateway = [Segment::Key("parentRefs".into()), Segment::Index(0)];
/// assert!(config.locate(gateway.into_iter()).embedded.is_some());
/// assert!(config.locate([Segment::Key("domain".into())].into_iter()).embedded.is_none());
/// ```
pub struct EmbeddedPath<'c> {
    pub(crate) text: &'c str,
    pub(crate) document: &'c Document,
    pub(crate) path: Vec<Segment>,
}

/// The error for a document without valid settings.
///
/// ```
/// use serde_json::json;
/// use xposer_manifest::Config;
///
/// let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"settings.yaml": "domain: [a"}});
/// let errors = Config::of_function(&config).err().unwrap();
/// assert_eq!((errors.len(), errors[0].path.len()), (1, 2));
/// ```
#[derive(Debug)]
pub struct ConfigError {
    /// The path from the root of the document to the wrong value.
    pub path: Vec<Segment>,
    /// The byte range of the error in that value, if it is a text.
    pub range: Option<Range<usize>>,
    /// The message.
    pub message: String,
    /// The help.
    pub help: Option<String>,
}

impl ConfigError {
    /// The error of a field at the top that is not read.
    fn unread(field: &str, message: String, help: &str) -> Self {
        Self { path: vec![key(field)], range: None, message, help: Some(help.to_owned()) }
    }
}

type ConfigResult = Result<Config, Vec<ConfigError>>;

impl Config {
    /// Returns the settings of a settings file: the document itself, or the settings in a ConfigMap, in the config of a KRM
    /// function or in a policy of Kubewarden.
    pub(crate) fn of_document(document: &Value) -> ConfigResult {
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
            _ => Err(vec![ConfigError {
                path: vec![key("kind")],
                range: None,
                message: "expected settings, found another object of Kubernetes".to_owned(),
                help: Some("name a file of settings, or the ConfigMap that holds them".to_owned()),
            }]),
        }
    }

    /// Returns the settings in the config of a KRM function: `data` of a ConfigMap, `spec` of any other kind.
    ///
    /// # Errors
    ///
    /// The errors of the object, or of YAML in its data.
    pub fn of_function(config: &Value) -> ConfigResult {
        match (text(config, "apiVersion"), text(config, "kind")) {
            (Some("v1"), Some("ConfigMap")) => Self::of_data(config),
            (_, Some("ConfigMap")) => Err(vec![ConfigError::unread(
                "apiVersion",
                "the settings of a ConfigMap are read only with apiVersion v1".to_owned(),
                "write apiVersion: v1",
            )]),
            (_, kind) => {
                let read = ["apiVersion", "kind", "metadata", "spec", "status"];
                let fields = config.as_object().into_iter().flat_map(|fields| fields.keys());
                let unread = |field: &String| {
                    let what = kind.unwrap_or("config without a kind");
                    let message =
                        format!("the field {field:?} is not read: the settings of a {what} are in spec");
                    ConfigError::unread(field, message, "move the settings to spec, or write a ConfigMap")
                };
                let found: Vec<ConfigError> =
                    fields.filter(|field| !read.contains(&field.as_str())).map(unread).collect();
                if found.is_empty() { Ok(Self::at(config, &["spec"])) } else { Err(found) }
            }
        }
    }

    fn at(document: &Value, path: &[&'static str]) -> Self {
        let settings = path.iter().try_fold(document, |value, key| value.get(key));
        let settings = settings.cloned().unwrap_or_default();
        Self {
            settings,
            root: path.iter().map(|name| key(name)).collect(),
            embedded: Vec::new(),
            missing: missing(document, path),
        }
    }

    /// Returns the settings in the data of a ConfigMap: one file with all settings, or a key for each setting.
    fn of_data(document: &Value) -> ConfigResult {
        let has_binary =
            document.get("binaryData").and_then(Value::as_object).is_some_and(|data| !data.is_empty());
        if has_binary {
            return Err(vec![ConfigError {
                path: vec![key("binaryData")],
                range: None,
                message: "expected the settings in the `data` of the ConfigMap, found `binaryData`"
                    .to_owned(),
                help: Some("write them under `data`, as text".to_owned()),
            }]);
        }
        let config = Self::at(document, &["data"]);
        let Value::Object(data) = &config.settings else { return Ok(config) };
        // No setting has a dot in its name, and nearly every file name has one.
        let is_file = |name: &str, value: &Value| {
            name.contains('.') || data.len() == 1 && !is_setting(name) && holds_settings(value)
        };
        let mut files = data.iter().filter(|(name, value)| is_file(name, value));
        match (files.next(), data.len()) {
            (None, _) => config.parse_collections(),
            (Some((name, Value::String(text))), 1) => {
                let (name, text) = (name.clone(), text.clone());
                config.file(name, text)
            }
            (Some((name, _)), _) => Err(vec![ConfigError {
                path: vec![key("data"), key(name)],
                range: None,
                message:
                    "expected one file with the settings, or the settings one by one, in the data of the \
                       ConfigMap"
                        .to_owned(),
                help: Some("write the settings to a file of their own, and name that".to_owned()),
            }]),
        }
    }

    /// The settings in a file of the data.
    fn file(mut self, key: String, text: String) -> ConfigResult {
        let document = read(&key, &text, "")?;
        self.settings = document.as_ref().map(|document| document.value.clone()).unwrap_or_default();
        self.embedded = document
            .map(|document| EmbeddedYaml { key, is_setting: false, text, document })
            .into_iter()
            .collect();
        Ok(self)
    }

    /// Parses the texts of settings that are lists or mappings. The core parses the other texts.
    fn parse_collections(mut self) -> ConfigResult {
        let Value::Object(data) = &mut self.settings else { return Ok(self) };
        let (mut embedded, mut errors) = (Vec::new(), Vec::new());
        for (name, value) in data.iter_mut().filter(|(name, _)| is_collection(name)) {
            let Value::String(text) = &*value else { continue };
            match read(name, text, &format!("`{name}` is not YAML: ")) {
                Ok(None) => *value = Value::Null,
                Ok(Some(document)) if document.value.is_array() || document.value.is_object() => {
                    let text = text.clone();
                    *value = document.value.clone();
                    embedded.push(EmbeddedYaml { key: name.clone(), is_setting: true, text, document });
                }
                // The core reads a single word as a list with one item.
                Ok(Some(_)) => {}
                Err(found) => errors.extend(found),
            }
        }
        self.embedded = embedded;
        if errors.is_empty() { Ok(self) } else { Err(errors) }
    }

    /// Returns the place of the value at this path of the settings.
    pub fn locate(&self, path: impl Iterator<Item = Segment>) -> SettingPath<'_> {
        let mut inner: Vec<Segment> = path.collect();
        let contains = |part: &&EmbeddedYaml| match inner.first() {
            Some(Segment::Key(name)) => !part.is_setting || *name == part.key,
            _ => !part.is_setting,
        };
        let mut path = self.root.clone();
        let Some(EmbeddedYaml { key: name, is_setting, text, document }) =
            self.embedded.iter().find(contains)
        else {
            path.append(&mut inner);
            return SettingPath { path, embedded: None };
        };
        path.push(key(name));
        let inner = inner.split_off(usize::from(*is_setting).min(inner.len()));
        let embedded = EmbeddedPath { text, document, path: inner };
        SettingPath { path, embedded: Some(embedded).filter(|embedded| !embedded.path.is_empty()) }
    }
}

/// The only document of a text in the data, if it is not empty. `prefix` is the start of messages about it.
fn read(name: &str, text: &str, prefix: &str) -> Result<Option<Document>, Vec<ConfigError>> {
    let error = |range, message: String, help| ConfigError {
        path: vec![key("data"), key(name)],
        range,
        message: format!("{prefix}{message}"),
        help,
    };
    if let Some(found) = Encrypted::of_bytes(text.as_bytes()) {
        return Err(vec![error(None, found.message(), Some(found.help(None, "")))]);
    }
    let mut documents = load(text).map_err(|errors| {
        // The lines of the text are not those of the surrounding file, so messages do not contain them.
        let errors = errors.into_iter().map(|LoadError { message, span, help, .. }| {
            let is_template = help.as_deref() == Some(TEMPLATE_HELP);
            error(Some(span), message, if is_template { Some(template_help(name, text)) } else { help })
        });
        errors.collect::<Vec<_>>()
    })?;
    let last = documents.pop();
    if documents.is_empty() {
        return Ok(last);
    }
    let message = format!("expected one document, found {}", documents.len() + 1);
    Err(vec![error(None, message, Some("remove all but one".to_owned()))])
}

/// The warning and the help for an object whose field for settings is missing or null.
fn missing(document: &Value, path: &[&'static str]) -> Option<(String, String)> {
    let found = path.iter().try_fold(document, |value, key| value.get(key));
    if path.is_empty() || found.is_some_and(|found| !found.is_null()) {
        return None;
    }
    let kind = text(document, "kind").unwrap_or("object");
    let field = path.join(".");
    let last = path.last().copied().unwrap_or_default();
    let help = format!("write the settings under `{field}`, or `{last}: {{}}` if none are meant");
    Some((format!("this {kind} has no `{field}`, so all settings are the defaults"), help))
}

/// The help for a template without quotes, which YAML reads as a mapping. The help does not advise to render the template first,
/// because Xposer itself renders it.
fn template_help(name: &str, text: &str) -> String {
    let form = settings().find(|(key, _)| key.name == name).map(|(_, row)| row.form);
    let line = text.trim();
    let line = line.strip_prefix("- ").map_or(line, str::trim_start);
    let is_one = !line.contains(['\n', '\'']) && line.starts_with("{{");
    match form {
        Some(Form::TemplateList) if is_one => format!("write a list: `- '{line}'`"),
        _ => "put every value that contains `{{` in quotes".to_owned(),
    }
}

fn is_setting(name: &str) -> bool {
    settings().any(|(key, _)| key.name == name)
}

/// Whether a value is a mapping with settings.
fn holds_settings(value: &Value) -> bool {
    let documents = value.as_str().and_then(|text| load(text).ok()).unwrap_or_default();
    let mappings = documents.iter().filter_map(|document| document.value.as_object());
    mappings.flat_map(|mapping| mapping.keys()).any(|name| is_setting(name))
}

/// Whether the value of a setting is a list or a mapping.
fn is_collection(name: &str) -> bool {
    settings().any(|(key, row)| key.name == name && row.form.is_collection())
}

fn text<'v>(document: &'v Value, key: &str) -> Option<&'v str> {
    document.get(key).and_then(Value::as_str)
}

fn key(name: &str) -> Segment {
    Segment::Key(name.to_owned().into())
}
