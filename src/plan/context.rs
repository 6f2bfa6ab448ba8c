//! The input of a rule.

use crate::diagnostics::{Code, Report, Segment};
use crate::dialect::{Loss, external_dns};
use crate::options::block::embedded_keys;
use crate::options::{Forwarded, Layers, Settings};
use crate::plan::{Annotation, Plan, Source};
use crate::service::Service;

/// The input of a rule: everything that a rule may read.
pub(crate) struct RuleContext<'f> {
    pub(crate) service: &'f Service<'f>,
    pub(crate) settings: &'f Settings,
    pub(crate) layers: Layers<'f>,
    pub(crate) forwarded: &'f Forwarded<'f>,
    pub(crate) plan: &'f Plan,
}

/// The codes of the findings about keys that a line break has folded into a value.
const FOLDED: [Code; 2] = [Code::FoldedBlock, Code::FoldedBlockRefused];

impl RuleContext<'_> {
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
