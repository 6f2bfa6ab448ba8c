//! Golden files: the expected output of a program, stored in git and read by people.
//!
//! A missing or different file is a failure. With `BLESS=1` in the environment, the file is written instead, and standard error
//! names it; read the difference before committing it.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::source::workspace;

/// The number of unchanged lines that are shown around a change.
const CONTEXT: usize = 2;

/// Compares a golden file with the output, or writes it if `BLESS=1` is set.
///
/// # Errors
///
/// The difference, line by line, and how to accept it.
pub fn compare(path: &Path, found: &str) -> Result<(), String> {
    let shown = path.strip_prefix(workspace()).unwrap_or(path).display();
    let expected = match fs::read_to_string(path) {
        Ok(expected) => Some(expected),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("{shown}: {error}")),
    };
    if expected.as_deref() == Some(found) {
        return Ok(());
    }
    let what = match &expected {
        Some(expected) => format!("{shown} differs:\n{}", difference(expected, found)),
        None => format!("{shown} is missing; it would be:\n{found}"),
    };
    if std::env::var_os("BLESS").is_none_or(|value| value != "1") {
        return Err(format!("{what}Accept it with BLESS=1, and read it before you do.\n"));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{shown}: {error}"))?;
    }
    fs::write(path, found).map_err(|error| format!("{shown}: {error}"))?;
    // A macro such as `eprintln!` is not used, because the test harness would capture its output.
    writeln!(io::stderr().lock(), "BLESS=1 wrote {what}").map_err(|error| error.to_string())
}

/// Returns the lines that differ: `-` was expected, `+` was found. Some unchanged lines around them are included.
///
/// ```
/// let shown = xposer_testkit::golden::difference("a\nb\nc\n", "a\nx\nc\n");
/// assert_eq!(shown, "  a\n- b\n+ x\n  c\n");
/// ```
#[must_use]
pub fn difference(expected: &str, found: &str) -> String {
    let (left, right): (Vec<_>, Vec<_>) = (lines(expected), lines(found));
    let start = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
    let most = left.len().min(right.len()) - start;
    let end = left
        .iter()
        .rev()
        .zip(right.iter().rev())
        .take(most)
        .take_while(|(left, right)| left == right)
        .count();
    let slice = |lines: &[&str]| -> Vec<String> {
        lines.get(start..lines.len() - end).unwrap_or_default().iter().map(ToString::to_string).collect()
    };
    let mut script: Vec<(char, String)> = Vec::new();
    script.extend(left.iter().take(start).map(|line| (' ', (*line).to_owned())));
    script.extend(edits(&slice(&left), &slice(&right)));
    script.extend(left.iter().skip(left.len() - end).map(|line| (' ', (*line).to_owned())));
    near_changes(&script)
}

/// The lines, with invisible characters made visible if only they differ.
fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.split('\n').collect();
    // A final line break does not start another line.
    if lines.last() == Some(&"") {
        lines.pop();
    } else {
        lines.push("\\ no line end at the end of the text");
    }
    lines
}

/// A shortest edit script, from the longest common subsequence.
fn edits(left: &[String], right: &[String]) -> Vec<(char, String)> {
    // `longest[i][j]` is the number of lines that the rests from `i` and `j` have in common.
    let mut longest = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    let at = |longest: &[Vec<usize>], i: usize, j: usize| {
        longest.get(i).and_then(|row| row.get(j)).copied().unwrap_or_default()
    };
    for (i, old) in left.iter().enumerate().rev() {
        for (j, new) in right.iter().enumerate().rev() {
            let value = if old == new {
                at(&longest, i + 1, j + 1) + 1
            } else {
                at(&longest, i + 1, j).max(at(&longest, i, j + 1))
            };
            if let Some(cell) = longest.get_mut(i).and_then(|row| row.get_mut(j)) {
                *cell = value;
            }
        }
    }
    let (mut i, mut j, mut script) = (0, 0, Vec::new());
    loop {
        match (left.get(i), right.get(j)) {
            (Some(old), Some(new)) if old == new => {
                script.push((' ', old.clone()));
                (i, j) = (i + 1, j + 1);
            }
            (Some(old), new) if new.is_none() || at(&longest, i + 1, j) >= at(&longest, i, j + 1) => {
                script.push(('-', old.clone()));
                i += 1;
            }
            (_, Some(new)) => {
                script.push(('+', new.clone()));
                j += 1;
            }
            (_, None) => return script,
        }
    }
}

fn near_changes(script: &[(char, String)]) -> String {
    let changed = |index: usize| script.get(index).is_some_and(|(mark, _)| *mark != ' ');
    let mut out = String::new();
    let mut skipped = false;
    for (index, (mark, line)) in script.iter().enumerate() {
        if (index.saturating_sub(CONTEXT)..=index + CONTEXT).any(changed) {
            if std::mem::take(&mut skipped) {
                out.push_str("  ...\n");
            }
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{mark} {line}");
        } else {
            skipped = true;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_neighbourhood_of_a_change_is_shown() {
        let expected: String = (1..=9).map(|number| format!("{number}\n")).collect();
        let found = expected.replace("5\n", "five\nand a half\n");
        assert_eq!(difference(&expected, &found), "  ...\n  3\n  4\n- 5\n+ five\n+ and a half\n  6\n  7\n");
        assert_eq!(difference("", "a\n"), "+ a\n");
        assert_eq!(difference("a\nb\n", ""), "- a\n- b\n");
        assert_eq!(difference("a\n", "a"), "  a\n+ \\ no line end at the end of the text\n");
    }

    #[test]
    fn a_missing_file_is_a_failure() {
        // With `BLESS`, the file would be written.
        if std::env::var_os("BLESS").is_some() {
            return;
        }
        let result = compare(&workspace().join("tests/cases/no-such-case/report.txt"), "x\n");
        assert!(result.unwrap_err().contains("is missing"));
    }
}
