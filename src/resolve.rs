//! Request and Settings and Service become a Draft: templates rendered, the port chosen, old keys translated.
//!
//! A draft is text: whether it is a host, a name or a path is for `check` to say.

use std::borrow::Cow;
use std::ops::Range;

use crate::diag::{Code, FieldPath, Problem, Report, shown};
use crate::input::{CONFIG_PREFIX, FORWARD_ANNOTATION, Service};
use crate::request::legacy::{self, Fate};
use crate::request::{Field, Request, annotation};
use crate::settings::{Legacy, NO_SECRET, Settings};
use crate::template::{Template, Vars};
use crate::value::{
    HostFlaw, MAX_COMMON_NAME, Origin, PathType, PortRef, Sourced, comparable_path, host_flaws,
    is_regex_path, sorted_by_key,
};

/// The key in the forwarded block that asks for the URL ConfigMap; its value is `locally` or `globally`.
/// [`Published`](crate::Published) has an example.
pub const PUBLISH_KEY: &str = "exposeIngressUrl";

/// Where the URL is published; the words are those of [`PUBLISH_KEY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `locally`: in the ConfigMap of the Service's namespace.
    Locally,
    /// `globally`: in the ConfigMap of every namespace. What is emitted reaches the namespaces of the plans at hand.
    Globally,
}

/// An exposure before it was checked. What could not be rendered is missing; its Error is in the report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft<'a> {
    pub(crate) domain: Option<Sourced<Cow<'a, str>>>,
    pub(crate) name: Option<Sourced<String>>,
    pub(crate) rules: Vec<DraftRule<'a>>,
    pub(crate) tls: bool,
    pub(crate) secret: Option<Sourced<String>>,
    pub(crate) port: Option<Sourced<PortRef>>,
    pub(crate) class: Option<Sourced<Cow<'a, str>>>,
    /// In ascending order of their keys.
    pub(crate) annotations: Vec<Annotation<'a>>,
    /// Where the URL is published, and the bytes in the block that say so.
    pub(crate) publish: Option<(Scope, Range<usize>)>,
}

/// One host and path.
#[derive(Clone, Debug)]
pub(crate) struct DraftRule<'a> {
    pub(crate) host: String,
    pub(crate) path: Cow<'a, str>,
    pub(crate) path_type: PathType,
    pub(crate) host_origin: Origin,
    pub(crate) path_origin: Origin,
    /// The template the host came from, after unescaping.
    pub(crate) template: Cow<'a, str>,
    /// Whether that is letter by letter the text the user wrote.
    pub(crate) verbatim: bool,
}

/// An annotation of the Ingress, taken from the forwarded block.
///
/// ```
/// # use serde_json::json;
/// # use xposer::{FORWARD_ANNOTATION, Service, Settings, expose};
/// let block = "ingress.kubernetes.io/rewrite-target: /";
/// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "a.example.com", FORWARD_ANNOTATION: block}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// let outcome = expose(&Service::from_value(&service), &Settings::default());
/// let forwarded = outcome.plan().and_then(|plan| plan.ingress.annotations.first());
/// assert!(forwarded.is_some_and(|it| it.key == "nginx.ingress.kubernetes.io/rewrite-target" && it.value == "/"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Annotation<'a> {
    /// The key: as it was written, or its successor where it was translated.
    pub key: Cow<'a, str>,
    /// The value.
    pub value: &'a str,
    /// The bytes of the key in the block.
    pub(crate) key_range: Range<usize>,
}

/// A template and who wrote it.
#[derive(Clone, Copy)]
struct Chosen<'x, 'a> {
    template: &'x Template<'a>,
    origin: Who<'x>,
}

#[derive(Clone, Copy)]
enum Who<'x> {
    Annotation(&'static str),
    Sourced(&'x Origin),
}

impl Who<'_> {
    fn origin(self) -> Origin {
        match self {
            Self::Annotation(key) => Origin::Annotation(key.into()),
            Self::Sourced(origin) => origin.clone(),
        }
    }
}

/// The Service's template, else the setting's; `None` where neither gives a usable one.
fn choose<'x, 'a>(
    asked: &'x Field<Template<'a>>,
    key: &'static str,
    setting: Option<&'x Sourced<Template<'static>>>,
) -> Option<Chosen<'x, 'a>> {
    match asked {
        Field::Set(template) => Some(Chosen { template, origin: Who::Annotation(key) }),
        Field::Broken => None,
        Field::Unset => {
            setting.map(|sourced| Chosen { template: &sourced.value, origin: Who::Sourced(&sourced.origin) })
        }
    }
}

/// Resolves a request.
pub(crate) fn resolve<'a>(
    service: &Service<'a>,
    settings: &Settings,
    request: &Request<'a>,
    report: &mut Report,
) -> Draft<'a> {
    let domain = domain(service, settings, request, report);
    let vars = Vars {
        // A missing name is an Error already; what is rendered from it must not become more of them.
        service: Some(service.name()).filter(|name| !name.is_empty()).unwrap_or("unnamed"),
        namespace: service.namespace(),
        domain: domain.as_ref().map(|domain| domain.value.as_ref()),
    };
    let mut resolver = Resolver { settings, request, vars, report };
    let mut draft = Draft { tls: resolver.tls(), ..Draft::default() };
    draft.name = resolver.one(choose(&request.name, annotation::NAME, Some(&settings.name)));
    draft.rules = resolver.rules(draft.tls);
    if draft.tls {
        draft.secret = resolver.secret(draft.name.as_ref());
    }
    draft.port = resolver.port(service);
    resolver.forward(&mut draft);
    draft.domain = domain;
    draft
}

/// The value of `{{.Domain}}`.
fn domain<'a>(
    service: &Service<'a>,
    settings: &Settings,
    request: &Request<'a>,
    report: &mut Report,
) -> Option<Sourced<Cow<'a, str>>> {
    // Stands in for a domain that cannot be had, so that the other templates do not complain about it as well. There
    // is an Error already, so it is never planned.
    const STAND_IN: Sourced<Cow<'_, str>> =
        Sourced { value: Cow::Borrowed("domain.invalid"), origin: Origin::BuiltIn };
    if matches!(request.domain, Field::Broken) {
        return Some(STAND_IN);
    }
    let chosen = choose(&request.domain, annotation::DOMAIN, settings.domain.as_ref())?;
    let vars = Vars { service: service.name(), namespace: service.namespace(), domain: None };
    let rendered = match chosen.template.literal() {
        Some(text) => Ok(text),
        None => chosen.template.render(&vars).map(Cow::Owned),
    };
    match rendered {
        Ok(text) if text.is_empty() => None,
        Ok(text) => Some(Sourced::new(text, chosen.origin.origin())),
        Err(mut problem) => {
            if problem.code == Code::TemplateValueMissing && service.namespace().is_some() {
                problem.message = "the domain cannot be made of itself".to_owned();
                problem.help = Some("write the domain without {{.Domain}}".to_owned());
            }
            file(report, chosen, problem);
            Some(STAND_IN)
        }
    }
}

fn file(report: &mut Report, chosen: Chosen<'_, '_>, mut problem: Problem) {
    let origin = chosen.origin.origin();
    if origin == Origin::BuiltIn {
        // Nobody wrote the template: its bytes mean nothing at the place that is accused, so it is shown instead.
        problem.range = None;
        let shown = format!("the built-in template {}", shown(chosen.template.text()));
        problem.message = problem.message.replacen("the template", &shown, 1);
    }
    report.file(origin.path(), problem);
}

struct Resolver<'v, 'a> {
    settings: &'v Settings,
    request: &'v Request<'a>,
    vars: Vars<'v>,
    report: &'v mut Report,
}

impl<'a> Resolver<'_, 'a> {
    fn one(&mut self, chosen: Option<Chosen<'_, '_>>) -> Option<Sourced<String>> {
        let chosen = chosen?;
        match chosen.template.render(&self.vars) {
            Ok(text) => Some(Sourced::new(text, chosen.origin.origin())),
            Err(problem) => {
                file(self.report, chosen, problem);
                None
            }
        }
    }

    fn tls(&self) -> bool {
        match self.request.tls {
            Field::Set(value) => value,
            Field::Unset | Field::Broken => self.settings.tls,
        }
    }

    fn secret(&mut self, name: Option<&Sourced<String>>) -> Option<Sourced<String>> {
        if matches!(self.request.secret, Field::Broken) {
            return None;
        }
        match choose(&self.request.secret, annotation::SECRET, self.settings.secret.as_ref()) {
            Some(chosen) => match self.one(Some(chosen))? {
                rendered if rendered.value == NO_SECRET => self.default_secret(name),
                rendered => Some(rendered),
            },
            None => self.default_secret(name),
        }
    }

    fn default_secret(&self, name: Option<&Sourced<String>>) -> Option<Sourced<String>> {
        name.map(|name| Sourced::new(format!("{}-cert", name.value), name.origin.clone()))
    }

    fn rules(&mut self, tls: bool) -> Vec<DraftRule<'a>> {
        let path = self.path(choose(&self.request.path, annotation::PATH, Some(&self.settings.path)));
        let Some(url) = choose(&self.request.url, annotation::URL, Some(&self.settings.url)) else {
            return Vec::new();
        };
        let items = match url.template.render_list(&self.vars) {
            Ok(items) => items,
            Err(problem) => {
                file(self.report, url, problem);
                return Vec::new();
            }
        };
        if items.is_empty() {
            let problem =
                Problem::new(Code::HostMissing, "the URL template renders to nothing, so there is no host");
            file(self.report, url, problem.help("write a host, for example {{.Service}}.{{.Domain}}"));
        }
        let mut rules: Vec<DraftRule<'a>> = Vec::with_capacity(items.len());
        for item in items {
            let rule = self.rule(item, &path, url);
            let rule = self.shortened(rule, tls, &path);
            let own = comparable_path(&rule.path, rule.path_type);
            let is_same = |known: &&DraftRule<'_>| {
                known.host == rule.host && comparable_path(&known.path, known.path_type) == own
            };
            if let Some(same) = rules.iter().find(is_same) {
                let said =
                    format!("two URL templates give {}", shown(&format!("{}{}", same.host, same.path)));
                file(self.report, url, Problem::new(Code::HostRepeated, said).help("remove one of them"));
                continue;
            }
            rules.push(rule);
        }
        rules
    }

    /// The path that is asked for, with its slash.
    fn path(&mut self, chosen: Option<Chosen<'_, 'a>>) -> Sourced<Cow<'a, str>> {
        let literal = chosen.and_then(|chosen| Some((chosen.template.literal()?, chosen.origin)));
        let (text, origin) = match literal {
            Some((text, who)) => (text, who.origin()),
            None => match self.one(chosen) {
                Some(rendered) => (Cow::Owned(rendered.value), rendered.origin),
                None => (Cow::Borrowed("/"), Origin::BuiltIn),
            },
        };
        let text = if text.starts_with('/') { text } else { Cow::Owned(format!("/{text}")) };
        Sourced::new(text, origin)
    }

    fn rule(&self, mut item: String, path: &Sourced<Cow<'a, str>>, url: Chosen<'_, 'a>) -> DraftRule<'a> {
        let host_origin = url.origin.origin();
        let url_path = split_url(&mut item);
        // The path in the URL counts only where no other path is asked for.
        let (path, path_origin) = match url_path {
            Some(url_path) if path.value == "/" => (Cow::Owned(url_path), host_origin.clone()),
            _ => (path.value.clone(), path.origin.clone()),
        };
        let path_type = match self.request.path_type {
            Field::Set(kind) => kind,
            _ => self.settings.path_type.unwrap_or(if is_regex_path(&path) {
                PathType::ImplementationSpecific
            } else {
                PathType::Prefix
            }),
        };
        DraftRule {
            host: item,
            path,
            path_type,
            host_origin,
            path_origin,
            template: url.template.shared_text(),
            verbatim: url.template.is_verbatim() && !matches!(url.origin, Who::Sourced(Origin::BuiltIn)),
        }
    }

    /// The rule, or the first fallback that fits where its host is too long.
    fn shortened(&mut self, rule: DraftRule<'a>, tls: bool, path: &Sourced<Cow<'a, str>>) -> DraftRule<'a> {
        if self.settings.fallbacks.is_empty() {
            return rule;
        }
        let Some(why) = self.too_long(&rule.host, tls) else { return rule };
        for fallback in &self.settings.fallbacks {
            let chosen = Chosen { template: &fallback.value, origin: Who::Sourced(&fallback.origin) };
            let item = match chosen.template.render(&self.vars) {
                Ok(item) => item,
                Err(problem) => {
                    file(self.report, chosen, problem);
                    return rule;
                }
            };
            let mut shorter = self.rule(item, path, chosen);
            if self.too_long(&shorter.host, tls).is_none() {
                let said = format!(
                    "the host {} {why}, so {} of {} is used: {}",
                    shown(&rule.host),
                    shown(fallback.value.text()),
                    fallback.origin.path(),
                    shown(&shorter.host),
                );
                self.report.file(
                    rule.host_origin.path(),
                    Problem::new(Code::HostFallback, said)
                        .help("shorten the template to choose the host yourself"),
                );
                // The path that stood in the first URL stays.
                if rule.path_origin == rule.host_origin && shorter.path == "/" {
                    shorter.path = rule.path;
                    shorter.path_origin = rule.path_origin;
                    shorter.path_type = rule.path_type;
                }
                return shorter;
            }
        }
        rule
    }

    fn too_long(&self, host: &str, tls: bool) -> Option<String> {
        for flaw in host_flaws(host) {
            match flaw {
                HostFlaw::LabelTooLong(range) => {
                    return Some(format!("has a part of {} characters, DNS allows 63", range.len()));
                }
                HostFlaw::TooLong => return Some(format!("has {} characters, DNS allows 253", host.len())),
                _ => {}
            }
        }
        (tls && self.settings.common_name && host.len() > MAX_COMMON_NAME)
            .then(|| format!("has {} characters, a common name holds {MAX_COMMON_NAME}", host.len()))
    }

    fn port(&mut self, service: &Service<'_>) -> Option<Sourced<PortRef>> {
        match &self.request.port {
            Field::Broken => return None,
            Field::Set(port) => {
                return Some(Sourced::new(port.clone(), Origin::Annotation(annotation::PORT.into())));
            }
            Field::Unset => {}
        }
        if let Some(port) = &self.settings.port {
            return Some(Sourced::new(port.clone(), Origin::Setting("servicePort", None)));
        }
        let first = service.ports().first()?;
        if service.ports().len() > 1 && first.number != 0 {
            let said = format!(
                "the Service has {} ports, the first one ({}) is used",
                service.ports().len(),
                first.number
            );
            self.report.file(
                FieldPath::object(&["spec", "ports"]),
                Problem::new(Code::PortFirst, said)
                    .help(format!("choose one with the annotation {}", annotation::PORT)),
            );
        }
        Some(Sourced::new(PortRef::Number(first.number), Origin::BuiltIn))
    }

    fn forward(&mut self, draft: &mut Draft<'a>) {
        let mut class = match self.request.class {
            Field::Set(name) => {
                Some(Sourced::new(Cow::Borrowed(name), Origin::Annotation(annotation::CLASS.into())))
            }
            Field::Unset | Field::Broken => None,
        };
        let translate = self.settings.legacy == Legacy::Translate;
        let mut block_class = false;
        draft.annotations.reserve(self.request.block.lines().len());
        for line in self.request.block.lines() {
            let at = line.key_range.clone();
            if line.key == PUBLISH_KEY {
                let place = line.key_range.start..line.value_range.end;
                draft.publish = self.scope(line.value, line.value_range.clone()).map(|scope| (scope, place));
                if translate {
                    continue;
                }
            }
            if line.key.starts_with(CONFIG_PREFIX) || line.key == FORWARD_ANNOTATION {
                let said = format!("{} has no effect inside the forwarded block", shown(line.key));
                let problem = Problem::new(Code::ForwardOwnKey, said);
                self.block(problem.help("move the line to the annotations of the Service").at(at.clone()));
            }
            let row = legacy::find(line.key);
            if matches!(row, Some(row) if row.fate == Fate::Class) {
                block_class = true;
                if line.value.is_empty() {
                    let said = "the ingress class is empty and counts as not set";
                    let problem =
                        Problem::new(Code::AnnotationEmpty, said).help("name a class or remove the line");
                    self.block(problem.at(at));
                    continue;
                }
                match &class {
                    Some(own) if own.value != line.value => {
                        self.class_conflict(&own.value, line.value, line.value_range.clone());
                    }
                    _ if translate => self.translated(line.key, "spec.ingressClassName", at.clone()),
                    _ => {}
                }
                if translate {
                    let origin = Origin::Annotation(FORWARD_ANNOTATION.into());
                    class = class.or_else(|| Some(Sourced::new(Cow::Borrowed(line.value), origin)));
                    continue;
                }
            }
            let key = match row {
                Some(row) if translate => self.successor(line.key, row.fate, at.clone()),
                _ => Some(Cow::Borrowed(line.key)),
            };
            let Some(key) = key else { continue };
            let renamed = key.as_ref() != line.key;
            if renamed && self.request.block.contains(&key) {
                let said = format!("{} is given, too, and counts", shown(&key));
                self.block(
                    Problem::new(Code::LegacyShadowed, said).help(format!("remove {}", line.key)).at(at),
                );
                continue;
            }
            if renamed {
                self.translated(line.key, &key, at.clone());
            }
            draft.annotations.push(Annotation { key, value: line.value, key_range: at });
        }
        draft.annotations = sorted_by_key(std::mem::take(&mut draft.annotations), |it| &it.key);
        // In forward mode the block's class annotation stays, and a field beside it could contradict it.
        draft.class = match &self.settings.class {
            Some(name) if class.is_none() && !block_class && !matches!(self.request.class, Field::Broken) => {
                Some(Sourced::new(Cow::Owned(name.clone()), Origin::Setting("ingressClassName", None)))
            }
            _ => class,
        };
    }

    fn scope(&mut self, value: &str, range: Range<usize>) -> Option<Scope> {
        match value {
            "locally" => Some(Scope::Locally),
            "globally" => Some(Scope::Globally),
            other => {
                let said =
                    format!("expected locally or globally, found {}; the URL is not published", shown(other));
                let help = match other.to_ascii_lowercase().as_str() {
                    word @ ("locally" | "globally") => {
                        format!("write it in lower case: {PUBLISH_KEY}: {word}")
                    }
                    _ => format!("write `{PUBLISH_KEY}: locally` or `{PUBLISH_KEY}: globally`"),
                };
                self.block(Problem::new(Code::ForwardScopeUnknown, said).help(help).at(range));
                None
            }
        }
    }

    fn class_conflict(&mut self, own: &str, block: &str, range: Range<usize>) {
        let said = format!("the class {} contradicts {} in {}", shown(block), shown(own), annotation::CLASS);
        self.block(Problem::new(Code::ClassConflict, said).help("keep one of the two").at(range));
    }

    fn translated(&mut self, old: &str, new: &str, at: Range<usize>) {
        let said = ["`", old, "` was translated to `", new, "`"].concat();
        self.block(Problem::new(Code::LegacyTranslated, said).at(at));
    }

    /// The key that is read today; `None` where there is none.
    fn successor<'k>(&mut self, key: &'k str, fate: Fate, at: Range<usize>) -> Option<Cow<'k, str>> {
        match fate {
            Fate::Renamed(new) => Some(Cow::Borrowed(new)),
            Fate::Moved(prefix) => {
                let name = key.split_once('/').map_or("", |(_, name)| name);
                Some(Cow::Owned([prefix, name].concat()))
            }
            Fate::Dropped(why) => {
                let said = format!("{} was dropped: {why}", shown(key));
                self.block(Problem::new(Code::LegacyDropped, said).help("remove the line").at(at));
                None
            }
            Fate::Dead(why) => {
                let said = format!("no current program reads {}: {why}", shown(key));
                let help = "remove the line, and use what is read today";
                self.block(Problem::new(Code::LegacyDead, said).help(help).at(at));
                Some(Cow::Borrowed(key))
            }
            Fate::Class => Some(Cow::Borrowed(key)),
        }
    }

    /// Files a finding about the forwarded block.
    fn block(&mut self, problem: Problem) {
        self.report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem);
    }
}

/// Takes the path off a rendered URL, which leaves the host. A scheme stays with the host, for `check` to refuse.
fn split_url(url: &mut String) -> Option<String> {
    let mut slash = url.bytes().position(|b| b == b'/')?;
    if url.get(..slash)?.ends_with(':') && url.get(slash..)?.starts_with("//") {
        slash += 2 + url.get(slash + 2..)?.find('/')?;
    }
    let path = url.split_off(slash);
    url.truncate(url.trim_end().len());
    Some(path)
}
