//! The annotations of a Service: the layer that they form, and the findings about annotations that are not read.

use serde_json::Value;

use super::Settings;
use super::block::{self, Block};
use super::table::{self, Layer};
use crate::diagnostics::{Code, FieldPath, Origin, Problem, Report, did_you_mean, quoted};
use crate::dialect::protects;
use crate::intents::{Intent, Loss};
use crate::service::{CONFIG_PREFIX, FORWARD_ANNOTATION, Service};

/// The annotation of each field, for the stages that report a problem in it.
pub(crate) mod annotation {
    pub(crate) const NAME: &str = "config.xposer.stakater.com/IngressNameTemplate";
    pub(crate) const URL: &str = "config.xposer.stakater.com/IngressURLTemplate";
    pub(crate) const PATH: &str = "config.xposer.stakater.com/IngressURLPath";
    pub(crate) const DOMAIN: &str = "config.xposer.stakater.com/Domain";
    pub(crate) const TLS: &str = "config.xposer.stakater.com/TLS";
    pub(crate) const SECRET: &str = "config.xposer.stakater.com/TLSSecretNameTemplate";
    pub(crate) const TLS_HOSTS: &str = "config.xposer.stakater.com/TLSHosts";
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
    pub(crate) const LABELS: &str = "config.xposer.stakater.com/Labels";
    pub(crate) const AUTH: &str = "config.xposer.stakater.com/Auth";
    pub(crate) const MONITOR_HEALTH: &str = "config.xposer.stakater.com/MonitorHealthEndpoint";
}

/// The forwarded block of a Service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forwarded<'a> {
    pub(crate) block: Block<'a>,
    /// The problems of skipped lines. `check` decides their severity, because it knows the keys.
    pub(crate) malformed: Vec<Problem>,
}

/// Reads the annotations, and files their problems into the report.
pub(crate) fn read<'a>(
    service: &Service<'a>,
    settings: &Settings,
    report: &mut Report,
) -> (Layer, Forwarded<'a>) {
    let (mut layer, mut forwarded) = (Layer::default(), Forwarded::default());
    let find = |annotation: &str| table::ROWS.iter().find(|row| row.annotation == Some(annotation));
    for annotation in &service.non_string_keys {
        if let Some(read) = find(annotation).and_then(|row| row.read) {
            // The Service has reported the value; this only marks the option as broken, which is no finding.
            let _ = read(&mut layer, &Value::Null, Origin::BuiltIn);
        }
    }
    for &(annotation, text) in service.annotations() {
        let path = || FieldPath::annotation(annotation.to_owned());
        let Some(row) = find(annotation) else {
            if let Some(problem) = unknown(settings, annotation, text) {
                report.file(path(), problem);
            }
            continue;
        };
        if text.trim().is_empty() {
            let problem = Problem::new(Code::AnnotationEmpty, "the value is empty and counts as not set");
            report.file(path(), problem.help("give it a value or remove it"));
            continue;
        }
        if let Some(read) = row.read {
            let read =
                read(&mut layer, &text.into(), Origin::Annotation(row.annotation.unwrap_or_default().into()));
            for (path, problem) in read.err().unwrap_or_default() {
                report.file(path, problem);
            }
            continue;
        }
        let (block, problems) = block::parse(text);
        forwarded.block = block;
        for problem in problems {
            if problem.code == Code::ForwardMalformed {
                forwarded.malformed.push(problem);
            } else {
                report.file(path(), problem);
            }
        }
    }
    for &(annotation, text) in &service.misspelt_prefixes {
        if let Some(problem) = unknown(settings, annotation, text) {
            report.file(FieldPath::annotation(annotation.to_owned()), problem);
        }
    }
    (layer, forwarded)
}

fn short_name(annotation: &str) -> &str {
    annotation.rsplit('/').next().unwrap_or(annotation)
}

/// The problem of a key that is not in the table. Other programs may use the prefix of the block, or a similar one, so under these
/// only a likely misspelling is a problem.
fn unknown(settings: &Settings, annotation: &str, value: &str) -> Option<Problem> {
    let name = short_name(annotation);
    let near = did_you_mean(name, table::annotation_keys().map(short_name));
    let meant = table::annotation_keys().find(|key| Some(short_name(key)) == near);
    let help = match meant {
        Some(key) => format!("did you mean {key}?"),
        None if !annotation.starts_with(CONFIG_PREFIX) => return None,
        None => NO_OPTION_HELP.to_owned(),
    };
    let mut code = Code::AnnotationUnknown;
    let mut message = format!("there is no annotation {}", quoted(annotation));
    if means_protection(name, meant, value) {
        message += ", and what is probably meant protects the Service";
        (code, message) = settings.lost(annotation, message);
    }
    Some(Problem::new(code, message).help(help))
}

/// The help for a name that is near to no option.
pub(super) const NO_OPTION_HELP: &str = "remove it; `xposer explain` lists all annotations";

/// The words of which one is in most names that users give to an option for the access to a Service.
const WORDS_OF_ACCESS: [&str; 7] =
    ["auth", "allow", "deny", "denied", "whitelist", "blacklist", "clientcert"];

/// Whether the author of a misspelt annotation probably asks for a protection.
fn means_protection(name: &str, meant: Option<&str>, value: &str) -> bool {
    match meant {
        _ if matches!(value.trim(), "" | "false") => false,
        Some(FORWARD_ANNOTATION) => {
            block::parse(value).0.lines().iter().any(|line| protects(line.key, line.value))
        }
        Some(annotation::AUTH) => true,
        Some(meant) => {
            short_name(meant).parse().is_ok_and(|intent: Intent| intent.loss() == Loss::Protection)
        }
        None => {
            let lower = name.to_ascii_lowercase();
            WORDS_OF_ACCESS.iter().any(|word| lower.contains(word))
        }
    }
}
