//! A table with the alignment of kubectl.

use std::io::{self, Write};

use xposer_manifest::visible;

/// The number of spaces between columns.
const GAP: usize = 3;

/// Writes rows with columns as wide as their widest value. The last column is not padded.
pub(crate) fn write(headings: Option<&[&str]>, rows: &[Vec<String>], out: &mut dyn Write) -> io::Result<()> {
    let headings: Option<Vec<String>> = headings.map(|all| all.iter().map(|it| (*it).to_owned()).collect());
    // Names and reasons come from users, so invisible characters are escaped.
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|it| visible(it).into_owned()).collect()).collect();
    let all = || headings.iter().chain(&rows);
    let columns = all().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| all().filter_map(|row| row.get(column)).map(|it| it.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    for row in all() {
        let mut line = String::new();
        for (value, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{value:<width$}", width = width + GAP));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["web".to_owned(), "a b".to_owned()], vec!["longer".to_owned(), "ä".to_owned()]];
        let text = |headings| {
            let mut out = Vec::new();
            write(headings, &rows, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(Some(&["NAME", "X"])), "NAME     X\nweb      a b\nlonger   ä\n");
        assert_eq!(text(None), "web      a b\nlonger   ä\n");
    }
}
