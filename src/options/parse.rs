//! The values of settings, and of the annotations that override them.

use std::borrow::Cow;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::table::READERS;
use super::{DefaultAnnotation, Layer, Named, Namespace, Profile, Tpl, unknown};
use crate::diagnostics::{
    Code, FieldPath, Origin, Problem, Sourced, UnknownWord, did_you_mean, kind_of, quoted, scalar,
};
use crate::dialect::monitor::PROVIDERS;
use crate::options::{Issuer, ParentRef, Target, Termination, Tls};
use crate::service::{CONFIG_PREFIX, FORWARD_ANNOTATION, PUBLISH_KEY, PortRef, PortRefError, STAMP_PREFIX};
use crate::template::Template;
use crate::validation::pattern::Patterns;
use crate::validation::{
    CLASS_ANNOTATION, HostError, PathType, annotation_key_error, host_errors, is_dns_label, is_dns_subdomain,
    is_port_name, parse_bool,
};

/// Problems of one setting, each with its place.
pub(super) type Problems = Vec<(FieldPath, Problem)>;
/// A value, or everything that is wrong with it.
pub(super) type Parsed<T> = Result<T, Problems>;

fn one(at: &FieldPath, problem: Problem) -> Problems {
    vec![(at.clone(), problem)]
}

/// A value and its place.
fn sourced<T>(value: T, at: &FieldPath) -> Sourced<T> {
    Sourced::new(value, Origin::Setting(at.clone()))
}

pub(super) fn invalid(at: &FieldPath, expected: &str, found: &Value) -> Problems {
    let help = match found {
        Value::Bool(_) | Value::Number(_) if expected == "a text" => "put quotes around it".to_owned(),
        _ => format!("write {expected}"),
    };
    let said = format!("expected {expected}, found {}", kind_of(found));
    one(at, Problem::new(Code::SettingInvalid, said).help(help))
}

fn wrong(at: &FieldPath, said: impl Into<String>, help: impl Into<String>) -> Problems {
    one(at, Problem::new(Code::SettingInvalid, said).help(help))
}

/// A text; `None` where it is empty.
pub(super) fn text<'v>(value: &'v Value, at: &FieldPath) -> Parsed<Option<&'v str>> {
    match value {
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(invalid(at, "a text", other)),
    }
}

pub(super) fn template(value: &Value, at: &FieldPath) -> Parsed<Option<Tpl>> {
    let Some(text) = text(value, at)? else { return Ok(None) };
    read_template(text, at).map(Some)
}

fn read_template(text: &str, at: &FieldPath) -> Parsed<Tpl> {
    match Template::parse(text) {
        Ok(template) => Ok(sourced(template.into_owned(), at)),
        Err(problems) => Err(problems.into_iter().map(|problem| (at.clone(), problem)).collect()),
    }
}

/// The items of a list, each read by `read`; all problems of all of them.
fn list<T>(
    value: &Value,
    at: &FieldPath,
    expected: &str,
    read: &dyn Fn(&Value, &FieldPath) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    let Value::Array(items) = value else { return Err(invalid(at, expected, value)) };
    let (mut list, mut problems) = (Vec::with_capacity(items.len()), Vec::new());
    for (index, item) in items.iter().enumerate() {
        match read(item, &at.clone().index(index)) {
            Ok(item) => list.push(item),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(list) } else { Err(problems) }
}

/// A text that is not empty, for the items of lists.
fn item<'v>(value: &'v Value, at: &FieldPath, what: &str) -> Parsed<&'v str> {
    match text(value, at)? {
        Some(text) => Ok(text),
        None => Err(wrong(at, format!("the {what} is empty"), "remove it")),
    }
}

pub(super) fn template_list(value: &Value, at: &FieldPath) -> Parsed<Vec<Tpl>> {
    list(value, at, "a list of templates", &|value, at| read_template(item(value, at, "template")?, at))
}

/// A boolean; `None` where the text is empty. Forms and environment variables hand booleans over as texts.
pub(super) fn boolean(value: &Value, at: &FieldPath) -> Parsed<Option<bool>> {
    match value {
        Value::Bool(value) => Ok(Some(*value)),
        Value::String(text) => match parse_bool(text.trim()) {
            None if text.trim().is_empty() => Ok(None),
            None => Err(invalid(at, "true or false", value)),
            found => Ok(found),
        },
        other => Err(invalid(at, "true or false", other)),
    }
}

pub(super) fn sourced_boolean(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<bool>>> {
    Ok(boolean(value, at)?.map(|value| sourced(value, at)))
}

pub(super) fn tls(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<Tls>>> {
    let mode = match value {
        Value::Bool(true) => Tls::Secret,
        Value::Bool(false) => Tls::Off,
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => text.trim().parse().map_err(|error| not_one_of(at, &error))?,
        other => return Err(invalid(at, "true, false, cert-manager or load-balancer", other)),
    };
    Ok(Some(sourced(mode, at)))
}

pub(super) fn port_value(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<PortRef>>> {
    let parsed = match value {
        Value::Number(number) => port(&number.to_string()),
        _ => match text(value, at)? {
            Some(text) => port(text.trim()),
            None => return Ok(None),
        },
    };
    parsed.map(|port| Some(sourced(port, at))).map_err(|problem| one(at, problem))
}

/// A port by number or name.
pub(crate) fn port(text: &str) -> Result<PortRef, Problem> {
    text.parse().map_err(|error| {
        let problem = |said: String| Problem::new(Code::PortInvalid, said);
        let lower = text.to_ascii_lowercase();
        let (problem, help) = match error {
            PortRefError::OutOfRange => {
                (problem(format!("the port {} is not between 1 and 65535", quoted(text))), None)
            }
            PortRefError::NoName => {
                let problem = problem(format!("{} is {error}", quoted(text)));
                if is_port_name(&lower) {
                    let help = format!("write it in lower case: {lower}");
                    (problem.propose(lower), Some(help))
                } else {
                    (problem, None)
                }
            }
        };
        problem.help(
            help.unwrap_or_else(|| "write the number or the name of one of the Service's ports".to_owned()),
        )
    })
}

/// One of the words of a type.
fn word<T: FromStr<Err = UnknownWord>>(value: &Value, at: &FieldPath) -> Parsed<Option<T>> {
    let Some(word) = text(value, at)?.map(str::trim) else { return Ok(None) };
    word.parse().map(Some).map_err(|error| not_one_of(at, &error))
}

pub(super) fn path_type(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<PathType>>> {
    Ok(word(value, at)?.map(|kind| sourced(kind, at)))
}

pub(super) fn termination(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<Termination>>> {
    Ok(word(value, at)?.map(|kind| sourced(kind, at)))
}

/// Whether the value is the second of two words.
pub(super) fn second_of(value: &Value, at: &FieldPath, words: [&str; 2]) -> Parsed<Option<bool>> {
    let Some(word) = text(value, at)?.map(str::trim) else { return Ok(None) };
    let place = words.iter().position(|known| *known == word);
    place.map(|at| Some(at == 1)).ok_or_else(|| one(at, unknown_word(Code::SettingInvalid, word, &words)))
}

fn not_one_of(at: &FieldPath, error: &UnknownWord) -> Problems {
    one(at, unknown_word(Code::SettingInvalid, &error.found, error.words))
}

/// A word that is none of `words`.
pub(crate) fn unknown_word(code: Code, word: &str, words: &[&str]) -> Problem {
    let problem = Problem::new(code, format!("expected one of {}, found {}", words.join(", "), quoted(word)));
    match did_you_mean(word, words.iter().copied()) {
        Some(meant) => problem.help(format!("did you mean {meant}?")).propose(meant),
        None => problem.help(format!("write one of {}", words.join(", "))),
    }
}

/// The name of an object.
fn name(value: &Value, at: &FieldPath, problem: impl Fn(&str) -> Problem) -> Parsed<Option<Sourced<String>>> {
    let Some(name) = text(value, at)?.map(str::trim) else { return Ok(None) };
    if is_dns_subdomain(name) { Ok(Some(sourced(name.to_owned(), at))) } else { Err(one(at, problem(name))) }
}

pub(super) fn class_name(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<String>>> {
    name(value, at, class_problem)
}

/// A class that is not the name of an object.
pub(crate) fn class_problem(name: &str) -> Problem {
    object_problem(Code::ClassInvalid, name, "IngressClass")
}

/// What is not the name of an object of this kind.
pub(crate) fn object_problem(code: Code, name: &str, kind: &str) -> Problem {
    let article = if kind.starts_with('I') { "an" } else { "a" };
    Problem::new(code, format!("{} is not the name of {article} {kind}", quoted(name)))
        .help("write lower-case letters, digits, `-` and `.`")
}

/// An Issuer or a ClusterIssuer. A layer has one of them.
pub(super) fn issuer(layer: &mut Layer, value: &Value, at: &FieldPath, cluster: bool) -> Parsed<()> {
    let kind = if cluster { "ClusterIssuer" } else { "Issuer" };
    let Some(named) = name(value, at, |name| object_problem(Code::SettingInvalid, name, kind))? else {
        return Ok(());
    };
    if layer.issuer.is_some() {
        return Err(wrong(at, "both an issuer and a clusterIssuer are given", "keep one of the two"));
    }
    layer.issuer = Some(Sourced::new(Issuer { cluster, name: named.value }, named.origin));
    Ok(())
}

pub(super) fn targets(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<Vec<Target>>>> {
    let read = |word: &str, at: &FieldPath| word.trim().parse().map_err(|error| not_one_of(at, &error));
    let found = match value {
        Value::String(words) => words
            .split(',')
            .filter(|word| !word.trim().is_empty())
            .map(|word| read(word, at))
            .collect::<Parsed<Vec<_>>>()?,
        _ => list(value, at, "a target, or a list of targets", &|value, at| match value {
            Value::String(word) => read(word, at),
            other => Err(invalid(at, &format!("one of {}", Target::WORDS.join(", ")), other)),
        })?,
    };
    Ok(Some(sourced(found, at)).filter(|found| !found.value.is_empty()))
}

/// A list of hosts, each a DNS name or `*.` and one.
pub(super) fn hosts(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<Vec<String>>>> {
    let hosts = list(value, at, "a list of hosts", &|value, at| {
        let host = item(value, at, "host")?.trim();
        let errors = host_errors(host);
        if errors.iter().any(|error| *error != HostError::Uppercase) {
            let said = format!("{} is neither a host nor `*.` and a host", quoted(host));
            return Err(wrong(at, said, "write it as web.example.com or *.example.com"));
        }
        Ok(host.to_ascii_lowercase())
    })?;
    Ok(Some(sourced(hosts, at)))
}

/// A list of texts that are not empty.
pub(super) fn texts(value: &Value, at: &FieldPath, what: &str) -> Parsed<Vec<String>> {
    let expected = format!("a list of {what}s");
    list(value, at, &expected, &|value, at| item(value, at, what).map(|text| text.trim().to_owned()))
}

/// A list of prefixes of annotation keys, with their slashes.
pub(super) fn prefixes(value: &Value, at: &FieldPath) -> Parsed<Vec<Cow<'static, str>>> {
    list(value, at, "a list of prefixes", &|value, at| {
        let prefix = item(value, at, "prefix")?.trim();
        match prefix.strip_suffix('/').filter(|prefix| is_dns_subdomain(prefix)) {
            Some(_) => Ok(Cow::Owned(prefix.to_owned())),
            None => Err(wrong(
                at,
                format!("{} is not the prefix of an annotation", quoted(prefix)),
                "write a DNS name and a slash, such as external-dns.kubernetes.io/",
            )),
        }
    })
}

/// The entries of a mapping; what is wrong with one does not stop the others.
fn mapping(
    value: &Value,
    at: &FieldPath,
    // Without one copy of this function for each of its callers, the policy's module is smaller.
    read: &mut dyn FnMut(&str, &Value, FieldPath) -> Parsed<()>,
) -> Parsed<()> {
    let Value::Object(map) = value else { return Err(invalid(at, "a mapping", value)) };
    let mut problems = Vec::new();
    for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        problems.extend(read(key, value, at.clone().key(key.clone())).err().unwrap_or_default());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The keys of the setting `annotations` that are lists of patterns.
pub(super) const LISTS: [&str; 3] = ["deny", "allow", "acceptLoss"];

/// Annotations to give. `lists` are the keys whose value is a list of patterns, where there are any.
pub(super) fn annotations(
    layer: &mut Layer,
    value: &Value,
    at: &FieldPath,
    mut lists: Option<[(&str, &mut Patterns); 3]>,
) -> Parsed<()> {
    let mut found = Vec::new();
    let is_layer = lists.is_none();
    mapping(value, at, &mut |key, value, path| {
        match lists.iter_mut().flatten().find(|(name, _)| *name == key) {
            Some((_, list)) => **list = texts(value, &path, "pattern")?.into(),
            None if is_layer && value.is_array() && LISTS.contains(&key) => {
                let said = format!("the list {} is for everybody and cannot stand here", quoted(key));
                return Err(wrong(&path, said, "move it to the setting annotations at the top"));
            }
            None => found.push(annotation(key, value, path)?),
        }
        Ok(())
    })?;
    layer.annotations = found;
    Ok(())
}

/// What to do with an annotation that is for us and on a Service; `None` for those of others.
fn help_for_own(key: &str) -> Option<String> {
    if key == FORWARD_ANNOTATION {
        return Some("write each of its lines under the setting annotations".to_owned());
    }
    let name = match key.strip_prefix(CONFIG_PREFIX) {
        Some("Profile") => "defaultProfile",
        Some(name) => name,
        None if key == PUBLISH_KEY || key.starts_with(STAMP_PREFIX) => "",
        None => return None,
    };
    let setting = READERS.iter().find(|row| row.name.eq_ignore_ascii_case(name));
    Some(setting.map_or_else(|| "remove the key".to_owned(), |row| format!("set {} instead", row.name)))
}

fn annotation(key: &str, value: &Value, path: FieldPath) -> Parsed<DefaultAnnotation> {
    if let Some(error) = annotation_key_error(key) {
        let said = format!("{} is not an annotation key: {error}", quoted(key));
        return Err(wrong(&path, said, "write `key: value` with a key such as example.com/name"));
    }
    if key == CLASS_ANNOTATION {
        let said = format!("{} is the class, and not an annotation to give", quoted(key));
        return Err(wrong(&path, said, "set ingressClassName"));
    }
    if let Some(help) = help_for_own(key) {
        let said = format!("{} is for a Service, and says nothing on what is made of one", quoted(key));
        return Err(wrong(&path, said, help));
    }
    if let Value::String(value) = value {
        return Ok(DefaultAnnotation { key: key.to_owned(), value: value.clone(), path });
    }
    let Some(meant) = scalar(value) else { return Err(invalid(&path, "a text", value)) };
    let said = format!("expected a text, found {}", kind_of(value));
    let problem = Problem::new(Code::SettingInvalid, said).help("put quotes around it");
    Err(vec![(path, problem.propose(meant))])
}

/// Profiles by their names.
pub(super) fn profiles(value: &Value, at: &FieldPath, into: &mut Named<Profile>) -> Parsed<()> {
    mapping(value, at, &mut |key, value, path| {
        if !is_dns_subdomain(key) {
            let said = format!("{} is not the name of a profile", quoted(key));
            return Err(wrong(&path, said, "write lower-case letters, digits, `-` and `.`"));
        }
        let mut profile = Profile::default();
        layer(value, &path, &["namespaces"], &mut |own, value, at, name| {
            if name == "namespaces" {
                profile.namespaces = Some(namespace_patterns(value, at)?.into());
                return Ok(());
            }
            set(&mut profile.layer, own, value, at)
        })?;
        into.insert(key, profile);
        Ok(())
    })
}

/// What is neither a namespace nor a pattern of namespaces.
fn namespace_pattern(pattern: &str, at: &FieldPath) -> Parsed<()> {
    if is_dns_label(&pattern.replace('*', "x")) {
        return Ok(());
    }
    let said = format!("{} is neither a namespace nor a pattern of namespaces", quoted(pattern));
    Err(wrong(at, said, "write lower-case letters, digits, `-`, and `*` for any text"))
}

/// A list of namespaces or patterns.
fn namespace_patterns(value: &Value, at: &FieldPath) -> Parsed<Vec<String>> {
    list(value, at, "a list of namespaces", &|value, at| {
        let pattern = item(value, at, "namespace")?.trim();
        namespace_pattern(pattern, at)?;
        Ok(pattern.to_owned())
    })
}

/// Namespaces by their names or patterns.
pub(super) fn namespaces(value: &Value, at: &FieldPath, into: &mut Named<Namespace>) -> Parsed<()> {
    mapping(value, at, &mut |key, value, path| {
        namespace_pattern(key, &path)?;
        let mut namespace = Namespace::default();
        layer(value, &path, &["hosts", "profile"], &mut |own, value, at, name| {
            match name {
                "hosts" => namespace.hosts = hosts(value, at)?,
                "profile" => namespace.profile = profile_name(value, at)?,
                _ => set(&mut namespace.layer, own, value, at)?,
            }
            Ok(())
        })?;
        into.insert(key, namespace);
        Ok(())
    })
}

pub(super) fn profile_name(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<String>>> {
    Ok(text(value, at)?.map(|name| sourced(name.trim().to_owned(), at)))
}

/// What reads a setting into a layer.
pub(super) type Setter = fn(&mut Layer, &Value, &FieldPath) -> Parsed<()>;
/// What takes the settings of a layer, one by one.
type Taking<'t> = dyn FnMut(Option<Setter>, &Value, &FieldPath, &str) -> Parsed<()> + 't;

fn set(layer: &mut Layer, own: Option<Setter>, value: &Value, at: &FieldPath) -> Parsed<()> {
    own.map_or(Ok(()), |own| own(layer, value, at))
}

/// The settings of one layer; `more` are keys it has beside those of every layer.
fn layer(value: &Value, at: &FieldPath, more: &[&str], read: &mut Taking<'_>) -> Parsed<()> {
    mapping(value, at, &mut |key, value, path| {
        let row = READERS.iter().find(|row| row.name == key).and_then(|row| row.layered());
        if row.is_none() && !more.contains(&key) {
            if READERS.iter().any(|row| row.name == key) {
                let said = format!("the setting {} is for everybody and cannot stand here", quoted(key));
                return Err(wrong(&path, said, "move it to the top of the settings"));
            }
            let known = READERS.iter().filter(|row| row.layered().is_some()).map(|row| row.name);
            return Err(vec![(path, unknown(key, known.chain(more.iter().copied())))]);
        }
        read(row, value, &path, key)
    })
}

/// The Gateways of HTTPRoutes.
pub(super) fn parent_refs(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<Vec<ParentRef>>>> {
    let refs = list(value, at, "a list of Gateways", &parent_ref)?;
    if refs.len() > 32 {
        let said = format!("{} Gateways are listed, a route has at most 32", refs.len());
        return Err(wrong(at, said, "remove some of them"));
    }
    for (index, parent) in refs.iter().enumerate() {
        // The API server tells two references to one Gateway apart by their `sectionName`, and by nothing else.
        let is_told_apart = |other: &ParentRef| {
            parent.section_name.is_some()
                && other.section_name.is_some()
                && parent.section_name != other.section_name
        };
        let mut others = refs.iter().take(index).filter(|other| other.is_same_gateway(parent, None));
        if others.any(|other| !is_told_apart(other)) {
            let said = format!(
                "the Gateway {} is given twice without telling its listeners apart",
                quoted(&parent.name)
            );
            return Err(wrong(&at.clone().index(index), said, "add a `sectionName:` to each, or remove one"));
        }
    }
    Ok(Some(sourced(refs, at)))
}

/// Where `httpParentRefs` means a listener that `parentRefs` means, too: the first such entry.
pub(super) fn parents_overlap(layer: &Layer) -> Option<(FieldPath, Problem)> {
    overlap(layer.parent_refs.as_ref()?, layer.http_parent_refs.as_ref()?, None)
}

/// The annotations of a layer that say something else than its settings do. Across layers, the upper one counts.
pub(super) fn contradictions(layer: &Layer) -> Problems {
    let mut found = Vec::new();
    for given in &layer.annotations {
        let Some((prefix, name)) = given.key.split_once('/') else { continue };
        let setting = match (prefix, name) {
            ("cert-manager.io" | "certmanager.k8s.io", "issuer" | "cluster-issuer") => layer
                .issuer
                .as_ref()
                .filter(|it| it.value.cluster != (name == "cluster-issuer") || it.value.name != given.value)
                .map(|it| it.origin.path()),
            (
                "nginx.ingress.kubernetes.io" | "ingress.kubernetes.io",
                "ssl-redirect" | "force-ssl-redirect",
            ) => {
                let is_forced_by_default =
                    || layer.tls.as_ref().is_some_and(|tls| tls.value == Tls::LoadBalancer);
                layer
                    .https_redirect
                    .as_ref()
                    .filter(|it| parse_bool(&given.value) == Some(!it.value))
                    // Where there is a TLS section, requests are sent to https without being forced.
                    .filter(|it| !it.value || name == "ssl-redirect" || is_forced_by_default())
                    .map(|it| it.origin.path())
            }
            _ => None,
        };
        if let Some(setting) = setting {
            let said = format!(
                "{} contradicts {setting}",
                quoted(&[given.key.as_str(), ": ", given.value.as_str()].concat())
            );
            found.extend(wrong(&given.path, said, "keep one of the two"));
        }
    }
    found
}

/// The first listener that is meant by both lists, for a route in this namespace.
pub(crate) fn overlap(
    parents: &Sourced<Vec<ParentRef>>,
    http: &Sourced<Vec<ParentRef>>,
    namespace: Option<&str>,
) -> Option<(FieldPath, Problem)> {
    let with = |entry: &ParentRef| parents.value.iter().position(|it| it.overlaps(entry, namespace));
    let mut entries = http.value.iter().enumerate();
    let (index, entry, with) = entries.find_map(|(index, entry)| Some((index, entry, with(entry)?)))?;
    let said = format!(
        "a listener of the Gateway {} is meant by {}, too: plain HTTP would be served, or requests be redirected without end",
        quoted(&entry.name),
        parents.origin.path().index(with)
    );
    let help = "name different listeners by `sectionName:` in parentRefs and httpParentRefs";
    Some((http.origin.path().index(index), Problem::new(Code::ParentsOverlap, said).help(help)))
}

fn parent_ref(value: &Value, at: &FieldPath) -> Parsed<ParentRef> {
    let mut parent = ParentRef::default();
    mapping(value, at, &mut |key, value, path| {
        let text = |what: fn(&str) -> bool| {
            let text = item(value, &path, "name")?;
            if what(text) {
                return Ok(text.to_owned());
            }
            Err(wrong(
                &path,
                format!("{} is not a name", quoted(text)),
                "write lower-case letters, digits, `-` and `.`",
            ))
        };
        match key {
            "name" => parent.name = text(is_dns_subdomain)?,
            "namespace" => parent.namespace = Some(text(is_dns_label)?),
            "sectionName" => parent.section_name = Some(text(is_dns_subdomain)?),
            "group" => parent.group = Some(text(is_dns_subdomain)?),
            "kind" => parent.kind = Some(text(|kind| kind.bytes().all(|b| b.is_ascii_alphanumeric()))?),
            "port" => match value.as_u64().and_then(|port| u16::try_from(port).ok()) {
                Some(number) if number > 0 => parent.port = Some(number),
                _ => return Err(invalid(&path, "a port from 1 to 65535", value)),
            },
            other => {
                let known = ["name", "namespace", "sectionName", "group", "kind", "port"];
                let said = format!("a Gateway is not told by {}", quoted(other));
                let help = match did_you_mean(other, known) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => format!("write one of {}", known.join(", ")),
                };
                return Err(one(&path, Problem::new(Code::SettingUnknown, said).help(help)));
            }
        }
        Ok(())
    })?;
    if parent.name.is_empty() {
        return Err(wrong(at, "the Gateway has no name", "add `name:`"));
    }
    Ok(parent)
}

/// The options of the providers of a monitor. What is wrong with one does not stop the others.
pub(super) fn monitor_provider(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<Map<String, Value>>>> {
    let mut providers = Map::new();
    mapping(value, at, &mut |key, value, path| {
        let Some(provider) = PROVIDERS.iter().find(|it| it.name == key) else {
            return Err(vec![(path, unknown(key, PROVIDERS.iter().map(|it| it.name)))]);
        };
        let mut options = Map::new();
        mapping(value, &path, &mut |key, value, path| {
            let Some((_, kind)) = provider.options.iter().find(|(name, _)| *name == key) else {
                return Err(vec![(path, unknown(key, provider.options.iter().map(|(name, _)| *name)))]);
            };
            if let Some(error) = kind.error(value) {
                return Err(wrong(&path, error, "correct the value"));
            }
            if !value.is_null() {
                options.insert(key.to_owned(), value.clone());
            }
            Ok(())
        })?;
        if let Some(required) = provider.required
            && !options.contains_key(required)
        {
            return Err(wrong(&path, format!("`{required}` is missing"), format!("add `{required}:`")));
        }
        providers.insert(key.to_owned(), options.into());
        Ok(())
    })?;
    Ok(Some(sourced(providers, at)))
}

/// The path that a monitor asks for.
pub(super) fn health_endpoint(value: &Value, at: &FieldPath) -> Parsed<Option<Sourced<String>>> {
    let Some(path) = text(value, at)?.map(str::trim) else { return Ok(None) };
    if path.starts_with('/') {
        return Ok(Some(sourced(path.to_owned(), at)));
    }
    Err(wrong(at, format!("{} does not start with `/`", quoted(path)), format!("write /{path}")))
}
