//! The reference pages below `docs/reference/`, made from the core's tables.

mod annotations;
mod diagnostics;
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
/// A setting whose form the schema does not know.
pub fn pages(cases: &[Case]) -> anyhow::Result<Vec<Page>> {
    let page = |file, body: String| Page { file, text: format!("{NOTICE}\n\n{}\n", body.trim_end()) };
    Ok(vec![
        page("annotations.md", annotations::body()),
        page("settings.md", settings::body()),
        page("diagnostics.md", diagnostics::body(cases)),
        page("templates.md", templates::body()),
        Page { file: "settings.schema.json", text: format!("{}\n", schema::body()?) },
    ])
}

/// A sentence of a table, so that Markdown shows it as it is.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut code = false;
    for character in text.chars() {
        match character {
            '`' => code = !code,
            '<' | '>' | '*' | '_' if !code => out.push('\\'),
            _ => {}
        }
        out.push(character);
    }
    out
}

/// Text in the font of a program, with as many backquotes around it as it needs.
fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// A table; `|` inside a cell would end it.
fn table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let line = |cells: [String; COLUMNS]| {
        format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|").replace('\n', " ")).join(" | "))
    };
    let mut out = line(head.map(str::to_owned));
    out.push_str(&line(head.map(|_| "---".to_owned())));
    out.extend(rows.into_iter().map(line));
    out
}

/// A line of YAML, in the form of a whole setting or annotation.
fn yaml(text: &str) -> String {
    format!("```yaml\n{text}\n```\n")
}

/// The anchor that GitHub gives a heading of one word.
fn anchor(heading: &str) -> String {
    heading.to_ascii_lowercase()
}

/// A list in words: `a`, `a and b`, `a, b and c`.
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_shows_what_was_written() {
        assert_eq!(prose("<a> and `<b>` and *.c_d"), "\\<a\\> and `<b>` and \\*.c\\_d");
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("{{`a`}}"), "`` {{`a`}} ``");
        assert_eq!(table(["a"], [["x|y".to_owned()]]), "| a |\n| --- |\n| x\\|y |\n");
        assert_eq!(listed(&["a".to_owned(), "b".to_owned(), "c".to_owned()]), "a, b and c");
    }
}
