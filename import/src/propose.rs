//! The options that reproduce an Ingress: candidates are tried with the core, and the best one is made smaller.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;
use xposer::diagnostics::{FieldPath, Root, Segment};
use xposer::emit::{Emitted, Kind};
use xposer::internal::{About, about, block, meanings, profiles, protects};
use xposer::service::FORWARD_ANNOTATION;
use xposer::validation::PathType;
use xposer::{Code, Diagnostic, Outcome, Plan, Report, Settings, Severity, emit_all};

use crate::compare::{Made, cost, differences, short};
use crate::draft::{Draft, line, smallest, tried};
use crate::finding::{Finding, Object};
use crate::keys;
use crate::read::{Ingress, Route, read};
use crate::shape;
use crate::wanted::Wanted;

/// What is chosen for a draft.
#[derive(Clone, Debug)]
struct Choice<'p> {
    profile: Option<&'p str>,
    kind: Option<PathType>,
    certificate: Certificate,
    /// Whether requests without TLS are sent to https; without it, the default of the program counts.
    redirect: Option<bool>,
    /// Whether the class stays an annotation.
    class_in_block: bool,
    /// Whether the paths are in the URLs; otherwise all of them are the same one.
    paths_in_urls: bool,
    /// The name of the Ingress, where the default is not wanted.
    name: Option<String>,
}

/// How the certificate is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Certificate {
    None,
    /// It is in the secret.
    Secret,
    /// cert-manager puts it there, and the issuer is an option.
    Issued,
    /// cert-manager puts it there, and the issuer is an annotation.
    Annotated,
}

/// How much a draft costs: what is refused, what is lost, what is said in other words.
type Cost = (usize, usize, usize);

/// Makes the proposal for one Service.
#[derive(Clone, Copy)]
pub(crate) struct Proposing<'w, 'i> {
    pub(crate) wanted: &'w Wanted<'i>,
    /// The Service without its annotations of this project.
    pub(crate) bare: &'w Value,
    /// The position of the Service in the input. Without one, its ports are not known.
    pub(crate) given: Option<usize>,
    pub(crate) settings: &'w Settings,
    /// The names that other Ingresses of the namespace keep.
    pub(crate) names: &'w HashSet<(&'i str, &'i str)>,
    /// The names of all Ingresses of the input.
    pub(crate) given_names: &'w HashSet<(String, String)>,
    /// Whether annotations become options where they mean the same.
    pub(crate) with_options: bool,
}

/// What a plan becomes, as an Ingress that was read.
pub(crate) fn made(plan: &Plan, emitted: &Emitted<'_>) -> Option<Ingress> {
    let is_it = |object: &&xposer::Object<'_>| {
        object.kind() == Kind::Ingress
            && object.name() == plan.name()
            && object.namespace() == plan.namespace()
    };
    let object = emitted.objects.iter().find(is_it)?;
    Some(read(&object.to_value(), 0, "", &mut Vec::new()))
}

/// The key in the forwarded block that a diagnostic is about.
pub(crate) fn key_in_block(
    diagnostic: &Diagnostic,
    annotations: &BTreeMap<String, String>,
) -> Option<String> {
    if diagnostic.path != FieldPath::annotation(FORWARD_ANNOTATION) {
        return None;
    }
    let range = diagnostic.range.as_ref()?;
    let (block, _) = block::parse(annotations.get(FORWARD_ANNOTATION)?);
    let is_it =
        |line: &&block::Line<'_>| line.key_range.start <= range.start && range.start <= line.value_range.end;
    block.lines().iter().find(is_it).map(|line| line.key.to_owned())
}

/// The keys about which the core tells what becomes of them.
pub(crate) fn told_keys<'r>(
    reports: impl IntoIterator<Item = &'r Report>,
    annotations: &BTreeMap<String, String>,
) -> BTreeSet<String> {
    let tells = |code| {
        matches!(
            code,
            Code::LegacyTranslated
                | Code::LegacyDropped
                | Code::LegacyShadowed
                | Code::DnsMirrored
                | Code::IntentTranslated
        )
    };
    let all = reports.into_iter().flat_map(Report::diagnostics);
    all.filter(|it| tells(it.code)).filter_map(|it| key_in_block(it, annotations)).collect()
}

impl<'i> Proposing<'_, 'i> {
    /// The proposal; `None` where the core refuses everything. The findings about annotations and routes that it does not have are
    /// given by the keys of the annotations and the paths of the routes: the settings may give what no Service can.
    pub(crate) fn proposal(&self, told: &mut Vec<Finding>) -> Option<(Draft, BTreeMap<String, Finding>)> {
        let mut left_out = self.unsayable();
        let mut sayable = self.wanted.clone();
        // What is refused is left out, and the rest is tried again; each time, there may be something else.
        const MAX_TRIALS: usize = 10;
        for trial in 0..=MAX_TRIALS {
            let this = Proposing { wanted: &sayable, ..*self };
            let dropped: BTreeSet<String> = left_out.keys().cloned().collect();
            let (choice, draft, outcome) = this.best(&dropped);
            let report = match outcome {
                Outcome::Planned { plan, .. } => {
                    let draft = if self.with_options { this.as_options(draft, &plan, told) } else { draft };
                    return Some((this.smaller(&choice, draft, &dropped), left_out));
                }
                Outcome::Refused(report) | Outcome::Conflicting(report) => report,
                Outcome::NotExposed { .. } => return None,
            };
            let annotations = draft.annotations();
            let mut refused: BTreeMap<String, Finding> = BTreeMap::new();
            for diagnostic in report.of(Severity::Error) {
                let Some(finding) = place(&sayable, diagnostic, &annotations, self.given, true) else {
                    continue;
                };
                if let Some(key) = key_in_block(diagnostic, &annotations) {
                    refused.insert(key, finding);
                    continue;
                }
                let is_at = |route: &&&Route| finding.path.segments().starts_with(route.at.segments());
                let Some(first) = sayable.routes.iter().find(is_at) else { continue };
                let is_port = diagnostic.path == FieldPath::annotation(keys::PORT);
                let alike = sayable.routes.iter().filter(|route| is_port && route.port == first.port);
                refused.extend(
                    [first].into_iter().chain(alike).map(|route| (route.at.to_string(), finding.clone())),
                );
            }
            if refused.is_empty() {
                refused = this.guilty(&draft, &report, &annotations);
            }
            let routes = sayable.routes.len();
            sayable.routes.retain(|route| !refused.contains_key(&route.at.to_string()));
            let hosts = |of: &Wanted<'i>| {
                of.routes.iter().map(|route| route.host.as_str()).collect::<HashSet<&str>>()
            };
            let (left, all) = (hosts(&sayable), hosts(self.wanted));
            sayable.tls.retain(|(host, _)| left.contains(host) || !all.contains(host));
            let is_new = refused.keys().any(|key| !left_out.contains_key(key));
            if !is_new || trial == MAX_TRIALS || (sayable.routes.is_empty() && routes > 0) {
                told.extend(left_out.into_values());
                for diagnostic in report.of(Severity::Error) {
                    told.extend(place(self.wanted, diagnostic, &annotations, self.given, true));
                }
                return None;
            }
            left_out.extend(refused);
        }
        None
    }

    /// The lines of the block that an error is about which does not name them: without them, there is one error less.
    fn guilty(
        &self,
        draft: &Draft,
        report: &Report,
        annotations: &BTreeMap<String, String>,
    ) -> BTreeMap<String, Finding> {
        const MAX_LINES: usize = 50;
        let errors = report.of(Severity::Error).count();
        let block = FieldPath::annotation(FORWARD_ANNOTATION);
        let Some(unnamed) = report.of(Severity::Error).find(|it| it.path == block) else {
            return BTreeMap::new();
        };
        let is_guilty = |key: &&String| {
            let mut without = draft.clone();
            without.block.remove(*key);
            match tried(self.bare, &without, self.settings) {
                Outcome::Planned { .. } => true,
                Outcome::Refused(report) | Outcome::Conflicting(report) => {
                    report.of(Severity::Error).count() < errors
                }
                Outcome::NotExposed { .. } => false,
            }
        };
        let key = draft.block.keys().take(MAX_LINES).find(is_guilty);
        let finding = place(self.wanted, unnamed, annotations, self.given, true);
        let named = key.zip(finding).map(|(key, finding)| {
            (key.clone(), Finding { path: FieldPath::annotation(key.clone()), ..finding })
        });
        named.into_iter().collect()
    }

    /// The annotations that no line of the block can have.
    fn unsayable(&self) -> BTreeMap<String, Finding> {
        let Some(main) = self.wanted.main() else { return BTreeMap::new() };
        let is_unsayable = |(key, value): &(&String, &String)| line(key, value).is_none();
        let finding = |(key, value): (&String, &String)| {
            let severity = if protects(key, value) { Severity::Error } else { Severity::Warning };
            let said = if value.contains('\n') {
                format!(
                    "the value of `{key}` has several lines, and an annotation of a Service passes on one"
                )
            } else {
                format!("no annotation of a Service passes on `{key}` with the value `{}`", short(value))
            };
            let help = "write it in the setting annotations, for all Services or for a profile";
            let finding = main.finding(FieldPath::annotation(key.clone()), severity, said).help(help);
            (key.clone(), finding)
        };
        self.wanted.annotations.iter().filter(is_unsayable).map(finding).collect()
    }

    /// The draft that differs least.
    fn best<'s>(&'s self, dropped: &BTreeSet<String>) -> (Choice<'s>, Draft, Outcome) {
        let mut best: Option<(Cost, usize, Choice<'s>, Draft, Outcome)> = None;
        // Not every import looks at all of thousands.
        const MAX_PROFILES: usize = 20;
        let names = profiles(self.settings).into_iter().take(MAX_PROFILES);
        for profile in [None].into_iter().chain(names.map(Some)) {
            let (cost, choice, draft, outcome) = self.best_under(profile, dropped);
            // Where there is nothing to choose, the size does not count.
            let size = if profile.is_none() && profiles(self.settings).is_empty() {
                0
            } else {
                smallest(self.bare, draft.clone(), &self.keep(), self.settings).annotations().len()
            };
            if best.as_ref().is_none_or(|(known, length, ..)| (cost, size) < (*known, *length)) {
                best = Some((cost, size, choice, draft, outcome));
            }
        }
        match best {
            Some((_, _, choice, draft, outcome)) => (choice, draft, outcome),
            None => {
                let choice = self.first_choice(None);
                let draft = self.draft(&choice, dropped);
                let outcome = tried(self.bare, &draft, self.settings);
                (choice, draft, outcome)
            }
        }
    }

    fn first_choice<'s>(&self, profile: Option<&'s str>) -> Choice<'s> {
        Choice {
            profile,
            kind: None,
            certificate: Certificate::None,
            redirect: None,
            class_in_block: false,
            paths_in_urls: true,
            name: self.wanted.name.map(str::to_owned),
        }
    }

    /// The best draft under a profile: one choice after the other, each the best one beside those before it.
    fn best_under<'s>(
        &self,
        profile: Option<&'s str>,
        dropped: &BTreeSet<String>,
    ) -> (Cost, Choice<'s>, Draft, Outcome) {
        let mut choice = self.first_choice(profile);
        choice.kind = self.kinds().first().copied().flatten();
        choice.certificate = self.certificates().first().copied().unwrap_or(Certificate::None);
        let (mut cost, mut draft, mut outcome) = self.weigh(&choice, dropped);
        let mut others: Vec<Choice<'s>> = Vec::new();
        let steps: [fn(&Self, &Choice<'s>) -> Vec<Choice<'s>>; 5] = [
            |this, choice| {
                this.kinds().into_iter().skip(1).map(|kind| Choice { kind, ..choice.clone() }).collect()
            },
            |this, choice| {
                let all = this.certificates().into_iter().skip(1);
                all.map(|certificate| Choice { certificate, ..choice.clone() }).collect()
            },
            |_, choice| {
                let given = [false, true].into_iter().map(Some);
                given.map(|redirect| Choice { redirect, ..choice.clone() }).collect()
            },
            |this, choice| {
                let is_annotation = this.wanted.class.is_some_and(|class| class.is_annotation);
                let other = Choice { class_in_block: true, ..choice.clone() };
                Some(other).filter(|_| is_annotation).into_iter().collect()
            },
            |this, choice| {
                let other = Choice { paths_in_urls: false, ..choice.clone() };
                Some(other).filter(|_| this.common_path().is_some()).into_iter().collect()
            },
        ];
        for step in steps {
            if cost == (0, 0, 0) {
                break;
            }
            others.clear();
            others.extend(step(self, &choice));
            for other in others.drain(..) {
                let (less, better, result) = self.weigh(&other, dropped);
                if less < cost {
                    (cost, choice, draft, outcome) = (less, other, better, result);
                }
            }
        }
        if let (None, Outcome::Planned { plan, .. }) = (self.wanted.name, &outcome)
            && self.names.contains(&(self.wanted.namespace, plan.name()))
        {
            let ingress = self.wanted.main().map(Ingress::name).unwrap_or_default();
            choice.name = Some(format!("{}-{ingress}", self.wanted.service));
            (cost, draft, outcome) = self.weigh(&choice, dropped);
        }
        (cost, choice, draft, outcome)
    }

    fn weigh(&self, choice: &Choice<'_>, dropped: &BTreeSet<String>) -> (Cost, Draft, Outcome) {
        let draft = self.draft(choice, dropped);
        let outcome = tried(self.bare, &draft, self.settings);
        let cost = match &outcome {
            Outcome::Planned { plan, report } => {
                let emitted = emit_all([plan.as_ref()]);
                match made(plan, &emitted) {
                    Some(ingress) => {
                        let told = told_keys([report, &emitted.report], &draft.annotations());
                        let all = differences(self.wanted, &Made { ingress: &ingress, told: &told });
                        let (lost, other) = cost(&all);
                        let more = emitted.objects.iter().filter(|object| {
                            let own =
                                (object.namespace().unwrap_or_default().to_owned(), object.name().to_owned());
                            object.kind() == Kind::Ingress
                                && object.name() != plan.name()
                                && !self.given_names.contains(&own)
                        });
                        (0, lost + more.count(), other)
                    }
                    None => (1, 0, 0),
                }
            }
            Outcome::Refused(report) | Outcome::Conflicting(report) => {
                (report.of(Severity::Error).count(), 0, 0)
            }
            Outcome::NotExposed { .. } => (usize::MAX, 0, 0),
        };
        (cost, draft, outcome)
    }

    /// The path types to try. Without one, a path that is a regular expression is ImplementationSpecific, and any other a Prefix.
    fn kinds(&self) -> Vec<Option<PathType>> {
        let mut counts: BTreeMap<PathType, usize> = BTreeMap::new();
        for route in &self.wanted.routes {
            *counts.entry(route.kind).or_default() += 1;
        }
        let mut kinds: Vec<PathType> = counts.keys().copied().collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(counts.get(kind).copied()));
        let given = kinds.into_iter().map(Some);
        if counts.len() == 1 { given.collect() } else { [None].into_iter().chain(given).collect() }
    }

    fn certificates(&self) -> Vec<Certificate> {
        if self.wanted.tls.is_empty() {
            return vec![Certificate::None];
        }
        let is = |test: fn(About) -> bool| self.wanted.annotations.keys().any(|key| test(about(key)));
        if is(|it| matches!(it, About::Issuer { .. })) {
            vec![Certificate::Issued, Certificate::Annotated, Certificate::Secret]
        } else if is(|it| it == About::Certificate) {
            vec![Certificate::Annotated, Certificate::Secret]
        } else {
            vec![Certificate::Secret]
        }
    }

    /// The path of all routes, if they have one that is no `/`.
    fn common_path(&self) -> Option<&'i str> {
        let first: &'i str = self.wanted.routes.first().map(|route| route.path.as_str())?;
        (first != "/" && self.wanted.routes.iter().all(|route| route.path == first)).then_some(first)
    }

    fn draft(&self, choice: &Choice<'_>, dropped: &BTreeSet<String>) -> Draft {
        let wanted = self.wanted;
        let mut draft = Draft { labels: wanted.labels.clone(), ..Draft::default() };
        let mut set = |key: &'static str, value: String| {
            draft.options.insert(key, value);
        };
        set(keys::TARGET, "Ingress".to_owned());
        if let Some(profile) = choice.profile {
            set(keys::PROFILE, profile.to_owned());
        }
        if let Some(name) = &choice.name {
            set(keys::NAME, name.clone());
        }
        let port = shape::main_port(&wanted.routes);
        set(keys::URL, shape::urls(&wanted.routes, port, choice.paths_in_urls));
        let path = self.common_path().filter(|_| !choice.paths_in_urls);
        set(keys::PATH, path.unwrap_or("/").to_owned());
        if let Some(kind) = choice.kind {
            set(keys::PATH_TYPE, kind.to_string());
        }
        if let Some(port) = port {
            set(keys::PORT, port.to_string());
        }
        let mut said: BTreeSet<&str> = dropped.iter().map(String::as_str).collect();
        if let Some(class) = wanted.class.filter(|_| !choice.class_in_block) {
            set(keys::CLASS, class.name.clone());
        }
        match choice.certificate {
            Certificate::None => set(keys::TLS, "false".to_owned()),
            Certificate::Secret => set(keys::TLS, "true".to_owned()),
            Certificate::Issued | Certificate::Annotated => set(keys::TLS, "cert-manager".to_owned()),
        }
        if let Some(redirect) = choice.redirect {
            set(keys::HTTPS_REDIRECT, redirect.to_string());
        }
        if choice.certificate == Certificate::Issued {
            for (key, value) in &wanted.annotations {
                if let About::Issuer { cluster } = about(key) {
                    set(if cluster { keys::CLUSTER_ISSUER } else { keys::ISSUER }, value.trim().to_owned());
                    said.insert(key);
                }
            }
        }
        if choice.certificate != Certificate::None && wanted.canary.is_none() {
            let hosts: HashSet<&str> = wanted.routes.iter().map(|route| route.host.as_str()).collect();
            let others = wanted.tls.iter().filter(|(host, _)| !hosts.contains(host));
            let others: Vec<String> = others.map(|(host, _)| (*host).to_owned()).collect();
            if !others.is_empty() {
                set(keys::TLS_HOSTS, shape::joined(&others));
            }
            let secrets = wanted.tls.iter().filter_map(|(host, secret)| Some((*host, (*secret)?)));
            let secrets: Vec<(&str, &str)> = secrets.collect();
            if let Some(template) = shape::secret(&secrets) {
                set(keys::SECRET, template);
            }
        }
        if let Some(canary) = &wanted.canary {
            for (key, value) in &canary.options {
                set(key, value.clone());
            }
            said.extend(canary.said.iter().map(String::as_str));
            // What a canary says about certificates is read by nobody.
            draft.options.remove(keys::TLS_HOSTS);
        }
        let rest = wanted.annotations.iter().filter(|(key, _)| !said.contains(key.as_str()));
        draft.block = rest.map(|(key, value)| (key.clone(), value.clone())).collect();
        if let Some(class) = wanted.class.filter(|_| choice.class_in_block) {
            let key = class.at.segments().iter().rev().find_map(|segment| match segment {
                Segment::Key(key) => Some(key.to_string()),
                Segment::Index(_) => None,
            });
            draft.block.extend(key.map(|key| (key, class.name.clone())));
        }
        draft
    }

    /// The options that are said although the settings may give them: the first port of a Service that is not here is not known.
    fn keep(&self) -> Vec<&'static str> {
        let mut keep = vec![keys::CANARY_OF];
        if self.given.is_none() {
            keep.push(keys::PORT);
        }
        keep
    }

    /// The draft without what the settings give. Where all paths are the same, the shorter of two forms.
    fn smaller(&self, choice: &Choice<'_>, draft: Draft, dropped: &BTreeSet<String>) -> Draft {
        let own = smallest(self.bare, draft, &self.keep(), self.settings);
        if !choice.paths_in_urls || self.common_path().is_none() || self.with_options {
            return own;
        }
        let other = Choice { paths_in_urls: false, ..choice.clone() };
        let (cost, draft, _) = self.weigh(&other, dropped);
        let (own_cost, ..) = self.weigh(choice, dropped);
        if cost > own_cost {
            return own;
        }
        let other = smallest(self.bare, draft, &self.keep(), self.settings);
        if other.options.len() < own.options.len() || !other.options.contains_key(keys::URL) {
            other
        } else {
            own
        }
    }

    /// The draft with options in place of annotations that mean the same.
    fn as_options(&self, draft: Draft, plan: &Plan, told: &mut Vec<Finding>) -> Draft {
        let Some(main) = self.wanted.main().filter(|_| self.wanted.canary.is_none()) else { return draft };
        let mut draft = draft;
        for meaning in meanings(plan) {
            let mut other = draft.clone();
            other.block.retain(|key, _| !meaning.keys.contains(key));
            let value = meaning.value.clone();
            other.options.insert(meaning.option, value);
            let Some(first) = meaning.keys.first() else { continue };
            let path = FieldPath::annotation(first.clone());
            let option = meaning.option.rsplit('/').next().unwrap_or_default();
            let names = meaning.keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            match tried(self.bare, &other, self.settings) {
                Outcome::Planned { .. } => {
                    let said = format!("{names} becomes the option {option}: {}", short(&meaning.value));
                    told.push(main.finding(path, Severity::Info, said));
                    draft = other;
                }
                Outcome::Refused(report) | Outcome::Conflicting(report) => {
                    let why = report.of(Severity::Error).next().map(|it| it.message.clone());
                    let said =
                        format!("{names} does not become the option {option}: {}", why.unwrap_or_default());
                    told.push(main.finding(path, Severity::Info, said));
                }
                Outcome::NotExposed { .. } => {}
            }
        }
        draft
    }
}

/// A finding of the core about a proposal, at the place in the Ingress that the value came from, or in the Service.
pub(crate) fn place(
    wanted: &Wanted<'_>,
    diagnostic: &Diagnostic,
    annotations: &BTreeMap<String, String>,
    service: Option<usize>,
    is_loss: bool,
) -> Option<Finding> {
    let main = wanted.main()?;
    let here = |path| Finding::of_core(diagnostic, Object::Ingress(main.at), &main.subject, path, is_loss);
    if diagnostic.path.root() == Root::Settings {
        return Some(Finding::of_core(
            diagnostic,
            Object::Settings,
            &diagnostic.subject,
            diagnostic.path.clone(),
            is_loss,
        ));
    }
    if let Some(key) = key_in_block(diagnostic, annotations) {
        return Some(here(FieldPath::annotation(key)));
    }
    let key = match diagnostic.path.segments() {
        [Segment::Key(first), Segment::Key(field), Segment::Key(key)]
            if first == "metadata" && field == "annotations" =>
        {
            key.as_ref()
        }
        [Segment::Key(first), Segment::Key(field), ..] if first == "metadata" && field == "labels" => {
            return Some(here(FieldPath::object(&["metadata", "name"])));
        }
        _ => {
            let path = diagnostic.path.clone();
            let Some(object) = service.map(Object::Service) else {
                return Some(here(FieldPath::object(&["spec"])));
            };
            return Some(Finding::of_core(diagnostic, object, &diagnostic.subject, path, is_loss));
        }
    };
    Some(here(match key {
        keys::NAME => FieldPath::object(&["metadata", "name"]),
        keys::CLASS => main.class.as_ref().map_or_else(|| FieldPath::object(&["spec"]), |it| it.at.clone()),
        keys::TLS | keys::SECRET | keys::TLS_HOSTS => FieldPath::object(&["spec", "tls"]),
        keys::LABELS => FieldPath::object(&["metadata", "labels"]),
        keys::ISSUER | keys::CLUSTER_ISSUER => {
            let issuer = main.annotations.keys().find(|key| matches!(about(key), About::Issuer { .. }));
            FieldPath::annotation(issuer.cloned().unwrap_or_default())
        }
        keys::PORT | keys::URL | keys::PATH | keys::PATH_TYPE => first_route(wanted, diagnostic, key),
        FORWARD_ANNOTATION => FieldPath::object(&["metadata", "annotations"]),
        _ => {
            let given = xposer::internal::CANARY_OPTIONS.iter().find(|(_, option)| *option == key);
            given.map_or_else(
                || FieldPath::object(&["metadata", "annotations"]),
                |(own, _)| FieldPath::annotation(*own),
            )
        }
    }))
}

/// The route that a diagnostic about hosts, paths or ports names; the rules as a whole where it names none.
fn first_route(wanted: &Wanted<'_>, diagnostic: &Diagnostic, key: &str) -> FieldPath {
    let at = wanted.main().map(|main| main.at).unwrap_or_default();
    let own = || wanted.routes.iter().filter(|route| route.ingress == at);
    if key == keys::PORT {
        let route = own().find(|route| {
            route.port.as_ref().is_some_and(|port| diagnostic.message.contains(&port.to_string()))
        });
        return route
            .or_else(|| own().next())
            .map_or_else(|| FieldPath::object(&["spec", "rules"]), |route| route.at.clone().key("backend"));
    }
    let names = |text: &str| diagnostic.message.contains(&format!("`{text}`"));
    let found = own().find(|route| names(&route.host) || names(&format!("{}{}", route.host, route.path)));
    let found = found.or_else(|| own().find(|route| names(&route.path)));
    found.map_or_else(|| FieldPath::object(&["spec", "rules"]), |route| route.at.clone())
}
