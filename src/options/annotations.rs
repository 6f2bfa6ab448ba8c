//! The annotations of a Service: how each is read, and what is said of those that nobody reads.

use super::block::{self, Block};
use super::table::Layer;
use super::{class_problem, object_problem, table, unknown_word};
use crate::diagnostics::{Code, FieldPath, Problem, Report, did_you_mean, quoted, quoted_char};
use crate::service::{CONFIG_PREFIX, Service};
use crate::template::Template;
use crate::validation::{PathType, is_dns_label, is_dns_subdomain, parse_bool};
use crate::values::{Issuer, Target, Tls};

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

/// The forwarded block of a Service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forwarded<'a> {
    pub(crate) block: Block<'a>,
    /// The lines that are skipped. How much each weighs is said by `check`, which knows the keys.
    pub(crate) malformed: Vec<Problem>,
}

/// Reads the annotations; what is wrong with them goes into the report.
pub(crate) fn read<'a>(service: &Service<'a>, report: &mut Report) -> (Layer, Forwarded<'a>) {
    let (mut layer, mut forwarded) = (Layer::default(), Forwarded::default());
    let find = |annotation: &str| table::annotations().find(|(key, _)| key.name == annotation);
    for annotation in &service.broken {
        if let Some(read) = find(annotation).and_then(|(_, row)| row.read_annotation) {
            read(&mut layer, None);
        }
    }
    for &(annotation, text) in service.annotations() {
        let path = || FieldPath::annotation(annotation.to_owned());
        let Some((_, row)) = find(annotation) else {
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
        let problems = match row.read_annotation {
            Some(read) => read(&mut layer, Some(text)),
            None => {
                let (block, problems) = block::parse(text);
                let is_malformed = |problem: &Problem| problem.code == Code::ForwardMalformed;
                let (malformed, others) = problems.into_iter().partition(is_malformed);
                forwarded = Forwarded { block, malformed };
                others
            }
        };
        for problem in problems {
            report.file(path(), problem);
        }
    }
    for &annotation in &service.nearly_ours {
        let name = short_name(annotation);
        if let Some((key, _)) =
            table::annotations().find(|(key, _)| key.short_name().eq_ignore_ascii_case(name))
        {
            let said = format!("there is no annotation {}", quoted(annotation));
            let problem = Problem::new(Code::AnnotationUnknown, said);
            let problem = problem.help(format!("did you mean {}?", key.name));
            report.file(FieldPath::annotation(annotation.to_owned()), problem);
        }
    }
    (layer, forwarded)
}

fn short_name(annotation: &str) -> &str {
    annotation.rsplit('/').next().unwrap_or(annotation)
}

/// What is said of a key that is not in the table. Beside the block, other programs may use the prefix as well: there,
/// only what looks like a misspelt key is one.
fn unknown(annotation: &str) -> Option<Problem> {
    let meant = did_you_mean(short_name(annotation), table::annotations().map(|(key, _)| key.short_name()));
    let help = match table::annotations().find(|(key, _)| Some(key.short_name()) == meant) {
        Some((key, _)) => format!("did you mean {}?", key.name),
        None if !annotation.starts_with(CONFIG_PREFIX) => return None,
        None => "remove it; `xposer explain` lists all annotations".to_owned(),
    };
    let said = format!("there is no annotation {}", quoted(annotation));
    Some(Problem::new(Code::AnnotationUnknown, said).help(help))
}

/// A value, or nothing where the text says nothing; or everything that is wrong with it.
type Read<T> = Result<Option<T>, Vec<Problem>>;

/// What can have one problem.
pub(super) fn one<T>(read: Result<T, Problem>) -> Read<T> {
    read.map(Some).map_err(|problem| vec![problem])
}

pub(super) fn template(text: &str) -> Read<Template<'static>> {
    Template::parse(text).map(|template| Some(template.into_owned()))
}

pub(super) fn tls(text: &str) -> Read<Tls> {
    let word = text.trim();
    // The original fell back to its configuration, too.
    one(word.parse().map_err(|_| {
        let said = format!(
            "expected true, false, cert-manager or load-balancer, found {}; the setting tls applies",
            quoted(word)
        );
        let problem = Problem::new(Code::TlsNotBoolean, said);
        match did_you_mean(word, Tls::WORDS.iter().copied()) {
            Some(meant) => problem.help(format!("did you mean {meant}?")).propose(meant),
            None => problem.help("write one of these words"),
        }
    }))
}

pub(super) fn targets(text: &str) -> Read<Vec<Target>> {
    let mut targets = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word.parse() {
            Ok(target) if targets.contains(&target) => {}
            Ok(target) => targets.push(target),
            Err(_) => return Err(vec![unknown_word(Code::TargetUnknown, word, Target::WORDS)]),
        }
    }
    Ok(Some(targets).filter(|targets| !targets.is_empty()))
}

pub(super) fn path_type(text: &str) -> Read<PathType> {
    let word = text.trim();
    one(word.parse().map_err(|_| unknown_word(Code::PathTypeUnknown, word, PathType::WORDS)))
}

pub(super) fn class(text: &str) -> Read<String> {
    one(object_name(text, class_problem))
}

pub(super) fn issuer(text: &str, cluster: bool) -> Read<Issuer> {
    let kind = if cluster { "ClusterIssuer" } else { "Issuer" };
    let name = object_name(text, |name| object_problem(Code::IssuerInvalid, name, kind));
    one(name.map(|name| Issuer { cluster, name }))
}

pub(super) fn profile_name(text: &str) -> Result<String, Problem> {
    object_name(text, |name| object_problem(Code::ProfileUnknown, name, "profile"))
}

fn object_name(text: &str, problem: impl Fn(&str) -> Problem) -> Result<String, Problem> {
    let name = text.trim();
    if is_dns_subdomain(name) { Ok(name.to_owned()) } else { Err(problem(name)) }
}

pub(super) fn boolean(text: &str) -> Result<bool, Problem> {
    parse_bool(text.trim()).ok_or_else(|| {
        let said = format!("expected true or false, found {}", quoted(text.trim()));
        Problem::new(Code::BooleanInvalid, said).help("write \"true\" or \"false\"")
    })
}

pub(super) fn service_name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if is_dns_label(name) {
        return Ok(name.to_owned());
    }
    let said = format!("{} is not the name of a Service", quoted(name));
    Err(Problem::new(Code::CanaryInvalid, said).help("name the Service whose requests are shared"))
}

/// A text that ingress-nginx accepts here: letters, digits and these `signs` (its BasicCharsRegex, for header names without
/// what no header name may have).
pub(super) fn canary_text(text: &str, what: &str, signs: &str) -> Result<String, Problem> {
    let text = text.trim();
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || signs.contains(*c))) {
        None => Ok(text.to_owned()),
        Some(stray) => {
            let said = format!("the {what} {} contains {}", quoted(text), quoted_char(stray));
            Err(Problem::new(Code::CanaryInvalid, said).help("write letters, digits and `-`"))
        }
    }
}

pub(super) fn weight(text: &str) -> Result<u8, Problem> {
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

pub(super) fn path(text: &str) -> Result<String, Problem> {
    let path = text.trim();
    if path.starts_with('/') {
        return Ok(path.to_owned());
    }
    let said = format!("{} does not start with `/`", quoted(path));
    Err(Problem::new(Code::MonitorInvalid, said).help(format!("write /{path}")).propose(format!("/{path}")))
}
