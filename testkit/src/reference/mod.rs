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

/// The first line of every page.
const NOTICE: &str = "<!-- Made by `make docs` from the tables of the core. Change those, not this page. -->";

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The file name in `docs/reference/`.
    pub file: &'static str,
    /// The text of the page.
    pub text: String,
}

/// Returns all pages. The cases are the source of the examples of diagnostics.
///
/// # Errors
///
/// A setting has a form without a schema.
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
