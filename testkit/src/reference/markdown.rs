//! Formats the Markdown of the reference pages.

/// Escapes a sentence for a table, so that Markdown shows it unchanged.
pub(super) fn prose(text: &str) -> String {
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

/// Formats a text as code, with as many backquotes around it as it needs.
pub(super) fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// Formats a table. `|` is escaped, because it would end a cell.
pub(super) fn table<const COLUMNS: usize>(
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

/// A line of YAML with a whole setting or annotation.
pub(super) fn yaml(text: &str) -> String {
    format!("```yaml\n{text}\n```\n")
}

/// The anchor that GitHub creates for a heading of one word.
pub(super) fn anchor(heading: &str) -> String {
    heading.to_ascii_lowercase()
}

/// Joins a list in words: `a`, `a and b`, `a, b and c`.
pub(super) fn listed(items: &[String]) -> String {
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
