//! What the annotations of a Service ask for: one row a key.

use crate::diagnostics::{Code, FieldPath, Problem, Report, UnknownWord, did_you_mean, quoted, quoted_char};
use crate::options::block::{self, Block};
use crate::options::{Form, Target, Tls, WEIGHT, class_problem, object_problem, port, unknown_word};
use crate::service::{CONFIG_PREFIX, FORWARD_ANNOTATION, PortRef, Service};
use crate::template::Template;
use crate::validation::{PathType, is_dns_label, is_dns_subdomain, parse_bool};

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
    pub(crate) tls: Field<Tls>,
    pub(crate) issuer: Field<&'a str>,
    pub(crate) cluster_issuer: Field<&'a str>,
    pub(crate) https_redirect: Field<bool>,
    pub(crate) port: Field<PortRef>,
    pub(crate) path_type: Field<PathType>,
    pub(crate) class: Field<&'a str>,
    pub(crate) profile: Field<&'a str>,
    pub(crate) targets: Field<Vec<Target>>,
    pub(crate) canary: CanaryRequest<'a>,
    pub(crate) monitor: Field<bool>,
    pub(crate) monitor_health: Field<&'a str>,
    pub(crate) block: Block<'a>,
    /// The lines of the block that are skipped. How much each weighs is said by `check`, which knows the keys.
    pub(crate) malformed: Vec<Problem>,
}

/// The requests that another Service's host gives to this one.
#[derive(Clone, Debug, Default)]
pub(crate) struct CanaryRequest<'a> {
    pub(crate) of: Field<&'a str>,
    pub(crate) weight: Field<u8>,
    pub(crate) header: Field<&'a str>,
    pub(crate) header_value: Field<&'a str>,
    pub(crate) cookie: Field<&'a str>,
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
}

/// What of a row runs. It stands in a table of its own: a program that never asks for the texts does not carry them.
struct Reader {
    annotation: &'static str,
    read: for<'a> fn(&'a str, &mut Request<'a>) -> Vec<Problem>,
}

impl Key {
    /// The key without its prefix: `IngressNameTemplate`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        last_part(self.annotation)
    }
}

fn last_part(annotation: &str) -> &str {
    annotation.rsplit('/').next().unwrap_or(annotation)
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

/// The annotation of each field, for the stages that point at it.
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
    pub(crate) const PROFILE: &str = "config.xposer.stakater.com/Profile";
    pub(crate) const TARGET: &str = "config.xposer.stakater.com/Target";
    pub(crate) const ISSUER: &str = "config.xposer.stakater.com/Issuer";
    pub(crate) const CLUSTER_ISSUER: &str = "config.xposer.stakater.com/ClusterIssuer";
    pub(crate) const HTTPS_REDIRECT: &str = "config.xposer.stakater.com/HTTPSRedirect";
    pub(crate) const CANARY_OF: &str = "config.xposer.stakater.com/CanaryOf";
    pub(crate) const CANARY_WEIGHT: &str = "config.xposer.stakater.com/CanaryWeight";
    pub(crate) const CANARY_HEADER: &str = "config.xposer.stakater.com/CanaryByHeader";
    pub(crate) const CANARY_HEADER_VALUE: &str = "config.xposer.stakater.com/CanaryByHeaderValue";
    pub(crate) const CANARY_COOKIE: &str = "config.xposer.stakater.com/CanaryByCookie";
    pub(crate) const MONITOR: &str = "config.xposer.stakater.com/Monitor";
    pub(crate) const MONITOR_HEALTH: &str = "config.xposer.stakater.com/MonitorHealthEndpoint";
}

macro_rules! keys {
    ($( Key {
        annotation: $annotation:expr,
        form: $form:expr,
        doc: $doc:expr,
        example: $example:expr,
        setting: $setting:expr,
        original: $original:expr,
        read: $read:expr $(,)?
    } ),+ $(,)?) => {
        static KEYS: &[Key] = &[$( Key {
            annotation: $annotation,
            form: $form,
            doc: $doc,
            example: $example,
            setting: $setting,
            original: $original,
        } ),+];
        static READERS: &[Reader] = &[$( Reader { annotation: $annotation, read: $read } ),+];
    };
}

keys![
    Key {
        annotation: annotation::NAME,
        form: Form::Template,
        doc: "The name of the Ingress, or of what takes its place.",
        example: "{{.Service}}-{{.Namespace}}",
        setting: Some("ingressNameTemplate"),
        original: true,
        read: |text, request| template(text, &mut request.name),
    },
    Key {
        annotation: annotation::URL,
        form: Form::Templates,
        doc: "The host, or the host and the path; several templates give several hosts.",
        example: "{{.Service}}.{{.Domain}}",
        setting: Some("ingressURLTemplate"),
        original: true,
        read: |text, request| template(text, &mut request.url),
    },
    Key {
        annotation: annotation::PATH,
        form: Form::Template,
        doc: "The path; `/` leaves it to the path in the URL template.",
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
        form: Form::Word(Tls::WORDS),
        doc: "How connections are secured: not at all, by the certificate in a secret, by one that cert-manager puts there, or by a load balancer in front of the controller.",
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
        form: Form::Word(PathType::WORDS),
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
        annotation: annotation::PROFILE,
        form: Form::Name,
        doc: "The administrator's profile to take defaults from, for example internal or external.",
        example: "external",
        setting: Some("defaultProfile"),
        original: false,
        read: |text, request| value(object_name(text, Code::ProfileUnknown, "profile"), &mut request.profile),
    },
    Key {
        annotation: annotation::TARGET,
        form: Form::Words(Target::WORDS),
        doc: "What exposes the Service: an Ingress, an HTTPRoute of the Gateway API, a Route of OpenShift; several while you move from one to another.",
        example: "HTTPRoute",
        setting: Some("target"),
        original: false,
        read: targets,
    },
    Key {
        annotation: annotation::ISSUER,
        form: Form::Name,
        doc: "The Issuer, in the Service's namespace, that cert-manager is told to ask under TLS: cert-manager.",
        example: "internal-ca",
        setting: Some("issuer"),
        original: false,
        read: |text, request| value(object_name(text, Code::IssuerInvalid, "Issuer"), &mut request.issuer),
    },
    Key {
        annotation: annotation::CLUSTER_ISSUER,
        form: Form::Name,
        doc: "The ClusterIssuer that cert-manager is told to ask under TLS: cert-manager.",
        example: "letsencrypt-production",
        setting: Some("clusterIssuer"),
        original: false,
        read: |text, request| {
            value(object_name(text, Code::IssuerInvalid, "ClusterIssuer"), &mut request.cluster_issuer)
        },
    },
    Key {
        annotation: annotation::HTTPS_REDIRECT,
        form: Form::Boolean,
        doc: "Whether requests without TLS are sent to https; without it the target's own default counts.",
        example: "true",
        setting: Some("httpsRedirect"),
        original: false,
        read: |text, request| value(boolean(text), &mut request.https_redirect),
    },
    Key {
        annotation: annotation::CANARY_OF,
        form: Form::Name,
        doc: "The Service, in the same namespace, a part of whose requests this one gets: it is exposed under the same host and path.",
        example: "web-stable",
        setting: None,
        original: false,
        read: |text, request| value(service_name(text), &mut request.canary.of),
    },
    Key {
        annotation: annotation::CANARY_WEIGHT,
        form: WEIGHT,
        doc: "The percentage of the requests that the canary gets.",
        example: "10",
        setting: None,
        original: false,
        read: |text, request| value(weight(text), &mut request.canary.weight),
    },
    Key {
        annotation: annotation::CANARY_HEADER,
        form: Form::Text,
        doc: "The name of a header: requests that carry it with the value always, or that of CanaryByHeaderValue, go to the canary.",
        example: "X-Canary",
        setting: None,
        original: false,
        read: |text, request| value(canary_text(text, "header", "-._~"), &mut request.canary.header),
    },
    Key {
        annotation: annotation::CANARY_HEADER_VALUE,
        form: Form::Text,
        doc: "The value of the header that sends a request to the canary.",
        example: "beta",
        setting: None,
        original: false,
        read: |text, request| {
            value(canary_text(text, "header's value", "-._~:/"), &mut request.canary.header_value)
        },
    },
    Key {
        annotation: annotation::CANARY_COOKIE,
        form: Form::Text,
        doc: "The name of a cookie: requests that carry it with the value always go to the canary.",
        example: "canary",
        setting: None,
        original: false,
        read: |text, request| value(canary_text(text, "cookie", "-._~:/"), &mut request.canary.cookie),
    },
    Key {
        annotation: annotation::MONITOR,
        form: Form::Boolean,
        doc: "Whether an EndpointMonitor for IngressMonitorController is made, too.",
        example: "true",
        setting: Some("monitor"),
        original: false,
        read: |text, request| value(boolean(text), &mut request.monitor),
    },
    Key {
        annotation: annotation::MONITOR_HEALTH,
        form: Form::Path,
        doc: "The path that the monitor asks for instead of the exposed one.",
        example: "/healthz",
        setting: Some("monitorHealthEndpoint"),
        original: false,
        read: |text, request| value(path(text), &mut request.monitor_health),
    },
    Key {
        annotation: FORWARD_ANNOTATION,
        form: Form::Block,
        doc: "Annotations to pass on to the Ingress; the line `exposeIngressUrl: locally` or `globally` publishes the host in the ConfigMap xposer.",
        example: "nginx.ingress.kubernetes.io/proxy-body-size: 900m",
        setting: None,
        original: true,
        read: |text, request| {
            let (block, problems) = block::parse(text);
            request.block = block;
            let is_malformed = |problem: &Problem| problem.code == Code::ForwardMalformed;
            let (malformed, others) = problems.into_iter().partition(is_malformed);
            request.malformed = malformed;
            others
        },
    },
];

impl<'a> Request<'a> {
    /// Reads the annotations; what is wrong with them goes into the report.
    pub(crate) fn read(service: &Service<'a>, report: &mut Report) -> Self {
        let mut request = Self::default();
        for key in READERS.iter().filter(|key| service.broken.contains(&key.annotation)) {
            // What is wrong has been said: here the field is only marked, by a text that nothing can be.
            (key.read)("{{", &mut request);
        }
        request.malformed.clear();
        for &(annotation, text) in service.annotations() {
            let path = || FieldPath::annotation(annotation.to_owned());
            let Some(key) = READERS.iter().find(|key| key.annotation == annotation) else {
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
        for annotation in service.nearly_ours.iter().copied() {
            let name = last_part(annotation);
            if let Some(key) = READERS.iter().find(|key| last_part(key.annotation).eq_ignore_ascii_case(name))
            {
                let said = format!("there is no annotation {}", quoted(annotation));
                let problem = Problem::new(Code::AnnotationUnknown, said);
                let problem = problem.help(format!("did you mean {}?", key.annotation));
                report.file(FieldPath::annotation(annotation.to_owned()), problem);
            }
        }
        request
    }
}

/// What is said of a key that is not in the table. Beside the block, other programs may use the prefix as well: there,
/// only what looks like a slip of the pen is one.
fn unknown(annotation: &str) -> Option<Problem> {
    let meant = did_you_mean(last_part(annotation), READERS.iter().map(|key| last_part(key.annotation)));
    let help = match READERS.iter().find(|key| Some(last_part(key.annotation)) == meant) {
        Some(key) => format!("did you mean {}?", key.annotation),
        None if !annotation.starts_with(CONFIG_PREFIX) => return None,
        None => "remove it; `xposer explain` lists all annotations".to_owned(),
    };
    let said = format!("there is no annotation {}", quoted(annotation));
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
    match text.trim().parse() {
        Ok(mode) => {
            request.tls = Field::Set(mode);
            Vec::new()
        }
        // The original fell back to its configuration, too.
        Err(UnknownWord { words, .. }) => {
            let said = format!(
                "expected true, false, cert-manager or load-balancer, found {}; the setting tls applies",
                quoted(text.trim())
            );
            let problem = Problem::new(Code::TlsNotBoolean, said);
            vec![match did_you_mean(text.trim(), words.iter().copied()) {
                Some(meant) => problem.help(format!("did you mean {meant}?")).propose(meant),
                None => problem.help("write one of these words"),
            }]
        }
    }
}

fn boolean(text: &str) -> Result<bool, Problem> {
    parse_bool(text.trim()).ok_or_else(|| {
        let said = format!("expected true or false, found {}", quoted(text.trim()));
        Problem::new(Code::BooleanInvalid, said).help("write \"true\" or \"false\"")
    })
}

fn targets<'a>(text: &'a str, request: &mut Request<'a>) -> Vec<Problem> {
    let mut targets = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word.parse() {
            Ok(target) if targets.contains(&target) => {}
            Ok(target) => targets.push(target),
            Err(UnknownWord { words, .. }) => {
                request.targets = Field::Broken;
                return vec![unknown_word(Code::TargetUnknown, word, words)];
            }
        }
    }
    if !targets.is_empty() {
        request.targets = Field::Set(targets);
    }
    Vec::new()
}

fn object_name<'a>(text: &'a str, code: Code, kind: &str) -> Result<&'a str, Problem> {
    let name = text.trim();
    if is_dns_subdomain(name) { Ok(name) } else { Err(object_problem(code, name, kind)) }
}

fn service_name(text: &str) -> Result<&str, Problem> {
    let name = text.trim();
    if is_dns_label(name) {
        return Ok(name);
    }
    let said = format!("{} is not the name of a Service", quoted(name));
    Err(Problem::new(Code::CanaryInvalid, said).help("name the Service whose requests are shared"))
}

/// A text that ingress-nginx accepts here: letters, digits and these `signs` (its BasicCharsRegex, for header names without
/// what no header name may have).
fn canary_text<'a>(text: &'a str, what: &str, signs: &str) -> Result<&'a str, Problem> {
    let text = text.trim();
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || signs.contains(*c))) {
        None => Ok(text),
        Some(stray) => {
            let said = format!("the {what} {} contains {}", quoted(text), quoted_char(stray));
            Err(Problem::new(Code::CanaryInvalid, said).help("write letters, digits and `-`"))
        }
    }
}

fn weight(text: &str) -> Result<u8, Problem> {
    let digits = text.trim();
    digits
        .parse()
        .ok()
        .filter(|weight| *weight <= 100 && digits.bytes().all(|b| b.is_ascii_digit()))
        .ok_or_else(|| {
            let said = format!("expected a whole number from 0 to 100, found {}", quoted(digits));
            Problem::new(Code::CanaryInvalid, said).help("write the percentage, without a sign")
        })
}

fn path(text: &str) -> Result<&str, Problem> {
    let path = text.trim();
    if path.starts_with('/') {
        return Ok(path);
    }
    let said = format!("{} does not start with `/`", quoted(path));
    Err(Problem::new(Code::MonitorInvalid, said).help(format!("write /{path}")).propose(format!("/{path}")))
}

fn path_type<'a>(text: &'a str, request: &mut Request<'a>) -> Vec<Problem> {
    let word = text.trim();
    let parsed =
        word.parse().map_err(|error: UnknownWord| unknown_word(Code::PathTypeUnknown, word, error.words));
    value(parsed, &mut request.path_type)
}

fn class<'a>(text: &'a str, request: &mut Request<'a>) -> Vec<Problem> {
    let name = text.trim();
    let parsed = if is_dns_subdomain(name) { Ok(name) } else { Err(class_problem(name)) };
    value(parsed, &mut request.class)
}
