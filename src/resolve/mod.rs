//! Service and settings become a plan: templates are rendered, the port is chosen, old keys are translated.
//!
//! Its values are text. `check` says whether one is a valid host, name or path.

mod forward;
mod monitor;
pub(crate) mod trace;
mod url;

use std::ops::Range;

use crate::diagnostics::{Code, FieldPath, Problem, Report, listed, shown};
use crate::options::annotations::{Field, Request, annotation};
use crate::options::{DEFAULT_NAME, Layers, NO_SECRET, Settings, Tpl};
use crate::plan::{Annotation, Canary, Monitor, Plan, Published, Route, Scope, Source};
use crate::service::{FORWARD_ANNOTATION, Service};
use crate::template::{Template, Vars};
use crate::validation::{Issuer, Origin, PortRef, Sourced, Target, is_dns_subdomain};
pub(crate) use forward::{ALIASES, FOREIGN_ISSUER, contradicts, is_read_here};

/// The key in the forwarded block that asks for the URL ConfigMap; its value is `locally` or `globally`.
/// [`Published`](crate::Published) has an example.
pub const PUBLISH_KEY: &str = crate::options::block::PUBLISH_KEY;

/// The value of ExternalDNS's annotation `controller` on an object that does not speak for its host. Any value but
/// `dns-controller` makes ExternalDNS skip the object (ExternalDNS 0.22, `IsControllerMismatch`).
pub(crate) const DNS_CONTROLLER: &str = "none";

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
        let said = format!("the profile {} is not for the namespace {}", shown(&chosen.value), shown(own));
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
pub(crate) fn resolve(
    service: &Service<'_>,
    settings: &Settings,
    layers: Layers<'_>,
    request: &Request<'_>,
    report: &mut Report,
) -> Plan {
    let canary = canary(request, report);
    let stable = canary.as_ref().map(|canary| canary.of.clone());
    // A missing name is an Error already; what is rendered from it must not become more of them.
    let own = Some(service.name()).filter(|name| !name.is_empty()).unwrap_or("unnamed");
    // A canary stands under the host of the other Service, and has a name of its own.
    let exposed = stable.as_deref().unwrap_or(own);
    let vars = Vars { service: exposed, namespace: service.namespace(), domain: None };
    let domain = domain(layers, request, vars, report);
    let vars = Vars { domain: domain.as_ref().map(|domain| domain.value.as_str()), ..vars };
    let mut resolver = Resolver { settings, layers, request, vars, report };
    let tls = pick(&request.tls, annotation::TLS, || layers.first(|it| it.tls.as_ref()).cloned());
    let mut plan = Plan::of(service);
    (plan.tls, plan.canary) = (tls, canary);
    let named = Vars { service: own, ..vars };
    let name =
        choose(&request.name, annotation::NAME, || layers.template(|it| it.name.as_ref(), &DEFAULT_NAME));
    plan.name = resolver.named(name, named);
    plan.rules = resolver.rules(plan.tls().has_secret());
    if plan.tls().has_secret() && plan.canary.is_none() {
        resolver.secret(&mut plan, named);
    }
    plan.port = resolver.port(service);
    let port = plan.port.as_ref().and_then(|port| service.port(&port.value));
    plan.port_number = port.map(|port| port.number).unwrap_or_default();
    plan.port_name = port.and_then(|port| port.name).map(str::to_owned);
    let targets = targets(settings, layers, request);
    plan.targets = Target::ALL.into_iter().filter(|target| targets.value.contains(target)).collect();
    plan.targets_origin = targets.origin;
    other_targets(&mut plan, settings, layers);
    plan.https_redirect = pick(&request.https_redirect, annotation::HTTPS_REDIRECT, || {
        layers.first(|it| it.https_redirect.as_ref()).cloned()
    });
    plan.issuer = resolver.issuer();
    let share = &request.canary;
    plan.canary_is_broken = matches!(share.weight, Field::Broken)
        || [&share.header, &share.cookie].iter().any(|field| matches!(field, Field::Broken));
    plan.names_issuer = plan.issuer.is_some()
        || !matches!((&request.issuer, &request.cluster_issuer), (Field::Unset, Field::Unset));
    let publish = resolver.forward(&mut plan);
    plan.domain = domain;
    plan.published = publish.map(|(scope, place)| published(&plan, scope, place, settings.publish_url));
    plan
}

/// What an object of another kind than an Ingress needs.
fn other_targets(plan: &mut Plan, settings: &Settings, layers: Layers<'_>) {
    if plan.targets.contains(&Target::HttpRoute) {
        plan.parent_refs = layers.first(|it| it.parent_refs.as_ref()).cloned();
        plan.http_parent_refs = layers.first(|it| it.http_parent_refs.as_ref()).cloned();
        plan.dns_controller_keys = settings.dns_controller_keys();
    }
    plan.termination = layers.first(|it| it.termination.as_ref()).map(|it| it.value).unwrap_or_default();
}

/// The entry of the URL ConfigMap; `place` has the bytes of the block that ask for it.
fn published(plan: &Plan, scope: Scope, place: Range<usize>, is_url: bool) -> Published {
    let value = match plan.rules.first() {
        Some(rule) if !is_url => rule.host.clone(),
        _ => plan.url(),
    };
    let key = format!("{}-{}", plan.service, plan.namespace.as_deref().unwrap_or_default());
    Published { scope, key, value, place }
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

/// The canary, if one is asked for. The other annotations of a canary are an Error without `CanaryOf`.
fn canary(request: &Request<'_>, report: &mut Report) -> Option<Canary> {
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
        return Some(Canary {
            of: of.to_owned(),
            weight,
            header: header.map(str::to_owned),
            header_value: header_value.map(str::to_owned),
            cookie: cookie.map(str::to_owned),
        });
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
fn domain(
    layers: Layers<'_>,
    request: &Request<'_>,
    vars: Vars<'_>,
    report: &mut Report,
) -> Option<Sourced<String>> {
    // Takes the place of a domain with an Error, so that the other templates do not have one because of it.
    let stand_in = || Some(Sourced::new("domain.invalid".to_owned(), Origin::BuiltIn));
    if matches!(request.domain, Field::Broken) {
        return stand_in();
    }
    let chosen = choose(&request.domain, annotation::DOMAIN, || layers.first(|it| it.domain.as_ref()))?;
    let rendered = match chosen.template.literal() {
        Some(text) => Ok(text.into_owned()),
        None => chosen.template.render(&vars),
    };
    match rendered {
        Ok(text) if text.is_empty() => None,
        Ok(text) if has_several(&text) => {
            let said = format!("{} is several domains, expected one", shown(&text));
            let help = "write one domain; write several hosts in IngressURLTemplate";
            file(report, chosen, Problem::new(Code::HostSeparator, said).help(help));
            stand_in()
        }
        Ok(text) => Some(Sourced::new(text, chosen.origin.origin())),
        Err(mut problem) => {
            if problem.code == Code::TemplateValueMissing && vars.namespace.is_some() {
                problem.message = "the domain cannot be made of itself".to_owned();
                problem.help = Some("write the domain without {{.Domain}}".to_owned());
            }
            file(report, chosen, problem);
            stand_in()
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
        // Nobody wrote the template: its bytes mean nothing at the place that is accused, so it is shown instead.
        problem.range = None;
        let shown = format!("the built-in template {}", shown(chosen.template.text()));
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

impl Resolver<'_, '_> {
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

    fn secret(&mut self, plan: &mut Plan, vars: Vars<'_>) {
        if matches!(self.request.secret, Field::Broken) {
            return;
        }
        let chosen =
            choose(&self.request.secret, annotation::SECRET, || self.layers.first(|it| it.secret.as_ref()));
        if let Some(chosen) = chosen {
            match self.named(Some(chosen), vars) {
                Some(rendered) if rendered.value != NO_SECRET => {
                    plan.secret = Some(rendered);
                    return;
                }
                Some(_) => {}
                None => return,
            }
        }
        plan.secret_is_derived = true;
        plan.secret =
            plan.name.as_ref().map(|name| Sourced::new(format!("{}-cert", name.value), name.origin.clone()));
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
