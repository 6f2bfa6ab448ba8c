//! The reference pages below `docs/reference/`, made from the core's tables.

mod annotations;
mod diagnostics;
mod dialects;
mod markdown;
mod nginx;
mod schema;
mod settings;
mod templates;

use crate::cases::Case;

/// How every page begins.
const NOTICE: &str = "<!-- Made by `make docs` from the tables of the core. Change those, not this page. -->";

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The name of its file in `docs/reference/`.
    pub file: &'static str,
    /// Its text.
    pub text: String,
}

/// All pages. The cases give the examples of diagnostics.
///
/// # Errors
///
/// A setting whose form has no schema.
pub fn pages(cases: &[Case]) -> anyhow::Result<Vec<Page>> {
    let page = |file, body: String| Page { file, text: format!("{NOTICE}\n\n{}\n", body.trim_end()) };
    Ok(vec![
        page("annotations.md", annotations::body()),
        page("settings.md", settings::body()),
        page("diagnostics.md", diagnostics::body(cases)),
        page("dialects.md", dialects::body()),
        page("templates.md", templates::body()),
        page("ingress-nginx.md", nginx::body()),
        Page { file: "settings.schema.json", text: format!("{}\n", schema::body()?) },
    ])
}
