//! What the annotations of a Service ask for: one row a key.

pub mod forward;
pub mod legacy;

use crate::diag::{Code, FieldPath, Problem, Report, did_you_mean, shown};
use crate::input::{CONFIG_PREFIX, FORWARD_ANNOTATION, Service};
use crate::settings::{Form, PATH_TYPES, class_problem, port, unknown_word};
use crate::template::Template;
use crate::value::{PathType, PortRef, is_dns_subdomain, parse_bool};
use forward::Block;

/// A field of the request.
#[derive(Clone, Debug, Default)]
pub(crate) enum Field<T> {
    /// The Service does not say; the setting counts.
    #[default]
    Unset,
    /// The Service says something that cannot be read. It is an Error already; no default takes its place.
    Broken,
    /// The Service says this.
    Set(T),
}

/// What a Service asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request<'a> {
    pub(crate) name: Field<Template<'a>>,
    pub(crate) url: Field<Template<'a>>,
    pub(crate) path: Field<Template<'a>>,
    pub(crate) domain: Field<Template<'a>>,
    pub(crate) secret: Field<Template<'a>>,
    pub(crate) tls: Field<bool>,
    pub(crate) port: Field<PortRef>,
    pub(crate) path_type: Field<PathType>,
    pub(crate) class: Field<&'a str>,
    pub(crate) block: Block<'a>,
}

/// A row of the table of annotations.
///
/// ```
/// let tls = xposer::keys().iter().find(|key| key.name() == "TLS");
/// assert_eq!(tls.map(|key| key.annotation), Some("config.xposer.stakater.com/TLS"));
/// assert_eq!(tls.and_then(|key| key.setting), Some("tls"));
/// ```
#[derive(Debug)]
pub struct Key {
    /// The whole key of the annotation.
    pub annotation: &'static str,
    /// What its value is.
    pub form: Form,
    /// What it means, in one sentence.
    pub doc: &'static str,
    /// A value that works.
    pub example: &'static str,
    /// The setting it overrides, if there is one.
    pub setting: Option<&'static str>,
    /// Whether the original Xposer knew it.
    pub original: bool,
    read: for<'a> fn(&'a str, &mut Request<'a>) -> Vec<Problem>,
}

impl Key {
    /// The key without its prefix: `IngressNameTemplate`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.annotation.rsplit('/').next().unwrap_or(self.annotation)
    }
}

/// Every annotation that is read, in the order of the reference page.
///
/// ```
/// assert!(xposer::keys().iter().any(|key| key.annotation == "config.xposer.stakater.com/IngressNameTemplate"));
/// ```
#[must_use]
pub fn keys() -> &'static [Key] {
    KEYS
}

/// The annotation of each field, for the stages that accuse it.
pub(crate) mod annotation {
    pub(crate) const NAME: &str = "config.xposer.stakater.com/IngressNameTemplate";
    pub(crate) const URL: &str = "config.xposer.stakater.com/IngressURLTemplate";
    pub(crate) const PATH: &str = "config.xposer.stakater.com/IngressURLPath";
    pub(crate) const DOMAIN: &str = "config.xposer.stakater.com/Domain";
    pub(crate) const TLS: &str = "config.xposer.stakater.com/TLS";
    pub(crate) const SECRET: &str = "config.xposer.stakater.com/TLSSecretNameTemplate";
    pub(crate) const PORT: &str = "config.xposer.stakater.com/ServicePort";
    pub(crate) const PATH_TYPE: &str = "config.xposer.stakater.com/PathType";
    pub(crate) const CLASS: &str = "config.xposer.stakater.com/IngressClassName";
}

static KEYS: &[Key] = &[
    Key {
        annotation: annotation::NAME,
        form: Form::Template,
        doc: "The name of the Ingress.",
        example: "{{.Service}}-{{.Namespace}}",
        setting: Some("ingressNameTemplate"),
        original: true,
        read: |text, request| template(text, &mut request.name),
    },
    Key {
        annotation: annotation::URL,
        form: Form::Templates,
        doc: "The host of the Ingress, or the host and the path; several templates give several hosts.",
        example: "{{.Service}}.{{.Domain}}",
        setting: Some("ingressURLTemplate"),
        original: true,
        read: |text, request| template(text, &mut request.url),
    },
    Key {
        annotation: annotation::PATH,
        form: Form::Template,
        doc: "The path of the Ingress; `/` leaves it to the path in the URL template.",
        example: "/api",
        setting: Some("ingressURLPath"),
        original: true,
        read: |text, request| template(text, &mut request.path),
    },
    Key {
        annotation: annotation::DOMAIN,
        form: Form::Template,
        doc: "The value of {{.Domain}} in the other templates.",
        example: "company.com",
        setting: Some("domain"),
        original: true,
        read: |text, request| template(text, &mut request.domain),
    },
    Key {
        annotation: annotation::TLS,
        form: Form::Boolean,
        doc: "Whether the Ingress gets a TLS section.",
        example: "true",
        setting: Some("tls"),
        original: true,
        read: tls,
    },
    Key {
        annotation: annotation::SECRET,
        form: Form::Template,
        doc: "The name of the secret with the certificate; NO_SECRET means the Ingress's name and `-cert`.",
        example: "{{.Service}}-tls",
        setting: Some("tlsSecretNameTemplate"),
        original: true,
        read: |text, request| template(text, &mut request.secret),
    },
    Key {
        annotation: annotation::PORT,
        form: Form::Port,
        doc: "The port of the Service to route to; without it the first one.",
        example: "http",
        setting: Some("servicePort"),
        original: false,
        read: |text, request| value(port(text.trim()), &mut request.port),
    },
    Key {
        annotation: annotation::PATH_TYPE,
        form: Form::Word(PATH_TYPES),
        doc: "How the path is compared; without it Prefix, or ImplementationSpecific where the path is a regular expression.",
        example: "Exact",
        setting: Some("pathType"),
        original: false,
        read: path_type,
    },
    Key {
        annotation: annotation::CLASS,
        form: Form::Name,
        doc: "The IngressClass: which controller serves the Ingress, for example the internal or the external one.",
        example: "external-ingress",
        setting: Some("ingressClassName"),
        original: false,
        read: class,
    },
    Key {
        annotation: FORWARD_ANNOTATION,
        form: Form::Block,
        doc: "Annotations to pass on to the Ingress; the line `exposeIngressUrl: locally` or `globally` publishes the host in the ConfigMap xposer.",
        example: "nginx.ingress.kubernetes.io/proxy-body-size: 900m",
        setting: None,
        original: true,
        read: |text, request| {
            let (block, problems) = forward::parse(text);
            request.block = block;
            problems
        },
    },
];

impl<'a> Request<'a> {
    /// Reads the annotations; what is wrong with them goes into the report.
    pub(crate) fn read(service: &Service<'a>, report: &mut Report) -> Self {
        let mut request = Self::default();
        for key in KEYS.iter().filter(|key| service.broken().contains(&key.annotation)) {
            // What is wrong has been said: here the field is only marked, by a text that nothing can be.
            (key.read)("{{", &mut request);
        }
        for &(annotation, text) in service.annotations() {
            let path = || FieldPath::annotation(annotation.to_owned());
            let Some(key) = KEYS.iter().find(|key| key.annotation == annotation) else {
                if let Some(problem) = unknown(annotation) {
                    report.file(path(), problem);
                }
                continue;
            };
            if text.trim().is_empty() {
                let problem = Problem::new(Code::AnnotationEmpty, "the value is empty and counts as not set");
                report.file(path(), problem.help("give it a value or remove it"));
                continue;
            }
            for problem in (key.read)(text, &mut request) {
                report.file(path(), problem);
            }
        }
        request
    }
}

/// What is said of a key that is not in the table. Beside the block, other programs may use the prefix as well: there,
/// only what looks like a slip of the pen is one.
fn unknown(annotation: &str) -> Option<Problem> {
    let name = annotation.rsplit('/').next().unwrap_or(annotation);
    let meant = did_you_mean(name, KEYS.iter().map(Key::name));
    let help = match KEYS.iter().find(|key| Some(key.name()) == meant) {
        Some(key) => format!("did you mean {}?", key.annotation),
        None if !annotation.starts_with(CONFIG_PREFIX) => return None,
        None => "remove it; `xposer explain` lists all annotations".to_owned(),
    };
    let said = format!("there is no annotation {}", shown(annotation));
    Some(Problem::new(Code::AnnotationUnknown, said).help(help))
}

fn template<'a>(text: &'a str, field: &mut Field<Template<'a>>) -> Vec<Problem> {
    match Template::parse(text) {
        Ok(template) => {
            *field = Field::Set(template);
            Vec::new()
        }
        Err(problems) => {
            *field = Field::Broken;
            problems
        }
    }
}

fn value<T>(parsed: Result<T, Problem>, field: &mut Field<T>) -> Vec<Problem> {
    match parsed {
        Ok(value) => {
            *field = Field::Set(value);
            Vec::new()
        }
        Err(problem) => {
            *field = Field::Broken;
            vec![problem]
        }
    }
}

fn tls<'a>(text: &'a str, request: &mut Request<'a>) -> Vec<Problem> {
    match parse_bool(text.trim()) {
        Some(value) => {
            request.tls = Field::Set(value);
            Vec::new()
        }
        None => {
            let said =
                format!("expected true or false, found {}; the setting tls applies", shown(text.trim()));
            vec![Problem::new(Code::TlsNotBoolean, said).help("write \"true\" or \"false\"")]
        }
    }
}

fn path_type<'a>(text: &'a str, request: &mut Request<'a>) -> Vec<Problem> {
    let word = text.trim();
    let parsed = PathType::parse(word).ok_or_else(|| unknown_word(Code::PathTypeUnknown, word, PATH_TYPES));
    value(parsed, &mut request.path_type)
}

fn class<'a>(text: &'a str, request: &mut Request<'a>) -> Vec<Problem> {
    let name = text.trim();
    let parsed = if is_dns_subdomain(name) { Ok(name) } else { Err(class_problem(name)) };
    value(parsed, &mut request.class)
}
