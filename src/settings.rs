//! The administrator's defaults: an Xposer `config.yaml` as it is, and the settings that are new.

use std::borrow::Cow;

use serde_json::Value;

use crate::diag::{Code, FieldPath, Problem, Report, Subject, did_you_mean, shown};
use crate::input::kind_of;
use crate::template::Template;
use crate::value::{Origin, PathType, PortRef, Sourced, is_dns_subdomain, is_port_name, parse_bool};

/// The URL template where nobody gives one.
pub(crate) const DEFAULT_URL: &str = "{{.Service}}.{{.Namespace}}.{{.Domain}}";
/// The name template where nobody gives one.
pub(crate) const DEFAULT_NAME: &str = "{{.Service}}";
/// The path where nobody gives one.
pub(crate) const DEFAULT_PATH: &str = "/";
/// The secret name template that means `<ingress name>-cert`.
pub(crate) const NO_SECRET: &str = "NO_SECRET";

/// What to do with forwarded keys that today's programs no longer read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Legacy {
    /// Write what they read instead.
    #[default]
    Translate,
    /// Pass everything through, as the original did.
    Forward,
}

type Tpl = Sourced<Template<'static>>;

/// The administrator's defaults. Annotations of a Service override them. [`settings`] lists what can be set.
///
/// ```
/// use serde_json::json;
/// use xposer::Settings;
/// let settings = Settings::from_value(&json!({"domain": "example.com", "tls": true})).unwrap();
/// let report = Settings::from_value(&json!({"domian": "example.com", "tls": "maybe"})).unwrap_err();
/// assert_eq!(report.diagnostics().len(), 2);
/// assert_eq!(report.diagnostics()[0].help.as_deref(), Some("did you mean domain?"));
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) domain: Option<Tpl>,
    pub(crate) url: Tpl,
    pub(crate) fallbacks: Vec<Tpl>,
    pub(crate) path: Tpl,
    pub(crate) name: Tpl,
    pub(crate) tls: bool,
    pub(crate) secret: Option<Tpl>,
    pub(crate) common_name: bool,
    pub(crate) port: Option<PortRef>,
    pub(crate) path_type: Option<PathType>,
    pub(crate) class: Option<String>,
    pub(crate) legacy: Legacy,
    pub(crate) strict: bool,
    pub(crate) stamp: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            domain: None,
            url: built_in(DEFAULT_URL),
            fallbacks: Vec::new(),
            path: built_in(DEFAULT_PATH),
            name: built_in(DEFAULT_NAME),
            tls: false,
            secret: None,
            common_name: false,
            port: None,
            path_type: None,
            class: None,
            legacy: Legacy::Translate,
            strict: false,
            stamp: true,
        }
    }
}

fn built_in(text: &'static str) -> Tpl {
    Sourced::new(Template::parse(text).unwrap_or_default(), Origin::BuiltIn)
}

/// A row of the table of settings.
///
/// ```
/// use xposer::{Form, settings};
/// let strict = settings().iter().find(|setting| setting.name == "strict");
/// assert!(strict.is_some_and(|setting| setting.form == Form::Boolean && setting.default == "false"));
/// ```
#[derive(Debug)]
pub struct Setting {
    /// The key, in camelCase.
    pub name: &'static str,
    /// What its value is.
    pub form: Form,
    /// What it means, in one sentence.
    pub doc: &'static str,
    /// The default, as YAML; in parentheses, where no value says the same, what happens without one.
    pub default: &'static str,
    /// A value that works, as YAML.
    pub example: &'static str,
    set: fn(&mut Settings, &Value) -> Result<(), Problems>,
}

/// Problems of one setting, and the position in a list where there is one.
type Problems = Vec<(Option<usize>, Problem)>;

/// What kind of value a setting or an annotation takes.
///
/// ```
/// use xposer::{Form, keys};
/// let words = keys().iter().find_map(|key| match key.form { Form::Word(words) => Some(words), _ => None });
/// assert_eq!(words, Some(&["Exact", "Prefix", "ImplementationSpecific"][..]));
/// assert_eq!(Form::Word(&["a", "b"]).describe(), "one of `a`, `b`");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A template.
    Template,
    /// Templates, separated by commas or line ends.
    Templates,
    /// A list of templates.
    TemplateList,
    /// True or false; as a text in one of the spellings of Go's `strconv.ParseBool`.
    Boolean,
    /// The name or the number of a port.
    Port,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The name of an object.
    Name,
    /// One `key: value` a line.
    Block,
}

impl Form {
    /// The kind in words, for the reference pages.
    #[must_use]
    pub fn describe(self) -> Cow<'static, str> {
        match self {
            Self::Template => "template".into(),
            Self::Templates => "templates, separated by commas or line ends".into(),
            Self::TemplateList => "list of templates".into(),
            Self::Boolean => "boolean".into(),
            Self::Port => "name or number of a port".into(),
            Self::Word(words) => format!("one of `{}`", words.join("`, `")).into(),
            Self::Name => "name of an object".into(),
            Self::Block => "one `key: value` a line".into(),
        }
    }
}

/// The words of `pathType`, in the order of [`PathType::ALL`].
pub(crate) const PATH_TYPES: &[&str] = &["Exact", "Prefix", "ImplementationSpecific"];

/// Every setting, in the order of the reference page.
///
/// ```
/// assert!(xposer::settings().iter().any(|setting| setting.name == "ingressURLTemplate"));
/// ```
#[must_use]
pub fn settings() -> &'static [Setting] {
    SETTINGS
}

static SETTINGS: &[Setting] = &[
    Setting {
        name: "domain",
        form: Form::Template,
        doc: "The value of {{.Domain}} in the other templates; it may itself use {{.Service}} and {{.Namespace}}.",
        default: "(none)",
        example: "example.com",
        set: |s, v| template(v, "domain").map(|t| s.domain = t),
    },
    Setting {
        name: "ingressURLTemplate",
        form: Form::Templates,
        doc: "The host of the Ingress, or the host and the path; several templates give several hosts.",
        default: "'{{.Service}}.{{.Namespace}}.{{.Domain}}'",
        example: "'{{.Service}}.{{.Domain}}'",
        set: |s, v| {
            template(v, "ingressURLTemplate").map(|t| s.url = t.unwrap_or_else(|| built_in(DEFAULT_URL)))
        },
    },
    Setting {
        name: "ingressURLTemplateFallbacks",
        form: Form::TemplateList,
        doc: "Templates that are tried in order where a host is longer than DNS, or a certificate's common name, allows.",
        default: "[]",
        example: "['{{.Service}}.{{.Domain}}']",
        set: |s, v| template_list(v, "ingressURLTemplateFallbacks").map(|list| s.fallbacks = list),
    },
    Setting {
        name: "ingressURLPath",
        form: Form::Template,
        doc: "The path of the Ingress; `/` leaves it to the path in the URL template.",
        default: "/",
        example: "/{{.Service}}",
        set: |s, v| {
            template(v, "ingressURLPath").map(|t| s.path = t.unwrap_or_else(|| built_in(DEFAULT_PATH)))
        },
    },
    Setting {
        name: "ingressNameTemplate",
        form: Form::Template,
        doc: "The name of the Ingress.",
        default: "'{{.Service}}'",
        example: "'{{.Service}}-{{.Namespace}}'",
        set: |s, v| {
            template(v, "ingressNameTemplate").map(|t| s.name = t.unwrap_or_else(|| built_in(DEFAULT_NAME)))
        },
    },
    Setting {
        name: "tls",
        form: Form::Boolean,
        doc: "Whether an Ingress gets a TLS section.",
        default: "false",
        example: "true",
        set: |s, v| boolean(v, false).map(|b| s.tls = b),
    },
    Setting {
        name: "tlsSecretNameTemplate",
        form: Form::Template,
        doc: "The name of the secret with the certificate; NO_SECRET, or nothing, means the Ingress's name and `-cert`.",
        default: "NO_SECRET",
        example: "'{{.Service}}-tls'",
        set: |s, v| template(v, "tlsSecretNameTemplate").map(|t| s.secret = t),
    },
    Setting {
        name: "tlsCommonName",
        form: Form::Boolean,
        doc: "Whether certificates carry the host as their common name, which holds at most 64 characters; longer hosts with TLS are then refused, or replaced by a fallback.",
        default: "false",
        example: "true",
        set: |s, v| boolean(v, false).map(|b| s.common_name = b),
    },
    Setting {
        name: "servicePort",
        form: Form::Port,
        doc: "The port of every Service to route to; without it the first one.",
        default: "(the first port)",
        example: "http",
        set: |s, v| port_value(v).map(|p| s.port = p),
    },
    Setting {
        name: "pathType",
        form: Form::Word(PATH_TYPES),
        doc: "How paths are compared; without it Prefix, or ImplementationSpecific where the path is a regular expression.",
        default: "(by the path)",
        example: "Exact",
        set: |s, v| path_type(v).map(|kind| s.path_type = kind),
    },
    Setting {
        name: "ingressClassName",
        form: Form::Name,
        doc: "The IngressClass of every Ingress whose Service does not say otherwise.",
        default: "(the cluster's default)",
        example: "internal-ingress",
        set: |s, v| class_name(v).map(|class| s.class = class),
    },
    Setting {
        name: "legacyAnnotations",
        form: Form::Word(&["translate", "forward"]),
        doc: "Whether forwarded keys that today's programs no longer read are translated, or everything is passed through as the original did.",
        default: "translate",
        example: "forward",
        set: |s, v| {
            s.legacy = match text(v)?.map(str::trim) {
                None | Some("translate") => Legacy::Translate,
                Some("forward") => Legacy::Forward,
                Some(other) => return Err(word_problem(other, &["translate", "forward"])),
            };
            Ok(())
        },
    },
    Setting {
        name: "strict",
        form: Form::Boolean,
        doc: "Whether doubtful annotations, such as an unknown key or a malformed line, are Errors rather than Warnings.",
        default: "false",
        example: "true",
        set: |s, v| boolean(v, false).map(|b| s.strict = b),
    },
    Setting {
        name: "stamp",
        form: Form::Boolean,
        doc: "Whether the policy writes the URL and the name of the Ingress back on the Service, as status.xposer.stakater.com/url and ingress; with false it only validates, as a policy group wants it.",
        default: "true",
        example: "false",
        set: |s, v| boolean(v, true).map(|b| s.stamp = b),
    },
];

impl Settings {
    /// Reads settings; `null` and an empty mapping give the defaults. A setting that is `null` or an empty text counts
    /// as not set; only the list of fallbacks must not be a text.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Settings;
    /// assert!(Settings::from_value(&json!({"domain": "", "servicePort": null, "tls": "TRUE"})).is_ok());
    /// let refused = Settings::from_value(&json!({"ingressURLTemplateFallbacks": ["{{.Service}}", "{{.Name}}"]}));
    /// let said = refused.err().map(|report| report.to_string()).unwrap_or_default();
    /// assert!(said.starts_with("error[template-unknown-variable]: settings.ingressURLTemplateFallbacks[1]:"));
    /// ```
    ///
    /// # Errors
    ///
    /// Every problem at once: settings that do not exist, values of the wrong type, templates that cannot be read.
    pub fn from_value(value: &Value) -> Result<Self, Report> {
        let mut settings = Self::default();
        let subject = Subject { kind: "Settings".into(), ..Subject::default() };
        let mut report = Report::new(subject, false);
        let empty = serde_json::Map::new();
        let map = match value {
            Value::Object(map) => map,
            Value::Null => &empty,
            other => {
                let said = format!("expected a mapping, found {}", kind_of(other));
                report.file(
                    FieldPath::settings(),
                    Problem::new(Code::SettingInvalid, said).help("write `key: value` pairs"),
                );
                &empty
            }
        };
        for (key, value) in map {
            let path = FieldPath::setting(key.clone());
            let Some(row) = SETTINGS.iter().find(|row| row.name == key) else {
                report.file(path, unknown(key));
                continue;
            };
            if value.is_null() {
                continue;
            }
            for (index, problem) in (row.set)(&mut settings, value).err().unwrap_or_default() {
                report.file(index.map_or_else(|| path.clone(), |index| path.clone().index(index)), problem);
            }
        }
        if report.has_errors() { Err(report) } else { Ok(settings) }
    }

    /// Whether the URL is to be written back on the Service (the setting `stamp`, true by default).
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Settings;
    /// assert!(Settings::default().stamp());
    /// assert!(Settings::from_value(&json!({"stamp": false})).is_ok_and(|settings| !settings.stamp()));
    /// ```
    #[must_use]
    pub fn stamp(&self) -> bool {
        self.stamp
    }
}

fn unknown(key: &str) -> Problem {
    let help = match did_you_mean(key, SETTINGS.iter().map(|row| row.name)) {
        Some(name) => format!("did you mean {name}?"),
        None => "remove it; `xposer explain` lists all settings".to_owned(),
    };
    Problem::new(Code::SettingUnknown, format!("there is no setting {}", shown(key))).help(help)
}

fn one(problem: Problem) -> Problems {
    vec![(None, problem)]
}

fn invalid(expected: &str, found: &Value) -> Problems {
    let help = match found {
        Value::Bool(_) | Value::Number(_) if expected == "a text" => "put quotes around it".to_owned(),
        _ => format!("write {expected}"),
    };
    one(Problem::new(Code::SettingInvalid, format!("expected {expected}, found {}", kind_of(found)))
        .help(help))
}

/// A text; `None` where it is empty.
fn text(value: &Value) -> Result<Option<&str>, Problems> {
    match value {
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(invalid("a text", other)),
    }
}

fn template(value: &Value, name: &'static str) -> Result<Option<Tpl>, Problems> {
    let Some(text) = text(value)? else { return Ok(None) };
    parse(text, Origin::Setting(name, None), None).map(Some)
}

fn parse(text: &str, origin: Origin, index: Option<usize>) -> Result<Tpl, Problems> {
    match Template::parse(text) {
        Ok(template) => Ok(Sourced::new(template.into_owned(), origin)),
        Err(problems) => Err(problems.into_iter().map(|problem| (index, problem)).collect()),
    }
}

fn template_list(value: &Value, name: &'static str) -> Result<Vec<Tpl>, Problems> {
    let Value::Array(items) = value else { return Err(invalid("a list of templates", value)) };
    let (mut list, mut problems) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let parsed = match item {
            Value::String(text) if text.trim().is_empty() => {
                let problem = Problem::new(Code::SettingInvalid, "the template is empty").help("remove it");
                Err(vec![(Some(index), problem)])
            }
            Value::String(text) => parse(text, Origin::Setting(name, Some(index)), Some(index)),
            other => {
                Err(invalid("a text", other).into_iter().map(|(_, problem)| (Some(index), problem)).collect())
            }
        };
        match parsed {
            Ok(template) => list.push(template),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(list) } else { Err(problems) }
}

/// A boolean, or `default` where the text is empty.
fn boolean(value: &Value, default: bool) -> Result<bool, Problems> {
    match value {
        Value::Bool(value) => Ok(*value),
        // Forms and environment variables hand booleans over as texts.
        Value::String(text) => match parse_bool(text.trim()) {
            Some(value) => Ok(value),
            None if text.trim().is_empty() => Ok(default),
            None => Err(invalid("true or false", value)),
        },
        other => Err(invalid("true or false", other)),
    }
}

fn port_value(value: &Value) -> Result<Option<PortRef>, Problems> {
    match value {
        Value::Number(number) => port(&number.to_string()).map(Some).map_err(one),
        _ => text(value)?.map(|text| port(text.trim()).map_err(one)).transpose(),
    }
}

/// A port by number or name.
pub(crate) fn port(text: &str) -> Result<PortRef, Problem> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.parse() {
            Ok(number) if number > 0 => Ok(PortRef::Number(number)),
            _ => Err(Problem::new(
                Code::PortInvalid,
                format!("the port {} is not between 1 and 65535", shown(text)),
            )
            .help("write the number or the name of one of the Service's ports")),
        };
    }
    if is_port_name(text) {
        return Ok(PortRef::Name(text.to_owned()));
    }
    let problem =
        Problem::new(Code::PortInvalid, format!("{} is neither a port number nor a port name", shown(text)));
    let lower = text.to_ascii_lowercase();
    Err(if is_port_name(&lower) {
        problem.help(format!("write it in lower case: {lower}")).propose(lower)
    } else {
        problem.help("write the number or the name of one of the Service's ports")
    })
}

fn path_type(value: &Value) -> Result<Option<PathType>, Problems> {
    let Some(word) = text(value)?.map(str::trim) else { return Ok(None) };
    PathType::parse(word).map(Some).ok_or_else(|| word_problem(word, PATH_TYPES))
}

fn class_name(value: &Value) -> Result<Option<String>, Problems> {
    let Some(name) = text(value)?.map(str::trim) else { return Ok(None) };
    if is_dns_subdomain(name) {
        return Ok(Some(name.to_owned()));
    }
    Err(one(class_problem(name)))
}

/// A class that is not the name of an object.
pub(crate) fn class_problem(name: &str) -> Problem {
    Problem::new(Code::ClassInvalid, format!("{} is not the name of an IngressClass", shown(name)))
        .help("write lower-case letters, digits, `-` and `.`")
}

fn word_problem(word: &str, words: &[&str]) -> Problems {
    one(unknown_word(Code::SettingInvalid, word, words))
}

/// A word that is none of `words`.
pub(crate) fn unknown_word(code: Code, word: &str, words: &[&str]) -> Problem {
    let problem = Problem::new(code, format!("expected one of {}, found {}", words.join(", "), shown(word)));
    match did_you_mean(word, words.iter().copied()) {
        Some(meant) => problem.help(format!("did you mean {meant}?")).propose(meant),
        None => problem.help(format!("write one of {}", words.join(", "))),
    }
}
