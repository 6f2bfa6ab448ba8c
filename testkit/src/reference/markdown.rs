//! Markdown of the reference pages.

/// A sentence of a table, so that Markdown shows it as it is.
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

/// Text in the font of a program, with as many backquotes around it as it needs.
pub(super) fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// A table; `|` inside a cell would end it.
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

/// A line of YAML, in the form of a whole setting or annotation.
pub(super) fn yaml(text: &str) -> String {
    format!("```yaml\n{text}\n```\n")
}

/// The anchor that GitHub gives a heading of one word.
pub(super) fn anchor(heading: &str) -> String {
    heading.to_ascii_lowercase()
}

/// A list in words: `a`, `a and b`, `a, b and c`.
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
