//! Request and Settings and Service become a Draft: templates rendered, the port chosen, old keys translated.
//!
//! A draft is text: whether it is a host, a name or a path is for `check` to say.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::diag::{Code, FieldPath, Problem, Report, shown};
use crate::input::{FORWARD_ANNOTATION, Service};
use crate::request::legacy::{self, Fate};
use crate::request::{Field, Request, annotation};
use crate::settings::{Legacy, NO_SECRET, Settings};
use crate::template::{Template, Vars};
use crate::value::{
    HostFlaw, MAX_COMMON_NAME, Origin, PathType, PortRef, Sourced, host_flaws, is_regex_path,
};

/// The key in the forwarded block that asks for the URL ConfigMap.
pub const PUBLISH_KEY: &str = "exposeIngressUrl";

/// Where the URL is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In the ConfigMap of the Service's namespace.
    Locally,
    /// In the ConfigMap of every namespace.
    Globally,
}

/// An exposure before it was checked. What could not be rendered is missing; its Error is in the report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) name: Option<Sourced<String>>,
    pub(crate) rules: Vec<DraftRule>,
    pub(crate) tls: bool,
    pub(crate) secret: Option<Sourced<String>>,
    pub(crate) port: Option<Sourced<PortRef>>,
    pub(crate) class: Option<Sourced<String>>,
    pub(crate) annotations: BTreeMap<String, Forwarded>,
    pub(crate) publish: Option<Scope>,
}

/// One host and path.
#[derive(Clone, Debug)]
pub(crate) struct DraftRule {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) path_type: PathType,
    pub(crate) host_origin: Origin,
    pub(crate) path_origin: Origin,
    /// The template the host came from, after unescaping.
    pub(crate) template: String,
    /// Whether that is letter by letter the text the user wrote.
    pub(crate) verbatim: bool,
}

/// A forwarded annotation.
#[derive(Clone, Debug)]
pub(crate) struct Forwarded {
    pub(crate) value: String,
    /// The bytes of the key in the block.
    pub(crate) key_range: Range<usize>,
}

/// A template and who wrote it.
#[derive(Clone, Copy)]
struct Chosen<'x> {
    template: &'x Template<'x>,
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
fn choose<'x>(
    asked: &'x Field<Template<'x>>,
    key: &'static str,
    setting: Option<&'x Sourced<Template<'static>>>,
) -> Option<Chosen<'x>> {
    match asked {
        Field::Set(template) => Some(Chosen { template, origin: Who::Annotation(key) }),
        Field::Broken => None,
        Field::Unset => {
            setting.map(|sourced| Chosen { template: &sourced.value, origin: Who::Sourced(&sourced.origin) })
        }
    }
}

/// Resolves a request.
pub(crate) fn resolve(
    service: &Service<'_>,
    settings: &Settings,
    request: &Request<'_>,
    report: &mut Report,
) -> Draft {
    let domain = domain(service, settings, request, report);
    let vars = Vars { service: service.name(), namespace: service.namespace(), domain: domain.as_deref() };
    let mut resolver = Resolver { settings, request, vars, report };
    let mut draft = Draft { tls: resolver.tls(), ..Draft::default() };
    draft.name = resolver.one(choose(&request.name, annotation::NAME, Some(&settings.name)));
    draft.rules = resolver.rules(draft.tls);
    if draft.tls {
        draft.secret = resolver.secret(draft.name.as_ref());
    }
    draft.port = resolver.port(service);
    resolver.forward(&mut draft);
    draft
}

/// The value of `{{.Domain}}`.
fn domain<'d>(
    service: &Service<'_>,
    settings: &'d Settings,
    request: &'d Request<'_>,
    report: &mut Report,
) -> Option<Cow<'d, str>> {
    // Stands in for a domain that cannot be had, so that the other templates do not complain about it as well. There
    // is an Error already, so it is never planned.
    const STAND_IN: Cow<'_, str> = Cow::Borrowed("domain.invalid");
    if matches!(request.domain, Field::Broken) {
        return Some(STAND_IN);
    }
    let chosen = choose(&request.domain, annotation::DOMAIN, settings.domain.as_ref())?;
    let vars = Vars { service: service.name(), namespace: service.namespace(), domain: None };
    match chosen.template.render(&vars) {
        Ok(text) if text.is_empty() => None,
        Ok(text) => Some(Cow::Owned(text)),
        Err(problem) => {
            file(report, chosen.origin, problem);
            Some(STAND_IN)
        }
    }
}

fn file(report: &mut Report, who: Who<'_>, problem: Problem) {
    let origin = who.origin();
    // A built-in template is not text the user wrote: its bytes mean nothing at the place that is accused.
    let problem = if origin == Origin::BuiltIn { Problem { range: None, ..problem } } else { problem };
    report.file(origin.path(), problem);
}

struct Resolver<'r, 'a> {
    settings: &'r Settings,
    request: &'r Request<'a>,
    vars: Vars<'r>,
    report: &'r mut Report,
}

impl Resolver<'_, '_> {
    fn one(&mut self, chosen: Option<Chosen<'_>>) -> Option<Sourced<String>> {
        let chosen = chosen?;
        match chosen.template.render(&self.vars) {
            Ok(text) => Some(Sourced::new(text, chosen.origin.origin())),
            Err(problem) => {
                file(self.report, chosen.origin, problem);
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
            Some(chosen) if chosen.template.text().trim() != NO_SECRET => self.one(Some(chosen)),
            _ => name.map(|name| Sourced::new(format!("{}-cert", name.value), name.origin.clone())),
        }
    }

    fn rules(&mut self, tls: bool) -> Vec<DraftRule> {
        let path = self.one(choose(&self.request.path, annotation::PATH, Some(&self.settings.path)));
        let path = path.unwrap_or_else(|| Sourced::new("/".to_owned(), Origin::BuiltIn));
        let Some(url) = choose(&self.request.url, annotation::URL, Some(&self.settings.url)) else {
            return Vec::new();
        };
        let items = match url.template.render_list(&self.vars) {
            Ok(items) => items,
            Err(problem) => {
                file(self.report, url.origin, problem);
                return Vec::new();
            }
        };
        if items.is_empty() {
            let problem =
                Problem::new(Code::HostMissing, "the URL template renders to nothing, so there is no host");
            file(self.report, url.origin, problem.help("write a host, for example {{.Service}}.{{.Domain}}"));
        }
        let mut rules: Vec<DraftRule> = Vec::with_capacity(items.len());
        for item in items {
            let rule = self.rule(&item, &path, url);
            let rule = self.shortened(rule, tls, &path);
            if let Some(same) = rules.iter().find(|known| known.host == rule.host && known.path == rule.path)
            {
                let said = format!("two URL templates give {}{}", same.host, same.path);
                file(
                    self.report,
                    url.origin,
                    Problem::new(Code::HostRepeated, said).help("remove one of them"),
                );
                continue;
            }
            rules.push(rule);
        }
        rules
    }

    fn rule(&self, item: &str, path: &Sourced<String>, url: Chosen<'_>) -> DraftRule {
        let (host, url_path) = split_url(item);
        let host_origin = url.origin.origin();
        // The path in the URL counts only where no other path is asked for.
        let (path, path_origin) = match (with_slash(&path.value), url_path) {
            (own, Some(url_path)) if own == "/" => (url_path.to_owned(), host_origin.clone()),
            (own, _) => (own, path.origin.clone()),
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
            host: host.to_owned(),
            path,
            path_type,
            host_origin,
            path_origin,
            template: url.template.text().to_owned(),
            verbatim: url.template.is_verbatim() && !matches!(url.origin, Who::Sourced(Origin::BuiltIn)),
        }
    }

    /// The rule, or the first fallback that fits where its host is too long.
    fn shortened(&mut self, rule: DraftRule, tls: bool, path: &Sourced<String>) -> DraftRule {
        if self.settings.fallbacks.is_empty() {
            return rule;
        }
        let Some(why) = self.too_long(&rule.host, tls) else { return rule };
        for fallback in &self.settings.fallbacks {
            let chosen = Chosen { template: &fallback.value, origin: Who::Sourced(&fallback.origin) };
            let item = match chosen.template.render(&self.vars) {
                Ok(item) => item,
                Err(problem) => {
                    file(self.report, chosen.origin, problem);
                    return rule;
                }
            };
            let mut shorter = self.rule(&item, path, chosen);
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
        if service.ports().len() > 1 {
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

    fn forward(&mut self, draft: &mut Draft) {
        let mut class = match self.request.class {
            Field::Set(name) => {
                Some(Sourced::new(name.to_owned(), Origin::Annotation(annotation::CLASS.into())))
            }
            Field::Unset | Field::Broken => None,
        };
        let translate = self.settings.legacy == Legacy::Translate;
        let mut block_class = false;
        for line in &self.request.lines {
            let at = line.key_range.clone();
            if line.key == PUBLISH_KEY {
                draft.publish = self.scope(line.value, line.value_range.clone());
                if translate {
                    continue;
                }
            }
            let row = legacy::find(line.key);
            if matches!(row, Some(row) if row.fate == Fate::Class) {
                block_class = true;
                if let Some(own) = &class {
                    self.class_conflict(&own.value, line.value, line.value_range.clone());
                }
                if translate {
                    self.translated(line.key, "spec.ingressClassName", at);
                    let origin = Origin::Annotation(FORWARD_ANNOTATION.into());
                    class = class.or_else(|| Some(Sourced::new(line.value.to_owned(), origin)));
                    continue;
                }
            }
            let key = match row {
                Some(row) if translate => self.successor(line.key, row.fate, at.clone()),
                _ => Some(Cow::Borrowed(line.key)),
            };
            let Some(key) = key else { continue };
            let renamed = key.as_ref() != line.key;
            if renamed && self.request.lines.iter().any(|other| other.key == key) {
                let said = format!("{} is given, too, and counts", shown(&key));
                self.report.file(
                    FieldPath::annotation(FORWARD_ANNOTATION),
                    Problem::new(Code::LegacyShadowed, said).help(format!("remove {}", line.key)).at(at),
                );
                continue;
            }
            if renamed {
                self.translated(line.key, &key, at.clone());
            }
            draft
                .annotations
                .insert(key.into_owned(), Forwarded { value: line.value.to_owned(), key_range: at });
        }
        // In forward mode the block's class annotation stays, and a field beside it could contradict it.
        draft.class = match &self.settings.class {
            Some(name) if class.is_none() && !block_class && !matches!(self.request.class, Field::Broken) => {
                Some(Sourced::new(name.clone(), Origin::Setting("ingressClassName", None)))
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
                self.report.file(
                    FieldPath::annotation(FORWARD_ANNOTATION),
                    Problem::new(Code::ForwardScopeUnknown, said).help(help).at(range),
                );
                None
            }
        }
    }

    fn class_conflict(&mut self, own: &str, block: &str, range: Range<usize>) {
        if own == block {
            return;
        }
        let said = format!("the class {} contradicts {} in {}", shown(block), shown(own), annotation::CLASS);
        self.report.file(
            FieldPath::annotation(FORWARD_ANNOTATION),
            Problem::new(Code::ClassConflict, said).help("keep one of the two").at(range),
        );
    }

    fn translated(&mut self, old: &str, new: &str, at: Range<usize>) {
        self.report.file(
            FieldPath::annotation(FORWARD_ANNOTATION),
            Problem::new(Code::LegacyTranslated, format!("`{old}` was translated to `{new}`")).at(at),
        );
    }

    /// The key that is read today; `None` where there is none.
    fn successor<'k>(&mut self, key: &'k str, fate: Fate, at: Range<usize>) -> Option<Cow<'k, str>> {
        match fate {
            Fate::Renamed(new) => Some(Cow::Borrowed(new)),
            Fate::Moved(prefix) => {
                let name = key.split_once('/').map_or("", |(_, name)| name);
                Some(Cow::Owned(format!("{prefix}{name}")))
            }
            Fate::Dropped(why) => {
                self.legacy(Code::LegacyDropped, format!("{} was dropped: {why}", shown(key)), at);
                None
            }
            Fate::Dead(why) => {
                self.legacy(Code::LegacyDead, format!("no current program reads {}: {why}", shown(key)), at);
                Some(Cow::Borrowed(key))
            }
            Fate::Class => Some(Cow::Borrowed(key)),
        }
    }

    fn legacy(&mut self, code: Code, said: String, at: Range<usize>) {
        let problem = Problem::new(code, said).help("remove the line").at(at);
        self.report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem);
    }
}

/// A rendered URL as host and path. A scheme stays with the host, for `check` to refuse.
fn split_url(item: &str) -> (&str, Option<&str>) {
    let from = item.find("://").map_or(0, |at| at + 3);
    match item.get(from..).and_then(|rest| rest.find('/')) {
        Some(slash) => match item.split_at_checked(from + slash) {
            Some((host, path)) => (host.trim_end(), Some(path)),
            None => (item, None),
        },
        None => (item, None),
    }
}

fn with_slash(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}
