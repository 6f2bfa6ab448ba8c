//! The input of a rule.

use crate::diagnostics::{Code, Report, Segment};
use crate::dialect::controller::Controller;
use crate::dialect::key::{NeutralValue, Program};
use crate::dialect::{Loss, external_dns, nginx, read_by};
use crate::options::block::embedded_keys;
use crate::options::{Forwarded, Layers, Settings};
use crate::plan::{Annotation, Plan, Source};
use crate::service::Service;
use crate::values::Target;

/// The input of a rule: everything that a rule may read.
pub(crate) struct RuleContext<'f> {
    pub(crate) service: &'f Service<'f>,
    pub(crate) settings: &'f Settings,
    pub(crate) layers: Layers<'f>,
    pub(crate) forwarded: &'f Forwarded<'f>,
    pub(crate) plan: &'f Plan,
    /// The annotations that a program reads and that nobody denies. Several rules need the reader of each, so it is looked up once.
    pub(crate) read: Vec<(&'f Annotation, Reader)>,
}

/// The program that reads a key.
pub(crate) struct Reader {
    pub(crate) target: Target,
    pub(crate) controller: Controller,
    pub(crate) program: &'static Program,
    pub(crate) needs: &'static [&'static str],
    pub(crate) neutral: NeutralValue,
}

impl Reader {
    /// Returns the reader of a key. The annotations of ingress-nginx have a meaning for each program.
    pub(crate) fn of(plan: &Plan, key: &str) -> Option<Self> {
        let has_object = |target: Target| {
            plan.has_object(target) && (target != Target::Ingress || plan.has_stable_ingress())
        };
        let reader = |target, controller| {
            let (program, row) = read_by(controller, key)?;
            Some(Self { target, controller, program, needs: *row.needs, neutral: row.neutral })
        };
        if key.starts_with(nginx::PREFIX) {
            return reader(Target::Ingress, Controller::IngressNginx).filter(|_| plan.canary.is_none());
        }
        let targets = plan.targets.iter().filter(|target| has_object(**target));
        let mut readers = targets.map(|target| (*target, plan.controller(*target)));
        let (target, controller) = readers.find(|(_, it)| !it.is_nginx() && it.reads(key))?;
        reader(target, controller)
    }
}

/// The codes of the findings about keys that a line break has folded into a value.
const FOLDED: [Code; 2] = [Code::FoldedBlock, Code::FoldedBlockRefused];

impl<'f> RuleContext<'f> {
    pub(crate) fn new(
        service: &'f Service<'f>,
        settings: &'f Settings,
        layers: Layers<'f>,
        forwarded: &'f Forwarded<'f>,
        plan: &'f Plan,
    ) -> Self {
        let mut context = Self { service, settings, layers, forwarded, plan, read: Vec::new() };
        let reader = |it: &'f Annotation| Some((it, Reader::of(plan, &it.key)?));
        let read = plan.annotations.iter().filter_map(reader);
        context.read = read.filter(|(it, _)| context.denial(it).is_none()).collect();
        context
    }

    /// Whether an annotation is a copy under another prefix of ExternalDNS. Rules skip copies: the finding is filed for the line
    /// that the user wrote.
    pub(crate) fn is_mirrored(&self, annotation: &Annotation) -> bool {
        external_dns::split(&annotation.key).is_some() && !self.has_own_key(annotation)
    }

    /// Whether the user wrote the key of the annotation, rather than a legacy key that was translated to it.
    pub(crate) fn has_own_key(&self, annotation: &Annotation) -> bool {
        match &annotation.source {
            Source::Block { .. } => self.forwarded.block.contains(&annotation.key),
            Source::Setting { path, .. } => {
                matches!(path.segments().last(), Some(Segment::Key(key)) if *key == annotation.key)
            }
        }
    }

    /// The pattern of `annotations.deny` that matches the key of a forwarded annotation; an empty text if Xposer itself forbids the
    /// key.
    pub(crate) fn denial(&self, annotation: &Annotation) -> Option<&str> {
        let key = annotation.key.as_str();
        if !annotation.is_forwarded() {
            return None;
        }
        self.settings.denial(key)
    }

    /// The code and the message of a finding about a key without which this is lost.
    pub(crate) fn loss(&self, loss: Loss, key: &str, message: String) -> (Code, String) {
        match loss {
            Loss::Nothing => (Code::TargetInexpressible, message),
            Loss::Behavior => (Code::IntentLost, message),
            Loss::Hardening => (Code::ProtectionWeakened, message),
            Loss::Protection => self.settings.lost(key, message),
        }
    }

    /// Whether a finding was filed about one of these keys inside the value of another key.
    pub(crate) fn is_inside_other_value(&self, is_key: impl Fn(&str) -> bool, report: &Report) -> bool {
        if !report.diagnostics().iter().any(|known| FOLDED.contains(&known.code)) {
            return false;
        }
        self.plan.annotations.iter().any(|annotation| {
            let inside = embedded_keys(&annotation.key, &annotation.value);
            inside.iter().any(|it| is_key(it.key)) && is_reported(annotation, &FOLDED, report)
        })
    }
}

/// Whether the value was refused because it contains other keys.
pub(crate) fn is_refused(annotation: &Annotation, report: &Report) -> bool {
    is_reported(annotation, &[Code::FoldedBlockRefused], report)
}

/// Whether a finding with one of these codes is about the value.
fn is_reported(annotation: &Annotation, codes: &[Code], report: &Report) -> bool {
    let mut found = report.diagnostics().iter().filter(|known| codes.contains(&known.code));
    match &annotation.source {
        Source::Block { value, .. } => {
            found.any(|known| known.range.as_ref().is_some_and(|range| value.contains(&range.start)))
        }
        Source::Setting { path, .. } => found.any(|known| known.path == *path),
    }
}
