//! Makes a plan from a Service and the layers of options: renders templates, chooses the port, translates legacy keys.
//!
//! The values of the plan are unchecked text. `check` decides whether a value is a valid host, name or path.

mod defaults;
mod forward;
mod intents;
mod migrate;
mod monitor;
mod port;
mod servers;
pub(crate) mod tls;
mod url;

pub(crate) use intents::{ASK, contradiction};

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostics::{Code, FieldPath, Origin, Problem, Report, Sourced, quoted};
use crate::dialect::controller::Controller;
use crate::options::annotations::annotation;
use crate::options::{BUILT_IN, Forwarded, Layer, Layers, NO_PROFILE, Settings, SourcedTemplate};
use crate::plan::{
    Annotation, BackendPort, Canary, KnownPort, Monitor, Plan, Published, Reason, Route, Scope, Source,
};
use crate::service::{FORWARD_ANNOTATION, PUBLISH_KEY, Service};
use crate::template::Vars;
use crate::validation::{is_dns_label, is_dns_subdomain};
use crate::values::{Issuer, ParentRef, Target};
pub(crate) use forward::is_for_xposer;
use forward::written_class;
use servers::server_of_class;

/// Returns the layers of settings that apply to a Service, and its profile. Returns `None` and files an Error if the Service asks
/// for a profile that it cannot have: with other defaults, every value could be wrong.
pub(crate) fn layers<'s>(
    service: &Service<'_>,
    settings: &'s Settings,
    own: &'s Layer,
    report: &mut Report,
) -> Option<(Layers<'s>, Option<Sourced<String>>)> {
    let row = service.namespace().and_then(|name| settings.namespace(name));
    let layers = Layers::new(None, row, settings).with_service(own);
    let Some(chosen) = layers.slot(|it| &it.profile) else { return Some((layers, None)) };
    let chosen = chosen.value()?;
    let namespace = service.namespace().unwrap_or_default();
    let Some(profile) = settings.profiles.get(&chosen.value) else {
        let problem = settings.unknown_profile(Code::ProfileUnknown, &chosen.value, Some(namespace));
        report.file(chosen.origin.path(), problem);
        return None;
    };
    if !profile.is_for(namespace) {
        let message = format!(
            "the profile {} is not allowed in the namespace {}",
            quoted(&chosen.value),
            quoted(namespace)
        );
        let help = match settings.allowed_profiles(Some(namespace)) {
            Some(choice) => choice + ", or ask your administrator",
            None => NO_PROFILE.to_owned(),
        };
        report.file(chosen.origin.path(), Problem::new(Code::ProfileForbidden, message).help(help));
        return None;
    }
    Some((Layers::new(Some(profile), row, settings).with_service(own), Some(chosen.clone())))
}

/// Resolves the options of a Service.
pub(crate) fn resolve(
    service: &Service<'_>,
    settings: &Settings,
    layers: Layers<'_>,
    forwarded: &Forwarded<'_>,
    report: &mut Report,
) -> Box<Plan> {
    let canary = canary(layers, report);
    // A missing or invalid name is an Error already; a placeholder keeps the templates from filing more.
    let valid = |name| if is_dns_label(name) { name } else { "unnamed" };
    let own = valid(service.name());
    // A canary uses the host of the stable Service, and has a name of its own.
    let exposed = canary.as_ref().map_or(own, |canary| canary.of.as_str());
    let vars = Vars { service: exposed, namespace: service.namespace().map(valid), ..Vars::default() };
    let domain = domain(layers, vars, report);
    let vars = Vars { domain: domain.as_ref().map(|domain| domain.value.as_str()), ..vars };
    let class = written_class(layers, forwarded);
    let server = server_of_class(settings, forwarded, class);
    let controller = server.0;
    let mut resolver = Resolver { settings, layers, forwarded, vars, class, server, controller, report };
    let mut plan = Box::new(Plan::of(service, Arc::clone(&resolver.report.subject)));
    plan.tls = layers.first(|it| &it.tls).cloned();
    plan.canary = canary.clone().map(Box::new);
    let named = Vars { service: own, ..vars };
    plan.name = resolver.rendered(layers.first(|it| &it.name), named);
    plan.rules = resolver.rules(plan.tls().has_secret());
    if plan.tls().has_secret() && plan.canary.is_none() {
        resolver.secret(&mut plan, named);
    }
    resolver.ports(service, &mut plan);
    let (targets, origin) = targets(settings, layers);
    plan.targets = Target::ALL.into_iter().filter(|target| targets.contains(target)).collect();
    plan.targets_origin = origin;
    other_targets(&mut plan, settings, layers);
    // The options refuse the labels of Xposer itself. The value of the uppermost layer applies for each key.
    for label in layers.iter().flat_map(|layer| layer.labels.entries()) {
        let given = || Sourced::new(label.value.clone(), label.origin.clone());
        plan.labels.entry(label.key.clone()).or_insert_with(given);
    }
    plan.links = layers.first(|it| &it.links).cloned().map(Box::new);
    plan.https_redirect = layers.first(|it| &it.https_redirect).cloned();
    plan.issuer = resolver.issuer();
    plan.dns_prefixes.clone_from(&settings.dns_prefixes);
    let publish = resolver.forward(&mut plan);
    resolver.certificates(&mut plan, named);
    resolver.listener_set(&mut plan, vars);
    plan.domain = domain;
    plan.published =
        publish.map(|(scope, place)| Box::new(published(&plan, scope, place, settings.publish_url)));
    plan
}

/// Sets the fields of the plan that only targets other than an Ingress need.
fn other_targets(plan: &mut Plan, settings: &Settings, layers: Layers<'_>) {
    if plan.targets.contains(&Target::HttpRoute) {
        plan.parent_refs = parents(plan.tls().is_on(), layers).cloned().map(Box::new);
        plan.http_parent_refs = layers.first(|it| &it.http_parent_refs).cloned().map(Box::new);
    }
    if plan.targets.contains(&Target::HttpRoute) || plan.canary.is_some() {
        plan.dns_controller_keys = settings.dns_controller_keys();
    }
    plan.termination = layers.first(|it| &it.termination).map(|it| it.value).unwrap_or_default();
}

/// The parents of an HTTPRoute. Without TLS they are the listeners without TLS, provided that the layer that names the Gateways, or
/// a layer above it, names these listeners: listeners of the general settings do not replace Gateways of a profile or a namespace.
fn parents(has_tls: bool, layers: Layers<'_>) -> Option<&Sourced<Vec<ParentRef>>> {
    let without_tls = layers.iter().find(|it| !it.parent_refs.is_unset() || !it.http_parent_refs.is_unset());
    let without_tls =
        without_tls.and_then(|it| it.http_parent_refs.value()).filter(|it| !it.value.is_empty());
    without_tls.filter(|_| !has_tls).or_else(|| layers.first(|it| &it.parent_refs))
}

/// The entry of the URL ConfigMap; `place` is the byte range of the line that asks for it.
fn published(plan: &Plan, scope: Scope, place: Range<usize>, is_url: bool) -> Published {
    let value = match plan.rules.first() {
        Some(rule) if !is_url => rule.host.clone(),
        _ => plan.url(),
    };
    let key = Published::key_of(&plan.subject.name, &plan.subject.namespace);
    Published { scope, key, value, place }
}

/// The targets of the Service, and the source that names them.
fn targets<'s>(settings: &'s Settings, layers: Layers<'s>) -> (&'s [Target], Origin) {
    if !settings.only_targets.is_empty() {
        return (&settings.only_targets, Origin::BuiltIn);
    }
    // An invalid target is reported already; the built-in target lets the other stages continue.
    let chosen = layers.first(|it| &it.targets).or_else(|| BUILT_IN.targets.value());
    chosen.map_or((&[], Origin::BuiltIn), |chosen| (&chosen.value, chosen.origin.clone()))
}

/// The canary, if the Service is one. The other annotations of a canary are an Error without `CanaryOf`.
fn canary(layers: Layers<'_>, report: &mut Report) -> Option<Canary> {
    let weight = layers.first(|it| &it.canary_weight);
    let header = layers.first(|it| &it.canary_header);
    let header_value = layers.first(|it| &it.canary_header_value);
    let cookie = layers.first(|it| &it.canary_cookie);
    if let Some(of) = layers.first(|it| &it.canary_of) {
        let text = |given: Option<&Sourced<String>>| given.map(|given| given.value.clone());
        return Some(Canary {
            of: of.value.clone(),
            weight: weight.map(|weight| weight.value),
            header: text(header),
            header_value: text(header_value),
            cookie: text(cookie),
        });
    }
    let texts = [header, header_value, cookie].into_iter().flatten().map(|it| &it.origin);
    let mut stray = weight.map(|it| &it.origin).into_iter().chain(texts);
    if let Some(stray) = stray.next().filter(|_| layers.slot(|it| &it.canary_of).is_none()) {
        let problem = Problem::new(Code::CanaryIncomplete, "no stable Service is named");
        report.file(stray.path(), problem.help(format!("add {}", annotation::CANARY_OF)));
    }
    None
}

/// The value of `{{.Domain}}`.
fn domain(layers: Layers<'_>, vars: Vars<'_>, report: &mut Report) -> Option<Sourced<String>> {
    // Replaces an invalid domain, so that the templates that use it do not report it again.
    let stand_in = || Some(Sourced::new("domain.invalid".to_owned(), Origin::BuiltIn));
    if layers.is_broken(|it| &it.domain) {
        return stand_in();
    }
    let chosen = layers.first(|it| &it.domain)?;
    match chosen.value.render(&vars) {
        Ok(text) if text.is_empty() => None,
        Ok(text) if is_several_domains(&text) => {
            let said = format!("{} is several domains, expected one", quoted(&text));
            let help = "write one domain; write several hosts in IngressURLTemplate";
            file(report, chosen, Problem::new(Code::HostSeparator, said).help(help));
            stand_in()
        }
        Ok(text) => Some(Sourced::new(text, chosen.origin.clone())),
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

/// Whether the value is several domains with separators between them that no domain contains. Commas are left to the templates of
/// hosts.
fn is_several_domains(domain: &str) -> bool {
    let is_between = |c: char| matches!(c, ';' | '|' | '&') || c.is_whitespace();
    let mut parts = domain.split(is_between).filter(|part| !part.is_empty()).peekable();
    let first = parts.next();
    first.is_some() && parts.peek().is_some() && first.into_iter().chain(parts).all(is_dns_subdomain)
}

fn file(report: &mut Report, chosen: &SourcedTemplate, mut problem: Problem) {
    if chosen.origin == Origin::BuiltIn {
        // The template is built in, so a byte range has no meaning in the user's text; the message quotes the template instead.
        problem.range = None;
        let shown = format!("the built-in template {}", quoted(chosen.value.text()));
        problem.message = problem.message.replacen("the template", &shown, 1);
    }
    report.file(chosen.origin.path(), problem);
}

/// What the steps of [`resolve`] read, and the report that they file into. Its values do not change: what a step decides goes into
/// the plan, and the steps after it read it there. The order of the steps is that of the calls in [`resolve`], and of those in
/// [`Resolver::forward`], which translates the annotations and then decides the servers and the intents.
struct Resolver<'v, 'a> {
    settings: &'v Settings,
    /// The layers of options. A value that cannot be read is reported already, so a step only has to leave it out.
    layers: Layers<'v>,
    forwarded: &'v Forwarded<'a>,
    vars: Vars<'v>,
    /// The class that is written on the Service, in its block, or in the settings. The plan may get another one.
    class: Option<&'v str>,
    /// The controller of this class, and the reason.
    server: (Controller, Reason),
    /// The controller of this class, which decides which keys of the Service and the settings are legacy.
    controller: Controller,
    report: &'v mut Report,
}

impl Resolver<'_, '_> {
    fn rendered(&mut self, chosen: Option<&SourcedTemplate>, vars: Vars<'_>) -> Option<Sourced<String>> {
        let chosen = chosen?;
        match chosen.value.render(&vars) {
            Ok(text) => Some(Sourced::new(text, chosen.origin.clone())),
            Err(problem) => {
                file(self.report, chosen, problem);
                None
            }
        }
    }

    /// The issuer that an option asks for, not an annotation of the block.
    fn issuer(&mut self) -> Option<Sourced<Issuer>> {
        if let Some(own) = self.layers.service
            && own.namespaced_issuer.is_set()
            && own.cluster_issuer.is_set()
        {
            let message =
                format!("{} is also given, and a certificate has one issuer", annotation::CLUSTER_ISSUER);
            let problem = Problem::new(Code::IssuerConflict, message).help("keep one of the two");
            self.report.file(FieldPath::annotation(annotation::ISSUER), problem);
        }
        self.layers.first(Layer::issuer).cloned()
    }

    /// Files a finding about the forwarded block.
    fn block(&mut self, problem: Problem) {
        self.report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem);
    }
}
