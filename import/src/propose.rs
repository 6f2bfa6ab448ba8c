//! Finds the options that reproduce an Ingress: candidates are tried with the core, and the best one is reduced.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;
use xposer::diagnostics::FieldPath;
use xposer::emit::{Emitted, Kind};
use xposer::internal::{Meaning, joined, meanings, profiles, protects, turns_redirect_off};
use xposer::service::FORWARD_ANNOTATION;
use xposer::{Code, Outcome, Plan, Report, Settings, Severity, emit_all};

use crate::choice::{Certificate, Choice, certificates, common_path, kinds};
use crate::compare::{EmittedIngress, cost, differences, short};
use crate::draft::{Draft, decide, line, objects, smallest};
use crate::finding::Finding;
use crate::keys;
use crate::place::{key_in_block, place};
use crate::read::{Ingress, Route, read};
use crate::source_ingress::SourceIngress;

/// The cost of a draft: the numbers of Errors, of routes that lose requests, of all losses, and of parts that are expressed in another
/// way. A path type with more requests than wanted is better than one with fewer.
type Cost = (usize, usize, usize, usize);

/// Makes the proposal for one Service.
#[derive(Clone, Copy)]
pub(crate) struct Proposer<'w, 'i> {
    pub(crate) source: &'w SourceIngress<'i>,
    /// The Service without its annotations of Xposer.
    pub(crate) bare: &'w Value,
    /// The position of the Service in the input. Without one, its ports are not known.
    pub(crate) given: Option<usize>,
    pub(crate) settings: &'w Settings,
    /// The names of other Ingresses in the namespace that other Services keep.
    pub(crate) names: &'w HashSet<(&'i str, &'i str)>,
    /// The names of all Ingresses of the input.
    pub(crate) given_names: &'w HashSet<(String, String)>,
    /// Whether annotations become options with the same meaning.
    pub(crate) with_options: bool,
}

/// The emitted Ingress of a plan, in the form in which Ingresses are read.
pub(crate) fn emitted_ingress(plan: &Plan, emitted: &Emitted<'_>) -> Option<Ingress> {
    let is_it = |object: &&xposer::Object<'_>| {
        object.kind() == Kind::Ingress
            && object.name() == plan.name()
            && object.namespace() == plan.namespace()
    };
    let object = emitted.objects.iter().find(is_it)?;
    Some(read(&object.to_value(), 0, "", &mut Vec::new()))
}

/// The keys about which the core has a finding.
pub(crate) fn reported_keys<'r>(
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

impl<'i> Proposer<'_, 'i> {
    /// Returns the proposal; `None` if the core refuses every candidate. The findings about annotations and routes that the
    /// proposal does not have are returned by key and by path, because the settings may give them although no Service can.
    pub(crate) fn proposal(&self, findings: &mut Vec<Finding>) -> Option<(Draft, BTreeMap<String, Finding>)> {
        let mut left_out = self.inexpressible_annotations();
        let mut sayable = self.source.clone();
        // Refused lines are removed and the rest is tried again; each trial may reveal other refused lines.
        const MAX_TRIALS: usize = 10;
        for trial in 0..=MAX_TRIALS {
            let this = Proposer { source: &sayable, ..*self };
            let dropped: BTreeSet<String> = left_out.keys().cloned().collect();
            let (choice, draft, outcome) = this.cheapest(&dropped);
            let report = match outcome {
                Outcome::Planned { plan, .. } => {
                    let mut keep = self.options_to_keep();
                    let draft = if self.with_options {
                        this.as_options(draft, &plan, &mut keep, findings)
                    } else {
                        draft
                    };
                    return Some((this.smaller(&choice, draft, &keep, &dropped), left_out));
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
                refused = this.lines_with_error(&draft, &report, &annotations);
            }
            let routes = sayable.routes.len();
            sayable.routes.retain(|route| !refused.contains_key(&route.at.to_string()));
            let hosts = |of: &SourceIngress<'i>| {
                of.routes.iter().map(|route| route.host.as_str()).collect::<HashSet<&str>>()
            };
            let (left, all) = (hosts(&sayable), hosts(self.source));
            sayable.tls.retain(|(host, _)| left.contains(host) || !all.contains(host));
            let is_new = refused.keys().any(|key| !left_out.contains_key(key));
            if !is_new || trial == MAX_TRIALS || (sayable.routes.is_empty() && routes > 0) {
                findings.extend(left_out.into_values());
                for diagnostic in report.of(Severity::Error) {
                    findings.extend(place(self.source, diagnostic, &annotations, self.given, true));
                }
                return None;
            }
            left_out.extend(refused);
        }
        None
    }

    /// The lines of the block that cause an error which does not name them: without them, there is one error less.
    fn lines_with_error(
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
            match decide(self.bare, &without, self.settings) {
                Outcome::Planned { .. } => true,
                Outcome::Refused(report) | Outcome::Conflicting(report) => {
                    report.of(Severity::Error).count() < errors
                }
                Outcome::NotExposed { .. } => false,
            }
        };
        let key = draft.block.keys().take(MAX_LINES).find(is_guilty);
        let finding = place(self.source, unnamed, annotations, self.given, true);
        let named = key.zip(finding).map(|(key, finding)| {
            (key.clone(), Finding { path: FieldPath::annotation(key.clone()), ..finding })
        });
        named.into_iter().collect()
    }

    /// The annotations that no line of the block can express.
    fn inexpressible_annotations(&self) -> BTreeMap<String, Finding> {
        let Some(main) = self.source.main() else { return BTreeMap::new() };
        let is_unsayable = |(key, value): &(&String, &String)| line(key, value).is_none();
        let finding = |(key, value): (&String, &String)| {
            let severity = if protects(key, value) { Severity::Error } else { Severity::Warning };
            let message = if value.contains('\n') {
                format!(
                    "the value of `{key}` has several lines, and the forwarded block of a Service has one line for each annotation"
                )
            } else {
                format!("no annotation of a Service can forward `{key}` with the value `{}`", short(value))
            };
            let help = "write it in the setting annotations, for all Services or for a profile";
            let finding = main.finding(FieldPath::annotation(key.clone()), severity, message).help(help);
            (key.clone(), finding)
        };
        self.source.annotations.iter().filter(is_unsayable).map(finding).collect()
    }

    /// The draft with the lowest cost.
    fn cheapest<'s>(&'s self, dropped: &BTreeSet<String>) -> (Choice<'s>, Draft, Outcome) {
        let mut best: Option<(Cost, usize, Choice<'s>, Draft, Outcome)> = None;
        // There may be thousands of profiles, and trying all of them for each import would take too long.
        const MAX_PROFILES: usize = 20;
        let names = profiles(self.settings).into_iter().take(MAX_PROFILES);
        for profile in [None].into_iter().chain(names.map(Some)) {
            let (cost, choice, draft, outcome) = self.best_under(profile, dropped);
            // If there is no choice of profiles, the size does not matter.
            let size = if profile.is_none() && profiles(self.settings).is_empty() {
                0
            } else {
                smallest(self.bare, draft.clone(), &self.options_to_keep(), self.settings).annotations().len()
            };
            if best.as_ref().is_none_or(|(known, length, ..)| (cost, size) < (*known, *length)) {
                best = Some((cost, size, choice, draft, outcome));
            }
        }
        match best {
            Some((_, _, choice, draft, outcome)) => (choice, draft, outcome),
            None => {
                let choice = Choice::new(self.source, None);
                let draft = choice.draft(self.source, dropped);
                let outcome = decide(self.bare, &draft, self.settings);
                (choice, draft, outcome)
            }
        }
    }

    /// The best draft under a profile. The choices are made one after the other, each given the previous ones.
    fn best_under<'s>(
        &self,
        profile: Option<&'s str>,
        dropped: &BTreeSet<String>,
    ) -> (Cost, Choice<'s>, Draft, Outcome) {
        let mut choice = Choice::new(self.source, profile);
        choice.kind = kinds(self.source).first().copied().flatten();
        choice.certificate = certificates(self.source).first().copied().unwrap_or(Certificate::None);
        let (mut cost, mut draft, mut outcome) = self.cost_of(&choice, dropped);
        let mut others: Vec<Choice<'s>> = Vec::new();
        let steps: [fn(&Self, &Choice<'s>) -> Vec<Choice<'s>>; 5] = [
            |this, choice| {
                kinds(this.source).into_iter().skip(1).map(|kind| Choice { kind, ..choice.clone() }).collect()
            },
            |this, choice| {
                let all = certificates(this.source).into_iter().skip(1);
                all.map(|certificate| Choice { certificate, ..choice.clone() }).collect()
            },
            |_, choice| {
                let given = [false, true].into_iter().map(Some);
                given.map(|redirect| Choice { redirect, ..choice.clone() }).collect()
            },
            |this, choice| {
                let is_annotation = this.source.class.is_some_and(|class| class.is_annotation);
                let other = Choice { class_in_block: true, ..choice.clone() };
                Some(other).filter(|_| is_annotation).into_iter().collect()
            },
            |this, choice| {
                let other = Choice { paths_in_urls: false, ..choice.clone() };
                Some(other).filter(|_| common_path(this.source).is_some()).into_iter().collect()
            },
        ];
        for step in steps {
            if cost == (0, 0, 0, 0) {
                break;
            }
            others.clear();
            others.extend(step(self, &choice));
            for other in others.drain(..) {
                let (less, better, result) = self.cost_of(&other, dropped);
                if less < cost {
                    (cost, choice, draft, outcome) = (less, other, better, result);
                }
            }
        }
        if let (None, Outcome::Planned { plan, .. }) = (self.source.name, &outcome)
            && self.names.contains(&(self.source.namespace, plan.name()))
        {
            let ingress = self.source.main().map(Ingress::name).unwrap_or_default();
            choice.name = Some(format!("{}-{ingress}", self.source.service));
            (cost, draft, outcome) = self.cost_of(&choice, dropped);
        }
        (cost, choice, draft, outcome)
    }

    fn cost_of(&self, choice: &Choice<'_>, dropped: &BTreeSet<String>) -> (Cost, Draft, Outcome) {
        let draft = choice.draft(self.source, dropped);
        let outcome = decide(self.bare, &draft, self.settings);
        let cost = match &outcome {
            Outcome::Planned { plan, report } => {
                let emitted = emit_all([plan.as_ref()]);
                match emitted_ingress(plan, &emitted) {
                    Some(ingress) => {
                        let reported = reported_keys([report, &emitted.report], &draft.annotations());
                        let all = differences(
                            self.source,
                            &EmittedIngress { ingress: &ingress, reported: &reported },
                        );
                        let (dropped, lost, other) = cost(&all);
                        let more = emitted.objects.iter().filter(|object| {
                            let own =
                                (object.namespace().unwrap_or_default().to_owned(), object.name().to_owned());
                            object.kind() == Kind::Ingress
                                && object.name() != plan.name()
                                && !self.given_names.contains(&own)
                        });
                        // An annotation that turns the redirect off is worse than any difference.
                        let off = ingress.annotations.iter().filter(|(key, value)| {
                            !self.source.annotations.contains_key(*key) && turns_redirect_off(key, value)
                        });
                        (off.count(), dropped, lost + more.count(), other)
                    }
                    None => (1, 0, 0, 0),
                }
            }
            Outcome::Refused(report) | Outcome::Conflicting(report) => {
                (report.of(Severity::Error).count(), 0, 0, 0)
            }
            Outcome::NotExposed { .. } => (usize::MAX, 0, 0, 0),
        };
        (cost, draft, outcome)
    }

    /// The options that are kept although the settings may give the same value: the first port of a Service that is not in the
    /// input is not known.
    fn options_to_keep(&self) -> Vec<&'static str> {
        let mut keep = vec![keys::CANARY_OF];
        if self.given.is_none() {
            keep.push(keys::PORT);
        }
        keep
    }

    /// Removes from the draft what the settings give. If all paths are the same, the shorter of two forms is used.
    fn smaller(&self, choice: &Choice<'_>, draft: Draft, keep: &[&str], dropped: &BTreeSet<String>) -> Draft {
        let own = smallest(self.bare, draft, keep, self.settings);
        if !choice.paths_in_urls || common_path(self.source).is_none() || self.with_options {
            return own;
        }
        let other = Choice { paths_in_urls: false, ..choice.clone() };
        let (cost, draft, _) = self.cost_of(&other, dropped);
        let (own_cost, ..) = self.cost_of(choice, dropped);
        if cost > own_cost {
            return own;
        }
        let other = smallest(self.bare, draft, keep, self.settings);
        if other.options.len() < own.options.len() || !other.options.contains_key(keys::URL) {
            other
        } else {
            own
        }
    }

    /// Replaces annotations by options with the same meaning. The options are kept even if they change nothing today, because
    /// another controller does not read the annotations.
    fn as_options(
        &self,
        draft: Draft,
        plan: &Plan,
        keep: &mut Vec<&'static str>,
        findings: &mut Vec<Finding>,
    ) -> Draft {
        let Some(main) = self.source.main().filter(|_| self.source.canary.is_none()) else { return draft };
        let mut draft = draft;
        for meaning in meanings(plan) {
            let Some(first) = meaning.keys.first() else { continue };
            let path = FieldPath::annotation(first.clone());
            let option = meaning.option.rsplit('/').next().unwrap_or_default();
            let names: Vec<String> = meaning.keys.iter().map(|key| format!("`{key}`")).collect();
            let names = joined(&names, " and ");
            let several = meaning.keys.len() > 1;
            let message = match self.as_option(&draft, &meaning) {
                Ok(other) => {
                    draft = other;
                    keep.push(meaning.option);
                    let verb = if several { "become" } else { "becomes" };
                    let value = meaning.value.replace('\n', ", ");
                    format!("{names} {verb} the option {option}: {}", short(&value))
                }
                Err(why) => {
                    let verb = if several { "do not become" } else { "does not become" };
                    format!("{names} {verb} the option {option}: {why}")
                }
            };
            findings.push(main.finding(path, Severity::Info, message));
        }
        draft
    }

    /// Replaces the annotations of one meaning by an option, or returns the reason why this is not possible.
    fn as_option(&self, draft: &Draft, meaning: &Meaning) -> Result<Draft, String> {
        let mut other = draft.clone();
        other.block.retain(|key, _| !meaning.keys.contains(key));
        other.options.insert(meaning.option, meaning.value.clone());
        // An option that changes the path needs the plain path, and writes the regular expression itself.
        let changes_path = matches!(meaning.option, keys::STRIP_PREFIX | keys::REWRITE_PATH);
        if changes_path {
            for key in [keys::URL, keys::PATH] {
                other.options.entry(key).and_modify(|value| *value = value.replace("(/|$)(.*)", ""));
            }
        }
        match decide(self.bare, &other, self.settings) {
            Outcome::Planned { plan, .. } if changes_path => {
                let is_same = matches!(decide(self.bare, draft, self.settings),
                    Outcome::Planned { plan: own, .. } if objects(&own) == objects(&plan));
                is_same.then_some(other).ok_or_else(|| "it would match other requests".to_owned())
            }
            Outcome::Planned { .. } => Ok(other),
            Outcome::Refused(report) | Outcome::Conflicting(report) => {
                let why = report.of(Severity::Error).next().map(|it| it.message.clone());
                Err(why.unwrap_or_default())
            }
            Outcome::NotExposed { .. } => Err("nothing would be exposed".to_owned()),
        }
    }
}
