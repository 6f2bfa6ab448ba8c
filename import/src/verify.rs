//! Exposes all Services with their proposals, and compares the result with the Ingresses.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Value, json};
use xposer::diagnostics::FieldPath;
use xposer::service::PortRef;
use xposer::{Outcome, Plan, Precedence, Service, Settings, Severity, emit_all, expose_all};

use crate::changes::Changes;
use crate::compare::{EmittedIngress, differences};
use crate::draft::{Draft, bare, with_draft};
use crate::finding::{Finding, Object};
use crate::place::{key_in_block, place};
use crate::proposal::{Proposal, set_open};
use crate::propose::{Proposer, emitted_ingress, reported_keys};
use crate::read::{Ingress, read};
use crate::source_ingress::{SourceIngress, report_tools, source_ingresses};

/// The input documents, and the namespace of documents without one.
///
/// ```
/// use xposer::Settings;
/// use xposer_import::{Input, import};
/// assert!(import(&Input::default(), &Settings::default(), false).proposals.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Input<'a> {
    /// Ingresses ([`is_ingress`](crate::is_ingress)).
    pub ingresses: Vec<&'a Value>,
    /// Services (`v1`), including those behind the Ingresses, as far as they are known.
    pub services: Vec<&'a Value>,
    /// IngressClasses, which name the controller of a class if the name of the class does not imply it.
    pub classes: Vec<&'a Value>,
    /// The namespace of objects without one; empty if there is none.
    pub namespace: &'a str,
}

/// The result for an Ingress.
///
/// ```
/// use serde_json::json;
/// use xposer::Settings;
/// use xposer_import::{ImportResult, Input, import};
/// let ours = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "labels": {
///     "app.kubernetes.io/managed-by": "xposer", "xposer.stakater.com/service": "web"}}});
/// let input = Input { ingresses: vec![&ours], ..Input::default() };
/// assert_eq!(import(&input, &Settings::default(), false).results, [ImportResult::Ours]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportResult {
    /// The Ingress is reproduced completely.
    Same,
    /// A part of the Ingress is not reproduced.
    Different,
    /// Nothing is proposed for the Ingress.
    Nothing,
    /// Xposer made the Ingress.
    Ours,
}

/// The proposals for the Services behind some Ingresses.
///
/// ```
/// use xposer::Settings;
/// use xposer_import::{Input, import};
/// assert!(import(&Input::default(), &Settings::default(), false).is_same());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// The proposals, in the order of the Ingresses.
    pub proposals: Vec<Proposal>,
    /// The findings about losses, other expressions and problems, in the order of the Ingresses.
    pub findings: Vec<Finding>,
    /// The result for each Ingress of the input.
    pub results: Vec<ImportResult>,
}

impl Imported {
    /// Whether every Ingress is reproduced.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.results.iter().all(|it| matches!(it, ImportResult::Same | ImportResult::Ours))
            && !self.findings.iter().any(|finding| finding.is_loss)
    }
}

/// The maximum number of findings about one object.
const MAX_FINDINGS: usize = 50;

/// Proposes for each Service behind some Ingresses the label and the annotations that reproduce them under these settings, and
/// reports every difference.
///
/// With `with_options`, an annotation of ingress-nginx with the same meaning as an option becomes that option, so that it stays
/// valid with another controller. A resulting difference in the emitted annotations is an Info.
#[must_use]
pub fn import(input: &Input<'_>, settings: &Settings, with_options: bool) -> Imported {
    let settings = &served_by(&input.classes, settings);
    let mut findings = Vec::new();
    let mut results = vec![ImportResult::Nothing; input.ingresses.len()];
    let mut ingresses: Vec<Ingress> = Vec::with_capacity(input.ingresses.len());
    let mut repeated = HashSet::new();
    for (at, document) in input.ingresses.iter().enumerate() {
        let mut of_reading = Vec::new();
        let ingress = read(document, at, input.namespace, &mut of_reading);
        if ingress.made_of.is_some() {
            if let Some(result) = results.get_mut(at) {
                *result = ImportResult::Ours;
            }
            continue;
        }
        findings.append(&mut of_reading);
        if let Some(owner) = &ingress.owner {
            let message =
                format!("the {owner} owns this Ingress and writes it again, so nothing is proposed for it");
            let help = "remove the host from that object first, and then expose the Service";
            let path = FieldPath::object(&["metadata", "ownerReferences"]);
            findings.push(ingress.finding(path, Severity::Warning, message).help(help));
            continue;
        }
        if !repeated.insert((ingress.namespace().to_owned(), ingress.name().to_owned())) {
            let path = FieldPath::object(&["metadata", "name"]);
            let message = "an Ingress of this name is already in the input, and only the first one is used";
            findings.push(ingress.finding(path, Severity::Warning, message).help("give each Ingress once"));
            continue;
        }
        report_tools(&ingress, &mut findings);
        ingresses.push(ingress);
    }
    let source = source_ingresses(&ingresses, &mut findings);
    let mut proving = Verification::new(input, settings, with_options, repeated);
    let names: HashSet<(&str, &str)> =
        source.iter().filter_map(|it| Some((it.namespace, it.name?))).collect();
    for source in &source {
        proving.draft(source, &names, &mut findings);
    }
    let (mut proposals, additional) = proving.verify(&mut findings);
    for proposal in &proposals {
        for at in &proposal.ingresses {
            if let Some(result) = results.get_mut(*at) {
                *result = ImportResult::Same;
            }
        }
    }
    // Several Ingresses may have been made for one Service.
    for ingress in &ingresses {
        let name = (ingress.namespace().to_owned(), ingress.name().to_owned());
        if additional.get(&name).is_some_and(|made| made.is_like(ingress)) {
            findings.retain(|it| it.object != Object::Ingress(ingress.at) || !it.is_loss);
            if let Some(result) = results.get_mut(ingress.at) {
                *result = ImportResult::Same;
            }
        }
    }
    let lost: BTreeSet<Object> = findings.iter().filter(|it| it.is_loss).map(|it| it.object).collect();
    for (at, result) in results.iter_mut().enumerate() {
        if *result == ImportResult::Same && lost.contains(&Object::Ingress(at)) {
            *result = ImportResult::Different;
        }
        if *result == ImportResult::Nothing && !lost.contains(&Object::Ingress(at)) {
            let ingress = ingresses.iter().find(|ingress| ingress.at == at && ingress.routes.is_empty());
            findings.extend(ingress.map(|ingress| {
                let message = "the Ingress leads to no Service, so there is nothing to propose";
                ingress
                    .finding(FieldPath::object(&["spec"]), Severity::Warning, message)
                    .help("add rules, or remove it")
            }));
        }
    }
    set_open(&mut proposals, &findings);
    Imported { proposals, findings: limit_findings(findings), results }
}

/// Adds the controllers that IngressClasses name to the settings.
fn served_by<'s>(classes: &[&Value], settings: &'s Settings) -> Cow<'s, Settings> {
    if classes.is_empty() {
        return Cow::Borrowed(settings);
    }
    let named = classes.iter().map(|class| (text(class, "/metadata/name"), text(class, "/spec/controller")));
    let named = named.filter(|(name, controller)| !name.is_empty() && !controller.is_empty());
    let served_by = named.fold(settings.served_by().clone(), |known, (name, controller)| {
        known.with_ingress_class(name, controller)
    });
    Cow::Owned(settings.clone().with_served_by(served_by))
}

/// Returns the findings in the order of the objects, with a limited number for each.
fn limit_findings(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| finding.object);
    // The parts of one Ingress often have the same findings.
    let mut seen = HashSet::new();
    findings.retain(|it| seen.insert((it.object, it.path.clone(), it.message.clone())));
    let mut counts: BTreeMap<Object, usize> = BTreeMap::new();
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut more: BTreeMap<Object, (usize, Finding)> = BTreeMap::new();
    for finding in findings {
        let count = counts.entry(finding.object).or_default();
        *count += 1;
        if *count <= MAX_FINDINGS {
            kept.push(finding);
            continue;
        }
        let (number, last) = more.entry(finding.object).or_insert_with(|| (0, finding.clone()));
        *number += 1;
        last.severity = last.severity.max(finding.severity);
        last.is_loss |= finding.is_loss;
    }
    for (_, (number, last)) in more {
        let path = FieldPath::object(&["metadata", "name"]);
        let message = format!("{number} more findings like these");
        kept.push(Finding { path, message, code: None, help: None, ..last });
    }
    kept.sort_by_key(|finding| finding.object);
    kept
}

/// A proposal that is not verified yet.
struct UnverifiedProposal<'w, 'i> {
    source: &'w SourceIngress<'i>,
    given: Option<usize>,
    draft: Draft,
    /// The findings about annotations that the proposal does not have, by key.
    left_out: BTreeMap<String, Finding>,
    service: Value,
}

/// The state of exposing all Services with their proposals.
struct Verification<'w, 'i, 'a> {
    input: &'a Input<'a>,
    settings: &'a Settings,
    with_options: bool,
    /// The names of all Ingresses of the input.
    given_names: HashSet<(String, String)>,
    /// The Services of the input, by namespace and name.
    services: HashMap<(String, String), usize>,
    drafted: Vec<UnverifiedProposal<'w, 'i>>,
}

/// The text at a JSON pointer; empty if there is none.
pub(crate) fn text<'v>(document: &'v Value, pointer: &str) -> &'v str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A Service with the ports that an Ingress names.
fn synthetic(source: &SourceIngress<'_>) -> Value {
    let ports: BTreeSet<&PortRef> = source.routes.iter().filter_map(|route| route.port.as_ref()).collect();
    let numbers: BTreeSet<u16> = ports
        .iter()
        .filter_map(|port| match port {
            PortRef::Number(number) => Some(*number),
            PortRef::Name(_) => None,
        })
        .collect();
    let mut free = (1..=u16::MAX).rev().filter(|number| !numbers.contains(number));
    let ports = ports.iter().filter_map(|port| {
        Some(match port {
            PortRef::Number(number) => json!({"name": format!("p{number}"), "port": number}),
            PortRef::Name(name) => json!({"name": name, "port": free.next()?}),
        })
    });
    let ports: Vec<Value> = ports.collect();
    json!({"metadata": {"name": source.service, "namespace": source.namespace}, "spec": {"ports": ports}})
}

impl<'w, 'i, 'a> Verification<'w, 'i, 'a> {
    fn new(
        input: &'a Input<'a>,
        settings: &'a Settings,
        with_options: bool,
        given_names: HashSet<(String, String)>,
    ) -> Self {
        let mut services = HashMap::with_capacity(input.services.len());
        for (at, service) in input.services.iter().enumerate() {
            let own = Some(text(service, "/metadata/namespace")).filter(|own| !own.is_empty());
            let key = (own.unwrap_or(input.namespace).to_owned(), text(service, "/metadata/name").to_owned());
            services.entry(key).or_insert(at);
        }
        Self { input, settings, with_options, given_names, services, drafted: Vec::new() }
    }

    fn draft(
        &mut self,
        source: &'w SourceIngress<'i>,
        names: &HashSet<(&'i str, &'i str)>,
        findings: &mut Vec<Finding>,
    ) {
        let given = self.services.get(&(source.namespace.to_owned(), source.service.to_owned())).copied();
        let service = given.and_then(|at| self.input.services.get(at));
        let bare = service.map_or_else(
            || bare(&synthetic(source), source.namespace),
            |service| bare(service, self.input.namespace),
        );
        let proposer = Proposer {
            source,
            bare: &bare,
            given,
            settings: self.settings,
            names,
            given_names: &self.given_names,
            with_options: self.with_options,
        };
        if given.is_none()
            && !self.services.is_empty()
            && let Some(main) = source.main()
        {
            let message = format!(
                "the Service {} is not among the inputs, so its ports are not looked up",
                source.service
            );
            let path = source
                .routes
                .first()
                .map(|route| route.at.clone().key("backend"))
                .unwrap_or_else(|| FieldPath::object(&["spec"]));
            findings.push(
                main.finding(path, Severity::Info, message)
                    .help("give the Service, too, or create it if there is none"),
            );
        }
        if let Some((draft, left_out)) = proposer.proposal(findings) {
            let service = with_draft(&bare, &draft);
            self.drafted.push(UnverifiedProposal { source, given, draft, left_out, service });
        }
    }

    /// Exposes all Services together, including those that request exposure already, and reports each difference. Returns the
    /// proposals, and the Ingresses that are emitted in addition to the proposed ones, by namespace and name.
    fn verify(self, findings: &mut Vec<Finding>) -> (Vec<Proposal>, HashMap<(String, String), Ingress>) {
        let proposed: HashSet<usize> = self.drafted.iter().filter_map(|it| it.given).collect();
        let others = self.input.services.iter().enumerate().filter(|(at, _)| !proposed.contains(at));
        let others = others
            .map(|(_, service)| Service::from_value(service).with_default_namespace(self.input.namespace));
        let services: Vec<Service<'_>> = self
            .drafted
            .iter()
            .map(|it| Service::from_value(&it.service))
            .chain(others.filter(Service::is_exposed))
            .collect();
        let outcomes = expose_all(&services, self.settings, Precedence::RefuseAll);
        let emitted = emit_all(outcomes.iter().filter_map(Outcome::plan));
        let mut made_of: HashMap<(Option<&str>, &str), Ingress> = HashMap::new();
        let by_name: HashMap<(Option<&str>, &str), &xposer::Object<'_>> = emitted
            .objects
            .iter()
            .filter(|object| object.kind() == xposer::emit::Kind::Ingress)
            .map(|object| ((object.namespace(), object.name()), object))
            .collect();
        for plan in outcomes.iter().filter_map(Outcome::plan) {
            if let Some(object) = by_name.get(&(plan.namespace(), plan.name())) {
                let ingress = read(&object.to_value(), 0, "", &mut Vec::new());
                made_of.insert((plan.namespace(), plan.service()), ingress);
            }
        }
        let mut additional = HashMap::new();
        let plans = outcomes.iter().filter_map(Outcome::plan);
        let mains: HashSet<(Option<&str>, &str)> =
            plans.map(|plan| (plan.namespace(), plan.name())).collect();
        for ((namespace, name), object) in &by_name {
            if !mains.contains(&(*namespace, *name)) {
                let ingress = read(&object.to_value(), 0, "", &mut Vec::new());
                additional.insert((namespace.unwrap_or_default().to_owned(), (*name).to_owned()), ingress);
            }
        }
        let mut objects: HashMap<(&str, &str), Vec<&xposer::Object<'_>>> = HashMap::new();
        for object in &emitted.objects {
            if let Some(service) = object.label(xposer::service::SERVICE_LABEL) {
                objects.entry((object.namespace().unwrap_or_default(), service)).or_default().push(object);
            }
        }
        let mut emitted_reports: HashMap<(&str, &str), Vec<&xposer::Diagnostic>> = HashMap::new();
        for diagnostic in emitted.report.diagnostics() {
            let subject = &diagnostic.subject;
            emitted_reports.entry((&subject.namespace, &subject.name)).or_default().push(diagnostic);
        }
        let drafted = self.drafted.iter().zip(&outcomes);
        let mut proposals = Vec::with_capacity(self.drafted.len());
        for (drafted, outcome) in drafted {
            let source = drafted.source;
            let plan = outcome.plan();
            // Alone, the Service can be exposed even if it conflicts with another one.
            let alone = if plan.is_none() { alone(&drafted.service, self.settings) } else { None };
            let made = match plan {
                Some(plan) => made_of.get(&(plan.namespace(), plan.service())).cloned(),
                None => alone.as_ref().and_then(|plan| emitted_ingress(plan, &plan.emit())),
            };
            let more = emitted_reports.get(&(source.namespace, source.service)).map(Vec::as_slice);
            if let Some(main) = source.main() {
                let own = objects.get(&(source.namespace, source.service)).into_iter().flatten();
                let name = plan.map(Plan::name).unwrap_or_default();
                findings.extend(own.filter_map(|object| self.further(main, object, name)));
            }
            proposals.push(self.compared(
                drafted,
                outcome,
                made.as_ref(),
                more.unwrap_or_default(),
                findings,
            ));
        }
        (proposals, additional)
    }

    /// The finding about an emitted object that is no Ingress of the input.
    fn further(&self, main: &Ingress, object: &xposer::Object<'_>, name: &str) -> Option<Finding> {
        let own = (object.namespace().unwrap_or_default().to_owned(), object.name().to_owned());
        let is_ingress = object.kind() == xposer::emit::Kind::Ingress;
        if is_ingress && (object.name() == name || self.given_names.contains(&own)) {
            return None;
        }
        let message =
            format!("the emitted Ingress also has the {} {}", object.kind().as_str(), object.name());
        let severity = if is_ingress { Severity::Warning } else { Severity::Info };
        Some(main.finding(FieldPath::object(&["metadata", "name"]), severity, message))
    }

    fn compared(
        &self,
        drafted: &UnverifiedProposal<'_, '_>,
        outcome: &Outcome,
        made: Option<&Ingress>,
        emitted: &[&xposer::Diagnostic],
        findings: &mut Vec<Finding>,
    ) -> Proposal {
        let UnverifiedProposal { source, given, draft, left_out, service } = drafted;
        let annotations = draft.annotations();
        let before = findings.len();
        let diagnostics = outcome.report().into_iter().flat_map(xposer::Report::diagnostics);
        for diagnostic in diagnostics.chain(emitted.iter().copied()) {
            let is_error = diagnostic.severity == Severity::Error;
            // Infos about choices for the Service are irrelevant here, but Infos about an annotation are not.
            if diagnostic.severity > Severity::Info || key_in_block(diagnostic, &annotations).is_some() {
                findings.extend(place(source, diagnostic, &annotations, *given, is_error));
            }
        }
        let mut reported = reported_keys(outcome.report(), &annotations);
        reported.extend(emitted.iter().filter_map(|it| {
            (it.code == xposer::Code::IntentTranslated).then(|| key_in_block(it, &annotations)).flatten()
        }));
        if let (Some(made), Some(main)) = (made, source.main()) {
            let found = differences(source, &EmittedIngress { ingress: made, reported: &reported });
            for difference in found {
                let ingress = source.ingresses.iter().find(|it| it.at == difference.ingress).copied();
                let is_option = self.with_options
                    && difference.key.as_ref().is_some_and(|key| !draft.block.contains_key(key));
                let is_loss = difference.is_loss && !is_option;
                let severity = if is_loss { Severity::Warning } else { Severity::Info };
                let finding = ingress.unwrap_or(main).finding(difference.path, severity, difference.message);
                let finding = Finding { is_loss, help: difference.help.map(str::to_owned), ..finding };
                // The reason why a route is missing replaces the finding that it is missing.
                let route = finding.path.to_string();
                let why = left_out.get(difference.key.as_ref().unwrap_or(&route));
                findings.push(why.cloned().unwrap_or(finding));
            }
        }
        let document = given.and_then(|at| self.input.services.get(at)).copied();
        let changes = Changes::of(document, &annotations);
        if let Some(at) = given {
            let (object, subject) = (Object::Service(*at), Service::from_value(service).subject());
            let all = changes.told.into_iter();
            findings
                .extend(all.map(|(path, said)| Finding::new(object, &subject, path, Severity::Info, said)));
        }
        let adopts = made.and_then(|made| {
            let is_it = |it: &&&Ingress| it.name() == made.name() && it.namespace() == source.namespace;
            source.ingresses.iter().find(is_it).map(|it| it.at)
        });
        let own: BTreeSet<Object> = source.ingresses.iter().map(|it| Object::Ingress(it.at)).collect();
        let is_same = !findings.iter().skip(before).any(|it| it.is_loss && own.contains(&it.object));
        Proposal {
            namespace: source.namespace.to_owned(),
            service: source.service.to_owned(),
            given: *given,
            annotations,
            removed: changes.removed,
            ingresses: source.ingresses.iter().map(|it| it.at).collect(),
            adopts,
            is_same,
            open: Vec::new(),
        }
    }
}

/// The plan of a Service without any other.
fn alone(service: &Value, settings: &Settings) -> Option<Plan> {
    match xposer::expose(&Service::from_value(service), settings) {
        Outcome::Planned { plan, .. } => Some(*plan),
        _ => None,
    }
}
