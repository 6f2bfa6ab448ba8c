//! What annotations of other programs mean, in words of no program.

use super::nginx;
use crate::diagnostics::Origin;
use crate::intents::{Intent, Wish};
use crate::plan::{Annotation, Plan};

/// What some annotations mean together.
#[derive(Clone, Debug)]
pub(crate) struct Meant {
    pub(crate) intent: Intent,
    pub(crate) wish: Wish,
    /// Their keys.
    pub(crate) keys: Vec<String>,
    /// Where the first of them was given.
    pub(crate) origin: Origin,
    /// Whether the Service's author forwarded it.
    pub(crate) is_forwarded: bool,
}

impl Meant {
    /// What a list of annotations means; the first one decides who wants it.
    pub(crate) fn new(intent: Intent, wish: Wish, given: &[&Annotation]) -> Option<Self> {
        let first = given.first()?;
        let keys = given.iter().map(|it| it.key.clone()).collect();
        Some(Self { intent, wish, keys, origin: first.origin(), is_forwarded: first.is_forwarded() })
    }
}

/// What the annotations of a plan mean. What cannot be said otherwise is missing: the rule `protection` looks at each annotation
/// that has no meaning here.
pub(crate) fn read(plan: &Plan) -> Vec<Meant> {
    nginx::read::read(plan)
}
