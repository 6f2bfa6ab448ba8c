//! Request and Settings and Service become a Draft: templates rendered, the port chosen, old keys translated.
//!
//! A draft is text: whether it is a host, a name or a path is for `check` to say.

mod forward;
mod monitor;
pub(crate) mod trace;
mod url;

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};

use crate::diagnostics::{Code, FieldPath, Origin, Problem, Report, Segment, Sourced, listed, quoted};
use crate::dialect::nginx::paths::Nginx;
use crate::options::annotations::{Field, Request, annotation};
use crate::options::{DEFAULT_NAME, Issuer, Layers, NO_SECRET, Settings, Target, Tls, Tpl};
use crate::service::{FORWARD_ANNOTATION, PortRef, Service};
use crate::template::{Template, Vars};
use crate::validation::{PathType, is_dns_subdomain};
pub(crate) use forward::{ALIASES, FOREIGN_ISSUER, contradicts, is_read_here};

/// The key in the forwarded block that asks for the URL ConfigMap; its value is `locally` or `globally`.
/// [`Published`](crate::Published) has an example.
pub const PUBLISH_KEY: &str = crate::options::block::PUBLISH_KEY;

/// The value of ExternalDNS's annotation `controller` on an object that helps another one: any but `dns-controller` makes
/// ExternalDNS skip the object (ExternalDNS 0.22, `IsControllerMismatch`).
pub(crate) const DNS_CONTROLLER: &str = "none";

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
    pub(crate) tls: Option<Sourced<Tls>>,
    pub(crate) secret: Option<Sourced<String>>,
    /// Whether the secret's name was made of the object's.
    pub(crate) secret_is_derived: bool,
    pub(crate) issuer: Option<Sourced<Issuer>>,
    /// Whether anybody names an issuer, be it one that cannot be.
    pub(crate) names_issuer: bool,
    /// Whether the issuer takes the place of an annotation of a layer below, which is for all that have a secret.
    pub(crate) replaces_issuer: bool,
    pub(crate) https_redirect: Option<Sourced<bool>>,
    pub(crate) port: Option<Sourced<PortRef>>,
    pub(crate) class: Option<Sourced<Cow<'a, str>>>,
    pub(crate) targets: Vec<Target>,
    pub(crate) targets_origin: Origin,
    pub(crate) canary: Option<Canary<'a>>,
    /// Whether something is said about the canary's share that cannot be, and is told already.
    pub(crate) canary_is_broken: bool,
    pub(crate) monitor: Option<Sourced<Monitor>>,
    /// In ascending order of their keys.
    pub(crate) annotations: Vec<Annotation<'a>>,
    /// Where the URL is published, and the bytes in the block that say so.
    pub(crate) publish: Option<(Scope, Range<usize>)>,
}

impl Draft<'_> {
    pub(crate) fn tls(&self) -> Tls {
        self.tls.as_ref().map(|tls| tls.value).unwrap_or_default()
    }

    /// The class of the Ingress: that of the field, or that of the annotation where old keys are passed on.
    pub(crate) fn class_name(&self) -> Option<&str> {
        crate::dialect::nginx::paths::class_of(
            self.class.as_ref().map(|class| class.value.as_ref()),
            &self.annotations,
        )
    }

    /// What ingress-nginx is told of the paths; `None` where it does not serve them by this Ingress. On the Ingress of a
    /// canary it reads none of it.
    pub(crate) fn nginx(&self) -> Option<Nginx<'_>> {
        if self.canary.is_some() {
            return None;
        }
        Nginx::of(&self.targets, self.class_name(), &self.annotations)
    }

    /// The annotation of this key, if there is one.
    pub(crate) fn annotation(&self, key: &str) -> Option<&Annotation<'_>> {
        let at = self.annotations.binary_search_by(|known| known.key.as_ref().cmp(key)).ok()?;
        self.annotations.get(at)
    }
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

/// The share of another Service's requests that this one gets.
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Service, Settings, expose};
/// # let service = json!({"metadata": {"name": "web-beta", "namespace": "shop", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/CanaryOf": "web", "config.xposer.stakater.com/CanaryWeight": "10"}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// let settings = Settings::from_value(&json!({"domain": "example.com"}))?;
/// // The Service `web-beta` has the annotations `CanaryOf: web` and `CanaryWeight: "10"`.
/// let outcome = expose(&Service::from_value(&service), &settings);
/// let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
/// assert_eq!(plan.ingress.rules[0].host.as_str(), "web.shop.example.com");
/// assert!(plan.canary.as_ref().is_some_and(|canary| canary.of == "web" && canary.weight == Some(10)));
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Canary<'a> {
    /// The name of the other Service, in the same namespace.
    pub of: &'a str,
    /// The percentage of the requests, 0 to 100.
    pub weight: Option<u8>,
    /// The name of a header.
    pub header: Option<&'a str>,
    /// The value of the header that sends a request here; without one it is `always`.
    pub header_value: Option<&'a str>,
    /// The name of a cookie whose value `always` sends a request here.
    pub cookie: Option<&'a str>,
}

/// The monitor of an exposed Service.
///
/// ```
/// # use serde_json::json;
/// # use xposer::{Service, Settings, expose};
/// # let service = json!({"metadata": {"name": "web", "labels": {"expose": "true"},
/// #     "annotations": {"config.xposer.stakater.com/IngressURLTemplate": "web.example.com",
/// #         "config.xposer.stakater.com/Monitor": "true", "config.xposer.stakater.com/MonitorHealthEndpoint": "/healthz"}},
/// #     "spec": {"ports": [{"port": 80}]}});
/// # let outcome = expose(&Service::from_value(&service), &Settings::default());
/// # let Some(plan) = outcome.plan() else { panic!("{outcome:?}") };
/// // The Service has the annotations `Monitor: "true"` and `MonitorHealthEndpoint: /healthz`.
/// let monitor = plan.monitor.as_ref();
/// assert!(monitor.is_some_and(|monitor| monitor.health_endpoint.as_deref() == Some("/healthz") && !monitor.force_https));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Monitor {
    /// Whether the monitor is to ask by https although nothing here secures connections.
    pub force_https: bool,
    /// The path that is asked for instead of the exposed one.
    pub health_endpoint: Option<String>,
    /// Options of the provider, as `EndpointMonitorSpec` has them.
    pub provider: Map<String, Value>,
}

/// An annotation of what is emitted: forwarded from the block, or given by a setting or by another annotation.
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
    pub value: Cow<'a, str>,
    pub(crate) source: Source,
}

/// Where an annotation of what is emitted came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A line of the forwarded block: the bytes of its key and of its value.
    Block { key: Range<usize>, value: Range<usize> },
    /// Something else that the user or the administrator wrote.
    Origin(Origin),
}

impl Annotation<'_> {
    /// Whether the Service's author forwarded it.
    pub(crate) fn is_forwarded(&self) -> bool {
        matches!(self.source, Source::Block { .. })
    }

    /// The place of the key, with a finding about it.
    pub(crate) fn at_key(&self, problem: Problem) -> (FieldPath, Problem) {
        match &self.source {
            Source::Block { key, .. } => (FieldPath::annotation(FORWARD_ANNOTATION), problem.at(key.clone())),
            Source::Origin(origin) => (origin.path(), problem),
        }
    }

    /// Files a finding about some bytes of the value.
    pub(crate) fn file_part(&self, report: &mut Report, part: Range<usize>, problem: Problem) {
        match &self.source {
            Source::Block { value, .. } => {
                let range = value.start + part.start..value.start + part.end;
                report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem.at(range));
            }
            Source::Origin(origin) => report.file(origin.path(), problem.at(part)),
        }
    }

    /// Whether it was written as it is: in the block, or under the setting `annotations`. The others were asked for in words of our own.
    pub(crate) fn is_given(&self) -> bool {
        match &self.source {
            Source::Block { .. } => true,
            Source::Origin(Origin::Setting(path)) => {
                // No other setting has a slash in its name; an old key has another name here.
                matches!(path.segments().last(), Some(Segment::Key(key)) if *key == self.key || key.contains('/'))
            }
            Source::Origin(_) => false,
        }
    }

    /// Files a finding about the key.
    pub(crate) fn file_key(&self, report: &mut Report, problem: Problem) {
        let (path, problem) = self.at_key(problem);
        report.file(path, problem);
    }

    /// Files a finding about the value.
    pub(crate) fn file_value(&self, report: &mut Report, problem: Problem) {
        match &self.source {
            Source::Block { value, .. } => {
                report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem.at(value.clone()));
            }
            Source::Origin(origin) => report.file(origin.path(), problem),
        }
    }
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
    setting: impl FnOnce() -> Option<&'x Tpl>,
) -> Option<Chosen<'x, 'a>> {
    match asked {
        Field::Set(template) => Some(Chosen { template, origin: Who::Annotation(key) }),
        Field::Broken => None,
        Field::Unset => setting()
            .map(|sourced| Chosen { template: &sourced.value, origin: Who::Sourced(&sourced.origin) }),
    }
}

/// What the Service says, else what a setting says.
fn pick<T: Clone>(
    asked: &Field<T>,
    key: &'static str,
    setting: impl FnOnce() -> Option<Sourced<T>>,
) -> Option<Sourced<T>> {
    match asked {
        Field::Set(value) => Some(Sourced::new(value.clone(), Origin::Annotation(key.into()))),
        Field::Broken => None,
        Field::Unset => setting(),
    }
}

/// The layers of settings for a Service, and the profile it is under; `None` if it asks for one it cannot have, which is
/// filed: under other defaults nothing would be as it was meant.
pub(crate) fn layers<'s>(
    service: &Service<'_>,
    settings: &'s Settings,
    request: &Request<'_>,
    report: &mut Report,
) -> Option<(Layers<'s>, Option<Sourced<String>>)> {
    let namespace = service.namespace().and_then(|name| settings.namespace(name));
    let chosen = match request.profile {
        Field::Set(name) => {
            Some(Sourced::new(name.to_owned(), Origin::Annotation(annotation::PROFILE.into())))
        }
        Field::Broken => return None,
        Field::Unset => namespace
            .and_then(|namespace| namespace.profile.clone())
            .or_else(|| settings.default_profile.clone()),
    };
    let Some(chosen) = chosen else { return Some((Layers::new(None, namespace, settings), None)) };
    let Some(profile) = settings.profiles.get(&chosen.value) else {
        report.file(chosen.origin.path(), settings.unknown_profile(Code::ProfileUnknown, &chosen.value));
        return None;
    };
    let own = service.namespace().unwrap_or_default();
    if let Some(allowed) = &profile.namespaces
        && !allowed.fit(own)
    {
        let said = format!("the profile {} is not for the namespace {}", quoted(&chosen.value), quoted(own));
        // Not every Service that is refused looks at all of thousands.
        let looked_at = settings.profiles.iter().take(100);
        let others: Vec<&str> = looked_at
            .filter(|(_, other)| other.namespaces.as_ref().is_none_or(|all| all.fit(own)))
            .map(|(name, _)| name)
            .collect();
        let help = match others.as_slice() {
            [] => "ask your administrator for a profile".to_owned(),
            some => {
                let names = listed(some.iter().copied(), some.len());
                format!("choose one of {names}, or ask your administrator")
            }
        };
        report.file(chosen.origin.path(), Problem::new(Code::ProfileForbidden, said).help(help));
        return None;
    }
    Some((Layers::new(Some(profile), namespace, settings), Some(chosen)))
}

/// Resolves a request.
pub(crate) fn resolve<'a>(
    service: &Service<'a>,
    settings: &Settings,
    layers: Layers<'_>,
    request: &Request<'a>,
    report: &mut Report,
) -> Draft<'a> {
    let canary = canary(request, report);
    // A missing name is an Error already; what is rendered from it must not become more of them.
    let own = Some(service.name()).filter(|name| !name.is_empty()).unwrap_or("unnamed");
    // A canary stands under the host of the other Service, and has a name of its own.
    let exposed = canary.as_ref().map_or(own, |canary| canary.of);
    let vars = Vars { service: exposed, namespace: service.namespace(), domain: None };
    let domain = domain(layers, request, vars, report);
    let vars = Vars { domain: domain.as_ref().map(|domain| domain.value.as_ref()), ..vars };
    let mut resolver = Resolver { settings, layers, request, vars, report };
    let tls = pick(&request.tls, annotation::TLS, || layers.first(|it| it.tls.as_ref()).cloned());
    let mut draft = Draft { tls, canary, ..Draft::default() };
    let named = Vars { service: own, ..vars };
    let name =
        choose(&request.name, annotation::NAME, || layers.template(|it| it.name.as_ref(), &DEFAULT_NAME));
    draft.name = resolver.named(name, named);
    draft.rules = resolver.rules(draft.tls().has_secret());
    if draft.tls().has_secret() && draft.canary.is_none() {
        resolver.secret(&mut draft, named);
    }
    draft.port = resolver.port(service);
    let targets = targets(settings, layers, request);
    draft.targets = Target::ALL.into_iter().filter(|target| targets.value.contains(target)).collect();
    draft.targets_origin = targets.origin;
    draft.https_redirect = pick(&request.https_redirect, annotation::HTTPS_REDIRECT, || {
        layers.first(|it| it.https_redirect.as_ref()).cloned()
    });
    draft.issuer = resolver.issuer();
    let share = &request.canary;
    draft.canary_is_broken = matches!(share.weight, Field::Broken)
        || [&share.header, &share.cookie].iter().any(|field| matches!(field, Field::Broken));
    draft.names_issuer = draft.issuer.is_some()
        || !matches!((&request.issuer, &request.cluster_issuer), (Field::Unset, Field::Unset));
    resolver.forward(&mut draft);
    draft.domain = domain;
    draft
}

/// What exposes the Service.
fn targets(settings: &Settings, layers: Layers<'_>, request: &Request<'_>) -> Sourced<Vec<Target>> {
    if !settings.only_targets.is_empty() {
        return Sourced::new(settings.only_targets.clone(), Origin::BuiltIn);
    }
    let asked =
        pick(&request.targets, annotation::TARGET, || layers.first(|it| it.targets.as_ref()).cloned());
    asked.unwrap_or_else(|| Sourced::new(vec![Target::Ingress], Origin::BuiltIn))
}

/// The share that is asked for. What is said about a canary without saying of what is an Error.
fn canary<'a>(request: &Request<'a>, report: &mut Report) -> Option<Canary<'a>> {
    fn set<T: Copy>(field: &Field<T>) -> Option<T> {
        match field {
            Field::Set(value) => Some(*value),
            Field::Unset | Field::Broken => None,
        }
    }
    let asked = &request.canary;
    let (weight, header, header_value) = (set(&asked.weight), set(&asked.header), set(&asked.header_value));
    let cookie = set(&asked.cookie);
    if let Some(of) = set(&asked.of) {
        return Some(Canary { of, weight, header, header_value, cookie });
    }
    let stray = [
        (weight.is_some(), annotation::CANARY_WEIGHT),
        (header.is_some(), annotation::CANARY_HEADER),
        (header_value.is_some(), annotation::CANARY_HEADER_VALUE),
        (cookie.is_some(), annotation::CANARY_COOKIE),
    ];
    if matches!(asked.of, Field::Unset)
        && let Some((_, key)) = stray.into_iter().find(|(is_set, _)| *is_set)
    {
        let problem =
            Problem::new(Code::CanaryIncomplete, "nothing says which Service's requests are shared");
        report.file(FieldPath::annotation(key), problem.help(format!("add {}", annotation::CANARY_OF)));
    }
    None
}

/// The value of `{{.Domain}}`.
fn domain<'a>(
    layers: Layers<'_>,
    request: &Request<'a>,
    vars: Vars<'_>,
    report: &mut Report,
) -> Option<Sourced<Cow<'a, str>>> {
    // Stands in for a domain that cannot be had, so that the other templates do not complain about it as well. There
    // is an Error already, so it is never planned.
    const STAND_IN: Sourced<Cow<'_, str>> =
        Sourced { value: Cow::Borrowed("domain.invalid"), origin: Origin::BuiltIn };
    if matches!(request.domain, Field::Broken) {
        return Some(STAND_IN);
    }
    let chosen = choose(&request.domain, annotation::DOMAIN, || layers.first(|it| it.domain.as_ref()))?;
    let rendered = match chosen.template.literal() {
        Some(text) => Ok(text),
        None => chosen.template.render(&vars).map(Cow::Owned),
    };
    match rendered {
        Ok(text) if text.is_empty() => None,
        Ok(text) if has_several(&text) => {
            let said = format!("{} is several domains, expected one", quoted(&text));
            let help = "write one domain; write several hosts in IngressURLTemplate";
            file(report, chosen, Problem::new(Code::HostSeparator, said).help(help));
            Some(STAND_IN)
        }
        Ok(text) => Some(Sourced::new(text, chosen.origin.origin())),
        Err(mut problem) => {
            if problem.code == Code::TemplateValueMissing && vars.namespace.is_some() {
                problem.message = "the domain cannot be made of itself".to_owned();
                problem.help = Some("write the domain without {{.Domain}}".to_owned());
            }
            file(report, chosen, problem);
            Some(STAND_IN)
        }
    }
}

/// Whether a domain is several, with signs between them that no domain has. What a comma separates are several hosts.
fn has_several(domain: &str) -> bool {
    let is_between = |c: char| matches!(c, ';' | '|' | '&') || c.is_whitespace();
    let mut parts = domain.split(is_between).filter(|part| !part.is_empty()).peekable();
    let first = parts.next();
    first.is_some() && parts.peek().is_some() && first.into_iter().chain(parts).all(is_dns_subdomain)
}

fn file(report: &mut Report, chosen: Chosen<'_, '_>, mut problem: Problem) {
    let origin = chosen.origin.origin();
    if origin == Origin::BuiltIn {
        // The template is built in, so a range of it has no place in what the user wrote: the message quotes it.
        problem.range = None;
        let shown = format!("the built-in template {}", quoted(chosen.template.text()));
        problem.message = problem.message.replacen("the template", &shown, 1);
    }
    report.file(origin.path(), problem);
}

struct Resolver<'v, 'a> {
    settings: &'v Settings,
    layers: Layers<'v>,
    request: &'v Request<'a>,
    vars: Vars<'v>,
    report: &'v mut Report,
}

impl<'a> Resolver<'_, 'a> {
    fn one(&mut self, chosen: Option<Chosen<'_, '_>>) -> Option<Sourced<String>> {
        self.named(chosen, self.vars)
    }

    fn named(&mut self, chosen: Option<Chosen<'_, '_>>, vars: Vars<'_>) -> Option<Sourced<String>> {
        let chosen = chosen?;
        match chosen.template.render(&vars) {
            Ok(text) => Some(Sourced::new(text, chosen.origin.origin())),
            Err(problem) => {
                file(self.report, chosen, problem);
                None
            }
        }
    }

    fn secret(&mut self, draft: &mut Draft<'a>, vars: Vars<'_>) {
        if matches!(self.request.secret, Field::Broken) {
            return;
        }
        let chosen =
            choose(&self.request.secret, annotation::SECRET, || self.layers.first(|it| it.secret.as_ref()));
        if let Some(chosen) = chosen {
            match self.named(Some(chosen), vars) {
                Some(rendered) if rendered.value != NO_SECRET => {
                    draft.secret = Some(rendered);
                    return;
                }
                Some(_) => {}
                None => return,
            }
        }
        draft.secret_is_derived = true;
        draft.secret =
            draft.name.as_ref().map(|name| Sourced::new(format!("{}-cert", name.value), name.origin.clone()));
    }

    /// The issuer that is asked for outside of the forwarded block.
    fn issuer(&mut self) -> Option<Sourced<Issuer>> {
        let own = |name: &str, cluster, key: &'static str| {
            Some(Sourced::new(Issuer { cluster, name: name.to_owned() }, Origin::Annotation(key.into())))
        };
        match (&self.request.issuer, &self.request.cluster_issuer) {
            (Field::Set(_), Field::Set(_)) => {
                let said =
                    format!("{} is given, too, and a certificate has one issuer", annotation::CLUSTER_ISSUER);
                let problem = Problem::new(Code::IssuerConflict, said).help("keep one of the two");
                self.report.file(FieldPath::annotation(annotation::ISSUER), problem);
                None
            }
            (Field::Set(name), _) => own(name, false, annotation::ISSUER),
            (_, Field::Set(name)) => own(name, true, annotation::CLUSTER_ISSUER),
            (Field::Broken, _) | (_, Field::Broken) => None,
            (Field::Unset, Field::Unset) => self.layers.first(|it| it.issuer.as_ref()).cloned(),
        }
    }

    fn port(&mut self, service: &Service<'_>) -> Option<Sourced<PortRef>> {
        let layers = self.layers;
        if matches!(self.request.port, Field::Broken) {
            return None;
        }
        let chosen =
            pick(&self.request.port, annotation::PORT, || layers.first(|it| it.port.as_ref()).cloned());
        if chosen.is_some() {
            return chosen;
        }
        let first = service.ports().first()?;
        // One that cannot be used is told by itself.
        let used = service.port(&PortRef::Number(first.number));
        if service.ports().len() > 1 && first.number != 0 && used.is_some_and(|port| port.tcp) {
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

    /// Files a finding about the forwarded block.
    fn block(&mut self, problem: Problem) {
        self.report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem);
    }
}
