//! The annotations that users gave: the forwarded block, and the defaults of the administrator.

use std::collections::BTreeSet;
use std::ops::Range;

use super::defaults::keys;
use super::migrate::{Migrated, translated};
use super::{Annotation, PUBLISH_KEY, Plan, Resolver, Scope, Source};
use crate::diagnostics::{Code, Origin, Problem, Sourced, quoted};
use crate::dialect::cert_manager::{is_issuer, named_kind};
use crate::dialect::legacy::{CLASSES, Legacy, Migration, find};
use crate::dialect::nginx::paths::asked_path;
use crate::dialect::{external_dns, forecastle, is_of_controller};
use crate::options::annotations::annotation;
use crate::options::block::Line;
use crate::options::{Forwarded, Layers, Settings, Slot};
use crate::service::{CONFIG_PREFIX, FORWARD_ANNOTATION};

/// Whether a line of the block with this key is an instruction to Xposer rather than to another program. `row` is the key's row in
/// the table of legacy keys.
pub(crate) fn is_for_xposer(key: &str, row: Option<&Legacy>, settings: &Settings) -> bool {
    let is_ours = |row: &Legacy| {
        matches!(row.migration, Migration::Class | Migration::Monitor(_) | Migration::MonitorOption(_))
    };
    key == PUBLISH_KEY || (!settings.forwards_legacy && row.is_some_and(is_ours))
}

/// The class that is written on the Service, in its block, or in the settings.
pub(super) fn written_class<'v>(layers: Layers<'v>, forwarded: &'v Forwarded<'_>) -> Option<&'v str> {
    let of_block = || {
        let mut lines = forwarded.block.lines().iter();
        lines.find(|line| CLASSES.contains(&line.key) && !line.value.is_empty()).map(|line| line.value)
    };
    let own = layers.service.and_then(|own| own.class.value()).map(|class| class.value.as_str());
    own.or_else(of_block).or_else(|| layers.first(|it| &it.class).map(|class| class.value.as_str()))
}

impl Resolver<'_, '_> {
    /// Reads the forwarded block into the plan. Returns where the URL is published, and the byte range of the line that asks for
    /// it.
    pub(super) fn forward(&mut self, plan: &mut Plan) -> Option<(Scope, Range<usize>)> {
        let forwarded = self.forwarded;
        let mut publish = None;
        let mut block_class = Slot::Unset;
        let mut old = Migrated::new(&plan.targets);
        plan.annotations.reserve(forwarded.block.lines().len());
        for line in forwarded.block.lines() {
            let row = find(line.key);
            // The rule `folded-block` refuses a line for Xposer whose value contains other keys: its value is not what its author
            // meant.
            if is_for_xposer(line.key, row, self.settings) && !line.embedded_keys().is_empty() {
                continue;
            }
            let is_class = row.is_some_and(|row| row.migration == Migration::Class);
            let is_passed_on = match line.key {
                PUBLISH_KEY => {
                    let place = line.key_range.start..line.value_range.end;
                    publish = self.scope(line).map(|scope| (scope, place));
                    !self.translates()
                }
                // An option of Xposer has no effect inside the block.
                key if key.starts_with(CONFIG_PREFIX) || key == FORWARD_ANNOTATION => {
                    self.file_misplaced(line);
                    true
                }
                _ if is_class => self.block_class(line, &mut block_class),
                _ => true,
            };
            if is_passed_on {
                let is_given = |key: &str| forwarded.block.contains(key);
                plan.annotations.extend(self.migrate(given(line), row, &is_given, &mut old));
            }
        }
        let Migrated { mut monitor, switches, .. } = old;
        self.apply_switches(plan, switches);
        self.drop_canary_lines(plan);
        self.drop_empty(plan);
        self.copy_to_all_dns_prefixes(plan);
        plan.class = self.layers.first_with_block(&block_class, |it| &it.class).cloned();
        self.defaults(plan, &mut monitor);
        // An empty annotation of a layer of the settings overrides the same annotation of the layers below, and has no other
        // meaning.
        plan.annotations.retain(|it| !is_empty(it) || self.settings.denial(&it.key).is_some());
        self.servers(plan);
        // Lookups of annotations by key rely on this order.
        plan.annotations.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        plan.apply_use_regex(self.layers.first(|it| &it.path_type).is_some());
        self.intents(plan);
        self.issuer_conflict(plan);
        if let Some(rule) = plan.rules.first() {
            // The annotations decide how ingress-nginx reads the paths.
            plan.url_path = asked_path(plan, rule).into_owned();
        }
        plan.monitor = self.monitor(plan, monitor).map(Box::new);
        publish
    }

    /// Whether legacy keys are translated.
    pub(super) fn translates(&self) -> bool {
        !self.settings.forwards_legacy
    }

    /// Files a finding if an annotation names another issuer than the Service does.
    fn issuer_conflict(&mut self, plan: &Plan) {
        let Some(Sourced { value: own, origin: Origin::Annotation(_) }) = &plan.issuer else { return };
        let is_other = |it: &&Annotation| {
            is_issuer(&it.key) && (named_kind(&it.key) != Some(own.cluster) || it.value != own.name)
        };
        let is_written = plan.canary.is_none() && plan.tls().has_secret();
        if let Some(other) = plan.annotations.iter().filter(|_| is_written).find(is_other) {
            let message = format!("{} contradicts the issuer {}", quoted(&other.value), quoted(&own.name));
            other.file_value(
                self.report,
                Problem::new(Code::IssuerConflict, message).help("keep one of the two"),
            );
        }
    }

    /// Whether ExternalDNS or Forecastle reads the key to publish or list the host.
    pub(super) fn is_publishing_key(&self, key: &str) -> bool {
        forecastle::is_key(key) || self.settings.is_dns_key(key)
    }

    /// Removes the lines for controllers that have an empty value. A controller treats such a line as missing, so the line must not
    /// override an option or a setting.
    fn drop_empty(&mut self, plan: &mut Plan) {
        let settings = self.settings;
        let is_silent = |it: &Annotation| is_empty(it) && settings.denial(&it.key).is_none();
        for given in plan.annotations.extract_if(.., |it| is_silent(it)) {
            let message = [&quoted(&given.key), " is empty and counts as not set"].concat();
            let problem =
                Problem::new(Code::AnnotationEmpty, message).help("give it a value or remove the line");
            given.file_key(self.report, problem);
        }
    }

    /// Removes the lines of a canary's block that would publish or list its host. The host is that of the stable Service, which
    /// publishes it.
    pub(super) fn drop_canary_lines(&mut self, plan: &mut Plan) {
        let Some(canary) = &plan.canary else { return };
        let (silent, kept) = std::mem::take(&mut plan.annotations)
            .into_iter()
            .partition(|it: &Annotation| self.is_publishing_key(&it.key));
        plan.annotations = kept;
        for given in silent {
            // Every canary gets this annotation, so the line changes nothing.
            if external_dns::opts_out(&given.key, &given.value) {
                continue;
            }
            let does = if forecastle::is_key(&given.key) {
                "is the one that is listed"
            } else {
                "publishes the host"
            };
            let message = format!(
                "{} has no effect on a canary: the Service {} {does}",
                quoted(&given.key),
                quoted(&canary.of)
            );
            let help = format!("forward it from the Service {}, or remove the line", canary.of);
            given.file_key(self.report, Problem::new(Code::CanaryAnnotation, message).help(help));
        }
    }

    /// Copies the annotations of ExternalDNS to all prefixes that its versions read.
    pub(super) fn copy_to_all_dns_prefixes(&mut self, plan: &mut Plan) {
        let is_of_dns = |known: &Annotation| external_dns::split(&known.key).is_some();
        if !self.translates() || !plan.annotations.iter().any(is_of_dns) {
            return;
        }
        let mut more = Vec::new();
        let (known, mut added) = (keys(plan), BTreeSet::new());
        for given in &plan.annotations {
            let Some((own, name)) = external_dns::split(&given.key) else { continue };
            for prefix in self.settings.dns_prefixes.iter().filter(|prefix| *prefix != own) {
                let key = format!("{prefix}{name}");
                if !known.contains(key.as_str()) && added.insert(key.clone()) {
                    more.push(Annotation { key, ..given.clone() });
                }
            }
        }
        for added in &more {
            let message =
                format!("{} is also given, for the versions of ExternalDNS that read it", quoted(&added.key));
            added.file_key(self.report, Problem::new(Code::DnsMirrored, message));
        }
        plan.annotations.append(&mut more);
    }

    fn file_misplaced(&mut self, line: &Line<'_>) {
        let message = format!("{} has no effect inside the forwarded block", quoted(line.key));
        let problem = Problem::new(Code::ForwardOwnKey, message)
            .help("move the line to the annotations of the Service");
        self.block(problem.at(line.key_range.clone()));
    }

    fn scope(&mut self, line: &Line<'_>) -> Option<Scope> {
        match line.value {
            "locally" => Some(Scope::Locally),
            "globally" => Some(Scope::Globally),
            other => {
                let message = format!(
                    "expected locally or globally, found {}; the URL is not published",
                    quoted(other)
                );
                let help = match other.to_ascii_lowercase().as_str() {
                    word @ ("locally" | "globally") => {
                        format!("write it in lower case: {PUBLISH_KEY}: {word}")
                    }
                    _ => format!("write `{PUBLISH_KEY}: locally` or `{PUBLISH_KEY}: globally`"),
                };
                let problem = Problem::new(Code::ForwardScopeUnknown, message).help(help);
                self.block(problem.at(line.value_range.clone()));
                None
            }
        }
    }

    /// Reads the class of the block, which applies if the Service has no annotation for the class. Returns whether the line is
    /// passed on.
    fn block_class(&mut self, line: &Line<'_>, class: &mut Slot<String>) -> bool {
        if class.is_unset() {
            // A class that is empty, or that stays an annotation, still prevents the settings from giving a class.
            *class = Slot::Broken;
        }
        if line.value.is_empty() {
            let message = "the ingress class is empty and counts as not set";
            let problem =
                Problem::new(Code::AnnotationEmpty, message).help("name a class or remove the line");
            self.block(problem.at(line.key_range.clone()));
            return false;
        }
        let own = self.layers.service.and_then(|own| own.class.value());
        let own = own.map(|own| (own, annotation::CLASS));
        match own.or_else(|| Some((class.value()?, FORWARD_ANNOTATION))) {
            Some((own, place)) if own.value != line.value => {
                let message = format!(
                    "the class {} contradicts {} in {}",
                    quoted(line.value),
                    quoted(&own.value),
                    place
                );
                let problem = Problem::new(Code::ClassConflict, message).help("keep one of the two");
                self.block(problem.at(line.value_range.clone()));
            }
            // Some controllers read the class only in the annotation; a class of theirs stays there.
            _ if self.translates() && !self.controller.reads_annotation_of(line.value) => {
                let problem = translated(line.key, "spec.ingressClassName");
                self.block(problem.at(line.key_range.clone()));
            }
            _ => {}
        }
        if self.translates() && !class.is_set() {
            let origin = Origin::Annotation(FORWARD_ANNOTATION.into());
            *class = Slot::Set(Sourced::new(line.value.to_owned(), origin));
        }
        !self.translates()
    }
}

/// Whether a line for a controller has an empty value.
fn is_empty(given: &Annotation) -> bool {
    given.value.trim().is_empty() && is_of_controller(&given.key)
}

fn given(line: &Line<'_>) -> Annotation {
    let source = Source::Block { key: line.key_range.clone(), value: line.value_range.clone() };
    Annotation { key: line.key.to_owned(), value: line.value.to_owned(), source }
}
