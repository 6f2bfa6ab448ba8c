//! Parses the values of settings, and of the annotations that override them, which are texts.

use serde_json::Value;

use super::SourcedTemplate;
use super::annotations::annotation;
use crate::diagnostics::{
    Code, FieldPath, Origin, Problem, Sourced, did_you_mean, kind_of, one_of, quoted, quoted_char,
};
use crate::dialect::controller::{Controller, is_of_annotation};
use crate::dialect::external_dns;
use crate::service::{PortRef, PortRefError};
use crate::template::{Template, Var};
use crate::validation::pattern::Certificates;
use crate::validation::{
    HostError, PathType, host_errors, host_help, is_dns_label, is_dns_subdomain, is_port_name, parse_bool,
};
use crate::values::{Feature, Issuer, LinkPage, Target, Termination, Tls};

mod intent_value;
mod monitor;

pub(super) use self::intent_value::intent_value;
pub(super) use self::monitor::{health_endpoint, monitor_provider};

/// Problems, each with the place it is about.
pub(super) type Problems = Vec<(FieldPath, Problem)>;
/// A value, or all problems of the input.
pub(super) type Parsed<T> = Result<T, Problems>;

/// Whether the value belongs to an annotation of a Service, and not to a setting.
pub(super) fn is_annotation(at: &Origin) -> bool {
    !matches!(at, Origin::Setting(_))
}

/// The code of a finding about an invalid value; all settings share one code.
fn code(at: &Origin, of_annotation: Code) -> Code {
    if is_annotation(at) { of_annotation } else { Code::SettingInvalid }
}

pub(super) fn one(at: &Origin, problem: Problem) -> Problems {
    vec![(at.path(), problem)]
}

pub(super) fn invalid(at: &Origin, expected: &str, found: &Value) -> Problems {
    let help = match found {
        Value::Bool(_) | Value::Number(_) if expected == "a text" => "put quotes around it".to_owned(),
        _ => format!("write {expected}"),
    };
    let message = format!("expected {expected}, found {}", kind_of(found));
    one(at, Problem::new(Code::SettingInvalid, message).help(help))
}

pub(super) fn wrong(at: &Origin, message: impl Into<String>, help: impl Into<String>) -> Problems {
    one(at, Problem::new(Code::SettingInvalid, message).help(help))
}

/// A text; `None` if it is empty.
pub(super) fn text<'v>(value: &'v Value, at: &Origin) -> Parsed<Option<&'v str>> {
    match value {
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(invalid(at, "a text", other)),
    }
}

/// The result of `read` for a text without the blanks around it; `None` if it is empty.
fn trimmed<T>(
    value: &Value,
    at: &Origin,
    read: impl FnOnce(&str) -> Result<T, Problem>,
) -> Parsed<Option<T>> {
    let Some(text) = text(value, at)? else { return Ok(None) };
    read(text.trim()).map(Some).map_err(|problem| one(at, problem))
}

pub(super) fn template(value: &Value, at: &Origin) -> Parsed<Option<Template<'static>>> {
    let Some(text) = text(value, at)? else { return Ok(None) };
    read_template(text, at).map(Some)
}

/// The name of a secret, as a template that can contain the host.
pub(super) fn secret_template(value: &Value, at: &Origin) -> Parsed<Option<Template<'static>>> {
    let Some(text) = text(value, at)? else { return Ok(None) };
    parsed_template(text, at).map(Some)
}

fn read_template(text: &str, at: &Origin) -> Parsed<Template<'static>> {
    let template = parsed_template(text, at)?;
    match template.without(Var::Host, "has a value only in TLSSecretNameTemplate") {
        None => Ok(template),
        Some(problem) => Err(one(at, problem)),
    }
}

fn parsed_template(text: &str, at: &Origin) -> Parsed<Template<'static>> {
    match Template::parse(text) {
        Ok(template) => Ok(template.into_owned()),
        Err(problems) => Err(problems.into_iter().map(|problem| (at.path(), problem)).collect()),
    }
}

/// The items of a list, each read by `read`, or the problems of all items.
pub(super) fn list<T>(
    value: &Value,
    at: &Origin,
    expected: &str,
    read: &dyn Fn(&Value, &Origin) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    let Value::Array(items) = value else { return Err(invalid(at, expected, value)) };
    let (mut list, mut problems) = (Vec::with_capacity(items.len()), Vec::new());
    for (index, item) in items.iter().enumerate() {
        match read(item, &Origin::Setting(at.path().index(index))) {
            Ok(item) => list.push(item),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(list) } else { Err(problems) }
}

/// A text that is not empty, for the items of lists.
pub(super) fn item<'v>(value: &'v Value, at: &Origin, what: &str) -> Parsed<&'v str> {
    match text(value, at)? {
        Some(text) => Ok(text),
        None => Err(wrong(at, format!("the {what} is empty"), "remove it")),
    }
}

pub(super) fn template_list(value: &Value, at: &Origin) -> Parsed<Option<Vec<SourcedTemplate>>> {
    let read = |value: &Value, at: &Origin| {
        let template = read_template(item(value, at, "template")?, at)?;
        Ok(Sourced::new(template, at.clone()))
    };
    list(value, at, "a list of templates", &read).map(Some)
}

/// A boolean; `None` if the text is empty. Texts are accepted because forms and environment variables have only texts.
pub(super) fn boolean(value: &Value, at: &Origin) -> Parsed<Option<bool>> {
    match value {
        Value::Bool(value) => Ok(Some(*value)),
        Value::String(text) => match parse_bool(text.trim()) {
            None if text.trim().is_empty() => Ok(None),
            None if is_annotation(at) => {
                let message = format!("expected true or false, found {}", quoted(text.trim()));
                let problem = Problem::new(Code::BooleanInvalid, message);
                Err(one(at, problem.help("write \"true\" or \"false\"")))
            }
            None => Err(invalid(at, "true or false", value)),
            found => Ok(found),
        },
        other => Err(invalid(at, "true or false", other)),
    }
}

pub(super) fn tls(value: &Value, at: &Origin) -> Parsed<Option<Tls>> {
    match value {
        Value::Bool(true) => Ok(Some(Tls::Secret)),
        Value::Bool(false) => Ok(Some(Tls::Off)),
        Value::String(_) => trimmed(value, at, |word| word.parse().map_err(|_| unknown_tls(word, at))),
        other => Err(invalid(at, "true, false, cert-manager or load-balancer", other)),
    }
}

fn unknown_tls(word: &str, at: &Origin) -> Problem {
    let mut problem = unknown_word(code(at, Code::TlsNotBoolean), word, Tls::WORDS);
    if is_annotation(at) {
        // The original Xposer also used the configuration in this case.
        problem.message = format!(
            "expected true, false, cert-manager or load-balancer, found {}; the setting tls applies",
            quoted(word)
        );
        if problem.proposed.is_none() {
            problem.help = Some("write one of these words".to_owned());
        }
    }
    problem
}

/// A port by number or name.
pub(super) fn port(value: &Value, at: &Origin) -> Parsed<Option<PortRef>> {
    match value {
        Value::Number(number) => trimmed(&number.to_string().into(), at, port_of),
        _ => trimmed(value, at, port_of),
    }
}

pub(crate) fn port_of(text: &str) -> Result<PortRef, Problem> {
    text.parse().map_err(|error| {
        let message = match error {
            PortRefError::OutOfRange => format!("the port {} is not between 1 and 65535", quoted(text)),
            PortRefError::NoName => format!("{} is neither a port number nor a port name", quoted(text)),
        };
        let problem = Problem::new(Code::PortInvalid, message);
        let lower = text.to_ascii_lowercase();
        if is_port_name(&lower) {
            problem.help(format!("write it in lower case: {lower}")).propose(lower)
        } else if let Some((_, other)) = text.split_once(',') {
            // The value is several ports, as if each were for the URL at the same position.
            problem.help(format!(
                "write one port; put another one behind its URL in {}: `example.com/path -> {}`",
                annotation::URL,
                other.trim()
            ))
        } else {
            problem.help("write the number or the name of one of the Service's ports")
        }
    })
}

pub(super) fn path_type(value: &Value, at: &Origin) -> Parsed<Option<PathType>> {
    let code = code(at, Code::PathTypeUnknown);
    trimmed(value, at, |word| word.parse().map_err(|_| unknown_word(code, word, PathType::WORDS)))
}

pub(super) fn termination(value: &Value, at: &Origin) -> Parsed<Option<Termination>> {
    let words = Termination::WORDS;
    trimmed(value, at, |word| word.parse().map_err(|_| unknown_word(Code::SettingInvalid, word, words)))
}

/// Whether the value is the second one of two words.
pub(super) fn second_of(value: &Value, at: &Origin, words: &[&str; 2]) -> Parsed<Option<bool>> {
    trimmed(value, at, |word| {
        let position = words.iter().position(|known| *known == word);
        position.map(|at| at == 1).ok_or_else(|| unknown_word(Code::SettingInvalid, word, words))
    })
}

/// The problem of a word that is not among `words`.
pub(crate) fn unknown_word(code: Code, word: &str, words: &[&str]) -> Problem {
    let problem = Problem::new(code, format!("expected {}, found {}", one_of(words), quoted(word)));
    match did_you_mean(word, words.iter().copied()) {
        Some(meant) => problem.help(format!("did you mean {meant}?")).propose(meant),
        None => problem.help(["write ", &one_of(words)].concat()),
    }
}

/// The name of an object.
fn name(value: &Value, at: &Origin, problem: impl Fn(&str) -> Problem) -> Parsed<Option<String>> {
    trimmed(value, at, |name| if is_dns_subdomain(name) { Ok(name.to_owned()) } else { Err(problem(name)) })
}

pub(super) fn class(value: &Value, at: &Origin) -> Parsed<Option<String>> {
    trimmed(value, at, |name| if is_class(name) { Ok(name.to_owned()) } else { Err(class_problem(name)) })
}

/// Whether the name is a valid IngressClass, or a class that exists only as an annotation.
pub(crate) fn is_class(name: &str) -> bool {
    is_dns_subdomain(name) || is_of_annotation(name)
}

/// The problem of a class that is no valid name of an object.
pub(crate) fn class_problem(name: &str) -> Problem {
    object_problem(Code::ClassInvalid, name, "IngressClass")
}

/// The problem of a text that is no valid name of an object of this kind.
pub(crate) fn object_problem(code: Code, name: &str, kind: &str) -> Problem {
    let article = if kind.starts_with(['I', 'a']) { "an" } else { "a" };
    Problem::new(code, format!("{} is not the name of {article} {kind}", quoted(name)))
        .help("write lower-case letters, digits, `-` and `.`")
}

/// Reads the name of an Issuer or a ClusterIssuer.
pub(super) fn issuer(value: &Value, at: &Origin, cluster: bool) -> Parsed<Option<Issuer>> {
    let kind = if cluster { "ClusterIssuer" } else { "Issuer" };
    let name = name(value, at, |name| object_problem(code(at, Code::IssuerInvalid), name, kind))?;
    Ok(name.map(|name| Issuer { cluster, name }))
}

/// The name of a profile. Whether a setting names an existing profile is checked later.
pub(super) fn profile(value: &Value, at: &Origin) -> Parsed<Option<String>> {
    if is_annotation(at) {
        return name(value, at, |name| object_problem(Code::ProfileUnknown, name, "profile"));
    }
    Ok(text(value, at)?.map(|name| name.trim().to_owned()))
}

pub(super) fn targets(value: &Value, at: &Origin) -> Parsed<Option<Vec<Target>>> {
    let code = code(at, Code::TargetUnknown);
    let found = words(value, at, code, "a target, or a list of targets", &Target::ALL, Target::WORDS)?;
    if found.is_empty() && !matches!(value, Value::String(text) if text.trim().is_empty()) {
        let problem = Problem::new(code, "expected a target, found none");
        return Err(one(at, problem.help("write one, or remove the key")));
    }
    Ok(Some(found).filter(|found| !found.is_empty()))
}

/// The dashboards that get links.
pub(super) fn links(value: &Value, at: &Origin) -> Parsed<Option<Vec<LinkPage>>> {
    words(value, at, Code::SettingInvalid, "a list of programs", &LinkPage::ALL, LinkPage::WORDS).map(Some)
}

/// Parses some of these words, as values: a list, or a text with commas between the words.
fn words<T: Copy>(
    value: &Value,
    at: &Origin,
    code: Code,
    expected: &str,
    all: &[T],
    words: &[&str],
) -> Parsed<Vec<T>> {
    let places = places(value, at, code, expected, words)?;
    Ok(places.into_iter().filter_map(|place| all.get(place).copied()).collect())
}

/// The places of the words that are given.
fn places(value: &Value, at: &Origin, code: Code, expected: &str, words: &[&str]) -> Parsed<Vec<usize>> {
    let read = |word: &str, at: &Origin| {
        let word = word.trim();
        let place = words.iter().position(|known| *known == word);
        place.ok_or_else(|| one(at, unknown_word(code, word, words)))
    };
    match value {
        Value::String(given) => {
            let mut places = Vec::new();
            for word in given.split(',').filter(|word| !word.trim().is_empty()) {
                places.push(read(word, at)?);
            }
            Ok(places)
        }
        _ => list(value, at, expected, &|value, at| match value {
            Value::String(word) => read(word, at),
            other => Err(invalid(at, &one_of(words), other)),
        }),
    }
}

/// A controller that serves a class.
pub(super) fn controller(value: &Value, at: &Origin) -> Parsed<Option<Controller>> {
    program(value, at, Controller::WORDS)
}

/// A program that serves HTTPRoutes.
pub(super) fn gateway_controller(value: &Value, at: &Origin) -> Parsed<Option<Controller>> {
    program(value, at, Controller::GATEWAY_CONTROLLERS)
}

fn program(value: &Value, at: &Origin, words: &[&str]) -> Parsed<Option<Controller>> {
    trimmed(value, at, |word| {
        let known = word.parse().ok().filter(|_| words.contains(&word));
        known.ok_or_else(|| unknown_word(Code::SettingInvalid, word, words))
    })
}

/// The features that Gateways have.
pub(super) fn gateway_features(value: &Value, at: &Origin) -> Parsed<Option<Vec<Feature>>> {
    words(value, at, Code::SettingInvalid, "a list of features", &Feature::ALL, Feature::WORDS).map(Some)
}

/// The name of an authentication from the setting `auth`.
pub(super) fn auth(value: &Value, at: &Origin) -> Parsed<Option<String>> {
    name(value, at, |name| object_problem(code(at, Code::IntentInvalid), name, "authentication"))
}

/// The name of the Service whose requests a canary shares.
pub(super) fn canary_of(value: &Value, at: &Origin) -> Parsed<Option<String>> {
    trimmed(value, at, |name| {
        if is_dns_label(name) {
            return Ok(name.to_owned());
        }
        let message = format!("{} is not the name of a Service", quoted(name));
        Err(Problem::new(Code::CanaryInvalid, message).help("name the Service whose requests are shared"))
    })
}

/// A text that ingress-nginx accepts in this place: letters, digits and these `signs` (its BasicCharsRegex; for header names,
/// without the characters that a header name cannot have).
pub(super) fn canary_text(value: &Value, at: &Origin, what: &str, signs: &str) -> Parsed<Option<String>> {
    trimmed(value, at, |text| {
        let Some(stray) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || signs.contains(*c))) else {
            return Ok(text.to_owned());
        };
        let message = format!("the {what} {} contains {}", quoted(text), quoted_char(stray));
        Err(Problem::new(Code::CanaryInvalid, message).help("write letters, digits and `-`"))
    })
}

pub(super) fn canary_weight(value: &Value, at: &Origin) -> Parsed<Option<u8>> {
    trimmed(value, at, |digits| match digits.parse() {
        Ok(weight) if weight <= 100 && digits.bytes().all(|b| b.is_ascii_digit()) => Ok(weight),
        _ => {
            let message = format!("expected a whole number from 0 to 100, found {}", quoted(digits));
            Err(Problem::new(Code::CanaryInvalid, message).help("write the percentage, without a sign"))
        }
    })
}

/// A list of hosts, each a DNS name or `*.` and a DNS name.
pub(super) fn hosts(value: &Value, at: &Origin) -> Parsed<Vec<String>> {
    list(value, at, "a list of hosts", &|value, at| {
        let host = item(value, at, "host")?.trim();
        let errors = host_errors(host);
        if errors.iter().any(|error| *error != HostError::Uppercase) {
            let message = format!("{} is neither a host nor `*.` and a host", quoted(host));
            return Err(wrong(at, message, host_help(host, "write it as web.example.com or *.example.com")));
        }
        Ok(host.to_ascii_lowercase())
    })
}

/// The names in certificates.
pub(super) fn certificates(value: &Value, at: &Origin) -> Parsed<Option<Certificates>> {
    hosts(value, at).map(|names| Some(names.into()))
}

/// A list of prefixes of annotation keys, with their slashes.
pub(super) fn prefixes(value: &Value, at: &Origin) -> Parsed<Vec<String>> {
    list(value, at, "a list of prefixes", &|value, at| {
        let prefix = item(value, at, "prefix")?.trim();
        match prefix.strip_suffix('/').filter(|prefix| is_dns_subdomain(prefix)) {
            Some(_) => Ok(prefix.to_owned()),
            None => Err(wrong(
                at,
                format!("{} is not the prefix of an annotation", quoted(prefix)),
                format!("write a DNS name and a slash, such as {}", external_dns::PREFIX),
            )),
        }
    })
}

/// Reads the entries of a mapping; a problem of one does not stop the others. A key among `own` with the value null counts as not
/// set. For other keys, `read` is also called with null, because it reports a key that is not allowed, whatever its value.
pub(super) fn mapping(
    value: &Value,
    at: &Origin,
    own: &[&str],
    // A trait object, so that the policy's module has one copy of this function and not one for each caller.
    read: &mut dyn FnMut(&str, &Value, Origin) -> Parsed<()>,
) -> Parsed<()> {
    let Value::Object(map) = value else { return Err(invalid(at, "a mapping", value)) };
    let mut problems = Vec::new();
    for (key, value) in map.iter().filter(|(key, value)| !value.is_null() || !own.contains(&key.as_str())) {
        let place = Origin::Setting(at.path().key(key.clone()));
        problems.extend(read(key, value, place).err().unwrap_or_default());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}
