//! Rules about a forwarded block with malformed or folded lines. YAML's `>-` folds a block into one line, and the second and later
//! keys become a part of the first value.

use std::ops::Range;

use crate::diagnostics::{Code, FieldPath, Problem, Report, quoted, with_rest};
use crate::dialect::key::{Key, is_list_of_addresses};
use crate::dialect::legacy::find;
use crate::dialect::{Loss, effect, external_dns, forecastle, nginx, protects};
use crate::options::block::{EmbeddedKey, Line, embedded_keys};
use crate::plan::Annotation;
use crate::plan::context::RuleContext;
use crate::resolve::is_for_xposer;
use crate::service::FORWARD_ANNOTATION;
use crate::validation::annotation_key_error;

/// The maximum number of keys that a message names.
const MAX_NAMES: usize = 3;

/// The end of a message about a line whose loss is an Error.
const PROTECTS: &str = ", although it protects the Service";

const BLOCK_HELP: &str = "write the block with `|-`, one annotation on each line";
const IN_LINES_OR_QUOTES: &str =
    "write the block with `|-`, one annotation on each line, or put the value in quotes";

/// Reports lines without a colon and values that span several lines. For a key that protects the Service, this is an Error.
pub(crate) fn malformed(context: &RuleContext<'_>, report: &mut Report) {
    let text = block(context).unwrap_or_default();
    let multiline_values = multiline_values(context.forwarded.block.lines(), text);
    for (line, _) in &multiline_values {
        let said = format!("the value of {} spreads over several lines", quoted(line.key));
        let (code, said) = match effect(line.key) {
            Some(Key { loss: Loss::Protection, .. }) => (Code::ForwardMalformedProtection, said + PROTECTS),
            _ => (Code::ForwardMalformed, said),
        };
        let problem = Problem::new(code, said).help("put the value on one line").at(line.key_range.clone());
        report.file_over_empty(FieldPath::annotation(FORWARD_ANNOTATION), problem);
    }
    // Both lists are in the order of the block, which may have thousands of lines, so a binary search is possible.
    let is_value = |problem: &&Problem| {
        problem.range.as_ref().is_some_and(|range| {
            let at = multiline_values.partition_point(|(_, value)| value.end <= range.start);
            multiline_values.get(at).is_some_and(|(_, value)| value.contains(&range.start))
        })
    };
    for problem in context.forwarded.malformed.iter().filter(|problem| !is_value(problem)) {
        let mut problem = problem.clone();
        let line = problem.range.clone().and_then(|range| text.get(range)).unwrap_or_default();
        if is_protection(line) {
            problem.code = Code::ForwardMalformedProtection;
            problem.message.push_str(PROTECTS);
        }
        report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem);
    }
}

/// Whether a key that protects the Service is anywhere in a line without a colon.
fn is_protection(line: &str) -> bool {
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(|c| !is_of_key(c));
        let (key, behind) = rest.split_at(rest.find(|c| !is_of_key(c)).unwrap_or(rest.len()));
        if key.is_empty() {
            return false;
        }
        if key.contains('/') && protects(key, behind.trim_matches(|c: char| !c.is_alphanumeric())) {
            return true;
        }
        rest = behind;
    }
}

/// Returns the lines without a value that are followed by lines that look like the value, and the byte range of those lines. A line
/// that belongs to such a value is not the key of another one, so each line is read once.
fn multiline_values<'l, 'b>(lines: &'l [Line<'b>], text: &str) -> Vec<(&'l Line<'b>, Range<usize>)> {
    let mut found: Vec<(&Line<'b>, Range<usize>)> = Vec::new();
    for line in lines.iter().filter(|line| line.value.is_empty() && !line.quoted) {
        let is_value = found.last().is_some_and(|(_, value)| line.key_range.start < value.end);
        if !is_value {
            found.extend(following_value(line, text).map(|value| (line, value)));
        }
    }
    found
}

/// Returns the byte range of the lines after `line` that look like its value.
fn following_value(line: &Line<'_>, text: &str) -> Option<Range<usize>> {
    let before = text.get(..line.key_range.start)?;
    let own = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    let start = line.value_range.end + text.get(line.value_range.end..)?.find('\n')? + 1;
    let (mut at, mut value) = (start, None);
    for raw in text.get(start..)?.split('\n') {
        let bare = raw.trim_ascii();
        if !bare.is_empty() && !bare.starts_with('#') {
            let is_indented = raw.len() - raw.trim_ascii_start().len() > own && !is_known(bare);
            if is_protection(bare) || !is_indented && !is_value(bare) {
                break;
            }
            value = Some(value.map_or(at, |first: Range<usize>| first.start)..at + raw.len());
        }
        at += raw.len() + 1;
    }
    value
}

/// Whether a line is an annotation of a known program.
fn is_known(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| effect(key.trim()).is_some())
}

/// Whether a line is not an annotation, but an item of a list, a URL, an address or a word.
fn is_value(line: &str) -> bool {
    let bare = |text: &str| {
        annotation_key_error(text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\''))
            .is_none()
    };
    line.starts_with('-')
        || is_list_of_addresses(line)
        || !line.split_once(':').is_some_and(|(key, value)| bare(key) && !value.starts_with("//"))
}

/// Checks that no value contains another key.
pub(crate) fn folded(context: &RuleContext<'_>, report: &mut Report) {
    let lines = context.forwarded.block.lines();
    let is_several = lines.len() > 1 || block(context).is_some_and(|text| text.trim().contains('\n'));
    let help = if is_several { IN_LINES_OR_QUOTES } else { BLOCK_HELP };
    for line in lines {
        let inside = line.embedded_keys();
        let Some(first) = inside.first() else { continue };
        let start = line.value_range.start + first.start;
        let place = format!("in the value of {}", quoted(line.key));
        let problem =
            problem(&inside, &place, is_invalid_by_folding(context, line.key, line.value)).help(help);
        report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem.at(start..line.value_range.end));
    }
    if lines.is_empty() {
        comment(context, report);
    }
    by_setting(context, report);
}

/// Returns the forwarded block as it was written.
fn block<'f>(context: &RuleContext<'f>) -> Option<&'f str> {
    let block = context.service.annotations().iter().find(|(key, _)| *key == FORWARD_ANNOTATION);
    block.map(|(_, text)| *text)
}

/// Checks the values of the setting `annotations`, where one entry may contain several lines by mistake.
fn by_setting(context: &RuleContext<'_>, report: &mut Report) {
    let of_settings = |it: &&Annotation| !it.is_forwarded();
    for annotation in context.plan.annotations.iter().filter(of_settings) {
        let (key, value) = (annotation.key.as_str(), annotation.value.as_str());
        let inside = embedded_keys(key, value);
        if inside.is_empty() {
            continue;
        }
        let place = format!("in the value of {}", quoted(key));
        let problem = problem(&inside, &place, is_invalid_by_folding(context, key, value));
        annotation.file_value(report, problem.help("write each annotation as an entry of its own"));
    }
}

/// Checks a folded block whose first line is a comment: the other lines are then a part of the comment.
fn comment(context: &RuleContext<'_>, report: &mut Report) {
    let Some(text) = block(context) else { return };
    let (trimmed, start) = (text.trim(), text.len() - text.trim_start().len());
    let Some(comment) = trimmed.strip_prefix('#').filter(|comment| !comment.contains('\n')) else { return };
    let inside = embedded_keys("#", comment);
    // A single key at the beginning of the comment is a line that was commented out on purpose.
    let Some(first) =
        inside.first().filter(|it| inside.len() > 1 || !comment.trim_start().starts_with(it.key))
    else {
        return;
    };
    let problem = problem(&inside, "in a comment", false).help(BLOCK_HELP);
    let range = start + 1 + first.start..start + trimmed.len();
    report.file(FieldPath::annotation(FORWARD_ANNOTATION), problem.at(range));
}

fn problem(inside: &[EmbeddedKey<'_>], place: &str, is_spoilt: bool) -> Problem {
    let names = inside.iter().take(MAX_NAMES).map(|it| quoted(it.key)).collect();
    let (verb, they) = if inside.len() == 1 { ("is", "it is") } else { ("are", "they are") };
    let mut message =
        format!("{} {verb} {place}, where {they} not read", with_rest(names, inside.len(), " and "));
    let code = if let Some(protecting) = inside.iter().find(|it| protects(it.key, it.value)) {
        message.push_str(&match inside {
            [_] => PROTECTS.to_owned(),
            _ => format!(", although {} protects the Service", quoted(protecting.key)),
        });
        Code::FoldedBlockRefused
    } else if is_spoilt {
        Code::FoldedBlockRefused
    } else {
        Code::FoldedBlock
    };
    Problem::new(code, message)
}

/// Whether the value is invalid because other keys were folded into it.
fn is_invalid_by_folding(context: &RuleContext<'_>, key: &str, value: &str) -> bool {
    let shape = nginx::any_name(key).and_then(nginx::find).and_then(|known| known.shape);
    // This is the first line of a folded YAML list.
    key.starts_with("- ")
        || shape.is_some_and(|shape| !shape.fits(value))
        || external_dns::is_checked(key)
        || forecastle::is_boolean(key)
        || is_for_xposer(key, find(key), context.settings)
}
