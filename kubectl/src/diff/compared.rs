//! The changes, as data and as text.

use serde_json::Value;
use xposer_live::difference::unified;
use xposer_manifest::Finding;

/// The change of an object.
pub(crate) struct Change {
    pub(crate) verb: &'static str,
    /// The object, as `Ingress shop/web`.
    pub(crate) object: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

impl Change {
    /// The change as text: the verb, and a unified difference.
    pub(crate) fn to_text(&self) -> String {
        let Self { verb, object, before, after } = self;
        let lines = unified(before.as_ref(), after.as_ref());
        if lines.is_empty() {
            return format!(
                "{verb} {object}\n# the content is already correct; only the marks of the owner would be written\n"
            );
        }
        let file = object.replace([' ', '/'], ".");
        format!("{verb} {object}\n--- cluster/{file}\n+++ wanted/{file}\n{lines}")
    }
}

/// The changes, and the findings about them.
#[derive(Default)]
pub(super) struct Compared {
    pub(super) changes: Vec<Change>,
    pub(super) notes: Vec<Finding<'static>>,
}
